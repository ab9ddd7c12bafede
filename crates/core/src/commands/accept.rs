//! `ACCEPT`: who may write to somebody who lets in only people with an account (user mode `R`).

use chinwag_wire::message::Message;
use chinwag_wire::numeric::Numeric;

use super::reply::{asker, given};
use crate::asking::{Asking, Flow};
use crate::chat::{ACCEPTED_MAX, Chat, User};
use crate::event::Event;

/// `ACCEPT <nickname>{,-<nickname>}`, or `ACCEPT *` for the list.
pub(crate) fn accept(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    let Some(user) = asker(chat, asking) else { return Flow::Done };
    let mut more = 0;
    for word in message.params[0].split(',').filter(|word| !word.is_empty()) {
        if word == "*" {
            list(chat, asking, user);
            continue;
        }
        let (accept, nick) = word.strip_prefix('-').map_or((true, word), |nick| (false, nick));
        let Some(target) = chat.user_by_nick(nick) else {
            asking.refuse(Numeric::ERR_NOSUCHNICK, [given(nick)]);
            continue;
        };
        match (accept, user.accepted.contains(&target.id)) {
            (true, true) => asking.refuse(Numeric::ERR_ACCEPTEXIST, [(&target.who.nick).into()]),
            (false, false) => asking.refuse(Numeric::ERR_ACCEPTNOT, [(&target.who.nick).into()]),
            (true, false) if here(chat, user).count() + more >= ACCEPTED_MAX => {
                asking.refuse(Numeric::ERR_ACCEPTFULL, []);
            }
            _ => {
                more += usize::from(accept);
                asking.propose(Event::Accepted { user: user.id, target: target.id, accept });
            }
        }
    }
    Flow::Done
}

/// Those on the list who are here.
fn here<'a>(chat: &'a Chat, user: &'a User) -> impl Iterator<Item = &'a User> {
    user.accepted.iter().filter_map(|accepted| chat.user(*accepted))
}

fn list(chat: &Chat, asking: &mut Asking<'_>, user: &User) {
    for accepted in here(chat, user) {
        asking.numeric(Numeric::RPL_ACCEPTLIST, [(&accepted.who.nick).into()]);
    }
    asking.refuse(Numeric::RPL_ENDOFACCEPT, []);
}
