//! A log in memory that several handles share: one a node. For tests, with faults on demand and a seed.
//!
//! Everything that can go wrong between a node and a log goes wrong here on purpose: entries come late, batches
//! are refused, or stored and reported as [`Refusal::Unknown`], entries come twice, storing stops for a while.
//! What decides is a small generator with a seed, advanced by calls alone: the same calls give the same faults.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::{Arrival, Entry, Full, Health, Keep, Log, Proposal, ReadError, Refusal, Seq};

/// How often what goes wrong. Chances are in thousandths of a batch (of an arrival for `delay` and `duplicate`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// A batch waits before it is ordered, or an arrival before it is visible to one handle.
    pub delay: u16,
    /// The longest such wait, in polls (of any handle before it is ordered, of that handle after). At least 1.
    pub delay_polls_max: u32,
    /// A batch is refused as [`Refusal::Unavailable`], without any change of health.
    pub unavailable: u16,
    /// A batch is refused as [`Refusal::Overloaded`].
    pub overloaded: u16,
    /// A batch is reported as [`Refusal::Unknown`]; every second one of these was stored.
    pub unknown: u16,
    /// One entry of an arrival reaches that handle a second time, at once or later.
    pub duplicate: u16,
    /// A period begins in which nothing can be stored.
    pub read_only: u16,
    /// The longest such period, in polls of any handle. At least 1.
    pub read_only_polls_max: u32,
}

impl Faults {
    /// Some of everything: what the tests with seeds use.
    pub const ROUGH: Faults = Faults {
        delay: 200,
        delay_polls_max: 5,
        unavailable: 10,
        overloaded: 10,
        unknown: 30,
        duplicate: 50,
        read_only: 3,
        read_only_polls_max: 40,
    };
}

/// The bound of one handle's queue unless [`Memory::with_capacity`] says otherwise, in events.
pub const CAPACITY_EVENTS: usize = 65_536;

/// The storage that handles share. Cloning it gives the same storage.
pub struct Memory<E> {
    shared: Arc<Mutex<Shared<E>>>,
}

/// One node's handle on a [`Memory`]. Dropping it is that node's crash: what it had waiting may or may not be
/// stored (not stored at all when [`Faults::unknown`] is 0).
pub struct MemoryLog<E: Clone> {
    shared: Arc<Mutex<Shared<E>>>,
    id: usize,
}

struct Shared<E> {
    stored: Vec<Entry<E>>,
    places: BTreeMap<usize, Place<E>>,
    opened: usize,
    capacity: usize,
    faults: Faults,
    dice: Dice,
    script: VecDeque<(Refusal, bool)>,
    health: Health,
    read_only_polls: u32,
}

/// What one handle has waiting on both sides.
struct Place<E> {
    waiting: VecDeque<Waiting<E>>,
    inbox: VecDeque<Coming<E>>,
    in_flight: usize,
    /// A refusal is on its way to the handle: nothing is ordered until it was handed over.
    fenced: bool,
    held: bool,
    waker: Option<Waker>,
}

struct Waiting<E> {
    polls_left: u32,
    batch: Vec<Proposal<E>>,
}

struct Coming<E> {
    polls_left: u32,
    /// How many of the handle's own events end their flight with it.
    own: usize,
    arrival: Arrival<E>,
}

/// SplitMix64: small, deterministic, good enough to decide what goes wrong.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn hits(&mut self, thousandths: u16) -> bool {
        thousandths > 0 && self.roll() % 1000 < u64::from(thousandths)
    }

    fn up_to(&mut self, most: u32) -> u32 {
        let span = u64::from(most.max(1));
        u32::try_from(self.roll() % span).expect("below a u32") + 1
    }
}

impl<E> Clone for Memory<E> {
    fn clone(&self) -> Self {
        Memory { shared: Arc::clone(&self.shared) }
    }
}

impl<E: Clone> Memory<E> {
    /// An empty log. The seed decides what goes wrong, and when.
    pub fn new(seed: u64, faults: Faults) -> Self {
        Self::with_capacity(seed, faults, CAPACITY_EVENTS)
    }

    /// An empty log whose handles may each have `capacity` events under way.
    pub fn with_capacity(seed: u64, faults: Faults, capacity: usize) -> Self {
        let shared = Shared {
            stored: Vec::new(),
            places: BTreeMap::new(),
            opened: 0,
            capacity,
            faults,
            dice: Dice(seed),
            script: VecDeque::new(),
            health: Health::Ok,
            read_only_polls: 0,
        };
        Memory { shared: Arc::new(Mutex::new(shared)) }
    }

    /// One more handle. What is stored already is there to be read; what comes after arrives.
    pub fn open(&self) -> MemoryLog<E> {
        let mut shared = lock(&self.shared);
        let id = shared.opened;
        shared.opened += 1;
        shared.places.insert(id, Place::new());
        MemoryLog { shared: Arc::clone(&self.shared), id }
    }

    /// Changes what goes wrong from now on.
    pub fn set_faults(&self, faults: Faults) {
        lock(&self.shared).faults = faults;
    }

    /// Stops storing, with a reason for people, or begins again. Every handle is told.
    pub fn set_read_only(&self, reason: Option<&str>) {
        let mut shared = lock(&self.shared);
        shared.read_only_polls = 0;
        shared.set_health(reason.map_or(Health::Ok, |reason| Health::ReadOnly(reason.to_owned())));
    }

    /// The next batch that would be ordered, of whichever handle, is refused for this reason. `stored` says
    /// whether it is stored all the same, which only makes sense for [`Refusal::Unknown`].
    pub fn refuse_next(&self, why: Refusal, stored: bool) {
        lock(&self.shared).script.push_back((why, stored));
    }

    /// Everything that is stored, repeats of a key included.
    pub fn stored(&self) -> Vec<Entry<E>> {
        lock(&self.shared).stored.clone()
    }
}

impl<E: Clone> MemoryLog<E> {
    /// Keeps back every arrival of this handle until [`MemoryLog::release`].
    pub fn hold(&self) {
        if let Some(place) = lock(&self.shared).places.get_mut(&self.id) {
            place.held = true;
        }
    }

    /// Lets arrivals through again.
    pub fn release(&self) {
        if let Some(place) = lock(&self.shared).places.get_mut(&self.id) {
            place.held = false;
            place.wake();
        }
    }

    /// How many of this handle's events are under way: appended, and neither arrived nor refused.
    pub fn in_flight(&self) -> usize {
        lock(&self.shared).places.get(&self.id).map_or(0, |place| place.in_flight)
    }
}

impl<E: Clone> Log<E> for MemoryLog<E> {
    fn append(&mut self, batch: Vec<Proposal<E>>) -> Result<(), Full<E>> {
        if batch.is_empty() {
            return Ok(());
        }
        let mut shared = lock(&self.shared);
        let shared = &mut *shared;
        let polls_left = shared.delay();
        let place = shared.places.get_mut(&self.id).expect("open as long as the handle lives");
        // A batch above the bound passes when nothing else is under way: it would never pass otherwise.
        if place.in_flight > 0 && place.in_flight + batch.len() > shared.capacity {
            return Err(Full(batch));
        }
        place.in_flight += batch.len();
        place.waiting.push_back(Waiting { polls_left, batch });
        if polls_left > 0 {
            place.wake();
        }
        shared.settle(self.id);
        Ok(())
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Arrival<E>> {
        let mut shared = lock(&self.shared);
        let shared = &mut *shared;
        let again = shared.tick();
        let place = shared.places.get_mut(&self.id).expect("open as long as the handle lives");
        match place.inbox.front_mut() {
            Some(_) if place.held => {}
            Some(first) if first.polls_left > 0 => {
                first.polls_left -= 1;
                cx.waker().wake_by_ref();
            }
            Some(_) => return Poll::Ready(shared.hand_over(self.id)),
            None if again => cx.waker().wake_by_ref(),
            None => {}
        }
        place.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    fn read(&self, from: Seq, count: usize) -> Result<Vec<Entry<E>>, ReadError> {
        let shared = lock(&self.shared);
        let start = usize::try_from(from.0).unwrap_or(usize::MAX).min(shared.stored.len());
        Ok(shared.stored[start..].iter().take(count).cloned().collect())
    }

    fn head(&self) -> Seq {
        lock(&self.shared).head()
    }

    fn health(&self) -> Health {
        lock(&self.shared).health.clone()
    }
}

impl<E: Clone> Drop for MemoryLog<E> {
    fn drop(&mut self) {
        let mut shared = lock(&self.shared);
        let Some(place) = shared.places.remove(&self.id) else { return };
        if place.fenced {
            return;
        }
        // A node that crashes does not know which of its batches still got through: a prefix did.
        for Waiting { batch, .. } in place.waiting {
            if shared.faults.unknown == 0 || shared.dice.hits(500) {
                break;
            }
            shared.order(self.id, batch);
        }
    }
}

impl<E> Place<E> {
    fn new() -> Self {
        Place {
            waiting: VecDeque::new(),
            inbox: VecDeque::new(),
            in_flight: 0,
            fenced: false,
            held: false,
            waker: None,
        }
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    fn deliver(&mut self, polls_left: u32, own: usize, arrival: Arrival<E>) {
        self.inbox.push_back(Coming { polls_left, own, arrival });
        self.wake();
    }
}

impl<E: Clone> Shared<E> {
    fn head(&self) -> Seq {
        Seq(self.stored.len() as u64)
    }

    fn delay(&mut self) -> u32 {
        if self.dice.hits(self.faults.delay) { self.dice.up_to(self.faults.delay_polls_max) } else { 0 }
    }

    fn set_health(&mut self, health: Health) {
        if self.health == health {
            return;
        }
        self.health = health.clone();
        for place in self.places.values_mut() {
            place.deliver(0, 0, Arrival::Health(health.clone()));
        }
    }

    /// One poll of any handle passes for all that wait for one. Says whether anything still does.
    fn tick(&mut self) -> bool {
        if self.read_only_polls > 0 {
            self.read_only_polls -= 1;
            if self.read_only_polls == 0 {
                self.set_health(Health::Ok);
            }
        }
        let ids: Vec<usize> = self.places.keys().copied().collect();
        for id in ids {
            if let Some(first) = self.places.get_mut(&id).and_then(|place| place.waiting.front_mut()) {
                first.polls_left = first.polls_left.saturating_sub(1);
            }
            self.settle(id);
        }
        let late = |place: &Place<E>| !place.fenced && !place.waiting.is_empty();
        self.read_only_polls > 0 || self.places.values().any(late)
    }

    /// Orders or refuses what a handle has waiting, as far as its turn has come.
    fn settle(&mut self, id: usize) {
        loop {
            let place = self.places.get_mut(&id).expect("open as long as the handle lives");
            if place.fenced || place.waiting.front().is_none_or(|first| first.polls_left > 0) {
                return;
            }
            let Some(Waiting { batch, .. }) = place.waiting.pop_front() else { return };
            let Some((why, stored)) = self.fault(&batch) else {
                self.order(id, batch);
                continue;
            };
            if stored {
                self.order(id, batch.clone());
                // They are still under way: the refusal ends their flight, not the entries.
                self.places.get_mut(&id).expect("as above").in_flight += batch.len();
            }
            let polls_left = self.delay();
            let place = self.places.get_mut(&id).expect("as above");
            place.fenced = true;
            place.deliver(polls_left, batch.len(), Arrival::Refused { batch, why });
        }
    }

    /// What goes wrong with this batch, if anything, and whether it is stored all the same.
    fn fault(&mut self, batch: &[Proposal<E>]) -> Option<(Refusal, bool)> {
        if let Some(scripted) = self.script.pop_front() {
            return Some(scripted);
        }
        if self.health == Health::Ok && self.dice.hits(self.faults.read_only) {
            self.read_only_polls = self.dice.up_to(self.faults.read_only_polls_max);
            self.set_health(Health::ReadOnly("the test's disk is full".to_owned()));
        }
        if let Health::ReadOnly(reason) = &self.health
            && batch.iter().any(|proposal| proposal.keep == Keep::Stored)
        {
            return Some((Refusal::Unavailable(reason.clone()), false));
        }
        let Faults { unavailable, overloaded, unknown, .. } = self.faults;
        if self.dice.hits(unavailable) {
            return Some((Refusal::Unavailable("the test says no".to_owned()), false));
        }
        if self.dice.hits(overloaded) {
            return Some((Refusal::Overloaded { retry_in_ms: 1 }, false));
        }
        if self.dice.hits(unknown) {
            return Some((Refusal::Unknown, self.dice.hits(500)));
        }
        None
    }

    /// Gives a batch its place and lets it come to every handle.
    fn order(&mut self, id: usize, batch: Vec<Proposal<E>>) {
        let own = batch.len();
        let mut entries = Vec::with_capacity(own);
        for Proposal { key, at_ms, keep, event, .. } in batch {
            let next = self.head().0 + u64::from(keep == Keep::Stored);
            let entry = Entry { seq: Seq(next), key, at_ms, keep, event };
            if keep == Keep::Stored {
                self.stored.push(entry.clone());
            }
            entries.push(entry);
        }
        let ids: Vec<usize> = self.places.keys().copied().collect();
        for other in ids {
            let polls_left = self.delay();
            let place = self.places.get_mut(&other).expect("its key was just read");
            let own = if other == id { own } else { 0 };
            place.deliver(polls_left, own, Arrival::Entries(entries.clone()));
        }
    }

    /// Takes the first arrival out of a handle's inbox, which has one.
    fn hand_over(&mut self, id: usize) -> Arrival<E> {
        let repeat = self.dice.hits(self.faults.duplicate);
        let (pick, at_once) = (self.dice.roll(), self.dice.hits(500));
        let place = self.places.get_mut(&id).expect("open as long as the handle lives");
        let Coming { own, mut arrival, .. } = place.inbox.pop_front().expect("the caller saw it");
        place.in_flight = place.in_flight.saturating_sub(own);
        match &mut arrival {
            Arrival::Refused { batch, .. } => {
                // What was appended behind the refused batch is refused with it.
                for Waiting { batch: behind, .. } in place.waiting.drain(..) {
                    place.in_flight = place.in_flight.saturating_sub(behind.len());
                    batch.extend(behind);
                }
                place.fenced = false;
            }
            Arrival::Entries(entries) if repeat => {
                let index = usize::try_from(pick % entries.len() as u64).expect("below a length");
                let again = entries[index].clone();
                if at_once {
                    entries.insert(index, again);
                } else {
                    place.inbox.push_back(Coming {
                        polls_left: 0,
                        own: 0,
                        arrival: Arrival::Entries(vec![again]),
                    });
                }
            }
            Arrival::Entries(_) | Arrival::Health(_) => {}
        }
        arrival
    }
}

fn lock<E>(shared: &Mutex<Shared<E>>) -> MutexGuard<'_, Shared<E>> {
    // A panic in another test thread leaves the state as consistent as it was: every change is made in full.
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
