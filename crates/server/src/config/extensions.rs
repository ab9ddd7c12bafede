//! `[metadata]`, `[relaymsg]` and `[roleplay]`: what other servers have beyond the standard.

use chinwag_core::settings::{MetadataRules, RoleplayRules};
use serde::Deserialize;

/// What types cannot say: section, key and sentence.
type Wrong = (&'static str, &'static str, String);

/// Characters that may separate the two halves of a relayed nickname: none that a nickname may have, and none that
/// means something in a mask, a target or a line.
const SEPARATORS: &str = "/~%=()";

/// `[metadata]`: what people and rooms say of themselves to programs.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MetadataConfig {
    /// Whether they may at all.
    pub enabled: bool,
    /// Whether already before registration.
    pub before_connect: bool,
    /// Keys that a session may subscribe to.
    pub max_subs: usize,
    /// Keys that a user or room may have.
    pub max_keys: usize,
    /// Bytes of a value.
    pub max_value_bytes: usize,
}

impl Default for MetadataConfig {
    fn default() -> Self {
        let MetadataRules { enabled, before_connect, max_subs, max_keys, max_value_bytes } =
            MetadataRules::default();
        MetadataConfig { enabled, before_connect, max_subs, max_keys, max_value_bytes }
    }
}

impl MetadataConfig {
    /// What the chat is told.
    pub(super) fn rules(&self) -> MetadataRules {
        let Self { enabled, before_connect, max_subs, max_keys, max_value_bytes } = *self;
        MetadataRules { enabled, before_connect, max_subs, max_keys, max_value_bytes }
    }

    pub(super) fn check(&self) -> Result<(), Wrong> {
        let ranges = [
            ("max_subs", self.max_subs, 1, 1_000),
            ("max_keys", self.max_keys, 1, 1_000),
            ("max_value_bytes", self.max_value_bytes, 1, 300),
        ];
        for (key, value, least, most) in ranges {
            if !(least..=most).contains(&value) {
                return Err(("metadata", key, format!("{key} = {value} must be from {least} to {most}")));
            }
        }
        Ok(())
    }
}

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

/// `[roleplay]`: speaking as somebody made up.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RoleplayConfig {
    /// Whether people may, in rooms with mode `E`.
    pub enabled: bool,
    /// Only the room's operators may.
    pub require_chanops: bool,
    /// Behind the text stands who says it.
    pub add_suffix: bool,
}

impl Default for RoleplayConfig {
    fn default() -> Self {
        let RoleplayRules { enabled, operators_only, add_suffix } = RoleplayRules::default();
        RoleplayConfig { enabled, require_chanops: operators_only, add_suffix }
    }
}

impl RoleplayConfig {
    /// What the chat is told.
    pub(super) fn rules(&self) -> RoleplayRules {
        let Self { enabled, require_chanops, add_suffix } = *self;
        RoleplayRules { enabled, operators_only: require_chanops, add_suffix }
    }
}
