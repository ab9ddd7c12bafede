//! The chat's state and the two doors to it: requests read it (`commands`), [`Chat::apply`] changes it.
//!
//! Every node that applies the same entries in the same order has the same state: `apply` reads no clock, no
//! randomness, no configuration and no hash order. What is stored never depends on who is present.

mod accounts;
mod apply;
mod apply_accounts;
mod apply_amended;
mod apply_messages;
mod apply_metadata;
mod apply_operators;
mod apply_profile;
mod apply_rooms;
mod apply_rules;
mod apply_users;
mod conversations;
mod counts;
mod expiry;
mod guards;
mod hash;
mod hooks;
mod invitations;
mod keeping;
mod links;
mod locks;
mod marks;
mod purges;
mod redecide;
mod room_modes;
mod rooms;
pub(crate) mod server_bans;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_accounts;
mod users;

pub use self::apply_amended::PINS_MAX;
pub(crate) use self::apply_amended::{excerpt, reply_tags, without_action};
pub(crate) use self::apply_rooms::{join_line, topic_lines};
pub(crate) use self::apply_rules::happened_line;
pub(crate) use self::apply_users::away_reply;
use std::collections::BTreeMap;

use chinwag_log::{Origin, Seq};
use chinwag_wire::casemap::CaseMapping;
use chinwag_wire::msgid::MsgIdKey;

pub use self::accounts::{Account, AccountKey, AccountSettings, Enforce, Verifiers};
pub use self::apply_profile::ACCEPTED_MAX;
pub use self::conversations::Party;
pub use self::conversations::name_of;
pub use self::counts::{Counts, Crowd};
pub use self::guards::Guards;
pub use self::invitations::{Invitation, ROOM_INVITATIONS_MAX};
pub use self::keeping::Kept;
pub use self::locks::Heard;
pub use self::marks::{Marks, Reading};
pub(crate) use self::purges::about;
pub use self::purges::{PURGES_MAX, Purge, Purges};
pub use self::room_modes::{ListEntry, Lists, RoomModes};
pub use self::rooms::{Member, Room, Topic};
pub use self::server_bans::{BanTarget, ServerBan};
pub use self::users::{Gone, User, UserModes};

use self::accounts::Accounts;
use self::rooms::Rooms;
use self::users::Users;
use crate::ids::{Millis, Number, RoomId, UserId};

/// Somebody who left by the entry applied last.
#[derive(Clone, Debug)]
struct Departed {
    user: UserId,
    /// The rooms they were in.
    rooms: Vec<RoomId>,
    /// Those of them where ordinary members did not know it.
    hidden: Vec<RoomId>,
}

/// Everything that is known: users, rooms, and who is where.
#[derive(Clone, Debug)]
pub struct Chat {
    key: MsgIdKey,
    mapping: CaseMapping,
    users: Users,
    rooms: Rooms,
    /// Who may not come in at all, in the order of setting.
    server_bans: Vec<ServerBan>,
    /// Rooms with entries of lists that end.
    ending: guards::Ending,
    accounts: Accounts,
    /// Codes with which a session joins an account.
    links: links::Links,
    invitations: invitations::Invitations,
    hooks: hooks::Hooks,
    /// Rooms in which messages are kept for a time of their own.
    keeping: u32,
    /// The last `n` applied, by origin: what comes again is skipped.
    applied: BTreeMap<Origin, u64>,
    /// The position of the last stored entry that was applied, as far as replay applies any.
    seq: Seq,
    /// Who left by the entry applied last, in the order of their numbers.
    departed: Vec<Departed>,
    /// When each node started last.
    started_ms: BTreeMap<u16, Millis>,
}

impl Chat {
    /// A chat in which nothing has happened. `key` makes the msgids; it is the same on every node.
    pub fn new(key: MsgIdKey) -> Chat {
        Chat {
            key,
            mapping: CaseMapping::default(),
            users: Users::default(),
            rooms: Rooms::default(),
            server_bans: Vec::new(),
            ending: guards::Ending::new(),
            accounts: Accounts::default(),
            links: links::Links::default(),
            invitations: invitations::Invitations::default(),
            hooks: hooks::Hooks::new(),
            keeping: 0,
            applied: BTreeMap::new(),
            seq: Seq(0),
            departed: Vec::new(),
            started_ms: BTreeMap::new(),
        }
    }

    /// The same with another case mapping. Before anything is applied, and the same whenever the same log is
    /// applied.
    #[must_use]
    pub fn with_mapping(mut self, mapping: CaseMapping) -> Chat {
        self.mapping = mapping;
        self.users.compare_by(mapping);
        self.rooms.compare_by(mapping);
        self.accounts.compare_by(mapping);
        self
    }

    /// Which names are the same.
    pub fn mapping(&self) -> CaseMapping {
        self.mapping
    }

    /// An account whose name people might take for this one.
    pub fn account_lookalike(&self, name: &str) -> Option<&Account> {
        self.accounts.lookalike(name)
    }

    /// Somebody present whose nickname people might take for this one, `except` left out.
    pub fn lookalike(&self, nick: &str, except: Option<UserId>) -> Option<&User> {
        self.users.lookalike(nick, except)
    }

    /// The key that makes the msgids.
    pub fn msgid_key(&self) -> &MsgIdKey {
        &self.key
    }

    /// The position of the last stored entry that was applied. Replay leaves messages out: after a restart there
    /// may be some behind it, until the first entry comes.
    pub fn position(&self) -> Seq {
        self.seq
    }

    /// A user who is present.
    pub fn user(&self, user: UserId) -> Option<&User> {
        self.users.get(user)
    }

    /// A user who is present, by nickname (folded here).
    pub fn user_by_nick(&self, nick: &str) -> Option<&User> {
        self.users.by_nick(nick)
    }

    /// Who had a nickname before and has it no more, the latest first.
    pub fn whowas<'a>(&'a self, nick: &'a str) -> impl Iterator<Item = &'a Gone> {
        self.users.gone().filter(move |gone| self.mapping.same(&gone.who.nick, nick))
    }

    /// When the node by which a user comes in started; 0 before it has.
    pub fn started_ms(&self, user: UserId) -> Millis {
        self.started_ms.get(&user.origin()).copied().unwrap_or_default()
    }

    /// Everybody who is present, in the order of their numbers.
    pub fn users(&self) -> impl ExactSizeIterator<Item = &User> {
        self.users.iter()
    }

    /// An account, by name (folded here).
    pub fn account(&self, name: &str) -> Option<&Account> {
        self.accounts.get(name)
    }

    /// The accounts that own the server, in the order of their names.
    pub fn owners(&self) -> impl Iterator<Item = &Account> {
        let mut owners: Vec<&Account> = self.accounts.owners().collect();
        owners.sort_by(|one, other| one.name.cmp(&other.name));
        owners.into_iter()
    }

    /// The account that a certificate proves, by its SHA-256 fingerprint in lower-case hexadecimal.
    pub fn account_by_certificate(&self, fingerprint: &str) -> Option<&Account> {
        self.accounts.by_certificate(fingerprint)
    }

    /// The account that a token is of, and the token, by the token's hash.
    pub fn token(&self, hash: &str) -> Option<(&Account, &std::sync::Arc<crate::tokens::Token>)> {
        self.accounts.by_token(hash)
    }

    /// The account that a session joins with a code of `LINK`, if it is good at this time.
    pub fn account_by_link(&self, code: &str, now_ms: Millis) -> Option<&Account> {
        self.account(self.links.find(now_ms, code)?)
    }

    /// All accounts, in the order of their folded names.
    pub fn accounts(&self) -> impl ExactSizeIterator<Item = &Account> {
        self.accounts.iter()
    }

    /// The members of a room, in the order of their numbers, and who they are.
    pub fn members<'a>(&'a self, room: &'a Room) -> impl Iterator<Item = (&'a Member, &'a User)> {
        let mut walk = self.users.walk(&room.members);
        room.members.iter().filter_map(move |member| Some((member, walk(member.user)?)))
    }

    /// The rooms a user is in, or was in when the entry applied last made the user leave: those whose members
    /// are the user's neighbours.
    pub fn rooms_of(&self, user: UserId) -> &[RoomId] {
        if let Some(user) = self.users.get(user) {
            return &user.rooms;
        }
        self.departed(user).map_or(&[], |departed| &departed.rooms)
    }

    /// Whether ordinary members of a room may not know that a user is in it, or was in it when the entry applied last
    /// made the user leave.
    pub fn hides(&self, room: RoomId, user: UserId) -> bool {
        let Some(found) = self.rooms.get(room).filter(|room| room.modes.auditorium) else { return false };
        match found.member(user) {
            Some(member) => !found.shows(member),
            None => self.departed(user).is_some_and(|departed| departed.hidden.contains(&room)),
        }
    }

    fn departed(&self, user: UserId) -> Option<&Departed> {
        let place = self.departed.binary_search_by_key(&user, |departed| departed.user);
        place.ok().map(|at| &self.departed[at])
    }

    /// How many are present.
    pub fn counts(&self) -> &Counts {
        self.users.counts()
    }

    /// Whether somebody with a session is logged in to an account.
    pub fn is_here(&self, account: &str) -> bool {
        let users = self.users.by_account(account).iter().filter_map(|user| self.users.get(*user));
        users.map(|user| user.sessions).sum::<u32>() > 0
    }

    /// A room.
    pub fn room(&self, room: RoomId) -> Option<&Room> {
        self.rooms.get(room)
    }

    /// A room, by name (folded here).
    pub fn room_by_name(&self, name: &str) -> Option<&Room> {
        self.rooms.by_name(name)
    }

    /// All rooms, in the order in which they were opened.
    pub fn rooms(&self) -> std::slice::Iter<'_, Room> {
        self.rooms.iter()
    }

    /// The rooms where somebody is, and the server's own, in the order in which they were opened. They are found
    /// without a look at the others.
    pub fn rooms_alive(&self) -> impl ExactSizeIterator<Item = &Room> {
        self.rooms.alive()
    }

    /// How many rooms were ever opened; the next one opened gets the number above.
    pub fn rooms_opened(&self) -> u32 {
        self.rooms.opened()
    }

    /// The number of the last message of a room; 0 for an unknown room.
    pub fn head(&self, room: RoomId) -> Number {
        self.rooms.get(room).map_or(Number(0), |room| room.head)
    }

    /// Whether a user sees another in some room where both are.
    pub fn share_a_room(&self, one: &User, other: &User) -> bool {
        let shared = one.rooms.iter().filter(|room| other.rooms.contains(room));
        shared.filter_map(|room| self.rooms.get(*room)).any(|room| room.shows_to(one.id, other.id))
    }

    /// Restores what replay leaves out: the messages of a room up to number `head`, the last of them said at
    /// `at_ms`.
    pub fn set_head(&mut self, room: RoomId, head: Number, at_ms: Millis) {
        if let Some(room) = self.rooms.get_mut(room) {
            room.head = room.head.max(head);
            room.stamp(at_ms);
            room.said_ms = room.said_ms.max(at_ms);
        }
    }
}
