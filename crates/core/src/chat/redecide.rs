//! Deciding again what was decided under rules that have changed before it was applied.

use std::sync::Arc;

use chinwag_wire::msgid::MsgId;
use chinwag_wire::numeric::Numeric;

use super::{Chat, Lists, Room, User};
use crate::commands::deeds::Deed;
use crate::event::{
    Amended, Event, Guard, Hooked, Keeping, MetadataOn, MetadataSet, ModeChange, Said, Status, Tagged, Who,
};
use crate::ids::{RoomId, UserId};
use crate::line::{Line, Source, Text};
use crate::permissions::{Action, may, may_give, may_kick, may_take};
use crate::roles::{Role, Roles};

impl Chat {
    /// For a stored event that was answered with [`crate::effect::Effect::Stale`]: the same event under the
    /// rules as they are now.
    ///
    /// # Errors
    /// The line for its author, when the rules allow it no more. An event that is not about a room's rules
    /// comes back as it is.
    pub fn redecide(&self, event: Event) -> Result<Event, Box<Line>> {
        match event {
            // A conversation has no rules; its room is not there only when it could not be opened.
            Event::Said(said) if said.direct.is_some() => Err(no_room()),
            Event::Tagged(tagged) if tagged.direct.is_some() => Err(no_room()),
            Event::Said(said) => self.say_again(&said),
            Event::Tagged(tagged) => {
                let (room, by, status) = self.speaker(tagged.room, tagged.user, tagged.status)?;
                let basis = room.rules;
                Ok(Event::Tagged(Arc::new(Tagged { basis, by, status, ..Tagged::clone(&tagged) })))
            }
            Event::Amended(amended) => self.amend_again(&amended),
            // Somebody has seen what it is about; under other rules it is to be looked at again.
            Event::Purged(_) => Err(purge_again()),
            Event::TopicSet { room: id, by, topic, .. } => {
                let (room, user) = self.author(id, &by)?;
                if room.modes.topic_locked && !room.may(user.id, Action::SetTopic) {
                    return Err(refusal(Numeric::ERR_CHANOPRIVSNEEDED, room));
                }
                Ok(Event::TopicSet { room: id, basis: room.rules, by: Arc::clone(&user.who), topic })
            }
            Event::ModesChanged { room: id, by, mut changes, .. } => {
                let (room, user) = self.author(id, &by)?;
                if !changes.iter().all(|change| room.may_change(user.id, change)) {
                    return Err(refusal(Numeric::ERR_CHANOPRIVSNEEDED, room));
                }
                changes.retain(|change| room.would_change(change));
                Ok(Event::ModesChanged { room: id, basis: room.rules, by: Arc::clone(&user.who), changes })
            }
            Event::Kicked { room: id, by, member, nick, reason, .. } => {
                let (room, user) = self.author(id, &by)?;
                if !may_kick(room.roles(user.id), room.roles(member)) {
                    return Err(refusal(Numeric::ERR_CHANOPRIVSNEEDED, room));
                }
                if room.member(member).is_none() {
                    let mut line = refusal(Numeric::ERR_USERNOTINCHANNEL, room);
                    line.params.insert(0, nick.into());
                    return Err(line);
                }
                let by = Arc::clone(&user.who);
                Ok(Event::Kicked { room: id, basis: room.rules, by, member, nick, reason })
            }
            Event::RoomKept { room: id, by, keeping, .. } => self.keep_again(id, by, keeping),
            Event::Guarded { room: id, by, guard, .. } => self.guard_again(id, &by, guard),
            Event::Hooked(hooked) => self.hook_again(&hooked),
            Event::MetadataSet(set) => self.set_metadata_again(&set),
            Event::RoomRenamed { room: id, by, name, reason, .. } => {
                let (room, user) = self.author(id, &by)?;
                if !room.may(user.id, Action::Rename) {
                    return Err(refusal(Numeric::ERR_CHANOPRIVSNEEDED, room));
                }
                let by = Arc::clone(&user.who);
                let old = Some(Arc::clone(&room.name));
                Ok(Event::RoomRenamed { room: id, basis: room.rules, by, old, name, reason })
            }
            Event::Renewed { room: id, by, .. } => match self.room(id) {
                Some(room) => Ok(Event::Renewed { room: id, basis: room.rules, head: room.head, by }),
                None => Err(no_room()),
            },
            other => Ok(other),
        }
    }

    fn keep_again(&self, id: RoomId, by: Arc<Who>, keeping: Keeping) -> Result<Event, Box<Line>> {
        let room = self.room(id).ok_or_else(no_room)?;
        let user = self.user_by_nick(&by.nick);
        let may = |user: &User| match &keeping {
            // Whether the code holds is seen when it is applied.
            Keeping::CameBy(_) => !room.bans(&by),
            Keeping::Invited { .. } | Keeping::TakenBack(_) => room.may(user.id, Action::Invite),
            keeping => room.may_keep(user, keeping),
        };
        if !user.is_some_and(may) {
            return Err(refusal(Numeric::ERR_CHANOPRIVSNEEDED, room));
        }
        Ok(Event::RoomKept { room: id, basis: room.rules, by, keeping })
    }

    fn guard_again(&self, id: RoomId, by: &Who, guard: Guard) -> Result<Event, Box<Line>> {
        let (room, user) = self.author(id, by)?;
        if !room.may(user.id, Action::Guard) {
            return Err(refusal(Numeric::ERR_CHANOPRIVSNEEDED, room));
        }
        Ok(Event::Guarded { room: id, basis: room.rules, by: Arc::clone(&user.who), guard })
    }

    fn hook_again(&self, hooked: &Hooked) -> Result<Event, Box<Line>> {
        let (room, user) = self.author(hooked.room, &hooked.by)?;
        if !room.may(user.id, Action::Hook) {
            return Err(refusal(Numeric::ERR_CHANOPRIVSNEEDED, room));
        }
        let (basis, by) = (room.rules, Arc::clone(&user.who));
        Ok(Event::Hooked(Arc::new(Hooked { basis, by, ..Hooked::clone(hooked) })))
    }

    fn set_metadata_again(&self, set: &MetadataSet) -> Result<Event, Box<Line>> {
        let MetadataOn::Room { room, .. } = set.on else { return Ok(Event::MetadataSet(set.clone().into())) };
        let (room, user) = self.author(room, &set.by)?;
        if !room.may(user.id, Action::SetMetadata) {
            return Err(refusal(Numeric::ERR_CHANOPRIVSNEEDED, room));
        }
        let (on, by) = (MetadataOn::Room { room: room.id, basis: room.rules }, Arc::clone(&user.who));
        Ok(Event::MetadataSet(Arc::new(MetadataSet { on, by, ..set.clone() })))
    }

    fn say_again(&self, said: &Said) -> Result<Event, Box<Line>> {
        if said.played() {
            let (room, me, status) = self.speaker(said.room, said.user, said.status)?;
            if !room.modes.roleplay {
                return Err(refusal(Numeric::ERR_CANNOTSENDTOCHAN, room));
            }
            let by = Arc::new(Who { user: Arc::clone(&me.nick), ..(*said.by).clone() });
            return Ok(Event::Said(Arc::new(Said { basis: room.rules, by, status, ..said.clone() })));
        }
        if !said.relayed() {
            let (room, by, status) = self.speaker(said.room, said.user, said.status)?;
            return Ok(Event::Said(Arc::new(Said { basis: room.rules, by, status, ..said.clone() })));
        }
        let room = self.room(said.room).ok_or_else(no_room)?;
        if !room.may(said.user, Action::Relay) || room.silences(&said.by) {
            return Err(refusal(Numeric::ERR_CANNOTSENDTOCHAN, room));
        }
        Ok(Event::Said(Arc::new(Said { basis: room.rules, ..said.clone() })))
    }

    /// The room, how its speaker is seen now, and for whom it is what was meant for these members.
    #[expect(clippy::type_complexity, reason = "three things that are taken apart at once")]
    fn speaker(
        &self,
        room: RoomId,
        user: UserId,
        meant: Option<Status>,
    ) -> Result<(&Room, Arc<Who>, Option<Status>), Box<Line>> {
        let room = self.room(room).ok_or_else(no_room)?;
        let refused = || refusal(Numeric::ERR_CANNOTSENDTOCHAN, room);
        let user = self.user(user).ok_or_else(refused)?;
        let status = room.audience(user, meant).map_err(|_| refused())?;
        Ok((room, Arc::clone(&user.who), status))
    }

    fn amend_again(&self, amended: &Amended) -> Result<Event, Box<Line>> {
        let (room, user) = self.author(amended.room, &amended.by)?;
        let deed = Deed::of(&amended.what);
        if user.id != amended.user || !deed.allowed(room, user, amended.own) {
            let msgid = MsgId::stored(&self.key, amended.position);
            return Err(deed.refusal(amended.what.verb(), room, msgid.to_string().into()));
        }
        let (basis, by) = (room.rules, Arc::clone(&user.who));
        Ok(Event::Amended(Arc::new(Amended { basis, by, ..amended.clone() })))
    }

    /// The room, and its member who decided something about it.
    fn author(&self, room: RoomId, by: &Who) -> Result<(&Room, &User), Box<Line>> {
        let room = self.room(room).ok_or_else(no_room)?;
        let user = self.user_by_nick(&by.nick).filter(|user| room.member(user.id).is_some());
        user.map(|user| (room, user)).ok_or_else(|| refusal(Numeric::ERR_NOTONCHANNEL, room))
    }
}

impl Room {
    /// Whether a user may make a change.
    pub(crate) fn may_change(&self, user: UserId, change: &ModeChange) -> bool {
        let roles = self.roles(user);
        match Role::of_mode(change.mode) {
            None => may(roles, Action::SetMode(change.mode)),
            Some(role) if change.set => may_give(roles, role),
            // Everybody may give up what they have.
            Some(_) if change.member == Some(user) => true,
            Some(role) => {
                may_take(roles, role, change.member.map_or(Roles::NONE, |member| self.roles(member)))
            }
        }
    }

    /// Whether a change would change anything now.
    pub(crate) fn would_change(&self, change: &ModeChange) -> bool {
        let ModeChange { set, mode, arg, member, .. } = change;
        let arg = arg.as_deref();
        if let Some(role) = Role::of_mode(*mode) {
            let member = member.and_then(|member| self.member(member));
            return member.is_some_and(|member| *set != member.roles.contains(role));
        }
        match mode {
            list if Lists::MODES.contains(list) => {
                arg.is_some_and(|text| *set != self.lists.contains(*list, text))
            }
            'f' if *set => self.modes.forward.as_deref() != arg,
            'f' => self.modes.forward.is_some(),
            'k' if *set => self.modes.key.as_deref() != arg,
            'k' => self.modes.key.is_some(),
            'l' if *set => self.modes.limit != arg.and_then(|limit| limit.parse().ok()),
            'l' => self.modes.limit.is_some(),
            flag => self.modes.flag(*flag).is_some_and(|now| now != *set),
        }
    }
}

fn refusal(numeric: Numeric, room: &Room) -> Box<Line> {
    Box::new(Line::numeric(numeric, [Text::from(&room.name), numeric.text().into()]))
}

fn purge_again() -> Box<Line> {
    let text = "PURGE: the room's rules changed meanwhile; look again and repeat it".into();
    Box::new(Line::new(Source::Server, "NOTICE", ["*".into(), text]))
}

fn no_room() -> Box<Line> {
    Box::new(Line::numeric(
        Numeric::ERR_NOSUCHCHANNEL,
        ["*".into(), Numeric::ERR_NOSUCHCHANNEL.text().into()],
    ))
}
