//! The compact record of an article: everything verification reads, so that it need not look at the text again.

mod thin;

pub use thin::Records;

use super::minhash::fold;
use crate::article::{Article, Timestamp, primary_language};
use crate::hash::hash_word;
use crate::profile::{Profile, Weights};
use crate::text::{Document, Token, TokenFlags, guess_language, slug_len};

/// Terms that are padded to this many, so that loops over them have no rest.
pub(crate) const LANES: usize = 16;
/// Words of the head before the hashes of the terms.
const HEAD_LEN: usize = 16;
/// What is compared of an article: a view of two stretches of words, wherever these lie.
///
/// The *head* has what tells whether a pair is worth a closer look, the *body* the rest (`docs/format.md`).
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// The distinct content tokens.
    pub terms: Terms<'a>,
    /// The term of each content token, in order.
    pub content: &'a [u16],
    /// The [`TokenFlags`] of each content token.
    pub content_flags: &'a [u8],
    /// Where each sentence with content tokens ends among these.
    pub sentence_ends: &'a [u16],
    /// Distinct shingle hashes, folded to 32 bits, in order of value. Two of an article's 300 collide once in
    /// 95,000 articles.
    pub shingles: &'a [u32],
    /// Distinct figures by value, in thousandths with their scale applied; conversions in parentheses are left out.
    pub figures: &'a [u64],
    /// Distinct stems of the headline, in order of value.
    pub title: &'a [u32],
}

/// The distinct content tokens of an article, and what is known of it as a whole.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    head: &'a [u32; HEAD_LEN],
    /// Hashes of the stemmed tokens, in order of value, filled up with `u32::MAX` to a multiple of [`LANES`].
    padded_hashes: &'a [u32],
    /// Each one's idf in sixteenths of a nat, filled up with 0.
    padded_idf: &'a [u8],
    /// The [`TokenFlags`] of all its places together, filled up with 0.
    padded_flags: &'a [u8],
}

/// Sums over the terms of an article.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct TermSums {
    /// Terms.
    pub(crate) num: u32,
    /// Their idf.
    pub(crate) idf: u32,
    /// Its squares.
    pub(crate) idf_squares: u32,
    /// Rare terms.
    pub(crate) num_rare: u32,
}

/// Places of a head's words.
mod head {
    pub(super) const NUM_TERMS: usize = 0;
    pub(super) const CONTENT_LEN: usize = 1;
    pub(super) const NUM_TOKENS: usize = 2;
    pub(super) const NUM_SHINGLES: usize = 3;
    pub(super) const NUM_FIGURES: usize = 4;
    pub(super) const IDF: usize = 5;
    pub(super) const IDF_SQUARES: usize = 6;
    pub(super) const NUM_RARE: usize = 7;
    pub(super) const NUM_NAMES: usize = 8;
    pub(super) const NUM_SENTENCES: usize = 9;
    pub(super) const TITLE_LEN: usize = 10;
    pub(super) const FLAGS: usize = 11;
    pub(super) const PUBLISHED: usize = 12;
    pub(super) const OUTLET: usize = 14;
}

/// Bits of a head's flags.
mod flag {
    pub(super) const WEIGHTED: u32 = 1;
    pub(super) const CORRECTION: u32 = 2;
    pub(super) const PUBLISHED: u32 = 4;
    pub(super) const OUTLET: u32 = 8;
}

impl<'a> Terms<'a> {
    /// Words of the head of an article without terms.
    pub(crate) const LEAST_HEAD_LEN: usize = HEAD_LEN;

    /// The terms that a head holds: the words that [`RecordBuf::head`] gave; more may follow.
    ///
    /// # Panics
    /// When it is no head.
    #[must_use]
    #[inline]
    pub(crate) fn new(words: &'a [u32]) -> Self {
        let (head, rest) = words.split_first_chunk::<HEAD_LEN>().expect("a head has its first words");
        let padded_len = (head[head::NUM_TERMS] as usize).next_multiple_of(LANES);
        let (padded_hashes, rest) = rest.split_at(padded_len);
        let bytes: &[u8] = bytemuck::cast_slice(&rest[..padded_len / 2]);
        let (padded_idf, padded_flags) = bytes.split_at(padded_len);
        Self { head, padded_hashes, padded_idf, padded_flags }
    }

    /// Words of the head that `words` begins with.
    #[must_use]
    pub(crate) fn head_len(words: &[u32]) -> usize {
        HEAD_LEN + (words[head::NUM_TERMS] as usize).next_multiple_of(LANES) * 3 / 2
    }

    /// Number of terms.
    #[must_use]
    pub fn len(&self) -> usize {
        self.head[head::NUM_TERMS] as usize
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Hashes of the stemmed tokens, in order of value.
    #[must_use]
    pub fn hashes(&self) -> &'a [u32] {
        &self.padded_hashes[..self.len()]
    }

    /// Each term's idf in sixteenths of a nat.
    #[must_use]
    pub fn idf(&self) -> &'a [u8] {
        &self.padded_idf[..self.len()]
    }

    /// The [`TokenFlags`] of all places of each term together.
    #[must_use]
    pub fn flags(&self) -> &'a [u8] {
        &self.padded_flags[..self.len()]
    }

    /// Hashes and idf with their filling.
    pub(crate) fn padded(&self) -> (&'a [u32], &'a [u8]) {
        (self.padded_hashes, self.padded_idf)
    }

    /// Content tokens of the article.
    #[must_use]
    pub fn content_len(&self) -> usize {
        self.head[head::CONTENT_LEN] as usize
    }

    /// Tokens of the body.
    #[must_use]
    pub fn num_tokens(&self) -> u32 {
        self.head[head::NUM_TOKENS]
    }

    /// Sums over all terms.
    #[must_use]
    pub(crate) fn sums(&self) -> TermSums {
        TermSums {
            num: self.head[head::NUM_TERMS],
            idf: self.head[head::IDF],
            idf_squares: self.head[head::IDF_SQUARES],
            num_rare: self.head[head::NUM_RARE],
        }
    }

    /// Terms that are a name at one of their places.
    #[must_use]
    pub fn num_names(&self) -> u32 {
        self.head[head::NUM_NAMES]
    }

    /// What orders two articles by length: content tokens, terms, tokens, shingles, figures.
    pub(crate) fn lengths(&self) -> [u32; 5] {
        [head::CONTENT_LEN, head::NUM_TERMS, head::NUM_TOKENS, head::NUM_SHINGLES, head::NUM_FIGURES]
            .map(|at| self.head[at])
    }

    fn has(&self, flag: u32) -> bool {
        self.head[head::FLAGS] & flag != 0
    }

    /// Whether the weights' language is that of the text; if not, only wording is compared.
    #[must_use]
    pub fn is_weighted(&self) -> bool {
        self.has(flag::WEIGHTED)
    }

    /// Whether headline or text says that it corrects an earlier version.
    #[must_use]
    pub fn says_correction(&self) -> bool {
        self.has(flag::CORRECTION)
    }

    /// When it was published, where known.
    #[must_use]
    pub fn published(&self) -> Option<Timestamp> {
        let [low, high] = [0, 1].map(|at| u64::from(self.head[head::PUBLISHED + at]));
        self.has(flag::PUBLISHED).then_some(Timestamp((high << 32 | low) as i64))
    }

    /// Hash of the outlet's name in lower case, where known.
    #[must_use]
    pub fn outlet(&self) -> Option<u32> {
        self.has(flag::OUTLET).then_some(self.head[head::OUTLET])
    }

    /// Words of the body that belongs to the head, in pairs.
    #[must_use]
    pub(crate) fn body_len(&self) -> usize {
        let len = |at: usize| self.head[at] as usize;
        let num_words = 2 * len(head::NUM_FIGURES) + len(head::NUM_SHINGLES) + len(head::TITLE_LEN);
        (4 * num_words + 3 * len(head::CONTENT_LEN) + 2 * len(head::NUM_SENTENCES)).div_ceil(8)
    }

    /// Whether it has a headline to compare.
    #[must_use]
    pub fn has_title(&self) -> bool {
        self.head[head::TITLE_LEN] > 0
    }
}

impl<'a> Record<'a> {
    /// The record of a head and the body that belongs to it; more words may follow either.
    ///
    /// # Panics
    /// When the two do not belong together.
    #[must_use]
    #[inline]
    pub(crate) fn new(head: &'a [u32], body: &'a [u32]) -> Self {
        Self::with_terms(Terms::new(head), body)
    }

    /// The record of terms that were read and their body.
    #[must_use]
    #[inline]
    pub(crate) fn with_terms(terms: Terms<'a>, body: &'a [u32]) -> Self {
        let len = |at: usize| terms.head[at] as usize;
        let (figures, rest) = body.split_at(2 * len(head::NUM_FIGURES));
        let (shingles, rest) = rest.split_at(len(head::NUM_SHINGLES));
        let (title, rest) = rest.split_at(len(head::TITLE_LEN));
        let halves: &[u16] = bytemuck::cast_slice(rest);
        let (content, halves) = halves.split_at(terms.content_len());
        let (sentence_ends, halves) = halves.split_at(len(head::NUM_SENTENCES));
        let content_flags = &bytemuck::cast_slice::<u16, u8>(halves)[..terms.content_len()];
        Self { terms, content, content_flags, sentence_ends, shingles, figures: bytemuck::cast_slice(figures), title }
    }

    /// The idf of a content token's term.
    #[must_use]
    #[inline]
    pub fn idf_of(&self, term: u16) -> u32 {
        u32::from(self.terms.padded_idf[usize::from(term)])
    }

    /// Words of the body, in pairs.
    #[must_use]
    pub(crate) fn body_len(&self) -> usize {
        self.terms.body_len()
    }

    /// The sentences with content tokens, as ranges of these.
    pub fn sentences(&self) -> impl Iterator<Item = std::ops::Range<usize>> {
        let starts = [0].into_iter().chain(self.sentence_ends.iter().copied());
        starts.zip(self.sentence_ends).map(|(start, end)| usize::from(start)..usize::from(*end))
    }
}

/// A record that holds its words, and what making the next one takes; reused, it allocates nothing.
#[derive(Clone, Debug)]
pub struct RecordBuf {
    head: Vec<u32>,
    /// Eight bytes each, for the figures that the body begins with.
    body: Vec<u64>,
    scratch: BuildScratch,
}

/// Scratch space for a record.
#[derive(Clone, Debug, Default)]
struct BuildScratch {
    stems: Vec<u64>,
    sorted_stems: Vec<u64>,
    sentences: Vec<u32>,
    folded: Vec<u32>,
    shingles: Vec<u32>,
    terms: Vec<(u32, u8)>,
    content: Vec<u16>,
    content_flags: Vec<u8>,
    sentence_ends: Vec<u16>,
}

impl Default for RecordBuf {
    fn default() -> Self {
        Self { head: vec![0; HEAD_LEN], body: Vec::new(), scratch: BuildScratch::default() }
    }
}

impl RecordBuf {
    /// The record of an article, its document and the document's shingle hashes.
    #[must_use]
    pub fn new(article: &Article, document: &Document<'_>, shingles: &[u64], profile: &Profile) -> Self {
        let mut record = Self::default();
        record.fill(article, document, shingles, profile);
        record
    }

    /// The record itself.
    #[must_use]
    pub fn record(&self) -> Record<'_> {
        Record::new(&self.head, bytemuck::cast_slice(&self.body))
    }

    /// A record of the same words.
    pub(crate) fn copied(&self) -> Self {
        Self { head: self.head.clone(), body: self.body.clone(), scratch: BuildScratch::default() }
    }

    /// Gives back what making a record took beside its words.
    pub(crate) fn drop_scratch(&mut self) {
        self.scratch = BuildScratch::default();
    }

    /// The words of the head.
    #[must_use]
    pub fn head(&self) -> &[u32] {
        &self.head
    }

    /// The words of the body, in pairs.
    #[must_use]
    pub fn body(&self) -> &[u64] {
        &self.body
    }

    /// Replaces the record by that of another article.
    pub fn fill(&mut self, article: &Article, document: &Document<'_>, shingles: &[u64], profile: &Profile) {
        let is_weighted = is_language(article, document, profile.weights());
        self.scratch.fill_content(&document.tokens, is_weighted);
        let BuildScratch { folded, shingles: sorted, .. } = &mut self.scratch;
        folded.clear();
        folded.extend(shingles.iter().copied().map(fold));
        sort_hashes(folded, sorted, |hash| hash >> 23);
        sorted.dedup();
        self.lay_out(&figures(document), &title_stems(article), |hashes, idf| {
            if is_weighted {
                // In a loop of their own the looks into the large table wait for memory together.
                for (idf, hash) in idf.iter_mut().zip(hashes) {
                    *idf = profile.weights().idf(*hash);
                }
            } else {
                // Without a table all tokens weigh the same.
                idf.fill(crate::profile::RARE_IDF);
            }
        });
        let numbers = &mut self.head;
        numbers[head::NUM_TOKENS] = document.tokens.len() as u32;
        let outlet = outlet(article, document).map(|name| hash_word(name.to_lowercase().as_bytes()) as u32);
        let published = article.published.map_or(0, |time| time.0 as u64);
        (numbers[head::PUBLISHED], numbers[head::PUBLISHED + 1]) = (published as u32, (published >> 32) as u32);
        numbers[head::OUTLET] = outlet.unwrap_or(0);
        for (flag, is_set) in [
            (flag::WEIGHTED, is_weighted),
            (flag::CORRECTION, says_correction(article, document)),
            (flag::PUBLISHED, article.published.is_some()),
            (flag::OUTLET, outlet.is_some()),
        ] {
            numbers[head::FLAGS] |= if is_set { flag } else { 0 };
        }
    }

    /// Lays terms, content and shingles of the scratch space out, with figures and headline; `weigh` fills in each term's
    /// idf. What else the head says is zero then.
    fn lay_out(&mut self, figures: &[u64], title: &[u32], weigh: impl FnOnce(&[u32], &mut [u8])) {
        let BuildScratch { shingles: sorted, terms, content, content_flags, sentence_ends, .. } = &self.scratch;
        let head = &mut self.head;
        let padded_len = terms.len().next_multiple_of(LANES);
        head.clear();
        head.resize(HEAD_LEN + padded_len * 3 / 2, 0);
        let (numbers, rest) = head.split_first_chunk_mut::<HEAD_LEN>().expect("made as long");
        let (hashes, rest) = rest.split_at_mut(padded_len);
        let (idf, flags) = bytemuck::cast_slice_mut::<u32, u8>(rest).split_at_mut(padded_len);
        hashes[terms.len()..].fill(u32::MAX);
        for (i, (hash, term_flags)) in terms.iter().enumerate() {
            hashes[i] = *hash;
            flags[i] = *term_flags;
        }
        weigh(&hashes[..terms.len()], &mut idf[..terms.len()]);
        numbers[head::NUM_TERMS] = terms.len() as u32;
        numbers[head::CONTENT_LEN] = content.len() as u32;
        numbers[head::NUM_SHINGLES] = sorted.len() as u32;
        numbers[head::NUM_FIGURES] = figures.len() as u32;
        sum_up(numbers, idf);
        numbers[head::NUM_NAMES] = flags.iter().filter(|flags| **flags & TokenFlags::NAME != 0).count() as u32;
        numbers[head::NUM_SENTENCES] = sentence_ends.len() as u32;
        numbers[head::TITLE_LEN] = title.len() as u32;

        let num_words = sorted.len() + title.len();
        let num_bytes = 8 * figures.len() + 4 * num_words + 2 * sentence_ends.len() + 3 * content.len();
        self.body.clear();
        self.body.resize(num_bytes.div_ceil(8), 0);
        let (of_figures, rest) = self.body.split_at_mut(figures.len());
        of_figures.copy_from_slice(figures);
        let (words, halves) = bytemuck::cast_slice_mut::<u64, u32>(rest).split_at_mut(num_words);
        words[..sorted.len()].copy_from_slice(sorted);
        words[sorted.len()..].copy_from_slice(title);
        let halves: &mut [u16] = bytemuck::cast_slice_mut(halves);
        let (of_content, halves) = halves.split_at_mut(content.len());
        of_content.copy_from_slice(content);
        let (ends, bytes) = halves.split_at_mut(sentence_ends.len());
        ends.copy_from_slice(sentence_ends);
        bytemuck::cast_slice_mut::<u16, u8>(bytes)[..content.len()].copy_from_slice(content_flags);
    }

    /// Replaces the record by a copy of one, given by its words, with its terms weighed by another table where they are
    /// weighed at all.
    pub(crate) fn weigh_anew(&mut self, head: &[u32], body: &[u64], table: &Weights) {
        self.head.clear();
        self.head.extend_from_slice(head);
        self.body.clear();
        self.body.extend_from_slice(body);
        let record = Record::new(head, bytemuck::cast_slice(body));
        if record.terms.is_weighted() {
            let (numbers, rest) = self.head.split_first_chunk_mut::<HEAD_LEN>().expect("a head");
            let idf = bytemuck::cast_slice_mut::<u32, u8>(&mut rest[record.terms.padded_hashes.len()..]);
            for (idf, hash) in idf.iter_mut().zip(record.terms.hashes()) {
                *idf = table.idf(*hash);
            }
            sum_up(numbers, &idf[..record.terms.padded_idf.len()]);
        }
    }
}

/// Fills in the sums over all terms.
fn sum_up(numbers: &mut [u32; HEAD_LEN], idf: &[u8]) {
    let sum = |of: fn(u32) -> u32| idf.iter().map(|idf| of(u32::from(*idf))).sum::<u32>();
    numbers[head::IDF] = sum(|idf| idf);
    numbers[head::IDF_SQUARES] = sum(|idf| idf * idf);
    numbers[head::NUM_RARE] = sum(|idf| u32::from(idf > u32::from(crate::profile::RARE_IDF)));
}

impl BuildScratch {
    /// Content tokens, the ends of sentences, and terms with their flags.
    fn fill_content(&mut self, tokens: &[Token], is_weighted: bool) {
        let Self { stems, sorted_stems, sentences, terms, content, content_flags, sentence_ends, .. } = self;
        // Hash above, place below: one integer sorts faster than two. Every token is written and only those kept are
        // counted: the processor need not guess which these are.
        stems.resize(tokens.len(), 0);
        sentences.resize(tokens.len(), 0);
        content_flags.resize(tokens.len(), 0);
        let mut num_kept = 0;
        for token in tokens {
            // The largest hash is the filling of the list.
            stems[num_kept] = u64::from(token.stem_hash.min(u32::MAX - 1)) << 16 | num_kept as u64;
            sentences[num_kept] = token.sentence;
            content_flags[num_kept] = token.flags.0;
            num_kept += usize::from(!(is_weighted & token.flags.has(TokenFlags::STOP)));
        }
        stems.truncate(num_kept);
        content_flags.truncate(num_kept);
        sentence_ends.clear();
        let ends = sentences[..num_kept].chunk_by(|a, b| a == b).scan(0, |end, sentence| {
            *end += sentence.len();
            Some(*end as u16)
        });
        sentence_ends.extend(ends);
        sort_hashes(stems, sorted_stems, |packed| (packed >> 39) as u32);
        terms.clear();
        terms.resize(num_kept, (0, 0));
        content.clear();
        content.resize(num_kept, 0);
        // Whether a token is the next term is written, not branched on: nobody could guess it.
        let (mut num_terms, mut last) = (0, u64::MAX);
        for packed in &*sorted_stems {
            let (hash, place) = (packed >> 16, usize::from(*packed as u16));
            let is_new = hash != last;
            last = hash;
            num_terms += usize::from(is_new);
            let term = &mut terms[num_terms - 1];
            let flags = if is_new { 0 } else { term.1 };
            *term = (hash as u32, flags | content_flags[place]);
            content[place] = (num_terms - 1) as u16;
        }
        terms.truncate(num_terms);
    }
}

/// Who tells it: whom a credit line `Source: …` names, else the feed's source, which may be a byline.
fn outlet<'a>(article: &'a Article, document: &'a Document<'_>) -> Option<&'a str> {
    const LABEL: &str = "source:";
    let label = |credit: &&String| credit.get(..LABEL.len()).is_some_and(|head| head.eq_ignore_ascii_case(LABEL));
    let named = document.credits.iter().find(label).map(|credit| credit[LABEL.len()..].trim());
    named.or_else(|| article.source.as_deref().map(str::trim)).filter(|name| !name.is_empty())
}

/// Fills `sorted` with the values in order. `top` gives the highest nine bits of the hash that a value begins with: as
/// hashes spread evenly, a counting sort by it leaves one or two values to a place, and few steps of an insertion sort to
/// take.
fn sort_hashes<T: Copy + Ord + Default>(values: &[T], sorted: &mut Vec<T>, top: impl Fn(T) -> u32) {
    // Values at one place beyond which insertion would take long.
    const CROWD: u16 = 64;
    let mut ends = [0u16; 512];
    // Fewer are sorted before the counts are summed up; more do not fit the counts.
    if (48..=usize::from(u16::MAX)).contains(&values.len()) {
        for value in values {
            ends[top(*value) as usize] += 1;
        }
    }
    if values.len() < 48
        || values.len() > usize::from(u16::MAX)
        || ends.iter().fold(0, |most, count| most.max(*count)) > CROWD
    {
        sorted.clear();
        sorted.extend_from_slice(values);
        sorted.sort_unstable();
        return;
    }
    let mut sum = 0;
    for end in &mut ends {
        // The start of the place for now; filling it moves it to the end.
        sum += std::mem::replace(end, sum);
    }
    sorted.resize(values.len(), T::default());
    for value in values {
        let end = &mut ends[top(*value) as usize];
        sorted[usize::from(*end)] = *value;
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
}

/// The distinct figures of a document by value.
fn figures(document: &Document<'_>) -> Vec<u64> {
    let mut figures: Vec<u64> = document
        .tokens
        .iter()
        .enumerate()
        .filter(|(i, token)| token.value > 0 && !is_conversion(document, *i))
        .map(|(_, token)| token.value)
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

/// CORRECTED, CORRECTION or REFILE in a headline or before the text, or a correction's formula at either edge of it.
fn says_correction(article: &Article, document: &Document<'_>) -> bool {
    let before = &document.text[..document.body.start];
    let titles = article.title.iter().chain(&article.slug).map(String::as_str);
    let in_title = titles.chain([before]).any(|title| {
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
        return primary_language(stated).eq_ignore_ascii_case(language);
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
    use crate::tests::tokens;

    fn record(text: &str) -> RecordBuf {
        let profile = Profile::default();
        let article = Article::new("1", text).with_title("UPDATE 2-Rain cuts roads");
        let document = Document::new(&article.text, 1000);
        RecordBuf::new(&article, &document, &crate::shingle::shingle_hashes(&document.tokens, 5), &profile)
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
        let buf =
            record("The rain cut the roads. The roads to Lima, 14 km (9 miles) away, were cut by 3 metres of rain.");
        let r = buf.record();
        assert!(r.terms.hashes().is_sorted_by(|a, b| a < b));
        let rain = r.content[0];
        assert_eq!(r.content.iter().filter(|term| **term == rain).count(), 2);
        assert_eq!(r.figures, [3_000, 14_000]);
        assert_eq!(r.title.len(), 3);
        assert!(r.terms.is_weighted() && r.terms.published().is_none());
        assert_eq!(r.terms.sums().idf, r.terms.idf().iter().map(|idf| u32::from(*idf)).sum::<u32>());
        let sentences: Vec<usize> = r.sentences().map(|sentence| sentence.len()).collect();
        assert_eq!(sentences, [3, r.content.len() - 3]);
        let [words, body] = [buf.head(), bytemuck::cast_slice(buf.body())];
        let longer = [words, &[7; 9]].concat();
        assert_eq!(Terms::head_len(&longer), words.len());
        assert_eq!(format!("{:?}", Record::new(&longer, &[body, &[7; 3]].concat())), format!("{r:?}"));
    }

    #[test]
    fn a_buffer_used_again_holds_nothing_of_before() {
        let long = "Rain fell on Lima for a fourth day. Two roads were cut, and 1,200 people left. ".repeat(9);
        let mut buf = record(&long);
        let profile = Profile::default();
        let article = Article::new("1", "The rain cut the roads.").with_title("UPDATE 2-Rain cuts roads");
        let document = Document::new(&article.text, 1000);
        buf.fill(&article, &document, &crate::shingle::shingle_hashes(&document.tokens, 5), &profile);
        let fresh = record(&article.text);
        assert_eq!((buf.head(), buf.body()), (fresh.head(), fresh.body()));
    }

    #[test]
    fn hashes_are_sorted_whatever_their_spread() {
        for (len, mask) in [(0, !0), (1, !0), (47, !0), (48, !0), (300, !0), (300, 0xff), (300, 0xff00_0003), (5000, 7)]
        {
            let values: Vec<u32> = (0..len).map(|i| crate::hash::mix64(i) as u32 & mask).collect();
            let mut expected = values.clone();
            expected.sort_unstable();
            let mut sorted = vec![1; 7];
            sort_hashes(&values, &mut sorted, |hash| hash >> 23);
            assert_eq!(sorted, expected);
        }
    }

    #[test]
    fn other_languages_are_not_weighted() {
        let german = "Der Regen hat am Montag die Straßen nach Lima unterbrochen, und die Menschen mussten mit Booten \
                      von den Dächern geholt werden, wie ein Sprecher der Provinz am Abend mitteilte.";
        assert!(!record(german).record().terms.is_weighted());
        assert!(
            !record("東京で雨が降り、道路が二本通行止めになったと県の担当者が述べた。").record().terms.is_weighted()
        );
    }

    #[test]
    fn an_empty_text_has_an_empty_record() {
        let buf = record("");
        let r = buf.record();
        assert!(r.content.is_empty() && r.shingles.is_empty() && r.figures.is_empty() && r.terms.is_empty());
        assert!(RecordBuf::default().record().content.is_empty());
    }

    #[test]
    fn what_is_known_of_a_text_as_a_whole() {
        let buf = record("The road to Lima was cut, and Lima waited for rain.");
        let r = buf.record();
        assert_eq!((r.terms.num_tokens(), r.terms.is_empty()), (11, false));
        // A name that stands twice is one.
        assert_eq!(r.terms.num_names(), 1);
        let idf: Vec<u32> = (0..r.terms.len() as u16).map(|term| r.idf_of(term)).collect();
        assert_eq!(idf, r.terms.idf().iter().map(|idf| u32::from(*idf)).collect::<Vec<u32>>());
        assert!(idf.iter().any(|value| *value != idf[0]));
    }

    #[test]
    fn a_record_weighed_anew_is_that_of_the_other_table() {
        let known = record("The rain cut the roads.");
        let counts: HashMap<u32, u32> = known.record().terms.hashes().iter().map(|hash| (*hash, 9)).collect();
        let table = Weights::from_counts("en", 1000, &counts, 1);
        let english = "The rain cut the roads to Lima, and the road to the port.";
        let german = "Der Regen hat am Montag die Straßen unterbrochen, wie ein Sprecher mitteilte.";
        for text in [english, german] {
            let (article, document) = (Article::new("1", text), Document::new(text, 1000));
            let made = |profile: &Profile| RecordBuf::new(&article, &document, &[], profile);
            let before = made(&Profile::default());
            let expected = made(&Profile::default().with_weights(table.clone()));
            let mut anew = RecordBuf::default();
            anew.weigh_anew(before.head(), before.body(), &table);
            assert_eq!((anew.head(), anew.body()), (expected.head(), expected.body()));
            assert_eq!(anew.head() != before.head(), before.record().terms.is_weighted());
        }
    }

    #[test]
    fn hashes_beyond_what_counts_hold_are_sorted_too() {
        let values: Vec<u32> = (0..70_000).map(|i| crate::hash::mix64(i) as u32).collect();
        let mut expected = values.clone();
        expected.sort_unstable();
        let mut sorted = Vec::new();
        sort_hashes(&values, &mut sorted, |hash| hash >> 23);
        assert!(sorted == expected);
    }

    #[test]
    fn a_figure_in_parentheses_behind_another_is_its_conversion() {
        let figures = |text: &str| record(text).record().figures.to_vec();
        assert_eq!(figures("The port is 14 kilometres downriver (9 miles) from Lima."), [14_000]);
        // Too far behind it, without parentheses, behind no figure, and of another sentence.
        assert_eq!(figures("The port is 14 kilometres downstream (9 miles) from Lima."), [9_000, 14_000]);
        assert_eq!(figures("The rain sank 3 of 14 boats off Lima."), [3_000, 14_000]);
        assert_eq!(figures("A party (9 members) has left Lima."), [9_000]);
        assert_eq!(figures("The rain fell for 14 days. (9 were cold.)"), [9_000, 14_000]);
    }

    #[test]
    fn a_correction_is_told_by_its_formula_alone() {
        let says = |text: &str| says_correction(&Article::new("1", text), &Document::new(text, 1000));
        // One double r, and two of them, with no other double letter.
        assert!(says("(Corrects a date.) Two roads to Lima are cut."));
        assert!(says("(Corrects name of ferry.) Two roads to Lima are cut."));
        assert!(!says("Two roads to Lima are cut; a ferry waits."));
    }

    /// By stop words, characters of other scripts, known words and letters, in this order.
    #[test]
    fn a_text_that_names_no_language_is_english_by_its_words_or_letters() {
        const GERMAN: &str = "Der Regen hat am Montag die Straßen unterbrochen, wie ein Sprecher mitteilte.";
        let counts: HashMap<u32, u32> = [(1, 1)].into_iter().collect();
        let table = Weights::from_counts("en", 10, &counts, 1);
        // A hundred tokens, of which some are stop words, some characters, some known to the table.
        let is_english = |text: &str, [num_stops, num_characters, num_known]: [u32; 3]| {
            let mut document = Document::new(text, 0);
            let token = |at: u32| {
                let stop = TokenFlags::STOP * u8::from(at < num_stops);
                let character = TokenFlags::CHARACTER * u8::from((num_stops..num_stops + num_characters).contains(&at));
                let hash = if at >= 100 - num_known { 1 } else { 2 + at };
                tokens::of_hash(hash, stop | character)
            };
            document.tokens = (0..100).map(token).collect();
            is_language(&Article::new("1", ""), &document, &table)
        };
        // Its letters say that it is German.
        assert!(is_english(GERMAN, [18, 0, 0]) && !is_english(GERMAN, [17, 0, 0]));
        assert!(is_english(GERMAN, [0, 0, 75]) && !is_english(GERMAN, [0, 0, 74]));
        // No letters say anything.
        assert!(is_english("", [0, 25, 0]) && !is_english("", [0, 26, 0]));
    }
}
