//! A vehicle on its way with what it carries, and where it stands.

use std::fmt;

use clearance::directive::ActionCode;
use clearance::ids::UtcMillis;
use clearance::mark::{Jurisdiction, RegistrationMark};
use serde::{Deserialize, Serialize};

use super::fault::{Fault, Faulty};
use super::news::Report;

/// As many trailers as a vehicle draws.
pub const MOST_TRAILERS: usize = 3;

/// As many consignments as one vehicle carries.
pub const MOST_CONSIGNMENTS: usize = 500;

/// A vehicle as it is registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vehicle {
    /// Hong Kong mark: it identifies the vehicle at the lane.
    pub mark: RegistrationMark,
    /// Mainland mark.
    pub mainland_mark: Option<RegistrationMark>,
    /// Marks of its trailers.
    pub trailers: Vec<RegistrationMark>,
}

impl Vehicle {
    /// Read what was typed; the pointers of faults are those of the items' names in a request.
    pub fn parse(mark: &str, mainland: Option<&str>, trailers: &[String]) -> Result<Self, Vec<Faulty>> {
        let mut faults = Vec::new();
        let mut note = |pointer: String, parsed: Result<RegistrationMark, Fault>| {
            parsed.map_err(|fault| faults.push(Faulty::at(pointer, fault))).ok()
        };
        let vehicle_mark = note("/mark".to_owned(), hong_kong_mark(mark));
        let mainland = mainland.filter(|text| !text.trim().is_empty());
        let mainland_mark = mainland.and_then(|text| note("/mainland_mark".to_owned(), mainland_mark(text)));
        let read: Vec<_> = trailers
            .iter()
            .take(MOST_TRAILERS)
            .enumerate()
            .filter_map(|(i, text)| note(format!("/trailers/{i}"), any_mark(text)))
            .collect();
        if trailers.len() > MOST_TRAILERS {
            faults.push(Faulty::at("/trailers", Fault::TooMany { most: MOST_TRAILERS }));
        }
        match vehicle_mark {
            Some(mark) if faults.is_empty() => Ok(Self { mark, mainland_mark, trailers: read }),
            _ => Err(faults),
        }
    }
}

fn any_mark(text: &str) -> Result<RegistrationMark, Fault> {
    if text.trim().is_empty() {
        return Err(Fault::Required);
    }
    text.parse().map_err(|e: clearance::mark::MarkError| Fault::Mark { why: e.to_string() })
}

fn hong_kong_mark(text: &str) -> Result<RegistrationMark, Fault> {
    let mark = any_mark(text)?;
    if mark.jurisdiction() == Jurisdiction::HongKong { Ok(mark) } else { Err(Fault::HongKongMark) }
}

fn mainland_mark(text: &str) -> Result<RegistrationMark, Fault> {
    let mark = any_mark(text)?;
    if mark.jurisdiction().is_mainland() { Ok(mark) } else { Err(Fault::MainlandMark) }
}

/// What a vehicle carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Load {
    /// Consignments.
    Consignments,
    /// Nothing.
    Empty,
    /// Only what the place exempts, by the exemption's code.
    Exempt(String),
}

impl Load {
    /// As it is stored.
    pub fn stored(&self) -> &str {
        match self {
            Self::Consignments => "",
            Self::Empty => "empty",
            Self::Exempt(code) => code,
        }
    }

    /// As it was stored.
    pub fn of_stored(text: &str) -> Self {
        match text {
            "" => Self::Consignments,
            "empty" => Self::Empty,
            code => Self::Exempt(code.to_owned()),
        }
    }
}

/// What an inspection gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Inspection {
    /// Everything was as declared.
    NothingFound,
    /// Something was not.
    Found,
}

impl Inspection {
    /// As it is stored and typed.
    pub fn name(self) -> &'static str {
        match self {
            Self::NothingFound => "nothing_found",
            Self::Found => "found",
        }
    }

    /// As it was stored or typed.
    pub fn of_name(name: &str) -> Option<Self> {
        [Self::NothingFound, Self::Found].into_iter().find(|i| i.name() == name)
    }
}

/// Where a declared crossing stands. The trade sees these and never why.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum MovementStatus {
    /// A consignment is declared; no vehicle yet.
    Lodged,
    /// A vehicle is named; something is missing still.
    Bundled,
    /// Nothing is missing; customs has yet to assess it.
    Ready,
    /// Customs has assessed it; the lane expects the vehicle.
    Assessed,
    /// The vehicle is at the lane, and nobody has decided yet.
    Arrived,
    /// It may go.
    Released,
    /// It is to report for documents, inspection, escort, or to wait.
    Directed,
    /// It was inspected.
    Inspected,
    /// It has left the lane.
    Departed,
    /// It never came, and the declaration serves no more.
    Expired,
    /// It was taken back.
    Cancelled,
}

impl MovementStatus {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Lodged,
        Self::Bundled,
        Self::Ready,
        Self::Assessed,
        Self::Arrived,
        Self::Released,
        Self::Directed,
        Self::Inspected,
        Self::Departed,
        Self::Expired,
        Self::Cancelled,
    ];

    /// As it is typed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lodged => "lodged",
            Self::Bundled => "bundled",
            Self::Ready => "ready",
            Self::Assessed => "assessed",
            Self::Arrived => "arrived",
            Self::Released => "released",
            Self::Directed => "directed",
            Self::Inspected => "inspected",
            Self::Departed => "departed",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
        }
    }

    /// What it may become next.
    pub fn next(self) -> &'static [Self] {
        match self {
            Self::Lodged => &[Self::Bundled, Self::Expired, Self::Cancelled],
            Self::Bundled => {
                &[Self::Lodged, Self::Ready, Self::Assessed, Self::Arrived, Self::Expired, Self::Cancelled]
            }
            Self::Ready => {
                &[Self::Lodged, Self::Bundled, Self::Assessed, Self::Arrived, Self::Expired, Self::Cancelled]
            }
            Self::Assessed => &[
                Self::Lodged,
                Self::Bundled,
                Self::Ready,
                Self::Arrived,
                Self::Released,
                Self::Directed,
                Self::Expired,
                Self::Cancelled,
            ],
            Self::Arrived => &[Self::Released, Self::Directed, Self::Departed],
            Self::Released => &[Self::Directed, Self::Departed],
            Self::Directed => &[Self::Released, Self::Inspected, Self::Departed],
            Self::Inspected => &[Self::Departed],
            Self::Departed | Self::Expired | Self::Cancelled => &[],
        }
    }

    /// Whether the declaration can still be changed.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Lodged | Self::Bundled | Self::Ready | Self::Assessed)
    }

    /// The diagram of `docs/design/declarations.md` (Mermaid).
    pub fn diagram() -> String {
        let mut lines = vec![
            "stateDiagram-v2".to_owned(),
            "    [*] --> lodged".to_owned(),
            "    [*] --> bundled".to_owned(),
        ];
        for from in Self::ALL {
            lines.extend(from.next().iter().map(|to| format!("    {from} --> {to}")));
            if from.next().is_empty() {
                lines.push(format!("    {from} --> [*]"));
            }
        }
        lines.join("\n")
    }
}

impl fmt::Display for MovementStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What was signalled at the lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signalled {
    /// Go.
    Released,
    /// Report for this.
    Directed(ActionCode),
}

impl Signalled {
    /// As it is stored.
    pub fn stored(self) -> &'static str {
        match self {
            Self::Released => "released",
            Self::Directed(code) => code.code(),
        }
    }

    /// Where the movement stands with it.
    pub fn status(self) -> MovementStatus {
        match self {
            Self::Released => MovementStatus::Released,
            Self::Directed(_) => MovementStatus::Directed,
        }
    }

    /// Where the driver reports.
    pub fn report(self) -> Report {
        match self {
            Self::Released | Self::Directed(ActionCode::Release) => Report::Proceed,
            Self::Directed(ActionCode::Documents) => Report::Documents,
            Self::Directed(ActionCode::Inspect) => Report::Inspection,
            Self::Directed(ActionCode::Escort) => Report::Escort,
            Self::Directed(ActionCode::Detain) => Report::Wait,
        }
    }

    /// As it was stored.
    pub fn of_stored(text: &str) -> Option<Self> {
        if text == "released" {
            return Some(Self::Released);
        }
        ActionCode::of_code(text).map(Self::Directed)
    }
}

/// What is known of a movement.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// Whether nothing is missing.
    pub ready: bool,
    /// Whether customs has given a code.
    pub assessed: bool,
    /// After this moment it can no longer arrive.
    pub expires: UtcMillis,
    /// When the vehicle was first at the lane.
    pub arrived: Option<UtcMillis>,
    /// What the lane showed last.
    pub signalled: Option<Signalled>,
    /// What an inspection gave.
    pub inspected: Option<Inspection>,
    /// When it left.
    pub departed: Option<UtcMillis>,
    /// When it was taken back.
    pub cancelled: Option<UtcMillis>,
}

impl Progress {
    /// Where it stands at `now`.
    pub fn status(&self, now: UtcMillis) -> MovementStatus {
        match self {
            _ if self.cancelled.is_some() => MovementStatus::Cancelled,
            _ if self.departed.is_some() => MovementStatus::Departed,
            _ if self.inspected.is_some() => MovementStatus::Inspected,
            Self { signalled: Some(signalled), .. } => signalled.status(),
            _ if self.arrived.is_some() => MovementStatus::Arrived,
            _ if now >= self.expires => MovementStatus::Expired,
            _ if self.assessed => MovementStatus::Assessed,
            _ if self.ready => MovementStatus::Ready,
            _ => MovementStatus::Bundled,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_diagram_in_the_note_is_the_one_in_the_code() {
        let note = include_str!("../../../docs/design/declarations.md");
        assert!(note.contains(&MovementStatus::diagram()), "put this there:\n{}", MovementStatus::diagram());
    }

    #[test]
    fn every_status_is_reached_and_what_has_ended_stays_so() {
        for status in MovementStatus::ALL {
            let reached = MovementStatus::ALL.iter().any(|from| from.next().contains(&status));
            assert!(reached || status == MovementStatus::Lodged, "{status}");
        }
    }

    #[test]
    fn later_facts_outweigh_earlier_ones() {
        let (now, later) = (UtcMillis(10), Some(UtcMillis(9)));
        let mut facts = Progress { expires: UtcMillis(100), ..Progress::default() };
        assert_eq!(facts.status(now), MovementStatus::Bundled);
        facts.ready = true;
        assert_eq!(facts.status(now), MovementStatus::Ready);
        facts.assessed = true;
        assert_eq!(facts.status(now), MovementStatus::Assessed);
        assert_eq!(facts.status(UtcMillis(100)), MovementStatus::Expired);
        facts.arrived = later;
        assert_eq!(facts.status(UtcMillis(100)), MovementStatus::Arrived);
        facts.signalled = Some(Signalled::Directed(ActionCode::Inspect));
        assert_eq!(facts.status(now), MovementStatus::Directed);
        facts.inspected = Some(Inspection::NothingFound);
        assert_eq!(facts.status(now), MovementStatus::Inspected);
        facts.departed = later;
        assert_eq!(facts.status(now), MovementStatus::Departed);
    }

    #[test]
    fn a_vehicle_is_read_as_people_write_it_and_faults_name_their_item() {
        let vehicle = Vehicle::parse("ab 1234", Some("粤Z·1234港"), &["1234t".to_owned()]).unwrap();
        assert_eq!(vehicle.mark.as_str(), "AB1234");
        assert_eq!(vehicle.trailers[0].as_str(), "1234T");
        assert!(Vehicle::parse("AB1234", Some(""), &[]).unwrap().mainland_mark.is_none());
        let faults = Vehicle::parse("粤Z1234港", Some("AB1234"), &["?".to_owned()]).unwrap_err();
        let pointers: Vec<_> = faults.iter().map(|f| f.pointer.as_str()).collect();
        assert_eq!(pointers, ["/mark", "/mainland_mark", "/trailers/0"]);
    }
}
