//! The cells of a sheet, row by row, as the texts that people see in them. A formula counts as what it has come to.

use calamine::{ExcelDateTime, ExcelDateTimeType};
use quick_xml::events::{BytesStart, Event};

use super::book::{Book, runs, unescaped};
use super::events::{Events, attribute, damaged, local};
use crate::trade::Fault;
use crate::trade::batch::BatchError;
use crate::trade::batch::draft::Cell;

/// As many rows as a sheet has, of Excel.
const MOST_ROW: u32 = 1 << 20;

/// As many columns.
const MOST_COLUMN: usize = 1 << 14;

/// The last day that a spreadsheet counts to, of the year 9999.
const LAST_DAY: f64 = 2_958_466.0;

/// What is done with a row: its number, from 1, and its cells by column, from 0.
pub(super) type Take<'t> = dyn FnMut(u32, Vec<(usize, Cell)>) -> Result<(), BatchError> + 't;

/// Read the rows of the book's sheet, from above.
pub(super) fn rows(book: &Book, take: &mut Take<'_>) -> Result<(), BatchError> {
    let mut events = Events::of(&book.sheet);
    let (mut number, mut cells): (u32, Vec<(usize, Cell)>) = (0, Vec::new());
    while let Some(event) = events.next()? {
        match event {
            Event::Start(element) if local(&element) == "row" => {
                let told =
                    attribute(&element, "r")?.map(|r| r.parse::<u32>().map_err(|_| damaged())).transpose()?;
                let next = told.unwrap_or(number + 1);
                if next <= number || next > MOST_ROW {
                    return Err(damaged());
                }
                number = next;
            }
            Event::Start(element) if local(&element) == "c" => {
                let before = cells.last().map(|(at, _)| *at);
                let (at, cell) = cell(book, &mut events, &element, before)?;
                // Columns come in their order, so that no cell is there twice.
                if before.is_some_and(|before| at <= before) {
                    return Err(damaged());
                }
                cells.push((at, cell));
            }
            Event::End(element) if element.name().into_inner().ends_with("row") && !cells.is_empty() => {
                take(number, std::mem::take(&mut cells))?;
            }
            Event::End(element) if element.name().into_inner().ends_with("sheetData") => return Ok(()),
            _ => {}
        }
    }
    Err(damaged())
}

/// A cell: its column, and what it says.
fn cell(
    book: &Book,
    events: &mut Events<'_>,
    element: &BytesStart<'_>,
    before: Option<usize>,
) -> Result<(usize, Cell), BatchError> {
    let at = match attribute(element, "r")? {
        Some(name) => column(&name).ok_or_else(damaged)?,
        None => before.map_or(0, |before| before + 1),
    };
    if at >= MOST_COLUMN {
        return Err(damaged());
    }
    let kind = attribute(element, "t")?;
    let style = attribute(element, "s")?.and_then(|style| style.parse::<usize>().ok());
    let day = style.and_then(|style| book.days.get(style)).copied().unwrap_or(false);
    let mut value = String::new();
    loop {
        match events.next()?.ok_or_else(damaged)? {
            Event::Start(inner) => match local(&inner) {
                "v" if kind.as_deref() != Some("inlineStr") => events.text(&mut value)?,
                "is" => runs(events, &mut value)?,
                _ => events.text(&mut String::new())?,
            },
            Event::End(_) => break,
            _ => {}
        }
    }
    Ok((at, said(book, kind.as_deref(), day, value)?))
}

/// The column of a cell's name: 0 for `A1`.
fn column(name: &str) -> Option<usize> {
    let letters = name.len() - name.trim_start_matches(|c: char| c.is_ascii_alphabetic()).len();
    let (letters, digits) = name.split_at(letters);
    if !(1..=3).contains(&letters.len()) || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let letter = |b: u8| usize::from(b.to_ascii_uppercase() - b'A') + 1;
    Some(letters.bytes().fold(0, |number, b| number * 26 + letter(b)) - 1)
}

/// What a cell says, by its type.
fn said(book: &Book, kind: Option<&str>, day: bool, value: String) -> Result<Cell, BatchError> {
    if value.is_empty() {
        return Ok(Ok(value));
    }
    Ok(match kind {
        Some("s") => {
            let number = value.trim().parse().map_err(|_| damaged())?;
            Ok(book.strings.get(number).ok_or_else(damaged)?.to_owned())
        }
        Some("str") => Ok(unescaped(&value)),
        Some("inlineStr") => Ok(value),
        Some("b") => Ok(if value.trim() == "0" { "false" } else { "true" }.to_owned()),
        Some("e") => Err(Fault::Type { why: "the formula in this cell fails".to_owned() }),
        Some("d") => Ok(value.split('T').next().unwrap_or_default().to_owned()),
        Some("n") | None => {
            let number: f64 = value.trim().parse().map_err(|_| damaged())?;
            Ok(if day { a_day(number, book.from_1904) } else { a_number(number) })
        }
        Some(_) => return Err(damaged()),
    })
}

/// A number as it is typed: 12.0 is 12.
fn a_number(number: f64) -> String {
    number.to_string()
}

/// A day as it is typed, from how it is counted; what is no day stays a number.
fn a_day(number: f64, from_1904: bool) -> String {
    if !(1.0..LAST_DAY).contains(&number) {
        return a_number(number);
    }
    let counted = ExcelDateTime::new(number.floor(), ExcelDateTimeType::DateTime, from_1904);
    let (year, month, day, ..) = counted.to_ymd_hms_milli();
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_counted_as_they_are_named() {
        for (name, at) in
            [("A1", Some(0)), ("Z9", Some(25)), ("aa1", Some(26)), ("XFD1", Some(16_383)), ("A", Some(0))]
        {
            assert_eq!(column(name), at, "{name}");
        }
        for name in ["", "1", "AAAA1", "indineSdineStr", "A1B", "Ä1", "A-1"] {
            assert_eq!(column(name), None, "{name}");
        }
    }

    #[test]
    fn numbers_and_days_are_as_people_type_them() {
        for (number, text) in
            [(12.0, "12"), (12.5, "12.5"), (1e11, "100000000000"), (85_340_010.0, "85340010"), (-0.5, "-0.5")]
        {
            assert_eq!(a_number(number), text);
        }
        assert_eq!(a_day(46_350.0, false), "2026-11-24");
        assert_eq!(a_day(46_350.75, false), "2026-11-24");
        assert_eq!(a_day(46_350.0 - 1462.0, true), "2026-11-24");
        assert_eq!(a_day(-1.0, false), "-1");
        assert_eq!(a_day(f64::INFINITY, false), "inf");
    }
}
