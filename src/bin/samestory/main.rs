//! The command line: the library's first outside user.

mod args;
mod audit;
mod calibrate;
mod cluster;
mod compare;
mod config;
mod dedup;
mod eval;
mod feed;
mod fields;
mod filter;
mod index;
mod kept;
mod manual;
mod memory;
mod message;
mod notices;
mod outputs;
mod plan;
mod progress;
mod similar;
mod sketch;
mod tag;
mod values;
mod weights;

use args::Command;
use clap::error::{ContextKind, ContextValue};
use config::Asked;
use std::process::ExitCode;

fn main() -> ExitCode {
    #[cfg(feature = "parquet")]
    tell_of_own_panics();
    let words: Vec<_> = std::env::args_os().collect();
    let (done, code_of_failure) = match config::read(&words) {
        Ok(Asked::Say(text)) => (message::data(&text).map(|()| ExitCode::SUCCESS), 1),
        // `compare` speaks through its exit code, so that 1 must mean "not one story".
        Ok(Asked::Run(args)) => {
            let code_of_failure = if matches!(args.command, Command::Compare(_)) { 2 } else { 1 };
            (run(args.command), code_of_failure)
        }
        Err(error) => match error.downcast::<clap::Error>() {
            Ok(error) => return answer(&with_tip(error)),
            Err(error) => (Err(error), 2),
        },
    };
    match done {
        Ok(code) => code,
        Err(error) if message::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            message::error(&error);
            let is_usage = error.downcast_ref::<message::Usage>().is_some();
            ExitCode::from(if is_usage { 2 } else { code_of_failure })
        }
    }
}

/// Says nothing of a panic that a damaged file has caused in a reader of others: it becomes a record that could not be
/// read.
#[cfg(feature = "parquet")]
fn tell_of_own_panics() {
    let tell = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !samestory::input::is_guarded() {
            tell(panic);
        }
    }));
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Cluster(args) => cluster::run(&args),
        Command::Dedup(args) => dedup::run(&args),
        Command::Filter(args) => filter::run(&args),
        Command::Index(args) => index::run(&args),
        Command::Compare(args) => compare::run(&args),
        Command::Eval(args) => eval::run(&args),
        Command::Plan(args) => plan::run(&args),
        Command::Sketch(args) => sketch::run(&args),
        Command::Weights(args) => weights::run(&args),
        Command::Calibrate(args) => calibrate::run(&args),
        Command::Audit(args) => audit::run(&args),
        Command::Completions(args) => manual::completions(&args),
        Command::Man(args) => manual::man(&args),
    }
}

/// Says which command an unknown one was meant to be, where clap does not: after `help`, and where a file stands in its
/// place.
fn with_tip(mut error: clap::Error) -> clap::Error {
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand) else { return error };
    let word = word.clone();
    if std::path::Path::new(&word).exists() {
        let tip = format!("to group the articles of a file by story: samestory cluster {word} -o clusters.jsonl");
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    } else {
        // clap names all that are a little like it; one is meant.
        let command = config::command();
        let meant = similar::nearest(&word, command.get_subcommands().map(clap::Command::get_name));
        if let Some(meant) = meant.filter(|meant| *meant != word) {
            error.insert(ContextKind::SuggestedSubcommand, ContextValue::Strings(vec![meant.to_string()]));
        }
    }
    error
}

/// Help, version, or what is wrong with the command line. Help and version go to stdout; a pipe that closed on them is
/// no failure.
fn answer(error: &clap::Error) -> ExitCode {
    if error.kind() == clap::error::ErrorKind::DisplayVersion {
        let _ = message::data(&format!("{}\n", version()));
    } else {
        let _ = error.print();
    }
    ExitCode::from(if error.use_stderr() { 2 } else { 0 })
}

/// The version, and what binds a file to it.
fn version() -> String {
    let profile = samestory::Profile::default();
    format!(
        "samestory {} (profile {}, sketch {}, verdict {}, profile format {})",
        env!("CARGO_PKG_VERSION"),
        profile.name(),
        profile.sketch_id(),
        profile.verdict_id(),
        samestory::profile::PROFILE_FORMAT
    )
}
