//! The items of a consignment as files name them: one table from which headings of CSV and spreadsheets, elements of XML,
//! templates and the places of faults all come. Names are those of the WCO Data Model where it has one; `DirectionCode`,
//! `ExpectedDate` and `TranshipmentIndicator` are ours.

use crate::trade::consignment::{MOST_HKD, MOST_KILOGRAMS, MOST_PACKAGES};

/// An item, by its place in [`COLUMNS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// What the shipper calls the consignment; rows that share it are one consignment.
    Reference,
    /// Into or out of Hong Kong.
    Direction,
    /// Number of packages.
    Packages,
    /// Kind of package.
    PackageKind,
    /// Description of the articles.
    Description,
    /// Consignor's name.
    ConsignorName,
    /// Consignor's address.
    ConsignorAddress,
    /// Consignee's name.
    ConsigneeName,
    /// Consignee's address.
    ConsigneeAddress,
    /// Expected day.
    ExpectedDate,
    /// HS code.
    HsCode,
    /// Country of origin.
    Origin,
    /// Value.
    Value,
    /// Net weight.
    NetWeight,
    /// Passes through.
    Transhipment,
    /// Description of a line of goods.
    GoodsDescription,
    /// Its HS code.
    GoodsHsCode,
    /// Its country of origin.
    GoodsOrigin,
    /// Its value.
    GoodsValue,
    /// Its net weight.
    GoodsNetWeight,
}

/// What an item is an item of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// The consignment.
    Consignment,
    /// A line of goods.
    Goods,
}

/// What may stand in a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Words.
    Text,
    /// A code, which no spreadsheet may take for a number.
    Code,
    /// `inbound` or `outbound`.
    Direction,
    /// A day.
    Date,
    /// Yes or no.
    Flag,
    /// A whole number.
    Number {
        /// Smallest.
        least: u64,
        /// Largest.
        most: u64,
    },
}

/// An item as a file names it.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Which.
    pub field: Field,
    /// Heading of its column.
    pub name: &'static str,
    /// Its elements in XML, within `Consignment`.
    pub path: &'static [&'static str],
    /// JSON pointer, within the consignment or the line of goods.
    pub pointer: &'static str,
    /// What it belongs to.
    pub of: Of,
    /// Whether it must be given.
    pub required: bool,
    /// What may stand there.
    pub kind: Kind,
    /// An attribute that may tell its unit in XML.
    pub unit: Option<(&'static str, &'static str)>,
    /// An example.
    pub example: &'static str,
    /// Key of its heading among the words of people; with `-why` behind it, of its explanation.
    pub words: &'static str,
}

/// The element of a line of goods.
pub(super) const GOODS: &str = "ConsignmentItem";

const fn column(
    field: Field,
    name: &'static str,
    path: &'static [&'static str],
    pointer: &'static str,
    kind: Kind,
    example: &'static str,
    words: &'static str,
) -> Column {
    Column {
        field,
        name,
        path,
        pointer,
        of: Of::Consignment,
        required: false,
        kind,
        unit: None,
        example,
        words,
    }
}

impl Column {
    const fn required(self) -> Self {
        Self { required: true, ..self }
    }

    const fn unit(self, attribute: &'static str, unit: &'static str) -> Self {
        Self { unit: Some((attribute, unit)), ..self }
    }

    const fn of_goods(self) -> Self {
        Self { of: Of::Goods, ..self }
    }
}

const HKD: Kind = Kind::Number { least: 0, most: MOST_HKD };
const KILOGRAMS: Kind = Kind::Number { least: 0, most: MOST_KILOGRAMS };

/// Every item, in the order of templates.
#[rustfmt::skip]
pub const COLUMNS: [Column; 20] = [
    column(Field::Reference, "TraderAssignedReferenceID", &["TraderAssignedReferenceID"], "/reference",
        Kind::Code, "PO-4711", "batch-reference"),
    column(Field::Direction, "DirectionCode", &["DirectionCode"], "/direction",
        Kind::Direction, "inbound", "batch-direction").required(),
    column(Field::Packages, "TotalPackageQuantity", &["TotalPackageQuantity"], "/packages",
        Kind::Number { least: 1, most: MOST_PACKAGES }, "24", "batch-packages").required(),
    column(Field::PackageKind, "PackagingTypeCode", &["Packaging", "TypeCode"], "/package_kind",
        Kind::Code, "CT", "batch-package-kind").required(),
    column(Field::Description, "CargoDescription", &["CargoDescription"], "/description",
        Kind::Text, "Printed circuit boards", "batch-description").required(),
    column(Field::ConsignorName, "ConsignorName", &["Consignor", "Name"], "/consignor/name",
        Kind::Text, "Shenzhen Components Ltd", "batch-consignor-name").required(),
    column(Field::ConsignorAddress, "ConsignorAddressLine", &["Consignor", "Address", "Line"], "/consignor/address",
        Kind::Text, "12 Keji Road, Nanshan, Shenzhen", "batch-consignor-address").required(),
    column(Field::ConsigneeName, "ConsigneeName", &["Consignee", "Name"], "/consignee/name",
        Kind::Text, "Kowloon Assembly Ltd", "batch-consignee-name").required(),
    column(Field::ConsigneeAddress, "ConsigneeAddressLine", &["Consignee", "Address", "Line"], "/consignee/address",
        Kind::Text, "8 Nathan Road, Kowloon, Hong Kong", "batch-consignee-address").required(),
    column(Field::ExpectedDate, "ExpectedDate", &["ExpectedDate"], "/expected_date",
        Kind::Date, "2026-01-31", "batch-expected-date").required(),
    column(Field::HsCode, "ClassificationID", &["Commodity", "Classification", "ID"], "/hs_code",
        Kind::Code, "85340010", "batch-hs-code"),
    column(Field::Origin, "OriginCountryCode", &["Origin", "CountryCode"], "/origin",
        Kind::Code, "CN", "batch-origin"),
    column(Field::Value, "CustomsValueAmount", &["CustomsValueAmount"], "/value_hkd",
        HKD, "100000", "batch-value").unit("currencyID", "HKD"),
    column(Field::NetWeight, "NetNetWeightMeasure", &["GoodsMeasure", "NetNetWeightMeasure"], "/net_weight_kg",
        KILOGRAMS, "420", "batch-net-weight").unit("unitCode", "KGM"),
    column(Field::Transhipment, "TranshipmentIndicator", &["TranshipmentIndicator"], "/transhipment",
        Kind::Flag, "no", "batch-transhipment"),
    column(Field::GoodsDescription, "ItemDescription", &[GOODS, "Commodity", "Description"], "/description",
        Kind::Text, "Circuit boards, four layers", "batch-goods-description").required().of_goods(),
    column(Field::GoodsHsCode, "ItemClassificationID", &[GOODS, "Commodity", "Classification", "ID"], "/hs_code",
        Kind::Code, "85340010", "batch-goods-hs-code").of_goods(),
    column(Field::GoodsOrigin, "ItemOriginCountryCode", &[GOODS, "Origin", "CountryCode"], "/origin",
        Kind::Code, "CN", "batch-goods-origin").of_goods(),
    column(Field::GoodsValue, "ItemCustomsValueAmount", &[GOODS, "CustomsValueAmount"], "/value_hkd",
        HKD, "60000", "batch-goods-value").unit("currencyID", "HKD").of_goods(),
    column(Field::GoodsNetWeight, "ItemNetNetWeightMeasure", &[GOODS, "GoodsMeasure", "NetNetWeightMeasure"], "/net_weight_kg",
        KILOGRAMS, "250", "batch-goods-net-weight").unit("unitCode", "KGM").of_goods(),
];

impl Field {
    /// How files name it.
    pub fn column(self) -> &'static Column {
        &COLUMNS[self as usize]
    }
}

/// The item whose column has this heading.
pub(super) fn headed(heading: &str) -> Option<&'static Column> {
    COLUMNS.iter().find(|column| column.name.eq_ignore_ascii_case(heading))
}

/// The item at a JSON pointer of a consignment, and which line of goods it is of.
pub(super) fn pointed(pointer: &str) -> Option<(&'static Column, Option<usize>)> {
    let find = |of: Of, pointer: &str| COLUMNS.iter().find(|c| c.of == of && c.pointer == pointer);
    let Some(rest) = pointer.strip_prefix("/goods/") else {
        return find(Of::Consignment, pointer).map(|column| (column, None));
    };
    let (line, within) = rest.split_at(rest.find('/')?);
    Some((find(Of::Goods, within)?, Some(line.parse().ok()?)))
}
