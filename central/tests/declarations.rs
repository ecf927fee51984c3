//! What the trade and customs do with declarations, on both engines: the same scenarios on SQLite and on PostgreSQL.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use central::ccrn::Ccrn;
use central::clock::Clock;
use central::operations::{Bundling, Operations};
use central::storage::trade::{
    Conflict, ConsignmentRow, ConsignmentStatus, Find, ItemOutcome, Notice, OnceKey, Refused, Revision,
};
use central::storage::{Database, Noted, Store};
use central::trade::batch::{self, Entry, Format};
use central::trade::news::SealState;
use central::trade::{
    Caller, Consignment, Direction, Fault, Load, MovementStatus, News, Party, Place, TraderId, Vehicle,
};
use clearance::decide::Reason;
use clearance::directive::{ActionCode, DirectiveStatus};
use clearance::ids::{Digest, Epoch, MovementId, PassageId, Revision as LogRevision, SiteId, UtcMillis};
use clearance::passage::{DecisionRecord, Evidence, EvidenceKind, Outcome, PassageEvent, PassageStep};
use clearance::wire::Signer;
use sqlx::Connection as _;
use support::Postgres;
use tempfile::TempDir;

/// 2026-11-24, noon in Hong Kong.
const NOON: i64 = 1_795_492_800_000;
const MINUTE: i64 = 60_000;

struct World {
    store: Store,
    operations: Operations,
    now: Arc<AtomicI64>,
    database: Database,
    sites: Vec<SiteId>,
    shipper: Caller,
    carrier: Caller,
    pupil: Caller,
}

impl World {
    async fn new(database: Database) -> Self {
        let sites: Vec<SiteId> = vec!["north".parse().unwrap(), "south".parse().unwrap()];
        let store = open(&database, &sites).await;
        let now = Arc::new(AtomicI64::new(NOON));
        let operations = operations(&store, &now, &sites);
        let mut callers = Vec::new();
        for (name, sandbox) in [("shipper", false), ("carrier", false), ("pupil", true)] {
            let id: TraderId = name.parse().unwrap();
            assert!(store.add_trader(&id, name, sandbox, "test", UtcMillis(NOON)).await.unwrap());
            callers.push(Caller { sandbox, ..Caller::of(id, format!("{name}'s clerk")) });
        }
        let [shipper, carrier, pupil] = callers.try_into().unwrap();
        Self { store, operations, now, database, sites, shipper, carrier, pupil }
    }

    fn pass(&self, minutes: i64) {
        self.now.fetch_add(minutes * MINUTE, Ordering::SeqCst);
    }

    fn bundling(&self, mark: &str, ccrns: &[&Ccrn]) -> Bundling {
        Bundling {
            vehicle: Vehicle::parse(mark, None, &[]).unwrap(),
            site: Some(self.sites[0].clone()),
            expected_arrival: UtcMillis(NOON + 60 * MINUTE),
            load: if ccrns.is_empty() { Load::Empty } else { Load::Consignments },
            direction: None,
            ccrns: ccrns.iter().map(|&ccrn| ccrn.clone()).collect(),
        }
    }

    /// The day at the place.
    fn today(&self) -> String {
        let now = jiff::Timestamp::from_millisecond(self.operations.now().0).unwrap();
        now.in_tz("Asia/Hong_Kong").unwrap().date().to_string()
    }

    async fn lodged(&self) -> Ccrn {
        self.operations.lodge(&self.shipper, consignment()).await.unwrap()
    }

    /// A vehicle with one consignment and a code.
    async fn assessed(&self, mark: &str, action: ActionCode) -> (Ccrn, MovementId) {
        let ccrn = self.lodged().await;
        let movement = self.operations.bundle(&self.carrier, self.bundling(mark, &[&ccrn])).await.unwrap();
        self.assess(&movement, action).await;
        (ccrn, movement)
    }

    async fn assess(&self, movement: &MovementId, action: ActionCode) {
        self.operations.assess(movement, action, None, "low risk", "selector").await.unwrap();
    }

    /// The code that the lanes of a site have for a mark.
    async fn lanes_have(&self, site: usize, mark: &str) -> Option<ActionCode> {
        let entry = self.store.entry(&self.sites[site], &mark.parse().unwrap()).await.unwrap()?;
        (entry.status == DirectiveStatus::Active).then_some(entry.directive.action)
    }

    async fn status(&self, movement: &MovementId) -> MovementStatus {
        let now = self.operations.now();
        let carrying = self.store.carrying(movement.as_str(), now).await.unwrap().unwrap();
        carrying.status(self.operations.place(), now)
    }

    async fn passage(&self, number: u8, site: usize, outcome: Outcome, movement: &MovementId) {
        let decided = PassageStep::Decided(DecisionRecord {
            outcome,
            reason: Reason::Directive,
            movement: Some(movement.clone()),
            order: None,
            plates: Vec::new(),
            epoch: Epoch(1),
            revision: LogRevision(1),
            model: Digest([0; 32]),
        });
        for (step, what) in [decided, PassageStep::Left].into_iter().enumerate() {
            let event = PassageEvent {
                site: self.sites[site].clone(),
                lane: "lane-1".parse().unwrap(),
                edge: "edge-1".parse().unwrap(),
                passage: PassageId([number; 16]),
                step: step as u32,
                at: self.operations.now(),
                what,
            };
            self.store.store_event(&event).await.unwrap();
        }
    }

    async fn news(&self, caller: &Caller) -> Vec<News> {
        let rows = self.store.news(&caller.trader, 0, 1000).await.unwrap();
        assert!(rows.windows(2).all(|pair| pair[0].seq < pair[1].seq));
        rows.into_iter().map(|row| row.news).collect()
    }
}

fn signer() -> Signer {
    Signer::from_secret(&[3; 32])
}

async fn open(database: &Database, sites: &[SiteId]) -> Store {
    Store::open(database, sites, Arc::new(signer())).await.unwrap()
}

fn operations(store: &Store, now: &Arc<AtomicI64>, sites: &[SiteId]) -> Operations {
    let now = Arc::clone(now);
    let clock = Clock::of(move || UtcMillis(now.load(Ordering::SeqCst)));
    Operations::new(store.clone(), clock, Arc::new(Place::hong_kong()), sites.into())
}

fn consignment() -> Consignment {
    let party = |name: &str| Party { name: name.to_owned(), address: "Kwun Tong".to_owned() };
    Consignment {
        direction: Direction::Inbound,
        packages: 12,
        package_kind: "CT".to_owned(),
        description: "electronic parts".to_owned(),
        consignor: party("Shenzhen Parts"),
        consignee: party("Kowloon  Traders 貿易"),
        expected_date: "2026-11-24".to_owned(),
        hs_code: None,
        origin: None,
        value_hkd: None,
        net_weight_kg: None,
        goods: Vec::new(),
        transhipment: false,
    }
}

/// A picture of a passage that is long over, of one that still waits, and of one of today.
async fn pictures(world: &World) -> [Digest; 3] {
    let waiting = PassageId([9; 16]);
    let mut today = [0; 16];
    today[..6].copy_from_slice(&world.operations.now().0.to_be_bytes()[2..]);
    let referred = PassageStep::Decided(DecisionRecord {
        outcome: Outcome::Referred,
        reason: Reason::Directive,
        movement: None,
        order: None,
        plates: Vec::new(),
        epoch: Epoch(1),
        revision: LogRevision(1),
        model: Digest([0; 32]),
    });
    let event = PassageEvent {
        site: world.sites[0].clone(),
        lane: "lane-1".parse().unwrap(),
        edge: "edge-1".parse().unwrap(),
        passage: waiting,
        step: 0,
        at: UtcMillis(NOON),
        what: referred,
    };
    world.store.store_event(&event).await.unwrap();
    let mut digests = [Digest([0; 32]); 3];
    for (i, passage) in [PassageId([1; 16]), waiting, PassageId(today)].into_iter().enumerate() {
        let jpeg = vec![i as u8; 100];
        digests[i] = Digest::of(&jpeg);
        let evidence = Evidence { passage, kind: EvidenceKind::Crop, digest: digests[i], jpeg };
        world.store.store_evidence(&evidence).await.unwrap();
    }
    digests
}

/// How many rows a line of the audit says were taken away.
fn rolled_off(line: central::storage::AuditRow) -> u64 {
    if let Noted::RollOff { rows } = line.what { rows } else { 0 }
}

fn faults(refused: &Refused) -> Vec<(&str, &Fault)> {
    match refused {
        Refused::Faults(faults) => faults.iter().map(|f| (f.pointer.as_str(), &f.fault)).collect(),
        other => panic!("{other:?}"),
    }
}

/// Everything, one after the other, each with marks of its own.
async fn everything(world: &World) {
    from_declaration_to_departure(world).await;
    an_amendment_is_one_operation_and_is_assessed_again(world).await;
    another_truck_takes_over_in_one_step(world).await;
    nobody_sees_or_takes_what_is_not_theirs(world).await;
    of_several_crossings_the_strictest_code_counts(world).await;
    a_vehicle_for_any_control_point_crosses_once(world).await;
    news_says_who_did_it(world).await;
    guessing_counts_at_every_central(world).await;
    seals_and_notices(world).await;
    what_is_lodged_together_is_there_and_found(world).await;
    lists_have_an_end_and_are_of_one_status(world).await;
    two_centrals_share_a_database(world).await;
    a_sandbox_is_played_to_its_end_and_nothing_else_is(world).await;
    what_was_answered_once_is_answered_so_the_next_day(world).await;
    a_request_that_fails_holds_nobody_up(world).await;
    a_file_is_lodged_row_by_row(world).await;
    what_is_kept_no_longer_rolls_off(world).await;
    let lines = world.store.verify_audit(None).await.unwrap().unwrap();
    assert!(lines > 500, "{lines}");
}

async fn from_declaration_to_departure(world: &World) {
    let (ccrn, movement) = world.assessed("AA1", ActionCode::Release).await;
    assert_eq!(world.lanes_have(0, "AA1").await, Some(ActionCode::Release));
    let entry = world.store.entry(&world.sites[0], &"AA1".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(entry.directive.window.from, UtcMillis(NOON + 30 * MINUTE), "the cut-off after bundling");
    assert_eq!(world.status(&movement).await, MovementStatus::Assessed);
    world.passage(1, 0, Outcome::Released, &movement).await;
    assert_eq!(world.status(&movement).await, MovementStatus::Departed);
    assert_eq!(world.lanes_have(0, "AA1").await, None, "used up");
    let told: Vec<_> = world.news(&world.shipper).await;
    for status in [MovementStatus::Assessed, MovementStatus::Released, MovementStatus::Departed] {
        assert!(told.iter().any(|n| matches!(n, News::Status { status: s, .. } if *s == status)), "{status}");
    }
    let late = world.operations.amend(&world.shipper, &ccrn, consignment(), None).await.unwrap_err();
    assert!(matches!(late, Refused::Standing(Conflict::Closed)), "{late}");
}

async fn an_amendment_is_one_operation_and_is_assessed_again(world: &World) {
    let (ccrn, movement) = world.assessed("AB1", ActionCode::Release).await;
    let amended = Consignment { packages: 13, ..consignment() };
    let version = world.operations.amend(&world.shipper, &ccrn, amended.clone(), Some(1)).await.unwrap();
    assert_eq!(version, 2);
    assert_eq!(world.lanes_have(0, "AB1").await, None, "no code on goods that nobody has assessed");
    assert_eq!(world.status(&movement).await, MovementStatus::Ready);
    let stale = world.operations.amend(&world.shipper, &ccrn, amended, Some(1)).await.unwrap_err();
    assert!(matches!(stale, Refused::Version { now: 2 }), "{stale}");
    let versions = world.store.consignment_versions(&ccrn).await.unwrap();
    assert_eq!((versions.len(), versions[0].1.packages), (1, 12));
    for caller in [&world.shipper, &world.carrier] {
        let told = world.news(caller).await;
        assert!(told.iter().any(|n| matches!(n, News::Reassessed { ccrn: Some(c), .. } if *c == ccrn)));
    }
    world.assess(&movement, ActionCode::Inspect).await;
    assert_eq!(world.lanes_have(0, "AB1").await, Some(ActionCode::Inspect));
    world.operations.cancel_consignment(&world.shipper, &ccrn, None).await.unwrap();
    assert_eq!(world.status(&movement).await, MovementStatus::Bundled, "its cargo is declared no more");
    let early =
        world.operations.assess(&movement, ActionCode::Release, None, "x", "selector").await.unwrap_err();
    assert!(matches!(early, Refused::Standing(Conflict::NotDeclared)), "{early}");
}

async fn another_truck_takes_over_in_one_step(world: &World) {
    let (ccrn, movement) = world.assessed("AC1", ActionCode::Release).await;
    world.pass(10);
    let vehicle = Vehicle::parse("AC2", Some("粤Z1234港"), &["1234T".to_owned()]).unwrap();
    let revision = Revision { vehicle: Some(vehicle), ..Revision::default() };
    assert_eq!(world.operations.revise(&world.carrier, &movement, revision, Some(1)).await.unwrap(), 2);
    assert_eq!(world.lanes_have(0, "AC1").await, None, "the lanes forget the truck of before");
    assert_eq!(world.lanes_have(0, "AC2").await, None, "the other is assessed anew");
    world.assess(&movement, ActionCode::Release).await;
    let entry = world.store.entry(&world.sites[0], &"AC2".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(entry.directive.window.from, UtcMillis(NOON + 40 * MINUTE), "the cut-off runs from the swap");
    assert!(world.news(&world.shipper).await.contains(&News::Swapped {
        movement: movement.to_string(),
        from: "AC1".to_owned(),
        to: "AC2".to_owned()
    }));
    // Unbundled, the consignment can go with another.
    let revision = Revision { remove: vec![ccrn.clone()], load: Some(Load::Empty), ..Revision::default() };
    world.operations.revise(&world.carrier, &movement, revision, None).await.unwrap();
    let other = world.operations.bundle(&world.carrier, world.bundling("AC3", &[&ccrn])).await.unwrap();
    world.operations.cancel_movement(&world.carrier, &other, None).await.unwrap();
    assert_eq!(world.status(&other).await, MovementStatus::Cancelled);
    world.operations.bundle(&world.carrier, world.bundling("AC4", &[&ccrn])).await.unwrap();
    let twice = world.operations.bundle(&world.carrier, world.bundling("AC5", &[&ccrn])).await.unwrap_err();
    assert_eq!(faults(&twice), [("/ccrns/0", &Fault::AlreadyBundled)]);
    assert_eq!(world.lanes_have(0, "AC5").await, None, "refused, it leaves nothing behind");
}

async fn nobody_sees_or_takes_what_is_not_theirs(world: &World) {
    let ccrn = world.lodged().await;
    for stranger in [&world.carrier, &world.pupil] {
        let seen = world.operations.consignment(stranger, &ccrn).await.unwrap_err();
        assert!(matches!(seen, Refused::NotFound("consignment")), "{seen}");
        let amended = world.operations.amend(stranger, &ccrn, consignment(), None).await.unwrap_err();
        assert!(matches!(amended, Refused::NotFound("consignment")), "{amended}");
    }
    let played = world.operations.bundle(&world.pupil, world.bundling("AD1", &[&ccrn])).await.unwrap_err();
    assert_eq!(
        faults(&played),
        [("/ccrns/0", &Fault::UnknownCcrn)],
        "real cargo does not exist in a sandbox"
    );
    let movement = world.operations.bundle(&world.carrier, world.bundling("AD2", &[&ccrn])).await.unwrap();
    assert!(
        world.operations.movement(&world.shipper, movement.as_str()).await.is_ok(),
        "it carries their goods"
    );
    let foreign = world.operations.movement(&world.pupil, movement.as_str()).await.unwrap_err();
    assert!(matches!(foreign, Refused::NotFound("movement")), "{foreign}");
    let taken = world.operations.cancel_movement(&world.shipper, &movement, None).await.unwrap_err();
    assert!(matches!(taken, Refused::NotFound("movement")), "{taken}");
    // A sandbox plays through everything, and no lane hears of it.
    let own = world.operations.lodge(&world.pupil, consignment()).await.unwrap();
    let movement = world.operations.bundle(&world.pupil, world.bundling("AD3", &[&own])).await.unwrap();
    world.assess(&movement, ActionCode::Release).await;
    assert_eq!(world.lanes_have(0, "AD3").await, None);
}

async fn a_sandbox_is_played_to_its_end_and_nothing_else_is(world: &World) {
    let own = world.operations.lodge(&world.pupil, consignment()).await.unwrap();
    let movement = world.operations.bundle(&world.pupil, world.bundling("AK7", &[&own])).await.unwrap();
    let ccrn = world.lodged().await;
    let real = world.operations.bundle(&world.carrier, world.bundling("AK17", &[&ccrn])).await.unwrap();
    let step = async |minutes| {
        world.pass(minutes);
        world.operations.rehearse().await.unwrap();
        world.status(&movement).await
    };
    let seen = [step(0).await, step(600).await, step(2).await, step(2).await];
    assert_eq!(
        seen,
        [
            MovementStatus::Assessed,
            MovementStatus::Directed,
            MovementStatus::Inspected,
            MovementStatus::Departed
        ]
    );
    assert_eq!(world.lanes_have(0, "AK7").await, None, "no lane hears of it");
    assert_eq!(world.status(&real).await, MovementStatus::Ready, "real cargo waits for customs");
}

async fn what_was_answered_once_is_answered_so_the_next_day(world: &World) {
    let key = |key: &str, request: &str| {
        let request = Digest::of(request.as_bytes()).to_string();
        Some(OnceKey { client: "shipper/erp".to_owned(), key: key.to_owned(), request })
    };
    let today = Consignment { expected_date: world.today(), ..consignment() };
    let lodge = async |key| world.operations.lodge_once(&world.shipper, today.clone(), key).await;
    let accept = async |key| world.operations.accept(&world.shipper, vec![Ok(today.clone())], key).await;
    let bundling = Bundling { expected_arrival: world.operations.now(), ..world.bundling("AL1", &[]) };
    let bundle = async |key| world.operations.bundle_once(&world.carrier, bundling.clone(), key).await;
    let lodged = lodge(key("1", "lodge")).await.unwrap();
    let accepted = accept(key("2", "accept")).await.unwrap();
    let bundled = bundle(key("3", "bundle")).await.unwrap();
    world.pass(24 * 60);
    assert_eq!(lodge(key("1", "lodge")).await.unwrap(), lodged);
    assert_eq!(accept(key("2", "accept")).await.unwrap(), accepted);
    assert_eq!(bundle(key("3", "bundle")).await.unwrap(), bundled);
    let other = lodge(key("1", "other")).await.unwrap_err();
    assert!(matches!(other, Refused::Standing(Conflict::KeyReused)), "{other}");
    let late = lodge(key("4", "lodge")).await.unwrap_err();
    assert_eq!(faults(&late), [("/expected_date", &Fault::InThePast)], "that day has gone by");
    world.operations.carry_out().await.unwrap();
}

/// Do something to the database that central does not.
async fn meddle(world: &World, sql: &str) {
    let url = match &world.database {
        Database::Sqlite(path) => {
            let path = path.to_str().unwrap().replace('%', "%25").replace('#', "%23").replace('?', "%3F");
            format!("sqlite://{path}")
        }
        Database::Postgres(url) => url.clone(),
    };
    let mut connection = sqlx::AnyConnection::connect(&url).await.unwrap();
    let done = sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    assert!(done.rows_affected() > 0, "{sql} changed nothing");
    connection.close().await.unwrap();
}

async fn a_request_that_fails_holds_nobody_up(world: &World) {
    let today = Consignment { expected_date: world.today(), ..consignment() };
    let accept = async |caller: &Caller, many: usize| {
        let items = (0..many).map(|_| Ok(today.clone())).collect();
        world.operations.accept(caller, items, None).await.unwrap()
    };
    let poisoned = accept(&world.shipper, 1_200).await;
    let second = accept(&world.shipper, 2).await;
    let other = accept(&world.carrier, 600).await;
    meddle(
        world,
        &format!("UPDATE request_parts SET items = '[7' WHERE request = '{poisoned}' AND first = 500"),
    )
    .await;
    let state = async |caller: &Caller, id: &str| world.operations.request(caller, id).await.unwrap();
    world.operations.carry_out().await.unwrap();
    for (caller, id) in [(&world.carrier, &other), (&world.shipper, &second)] {
        assert!(state(caller, id).await.is_completed(), "others are lodged");
    }
    let waits = state(&world.shipper, &poisoned).await;
    assert_eq!((waits.outcomes.len(), waits.failed), (700, None), "what is whole of it, too");
    for minutes in [0, 1, 1, 1] {
        world.pass(minutes);
        world.operations.carry_out().await.unwrap();
    }
    let failed = state(&world.shipper, &poisoned).await;
    assert!(
        failed.failed.as_ref().is_some_and(|why| why.contains("stored data cannot be read")),
        "{failed:?}"
    );
    assert_eq!(failed.outcomes.len(), 700);
    let line = world.store.audit_lines(1).await.unwrap().remove(0);
    assert!(matches!(line.what, Noted::SetAside { .. }) && line.subject == poisoned, "{line:?}");
    // Whoever hands in a little does not wait for all of a company that has handed in much.
    let (much, little) = (accept(&world.shipper, 1_500).await, accept(&world.carrier, 1).await);
    world.operations.carry_out().await.unwrap();
    let lodged = async |caller: &Caller, id: &str| {
        let outcome = state(caller, id).await.outcomes.pop().unwrap().outcome;
        let ItemOutcome::Lodged(ccrn) = outcome else { panic!("{outcome:?}") };
        let news = world.store.history(&caller.trader, ccrn.as_str()).await.unwrap();
        news.last().unwrap().seq
    };
    assert!(lodged(&world.carrier, &little).await < lodged(&world.shipper, &much).await);
}

async fn a_file_is_lodged_row_by_row(world: &World) {
    let good = Consignment { expected_date: world.today(), ..consignment() };
    let many: Vec<Consignment> = (0..1_200)
        .map(|n| if n == 700 { Consignment { packages: 0, ..good.clone() } } else { good.clone() })
        .collect();
    let references: Vec<String> = (0..many.len()).map(|n| format!("PO-{n}")).collect();
    let entry = |(consignment, reference)| Entry { reference, consignment };
    let entries: Vec<_> = many.iter().zip(references.iter().map(String::as_str)).map(entry).collect();
    let file = batch::write(Format::Csv, &entries, &str::to_owned).unwrap();
    let rows = batch::read(Format::Csv, &file).unwrap();
    let key = || {
        let request = Digest::of(&file).to_string();
        Some(OnceKey { client: "shipper/files".to_owned(), key: "file".to_owned(), request })
    };
    let accept = async || world.operations.accept_rows(&world.shipper, &rows, key()).await.unwrap();
    let id = accept().await;
    assert_eq!(accept().await, id, "sent again, it is the same");
    world.operations.carry_out().await.unwrap();
    let request = world.operations.request(&world.shipper, &id).await.unwrap();
    assert!(request.is_completed());
    for (index, item) in request.outcomes.iter().enumerate() {
        let origin = item.origin.as_ref().unwrap();
        assert_eq!((item.index, origin.row as usize), (index, index + 2));
        assert_eq!(origin.reference.as_deref(), Some(references[index].as_str()));
        match &item.outcome {
            ItemOutcome::Lodged(ccrn) => {
                let row = world.operations.consignment(&world.shipper, ccrn).await.unwrap();
                assert_eq!(row.consignment, good);
            }
            ItemOutcome::Refused(faults) => {
                assert_eq!((index, faults[0].pointer.as_str()), (700, "/packages"));
                let column = origin.place("/packages").column;
                assert_eq!(column.as_deref(), Some("TotalPackageQuantity"));
            }
        }
    }
}

async fn what_is_kept_no_longer_rolls_off(world: &World) {
    let days = i64::from(world.operations.place().retention_days);
    world.pass((days + 20) * 24 * 60);
    let fresh = Consignment { expected_date: world.today(), ..consignment() };
    let kept = world.operations.lodge(&world.shipper, fresh).await.unwrap();
    let all = Find { most: 100, ..Find::default() };
    let before = world.operations.consignments(&world.shipper, &all).await.unwrap();
    assert_eq!(before.len(), 100, "there is more than one transaction takes");
    let pictures = pictures(world).await;
    let rows = world.operations.roll_off().await.unwrap();
    let mut left = Vec::new();
    for picture in pictures {
        left.push(world.store.evidence(picture).await.unwrap().is_some());
    }
    assert_eq!(left, [false, true, true], "of what is over; not of what waits, nor of today");
    assert!(rows > 500, "{rows}");
    let noted: Vec<u64> =
        world.store.audit_lines(10_000).await.unwrap().into_iter().map(rolled_off).collect();
    assert_eq!(noted.iter().sum::<u64>(), rows);
    assert!(noted.iter().filter(|rows| **rows > 0).count() > 1, "a line in each transaction");
    let left = world.operations.consignments(&world.shipper, &all).await.unwrap();
    assert!(left.iter().any(|row| row.ccrn == kept), "what is new stays");
    assert!(
        left.iter().all(|row| row.ccrn == kept || row.movement.is_some()),
        "and what is at a lane or a bay"
    );
    let movements = world.operations.movements(&world.carrier, &all).await.unwrap();
    assert!(!movements.is_empty(), "some were directed and have not left");
    for movement in movements {
        let status = world.status(&movement.id.parse().unwrap()).await;
        use MovementStatus::{Arrived, Directed, Inspected, Released};
        assert!(matches!(status, Arrived | Directed | Inspected | Released), "{status:?}");
    }
    assert_eq!(world.operations.roll_off().await.unwrap(), 0, "what is new stays");
    let report = central::storage::check::check(&world.database, &signer(), None).await.unwrap();
    assert_eq!(report.findings, [], "nothing points at what is gone");
}

async fn of_several_crossings_the_strictest_code_counts(world: &World) {
    world.pass(31);
    let (_, inspected) = world.assessed("AE1", ActionCode::Inspect).await;
    world.pass(31);
    let (_, released) = world.assessed("AE1", ActionCode::Release).await;
    assert_eq!(world.lanes_have(0, "AE1").await, Some(ActionCode::Inspect), "the later one serves not yet");
    world.pass(31);
    let now = world.operations.now();
    world.store.expect_due(UtcMillis(now.0 - 2 * MINUTE), now).await.unwrap();
    assert_eq!(
        world.lanes_have(0, "AE1").await,
        Some(ActionCode::Inspect),
        "no declaration undoes an inspection"
    );
    world.passage(2, 0, Outcome::Directed(ActionCode::Inspect), &inspected).await;
    assert_eq!(
        world.lanes_have(0, "AE1").await,
        Some(ActionCode::Release),
        "over, it makes way for the next"
    );
    world.passage(3, 0, Outcome::Released, &released).await;
    assert_eq!(world.lanes_have(0, "AE1").await, None);
    // A stricter code that begins to serve later overtakes.
    let (_, _) = world.assessed("AE2", ActionCode::Release).await;
    world.pass(5);
    let (_, _) = world.assessed("AE2", ActionCode::Detain).await;
    assert_eq!(
        world.lanes_have(0, "AE2").await,
        Some(ActionCode::Release),
        "neither serves: the first that will"
    );
    let before = world.operations.now();
    world.pass(36);
    world.store.expect_due(before, world.operations.now()).await.unwrap();
    assert_eq!(world.lanes_have(0, "AE2").await, Some(ActionCode::Detain));
}

async fn a_vehicle_for_any_control_point_crosses_once(world: &World) {
    let bundling = Bundling { site: None, ..world.bundling("AF1", &[]) };
    let movement = world.operations.bundle(&world.carrier, bundling).await.unwrap();
    world.assess(&movement, ActionCode::Release).await;
    for site in 0..2 {
        assert_eq!(world.lanes_have(site, "AF1").await, Some(ActionCode::Release));
    }
    world.passage(4, 1, Outcome::Released, &movement).await;
    for site in 0..2 {
        assert_eq!(world.lanes_have(site, "AF1").await, None, "{site}");
    }
    let unknown = Bundling { site: Some("moon".parse().unwrap()), ..world.bundling("AF2", &[]) };
    let refused = world.operations.bundle(&world.carrier, unknown).await.unwrap_err();
    assert_eq!(faults(&refused), [("/site", &Fault::Site)]);
}

async fn news_says_who_did_it(world: &World) {
    let (ccrn, movement) = world.assessed("WH1", ActionCode::Release).await;
    world.operations.amend(&world.shipper, &ccrn, consignment(), None).await.unwrap();
    world.operations.fix_seal(&ccrn, "W-1", None, "officer").await.unwrap();
    world.operations.report_own_seal(&world.carrier, &ccrn, "W-1", SealState::Broken).await.unwrap();
    let said = |caller: &Caller, subject: &str| {
        let (trader, subject) = (caller.trader.clone(), subject.to_owned());
        async move {
            let rows = world.store.history(&trader, &subject).await.unwrap();
            rows.into_iter().rev().map(|row| row.by.trader).collect::<Vec<_>>()
        }
    };
    // Lodged; amended; sealed by customs; reported by the carrier.
    assert_eq!(said(&world.shipper, ccrn.as_str()).await, ["shipper", "shipper", "", "carrier"]);
    // Bundled; assessed by customs; reassessed for the amendment; sealed; reported, and reassessed for it.
    let told = ["carrier", "", "shipper", "", "carrier", "carrier"];
    for caller in [&world.carrier, &world.shipper] {
        assert_eq!(said(caller, movement.as_str()).await, told);
    }
    let rows = world.store.history(&world.carrier.trader, movement.as_str()).await.unwrap();
    assert_eq!(rows[0].by.who, "carrier's clerk");
    assert!(rows.iter().all(|row| row.by.trader.is_empty() == row.by.who.is_empty()), "no officer's name");
}

/// Another central, on the same database, looks at the same failures.
async fn guessing_counts_at_every_central(world: &World) {
    let other = open(&world.database, &world.sites).await;
    let (name, now) = ("trade/chan\0", world.operations.now());
    let mut looked_at = 0;
    for store in [&world.store, &other].repeat(5) {
        looked_at += usize::from(store.count_sign_in(name, now).await.unwrap());
    }
    assert_eq!(looked_at, 3);
    let mut at_once: Vec<_> = Vec::new();
    for store in [&world.store, &other].repeat(8) {
        let (store, later) = (store.clone(), now.plus_millis(1_000));
        at_once.push(tokio::spawn(async move { store.count_sign_in(name, later).await.unwrap() }));
    }
    let mut looked_at = 0;
    for tried in at_once {
        looked_at += usize::from(tried.await.unwrap());
    }
    assert_eq!(looked_at, 1, "however many come at once");
    assert!(other.count_sign_in("trade/wong", now).await.unwrap());
    assert!(!other.count_sign_in(name, now.plus_millis(2_999)).await.unwrap());
    assert!(other.count_sign_in(name, now.plus_millis(3_000)).await.unwrap());
    world.store.forgive_sign_ins(name).await.unwrap();
    assert!(other.count_sign_in(name, now.plus_millis(3_000)).await.unwrap());
    // A day later nothing is remembered.
    for _ in 0..3 {
        other.count_sign_in(name, now.plus_millis(3_000)).await.unwrap();
    }
    let tomorrow = now.plus_millis(2 * 86_400_000);
    assert!(other.count_sign_in(name, tomorrow).await.unwrap());
    assert!(other.count_sign_in(name, tomorrow).await.unwrap());
    other.forget_sign_ins(tomorrow).await.unwrap();
}

async fn seals_and_notices(world: &World) {
    let (ccrn, movement) = world.assessed("AG1", ActionCode::Release).await;
    let (id, north, south) = (movement.as_str(), &world.sites[0], &world.sites[1]);
    assert!(!world.store.is_under_seal(id, south.as_str()).await.unwrap());
    world.operations.fix_seal(&ccrn, "E-1", Some(north.clone()), "officer").await.unwrap();
    let again = world.operations.fix_seal(&ccrn, "E-1", None, "officer").await.unwrap_err();
    assert!(matches!(again, Refused::Standing(Conflict::Exists)), "{again}");
    assert!(world.store.is_under_seal(id, south.as_str()).await.unwrap(), "inspected once, not twice");
    assert!(!world.store.is_under_seal(id, north.as_str()).await.unwrap());
    world.operations.report_seal(&ccrn, "E-1", SealState::Broken, "driver").await.unwrap();
    assert!(!world.store.is_under_seal(id, south.as_str()).await.unwrap());
    assert_eq!(world.lanes_have(0, "AG1").await, None, "assessed anew");
    assert!(
        world.operations.report_seal(&ccrn, "E-1", SealState::Intact, "driver").await.is_err(),
        "never again"
    );

    let ccrn = world.lodged().await;
    let movement = world.operations.bundle(&world.carrier, world.bundling("AG2", &[&ccrn])).await.unwrap();
    world.operations.cancel_consignment(&world.shipper, &ccrn, None).await.unwrap();
    let now = world.operations.now();
    let notice = Notice {
        reference: "GN 1/2026".to_owned(),
        site: Some(north.clone()),
        begins: now,
        ends: now.plus_millis(60 * MINUTE),
        reason: "power failure".to_owned(),
    };
    world.operations.publish_notice(notice.clone(), "admin").await.unwrap();
    assert!(world.operations.publish_notice(notice, "admin").await.is_err(), "one reference, one notice");
    assert_eq!(world.status(&movement).await, MovementStatus::Ready, "what is missing is waived");
    assert!(world.store.withdraw_notice("GN 1/2026", "admin", now).await.unwrap());
    assert_eq!(world.status(&movement).await, MovementStatus::Bundled);
}

async fn what_is_lodged_together_is_there_and_found(world: &World) {
    let many = vec![consignment(); 450];
    let ccrns = world.operations.lodge_many(&world.shipper, many).await.unwrap();
    assert_eq!(ccrns.len(), 450);
    let at_once = (0..100).map(|_| world.operations.lodge(&world.shipper, consignment()));
    let singles = futures::future::join_all(at_once).await;
    assert!(singles.iter().all(Result::is_ok));
    for ccrn in ccrns.iter().step_by(50) {
        assert!(world.operations.consignment(&world.shipper, ccrn).await.is_ok());
    }
    let find = |text: &str| Find { text: text.to_owned(), before: None, most: 50 };
    let by_number = world.operations.consignments(&world.shipper, &find(ccrns[0].as_str())).await.unwrap();
    assert_eq!(by_number.len(), 1);
    let by_name = world.operations.consignments(&world.shipper, &find("kowloon traders 貿")).await.unwrap();
    assert_eq!(by_name.len(), 50);
    assert!(world.operations.consignments(&world.carrier, &find("kowloon")).await.unwrap().is_empty());
    let (mut seen, mut page) = (0, Find { most: 200, ..Find::default() });
    loop {
        let rows = world.operations.consignments(&world.shipper, &page).await.unwrap();
        let Some(last) = rows.last() else { break };
        seen += rows.len();
        page.before = Some((last.lodged_at.0, last.ccrn.to_string()));
    }
    assert!(seen >= 550, "{seen}");
    let by_mark = world.operations.movements(&world.carrier, &find("ac 1")).await.unwrap();
    assert!(by_mark.is_empty(), "swapped away");
    assert_eq!(world.operations.movements(&world.carrier, &find("ac2")).await.unwrap().len(), 1);
    let bad = Consignment { packages: 0, ..consignment() };
    assert_eq!(
        faults(&world.operations.lodge(&world.shipper, bad).await.unwrap_err()),
        [("/packages", &Fault::Number { least: 1, most: 1_000_000 })]
    );
}

/// Every consignment of the shipper, page by page.
async fn all_lodged(world: &World) -> Vec<ConsignmentRow> {
    let (mut all, mut page) = (Vec::new(), Find { most: 100, ..Find::default() });
    loop {
        let rows = world.operations.consignments(&world.shipper, &page).await.unwrap();
        let Some(last) = rows.last() else { return all };
        page.before = Some((last.lodged_at.0, last.ccrn.to_string()));
        all.extend(rows);
    }
}

async fn lists_have_an_end_and_are_of_one_status(world: &World) {
    let all = all_lodged(world).await;
    let named = all.iter().filter(|row| row.consignment.folded_consignee().starts_with("kowl")).count();
    let prefix = all[0].ccrn.as_str()[..4].to_owned();
    let numbered = all.iter().filter(|row| row.ccrn.as_str().starts_with(&prefix)).count();
    for (text, most, expected) in
        [("kowl", 70, named), (prefix.as_str(), 1, numbered), ("Kowloon traders 貿", 70, named)]
    {
        let mut found = BTreeSet::new();
        let mut page = Find { text: text.to_owned(), before: None, most };
        loop {
            let rows = world.operations.consignments(&world.shipper, &page).await.unwrap();
            let Some(last) = rows.last() else { break };
            page.before = Some((last.lodged_at.0, last.ccrn.to_string()));
            assert!(rows.into_iter().all(|row| found.insert(row.ccrn)), "{text}: one is found twice");
        }
        assert_eq!(found.len(), expected, "{text}: to the end");
    }
    assert!(named > 500 && numbered > 0);
    for status in ConsignmentStatus::ALL {
        let (mut found, mut before) = (0, None);
        loop {
            let page = world.operations.consignments_at(&world.shipper, status, before, 90).await.unwrap();
            found += page.items.len();
            assert!(page.items.iter().all(|row| stands(row) == status), "{status:?}");
            before = page.next;
            if before.is_none() {
                break;
            }
        }
        let expected = all.iter().filter(|row| stands(row) == status).count();
        assert_eq!((found, found > 0), (expected, true), "{status:?}");
    }
    movements_are_listed_by_status(world).await;
}

fn stands(row: &ConsignmentRow) -> ConsignmentStatus {
    match (row.cancelled, &row.movement) {
        (true, _) => ConsignmentStatus::Cancelled,
        (false, None) => ConsignmentStatus::Lodged,
        (false, Some(_)) => ConsignmentStatus::Bundled,
    }
}

async fn movements_are_listed_by_status(world: &World) {
    let all = Find { most: 1_000, ..Find::default() };
    let mut kinds = BTreeSet::new();
    // Now, and when the time of what has not come is over.
    for minutes in [0, 30 * 24 * 60] {
        world.pass(minutes);
        for caller in [&world.carrier, &world.pupil] {
            let movements = world.operations.movements(caller, &all).await.unwrap();
            for status in MovementStatus::ALL {
                let mut expected = Vec::new();
                for movement in &movements {
                    if world.status(&movement.id.parse().unwrap()).await == status {
                        expected.push(movement.id.clone());
                    }
                }
                let (mut found, mut before) = (Vec::new(), None);
                loop {
                    let page = world.operations.movements_at(caller, status, before, 2).await.unwrap();
                    found.extend(page.items.into_iter().map(|row| row.id));
                    before = page.next;
                    if before.is_none() {
                        break;
                    }
                }
                assert_eq!(found, expected, "{status}");
                kinds.extend((!found.is_empty()).then_some(status));
            }
        }
        world.pass(-minutes);
    }
    assert!(kinds.len() >= 7, "{kinds:?}");
}

async fn two_centrals_share_a_database(world: &World) {
    let other = open(&world.database, &world.sites).await;
    let theirs = operations(&other, &world.now, &world.sites);
    let before = world.store.chain(&world.sites[1]).await.unwrap().len();
    let vehicles = (0..40).map(|number| async move {
        let bundling =
            Bundling { site: Some(world.sites[1].clone()), ..world.bundling(&format!("AH{number}"), &[]) };
        world.operations.bundle(&world.carrier, bundling).await.unwrap()
    });
    let movements = futures::future::join_all(vehicles).await;
    let assessed = movements.iter().enumerate().map(|(i, movement)| {
        let desk = if i % 2 == 0 { &world.operations } else { &theirs };
        desk.assess(movement, ActionCode::Release, None, "low risk", "selector")
    });
    assert!(futures::future::join_all(assessed).await.iter().all(Result::is_ok));
    let after = world.store.chain(&world.sites[1]).await.unwrap().len();
    assert_eq!(after - before, 40, "dense, whoever has committed");
    let checked = central::storage::check::check(&world.database, world.store.signer(), None).await.unwrap();
    assert_eq!(checked.findings, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn on_sqlite() {
    let dir = TempDir::new().unwrap();
    // What means something in an address is part of a path all the same.
    let folder = dir.path().join("100% of #1?");
    std::fs::create_dir(&folder).unwrap();
    everything(&World::new(Database::Sqlite(folder.join("central.sqlite"))).await).await;
    assert!(folder.join("central.sqlite").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn on_postgresql() {
    let server = match Postgres::start() {
        Ok(server) => server,
        Err(why) => return eprintln!("skipped: {why}"),
    };
    everything(&World::new(Database::Postgres(server.url())).await).await;
}
