//! `@+<tag>[=<value>]{;…} TAGMSG <target>{,<target>}`: tags without a text (typing, reactions). Never kept.
//!
//! Specification: IRCv3 message tags.

use std::sync::Arc;

use chinwag_wire::caps::Cap;
use chinwag_wire::message::Message;
use chinwag_wire::numeric::Numeric;

use super::privmsg::{Body, TARGETS_MAX, Target, client_tags, pass, reachable, target};
use super::reply::{asker, given};
use crate::asking::{Asking, Flow};
use crate::chat::Chat;
use crate::event::PassedTo;

/// `TAGMSG <target>{,<target>}`, for sessions with `message-tags`.
pub(crate) fn tagmsg(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    let Some(user) = asker(chat, asking) else { return Flow::Done };
    if !asking.session.caps.contains(Cap::MessageTags) {
        asking.refuse(Numeric::ERR_UNKNOWNCOMMAND, ["TAGMSG".into()]);
        return Flow::Done;
    }
    let targets = message.params[0];
    if !reachable(chat, asking, targets) {
        return Flow::Wait;
    }
    if targets.split(',').count() > TARGETS_MAX {
        asking.refuse(Numeric::ERR_TOOMANYTARGETS, [given(targets)]);
        return Flow::Done;
    }
    // Without a client-only tag there is nothing to hand on.
    let body = Body { text: "".into(), joins: None, client_tags: client_tags(asking, message) };
    for name in targets.split(',').filter(|name| !name.is_empty()) {
        let to = match target(chat, user, name) {
            Ok(Target::Room(room, status)) => PassedTo::Room { room: room.id, status },
            Ok(Target::User(other)) => PassedTo::User { user: other.id, nick: Arc::clone(&other.who.nick) },
            Err(refused) => {
                refused.tell(asking);
                continue;
            }
        };
        if body.client_tags.is_some() {
            pass(asking, user, to, None, &body);
        }
    }
    Flow::Done
}
