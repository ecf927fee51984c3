//! Archives that no program has made.

use super::inflate::inflate;
use super::zip::{Archive, crc32};
use super::*;

/// A part: name, method, declared size, packed bytes, check sum.
type Part<'a> = (&'a str, u16, usize, &'a [u8], u32);

fn archive(parts: &[Part<'_>]) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for (name, method, size, packed, crc) in parts {
        let mut head = vec![20, 0, 0, 0];
        head.extend(method.to_le_bytes());
        head.extend([0; 4]);
        head.extend(crc.to_le_bytes());
        head.extend((packed.len() as u32).to_le_bytes());
        head.extend((*size as u32).to_le_bytes());
        head.extend((name.len() as u16).to_le_bytes());
        head.extend([0, 0]);
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&head);
        directory.extend([0; 10]);
        directory.extend((bytes.len() as u32).to_le_bytes());
        directory.extend(name.as_bytes());
        bytes.extend(b"PK\x03\x04");
        bytes.extend(&head);
        bytes.extend(name.as_bytes());
        bytes.extend(*packed);
    }
    let at = bytes.len() as u32;
    bytes.extend(&directory);
    bytes.extend(b"PK\x05\x06\0\0\0\0");
    bytes.extend([parts.len() as u16; 2].iter().flat_map(|n| n.to_le_bytes()));
    bytes.extend((directory.len() as u32).to_le_bytes());
    bytes.extend(at.to_le_bytes());
    bytes.extend([0, 0]);
    bytes
}

fn stored<'a>(name: &'a str, text: &'a str) -> Part<'a> {
    (name, 0, text.len(), text.as_bytes(), crc32(text.as_bytes()))
}

const BOOK: &str = "xl/workbook.xml";
const RELATIONS: &str = r#"<Relationships><Relationship Id="r1" Type="x/worksheet" Target="s.xml"/>
<Relationship Id="r2" Type="x/sharedStrings" Target="/xl/t.xml"/></Relationships>"#;

/// A workbook whose first sheet is this.
fn workbook(sheet: &str, strings: &str) -> Result<Vec<Row>, BatchError> {
    let book = r#"<workbook><sheets><sheet name="a" r:id="r1"/></sheets></workbook>"#;
    read(&archive(&[
        stored(BOOK, book),
        stored("xl/_rels/workbook.xml.rels", RELATIONS),
        stored("xl/s.xml", sheet),
        stored("xl/t.xml", strings),
    ]))
}

fn is_damaged(read: Result<Vec<Row>, BatchError>) -> bool {
    matches!(read, Err(BatchError::Spreadsheet(_)))
}

/// A deflated block of zeros, `1 + 258 * times` of them.
fn zeros(times: usize) -> Vec<u8> {
    let (mut bytes, mut bit) = (Vec::new(), 0);
    let mut push = |bits: &str| {
        for b in bits.bytes() {
            if bit == 0 {
                bytes.push(0u8);
            }
            *bytes.last_mut().unwrap() |= (b - b'0') << bit;
            bit = (bit + 1) % 8;
        }
    };
    push("11000110000");
    // The longest length at the distance 1.
    (0..times).for_each(|_| push("1100010100000"));
    push("0000000");
    bytes
}

#[test]
fn what_is_inflated_is_as_long_as_it_was_said_to_be() {
    assert_eq!(inflate(b"\x01\x05\x00\xfa\xffhello", 5).as_deref(), Some(b"hello".as_slice()));
    assert_eq!(inflate(b"\x01\x05\x00\xfa\xffhello", 4), None);
    assert_eq!(inflate(b"\x01\x05\x00\xfa\xffhello", 6), None);
    assert_eq!(inflate(&zeros(3), 775).as_deref(), Some([0; 775].as_slice()));
    assert_eq!(inflate(&zeros(100_000), 775), None);
    assert_eq!(inflate(b"", 0), None);
    assert_eq!(inflate(b"\x07", 0), None);
}

#[test]
fn an_archive_that_would_burst_is_refused_and_costs_nothing() {
    let bomb = zeros(200_000);
    assert!(bomb.len() < 350_000);
    for (size, refused) in [
        (1, BatchError::Spreadsheet("the archive is damaged; save the sheet once more")),
        (1 + 258 * 200_000, BatchError::TooLarge { most: 32 << 20 }),
        (u32::MAX as usize, BatchError::TooLarge { most: 32 << 20 }),
    ] {
        assert_eq!(read(&archive(&[(BOOK, 8, size, &bomb, 0)])), Err(refused));
    }
    let twice = archive(&[stored(BOOK, "<"), stored("XL/workbook.xml", "<")]);
    assert!(is_damaged(read(&twice)));
    let wrong = archive(&[(BOOK, 0, 1, b"<", 7)]);
    assert!(is_damaged(read(&wrong)), "a check sum that does not fit");
    let mut trailing = archive(&[stored(BOOK, "<")]);
    trailing.push(0);
    assert!(Archive::open(&trailing).is_err());
}

#[test]
fn a_sheet_that_no_program_writes_is_refused() {
    let sheet = |rows: &str| format!("<worksheet><sheetData>{rows}</sheetData></worksheet>");
    let plain = r#"<row r="1"><c r="A1" t="s"><v>0</v></c></row>"#;
    let names = "<sst uniqueCount=\"99999999999999999\"><si><t>ConsignorName</t></si></sst>";
    assert!(matches!(workbook(&sheet(plain), names), Err(BatchError::Columns { row: 1, .. })));
    for rows in [
        r#"<row r="1"><c r="A1" t="s"><v>9</v></c></row>"#,
        r#"<row r="1"><c r="AAAAAAAAAAAA1"><v>9</v></c></row>"#,
        r#"<row r="99999999999999"><c r="A1"><v>9</v></c></row>"#,
        r#"<row r="2"/><row r="1"/>"#,
        r#"<row r="1"><c r="B1"><v>9</v></c><c r="B1"><v>9</v></c></row>"#,
        r#"<row r="1"><c r="A1"><v>nine</v></c></row>"#,
        r#"<row r="1"><c r="A1" t="inlineStr"><is><t>&b;</t></is></c></row>"#,
        r#"<row r="1"><c r="A1"><v>9</v></row>"#,
    ] {
        assert!(is_damaged(workbook(&sheet(rows), names)), "{rows}");
    }
    let laughs = format!("<!DOCTYPE w [<!ENTITY a \"ha\">]>{}", sheet(plain));
    assert!(is_damaged(workbook(&laughs, names)));
    assert!(is_damaged(workbook("<worksheet><sheetData>", names)));
    let locked = [b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".as_slice(), &[0; 600]].concat();
    let Err(BatchError::Spreadsheet(why)) = read(&locked) else { panic!("it is locked") };
    assert!(why.contains("password"));
}
