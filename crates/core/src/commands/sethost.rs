//! `SETHOST [<nickname>] <host>`: another host than the one by which somebody came in.

use std::sync::Arc;

use chinwag_wire::message::Message;
use chinwag_wire::numeric::Numeric;

use super::reply::{given, on_record, operator};
use crate::asking::{Asking, Flow};
use crate::chat::Chat;
use crate::event::{Act, Event};
use crate::privileges::Privilege;

/// Bytes of a host.
const HOST_BYTES_MAX: usize = 63;

/// `SETHOST <host>` for oneself, `SETHOST <nickname> <host>` for somebody.
pub(crate) fn sethost(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    let Some(user) = operator(chat, asking, Privilege::Hosts) else { return Flow::Done };
    let (target, host) = match message.params[..] {
        [nick, host, ..] => match chat.user_by_nick(nick) {
            Some(target) => (target, host),
            None => {
                asking.refuse(Numeric::ERR_NOSUCHNICK, [given(nick)]);
                return Flow::Done;
            }
        },
        [host] => (user, host),
        [] => return Flow::Done,
    };
    if !is_host(host) {
        let text = "A host has letters, digits and -./: and at most 63 bytes".into();
        asking.numeric(Numeric::ERR_UNKNOWNERROR, ["SETHOST".into(), text]);
        return Flow::Done;
    }
    let (username, by) = (Arc::clone(&target.who.user), Arc::clone(&user.who));
    on_record(asking, user, Act::HostGiven { whom: target.who.mask().into(), host: host.into() });
    asking.propose(Event::NewHost { user: target.id, username, host: host.into(), by });
    Flow::Done
}

fn is_host(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-./:".contains(&byte);
    (1..=HOST_BYTES_MAX).contains(&text.len()) && !text.starts_with(':') && text.bytes().all(fits)
}
