//! What people read on stderr: notes, warnings, errors. Data goes to stdout.

use anstyle::AnsiColor;
pub(crate) use samestory::output::with_thousands as count;
use std::borrow::Cow;
use std::fmt;
use std::io::Write;
use unicode_width::UnicodeWidthStr;

/// A command line that cannot be followed: exit code 2.
#[derive(Debug)]
pub(crate) struct Usage(pub(crate) String);

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

/// Writes lines to stderr, on a terminal folded to its width; nothing can be done where that fails.
pub(crate) fn line(text: &str) {
    let text = printable(text);
    let text = match stderr_width() {
        Some(width) => Cow::Owned(folded(&text, width)),
        None => text,
    };
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Cells of a line where stderr is a terminal.
pub(crate) fn stderr_width() -> Option<usize> {
    terminal_size::terminal_size_of(std::io::stderr()).map(|(width, _)| usize::from(width.0))
}

/// Lines, each broken at blanks where it is wider than `width`; what follows is indented further than it. A word is never
/// broken: a path is to be copied.
fn folded(text: &str, width: usize) -> String {
    if let Some((line, rest)) = text.split_once('\n') {
        return format!("{}\n{}", folded(line, width), folded(rest, width));
    }
    if text.width() <= width {
        return text.to_string();
    }
    let indent = " ".repeat(text.len() - text.trim_start().len() + 4);
    let mut out = String::new();
    let mut num_cells = 0;
    for word in text.split_inclusive(' ') {
        // Blanks at the beginning are words of their own.
        if num_cells > indent.len() && num_cells + word.trim_end().width() > width {
            out.truncate(out.trim_end().len());
            out.push('\n');
            out.push_str(&indent);
            num_cells = indent.len();
        }
        out.push_str(word);
        num_cells += word.width();
    }
    out
}

/// Says that something is amiss but the run goes on.
pub(crate) fn warning(text: &str) {
    headed("warning", AnsiColor::Yellow, text);
}

/// Writes a message under its head; further lines are indented, so that an id with line ends begins no other message.
fn headed(head: &str, color: AnsiColor, text: &str) {
    let style = color.on_default().bold();
    let text = printable(text).replace('\n', "\n  ");
    let _ = writeln!(anstream::stderr().lock(), "{style}{head}:{style:#} {text}");
}

/// Text of a feed as a terminal may show it: without characters that move the cursor, start a colour or turn what
/// follows round.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    let is_unsafe =
        |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if text.contains(is_unsafe) {
        let shown = |c| if c == '\t' { ' ' } else { char::REPLACEMENT_CHARACTER };
        Cow::Owned(text.chars().map(|c| if is_unsafe(c) { shown(c) } else { c }).collect())
    } else {
        Cow::Borrowed(text)
    }
}

/// Says why the run failed, with its causes; a cause that the message before it holds already is not said twice.
pub(crate) fn error(error: &anyhow::Error) {
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !text.contains(&cause) {
            text.push_str(&format!(": {cause}"));
        }
    }
    headed("error", AnsiColor::Red, &text);
}

/// Writes data to stdout.
pub(crate) fn data(text: &str) -> anyhow::Result<()> {
    std::io::stdout().lock().write_all(text.as_bytes()).map_err(|e| samestory::Error::io("-", "write", e))?;
    Ok(())
}

/// Writes a line of data to stdout.
pub(crate) fn bytes(line: &[u8]) -> samestory::Result<()> {
    std::io::stdout().lock().write_all(line).map_err(|e| samestory::Error::io("-", "write", e))
}

/// Writes text with colours to stdout, without them where none are wanted.
pub(crate) fn styled(text: &str) -> anyhow::Result<()> {
    anstream::stdout().lock().write_all(text.as_bytes()).map_err(|e| samestory::Error::io("-", "write", e))?;
    Ok(())
}

/// Whether the cause is a pipe that its reader closed.
pub(crate) fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.downcast_ref::<samestory::Error>().is_some_and(samestory::Error::is_closed_pipe)
            || cause.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe)
    })
}

/// `1 article`, `2 articles`.
pub(crate) fn counted(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(number), if number == 1 { "" } else { "s" })
}

/// Languages without weights that are named; the rest are counted.
const NUM_LANGUAGES: usize = 8;

/// What to say of records in languages without weights, given with their records; `None` when there are none.
pub(crate) fn without_weights(languages: &[(Box<str>, u64)]) -> Option<String> {
    let number: u64 = languages.iter().map(|(_, number)| number).sum();
    // What a feed calls a language may be anything.
    let named = |name: &str| name.replace(char::is_control, " ");
    let first = languages.iter().take(NUM_LANGUAGES);
    let mut named: Vec<String> = first.map(|(name, number)| format!("{} {}", named(name), count(*number))).collect();
    if let Some(rest) = languages.len().checked_sub(NUM_LANGUAGES).filter(|rest| *rest > 0) {
        named.push(format!("and {} more", counted(rest as u64, "language")));
    }
    let records = counted(number, "record");
    (number > 0)
        .then(|| format!("{records} in a language without weights, compared by wording only: {}", named.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_set_apart() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(counted(1, "repeat"), "1 repeat");
    }

    #[test]
    fn lines_fold_at_blanks() {
        let line = "  look-alike pairs kept apart: 87 template, 429 followup";
        assert_eq!(folded(line, 80), line);
        assert_eq!(folded(line, 56), line);
        assert_eq!(folded(line, 55), "  look-alike pairs kept apart: 87 template, 429\n      followup");
        assert_eq!(folded(line, 30), "  look-alike pairs kept apart:\n      87 template, 429\n      followup");
        assert_eq!(folded("  in /a/path/that/is/long.jsonl", 12), "  in /a/path/that/is/long.jsonl");
        assert_eq!(folded("one\n  two and three\n\nfour", 8), "one\n  two and\n      three\n\nfour");
        assert_eq!(folded("東京 東京 東京", 9), "東京 東京\n    東京");
    }

    #[test]
    fn a_feed_cannot_steer_the_terminal() {
        assert_eq!(printable("Łódź, 東京\n"), "Łódź, 東京\n");
        assert_eq!(printable("a\u{1b}[31mb\tc\u{202e}d\u{9b}"), "a\u{fffd}[31mb c\u{fffd}d\u{fffd}");
    }

    #[test]
    fn languages_are_named_up_to_a_number() {
        let of =
            |number: u64| -> Vec<(Box<str>, u64)> { (0..number).map(|i| (format!("L{i}").into(), 1000)).collect() };
        assert_eq!(without_weights(&[]), None);
        let head = "1,000 records in a language without weights, compared by wording only: ";
        assert_eq!(without_weights(&of(1)), Some(format!("{head}L0 1,000")));
        assert!(without_weights(&of(8)).is_some_and(|text| text.ends_with(", L7 1,000")));
        assert!(without_weights(&of(10)).is_some_and(|text| text.ends_with(", L7 1,000, and 2 languages more")));
    }
}
