//! Tokens to shingles: *k* consecutive tokens, hashed.

use crate::bits::{Width, widest};
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
    let len = shingle_len.min(tokens.len());
    if len == 0 {
        return Vec::new();
    }
    let mut hashes = vec![0; tokens.len() + 1 - len];
    fill(widest(), tokens, len, &mut hashes);
    hashes
}

/// Runs that are hashed together.
const NUM_TOGETHER: usize = 64;
/// Longest run that is hashed anew at each token: a longer one rolls.
const MAX_ANEW: usize = 16;

/// The hashes of the runs of `len` tokens.
fn fill(width: Width, tokens: &[Token], len: usize, hashes: &mut [u64]) {
    match width {
        Width::Avx512 if len <= MAX_ANEW => fill_anew_or_rolling(tokens, len, hashes),
        _ => fill_rolling(tokens, len, hashes),
    }
}

/// Machines that multiply 64-bit integers in vectors hash many runs at once.
#[multiversion::multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl"))]
fn fill_anew_or_rolling(tokens: &[Token], len: usize, hashes: &mut [u64]) {
    multiversion::target::match_target! {
        "x86_64+avx512f+avx512bw+avx512dq+avx512vl" => fill_anew(tokens, len, hashes),
        _ => fill_rolling(tokens, len, hashes),
    }
}

/// Each polynomial anew, token after token of all the runs.
#[inline(always)]
fn fill_anew(tokens: &[Token], len: usize, hashes: &mut [u64]) {
    for (block, hashes) in hashes.chunks_mut(NUM_TOGETHER).enumerate() {
        let tokens = &tokens[block * NUM_TOGETHER..];
        let mut entering = [0; NUM_TOGETHER + MAX_ANEW];
        for (entering, token) in entering.iter_mut().zip(tokens) {
            *entering = token.hash;
        }
        let mut sums = [len as u64; NUM_TOGETHER];
        for place in 0..len {
            let entering: &[u64; NUM_TOGETHER] = entering[place..].first_chunk().expect("a place is within a run");
            for (sum, entering) in sums.iter_mut().zip(entering) {
                *sum = sum.wrapping_mul(FACTOR).wrapping_add(*entering);
            }
        }
        let mixed = sums.map(mix64);
        hashes.copy_from_slice(&mixed[..hashes.len()]);
    }
}

/// The polynomial of a run begins with its length. It rolls: a token enters, the one that leaves goes with the power it
/// has come to, which takes the length along.
#[inline(always)]
fn fill_rolling(tokens: &[Token], len: usize, hashes: &mut [u64]) {
    let first = tokens[..len].iter().fold(len as u64, |hash, token| hash.wrapping_mul(FACTOR).wrapping_add(token.hash));
    let leaving = (0..len).fold(1u64, |power, _| power.wrapping_mul(FACTOR));
    let lasting = (len as u64).wrapping_mul(leaving);
    let mut hash = first.wrapping_sub(lasting);
    hashes[0] = mix64(first);
    for ((old, new), out) in tokens.iter().zip(&tokens[len..]).zip(&mut hashes[1..]) {
        // What leaves is known before the hash is: one multiplication waits for another, not two.
        let change = new.hash.wrapping_sub(old.hash.wrapping_mul(leaving));
        hash = hash.wrapping_mul(FACTOR).wrapping_add(change);
        *out = mix64(hash.wrapping_add(lasting));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Document;

    fn hashes(text: &str, shingle_len: usize) -> Vec<u64> {
        shingle_hashes(&Document::new(text, 100).tokens, shingle_len)
    }

    #[test]
    fn every_way_is_hashing_each_run() {
        let text = "one two three four five six seven, and eight or nine of the ten ".repeat(12);
        let tokens = Document::new(&text, 1000).tokens;
        for len in (1..=20).chain([63, 64, 65, 150, tokens.len()]) {
            let expected: Vec<u64> = tokens
                .windows(len)
                .map(|run| {
                    mix64(run.iter().fold(run.len() as u64, |hash, t| hash.wrapping_mul(FACTOR).wrapping_add(t.hash)))
                })
                .collect();
            assert_eq!(shingle_hashes(&tokens, len), expected, "{len}");
            for width in Width::ALL {
                let mut hashes = vec![0; expected.len()];
                fill(width, &tokens, len, &mut hashes);
                assert_eq!(hashes, expected, "{len}, {width:?}");
                if len <= MAX_ANEW {
                    fill_anew(&tokens, len, &mut hashes);
                    assert_eq!(hashes, expected, "{len}, anew");
                }
            }
        }
        assert_eq!(shingle_hashes(&tokens, tokens.len() + 1), shingle_hashes(&tokens, tokens.len()));
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
