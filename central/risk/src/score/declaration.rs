//! What the score knows of a declaration, and the parts of it that records are kept by.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// One line of an import declaration as the model sees it. A text that is unknown is empty; a number, `None`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declaration {
    /// Customs office.
    pub office: String,
    /// Process type: paperless, with papers.
    pub process: String,
    /// Kind of import.
    pub import_type: String,
    /// What it is imported for.
    pub import_use: String,
    /// How duty is paid.
    pub payment: String,
    /// Mode of transport.
    pub transport: String,
    /// Who declares.
    pub declarant: String,
    /// Who imports.
    pub importer: String,
    /// Who sells abroad.
    pub seller: String,
    /// Who carries express goods.
    pub courier: String,
    /// The first six digits of the Harmonized System code.
    pub hs6: String,
    /// Country of departure, ISO 3166 alpha-2.
    pub departure: String,
    /// Country of origin, ISO 3166 alpha-2.
    pub origin: String,
    /// Kind of tax rate.
    pub tax_type: String,
    /// How the origin is marked on the goods.
    pub origin_indicator: String,
    /// Percent.
    pub tax_rate: Option<f64>,
    /// Kilograms.
    pub net_mass: Option<f64>,
    /// In the currency of the place.
    pub item_price: Option<f64>,
    /// The day it was lodged.
    pub date: Option<Date>,
}

/// A part of a key that records are kept by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(
    missing_docs,
    reason = "each is the field of `Declaration` of that name; chapters and headings are cut from the code"
)]
pub enum Part {
    Office,
    Process,
    ImportType,
    ImportUse,
    Payment,
    Transport,
    Declarant,
    Importer,
    Seller,
    Courier,
    Hs6,
    /// The heading: four digits of the code.
    Hs4,
    /// The chapter: two digits of the code.
    Hs2,
    Departure,
    Origin,
    TaxType,
    OriginIndicator,
    TaxRate,
    NetMass,
    ItemPrice,
}

/// A number of a declaration, its own or made from its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Number {
    /// Percent.
    TaxRate,
    /// Kilograms.
    NetMass,
    /// In the currency of the place.
    ItemPrice,
    /// Price for a kilogram.
    PricePerKg,
    /// Price by rate.
    Duty,
    /// 1 where the country of departure is not that of origin, 0 where it is.
    CountriesDiffer,
    /// 0 on Monday to 6.
    Weekday,
}

impl Declaration {
    /// A number; NaN where it is unknown. The order of operations is that of `features.py`.
    pub(crate) fn number(&self, number: Number) -> f64 {
        let known = |value: Option<f64>| value.unwrap_or(f64::NAN);
        let (mass, price) = (known(self.net_mass), known(self.item_price));
        match number {
            Number::TaxRate => known(self.tax_rate),
            Number::NetMass => mass,
            Number::ItemPrice => price,
            Number::PricePerKg if mass > 0.0 => price / mass,
            Number::PricePerKg => f64::NAN,
            Number::Duty => price * known(self.tax_rate) / 100.0,
            Number::CountriesDiffer if self.departure.is_empty() || self.origin.is_empty() => f64::NAN,
            Number::CountriesDiffer => f64::from(u8::from(self.departure != self.origin)),
            Number::Weekday => self.date.map_or(f64::NAN, |d| f64::from(d.weekday().to_monday_zero_offset())),
        }
    }

    /// Append the text of a part to `key`. A number stands in it as whole parts of `1 / key_unit`.
    pub(crate) fn push_part(&self, part: Part, key_unit: f64, key: &mut String) {
        let number = |value: Option<f64>, key: &mut String| {
            if let Some(value) = value.filter(|v| !v.is_nan()) {
                key.push_str(&((value * key_unit).round_ties_even() as i64).to_string());
            }
        };
        let cut =
            |digits: usize| self.hs6.char_indices().nth(digits).map_or(&*self.hs6, |(at, _)| &self.hs6[..at]);
        match part {
            Part::Office => key.push_str(&self.office),
            Part::Process => key.push_str(&self.process),
            Part::ImportType => key.push_str(&self.import_type),
            Part::ImportUse => key.push_str(&self.import_use),
            Part::Payment => key.push_str(&self.payment),
            Part::Transport => key.push_str(&self.transport),
            Part::Declarant => key.push_str(&self.declarant),
            Part::Importer => key.push_str(&self.importer),
            Part::Seller => key.push_str(&self.seller),
            Part::Courier => key.push_str(&self.courier),
            Part::Hs6 => key.push_str(&self.hs6),
            Part::Hs4 => key.push_str(cut(4)),
            Part::Hs2 => key.push_str(cut(2)),
            Part::Departure => key.push_str(&self.departure),
            Part::Origin => key.push_str(&self.origin),
            Part::TaxType => key.push_str(&self.tax_type),
            Part::OriginIndicator => key.push_str(&self.origin_indicator),
            Part::TaxRate => number(self.tax_rate, key),
            Part::NetMass => number(self.net_mass, key),
            Part::ItemPrice => number(self.item_price, key),
        }
    }
}
