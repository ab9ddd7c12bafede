//! `BAN`, `UNBAN`, `MUTE` and `UNMUTE`: the list `b` of a room for people who know a name and a duration, and no
//! masks.

use std::sync::Arc;

use chinwag_wire::extban::Pattern;
use chinwag_wire::message::Message;
use chinwag_wire::numeric::Numeric;

use super::reply::{asker, given, line, tell, too_long};
use crate::asking::{Asking, Flow};
use crate::chat::{Chat, Room, User};
use crate::event::{Event, ModeChange, Who};
use crate::permissions::{Action, may_kick};
use crate::span::Span;

/// `BAN <room> <nickname or mask> [<duration>] [:<reason>]`: out, and not in again.
pub(crate) fn ban(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    add(chat, asking, message, "BAN")
}

/// `MUTE <room> <nickname or mask> [<duration>] [:<reason>]`: silent, and may stay.
pub(crate) fn mute(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    add(chat, asking, message, "MUTE")
}

/// `UNBAN <room> <nickname or mask>`
pub(crate) fn unban(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    remove(chat, asking, message, "UNBAN")
}

/// `UNMUTE <room> <nickname or mask>`
pub(crate) fn unmute(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    remove(chat, asking, message, "UNMUTE")
}

fn add(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>, command: &'static str) -> Flow {
    let (user, room) = match keeper(chat, asking, message.params[0]) {
        Ok(found) => found,
        Err(flow) => return flow,
    };
    let (whom, mute) = (message.params[1], command == "MUTE");
    let Some(pattern) = pattern(chat, asking, room, whom, mute) else { return Flow::Done };
    let span = message.params.get(2).and_then(Span::parse);
    let reason = message.params[2 + usize::from(span.is_some())..].join(" ");
    if reason.len() > asking.settings.kick_length {
        too_long(asking, command, "REASON_TOO_LONG", "KICKLEN");
        return Flow::Done;
    }
    let reason: Option<Arc<str>> = (!reason.is_empty()).then(|| reason.into());
    let there = room.lists.bans.iter().any(|entry| entry.pattern.is(pattern.as_str()));
    if !there && room.lists.bans.len() >= asking.settings.list_mode_entries {
        asking.refuse(Numeric::ERR_BANLISTFULL, [(&room.name).into(), "b".into()]);
        return Flow::Done;
    }
    let out = if mute { None } else { chat.user_by_nick(whom).filter(|out| room.member(out.id).is_some()) };
    if out.is_some_and(|out| !may_kick(room.roles(user.id), room.roles(out.id))) {
        asking.refuse(Numeric::ERR_CHANOPRIVSNEEDED, [(&room.name).into()]);
        return Flow::Done;
    }
    let arg: Option<Arc<str>> = Some(pattern.as_str().into());
    let until_ms = span.map(|span| asking.now_ms + span.0);
    let set = ModeChange { set: true, mode: 'b', arg, until_ms, reason: reason.clone(), member: None };
    // Set anew with another end or reason, it takes the place of what was there.
    let before = ModeChange { set: false, until_ms: None, reason: None, ..set.clone() };
    let changes = if there { vec![before, set] } else { vec![set] };
    let (by, basis) = (Arc::clone(&user.who), room.rules);
    asking.propose(Event::ModesChanged { room: room.id, basis, by: Arc::clone(&by), changes });
    if let Some(out) = out {
        let reason = reason.unwrap_or_else(|| Arc::clone(&by.nick));
        let (room, member, nick) = (room.id, out.id, Arc::clone(&out.who.nick));
        asking.propose(Event::Kicked { room, basis: basis + 1, by, member, nick, reason });
    }
    Flow::Done
}

fn remove(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>, command: &'static str) -> Flow {
    let (user, room) = match keeper(chat, asking, message.params[0]) {
        Ok(found) => found,
        Err(flow) => return flow,
    };
    let (whom, mute) = (message.params[1], command == "UNMUTE");
    let named = |text: &str| Pattern::parse(whom, chat.mapping()).is_ok_and(|pattern| pattern.is(text));
    let seen = seen(chat, whom);
    let meant = room.lists.bans.iter().filter(|entry| entry.pattern.is_mute() == mute).filter(|entry| {
        let fits = |who: &Who| entry.pattern.matches(&who.nick, &who.user, &who.host, who.account.as_deref());
        named(&entry.text) || seen.is_some_and(fits)
    });
    let change = |text: &Arc<str>| {
        let arg = Some(Arc::clone(text));
        ModeChange { set: false, mode: 'b', arg, ..ModeChange::default() }
    };
    let changes: Vec<ModeChange> = meant.map(|entry| change(&entry.text)).collect();
    if changes.is_empty() {
        let text = format!("{command}: nothing on the list of {} means {}", room.name, given(whom).as_str());
        tell(asking.effects, line("NOTICE", ["*".into(), text.into()]));
        return Flow::Done;
    }
    let by = Arc::clone(&user.who);
    asking.propose(Event::ModesChanged { room: room.id, basis: room.rules, by, changes });
    Flow::Done
}

/// Who asks, and the room, if they keep its list of bans; otherwise says why not.
fn keeper<'a>(chat: &'a Chat, asking: &mut Asking<'_>, name: &str) -> Result<(&'a User, &'a Room), Flow> {
    let user = asker(chat, asking).ok_or(Flow::Done)?;
    let Some(room) = chat.room_by_name(name).filter(|room| room.visible_to(user.id)) else {
        asking.refuse(Numeric::ERR_NOSUCHCHANNEL, [given(name)]);
        return Err(Flow::Done);
    };
    if asking.pending.locked(room.id) {
        return Err(Flow::Wait);
    }
    if !room.may(user.id, Action::SetMode('b')) {
        let member = room.member(user.id).is_some();
        let why = if member { Numeric::ERR_CHANOPRIVSNEEDED } else { Numeric::ERR_NOTONCHANNEL };
        asking.refuse(why, [(&room.name).into()]);
        return Err(Flow::Done);
    }
    Ok((user, room))
}

/// Somebody who is here under this nickname, or was a while ago.
fn seen<'a>(chat: &'a Chat, nick: &'a str) -> Option<&'a Who> {
    let present = chat.user_by_nick(nick).map(|user| &*user.who);
    present.or_else(|| chat.whowas(nick).next().map(|gone| &*gone.who))
}

/// What to put on the list for a nickname or a mask: the account of who is logged in; else the host, unless others in
/// the room share it (a school, an office), then the nickname there.
fn pattern(chat: &Chat, asking: &mut Asking<'_>, room: &Room, whom: &str, mute: bool) -> Option<Pattern> {
    let mask = match (whom.contains(['!', '@', '*', '?', ':']), seen(chat, whom)) {
        (true, _) => whom.to_owned(),
        (false, Some(who)) => match &who.account {
            Some(account) => format!("a:{account}"),
            None if shared(chat, room, who) => format!("{}!*@{}", who.nick, who.host),
            None => format!("*!*@{}", who.host),
        },
        (false, None) => {
            asking.refuse(Numeric::ERR_NOSUCHNICK, [given(whom)]);
            return None;
        }
    };
    match Pattern::parse(&format!("{}{mask}", if mute { "m:" } else { "" }), chat.mapping()) {
        Ok(pattern) => Some(pattern),
        Err(why) => {
            let params = [(&room.name).into(), "b".into(), given(whom), why.to_string().into()];
            asking.numeric(Numeric::ERR_INVALIDMODEPARAM, params);
            None
        }
    }
}

/// Whether another member of the room comes from the same host.
fn shared(chat: &Chat, room: &Room, who: &Who) -> bool {
    chat.members(room)
        .any(|(_, user)| user.who.host == who.host && !chat.mapping().same(&user.who.nick, &who.nick))
}
