//! Everybody concerned is told: webhooks, e-mail and SMS as their receivers see them, on both engines, with receivers that fail and
//! centrals that die.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod peers;
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use central::clock::Clock;
use central::config::Config;
use central::officers::{Role, token_hash};
use central::storage::trade::KeptSince;
use central::{Central, keys, open_store};
use clearance::ids::UtcMillis;
use peers::{Got, MailServer, Plan, Receiver, eventually};
use reqwest::Method;
use serde_json::{Value, json};
use support::Postgres;
use tempfile::TempDir;

const OPEN: &str = "time_zone = \"Asia/Hong_Kong\"\n[[rules]]\nfrom = \"2010-01-01\"\nphase = \"mandatory\"\n\
    cut_off_minutes = 0\nlodging_window_days = 14\n";

const HOUR: i64 = 3_600_000;

/// Webhooks to this machine.
const HERE: &str = "webhooks = { allow_http = true, allow_private = true }\n";

/// A central, and its clock, which can be put forward.
struct World {
    central: Option<Central>,
    config: Config,
    ahead: Arc<AtomicI64>,
    http: reqwest::Client,
    base: String,
    dir: TempDir,
    postgres: Option<Postgres>,
}

impl World {
    async fn start(postgres: bool, messages: &str) -> Self {
        Self::start_in(TempDir::new().unwrap(), postgres, messages).await
    }

    async fn start_in(dir: TempDir, postgres: bool, messages: &str) -> Self {
        let postgres = postgres.then(|| Postgres::start().unwrap());
        let config = configure(&dir, "data", postgres.as_ref(), messages);
        keys::generate(&config.key_file).unwrap();
        let store = open_store(&config, Arc::new(keys::load(&config.key_file).unwrap())).await.unwrap();
        for (trader, sandbox) in [("acme", false), ("rival", false), ("pupil", true)] {
            let id = trader.parse().unwrap();
            store.add_trader(&id, trader, sandbox, "test", UtcMillis(0)).await.unwrap();
            store.put_token(&token_hash(trader), trader, Role::Trade.name(), Some(&id)).await.unwrap();
        }
        store.put_token(&token_hash("selector"), "selector", Role::Selector.name(), None).await.unwrap();
        drop(store);
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        central::choose_cryptography();
        let ahead = Arc::new(AtomicI64::new(0));
        let (http, base) = (http.build().unwrap(), String::new());
        let mut world = Self { central: None, config, ahead, http, base, dir, postgres };
        world.begin().await;
        world
    }

    fn clock(&self) -> Clock {
        let ahead = Arc::clone(&self.ahead);
        Clock::of(move || UtcMillis(jiff::Timestamp::now().as_millisecond() + ahead.load(Ordering::SeqCst)))
    }

    async fn begin(&mut self) {
        let central = Central::start(&self.config, self.clock()).await.unwrap();
        self.base = format!("http://{}", central.http());
        self.central = Some(central);
    }

    async fn end(&mut self) {
        self.central.take().unwrap().stop().await.unwrap();
    }

    fn pass(&self, millis: i64) {
        self.ahead.fetch_add(millis, Ordering::SeqCst);
    }

    async fn call(&self, who: &str, method: Method, path: &str, body: Value) -> (u16, Value) {
        let request = self.http.request(method, format!("{}{path}", self.base)).bearer_auth(who);
        let request = request.header("if-match", "*").json(&body);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap_or(Value::Null))
    }

    async fn get(&self, who: &str, path: &str) -> Value {
        let (status, answer) = self.call(who, Method::GET, path, Value::Null).await;
        assert_eq!(status, 200, "{answer}");
        answer
    }

    /// Add a webhook; gives its id and secret.
    async fn hook(&self, who: &str, url: &str) -> (String, String) {
        let (status, made) = self.call(who, Method::POST, "/api/v1/webhooks", json!({ "url": url })).await;
        assert_eq!(status, 201, "{made}");
        (text(&made["id"]), text(&made["secret"]))
    }

    async fn webhook(&self, who: &str, id: &str) -> Value {
        let all = self.get(who, "/api/v1/webhooks").await;
        all["webhooks"].as_array().unwrap().iter().find(|hook| hook["id"] == id).unwrap().clone()
    }

    async fn lodge(&self, who: &str) -> String {
        let (status, lodged) = self.call(who, Method::POST, "/api/v1/consignments", consignment()).await;
        assert_eq!(status, 201, "{lodged}");
        text(&lodged["ccrn"])
    }

    /// What came of everything that a webhook was sent, in the order of the feed.
    async fn deliveries(&self, who: &str, id: &str) -> Vec<Value> {
        let page = self.get(who, &format!("/api/v1/webhooks/{id}/deliveries")).await;
        page["deliveries"].as_array().unwrap().iter().rev().cloned().collect()
    }

    /// Wait until the latest delivery is so.
    async fn latest(&self, who: &str, id: &str, is: impl Fn(&Value) -> bool) -> Value {
        eventually("a delivery", async || self.deliveries(who, id).await.pop().filter(&is)).await
    }

    /// Wait until the first delivery is so.
    async fn first(&self, who: &str, id: &str, is: impl Fn(&Value) -> bool) -> Value {
        eventually("a delivery", async || self.deliveries(who, id).await.into_iter().next().filter(&is)).await
    }
}

fn configure(dir: &TempDir, data: &str, postgres: Option<&Postgres>, messages: &str) -> Config {
    std::fs::write(dir.path().join("place.toml"), OPEN).unwrap();
    let database = postgres.map(|server| format!("database = \"{}\"\n", server.url())).unwrap_or_default();
    let config = dir.path().join(format!("{data}.toml"));
    let text = format!(
        "http = \"127.0.0.1:0\"\nzenoh = [\"tcp/127.0.0.1:0\"]\ndata_dir = \"{data}\"\nkey_file = \"central.key\"\n\
         secrets_file = \"secrets.key\"\nsites = [\"north\"]\nplace = \"place.toml\"\n{database}\
         rate_limit = {{ per_second = 100000, burst = 100000 }}\n[edges]\n[messages]\n{messages}"
    );
    std::fs::write(&config, text).unwrap();
    Config::load(&config).unwrap()
}

fn consignment() -> Value {
    let today = jiff::Timestamp::now().in_tz("Asia/Hong_Kong").unwrap();
    // Clocks are put forward in these tests, and days go by.
    json!({ "direction": "inbound", "packages": 3, "package_kind": "CT", "description": "toys",
        "consignor": { "name": "A", "address": "B" }, "consignee": { "name": "C", "address": "D" },
        "expected_date": (today + jiff::Span::new().days(10)).date() })
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn of_state(state: &'static str) -> impl Fn(&Value) -> bool {
    move |delivery| delivery["state"] == state
}

async fn on_both_engines(test: impl AsyncFn(bool)) {
    test(false).await;
    test(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_told_in_order_signed_and_again_after_a_failure() {
    on_both_engines(async |postgres| {
        let (world, receiver) = (World::start(postgres, HERE).await, Receiver::start().await);
        let (id, secret) = world.hook("acme", &receiver.url("/hook")).await;
        assert!(secret.starts_with("whsec_"));
        receiver.plan(&[Plan::Answer(500), Plan::Redirect]);
        world.lodge("rival").await;
        let ccrns = [world.lodge("acme").await, world.lodge("acme").await, world.lodge("acme").await];
        let got = receiver.wait(1).await;
        // What comes after waits: the receiver may be back in a moment.
        tokio::time::sleep(Duration::from_secs(1)).await;
        let first = got[0].header("webhook-id");
        assert!(receiver.got().iter().all(|got| got.header("webhook-id") == first));
        world.pass(3_000);
        receiver.wait(2).await;
        world.pass(10_000);
        let got = [got, receiver.wait(5).await].concat();
        let (tried, rest) = (&got[1..4], &got[3..]);
        assert!(tried.iter().all(|again| again.header("webhook-id") == got[0].header("webhook-id")));
        assert!(
            got.iter().all(|got| got.path == "/hook" && got.header("content-type") == "application/json")
        );
        let subjects: Vec<_> = rest.iter().map(|got| text(&got.json()["data"]["subject"])).collect();
        assert_eq!(subjects, ccrns);
        assert!(rest.windows(2).all(|pair| pair[0].seq() < pair[1].seq()));
        assert!(got.iter().all(|got| got.is_signed_by(&secret)));
        let body = rest[0].json();
        assert_eq!(
            (&body["type"], &body["sandbox"], &body["data"]["kind"]),
            (&json!("lodged"), &json!(false), &json!("lodged"))
        );
        let feed = world.get("acme", "/api/v1/events").await;
        assert_eq!(feed["events"][0], body["data"], "what is sent is what the feed has");
        let late = world.latest("acme", &id, |last| last["seq"] == rest[2].seq()).await;
        assert_eq!(
            (&late["state"], &late["attempts"], &late["status"]),
            (&json!("delivered"), &json!(1), &json!(200))
        );
        let all = world.deliveries("acme", &id).await;
        assert_eq!(all.iter().map(|d| d["attempts"].as_i64().unwrap()).collect::<Vec<_>>(), [3, 1, 1]);
        // Page by page.
        let page = world.get("acme", &format!("/api/v1/webhooks/{id}/deliveries?limit=2")).await;
        let next = page["next"].as_i64().unwrap();
        let page =
            world.get("acme", &format!("/api/v1/webhooks/{id}/deliveries?limit=2&before={next}")).await;
        assert_eq!(page["deliveries"], json!([all[0]]));
        assert_eq!(page["next"], Value::Null);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_hangs_or_pours_keeps_nobody_waiting() {
    let world = World::start(false, HERE).await;
    let (slow, quick) = (Receiver::start().await, Receiver::start().await);
    slow.plan(&[Plan::Hang]);
    let (hanging, _) = world.hook("acme", &slow.url("/")).await;
    world.hook("acme", &quick.url("/")).await;
    world.hook("rival", &quick.url("/rival")).await;
    world.lodge("acme").await;
    slow.wait(1).await;
    let began = std::time::Instant::now();
    world.lodge("rival").await;
    world.lodge("acme").await;
    quick.wait(3).await;
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    let waits = world.latest("acme", &hanging, of_state("retrying")).await;
    assert_eq!(waits["error"], "no answer within 10 s");
    assert_eq!(waits["status"], Value::Null);
    assert!(waits["next_at"].as_i64() > waits["last_at"].as_i64());
    let webhook = world.webhook("acme", &hanging).await;
    assert_eq!((&webhook["state"], &webhook["last_error"]), (&json!("failing"), &waits["error"]));
    // An answer without an end is read to a point.
    slow.plan(&[Plan::Pour]);
    world.pass(5_000);
    let poured = world.first("acme", &hanging, |first| first["attempts"] == 2).await;
    assert_eq!(poured["status"], 500);
    assert!(text(&poured["error"]).len() < 300);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_central_that_is_stopped_in_the_middle_loses_nothing() {
    on_both_engines(async |postgres| {
        let (mut world, receiver) = (World::start(postgres, HERE).await, Receiver::start().await);
        let (id, _) = world.hook("acme", &receiver.url("/")).await;
        receiver.plan(&[Plan::Answer(200), Plan::Answer(200), Plan::Hang]);
        for _ in 0..6 {
            world.lodge("acme").await;
        }
        receiver.wait(3).await;
        world.end().await;
        assert_eq!(receiver.got().len(), 3);
        world.begin().await;
        // The lease of the one that stopped runs out.
        world.pass(60_000);
        let got = receiver.wait(7).await;
        assert_eq!(receiver.taken().len(), 6);
        assert_eq!(got[2].header("webhook-id"), got[3].header("webhook-id"), "tried again under the same id");
        let last = world.latest("acme", &id, |last| last["seq"] == got[6].seq()).await;
        assert_eq!(last["state"], "delivered");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_centrals_on_one_database_send_everything_once() {
    let (world, receiver) = (World::start(true, HERE).await, Receiver::start().await);
    let config = configure(&world.dir, "other", world.postgres.as_ref(), HERE);
    let other = Central::start(&config, world.clock()).await.unwrap();
    for path in ["/a", "/b", "/c", "/d", "/e"] {
        world.hook("acme", &receiver.url(path)).await;
        world.hook("rival", &receiver.url(path)).await;
    }
    for _ in 0..30 {
        tokio::join!(world.lodge("acme"), world.lodge("rival"));
    }
    receiver.wait(300).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let mut ids: Vec<_> =
        receiver.got().iter().map(|got| (got.path.clone(), got.header("webhook-id").to_owned())).collect();
    assert_eq!(ids.len(), 300, "nothing twice");
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 300, "each once");
    other.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_for_a_day_has_failed_and_a_webhook_that_fails_for_days_is_paused_until_it_is_replayed() {
    on_both_engines(async |postgres| {
        let (world, receiver) = (World::start(postgres, HERE).await, Receiver::start().await);
        let (id, _) = world.hook("acme", &receiver.url("/")).await;
        receiver.otherwise(Plan::Answer(503));
        world.lodge("acme").await;
        world.latest("acme", &id, of_state("retrying")).await;
        world.pass(25 * HOUR);
        let failed = world.latest("acme", &id, of_state("failed")).await;
        assert_eq!((&failed["status"], &failed["next_at"]), (&json!(503), &Value::Null));
        assert!(text(&failed["error"]).starts_with("503"));
        // Days later.
        world.pass(72 * HOUR);
        world.lodge("acme").await;
        let paused = eventually("a pause", async || {
            Some(world.webhook("acme", &id).await).filter(|webhook| webhook["state"] == "paused")
        });
        let paused = paused.await;
        let feed = world.get("acme", "/api/v1/events").await;
        let last = feed["events"].as_array().unwrap().last().unwrap().clone();
        assert_eq!((&last["kind"], &last["subject"]), (&json!("webhook_paused"), &json!(id)));
        let (before, path) = (receiver.got().len(), format!("/api/v1/webhooks/{id}"));
        world.lodge("acme").await;
        world.pass(HOUR);
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        assert_eq!(receiver.got().len(), before, "nothing is sent while it is paused");
        let one = format!("{path}/deliveries/{}/replay", failed["seq"]);
        assert_eq!(world.call("acme", Method::POST, &one, json!({})).await.0, 409);
        // Its receiver works again.
        receiver.otherwise(Plan::Answer(200));
        assert_eq!(world.call("acme", Method::POST, &format!("{path}/replay"), json!({})).await.0, 202);
        eventually("the rest", async || (receiver.taken().len() == 3).then_some(())).await;
        assert!(!receiver.taken().contains(&failed["seq"].as_i64().unwrap()), "what has failed stays so");
        assert_eq!(world.webhook("acme", &id).await["state"], "active");
        assert!(paused["reached"].as_i64() > failed["seq"].as_i64());
        // And that one, too.
        assert_eq!(world.call("acme", Method::POST, &one, json!({})).await.0, 202);
        let made_up = world.first("acme", &id, of_state("delivered")).await;
        assert_eq!((&made_up["seq"], &made_up["attempts"]), (&failed["seq"], &json!(1)));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_replayed_from_a_place_in_the_feed_and_only_by_its_company() {
    let (world, receiver) = (World::start(false, HERE).await, Receiver::start().await);
    let (id, _) = world.hook("acme", &receiver.url("/acme")).await;
    world.hook("pupil", &receiver.url("/pupil")).await;
    for _ in 0..3 {
        world.lodge("acme").await;
    }
    world.lodge("pupil").await;
    let got = receiver.wait(4).await;
    let (pupils, acmes): (Vec<Got>, Vec<Got>) = got.into_iter().partition(|got| got.path == "/pupil");
    assert_eq!(pupils.len(), 1, "a sandbox is told of its own");
    assert_eq!(pupils[0].json()["sandbox"], true);
    let path = format!("/api/v1/webhooks/{id}");
    for (method, path, body) in [
        (Method::GET, format!("{path}/deliveries"), Value::Null),
        (Method::POST, format!("{path}/replay"), json!({ "after": 0 })),
        (Method::POST, format!("{path}/deliveries/{}/replay", acmes[0].seq()), json!({})),
        (Method::POST, format!("{path}/secret"), json!({})),
        (Method::DELETE, path.clone(), Value::Null),
    ] {
        for stranger in ["rival", "pupil"] {
            let (status, answer) = world.call(stranger, method.clone(), &path, body.clone()).await;
            assert_eq!(
                (status, &answer["detail"]),
                (404, &json!("there is no such webhook")),
                "{method} {path}"
            );
        }
        assert_eq!(world.call("selector", method, &path, body).await.0, 403);
    }
    assert_eq!(world.get("rival", "/api/v1/webhooks").await["webhooks"], json!([]));
    // Another company's news cannot be had by one's own webhook.
    let stolen = format!("{path}/deliveries/{}/replay", pupils[0].seq());
    assert_eq!(world.call("acme", Method::POST, &stolen, json!({})).await.0, 404);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(receiver.got().len(), 4, "nobody was told anything");
    let after = acmes[0].seq();
    assert_eq!(
        world.call("acme", Method::POST, &format!("{path}/replay"), json!({ "after": after })).await.0,
        202
    );
    let again = &receiver.wait(6).await[4..];
    let ids = |got: &[Got]| got.iter().map(|got| got.header("webhook-id").to_owned()).collect::<Vec<_>>();
    assert_eq!(ids(again), ids(&acmes[1..]), "under the same ids");
    let one = format!("{path}/deliveries/{after}/replay");
    assert_eq!(world.call("acme", Method::POST, &one, json!({})).await.0, 202);
    assert_eq!(ids(&receiver.wait(7).await[6..]), ids(&acmes[..1]));
    assert_eq!(
        world.call("acme", Method::POST, &format!("{path}/replay"), json!({ "after": -1 })).await.0,
        422
    );
    assert_eq!(world.call("acme", Method::DELETE, &path, Value::Null).await.0, 204);
    world.lodge("acme").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(receiver.got().len(), 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn both_secrets_sign_for_a_day_and_five_webhooks_are_enough() {
    let (world, receiver) = (World::start(false, HERE).await, Receiver::start().await);
    let (id, old) = world.hook("acme", &receiver.url("/")).await;
    let (status, made) =
        world.call("acme", Method::POST, &format!("/api/v1/webhooks/{id}/secret"), json!({})).await;
    let new = text(&made["secret"]);
    assert!(status == 200 && new != old);
    world.lodge("acme").await;
    let both = receiver.wait(1).await.pop().unwrap();
    assert!(both.is_signed_by(&old) && both.is_signed_by(&new));
    world.pass(25 * HOUR);
    world.lodge("acme").await;
    let one = receiver.wait(2).await.pop().unwrap();
    assert!(!one.is_signed_by(&old) && one.is_signed_by(&new));
    // Somebody who reads the database reads no secret.
    let file = std::fs::read(world.dir.path().join("data/central.sqlite")).unwrap();
    assert!(!file.windows(new.len() - 6).any(|part| part == &new.as_bytes()[6..]));
    assert_eq!(world.get("acme", "/api/v1/webhooks").await["webhooks"][0]["secret"], Value::Null);
    // The same address twice, a sixth, and such as lead nowhere.
    let add = async |body: Value| world.call("acme", Method::POST, "/api/v1/webhooks", body).await;
    assert_eq!(add(json!({ "url": receiver.url("/") })).await.0, 409);
    for path in ["/2", "/3", "/4", "/5"] {
        world.hook("acme", &receiver.url(path)).await;
    }
    assert_eq!(add(json!({ "url": receiver.url("/6") })).await.0, 409);
    for (body, pointer) in [
        (json!({ "url": "ftp://example.com" }), "/url"),
        (json!({ "url": receiver.url("/7"), "news": [] }), "/news"),
        (json!({ "url": receiver.url("/7"), "news": ["gossip"] }), "/news/0"),
        (json!({ "url": receiver.url("/7"), "secret": "mine" }), "/secret"),
        (json!({}), "/url"),
    ] {
        let (status, problem) = add(body).await;
        assert_eq!((status, &problem["errors"][0]["pointer"]), (422, &json!(pointer)), "{problem}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_webhook_leads_behind_the_walls_and_closed_ways_are_told() {
    let receiver = Receiver::start().await;
    let world = World::start(false, "webhooks = {}\n").await;
    let add =
        async |url: String| world.call("acme", Method::POST, "/api/v1/webhooks", json!({ "url": url })).await;
    for url in [receiver.url("/"), format!("https://127.0.0.1:{}/", receiver.port())] {
        let (status, problem) = add(url).await;
        assert_eq!((status, &problem["errors"][0]["pointer"]), (422, &json!("/url")), "{problem}");
    }
    // A name that leads there is found out when something is sent.
    let (id, _) = world.hook("acme", &format!("https://localhost:{}/", receiver.port())).await;
    world.lodge("acme").await;
    let refused = world.latest("acme", &id, of_state("retrying")).await;
    assert!(text(&refused["error"]).contains("is not in the public network"), "{refused}");
    assert_eq!(receiver.got().len(), 0);
    drop(world);
    let world = World::start(false, "").await;
    let (status, _) =
        world.call("acme", Method::POST, "/api/v1/webhooks", json!({ "url": receiver.url("/") })).await;
    assert_eq!(status, 404);
    let channels = world.get("acme", "/api/v1/company").await["channels"].clone();
    assert_eq!(channels, json!({ "webhook": false, "email": false, "sms": false }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_company_names_whom_to_tell() {
    on_both_engines(async |postgres| {
        let world = World::start(postgres, "").await;
        let before = world.get("acme", "/api/v1/company").await;
        assert_eq!((&before["id"], &before["version"], &before["contact"]["emails"]), (&json!("acme"), &json!(0), &json!([])));
        let contact = json!({ "language": "zh-Hant", "emails": [{ "address": "ops@example.com" }],
            "mobiles": [{ "number": "+85291234567", "news": ["report"] }] });
        let put = async |who: &str, tag: Option<&str>, body: &Value| {
            let request = world.http.put(format!("{}/api/v1/company", world.base)).bearer_auth(who).json(body);
            let request = tag.into_iter().fold(request, |request, tag| request.header("if-match", tag));
            let answer = request.send().await.unwrap();
            let tag = answer.headers().get("etag").map(|tag| tag.to_str().unwrap().to_owned());
            (answer.status().as_u16(), tag, answer.json::<Value>().await.unwrap())
        };
        assert_eq!(put("acme", None, &contact).await.0, 428);
        let (status, tag, after) = put("acme", Some("\"0\""), &contact).await;
        assert_eq!((status, tag.as_deref()), (200, Some("\"1\"")));
        assert_eq!(after["contact"]["mobiles"], contact["mobiles"]);
        let told = after["contact"]["emails"][0]["news"].as_array().unwrap();
        assert!(told.contains(&json!("reassessed")) && !told.contains(&json!("lodged")), "{told:?}");
        assert_eq!(after["addresses"][0], json!({ "channel": "email", "address": "ops@example.com" }));
        assert_eq!(put("acme", Some("\"0\""), &contact).await.0, 412);
        assert_eq!(world.get("rival", "/api/v1/company").await["contact"]["emails"], json!([]));
        let wrong = json!({ "language": "fr", "emails": [{ "address": "a@b.c\r\nBcc: x@y.z" }], "mobiles": [{ "number": "1" }] });
        let (status, _, problem) = put("acme", Some("*"), &wrong).await;
        let pointers: Vec<_> = problem["errors"].as_array().unwrap().iter().map(|e| text(&e["pointer"])).collect();
        assert_eq!((status, pointers), (422, vec!["/language".into(), "/emails/0/address".into(), "/mobiles/0/number".into()]));
        assert_eq!(put("acme", Some("*"), &json!({ "fax": "1" })).await.0, 422);
        assert_eq!(put("selector", Some("*"), &contact).await.0, 403);
        let (_, _, none) = put("acme", Some("\"1\""), &json!({})).await;
        assert_eq!((&none["version"], &none["addresses"]), (&json!(2), &json!([])));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_told_by_mail_in_their_language_and_only_what_they_chose() {
    on_both_engines(async |postgres| {
        let dir = TempDir::new().unwrap();
        let server = MailServer::start(&dir.path().join("mail.pem")).await;
        write_secret(&dir, "mail.password", "open sesame\n");
        let messages = format!(
            "smtp = {{ host = \"localhost\", port = {}, from = \"Clearlane <noreply@lane.example>\", ca = \"mail.pem\", \
             username = \"lane\", password_file = \"mail.password\" }}\n[portal]\norigin = \"https://trade.example.org/\"\n",
            server.port()
        );
        let world = World::start_in(dir, postgres, &messages).await;
        let contact = json!({ "language": "zh-Hant", "emails": [{ "address": "ops@example.com", "own": true },
            { "address": "all@example.com", "news": ["lodged", "consignment_cancelled"], "own": true }] });
        assert_eq!(world.call("acme", Method::PUT, "/api/v1/company", contact).await.0, 200);
        let pupils = json!({ "emails": [{ "address": "pupil@example.com", "news": ["lodged"], "own": true }] });
        assert_eq!(world.call("pupil", Method::PUT, "/api/v1/company", pupils).await.0, 200);
        // A server that is busy is asked again.
        server.answer("451 busy");
        let ccrn = world.lodge("acme").await;
        server.wait(1).await;
        world.pass(5_000);
        let lodged = server.wait(2).await;
        assert_eq!(lodged[0].field("message-id"), lodged[1].field("message-id"));
        assert_eq!((lodged[0].answer.as_str(), lodged[1].answer.as_str()), ("451 busy", "250 taken"));
        let mail = &lodged[1];
        assert!(mail.tls && mail.signed_in.starts_with("AUTH PLAIN "), "{}", mail.signed_in);
        assert_eq!(mail.to, ["RCPT TO:<all@example.com>"]);
        assert!(mail.field("message-id").ends_with("@lane.example>"), "{}", mail.text);
        assert!(mail.body().contains(&format!("貨物 {ccrn} 已提交")), "{}", mail.body());
        assert!(mail.body().contains(&format!("https://trade.example.org/trade/consignments/{ccrn}")), "{}", mail.body());
        let path = format!("/api/v1/consignments/{ccrn}");
        assert_eq!(world.call("acme", Method::DELETE, &path, Value::Null).await.0, 204);
        let cancelled = &server.wait(4).await[2..];
        let mut to: Vec<_> = cancelled.iter().flat_map(|mail| mail.to.clone()).collect();
        to.sort();
        assert_eq!(to, ["RCPT TO:<all@example.com>", "RCPT TO:<ops@example.com>"]);
        world.lodge("pupil").await;
        let pupils = server.wait(5).await.pop().unwrap();
        assert!(pupils.field("subject").starts_with("[Training] "), "{}", pupils.field("subject"));
        assert_eq!(pupils.to, ["RCPT TO:<pupil@example.com>"]);
        // A mailbox that is not there is asked once, and the company sees it.
        server.answer("550 no such mailbox");
        world.lodge("pupil").await;
        server.wait(6).await;
        world.pass(60_000);
        let failing = eventually("a failure", async || {
            let address = world.get("pupil", "/api/v1/company").await["addresses"][0].clone();
            address["failing_since"].is_i64().then_some(address)
        });
        assert!(text(&failing.await["last_error"]).contains("550"));
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(server.got().len(), 6);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_told_of_what_others_do_and_systems_of_everything() {
    on_both_engines(async |postgres| {
        let dir = TempDir::new().unwrap();
        let server = MailServer::start(&dir.path().join("mail.pem")).await;
        let receiver = Receiver::start().await;
        let messages = format!(
            "{HERE}smtp = {{ host = \"localhost\", port = {}, from = \"Clearlane <noreply@lane.example>\", ca = \"mail.pem\" }}\n",
            server.port()
        );
        let world = World::start_in(dir, postgres, &messages).await;
        let key = Arc::new(keys::load(&world.config.key_file).unwrap());
        let store = open_store(&world.config, key).await.unwrap();
        // Somebody whose name is the address that is told.
        let desk = "desk@acme.example";
        let acme = "acme".parse().unwrap();
        store.put_token(&token_hash(desk), desk, Role::Trade.name(), Some(&acme)).await.unwrap();
        let news = json!(["lodged", "bundled"]);
        let contact = json!({ "emails": [{ "address": "ops@acme.example", "news": news },
            { "address": "Desk@acme.example", "news": news, "own": true }] });
        assert_eq!(world.call("acme", Method::PUT, "/api/v1/company", contact.clone()).await.0, 200);
        assert_eq!(world.get("acme", "/api/v1/company").await["contact"]["emails"], contact["emails"]);
        world.hook("acme", &receiver.url("/hook")).await;
        let ccrn = world.lodge("acme").await;
        server.wait(1).await;
        world.lodge(desk).await;
        receiver.wait(2).await;
        // Another company's vehicle takes it on.
        let arrival = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24);
        let bundle = json!({ "mark": "AB1234", "ccrns": [ccrn], "expected_arrival": arrival.to_string() });
        let (status, made) = world.call("rival", Method::POST, "/api/v1/bundles", bundle).await;
        assert_eq!(status, 201, "{made}");
        let mails = server.wait(3).await;
        let mut to: Vec<_> = mails.iter().map(|mail| (mail.to[0].as_str(), mail.body().contains("AB1234"))).collect();
        to.sort_unstable();
        let (desk, ops) = ("RCPT TO:<Desk@acme.example>", "RCPT TO:<ops@acme.example>");
        assert_eq!(to, [(desk, false), (desk, true), (ops, true)]);
        assert_eq!(receiver.wait(3).await.len(), 3);
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(server.got().len(), 3);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_is_paused_loses_nothing_and_is_replayed_from_a_moment() {
    on_both_engines(async |postgres| {
        let (world, receiver) = (World::start(postgres, HERE).await, Receiver::start().await);
        let (id, _) = world.hook("acme", &receiver.url("/hook")).await;
        let path = format!("/api/v1/webhooks/{id}");
        world.lodge("acme").await;
        receiver.wait(1).await;
        world.latest("acme", &id, of_state("delivered")).await;
        let pause = format!("{path}/pause");
        assert_eq!(world.call("rival", Method::POST, &pause, Value::Null).await.0, 404);
        for _ in 0..2 {
            assert_eq!(world.call("acme", Method::POST, &pause, Value::Null).await.0, 204);
        }
        assert_eq!(world.webhook("acme", &id).await["state"], "paused");
        let since = world.clock().now().0;
        let later = [world.lodge("acme").await, world.lodge("acme").await];
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        assert_eq!(receiver.got().len(), 1);
        let replay = format!("{path}/replay");
        assert_eq!(world.call("acme", Method::POST, &replay, json!({})).await.0, 202);
        let subjects =
            |got: &[Got]| got.iter().map(|got| text(&got.json()["data"]["subject"])).collect::<Vec<_>>();
        assert_eq!(subjects(&receiver.wait(3).await[1..]), later);
        world.latest("acme", &id, of_state("delivered")).await;
        assert_eq!(world.call("acme", Method::POST, &replay, json!({ "since": since })).await.0, 202);
        assert_eq!(subjects(&receiver.wait(5).await[3..]), later);
        world.latest("acme", &id, of_state("delivered")).await;
        // Nothing has happened since: it goes on where it stands.
        let future = json!({ "since": since + HOUR });
        assert_eq!(world.call("acme", Method::POST, &replay, future).await.0, 202);
        let both = json!({ "since": 0, "after": 0 });
        assert_eq!(world.call("acme", Method::POST, &replay, both).await.0, 422);
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        assert_eq!(receiver.got().len(), 5);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_told_by_sms() {
    let (dir, adapter) = (TempDir::new().unwrap(), Receiver::start().await);
    write_secret(&dir, "sms.token", "pigeon\n");
    let messages = format!("sms = {{ url = \"{}\", token_file = \"sms.token\" }}\n", adapter.url("/send"));
    let world = World::start_in(dir, false, &messages).await;
    let contact = json!({ "language": "zh-Hans", "mobiles": [{ "number": "+85291234567", "news": ["lodged"], "own": true },
        { "number": "+8613800138000", "news": ["lodged"], "own": true }] });
    assert_eq!(world.call("acme", Method::PUT, "/api/v1/company", contact).await.0, 200);
    adapter.plan(&[Plan::Answer(503)]);
    let ccrn = world.lodge("acme").await;
    adapter.wait(2).await;
    world.pass(5_000);
    let got = adapter.wait(3).await;
    assert!(got.iter().all(|got| got.path == "/send" && got.header("authorization") == "Bearer pigeon"));
    let (first, other, again) = (got[0].json(), got[1].json(), got[2].json());
    assert_eq!(first, again, "the same id and text when it is sent again");
    assert_eq!(first["text"], format!("Clearlane: 货物 {ccrn} 已提交"));
    assert_ne!((&first["to"], &first["id"]), (&other["to"], &other["id"]));
    let mut keys: Vec<_> = first.as_object().unwrap().keys().collect();
    keys.sort();
    assert_eq!(keys, ["id", "text", "to"]);
}

fn all_before(moment: UtcMillis) -> KeptSince {
    KeptSince { declarations: moment, decisions: moment }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_rolls_off_before_it_was_delivered_has_failed() {
    on_both_engines(async |postgres| {
        let (world, receiver) = (World::start(postgres, HERE).await, Receiver::start().await);
        let (id, _) = world.hook("acme", &receiver.url("/")).await;
        receiver.otherwise(Plan::Answer(500));
        let key = Arc::new(keys::load(&world.config.key_file).unwrap());
        let store = open_store(&world.config, key).await.unwrap();
        world.lodge("acme").await;
        world.latest("acme", &id, of_state("retrying")).await;
        // It waits behind the one that fails.
        world.lodge("acme").await;
        let now = world.clock().now();
        assert!(
            store.roll_off(all_before(now.plus_millis(1_000)), now.plus_millis(1_000)).await.unwrap() > 0
        );
        let all = world.deliveries("acme", &id).await;
        let told: Vec<_> = all.iter().map(|d| (text(&d["state"]), d["attempts"].as_i64().unwrap())).collect();
        assert_eq!(told, [("failed".to_owned(), 1), ("failed".to_owned(), 0)]);
        assert!(all.iter().all(|d| text(&d["error"]).contains("kept no longer")), "{all:?}");
        // They are shown until they roll off themselves.
        let later = now.plus_millis(HOUR);
        store.roll_off(all_before(later), later).await.unwrap();
        assert_eq!(world.deliveries("acme", &id).await, Vec::<Value>::new());
    })
    .await;
}

fn write_secret(dir: &TempDir, name: &str, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    let path = dir.path().join(name);
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
}
