//! Why a file is refused as a whole.

use std::fmt;

use super::{COLUMNS, Format, MOST_CELL, MOST_ROWS, Place, text};

/// What is wrong with the headings of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ColumnFault {
    /// Nothing is called so.
    Unknown(String),
    /// Two columns are called so.
    Doubled(&'static str),
    /// A mandatory item has no column.
    Missing(&'static str),
}

impl fmt::Display for ColumnFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(name) => {
                write!(f, "there is no column {name}; take the headings from the template")
            }
            Self::Doubled(name) => write!(f, "two columns are called {name}"),
            Self::Missing(name) => write!(f, "the column {name} is missing"),
        }
    }
}

/// Why a file cannot be read. What it quotes from the file is short, and no spreadsheet takes it for a formula.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// Too many bytes.
    #[error("the file is too large: at most {} MiB; send it in parts", most >> 20)]
    TooLarge {
        /// As many as are taken.
        most: usize,
    },
    /// No text.
    #[error("this is no text in UTF-8 or UTF-16; save it as \"CSV UTF-8\" or \"Unicode text\"")]
    NotText,
    /// XML in another encoding.
    #[error("the XML is not in UTF-8 or UTF-16")]
    Encoding,
    /// No spreadsheet, and what would mend it.
    #[error("this is no spreadsheet that can be read: {0}")]
    Spreadsheet(&'static str),
    /// No XML.
    #[error("this is no well-formed XML: {why}")]
    Malformed {
        /// Where.
        row: u32,
        /// What the parser said.
        why: String,
    },
    /// The headings are wrong.
    #[error("the headings are wrong: see errors")]
    Columns {
        /// Where they stand.
        row: u32,
        /// How.
        faults: Vec<ColumnFault>,
    },
    /// A row of CSV ends early.
    #[error(
        "the row has {found} cells and the headings are {expected}: is the same separator used throughout?"
    )]
    Cells {
        /// Where.
        row: u32,
        /// Cells of the row.
        found: usize,
        /// Cells of the headings.
        expected: usize,
    },
    /// A cell outside the columns.
    #[error("column {column} has no heading, but something stands in it")]
    NoHeading {
        /// Where.
        row: u32,
        /// Which column, from 1.
        column: usize,
    },
    /// A quote that nothing closes.
    #[error("a quotation mark is left open, or stands alone; inside a quoted cell it is written twice")]
    OpenQuote,
    /// A cell that is too long.
    #[error("a cell has more than {MOST_CELL} characters: is a quotation mark left open?")]
    LongCell {
        /// Where.
        place: Place,
    },
    /// A document type.
    #[error("a DOCTYPE is not taken")]
    Doctype {
        /// Where.
        row: u32,
    },
    /// An entity that XML itself does not have.
    #[error("only the five entities of XML are known")]
    Entity {
        /// Where.
        row: u32,
    },
    /// Another document.
    #[error("the root must be Consignments of the namespace {}", super::xml::NAMESPACE)]
    Root {
        /// Where.
        row: u32,
    },
    /// An element or attribute that does not belong there.
    #[error("there is no such element or attribute")]
    Unknown {
        /// Where.
        place: Place,
    },
    /// An element that is there already.
    #[error("this element is there twice")]
    Doubled {
        /// Where.
        place: Place,
    },
    /// Text between elements.
    #[error("text stands between elements")]
    Stray {
        /// Where.
        place: Place,
    },
    /// Too many rows.
    #[error("more than {MOST_ROWS} rows or consignments; send them in parts")]
    TooMany,
    /// Nothing in it.
    #[error("there is no consignment in it")]
    Empty,
    /// It could not be written.
    #[error("the file could not be made: {0}")]
    Unwritten(String),
}

impl BatchError {
    /// Where in the file it lies.
    pub fn place(&self) -> Option<Place> {
        match self {
            Self::Malformed { row, .. }
            | Self::Columns { row, .. }
            | Self::Cells { row, .. }
            | Self::Doctype { row }
            | Self::Entity { row }
            | Self::Root { row } => Some(Place { row: *row, column: None }),
            Self::NoHeading { row, column } => Some(Place { row: *row, column: Some(column.to_string()) }),
            Self::LongCell { place }
            | Self::Unknown { place }
            | Self::Doubled { place }
            | Self::Stray { place } => Some(place.clone()),
            _ => None,
        }
    }

    /// The key of its words for people.
    pub fn words(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "batch-error-too-large",
            Self::NotText | Self::Encoding => "batch-error-not-text",
            Self::Spreadsheet(_) => "batch-error-spreadsheet",
            Self::Malformed { .. } | Self::Doctype { .. } | Self::Entity { .. } | Self::Stray { .. } => {
                "batch-error-malformed"
            }
            Self::Columns { .. } => "batch-error-columns",
            Self::Cells { .. } => "batch-error-cells",
            Self::NoHeading { .. } => "batch-error-no-heading",
            Self::OpenQuote => "batch-error-open-quote",
            Self::LongCell { .. } => "batch-error-long-cell",
            Self::Root { .. } => "batch-error-root",
            Self::Unknown { .. } => "batch-error-unknown",
            Self::Doubled { .. } => "batch-error-doubled",
            Self::TooMany => "batch-error-too-many",
            Self::Empty => "batch-error-empty",
            Self::Unwritten(_) => "batch-error-unwritten",
        }
    }
}

/// A table without headings: every mandatory one is missing.
pub(super) fn no_headings() -> BatchError {
    let missing = COLUMNS.iter().filter(|c| c.required && c.of == super::Of::Consignment);
    BatchError::Columns { row: 1, faults: missing.map(|c| ColumnFault::Missing(c.name)).collect() }
}

/// A place in XML, by the path of elements.
pub(super) fn in_xml(row: u32, path: &[&str]) -> Place {
    let path: Vec<String> = path.iter().map(|name| text::quoted(name)).collect();
    Place { row, column: Some(path.join("/")) }
}

/// A place in a table.
pub(super) fn in_table(row: u32, format: Format, column: &super::Column) -> Place {
    Place { row, column: Some(format.column(column)) }
}
