//! Work that sessions wait for, and what follows once it is done: jobs go out, outcomes come in, the session's
//! other requests wait meanwhile. The same for events about accounts: what was asked goes on when they are applied.

use std::collections::BTreeMap;
use std::sync::Arc;

use chinwag_core::accounts::Resumed;
use chinwag_core::asking::Asking;
use chinwag_core::chat::Chat;
use chinwag_core::effect::Letter;
use chinwag_core::ids::{Millis, SessionId};
use chinwag_core::work::{Job, Outcome};

use crate::Node;
use crate::allowances::{self, Block};
use crate::deliver::Asker;
use crate::proposals::Behalf;

/// Work to be done beside the node.
#[derive(Clone, Debug, PartialEq)]
pub struct Work {
    /// By which the outcome is handed in.
    pub id: u64,
    /// Whose turn it is: the address block that asks, or the session where blocks are not told apart.
    pub block: u64,
    /// What is to be done.
    pub job: Job,
}

/// Work that is out: at most one job a session.
#[derive(Default)]
pub(crate) struct Works {
    next: u64,
    asked: Vec<Work>,
    out: BTreeMap<u64, (SessionId, u64)>,
    letters: Vec<Letter>,
}

impl Node {
    /// Work, in the order in which it was asked for. Each is answered by [`Node::worked`].
    pub fn take_work(&mut self) -> Vec<Work> {
        std::mem::take(&mut self.works.asked)
    }

    /// Letters to be sent to people who are not here.
    pub fn take_letters(&mut self) -> Vec<Letter> {
        std::mem::take(&mut self.works.letters)
    }

    /// A session asks for work; everything else that it asks waits for the outcome.
    pub(crate) fn work(&mut self, asker: Option<Asker>, job: Job) {
        let Some(asker) = asker else { return };
        let session = self.sessions.id(asker.index);
        let Some(entry) = self.sessions.get_mut(asker.index) else { return };
        entry.commands += 1;
        // No address looks like a session.
        let block = entry.block.map_or(u64::MAX - u64::from(asker.index), Block::get);
        self.labels.expect(asker.label);
        let works = &mut self.works;
        works.next += 1;
        works.asked.push(Work { id: works.next, block, job });
        works.out.insert(works.next, (session, asker.label));
    }

    /// A letter is to be sent.
    pub(crate) fn letter(&mut self, letter: Letter) {
        self.works.letters.push(letter);
    }

    /// What came of some work.
    pub fn worked(&mut self, id: u64, outcome: Outcome, now_ms: Millis) {
        self.now_ms = now_ms;
        let Some((session, label)) = self.works.out.remove(&id) else { return };
        let asker = self.sessions.find(session).map(|index| Asker { index, label });
        if let Some(entry) = asker.and_then(|asker| self.sessions.get_mut(asker.index)) {
            // It was we who were slow: whoever has not come in has the whole time again.
            entry.opened_ms = now_ms;
        }
        let from = asker.and_then(|asker| Some(Arc::clone(&self.sessions.get(asker.index)?.core.address)));
        self.resume(asker, Resumed::Work(outcome));
        if let Some(entry) = asker.and_then(|asker| self.sessions.get_mut(asker.index))
            && from.is_some_and(|from| from != entry.core.address)
        {
            // A gateway said for whom it connects: what the gateway may do is not for everybody behind it.
            entry.pace.exempt = false;
            entry.block = allowances::block(&entry.core.address);
        }
        self.came_back(Behalf { session: Some(session), label, ..Behalf::NODE }, asker);
        self.go_on_all();
    }

    /// What a session asked about an account goes on.
    pub(crate) fn resume(&mut self, asker: Option<Asker>, came: Resumed) {
        if let Some(asker) = asker {
            self.ask_for(asker, |chat, asking| chat.resume(asking, came));
        }
    }

    /// Decides something for a session that was asked before, and has what follows done.
    pub(crate) fn ask_for(&mut self, asker: Asker, decide: impl FnOnce(&Chat, &mut Asking<'_>)) {
        let next_user = self.next_user();
        let session = self.sessions.id(asker.index);
        let (mut effects, mut events) = (Vec::new(), Vec::new());
        let allowance = self.allowance(asker.index);
        let Some(entry) = self.sessions.get_mut(asker.index).filter(|entry| !entry.closing) else { return };
        let mut asking = Asking {
            now_ms: self.now_ms,
            settings: &self.settings,
            session: &mut entry.core,
            pending: &self.proposals.pending,
            allowance,
            figures: &self.figures,
            next_user,
            effects: &mut effects,
            events: &mut events,
        };
        decide(&self.chat, &mut asking);
        for event in events {
            self.propose_for(asker, session, event, false);
        }
        for effect in effects {
            self.carry_out(Some(asker), effect);
        }
    }
}
