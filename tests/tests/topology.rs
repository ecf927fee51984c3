//! The documented topologies: each file, with the keys and certificates that it names, passes `--check-config`; and what
//! is wrong with certificates is said there.
#![allow(clippy::unwrap_used, clippy::expect_used)]
#![allow(missing_docs)]

use std::path::{Path, PathBuf};
use std::process::Command;

use central::ca::{self, AUTHORITY_DAYS};
use clearance::ids::UtcMillis;
use clearance::transport::Party;
use tempfile::TempDir;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/topology");

fn now() -> UtcMillis {
    edge::clock::utc_now()
}

/// The command of this build: one folder above the test's own.
fn command(name: &str) -> PathBuf {
    let own = std::env::current_exe().unwrap();
    own.ancestors().skip(1).take(2).map(|folder| folder.join(name)).find(|path| path.exists()).unwrap()
}

/// Run `--check-config` on a file; gives whether it is fine, and what was said.
fn check(file: &Path) -> (bool, String) {
    let name = file.file_name().unwrap().to_str().unwrap();
    let mut run = match name {
        _ if name.starts_with("central") => Command::new(command("central")),
        _ if name.starts_with("router") => Command::new(command("central")),
        _ => Command::new(command("edge")),
    };
    if name.starts_with("router") {
        run.arg("router");
    }
    let output = run.args(["--check-config", "--config"]).arg(file).output().unwrap();
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    (output.status.success(), said)
}

/// Put a documented file into a folder, with a signing key and the certificates that it names.
fn furnish(file: &Path, folder: &Path) -> PathBuf {
    let text = std::fs::read_to_string(file).unwrap();
    let public = edge::keys::generate(&folder.join("some.key")).unwrap();
    let text = text.replace("64 hexadecimal digits", &public.to_string());
    let table: toml::Table = toml::from_str(&text).unwrap();
    if let Some(key) = table.get("key_file") {
        edge::keys::generate(&folder.join(key.as_str().unwrap())).unwrap();
    }
    if let Some(tls) = table.get("tls") {
        ca::init(&folder.join("ca"), AUTHORITY_DAYS, now()).unwrap();
        let certificate = folder.join(tls["certificate"].as_str().unwrap());
        let party: Party = certificate.file_stem().unwrap().to_str().unwrap().parse().unwrap();
        let hosts = if matches!(party, Party::Edge(..)) { vec![] } else { vec!["host.example".to_owned()] };
        ca::issue(&folder.join("ca"), certificate.parent().unwrap(), &party, &hosts, ca::days(100), now())
            .unwrap();
    }
    let config = folder.join(file.file_name().unwrap());
    std::fs::write(&config, text).unwrap();
    config
}

#[test]
fn every_documented_topology_passes_check_config() {
    let mut checked = 0;
    for topology in std::fs::read_dir(FOLDER).unwrap() {
        for file in std::fs::read_dir(topology.unwrap().path()).unwrap() {
            let (file, folder) = (file.unwrap().path(), TempDir::new().unwrap());
            let config = furnish(&file, folder.path());
            let (fine, said) = check(&config);
            assert!(fine, "{}: {said}", file.display());
            checked += 1;
        }
    }
    assert_eq!(checked, 10);
}

#[test]
fn check_config_says_what_is_wrong_with_a_certificate_and_how_to_mend_it() {
    for (file, certificate) in [
        ("one-site/edge-1.toml", "edge-1/edge.lok-ma-chau.edge-1"),
        ("one-site/router.toml", "router/router.lok-ma-chau"),
        ("one-site/central.toml", "central/central"),
    ] {
        let folder = TempDir::new().unwrap();
        let config = furnish(&Path::new(FOLDER).join(file), folder.path());
        let at = |name: &str| folder.path().join(name);
        let (pem, key) = (at(&format!("{certificate}.pem")), at(&format!("{certificate}.key")));
        let party: Party = pem.file_stem().unwrap().to_str().unwrap().parse().unwrap();
        let hosts = if matches!(party, Party::Edge(..)) { vec![] } else { vec!["host.example".to_owned()] };
        ca::init(&at("other-ca"), AUTHORITY_DAYS, now()).unwrap();
        let issue = |ca: &str, out: &str, party: &Party, days, now| {
            ca::issue(&at(ca), &at(out), party, &hosts, ca::days(days), now).unwrap()
        };
        let other = issue("other-ca", "other", &party, 100, now());
        let old = issue("ca", "old", &party, 1, now().plus_millis(-3 * 86_400_000));
        let whose = match party {
            Party::Central => Party::router(&"lok-ma-chau".parse().unwrap()).unwrap(),
            Party::Router(_) => Party::Central,
            Party::Edge(..) => {
                Party::edge(&"elsewhere".parse().unwrap(), &"edge-1".parse().unwrap()).unwrap()
            }
        };
        let whose = issue("ca", "whose", &whose, 100, now());
        let good = (std::fs::read(&pem).unwrap(), std::fs::read(&key).unwrap());
        let said = |from: Option<&ca::Issued>, wanted: &str| {
            if let Some(from) = from {
                std::fs::copy(&from.certificate, &pem).unwrap();
                std::fs::copy(&from.private_key, &key).unwrap();
            }
            let (fine, said) = check(&config);
            assert!(
                !fine && said.contains(wanted) && said.contains("central ca issue"),
                "{file}: {wanted}: {said}"
            );
            std::fs::write(&pem, &good.0).unwrap();
            std::fs::write(&key, &good.1).unwrap();
        };
        said(Some(&other), "not issued by the authority");
        said(Some(&old), "ran out on");
        said(Some(&whose), "and this is");
        std::fs::copy(&other.private_key, &key).unwrap();
        said(None, "is not the key of the certificate");
        std::fs::write(&pem, "no certificate").unwrap();
        said(None, "holds no certificate");
        assert!(check(&config).0, "{file}: and is fine again");
        std::fs::remove_file(&pem).unwrap();
        let (fine, told) = check(&config);
        assert!(!fine && told.contains("tls.certificate") && told.contains("No such file"), "{told}");
    }
}

#[test]
fn a_certificate_for_an_hour_or_a_minute_is_issued_and_for_no_time_is_not() {
    let folder = TempDir::new().unwrap();
    let authority = folder.path().join("ca");
    let pem = std::fs::read(ca::init(&authority, AUTHORITY_DAYS, now()).unwrap()).unwrap();
    let issue = |lasts: [&str; 2]| {
        let out = TempDir::new_in(folder.path()).unwrap().keep();
        let mut run = Command::new(command("central"));
        run.args(["ca", "issue", "edge", "--site", "site-a", "--edge", "edge-1"]).args(lasts);
        let output = run.arg("--folder").arg(&authority).arg("--out").arg(&out).output().unwrap();
        let read = |suffix: &str| std::fs::read(out.join(format!("edge.site-a.edge-1.{suffix}")));
        output.status.success().then(|| {
            let checked =
                clearance::transport::verify(&pem, &read("pem").unwrap(), &read("key").unwrap(), now());
            checked.unwrap().until.0 - now().0
        })
    };
    assert!((3_500_000..=3_600_000).contains(&issue(["--hours", "1"]).unwrap()));
    assert!((1..=60_000).contains(&issue(["--minutes", "1"]).unwrap()));
    assert_eq!((issue(["--minutes", "0"]), issue(["--hours", "87601"])), (None, None));
}
