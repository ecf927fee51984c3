//! The selectors' workbench and the bay as a browser without a script sees them, on both engines: codes with reasons, four eyes,
//! conflicts, many at once, hand-over, inspections with photographs, figures, and what must fail.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::io::Cursor;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use central::ccrn::Ccrn;
use central::clock::Clock;
use central::config::Config;
use central::officers::{Role, hash_password};
use central::operations::{Bundling, Operations};
use central::screening::{ImportList, approve, put_list, put_policy};
use central::storage::trade::Revision;
use central::storage::{Noted, Store};
use central::trade::movement::Inspection;
use central::trade::{Caller, Consignment, Direction, Load, Party, TraderId, Vehicle};
use central::{Central, keys, open_store};
use clearance::decide::Reason;
use clearance::directive::{ActionCode, DirectiveStatus};
use clearance::ids::{Digest, Epoch, MovementId, PassageId, Revision as LogRevision, SiteId, UtcMillis};
use clearance::passage::{DecisionRecord, Outcome, PassageEvent, PassageStep};
use futures::{StreamExt as _, stream};
use image::{ImageFormat, RgbImage};
use reqwest::multipart::{Form, Part};
use reqwest::{Response, StatusCode};
use risk::assessment::Confidentiality;
use risk::lists::{ListHeader, ListKind};
use risk::policy::{Capacity, ListUse, RandomShares, Rule, ScoreUse};
use risk::{Colour, Measure, Policy, Probability};
use support::Postgres;
use tempfile::TempDir;

const PASSWORD: &str = "a long password";
const MINUTE: i64 = 60_000;

/// A place without a cut-off.
const OPEN: &str = "time_zone = \"Asia/Hong_Kong\"\nbay_hour_hkd = 1200\n[[rules]]\nfrom = \"2010-01-01\"\nphase = \"mandatory\"\n\
    cut_off_minutes = 0\nlodging_window_days = 14\n";

struct Running {
    central: Central,
    store: Store,
    operations: Operations,
    now: Arc<AtomicI64>,
    http: reqwest::Client,
    base: String,
    _dir: TempDir,
}

async fn start(database: Option<&str>) -> Running {
    let dir = TempDir::new().unwrap();
    keys::generate(&dir.path().join("central.key")).unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let database = database.map_or_else(String::new, |url| format!("database = \"{url}\"\n"));
    let text = format!(
        "http = \"127.0.0.1:0\"\nzenoh = [\"tcp/127.0.0.1:{port}\"]\ndata_dir = \"data\"\nkey_file = \"central.key\"\n\
         {database}sites = [\"lok-ma-chau\", \"man-kam-to\"]\nplace = \"place.toml\"\n[edges]\n"
    );
    std::fs::write(dir.path().join("place.toml"), OPEN).unwrap();
    std::fs::write(dir.path().join("central.toml"), text).unwrap();
    let config = Config::load(&dir.path().join("central.toml")).unwrap();
    let now = Arc::new(AtomicI64::new(Clock::system().now().0));
    let clock = || {
        let now = Arc::clone(&now);
        Clock::of(move || UtcMillis(now.load(Ordering::SeqCst)))
    };
    let central = Central::start(&config, clock()).await.unwrap();
    let store = open_store(&config, Arc::new(keys::load(&config.key_file).unwrap())).await.unwrap();
    let place = Arc::new(config.place().unwrap());
    let operations = Operations::new(store.clone(), clock(), place, config.sites.as_slice().into());
    for (name, role) in [
        ("lam", Role::Selector),
        ("ng", Role::Selector),
        ("ho", Role::Supervisor),
        ("yip", Role::Inspector),
        ("chan", Role::Officer),
    ] {
        store.put_officer(name, role.name(), &hash_password(PASSWORD).unwrap()).await.unwrap();
    }
    for name in ["shipper", "carrier"] {
        let at = UtcMillis(now.load(Ordering::SeqCst));
        store.add_trader(&name.parse().unwrap(), name, false, "test", at).await.unwrap();
    }
    let base = format!("http://{}", central.http());
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    Running { central, store, operations, now, http, base, _dir: dir }
}

fn company(name: &str) -> Caller {
    Caller::of(name.parse::<TraderId>().unwrap(), format!("{name}'s clerk"))
}

/// What a page says between two pieces of its text.
fn between<'a>(page: &'a str, before: &str, after: &str) -> &'a str {
    page.split_once(before)
        .and_then(|(_, rest)| rest.split_once(after))
        .unwrap_or_else(|| panic!("{before} in {page}"))
        .0
}

fn csrf(page: &str) -> String {
    between(page, "name=\"csrf\" value=\"", "\"").to_owned()
}

fn location(answer: &Response) -> String {
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    answer.headers()["location"].to_str().unwrap().to_owned()
}

async fn refused(answer: Response) -> String {
    assert_eq!(answer.status(), StatusCode::OK);
    let page = answer.text().await.unwrap();
    assert!(page.contains("role=\"alert\""), "{page}");
    page
}

impl Running {
    fn at(&self) -> UtcMillis {
        UtcMillis(self.now.load(Ordering::SeqCst))
    }

    fn pass(&self, milliseconds: i64) {
        self.now.fetch_add(milliseconds, Ordering::SeqCst);
    }

    /// Sign in; gives the cookie and where one is led.
    async fn sign_in(&self, name: &str) -> (String, String) {
        let form = [("name", name), ("password", PASSWORD)];
        let answer =
            self.http.post(format!("{}/console/sign-in", self.base)).form(&form).send().await.unwrap();
        let cookie = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        (cookie, location(&answer))
    }

    async fn get(&self, path: &str, cookie: &str) -> Response {
        self.http.get(format!("{}{path}", self.base)).header("cookie", cookie).send().await.unwrap()
    }

    async fn page(&self, path: &str, cookie: &str) -> String {
        let answer = self.get(path, cookie).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        answer.text().await.unwrap()
    }

    async fn post(&self, path: &str, cookie: &str, fields: &[(&str, &str)]) -> Response {
        let request = self.http.post(format!("{}{path}", self.base)).header("cookie", cookie);
        request.form(fields).send().await.unwrap()
    }

    fn consignment(&self, description: &str) -> Consignment {
        let party = |name: &str| Party { name: name.to_owned(), address: "1 Road".to_owned() };
        let today =
            jiff::Timestamp::from_millisecond(self.at().0).unwrap().in_tz("Asia/Hong_Kong").unwrap().date();
        Consignment {
            direction: Direction::Inbound,
            packages: 40,
            package_kind: "CT".to_owned(),
            description: description.to_owned(),
            consignor: party("Huizhou Electronics"),
            consignee: party("Kowloon Traders"),
            expected_date: today.to_string(),
            hs_code: Some("847130".to_owned()),
            origin: Some("CN".to_owned()),
            value_hkd: Some(120_000),
            net_weight_kg: Some(900),
            goods: Vec::new(),
            transhipment: false,
        }
    }

    /// A vehicle with a consignment, expected in some minutes.
    async fn announce(&self, mark: &str, minutes: i64) -> (MovementId, Ccrn) {
        let ccrn = self.operations.lodge(&company("shipper"), self.consignment("laptops")).await.unwrap();
        let bundling = Bundling {
            vehicle: Vehicle::parse(mark, None, &[]).unwrap(),
            site: Some("lok-ma-chau".parse().unwrap()),
            expected_arrival: self.at().plus_millis(minutes * MINUTE),
            load: Load::Consignments,
            direction: None,
            ccrns: vec![ccrn.clone()],
        };
        (self.operations.bundle(&company("carrier"), bundling).await.unwrap(), ccrn)
    }

    /// An empty vehicle with a code, expected soon.
    async fn coded(&self, number: i64, code: ActionCode) {
        let bundling = Bundling {
            vehicle: Vehicle::parse(&format!("RU{}", 1000 + number), None, &[]).unwrap(),
            site: Some("lok-ma-chau".parse().unwrap()),
            expected_arrival: self.at().plus_millis(5 * MINUTE + number),
            load: Load::Empty,
            direction: Some(Direction::Inbound),
            ccrns: Vec::new(),
        };
        let movement = self.operations.bundle(&company("carrier"), bundling).await.unwrap();
        self.operations.assess(&movement, code, None, "known", "customs").await.unwrap();
    }

    /// Wait until screening has assessed a movement.
    async fn assessed(&self, movement: &MovementId) {
        for _ in 0..400 {
            if self.store.assessment(movement.as_str()).await.unwrap().is_some() {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
        panic!("{movement} was not assessed");
    }

    /// The fields of the form of a movement's page.
    async fn form(&self, movement: &MovementId, cookie: &str) -> (String, String) {
        let page = self.page(&format!("/console/workbench/movements/{movement}"), cookie).await;
        (csrf(&page), between(&page, "name=\"seen\" value=\"", "\"").to_owned())
    }

    async fn decide(&self, movement: &MovementId, cookie: &str, code: &str) -> Response {
        let (csrf, seen) = self.form(movement, cookie).await;
        self.decide_by(movement, cookie, &csrf, &seen, code).await
    }

    async fn decide_by(
        &self,
        movement: &MovementId,
        cookie: &str,
        csrf: &str,
        seen: &str,
        code: &str,
    ) -> Response {
        let fields = [
            ("csrf", csrf),
            ("seen", seen),
            ("code", code),
            ("basis", "goods"),
            ("reason", "value below the usual one"),
            ("instructions", "open the third pallet"),
        ];
        self.post(&format!("/console/workbench/movements/{movement}/decide"), cookie, &fields).await
    }

    /// The code that the lanes have for a mark.
    async fn lanes_have(&self, mark: &str) -> Option<ActionCode> {
        let site: SiteId = "lok-ma-chau".parse().unwrap();
        let entry = self.store.entry(&site, &mark.parse().unwrap()).await.unwrap()?;
        (entry.status == DirectiveStatus::Active).then_some(entry.directive.action)
    }

    /// A lane directs the vehicle of a movement.
    async fn direct(&self, movement: &MovementId, number: u8, outcome: Outcome) {
        let what = PassageStep::Decided(DecisionRecord {
            outcome,
            reason: Reason::Directive,
            movement: Some(movement.clone()),
            order: None,
            plates: Vec::new(),
            epoch: Epoch(1),
            revision: LogRevision(1),
            model: Digest([0; 32]),
        });
        let event = PassageEvent {
            site: "lok-ma-chau".parse().unwrap(),
            lane: "lane-1".parse().unwrap(),
            edge: "edge-1".parse().unwrap(),
            passage: PassageId([number; 16]),
            step: 0,
            at: self.at(),
            what,
        };
        self.store.store_event(&event).await.unwrap();
    }

    /// The vehicle of a passage leaves the lane.
    async fn leaves(&self, number: u8) {
        let event = PassageEvent {
            site: "lok-ma-chau".parse().unwrap(),
            lane: "lane-1".parse().unwrap(),
            edge: "edge-1".parse().unwrap(),
            passage: PassageId([number; 16]),
            step: 1,
            at: self.at(),
            what: PassageStep::Left,
        };
        self.store.store_event(&event).await.unwrap();
    }

    async fn noted(&self, wanted: impl Fn(&Noted) -> bool) -> usize {
        self.store.audit_lines(1000).await.unwrap().iter().filter(|line| wanted(&line.what)).count()
    }
}

/// Run a scenario on both engines.
async fn on_both(scenario: impl AsyncFn(&Running)) {
    let postgres = Postgres::start().unwrap();
    for url in [None, Some(postgres.url())] {
        let running = start(url.as_deref()).await;
        scenario(&running).await;
        running.central.stop().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_officer_gives_a_code_with_a_reason_and_the_lanes_have_it() {
    on_both(async |running| {
        let (lam, led_to) = running.sign_in("lam").await;
        assert_eq!(led_to, "/console/workbench");
        let (movement, _) = running.announce("AB1234", 30).await;
        running.announce("AB1235", 600).await;
        let queue = running.page("/console/workbench", &lam).await;
        assert!(queue.find("AB 1234").unwrap() < queue.find("AB 1235").unwrap(), "the sooner comes first");
        assert!(queue.contains("0:30:00") && queue.contains("laptops"), "{queue}");
        let page = running.page(&format!("/console/workbench/movements/{movement}"), &lam).await;
        for said in ["Huizhou Electronics", "Kowloon Traders", "847130", "120,000", "<svg", "never before"] {
            assert!(page.contains(said), "{said}: {page}");
        }
        let fields = [
            ("csrf", &*csrf(&page)),
            ("seen", between(&page, "name=\"seen\" value=\"", "\"")),
            ("code", "inspect"),
            ("instructions", "look behind the <b>"),
        ];
        let path = format!("/console/workbench/movements/{movement}/decide");
        let told = refused(running.post(&path, &lam, &fields).await).await;
        assert!(told.contains("Write a reason.") && told.contains("Choose what led to it."), "{told}");
        assert!(told.contains("look behind the &lt;b&gt;"), "what was typed is still there");
        assert_eq!(running.lanes_have("AB1234").await, None);

        let answer = running.decide(&movement, &lam, "inspect").await;
        assert!(location(&answer).contains("told=wb-told-given&mark=AB1234"), "{}", location(&answer));
        assert_eq!(running.lanes_have("AB1234").await, Some(ActionCode::Inspect));
        let told = running.page(&location(&answer), &lam).await;
        assert!(
            told.contains("role=\"status\"") && !told.contains(&format!("movements/{movement}\"")),
            "{told}"
        );
        let coded = running.page("/console/workbench?view=coded", &lam).await;
        assert!(coded.contains("AB 1234") && !coded.contains("AB 1235"), "{coded}");
        let page = running.page(&format!("/console/workbench/movements/{movement}"), &lam).await;
        assert!(
            page.contains("value below the usual one") && page.contains("open the third pallet"),
            "{page}"
        );
        assert_eq!(running.noted(|noted| *noted == Noted::LookAtRisk).await, 4, "every look leaves a line");

        // The trade is told that it is assessed, and neither the code nor why.
        let news = running.store.news(&"shipper".parse().unwrap(), 0, 100).await.unwrap();
        let news = serde_json::to_string(&news).unwrap();
        assert!(news.contains("assessed") && !news.contains("inspect") && !news.contains("usual"), "{news}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn however_many_come_first_with_a_code_one_without_is_seen_and_counted() {
    on_both(async |running| {
        let (lam, _) = running.sign_in("lam").await;
        // More than a page shows, most of which never come.
        let crowd: Vec<_> = (0..310).map(|number| running.coded(number, ActionCode::Release)).collect();
        stream::iter(crowd).buffer_unordered(16).collect::<()>().await;
        running.coded(400, ActionCode::Documents).await;
        let (late, _) = running.announce("RU2001", 30).await;
        location(&running.decide(&late, &lam, "inspect").await);
        location(&running.decide(&late, &lam, "release").await);
        running.announce("RU2002", 200).await;
        running.announce("RU2003", 90).await;
        running.pass(50 * MINUTE);
        let (lam, _) = running.sign_in("lam").await;
        let queue = running.page("/console/workbench", &lam).await;
        assert!(queue.find("RU 2003").unwrap() < queue.find("RU 2002").unwrap(), "{queue}");
        assert!(queue.contains("<strong>1</strong> without a code, expected within 60"), "{queue}");
        assert!(between(&queue, "Next: ", "</p>").contains("RU2003"), "{queue}");
        let counts = |page: &str| {
            let views = between(page, "class=\"filters\"", "</span>").to_owned();
            let counts = views.split("<b>").skip(1).map(|rest| rest.split('<').next().unwrap().to_owned());
            counts.collect::<Vec<_>>()
        };
        assert_eq!(counts(&queue), ["2", "1", "311"]);
        assert!(!queue.contains("At most 300 are shown"), "{queue}");
        let second = running.page("/console/workbench?view=second", &lam).await;
        assert!(second.contains("RU 2001") && !second.contains("RU 2002"), "{second}");
        // Of more than a page shows, the strictest are shown.
        let coded = running.page("/console/workbench?view=coded", &lam).await;
        assert!(coded.contains("At most 300 are shown"), "{coded}");
        assert_eq!(coded.matches("<tr data-row").count(), 300);
        assert!(coded.contains("RU 1400") && coded.contains("RU 1000"), "{coded}");
        // Elsewhere, and within the next hours only.
        let elsewhere = running.page("/console/workbench?site=man-kam-to", &lam).await;
        assert_eq!(counts(&elsewhere), ["0", "0", "0"]);
        let soon = running.page("/console/workbench?hours=6", &lam).await;
        assert_eq!(counts(&soon), ["2", "1", "311"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_downgrade_waits_for_another_officer_and_the_stricter_code_holds() {
    on_both(async |running| {
        let (lam, _) = running.sign_in("lam").await;
        let (ng, _) = running.sign_in("ng").await;
        let (movement, _) = running.announce("CD2001", 60).await;
        location(&running.decide(&movement, &lam, "inspect").await);
        let answer = running.decide(&movement, &lam, "release").await;
        assert!(location(&answer).contains("wb-told-waits"));
        assert_eq!(running.lanes_have("CD2001").await, Some(ActionCode::Inspect));
        let path = format!("/console/workbench/movements/{movement}");
        let own = running.page(&path, &lam).await;
        assert!(own.contains("Another officer has to agree.") && !own.contains("/second\""), "{own}");
        let page = running.page(&path, &ng).await;
        let second = between(&page, "/console/workbench/decisions/", "\"").to_owned();
        let second = format!("/console/workbench/decisions/{second}");
        // By hand, it is no more one's own second pair of eyes.
        let fields = |csrf: &str, agrees: &str, note: &str| {
            [("csrf", csrf.to_owned()), ("agrees", agrees.to_owned()), ("note", note.to_owned())]
        };
        let sent = |cookie: String, fields: [(&'static str, String); 3]| {
            let request = running.http.post(format!("{}{second}", running.base)).header("cookie", cookie);
            async move { request.form(&fields).send().await.unwrap() }
        };
        let told = refused(sent(lam.clone(), fields(&csrf(&own), "yes", "")).await).await;
        assert!(told.contains("your own decision"), "{told}");
        let told = refused(sent(ng.clone(), fields(&csrf(&page), "no", " ")).await).await;
        assert!(told.contains("Say why"), "{told}");
        let listed = running.page("/console/workbench?view=second", &ng).await;
        assert!(listed.contains("CD 2001"), "{listed}");
        let answer = sent(ng.clone(), fields(&csrf(&page), "no", "the consignee is new")).await;
        assert!(location(&answer).contains("wb-told-refused"));
        assert_eq!(running.lanes_have("CD2001").await, Some(ActionCode::Inspect));
        let told = refused(sent(ng.clone(), fields(&csrf(&page), "yes", "")).await).await;
        assert!(told.contains("waits for nobody"), "{told}");

        location(&running.decide(&movement, &lam, "documents").await);
        let page = running.page(&path, &ng).await;
        let second =
            format!("/console/workbench/decisions/{}", between(&page, "/console/workbench/decisions/", "\""));
        let answer =
            running.post(&second, &ng, &[("csrf", &csrf(&page)), ("agrees", "yes"), ("note", "")]).await;
        assert!(location(&answer).contains("wb-told-approved"));
        assert_eq!(running.lanes_have("CD2001").await, Some(ActionCode::Documents));
        // Stricter again: at once.
        assert!(location(&running.decide(&movement, &ng, "detain").await).contains("wb-told-given"));
        assert_eq!(running.lanes_have("CD2001").await, Some(ActionCode::Detain));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_decides_by_a_page_of_before_is_told_and_loses_nothing() {
    on_both(async |running| {
        let (lam, _) = running.sign_in("lam").await;
        let (ng, _) = running.sign_in("ng").await;
        let (movement, ccrn) = running.announce("EF3001", 60).await;
        let (token, seen) = running.form(&movement, &lam).await;
        running
            .operations
            .amend(&company("shipper"), &ccrn, running.consignment("telephones"), None)
            .await
            .unwrap();
        let told = refused(running.decide_by(&movement, &lam, &token, &seen, "release").await).await;
        assert!(
            told.contains("was changed meanwhile") && told.contains("value below the usual one"),
            "{told}"
        );
        assert!(told.contains("telephones"), "the page shows it as it is now");
        assert_eq!(running.lanes_have("EF3001").await, None);

        // Swapped, too; and decided by another.
        let (token, seen) = running.form(&movement, &lam).await;
        let revision =
            Revision { vehicle: Some(Vehicle::parse("EF3002", None, &[]).unwrap()), ..Revision::default() };
        running.operations.revise(&company("carrier"), &movement, revision, None).await.unwrap();
        refused(running.decide_by(&movement, &lam, &token, &seen, "release").await).await;
        let (token, seen) = running.form(&movement, &lam).await;
        location(&running.decide(&movement, &ng, "documents").await);
        let told = refused(running.decide_by(&movement, &lam, &token, &seen, "inspect").await).await;
        assert!(told.contains("ng has decided it meanwhile"), "{told}");
        assert_eq!(running.lanes_have("EF3002").await, Some(ActionCode::Documents));

        // A second look at what was changed since settles nothing.
        location(&running.decide(&movement, &lam, "release").await);
        running
            .operations
            .amend(&company("shipper"), &ccrn, running.consignment("radios"), None)
            .await
            .unwrap();
        let page = running.page(&format!("/console/workbench/movements/{movement}"), &ng).await;
        let second =
            format!("/console/workbench/decisions/{}", between(&page, "/console/workbench/decisions/", "\""));
        let answer = running.post(&second, &ng, &[("csrf", &csrf(&page)), ("agrees", "yes")]).await;
        assert!(location(&answer).contains("wb-told-lapsed"));
        assert_eq!(running.lanes_have("EF3002").await, None, "it is decided anew");

        // Nor what a lane has signalled for.
        let (token, seen) = running.form(&movement, &lam).await;
        location(&running.decide(&movement, &ng, "documents").await);
        running.direct(&movement, 9, Outcome::Directed(ActionCode::Inspect)).await;
        let told = refused(running.decide_by(&movement, &lam, &token, &seen, "release").await).await;
        assert!(told.contains("The lane has signalled"), "{told}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_are_decided_together_and_work_is_taken_up_and_handed_over() {
    on_both(async |running| {
        let (lam, _) = running.sign_in("lam").await;
        let (ng, _) = running.sign_in("ng").await;
        let (ho, _) = running.sign_in("ho").await;
        let mut movements = Vec::new();
        for mark in ["GH4001", "GH4002", "GH4003"] {
            movements.push(running.announce(mark, 90).await.0);
        }
        let path = format!("/console/workbench/movements/{}", movements[2]);
        let page = running.page(&path, &ng).await;
        location(&running.post(&format!("{path}/take"), &ng, &[("csrf", &csrf(&page))]).await);

        let queue = running.page("/console/workbench", &lam).await;
        assert!(queue.contains("<span class=\"warn\">ng</span>"), "{queue}");
        let values: Vec<String> = queue
            .split("name=\"m\" value=\"")
            .skip(1)
            .map(|rest| rest.split('"').next().unwrap().to_owned())
            .collect();
        assert_eq!(values.len(), 3);
        let mut fields =
            vec![("csrf", csrf(&queue)), ("code", "release".to_owned()), ("basis", "history".to_owned())];
        fields.extend(values.iter().map(|value| ("m", value.clone())));
        fn borrowed<'a>(fields: &'a [(&'a str, String)]) -> Vec<(&'a str, &'a str)> {
            fields.iter().map(|(key, value)| (*key, value.as_str())).collect()
        }
        let told = refused(running.post("/console/workbench/bulk", &lam, &borrowed(&fields)).await).await;
        assert!(told.contains("Write a reason.") && told.matches(" checked").count() >= 4, "{told}");
        fields.push(("reason", "known parties".to_owned()));
        let told = refused(running.post("/console/workbench/bulk", &lam, &borrowed(&fields)).await).await;
        assert!(told.contains("2 decided.") && told.contains("GH4003: ng works on it."), "{told}");
        assert_eq!(running.lanes_have("GH4001").await, Some(ActionCode::Release));
        assert_eq!(running.lanes_have("GH4003").await, None);
        // Sent again, it changes nothing; without the one that another works on, there is nothing to complain of.
        let (another, _) = running.announce("GH4004", 95).await;
        let (token, seen) = running.form(&another, &lam).await;
        let value = format!("{another}|{seen}");
        let one =
            [("csrf", &*token), ("m", &*value), ("code", "documents"), ("basis", "other"), ("reason", "x")];
        let answer = running.post("/console/workbench/bulk", &lam, &one).await;
        assert!(running.page(&location(&answer), &lam).await.contains("1 decided."));
        let told = refused(running.post("/console/workbench/bulk", &lam, &borrowed(&fields)).await).await;
        assert!(told.contains("lam has decided it meanwhile"), "{told}");

        // Nobody but a supervisor takes over, until the one who has it does nothing for a while.
        let page = running.page(&path, &lam).await;
        refused(running.post(&format!("{path}/take"), &lam, &[("csrf", &csrf(&page))]).await).await;
        let by_force =
            running.post(&format!("{path}/take"), &lam, &[("csrf", &csrf(&page)), ("over", "yes")]).await;
        assert_eq!(by_force.status(), StatusCode::FORBIDDEN);
        let page = running.page(&path, &ho).await;
        location(
            &running.post(&format!("{path}/take"), &ho, &[("csrf", &csrf(&page)), ("over", "yes")]).await,
        );
        running.pass(16 * MINUTE);
        let page = running.page(&path, &lam).await;
        location(&running.post(&format!("{path}/take"), &lam, &[("csrf", &csrf(&page))]).await);

        let page = running.page("/console/workbench/handover", &lam).await;
        assert!(page.contains("GH4003"), "{page}");
        let id = between(&page, "name=\"id\" value=\"", "\"").to_owned();
        let mut fields = vec![
            ("csrf", csrf(&page)),
            ("id", id),
            ("to", "yip".to_owned()),
            ("m", movements[2].to_string()),
        ];
        let told = refused(running.post("/console/workbench/handover", &lam, &borrowed(&fields)).await).await;
        assert!(told.contains("Choose to whom.") && told.contains("Write what the next shift"), "{told}");
        fields[2].1 = "ng".to_owned();
        fields.push(("note", "call the consignee at nine".to_owned()));
        for _ in 0..2 {
            location(&running.post("/console/workbench/handover", &lam, &borrowed(&fields)).await);
        }
        running.pass(10 * MINUTE);
        let page = running.page("/console/workbench/handover", &ng).await;
        assert!(
            page.contains("lam hands this to you") && page.matches("call the consignee").count() == 2,
            "{page}"
        );
        let taken = format!(
            "/console/workbench/handover/{}/taken",
            between(&page, "/console/workbench/handover/", "/taken")
        );
        location(&running.post(&taken, &ng, &[("csrf", &csrf(&page))]).await);
        running.pass(10 * MINUTE);
        let queue = running.page("/console/workbench", &lam).await;
        assert!(
            queue.contains("<span class=\"warn\">ng</span>"),
            "taking a hand-over begins the time anew: {queue}"
        );
        assert_eq!(running.noted(|noted| matches!(noted, Noted::HandOver { .. })).await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bay_sees_instructions_and_no_reason_and_what_it_sends_twice_counts_once() {
    on_both(async |running| {
        let (lam, _) = running.sign_in("lam").await;
        let (yip, led_to) = running.sign_in("yip").await;
        assert_eq!(led_to, "/console/bay");
        let (movement, _) = running.announce("JK5001", 5).await;
        location(&running.decide(&movement, &lam, "inspect").await);
        running.direct(&movement, 1, Outcome::Directed(ActionCode::Inspect)).await;
        let list = running.page("/console/bay?site=lok-ma-chau", &yip).await;
        assert!(list.contains("JK 5001") && list.contains("open the third pallet"), "{list}");
        assert!(!running.page("/console/bay?site=man-kam-to", &yip).await.contains("JK 5001"));
        let path = format!("/console/bay/{movement}");
        let page = running.page(&path, &yip).await;
        assert!(
            page.contains("open the third pallet") && !page.contains("value below the usual one"),
            "{page}"
        );

        let token = csrf(&page);
        let mut png = Cursor::new(Vec::new());
        RgbImage::from_pixel(40, 30, image::Rgb([200, 10, 10])).write_to(&mut png, ImageFormat::Png).unwrap();
        let send = async |file: Vec<u8>| {
            let form = Form::new()
                .text("csrf", token.clone())
                .part("photograph", Part::bytes(file).file_name("a.png"));
            let request = running.http.post(format!("{}{path}/photographs?site=lok-ma-chau", running.base));
            request.header("cookie", &yip).multipart(form).send().await.unwrap()
        };
        for _ in 0..2 {
            location(&send(png.get_ref().clone()).await);
        }
        let told = refused(send(b"<svg onload=alert(1)>".to_vec()).await).await;
        assert!(told.contains("a.png: This is no photograph"), "{told}");
        let page = running.page(&path, &yip).await;
        assert_eq!(running.store.photographs(movement.as_str()).await.unwrap().len(), 1);
        let picture =
            format!("/console/bay/photographs/{}", between(&page, "/console/bay/photographs/", "\""));
        let answer = running.get(&picture, &yip).await;
        assert_eq!(answer.headers()["content-type"], "image/jpeg");
        assert_eq!(image::load_from_memory(&answer.bytes().await.unwrap()).unwrap().width(), 40);

        let id = between(&page, "name=\"id\" value=\"", "\"").to_owned();
        let mut fields = vec![
            ("csrf", &*token),
            ("id", &*id),
            ("site", "lok-ma-chau"),
            ("result", "found"),
            ("quantity", "12 <cartons>"),
        ];
        let told = refused(running.post(&format!("{path}/outcome"), &yip, &fields).await).await;
        assert!(told.contains("Check what was found.") && told.contains("12 &lt;cartons&gt;"), "{told}");
        fields.extend([
            ("check", "goods"),
            ("check", "seals"),
            ("category", "undeclared"),
            ("note", "behind the third pallet"),
        ]);
        for _ in 0..2 {
            location(&running.post(&format!("{path}/outcome"), &yip, &fields).await);
        }
        assert_eq!(running.noted(|noted| matches!(noted, Noted::Inspected(_))).await, 1);
        let list = running.page("/console/bay?site=lok-ma-chau", &yip).await;
        assert!(list.contains("Something found"), "{list}");

        // The next movement of these parties shows it, as does a similar case.
        let (next, _) = running.announce("JK5002", 90).await;
        let page = running.page(&format!("/console/workbench/movements/{next}"), &lam).await;
        let similar = between(&page, "Similar cases</h2>", "</section>");
        assert!(
            similar.contains("JK5001") && similar.contains("HS 8471") && similar.contains("Something found"),
            "{similar}"
        );
        let parties = between(&page, "Parties and vehicle before</h2>", "</section>");
        assert_eq!(
            parties.matches("<td class=\"number stop\">1</td>").count(),
            4,
            "carrier, shipper, consignor, consignee: {parties}"
        );

        // And the figures.
        location(&running.decide(&next, &lam, "release").await);
        running.direct(&next, 2, Outcome::Released).await;
        let csv = running.get("/console/figures/days.csv", &lam).await;
        assert!(csv.headers()["content-disposition"].to_str().unwrap().contains("days.csv"));
        let csv = csv.text().await.unwrap();
        assert!(csv.lines().nth(1).unwrap().ends_with(",2,1,1,1,50.00,2,0,0"), "{csv}");
        let csv = running.page("/console/figures/sources.csv", &lam).await;
        assert!(csv.contains("goods,2,1,1,1,100.00"), "{csv}");
        let csv = running.page("/console/figures/model.csv", &lam).await;
        let heads = "chance_from_percent,inspected_at_random,said_percent,found_percent,score_stability_index,surprise";
        assert_eq!(csv.trim_end(), heads, "no model scores here");
        let page = running.page("/console/figures", &lam).await;
        assert!(page.matches("<svg role=\"img\"").count() == 5, "{page}");
        assert_eq!(running.get("/console/figures/accounts.csv", &lam).await.status(), StatusCode::NOT_FOUND);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_bay_finds_comes_back_to_the_rules_and_lists_that_asked() {
    on_both(async |running| {
        let zone = jiff::tz::TimeZone::get("Asia/Hong_Kong").unwrap();
        let header = ListHeader {
            list: "informants".to_owned(),
            version: 1,
            kind: ListKind::Companies,
            measure: Measure::Inspect,
            source: "liaison".to_owned(),
            confidentiality: Confidentiality::Keepers,
            matching: ListKind::Companies.usual_matching(),
        };
        let file = b"entry,name\n1,Kowloon Traders\n".to_vec();
        let list = ImportList { header, file };
        let digest = put_list(&running.store, &zone, list, "lam", running.at()).await.unwrap();
        let rule = Rule {
            id: "laptops".to_owned(),
            version: 2,
            condition: "consignments.exists(c, c.description == 'laptops')".to_owned(),
            measure: Measure::Inspect,
            from: UtcMillis(0),
            until: None,
        };
        let policy = Policy {
            lists: vec![ListUse { list: "informants".to_owned(), digest }],
            rules: vec![rule],
            random: RandomShares { inspect: Probability::ONE, ..RandomShares::default() },
            ..Policy::default()
        };
        let version = put_policy(&running.store, &zone, policy, "lam", running.at()).await.unwrap();
        approve(&running.store, version, "ng", running.at()).await.unwrap();
        let mut movements = Vec::new();
        for (number, minutes, result) in [(1, 20, Inspection::Found), (2, 40, Inspection::NothingFound)] {
            let (movement, _) = running.announce(&format!("NP700{number}"), 5).await;
            running.assessed(&movement).await;
            running.direct(&movement, number, Outcome::Directed(ActionCode::Inspect)).await;
            running.pass(minutes * MINUTE);
            running.operations.record_inspection(&movement, result, "yip").await.unwrap();
            movements.push(movement);
        }
        // An hour has passed.
        let (lam, _) = running.sign_in("lam").await;
        let rows = async || {
            let csv = running.page("/console/figures/returns.csv", &lam).await;
            let mut rows: Vec<String> = csv.lines().skip(1).map(str::to_owned).collect();
            rows.sort();
            rows
        };
        // Two inspections of 20 and 40 minutes; the interval is Wilson's of 1 in 2.
        let half = "2,1,50.00,9.45,90.55,60,60,1200";
        let expected =
            [format!("random,,,{half}"), format!("rule,laptops,2,{half}"), format!("withheld,,,{half}")];
        assert_eq!(rows().await, expected);
        let page = running.page("/console/figures", &lam).await;
        assert!(page.contains("Rule laptops, version 2") && page.contains("9.5–90.5%"), "{page}");
        assert!(!page.contains("informants"), "{page}");
        // The bay puts its report right: no inspection more, but a find.
        running.operations.record_inspection(&movements[1], Inspection::Found, "yip").await.unwrap();
        assert!(rows().await[1].starts_with("rule,laptops,2,2,2,100.00,"), "{:?}", rows().await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_officer_is_told_what_a_list_says_and_what_could_not_be_asked_but_nothing_of_a_list_that_is_withheld()
 {
    on_both(async |running| {
        let zone = jiff::tz::TimeZone::get("Asia/Hong_Kong").unwrap();
        let mut lists = Vec::new();
        for (list, confidentiality, file) in [
            (
                "wanted",
                Confidentiality::Selectors,
                "entry,name,source\n7,KOWLOON TRADERS LTD,the harbour office\n",
            ),
            ("informants", Confidentiality::Keepers, "entry,name\nw-9,HUIZHOU ELECTRONICS CO\n"),
        ] {
            let header = ListHeader {
                list: list.to_owned(),
                version: 1,
                kind: ListKind::Companies,
                measure: Measure::Inspect,
                source: "whistle-blower".to_owned(),
                confidentiality,
                matching: ListKind::Companies.usual_matching(),
            };
            let import = ImportList { header, file: file.as_bytes().to_vec() };
            let digest = put_list(&running.store, &zone, import, "lam", running.at()).await.unwrap();
            lists.push(ListUse { list: list.to_owned(), digest });
        }
        let model = Digest::of(b"a model that is not here");
        let score = Some(ScoreUse {
            model,
            red: Probability::from_millionths(900_000).ok(),
            yellow: None,
            blue: None,
        });
        let policy = Policy { lists, score, ..Policy::default() };
        let version = put_policy(&running.store, &zone, policy, "lam", running.at()).await.unwrap();
        approve(&running.store, version, "ng", running.at()).await.unwrap();
        let (movement, ccrn) = running.announce("RL1001", 30).await;
        running.assessed(&movement).await;
        let (lam, _) = running.sign_in("lam").await;
        let page = running.page(&format!("/console/workbench/movements/{movement}"), &lam).await;
        let reasons = between(&page, "What the engine said</h2>", "</section>");
        for told in [
            "Watch list wanted names it (entry 7",
            &format!("Declared: Consignee “Kowloon Traders”, consignment {ccrn}"),
            "On the list: “KOWLOON TRADERS LTD”",
            "How it matched: the same but for case",
            "Source: the harbour office",
            "There is no score",
            "A watch list whose reasons you may not know",
        ] {
            assert!(reasons.contains(told), "{told}: {reasons}");
        }
        for secret in ["informants", "w-9", "HUIZHOU ELECTRONICS CO", "whistle-blower"] {
            assert!(!page.contains(secret), "{secret}: {page}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_let_go_to_be_audited_is_listed_until_its_outcome_is_recorded() {
    on_both(async |running| {
        let zone = jiff::tz::TimeZone::get("Asia/Hong_Kong").unwrap();
        let rule = Rule {
            id: "look-later".to_owned(),
            version: 1,
            condition: "consignments.exists(c, c.description == 'laptops')".to_owned(),
            measure: Measure::Audit,
            from: UtcMillis(0),
            until: None,
        };
        let policy = Policy { rules: vec![rule], ..Policy::default() };
        let version = put_policy(&running.store, &zone, policy, "lam", running.at()).await.unwrap();
        approve(&running.store, version, "ng", running.at()).await.unwrap();
        let (movement, _) = running.announce("RA1001", 5).await;
        let (still, _) = running.announce("RA1002", 5).await;
        running.assessed(&movement).await;
        running.assessed(&still).await;
        assert_eq!(running.lanes_have("RA1001").await, Some(ActionCode::Release));
        let (lam, _) = running.sign_in("lam").await;
        let list = "/console/workbench/audits";
        assert!(running.page(list, &lam).await.contains("Nothing is to be audited."));
        for (number, movement) in [(1, &movement), (2, &still)] {
            running.direct(movement, number, Outcome::Released).await;
        }
        let early = running.operations.record_inspection(&movement, Inspection::Found, "yip").await;
        assert!(early.is_err(), "it has not crossed yet");
        running.leaves(1).await;
        running.pass(2 * 24 * 60 * MINUTE);
        let ((lam, _), (yip, _)) = (running.sign_in("lam").await, running.sign_in("yip").await);
        let page = running.page(list, &lam).await;
        assert!(page.contains("To audit after release (1)") && page.contains("2 d"), "{page}");
        assert!(page.contains(&format!("/console/workbench/movements/{movement}")), "{page}");
        assert!(!page.contains("RA 1002"), "it is at the lane still: {page}");
        assert!(running.page("/console/workbench", &lam).await.contains("To audit after release (1)"));
        let csv = running.page("/console/workbench/audits.csv", &lam).await;
        assert!(
            csv.contains(&format!("{movement},RA1001,lok-ma-chau,")) && csv.trim_end().ends_with(",2"),
            "{csv}"
        );
        assert!(
            running.page("/console/bay?site=lok-ma-chau", &yip).await.contains("To audit after release (1)")
        );

        let page = running.page(list, &yip).await;
        let path = format!("/console/bay/{movement}");
        assert!(page.contains(&path), "{page}");
        let page = running.page(&path, &yip).await;
        assert!(page.contains("Audit after release") && !page.contains("look-later"), "{page}");
        let news = async || running.store.news(&"carrier".parse().unwrap(), 0, 100).await.unwrap().len();
        let told = news().await;
        let id = between(&page, "name=\"id\" value=\"", "\"").to_owned();
        let token = csrf(&page);
        let fields = [
            ("csrf", &*token),
            ("id", &*id),
            ("result", "found"),
            ("check", "documents"),
            ("category", "undervalued"),
        ];
        let answer = running.post(&format!("{path}/outcome"), &yip, &fields).await;
        assert!(location(&answer).starts_with("/console/workbench/audits?told=bay-told-inspected"));
        assert!(running.page(list, &yip).await.contains("Nothing is to be audited."));
        assert_eq!(news().await, told, "the trade hears nothing of it");
        // The rule that asked for it has a find; nothing was stopped for it, and nobody says how long it took.
        let csv = running.page("/console/figures/returns.csv", &lam).await;
        assert!(csv.contains("rule,look-later,1,1,1,100.00,") && csv.contains(",0,0,0"), "{csv}");
        let csv = running.page("/console/figures/days.csv", &lam).await;
        assert!(csv.contains(",2,2,0,0,100.00,"), "{csv}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supervisor_says_what_the_bays_can_do_and_the_queue_is_forecast() {
    on_both(async |running| {
        let (ho, _) = running.sign_in("ho").await;
        let (lam, _) = running.sign_in("lam").await;
        for (mark, minutes) in [("LM6001", 10), ("LM6002", 20), ("LM6003", 70)] {
            let (movement, _) = running.announce(mark, minutes).await;
            location(&running.decide(&movement, &lam, "inspect").await);
        }
        let page = running.page("/console/figures", &ho).await;
        let path = "/console/figures/capacity";
        for wrong in ["many", "-1", "1001"] {
            refused(
                running
                    .post(path, &ho, &[("csrf", &csrf(&page)), ("site", "lok-ma-chau"), ("per_hour", wrong)])
                    .await,
            )
            .await;
        }
        location(
            &running
                .post(path, &ho, &[("csrf", &csrf(&page)), ("site", "lok-ma-chau"), ("per_hour", "1")])
                .await,
        );
        let csv = running.page("/console/figures/forecast.csv", &lam).await;
        let of = |site: &str| {
            csv.lines()
                .filter(|line| line.starts_with(site))
                .map(|l| l.splitn(3, ',').last().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        let waiting = ["2.00,2.00,1.00,1", "1.00,1.00,1.00,1", "0.00,0.00,0.00,1"];
        assert_eq!(of("lok-ma-chau")[..3], waiting, "{csv}");
        assert_eq!(of("man-kam-to")[0], "0.00,0.00,,", "nobody has said: no queue");
        assert!(page.contains("The random draw keeps to the policy"), "{page}");
        // What the policy says of the hour counts, where it is less.
        let all_day = |place: &str, per_hour| Capacity {
            control_point: Some(place.parse().unwrap()),
            from_hour: 0,
            until_hour: 24,
            colour: Colour::Red,
            per_hour,
        };
        let policy = Policy {
            capacities: vec![all_day("lok-ma-chau", 0), all_day("man-kam-to", 7)],
            ..Policy::default()
        };
        let zone = jiff::tz::TimeZone::get("Asia/Hong_Kong").unwrap();
        let version = put_policy(&running.store, &zone, policy, "lam", running.at()).await.unwrap();
        approve(&running.store, version, "ng", running.at()).await.unwrap();
        let csv = running.page("/console/figures/forecast.csv", &lam).await;
        assert!(csv.contains("2.00,2.00,2.00,0") && csv.contains("1.00,1.00,3.00,0"), "{csv}");
        assert!(csv.contains("0.00,0.00,0.00,7"), "{csv}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_sees_what_their_role_allows_and_foreign_forms_change_nothing() {
    let running = start(None).await;
    let (movement, _) = running.announce("NP7001", 30).await;
    let pages = [
        "/console/workbench".to_owned(),
        format!("/console/workbench/movements/{movement}"),
        "/console/workbench/handover".to_owned(),
        "/console/figures".to_owned(),
        "/console/figures/days.csv".to_owned(),
    ];
    for name in ["yip", "chan"] {
        let (cookie, _) = running.sign_in(name).await;
        for page in &pages {
            assert_eq!(running.get(page, &cookie).await.status(), StatusCode::FORBIDDEN, "{name} {page}");
        }
        assert_eq!(running.get("/console/bay", &cookie).await.status(), StatusCode::OK);
    }
    let (lam, _) = running.sign_in("lam").await;
    for page in ["/console/bay".to_owned(), format!("/console/bay/{movement}")] {
        assert_eq!(running.get(&page, &lam).await.status(), StatusCode::FORBIDDEN, "{page}");
    }
    let (_, seen) = running.form(&movement, &lam).await;
    let answer = running.decide_by(&movement, &lam, "another", &seen, "release").await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    let (token, _) = running.form(&movement, &lam).await;
    let answer = running.decide_by(&movement, &lam, &token, "nonsense", "release").await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    let answer = running
        .post(
            "/console/figures/capacity",
            &lam,
            &[("csrf", &token), ("site", "lok-ma-chau"), ("per_hour", "1")],
        )
        .await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN, "a supervisor's");
    for page in ["/console/workbench", "/console/bay"] {
        assert_eq!(location(&running.get(page, "").await), "/console/sign-in");
    }
    assert_eq!(
        running.get("/console/workbench/movements/m-none", &lam).await.status(),
        StatusCode::NOT_FOUND
    );
    assert_eq!(running.lanes_have("NP7001").await, None);
    for language in ["zh-Hant", "zh-Hans"] {
        let page = running.page("/console/workbench", &format!("{lam}; language={language}")).await;
        assert!(page.contains("待決定") || page.contains("待决定"), "{page}");
    }
    running.central.stop().await.unwrap();
}
