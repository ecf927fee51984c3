//! Serves a [`Volume`] to the kernel.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use rand::Rng;

use super::volume::{ROOT, Refused, Volume};
use super::wire::{self, Request, op};

/// Longest time without any change. Longer than an edge waits for its store.
const PATIENCE: Duration = Duration::from_mins(1);

/// A mounted disk.
pub struct Disk {
    /// Where it is mounted.
    folder: tempfile::TempDir,
    shared: Arc<Shared>,
    server: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    volume: Volume,
    /// Changes until the power goes.
    lasts: Option<u64>,
    dark: bool,
    changes: u64,
}

impl Disk {
    /// An empty disk, mounted.
    pub fn new() -> anyhow::Result<Self> {
        let mut disk = Self { folder: tempfile::TempDir::new()?, shared: Arc::default(), server: None };
        disk.mount()?;
        Ok(disk)
    }

    /// The topmost folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The power will go with the `changes`th change from now on: from then on nothing is read or written any more.
    pub fn cut_after(&self, changes: u64) {
        self.state().lasts = Some(changes);
    }

    /// The power goes now.
    pub fn cut(&self) {
        self.state().dark = true;
        self.shared.changed.notify_all();
    }

    /// Nothing new fits, until the power goes or this is called again.
    pub fn fill(&self, full: bool) {
        self.state().volume.full = full;
    }

    /// Syncs fail, until the power goes or this is called again.
    pub fn refuse_sync(&self, refuses: bool) {
        self.state().volume.refuses_sync = refuses;
    }

    /// Changes so far.
    pub fn changes(&self) -> u64 {
        self.state().changes
    }

    /// Whether the power is gone.
    pub fn is_dark(&self) -> bool {
        self.state().dark
    }

    /// Wait until the power has gone. Blocking; whoever works on the disk must go on working, or this panics.
    pub fn goes_dark(&self) {
        self.reaches(|state| state.dark);
    }

    /// Wait until there were so many changes or the power has gone. Blocking, as [`Self::goes_dark`] is.
    pub fn changes_reach(&self, changes: u64) {
        self.reaches(|state| state.dark || state.changes >= changes);
    }

    fn reaches(&self, reached: impl Fn(&State) -> bool) {
        let mut state = self.state();
        while !reached(&state) {
            let before = state.changes;
            let no_change = |state: &mut State| !reached(state) && state.changes == before;
            let waited = self.shared.changed.wait_timeout_while(state, PATIENCE, no_change);
            let (now, waited) = waited.unwrap_or_else(PoisonError::into_inner);
            assert!(!waited.timed_out(), "nobody works on the disk");
            state = now;
        }
    }

    /// Power off and on again: whatever was not synced is there, or not, or in part. Whoever worked on the disk must be
    /// gone.
    pub fn power_cycle(&mut self, chance: &mut impl Rng) -> anyhow::Result<()> {
        self.cut();
        self.unmount()?;
        {
            let mut state = self.state();
            state.volume.lose_power(chance);
            state.dark = false;
            state.lasts = None;
        }
        self.mount()
    }

    fn mount(&mut self) -> anyhow::Result<()> {
        let device = File::options().read(true).write(true).open("/dev/fuse").context("/dev/fuse")?;
        // The kernel takes the device's number in the process that mounts: its input is 0.
        let mounted = Command::new("mount")
            .args(["-i", "-t", "fuse", "-o", "fd=0,rootmode=40000,user_id=0,group_id=0", "power"])
            .arg(self.path())
            .stdin(Stdio::from(device.try_clone()?))
            .output()?;
        ensure!(mounted.status.success(), "mount: {}", String::from_utf8_lossy(&mounted.stderr));
        let shared = Arc::clone(&self.shared);
        self.server = Some(std::thread::spawn(move || serve(device, &shared)));
        Ok(())
    }

    fn unmount(&mut self) -> anyhow::Result<()> {
        let Some(server) = self.server.take() else { return Ok(()) };
        let path: PathBuf = self.path().to_owned();
        let done = Command::new("umount").arg("-l").arg(&path).output()?;
        ensure!(done.status.success(), "umount: {}", String::from_utf8_lossy(&done.stderr));
        server.join().map_err(|_| anyhow::anyhow!("the file system's thread has failed"))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if let Err(error) = self.unmount() {
            tracing::warn!(%error, "the disk is not unmounted");
        }
    }
}

/// Answer until the disk is unmounted.
fn serve(mut device: File, shared: &Shared) {
    let mut buffer = vec![0; wire::MAX_WRITE as usize + 4096];
    // Interrupted reads are tried again; a disk that is not mounted any more ends this.
    loop {
        let length = match device.read(&mut buffer) {
            Ok(length) => length,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            // ENOENT: a request that was taken back before it was read.
            Err(error) if error.raw_os_error() == Some(2) => continue,
            Err(_) => return,
        };
        let Some(request) = Request::parse(&buffer[..length]) else { return };
        if matches!(request.op, op::FORGET | op::BATCH_FORGET | op::INTERRUPT) {
            continue;
        }
        let mut state = shared.state.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = state.answer(&request);
        shared.changed.notify_all();
        drop(state);
        // Whoever asked may be gone.
        let _ = device.write(&request.answered(answer));
        if request.op == op::DESTROY {
            return;
        }
    }
}

impl State {
    fn answer(&mut self, request: &Request<'_>) -> Result<Vec<u8>, Refused> {
        match request.op {
            op::INIT => return Ok(wire::init()),
            op::FLUSH | op::RELEASE | op::RELEASEDIR | op::DESTROY => return Ok(Vec::new()),
            _ if self.dark => return Err(Refused::Io),
            _ => {}
        }
        let changes = matches!(
            request.op,
            op::SETATTR
                | op::MKDIR
                | op::UNLINK
                | op::RMDIR
                | op::RENAME
                | op::RENAME2
                | op::WRITE
                | op::FSYNC
                | op::FSYNCDIR
                | op::CREATE
        );
        if changes {
            self.changes += 1;
            self.lasts = self.lasts.map(|left| left.saturating_sub(1));
            self.dark = self.lasts == Some(0);
        }
        // The power goes while it is being done: a write may be there after all, a sync has not come to its end.
        if self.dark && matches!(request.op, op::FSYNC | op::FSYNCDIR) {
            return Err(Refused::Io);
        }
        let answer = self.carried_out(request).unwrap_or(Err(Refused::NotHere));
        if self.dark { Err(Refused::Io) } else { answer }
    }

    /// `None`: a request that says too little.
    fn carried_out(&mut self, request: &Request<'_>) -> Option<Result<Vec<u8>, Refused>> {
        let (volume, node) = (&mut self.volume, request.node);
        let first = |fixed| request.names(fixed).next();
        Some(match request.op {
            op::LOOKUP => volume.find(node, first(0)?).and_then(|found| entry(volume, found)),
            op::GETATTR => volume.length(node).map(|length| wire::attr(node, length)),
            op::SETATTR => set_attributes(volume, node, request.u32(0)?, request.u64(16)?),
            op::MKDIR => volume.make(node, first(8)?, true).and_then(|made| entry(volume, made)),
            op::CREATE => {
                let made = volume.make(node, first(16)?, false).and_then(|made| entry(volume, made));
                made.map(|entry| [entry, wire::open()].concat())
            }
            op::UNLINK => volume.remove(node, first(0)?, false).map(|()| Vec::new()),
            op::RMDIR => volume.remove(node, first(0)?, true).map(|()| Vec::new()),
            op::RENAME | op::RENAME2 => {
                let mut names = request.names(if request.op == op::RENAME { 8 } else { 16 });
                volume.rename(node, names.next()?, request.u64(0)?, names.next()?).map(|()| Vec::new())
            }
            op::OPEN => volume.length(node).map(|_| wire::open()),
            op::OPENDIR => volume.names(node).map(|_| vec![0; 16]),
            op::READ => {
                let (at, size) = (request.u64(8)?, request.u32(16)?);
                volume.read(node, at as usize, size as usize).map(<[u8]>::to_vec)
            }
            op::WRITE => {
                let (at, size) = (request.u64(8)?, request.u32(16)?);
                let bytes = request.rest(40).get(..size as usize)?;
                volume.write(node, at as usize, bytes).map(|()| wire::wrote(size))
            }
            op::READDIR => {
                let (from, room) = (request.u64(8)?, request.u32(16)?);
                volume.names(node).map(|names| wire::listing(&names, from as usize, room as usize))
            }
            op::FSYNC | op::FSYNCDIR => volume.sync(node).map(|()| Vec::new()),
            op::STATFS => Ok(wire::statfs()),
            _ => return None,
        })
    }
}

fn entry(volume: &Volume, node: u64) -> Result<Vec<u8>, Refused> {
    volume.length(node).map(|length| wire::entry(node, length))
}

fn set_attributes(volume: &mut Volume, node: u64, which: u32, size: u64) -> Result<Vec<u8>, Refused> {
    const SIZE: u32 = 1 << 3;
    // Owners, modes and times are nothing here.
    if which & SIZE != 0 {
        volume.set_length(node, size as usize)?;
    }
    volume.length(node).map(|length| wire::attr(node, length))
}

/// The topmost folder is the kernel's number 1 too.
const _: () = assert!(ROOT == 1);

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::FileExt as _;

    use rand::SeedableRng as _;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn files_are_real_and_what_was_not_synced_goes_with_the_power() {
        if let Some(why) = crate::disk::missing() {
            eprintln!("skipped: {why}");
            return;
        }
        let mut disk = Disk::new().unwrap();
        let at = |name: &str| disk.path().join(name);
        fs::create_dir_all(at("a/b")).unwrap();
        let big: Vec<u8> = (0..500_000u32).map(|n| n as u8).collect();
        fs::write(at("a/b/big"), &big).unwrap();
        assert_eq!(fs::read(at("a/b/big")).unwrap(), big);
        let mut log = File::options().create(true).append(true).open(at("a/log")).unwrap();
        log.write_all(b"one").unwrap();
        log.write_all(b"two").unwrap();
        log.write_all_at(b"!", 0).unwrap();
        log.set_len(6).unwrap();
        log.sync_data().unwrap();
        fs::rename(at("a/b/big"), at("a/b/bigger")).unwrap();
        let mut names: Vec<_> =
            fs::read_dir(at("a")).unwrap().map(|item| item.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["b", "log"]);
        assert!(File::options().write(true).create_new(true).open(at("a/log")).is_err());
        assert!(fs::remove_dir(at("a/b")).is_err(), "not empty");
        disk.fill(true);
        assert_eq!(fs::write(at("new"), b"").unwrap_err().kind(), std::io::ErrorKind::StorageFull);
        disk.fill(false);
        for folder in ["", "a", "a/b"] {
            File::open(at(folder)).unwrap().sync_all().unwrap();
        }
        disk.cut_after(2);
        fs::remove_file(at("a/b/bigger")).unwrap();
        assert!(log.write_all(b"x").is_err(), "with it the power has gone");
        assert!(fs::read(at("a/log")).is_err() && disk.is_dark());
        drop(log);
        disk.power_cycle(&mut ChaCha8Rng::seed_from_u64(1)).unwrap();
        let log = fs::read(disk.path().join("a/log")).unwrap();
        assert!(log.starts_with(b"onetwo"), "{log:?}");
        assert!(disk.changes() > 10 && !disk.is_dark());
    }
}
