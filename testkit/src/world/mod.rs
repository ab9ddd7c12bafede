//! Worlds: nodes over one log in memory, people on pipes of bytes, and time that a test moves by hand.
//!
//! Nothing here happens by itself. [`World::pump`] lets one node do what it can do now, [`World::settle`] lets
//! everybody do everything, and [`World::pass`] moves the clock.

mod archive;
mod people;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use chinwag_core::chat::Chat;
use chinwag_core::effect::Letter;
use chinwag_core::event::Event;
use chinwag_core::ids::{Millis, SessionId};
use chinwag_core::session::Door;
use chinwag_core::settings::Settings;
use chinwag_log::memory::{Faults, Memory, MemoryLog};
use chinwag_log::{Full, Log, Origin};
use chinwag_node::{HistoryRead, Node, Outlet, Peer, Received};
use chinwag_proof::{Cost, Prover, Scratch};
use chinwag_wire::msgid::MsgIdKey;

pub use archive::Archive;

/// When worlds begin, in milliseconds since the Unix epoch: 2026-11-21T02:10:00Z.
pub const BEGIN_MS: Millis = 1_795_227_000_000;

/// Milliseconds of silence after which a caller is taken for a plain one, as in the server.
const SILENCE_MS: Millis = 1_500;

/// How often a world may try to settle before it is clear that it never will.
const ROUNDS_MAX: usize = 200_000;

/// Secret of the msgids.
const KEY: MsgIdKey = MsgIdKey([0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210]);

/// A session, by its node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Client {
    /// Which node.
    pub node: usize,
    /// The session there.
    pub session: SessionId,
    /// Which life of the node: sessions of an earlier one are gone, whatever their number.
    pub life: u64,
}

/// Nodes over one log.
pub struct World {
    memory: Memory<Event>,
    settings: Arc<Settings>,
    now_ms: Millis,
    nodes: Vec<Place>,
    archive: Archive,
    started: u64,
    people: people::People,
    prover: Prover,
    /// Letters that would have been sent.
    pub letters: Vec<Letter>,
    /// Whether whoever comes in may ask as fast as they like. They may, until this is changed.
    pub exempt: bool,
}

/// A node with what is around it.
struct Place {
    life: u64,
    node: Node,
    log: MemoryLog<Event>,
    reads: Vec<HistoryRead>,
    pipes: Pipes,
}

/// The bytes on their way, by session.
#[derive(Default)]
struct Pipes {
    by_session: BTreeMap<SessionId, Pipe>,
}

#[derive(Default)]
struct Pipe {
    /// From the node.
    out: Vec<u8>,
    /// To the node, while it does not read.
    waiting: Vec<u8>,
    stopped: bool,
    closed: bool,
    /// When a burst that is being gathered is over.
    burst_ms: Option<Millis>,
    /// When somebody who has sent nothing is taken for a plain caller.
    silence_ms: Option<Millis>,
}

impl Outlet for Pipes {
    fn write(&mut self, session: SessionId, parts: &[&[u8]]) {
        if let Some(pipe) = self.by_session.get_mut(&session) {
            for part in parts {
                pipe.out.extend_from_slice(part);
            }
        }
    }

    fn close(&mut self, session: SessionId) {
        if let Some(pipe) = self.by_session.get_mut(&session) {
            pipe.closed = true;
        }
    }
}

/// Notes that somebody wants to be polled again.
#[derive(Default)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl World {
    /// So many nodes over a log with these faults. The seed decides about the faults.
    pub fn new(nodes: usize, settings: Settings, seed: u64, faults: Faults) -> Self {
        let memory = Memory::new(seed, faults);
        let archive = Archive::new(memory.open(), KEY);
        let mut world = World {
            memory,
            settings: Arc::new(settings),
            now_ms: BEGIN_MS,
            nodes: Vec::new(),
            archive,
            started: 0,
            people: people::People::default(),
            prover: Prover::new(Cost::TEST, [1, 2]),
            letters: Vec::new(),
            exempt: true,
        };
        for index in 0..nodes {
            let place = world.place(index);
            world.nodes.push(place);
        }
        world
    }

    /// A node that knows all that is stored.
    fn place(&mut self, index: usize) -> Place {
        let log = self.memory.open();
        let mut chat = Chat::new(KEY);
        let mut nothing = Vec::new();
        for entry in self.memory.stored() {
            chat.apply(&entry, &mut nothing);
            nothing.clear();
        }
        self.started += 1;
        let origin = Origin(u32::try_from(index + 1).expect("worlds are small"));
        // Keys grow over restarts; a node gives far fewer than this in one life.
        let first_key = self.started << 32;
        let mut node = Node::new(Arc::clone(&self.settings), chat, origin, first_key);
        node.start(self.now_ms);
        Place { life: self.started, node, log, reads: Vec::new(), pipes: Pipes::default() }
    }

    /// How many nodes there are.
    pub fn nodes(&self) -> usize {
        self.nodes.len()
    }

    /// A node's chat.
    pub fn chat(&self, node: usize) -> &Chat {
        self.nodes[node].node.chat()
    }

    /// The witness.
    pub fn archive(&self) -> &Archive {
        &self.archive
    }

    /// The log.
    pub fn memory(&self) -> &Memory<Event> {
        &self.memory
    }

    /// Now.
    pub fn now_ms(&self) -> Millis {
        self.now_ms
    }

    /// Opens a session.
    pub fn open(&mut self, node: usize, door: Door) -> Client {
        let peer = Peer { host: "127.0.0.1".into(), secure: true, exempt: self.exempt, ..Peer::default() };
        let place = &mut self.nodes[node];
        let session = place.node.open(door, peer, self.now_ms);
        let silence_ms = (door == Door::Plain).then_some(self.now_ms + SILENCE_MS);
        place.pipes.by_session.insert(session, Pipe { silence_ms, ..Pipe::default() });
        Client { node, session, life: place.life }
    }

    /// Sends bytes.
    pub fn send(&mut self, client: Client, bytes: &[u8]) {
        let now_ms = self.now_ms;
        let Some((node, pipe)) = self.pipe(client) else { return };
        pipe.silence_ms = None;
        if pipe.closed {
            return;
        }
        if pipe.stopped {
            pipe.waiting.extend_from_slice(bytes);
        } else {
            let received = node.receive(client.session, bytes, now_ms);
            note(node, pipe, client.session, received, now_ms);
        }
    }

    fn pipe(&mut self, client: Client) -> Option<(&mut Node, &mut Pipe)> {
        let place = self.nodes.get_mut(client.node).filter(|place| place.life == client.life)?;
        Some((&mut place.node, place.pipes.by_session.get_mut(&client.session)?))
    }

    /// What a session was sent since the last call.
    pub fn take(&mut self, client: Client) -> Vec<u8> {
        self.pipe(client).map(|(_, pipe)| std::mem::take(&mut pipe.out)).unwrap_or_default()
    }

    /// Whether a session was closed by its node.
    pub fn is_closed(&mut self, client: Client) -> bool {
        self.pipe(client).is_none_or(|(_, pipe)| pipe.closed)
    }

    /// A session's connection breaks.
    pub fn cut(&mut self, client: Client) {
        let now_ms = self.now_ms;
        let Some((node, pipe)) = self.pipe(client) else { return };
        if !pipe.closed {
            node.closed(client.session, "Connection closed", now_ms);
        }
        self.nodes[client.node].pipes.by_session.remove(&client.session);
    }

    /// Lets one node do what it can do now. Says whether it did anything.
    pub fn pump(&mut self, index: usize) -> bool {
        let flag = Arc::new(Flag::default());
        self.pump_with(index, &Waker::from(Arc::clone(&flag)))
    }

    fn pump_with(&mut self, index: usize, waker: &Waker) -> bool {
        let now_ms = self.now_ms;
        let mut any = self.archive.pump(waker);
        let Place { node, log, reads, pipes, .. } = &mut self.nodes[index];
        for session in node.take_woken() {
            any = true;
            let Some(pipe) = pipes.by_session.get_mut(&session) else { continue };
            pipe.stopped = false;
            let bytes = std::mem::take(&mut pipe.waiting);
            if !bytes.is_empty() {
                let received = node.receive(session, &bytes, now_ms);
                note(node, pipe, session, received, now_ms);
            }
        }
        loop {
            let batch = node.take_proposals();
            if batch.is_empty() {
                break;
            }
            any = true;
            if let Err(Full(batch)) = log.append(batch) {
                node.returned(batch);
                break;
            }
        }
        if let Poll::Ready(arrival) = log.poll_next(&mut Context::from_waker(waker)) {
            any = true;
            node.arrived(arrival, now_ms);
        }
        for work in node.take_work() {
            any = true;
            let outcome = self.prover.carry_out(work.job, &mut Scratch::default());
            node.worked(work.id, outcome, now_ms);
        }
        self.letters.extend(node.take_letters());
        reads.extend(node.take_reads());
        reads.retain(|read| match self.archive.answer(&read.question) {
            Some(answer) => {
                any = true;
                node.history(read.id, Ok(answer), now_ms);
                false
            }
            None => true,
        });
        any |= node.has_output();
        node.flush(pipes);
        any
    }

    /// Lets everybody do everything. Time passes only where something waits for it.
    pub fn settle(&mut self) {
        let flag = Arc::new(Flag::default());
        let waker = Waker::from(Arc::clone(&flag));
        for _ in 0..ROUNDS_MAX {
            let mut any = false;
            for index in 0..self.nodes.len() {
                any |= self.pump_with(index, &waker);
            }
            any |= flag.0.swap(false, Ordering::Relaxed);
            if any {
                continue;
            }
            let waits = |place: &Place| place.node.busy() || !place.reads.is_empty();
            if !self.nodes.iter().any(waits) {
                return;
            }
            self.advance(1);
        }
        panic!("the world does not settle");
    }

    /// Lets time pass, in steps small enough for everything that happens on the way.
    pub fn pass(&mut self, millis: u64) {
        let end_ms = self.now_ms + millis;
        self.settle();
        while self.now_ms < end_ms {
            let next_ms = self.next_timer_ms().unwrap_or(end_ms).clamp(self.now_ms + 1, end_ms);
            // A tick at least each second, as a server has it.
            self.advance((next_ms - self.now_ms).min(1_000));
            self.settle();
        }
    }

    /// When the next burst or silence is over.
    fn next_timer_ms(&self) -> Option<Millis> {
        let pipes = self.nodes.iter().flat_map(|place| place.pipes.by_session.values());
        pipes.filter(|pipe| !pipe.closed).flat_map(|pipe| [pipe.burst_ms, pipe.silence_ms]).flatten().min()
    }

    /// Moves the clock, and lets happen what is due then, but nothing that follows from it.
    pub fn advance(&mut self, millis: u64) {
        self.now_ms += millis;
        let now_ms = self.now_ms;
        for Place { node, pipes, .. } in &mut self.nodes {
            for (session, pipe) in &mut pipes.by_session {
                if pipe.burst_ms.is_some_and(|at_ms| at_ms <= now_ms) {
                    pipe.burst_ms = None;
                    let received = node.end_of_burst(*session, now_ms);
                    note(node, pipe, *session, received, now_ms);
                }
                if pipe.silence_ms.is_some_and(|at_ms| at_ms <= now_ms) {
                    pipe.silence_ms = None;
                    let received = node.silence(*session, now_ms);
                    note(node, pipe, *session, received, now_ms);
                }
            }
            node.tick(now_ms);
        }
    }

    /// A node is gone from one moment to the next, with all that it had under way, and starts again from what is
    /// stored. Its connections are gone as well.
    pub fn crash(&mut self, node: usize) {
        let place = self.place(node);
        self.nodes[node] = place;
    }

    /// Every node stops and starts again on the same log; every connection ends.
    pub fn restart(&mut self) {
        self.settle();
        let count = self.nodes.len();
        self.nodes.clear();
        for index in 0..count {
            let place = self.place(index);
            self.nodes.push(place);
        }
        self.settle();
    }
}

/// Does what a driver does with the answer to bytes that it handed in.
fn note(node: &Node, pipe: &mut Pipe, session: SessionId, received: Received, now_ms: Millis) {
    pipe.stopped = received == Received::Wait;
    pipe.burst_ms = node.gather_ms(session).map(|millis| now_ms + millis);
}
