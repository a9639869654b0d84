//! Tokens to shingles: *k* consecutive tokens, hashed.

use crate::hash::mix64;
use crate::text::Token;

/// The base of the polynomial that a shingle's token hashes make.
pub(crate) const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

/// The hash of every run of `shingle_len` tokens, in order: `tokens.len() + 1 - shingle_len` of them.
///
/// A text shorter than `shingle_len` has one shingle of all its tokens, an empty text none.
///
/// ```
/// use samestory::{shingle::shingle_hashes, text::Document};
/// let document = Document::new("one two three four five six", 100);
/// assert_eq!(shingle_hashes(&document.tokens, 5).len(), 2);
/// ```
#[must_use]
pub fn shingle_hashes(tokens: &[Token], shingle_len: usize) -> Vec<u64> {
    if tokens.is_empty() {
        return Vec::new();
    }
    // The polynomial of a run begins with its length. It rolls: a token enters, the one that leaves goes with the
    // power it has come to, which takes the length along.
    let len = shingle_len.min(tokens.len());
    let first = tokens[..len].iter().fold(len as u64, |hash, token| hash.wrapping_mul(FACTOR).wrapping_add(token.hash));
    let leaving = (0..len).fold(1u64, |power, _| power.wrapping_mul(FACTOR));
    let lasting = (len as u64).wrapping_mul(leaving);
    let mut hash = first.wrapping_sub(lasting);
    let mut hashes = Vec::with_capacity(tokens.len() + 1 - len);
    hashes.push(mix64(first));
    hashes.extend(tokens.iter().zip(&tokens[len..]).map(|(old, new)| {
        hash = hash.wrapping_mul(FACTOR).wrapping_add(new.hash).wrapping_sub(old.hash.wrapping_mul(leaving));
        mix64(hash.wrapping_add(lasting))
    }));
    hashes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::naive;
    use crate::text::Document;

    fn hashes(text: &str, shingle_len: usize) -> Vec<u64> {
        shingle_hashes(&Document::new(text, 100).tokens, shingle_len)
    }

    #[test]
    fn rolling_is_hashing_each_run() {
        let tokens = Document::new("one two three four five six seven, and eight or nine of the ten", 100).tokens;
        for len in 1..=tokens.len() + 1 {
            assert_eq!(shingle_hashes(&tokens, len), naive::shingle_hashes(&tokens, len), "{len}");
        }
    }

    #[test]
    fn edges() {
        assert!(hashes("", 5).is_empty());
        assert_eq!(hashes("one", 5).len(), 1);
        assert_eq!(hashes("a b c d e", 5).len(), 1);
        assert_eq!(hashes("a a a a a a", 5), vec![hashes("a a a a a", 5)[0]; 2]);
        assert_ne!(hashes("a b", 5), hashes("a b c", 5));
        assert_ne!(hashes("a b", 2), hashes("b a", 2));
    }
}
