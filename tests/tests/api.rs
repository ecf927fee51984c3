//! The API as a company's system sees it, and as somebody sees it who means harm.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tests::world::office::{NO_LIMIT, Office, consignment};
use tests::world::postgres::Postgres;

fn office() -> Office {
    Office::start_with(None, NO_LIMIT, |_| Ok(())).unwrap()
}

/// A token of another company.
fn stranger(office: &Office) -> String {
    office.command(&["token", "create", "other-erp", "--role", "trade", "--trader", "other"]).unwrap()
}

/// Ask as the company; gives status and body.
async fn ask(office: &Office, method: Method, path: &str, body: &Value) -> (u16, Value) {
    told(office.request(method, path).json(body)).await
}

async fn told(request: reqwest::RequestBuilder) -> (u16, Value) {
    let (status, text) = Office::answer(request).await.unwrap();
    (status.as_u16(), serde_json::from_str(&text).unwrap_or(Value::Null))
}

async fn lodged(office: &Office, number: usize) -> String {
    let (status, lodged) = ask(office, Method::POST, "/api/v1/consignments", &consignment(number)).await;
    assert_eq!(status, 201, "{lodged}");
    lodged["ccrn"].as_str().unwrap().to_owned()
}

fn soon() -> String {
    jiff::Timestamp::now().checked_add(Duration::from_mins(20)).unwrap().to_string()
}

async fn bundled(office: &Office, mark: &str, ccrns: &[&str]) -> String {
    let body = json!({ "ccrns": ccrns, "mark": mark, "site": "north", "expected_arrival": soon() });
    let (status, bundled) = ask(office, Method::POST, "/api/v1/bundles", &body).await;
    assert_eq!(status, 201, "{bundled}");
    bundled["movement"].as_str().unwrap().to_owned()
}

fn errors(problem: &Value) -> Vec<&str> {
    problem["errors"].as_array().unwrap().iter().map(|error| error["pointer"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_consignment_is_amended_by_whoever_has_seen_its_version() {
    let office = office();
    let ccrn = lodged(&office, 1).await;
    let path = format!("/api/v1/consignments/{ccrn}");
    let answer = office.request(Method::GET, &path).send().await.unwrap();
    assert_eq!(answer.headers()["etag"], "\"1\"");
    let amended = consignment(2);
    let put = |tag: Option<&str>| {
        let request = office.request(Method::PUT, &path).json(&amended);
        tag.iter().fold(request, |request, tag| request.header("if-match", *tag))
    };
    assert_eq!(told(put(None)).await.0, 428, "whoever has seen nothing overwrites nothing");
    assert_eq!(told(put(Some("\"1\""))).await, (200, json!({ "version": 2 })));
    assert_eq!(told(put(Some("\"1\""))).await.0, 412);
    assert_eq!(told(put(Some("nonsense"))).await.0, 412);
    assert_eq!(told(put(Some("*"))).await, (200, json!({ "version": 3 })));
    let (_, history) = ask(&office, Method::GET, &format!("{path}/history"), &json!({})).await;
    assert_eq!(history["versions"].as_array().unwrap().len(), 2);
    assert_eq!(history["versions"][0]["consignment"], consignment(1));
    let cancel = told(office.request(Method::DELETE, &path).header("if-match", "\"3\"")).await;
    assert_eq!(cancel.0, 204);
    assert_eq!(told(put(Some("*"))).await.0, 409, "what was taken back stays as it is");
}

#[tokio::test]
async fn a_truck_is_swapped_in_one_step_and_may_be_empty() {
    let office = office();
    let (one, two) = (lodged(&office, 1).await, lodged(&office, 2).await);
    let movement = bundled(&office, "KX4827", &[&one]).await;
    let path = format!("/api/v1/movements/{movement}");
    let revise = async |body: Value| {
        told(office.request(Method::PATCH, &path).header("if-match", "*").json(&body)).await
    };
    let swap = json!({ "mark": "AB1234", "mainland_mark": "粤ZN537港", "add": [two], "remove": [one], "any_site": true });
    assert_eq!(revise(swap).await, (200, json!({ "version": 2 })));
    let (_, seen) = ask(&office, Method::GET, &path, &json!({})).await;
    assert_eq!(seen["vehicle"], json!({ "mark": "AB1234", "mainland_mark": "粤ZN537港", "trailers": [] }));
    assert_eq!((&seen["ccrns"], &seen["site"]), (&json!([two]), &Value::Null));
    let (status, wrong) = revise(json!({ "mainland_mark": "粤ZN537港", "add": ["nonsense"] })).await;
    assert_eq!((status, errors(&wrong)), (422, vec!["/mark", "/add/0"]));
    assert_eq!(revise(json!({ "remove": [two], "empty": true })).await.0, 200);
    let (_, seen) = ask(&office, Method::GET, &path, &json!({})).await;
    assert_eq!((&seen["empty"], &seen["ccrns"]), (&json!(true), &json!([])));
    assert!(seen.get("action").is_none(), "the trade is not told the code");
    let (_, list) = ask(&office, Method::GET, "/api/v1/movements?search=ab%201234", &json!({})).await;
    assert_eq!(list["items"][0]["id"], movement.as_str());
    let (_, history) = ask(&office, Method::GET, &format!("{path}/history"), &json!({})).await;
    let kinds: Vec<_> = history["events"].as_array().unwrap().iter().map(|e| e["kind"].clone()).collect();
    assert!(kinds.contains(&json!("swapped")), "{kinds:?}");
    assert_eq!(told(office.request(Method::DELETE, &path).header("if-match", "\"3\"")).await.0, 204);
}

#[tokio::test]
async fn many_are_accepted_together_and_each_is_acknowledged_apart() {
    let office = office();
    let mut many: Vec<Value> = (0..600).map(consignment).collect();
    many[3]["packages"] = json!(0);
    many[4] = json!("no consignment");
    many[5]["consignor"]["colour"] = json!("blue");
    many[599]["expected_date"] = json!("2001-01-01");
    let send = || {
        office
            .request(Method::POST, "/api/v1/consignments/batch")
            .header("idempotency-key", "batch-1")
            .json(&many)
    };
    let answer = send().send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    let place = answer.headers()["location"].to_str().unwrap().to_owned();
    assert_eq!(told(send()).await.1["id"], place.rsplit('/').next().unwrap(), "asked again, it is the same");
    let state = loop {
        let (_, state) = ask(&office, Method::GET, &place, &json!({})).await;
        if state["status"] == "completed" {
            break state;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!(
        (&state["accepted"], &state["refused"], &state["total"]),
        (&json!(596), &json!(4), &json!(600))
    );
    let item = |i: usize| errors(&state["items"][i]);
    assert_eq!(item(3), ["/packages"]);
    assert_eq!(item(4), [""]);
    assert_eq!(item(5), ["/consignor/colour"]);
    assert_eq!(item(599), ["/expected_date"]);
    assert_eq!(state["items"][598]["index"], 598);
    let ccrn = state["items"][598]["ccrn"].as_str().unwrap();
    let (_, seen) = ask(&office, Method::GET, &format!("/api/v1/consignments/{ccrn}"), &json!({})).await;
    assert_eq!(seen["consignment"], consignment(598));
    let (status, _) = ask(&office, Method::POST, "/api/v1/consignments/batch", &json!([])).await;
    assert_eq!(status, 422);
    let too_many: Vec<Value> = vec![json!(1); 10_001];
    let (status, _) = ask(&office, Method::POST, "/api/v1/consignments/batch", &json!(too_many)).await;
    assert_eq!(status, 422);
    let foreign = reqwest::Client::new().get(format!("{}{place}", office.address()));
    let foreign = foreign.bearer_auth(stranger(&office));
    assert_eq!(told(foreign).await.0, 404, "what came of it is its company's");
}

#[tokio::test]
async fn the_same_key_gives_the_same_answer_and_no_other_company_shares_it() {
    let office = office();
    let send = |token: &str, body: &Value| {
        let request = reqwest::Client::new().post(format!("{}/api/v1/consignments", office.address()));
        request.bearer_auth(token).header("idempotency-key", "order-1").json(body)
    };
    let first = told(send(&office.trade, &consignment(1))).await;
    assert_eq!(first.0, 201);
    assert_eq!(told(send(&office.trade, &consignment(1))).await, first);
    let (status, other) = told(send(&office.trade, &consignment(2))).await;
    assert_eq!(status, 409, "{other}");
    let stranger = stranger(&office);
    let theirs = told(send(&stranger, &consignment(1))).await;
    assert_eq!(theirs.0, 201);
    assert_ne!(theirs.1, first.1);
    // What was refused may be mended under the same key.
    let bad = send(&office.trade, &json!({})).header("idempotency-key", "order-2");
    assert_eq!(told(bad).await.0, 400, "two keys are no key");
}

#[tokio::test]
async fn nobody_finds_or_changes_what_is_another_companys() {
    let office = office();
    let ccrn = lodged(&office, 1).await;
    let movement = bundled(&office, "KX4827", &[&ccrn]).await;
    let stranger = stranger(&office);
    let nothing = central::ccrn::Ccrn::from_number(7).unwrap();
    let guess = async |method: Method, path: String| {
        let request = reqwest::Client::new().request(method, format!("{}{path}", office.address()));
        told(request.bearer_auth(&stranger).header("if-match", "*").json(&consignment(3))).await
    };
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let theirs = guess(method.clone(), format!("/api/v1/consignments/{ccrn}")).await;
        let none = guess(method.clone(), format!("/api/v1/consignments/{nothing}")).await;
        assert_eq!((theirs.0, &theirs), (404, &none), "{method}: guessing tells nothing");
    }
    for path in [format!("/api/v1/movements/{movement}"), format!("/api/v1/movements/{movement}/history")] {
        assert_eq!(guess(Method::GET, path).await.0, 404);
    }
    assert_eq!(guess(Method::DELETE, format!("/api/v1/movements/{movement}")).await.0, 404);
    let (_, list) = guess(Method::GET, "/api/v1/consignments".to_owned()).await;
    assert_eq!(list["items"], json!([]));
    let (_, feed) = guess(Method::GET, "/api/v1/events".to_owned()).await;
    assert_eq!(feed["events"], json!([]));
    // Nor does the trade do what customs does.
    let code = json!({ "action": "release", "reason": "mine" });
    let (status, _) = ask(&office, Method::PUT, &format!("/api/v1/movements/{movement}/action"), &code).await;
    assert_eq!(status, 403);
    let inspected = json!({ "result": "nothing_found" });
    let path = format!("/api/v1/movements/{movement}/inspection");
    assert_eq!(ask(&office, Method::PUT, &path, &inspected).await.0, 403);
}

#[tokio::test]
async fn what_one_may_not_set_is_refused_by_name() {
    let office = office();
    for key in ["trader", "sandbox", "version", "ccrn", "cancelled", "evidence"] {
        let mut body = consignment(1);
        body[key] = json!("x");
        let (status, problem) = ask(&office, Method::POST, "/api/v1/consignments", &body).await;
        assert_eq!((status, errors(&problem)), (422, vec![format!("/{key}").as_str()]));
    }
    for key in ["action", "trader", "status", "signalled", "valid_from"] {
        let body = json!({ "empty": true, "mark": "KX4827", "expected_arrival": soon(), key: "release" });
        let (status, problem) = ask(&office, Method::POST, "/api/v1/bundles", &body).await;
        assert_eq!((status, errors(&problem)), (422, vec![format!("/{key}").as_str()]));
    }
}

#[tokio::test]
async fn whatever_is_wrong_is_told_as_a_problem() {
    let office = office();
    let raw = |method: Method, path: &str, kind: &str, body: Vec<u8>| {
        office.request(method, path).header("content-type", kind).body(body)
    };
    let post = |kind: &str, body: &[u8]| raw(Method::POST, "/api/v1/consignments", kind, body.to_vec());
    let json = "application/json";
    let cases = [
        (post(json, b"{"), 400),
        (post(json, b"\xff\xfe"), 400),
        (post("text/plain", b"{}"), 415),
        (post(json, &vec![b' '; (1 << 20) + 1]), 413),
        (raw(Method::POST, "/api/v1/consignments/batch", json, vec![b' '; (32 << 20) + 1]), 413),
        (office.request(Method::GET, "/api/v1/nowhere"), 404),
        (office.request(Method::DELETE, "/api/v1/events"), 405),
        (office.request(Method::GET, "/api/v1/events?after=x"), 400),
        (office.request(Method::GET, "/api/v1/events?limit=0"), 422),
        (office.request(Method::GET, "/api/v1/consignments?limit=101"), 422),
        (office.request(Method::GET, "/api/v1/consignments?before=x"), 422),
        (office.request(Method::GET, "/api/v1/consignments?colour=blue"), 400),
        (office.request(Method::GET, "/api/v1/consignments/NONSENSE"), 422),
        (office.request(Method::GET, "/api/v1/requests/r-1"), 404),
        (post(json, b"{}").header("idempotency-key", ""), 400),
    ];
    for (i, (request, status)) in cases.into_iter().enumerate() {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "case {i}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json", "case {i}");
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["status"], status, "case {i}");
    }
    let nobody = reqwest::get(format!("{}/api/v1/events", office.address())).await.unwrap();
    assert_eq!(
        (nobody.status().as_u16(), &nobody.headers()["www-authenticate"]),
        (401, &"Bearer".parse().unwrap())
    );
}

/// Texts that PostgreSQL cannot keep, and addresses that are no text: refused as what they are, on either engine.
async fn a_null_character_and_a_broken_address_are_refused(office: &Office) {
    let ccrn = lodged(office, 1).await;
    let admin = office.command(&["token", "create", "chief", "--role", "admin"]).unwrap();
    let chief = |method: Method, path: &str| {
        reqwest::Client::new().request(method, format!("{}{path}", office.address())).bearer_auth(&admin)
    };
    let movement = bundled(office, "KX4827", &[&ccrn]).await;
    let get = |path: &str| office.request(Method::GET, path);
    let action = json!({ "action": "release", "reason": "no\0ne" });
    let notice = json!({ "reference": "GN\0", "begins": soon(), "ends": soon(), "reason": "\0" });
    let seal = |seal: &str| format!("/api/v1/consignments/{ccrn}/seals/{seal}");
    let mut named = consignment(1);
    named["description"] = json!("\0");
    let cases = [
        (get("/api/v1/movements/m%00"), 404, vec![]),
        (get("/api/v1/movements/m%00/history"), 404, vec![]),
        (get("/api/v1/movements/%ff"), 400, vec![]),
        (get("/api/v1/requests/r-%00"), 404, vec![]),
        (office.request(Method::DELETE, "/api/v1/vehicles/%ff"), 400, vec![]),
        (get("/api/v1/consignments?before=1_%00"), 422, vec!["/before"]),
        (get("/api/v1/consignments?search=%00"), 422, vec!["/search"]),
        (get("/api/v1/movements?before=1_%00"), 422, vec!["/before"]),
        (get(&format!("/api/v1/consignments/{ccrn}/evidence?version=x")), 400, vec![]),
        (get(&format!("/api/v1/consignments/{ccrn}/evidence?colour=x")), 400, vec![]),
        (chief(Method::PUT, &seal("E%00")).json(&json!({})), 404, vec![]),
        (
            office
                .request(Method::PUT, &format!("{}/state", seal("E%00")))
                .json(&json!({ "state": "broken" })),
            404,
            vec![],
        ),
        (
            chief(Method::PUT, &format!("/api/v1/movements/{movement}/action")).json(&action),
            422,
            vec!["/reason"],
        ),
        (chief(Method::POST, "/api/v1/notices").json(&notice), 422, vec!["/reason", "/reference"]),
        (chief(Method::DELETE, "/api/v1/certificates/%00"), 404, vec![]),
        (chief(Method::GET, "/api/v1/passages/%00"), 404, vec![]),
        (office.request(Method::POST, "/api/v1/consignments").json(&named), 422, vec!["/description"]),
    ];
    for (i, (request, status, pointers)) in cases.into_iter().enumerate() {
        let answer = request.send().await.unwrap();
        let kind = answer.headers().get("content-type").map(|kind| kind.to_str().unwrap().to_owned());
        let (found, text) = (answer.status().as_u16(), answer.text().await.unwrap());
        assert_eq!((found, kind.as_deref()), (status, Some("application/problem+json")), "case {i}: {text}");
        if !pointers.is_empty() {
            assert_eq!(errors(&serde_json::from_str(&text).unwrap()), pointers, "case {i}");
        }
    }
    // In a batch, one item's null character is that item's fault.
    let batch = office.request(Method::POST, "/api/v1/consignments/batch").json(&[named, consignment(2)]);
    assert_eq!(told(batch).await.0, 202);
}

#[tokio::test]
async fn what_is_no_text_is_refused_on_sqlite() {
    a_null_character_and_a_broken_address_are_refused(&office()).await;
}

#[tokio::test]
async fn what_is_no_text_is_refused_on_postgresql() {
    let server = match Postgres::start() {
        Ok(server) => server,
        Err(why) => return eprintln!("skipped: {why}"),
    };
    let office = Office::start_with(Some(&server.url()), NO_LIMIT, |_| Ok(())).unwrap();
    a_null_character_and_a_broken_address_are_refused(&office).await;
}

fn searching(office: &Office, text: &str) -> reqwest::RequestBuilder {
    listing(office, &[("search", text)])
}

fn listing(office: &Office, asked: &[(&str, &str)]) -> reqwest::RequestBuilder {
    let address = format!("{}/api/v1/consignments", office.address());
    let address = reqwest::Url::parse_with_params(&address, asked).unwrap();
    office.request(Method::GET, &format!("/api/v1/consignments?{}", address.query().unwrap()))
}

#[tokio::test]
async fn what_is_searched_for_is_no_statement() {
    let office = office();
    let ccrn = lodged(&office, 1).await;
    for search in
        ["' OR 1=1 --", "%", "_", "\" OR \"\"=\"", "kowloon'; DROP TABLE consignments; --", "\\", "粤"]
    {
        let request = searching(&office, search);
        let (status, found) = told(request).await;
        assert_eq!((status, &found["items"]), (200, &json!([])), "{search}");
    }
    let second = lodged(&office, 2).await;
    let (_, first) = told(listing(&office, &[("search", "kowloon assembly"), ("limit", "1")])).await;
    let next = first["next"].as_str().unwrap();
    let more = listing(&office, &[("search", "kowloon assembly"), ("limit", "1"), ("before", next)]);
    assert_eq!(told(more).await.1["items"][0]["ccrn"], second.as_str(), "what is found has a next page");
    for (path, status, many) in [
        ("/api/v1/consignments?status=lodged", 200, 2),
        ("/api/v1/consignments?status=bundled", 200, 0),
        ("/api/v1/movements?status=expired", 200, 0),
        ("/api/v1/movements?status=sunk", 422, 0),
        ("/api/v1/consignments?status=lodged&search=x", 422, 0),
    ] {
        let (found, page) = ask(&office, Method::GET, path, &json!({})).await;
        assert_eq!((found, page["items"].as_array().map_or(0, Vec::len)), (status, many), "{path}");
    }
    for search in [&ccrn[..5], "kowloon assembly 1", "KOWLOON  Assembly"] {
        let request = searching(&office, search);
        assert_eq!(told(request).await.1["items"][0]["ccrn"], ccrn.as_str(), "{search}");
    }
}

#[tokio::test]
async fn a_client_that_asks_too_much_is_told_when_to_come_back() {
    let office =
        Office::start_with(None, "rate_limit = { per_second = 1, burst = 3 }\n", |_| Ok(())).unwrap();
    for _ in 0..3 {
        assert_eq!(ask(&office, Method::GET, "/api/v1/vehicles", &json!({})).await.0, 200);
    }
    let busy = office.request(Method::GET, "/api/v1/vehicles").send().await.unwrap();
    assert_eq!(busy.status().as_u16(), 429);
    let wait: u64 = busy.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=2).contains(&wait), "{wait}");
    let other = reqwest::Client::new().get(format!("{}/api/v1/vehicles", office.address()));
    assert_eq!(told(other.bearer_auth(stranger(&office))).await.0, 200, "others are served");
}

#[tokio::test]
async fn whoever_tries_tokens_is_told_to_wait_and_nobody_else_is() {
    let office = Office::start_with(None, "[limits]\nfailed_sign_ins_per_minute = 5\n", |_| Ok(())).unwrap();
    assert_eq!(ask(&office, Method::GET, "/api/v1/vehicles", &json!({})).await.0, 200);
    let guess = async |number: usize| {
        let request = reqwest::Client::new().get(format!("{}/api/v1/vehicles", office.address()));
        request.bearer_auth(format!("guess-{number}")).send().await.unwrap()
    };
    for number in 0..5 {
        assert_eq!(guess(number).await.status(), 401);
    }
    let waits = guess(5).await;
    assert_eq!(waits.status(), 429);
    let seconds: u64 = waits.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=13).contains(&seconds), "{seconds}");
    let code = json!({ "code": "guessed", "csr": "none" });
    assert_eq!(ask(&office, Method::POST, "/api/v1/certificates", &code).await.0, 429);
    assert_eq!(ask(&office, Method::GET, "/api/v1/vehicles", &json!({})).await.0, 200, "known from there");
}

#[tokio::test]
async fn customs_inspects_seals_gives_notice_and_its_looks_are_audited() {
    let office = office();
    let mut through = consignment(1);
    through["transhipment"] = json!(true);
    let (_, answer) = ask(&office, Method::POST, "/api/v1/consignments", &through).await;
    let ccrn = answer["ccrn"].as_str().unwrap();
    let movement = bundled(&office, "KX4827", &[ccrn]).await;
    let admin = office.command(&["token", "create", "head", "--role", "admin"]).unwrap();
    let customs = async |method: Method, path: String, body: Value| {
        let request = reqwest::Client::new().request(method, format!("{}{path}", office.address()));
        told(request.bearer_auth(&admin).json(&body)).await
    };
    let code = json!({ "action": "inspect", "reason": "a tip" });
    let path = format!("/api/v1/movements/{movement}");
    assert_eq!(customs(Method::PUT, format!("{path}/action"), code).await.0, 204);
    assert_eq!(customs(Method::GET, path.clone(), json!({})).await.1["action"], "inspect");
    let early = json!({ "result": "nothing_found" });
    assert_eq!(
        customs(Method::PUT, format!("{path}/inspection"), early).await.0,
        409,
        "it was not there yet"
    );
    let seal = format!("/api/v1/consignments/{ccrn}/seals/EL-77");
    assert_eq!(customs(Method::PUT, seal.clone(), json!({ "inspected_at": "north" })).await.0, 204);
    let broken = json!({ "state": "broken" });
    assert_eq!(ask(&office, Method::PUT, &format!("{seal}/state"), &broken).await.0, 204);
    let (_, history) =
        ask(&office, Method::GET, &format!("/api/v1/consignments/{ccrn}/history"), &json!({})).await;
    assert_eq!(history["seals"][0]["state"], "broken");
    let foreign = reqwest::Client::new().put(format!("{}{seal}/state", office.address()));
    let foreign = foreign.bearer_auth(stranger(&office)).json(&broken);
    assert_eq!(told(foreign).await.0, 404);
    let begins = jiff::Timestamp::now().to_string();
    let notice =
        json!({ "reference": "GN 1/2026", "begins": begins, "ends": soon(), "reason": "network down" });
    assert_eq!(customs(Method::POST, "/api/v1/notices".to_owned(), notice.clone()).await.0, 201);
    assert_eq!(customs(Method::POST, "/api/v1/notices".to_owned(), notice).await.0, 409);
    let (_, notices) = ask(&office, Method::GET, "/api/v1/notices", &json!({})).await;
    assert_eq!(notices["notices"][0]["reference"], "GN 1/2026");
    office.kill();
    assert_eq!(looks(&office), 1, "the look at the code is in the audit");
    office.command(&["fsck"]).unwrap();
}

/// Lines of the audit that say that somebody looked at risk data.
fn looks(office: &Office) -> i64 {
    let file = office.folder().join("data/central.sqlite");
    let output = std::process::Command::new("python3")
        .args(["-c", "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute(\"SELECT COUNT(*) FROM audit WHERE what LIKE '%look%risk%'\").fetchone()[0])"])
        .arg(file)
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
}
