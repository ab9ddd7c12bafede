//! `CHATHISTORY <subcommand> <target> <reference> [<reference>] <limit>`: what was said.
//!
//! Specification: IRCv3 `draft/chathistory`. What is asked of a room becomes a [`Query`] that the driver
//! answers from the archive; `TARGETS` is answered here, from what the chat knows.

use std::sync::Arc;

use chinwag_wire::caps::Cap;
use chinwag_wire::message::Message;
use chinwag_wire::names::{MsgId, Opened};
use chinwag_wire::time::parse_rfc3339_millis;

use chinwag_log::Seq;

use crate::asking::{Asking, Flow};
use crate::chat::{Chat, Room, User};
use crate::commands::reply::{fail, given, line};
use crate::commands::time::stamp;
use crate::effect::Effect;
use crate::history::{self, Anchor, Asked, Part, Show};
use crate::ids::{Millis, Number};
use crate::line::Text;
use crate::pointed::{Lookup, Pointer};
use crate::settings::Settings;

const NAME: &str = "CHATHISTORY";

/// A tag with which a request asks for the numbers of the messages as part of the answer.
const NUMBERS_TAG: &str = "chinwag.internal/numbers";

/// A kind of reference: the number of a message in its room.
const NUMBER_REFERENCE: &str = "chinwag.internal/number";

/// Why a question is refused: the code of the standard reply, what it is about, and the text.
struct Refusal {
    code: &'static str,
    about: Vec<Text>,
    text: &'static str,
}

/// A question as it was sent, its subcommand known.
struct Question<'a> {
    /// As given back in errors.
    subcommand: &'static str,
    /// What follows it.
    params: &'a [&'a str],
    /// The numbers of the messages are wanted, too: said by a tag of the request.
    numbered: bool,
    /// The message whose number is the first reference, if there is one.
    by_number: Option<Seq>,
}

/// `CHATHISTORY <subcommand> …`
pub(crate) fn chathistory(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    let by_number = match by_number(chat, asking, message) {
        Ok(found) => found,
        Err(flow) => return flow,
    };
    if let Err(refusal) = answer(chat, asking, message, by_number) {
        fail(asking.effects, NAME, refusal.code, refusal.about, refusal.text);
    }
    Flow::Done
}

/// The message that is pointed at by its number in a room or conversation whose history whoever asks may read.
fn by_number(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Result<Option<Seq>, Flow> {
    let [_, target, reference, ..] = message.params[..] else { return Ok(None) };
    let number = reference.split_once('=').filter(|(kind, _)| *kind == NUMBER_REFERENCE);
    let Some(number) = number.and_then(|(_, number)| number.parse().ok()) else { return Ok(None) };
    let Some(user) = asking.session.user().and_then(|user| chat.user(user)) else { return Ok(None) };
    let found = chat.room_by_name(target).filter(|room| room.member(user.id).is_some());
    let talk = || chat.conversation_named(user, target).map(|(room, _)| room);
    let Some(room) = found.or_else(talk) else { return Ok(None) };
    let number = Number(number);
    if number < room.history_from || number > room.head {
        return Ok(None);
    }
    let lookup = Lookup { room: room.id, of: Pointer::Number(number), last: room.head };
    Ok(asking.look(lookup)?.map(|found| found.row.seq))
}

fn answer(
    chat: &Chat,
    asking: &mut Asking<'_>,
    message: &Message<'_>,
    by_number: Option<Seq>,
) -> Result<(), Refusal> {
    /// The subcommands, and how many parameters follow each.
    const SUBCOMMANDS: [(&str, usize); 6] =
        [("LATEST", 3), ("BEFORE", 3), ("AFTER", 3), ("AROUND", 3), ("BETWEEN", 4), ("TARGETS", 3)];
    let sent = message.params.first().copied().unwrap_or("");
    if sent.is_empty() {
        return Err(invalid([given(sent)], "Insufficient parameters"));
    }
    let known = SUBCOMMANDS.into_iter().find(|(name, _)| sent.eq_ignore_ascii_case(name));
    let Some((subcommand, count)) = known else {
        return Err(invalid([given(sent)], "Unknown command"));
    };
    let params = &message.params[1..];
    if params.len() < count {
        return Err(invalid([subcommand.into()], "Insufficient parameters"));
    }
    if params.len() > count {
        return Err(invalid([subcommand.into()], "Too many parameters"));
    }
    let numbered = message.tags.get(NUMBERS_TAG).is_some();
    let question = Question { subcommand, params, numbered, by_number };
    if subcommand == "TARGETS" { targets(chat, asking, &question) } else { messages(chat, asking, &question) }
}

fn invalid(about: impl IntoIterator<Item = Text>, text: &'static str) -> Refusal {
    Refusal { code: "INVALID_PARAMS", about: about.into_iter().collect(), text }
}

/// Any subcommand but `TARGETS`.
fn messages(chat: &Chat, asking: &mut Asking<'_>, question: &Question<'_>) -> Result<(), Refusal> {
    let (target, references) = (question.params[0], &question.params[1..]);
    let part = part(chat, question, references)?;
    let limit = limit(asking, question)?;
    let viewer = asking.session.user().and_then(|user| chat.user(user));
    let (batch, clock) = (reference(asking), false);
    let events = asking.session.caps.contains(Cap::EventPlayback);
    if let Some(viewer) = viewer
        && let Some(room) = chat.room_by_name(target).filter(|room| room.member(viewer.id).is_some())
    {
        if !(asking.settings.history && asking.settings.history_channels) {
            let (code, about) = ("MESSAGE_ERROR", vec![question.subcommand.into(), given(target)]);
            return Err(Refusal { code, about, text: "History is switched off here" });
        }
        let name = Arc::clone(&room.name);
        let mut query = chat.ask_history(viewer, room, name, Asked { part, limit, events, clock, batch });
        if question.numbered {
            query.show = Show::Numbered;
        }
        asking.effects.push(Effect::History(Box::new(query)));
        return Ok(());
    }
    if let Some(viewer) = viewer
        && !target.starts_with('#')
    {
        let found = chat.conversation_named(viewer, target).filter(|_| asking.settings.history);
        if let Some((room, _)) = found.filter(|_| asking.settings.history_direct) {
            let asked = Asked { part, limit, events, clock, batch };
            let query = chat.ask_history(viewer, room, target.into(), asked);
            asking.effects.push(Effect::History(Box::new(query)));
            return Ok(());
        }
        if chat.party_named(target).is_some() {
            // Nothing is kept of what was said between them; nothing is the whole answer.
            let name = given(target);
            history::page(&batch, "chathistory", Some(name), true, [], asking.effects);
            return Ok(());
        }
    }
    let about = vec![question.subcommand.into(), given(target)];
    Err(Refusal { code: "INVALID_TARGET", about, text: "Messages could not be retrieved" })
}

fn part(chat: &Chat, question: &Question<'_>, references: &[&str]) -> Result<Part, Refusal> {
    let anchor = |at: usize| anchor(chat, question, references[at]);
    Ok(match question.subcommand {
        "LATEST" if references[0] == "*" => Part::Latest(None),
        "LATEST" => Part::Latest(Some(anchor(0)?)),
        "BEFORE" => Part::Before(anchor(0)?),
        "AFTER" => Part::After(anchor(0)?),
        "AROUND" => Part::Around(anchor(0)?),
        _ => Part::Between(anchor(0)?, anchor(1)?),
    })
}

/// `timestamp=…` or `msgid=…`
fn anchor(chat: &Chat, question: &Question<'_>, reference: &str) -> Result<Anchor, Refusal> {
    let about = || vec![question.subcommand.into(), given(question.params[0]), given(reference)];
    match reference.split_once('=') {
        Some(("timestamp", time)) => time_of(question, reference, time).map(Anchor::Time),
        Some(("msgid", msgid)) => {
            let opened = msgid.parse::<MsgId>().ok().and_then(|msgid| msgid.open(chat.msgid_key()));
            match opened {
                Some(Opened::Stored(seq)) => Ok(Anchor::Seq(Seq(seq))),
                // A msgid of something that is not kept, or of another server: nothing to start from.
                _ => Err(Refusal {
                    code: "MESSAGE_ERROR",
                    about: about(),
                    text: "Messages could not be retrieved: there is no such msgid",
                }),
            }
        }
        Some((NUMBER_REFERENCE, _)) => question.by_number.map(Anchor::Seq).ok_or_else(|| Refusal {
            code: "MESSAGE_ERROR",
            about: about(),
            text: "There is no message of that number here, or not any more",
        }),
        Some(_) => Err(Refusal {
            code: "INVALID_MSGREFTYPE",
            about: about(),
            text: "Messages are referred to by msgid or timestamp",
        }),
        None => Err(invalid([question.subcommand.into(), given(reference)], "Invalid message reference")),
    }
}

fn time_of(question: &Question<'_>, reference: &str, time: &str) -> Result<Millis, Refusal> {
    let wrong = || invalid([question.subcommand.into(), given(reference)], "Invalid timestamp");
    parse_rfc3339_millis(time).ok_or_else(wrong)
}

/// The last parameter: how many, at most as many as are ever given at once.
fn limit(asking: &Asking<'_>, question: &Question<'_>) -> Result<u32, Refusal> {
    let sent = question.params[question.params.len() - 1];
    match sent.parse::<u32>() {
        Ok(limit) if limit > 0 => Ok(limit.min(asking.settings.history_query_max)),
        _ => Err(invalid([question.subcommand.into(), given(sent)], "Invalid limit")),
    }
}

/// The reference of an answer's batch. A session's answers come one after the other, so that the time of the
/// question tells them apart from each other.
fn reference(asking: &Asking<'_>) -> Arc<str> {
    format!("history-{:x}", asking.now_ms).into()
}

/// The rooms and conversations whose history a user may read and in which there is any, each with the name by which
/// the user knows it.
pub(super) fn readable<'a>(
    chat: &'a Chat,
    settings: &Settings,
    user: Option<&User>,
) -> Vec<(&'a Room, Arc<str>)> {
    let Some(user) = user.filter(|_| settings.history) else { return Vec::new() };
    let mut found = Vec::new();
    if settings.history_channels {
        let rooms = user.rooms.iter().filter_map(|room| chat.room(*room));
        found.extend(rooms.map(|room| (room, Arc::clone(&room.name))));
    }
    if settings.history_direct {
        let me = chat.party(user);
        found.extend(chat.conversations(&me).map(|(room, other)| (room, chat.shown_as(other))));
    }
    found.retain(|(room, _)| room.head >= room.history_from);
    found
}

/// `CHATHISTORY TARGETS <timestamp> <timestamp> <limit>`: the asker's rooms whose latest message lies between
/// two times, the oldest first. The limit counts from the first of the two times.
fn targets(chat: &Chat, asking: &mut Asking<'_>, question: &Question<'_>) -> Result<(), Refusal> {
    let time = |reference: &str| match reference.split_once('=') {
        Some(("timestamp", time)) => time_of(question, reference, time),
        _ => Err(invalid([question.subcommand.into(), given(reference)], "Invalid timestamp")),
    };
    let (from, to) = (time(question.params[0])?, time(question.params[1])?);
    let limit = limit(asking, question)? as usize;
    let (after, before) = (from.min(to), from.max(to));
    let user = asking.session.user().and_then(|user| chat.user(user));
    let mut rooms: Vec<(&Room, Arc<str>)> = readable(chat, asking.settings, user)
        .into_iter()
        .filter(|(room, _)| room.said_ms > after && room.said_ms < before)
        .collect();
    let end = rooms.len() <= limit;
    rooms.sort_by_key(|(room, _)| (room.said_ms, room.id));
    if from <= to {
        rooms.truncate(limit);
    } else {
        rooms.drain(..rooms.len().saturating_sub(limit));
    }
    let lines = rooms.into_iter().map(|(room, name)| {
        let at = Text::from(stamp(room.said_ms));
        line(NAME, ["TARGETS".into(), name.into(), at])
    });
    let batch = reference(asking);
    history::page(&batch, "draft/chathistory-targets", None, end, lines, asking.effects);
    Ok(())
}
