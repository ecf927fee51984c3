//! Files of consignments, as a company's system sends them: each row is acknowledged apart, or the file is refused as a whole.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::Duration;

use central::trade::Consignment;
use central::trade::batch::{self, Entry, Format};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tests::world::office::{NO_LIMIT, Office, consignment};

fn office() -> Office {
    Office::start_with(None, NO_LIMIT, |_| Ok(())).unwrap()
}

async fn get(office: &Office, path: &str) -> Value {
    told(office.request(Method::GET, path)).await.1
}

async fn told(request: reqwest::RequestBuilder) -> (u16, Value) {
    let (status, text) = Office::answer(request).await.unwrap();
    (status.as_u16(), serde_json::from_str(&text).unwrap_or(Value::Null))
}

/// The same consignments as a file of each format; `expected_date` is that of [`consignment`].
fn files(many: &[Value]) -> Vec<(Format, Vec<u8>)> {
    let many: Vec<Consignment> =
        many.iter().map(|value| serde_json::from_value(value.clone()).unwrap()).collect();
    let references: Vec<String> = (1..=many.len()).map(|n| format!("PO-{n}")).collect();
    let entries = many.iter().zip(&references);
    let entries: Vec<_> = entries.map(|(consignment, reference)| Entry { reference, consignment }).collect();
    Format::ALL.map(|format| (format, batch::write(format, &entries, &str::to_owned).unwrap())).to_vec()
}

fn hand_in(office: &Office, kind: &str, file: impl Into<reqwest::Body>) -> reqwest::RequestBuilder {
    let request = office.request(Method::POST, "/api/v1/consignments/batch");
    request.header("content-type", kind).body(file)
}

async fn completed(office: &Office, id: &str) -> Value {
    let place = format!("/api/v1/requests/{id}");
    loop {
        let state = get(office, &place).await;
        if state["status"] == "completed" {
            return state;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_file_of_each_format_is_lodged_row_by_row() {
    let office = office();
    let mut many: Vec<Value> = (1..=3).map(consignment).collect();
    many[1]["packages"] = json!(0);
    many[2]["goods"] = json!([{ "description": "one" }, { "description": "two", "origin": "China" }]);
    for (format, file) in files(&many) {
        let send =
            || hand_in(&office, format.media_type(), file.clone()).header("idempotency-key", format.name());
        let (status, accepted) = told(send()).await;
        assert_eq!(status, 202, "{format}: {accepted}");
        assert_eq!(told(send()).await, (202, accepted.clone()), "sent again, it is the same");
        let other = hand_in(&office, "text/csv", "other").header("idempotency-key", format.name());
        assert!([400, 409, 422].contains(&told(other).await.0));
        let state = completed(&office, accepted["id"].as_str().unwrap()).await;
        assert_eq!((&state["accepted"], &state["refused"]), (&json!(1), &json!(2)), "{format}: {state}");
        let items = state["items"].as_array().unwrap();
        let references: Vec<_> = items.iter().map(|item| &item["reference"]).collect();
        assert_eq!(references, ["PO-1", "PO-2", "PO-3"]);
        let ccrn = items[0]["ccrn"].as_str().unwrap();
        let seen = get(&office, &format!("/api/v1/consignments/{ccrn}")).await;
        assert_eq!(seen["consignment"], many[0], "{format}");
        let error = &items[1]["errors"][0];
        let (rows, packages, origin) = match format {
            Format::Csv => ([2, 3, 4, 5], "TotalPackageQuantity", "ItemOriginCountryCode"),
            Format::Xlsx => ([3, 4, 5, 6], "TotalPackageQuantity", "ItemOriginCountryCode"),
            Format::Xml => (
                lines(&file),
                "Consignment/TotalPackageQuantity",
                "Consignment/ConsignmentItem/Origin/CountryCode",
            ),
        };
        let of_goods = &items[2]["errors"][0];
        assert_eq!((&error["pointer"], &error["column"]), (&json!("/packages"), &json!(packages)));
        assert_eq!(
            (&of_goods["pointer"], &of_goods["column"]),
            (&json!("/goods/1/origin"), &json!(origin)),
            "{format}"
        );
        let found = [&items[0]["row"], &error["row"], &items[2]["row"], &of_goods["row"]];
        assert_eq!(found.map(|row| row.as_u64().unwrap()), rows, "{format}");
    }
}

/// Where the consignments begin, and the last line of goods.
fn lines(xml: &[u8]) -> [u64; 4] {
    let text = std::str::from_utf8(xml).unwrap();
    let at = |element: &str| {
        let found = (1..).zip(text.lines()).filter(|(_, line)| line.trim() == element);
        found.map(|(number, _)| number).collect::<Vec<u64>>()
    };
    let consignments = at("<Consignment>");
    [consignments[0], consignments[1], consignments[2], at("<ConsignmentItem>")[1]]
}

#[tokio::test]
async fn a_file_that_cannot_be_read_is_refused_as_a_whole() {
    let office = office();
    let good = String::from_utf8(files(&[consignment(1)]).remove(0).1).unwrap();
    let refused = async |kind: &str, file: String| told(hand_in(&office, kind, file)).await;
    let (status, problem) = refused("text/csv", good.replace("TotalPackageQuantity", "=Packages")).await;
    assert_eq!(status, 422);
    let details: Vec<_> =
        problem["errors"].as_array().unwrap().iter().map(|e| e["detail"].as_str().unwrap()).collect();
    assert!(details[0].contains("'=Packages") && details[1].contains("TotalPackageQuantity"), "{details:?}");
    assert_eq!(problem["errors"][0]["row"], 1);
    let (status, problem) = refused("text/csv", format!("{good}\"")).await;
    assert_eq!((status, problem["status"].clone()), (400, json!(400)), "{problem}");
    assert_eq!(refused("text/csv", "x".repeat(9 << 20)).await.0, 413);
    assert_eq!(refused("text/csv; charset=big5", good.clone()).await.0, 415);
    assert_eq!(refused("text/html", good.clone()).await.0, 415);
    assert_eq!(refused("application/xml", good.clone()).await.0, 400);
    assert_eq!(refused(Format::Xlsx.media_type(), good.clone()).await.0, 400);
    let laughs = "<!DOCTYPE x [<!ENTITY a \"ha\">]><x>&a;</x>";
    assert_eq!(refused("application/xml", laughs.to_owned()).await.0, 400);
    let (status, problem) = refused("application/xml", "<x/>".to_owned()).await;
    assert_eq!((status, &problem["errors"][0]["row"]), (422, &json!(1)));
    let list = get(&office, "/api/v1/consignments").await;
    assert_eq!(list["items"], json!([]), "nothing was lodged");
    assert_eq!(refused("text/csv; charset=utf-8", good).await.0, 202);
    let single =
        office.request(Method::POST, "/api/v1/consignments").header("content-type", "text/csv").body("x");
    assert_eq!(told(single).await.0, 415, "files are for many");
}

#[tokio::test]
async fn templates_speak_the_readers_language() {
    let office = office();
    let path = "/api/v1/consignments/template";
    let get = |query: &str| office.request(Method::GET, &format!("{path}?{query}"));
    for format in Format::ALL {
        let answer = get(&format!("format={format}&language=zh-Hant")).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.headers()["content-type"], format.media_type());
        let named = format!("attachment; filename=\"consignments.{format}\"");
        assert_eq!(answer.headers()["content-disposition"], named.as_str());
        let file = answer.bytes().await.unwrap();
        let read = batch::read(format, &file);
        assert_eq!(read.map(|rows| rows.len()).ok(), (format != Format::Xlsx).then_some(1), "{format}");
    }
    let english =
        get("format=xlsx").header("accept-language", "en").send().await.unwrap().bytes().await.unwrap();
    let chinese =
        get("format=xlsx").header("accept-language", "zh-HK").send().await.unwrap().bytes().await.unwrap();
    assert_ne!(english, chinese);
    for (query, status) in
        [("", 400), ("format=pdf", 400), ("format=csv&language=fr", 422), ("format=csv&x=1", 400)]
    {
        assert_eq!(told(get(query)).await.0, status, "{query}");
    }
    let stranger = reqwest::Client::new().get(format!("{}{path}?format=csv", office.address()));
    assert_eq!(told(stranger).await.0, 401);
}
