//! How the node is, for people on the spot: a small file, written anew every second, that `edge status` prints.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use clearance::decide::{LaneFault, Signal};
use clearance::ids::{EdgeId, LaneId, PassageId, SiteId, UtcMillis};
use clearance::passage::LanePhase;
use serde::{Deserialize, Serialize};

use super::Shared;
use crate::clock::utc_now;
use crate::link::{ReplicaState, ReplicaStatus};

/// Older than this, whoever wrote it does not run.
const FRESH_MS: i64 = 5_000;

/// One lane now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LaneLine {
    /// Its name.
    pub lane: LaneId,
    /// Where it is.
    pub phase: LanePhase,
    /// What holds it.
    pub fault: Option<LaneFault>,
    /// In a person's words, what is wrong with its cameras or the recogniser.
    pub trouble: Vec<String>,
    /// The vehicle in front of the gate.
    pub passage: Option<PassageId>,
    /// The likeliest mark of it.
    pub reading: Option<String>,
    /// What is shown.
    pub signal: Signal,
    /// Pictures read a second.
    pub frames_per_second: f32,
}

/// A comparison of the whole set with central's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditLine {
    /// How long ago.
    pub seconds_ago: u64,
    /// At which revision.
    pub revision: u64,
    /// Whether the sets were the same.
    pub same: bool,
}

/// The node now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NodeStatus {
    /// When.
    pub at: UtcMillis,
    /// Process.
    pub pid: u32,
    /// The control point.
    pub site: SiteId,
    /// The node.
    pub edge: EdgeId,
    /// Whether central can be reached.
    pub connected: bool,
    /// `live`, `stale`, …
    pub replica: String,
    /// Why the lanes release nothing by themselves, in a person's words; `None` while they may.
    #[serde(default)]
    pub why: Option<String>,
    /// Why there is no link to central, or nobody there to believe, as far as
    /// Zenoh says; empty while the link is up and the lanes may release.
    #[serde(default)]
    pub refused: Vec<String>,
    /// Revisions that central is known to be ahead.
    #[serde(default)]
    pub lag: u64,
    /// The last comparison of the whole set with central's.
    #[serde(default)]
    pub audit: Option<AuditLine>,
    /// Epoch of the cache.
    pub epoch: u64,
    /// Revision of the cache.
    pub revision: u64,
    /// Milliseconds for which the lanes may still release without hearing from central.
    pub lease_left_ms: u64,
    /// Passage steps that wait for central.
    pub outbox: usize,
    /// Pictures that wait for central.
    pub pictures: usize,
    /// Camera pipelines that did not end in time.
    pub hung_teardowns: u32,
    /// The lanes.
    pub lanes: Vec<LaneLine>,
}

impl NodeStatus {
    fn of(shared: &Shared) -> Self {
        let replica = shared.replica.borrow().clone();
        let mut lanes: Vec<LaneLine> = shared.lanes.borrow().values().cloned().collect();
        lanes.sort_by(|a, b| a.lane.cmp(&b.lane));
        Self {
            at: utc_now(),
            pid: std::process::id(),
            site: shared.config.site.clone(),
            edge: shared.config.edge.clone(),
            connected: replica.connected,
            lease_left_ms: replica.lease_left().as_millis() as u64,
            replica: replica.state.name().to_owned(),
            why: why(&replica),
            refused: if replica.connected && !replica.lease_left().is_zero() {
                Vec::new()
            } else {
                shared.refusals.lately()
            },
            lag: replica.lag,
            audit: replica.audited.map(|audit| AuditLine {
                seconds_ago: audit.at.elapsed().as_secs(),
                revision: audit.revision.0,
                same: audit.same,
            }),
            epoch: replica.head.epoch.0,
            revision: replica.head.revision.0,
            outbox: shared.outbox.depth(),
            pictures: shared.evidence.depth(),
            hung_teardowns: crate::camera::hung_teardowns(),
            lanes,
        }
    }

    /// Read what the running node last wrote.
    pub fn load(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            anyhow::anyhow!("{}: {error}; is `edge run` running with this configuration?", path.display())
        })?;
        Ok(serde_json::from_str(&text)?)
    }

    /// Whether whoever wrote it still runs.
    pub fn is_fresh(&self, now: UtcMillis) -> bool {
        (0..FRESH_MS).contains(&(now.0 - self.at.0))
    }

    /// For people, as it is at `now`.
    pub fn table(&self, now: UtcMillis) -> String {
        let lease = match self.lease_left_ms {
            0 => "none: nothing is released without an officer".to_owned(),
            left => format!("{} s", left / 1000),
        };
        let lag = if self.lag == 0 { String::new() } else { format!(", {} behind central", self.lag) };
        let compared = self.audit.map_or_else(
            || "not yet".to_owned(),
            |audit| {
                let since = audit.seconds_ago + (now.0 - self.at.0).max(0) as u64 / 1000;
                let found =
                    if audit.same { "the same as central" } else { "it differed, and is being mended" };
                format!("{since} s ago at revision {}: {found}", audit.revision)
            },
        );
        let mut out = format!(
            "{} {}\n  central   {}\n  cache     {} (epoch {}, revision {}{lag})\n",
            self.site,
            self.edge,
            if self.connected { "connected" } else { "not reachable" },
            self.replica,
            self.epoch,
            self.revision,
        );
        if let Some(why) = &self.why {
            let _ = writeln!(out, "    {why}");
        }
        for cause in &self.refused {
            let _ = writeln!(out, "    no link: {cause}");
        }
        let _ = writeln!(out, "  compared  {compared}\n  lease     {lease}");
        let _ = writeln!(out, "  waiting   {} steps, {} pictures", self.outbox, self.pictures);
        for lane in &self.lanes {
            lane.write(&mut out);
        }
        out
    }
}

impl LaneLine {
    fn write(&self, out: &mut String) {
        let reading = self.reading.as_deref().unwrap_or("-");
        let _ = writeln!(
            out,
            "  {:<12} {:<10} signal {:<15} reads {reading:<10} {:>5.1} frames/s",
            self.lane.to_string(),
            format!("{:?}", self.phase).to_lowercase(),
            format!("{:?}", self.signal).to_lowercase(),
            self.frames_per_second
        );
        if let Some(fault) = self.fault {
            let _ = writeln!(out, "    HOLD: {}", words(fault));
        }
        for trouble in &self.trouble {
            let _ = writeln!(out, "    {trouble}");
        }
    }
}

fn words(fault: LaneFault) -> &'static str {
    match fault {
        LaneFault::PictureMissing => "a camera gives no picture",
        LaneFault::PictureFrozen => "a camera's picture does not change",
        LaneFault::RecogniserDown => "the recogniser does not answer or has not proved itself",
        LaneFault::GateUnreachable => "the gate's module does not answer",
        LaneFault::GateFault => "the gate reports a fault of its own",
        LaneFault::ManualKey => "an officer works the gate with the manual key",
        LaneFault::OutboxFull => "passages cannot be made durable: the disk is full or failing",
        LaneFault::CacheFault => "the directive cache cannot be read; it is being fetched anew",
    }
}

/// Why nothing is released by the lanes themselves.
fn why(replica: &ReplicaStatus) -> Option<String> {
    if !replica.lease_left().is_zero() {
        return None;
    }
    let reached = replica.connected;
    Some(match replica.state {
        ReplicaState::Quarantined(why) => {
            format!("{why}; an officer has to look into it and accept central's history in the console")
        }
        _ if !reached => "central is not reachable, and the lease of what is held here is over".to_owned(),
        ReplicaState::Empty => "nothing was received from central yet".to_owned(),
        ReplicaState::Bootstrapping => "the set, or what differs, is being fetched from central".to_owned(),
        ReplicaState::Live | ReplicaState::Stale if replica.lag > 0 => {
            format!("{} revisions are missing and being fetched", replica.lag)
        }
        ReplicaState::Live | ReplicaState::Stale => {
            "central has not vouched for what is held here".to_owned()
        }
    })
}

/// Write the file every second, for ever.
pub(super) async fn keep(shared: Arc<Shared>) {
    let path = shared.config.status_file();
    let beside = path.with_added_extension("partial");
    let mut tick = tokio::time::interval(Duration::from_secs(1));
    loop {
        tick.tick().await;
        let Ok(text) = serde_json::to_string_pretty(&NodeStatus::of(&shared)) else { continue };
        let written = async {
            tokio::fs::write(&beside, text).await?;
            tokio::fs::rename(&beside, &path).await
        };
        if let Err(error) = written.await {
            tracing::debug!(path = %path.display(), %error, "status not written");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use clearance::follower::Quarantine;
    use clearance::ids::Revision;

    use super::*;

    fn replica(state: ReplicaState, connected: bool) -> ReplicaStatus {
        ReplicaStatus { state, connected, ..ReplicaStatus::default() }
    }

    #[test]
    fn it_says_in_words_why_nothing_is_released() {
        let live = ReplicaStatus {
            lease_until: Some(Instant::now() + Duration::from_mins(1)),
            ..replica(ReplicaState::Live, true)
        };
        assert_eq!(why(&live), None);
        for (state, connected, word) in [
            (ReplicaState::Empty, false, "not reachable"),
            (ReplicaState::Empty, true, "nothing was received"),
            (ReplicaState::Bootstrapping, true, "being fetched"),
            (ReplicaState::Stale, true, "not vouched"),
            (ReplicaState::Stale, false, "not reachable"),
            (ReplicaState::Quarantined(Quarantine::Fork(Revision(7))), true, "revision 7"),
        ] {
            let said = why(&replica(state, connected)).unwrap();
            assert!(said.contains(word), "{state:?} {connected}: {said}");
        }
        let behind = ReplicaStatus { lag: 3, ..replica(ReplicaState::Stale, true) };
        assert!(why(&behind).unwrap().contains("3 revisions"));
    }

    #[test]
    fn a_file_of_an_older_version_is_still_read() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("status.json");
        let text = r#"{"at":1,"pid":2,"site":"site","edge":"edge","connected":true,"replica":"live","epoch":1,
            "revision":7,"lease_left_ms":0,"outbox":3,"pictures":4,"hung_teardowns":0,"lanes":[{"lane":"lane-1",
            "phase":"hold","fault":"gate_unreachable","trouble":[],"passage":null,"reading":null,"signal":"wait",
            "frames_per_second":12.0}]}"#;
        std::fs::write(&path, text).unwrap();
        let mut status = NodeStatus::load(&path).unwrap();
        assert_eq!((status.lag, status.audit, status.is_fresh(UtcMillis(10_000))), (0, None, false));
        status.lag = 2;
        status.refused = vec!["invalid peer certificate".to_owned()];
        status.audit = Some(AuditLine { seconds_ago: 3, revision: 6, same: true });
        let table = status.table(UtcMillis(9_001));
        for part in [
            "revision 7, 2 behind",
            "compared  12 s ago at revision 6: the same",
            "3 steps, 4 pictures",
            "no link: invalid peer certificate",
            "gate's module does not answer",
        ] {
            assert!(table.contains(part), "{part}: {table}");
        }
        let missing = NodeStatus::load(&folder.path().join("none.json")).unwrap_err().to_string();
        assert!(missing.contains("is `edge run` running"), "{missing}");
    }
}
