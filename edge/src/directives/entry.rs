//! How the set lies in the tree: keys, and values checksummed together with their key, so that neither a rotten value
//! nor a value under another's key is ever taken for a directive.

use clearance::directive::DirectiveEntry;
use clearance::ids::Digest;
use clearance::mark::RegistrationMark;
use clearance::replicate::Head;
use minicbor::{Decode, Encode};

/// Where [`Meta`] lies.
pub(super) const META: &[u8] = b"!meta";

/// What is known of the whole tree; changes in the same batch as the tree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub(super) struct Meta {
    /// Where the set stands.
    #[n(0)]
    pub(super) head: Head,
    /// Of everything else in the tree.
    #[n(1)]
    pub(super) sum: SetSum,
}

/// A digest of a set that can be changed entry by entry: the exclusive or of each entry's own. It notices what a crash
/// does to a tree (lost or older values); it is no defence against a forger, and needs to be none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub(super) struct SetSum(#[n(0)] Digest);

impl SetSum {
    /// Put an entry in, or take it out again.
    pub(super) fn toggle(&mut self, key: &[u8], sealed: &[u8]) {
        let of = Digest::of(&[key, sealed].concat());
        self.0.0.iter_mut().zip(of.0).for_each(|(sum, byte)| *sum ^= byte);
    }
}

/// Start of the keys of directives.
pub(super) const HONG_KONG: &[u8] = b"h";

/// Key of a directive: its Hong Kong mark.
pub(super) fn hong_kong_key(mark: &RegistrationMark) -> Vec<u8> {
    [HONG_KONG, mark.as_str().as_bytes()].concat()
}

/// Start of the index keys of a mainland mark; the Hong Kong mark follows. No mark contains a zero byte.
pub(super) fn mainland_prefix(mainland: &RegistrationMark) -> Vec<u8> {
    [b"m", mainland.as_str().as_bytes(), b"\0"].concat()
}

/// Index key of a directive, where it has a mainland mark.
pub(super) fn mainland_key(entry: &DirectiveEntry) -> Option<Vec<u8>> {
    let mainland = entry.directive.mainland_mark.as_ref()?;
    Some([mainland_prefix(mainland).as_slice(), entry.directive.mark.as_str().as_bytes()].concat())
}

/// `value` as it is stored under `key`.
pub(super) fn seal<T: Encode<()>>(key: &[u8], value: &T) -> Vec<u8> {
    #[expect(clippy::expect_used, reason = "writing to a Vec cannot fail, and no encoder of ours does")]
    let value = minicbor::to_vec(value).expect("CBOR into memory");
    with_checksum(key, &value)
}

/// Encoded bytes as they are stored under `key`.
pub(super) fn with_checksum(key: &[u8], value: &[u8]) -> Vec<u8> {
    [&checksum(key, value).to_le_bytes(), value].concat()
}

/// The value stored under `key`; `None` if these are not the bytes that were stored there.
pub(super) fn open<T: for<'b> Decode<'b, ()>>(key: &[u8], sealed: &[u8]) -> Option<T> {
    let (crc, value) = sealed.split_first_chunk::<4>()?;
    if u32::from_le_bytes(*crc) != checksum(key, value) {
        return None;
    }
    minicbor::decode(value).ok()
}

fn checksum(key: &[u8], value: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(key);
    crc.update(value);
    crc.finalize()
}
