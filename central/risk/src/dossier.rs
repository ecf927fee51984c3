//! Four eyes: the way of a rule, a list or a downgraded hit from a draft into force.
//!
//! Steps are kept, the state follows from them. Whoever wrote something cannot approve it, and what is approved is the very content
//! that was written and simulated: it is named by its digest.

use clearance::ids::{Digest, OfficerId, UtcMillis};
use serde::{Deserialize, Serialize};

use crate::assessment::Measure;
use crate::canonical::Canonical;
use crate::simulate::Report;

/// What needs a second pair of eyes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Matter {
    /// A rule, in a version.
    Rule {
        /// Its name.
        rule: String,
        /// Its version.
        version: u32,
    },
    /// A list, in a version.
    List {
        /// Its name.
        list: String,
        /// Its version.
        version: u32,
    },
    /// A policy, in a version: thresholds, shares, quotas, capacities.
    Policy {
        /// Its version.
        version: u32,
    },
    /// Something milder than what an assessment demands, for one movement.
    Downgrade {
        /// What was demanded.
        from: Measure,
        /// What is to be done instead.
        to: Measure,
        /// Why.
        why: String,
    },
}

impl Matter {
    /// Whether it has to be simulated on past movements first.
    pub fn needs_simulation(&self) -> bool {
        matches!(self, Self::Rule { .. })
    }
}

/// A step, and who took it when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Who.
    pub by: OfficerId,
    /// When.
    pub at: UtcMillis,
    /// What.
    pub deed: Deed,
}

/// What somebody did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "deed", rename_all = "snake_case", deny_unknown_fields)]
pub enum Deed {
    /// Wrote it.
    Draft,
    /// Simulated it on past movements.
    Simulate {
        /// Digest of the report.
        report: Digest,
    },
    /// Approved it.
    Approve,
    /// Put it into force.
    Enforce {
        /// From when on.
        from: UtcMillis,
        /// Until when; for ever if absent.
        until: Option<UtcMillis>,
    },
    /// Asked for it to be taken out of force.
    AskWithdrawal {
        /// Why.
        why: String,
    },
    /// Disagreed: it stays in force.
    Keep,
    /// Put another version in its place.
    Replace,
    /// Took it back, or out of force.
    Withdraw,
}

/// Where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// It was written.
    Draft,
    /// Its effect on past movements is known.
    Simulated,
    /// Somebody else has approved it.
    Approved,
    /// It is, will be or was in force.
    Live {
        /// From when on.
        from: UtcMillis,
        /// Until when; for ever if absent.
        until: Option<UtcMillis>,
    },
    /// It is in force still, and somebody has asked to take it out.
    Leaving {
        /// From when on.
        from: UtcMillis,
        /// Until when; for ever if absent.
        until: Option<UtcMillis>,
        /// Who has asked.
        asked: OfficerId,
    },
    /// It was taken back.
    Withdrawn,
}

/// Why a step cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Whoever wrote it.
    #[error("{0} wrote it: somebody else has to approve it")]
    SameEyes(OfficerId),
    /// Whoever asked.
    #[error("{0} asked for it: somebody else has to agree")]
    OwnRequest(OfficerId),
    /// Its effect is not known yet.
    #[error("simulate it on past movements first")]
    NotSimulated,
    /// A report of something else.
    #[error("the report is of other content ({report}), this is {content}")]
    OtherContent {
        /// What the report is of.
        report: Digest,
        /// What this is.
        content: Digest,
    },
    /// Not from there.
    #[error("a {stage:?} one cannot take this step")]
    Stage {
        /// Where it stands.
        stage: Stage,
    },
    /// It would be in force before somebody could know, or end before it begins.
    #[error("it must begin now or later, and end after it begins")]
    Time,
    /// Nothing milder.
    #[error("{to} is not milder than {from}: an officer may order it without anybody else")]
    NotMilder {
        /// What was demanded.
        from: Measure,
        /// What is wanted.
        to: Measure,
    },
    /// Taking something out of force may let vehicles go that it held.
    #[error("it is in force: ask for its withdrawal, and somebody else agrees")]
    AskFirst,
    /// No reason.
    #[error("say why")]
    NoReason,
}

/// A matter with the steps that it has taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dossier {
    matter: Matter,
    /// Digest of what it is about: the rule with its examples, the list, the policy, the assessment that is downgraded.
    content: Digest,
    steps: Vec<Step>,
}

impl Canonical for Dossier {
    const KIND: &'static str = "risk.dossier.1";
}

impl Dossier {
    /// Open one.
    pub fn draft(matter: Matter, content: Digest, by: OfficerId, at: UtcMillis) -> Result<Self, Refusal> {
        if let Matter::Downgrade { from, to, why } = &matter {
            if to >= from {
                return Err(Refusal::NotMilder { from: *from, to: *to });
            }
            if why.trim().is_empty() {
                return Err(Refusal::NoReason);
            }
        }
        Ok(Self { matter, content, steps: vec![Step { by, at, deed: Deed::Draft }] })
    }

    /// What it is.
    pub fn matter(&self) -> &Matter {
        &self.matter
    }

    /// Digest of what it is about.
    pub fn content(&self) -> Digest {
        self.content
    }

    /// What has been done.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Where it stands.
    pub fn stage(&self) -> Stage {
        match self.steps.last().map(|step| (&step.deed, &step.by)) {
            Some((Deed::Simulate { .. }, _)) => Stage::Simulated,
            Some((Deed::Approve, _)) => Stage::Approved,
            Some((Deed::Enforce { .. } | Deed::Keep, _)) => self.live(None),
            Some((Deed::AskWithdrawal { .. }, by)) => self.live(Some(by)),
            Some((Deed::Withdraw | Deed::Replace, _)) => Stage::Withdrawn,
            Some((Deed::Draft, _)) | None => Stage::Draft,
        }
    }

    fn live(&self, asked: Option<&OfficerId>) -> Stage {
        let window = self.steps.iter().rev().find_map(|step| match &step.deed {
            Deed::Enforce { from, until } => Some((*from, *until)),
            _ => None,
        });
        match (window, asked) {
            (Some((from, until)), None) => Stage::Live { from, until },
            (Some((from, until)), Some(asked)) => Stage::Leaving { from, until, asked: asked.clone() },
            // No step of ours leads here.
            (None, _) => Stage::Withdrawn,
        }
    }

    /// Whether it is in force at `now`.
    pub fn in_force(&self, now: UtcMillis) -> bool {
        let (Stage::Live { from, until } | Stage::Leaving { from, until, .. }) = self.stage() else {
            return false;
        };
        from <= now && until.is_none_or(|until| now < until)
    }

    /// Whoever has written a part of it.
    fn has_written(&self, who: &OfficerId) -> bool {
        self.steps.iter().any(|step| step.deed == Deed::Draft && step.by == *who)
    }

    /// It was written otherwise: what was simulated is no longer it.
    pub fn redraft(mut self, content: Digest, by: OfficerId, at: UtcMillis) -> Result<Self, Refusal> {
        match self.stage() {
            Stage::Draft | Stage::Simulated => {
                self.content = content;
                Ok(self.and(by, at, Deed::Draft))
            }
            stage => Err(Refusal::Stage { stage }),
        }
    }

    /// Its effect on past movements was found out.
    pub fn simulate(self, report: &Report, by: OfficerId, at: UtcMillis) -> Result<Self, Refusal> {
        if report.content != self.content {
            return Err(Refusal::OtherContent { report: report.content, content: self.content });
        }
        match self.stage() {
            Stage::Draft | Stage::Simulated => {
                Ok(self.and(by, at, Deed::Simulate { report: report.digest() }))
            }
            stage => Err(Refusal::Stage { stage }),
        }
    }

    /// Somebody else agrees.
    pub fn approve(self, by: OfficerId, at: UtcMillis) -> Result<Self, Refusal> {
        match self.stage() {
            Stage::Draft if self.matter.needs_simulation() => Err(Refusal::NotSimulated),
            Stage::Draft | Stage::Simulated if self.has_written(&by) => Err(Refusal::SameEyes(by)),
            Stage::Draft | Stage::Simulated => Ok(self.and(by, at, Deed::Approve)),
            stage => Err(Refusal::Stage { stage }),
        }
    }

    /// It holds from then on.
    pub fn enforce(
        self,
        from: UtcMillis,
        until: Option<UtcMillis>,
        by: OfficerId,
        at: UtcMillis,
    ) -> Result<Self, Refusal> {
        match self.stage() {
            Stage::Approved if from < at || until.is_some_and(|until| until <= from) => Err(Refusal::Time),
            Stage::Approved => Ok(self.and(by, at, Deed::Enforce { from, until })),
            stage => Err(Refusal::Stage { stage }),
        }
    }

    /// Ask for it to be taken out of force: that may let vehicles go, so somebody else has to agree.
    pub fn ask_withdrawal(self, why: String, by: OfficerId, at: UtcMillis) -> Result<Self, Refusal> {
        match self.stage() {
            Stage::Live { .. } if why.trim().is_empty() => Err(Refusal::NoReason),
            Stage::Live { .. } => Ok(self.and(by, at, Deed::AskWithdrawal { why })),
            stage => Err(Refusal::Stage { stage }),
        }
    }

    /// It stays in force, though somebody has asked otherwise. Anybody may, also whoever asked.
    pub fn keep(self, by: OfficerId, at: UtcMillis) -> Result<Self, Refusal> {
        match self.stage() {
            Stage::Leaving { .. } => Ok(self.and(by, at, Deed::Keep)),
            stage => Err(Refusal::Stage { stage }),
        }
    }

    /// It holds no more. What never was in force anybody may withdraw: it can be written anew.
    pub fn withdraw(self, by: OfficerId, at: UtcMillis) -> Result<Self, Refusal> {
        match self.stage() {
            Stage::Withdrawn => Err(Refusal::Stage { stage: Stage::Withdrawn }),
            Stage::Live { .. } => Err(Refusal::AskFirst),
            Stage::Leaving { asked, .. } if asked == by => Err(Refusal::OwnRequest(by)),
            _ => Ok(self.and(by, at, Deed::Withdraw)),
        }
    }

    /// Another version has taken its place: who put that into force has seen it.
    pub fn replaced(self, by: OfficerId, at: UtcMillis) -> Result<Self, Refusal> {
        match self.stage() {
            Stage::Live { .. } | Stage::Leaving { .. } => Ok(self.and(by, at, Deed::Replace)),
            stage => Err(Refusal::Stage { stage }),
        }
    }

    fn and(mut self, by: OfficerId, at: UtcMillis, deed: Deed) -> Self {
        self.steps.push(Step { by, at, deed });
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who(name: &str) -> OfficerId {
        name.parse().unwrap()
    }

    fn rule() -> Dossier {
        let matter = Matter::Rule { rule: "night".to_owned(), version: 1 };
        Dossier::draft(matter, Digest::of(b"rule"), who("ada"), UtcMillis(1)).unwrap()
    }

    fn report(content: &[u8]) -> Report {
        Report::empty(Digest::of(content))
    }

    #[test]
    fn a_rule_is_simulated_and_approved_by_somebody_else_before_it_holds() {
        let (ada, bob) = (who("ada"), who("bob"));
        assert_eq!(rule().approve(bob.clone(), UtcMillis(2)), Err(Refusal::NotSimulated));
        assert!(matches!(
            rule().simulate(&report(b"other"), ada.clone(), UtcMillis(2)),
            Err(Refusal::OtherContent { .. })
        ));
        let simulated = rule().simulate(&report(b"rule"), ada.clone(), UtcMillis(2)).unwrap();
        assert_eq!(simulated.clone().approve(ada.clone(), UtcMillis(3)), Err(Refusal::SameEyes(ada.clone())));
        let forced = simulated.clone().enforce(UtcMillis(9), None, bob.clone(), UtcMillis(3));
        assert_eq!(forced, Err(Refusal::Stage { stage: Stage::Simulated }));
        let approved = simulated.approve(bob.clone(), UtcMillis(3)).unwrap();
        let late = approved.clone().enforce(UtcMillis(3), None, ada.clone(), UtcMillis(4));
        assert_eq!(late, Err(Refusal::Time));
        let live = approved.enforce(UtcMillis(5), Some(UtcMillis(7)), ada.clone(), UtcMillis(4)).unwrap();
        let in_force: Vec<bool> = (4..8).map(|now| live.in_force(UtcMillis(now))).collect();
        assert_eq!(in_force, [false, true, true, false]);
        assert_eq!(live.clone().withdraw(bob.clone(), UtcMillis(6)), Err(Refusal::AskFirst));
        assert_eq!(
            live.clone().ask_withdrawal(" ".to_owned(), ada.clone(), UtcMillis(6)),
            Err(Refusal::NoReason)
        );
        let leaving = live.ask_withdrawal("no finds".to_owned(), ada.clone(), UtcMillis(6)).unwrap();
        assert!(leaving.in_force(UtcMillis(6)), "until somebody has agreed");
        assert_eq!(
            leaving.clone().withdraw(ada.clone(), UtcMillis(6)),
            Err(Refusal::OwnRequest(ada.clone()))
        );
        let kept = leaving.clone().keep(bob.clone(), UtcMillis(6)).unwrap();
        assert_eq!(kept.stage(), Stage::Live { from: UtcMillis(5), until: Some(UtcMillis(7)) });
        let withdrawn = leaving.withdraw(bob.clone(), UtcMillis(6)).unwrap();
        assert!(!withdrawn.in_force(UtcMillis(6)));
        assert!(withdrawn.clone().approve(bob, UtcMillis(7)).is_err());
        assert!(withdrawn.withdraw(ada, UtcMillis(7)).is_err());
    }

    #[test]
    fn whoever_has_written_a_part_cannot_approve_the_whole() {
        let (ada, bob, eve) = (who("ada"), who("bob"), who("eve"));
        let simulated = rule().simulate(&report(b"rule"), ada.clone(), UtcMillis(2)).unwrap();
        let redrafted = simulated.redraft(Digest::of(b"other"), bob.clone(), UtcMillis(3)).unwrap();
        assert_eq!(redrafted.clone().approve(eve.clone(), UtcMillis(4)), Err(Refusal::NotSimulated));
        assert!(redrafted.clone().simulate(&report(b"rule"), bob.clone(), UtcMillis(4)).is_err());
        let simulated = redrafted.simulate(&report(b"other"), bob.clone(), UtcMillis(4)).unwrap();
        for author in [ada, bob] {
            assert_eq!(
                simulated.clone().approve(author.clone(), UtcMillis(5)),
                Err(Refusal::SameEyes(author))
            );
        }
        let approved = simulated.approve(eve.clone(), UtcMillis(5)).unwrap();
        assert!(approved.redraft(Digest::of(b"third"), eve, UtcMillis(6)).is_err());
    }

    #[test]
    fn a_hit_is_downgraded_by_two_with_a_reason() {
        let matter = |from, to, why: &str| Matter::Downgrade { from, to, why: why.to_owned() };
        let draft = |matter| Dossier::draft(matter, Digest::of(b"assessment"), who("ada"), UtcMillis(1));
        let milder = draft(matter(Measure::Inspect, Measure::Documents, "another person")).unwrap();
        assert!(milder.clone().approve(who("ada"), UtcMillis(2)).is_err());
        assert_eq!(milder.approve(who("bob"), UtcMillis(2)).unwrap().stage(), Stage::Approved);
        assert_eq!(draft(matter(Measure::Inspect, Measure::Release, " ")), Err(Refusal::NoReason));
        assert!(matches!(
            draft(matter(Measure::Audit, Measure::Inspect, "x")),
            Err(Refusal::NotMilder { .. })
        ));
    }
}
