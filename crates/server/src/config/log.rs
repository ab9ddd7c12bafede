//! `[log]`: where events are kept.

use serde::Deserialize;

/// `[log]`: where events are kept.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogConfig {
    /// The kind of log.
    pub kind: LogKind,
}

/// The kinds of log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogKind {
    /// One SQLite file in the data folder.
    #[default]
    Sqlite,
}
