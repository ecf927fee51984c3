//! A copy made while companies lodge, brought back elsewhere: nothing that was acknowledged before is missing, and the lanes get a
//! new history.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reqwest::Method;
use tests::world::office::{Office, consignment};
use tests::world::postgres::Postgres;

async fn lodged(office: &Office, number: usize) -> String {
    let request = office.request(Method::POST, "/api/v1/consignments").json(&consignment(number));
    Office::ask(request).await.unwrap()["ccrn"].as_str().unwrap().to_owned()
}

async fn is_there(office: &Office, ccrn: &str) -> bool {
    let path = format!("/api/v1/consignments/{ccrn}");
    Office::answer(office.request(Method::GET, &path)).await.unwrap().0.is_success()
}

/// Back up while others lodge, restore into `elsewhere`, and go on there.
async fn back_up_and_restore(office: &Office, elsewhere: Option<&str>) {
    let folder = tempfile::TempDir::new().unwrap();
    let copy = folder.path().join("central.copy");
    let mut before = Vec::new();
    for number in 0..20 {
        before.push(lodged(office, number).await);
    }
    let over = AtomicBool::new(false);
    let lodging = async {
        let mut many = 0;
        while !over.load(Ordering::SeqCst) {
            lodged(office, 100 + many).await;
            many += 1;
        }
        many
    };
    let (meanwhile, manifest) = std::thread::scope(|scope| {
        let copying = scope.spawn(|| {
            let made = office.command(&["backup", "--out", copy.to_str().unwrap()]);
            over.store(true, Ordering::SeqCst);
            made.unwrap()
        });
        let lodging = tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(lodging));
        (lodging, copying.join().unwrap())
    });
    assert!(manifest.contains("sha256") && meanwhile > 0, "{manifest}");
    let again = office.command(&["backup", "--out", copy.to_str().unwrap()]).unwrap_err();
    assert!(again.to_string().contains("is there already"), "{again}");

    let damaged = folder.path().join("damaged.copy");
    damage(&copy, &damaged);
    let refused = office.restored(&damaged, elsewhere).err().unwrap();
    assert!(refused.to_string().contains("damaged"), "{refused}");
    let (restored, said) = office.restored(&copy, elsewhere).unwrap();
    assert!(said.contains("epoch 2"), "{said}");
    for ccrn in &before {
        assert!(is_there(&restored, ccrn).await, "{ccrn}");
    }
    let carried_on = lodged(&restored, 7).await;
    assert!(is_there(&restored, &carried_on).await);
    restored.kill();
    restored.command(&["fsck"]).unwrap();
    restored.command(&["audit", "verify"]).unwrap();
    let full = restored.command(&["restore", "--from", copy.to_str().unwrap()]).unwrap_err();
    assert!(full.to_string().contains("nothing is overwritten"), "{full}");
}

/// Kill `central restore` again and again, each time a little later: central never runs on what it leaves in between.
async fn restores_are_killed(office: &Office, fresh: impl Fn(usize) -> Option<String>) {
    let folder = tempfile::TempDir::new().unwrap();
    let copy = folder.path().join("central.copy");
    let ccrn = lodged(office, 1).await;
    office.command(&["backup", "--out", copy.to_str().unwrap()]).unwrap();
    let (mut killed, mut refused) = (0, 0);
    for (number, wait) in (0..16).map(|n| Duration::from_millis(8 * n as u64)).enumerate() {
        let elsewhere = office.elsewhere(fresh(number).as_deref()).unwrap();
        let mut restore = elsewhere.command_beside(&["restore", "--from", copy.to_str().unwrap()]).unwrap();
        std::thread::sleep(wait);
        restore.kill().unwrap();
        killed += usize::from(!restore.wait().unwrap().success());
        // Nothing is there yet, it is half restored, or it is whole.
        let began = elsewhere.command(&["audit", "anchor"]);
        match began {
            Err(why) => {
                assert!(why.to_string().contains("run `central restore` again"), "{why}");
                refused += 1;
                elsewhere.command(&["restore", "--from", copy.to_str().unwrap()]).unwrap();
            }
            Ok(anchor) if anchor.contains("\"line\":0,") => continue,
            Ok(_) => {}
        }
        elsewhere.restart().unwrap();
        assert!(is_there(&elsewhere, &ccrn).await, "{wait:?}");
        elsewhere.kill();
        let epochs = elsewhere.command(&["fsck"]).unwrap();
        assert!(!epochs.contains("DAMAGE"), "{epochs}");
    }
    assert!(killed > 1 && refused > 0, "killed {killed}, refused {refused}");
}

/// The copy with one byte changed.
fn damage(copy: &Path, damaged: &Path) {
    let mut bytes = std::fs::read(copy).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(damaged, bytes).unwrap();
    let manifest = |path: &Path| format!("{}.json", path.display());
    std::fs::copy(manifest(copy), manifest(damaged)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_is_killed_on_sqlite() {
    restores_are_killed(&Office::start(None).unwrap(), |_| None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_is_killed_on_postgresql() {
    let server = match Postgres::start() {
        Ok(server) => server,
        Err(why) => return eprintln!("skipped: {why}"),
    };
    let office = Office::start(Some(&server.url())).unwrap();
    restores_are_killed(&office, |number| Some(server.another(&format!("e{number}")).unwrap())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_sqlite() {
    let office = Office::start(None).unwrap();
    back_up_and_restore(&office, None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_postgresql() {
    let server = match Postgres::start() {
        Ok(server) => server,
        Err(why) => return eprintln!("skipped: {why}"),
    };
    let office = Office::start(Some(&server.url())).unwrap();
    let elsewhere = server.another("elsewhere").unwrap();
    back_up_and_restore(&office, Some(&elsewhere)).await;
}
