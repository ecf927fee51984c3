//! Spreadsheets as Excel, LibreOffice and the like save them. Every part is inflated to a length that was looked at before, and
//! parsed event by event: no file makes central hold more than that, or stops it. Only the first sheet counts.

mod book;
mod events;
mod inflate;
mod sheet;
#[cfg(test)]
mod tests;
mod write;
mod zip;

pub(super) use write::{Sheets, unwritten, write};

use super::table::Table;
use super::{BatchError, Format, Row};

/// Read a file.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Row>, BatchError> {
    let archive = zip::Archive::open(bytes)?;
    let book = book::Book::open(&archive)?;
    let mut table = Table::new(Format::Xlsx);
    sheet::rows(&book, &mut |number, cells| table.row(number, cells))?;
    table.finish()
}
