//! `AWAY [:<message>]`: being away, or back.
//!
//! Specification: also before registration, IRCv3 pre-away.

use std::sync::Arc;

use chinwag_wire::caps::Cap;
use chinwag_wire::message::Message;
use chinwag_wire::numeric::Numeric;

use super::reply::{asker, too_long};
use crate::asking::{Asking, Flow};
use crate::chat::{Chat, away_reply};
use crate::event::Event;
use crate::session::Phase;

/// `AWAY :<message>` while away, `AWAY` when back. A message of `*` says that nobody is there, for no reason that
/// people gave.
pub(crate) fn away(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    let text = message.params.first().copied().filter(|text| !text.is_empty());
    if text.is_some_and(|text| text.len() > asking.settings.away_length) {
        too_long(asking, "AWAY", "AWAY_TOO_LONG", "AWAYLEN");
        return Flow::Done;
    }
    let message: Option<Arc<str>> = text.map(Into::into);
    if let Some(user) = asker(chat, asking) {
        asking.propose(Event::Away { user: user.id, session: asking.session.key, message });
    } else if !asking.session.caps.contains(Cap::PreAway) {
        asking.refuse(Numeric::ERR_NOTREGISTERED, []);
    } else if let Phase::Greeting(greeting) = &mut asking.session.phase {
        let reply = away_reply(message.is_some());
        greeting.away = message;
        asking.reply(reply);
    }
    Flow::Done
}
