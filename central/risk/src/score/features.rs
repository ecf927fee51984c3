//! Features of a declaration, the same as `features.py` makes from the same tables, to the bit.

use serde::{Deserialize, Serialize};

use super::declaration::{Declaration, Number, Part};
use super::manifest::Manifest;
use super::tables::{self, Record, Tables};

/// Stands between the parts of a key.
const SEPARATOR: char = '\x1f';

/// What a feature is about, for people: contributions are added up by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ground {
    /// Who declares, imports, sells or carries.
    Parties,
    /// The price, against what is usual and what came of others at it.
    Price,
    /// The mass.
    Mass,
    /// The goods' code.
    Goods,
    /// Countries of origin and departure.
    Countries,
    /// Rate and kind of tax.
    Tax,
    /// Office, transport, payment, procedure.
    Procedure,
    /// The day.
    Calendar,
}

impl Ground {
    fn of_part(part: Part) -> Self {
        match part {
            Part::Declarant | Part::Importer | Part::Seller | Part::Courier => Self::Parties,
            Part::ItemPrice => Self::Price,
            Part::NetMass => Self::Mass,
            Part::Hs6 | Part::Hs4 | Part::Hs2 => Self::Goods,
            Part::Departure | Part::Origin | Part::OriginIndicator => Self::Countries,
            Part::TaxRate | Part::TaxType => Self::Tax,
            Part::Office
            | Part::Process
            | Part::ImportType
            | Part::ImportUse
            | Part::Payment
            | Part::Transport => Self::Procedure,
        }
    }

    fn of_number(number: Number) -> Self {
        match number {
            Number::TaxRate | Number::Duty => Self::Tax,
            Number::NetMass => Self::Mass,
            Number::ItemPrice | Number::PricePerKg => Self::Price,
            Number::CountriesDiffer => Self::Countries,
            Number::Weekday => Self::Calendar,
        }
    }

    /// Of a key: the part that says most of a single trader or good speaks for it, in the order of the enum.
    fn of_key(key: &[Part]) -> Self {
        key.iter().map(|&part| Self::of_part(part)).min().unwrap_or(Self::Procedure)
    }
}

/// The ground of each feature, in the order of the model.
pub(crate) fn grounds(manifest: &Manifest) -> Vec<Ground> {
    let own = manifest.own.iter().map(|&n| Ground::of_number(n));
    let records = || manifest.records.iter().map(|key| Ground::of_key(key));
    let usual = manifest.usual.iter().map(|u| Ground::of_number(u.value));
    own.chain(records()).chain(records()).chain(usual).collect()
}

/// Features of a declaration, in the order of the model; NaN where something is unknown.
pub(crate) fn compute(declaration: &Declaration, manifest: &Manifest, tables: &Tables) -> Vec<f32> {
    let mut text = String::new();
    let mut digest = |key: &[Part]| {
        text.clear();
        for (index, &part) in key.iter().enumerate() {
            if index > 0 {
                text.push(SEPARATOR);
            }
            declaration.push_part(part, manifest.key_unit, &mut text);
        }
        tables::digest(&text)
    };
    let prior = manifest.prior();
    let records: Vec<Record> = std::iter::zip(&manifest.records, &tables.records)
        .map(|(key, table)| tables::find(table, digest(key)).unwrap_or_default())
        .collect();
    let share = |record: &Record| {
        (f64::from(record.frauds) + manifest.smoothing * prior)
            / (f64::from(record.count) + manifest.smoothing)
    };
    let own = manifest.own.iter().map(|&number| declaration.number(number));
    let counts = records.iter().map(|record| f64::from(record.count).min(manifest.count_cap));
    let usual: Vec<f64> = std::iter::zip(&manifest.usual, &tables.usual)
        .map(|(usual, table)| {
            let median = tables::find(table, digest(&usual.key)).unwrap_or(f64::NAN);
            declaration.number(usual.value) / median
        })
        .collect();
    own.chain(records.iter().map(share)).chain(counts).chain(usual).map(|value| value as f32).collect()
}
