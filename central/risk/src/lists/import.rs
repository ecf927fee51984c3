//! Files of entries: CSV with a header line. All that is wrong is told at once, and nothing of a wrong file is taken.

use std::collections::HashMap;

use clearance::ids::UtcMillis;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Deserialize;

use super::{Entry, List, ListError, ListHeader, check_name};
use crate::assessment::Measure;

/// As many faults as are told of one file.
const MOST_FAULTS: usize = 100;

/// A line that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}{}: {what}", column.map(|c| format!(", column {c}")).unwrap_or_default())]
pub struct RowError {
    /// Which line of the file, from 1.
    pub line: u64,
    /// Which column, where one is to blame.
    pub column: Option<&'static str>,
    /// What is wrong.
    pub what: WhatIsWrong,
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WhatIsWrong {
    /// Nothing stands where something must.
    #[error("is empty")]
    Empty,
    /// The same name of an entry twice.
    #[error("entry {0:?} stands on line {1} already")]
    Twice(String, u64),
    /// A name that could never match.
    #[error("{0}")]
    Name(String),
    /// No day.
    #[error("{0:?} is no day: write YYYY-MM-DD")]
    Day(String),
    /// Over before it begins.
    #[error("ends before it begins")]
    Order,
    /// No measure.
    #[error("{0:?} is no measure: audit, documents, inspect, escort or detain")]
    Measure(String),
    /// The line cannot be read.
    #[error("{0}")]
    Row(String),
}

/// Why a file is no list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// The header line lacks a column or has one that nobody knows.
    #[error(
        "the first line must name the columns entry and name, and may name from, until, measure and source: {0}"
    )]
    Columns(String),
    /// Lines are wrong.
    #[error("{} lines are wrong, the first: {}", .0.len(), .0.first().map(ToString::to_string).unwrap_or_default())]
    Rows(Vec<RowError>),
    /// It is no list as a whole.
    #[error(transparent)]
    List(#[from] ListError),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    entry: String,
    name: String,
    #[serde(default)]
    from: String,
    #[serde(default)]
    until: String,
    #[serde(default)]
    measure: String,
    #[serde(default)]
    source: String,
}

/// A file of entries, to be read line by line: with or without a byte order mark, and with space around what it says.
pub fn opened(file: &[u8]) -> csv::Reader<&[u8]> {
    let file = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
    csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(file)
}

/// Read the entries of `header`'s list from a CSV `file` in UTF-8, with or without a byte order mark. Days are those of `zone`:
/// `from` begins with its first moment, `until` ends with its last.
pub fn import(header: ListHeader, file: &[u8], zone: &TimeZone) -> Result<List, ImportError> {
    header.check()?;
    let mut reader = opened(file);
    let columns = reader.headers().map_err(|e| ImportError::Columns(e.to_string()))?.clone();
    if columns.is_empty() {
        return Err(ListError::Empty(header.list).into());
    }
    check_columns(&columns)?;
    let mut lines: HashMap<String, u64> = HashMap::new();
    let (mut entries, mut faults) = (Vec::new(), Vec::new());
    let mut record = csv::StringRecord::new();
    while faults.len() < MOST_FAULTS {
        let line = reader.position().line();
        match reader.read_record(&mut record) {
            Ok(false) => break,
            Ok(true) => {}
            Err(e) => {
                faults.push(RowError { line, column: None, what: WhatIsWrong::Row(e.to_string()) });
                continue;
            }
        }
        let line = record.position().map_or(line, csv::Position::line);
        match record.deserialize::<Row>(Some(&columns)) {
            Ok(row) => match entry_of(&header, row, zone) {
                Ok(entry) => {
                    if let Some(first) = lines.insert(entry.entry.clone(), line) {
                        let what = WhatIsWrong::Twice(entry.entry.clone(), first);
                        faults.push(RowError { line, column: Some("entry"), what });
                    }
                    entries.push(entry);
                }
                Err(wrong) => {
                    faults.extend(wrong.into_iter().map(|(column, what)| RowError {
                        line,
                        column: Some(column),
                        what,
                    }));
                }
            },
            Err(e) => faults.push(RowError { line, column: None, what: WhatIsWrong::Row(e.to_string()) }),
        }
    }
    if faults.is_empty() { Ok(List::new(header, entries)?) } else { Err(ImportError::Rows(faults)) }
}

fn check_columns(columns: &csv::StringRecord) -> Result<(), ImportError> {
    const KNOWN: [&str; 6] = ["entry", "name", "from", "until", "measure", "source"];
    if let Some(unknown) = columns.iter().find(|column| !KNOWN.contains(column)) {
        return Err(ImportError::Columns(format!("{unknown:?} is none of them")));
    }
    match ["entry", "name"].into_iter().find(|needed| !columns.iter().any(|column| column == *needed)) {
        Some(missing) => Err(ImportError::Columns(format!("{missing} is missing"))),
        None => Ok(()),
    }
}

fn entry_of(
    header: &ListHeader,
    row: Row,
    zone: &TimeZone,
) -> Result<Entry, Vec<(&'static str, WhatIsWrong)>> {
    let mut wrong = Vec::new();
    if row.entry.is_empty() {
        wrong.push(("entry", WhatIsWrong::Empty));
    }
    if row.name.is_empty() {
        wrong.push(("name", WhatIsWrong::Empty));
    } else if let Err(why) = check_name(header.kind, &row.name) {
        wrong.push(("name", WhatIsWrong::Name(why)));
    }
    let mut day = |column, text: &str, days_later| {
        start_of(text, days_later, zone).unwrap_or_else(|what| {
            wrong.push((column, what));
            None
        })
    };
    let (from, until) = (day("from", &row.from, 0), day("until", &row.until, 1));
    if from.zip(until).is_some_and(|(from, until)| until <= from) {
        wrong.push(("until", WhatIsWrong::Order));
    }
    // An entry that lets through what a list is there to stop would be a hole that nobody sees.
    let measure = Measure::of_name(&row.measure).filter(|measure| *measure != Measure::Release);
    if measure.is_none() && !row.measure.is_empty() {
        wrong.push(("measure", WhatIsWrong::Measure(row.measure)));
    }
    let source = Some(row.source).filter(|source| !source.is_empty());
    if wrong.is_empty() {
        Ok(Entry { entry: row.entry, name: row.name, from, until, measure, source })
    } else {
        Err(wrong)
    }
}

/// The first moment of the day `days_later`; `None` where there is no day.
fn start_of(text: &str, days_later: i64, zone: &TimeZone) -> Result<Option<UtcMillis>, WhatIsWrong> {
    if text.is_empty() {
        return Ok(None);
    }
    let wrong = || WhatIsWrong::Day(text.to_owned());
    let day: Date = text.parse().map_err(|_| wrong())?;
    let day = day.checked_add(jiff::Span::new().days(days_later)).map_err(|_| wrong())?;
    let start = zone.to_timestamp(day.at(0, 0, 0, 0)).map_err(|_| wrong())?;
    Ok(Some(UtcMillis(start.as_millisecond())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assessment::Confidentiality;
    use crate::lists::ListKind;

    fn header(kind: ListKind) -> ListHeader {
        ListHeader {
            list: "wanted".to_owned(),
            version: 1,
            kind,
            measure: Measure::Inspect,
            source: "intelligence".to_owned(),
            confidentiality: Confidentiality::Selectors,
            matching: kind.usual_matching(),
        }
    }

    fn read(kind: ListKind, file: &str) -> Result<List, ImportError> {
        import(header(kind), file.as_bytes(), &TimeZone::fixed(jiff::tz::offset(8)))
    }

    #[test]
    fn a_file_is_read_with_its_days_at_the_place() {
        let list = read(
            ListKind::Marks,
            "\u{feff}entry,name,from,until,measure,source\nC-1, AB 1234 ,2026-11-27,2026-11-27,detain,police\nC-2,CPL,,,,\n",
        )
        .unwrap();
        let [first, second] = list.entries() else { panic!("{list:?}") };
        let (from, until) = (first.from.unwrap(), first.until.unwrap());
        assert_eq!((until.0 - from.0, from.0), (86_400_000, 1_795_708_800_000));
        assert_eq!((first.measure, first.source.as_deref()), (Some(Measure::Detain), Some("police")));
        assert_eq!((second.measure, second.from), (None, None));
        assert!(!first.holds(from.plus_millis(-1)) && first.holds(from) && !first.holds(until));
    }

    #[test]
    fn everything_wrong_is_told_with_its_line_and_column() {
        let file = "entry,name,from,until,measure\n,AB1234,,,\nC-2,??,today,,\nC-3,AB1,2026-02-02,2026-02-01,release\nC-3,AB2,,,\nC-4,AB2\n";
        let Err(ImportError::Rows(rows)) = read(ListKind::Marks, file) else { panic!("refused") };
        let told: Vec<String> = rows.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "line 2, column entry: is empty",
                "line 3, column name: a registration mark cannot contain '?': use letters A-Z, digits and 粤, 港, 澳",
                "line 3, column from: \"today\" is no day: write YYYY-MM-DD",
                "line 4, column until: ends before it begins",
                "line 4, column measure: \"release\" is no measure: audit, documents, inspect, escort or detain",
                "line 6: CSV error: record 5 (line: 6, byte: 105): found record with 2 fields, but the previous record has 5 fields",
            ]
        );
    }

    #[test]
    fn an_empty_file_is_refused_and_so_are_columns_that_nobody_knows() {
        for file in ["", "\n", "entry,name\n", "\u{feff}"] {
            let refused = read(ListKind::Persons, file).unwrap_err();
            assert!(matches!(refused, ImportError::List(ListError::Empty(_))), "{file:?}: {refused}");
            assert!(refused.to_string().contains("the list in force stays"), "{refused}");
        }
        let refused = read(ListKind::Persons, "entry,nom\n1,x\n").unwrap_err().to_string();
        assert!(refused.contains("\"nom\" is none of them"), "{refused}");
        let refused = read(ListKind::Persons, "entry,source\n1,x\n").unwrap_err().to_string();
        assert!(refused.contains("name is missing"), "{refused}");
    }

    #[test]
    fn a_header_that_lets_its_list_pass_is_refused_before_a_million_lines_are_read() {
        let header = ListHeader { matching: Vec::new(), ..header(ListKind::Marks) };
        let refused = import(header, b"entry,name\n1,??\n", &TimeZone::UTC).unwrap_err();
        assert!(matches!(refused, ImportError::List(ListError::Header { .. })), "{refused}");
        assert!(refused.to_string().starts_with("list wanted: matching without exact"), "{refused}");
    }

    #[test]
    fn names_that_could_never_match_are_refused() {
        for (kind, name) in [
            (ListKind::Goods, "1"),
            (ListKind::Goods, "123456789"),
            (ListKind::Companies, "--"),
            (ListKind::Routes, "CO"),
            (ListKind::Routes, "*>*"),
            (ListKind::Routes, "co>*"),
            (ListKind::Routes, "CO>Lok Ma Chau"),
        ] {
            assert!(read(kind, &format!("entry,name\n1,{name}\n")).is_err(), "{kind:?} {name}");
        }
    }
}
