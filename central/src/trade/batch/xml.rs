//! XML: `Consignments` of our namespace, in it `Consignment` with elements named as in the WCO Data Model. No document type, no
//! entities but XML's own, no element or attribute that is not known; the namespace is told at the root and nowhere else.

use std::fmt::Write as _;

use quick_xml::Reader;
use quick_xml::escape::escape;
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::cells::cells;
use super::columns::{COLUMNS, Column, Field, GOODS, Of};
use super::draft::{Cells, Draft, empty};
use super::error::in_xml;
use super::{BatchError, Entry, Format, MOST_CELL, MOST_ROWS, Place, Row, text};
use crate::trade::consignment::MOST_LINES;

/// The namespace.
pub(super) const NAMESPACE: &str = "urn:clearlane:consignments:1";

const ROOT: &str = "Consignments";
const ITEM: &str = "Consignment";

/// As many attributes as the root has.
const MOST_ATTRIBUTES: usize = 8;

/// Read a file.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Row>, BatchError> {
    let text = text::decoded(bytes)?;
    let mut parser = Parser {
        reader: Reader::from_str(&text),
        text: &text,
        counted: 0,
        line: 1,
        prefix: None,
        ended: false,
        path: Vec::new(),
        seen: Vec::new(),
        leaf: None,
        draft: None,
        rows: Vec::new(),
    };
    while parser.step()? {}
    Ok(parser.rows)
}

/// An element with text in it.
struct Leaf {
    field: Field,
    text: String,
    characters: usize,
}

struct Parser<'a> {
    reader: Reader<&'a [u8]>,
    text: &'a str,
    /// As far as lines are counted.
    counted: usize,
    line: u32,
    /// Prefix of the root's name, with its colon; `None` before the root.
    prefix: Option<String>,
    ended: bool,
    /// Elements within the present consignment.
    path: Vec<&'static str>,
    /// Elements with elements in them that the present consignment has had; of lines of goods those of the last.
    seen: Vec<Vec<&'static str>>,
    leaf: Option<Leaf>,
    draft: Option<Draft>,
    rows: Vec<Row>,
}

impl Parser<'_> {
    /// The next event; `false` at the end.
    fn step(&mut self) -> Result<bool, BatchError> {
        let at = usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX);
        self.count(at);
        let event = self.reader.read_event().map_err(|error| {
            let at = usize::try_from(self.reader.error_position()).unwrap_or(0);
            self.count(at);
            self.malformed(&error.to_string())
        })?;
        match event {
            Event::Start(element) => self.open(&element)?,
            Event::Empty(element) => {
                self.open(&element)?;
                self.close();
            }
            Event::End(_) => self.close(),
            Event::Text(part) => self.characters(&part.xml10_content())?,
            Event::CData(part) => self.characters(&part.xml10_content())?,
            Event::GeneralRef(reference) => {
                let character = self.character(&reference)?;
                self.characters(character.encode_utf8(&mut [0; 4]))?;
            }
            Event::Decl(declaration) => {
                let known = |name: &str| {
                    ["utf-8", "utf-16", "us-ascii"].contains(&name.to_ascii_lowercase().as_str())
                };
                if declaration.encoding().is_some_and(|name| !name.is_ok_and(|name| known(&name))) {
                    return Err(BatchError::Encoding);
                }
            }
            Event::DocType(_) => return Err(BatchError::Doctype { row: self.line }),
            Event::Comment(_) | Event::PI(_) => {}
            Event::Eof if self.ended => return Ok(false),
            Event::Eof => return Err(self.malformed("it ends before its root does")),
        }
        Ok(true)
    }

    /// Count lines up to a place.
    fn count(&mut self, to: usize) {
        let passed = self.text.as_bytes().get(self.counted..to).unwrap_or_default();
        self.line += text::line_ends(passed);
        self.counted = self.counted.max(to);
    }

    fn malformed(&self, why: &str) -> BatchError {
        BatchError::Malformed { row: self.line, why: text::quoted(why) }
    }

    /// The present place, and an element or attribute in it.
    fn place(&self, name: Option<&str>) -> Place {
        let mut path: Vec<&str> = Vec::new();
        path.extend(self.prefix.is_some().then_some(ROOT));
        path.extend(self.draft.is_some().then_some(ITEM));
        path.extend(&self.path);
        path.extend(name);
        in_xml(self.line, &path)
    }

    fn unknown(&self, name: &str) -> BatchError {
        BatchError::Unknown { place: self.place(Some(name)) }
    }

    fn open(&mut self, element: &BytesStart<'_>) -> Result<(), BatchError> {
        let name = element.name();
        let name = name.as_ref();
        let Some(prefix) = &self.prefix else { return self.root(name, element) };
        if self.ended {
            return Err(self.malformed("something follows its root"));
        }
        let Some(local) = name.strip_prefix(prefix.as_str()) else { return Err(self.unknown(name)) };
        if self.draft.is_none() {
            return self.consignment(local, element);
        }
        let depth = self.path.len();
        let below =
            |column: &&Column| column.path.starts_with(&self.path) && column.path.get(depth) == Some(&local);
        let found = COLUMNS.iter().find(below).filter(|_| self.leaf.is_none());
        let Some(column) = found else { return Err(self.unknown(local)) };
        self.attributes(element, column.unit.filter(|_| column.path.len() == depth + 1))?;
        if column.path.len() == depth + 1 {
            if self.cells(column).is_some_and(|cells| cells[column.field as usize].is_some()) {
                return Err(BatchError::Doubled { place: self.place(Some(local)) });
            }
            self.leaf = Some(Leaf { field: column.field, text: String::new(), characters: 0 });
        } else {
            self.within(column.path[depth])?;
        }
        self.path.push(column.path[depth]);
        Ok(())
    }

    /// An element with elements in it: once in its place, but for lines of goods.
    fn within(&mut self, name: &'static str) -> Result<(), BatchError> {
        let line = self.line;
        let Some(draft) = &mut self.draft else { return Ok(()) };
        if name == GOODS {
            // One too many is enough to be refused for it.
            if draft.goods.len() <= MOST_LINES {
                draft.goods.push((line, empty()));
            } else if let Some((at, cells)) = draft.goods.last_mut() {
                (*at, *cells) = (line, empty());
            }
            self.seen.retain(|path| path.first() != Some(&GOODS));
            return Ok(());
        }
        let path = [self.path.as_slice(), &[name]].concat();
        if self.seen.contains(&path) {
            return Err(BatchError::Doubled { place: self.place(Some(name)) });
        }
        self.seen.push(path);
        Ok(())
    }

    /// The cells that a column's value goes to.
    fn cells(&mut self, column: &Column) -> Option<&mut Cells> {
        let draft = self.draft.as_mut()?;
        match column.of {
            Of::Consignment => Some(&mut draft.cells),
            Of::Goods => draft.goods.last_mut().map(|(_, cells)| cells),
        }
    }

    fn consignment(&mut self, local: &str, element: &BytesStart<'_>) -> Result<(), BatchError> {
        if local != ITEM {
            return Err(self.unknown(local));
        }
        self.attributes(element, None)?;
        if self.rows.len() == MOST_ROWS {
            return Err(BatchError::TooMany);
        }
        self.draft = Some(Draft::at(self.line));
        self.seen.clear();
        Ok(())
    }

    fn root(&mut self, name: &str, element: &BytesStart<'_>) -> Result<(), BatchError> {
        let wrong = BatchError::Root { row: self.line };
        let Some(prefix) = name.strip_suffix(ROOT) else { return Err(wrong) };
        let declares = match prefix.strip_suffix(':') {
            Some(bare) => format!("xmlns:{bare}"),
            None if prefix.is_empty() => "xmlns".to_owned(),
            None => return Err(wrong),
        };
        let mut ours = false;
        for (number, attribute) in element.attributes().enumerate() {
            let attribute = attribute.map_err(|error| self.malformed(&error.to_string()))?;
            let key = attribute.key.as_ref();
            let harmless = key == "xmlns" || key.starts_with("xmlns:") || key.ends_with(":schemaLocation");
            if !harmless || number >= MOST_ATTRIBUTES {
                return Err(self.unknown(&format!("{name}@{key}")));
            }
            ours |= key == declares && attribute.value.as_ref() == NAMESPACE;
        }
        if !ours {
            return Err(wrong);
        }
        self.prefix = Some(prefix.to_owned());
        Ok(())
    }

    /// No attributes, but for the unit that an element may have.
    fn attributes(&self, element: &BytesStart<'_>, unit: Option<(&str, &str)>) -> Result<(), BatchError> {
        for attribute in element.attributes() {
            let attribute = attribute.map_err(|error| self.malformed(&error.to_string()))?;
            let (key, value) = (attribute.key.as_ref(), attribute.value.as_ref());
            if unit != Some((key, value)) {
                return Err(self.unknown(&format!("{}@{key}", element.name().as_ref())));
            }
        }
        Ok(())
    }

    fn characters(&mut self, text: &str) -> Result<(), BatchError> {
        let Some(leaf) = &mut self.leaf else {
            return match () {
                () if text.trim().is_empty() => Ok(()),
                () if self.prefix.is_none() || self.ended => Err(self.malformed("text outside its root")),
                () => Err(BatchError::Stray { place: self.place(None) }),
            };
        };
        leaf.characters += text.chars().count();
        if leaf.characters > MOST_CELL {
            return Err(BatchError::LongCell { place: self.place(None) });
        }
        leaf.text.push_str(text);
        Ok(())
    }

    fn character(&self, reference: &BytesRef<'_>) -> Result<char, BatchError> {
        if let Some(character) = reference.resolve_char_ref().map_err(|e| self.malformed(&e.to_string()))? {
            return Ok(character);
        }
        match reference.xml10_content().as_ref() {
            "amp" => Ok('&'),
            "lt" => Ok('<'),
            "gt" => Ok('>'),
            "quot" => Ok('"'),
            "apos" => Ok('\''),
            _ => Err(BatchError::Entity { row: self.line }),
        }
    }

    /// The innermost element ends; that its name is right the parser has seen to.
    fn close(&mut self) {
        if let Some(leaf) = self.leaf.take()
            && let Some(cells) = self.cells(leaf.field.column())
        {
            cells[leaf.field as usize] = Some(Ok(leaf.text.trim().to_owned()));
        }
        if self.path.pop().is_some() {
            return;
        }
        match self.draft.take() {
            Some(draft) => self.rows.push(draft.row(Format::Xml)),
            None => self.ended = true,
        }
    }
}

/// Write a file.
pub(super) fn write(entries: &[Entry<'_>]) -> Vec<u8> {
    let mut xml = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{ROOT} xmlns=\"{NAMESPACE}\">\n");
    for entry in entries {
        xml.push_str("  <Consignment>\n");
        let mut open: Vec<&str> = Vec::new();
        for (number, row) in cells(entry).iter().enumerate() {
            // A line of goods is an element of its own.
            down(&mut xml, &mut open, &[]);
            for column in COLUMNS.iter().filter(|column| number == 0 || column.of == Of::Goods) {
                let value = &row[column.field as usize];
                if !value.is_empty() {
                    element(&mut xml, &mut open, column, value);
                }
            }
        }
        down(&mut xml, &mut open, &[]);
        xml.push_str("  </Consignment>\n");
    }
    xml.push_str("</Consignments>\n");
    xml.into_bytes()
}

fn element(xml: &mut String, open: &mut Vec<&'static str>, column: &Column, value: &str) {
    let Some((name, above)) = column.path.split_last() else { return };
    down(xml, open, above);
    for name in &above[open.len()..] {
        indent(xml, open.len());
        let _ = writeln!(xml, "<{name}>");
        open.push(name);
    }
    indent(xml, open.len());
    let unit = column.unit.map(|(key, unit)| format!(" {key}=\"{unit}\"")).unwrap_or_default();
    let _ = writeln!(xml, "<{name}{unit}>{}</{name}>", escape(value));
}

/// Close elements until those that are open lead to `above`.
fn down(xml: &mut String, open: &mut Vec<&'static str>, above: &[&str]) {
    while !above.starts_with(open) {
        if let Some(name) = open.pop() {
            indent(xml, open.len());
            let _ = writeln!(xml, "</{name}>");
        }
    }
}

fn indent(xml: &mut String, depth: usize) {
    xml.push_str(&"  ".repeat(depth + 2));
}
