//! How long the log's commits take, counted by its writer and read by whoever watches.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The upper ends of the buckets, in microseconds.
const ENDS_US: [u64; 11] = [100, 200, 500, 1_000, 2_000, 5_000, 10_000, 50_000, 100_000, 500_000, 2_000_000];

/// Commits since the log was opened. A handful of additions a commit, none a message.
#[derive(Debug, Default)]
pub struct Commits {
    events: AtomicU64,
    micros: AtomicU64,
    counts: [AtomicU64; ENDS_US.len() + 1],
}

impl Commits {
    pub(crate) fn note(&self, events: u64, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = ENDS_US.iter().position(|end| micros <= *end).unwrap_or(ENDS_US.len());
        self.events.fetch_add(events, Ordering::Relaxed);
        self.micros.fetch_add(micros, Ordering::Relaxed);
        self.counts[bucket].fetch_add(1, Ordering::Relaxed);
    }

    /// Events that were stored.
    pub fn events(&self) -> u64 {
        self.events.load(Ordering::Relaxed)
    }

    /// What all commits took together, in seconds.
    pub fn seconds(&self) -> f64 {
        micros(self.micros.load(Ordering::Relaxed))
    }

    /// How many took up to so many seconds and longer than the one before; and how many longer than all of these.
    pub fn buckets(&self) -> (Vec<(f64, u64)>, u64) {
        let count = |index: usize| self.counts[index].load(Ordering::Relaxed);
        let buckets = ENDS_US.iter().enumerate().map(|(index, end)| (micros(*end), count(index)));
        (buckets.collect(), count(ENDS_US.len()))
    }
}

#[allow(clippy::cast_precision_loss, reason = "figures for people's eyes")]
fn micros(count: u64) -> f64 {
    count as f64 / 1_000_000.0
}
