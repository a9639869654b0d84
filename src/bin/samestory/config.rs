//! What holds for every command: `--color`, and defaults for options from a file.
//!
//! A file is read only where `--config` names it: one that lies about must not change an answer.

use crate::args::Args;
use crate::message::Usage;
use crate::similar::nearest;
use clap::error::{ContextKind, ContextValue};
use clap::{Arg, ArgAction, ArgMatches, ColorChoice, Command, CommandFactory, FromArgMatches, ValueHint, value_parser};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use toml::de::{DeTable, DeValue};

/// Bytes of the largest file of defaults that is read.
const MAX_LEN: usize = 1 << 20;
/// The options that may stand in it: how feeds are read and compared. What a run reads and writes is said for each run.
const KEYS: [&str; 26] = [
    "format",
    "delimiter",
    "max-record",
    "max-ratio",
    "as-of",
    "on-error",
    "id-field",
    "text-field",
    "title-field",
    "source-field",
    "published-field",
    "url-field",
    "language-field",
    "slug-field",
    "version-field",
    "level",
    "near",
    "versions",
    "keep",
    "updates",
    "threads",
    "profile",
    "weights",
    "memory",
    "temp-dir",
    "color",
];

/// Options that every command on data takes, so that a script can give all of them the same. Where one has nothing to
/// change it changes nothing, and help does not name it.
const SHARED: [&str; 8] = ["threads", "quiet", "on-error", "rejects", "profile", "memory", "temp-dir", "format"];
/// Commands on no data.
const WITHOUT_DATA: [&str; 2] = ["completions", "man"];

/// What a command line asks for.
#[derive(Debug)]
pub(crate) enum Asked {
    Run(Box<Args>),
    /// Write this text.
    Say(String),
}

/// Reads a command line, with the defaults of the file that it names.
///
/// # Errors
/// A [`clap::Error`], which may be a call for help, or what is wrong with the file.
pub(crate) fn read(words: &[OsString]) -> anyhow::Result<Asked> {
    let color = value_of(words, "--color").and_then(OsStr::to_str).and_then(color_of);
    let mut command = command().color(color.unwrap_or(ColorChoice::Auto));
    let file = value_of(words, "--config").map(|path| Defaults::read(Path::new(path), &command)).transpose()?;
    if let Some(defaults) = &file {
        command = defaults.apply(command);
    }
    if options(words).any(|word| word == "--print-config") {
        let matches = without_needs(command.clone()).try_get_matches_from(words)?;
        return Ok(Asked::Say(print(&command, &matches)));
    }
    let matches = command.try_get_matches_from_mut(words)?;
    let color: &ColorChoice = matches.get_one("color").expect("it has a default");
    stream_choice(*color).write_global();
    let args = Args::from_arg_matches(&matches).map_err(|error| error.format(&mut command))?;
    Ok(Asked::Run(Box::new(args)))
}

/// The whole command line.
pub(crate) fn command() -> Command {
    let general = |name: &'static str| Arg::new(name).long(name).global(true).help_heading("General");
    let args = Args::command();
    let shared = SHARED.map(|key| find(&args, key).expect("some command has it").clone().hide(true));
    args.mut_subcommands(|sub| with_shared(sub, &shared))
        .arg(
            general("color")
                .value_name("WHEN")
                .value_parser(value_parser!(ColorChoice))
                .default_value("auto")
                .help("Colours; auto: on a terminal, unless NO_COLOR is set"),
        )
        .arg(
            general("config")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .help("Take defaults for options from this file; options on the command line win"),
        )
        .arg(
            general("print-config")
                .action(ArgAction::SetTrue)
                .help("Write the options in force as a file for --config, and do nothing else"),
        )
}

/// The command, or those below it, with those of the shared options that it has not.
fn with_shared(command: Command, shared: &[Arg]) -> Command {
    if WITHOUT_DATA.contains(&command.get_name()) {
        return command;
    }
    if command.has_subcommands() {
        return command.mut_subcommands(|sub| with_shared(sub, shared));
    }
    let has = |arg: &Arg| find_id(&command, arg.get_long().unwrap_or_default()).is_some();
    let missing: Vec<Arg> = shared.iter().filter(|arg| !has(arg)).cloned().collect();
    command.args(missing)
}

fn color_of(text: &str) -> Option<ColorChoice> {
    <ColorChoice as clap::ValueEnum>::from_str(text, false).ok()
}

fn stream_choice(color: ColorChoice) -> anstream::ColorChoice {
    match color {
        ColorChoice::Auto => anstream::ColorChoice::Auto,
        ColorChoice::Always => anstream::ColorChoice::Always,
        ColorChoice::Never => anstream::ColorChoice::Never,
    }
}

/// The words of a command line that may be options.
fn options(words: &[OsString]) -> impl Iterator<Item = &OsString> {
    words.iter().skip(1).take_while(|word| *word != "--")
}

/// The value of an option before the command line is parsed as a whole: no value begins with a dash, so that a word
/// which looks like the option is it.
fn value_of<'a>(words: &'a [OsString], option: &str) -> Option<&'a OsStr> {
    let mut found = None;
    let mut words = options(words);
    while let Some(word) = words.next() {
        if word == option {
            found = words.next().map(OsString::as_os_str);
        } else if let Some(value) = word.to_str().and_then(|w| w.strip_prefix(option)?.strip_prefix('=')) {
            found = Some(OsStr::new(value));
        }
    }
    found
}

/// The option of that name, of whichever command has it first.
fn find<'a>(command: &'a Command, key: &str) -> Option<&'a Arg> {
    let own = command.get_arguments().find(|arg| arg.get_long() == Some(key));
    own.or_else(|| command.get_subcommands().find_map(|sub| find(sub, key)))
}

/// The same command line where nothing must be given.
fn without_needs(command: Command) -> Command {
    let relaxed = command.subcommand_required(false).arg_required_else_help(false);
    let mut relaxed = relaxed.mut_args(|arg| arg.required(false));
    let groups: Vec<clap::Id> = relaxed.get_groups().map(|group| group.get_id().clone()).collect();
    for group in groups {
        relaxed = relaxed.mut_group(group, |group| group.required(false));
    }
    relaxed.mut_subcommands(without_needs)
}

/// A file's defaults by option, as they would be written on the command line.
struct Defaults(Vec<(String, String)>);

impl Defaults {
    fn read(path: &Path, command: &Command) -> anyhow::Result<Self> {
        let name = path.display();
        let bytes = samestory::input::read_file(path, MAX_LEN)?;
        let text = String::from_utf8(bytes).map_err(|_| Usage(format!("{name}: not UTF-8")))?;
        let table =
            DeTable::parse(&text).map_err(|error| Usage(format!("{name}: {}", error.to_string().trim_end())))?;
        let mut defaults = Vec::new();
        for (key, value) in table.get_ref() {
            let line = text[..key.span().start].matches('\n').count() + 1;
            let default = default_of(key.get_ref(), value.get_ref(), path, command);
            defaults.push((
                key.get_ref().to_string(),
                default.map_err(|reason| Usage(format!("{name}:{line}: {reason}")))?,
            ));
        }
        Ok(Self(defaults))
    }

    /// The command line with these defaults in place of those built in.
    fn apply(&self, command: Command) -> Command {
        let mut command = command.mut_subcommands(|sub| self.apply(sub));
        for (key, value) in &self.0 {
            let set = |arg: Arg| {
                let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
                let help = help.split(" [default").next().unwrap_or_default().to_string();
                arg.default_value(value.clone()).hide_default_value(false).help(help)
            };
            if let Some(id) = find_id(&command, key) {
                command = command.mut_arg(id, set);
            }
        }
        command
    }
}

/// The id of a command's own option.
fn find_id(command: &Command, key: &str) -> Option<String> {
    command.get_arguments().find(|arg| arg.get_long() == Some(key)).map(|arg| arg.get_id().to_string())
}

/// A key's value as it would be written on the command line, or what is wrong with it.
fn default_of(key: &str, value: &DeValue<'_>, path: &Path, command: &Command) -> Result<String, String> {
    if !KEYS.contains(&key) {
        return Err(unknown(key, value, command));
    }
    let arg = find(command, key).expect("every key is an option: a test reads them all");
    let text = match value {
        DeValue::String(text) => text.to_string(),
        DeValue::Integer(number) if number.radix() == 10 => number.as_str().to_string(),
        _ => return Err(format!("{key} is neither text nor a whole number")),
    };
    if arg.get_value_hint() == ValueHint::AnyPath {
        let folder = path.parent().unwrap_or(Path::new(""));
        return Ok(folder.join(text).display().to_string());
    }
    let alone = Command::new("samestory").no_binary_name(true).arg(arg.clone().required(false));
    match alone.try_get_matches_from([format!("--{key}={text}")]) {
        Ok(_) => Ok(text),
        Err(error) => Err(refused(key, &text, &error)),
    }
}

/// Why a key is not known, and which was meant.
fn unknown(key: &str, value: &DeValue<'_>, command: &Command) -> String {
    if matches!(value, DeValue::Table(_)) {
        return format!("unknown table [{key}]; parameters of sketches and verdicts stand in a profile, see --profile");
    }
    if find(command, key).is_some() {
        return format!("{key} is said for each run, on the command line");
    }
    match nearest(key, KEYS) {
        Some(known) => format!("unknown key {key}; did you mean {known}?"),
        None => format!("unknown key {key}; --print-config lists those there are"),
    }
}

/// What clap says of a value, for a file in place of a command line.
fn refused(key: &str, text: &str, error: &clap::Error) -> String {
    let mut message = format!("{key} is '{text}'");
    if let Some(ContextValue::Strings(known)) = error.get(ContextKind::ValidValue) {
        message.push_str(&format!(", expected {}", known.join(" or ")));
        if let Some(meant) = nearest(text, known.iter().map(String::as_str)) {
            message.push_str(&format!("; did you mean {meant}?"));
        }
    } else if let Some(source) = std::error::Error::source(error) {
        message.push_str(&format!(": {source}"));
    }
    message
}

/// The options in force as a file: those built in after a `#`.
fn print(command: &Command, matches: &ArgMatches) -> String {
    let mut out = "# Defaults for options, for samestory --config FILE. Options on the command line win.\n\
                   # A line that begins with # says what is built in.\n"
        .to_string();
    let built_in = self::command();
    for key in KEYS {
        let arg = find(command, key).expect("every key is an option: a test reads them all");
        let id = arg.get_id().as_str();
        let is_default = |source| source == Some(clap::parser::ValueSource::DefaultValue);
        // Of the command that was given, else of the defaults.
        let of = |matches: &ArgMatches| -> Option<(String, bool)> {
            let mut raw = matches.try_get_raw(id).ok()??;
            Some((raw.next()?.to_string_lossy().into_owned(), is_default(matches.value_source(id))))
        };
        let mut given = of(matches);
        let mut inner = matches.subcommand();
        while let Some((_, sub)) = inner {
            given = of(sub).or(given);
            inner = sub.subcommand();
        }
        let default = || arg.get_default_values().first().map(|value| (value.to_string_lossy().into_owned(), true));
        let found = given.or_else(default);
        let built_in = find(&built_in, key).expect("as above");
        let help = built_in.get_help().map(ToString::to_string).unwrap_or_default();
        let built_in = built_in.get_default_values().first();
        let values: Vec<String> = arg.get_possible_values().iter().map(|v| v.get_name().to_string()).collect();
        let values = if values.is_empty() { String::new() } else { format!(" ({})", values.join(", ")) };
        out.push_str(&format!("\n# {help}{values}\n"));
        let (value, is_set) = match found {
            Some((value, is_default)) => {
                let is_built_in = is_default && built_in.is_some_and(|default| *default == *value);
                (value, !is_built_in)
            }
            None => (arg.get_value_names().map_or(String::new(), |names| names[0].to_string()), false),
        };
        let value = match arg.get_value_hint() {
            ValueHint::AnyPath if is_set => std::path::absolute(&value).map_or(value, |p| p.display().to_string()),
            _ => value,
        };
        let value =
            value.parse::<u64>().map_or_else(|_| toml::Value::from(value.as_str()).to_string(), |n| n.to_string());
        out.push_str(&format!("{}{key} = {value}\n", if is_set { "" } else { "#" }));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
        let command = command();
        for key in KEYS {
            assert!(find(&command, key).is_some(), "{key}");
        }
    }

    #[test]
    fn every_command_on_data_takes_the_shared_options() {
        fn look(command: &Command, num_seen: &mut usize) {
            if command.has_subcommands() {
                command.get_subcommands().for_each(|sub| look(sub, num_seen));
            } else if !WITHOUT_DATA.contains(&command.get_name()) {
                *num_seen += 1;
                for key in SHARED {
                    assert!(find_id(command, key).is_some(), "{} --{key}", command.get_name());
                }
            }
        }
        let mut num_seen = 0;
        look(&command(), &mut num_seen);
        assert_eq!(num_seen, 19);
    }

    #[test]
    fn options_are_found_before_all_is_parsed() {
        let words = |line: &str| line.split(' ').map(OsString::from).collect::<Vec<_>>();
        let of = |line: &str| value_of(&words(line), "--config").map(|v| v.to_string_lossy().into_owned());
        assert_eq!(of("samestory --config a.toml cluster"), Some("a.toml".into()));
        assert_eq!(of("samestory cluster --config=a=b.toml"), Some("a=b.toml".into()));
        assert_eq!(of("samestory cluster -- --config=a.toml"), None);
        assert_eq!(of("samestory cluster --configure=a.toml"), None);
        assert_eq!(of("samestory --config"), None);
    }
}
