//! The bytes of FUSE requests and answers, as `linux/fuse.h` has them, in the machine's order.

use super::volume::Refused;

/// Length of a request's header, and of an answer's.
const REQUEST: usize = 40;
const ANSWER: usize = 16;

/// Largest write the kernel may send at once.
pub(super) const MAX_WRITE: u32 = 128 << 10;

/// Operations that are answered; others are told that there are none here.
pub(super) mod op {
    pub(in super::super) const LOOKUP: u32 = 1;
    pub(in super::super) const FORGET: u32 = 2;
    pub(in super::super) const GETATTR: u32 = 3;
    pub(in super::super) const SETATTR: u32 = 4;
    pub(in super::super) const MKDIR: u32 = 9;
    pub(in super::super) const UNLINK: u32 = 10;
    pub(in super::super) const RMDIR: u32 = 11;
    pub(in super::super) const RENAME: u32 = 12;
    pub(in super::super) const OPEN: u32 = 14;
    pub(in super::super) const READ: u32 = 15;
    pub(in super::super) const WRITE: u32 = 16;
    pub(in super::super) const STATFS: u32 = 17;
    pub(in super::super) const RELEASE: u32 = 18;
    pub(in super::super) const FSYNC: u32 = 20;
    pub(in super::super) const FLUSH: u32 = 25;
    pub(in super::super) const INIT: u32 = 26;
    pub(in super::super) const OPENDIR: u32 = 27;
    pub(in super::super) const READDIR: u32 = 28;
    pub(in super::super) const RELEASEDIR: u32 = 29;
    pub(in super::super) const FSYNCDIR: u32 = 30;
    pub(in super::super) const CREATE: u32 = 35;
    pub(in super::super) const INTERRUPT: u32 = 36;
    pub(in super::super) const DESTROY: u32 = 38;
    pub(in super::super) const BATCH_FORGET: u32 = 42;
    pub(in super::super) const RENAME2: u32 = 45;
}

/// One request.
pub(super) struct Request<'a> {
    pub(super) op: u32,
    unique: u64,
    /// The file or folder that it is for.
    pub(super) node: u64,
    body: &'a [u8],
}

impl<'a> Request<'a> {
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let header = Request { op: 0, unique: 0, node: 0, body: bytes };
        Some(Self {
            op: header.u32(4)?,
            unique: header.u64(8)?,
            node: header.u64(16)?,
            body: bytes.get(REQUEST..)?,
        })
    }

    pub(super) fn u32(&self, at: usize) -> Option<u32> {
        Some(u32::from_ne_bytes(*self.body.get(at..)?.first_chunk()?))
    }

    pub(super) fn u64(&self, at: usize) -> Option<u64> {
        Some(u64::from_ne_bytes(*self.body.get(at..)?.first_chunk()?))
    }

    /// What follows the fixed part of its body.
    pub(super) fn rest(&self, fixed: usize) -> &'a [u8] {
        self.body.get(fixed..).unwrap_or_default()
    }

    /// The names that follow the fixed part.
    pub(super) fn names(&self, fixed: usize) -> impl Iterator<Item = &'a [u8]> {
        self.rest(fixed).split(|byte| *byte == 0)
    }

    /// The bytes of the answer.
    pub(super) fn answered(&self, answer: Result<Vec<u8>, Refused>) -> Vec<u8> {
        let (error, body) = match answer {
            Ok(body) => (0, body),
            Err(refused) => (-(refused as i32), Vec::new()),
        };
        let mut out = Vec::with_capacity(ANSWER + body.len());
        out.extend(((ANSWER + body.len()) as u32).to_ne_bytes());
        out.extend(error.to_ne_bytes());
        out.extend(self.unique.to_ne_bytes());
        out.extend(body);
        out
    }
}

fn u64s(values: &[u64]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_ne_bytes()).collect()
}

fn u32s(values: &[u32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_ne_bytes()).collect()
}

/// What the two sides agree on: protocol 7.31, no caching of ours.
pub(super) fn init() -> Vec<u8> {
    const BIG_WRITES: u32 = 1 << 5;
    let mut out = u32s(&[7, 31, 0, BIG_WRITES]);
    out.extend([16u16, 12].into_iter().flat_map(u16::to_ne_bytes));
    out.extend(u32s(&[MAX_WRITE, 1]));
    out.resize(64, 0);
    out
}

/// Attributes of a file of this length, or of a folder.
fn attributes(node: u64, length: Option<usize>) -> Vec<u8> {
    const FILE: u32 = 0o100_644;
    const FOLDER: u32 = 0o040_755;
    let size = length.unwrap_or_default() as u64;
    let mut out = u64s(&[node, size, size.div_ceil(512), 0, 0, 0]);
    let mode = if length.is_some() { FILE } else { FOLDER };
    out.extend(u32s(&[0, 0, 0, mode, 1, 0, 0, 0, 4096, 0]));
    out
}

/// Attributes, to be asked for again every time.
pub(super) fn attr(node: u64, length: Option<usize>) -> Vec<u8> {
    [u64s(&[0, 0]), attributes(node, length)].concat()
}

/// A name that was found, or made; to be asked for again every time.
pub(super) fn entry(node: u64, length: Option<usize>) -> Vec<u8> {
    [u64s(&[node, 0, 0, 0, 0]), attributes(node, length)].concat()
}

/// An open file. The kernel keeps none of its pages.
pub(super) fn open() -> Vec<u8> {
    const DIRECT: u32 = 1;
    [u64s(&[0]), u32s(&[DIRECT, 0])].concat()
}

/// So many bytes were written.
pub(super) fn wrote(bytes: u32) -> Vec<u8> {
    u32s(&[bytes, 0])
}

/// A disk of no particular size.
pub(super) fn statfs() -> Vec<u8> {
    const BLOCKS: u64 = 1 << 20;
    let mut out = u64s(&[BLOCKS, BLOCKS, BLOCKS, BLOCKS, BLOCKS]);
    out.extend(u32s(&[4096, 255, 4096, 0]));
    out.resize(80, 0);
    out
}

/// A folder's content from the `from`th name on, as much as fits.
pub(super) fn listing(names: &[(Vec<u8>, u64)], from: usize, room: usize) -> Vec<u8> {
    let mut out = Vec::new();
    for (at, (name, node)) in names.iter().enumerate().skip(from) {
        let mut item = u64s(&[*node, at as u64 + 1]);
        item.extend(u32s(&[name.len() as u32, 0]));
        item.extend(name);
        item.resize(item.len().next_multiple_of(8), 0);
        if out.len() + item.len() > room {
            break;
        }
        out.extend(item);
    }
    out
}
