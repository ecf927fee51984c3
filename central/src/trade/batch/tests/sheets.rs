//! Spreadsheets: as Excel makes them, as calamine sees them, and as somebody makes them who means harm.

use calamine::{DataRef, Reader as _, Xlsx};
use rust_xlsxwriter::{ExcelDateTime, Format as Look, Formula, Workbook};

use super::*;

/// A workbook with the headings in its first row, of which `fill` writes the second.
fn sheet(fill: impl FnOnce(&mut rust_xlsxwriter::Worksheet)) -> Vec<u8> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    for (at, column) in (0..).zip(&COLUMNS) {
        sheet.write_string(0, at, column.name).unwrap();
    }
    for (at, cell) in (0..).zip(ROW.split(',')) {
        sheet.write_string(1, at, cell).unwrap();
    }
    fill(sheet);
    book.add_worksheet().write_string(0, 0, "of no interest").unwrap();
    book.save_to_buffer().unwrap()
}

fn at(field: Field) -> u16 {
    field as u16
}

#[test]
fn cells_are_read_as_people_type_them() {
    let bytes = sheet(|sheet| {
        let day = Look::new().set_num_format("d/m/yyyy");
        sheet.write_number(1, at(Field::Packages), 12.0).unwrap();
        sheet.write_number(1, at(Field::HsCode), 85_340_010).unwrap();
        let date = ExcelDateTime::from_ymd(2026, 11, 24).unwrap();
        sheet.write_datetime_with_format(1, at(Field::ExpectedDate), date, &day).unwrap();
        sheet.write_boolean(1, at(Field::Transhipment), true).unwrap();
        sheet.write_formula(1, at(Field::Value), Formula::new("=6*7").set_result("42")).unwrap();
        sheet.write_formula(1, at(Field::Description), Formula::new("=A1&\"\"").set_result("=cmd")).unwrap();
        // Formatted, and empty.
        sheet.write_blank(3, 0, &day).unwrap();
    });
    let rows = read(Format::Xlsx, &bytes).unwrap();
    let consignment = good(&rows[0]);
    assert_eq!((consignment.packages, consignment.hs_code.as_deref()), (12, Some("85340010")));
    assert_eq!((consignment.expected_date.as_str(), consignment.value_hkd), ("2026-11-24", Some(42)));
    assert_eq!(consignment.description, "=cmd", "text, and nothing that is worked out here");
    assert!(consignment.transhipment);
    assert_eq!((rows.len(), rows[0].origin.row), (1, 2));
}

#[test]
fn what_cannot_be_read_is_told_with_row_and_column() {
    let bytes = sheet(|sheet| {
        sheet.write_number(1, at(Field::Packages), 12.5).unwrap();
        sheet.write_formula(1, at(Field::Description), Formula::new("=1/0").set_result("#DIV/0!")).unwrap();
        sheet.write_number(1, at(Field::ExpectedDate), 46_350).unwrap();
    });
    let rows = read(Format::Xlsx, &bytes).unwrap();
    let pointers: Vec<_> = faults(&rows[0]).into_iter().map(|(pointer, _)| pointer).collect();
    assert!(
        pointers.contains(&"/packages".to_owned()) && pointers.contains(&"/expected_date".to_owned()),
        "{pointers:?}"
    );
    let bytes = sheet(|sheet| drop(sheet.write_string(1, 30, "stray")));
    assert_eq!(read(Format::Xlsx, &bytes), Err(BatchError::NoHeading { row: 2, column: 31 }));
}

#[test]
fn rows_beyond_what_is_taken_refuse_the_sheet() {
    let bytes = sheet(|sheet| {
        for row in 1..=10_001 {
            sheet.write_string(row, 1, "inbound").unwrap();
        }
    });
    assert_eq!(read(Format::Xlsx, &bytes), Err(BatchError::TooMany));
    // One cell at the far end of the sheet costs nothing.
    let bytes = sheet(|sheet| drop(sheet.write_string(1_048_575, 16_383, "far")));
    assert_eq!(read(Format::Xlsx, &bytes), Err(BatchError::NoHeading { row: 1_048_576, column: 16_384 }));
}

#[test]
fn another_reader_sees_the_same_cells() {
    let (reference, consignment) = super::super::template::example();
    let bytes =
        write(Format::Xlsx, &[Entry { reference: &reference, consignment: &consignment }], &say).unwrap();
    let mut book = Xlsx::new(std::io::Cursor::new(bytes)).unwrap();
    let mut cells = book.worksheet_cells_reader("batch-sheet").unwrap();
    let mut seen = Vec::new();
    while let Some(cell) = cells.next_cell().unwrap() {
        let text = match cell.get_value() {
            DataRef::SharedString(text) => (*text).to_owned(),
            DataRef::Float(number) => number.to_string(),
            DataRef::DateTime(day) => {
                let (year, month, day, ..) = day.to_ymd_hms_milli();
                format!("{year}-{month:02}-{day:02}")
            }
            DataRef::Empty => continue,
            other => panic!("{other:?}"),
        };
        seen.push((cell.get_position(), text));
    }
    let rows = super::super::cells::cells(&Entry { reference: &reference, consignment: &consignment });
    for (number, row) in (2u32..).zip(&rows) {
        for (at, text) in (0u32..).zip(row).filter(|(_, text)| !text.is_empty()) {
            assert!(seen.contains(&((number, at), text.clone())), "{text} at {number}, {at}");
        }
    }
}
