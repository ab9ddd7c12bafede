//! `MODLOG <room or *> [<count>] [<entry>]`: who did what to keep a room, or the server.

use std::sync::Arc;

use chinwag_log::Seq;
use chinwag_wire::message::Message;
use chinwag_wire::names::{MsgId, Opened};

use super::deeds::note;
use super::invitation::counted;
use super::purge::keeper;
use super::reply::{asker, operator};
use super::time::stamp;
use crate::asking::{Asking, Flow};
use crate::chat::{Chat, Room, about};
use crate::event::{
    Act, Amended, Amendment, Event, Guard, Keeping, ModeChange, OperatorActed, Purged, Purging, ServerBanned,
};
use crate::history::Happened;
use crate::ids::Millis;
use crate::line::Text;
use crate::permissions::Action;
use crate::pointed::{Answer, Question};
use crate::privileges::Privilege;
use crate::records::RecordsQuery;
use crate::roles::Role;
use crate::span::Span;

const NAME: &str = "MODLOG";

/// Entries that are shown when nobody says how many.
const COUNT: u32 = 20;

/// Entries that are shown at most.
const COUNT_MAX: u32 = 100;

/// `MODLOG <room> [<count>] [<entry>]` for the room's operators, and for its members where `MODLOG <room> OPEN` said so; `MODLOG * …` for server operators. Newest last;
/// `<entry>` is what an answer gives to go on with.
pub(crate) fn modlog(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    let name = message.params[0];
    let (room, about) = if name == "*" {
        if operator(chat, asking, Privilege::Records).is_none() {
            return Flow::Done;
        }
        (None, Text::Static("*"))
    } else {
        let open = message.params.get(1).and_then(opening);
        let found = match reads(chat, asking, name).filter(|_| open.is_none()) {
            Some(room) => Ok(room),
            None => keeper(chat, asking, name, Action::ReadModeration).map(|(_, room)| room),
        };
        let room = match found {
            Ok(room) => room,
            Err(flow) => return flow,
        };
        if let Some(open) = open {
            return set_open(chat, asking, room, open);
        }
        (Some(room.id), Text::from(&room.name))
    };
    let Some((limit, before)) = page(chat, &message.params[1..]) else {
        note(
            asking,
            NAME,
            "USAGE",
            [about],
            "It is used like this: MODLOG <room> [<count>] [<entry>]".into(),
        );
        return Flow::Done;
    };
    let query = RecordsQuery { room, before, limit, until: chat.position() };
    let records = match asking.learn(Question::Records(query)) {
        Ok(Answer::Records(records)) => records,
        Ok(_) => return Flow::Done,
        Err(flow) => return flow,
    };
    let id = |seq: Seq| MsgId::stored(chat.msgid_key(), seq.0).to_string();
    if !records.end
        && let Some(first) = records.rows.first()
    {
        let text = format!("Before these: /modlog {} {limit} {}", about.as_str(), id(first.seq));
        note(asking, NAME, "MORE", [about.clone(), id(first.seq).into()], text.into());
    }
    let none = records.rows.is_empty();
    for happened in &records.rows {
        let about = [about.clone(), id(happened.seq).into()];
        note(asking, NAME, "ENTRY", about, told(happened).into());
    }
    let text = if none { "Nothing was done" } else { "That is all up to now" };
    if none || before.is_none() {
        note(asking, NAME, "END", [about], text.into());
    }
    Flow::Done
}

/// A room whose records the asker may read as a member.
fn reads<'c>(chat: &'c Chat, asking: &Asking<'_>, name: &str) -> Option<&'c Room> {
    let user = asker(chat, asking)?;
    chat.room_by_name(name).filter(|room| room.open_records && room.member(user.id).is_some())
}

/// Whether a word opens the records of a room to its members, or closes them.
fn opening(word: &str) -> Option<bool> {
    let is = |name: &str| word.eq_ignore_ascii_case(name);
    if is("OPEN") { Some(true) } else { is("CLOSED").then_some(false) }
}

/// Lets members read the records, or not any more. The caller has made sure that the asker keeps the room.
fn set_open(chat: &Chat, asking: &mut Asking<'_>, room: &Room, open: bool) -> Flow {
    let guard = Guard::OpenRecords(open);
    if let Some(user) = asker(chat, asking).filter(|_| room.would_guard(guard)) {
        let by = Arc::clone(&user.who);
        asking.propose(Event::Guarded { room: room.id, basis: room.rules, by, guard });
    }
    Flow::Done
}

/// How many, and before which entry.
fn page(chat: &Chat, params: &[&str]) -> Option<(u32, Option<Seq>)> {
    let count = params.first().map_or(Some(COUNT), |count| count.parse().ok().filter(|count| *count > 0))?;
    let before = match params.get(1) {
        None => None,
        Some(entry) => match entry.parse::<MsgId>().ok()?.open(chat.msgid_key())? {
            Opened::Stored(seq) => Some(Seq(seq)),
            Opened::Passing(_) => return None,
        },
    };
    Some((count.min(COUNT_MAX), before))
}

/// One entry, for people: `2026-11-21 14:02 ada put out eve: too loud`.
fn told(happened: &Happened) -> String {
    let at = stamp(happened.at_ms);
    let at = at.get(..16).unwrap_or_default().replace('T', " ");
    format!("{at} {}", done(&happened.event, happened.at_ms))
}

/// Who did what.
fn done(event: &Event, at_ms: Millis) -> String {
    match event {
        Event::Kicked { by, nick, reason, .. } => format!("{} put out {nick}: {reason}", by.nick),
        Event::ModesChanged { by, changes, .. } => {
            let changes: Vec<String> = changes.iter().map(|change| changed(change, at_ms)).collect();
            format!("{} {}", by.nick, changes.join(", "))
        }
        Event::Amended(amended) => redacted(amended),
        Event::Purged(purged) => self::purged(purged),
        Event::RoomRenamed { by, name, reason, .. } => {
            format!("{} renamed the room to {name}{}", by.nick, because(Some(reason)))
        }
        Event::RoomKept { by, keeping, .. } => format!("{} {}", by.nick, kept(keeping, at_ms)),
        Event::Guarded { by, guard, .. } => format!("{} {}", by.nick, guarded(*guard)),
        Event::ServerBanned(banned) => {
            let ServerBanned { target, by, reason, until_ms } = &**banned;
            format!("{} banned {target} {}: {reason}", by.nick, long(*until_ms, at_ms))
        }
        Event::ServerUnbanned { target, by } => format!("{} ended the ban of {target}", by.nick),
        Event::OperatorActed(acted) => self::acted(acted, at_ms),
        // None of the records.
        _ => "did something that this version cannot describe".to_owned(),
    }
}

fn because(reason: Option<&Arc<str>>) -> String {
    reason.filter(|reason| !reason.is_empty()).map_or_else(String::new, |reason| format!(": {reason}"))
}

fn long(until_ms: Option<Millis>, at_ms: Millis) -> String {
    until_ms.map_or("for good".to_owned(), |until_ms| format!("for {}", Span(until_ms.saturating_sub(at_ms))))
}

/// The same to the minute: it was asked for a moment before it was kept.
fn about_as_long(until_ms: Millis, at_ms: Millis) -> String {
    let minutes = (until_ms.saturating_sub(at_ms) + 30_000) / 60_000;
    long(Some(at_ms + minutes * 60_000), at_ms)
}

/// One change of a mode.
fn changed(change: &ModeChange, at_ms: Millis) -> String {
    let ModeChange { set, mode, arg, until_ms, reason, .. } = change;
    let whom = arg.as_deref().unwrap_or_default();
    if let Some(role) = Role::of_mode(*mode) {
        return match set {
            true => format!("made {whom} {} (+{mode})", role.name()),
            false => format!("made {whom} no {} any more (-{mode})", role.name()),
        };
    }
    let reason = because(reason.as_ref());
    match (mode, set, whom.strip_prefix("m:")) {
        ('b', true, Some(whom)) => format!("silenced {whom} {}{reason}", long(*until_ms, at_ms)),
        ('b', false, Some(whom)) => format!("let {whom} speak again"),
        ('b', true, None) => format!("banned {whom} {}{reason}", long(*until_ms, at_ms)),
        ('b', false, None) => format!("ended the ban of {whom}"),
        // A key is nobody's business afterwards.
        ('k', true, _) => "set mode +k".to_owned(),
        ('k', false, _) => "set mode -k".to_owned(),
        (_, set, _) => {
            let sign = if *set { '+' } else { '-' };
            let space = if whom.is_empty() { "" } else { " " };
            format!("set mode {sign}{mode}{space}{whom}")
        }
    }
}

fn redacted(amended: &Amended) -> String {
    let Amended { by, number, of, what, .. } = amended;
    let reason = match what {
        Amendment::Redacted { reason } => because(reason.as_ref()),
        _ => String::new(),
    };
    format!("{} deleted [{}] of {of}{reason}", by.nick, number.0)
}

fn purged(purged: &Purged) -> String {
    let Purged { by, purge, what, .. } = purged;
    match what {
        Purging::Hidden { whom, reason, numbers, .. } => {
            let reason = because(reason.as_ref());
            format!("{} hid {} (purge {purge}){reason}", by.nick, about(whom, numbers))
        }
        Purging::Undone => format!("{} brought back what purge {purge} hid", by.nick),
        Purging::Final => format!("{} removed for good what purge {purge} hid", by.nick),
    }
}

fn kept(keeping: &Keeping, at_ms: Millis) -> String {
    match keeping {
        Keeping::Founder(Some(account)) => format!("made the room {account}'s"),
        Keeping::Founder(None) => "made the room nobody's".to_owned(),
        Keeping::Role { account, mode: Some(mode) } => format!("gave the account {account} +{mode} for good"),
        Keeping::Role { account, mode: None } => {
            format!("took from the account {account} what it had for good")
        }
        Keeping::Invited { number, uses, until_ms, accounts, .. } => {
            let accounts = if *accounts { ", also to register with" } else { "" };
            format!(
                "made the invitation {number}: {} {}{accounts}",
                counted(*uses),
                about_as_long(*until_ms, at_ms)
            )
        }
        Keeping::CameBy(number) => format!("came by the invitation {number}"),
        Keeping::TakenBack(number) => format!("took back the invitation {number}"),
    }
}

fn guarded(guard: Guard) -> String {
    match guard {
        Guard::Slow(Some(seconds)) => {
            format!("made the room slow: {}", Span(Millis::from(seconds) * 1_000))
        }
        Guard::Slow(None) => "ended slow mode".to_owned(),
        Guard::Lockdown(Some(minutes)) => {
            format!("let new people wait {}", Span(Millis::from(minutes) * 60_000))
        }
        Guard::Lockdown(None) => "let new people speak at once again".to_owned(),
        Guard::OpenRecords(true) => "let every member read these records".to_owned(),
        Guard::OpenRecords(false) => "let only operators read these records".to_owned(),
        Guard::Keep(Some(seconds)) => {
            format!("let messages disappear after {}", Span(Millis::from(seconds) * 1_000))
        }
        Guard::Keep(None) => "let messages be kept as long as the server keeps any".to_owned(),
    }
}

fn acted(acted: &OperatorActed, at_ms: Millis) -> String {
    let nick = &acted.by.nick;
    let who = match &acted.operator {
        Some(operator) => format!("{nick} ({operator})"),
        None => acted.by.mask(),
    };
    let what = match &acted.act {
        Act::Killed { whom, reason } => format!("put {whom} off the server: {reason}"),
        Act::HostGiven { whom, host } => format!("gave {whom} the host {host}"),
        Act::Reread => "had the configuration read again".to_owned(),
        Act::Opered => "became a server operator".to_owned(),
        Act::OperRefused { name } => format!("was refused as the server operator {name}"),
        Act::AccountRegistered { account } => format!("registered the account {account}"),
        Act::PasswordSet { account } => format!("gave the account {account} another password"),
        Act::Erased { whom, place, .. } => {
            let place = place.as_ref().map_or("", |place| place);
            let space = if place.is_empty() { "" } else { " in " };
            format!("had all erased that {whom} said{space}{place}")
        }
        Act::AccountDropped { account } => format!("ended the account {account}"),
        Act::InvitationMade { uses, until_ms } => {
            format!("made an invitation to register with: {uses} uses {}", about_as_long(*until_ms, at_ms))
        }
        Act::InvitationTakenBack { name } => format!("took back the invitation {name} to register with"),
    };
    format!("{who} {what}")
}
