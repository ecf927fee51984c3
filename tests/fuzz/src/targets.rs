//! The fuzz targets: each takes arbitrary bytes to one decoder and must neither panic nor take more from the heap than
//! its input allows. The fuzzer runs them here; the product's own tests replay the kept corpora through the same code.

use std::marker::PhantomData;
use std::time::Duration;

use central::trade::batch::Format;
use clearance::follower::{Event, Follower, Found};
use clearance::ids::{Digest, Epoch, Nonce, Revision};
use clearance::mark::RegistrationMark;
use clearance::merkle::{BucketSet, Buckets};
use clearance::order::Order;
use clearance::passage::{Evidence, LaneStatus, PassageEvent};
use clearance::replicate::{Delta, ForkAccepted, Head, KeyRotation, LeaseGrant, LeaseRequest, SnapshotPage};
use clearance::wire::{Record, RecordKind, Signer, TrustStore, Verified};

/// One decoder.
pub(crate) struct Target {
    /// How the corpus is named.
    pub(crate) name: &'static str,
    /// Feeds it.
    pub(crate) run: fn(&[u8]),
    /// Bytes of heap that it may hold at once for each byte of input, beside [`AT_REST`].
    pub(crate) heap: u64,
}

/// Heap that any input may cost: error messages, the first growth of a vector, keys.
pub(crate) const AT_REST: u64 = 128 * 1024;

impl Target {
    /// Feed it, and say by how much it took too much from the heap.
    pub(crate) fn feed(&self, bytes: &[u8]) -> Result<u64, String> {
        let taken = allocation_counter::measure(|| (self.run)(bytes)).bytes_max;
        let limit = AT_REST + self.heap * bytes.len() as u64;
        if taken <= limit {
            return Ok(taken);
        }
        Err(format!("{}: {taken} bytes of heap for {} of input, {limit} allowed", self.name, bytes.len()))
    }
}

/// A directive of seven bytes on the wire is some 250 in memory, and a vector that grows is there twice.
const RECORD: u64 = 128;
/// A parsed TOML or JSON value is larger than the two characters it may be made of.
const TEXT: u64 = 512;

/// A row of a file may be a few characters, and is a consignment in memory; it is written and read again, too.
const FILE: u64 = 1024;
/// What is deflated may be a thousandth of what it was.
const ARCHIVE: u64 = 16 * 1024;

/// Every target.
pub(crate) const TARGETS: [Target; 25] = [
    Target { name: "record_delta", run: record::<Delta>, heap: RECORD },
    Target { name: "record_snapshot_page", run: record::<SnapshotPage>, heap: RECORD },
    Target { name: "record_lease_request", run: record::<LeaseRequest>, heap: RECORD },
    Target { name: "record_lease_grant", run: record::<LeaseGrant>, heap: RECORD },
    Target { name: "record_order", run: record::<Order>, heap: RECORD },
    Target { name: "record_passage_event", run: record::<PassageEvent>, heap: RECORD },
    Target { name: "record_evidence", run: record::<Evidence>, heap: RECORD },
    Target { name: "record_lane_status", run: record::<LaneStatus>, heap: RECORD },
    Target { name: "record_key_rotation", run: record::<KeyRotation>, heap: RECORD },
    Target { name: "record_fork_accepted", run: record::<ForkAccepted>, heap: RECORD },
    Target { name: "bucket_sums", run: sums, heap: 32 },
    Target { name: "follower", run: follower, heap: TEXT },
    Target { name: "mark", run: mark, heap: 32 },
    Target { name: "outbox_segment", run: edge::fuzzing::segment, heap: RECORD },
    Target { name: "outbox_entry", run: edge::fuzzing::framed, heap: RECORD },
    Target { name: "floor", run: edge::fuzzing::floor, heap: 8 },
    Target { name: "cache_value", run: edge::fuzzing::cache_value, heap: 32 },
    Target { name: "picture", run: edge::fuzzing::picture, heap: 8 },
    Target { name: "configuration", run: configuration, heap: TEXT },
    Target { name: "api", run: api, heap: TEXT },
    Target { name: "batch_csv", run: |bytes| central::fuzzing::batch(Format::Csv, bytes), heap: FILE },
    Target { name: "batch_xlsx", run: |bytes| central::fuzzing::batch(Format::Xlsx, bytes), heap: ARCHIVE },
    Target { name: "batch_xml", run: |bytes| central::fuzzing::batch(Format::Xml, bytes), heap: FILE },
    Target { name: "csr", run: central::fuzzing::csr, heap: 32 },
    Target { name: "jws", run: central::fuzzing::jws, heap: TEXT },
];

fn signer() -> Signer {
    Signer::from_secret(&[7; 32])
}

fn trust() -> TrustStore {
    let all = [RecordKind::CENTRAL.as_slice(), &RecordKind::EDGE].concat();
    TrustStore::new().trusting(signer().public(), &all)
}

/// Bytes that are signed as a `T` whatever they are.
struct Raw<'a, T>(&'a [u8], PhantomData<T>);

impl<C, T> minicbor::Encode<C> for Raw<'_, T> {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.writer_mut().write_all(self.0).map_err(minicbor::encode::Error::write)
    }
}

impl<'b, C, T> minicbor::Decode<'b, C> for Raw<'_, T> {
    fn decode(_: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        Err(minicbor::decode::Error::message("only ever encoded"))
    }
}

impl<T: Record> Record for Raw<'_, T> {
    const KIND: RecordKind = T::KIND;
}

/// The record whose signed payload is `payload`.
fn signed<T: Record>(payload: &[u8]) -> Option<Verified<T>> {
    trust().open(&signer().seal(&Raw::<T>(payload, PhantomData)).0).ok()
}

/// As an envelope from the network, and as a payload that was signed: only then is the record's own decoder reached.
fn record<T: Record>(bytes: &[u8]) {
    let _ = trust().open::<T>(bytes);
    let Some(record) = signed::<T>(bytes) else { return };
    let again = signer().seal(record.record()).0;
    let reopened = trust().open::<T>(&again).map(|same| signer().seal(same.record()).0);
    assert_eq!(reopened, Ok(again), "a record that was taken is sent on as it is");
}

/// A text as a mark, and a mark as people write it.
fn mark(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(mark) = text.parse::<RegistrationMark>() {
        assert_eq!(mark.as_str().parse().as_ref(), Ok(&mark), "the canonical spelling is one");
        assert_eq!(mark.spaced().parse().as_ref(), Ok(&mark), "and so is the spaced one");
        let _ = mark.jurisdiction();
    }
}

fn configuration(bytes: &[u8]) {
    edge::fuzzing::configuration(bytes);
    central::fuzzing::configuration(bytes);
}

fn api(bytes: &[u8]) {
    central::fuzzing::body(bytes);
    central::fuzzing::names(bytes);
}

/// What an edge says that it holds.
fn sums(bytes: &[u8]) {
    if let Some(sums) = Buckets::from_bytes(bytes) {
        assert_eq!(sums.to_bytes(), bytes, "they are sent on as they are");
        let _ = sums.differing(&Buckets::default());
    }
}

/// A life of a follower: two bytes make an event, some take a payload along.
fn follower(bytes: &[u8]) {
    let name = |text: &str| text.parse().expect("a name");
    let site = "s".parse().expect("a name");
    let mut follower = Follower::new(site, name("e"), Found::default());
    let mut now = Duration::ZERO;
    let mut rest = bytes;
    while let Some(([kind, argument], after)) = rest.split_first_chunk::<2>() {
        now += Duration::from_millis(u64::from(*argument) * 97);
        let (payload, left) = match kind % 14 {
            8..=10 => after.split_at(after.len().min(usize::from(*argument))),
            _ => (&[][..], after),
        };
        rest = left;
        let event = match kind % 14 {
            0 => Some(Event::Connected),
            1 => Some(Event::Disconnected),
            2 => Some(Event::RangeEnd),
            3 => Some(Event::SnapshotEnd),
            4 => Some(Event::StoreFault),
            5 => Some(Event::LeaseAsked(Nonce([*argument; 16]))),
            6 | 7 => delta(&follower, *argument),
            8 => signed(payload).map(Event::DeltaReceived),
            9 => signed(payload).map(Event::SnapshotPage),
            10 => signed(payload).map(Event::LeaseGranted),
            11 => page(&follower, *argument),
            12 => grant(&follower, *argument),
            _ => Some(Event::Tick),
        };
        if let Some(event) = event {
            let before = follower.head();
            follower.step(now, event);
            let after = follower.head();
            let fell = (after.epoch, after.revision) < (before.epoch, before.revision);
            assert!(!fell || after == Head::default(), "from {before:?} to {after:?}");
        }
    }
}

/// A delta that follows, or nearly.
fn delta(follower: &Follower, argument: u8) -> Option<Event> {
    let head = follower.head();
    let revision = match argument % 5 {
        0 => head.revision.0,
        1 => u64::MAX,
        2 => head.revision.0.saturating_add(2),
        _ => head.revision.0.saturating_add(1),
    };
    let delta = Delta {
        site: "s".parse().ok()?,
        epoch: if argument & 0x40 == 0 { head.epoch } else { Epoch(2) },
        revision: Revision(revision),
        prev_hash: if argument & 0x80 == 0 { head.hash } else { Digest::default() },
        ops: Vec::new(),
    };
    trust().open(&signer().seal(&delta).0).ok().map(Event::DeltaReceived)
}

/// An epoch and a revision about where the follower is, or at the end of their range.
fn about(follower: &Follower, argument: u8) -> (Epoch, Revision) {
    let head = follower.head();
    let epoch = [head.epoch.0, 1, 2, u64::MAX][usize::from(argument & 3)];
    let revision = [head.revision.0, head.revision.0.saturating_add(3), u64::MAX - 2, u64::MAX];
    (Epoch(epoch), Revision(revision[usize::from(argument >> 2 & 3)]))
}

/// A snapshot of nothing, whole or a part.
fn page(follower: &Follower, argument: u8) -> Option<Event> {
    let (epoch, revision) = about(follower, argument);
    let page = SnapshotPage {
        site: "s".parse().ok()?,
        epoch,
        revision,
        head_hash: if argument & 0x80 == 0 { follower.head().hash } else { Digest([argument; 32]) },
        page: 0,
        pages: [1, 2, u32::MAX, 0][usize::from(argument >> 4 & 3)],
        entries: Vec::new(),
        before: if argument & 0x40 == 0 { vec![] } else { vec![Head { revision, ..follower.head() }] },
        root: Buckets::default().root(),
        buckets: if argument & 0x08 == 0 { BucketSet::ALL } else { BucketSet::NONE },
    };
    trust().open(&signer().seal(&page).0).ok().map(Event::SnapshotPage)
}

/// A grant for one of the nonces that were asked with.
fn grant(follower: &Follower, argument: u8) -> Option<Event> {
    let (epoch, revision) = about(follower, argument);
    let grant = LeaseGrant {
        site: "s".parse().ok()?,
        edge: "e".parse().ok()?,
        epoch,
        revision,
        head_hash: follower.head().hash,
        nonce: Nonce([argument & 0xf0; 16]),
        ttl_ms: if argument & 0x40 == 0 { 60_000 } else { u64::MAX },
        root: Buckets::default().root(),
    };
    trust().open(&signer().seal(&grant).0).ok().map(Event::LeaseGranted)
}
