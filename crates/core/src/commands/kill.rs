//! `KILL <nickname> [:<reason>]`: putting somebody off the server.

use std::sync::Arc;

use chinwag_wire::message::Message;
use chinwag_wire::numeric::Numeric;

use super::reply::{given, on_record, operator, too_long};
use crate::asking::{Asking, Flow};
use crate::chat::Chat;
use crate::event::{Act, Event};
use crate::privileges::Privilege;

/// `KILL <nickname> [:<reason>]`
pub(crate) fn kill(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    let Some(user) = operator(chat, asking, Privilege::Kill) else { return Flow::Done };
    let reason = message.params.get(1).filter(|reason| !reason.is_empty()).unwrap_or("no reason given");
    if reason.len() > asking.settings.kick_length {
        too_long(asking, "KILL", "REASON_TOO_LONG", "KICKLEN");
        return Flow::Done;
    }
    match chat.user_by_nick(message.params[0]) {
        Some(target) => {
            let (by, reason): (_, Arc<str>) = (Arc::clone(&user.who), reason.into());
            let whom = target.who.mask().into();
            on_record(asking, user, Act::Killed { whom, reason: Arc::clone(&reason) });
            asking.propose(Event::Killed { user: target.id, by, reason });
        }
        None => asking.refuse(Numeric::ERR_NOSUCHNICK, [given(message.params[0])]),
    }
    Flow::Done
}
