//! What this node proposes to the log: keys, order, and what has not come back yet.
//!
//! A proposal waits here, then is out at the log, then arrives or is refused. Keys are given when a batch is
//! taken, growing. After a refusal nothing is taken until everything that is out has come back, so that what
//! is appended again is ahead of everything newer.

use std::collections::VecDeque;

use chinwag_core::chat::Chat;
use chinwag_core::event::Event;
use chinwag_core::ids::{Millis, SessionId};
use chinwag_core::pending::{Pending, UNPLACED};
use chinwag_log::{Keep, Key, Origin, Proposal, Slot};

use crate::behind::Towards;
use crate::errands::NO_ERRAND;
use crate::limits::{BATCH_MAX, PROPOSALS_MAX};

/// No label is to be answered.
pub(crate) const NO_LABEL: u64 = 0;

/// On whose behalf something is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Behalf {
    /// The session; none for what the node wants itself.
    pub(crate) session: Option<SessionId>,
    /// The labelled request.
    pub(crate) label: u64,
    /// A message: others may follow it before it has arrived.
    pub(crate) message: bool,
    /// How often it was refused and asked for again.
    pub(crate) tries: u8,
    /// The errand of a program; [`NO_ERRAND`] for none.
    pub(crate) errand: u64,
}

impl Behalf {
    /// The node itself.
    pub(crate) const NODE: Behalf =
        Behalf { session: None, label: NO_LABEL, message: false, tries: 0, errand: NO_ERRAND };
}

#[derive(Debug)]
struct Waiting {
    // None until it is appended for the first time, and again when it has to get a new one.
    n: Option<u64>,
    at_ms: Millis,
    slot: Slot,
    event: Event,
    behalf: Behalf,
}

/// The proposals of a node, and the events under way as deciding needs them.
pub(crate) struct Proposals {
    origin: Origin,
    next: u64,
    /// What is under way, for deciding.
    pub(crate) pending: Pending,
    /// For whom something is under way that `pending` does not tell.
    pub(crate) towards: Towards,
    // How many there ever were.
    pushed: u64,
    waiting: VecDeque<Waiting>,
    // Came back to be appended again, ahead of `waiting`.
    again: VecDeque<Waiting>,
    // At the log, by key.
    out: VecDeque<(u64, Behalf)>,
    // Something was refused: nothing is taken while anything is out.
    holding: bool,
    // One of `again` has to get a new key, and so everything behind it.
    rekey: bool,
    not_before_ms: Millis,
    // The log's queue was full.
    congested: bool,
    // Something came back for which requests may have been waiting.
    freed: bool,
    // A request was told that there is no room.
    refusing: bool,
}

impl Proposals {
    pub(crate) fn new(origin: Origin, first_key: u64) -> Self {
        Proposals {
            origin,
            next: first_key,
            pending: Pending::default(),
            towards: Towards::default(),
            pushed: 0,
            waiting: VecDeque::new(),
            again: VecDeque::new(),
            out: VecDeque::new(),
            holding: false,
            rekey: false,
            not_before_ms: 0,
            congested: false,
            freed: false,
            refusing: false,
        }
    }

    /// How many there are, out and waiting.
    pub(crate) fn len(&self) -> usize {
        self.waiting.len() + self.again.len() + self.out.len()
    }

    /// Whether requests have to wait for room here.
    pub(crate) fn full(&mut self) -> bool {
        let full = self.len() >= PROPOSALS_MAX;
        self.refusing |= full;
        full
    }

    /// Whether anything came back since the last time for which requests may have been waiting: a change of
    /// rules or a new room, or room in here.
    pub(crate) fn take_freed(&mut self) -> bool {
        if self.refusing && self.len() < PROPOSALS_MAX / 2 {
            self.refusing = false;
            self.freed = true;
        }
        std::mem::take(&mut self.freed)
    }

    fn leave(&mut self, event: &Event) {
        // Others may wait for what is said together with the opening of its room.
        self.freed |= event.room() == Some(UNPLACED);
        self.freed |= event.keep() == Keep::Stored && !matches!(event, Event::Said(_) | Event::Tagged(_));
        self.pending.leave(event);
        self.towards.leave(event);
    }

    /// How many there ever were.
    pub(crate) fn pushed(&self) -> u64 {
        self.pushed
    }

    /// How many of them came back for good. They do so in the order in which they were proposed.
    pub(crate) fn settled(&self) -> u64 {
        self.pushed - self.len() as u64
    }

    /// Proposes an event.
    pub(crate) fn push(&mut self, chat: &Chat, event: Event, behalf: Behalf, at_ms: Millis) {
        let slot = self.pending.enter(chat, &event);
        self.towards.enter(&event);
        self.pushed += 1;
        self.waiting.push_back(Waiting { n: None, at_ms, slot, event, behalf });
    }

    /// The next batch for the log; empty when there is nothing to append now.
    pub(crate) fn take(&mut self, chat: &Chat, now_ms: Millis) -> Vec<Proposal<Event>> {
        if self.waiting.is_empty() && self.again.is_empty() || !self.may_take(now_ms) {
            return Vec::new();
        }
        if std::mem::take(&mut self.holding) {
            self.file_anew(chat);
        }
        // What is appended again stays together: nothing of it may be behind while some of it is out.
        let count = self.again.len() + self.waiting.len().min(BATCH_MAX);
        let mut batch = Vec::with_capacity(count);
        for _ in 0..count {
            let next = self.again.pop_front().or_else(|| self.waiting.pop_front());
            let Some(Waiting { n, at_ms, slot, event, behalf }) = next else { break };
            self.rekey |= n.is_none();
            let n = n.filter(|_| !self.rekey).unwrap_or_else(|| {
                self.next += 1;
                self.next - 1
            });
            if self.again.is_empty() {
                self.rekey = false;
            }
            self.out.push_back((n, behalf));
            let key = Key { origin: self.origin, n };
            batch.push(Proposal { key, at_ms, keep: event.keep(), slot, event });
        }
        batch
    }

    fn may_take(&self, now_ms: Millis) -> bool {
        let held = self.holding && !self.out.is_empty();
        !held && !self.congested && now_ms >= self.not_before_ms
    }

    /// Says anew where each event is expected to be filed, since some before it were refused.
    fn file_anew(&mut self, chat: &Chat) {
        for waiting in self.again.iter().chain(&self.waiting) {
            self.pending.leave(&waiting.event);
        }
        for waiting in self.again.iter_mut().chain(&mut self.waiting) {
            waiting.slot = self.pending.enter(chat, &waiting.event);
        }
    }

    /// The log's queue was full: nothing of the batch that was taken last got in.
    pub(crate) fn give_back(&mut self, batch: Vec<Proposal<Event>>) {
        self.congested = true;
        for Proposal { key, at_ms, slot, event, .. } in batch.into_iter().rev() {
            let Some((n, behalf)) = self.out.pop_back() else { break };
            debug_assert_eq!(n, key.n, "a batch comes back before the next one is taken");
            self.waiting.push_front(Waiting { n: None, at_ms, slot, event, behalf });
        }
    }

    /// The log has moved: there may be room in its queue.
    pub(crate) fn moved(&mut self) {
        self.congested = false;
    }

    /// An own entry arrived: on whose behalf it was proposed. None when it is a repeat.
    pub(crate) fn claim(&mut self, key: Key, event: &Event) -> Option<Behalf> {
        let found = match self.out.front() {
            Some((n, _)) if *n == key.n => Some(0),
            _ => self.out.binary_search_by_key(&key.n, |(n, _)| *n).ok(),
        };
        let behalf = match found {
            Some(at) => self.out.remove(at)?.1,
            // The log did not know whether it was stored, and it was.
            None => {
                let at = self.again.iter().position(|waiting| waiting.n == Some(key.n))?;
                self.again.remove(at)?.behalf
            }
        };
        self.leave(event);
        Some(behalf)
    }

    /// A refused proposal came back: on whose behalf it was. None when it is not known here.
    pub(crate) fn refused(&mut self, key: Key) -> Option<Behalf> {
        let at = self.out.binary_search_by_key(&key.n, |(n, _)| *n).ok()?;
        self.holding = true;
        self.out.remove(at).map(|(_, behalf)| behalf)
    }

    /// A refused proposal is not asked for again.
    pub(crate) fn drop(&mut self, event: &Event) {
        self.leave(event);
    }

    /// A refused proposal is appended again; under the same key where the log may have it, or under a new one.
    pub(crate) fn again(
        &mut self,
        proposal: Proposal<Event>,
        behalf: Behalf,
        same_key: bool,
        not_before_ms: Millis,
    ) {
        let Proposal { key, at_ms, slot, event, .. } = proposal;
        let behalf = Behalf { tries: behalf.tries.saturating_add(1), ..behalf };
        self.not_before_ms = self.not_before_ms.max(not_before_ms);
        self.again.push_back(Waiting { n: same_key.then_some(key.n), at_ms, slot, event, behalf });
    }

    /// On whose behalf anything is under way.
    pub(crate) fn behalves(&self) -> impl Iterator<Item = Behalf> {
        let waiting = self.again.iter().chain(&self.waiting).map(|waiting| waiting.behalf);
        self.out.iter().map(|(_, behalf)| *behalf).chain(waiting)
    }
}
