//! What becomes of an article elsewhere: copies, edits, cuts, rewrites.

use super::random::Random;
use super::vocabulary::{Vocabulary, invented};

/// How a planted article comes from its original.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Edit {
    /// The same text.
    Copy,
    /// A byline, a few words, a paragraph's place.
    Retouch,
    /// The end cut off.
    Trim,
    /// Some paragraphs from within.
    Excerpt,
    /// Other words for many, sentences in another order, some left out.
    Rewrite,
}

/// Planted articles in a hundred thousand, of each kind.
pub(crate) const PLANTED: [(Edit, u64); 5] =
    [(Edit::Copy, 1_500), (Edit::Retouch, 2_000), (Edit::Trim, 1_500), (Edit::Excerpt, 1_000), (Edit::Rewrite, 2_000)];

impl Edit {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Copy => "copy",
            Self::Retouch => "edit",
            Self::Trim => "trim",
            Self::Excerpt => "excerpt",
            Self::Rewrite => "rewrite",
        }
    }

    /// The text after the edit.
    pub(crate) fn apply(self, text: &str, words: &Vocabulary, random: &mut Random) -> String {
        let mut paragraphs: Vec<&str> = text.split('\n').filter(|p| !p.is_empty()).collect();
        let num_paragraphs = paragraphs.len();
        match self {
            Self::Copy => text.to_string(),
            Self::Retouch => {
                let percent = random.between(1, 4);
                if num_paragraphs > 3 && random.percent(30) {
                    let from = random.between(1, num_paragraphs - 2);
                    paragraphs.swap(from, from + 1);
                }
                let body = substituted(&paragraphs.join("\n"), percent, words, random);
                if random.percent(50) { format!("By {} {}\n{body}", invented(random), invented(random)) } else { body }
            }
            Self::Trim => {
                let kept = (num_paragraphs * random.between(50, 85)).div_ceil(100);
                paragraphs[..kept].join("\n")
            }
            Self::Excerpt => {
                let kept = (num_paragraphs * random.between(30, 50)).div_ceil(100);
                let from = random.below(num_paragraphs - kept + 1);
                paragraphs[from..from + kept].join("\n")
            }
            Self::Rewrite => {
                let percent = random.between(20, 45);
                let drop = random.between(5, 20);
                let mut told: Vec<String> = Vec::new();
                for paragraph in paragraphs {
                    let mut sentences: Vec<&str> = paragraph.split_inclusive(". ").map(str::trim_end).collect();
                    if random.percent(50) {
                        sentences.reverse();
                    }
                    sentences.retain(|_| !random.percent(drop));
                    if !sentences.is_empty() {
                        told.push(substituted(&sentences.join(" "), percent, words, random));
                    }
                }
                for i in 1..told.len().saturating_sub(1) {
                    if random.percent(30) {
                        told.swap(i, i + 1);
                    }
                }
                told.join("\n")
            }
        }
    }
}

/// The text with other words in place of so many in a hundred; names and figures stay.
fn substituted(text: &str, percent: usize, words: &Vocabulary, random: &mut Random) -> String {
    let mut out = String::with_capacity(text.len() + 64);
    for word in text.split_inclusive([' ', '\n', ',', '.', '"']) {
        let bare = word.trim_end_matches([' ', '\n', ',', '.', '"']);
        match if random.percent(percent) { words.substitute(bare) } else { None } {
            Some(other) => {
                out.push_str(other);
                out.push_str(&word[bare.len()..]);
            }
            None => out.push_str(word),
        }
    }
    out
}
