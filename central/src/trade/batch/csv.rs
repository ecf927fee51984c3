//! CSV as spreadsheets and programs save it: UTF-8 or UTF-16, commas, semicolons or tabs. Which, the headings tell.

use ::csv::{ReaderBuilder, StringRecord, Terminator, WriterBuilder};

use super::cells::cells;
use super::columns::COLUMNS;
use super::draft::Cell;
use super::table::{MOST_TITLES, Table, headings_among};
use super::{BatchError, Entry, Format, Row, text};

/// What may separate cells.
const SEPARATORS: [u8; 3] = *b",;\t";

/// Read a file.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Row>, BatchError> {
    let text = text::decoded(bytes)?;
    // Every quote is closed, or is one of two within quotes. One left open would swallow the rows behind it.
    if text.bytes().filter(|b| *b == b'"').count() % 2 == 1 {
        return Err(BatchError::OpenQuote);
    }
    let mut table = Table::new(Format::Csv);
    let mut records = Records::new(&text, separator(&text));
    while let Some(line) = records.next()? {
        let width = table.width();
        let record = &records.record;
        if record.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        if let Some(expected) = width.filter(|expected| record.len() < *expected) {
            return Err(BatchError::Cells { row: line, found: record.len(), expected });
        }
        let filled = record.iter().enumerate().filter(|(_, cell)| !cell.is_empty());
        let cells: Vec<(usize, Cell)> =
            filled.map(|(at, cell)| (at, Ok(text::disarmoured(cell).to_owned()))).collect();
        table.row(line, cells)?;
    }
    table.finish()
}

/// The records of a file and the lines where they begin.
struct Records<'a> {
    reader: ::csv::Reader<&'a [u8]>,
    record: StringRecord,
    text: &'a str,
    at: usize,
    line: u32,
}

impl<'a> Records<'a> {
    fn new(text: &'a str, separator: u8) -> Self {
        let mut builder = ReaderBuilder::new();
        builder.has_headers(false).flexible(true).delimiter(separator);
        Self {
            reader: builder.from_reader(text.as_bytes()),
            record: StringRecord::new(),
            text,
            at: 0,
            line: 1,
        }
    }

    /// Read the next record; gives its line.
    fn next(&mut self) -> Result<Option<u32>, BatchError> {
        if !self.reader.read_record(&mut self.record).map_err(|_| BatchError::NotText)? {
            return Ok(None);
        }
        // The parser's own count stands at the blank lines that it has left out.
        let begin = self.record.position().map_or(self.at, |at| at.byte() as usize);
        let blank = self.text.as_bytes().iter().skip(begin).take_while(|b| **b == b'\n').count();
        let passed = self.text.as_bytes().get(self.at..begin + blank).unwrap_or_default();
        self.line += text::line_ends(passed);
        self.at = begin + blank;
        Ok(Some(self.line))
    }
}

/// The separator with which most headings are found.
fn separator(text: &str) -> u8 {
    let found = |separator: &u8| {
        let mut records = Records::new(text, *separator);
        let mut most = 0;
        for _ in 0..MOST_TITLES {
            if !matches!(records.next(), Ok(Some(_))) {
                break;
            }
            most = most.max(headings_among(records.record.iter()));
        }
        most
    };
    // Of equals the first.
    SEPARATORS.into_iter().rev().max_by_key(found).unwrap_or(b',')
}

/// Write a file.
pub(super) fn write(entries: &[Entry<'_>]) -> Vec<u8> {
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(b"\xef\xbb\xbf".to_vec());
    // Into memory, and every record as long as the headings: nothing can fail.
    let _ = writer.write_record(COLUMNS.iter().map(|column| column.name));
    for entry in entries {
        for row in cells(entry) {
            let _ = writer.write_record(row.iter().map(|cell| text::armoured(cell)));
        }
    }
    writer.into_inner().unwrap_or_default()
}
