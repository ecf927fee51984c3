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
use crate::officers::token_hash;
use crate::operations::{Bundling, Operations};
use crate::people;
use crate::storage::messages::{self, AddWebhook, Claim, PutContact, Record, Release};
use crate::storage::{IssueClient, NewOrder, Noted, OrderReason, Proof, SignedWith, Store};
use crate::systems::CodeHash;
use crate::trade::{Caller, Consignment, Load, Place, Topic, Vehicle};

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
        lain.invite(&store).await;
        lain.tell(&store).await;
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

    fn vault(&self) -> Vault {
        Vault::open(&self.dir.path().join("secrets.key")).unwrap()
    }

    /// Somebody who has joined and is signed in, with a form that is begun; and somebody who is invited.
    async fn invite(&self, store: &Store) {
        let (vault, acme) = (self.vault(), "acme".parse().unwrap());
        let invite = async |login: &str| {
            let login = login.parse().unwrap();
            let path = people::invite(store, &vault, &login, &acme, "test", AT).await.unwrap().unwrap();
            token_hash(path.strip_prefix("/trade/invitation/").unwrap())
        };
        let token = invite("chan").await;
        let password = crate::officers::hash_password("a long password").unwrap();
        assert!(store.take_invitation(&token, &password, 7, AT).await.unwrap());
        let with = SignedWith::OneTime(8);
        assert!(store.begin_person_session(&token_hash("cookie"), "chan", "csrf", &with, AT).await.unwrap());
        store.begin_ceremony(&token_hash("ceremony"), "chan", "{}", AT).await.unwrap();
        store.keep_draft("chan", "/trade/consignments/new", "{}", AT).await.unwrap();
        assert!(store.count_sign_in("trade/chan", AT).await.unwrap());
        invite("wong").await;
    }

    /// A contact, a webhook, and what came of what it was sent.
    async fn tell(&self, store: &Store) {
        let caller = Caller::of("acme".parse().unwrap(), "chan");
        let contact = serde_json::from_value(serde_json::json!({
            "emails": [{ "address": "ops@example.com" }], "mobiles": [{ "number": "+85291234567" }],
        }));
        let (contact, seen) = (contact.unwrap(), None);
        store.change(PutContact { caller: caller.clone(), contact, seen, at: AT }).await.unwrap();
        let (url, topics) = ("https://example.com/".to_owned(), Topic::ALL.to_vec());
        let secret = self.vault().seal(&crate::messages::sealed_for("w-1"), b"secret");
        let (id, at) = ("w-1".to_owned(), AT);
        store.change(AddWebhook { caller, id, url, topics, secret, at }).await.unwrap();
        let (ids, by, until) = (vec!["w-1".to_owned()], "central".to_owned(), AT.plus_millis(1));
        store.change(Claim { ids, by: by.clone(), at, until }).await.unwrap();
        let (why, next) = ("answered 500".to_owned(), Some(AT.plus_millis(9)));
        let outcome = messages::Outcome::Failed { status: Some(500), why, next };
        let seq = store.news(&"acme".parse().unwrap(), 0, 1).await.unwrap()[0].seq;
        let record = Record { outlet: "w-1".to_owned(), by, seq, outcome, resume: AT, pause: false, at };
        assert!(store.change(record).await.unwrap());
        let release = Release { outlet: "w-1".to_owned(), by: "central".to_owned(), reached: seq };
        store.change(release).await.unwrap();
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
        check(&self.database(), &signer(), Some(&self.vault())).await.unwrap()
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
    let missing = check(&Database::Sqlite(lain.dir.path().join("none")), &signer(), None).await.unwrap_err();
    assert!(matches!(missing, CannotCheck::Missing(_)), "{missing}");
    let mut connection = SqliteConnectOptions::new().filename(lain.path()).connect().await.unwrap();
    sqlx::query("UPDATE _sqlx_migrations SET version = 9000 WHERE version = (SELECT MAX(version) FROM _sqlx_migrations)")
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    let newer = check(&lain.database(), &signer(), None).await.unwrap_err();
    assert!(newer.to_string().contains("newer central"), "{newer}");
}

#[tokio::test]
async fn another_key_opens_nothing() {
    let lain = Lain::new().await;
    let report = check(&lain.database(), &Signer::from_secret(&[5; 32]), None).await.unwrap();
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
            "UPDATE clients SET fingerprint = iif(fingerprint LIKE 'e%', 'd', 'e') || substr(fingerprint, 2)",
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
async fn people_and_messages_that_cannot_be_so_are_found() {
    for (sql, expected) in [
        ("UPDATE people SET password = 'plain' WHERE login = 'chan'", &["person"][..]),
        ("UPDATE people SET totp = NULL WHERE login = 'chan'", &["person"]),
        ("UPDATE people SET totp_step = -1", &["person"]),
        ("UPDATE people SET handle = 'x' WHERE login = 'chan'", &["person"]),
        ("UPDATE people SET disabled = 1 WHERE login = 'chan'", &["person"]),
        ("UPDATE people SET disabled = 7 WHERE login = 'wong'", &["person"]),
        ("UPDATE people SET trader = ''", &["person"]),
        ("UPDATE people SET trader = 'nobody'", &["person", "reference"]),
        ("UPDATE people SET totp = zeroblob(48) WHERE login = 'chan'", &["secret"]),
        ("UPDATE person_invitations SET totp = (SELECT totp FROM people WHERE login = 'chan')", &["secret"]),
        ("UPDATE person_invitations SET token = 'x'", &["person"]),
        ("UPDATE person_invitations SET login = 'li'", &["person", "reference", "secret"]),
        ("UPDATE person_sessions SET login = 'wong'", &["person"]),
        ("UPDATE person_sessions SET login = 'li'", &["person", "reference"]),
        ("UPDATE person_sessions SET token = 'cookie'", &["person"]),
        ("UPDATE person_sessions SET seen = began - 1", &["person"]),
        ("INSERT INTO passkeys VALUES ('00', 'chan', 'phone', '{}', 1, NULL)", &["person"]),
        ("UPDATE ceremonies SET state = '{'", &["person"]),
        ("UPDATE ceremonies SET login = 'li'", &["person", "reference"]),
        ("UPDATE drafts SET body = 'half'", &["person"]),
        ("UPDATE drafts SET form = '/console'", &["person"]),
        ("UPDATE drafts SET login = 'li'", &["person", "reference"]),
        ("UPDATE failed_sign_ins SET failures = 0", &["value"]),
        ("UPDATE failed_sign_ins SET tried = 'trade/chan'", &["value"]),
        ("UPDATE contacts SET body = '{'", &["outlet", "value"]),
        ("UPDATE contacts SET body = replace(body, 'ops@', 'ops')", &["outlet", "value"]),
        ("UPDATE contacts SET version = 0", &["value"]),
        ("DELETE FROM contacts", &["outlet"]),
        ("DELETE FROM outlets WHERE channel = 'sms'", &["outlet"]),
        ("UPDATE outlets SET address = 'other@example.com' WHERE channel = 'email'", &["outlet"]),
        ("UPDATE outlets SET channel = 'pigeon' WHERE channel = 'webhook'", &["outlet"]),
        ("UPDATE outlets SET topics = '[\"weather\"]' WHERE channel = 'sms'", &["outlet"]),
        ("UPDATE outlets SET topics = '[]' WHERE channel = 'sms'", &["outlet"]),
        ("UPDATE outlets SET secret = NULL WHERE channel = 'webhook'", &["outlet"]),
        ("UPDATE outlets SET previous_until = 7 WHERE channel = 'webhook'", &["outlet"]),
        ("UPDATE outlets SET failing_since = NULL WHERE channel = 'webhook'", &["outlet"]),
        ("UPDATE outlets SET leased_until = 7 WHERE channel = 'webhook'", &["outlet"]),
        ("UPDATE outlets SET reached = -1 WHERE channel = 'sms'", &["outlet"]),
        ("UPDATE outlets SET secret = zeroblob(48) WHERE channel = 'webhook'", &["secret"]),
        (
            "UPDATE outlets SET trader = 'nobody' WHERE channel = 'webhook'",
            &["delivery", "outlet", "reference"],
        ),
        ("DELETE FROM outlets WHERE channel = 'webhook'", &["delivery"]),
        ("UPDATE deliveries SET state = 'lost'", &["delivery"]),
        ("UPDATE deliveries SET next_at = NULL", &["delivery"]),
        ("UPDATE deliveries SET state = 'delivered', attempts = 0, next_at = NULL", &["delivery"]),
        ("DELETE FROM events WHERE seq = (SELECT seq FROM deliveries)", &["delivery"]),
        ("UPDATE events SET what = '{}' WHERE seq = 1", &["news"]),
        ("UPDATE events SET by_who = '' WHERE by_who <> ''", &["value"]),
    ] {
        assert_eq!(Lain::after(sql).await, expected, "{sql}");
    }
}

#[tokio::test]
async fn without_the_key_of_secrets_everything_else_is_checked_and_with_another_each_is_found() {
    let lain = Lain::new().await;
    let report = check(&lain.database(), &signer(), None).await.unwrap();
    assert_eq!(report.findings, []);
    let other = Vault::open(&lain.dir.path().join("other.key")).unwrap();
    let report = check(&lain.database(), &signer(), Some(&other)).await.unwrap();
    let places: Vec<_> = report.findings.iter().map(|f| (f.check, f.place.as_str())).collect();
    assert_eq!(
        places,
        [("secret", "people chan"), ("secret", "person_invitations wong"), ("secret", "outlets w-1")]
    );
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
