//! Names of Zenoh keys, in one place so that both ends and the access rules agree.

use crate::ids::{EdgeId, LaneId, SiteId};

/// Deltas, published as they are committed: one signed [`Delta`](crate::replicate::Delta) a sample.
pub fn deltas(site: &SiteId) -> String {
    format!("clearlane/{site}/deltas")
}

/// Queryable: the set. The payload says what the edge holds ([`Buckets::to_bytes`](crate::merkle::Buckets::to_bytes)) and
/// the answer is what differs; without a payload it is all of it. One reply a [`SnapshotPage`](crate::replicate::SnapshotPage).
pub fn snapshot(site: &SiteId) -> String {
    format!("clearlane/{site}/snapshot")
}

/// Queryable: deltas `from..=to` of the current epoch (selector parameters `from` and `to`, at most 1000).
pub fn range(site: &SiteId) -> String {
    format!("clearlane/{site}/range")
}

/// Queryable: the rotations of central's keys, oldest first. One reply a sealed
/// [`KeyRotation`](crate::replicate::KeyRotation).
pub fn keys(site: &SiteId) -> String {
    format!("clearlane/{site}/keys")
}

/// An officer's acceptance for one edge, published until it has followed: a signed
/// [`ForkAccepted`](crate::replicate::ForkAccepted).
pub fn accepted_forks(site: &SiteId, edge: &EdgeId) -> String {
    format!("clearlane/{site}/edges/{edge}/accepted")
}

/// Queryable: payload a signed [`LeaseRequest`](crate::replicate::LeaseRequest), reply a
/// [`LeaseGrant`](crate::replicate::LeaseGrant).
pub fn lease(site: &SiteId) -> String {
    format!("clearlane/{site}/lease")
}

/// Queryable: payload a signed [`PassageEvent`](crate::passage::PassageEvent). The reply comes after the commit;
/// its payload repeats the SHA-256 of the request (32 bytes).
pub fn passages(site: &SiteId) -> String {
    format!("clearlane/{site}/passages")
}

/// Queryable: payload a signed [`Evidence`](crate::passage::Evidence); replied to like [`passages`].
pub fn evidence(site: &SiteId) -> String {
    format!("clearlane/{site}/evidence")
}

/// Orders for one lane, published: one signed [`Order`](crate::order::Order) a sample.
pub fn orders(site: &SiteId, lane: &LaneId) -> String {
    format!("clearlane/{site}/lanes/{lane}/orders")
}

/// Telemetry of one lane, published: one signed [`LaneStatus`](crate::passage::LaneStatus) a sample.
pub fn status(site: &SiteId, lane: &LaneId) -> String {
    format!("clearlane/{site}/lanes/{lane}/status")
}

/// Live picture of one lane, published a few times a second: a JPEG. For people to watch; nothing is decided by it.
pub fn picture(site: &SiteId, lane: &LaneId) -> String {
    format!("clearlane/{site}/lanes/{lane}/picture")
}

/// Everything that an edge may ask central of its site.
pub fn queries(site: &SiteId) -> [String; 6] {
    [snapshot(site), range(site), lease(site), keys(site), passages(site), evidence(site)]
}

/// Officers' acceptances for every edge of a site.
pub fn all_accepted_forks(site: &SiteId) -> String {
    format!("clearlane/{site}/edges/*/accepted")
}

/// Orders for every lane of a site.
pub fn all_orders(site: &SiteId) -> String {
    format!("clearlane/{site}/lanes/*/orders")
}

/// Every lane's telemetry of a site.
pub fn all_status(site: &SiteId) -> String {
    format!("clearlane/{site}/lanes/*/status")
}

/// Every lane's picture of a site.
pub fn all_pictures(site: &SiteId) -> String {
    format!("clearlane/{site}/lanes/*/picture")
}

/// Every key of a site.
pub fn everything(site: &SiteId) -> String {
    format!("clearlane/{site}/**")
}
