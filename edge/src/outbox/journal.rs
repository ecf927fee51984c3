//! Passage steps on disk until central has them: segments of frames, each synced before it counts.
//!
//! Invariants:
//! - a step that was recorded is found again after any crash, until it is acknowledged;
//! - segments go from the oldest on, and only when every step in them is acknowledged; so an acknowledgement never
//!   goes before the step it is for;
//! - a segment in which a write failed is cut back, and never written to again if the disk's state is in doubt.

use std::collections::{BTreeMap, VecDeque};
use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use clearance::passage::PassageEvent;
use minicbor::{Decode, Encode};

use super::disk::{self, Create, Medium};
use super::frame;
use super::{OpenReport, OutboxError, OutboxLimits};

pub(super) const EXTENSION: &str = "segment";

/// What an envelope of [`clearance::wire::MAX_ENVELOPE`] leaves for a step.
const MAX_STEP: usize = clearance::wire::MAX_ENVELOPE - 4096;

/// One frame's content.
#[derive(Encode, Decode)]
pub(super) enum Entry {
    /// A step to deliver.
    #[n(0)]
    Step(#[n(0)] u64, #[n(1)] Box<PassageEvent>),
    /// Central has it.
    #[n(1)]
    Acked(#[n(0)] u64),
}

/// A step that central has not acknowledged.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    pub(super) number: u64,
    pub(super) event: PassageEvent,
}

struct Segment {
    number: u64,
    bytes: u64,
    waiting: usize,
}

pub(super) struct Journal {
    folder: PathBuf,
    limits: OutboxLimits,
    create: Create,
    segments: VecDeque<Segment>,
    /// The last segment's file, once it was written to in this run and while it can be trusted.
    writer: Option<Box<dyn Medium>>,
    waiting: BTreeMap<u64, (u64, PassageEvent)>,
    next_number: u64,
    next_segment: u64,
}

impl Journal {
    pub(super) fn open(
        folder: &Path,
        limits: OutboxLimits,
        create: Create,
        report: &mut OpenReport,
    ) -> Result<Self, OutboxError> {
        let failed = |source| OutboxError::Disk { path: folder.to_owned(), source };
        disk::make_folder(folder).map_err(failed)?;
        let mut journal = Self {
            folder: folder.to_owned(),
            limits,
            create,
            segments: VecDeque::new(),
            writer: None,
            waiting: BTreeMap::new(),
            next_number: 0,
            next_segment: 0,
        };
        for number in segment_numbers(folder).map_err(failed)? {
            let path = journal.path(number);
            journal
                .load(number, &path, report)
                .map_err(|source| OutboxError::Disk { path: path.clone(), source })?;
        }
        journal.retire();
        Ok(journal)
    }

    fn load(&mut self, number: u64, path: &Path, report: &mut OpenReport) -> io::Result<()> {
        let bytes = fs::read(path)?;
        let found = frame::scan(&bytes);
        for damaged in &found.damaged {
            report.damaged.push((path.to_owned(), damaged.start as u64..damaged.end as u64));
        }
        if found.sound < bytes.len() {
            report.torn.push((path.to_owned(), (bytes.len() - found.sound) as u64));
            let file = OpenOptions::new().write(true).open(path)?;
            file.set_len(found.sound as u64)?;
            file.sync_all()?;
        }
        self.segments.push_back(Segment { number, bytes: found.sound as u64, waiting: 0 });
        self.next_segment = number + 1;
        for payload in found.frames {
            match minicbor::decode(payload) {
                Ok(Entry::Step(step, event)) => self.hold(number, step, *event),
                Ok(Entry::Acked(step)) => self.forget(step),
                Err(error) => report.unreadable.push((path.to_owned(), error.to_string())),
            }
        }
        Ok(())
    }

    fn hold(&mut self, segment: u64, number: u64, event: PassageEvent) {
        self.next_number = self.next_number.max(number + 1);
        if self.waiting.insert(number, (segment, event)).is_none()
            && let Some(segment) = self.segments.iter_mut().find(|s| s.number == segment)
        {
            segment.waiting += 1;
        }
    }

    fn forget(&mut self, number: u64) {
        self.next_number = self.next_number.max(number + 1);
        if let Some((segment, _)) = self.waiting.remove(&number)
            && let Some(segment) = self.segments.iter_mut().find(|s| s.number == segment)
        {
            segment.waiting -= 1;
        }
    }

    /// Make a step durable.
    pub(super) fn record(&mut self, event: &PassageEvent) -> Result<(), OutboxError> {
        let number = self.next_number;
        let bytes = framed(&Entry::Step(number, Box::new(event.clone())))?;
        let held: u64 = self.segments.iter().map(|s| s.bytes).sum();
        if held + bytes.len() as u64 > self.limits.passage_bytes {
            return Err(OutboxError::Full { path: self.folder.clone(), limit: self.limits.passage_bytes });
        }
        let segment = self.append(&bytes)?;
        self.hold(segment, number, event.clone());
        Ok(())
    }

    /// Central has a step.
    pub(super) fn acknowledge(&mut self, number: u64) -> Result<(), OutboxError> {
        self.forget(number);
        // If this cannot be written, the step is delivered again after a restart, and central counts it once.
        let written = framed(&Entry::Acked(number)).and_then(|bytes| self.append(&bytes));
        self.retire();
        written.map(|_| ())
    }

    /// Whether another step of usual size fits.
    pub(super) fn has_room(&self) -> bool {
        let held: u64 = self.segments.iter().map(|s| s.bytes).sum();
        held + 16 * 1024 <= self.limits.passage_bytes
    }

    pub(super) fn depth(&self) -> usize {
        self.waiting.len()
    }

    /// The oldest steps, at most `limit`.
    pub(super) fn oldest(&self, limit: usize) -> Vec<Waiting> {
        let oldest = self.waiting.iter().take(limit);
        oldest.map(|(number, (_, event))| Waiting { number: *number, event: event.clone() }).collect()
    }

    /// Append to the last segment and sync; gives the segment's number.
    fn append(&mut self, bytes: &[u8]) -> Result<u64, OutboxError> {
        let mut writer = match self.writer.take() {
            Some(writer) => writer,
            None => self.begin()?,
        };
        let Some(segment) = self.segments.back_mut() else { unreachable!("a writer has its segment") };
        let path = segment_path(&self.folder, segment.number);
        let failed = |source| OutboxError::of(path.clone(), source);
        if let Err(error) = writer.append(bytes) {
            // Part of the frame may be there. Unless it can be cut off, this file is left alone from now on.
            if writer.cut(segment.bytes).is_ok() {
                self.writer = Some(writer);
            }
            return Err(failed(error));
        }
        if let Err(error) = writer.sync() {
            // After a failed sync nobody knows what is on the disk: what follows goes to another file.
            let _ = writer.cut(segment.bytes);
            return Err(failed(error));
        }
        segment.bytes += bytes.len() as u64;
        if segment.bytes < self.limits.segment_bytes {
            self.writer = Some(writer);
        }
        Ok(segment.number)
    }

    fn begin(&mut self) -> Result<Box<dyn Medium>, OutboxError> {
        let number = self.next_segment;
        let path = self.path(number);
        let writer = (self.create)(&path).map_err(|source| OutboxError::of(path, source))?;
        self.next_segment += 1;
        self.segments.push_back(Segment { number, bytes: 0, waiting: 0 });
        Ok(writer)
    }

    /// Remove segments from the front that hold nothing any more.
    fn retire(&mut self) {
        let before = self.segments.len();
        while self.front_is_done() && self.remove_front() {}
        if self.segments.len() < before
            && let Err(error) = disk::sync_folder(&self.folder)
        {
            tracing::warn!(path = %self.folder.display(), %error, "cannot sync the outbox folder");
        }
    }

    fn front_is_done(&self) -> bool {
        let Some(front) = self.segments.front() else { return false };
        // The one being written to is kept while it is small, or every passage would make and remove a file.
        let written_to = self.writer.is_some() && self.segments.len() == 1;
        front.waiting == 0 && (!written_to || front.bytes >= self.limits.segment_bytes / 4)
    }

    fn remove_front(&mut self) -> bool {
        let Some(front) = self.segments.front() else { return false };
        let path = segment_path(&self.folder, front.number);
        if let Err(error) = fs::remove_file(&path)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(path = %path.display(), %error, "cannot remove a delivered segment; trying again later");
            return false;
        }
        if self.segments.len() == 1 {
            self.writer = None;
        }
        self.segments.pop_front();
        true
    }

    fn path(&self, number: u64) -> PathBuf {
        segment_path(&self.folder, number)
    }
}

fn segment_path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:016x}.{EXTENSION}"))
}

fn segment_numbers(folder: &Path) -> io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for item in fs::read_dir(folder)? {
        let path = item?.path();
        if path.extension().is_some_and(|e| e == EXTENSION) {
            let stem = path.file_stem().and_then(|s| s.to_str());
            numbers.extend(stem.and_then(|s| u64::from_str_radix(s, 16).ok()));
        }
    }
    numbers.sort_unstable();
    Ok(numbers)
}

fn framed(entry: &Entry) -> Result<Vec<u8>, OutboxError> {
    #[expect(clippy::expect_used, reason = "writing to a Vec cannot fail, and no encoder of ours does")]
    let payload = minicbor::to_vec(entry).expect("CBOR into memory");
    if payload.len() > MAX_STEP {
        return Err(OutboxError::TooLong { bytes: payload.len(), limit: MAX_STEP });
    }
    Ok(frame::frame(&payload))
}
