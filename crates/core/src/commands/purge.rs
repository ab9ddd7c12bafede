//! `PURGE`: hiding many messages of a room at once, after a look at how many they are; bringing them back, or removing
//! them for good.

use std::sync::Arc;

use chinwag_wire::extban::Pattern;
use chinwag_wire::message::Message;
use chinwag_wire::numeric::Numeric;

use super::deeds::note;
use super::reply::{asker, given, too_long};
use super::time::stamp;
use crate::asking::{Asking, Flow};
use crate::chat::{Chat, PURGES_MAX, Room, User, about};
use crate::event::{Event, Purged, Purging};
use crate::ids::{Millis, Number, RoomId};
use crate::line::Text;
use crate::numbers::Numbers;
use crate::permissions::Action;
use crate::pointed::{Answer, Question};
use crate::privileges::Privilege;
use crate::records::{Sift, Sifted};
use crate::span::Span;

const NAME: &str = "PURGE";

/// Messages that are hidden at once.
const MESSAGES_MAX: u32 = 10_000;

/// So many messages or fewer are told one by one to clients that know how.
const TOLD_MAX: usize = 100;

/// Runs of numbers in one event: below 64 KiB however large the numbers are.
const RUNS_MAX: usize = 1_000;

/// For how long a preview can be carried out.
const PREVIEW_MS: Millis = 5 * 60_000;

/// People whose messages are counted by name in a preview.
const NAMED_MAX: usize = 10;

/// What a session has seen and may carry out.
#[derive(Clone, Debug)]
pub struct Preview {
    room: RoomId,
    whom: Arc<str>,
    since_ms: Millis,
    reason: Option<Arc<str>>,
    numbers: Numbers,
    positions: Vec<u64>,
    until_ms: Millis,
}

/// What was asked for.
enum Wanted<'a> {
    List,
    Look { whom: &'a str, span: Span, reason: String },
    Confirm,
    Undo(Option<u32>),
    Final(u32),
}

/// `PURGE <room> <mask> <duration> [:<reason>]`, `PURGE <room> CONFIRM`, `PURGE <room> UNDO [<number>]`,
/// `PURGE <room> FINAL <number>`, `PURGE <room>`
pub(crate) fn purge(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    let (user, room) = match keeper(chat, asking, message.params[0], Action::Purge) {
        Ok(found) => found,
        Err(flow) => return flow,
    };
    let Some(wanted) = wanted(&message.params[1..]) else {
        say(
            asking,
            room,
            "USAGE",
            "It is used like this: PURGE <room> <nickname or mask> <duration> [:<reason>]",
        );
        return Flow::Done;
    };
    match wanted {
        Wanted::List => list(asking, room),
        Wanted::Look { whom, span, reason } => return look(asking, room, whom, span, &reason),
        Wanted::Confirm => confirm(asking, user, room),
        Wanted::Undo(number) => end(asking, user, room, number, Purging::Undone),
        Wanted::Final(number) => end(asking, user, room, Some(number), Purging::Final),
    }
    Flow::Done
}

/// Who asks, and the room, if they may do this there: for their role, or as a server operator who acts in rooms.
/// Otherwise says why not.
pub(super) fn keeper<'a>(
    chat: &'a Chat,
    asking: &mut Asking<'_>,
    name: &str,
    action: Action,
) -> Result<(&'a User, &'a Room), Flow> {
    let user = asker(chat, asking).ok_or(Flow::Done)?;
    let everywhere =
        user.operator.as_ref().is_some_and(|operator| operator.privileges.contains(Privilege::Rooms));
    let found = chat.room_by_name(name).filter(|room| room.between.is_none());
    let Some(room) = found.filter(|room| everywhere || room.visible_to(user.id)) else {
        asking.refuse(Numeric::ERR_NOSUCHCHANNEL, [given(name)]);
        return Err(Flow::Done);
    };
    if asking.pending.locked(room.id) {
        return Err(Flow::Wait);
    }
    if !everywhere && !room.may(user.id, action) {
        let member = room.member(user.id).is_some();
        let why = if member { Numeric::ERR_CHANOPRIVSNEEDED } else { Numeric::ERR_NOTONCHANNEL };
        asking.refuse(why, [(&room.name).into()]);
        return Err(Flow::Done);
    }
    Ok((user, room))
}

fn wanted<'a>(params: &[&'a str]) -> Option<Wanted<'a>> {
    let is = |word: &str, name: &str| word.eq_ignore_ascii_case(name);
    match params {
        [] => Some(Wanted::List),
        [word] if is(word, "CONFIRM") => Some(Wanted::Confirm),
        [word] if is(word, "UNDO") => Some(Wanted::Undo(None)),
        [word, number] if is(word, "UNDO") && number.parse::<u32>().is_ok() => {
            Some(Wanted::Undo(number.parse().ok()))
        }
        [word, number] if is(word, "FINAL") && number.parse::<u32>().is_ok() => {
            number.parse().ok().map(Wanted::Final)
        }
        [whom, span, reason @ ..] => {
            Some(Wanted::Look { whom, span: Span::parse(span)?, reason: reason.join(" ") })
        }
        _ => None,
    }
}

fn say(asking: &mut Asking<'_>, room: &Room, code: &'static str, text: impl Into<Text>) {
    note(asking, NAME, code, [Text::from(&room.name)], text.into());
}

fn list(asking: &mut Asking<'_>, room: &Room) {
    for purge in &room.purges.open {
        let mut text =
            format!("Purge {}: {}, by {} at {}", purge.purge, purge.about(), purge.by, stamp(purge.at_ms));
        text.extend(purge.reason.iter().flat_map(|reason| [": ", reason]));
        say(asking, room, "OPEN", text);
    }
    let count = room.purges.open.len();
    let name = &room.name;
    say(
        asking,
        room,
        "END",
        match count {
            0 => "Nothing is purged here that could be brought back".to_owned(),
            _ => format!("{count} that can be brought back: /purge {name} undo <number>"),
        },
    );
}

/// Says what a purge would hide, and remembers it.
fn look(asking: &mut Asking<'_>, room: &Room, whom: &str, span: Span, reason: &str) -> Flow {
    if reason.len() > asking.settings.kick_length {
        too_long(asking, NAME, "REASON_TOO_LONG", "KICKLEN");
        return Flow::Done;
    }
    let pattern = match Pattern::parse(whom, asking.settings.casemapping) {
        Ok(pattern) if !pattern.is_mute() => pattern,
        Ok(_) => {
            say(
                asking,
                room,
                "INVALID_MASK",
                "A mask says who spoke: a nickname, nick!user@host, or a:account",
            );
            return Flow::Done;
        }
        Err(why) => {
            say(asking, room, "INVALID_MASK", why.to_string());
            return Flow::Done;
        }
    };
    let since_ms = asking.now_ms.saturating_sub(span.0);
    let question = Question::Sift(Sift {
        room: room.id,
        whom: pattern.as_str().into(),
        mapping: asking.settings.casemapping,
        span_ms: span.0,
        since_ms,
        first: room.history_from,
        last: room.head,
        limit: MESSAGES_MAX,
    });
    let sifted = match asking.learn(question) {
        Ok(Answer::Sifted(sifted)) => sifted,
        Ok(_) => return Flow::Done,
        Err(flow) => return flow,
    };
    asking.session.preview = None;
    let whom: Arc<str> = pattern.as_str().into();
    if sifted.found.is_empty() {
        say(asking, room, "NONE", format!("Nothing was said by {whom} in the last {span}"));
        return Flow::Done;
    }
    let until_ms = asking.now_ms + PREVIEW_MS;
    let reason: Option<Arc<str>> = (!reason.is_empty()).then(|| reason.into());
    let (numbers, positions) = taken(&sifted);
    let preview = Preview { room: room.id, whom, since_ms, reason, numbers, positions, until_ms };
    shown(asking, room, &preview, &sifted, span);
    asking.session.preview = Some(Box::new(preview));
    Flow::Done
}

/// The numbers of what was found, and the positions of those that everybody saw, where they are few.
fn taken(sifted: &Sifted) -> (Numbers, Vec<u64>) {
    let numbers = sifted.found.iter().map(|message| message.number).collect();
    let few = sifted.found.len() <= TOLD_MAX;
    let seen = sifted.found.iter().filter(|message| few && message.shown);
    (numbers, seen.map(|message| message.seq.0).collect())
}

fn shown(asking: &mut Asking<'_>, room: &Room, preview: &Preview, sifted: &Sifted, span: Span) {
    let mut text = format!("{} in the last {span}", about(&preview.whom, &preview.numbers));
    let named = sifted.by.iter().take(NAMED_MAX);
    let mut named: Vec<String> = named.map(|(nick, count)| format!("{nick} {count}")).collect();
    if sifted.by.len() > NAMED_MAX {
        named.push(format!("and {} more", sifted.by.len() - NAMED_MAX));
    }
    text.push_str(&format!(" ({})", named.join(", ")));
    say(asking, room, "PREVIEW", text);
    if sifted.more {
        let text = format!(
            "There may be older ones: at most {MESSAGES_MAX} are hidden at once; repeat it for the rest"
        );
        say(asking, room, "MORE", text);
    }
    let text = format!("To hide them: /purge {} confirm (within {})", room.name, Span(PREVIEW_MS));
    say(asking, room, "CONFIRM", text);
}

/// Carries out what was seen.
fn confirm(asking: &mut Asking<'_>, user: &User, room: &Room) {
    let now_ms = asking.now_ms;
    let preview = asking.session.preview.take();
    let fresh = preview.filter(|preview| preview.room == room.id && now_ms < preview.until_ms);
    let Some(preview) = fresh else {
        let text = "Nothing to confirm: say first what is meant, as /purge <nickname> 10m";
        return say(asking, room, "NO_PREVIEW", text);
    };
    if room.purges.open.len() >= PURGES_MAX {
        let text = format!("There are {PURGES_MAX} purges that can be undone; make an old one final first");
        return say(asking, room, "TOO_MANY_PURGES", text);
    }
    let Preview { whom, since_ms, reason, numbers, positions, .. } = *preview;
    // Somebody else may have hidden some of them meanwhile.
    let left = |number: &Number| *number >= room.history_from && !room.is_gone(*number);
    let numbers: Numbers = numbers.iter().filter(left).collect();
    if numbers.is_empty() {
        return say(asking, room, "NONE", "They are gone already");
    }
    let purge = room.purges.made + 1;
    let pieces = numbers.pieces(RUNS_MAX);
    let count = pieces.len();
    let mut positions = Some(positions);
    for (basis, (at, numbers)) in (room.rules..).zip(pieces.enumerate()) {
        let more = at + 1 < count;
        let what = Purging::Hidden {
            whom: Arc::clone(&whom),
            since_ms,
            reason: reason.clone(),
            numbers,
            positions: positions.take_if(|_| !more).unwrap_or_default(),
            more,
        };
        asking.propose(purged(user, room, basis, purge, what));
    }
}

fn purged(user: &User, room: &Room, basis: u32, purge: u32, what: Purging) -> Event {
    let by = Arc::clone(&user.who);
    Event::Purged(Arc::new(Purged { room: room.id, basis, purge, user: user.id, by, what }))
}

/// Brings back what a purge has hidden, the last one's if none is named; or removes it for good.
fn end(asking: &mut Asking<'_>, user: &User, room: &Room, number: Option<u32>, what: Purging) {
    let open = &room.purges.open;
    let found = match number {
        Some(number) => open.iter().find(|purge| purge.purge == number),
        None => open.last(),
    };
    match found {
        Some(found) => asking.propose(purged(user, room, room.rules, found.purge, what)),
        None => {
            let text =
                format!("There is no such purge that could be undone; /purge {} lists them", room.name);
            say(asking, room, "NO_SUCH_PURGE", text);
        }
    }
}
