//! What every handler shares.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use clearance::ids::{EdgeId, LaneId, PassageId, SiteId};
use clearance::passage::LaneStatus;
use tokio::sync::broadcast;

use crate::api::RateLimits;
use crate::ca::ClientAuthority;
use crate::clock::Clock;
use crate::messages::{Channels, Outlets};
use crate::operations::Operations;
use crate::portal::Portal;
use crate::screening::Watched;
use crate::secrets::Vault;
use crate::storage::Store;

/// Something a person may want to see at once.
#[derive(Clone, Debug)]
pub enum CentralEvent {
    /// A lane told how it is.
    Lane(SiteId, LaneId),
    /// A passage changed.
    Passage(PassageId),
    /// Something was declared, decided, taken up or inspected.
    Declared,
}

/// A sealed order on its way to a lane.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// Where.
    pub site: SiteId,
    /// Which lane.
    pub lane: LaneId,
    /// The signed envelope.
    pub sealed: Vec<u8>,
}

/// What a lane sends, as far as it can be refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LaneRecord {
    /// It asks to be vouched for.
    LeaseRequest,
    /// A step of a passage.
    Passage,
    /// A picture of a passage.
    Picture,
    /// How it is.
    Status,
    /// A connection: no certificate, or one that is not believed.
    Connection,
    /// Something that the access rules do not allow.
    Access,
}

/// What is known of the lanes now; lost at a restart, for they tell again within a second.
#[derive(Debug, Default)]
pub struct Lanes {
    /// Last telemetry of each lane, and when it arrived (milliseconds since 1970).
    pub status: BTreeMap<(SiteId, LaneId), (LaneStatus, i64)>,
    /// Last live picture of each lane.
    pub pictures: BTreeMap<(SiteId, LaneId), Arc<Vec<u8>>>,
    /// What was refused, and why, latest last, at most ten of each kind.
    pub refused: Vec<(LaneRecord, String)>,
    /// Edges that may do nothing, as the configuration last said.
    pub revoked: BTreeSet<EdgeId>,
}

/// Shared state.
#[derive(Clone)]
pub struct AppState {
    /// What is kept.
    pub store: Store,
    /// What the trade and customs do with declarations.
    pub operations: Operations,
    /// Time.
    pub clock: Clock,
    /// Lanes now.
    pub lanes: Arc<RwLock<Lanes>>,
    /// News for the console.
    pub events: broadcast::Sender<CentralEvent>,
    /// Orders for the lanes.
    pub orders: broadcast::Sender<Outgoing>,
    /// Folder of corrections.
    pub examples: PathBuf,
    /// Terms they may be used under.
    pub examples_licence: Arc<str>,
    /// How much each client may ask.
    pub rate_limits: Arc<RateLimits>,
    /// What the portal's pages share.
    pub portal: Arc<Portal>,
    /// Opens secrets that lie sealed in the database.
    pub vault: Vault,
    /// The ways by which news leaves.
    pub channels: Arc<Channels>,
    /// What companies do about how they are told.
    pub outlets: Outlets,
    /// What is known of the risk model's work of late; none before it was looked for.
    pub(crate) watched: Arc<RwLock<Option<Watched>>>,
    /// Issues certificates to the trade's systems; none where they have no port.
    pub client_authority: Option<Arc<ClientAuthority>>,
}

impl AppState {
    /// The lanes, to read.
    pub fn lanes(&self) -> std::sync::RwLockReadGuard<'_, Lanes> {
        self.lanes.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known of the risk model's work of late.
    pub(crate) fn watched(&self) -> Option<Watched> {
        self.watched.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The lanes, to change.
    pub fn lanes_mut(&self) -> std::sync::RwLockWriteGuard<'_, Lanes> {
        self.lanes.write().unwrap_or_else(PoisonError::into_inner)
    }
}
