//! Hooks of a room: addresses where programs elsewhere say something in it (in), and addresses elsewhere that are told
//! what is said in it (out). Made, listed and removed by those who keep the room.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::ids::{Millis, Number};

/// Hooks of a room at once.
pub const HOOKS_MAX: usize = 20;

/// Bytes of the address that is told.
pub const URL_BYTES_MAX: usize = 400;

/// A hook.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Hook {
    /// What those who keep the room call it. Messages that come in by it are `name/hook`'s.
    pub name: Arc<str>,
    /// The nickname of who made it.
    pub by: Arc<str>,
    /// When.
    pub at_ms: Millis,
    /// Which way it goes.
    pub way: HookWay,
}

/// Which way a hook goes.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HookWay {
    /// Who knows the token says something in the room.
    In {
        /// The SHA-256 of the token.
        hash: Arc<str>,
    },
    /// What is said in the room is told to an address.
    Out {
        /// The address.
        url: Arc<str>,
        /// What the messages are signed with.
        key: Arc<str>,
        /// Messages after this one are told.
        after: Number,
    },
}

/// Shows no secret.
impl fmt::Debug for HookWay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            HookWay::In { .. } => "In(…)",
            HookWay::Out { .. } => "Out(…)",
        })
    }
}

/// What is done about the hooks of a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hooking {
    /// One is made.
    Made(Arc<Hook>),
    /// The one of this name is removed.
    Removed(Arc<str>),
}

/// Whether an address can be told something: `http` or `https`, a host, and no password in it.
pub fn is_address(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let host = rest.and_then(|rest| rest.split(['/', '?']).next()).unwrap_or("");
    url.len() <= URL_BYTES_MAX
        && url.bytes().all(|byte| byte.is_ascii_graphic())
        && !url.contains(['#', '"', '<', '>', '\\', '`', '{', '}', '|', '^'])
        && !host.is_empty()
        && !host.contains('@')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_of_the_web() {
        for good in ["https://example.org/hook", "http://127.0.0.1:8080/?a=b", "https://[::1]/"] {
            assert!(is_address(good), "{good}");
        }
        for bad in [
            "ftp://example.org/",
            "https://",
            "https:///x",
            "https://ann:secret@example.org/",
            "https://a/ b",
            "x",
        ] {
            assert!(!is_address(bad), "{bad}");
        }
        assert!(!is_address(&format!("https://example.org/{}", "x".repeat(URL_BYTES_MAX))));
    }

    #[test]
    fn secrets_are_never_shown() {
        let way = HookWay::Out { url: "https://a/b".into(), key: "sesame".into(), after: Number(0) };
        assert!(!format!("{way:?}").contains("sesame"));
    }
}
