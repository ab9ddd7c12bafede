//! `KICK <room> <nickname>{,<nickname>} [:<reason>]`: putting members out.

use std::sync::Arc;

use chinwag_wire::message::Message;
use chinwag_wire::numeric::Numeric;

use super::privmsg::TARGETS_MAX;
use super::reply::{asker, given, too_long};
use crate::asking::{Asking, Flow};
use crate::chat::Chat;
use crate::event::Event;

/// `KICK <room> <nickname>{,<nickname>} [:<reason>]`
pub(crate) fn kick(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    let Some(user) = asker(chat, asking) else { return Flow::Done };
    let name = message.params[0];
    let Some(room) = chat.room_by_name(name) else {
        asking.refuse(Numeric::ERR_NOSUCHCHANNEL, [given(name)]);
        return Flow::Done;
    };
    if asking.pending.locked(room.id) {
        return Flow::Wait;
    }
    if room.member(user.id).is_none() {
        asking.refuse(Numeric::ERR_NOTONCHANNEL, [(&room.name).into()]);
        return Flow::Done;
    }
    if !room.is_op(user.id) {
        asking.refuse(Numeric::ERR_CHANOPRIVSNEEDED, [(&room.name).into()]);
        return Flow::Done;
    }
    if message.params[1].split(',').count() > TARGETS_MAX {
        asking.refuse(Numeric::ERR_TOOMANYTARGETS, [given(message.params[1])]);
        return Flow::Done;
    }
    let reason = message.params.get(2).filter(|reason| !reason.is_empty());
    let reason: Arc<str> = reason.unwrap_or(&user.who.nick).into();
    if reason.len() > asking.settings.kick_length {
        too_long(asking, "KICK", "REASON_TOO_LONG", "KICKLEN");
        return Flow::Done;
    }
    let mut out = Vec::new();
    for nick in message.params[1].split(',').filter(|nick| !nick.is_empty()) {
        let Some(member) = chat.user_by_nick(nick) else {
            asking.refuse(Numeric::ERR_NOSUCHNICK, [given(nick)]);
            continue;
        };
        if room.member(member.id).is_none() || out.contains(&member.id) {
            asking.refuse(Numeric::ERR_USERNOTINCHANNEL, [given(nick), (&room.name).into()]);
            continue;
        }
        // Each one changes the rules for the next.
        let before = u32::try_from(out.len()).expect("a line names fewer members than that");
        out.push(member.id);
        asking.propose(Event::Kicked {
            room: room.id,
            basis: room.rules + before,
            by: Arc::clone(&user.who),
            member: member.id,
            nick: Arc::clone(&member.who.nick),
            reason: Arc::clone(&reason),
        });
    }
    Flow::Done
}
