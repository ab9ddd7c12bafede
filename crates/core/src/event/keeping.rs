//! Rooms that are somebody's, codes that lead into them, and people who are present without a session.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::ids::{Millis, RoomId, UserId};
use crate::roles::Role;

/// Whose a room is, what accounts are in it whenever they come, and by which codes people come in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keeping {
    /// The room is this account's, or nobody's any more.
    Founder(Option<Arc<str>>),
    /// An account has this role (its mode letter) whenever it comes, or none any more.
    Role {
        /// The account.
        account: Arc<str>,
        /// The letter.
        mode: Option<char>,
    },
    /// Whoever gives a code comes in.
    Invited {
        /// The invitation's number in the room.
        number: u32,
        /// The SHA-256 of the code, in lower-case hexadecimal.
        hash: Arc<str>,
        /// How often.
        uses: u32,
        /// Until when.
        until_ms: Millis,
        /// As many may make an account with it, where that takes an invitation.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        accounts: bool,
    },
    /// Somebody came by the invitation of this number.
    CameBy(u32),
    /// The invitation of this number was taken back.
    TakenBack(u32),
}

/// Somebody who stays without a session, as it is kept for the next start.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Presence {
    /// The node that brings the user back.
    pub home: u16,
    /// Nickname.
    pub nick: Arc<str>,
    /// User name.
    pub user: Arc<str>,
    /// Host.
    pub host: Arc<str>,
    /// "Real name".
    pub realname: Arc<str>,
    /// Rooms, and the letters of the roles there.
    pub rooms: Vec<(RoomId, String)>,
}

/// Somebody is back after a start.
#[derive(Clone, Debug, PartialEq)]
pub struct Returned {
    /// The user's number from now on.
    pub user: UserId,
    /// The account.
    pub account: Arc<str>,
    /// As it was kept.
    pub presence: Arc<Presence>,
}

impl Keeping {
    /// The role that an account gets.
    pub(crate) fn role(mode: Option<char>) -> Option<Role> {
        mode.and_then(Role::of_mode)
    }

    /// Whether it is about a code by which people come in: then it changes nothing of the room's rules.
    pub fn invites(&self) -> bool {
        matches!(self, Keeping::Invited { .. } | Keeping::CameBy(_) | Keeping::TakenBack(_))
    }
}
