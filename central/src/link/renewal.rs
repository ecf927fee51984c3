//! Files that are replaced while we run: certificates are renewed, and edges revoked, without a restart.
//!
//! What was replaced is taken only when it is good; else it is said once, and what was before goes on.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::Context as _;
use clearance::ids::{Digest, EdgeId, UtcMillis};
use clearance::transport::{Party, TlsFiles, TlsHeld};

use super::tls;
use crate::config::ConfigError;

/// How often it is looked whether files were replaced.
pub(crate) const LOOK: std::time::Duration = std::time::Duration::from_secs(2);

/// Whether files were replaced. They have to be the same in two looks: whoever replaces two of them is between the two for
/// a moment.
#[derive(Debug)]
pub(crate) struct Watch {
    paths: Vec<PathBuf>,
    taken: Digest,
    last: Digest,
}

impl Watch {
    /// Watch these files from what they hold now.
    pub(crate) fn new(paths: Vec<PathBuf>) -> Self {
        let now = content(&paths);
        Self { paths, taken: now, last: now }
    }

    /// Whether they hold something new; told once.
    pub(crate) fn replaced(&mut self) -> bool {
        let now = content(&self.paths);
        let settled = now == self.last && now != self.taken;
        self.last = now;
        if settled {
            self.taken = now;
        }
        settled
    }

    /// Tell again at the next look: what is there now could not be taken yet.
    fn again(&mut self) {
        self.taken = Digest::default();
    }
}

/// What files hold, or why they cannot be read, in one number.
fn content(paths: &[PathBuf]) -> Digest {
    let mut all = Vec::new();
    for path in paths {
        let held = std::fs::read(path).unwrap_or_else(|error| error.to_string().into_bytes());
        all.extend_from_slice(&Digest::of(&held).0);
    }
    Digest::of(&all)
}

/// The certificate that is used, and whether a new one was put in its place.
#[derive(Debug)]
pub(crate) struct Renewal {
    files: TlsFiles,
    party: Party,
    held: TlsHeld,
    watch: Watch,
    said: Option<String>,
}

impl Renewal {
    /// Begin with what the files hold now. A certificate that only time stands against is used: it is said that nobody
    /// gets a link until it is replaced.
    pub(crate) fn start(files: &TlsFiles, party: Party, now: UtcMillis) -> anyhow::Result<Self> {
        let paths = vec![files.ca.clone(), files.certificate.clone(), files.private_key.clone()];
        let watch = Watch::new(paths);
        let held = tls::read(files)?;
        match tls::check_held(files, &held, &party, now) {
            Err(error) if tls::is_of_time(&error) => {
                tracing::error!(error = %format!("{error:#}"), "no links until this is mended");
            }
            checked => checked?,
        }
        Ok(Self { files: files.clone(), party, held, watch, said: None })
    }

    /// What is used.
    pub(crate) fn held(&self) -> &TlsHeld {
        &self.held
    }

    /// Look at the files; whether there is a good new certificate, which is used from now on.
    pub(crate) fn renewed(&mut self, now: UtcMillis) -> bool {
        if !self.watch.replaced() {
            return false;
        }
        match self.take(now) {
            Ok(new) => {
                self.said = None;
                new
            }
            Err(error) => {
                // Time may mend it, without another change of the files.
                if tls::is_of_time(&error) {
                    self.watch.again();
                }
                let error = format!("{error:#}");
                if self.said.as_ref() != Some(&error) {
                    tracing::error!(
                        error,
                        "the new files of [tls] are not taken; the certificate of before is used on"
                    );
                    self.said = Some(error);
                }
                false
            }
        }
    }

    fn take(&mut self, now: UtcMillis) -> anyhow::Result<bool> {
        let found = tls::read(&self.files)?;
        if found == self.held {
            return Ok(false);
        }
        tls::check_held(&self.files, &found, &self.party, now)?;
        tracing::info!(certificate = %self.files.certificate.display(), "the certificate was renewed");
        self.held = found;
        Ok(true)
    }
}

/// Look at a configuration's file; whom it revokes now, if it was changed, can be used and revokes others than `before`.
pub(crate) fn revoked_now(
    watch: &mut Watch,
    before: &BTreeSet<EdgeId>,
    load: impl FnOnce() -> Result<BTreeSet<EdgeId>, ConfigError>,
) -> Option<BTreeSet<EdgeId>> {
    if !watch.replaced() {
        return None;
    }
    let loaded = load().context("the changed configuration is not taken; what it said before holds on");
    let now =
        loaded.inspect_err(|error| tracing::error!(error = %format!("{error:#}"), "configuration")).ok()?;
    if now == *before {
        tracing::info!(
            "of the changed configuration, only `revoked` is taken without a restart, and it is the same"
        );
        return None;
    }
    let names: Vec<&str> = now.iter().map(EdgeId::as_str).collect();
    tracing::warn!(revoked = ?names, "edges that may do nothing");
    Some(now)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use tempfile::TempDir;

    use super::*;
    use crate::ca;

    const NOW: UtcMillis = UtcMillis(1_800_000_000_000);

    /// An authority, and a certificate of central's in use.
    struct Desk {
        folder: TempDir,
        files: TlsFiles,
    }

    impl Desk {
        fn new() -> Self {
            let folder = TempDir::new().unwrap();
            ca::init(&folder.path().join("ca"), 100, NOW).unwrap();
            let at = |name: &str| folder.path().join(name);
            let files =
                TlsFiles { ca: at("ca/ca.pem"), certificate: at("used.pem"), private_key: at("used.key") };
            Self { folder, files }
        }

        /// Issue for a party at a time, and put it in the place of what is used.
        fn put(&self, number: u32, party: &Party, now: UtcMillis) {
            let out = self.folder.path().join(number.to_string());
            let hosts = ["host".to_owned()];
            let issued =
                ca::issue(&self.folder.path().join("ca"), &out, party, &hosts, ca::days(1), now).unwrap();
            fs::copy(&issued.certificate, &self.files.certificate).unwrap();
            fs::copy(&issued.private_key, &self.files.private_key).unwrap();
        }

        fn start(&self) -> Renewal {
            Renewal::start(&self.files, Party::Central, NOW).unwrap()
        }
    }

    #[test]
    fn a_good_new_certificate_is_used_once_it_lies_still() {
        let desk = Desk::new();
        desk.put(1, &Party::Central, NOW);
        let mut renewal = desk.start();
        let before = renewal.held().clone();
        assert!(!renewal.renewed(NOW));
        desk.put(2, &Party::Central, NOW);
        assert!(!renewal.renewed(NOW), "it has just come");
        assert!(renewal.renewed(NOW));
        assert_ne!(*renewal.held(), before);
        assert!(!renewal.renewed(NOW), "told once");
    }

    #[test]
    fn what_is_bad_is_not_used_and_what_was_before_is() {
        let desk = Desk::new();
        desk.put(1, &Party::Central, NOW);
        let mut renewal = desk.start();
        let before = renewal.held().clone();
        let mut looks = || [renewal.renewed(NOW), renewal.renewed(NOW), renewal.renewed(NOW)].contains(&true);
        desk.put(2, &Party::router(&"site".parse().unwrap()).unwrap(), NOW);
        assert!(!looks(), "somebody else's");
        desk.put(3, &Party::Central, NOW);
        let good = fs::read(&desk.files.private_key).unwrap();
        fs::write(&desk.files.private_key, &before.private_key).unwrap();
        assert!(!looks(), "another key");
        fs::write(&desk.files.private_key, good).unwrap();
        fs::set_permissions(&desk.files.private_key, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(!looks(), "a key that others can read");
        fs::set_permissions(&desk.files.private_key, fs::Permissions::from_mode(0o600)).unwrap();
        fs::remove_file(&desk.files.certificate).unwrap();
        assert!(!looks(), "none");
        // What was used comes back: nothing is new.
        fs::write(&desk.files.certificate, &before.certificate).unwrap();
        fs::write(&desk.files.private_key, &before.private_key).unwrap();
        assert!(!looks());
        assert_eq!(*renewal.held(), before);
    }

    #[test]
    fn it_starts_with_one_that_has_run_out_and_takes_a_new_one_when_its_time_comes() {
        let desk = Desk::new();
        desk.put(1, &Party::Central, NOW.plus_millis(-3 * 86_400_000));
        let mut renewal = desk.start();
        // Good from an hour before it was issued.
        let later = NOW.plus_millis(2 * 3_600_000);
        desk.put(2, &Party::Central, later);
        for _ in 0..4 {
            assert!(!renewal.renewed(NOW));
        }
        assert!(renewal.renewed(later));
    }
}
