//! Consignments as files that people and programs make: CSV, XLSX and XML with names of the WCO Data Model. Pure: bytes in,
//! [`Row`]s out.
//!
//! What is wrong with a file's form (a column nobody knows, a cell too many, an element out of place) refuses the file as a
//! whole: nobody can say what it means. What is wrong with a value refuses its consignment, with the row and the column, and
//! spoils no other.
//!
//! A consignment with several lines of goods has as many rows: those that share a `TraderAssignedReferenceID`. The first says
//! what holds for all; the others leave it empty or repeat it. In XML each line is a `ConsignmentItem`.

mod cells;
mod columns;
mod csv;
mod draft;
mod error;
mod table;
mod template;
#[cfg(test)]
mod tests;
mod text;
mod xlsx;
mod xml;

use std::fmt;
use std::str::FromStr;

pub use columns::{COLUMNS, Column, Field, Kind, Of};
pub use error::{BatchError, ColumnFault};
use serde::{Deserialize, Serialize};
pub use template::template;

use super::{Consignment, Faulty};

/// The largest file, bytes.
pub const MOST_BYTES: usize = 8 << 20;

/// As many rows, or consignments in XML, as one file has.
pub const MOST_ROWS: usize = 10_000;

/// The longest cell, in characters: longer than any item may be, so that a quote left open is noticed.
pub(crate) const MOST_CELL: usize = 4_000;

/// A format of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Comma-separated values.
    Csv,
    /// A spreadsheet (Office Open XML).
    Xlsx,
    /// XML.
    Xml,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Csv, Self::Xlsx, Self::Xml];

    /// Its name, and the ending of its files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
            Self::Xml => "xml",
        }
    }

    /// Its content type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Xml => "application/xml",
        }
    }

    /// The format of a content type, without parameters.
    pub fn of_media_type(kind: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.media_type().eq_ignore_ascii_case(kind))
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Format {
    type Err = &'static str;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|format| format.name() == name).ok_or("csv, xlsx or xml")
    }
}

/// Where in a file a consignment stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Format of the file.
    pub format: Format,
    /// The row of the sheet, or the line of the file, where it begins; from 1.
    pub row: u32,
    /// Where each of its lines of goods stands.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub goods: Vec<u32>,
    /// What the shipper calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Row of the sheet, or line of the file; from 1.
    pub row: u32,
    /// The heading of the column, or the path of elements in XML.
    pub column: Option<String>,
}

impl Origin {
    /// Where in the file the item at a JSON pointer stands, or should stand.
    pub fn place(&self, pointer: &str) -> Place {
        let Some((column, line)) = columns::pointed(pointer) else {
            return Place { row: self.row, column: None };
        };
        let row = line.map_or(Some(&self.row), |line| self.goods.get(line)).copied().unwrap_or(self.row);
        Place { row, column: Some(self.format.column(column)) }
    }
}

impl Format {
    /// How a file of this format names an item.
    fn column(self, column: &Column) -> String {
        match self {
            Self::Csv | Self::Xlsx => column.name.to_owned(),
            Self::Xml => format!("Consignment/{}", column.path.join("/")),
        }
    }
}

/// A consignment as it was read from a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Where it stands.
    pub origin: Origin,
    /// What it says, with something harmless where `faults` has an entry.
    consignment: Consignment,
    /// What could not be read.
    faults: Vec<Faulty>,
}

impl Row {
    /// The consignment, or everything that is wrong with it. `check` says what the rules of the place find
    /// (`Operations::faults`).
    pub fn checked(
        &self,
        check: impl FnOnce(&Consignment) -> Vec<Faulty>,
    ) -> Result<Consignment, Vec<Faulty>> {
        let mut faults = self.faults.clone();
        for fault in check(&self.consignment) {
            if !faults.iter().any(|known| known.pointer == fault.pointer) {
                faults.push(fault);
            }
        }
        if faults.is_empty() {
            return Ok(self.consignment.clone());
        }
        faults.sort_by_cached_key(|fault| {
            columns::pointed(&fault.pointer)
                .map(|(column, line)| (line.map_or(0, |line| line + 1), column.field as usize))
        });
        Err(faults)
    }
}

/// Read a file.
pub fn read(format: Format, bytes: &[u8]) -> Result<Vec<Row>, BatchError> {
    if bytes.len() > MOST_BYTES {
        return Err(BatchError::TooLarge { most: MOST_BYTES });
    }
    let rows = match format {
        Format::Csv => csv::read(bytes)?,
        Format::Xlsx => xlsx::read(bytes)?,
        Format::Xml => xml::read(bytes)?,
    };
    if rows.is_empty() { Err(BatchError::Empty) } else { Ok(rows) }
}

/// Bytes of a fuzzer as a file: what is taken must be written and read again as it is.
#[doc(hidden)]
pub fn fuzzed(format: Format, bytes: &[u8]) {
    let rows = match format {
        Format::Xlsx => xlsx::fuzzed(bytes),
        Format::Csv | Format::Xml => read(format, bytes).unwrap_or_default(),
    };
    let taken: Vec<Consignment> = rows.iter().filter_map(|row| row.checked(|_| Vec::new()).ok()).collect();
    let references: Vec<String> = (0..taken.len()).map(|number| number.to_string()).collect();
    let entries = taken.iter().zip(&references);
    let entries: Vec<_> = entries.map(|(consignment, reference)| Entry { reference, consignment }).collect();
    for format in [Format::Csv, Format::Xml].into_iter().filter(|_| !taken.is_empty()) {
        let again = write(format, &entries, &str::to_owned).and_then(|bytes| read(format, &bytes));
        let again = again.map(|rows| rows.iter().map(|row| row.checked(|_| Vec::new())).collect());
        assert_eq!(again, Ok(taken.iter().cloned().map(Ok).collect::<Vec<_>>()), "as it was, in {format}");
    }
}

/// A consignment to be written, with what it is called; the lines of a table belong together by that.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// What it is called, unlike any other of the file.
    pub reference: &'a str,
    /// What it says.
    pub consignment: &'a Consignment,
}

/// Write a file that [`read`] reads. `say` gives people's words, for the headings of a spreadsheet.
pub fn write(
    format: Format,
    entries: &[Entry<'_>],
    say: &dyn Fn(&str) -> String,
) -> Result<Vec<u8>, BatchError> {
    match format {
        Format::Csv => Ok(csv::write(entries)),
        Format::Xlsx => xlsx::write(entries, say),
        Format::Xml => Ok(xml::write(entries)),
    }
}
