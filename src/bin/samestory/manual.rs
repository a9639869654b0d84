//! `samestory completions` and `samestory man`

use crate::{args, config, message};
use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};
use samestory::Error;
use samestory::output::Output;
use std::process::ExitCode;

pub(crate) fn completions(args: &args::Completions) -> anyhow::Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut config::command(), "samestory", &mut script);
    message::data(&String::from_utf8_lossy(&script))?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn man(args: &args::Man) -> anyhow::Result<ExitCode> {
    let mut command = config::command().disable_help_subcommand(true);
    command.build();
    let Some(folder) = &args.folder else {
        message::data(&page(&command, "samestory")?)?;
        return Ok(ExitCode::SUCCESS);
    };
    std::fs::create_dir_all(folder).map_err(|error| Error::io(folder, "create", error))?;
    let mut pages = vec![(&command, "samestory".to_string())];
    while let Some((command, name)) = pages.pop() {
        pages.extend(command.get_subcommands().map(|sub| (sub, format!("{name}-{}", sub.get_name()))));
        let mut output = Output::create(&folder.join(format!("{name}.1")))?;
        output.write(page(command, &name)?.as_bytes())?;
        output.finish()?.publish()?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A command's page. Its notes and examples stand line by line, as in its help.
fn page(command: &Command, name: &str) -> anyhow::Result<String> {
    let notes = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let man = Man::new(command.clone().name(name.to_string()).after_help(""));
    let mut out = Vec::new();
    man.render_title(&mut out)?;
    man.render_name_section(&mut out)?;
    man.render_synopsis_section(&mut out)?;
    man.render_description_section(&mut out)?;
    man.render_options_section(&mut out)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut out)?;
    }
    let (notes, examples) = notes.split_once("Examples:\n").unwrap_or((&notes, ""));
    let mut roff = Roff::new();
    if !notes.trim().is_empty() {
        roff.control("SH", ["NOTES"]);
        for line in notes.lines().filter(|line| !line.is_empty()) {
            roff.control("PP", []);
            roff.text([roman(line)]);
        }
    }
    if !examples.is_empty() {
        roff.control("SH", ["EXAMPLES"]);
        roff.control("nf", []);
        roff.text([roman(examples)]);
        roff.control("fi", []);
    }
    roff.to_writer(&mut out)?;
    Ok(String::from_utf8_lossy(&out).into_owned())
}
