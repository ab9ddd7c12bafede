//! Conversations: the rooms of two people. What is said in them is kept as in any room; who may read them is decided
//! by who the two were, not by their nicknames.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Chat, Room, User};
use crate::event::{Direct, Who};
use crate::ids::{Millis, UserId};

/// One of the two.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Party {
    /// Whoever owns an account.
    Account {
        /// Its name.
        name: Arc<str>,
        /// When it was registered: whoever registers a name anew is somebody else.
        since_ms: Millis,
    },
    /// A guest, as long as they are here. Nobody else can be them, also not under the same nickname.
    Guest {
        /// The user.
        user: UserId,
        /// Their nickname then.
        nick: Arc<str>,
    },
}

impl Party {
    /// The name by which the other one knows them.
    pub fn name(&self) -> &Arc<str> {
        match self {
            Party::Account { name, .. } => name,
            Party::Guest { nick, .. } => nick,
        }
    }

    /// Whether it is an account.
    pub fn is_account(&self) -> bool {
        matches!(self, Party::Account { .. })
    }

    /// Whether something was said by them.
    pub fn said(&self, by: &Who) -> bool {
        match self {
            // Accounts have one spelling, that of their registration.
            Party::Account { name, .. } => by.account.as_ref() == Some(name),
            Party::Guest { .. } => by.account.is_none(),
        }
    }

    /// What tells them from everybody else. No room's name looks like this.
    pub(crate) fn key(&self) -> String {
        match self {
            Party::Account { name, since_ms } => format!("{name}@{since_ms}"),
            Party::Guest { user, .. } => format!("!{}", user.0),
        }
    }
}

/// The name of the room of two: nobody can ask for it, for there is a space in it.
pub fn name_of(between: &[Party; 2]) -> Arc<str> {
    let (one, other) = (between[0].key(), between[1].key());
    let (first, second) = if one <= other { (one, other) } else { (other, one) };
    format!("{first} {second}").into()
}

impl Chat {
    /// Who a user is in a conversation.
    pub fn party(&self, user: &User) -> Party {
        match user.who.account.as_deref().and_then(|account| self.account(account)) {
            Some(account) => Party::Account { name: Arc::clone(&account.name), since_ms: account.created_ms },
            None => Party::Guest { user: user.id, nick: Arc::clone(&user.who.nick) },
        }
    }

    /// Who is meant by a name: whoever has it as a nickname, or the owner of that account.
    pub fn party_named(&self, name: &str) -> Option<Party> {
        if let Some(user) = self.user_by_nick(name) {
            return Some(self.party(user));
        }
        let account = self.account(name).filter(|account| account.verified())?;
        Some(Party::Account { name: Arc::clone(&account.name), since_ms: account.created_ms })
    }

    /// The users who are one of the two, if they are here.
    pub(crate) fn users_of(&self, party: &Party) -> Vec<UserId> {
        match party {
            Party::Account { name, .. } => self.users.by_account(name).to_vec(),
            Party::Guest { user, .. } => self.user(*user).map(|user| user.id).into_iter().collect(),
        }
    }

    /// The users who are logged in to an account.
    pub(crate) fn users_of_account(&self, name: &str) -> &[UserId] {
        self.users.by_account(name)
    }

    /// The room of two, if anything was said in it.
    pub fn conversation(&self, one: &Party, other: &Party) -> Option<&Room> {
        self.rooms.by_name(&name_of(&[one.clone(), other.clone()]))
    }

    /// All conversations of somebody, with the other one of the two.
    pub fn conversations(&self, party: &Party) -> impl Iterator<Item = (&Room, &Party)> {
        let key = party.key();
        let rooms = self.rooms.of_party(&key).iter().filter_map(|room| self.rooms.get(*room));
        rooms.filter_map(move |room| {
            let [one, other] = &**room.between.as_ref()?;
            Some((room, if one.key() == key { other } else { one }))
        })
    }

    /// The conversation of a user that a name stands for: with whoever has the name now, or else the latest with a
    /// guest who had it.
    pub fn conversation_named(&self, viewer: &User, name: &str) -> Option<(&Room, Party)> {
        let me = self.party(viewer);
        if let Some(other) = self.party_named(name) {
            return self.conversation(&me, &other).map(|room| (room, other));
        }
        let guests = self
            .conversations(&me)
            .filter(|(_, other)| !other.is_account() && self.mapping.same(other.name(), name));
        guests.max_by_key(|(room, _)| (room.said_ms, room.id)).map(|(room, other)| (room, other.clone()))
    }

    /// How somebody is written as a target now: by their nickname, or the name they are known by when they are gone.
    pub fn shown_as(&self, party: &Party) -> Arc<str> {
        let users = self.users_of(party);
        let named = users.iter().filter_map(|user| self.user(*user)).map(|user| &user.who.nick);
        let own = named.clone().find(|nick| self.mapping.same(nick, party.name()));
        Arc::clone(own.or_else(|| named.clone().next()).unwrap_or_else(|| party.name()))
    }

    /// The room that a message is for.
    pub(super) fn place_of(
        &self,
        room: crate::ids::RoomId,
        direct: Option<&Direct>,
    ) -> Option<crate::ids::RoomId> {
        match direct {
            Some(direct) => self.rooms.by_name(&direct.between).map(|room| room.id),
            None => Some(room),
        }
    }
}
