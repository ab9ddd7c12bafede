//! Threads for what waits for the disk, beside the one that runs the chat: each with a state of its own, and a queue with
//! a bound before them.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::{io, thread};

use tokio::sync::oneshot;

/// Jobs that wait for a thread. Whoever comes then is told to come again.
const QUEUE: usize = 256;

type Job<S> = Box<dyn FnOnce(&mut S) + Send>;

/// Threads that do jobs with a state of the type `S` each. They end when this is dropped.
pub(crate) struct Pool<S> {
    jobs: SyncSender<Job<S>>,
}

/// Too much waits already, or a job has failed for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Busy;

impl<S: Send + 'static> Pool<S> {
    /// A thread for each state.
    pub(crate) fn start(name: &'static str, states: Vec<S>) -> io::Result<Pool<S>> {
        let (jobs, waiting) = sync_channel(QUEUE);
        let waiting = Arc::new(Mutex::new(waiting));
        for (index, state) in states.into_iter().enumerate() {
            let waiting = Arc::clone(&waiting);
            thread::Builder::new().name(format!("{name}-{index}")).spawn(move || serve(&waiting, state))?;
        }
        Ok(Pool { jobs })
    }

    /// Has a job done, and waits for what comes of it. Nobody need wait: the job is done all the same.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut S) -> T + Send + 'static,
    ) -> Result<T, Busy> {
        let (done, outcome) = oneshot::channel();
        let job = move |state: &mut S| {
            // Whoever asked may be gone.
            let _ = done.send(job(state));
        };
        self.jobs.try_send(Box::new(job)).map_err(|_| Busy)?;
        outcome.await.map_err(|_| Busy)
    }
}

fn serve<S>(waiting: &Mutex<Receiver<Job<S>>>, mut state: S) {
    loop {
        // The lock is held while waiting: the other threads wait for the lock instead, which is the same.
        let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = next else { return };
        job(&mut state);
    }
}
