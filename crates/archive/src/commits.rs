//! How long the log's commits take, counted by its writer and read by whoever watches.

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The upper ends of the buckets, in microseconds.
const ENDS_US: [u64; 11] = [100, 200, 500, 1_000, 2_000, 5_000, 10_000, 50_000, 100_000, 500_000, 2_000_000];

/// Who is told of each commit: how many events it stored, and what it took.
pub type Watcher = Box<dyn Fn(u64, Duration) + Send + Sync>;

/// Commits since the log was opened. A handful of additions a commit, none a message.
#[derive(Default)]
pub struct Commits {
    watcher: OnceLock<Watcher>,
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
        if let Some(watcher) = self.watcher.get() {
            watcher(events, took);
        }
    }

    /// Has somebody told of each commit from now on, by the log's own thread, which must not be kept waiting. The first
    /// who asks for it is, and nobody else.
    pub fn watch(&self, watcher: Watcher) {
        // Whoever watches already goes on.
        let _ = self.watcher.set(watcher);
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

impl fmt::Debug for Commits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Commits").field("events", &self.events()).finish_non_exhaustive()
    }
}

#[allow(clippy::cast_precision_loss, reason = "figures for people's eyes")]
fn micros(count: u64) -> f64 {
    count as f64 / 1_000_000.0
}
