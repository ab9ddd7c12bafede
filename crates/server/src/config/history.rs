//! `[history]`: what may be read again.

use serde::Deserialize;

use super::KeepConfig;

/// `[history]`: what may be read again.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HistoryConfig {
    /// Whether history may be asked for.
    pub enabled: bool,
    /// Whether that of rooms may.
    pub channel_messages: bool,
    /// Whether what is said between two people is kept.
    pub direct_messages: bool,
    /// How long messages are kept.
    pub keep: KeepConfig,
    /// Which tags without a text are kept.
    pub store_tagmsg: TagmsgConfig,
    /// Messages of one answer.
    pub query_max: u32,
    /// Messages that `*playback` gives at once.
    pub znc_playback_max: u32,
    /// Messages shown on entering a room to whoever cannot ask for them.
    pub on_join: u32,
    /// Whether messages may be deleted.
    pub allow_redact: bool,
}

/// `store_tagmsg`: all, none, or those with one of these tags.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum TagmsgConfig {
    /// All but typing notifications, or none.
    All(bool),
    /// Those with one of these tags, named with their `+`.
    With(Vec<String>),
}

impl Default for HistoryConfig {
    fn default() -> Self {
        HistoryConfig {
            enabled: true,
            channel_messages: true,
            direct_messages: true,
            keep: KeepConfig::default(),
            store_tagmsg: TagmsgConfig::With(vec!["+draft/persist".to_owned(), "+persist".to_owned()]),
            query_max: 100,
            znc_playback_max: 2048,
            on_join: 20,
            allow_redact: true,
        }
    }
}
