//! `server.announce`: whether the local network is told that there is a server.

use serde::Deserialize;

/// Who is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Announce {
    /// Nobody.
    Off,
    /// Networks where the server listens on a private or link-local address.
    #[default]
    Private,
}
