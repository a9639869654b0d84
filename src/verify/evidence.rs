//! Candidate pair → evidence: what is measured on two compact records.
//!
//! Each measurement is one function from records to a number between 0 and 1 in 12-bit fixed point. *Shorter* and
//! *longer* are told by content tokens. Where a text lacks what is measured (no figures, no headline), the value is
//! neutral and says so.

use super::lcs::lcs_len;
use crate::fixed::{ONE, log2_q16, ratio, sqrt};
use crate::profile::{Measurement, NUM_MEASUREMENTS, RARE_IDF};
use crate::sketch::{ContentToken, Figure, Record};
use crate::text::TokenFlags;

/// Content tokens that make the lead.
pub const LEAD_LEN: usize = 40;
/// Content tokens within which a lead is looked for when leads are compared.
const LEAD_REACH: usize = 60;
/// Share of a sentence's weight that must stand in another for the two to be aligned.
const ALIGNED: i32 = ONE * 2 / 5;
/// Content tokens below which a sentence is not aligned: headings and interjections.
const MIN_SENTENCE: usize = 3;
/// A measurement of something the texts lack.
const NEUTRAL: i32 = ONE / 2;
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
    /// Terms of the longer that have a counterpart.
    shared: Vec<u16>,
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
    fn fill(&mut self, record: &Record) {
        self.starts.clear();
        self.starts.resize(record.vocabulary.len() + 2, 0);
        // Counts stand two places on, so that filling moves each start to where it belongs.
        for token in &record.content {
            self.starts[usize::from(token.term) + 2] += 1;
        }
        for i in 2..self.starts.len() {
            self.starts[i] += self.starts[i - 1];
        }
        self.sentences.clear();
        self.sentences.resize(record.content.len(), 0);
        for token in &record.content {
            let next = &mut self.starts[usize::from(token.term) + 1];
            self.sentences[*next as usize] = token.sentence;
            *next += 1;
        }
    }

    /// The sentences of a term; one in which it stands twice comes twice in a row.
    fn of(&self, term: u16) -> &[u16] {
        &self.sentences[self.starts[usize::from(term)] as usize..self.starts[usize::from(term) + 1] as usize]
    }
}

/// Share of the shorter's weight below which a pair is not measured further: of 12,000 rewrites of the labelled sets
/// one in a hundred keeps less than .33.
const PREFILTER: i32 = ONE * 30 / 100;
/// Share of words in the same order, and of words at all, below which a pair without copied text is not measured
/// further. Of the labelled rewrites that match one in a thousand keeps less of both; one with its paragraphs turned round
/// keeps the words.
const MIN_ORDER: i32 = ONE * 20 / 100;
const MIN_WORDS: i32 = ONE * 20 / 100;
/// Share of shingles from which text was copied rather than retold.
pub(super) const COPIED: i32 = ONE * 8 / 100;

/// Measures a pair. The order of the two does not change the values.
///
/// Cost: about 8 µs for two tellings of 300 words, 1.5 µs for a pair that shares little.
#[must_use]
pub fn measure(first: &Record, second: &Record, scratch: &mut Scratch) -> Evidence {
    let size = |r: &Record| (r.content.len(), r.vocabulary.len(), r.num_tokens, r.shingles.len(), r.figures.len());
    let first_is_shorter = size(first).cmp(&size(second)).then_with(|| first.shingles.cmp(&second.shingles)).is_le();
    let (shorter, longer) = if first_is_shorter { (first, second) } else { (second, first) };
    let mut values = [0; NUM_MEASUREMENTS];
    let mut set = |measurement: Measurement, value: i32| values[measurement as usize] = value.clamp(0, ONE);

    map_terms(shorter, longer, scratch);
    let words = word_overlap(shorter, longer, scratch);
    set(Measurement::WordJaccard, words.jaccard);
    set(Measurement::WordCosine, words.cosine);
    set(Measurement::CoverShorter, words.cover_shorter);
    set(Measurement::CoverLonger, words.cover_longer);
    set(Measurement::CommonCover, words.common_cover);
    set(Measurement::RareCover, words.rare_cover);
    set(Measurement::RareJaccard, words.rare_jaccard);
    set(Measurement::NameCover, words.name_cover);
    set(Measurement::NameJaccard, words.name_jaccard);
    if words.cover_shorter < PREFILTER {
        return Evidence { values, first_is_shorter, is_complete: false };
    }

    let shingles = overlap(&shorter.shingles, &longer.shingles);
    set(Measurement::ShingleJaccard, shingles.jaccard());
    set(Measurement::ShingleContainment, shingles.of_first());
    let (shorter_len, longer_len) = (shorter.content.len() as u64, longer.content.len() as u64);
    let lcs = common_subsequence(shorter, longer, scratch) as u64;
    set(Measurement::LcsShorter, ratio(lcs, shorter_len));
    set(Measurement::LcsBoth, ratio(2 * lcs, shorter_len + longer_len));
    if ratio(lcs, shorter_len) < MIN_ORDER && words.jaccard < MIN_WORDS && shingles.of_first() < COPIED {
        return Evidence { values, first_is_shorter, is_complete: false };
    }
    let (number_cover, number_jaccard) = figure_overlap(&shorter.figures, &longer.figures);
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

    let lead = |record: &Record| 0..record.content.len().min(LEAD_LEN);
    set(Measurement::LeadShorter, covered(shorter, lead(shorter), &scratch.shorter_map, |_| true));
    set(Measurement::LeadLonger, covered(longer, lead(longer), &scratch.longer_map, |_| true));
    let in_reach = |record: &Record, term: u16| usize::from(record.vocabulary[term as usize].first) < LEAD_REACH;
    let there = covered(shorter, lead(shorter), &scratch.shorter_map, |t| in_reach(longer, t));
    let back = covered(longer, lead(longer), &scratch.longer_map, |t| in_reach(shorter, t));
    set(Measurement::LeadBoth, (there + back) / 2);
    let tail = |record: &Record| record.content.len() * 2 / 3..record.content.len();
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

/// Fills the maps between the vocabularies, and the list of shared terms.
///
/// A merge of two sorted lists waits for each comparison before it knows what to compare next. Here the shorter's terms
/// are found by the highest bits of their hashes, so that the longer's are looked up independently of each other.
fn map_terms(shorter: &Record, longer: &Record, scratch: &mut Scratch) {
    let Scratch { shorter_map, longer_map, hashes, stretches, shared, .. } = scratch;
    let num_terms = shorter.vocabulary.len();
    hashes.clear();
    hashes.extend(shorter.vocabulary.iter().map(|term| term.hash));
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
    shorter_map.resize(num_terms, NONE);
    longer_map.clear();
    longer_map.resize(longer.vocabulary.len(), NONE);
    shared.clear();
    shared.resize(longer.vocabulary.len(), 0);
    let mut num_shared = 0;
    for (j, term) in longer.vocabulary.iter().enumerate() {
        // Whether another comes before, and whether a word is shared, are coin tosses for the processor: arithmetic, not
        // branches.
        let mut i = stretches[(term.hash >> shift) as usize];
        i += u16::from(hashes[usize::from(i)] < term.hash);
        i += u16::from(hashes[usize::from(i)] < term.hash);
        while hashes[usize::from(i)] < term.hash {
            i += 1;
        }
        let is_shared = (hashes[usize::from(i)] == term.hash) & (usize::from(i) < num_terms);
        longer_map[j] = if is_shared { i } else { NONE };
        shared[num_shared] = j as u16;
        num_shared += usize::from(is_shared);
    }
    shared.truncate(num_shared);
    for j in shared {
        shorter_map[usize::from(longer_map[usize::from(*j)])] = *j;
    }
}

struct WordOverlap {
    jaccard: i32,
    cosine: i32,
    cover_shorter: i32,
    cover_longer: i32,
    common_cover: i32,
    rare_cover: i32,
    rare_jaccard: i32,
    name_cover: i32,
    name_jaccard: i32,
}

/// idf-weighted Jaccard (p = 1), cosine (p = 2) and covers of the vocabularies; covers of the shorter's common and
/// rare words; overlap of names. Rare words and names that a text lacks are neutral.
fn word_overlap(shorter: &Record, longer: &Record, scratch: &Scratch) -> WordOverlap {
    let is_rare = |idf: u8| idf > RARE_IDF;
    let is_name = |flags: u8| flags & TokenFlags::NAME != 0;
    let mut sums = [[0u64; 5]; 3]; // shorter, longer, shared × idf, idf², rare, common, names
    let add = |sums: &mut [u64; 5], idf: u8, named: bool| {
        let weight = u64::from(idf);
        sums[0] += weight;
        sums[1] += weight * weight;
        sums[2] += u64::from(is_rare(idf));
        sums[3] += u64::from(!is_rare(idf));
        sums[4] += u64::from(named);
    };
    for (record, sums) in [shorter, longer].into_iter().zip(&mut sums) {
        for term in &record.vocabulary {
            add(sums, term.idf, is_name(term.flags));
        }
    }
    for j in &scratch.shared {
        let term = &shorter.vocabulary[usize::from(scratch.longer_map[usize::from(*j)])];
        let other = &longer.vocabulary[usize::from(*j)];
        add(&mut sums[2], term.idf, is_name(term.flags) && is_name(other.flags));
    }
    let [short, long, both] = sums;
    let or_neutral = |num: u64, den: u64| if den == 0 { NEUTRAL } else { ratio(num, den) };
    WordOverlap {
        jaccard: ratio(both[0], short[0] + long[0] - both[0]),
        cosine: ratio(both[1], sqrt(short[1] * long[1])),
        cover_shorter: ratio(both[0], short[0]),
        cover_longer: ratio(both[0], long[0]),
        common_cover: ratio(both[3], short[3]),
        rare_cover: or_neutral(both[2], short[2]),
        rare_jaccard: or_neutral(both[2], short[2] + long[2] - both[2]),
        name_cover: or_neutral(both[4], short[4]),
        name_jaccard: or_neutral(both[4], short[4] + long[4] - both[4]),
    }
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
    Overlap { first: first.len() as u64, second: second.len() as u64, shared: num_shared(first, second) }
}

/// Values in both of two sorted sets.
///
/// A block of each is compared all against all, then the block that ends lower moves on: eight comparisons of eight
/// lanes in place of up to sixteen that wait for each other.
#[multiversion::multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn num_shared(first: &[u32], second: &[u32]) -> u64 {
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
fn figure_overlap(shorter: &[Figure], longer: &[Figure]) -> (i32, i32) {
    if shorter.is_empty() || longer.is_empty() {
        return (NEUTRAL, NEUTRAL);
    }
    let weigh = |figures: &[Figure]| figures.iter().map(|f| u64::from(f.weight)).sum::<u64>();
    let shared: u64 = shorter.iter().filter(|f| longer.binary_search(f).is_ok()).map(|f| u64::from(f.weight)).sum();
    let (short, long) = (weigh(shorter), weigh(longer));
    (ratio(shared, short), ratio(shared, short + long - shared))
}

/// Length of the longest common subsequence of content tokens. Tokens without a counterpart take no part.
fn common_subsequence(shorter: &Record, longer: &Record, scratch: &mut Scratch) -> usize {
    let Scratch { shorter_map, longer_map, pattern, text, masks, .. } = scratch;
    keep_shared(&shorter.content, |term| term, shorter_map, pattern);
    keep_shared(&longer.content, |term| longer_map[usize::from(term)], longer_map, text);
    lcs_len(pattern.iter().copied(), text.iter().copied().map(Some), shorter.vocabulary.len(), masks)
}

/// The symbols of the tokens whose terms have a counterpart, in order; written without branches.
fn keep_shared(content: &[ContentToken], symbol: impl Fn(u16) -> u16, map: &[u16], kept: &mut Vec<u16>) {
    kept.clear();
    kept.resize(content.len(), 0);
    let mut num_kept = 0;
    for token in content {
        kept[num_kept] = symbol(token.term);
        num_kept += usize::from(map[usize::from(token.term)] != NONE);
    }
    kept.truncate(num_kept);
}

/// idf-weighted share of a stretch of content tokens whose counterpart exists and satisfies `accept`.
fn covered(record: &Record, stretch: std::ops::Range<usize>, map: &[u16], accept: impl Fn(u16) -> bool) -> i32 {
    let (mut all, mut found) = (0, 0);
    for token in &record.content[stretch] {
        let weight = u64::from(record.term(token).idf);
        let other = map[token.term as usize];
        all += weight;
        found += if other != NONE && accept(other) { weight } else { 0 };
    }
    ratio(found, all)
}

/// idf-weighted share of the shorter's quoted words that the longer quotes too, and of its other words that the longer
/// holds; neutral without quotes.
fn quote_cover(shorter: &Record, longer: &Record, map: &[u16]) -> (i32, i32) {
    let (mut plain, mut quoted) = ([0u64; 2], [0u64; 2]);
    for token in &shorter.content {
        let weight = u64::from(shorter.term(token).idf);
        let other = map[token.term as usize];
        let is_quoted = token.flags & TokenFlags::QUOTE != 0;
        let is_found = if is_quoted {
            other != NONE && longer.vocabulary[other as usize].flags & TokenFlags::QUOTE != 0
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

/// Share of the smaller headline's stems in the other headline; neutral when either is missing.
fn title_cover(shorter: &Record, longer: &Record) -> i32 {
    if shorter.title.is_empty() || longer.title.is_empty() {
        return NEUTRAL / 2;
    }
    overlap(&shorter.title, &longer.title).of_smaller()
}

/// Where both are of one outlet, the share of the shorter's shingles that the longer lacks, else 0: an outlet copies its
/// own earlier versions, and tells its next story in the same frame. Without headline or time a text's source may be a
/// collection, not an outlet.
fn told_anew(shorter: &Record, longer: &Record, shingle_containment: i32) -> i32 {
    let is_one_outlet = shorter.outlet.is_some() && shorter.outlet == longer.outlet;
    let is_article = |record: &Record| record.published.is_some() || !record.title.is_empty();
    i32::from(is_one_outlet && is_article(shorter) && is_article(longer)) * (ONE - shingle_containment)
}

/// Logarithm of the hours between the two, as a share of a year; some hours when not known.
fn time_apart(shorter: &Record, longer: &Record) -> i32 {
    match (shorter.published, longer.published) {
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
fn nearby_words(shorter: &Record, longer: &Record, scratch: &mut Scratch) -> NearbyWords {
    let Scratch { shorter_map, longer_map, shorter_shared, longer_shared, pairs, .. } = scratch;
    shared_tokens(shorter, |term| if shorter_map[usize::from(term)] == NONE { NONE } else { term }, shorter_shared);
    shared_tokens(longer, |term| longer_map[usize::from(term)], longer_shared);
    let num_terms = shorter.vocabulary.len();
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
fn shared_tokens(record: &Record, symbol: impl Fn(u16) -> u16, shared: &mut Vec<SharedToken>) {
    let far = SharedToken { place: u32::MAX, symbol: 0, idf: 0 };
    shared.clear();
    shared.resize(record.content.len() + NEARBY, far);
    let mut num_shared = 0;
    for (place, token) in record.content.iter().enumerate() {
        let symbol = symbol(token.term);
        let idf = record.term(token).idf;
        shared[num_shared] = SharedToken { place: place as u32, symbol: symbol % MAX_PAIRED as u16, idf };
        num_shared += usize::from(symbol != NONE);
    }
    shared[num_shared..].fill(far);
    shared.truncate(num_shared + NEARBY);
}

/// Weight of all pairs of content tokens within [`NEARBY`] of each other.
fn nearby_weight(record: &Record) -> u64 {
    let len = record.content.len();
    let num_pairs = |i: usize| (NEARBY.min(i) + NEARBY.min(len - 1 - i)) as u64;
    record.content.iter().enumerate().map(|(i, token)| u64::from(record.term(token).idf) * num_pairs(i)).sum()
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
fn align(shorter: &Record, longer: &Record, scratch: &mut Scratch) -> Alignment {
    let Scratch { shorter_map, longer_map, sentence_sums: sums, last_met, tails, places, .. } = scratch;
    places.fill(longer);
    tails.clear();
    last_met.clear();
    last_met.resize(shorter.vocabulary.len(), u32::MAX);
    let (mut all, mut found, mut num_sentences) = (0u64, 0u64, 0u64);
    let (mut figures, mut missing) = (0u64, 0u64);
    let mut first_score = None;
    for sentence in sentences(shorter) {
        sums.clear();
        sums.resize(num_sentences_of(longer), 0);
        let best = best_sentence(shorter, sentence, shorter_map, places, sums, last_met);
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
            for token in sentence.iter().filter(|t| t.flags & TokenFlags::NUMBER != 0) {
                figures += 1;
                missing += u64::from(shorter_map[token.term as usize] == NONE);
            }
        }
    }
    places.fill(shorter);
    let back_score = sentences(longer).next().map_or(0, |sentence| {
        sums.clear();
        sums.resize(num_sentences_of(shorter), 0);
        last_met.clear();
        last_met.resize(longer.vocabulary.len(), u32::MAX);
        let best = best_sentence(longer, sentence, longer_map, places, sums, last_met);
        ratio(best.shared, best.weight)
    });
    Alignment {
        cover: found.checked_div(all).unwrap_or(0) as i32,
        order: ratio(tails.len() as u64, num_sentences),
        facts_against: ratio(missing, figures),
        lead: (first_score.unwrap_or(0) + back_score) / 2,
    }
}

/// The sentences of a record that are long enough to align.
fn sentences(record: &Record) -> impl Iterator<Item = &[ContentToken]> {
    record.content.chunk_by(|a, b| a.sentence == b.sentence).filter(|s| s.len() >= MIN_SENTENCE)
}

/// Sentences of a record, short ones too.
fn num_sentences_of(record: &Record) -> usize {
    record.content.last().map_or(0, |token| usize::from(token.sentence) + 1)
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
    record: &Record,
    sentence: &[ContentToken],
    map: &[u16],
    places: &Places,
    sums: &mut [u32],
    last_met: &mut [u32],
) -> Best {
    let mut best = Best { weight: 0, shared: 0, place: 0 };
    let mut most = 0u32;
    for token in sentence {
        let met = &mut last_met[usize::from(token.term)];
        if std::mem::replace(met, u32::from(token.sentence)) == u32::from(token.sentence) {
            continue;
        }
        let idf = u32::from(record.term(token).idf);
        best.weight += u64::from(idf);
        let counterpart = map[usize::from(token.term)];
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
mod tests {
    use super::*;
    use crate::article::Article;
    use crate::profile::Profile;
    use crate::shingle::shingle_hashes;
    use crate::sketch::Term;
    use crate::tests::naive;
    use crate::text::Document;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn record(text: &str) -> Record {
        let profile = Profile::default();
        let article = Article::new("1", text);
        let document = Document::new(&article.text, 10_000);
        Record::new(&article, &document, &shingle_hashes(&document.tokens, 5), &profile)
    }

    const STORY: &str = "The ferry Santa Odilia ran aground off Batanes on Monday with 214 passengers aboard. Fishermen \
                         from Ivana brought most of them ashore. The coast guard said nobody was hurt, and that the \
                         captain had been asked to explain why the ship was two miles off its course.";

    #[test]
    fn a_text_is_like_itself() {
        let r = record(STORY);
        let e = measure(&r, &r, &mut Scratch::default());
        for measurement in [
            Measurement::ShingleJaccard,
            Measurement::WordJaccard,
            Measurement::WordCosine,
            Measurement::LcsBoth,
            Measurement::NumberJaccard,
            Measurement::SentenceOrder,
        ] {
            assert_eq!(e.value(measurement), ONE, "{measurement:?}");
        }
        assert_eq!(e.value(Measurement::FactsAgainst), 0);
    }

    #[test]
    fn changed_figures_speak_against() {
        let (a, b) = (record(STORY), record(&STORY.replace("214", "356").replace("two miles", "seven miles")));
        let e = measure(&a, &b, &mut Scratch::default());
        assert_eq!(e.value(Measurement::NumberJaccard), 0);
        assert_eq!(e.value(Measurement::FactsAgainst), ONE);
        assert!(e.value(Measurement::ShingleJaccard) > ONE / 2);
    }

    #[test]
    fn strangers_are_left_early() {
        let other =
            record("Wheat futures in Chicago closed lower as rain reached the plains, traders said, and funds sold.");
        let e = measure(&record(STORY), &other, &mut Scratch::default());
        assert!(!e.is_complete);
        let empty = Record::default();
        assert!(!measure(&empty, &empty, &mut Scratch::default()).is_complete);
    }

    #[test]
    fn the_order_of_the_pair_does_not_matter() {
        let (a, b) = (record(STORY), record(&STORY[..150]));
        let (there, back) = (measure(&a, &b, &mut Scratch::default()), measure(&b, &a, &mut Scratch::default()));
        assert_eq!(there.values, back.values);
        assert_ne!(there.first_is_shorter, back.first_is_shorter);
    }

    /// A record of words by number, all of idf 3.
    fn words(words: &[u16]) -> Record {
        let mut record = vocabulary(&words.iter().map(|word| u32::from(*word)).collect());
        for word in words {
            let term = record.vocabulary.partition_point(|term| term.hash < u32::from(*word)) as u16;
            record.content.push(ContentToken { term, sentence: 0, flags: 0 });
        }
        record.vocabulary.iter_mut().for_each(|term| term.idf = 3);
        record
    }

    proptest! {
        #[test]
        fn nearby_words_are_those_of_all_pairs(
            a in prop::collection::vec(0u16..30, 1..60),
            b in prop::collection::vec(0u16..30, 1..60),
        ) {
            let (first, second) = (words(&a), words(&b));
            let mut scratch = Scratch::default();
            map_terms(&first, &second, &mut scratch);
            let fast = nearby_words(&first, &second, &mut scratch);
            prop_assert_eq!(fast.of_shorter, naive::nearby(&a, &b, NEARBY));
            prop_assert_eq!(fast.of_longer, naive::nearby(&b, &a, NEARBY));
            prop_assert_eq!(fast.in_order, naive::neighbours(&a, &b));
        }
    }

    /// A record of nothing but a vocabulary.
    fn vocabulary(hashes: &BTreeSet<u32>) -> Record {
        let term = |hash: &u32| Term { hash: *hash, first: 0, idf: 1, count: 1, flags: 0 };
        Record { vocabulary: hashes.iter().map(term).collect(), ..Record::default() }
    }

    proptest! {
        #[test]
        fn maps_agree_with_searching(
            a in prop::collection::btree_set(any::<u32>(), 0..60),
            b in prop::collection::btree_set(any::<u32>(), 0..60),
            both in prop::collection::btree_set(prop_oneof![any::<u32>(), 0u32..40, Just(u32::MAX)], 0..60),
        ) {
            let (first, second) = (vocabulary(&(&a | &both)), vocabulary(&(&b | &both)));
            let mut scratch = Scratch::default();
            map_terms(&first, &second, &mut scratch);
            let search = |of: &Record, within: &Record| -> Vec<u16> {
                let place = |term: &Term| within.vocabulary.iter().position(|other| other.hash == term.hash);
                of.vocabulary.iter().map(|term| place(term).map_or(NONE, |at| at as u16)).collect()
            };
            prop_assert_eq!(&scratch.shorter_map, &search(&first, &second));
            prop_assert_eq!(&scratch.longer_map, &search(&second, &first));
            prop_assert!(scratch.shared.len() >= both.len());
        }

        #[test]
        fn overlaps_agree_with_sets(a in prop::collection::btree_set(0u32..40, 0..30), b in prop::collection::btree_set(0u32..40, 0..30)) {
            let list = |set: &BTreeSet<u32>| set.iter().copied().collect::<Vec<_>>();
            let got = overlap(&list(&a), &list(&b)).jaccard();
            prop_assert_eq!(got, (naive::jaccard(&a, &b) * f64::from(ONE)) as i32);
        }
    }
}
