//! `RELAYMSG <room> <nickname> :<text>`: a bridge says in a room what somebody said elsewhere, under that person's name.
//! The name has a separator in it that no nickname here can have, so that nobody here is ever mistaken for it.
//!
//! Specification: <https://github.com/ergochat/ergo/blob/master/docs/MANUAL.md>, "RELAYMSG".

use std::sync::Arc;

use chinwag_wire::message::Message;
use chinwag_wire::names::RelayedNick;
use chinwag_wire::numeric::Numeric;
use chinwag_wire::tags::escape;

use super::privmsg::{client_tags, is_query};
use super::reply::{asker, fail, given};
use crate::asking::{Asking, Flow};
use crate::chat::{Chat, Room, User};
use crate::event::{Event, RELAYED_BY, Said, SayKind, Who};
use crate::permissions::Action;

/// Bytes of the name under which something is relayed.
const NICK_BYTES_MAX: usize = 64;

/// The user name shown for it.
const USERNAME: &str = "~relay";

/// `RELAYMSG <room> <nickname> :<text>`, by the room's operators.
pub(crate) fn relaymsg(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    let Some(user) = asker(chat, asking) else { return Flow::Done };
    let (name, nick, text) = (message.params[0], message.params[1], message.params[2]);
    if asking.settings.relay_separators.is_empty() {
        fail(asking.effects, "RELAYMSG", "NOT_ENABLED", [], "Relayed messages are not allowed here");
        return Flow::Done;
    }
    let Some(room) = chat.room_by_name(name) else {
        asking.refuse(Numeric::ERR_NOSUCHCHANNEL, [given(name)]);
        return Flow::Done;
    };
    if asking.pending.locked(room.id) {
        return Flow::Wait;
    }
    let by = match relayed(asking, room, user, nick, text) {
        Ok(by) => Arc::new(by),
        Err((code, text)) => {
            fail(asking.effects, "RELAYMSG", code, [], text);
            return Flow::Done;
        }
    };
    let mut tags = format!("{RELAYED_BY}=").into_bytes();
    escape(&user.who.nick, &mut tags);
    let mut tags = String::from_utf8(tags).unwrap_or_default();
    if let Some(more) = client_tags(asking, message) {
        tags.extend([";", &more]);
    }
    asking.propose(Event::Said(Arc::new(Said {
        room: room.id,
        basis: room.rules,
        user: user.id,
        by,
        kind: SayKind::Privmsg,
        text: text.into(),
        joins: None,
        client_tags: Some(tags.into()),
        status: None,
        direct: None,
    })));
    Flow::Done
}

/// As whom it is said; or why not, as code and text.
fn relayed(
    asking: &Asking<'_>,
    room: &Room,
    user: &User,
    nick: &str,
    text: &str,
) -> Result<Who, (&'static str, &'static str)> {
    if !asking.settings.relay_by_operators || !room.may(user.id, Action::Relay) {
        return Err(("PRIVS_NEEDED", "You may not relay messages to this room"));
    }
    if text.trim().is_empty() {
        return Err(("BLANK_MSG", "There is nothing in it"));
    }
    if is_query(text) {
        return Err(("INVALID_MSG", "CTCP is not relayed"));
    }
    let separators = &asking.settings.relay_separators;
    let Ok(nick) = RelayedNick::parse(nick, NICK_BYTES_MAX, separators) else {
        return Err(("INVALID_NICK", "A relayed nickname holds one of the separators, and no ! or @"));
    };
    let by = Who { nick: nick.arc(), user: USERNAME.into(), host: Arc::clone(&user.who.host), account: None };
    if room.silences(&by) {
        return Err(("BANNED", "That nickname is banned from the room"));
    }
    Ok(by)
}
