//! From the hash of a key to the entries that have it: two sorted arrays and a directory, no pointers.

/// Which entries have which keys.
#[derive(Debug, Default)]
pub(crate) struct Postings {
    hashes: Vec<u64>,
    entries: Vec<u32>,
    /// Where the hashes with each leading bits begin; one more than there are.
    directory: Vec<u32>,
    shift: u32,
}

impl Postings {
    /// Of pairs of a hash and an entry, in any order.
    pub(crate) fn new(mut pairs: Vec<(u64, u32)>) -> Self {
        pairs.sort_unstable();
        pairs.dedup();
        // About one hash for each slot of the directory.
        let bits = (usize::BITS - pairs.len().leading_zeros()).clamp(1, 26);
        let shift = 64 - bits;
        let mut directory = vec![0_u32; (1 << bits) + 1];
        for (hash, _) in &pairs {
            directory[(hash >> shift) as usize + 1] += 1;
        }
        for slot in 1..directory.len() {
            directory[slot] += directory[slot - 1];
        }
        let (hashes, entries) = pairs.into_iter().unzip();
        Self { hashes, entries, directory, shift }
    }

    /// The entries that have `hash`, in rising order.
    pub(crate) fn of(&self, hash: u64) -> &[u32] {
        let Some(slot) = self.directory.get((hash >> self.shift) as usize..).filter(|slot| slot.len() > 1)
        else {
            return &[];
        };
        let (from, until) = (slot[0] as usize, slot[1] as usize);
        let hashes = &self.hashes[from..until];
        let first = from + hashes.partition_point(|h| *h < hash);
        let last = from + hashes.partition_point(|h| *h <= hash);
        &self.entries[first..last]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_pair_is_found_and_no_other(pairs in prop::collection::vec((any::<u64>(), 0_u32..50), 0..200), other: u64) {
            let postings = Postings::new(pairs.clone());
            for hash in pairs.iter().map(|p| p.0).chain([other, 0, u64::MAX]) {
                let mut expected: Vec<u32> = pairs.iter().filter(|p| p.0 == hash).map(|p| p.1).collect();
                expected.sort_unstable();
                expected.dedup();
                prop_assert_eq!(postings.of(hash), expected);
            }
        }
    }
}
