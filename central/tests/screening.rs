//! Screening over a running central: a movement is assessed when it is bundled, and again whenever it or the policy changes.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use central::clock::Clock;
use central::config::Config;
use central::officers::{Role, token_hash};
use central::screening::rules::{self, Hand, NotDone, Sight};
use central::screening::{
    ImportList, NotTaken, NotTold, approve, put_list, put_policy, replay, tell, typed, verify_all,
};
use central::secrets::Vault;
use central::storage::check::check;
use central::storage::screening::{NotApproved, NotKept};
use central::storage::trade::{EventRow, KeptSince};
use central::storage::{Database, Store};
use central::trade::{MovementStatus, News, Place};
use central::workbench::decision::{Basis, DecisionState};
use central::{Central, keys, open_store};
use clearance::directive::ActionCode;
use clearance::finding::Grade;
use clearance::ids::{Digest, Epoch, PassageId, Revision, UtcMillis};
use clearance::passage::{DecisionRecord, Outcome, PassageEvent, PassageStep};
use jiff::tz::TimeZone;
use reqwest::Method;
use risk::assessment::Confidentiality;
use risk::dossier::{Refusal, Stage};
use risk::lists::{ListHeader, ListKind};
use risk::policy::{Exploration, ListUse, Quota, RandomShares, Rule};
use risk::rules::{RuleDraft, RuleExample};
use risk::{Colour, Decision, Measure, Policy, Probability, Reason};
use serde_json::{Value, json};
use tempfile::TempDir;

mod support;

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

/// A place without a cut-off.
const OPEN: &str = "time_zone = \"Asia/Hong_Kong\"\n[[rules]]\nfrom = \"2010-01-01\"\nphase = \"mandatory\"\n\
    cut_off_minutes = 0\nlodging_window_days = 14\n";

struct Office {
    central: Central,
    database: Database,
    store: Store,
    place: Place,
    vault: Vault,
    /// How far central's clock is ahead, milliseconds.
    ahead: Arc<AtomicI64>,
    http: reqwest::Client,
    _folder: TempDir,
}

impl Office {
    async fn start(database: Option<&str>) -> Self {
        Self::start_with(database, "").await
    }

    /// `more`: further lines of the configuration.
    async fn start_with(database: Option<&str>, more: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let key = folder.path().join("central.key");
        keys::generate(&key).unwrap();
        let database = database.map(|url| format!("database = \"{url}\"\n")).unwrap_or_default();
        let path = folder.path().join("central.toml");
        let text = format!(
            "http = \"127.0.0.1:0\"\nzenoh = [\"tcp/127.0.0.1:0\"]\ndata_dir = \"data\"\nkey_file = \"central.key\"\n\
             sites = [\"lok-ma-chau\"]\nplace = \"place.toml\"\nrate_limit = {{ per_second = 100000, burst = 100000 }}\n{database}{more}[edges]\n"
        );
        std::fs::write(folder.path().join("place.toml"), OPEN).unwrap();
        std::fs::write(&path, text).unwrap();
        let config = Config::load(&path).unwrap();
        let store = open_store(&config, Arc::new(keys::load(&key).unwrap())).await.unwrap();
        let acme = "acme".parse().unwrap();
        store.add_trader(&acme, "Acme", false, "test", UtcMillis(0)).await.unwrap();
        store.put_token(&token_hash("trade"), "shipper", Role::Trade.name(), Some(&acme)).await.unwrap();
        store.put_token(&token_hash("selector"), "selector", Role::Selector.name(), None).await.unwrap();
        store.put_token(&token_hash("inspector"), "bay", Role::Inspector.name(), None).await.unwrap();
        let ahead = Arc::new(AtomicI64::new(0));
        let shifted = Arc::clone(&ahead);
        let clock = Clock::of(move || Clock::system().now().plus_millis(shifted.load(Ordering::SeqCst)));
        let central = Central::start(&config, clock).await.unwrap();
        let database = central::database(&config);
        Self {
            central,
            database,
            store,
            place: config.place().unwrap(),
            vault: config.vault().unwrap(),
            ahead,
            http: reqwest::Client::new(),
            _folder: folder,
        }
    }

    async fn call(&self, method: Method, path: &str, token: &str, body: &Value) -> (u16, Value) {
        let address = format!("http://{}{path}", self.central.http());
        let request = self.http.request(method, address).bearer_auth(token).header("If-Match", "*");
        let answer = request.json(body).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap_or(Value::Null))
    }

    /// Lodge and bundle; gives the CCRN and the movement.
    async fn truck(&self, mark: &str, consignee: &str) -> (String, String) {
        let mut body = consignment(consignee);
        body["expected_date"] = json!(self.soon().date());
        let (status, lodged) = self.call(Method::POST, "/api/v1/consignments", "trade", &body).await;
        assert_eq!(status, 201, "{lodged}");
        let bundle = json!({ "ccrns": [lodged["ccrn"]], "mark": mark, "site": "lok-ma-chau",
            "expected_arrival": self.soon().timestamp() });
        let (status, bundled) = self.call(Method::POST, "/api/v1/bundles", "trade", &bundle).await;
        assert_eq!(status, 201, "{bundled}");
        (lodged["ccrn"].as_str().unwrap().to_owned(), bundled["movement"].as_str().unwrap().to_owned())
    }

    fn now(&self) -> UtcMillis {
        Clock::system().now().plus_millis(self.ahead.load(Ordering::SeqCst))
    }

    /// In half an hour, by central's clock.
    fn soon(&self) -> jiff::ZonedDateTime {
        let soon = jiff::Timestamp::from_millisecond(self.now().plus_millis(30 * MINUTE).0).unwrap();
        soon.in_tz("Asia/Hong_Kong").unwrap()
    }

    fn pass(&self, milliseconds: i64) {
        self.ahead.fetch_add(milliseconds, Ordering::SeqCst);
    }

    /// A lane has decided about a movement's vehicle.
    async fn at_the_lane(&self, movement: &str, outcome: Outcome) {
        let what = PassageStep::Decided(DecisionRecord {
            outcome,
            reason: clearance::decide::Reason::Directive,
            movement: Some(movement.parse().unwrap()),
            order: None,
            plates: Vec::new(),
            epoch: Epoch(1),
            revision: Revision(1),
            model: Digest([0; 32]),
        });
        let event = PassageEvent {
            site: "lok-ma-chau".parse().unwrap(),
            lane: "lane-1".parse().unwrap(),
            edge: "edge-1".parse().unwrap(),
            passage: PassageId(Digest::of(movement.as_bytes()).0[..16].try_into().unwrap()),
            step: 0,
            at: self.now(),
            what,
        };
        self.store.store_event(&event).await.unwrap();
    }

    /// A lane has directed it to an inspection, which gave this.
    async fn inspected(&self, movement: &str, result: &str) {
        self.at_the_lane(movement, Outcome::Directed(ActionCode::Inspect)).await;
        let path = format!("/api/v1/movements/{movement}/inspection");
        let (status, answer) = self.call(Method::PUT, &path, "inspector", &json!({ "result": result })).await;
        assert_eq!(status, 204, "{answer}");
    }

    /// Movements that wait for an assessment by a policy.
    async fn waiting(&self, policy: u32) -> Vec<String> {
        let now = self.now();
        let waiting = self.store.to_screen(policy, (now, self.place.ended(now)), 100).await.unwrap();
        waiting.into_iter().map(|(movement, _)| movement).collect()
    }

    /// Put a policy into force.
    async fn rules(&self, policy: Policy) -> u32 {
        let now = UtcMillis(1);
        let version = put_policy(&self.store, &self.zone(), policy, "chan", now).await.unwrap();
        approve(&self.store, version, "wong", now).await.unwrap();
        version
    }

    fn zone(&self) -> TimeZone {
        self.place.zone.clone()
    }

    /// The movement's latest decision by a policy, and its code then.
    async fn decided(&self, movement: &str, policy: u32) -> (Decision, Option<String>) {
        let id = movement.parse().unwrap();
        for _ in 0..600 {
            if let Some(row) = self.store.assessment(movement).await.unwrap()
                && row.policy == i64::from(policy)
            {
                let code = self.store.movement(&id).await.unwrap().unwrap().action;
                return (row.decision().unwrap(), code);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{movement} was not assessed by policy {policy}");
    }

    async fn replays(&self) -> u64 {
        let replayed = replay(&self.store, &self.place).await.unwrap();
        assert_eq!(replayed.others, Vec::<String>::new());
        replayed.same
    }
}

fn consignment(consignee: &str) -> Value {
    json!({ "direction": "inbound", "packages": 3, "package_kind": "CT", "description": "toys",
        "consignor": { "name": "Playful Factory", "address": "B" }, "consignee": { "name": consignee, "address": "D" },
        "expected_date": soon().date(), "origin": "CN", "value_hkd": 90_000 })
}

fn soon() -> jiff::ZonedDateTime {
    let soon = jiff::Timestamp::now().checked_add(Duration::from_mins(30)).unwrap();
    soon.in_tz("Asia/Hong_Kong").unwrap()
}

fn rule(id: &str, condition: &str, measure: Measure) -> Rule {
    Rule {
        id: id.to_owned(),
        version: 1,
        condition: condition.to_owned(),
        measure,
        from: UtcMillis(0),
        until: None,
    }
}

fn policy(rules: Vec<Rule>) -> Policy {
    Policy { rules, ..Policy::default() }
}

/// Holds for consignees of that name.
fn for_consignee(name: &str) -> String {
    format!("consignments.exists(c, c.consignee.name == \"{name}\")")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundled_movement_gets_its_code_by_the_policy_in_force_and_every_decision_can_be_made_again() {
    let office = Office::start(None).await;
    let (_, early) = office.truck("AB1", "Happy Shop").await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert!(office.store.assessment(&early).await.unwrap().is_none(), "there is no policy");

    let wanted = rule("gloomy", &for_consignee("Gloomy Shop"), Measure::Inspect);
    let now = UtcMillis(1);
    let version = put_policy(&office.store, &office.zone(), policy(vec![wanted]), "chan", now).await.unwrap();
    let own = approve(&office.store, version, "chan", now).await.unwrap_err();
    assert!(matches!(own, NotApproved::OwnWork(_)), "{own}");
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert!(office.store.assessment(&early).await.unwrap().is_none(), "nobody else has approved it");
    approve(&office.store, version, "wong", now).await.unwrap();

    // What waited is assessed, and so is what comes.
    assert_eq!(office.decided(&early, version).await.1.as_deref(), Some("release"));
    let (ccrn, movement) = office.truck("AB2", "Gloomy Shop").await;
    let (decision, code) = office.decided(&movement, version).await;
    assert_eq!(code.as_deref(), Some("inspect"));
    assert!(matches!(&decision.assessment.reasons[..], [Reason::Rule { rule, .. }] if rule == "gloomy"));

    // Amended, it is another matter; and the code follows at once.
    let path = format!("/api/v1/consignments/{ccrn}");
    let (status, answer) = office.call(Method::PUT, &path, "trade", &consignment("Happy Shop")).await;
    assert_eq!(status, 200, "{answer}");
    let mut code = None;
    for _ in 0..200 {
        code = office.store.movement(&movement.parse().unwrap()).await.unwrap().unwrap().action;
        if code.as_deref() == Some("release") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(code.as_deref(), Some("release"));
    assert_eq!(office.replays().await, 3);
    // Nobody of the trade sees why.
    let seen =
        office.call(Method::GET, &format!("/api/v1/movements/{movement}"), "trade", &json!(null)).await.1;
    let history = office
        .call(Method::GET, &format!("/api/v1/movements/{movement}/history"), "trade", &json!(null))
        .await
        .1;
    for word in ["gloomy", "rule", "reason", "screening", "colour", "score"] {
        assert!(!format!("{seen}{history}").contains(word), "{word}: {seen} {history}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_officers_code_stands_until_screening_becomes_stricter() {
    let office = Office::start(None).await;
    let first = office
        .rules(policy(vec![rule(
            "toys",
            "consignments.exists(c, c.description == \"toys\")",
            Measure::Inspect,
        )]))
        .await;
    let (_, movement) = office.truck("AB3", "Happy Shop").await;
    assert_eq!(office.decided(&movement, first).await.1.as_deref(), Some("inspect"));
    let path = format!("/api/v1/movements/{movement}/action");
    let body = |action: &str| json!({ "action": action, "reason": "known shop" });
    let (status, answer) = office.call(Method::PUT, &path, "selector", &body("escort")).await;
    assert_eq!((status, &answer["holds"]), (202, &json!("inspect")), "less than screening says");
    let (status, answer) = office.call(Method::PUT, &path, "selector", &body("inspect")).await;
    assert_eq!(status, 204, "{answer}");
    // A policy that holds nothing against it does not let it go by itself.
    let second = office.rules(policy(Vec::new())).await;
    assert_eq!(office.decided(&movement, second).await.1.as_deref(), Some("inspect"));
    // A watch list that names it does.
    let header = ListHeader {
        list: "wanted".to_owned(),
        version: 1,
        kind: ListKind::Companies,
        measure: Measure::Detain,
        source: "liaison".to_owned(),
        confidentiality: Confidentiality::Selectors,
        matching: ListKind::Companies.usual_matching(),
    };
    let list = ImportList { header, file: b"entry,name\n1,HAPPY SHOP LTD\n".to_vec() };
    let digest = put_list(&office.store, &office.zone(), list, "chan", UtcMillis(1)).await.unwrap();
    let lists = vec![ListUse { list: "wanted".to_owned(), digest }];
    let third = office.rules(Policy { lists, ..Policy::default() }).await;
    let (decision, code) = office.decided(&movement, third).await;
    assert_eq!(code.as_deref(), Some("detain"), "{:?}", decision.assessment.reasons);
    assert_eq!(office.replays().await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_systems_less_strict_code_waits_for_an_officer_and_sent_again_changes_nothing() {
    let office = Office::start(None).await;
    let version =
        office.rules(policy(vec![rule("gloomy", &for_consignee("Gloomy Shop"), Measure::Inspect)])).await;
    let (_, movement) = office.truck("AB9", "Gloomy Shop").await;
    assert_eq!(office.decided(&movement, version).await.1.as_deref(), Some("inspect"));
    let path = format!("/api/v1/movements/{movement}/action");
    let body = json!({ "action": "release", "reason": "our own system says so" });
    for _ in 0..2 {
        let (status, answer) = office.call(Method::PUT, &path, "selector", &body).await;
        assert_eq!((status, &answer["holds"]), (202, &json!("inspect")));
    }
    let id = movement.parse().unwrap();
    let code = async || office.store.movement(&id).await.unwrap().unwrap().action;
    assert_eq!(code().await.as_deref(), Some("inspect"), "the stricter one holds");
    let decisions = office.store.decisions(std::slice::from_ref(&movement)).await.unwrap();
    let waiting: Vec<_> = decisions.iter().filter(|it| it.state == DecisionState::Waiting).collect();
    assert_eq!((decisions.len(), waiting.len(), waiting[0].by.as_str()), (2, 1, "selector"));
    // Taken back and given anew, it is still less than screening says.
    let back = json!({ "reason": "a call" });
    assert_eq!(office.call(Method::DELETE, &path, "selector", &back).await.0, 204);
    assert_eq!(office.call(Method::PUT, &path, "selector", &body).await.0, 202);
    assert_eq!(code().await.as_deref(), Some("inspect"));
    // What screening lets go, a system may let go too; and stricter is at once.
    let (_, other) = office.truck("AB10", "Happy Shop").await;
    assert_eq!(office.decided(&other, version).await.1.as_deref(), Some("release"));
    let path = format!("/api/v1/movements/{other}/action");
    for action in ["release", "documents", "detain"] {
        let body = json!({ "action": action, "reason": "our own system says so" });
        assert_eq!(office.call(Method::PUT, &path, "selector", &body).await.0, 204, "{action}");
    }
    assert_eq!(office.call(Method::PUT, &path, "selector", &body).await.0, 202, "less than before");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_officer_has_taken_back_does_not_come_back_by_another_policy() {
    let office = Office::start(None).await;
    let first = office.rules(policy(Vec::new())).await;
    let (ccrn, movement) = office.truck("AB7", "Happy Shop").await;
    let (_, other) = office.truck("AB8", "Happy Shop").await;
    assert_eq!(office.decided(&movement, first).await.1.as_deref(), Some("release"));
    let path = format!("/api/v1/movements/{movement}/action");
    let (status, answer) =
        office.call(Method::DELETE, &path, "selector", &json!({ "reason": "a call" })).await;
    assert_eq!(status, 204, "{answer}");
    let second =
        office.rules(policy(vec![rule("gloomy", &for_consignee("Gloomy Shop"), Measure::Inspect)])).await;
    office.decided(&other, second).await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    let id = movement.parse().unwrap();
    assert_eq!(office.store.movement(&id).await.unwrap().unwrap().action, None);
    // Declared otherwise, it is another matter.
    let path = format!("/api/v1/consignments/{ccrn}");
    let (status, answer) = office.call(Method::PUT, &path, "trade", &consignment("Gloomy Shop")).await;
    assert_eq!(status, 200, "{answer}");
    office.gets(&movement, "inspect").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_that_begins_later_holds_for_what_was_assessed_before() {
    let office = Office::start(None).await;
    let begins = UtcMillis(jiff::Timestamp::now().as_millisecond() + 6_000);
    let mut later = rule("toys", "consignments.exists(c, c.description == \"toys\")", Measure::Inspect);
    later.from = begins;
    let version = office.rules(policy(vec![later])).await;
    let (_, movement) = office.truck("AB6", "Happy Shop").await;
    let (before, code) = office.decided(&movement, version).await;
    assert!(before.facts.assessed < begins, "this machine was too slow for the test to mean anything");
    assert_eq!(code.as_deref(), Some("release"));
    for _ in 0..400 {
        let code = office.store.movement(&movement.parse().unwrap()).await.unwrap().unwrap().action;
        if code.as_deref() == Some("inspect") {
            assert_eq!(office.replays().await, 2);
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it was never assessed again");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_at_the_lane_is_assessed_again_until_the_lane_has_signalled() {
    let office = Office::start(None).await;
    let first = office.rules(policy(Vec::new())).await;
    let (_, referred) = office.truck("AB1", "Gloomy Shop").await;
    let (_, gone) = office.truck("AB2", "Gloomy Shop").await;
    for movement in [&referred, &gone] {
        assert_eq!(office.decided(movement, first).await.1.as_deref(), Some("release"));
    }
    office.at_the_lane(&referred, Outcome::Referred).await;
    office.at_the_lane(&gone, Outcome::Released).await;
    let id = referred.parse().unwrap();
    assert!(office.store.movement(&id).await.unwrap().unwrap().arrived().is_some());
    let second =
        office.rules(policy(vec![rule("gloomy", &for_consignee("Gloomy Shop"), Measure::Inspect)])).await;
    assert_eq!(office.decided(&referred, second).await.1.as_deref(), Some("inspect"));
    assert_eq!(office.waiting(second).await, Vec::<String>::new(), "nobody is looked at twice");
    let signalled = office.store.assessment(&gone).await.unwrap().unwrap();
    assert_eq!(signalled.policy, i64::from(first));

    // Whose code is taken back there gets another, and the trade is told nothing that is over.
    let (_, late) = office.truck("AB3", "Happy Shop").await;
    office.decided(&late, second).await;
    office.at_the_lane(&late, Outcome::Referred).await;
    let path = format!("/api/v1/movements/{late}/action");
    for (method, body) in [
        (Method::DELETE, json!({ "reason": "a call" })),
        (Method::PUT, json!({ "action": "inspect", "reason": "he came" })),
    ] {
        let (status, answer) = office.call(method, &path, "selector", &body).await;
        assert_eq!(status, 204, "{answer}");
    }
    let news = office.store.news(&"acme".parse().unwrap(), 0, 100).await.unwrap();
    let stands = |row: &EventRow| matches!(&row.news, News::Status { movement, .. } if *movement == late);
    let last = news.iter().rfind(|row| stands(row)).unwrap();
    assert!(matches!(last.news, News::Status { status: MovementStatus::Arrived, .. }), "{last:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_never_came_is_not_assessed_again() {
    let office = Office::start(None).await;
    let first = office.rules(policy(Vec::new())).await;
    let (_, never) = office.truck("AB1", "Happy Shop").await;
    office.decided(&never, first).await;
    office.pass(15 * DAY);
    let (_, comes) = office.truck("AB2", "Happy Shop").await;
    office.decided(&comes, first).await;
    let second = office.rules(policy(Vec::new())).await;
    office.decided(&comes, second).await;
    assert_eq!(office.waiting(second).await, Vec::<String>::new());
    let expired = office.store.assessment(&never).await.unwrap().unwrap();
    assert_eq!(expired.policy, i64::from(first), "its declaration serves no more");
}

/// A rule of a company is about what happened to whoever is that company, not to who sends or gets the goods.
#[tokio::test(flavor = "multi_thread")]
async fn what_happened_to_a_company_before_is_known_of_it_as_a_carrier_and_as_a_shipper() {
    let office = Office::start(None).await;
    let known = office
        .rules(policy(vec![
            rule("new", "carrier.known_days < 7", Measure::Audit),
            rule("known", "carrier.passages >= 1", Measure::Documents),
            rule("found", "carrier.finds >= 1", Measure::Inspect),
            rule("shipped", "consignments.exists(c, c.shipper.finds >= 2)", Measure::Detain),
        ]))
        .await;
    let hit = async |movement: &str| {
        let (decision, _) = office.decided(movement, known).await;
        let rules = decision.assessment.reasons.into_iter().filter_map(|reason| match reason {
            Reason::Rule { rule, .. } => Some(rule),
            _ => None,
        });
        rules.collect::<Vec<_>>()
    };
    let (_, first) = office.truck("AB1", "First Shop").await;
    assert_eq!(hit(&first).await, ["new"]);
    office.at_the_lane(&first, Outcome::Released).await;
    let (_, second) = office.truck("AB2", "Second Shop").await;
    assert_eq!(hit(&second).await, ["new", "known"]);
    office.inspected(&second, "found").await;
    let (_, third) = office.truck("AB3", "Third Shop").await;
    assert_eq!(hit(&third).await, ["new", "known", "found"]);
    office.inspected(&third, "found").await;
    office.pass(8 * DAY);
    let (_, fourth) = office.truck("AB4", "Fourth Shop").await;
    assert_eq!(hit(&fourth).await, ["known", "found", "shipped"]);
    let (decision, _) = office.decided(&fourth, known).await;
    let (carrier, shipper) =
        (decision.facts.carrier.unwrap(), decision.facts.consignments[0].shipper.clone());
    assert_eq!(
        (carrier.history.passages, carrier.history.inspections, carrier.history.known_days),
        (3, 2, 8)
    );
    assert_eq!(shipper.unwrap().history, carrier.history);
    assert_eq!(office.replays().await, 4);
}

/// A release that somebody may look at first serves later than an inspection; the trade must not see that.
#[tokio::test(flavor = "multi_thread")]
async fn the_trade_is_told_the_same_moment_whatever_the_code() {
    let office = Office::start(None).await;
    let wanted = rule("gloomy", &for_consignee("Gloomy Shop"), Measure::Inspect);
    let version = office.rules(Policy { rules: vec![wanted], look_minutes: 20, ..Policy::default() }).await;
    let mut told = Vec::new();
    for (mark, consignee, expected) in [("AB1", "Happy Shop", "release"), ("AB2", "Gloomy Shop", "inspect")] {
        let (_, movement) = office.truck(mark, consignee).await;
        let (decision, code) = office.decided(&movement, version).await;
        assert_eq!(code.as_deref(), Some(expected));
        assert_eq!(decision.assessment.look_until.is_some(), expected == "release");
        let path = format!("/api/v1/movements/{movement}");
        let (_, seen) = office.call(Method::GET, &path, "trade", &json!(null)).await;
        let news = office.store.news(&"acme".parse().unwrap(), 0, 100).await.unwrap();
        let earliest = news.iter().find_map(|row| match &row.news {
            News::Status { movement: of, earliest, .. } if *of == movement => *earliest,
            _ => None,
        });
        let earliest = earliest.unwrap();
        assert_eq!(seen["readiness"]["earliest"], json!(earliest.0), "{seen}");
        // How long after it was bundled, which is when the cut-off begins.
        let bundled = office.store.movement(&movement.parse().unwrap()).await.unwrap().unwrap().bundled_at;
        told.push(earliest.0 - bundled);
    }
    assert_eq!(told, [0, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_screening_stopped_is_counted_apart_from_what_other_systems_did() {
    let office = Office::start(None).await;
    let since = office.now();
    let version =
        office.rules(policy(vec![rule("gloomy", &for_consignee("Gloomy Shop"), Measure::Inspect)])).await;
    let (_, screened) = office.truck("AB1", "Gloomy Shop").await;
    let (_, other) = office.truck("AB2", "Happy Shop").await;
    for movement in [&screened, &other] {
        office.decided(movement, version).await;
    }
    let body = json!({ "action": "inspect", "reason": "a tip" });
    let path = format!("/api/v1/movements/{other}/action");
    let (status, answer) = office.call(Method::PUT, &path, "selector", &body).await;
    assert_eq!(status, 204, "{answer}");
    office.inspected(&screened, "found").await;
    office.inspected(&other, "nothing_found").await;
    let figures = office.store.figures(since, 0, office.now()).await.unwrap();
    let sources = figures.sources.iter().map(|s| (s.basis, s.given, s.stopped, s.inspected, s.found));
    assert_eq!(
        sources.collect::<Vec<_>>(),
        [(Basis::Engine, 1, 1, 1, 1), (Basis::System, 1, 1, 1, 0)],
        "by screening, and by a system"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_refused_and_what_is_in_force_goes_on() {
    let office = Office::start(None).await;
    let good =
        office.rules(policy(vec![rule("gloomy", &for_consignee("Gloomy Shop"), Measure::Inspect)])).await;
    let (zone, now) = (office.zone(), UtcMillis(1));
    for (condition, said) in [
        ("consignments.exists(c, c.consignee.name > 3)", "string, int"),
        ("consignments.exists(c, c.colour == \"red\")", "colour"),
        ("nonsense(", ""),
        ("lead_minutes", ""),
    ] {
        let bad = policy(vec![rule("bad", condition, Measure::Inspect)]);
        let error = put_policy(&office.store, &zone, bad, "chan", now).await.unwrap_err();
        assert!(matches!(error, NotTaken::Policy(_)), "{error}");
        let text = error.to_string();
        assert!(text.contains("rule bad") && text.contains(said), "{condition}: {text}");
    }
    let header = ListHeader {
        list: "empty".to_owned(),
        version: 1,
        kind: ListKind::Marks,
        measure: Measure::Inspect,
        source: "x".to_owned(),
        confidentiality: Confidentiality::Selectors,
        matching: ListKind::Marks.usual_matching(),
    };
    for file in ["", "entry,name\n"] {
        let list = ImportList { header: header.clone(), file: file.as_bytes().to_vec() };
        let error = put_list(&office.store, &zone, list, "chan", now).await.unwrap_err();
        assert!(error.to_string().contains("no entries"), "{error}");
    }
    let missing = Policy {
        lists: vec![ListUse { list: "wanted".to_owned(), digest: clearance::ids::Digest::of(b"x") }],
        ..Policy::default()
    };
    let error = put_policy(&office.store, &zone, missing, "chan", now).await.unwrap_err();
    assert!(error.to_string().contains("wanted"), "{error}");
    let (_, movement) = office.truck("AB4", "Gloomy Shop").await;
    assert_eq!(office.decided(&movement, good).await.1.as_deref(), Some("inspect"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_asked_is_left_to_an_officer() {
    let office = Office::start(None).await;
    let score = risk::policy::ScoreUse {
        model: clearance::ids::Digest::of(b"a model that is not here"),
        red: Probability::from_millionths(900_000).ok(),
        yellow: None,
        blue: None,
    };
    let version = office.rules(Policy { score: Some(score), ..Policy::default() }).await;
    let (_, movement) = office.truck("AB5", "Happy Shop").await;
    let (decision, code) = office.decided(&movement, version).await;
    assert!(decision.assessment.is_unassessed());
    assert_eq!(code, None, "no code: the lane refers it");
    // What others demand is not taken off by it.
    let rules = vec![rule("all", "consignments.size() > 0", Measure::Detain)];
    let version = office.rules(Policy { score: Some(score), rules, ..Policy::default() }).await;
    assert_eq!(office.decided(&movement, version).await.1.as_deref(), Some("detain"));
    assert_eq!(office.replays().await, 2);
}

/// The folder is changed, then a policy names what is in it now.
#[tokio::test(flavor = "multi_thread")]
async fn another_model_is_taken_without_a_restart_and_an_unsound_one_leaves_the_one_before() {
    let bundle = TempDir::new().unwrap();
    for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../models/bundles/risk-1")).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), bundle.path().join(file.file_name())).unwrap();
    }
    let digest = || risk::score::Scorer::load(bundle.path()).unwrap().digest();
    let office = Office::start_with(None, &format!("risk_model = \"{}\"\n", bundle.path().display())).await;
    let scored_by = |model| Policy {
        score: Some(risk::policy::ScoreUse {
            model,
            red: Probability::from_millionths(1_000_000).ok(),
            yellow: None,
            blue: None,
        }),
        ..Policy::default()
    };
    let first = digest();
    let version = office.rules(scored_by(first)).await;
    let (_, movement) = office.truck("AB6", "Happy Shop").await;
    let (decision, _) = office.decided(&movement, version).await;
    assert_eq!(decision.circumstances.score.map(|score| score.model), Some(first));

    let manifest = bundle.path().join("manifest.json");
    let text = std::fs::read_to_string(&manifest).unwrap();
    std::fs::write(&manifest, text.replace("\"version\": \"2020-12-31\"", "\"version\": \"2021-12-31\""))
        .unwrap();
    let second = digest();
    assert_ne!(second, first);
    let version = office.rules(scored_by(second)).await;
    let (decision, _) = office.decided(&movement, version).await;
    assert_eq!(decision.circumstances.score.map(|score| score.model), Some(second));

    std::fs::write(bundle.path().join("model.onnx"), "no model").unwrap();
    let version = office.rules(scored_by(clearance::ids::Digest::of(b"a third"))).await;
    let (decision, code) = office.decided(&movement, version).await;
    assert!(decision.assessment.is_unassessed(), "it is not the one that the policy names");
    assert_eq!(decision.circumstances.score.map(|score| score.model), Some(second), "the one before goes on");
    assert_eq!(code, None, "no code: the lane refers it");
    assert_eq!(office.replays().await, 3);
}

/// The model knows goods of another country: what comes here is another population, and so more of it is looked at.
#[tokio::test(flavor = "multi_thread")]
async fn more_is_looked_at_when_the_model_meets_vehicles_that_it_does_not_know() {
    let bundle = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/bundles/risk-1");
    let office = Office::start_with(None, &format!("risk_model = \"{bundle}\"\n")).await;
    let share = |millionths| Probability::from_millionths(millionths).unwrap();
    let score = risk::policy::ScoreUse {
        model: risk::score::Scorer::load(std::path::Path::new(bundle)).unwrap().digest(),
        red: Some(Probability::ONE),
        yellow: None,
        blue: None,
    };
    let random = RandomShares { inspect: share(10_000), ..RandomShares::default() };
    let explore =
        Exploration { inspect_shifted: share(200_000), learn: share(20_000), learn_shifted: share(400_000) };
    let policy = Policy { score: Some(score), random, explore: Some(explore), ..Policy::default() };
    let version = office.rules(policy).await;
    let (_, first) = office.truck("DR1", "Happy Shop").await;
    let (calm, _) = office.decided(&first, version).await;
    assert_eq!(calm.circumstances.drift, None, "one movement tells nothing");
    assert_eq!(calm.assessment.drawn.unwrap().inspect, share(10_000));
    let hope = calm.circumstances.score.unwrap().hope.unwrap();
    assert_eq!(calm.assessment.drawn.unwrap().explore, Some(share(20_000).and(hope)));

    let mut last = String::new();
    for number in 2..=230 {
        last = office.truck(&format!("DR{number}"), "Happy Shop").await.1;
    }
    office.decided(&last, version).await;
    let (_, after) = office.truck("DR999", "Happy Shop").await;
    let (shifted, _) = office.decided(&after, version).await;
    assert!(shifted.circumstances.drift.unwrap() >= share(250_000), "{:?}", shifted.circumstances.drift);
    let (drawn, hope) =
        (shifted.assessment.drawn.unwrap(), shifted.circumstances.score.unwrap().hope.unwrap());
    assert_eq!((drawn.inspect, drawn.explore), (share(200_000), Some(share(400_000).and(hope))));
    assert_eq!(office.replays().await, 231);
}

/// Many are decided at the same time, and each counts those before it.
async fn a_quota_is_kept(database: Option<&str>) {
    let office = Office::start(database).await;
    let share = Probability::from_millionths(900_000).unwrap();
    let random = RandomShares { inspect: share, ..RandomShares::default() };
    let quotas = vec![Quota { control_point: None, colour: Colour::Red, per_hour: 5 }];
    let mut movements = Vec::new();
    for number in 0..30 {
        movements.push(office.truck(&format!("RT{}", 100 + number), "Happy Shop").await.1);
    }
    let version = office.rules(Policy { random, quotas, ..Policy::default() }).await;
    let (mut drawn, mut slots) = (0, std::collections::BTreeMap::new());
    for movement in &movements {
        let (decision, _) = office.decided(movement, version).await;
        if decision.assessment.is_random() {
            drawn += 1;
            *slots.entry(decision.circumstances.usage.slot).or_insert(0_u32) += 1;
        }
    }
    assert!(drawn >= 5, "{drawn}");
    assert!(slots.values().all(|count| *count <= 5), "{slots:?}");
    assert_eq!(office.replays().await, 30);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_draw_never_exceeds_its_quota() {
    a_quota_is_kept(None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_draw_never_exceeds_its_quota_on_postgresql() {
    let server = support::Postgres::start().unwrap();
    a_quota_is_kept(Some(&server.url())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_can_verify_a_days_draw_once_nothing_of_the_day_can_cross_and_nobody_before() {
    let office = Office::start(None).await;
    let share = |millionths| Probability::from_millionths(millionths).unwrap();
    let random = RandomShares { inspect: share(400_000), documents: share(300_000), audit: share(0) };
    let version = office.rules(Policy { random, ..Policy::default() }).await;
    let day = office.soon().date();
    for number in 0..8 {
        let (_, movement) = office.truck(&format!("VF{number}"), "Happy Shop").await;
        office.decided(&movement, version).await;
    }
    let (place, vault) = (&office.place, &office.vault);
    let published = async || {
        let address = format!("http://{}/api/v1/draws?from={day}", office.central.http());
        let answer = office.http.get(address).send().await.unwrap();
        assert_eq!(answer.status(), 200, "nobody has to sign in");
        let all = answer.json::<Value>().await.unwrap();
        assert!(all["draws"].as_array().unwrap().len() >= 15, "those to come are committed to: {all}");
        all["draws"][0].clone()
    };
    let before = published().await;
    assert_eq!((&before["day"], before.get("key")), (&json!(day), None), "the key stays where it is");
    // The day is past, but who was expected on it may come still, and must not know.
    for days in [0, 2] {
        office.pass(days * DAY);
        let early = tell(&office.store, vault, (place, office.now()), day, &mut Vec::new()).await;
        assert!(matches!(early, Err(NotTold::NotOver(_))), "{early:?}");
    }
    office.pass(14 * DAY);
    let mut file = Vec::new();
    let told = tell(&office.store, vault, (place, office.now()), day, &mut file).await.unwrap();
    assert_eq!(told, 8);
    let after = published().await;
    assert_eq!(after["commitment"], before["commitment"]);
    let text = String::from_utf8(file).unwrap();
    let head: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!(head, after, "the file has what everybody was told");
    let verified = verify_all(text.as_bytes()).unwrap();
    assert_eq!((verified.draws, json!(verified.commitment.digest)), (8, before["commitment"].clone()));

    let tampered = |line: usize, change: &dyn Fn(&mut Value)| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let mut value: Value = serde_json::from_str(&lines[line - 1]).unwrap();
        change(&mut value);
        lines[line - 1] = value.to_string();
        verify_all(lines.join("\n").as_bytes()).unwrap_err().to_string()
    };
    let another = json!(Digest::of(b"another"));
    for (line, change, said) in [
        (1, (&|v: &mut Value| v["key"] = another.clone()) as &dyn Fn(&mut Value), "not the one committed to"),
        (3, &|v: &mut Value| v["draw"]["subject"]["mark"] = json!("ZZ1"), "the key gives"),
        (4, &|v: &mut Value| v["draw"]["subject"]["passages"] = json!(7), "the key gives"),
        (5, &|v: &mut Value| v["draw"]["ticket"] = json!(999_999), "the key gives"),
        (6, &|v: &mut Value| v["drawn"]["ticket"] = json!(999_999), "was decided by"),
        (7, &|v: &mut Value| v["drawn"]["measure"] = json!("audit"), "the ticket is drawn for"),
        (8, &|v: &mut Value| v["more"] = json!(1), "not as"),
    ] {
        let error = tampered(line, change);
        assert!(error.starts_with(&format!("line {line}: ")) && error.contains(said), "{error}");
    }
}

/// What was decided outlives the declaration, and can be made again without it.
async fn a_decision_is_kept(database: Option<&str>) {
    let office = Office::start(database).await;
    let version = office.rules(policy(Vec::new())).await;
    let (_, movement) = office.truck("AB1", "Happy Shop").await;
    office.decided(&movement, version).await;
    let roll_off = async || {
        let now = office.now();
        let since = |days: u32| now.plus_millis(-i64::from(days) * DAY);
        let place = &office.place;
        let kept = KeptSince {
            declarations: since(place.retention_days),
            decisions: since(place.decision_retention_days),
        };
        office.store.roll_off(kept, now).await.unwrap();
    };
    let kept = async || {
        let declared = office.store.movement(&movement.parse().unwrap()).await.unwrap().is_some();
        let decisions = office.store.decisions(std::slice::from_ref(&movement)).await.unwrap().len();
        (declared, decisions, office.store.assessments(&movement).await.unwrap().len())
    };
    office.pass(60 * DAY);
    roll_off().await;
    assert_eq!(kept().await, (true, 1, 1));
    office.pass(60 * DAY);
    roll_off().await;
    assert_eq!(kept().await, (false, 1, 1));
    assert_eq!(office.replays().await, 1);
    let report = check(&office.database, office.store.signer(), None).await.unwrap();
    let damage: Vec<_> = report.findings.iter().filter(|f| f.grade == Grade::Damage).collect();
    assert!(damage.is_empty(), "{damage:#?}");
    office.pass(7 * 366 * DAY);
    roll_off().await;
    assert_eq!(kept().await, (false, 0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_can_be_made_again_long_after_its_declaration_has_rolled_off() {
    a_decision_is_kept(None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_can_be_made_again_long_after_its_declaration_has_rolled_off_on_postgresql() {
    let server = support::Postgres::start().unwrap();
    a_decision_is_kept(Some(&server.url())).await;
}

/// A draft with an example for which it holds and one for which it does not.
fn draft(id: &str, consignee: &str) -> RuleDraft {
    let facts = risk::example::facts();
    let mut hit = facts.clone();
    consignee.clone_into(&mut hit.consignments[0].consignee.name);
    let example = |name: &str, holds, facts| RuleExample { name: name.to_owned(), holds, facts };
    RuleDraft {
        rule: rule(id, &for_consignee(consignee), Measure::Inspect),
        purpose: "they were found out last month".to_owned(),
        examples: vec![example("them", true, hit), example("others", false, facts)],
    }
}

fn hand(name: &str) -> Hand {
    Hand { by: name.parse().unwrap(), at: Clock::system().now() }
}

impl Office {
    /// A version of a rule as it is now.
    async fn sight(&self, rule: &str, version: u32) -> Sight {
        let steps = self.store.rule(rule, version).await.unwrap().unwrap().steps;
        Sight { rule: rule.to_owned(), version, steps }
    }

    async fn stage(&self, rule: &str, version: u32) -> Stage {
        self.store.rule(rule, version).await.unwrap().unwrap().dossier().unwrap().stage()
    }

    async fn in_force(&self) -> Vec<(String, u32)> {
        let version = self.store.policy_in_force().await.unwrap().unwrap();
        let policy = self.store.policy(version).await.unwrap().unwrap().policy().unwrap();
        policy.rules.into_iter().map(|rule| (rule.id, rule.version)).collect()
    }

    /// The movement has this code in the end.
    async fn gets(&self, movement: &str, code: &str) {
        let id = movement.parse().unwrap();
        for _ in 0..400 {
            if self.store.movement(&id).await.unwrap().unwrap().action.as_deref() == Some(code) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{movement} did not get {code}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_rule_that_was_typed_into_a_policy_would_have_done_is_told_before_it_is_approved() {
    let office = Office::start(None).await;
    let old = rule("old", &for_consignee("Old Shop"), Measure::Documents);
    let first = office.rules(policy(vec![old.clone()])).await;
    let (_, gloomy) = office.truck("AB1", "Gloomy Shop").await;
    let (_, other) = office.truck("AB2", "Old Shop").await;
    for movement in [&gloomy, &other] {
        office.decided(movement, first).await;
    }
    office.inspected(&gloomy, "found").await;
    let new = rule("gloomy", &for_consignee("Gloomy Shop"), Measure::Inspect);
    let changed = Rule { measure: Measure::Inspect, ..old.clone() };
    let said = async |rules: Vec<Rule>| {
        let version = put_policy(&office.store, &office.zone(), policy(rules), "chan", office.now()).await;
        let typed = typed(&office.store, version.unwrap(), office.now()).await.unwrap();
        typed.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(said(vec![old.clone()]).await, Vec::<String>::new(), "it is in force already");
    assert_eq!(
        said(vec![old, new.clone()]).await,
        [
            "rule gloomy 1 (inspect): of 2 movements of 1 days it would have hit 1 (1.00 a day), 1 of them harder than was \
          decided; 1 hits were inspected, 1 with a find (100.0%)"
        ]
    );
    let of_both = said(vec![changed, new]).await;
    assert!(of_both[0].starts_with("rule old 1 (inspect): ") && of_both.len() == 2, "{of_both:?}");
}

/// From a draft over its simulation and a second pair of eyes into force, to its first hits and out of force again.
async fn a_rule_lives(database: Option<&str>) {
    let office = Office::start(database).await;
    let (store, zone) = (&office.store, office.zone());
    // Without a policy there is nothing to add to, and a policy of one rule would let everything else go.
    rules::write(store, draft("gloomy", "Gloomy Shop"), None, hand("chan")).await.unwrap();
    let sight = office.sight("gloomy", 1).await;
    let early = rules::enforce(store, &zone, &sight, hand("wong")).await.unwrap_err();
    assert!(matches!(early, NotDone::Refused(Refusal::NotSimulated)), "{early}");
    rules::simulate(store, &sight, UtcMillis(0), hand("chan")).await.unwrap();
    let sight = office.sight("gloomy", 1).await;
    let alone = rules::enforce(store, &zone, &sight, hand("wong")).await.unwrap_err();
    assert!(matches!(alone, NotDone::NoPolicy), "{alone}");

    let base = office.rules(policy(vec![rule("old", &for_consignee("Old Shop"), Measure::Documents)])).await;
    let (_, open) = office.truck("AB1", "Gloomy Shop").await;
    let (_, other) = office.truck("AB2", "Old Shop").await;
    assert_eq!(office.decided(&open, base).await.1.as_deref(), Some("release"));
    assert_eq!(office.decided(&other, base).await.1.as_deref(), Some("documents"));

    // Simulated again, it says what it would have done.
    let simulated = rules::simulate(store, &sight, UtcMillis(0), hand("chan")).await.unwrap();
    let report = &simulated.report;
    assert_eq!((report.movements, report.hits, report.stricter, report.days), (2, 1, 1, 1));
    assert_eq!(simulated.hits, [open.as_str()]);
    assert_eq!(store.rule("gloomy", 1).await.unwrap().unwrap().report().unwrap().as_ref(), Some(report));
    // Who looked before it was simulated again looks at something else.
    let stale = rules::enforce(store, &zone, &sight, hand("wong")).await.unwrap_err();
    assert!(matches!(stale, NotDone::NotKept(NotKept::Changed)), "{stale}");
    let sight = office.sight("gloomy", 1).await;
    let own = rules::enforce(store, &zone, &sight, hand("chan")).await.unwrap_err();
    assert!(matches!(own, NotDone::Refused(Refusal::SameEyes(_))), "{own}");

    // Two agree at the same moment: one of them puts it into force.
    let (first, second) = tokio::join!(
        rules::enforce(store, &zone, &sight, hand("wong")),
        rules::enforce(store, &zone, &sight, hand("lam"))
    );
    assert_eq!([&first, &second].iter().filter(|done| done.is_ok()).count(), 1, "{first:?} {second:?}");
    let in_force = store.policy_in_force().await.unwrap().unwrap();
    assert_eq!(in_force, base + 1);
    assert_eq!(office.in_force().await, [("old".to_owned(), 1), ("gloomy".to_owned(), 1)]);
    // What was open is assessed again, and what comes is hit.
    office.gets(&open, "inspect").await;
    office.gets(&other, "documents").await;
    let (_, next) = office.truck("AB3", "Gloomy Shop").await;
    office.gets(&next, "inspect").await;
    let hits = store.rule_hits("gloomy", 1, true, 10).await.unwrap();
    let hit: Vec<_> = hits.iter().map(|hit| (hit.movement.as_str(), hit.mark.as_str())).collect();
    assert_eq!(hit, [(open.as_str(), "AB1"), (next.as_str(), "AB3")]);
    let counts = store.rule_hit_counts(UtcMillis(0)).await.unwrap();
    assert_eq!(counts, [("gloomy".to_owned(), 1, 2), ("old".to_owned(), 1, 1)]);

    // A version that begins later would leave a gap.
    let sight = office.sight("gloomy", 1).await;
    let mut later = draft("gloomy", "Gloomier Shop");
    later.rule.from = Clock::system().now().plus_millis(60_000);
    assert_eq!(rules::write(store, later, Some(&sight), hand("wong")).await.unwrap(), 2);
    rules::simulate(store, &office.sight("gloomy", 2).await, UtcMillis(0), hand("wong")).await.unwrap();
    let gap = rules::enforce(store, &zone, &office.sight("gloomy", 2).await, hand("chan")).await.unwrap_err();
    assert!(matches!(gap, NotDone::Gap), "{gap}");
    // Written otherwise, it takes the first one's place, which is out of force then.
    let sight = office.sight("gloomy", 2).await;
    let mut better = draft("gloomy", "Gloomier Shop");
    better.rule.measure = Measure::Detain;
    assert_eq!(rules::write(store, better, Some(&sight), hand("wong")).await.unwrap(), 2);
    let second = office.sight("gloomy", 2).await;
    rules::simulate(store, &second, UtcMillis(0), hand("wong")).await.unwrap();
    rules::enforce(store, &zone, &office.sight("gloomy", 2).await, hand("chan")).await.unwrap();
    assert_eq!(office.in_force().await, [("old".to_owned(), 1), ("gloomy".to_owned(), 2)]);
    assert_eq!(office.stage("gloomy", 1).await, Stage::Withdrawn);
    office.gets(&open, "release").await;
    office.gets(&next, "release").await;
    assert!(store.rule_hits("gloomy", 1, true, 10).await.unwrap().is_empty(), "it is no reason any more");

    // Out of force by two.
    let sight = office.sight("gloomy", 2).await;
    let alone = rules::withdraw(store, &zone, &sight, hand("lam")).await.unwrap_err();
    assert!(matches!(alone, NotDone::Refused(Refusal::AskFirst)), "{alone}");
    rules::ask_withdrawal(store, &sight, Some("no finds".to_owned()), hand("lam")).await.unwrap();
    let sight = office.sight("gloomy", 2).await;
    let alone = rules::withdraw(store, &zone, &sight, hand("lam")).await.unwrap_err();
    assert!(matches!(alone, NotDone::Refused(Refusal::OwnRequest(_))), "{alone}");
    rules::withdraw(store, &zone, &sight, hand("chan")).await.unwrap();
    assert_eq!(office.in_force().await, [("old".to_owned(), 1)]);
    assert!(office.replays().await > 5);
    let report = check(&office.database, store.signer(), None).await.unwrap();
    let damage: Vec<_> = report.findings.iter().filter(|f| f.grade == Grade::Damage).collect();
    assert!(damage.is_empty(), "{damage:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_goes_from_a_draft_into_force_to_its_first_hit_and_out_again() {
    a_rule_lives(None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_goes_from_a_draft_into_force_to_its_first_hit_and_out_again_on_postgresql() {
    let server = support::Postgres::start().unwrap();
    a_rule_lives(Some(&server.url())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_unsound_of_a_rule_is_told_and_not_kept() {
    let office = Office::start(None).await;
    let store = &office.store;
    let written = |change: fn(&mut RuleDraft)| {
        let mut draft = draft("gloomy", "Gloomy Shop");
        change(&mut draft);
        rules::write(store, draft, None, hand("chan"))
    };
    for (change, said) in [
        ((|d| "nonsense(".clone_into(&mut d.rule.condition)) as fn(&mut RuleDraft), "at character"),
        (|d| "colour == 'red'".clone_into(&mut d.rule.condition), "colour"),
        (|d| "hour == 'red'".clone_into(&mut d.rule.condition), "character"),
        (|d| "hour".clone_into(&mut d.rule.condition), "true or false"),
        (
            |d| {
                "consignments.all(a, consignments.all(b, consignments.all(c, consignments.all(d, d.packages > 1))))"
                    .clone_into(&mut d.rule.condition);
            },
            "it may go over consignments",
        ),
        (|d| d.purpose.clear(), "what the rule is for"),
        (|d| d.examples.truncate(1), "needs an example"),
        (|d| d.examples.iter_mut().for_each(|e| e.holds = !e.holds), "it holds, and should not"),
        (|d| "Gloomy Rule".clone_into(&mut d.rule.id), "lower-case"),
        (|d| d.rule.measure = Measure::Release, "release"),
    ] {
        let error = written(change).await.unwrap_err();
        assert!(matches!(error, NotDone::Draft(_)) && error.to_string().contains(said), "{said}: {error}");
    }
    assert!(store.rules(10).await.unwrap().is_empty());
    written(|_| ()).await.unwrap();
    let twice = written(|_| ()).await.unwrap_err();
    assert!(matches!(twice, NotDone::Named(_)), "{twice}");
}
