//! Text as programs save it, and text that no spreadsheet takes for a formula.

use super::BatchError;

/// What begins a formula for a spreadsheet that opens CSV; an apostrophe before it makes it text.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\''];

/// The longest quotation from a file.
const MOST_QUOTED: usize = 60;

/// The text of a file: UTF-8, with a byte order mark or without, or UTF-16 with one. Line ends become `\n`.
pub(super) fn decoded(bytes: &[u8]) -> Result<String, BatchError> {
    let text = match bytes {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        _ => {
            let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
            std::str::from_utf8(bytes).ok().map(str::to_owned)
        }
    };
    // No text has a null character: this is UTF-16 without its mark, or something else altogether.
    let text = text.filter(|text| !text.contains('\0')).ok_or(BatchError::NotText)?;
    Ok(if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n") } else { text })
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Option<String> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let text: Result<String, _> = char::decode_utf16(pairs.iter().map(|pair| unit(*pair))).collect();
    text.ok().filter(|_| rest.is_empty())
}

/// How many lines end in these bytes.
pub(super) fn line_ends(bytes: &[u8]) -> u32 {
    bytes.iter().map(|byte| u32::from(*byte == b'\n')).sum()
}

/// As it may stand in a cell of CSV.
pub(super) fn armoured(text: &str) -> String {
    if text.starts_with(FORMULA) { format!("'{text}") } else { text.to_owned() }
}

/// As it was meant, when an apostrophe made it text.
pub(super) fn disarmoured(text: &str) -> &str {
    text.strip_prefix('\'').filter(|rest| rest.starts_with(FORMULA)).unwrap_or(text)
}

/// Something from a file as an error may quote it.
pub(super) fn quoted(text: &str) -> String {
    let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut short: String = plain.take(MOST_QUOTED).collect();
    if text.chars().nth(MOST_QUOTED).is_some() {
        short.push('…');
    }
    armoured(&short)
}
