//! Events of the XML inside a spreadsheet.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use crate::trade::batch::BatchError;

/// The events of a part.
pub(super) struct Events<'a> {
    reader: Reader<&'a [u8]>,
}

/// What is wrong with a spreadsheet that no program has made.
pub(super) fn damaged() -> BatchError {
    BatchError::Spreadsheet(
        "it is damaged, or of a program that is not known here; save it once more as .xlsx",
    )
}

impl<'a> Events<'a> {
    /// The events of a part's text.
    pub(super) fn of(text: &'a str) -> Self {
        let mut reader = Reader::from_str(text);
        reader.config_mut().expand_empty_elements = true;
        Self { reader }
    }

    /// The next; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Event<'a>>, BatchError> {
        match self.reader.read_event().map_err(|_| damaged())? {
            Event::Eof => Ok(None),
            Event::DocType(_) => Err(damaged()),
            event => Ok(Some(event)),
        }
    }

    /// The text up to the end of the element that has just begun, with that of the elements in it.
    pub(super) fn text(&mut self, into: &mut String) -> Result<(), BatchError> {
        let mut depth = 0;
        loop {
            match self.next()?.ok_or_else(damaged)? {
                Event::Start(_) => depth += 1,
                Event::End(_) if depth == 0 => return Ok(()),
                Event::End(_) => depth -= 1,
                Event::Text(part) => into.push_str(&part.xml10_content()),
                Event::CData(part) => into.push_str(&part.xml10_content()),
                Event::GeneralRef(reference) => {
                    let known = match reference.xml10_content().as_ref() {
                        "amp" => Some('&'),
                        "lt" => Some('<'),
                        "gt" => Some('>'),
                        "quot" => Some('"'),
                        "apos" => Some('\''),
                        _ => reference.resolve_char_ref().map_err(|_| damaged())?,
                    };
                    into.push(known.ok_or_else(damaged)?);
                }
                _ => {}
            }
        }
    }
}

/// The text of a part.
pub(super) fn text(bytes: Vec<u8>) -> Result<String, BatchError> {
    let text = String::from_utf8(bytes).map_err(|_| damaged())?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

/// The name of an element, without its prefix.
pub(super) fn local<'e>(element: &'e BytesStart<'_>) -> &'e str {
    let name = element.name().into_inner();
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

/// An attribute, by its name without prefix.
pub(super) fn attribute(element: &BytesStart<'_>, name: &str) -> Result<Option<String>, BatchError> {
    for attribute in element.attributes().with_checks(false) {
        let attribute = attribute.map_err(|_| damaged())?;
        let key = attribute.key.into_inner();
        if key.rsplit_once(':').map_or(key, |(_, local)| local) == name {
            let value = quick_xml::escape::unescape(&attribute.value).map_err(|_| damaged())?;
            return Ok(Some(value.into_owned()));
        }
    }
    Ok(None)
}
