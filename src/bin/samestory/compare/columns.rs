//! Text in columns of a terminal, by the cells it takes there.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Cells of the terminal where nobody says how many.
const DEFAULT_WIDTH: usize = 80;
/// Lines are no wider than people read.
const MAX_WIDTH: usize = 160;
const MIN_WIDTH: usize = 24;

/// Cells of a line on stdout: as COLUMNS says, else as the terminal says.
pub(super) fn terminal_width() -> usize {
    let stated = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok()).filter(|columns| *columns > 0);
    let asked = || terminal_size::terminal_size_of(std::io::stdout()).map(|(width, _)| usize::from(width.0));
    stated.or_else(asked).unwrap_or(DEFAULT_WIDTH).clamp(MIN_WIDTH, MAX_WIDTH)
}

/// Breaks text into lines of at most `columns` cells: at spaces, and where a script has none or a word is too long,
/// between characters.
pub(crate) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let len = word.width();
        let is_wide = word.chars().any(|c| c.width() == Some(2));
        let room = columns.saturating_sub(if line.is_empty() { 0 } else { line.width() + 1 });
        let is_cut = len > columns || (is_wide && len > room);
        if !line.is_empty() {
            if (len <= room && line.width() < columns) || (is_cut && room >= 2) {
                line.push(' ');
            } else {
                lines.push(std::mem::take(&mut line));
            }
        }
        if !is_cut {
            line.push_str(word);
            continue;
        }
        for c in word.chars() {
            line.push(c);
            if line.width() > columns && line.chars().nth(1).is_some() {
                line.pop();
                lines.push(std::mem::replace(&mut line, c.to_string()));
            }
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// A line filled up to `columns` cells. One that is read from the right is set apart, so that a terminal turns only
/// itself round and not its row.
pub(super) fn cell(line: &str, columns: usize) -> String {
    let fill = " ".repeat(columns.saturating_sub(line.width()));
    if line.chars().any(is_right_to_left) { format!("\u{2068}{line}\u{2069}{fill}") } else { format!("{line}{fill}") }
}

fn is_right_to_left(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}'
        | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_break_where_the_script_allows() {
        assert_eq!(wrap("the ferry ran aground", 10), ["the ferry", "ran", "aground"]);
        assert_eq!(wrap("東京で四日、道路が", 8), ["東京で四", "日、道路", "が"]);
        assert_eq!(wrap("in 東京で四日", 8), ["in 東京", "で四日"]);
        assert_eq!(wrap("https://example.org/a", 8), ["https://", "example.", "org/a"]);
        assert_eq!(wrap(" \n", 8), Vec::<String>::new());
    }

    #[test]
    fn cells_are_counted_as_a_terminal_shows_them() {
        assert_eq!(cell("東京", 6), "東京  ");
        assert_eq!(cell("e\u{301}te\u{301}", 4), "e\u{301}te\u{301} ");
        assert_eq!(cell("שלום", 6), "\u{2068}שלום\u{2069}  ");
        assert_eq!(cell("too long", 3), "too long");
    }

    proptest! {
        #[test]
        fn no_line_is_too_wide_and_nothing_is_lost(
            text in "[a-z東京ひ\u{301}🙂שא ]{0,80}",
            columns in 2usize..40,
        ) {
            let lines = wrap(&text, columns);
            prop_assert!(lines.iter().all(|line| line.width() <= columns), "{lines:?}");
            let without_spaces = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(without_spaces(&lines.concat()), without_spaces(&text));
        }
    }
}
