//! `PRIVMSG *playback :PLAY <buffer>{,<buffer>} [<from> [<to>]]` and `LIST`: what was said, for clients that know ZNC.
//!
//! Documented at <https://wiki.znc.in/Playback>; times are seconds since the Unix epoch, with or without a fraction.
//! `*` stands for all rooms and conversations. What is said between two times is given, neither of them included.

use std::sync::Arc;

use super::chathistory::readable;
use super::reply::asker;
use crate::asking::Asking;
use crate::chat::{Chat, Room};
use crate::effect::Effect;
use crate::event::Who;
use crate::history::{Anchor, Asked, Part};
use crate::ids::Millis;
use crate::line::{Line, Source, Text};

/// The nickname that the module has.
pub(super) const NICK: &str = "*playback";

/// Buffers that are played at once; the latest are, where there are more.
const BUFFERS_MAX: usize = 100;

/// Carries out what was said to `*playback`.
pub(super) fn command(chat: &Chat, asking: &mut Asking<'_>, text: &str) {
    let mut words = text.split_ascii_whitespace();
    let verb = words.next().unwrap_or("");
    let buffers = words.next().unwrap_or("*");
    if verb.eq_ignore_ascii_case("play") {
        let mut time = || words.next().and_then(millis);
        let (from, to) = (time(), time());
        play(chat, asking, buffers, from, to);
    } else if verb.eq_ignore_ascii_case("list") {
        list(chat, asking, buffers);
    }
    // CLEAR: what was said stays.
}

fn play(chat: &Chat, asking: &mut Asking<'_>, buffers: &str, from: Option<Millis>, to: Option<Millis>) {
    let Some(user) = asker(chat, asking) else { return };
    // The newest are given first where there are too many, so that the later time is the first point.
    let part = match (from, to) {
        (None, _) => Part::Latest(None),
        (Some(from), None) => Part::Latest(Some(Anchor::Time(from))),
        (Some(from), Some(to)) => Part::Between(Anchor::Time(to), Anchor::Time(from)),
    };
    for (nth, (room, name)) in chosen(chat, asking, buffers).into_iter().enumerate() {
        let asked = Asked {
            part,
            limit: asking.settings.znc_playback_max,
            events: false,
            clock: false,
            batch: format!("playback-{:x}-{nth}", asking.now_ms).into(),
        };
        let query = chat.ask_history(user, room, name, asked);
        asking.effects.push(Effect::History(Box::new(query)));
    }
}

/// `LIST`: the time of the last message of each buffer.
fn list(chat: &Chat, asking: &mut Asking<'_>, buffers: &str) {
    let Some(user) = asker(chat, asking) else { return };
    let by = Who { nick: NICK.into(), user: "znc".into(), host: "znc.in".into(), account: None };
    let by = Arc::new(by);
    for (room, name) in chosen(chat, asking, buffers) {
        let (seconds, millis) = (room.said_ms / 1000, room.said_ms % 1000);
        let text = format!("{name} 0 {seconds}.{millis:03}");
        let params = [Text::from(&user.who.nick), text.into()];
        asking.reply(Line::new(Source::User(Arc::clone(&by)), "PRIVMSG", params));
    }
}

/// The buffers that are meant, the latest of them where they are many, the oldest first.
fn chosen<'a>(chat: &'a Chat, asking: &Asking<'_>, buffers: &str) -> Vec<(&'a Room, Arc<str>)> {
    let user = asker(chat, asking);
    let mut all = readable(chat, asking.settings, user);
    if !buffers.split(',').any(|wanted| wanted == "*") {
        let named = |wanted: &str, room: &Room, name: &str| {
            let meant = user.and_then(|user| chat.conversation_named(user, wanted));
            chat.mapping().same(wanted, name) || meant.is_some_and(|(meant, _)| meant.id == room.id)
        };
        all.retain(|(room, name)| buffers.split(',').any(|wanted| named(wanted, room, name)));
    }
    all.sort_by_key(|(room, _)| (room.said_ms, room.id));
    all.drain(..all.len().saturating_sub(BUFFERS_MAX));
    all
}

/// Seconds since the Unix epoch, with or without a fraction, in milliseconds.
fn millis(seconds: &str) -> Option<Millis> {
    let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
    let whole: Millis = whole.parse().ok()?;
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // Clients count in floating point: 0.0029999 is meant as 0.003.
    let digits = |at: usize| fraction.as_bytes().get(at).map_or(0, |digit| Millis::from(digit - b'0'));
    let thousandths = digits(0) * 100 + digits(1) * 10 + digits(2) + Millis::from(digits(3) >= 5);
    whole.checked_mul(1000)?.checked_add(thousandths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_fractions() {
        for (seconds, expected) in [
            ("0", Some(0)),
            ("1700000000", Some(1_700_000_000_000)),
            ("1700000000.5", Some(1_700_000_000_500)),
            ("1700000000.0029998", Some(1_700_000_000_003)),
            ("1700000000.123456", Some(1_700_000_000_123)),
            ("-1", None),
            ("1.x", None),
            ("18446744073709551615", None),
        ] {
            assert_eq!(millis(seconds), expected, "{seconds}");
        }
    }
}
