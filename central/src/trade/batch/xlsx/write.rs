//! Spreadsheets as we write them: headings in the reader's language, the names below them, then rows; whoever fills one in is
//! offered what there is to choose from, and told what belongs where.

use rust_xlsxwriter::{
    Color, DataValidation, DataValidationRule, DocProperties, ExcelDateTime, Format, Workbook, Worksheet,
    XlsxError,
};

use crate::trade::batch::cells::{Texts, cells};
use crate::trade::batch::columns::{COLUMNS, Column, Kind};
use crate::trade::batch::{BatchError, Entry, MOST_ROWS};
use crate::trade::consignment::MOST_PACKAGES;

/// The row of the first consignment, from 0: people's headings and the names stand above.
const FIRST: u32 = 2;

/// People's words.
type Say<'s> = &'s dyn Fn(&str) -> String;

/// Write a file.
pub(in crate::trade::batch) fn write(entries: &[Entry<'_>], say: Say<'_>) -> Result<Vec<u8>, BatchError> {
    let mut sheets = Sheets::new(say).map_err(unwritten)?;
    let rows = entries.iter().flat_map(cells);
    sheets.fill(rows).map_err(unwritten)?;
    sheets.bytes().map_err(unwritten)
}

/// Why it could not be made.
pub(in crate::trade::batch) fn unwritten(error: XlsxError) -> BatchError {
    BatchError::Unwritten(error.to_string())
}

/// A workbook that is being made.
pub(in crate::trade::batch) struct Sheets<'s> {
    book: Workbook,
    say: Say<'s>,
}

impl<'s> Sheets<'s> {
    /// One whose sheet of consignments has its headings.
    pub(in crate::trade::batch) fn new(say: Say<'s>) -> Result<Self, XlsxError> {
        let mut book = Workbook::new();
        // The same input makes the same file.
        let made = ExcelDateTime::from_ymd(2026, 1, 1)?;
        book.set_properties(&DocProperties::new().set_creation_datetime(&made));
        let sheet = book.add_worksheet();
        sheet.set_name(say("batch-sheet"))?.set_freeze_panes(FIRST, 1)?;
        for (at, column) in (0u16..).zip(&COLUMNS) {
            sheet.set_column_width(at, width(column))?;
            if let Some(format) = format(column) {
                sheet.set_column_format(at, &format)?;
            }
            let heading = if column.required { mandatory() } else { optional() };
            sheet.write_string_with_format(0, at, say(column.words), &heading)?;
            let name = Format::new().set_font_color(Color::Gray).set_font_size(8);
            sheet.write_string_with_format(1, at, column.name, &name)?;
            validate(sheet, at, column, say)?;
        }
        Ok(Self { book, say })
    }

    /// Write rows of consignments.
    fn fill(&mut self, rows: impl Iterator<Item = Texts>) -> Result<(), XlsxError> {
        let sheet = self.book.worksheet_from_index(0)?;
        for (number, row) in (FIRST..).zip(rows) {
            for (at, (column, text)) in (0u16..).zip(COLUMNS.iter().zip(&row)) {
                put(sheet, number, at, column.kind, text)?;
            }
        }
        Ok(())
    }

    /// A second sheet, which nobody reads but people: what belongs in each column, with examples.
    pub(in crate::trade::batch) fn explain(&mut self, notes: &[&str]) -> Result<(), XlsxError> {
        let say = self.say;
        let sheet = self.book.add_worksheet();
        sheet.set_name(say("batch-explanations"))?;
        let (bold, wrapped) = (Format::new().set_bold(), Format::new().set_text_wrap());
        for (at, (key, width)) in (0u16..).zip([
            ("batch-heading", 28),
            ("batch-name", 28),
            ("batch-given", 12),
            ("batch-explanation", 80),
            ("batch-example", 34),
        ]) {
            sheet.set_column_width(at, width)?;
            sheet.write_string_with_format(0, at, say(key), &bold)?;
        }
        for (row, column) in (1u32..).zip(&COLUMNS) {
            let given = if column.required { "batch-mandatory" } else { "batch-optional" };
            sheet.write_string(row, 0, say(column.words))?;
            sheet.write_string(row, 1, column.name)?;
            sheet.write_string(row, 2, say(given))?;
            sheet.write_string_with_format(row, 3, say(&why(column)), &wrapped)?;
            sheet.write_string(row, 4, column.example)?;
        }
        for (row, note) in (COLUMNS.len() as u32 + 2..).zip(notes) {
            sheet.write_string(row, 0, say(note))?;
        }
        Ok(())
    }

    /// The file.
    pub(in crate::trade::batch) fn bytes(mut self) -> Result<Vec<u8>, XlsxError> {
        self.book.save_to_buffer()
    }
}

/// The key of what people are told about a column.
fn why(column: &Column) -> String {
    format!("{}-why", column.words)
}

fn mandatory() -> Format {
    Format::new().set_bold().set_text_wrap().set_background_color(Color::RGB(0x00F4_E3B2))
}

fn optional() -> Format {
    Format::new().set_bold().set_text_wrap().set_background_color(Color::RGB(0x00E6_E9EC))
}

fn width(column: &Column) -> f64 {
    if column.kind == Kind::Text { 32.0 } else { 18.0 }
}

/// Codes stay text, so that no zero is lost; days are shown with the year first.
fn format(column: &Column) -> Option<Format> {
    match column.kind {
        Kind::Code | Kind::Text | Kind::Direction | Kind::Flag => Some(Format::new().set_num_format("@")),
        Kind::Date => Some(day()),
        Kind::Number { .. } => None,
    }
}

fn day() -> Format {
    Format::new().set_num_format("yyyy-mm-dd")
}

fn validate(sheet: &mut Worksheet, at: u16, column: &Column, say: Say<'_>) -> Result<(), XlsxError> {
    let told =
        DataValidation::new().set_input_title(say(column.words))?.set_input_message(say(&why(column)))?;
    let rule = match column.kind {
        Kind::Direction => told.allow_list_strings(&[say("batch-inbound"), say("batch-outbound")])?,
        Kind::Flag => told.allow_list_strings(&[say("batch-yes"), say("batch-no")])?,
        Kind::Number { least, most } if most <= MOST_PACKAGES => {
            told.allow_whole_number(DataValidationRule::Between(least as i32, most as i32))
        }
        Kind::Number { least, most } => {
            told.allow_decimal_number(DataValidationRule::Between(least as f64, most as f64))
        }
        Kind::Date | Kind::Code | Kind::Text => told.allow_any_value(),
    };
    sheet.add_data_validation(FIRST, at, FIRST + MOST_ROWS as u32 - 1, at, &rule)?;
    Ok(())
}

fn put(sheet: &mut Worksheet, row: u32, at: u16, kind: Kind, text: &str) -> Result<(), XlsxError> {
    let number = || text.parse::<f64>().ok();
    match kind {
        _ if text.is_empty() => {}
        Kind::Number { .. } if let Some(number) = number() => {
            sheet.write_number(row, at, number)?;
        }
        Kind::Date if let Some(date) = date(text) => {
            sheet.write_datetime_with_format(row, at, date, &day())?;
        }
        _ => {
            sheet.write_string(row, at, text)?;
        }
    }
    Ok(())
}

/// A day that a spreadsheet counts.
fn date(text: &str) -> Option<ExcelDateTime> {
    let date: jiff::civil::Date = text.parse().ok()?;
    let year = u16::try_from(date.year()).ok().filter(|year| *year > 1900)?;
    ExcelDateTime::from_ymd(year, date.month() as u8, date.day() as u8).ok()
}
