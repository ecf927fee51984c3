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

/// Why the lanes do not release by themselves.
fn why(replica: &ReplicaStatus) -> Option<String> {
    Some(match replica.state {
        ReplicaState::Live => return None,
        ReplicaState::Quarantined(why) => {
            format!("{why}; an officer accepts central's history in the console")
        }
        _ if !replica.connected => "central cannot be reached".to_owned(),
        ReplicaState::Empty | ReplicaState::Bootstrapping => "the directives are being fetched".to_owned(),
        ReplicaState::Stale if replica.lag > 0 => format!("{} changes are still to come", replica.lag),
        ReplicaState::Stale => "central has not vouched for the directives yet".to_owned(),
    })
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
    /// Why it is not live, in a person's words.
    pub why: Option<String>,
    /// Revisions that central is known to be ahead.
    pub lag: u64,
    /// The last comparison of the whole set with central's.
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

    /// For people.
    pub fn table(&self) -> String {
        let lease = match self.lease_left_ms {
            0 => "none: nothing is released without an officer".to_owned(),
            left => format!("{} s", left / 1000),
        };
        let mut out = format!(
            "{} {}\n  central   {}\n  cache     {}{} (epoch {}, revision {}, {} behind)\n  compared  {}\n  lease     {lease}\n  waiting   {} steps, {} pictures\n",
            self.site,
            self.edge,
            if self.connected { "connected" } else { "not reachable" },
            self.replica,
            self.why.as_ref().map_or_else(String::new, |why| format!(": {why}")),
            self.epoch,
            self.revision,
            self.lag,
            self.audit.map_or_else(
                || "not yet".to_owned(),
                |audit| format!(
                    "{} s ago at revision {}: {}",
                    audit.seconds_ago,
                    audit.revision,
                    if audit.same { "the same as central" } else { "it differed and is mended" }
                )
            ),
            self.outbox,
            self.pictures,
        );
        for lane in &self.lanes {
            let reading = lane.reading.as_deref().unwrap_or("-");
            let _ = writeln!(
                out,
                "  {:<12} {:<10} signal {:<15} reads {reading:<10} {:>5.1} frames/s",
                lane.lane.to_string(),
                format!("{:?}", lane.phase).to_lowercase(),
                format!("{:?}", lane.signal).to_lowercase(),
                lane.frames_per_second
            );
            if let Some(fault) = lane.fault {
                let _ = writeln!(out, "    HOLD: {fault:?}");
            }
            for trouble in &lane.trouble {
                let _ = writeln!(out, "    {trouble}");
            }
        }
        out
    }
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
