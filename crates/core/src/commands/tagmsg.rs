//! `@+<tag>[=<value>]{;…} TAGMSG <target>{,<target>}`: tags without a text (typing, reactions). Kept only
//! when the server is configured to keep such tags.
//!
//! Specification: IRCv3 message tags.

use std::sync::Arc;

use chinwag_wire::caps::Cap;
use chinwag_wire::message::Message;
use chinwag_wire::numeric::Numeric;
use chinwag_wire::tags::Tags;

use super::privmsg::{
    Body, Person, TARGETS_MAX, Target, client_tags, converse, keeps as keeps_direct, known, pass, reachable,
    target,
};
use super::react;
use super::reply::{asker, given};
use crate::asking::{Asking, Flow};
use crate::chat::Chat;
use crate::event::{Event, PassedTo, Tagged};
use crate::settings::{Settings, StoreTagmsg};

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
    if let Some(tags) = &body.client_tags
        && let Some(flow) = react::by_tags(chat, asking, message, tags)
    {
        return flow;
    }
    for name in targets.split(',').filter(|name| !name.is_empty()) {
        let found = target(chat, user, name).and_then(|target| known(chat, asking, user, target));
        let to = match found {
            Ok(Target::Room(room, status)) if keeps(asking.settings, &body) => {
                let client_tags = body.client_tags.clone().unwrap_or_default();
                let (basis, by) = (room.rules, Arc::clone(&user.who));
                let tagged =
                    Tagged { room: room.id, basis, user: user.id, by, client_tags, status, direct: None };
                asking.propose(Event::Tagged(Arc::new(tagged)));
                continue;
            }
            Ok(Target::Room(room, status)) => PassedTo::Room { room: room.id, status },
            Ok(Target::Person(person))
                if keeps(asking.settings, &body) && keeps_direct(asking, user, &person) =>
            {
                let (room, direct) = converse(chat, asking, user, person);
                let client_tags = body.client_tags.clone().unwrap_or_default();
                let (user, by, direct) = (user.id, Arc::clone(&user.who), Some(direct));
                let tagged = Tagged { room, basis: 0, user, by, client_tags, status: None, direct };
                asking.propose(Event::Tagged(Arc::new(tagged)));
                continue;
            }
            Ok(Target::Person(Person { user: Some(other), .. })) => {
                PassedTo::User { user: other.id, nick: Arc::clone(&other.who.nick) }
            }
            Ok(Target::Person(_)) => {
                asking.refuse(Numeric::ERR_NOSUCHNICK, [given(name)]);
                continue;
            }
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

/// Whether these tags are kept, with what was said: such as the configuration names, but never that somebody is
/// typing.
fn keeps(settings: &Settings, body: &Body) -> bool {
    let Some(tags) = &body.client_tags else { return false };
    let mut keys = Tags::new(tags).raw_tags().map(|tag| tag.key);
    match &settings.store_tagmsg {
        StoreTagmsg::Nothing => false,
        StoreTagmsg::With(names) => keys.any(|key| names.iter().any(|name| **name == *key)),
        StoreTagmsg::Everything => !keys.all(|key| matches!(key, "+typing" | "+draft/typing")),
    }
}
