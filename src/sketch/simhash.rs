//! SimHash: a 64-bit fingerprint whose Hamming distance follows the angle between two weighted token vectors.
//!
//! M. Charikar, "Similarity estimation techniques from rounding algorithms", STOC 2002; used for near copies of web
//! pages by Manku, Jain and Das Sarma, WWW 2007.

use super::record::Record;
use crate::hash::{combine, derived_seed, mix64};

/// Blocks a fingerprint is cut into for its keys.
const NUM_BLOCKS: usize = 7;
/// Blocks that make one key: pairs within `NUM_BLOCKS - KEY_BLOCKS` differing bits share a key for certain.
const KEY_BLOCKS: u32 = 3;
/// Keeps what a seed makes here apart from what it makes elsewhere.
const SALT: u64 = 0x7369_6d68;

/// The fingerprint of a record's vocabulary, each token weighted by idf and by how often it stands (at most four
/// times). Under another seed every token has other bits. 0 for an empty record.
#[must_use]
pub fn simhash(record: &Record<'_>, seed: u64) -> u64 {
    let seed = derived_seed(seed, SALT);
    let mut counts = vec![0; record.terms.len()];
    for term in record.content {
        counts[usize::from(*term)] += 1;
    }
    let mut sums = [0i32; 64];
    for ((hash, idf), count) in record.terms.hashes().iter().zip(record.terms.idf()).zip(counts) {
        let bits = mix64(u64::from(*hash) ^ seed);
        let weight = i32::from(*idf) * count.min(4);
        for (bit, sum) in sums.iter_mut().enumerate() {
            *sum += if bits >> bit & 1 == 1 { weight } else { -weight };
        }
    }
    sums.iter().enumerate().fold(0, |print, (bit, sum)| print | u64::from(*sum > 0) << bit)
}

/// Calls `each` with a key for every choice of three of the seven blocks: fingerprints within four bits of each other
/// share at least one (35 keys of about 27 bits).
pub(crate) fn simhash_keys(fingerprint: u64, mut each: impl FnMut(u64)) {
    for choice in 0u32..1 << NUM_BLOCKS {
        if choice.count_ones() != KEY_BLOCKS {
            continue;
        }
        let mask =
            (0..NUM_BLOCKS).filter(|block| choice >> block & 1 == 1).fold(0, |mask, block| mask | block_mask(block));
        each(combine(u64::from(choice), fingerprint & mask));
    }
}

fn block_mask(block: usize) -> u64 {
    let (start, end) = (64 * block / NUM_BLOCKS, 64 * (block + 1) / NUM_BLOCKS);
    (u64::MAX >> (64 - (end - start))) << start
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::article::Article;
    use crate::profile::Profile;
    use crate::sketch::RecordBuf;
    use crate::tests::tokens;
    use crate::text::Document;

    #[test]
    fn blocks_cover_all_bits_once() {
        let all = (0..NUM_BLOCKS).fold(0, |mask, block| {
            assert_eq!(mask & block_mask(block), 0);
            mask | block_mask(block)
        });
        assert_eq!(all, u64::MAX);
    }

    #[test]
    fn close_fingerprints_share_a_key() {
        let keys = |print| {
            let mut keys = Vec::new();
            simhash_keys(print, |k| keys.push(k));
            keys
        };
        let print = 0x1234_5678_9abc_def0;
        assert_eq!(keys(print).len(), 35);
        let close = print ^ (1 | 1 << 20 | 1 << 40 | 1 << 63);
        assert!(keys(close).iter().any(|k| keys(print).contains(k)));
        assert!(!keys(!print).iter().any(|k| keys(print).contains(k)));
    }

    /// A record in a language without a table: all words weigh the same.
    fn record(hashes: &[u32]) -> RecordBuf {
        let mut document = Document::new("", 0);
        document.tokens = hashes.iter().map(|hash| tokens::of_hash(*hash, 0)).collect();
        let article = Article { language: Some("de".into()), ..Article::new("1", "") };
        RecordBuf::new(&article, &document, &[], &Profile::default())
    }

    #[test]
    fn each_bit_is_what_most_of_the_vocabulary_say() {
        let print = |hashes: &[u32]| simhash(&record(hashes).record(), 1);
        let [a, b, c] = [7, 8, 9].map(|hash: u32| mix64(u64::from(hash) ^ derived_seed(1, SALT)));
        let most = a & b | b & c | a & c;
        assert_eq!([print(&[]), print(&[7]), print(&[7, 7])], [0, a, a]);
        assert_eq!(print(&[7, 8, 9]), most);
        // Where two differ neither is more; three times one outweigh two others; a word stands four times at most.
        assert_eq!(print(&[7, 8]), a & b);
        assert_eq!(print(&[7, 8, 7, 9, 7]), a);
        assert_eq!(print(&[7, 7, 7, 7, 7, 7, 8, 8, 8, 9, 9]), most);
        assert_ne!(simhash(&record(&[7]).record(), 2), a);
    }
}
