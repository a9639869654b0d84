//! Filters that say of most keys that they are in none of some runs.

use super::keys::{KeyRun, NUM_LISTS};
use crate::error::Result;
use crate::hash::mix64;

/// Bytes of a block of a filter, a line of the processor's cache, in which all bits of a key lie.
pub(super) const BLOCK_LEN: usize = 64;
/// Entries that a block has room for in memory, at five bits each and some.
const BLOCK_ENTRIES: u64 = 96;

/// A blocked Bloom filter of keys in memory: what it does not hold was never added. Of others one in ten seems to be there
/// while no more were added than it has room for.
#[derive(Debug)]
pub(crate) struct KeyFilter {
    /// As many blocks for each list of keys.
    blocks: Vec<Block>,
    blocks_a_list: usize,
}

#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Block([u8; BLOCK_LEN]);

const EMPTY: Block = Block([0; BLOCK_LEN]);

impl KeyFilter {
    /// Room for a number of entries.
    pub(crate) fn new(capacity: u64) -> Self {
        let blocks_a_list = capacity.div_ceil(BLOCK_ENTRIES * NUM_LISTS as u64) as usize;
        Self { blocks: vec![EMPTY; blocks_a_list * NUM_LISTS], blocks_a_list }
    }

    /// Entries that it has room for.
    pub(crate) fn capacity(&self) -> u64 {
        self.blocks.len() as u64 * BLOCK_ENTRIES
    }

    /// Takes everything out.
    pub(crate) fn clear(&mut self) {
        self.blocks.fill(EMPTY);
    }

    /// What it holds of each list, to be added to.
    pub(crate) fn lists(&mut self) -> Vec<ListFilter<'_>> {
        let of_lists = self.blocks.chunks_mut(self.blocks_a_list.max(1)).enumerate();
        of_lists.map(|(number, blocks)| ListFilter { number, blocks }).collect()
    }

    /// Whether a key may have been added.
    #[inline]
    pub(crate) fn may_hold(&self, key: u64) -> bool {
        let rest = key as u32;
        let list = (key >> 32) as usize;
        let block = self.blocks.get(list * self.blocks_a_list + place(rest, self.blocks_a_list));
        block.is_some_and(|block| may_hold(&block.0, rest))
    }
}

/// What a filter holds of one list of keys.
#[derive(Debug)]
pub(crate) struct ListFilter<'a> {
    number: usize,
    blocks: &'a mut [Block],
}

impl ListFilter<'_> {
    /// Adds the keys of a run that lie in the list.
    ///
    /// # Errors
    /// When they cannot be read.
    pub(crate) fn add(&mut self, run: &KeyRun) -> Result<()> {
        let mut entries = Vec::new();
        run.list_entries(self.number, &mut entries)?;
        for entry in entries {
            let rest = (entry >> 32) as u32;
            add(&mut self.blocks[place(rest, self.blocks.len())].0, rest);
        }
        Ok(())
    }
}

/// The block of a key's rest among those of its list: in order of key, so that what is added in order is written in order.
#[inline]
pub(super) fn place(rest: u32, num_blocks: usize) -> usize {
    ((u64::from(rest) * num_blocks as u64) >> 32) as usize
}

/// Whether a key may have been added to a block.
#[inline]
pub(super) fn may_hold(block: &[u8], rest: u32) -> bool {
    // Both bits are looked at whatever the first is: that cannot be foretold.
    let [one, two] = bits(rest).map(|bit| block[bit / 8] >> (bit % 8));
    one & two & 1 != 0
}

/// Adds a key to a block.
pub(super) fn add(block: &mut [u8], rest: u32) {
    bits(rest).into_iter().for_each(|bit| block[bit / 8] |= 1 << (bit % 8));
}

/// The bits of a key in its block.
#[inline]
fn bits(rest: u32) -> [usize; 2] {
    let hash = mix64(u64::from(rest));
    [hash, hash >> 9].map(|bits| bits as usize % (8 * BLOCK_LEN))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NUM_ARTICLES: u32 = 1000;
    const KEYS_EACH: u64 = 40;

    fn key(number: u64) -> u64 {
        mix64(number) % ((NUM_LISTS as u64) << 32)
    }

    #[test]
    fn few_keys_seem_to_be_there() {
        let numbers = 0..u64::from(NUM_ARTICLES) * KEYS_EACH;
        let entries = numbers.clone().map(|number| (key(number), (number / KEYS_EACH) as u32));
        let run = KeyRun::held((0, NUM_ARTICLES), entries);
        let mut filter = KeyFilter::new(run.num_entries());
        assert!(filter.capacity() >= run.num_entries() && numbers.clone().all(|number| !filter.may_hold(key(number))));
        filter.lists().iter_mut().for_each(|list| list.add(&run).unwrap());
        assert!(numbers.clone().all(|number| filter.may_hold(key(number))));
        let others = 1_000_000..1_000_000 + numbers.end;
        let num = others.filter(|number| filter.may_hold(key(*number))).count() as u64;
        // Less than one in ten; were the bits of a key not apart, it were more.
        assert!(num > 0 && num < numbers.end / 10, "{num}");
        filter.clear();
        assert!(!filter.may_hold(key(0)) && !KeyFilter::new(0).may_hold(key(0)));
    }

    #[test]
    fn a_key_lies_where_the_format_says() {
        for rest in [1, 77, 1 << 31, u32::MAX] {
            let mut block = [0; BLOCK_LEN];
            add(&mut block, rest);
            let set: Vec<u64> = (0..512).filter(|bit| block[*bit as usize / 8] >> (bit % 8) & 1 == 1).collect();
            let hash = mix64(u64::from(rest));
            let mut expected = vec![hash & 0x1ff, hash >> 9 & 0x1ff];
            expected.sort_unstable();
            expected.dedup();
            assert_eq!(set, expected, "{rest}");
            assert!(may_hold(&block, rest));
            // Either bit alone is not enough.
            for bit in set {
                let mut other = block;
                other[bit as usize / 8] &= !(1u8 << (bit % 8));
                assert!(!may_hold(&other, rest), "{rest}");
            }
        }
        assert_eq!([0, 1 << 31, u32::MAX].map(|rest| place(rest, 7)), [0, 3, 6]);
    }
}
