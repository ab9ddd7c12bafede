//! What happens to messages after they were said.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Status, Who};
use crate::ids::{Number, RoomId, UserId};

/// Something that happened to a message after it was said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Amended {
    /// The message's room.
    pub room: RoomId,
    /// The room's rules when it was decided (see [`super::Event`]).
    pub basis: u32,
    /// The message's number.
    pub number: Number,
    /// The message's position in the log, which its msgid is made of.
    pub position: u64,
    /// The nickname of who said it.
    pub of: Arc<str>,
    /// Whether it is the own message of who does this.
    pub own: bool,
    /// Roles that the message was addressed to, if only to those.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// The user who does this.
    pub user: UserId,
    /// The same as everybody saw them.
    pub by: Arc<Who>,
    /// What is done.
    pub what: Amendment,
    /// The beginning of the message, for those who are told in words. Never kept: it would outlive the message.
    #[serde(skip)]
    pub excerpt: Option<Arc<str>>,
    /// Client-only tags with which it was sent, if it came as a TAGMSG.
    #[serde(skip)]
    pub tags: Option<Arc<str>>,
}

/// What is done to a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Amendment {
    /// It reads like this from now on.
    Edited {
        /// The new text.
        text: Arc<str>,
    },
    /// It is taken back: its texts are removed from where they are kept.
    Redacted {
        /// Why, if a reason was given.
        reason: Option<Arc<str>>,
    },
    /// Somebody's reaction to it.
    Reacted {
        /// A sign, or a word.
        reaction: Arc<str>,
        /// Whether the reaction is there from now on, or taken back.
        set: bool,
    },
    /// It is one of those that the room points out to everybody.
    Pinned {
        /// Whether it is from now on, or no longer.
        set: bool,
    },
}
