//! `PART <room>{,<room>} [:<reason>]`: leaving rooms.

use std::sync::Arc;

use chinwag_wire::message::Message;
use chinwag_wire::numeric::Numeric;

use super::reply::{asker, given};
use crate::asking::{Asking, Flow};
use crate::chat::Chat;
use crate::event::Event;

/// `PART <room>{,<room>} [:<reason>]`
pub(crate) fn part(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    let Some(user) = asker(chat, asking) else { return Flow::Done };
    let reason: Option<Arc<str>> = message.params.get(1).filter(|reason| !reason.is_empty()).map(Arc::from);
    let mut left = Vec::new();
    for name in message.params[0].split(',').filter(|name| !name.is_empty()) {
        match chat.room_by_name(name) {
            None => asking.refuse(Numeric::ERR_NOSUCHCHANNEL, [given(name)]),
            Some(room) if room.member(user.id).is_none() || left.contains(&room.id) => {
                asking.refuse(Numeric::ERR_NOTONCHANNEL, [(&room.name).into()]);
            }
            Some(room) => {
                left.push(room.id);
                asking.propose(Event::Parted { user: user.id, room: room.id, reason: reason.clone() });
            }
        }
    }
    Flow::Done
}
