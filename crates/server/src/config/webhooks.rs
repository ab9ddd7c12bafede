//! `[webhooks]`: what is said in rooms, told to addresses elsewhere.

use serde::Deserialize;

/// `[webhooks]`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebhooksConfig {
    /// Whether addresses that rooms name (`HOOK OUT`) are told anything.
    pub enabled: bool,
    /// Whether they may be addresses of this machine and of private networks.
    pub allow_private: bool,
}

impl Default for WebhooksConfig {
    fn default() -> Self {
        WebhooksConfig { enabled: true, allow_private: false }
    }
}
