//! What two texts share and where they differ, in their own words: for people, not for the verdict.

use crate::hash::HashMap;
use crate::text::{Document, Token, TokenFlags};
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

/// Figures or names of one document that another lacks, as written, each once, in order.
fn missing(document: &Document<'_>, other: &Document<'_>, flag: u8) -> Vec<String> {
    let known: crate::hash::HashSet<u32> = other.tokens.iter().map(|t| t.stem_hash).collect();
    let mut seen = crate::hash::HashSet::default();
    document
        .tokens
        .iter()
        .filter(|t| t.flags.has(flag) && !known.contains(&t.stem_hash) && seen.insert(t.stem_hash))
        .map(|t| document.form(t).to_string())
        .collect()
}

/// Figures and names that only one of two texts has.
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
}

/// The figures and names that only one of the two texts has.
#[must_use]
pub fn differences(first: &Document<'_>, second: &Document<'_>) -> Differences {
    Differences {
        first_figures: missing(first, second, TokenFlags::NUMBER),
        second_figures: missing(second, first, TokenFlags::NUMBER),
        first_names: missing(first, second, TokenFlags::NAME),
        second_names: missing(second, first, TokenFlags::NAME),
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
        assert_eq!(differences.first_names, ["Monday", "Manila"]);
        let same = shared_passages(&a, &a);
        assert_eq!(same.len(), 1);
        assert_eq!(
            &a.text[same[0].first.clone()],
            "Monday the ferry ran aground off Batanes with 214 passengers, officers in Manila"
        );
    }
}
