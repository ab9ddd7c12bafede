//! `TOPIC <room> [:<topic>]`: what a room is about.

use chinwag_wire::message::Message;
use chinwag_wire::numeric::Numeric;

use super::reply::{asker, given, too_long};
use crate::asking::{Asking, Flow};
use crate::chat::{Chat, topic_lines};
use crate::event::Event;
use crate::permissions::Action;

/// `TOPIC <room>` shows the topic, `TOPIC <room> :<topic>` sets it, an empty one takes it away.
pub(crate) fn topic(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    let Some(user) = asker(chat, asking) else { return Flow::Done };
    let name = message.params[0];
    let Some(room) = chat.room_by_name(name) else {
        asking.refuse(Numeric::ERR_NOSUCHCHANNEL, [given(name)]);
        return Flow::Done;
    };
    let shown = (&room.name).into();
    let Some(text) = message.params.get(1) else {
        if !room.visible_to(user.id) {
            asking.refuse(Numeric::ERR_NOTONCHANNEL, [shown]);
        } else if room.topic.is_none() {
            asking.refuse(Numeric::RPL_NOTOPIC, [shown]);
        } else {
            topic_lines(room).for_each(|line| asking.reply(line));
        }
        return Flow::Done;
    };
    if asking.pending.locked(room.id) {
        return Flow::Wait;
    }
    if text.len() > asking.settings.topic_length {
        too_long(asking, "TOPIC", "TOPIC_TOO_LONG", "TOPICLEN");
    } else if room.member(user.id).is_none() {
        asking.refuse(Numeric::ERR_NOTONCHANNEL, [shown]);
    } else if room.modes.topic_locked && !room.may(user.id, Action::SetTopic) {
        asking.refuse(Numeric::ERR_CHANOPRIVSNEEDED, [shown]);
    } else if room.topic.as_ref().map_or("", |topic| &topic.text) != text {
        let by = user.who.clone();
        asking.propose(Event::TopicSet { room: room.id, basis: room.rules, by, topic: text.into() });
    }
    Flow::Done
}
