//! Trust between the trade's systems and central, over real sockets and real TLS: who may hold a connection and for how long,
//! certificates from enrolment to revocation, and payloads that are signed.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod client;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use central::ca::{self, ClientAuthority};
use central::clock::Clock;
use central::config::Config;
use central::officers::{Role, token_hash};
use central::systems::CodeHash;
use central::{Central, keys, open_store};
use clearance::ids::{Digest, UtcMillis};
use clearance::transport::Party;
use client::{Answer, Channel, Holder, jws, pem, thumbprint};
use jsonwebtoken::Algorithm;
use rcgen::{KeyPair, PKCS_ED25519};
use serde_json::{Value, json};
use tempfile::TempDir;

const DAY: i64 = 86_400_000;

struct Running {
    central: Central,
    config: Config,
    /// Milliseconds by which central's clock is ahead of ours.
    ahead: Arc<AtomicI64>,
    dir: TempDir,
}

/// The store's own handle, as the command line opens it.
async fn store(config: &Config) -> central::storage::Store {
    open_store(config, Arc::new(keys::load(&config.key_file).unwrap())).await.unwrap()
}

async fn start(limits: &str) -> Running {
    let dir = TempDir::new().unwrap();
    let now = Clock::system().now();
    for folder in ["clients-ca", "servers-ca"] {
        ca::init(&dir.path().join(folder), ca::AUTHORITY_DAYS, now).unwrap();
    }
    let hosts = ["127.0.0.1".to_owned()];
    let servers = dir.path().join("servers-ca");
    ca::issue(&servers, dir.path(), &Party::Central, &hosts, ca::days(ca::DAYS), now).unwrap();
    std::fs::rename(dir.path().join("central.key"), dir.path().join("tls.key")).unwrap();
    let signing = dir.path().join("signing.key");
    keys::generate(&signing).unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let text = format!(
        "http = \"127.0.0.1:0\"\nzenoh = [\"tcp/127.0.0.1:{port}\"]\ndata_dir = \"data\"\nkey_file = \"signing.key\"\n\
         sites = [\"north\"]\n[edges]\n[limits]\n{limits}\n[systems]\nlisten = \"127.0.0.1:0\"\n\
         certificate = \"central.pem\"\nprivate_key = \"tls.key\"\nca = \"clients-ca\"\n"
    );
    let path = dir.path().join("central.toml");
    std::fs::write(&path, text).unwrap();
    let config = Config::load(&path).unwrap();
    config.check_files(now).unwrap();
    let store = store(&config).await;
    for company in ["acme", "zenith"] {
        store.add_trader(&company.parse().unwrap(), company, false, "test", now).await.unwrap();
    }
    let acme = "acme".parse().unwrap();
    store.put_token(&token_hash("acme-token"), "clerk", Role::Trade.name(), Some(&acme)).await.unwrap();
    store.put_token(&token_hash("admin-token"), "admin", Role::Admin.name(), None).await.unwrap();
    drop(store);
    let ahead = Arc::new(AtomicI64::new(0));
    let shift = Arc::clone(&ahead);
    let clock = Clock::of(move || Clock::system().now().plus_millis(shift.load(Ordering::SeqCst)));
    let central = Central::start(&config, clock).await.unwrap();
    Running { central, config, ahead, dir }
}

impl Running {
    fn pass(&self, millis: i64) {
        self.ahead.fetch_add(millis, Ordering::SeqCst);
    }

    fn now(&self) -> UtcMillis {
        Clock::system().now().plus_millis(self.ahead.load(Ordering::SeqCst))
    }

    async fn code(&self, name: &str, company: &str) -> String {
        let code = format!("{name}-{}", rand::random::<u64>());
        let (name, company) = (name.parse().unwrap(), company.parse().unwrap());
        let hash = CodeHash::of(&code);
        assert!(
            store(&self.config).await.enrol_client(&name, &company, &hash, "test", self.now()).await.unwrap()
        );
        code
    }

    /// A connection of TLS, with or without a certificate.
    async fn channel(&self, holder: Option<&Holder>) -> Result<Channel, String> {
        let servers = std::fs::read(self.dir.path().join("servers-ca/ca.pem")).unwrap();
        Channel::secure(self.central.systems().unwrap(), &servers, holder).await
    }

    async fn plain(&self) -> Channel {
        Channel::plain(self.central.http()).await
    }

    async fn enrolled_with(&self, name: &str, company: &str, key: KeyPair) -> Holder {
        let code = self.code(name, company).await;
        let body = json!({ "code": code, "csr": pem::request(&key) });
        let answer = self.channel(None).await.unwrap().post("/api/v1/certificates", &body).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        Holder::new(&answer.body, key)
    }

    async fn enrolled(&self, name: &str, company: &str) -> Holder {
        self.enrolled_with(name, company, KeyPair::generate().unwrap()).await
    }
}

fn consignment() -> Value {
    let soon = jiff::Timestamp::now().in_tz("Asia/Hong_Kong").unwrap().date();
    json!({ "direction": "inbound", "packages": 3, "package_kind": "CT", "description": "toys",
        "consignor": { "name": "A", "address": "B" }, "consignee": { "name": "C", "address": "D" },
        "expected_date": soon })
}

fn refused(answer: &Answer, status: u16, said: &str) {
    assert_eq!(answer.status, status, "{}", answer.body);
    assert_eq!(answer.kind, "application/problem+json");
    let detail = answer.body["detail"].as_str().unwrap();
    assert!(detail.contains(said), "{detail:?} does not speak of {said:?}");
}

/// The payload, if openssl says that this certificate's key has signed it.
fn verified_by_hand(running: &Running, jws: &str, holder: &Holder) -> Option<Value> {
    let script = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/verify-evidence.sh");
    let (signed, certificate) = (running.dir.path().join("jws"), running.dir.path().join("certificate"));
    std::fs::write(&signed, jws).unwrap();
    std::fs::write(&certificate, &holder.certificate).unwrap();
    let output = std::process::Command::new(script).args([signed, certificate]).output().unwrap();
    output.status.success().then(|| serde_json::from_slice(&output.stdout).unwrap())
}

const SLOW: &str = "header_ms = 1000\nrequest_ms = 1500\nconnections = 500\nconnections_per_address = 300";

/// Loopback has many addresses: some of them attack, another asks.
#[tokio::test(flavor = "multi_thread")]
async fn those_who_dawdle_do_not_keep_others_from_being_served() {
    let running = start(SLOW).await;
    let at = running.central.http();
    let half: &[u8] = b"POST /api/v1/consignments HTTP/1.1\r\nHost: central\r\nX-Slow: ";
    let endless: &[u8] =
        b"POST /api/v1/consignments HTTP/1.1\r\nHost: central\r\nAuthorization: Bearer acme-token\r\n\
        Content-Length: 100000\r\n\r\n{";
    let mut attackers = Vec::new();
    for number in 0..600u32 {
        let from = [[127, 0, 0, 2], [127, 0, 0, 3]][number as usize % 2];
        let start = [b"" as &[u8], half, endless][number as usize / 2 % 3];
        attackers.push(Channel::dawdling(from, at, start).await);
    }
    // A place is free at once: two addresses cannot take more than they may, and whoever waits longer than allowed goes.
    let asked = tokio::time::timeout(Duration::from_secs(5), async {
        running.plain().await.get("/healthz").await.status
    });
    assert_eq!(asked.await.unwrap(), 200);
    // All of them are closed by central, those who go on sending too.
    let last = attackers.pop().unwrap();
    let drip = tokio::spawn(async move { last.drip().await });
    for attacker in attackers {
        tokio::time::timeout(Duration::from_secs(20), attacker.closed())
            .await
            .expect("a slow connection stays");
    }
    tokio::time::timeout(Duration::from_secs(20), drip).await.expect("dripping keeps a place").unwrap();
    running.central.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_a_byte_at_a_time_ends_and_a_body_that_never_ends_is_told_so() {
    let running = start(SLOW).await;
    let at = running.central.http();
    let slow = Channel::dawdling([127, 0, 0, 2], at, b"GET /healthz HTTP/1.1\r\nX-Slow: ").await;
    tokio::time::timeout(Duration::from_secs(10), slow.drip()).await.expect("dripping keeps a place");
    let mut endless = Channel::plain(at).await;
    let head = "POST /api/v1/consignments HTTP/1.1\r\nHost: central\r\nAuthorization: Bearer acme-token\r\n\
        Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{";
    let answer = endless.raw(head.as_bytes()).await;
    refused(&answer, 408, "longer than 1500 ms");
    // A handshake that is never finished.
    let systems = running.central.systems().unwrap();
    let mute = Channel::dawdling([127, 0, 0, 2], systems, b"\x16\x03\x01").await;
    tokio::time::timeout(Duration::from_secs(10), mute.closed()).await.expect("a handshake keeps a place");
    running.central.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_system_enrols_works_renews_and_is_revoked_on_its_live_connection() {
    let running = start("").await;
    let key = KeyPair::generate().unwrap();
    let code = running.code("acme-erp", "acme").await;
    let request = json!({ "code": code, "csr": pem::request(&key) });
    let mut stranger = running.channel(None).await.unwrap();
    for (path, method) in [("/api/v1/certificates", "GET"), ("/api/v1/consignments/X", "GET")] {
        refused(
            &stranger.ask(method, path, &[("authorization", "Bearer acme-token")], b"").await,
            401,
            "certificate",
        );
    }
    let stolen = json!({ "code": code, "csr": "-----BEGIN CERTIFICATE REQUEST-----" });
    assert_eq!(
        stranger.post("/api/v1/certificates", &stolen).await.status,
        422,
        "and the code is not used up"
    );
    let answer = stranger.post("/api/v1/certificates", &request).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    refused(&stranger.post("/api/v1/certificates", &request).await, 401, "good once");
    let late = running.code("acme-erp", "acme").await;
    let holder = Holder::new(&answer.body, key);

    let mut channel = running.channel(Some(&holder)).await.unwrap();
    let lodged = channel.post("/api/v1/consignments", &consignment()).await;
    assert_eq!(lodged.status, 201, "{}", lodged.body);
    let path = format!("/api/v1/consignments/{}", lodged.body["ccrn"].as_str().unwrap());
    assert_eq!(channel.get(&path).await.status, 200);

    let mut other = running.channel(Some(&running.enrolled("zenith-erp", "zenith").await)).await.unwrap();
    assert_eq!(other.get(&path).await.status, 404, "another company's");
    let own = format!("/api/v1/certificates/{}", holder.serial);
    assert_eq!(other.ask("DELETE", &own, &[], b"").await.status, 404);
    assert_eq!(other.get("/api/v1/certificates").await.body.as_array().unwrap().len(), 1);

    running.pass(80 * DAY);
    refused(
        &running
            .plain()
            .await
            .post(
                "/api/v1/certificates",
                &json!({ "code": late, "csr": pem::request(&KeyPair::generate().unwrap()) }),
            )
            .await,
        401,
        "24 hours",
    );
    let key = KeyPair::generate_for(&PKCS_ED25519).unwrap();
    let answer = channel.post("/api/v1/certificates/renewal", &json!({ "csr": pem::request(&key) })).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let renewed = Holder::new(&answer.body, key);
    running.pass(11 * DAY);
    // The first has run out: on its open connection, and for a new one.
    refused(&channel.get(&path).await, 401, "run out");
    refused(
        &channel.post("/api/v1/certificates/renewal", &json!({ "csr": pem::request(&renewed.key) })).await,
        401,
        "run out",
    );
    let error = running.channel(Some(&holder)).await.unwrap_err();
    assert!(error.contains("CertificateExpired"), "{error}");

    let mut channel = running.channel(Some(&renewed)).await.unwrap();
    assert_eq!(channel.get(&path).await.status, 200);
    let mine = channel.get("/api/v1/certificates").await.body;
    assert_eq!(mine.as_array().unwrap().len(), 2);
    assert_eq!(mine[0]["serial"], json!(renewed.serial));
    let own = format!("/api/v1/certificates/{}", renewed.serial);
    let admin = [("authorization", "Bearer admin-token")];
    assert_eq!(running.plain().await.ask("DELETE", &own, &admin, b"").await.status, 204);
    refused(&channel.get(&path).await, 401, "revoked");
    refused(&running.channel(Some(&renewed)).await.unwrap().get(&path).await, 401, "revoked");
    let store = store(&running.config).await;
    assert!(store.verify_audit(None).await.unwrap().is_ok());
    running.central.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_of_others_let_nobody_in() {
    let running = start("").await;
    // Another authority of the same name.
    let foreign = running.dir.path().join("foreign-ca");
    ca::init(&foreign, ca::AUTHORITY_DAYS, running.now()).unwrap();
    let issue = |folder: &std::path::Path| {
        let authority = ClientAuthority::load(folder, running.now()).unwrap();
        let pair = KeyPair::generate().unwrap();
        let asked = clearance::transport::requested_key(pem::request(&pair).as_bytes()).unwrap();
        let issued = authority.issue("acme", "acme-erp", &asked, running.now()).unwrap();
        Holder::new(&json!({ "serial": issued.serial, "certificate": issued.pem }), pair)
    };
    let error = running.channel(Some(&issue(&foreign))).await.unwrap_err();
    assert!(error.contains("UnknownCA") || error.contains("DecryptError"), "{error}");
    // Of our authority, and in nobody's books.
    let unknown = issue(&running.dir.path().join("clients-ca"));
    refused(
        &running.channel(Some(&unknown)).await.unwrap().get("/api/v1/certificates").await,
        401,
        "not known",
    );
    // A name is one company's.
    running.enrolled("erp", "acme").await;
    let (name, zenith) = ("erp".parse().unwrap(), "zenith".parse().unwrap());
    let (books, code) = (store(&running.config).await, CodeHash::of("x"));
    let taken = books.enrol_client(&name, &zenith, &code, "test", running.now());
    assert!(!taken.await.unwrap());
    running.central.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_signed_is_verified_and_kept_whole() {
    let running = start("").await;
    let holder = running.enrolled("acme-erp", "acme").await;
    let edwards =
        running.enrolled_with("acme-ed", "acme", KeyPair::generate_for(&PKCS_ED25519).unwrap()).await;
    let other = running.enrolled("zenith-erp", "zenith").await;
    let body = consignment();
    let mut channel = running.channel(Some(&holder)).await.unwrap();
    let signed = jws(&holder, Algorithm::ES256, &thumbprint(&holder), &body, None);
    let headers = [("content-type", "application/jose"), ("idempotency-key", "one")];
    let path = "/api/v1/consignments";
    let lodged = channel.ask("POST", path, &headers, signed.as_bytes()).await;
    assert_eq!(lodged.status, 201, "{}", lodged.body);
    let again = channel.ask("POST", path, &headers, signed.as_bytes()).await;
    assert_eq!(again.body, lodged.body, "sent again, it is the same consignment");

    let ccrn = lodged.body["ccrn"].as_str().unwrap();
    let evidence = channel.get(&format!("{path}/{ccrn}/evidence")).await;
    assert_eq!(evidence.body["jws"], json!(signed));
    assert_eq!(evidence.body["certificate"].as_str().unwrap().trim(), holder.certificate.trim());
    let mut zenith = running.channel(Some(&other)).await.unwrap();
    assert_eq!(zenith.get(&format!("{path}/{ccrn}/evidence")).await.status, 404);
    let admin = [("authorization", "Bearer admin-token")];
    let seen = running.plain().await.ask("GET", &format!("{path}/{ccrn}/evidence"), &admin, b"").await;
    assert_eq!(seen.body["jws"], json!(signed));

    assert_eq!(verified_by_hand(&running, &signed, &holder), Some(body.clone()));
    assert_eq!(verified_by_hand(&running, &signed, &other), None);

    let jose = [("content-type", "application/jose")];
    let ed = jws(
        &edwards,
        Algorithm::EdDSA,
        &thumbprint(&edwards),
        &body,
        Some("https://central.example/api/v1/consignments"),
    );
    let mut of_ed = running.channel(Some(&edwards)).await.unwrap();
    assert_eq!(verified_by_hand(&running, &ed, &edwards), Some(body.clone()));
    assert_eq!(of_ed.ask("POST", path, &jose, ed.as_bytes()).await.status, 201);
    refused(&of_ed.ask("POST", "/api/v1/bundles", &jose, ed.as_bytes()).await, 401, "another request");
    // With a token, too, a company's own signature counts.
    let token = [jose[0], ("authorization", "Bearer acme-token")];
    assert_eq!(running.plain().await.ask("POST", path, &token, ed.as_bytes()).await.status, 201);

    let changed = {
        let parts: Vec<&str> = signed.split('.').collect();
        format!(
            "{}.{}.{}",
            parts[0],
            pem::base64url(json!({ "packages": 9 }).to_string().as_bytes()),
            parts[2]
        )
    };
    let header = |alg: &str| json!({ "alg": alg, "x5t#S256": thumbprint(&holder) }).to_string();
    let payload = pem::base64url(body.to_string().as_bytes());
    let unsigned = format!("{}.{payload}.", pem::base64url(header("none").as_bytes()));
    let shared = jws(
        &Holder { secret: Some(holder.key.public_key_raw().to_vec()), ..holder.copy() },
        Algorithm::HS256,
        &thumbprint(&holder),
        &body,
        None,
    );
    let borrowed = jws(&other, Algorithm::ES256, &thumbprint(&holder), &body, None);
    let foreign = jws(&other, Algorithm::ES256, &thumbprint(&other), &body, None);
    let colleague = jws(&edwards, Algorithm::EdDSA, &thumbprint(&edwards), &body, None);
    for (bad, status, said) in [
        (changed, 401, "does not fit"),
        (unsigned, 400, "alg is ES256"),
        (shared, 400, "alg is ES256"),
        (borrowed, 401, "does not fit"),
        (foreign, 401, "x5t#S256"),
        (colleague, 401, "x5t#S256"),
        ("a.b".to_owned(), 400, "compact JWS"),
        (format!("{signed}.x"), 400, "compact JWS"),
    ] {
        refused(&channel.ask("POST", path, &jose, bad.as_bytes()).await, status, said);
    }
    // The key of a certificate that was revoked signs nothing any more; what it has signed can still be verified.
    let own = format!("/api/v1/certificates/{}", edwards.serial);
    assert_eq!(channel.ask("DELETE", &own, &[], b"").await.status, 204);
    refused(&running.plain().await.ask("POST", path, &token, ed.as_bytes()).await, 401, "revoked");
    assert_eq!(Digest::of(&pem::bytes(&holder.certificate)).to_string(), pem::hex(&thumbprint(&holder)));
    running.central.stop().await.unwrap();
}
