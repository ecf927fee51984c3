//! The parts of a workbook that its first sheet needs: where the sheet lies, shared strings, and which styles are days.

use quick_xml::events::Event;

use super::events::{Events, attribute, damaged, local, text};
use super::zip::Archive;
use crate::trade::batch::BatchError;

/// As many shared strings as are taken: more than 10,000 rows can name, in several sheets.
const MOST_STRINGS: usize = 1_000_000;

/// As many styles as Excel has.
const MOST_STYLES: usize = 65_536;

/// A workbook.
pub(super) struct Book {
    /// The XML of its first sheet.
    pub(super) sheet: String,
    /// Texts that its cells name by number.
    pub(super) strings: Strings,
    /// Of each style, whether it shows a number as a day.
    pub(super) days: Vec<bool>,
    /// Whether days are counted from 1904, as old ones of Apple do.
    pub(super) from_1904: bool,
}

/// Many short texts, without an allocation for each.
#[derive(Default)]
pub(super) struct Strings {
    text: String,
    ends: Vec<usize>,
}

impl Strings {
    /// One of them.
    pub(super) fn get(&self, number: usize) -> Option<&str> {
        let end = *self.ends.get(number)?;
        let start = number.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        self.text.get(start..end)
    }
}

/// What the workbook refers to.
struct Relation {
    id: String,
    kind: String,
    target: String,
}

impl Book {
    /// Read what the first sheet needs.
    pub(super) fn open(archive: &Archive<'_>) -> Result<Self, BatchError> {
        let no_book = || BatchError::Spreadsheet("there is no workbook in it; save it as .xlsx");
        let book = text(archive.part("xl/workbook.xml")?.ok_or_else(no_book)?)?;
        let relations = text(archive.part("xl/_rels/workbook.xml.rels")?.ok_or_else(no_book)?)?;
        let relations = related(&relations)?;
        let (first, from_1904) = first(&book)?;
        let sheet = relations.iter().find(|relation| relation.id == first).ok_or_else(damaged)?;
        let sheet = text(archive.part(&part(&sheet.target))?.ok_or_else(damaged)?)?;
        let of_kind = |kind: &str| relations.iter().find(|r| r.kind.rsplit('/').next() == Some(kind));
        let optional = |kind: &str| match of_kind(kind) {
            Some(relation) => archive.part(&part(&relation.target))?.map(text).transpose(),
            None => Ok(None),
        };
        let (strings, styles) = (optional("sharedStrings")?, optional("styles")?);
        Self::of(sheet, strings.as_deref(), styles.as_deref(), from_1904)
    }

    /// A book of these parts.
    fn of(
        sheet: String,
        texts: Option<&str>,
        styles: Option<&str>,
        from_1904: bool,
    ) -> Result<Self, BatchError> {
        let strings = texts.map(strings).transpose()?.unwrap_or_default();
        let days = styles.map(days).transpose()?.unwrap_or_default();
        Ok(Self { sheet, strings, days, from_1904 })
    }

    /// A book of parts that a fuzzer makes: sheet, shared strings, styles, workbook, relations.
    pub(super) fn fuzzed(parts: &[&str; 5]) -> Result<Self, BatchError> {
        let [sheet, strings, styles, book, relations] = parts;
        let _ = related(relations);
        let from_1904 = first(book).is_ok_and(|(_, from_1904)| from_1904);
        Self::of((*sheet).to_owned(), Some(strings), Some(styles), from_1904)
    }
}

/// The name of a part, from what a relation says.
fn part(target: &str) -> String {
    target.strip_prefix('/').map_or_else(|| format!("xl/{target}"), str::to_owned)
}

fn related(xml: &str) -> Result<Vec<Relation>, BatchError> {
    let (mut events, mut relations) = (Events::of(xml), Vec::new());
    while let Some(event) = events.next()? {
        let Event::Start(element) = event else { continue };
        if local(&element) == "Relationship" {
            let told = |name| attribute(&element, name).map(Option::unwrap_or_default);
            relations.push(Relation { id: told("Id")?, kind: told("Type")?, target: told("Target")? });
        }
    }
    Ok(relations)
}

/// The relation of the first sheet, and whether days are counted from 1904.
fn first(xml: &str) -> Result<(String, bool), BatchError> {
    let (mut events, mut from_1904) = (Events::of(xml), false);
    while let Some(event) = events.next()? {
        let Event::Start(element) = event else { continue };
        match local(&element) {
            "workbookPr" => {
                from_1904 =
                    attribute(&element, "date1904")?.is_some_and(|told| told == "1" || told == "true");
            }
            "sheet" => return Ok((attribute(&element, "id")?.ok_or_else(damaged)?, from_1904)),
            _ => {}
        }
    }
    Err(damaged())
}

fn strings(xml: &str) -> Result<Strings, BatchError> {
    let (mut events, mut strings) = (Events::of(xml), Strings::default());
    while let Some(event) = events.next()? {
        if matches!(&event, Event::Start(element) if local(element) == "si") {
            if strings.ends.len() == MOST_STRINGS {
                return Err(BatchError::TooMany);
            }
            runs(&mut events, &mut strings.text)?;
            strings.ends.push(strings.text.len());
        }
    }
    Ok(strings)
}

/// The text of a string that may be in several runs, up to its end; how it is pronounced is none of it.
pub(super) fn runs(events: &mut Events<'_>, into: &mut String) -> Result<(), BatchError> {
    let mut depth = 0;
    loop {
        match events.next()?.ok_or_else(damaged)? {
            Event::Start(element) if local(&element) == "t" => {
                let from = into.len();
                events.text(into)?;
                if into[from..].contains("_x") {
                    let plain = unescaped(&into[from..]);
                    into.truncate(from);
                    into.push_str(&plain);
                }
            }
            Event::Start(element) if local(&element) == "rPh" => events.text(&mut String::new())?,
            Event::Start(_) => depth += 1,
            Event::End(_) if depth == 0 => return Ok(()),
            Event::End(_) => depth -= 1,
            _ => {}
        }
    }
}

/// `_x000A_` is how Excel writes a character that XML does not have.
pub(super) fn unescaped(text: &str) -> String {
    let (mut plain, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find("_x") {
        plain.push_str(&rest[..at]);
        let hex = rest.get(at + 2..at + 6).filter(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
        let ends = rest.get(at + 6..at + 7) == Some("_");
        let meant = hex.filter(|_| ends).and_then(|hex| char::from_u32(u32::from_str_radix(hex, 16).ok()?));
        if let Some(character) = meant {
            plain.push(character);
            rest = &rest[at + 7..];
        } else {
            plain.push_str("_x");
            rest = &rest[at + 2..];
        }
    }
    plain.push_str(rest);
    plain
}

/// Of each style whether it shows days.
fn days(xml: &str) -> Result<Vec<bool>, BatchError> {
    let mut events = Events::of(xml);
    let (mut own, mut days, mut in_cells) = (Vec::<(u32, bool)>::new(), Vec::new(), false);
    while let Some(event) = events.next()? {
        match event {
            Event::Start(element) => match local(&element) {
                "numFmt" if own.len() < MOST_STYLES => {
                    let id = attribute(&element, "numFmtId")?.and_then(|id| id.parse().ok());
                    let code = attribute(&element, "formatCode")?.unwrap_or_default();
                    own.extend(id.map(|id| (id, shows_days(&code))));
                }
                "cellXfs" => in_cells = true,
                "xf" if in_cells && days.len() < MOST_STYLES => {
                    let id = attribute(&element, "numFmtId")?.and_then(|id| id.parse().ok()).unwrap_or(0);
                    days.push(
                        own.iter().find(|(own, _)| *own == id).map_or_else(|| built_in(id), |(_, day)| *day),
                    );
                }
                _ => {}
            },
            Event::End(element) if element.name().into_inner().ends_with("cellXfs") => in_cells = false,
            _ => {}
        }
    }
    Ok(days)
}

/// Formats of days that every spreadsheet has, by number; from 27 on those of East Asia.
fn built_in(id: u32) -> bool {
    matches!(id, 14..=17 | 22 | 27..=31 | 36 | 50..=54 | 57..=58)
}

/// Whether a format shows a day: a `d`, or a `y`, outside quotation marks, brackets and escapes.
fn shows_days(code: &str) -> bool {
    let (mut quoted, mut bracket, mut escaped) = (false, false, false);
    for c in code.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' | '_' | '*' => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            '[' => bracket = true,
            ']' => bracket = false,
            'd' | 'D' | 'y' | 'Y' if !bracket => return true,
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_that_show_days_are_known() {
        for code in ["yyyy-mm-dd", "d/m/yyyy", "[$-404]e\"年\"m\"月\"d\"日\"", "mmm yy", "\"on\" d"] {
            assert!(shows_days(code), "{code}");
        }
        for code in ["0.00", "General", "hh:mm", "\"days\" 0", "[Red]0", "[yellow]0", "0\\d", "@"] {
            assert!(!shows_days(code), "{code}");
        }
    }

    #[test]
    fn escapes_of_excel_are_undone() {
        assert_eq!(unescaped("a_x000A_b_x005F_x0041_"), "a\nb_x0041_");
        assert_eq!(unescaped("_x00_x_xZZZZ_ _x"), "_x00_x_xZZZZ_ _x");
        assert_eq!(unescaped("_xD800_"), "_xD800_");
    }
}
