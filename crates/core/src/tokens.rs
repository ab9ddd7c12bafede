//! Tokens: what programs show instead of a password. Each is of an account, has a name that its owner chose, and may do
//! what its scopes say. The token itself is drawn at random, shown once, and kept nowhere: only its hash is stored.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::ids::Millis;

/// Tokens of an account at once.
pub const TOKENS_MAX: usize = 50;

/// Bytes of a token's name, and of the name of a bot.
pub const NAME_BYTES_MAX: usize = 32;

/// What a token may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Reading what its account may read.
    Read,
    /// Saying something in rooms.
    Write,
    /// Seeing all accounts; for server operators.
    Accounts,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Scope; 3] = [Scope::Read, Scope::Write, Scope::Accounts];

    /// What a token may do if nothing else is said.
    pub const USUAL: [Scope; 2] = [Scope::Read, Scope::Write];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Scope::Read => "read",
            Scope::Write => "write",
            Scope::Accounts => "accounts",
        }
    }

    /// The scopes of a list of names with commas between them; none when one of them is no scope.
    pub fn list(names: &str) -> Option<BTreeSet<Scope>> {
        names
            .split(',')
            .map(|name| Scope::ALL.into_iter().find(|scope| scope.name().eq_ignore_ascii_case(name)))
            .collect()
    }
}

/// A token, as it is kept.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Token {
    /// The SHA-256 of the token, in lower-case hexadecimal: tokens cannot be guessed, so that nothing slower is needed.
    pub hash: Arc<str>,
    /// How its owner calls it.
    pub name: Arc<str>,
    /// What it may do.
    pub scopes: BTreeSet<Scope>,
    /// The bot that speaks with it, if it is not the owner who does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bot: Option<Arc<str>>,
    /// The `[[oper]]` as which its owner made it, where a scope is for server operators.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<Arc<str>>,
    /// When it was made.
    pub at_ms: Millis,
}

/// Shows no hash.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("name", &self.name)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}

impl Token {
    /// The names of its scopes, with commas between them.
    pub fn scope_names(&self) -> String {
        let names: Vec<&str> = self.scopes.iter().map(|scope| scope.name()).collect();
        names.join(",")
    }
}

/// The SHA-256 of a secret that was drawn at random, in lower-case hexadecimal.
pub fn hashed(secret: &str) -> Arc<str> {
    let bytes = Sha256::digest(secret.as_bytes());
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into()
}

/// Whether a token, a hook or a bot may have this name: letters, digits, `-` and `_`.
pub fn is_name(name: &str) -> bool {
    (1..=NAME_BYTES_MAX).contains(&name.len())
        && name.chars().all(|sign| sign.is_alphanumeric() || matches!(sign, '-' | '_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_sha256() {
        // FIPS 180-2, appendix B.1.
        let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(*hashed("abc"), *known);
    }

    #[test]
    fn scopes_are_read_by_name() {
        assert_eq!(Scope::list("write,READ"), Some([Scope::Read, Scope::Write].into()));
        assert_eq!(Scope::list("read,everything"), None);
        assert_eq!(Scope::list(""), None);
    }

    #[test]
    fn names_are_words() {
        assert!(is_name("ci") && is_name("my-script_2") && is_name("größe"));
        assert!(!is_name("") && !is_name("a b") && !is_name("a/b") && !is_name(&"x".repeat(33)));
    }
}
