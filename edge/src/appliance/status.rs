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
use crate::link::ReplicaStatus;

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
    /// Epoch of the cache.
    pub epoch: u64,
    /// Revision of the cache.
    pub revision: u64,
    /// Revisions behind what central last vouched for, where that is known.
    #[serde(default)]
    pub lag: Option<u64>,
    /// When the cache was last compared with central's set.
    #[serde(default)]
    pub last_audit: Option<UtcMillis>,
    /// Why the lanes release nothing by themselves, in a person's words; `None` while they may.
    #[serde(default)]
    pub why: Option<String>,
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
            lag: replica.lag,
            last_audit: replica.last_audit,
            why: why(&replica),
            lease_left_ms: replica.lease_left().as_millis() as u64,
            replica: replica.state,
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
        let lag = match self.lag {
            None => String::new(),
            Some(0) => ", as central last vouched for".to_owned(),
            Some(lag) => format!(", {lag} behind what central last vouched for"),
        };
        let compared = match self.last_audit {
            None => "not yet".to_owned(),
            Some(at) => format!("{} s ago", (now.0 - at.0).max(0) / 1000),
        };
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
    Some(match replica.state.as_str() {
        "" | "empty" if reached => "nothing was received from central yet".to_owned(),
        "bootstrapping" if reached => "the whole set is being fetched from central".to_owned(),
        "live" | "stale" if reached => match replica.lag {
            Some(lag) if lag > 0 => format!("{lag} revisions are missing and being fetched"),
            _ => "central has not vouched for what is held here".to_owned(),
        },
        state => match state.split_once(": ") {
            Some(("quarantined", why)) => {
                format!("{why}; a person has to look into it, then start the node again")
            }
            _ => "central is not reachable, and the lease of what is held here is over".to_owned(),
        },
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

    use super::*;

    fn replica(state: &str, connected: bool) -> ReplicaStatus {
        ReplicaStatus { state: state.to_owned(), connected, ..ReplicaStatus::default() }
    }

    #[test]
    fn it_says_in_words_why_nothing_is_released() {
        let live = ReplicaStatus {
            lease_until: Some(Instant::now() + Duration::from_mins(1)),
            ..replica("live", true)
        };
        assert_eq!(why(&live), None);
        for (state, connected, word) in [
            ("", false, "not reachable"),
            ("empty", true, "nothing was received"),
            ("bootstrapping", true, "being fetched"),
            ("stale", true, "not vouched"),
            ("stale", false, "not reachable"),
            ("quarantined: two histories", true, "two histories"),
        ] {
            let said = why(&replica(state, connected)).unwrap();
            assert!(said.contains(word), "{state} {connected}: {said}");
        }
        let behind = ReplicaStatus { lag: Some(3), ..replica("stale", true) };
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
        assert_eq!((status.lag, status.last_audit, status.is_fresh(UtcMillis(10_000))), (None, None, false));
        (status.lag, status.last_audit) = (Some(2), Some(UtcMillis(1)));
        let table = status.table(UtcMillis(9_001));
        for part in [
            "revision 7, 2 behind",
            "compared  9 s ago",
            "3 steps, 4 pictures",
            "gate's module does not answer",
        ] {
            assert!(table.contains(part), "{part}: {table}");
        }
        let missing = NodeStatus::load(&folder.path().join("none.json")).unwrap_err().to_string();
        assert!(missing.contains("is `edge run` running"), "{missing}");
    }
}
