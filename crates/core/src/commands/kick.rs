//! `KICK <room>{,<room>} <nickname>{,<nickname>} [:<reason>]`: putting members out.

use std::sync::Arc;

use chinwag_wire::message::Message;
use chinwag_wire::numeric::Numeric;

use super::privmsg::TARGETS_MAX;
use super::reply::{asker, given, too_long};
use crate::asking::{Asking, Flow};
use crate::chat::{Chat, Room, User};
use crate::event::Event;
use crate::ids::{RoomId, UserId};
use crate::permissions::may_kick;
use crate::roles::Roles;

/// `KICK <room> <nickname>{,<nickname>} [:<reason>]`, or as many rooms as nicknames: each from its room.
pub(crate) fn kick(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    let Some(user) = asker(chat, asking) else { return Flow::Done };
    let rooms: Vec<&str> = message.params[0].split(',').filter(|name| !name.is_empty()).collect();
    let nicks: Vec<&str> = message.params[1].split(',').filter(|nick| !nick.is_empty()).collect();
    if rooms.is_empty() || nicks.is_empty() || (rooms.len() > 1 && rooms.len() != nicks.len()) {
        asking.refuse(Numeric::ERR_NEEDMOREPARAMS, ["KICK".into()]);
        return Flow::Done;
    }
    let locked = |name: &&str| chat.room_by_name(name).is_some_and(|room| asking.pending.locked(room.id));
    if rooms.iter().any(locked) {
        return Flow::Wait;
    }
    if nicks.len() > TARGETS_MAX {
        asking.refuse(Numeric::ERR_TOOMANYTARGETS, [given(message.params[1])]);
        return Flow::Done;
    }
    let reason = message.params.get(2).filter(|reason| !reason.is_empty());
    let reason: Arc<str> = reason.unwrap_or(&user.who.nick).into();
    if reason.len() > asking.settings.kick_length {
        too_long(asking, "KICK", "REASON_TOO_LONG", "KICKLEN");
        return Flow::Done;
    }
    let mut kicking = Kicking { chat, user, reason, out: Vec::new(), refused: Vec::new() };
    for (at, nick) in nicks.iter().enumerate() {
        kicking.put_out(asking, rooms[at.min(rooms.len() - 1)], nick);
    }
    Flow::Done
}

/// A command on its way through its nicknames.
struct Kicking<'a> {
    chat: &'a Chat,
    user: &'a User,
    reason: Arc<str>,
    /// Who is put out, and of which room.
    out: Vec<(RoomId, UserId)>,
    /// Rooms about which the user was told already that nothing can be done there.
    refused: Vec<&'a str>,
}

impl<'a> Kicking<'a> {
    fn put_out(&mut self, asking: &mut Asking<'_>, name: &'a str, nick: &str) {
        let Some(room) = self.room(asking, name) else { return };
        let Some(member) = self.chat.user_by_nick(nick) else {
            return asking.refuse(Numeric::ERR_NOSUCHNICK, [given(nick)]);
        };
        if room.member(member.id).is_none() || self.out.contains(&(room.id, member.id)) {
            return asking.refuse(Numeric::ERR_USERNOTINCHANNEL, [given(nick), (&room.name).into()]);
        }
        if !may_kick(room.roles(self.user.id), room.roles(member.id)) {
            return asking.refuse(Numeric::ERR_CHANOPRIVSNEEDED, [(&room.name).into()]);
        }
        // Each one changes the room's rules for the next.
        let before = self.out.iter().filter(|(other, _)| *other == room.id).count();
        let before = u32::try_from(before).expect("a line names fewer members than that");
        self.out.push((room.id, member.id));
        asking.propose(Event::Kicked {
            room: room.id,
            basis: room.rules + before,
            by: Arc::clone(&self.user.who),
            member: member.id,
            nick: Arc::clone(&member.who.nick),
            reason: Arc::clone(&self.reason),
        });
    }

    /// The room, if the user may put anybody out of it; otherwise says once why not.
    fn room(&mut self, asking: &mut Asking<'_>, name: &'a str) -> Option<&'a Room> {
        let (why, shown) = match self.chat.room_by_name(name) {
            None => (Numeric::ERR_NOSUCHCHANNEL, given(name)),
            Some(room) if room.member(self.user.id).is_none() => {
                (Numeric::ERR_NOTONCHANNEL, (&room.name).into())
            }
            Some(room) if !may_kick(room.roles(self.user.id), Roles::NONE) => {
                (Numeric::ERR_CHANOPRIVSNEEDED, (&room.name).into())
            }
            Some(room) => return Some(room),
        };
        if !self.refused.contains(&name) {
            self.refused.push(name);
            asking.refuse(why, [shown]);
        }
        None
    }
}
