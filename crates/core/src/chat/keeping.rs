//! Rooms that are somebody's: the founder's account, and accounts that have a role whenever they come. And people who
//! are present without a session (always-on): what is kept of them, and how they are back after a start.

use std::sync::Arc;

use chinwag_log::Key;
use smallvec::SmallVec;

use super::apply::send;
use super::apply_rules::unchanged;
use super::{Account, Chat, Room, User, UserModes};
use crate::effect::{Effect, Effects, To};
use crate::event::{CameFrom, Keeping, Presence, Returned, Who};
use crate::ids::{Millis, RoomId, UserId};
use crate::line::{Line, Source, Text};
use crate::privileges::{Operator, Privilege};
use crate::roles::{Role, Roles};
use crate::settings::Settings;

/// Whose a room is.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    /// The founder's account; none for a room that is whose it is.
    pub founder: Option<Arc<str>>,
    /// Accounts that have a role whenever they come, in the order in which they were given it.
    pub roles: Vec<(Arc<str>, Role)>,
}

impl Kept {
    /// The role of an account. Accounts have one spelling, that of their registration.
    pub fn role(&self, account: &str) -> Option<Role> {
        if self.founder.as_deref() == Some(account) {
            return Some(Role::Founder);
        }
        self.roles.iter().find(|(other, _)| **other == *account).map(|(_, role)| *role)
    }
}

impl Room {
    /// Whether somebody may change whose the room is, or who has a role there for good: a founder; where there is none
    /// yet, an operator who takes the room for the own account; a server operator who acts in rooms.
    pub fn may_keep(&self, user: &User, keeping: &Keeping) -> bool {
        let everywhere = |operator: &Arc<Operator>| operator.privileges.contains(Privilege::Rooms);
        if self.kept_role(&user.who) == Some(Role::Founder) || user.operator.as_ref().is_some_and(everywhere)
        {
            return true;
        }
        let own =
            matches!(keeping, Keeping::Founder(Some(account)) if user.who.account.as_ref() == Some(account));
        own && self.kept.founder.is_none() && !self.common && self.roles(user.id).at_least(Role::Operator)
    }

    /// The role that somebody has here for the account.
    pub fn kept_role(&self, who: &Who) -> Option<Role> {
        who.account.as_ref().and_then(|account| self.kept.role(account))
    }
}

impl Account {
    /// Whether its owner stays without a session.
    pub fn stays(&self, settings: &Settings) -> bool {
        let rules = &settings.accounts;
        rules.enabled && rules.always_on.holds(self.settings.always_on)
    }
}

impl Chat {
    pub(super) fn room_kept(
        &mut self,
        at_ms: Millis,
        room: RoomId,
        basis: u32,
        by: &Arc<Who>,
        keeping: &Keeping,
        effects: &mut Effects,
    ) {
        let Some(found) = unchanged(&mut self.rooms, room, basis, effects) else { return };
        found.rules += 1;
        let before = found.kept.clone();
        match keeping {
            Keeping::Founder(founder) => {
                found.kept.founder = founder.clone();
                if founder.is_none() {
                    found.kept.roles.clear();
                }
            }
            Keeping::Role { account, mode } => {
                found.kept.roles.retain(|(other, _)| other != account);
                found.kept.roles.extend(Keeping::role(*mode).map(|role| (Arc::clone(account), role)));
            }
            // No rules of the room: see `invitations`.
            Keeping::Invited { .. } | Keeping::CameBy(_) | Keeping::TakenBack(_) => {}
        }
        let at_ms = found.stamp(at_ms);
        let mut changes = Vec::new();
        for member in &mut found.members {
            let Some(user) = self.users.get(member.user) else { continue };
            let Some(account) = &user.who.account else { continue };
            let (was, is) = (before.role(account), found.kept.role(account));
            if was == is {
                continue;
            }
            for (role, set) in was.map(|role| (role, false)).into_iter().chain(is.map(|role| (role, true))) {
                if member.roles.contains(role) != set {
                    member.roles.set(role, set);
                    changes.push((set, role, Arc::clone(&user.who.nick)));
                }
            }
        }
        for (set, role, nick) in changes {
            let line = role_line(&found.name, Source::User(Arc::clone(by)), set, role, &nick).at(at_ms);
            send(effects, To::Room(room), line);
        }
    }

    /// The roles with which somebody enters a room, beyond those of whoever comes first.
    pub(super) fn roles_on_entry(room: &Room, who: &Who) -> Roles {
        match room.kept_role(who) {
            Some(role) => role.into(),
            None if room.members.is_empty() && !room.common && room.kept.founder.is_none() => {
                Role::Operator.into()
            }
            None => Roles::NONE,
        }
    }

    /// Whether somebody stays without a session.
    pub fn stays(&self, settings: &Settings, user: UserId) -> bool {
        let account = self.user(user).and_then(|user| self.account(user.who.account.as_ref()?));
        account.is_some_and(|account| account.stays(settings))
    }

    /// What is kept of somebody who stays.
    pub fn presence(&self, user: &User) -> Presence {
        let letters = |roles: Roles| Role::ALL.into_iter().filter(move |role| roles.contains(*role));
        let rooms = user.rooms.iter().filter_map(|room| {
            let roles = self.room(*room)?.member(user.id)?.roles;
            Some((*room, letters(roles).map(Role::mode).collect()))
        });
        Presence {
            home: user.id.origin(),
            nick: Arc::clone(&user.who.nick),
            user: Arc::clone(&user.who.user),
            host: Arc::clone(&user.who.host),
            realname: Arc::clone(&user.realname),
            rooms: rooms.collect(),
        }
    }

    pub(super) fn returned(&mut self, key: Key, at_ms: Millis, returned: &Returned, effects: &mut Effects) {
        let Returned { user, account, presence } = returned;
        let Some(account) = self.account(account).map(|account| Arc::clone(&account.name)) else { return };
        let Presence { nick, user: username, host, realname, rooms, .. } = &**presence;
        let who = Who {
            nick: Arc::clone(nick),
            user: Arc::clone(username),
            host: Arc::clone(host),
            account: Some(account),
        };
        let came_back = self.users.insert(User {
            id: *user,
            who: Arc::new(who),
            realname: Arc::clone(realname),
            door: "always-on",
            from: CameFrom { address: Arc::clone(host), secure: true },
            away: None,
            modes: UserModes::default(),
            operator: None,
            rooms: Vec::new(),
            invited: Vec::new(),
            accepted: Vec::new(),
            signed_on_ms: at_ms,
            said_ms: at_ms,
            sessions: 0,
            keys: SmallVec::new(),
            absent: Vec::new(),
            marks: Default::default(),
            written: Default::default(),
            metadata: Default::default(),
        });
        if !came_back {
            return;
        }
        for (room, letters) in rooms {
            if self.rooms.get(*room).is_some() {
                self.enter(key, at_ms, *user, *room, effects);
                self.gets_back(*room, *user, letters);
            }
        }
    }

    /// The roles that somebody had before a start.
    fn gets_back(&mut self, room: RoomId, user: UserId, letters: &str) {
        let Some(room) = self.rooms.get_mut(room) else { return };
        let Some(kept) = self.users.get(user).map(|user| room.kept_role(&user.who)) else { return };
        let founded = room.kept.founder.is_some();
        let Some(member) = room.member_mut(user) else { return };
        let before = letters.chars().filter_map(Role::of_mode);
        member.roles = kept.map_or(Roles::NONE, Roles::from);
        // A founder is one for the account, not for having been one.
        for role in before.filter(|role| *role != Role::Founder || !founded) {
            member.roles.set(role, true);
        }
    }

    /// Tells the others in a room with which role somebody came in.
    pub(super) fn tell_role(&self, at_ms: Millis, room: RoomId, user: UserId, effects: &mut Effects) {
        let (Some(room), Some(user)) = (self.rooms.get(room), self.users.get(user)) else { return };
        let Some(role) = room.kept_role(&user.who) else { return };
        let line = role_line(&room.name, Source::Server, true, role, &user.who.nick);
        let line = line.at(room.shown_at(at_ms));
        effects.push(Effect::Send { to: To::Room(room.id), author: None, except: Some(user.id), line });
    }
}

fn role_line(room: &Arc<str>, by: Source, set: bool, role: Role, nick: &Arc<str>) -> Line {
    let letters = format!("{}{}", if set { '+' } else { '-' }, role.mode());
    Line::new(by, "MODE", [Text::from(room), letters.into(), nick.into()])
}
