//! `MARKREAD <room or nickname> [timestamp=<time>]`: up to when somebody has read.
//!
//! Specification: IRCv3 read-marker.

use std::sync::Arc;

use chinwag_wire::caps::Cap;
use chinwag_wire::message::Message;
use chinwag_wire::names::Nick;
use chinwag_wire::time::{format_millis, parse_rfc3339_millis};

use super::reply::{asker, fail, given, line, tell};
use crate::asking::{Asking, Flow};
use crate::chat::{Chat, Marks, Reading, Room, User};
use crate::effect::{Effect, Effects, To};
use crate::event::{Event, ReadMarked};
use crate::ids::Millis;
use crate::line::{Line, Text};

const VERB: &str = "MARKREAD";

/// `MARKREAD <target>` shows a mark, `MARKREAD <target> timestamp=<time>` moves it on. It never goes back.
pub(crate) fn markread(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    let Some(user) = asker(chat, asking) else { return Flow::Done };
    let (name, to) = match message.params[..] {
        [name] => (name, None),
        [name, to, ..] => (name, Some(to)),
        [] => {
            fail(asking.effects, VERB, "NEED_MORE_PARAMS", [], "Missing parameters");
            return Flow::Done;
        }
    };
    let marks = chat.marks_of(user);
    let Some((reading, target)) = reading(chat, asking, user, name) else {
        match to {
            // Nothing was ever read of a room that is not there.
            None if name.starts_with('#') => tell(asking.effects, mark_line(given(name), None)),
            _ => fail(asking.effects, VERB, "INVALID_PARAMS", [given(name)], "There is no such target"),
        }
        return Flow::Done;
    };
    let known = marks.get(&reading);
    let Some(to) = to else {
        tell(asking.effects, mark_line(target.into(), known));
        return Flow::Done;
    };
    let Some(to_ms) = to.strip_prefix("timestamp=").and_then(parse_rfc3339_millis) else {
        let about = [given(name), given(to)];
        fail(asking.effects, VERB, "INVALID_PARAMS", about, "A mark is timestamp=YYYY-MM-DDThh:mm:ss.sssZ");
        return Flow::Done;
    };
    // Nothing has been read that has not been said yet.
    let to_ms = to_ms.min(asking.now_ms);
    if known.is_some_and(|known| known >= to_ms) {
        tell(asking.effects, mark_line(target.into(), known));
        return Flow::Done;
    }
    let in_place_of = marks.in_place_of(&reading);
    let account = user.who.account.clone();
    let mark = ReadMarked { account, user: user.id, reading, target, to_ms, in_place_of };
    asking.propose(Event::ReadMarked(Arc::new(mark)));
    Flow::Done
}

/// What a name means to somebody, and how it is written.
fn reading(chat: &Chat, asking: &Asking<'_>, user: &User, name: &str) -> Option<(Reading, Arc<str>)> {
    if name.starts_with('#') {
        let room = chat.room_by_name(name).filter(|room| room.visible_to(user.id))?;
        return Some((Reading::Room(room.id), Arc::clone(&room.name)));
    }
    let nick = Nick::parse(name, asking.settings.nick_length).ok()?;
    let shown = chat.user_by_nick(name).map_or_else(|| nick.arc(), |user| Arc::clone(&user.who.nick));
    Some((Reading::Person(chat.mapping().fold(name)), shown))
}

/// `MARKREAD`, as the server says it.
fn mark_line(target: Text, mark: Option<Millis>) -> Line {
    let mark = match mark {
        None => Text::Static("*"),
        Some(at_ms) => {
            let mut text = b"timestamp=".to_vec();
            format_millis(at_ms, &mut text);
            Text::from(String::from_utf8_lossy(&text).into_owned())
        }
    };
    line(VERB, [target, mark])
}

/// What a session with `draft/read-marker` is told when its user has come into a room, before the names.
pub fn on_join(chat: &Chat, user: &User, room: &Room, effects: &mut Effects) {
    let mark = chat.marks_of(user).get(&Reading::Room(room.id));
    tell(effects, mark_line((&room.name).into(), mark));
}

impl Chat {
    /// What somebody has read: kept with the account, or with the guest.
    pub fn marks_of<'a>(&'a self, user: &'a User) -> &'a Marks {
        let account = user.who.account.as_ref().and_then(|account| self.account(account));
        account.map_or(&user.marks, |account| &account.marks)
    }

    /// The mark after somebody has read something, for those who are to know of it.
    pub(crate) fn tell_mark(&self, mark: &ReadMarked, now_ms: Millis, effects: &mut Effects) {
        let line = mark_line((&mark.target).into(), Some(now_ms));
        tell(effects, line.clone());
        let (to, line) = (To::OtherSessions(mark.user), line.needing(Cap::ReadMarker));
        effects.push(Effect::Send { to, author: None, except: None, line });
    }
}
