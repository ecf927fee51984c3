//! The marks that an officer is offered for a plate: what it may read, and which expected vehicle it may belong to. Where a vehicle
//! has two plates, one that is clear tells of the other. This ranks what a person looks at; nothing here releases anybody.

use clearance::directive::DirectiveEntry;
use clearance::ids::{SiteId, UtcMillis};
use clearance::mark::{RegistrationMark, look_alike};
use clearance::passage::PlateEvidence;

use super::session::Refusal;
use crate::state::AppState;
use crate::storage::PassageRow;

/// Candidates of a plate that are offered, and looked through.
const CANDIDATES: usize = 5;

/// Marks offered for a plate: as many as there are digits to press.
const OFFERS: usize = 9;

/// One mark an officer is offered.
pub(super) struct Offer {
    /// The mark.
    pub(super) mark: RegistrationMark,
    /// How likely the plate reads so, 0 to 1; `None` for an expected vehicle's that was not read.
    pub(super) probability: Option<f32>,
    /// Whether the vehicle's other plate was read as this vehicle's.
    pub(super) other_plate: bool,
    /// What central has of the vehicle.
    pub(super) directive: Option<DirectiveEntry>,
}

/// The marks of a vehicle that may arrive.
#[derive(Clone, Debug)]
pub(super) struct Expected {
    hong_kong: RegistrationMark,
    mainland: Option<RegistrationMark>,
}

impl Expected {
    /// Each of its marks, with the mark of its other plate.
    fn marks(&self) -> impl Iterator<Item = (&RegistrationMark, Option<&RegistrationMark>)> {
        let mainland = self.mainland.as_ref();
        std::iter::once((&self.hong_kong, mainland)).chain(mainland.map(|mark| (mark, Some(&self.hong_kong))))
    }
}

/// The vehicles that may arrive at a passage's control point about when it began.
pub(super) async fn expected(
    state: &AppState,
    site: &SiteId,
    row: &PassageRow,
) -> Result<Vec<Expected>, Refusal> {
    let movements = state.store.expected(site, UtcMillis(row.began)).await?;
    let vehicle = |mark: &str, mainland: Option<&str>| {
        Some(Expected {
            hong_kong: mark.parse().ok()?,
            mainland: mainland.and_then(|mark| mark.parse().ok()),
        })
    };
    Ok(movements.iter().filter_map(|it| vehicle(&it.mark, it.mainland_mark.as_deref())).collect())
}

/// What is offered at a control point for the plate at `number` among a passage's `plates`.
pub(super) async fn offers(
    state: &AppState,
    site: &SiteId,
    plates: &[PlateEvidence],
    number: usize,
    expected: &[Expected],
) -> Result<Vec<Offer>, Refusal> {
    let mut offers = Vec::new();
    for Ranked { mark, probability, other_plate } in rank(plates, number, expected) {
        // What central has is kept by the Hong Kong mark.
        let of_mainland = expected.iter().find(|it| it.mainland.as_ref() == Some(&mark));
        let by = of_mainland.map_or(&mark, |it| &it.hong_kong);
        let directive = state.store.entry(site, by).await?;
        offers.push(Offer { mark, probability, other_plate, directive });
    }
    Ok(offers)
}

/// A mark, and what speaks for it.
#[derive(Clone, Debug, PartialEq)]
struct Ranked {
    mark: RegistrationMark,
    probability: Option<f32>,
    other_plate: bool,
}

/// Those first of whose vehicle the other plate was read; then what the plate may read, likeliest first; then expected vehicles that
/// look like what it reads.
fn rank(plates: &[PlateEvidence], number: usize, expected: &[Expected]) -> Vec<Ranked> {
    let candidates = |at: usize| plates.get(at).map_or(&[][..], |plate| &plate.candidates);
    let own = candidates(number);
    let elsewhere = |mark: &RegistrationMark| {
        let mut others = (0..plates.len())
            .filter(|at| *at != number)
            .flat_map(|at| candidates(at).iter().take(CANDIDATES));
        others.any(|candidate| candidate.mark == *mark)
    };
    let mut ranked: Vec<Ranked> = own
        .iter()
        .take(CANDIDATES)
        .map(|it| Ranked { mark: it.mark.clone(), probability: Some(it.probability), other_plate: false })
        .collect();
    for (mark, other) in expected.iter().flat_map(Expected::marks) {
        let other_plate = other.is_some_and(elsewhere);
        if let Some(offered) = ranked.iter_mut().find(|it| it.mark == *mark) {
            offered.other_plate |= other_plate;
        } else if other_plate || own.first().is_some_and(|best| resembles(mark, &best.mark)) {
            ranked.push(Ranked { mark: mark.clone(), probability: None, other_plate });
        }
    }
    ranked.sort_by_key(|it| !it.other_plate);
    ranked.truncate(OFFERS);
    ranked
}

/// Whether one mark could have been read as the other: same length, at most one character that does not look alike.
fn resembles(a: &RegistrationMark, b: &RegistrationMark) -> bool {
    let pairs = || a.as_str().chars().zip(b.as_str().chars());
    a.as_str().chars().count() == b.as_str().chars().count()
        && pairs().filter(|(x, y)| !look_alike(*x, *y)).count() <= 1
}

#[cfg(test)]
mod tests {
    use clearance::read::{Candidate, Certainty, PlateLayout};

    use super::*;

    fn plate(candidates: &[(&str, f32)]) -> PlateEvidence {
        PlateEvidence {
            candidates: candidates
                .iter()
                .map(|(mark, probability)| Candidate {
                    mark: mark.parse().unwrap(),
                    probability: *probability,
                })
                .collect(),
            certainty: Certainty::Ambiguous,
            layout: PlateLayout::SingleRow,
            corners: [0.0; 8],
            frames: 3,
            crop: None,
            picture: None,
        }
    }

    fn vehicle(hong_kong: &str, mainland: &str) -> Expected {
        Expected { hong_kong: hong_kong.parse().unwrap(), mainland: mainland.parse().ok() }
    }

    fn marks(ranked: &[Ranked]) -> Vec<(&str, bool)> {
        ranked.iter().map(|it| (it.mark.as_str(), it.other_plate)).collect()
    }

    #[test]
    fn a_clear_plate_tells_of_an_unclear_one() {
        let expected = [vehicle("AB1238", "粤ZM463港"), vehicle("AB1288", "粤ZQ715港")];
        let plates = [plate(&[("AB1233", 0.5), ("AB1288", 0.3)]), plate(&[("粤ZM463港", 0.99)])];
        let ranked = rank(&plates, 0, &expected);
        assert_eq!(marks(&ranked), [("AB1238", true), ("AB1233", false), ("AB1288", false)]);
        assert_eq!(ranked[0].probability, None, "it was not read");
        // The other way round: whichever mainland plate belongs to what the Hong Kong plate may be.
        let plates = [plate(&[("AB1288", 0.9)]), plate(&[("粤Z0715港", 0.6), ("粤ZQ715港", 0.4)])];
        assert_eq!(marks(&rank(&plates, 1, &expected)), [("粤ZQ715港", true), ("粤Z0715港", false)]);
    }

    #[test]
    fn an_unread_plate_is_told_by_the_other_one() {
        let plates = [plate(&[]), plate(&[("粤ZM463港", 0.99)])];
        let expected = [vehicle("AB1238", "粤ZM463港"), vehicle("AB1288", "粤ZQ715港")];
        assert_eq!(marks(&rank(&plates, 0, &expected)), [("AB1238", true)]);
        assert!(rank(&plates, 0, &[]).is_empty());
    }

    #[test]
    fn one_plate_alone_is_offered_what_looks_like_it_and_no_more_than_there_are_keys() {
        let plates = [plate(&[("AB1233", 0.9)])];
        let expected = [vehicle("AB1238", ""), vehicle("CD9", ""), vehicle("AB1233", "")];
        assert_eq!(marks(&rank(&plates, 0, &expected)), [("AB1233", false), ("AB1238", false)]);
        let many: Vec<_> = (0..50).map(|n| vehicle(&format!("AB12{n:02}"), "")).collect();
        assert_eq!(rank(&plates, 0, &many).len(), OFFERS);
    }
}
