//! `QUIT [:<message>]`: leaving.

use std::sync::Arc;

use chinwag_wire::message::Message;

use crate::asking::{Asking, Flow};
use crate::chat::Chat;
use crate::commands::reply::asker;
use crate::effect::Effect;
use crate::event::Event;
use crate::line::{Line, Source, Text};
use crate::session::{Door, Phase};

/// `QUIT :<message>`: the session ends; with the last session its user leaves. The session itself is shown its QUIT,
/// whether or not others are.
pub(crate) fn quit(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    let text = message.params.first().copied().filter(|text| !text.is_empty());
    let reason: Arc<str> = text.map_or("Quit".into(), |text| format!("Quit: {text}").into());
    if let Some(user) = asking.session.user() {
        let (session, stays) = (asking.session.key, chat.stays(asking.settings, user));
        asking.propose(Event::Detached { user, session, reason: Arc::clone(&reason), stays });
    }
    if let Some(user) = asker(chat, asking).filter(|_| asking.session.door == Door::Irc) {
        let line = Line::new(Source::User(Arc::clone(&user.who)), "QUIT", [Text::from(&reason)]);
        asking.reply(line);
    }
    asking.session.phase = Phase::Closing;
    asking.effects.push(Effect::Close(reason));
    Flow::Done
}
