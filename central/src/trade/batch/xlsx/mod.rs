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
    of_book(&book::Book::open(&archive)?)
}

fn of_book(book: &book::Book) -> Result<Vec<Row>, BatchError> {
    let mut table = Table::new(Format::Xlsx);
    sheet::rows(book, &mut |number, cells| table.row(number, cells))?;
    table.finish()
}

/// Bytes of a fuzzer as an archive, as something deflated, and, between null characters, as the parts of a workbook: no check sum
/// keeps it from them.
pub(super) fn fuzzed(bytes: &[u8]) -> Vec<Row> {
    let whole = read(bytes);
    for most in [0, 7, bytes.len() * 4] {
        let _ = inflate::inflate(bytes, most);
    }
    let text = String::from_utf8_lossy(bytes);
    let mut parts = text.splitn(5, '\0');
    let parts = [(); 5].map(|()| parts.next().unwrap_or_default());
    let apart = book::Book::fuzzed(&parts).and_then(|book| of_book(&book));
    [whole, apart].into_iter().flatten().flatten().collect()
}
