//! `QUIT [:<message>]`: leaving.

use std::sync::Arc;

use chinwag_wire::message::Message;

use crate::asking::{Asking, Flow};
use crate::chat::Chat;
use crate::effect::Effect;
use crate::event::Event;
use crate::session::Phase;

/// `QUIT :<message>`: the session ends; with the last session its user leaves.
pub(crate) fn quit(_chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    let text = message.params.first().copied().filter(|text| !text.is_empty());
    let reason: Arc<str> = text.map_or("Quit".into(), |text| format!("Quit: {text}").into());
    if let Some(user) = asking.session.user() {
        asking.propose(Event::Detached { user, session: asking.session.key, reason: Arc::clone(&reason) });
    }
    asking.session.phase = Phase::Closing;
    asking.effects.push(Effect::Close(reason));
    Flow::Done
}
