//! `AWAY [:<message>]`: being away, or back.

use chinwag_wire::message::Message;

use super::reply::{asker, cut};
use crate::asking::{Asking, Flow};
use crate::chat::Chat;
use crate::event::Event;

/// `AWAY :<message>` while away, `AWAY` when back.
pub(crate) fn away(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    let Some(user) = asker(chat, asking) else { return Flow::Done };
    let text = message.params.first().copied().filter(|text| !text.is_empty());
    let message = text.map(|text| cut(text, asking.settings.away_length).into());
    asking.propose(Event::Away { user: user.id, message });
    Flow::Done
}
