//! SqliteLog: the handle on the writer thread, and the queue between the two.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use chinwag_core::event::{Amendment, Event};
use chinwag_log::{Arrival, Entry, Full, Health, Keep, Log, Proposal, ReadError, Refusal, Seq};

use crate::commits::Commits;
use crate::reader::Reader;
use crate::search::Indexer;
use crate::search::indexer::Bell;

/// How long dropping the handle waits for the writer to finish what it is committing.
const DROP_WAIT: Duration = Duration::from_secs(5);

/// The embedded log: one proposer, one writer thread, everything waiting is one transaction.
///
/// What is appended is durable when it arrives. A batch of passing events alone, with nothing stored under way,
/// arrives at once without a change of thread. Times are made monotone here (`at_ms` of a stored entry is never
/// below that of an earlier one), so that history can be searched by time.
///
/// Dropping the handle stops the writer after the transaction in hand; what is still queued is not stored. Use
/// [`SqliteLog::close`] to store everything first.
#[derive(Debug)]
pub struct SqliteLog {
    shared: Arc<Shared>,
    reader: Reader,
}

/// Why closing was not as clean as asked for. What arrived is durable all the same.
#[derive(Debug, thiserror::Error)]
pub enum CloseError {
    /// The writer did not finish in time.
    #[error("the log did not finish writing within {0:?}")]
    Late(Duration),
    /// The log had failed before, or its last step did.
    #[error("the log closed with an error: {0}")]
    Failed(String),
}

/// Both sides of the queue.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) state: Mutex<State>,
    /// Signalled when the writer has something to do.
    pub(crate) work: Condvar,
    /// Signalled when the writer has ended.
    ended: Condvar,
    /// Rung when something was stored.
    pub(crate) stored: Arc<Bell>,
    /// What commits took.
    pub(crate) commits: Arc<Commits>,
    bounds: Bounds,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) events: usize,
    pub(crate) bytes: usize,
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) queue: Vec<Vec<Proposal<Event>>>,
    arrivals: VecDeque<Coming>,
    waker: Option<Waker>,
    events: usize,
    bytes: usize,
    /// The writer sleeps: it has to be told of work.
    pub(crate) asleep: bool,
    /// The writer is committing what it took.
    pub(crate) busy: bool,
    /// A refusal is on its way to the handle: nothing is stored until it was handed over.
    pub(crate) fenced: bool,
    pub(crate) health: Health,
    pub(crate) head: Seq,
    pub(crate) stop: Stop,
    ended: bool,
    /// What went wrong in closing.
    pub(crate) close_error: Option<String>,
}

/// How the writer is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Not yet.
    No,
    /// After everything queued is stored.
    Flush,
    /// At once.
    Now,
}

/// An arrival and how much room it gives back when it is taken.
#[derive(Debug)]
struct Coming {
    arrival: Arrival<Event>,
    events: usize,
    bytes: usize,
}

impl SqliteLog {
    pub(crate) fn new(shared: Arc<Shared>, reader: Reader) -> Self {
        SqliteLog { shared, reader }
    }

    /// What commits took, also while it goes on.
    pub fn commits(&self) -> Arc<Commits> {
        Arc::clone(&self.shared.commits)
    }

    /// Starts the thread that keeps the index of this log for searching, in the data folder `dir`.
    ///
    /// # Errors
    /// When there is no thread.
    pub(crate) fn index(&self, dir: &Path, of: [u64; 2]) -> std::io::Result<Indexer> {
        Indexer::start(dir, Arc::clone(&self.shared.stored), of)
    }

    /// Stores everything queued, writes the log file into the database, and ends the writer; waits at most
    /// `within` for that. Gives back the arrivals that nobody has taken.
    ///
    /// # Errors
    /// When it is not done in time, or when the log had failed.
    pub fn close(self, within: Duration) -> Result<Vec<Arrival<Event>>, CloseError> {
        let mut state = self.shared.stop(Stop::Flush);
        let until = Instant::now() + within;
        while !state.ended {
            let left = until.checked_duration_since(Instant::now()).ok_or(CloseError::Late(within))?;
            state = self.shared.ended.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        if let Some(error) = state.close_error.take() {
            return Err(CloseError::Failed(error));
        }
        if let Health::Fatal(reason) = &state.health {
            return Err(CloseError::Failed(reason.clone()));
        }
        let mut left = Vec::new();
        while let Some(arrival) = state.hand_over() {
            left.push(arrival);
        }
        Ok(left)
    }
}

impl Drop for SqliteLog {
    fn drop(&mut self) {
        let state = self.shared.stop(Stop::Now);
        // The wait makes sure that the data folder is free again when this returns; a writer that hangs in a
        // sync is left behind.
        drop(self.shared.ended.wait_timeout_while(state, DROP_WAIT, |state| !state.ended));
    }
}

impl Log<Event> for SqliteLog {
    fn append(&mut self, batch: Vec<Proposal<Event>>) -> Result<(), Full<Event>> {
        if batch.is_empty() {
            return Ok(());
        }
        let (stored, bytes) = measure(&batch);
        let mut state = self.shared.lock();
        let Bounds { events: events_max, bytes: bytes_max } = self.shared.bounds;
        // A batch above the bound passes when nothing else is under way: it would never pass otherwise.
        if state.events > 0 && (state.events + batch.len() > events_max || state.bytes + bytes > bytes_max) {
            return Err(Full(batch));
        }
        state.events += batch.len();
        state.bytes += bytes;
        if let Health::Fatal(reason) = &state.health
            && !state.fenced
        {
            let why = Refusal::Fatal(reason.clone());
            state.refuse(batch, why);
        } else if !stored && !state.busy && !state.fenced && state.queue.is_empty() {
            let mut last = state.head;
            let entries = into_entries(batch, &mut last);
            state.arrive(Arrival::Entries(entries), bytes);
        } else {
            state.queue.push(batch);
            if state.asleep && !state.fenced {
                state.asleep = false;
                drop(state);
                self.shared.work.notify_one();
            }
            return Ok(());
        }
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
        Ok(())
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Arrival<Event>> {
        let mut state = self.shared.lock();
        if let Some(arrival) = state.hand_over() {
            return Poll::Ready(arrival);
        }
        if !state.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            state.waker = Some(cx.waker().clone());
        }
        Poll::Pending
    }

    fn read(&self, from: Seq, count: usize) -> Result<Vec<Entry<Event>>, ReadError> {
        self.reader.entries(from, count).map_err(|error| ReadError::Failed(Box::new(error)))
    }

    fn head(&self) -> Seq {
        self.shared.lock().head
    }

    fn health(&self) -> Health {
        self.shared.lock().health.clone()
    }
}

impl Shared {
    pub(crate) fn new(head: Seq, bounds: Bounds) -> Self {
        Shared {
            state: Mutex::new(State {
                queue: Vec::new(),
                arrivals: VecDeque::new(),
                waker: None,
                events: 0,
                bytes: 0,
                asleep: false,
                busy: false,
                fenced: false,
                health: Health::Ok,
                head,
                stop: Stop::No,
                ended: false,
                close_error: None,
            }),
            work: Condvar::new(),
            ended: Condvar::new(),
            stored: Arc::default(),
            commits: Arc::default(),
            bounds,
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        // No change of the state can panic half-way; a panic elsewhere leaves it consistent.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stop(&self, stop: Stop) -> MutexGuard<'_, State> {
        let mut state = self.lock();
        state.stop = stop;
        state.asleep = false;
        self.work.notify_one();
        state
    }

    /// Says that the writer has ended. Its connection and the lock on the folder are gone by now.
    pub(crate) fn set_ended(&self) {
        self.lock().ended = true;
        self.ended.notify_all();
    }

    /// Changes the state, then wakes the handle once.
    pub(crate) fn report(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.lock();
        change(&mut state);
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl State {
    /// Lets an arrival come. `bytes` is what [`measure`] said of its events.
    pub(crate) fn arrive(&mut self, arrival: Arrival<Event>, bytes: usize) {
        let events = match &arrival {
            Arrival::Entries(entries) => entries.len(),
            Arrival::Refused { batch, .. } => batch.len(),
            Arrival::Health(_) => 0,
        };
        self.arrivals.push_back(Coming { arrival, events, bytes });
    }

    /// Lets a refusal come and stores nothing until it was handed over.
    pub(crate) fn refuse(&mut self, batch: Vec<Proposal<Event>>, why: Refusal) {
        let (_, bytes) = measure(&batch);
        self.fenced = true;
        self.arrive(Arrival::Refused { batch, why }, bytes);
    }

    /// Takes the next arrival out.
    fn hand_over(&mut self) -> Option<Arrival<Event>> {
        let Coming { mut arrival, events, bytes } = self.arrivals.pop_front()?;
        self.events = self.events.saturating_sub(events);
        self.bytes = self.bytes.saturating_sub(bytes);
        if let Arrival::Refused { batch, .. } = &mut arrival {
            // What was appended behind the refused batch is refused with it.
            for behind in std::mem::take(&mut self.queue) {
                let (_, bytes) = measure(&behind);
                self.events = self.events.saturating_sub(behind.len());
                self.bytes = self.bytes.saturating_sub(bytes);
                batch.extend(behind);
            }
            self.fenced = false;
        }
        Some(arrival)
    }

    /// Changes the health and tells it, if it is another one.
    pub(crate) fn set_health(&mut self, health: Health) {
        if self.health != health {
            self.health = health.clone();
            self.arrive(Arrival::Health(health), 0);
        }
    }
}

/// Whether anything of a batch is stored, and how many bytes of text it holds.
pub(crate) fn measure(batch: &[Proposal<Event>]) -> (bool, usize) {
    let mut stored = false;
    let mut bytes = 0;
    for proposal in batch {
        stored |= proposal.keep == Keep::Stored;
        bytes += match &proposal.event {
            Event::Said(said) => said.text.len() + said.client_tags.as_ref().map_or(0, |tags| tags.len()),
            Event::Amended(amended) => match &amended.what {
                Amendment::Edited { text } => text.len(),
                _ => 0,
            },
            Event::Passed(passed) => {
                passed.text.len() + passed.client_tags.as_ref().map_or(0, |tags| tags.len())
            }
            _ => 0,
        };
    }
    (stored, bytes)
}

/// Gives a batch its places. The vector's memory is used again where the compiler can.
pub(crate) fn into_entries(batch: Vec<Proposal<Event>>, last: &mut Seq) -> Vec<Entry<Event>> {
    batch
        .into_iter()
        .map(|Proposal { key, at_ms, keep, event, .. }| {
            if keep == Keep::Stored {
                last.0 += 1;
            }
            Entry { seq: *last, key, at_ms, keep, event }
        })
        .collect()
}
