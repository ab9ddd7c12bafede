//! Messages whose time is over: how long a room keeps what is said in it, and what the chat forgets when that has
//! passed. The rows are the archive's.
//!
//! No node decides by its own clock what may still be read: one of them proposes the event that says up to which
//! message the time is over, and all apply it at the same place of the log.

use super::{Chat, Purges, Room};
use crate::event::Expired;
use crate::ids::{Millis, Number};
use crate::line::{Line, Source, Text};
use crate::settings::Settings;
use crate::span::Span;

impl Room {
    /// For how long messages are kept here: as long as the room and the server both do; none for ever.
    pub fn keeps_ms(&self, settings: &Settings) -> Option<Millis> {
        let own = self.keep_s.map(|seconds| Millis::from(seconds) * 1_000);
        own.into_iter().chain(settings.history_keep_ms).min()
    }

    /// What whoever comes in is told of it.
    pub(crate) fn keep_line(&self) -> Option<Line> {
        let span = Span(Millis::from(self.keep_s?) * 1_000);
        let text = format!("what is said here disappears after {span}");
        Some(Line::new(Source::Server, "NOTICE", [Text::from(&self.name), text.into()]))
    }
}

impl Chat {
    /// Whether messages are kept for a time of its own in any room.
    pub fn any_keeps(&self) -> bool {
        self.keeping > 0
    }

    pub(super) fn expired(&mut self, expired: Expired) {
        let Expired { room, upto, .. } = expired;
        let Some(room) = self.rooms.get_mut(room).filter(|room| upto > room.expired) else { return };
        room.expired = upto;
        room.history_from = room.history_from.max(Number(upto.0.saturating_add(1)));
        room.pins.retain(|pinned| *pinned > upto);
        room.redacted = room.redacted.split_off(&Number(upto.0.saturating_add(1)));
        let Purges { open, wiped, .. } = &mut room.purges;
        open.retain(|purge| purge.numbers.ends().is_some_and(|(_, last)| last > upto));
        *wiped = std::mem::take(wiped).after(upto);
    }
}
