//! `KEEP <room> [<duration>|forever]`: for how long what is said in a room is kept.

use std::sync::Arc;

use chinwag_wire::message::Message;
use chinwag_wire::numeric::Numeric;

use super::deeds::note;
use super::reply::{asker, given};
use crate::asking::{Asking, Flow};
use crate::chat::{Chat, Room};
use crate::event::{Event, Guard};
use crate::ids::Millis;
use crate::line::Text;
use crate::permissions::Action;
use crate::settings::Settings;
use crate::span::Span;

const NAME: &str = "KEEP";

/// The shortest time for which messages are kept: they are looked at a few times a minute.
pub const KEEP_LEAST_MS: Millis = 60_000;

/// `KEEP <room> [<duration>|forever]`; without a duration it shows how long messages are kept there.
pub(crate) fn keep(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
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
        let text = match room.keeps_ms(asking.settings) {
            Some(ms) => format!("What is said here disappears after {}", Span(ms)),
            None => "What is said here is kept for good".to_owned(),
        };
        return said(asking, room, "KEPT", text);
    };
    if !room.may(user.id, Action::Guard) {
        asking.refuse(Numeric::ERR_CHANOPRIVSNEEDED, [(&room.name).into()]);
        return Flow::Done;
    }
    let keep = match seconds(wanted, asking.settings) {
        Ok(keep) => Guard::Keep(keep),
        Err(text) => return said(asking, room, "INVALID_DURATION", text),
    };
    if room.would_guard(keep) {
        let by = Arc::clone(&user.who);
        asking.propose(Event::Guarded { room: room.id, basis: room.rules, by, guard: keep });
    }
    Flow::Done
}

/// How many seconds somebody means; none for as long as the server keeps anything.
fn seconds(wanted: &str, settings: &Settings) -> Result<Option<u32>, String> {
    if wanted.eq_ignore_ascii_case("forever") || wanted.eq_ignore_ascii_case("off") {
        return Ok(None);
    }
    let span = Span::parse(wanted).filter(|span| span.0 >= KEEP_LEAST_MS);
    let seconds = span.and_then(|span| u32::try_from(span.0 / 1_000).ok());
    let (Some(seconds), Some(span)) = (seconds, span) else {
        return Err(
            "A duration is written like 1h, 7d or 52w, and is at least 1m; forever ends it".to_owned()
        );
    };
    match settings.history_keep_ms {
        Some(most) if span.0 > most => {
            Err(format!("This server keeps nothing for longer than {}", Span(most)))
        }
        _ => Ok(Some(seconds)),
    }
}

fn said(asking: &mut Asking<'_>, room: &Room, code: &'static str, text: String) -> Flow {
    note(asking, NAME, code, [Text::from(&room.name)], text.into());
    Flow::Done
}
