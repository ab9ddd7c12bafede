//! History readers: a few threads beside the one that runs the chat, because reading a file may wait.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::{io, thread};

use chinwag_archive::Reader;
use chinwag_node::HistoryRead;
use tokio::sync::mpsc;

/// Threads that read.
const THREADS: usize = 2;

/// Reads that wait for a thread, and answers that wait for the hub.
const QUEUE: usize = 64;

/// What became of a read.
pub(crate) struct Answer {
    pub(crate) id: u64,
    pub(crate) answer: Result<chinwag_core::pointed::Answer, String>,
}

/// The pool.
pub(crate) struct Readers {
    asks: SyncSender<HistoryRead>,
    answers: mpsc::Receiver<Answer>,
    /// Reads that found the queue full. Bounded by the sessions: each has at most one under way.
    later: VecDeque<HistoryRead>,
}

impl Readers {
    /// Starts the threads. They end when the pool is dropped.
    pub(crate) fn start(reader: &Reader) -> io::Result<Readers> {
        let (asks, questions) = sync_channel::<HistoryRead>(QUEUE);
        let (results, answers) = mpsc::channel(QUEUE);
        let questions = Arc::new(Mutex::new(questions));
        for index in 0..THREADS {
            let (questions, results, reader) = (Arc::clone(&questions), results.clone(), reader.clone());
            thread::Builder::new()
                .name(format!("history-{index}"))
                .spawn(move || serve(&questions, &results, &reader))?;
        }
        Ok(Readers { asks, answers, later: VecDeque::new() })
    }

    /// Asks for something.
    pub(crate) fn ask(&mut self, read: HistoryRead) {
        self.later.push_back(read);
        self.push();
    }

    fn push(&mut self) {
        while let Some(read) = self.later.pop_front() {
            match self.asks.try_send(read) {
                Ok(()) => {}
                Err(TrySendError::Full(read) | TrySendError::Disconnected(read)) => {
                    self.later.push_front(read);
                    return;
                }
            }
        }
    }

    /// The next answer.
    pub(crate) fn poll_answer(&mut self, cx: &mut Context<'_>) -> Poll<Option<Answer>> {
        let answer = self.answers.poll_recv(cx);
        if answer.is_ready() {
            self.push();
        }
        answer
    }
}

fn serve(questions: &Mutex<Receiver<HistoryRead>>, results: &mpsc::Sender<Answer>, reader: &Reader) {
    loop {
        // The lock is held while waiting: the other threads wait for the lock instead, which is the same.
        let question = questions.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(read) = question else { return };
        let answer = reader.answer(&read.question).map_err(|error| error.to_string());
        if results.blocking_send(Answer { id: read.id, answer }).is_err() {
            return;
        }
    }
}
