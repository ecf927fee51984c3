//! A real browser, driven by a script of `tests/browser`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::ensure;

/// The command that runs a script.
pub fn browser(script: &str) -> anyhow::Result<Command> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("browser");
    ensure!(
        folder.join("node_modules/playwright-core").exists() && Path::new("/usr/bin/chromium").exists(),
        "the browser test needs Chromium and playwright-core: make setup-tests"
    );
    let mut node = Command::new("node");
    node.current_dir(folder).arg(script);
    Ok(node)
}

/// Where screenshots go: where somebody wants to look at them, or a folder that is thrown away.
pub fn screenshots(otherwise: &Path) -> PathBuf {
    std::env::var_os("CLEARLANE_SCREENSHOTS").map_or_else(|| otherwise.to_owned(), PathBuf::from)
}
