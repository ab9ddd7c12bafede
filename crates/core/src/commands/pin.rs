//! `PIN <room> <message>`, `UNPIN <room> <message>` and `PINS <room>`: the messages that a room points out.

use chinwag_wire::message::Message;

use super::deeds::{Deed, aim, deny, note};
use super::reply::{asker, given};
use crate::asking::{Asking, Flow};
use crate::chat::{Chat, PINS_MAX};
use crate::effect::Effect;
use crate::event::Amendment;
use crate::history::{Asked, Part, Show};
use crate::line::Text;

/// `PIN <room> <number or msgid>`
pub(crate) fn pin(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    change(chat, asking, message, "PIN", true)
}

/// `UNPIN <room> <number or msgid>`
pub(crate) fn unpin(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    change(chat, asking, message, "UNPIN", false)
}

fn change(
    chat: &Chat,
    asking: &mut Asking<'_>,
    message: &Message<'_>,
    verb: &'static str,
    set: bool,
) -> Flow {
    let aim = match aim(chat, asking, (verb, Deed::Pin), message.params[0], message.params[1]) {
        Ok(aim) => aim,
        Err(flow) => return flow,
    };
    let about = || [Text::from(&aim.room.name), given(message.params[1])];
    let pinned = aim.room.pins.contains(&aim.found.row.number);
    if pinned == set {
        let text = if set { "This message is pinned already" } else { "This message is not pinned" };
        return deny(asking, verb, "NO_CHANGE", about(), text);
    }
    if set && aim.room.pins.len() >= PINS_MAX {
        return deny(
            asking,
            verb,
            "TOO_MANY_PINS",
            about(),
            "This room has as many pinned messages as it can",
        );
    }
    asking.propose(aim.amended(Amendment::Pinned { set }, None));
    Flow::Done
}

/// `PINS <room>`: each as a note for who asks.
pub(crate) fn pins(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    const NAME: &str = "PINS";
    let Some(user) = asker(chat, asking) else { return Flow::Done };
    let target = message.params[0];
    let Some(room) = chat.room_by_name(target).filter(|room| room.member(user.id).is_some()) else {
        return deny(asking, NAME, "INVALID_TARGET", [given(target)], "You are not in this room");
    };
    if room.pins.is_empty() {
        note(asking, NAME, "NONE", [Text::from(&room.name)], "Nothing is pinned here".into());
        return Flow::Done;
    }
    let limit = u32::try_from(room.pins.len()).unwrap_or(u32::MAX);
    let asked = Asked { part: Part::Latest(None), limit, events: false, clock: false, batch: "pins".into() };
    let mut query = chat.ask_history(user, room, room.name.clone(), asked);
    query.show = Show::Pins(room.pins.as_slice().into());
    asking.effects.push(Effect::History(Box::new(query)));
    Flow::Done
}
