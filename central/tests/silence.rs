//! Nothing that the trade gets tells why customs gave a code: whatever led to it, an answer of the API, the feed of news and the pages of
//! the portal are the same, byte for byte.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use central::clock::Clock;
use central::config::Config;
use central::officers::{Role, token_hash};
use central::people::{Login, invite};
use central::screening::{ImportList, approve, put_list, put_policy};
use central::storage::Store;
use central::trade::TraderId;
use central::{Central, keys, open_store};
use clearance::decide::Reason;
use clearance::directive::ActionCode;
use clearance::ids::{Digest, Epoch, MovementId, PassageId, Revision, UtcMillis};
use clearance::passage::{DecisionRecord, Outcome, PassageEvent, PassageStep};
use reqwest::Method;
use risk::assessment::Confidentiality;
use risk::lists::{ListHeader, ListKind};
use risk::policy::{ListUse, RandomShares, Rule, ScoreUse};
use risk::score::Scorer;
use risk::{Measure, Policy, Probability};
use serde_json::{Value, json};
use tempfile::TempDir;
use totp_rs::{Algorithm, Secret, TOTP};

/// A place without a cut-off.
const OPEN: &str = "time_zone = \"Asia/Hong_Kong\"\n[[rules]]\nfrom = \"2010-01-01\"\nphase = \"mandatory\"\n\
    cut_off_minutes = 0\nlodging_window_days = 14\n";

const BUNDLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/bundles/risk-1");

const PASSWORD: &str = "a password for acme";

/// What makes customs give a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    /// Nothing is held against it.
    Nothing,
    /// A watch list names the consignee.
    List,
    /// One does of which those who select may not know.
    SecretList,
    /// A rule holds.
    Rule,
    /// It was drawn.
    Draw,
    /// The model's score lies above a threshold.
    Score,
    /// A list, a rule, the draw and the score together.
    All,
    /// A system of customs says so, and nothing is screened.
    Officer,
    /// Screening lets it go, and a system of customs does not.
    OfficerAfterScreening,
}

/// A policy by which this leads to a measure; none: nothing is screened.
async fn policy(store: &Store, place: &Config, why: Why, measure: Measure) -> Option<Policy> {
    let zone = &place.place().unwrap().zone;
    let mut policy = Policy::default();
    if matches!(why, Why::List | Why::SecretList | Why::All) {
        let secret = why == Why::SecretList;
        let header = ListHeader {
            list: "wanted".to_owned(),
            version: 1,
            kind: ListKind::Companies,
            measure,
            source: "liaison".to_owned(),
            confidentiality: if secret { Confidentiality::Keepers } else { Confidentiality::Officers },
            matching: ListKind::Companies.usual_matching(),
        };
        let list = ImportList { header, file: b"entry,name\n1,Bolt\n".to_vec() };
        let digest = put_list(store, zone, list, "chan", UtcMillis(1)).await.unwrap();
        policy.lists = vec![ListUse { list: "wanted".to_owned(), digest }];
    }
    if matches!(why, Why::Rule | Why::All) {
        policy.rules = vec![Rule {
            id: "toys".to_owned(),
            version: 1,
            condition: "consignments.exists(c, c.description == 'toys')".to_owned(),
            measure,
            from: UtcMillis(0),
            until: None,
        }];
    }
    if matches!(why, Why::Draw | Why::All) {
        let share = |of: Measure| if of == measure { Probability::ONE } else { Probability::ZERO };
        policy.random = RandomShares {
            inspect: share(Measure::Inspect),
            documents: share(Measure::Documents),
            audit: share(Measure::Audit),
        };
    }
    if matches!(why, Why::Score | Why::All) {
        let from = |of: Measure| (of == measure).then_some(Probability::ZERO);
        policy.score = Some(ScoreUse {
            model: Scorer::load(std::path::Path::new(BUNDLE)).unwrap().digest(),
            red: from(Measure::Inspect),
            yellow: from(Measure::Documents),
            blue: from(Measure::Audit),
        });
    }
    (why != Why::Officer).then_some(policy)
}

struct Running {
    central: Central,
    store: Store,
    config: Config,
    now: Arc<AtomicI64>,
    http: reqwest::Client,
    base: String,
    _dir: TempDir,
}

impl Running {
    /// A central whose clock stands still, so that times are the same in each.
    async fn start() -> Self {
        let dir = TempDir::new().unwrap();
        let key = dir.path().join("central.key");
        keys::generate(&key).unwrap();
        let text = format!(
            "http = \"127.0.0.1:0\"\nzenoh = [\"tcp/127.0.0.1:0\"]\ndata_dir = \"data\"\nkey_file = \"central.key\"\n\
             sites = [\"lok-ma-chau\"]\nplace = \"place.toml\"\nrisk_model = \"{BUNDLE}\"\n\
             [portal]\norigin = \"http://localhost:8080\"\n[edges]\n"
        );
        std::fs::write(dir.path().join("place.toml"), OPEN).unwrap();
        std::fs::write(dir.path().join("central.toml"), text).unwrap();
        let config = Config::load(&dir.path().join("central.toml")).unwrap();
        let store = open_store(&config, Arc::new(keys::load(&key).unwrap())).await.unwrap();
        let acme: TraderId = "acme".parse().unwrap();
        let start = "2026-11-27T04:00:00Z".parse::<jiff::Timestamp>().unwrap().as_millisecond();
        store.add_trader(&acme, "Acme", false, "test", UtcMillis(start)).await.unwrap();
        store.put_token(&token_hash("trade"), "shipper", Role::Trade.name(), Some(&acme)).await.unwrap();
        store.put_token(&token_hash("customs"), "customs", Role::Selector.name(), None).await.unwrap();
        store.put_token(&token_hash("bay"), "bay", Role::Inspector.name(), None).await.unwrap();
        let now = Arc::new(AtomicI64::new(start));
        let clock = Arc::clone(&now);
        let clock = Clock::of(move || UtcMillis(clock.load(Ordering::SeqCst)));
        let central = Central::start(&config, clock).await.unwrap();
        let base = format!("http://{}", central.http());
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { central, store, config, now, http, base, _dir: dir }
    }

    fn at(&self) -> UtcMillis {
        UtcMillis(self.now.load(Ordering::SeqCst))
    }

    async fn call(&self, method: Method, path: &str, token: &str, body: &Value) -> (u16, String) {
        let request = self.http.request(method, format!("{}{path}", self.base)).bearer_auth(token);
        let answer = request.json(body).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// Somebody of the company signs in to the portal; gives the cookie.
    async fn sign_in(&self) -> String {
        let (login, trader): (Login, TraderId) = ("chan".parse().unwrap(), "acme".parse().unwrap());
        let vault = self.config.vault().unwrap();
        let path = invite(&self.store, &vault, &login, &trader, "test", self.at()).await.unwrap().unwrap();
        let page = self.http.get(format!("{}{path}", self.base)).send().await.unwrap().text().await.unwrap();
        let secret = page.split_once("class=\"portal-code\">").unwrap().1.split('<').next().unwrap();
        let secret = Secret::Encoded(secret.to_owned()).to_bytes().unwrap();
        let app = TOTP::new(Algorithm::SHA1, 6, 1, 30, secret, None, "app".to_owned()).unwrap();
        let code = app.generate(self.at().0 as u64 / 1000);
        let form = [("password", PASSWORD), ("code", code.as_str())];
        let answer = self.http.post(format!("{}{path}", self.base)).form(&form).send().await.unwrap();
        answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned()
    }

    /// Lodge and bundle; gives the CCRN and the movement.
    async fn truck(&self) -> (String, MovementId) {
        let arrival = self.at().plus_millis(30 * 60_000);
        let arrival = jiff::Timestamp::from_millisecond(arrival.0).unwrap();
        let day = arrival.in_tz("Asia/Hong_Kong").unwrap().date();
        let consignment = json!({ "direction": "inbound", "packages": 3, "package_kind": "CT", "description": "toys",
            "consignor": { "name": "Acme", "address": "B" }, "consignee": { "name": "Bolt", "address": "D" },
            "expected_date": day, "origin": "CN", "value_hkd": 90_000 });
        let (status, lodged) = self.call(Method::POST, "/api/v1/consignments", "trade", &consignment).await;
        assert_eq!(status, 201, "{lodged}");
        let lodged: Value = serde_json::from_str(&lodged).unwrap();
        let bundle = json!({ "ccrns": [lodged["ccrn"]], "mark": "AB1234", "site": "lok-ma-chau", "expected_arrival": arrival });
        let (status, bundled) = self.call(Method::POST, "/api/v1/bundles", "trade", &bundle).await;
        assert_eq!(status, 201, "{bundled}");
        let bundled: Value = serde_json::from_str(&bundled).unwrap();
        (lodged["ccrn"].as_str().unwrap().to_owned(), bundled["movement"].as_str().unwrap().parse().unwrap())
    }

    async fn gets(&self, movement: &MovementId, code: ActionCode) {
        for _ in 0..600 {
            let given = self.store.movement(movement).await.unwrap().unwrap().given();
            if given == Some(code) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("{movement} did not get {code:?}");
    }

    /// The lane shows what follows from the code.
    async fn direct(&self, movement: &MovementId, code: ActionCode) {
        let outcome = if code == ActionCode::Release { Outcome::Released } else { Outcome::Directed(code) };
        let what = PassageStep::Decided(DecisionRecord {
            outcome,
            reason: Reason::Directive,
            movement: Some(movement.clone()),
            order: None,
            plates: Vec::new(),
            epoch: Epoch(1),
            revision: Revision(1),
            model: Digest([0; 32]),
        });
        self.passage(0, what).await;
    }

    /// The vehicle leaves the lane.
    async fn leaves(&self) {
        self.passage(1, PassageStep::Left).await;
    }

    async fn passage(&self, step: u32, what: PassageStep) {
        let event = PassageEvent {
            site: "lok-ma-chau".parse().unwrap(),
            lane: "lane-1".parse().unwrap(),
            edge: "edge-1".parse().unwrap(),
            passage: PassageId([7; 16]),
            step,
            at: self.at(),
            what,
        };
        self.store.store_event(&event).await.unwrap();
    }

    /// Everything that the company can look at, with its address.
    async fn looks(&self, cookie: &str, ccrn: &str, movement: &MovementId) -> Vec<(String, String)> {
        let mut seen = Vec::new();
        let hide = |text: String| {
            // People read the number in groups of four.
            let groups: Vec<&str> =
                (0..ccrn.len()).step_by(4).map(|at| &ccrn[at..ccrn.len().min(at + 4)]).collect();
            let text = text.replace(movement.as_str(), "MOVEMENT").replace(ccrn, "CCRN");
            let text = text.replace(&groups.join(" "), "CCRN");
            // The token of a form is the session's.
            let mut parts = text.split("name=\"csrf\" value=\"");
            let first = parts.next().unwrap_or_default().to_owned();
            parts.fold(first, |text, part| text + part.split_once('"').unwrap().1)
        };
        for path in [
            format!("/api/v1/movements/{movement}"),
            format!("/api/v1/movements/{movement}/history"),
            "/api/v1/movements".to_owned(),
            format!("/api/v1/consignments/{ccrn}"),
            format!("/api/v1/consignments/{ccrn}/history"),
            "/api/v1/events".to_owned(),
        ] {
            let (status, text) = self.call(Method::GET, &path, "trade", &Value::Null).await;
            assert_eq!(status, 200, "{path}: {text}");
            seen.push((hide(path), hide(text)));
        }
        for path in [
            "/trade".to_owned(),
            "/trade/movements".to_owned(),
            format!("/trade/movements/{movement}"),
            format!("/trade/consignments/{ccrn}"),
            "/trade/news".to_owned(),
        ] {
            let request = self.http.get(format!("{}{path}", self.base)).header("cookie", cookie);
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), 200, "{path}");
            seen.push((hide(path), hide(answer.text().await.unwrap())));
        }
        seen
    }
}

/// What a company sees of a truck: when it has its code, when the lane has shown what follows, and when it has left; one that was let go to be
/// audited is audited then.
async fn seen(why: Why, measure: Measure) -> Vec<(String, String)> {
    let running = Running::start().await;
    let cookie = running.sign_in().await;
    let code = measure.code();
    if let Some(policy) = policy(&running.store, &running.config, why, measure).await {
        let zone = running.config.place().unwrap().zone;
        let version = put_policy(&running.store, &zone, policy, "chan", UtcMillis(1)).await.unwrap();
        approve(&running.store, version, "wong", UtcMillis(1)).await.unwrap();
    }
    let (ccrn, movement) = running.truck().await;
    if why == Why::OfficerAfterScreening {
        running.gets(&movement, ActionCode::Release).await;
    }
    if matches!(why, Why::Officer | Why::OfficerAfterScreening) {
        let path = format!("/api/v1/movements/{movement}/action");
        let body = json!({ "action": code.code(), "reason": "a call" });
        let (status, answer) = running.call(Method::PUT, &path, "customs", &body).await;
        assert_eq!(status, 204, "{answer}");
    }
    running.gets(&movement, code).await;
    let mut all = running.looks(&cookie, &ccrn, &movement).await;
    running.now.fetch_add(20 * 60_000, Ordering::SeqCst);
    running.direct(&movement, code).await;
    all.extend(running.looks(&cookie, &ccrn, &movement).await);
    running.leaves().await;
    if measure == Measure::Audit && why != Why::Officer && why != Why::Nothing {
        running.now.fetch_add(3 * 86_400_000, Ordering::SeqCst);
        let path = format!("/api/v1/movements/{movement}/inspection");
        let (status, answer) = running.call(Method::PUT, &path, "bay", &json!({ "result": "found" })).await;
        assert_eq!(status, 204, "{answer}");
        running.now.fetch_sub(3 * 86_400_000, Ordering::SeqCst);
    }
    all.extend(running.looks(&cookie, &ccrn, &movement).await);
    running.central.stop().await.unwrap();
    all
}

/// Whatever leads to a measure, the trade sees the same.
async fn the_same(measure: Measure, reasons: &[Why]) {
    let first = seen(Why::Officer, measure).await;
    assert!(first.iter().any(|(_, text)| text.contains("assessed")), "{first:?}");
    for why in reasons {
        for ((path, expected), (_, text)) in first.iter().zip(seen(*why, measure).await) {
            let differs = expected.bytes().zip(text.bytes()).position(|(a, b)| a != b);
            let at = differs.unwrap_or(expected.len().min(text.len())).saturating_sub(200);
            let part = |text: &str| text.chars().skip(at).take(400).collect::<String>();
            assert!(*expected == text, "{why:?} at {path}: {:?} and {:?}", part(expected), part(&text));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trade_sees_the_same_of_an_inspection_whatever_led_to_it() {
    let reasons =
        [Why::List, Why::SecretList, Why::Rule, Why::Draw, Why::Score, Why::All, Why::OfficerAfterScreening];
    the_same(Measure::Inspect, &reasons).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trade_sees_the_same_of_a_look_at_documents_whatever_led_to_it() {
    let reasons = [Why::List, Why::Rule, Why::Draw, Why::Score, Why::OfficerAfterScreening];
    the_same(Measure::Documents, &reasons).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trade_sees_a_release_whether_or_not_it_is_audited_afterwards() {
    let reasons = [Why::Nothing, Why::List, Why::SecretList, Why::Rule, Why::Draw, Why::Score, Why::All];
    the_same(Measure::Audit, &reasons).await;
}
