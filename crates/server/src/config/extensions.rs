//! `[relaymsg]`: what is there for programs more than for people.

use serde::Deserialize;

/// What types cannot say: section, key and sentence.
type Wrong = (&'static str, &'static str, String);

/// Characters that may separate the two halves of a relayed nickname: none that a nickname may have, and none that
/// means something in a mask, a target or a line.
const SEPARATORS: &str = "/~%=()";

/// `[relaymsg]`: bridges.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RelaymsgConfig {
    /// Whether messages may be relayed.
    pub enabled: bool,
    /// Characters one of which a relayed nickname holds.
    pub separators: String,
    /// Whether a room's operators may relay.
    pub chanops: bool,
}

impl Default for RelaymsgConfig {
    fn default() -> Self {
        RelaymsgConfig { enabled: true, separators: "/".to_owned(), chanops: true }
    }
}

impl RelaymsgConfig {
    /// The separators as clients are told of them; empty when nothing is relayed.
    pub(super) fn offered(&self) -> &str {
        if self.enabled { &self.separators } else { "" }
    }

    pub(super) fn check(&self) -> Result<(), Wrong> {
        let fits = !self.separators.is_empty() && self.separators.chars().all(|c| SEPARATORS.contains(c));
        if fits {
            return Ok(());
        }
        let what = format!("separators must be one or more of the characters {SEPARATORS}");
        Err(("relaymsg", "separators", what))
    }
}
