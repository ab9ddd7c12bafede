//! How many are here, kept up to date so that nobody has to be counted when somebody comes in.

use std::collections::BTreeMap;

use super::users::{User, UserModes};
use crate::ids::UserId;

/// How many are here now, and how many there were at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Crowd {
    /// Now.
    pub now: usize,
    /// At most, since this node started.
    pub most: usize,
}

/// How many users there are.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    all: Crowd,
    invisible: usize,
    bots: usize,
    operators: usize,
    nodes: BTreeMap<u16, Crowd>,
}

impl Counts {
    /// In the whole network.
    pub fn all(&self) -> Crowd {
        self.all
    }

    /// Those of them who are invisible (user mode `i`).
    pub fn invisible(&self) -> usize {
        self.invisible
    }

    /// Those of them who are programs (user mode `B`).
    pub fn bots(&self) -> usize {
        self.bots
    }

    /// Those of them who run the server (user mode `o`).
    pub fn operators(&self) -> usize {
        self.operators
    }

    /// Those who came in by the same node as this user.
    pub fn of_node(&self, user: UserId) -> Crowd {
        self.nodes.get(&user.origin()).copied().unwrap_or_default()
    }

    /// Nodes by which anybody came in; at least this one.
    pub fn nodes(&self) -> usize {
        self.nodes.len().max(1)
    }

    pub(super) fn enter(&mut self, user: &User) {
        for crowd in [&mut self.all, self.nodes.entry(user.id.origin()).or_default()] {
            crowd.now += 1;
            crowd.most = crowd.most.max(crowd.now);
        }
        self.remode(UserModes::default(), user.modes);
    }

    pub(super) fn leave(&mut self, user: &User) {
        for crowd in [&mut self.all, self.nodes.entry(user.id.origin()).or_default()] {
            crowd.now = crowd.now.saturating_sub(1);
        }
        self.remode(user.modes, UserModes::default());
    }

    /// A user's modes changed.
    pub(super) fn remode(&mut self, before: UserModes, after: UserModes) {
        for (count, before, after) in [
            (&mut self.invisible, before.invisible, after.invisible),
            (&mut self.bots, before.bot, after.bot),
            (&mut self.operators, before.operator, after.operator),
        ] {
            *count = (*count + usize::from(after)).saturating_sub(usize::from(before));
        }
    }
}
