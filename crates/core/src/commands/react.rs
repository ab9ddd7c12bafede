//! `REACT <room> <message> <reaction>` and `UNREACT`: a sign at a message. The same as a `TAGMSG` with the tags
//! `+draft/react` and `+draft/reply`.
//!
//! Specification: <https://ircv3.net/specs/client-tags/react>.

use std::sync::Arc;

use chinwag_wire::message::Message;
use chinwag_wire::names::MsgId;

use super::deeds::{Aim, Deed, aim, deny, pointer, words};
use super::reply::{asker, given};
use crate::asking::{Asking, Flow};
use crate::chat::Chat;
use crate::event::Amendment;
use crate::pointed::Lookup;

/// Bytes of a reaction that is kept.
pub const REACTION_BYTES_MAX: usize = 64;

/// `REACT <room> <number or msgid> <reaction>`
pub(crate) fn react(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    by_command(chat, asking, message, "REACT", true)
}

/// `UNREACT <room> <number or msgid> <reaction>`
pub(crate) fn unreact(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    by_command(chat, asking, message, "UNREACT", false)
}

fn by_command(
    chat: &Chat,
    asking: &mut Asking<'_>,
    message: &Message<'_>,
    verb: &'static str,
    set: bool,
) -> Flow {
    let (target, pointed) = (message.params[0], message.params[1]);
    let reaction = words(message, 2);
    if !is_short(&reaction) {
        let about = [given(target), given(pointed)];
        return deny(asking, verb, "INVALID_REACTION", about, "A reaction is a sign or a few words");
    }
    match aim(chat, asking, (verb, Deed::React), target, pointed) {
        Ok(aim) => {
            asking.propose(aim.amended(Amendment::Reacted { reaction: reaction.into(), set }, None));
            Flow::Done
        }
        Err(flow) => flow,
    }
}

/// What a `TAGMSG` to a room says, if it is a reaction to a message that is kept: then it is kept as well.
/// None for anything else, which is handed on as it is.
pub(super) fn by_tags(
    chat: &Chat,
    asking: &mut Asking<'_>,
    message: &Message<'_>,
    tags: &Arc<str>,
) -> Option<Flow> {
    let tag = |name| message.tags.get(name).filter(|value| !value.is_empty());
    let msgid = tag("+draft/reply").or_else(|| tag("+reply"))?;
    let react = tag("+draft/react").or_else(|| tag("+react"));
    let unreact = tag("+draft/unreact").or_else(|| tag("+unreact"));
    let (reaction, set) = match (&react, &unreact) {
        (Some(reaction), None) => (reaction, true),
        (None, Some(reaction)) => (reaction, false),
        _ => return None,
    };
    let (user, room) = (asker(chat, asking)?, chat.room_by_name(message.params[0])?);
    let of = msgid.parse::<MsgId>().ok().and_then(|_| pointer(chat, &msgid))?;
    if !is_short(reaction) || room.member(user.id).is_none() || !Deed::React.allowed(room, user, false) {
        return None;
    }
    let found = match asking.look(Lookup { room: room.id, of, last: room.head }) {
        Ok(found) => found?,
        Err(flow) => return Some(flow),
    };
    if !found.heard_by(user, room) || room.is_gone(found.row.number) {
        return None;
    }
    let what = Amendment::Reacted { reaction: (&**reaction).into(), set };
    asking.propose(Aim::new(user, room, found).amended(what, Some(Arc::clone(tags))));
    Some(Flow::Done)
}

/// Whether a reaction is one that is kept.
fn is_short(reaction: &str) -> bool {
    !reaction.is_empty() && reaction.len() <= REACTION_BYTES_MAX && !reaction.contains(char::is_control)
}
