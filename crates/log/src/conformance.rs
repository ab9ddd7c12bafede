//! The suite that every implementation of [`Log`] passes.
//!
//! An implementation's tests write a [`Harness`] for it and call [`run`]. Every check begins with a harness of
//! its own. A check that fails panics with what was expected; every wait has a deadline.

use std::fmt::Debug;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use crate::{Arrival, Entry, Health, Keep, Key, Log, Origin, Proposal, Refusal, Seq, Slot};

/// How long a check waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the suite needs to know of an implementation: one storage, and how to open and break it.
pub trait Harness {
    /// The events that the log carries.
    type Event: Clone + PartialEq + Debug;
    /// The implementation.
    type Log: Log<Self::Event>;

    /// Opens the storage: empty at first, with all that was stored from then on. Panics when it cannot.
    fn open(&mut self) -> Self::Log;

    /// A stored event, a different one for each `number`. The suite gives numbers in the order of the log,
    /// from 1, so that they may serve as numbers of messages in a room.
    fn stored(&mut self, number: u64) -> (Self::Event, Slot);

    /// A passing event, a different one for each number.
    fn passing(&mut self, number: u64) -> Self::Event;

    /// Ends a handle in good order.
    fn close(&mut self, log: Self::Log);

    /// Ends a handle as a crash does, as closely as a test can.
    fn crash(&mut self, log: Self::Log);

    /// Makes storing fail as a full disk does, or work again.
    fn set_failing(&mut self, log: &mut Self::Log, failing: bool);

    /// How many events may be under way before `append` must say `Full`.
    fn capacity(&self) -> usize;

    /// One more handle on the same storage, where an implementation has that.
    fn open_another(&mut self) -> Option<Self::Log> {
        None
    }
}

/// Runs every check, each on a new harness.
pub fn run<H: Harness>(mut make: impl FnMut() -> H) {
    positions_and_order(&mut make());
    passing_events_are_ordered_and_never_kept(&mut make());
    a_waiting_reader_is_woken(&mut make());
    what_arrived_survives(&mut make());
    read_gives_windows(&mut make());
    a_full_queue_says_so_and_loses_nothing(&mut make());
    a_refusal_takes_all_behind_it_along(&mut make());
    handles_see_one_order(&mut make());
}

/// Stored entries have consecutive positions from 1, in the order in which they were appended.
pub fn positions_and_order<H: Harness>(harness: &mut H) {
    let mut bench = Bench::new(harness);
    for size in [1, 3, 1, 50, 7] {
        let batch = bench.stored(size);
        bench.append(batch);
    }
    let entries = bench.entries(62);
    for (index, entry) in entries.iter().enumerate() {
        assert_eq!(entry.seq, Seq(index as u64 + 1), "positions are consecutive from 1");
    }
    bench.compare(&entries);
    assert_eq!(bench.log.head(), Seq(62), "the head is the last stored position");
    assert_eq!(bench.log.health(), Health::Ok);
}

/// Passing events keep their place among stored ones, carry the position before them, and are never read back.
pub fn passing_events_are_ordered_and_never_kept<H: Harness>(harness: &mut H) {
    let mut bench = Bench::new(harness);
    let alone = bench.passing(2);
    bench.append(alone);
    let mut mixed = bench.stored(1);
    mixed.extend(bench.passing(1));
    mixed.extend(bench.stored(2));
    bench.append(mixed);
    for _ in 0..20 {
        let passing = bench.passing(1);
        bench.append(passing);
        let stored = bench.stored(1);
        bench.append(stored);
    }
    let behind = bench.passing(1);
    bench.append(behind);
    let entries = bench.entries(2 + 4 + 40 + 1);
    bench.compare(&entries);
    let mut last = Seq(0);
    for entry in &entries {
        match entry.keep {
            Keep::Stored => {
                assert_eq!(entry.seq, Seq(last.0 + 1));
                last = entry.seq;
            }
            Keep::Passing => assert_eq!(entry.seq, last, "a passing event carries the position before it"),
        }
    }
    let kept = bench.log.read(Seq(0), 1000).expect("readable");
    assert_eq!(kept.len(), 23, "passing events are not kept");
    assert!(kept.iter().all(|entry| entry.keep == Keep::Stored));
}

/// A poll that found nothing is woken by what arrives later.
pub fn a_waiting_reader_is_woken<H: Harness>(harness: &mut H) {
    let mut bench = Bench::new(harness);
    for round in 0..10 {
        let flag = Arc::new(Unpark(thread::current()));
        let waker = Waker::from(Arc::clone(&flag));
        let mut cx = Context::from_waker(&waker);
        assert!(bench.log.poll_next(&mut cx).is_pending(), "nothing has been appended yet");
        let batch = if round % 2 == 0 { bench.stored(1) } else { bench.passing(1) };
        bench.append(batch);
        let entries = bench.entries(1);
        bench.compare(&entries);
    }
}

/// What arrived is there after the handle was closed, and after it crashed; positions go on from there.
pub fn what_arrived_survives<H: Harness>(harness: &mut H) {
    let mut bench = Bench::new(harness);
    for round in 1..=4_u64 {
        let mut batch = bench.stored(10);
        batch.extend(bench.passing(2));
        bench.append(batch);
        let entries = bench.entries(12);
        bench.compare(&entries);
        assert_eq!(bench.log.head(), Seq(round * 10));
        bench = if round % 2 == 0 { bench.reopen_closed() } else { bench.reopen_crashed() };
        assert_eq!(bench.log.head(), Seq(round * 10), "the head survives");
        let kept = bench.log.read(Seq(0), 1000).expect("readable");
        let events: Vec<&H::Event> = kept.iter().map(|entry| &entry.event).collect();
        let expected: Vec<&H::Event> = bench.kept.iter().collect();
        assert_eq!(events, expected, "everything that arrived, once, in order");
    }
}

/// `read` gives what is after a position, as much as asked for, and nothing beyond the end.
pub fn read_gives_windows<H: Harness>(harness: &mut H) {
    let mut bench = Bench::new(harness);
    let batch = bench.stored(30);
    bench.append(batch);
    bench.entries(30);
    for (from, count, expected) in [(0, 5, 1..=5), (10, 7, 11..=17), (28, 10, 29..=30)] {
        let found: Vec<u64> = read(&bench.log, from, count).iter().map(|entry| entry.seq.0).collect();
        assert_eq!(found, expected.collect::<Vec<u64>>(), "read({from}, {count})");
    }
    assert!(read(&bench.log, 30, 10).is_empty());
    assert!(read(&bench.log, 1_000_000, 10).is_empty());
    assert!(read(&bench.log, 0, 0).is_empty());
}

/// `append` says `Full` at the bound while nobody takes arrivals, gives the batch back, and takes it later.
pub fn a_full_queue_says_so_and_loses_nothing<H: Harness>(harness: &mut H) {
    let capacity = harness.capacity();
    let mut bench = Bench::new(harness);
    let mut taken = 0;
    let back = loop {
        assert!(taken <= capacity, "never full, although {taken} events are under way");
        let batch = bench.stored(10);
        match bench.log.append(batch.clone()) {
            Ok(()) => taken += batch.len(),
            Err(full) => {
                assert_eq!(full.0, batch, "the batch comes back as it was");
                break full.0;
            }
        }
    };
    let size = back.len();
    let mut entries = bench.entries(taken);
    bench.log.append(back).expect("there is room again");
    entries.extend(bench.entries(size));
    bench.compare(&entries);
}

/// When storing fails, everything appended before the refusal was handed over is refused with it, in order, in
/// one arrival; passing events go on; and all is well again when the storage is.
pub fn a_refusal_takes_all_behind_it_along<H: Harness>(harness: &mut H) {
    let mut bench = Bench::new(harness);
    let batch = bench.stored(5);
    bench.append(batch);
    let mut entries = bench.entries(5);
    bench.harness.set_failing(&mut bench.log, true);
    let mut batch = bench.stored(3);
    batch.extend(bench.passing(1));
    batch.extend(bench.stored(40));
    let refused = bench.refusals(batch);
    bench.forget(refused);
    assert_eq!(bench.log.read(Seq(5), 10).expect("reading goes on"), vec![], "nothing of it was stored");
    assert!(matches!(bench.log.health(), Health::ReadOnly(_)), "the health says so");
    assert!(bench.healths.iter().any(|health| matches!(health, Health::ReadOnly(_))), "and was told");
    let passing = bench.passing(2);
    bench.append(passing);
    entries.extend(bench.entries(2));
    bench.harness.set_failing(&mut bench.log, false);
    let until = Instant::now() + PATIENCE;
    while bench.log.health() != Health::Ok {
        assert!(Instant::now() < until, "storing works again, but the log does not notice");
        bench.arrival_within(Duration::from_millis(50));
    }
    let batch = bench.stored(4);
    bench.append(batch);
    entries.extend(bench.entries(4));
    bench.compare(&entries);
    assert_eq!(entries.last().map(|entry| entry.seq), Some(Seq(9)), "refused events take no position");
    assert_eq!(bench.healths.last(), Some(&Health::Ok), "that it is well again was told");
}

/// Two handles on one storage see the same entries in the same order, whoever appended them.
pub fn handles_see_one_order<H: Harness>(harness: &mut H) {
    let mut bench = Bench::new(harness);
    let Some(mut other) = bench.harness.open_another() else { return };
    let mut number = 0;
    for _ in 0..20 {
        let mine = bench.stored(2);
        bench.append(mine);
        let mut foreign = bench.stored(1);
        foreign.extend(bench.passing(1));
        for proposal in &mut foreign {
            number += 1;
            proposal.key = Key { origin: Origin(9), n: number };
        }
        other.append(foreign).expect("room for two events");
    }
    let here = bench.entries(80);
    let mut there = Vec::new();
    while there.len() < 80 {
        match next(&mut other, PATIENCE).expect("arrives in time") {
            Arrival::Entries(entries) => there.extend(entries),
            other => panic!("expected entries, got {other:?}"),
        }
    }
    assert_eq!(here, there, "one order for all");
    for origin in [Origin(1), Origin(9)] {
        let keys: Vec<u64> = here.iter().filter(|e| e.key.origin == origin).map(|e| e.key.n).collect();
        assert_eq!(keys.len(), 40, "all of both");
        assert!(keys.is_sorted_by(|a, b| a < b), "each handle's in its own order");
    }
}

/// The next arrival, or none when there is none within `patience`. Parks the thread meanwhile.
pub fn next<E>(log: &mut impl Log<E>, patience: Duration) -> Option<Arrival<E>> {
    let until = Instant::now() + patience;
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut cx = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(arrival) = log.poll_next(&mut cx) {
            return Some(arrival);
        }
        let left = until.checked_duration_since(Instant::now())?;
        thread::park_timeout(left);
    }
}

fn read<E>(log: &impl Log<E>, from: u64, count: usize) -> Vec<Entry<E>> {
    log.read(Seq(from), count).expect("readable")
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// One handle and what the suite has given it.
struct Bench<'a, H: Harness> {
    harness: &'a mut H,
    log: H::Log,
    number: u64,
    passing: u64,
    key: u64,
    /// What was made since the last comparison, in order, without what was refused.
    made: Vec<H::Event>,
    kept: Vec<H::Event>,
    healths: Vec<Health>,
}

impl<'a, H: Harness> Bench<'a, H> {
    fn new(harness: &'a mut H) -> Self {
        let log = harness.open();
        Bench {
            harness,
            log,
            number: 0,
            passing: 0,
            key: 0,
            made: Vec::new(),
            kept: Vec::new(),
            healths: Vec::new(),
        }
    }

    fn reopen_closed(mut self) -> Self {
        self.harness.close(self.log);
        self.log = self.harness.open();
        self
    }

    fn reopen_crashed(mut self) -> Self {
        self.harness.crash(self.log);
        self.log = self.harness.open();
        self
    }

    fn proposal(&mut self, keep: Keep, event: H::Event, slot: Slot) -> Proposal<H::Event> {
        self.key += 1;
        self.made.push(event.clone());
        Proposal { key: Key { origin: Origin(1), n: self.key }, at_ms: 1_000 + self.key, keep, slot, event }
    }

    fn stored(&mut self, count: usize) -> Vec<Proposal<H::Event>> {
        let mut batch = Vec::new();
        for _ in 0..count {
            self.number += 1;
            let (event, slot) = self.harness.stored(self.number);
            self.kept.push(event.clone());
            batch.push(self.proposal(Keep::Stored, event, slot));
        }
        batch
    }

    fn passing(&mut self, count: usize) -> Vec<Proposal<H::Event>> {
        let mut batch = Vec::new();
        for _ in 0..count {
            self.passing += 1;
            let event = self.harness.passing(self.passing);
            batch.push(self.proposal(Keep::Passing, event, Slot::default()));
        }
        batch
    }

    fn append(&mut self, batch: Vec<Proposal<H::Event>>) {
        self.log.append(batch).expect("few events under way");
    }

    fn arrival_within(&mut self, patience: Duration) -> Option<Arrival<H::Event>> {
        let arrival = next(&mut self.log, patience)?;
        if let Arrival::Health(health) = &arrival {
            self.healths.push(health.clone());
        }
        Some(arrival)
    }

    /// Exactly so many entries.
    fn entries(&mut self, count: usize) -> Vec<Entry<H::Event>> {
        let mut found = Vec::new();
        while found.len() < count {
            match self.arrival_within(PATIENCE).expect("entries arrive in time") {
                Arrival::Entries(entries) => found.extend(entries),
                Arrival::Refused { why, .. } => panic!("refused: {why}"),
                Arrival::Health(_) => {}
            }
        }
        assert_eq!(found.len(), count, "no more than was appended");
        found
    }

    /// Appends each event as a batch of its own and expects that all are refused together.
    fn refusals(&mut self, events: Vec<Proposal<H::Event>>) -> Vec<Proposal<H::Event>> {
        for proposal in &events {
            self.append(vec![proposal.clone()]);
        }
        loop {
            match self.arrival_within(PATIENCE).expect("a refusal arrives in time") {
                Arrival::Refused { batch, why } => {
                    assert!(matches!(why, Refusal::Unavailable(_)), "{why}");
                    assert_eq!(batch, events, "all of it, in order, in one arrival");
                    return batch;
                }
                Arrival::Entries(entries) => panic!("{entries:?} came through a storage that fails"),
                Arrival::Health(_) => {}
            }
        }
    }

    /// Refused events were never made; their numbers are given again.
    fn forget(&mut self, refused: Vec<Proposal<H::Event>>) {
        let stored = refused.iter().filter(|proposal| proposal.keep == Keep::Stored).count();
        self.made.truncate(self.made.len() - refused.len());
        self.kept.truncate(self.kept.len() - stored);
        self.number -= stored as u64;
    }

    /// These are all the events made since the last comparison.
    fn compare(&mut self, entries: &[Entry<H::Event>]) {
        let found: Vec<&H::Event> = entries.iter().map(|entry| &entry.event).collect();
        assert_eq!(found, self.made.iter().collect::<Vec<_>>(), "all that was appended, once, in order");
        self.made.clear();
    }
}
