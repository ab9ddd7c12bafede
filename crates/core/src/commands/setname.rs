//! `SETNAME :<realname>`: another real name.
//!
//! Specification: <https://ircv3.net/specs/extensions/setname>.

use chinwag_wire::limits::REALNAME_BYTES_MAX;
use chinwag_wire::message::Message;

use super::registration::REALNAME_TOO_LONG;
use super::reply::{asker, fail};
use crate::asking::{Asking, Flow};
use crate::chat::Chat;
use crate::event::Event;

/// `SETNAME :<realname>`
pub(crate) fn setname(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    let Some(user) = asker(chat, asking) else { return Flow::Done };
    let realname = message.params[0];
    if realname.len() > REALNAME_BYTES_MAX {
        fail(asking.effects, "SETNAME", "INVALID_REALNAME", [], REALNAME_TOO_LONG);
    } else if realname.trim().is_empty() {
        fail(asking.effects, "SETNAME", "INVALID_REALNAME", [], "A real name is not empty");
    } else {
        asking.propose(Event::NewRealname { user: user.id, realname: realname.into() });
    }
    Flow::Done
}
