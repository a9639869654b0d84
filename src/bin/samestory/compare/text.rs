//! The verdict on a pair in a terminal.

use super::columns::{cell, wrap};
use super::explanation::{Explanation, share};
use crate::message::printable;
use anstyle::{AnsiColor, Style};
use samestory::verify::Relation;
use std::fmt::Write;

/// Cells from which two texts stand side by side.
const TWO_COLUMNS: usize = 72;
/// Cells of a bar from 0 to 1.
const BAR: usize = 10;
/// Cells of a share: `under .01`.
const SHARE: usize = 9;

const HEAD: Style = Style::new().bold();
const FAINT: Style = Style::new().dimmed();
const FOR: Style = AnsiColor::Green.on_default();
const AGAINST: Style = AnsiColor::Red.on_default();
const DIFFERENT: Style = AnsiColor::Yellow.on_default();

/// The explanation in lines of at most `width` cells, with colours.
pub(super) fn to_text(explanation: &Explanation, width: usize) -> String {
    let mut page = Page { out: String::new(), width };
    page.verdict(explanation);
    page.measured(explanation);
    page.weighed(explanation);
    page.passages(explanation);
    page.differing(explanation);
    page.out
}

struct Page {
    out: String,
    width: usize,
}

impl Page {
    fn line(&mut self, style: Style, text: &str) {
        let line = text.trim_end();
        // Writing to a string cannot fail.
        let _ = if style == Style::new() {
            writeln!(self.out, "{line}")
        } else {
            writeln!(self.out, "{style}{line}{style:#}")
        };
    }

    fn wrapped(&mut self, style: Style, text: &str, indent: usize) {
        for line in wrap(text, self.width - indent) {
            self.line(style, &format!("{}{line}", " ".repeat(indent)));
        }
    }

    /// A share and what it is of, on as many lines as that takes.
    fn valued(&mut self, style: Style, share: &str, meaning: &str) {
        for (i, line) in wrap(meaning, self.width - SHARE - 4).iter().enumerate() {
            let share = if i == 0 { share } else { "" };
            self.line(style, &format!("  {share:>SHARE$}  {line}"));
        }
    }

    fn head(&mut self, text: &str) {
        self.out.push('\n');
        self.wrapped(HEAD, text, 0);
    }

    fn verdict(&mut self, explanation: &Explanation) {
        let style = match explanation.relation {
            relation if relation.is_match() => FOR,
            Relation::Undecidable => DIFFERENT,
            _ => AGAINST,
        };
        self.wrapped(style.bold(), &explanation.sentence, 0);
        self.out.push('\n');
        for side in &explanation.articles {
            for (i, line) in wrap(&printable(&side.name), self.width - 5).iter().enumerate() {
                let label = if i == 0 { side.label } else { " " };
                self.line(Style::new(), &format!("  {HEAD}{label}{HEAD:#}  {}", cell(line, 0)));
            }
            if let Some(title) = &side.title {
                for line in wrap(&printable(title), self.width - 5) {
                    self.line(Style::new(), &format!("     {}", cell(&line, 0)));
                }
            }
            self.wrapped(FAINT, &printable(&side.about), 5);
        }
    }

    fn measured(&mut self, explanation: &Explanation) {
        if explanation.measured.is_empty() {
            return;
        }
        let shorter = explanation.shorter;
        let little = if explanation.is_complete { "" } else { "; too little in common to measure more" };
        self.head(&format!("Measured, from 0 to 1 ({shorter} is the shorter{little})"));
        let last = "probability of one story";
        let labels = explanation.measured.iter().map(|(meaning, _)| *meaning).chain([last]);
        let column = labels.map(str::len).max().unwrap_or(0);
        let threshold = share(explanation.threshold);
        let mut row = |meaning: &str, value: f64, note: &str| {
            let value_text = share(value);
            if self.width >= 2 + column + 2 + SHARE + 2 + BAR {
                let row = format!("  {meaning:<column$}  {value_text:>SHARE$}  {FAINT}{}{FAINT:#}", bar(value));
                self.line(Style::new(), &row);
                if !note.is_empty() {
                    self.line(
                        FAINT,
                        &format!("  {note:<column$}  {threshold:>SHARE$}  {}", bar(explanation.threshold)),
                    );
                }
            } else {
                self.valued(Style::new(), &value_text, meaning);
                if !note.is_empty() {
                    self.valued(FAINT, &threshold, note);
                }
            }
        };
        for (meaning, value) in &explanation.measured {
            row(meaning, *value, "");
        }
        if let Some(probability) = explanation.probability {
            row(last, probability, "one story from");
        }
    }

    fn weighed(&mut self, explanation: &Explanation) {
        let Some(weighed) = &explanation.weighed else {
            return;
        };
        self.head("What speaks for one story (+) and against it (-), in log-odds");
        for (subject, value) in &weighed.subjects {
            let style = if *value < 0.0 { AGAINST } else { FOR };
            self.line(Style::new(), &format!("  {style}{value:>+6.1}{style:#}  {subject}"));
        }
        let text = format!("{:>+6.1}  in sum; one story from {:+.1}", weighed.sum, weighed.needed);
        self.line(HEAD, &format!("  {text}"));
    }

    fn passages(&mut self, explanation: &Explanation) {
        if explanation.measured.is_empty() {
            return;
        }
        if explanation.passages.is_empty() {
            self.head("No run of four content words stands in both");
            return;
        }
        let (all, shown) = (explanation.num_passages, explanation.passages.len());
        let of = if shown < all { format!("the {shown} longest of {all}") } else { all.to_string() };
        self.head(&format!("Shared passages ({of}), in the order of A"));
        self.headings("A", "B");
        for [first, second] in &explanation.passages {
            self.pair("•", first, second, Style::new());
        }
    }

    fn differing(&mut self, explanation: &Explanation) {
        if explanation.differing.is_empty() {
            return;
        }
        self.head("What differs");
        self.headings("only in A", "only in B");
        for (what, [first, second]) in &explanation.differing {
            self.line(FAINT, &format!("  {what}"));
            self.pair(" ", first, second, DIFFERENT);
        }
    }

    /// Cells of one of two columns, where there is room for two.
    fn column(&self) -> Option<usize> {
        (self.width >= TWO_COLUMNS).then(|| (self.width - 7) / 2)
    }

    fn headings(&mut self, first: &str, second: &str) {
        if let Some(column) = self.column() {
            self.line(FAINT, &format!("  {first:<column$}  │  {second}"));
        }
    }

    /// Two texts side by side, or one under the other.
    fn pair(&mut self, mark: &str, first: &str, second: &str, style: Style) {
        let (first, second) = (printable(first), printable(second));
        let Some(column) = self.column() else {
            for (label, text) in [("A", first), ("B", second)] {
                for (i, line) in wrap(if text.is_empty() { "–" } else { &text }, self.width - 6).iter().enumerate() {
                    let (mark, label) =
                        if i == 0 { (if label == "A" { mark } else { " " }, label) } else { (" ", " ") };
                    self.line(Style::new(), &format!("{mark} {label}  {style}{}{style:#}", cell(line, 0)));
                }
            }
            return;
        };
        let or_dash = |text: &str| if text.is_empty() { vec!["–".to_string()] } else { wrap(text, column) };
        let (left, right) = (or_dash(&first), or_dash(&second));
        for i in 0..left.len().max(right.len()) {
            let at = |lines: &[String]| lines.get(i).cloned().unwrap_or_default();
            let mark = if i == 0 { mark } else { " " };
            let (left, right) = (cell(&at(&left), column), cell(&at(&right), 0));
            let right = if right.is_empty() { right } else { format!("  {style}{right}{style:#}") };
            self.line(Style::new(), &format!("{mark} {style}{left}{style:#}  {FAINT}│{FAINT:#}{right}"));
        }
    }
}

/// A bar for a share between 0 and 1.
fn bar(value: f64) -> String {
    let halves = (value.clamp(0.0, 1.0) * 2.0 * BAR as f64).round() as usize;
    let half = if halves % 2 == 1 { "▌" } else { "" };
    format!("{}{half}{}", "█".repeat(halves / 2), "·".repeat(BAR - halves.div_ceil(2)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_have_one_length() {
        assert_eq!(bar(0.0), "··········");
        assert_eq!(bar(0.55), "█████▌····");
        assert_eq!(bar(1.0), "██████████");
    }
}
