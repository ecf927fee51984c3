//! Templates to fill in. What they show as an example lies in the past, so that nobody lodges it by mistake.

use super::columns::{COLUMNS, Of};
use super::draft::{Draft, empty};
use super::xlsx::Sheets;
use super::{BatchError, Entry, Format, write};
use crate::trade::{Consignment, GoodsLine};

/// What is said below the explanations.
const NOTES: [&str; 4] = ["batch-note-rows", "batch-note-goods", "batch-note-days", "batch-note-first-sheet"];

/// A template: a spreadsheet is empty, with explanations on a second sheet; CSV and XML have an example. `say` gives people's
/// words.
pub fn template(format: Format, say: &dyn Fn(&str) -> String) -> Result<Vec<u8>, BatchError> {
    if format == Format::Xlsx {
        let mut sheets = Sheets::new(say).map_err(super::xlsx::unwritten)?;
        sheets.explain(&NOTES).map_err(super::xlsx::unwritten)?;
        return sheets.bytes().map_err(super::xlsx::unwritten);
    }
    let (reference, consignment) = example();
    write(format, &[Entry { reference: &reference, consignment: &consignment }], say)
}

/// The example of the columns, with two lines of goods.
pub(super) fn example() -> (String, Consignment) {
    let cells = |of: Of| {
        let mut cells = empty();
        for column in COLUMNS.iter().filter(|column| column.of == of) {
            cells[column.field as usize] = Some(Ok(column.example.to_owned()));
        }
        cells
    };
    let draft = Draft { cells: cells(Of::Consignment), goods: vec![(1, cells(Of::Goods))], ..Draft::at(1) };
    let row = draft.row(Format::Csv);
    let mut consignment = row.consignment;
    consignment.goods.push(GoodsLine {
        description: "Connectors".to_owned(),
        hs_code: Some("85366990".to_owned()),
        origin: Some("CN".to_owned()),
        value_hkd: Some(40_000),
        net_weight_kg: Some(170),
    });
    (row.origin.reference.unwrap_or_default(), consignment)
}
