//! The few things asked of a disk, so that a failing one can be put in their place in tests.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

/// A file that is only appended to.
pub(crate) trait Medium: Send + Sync {
    /// Write all of it at the end.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Return once everything is on the disk.
    fn sync(&mut self) -> io::Result<()>;
    /// Cut the file back to this length.
    fn cut(&mut self, length: u64) -> io::Result<()>;
}

impl Medium for File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)?;
        self.sync_all()
    }
}

/// How an append-only file comes to be.
pub(crate) type Create = Box<dyn Fn(&Path) -> io::Result<Box<dyn Medium>> + Send + Sync>;

/// Open to append, made if it is not there, its name durable.
pub(crate) fn append_to(path: &Path) -> io::Result<Box<dyn Medium>> {
    let file = OpenOptions::new().create(true).append(true).open(path)?;
    sync_folder(path.parent().unwrap_or(Path::new(".")))?;
    Ok(Box::new(file))
}

/// Make a folder and those above it that are missing, their names durable: what is synced in a folder is lost all the same
/// if the folder's own name is.
pub(crate) fn make_folder(path: &Path) -> io::Result<()> {
    let missing: Vec<&Path> = path.ancestors().take_while(|folder| !folder.exists()).collect();
    fs::create_dir_all(path)?;
    // It may be there from a start that was cut off before this.
    let made = missing.iter().skip(1).copied();
    for folder in std::iter::once(path).chain(made) {
        let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty());
        sync_folder(parent.unwrap_or(Path::new(".")))?;
    }
    Ok(())
}

/// Make names made, changed or removed in `folder` durable.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Write a whole file so that after a crash there is either the old one or the new one: written beside it, synced,
/// renamed, and the folder synced.
pub(crate) fn replace_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = path.with_added_extension(PARTIAL);
    let written = write_synced(&beside, bytes).and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        // What is left of it is only in the way on a full disk.
        let _ = fs::remove_file(&beside);
    }
    written?;
    sync_folder(path.parent().unwrap_or(Path::new(".")))
}

/// Extension of a file that was not finished.
pub(crate) const PARTIAL: &str = "partial";

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Whether an error says that there is no room, rather than that the disk is broken.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
