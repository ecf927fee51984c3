//! What a shipper declares.

use jiff::civil::Date;
pub use risk::facts::fold;
use serde::{Deserialize, Serialize};

use super::fault::{Fault, Faulty};

/// As many lines of goods as one consignment has.
pub const MOST_LINES: usize = 999;

/// The largest number of packages.
pub const MOST_PACKAGES: u64 = 1_000_000;

/// The highest value in Hong Kong dollars.
pub const MOST_HKD: u64 = 1_000_000_000_000;

/// The largest weight in kilograms.
pub const MOST_KILOGRAMS: u64 = 1_000_000_000;

/// What a shipper declares: the eight mandatory items of Cap. 60L (the expected day, packages and their kind, description,
/// names and addresses of both parties), and the optional ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Consignment {
    /// Into or out of Hong Kong.
    pub direction: Direction,
    /// Number of packages, at least 1.
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub packages: u32,
    /// Kind of package, such as `CT` for cartons (UN/ECE Recommendation 21).
    #[schema(min_length = 1, max_length = 20)]
    pub package_kind: String,
    /// Description of the articles.
    #[schema(min_length = 1, max_length = 500)]
    pub description: String,
    /// Consignor.
    pub consignor: Party,
    /// Consignee.
    pub consignee: Party,
    /// Expected day of arrival or departure at the place, `YYYY-MM-DD`.
    #[schema(format = Date)]
    pub expected_date: String,
    /// HS code, 6 to 8 digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^[0-9]{6,8}$")]
    pub hs_code: Option<String>,
    /// Country of origin, two letters (ISO 3166).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^[A-Z]{2}$")]
    pub origin: Option<String>,
    /// Value in Hong Kong dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 1_000_000_000_000_u64)]
    pub value_hkd: Option<u64>,
    /// Net weight in kilograms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 1_000_000_000_u64)]
    pub net_weight_kg: Option<u64>,
    /// Line by line, where the shipper tells.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 999)]
    pub goods: Vec<GoodsLine>,
    /// Passes through: it leaves at a second control point, under an electronic lock.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub transhipment: bool,
}

/// One line of goods.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GoodsLine {
    /// What it is.
    #[schema(min_length = 1, max_length = 500)]
    pub description: String,
    /// HS code, 6 to 8 digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^[0-9]{6,8}$")]
    pub hs_code: Option<String>,
    /// Country of origin, two letters (ISO 3166).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^[A-Z]{2}$")]
    pub origin: Option<String>,
    /// Value in Hong Kong dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 1_000_000_000_000_u64)]
    pub value_hkd: Option<u64>,
    /// Net weight in kilograms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 1_000_000_000_u64)]
    pub net_weight_kg: Option<u64>,
}

/// Which way a consignment goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Into Hong Kong.
    Inbound,
    /// Out of Hong Kong.
    Outbound,
}

impl Direction {
    /// As it is stored and typed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Inbound => "inbound",
            Self::Outbound => "outbound",
        }
    }
}

/// A name and an address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Party {
    /// Name.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// Address.
    #[schema(min_length = 1, max_length = 500)]
    pub address: String,
}

/// When a consignment may be lodged.
#[derive(Clone, Copy, Debug)]
pub struct Lodging {
    /// Today, at the place.
    pub today: Date,
    /// Days that one may lodge ahead.
    pub days_ahead: u32,
}

impl Consignment {
    /// The day it is expected; checked before it is stored.
    pub fn expected(&self) -> Option<Date> {
        self.expected_date.parse().ok()
    }

    /// The consignee's name as it is searched by: lower case, white space single.
    pub fn folded_consignee(&self) -> String {
        fold(&self.consignee.name)
    }

    /// The consignor's, likewise.
    pub fn folded_consignor(&self) -> String {
        fold(&self.consignor.name)
    }

    /// Everything that is wrong with its items.
    pub fn faults(&self, lodging: Lodging) -> Vec<Faulty> {
        let mut faults = Vec::new();
        let mut note = |pointer: &str, fault: Option<Fault>| {
            faults.extend(fault.map(|fault| Faulty::at(pointer, fault)));
        };
        note("/packages", number(u64::from(self.packages), 1, MOST_PACKAGES));
        note("/package_kind", text(&self.package_kind, 20));
        note("/description", text(&self.description, 500));
        note("/consignor/name", text(&self.consignor.name, 200));
        note("/consignor/address", text(&self.consignor.address, 500));
        note("/consignee/name", text(&self.consignee.name, 200));
        note("/consignee/address", text(&self.consignee.address, 500));
        note("/expected_date", self.day(lodging));
        note("/hs_code", self.hs_code.as_deref().and_then(hs_code));
        note("/origin", self.origin.as_deref().and_then(country));
        note("/value_hkd", self.value_hkd.and_then(value));
        note("/net_weight_kg", self.net_weight_kg.and_then(weight));
        if self.goods.len() > MOST_LINES {
            note("/goods", Some(Fault::TooMany { most: MOST_LINES }));
        }
        for (i, line) in self.goods.iter().take(MOST_LINES).enumerate() {
            note(&format!("/goods/{i}/description"), text(&line.description, 500));
            note(&format!("/goods/{i}/hs_code"), line.hs_code.as_deref().and_then(hs_code));
            note(&format!("/goods/{i}/origin"), line.origin.as_deref().and_then(country));
            note(&format!("/goods/{i}/value_hkd"), line.value_hkd.and_then(value));
            note(&format!("/goods/{i}/net_weight_kg"), line.net_weight_kg.and_then(weight));
        }
        faults
    }

    fn day(&self, lodging: Lodging) -> Option<Fault> {
        if self.expected_date.trim().is_empty() {
            return Some(Fault::Required);
        }
        let Some(day) = self.expected() else { return Some(Fault::Date) };
        let last = lodging.today.saturating_add(jiff::Span::new().days(i64::from(lodging.days_ahead)));
        if day < lodging.today {
            Some(Fault::InThePast)
        } else if day > last {
            Some(Fault::TooFarAhead { days: lodging.days_ahead })
        } else {
            None
        }
    }
}

fn text(text: &str, most: usize) -> Option<Fault> {
    if text.trim().is_empty() {
        Some(Fault::Required)
    } else if text.chars().count() > most {
        Some(Fault::TooLong { most })
    } else if text.contains('\0') {
        // PostgreSQL cannot keep it, and nobody means it.
        Some(Fault::Type { why: "a null character".to_owned() })
    } else {
        None
    }
}

fn number(number: u64, least: u64, most: u64) -> Option<Fault> {
    (!(least..=most).contains(&number)).then_some(Fault::Number { least, most })
}

fn value(hkd: u64) -> Option<Fault> {
    number(hkd, 0, MOST_HKD)
}

fn weight(kg: u64) -> Option<Fault> {
    number(kg, 0, MOST_KILOGRAMS)
}

fn hs_code(code: &str) -> Option<Fault> {
    let fits = (6..=8).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_digit());
    (!fits).then_some(Fault::HsCode)
}

fn country(code: &str) -> Option<Fault> {
    let fits = code.len() == 2 && code.bytes().all(|b| b.is_ascii_uppercase());
    (!fits).then_some(Fault::Country)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lodging() -> Lodging {
        Lodging { today: "2026-11-24".parse().unwrap(), days_ahead: 14 }
    }

    fn good() -> Consignment {
        let party = Party { name: "A".to_owned(), address: "B".to_owned() };
        Consignment {
            direction: Direction::Inbound,
            packages: 1,
            package_kind: "CT".to_owned(),
            description: "toys".to_owned(),
            consignor: party.clone(),
            consignee: party,
            expected_date: "2026-11-24".to_owned(),
            hs_code: None,
            origin: None,
            value_hkd: None,
            net_weight_kg: None,
            goods: Vec::new(),
            transhipment: false,
        }
    }

    #[test]
    fn every_wrong_item_is_named_at_once() {
        assert_eq!(good().faults(lodging()), []);
        let bad = Consignment {
            packages: 0,
            description: "  ".to_owned(),
            expected_date: "tomorrow".to_owned(),
            hs_code: Some("12".to_owned()),
            origin: Some("cn".to_owned()),
            goods: vec![GoodsLine::default()],
            ..good()
        };
        let pointers: Vec<_> = bad.faults(lodging()).into_iter().map(|f| f.pointer).collect();
        assert_eq!(
            pointers,
            ["/packages", "/description", "/expected_date", "/hs_code", "/origin", "/goods/0/description"]
        );
    }

    #[test]
    fn a_day_may_be_lodged_from_today_to_the_end_of_the_window() {
        for (day, fault) in [
            ("2026-11-23", Some(Fault::InThePast)),
            ("2026-11-24", None),
            ("2026-12-08", None),
            ("2026-12-09", Some(Fault::TooFarAhead { days: 14 })),
            ("2026-02-30", Some(Fault::Date)),
            ("", Some(Fault::Required)),
        ] {
            let consignment = Consignment { expected_date: day.to_owned(), ..good() };
            let found = consignment.faults(lodging()).into_iter().next().map(|f| f.fault);
            assert_eq!(found, fault, "{day}");
        }
    }
}
