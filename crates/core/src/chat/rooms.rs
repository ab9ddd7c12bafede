//! Rooms: what is stored of them (modes, bans, topic, head) and who is in them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chinwag_wire::casemap::CaseMapping;
use chinwag_wire::names::Folded;

use super::conversations::{Party, name_of};
use super::guards::Guards;
use super::invitations::Invitation;
use super::keeping::Kept;
use super::purges::Purges;
use super::room_modes::{Lists, RoomModes};
use crate::hooks::Hook;
use crate::ids::{Millis, Number, RoomId, UserId};
use crate::metadata::Metadata;
use crate::permissions::{Action, may};
use crate::roles::{Role, Roles};

/// A member of a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub user: UserId,
    /// What they may do.
    pub roles: Roles,
}

impl Member {
    /// The signs of the member's roles, highest first: all of them, or the highest alone.
    pub fn prefix(self, all: bool) -> &'static str {
        self.roles.signs(all)
    }
}

/// The topic of a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    /// The topic.
    pub text: Arc<str>,
    /// The nickname of who set it.
    pub by: Arc<str>,
    /// When.
    pub at_ms: Millis,
}

/// A room.
#[derive(Clone, Debug)]
pub struct Room {
    /// Its number.
    pub id: RoomId,
    /// Its name, as its opener typed it.
    pub name: Arc<str>,
    /// When it was opened.
    pub opened_ms: Millis,
    /// The topic, if there is one.
    pub topic: Option<Topic>,
    /// What it says of itself to programs.
    pub metadata: Metadata,
    /// Its modes.
    pub modes: RoomModes,
    /// Who is in it, in the order of the users' numbers.
    pub members: Vec<Member>,
    /// Its lists.
    pub lists: Lists,
    /// Who was invited and has not come in yet, in the order of the users' numbers.
    pub invites: Vec<UserId>,
    /// How often its rules changed; see [`crate::event::Event`].
    pub rules: u32,
    /// The number of the last message.
    pub head: Number,
    /// The latest time shown in it.
    pub last_ms: Millis,
    /// The time of the last message.
    pub said_ms: Millis,
    /// The first message that may still be shown.
    pub history_from: Number,
    /// Seconds for which messages are kept; none for as long as the server keeps them.
    pub keep_s: Option<u32>,
    /// Every member may read who did what to keep the room.
    pub open_records: bool,
    /// The last message whose time is over: up to it there is none any more.
    pub expired: Number,
    /// Whose it is.
    pub kept: Kept,
    /// How it is guarded for a while.
    pub guards: Guards,
    /// For a conversation: whose.
    pub between: Option<Arc<[Party; 2]>>,
    /// The numbers of the messages that were taken back.
    pub redacted: BTreeSet<Number>,
    /// What was purged.
    pub purges: Purges,
    /// The numbers of the pinned messages, in the order in which they were pinned.
    pub pins: Vec<Number>,
    /// Its hooks, in the order of making.
    pub hooks: Vec<Arc<Hook>>,
    /// The codes that lead into it, in the order of making.
    pub invitations: Vec<Invitation>,
    /// How many codes ever led into it.
    pub invitations_made: u32,
    /// The server's own room: coming in first makes nobody its operator.
    pub common: bool,
}

impl Room {
    /// The member that a user is in this room.
    pub fn member(&self, user: UserId) -> Option<&Member> {
        self.place(user).ok().map(|at| &self.members[at])
    }

    pub(crate) fn member_mut(&mut self, user: UserId) -> Option<&mut Member> {
        self.place(user).ok().map(|at| &mut self.members[at])
    }

    /// The roles of a user in this room; none for whoever is not in it.
    pub fn roles(&self, user: UserId) -> Roles {
        self.member(user).map_or(Roles::NONE, |member| member.roles)
    }

    /// Whether a user is a member with at least the operator's role.
    pub fn is_op(&self, user: UserId) -> bool {
        self.roles(user).at_least(Role::Operator)
    }

    /// Whether a user may do something here that not every member may.
    pub fn may(&self, user: UserId, action: Action) -> bool {
        may(self.roles(user), action)
    }

    /// A time at which something happens in the room: never before what was shown last.
    pub(crate) fn shown_at(&self, at_ms: Millis) -> Millis {
        self.last_ms.max(at_ms)
    }

    /// The same, and nothing later in the room will be shown with an earlier time.
    pub(crate) fn stamp(&mut self, at_ms: Millis) -> Millis {
        self.last_ms = self.last_ms.max(at_ms);
        self.last_ms
    }

    pub(crate) fn enter(&mut self, member: Member) {
        if let Err(at) = self.place(member.user) {
            self.members.insert(at, member);
        }
        if let Ok(at) = self.invites.binary_search(&member.user) {
            self.invites.remove(at);
        }
    }

    pub(crate) fn leave(&mut self, user: UserId) {
        if let Ok(at) = self.place(user) {
            self.members.remove(at);
        }
    }

    pub(crate) fn invite(&mut self, user: UserId) {
        if let Err(at) = self.invites.binary_search(&user) {
            self.invites.insert(at, user);
        }
    }

    pub(crate) fn uninvite(&mut self, user: UserId) {
        if let Ok(at) = self.invites.binary_search(&user) {
            self.invites.remove(at);
        }
    }

    fn place(&self, user: UserId) -> Result<usize, usize> {
        self.members.binary_search_by_key(&user, |member| member.user)
    }
}

/// All rooms that were ever opened.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rooms {
    list: Vec<Room>,
    mapping: CaseMapping,
    by_name: BTreeMap<Folded, RoomId>,
    /// Conversations, by the key of each of the two.
    by_party: BTreeMap<String, Vec<RoomId>>,
    /// Those where somebody is, and the server's own: few beside all that were ever opened.
    alive: BTreeSet<RoomId>,
}

impl Rooms {
    pub(crate) fn get(&self, room: RoomId) -> Option<&Room> {
        self.list.get((room.0 as usize).checked_sub(1)?)
    }

    pub(crate) fn get_mut(&mut self, room: RoomId) -> Option<&mut Room> {
        self.list.get_mut((room.0 as usize).checked_sub(1)?)
    }

    pub(crate) fn by_name(&self, name: &str) -> Option<&Room> {
        self.by_name.get(&*self.mapping.folded(name)).and_then(|room| self.get(*room))
    }

    /// See [`Chat::with_mapping`](super::Chat::with_mapping).
    pub(crate) fn compare_by(&mut self, mapping: CaseMapping) {
        debug_assert!(self.list.is_empty(), "what is known was compared otherwise");
        self.mapping = mapping;
    }

    /// In the order in which they were opened.
    pub(crate) fn iter(&self) -> std::slice::Iter<'_, Room> {
        self.list.iter()
    }

    /// Those where somebody is, and the server's own, in the order in which they were opened.
    pub(crate) fn alive(&self) -> impl ExactSizeIterator<Item = &Room> {
        let get = |room: &RoomId| self.get(*room).expect("a room that is alive was opened, and rooms stay");
        self.alive.iter().map(get)
    }

    /// To be called after somebody entered or left a room.
    pub(crate) fn note(&mut self, room: RoomId) {
        if self.get(room).is_some_and(|room| room.common || !room.members.is_empty()) {
            self.alive.insert(room);
        } else {
            self.alive.remove(&room);
        }
    }

    pub(crate) fn opened(&self) -> u32 {
        u32::try_from(self.list.len())
            .expect("room numbers are 32 bits wide, and each room takes some memory")
    }

    /// Gives a room another name. The caller has made sure that no other room has it.
    pub(crate) fn rename(&mut self, room: RoomId, name: &Arc<str>) {
        let Some(found) = self.get_mut(room) else { return };
        let old = std::mem::replace(&mut found.name, Arc::clone(name));
        self.by_name.remove(&self.mapping.fold(&old));
        self.by_name.insert(self.mapping.fold(name), room);
        // Nobody is sent to whoever takes the old name.
        for forward in self.list.iter_mut().filter_map(|room| room.modes.forward.as_mut()) {
            if self.mapping.same(forward, &old) {
                *forward = Arc::clone(name);
            }
        }
    }

    /// An account is no more: no room is its any longer, and it has no role anywhere for good. Whoever takes its name
    /// is somebody else. Nobody's rules change by it: it decides only who is what on entering.
    pub(crate) fn forget_account(&mut self, account: &str) {
        for room in &mut self.list {
            if room.kept.founder.as_deref() == Some(account) {
                room.kept = Kept::default();
            }
            room.kept.roles.retain(|(other, _)| **other != *account);
        }
    }

    /// Opens a room; false, and nothing done, when there is one of that name.
    pub(crate) fn open(&mut self, name: &Arc<str>, common: bool, at_ms: Millis) -> bool {
        let folded = self.mapping.fold(name);
        if self.by_name.contains_key(&folded) {
            return false;
        }
        let id = RoomId(self.opened() + 1);
        self.by_name.insert(folded, id);
        self.list.push(Room {
            id,
            name: Arc::clone(name),
            opened_ms: at_ms,
            topic: None,
            metadata: Metadata::default(),
            modes: RoomModes::default(),
            members: Vec::new(),
            lists: Lists::default(),
            invites: Vec::new(),
            rules: 0,
            head: Number(0),
            last_ms: at_ms,
            said_ms: 0,
            kept: Kept::default(),
            guards: Guards::default(),
            history_from: Number(1),
            keep_s: None,
            open_records: false,
            expired: Number(0),
            between: None,
            redacted: BTreeSet::new(),
            purges: Purges::default(),
            pins: Vec::new(),
            hooks: Vec::new(),
            invitations: Vec::new(),
            invitations_made: 0,
            common,
        });
        self.note(id);
        true
    }

    /// Opens the room of two; nothing is done when there is one.
    pub(crate) fn open_between(&mut self, between: &Arc<[Party; 2]>, at_ms: Millis) {
        if !self.open(&name_of(between), false, at_ms) {
            return;
        }
        let id = RoomId(self.opened());
        if let Some(room) = self.get_mut(id) {
            room.between = Some(Arc::clone(between));
        }
        let keys = BTreeSet::from(between.each_ref().map(Party::key));
        for key in keys {
            self.by_party.entry(key).or_default().push(id);
        }
    }

    /// The conversations of somebody, in the order in which they were opened.
    pub(crate) fn of_party(&self, key: &str) -> &[RoomId] {
        self.by_party.get(key).map_or(&[], Vec::as_slice)
    }
}

/// Writes mode changes as MODE shows them: the letters with their signs, then the arguments.
pub(crate) fn show_changes<'a>(
    changes: impl Iterator<Item = (bool, char, Option<&'a Arc<str>>)>,
) -> (String, Vec<Arc<str>>) {
    let mut letters = String::new();
    let mut arguments = Vec::new();
    let mut sign = None;
    for (set, mode, argument) in changes {
        if sign != Some(set) {
            letters.push(if set { '+' } else { '-' });
            sign = Some(set);
        }
        letters.push(mode);
        arguments.extend(argument.cloned());
    }
    (letters, arguments)
}
