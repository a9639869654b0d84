//! Candidate pair → evidence: what is measured on two compact records.
//!
//! Each measurement is one function from records to a number between 0 and 1 in 12-bit fixed point. *Shorter* and
//! *longer* are told by content tokens. Where a text lacks what is measured (no figures, no headline), the value is
//! neutral and says so.

use super::lcs::lcs_len;
use super::overlap::{NEUTRAL, WordOverlap, or_neutral};
use crate::bits::{kernel, pack_bits, widest};
use crate::fixed::{ONE, log2_q16, ratio};
use crate::profile::{Measurement, NUM_MEASUREMENTS};
use crate::sketch::{Record, Terms};
use crate::text::{TokenFlags, number_weight};
use std::ops::Range;

/// Content tokens that make the lead.
pub const LEAD_LEN: usize = 40;
/// Content tokens within which a lead is looked for when leads are compared.
const LEAD_REACH: usize = 60;
/// Share of a sentence's weight that must stand in another for the two to be aligned.
const ALIGNED: i32 = ONE * 2 / 5;
/// Content tokens below which a sentence is not aligned: headings and interjections.
const MIN_SENTENCE: usize = 3;
/// A time apart that is not known counts as some hours.
const UNKNOWN_TIME: i32 = ONE / 4;
/// Content tokens within which two words are nearby.
const NEARBY: usize = 4;
/// Distinct words told apart when pairs of them are looked for: in a text of more some stand for others.
const MAX_PAIRED: usize = 2048;
/// No counterpart.
const NONE: u16 = u16::MAX;

/// What was measured on a pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The measurements, in the order of [`Measurement::ALL`], each 0 to 4096.
    pub values: [i32; NUM_MEASUREMENTS],
    /// Whether the first of the two records is the shorter.
    pub first_is_shorter: bool,
    /// Whether all was measured: a pair that shares too little is not looked at further.
    pub is_complete: bool,
}

impl Evidence {
    /// One measurement, 0 to 4096.
    #[must_use]
    pub fn value(&self, measurement: Measurement) -> i32 {
        self.values[measurement as usize]
    }
}

/// Scratch space of one worker.
#[derive(Debug, Default)]
pub struct Scratch {
    /// Each term's counterpart in the other vocabulary, or [`NONE`].
    shorter_map: Vec<u16>,
    longer_map: Vec<u16>,
    /// Hashes of the shorter's terms, in order.
    hashes: Vec<u32>,
    /// First term of the shorter in each stretch of hashes.
    stretches: Vec<u16>,
    /// Hashes of the names of each.
    names: [Vec<u32>; 2],
    /// Terms of each that stand among its first content tokens.
    in_reach: [Vec<bool>; 2],
    pattern: Vec<u16>,
    text: Vec<u16>,
    masks: Vec<u64>,
    sentence_sums: Vec<u32>,
    /// By term the last sentence it was met in.
    last_met: Vec<u32>,
    /// Last sentences of increasing runs of counterparts, by length.
    tails: Vec<u16>,
    places: Places,
    shorter_shared: Vec<SharedToken>,
    longer_shared: Vec<SharedToken>,
    pairs: PairBits,
}

/// The sentences each term of a record stands in, in order: term `t` in `sentences[starts[t]..starts[t + 1]]`.
#[derive(Debug, Default)]
struct Places {
    starts: Vec<u32>,
    sentences: Vec<u16>,
}

impl Places {
    /// Lists the places of `record`, by counting.
    fn fill(&mut self, record: &Record<'_>) {
        self.starts.clear();
        self.starts.resize(record.terms.len() + 2, 0);
        // Counts stand two places on, so that filling moves each start to where it belongs.
        for term in record.content {
            self.starts[usize::from(*term) + 2] += 1;
        }
        for i in 2..self.starts.len() {
            self.starts[i] += self.starts[i - 1];
        }
        self.sentences.clear();
        self.sentences.resize(record.content.len(), 0);
        for (number, sentence) in record.sentences().enumerate() {
            for term in &record.content[sentence] {
                let next = &mut self.starts[usize::from(*term) + 1];
                self.sentences[*next as usize] = number as u16;
                *next += 1;
            }
        }
    }

    /// The sentences of a term; one in which it stands twice comes twice in a row.
    fn of(&self, term: u16) -> &[u16] {
        &self.sentences[self.starts[usize::from(term)] as usize..self.starts[usize::from(term) + 1] as usize]
    }
}

/// Share of words in the same order, and of words at all, below which a pair without copied text is not measured
/// further. Of the labelled rewrites that match one in a thousand keeps less of both; one with its paragraphs turned round
/// keeps the words.
const MIN_ORDER: i32 = ONE * 20 / 100;
const MIN_WORDS: i32 = ONE * 20 / 100;
/// Share of shingles from which text was copied rather than retold.
pub(super) const COPIED: i32 = ONE * 8 / 100;

/// Measures a pair. The order of the two does not change the values.
///
/// Cost: by length; of a pair that shares little nothing but the heads is read (`benches/verify.rs`).
#[must_use]
pub fn measure(first: &Record<'_>, second: &Record<'_>, scratch: &mut Scratch) -> Evidence {
    let (lengths, other) = (first.terms.lengths(), second.terms.lengths());
    let first_is_shorter = lengths.cmp(&other).then_with(|| first.shingles.cmp(second.shingles)).is_le();
    let (shorter, longer) = if first_is_shorter { (first, second) } else { (second, first) };
    let mut values = [0; NUM_MEASUREMENTS];
    let mut set = |measurement: Measurement, value: i32| values[measurement as usize] = value.clamp(0, ONE);

    let words = WordOverlap::new(&shorter.terms, &longer.terms);
    set(Measurement::WordJaccard, words.jaccard());
    set(Measurement::WordCosine, words.cosine());
    set(Measurement::CoverShorter, words.cover_shorter());
    set(Measurement::CoverLonger, words.cover_longer());
    set(Measurement::CommonCover, words.common_cover());
    set(Measurement::RareCover, words.rare_cover());
    set(Measurement::RareJaccard, words.rare_jaccard());
    let shares_little = words.shares_little();
    // Of a pair that shares little, names tell whether it may be on one event.
    if !shares_little || words.may_be_one_event() {
        let (name_cover, name_jaccard) = name_overlap(shorter, longer, &mut scratch.names);
        set(Measurement::NameCover, name_cover);
        set(Measurement::NameJaccard, name_jaccard);
    }
    if shares_little {
        return Evidence { values, first_is_shorter, is_complete: false };
    }

    map_terms(shorter, longer, scratch);
    let shingles = overlap(shorter.shingles, longer.shingles);
    set(Measurement::ShingleJaccard, shingles.jaccard());
    set(Measurement::ShingleContainment, shingles.of_first());
    let (shorter_len, longer_len) = (shorter.content.len() as u64, longer.content.len() as u64);
    let lcs = common_subsequence(shorter, longer, scratch) as u64;
    set(Measurement::LcsShorter, ratio(lcs, shorter_len));
    set(Measurement::LcsBoth, ratio(2 * lcs, shorter_len + longer_len));
    if ratio(lcs, shorter_len) < MIN_ORDER && words.jaccard() < MIN_WORDS && shingles.of_first() < COPIED {
        return Evidence { values, first_is_shorter, is_complete: false };
    }
    let (number_cover, number_jaccard) = figure_overlap(shorter.figures, longer.figures);
    set(Measurement::NumberCover, number_cover);
    set(Measurement::NumberJaccard, number_jaccard);

    let nearby = nearby_words(shorter, longer, scratch);
    set(Measurement::BigramCover, nearby.in_order);
    set(Measurement::NearbyShorter, nearby.of_shorter);
    set(Measurement::NearbyLonger, nearby.of_longer);
    let aligned = align(shorter, longer, scratch);
    set(Measurement::SentenceCover, aligned.cover);
    set(Measurement::SentenceOrder, aligned.order);
    set(Measurement::FactsAgainst, aligned.facts_against);
    set(Measurement::LeadSentence, aligned.lead);

    let lead = |record: &Record<'_>| 0..record.content.len().min(LEAD_LEN);
    let [shorter_reach, longer_reach] = &mut scratch.in_reach;
    fill_reach(shorter, shorter_reach);
    fill_reach(longer, longer_reach);
    set(Measurement::LeadShorter, covered(shorter, lead(shorter), &scratch.shorter_map, |_| true));
    set(Measurement::LeadLonger, covered(longer, lead(longer), &scratch.longer_map, |_| true));
    let there = covered(shorter, lead(shorter), &scratch.shorter_map, |t| longer_reach[usize::from(t)]);
    let back = covered(longer, lead(longer), &scratch.longer_map, |t| shorter_reach[usize::from(t)]);
    set(Measurement::LeadBoth, (there + back) / 2);
    let tail = |record: &Record<'_>| record.content.len() * 2 / 3..record.content.len();
    set(Measurement::TailShorter, covered(shorter, tail(shorter), &scratch.shorter_map, |_| true));
    set(Measurement::TailLonger, covered(longer, tail(longer), &scratch.longer_map, |_| true));
    let (quoted, unquoted) = quote_cover(shorter, longer, &scratch.shorter_map);
    set(Measurement::QuoteCover, quoted);
    set(Measurement::UnquotedCover, unquoted);

    set(Measurement::TitleCover, title_cover(shorter, longer));
    set(Measurement::LenRatio, ratio(shorter_len, longer_len));
    set(Measurement::LenShorter, (i64::from(log2_q16(shorter_len)) * i64::from(ONE) / (12 << 16)) as i32);
    set(Measurement::TimeApart, time_apart(shorter, longer));
    set(Measurement::ToldAnew, told_anew(shorter, longer, shingles.of_first()));
    Evidence { values, first_is_shorter, is_complete: true }
}

/// Marks the terms among the first content tokens.
fn fill_reach(record: &Record<'_>, in_reach: &mut Vec<bool>) {
    in_reach.clear();
    in_reach.resize(record.terms.len(), false);
    for term in &record.content[..record.content.len().min(LEAD_REACH)] {
        in_reach[usize::from(*term)] = true;
    }
}

/// Fills the maps between the terms.
///
/// A merge of two sorted lists waits for each comparison before it knows what to compare next. Here the shorter's terms
/// are found by the highest bits of their hashes, so that the longer's are looked up independently of each other.
fn map_terms(shorter: &Record<'_>, longer: &Record<'_>, scratch: &mut Scratch) {
    let Scratch { shorter_map, longer_map, hashes, stretches, .. } = scratch;
    let num_terms = shorter.terms.len();
    hashes.clear();
    hashes.extend_from_slice(shorter.terms.hashes());
    // Steps that go over the end stay on these.
    hashes.extend([u32::MAX; 3]);
    // Four stretches a term: one in eight terms has another before it in its stretch.
    let shift = ((num_terms as u32).next_power_of_two() * 4).leading_zeros() + 1;
    stretches.clear();
    stretches.resize(1 << (32 - shift), num_terms as u16);
    for (i, hash) in hashes[..num_terms].iter().enumerate().rev() {
        stretches[(hash >> shift) as usize] = i as u16;
    }
    shorter_map.clear();
    // One place more takes what has no counterpart, so that writing needs no branch.
    shorter_map.resize(num_terms + 1, NONE);
    longer_map.clear();
    longer_map.resize(longer.terms.len(), NONE);
    for (j, (hash, place)) in longer.terms.hashes().iter().zip(longer_map).enumerate() {
        // Whether another comes before, and whether a word is shared, are coin tosses for the processor: arithmetic, not
        // branches.
        let mut i = stretches[(hash >> shift) as usize];
        i += u16::from(hashes[usize::from(i)] < *hash);
        i += u16::from(hashes[usize::from(i)] < *hash);
        while hashes[usize::from(i)] < *hash {
            i += 1;
        }
        let is_shared = (hashes[usize::from(i)] == *hash) & (usize::from(i) < num_terms);
        *place = if is_shared { i } else { NONE };
        shorter_map[if is_shared { usize::from(i) } else { num_terms }] = j as u16;
    }
    shorter_map.truncate(num_terms);
}

/// Share of the shorter's names that the longer holds, and Jaccard; neutral without names.
fn name_overlap(shorter: &Record<'_>, longer: &Record<'_>, names: &mut [Vec<u32>; 2]) -> (i32, i32) {
    let [short, long] = [shorter, longer].map(|record| u64::from(record.terms.num_names()));
    if short + long == 0 {
        return (NEUTRAL, NEUTRAL);
    }
    for (record, names) in [shorter, longer].into_iter().zip(&mut *names) {
        names.clear();
        for (hashes, flags) in record.terms.hashes().chunks(64).zip(record.terms.flags().chunks(64)) {
            let mut is_name = [0; 64];
            for (is_name, flags) in is_name.iter_mut().zip(flags) {
                *is_name = u8::from(flags & TokenFlags::NAME != 0);
            }
            let mut bits = pack_bits(&is_name);
            while bits != 0 {
                names.push(hashes[bits.trailing_zeros() as usize]);
                bits &= bits - 1;
            }
        }
    }
    let both = num_shared(widest(), &names[0], &names[1]);
    (or_neutral(both, short), or_neutral(both, short + long - both))
}

/// Sizes of two sets and of what they share.
pub(super) struct Overlap {
    pub(super) first: u64,
    pub(super) second: u64,
    pub(super) shared: u64,
}

impl Overlap {
    /// Share of the union.
    pub(super) fn jaccard(&self) -> i32 {
        ratio(self.shared, self.first + self.second - self.shared)
    }

    /// Share of the first set that the second holds.
    pub(super) fn of_first(&self) -> i32 {
        ratio(self.shared, self.first)
    }

    /// Share of the smaller set that the larger holds.
    fn of_smaller(&self) -> i32 {
        ratio(self.shared, self.first.min(self.second))
    }
}

/// Overlap of two sorted sets.
pub(super) fn overlap(first: &[u32], second: &[u32]) -> Overlap {
    Overlap { first: first.len() as u64, second: second.len() as u64, shared: num_shared(widest(), first, second) }
}

macro_rules! count_shared {
    ($lanes:path, $first:ident, $second:ident) => {
        count_shared($first, $second)
    };
}
kernel! { fn num_shared(first: &[u32], second: &[u32]) -> u64 = count_shared; }

/// Values in both of two sorted sets.
///
/// A block of each is compared all against all, then the block that ends lower moves on: eight comparisons of eight
/// lanes in place of up to sixteen that wait for each other.
#[inline(always)]
fn count_shared(first: &[u32], second: &[u32]) -> u64 {
    const BLOCK: usize = 8;
    let (mut i, mut j) = (0, 0);
    let mut counts = [0u32; BLOCK];
    while let (Some(a), Some(b)) = (first[i..].first_chunk::<BLOCK>(), second[j..].first_chunk::<BLOCK>()) {
        for value in b {
            for lane in 0..BLOCK {
                counts[lane] += u32::from(a[lane] == *value);
            }
        }
        let (a, b) = (a[BLOCK - 1], b[BLOCK - 1]);
        i += if a <= b { BLOCK } else { 0 };
        j += if b <= a { BLOCK } else { 0 };
    }
    let mut shared: u64 = counts.iter().map(|count| u64::from(*count)).sum();
    while i < first.len() && j < second.len() {
        let (a, b) = (first[i], second[j]);
        shared += u64::from(a == b);
        i += usize::from(a <= b);
        j += usize::from(b <= a);
    }
    shared
}

/// Weighted share of the shorter's figures that the longer holds, and weighted Jaccard; neutral when either has none.
fn figure_overlap(shorter: &[u64], longer: &[u64]) -> (i32, i32) {
    if shorter.is_empty() || longer.is_empty() {
        return (NEUTRAL, NEUTRAL);
    }
    let weigh = |figures: &[u64]| figures.iter().map(|value| u64::from(number_weight(*value))).sum::<u64>();
    let is_shared = |value: &&u64| longer.binary_search(value).is_ok();
    let shared: u64 = shorter.iter().filter(is_shared).map(|value| u64::from(number_weight(*value))).sum();
    let (short, long) = (weigh(shorter), weigh(longer));
    (ratio(shared, short), ratio(shared, short + long - shared))
}

/// Length of the longest common subsequence of content tokens. Tokens without a counterpart take no part.
fn common_subsequence(shorter: &Record<'_>, longer: &Record<'_>, scratch: &mut Scratch) -> usize {
    let Scratch { shorter_map, longer_map, pattern, text, masks, .. } = scratch;
    keep_shared(shorter.content, |term| term, shorter_map, pattern);
    keep_shared(longer.content, |term| longer_map[usize::from(term)], longer_map, text);
    lcs_len(pattern.iter().copied(), text.iter().copied().map(Some), shorter.terms.len(), masks)
}

/// The symbols of the tokens whose terms have a counterpart, in order; written without branches.
fn keep_shared(content: &[u16], symbol: impl Fn(u16) -> u16, map: &[u16], kept: &mut Vec<u16>) {
    kept.clear();
    kept.resize(content.len(), 0);
    let mut num_kept = 0;
    for term in content {
        kept[num_kept] = symbol(*term);
        num_kept += usize::from(map[usize::from(*term)] != NONE);
    }
    kept.truncate(num_kept);
}

/// idf-weighted share of a stretch of content tokens whose counterpart exists and satisfies `accept`.
fn covered(record: &Record<'_>, stretch: Range<usize>, map: &[u16], accept: impl Fn(u16) -> bool) -> i32 {
    let (mut all, mut found) = (0, 0);
    for term in &record.content[stretch] {
        let weight = u64::from(record.idf_of(*term));
        let other = map[usize::from(*term)];
        all += weight;
        found += if other != NONE && accept(other) { weight } else { 0 };
    }
    ratio(found, all)
}

/// idf-weighted share of the shorter's quoted words that the longer quotes too, and of its other words that the longer
/// holds; neutral without quotes.
fn quote_cover(shorter: &Record<'_>, longer: &Record<'_>, map: &[u16]) -> (i32, i32) {
    let (mut plain, mut quoted) = ([0u64; 2], [0u64; 2]);
    for (term, flags) in shorter.content.iter().zip(shorter.content_flags) {
        let weight = u64::from(shorter.idf_of(*term));
        let other = map[usize::from(*term)];
        let is_quoted = flags & TokenFlags::QUOTE != 0;
        let is_found = if is_quoted {
            other != NONE && longer.terms.flags()[usize::from(other)] & TokenFlags::QUOTE != 0
        } else {
            other != NONE
        };
        let sums = if is_quoted { &mut quoted } else { &mut plain };
        sums[0] += weight;
        sums[1] += weight * u64::from(is_found);
    }
    let quote_value = if quoted[0] == 0 { NEUTRAL } else { ratio(quoted[1], quoted[0]) };
    (quote_value, ratio(plain[1], plain[0]))
}

/// Share of the smaller headline's stems in the other headline; a quarter when either is missing.
fn title_cover(shorter: &Record<'_>, longer: &Record<'_>) -> i32 {
    if shorter.title.is_empty() || longer.title.is_empty() {
        return NEUTRAL / 2;
    }
    overlap(shorter.title, longer.title).of_smaller()
}

/// Where both are of one outlet, the share of the shorter's shingles that the longer lacks, else 0: an outlet copies its
/// own earlier versions, and tells its next story in the same frame. Not so where it corrects itself. Without headline or
/// time a text's source may be a collection, not an outlet.
fn told_anew(shorter: &Record<'_>, longer: &Record<'_>, shingle_containment: i32) -> i32 {
    let (shorter, longer) = (&shorter.terms, &longer.terms);
    let is_one_outlet = shorter.outlet().is_some() && shorter.outlet() == longer.outlet();
    let is_article = |terms: &Terms<'_>| !terms.says_correction() && (terms.published().is_some() || terms.has_title());
    i32::from(is_one_outlet && is_article(shorter) && is_article(longer)) * (ONE - shingle_containment)
}

/// Logarithm of the hours between the two, as a share of a year; some hours when not known.
fn time_apart(shorter: &Record<'_>, longer: &Record<'_>) -> i32 {
    match (shorter.terms.published(), longer.terms.published()) {
        (Some(a), Some(b)) => {
            let hours = a.0.abs_diff(b.0) / 3600;
            (i64::from(log2_q16(1 + hours)) * i64::from(ONE) / (13 << 16)) as i32
        }
        _ => UNKNOWN_TIME,
    }
}

/// What stands side by side in both texts.
struct NearbyWords {
    /// Of the shorter's pairs of content tokens within [`NEARBY`] of each other the share, weighted by idf, that stand so
    /// near in the longer too, in either order.
    of_shorter: i32,
    /// The same of the longer's.
    of_longer: i32,
    /// Of the shorter's neighbours the share that are neighbours in the longer, in the same order.
    in_order: i32,
}

/// A content token whose term stands in the other text too.
#[derive(Clone, Copy, Debug, Default)]
struct SharedToken {
    /// Its index among the content tokens.
    place: u32,
    /// Its term in the shorter's vocabulary, modulo [`MAX_PAIRED`].
    symbol: u16,
    idf: u8,
}

/// Which pairs of terms a text has, a bit a pair.
#[derive(Debug, Default)]
struct PairBits {
    row_len: usize,
    bits: Vec<u64>,
}

impl PairBits {
    fn clear(&mut self, num_terms: usize) {
        let num_terms = num_terms.min(MAX_PAIRED);
        self.row_len = num_terms.next_multiple_of(64);
        self.bits.clear();
        self.bits.resize(num_terms * self.row_len / 64, 0);
    }

    /// Word and bit of a pair.
    fn place(&self, row: u16, column: u16) -> (usize, usize) {
        let bit = usize::from(row) * self.row_len + usize::from(column);
        (bit / 64, bit % 64)
    }

    /// Notes a text's pairs of nearby terms, whichever comes first.
    fn note_nearby(&mut self, tokens: &[SharedToken]) {
        for_each_pair::<NEARBY>(tokens, |first, second, distance| {
            let (word, bit) = self.place(first.symbol.min(second.symbol), first.symbol.max(second.symbol));
            self.bits[word] |= u64::from(distance <= NEARBY) << bit;
        });
    }

    /// Weight of another text's nearby terms that are nearby here.
    fn weigh_nearby(&self, tokens: &[SharedToken]) -> u64 {
        let mut weight = 0;
        for_each_pair::<NEARBY>(tokens, |first, second, distance| {
            let (word, bit) = self.place(first.symbol.min(second.symbol), first.symbol.max(second.symbol));
            let counts = u64::from(distance <= NEARBY) & u64::from(first.symbol != second.symbol);
            weight += (self.bits[word] >> bit & counts) * (u64::from(first.idf) + u64::from(second.idf));
        });
        weight
    }

    /// Notes a text's neighbours in their order.
    fn note_neighbours(&mut self, tokens: &[SharedToken]) {
        for_each_pair::<1>(tokens, |first, second, distance| {
            let (word, bit) = self.place(first.symbol, second.symbol);
            self.bits[word] |= u64::from(distance == 1) << bit;
        });
    }

    /// Number of another text's neighbours that are neighbours here.
    fn count_neighbours(&self, tokens: &[SharedToken]) -> u64 {
        let mut count = 0;
        for_each_pair::<1>(tokens, |first, second, distance| {
            let (word, bit) = self.place(first.symbol, second.symbol);
            count += self.bits[word] >> bit & u64::from(distance == 1);
        });
        count
    }
}

/// Calls `each` with every token, each of the `REACH` after it, and how far apart the two are. Many lie too far apart;
/// leaving that to arithmetic is faster than to a branch. The list ends in [`NEARBY`] tokens that are far from any.
#[inline(always)]
fn for_each_pair<const REACH: usize>(tokens: &[SharedToken], mut each: impl FnMut(SharedToken, SharedToken, usize)) {
    for window in tokens[..tokens.len() - NEARBY + REACH].windows(REACH + 1) {
        for next in &window[1..] {
            each(window[0], *next, next.place as usize - window[0].place as usize);
        }
    }
}

/// Compares which words stand near each other. A retelling keeps words together that a rival telling of the event spreads
/// over other sentences.
fn nearby_words(shorter: &Record<'_>, longer: &Record<'_>, scratch: &mut Scratch) -> NearbyWords {
    let Scratch { shorter_map, longer_map, shorter_shared, longer_shared, pairs, .. } = scratch;
    shared_tokens(shorter, |term| if shorter_map[usize::from(term)] == NONE { NONE } else { term }, shorter_shared);
    shared_tokens(longer, |term| longer_map[usize::from(term)], longer_shared);
    let num_terms = shorter.terms.len();
    pairs.clear(num_terms);
    pairs.note_nearby(longer_shared);
    let of_shorter = pairs.weigh_nearby(shorter_shared);
    pairs.clear(num_terms);
    pairs.note_nearby(shorter_shared);
    let of_longer = pairs.weigh_nearby(longer_shared);
    pairs.clear(num_terms);
    pairs.note_neighbours(longer_shared);
    let in_order = pairs.count_neighbours(shorter_shared);
    NearbyWords {
        of_shorter: ratio(of_shorter, nearby_weight(shorter)),
        of_longer: ratio(of_longer, nearby_weight(longer)),
        in_order: ratio(in_order, shorter.content.len().saturating_sub(1) as u64),
    }
}

/// Lists the tokens that have a counterpart, by its symbol; written without branches.
fn shared_tokens(record: &Record<'_>, symbol: impl Fn(u16) -> u16, shared: &mut Vec<SharedToken>) {
    let far = SharedToken { place: u32::MAX, symbol: 0, idf: 0 };
    shared.clear();
    shared.resize(record.content.len() + NEARBY, far);
    let mut num_shared = 0;
    for (place, term) in record.content.iter().enumerate() {
        let symbol = symbol(*term);
        let idf = record.idf_of(*term) as u8;
        shared[num_shared] = SharedToken { place: place as u32, symbol: symbol % MAX_PAIRED as u16, idf };
        num_shared += usize::from(symbol != NONE);
    }
    shared[num_shared..].fill(far);
    shared.truncate(num_shared + NEARBY);
}

/// Weight of all pairs of content tokens within [`NEARBY`] of each other.
fn nearby_weight(record: &Record<'_>) -> u64 {
    let len = record.content.len();
    let num_pairs = |i: usize| (NEARBY.min(i) + NEARBY.min(len - 1 - i)) as u64;
    record.content.iter().enumerate().map(|(i, term)| u64::from(record.idf_of(*term)) * num_pairs(i)).sum()
}

/// What aligning sentences shows.
pub(super) struct Alignment {
    /// Mean share of each of the shorter's sentences found in its best counterpart, weighted by idf.
    cover: i32,
    /// Longest run of the shorter's sentences whose counterparts stand in order, over all its sentences.
    order: i32,
    /// Of the figures in aligned sentences, the share that the other text lacks altogether: templates reuse the frame
    /// and change the figures.
    facts_against: i32,
    /// Mean of how well each article's first sentence is found in one sentence of the other.
    lead: i32,
}

/// Aligns each sentence of the shorter with the sentence of the longer that holds most of its weight.
fn align(shorter: &Record<'_>, longer: &Record<'_>, scratch: &mut Scratch) -> Alignment {
    let Scratch { shorter_map, longer_map, sentence_sums: sums, last_met, tails, places, .. } = scratch;
    places.fill(longer);
    tails.clear();
    last_met.clear();
    last_met.resize(shorter.terms.len(), u32::MAX);
    let (mut all, mut found, mut num_sentences) = (0u64, 0u64, 0u64);
    let (mut figures, mut missing) = (0u64, 0u64);
    let mut first_score = None;
    for (number, sentence) in long_sentences(shorter) {
        sums.clear();
        sums.resize(longer.sentence_ends.len(), 0);
        let best = best_sentence(shorter, (number, &sentence), shorter_map, places, sums, last_met);
        let score = ratio(best.shared, best.weight);
        first_score.get_or_insert(score);
        num_sentences += 1;
        all += best.weight;
        found += best.weight * score as u64;
        if score >= ALIGNED {
            let at = tails.partition_point(|tail| *tail <= best.place);
            match tails.get_mut(at) {
                Some(tail) => *tail = best.place,
                None => tails.push(best.place),
            }
            let tokens = shorter.content[sentence.clone()].iter().zip(&shorter.content_flags[sentence]);
            for (term, _) in tokens.filter(|(_, flags)| **flags & TokenFlags::NUMBER != 0) {
                figures += 1;
                missing += u64::from(shorter_map[usize::from(*term)] == NONE);
            }
        }
    }
    places.fill(shorter);
    let back_score = long_sentences(longer).next().map_or(0, |(number, sentence)| {
        sums.clear();
        sums.resize(shorter.sentence_ends.len(), 0);
        last_met.clear();
        last_met.resize(longer.terms.len(), u32::MAX);
        let best = best_sentence(longer, (number, &sentence), longer_map, places, sums, last_met);
        ratio(best.shared, best.weight)
    });
    Alignment {
        cover: found.checked_div(all).unwrap_or(0) as i32,
        order: ratio(tails.len() as u64, num_sentences),
        facts_against: ratio(missing, figures),
        lead: (first_score.unwrap_or(0) + back_score) / 2,
    }
}

/// The sentences of a record that are long enough to align, with their numbers.
fn long_sentences(record: &Record<'_>) -> impl Iterator<Item = (u32, Range<usize>)> {
    (0..).zip(record.sentences()).filter(|(_, sentence)| sentence.len() >= MIN_SENTENCE)
}

/// A sentence and its counterpart in another text.
struct Best {
    /// Weight of the sentence.
    weight: u64,
    /// The most of it that stands in one sentence of the other text.
    shared: u64,
    /// Which that is, the first of equals.
    place: u16,
}

/// Finds a sentence's counterpart. `places` are the other text's, `sums` has a zero for each of its sentences, and
/// `last_met` is shared by the sentences of one record.
fn best_sentence(
    record: &Record<'_>,
    (number, sentence): (u32, &Range<usize>),
    map: &[u16],
    places: &Places,
    sums: &mut [u32],
    last_met: &mut [u32],
) -> Best {
    let mut best = Best { weight: 0, shared: 0, place: 0 };
    let mut most = 0u32;
    for term in &record.content[sentence.clone()] {
        let met = &mut last_met[usize::from(*term)];
        if std::mem::replace(met, number) == number {
            continue;
        }
        let idf = record.idf_of(*term);
        best.weight += u64::from(idf);
        let counterpart = map[usize::from(*term)];
        if counterpart == NONE {
            continue;
        }
        let mut last = None;
        for place in places.of(counterpart) {
            if last == Some(place) {
                continue;
            }
            last = Some(place);
            // Sums only grow, so the highest is met at its last step.
            let sum = &mut sums[usize::from(*place)];
            *sum += idf;
            if *sum > most || (*sum == most && *place < best.place) {
                (most, best.place) = (*sum, *place);
            }
        }
    }
    best.shared = u64::from(most);
    best
}

#[cfg(test)]
mod tests;
