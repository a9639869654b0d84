//! A small seeded generator of random numbers, the same on every machine.

/// Random numbers from a counter: SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    /// A number below `bound`, which is not 0.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.next()) * bound as u128) >> 64) as usize
    }

    /// A number from `low` to `high`.
    pub(crate) fn between(&mut self, low: usize, high: usize) -> usize {
        low + self.below(high - low + 1)
    }

    /// True so many times in a hundred.
    pub(crate) fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn choose<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }

    pub(crate) fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }

    /// A number from 1 to `most`: `n` or more in one of `n` draws.
    pub(crate) fn size(&mut self, most: usize) -> usize {
        most / (1 + self.below(most))
    }

    /// A rank between two powers of two, by Zipf's law: `k` twice as often as `2 k`.
    pub(crate) fn rank(&mut self, low_bits: usize, high_bits: usize) -> u64 {
        let bits = self.between(low_bits, high_bits - 1);
        (1 << bits) + self.below(1 << bits) as u64
    }
}

/// Draws items by weight: one column and one comparison a draw (Walker's alias method; Vose 1991).
#[derive(Clone, Debug)]
pub(crate) struct Weighted<T> {
    /// An item, its part of the column in 2^32, and the item of the rest.
    columns: Vec<(T, u32, T)>,
}

impl<T: Copy> Weighted<T> {
    /// A table of items with weights, of which one at least is not 0.
    pub(crate) fn new(items: &[(T, u64)]) -> Self {
        let total: u128 = items.iter().map(|(_, weight)| u128::from(*weight)).sum();
        let num_items = items.len() as u128;
        // In units in which a column holds `total`.
        let mut left: Vec<u128> = items.iter().map(|(_, weight)| u128::from(*weight) * num_items).collect();
        let mut columns: Vec<(T, u32, T)> = items.iter().map(|(item, _)| (*item, u32::MAX, *item)).collect();
        let (mut small, mut large): (Vec<usize>, Vec<usize>) = (0..items.len()).partition(|i| left[*i] < total);
        while let (Some(less), Some(more)) = (small.pop(), large.last().copied()) {
            columns[less].1 = ((left[less] << 32) / total) as u32;
            columns[less].2 = items[more].0;
            left[more] -= total - left[less];
            if left[more] < total {
                large.pop();
                small.push(more);
            }
        }
        Self { columns }
    }

    pub(crate) fn draw(&self, random: &mut Random) -> T {
        let draw = u128::from(random.next()) * self.columns.len() as u128;
        let (item, part, other) = self.columns[(draw >> 64) as usize];
        if ((draw >> 32) as u32) < part { item } else { other }
    }
}
