//! SSH keys, as far as the chat knows them: a text that can be compared, and the fingerprint that people read.
//!
//! Whether somebody has the other half of a key is proved at the ssh door (RFC 4252, section 7), not here.

use std::fmt;
use std::sync::Arc;

use chinwag_wire::base64;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Bytes of a public key at most: RSA with 16,384 bits fits.
const BLOB_BYTES_MAX: usize = 2200;

/// Keys that may prove one account.
pub const KEYS_MAX: usize = 32;

/// The kinds of keys that are taken.
const ALGORITHMS: [&str; 7] = [
    "ssh-ed25519",
    "sk-ssh-ed25519@openssh.com",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "ssh-rsa",
];

/// A public key.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SshKey {
    /// Kind and key, as a line of `authorized_keys` begins: `ssh-ed25519 AAAA…`.
    #[serde(rename = "key")]
    public: Arc<str>,
    /// `SHA256:…`, as `ssh-keygen -l` shows it.
    #[serde(rename = "print")]
    fingerprint: Arc<str>,
}

impl SshKey {
    /// The key of a line as `authorized_keys` has them: kind, key in base64, and perhaps a comment, which is not
    /// kept. None for what is no key, or of a kind that is not taken.
    pub fn parse(line: &str) -> Option<SshKey> {
        let mut words = line.split_ascii_whitespace();
        let (algorithm, text) = (words.next()?, words.next()?);
        let blob = base64::decode(text).ok().filter(|blob| blob.len() <= BLOB_BYTES_MAX)?;
        let length = u32::try_from(algorithm.len()).ok()?.to_be_bytes();
        let named = blob.strip_prefix(&length)?.strip_prefix(algorithm.as_bytes())?;
        if named.is_empty() || !ALGORITHMS.contains(&algorithm) {
            return None;
        }
        let digest = base64::encode(&Sha256::digest(&blob));
        let fingerprint = format!("SHA256:{}", digest.trim_end_matches('='));
        Some(SshKey { public: format!("{algorithm} {text}").into(), fingerprint: fingerprint.into() })
    }

    /// Kind and key, as a line of `authorized_keys` begins.
    pub fn public(&self) -> &str {
        &self.public
    }

    /// `SHA256:…`, as `ssh-keygen -l` shows it.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }
}

/// A key is shown by its fingerprint.
impl fmt::Debug for SshKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SshKey({})", self.fingerprint)
    }
}

/// What somebody showed at the ssh door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The account that was proved there.
    pub account: Option<Arc<str>>,
    /// The key that was shown.
    pub key: Option<Arc<SshKey>>,
    /// Whether it was proved that the key is theirs, so that it may make an account of a free nickname.
    pub claims: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made with `ssh-keygen -t ed25519`; the fingerprint is what `ssh-keygen -l` shows.
    const LINE: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIL/RgLxZ+SUuKO/6sq4iwXNazRO+z+uRTLpL3bbh2Eb3 ann@home";

    #[test]
    fn keys_are_read_and_fingerprints_are_those_of_ssh_keygen() {
        let key = SshKey::parse(LINE).unwrap();
        assert_eq!(key.public(), LINE.rsplit_once(' ').unwrap().0);
        assert_eq!(key.fingerprint(), "SHA256:ktqvinxpkjv/6CDuvBH65iPUWM+LboBEDK2OCs797tQ");
        assert_eq!(format!("{key:?}"), "SshKey(SHA256:ktqvinxpkjv/6CDuvBH65iPUWM+LboBEDK2OCs797tQ)");
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let text = LINE.split(' ').nth(1).unwrap();
        for line in [
            "",
            "ssh-ed25519",
            "ssh-ed25519 %%%",
            "ssh-ed25519 AAAA",
            "ssh-dss AAAAB3NzaC1kc3MAAAAB",
            // Another kind than the key says of itself.
            &format!("ssh-rsa {text}"),
        ] {
            assert_eq!(SshKey::parse(line), None, "{line}");
        }
    }
}
