//! Checks the kept rotations of central's keys as they lie on the disk and changes nothing there.

use std::fs;
use std::io;
use std::path::Path;

use clearance::finding::{Check, Report};
use clearance::keyring::Keyring;
use clearance::wire::{PublicKey, WireError};

use crate::fsck::CannotCheck;
use crate::outbox::disk::PARTIAL;
use crate::outbox::frame;

const ASKED_AGAIN: &str = "central is asked for its rotations whenever the link comes up, and each is believed by its signature; check the disk";

const DAMAGED: Check = Check::damage(
    "rotations-damaged",
    "a rotation of central's keys is lost: after a restart this edge believes an older key, and nothing that the newer one signs, until it has asked",
    ASKED_AGAIN,
);
const UNREADABLE: Check = Check::damage(
    "rotations-unreadable",
    "a whole entry is no rotation of central's keys, or its signature does not fit: it is left out",
    ASKED_AGAIN,
);
const SAYS_NOTHING: Check = Check::remains(
    "rotations-say-nothing",
    "a rotation is signed by a key that is not believed at that point: newer keys were configured since, or rotations before it are missing. It is left out",
    "if central's present key is in central_keys, nothing needs to be done; else the next link brings what is missing",
);
const LEFT_OVER: Check = Check::remains(
    "rotations-left-over",
    "a file that was not finished: the rotation that was being kept counts when it was asked for again",
    "the next rotation writes over it; it may be removed",
);

/// Check the rotations in `path`. With central's configured keys, each must be signed by the key that is believed when its
/// turn comes, as at a start.
pub(crate) fn rotations(
    path: &Path,
    configured: Option<&[PublicKey]>,
    report: &mut Report,
) -> Result<(), CannotCheck> {
    let partial = path.with_added_extension(PARTIAL);
    if partial.exists() {
        report.findings.push(LEFT_OVER.found(partial.display(), "not part of what is kept"));
    }
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(CannotCheck::disk(path, source)),
    };
    let place = path.display();
    let found = frame::scan(&bytes);
    // Kept by writing the whole file anew: no power cut leaves a part of one.
    let torn = (found.sound < bytes.len()).then_some(found.sound..bytes.len());
    for range in found.damaged.iter().cloned().chain(torn) {
        let what = format!("bytes {} to {} are no rotation", range.start, range.end);
        report.findings.push(DAMAGED.found(&place, what));
    }
    report.count("key rotations", found.frames.len() as u64);
    let Some(configured) = configured else { return Ok(()) };
    let mut ring = Keyring::new(configured);
    for (number, sealed) in found.frames.iter().enumerate() {
        let check = match ring.follow(sealed) {
            Ok(_) => continue,
            Err(WireError::UnknownKey(key)) => {
                SAYS_NOTHING.found(&place, format!("entry {number} is signed with key {key}"))
            }
            Err(error) => UNREADABLE.found(&place, format!("entry {number}: {error}")),
        };
        report.findings.push(check);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use clearance::ids::{Epoch, UtcMillis};
    use clearance::replicate::KeyRotation;
    use clearance::wire::Signer;
    use tempfile::TempDir;

    use super::*;
    use crate::link::CentralKeys;

    fn signer(number: u8) -> Signer {
        Signer::from_secret(&[number; 32])
    }

    /// Two rotations as an edge keeps them, from key 1 to key 3.
    fn lain() -> (TempDir, PathBuf) {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("rotations");
        let keys = CentralKeys::open(&[signer(1).public()], &path).unwrap();
        for number in 1..=2 {
            let (serial, next) = (u64::from(number), signer(number + 1).public());
            let rotation = KeyRotation { serial, next, epoch: Epoch(serial + 1), at: UtcMillis(0) };
            keys.follow(&signer(number).seal(&rotation).0).unwrap();
        }
        (dir, path)
    }

    fn report(path: &Path, configured: &[PublicKey]) -> Report {
        let mut report = Report::default();
        rotations(path, Some(configured), &mut report).unwrap();
        report
    }

    fn found(path: &Path) -> Vec<&'static str> {
        report(path, &[signer(1).public()]).findings.iter().map(|f| f.check).collect()
    }

    #[test]
    fn what_an_edge_keeps_is_sound_and_so_is_nothing() {
        let (dir, path) = lain();
        let whole = report(&path, &[signer(1).public()]);
        assert_eq!((whole.findings, whole.checked), (vec![], vec![("key rotations", 2)]));
        assert_eq!(found(&dir.path().join("none")), [""; 0]);
        let mut blind = Report::default();
        rotations(&path, None, &mut blind).unwrap();
        assert!(blind.is_sound());
    }

    #[test]
    fn lost_and_rotten_rotations_are_found() {
        let (_dir, path) = lain();
        let whole = fs::read(&path).unwrap();
        fs::write(&path, &whole[..whole.len() - 1]).unwrap();
        assert_eq!(found(&path), ["rotations-damaged"]);
        // Without the first, the second is signed by a key that nobody vouches for.
        let mut rotten = whole.clone();
        rotten[40] ^= 1;
        fs::write(&path, &rotten).unwrap();
        assert_eq!(found(&path), ["rotations-damaged", "rotations-say-nothing"]);
        // Bytes that are whole and signed wrongly.
        let payload = frame::scan(&whole).frames[1].to_vec();
        let mut forged = payload.clone();
        *forged.last_mut().unwrap() ^= 1;
        let first = whole[..whole.len() - frame::frame(&payload).len()].to_vec();
        fs::write(&path, [first, frame::frame(&forged), frame::frame(b"nothing")].concat()).unwrap();
        assert_eq!(found(&path), ["rotations-unreadable", "rotations-unreadable"]);
    }

    #[test]
    fn rotations_of_before_newer_keys_were_configured_are_told_and_are_no_damage() {
        let (dir, path) = lain();
        let report = report(&path, &[signer(3).public()]);
        assert!(report.findings.iter().all(|f| f.check == "rotations-say-nothing"), "{report:?}");
        assert_eq!(report.findings.len(), 2);
        fs::write(dir.path().join("rotations.partial"), "half").unwrap();
        assert_eq!(found(&path), ["rotations-left-over"]);
    }
}
