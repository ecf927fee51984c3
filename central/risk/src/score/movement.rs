//! The score of a movement: that of the consignment that looks worst.

use clearance::ids::Digest;
use jiff::tz::TimeZone;

use super::explore::hope;
use super::{Declaration, Ground, Score, ScoreError, Scorer};
use crate::assessment::{Contribution, ScoreRead};
use crate::facts::{Consignment, Facts, Party, fold};
use crate::number::{LogOdds, Probability};

/// As many contributions as are kept with a decision.
pub const MOST_CONTRIBUTIONS: usize = 8;

/// The consignment of a movement that looks worst.
#[derive(Clone, Debug, PartialEq)]
pub struct Worst<'f> {
    /// What the model says of it.
    pub score: Score,
    /// Which it is.
    pub consignment: &'f Consignment,
    /// The most that may be hoped of an inspection of any of the movement's consignments; `None` for a model that does not tell.
    pub hope: Option<Probability>,
}

/// Score each consignment; `None` where there is none. `zone`: where days begin and end.
pub fn worst<'f>(
    scorer: &mut Scorer,
    facts: &'f Facts,
    zone: &TimeZone,
) -> Result<Option<Worst<'f>>, ScoreError> {
    let mut worst: Option<(Score, &Consignment)> = None;
    let mut most: Option<Probability> = None;
    for consignment in &facts.consignments {
        let score = scorer.score(&declaration(facts, consignment, zone))?;
        let hoped = scorer.novelty(&score).map(|novelty| hope(score.probability, novelty));
        most = most.max(hoped.and_then(Probability::nearest));
        if worst.as_ref().is_none_or(|(known, _)| score.margin > known.margin) {
            worst = Some((score, consignment));
        }
    }
    Ok(worst.map(|(score, consignment)| Worst { score, consignment, hope: most }))
}

impl Worst<'_> {
    /// As the engine reads it. `grounds`: what moved the score, the most first ([`Scorer::explain`]); `model`: whose score it is. `None`
    /// where the chance is no number.
    pub fn read(&self, model: Digest, grounds: &[(Ground, f64)]) -> Option<ScoreRead> {
        let contributions = grounds.iter().take(MOST_CONTRIBUTIONS).map(|&(ground, weight)| Contribution {
            feature: format!("{ground:?}").to_lowercase(),
            value: self.consignment.ccrn.clone(),
            weight: LogOdds::nearest(weight),
        });
        let value = Probability::nearest(self.score.probability)?;
        Some(ScoreRead { value, model, hope: self.hope, contributions: contributions.collect() })
    }
}

/// A consignment as the model knows declarations. What is not declared here is unknown to it.
pub fn declaration(facts: &Facts, consignment: &Consignment, zone: &TimeZone) -> Declaration {
    let name = |party: &Party| fold(&party.name);
    let first = consignment.goods.first();
    let code = consignment.hs_code.as_ref().or_else(|| first.and_then(|line| line.hs_code.as_ref()));
    let origin = consignment.origin.as_ref().or_else(|| first.and_then(|line| line.origin.as_ref()));
    let lodged = jiff::Timestamp::from_millisecond(facts.lodged.0).ok();
    Declaration {
        office: facts.control_point.to_string(),
        declarant: consignment.shipper.as_ref().map(name).unwrap_or_default(),
        importer: name(&consignment.consignee),
        seller: name(&consignment.consignor),
        courier: facts.carrier.as_ref().map(name).unwrap_or_default(),
        hs6: code.map(|code| code.chars().take(6).collect()).unwrap_or_default(),
        origin: origin.cloned().unwrap_or_default(),
        net_mass: consignment.net_weight_kg.map(|kilograms| kilograms as f64),
        item_price: consignment.value_hkd.map(|hkd| hkd as f64),
        date: lodged.map(|at| zone.to_datetime(at).date()),
        ..Declaration::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example;
    use crate::facts::GoodsLine;

    #[test]
    fn a_consignment_is_declared_to_the_model_with_what_its_first_line_says_where_it_says_nothing() {
        let mut facts = example::facts();
        facts.consignments[0].consignee.name = " Happy  SHOP ".to_owned();
        facts.consignments[0].hs_code = None;
        facts.consignments[0].origin = None;
        facts.consignments[0].goods = vec![GoodsLine {
            hs_code: Some("95030010".to_owned()),
            origin: Some("VN".to_owned()),
            ..GoodsLine::default()
        }];
        // 00:00 in Hong Kong is the day before in UTC.
        facts.lodged = clearance::ids::UtcMillis(1_795_708_800_000);
        let declared =
            |hours| declaration(&facts, &facts.consignments[0], &TimeZone::fixed(jiff::tz::offset(hours)));
        let here = declared(8);
        assert_eq!((&*here.importer, &*here.hs6, &*here.origin), ("happy shop", "950300", "VN"));
        assert_eq!((&*here.office, &*here.courier), ("lok-ma-chau", "swift haulage"));
        assert_eq!((here.net_mass, here.item_price), (Some(300.0), Some(20_000.0)));
        assert_eq!(here.date.unwrap().to_string(), "2026-11-27");
        assert_eq!(declared(0).date.unwrap().to_string(), "2026-11-26");
    }
}
