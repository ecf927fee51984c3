//! A disk whose power goes: a file system whose files are real to every process, which keeps what was not synced aside and
//! loses, tears or reorders it when the power is cut, and which can be full or refuse to sync.
//!
//! [`Volume`] is the model of what a disk has promised; [`Disk`] serves it to the kernel (FUSE, protocol 7.31). It is
//! stricter than any one file system: POSIX promises that what was written to a file is there after its `fsync`, that
//! names are there after the folder's, and that a rename is whole; nothing else is.

mod fuse;
mod volume;
mod wire;

pub use fuse::Disk;
pub use volume::{Refused, Volume};

/// Whether a disk of this kind can be mounted here, in a word for whoever runs the tests.
pub fn missing() -> Option<&'static str> {
    let root =
        std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    if !root {
        return Some("mounting a file system needs root");
    }
    let device = std::fs::File::options().read(true).write(true).open("/dev/fuse");
    device.is_err().then_some("/dev/fuse cannot be opened: the kernel has no FUSE")
}
