//! What is read from the log, kept in memory: the history of every room, by applying every entry to a chat of
//! its own. That makes it a witness as well: it sees what every node sees, and nothing goes through it.

use std::collections::BTreeMap;
use std::task::{Context, Poll, Waker};

use chinwag_core::chat::Chat;
use chinwag_core::effect::Effect;
use chinwag_core::event::Event;
use chinwag_core::history::{Anchor, Page, Part, Query, Row};
use chinwag_core::ids::{Number, RoomId};
use chinwag_log::memory::MemoryLog;
use chinwag_log::{Arrival, Entry, Log};
use chinwag_wire::msgid::MsgIdKey;

/// The witness.
pub struct Archive {
    log: MemoryLog<Event>,
    chat: Chat,
    rows: BTreeMap<RoomId, Vec<Row>>,
}

impl Archive {
    pub(super) fn new(log: MemoryLog<Event>, key: MsgIdKey) -> Self {
        Archive { log, chat: Chat::new(key), rows: BTreeMap::new() }
    }

    /// The chat as it follows from the log.
    pub fn chat(&self) -> &Chat {
        &self.chat
    }

    /// What was said in a room, by number from 1.
    pub fn rows(&self, room: RoomId) -> &[Row] {
        self.rows.get(&room).map_or(&[], Vec::as_slice)
    }

    /// Takes what has arrived. Says whether there was anything.
    pub(super) fn pump(&mut self, waker: &Waker) -> bool {
        let mut any = false;
        while let Poll::Ready(arrival) = self.log.poll_next(&mut Context::from_waker(waker)) {
            any = true;
            if let Arrival::Entries(entries) = arrival {
                for entry in &entries {
                    self.apply(entry);
                }
            }
        }
        any
    }

    fn apply(&mut self, entry: &Entry<Event>) {
        let mut effects = Vec::new();
        let new = self.chat.apply(entry, &mut effects);
        let Event::Said(said) = &entry.event else { return };
        let Some(at_ms) = effects.iter().find_map(|effect| match effect {
            Effect::Send { line, .. } => line.meta.at_ms,
            _ => None,
        }) else {
            return;
        };
        if new && !effects.contains(&Effect::Stale) {
            self.rows.entry(said.room).or_default().push(Row {
                seq: entry.seq,
                number: self.chat.head(said.room),
                at_ms,
                by: said.by.clone(),
                kind: said.kind,
                text: said.text.clone(),
                joins: said.joins.clone(),
                client_tags: said.client_tags.clone(),
                status: said.status,
            });
        }
    }

    /// The answer to a question; none when what it asks for has not arrived here yet.
    pub(super) fn page(&self, query: &Query) -> Option<Page> {
        if self.chat.head(query.room) < query.last {
            return None;
        }
        let visible = |row: &&Row| row.number >= query.first && row.number <= query.last;
        let rows: Vec<&Row> = self.rows(query.room).iter().filter(visible).collect();
        let limit = query.limit as usize;
        let before = |anchor: &Anchor| rows.partition_point(|row| is_before(row, anchor));
        let after = |anchor: &Anchor| rows.partition_point(|row| !is_after(row, anchor));
        let newest = |from: usize, to: usize| to.saturating_sub(limit).max(from)..to;
        let oldest = |from: usize, to: usize| from..to.min(from.saturating_add(limit));
        let range = match &query.part {
            Part::Latest(None) => newest(0, rows.len()),
            Part::Latest(Some(anchor)) => newest(after(anchor), rows.len()),
            Part::Before(anchor) => newest(0, before(anchor)),
            Part::After(anchor) => oldest(after(anchor), rows.len()),
            Part::Around(anchor) => {
                let start = before(anchor).saturating_sub(limit / 2);
                oldest(start, rows.len())
            }
            Part::Between(first, second) if after(first) <= before(second) => {
                oldest(after(first), before(second))
            }
            Part::Between(first, second) => newest(after(second), before(first).max(after(second))),
        };
        Some(rows[range].iter().map(|row| (*row).clone()).collect())
    }

    /// The number of the last message of a room.
    pub fn head(&self, room: RoomId) -> Number {
        self.chat.head(room)
    }
}

fn is_before(row: &Row, anchor: &Anchor) -> bool {
    match anchor {
        Anchor::Seq(seq) => row.seq < *seq,
        Anchor::Time(at_ms) => row.at_ms < *at_ms,
    }
}

fn is_after(row: &Row, anchor: &Anchor) -> bool {
    match anchor {
        Anchor::Seq(seq) => row.seq > *seq,
        Anchor::Time(at_ms) => row.at_ms > *at_ms,
    }
}
