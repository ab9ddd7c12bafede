//! The threads that hash and check passwords, beside the one that runs the chat: few, so that a crowd that logs in at
//! once takes neither the processor from the chat nor more memory than a hash a thread.

use std::num::NonZeroUsize;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::{io, thread};

use chinwag_core::work::Outcome;
use chinwag_node::Work;
use chinwag_proof::{Prover, Scratch};
use tokio::sync::mpsc;

/// Threads at most. Each keeps 19 MiB from its first password on.
pub(crate) const THREADS_MAX: usize = 2;

/// Jobs that wait for a thread. Whoever comes when so many wait is told to try again; with two threads the last of
/// them waits for half a minute.
pub(crate) const QUEUE: usize = 2048;

/// Outcomes that wait for the hub.
const DONE: usize = 64;

/// How much less important than the chat the work is, as `nice` counts.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;

/// What became of a job.
pub(crate) struct Done {
    pub(crate) id: u64,
    pub(crate) outcome: Outcome,
}

/// The pool.
pub(crate) struct Provers {
    jobs: SyncSender<Work>,
    done: mpsc::Receiver<Done>,
    held: u64,
}

impl Provers {
    /// Starts the threads. They end when the pool is dropped.
    pub(crate) fn start(prover: &Prover) -> io::Result<Provers> {
        let (jobs, waiting) = sync_channel::<Work>(QUEUE);
        let (results, done) = mpsc::channel(DONE);
        let waiting = Arc::new(Mutex::new(waiting));
        let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get).min(THREADS_MAX);
        for index in 0..threads {
            let (waiting, results, prover) = (Arc::clone(&waiting), results.clone(), prover.clone());
            thread::Builder::new()
                .name(format!("proof-{index}"))
                .spawn(move || serve(&waiting, &results, &prover))?;
        }
        let held = threads as u64 * u64::from(prover.cost().memory_kib) * 1024;
        Ok(Provers { jobs, done, held })
    }

    /// Bytes that the threads keep, from the first password on.
    pub(crate) fn held(&self) -> u64 {
        self.held
    }

    /// Asks for work.
    ///
    /// # Errors
    /// The outcome of what cannot be done because too much waits.
    pub(crate) fn ask(&self, work: Work) -> Result<(), Done> {
        self.jobs.try_send(work).map_err(|refused| match refused {
            TrySendError::Full(work) | TrySendError::Disconnected(work) => {
                Done { id: work.id, outcome: Outcome::Busy }
            }
        })
    }

    /// The next outcome.
    pub(crate) fn poll_done(&mut self, cx: &mut Context<'_>) -> Poll<Option<Done>> {
        self.done.poll_recv(cx)
    }
}

fn serve(waiting: &Mutex<Receiver<Work>>, results: &mpsc::Sender<Done>, prover: &Prover) {
    // On Linux this is the thread's own; elsewhere it would be that of the whole process.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(NICE) {
        tracing::debug!(%error, "passwords are hashed as eagerly as the chat runs");
    }
    let mut scratch = Scratch::default();
    loop {
        // The lock is held while waiting: the other threads wait for the lock instead, which is the same.
        let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Work { id, job }) = next else { return };
        let outcome = prover.carry_out(job, &mut scratch);
        if results.blocking_send(Done { id, outcome }).is_err() {
            return;
        }
    }
}
