//! `MONITOR`: being told when people come and go.
//!
//! The list is the session's. Specification: <https://ircv3.net/specs/extensions/monitor>.

use chinwag_wire::message::Message;
use chinwag_wire::names::Nick;
use chinwag_wire::numeric::Numeric;

use super::metadata;
use super::reply::{Packer, addressee, given, room_for_last};
use crate::asking::{Asking, Flow};
use crate::chat::Chat;
use crate::effect::Effect;
use crate::line::Text;

/// `MONITOR + <targets>`, `MONITOR - <targets>`, `MONITOR C`, `MONITOR L`, `MONITOR S`
pub(crate) fn monitor(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    let targets = message.params.get(1).unwrap_or("");
    match message.params[0] {
        "+" => add(chat, asking, targets),
        "-" => remove(chat, asking, targets),
        "C" | "c" => {
            for nick in std::mem::take(&mut asking.session.monitored).into_values() {
                asking.effects.push(Effect::Unwatch(nick));
            }
        }
        "L" | "l" => list(chat, asking),
        "S" | "s" => {
            let all: Vec<_> = asking.session.monitored.values().cloned().collect();
            status(chat, asking, all.iter().map(|nick| &**nick));
        }
        other => asking.refuse(Numeric::ERR_UNKNOWNERROR, ["MONITOR".into(), given(other)]),
    }
    Flow::Done
}

fn add(chat: &Chat, asking: &mut Asking<'_>, targets: &str) {
    let mut added = Vec::new();
    let mut left = targets;
    while !left.is_empty() {
        let (target, rest) = left.split_once(',').unwrap_or((left, ""));
        if Nick::parse(target, asking.settings.nick_length).is_err() {
            if !target.is_empty() {
                asking.refuse(Numeric::ERR_ERRONEUSNICKNAME, [given(target)]);
            }
        } else if !asking.session.monitored.contains_key(&chat.mapping().fold(target)) {
            if asking.session.monitored.len() >= asking.settings.monitor_entries {
                let limit = Text::from(asking.settings.monitor_entries.to_string());
                asking.refuse(Numeric::ERR_MONLISTFULL, [limit, left.to_owned().into()]);
                break;
            }
            asking.session.monitored.insert(chat.mapping().fold(target), target.into());
            asking.effects.push(Effect::Watch(target.into()));
            added.push(target);
        }
        left = rest;
    }
    status(chat, asking, added.iter().copied());
    metadata::on_watch(chat, asking, &added);
}

fn remove(chat: &Chat, asking: &mut Asking<'_>, targets: &str) {
    for target in targets.split(',') {
        if let Some(nick) = asking.session.monitored.remove(&chat.mapping().fold(target)) {
            asking.effects.push(Effect::Unwatch(nick));
        }
    }
}

fn list(chat: &Chat, asking: &mut Asking<'_>) {
    let mut packer = packer(chat, asking);
    let all: Vec<_> = asking.session.monitored.values().cloned().collect();
    for nick in &all {
        if let Some(full) = packer.word(&[nick]) {
            asking.numeric(Numeric::RPL_MONLIST, [full]);
        }
    }
    if let Some(last) = packer.finish() {
        asking.numeric(Numeric::RPL_MONLIST, [last]);
    }
    asking.refuse(Numeric::RPL_ENDOFMONLIST, []);
}

/// Who of these is here, and who is not.
fn status<'n>(chat: &Chat, asking: &mut Asking<'_>, nicks: impl Iterator<Item = &'n str>) {
    let (mut online, mut offline) = (packer(chat, asking), packer(chat, asking));
    for nick in nicks {
        let (numeric, full) = match chat.user_by_nick(nick) {
            Some(user) => (Numeric::RPL_MONONLINE, online.word(&[&user.mask()])),
            None => (Numeric::RPL_MONOFFLINE, offline.word(&[nick])),
        };
        if let Some(full) = full {
            asking.numeric(numeric, [full]);
        }
    }
    for (numeric, packer) in [(Numeric::RPL_MONONLINE, online), (Numeric::RPL_MONOFFLINE, offline)] {
        if let Some(last) = packer.finish() {
            asking.numeric(numeric, [last]);
        }
    }
}

fn packer(chat: &Chat, asking: &Asking<'_>) -> Packer {
    let who = addressee(chat, asking);
    Packer::with_between(room_for_last(&asking.settings.server, who.as_str(), 0), ',')
}
