//! `RE <room> <message> :<text>` and `QUOTE <room> <message> [:<text>]`: messages about messages.
//!
//! Both are said like any other message, with the tag `+draft/reply` for those who know it. Whom an answer is for
//! is in its text as well, the way people have always written it: `ann: yes`.
//! Specification: <https://ircv3.net/specs/client-tags/reply>.

use std::sync::Arc;

use chinwag_wire::message::Message;

use super::deeds::{Aim, Deed, aim, deny, text_bytes_max, words};
use super::reply::{cut, given};
use crate::asking::{Asking, Flow};
use crate::chat::{Chat, reply_tags, without_action};
use crate::event::{Event, Said, SayKind};

/// `RE <room> <number or msgid> :<text>`
pub(crate) fn re(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    const NAME: &str = "RE";
    let (target, pointed) = (message.params[0], message.params[1]);
    let text = words(message, 2);
    if text.is_empty() {
        let about = [given(target), given(pointed)];
        return deny(asking, NAME, "INVALID_TEXT", about, "What is the answer?");
    }
    let aim = match aim(chat, asking, (NAME, Deed::Reply), target, pointed) {
        Ok(aim) => aim,
        Err(flow) => return flow,
    };
    let nick = &aim.found.row.by.nick;
    let named = text.get(..nick.len()).is_some_and(|start| start.eq_ignore_ascii_case(nick));
    let text = if named { text } else { format!("{nick}: {text}") };
    if text.len() > text_bytes_max(aim.user, aim.room, 0) {
        let about = [(&aim.room.name).into(), given(pointed)];
        return deny(asking, NAME, "INVALID_TEXT", about, "The answer is too long");
    }
    say(chat, asking, &aim, text);
    Flow::Done
}

/// `QUOTE <room> <number or msgid> [:<text>]`
pub(crate) fn quote(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    const NAME: &str = "QUOTE";
    let (target, pointed) = (message.params[0], message.params[1]);
    let aim = match aim(chat, asking, (NAME, Deed::Quote), target, pointed) {
        Ok(aim) => aim,
        Err(flow) => return flow,
    };
    let bytes_max = text_bytes_max(aim.user, aim.room, 0);
    let text = words(message, 2);
    if text.len() > bytes_max {
        let about = [(&aim.room.name).into(), given(pointed)];
        return deny(asking, NAME, "INVALID_TEXT", about, "The text is too long");
    }
    let (nick, said) = (&aim.found.row.by.nick, &aim.found.row.text);
    let bare = without_action(said);
    let line = bare.lines().next().unwrap_or("");
    let quoted =
        if bare.len() < said.len() { format!("> * {nick} {line}") } else { format!("> {nick}: {line}") };
    const MORE: &str = "…";
    let quoted = match (quoted.len() > bytes_max, line.len() < bare.len()) {
        (false, false) => quoted,
        _ => format!("{}{MORE}", cut(&quoted, bytes_max.saturating_sub(MORE.len()))),
    };
    say(chat, asking, &aim, quoted);
    if !text.is_empty() {
        say(chat, asking, &aim, text);
    }
    Flow::Done
}

/// Says something about the message, to those for whom it was.
fn say(chat: &Chat, asking: &mut Asking<'_>, aim: &Aim<'_>, text: String) {
    asking.propose(Event::Said(Arc::new(Said {
        room: aim.room.id,
        basis: aim.room.rules,
        user: aim.user.id,
        by: Arc::clone(&aim.user.who),
        kind: SayKind::Privmsg,
        text: text.into(),
        joins: None,
        direct: None,
        client_tags: Some(reply_tags(aim.msgid(chat)).into()),
        status: aim.status,
    })));
}
