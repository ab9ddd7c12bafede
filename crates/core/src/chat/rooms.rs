//! Rooms: what is stored of them (modes, bans, topic, head) and who is in them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chinwag_wire::mask::Mask;
use chinwag_wire::names::{Folded, fold};
use chinwag_wire::numeric::Numeric;

use super::users::{User, find};
use crate::event::Who;
use crate::ids::{Millis, Number, RoomId, UserId};
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

/// An entry of the ban list.
#[derive(Clone, Debug)]
pub struct Ban {
    /// Who may not come in, nor speak.
    pub mask: Mask,
    /// The mask as it is shown.
    pub text: Arc<str>,
    /// The nickname of who set it.
    pub by: Arc<str>,
    /// When.
    pub at_ms: Millis,
}

/// A room's modes, without its lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomModes {
    /// `i`: only who was invited comes in.
    pub invite_only: bool,
    /// `m`: only operators and voiced members speak.
    pub moderated: bool,
    /// `n`: only members speak.
    pub members_only: bool,
    /// `s`: not shown to those who are not members.
    pub secret: bool,
    /// `t`: only operators set the topic.
    pub topic_locked: bool,
    /// `k`: who comes in has to know it.
    pub key: Option<Arc<str>>,
    /// `l`: nobody comes in while there are so many.
    pub limit: Option<u32>,
}

impl Default for RoomModes {
    fn default() -> Self {
        RoomModes {
            invite_only: false,
            moderated: false,
            members_only: true,
            secret: false,
            topic_locked: true,
            key: None,
            limit: None,
        }
    }
}

impl RoomModes {
    /// The flag of a mode without argument.
    pub fn flag(&self, mode: char) -> Option<bool> {
        Some(match mode {
            'i' => self.invite_only,
            'm' => self.moderated,
            'n' => self.members_only,
            's' => self.secret,
            't' => self.topic_locked,
            _ => return None,
        })
    }

    pub(crate) fn set_flag(&mut self, mode: char, set: bool) {
        match mode {
            'i' => self.invite_only = set,
            'm' => self.moderated = set,
            'n' => self.members_only = set,
            's' => self.secret = set,
            't' => self.topic_locked = set,
            _ => {}
        }
    }

    /// The modes as RPL_CHANNELMODEIS shows them: the letters with their `+`, then the arguments. The key is
    /// for members only; others see `*`.
    pub fn shown(&self, with_key: bool) -> (String, Vec<Arc<str>>) {
        let mut letters = String::from("+");
        letters.extend(['i', 'm', 'n', 's', 't'].into_iter().filter(|mode| self.flag(*mode) == Some(true)));
        let mut arguments = Vec::new();
        if let Some(key) = &self.key {
            letters.push('k');
            arguments.push(if with_key { Arc::clone(key) } else { "*".into() });
        }
        if let Some(limit) = self.limit {
            letters.push('l');
            arguments.push(limit.to_string().into());
        }
        (letters, arguments)
    }
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
    /// Its modes.
    pub modes: RoomModes,
    /// Who is in it, in the order of the users' numbers.
    pub members: Vec<Member>,
    /// Who may not come in, in the order in which they were banned.
    pub bans: Vec<Ban>,
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

    /// Whether a user may know that the room exists and who is in it.
    pub fn visible_to(&self, user: UserId) -> bool {
        !self.modes.secret || self.member(user).is_some()
    }

    /// Whether a ban holds for a user.
    pub fn bans(&self, who: &Who) -> bool {
        self.bans.iter().any(|ban| ban.mask.matches(&who.nick, &who.user, &who.host))
    }

    /// Whether a user may speak in the room.
    pub fn may_speak(&self, user: &User) -> bool {
        match self.member(user.id) {
            Some(member) if may(member.roles, Action::Speak) => true,
            None if self.modes.members_only => false,
            _ => !self.modes.moderated && !self.bans(&user.who),
        }
    }

    /// Why a user may not come in, if so. An invitation opens every lock.
    pub fn refuses(&self, user: &User, key: Option<&str>) -> Option<Numeric> {
        if self.invites.binary_search(&user.id).is_ok() {
            return None;
        }
        if self.bans(&user.who) {
            return Some(Numeric::ERR_BANNEDFROMCHAN);
        }
        if self.modes.invite_only {
            return Some(Numeric::ERR_INVITEONLYCHAN);
        }
        if self.modes.key.as_deref().is_some_and(|wanted| key != Some(wanted)) {
            return Some(Numeric::ERR_BADCHANNELKEY);
        }
        let full = |limit: u32| self.members.len() >= limit as usize;
        self.modes.limit.is_some_and(full).then_some(Numeric::ERR_CHANNELISFULL)
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
    by_name: BTreeMap<Folded, RoomId>,
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
        find(&self.by_name, name).and_then(|room| self.get(*room))
    }

    pub(crate) fn by_name_mut(&mut self, name: &str) -> Option<&mut Room> {
        let room = *find(&self.by_name, name)?;
        self.get_mut(room)
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
        self.by_name.remove(&fold(&old));
        self.by_name.insert(fold(name), room);
    }

    /// Opens a room; false, and nothing done, when there is one of that name.
    pub(crate) fn open(&mut self, name: &Arc<str>, common: bool, at_ms: Millis) -> bool {
        let folded = fold(name);
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
            modes: RoomModes::default(),
            members: Vec::new(),
            bans: Vec::new(),
            invites: Vec::new(),
            rules: 0,
            head: Number(0),
            last_ms: at_ms,
            said_ms: 0,
            history_from: Number(1),
            common,
        });
        self.note(id);
        true
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
