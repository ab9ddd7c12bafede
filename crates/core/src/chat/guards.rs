//! Guarding a room for a while: slow mode, the hold for new people, and entries of lists that end by themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::apply::send;
use super::apply_rules::unchanged;
use super::{Chat, Room, User};
use crate::effect::{Effects, To};
use crate::event::{Guard, ModeChange, Who};
use crate::ids::{Millis, RoomId, UserId};
use crate::line::{Line, Source, Text};
use crate::permissions::{Action, may};
use crate::span::Span;

/// How a room is guarded.
#[derive(Clone, Debug, Default)]
pub struct Guards {
    /// Seconds between two messages of an ordinary member.
    pub slow_s: Option<u32>,
    /// Minutes for which somebody has to be known before speaking.
    pub lockdown_min: Option<u32>,
    /// When those last spoke who have to wait. Kept only while the room is slow, and not stored.
    spoke: BTreeMap<UserId, Millis>,
}

impl Guards {
    /// Notes that somebody spoke, and forgets who need not wait any more.
    pub(super) fn note_spoken(&mut self, user: UserId, at_ms: Millis) {
        let Some(slow_s) = self.slow_s else { return };
        let over = |since: Millis| since + Millis::from(slow_s) * 1000 <= at_ms;
        self.spoke.retain(|_, since| !over(*since));
        self.spoke.insert(user, at_ms);
    }

    /// How it is said that it changed.
    fn shown(guard: Guard) -> String {
        let span = |seconds: u64| Span(seconds * 1000);
        match guard {
            Guard::Slow(Some(seconds)) => {
                format!("the room is slow now: one message every {} each", span(seconds.into()))
            }
            Guard::Slow(None) => "the room is not slow any more".to_owned(),
            Guard::Lockdown(Some(minutes)) => {
                format!("who is new waits {} before speaking here", span(u64::from(minutes) * 60))
            }
            Guard::Lockdown(None) => "who is new need not wait before speaking any more".to_owned(),
            Guard::OpenRecords(true) => {
                "everybody here may read who did what to keep the room: /modlog".to_owned()
            }
            Guard::OpenRecords(false) => {
                "only operators may read who did what to keep the room from now on".to_owned()
            }
            Guard::Keep(Some(seconds)) => format!(
                "what is said here disappears after {}, also what was said before. Others' programs and logs keep what \
                 they have",
                span(seconds.into())
            ),
            Guard::Keep(None) => {
                "what is said here is kept as long as the server keeps anything from now on".to_owned()
            }
        }
    }
}

impl Room {
    /// For how long somebody still has to wait before speaking, if so, and for which reason.
    pub fn holds_back(&self, user: &User, known_ms: Millis, now_ms: Millis) -> Option<(Span, &'static str)> {
        let Guards { slow_s, lockdown_min, spoke } = &self.guards;
        if (slow_s.is_none() && lockdown_min.is_none()) || may(self.roles(user.id), Action::Speak) {
            return None;
        }
        let left = |from_ms: Millis, span_ms: Millis| {
            (from_ms + span_ms).checked_sub(now_ms).filter(|left| *left > 0).map(Span)
        };
        let new = lockdown_min.and_then(|minutes| left(known_ms, Millis::from(minutes) * 60_000));
        if let Some(span) = new {
            return Some((span, "people who are new here wait before they speak"));
        }
        let spoke_ms = spoke.get(&user.id)?;
        let span = left(*spoke_ms, Millis::from((*slow_s)?) * 1000)?;
        Some((span, "the room is slow"))
    }

    /// Whether a guard would change anything.
    pub(crate) fn would_guard(&self, guard: Guard) -> bool {
        match guard {
            Guard::Slow(seconds) => self.guards.slow_s != seconds,
            Guard::Lockdown(minutes) => self.guards.lockdown_min != minutes,
            Guard::Keep(seconds) => self.keep_s != seconds,
            Guard::OpenRecords(open) => self.open_records != open,
        }
    }
}

impl Chat {
    /// Since when somebody has been known here: as an account, or since coming in.
    pub fn known_since(&self, user: &User) -> Millis {
        let account = user.who.account.as_ref().and_then(|account| self.account(account));
        account.map_or(user.signed_on_ms, |account| account.created_ms)
    }

    pub(super) fn guarded(
        &mut self,
        at_ms: Millis,
        room: RoomId,
        basis: u32,
        by: &Arc<Who>,
        guard: Guard,
        effects: &mut Effects,
    ) {
        let Some(room) = unchanged(&mut self.rooms, room, basis, effects) else { return };
        room.rules += 1;
        match guard {
            Guard::Slow(seconds) => {
                room.guards.slow_s = seconds;
                room.guards.spoke.clear();
            }
            Guard::Lockdown(minutes) => room.guards.lockdown_min = minutes,
            Guard::OpenRecords(open) => room.open_records = open,
            Guard::Keep(seconds) => {
                let before = std::mem::replace(&mut room.keep_s, seconds);
                self.keeping = self.keeping + u32::from(seconds.is_some()) - u32::from(before.is_some());
            }
        }
        let text = format!("{}: {}", by.nick, Guards::shown(guard));
        let params = [Text::from(&room.name), text.into()];
        send(effects, To::Room(room.id), Line::new(Source::Server, "NOTICE", params).at(room.stamp(at_ms)));
    }

    /// Entries of lists that hold no more, by room: what a node proposes to take away.
    pub fn ended_entries(&self, now_ms: Millis) -> Vec<(RoomId, Vec<ModeChange>)> {
        let due = self.ending.iter().take_while(|(end_ms, _)| *end_ms <= now_ms);
        let rooms = due.filter_map(|(_, room)| self.rooms.get(*room));
        rooms.map(|room| (room.id, room.lists.ended(now_ms).collect())).collect()
    }

    /// Notes when the first entry of a room's lists ends.
    pub(super) fn note_ends(&mut self, room: RoomId) {
        let first = self.rooms.get(room).and_then(|room| room.lists.first_end_ms());
        if first.is_none() && self.ending.is_empty() {
            return;
        }
        self.ending.retain(|(_, other)| *other != room);
        self.ending.extend(first.map(|end_ms| (end_ms, room)));
    }
}

/// Rooms with entries that end, by when the first does.
pub(super) type Ending = BTreeSet<(Millis, RoomId)>;
