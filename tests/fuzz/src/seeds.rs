//! One sensible input for each target, to start from.

use central::trade::batch::Format;
use clearance::order::Order;
use clearance::passage::{Evidence, LaneStatus, PassageEvent};
use clearance::replicate::{Delta, ForkAccepted, LeaseGrant, LeaseRequest, SnapshotPage};
use minicbor::Encode;
use serde_json::{Value, json};

/// Inputs for a target.
pub(crate) fn of(target: &str) -> Vec<Vec<u8>> {
    let zero = |bytes: usize| "00".repeat(bytes);
    let directive = json!({ "movement": "m1", "mark": "AB1234", "mainland_mark": "粤Z1234港", "action": "release",
        "window": { "from": 0, "until": 9 } });
    let entry =
        json!({ "directive": directive, "status": { "used": { "passage": zero(16) } }, "revision": 3 });
    let head = json!({ "site": "s", "edge": "e", "epoch": 1, "revision": 1, "head_hash": zero(32), "nonce": zero(16),
        "ttl_ms": 60000, "root": zero(32) });
    match target {
        "record_delta" | "follower" => {
            let ops = json!([{ "put": directive }, { "revoke": { "movement": "m1", "mark": "AB1234" } },
                { "use": { "movement": "m1", "mark": "AB1234", "passage": zero(16) } }]);
            let delta = json!({ "site": "s", "epoch": 1, "revision": 1, "prev_hash": zero(32), "ops": ops });
            encoded::<Delta>(delta)
        }
        "record_snapshot_page" => encoded::<SnapshotPage>(json!({ "site": "s", "epoch": 1, "revision": 3,
            "head_hash": zero(32), "page": 0, "pages": 1, "entries": [entry], "before": [{ "epoch": 1, "revision": 1, "hash": zero(32) }], "root": zero(32), "buckets": zero(32) })),
        "record_fork_accepted" => encoded::<ForkAccepted>(json!({ "site": "s", "edge": "e", "epoch": 2, "officer": "chan",
            "reason": "restored", "at": 1 })),
        "record_key_rotation" => {
            let next = clearance::wire::Signer::from_secret(&[3; 32]).public();
            let rotation = clearance::replicate::KeyRotation {
                serial: 1, next, epoch: clearance::ids::Epoch(2), at: clearance::ids::UtcMillis(1) };
            minicbor::to_vec(&rotation).into_iter().collect()
        }
        "bucket_sums" => vec![vec![1; clearance::merkle::SUMS_BYTES], vec![0; 31]],
        "record_lease_request" => encoded::<LeaseRequest>(head),
        "record_lease_grant" => encoded::<LeaseGrant>(head),
        "record_order" => encoded::<Order>(json!({ "site": "s", "lane": "l", "passage": zero(16),
            "verdict": { "act": "inspect" }, "officer": "chan", "issued": 1, "expires": 2, "nonce": zero(16) })),
        "record_passage_event" | "outbox_entry" | "outbox_segment" => {
            let plate = json!({ "candidates": [{ "mark": "AB1234", "probability": 0.9 }], "certainty": "certain",
                "layout": "single_row", "corners": [0, 0, 1, 0, 1, 1, 0, 1], "frames": 3, "crop": zero(32), "picture": null });
            let decided = json!({ "decided": { "outcome": { "directed": "inspect" }, "reason": "directive", "movement": "m1",
                "order": { "officer": "chan", "nonce": zero(16) }, "plates": [plate], "epoch": 1, "revision": 1,
                "model": zero(32) } });
            let steps = [decided, json!("left"), json!({ "order_refused": { "order": zero(16), "why": "late" } }),
                json!({ "signalled": { "signal": "proceed", "frame_to_signal_us": 9 } }),
                json!({ "signal_failed": "gate_fault" })];
            let event = |what: Value| json!({ "site": "s", "lane": "l", "edge": "e", "passage": zero(16), "step": 0, "at": 1,
                "what": what });
            steps.into_iter().flat_map(|what| encoded::<PassageEvent>(event(what))).flat_map(|e| journal(target, e)).collect()
        }
        "record_evidence" => encoded::<Evidence>(json!({ "passage": zero(16), "kind": "crop", "digest": zero(32),
            "jpeg": [255, 216, 255, 217] })),
        "record_lane_status" => encoded::<LaneStatus>(json!({ "site": "s", "lane": "l", "edge": "e", "at": 1,
            "phase": "idle", "fault": "gate_fault", "passage": zero(16), "signal": "wait", "epoch": 1, "revision": 1,
            "lease_left_ms": 1, "outbox_depth": 0, "frames_per_second": 12.5, "reading": "AB1234", "replica": { "quarantined": { "fork": 3 } }, "lag": 2,
            "compared_s_ago": 7 })),
        "cache_value" => encoded::<clearance::directive::DirectiveEntry>(entry),
        "mark" => ["AB1234", "粵Z·1234港", "ＡＢ 12"].map(|text| text.as_bytes().to_vec()).to_vec(),
        "picture" => {
            let name = format!("{:016x}-{}-c.jpg", 3, zero(16));
            vec![[name.as_bytes(), b"\xff\xd8\xff\xd9"].concat()]
        }
        "floor" => vec![vec![0; 200], vec![1; 4300]],
        "configuration" => {
            let of = |name: &str| std::fs::read(format!("{}/../../deploy/{name}", env!("CARGO_MANIFEST_DIR"))).ok();
            let gate = b"address = \"10.0.0.7:502\"\nunit = 2\ncoils = { red = 4 }\ninputs = { fault = 9 }\n".to_vec();
            [of("edge.toml"), of("central.toml"), Some(gate)].into_iter().flatten().collect()
        }
        "batch_csv" => vec![example("csv"), central::trade::batch::template(Format::Csv, &str::to_owned).expect("a template")],
        "batch_xml" => vec![example("xml")],
        "batch_xlsx" => {
            let head: String = central::trade::batch::COLUMNS.iter().map(|c| cell(c.name)).collect();
            let row: String = central::trade::batch::COLUMNS.iter().map(|c| cell(c.example)).collect();
            let sheet = format!("<s><sheetData><row>{head}</row><row>{row}</row><row r=\"9\"><c r=\"C9\" t=\"s\"><v>0</v></c>\
                <c s=\"0\"><v>46350</v></c></row></sheetData></s>");
            let strings = "<sst><si><t>24</t></si><si><r><t>a_x000A_</t></r><rPh/></si></sst>";
            let styles = "<s><numFmt numFmtId=\"9\" formatCode=\"d/m\"/><cellXfs><xf numFmtId=\"9\"/></cellXfs></s>";
            let apart = [sheet.as_str(), strings, styles, "<w><workbookPr/><sheet id=\"1\"/></w>", "<r/>"].join("\0");
            vec![example("xlsx"), apart.into_bytes()]
        }
        "csr" => vec![CSR.to_vec()],
        "jws" => {
            let head = "eyJhbGciOiJFZERTQSIsIng1dCNTMjU2IjoiQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQSIsInVybCI6Imh0dHA6Ly9jL2FwaS92MS9jb25zaWdubWVudHMifQ";
            let plain = "eyJhbGciOiJFUzI1NiIsIng1dCNTMjU2IjoiQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQSJ9";
            [head, plain].map(|head| format!("{head}.e30.{}", "A".repeat(86)).into_bytes()).to_vec()
        }
        "api" => [
            json!({ "direction": "inbound", "packages": 3, "package_kind": "CT", "description": "toys",
                "consignor": { "name": "A", "address": "B" }, "consignee": { "name": "C", "address": "D" },
                "expected_date": "2026-11-24", "hs_code": "950300", "origin": "CN", "value_hkd": 9 }),
            json!({ "ccrns": ["0000000000001"], "mark": "AB1234", "mainland_mark": "粤Z1234港", "site": "s",
                "expected_arrival": "2026-11-24T14:30:00+08:00" }),
            json!({ "action": "release", "reason": "r", "valid_from": "2026-11-24T14:30:00Z", "valid_until": null }),
        ]
        .map(|body| body.to_string().into_bytes())
        .to_vec(),
        _ => Vec::new(),
    }
}

/// A request for a certificate of a key for Ed25519, made with openssl.
const CSR: &[u8] = include_bytes!("csr.pem");

/// An example file of the guide.
fn example(ending: &str) -> Vec<u8> {
    let path = format!("{}/../../docs/guide/examples/consignments.{ending}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn cell(text: &str) -> String {
    format!("<c t=\"inlineStr\"><is><t>{text}</t></is></c>")
}

fn encoded<T: Encode<()> + serde::de::DeserializeOwned>(value: Value) -> Vec<Vec<u8>> {
    let record: T = serde_json::from_value(value).expect("a seed that fits");
    vec![minicbor::to_vec(record).expect("CBOR into memory")]
}

/// An event as the journal's entry, where that is the target.
fn journal(target: &str, event: Vec<u8>) -> Vec<Vec<u8>> {
    // Entry::Step(7, event) and Entry::Acked(7), as minicbor lays enums out.
    let step = [&[0x82, 0x00, 0x82, 0x07][..], &event].concat();
    match target {
        "outbox_entry" => vec![step, vec![0x82, 0x01, 0x81, 0x07]],
        "outbox_segment" => vec![edge::fuzzing::in_frame(&step)],
        _ => vec![event],
    }
}
