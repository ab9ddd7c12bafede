//! `EDIT <room> <message> :<text>`, or `@draft/target-msgid=…;draft/edit-text=… EDIT <room>`: a message reads
//! differently from now on.
//!
//! Specification: the draft "message editing" (<https://github.com/ircv3/ircv3-specifications/pull/425>).

use chinwag_wire::message::Message;

use super::deeds::{Deed, aim, deny, text_bytes_max, words};
use super::reply::given;
use crate::asking::{Asking, Flow};
use crate::chat::{Chat, without_action};
use crate::event::Amendment;

const NAME: &str = "EDIT";

/// The longest words that are put around the new text: an action, "edited", a number.
const AROUND: usize = "\u{1}ACTION edited [1234567890]: \u{1}".len();

/// `EDIT <room> <number or msgid> :<text>`
pub(crate) fn edit(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    let target = message.params[0];
    let tagged = message.tags.get("draft/target-msgid");
    let (pointed, text) = match &tagged {
        Some(msgid) => (&**msgid, message.tags.get("draft/edit-text").unwrap_or_default().into_owned()),
        None => (message.params.get(1).unwrap_or(""), words(message, 2)),
    };
    if pointed.is_empty() {
        return deny(asking, NAME, "INVALID_EDIT", [given(target)], "Which message, and how is it to read?");
    }
    let aim = match aim(chat, asking, (NAME, Deed::Edit), target, pointed) {
        Ok(aim) => aim,
        Err(flow) => return flow,
    };
    let about = [(&aim.room.name).into(), given(pointed)];
    if text.is_empty() || text.contains(['\r', '\n', '\0']) {
        return deny(asking, NAME, "INVALID_EDIT", about, "A message has one line of text");
    }
    if text.len() > text_bytes_max(aim.user, aim.room, AROUND) {
        return deny(asking, NAME, "INVALID_EDIT", about, "The new text is too long");
    }
    // What was an action stays one.
    let action = without_action(&aim.found.row.text).len() < aim.found.row.text.len();
    let text = if action { format!("\u{1}ACTION {}\u{1}", without_action(&text)) } else { text };
    if *aim.found.row.text != text {
        asking.propose(aim.amended(Amendment::Edited { text: text.into() }, None));
    }
    Flow::Done
}
