//! What is known of one movement when it is assessed: the one thing besides the policy that a decision rests on.
//!
//! Central fills this from its store; it is kept with the decision. Nothing here is read from a clock, a zone table or a
//! database later on, so that the decision can be made again.

use clearance::ids::{MovementId, SiteId, UtcMillis};
use clearance::mark::RegistrationMark;
use jiff::civil::{Date, DateTime, Weekday};
use serde::{Deserialize, Serialize};

use crate::canonical::Canonical;

/// Which way the vehicle goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Into the place.
    Inbound,
    /// Out of it.
    Outbound,
}

impl Direction {
    /// As it is stored and as rules name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Inbound => "inbound",
            Self::Outbound => "outbound",
        }
    }
}

/// What the vehicle carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Load {
    /// Consignments.
    Consignments,
    /// Nothing.
    Empty,
    /// Only what the place exempts.
    Exempt,
}

impl Load {
    /// As it is stored and as rules name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Consignments => "consignments",
            Self::Empty => "empty",
            Self::Exempt => "exempt",
        }
    }
}

/// One movement: a vehicle on its way to a control point, with what it carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// Which movement.
    pub movement: MovementId,
    /// Its version: it rises with every change of the vehicle, of what it carries, or of place and time.
    pub version: u32,
    /// When it is assessed. Lists and rules hold or do not at this moment.
    pub assessed: UtcMillis,
    /// Which way it goes.
    pub direction: Direction,
    /// Where it crosses.
    pub control_point: SiteId,
    /// When it is expected there, on the clocks of the place. Central converts it: zone tables change.
    pub arrival: DateTime,
    /// When the last of its consignments was lodged, or amended.
    pub lodged: UtcMillis,
    /// Minutes between that moment and the expected arrival; negative if it was lodged after it.
    pub lead_minutes: i64,
    /// What it carries.
    pub load: Load,
    /// The vehicle.
    pub vehicle: Vehicle,
    /// Who drives or sends it, as central knows them; absent where the movement was made by telephone, say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier: Option<Party>,
    /// The driver, where named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver: Option<Party>,
    /// The consignments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub consignments: Vec<Consignment>,
}

/// The vehicle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vehicle {
    /// Hong Kong mark.
    pub mark: RegistrationMark,
    /// Mainland mark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mainland_mark: Option<RegistrationMark>,
    /// Marks of its trailers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trailers: Vec<RegistrationMark>,
    /// What is known of it from before.
    pub history: History,
}

/// A party as declared: a person or a company.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Party {
    /// Name.
    pub name: String,
    /// Address; empty where nobody declared one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub address: String,
    /// What is known of it from before.
    #[serde(default)]
    pub history: History,
}

/// What is known from before, at the moment of the assessment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct History {
    /// Crossings.
    #[serde(default)]
    pub passages: u32,
    /// Inspections of them.
    #[serde(default)]
    pub inspections: u32,
    /// Inspections that found something.
    #[serde(default)]
    pub finds: u32,
    /// Days since it was first seen; 0 for one seen for the first time.
    #[serde(default)]
    pub known_days: u32,
}

/// One consignment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consignment {
    /// Its CCRN.
    pub ccrn: String,
    /// Its version.
    pub version: u32,
    /// Number of packages.
    pub packages: u32,
    /// Kind of package (UN/ECE Recommendation 21).
    pub package_kind: String,
    /// Description of the articles.
    pub description: String,
    /// Who sends it.
    pub consignor: Party,
    /// Who gets it.
    pub consignee: Party,
    /// Who lodged it, where that is known by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipper: Option<Party>,
    /// HS code, 6 to 8 digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hs_code: Option<String>,
    /// Country of origin, two letters (ISO 3166).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// Value in Hong Kong dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_hkd: Option<u64>,
    /// Net weight in kilograms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub net_weight_kg: Option<u64>,
    /// Line by line, where declared.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub goods: Vec<GoodsLine>,
    /// Passes through under an electronic lock.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub transhipment: bool,
}

/// One line of goods.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GoodsLine {
    /// What it is.
    pub description: String,
    /// HS code, 6 to 8 digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hs_code: Option<String>,
    /// Country of origin, two letters (ISO 3166).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// Value in Hong Kong dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_hkd: Option<u64>,
    /// Net weight in kilograms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub net_weight_kg: Option<u64>,
}

/// One hour at one control point: what capacity and quotas are counted by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slot {
    /// Where.
    pub control_point: SiteId,
    /// Day there.
    pub day: Date,
    /// Hour of that day, 0 to 23.
    pub hour: u8,
}

/// A name as it is searched by, and as records of whoever bears it are kept: lower case, white space single.
pub fn fold(name: &str) -> String {
    name.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>().join(" ")
}

impl Facts {
    /// The hour in which it is expected.
    pub fn slot(&self) -> Slot {
        Slot { control_point: self.control_point.clone(), day: self.arrival.date(), hour: self.hour() }
    }

    /// The hour of the day in which it is expected, 0 to 23.
    pub fn hour(&self) -> u8 {
        self.arrival.hour().unsigned_abs()
    }

    /// The day of the week on which it is expected.
    pub fn weekday(&self) -> Weekday {
        self.arrival.weekday()
    }
}

impl Canonical for Facts {
    const KIND: &'static str = "risk.facts.1";
}
