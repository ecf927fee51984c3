//! A database of the release before opens with this one, with everything that was in it; one of a later release is refused. On both
//! engines.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::path::Path;
use std::sync::Arc;

use central::ccrn::Ccrn;
use central::officers::{Role, token_hash};
use central::storage::check::check;
use central::storage::{Database, Noted, Store};
use clearance::ids::{MovementId, PassageId, SiteId, UtcMillis};
use clearance::passage::PassageStep;
use clearance::wire::Signer;
use sqlx::migrate::Migrator;
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _};
use support::Postgres;
use tempfile::TempDir;

/// The schema of the release before.
const BEFORE: [&str; 2] = ["0001_central.sql", "0002_replication.sql"];

const BODY: &str = r#"{"direction":"inbound","packages":3,"package_kind":"CT","description":"toys",
    "consignor":{"name":"A","address":"B"},"consignee":{"name":"Kowloon  Toys","address":"D"},"expected_date":"2026-01-05"}"#;

fn signer() -> Signer {
    Signer::from_secret(&[8; 32])
}

fn site() -> SiteId {
    "north".parse().unwrap()
}

fn ccrn() -> Ccrn {
    Ccrn::from_number(123_456).unwrap()
}

async fn connection(database: &Database) -> AnyConnection {
    sqlx::any::install_default_drivers();
    let url = match database {
        Database::Sqlite(path) => format!("sqlite://{}?mode=rwc", path.display()),
        Database::Postgres(url) => url.clone(),
    };
    AnyConnection::connect(&url).await.unwrap()
}

/// As central of before has left it: migrated by it, with a day's work in it.
async fn of_before(database: &Database, folder: &Path) {
    let engine = if matches!(database, Database::Sqlite(_)) { "sqlite" } else { "postgres" };
    let (from, to) = (Path::new("migrations").join(engine), folder.join("before"));
    std::fs::create_dir(&to).unwrap();
    for file in BEFORE {
        std::fs::copy(from.join(file), to.join(file)).unwrap();
    }
    let mut connection = connection(database).await;
    Migrator::new(to.as_path()).await.unwrap().run(&mut connection).await.unwrap();
    let hash = token_hash("token");
    let ccrn = ccrn();
    let passage = PassageId([7; 16]);
    for sql in [
        "INSERT INTO meta (key, value) VALUES ('epoch', '1')".to_owned(),
        "INSERT INTO movements (id, site, mark, mainland_mark, expected_arrival, created_at) \
         VALUES ('m-1', 'north', 'AB1234', '粤Z1234港', 1767600000000, 1767500000000)"
            .to_owned(),
        format!(
            "INSERT INTO consignments (ccrn, body, lodged_by, lodged_at, movement) VALUES ('{ccrn}', '{BODY}', 'shipper', 1767500000000, 'm-1')"
        ),
        format!(
            "INSERT INTO passages (id, site, lane, began, left_at, changed) VALUES ('{passage}', 'north', 'lane-1', 5, 6, 1)"
        ),
        format!(
            "INSERT INTO passage_events (passage, step, at, what) VALUES ('{passage}', 0, 6, '\"left\"')"
        ),
        "INSERT INTO officers (name, role, password) VALUES ('chan', 'officer', 'hash')".to_owned(),
        format!("INSERT INTO tokens (hash, name, role) VALUES ('{hash}', 'engine', 'selector')"),
        "INSERT INTO audit (at, who, what, subject) VALUES (7, 'chan', '\"sign_in\"', '')".to_owned(),
        "INSERT INTO audit (at, who, what, subject) VALUES (8, 'shipper', '\"lodge\"', 'x')".to_owned(),
    ] {
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    }
    connection.close().await.unwrap();
}

async fn upgraded(database: &Database, folder: &Path) {
    of_before(database, folder).await;
    // Twice: what is done once is not done again.
    for _ in 0..2 {
        let store = Store::open(database, &[site()], Arc::new(signer())).await.unwrap();
        let row = store.consignment(&ccrn()).await.unwrap().unwrap();
        assert_eq!((row.consignment.packages, row.version, row.cancelled), (3, 1, false));
        assert_eq!((row.movement.as_deref(), row.lodged_by.as_str()), (Some("m-1"), "shipper"));
        let movement: MovementId = "m-1".parse().unwrap();
        let carrying = store.carrying("m-1", UtcMillis(0)).await.unwrap().unwrap();
        assert_eq!(carrying.consignments.len(), 1);
        let row = store.movement(&movement).await.unwrap().unwrap();
        assert_eq!((row.mark.as_str(), row.bundled_at), ("AB1234", 1_767_500_000_000));
        let steps = store.steps(PassageId([7; 16])).await.unwrap();
        assert_eq!(steps, [(UtcMillis(6), PassageStep::Left)]);
        let actor = store.token(&token_hash("token")).await.unwrap().unwrap();
        assert_eq!((actor.name.as_str(), actor.role, actor.trader), ("engine", Role::Selector, None));
        assert_eq!(store.verify_audit(None).await.unwrap(), Ok(2), "what was noted is chained");
        let lines = store.audit_lines(10).await.unwrap();
        assert!(matches!(lines[1].what, Noted::SignIn) && lines[1].who == "chan");
        let report = check(database, &signer(), None).await.unwrap();
        assert_eq!(report.findings, []);
    }
}

async fn of_a_later_release(database: &Database) {
    let mut connection = connection(database).await;
    let later = "UPDATE _sqlx_migrations SET version = 9000 WHERE version = (SELECT MAX(version) FROM _sqlx_migrations)";
    sqlx::raw_sql(later).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let refused = Store::open(database, &[site()], Arc::new(signer())).await.err().unwrap().to_string();
    assert!(refused.contains("newer central") && refused.contains("9000"), "{refused}");
}

#[tokio::test]
async fn on_sqlite() {
    let dir = TempDir::new().unwrap();
    let database = Database::Sqlite(dir.path().join("central.sqlite"));
    upgraded(&database, dir.path()).await;
    of_a_later_release(&database).await;
}

#[tokio::test]
async fn on_postgresql() {
    let server = match Postgres::start() {
        Ok(server) => server,
        Err(why) => return eprintln!("skipped: {why}"),
    };
    let dir = TempDir::new().unwrap();
    let database = Database::Postgres(server.url());
    upgraded(&database, dir.path()).await;
    of_a_later_release(&database).await;
}
