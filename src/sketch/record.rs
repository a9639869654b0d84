//! The compact record of an article: everything verification reads, so that it need not look at the text again.

use super::minhash::fold;
use crate::article::{Article, Timestamp};
use crate::hash::hash_word;
use crate::profile::{Profile, Weights};
use crate::text::{Document, Token, TokenFlags, guess_language, number_weight, slug_len};

/// A token of the body that is no stop word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContentToken {
    /// Index into the vocabulary.
    pub term: u16,
    /// Number of its sentence.
    pub sentence: u16,
    /// [`TokenFlags`] bits.
    pub flags: u8,
}

/// A distinct content token of an article.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Term {
    /// Hash of the stemmed token.
    pub hash: u32,
    /// Index of its first content token.
    pub first: u16,
    /// idf in sixteenths of a nat.
    pub idf: u8,
    /// How often it stands, at most 255.
    pub count: u8,
    /// The [`TokenFlags`] of all its places together.
    pub flags: u8,
}

/// A distinct figure of an article.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Figure {
    /// Its value in thousandths, with its scale applied.
    pub value: u64,
    /// How much it tells, 1 to 4 ([`number_weight`]).
    pub weight: u8,
}

/// What is compared of an article.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// Content tokens in order.
    pub content: Vec<ContentToken>,
    /// Distinct content tokens by hash.
    pub vocabulary: Vec<Term>,
    /// Distinct shingle hashes, folded to 32 bits, in order of value. Two of an article's 300 collide once in
    /// 95,000 articles.
    pub shingles: Vec<u32>,
    /// Distinct figures by value; conversions in parentheses are left out.
    pub figures: Vec<Figure>,
    /// Distinct stems of the headline, in order of value.
    pub title: Vec<u32>,
    /// Tokens of the body.
    pub num_tokens: u32,
    /// When it was published, where known.
    pub published: Option<Timestamp>,
    /// Hash of the outlet's name in lower case, where known.
    pub outlet: Option<u32>,
    /// Whether the weights' language is that of the text; if not, only wording is compared.
    pub is_weighted: bool,
    /// Whether headline or text says that it corrects an earlier version.
    pub says_correction: bool,
}

impl Record {
    /// The record of an article, its document and the document's shingle hashes.
    #[must_use]
    pub fn new(article: &Article, document: &Document<'_>, shingles: &[u64], profile: &Profile) -> Self {
        let is_weighted = is_language(article, document, profile.weights());
        let mut record = Self {
            num_tokens: document.tokens.len() as u32,
            published: article.published,
            outlet: outlet(article, document).map(|name| hash_word(name.to_lowercase().as_bytes()) as u32),
            is_weighted,
            says_correction: says_correction(article, document),
            ..Self::default()
        };
        record.add_content(&document.tokens, profile);
        record.shingles = sorted_hashes(shingles.iter().copied().map(fold).collect(), |hash| hash >> 23);
        record.shingles.dedup();
        record.figures = figures(document);
        record.title = title_stems(article);
        record
    }

    fn add_content(&mut self, tokens: &[Token], profile: &Profile) {
        // Hash above, place below: one integer sorts faster than two. Every token is written and only those kept are
        // counted: the processor need not guess which these are.
        let mut stems: Vec<u64> = vec![0; tokens.len()];
        self.content.resize(tokens.len(), ContentToken { term: 0, sentence: 0, flags: 0 });
        let mut num_kept = 0;
        for token in tokens {
            let sentence = token.sentence.min(65_535) as u16;
            stems[num_kept] = u64::from(token.stem_hash) << 16 | num_kept as u64;
            self.content[num_kept] = ContentToken { term: 0, sentence, flags: token.flags.0 };
            num_kept += usize::from(!(self.is_weighted & token.flags.has(TokenFlags::STOP)));
        }
        stems.truncate(num_kept);
        self.content.truncate(num_kept);
        self.content.shrink_to_fit();
        let stems = sorted_hashes(stems, |packed| (packed >> 39) as u32);
        let num_terms = stems.windows(2).filter(|pair| pair[0] >> 16 != pair[1] >> 16).count() + 1;
        self.vocabulary.reserve_exact(num_terms.min(num_kept));
        for packed in stems {
            let (hash, place) = ((packed >> 16) as u32, packed as u16);
            if self.vocabulary.last().is_none_or(|term| term.hash != hash) {
                // Without a table all tokens weigh the same.
                let idf = crate::profile::RARE_IDF;
                self.vocabulary.push(Term { hash, first: place, idf, count: 0, flags: 0 });
            }
            let index = self.vocabulary.len() - 1;
            let term = &mut self.vocabulary[index];
            let token = &mut self.content[place as usize];
            term.count = term.count.saturating_add(1);
            term.flags |= token.flags;
            token.term = index as u16;
        }
        if self.is_weighted {
            // In a loop of their own the looks into the large table wait for memory together.
            for term in &mut self.vocabulary {
                term.idf = profile.weights().idf(term.hash);
            }
        }
    }

    /// The term of a content token.
    #[must_use]
    pub fn term(&self, token: &ContentToken) -> &Term {
        &self.vocabulary[token.term as usize]
    }
}

/// Who tells it: whom a credit line `Source: …` names, else the feed's source, which may be a byline.
fn outlet<'a>(article: &'a Article, document: &'a Document<'_>) -> Option<&'a str> {
    const LABEL: &str = "source:";
    let label = |credit: &&String| credit.get(..LABEL.len()).is_some_and(|head| head.eq_ignore_ascii_case(LABEL));
    let named = document.credits.iter().find(label).map(|credit| credit[LABEL.len()..].trim());
    named.or_else(|| article.source.as_deref().map(str::trim)).filter(|name| !name.is_empty())
}

/// The values in order. `top` gives the highest nine bits of the hash that a value begins with: as hashes spread evenly,
/// a counting sort by it leaves one or two values to a place, and few steps of an insertion sort to take.
fn sorted_hashes<T: Copy + Ord + Default>(mut values: Vec<T>, top: impl Fn(T) -> u32) -> Vec<T> {
    // Values at one place beyond which insertion would take long.
    const CROWD: u16 = 64;
    let mut ends = [0u16; 512];
    // Fewer are sorted before the counts are summed up; more do not fit the counts.
    if (48..=usize::from(u16::MAX)).contains(&values.len()) {
        for value in &values {
            ends[top(*value) as usize] += 1;
        }
    }
    if values.len() < 48 || values.len() > usize::from(u16::MAX) || ends.iter().any(|count| *count > CROWD) {
        values.sort_unstable();
        return values;
    }
    let mut sum = 0;
    for end in &mut ends {
        // The start of the place for now; filling it moves it to the end.
        sum += std::mem::replace(end, sum);
    }
    let mut sorted = vec![T::default(); values.len()];
    for value in values {
        let end = &mut ends[top(value) as usize];
        sorted[usize::from(*end)] = value;
        *end += 1;
    }
    for i in 1..sorted.len() {
        let value = sorted[i];
        let mut at = i;
        while at > 0 && sorted[at - 1] > value {
            sorted[at] = sorted[at - 1];
            at -= 1;
        }
        sorted[at] = value;
    }
    sorted
}

/// The distinct figures of a document by value.
fn figures(document: &Document<'_>) -> Vec<Figure> {
    let mut figures: Vec<Figure> = document
        .tokens
        .iter()
        .enumerate()
        .filter(|(i, token)| token.value > 0 && !is_conversion(document, *i))
        .map(|(_, token)| Figure { value: token.value, weight: number_weight(token.value) })
        .collect();
    figures.sort_unstable();
    figures.dedup();
    figures
}

/// Whether a figure is `9` in `14 km (9 miles)`: in parentheses, right behind a figure and its unit.
fn is_conversion(document: &Document<'_>, index: usize) -> bool {
    let tokens = &document.tokens;
    let before = &document.text[..tokens[index].start as usize];
    let opens = before.trim_end_matches(['$', '€', '£', '~']).trim_end_matches(|c: char| c.is_ascii_uppercase());
    opens.ends_with('(')
        && (1..=3).any(|back| {
            index >= back
                && tokens[index - back].value > 0
                && tokens[index - back].sentence == tokens[index].sentence
                && tokens[index].start - tokens[index - back].end < 24
        })
}

/// Distinct stems of the headline without its slug.
fn title_stems(article: &Article) -> Vec<u32> {
    let Some(title) = &article.title else {
        return Vec::new();
    };
    let title = title.trim();
    let title = &title[slug_len(title).unwrap_or(0)..];
    let normalised = crate::text::normalize(title);
    let tokens = crate::text::tokenize(&normalised, 0..normalised.len(), 100);
    let mut stems: Vec<u32> = tokens.iter().filter(|t| !t.flags.has(TokenFlags::STOP)).map(|t| t.stem_hash).collect();
    stems.sort_unstable();
    stems.dedup();
    stems
}

/// CORRECTED, CORRECTION or REFILE in a headline, or a correction's formula at either edge of the text.
fn says_correction(article: &Article, document: &Document<'_>) -> bool {
    let in_title = article.title.iter().chain(&article.slug).any(|title| {
        ["CORRECTED", "CORRECTION", "Corrected", "Correction", "REFILE"].iter().any(|word| title.contains(word))
    });
    let text = &document.text[document.body.clone()];
    let head = &text[..text.floor_char_boundary(200)];
    let tail = &text[text.ceil_char_boundary(text.len().saturating_sub(300))..];
    // All the words below have it; a look without an early exit vectorises.
    let has_double_r = |edge: &&&str| {
        let bytes = edge.as_bytes();
        bytes
            .iter()
            .zip(&bytes[bytes.len().min(1)..])
            .fold(false, |found, (a, b)| found | ((a == b) & (a | 0x20 == b'r')))
    };
    in_title
        || [head, tail].iter().filter(has_double_r).any(|edge| {
            ["CORRECTS", "(Corrects", "Corrects ", "CORRECTED", "CORRECTION", "corrects to ", "Correction:"]
                .iter()
                .any(|word| edge.contains(word))
        })
}

/// Whether the text is in the weights' language: by the feed's word, else by its stop words, else by how many of its
/// words the table knows, else by its letter statistics.
fn is_language(article: &Article, document: &Document<'_>, weights: &Weights) -> bool {
    let language = weights.language();
    if let Some(stated) = &article.language {
        let primary = stated.split(['-', '_']).next().unwrap_or(stated);
        return primary.eq_ignore_ascii_case(language);
    }
    if language != "en" {
        return guess_language(document) == Some(language);
    }
    let head = &document.tokens[..document.tokens.len().min(120)];
    let num_stops = head.iter().filter(|t| t.flags.has(TokenFlags::STOP)).count();
    let share = num_stops * 100 / head.len().max(1);
    let num_characters = head.iter().filter(|t| t.flags.has(TokenFlags::CHARACTER)).count();
    // Running English has 35–50 % stop words, telegraphic company news from 10 %; other languages' words
    // ("a", "no", "me", "am", "as") meet the list below 15 %.
    match share {
        18.. => true,
        _ if num_characters * 4 > head.len() => false,
        _ if head.iter().filter(|t| weights.knows(t.stem_hash)).count() * 100 >= 75 * head.len() => true,
        _ => guess_language(document).is_none_or(|guess| guess == "en"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::HashMap;

    fn record(text: &str) -> Record {
        let profile = Profile::default();
        let article = Article::new("1", text).with_title("UPDATE 2-Rain cuts roads");
        let document = Document::new(&article.text, 1000);
        Record::new(&article, &document, &crate::shingle::shingle_hashes(&document.tokens, 5), &profile)
    }

    #[test]
    fn a_table_serves_texts_in_its_language_that_name_none() {
        let polish = "Deszcz przerwał w poniedziałek drogi w Warszawie, a rzecznik miasta powiedział, że dwie z nich \
                      pozostaną zamknięte do środy, ponieważ woda wciąż się podnosi.";
        let is_served = |language: &str| {
            let table = Weights::from_counts(language, 1, &HashMap::default(), 1);
            let article = Article::new("1", polish);
            is_language(&article, &Document::new(polish, 1000), &table)
        };
        assert!(is_served("pl") && !is_served("de"));
    }

    #[test]
    fn a_record_holds_what_the_text_holds() {
        let r =
            record("The rain cut the roads. The roads to Lima, 14 km (9 miles) away, were cut by 3 metres of rain.");
        let hashes: Vec<u32> = r.vocabulary.iter().map(|t| t.hash).collect();
        assert!(hashes.is_sorted_by(|a, b| a < b));
        let rain = r.vocabulary.iter().find(|t| t.first == 0).unwrap();
        assert_eq!(rain.count, 2);
        let values: Vec<u64> = r.figures.iter().map(|f| f.value).collect();
        assert_eq!(values, [3_000, 14_000]);
        assert_eq!(r.title.len(), 3);
        assert!(r.is_weighted);
    }

    #[test]
    fn hashes_are_sorted_whatever_their_spread() {
        for (len, mask) in [(0, !0), (1, !0), (47, !0), (48, !0), (300, !0), (300, 0xff), (300, 0xff00_0003), (5000, 7)]
        {
            let values: Vec<u32> = (0..len).map(|i| crate::hash::mix64(i) as u32 & mask).collect();
            let mut expected = values.clone();
            expected.sort_unstable();
            assert_eq!(sorted_hashes(values, |hash| hash >> 23), expected);
        }
    }

    #[test]
    fn other_languages_are_not_weighted() {
        let german = "Der Regen hat am Montag die Straßen nach Lima unterbrochen, und die Menschen mussten mit Booten \
                      von den Dächern geholt werden, wie ein Sprecher der Provinz am Abend mitteilte.";
        assert!(!record(german).is_weighted);
        assert!(!record("東京で雨が降り、道路が二本通行止めになったと県の担当者が述べた。").is_weighted);
    }

    #[test]
    fn an_empty_text_has_an_empty_record() {
        let r = record("");
        assert!(r.content.is_empty() && r.shingles.is_empty() && r.figures.is_empty());
    }
}
