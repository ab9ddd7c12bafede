//! What is kept in the data folder of a certificate authority: the account there, what the certificate is for, and what
//! went wrong last (`acme.json`); and the certificate with its key (`acme.pem`). Both are for their owner only.

use std::io::{self, Write};
use std::path::Path;
use std::{fs, io::ErrorKind};

use serde::{Deserialize, Serialize};

use crate::config::AcmeConfig;
use crate::ends::times;

/// The certificate, those that lead to its issuer, and its key.
pub const CERTIFICATE: &str = "acme.pem";

const FILE: &str = "acme.json";

/// The last order that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// When.
    pub at_ms: u64,
    /// How many failed, one after the other.
    pub tries: u32,
    /// Why.
    pub why: String,
}

/// What is kept.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Kept {
    /// The authority's directory where the account is.
    #[serde(default)]
    pub(super) directory_url: String,
    /// The account with its key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) account: Option<serde_json::Value>,
    /// The names that the certificate is for.
    #[serde(default)]
    pub(super) domains: Vec<String>,
    /// The last order, if it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// From when and until when the certificate is good, in milliseconds since the Unix epoch.
    #[serde(skip)]
    pub(super) good: Option<(u64, u64)>,
}

impl Kept {
    /// What is kept in a data folder; nothing where it cannot be read: then it is ordered anew.
    pub fn read(folder: &Path) -> Kept {
        let mut kept = match fs::read(folder.join(FILE)) {
            Ok(text) => serde_json::from_slice::<Kept>(&text).unwrap_or_else(|error| {
                tracing::error!(%error, "{FILE} makes no sense: a new account is made with the authority");
                Kept::default()
            }),
            Err(error) => {
                if error.kind() != ErrorKind::NotFound {
                    tracing::error!(%error, "{FILE} cannot be read: a new account is made with the authority");
                }
                Kept::default()
            }
        };
        kept.good = times(&folder.join(CERTIFICATE)).ok();
        kept
    }

    /// When the certificate is to be renewed; none when there is none for these names from this authority.
    pub(super) fn renewal(&self, config: &AcmeConfig) -> Option<u64> {
        let (from, until) = self.good?;
        let same = self.domains == config.domains && self.directory_url == config.directory_url;
        same.then(|| until.saturating_sub(until.saturating_sub(from) / 3))
    }

    pub(super) fn write(&self, folder: &Path) -> io::Result<()> {
        let text = serde_json::to_vec_pretty(self).map_err(io::Error::other)?;
        replace(&folder.join(FILE), &text)
    }

    pub(super) fn write_certificate(&self, folder: &Path, pem: &str) -> io::Result<()> {
        replace(&folder.join(CERTIFICATE), pem.as_bytes())
    }
}

/// Writes a file for its owner only, whole or not at all.
fn replace(file: &Path, contents: &[u8]) -> io::Result<()> {
    let new = file.with_extension("new");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut out = options.open(&new)?;
    out.write_all(contents)?;
    out.sync_all()?;
    fs::rename(&new, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_renewed_when_a_third_of_its_life_is_left() {
        let config = AcmeConfig { domains: vec!["chat.example".to_owned()], ..AcmeConfig::default() };
        let mut kept = Kept { good: Some((1_000, 91_000)), ..Kept::default() };
        assert_eq!(kept.renewal(&config), None, "it is for other names");
        kept.domains.clone_from(&config.domains);
        kept.directory_url.clone_from(&config.directory_url);
        assert_eq!(kept.renewal(&config), Some(61_000));
        let other = AcmeConfig { directory_url: "https://other.example/".to_owned(), ..config };
        assert_eq!(kept.renewal(&other), None, "it is from another authority");
    }

    #[test]
    fn files_are_for_their_owner_and_nonsense_is_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let failure = Some(Failure { at_ms: 7, tries: 2, why: "no".to_owned() });
        Kept { failure: failure.clone(), ..Kept::default() }.write(folder.path()).unwrap();
        assert_eq!(Kept::read(folder.path()).failure, failure);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(folder.path().join(FILE)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        fs::write(folder.path().join(FILE), "Dear Ann").unwrap();
        assert_eq!(Kept::read(folder.path()).failure, None);
    }
}
