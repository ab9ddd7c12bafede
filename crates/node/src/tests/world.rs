//! A node with a log in memory and outlets that only remember: one thread, no clock, real byte streams.

use std::collections::HashMap;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use chinwag_core::aging::{AgeQuery, Aged};
use chinwag_core::chat::Chat;
use chinwag_core::event::Event;
use chinwag_core::history::{Anchor, Page, Part, Query, Row};
use chinwag_core::ids::{Number, RoomId, SessionId, UserId};
use chinwag_core::pointed::{Answer, Found, Lookup, Pointer, Question};
use chinwag_core::session::Door;
use chinwag_core::settings::Settings;
use chinwag_log::memory::{Faults, Memory, MemoryLog};
use chinwag_log::{Full, Log, Origin};
use chinwag_proof::{Cost, Prover, Scratch};
use chinwag_wire::names::MsgIdKey;

use crate::{Node, Outlet, Peer, Received};

pub(super) struct World {
    pub(super) node: Node,
    pub(super) memory: Memory<Event>,
    pub(super) log: MemoryLog<Event>,
    pub(super) out: Sink,
    pub(super) now: u64,
    /// Leave reads unanswered.
    pub(super) hold_reads: bool,
    /// Leave work undone.
    pub(super) hold_work: bool,
    pub(super) prover: Prover,
}

/// What sessions were handed.
#[derive(Default)]
pub(super) struct Sink {
    pub(super) bytes: HashMap<SessionId, Vec<u8>>,
    pub(super) closed: Vec<SessionId>,
    pub(super) writes: usize,
    /// Who was written to last, the latest at the end.
    pub(super) order: Vec<SessionId>,
}

impl Outlet for Sink {
    fn write(&mut self, session: SessionId, parts: &[&[u8]]) {
        assert!(!self.closed.contains(&session), "written to after it was closed");
        assert!(parts.iter().all(|part| !part.is_empty()));
        self.writes += 1;
        self.order.push(session);
        let bytes = self.bytes.entry(session).or_default();
        for part in parts {
            bytes.extend_from_slice(part);
        }
    }

    fn close(&mut self, session: SessionId) {
        self.closed.push(session);
    }
}

impl World {
    pub(super) fn new() -> Self {
        Self::over(Memory::new(1, Faults::default()), 1)
    }

    pub(super) fn over(memory: Memory<Event>, origin: u32) -> Self {
        let settings = Settings { motd: Vec::new(), ..Settings::default() };
        Self::with(settings, memory, origin)
    }

    pub(super) fn with(settings: Settings, memory: Memory<Event>, origin: u32) -> Self {
        let chat = Chat::new(MsgIdKey([1, 2]));
        let mut node = Node::new(Arc::new(settings), chat, Origin(origin), 1);
        node.start(1_000);
        let log = memory.open();
        let mut world = World {
            node,
            memory,
            log,
            out: Sink::default(),
            now: 1_000,
            hold_reads: false,
            hold_work: false,
            prover: Prover::new(Cost::TEST, [1, 2]),
        };
        world.turn();
        world
    }

    /// Everything that is under way goes its way, until nothing moves.
    pub(super) fn turn(&mut self) {
        for _ in 0..10_000 {
            if !self.step() {
                return;
            }
        }
        panic!("the node never comes to rest");
    }

    /// One round of the driver; whether anything moved.
    pub(super) fn step(&mut self) -> bool {
        let batch = self.node.take_proposals();
        let mut moved = !batch.is_empty();
        if let Err(Full(batch)) = self.log.append(batch) {
            self.node.returned(batch);
        }
        while let Poll::Ready(arrival) = self.log.poll_next(&mut Context::from_waker(Waker::noop())) {
            moved = true;
            self.node.arrived(arrival, self.now);
        }
        if !self.hold_work {
            for work in self.node.take_work() {
                moved = true;
                self.node.worked(work.id, self.prover.carry_out(work.job, &mut Scratch::default()), self.now);
            }
        }
        if !self.hold_reads {
            for read in self.node.take_reads() {
                moved = true;
                let answer = match &read.question {
                    Question::Page(query) => Answer::Page(self.page(query)),
                    Question::Message(lookup) => Answer::Message(self.message(lookup)),
                    Question::Age(query) => Answer::Aged(self.aged(query)),
                    other => panic!("not needed by these tests: {other:?}"),
                };
                self.node.history(read.id, Ok(answer), self.now);
            }
        }
        moved |= self.node.has_output();
        self.node.flush(&mut self.out);
        moved
    }

    pub(super) fn open(&mut self, door: Door) -> SessionId {
        self.open_from(door, true)
    }

    /// A session of somebody who may ask as fast as they like, or not.
    pub(super) fn open_from(&mut self, door: Door, exempt: bool) -> SessionId {
        self.node.open(door, Peer { host: "host".into(), secure: true, exempt, ..Peer::default() }, self.now)
    }

    pub(super) fn send(&mut self, session: SessionId, bytes: impl AsRef<[u8]>) -> Received {
        self.node.receive(session, bytes.as_ref(), self.now)
    }

    /// Lines, then a turn.
    pub(super) fn say(&mut self, session: SessionId, lines: &str) {
        let bytes: String = lines.split('\n').map(|line| format!("{line}\r\n")).collect();
        let _ = self.send(session, bytes);
        self.turn();
    }

    /// An IRC session that has come in, its welcome already read.
    pub(super) fn irc(&mut self, nick: &str, caps: &str) -> SessionId {
        let session = self.open(Door::Irc);
        if caps.is_empty() {
            self.say(session, &format!("NICK {nick}\nUSER {nick} 0 * :{nick}"));
        } else {
            self.say(
                session,
                &format!("CAP LS 302\nNICK {nick}\nUSER {nick} 0 * :{nick}\nCAP REQ :{caps}\nCAP END"),
            );
        }
        let welcome = self.read(session);
        assert!(welcome.contains(&format!(" 001 {nick} ")), "{welcome}");
        session
    }

    /// What a session was handed since the last time, as text with `\n` between lines.
    pub(super) fn read(&mut self, session: SessionId) -> String {
        let bytes = self.out.bytes.remove(&session).unwrap_or_default();
        String::from_utf8(bytes).unwrap().replace("\r\n", "\n")
    }

    pub(super) fn lines(&mut self, session: SessionId) -> Vec<String> {
        self.read(session).lines().map(str::to_owned).collect()
    }

    fn message(&self, lookup: &Lookup) -> Option<Box<Found>> {
        let row = self.rows(lookup.room).into_iter().find(|(_, row)| match lookup.of {
            Pointer::Number(number) => row.number == number,
            Pointer::Seq(seq) => row.seq == seq,
        });
        row.map(|(user, row)| Box::new(Found { row, user, formers: Vec::new() }))
    }

    fn aged(&self, query: &AgeQuery) -> Aged {
        let rows = self.rows(query.room).into_iter().map(|(_, row)| row);
        let (over, stays): (Vec<Row>, Vec<Row>) =
            rows.filter(|row| row.number > query.after).partition(|row| row.at_ms < query.before_ms);
        let upto = over.last().map(|row| (row.number, row.seq));
        Aged { upto, next_ms: stays.first().map(|row| row.at_ms) }
    }

    /// What was said in a room, and which user said it.
    fn rows(&self, room: RoomId) -> Vec<(UserId, Row)> {
        let mut number = 0;
        let mut rows = Vec::new();
        for entry in self.memory.stored() {
            let Event::Said(said) = &entry.event else { continue };
            if said.room == room {
                number += 1;
                let row = Row {
                    seq: entry.seq,
                    number: Number(number),
                    at_ms: entry.at_ms,
                    by: said.by.clone(),
                    kind: said.kind,
                    text: said.text.clone(),
                    joins: said.joins.clone(),
                    client_tags: said.client_tags.clone(),
                    status: said.status,
                };
                rows.push((said.user, row));
            }
        }
        rows
    }

    fn page(&self, query: &Query) -> Page {
        let shown = |row: &Row| (query.first..=query.last).contains(&row.number);
        let rows = self.rows(query.room).into_iter().map(|(_, row)| row);
        let mut rows: Vec<Row> = rows.filter(shown).collect();
        match query.part {
            Part::Latest(None) => {}
            Part::Before(Anchor::Seq(seq)) => rows.retain(|row| row.seq < seq),
            other => panic!("not needed by these tests: {other:?}"),
        }
        let from = rows.len().saturating_sub(query.limit as usize);
        Page { rows: rows.split_off(from), ..Page::default() }
    }
}
