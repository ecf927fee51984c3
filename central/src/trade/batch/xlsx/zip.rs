//! The parts of a ZIP archive as spreadsheets are: in one piece, stored or deflated. Only the parts that are asked for are
//! inflated, to exactly the length that the directory declares, and what it declares is looked at before.

use super::inflate::inflate;
use crate::trade::batch::BatchError;

/// As many parts as an archive may have; a spreadsheet has about a dozen.
const MOST_PARTS: usize = 1000;

/// The longest part that is read, inflated: 10,000 rows of long texts fit.
const MOST_INFLATED: usize = 32 << 20;

/// An archive.
pub(super) struct Archive<'a> {
    bytes: &'a [u8],
    parts: Vec<Part<'a>>,
}

/// Where a part lies.
struct Part<'a> {
    name: &'a [u8],
    method: u16,
    crc: u32,
    packed: usize,
    size: usize,
    at: usize,
}

fn damaged() -> BatchError {
    BatchError::Spreadsheet("the archive is damaged; save the sheet once more")
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..)?.first_chunk().copied()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..)?.first_chunk().copied()?))
}

impl<'a> Archive<'a> {
    /// Read the directory.
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, BatchError> {
        if bytes.starts_with(b"\xd0\xcf\x11\xe0") {
            let why =
                "it is locked with a password, or of Excel before 2007; save it as .xlsx without a password";
            return Err(BatchError::Spreadsheet(why));
        }
        let parts = directory(bytes).ok_or_else(damaged)?;
        Ok(Self { bytes, parts })
    }

    /// A part by its name, inflated; `None`: there is no such part.
    pub(super) fn part(&self, name: &str) -> Result<Option<Vec<u8>>, BatchError> {
        let mut named = self.parts.iter().filter(|part| part.name.eq_ignore_ascii_case(name.as_bytes()));
        let Some(part) = named.next() else { return Ok(None) };
        if named.next().is_some() {
            return Err(damaged());
        }
        if part.size > MOST_INFLATED {
            return Err(BatchError::TooLarge { most: MOST_INFLATED });
        }
        let bytes = self.unpacked(part).filter(|bytes| crc32(bytes) == part.crc);
        bytes.map(Some).ok_or_else(damaged)
    }

    fn unpacked(&self, part: &Part<'_>) -> Option<Vec<u8>> {
        let head = self.bytes.get(part.at..)?;
        if !head.starts_with(b"PK\x03\x04") {
            return None;
        }
        let from = 30 + usize::from(u16_at(head, 26)?) + usize::from(u16_at(head, 28)?);
        let packed = head.get(from..)?.get(..part.packed)?;
        match part.method {
            0 if part.packed == part.size => Some(packed.to_vec()),
            8 => inflate(packed, part.size),
            _ => None,
        }
    }
}

/// The directory, which must lie where the archive ends: nothing before, between or behind that another reader may take for one.
fn directory(bytes: &[u8]) -> Option<Vec<Part<'_>>> {
    let end = bytes.len().checked_sub(22)?;
    let tail = bytes.get(end..)?;
    let whole = tail.starts_with(b"PK\x05\x06") && u32_at(tail, 4)? == 0 && u16_at(tail, 20)? == 0;
    let (count, size, from) = (u16_at(tail, 10)?, u32_at(tail, 12)? as usize, u32_at(tail, 16)? as usize);
    if !whole || usize::from(count) > MOST_PARTS || from.checked_add(size)? != end {
        return None;
    }
    let mut at = from;
    let mut parts = Vec::with_capacity(usize::from(count));
    for _ in 0..count {
        let entry = bytes.get(at..end)?;
        let length = usize::from(u16_at(entry, 28)?);
        let more = usize::from(u16_at(entry, 30)?) + usize::from(u16_at(entry, 32)?);
        // Nothing encrypted.
        if !entry.starts_with(b"PK\x01\x02") || u16_at(entry, 8)? & 1 != 0 {
            return None;
        }
        parts.push(Part {
            name: entry.get(46..46 + length)?,
            method: u16_at(entry, 10)?,
            crc: u32_at(entry, 16)?,
            packed: u32_at(entry, 20)? as usize,
            size: u32_at(entry, 24)? as usize,
            at: u32_at(entry, 42)? as usize,
        });
        at += 46 + length + more;
    }
    (at == end).then_some(parts)
}

/// CRC-32 as ZIP has it.
pub(super) fn crc32(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = table();
    !bytes.iter().fold(!0, |crc, byte| TABLE[usize::from(crc as u8 ^ byte)] ^ (crc >> 8))
}

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { 0xedb8_8320 ^ (crc >> 1) } else { crc >> 1 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
}
