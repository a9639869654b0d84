//! What two vocabularies share, by idf and by number: all that the heads of two records tell of a pair.

use super::naming;
use crate::bits::{kernel, widest};
use crate::fixed::{ONE, ratio};
use crate::profile::RARE_IDF;
use crate::sketch::{LANES, TermSums, Terms};
use std::cmp::Ordering;

/// A measurement of something the texts lack.
pub(super) const NEUTRAL: i32 = ONE / 2;
/// Share of the shorter's weight below which a pair is not measured further: of 12,000 rewrites of the labelled sets
/// one in a hundred keeps less than .33.
const PREFILTER: i32 = ONE * 30 / 100;

/// What a pair may come to, as far as the heads of its records tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outlook {
    /// Neither a match nor a look-alike.
    Nothing,
    /// A look-alike at most.
    Link,
    /// A match.
    Match,
}

/// What [`measure`](super::measure) leaves open of a pair when it has read the heads. The order of the two does not matter.
#[must_use]
pub fn outlook(first: &Terms<'_>, second: &Terms<'_>) -> Outlook {
    let of = |shorter, longer| {
        let words = WordOverlap::new(shorter, longer);
        match words.shares_little() {
            false => Outlook::Match,
            true if words.may_be_one_event() => Outlook::Link,
            true => Outlook::Nothing,
        }
    };
    match first.lengths().cmp(&second.lengths()) {
        Ordering::Less => of(first, second),
        Ordering::Greater => of(second, first),
        // Which then counts as the shorter is not in the heads.
        Ordering::Equal => of(first, second).max(of(second, first)),
    }
}

/// Overlap of the terms, by idf and by number.
pub(super) struct WordOverlap {
    short: TermSums,
    long: TermSums,
    both: TermSums,
}

/// A share; neutral of nothing.
pub(super) fn or_neutral(num: u64, den: u64) -> i32 {
    if den == 0 { NEUTRAL } else { ratio(num, den) }
}

impl WordOverlap {
    pub(super) fn new(shorter: &Terms<'_>, longer: &Terms<'_>) -> Self {
        let (hashes, idf) = shorter.padded();
        let both = shared_sums(widest(), hashes, idf, longer.hashes());
        Self { short: shorter.sums(), long: longer.sums(), both }
    }

    /// Whether the pair is not worth a closer look.
    pub(super) fn shares_little(&self) -> bool {
        self.cover_shorter() < PREFILTER
    }

    /// Whether names are left to tell that the two are on one event.
    pub(super) fn may_be_one_event(&self) -> bool {
        self.cosine() >= naming::EVENT_COSINE && self.rare_cover() >= naming::EVENT_RARE
    }

    pub(super) fn jaccard(&self) -> i32 {
        ratio(self.both.idf.into(), (self.short.idf + self.long.idf - self.both.idf).into())
    }

    pub(super) fn cosine(&self) -> i32 {
        let squares = u64::from(self.short.idf_squares) * u64::from(self.long.idf_squares);
        ratio(self.both.idf_squares.into(), squares.isqrt())
    }

    pub(super) fn cover_shorter(&self) -> i32 {
        ratio(self.both.idf.into(), self.short.idf.into())
    }

    pub(super) fn cover_longer(&self) -> i32 {
        ratio(self.both.idf.into(), self.long.idf.into())
    }

    pub(super) fn common_cover(&self) -> i32 {
        let num_common = |sums: &TermSums| u64::from(sums.num - sums.num_rare);
        ratio(num_common(&self.both), num_common(&self.short))
    }

    pub(super) fn rare_cover(&self) -> i32 {
        or_neutral(self.both.num_rare.into(), self.short.num_rare.into())
    }

    pub(super) fn rare_jaccard(&self) -> i32 {
        let (both, all) = (self.both.num_rare, self.short.num_rare + self.long.num_rare);
        or_neutral(both.into(), (all - both).into())
    }
}

macro_rules! sum_shared {
    ($lanes:path, $hashes:ident, $idf:ident, $others:ident) => {
        sum_shared($hashes, $idf, $others)
    };
}
kernel! { pub(super) fn shared_sums(hashes: &[u32], idf: &[u8], others: &[u32]) -> TermSums = sum_shared; }

/// Sums over the terms of `hashes` that are also among `others`. Both are in order of value; `hashes` and `idf` are filled
/// up to a multiple of [`LANES`], the hashes with a value that is none.
///
/// A block of each is compared all against all, then the block that ends lower moves on, as when shingles are counted.
#[inline(always)]
fn sum_shared(hashes: &[u32], idf: &[u8], others: &[u32]) -> TermSums {
    let (blocks, _) = hashes.as_chunks::<LANES>();
    let (idf, _) = idf.as_chunks::<LANES>();
    let [mut num, mut sum, mut squares, mut rare] = [[0u32; LANES]; 4];
    let (mut i, mut j) = (0, 0);
    while i < blocks.len() && j < others.len() {
        let block = &blocks[i];
        // What differs least is equal where nothing differs: no comparison, whose outcomes would go through masks.
        let mut least = [u32::MAX; LANES];
        // Loops, no `for_each`: a function of the standard library that is not inlined knows no wide registers.
        let num_others = match others[j..].first_chunk::<LANES>() {
            Some(others) => {
                for other in others {
                    for lane in 0..LANES {
                        least[lane] = least[lane].min(block[lane] ^ other);
                    }
                }
                LANES
            }
            None => {
                for other in &others[j..] {
                    for lane in 0..LANES {
                        least[lane] = least[lane].min(block[lane] ^ other);
                    }
                }
                others.len() - j
            }
        };
        for lane in 0..LANES {
            let found = u32::from(least[lane] == 0);
            let idf = u32::from(idf[i][lane]) * found;
            num[lane] += found;
            sum[lane] += idf;
            squares[lane] += idf * idf;
            rare[lane] += u32::from(idf > u32::from(RARE_IDF));
        }
        let (last, other) = (block[LANES - 1], others[j + num_others - 1]);
        i += usize::from(last <= other);
        j += if other <= last { num_others } else { 0 };
    }
    let [num, idf, idf_squares, num_rare] = [num, sum, squares, rare].map(|lanes| lanes.iter().sum());
    TermSums { num, idf, idf_squares, num_rare }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::article::Article;
    use crate::bits::Width;
    use crate::hash::HashMap;
    use crate::profile::{Profile, Weights};
    use crate::sketch::RecordBuf;
    use crate::tests::tokens;
    use crate::text::Document;

    /// A record of terms by their hashes: those up to 100 are not rare by the table, the others are not in it.
    fn record(language: &str, hashes: impl IntoIterator<Item = u32>) -> RecordBuf {
        let counts: HashMap<u32, u32> = (1..=100).map(|hash| (hash, 4)).collect();
        let profile = Profile::default().with_weights(Weights::from_counts("en", 1000, &counts, 1));
        let mut document = Document::new("", 0);
        document.tokens = hashes.into_iter().map(|hash| tokens::of_hash(hash, 0)).collect();
        let article = Article { language: Some(language.into()), ..Article::new("1", "") };
        RecordBuf::new(&article, &document, &[], &profile)
    }

    #[test]
    fn a_share_of_nothing_is_neutral() {
        assert_eq!(
            [or_neutral(0, 0), or_neutral(0, 4), or_neutral(1, 4), or_neutral(4, 4)],
            [ONE / 2, 0, ONE / 4, ONE]
        );
    }

    #[test]
    fn words_are_shared_by_weight_and_by_kind() {
        // Two ordinary words and a rare one in both; two and four of the one alone, one and four of the other.
        let shorter = record("en", [1, 2, 3, 4, 101, 102, 103, 104, 105]);
        let longer = record("en", [1, 2, 9, 101, 201, 202, 203, 301]);
        let idf = shorter.record().terms.idf();
        let (common, rare) = (u64::from(idf[0]), u64::from(idf[8]));
        assert!(common < u64::from(RARE_IDF) && rare > u64::from(RARE_IDF));
        let words = WordOverlap::new(&shorter.record().terms, &longer.record().terms);
        let (both, short, long) = (2 * common + rare, 4 * common + 5 * rare, 3 * common + 5 * rare);
        assert_eq!(words.cover_shorter(), ratio(both, short));
        assert_eq!(words.cover_longer(), ratio(both, long));
        assert_eq!(words.jaccard(), ratio(both, 5 * common + 9 * rare));
        let square = |num_common: u64, num_rare: u64| num_common * common * common + num_rare * rare * rare;
        assert_eq!(words.cosine(), ratio(square(2, 1), (square(4, 5) * square(3, 5)).isqrt()));
        assert_eq!(words.common_cover(), ratio(2, 4));
        assert_eq!(words.rare_cover(), ratio(1, 5));
        assert_eq!(words.rare_jaccard(), ratio(1, 9));
    }

    #[test]
    fn heads_tell_what_a_pair_may_come_to() {
        let told = |first: &[u32], second: &[u32]| {
            let [first, second] = [first, second].map(|hashes| record("en", hashes.iter().copied()));
            let forth = outlook(&first.record().terms, &second.record().terms);
            assert_eq!(outlook(&second.record().terms, &first.record().terms), forth);
            forth
        };
        let story: Vec<u32> = (101..111).collect();
        let with = |shared: &[u32], num_others: u32| [shared, &(201..201 + num_others).collect::<Vec<u32>>()].concat();
        // Three words of ten; two, as rare as the others; one or none.
        assert_eq!(told(&story, &with(&[101, 102, 103], 10)), Outlook::Match);
        assert_eq!(told(&story, &with(&[101, 102], 10)), Outlook::Link);
        assert_eq!(told(&story, &with(&[], 12)), Outlook::Nothing);
        // One rare word in a long text: not alike. Ordinary words alone: alike, but on no event.
        assert_eq!(told(&story, &with(&[101], 199)), Outlook::Nothing);
        let ordinary: Vec<u32> = [1, 2].into_iter().chain(101..109).collect();
        assert_eq!(told(&ordinary, &with(&[1, 2], 9)), Outlook::Nothing);
    }

    /// Without a table all terms weigh as much as the limit of what is rare.
    #[test]
    fn a_text_shares_all_with_itself_whatever_its_words_weigh() {
        for language in ["de", "en"] {
            let record = record(language, [1, 2, 101, 102, 103]);
            let terms = record.record().terms;
            let (hashes, idf) = terms.padded();
            for width in Width::ALL {
                assert_eq!(shared_sums(width, hashes, idf, terms.hashes()), terms.sums(), "{language}");
            }
        }
    }
}
