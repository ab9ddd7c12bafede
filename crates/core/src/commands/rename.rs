//! `RENAME <room> <new name> [:<reason>]`: another name for a room. Everything else about it stays: its number, who
//! is in it, its modes, topic and history. The old name is free then.
//!
//! Specification: IRCv3 channel-rename.

use std::sync::Arc;

use chinwag_wire::message::Message;
use chinwag_wire::names::RoomName;
use chinwag_wire::numeric::Numeric;

use super::names::{self, UNASKED, Viewer};
use super::reply::{asker, fail, given, tell, too_long};
use crate::asking::{Asking, Flow};
use crate::chat::{Chat, Room, User, join_line, topic_lines};
use crate::effect::Effects;
use crate::event::Event;
use crate::ids::Millis;
use crate::line::{Line, Source, Text};
use crate::permissions::Action;

/// Members of a room that is still renamed. Those whose clients do not know of it are each shown the names of all,
/// so that the cost grows with the square.
const MEMBERS_MAX: usize = 1_000;

/// `RENAME <room> <new name> [:<reason>]`, by the room's operators.
pub(crate) fn rename(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    let Some(user) = asker(chat, asking) else { return Flow::Done };
    let (name, wanted) = (message.params[0], message.params[1]);
    let Some(room) = chat.room_by_name(name) else {
        asking.refuse(Numeric::ERR_NOSUCHCHANNEL, [given(name)]);
        return Flow::Done;
    };
    if asking.pending.locked(room.id) || asking.pending.opening(&chat.mapping().fold(wanted)) {
        return Flow::Wait;
    }
    let shown = Text::from(&room.name);
    if room.member(user.id).is_none() {
        asking.refuse(Numeric::ERR_NOTONCHANNEL, [shown]);
        return Flow::Done;
    }
    if !room.may(user.id, Action::Rename) {
        asking.refuse(Numeric::ERR_CHANOPRIVSNEEDED, [shown]);
        return Flow::Done;
    }
    let parsed = match RoomName::parse(wanted, asking.settings.channel_length) {
        Ok(parsed) if *parsed.as_str() == *room.name => {
            refuse(asking.effects, room, wanted, "CANNOT_RENAME", "That is its name already");
            return Flow::Done;
        }
        Ok(parsed) => parsed,
        Err(_) => {
            refuse(asking.effects, room, wanted, "CANNOT_RENAME", "That cannot be the name of a room");
            return Flow::Done;
        }
    };
    if let Some((code, text)) = chat.keeps_its_name(room, wanted) {
        refuse(asking.effects, room, wanted, code, text);
        return Flow::Done;
    }
    if room.members.len() > MEMBERS_MAX {
        refuse(asking.effects, room, wanted, "CANNOT_RENAME", "Too many people are in it");
        return Flow::Done;
    }
    let reason = message.params.get(2).unwrap_or("");
    if reason.len() > asking.settings.kick_length {
        too_long(asking, "RENAME", "REASON_TOO_LONG", "KICKLEN");
        return Flow::Done;
    }
    asking.propose(Event::RoomRenamed {
        room: room.id,
        basis: room.rules,
        by: Arc::clone(&user.who),
        old: Some(Arc::clone(&room.name)),
        name: parsed.arc(),
        reason: reason.into(),
    });
    Flow::Done
}

/// Says why a room is not renamed.
pub(crate) fn refuse(
    effects: &mut Effects,
    room: &Room,
    wanted: &str,
    code: &'static str,
    text: &'static str,
) {
    fail(effects, "RENAME", code, [Text::from(&room.name), given(wanted)], text);
}

impl Chat {
    /// Why a room cannot have another name, as code and text, as far as stored state says so.
    pub(crate) fn keeps_its_name(&self, room: &Room, wanted: &str) -> Option<(&'static str, &'static str)> {
        if room.common {
            return Some(("CANNOT_RENAME", "The server's own room keeps its name"));
        }
        let taken = self.room_by_name(wanted).is_some_and(|other| other.id != room.id);
        taken.then_some(("CHANNEL_NAME_IN_USE", "There is a room of that name"))
    }
}

/// What a session whose client does not know RENAME is told instead: that its user left the room of the old name and
/// entered that of the new one, which has been renamed by now.
pub fn fallback(
    chat: &Chat,
    (room, user): (&Room, &User),
    old: &Arc<str>,
    reason: &Arc<str>,
    at_ms: Millis,
    viewer: &Viewer<'_>,
    effects: &mut Effects,
) {
    let mut part = Line::new(Source::User(Arc::clone(&user.who)), "PART", [Text::from(old)]).at(at_ms);
    part.params.extend((!reason.is_empty()).then(|| Text::from(reason)));
    tell(effects, part);
    tell(effects, join_line(user, room).at(at_ms));
    topic_lines(room).for_each(|line| tell(effects, line));
    if !viewer.caps.intersects(UNASKED) {
        names::reply(chat, room, viewer, effects);
    }
}
