//! The trade's portal as a browser without a script sees it: signing in, forms, drafts, and what must fail.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use central::clock::Clock;
use central::config::Config;
use central::people::{Login, OneTime, invite};
use central::trade::TraderId;
use central::{Central, keys, open_store};
use clearance::ids::UtcMillis;
use reqwest::{Response, StatusCode};
use tempfile::TempDir;

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
    let dir = TempDir::new().unwrap();
    keys::generate(&dir.path().join("central.key")).unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let text = format!(
        "http = \"127.0.0.1:0\"\nzenoh = [\"tcp/127.0.0.1:{port}\"]\ndata_dir = \"data\"\nkey_file = \"central.key\"\n\
         sites = [\"lok-ma-chau\"]\nplace = \"place.toml\"\n[portal]\norigin = \"http://localhost:8080\"\n[edges]\n"
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

    fn code(&self, secret: &str) -> String {
        let step = self.now.load(Ordering::SeqCst).div_euclid(30_000);
        code_of(secret, step)
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

/// The one-time password of a step, worked out as an app does.
fn code_of(secret: &str, step: i64) -> String {
    let bytes = base32(secret);
    let one_time = OneTime::of(&bytes, "app").unwrap();
    (0..1_000_000)
        .map(|code| format!("{code:06}"))
        .find(|code| one_time.step(code, UtcMillis(step * 30_000)) == Some(step))
        .unwrap()
}

fn base32(text: &str) -> Vec<u8> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let (mut bits, mut held, mut bytes) = (0_u32, 0, Vec::new());
    for letter in text.bytes() {
        bits = bits << 5 | ALPHABET.iter().position(|&a| a == letter).unwrap() as u32;
        held += 5;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    bytes
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
