//! Document-frequency tables: how many articles of a reference feed hold a token, and the idf weight that follows.
//!
//! A table is counts only, under 32-bit hashes of stemmed tokens: no text of the feed can be read back from it.
//! `docs/format.md` describes the file byte by byte.

use crate::article::primary_language;
use crate::error::{Error, Result};
use crate::fixed::ln_q16;
use crate::hash::{HashMap, hash64};
use std::sync::{Arc, LazyLock};

const MAGIC: &[u8; 4] = b"SSWT";
const VERSION: u32 = 1;
/// Seed of the file's checksum.
const CHECKSUM_SEED: u64 = 0x5353_5754;

/// idf is held in sixteenths of a nat: 0 to 15.9.
pub const IDF_ONE: u8 = 16;

/// The idf, in sixteenths of a nat, above which a token is rare: an anchor.
pub const RARE_IDF: u8 = 6 * IDF_ONE;

/// Bytes of a language.
const MAX_LANGUAGE_LEN: usize = 8;

/// A frozen document-frequency table of one language.
#[derive(Clone, Debug)]
pub struct Weights {
    language: String,
    num_articles: u64,
    counts: Vec<(u32, u32)>,
    idf: IdfTable,
    unseen: u8,
    checksum: u64,
}

impl Weights {
    /// Seed of a file's checksum, for those who forge one.
    #[cfg(any(test, fuzzing))]
    pub(crate) const CHECKSUM_SEED: u64 = CHECKSUM_SEED;

    /// The English table that ships with the library.
    #[must_use]
    pub fn english() -> Arc<Self> {
        static TABLE: LazyLock<Arc<Weights>> = LazyLock::new(|| {
            let table = Weights::from_bytes("en", include_bytes!("builtin/en.weights"));
            Arc::new(table.expect("the table in the source tree is whole: a test reads it"))
        });
        Arc::clone(&TABLE)
    }

    /// A table from counts of articles by token hash; tokens of fewer than `min_count` articles are left out. Of the
    /// language's tag the primary subtag is kept, in small letters: it has eight at most.
    #[must_use]
    pub fn from_counts(language: &str, num_articles: u64, counts: &HashMap<u32, u32>, min_count: u32) -> Self {
        let mut counts: Vec<(u32, u32)> =
            counts.iter().filter(|(_, c)| **c >= min_count).map(|(h, c)| (*h, *c)).collect();
        counts.sort_unstable();
        let letters = primary_language(language).bytes().filter(u8::is_ascii_alphanumeric).take(MAX_LANGUAGE_LEN);
        let language = letters.map(|letter| char::from(letter.to_ascii_lowercase())).collect();
        Self::build(language, num_articles, counts)
    }

    fn build(language: String, num_articles: u64, counts: Vec<(u32, u32)>) -> Self {
        // Most words are rare, and share their counts: logarithms take long.
        let mut known = [0; 256];
        let mut idf_of_count = |count: u32| match known.get_mut(count as usize) {
            Some(idf) if *idf > 0 => *idf,
            Some(idf) => {
                *idf = idf_of(num_articles, count);
                *idf
            }
            None => idf_of(num_articles, count),
        };
        let idf = IdfTable::new(counts.iter().map(|(hash, count)| (*hash, idf_of_count(*count))));
        let mut table = Self { language, num_articles, counts, idf, unseen: idf_of(num_articles, 1), checksum: 0 };
        let bytes = table.to_bytes();
        table.checksum = u64::from_le_bytes(bytes[bytes.len() - 8..].try_into().expect("eight bytes"));
        table
    }

    /// Reads a table.
    ///
    /// # Errors
    /// [`Error::Weights`] when the bytes are cut, damaged, unsorted, or of another version.
    pub fn from_bytes(name: &str, bytes: &[u8]) -> Result<Self> {
        let bad = |reason: &str| Error::Weights { name: name.to_string(), reason: reason.to_string() };
        if bytes.len() < 36 || &bytes[..4] != MAGIC {
            return Err(bad("not a weights table (its first four bytes are not SSWT)"));
        }
        let version = u32::from_le_bytes(bytes[4..8].try_into().expect("four bytes"));
        if version != VERSION {
            return Err(bad(&format!("format version {version}, this program reads version {VERSION}")));
        }
        let (content, checksum) = bytes.split_at(bytes.len() - 8);
        if hash64(content, CHECKSUM_SEED).to_le_bytes() != checksum {
            return Err(bad("checksum does not match: the file is cut or damaged"));
        }
        let language = std::str::from_utf8(&content[8..16]).map_err(|_| bad("language is no text"))?;
        let num_articles = u64::from_le_bytes(content[16..24].try_into().expect("eight bytes"));
        let num_entries = u32::from_le_bytes(content[24..28].try_into().expect("four bytes")) as usize;
        let mut counts = Vec::with_capacity(num_entries.min(content.len()));
        let mut rest = &content[28..];
        let mut hash = 0u32;
        for i in 0..num_entries {
            let step = read_varint(&mut rest).ok_or_else(|| bad("entries are missing"))?;
            let count = read_varint(&mut rest).ok_or_else(|| bad("entries are missing"))?;
            hash = hash.checked_add(step).ok_or_else(|| bad("entries are out of order"))?;
            if (i > 0 && step == 0) || count == 0 || u64::from(count) > num_articles {
                return Err(bad("an entry is out of range"));
            }
            counts.push((hash, count));
        }
        if !rest.is_empty() {
            return Err(bad("bytes follow the last entry"));
        }
        Ok(Self::build(language.trim_end_matches('\0').to_string(), num_articles, counts))
    }

    /// The table as a file's bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(36 + self.counts.len() * 5);
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        let mut language = [0u8; MAX_LANGUAGE_LEN];
        language[..self.language.len()].copy_from_slice(self.language.as_bytes());
        out.extend_from_slice(&language);
        out.extend_from_slice(&self.num_articles.to_le_bytes());
        out.extend_from_slice(&(self.counts.len() as u32).to_le_bytes());
        let mut last = 0;
        for (hash, count) in &self.counts {
            write_varint(&mut out, hash - last);
            write_varint(&mut out, *count);
            last = *hash;
        }
        let checksum = hash64(&out, CHECKSUM_SEED);
        out.extend_from_slice(&checksum.to_le_bytes());
        out
    }

    /// The idf of a stemmed token's hash, in sixteenths of a nat; an unseen token's is that of one seen once.
    #[must_use]
    pub fn idf(&self, stem_hash: u32) -> u8 {
        self.idf.get(stem_hash).unwrap_or(self.unseen)
    }

    /// Whether the table holds the token.
    #[must_use]
    pub fn knows(&self, stem_hash: u32) -> bool {
        self.idf.get(stem_hash).is_some()
    }

    /// The language it was made from: a primary subtag of BCP 47.
    #[must_use]
    pub fn language(&self) -> &str {
        &self.language
    }

    /// How many articles it was made from.
    #[must_use]
    pub fn num_articles(&self) -> u64 {
        self.num_articles
    }

    /// How many tokens it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.counts.len()
    }

    /// Whether it holds no token.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// The checksum that the sketch id takes in.
    #[must_use]
    pub fn checksum(&self) -> u64 {
        self.checksum
    }
}

/// Weights by hash, with open addressing. A slot is the hash's highest bits: terms are looked up in order of hash, and
/// so walk through the table.
#[derive(Clone, Debug)]
struct IdfTable {
    shift: u32,
    hashes: Vec<u32>,
    /// 0 where the slot is free: no token weighs nothing.
    idf: Vec<u8>,
}

impl IdfTable {
    fn new(entries: impl ExactSizeIterator<Item = (u32, u8)>) -> Self {
        let num_slots = (2 * entries.len()).next_power_of_two().max(2);
        let mut table = Self { shift: 32 - num_slots.ilog2(), hashes: vec![0; num_slots], idf: vec![0; num_slots] };
        for (hash, idf) in entries {
            let slot = table.slot(hash);
            table.hashes[slot] = hash;
            table.idf[slot] = idf;
        }
        table
    }

    /// Where the hash stands, or the free slot where it would.
    fn slot(&self, hash: u32) -> usize {
        let mut slot = (hash >> self.shift) as usize;
        while self.idf[slot] != 0 && self.hashes[slot] != hash {
            slot = (slot + 1) % self.idf.len();
        }
        slot
    }

    fn get(&self, hash: u32) -> Option<u8> {
        let idf = self.idf[self.slot(hash)];
        (idf != 0).then_some(idf)
    }
}

/// ln(articles / count) in sixteenths of a nat, at least 1, so that every token weighs something.
fn idf_of(num_articles: u64, count: u32) -> u8 {
    let nats = ln_q16(num_articles.max(1)).saturating_sub(ln_q16(u64::from(count.max(1))));
    (nats >> 12).clamp(1, 255) as u8
}

fn write_varint(out: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn read_varint(rest: &mut &[u8]) -> Option<u32> {
    let mut value: u32 = 0;
    for shift in [0, 7, 14, 21, 28] {
        let (&byte, tail) = rest.split_first()?;
        *rest = tail;
        let bits = u32::from(byte & 0x7f);
        if shift == 28 && bits > 0xf {
            return None;
        }
        value |= bits << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn small() -> Weights {
        let counts: HashMap<u32, u32> = [(5, 1000), (9, 10), (u32::MAX, 2), (77, 1)].into_iter().collect();
        Weights::from_counts("en", 1000, &counts, 2)
    }

    #[test]
    fn a_table_reads_back() {
        let table = small();
        let again = Weights::from_bytes("t", &table.to_bytes()).unwrap();
        assert_eq!(again.to_bytes(), table.to_bytes());
        assert_eq!(again.len(), 3);
        assert_eq!(again.idf(5), 1);
        assert_eq!(again.idf(9), 73); // ln 100 = 4.6
        assert_eq!(again.idf(1234), 110); // ln 1000 = 6.9
        assert!(!again.knows(77));
    }

    proptest! {
        #[test]
        fn looks_into_the_table_agree_with_a_map(
            // Hashes that crowd at either end share slots and run over the table's end.
            entries in prop::collection::btree_map(prop_oneof![0u32..20, u32::MAX - 20..=u32::MAX, any::<u32>()], 1u8.., 0..60),
            others in prop::collection::vec(prop_oneof![0u32..20, u32::MAX - 20..=u32::MAX, any::<u32>()], 0..20),
        ) {
            let table = IdfTable::new(entries.iter().map(|(hash, idf)| (*hash, *idf)));
            for hash in entries.keys().chain(&others) {
                prop_assert_eq!(table.get(*hash), entries.get(hash).copied());
            }
        }
    }

    #[test]
    fn damage_is_named() {
        let good = small().to_bytes();
        for cut in 0..good.len() {
            assert!(Weights::from_bytes("t", &good[..cut]).is_err(), "cut at {cut}");
        }
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 0x20;
            assert!(Weights::from_bytes("t", &bad).is_err(), "flipped at {at}");
        }
        let mut newer = good;
        newer[4] = 9;
        assert!(Weights::from_bytes("t", &newer).unwrap_err().to_string().contains("format version 9"));
    }

    #[test]
    fn the_table_that_ships_is_whole() {
        let table = Weights::english();
        // What docs/method.md says it was made from.
        assert_eq!((table.language(), table.num_articles()), ("en", 24_218));
        assert!(table.len() > 10_000, "{} entries", table.len());
    }
}
