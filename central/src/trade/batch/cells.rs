//! From a consignment to cells: a row, and one more for each further line of its goods.

use super::Entry;
use super::columns::{COLUMNS, Field};
use crate::trade::{Consignment, GoodsLine};

/// The texts of a row by their items.
pub(super) type Texts = [String; COLUMNS.len()];

/// The rows of a consignment.
pub(super) fn cells(entry: &Entry<'_>) -> Vec<Texts> {
    let mut goods = entry.consignment.goods.iter();
    let mut first = own(entry.consignment);
    if let Some(line) = goods.next() {
        put_goods(&mut first, line);
    }
    let further = goods.map(|line| {
        let mut row = Texts::default();
        put_goods(&mut row, line);
        row
    });
    let mut rows: Vec<Texts> = std::iter::once(first).chain(further).collect();
    for row in &mut rows {
        put(row, Field::Reference, entry.reference);
    }
    rows
}

fn put(row: &mut Texts, field: Field, text: impl ToString) {
    row[field as usize] = text.to_string();
}

fn put_some<T: ToString>(row: &mut Texts, field: Field, value: Option<&T>) {
    put(row, field, value.map(T::to_string).unwrap_or_default());
}

fn own(consignment: &Consignment) -> Texts {
    let mut row = Texts::default();
    put(&mut row, Field::Direction, consignment.direction.name());
    put(&mut row, Field::Packages, consignment.packages);
    put(&mut row, Field::PackageKind, &consignment.package_kind);
    put(&mut row, Field::Description, &consignment.description);
    put(&mut row, Field::ConsignorName, &consignment.consignor.name);
    put(&mut row, Field::ConsignorAddress, &consignment.consignor.address);
    put(&mut row, Field::ConsigneeName, &consignment.consignee.name);
    put(&mut row, Field::ConsigneeAddress, &consignment.consignee.address);
    put(&mut row, Field::ExpectedDate, &consignment.expected_date);
    put_some(&mut row, Field::HsCode, consignment.hs_code.as_ref());
    put_some(&mut row, Field::Origin, consignment.origin.as_ref());
    put_some(&mut row, Field::Value, consignment.value_hkd.as_ref());
    put_some(&mut row, Field::NetWeight, consignment.net_weight_kg.as_ref());
    put(&mut row, Field::Transhipment, if consignment.transhipment { "yes" } else { "" });
    row
}

fn put_goods(row: &mut Texts, line: &GoodsLine) {
    put(row, Field::GoodsDescription, &line.description);
    put_some(row, Field::GoodsHsCode, line.hs_code.as_ref());
    put_some(row, Field::GoodsOrigin, line.origin.as_ref());
    put_some(row, Field::GoodsValue, line.value_hkd.as_ref());
    put_some(row, Field::GoodsNetWeight, line.net_weight_kg.as_ref());
}
