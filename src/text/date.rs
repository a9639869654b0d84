//! Dates in a text: days of the week, and months with their day and year, as English writes them.

use super::{Document, Token, TokenFlags};
use std::ops::Range;

/// A day or month that a text names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Date {
    /// A day of the week, 1 for Monday.
    Weekday(u8),
    /// A month, 1 for January, with its day and year where they are named.
    Month {
        /// The year, 1900 to 2099.
        year: Option<u16>,
        /// The month.
        month: u8,
        /// The day.
        day: Option<u8>,
    },
}

impl Date {
    /// Whether this names all that `other` does. A year may be missing in either: feeds leave out their own.
    ///
    /// ```
    /// use samestory::text::Date;
    /// let date = |year, day| Date::Month { year, month: 3, day };
    /// assert!(date(None, Some(4)).tells(date(Some(2026), None)));
    /// assert!(!date(Some(2026), None).tells(date(Some(2026), Some(4))));
    /// assert!(!date(Some(2025), Some(4)).tells(date(Some(2026), Some(4))));
    /// ```
    #[must_use]
    pub fn tells(self, other: Self) -> bool {
        match (self, other) {
            (
                Self::Month { year, month, day },
                Self::Month { year: other_year, month: other_month, day: other_day },
            ) => {
                month == other_month
                    && (other_day.is_none() || day == other_day)
                    && (year.is_none() || other_year.is_none() || year == other_year)
            }
            _ => self == other,
        }
    }
}

/// The dates of a document's body in order, each with its tokens as a range of [`Document::tokens`].
///
/// `Monday`, `March 4`, `4th of March 2026`, `Sept. 4`, `2026-03-04`; a month alone where it is no other word (`in
/// May`, but not `May said`). Dates of figures alone in another order than ISO 8601 are not told apart from figures.
///
/// ```
/// use samestory::text::{Date, Document, find_dates};
/// let document = Document::new("The court in Lima ruled on the 4th of March that the port must stay open.", 1000);
/// let (tokens, date) = find_dates(&document).remove(0);
/// assert_eq!(date, Date::Month { year: None, month: 3, day: Some(4) });
/// assert_eq!(document.form(&document.tokens[tokens.start]), "4");
/// ```
#[must_use]
pub fn find_dates(document: &Document<'_>) -> Vec<(Range<usize>, Date)> {
    let mut dates = Vec::new();
    let mut at = 0;
    while at < document.tokens.len() {
        match date_at(document, at) {
            Some((len, date)) => {
                dates.push((at..at + len, date));
                at += len;
            }
            None => at += 1,
        }
    }
    dates
}

/// The date that begins at a token, and how many tokens it has.
fn date_at(document: &Document<'_>, at: usize) -> Option<(usize, Date)> {
    let token = document.tokens[at];
    if token.flags.has(TokenFlags::NUMBER) {
        return iso_at(document, at).or_else(|| day_first(document, at));
    }
    let word = capitalised(document, &token)?;
    if let Some(weekday) = WEEKDAYS.iter().position(|name| *name == word) {
        return Some((1, Date::Weekday(weekday as u8 + 1)));
    }
    let (month, is_whole) = month_of(&word)?;
    if let Some(day) = day_of(document, at + 1).filter(|_| is_joined(document, at)) {
        return Some(with_year(document, at, 2, month, Some(day)));
    }
    let (len, date) = with_year(document, at, 1, month, None);
    let stands_alone = is_whole && (!is_other_word(month) || follows_preposition(document, at));
    (len > 1 || stands_alone).then_some((len, date))
}

/// `4 March`, `4th of March`, `4 Sept. 2026`.
fn day_first(document: &Document<'_>, at: usize) -> Option<(usize, Date)> {
    let day = day_of(document, at)?;
    let has_of = document.tokens.get(at + 1).is_some_and(|token| document.form(token) == "of");
    let month_at = at + 1 + usize::from(has_of);
    let (month, _) = month_of(&capitalised(document, document.tokens.get(month_at)?)?)?;
    let is_joined = (at..month_at).all(|i| is_joined(document, i));
    is_joined.then(|| with_year(document, at, month_at + 1 - at, month, Some(day)))
}

/// `2026-03-04`.
fn iso_at(document: &Document<'_>, at: usize) -> Option<(usize, Date)> {
    let [year, month, day] = document.tokens.get(at..at + 3)? else { return None };
    let figure = |token: &Token, len: usize| digits(document, token).filter(|_| document.form(token).len() == len);
    let is_dashed = [(year, month), (month, day)].iter().all(|(a, b)| between(document, a, b) == "-");
    let year = figure(year, 4).filter(|year| YEARS.contains(year) && is_dashed)?;
    let month = figure(month, 2).filter(|month| (1..=12).contains(month))?;
    let day = figure(day, 2).filter(|day| (1..=31).contains(day))?;
    Some((3, Date::Month { year: Some(year), month: month as u8, day: Some(day as u8) }))
}

/// A date of `len` tokens, with the year where one follows.
fn with_year(document: &Document<'_>, at: usize, len: usize, month: u8, day: Option<u8>) -> (usize, Date) {
    let year = document.tokens.get(at + len).and_then(|token| digits(document, token)).filter(|y| YEARS.contains(y));
    let year = year.filter(|_| is_joined(document, at + len - 1));
    (len + usize::from(year.is_some()), Date::Month { year, month, day })
}

const YEARS: Range<u16> = 1900..2100;
const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// The month that a word names, and whether it is written out: `Sept.` is, beside a day, as good.
fn month_of(word: &str) -> Option<(u8, bool)> {
    let is_short = |name: &str| (word.len() == 3 || word == "sept") && name.starts_with(word);
    let month = MONTHS.iter().position(|name| *name == word || is_short(name))?;
    Some((month as u8 + 1, MONTHS[month] == word))
}

/// Whether the month's name is a person's too, or another word.
fn is_other_word(month: u8) -> bool {
    ["march", "april", "may", "june", "august"].contains(&MONTHS[usize::from(month) - 1])
}

fn follows_preposition(document: &Document<'_>, at: usize) -> bool {
    const BEFORE: [&str; 20] = [
        "after", "and", "before", "between", "by", "during", "early", "every", "for", "from", "in", "last", "late",
        "next", "of", "since", "this", "through", "to", "until",
    ];
    let before = at.checked_sub(1).and_then(|before| lower_word(document, &document.tokens[before]));
    before.is_some_and(|word| BEFORE.contains(&word.as_str()))
}

/// The day of a month that a token is: digits, and no share or sum.
fn day_of(document: &Document<'_>, at: usize) -> Option<u8> {
    let token = document.tokens.get(at)?;
    let day = digits(document, token).filter(|day| (1..=31).contains(day))?;
    let rest = document.text[token.end as usize..].trim_start();
    (!rest.starts_with('%')).then_some(day as u8)
}

/// The value of a figure of digits alone and without a scale word behind it.
fn digits(document: &Document<'_>, token: &Token) -> Option<u16> {
    let value = document.form(token).parse().ok()?;
    (token.value == u64::from(value) * 1000).then_some(value)
}

/// Whether a token and the next stand in one phrase: a blank, a comma, a point, an ordinal's ending between them.
fn is_joined(document: &Document<'_>, at: usize) -> bool {
    let [token, next] = [document.tokens[at], document.tokens[at + 1]];
    let gap = between(document, &token, &next).trim_start_matches(|c: char| c.is_ascii_lowercase());
    token.sentence == next.sentence && gap.len() <= 2 && gap.bytes().all(|byte| b" ,.".contains(&byte))
}

fn between<'a>(document: &'a Document<'_>, token: &Token, next: &Token) -> &'a str {
    &document.text[token.end as usize..next.start as usize]
}

/// A word with a capital, in lower case without its possessive.
fn capitalised(document: &Document<'_>, token: &Token) -> Option<String> {
    document.form(token).starts_with(|c: char| c.is_ascii_uppercase()).then(|| lower_word(document, token))?
}

/// A word in lower case without its possessive.
fn lower_word(document: &Document<'_>, token: &Token) -> Option<String> {
    let form = document.form(token);
    // The longest is `september's`.
    (form.len() <= 11 && form.is_ascii()).then(|| form.to_ascii_lowercase().trim_end_matches("'s").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The dates of a text as they are written in it.
    fn forms(text: &str) -> Vec<String> {
        // Long enough that no edge is taken for a credit.
        let text =
            format!("The ministry said the two ports would open again. {text}. Nobody was hurt in the storm there.");
        let document = Document::new(&text, 1000);
        let form = |tokens: Range<usize>| {
            let (first, last) = (document.tokens[tokens.start], document.tokens[tokens.end - 1]);
            document.text[first.start as usize..last.end as usize].to_string()
        };
        find_dates(&document).into_iter().map(|(tokens, _)| form(tokens)).collect()
    }

    fn dates(text: &str) -> Vec<Date> {
        find_dates(&Document::new(text, 1000)).into_iter().map(|(_, date)| date).collect()
    }

    #[test]
    fn dates_are_found_as_written() {
        for (text, expected) in [
            ("It ends on Monday, March 4, 2026, they said", vec!["Monday", "March 4, 2026"]),
            ("It ends on the 4th of March and on 5 April", vec!["4th of March", "5 April"]),
            ("Between Sept. 4 and 12 Dec 2025 it rose", vec!["Sept. 4", "12 Dec 2025"]),
            ("It fell in March 2026 and since October, for June", vec!["March 2026", "October", "June"]),
            ("SHIPS LEFT ON FRIDAY, MAY 1", vec!["FRIDAY", "MAY 1"]),
            ("Seen on 2026-03-04 at 5:12", vec!["2026-03-04"]),
            ("Monday's vote and September's sales", vec!["Monday's", "September's"]),
        ] {
            assert_eq!(forms(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "Theresa May said April Ryan may march on",
            "In May 35 or in June 4% was lost",
            "Sales in Augusta and the Marched 4 rose; Mar and Sun sold 3",
            "It cost 4 million and 2026 more, 12-13-14 and 2026-13-04",
        ] {
            let found = forms(text);
            assert!(found.iter().all(|form| ["May", "June"].contains(&form.as_str())), "{text}: {found:?}");
        }
        assert_eq!(dates(""), []);
        assert_eq!(dates("May"), []);
        assert_eq!(dates("March 4"), [Date::Month { year: None, month: 3, day: Some(4) }]);
        assert_eq!(dates("4"), []);
    }

    #[test]
    fn ways_to_write_a_date_are_one() {
        let expected = [Date::Month { year: Some(2026), month: 3, day: Some(4) }];
        for text in ["March 4, 2026", "4 March 2026", "4th of March, 2026", "Mar. 4, 2026", "2026-03-04"] {
            assert_eq!(dates(&format!("The two ports opened again on {text} after the storm.")), expected, "{text}");
        }
    }
}
