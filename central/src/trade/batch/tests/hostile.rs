//! Files that mean harm.

use super::*;

fn refused(format: Format, bytes: &[u8]) -> BatchError {
    read(format, bytes).expect_err("it must be refused")
}

#[test]
fn a_file_is_no_larger_than_it_may_be() {
    let cell = csv(&[&ROW.replace("Boards", &"x".repeat(10 << 20))]);
    for format in Format::ALL {
        assert_eq!(refused(format, cell.as_bytes()), BatchError::TooLarge { most: MOST_BYTES });
    }
    let long = csv(&[&ROW.replace("Boards", &"x".repeat(1 << 20))]);
    let place = Place { row: 2, column: Some("CargoDescription".to_owned()) };
    assert_eq!(refused(Format::Csv, long.as_bytes()), BatchError::LongCell { place });
    let long = XML.replace(">x<", &format!(">{}<", "&lt;".repeat(1 << 20)));
    assert!(matches!(refused(Format::Xml, long.as_bytes()), BatchError::LongCell { .. }));
}

#[test]
fn ten_thousand_rows_are_taken_and_not_one_more() {
    let rows = vec![ROW.replace("PO-1", ""); 10_001];
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    assert_eq!(csv_rows(&csv(&rows[1..])).len(), 10_000);
    assert_eq!(csv_error(&csv(&rows)), BatchError::TooMany);
    let (head, tail) = ("<Consignments xmlns=\"urn:clearlane:consignments:1\">", "</Consignments>");
    let xml = |count: usize| format!("{head}{}{tail}", "<Consignment/>".repeat(count));
    assert_eq!(read(Format::Xml, xml(10_000).as_bytes()).unwrap().len(), 10_000);
    assert_eq!(refused(Format::Xml, xml(10_001).as_bytes()), BatchError::TooMany);
}

#[test]
fn one_consignment_has_no_more_lines_than_it_may_have() {
    let xml = XML.replace("<c:ConsignmentItem/>", &"<c:ConsignmentItem/>".repeat(100_000));
    let rows = read(Format::Xml, xml.as_bytes()).unwrap();
    assert_eq!(rows[0].origin.goods.len(), 1000);
    let lodging = crate::trade::consignment::Lodging { today: "2026-11-24".parse().unwrap(), days_ahead: 14 };
    let faults = rows[0].checked(|consignment| consignment.faults(lodging)).unwrap_err();
    assert!(faults.iter().any(|fault| fault.pointer == "/goods"));
}

#[test]
fn what_is_no_text_is_refused() {
    let text = csv(&[ROW]);
    for bytes in [
        text.replace("Boards", "Bo\0ards").into_bytes(),
        text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        [text.as_bytes(), b"\xff"].concat(),
        b"\xff\xfex".to_vec(),
        b"\xff\xfe\x00\xd8".to_vec(),
        b"PK\x03\x04\x00\x00".to_vec(),
    ] {
        for format in [Format::Csv, Format::Xml] {
            assert_eq!(refused(format, &bytes), BatchError::NotText);
        }
    }
    assert_eq!(refused(Format::Csv, b""), BatchError::Empty);
    assert_eq!(refused(Format::Csv, csv(&[]).as_bytes()), BatchError::Empty);
}

#[test]
fn mixed_separators_and_open_quotes_are_noticed() {
    let mixed = csv(&[ROW, &ROW.replace(',', ";")]);
    assert_eq!(csv_error(&mixed), BatchError::Cells { row: 3, found: 1, expected: 20 });
    let more = csv(&[&format!("{ROW},,extra")]);
    assert_eq!(csv_error(&more), BatchError::NoHeading { row: 2, column: 22 });
    let open = csv(&[&ROW.replace("Boards", "\"Boards"), ROW, ROW]);
    assert_eq!(csv_error(&open), BatchError::OpenQuote);
}

#[test]
fn formulas_stay_text_in_what_we_write() {
    let mut consignment = good(&csv_rows(&csv(&[ROW]))[0]);
    for text in ["=1+1", "+1", "-1", "@x", "'=1", "''", "'tis"] {
        text.clone_into(&mut consignment.description);
        let written =
            write(Format::Csv, &[Entry { reference: "-2", consignment: &consignment }], &say).unwrap();
        let cells = String::from_utf8(written.clone()).unwrap();
        for cell in cells.lines().skip(1).flat_map(|line| line.split(',')) {
            assert!(!cell.starts_with(['=', '+', '-', '@']), "{cell}");
        }
        let rows = read(Format::Csv, &written).unwrap();
        assert_eq!(
            (good(&rows[0]).description.as_str(), rows[0].origin.reference.as_deref()),
            (text, Some("-2"))
        );
    }
}

#[test]
fn entities_and_document_types_are_refused() {
    let laughs = "<!DOCTYPE l [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">]>";
    let external = "<!DOCTYPE c SYSTEM \"file:///etc/passwd\">";
    for doctype in [laughs, external] {
        let xml = XML.replacen("\n<c:", &format!("\n{doctype}<c:"), 1);
        assert_eq!(refused(Format::Xml, xml.as_bytes()), BatchError::Doctype { row: 2 });
    }
    let xml = XML.replace(">x<", ">&b;<");
    assert_eq!(refused(Format::Xml, xml.as_bytes()), BatchError::Entity { row: 6 });
    let xml = XML.replace(">x<", ">&#0;<");
    assert!(matches!(refused(Format::Xml, xml.as_bytes()), BatchError::Malformed { row: 6, .. }));
    let xml = XML.replace(">x<", ">a&#7;b<").replace("<c:ConsignmentItem/>", "");
    let rows = read(Format::Xml, xml.as_bytes()).unwrap();
    assert_eq!(faults(&rows[0])[0].0, "/description");
}

#[test]
fn nesting_ends_where_nothing_is_known() {
    let deep = "<c:Consignor>".repeat(200_000);
    let xml = XML.replace("<c:ConsignmentItem/>", &deep);
    assert!(matches!(refused(Format::Xml, xml.as_bytes()), BatchError::Doubled { .. }));
    let deep = "<a>".repeat(1_000_000);
    assert!(matches!(refused(Format::Xml, deep.as_bytes()), BatchError::Root { row: 1 }));
    let many: Vec<String> = (0..100_000).map(|n| format!(" xmlns:a{n}=\"urn:x\"")).collect();
    let many = many.concat();
    let xml = XML.replacen(" xmlns:c", &format!("{many} xmlns:c"), 1);
    assert!(matches!(refused(Format::Xml, xml.as_bytes()), BatchError::Unknown { .. }));
}
