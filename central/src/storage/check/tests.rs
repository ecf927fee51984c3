//! Each thing that can be wrong with a database is done to one that central wrote, and found.

use std::sync::Arc;

use clearance::decide::{Reason, Signal};
use clearance::directive::{ActionCode, Window};
use clearance::ids::{Digest, Epoch, Nonce, PassageId, Revision, SiteId, UtcMillis};
use clearance::order::Verdict;
use clearance::passage::{
    DecisionRecord, Evidence, EvidenceKind, OrderRef, Outcome, PassageEvent, PassageStep,
};
use clearance::transport::requested_key;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};
use tempfile::TempDir;

use super::*;
use crate::clock::Clock;
use crate::operations::{Bundling, Operations};
use crate::storage::{IssueClient, NewOrder, Noted, OrderReason, Proof, Store};
use crate::systems::CodeHash;
use crate::trade::{Caller, Consignment, Load, Place, Vehicle};

const AT: UtcMillis = UtcMillis(1_700_000_000_000);

fn signer() -> Signer {
    Signer::from_secret(&[4; 32])
}

fn event(passage: u8, step: u32, what: PassageStep) -> PassageEvent {
    PassageEvent {
        site: "site".parse().unwrap(),
        lane: "lane".parse().unwrap(),
        edge: "edge".parse().unwrap(),
        passage: PassageId([passage; 16]),
        step,
        at: AT,
        what,
    }
}

fn decided(outcome: Outcome, movement: Option<&str>, order: Option<Nonce>) -> PassageStep {
    PassageStep::Decided(DecisionRecord {
        outcome,
        reason: Reason::Directive,
        movement: movement.map(|m| m.parse().unwrap()),
        order: order.map(|nonce| OrderRef { officer: "chan".parse().unwrap(), nonce }),
        plates: Vec::new(),
        epoch: Epoch(1),
        revision: Revision(1),
        model: Digest([0; 32]),
    })
}

fn consignment() -> Consignment {
    serde_json::from_value(serde_json::json!({
        "direction": "inbound", "packages": 1, "package_kind": "CT", "description": "toys",
        "consignor": { "name": "A", "address": "B" }, "consignee": { "name": "C", "address": "D" },
        "expected_date": "2023-11-15",
    }))
    .unwrap()
}

/// A database after a day's work: four movements with codes, one taken back, one used by a release; a referral that an
/// officer decides about; pictures, accounts, corrections.
struct Lain {
    dir: TempDir,
}

impl Lain {
    fn path(&self) -> PathBuf {
        self.dir.path().join("central.sqlite")
    }

    fn database(&self) -> Database {
        Database::Sqlite(self.path())
    }

    async fn new() -> Self {
        let lain = Self { dir: TempDir::new().unwrap() };
        let store = Store::open(&lain.database(), &[], Arc::new(signer())).await.unwrap();
        lain.declare(&store).await;
        lain.pass(&store).await;
        lain.enrol(&store).await;
        store.put_officer("chan", "officer", "hash").await.unwrap();
        store.put_token(&Digest::of(b"token").to_string(), "shipper", "trade", None).await.unwrap();
        store.audit(AT, "chan", &Noted::SignIn, "chan").await.unwrap();
        store.pool.close().await;
        lain
    }

    async fn declare(&self, store: &Store) {
        let place = Arc::new(Place::hong_kong());
        let site: SiteId = "site".parse().unwrap();
        let operations =
            Operations::new(store.clone(), Clock::of(|| AT), place, [site.clone()].as_slice().into());
        store.add_trader(&"acme".parse().unwrap(), "Acme", false, "test", AT).await.unwrap();
        let caller = Caller::of("acme".parse().unwrap(), "shipper");
        for number in 1..=4 {
            let ccrn = operations.lodge(&caller, consignment()).await.unwrap();
            let mainland = format!("粤Z123{number}港");
            let bundling = Bundling {
                vehicle: Vehicle::parse(&format!("AB{number}"), Some(&mainland), &[]).unwrap(),
                site: Some(site.clone()),
                expected_arrival: AT,
                load: Load::Consignments,
                direction: None,
                ccrns: vec![ccrn],
            };
            let made = operations.bundle(&caller, bundling).await.unwrap();
            let (id, made) = (format!("m{number}"), made.to_string());
            // Names that the tests can write down.
            for rename in [
                "UPDATE consignments SET movement = NULL WHERE movement = $2 AND $1 <> ''",
                "UPDATE movements SET id = $1 WHERE id = $2",
            ] {
                sqlx::query(rename).bind(&id).bind(&made).execute(&store.pool).await.unwrap();
            }
            sqlx::query("UPDATE consignments SET movement = $1 WHERE movement IS NULL")
                .bind(&id)
                .execute(&store.pool)
                .await
                .unwrap();
            let window = Window { from: UtcMillis(0), until: AT.plus_millis(1) };
            let id = id.parse().unwrap();
            operations.assess(&id, ActionCode::Release, Some(window), "low risk", "selector").await.unwrap();
        }
        operations.withdraw(&"m4".parse().unwrap(), "selector").await.unwrap();
    }

    /// A system with a certificate, and what it has handed in together.
    async fn enrol(&self, store: &Store) {
        let folder = self.dir.path().join("ca");
        crate::ca::init(&folder, 3650, AT).unwrap();
        let authority = Arc::new(crate::ca::ClientAuthority::load(&folder, AT).unwrap());
        let pair = rcgen::KeyPair::generate().unwrap();
        let csr = rcgen::CertificateParams::new(Vec::new()).unwrap().serialize_request(&pair).unwrap();
        let key = requested_key(csr.pem().unwrap().as_bytes()).unwrap();
        let (name, code) = ("erp".parse().unwrap(), CodeHash::of("code"));
        assert!(store.enrol_client(&name, &"acme".parse().unwrap(), &code, "test", AT).await.unwrap());
        store.change(IssueClient { proof: Proof::Code(code), key, authority, at: AT }).await.unwrap();
        let operations = Operations::new(
            store.clone(),
            Clock::of(|| AT),
            Arc::new(Place::hong_kong()),
            [].as_slice().into(),
        );
        let caller = Caller::of("acme".parse().unwrap(), "erp");
        operations.accept(&caller, vec![Ok(consignment()), Err(Vec::new())], None).await.unwrap();
        operations.carry_out().await.unwrap();
        operations.accept(&caller, vec![Ok(consignment())], None).await.unwrap();
    }

    async fn pass(&self, store: &Store) {
        let signalled = |signal| PassageStep::Signalled { signal, frame_to_signal_us: Some(90_000) };
        for (step, what) in
            [decided(Outcome::Released, Some("m1"), None), signalled(Signal::Proceed), PassageStep::Left]
                .into_iter()
                .enumerate()
        {
            store.store_event(&event(1, step as u32, what)).await.unwrap();
        }
        store.store_event(&event(2, 0, decided(Outcome::Referred, None, None))).await.unwrap();
        let passage = PassageId([2; 16]);
        store.correct(passage, &[(0, Some("XY9".parse().unwrap()))], "chan", AT).await.unwrap();
        let order = NewOrder {
            passage,
            verdict: Verdict::Act(ActionCode::Inspect),
            officer: "chan".parse().unwrap(),
            reason: Some(OrderReason::DocumentsSeen),
            nonce: Nonce([5; 16]),
            at: AT,
        };
        store.give_order(order).await.unwrap();
        let obeyed = decided(Outcome::Directed(ActionCode::Inspect), None, Some(Nonce([5; 16])));
        store.store_event(&event(2, 1, obeyed)).await.unwrap();
        store.store_event(&event(2, (1 << 20) + 7, PassageStep::Left)).await.unwrap();
        let jpeg = b"a picture".to_vec();
        let evidence = Evidence { passage, kind: EvidenceKind::Crop, digest: Digest::of(&jpeg), jpeg };
        store.store_evidence(&evidence).await.unwrap();
    }

    async fn report(&self) -> Report {
        check(&self.database(), &signer()).await.unwrap()
    }

    /// What is found after `sql`, each check once.
    async fn after(sql: &str) -> Vec<&'static str> {
        let lain = Self::new().await;
        let options = SqliteConnectOptions::new().filename(lain.path()).foreign_keys(false);
        let mut connection = options.connect().await.unwrap();
        let done = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
        assert!(done.rows_affected() > 0, "{sql} changed nothing");
        connection.close().await.unwrap();
        let mut found: Vec<_> = lain.report().await.findings.iter().map(|f| f.check).collect();
        found.sort_unstable();
        found.dedup();
        found
    }
}

#[tokio::test]
async fn what_central_writes_is_sound() {
    let lain = Lain::new().await;
    let report = lain.report().await;
    assert_eq!(report.findings, []);
    for counted in [("deltas", 6), ("directives", 4), ("passage steps", 6), ("pictures", 1), ("orders", 1)] {
        assert!(report.checked.contains(&counted), "{counted:?}: {:?}", report.checked);
    }
}

#[tokio::test]
async fn a_database_that_is_in_use_can_be_checked_and_is_not_changed() {
    let lain = Lain::new().await;
    let store = Store::open(&lain.database(), &[], Arc::new(signer())).await.unwrap();
    let before = store.chain(&"site".parse().unwrap()).await.unwrap();
    let site: SiteId = "site".parse().unwrap();
    let operations = Operations::new(
        store.clone(),
        Clock::of(|| AT),
        Arc::new(Place::hong_kong()),
        [site].as_slice().into(),
    );
    operations.withdraw(&"m2".parse().unwrap(), "selector").await.unwrap();
    assert_eq!(lain.report().await.findings, [], "the last commit lies in the write-ahead log");
    assert_eq!(store.chain(&"site".parse().unwrap()).await.unwrap().len(), before.len() + 1);
}

#[tokio::test]
async fn what_cannot_be_checked_is_said_and_is_no_finding() {
    let lain = Lain::new().await;
    let missing = check(&Database::Sqlite(lain.dir.path().join("none")), &signer()).await.unwrap_err();
    assert!(matches!(missing, CannotCheck::Missing(_)), "{missing}");
    let mut connection = SqliteConnectOptions::new().filename(lain.path()).connect().await.unwrap();
    sqlx::query("UPDATE _sqlx_migrations SET version = 9000 WHERE version = (SELECT MAX(version) FROM _sqlx_migrations)")
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    let newer = check(&lain.database(), &signer()).await.unwrap_err();
    assert!(newer.to_string().contains("newer central"), "{newer}");
}

#[tokio::test]
async fn another_key_opens_nothing() {
    let lain = Lain::new().await;
    let report = check(&lain.database(), &Signer::from_secret(&[5; 32])).await.unwrap();
    assert_eq!(report.findings.iter().filter(|f| f.check == "log-seal").count(), 6);
    assert_eq!(report.findings.iter().filter(|f| f.check == "order-seal").count(), 1);
}

#[tokio::test]
async fn a_log_with_a_lost_swapped_or_changed_row_is_found() {
    for (sql, expected) in [
        ("DELETE FROM log WHERE revision = 2", &["entries", "log-gap"][..]),
        ("UPDATE log SET revision = 99 WHERE revision = 6", &["log-gap", "log-place"]),
        ("UPDATE log SET sealed = zeroblob(40) WHERE revision = 2", &["entries", "log-seal"]),
        ("UPDATE log SET hash = replace(hash, substr(hash, 1, 1), 'e') WHERE revision = 3", &["log-hash"]),
        (
            "UPDATE log SET sealed = (SELECT sealed FROM log WHERE revision = 3) WHERE revision = 2",
            &["entries", "log-chain", "log-hash", "log-place"],
        ),
        ("UPDATE log SET epoch = 2 WHERE revision > 4", &["log-epoch", "log-gap", "log-place"]),
        ("UPDATE meta SET value = 'one'", &["log-epoch"]),
        ("DELETE FROM entries WHERE mark = 'AB2'", &["bucket-sum", "entries"]),
        ("UPDATE entries SET entry = replace(entry, 'revoked', 'active')", &["bucket-sum", "entries"]),
        ("UPDATE buckets SET sum = replace(sum, substr(sum, 1, 1), 'e')", &["bucket-sum"]),
        ("UPDATE entries SET mark = 'AB77' WHERE mark = 'AB2'", &["entries"]),
    ] {
        assert_eq!(Lain::after(sql).await, expected, "{sql}");
    }
}

#[tokio::test]
async fn passages_that_do_not_add_up_are_found() {
    for (sql, expected) in [
        (
            "DELETE FROM passage_events WHERE step = 1 AND passage LIKE '01%'",
            &["passage-differs", "passage-gap"][..],
        ),
        (
            "DELETE FROM passage_events WHERE step = 0 AND passage LIKE '01%'",
            &["passage-differs", "passage-gap", "use-without-release"],
        ),
        (
            "UPDATE passage_events SET what = '{\"flew\":1}' WHERE what = '\"left\"'",
            &["passage-differs", "passage-unreadable"],
        ),
        ("DELETE FROM passages WHERE id LIKE '01%'", &["passage-differs"]),
        ("UPDATE passages SET waiting = -1", &["passage-differs"]),
        ("UPDATE passages SET changed = 1", &["passage-differs"]),
        ("UPDATE passages SET signal = 'fly' WHERE id LIKE '01%'", &["passage-differs"]),
        ("UPDATE passages SET frame_to_signal_us = -5", &["passage-differs"]),
        ("UPDATE evidence SET jpeg = zeroblob(9)", &["evidence"]),
        ("UPDATE evidence SET kind = 'Portrait'", &["evidence"]),
    ] {
        assert_eq!(Lain::after(sql).await, expected, "{sql}");
    }
}

#[tokio::test]
async fn a_release_whose_directive_is_still_active_is_found() {
    // The use is the log's last delta: without it the log is dense and the directive active.
    let found =
        Lain::after("DELETE FROM log WHERE revision = 6; UPDATE entries SET entry = replace(entry, '{\"used\":{\"passage\":\"01010101010101010101010101010101\"}}', '\"active\"') WHERE mark = 'AB1'")
            .await;
    assert!(found.contains(&"release-not-used"), "{found:?}");
}

#[tokio::test]
async fn orders_and_other_values_that_central_cannot_have_written_are_found() {
    for (sql, expected) in [
        ("UPDATE orders SET sealed = zeroblob(30)", "order-seal"),
        ("UPDATE orders SET officer = 'wong'", "order-differs"),
        ("UPDATE orders SET expires = expires + 1", "order-differs"),
        ("UPDATE orders SET verdict = '{\"act\":\"release\"}'", "order-differs"),
        ("UPDATE orders SET state = 'lost'", "order-state"),
        ("UPDATE orders SET reason = '\"bored\"'", "order-state"),
        ("UPDATE movements SET action = 'launch' WHERE id = 'm1'", "value"),
        ("UPDATE movements SET action = 'detain' WHERE id = 'm2'", "movement-differs"),
        ("UPDATE movements SET action = 'release' WHERE id = 'm4'", "movement-differs"),
        ("UPDATE movements SET mark = 'ab 1' WHERE id = 'm1'", "value"),
        ("UPDATE consignments SET body = '{}' WHERE movement = 'm1'", "value"),
        ("UPDATE consignments SET movement = 'm9' WHERE movement = 'm1'", "reference"),
        ("UPDATE officers SET role = 'king'", "value"),
        ("UPDATE officers SET disabled = -1", "value"),
        ("UPDATE tokens SET hash = 'x'", "value"),
        ("UPDATE corrections SET plate = -1", "value"),
        ("UPDATE audit SET at = -1 WHERE id = 1", "value"),
        (
            "UPDATE clients SET fingerprint = replace(fingerprint, substr(fingerprint, 1, 1), 'e')",
            "certificate",
        ),
        ("UPDATE clients SET public_key = zeroblob(65)", "certificate"),
        ("UPDATE clients SET certificate = 'none'", "certificate"),
        ("UPDATE clients SET kind = 'RS256'", "certificate"),
        ("UPDATE clients SET serial = 'x'", "certificate"),
        ("UPDATE clients SET valid_until = issued_at", "certificate"),
        ("UPDATE clients SET revoked_at = 7", "certificate"),
        ("UPDATE enrolments SET trader = ''", "certificate"),
        ("UPDATE clients SET trader = 'nobody'; DELETE FROM enrolments", "reference"),
        ("UPDATE enrolments SET code = 'x'", "value"),
        ("UPDATE enrolments SET used_at = expires_at", "value"),
        ("DELETE FROM request_parts WHERE outcomes IS NOT NULL", "request"),
        ("UPDATE request_parts SET first = 1 WHERE outcomes IS NULL", "request"),
        ("UPDATE request_parts SET items = '[7' WHERE outcomes IS NULL", "request"),
        ("UPDATE request_parts SET outcomes = '[]' WHERE outcomes IS NOT NULL", "request"),
        ("UPDATE request_parts SET trader = 'other' WHERE outcomes IS NOT NULL", "request"),
        ("UPDATE requests SET items = items + 1", "request"),
        ("UPDATE consignments SET trader = '' WHERE movement IS NULL", "request"),
        ("DELETE FROM request_turns", "request"),
    ] {
        assert_eq!(Lain::after(sql).await, [expected], "{sql}");
    }
}

#[tokio::test]
async fn a_file_with_rotten_or_missing_bytes_is_found() {
    let lain = Lain::new().await;
    let bytes = std::fs::read(lain.path()).unwrap();
    std::fs::write(lain.path(), &bytes[..bytes.len() / 2]).unwrap();
    assert!(lain.report().await.findings.iter().any(|f| f.check == "database"));
    std::fs::write(lain.path(), vec![7; 4096]).unwrap();
    assert!(lain.report().await.findings.iter().any(|f| f.check == "database"));
    // One bit of a sealed delta, of an order, of a picture: SQLite cannot know.
    std::fs::write(lain.path(), &bytes).unwrap();
    for (sql, expected) in [
        ("SELECT sealed FROM log WHERE revision = 3", "log-seal"),
        ("SELECT sealed FROM orders", "order-seal"),
        ("SELECT jpeg FROM evidence", "evidence"),
    ] {
        let mut connection = SqliteConnectOptions::new().filename(lain.path()).connect().await.unwrap();
        let stored: Vec<u8> = sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        let lies = bytes.windows(stored.len()).position(|window| window == stored).unwrap();
        let mut rotten = bytes.clone();
        rotten[lies + stored.len() / 2] ^= 1;
        std::fs::write(lain.path(), rotten).unwrap();
        assert!(lain.report().await.findings.iter().any(|f| f.check == expected), "{sql}");
        std::fs::write(lain.path(), &bytes).unwrap();
    }
    assert_eq!(lain.report().await.findings, []);
}
