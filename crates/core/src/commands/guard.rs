//! `SLOW <room> [<seconds>|off]` and `LOCKDOWN <room> [<minutes>|off]`: guarding a room for a while.

use std::sync::Arc;

use chinwag_wire::message::Message;
use chinwag_wire::numeric::Numeric;

use super::reply::{asker, given, line, tell};
use crate::asking::{Asking, Flow};
use crate::chat::Chat;
use crate::event::{Event, Guard};
use crate::permissions::Action;
use crate::span::Span;

/// The slowest room, in seconds.
const SLOW_MAX_S: u64 = 3600;

/// The longest that new people wait, in minutes.
const LOCKDOWN_MAX_MIN: u64 = 7 * 24 * 60;

/// `SLOW <room> [<seconds or duration>|off]`; without a number it shows how slow the room is.
pub(crate) fn slow(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    guard(chat, asking, message, "SLOW", 1_000, SLOW_MAX_S, Guard::Slow)
}

/// `LOCKDOWN <room> [<minutes or duration>|off]`; without a number it shows who waits for how long.
pub(crate) fn lockdown(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    guard(chat, asking, message, "LOCKDOWN", 60_000, LOCKDOWN_MAX_MIN, Guard::Lockdown)
}

fn guard(
    chat: &Chat,
    asking: &mut Asking<'_>,
    message: &Message<'_>,
    command: &'static str,
    unit_ms: u64,
    most: u64,
    make: fn(Option<u32>) -> Guard,
) -> Flow {
    let Some(user) = asker(chat, asking) else { return Flow::Done };
    let name = message.params[0];
    let Some(room) = chat.room_by_name(name).filter(|room| room.member(user.id).is_some()) else {
        asking.refuse(Numeric::ERR_NOTONCHANNEL, [given(name)]);
        return Flow::Done;
    };
    if asking.pending.locked(room.id) {
        return Flow::Wait;
    }
    let Some(wanted) = message.params.get(1) else {
        let now = match make(None) {
            Guard::Slow(_) => room.guards.slow_s.map(|seconds| Span(u64::from(seconds) * 1000)),
            Guard::Lockdown(_) => room.guards.lockdown_min.map(|minutes| Span(u64::from(minutes) * 60_000)),
            // `KEEP` and `MODLOG` show it.
            Guard::Keep(_) | Guard::OpenRecords(_) => None,
        };
        let now = now.map_or("off".to_owned(), |span| span.to_string());
        say(asking, format!("{command} {}: {now}", room.name));
        return Flow::Done;
    };
    if !room.may(user.id, Action::Guard) {
        asking.refuse(Numeric::ERR_CHANOPRIVSNEEDED, [(&room.name).into()]);
        return Flow::Done;
    }
    let Ok(units) = units(wanted, unit_ms, most) else {
        let most = Span(most * unit_ms);
        say(asking, format!("{command}: a number, a duration like 30s or 5m, or off; at most {most}"));
        return Flow::Done;
    };
    let guard = make(units);
    if room.would_guard(guard) {
        let by = Arc::clone(&user.who);
        asking.propose(Event::Guarded { room: room.id, basis: room.rules, by, guard });
    }
    Flow::Done
}

/// How many units somebody means; none for off.
fn units(wanted: &str, unit_ms: u64, most: u64) -> Result<Option<u32>, ()> {
    if wanted.eq_ignore_ascii_case("off") || wanted == "0" {
        return Ok(None);
    }
    let units = match Span::parse(wanted) {
        Some(span) => span.0.div_ceil(unit_ms),
        None => wanted.parse().map_err(|_| ())?,
    };
    let units = Some(units).filter(|units| (1..=most).contains(units)).ok_or(())?;
    u32::try_from(units).map(Some).map_err(|_| ())
}

fn say(asking: &mut Asking<'_>, text: String) {
    tell(asking.effects, line("NOTICE", ["*".into(), text.into()]));
}
