//! Whom a room lets in, and whom it lets speak, and to whom.
//!
//! Specification: <https://modern.ircdocs.horse/#channel-modes>; registered-only, op-moderated and auditorium rooms
//! are as Ergo documents them.

use std::sync::Arc;

use chinwag_wire::numeric::Numeric;

use super::rooms::Room;
use super::users::User;
use super::{ListEntry, Member};
use crate::effect::To;
use crate::event::{Event, Status, Who};
use crate::ids::UserId;
use crate::permissions::{Action, least, may};
use crate::roles::{Role, Roles};

/// Who hears what a user says in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Everybody.
    ByAll,
    /// Those who look after the room.
    ByOperators,
    /// Nobody; this mode is why.
    ByNobody(char),
}

/// Whether an entry of a list means somebody: by the host that is shown, and by the address behind it where the entry
/// names one address. (Were patterns compared with addresses, too, whoever runs a room could find them out bit by bit.)
fn lists(list: &[ListEntry], who: &Who, address: Option<&str>, mutes: bool) -> bool {
    let account = who.account.as_deref();
    let fits = |entry: &ListEntry| {
        let pattern = &entry.pattern;
        let by_address =
            |address: &str| pattern.names_host() && pattern.matches(&who.nick, &who.user, address, account);
        (mutes || !pattern.is_mute())
            && (pattern.matches(&who.nick, &who.user, &who.host, account) || address.is_some_and(by_address))
    };
    list.iter().any(fits)
}

impl Room {
    /// Whether a user may know that the room exists and who is in it.
    pub fn visible_to(&self, user: UserId) -> bool {
        !self.modes.secret || self.member(user).is_some()
    }

    /// Whether ordinary members, and those outside, may know that somebody is in the room.
    pub fn shows(&self, member: &Member) -> bool {
        !self.modes.auditorium || may(member.roles, Action::BeSeen)
    }

    /// Whether a user sees a member of the room.
    pub fn sees(&self, viewer: UserId, member: &Member) -> bool {
        self.shows(member) || viewer == member.user || self.may(viewer, Action::BeSeen)
    }

    /// The same of somebody who may be no member.
    pub fn shows_to(&self, viewer: UserId, user: UserId) -> bool {
        !self.modes.auditorium || self.member(user).is_some_and(|member| self.sees(viewer, member))
    }

    /// Those who are told that a member comes and goes, if they look; the member itself need not be among them.
    pub(crate) fn witnesses(&self, member: &Member) -> To {
        match least(Action::BeSeen).filter(|_| !self.shows(member)) {
            None => To::Room(self.id),
            Some(role) => To::RoomStatus(self.id, role),
        }
    }

    /// Whether a user may know that something happened in the room: who was put out of an auditorium is told to
    /// those who see all its members.
    pub fn tells(&self, viewer: Option<UserId>, event: &Event) -> bool {
        let watches = || viewer.is_some_and(|viewer| self.may(viewer, Action::BeSeen));
        !matches!(event, Event::Kicked { .. }) || !self.modes.auditorium || watches()
    }

    /// Those who see all members of an auditorium.
    pub fn watchers(&self) -> impl Iterator<Item = UserId> {
        self.members.iter().filter(|member| may(member.roles, Action::BeSeen)).map(|member| member.user)
    }

    /// Whether a ban keeps a user out.
    pub fn bans(&self, who: &Who) -> bool {
        self.banned(who, None)
    }

    /// Whether a ban keeps somebody out who is here, by what is shown of them or by their address.
    pub fn bans_user(&self, user: &User) -> bool {
        self.banned(&user.who, Some(&user.from.address))
    }

    fn banned(&self, who: &Who, address: Option<&str>) -> bool {
        lists(&self.lists.bans, who, address, false) && !lists(&self.lists.exceptions, who, address, false)
    }

    /// Whether a ban or a mute silences somebody. An exception that is a mute itself is one from mutes.
    pub(crate) fn silences(&self, who: &Who) -> bool {
        self.silenced(who, None)
    }

    fn silenced(&self, who: &Who, address: Option<&str>) -> bool {
        let (bans, exceptions) = (&self.lists.bans, &self.lists.exceptions);
        if !lists(bans, who, address, true) || lists(exceptions, who, address, false) {
            return false;
        }
        lists(bans, who, address, false) || !lists(exceptions, who, address, true)
    }

    /// Who hears what a user says in the room.
    pub fn heard(&self, user: &User) -> Heard {
        if self.member(user.id).is_none() && self.modes.members_only {
            return Heard::ByNobody('n');
        }
        let roles = self.roles(user.id);
        if !may(roles, Action::Speak) && self.silenced(&user.who, Some(&user.from.address)) {
            return Heard::ByNobody('b');
        }
        self.would_hear(&user.who, roles)
    }

    /// Who hears what somebody with these roles says in the room.
    pub(crate) fn would_hear(&self, who: &Who, roles: Roles) -> Heard {
        if may(roles, Action::Speak) {
            return Heard::ByAll;
        }
        let modes = &self.modes;
        if self.silences(who) {
            return Heard::ByNobody('b');
        }
        // Instead of being refused, what is said is shown to those who can give a voice.
        if modes.op_moderated {
            return Heard::ByOperators;
        }
        let guest = who.account.is_none();
        let why = [
            ('m', modes.moderated),
            ('R', modes.registered_join && guest),
            ('M', modes.registered_speak && guest),
        ];
        why.into_iter().find(|(_, holds)| *holds).map_or(Heard::ByAll, |(mode, _)| Heard::ByNobody(mode))
    }

    /// Whether a user may speak in the room, be it to operators only.
    pub fn may_speak(&self, user: &User) -> bool {
        !matches!(self.heard(user), Heard::ByNobody(_))
    }

    /// For whom a message of a user is that was meant for these members.
    ///
    /// # Errors
    /// The mode for which nobody hears it.
    pub fn audience(&self, user: &User, meant: Option<Status>) -> Result<Option<Status>, char> {
        let meant = meant.filter(|meant| *meant != Status::Held);
        match (self.heard(user), meant) {
            (Heard::ByAll, meant) => Ok(meant),
            (Heard::ByOperators, None) => Ok(Some(Status::Held)),
            (Heard::ByOperators, Some(meant)) => {
                let least = Status::Held.role();
                Ok(Some(Status::To(meant.role().max(least))))
            }
            (Heard::ByNobody(mode), _) => Err(mode),
        }
    }

    /// The room to which those are sent on who may not come in for this reason. Who is banned is sent nowhere.
    pub(crate) fn forwards(&self, refusal: Numeric) -> Option<&Arc<str>> {
        self.modes.forward.as_ref().filter(|_| refusal != Numeric::ERR_BANNEDFROMCHAN)
    }

    /// Why a user may not come in, if so. An invitation opens every lock.
    pub fn refuses(&self, user: &User, key: Option<&str>) -> Option<Numeric> {
        let keeper = self.kept_role(&user.who).is_some_and(|role| role >= Role::Operator);
        if keeper || self.invites.binary_search(&user.id).is_ok() {
            return None;
        }
        if self.bans_user(user) {
            return Some(Numeric::ERR_BANNEDFROMCHAN);
        }
        let modes = &self.modes;
        let locked = modes.invite_only || (modes.registered_join && user.who.account.is_none());
        if locked && !lists(&self.lists.invite_exceptions, &user.who, Some(&user.from.address), false) {
            let closed = modes.invite_only;
            return Some(if closed { Numeric::ERR_INVITEONLYCHAN } else { Numeric::ERR_NEEDREGGEDNICK });
        }
        if modes.key.as_deref().is_some_and(|wanted| key != Some(wanted)) {
            return Some(Numeric::ERR_BADCHANNELKEY);
        }
        let full = |limit: u32| self.members.len() >= limit as usize;
        modes.limit.is_some_and(full).then_some(Numeric::ERR_CHANNELISFULL)
    }
}
