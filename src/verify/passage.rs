//! What two texts share and where they differ, in their own words: for people, not for the verdict.

use crate::hash::{HashMap, HashSet};
use crate::text::{Date, Document, Token, TokenFlags, find_dates};
use std::ops::Range;

/// Content tokens that make the shortest passage shown.
const MIN_PASSAGE: usize = 4;

/// A stretch that stands in both texts, apart from stop words and inflection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passage {
    /// Bytes in the first document's text.
    pub first: Range<usize>,
    /// Bytes in the second document's text.
    pub second: Range<usize>,
    /// Content tokens it covers.
    pub num_content: usize,
}

/// The passages that two documents share, longest first where they overlap, in order of the first text.
///
/// A passage is a run of four or more content tokens with equal stems. Cost: linear, times how often a run of four
/// repeats.
#[must_use]
pub fn shared_passages(first: &Document<'_>, second: &Document<'_>) -> Vec<Passage> {
    let content = |document: &Document<'_>| -> Vec<Token> {
        document.tokens.iter().copied().filter(|t| !t.flags.has(TokenFlags::STOP)).collect()
    };
    let (a, b) = (content(first), content(second));
    let stems = |run: &[Token]| -> [u32; MIN_PASSAGE] { std::array::from_fn(|i| run[i].stem_hash) };
    let mut places: HashMap<[u32; MIN_PASSAGE], Vec<usize>> = HashMap::default();
    for (at, run) in b.windows(MIN_PASSAGE).enumerate() {
        let known = places.entry(stems(run)).or_default();
        // A formula that recurs all over is found at its first places.
        if known.len() < 16 {
            known.push(at);
        }
    }
    let mut runs: Vec<(usize, usize, usize)> = Vec::new();
    for (i, run) in a.windows(MIN_PASSAGE).enumerate() {
        for &j in places.get(&stems(run)).map_or(&[][..], Vec::as_slice) {
            if i > 0 && j > 0 && a[i - 1].stem_hash == b[j - 1].stem_hash {
                continue; // part of a run that began earlier
            }
            let len = a[i..].iter().zip(&b[j..]).take_while(|(x, y)| x.stem_hash == y.stem_hash).count();
            runs.push((len, i, j));
        }
    }
    runs.sort_unstable_by_key(|(len, i, j)| (std::cmp::Reverse(*len), *i, *j));
    let (mut used_a, mut used_b) = (vec![false; a.len()], vec![false; b.len()]);
    let mut passages = Vec::new();
    for (len, i, j) in runs {
        if used_a[i..i + len].contains(&true) || used_b[j..j + len].contains(&true) {
            continue;
        }
        used_a[i..i + len].fill(true);
        used_b[j..j + len].fill(true);
        passages.push(Passage {
            first: a[i].start as usize..a[i + len - 1].end as usize,
            second: b[j].start as usize..b[j + len - 1].end as usize,
            num_content: len,
        });
    }
    passages.sort_unstable_by_key(|passage| passage.first.start);
    passages
}

/// Figures, names and dates that only one of two texts has, each once, as written, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Differences {
    /// Figures of the first text that the second lacks.
    pub first_figures: Vec<String>,
    /// Figures of the second text that the first lacks.
    pub second_figures: Vec<String>,
    /// Names of the first text that the second lacks.
    pub first_names: Vec<String>,
    /// Names of the second text that the first lacks.
    pub second_names: Vec<String>,
    /// Dates of the first text that the second lacks.
    pub first_dates: Vec<String>,
    /// Dates of the second text that the first lacks.
    pub second_dates: Vec<String>,
}

/// The figures, names and dates that only one of the two texts has.
///
/// What belongs to a date ([`find_dates`]) is neither figure nor name.
///
/// ```
/// use samestory::text::Document;
/// use samestory::verify::differences;
/// let first = Document::new("The ferry ran aground off Batanes on March 4 with 214 aboard, officers said.", 1000);
/// let second = Document::new("The ferry ran aground off Batanes on March 5 with 214 aboard, officers said.", 1000);
/// let differences = differences(&first, &second);
/// assert_eq!((differences.first_dates, differences.second_dates), (vec!["March 4".into()], vec!["March 5".into()]));
/// assert!(differences.first_figures.is_empty() && differences.second_names.is_empty());
/// ```
#[must_use]
pub fn differences(first: &Document<'_>, second: &Document<'_>) -> Differences {
    let (first, second) = (Facts::new(first), Facts::new(second));
    Differences {
        first_figures: first.without(&second, TokenFlags::NUMBER),
        second_figures: second.without(&first, TokenFlags::NUMBER),
        first_names: first.without(&second, TokenFlags::NAME),
        second_names: second.without(&first, TokenFlags::NAME),
        first_dates: first.dates_without(&second),
        second_dates: second.dates_without(&first),
    }
}

/// A document's dates, and its tokens outside of them.
struct Facts<'a> {
    document: &'a Document<'a>,
    dates: Vec<(Range<usize>, Date)>,
    others: Vec<Token>,
}

impl<'a> Facts<'a> {
    fn new(document: &'a Document<'a>) -> Self {
        let dates = find_dates(document);
        let mut others = Vec::with_capacity(document.tokens.len());
        let mut from = 0;
        for (tokens, _) in &dates {
            others.extend_from_slice(&document.tokens[from..tokens.start]);
            from = tokens.end;
        }
        others.extend_from_slice(&document.tokens[from..]);
        Self { document, dates, others }
    }

    /// Figures or names that `other` lacks.
    fn without(&self, other: &Self, flag: u8) -> Vec<String> {
        let known: HashSet<u32> = other.others.iter().map(|t| t.stem_hash).collect();
        let mut seen = HashSet::default();
        self.others
            .iter()
            .filter(|t| t.flags.has(flag) && !known.contains(&t.stem_hash) && seen.insert(t.stem_hash))
            .map(|t| self.document.form(t).to_string())
            .collect()
    }

    /// Dates that no date of `other` tells.
    fn dates_without(&self, other: &Self) -> Vec<String> {
        let mut seen = HashSet::default();
        self.dates
            .iter()
            .filter(|(_, date)| seen.insert(*date) && !other.dates.iter().any(|(_, known)| known.tells(*date)))
            .map(|(tokens, _)| {
                let (first, last) = (self.document.tokens[tokens.start], self.document.tokens[tokens.end - 1]);
                self.document.text[first.start as usize..last.end as usize].to_string()
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passages_and_differences() {
        let a = Document::new(
            "On Monday the ferry ran aground off Batanes with 214 passengers, officers in Manila said.",
            999,
        );
        let b =
            Document::new("Officers say a ferry, run aground off Batanes with 356 passengers, is safe in Basco.", 999);
        let passages = shared_passages(&a, &b);
        assert!(passages.is_empty() || passages.iter().all(|p| p.num_content >= MIN_PASSAGE));
        let differences = differences(&a, &b);
        assert_eq!(differences.first_figures, ["214"]);
        assert_eq!(differences.second_figures, ["356"]);
        assert_eq!(differences.first_names, ["Manila"]);
        assert_eq!(differences.second_names, ["Basco"]);
        assert_eq!((differences.first_dates, differences.second_dates), (vec!["Monday".to_string()], vec![]));
        let same = shared_passages(&a, &a);
        assert_eq!(same.len(), 1);
        assert_eq!(
            &a.text[same[0].first.clone()],
            "Monday the ferry ran aground off Batanes with 214 passengers, officers in Manila"
        );
    }

    #[test]
    fn dates_are_neither_figures_nor_names() {
        let of = |first: &str, second: &str| {
            let (first, second) = (Document::new(first, 999), Document::new(second, 999));
            let Differences { first_figures, second_figures, first_names, second_names, first_dates, second_dates } =
                differences(&first, &second);
            [first_figures, second_figures, first_names, second_names, first_dates, second_dates]
                .map(|list| list.join("|"))
        };
        // A day of the month is no count of people, and does not hide one.
        assert_eq!(
            of("On March 4 the storm killed 20 people in Lima.", "On 4 March the storm killed 4 people in Lima."),
            ["20", "4", "", "", "", ""]
        );
        assert_eq!(
            of("The storm hit Lima on Friday, May 1, and May 1 was lost.", "The storm hit Lima in May 2026, they say."),
            ["", "", "", "", "Friday|May 1", ""]
        );
        assert_eq!(of("", "It came to Lima on Sunday."), ["", "", "", "Lima", "", "Sunday"]);
    }

    /// The passages of two texts: as the first has them, as the second has them, and how many words.
    fn passages(first: &str, second: &str) -> Vec<(String, String, usize)> {
        let (a, b) = (Document::new(first, 999), Document::new(second, 999));
        let shown = |passage: Passage| {
            (a.text[passage.first].to_string(), b.text[passage.second].to_string(), passage.num_content)
        };
        shared_passages(&a, &b).into_iter().map(shown).collect()
    }

    fn both(text: &str) -> (String, String, usize) {
        (text.to_string(), text.to_string(), text.split(' ').count())
    }

    #[test]
    fn passages_stand_in_order_of_the_first_text() {
        let (five, four) = ("alpha bravo charlie delta echo", "kilo lima mike november");
        let found = passages(&format!("{five} {four}"), &format!("{four} {five}"));
        assert_eq!(found, [both(five), both(four)]);
        // Behind words that differ; three are none.
        let (first, four) = ("oscar alpha bravo charlie delta kilo lima mike", "alpha bravo charlie delta");
        let found = passages(first, &format!("papa quebec {four} romeo kilo lima mike"));
        assert_eq!(found, [both(four)]);
    }

    #[test]
    fn no_word_is_in_two_passages() {
        let (whole, part) = ("alpha bravo charlie delta echo", "alpha bravo charlie delta");
        let repeated = format!("{whole} oscar {part}");
        assert_eq!(passages(whole, &repeated), [both(whole)]);
        assert_eq!(passages(&repeated, whole), [both(whole)]);
        // One that overlaps a longer one is not shown, nor what is left of it.
        let eight = "alpha bravo charlie delta echo foxtrot golf hotel";
        let seven = "foxtrot golf hotel india juliet kilo lima";
        let found = passages(&format!("{eight} india juliet kilo lima"), &format!("{eight} oscar {seven}"));
        assert_eq!(found, [both(eight)]);
    }
}
