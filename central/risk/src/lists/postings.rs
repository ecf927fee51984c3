//! From the hash of a key to the entries that have it: two sorted arrays and a directory, no pointers.

/// Which entries have which keys. `T`: an entry, or one with something that tells it from others without looking it up.
#[derive(Debug, Default)]
pub(crate) struct Postings<T> {
    hashes: Vec<u64>,
    entries: Vec<T>,
    /// Where the hashes with each leading bits begin; one more than there are.
    directory: Vec<u32>,
    shift: u32,
}

/// Keys that are looked up together.
const TOGETHER: usize = 32;

impl<T: Copy + Ord> Postings<T> {
    /// Of pairs of a hash and an entry, in any order.
    pub(crate) fn new(mut pairs: Vec<(u64, T)>) -> Self {
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

    /// The entries that have a hash, in rising order.
    #[cfg(test)]
    pub(crate) fn of(&self, hash: u64) -> &[T] {
        let mut of: &[T] = &[];
        self.of_each(std::iter::once(((), hash)), |(), entries| of = entries);
        of
    }

    /// The entries that have each of some hashes, in rising order, with what stands beside the hash; those that no entry has are left out.
    ///
    /// Nearly every look waits for memory. Asked for one after the other, each waits for the one before, since nobody can guess where its
    /// search ends; so first all places are read, then the first hash of each, and searched is only what has come.
    pub(crate) fn of_each<'p, K: Copy>(
        &'p self,
        hashes: impl IntoIterator<Item = (K, u64)>,
        mut found: impl FnMut(K, &'p [T]),
    ) {
        let mut hashes = hashes.into_iter();
        let Some(last) = self.hashes.len().checked_sub(1) else { return };
        loop {
            let mut asked: [Option<(K, u64)>; TOGETHER] = [None; TOGETHER];
            let mut many = 0;
            for (place, hash) in asked.iter_mut().zip(hashes.by_ref()) {
                *place = Some(hash);
                many += 1;
            }
            let mut places = [(0_usize, 0_usize, 0_u64); TOGETHER];
            for (place, (_, hash)) in places.iter_mut().zip(asked.iter().flatten()) {
                let slot = (hash >> self.shift) as usize;
                (place.0, place.1) = (self.directory[slot] as usize, self.directory[slot + 1] as usize);
            }
            for place in &mut places[..many] {
                place.2 = self.hashes[place.0.min(last)];
            }
            for ((from, until, first), (beside, hash)) in places.into_iter().zip(asked.into_iter().flatten())
            {
                if from == until || first > hash {
                    continue;
                }
                let slot = &self.hashes[from..until];
                let begin = from + slot.partition_point(|h| *h < hash);
                let end = from + slot.partition_point(|h| *h <= hash);
                if begin < end {
                    found(beside, &self.entries[begin..end]);
                }
            }
            if many < TOGETHER {
                return;
            }
        }
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
