//! What programs say without a session: decided as any request is, proposed to the log, and answered once it is kept.

use std::collections::{BTreeMap, VecDeque};

use chinwag_core::event::Event;
use chinwag_core::ids::{Millis, Number};
use chinwag_core::programs::{NotSaid, Saying};
use chinwag_log::{Entry as LogEntry, Refusal};
use chinwag_wire::msgid::MsgId;

use crate::Node;
use crate::limits::ERRANDS_MAX;
use crate::proposals::Behalf;

/// No errand.
pub(crate) const NO_ERRAND: u64 = 0;

/// What became of an errand.
#[derive(Clone, Debug, PartialEq)]
pub enum Errand {
    /// It is kept, and everybody has it.
    Kept {
        /// Its number in the room.
        number: Number,
        /// Its msgid.
        msgid: MsgId,
        /// When it was said.
        at_ms: Millis,
    },
    /// It was not said.
    Refused(NotSaid),
    /// The log keeps nothing at the moment; it was not said. Why.
    Unavailable(String),
}

/// Errands under way.
#[derive(Default)]
pub(crate) struct Errands {
    next: u64,
    /// They wait for something to be applied.
    waiting: VecDeque<u64>,
    out: BTreeMap<u64, Saying>,
    done: Vec<(u64, Errand)>,
}

impl Errands {
    /// Whether some wait for something to be applied.
    pub(crate) fn wait(&self) -> bool {
        !self.waiting.is_empty()
    }
}

impl Node {
    /// A program says something. What becomes of it is told by [`Node::take_errands`] under the number that is given;
    /// none when there is too much under way.
    pub fn say(&mut self, saying: Saying, now_ms: Millis) -> Option<u64> {
        self.now_ms = now_ms;
        if self.errands.out.len() >= ERRANDS_MAX || self.proposals.full() {
            return None;
        }
        self.errands.next += 1;
        let id = self.errands.next;
        self.errands.out.insert(id, saying);
        self.try_errand(id);
        Some(id)
    }

    /// What became of errands since this was asked last.
    pub fn take_errands(&mut self) -> Vec<(u64, Errand)> {
        std::mem::take(&mut self.errands.done)
    }

    fn try_errand(&mut self, id: u64) {
        let Some(saying) = self.errands.out.get(&id) else { return };
        match self.chat.says(&self.settings, &self.proposals.pending, self.now_ms, saying) {
            Ok(event) => self.propose(event, Behalf { errand: id, ..Behalf::NODE }),
            Err(NotSaid::Wait) => self.errands.waiting.push_back(id),
            Err(why) => self.finish_errand(id, Errand::Refused(why)),
        }
    }

    fn finish_errand(&mut self, id: u64, errand: Errand) {
        if self.errands.out.remove(&id).is_some() {
            self.errands.done.push((id, errand));
        }
    }

    /// What an errand led to was applied; or, if `stale`, decided under rules that have changed since.
    pub(crate) fn errand_applied(&mut self, id: u64, entry: &LogEntry<Event>, stale: bool) {
        let Event::Said(said) = &entry.event else { return };
        if stale {
            return self.try_errand(id);
        }
        let Some(room) = self.chat.room(said.room) else { return };
        let (number, at_ms) = (room.head, room.said_ms);
        let msgid = MsgId::stored(self.chat.msgid_key(), entry.seq.0);
        self.finish_errand(id, Errand::Kept { number, msgid, at_ms });
    }

    /// It was not kept and will not be.
    pub(crate) fn errand_refused(&mut self, id: u64, why: &Refusal) {
        self.finish_errand(id, Errand::Unavailable(why.to_string()));
    }

    /// Errands that wait for something to be applied may try again.
    pub(crate) fn errands_go_on(&mut self) {
        for _ in 0..self.errands.waiting.len() {
            if let Some(id) = self.errands.waiting.pop_front() {
                self.try_errand(id);
            }
        }
    }
}
