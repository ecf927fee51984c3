//! A digest of a whole set of directives that both sides can keep up to date entry by entry, and that says where two sets
//! differ: 256 buckets by hash of the mark, and a Merkle tree over them.
//!
//! A bucket's sum is the exclusive or of its entries' digests, so that a change costs the same however many entries there
//! are. Such a sum is no defence against somebody who can choose entries; it needs to be none, for central signs every
//! entry, and the root travels in central's signed leases. What it finds is what went wrong without anybody's will.

use minicbor::{Decode, Encode};
use sha2::{Digest as _, Sha256};

use crate::directive::DirectiveEntry;
use crate::ids::Digest;
use crate::mark::RegistrationMark;

/// How many buckets.
pub const BUCKETS: usize = 256;

/// Bytes of all buckets' sums, as they travel ([`Buckets::to_bytes`]).
pub const SUMS_BYTES: usize = BUCKETS * 32;

/// The bucket of a mark: the first byte of its SHA-256.
pub fn bucket_of(mark: &RegistrationMark) -> u8 {
    Digest::of(mark.as_str().as_bytes()).0[0]
}

/// The digest of one entry: what central and an edge must hold alike.
pub fn leaf(entry: &DirectiveEntry) -> Digest {
    let mut bytes = b"clearlane directive\0".to_vec();
    #[expect(clippy::expect_used, reason = "writing to a Vec cannot fail, and no encoder of ours does")]
    minicbor::encode(entry, &mut bytes).expect("CBOR into memory");
    Digest::of(&bytes)
}

/// The sums of a set's buckets and the tree over them.
#[derive(Clone, PartialEq, Eq)]
pub struct Buckets {
    /// A binary tree in an array: the root at 1, the buckets' sums from [`BUCKETS`] on. 0 is not used.
    nodes: Vec<Digest>,
}

impl Default for Buckets {
    fn default() -> Self {
        Self::from_sums(&[Digest::default(); BUCKETS])
    }
}

impl std::fmt::Debug for Buckets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Buckets({})", self.root())
    }
}

impl Buckets {
    /// With these sums.
    pub fn from_sums(sums: &[Digest; BUCKETS]) -> Self {
        let mut nodes = vec![Digest::default(); BUCKETS];
        nodes.extend_from_slice(sums);
        for node in (1..BUCKETS).rev() {
            nodes[node] = parent(&nodes[2 * node], &nodes[2 * node + 1]);
        }
        Self { nodes }
    }

    /// Of a whole set.
    pub fn of<'a>(entries: impl IntoIterator<Item = &'a DirectiveEntry>) -> Self {
        let mut sums = [Digest::default(); BUCKETS];
        for entry in entries {
            add(&mut sums[usize::from(bucket_of(&entry.directive.mark))], leaf(entry));
        }
        Self::from_sums(&sums)
    }

    /// The root of the tree: alike on both sides if the sets are.
    pub fn root(&self) -> Digest {
        self.nodes[1]
    }

    /// The buckets' sums.
    pub fn sums(&self) -> &[Digest] {
        &self.nodes[BUCKETS..]
    }

    /// The sum of one bucket.
    pub fn sum(&self, bucket: u8) -> Digest {
        self.nodes[BUCKETS + usize::from(bucket)]
    }

    /// The entry of `mark` has changed from `before` to `after`.
    pub fn change(
        &mut self,
        mark: &RegistrationMark,
        before: Option<&DirectiveEntry>,
        after: Option<&DirectiveEntry>,
    ) {
        let bucket = bucket_of(mark);
        let mut sum = self.sum(bucket);
        for entry in before.into_iter().chain(after) {
            add(&mut sum, leaf(entry));
        }
        self.set(bucket, sum);
    }

    /// Give one bucket another sum.
    pub fn set(&mut self, bucket: u8, sum: Digest) {
        let mut node = BUCKETS + usize::from(bucket);
        self.nodes[node] = sum;
        while node > 1 {
            node /= 2;
            self.nodes[node] = parent(&self.nodes[2 * node], &self.nodes[2 * node + 1]);
        }
    }

    /// The buckets in which two sets differ.
    pub fn differing(&self, other: &Self) -> BucketSet {
        let pairs = self.sums().iter().zip(other.sums()).zip(0u8..=255);
        pairs.filter(|((a, b), _)| a != b).map(|(_, bucket)| bucket).collect()
    }

    /// As they travel in a request for a repair: the sums one after the other.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.sums().iter().flat_map(|sum| sum.0).collect()
    }

    /// Back from [`Self::to_bytes`]; `None` when it is not [`SUMS_BYTES`] long.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (sums, rest) = bytes.as_chunks::<32>();
        if !rest.is_empty() {
            return None;
        }
        let sums: Vec<Digest> = sums.iter().map(|sum| Digest(*sum)).collect();
        Some(Self::from_sums(sums.as_slice().try_into().ok()?))
    }
}

/// Put a leaf into a bucket's sum, or take it out again.
pub fn add(sum: &mut Digest, leaf: Digest) {
    sum.0.iter_mut().zip(leaf.0).for_each(|(sum, byte)| *sum ^= byte);
}

fn parent(left: &Digest, right: &Digest) -> Digest {
    Digest(Sha256::new().chain_update(b"n").chain_update(left.0).chain_update(right.0).finalize().into())
}

/// Some of the buckets, a bit each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct BucketSet(#[n(0)] Digest);

impl BucketSet {
    /// Every bucket.
    pub const ALL: Self = Self(Digest([0xff; 32]));
    /// None.
    pub const NONE: Self = Self(Digest([0; 32]));

    /// Whether `bucket` is among them.
    pub fn contains(&self, bucket: u8) -> bool {
        self.0.0[usize::from(bucket / 8)] & (1 << (bucket % 8)) != 0
    }

    /// Those that are, rising.
    pub fn iter(&self) -> impl Iterator<Item = u8> + '_ {
        (0..=255).filter(|bucket| self.contains(*bucket))
    }
}

impl FromIterator<u8> for BucketSet {
    fn from_iter<T: IntoIterator<Item = u8>>(buckets: T) -> Self {
        let mut set = Self::NONE;
        for bucket in buckets {
            set.0.0[usize::from(bucket / 8)] |= 1 << (bucket % 8);
        }
        set
    }
}

impl serde::Serialize for BucketSet {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(s)
    }
}

impl<'de> serde::Deserialize<'de> for BucketSet {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Digest::deserialize(d).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::directive::{ActionCode, Directive, DirectiveStatus, Window};
    use crate::ids::{Revision, UtcMillis};

    fn entry(mark: u16, revision: u64) -> DirectiveEntry {
        DirectiveEntry {
            directive: Directive {
                movement: "m".parse().unwrap(),
                mark: format!("AB{mark}").parse().unwrap(),
                mainland_mark: None,
                action: ActionCode::Release,
                window: Window { from: UtcMillis(0), until: UtcMillis(1) },
                more: None,
            },
            status: DirectiveStatus::Active,
            revision: Revision(revision),
        }
    }

    proptest! {
        #[test]
        fn kept_up_to_date_or_made_anew_it_is_the_same(changes in proptest::collection::vec((0u16..40, 1u64..5), 0..60)) {
            let mut set = std::collections::BTreeMap::new();
            let mut buckets = Buckets::default();
            for (mark, revision) in changes {
                let after = entry(mark, revision);
                let before = set.insert(mark, after.clone());
                buckets.change(&after.directive.mark, before.as_ref(), Some(&after));
            }
            prop_assert_eq!(&buckets, &Buckets::of(set.values()));
            prop_assert_eq!(Buckets::from_bytes(&buckets.to_bytes()), Some(buckets));
        }
    }

    #[test]
    fn two_sets_differ_where_an_entry_does() {
        let entries: Vec<_> = (0..500).map(|mark| entry(mark, 1)).collect();
        let mut other = entries.clone();
        other[123].status = DirectiveStatus::Revoked;
        let (one, two) = (Buckets::of(&entries), Buckets::of(&other));
        assert_ne!(one.root(), two.root());
        let expected = bucket_of(&other[123].directive.mark);
        assert_eq!(one.differing(&two).iter().collect::<Vec<_>>(), [expected]);
        assert_eq!(one.differing(&one), BucketSet::NONE);
    }

    #[test]
    fn sums_of_a_wrong_length_are_none() {
        assert_eq!(Buckets::from_bytes(&[0; SUMS_BYTES - 1]), None);
        assert_eq!(Buckets::from_bytes(&[0; SUMS_BYTES + 32]), None);
        assert_eq!(BucketSet::ALL.iter().count(), BUCKETS);
    }
}
