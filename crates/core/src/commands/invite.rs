//! `INVITE <nickname> <room>`: opening a room's locks to somebody.

use chinwag_wire::message::Message;
use chinwag_wire::numeric::Numeric;

use super::reply::{asker, given};
use crate::asking::{Asking, Flow};
use crate::chat::{Chat, User};
use crate::event::Event;
use crate::permissions::Action;

/// `INVITE <nickname> <room>`, or `INVITE` for the rooms to which one was invited.
pub(crate) fn invite(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    let Some(user) = asker(chat, asking) else { return Flow::Done };
    let [nick, name, ..] = message.params[..] else {
        if message.params.is_empty() {
            list(chat, asking, user);
        } else {
            asking.refuse(Numeric::ERR_NEEDMOREPARAMS, ["INVITE".into()]);
        }
        return Flow::Done;
    };
    let Some(target) = chat.user_by_nick(nick) else {
        asking.refuse(Numeric::ERR_NOSUCHNICK, [given(nick)]);
        return Flow::Done;
    };
    let Some(room) = chat.room_by_name(name) else {
        asking.refuse(Numeric::ERR_NOSUCHCHANNEL, [given(name)]);
        return Flow::Done;
    };
    if asking.pending.locked(room.id) {
        return Flow::Wait;
    }
    if room.member(user.id).is_none() {
        asking.refuse(Numeric::ERR_NOTONCHANNEL, [(&room.name).into()]);
    } else if room.member(target.id).is_some() {
        asking.refuse(Numeric::ERR_USERONCHANNEL, [(&target.who.nick).into(), (&room.name).into()]);
    } else if room.modes.invite_only && !room.may(user.id, Action::Invite) {
        asking.refuse(Numeric::ERR_CHANOPRIVSNEEDED, [(&room.name).into()]);
    } else {
        asking.propose(Event::Invited { user: user.id, target: target.id, room: room.id });
    }
    Flow::Done
}

fn list(chat: &Chat, asking: &mut Asking<'_>, user: &User) {
    for room in user.invited.iter().filter_map(|room| chat.room(*room)) {
        asking.numeric(Numeric::RPL_INVITELIST, [(&room.name).into()]);
    }
    asking.refuse(Numeric::RPL_ENDOFINVITELIST, []);
}
