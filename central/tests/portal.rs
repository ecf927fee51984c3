//! The trade's portal as a browser without a script sees it: signing in, forms, drafts, and what must fail.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[allow(dead_code, unused_imports, reason = "the mail server is for other tests")]
mod peers;

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use central::clock::Clock;
use central::config::Config;
use central::people::{Login, invite};
use central::trade::TraderId;
use central::{Central, keys, open_store};
use clearance::ids::UtcMillis;
use peers::{Plan, Receiver, eventually};
use reqwest::{Response, StatusCode};
use tempfile::TempDir;
use totp_rs::{Algorithm, Secret, TOTP};

const PASSWORD: &str = "a password for acme";

/// A place without a cut-off.
const OPEN: &str = "time_zone = \"Asia/Hong_Kong\"\n[[rules]]\nfrom = \"2010-01-01\"\nphase = \"mandatory\"\n\
    cut_off_minutes = 0\nlodging_window_days = 14\n";

/// Central with a clock that the test sets.
struct Running {
    central: Central,
    config: Config,
    now: Arc<AtomicI64>,
    http: reqwest::Client,
    base: String,
    _dir: TempDir,
}

async fn start() -> Running {
    start_with("").await
}

/// With more keys in the configuration.
async fn start_with(more: &str) -> Running {
    let dir = TempDir::new().unwrap();
    keys::generate(&dir.path().join("central.key")).unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let text = format!(
        "http = \"127.0.0.1:0\"\nzenoh = [\"tcp/127.0.0.1:{port}\"]\ndata_dir = \"data\"\nkey_file = \"central.key\"\n\
         sites = [\"lok-ma-chau\"]\nplace = \"place.toml\"\n[portal]\norigin = \"http://localhost:8080\"\n[edges]\n{more}"
    );
    std::fs::write(dir.path().join("place.toml"), OPEN).unwrap();
    std::fs::write(dir.path().join("central.toml"), text).unwrap();
    let config = Config::load(&dir.path().join("central.toml")).unwrap();
    let now = Arc::new(AtomicI64::new(Clock::system().now().0));
    let clock = Arc::clone(&now);
    let clock = Clock::of(move || UtcMillis(clock.load(Ordering::SeqCst)));
    let central = Central::start(&config, clock).await.unwrap();
    let base = format!("http://{}", central.http());
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    Running { central, config, now, http, base, _dir: dir }
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
    answer.headers()["location"].to_str().unwrap().to_owned()
}

fn cookie(answer: &Response) -> Option<String> {
    let set = answer.headers().get("set-cookie")?.to_str().unwrap();
    assert!(set.contains("HttpOnly") && set.contains("SameSite=Lax") && set.contains("Path=/trade"), "{set}");
    Some(set.split(';').next().unwrap().to_owned())
}

impl Running {
    fn pass(&self, milliseconds: i64) {
        self.now.fetch_add(milliseconds, Ordering::SeqCst);
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

    /// The path of an invitation.
    async fn invite(&self, login: &str, company: &str) -> String {
        let key = self.config.key_file.clone();
        let store = open_store(&self.config, Arc::new(keys::load(&key).unwrap())).await.unwrap();
        let (login, trader): (Login, TraderId) = (login.parse().unwrap(), company.parse().unwrap());
        let now = UtcMillis(self.now.load(Ordering::SeqCst));
        store.add_trader(&trader, company, false, "test", now).await.unwrap();
        let vault = self.config.vault().unwrap();
        invite(&store, &vault, &login, &trader, "test", now).await.unwrap().unwrap()
    }

    /// The one-time password of now, as an app shows it.
    fn code(&self, secret: &str) -> String {
        let secret = Secret::Encoded(secret.to_owned()).to_bytes().unwrap();
        let app = TOTP::new(Algorithm::SHA1, 6, 1, 30, secret, None, "app".to_owned()).unwrap();
        app.generate(self.now.load(Ordering::SeqCst) as u64 / 1000)
    }

    /// Take an invitation; gives the cookie and the secret of the one-time passwords.
    async fn join(&self, login: &str, company: &str) -> (String, String) {
        let path = self.invite(login, company).await;
        let page = self.page(&path, "").await;
        let secret = between(&page, "class=\"portal-code\">", "<").to_owned();
        let answer = self.post(&path, "", &[("password", PASSWORD), ("code", &self.code(&secret))]).await;
        assert_eq!((answer.status(), location(&answer).as_str()), (StatusCode::SEE_OTHER, "/trade/account"));
        (cookie(&answer).unwrap(), secret)
    }

    /// Lodge a consignment; gives its number.
    async fn lodge(&self, cookie: &str) -> String {
        let page = self.page("/trade/consignments/new", cookie).await;
        let answer = self.post("/trade/consignments/new", cookie, &consignment(&page, &[])).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{}", answer.text().await.unwrap());
        between(&location(&answer), "/trade/consignments/", "?").to_owned()
    }
}

/// The fields of a consignment's form, with some of them otherwise.
fn consignment<'a>(page: &'a str, other: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut fields = vec![
        ("csrf", between(page, "name=\"csrf\" value=\"", "\"")),
        ("once", between(page, "name=\"once\" value=\"", "\"")),
        ("/direction", "inbound"),
        ("/expected_date", between(page, "</option><option value=\"", "\"")),
        ("/packages", "12"),
        ("/package_kind", "CT"),
        ("/description", "toys"),
        ("/consignor/name", "Acme"),
        ("/consignor/address", "1 Road"),
        ("/consignee/name", "Bolt"),
        ("/consignee/address", "2 Road"),
    ];
    for (name, value) in other {
        match fields.iter_mut().find(|(known, _)| known == name) {
            Some(field) => field.1 = value,
            None => fields.push((name, value)),
        }
    }
    fields
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_is_good_once_and_a_one_time_password_opens_one_session() {
    let running = start().await;
    let path = running.invite("chan", "acme").await;
    let page = running.page(&path, "").await;
    let secret = between(&page, "class=\"portal-code\">", "<").to_owned();
    let short = [("password", "short"), ("code", "000000")];
    let answer = running.post(&path, "", &short).await;
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let code = running.code(&secret);
    let taken = running.post(&path, "", &[("password", PASSWORD), ("code", &code)]).await;
    assert_eq!(taken.status(), StatusCode::SEE_OTHER);
    assert_eq!(running.get(&path, "").await.status(), StatusCode::NOT_FOUND);

    // The same one-time password, seen over a shoulder: no second session.
    let sign_in = |code: String| {
        let running = &running;
        async move {
            let fields = [("login", "Chan"), ("password", PASSWORD), ("code", code.as_str())];
            running.post("/trade/sign-in", "", &fields).await
        }
    };
    assert_eq!(sign_in(code).await.status(), StatusCode::UNAUTHORIZED);
    running.pass(30_000);
    let answer = sign_in(running.code(&secret)).await;
    assert_eq!((answer.status(), location(&answer).as_str()), (StatusCode::SEE_OTHER, "/trade"));
    let cookie = cookie(&answer).unwrap();
    running.page("/trade", &cookie).await;
    // Wrong ones take longer and longer.
    for _ in 0..4 {
        sign_in("000000".to_owned()).await;
    }
    running.pass(30_000);
    let mut answer = sign_in(running.code(&secret)).await.status();
    running.pass(-29_999);
    for _ in 0..8 {
        answer = sign_in("000000".to_owned()).await.status();
    }
    assert_eq!(answer, StatusCode::TOO_MANY_REQUESTS);
    running.central.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_when_it_is_signed_out_and_its_cookie_is_worth_nothing() {
    let running = start().await;
    let (cookie, _) = running.join("chan", "acme").await;
    let page = running.page("/trade", &cookie).await;
    let answer = running.post("/trade/sign-out", &cookie, &[("csrf", &csrf(&page))]).await;
    assert_eq!(location(&answer), "/trade/sign-in");
    let answer = running.get("/trade/consignments", &cookie).await;
    assert_eq!(location(&answer), "/trade/sign-in?next=%2Ftrade%2Fconsignments");
    for stolen in ["trade-session=0", "trade-session=", "session=1"] {
        assert_eq!(running.get("/trade", stolen).await.status(), StatusCode::SEE_OTHER);
    }
    running.central.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consignment_is_lodged_once_however_often_the_form_is_sent() {
    let running = start().await;
    let (cookie, _) = running.join("chan", "acme").await;
    let page = running.page("/trade/consignments/new", &cookie).await;
    let fields = consignment(&page, &[]);
    let first = location(&running.post("/trade/consignments/new", &cookie, &fields).await);
    let again = location(&running.post("/trade/consignments/new", &cookie, &fields).await);
    assert_eq!(first, again);
    let one = running.page(first.split('?').next().unwrap(), &cookie).await;
    assert!(one.contains("toys") && one.contains("2 Road"));
    let slip = running.page(&format!("{}/slip", first.split('?').next().unwrap()), &cookie).await;
    assert!(slip.contains("<svg"));
    running.central.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_told_in_the_readers_language_and_nothing_that_was_filled_in_is_lost() {
    let running = start().await;
    let (cookie, _) = running.join("chan", "acme").await;
    let page = running.page("/trade/consignments/new", &cookie).await;
    let hostile = "<script>alert(1)</script> ' OR 1=1 --";
    let fields =
        consignment(&page, &[("/description", hostile), ("/packages", "a dozen"), ("/consignee/name", "")]);
    for (language, told) in
        [("en", "There is a problem"), ("zh-Hant", "請更正以下問題"), ("zh-Hans", "请更正以下问题")]
    {
        let cookie = format!("{cookie}; language={language}");
        let answer = running.post("/trade/consignments/new", &cookie, &fields).await;
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
        let page = answer.text().await.unwrap();
        assert!(page.contains(told), "{language}");
        assert!(page.contains("a dozen") && page.contains("&lt;script&gt;alert(1)"), "{page}");
        assert!(!page.contains("<script>alert"));
        assert!(page.contains("href=\"#f-packages\"") && page.contains("href=\"#f-consignee-name\""));
    }
    running.central.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_is_sent_after_the_sign_in_ran_out_is_there_again_after_the_next() {
    let running = start().await;
    let (cookie, secret) = running.join("chan", "acme").await;
    let page = running.page("/trade/consignments/new", &cookie).await;
    let fields = consignment(&page, &[("/description", "written for an hour")]);
    running.pass(61 * 60_000);
    let answer = running.post("/trade/consignments/new", &cookie, &fields).await;
    assert_eq!(location(&answer), "/trade/sign-in?next=%2Ftrade%2Fconsignments%2Fnew");
    let code = running.code(&secret);
    let sign_in = [("login", "chan"), ("password", PASSWORD), ("code", code.as_str())];
    let answer = running.post(&location(&answer), "", &sign_in).await;
    assert_eq!(location(&answer), "/trade/consignments/new");
    let cookie = self::cookie(&answer).unwrap();
    let page = running.page("/trade/consignments/new", &cookie).await;
    assert!(page.contains("written for an hour"));
    // Sent, it is a draft no more.
    running.lodge(&cookie).await;
    assert!(!running.page("/trade/consignments/new", &cookie).await.contains("written for an hour"));
    running.central.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_that_was_put_aside_is_on_the_first_page() {
    let running = start().await;
    let (cookie, _) = running.join("chan", "acme").await;
    let page = running.page("/trade/consignments/new", &cookie).await;
    let fields = consignment(&page, &[("keep", "1"), ("/description", "half of it")]);
    let answer = running.post("/trade/consignments/new", &cookie, &fields).await;
    assert_eq!(location(&answer), "/trade?done=kept");
    let home = running.page("/trade", &cookie).await;
    assert!(home.contains("href=\"/trade/consignments/new\""));
    assert!(running.page("/trade/consignments/new", &cookie).await.contains("half of it"));
    let (other, _) = running.join("wong", "acme").await;
    assert!(
        !running.page("/trade/consignments/new", &other).await.contains("half of it"),
        "a draft is one's own"
    );
    running.central.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_of_somebody_elses_page_changes_nothing() {
    let running = start().await;
    let (cookie, _) = running.join("chan", "acme").await;
    let page = running.page("/trade/consignments/new", &cookie).await;
    let (other, _) = running.join("eve", "evil").await;
    let foreign = csrf(&running.page("/trade/consignments/new", &other).await);
    for token in ["", "0", &foreign] {
        let fields = consignment(&page, &[("csrf", token)]);
        let answer = running.post("/trade/consignments/new", &cookie, &fields).await;
        assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    }
    assert!(!running.page("/trade/consignments", &cookie).await.contains("toys"));
    running.central.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn another_companys_consignments_and_crossings_are_not_there() {
    let running = start().await;
    let (cookie, _) = running.join("chan", "acme").await;
    let ccrn = running.lodge(&cookie).await;
    let (other, _) = running.join("eve", "evil").await;
    for path in ["", "/amend", "/cancel", "/slip"] {
        let answer = running.get(&format!("/trade/consignments/{ccrn}{path}"), &other).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
    }
    let page = running.page("/trade/consignments/new", &other).await;
    let token = csrf(&page);
    let path = format!("/trade/consignments/{ccrn}/cancel");
    let answer = running.post(&path, &other, &[("csrf", &token), ("version", "1")]).await;
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    let lock = [("csrf", token.as_str()), ("login", "chan"), ("locked", "yes")];
    assert_eq!(running.post("/trade/people/lock", &other, &lock).await.status(), StatusCode::NOT_FOUND);
    let answer = running.post("/trade/people", &other, &[("csrf", &token), ("login", "chan")]).await;
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY, "nobody's name is taken over");
    running.page("/trade", &cookie).await;
    running.central.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vehicle_is_announced_swapped_and_taken_back() {
    let running = start().await;
    let (cookie, _) = running.join("chan", "acme").await;
    let ccrn = running.lodge(&cookie).await;
    let page = running.page(&format!("/trade/movements/new?ccrn={ccrn}"), &cookie).await;
    assert!(page.contains(&ccrn));
    let token = csrf(&page);
    let day = between(&page, "<option value=\"2", "\"");
    let day = format!("2{day}");
    let once = between(&page, "name=\"once\" value=\"", "\"");
    let mut wrong = ccrn.clone();
    wrong.replace_range(0..1, if ccrn.starts_with('A') { "B" } else { "A" });
    let fields = |ccrns: &'static str, mark: &'static str| {
        vec![
            ("csrf", token.clone()),
            ("once", once.to_owned()),
            ("/mark", mark.to_owned()),
            ("/load", "consignments".to_owned()),
            ("/ccrns", ccrns.to_owned()),
            ("/expected_arrival", day.clone()),
            ("/time", "23:59".to_owned()),
        ]
    };
    let send = async |mut fields: Vec<(&'static str, String)>, ccrns: &str| {
        fields.iter_mut().filter(|(name, _)| *name == "/ccrns").for_each(|f| f.1 = ccrns.to_owned());
        let fields: Vec<_> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
        running.post("/trade/movements/new", &cookie, &fields).await
    };
    let answer = send(fields("", "AB1234"), &wrong).await;
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.text().await.unwrap().contains(&wrong), "what was typed is there to be mended");
    let answer = send(fields("", "AB1234"), &ccrn).await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{}", answer.text().await.unwrap());
    let movement = between(&location(&answer), "/trade/movements/", "?").to_owned();
    let page = running.page(&format!("/trade/movements/{movement}"), &cookie).await;
    assert!(page.contains("AB 1234") && page.contains("missing, from customs"), "{page}");

    let path = format!("/trade/movements/{movement}/vehicle");
    let page = running.page(&path, &cookie).await;
    let version = between(&page, "name=\"version\" value=\"", "\"");
    let swap = [("csrf", token.as_str()), ("version", version), ("/mark", "CD 5678")];
    let answer = running.post(&path, &cookie, &swap).await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    // The form of before the swap: somebody was faster.
    assert_eq!(running.post(&path, &cookie, &swap).await.status(), StatusCode::CONFLICT);
    let page = running.page(&format!("/trade/movements/{movement}"), &cookie).await;
    assert!(page.contains("CD 5678") && page.contains("takes over from"));

    let path = format!("/trade/movements/{movement}/cancel");
    let page = running.page(&path, &cookie).await;
    let version = between(&page, "name=\"version\" value=\"", "\"").to_owned();
    let answer = running.post(&path, &cookie, &[("csrf", &token), ("version", &version)]).await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    assert!(running.page(&format!("/trade/movements/{movement}"), &cookie).await.contains("cancelled"));
    running.central.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spreadsheet_is_looked_at_row_by_row_before_anything_is_lodged() {
    let running = start().await;
    let (cookie, _) = running.join("chan", "acme").await;
    let page = running.page("/trade/consignments/upload", &cookie).await;
    let token = csrf(&page);
    let template = running.get("/trade/consignments/upload/template/xlsx", &cookie).await;
    assert!(template.bytes().await.unwrap().starts_with(b"PK"));
    let today = running.page("/trade/consignments/new", &cookie).await;
    let day = between(&today, "</option><option value=\"", "\"");
    let guide = std::fs::read_to_string("../docs/guide/examples/consignments.csv").unwrap();
    let heading = guide.lines().next().unwrap().trim_start_matches('\u{feff}');
    let row = |reference: &str, packages: &str| {
        let value = |name: &str| match name {
            "TraderAssignedReferenceID" => reference.to_owned(),
            "DirectionCode" => "inbound".to_owned(),
            "ExpectedDate" => day.to_owned(),
            name if name.contains("Quantity") => packages.to_owned(),
            name if name.contains("TypeCode") => "CT".to_owned(),
            name if ["Name", "Address", "Description"].iter().any(|n| name.contains(n))
                && !name.contains("Item") =>
            {
                "words".to_owned()
            }
            _ => String::new(),
        };
        heading.split(',').map(value).collect::<Vec<_>>().join(",")
    };
    let file = format!("{heading}\n{}\n{}\n", row("good", "3"), row("bad", "none"));
    let upload = async |token: String, file: String| {
        let part = reqwest::multipart::Part::text(file).file_name("mine.csv");
        let form = reqwest::multipart::Form::new().text("csrf", token).part("file", part);
        let request = running.http.post(format!("{}/trade/consignments/upload", running.base));
        request.header("cookie", &cookie).multipart(form).send().await.unwrap()
    };
    assert_eq!(upload("0".to_owned(), file.clone()).await.status(), StatusCode::FORBIDDEN);
    let nonsense = upload(token.clone(), "no,such,columns\n1,2,3\n".to_owned()).await;
    assert_eq!(nonsense.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let preview = upload(token.clone(), file).await.text().await.unwrap();
    assert!(preview.contains("1 of 2 consignments can be lodged"), "{preview}");
    assert!(preview.contains("bad") && preview.contains("Number of packages"), "{preview}");
    assert!(!running.page("/trade/consignments", &cookie).await.contains("words"), "nothing is lodged yet");
    let digest = between(&preview, "name=\"file\" value=\"", "\"");
    let lodge = [("csrf", token.as_str()), ("file", digest)];
    let answer = location(&running.post("/trade/consignments/upload/lodge", &cookie, &lodge).await);
    let again = location(&running.post("/trade/consignments/upload/lodge", &cookie, &lodge).await);
    assert_eq!(answer, again, "sent twice, lodged once");
    let mut page = String::new();
    for _ in 0..100 {
        page = running.page(&answer, &cookie).await;
        if page.contains("1 of 2 lodged") {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert!(page.contains("1 of 2 lodged"), "{page}");
    running.central.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_view_is_small_and_no_page_needs_a_script() {
    let running = start().await;
    let (cookie, _) = running.join("chan", "acme").await;
    let mut all = 0;
    for path in [
        "/trade/consignments/new",
        "/trade/assets/govuk-frontend.css",
        "/trade/assets/portal.css",
        "/trade/assets/portal.js",
    ] {
        let request = running.http.get(format!("{}{path}", running.base));
        let answer =
            request.header("cookie", &cookie).header("accept-encoding", "gzip").send().await.unwrap();
        assert_eq!(answer.headers()["content-encoding"], "gzip", "{path}");
        all += answer.bytes().await.unwrap().len();
    }
    assert!(all < 100 << 10, "{all} bytes");
    running.central.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_sends_too_much_is_told_so_and_the_portal_goes_on() {
    let running = start().await;
    let (cookie, _) = running.join("chan", "acme").await;
    let page = running.page("/trade/consignments/new", &cookie).await;
    let long = "x".repeat(3 << 20);
    let answer = running
        .post("/trade/consignments/new", &cookie, &consignment(&page, &[("/description", &long)]))
        .await;
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    for path in [
        "/trade/movements/%00",
        "/trade/consignments/%ff",
        "/trade/requests/r-1%00",
        "/trade/movements?q=%00",
        "/trade/nothing",
    ] {
        let status = running.get(path, &cookie).await.status();
        assert!(status.is_client_error() || status.is_success(), "{path}: {status}");
    }
    running.page("/trade", &cookie).await;
    running.central.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_company_says_who_is_told_and_what_is_wrong_stands_at_its_line() {
    let running = start().await;
    let (cookie, _) = running.join("chan", "acme").await;
    let page = running.page("/trade/contact", &cookie).await;
    assert!(
        page.contains("Nobody is told yet") && page.contains("No e-mail leaves here at present"),
        "{page}"
    );
    let page = running.page("/trade/contact/change", &cookie).await;
    let token = csrf(&page);
    let version = between(&page, "name=\"version\" value=\"", "\"").to_owned();
    assert!(page.contains("value=\"en\" checked"), "the reader's own language is offered: {page}");
    let form = |more: &[(&'static str, &'static str)]| {
        let mut fields = vec![
            ("csrf", token.as_str()),
            ("version", version.as_str()),
            ("/language", "zh-Hant"),
            ("/emails/0/address", ""),
            ("/emails/0/width", "act"),
            ("/emails/1/address", "traffic@acme.example"),
            ("/emails/1/width", "all"),
            ("/emails/1/own", "yes"),
            ("/mobiles/0/number", "+852 9123 4567"),
            ("/mobiles/0/width", "some"),
            ("/mobiles/0/news", "report"),
            ("/mobiles/0/news", "swapped"),
        ];
        for (name, value) in more {
            match fields.iter_mut().find(|(known, _)| known == name) {
                Some(field) => field.1 = value,
                None => fields.push((name, value)),
            }
        }
        fields
    };
    let path = "/trade/contact/change";
    let wrong = form(&[("/emails/1/address", "<b>@"), ("/mobiles/0/number", "9123 4567")]);
    for (language, told) in [
        ("en", "E-mail address 2: an e-mail address such as"),
        ("zh-Hant", "電郵地址 2："),
        ("zh-Hans", "电邮地址 2："),
    ] {
        let answer = running.post(path, &format!("{cookie}; language={language}"), &wrong).await;
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
        let page = answer.text().await.unwrap();
        assert!(page.contains(told), "{language}: {page}");
        assert!(
            page.contains("href=\"#f-emails-1-address\"") && page.contains("href=\"#f-mobiles-0-number\"")
        );
        assert!(
            page.contains("value=\"&lt;b&gt;@\"") && page.contains("value=\"9123 4567\""),
            "nothing is lost"
        );
    }
    let nothing = form(&[("/emails/1/width", "some")]);
    let page = running.post(path, &cookie, &nothing).await.text().await.unwrap();
    assert!(
        page.contains("href=\"#f-emails-1-news\"") && page.contains("choose at least one kind"),
        "{page}"
    );
    // One more line, and nothing is saved by asking for it.
    let more = running.post(path, &cookie, &form(&[("more", "emails")])).await;
    assert_eq!(more.status(), StatusCode::OK);
    assert!(more.text().await.unwrap().contains("name=\"/emails/2/address\""));
    assert!(running.page("/trade/contact", &cookie).await.contains("Nobody is told yet"));

    assert_eq!(location(&running.post(path, &cookie, &form(&[])).await), "/trade/contact?done=told");
    let page = running.page("/trade/contact", &cookie).await;
    for said in
        ["traffic@acme.example", "Everything · own changes, too", "+85291234567", "繁體中文", "not sent here"]
    {
        assert!(page.contains(said), "{said}: {page}");
    }
    assert!(page.contains("Another vehicle takes over, Where the driver reports"), "{page}");
    let again = running.page(path, &cookie).await;
    assert!(
        again.contains("value=\"traffic@acme.example\"") && again.contains("value=\"report\" checked"),
        "{again}"
    );
    // A colleague who has seen the contact of before: what they filled in is kept.
    let answer = running.post(path, &cookie, &form(&[("/emails/1/address", "late@acme.example")])).await;
    assert_eq!(answer.status(), StatusCode::CONFLICT);
    assert!(running.page(path, &cookie).await.contains("late@acme.example"));
    let (other, _) = running.join("eve", "evil").await;
    assert!(
        !running.page("/trade/contact", &other).await.contains("traffic@"),
        "another company's is its own"
    );
    let key = Arc::new(keys::load(&running.config.key_file).unwrap());
    let store = open_store(&running.config, key).await.unwrap();
    let lines = store.audit_lines(100).await.unwrap();
    assert!(
        lines
            .iter()
            .any(|l| l.who == "chan" && l.what == central::storage::Noted::PutContact && l.subject == "acme")
    );
    running.central.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_added_watched_paused_replayed_and_removed() {
    let here = "[messages]\nwebhooks = { allow_http = true, allow_private = true }\n";
    let (running, receiver) = (start_with(here).await, Receiver::start().await);
    let (cookie, _) = running.join("chan", "acme").await;
    let token = csrf(&running.page("/trade/webhooks", &cookie).await);
    let add = async |url: &str, width: &str| {
        running.post("/trade/webhooks", &cookie, &[("csrf", &token), ("/url", url), ("/width", width)]).await
    };
    for (url, width, field) in
        [("", "all", "url"), ("ftp://x.example", "all", "url"), ("https://x.example", "some", "news")]
    {
        let answer = add(url, width).await;
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY, "{url}");
        let page = answer.text().await.unwrap();
        assert!(
            page.contains(&format!("href=\"#f-{field}\"")) && page.contains(&format!("value=\"{url}\"")),
            "{page}"
        );
    }
    let url = receiver.url("/hook");
    let page = add(&url, "all").await.text().await.unwrap();
    let secret = format!("whsec_{}", between(&page, "whsec_", "<"));
    let page = add(&url, "all").await.text().await.unwrap();
    assert!(page.contains("there is a webhook with this address already"), "{page}");
    let page = running.page("/trade/webhooks", &cookie).await;
    assert!(!page.contains("whsec_"), "shown once");
    let id = between(&page, "href=\"/trade/webhooks/", "\"").to_owned();
    let path = format!("/trade/webhooks/{id}");
    let act = async |fields: &[(&str, &str)]| {
        let fields: Vec<_> = [("csrf", token.as_str())].into_iter().chain(fields.iter().copied()).collect();
        running.post(&path, &cookie, &fields).await
    };

    // The first attempt fails: the page says with what, and when it is tried again.
    receiver.plan(&[Plan::Answer(500)]);
    let ccrn = running.lodge(&cookie).await;
    let page = eventually("a failure", async || {
        let page = running.page(&path, &cookie).await;
        page.contains("Answered 500").then_some(page)
    });
    let page = page.await;
    assert!(page.contains("is tried again") && page.contains("Attempts: 1,"), "{page}");
    assert!(running.page(&format!("{path}?state=retrying"), &cookie).await.contains("Lodged."));
    assert!(running.page(&format!("{path}?state=failed"), &cookie).await.contains("Nothing of this kind"));
    running.pass(5_000);
    let got = receiver.wait(2).await;
    assert!(got.iter().all(|got| got.is_signed_by(&secret)));
    let taken = async || {
        eventually("taken", async || {
            let page = running.page(&path, &cookie).await;
            page.contains(">taken<").then_some(page)
        })
        .await
    };
    let page = taken().await;
    assert!(page.contains(&ccrn[..4]) && !page.contains("is tried again</strong>"), "{page}");

    // Once more: one delivery, then everything since a day.
    let seq = between(&page, "name=\"again\" value=\"", "\"").to_owned();
    assert_eq!(location(&act(&[("again", &seq)]).await), format!("{path}?done=again"));
    receiver.wait(3).await;
    taken().await;
    let day = between(&page, "</option><option value=\"", "\"").to_owned();
    assert_eq!(act(&[("replay", "1"), ("/since", "")]).await.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let wrong = act(&[("replay", "1"), ("/since", &day), ("/time", "noonish")]).await.text().await.unwrap();
    assert!(wrong.contains("href=\"#f-time\"") && wrong.contains("noonish"), "{wrong}");
    let replay = act(&[("replay", "1"), ("/since", &day), ("/time", "")]).await;
    assert_eq!(location(&replay), format!("{path}?done=replayed"));
    let got = receiver.wait(4).await;
    assert!(got.iter().all(|again| again.header("webhook-id") == got[0].header("webhook-id")));
    taken().await;

    // Paused, nothing is sent and nothing is lost.
    act(&[("pause", "1")]).await;
    assert!(running.page(&path, &cookie).await.contains("Let it go on"));
    running.lodge(&cookie).await;
    tokio::time::sleep(std::time::Duration::from_millis(1_200)).await;
    assert_eq!(receiver.got().len(), 4);
    assert_eq!(act(&[("again", &seq)]).await.status(), StatusCode::CONFLICT);
    act(&[("resume", "1")]).await;
    receiver.wait(5).await;

    // A new secret: both sign.
    let page = act(&[("roll", "0")]).await.text().await.unwrap();
    // The page is loaded again: the secret that the receiver still has goes on signing.
    assert_eq!(act(&[("roll", "0")]).await.status(), StatusCode::CONFLICT);
    let new = format!("whsec_{}", between(&page, "whsec_", "<"));
    assert!(new != secret && page.contains("The secret of before signs, too, until"));
    running.lodge(&cookie).await;
    let got = receiver.wait(6).await.pop().unwrap();
    assert!(got.is_signed_by(&secret) && got.is_signed_by(&new));

    // Another company sees and does nothing of it.
    let (other, _) = running.join("eve", "evil").await;
    let foreign = csrf(&running.page("/trade/webhooks", &other).await);
    assert_eq!(running.get(&path, &other).await.status(), StatusCode::NOT_FOUND);
    for field in ["pause", "roll", "again"] {
        let answer = running.post(&path, &other, &[("csrf", &foreign), (field, "1")]).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{field}");
    }
    let remove = format!("{path}/remove");
    let answer = running.post(&remove, &other, &[("csrf", &foreign)]).await;
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    assert!(running.page(&remove, &cookie).await.contains(&url));
    let answer = running.post(&remove, &cookie, &[("csrf", &token)]).await;
    assert_eq!(location(&answer), "/trade/webhooks?done=webhook-removed");
    assert_eq!(running.get(&path, &cookie).await.status(), StatusCode::NOT_FOUND);
    running.central.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn no_webhook_leads_behind_the_walls_nor_out_of_a_central_that_sends_none() {
    for (more, told) in [
        ("", "This installation sends no webhooks"),
        ("[messages]\nwebhooks = {}\n", "it must begin with https://"),
    ] {
        let running = start_with(more).await;
        let (cookie, _) = running.join("chan", "acme").await;
        let page = running.page("/trade/webhooks", &cookie).await;
        assert_eq!(page.contains("name=\"/url\""), !more.is_empty());
        let token = csrf(&page);
        let mut said = String::new();
        for url in ["http://10.0.0.1/", "https://127.0.0.1/hook"] {
            let fields = [("csrf", token.as_str()), ("/url", url), ("/width", "all")];
            let answer = running.post("/trade/webhooks", &cookie, &fields).await;
            assert!(answer.status().is_client_error(), "{url}");
            said += &answer.text().await.unwrap();
        }
        assert!(said.contains(told), "{said}");
        assert!(more.is_empty() || said.contains("127.0.0.1 is not in the public network"), "{said}");
        running.central.stop().await.unwrap();
    }
}
