//! The threads that hash and check passwords, beside the one that runs the chat: few, so that a crowd that logs in at
//! once takes neither the processor from the chat nor more memory than a hash a thread.
//!
//! Address blocks take turns: whoever guesses much waits behind their own guesses, and not everybody behind them.

use std::collections::{BTreeMap, VecDeque};
use std::num::NonZeroUsize;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
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

/// The same of one address block.
pub(crate) const QUEUE_OF_ONE: usize = 1024;

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
    waiting: Arc<Waiting>,
    done: mpsc::Receiver<Done>,
}

/// Jobs that wait for a thread.
#[derive(Default)]
struct Waiting {
    jobs: Mutex<Jobs>,
    came: Condvar,
}

/// The jobs of each block in their order, and the blocks in the order of their turns.
#[derive(Default)]
struct Jobs {
    of: BTreeMap<u64, VecDeque<Work>>,
    turns: VecDeque<u64>,
    count: usize,
    /// The pool is gone.
    over: bool,
}

impl Jobs {
    /// Takes a job, unless too many wait.
    fn push(&mut self, work: Work) -> Result<(), u64> {
        let of_one = self.of.entry(work.block).or_default();
        if self.count >= QUEUE || of_one.len() >= QUEUE_OF_ONE {
            return Err(work.id);
        }
        if of_one.is_empty() {
            self.turns.push_back(work.block);
        }
        of_one.push_back(work);
        self.count += 1;
        Ok(())
    }

    /// The next job: the first one of the block whose turn it is.
    fn pop(&mut self) -> Option<Work> {
        let block = self.turns.pop_front()?;
        let of_one = self.of.get_mut(&block)?;
        let work = of_one.pop_front()?;
        self.count -= 1;
        match of_one.is_empty() {
            true => drop(self.of.remove(&block)),
            false => self.turns.push_back(block),
        }
        Some(work)
    }
}

impl Waiting {
    fn jobs(&self) -> MutexGuard<'_, Jobs> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a job; none when the pool is gone.
    fn next(&self) -> Option<Work> {
        let mut jobs = self.jobs();
        loop {
            if jobs.over {
                return None;
            }
            if let Some(work) = jobs.pop() {
                return Some(work);
            }
            jobs = self.came.wait(jobs).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Provers {
    /// Starts the threads. They end when the pool is dropped.
    pub(crate) fn start(prover: &Prover) -> io::Result<Provers> {
        let waiting = Arc::new(Waiting::default());
        let (results, done) = mpsc::channel(DONE);
        let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get).min(THREADS_MAX);
        let provers = Provers { waiting, done };
        for index in 0..threads {
            let (waiting, results, prover) = (Arc::clone(&provers.waiting), results.clone(), prover.clone());
            thread::Builder::new()
                .name(format!("proof-{index}"))
                .spawn(move || serve(&waiting, &results, &prover))?;
        }
        Ok(provers)
    }

    /// Asks for work.
    ///
    /// # Errors
    /// The outcome of what cannot be done because too much waits.
    pub(crate) fn ask(&self, work: Work) -> Result<(), Done> {
        let taken = self.waiting.jobs().push(work);
        taken.map_err(|id| Done { id, outcome: Outcome::Busy })?;
        self.waiting.came.notify_one();
        Ok(())
    }

    /// The next outcome.
    pub(crate) fn poll_done(&mut self, cx: &mut Context<'_>) -> Poll<Option<Done>> {
        self.done.poll_recv(cx)
    }
}

impl Drop for Provers {
    fn drop(&mut self) {
        self.waiting.jobs().over = true;
        self.waiting.came.notify_all();
    }
}

fn serve(waiting: &Waiting, results: &mpsc::Sender<Done>, prover: &Prover) {
    // On Linux this is the thread's own; elsewhere it would be that of the whole process.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(NICE) {
        tracing::debug!(%error, "passwords are hashed as eagerly as the chat runs");
    }
    let mut scratch = Scratch::default();
    while let Some(Work { id, job, .. }) = waiting.next() {
        let outcome = prover.carry_out(job, &mut scratch);
        if results.blocking_send(Done { id, outcome }).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use chinwag_core::work::{Job, Secret};

    use super::*;

    fn work(id: u64, block: u64) -> Work {
        Work { id, block, job: Job::Check { password: Secret::from("x"), verifiers: None } }
    }

    #[test]
    fn blocks_take_turns() {
        let mut jobs = Jobs::default();
        for id in 0..4 {
            jobs.push(work(id, 7)).unwrap();
        }
        jobs.push(work(10, 8)).unwrap();
        jobs.push(work(11, 9)).unwrap();
        let order: Vec<u64> = std::iter::from_fn(|| jobs.pop()).map(|work| work.id).collect();
        assert_eq!(order, [0, 10, 11, 1, 2, 3]);
        assert!(jobs.of.is_empty() && jobs.turns.is_empty() && jobs.count == 0);
    }

    #[test]
    fn one_block_does_not_fill_the_queue() {
        let mut jobs = Jobs::default();
        let taken = (0..).map_while(|id| jobs.push(work(id, 7)).ok()).count();
        assert_eq!(taken, QUEUE_OF_ONE);
        let others = (0..).map_while(|id| jobs.push(work(id, 8 + id % 100)).ok()).count();
        assert_eq!(taken + others, QUEUE);
    }
}
