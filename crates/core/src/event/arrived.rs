//! How users come in.

use std::sync::Arc;

use super::Who;
use crate::chat::UserModes;
use crate::ids::{SessionKey, UserId};
use crate::metadata::Metadata;

/// From where a user came in, beside what everybody sees.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CameFrom {
    /// The address, as a word of an IRC line. The host that everybody sees may be a name, or hide it.
    pub address: Arc<str>,
    /// Nobody can read on the way (TLS, this very machine).
    pub secure: bool,
}

/// How a user came in.
#[derive(Clone, Debug, PartialEq)]
pub struct Arrived {
    /// The new user's number.
    pub user: UserId,
    /// As everybody sees them.
    pub who: Arc<Who>,
    /// "Real name".
    pub realname: Arc<str>,
    /// The user modes to begin with.
    pub modes: UserModes,
    /// The door, for WHOIS (`plain`, `irc` …).
    pub door: &'static str,
    /// From where.
    pub from: CameFrom,
    /// The user's first session.
    pub session: SessionKey,
    /// What it says of being away, if it is (`AWAY` before registration).
    pub away: Option<Arc<str>>,
    /// What a guest said of themselves before (`METADATA` before registration).
    pub metadata: Metadata,
}
