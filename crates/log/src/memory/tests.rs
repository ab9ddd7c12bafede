//! MemoryLog: the suite, and what its faults promise.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::*;
use crate::conformance::{self, Harness, next};
use crate::{Key, Origin, Slot};

struct InMemory {
    memory: Memory<String>,
}

impl Harness for InMemory {
    type Event = String;
    type Log = MemoryLog<String>;

    fn open(&mut self) -> Self::Log {
        self.memory.open()
    }

    fn stored(&mut self, number: u64) -> (String, Slot) {
        (format!("stored {number}"), Slot { room: 1, number })
    }

    fn passing(&mut self, number: u64) -> String {
        format!("passing {number}")
    }

    fn close(&mut self, log: Self::Log) {
        drop(log);
    }

    fn crash(&mut self, log: Self::Log) {
        drop(log);
    }

    fn set_failing(&mut self, _log: &mut Self::Log, failing: bool) {
        self.memory.set_read_only(failing.then_some("the test's disk is full"));
    }

    fn capacity(&self) -> usize {
        1000
    }

    fn open_another(&mut self) -> Option<Self::Log> {
        Some(self.memory.open())
    }
}

#[test]
fn the_memory_log_conforms() {
    conformance::run(|| InMemory { memory: Memory::with_capacity(1, Faults::default(), 1000) });
}

#[test]
fn the_memory_log_conforms_when_everything_comes_late() {
    let faults = Faults { delay: 500, delay_polls_max: 4, ..Faults::default() };
    // All checks but the one that expects a certain poll to find nothing are the same with delays.
    conformance::run(|| InMemory { memory: Memory::with_capacity(7, faults, 1000) });
}

fn proposal(origin: u32, n: u64) -> Proposal<String> {
    let keep = if n.is_multiple_of(4) { Keep::Passing } else { Keep::Stored };
    Proposal {
        key: Key { origin: Origin(origin), n },
        at_ms: n,
        keep,
        slot: Slot::default(),
        event: format!("{origin}/{n}"),
    }
}

/// A node as small as can be: it retries what is not known and gives up what is refused.
struct Node {
    log: MemoryLog<String>,
    origin: u32,
    n: u64,
    unacknowledged: Vec<u64>,
    refused: Vec<u64>,
    unknown: BTreeSet<u64>,
    seen: Vec<(Key, Seq)>,
    last: BTreeMap<Origin, u64>,
}

impl Node {
    fn take(&mut self) -> bool {
        let Some(arrival) = next(&mut self.log, Duration::ZERO) else { return false };
        match arrival {
            Arrival::Entries(entries) => {
                for entry in entries {
                    let last = self.last.entry(entry.key.origin).or_default();
                    if entry.key.n > *last {
                        *last = entry.key.n;
                        self.seen.push((entry.key, entry.seq));
                        self.unacknowledged
                            .retain(|n| entry.key.origin.0 != self.origin || *n != entry.key.n);
                    }
                }
            }
            Arrival::Refused { batch, why } => {
                // A refused retry says nothing about the first try: what was unknown once is retried until
                // it is seen.
                if why == Refusal::Unknown {
                    self.unknown.extend(batch.iter().map(|proposal| proposal.key.n));
                }
                let (retry, gone): (Vec<_>, Vec<_>) =
                    batch.into_iter().partition(|proposal| self.unknown.contains(&proposal.key.n));
                self.log.append(retry).expect("it had room before");
                for gone in gone {
                    self.unacknowledged.retain(|n| *n != gone.key.n);
                    self.refused.push(gone.key.n);
                }
            }
            Arrival::Health(_) => {}
        }
        true
    }

    fn propose(&mut self, count: u64) {
        let batch: Vec<_> = (1..=count).map(|more| proposal(self.origin, self.n + more)).collect();
        self.unacknowledged.extend(batch.iter().map(|proposal| proposal.key.n));
        self.n += count;
        self.log.append(batch).expect("few are under way");
    }
}

fn world(seed: u64) -> Vec<(Key, Seq)> {
    let memory = Memory::new(seed, Faults::ROUGH);
    let mut nodes: Vec<Node> = (1..=2)
        .map(|origin| Node {
            log: memory.open(),
            origin,
            n: 0,
            unacknowledged: vec![],
            refused: vec![],
            unknown: BTreeSet::new(),
            seen: vec![],
            last: BTreeMap::new(),
        })
        .collect();
    let mut dice = Dice(seed ^ 1);
    for _ in 0..300 {
        let node = &mut nodes[(dice.roll() % 2) as usize];
        if dice.hits(400) {
            node.propose(1 + dice.roll() % 3);
        } else {
            node.take();
        }
    }
    memory.set_faults(Faults::default());
    let mut quiet = 0;
    while quiet < 100 {
        let moved = nodes.iter_mut().map(Node::take).filter(|moved| *moved).count();
        quiet = if moved > 0 { 0 } else { quiet + 1 };
    }
    let stored = memory.stored();
    for node in &nodes {
        assert_eq!(node.unacknowledged, Vec::<u64>::new(), "seed {seed}: everything was answered");
        assert_eq!(node.seen, nodes[0].seen, "seed {seed}: one order, positions included");
        for n in &node.refused {
            let key = Key { origin: Origin(node.origin), n: *n };
            assert!(
                !stored.iter().any(|entry| entry.key == key),
                "seed {seed}: {key:?} was refused and stored"
            );
        }
        let own = nodes[0].seen.iter().filter(|(key, _)| key.origin.0 == node.origin).count() as u64;
        assert_eq!(
            own + node.refused.len() as u64,
            node.n,
            "seed {seed}: seen or refused, never both or none"
        );
    }
    nodes.swap_remove(0).seen
}

#[test]
fn with_every_fault_nothing_acknowledged_is_lost_and_the_order_is_one() {
    for seed in 0..300 {
        world(seed);
    }
}

#[test]
fn the_same_seed_gives_the_same_world() {
    assert_eq!(world(42), world(42));
    assert_ne!(world(42), world(43));
}

#[test]
fn a_held_handle_sees_nothing_until_it_is_released() {
    let memory = Memory::new(0, Faults::default());
    let (mut ann, bob) = (memory.open(), memory.open());
    ann.hold();
    let mut bob = bob;
    bob.append(vec![proposal(2, 1)]).expect("room");
    assert!(next(&mut ann, Duration::ZERO).is_none());
    assert!(matches!(next(&mut bob, Duration::ZERO), Some(Arrival::Entries(_))));
    ann.release();
    assert!(matches!(next(&mut ann, Duration::ZERO), Some(Arrival::Entries(_))));
}

#[test]
fn an_unknown_batch_may_be_stored_and_is_stored_again_by_the_retry() {
    let memory = Memory::new(0, Faults::default());
    let mut ann = memory.open();
    memory.refuse_next(Refusal::Unknown, true);
    ann.append(vec![proposal(1, 1)]).expect("room");
    ann.append(vec![proposal(1, 2)]).expect("room");
    assert!(matches!(next(&mut ann, Duration::ZERO), Some(Arrival::Entries(_))));
    let Some(Arrival::Refused { batch, why: Refusal::Unknown }) = next(&mut ann, Duration::ZERO) else {
        panic!("the refusal comes next");
    };
    assert_eq!(batch.len(), 2, "what was behind comes along");
    ann.append(batch).expect("room");
    assert!(matches!(next(&mut ann, Duration::ZERO), Some(Arrival::Entries(_))));
    let keys: Vec<u64> = memory.stored().iter().map(|entry| entry.key.n).collect();
    assert_eq!(keys, [1, 1, 2], "telling repeats apart is the state's business");
    assert_eq!(ann.in_flight(), 0);
}
