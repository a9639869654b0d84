//! Longest common subsequence of content tokens, bit-parallel.

/// Length of the longest common subsequence of two sequences of symbols.
///
/// `pattern` holds symbols below `num_symbols`; a symbol of `text` that the pattern lacks is `None`. M. Crochemore et
/// al., "A fast and practical bit-vector algorithm for the longest common subsequence problem", 2001: a column of the
/// dynamic programme is a bit vector, and one addition moves it on. Cost: text × pattern / 64.
#[must_use]
pub fn lcs_len(
    pattern: impl ExactSizeIterator<Item = u16>,
    text: impl Iterator<Item = Option<u16>>,
    num_symbols: usize,
    masks: &mut Vec<u64>,
) -> usize {
    let pattern_len = pattern.len();
    let num_words = pattern_len.div_ceil(64);
    masks.clear();
    // One row more: the state of a long column lies behind the masks.
    masks.resize((num_symbols + 1) * num_words, 0);
    for (i, symbol) in pattern.enumerate() {
        masks[usize::from(symbol) * num_words + i / 64] |= 1 << (i % 64);
    }
    let text = text.flatten();
    let num_zeros = match num_words {
        0 => 0,
        1 => short_column::<1>(text, masks),
        2 => short_column::<2>(text, masks),
        3 => short_column::<3>(text, masks),
        4 => short_column::<4>(text, masks),
        5 => short_column::<5>(text, masks),
        6 => short_column::<6>(text, masks),
        _ => long_column(text, masks, num_words),
    };
    num_zeros as usize
}

/// Zeros in the last column of a pattern of `N` words: held in registers, so that symbols overlap.
fn short_column<const N: usize>(text: impl Iterator<Item = u16>, masks: &[u64]) -> u32 {
    let (masks, _) = masks.as_chunks::<N>();
    let mut state = [u64::MAX; N];
    for symbol in text {
        move_on(&mut state, &masks[usize::from(symbol)]);
    }
    state.iter().map(|word| word.count_zeros()).sum()
}

/// The same for a pattern of any length; the state lies behind the masks.
fn long_column(text: impl Iterator<Item = u16>, masks: &mut [u64], num_words: usize) -> u32 {
    let (masks, state) = masks.split_at_mut(masks.len() - num_words);
    state.fill(u64::MAX);
    for symbol in text {
        move_on(state, &masks[usize::from(symbol) * num_words..][..num_words]);
    }
    state.iter().map(|word| word.count_zeros()).sum()
}

/// Moves a column on by a symbol with these places in the pattern.
#[inline(always)]
fn move_on(state: &mut [u64], mask: &[u64]) {
    let mut carry = false;
    for (word, bits) in state.iter_mut().zip(mask) {
        let matched = *word & bits;
        let (sum, over) = word.overflowing_add(matched);
        let (sum, over_carry) = sum.overflowing_add(u64::from(carry));
        carry = over | over_carry;
        *word = sum | (*word - matched);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::naive;
    use proptest::prelude::*;

    fn fast(a: &[u16], b: &[u16]) -> usize {
        let known = |symbol: &u16| a.contains(symbol).then_some(*symbol);
        lcs_len(a.iter().copied(), b.iter().map(known), 1 << 10, &mut Vec::new())
    }

    #[test]
    fn edges() {
        assert_eq!(fast(&[], &[]), 0);
        assert_eq!(fast(&[1], &[]), 0);
        assert_eq!(fast(&[], &[1]), 0);
        assert_eq!(fast(&[1, 2, 3], &[1, 2, 3]), 3);
        let long: Vec<u16> = (0..300).collect();
        assert_eq!(fast(&long, &long), 300);
        let back: Vec<u16> = (0..300).rev().collect();
        assert_eq!(fast(&long, &back), 1);
    }

    proptest! {
        #[test]
        fn agrees_with_the_table(a in prop::collection::vec(0u16..9, 0..500), b in prop::collection::vec(0u16..9, 0..200)) {
            prop_assert_eq!(fast(&a, &b), naive::lcs_len(&a, &b));
        }
    }

    #[test]
    fn the_last_symbol_of_a_long_pattern_has_its_row() {
        for len in [384u16, 385, 400, 1000] {
            let all = (0..len).map(Some);
            assert_eq!(lcs_len(0..len, all, len.into(), &mut Vec::new()), usize::from(len));
        }
    }
}
