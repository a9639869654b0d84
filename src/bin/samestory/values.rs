//! Values of options: what they may be, and what is said where they are not.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use samestory::article::primary_language;
use samestory::fields::language_tag;
use samestory::input::Format;
use samestory::profile::Measurement;

/// Threads that can be asked for: each holds tables of its own.
const MAX_THREADS: usize = 256;
/// Least memory that can be asked for: what a run takes anyhow.
const LEAST_MEMORY: u64 = 16 << 20;
/// Longest record that can be asked for: beyond it a record would be no article but a file.
const MOST_RECORD: u64 = 1 << 30;

/// A number of bytes.
pub(crate) fn parse_memory(text: &str) -> Result<u64, String> {
    if text == "half" {
        return Ok(crate::memory::of_machine().map_or(u64::MAX, |bytes| bytes / 2));
    }
    let size: bytesize::ByteSize = text.parse().map_err(|_| "expected a size such as 512MiB or 2GiB".to_string())?;
    if size.as_u64() < LEAST_MEMORY {
        return Err(format!("expected {} or more", bytesize::ByteSize(LEAST_MEMORY)));
    }
    Ok(size.as_u64())
}

/// A number of seconds.
pub(crate) fn parse_span(text: &str) -> Result<i64, String> {
    let hint = || "expected a whole number and s, m, h, d or w, as 30d".to_string();
    let unit = match text.chars().last().ok_or_else(hint)? {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        'w' => 7 * 86_400,
        _ => return Err(hint()),
    };
    let number: u32 = text[..text.len() - 1].parse().map_err(|_| hint())?;
    Ok(i64::from(number) * unit)
}

/// The language of a tag: of `pt-BR` and `por` `pt`.
pub(crate) fn parse_language(text: &str) -> Result<String, String> {
    let tag = language_tag(text);
    let primary = primary_language(&tag);
    let is_tag = (2..=8).contains(&primary.len()) && primary.bytes().all(|b| b.is_ascii_lowercase());
    is_tag.then(|| primary.to_string()).ok_or_else(|| "expected a language tag such as en or pt-BR".to_string())
}

pub(crate) fn parse_threads(text: &str) -> Result<usize, String> {
    let fits = |number: &usize| *number <= MAX_THREADS;
    let hint = || format!("expected a whole number up to {MAX_THREADS}; 0 for one a core");
    text.parse().ok().filter(fits).ok_or_else(hint)
}

pub(crate) fn parse_share(text: &str) -> Result<f64, String> {
    let inside = |share: &f64| *share > 0.0 && *share < 1.0;
    text.parse().ok().filter(inside).ok_or_else(|| "expected a number between 0 and 1, neither of them".to_string())
}

pub(crate) fn parse_positive(text: &str) -> Result<f64, String> {
    let positive = |number: &f64| *number > 0.0 && number.is_finite();
    text.parse().ok().filter(positive).ok_or_else(|| "expected a number above 0".to_string())
}

pub(crate) fn parse_record(text: &str) -> Result<usize, String> {
    let size: bytesize::ByteSize = text.parse().map_err(|_| "expected a size such as 64MiB".to_string())?;
    let fits = (1..=MOST_RECORD).contains(&size.as_u64());
    fits.then_some(size.as_u64() as usize)
        .ok_or_else(|| format!("expected {} or less", bytesize::ByteSize(MOST_RECORD)))
}

pub(crate) fn parse_delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        b"tab" | b"\\t" => Ok(b'\t'),
        [byte] if byte.is_ascii() && !b"\"\r\n".contains(byte) => Ok(*byte),
        _ => Err("expected one ASCII character, or tab".to_string()),
    }
}

pub(crate) fn parse_time(text: &str) -> Result<samestory::Timestamp, String> {
    samestory::Timestamp::parse(text)
        .ok_or_else(|| "expected a time such as 2026-11-29 or 2026-11-29T12:00:00Z".to_string())
}

/// Formats by name; Atom goes by its own name too.
pub(crate) fn format_parser() -> impl TypedValueParser<Value = Format> {
    let names = Format::ALL.map(|format| match format {
        Format::Feed => clap::builder::PossibleValue::new(format.name()).alias("atom"),
        _ => clap::builder::PossibleValue::new(format.name()),
    });
    PossibleValuesParser::new(names).map(|name| {
        let name = if name == "atom" { Format::Feed.name() } else { &name };
        Format::ALL.into_iter().find(|format| format.name() == name).expect("the parser takes no other names")
    })
}

/// A measurement by name; clap names one that is like an unknown one.
pub(crate) fn measurement_parser() -> impl TypedValueParser<Value = Measurement> {
    PossibleValuesParser::new(Measurement::ALL.map(Measurement::name))
        .map(|name| Measurement::find(&name).expect("the parser takes no other names"))
}

pub(crate) fn parse_keep(text: &str) -> Result<samestory::engine::Keep, String> {
    use samestory::engine::Keep;
    match text {
        "earliest" => Ok(Keep::Earliest),
        "longest" => Ok(Keep::Longest),
        "latest" => Ok(Keep::Latest),
        _ => match text.strip_prefix("source:") {
            Some(names) if !names.is_empty() => Ok(Keep::Sources(names.split(',').map(str::to_string).collect())),
            _ => Err("expected earliest, longest, latest, or source: with names".to_string()),
        },
    }
}
