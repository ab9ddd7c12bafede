//! The log: the ordered, durable sequence of events, and the only door to state.
//!
//! What lives here: the vocabulary of positions and keys ([`Seq`], [`Key`]), the [`Log`] trait that every
//! implementation follows, `memory` (a log that several nodes in one test share, with faults on demand)
//! and `conformance` (the suite that every implementation passes). What does not: any knowledge of what an
//! event means, any runtime, any file. Implementations that keep things on disk live in their own crates.
//!
//! Start here for a new implementation: implement [`Log`], then call `conformance` from its tests.

pub mod conformance;
pub mod memory;

use std::task::{Context, Poll};

/// Who proposes events: one number a node. Two nodes never share one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin(pub u32);

/// The idempotence key of an event: given once by its origin, reused on every retry, growing per origin
/// (gaps are allowed, also across restarts).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The node that proposed the event.
    pub origin: Origin,
    /// That node's counter.
    pub n: u64,
}

/// A position in the log. The first stored event has position 1; 0 is before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seq(pub u64);

/// Whether an event is kept, or only ordered with the rest and delivered live.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Keep {
    /// Durable before anybody sees it; has a position of its own.
    Stored,
    /// Ordered with the stored events and never kept; carries the position of the stored event before it.
    Passing,
}

/// Where the proposer expects the event to be filed. A log with a single proposer, which knows the order
/// because it makes it, stores the event under it; a log with several proposers ignores it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Slot {
    /// The room's number; 0 for none.
    pub room: u32,
    /// The message's number in that room; 0 for an event that is not numbered.
    pub number: u64,
}

/// An event on its way into the log.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal<E> {
    /// The idempotence key.
    pub key: Key,
    /// Milliseconds since the Unix epoch on the proposer's clock. Never used for order.
    pub at_ms: u64,
    /// Kept, or passing.
    pub keep: Keep,
    /// Where it is expected to be filed.
    pub slot: Slot,
    /// What happened.
    pub event: E,
}

/// An event that has its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry<E> {
    /// Its position (for a passing event: the position of the last stored event before it).
    pub seq: Seq,
    /// Its idempotence key.
    pub key: Key,
    /// Milliseconds since the Unix epoch on the proposer's clock.
    pub at_ms: u64,
    /// Kept, or passing.
    pub keep: Keep,
    /// What happened.
    pub event: E,
}

/// Why events were not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The events are not acceptable (too large, a version that the log does not know). Not stored.
    #[error("the log rejects the event: {0}")]
    Rejected(String),
    /// Too much is waiting. Not stored.
    #[error("the log has too much waiting, retry in {retry_in_ms} ms")]
    Overloaded {
        /// When to try again, in milliseconds.
        retry_in_ms: u64,
    },
    /// Nothing can be stored at the moment (disk full). Not stored; ask again later.
    #[error("the log can store nothing at the moment: {0}")]
    Unavailable(String),
    /// Not known whether it was stored: append the same keys again, before anything newer, until they arrive.
    /// That such a retry is refused for another reason says nothing about the first try.
    #[error("the log does not know whether the event was stored")]
    Unknown,
    /// The log cannot be trusted any more: acknowledge nothing, stop.
    #[error("the log has failed: {0}")]
    Fatal(String),
}

/// How the log is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// Storing.
    Ok,
    /// Reading only, and why (for people).
    ReadOnly(String),
    /// Failed, and why. There is no way back in this process.
    Fatal(String),
}

/// What comes out of a log, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Arrival<E> {
    /// Events that have their place and, where they are stored ones, are durable. Own and foreign ones alike.
    Entries(Vec<Entry<E>>),
    /// Own events that were refused, as they were proposed. Unless the reason is [`Refusal::Unknown`] or
    /// [`Refusal::Fatal`] none of them is in the log. Everything that this handle appended before it was
    /// handed this refusal and that has not arrived is refused with it, in this same arrival: so that what
    /// follows a refused event is never stored without it, and a retry may follow at once.
    Refused {
        /// The refused events, in the order in which they were appended.
        batch: Vec<Proposal<E>>,
        /// Why.
        why: Refusal,
    },
    /// The health changed.
    Health(Health),
}

/// `append` could not queue the batch: the bound of the queue is reached. The batch is handed back.
#[derive(Debug)]
pub struct Full<E>(pub Vec<Proposal<E>>);

/// One node's handle on a log.
///
/// The order of arrivals is the same for every handle; each entry arrives exactly once per handle unless the
/// implementation says otherwise (state skips repeats by [`Key`], so that no implementation has to be perfect).
/// Entries of one handle arrive in the order in which it appended them.
pub trait Log<E> {
    /// Queues a batch, in order, behind everything appended before. Never blocks.
    ///
    /// # Errors
    /// [`Full`] when the bound on what this handle has under way (appended, and neither arrived nor refused) is
    /// reached; nothing of the batch was taken. With nothing under way every batch is taken.
    fn append(&mut self, batch: Vec<Proposal<E>>) -> Result<(), Full<E>>;

    /// The next arrival. Registers the context's waker when there is none yet.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Arrival<E>>;

    /// Up to `count` stored entries after `from`, in order. For catching up; may block on storage. Their keys
    /// grow in the same order; an implementation that never answers [`Refusal::Unknown`] need not have kept the
    /// keys that were proposed.
    ///
    /// # Errors
    /// [`ReadError::Trimmed`] when entries directly after `from` are no longer kept, [`ReadError::Failed`] when storage fails.
    fn read(&self, from: Seq, count: usize) -> Result<Vec<Entry<E>>, ReadError>;

    /// The position of the last stored entry that has arrived or will arrive next.
    fn head(&self) -> Seq;

    /// How the log is now.
    fn health(&self) -> Health;
}

/// Why `read` failed.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// What was asked for is no longer kept.
    #[error("entries before position {} are no longer kept", .first.0)]
    Trimmed {
        /// The first position that is kept.
        first: Seq,
    },
    /// Storage failed.
    #[error("reading the log failed: {0}")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// The largest payload of one event, in bytes of its stored form.
pub const EVENT_BYTES_MAX: usize = 64 * 1024;
