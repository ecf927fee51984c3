//! The edge's signing key on disk: 64 hexadecimal digits in a file that only its owner can read. Central has the same,
//! in its own room: `clearance`, which both share, does no input and output.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use clearance::ids::Digest;
use clearance::wire::{PublicKey, Signer};

/// Why a key cannot be used or made.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// It cannot be read or written.
    #[error("{}: {source}; `edge keygen --out FILE` makes a signing key, and never over an old one", path.display())]
    Io {
        /// Its path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Others than its owner can read it.
    #[error("{}: others can read this signing key; chmod 600 it", .0.display())]
    Open(PathBuf),
    /// It holds something else.
    #[error("{}: not a signing key (64 hexadecimal digits)", .0.display())]
    Form(PathBuf),
}

/// Make a new key; refuses to overwrite one. Gives the public half.
pub fn generate(path: &Path) -> Result<PublicKey, KeyFileError> {
    let secret: [u8; 32] = rand::random();
    let write = || -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        writeln!(file, "{}", Digest(secret))?;
        file.sync_all()
    };
    write().map_err(|source| KeyFileError::Io { path: path.to_owned(), source })?;
    Ok(Signer::from_secret(&secret).public())
}

/// Read a key.
pub fn load(path: &Path) -> Result<Signer, KeyFileError> {
    let io = |source| KeyFileError::Io { path: path.to_owned(), source };
    if std::fs::metadata(path).map_err(io)?.permissions().mode() & 0o077 != 0 {
        return Err(KeyFileError::Open(path.to_owned()));
    }
    let text = std::fs::read_to_string(path).map_err(io)?;
    let Digest(secret) = text.trim().parse().map_err(|_| KeyFileError::Form(path.to_owned()))?;
    Ok(Signer::from_secret(&secret))
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;

    use super::*;

    #[test]
    fn a_key_comes_back_is_never_overwritten_and_is_refused_when_others_can_read_it() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("edge.key");
        let public = generate(&path).unwrap();
        assert_eq!(load(&path).unwrap().public(), public);
        assert!(matches!(generate(&path), Err(KeyFileError::Io { .. })));
        std::fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(load(&path), Err(KeyFileError::Open(_))));
        std::fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        std::fs::write(&path, "not a key").unwrap();
        assert!(matches!(load(&path), Err(KeyFileError::Form(_))));
    }
}
