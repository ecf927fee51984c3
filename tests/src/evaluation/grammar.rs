//! What the forms of marks are worth as prior knowledge: the likeliest candidate that has a form of our lanes, in place
//! of the likeliest of all.

use clearance::mark::Jurisdiction;
use serde::Serialize;

use super::acceptance::rounded;
use super::reads::Detection;
use super::scoring::Verdict;
use super::spelling::normal;

/// How many candidates are looked through for one that has a form.
const CANDIDATES: usize = 20;

/// Exact reads with and without the forms, each with what would be accepted wrongly. Parts are 0 to 1.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GrammarPrior {
    /// Plates with a mark of our lanes.
    pub plates: usize,
    /// Part read exactly, nothing known.
    pub exact_unconstrained: f64,
    /// Part read exactly, given the forms.
    pub exact: f64,
    /// Reads accepted at the bundle's threshold that are wrong, nothing known.
    pub false_accepts_unconstrained: usize,
    /// Reads accepted at it that are wrong, given the forms.
    pub false_accepts: usize,
    /// Spurious sightings and plates of other forms that would be accepted as a mark of our lanes, nothing known.
    pub false_accepts_elsewhere_unconstrained: usize,
    /// The same, given the forms.
    pub false_accepts_elsewhere: usize,
    /// Reads accepted only because O and 0, and I and 1, are one character of our marks (`models::candidates`).
    pub accepted_by_spelling: usize,
    /// Of these, wrong, or of a plate that has none of our marks.
    pub accepted_by_spelling_wrong: usize,
}

/// How likely the likeliest spelling alone is, before those that are one mark are joined, 0 to 1.
fn likeliest_spelling(detection: &Detection) -> f64 {
    detection.read.as_ref().map_or(0.0, |read| f64::from(read.best().1))
}

/// The likeliest candidate with a form of our lanes: its mark, and its probability as the reader gives it. That is not
/// scaled up for the candidates passed over, so a doubtful read stays doubtful.
pub fn likeliest_with_a_form(detection: &Detection) -> Option<(String, f64)> {
    let candidates = detection.candidates(CANDIDATES);
    let with_form = candidates.iter().find(|c| c.mark.jurisdiction() != Jurisdiction::Other)?;
    Some((with_form.mark.to_string(), f64::from(with_form.probability)))
}

/// Compare on a group's plates whose labels have a form of our lanes; `spurious` and the group's other plates tell what
/// is accepted elsewhere.
pub fn grammar_prior<'a>(
    verdicts: impl IntoIterator<Item = &'a Verdict<'a>>,
    spurious: impl IntoIterator<Item = &'a Detection>,
    threshold: f64,
) -> GrammarPrior {
    let has_form = |v: &Verdict<'_>| {
        let mark = v.label.text.parse::<clearance::mark::RegistrationMark>();
        mark.is_ok_and(|m| m.jurisdiction() != Jurisdiction::Other)
    };
    let (ours, others): (Vec<&Verdict<'_>>, Vec<_>) = verdicts.into_iter().partition(|v| has_form(v));
    let accepted = |(_, confidence): &(String, f64)| *confidence >= threshold;
    let given: Vec<_> = ours.iter().map(|v| (*v, v.detection.and_then(likeliest_with_a_form))).collect();
    let right = |v: &Verdict<'_>, read: &(String, f64)| normal(&read.0) == normal(&v.label.text);
    let elsewhere: Vec<_> = others.iter().filter_map(|v| v.detection).chain(spurious).collect();
    let of_ours = |d: &&&Detection| {
        d.candidates(1).first().is_some_and(|c| c.mark.jurisdiction() != Jurisdiction::Other)
    };
    let sure = |d: &Detection| f64::from(d.confidence) >= threshold;
    let joined = |d: &Detection| sure(d) && likeliest_spelling(d) < threshold;
    let joined_ours = || ours.iter().filter(|v| v.detection.is_some_and(joined));
    let joined_elsewhere = elsewhere.iter().filter(of_ours).filter(|d| joined(d)).count();
    let part = |n: usize| rounded(n as f64 / ours.len().max(1) as f64);
    GrammarPrior {
        plates: ours.len(),
        exact_unconstrained: part(ours.iter().filter(|v| v.exact).count()),
        exact: part(given.iter().filter(|(v, read)| read.as_ref().is_some_and(|r| right(v, r))).count()),
        false_accepts_unconstrained: ours
            .iter()
            .filter(|v| !v.exact && v.confidence().is_some_and(|c| c >= threshold))
            .count(),
        false_accepts: given
            .iter()
            .filter(|(v, read)| read.as_ref().is_some_and(|r| accepted(r) && !right(v, r)))
            .count(),
        false_accepts_elsewhere_unconstrained: elsewhere.iter().filter(of_ours).filter(|d| sure(d)).count(),
        false_accepts_elsewhere: elsewhere
            .iter()
            .filter_map(|d| likeliest_with_a_form(d))
            .filter(accepted)
            .count(),
        accepted_by_spelling: joined_ours().count() + joined_elsewhere,
        accepted_by_spelling_wrong: joined_ours().filter(|v| !v.exact).count() + joined_elsewhere,
    }
}
