//! Credits: datelines, bylines, agency credits, slugs, copyright and newsletter lines at the edges of an article.
//!
//! They say who told a story, not what it tells, so they are left out of the compared text and kept as provenance.
//! Of 242 real lines that begin with "By" most are prose, and some articles are one line that mentions copyright:
//! so only short spans at the edges go, and together at most a quarter of the text.

use std::ops::Range;

/// Lines looked at from either edge.
const EDGE_LINES: usize = 3;
/// Longest line that can be a credit, in bytes.
const MAX_LINE_LEN: usize = 160;
/// Longest dateline, in bytes.
const MAX_DATELINE_LEN: usize = 90;

/// The body of a normalised text between its credits, and the credits as they stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body<'a> {
    /// The byte range that is compared.
    pub range: Range<usize>,
    /// The spans left out, in order of their place.
    pub credits: Vec<&'a str>,
}

/// Finds the credits at both edges of a normalised text.
///
/// ```
/// use samestory::text::find_body;
/// let text = "LIMA, May 3 (Kestrel) - Rain fell on the city for a fourth day and cut two roads to the north, \
///             the mayor's office said, and 1,200 people left their homes.\n\nEditing by A. Rao";
/// let body = find_body(text);
/// assert!(text[body.range].starts_with("Rain fell"));
/// assert_eq!(body.credits, ["LIMA, May 3 (Kestrel) -", "Editing by A. Rao"]);
/// ```
#[must_use]
pub fn find_body(text: &str) -> Body<'_> {
    let mut credits = Vec::new();
    let mut start = skip_space(text, 0);
    // Nothing but white space: the body is empty and stands at the end.
    let mut end = text.trim_end().len().max(start);
    let mut allowance = text.len() / 4;

    for _ in 0..EDGE_LINES {
        let line = first_line(&text[start..end]);
        let credit_len = if is_header_line(line) { line.len() } else { prefix_len(line) };
        if credit_len == 0 || credit_len > allowance {
            break;
        }
        credits.push(text[start..start + credit_len].trim());
        allowance -= credit_len;
        start = skip_space(text, start + credit_len).min(end);
    }
    let mut tail = Vec::new();
    for _ in 0..EDGE_LINES {
        let line = last_line(&text[start..end]);
        let credit_len = if is_footer_line(line) { line.len() } else { suffix_len(line) };
        if credit_len == 0 || credit_len > allowance || credit_len >= end - start {
            break;
        }
        tail.push(text[end - credit_len..end].trim());
        allowance -= credit_len;
        end = start + text[start..end - credit_len].trim_end().len();
    }
    credits.extend(tail.into_iter().rev());
    Body { range: start..end.max(start), credits }
}

fn skip_space(text: &str, from: usize) -> usize {
    text.len() - text[from..].trim_start().len()
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or("")
}

fn last_line(text: &str) -> &str {
    text.rsplit('\n').next().unwrap_or("").trim_start()
}

fn starts_with_any(line: &str, starts: &[&str]) -> bool {
    starts.iter().any(|s| line.get(..s.len()).is_some_and(|head| head.eq_ignore_ascii_case(s)))
}

fn ends_a_sentence(line: &str) -> bool {
    line.trim_end_matches(['"', '\'', ')']).ends_with(['.', '!', '?', ':'])
}

/// A whole line at the head that is a credit.
fn is_header_line(line: &str) -> bool {
    if line.is_empty() || line.len() > MAX_LINE_LEN {
        return false;
    }
    if starts_with_any(line, &["source:", "copyright", "(c) ", "published ", "published:", "updated:", "last updated"])
    {
        return line.len() <= 80 && !line.ends_with('.');
    }
    is_byline(line)
}

/// `By Ana Ruiz and Tom Hale for Kestrel`: capitalised names joined by small words, and no sentence.
fn is_byline(line: &str) -> bool {
    let Some(rest) = line.strip_prefix("By ").or_else(|| line.strip_prefix("BY ")).or_else(|| line.strip_prefix("by "))
    else {
        return false;
    };
    let words: Vec<&str> = rest.split_whitespace().collect();
    if words.is_empty() || words.len() > 12 || ends_a_sentence(line) {
        return false;
    }
    words.iter().all(|word| {
        let word = word.trim_matches(|c: char| !c.is_alphanumeric());
        matches!(word, "" | "and" | "for" | "in" | "of" | "the" | "de" | "la" | "van" | "von" | "al" | "da" | "at")
            || word.chars().next().is_some_and(char::is_uppercase)
    })
}

/// Length of a slug, a `date` prefix or a dateline at the start of the first line; 0 when there is none.
fn prefix_len(line: &str) -> usize {
    slug_len(line).or_else(|| date_prefix_len(line)).or_else(|| dateline_len(line)).unwrap_or(0)
}

/// `UPDATE 2-`, `WRAPUP 1-`, `CORRECTED-` and their kin.
pub(crate) fn slug_len(line: &str) -> Option<usize> {
    let upper = line.bytes().take_while(u8::is_ascii_uppercase).count();
    if !matches!(
        &line[..upper],
        "UPDATE" | "WRAPUP" | "CORRECTED" | "CORRECTION" | "REFILE" | "RPT" | "URGENT" | "EXCLUSIVE" | "FACTBOX"
    ) {
        return None;
    }
    let rest = &line[upper..];
    let digits = rest.bytes().skip_while(|b| *b == b' ').take_while(u8::is_ascii_digit).count();
    let spaces = rest.bytes().take_while(|b| *b == b' ').count();
    let after = upper + if digits > 0 { spaces + digits } else { 0 };
    line[after..].starts_with('-').then_some(after + 1)
}

/// `date 2023-09-02`, as some archives put in front of the text.
fn date_prefix_len(line: &str) -> Option<usize> {
    let date = line.strip_prefix("date ")?.get(..10)?;
    let is_date = date.bytes().enumerate().all(|(i, b)| if i == 4 || i == 7 { b == b'-' } else { b.is_ascii_digit() });
    is_date.then_some("date ".len() + 10)
}

/// `LIMA, May 3 (Kestrel) -`, `(Kestrel) -`, `JAKARTA -`, `DUBAI:`; with the dash.
fn dateline_len(line: &str) -> Option<usize> {
    let head = &line[..line.floor_char_boundary(MAX_DATELINE_LEN)];
    // An agency in parentheses with a dash behind it.
    if let Some(close) = head.find(')') {
        let open = head[..close].rfind('(')?;
        let rest = &head[close + 1..];
        let dash = rest.trim_start();
        let before_is_place = head[..open].split_whitespace().all(is_place_word);
        if dash.starts_with('-') && before_is_place && close - open <= 40 {
            let gap = rest.len() - dash.len();
            let dashes = dash.bytes().take_while(|b| *b == b'-').count();
            return Some(close + 1 + gap + dashes);
        }
    }
    // A place in capitals, then a dash or a colon.
    let place = head.split_whitespace().next()?;
    let letters = place.trim_matches(|c: char| !c.is_alphabetic());
    if letters.chars().count() < 3 || letters.chars().any(char::is_lowercase) {
        return None;
    }
    for (separator, len) in [(" - ", 2), (" -- ", 3), ("-- ", 2), (": ", 1)] {
        if let Some(at) = head.find(separator) {
            let words: Vec<&str> = head[..at].split_whitespace().collect();
            let all_capitals = !head[..at].chars().any(char::is_lowercase);
            if words.len() <= 7 && words.iter().all(|w| is_place_word(w)) && (len != 1 || all_capitals) {
                return Some(at + len);
            }
        }
    }
    None
}

fn is_place_word(word: &str) -> bool {
    let first = word.chars().find(|c| c.is_alphanumeric());
    first.is_none_or(|c| c.is_uppercase() || c.is_ascii_digit())
        || matches!(word, "de" | "la" | "of" | "and" | "al" | "do" | "da")
}

/// A whole line at the foot that is a credit.
fn is_footer_line(line: &str) -> bool {
    if line.is_empty() || line.len() > MAX_LINE_LEN {
        return false;
    }
    let inner = line.trim_start_matches(['(', '[', '-', '*', ' ', '"']);
    let starts = starts_with_any(
        inner,
        &[
            "additional reporting",
            "reporting by",
            "editing by",
            "writing by",
            "compiled by",
            "with files from",
            "with inputs from",
            "with input from",
            "with reporting by",
            "copyright",
            "\u{a9}",
            "all rights reserved",
            "see full web article",
            "sign up for",
            "sign up to",
            "subscribe to",
            "our standards:",
            "source:",
            "read more:",
            "follow us on",
            "this article was originally",
        ],
    );
    let lower = line.to_ascii_lowercase();
    let contributed = lower.contains("contributed to this") || lower.contains("contributed reporting");
    (starts && line.len() <= 120) || contributed || is_byline(line) || is_agency(line)
}

/// `Kestrel`, `- AGENCIES`, `(AP)` alone on the last line.
fn is_agency(line: &str) -> bool {
    let bare = line.trim_matches(|c: char| !c.is_alphanumeric());
    let marked = line.starts_with(['-', '(']);
    let capitals = bare.len() >= 2 && bare.chars().all(|c| c.is_ascii_uppercase() || " &/-".contains(c));
    bare.split_whitespace().count() <= 3
        && !ends_a_sentence(line.trim_end_matches(')'))
        && (capitals || (marked && bare.chars().next().is_some_and(char::is_uppercase)))
}

/// Length of an agency in capitals behind the last sentence (`… eruptions. MERIDIAN`), or of `(Kestrel)`; else 0.
fn suffix_len(line: &str) -> usize {
    let Some(end) = line.rfind(['.', '!', '?', '"']) else {
        return 0;
    };
    let suffix = &line[end + 1..];
    let is_credit = suffix.starts_with(' ') && suffix.len() <= 40 && is_agency(suffix.trim());
    if is_credit && end > 0 { suffix.len() } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROSE: &str = "The river rose by two metres overnight and the lower town was cut off from the bridge, a \
                         spokesman for the province said, while boats took people from their roofs in the rain.";

    fn body_of(text: &str) -> String {
        text[find_body(text).range].to_string()
    }

    #[test]
    fn datelines_go() {
        for head in [
            "JAKARTA (Meridian) - ",
            "LIMA, May 3 (Kestrel) - ",
            "(Reuters) - ",
            "JAKARTA - ",
            "NEW YORK, March 4 (Meridian) -- ",
            "DUBAI: ",
            "AMBON, Indonesia, Nov 7 (PAD) - ",
            "UPDATE 2-",
            "date 2023-09-02 ",
            "Source: Kestrel\n\n",
            "By Ana Ruiz and Tom Hale\n",
            "By Ana Ruiz for Kestrel\nLIMA (Kestrel) - ",
        ] {
            assert_eq!(body_of(&format!("{head}{PROSE}")), PROSE, "{head}");
        }
    }

    #[test]
    fn closing_credits_go() {
        for foot in [
            "\n\nAdditional reporting by A. Rao in Lima; editing by B. Cho",
            "\n(Reporting by A. Rao)",
            "\n\nCopyright 2024 Kestrel. All rights reserved.",
            " MERIDIAN",
            "\n\nWith files from Kestrel",
            "\n\nAna Ruiz contributed to this report.\n\nSee Full Web Article",
            "\n- AGENCIES",
        ] {
            assert_eq!(body_of(&format!("{PROSE}{foot}")), PROSE, "{foot}");
        }
    }

    #[test]
    fn prose_stays() {
        for text in [
            "By noon the water had reached the church.",
            "By two votes the senate passed the bill, and the premier left.",
            "Copyright law is to change, ministers said. The bill goes to the house in May with few friends.",
            "WASHINGTON is split on the bill - and so is the country, polls said.",
            "The minister (a farmer) - and his deputy - will go.",
            "",
            "   ",
        ] {
            assert_eq!(body_of(text), text.trim(), "{text}");
        }
        assert_eq!(body_of("Copyright 2024"), "Copyright 2024");
    }

    #[test]
    fn at_most_a_quarter_goes() {
        let text = "By Ana Ruiz\nBy Tom Hale\nBy Al Poe\nShort text.";
        let body = find_body(text);
        let cut: usize = body.credits.iter().map(|c| c.len()).sum();
        assert!(cut <= text.len() / 4);
    }
}
