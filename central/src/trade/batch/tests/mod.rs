//! Files as people and programs make them, and files that mean harm.

mod hostile;
mod properties;
mod sheets;
mod words;

use super::*;
use crate::trade::Fault;

/// People's words, where a test does not look at them.
fn say(key: &str) -> String {
    key.to_owned()
}

/// The headings of the template, and rows.
fn csv(rows: &[&str]) -> String {
    format!("{}\n{}\n", COLUMNS.map(|c| c.name).join(","), rows.join("\n"))
}

const ROW: &str = "PO-1,inbound,24,CT,Boards,A Ltd,1 Road,B Ltd,2 Road,2026-11-24,85340010,CN,100,20,no,,,,,";

fn csv_rows(text: &str) -> Vec<Row> {
    read(Format::Csv, text.as_bytes()).unwrap()
}

fn csv_error(text: &str) -> BatchError {
    read(Format::Csv, text.as_bytes()).unwrap_err()
}

fn good(row: &Row) -> Consignment {
    row.checked(|_| Vec::new()).unwrap()
}

/// What is wrong with a row: pointers and faults.
fn faults(row: &Row) -> Vec<(String, Fault)> {
    let faults = row.checked(|_| Vec::new()).unwrap_err();
    faults.into_iter().map(|fault| (fault.pointer, fault.fault)).collect()
}

fn fault(pointer: &str, fault: Fault) -> (String, Fault) {
    (pointer.to_owned(), fault)
}

#[test]
fn a_row_of_csv_is_a_consignment() {
    let rows = csv_rows(&csv(&[ROW]));
    assert_eq!(rows.len(), 1);
    let consignment = good(&rows[0]);
    assert_eq!((consignment.packages, consignment.package_kind.as_str()), (24, "CT"));
    assert_eq!(consignment.consignee.address, "2 Road");
    assert_eq!((consignment.value_hkd, consignment.transhipment), (Some(100), false));
    assert!(consignment.goods.is_empty());
    let origin = &rows[0].origin;
    assert_eq!((origin.row, origin.reference.as_deref()), (2, Some("PO-1")));
}

#[test]
fn separators_encodings_and_line_ends_are_those_of_any_program() {
    let expected: Vec<_> = csv_rows(&csv(&[ROW])).iter().map(good).collect();
    for separator in [",", ";", "\t"] {
        for end in ["\n", "\r\n", "\r"] {
            let text = csv(&[ROW]).replace(',', separator).replace('\n', end);
            let utf16 = |unit: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(unit).collect::<Vec<u8>>();
            for bytes in [
                text.as_bytes().to_vec(),
                [b"\xef\xbb\xbf", text.as_bytes()].concat(),
                [b"\xff\xfe".to_vec(), utf16(u16::to_le_bytes)].concat(),
                [b"\xfe\xff".to_vec(), utf16(u16::to_be_bytes)].concat(),
            ] {
                let rows = read(Format::Csv, &bytes).unwrap_or_else(|e| panic!("{separator:?} {end:?}: {e}"));
                assert_eq!(rows.iter().map(good).collect::<Vec<_>>(), expected);
            }
        }
    }
}

#[test]
fn columns_come_in_any_order_and_words_of_people_may_stand_above_them() {
    let text = "Our shipments of Tuesday\n\n,Richtung;x,\nexpecteddate,ConsigneeAddressLine,ConsigneeName,ConsignorAddressLine,\
                ConsignorName,CARGODESCRIPTION,PackagingTypeCode,TotalPackageQuantity,DirectionCode\n\
                24/11/2026,\"2 Road,\n\"\"Kowloon\"\"\",B,1 Road,A,Boards,CT,\"1,200\",Outbound\n";
    let rows = csv_rows(text);
    let consignment = good(&rows[0]);
    assert_eq!(consignment.consignee.address, "2 Road,\n\"Kowloon\"");
    assert_eq!((consignment.packages, consignment.expected_date.as_str()), (1200, "2026-11-24"));
    assert_eq!(rows[0].origin.row, 5);
}

#[test]
fn what_is_wrong_with_the_headings_is_told_at_once_and_refuses_the_file() {
    let text =
        csv(&[ROW]).replace("TotalPackageQuantity", "Packages").replace("OriginCountryCode", "DirectionCode");
    let BatchError::Columns { row, faults } = csv_error(&text) else { panic!("no fault of columns") };
    assert_eq!(row, 1);
    assert_eq!(
        faults,
        [
            ColumnFault::Unknown("Packages".to_owned()),
            ColumnFault::Doubled("DirectionCode"),
            ColumnFault::Unknown("ItemDirectionCode".to_owned()),
            ColumnFault::Missing("TotalPackageQuantity"),
        ]
    );
    let BatchError::Columns { faults, .. } = csv_error("a,b\n1,2\n3,4\n5,6\n7,8\n") else { panic!() };
    assert_eq!(faults.len(), 9, "every mandatory column");
}

#[test]
fn an_error_never_quotes_a_formula() {
    let text = csv(&[ROW]).replacen("OriginCountryCode", "\"=HYPERLINK(\"\"http://evil\"\")\"", 1);
    let BatchError::Columns { faults, .. } = csv_error(&text) else { panic!() };
    assert!(faults[0].to_string().contains(" '=HYPERLINK"), "{}", faults[0]);
}

#[test]
fn rows_with_one_reference_are_lines_of_one_consignment() {
    let line = |what: &str| ROW.replace(",no,,,,,", &format!(",no,{what},85340010,CN,50,10"));
    let further = "PO-1,,,,,,,,,,,,,,,Connectors,,,,";
    let text = csv(&[&line("Boards"), &ROW.replace("PO-1", "PO-2"), further, "", &line("Cases")]);
    let rows = csv_rows(&text);
    assert_eq!(rows.len(), 2);
    let consignment = good(&rows[0]);
    let names: Vec<_> = consignment.goods.iter().map(|line| line.description.as_str()).collect();
    assert_eq!(names, ["Boards", "Connectors", "Cases"]);
    assert_eq!(consignment.goods[0].value_hkd, Some(50));
    assert_eq!((rows[0].origin.row, rows[0].origin.goods.as_slice()), (2, [2, 4, 6].as_slice()));
    assert!(good(&rows[1]).goods.is_empty());
}

#[test]
fn rows_with_one_reference_that_say_different_things_are_refused_and_none_is_lost() {
    let other = ROW.replace(",24,", ",25,").replace(",no,,,,,", ",no,Boards,,,,");
    let text = csv(&[ROW, &other, ROW]);
    let rows = csv_rows(&text);
    assert_eq!(
        faults(&rows[0]),
        [fault("/reference", Fault::Repeated), fault("/packages", Fault::Differs { row: 3 })]
    );
}

#[test]
fn everything_that_is_wrong_with_a_row_is_told_with_its_place() {
    let row = "PO-1,import,many,,Boards,A,1 Road,B,2 Road,soon,85340010,CN,-1,20,maybe,,12,,1.5,";
    let rows = csv_rows(&csv(&["", row]));
    let found = faults(&rows[0]);
    let pointers: Vec<_> = found.iter().map(|(pointer, _)| pointer.as_str()).collect();
    assert_eq!(
        pointers,
        [
            "/direction",
            "/packages",
            "/package_kind",
            "/expected_date",
            "/value_hkd",
            "/transhipment",
            "/goods/0/description",
            "/goods/0/value_hkd"
        ]
    );
    let place = |pointer: &str| rows[0].origin.place(pointer);
    assert_eq!(place("/packages"), Place { row: 3, column: Some("TotalPackageQuantity".to_owned()) });
    assert_eq!(place("/goods/0/hs_code").column.as_deref(), Some("ItemClassificationID"));
    assert_eq!(place("/goods"), Place { row: 3, column: None });
    let xml = Origin { format: Format::Xml, ..rows[0].origin.clone() };
    let path = "Consignment/ConsignmentItem/Commodity/Classification/ID";
    assert_eq!(xml.place("/goods/0/hs_code").column.as_deref(), Some(path));
}

#[test]
fn what_the_rules_find_is_told_beside_what_could_not_be_read() {
    let rows = csv_rows(&csv(&[&ROW.replace(",24,", ",x,")]));
    let lodging = crate::trade::consignment::Lodging { today: "2027-01-01".parse().unwrap(), days_ahead: 14 };
    let found = rows[0].checked(|consignment| consignment.faults(lodging)).unwrap_err();
    let pointers: Vec<_> = found.iter().map(|fault| fault.pointer.as_str()).collect();
    assert_eq!(pointers, ["/packages", "/expected_date"]);
}

#[test]
fn a_template_is_read_again_and_its_example_is_of_the_past() {
    for format in [Format::Csv, Format::Xml] {
        let rows = read(format, &template(format, &say).unwrap()).unwrap();
        let consignment = good(&rows[0]);
        assert_eq!(consignment, super::template::example().1);
        let lodging =
            crate::trade::consignment::Lodging { today: "2026-11-24".parse().unwrap(), days_ahead: 14 };
        let faults = consignment.faults(lodging);
        assert_eq!(faults.iter().map(|f| f.pointer.as_str()).collect::<Vec<_>>(), ["/expected_date"]);
    }
    assert_eq!(read(Format::Xlsx, &template(Format::Xlsx, &say).unwrap()), Err(BatchError::Empty));
}

#[test]
fn words_of_every_language_mean_what_they_say() {
    let row = ROW.replace("inbound", "出境").replace(",no,", ",是,");
    let consignment = good(&csv_rows(&csv(&[&row]))[0]);
    assert_eq!(consignment.direction, crate::trade::Direction::Outbound);
    assert!(consignment.transhipment);
}

const XML: &str = "<?xml version=\"1.0\"?>\n<c:Consignments xmlns:c=\"urn:clearlane:consignments:1\">\n<!-- two -->\n\
<c:Consignment>\n<c:DirectionCode>inbound</c:DirectionCode><c:TotalPackageQuantity> 24 </c:TotalPackageQuantity>\
<c:Consignor><c:Name>A &amp; <![CDATA[B <Ltd>]]></c:Name><c:Address>\n<c:Line>1&#x20;Road</c:Line></c:Address></c:Consignor>\
<c:Packaging><c:TypeCode>CT</c:TypeCode></c:Packaging><c:CargoDescription>x</c:CargoDescription>\
<c:ExpectedDate>2026-11-24</c:ExpectedDate><c:CustomsValueAmount currencyID=\"HKD\">7</c:CustomsValueAmount>\
<c:Consignee><c:Address><c:Line>2</c:Line></c:Address><c:Name>C</c:Name></c:Consignee>\n\
<c:ConsignmentItem><c:Commodity><c:Description>one</c:Description></c:Commodity></c:ConsignmentItem>\n\
<c:ConsignmentItem/></c:Consignment></c:Consignments>";

fn xml_error(text: &str) -> BatchError {
    read(Format::Xml, text.as_bytes()).unwrap_err()
}

#[test]
fn xml_is_read_in_any_order_and_by_any_prefix() {
    let rows = read(Format::Xml, XML.as_bytes()).unwrap();
    assert_eq!(rows[0].origin.row, 4);
    assert_eq!(rows[0].origin.goods, [7, 8]);
    assert_eq!(faults(&rows[0]), [fault("/goods/1/description", Fault::Required)]);
    let whole = XML.replace("<c:ConsignmentItem/>", "");
    let consignment = good(&read(Format::Xml, whole.as_bytes()).unwrap()[0]);
    assert_eq!(consignment.consignor.name, "A & B <Ltd>");
    assert_eq!((consignment.consignor.address.as_str(), consignment.packages), ("1 Road", 24));
    let plain = whole.replace("c:", "").replace("xmlns:c", "xmlns");
    assert_eq!(read(Format::Xml, plain.as_bytes()).unwrap()[0].consignment, consignment);
}

#[test]
fn what_does_not_belong_in_xml_is_refused_with_its_path_and_line() {
    let path = |error: BatchError| error.place().map(|place| (place.row, place.column.unwrap_or_default()));
    let with = |old: &str, new: &str| xml_error(&XML.replace(old, new));
    let unknown = with("<c:ConsignmentItem/>", "<c:ConsignmentItem>\n<c:Colour/></c:ConsignmentItem>");
    assert!(matches!(unknown, BatchError::Unknown { .. }));
    assert_eq!(path(unknown).unwrap(), (9, "Consignments/Consignment/ConsignmentItem/Colour".to_owned()));
    let doubled = with("<c:ConsignmentItem/>", "<c:ExpectedDate/>");
    assert!(matches!(doubled, BatchError::Doubled { .. }), "{doubled}");
    let doubled = with("<c:ConsignmentItem/>", "<c:Consignor/>");
    assert!(matches!(doubled, BatchError::Doubled { .. }), "{doubled}");
    let currency = with("\"HKD\"", "\"USD\"");
    assert_eq!(path(currency).unwrap().1, "Consignments/Consignment/c:CustomsValueAmount@currencyID");
    assert!(matches!(with("<c:ConsignmentItem/>", "text"), BatchError::Stray { .. }));
    assert!(matches!(with("<c:ConsignmentItem/>", "<d:ConsignmentItem/>"), BatchError::Unknown { .. }));
    assert!(matches!(with("urn:clearlane:consignments:1", "urn:other"), BatchError::Root { .. }));
    assert!(matches!(
        with("<c:ConsignmentItem/>", "<c:ConsignmentItem xmlns:c=\"urn:x\"/>"),
        BatchError::Unknown { .. }
    ));
    assert!(matches!(
        with("<?xml version=\"1.0\"?>", "<?xml version=\"1.0\" encoding=\"GBK\"?>"),
        BatchError::Encoding
    ));
    assert!(matches!(xml_error(&format!("{XML}<more/>")), BatchError::Malformed { .. }));
    assert!(matches!(xml_error(&XML[..XML.len() - 4]), BatchError::Malformed { .. }));
    assert!(matches!(with("</c:Consignor>", "</c:Consignee>"), BatchError::Malformed { row: 6, .. }));
}
