//! What is handed on and not kept.

use std::sync::Arc;

use super::{Joins, SayKind, Status, Who};
use crate::ids::{RoomId, UserId};

/// A private message, or a tag message, to one user; or a passing one to a room (CTCP, TAGMSG).
#[derive(Clone, Debug, PartialEq)]
pub struct Passed {
    /// The sender.
    pub user: UserId,
    /// As everybody sees them.
    pub by: Arc<Who>,
    /// To whom.
    pub to: PassedTo,
    /// PRIVMSG or NOTICE; none for TAGMSG.
    pub kind: Option<SayKind>,
    /// The text; empty for TAGMSG.
    pub text: Arc<str>,
    /// For a message of several lines, see [`Joins`].
    pub joins: Joins,
    /// Client-only tags as sent, without the `@`.
    pub client_tags: Option<Arc<str>>,
}

/// The target of a passing message.
#[derive(Clone, Debug, PartialEq)]
pub enum PassedTo {
    /// One user.
    User {
        /// The user.
        user: UserId,
        /// The nickname, as it was when the message was decided.
        nick: Arc<str>,
    },
    /// Everybody in a room, or some of them.
    Room {
        /// The room.
        room: RoomId,
        /// The members it is for, if not for all.
        status: Option<Status>,
    },
}
