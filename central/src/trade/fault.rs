//! What can be wrong with an item of a declaration: one type, so that a page, an API and a spreadsheet say it each in their way.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What is wrong with one item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "fault")]
pub enum Fault {
    /// Mandatory, and not given.
    Required,
    /// More characters than fit.
    TooLong {
        /// As many as fit.
        most: usize,
    },
    /// Not a number from `least` to `most`.
    Number {
        /// Smallest.
        least: u64,
        /// Largest.
        most: u64,
    },
    /// No day of the calendar in the form `YYYY-MM-DD`.
    Date,
    /// No moment in the form of RFC 3339.
    Time,
    /// The day has gone by.
    InThePast,
    /// Earlier than it may be lodged.
    TooFarAhead {
        /// Days that one may lodge ahead.
        days: u32,
    },
    /// Not one of the values that are known.
    Unknown {
        /// Those that are.
        known: String,
    },
    /// No code of the Harmonised System: six to eight digits.
    HsCode,
    /// No country code: two capital letters of ISO 3166.
    Country,
    /// No registration mark, and why.
    Mark {
        /// Why.
        why: String,
    },
    /// A mark, but not of the mainland's cross-boundary form.
    MainlandMark,
    /// A mark, but not of a form that Hong Kong issues.
    HongKongMark,
    /// No CCRN: a wrong or swapped character, or another length.
    Ccrn,
    /// A CCRN of no consignment that can be bundled by the caller.
    UnknownCcrn,
    /// The consignment travels with another vehicle.
    AlreadyBundled,
    /// The consignment was taken back by its shipper.
    Cancelled,
    /// Named twice in one request.
    Repeated,
    /// The consignment goes the other way than the rest.
    OtherDirection,
    /// Neither consignments nor an empty truck nor an exemption is given, or more than one of them.
    Load,
    /// A control point that is not served.
    Site,
    /// A key that is not known here; a misspelling, or something one may not set.
    NoSuchItem,
    /// Of another type, such as text for a number.
    Type {
        /// What the parser said.
        why: String,
    },
    /// More elements than fit.
    TooMany {
        /// As many as fit.
        most: usize,
    },
    /// Another row of the same consignment says something else.
    Differs {
        /// Which row.
        row: u32,
    },
    /// There is one already.
    Exists,
    /// No address that mail can be sent to.
    Email,
    /// No number of E.164.
    Mobile,
    /// Nothing to be told of.
    NoNews,
    /// No address of the web, and why.
    Url {
        /// What the parser said.
        why: String,
    },
    /// An address of another scheme than https.
    Https,
    /// An address with a name, a password or a fragment.
    UrlExtras,
    /// An address that is not in the public network.
    NotPublic {
        /// Which.
        address: String,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Required => f.write_str("required"),
            Self::TooLong { most } => write!(f, "at most {most} characters"),
            Self::Number { least, most } => write!(f, "a whole number from {least} to {most}"),
            Self::Date => f.write_str("a day such as 2026-11-24"),
            Self::Time => f.write_str("a time with its zone, such as 2026-11-24T14:30:00+08:00"),
            Self::InThePast => f.write_str("this day has gone by"),
            Self::TooFarAhead { days } => write!(f, "at most {days} days ahead"),
            Self::Unknown { known } => write!(f, "one of {known}"),
            Self::HsCode => f.write_str("six to eight digits"),
            Self::Country => f.write_str("two capital letters, such as CN"),
            Self::Mark { why } | Self::Type { why } => f.write_str(why),
            Self::MainlandMark => f.write_str("a cross-boundary mark such as 粤Z1234港"),
            Self::HongKongMark => f.write_str("a Hong Kong mark such as AB 1234"),
            Self::Ccrn => {
                f.write_str("13 letters and digits as on the slip; one of them is wrong or swapped")
            }
            Self::UnknownCcrn => f.write_str("there is no such consignment"),
            Self::AlreadyBundled => {
                f.write_str("this consignment travels with another vehicle; unbundle it there first")
            }
            Self::Cancelled => f.write_str("the shipper has cancelled this consignment"),
            Self::Repeated => f.write_str("named twice"),
            Self::OtherDirection => f.write_str("goes the other way than the consignments before it"),
            Self::Load => {
                f.write_str("name the consignments, or say that the truck is empty, or name one exemption")
            }
            Self::Site => f.write_str("no control point served here"),
            Self::NoSuchItem => f.write_str("there is no such item"),
            Self::TooMany { most } => write!(f, "at most {most}"),
            Self::Differs { row } => write!(f, "row {row}, of the same reference, says something else"),
            Self::Exists => f.write_str("there is one already"),
            Self::Email => f.write_str("an e-mail address such as traffic@example.com"),
            Self::Mobile => f.write_str("a number with + and the country's code, such as +85291234567"),
            Self::NoNews => f.write_str("name at least one kind of news, or leave it out"),
            Self::Url { why } => write!(f, "no address: {why}"),
            Self::Https => f.write_str("an address that begins with https://"),
            Self::UrlExtras => f.write_str("without name, password and #: requests are signed instead"),
            Self::NotPublic { address } => write!(f, "{address} is not in the public network"),
        }
    }
}

/// A fault and where it lies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Faulty {
    /// JSON pointer (RFC 6901) to the item.
    pub pointer: String,
    /// What is wrong.
    #[serde(flatten)]
    pub fault: Fault,
}

impl Faulty {
    /// A fault at a place.
    pub fn at(pointer: impl Into<String>, fault: Fault) -> Self {
        Self { pointer: pointer.into(), fault }
    }
}

impl fmt::Display for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.pointer, self.fault)
    }
}
