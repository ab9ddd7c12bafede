//! `STATS <letter> [<server>]`: figures of the server. What a letter shows is a row of a table.

use chinwag_wire::message::Message;
use chinwag_wire::numeric::Numeric;

use super::reply::{asker, given, here};
use crate::asking::{Asking, Flow};
use crate::chat::{Chat, ServerBan};
use crate::ids::Millis;
use crate::line::Text;

/// What is shown for a letter.
type Show = fn(&Chat, &mut Asking<'_>);

/// Every letter: whether it is for those who run the server only, what it shows, for people, and how.
pub(super) const ROWS: &[(char, bool, &str, Show)] = &[
    (
        'k',
        true,
        "who is let in no more: network, mask or account, when, for how many seconds, and by whom",
        bans,
    ),
    ('m', false, "the commands that were asked for, and how often", commands),
    ('o', true, "who may become an operator", operators),
    ('P', false, "the operators who are here", present),
    ('p', true, "where the server listens", listeners),
    ('r', true, "what was refused, slowed down or ended, and how often", refused),
    ('u', false, "for how long the server has been up", uptime),
    ('z', true, "the memory that is held for callers, and how much may be", memory),
];

/// `STATS <letter> [<server>]`. A letter that means nothing shows nothing.
pub(crate) fn stats(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    let Some(letter) = message.params.first().copied().filter(|letter| !letter.is_empty()) else {
        asking.refuse(Numeric::ERR_NEEDMOREPARAMS, ["STATS".into()]);
        return Flow::Done;
    };
    if !here(chat, asking, message.params.get(1)) {
        return Flow::Done;
    }
    // People write K as well as k.
    let meant = if letter == "K" { "k" } else { letter };
    let runs = asker(chat, asking).is_some_and(|user| user.operator.is_some());
    match ROWS.iter().find(|(of, ..)| meant.strip_prefix(*of) == Some("")) {
        Some((_, true, ..)) if !runs => asking.refuse(Numeric::ERR_NOPRIVILEGES, []),
        Some((.., show)) => show(chat, asking),
        None => {}
    }
    asking.refuse(Numeric::RPL_ENDOFSTATS, [given(letter)]);
    Flow::Done
}

fn uptime(chat: &Chat, asking: &mut Asking<'_>) {
    let up = asking.now_ms.saturating_sub(chat.started_ms(asking.next_user)) / 1000;
    let (days, rest) = (up / 86_400, up % 86_400);
    let time = format!("{}:{:02}:{:02}", rest / 3600, rest % 3600 / 60, rest % 60);
    asking.numeric(Numeric::RPL_STATSUPTIME, [format!("Server Up {days} days {time}").into()]);
}

fn commands(_: &Chat, asking: &mut Asking<'_>) {
    for (verb, times) in asking.figures.asked() {
        asking.numeric(Numeric::RPL_STATSCOMMANDS, [verb.name().into(), times.to_string().into()]);
    }
}

/// `O <mask> * <name>`: from everywhere, whoever knows the password.
fn operators(_: &Chat, asking: &mut Asking<'_>) {
    for oper in &asking.settings.opers {
        asking.numeric(Numeric::RPL_STATSOLINE, ["O".into(), "*@*".into(), "*".into(), (&oper.name).into()]);
    }
}

/// The same to everybody as WHOIS would say of each.
fn present(chat: &Chat, asking: &mut Asking<'_>) {
    let mut count = 0_usize;
    for user in chat.users() {
        let Some(operator) = &user.operator else { continue };
        count += 1;
        let away = if user.away.is_some() { ", away" } else { "" };
        let text = format!("{} ({}{away})", user.who.nick, operator.title);
        asking.numeric(Numeric::RPL_STATSDEBUG, ["P".into(), text.into()]);
    }
    asking.numeric(Numeric::RPL_STATSDEBUG, ["P".into(), format!("{count} operator(s)").into()]);
}

fn refused(_: &Chat, asking: &mut Asking<'_>) {
    let figures = asking.figures;
    let asked = figures.refused().map(|(why, times)| (why.label(), times));
    let turned_away = figures.turned_away.iter().copied();
    for (why, times) in turned_away.chain(asked).filter(|(_, times)| *times > 0) {
        asking.numeric(Numeric::RPL_STATSDEBUG, ["r".into(), format!("{why} {times}").into()]);
    }
}

fn memory(_: &Chat, asking: &mut Asking<'_>) {
    let memory = &asking.figures.memory;
    let budget = match memory.budget {
        0 => "of any number".to_owned(),
        budget => format!("of {budget}"),
    };
    let all = format!("{} bytes are held {budget}", memory.held());
    let parts = memory.parts.iter().filter(|(_, bytes)| *bytes > 0);
    for text in std::iter::once(all).chain(parts.map(|(part, bytes)| format!("{part} {bytes}"))) {
        asking.numeric(Numeric::RPL_STATSDEBUG, ["z".into(), text.into()]);
    }
}

fn listeners(_: &Chat, asking: &mut Asking<'_>) {
    for listener in &asking.settings.listeners {
        asking.numeric(Numeric::RPL_STATSDEBUG, ["p".into(), listener.into()]);
    }
}

fn bans(chat: &Chat, asking: &mut Asking<'_>) {
    let seconds = |ms: Millis| Text::from((ms / 1000).to_string());
    for ban in chat.server_bans(asking.now_ms) {
        let ServerBan { text, by, reason, at_ms, until_ms, .. } = ban;
        let lasts = until_ms.map_or(0, |until| until.saturating_sub(*at_ms));
        let line = ["K".into(), text.into(), seconds(*at_ms), seconds(lasts), by.into(), reason.into()];
        asking.numeric(Numeric::RPL_STATSKLINE, line);
    }
}
