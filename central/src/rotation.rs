//! Replacing the key that signs what goes to the lanes.
//!
//! The new key is on the disk before the database knows of it, and takes the old one's place after: whatever stops this half-way,
//! central finds at its next start which of the two the database has handed over to, and finishes.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use clearance::wire::PublicKey;

use crate::clock::Clock;
use crate::config::Config;
use crate::storage::Store;
use crate::{keys, open_store};

/// Make a new key, have the present one sign it over, and put it in its place; gives the new public key.
pub async fn rotate(config: &Config, clock: &Clock) -> anyhow::Result<PublicKey> {
    let store = open_signed(config).await?;
    let (fresh, retired) = (beside(&config.key_file, "next"), store.signer().id());
    if fresh.exists() {
        // Of an earlier attempt that stopped before the database knew of it: nobody has ever heard of that key.
        std::fs::remove_file(&fresh).with_context(|| fresh.display().to_string())?;
    }
    let public = keys::generate(&fresh)?;
    store.rotate_key(public, clock.now()).await?;
    replace(&config.key_file, &fresh, &retired.to_string())?;
    Ok(public)
}

/// Open the database with the key that it was last handed over to, finishing a rotation that was stopped half-way.
pub async fn open_signed(config: &Config) -> anyhow::Result<Store> {
    let signer = keys::load(&config.key_file)?;
    let (ours, id) = (signer.public(), signer.id());
    let store = open_store(config, Arc::new(signer)).await?;
    let Some(wanted) = store.handed_over_to().await? else { return Ok(store) };
    if wanted == ours {
        return Ok(store);
    }
    let fresh = beside(&config.key_file, "next");
    if fresh.exists() && keys::load(&fresh)?.public() == wanted {
        tracing::warn!(path = %fresh.display(), "finishing a rotation of the signing key that was stopped");
        replace(&config.key_file, &fresh, &id.to_string())?;
        return open_store(config, Arc::new(keys::load(&config.key_file)?)).await;
    }
    bail!(
        "{}: this is key {ours}, but the database was handed over to key {wanted}, and lanes believe no other; put that key's file there",
        config.key_file.display()
    )
}

fn replace(key_file: &Path, fresh: &Path, retired: &str) -> anyhow::Result<()> {
    let old = beside(key_file, &format!("retired-{retired}"));
    // A second name for the old key first: at no moment is there none under the configured name.
    let kept = if old.exists() { Ok(()) } else { std::fs::hard_link(key_file, &old) };
    kept.and_then(|()| std::fs::rename(fresh, key_file))
        .with_context(|| format!("{}: put {} there by hand", key_file.display(), fresh.display()))?;
    let folder = key_file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::File::open(folder)?.sync_all()?;
    Ok(())
}

fn beside(path: &Path, what: &str) -> PathBuf {
    path.with_added_extension(what)
}
