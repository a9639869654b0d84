//! The command line: the library's first outside user.

mod args;
mod audit;
mod calibrate;
mod cluster;
mod compare;
mod dedup;
mod eval;
mod feed;
mod message;
mod outputs;
mod weights;

use args::{Args, Command};
use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            // Help and version go to stdout; a pipe that closed on them is no failure.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    let is_compare = matches!(args.command, Command::Compare(_));
    let done = match args.command {
        Command::Cluster(args) => cluster::run(&args),
        Command::Dedup(args) => dedup::run(&args),
        Command::Compare(args) => compare::run(&args),
        Command::Eval(args) => eval::run(&args),
        Command::Weights(args) => weights::run(&args),
        Command::Calibrate(args) => calibrate::run(&args),
        Command::Audit(args) => audit::run(&args),
    };
    match done {
        Ok(code) => code,
        Err(error) if message::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            message::error(&error);
            let is_usage = error.downcast_ref::<message::Usage>().is_some();
            // `compare` speaks through its exit code, so that 1 must mean "not one story".
            ExitCode::from(if is_usage || is_compare { 2 } else { 1 })
        }
    }
}
