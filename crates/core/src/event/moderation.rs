//! Purges, messages whose time is over, and what server operators do: with who and why.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Who;
use crate::ids::{Millis, Number, RoomId, UserId};
use crate::numbers::Numbers;

/// A purge: many messages of a room hidden at once, brought back, or removed for good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Purged {
    /// Where.
    pub room: RoomId,
    /// The room's rules when it was decided (see [`super::Event`]).
    pub basis: u32,
    /// The purge's number in its room, from 1.
    pub purge: u32,
    /// The user who does it.
    pub user: UserId,
    /// The same as everybody saw them.
    pub by: Arc<Who>,
    /// What is done.
    pub what: Purging,
}

/// What is done by a purge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purging {
    /// Messages are hidden from everybody.
    Hidden {
        /// Whose: the pattern in its full form.
        whom: Arc<str>,
        /// Said since when.
        since_ms: Millis,
        /// Why, if a reason was given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Arc<str>>,
        /// Which.
        numbers: Numbers,
        /// The positions of those that everybody could read, where they are few: whoever saw them is told of each.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        positions: Vec<u64>,
        /// More messages of the same purge follow in another event.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        more: bool,
    },
    /// They can be read again.
    Undone,
    /// Their texts are removed from where they are kept. Nothing brings them back.
    Final,
}

/// The time of a room's messages is over: those up to here are gone for good. Of these events only the latest of each
/// room is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expired {
    /// The room.
    pub room: RoomId,
    /// The last message that is gone.
    pub upto: Number,
    /// Its position in the log.
    pub position: u64,
}

/// Something that a server operator did, for the records: it changes nothing in the chat by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatorActed {
    /// Who.
    pub by: Arc<Who>,
    /// The name given with OPER; none for who is no operator (yet).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<Arc<str>>,
    /// What.
    pub act: Act,
}

/// What a server operator did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// Somebody was put off the server.
    Killed {
        /// `nick!user@host` of whom.
        whom: Arc<str>,
        /// Why.
        reason: Arc<str>,
    },
    /// Somebody was given another host.
    HostGiven {
        /// `nick!user@host` of whom, until then.
        whom: Arc<str>,
        /// The host.
        host: Arc<str>,
    },
    /// The configuration was read again.
    Reread,
    /// They became a server operator.
    Opered,
    /// They tried to, with a wrong name or password.
    OperRefused {
        /// The name that they gave.
        name: Arc<str>,
    },
    /// An account was registered for somebody.
    AccountRegistered {
        /// Its name.
        account: Arc<str>,
    },
    /// Somebody's account was given another password.
    PasswordSet {
        /// Its name.
        account: Arc<str>,
    },
    /// What somebody said is removed for good, by whoever keeps it: up to this event.
    Erased {
        /// Whose: a pattern in its full form.
        whom: Arc<str>,
        /// Nothing that was said before.
        since_ms: Millis,
        /// Only what was said there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        room: Option<RoomId>,
        /// The name of that room then.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        place: Option<Arc<str>>,
    },
    /// Somebody's account was ended.
    AccountDropped {
        /// Its name.
        account: Arc<str>,
    },
    /// A code was made with which people make accounts.
    InvitationMade {
        /// How many.
        uses: u32,
        /// Until when.
        until_ms: Millis,
    },
    /// Such a code was taken back.
    InvitationTakenBack {
        /// Its name.
        name: Arc<str>,
    },
}
