//! `ERASE`: removing for good what somebody said, everywhere or in one room, after a look at how much it is. Server
//! operators do it with whom they name, and everybody with the own account.

use std::sync::Arc;

use chinwag_wire::extban::Pattern;
use chinwag_wire::message::Message;
use chinwag_wire::numeric::Numeric;

use super::deeds::note;
use super::reply::{asker, given, on_record};
use crate::asking::{Asking, Flow};
use crate::chat::{Chat, Room, User};
use crate::erasing::{Erasable, EraseQuery, Erasure};
use crate::event::Act;
use crate::ids::{Millis, RoomId};
use crate::line::Text;
use crate::pointed::{Answer, Question};
use crate::privileges::Privilege;

const NAME: &str = "ERASE";

/// For how long a preview can be carried out.
const PREVIEW_MS: Millis = 5 * 60_000;

/// Entries of the log that a preview looks at, the newest: up to about a tenth of a second's worth, and for server
/// operators a second's.
const LOOKS: u64 = 200_000;
const LOOKS_OPERATOR: u64 = 2_000_000;

/// What a session has seen and may carry out.
#[derive(Clone, Debug)]
pub struct Erasing {
    whom: Arc<str>,
    since_ms: Millis,
    room: Option<(RoomId, Arc<str>)>,
    until_ms: Millis,
}

/// `ERASE ME [<room>]`, `ERASE <account, nickname or mask> [<room>]`, `ERASE CONFIRM`, `ERASE`
pub(crate) fn erase(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    let Some(user) = asker(chat, asking) else { return Flow::Done };
    match message.params[..] {
        [] => list(chat, asking, user),
        [word] if word.eq_ignore_ascii_case("CONFIRM") => confirm(asking, user),
        [whom, ref rest @ ..] => look(chat, asking, user, whom, rest.first().copied()),
    }
}

fn say(asking: &mut Asking<'_>, code: &'static str, about: impl Into<Text>, text: impl Into<Text>) {
    note(asking, NAME, code, [about.into()], text.into());
}

/// Whether somebody may erase what others said.
fn everybodys(user: &User) -> bool {
    user.operator.as_ref().is_some_and(|operator| operator.privileges.contains(Privilege::Erase))
}

/// Who is meant, in full form, and since when; nothing when that may not be, and why is said.
fn whose(chat: &Chat, asking: &mut Asking<'_>, user: &User, whom: &str) -> Option<(Arc<str>, Millis)> {
    let own = user.who.account.as_ref().and_then(|account| chat.account(account));
    let me = whom.eq_ignore_ascii_case("ME");
    if let Some(own) = own.filter(|own| me || chat.mapping().same(&own.name, whom)) {
        // What whoever had the name before said is not theirs.
        return Some((format!("a:{}", own.name).into(), own.created_ms));
    }
    if me {
        let text = "You are in no account, so that nobody can tell what you said from what others said under your name";
        say(asking, "NO_ACCOUNT", "*", text);
        return None;
    }
    if !everybodys(user) {
        asking.refuse(Numeric::ERR_NOPRIVS, [Privilege::Erase.name().into()]);
        return None;
    }
    if let Some(account) = chat.account(whom) {
        return Some((format!("a:{}", account.name).into(), 0));
    }
    match Pattern::parse(whom, asking.settings.casemapping) {
        Ok(pattern) if !pattern.is_mute() => Some((pattern.as_str().into(), 0)),
        _ => {
            let text = "Say whose: an account, a nickname, nick!user@host, or a:account";
            say(asking, "INVALID_MASK", given(whom), text);
            None
        }
    }
}

/// Says how much it is, and remembers it.
fn look(chat: &Chat, asking: &mut Asking<'_>, user: &User, whom: &str, room: Option<&str>) -> Flow {
    let Some((whom, since_ms)) = whose(chat, asking, user, whom) else { return Flow::Done };
    let place = match room.map(|name| place(chat, user, name)) {
        None => None,
        Some(Some(room)) => Some((room.id, Arc::clone(&room.name))),
        Some(None) => {
            asking.refuse(Numeric::ERR_NOSUCHCHANNEL, [given(room.unwrap_or_default())]);
            return Flow::Done;
        }
    };
    let query = EraseQuery {
        whom: Arc::clone(&whom),
        mapping: asking.settings.casemapping,
        since_ms,
        room: place.as_ref().map(|(room, _)| *room),
        looks: if everybodys(user) { LOOKS_OPERATOR } else { LOOKS },
        until: chat.position(),
    };
    let Erasable { messages, rooms, more } = match asking.learn(Question::Erasable(query)) {
        Ok(Answer::Erasable(found)) => found,
        Ok(_) => return Flow::Done,
        Err(flow) => return flow,
    };
    let (least, s) = (if more { "at least " } else { "" }, if messages == 1 { "" } else { "s" });
    let text = match &place {
        Some((_, name)) => format!("{least}{messages} message{s} in {name}"),
        None => format!("{least}{messages} message{s} in {rooms} rooms and conversations"),
    };
    let text = format!(
        "{text} would be removed for good, with what they said before and with reactions: /erase confirm does it, and \
         nothing brings them back. What other people's programs have stored, they keep"
    );
    let until_ms = asking.now_ms + PREVIEW_MS;
    asking.session.erasing =
        Some(Box::new(Erasing { whom: Arc::clone(&whom), since_ms, room: place, until_ms }));
    say(asking, "PREVIEW", Text::from(&whom), text);
    Flow::Done
}

/// A room that may be named: one's own, or any, for those who act everywhere.
fn place<'c>(chat: &'c Chat, user: &User, name: &str) -> Option<&'c Room> {
    let found = chat.room_by_name(name).filter(|room| room.between.is_none());
    found.filter(|room| everybodys(user) || room.visible_to(user.id))
}

/// Does what was looked at.
fn confirm(asking: &mut Asking<'_>, user: &User) -> Flow {
    let now_ms = asking.now_ms;
    let Some(erasing) = asking.session.erasing.take().filter(|erasing| now_ms < erasing.until_ms) else {
        say(asking, "NO_PREVIEW", "*", "Look first at what would go: /erase me, or /erase <account>");
        return Flow::Done;
    };
    let Erasing { whom, since_ms, room, .. } = *erasing;
    let (room, place) = room.unzip();
    let about = Text::from(&whom);
    on_record(asking, user, Act::Erased { whom, since_ms, room, place });
    say(asking, "BEGUN", about, "It is being removed; /erase says how far it is");
    Flow::Done
}

/// How far it is, with what one may erase.
fn list(chat: &Chat, asking: &mut Asking<'_>, user: &User) -> Flow {
    let erasures = match asking.learn(Question::Erasures(chat.position())) {
        Ok(Answer::Erasures(erasures)) => erasures,
        Ok(_) => return Flow::Done,
        Err(flow) => return flow,
    };
    let all = everybodys(user);
    let own = user.who.account.as_ref().map(|account| format!("a:{account}"));
    for erasure in erasures.iter().rev().filter(|erasure| all || own.as_deref() == Some(&*erasure.whom)) {
        let text = told(chat, erasure);
        say(asking, "ERASURE", Text::from(&erasure.whom), text);
    }
    say(asking, "END", "*", "/erase me looks at what you said with your account");
    Flow::Done
}

fn told(chat: &Chat, erasure: &Erasure) -> String {
    let Erasure { seq, room, looked_at, gone, done, .. } = erasure;
    let place =
        room.and_then(|room| chat.room(room)).map_or(String::new(), |room| format!(" in {}", room.name));
    match done {
        true => format!("{gone} messages were removed{place}"),
        false => {
            let percent = looked_at.0.saturating_mul(100) / seq.0.max(1);
            format!("{gone} messages were removed{place}, {percent}% was looked at")
        }
    }
}
