//! What a turn costs without sockets and without a disk: nanoseconds a message and a delivery.
//!
//! `cargo run --release -p chinwag-node --example turn [members] [senders] [messages each] [turns] [rooms] [echo]`
//!
//! A message is parsed, decided, given its place by a log that only counts, applied and written once a dialect;
//! a delivery is one member's bytes of one turn, handed to an outlet that only counts.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chinwag_core::chat::Chat;
use chinwag_core::event::Event;
use chinwag_core::ids::SessionId;
use chinwag_core::session::Door;
use chinwag_core::settings::Settings;
use chinwag_log::{Arrival, Entry, Keep, Origin, Proposal, Seq};
use chinwag_node::{Node, Outlet, Peer, Received};
use chinwag_wire::names::MsgIdKey;

#[derive(Default)]
struct Counting {
    writes: u64,
    bytes: u64,
}

impl Outlet for Counting {
    fn write(&mut self, session: SessionId, parts: &[&[u8]]) {
        black_box(session);
        self.writes += 1;
        self.bytes += parts.iter().map(|part| part.len() as u64).sum::<u64>();
    }

    fn close(&mut self, _session: SessionId) {}
}

#[derive(Default)]
struct Costs {
    receive: Duration,
    log: Duration,
    arrive: Duration,
    flush: Duration,
}

struct Bench {
    node: Node,
    seq: u64,
    now: u64,
    out: Counting,
    costs: Costs,
}

impl Bench {
    /// Everything that is proposed gets its place, is applied and handed out.
    fn turn(&mut self) {
        loop {
            let start = Instant::now();
            let batch = self.node.take_proposals();
            if batch.is_empty() {
                return;
            }
            let entries = batch.into_iter().map(|proposal| place(&mut self.seq, proposal)).collect();
            let ordered = Instant::now();
            self.node.arrived(Arrival::Entries(entries), self.now);
            let applied = Instant::now();
            self.node.flush(&mut self.out);
            while self.node.has_output() {
                self.node.flush(&mut self.out);
            }
            self.costs.log += ordered - start;
            self.costs.arrive += applied - ordered;
            self.costs.flush += applied.elapsed();
        }
    }

    fn send(&mut self, session: SessionId, bytes: &[u8]) {
        let start = Instant::now();
        let received = self.node.receive(session, bytes, self.now);
        self.costs.receive += start.elapsed();
        assert_ne!(received, Received::Closed);
    }
}

fn place(seq: &mut u64, proposal: Proposal<Event>) -> Entry<Event> {
    let Proposal { key, at_ms, keep, event, .. } = proposal;
    *seq += u64::from(keep == Keep::Stored);
    Entry { seq: Seq(*seq), key, at_ms, keep, event }
}

fn main() {
    let numbers: Vec<usize> = std::env::args().skip(1).filter_map(|word| word.parse().ok()).collect();
    let number = |at: usize, usual: usize| numbers.get(at).copied().unwrap_or(usual);
    let (members, senders, each, turns) = (number(0, 100), number(1, 10), number(2, 8), number(3, 5_000));
    let rooms = number(4, 1);
    let echo = std::env::args().any(|word| word == "echo");
    let mut node = Node::new(Arc::new(Settings::default()), Chat::new(MsgIdKey([1, 2])), Origin(1), 1);
    node.start(0);
    let mut bench =
        Bench { node, seq: 0, now: 1_700_000_000_000, out: Counting::default(), costs: Costs::default() };
    bench.turn();
    let start = Instant::now();
    let sessions: Vec<SessionId> = (0..members)
        .map(|n| {
            let peer = Peer { host: "bench.example".into(), secure: false, exempt: true, ..Peer::default() };
            let session = bench.node.open(Door::Irc, peer, bench.now);
            let cap = if echo { "CAP REQ echo-message\r\n" } else { "" };
            let greeting = format!("{cap}NICK m{n}\r\nUSER m{n} 0 * :m{n}\r\n");
            bench.send(session, greeting.as_bytes());
            if echo {
                bench.send(session, b"CAP END\r\n");
            }
            session
        })
        .collect();
    bench.turn();
    println!("registering: {:.2} us each", start.elapsed().as_secs_f64() * 1e6 / members as f64);
    let start = Instant::now();
    for (nth, session) in sessions.iter().enumerate() {
        bench.send(*session, format!("JOIN #tea{}\r\n", nth % rooms).as_bytes());
    }
    bench.turn();
    let inside: usize = bench.node.chat().rooms().map(|room| room.members.len()).sum();
    assert_eq!(inside, members);
    println!("joining: {:.2} us each", start.elapsed().as_secs_f64() * 1e6 / members as f64);
    run(&mut bench, &sessions[..senders], rooms, each, turns);
    let messages = (turns * senders * each) as f64;
    let Costs { receive, log, arrive, flush } = bench.costs;
    let per = |cost: Duration, count: f64| cost.as_secs_f64() * 1e9 / count;
    let writes = bench.out.writes as f64;
    println!(
        "{members} members of {rooms} rooms, {senders} senders of {each} messages, {turns} turns, echo {echo}"
    );
    println!("receive and decide  {:8.1} ns a message", per(receive, messages));
    println!("propose and order   {:8.1} ns a message", per(log, messages));
    println!("apply and write     {:8.1} ns a message", per(arrive, messages));
    println!("sum                 {:8.1} ns a message", per(receive + log + arrive, messages));
    println!(
        "flush               {:8.1} ns a delivery ({:.0} bytes each)",
        per(flush, writes),
        bench.out.bytes as f64 / writes
    );
}

fn run(bench: &mut Bench, senders: &[SessionId], rooms: usize, each: usize, turns: usize) {
    let text = "it is a fine day for a cup of tea, is it not, my dear friends?";
    let lines: Vec<String> =
        (0..rooms).map(|room| format!("PRIVMSG #tea{room} :{text}\r\n").repeat(each)).collect();
    for round in 0..turns + turns / 10 {
        if round == turns / 10 {
            bench.costs = Costs::default();
            bench.out = Counting::default();
        }
        bench.now += 1;
        for (nth, session) in senders.iter().enumerate() {
            bench.send(*session, lines[nth % rooms].as_bytes());
        }
        bench.turn();
    }
}
