//! The key by which people recognize the server: made once, kept in a file that only its owner reads.

use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use russh::keys::ssh_key::LineEnding;
use russh::keys::ssh_key::private::Ed25519Keypair;
use russh::keys::{HashAlg, PrivateKey, load_secret_key};

/// The private key of the server.
pub struct HostKey(pub(crate) PrivateKey);

/// Why there is no host key. The text is one sentence that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum HostKeyError {
    /// It cannot be read.
    #[error("cannot read the ssh host key {}: {why}; set host_key in [ssh] to another one, or [ssh] enabled = false", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// It cannot be made or kept.
    #[error("cannot make an ssh host key in {}: {why}; set host_key in [ssh] to another file, or [ssh] enabled = false", .path.display())]
    Make {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
}

impl HostKey {
    /// Reads the key of a file as `ssh-keygen` makes it, without a passphrase; makes an ed25519 key, mode 0600, when
    /// there is no such file.
    ///
    /// # Errors
    /// [`HostKeyError`].
    pub fn read_or_make(path: &Path) -> Result<HostKey, HostKeyError> {
        if !path.exists() {
            let made = |why: String| HostKeyError::Make { path: path.to_owned(), why };
            make(path).map_err(made)?;
        }
        let read =
            |why: &dyn fmt::Display| HostKeyError::Read { path: path.to_owned(), why: why.to_string() };
        load_secret_key(path, None).map(HostKey).map_err(|error| read(&error))
    }

    /// `SHA256:…`, as `ssh` shows it at the first connection.
    pub fn fingerprint(&self) -> String {
        self.0.public_key().fingerprint(HashAlg::Sha256).to_string()
    }
}

/// Shows the fingerprint, and never the key.
impl fmt::Debug for HostKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HostKey({})", self.fingerprint())
    }
}

/// Writes a new key beside its place, then moves it there: a key is whole or not there.
fn make(path: &Path) -> Result<(), String> {
    let mut seed = [0; 32];
    aws_lc_rs::rand::fill(&mut seed).map_err(|error| error.to_string())?;
    let key = PrivateKey::from(Ed25519Keypair::from_seed(&seed));
    let text = key.to_openssh(LineEnding::LF).map_err(|error| error.to_string())?;
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let write = || -> io::Result<()> {
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&beside, path)
    };
    write().map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_key_is_made_once_for_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("host.key");
        let made = HostKey::read_or_make(&path).unwrap();
        assert!(made.fingerprint().starts_with("SHA256:"));
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(HostKey::read_or_make(&path).unwrap().fingerprint(), made.fingerprint());
        assert_eq!(format!("{made:?}"), format!("HostKey({})", made.fingerprint()));
    }

    #[test]
    fn what_is_no_key_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("host.key");
        std::fs::write(&path, "no key").unwrap();
        let error = HostKey::read_or_make(&path).unwrap_err().to_string();
        assert!(error.contains("host.key") && error.contains("[ssh]"), "{error}");
        let nowhere = folder.path().join("none/host.key");
        assert!(HostKey::read_or_make(&nowhere).unwrap_err().to_string().contains("cannot make"));
    }
}
