//! How much memory is held for callers, and what happens when it is too much: first nobody new is let in, then those
//! go for whom most is waiting.
//!
//! What waits in outboxes is counted to the byte, as it changes. Everything else is looked at once a second, by what
//! each thing takes (measured, and rounded up); what comes between two looks counts as a newcomer. What the program
//! itself needs (its threads that hash passwords with 19 MiB each), and what the kernel holds for sockets, is not counted:
//! that is the base that comes on top.

use std::cell::Cell;
use std::rc::Rc;

use chinwag_core::figures::Memory as Figures;

use crate::shared::Shared;

/// Bytes that a connection takes whatever it does: its task, its socket, its session.
pub(crate) const CONNECTION_BYTES: u64 = 4 * 1024;

/// Bytes that one takes beside while it is nobody's: what it has sent, a handshake of TLS, the head of a request.
pub(crate) const NEWCOMER_BYTES: u64 = 28 * 1024;

/// Bytes that TLS takes for a connection.
pub(crate) const TLS_BYTES: u64 = 12 * 1024;

/// Bytes that a WebSocket takes.
pub(crate) const WEBSOCKET_BYTES: u64 = 1024;

/// Bytes that a connection takes at the ssh door: its ciphers, its buffers, and the screen of its terminal.
pub(crate) const SSH_BYTES: u64 = 256 * 1024;

/// Bytes of somebody who is present, of a room, of an account.
pub(crate) const USER_BYTES: u64 = 1536;
pub(crate) const ROOM_BYTES: u64 = 1024;
pub(crate) const ACCOUNT_BYTES: u64 = 1024;

/// Bytes of something on its way to the log and back.
pub(crate) const EVENT_BYTES: u64 = 1024;

/// Bytes of a message on a page of history that is being read.
pub(crate) const READ_MESSAGE_BYTES: u64 = 1024;

/// Of the budget, in hundredths, what may be held before nobody new is let in. Who is exempt from limits is let in up to
/// all of it.
pub(crate) const NEWCOMERS_SHARE: u64 = 75;

/// Bytes that waited in one outbox, counted in what waits in all.
#[derive(Debug)]
pub(crate) struct Waiting {
    all: Rc<Cell<usize>>,
    this: Cell<usize>,
}

impl Waiting {
    pub(crate) fn new(all: &Rc<Cell<usize>>) -> Waiting {
        Waiting { all: Rc::clone(all), this: Cell::new(0) }
    }

    /// So many bytes wait now.
    pub(crate) fn set(&self, bytes: usize) {
        let before = self.this.replace(bytes);
        if before != bytes {
            self.all.set(self.all.get() - before + bytes);
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.set(0);
    }
}

/// What is held, and what may be.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// Bytes that may be held; 0 for any number.
    budget: Cell<u64>,
    /// Bytes in all outboxes.
    pub(crate) outboxes: Rc<Cell<usize>>,
    /// Bytes of everything else when it was looked at, and how many connections there were then.
    rest: Cell<u64>,
    connections: Cell<usize>,
}

impl Memory {
    pub(crate) fn new(budget: u64) -> Memory {
        Memory { budget: Cell::new(budget), ..Memory::default() }
    }

    /// Another budget from now on.
    pub(crate) fn reload(&self, budget: u64) {
        self.budget.set(budget);
    }

    /// Bytes that are held, with so many connections.
    fn held(&self, connections: usize) -> u64 {
        let new = connections.saturating_sub(self.connections.get()) as u64;
        self.rest.get() + self.outboxes.get() as u64 + new * (CONNECTION_BYTES + NEWCOMER_BYTES)
    }

    /// Whether somebody new may be let in.
    pub(crate) fn admits(&self, connections: usize, exempt: bool) -> bool {
        let share = if exempt { 100 } else { NEWCOMERS_SHARE };
        let budget = self.budget.get();
        budget == 0 || self.held(connections) < budget / 100 * share
    }

    /// Bytes by which the budget is exceeded.
    pub(crate) fn excess(&self, connections: usize) -> u64 {
        match self.budget.get() {
            0 => 0,
            budget => self.held(connections).saturating_sub(budget),
        }
    }

    /// Notes what was found, and gives all of it.
    fn note(&self, mut parts: Vec<(&'static str, u64)>, connections: usize) -> Figures {
        self.rest.set(parts.iter().map(|(_, bytes)| bytes).sum());
        self.connections.set(connections);
        parts.push(("outboxes", self.outboxes.get() as u64));
        Figures { budget: self.budget.get(), parts }
    }
}

impl Shared {
    /// Looks at everything that is held for callers.
    pub(crate) fn survey(&self) -> Figures {
        let connections = self.connections.get();
        let (layers, sessions, by_ssh) = self.table.borrow().held();
        let node = self.node.borrow();
        let chat = node.chat();
        let nobodys = connections.saturating_sub(sessions + by_ssh) + node.figures().unregistered;
        let (input, events, reads) = node.held();
        let page = u64::from(node.settings().history_query_max) * READ_MESSAGE_BYTES;
        let parts = vec![
            ("connections", connections as u64 * CONNECTION_BYTES),
            ("newcomers", nobodys as u64 * NEWCOMER_BYTES),
            ("layers", layers as u64),
            ("ssh", by_ssh as u64 * SSH_BYTES),
            ("input", input as u64),
            ("log", events as u64 * EVENT_BYTES),
            ("reading", reads as u64 * page),
            ("users", chat.users().len() as u64 * USER_BYTES),
            ("rooms", chat.rooms_alive().len() as u64 * ROOM_BYTES),
            ("accounts", chat.accounts().len() as u64 * ACCOUNT_BYTES),
        ];
        self.memory.note(parts, connections)
    }

    /// Ends the sessions for which most is waiting, until no more is held than may be.
    pub(crate) fn relieve(&self) {
        let excess = self.memory.excess(self.connections.get());
        if excess == 0 {
            return;
        }
        let ended = self.table.borrow().relieve(usize::try_from(excess).unwrap_or(usize::MAX));
        if ended > 0 {
            tracing::warn!(
                ended,
                excess,
                "too much memory was held: those had to go for whom most was waiting"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newcomers_are_refused_before_anybody_has_to_go() {
        let memory = Memory::new(1_000_000);
        memory.note(vec![("connections", 700_000)], 10);
        assert!(memory.admits(10, false));
        let waiting = Waiting::new(&memory.outboxes);
        waiting.set(60_000);
        assert!(!memory.admits(10, false) && memory.admits(10, true) && memory.excess(10) == 0);
        waiting.set(310_000);
        assert!(!memory.admits(10, true));
        assert_eq!(memory.excess(10), 10_000);
        // Who came since counts at once.
        assert_eq!(memory.excess(11), 10_000 + CONNECTION_BYTES + NEWCOMER_BYTES);
        drop(waiting);
        assert_eq!(memory.outboxes.get(), 0);
        memory.reload(0);
        assert!(memory.admits(1_000_000, false) && memory.excess(1_000_000) == 0);
    }
}
