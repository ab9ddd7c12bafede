//! `REHASH`: having the configuration read again.

use chinwag_wire::message::Message;
use chinwag_wire::numeric::Numeric;

use super::reply::{on_record, operator};
use crate::asking::{Asking, Flow};
use crate::chat::Chat;
use crate::effect::Effect;
use crate::event::Act;
use crate::privileges::Privilege;

/// `REHASH`. What became of it is a notice, since reading may fail.
pub(crate) fn rehash(chat: &Chat, asking: &mut Asking<'_>, _message: &Message<'_>) -> Flow {
    if let Some(user) = operator(chat, asking, Privilege::Rehash) {
        on_record(asking, user, Act::Reread);
        asking.numeric(Numeric::RPL_REHASHING, ["configuration".into(), "Rehashing".into()]);
        asking.effects.push(Effect::Reread);
    }
    Flow::Done
}
