//! Names of Zenoh keys, in one place so that both ends and the access rules agree.

use crate::ids::{LaneId, SiteId};

/// Deltas, published as they are committed: one signed [`Delta`](crate::replicate::Delta) a sample.
pub fn deltas(site: &SiteId) -> String {
    format!("clearlane/{site}/deltas")
}

/// Queryable: the whole set. One reply a [`SnapshotPage`](crate::replicate::SnapshotPage).
pub fn snapshot(site: &SiteId) -> String {
    format!("clearlane/{site}/snapshot")
}

/// Queryable: deltas `from..=to` of the current epoch (selector parameters `from` and `to`, at most 1000).
pub fn range(site: &SiteId) -> String {
    format!("clearlane/{site}/range")
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

/// Queryable: central's present and coming public keys, signed by the key that an edge knows.
pub fn keys(site: &SiteId) -> String {
    format!("clearlane/{site}/keys")
}

/// Queryable: digests of the buckets of a site's directives, to find where a cache differs.
pub fn buckets(site: &SiteId) -> String {
    format!("clearlane/{site}/buckets")
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
pub fn queries(site: &SiteId) -> [String; 7] {
    [snapshot(site), range(site), lease(site), keys(site), buckets(site), passages(site), evidence(site)]
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
