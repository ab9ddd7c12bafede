//! What the archive's tests share: folders that go away, events, and waiting.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::sync::Arc;
use std::time::Duration;

use chinwag_archive::{Opened, Options, SqliteLog, open};
use chinwag_core::event::{Event, Said, SayKind, Who};
use chinwag_core::ids::{RoomId, UserId};
use chinwag_log::conformance::next;
use chinwag_log::{Arrival, Entry, Key, Log, Origin, Proposal, Slot};
use tempfile::TempDir;

/// How long a test waits for what must come.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder for the test")
}

pub fn opened(dir: &TempDir) -> Opened {
    open(dir.path(), Options::default()).expect("opens")
}

pub fn who(nick: &str) -> Arc<Who> {
    Arc::new(Who { nick: nick.into(), user: "~u".into(), host: "example.org".into(), account: None })
}

pub fn said(room: u32, text: &str) -> Said {
    Said {
        room: RoomId(room),
        basis: 0,
        user: UserId(1 << 48),
        by: who("ann"),
        kind: SayKind::Privmsg,
        text: text.into(),
        joins: None,
        client_tags: None,
        status: None,
        direct: None,
    }
}

/// Proposes events with growing keys and the right slots.
#[derive(Default)]
pub struct Proposer {
    pub n: u64,
    pub now_ms: u64,
    pub heads: std::collections::HashMap<u32, u64>,
    pub rooms: u32,
}

impl Proposer {
    pub fn proposal(&mut self, event: Event) -> Proposal<Event> {
        self.n += 1;
        let slot = match &event {
            Event::Said(said) => {
                let head = self.heads.entry(said.room.0).or_default();
                *head += 1;
                Slot { room: said.room.0, number: *head }
            }
            Event::Opened { .. } => {
                self.rooms += 1;
                Slot { room: self.rooms, number: 0 }
            }
            other => Slot { room: other.room().map_or(0, |room| room.0), number: 0 },
        };
        let key = Key { origin: Origin(1), n: self.n };
        Proposal { key, at_ms: self.now_ms, keep: event.keep(), slot, event }
    }

    /// A number that was given to a message that was refused is free again.
    pub fn take_back(&mut self, room: u32, count: u64) {
        *self.heads.entry(room).or_default() -= count;
    }

    pub fn say(&mut self, room: u32, text: &str) -> Proposal<Event> {
        self.proposal(Event::Said(Arc::new(said(room, text))))
    }
}

/// Appends, and waits for as many entries.
pub fn store(log: &mut SqliteLog, batch: Vec<Proposal<Event>>) -> Vec<Entry<Event>> {
    let count = batch.len();
    log.append(batch).expect("room in the queue");
    let mut found = Vec::new();
    while found.len() < count {
        match next(log, PATIENCE).expect("arrives in time") {
            Arrival::Entries(entries) => found.extend(entries),
            other => panic!("expected entries, got {other:?}"),
        }
    }
    found
}
