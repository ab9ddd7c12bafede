//! Conversations in a world: people by name, each on one of the nodes.

use std::collections::BTreeMap;
use std::time::Duration;

use chinwag_core::session::Door;

use super::{Client, World};
use crate::conversation::{By, Received, Wire};

/// Who is connected.
#[derive(Default)]
pub(super) struct People {
    clients: BTreeMap<String, Client>,
    connected: usize,
}

impl Wire for World {
    /// Connects to the nodes in turn.
    fn connect(&mut self, who: &str, by: By) -> Result<(), String> {
        let node = self.people.connected % self.nodes();
        self.people.connected += 1;
        let door = match by {
            By::Irc => Door::Irc,
            By::Plain => Door::Plain,
        };
        self.settle();
        let client = self.open(node, door);
        self.people.clients.insert(who.to_owned(), client);
        Ok(())
    }

    fn send(&mut self, who: &str, bytes: &[u8]) {
        let Some(client) = self.people.clients.get(who).copied() else { return };
        World::send(self, client, bytes);
        // What different people send is never at the same millisecond: conversations are about times, too.
        World::pass(self, 1);
    }

    fn receive(&mut self, who: &str, within: Duration) -> Received {
        let Some(client) = self.people.clients.get(who).copied() else { return Received::Closed };
        let millis = u64::try_from(within.as_millis()).unwrap_or(u64::MAX);
        let end_ms = self.now_ms().saturating_add(millis);
        self.settle();
        loop {
            let bytes = self.take(client);
            if !bytes.is_empty() {
                return Received::Bytes(bytes);
            }
            if self.is_closed(client) {
                return Received::Closed;
            }
            match self.next_timer_ms() {
                Some(at_ms) if at_ms <= end_ms => {
                    World::pass(self, at_ms.saturating_sub(self.now_ms()).max(1))
                }
                _ => return Received::Nothing,
            }
        }
    }

    fn close(&mut self, who: &str) {
        if let Some(client) = self.people.clients.remove(who) {
            self.settle();
            self.cut(client);
        }
    }

    fn pass(&mut self, millis: u64) {
        World::pass(self, millis);
    }

    fn restart(&mut self) -> bool {
        self.people.clients.clear();
        World::restart(self);
        true
    }
}
