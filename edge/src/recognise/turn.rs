//! Whose frame is next, and what happens to reads that nobody takes: fair to cameras, latest wins, never waiting.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use super::{FrameReads, LaneIndex};
use crate::camera::{Frame, Mailbox};

/// The mailboxes in turn, and the way out.
pub(super) struct Turns {
    mailboxes: Vec<(LaneIndex, Arc<Mailbox<Frame>>)>,
    next: usize,
    /// For each mailbox the newest reads that the queue had no room for.
    waiting: Vec<Option<FrameReads>>,
    reads: mpsc::Sender<FrameReads>,
}

impl Turns {
    pub(super) fn new(
        mailboxes: Vec<(LaneIndex, Arc<Mailbox<Frame>>)>,
        reads: mpsc::Sender<FrameReads>,
    ) -> Self {
        let waiting = mailboxes.iter().map(|_| None).collect();
        Self { mailboxes, next: 0, waiting, reads }
    }

    /// The next frame, the search beginning behind the mailbox served last.
    pub(super) fn next(&mut self) -> Option<(usize, LaneIndex, Frame)> {
        let count = self.mailboxes.len();
        for offset in 0..count {
            let index = (self.next + offset) % count;
            let (lane, mailbox) = &self.mailboxes[index];
            if let Some(frame) = mailbox.take() {
                self.next = (index + 1) % count;
                return Some((index, *lane, frame));
            }
        }
        None
    }

    /// Hand over reads of `mailbox`; gives how many older ones were dropped for them.
    pub(super) fn give(&mut self, mailbox: usize, reads: FrameReads) -> u64 {
        let replaced = self.waiting[mailbox].replace(reads);
        self.flush();
        u64::from(replaced.is_some())
    }

    /// Send what waits, as far as there is room.
    pub(super) fn flush(&mut self) {
        for slot in &mut self.waiting {
            if let Some(reads) = slot.take()
                && let Err(TrySendError::Full(reads)) = self.reads.try_send(reads)
            {
                *slot = Some(reads);
            }
        }
    }

    /// Whether nobody listens any more.
    pub(super) fn is_deserted(&self) -> bool {
        self.reads.is_closed()
    }
}
