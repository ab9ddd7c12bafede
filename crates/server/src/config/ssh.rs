//! `[ssh]`: the terminal client over SSH.

use serde::Deserialize;

/// `[ssh]`: the terminal client over SSH.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SshConfig {
    /// Whether that door is open.
    pub enabled: bool,
    /// The file of the server's key; empty for one in the data folder.
    pub host_key: String,
}

impl Default for SshConfig {
    fn default() -> Self {
        SshConfig { enabled: true, host_key: String::new() }
    }
}
