//! `UBAN ADD|DEL|LIST|INFO`: who may not come in at all, for server operators.

use std::sync::Arc;

use chinwag_wire::message::Message;
use chinwag_wire::numeric::Numeric;

use super::reply::{given, line, operator, tell};
use crate::asking::{Asking, Flow};
use crate::chat::{BanTarget, Chat, ServerBan, User};
use crate::event::{Event, ServerBanned, Who};
use crate::privileges::Privilege;
use crate::span::Span;

/// Bans that are kept at most.
const BANS_MAX: usize = 4096;

/// Bytes of a reason.
const REASON_BYTES_MAX: usize = 300;

/// `UBAN ADD <target> [<duration>] [:<reason>]`, `UBAN DEL <target>`, `UBAN LIST`, `UBAN INFO <target or nickname>`
pub(crate) fn uban(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    let Some(user) = operator(chat, asking, Privilege::Bans) else { return Flow::Done };
    let subcommand = message.params.first().copied().unwrap_or("").to_ascii_uppercase();
    let target = message.params.get(1).filter(|target| !target.is_empty());
    match (subcommand.as_str(), target) {
        ("ADD", Some(target)) => {
            add(chat, asking, user, target, &message.params[2..]);
        }
        ("DEL", Some(target)) => del(chat, asking, user, target),
        ("INFO", Some(target)) => info(chat, asking, target),
        ("LIST", _) => list(chat, asking),
        _ => asking.refuse(Numeric::ERR_NEEDMOREPARAMS, ["UBAN".into()]),
    }
    Flow::Done
}

fn add(chat: &Chat, asking: &mut Asking<'_>, user: &User, target: &str, rest: &[&str]) {
    let span = rest.first().and_then(|word| Span::parse(word));
    let words = &rest[usize::from(span.is_some())..];
    let reason = match words.join(" ") {
        reason if reason.is_empty() => "no reason was given".to_owned(),
        reason => reason,
    };
    let target = BanTarget::parse(target, chat.mapping());
    let text: Arc<str> = target.shown().into();
    if reason.len() > REASON_BYTES_MAX {
        return say(asking, format!("UBAN: a reason has at most {REASON_BYTES_MAX} bytes"));
    }
    if target.fits(&user.who, &user.from.address) {
        return say(asking, format!("UBAN: {text} would ban you as well"));
    }
    if chat.server_bans(asking.now_ms).count() >= BANS_MAX {
        return say(asking, "UBAN: there are too many bans; take some back first (UBAN LIST)".to_owned());
    }
    let until_ms = span.map(|span| asking.now_ms + span.0);
    let by = Arc::clone(&user.who);
    let banned = ServerBanned { target: text, by, reason: reason.into(), until_ms };
    asking.propose(Event::ServerBanned(Arc::new(banned)));
}

fn del(chat: &Chat, asking: &mut Asking<'_>, user: &User, target: &str) {
    let text = BanTarget::parse(target, chat.mapping()).shown();
    if !chat.server_bans(asking.now_ms).any(|ban| *ban.text == *text) {
        return say(asking, format!("UBAN: {text} is not banned (UBAN LIST shows who is)"));
    }
    asking.propose(Event::ServerUnbanned { target: text.into(), by: Arc::clone(&user.who) });
}

fn list(chat: &Chat, asking: &mut Asking<'_>) {
    let now_ms = asking.now_ms;
    let lines: Vec<String> = chat.server_bans(now_ms).map(|ban| shown(ban, now_ms)).collect();
    let count = lines.len();
    for line in lines {
        say(asking, line);
    }
    say(asking, format!("UBAN: {count} bans"));
}

/// The bans that keep a present user out, or that name a target, and whom a target would mean.
fn info(chat: &Chat, asking: &mut Asking<'_>, target: &str) {
    let now_ms = asking.now_ms;
    if let Some(found) = chat.user_by_nick(target) {
        let Who { host, account, .. } = &*found.who;
        let account = account.as_deref().unwrap_or("no account");
        say(asking, format!("UBAN: {} comes from {host}, with {account}", found.who.nick));
        return;
    }
    let parsed = BanTarget::parse(target, chat.mapping());
    let text = parsed.shown();
    let bans: Vec<String> =
        chat.server_bans(now_ms).filter(|ban| *ban.text == *text).map(|ban| shown(ban, now_ms)).collect();
    let meant: Vec<&str> = chat
        .users()
        .filter(|user| parsed.fits(&user.who, &user.from.address))
        .map(|user| &*user.who.nick)
        .take(20)
        .collect();
    let meant = if meant.is_empty() { "nobody who is here".to_owned() } else { meant.join(", ") };
    if bans.is_empty() {
        say(asking, format!("UBAN: {} is not banned", given(&text).as_str()));
    }
    for ban in bans {
        say(asking, ban);
    }
    say(asking, format!("UBAN: it means {meant}"));
}

fn shown(ban: &ServerBan, now_ms: u64) -> String {
    let left = match ban.until_ms {
        Some(until_ms) => format!("for {} more", Span(until_ms.saturating_sub(now_ms))),
        None => "for good".to_owned(),
    };
    format!("{} {left}, by {}: {}", ban.text, ban.by, ban.reason)
}

fn say(asking: &mut Asking<'_>, text: String) {
    tell(asking.effects, line("NOTICE", ["*".into(), text.into()]));
}
