//! Passages, their steps and their pictures.

use std::collections::{BTreeMap, BTreeSet};

use clearance::decide::Signal;
use clearance::finding::Check;
use clearance::ids::{Digest, MovementId, PassageId};
use clearance::passage::{DecisionRecord, Outcome, PassageStep};
use futures::TryStreamExt as _;

use super::log::Said;
use super::{Checking, FROM_BACKUP, Stopped};

/// Steps of a passage that an edge had forgotten are numbered from here: they need not be dense.
const FOREIGN_STEP: i64 = 1 << 20;

const GAP: Check = Check::damage(
    "passage-gap",
    "a step of a passage is missing: its lane's disk failed when it happened, or a row was lost here",
    "the edge delivers it if it still has it (`edge fsck` says so); otherwise restore the row from a backup",
);
const UNREADABLE: Check =
    Check::damage("passage-unreadable", "what happened in a passage cannot be shown", FROM_BACKUP);
const FOLD: Check = Check::damage(
    "passage-differs",
    "the console shows another state of a passage than its steps say",
    "the steps count: compare with `GET /api/v1/passages/{id}` and correct the row of passages by hand",
);
const NOT_USED: Check = Check::damage(
    "release-not-used",
    "a truck was released on a directive that is still active: it could be released on it once more",
    "revoke the movement's action code now: `DELETE /api/v1/movements/{id}/action`",
);
const USED_WITHOUT: Check = Check::damage(
    "use-without-release",
    "the log says that a passage used a directive up, and that passage was neither released nor directed by it",
    "assign the movement its action code again if its truck has not passed",
);
const PICTURE: Check = Check::damage(
    "evidence",
    "a picture is not what the lane sent: it proves nothing",
    "restore the row from a backup; do not train with it",
);

/// What the steps of a passage add up to.
#[derive(Default)]
struct Folded {
    decision: Option<DecisionRecord>,
    signal: Option<Signal>,
    left_at: Option<i64>,
}

/// One step as it lies in the table.
type StepRow = (String, i64, i64, String);

impl Checking {
    pub(super) async fn passages(&mut self, said: &Said) -> Result<(), Stopped> {
        let mut folded: BTreeMap<String, Folded> = BTreeMap::new();
        let mut released: BTreeMap<PassageId, Option<MovementId>> = BTreeMap::new();
        let mut findings = Vec::new();
        let mut next = 0;
        let mut steps = 0;
        let mut rows = sqlx::query_as::<_, StepRow>(
            "SELECT passage, step, at, what FROM passage_events ORDER BY passage, step",
        )
        .fetch(&mut self.connection);
        while let Some((passage, step, at, what)) = rows.try_next().await? {
            steps += 1;
            let place = format!("passage_events {passage} step {step}");
            if !folded.contains_key(&passage) {
                next = 0;
            }
            let of = folded.entry(passage.clone()).or_default();
            if step < FOREIGN_STEP {
                if step != next {
                    findings.push(GAP.found(&place, format!("step {next} is not there")));
                }
                next = step + 1;
            }
            let Ok(id) = passage.parse::<PassageId>() else {
                findings.push(UNREADABLE.found(&place, "its passage is no id"));
                continue;
            };
            match serde_json::from_str(&what) {
                Err(error) => findings.push(UNREADABLE.found(&place, error)),
                Ok(PassageStep::Decided(record)) => {
                    // Sent to inspection by its directive, a vehicle has had it too.
                    let used = match record.outcome {
                        Outcome::Released => true,
                        Outcome::Directed(_) => record.movement.is_some(),
                        Outcome::Referred => false,
                    };
                    if used {
                        released.insert(id, record.movement.clone());
                    }
                    of.decision = Some(record);
                }
                Ok(PassageStep::Signalled { signal, .. }) => of.signal = Some(signal),
                Ok(PassageStep::Left) => of.left_at = Some(at),
                Ok(PassageStep::SignalFailed(_) | PassageStep::OrderRefused { .. }) => {}
            }
        }
        drop(rows);
        self.report.count("passage steps", steps);
        findings.into_iter().for_each(|finding| self.found(finding));
        self.releases(&released, said);
        self.rows_of_passages(folded).await
    }

    fn releases(&mut self, released: &BTreeMap<PassageId, Option<MovementId>>, said: &Said) {
        for (passage, movement) in released {
            let Some(movement) = movement else { continue };
            let active = said.movements.get(movement).is_some_and(|m| m.active);
            // A code that was assigned anew after the release may be used anew.
            if active && !said.used.contains(&(*passage, movement.clone())) {
                self.found(
                    NOT_USED.found(
                        format!("movements {movement}"),
                        format!("passage {passage} was decided by it"),
                    ),
                );
            }
        }
        for (passage, movement) in &said.used {
            if !released.contains_key(passage) {
                self.found(
                    USED_WITHOUT
                        .found(format!("log, movement {movement}"), format!("used by passage {passage}")),
                );
            }
        }
    }

    async fn rows_of_passages(&mut self, mut folded: BTreeMap<String, Folded>) -> Result<(), Stopped> {
        type Row =
            (String, String, String, Option<String>, Option<String>, Option<i64>, i64, i64, Option<i64>);
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT id, site, lane, decision, signal, left_at, waiting, changed, frame_to_signal_us FROM passages",
        )
        .fetch_all(&mut self.connection)
        .await?;
        self.report.count("passages", rows.len() as u64);
        let mut positions = BTreeSet::new();
        for (id, site, lane, decision, signal, left_at, waiting, changed, took) in rows {
            let place = format!("passages {id}");
            let Some(steps) = folded.remove(&id) else {
                self.found(FOLD.found(place, "it has no steps"));
                continue;
            };
            let decision: Option<DecisionRecord> = decision.and_then(|d| serde_json::from_str(&d).ok());
            let signal: Option<Signal> = signal.and_then(|s| serde_json::from_value(s.into()).ok());
            let mut wrong = Vec::new();
            let mut differs = |what: &'static str, is: bool| wrong.extend(is.then_some(what));
            differs("its decision is not that of its last decided step", decision != steps.decision);
            differs("its signal is not that of its last signalled step", signal != steps.signal);
            differs("when it left is not when its step says", left_at != steps.left_at);
            differs("waiting is neither 0 nor 1", !matches!(waiting, 0 | 1));
            differs("its place in the feed is not its own", changed <= 0 || !positions.insert(changed));
            differs("the time from frame to signal is negative", took.is_some_and(|us| us < 0));
            let named = site.parse::<clearance::ids::SiteId>().is_ok()
                && lane.parse::<clearance::ids::LaneId>().is_ok();
            differs("its site or lane is no name", !named);
            wrong.into_iter().for_each(|what| self.found(FOLD.found(&place, what)));
        }
        for id in folded.into_keys() {
            self.found(FOLD.found(format!("passages {id}"), "it has steps and no row: nobody sees it"));
        }
        Ok(())
    }

    pub(super) async fn pictures(&mut self) -> Result<(), Stopped> {
        let mut findings = Vec::new();
        let mut count = 0;
        let mut rows = sqlx::query_as::<_, (String, String, String, Vec<u8>)>(
            "SELECT digest, passage, kind, jpeg FROM evidence",
        )
        .fetch(&mut self.connection);
        while let Some((digest, passage, kind, jpeg)) = rows.try_next().await? {
            count += 1;
            let place = format!("evidence {digest}");
            let own = Digest::of(&jpeg).to_string();
            if own != digest {
                findings.push(PICTURE.found(&place, format!("its bytes have the digest {own}")));
            }
            if passage.parse::<PassageId>().is_err() || !matches!(kind.as_str(), "Crop" | "Picture") {
                findings.push(PICTURE.found(&place, format!("passage {passage:?}, kind {kind:?}")));
            }
        }
        drop(rows);
        self.report.count("pictures", count);
        findings.into_iter().for_each(|finding| self.found(finding));
        Ok(())
    }
}
