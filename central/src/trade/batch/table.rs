//! A table, from CSV or a spreadsheet: headings, then a row for each consignment or each line of its goods.

use std::collections::HashMap;

use super::columns::{COLUMNS, Column, Field, Of, headed};
use super::draft::{Cell, Cells, Draft, empty, has_goods, is_filled};
use super::error::{in_table, no_headings};
use super::{BatchError, ColumnFault, Format, MOST_CELL, MOST_ROWS, Row, text};
use crate::trade::{Fault, Faulty};

/// The headings stand in one of so many rows; titles and people's words may stand above.
pub(super) const MOST_TITLES: usize = 5;

/// A table that is being read.
pub(super) struct Table {
    format: Format,
    titles: usize,
    headings: Option<Vec<Option<&'static Column>>>,
    rows: usize,
    drafts: Vec<Draft>,
    by_reference: HashMap<String, usize>,
}

/// How many of these cells are headings.
pub(super) fn headings_among<'a>(cells: impl Iterator<Item = &'a str>) -> usize {
    cells.filter(|cell| headed(cell.trim()).is_some()).count()
}

impl Table {
    /// One of which nothing is read yet.
    pub(super) fn new(format: Format) -> Self {
        Self { format, titles: 0, headings: None, rows: 0, drafts: Vec::new(), by_reference: HashMap::new() }
    }

    /// How many columns have a place, once the headings are read.
    pub(super) fn width(&self) -> Option<usize> {
        self.headings.as_ref().map(Vec::len)
    }

    /// The next row: its number, and its cells by their column, from 0.
    pub(super) fn row(&mut self, number: u32, cells: Vec<(usize, Cell)>) -> Result<(), BatchError> {
        let Some(headings) = &self.headings else { return self.title(number, &cells) };
        let mut row = empty();
        for (at, cell) in cells {
            if !is_filled(Some(&cell)) {
                continue;
            }
            let Some(column) = headings.get(at).copied().flatten() else {
                return Err(BatchError::NoHeading { row: number, column: at + 1 });
            };
            if cell.as_ref().is_ok_and(|text| text.chars().count() > MOST_CELL) {
                return Err(BatchError::LongCell { place: in_table(number, self.format, column) });
            }
            row[column.field as usize] = Some(cell);
        }
        if !row.iter().any(|cell| is_filled(cell.as_ref())) {
            return Ok(());
        }
        self.rows += 1;
        if self.rows > MOST_ROWS {
            return Err(BatchError::TooMany);
        }
        self.take(number, row);
        Ok(())
    }

    /// A row before the headings, or they themselves.
    fn title(&mut self, number: u32, cells: &[(usize, Cell)]) -> Result<(), BatchError> {
        let texts: Vec<(usize, &str)> =
            cells.iter().filter_map(|(at, cell)| Some((*at, cell.as_ref().ok()?.trim()))).collect();
        if headings_among(texts.iter().map(|(_, text)| *text)) > 0 {
            self.headings = Some(headings(number, &texts)?);
            return Ok(());
        }
        self.titles += usize::from(texts.iter().any(|(_, text)| !text.is_empty()));
        if self.titles >= MOST_TITLES { Err(no_headings()) } else { Ok(()) }
    }

    fn take(&mut self, number: u32, mut row: Cells) {
        let reference = match &row[Field::Reference as usize] {
            Some(Ok(text)) if !text.trim().is_empty() => Some(text.trim().to_owned()),
            _ => None,
        };
        let known = reference.as_ref().and_then(|reference| self.by_reference.get(reference));
        if let Some(draft) = known.and_then(|at| self.drafts.get_mut(*at)) {
            return again(draft, number, row);
        }
        if let Some(reference) = reference {
            self.by_reference.insert(reference, self.drafts.len());
        }
        let mut draft = Draft::at(number);
        if has_goods(&row) {
            draft.goods.push((number, goods(&mut row)));
        }
        self.drafts.push(Draft { cells: row, ..draft });
    }

    /// Everything that was read.
    pub(super) fn finish(self) -> Result<Vec<Row>, BatchError> {
        if self.headings.is_none() {
            return Err(if self.titles == 0 { BatchError::Empty } else { no_headings() });
        }
        Ok(self.drafts.into_iter().map(|draft| draft.row(self.format)).collect())
    }
}

/// A further row of a consignment: another line of its goods. What it repeats must be what was said before.
fn again(draft: &mut Draft, number: u32, mut row: Cells) {
    let own = COLUMNS.iter().filter(|c| c.of == Of::Consignment);
    for column in own {
        let cell = row[column.field as usize].as_ref();
        if is_filled(cell) && !same(cell, draft.cells[column.field as usize].as_ref()) {
            draft.faults.push(Faulty::at(column.pointer, Fault::Differs { row: number }));
        }
    }
    if has_goods(&row) {
        draft.goods.push((number, goods(&mut row)));
    } else {
        draft.faults.push(Faulty::at(Field::Reference.column().pointer, Fault::Repeated));
    }
}

fn same(one: Option<&Cell>, other: Option<&Cell>) -> bool {
    match (one, other) {
        (Some(Ok(one)), Some(Ok(other))) => one.trim() == other.trim(),
        (one, other) => one == other,
    }
}

/// Take the goods' cells out of a row.
fn goods(row: &mut Cells) -> Cells {
    let mut goods = empty();
    for column in COLUMNS.iter().filter(|column| column.of == Of::Goods) {
        goods[column.field as usize] = row[column.field as usize].take();
    }
    goods
}

fn headings(row: u32, texts: &[(usize, &str)]) -> Result<Vec<Option<&'static Column>>, BatchError> {
    let width = texts.iter().map(|(at, _)| at + 1).max().unwrap_or(0);
    let mut headings: Vec<Option<&'static Column>> = vec![None; width];
    let (mut faults, mut unknown) = (Vec::new(), 0);
    let mut seen = [false; COLUMNS.len()];
    for (at, text) in texts.iter().filter(|(_, text)| !text.is_empty()) {
        match headed(text) {
            Some(column) if seen[column.field as usize] => faults.push(ColumnFault::Doubled(column.name)),
            Some(column) => {
                seen[column.field as usize] = true;
                headings[*at] = Some(column);
            }
            None => {
                unknown += 1;
                if unknown <= COLUMNS.len() {
                    faults.push(ColumnFault::Unknown(text::quoted(text)));
                }
            }
        }
    }
    faults.dedup();
    let missing = |c: &&Column| c.required && c.of == Of::Consignment && !seen[c.field as usize];
    faults.extend(COLUMNS.iter().filter(missing).map(|column| ColumnFault::Missing(column.name)));
    // A table of goods without their descriptions would say nothing about them.
    let goods = COLUMNS.iter().any(|column| column.of == Of::Goods && seen[column.field as usize]);
    if goods && !seen[Field::GoodsDescription as usize] {
        faults.push(ColumnFault::Missing(Field::GoodsDescription.column().name));
    }
    if faults.is_empty() { Ok(headings) } else { Err(BatchError::Columns { row, faults }) }
}
