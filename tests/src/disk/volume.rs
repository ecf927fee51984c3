//! What is on the disk, what would be there if the power went now, and what lies between.

use std::collections::{BTreeMap, BTreeSet};

use rand::{Rng, RngExt as _};

/// The number of the topmost folder.
pub(super) const ROOT: u64 = 1;

/// Why something is not done; the kernel's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "errno")]
pub enum Refused {
    NoEntry = 2,
    Io = 5,
    Exists = 17,
    OtherFolder = 18,
    NoFolder = 20,
    IsFolder = 21,
    NoSpace = 28,
    NotHere = 38,
    NotEmpty = 39,
}

/// A change of a file that has not been synced.
#[derive(Clone, Debug)]
enum Change {
    Write { at: usize, bytes: Vec<u8> },
    Length(usize),
}

/// A change of a folder that has not been synced. A rename is one change: it is there whole or not at all.
#[derive(Clone, Debug)]
enum Naming {
    Named(Vec<u8>, u64),
    Removed(Vec<u8>),
    Renamed { from: Vec<u8>, to: Vec<u8>, number: u64 },
}

/// Now, and on the platter.
#[derive(Clone, Debug)]
struct Kept<T, C> {
    now: T,
    platter: T,
    unsynced: Vec<C>,
}

impl<T: Default, C> Default for Kept<T, C> {
    fn default() -> Self {
        Self { now: T::default(), platter: T::default(), unsynced: Vec::new() }
    }
}

impl<T: Clone, C: Clone> Kept<T, C> {
    fn change(&mut self, change: C, apply: fn(&mut T, &C)) {
        apply(&mut self.now, &change);
        self.unsynced.push(change);
    }

    fn sync(&mut self, apply: fn(&mut T, &C)) {
        for change in self.unsynced.drain(..) {
            apply(&mut self.platter, &change);
        }
    }
}

type File = Kept<Vec<u8>, Change>;
type Folder = Kept<BTreeMap<Vec<u8>, u64>, Naming>;

#[derive(Clone, Debug)]
enum Node {
    File(File),
    Folder(Folder),
}

fn write(file: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Write { at, bytes } => {
            file.resize(file.len().max(at + bytes.len()), 0);
            file[*at..at + bytes.len()].copy_from_slice(bytes);
        }
        Change::Length(length) => file.resize(*length, 0),
    }
}

fn name(folder: &mut BTreeMap<Vec<u8>, u64>, naming: &Naming) {
    match naming {
        Naming::Named(name, number) => {
            folder.insert(name.clone(), *number);
        }
        Naming::Removed(name) => {
            folder.remove(name);
        }
        Naming::Renamed { from, to, number } => {
            folder.remove(from);
            folder.insert(to.clone(), *number);
        }
    }
}

/// What a power cut does with the changes that were not synced.
#[derive(Clone, Copy, Debug)]
enum Fate {
    AllLost,
    AllKept,
    /// In their order, up to one that is torn.
    Prefix,
    /// Any of them, each whole, torn or lost.
    Any,
}

impl Fate {
    fn drawn(chance: &mut impl Rng) -> Self {
        match chance.random_range(0..10) {
            0 | 1 => Self::AllLost,
            2 | 3 => Self::AllKept,
            4..=6 => Self::Prefix,
            _ => Self::Any,
        }
    }

    /// Which of `count` changes there will be: 0 lost, 1 whole, 2 torn.
    fn of(self, count: usize, chance: &mut impl Rng) -> Vec<u8> {
        match self {
            Self::AllLost => vec![0; count],
            Self::AllKept => vec![1; count],
            Self::Prefix => {
                let torn = chance.random_range(0..=count);
                (0..count).map(|i| if i < torn { 1 } else { u8::from(i == torn) * 2 }).collect()
            }
            Self::Any => (0..count).map(|_| chance.random_range(0..3)).collect(),
        }
    }
}

/// A tree of files and folders.
#[derive(Clone, Debug)]
pub struct Volume {
    nodes: BTreeMap<u64, Node>,
    next: u64,
    /// Nothing new fits.
    pub full: bool,
    /// Syncs fail, and what they should have written never reaches the platter, whatever is synced later.
    pub refuses_sync: bool,
}

impl Default for Volume {
    fn default() -> Self {
        let nodes = BTreeMap::from([(ROOT, Node::Folder(Folder::default()))]);
        Self { nodes, next: ROOT + 1, full: false, refuses_sync: false }
    }
}

impl Volume {
    /// The power goes, and comes back: what was not synced is there, or not, or in part.
    pub fn lose_power(&mut self, chance: &mut impl Rng) {
        let fate = Fate::drawn(chance);
        for node in self.nodes.values_mut() {
            match node {
                Node::File(file) => {
                    let changes = std::mem::take(&mut file.unsynced);
                    for (change, fate) in changes.iter().zip(fate.of(changes.len(), chance)) {
                        match (fate, change) {
                            (0, _) => {}
                            (2, Change::Write { at, bytes }) => {
                                let torn = bytes[..chance.random_range(0..=bytes.len())].to_vec();
                                write(&mut file.platter, &Change::Write { at: *at, bytes: torn });
                            }
                            _ => write(&mut file.platter, change),
                        }
                    }
                    file.now.clone_from(&file.platter);
                }
                Node::Folder(folder) => {
                    let changes = std::mem::take(&mut folder.unsynced);
                    for (change, fate) in changes.iter().zip(fate.of(changes.len(), chance)) {
                        if fate == 1 {
                            name(&mut folder.platter, change);
                        }
                    }
                    folder.now.clone_from(&folder.platter);
                }
            }
        }
        self.full = false;
        self.refuses_sync = false;
        self.forget_unnamed();
    }

    fn forget_unnamed(&mut self) {
        let mut reached = BTreeSet::new();
        let mut next = vec![ROOT];
        while let Some(number) = next.pop() {
            if reached.insert(number)
                && let Some(Node::Folder(folder)) = self.nodes.get(&number)
            {
                next.extend(folder.now.values());
            }
        }
        self.nodes.retain(|number, _| reached.contains(number));
    }

    /// Length of a file; `None` for a folder.
    pub fn length(&self, number: u64) -> Result<Option<usize>, Refused> {
        match self.nodes.get(&number).ok_or(Refused::NoEntry)? {
            Node::File(file) => Ok(Some(file.now.len())),
            Node::Folder(_) => Ok(None),
        }
    }

    /// The number behind a name.
    pub fn find(&self, folder: u64, name: &[u8]) -> Result<u64, Refused> {
        self.folder(folder)?.now.get(name).copied().ok_or(Refused::NoEntry)
    }

    /// Everything in a folder.
    pub fn names(&self, folder: u64) -> Result<Vec<(Vec<u8>, u64)>, Refused> {
        Ok(self.folder(folder)?.now.iter().map(|(name, number)| (name.clone(), *number)).collect())
    }

    /// Make a file or a folder.
    pub fn make(&mut self, folder: u64, called: &[u8], is_folder: bool) -> Result<u64, Refused> {
        if self.find(folder, called).is_ok() {
            return Err(Refused::Exists);
        }
        self.has_room()?;
        let number = self.next;
        self.folder_mut(folder)?.change(Naming::Named(called.to_vec(), number), name);
        self.next += 1;
        let node = if is_folder { Node::Folder(Folder::default()) } else { Node::File(File::default()) };
        self.nodes.insert(number, node);
        Ok(number)
    }

    /// Remove a name. What it named stays while it is open.
    pub fn remove(&mut self, folder: u64, called: &[u8], is_folder: bool) -> Result<(), Refused> {
        let number = self.find(folder, called)?;
        match (self.nodes.get(&number), is_folder) {
            (Some(Node::Folder(inner)), true) if !inner.now.is_empty() => return Err(Refused::NotEmpty),
            (Some(Node::Folder(_)), false) => return Err(Refused::IsFolder),
            (Some(Node::File(_)), true) => return Err(Refused::NoFolder),
            _ => {}
        }
        self.folder_mut(folder)?.change(Naming::Removed(called.to_vec()), name);
        Ok(())
    }

    /// Rename within a folder.
    pub fn rename(&mut self, folder: u64, from: &[u8], to_folder: u64, to: &[u8]) -> Result<(), Refused> {
        if folder != to_folder {
            return Err(Refused::OtherFolder);
        }
        let number = self.find(folder, from)?;
        let renamed = Naming::Renamed { from: from.to_vec(), to: to.to_vec(), number };
        self.folder_mut(folder)?.change(renamed, name);
        Ok(())
    }

    /// Bytes of a file.
    pub fn read(&self, number: u64, at: usize, size: usize) -> Result<&[u8], Refused> {
        let Some(Node::File(file)) = self.nodes.get(&number) else { return Err(Refused::NoEntry) };
        let end = (at + size).min(file.now.len());
        Ok(file.now.get(at..end).unwrap_or_default())
    }

    /// Write into a file.
    pub fn write(&mut self, number: u64, at: usize, bytes: &[u8]) -> Result<(), Refused> {
        self.has_room()?;
        self.file_mut(number)?.change(Change::Write { at, bytes: bytes.to_vec() }, write);
        Ok(())
    }

    /// Cut a file, or lengthen it with zeros.
    pub fn set_length(&mut self, number: u64, length: usize) -> Result<(), Refused> {
        let file = self.file_mut(number)?;
        if file.now.len() != length {
            file.change(Change::Length(length), write);
        }
        Ok(())
    }

    /// Everything that was changed in a file or a folder is on the platter when this returns.
    pub fn sync(&mut self, number: u64) -> Result<(), Refused> {
        let refuses = self.refuses_sync;
        match self.nodes.get_mut(&number).ok_or(Refused::NoEntry)? {
            // As Linux has it: told once, and forgotten. A file system that cannot write its names writes nothing any more.
            Node::File(file) if refuses => file.unsynced.clear(),
            Node::Folder(_) if refuses => {}
            Node::File(file) => file.sync(write),
            Node::Folder(folder) => folder.sync(name),
        }
        if refuses { Err(Refused::Io) } else { Ok(()) }
    }

    fn has_room(&self) -> Result<(), Refused> {
        if self.full { Err(Refused::NoSpace) } else { Ok(()) }
    }

    fn folder(&self, number: u64) -> Result<&Folder, Refused> {
        match self.nodes.get(&number) {
            Some(Node::Folder(folder)) => Ok(folder),
            Some(Node::File(_)) => Err(Refused::NoFolder),
            None => Err(Refused::NoEntry),
        }
    }

    fn folder_mut(&mut self, number: u64) -> Result<&mut Folder, Refused> {
        match self.nodes.get_mut(&number) {
            Some(Node::Folder(folder)) => Ok(folder),
            Some(Node::File(_)) => Err(Refused::NoFolder),
            None => Err(Refused::NoEntry),
        }
    }

    fn file_mut(&mut self, number: u64) -> Result<&mut File, Refused> {
        match self.nodes.get_mut(&number) {
            Some(Node::File(file)) => Ok(file),
            Some(Node::Folder(_)) => Err(Refused::IsFolder),
            None => Err(Refused::NoEntry),
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// A file with 4 synced bytes, over which 4 others were written.
    fn written() -> (Volume, u64) {
        let mut volume = Volume::default();
        let file = volume.make(ROOT, b"file", false).unwrap();
        volume.write(file, 0, b"aaaa").unwrap();
        volume.sync(file).unwrap();
        volume.sync(ROOT).unwrap();
        volume.write(file, 0, b"bbbb").unwrap();
        (volume, file)
    }

    fn outcomes(volume: &Volume, look: impl Fn(&Volume) -> String) -> BTreeSet<String> {
        let cut = |seed| {
            let mut volume = volume.clone();
            volume.lose_power(&mut ChaCha8Rng::seed_from_u64(seed));
            look(&volume)
        };
        (0..500).map(cut).collect()
    }

    fn content(volume: &Volume, name: &[u8]) -> String {
        let Ok(file) = volume.find(ROOT, name) else { return "none".to_owned() };
        String::from_utf8_lossy(volume.read(file, 0, 100).unwrap()).into_owned()
    }

    #[test]
    fn what_was_synced_is_there_and_what_was_not_is_there_in_part() {
        let (mut volume, file) = written();
        let seen = outcomes(&volume, |v| content(v, b"file"));
        assert_eq!(seen, ["aaaa", "baaa", "bbaa", "bbba", "bbbb"].map(str::to_owned).into());
        volume.sync(file).unwrap();
        assert_eq!(outcomes(&volume, |v| content(v, b"file")), ["bbbb".to_owned()].into());
    }

    #[test]
    fn writes_are_reordered_and_a_name_without_its_folder_s_sync_may_be_gone() {
        let (mut volume, file) = written();
        volume.write(file, 4, b"cccc").unwrap();
        assert!(outcomes(&volume, |v| content(v, b"file")).contains("aaaacccc"));
        let other = volume.make(ROOT, b"other", false).unwrap();
        volume.write(other, 0, b"x").unwrap();
        volume.sync(other).unwrap();
        assert_eq!(outcomes(&volume, |v| content(v, b"other")), ["none", "x"].map(str::to_owned).into());
        volume.sync(ROOT).unwrap();
        volume.rename(ROOT, b"other", ROOT, b"file").unwrap();
        let both = |v: &Volume| format!("{} {}", content(v, b"other"), content(v, b"file").len());
        let seen = outcomes(&volume, both);
        assert!(seen.contains("none 1") && seen.contains("x 4"), "{seen:?}");
        assert!(!seen.iter().any(|s| s == "x 1" || s.starts_with("none 4")), "a rename is whole: {seen:?}");
    }

    #[test]
    fn what_a_failed_sync_should_have_written_never_comes() {
        let (mut volume, file) = written();
        volume.refuses_sync = true;
        assert_eq!(volume.sync(file), Err(Refused::Io));
        volume.refuses_sync = false;
        assert_eq!(content(&volume, b"file"), "bbbb", "it is still read");
        volume.sync(file).unwrap();
        assert_eq!(outcomes(&volume, |v| content(v, b"file")), ["aaaa".to_owned()].into());
        volume.full = true;
        assert_eq!(volume.write(file, 0, b"c"), Err(Refused::NoSpace));
        assert_eq!(volume.make(ROOT, b"more", true), Err(Refused::NoSpace));
        assert_eq!(volume.remove(ROOT, b"file", true), Err(Refused::NoFolder));
    }
}
