//! `NICK <nickname>`: a nickname, or another one.

use chinwag_wire::caps::Cap;
use chinwag_wire::message::Message;
use chinwag_wire::names::Nick;
use chinwag_wire::numeric::Numeric;

use super::registration;
use super::reply::{asker, fail, given};
use crate::accounts;
use crate::allowance::Dear;
use crate::asking::{Asking, Flow};
use crate::chat::Chat;
use crate::event::Event;

/// `NICK <nickname>`: before registration it is part of that.
pub(crate) fn nick(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    let Some(user) = asker(chat, asking) else { return registration::nick(chat, asking, message) };
    let Some(wanted) = message.params.first().copied().filter(|wanted| !wanted.is_empty()) else {
        asking.refuse(Numeric::ERR_NONICKNAMEGIVEN, []);
        return Flow::Done;
    };
    let parsed = Nick::parse(wanted, asking.settings.nick_length).ok();
    let fit = registration::fits(chat, asking, wanted);
    let Some(nick) = parsed.filter(|_| fit) else {
        asking.refuse(Numeric::ERR_ERRONEUSNICKNAME, [given(wanted)]);
        return Flow::Done;
    };
    if !chat.mapping().same(wanted, &user.who.nick) && accounts::belongs_to_another(chat, asking, wanted) {
        if asking.session.caps.contains(Cap::StandardReplies) {
            let about = [given(wanted)];
            fail(asking.effects, "NICK", "NICKNAME_RESERVED", about, registration::BELONGS_TO_ACCOUNT);
        } else {
            let params = [given(wanted), registration::BELONGS_TO_ACCOUNT.into()];
            asking.numeric(Numeric::ERR_NICKNAMEINUSE, params);
        }
        return Flow::Done;
    }
    match chat.user_by_nick(wanted) {
        Some(holder) if holder.id != user.id => asking.refuse(Numeric::ERR_NICKNAMEINUSE, [given(wanted)]),
        _ if *user.who.nick == *wanted => {}
        _ if chat.lookalike(wanted, Some(user.id)).is_some() => {
            asking.refuse(Numeric::ERR_NICKNAMEINUSE, [given(wanted)]);
        }
        _ if !asking.allows(Dear::Nicks) => {
            let text = "Nicknames were changed too often from your network; try again in a few minutes";
            asking.numeric(Numeric::ERR_NICKTOOFAST, [given(wanted), text.into()]);
        }
        _ => {
            asking.spend(Dear::Nicks);
            asking.propose(Event::Renamed { user: user.id, nick: nick.arc() });
        }
    }
    Flow::Done
}
