//! Central as its clients see it: the API over real HTTP, the log it leaves, and what a lane asks over real Zenoh.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::net::TcpListener;
use std::time::Duration;

use central::clock::Clock;
use central::config::Config;
use central::officers::{Role, hash_password, token_hash};
use central::{Central, keys, open_store};
use clearance::ids::{Digest, Epoch, PassageId, Revision, UtcMillis};
use clearance::passage::{PassageEvent, PassageStep};
use clearance::replicate::{Delta, SnapshotPage};
use clearance::topic;
use clearance::wire::{RecordKind, Signer, TrustStore};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

/// A place without a cut-off: a vehicle may cross as soon as customs has assessed it.
const OPEN: &str = "time_zone = \"Asia/Hong_Kong\"\n[[rules]]\nfrom = \"2010-01-01\"\nphase = \"mandatory\"\n\
    cut_off_minutes = 0\nlodging_window_days = 14\n";

struct Running {
    central: Central,
    config: Config,
    http: reqwest::Client,
    base: String,
    edge: Signer,
    trust: TrustStore,
    _dir: TempDir,
}

async fn start() -> Running {
    let dir = TempDir::new().unwrap();
    let key = dir.path().join("central.key");
    let public = keys::generate(&key).unwrap();
    let edge = Signer::from_secret(&[9; 32]);
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let text = format!(
        "http = \"127.0.0.1:0\"\nzenoh = [\"tcp/127.0.0.1:{port}\"]\ndata_dir = \"data\"\nkey_file = \"central.key\"\nsites = [\"lok-ma-chau\"]\nplace = \"place.toml\"\n[edges]\nedge-1 = \"{}\"\n",
        edge.public()
    );
    std::fs::write(dir.path().join("place.toml"), OPEN).unwrap();
    let path = dir.path().join("central.toml");
    std::fs::write(&path, text).unwrap();
    let config = Config::load(&path).unwrap();
    let store = open_store(&config, std::sync::Arc::new(keys::load(&key).unwrap())).await.unwrap();
    store.add_trader(&"acme".parse().unwrap(), "Acme", false, "test", UtcMillis(0)).await.unwrap();
    store
        .put_token(&token_hash("trade-token"), "shipper", Role::Trade.name(), Some(&"acme".parse().unwrap()))
        .await
        .unwrap();
    store.put_token(&token_hash("selector-token"), "selector", Role::Selector.name(), None).await.unwrap();
    store
        .put_officer("chan", Role::Officer.name(), &hash_password("a long password").unwrap())
        .await
        .unwrap();
    drop(store);
    let central = Central::start(&config, Clock::system()).await.unwrap();
    let base = format!("http://{}", central.http());
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let trust = TrustStore::new().trusting(public, &RecordKind::CENTRAL);
    Running { central, config, http, base, edge, trust, _dir: dir }
}

impl Running {
    async fn call(&self, method: Method, path: &str, token: &str, body: &Value) -> (u16, Value) {
        let request = self.http.request(method, format!("{}{path}", self.base)).bearer_auth(token).json(body);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap_or(Value::Null))
    }

    /// Declare a truck and give it a code; gives the movement.
    async fn truck(&self, mark: &str, action: &str) -> String {
        let declared = consignment();
        let lodge = self.call(Method::POST, "/api/v1/consignments", "trade-token", &declared);
        let (status, lodged) = lodge.await;
        assert_eq!(status, 201, "{lodged}");
        let bundle = json!({ "ccrns": [lodged["ccrn"]], "mark": mark, "site": "lok-ma-chau",
            "expected_arrival": soon().timestamp() });
        let (status, bundled) = self.call(Method::POST, "/api/v1/bundles", "trade-token", &bundle).await;
        assert_eq!(status, 201, "{bundled}");
        let movement = bundled["movement"].as_str().unwrap().to_owned();
        let path = format!("/api/v1/movements/{movement}/action");
        let body = json!({ "action": action, "reason": "test" });
        let (status, answer) = self.call(Method::PUT, &path, "selector-token", &body).await;
        assert_eq!(status, 204, "{answer}");
        movement
    }

    async fn passages(&self) -> usize {
        let feed = self.call(Method::GET, "/api/v1/passages", "selector-token", &json!({})).await.1;
        feed["passages"].as_array().unwrap().len()
    }

    async fn zenoh(&self) -> zenoh::Session {
        zenoh_at(&self.config.zenoh).await
    }
}

async fn zenoh_at(endpoints: &[String]) -> zenoh::Session {
    let mut config = zenoh::Config::default();
    config.insert_json5("mode", "\"client\"").unwrap();
    config.insert_json5("scouting/multicast/enabled", "false").unwrap();
    let endpoints = serde_json::to_string(endpoints).unwrap();
    config.insert_json5("connect/endpoints", &endpoints).unwrap();
    zenoh::open(config).await.unwrap()
}

fn consignment() -> Value {
    json!({ "direction": "inbound", "packages": 3, "package_kind": "CT", "description": "toys",
        "consignor": { "name": "A", "address": "B" }, "consignee": { "name": "C", "address": "D" },
        "expected_date": soon().date() })
}

/// When the trucks are expected: a directive's window lies about that time, so it must not be a day in the calendar.
fn soon() -> jiff::ZonedDateTime {
    let soon = jiff::Timestamp::now().checked_add(Duration::from_mins(30)).unwrap();
    soon.in_tz("Asia/Hong_Kong").unwrap()
}

async fn ask(session: &zenoh::Session, key: String, payload: Vec<u8>) -> Vec<Vec<u8>> {
    let get = session.get(key).payload(payload).consolidation(zenoh::query::ConsolidationMode::None);
    let replies = get.await.unwrap();
    let mut answers = Vec::new();
    while let Ok(reply) = replies.recv_async().await {
        if let Ok(sample) = reply.result() {
            answers.push(sample.payload().to_bytes().into_owned());
        }
    }
    answers
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declared_truck_becomes_a_signed_directive_and_a_release_uses_it_up_once() {
    let running = start().await;
    let movement = running.truck("AB1234", "release").await;
    let session = running.zenoh().await;
    let pages = ask(&session, topic::snapshot(&running.config.sites[0]), vec![]).await;
    let page = running.trust.open::<SnapshotPage>(&pages[0]).unwrap().into_record();
    assert_eq!((page.epoch, page.revision), (Epoch(1), Revision(1)));
    assert_eq!(page.entries[0].directive.mark.as_str(), "AB1234");

    let decided = json!({ "decided": { "outcome": "released", "reason": "directive", "movement": movement,
        "order": null, "plates": [], "epoch": 1, "revision": 1, "model": Digest([0; 32]) } });
    let event = PassageEvent {
        site: "lok-ma-chau".parse().unwrap(),
        lane: "lane-1".parse().unwrap(),
        edge: "edge-1".parse().unwrap(),
        passage: PassageId([5; 16]),
        step: 0,
        at: UtcMillis(1),
        what: serde_json::from_value::<PassageStep>(decided).unwrap(),
    };
    let (sealed, _) = running.edge.seal(&event);
    for _ in 0..3 {
        let answer = ask(&session, topic::passages(&event.site), sealed.clone()).await;
        assert_eq!(answer, [Digest::of(&sealed).0.to_vec()], "acknowledged each time");
    }
    let deltas = ask(&session, format!("{}?from=1;to=100", topic::range(&event.site)), vec![]).await;
    assert_eq!(deltas.len(), 2, "one assignment, one use, however often the passage was delivered");
    let last = running.trust.open::<Delta>(&deltas[1]).unwrap();
    let first = running.trust.open::<Delta>(&deltas[0]).unwrap();
    assert_eq!(last.record().prev_hash, first.hash());
    assert_eq!(running.passages().await, 1);

    let forger = Signer::from_secret(&[1; 32]);
    let forged = PassageEvent { passage: PassageId([6; 16]), ..event };
    let answer = ask(&session, topic::passages(&forged.site), forger.seal(&forged).0).await;
    assert!(answer.is_empty(), "a forged passage is not acknowledged");
    assert_eq!(running.passages().await, 1);
    session.close().await.unwrap();
    running.central.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_mark_at_two_lanes_is_flagged_at_both_and_an_inspection_uses_the_directive_up() {
    let running = start().await;
    let movement = running.truck("AB1234", "inspect").await;
    let session = running.zenoh().await;
    let plate = json!({ "candidates": [{ "mark": "AB1234", "probability": 0.999 }], "certainty": "certain",
        "layout": "single_row", "corners": [0, 0, 1, 0, 1, 1, 0, 1], "frames": 5, "crop": null, "picture": null });
    let deliver = async |lane: &str, passage: u8, at: i64, outcome: Value, movement: Value| {
        let decided = json!({ "decided": { "outcome": outcome, "reason": "directive", "movement": movement, "order": null,
            "plates": [plate], "epoch": 1, "revision": 1, "model": Digest([0; 32]) } });
        let event = PassageEvent {
            site: "lok-ma-chau".parse().unwrap(),
            lane: lane.parse().unwrap(),
            edge: "edge-1".parse().unwrap(),
            passage: PassageId([passage; 16]),
            step: 0,
            at: UtcMillis(at),
            what: serde_json::from_value::<PassageStep>(decided).unwrap(),
        };
        ask(&session, topic::passages(&event.site), running.edge.seal(&event).0).await;
    };
    // Marks are kept for as long as a lane may have been cut off: passages of last year would meet none.
    let now = jiff::Timestamp::now().as_millisecond();
    deliver("lane-1", 1, now, json!({ "directed": "inspect" }), json!(movement)).await;
    // Sent to the bay, the vehicle has had its directive: no lane follows it again.
    let site = &running.config.sites[0];
    let pages = ask(&session, topic::snapshot(site), vec![]).await;
    let page = running.trust.open::<SnapshotPage>(&pages[0]).unwrap().into_record();
    assert_eq!(page.revision, Revision(2));
    assert!(matches!(page.entries[0].status, clearance::directive::DirectiveStatus::Used { .. }));
    deliver("lane-2", 2, now + 4_000, json!("referred"), Value::Null).await;
    deliver("lane-2", 3, now + 3_600_000, json!("referred"), Value::Null).await;

    let sign_in = running.http.post(format!("{}/console/sign-in", running.base));
    let sign_in = sign_in.header("content-type", "application/x-www-form-urlencoded");
    let answer = sign_in.body("name=chan&password=a+long+password").send().await.unwrap();
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let shown = async |passage: u8| {
        let address = format!("{}/console/queue?passage={}", running.base, PassageId([passage; 16]));
        let page = running.http.get(address).header("cookie", &cookie).send().await.unwrap();
        page.text().await.unwrap()
    };
    let flag = "The same mark was at another lane";
    let (first, second, third) = (shown(1).await, shown(2).await, shown(3).await);
    assert!(first.contains(flag) && first.contains("lane-2"), "{first}");
    assert!(second.contains(flag) && second.contains("lane-1"), "{second}");
    assert!(!third.contains(flag), "an hour later it may have come round: {third}");
    session.close().await.unwrap();
    running.central.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_central_commits_reaches_the_lanes_of_another_on_the_same_database() {
    let running = start().await;
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let config = Config { zenoh: vec![format!("tcp/127.0.0.1:{port}")], ..running.config.clone() };
    let other = Central::start(&config, Clock::system()).await.unwrap();
    let session = zenoh_at(&config.zenoh).await;
    let deltas = session.declare_subscriber(topic::deltas(&config.sites[0])).await.unwrap();
    let mut marks = Vec::new();
    // The other looks from when it was first up; whatever was before, lanes have asked for.
    let arrived = loop {
        marks.push(format!("AB{}", 1000 + marks.len()));
        assert!(marks.len() < 50, "nothing arrives");
        running.truck(marks.last().unwrap(), "release").await;
        if let Ok(Ok(sample)) = tokio::time::timeout(Duration::from_secs(1), deltas.recv_async()).await {
            break running.trust.open::<Delta>(&sample.payload().to_bytes()).unwrap().into_record();
        }
    };
    assert!((1..=marks.len() as u64).contains(&arrived.revision.0), "{arrived:?}");
    assert_eq!(arrived.site, config.sites[0]);
    session.close().await.unwrap();
    other.stop().await.unwrap();
    running.central.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn revisions_are_dense_however_many_commit_at_once() {
    let running = start().await;
    let marks: Vec<String> = (0..20).map(|i| format!("AB{i}")).collect();
    futures::future::join_all(marks.iter().map(|mark| running.truck(mark, "inspect"))).await;
    let session = running.zenoh().await;
    let range = format!("{}?from=1;to=100", topic::range(&running.config.sites[0]));
    let deltas = ask(&session, range, vec![]).await;
    let mut prev = Digest::default();
    for (number, delta) in (1..).zip(&deltas) {
        let delta = running.trust.open::<Delta>(delta).unwrap();
        assert_eq!((delta.record().revision, delta.record().prev_hash), (Revision(number), prev));
        prev = delta.hash();
    }
    assert_eq!(deltas.len(), 20);
    session.close().await.unwrap();
    running.central.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_requests_are_told_what_is_wrong_and_roles_are_kept() {
    let running = start().await;
    let lodge = async |token: &str, body: &Value| {
        running.call(Method::POST, "/api/v1/consignments", token, body).await
    };
    let mut wrong = consignment();
    wrong["packages"] = json!(0);
    wrong["expected_date"] = json!("tomorrow");
    let (status, problem) = lodge("trade-token", &wrong).await;
    assert_eq!(status, 422);
    let errors = problem["errors"].as_array().unwrap();
    let pointers: Vec<_> = errors.iter().map(|e| e["pointer"].clone()).collect();
    assert_eq!(pointers, ["/packages", "/expected_date"]);
    assert_eq!(lodge("trade-token", &json!({ "surprise": 1 })).await.0, 422);
    assert_eq!(lodge("nobody", &consignment()).await.0, 401);
    let movement = running.truck("AB1", "release").await;
    let path = format!("/api/v1/movements/{movement}/action");
    let body = json!({ "action": "release", "reason": "mine" });
    assert_eq!(running.call(Method::PUT, &path, "trade-token", &body).await.0, 403);
    assert_eq!(running.call(Method::DELETE, &path, "selector-token", &json!({})).await.0, 204);
    assert_eq!(running.call(Method::DELETE, &path, "selector-token", &json!({})).await.0, 409);
    running.central.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_repeated_with_its_key_lodges_once() {
    let running = start().await;
    let lodge = async || {
        let request = running.http.post(format!("{}/api/v1/consignments", running.base));
        let request = request.bearer_auth("trade-token").header("Idempotency-Key", "k1").json(&consignment());
        request.send().await.unwrap().json::<Value>().await.unwrap()
    };
    assert_eq!(lodge().await["ccrn"], lodge().await["ccrn"]);
    running.central.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_console_asks_for_a_sign_in_and_knows_the_right_password() {
    let running = start().await;
    let page = running.http.get(format!("{}/console/queue", running.base)).send().await.unwrap();
    assert_eq!(page.status(), 303);
    let sign_in = async |password: &str| {
        let request = running.http.post(format!("{}/console/sign-in", running.base));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        request.body(format!("name=chan&password={password}")).send().await.unwrap()
    };
    assert_eq!(sign_in("wrong").await.status(), 401);
    let answer = sign_in("a+long+password").await;
    assert_eq!(answer.status(), 303);
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"));
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let get = |path: &str| running.http.get(format!("{}{path}", running.base)).header("cookie", &cookie);
    let queue = get("/console/queue").header("accept-language", "zh-HK").send().await.unwrap();
    assert_eq!(queue.status(), 200);
    assert!(queue.text().await.unwrap().contains("待處理"));
    let refused = get("/console/officers").header("accept-language", "zh-CN").send().await.unwrap();
    assert_eq!(refused.status(), 403);
    assert!(refused.text().await.unwrap().contains("你的角色不允许此操作"));
    // Words of a link's own making are not shown.
    let lured = get("/console/queue?notice=Call+5550100&problem=Call+5550100").send().await.unwrap();
    assert!(!lured.text().await.unwrap().contains("5550100"));
    running.central.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_language_changes_on_the_page_being_read_and_never_leads_elsewhere() {
    let running = start().await;
    let switch = async |back: &str| {
        let address = format!("{}/console/language/zh-Hant?back={back}", running.base);
        let answer = running.http.get(address).send().await.unwrap();
        assert!(answer.headers()["set-cookie"].to_str().unwrap().starts_with("language=zh-Hant"));
        answer.headers()["location"].to_str().unwrap().to_owned()
    };
    assert_eq!(switch("%2Fconsole%2Flanes").await, "/console/lanes");
    assert_eq!(switch("%2Fconsole%2Fqueue%3Fpassage%3D05").await, "/console/queue?passage=05");
    for elsewhere in
        ["https%3A%2F%2Fevil.example%2Fconsole%2F", "%2F%2Fevil.example", "%2Fconsole%2F%0D%0Ax%3Ay"]
    {
        assert_eq!(switch(elsewhere).await, "/console/queue", "{elsewhere}");
    }
    let sign_in = running.http.get(format!("{}/console/sign-in", running.base)).send().await.unwrap();
    assert!(sign_in.text().await.unwrap().contains("/console/language/zh-Hans?back=%2Fconsole%2Fsign-in"));
    running.central.stop().await.unwrap();
}
