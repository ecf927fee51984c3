//! Frames in an append-only file: magic, length, CRC, payload. A reader finds every whole frame again, whatever
//! happened to the bytes between them, because it looks for the next magic instead of trusting a length.

use std::ops::Range;

const MAGIC: [u8; 4] = *b"CLf1";
const HEADER: usize = 12;

/// The longest payload, in bytes.
pub(crate) const MAX_PAYLOAD: usize = 512 * 1024;

/// `payload` as a frame.
pub(crate) fn frame(payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_le_bytes();
    let mut out = Vec::with_capacity(HEADER + payload.len());
    out.extend(MAGIC);
    out.extend(length);
    out.extend(checksum(length, payload).to_le_bytes());
    out.extend(payload);
    out
}

/// What was found in a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Scan<'a> {
    /// Payloads of whole frames, in order.
    pub(crate) frames: Vec<&'a [u8]>,
    /// Bytes between whole frames that are none: they rotted.
    pub(crate) damaged: Vec<Range<usize>>,
    /// End of the last whole frame; what follows was torn off while being written.
    pub(crate) sound: usize,
}

/// Find every whole frame.
pub(crate) fn scan(bytes: &[u8]) -> Scan<'_> {
    let mut found = Scan { frames: Vec::new(), damaged: Vec::new(), sound: 0 };
    let mut at = 0;
    while at < bytes.len() {
        match frame_at(&bytes[at..]) {
            Some(payload) => {
                if at > found.sound {
                    found.damaged.push(found.sound..at);
                }
                at += HEADER + payload.len();
                found.sound = at;
                found.frames.push(payload);
            }
            None => at += next_magic(&bytes[at + 1..]).map_or(bytes.len() - at, |skip| skip + 1),
        }
    }
    found
}

fn frame_at(bytes: &[u8]) -> Option<&[u8]> {
    let (header, rest) = bytes.split_first_chunk::<HEADER>()?;
    let [m0, m1, m2, m3, l0, l1, l2, l3, c0, c1, c2, c3] = *header;
    let length = [l0, l1, l2, l3];
    let size = u32::from_le_bytes(length) as usize;
    if [m0, m1, m2, m3] != MAGIC || size > MAX_PAYLOAD {
        return None;
    }
    let payload = rest.get(..size)?;
    (checksum(length, payload) == u32::from_le_bytes([c0, c1, c2, c3])).then_some(payload)
}

fn next_magic(bytes: &[u8]) -> Option<usize> {
    bytes.windows(MAGIC.len()).position(|window| window == MAGIC)
}

/// The length is under the checksum too, so that a rotten length is noticed.
fn checksum(length: [u8; 4], payload: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&length);
    crc.update(payload);
    crc.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn file(payloads: &[Vec<u8>]) -> Vec<u8> {
        payloads.iter().flat_map(|p| frame(p)).collect()
    }

    proptest! {
        #[test]
        fn a_file_torn_anywhere_gives_a_prefix(
            payloads in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..6),
            cut in 0usize..400,
        ) {
            let whole = file(&payloads);
            let torn = &whole[..cut.min(whole.len())];
            let found = scan(torn);
            prop_assert!(found.damaged.is_empty());
            let whole = file(&payloads[..found.frames.len()]);
            prop_assert_eq!(whole.as_slice(), &torn[..found.sound]);
            prop_assert_eq!(found.frames, payloads.iter().take_while({
                let mut end = 0;
                move |p| { end += HEADER + p.len(); end <= torn.len() }
            }).map(Vec::as_slice).collect::<Vec<_>>());
        }

        #[test]
        fn a_rotten_byte_costs_one_frame_at_most(
            payloads in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 1..6),
            at in 0usize..400, flip in 1u8..,
        ) {
            let mut bytes = file(&payloads);
            let at = at % bytes.len();
            bytes[at] ^= flip;
            let found = scan(&bytes);
            prop_assert_eq!(found.frames.len(), payloads.len() - 1);
            prop_assert!(found.frames.iter().all(|f| payloads.iter().any(|p| p == f)));
            prop_assert_eq!(found.damaged.len() + usize::from(found.sound < bytes.len()), 1);
        }

        #[test]
        fn noise_is_no_frame_and_no_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
            prop_assert!(scan(&bytes).frames.is_empty());
        }
    }
}
