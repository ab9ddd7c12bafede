//! What is asked of the archive about erasing what somebody said: how much it would take, and how far it is.

use std::sync::Arc;

use chinwag_log::Seq;
use chinwag_wire::casemap::CaseMapping;

use crate::ids::{Millis, RoomId};

/// How much an erasure would take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EraseQuery {
    /// Whose: a pattern in its full form.
    pub whom: Arc<str>,
    /// Which names are the same.
    pub mapping: CaseMapping,
    /// Nothing that was said before.
    pub since_ms: Millis,
    /// Only what was said there.
    pub room: Option<RoomId>,
    /// Entries of the log that are looked at, the newest.
    pub looks: u64,
    /// Whatever answers knows all that happened up to this position of the log.
    pub until: Seq,
}

impl EraseQuery {
    /// Whether both ask for the same, whatever happened meanwhile.
    pub fn same(&self, other: &EraseQuery) -> bool {
        (&self.whom, self.since_ms, self.room) == (&other.whom, other.since_ms, other.room)
    }
}

/// What an erasure would take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Erasable {
    /// Messages.
    pub messages: u64,
    /// Rooms and conversations in which they were said.
    pub rooms: u64,
    /// Only the newest messages of the server were looked at: there may be more.
    pub more: bool,
}

/// An erasure that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erasure {
    /// The position of the event that asked for it: nothing after it is erased.
    pub seq: Seq,
    /// Whose: a pattern in its full form.
    pub whom: Arc<str>,
    /// Only what was said there.
    pub room: Option<RoomId>,
    /// Up to which position it has looked.
    pub looked_at: Seq,
    /// Messages that it has taken.
    pub gone: u64,
    /// It has come to its end.
    pub done: bool,
}
