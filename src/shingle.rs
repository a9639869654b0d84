//! Tokens to shingles: *k* consecutive tokens, hashed.

use crate::hash::mix64;
use crate::text::Token;

/// The base of the polynomial that a shingle's token hashes make.
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

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
    let hash_of = |run: &[Token]| {
        mix64(run.iter().fold(run.len() as u64, |hash, token| hash.wrapping_mul(FACTOR).wrapping_add(token.hash)))
    };
    if tokens.is_empty() {
        return Vec::new();
    }
    if tokens.len() < shingle_len {
        return vec![hash_of(tokens)];
    }
    tokens.windows(shingle_len).map(hash_of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Document;

    fn hashes(text: &str, shingle_len: usize) -> Vec<u64> {
        shingle_hashes(&Document::new(text, 100).tokens, shingle_len)
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
