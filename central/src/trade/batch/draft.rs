//! From cells to a consignment: what people type for numbers, days, yes and no. Whatever cannot be read is noted where it
//! stands, and the rest goes on.

use jiff::civil::Date;

use super::columns::{COLUMNS, Field, Kind, Of};
use super::{Format, Origin, Row};
use crate::trade::{Consignment, Direction, Fault, Faulty, GoodsLine, Party};

/// The longest reference, as WCO has it.
const MOST_REFERENCE: usize = 35;

/// Words for the directions, in every language of the templates.
pub(super) const DIRECTIONS: [(&str, Direction); 4] = [
    ("inbound", Direction::Inbound),
    ("outbound", Direction::Outbound),
    ("入境", Direction::Inbound),
    ("出境", Direction::Outbound),
];

/// Words for yes and no.
pub(super) const FLAGS: [(&str, bool); 8] = [
    ("yes", true),
    ("no", false),
    ("true", true),
    ("false", false),
    ("是", true),
    ("否", false),
    ("1", true),
    ("0", false),
];

/// What a cell says, or why it cannot be read.
pub(super) type Cell = Result<String, Fault>;

/// The cells of a row by their items.
pub(super) type Cells = [Option<Cell>; COLUMNS.len()];

/// No cells.
pub(super) fn empty() -> Cells {
    [const { None }; COLUMNS.len()]
}

/// A cell with something in it.
pub(super) fn is_filled(cell: Option<&Cell>) -> bool {
    cell.is_some_and(|cell| cell.as_ref().map_or(true, |text| !text.trim().is_empty()))
}

/// A consignment that is being read.
pub(super) struct Draft {
    /// Where it begins.
    pub(super) row: u32,
    /// Its own items.
    pub(super) cells: Cells,
    /// Its lines of goods, and where they stand.
    pub(super) goods: Vec<(u32, Cells)>,
    /// What is wrong with it beside its cells.
    pub(super) faults: Vec<Faulty>,
}

impl Draft {
    /// One that begins at a row.
    pub(super) fn at(row: u32) -> Self {
        Self { row, cells: empty(), goods: Vec::new(), faults: Vec::new() }
    }

    /// As it was read.
    pub(super) fn row(self, format: Format) -> Row {
        let mut read = Reading { cells: self.cells, line: None, faults: self.faults };
        let reference = read.reference();
        let consignment = Consignment {
            direction: read.direction(),
            packages: read.number(Field::Packages).and_then(|n| u32::try_from(n).ok()).unwrap_or(1),
            package_kind: read.text(Field::PackageKind),
            description: read.text(Field::Description),
            consignor: Party {
                name: read.text(Field::ConsignorName),
                address: read.text(Field::ConsignorAddress),
            },
            consignee: Party {
                name: read.text(Field::ConsigneeName),
                address: read.text(Field::ConsigneeAddress),
            },
            expected_date: read.date(),
            hs_code: read.taken(Field::HsCode),
            origin: read.taken(Field::Origin),
            value_hkd: read.number(Field::Value),
            net_weight_kg: read.number(Field::NetWeight),
            goods: Vec::new(),
            transhipment: read.flag(),
        };
        let rows = self.goods.iter().map(|(row, _)| *row).collect();
        let mut goods = Vec::with_capacity(self.goods.len());
        for (line, (_, cells)) in self.goods.into_iter().enumerate() {
            read = Reading { cells, line: Some(line), faults: read.faults };
            goods.push(GoodsLine {
                description: read.text(Field::GoodsDescription),
                hs_code: read.taken(Field::GoodsHsCode),
                origin: read.taken(Field::GoodsOrigin),
                value_hkd: read.number(Field::GoodsValue),
                net_weight_kg: read.number(Field::GoodsNetWeight),
            });
        }
        let origin = Origin { format, row: self.row, goods: rows, reference };
        Row { origin, consignment: Consignment { goods, ..consignment }, faults: read.faults }
    }
}

/// The cells of a consignment or of one line of goods, and what is wrong with them.
struct Reading {
    cells: Cells,
    line: Option<usize>,
    faults: Vec<Faulty>,
}

impl Reading {
    fn note(&mut self, field: Field, fault: Fault) {
        let pointer = field.column().pointer;
        let pointer = self.line.map_or(pointer.to_owned(), |line| format!("/goods/{line}{pointer}"));
        self.faults.push(Faulty { pointer, fault });
    }

    /// What stands there; that nothing does is noted where something must.
    fn taken(&mut self, field: Field) -> Option<String> {
        let column = field.column();
        let text = match self.cells[field as usize].take() {
            None => String::new(),
            Some(Ok(text)) => text.trim().replace("\r\n", "\n").replace('\r', "\n"),
            Some(Err(fault)) => {
                self.note(field, fault);
                return None;
            }
        };
        if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
            self.note(field, Fault::Type { why: "a control character".to_owned() });
            return None;
        }
        if text.is_empty() && column.required {
            self.note(field, Fault::Required);
        }
        Some(text).filter(|text| !text.is_empty())
    }

    fn text(&mut self, field: Field) -> String {
        self.taken(field).unwrap_or_default()
    }

    fn reference(&mut self) -> Option<String> {
        let reference = self.taken(Field::Reference)?;
        if reference.chars().count() > MOST_REFERENCE {
            self.note(Field::Reference, Fault::TooLong { most: MOST_REFERENCE });
            return None;
        }
        Some(reference)
    }

    fn number(&mut self, field: Field) -> Option<u64> {
        let text = self.taken(field)?;
        let Kind::Number { least, most } = field.column().kind else { return None };
        let number = number(&text).filter(|number| (least..=most).contains(number));
        if number.is_none() {
            self.note(field, Fault::Number { least, most });
        }
        number
    }

    fn date(&mut self) -> String {
        let Some(text) = self.taken(Field::ExpectedDate) else { return String::new() };
        date(&text).unwrap_or_else(|| {
            self.note(Field::ExpectedDate, Fault::Date);
            String::new()
        })
    }

    fn direction(&mut self) -> Direction {
        self.known(Field::Direction, &DIRECTIONS, "inbound, outbound").unwrap_or(Direction::Inbound)
    }

    fn flag(&mut self) -> bool {
        self.known(Field::Transhipment, &FLAGS, "yes, no").unwrap_or(false)
    }

    fn known<T: Copy>(&mut self, field: Field, words: &[(&str, T)], known: &str) -> Option<T> {
        let text = self.taken(field)?.to_lowercase();
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, meant)| *meant);
        if found.is_none() {
            self.note(field, Fault::Unknown { known: known.to_owned() });
        }
        found
    }
}

/// A whole number as people type it: `1200`, `1,200`, `12.0`.
fn number(text: &str) -> Option<u64> {
    let whole = match text.split_once('.') {
        Some((whole, zeros)) => zeros.bytes().all(|b| b == b'0').then_some(whole)?,
        None => text,
    };
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if digits(whole) {
        return whole.parse().ok();
    }
    let mut groups = whole.split(',');
    let first = groups.next().filter(|first| digits(first) && first.len() <= 3)?;
    let rest = groups.map(|group| Some(group).filter(|group| digits(group) && group.len() == 3));
    let rest: String = rest.collect::<Option<_>>()?;
    format!("{first}{rest}").parse().ok()
}

/// A day as people type it, with the year first or the day: `2026-11-24`, `2026/11/24`, `2026年11月24日`, `24/11/2026`. A day
/// of those who write the month first is never taken for another that may be lodged: turned round, it lies a month away or more.
fn date(text: &str) -> Option<String> {
    let plain = text.replace(['年', '月'], "-").replace('日', "");
    let parts: Vec<&str> = plain.split(['-', '/', '.']).map(str::trim).collect();
    let [first, month, last] = parts.as_slice() else { return None };
    let (year, day) = if first.len() == 4 { (first, last) } else { (last, first) };
    let number = |text: &str, most: usize| {
        let fits = (1..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        fits.then(|| text.parse::<i16>().ok()).flatten()
    };
    let year = Some(year).filter(|year| year.len() == 4)?;
    let (month, day) = (number(month, 2)?, number(day, 2)?);
    let date = Date::new(number(year, 4)?, month as i8, day as i8).ok()?;
    Some(date.to_string())
}

/// Whether any item of goods stands in a row.
pub(super) fn has_goods(cells: &Cells) -> bool {
    COLUMNS.iter().any(|column| column.of == Of::Goods && is_filled(cells[column.field as usize].as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_people_type_them() {
        for (text, read) in [
            ("12", Some(12)),
            ("12.0", Some(12)),
            ("12.", Some(12)),
            ("1,200", Some(1200)),
            ("1,234,567.00", Some(1_234_567)),
            ("12.5", None),
            ("1,20", None),
            ("1234,567", None),
            (",123", None),
            ("-1", None),
            ("+1", None),
            ("", None),
            ("１２", None),
            ("1e3", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(number(text), read, "{text}");
        }
    }

    #[test]
    fn days_are_read_as_people_type_them() {
        for text in
            ["2026-11-04", "2026/11/4", "2026.11.04", "2026年11月4日", "4/11/2026", "04.11.2026", "4-11-2026"]
        {
            assert_eq!(date(text).as_deref(), Some("2026-11-04"), "{text}");
        }
        for text in [
            "11/24/2026",
            "24/11/26",
            "2026-11",
            "2026-11-31",
            "46350",
            "2026-11-24T00:00",
            "tomorrow",
            "26-11-2024x",
        ] {
            assert_eq!(date(text), None, "{text}");
        }
    }
}
