//! `WALLOPS :<text>`: something for everybody who listens (user mode `w`).

use std::sync::Arc;

use chinwag_wire::message::Message;
use chinwag_wire::numeric::Numeric;

use super::reply::operator;
use crate::asking::{Asking, Flow};
use crate::chat::Chat;
use crate::event::Event;
use crate::privileges::Privilege;

/// `WALLOPS :<text>`
pub(crate) fn wallops(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    let Some(user) = operator(chat, asking, Privilege::Wallops) else { return Flow::Done };
    let text = message.params[0];
    if text.is_empty() {
        asking.refuse(Numeric::ERR_NEEDMOREPARAMS, ["WALLOPS".into()]);
    } else {
        asking.propose(Event::Announced { by: Arc::clone(&user.who), text: text.into() });
    }
    Flow::Done
}
