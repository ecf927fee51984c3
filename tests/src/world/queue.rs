//! The demo's queue: one truck for each thing a lane must get right.

use clearance::decide::Reason;
use clearance::directive::ActionCode;
use clearance::passage::Outcome;
use serde::Serialize;

/// What central knows about a truck before it arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Declared {
    /// Nothing.
    Nothing,
    /// An action code for this Hong Kong mark.
    Coded(ActionCode),
    /// A release that was taken back.
    Revoked,
    /// Its cargo, of which screening decides.
    Screened,
}

/// One truck of the queue.
#[derive(Clone, Debug, Serialize)]
pub struct Truck {
    /// Its Hong Kong mark.
    pub mark: &'static str,
    /// The mainland plate it carries.
    pub mainland_plate: Option<&'static str>,
    /// The mainland mark its driver registered.
    pub mainland_registered: Option<&'static str>,
    /// Whether its Hong Kong plate is too dirty to read.
    pub dirty: bool,
    /// What central knows.
    #[serde(skip)]
    pub declared: Declared,
    /// What the lane must do.
    pub expected: Outcome,
    /// Why; none where the weather of the day may decide between two right reasons.
    pub expected_reasons: &'static [Reason],
    /// Seed of its looks: cab, lettering, light.
    #[serde(skip)]
    pub look: u64,
    /// What it shows.
    pub story: &'static str,
}

/// Looks of the trucks in order. 109 is left out: its sign under the windscreen reads like a plate of another place, and the
/// lane refers such a truck (docs/design/recognition.md, Limits).
const LOOKS: [u64; 10] = [100, 101, 102, 103, 104, 105, 106, 107, 108, 119];

const BY_DIRECTIVE: &[Reason] = &[Reason::Directive];

/// The queue, with a truck at its end that screening would release, until a rule is added
/// ([`rule_added`](super::rule::rule_added)).
pub fn trucks_with_a_rule() -> Vec<Truck> {
    let mut queue = trucks();
    if let Some(last) = queue.last_mut() {
        *last = Truck {
            declared: Declared::Screened,
            expected: Outcome::Directed(ActionCode::Inspect),
            story: "screening releases it, until a rule is added: inspect",
            ..last.clone()
        };
    }
    queue
}

/// The queue, in order of arrival. Trucks take turns at the lanes.
pub fn trucks() -> Vec<Truck> {
    let truck = |mark, mainland, story, declared, expected, expected_reasons| Truck {
        mark,
        mainland_plate: mainland,
        mainland_registered: mainland,
        dirty: false,
        declared,
        expected,
        expected_reasons,
        look: 0,
        story,
    };
    let coded = |action| match action {
        ActionCode::Release => (Declared::Coded(action), Outcome::Released),
        _ => (Declared::Coded(action), Outcome::Directed(action)),
    };
    let by_code = |mark, mainland, story, action| {
        let (declared, expected) = coded(action);
        truck(mark, mainland, story, declared, expected, BY_DIRECTIVE)
    };
    let released = Declared::Coded(ActionCode::Release);
    let mut queue = vec![
        by_code("KX4827", Some("粤ZN537港"), "both plates agree, code release", ActionCode::Release),
        by_code("RP3906", Some("粤ZB384港"), "code documents", ActionCode::Documents),
        by_code("UE7358", Some("粤ZF926港"), "code inspect", ActionCode::Inspect),
        truck(
            "MB5263",
            Some("粤ZK573港"),
            "nobody declared it",
            Declared::Nothing,
            Outcome::Referred,
            &[Reason::NoDirective],
        ),
        Truck {
            dirty: true,
            ..truck(
                "TS8496",
                Some("粤ZH248港"),
                "Hong Kong plate too dirty to read",
                released,
                Outcome::Referred,
                &[Reason::Unread, Reason::Ambiguous, Reason::NoHongKongPlate],
            )
        },
        Truck {
            mainland_registered: Some("粤ZR659港"),
            ..truck(
                "WG2749",
                Some("粤ZE483港"),
                "mainland plate is not the one registered",
                released,
                Outcome::Referred,
                &[Reason::PlatesContradict],
            )
        },
        by_code("NH6385", None, "one plate only, code release", ActionCode::Release),
        truck(
            "PC9274",
            Some("粤ZW837港"),
            "its release was taken back",
            Declared::Revoked,
            Outcome::Referred,
            &[Reason::Revoked],
        ),
        truck(
            "KX4827",
            Some("粤ZN537港"),
            "the first truck's mark again: its directive is used up",
            Declared::Nothing,
            Outcome::Referred,
            &[Reason::Used],
        ),
        by_code("VD5839", Some("粤ZU364港"), "code release", ActionCode::Release),
    ];
    for (truck, look) in queue.iter_mut().zip(LOOKS) {
        truck.look = look;
    }
    queue
}
