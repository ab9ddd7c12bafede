//! The hub: one turn after another, each moving what was asked to the log, what is kept to the chat, and what
//! follows to the sockets.
//!
//! It yields a few times before a turn, so that more requests gather: fewer, larger commits and sends. Measured,
//! three yields make the difference of almost ten to one under load; they end when one of them brought nothing.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use chinwag_core::effect::Letter;
use chinwag_core::event::Event;
use chinwag_core::ids::Millis;
use chinwag_log::{Arrival, Full, Health, Log};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, Sleep, sleep, timeout};

use crate::api::Programs;
use crate::clock::now_ms;
use crate::metrics::Reason;
use crate::provers::{Done, Provers};
use crate::readers::{Answer, Readers};
use crate::shared::Shared;

/// Times that others go first before a turn, as long as there are others.
const YIELDS: usize = 3;

/// Arrivals taken at once; then what follows from them is sent.
const ARRIVALS_MAX: usize = 64;

/// Times that one turn goes from proposals to arrivals and back, when the log answers at once.
const ROUNDS_MAX: usize = 4;

/// While there are connections, time-outs are looked at this often.
const TICK: Duration = Duration::from_secs(1);

/// How long the end waits for what is under way in the log, and then for last words to be taken.
const STOP_LOG: Duration = Duration::from_millis(500);
const STOP_SOCKETS: Duration = Duration::from_millis(300);

/// What the hub is told from outside.
pub(crate) enum Order {
    /// Say goodbye, keep what is under way, end.
    Stop,
    /// Other settings, and bytes that may wait for a session.
    Reload(Box<crate::Config>),
    /// There is a new certificate.
    Recertify,
}

/// Why the hub ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It was told to.
    Stopped,
    /// The log cannot be trusted any more; the reason.
    Failed(String),
}

/// The threads beside the hub's own that do what takes long.
pub(crate) struct Helpers {
    pub(crate) readers: Readers,
    pub(crate) provers: Provers,
}

/// Everything that moves between the node, the log, the readers and the sockets.
pub(crate) struct Hub<L> {
    shared: Rc<Shared>,
    log: L,
    helpers: Helpers,
    orders: mpsc::Receiver<Order>,
    arrivals: VecDeque<Arrival<Event>>,
    answers: VecDeque<Answer>,
    done: VecDeque<Done>,
    /// The log was full: nothing is proposed until something has arrived.
    full: bool,
    /// When the messages were said that are about to go out.
    said: Vec<Millis>,
    tick: Option<Pin<Box<Sleep>>>,
    ticked: bool,
    stop: bool,
    failed: Option<String>,
}

impl<L: Log<Event>> Hub<L> {
    pub(crate) fn new(shared: Rc<Shared>, log: L, helpers: Helpers, orders: mpsc::Receiver<Order>) -> Self {
        Hub {
            shared,
            log,
            helpers,
            orders,
            arrivals: VecDeque::new(),
            answers: VecDeque::new(),
            done: VecDeque::new(),
            full: false,
            said: Vec::new(),
            tick: None,
            ticked: false,
            stop: false,
            failed: None,
        }
    }

    /// Takes turns until it is told to stop or the log fails; `accepting` ends with it, before the goodbye.
    /// Gives the log back, to be closed.
    pub(crate) async fn run(mut self, accepting: Vec<JoinHandle<io::Result<()>>>) -> (Ended, L) {
        let mut ended = self.work().await;
        for task in &accepting {
            task.abort();
        }
        match ended {
            Ended::Stopped => ended = self.finish().await,
            Ended::Failed(_) => self.goodbye("the server has failed").await,
        }
        (ended, self.log)
    }

    async fn work(&mut self) -> Ended {
        loop {
            poll_fn(|cx| self.poll_work(cx)).await;
            if self.shared.node.borrow().has_backlog() {
                // A crowd's turn is taken in pieces: whoever has nothing to do with it does not wait for all of them.
                tokio::task::yield_now().await;
            } else if self.arrivals.is_empty() {
                // What the log has kept is waited for: it goes out at once.
                for _ in 0..YIELDS {
                    tokio::task::yield_now().await;
                    // Nobody came: who waits any longer waits for nothing.
                    if !self.shared.hub.hush() {
                        break;
                    }
                }
            }
            self.turn().await;
            if let Some(reason) = self.failed.take() {
                return Ended::Failed(reason);
            }
            if self.stop {
                return Ended::Stopped;
            }
        }
    }

    /// Ready when there is something to do. Everything that can wake the hub is asked each time, so that each
    /// knows whom to wake.
    fn poll_work(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let rung = self.shared.hub.poll_rung(cx).is_ready();
        let came = self.gather(cx);
        if rung || came { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Takes what has come from the log, the readers, the clock and outside.
    fn gather(&mut self, cx: &mut Context<'_>) -> bool {
        while self.arrivals.len() < ARRIVALS_MAX
            && let Poll::Ready(arrival) = self.log.poll_next(cx)
        {
            self.arrivals.push_back(arrival);
        }
        while self.answers.len() < ARRIVALS_MAX
            && let Poll::Ready(Some(answer)) = self.helpers.readers.poll_answer(cx)
        {
            self.answers.push_back(answer);
        }
        while self.done.len() < ARRIVALS_MAX
            && let Poll::Ready(Some(done)) = self.helpers.provers.poll_done(cx)
        {
            self.done.push_back(done);
        }
        while !self.stop
            && !self.shared.stopping.get()
            && let Poll::Ready(order) = self.orders.poll_recv(cx)
        {
            match order {
                Some(Order::Reload(config)) => {
                    // Nobody waits for an answer; the log has it.
                    let _ = self.shared.reload(&config);
                }
                Some(Order::Recertify) => self.shared.recertify(),
                // Nobody is left who could tell it to stop: it stops.
                Some(Order::Stop) | None => self.stop = true,
            }
        }
        self.poll_tick(cx);
        let came = !self.arrivals.is_empty() || !self.answers.is_empty() || !self.done.is_empty();
        self.stop || self.ticked || came
    }

    fn poll_tick(&mut self, cx: &mut Context<'_>) {
        let quiet = || {
            let node = self.shared.node.borrow();
            !node.busy() && !node.keeps_time()
        };
        if self.shared.connections.get() == 0 && quiet() {
            self.tick = None;
            return;
        }
        let tick = self.tick.get_or_insert_with(|| Box::pin(sleep(TICK)));
        while tick.as_mut().poll(cx).is_ready() {
            self.ticked = true;
            tick.as_mut().reset(Instant::now() + TICK);
        }
    }

    /// One turn.
    async fn turn(&mut self) {
        for round in 0..ROUNDS_MAX {
            poll_fn(|cx| Poll::Ready(self.gather(cx))).await;
            let came = self.apply();
            let proposed = self.propose();
            if !came && !proposed || self.shared.node.borrow().has_backlog() {
                break;
            }
            if round + 1 == ROUNDS_MAX {
                self.shared.hub.ring();
            }
        }
        self.send();
    }

    /// Hands the node what has come. Says whether there was anything.
    fn apply(&mut self) -> bool {
        let now = now_ms();
        let came =
            self.ticked || !self.arrivals.is_empty() || !self.answers.is_empty() || !self.done.is_empty();
        if std::mem::take(&mut self.ticked) {
            let found = self.shared.survey();
            let mut node = self.shared.node.borrow_mut();
            node.figures_mut().memory = found;
            node.figures_mut().turned_away = self.shared.metrics.refused().collect();
            node.tick(now);
        }
        // The end comes last: whose messages are refused with it hears of that before the connection closes.
        let ends = |arrival: &Arrival<Event>| matches!(arrival, Arrival::Health(Health::Fatal(_)));
        self.arrivals.make_contiguous().sort_by_key(ends);
        while !self.shared.node.borrow().has_backlog()
            && let Some(arrival) = self.arrivals.pop_front()
        {
            self.full = false;
            if let Arrival::Health(health) = &arrival {
                note(health);
                self.shared.keeps.set(matches!(health, Health::Ok));
            }
            self.shared.metrics.arrived(&arrival, &mut self.said);
            self.shared.traces.arrived(&arrival);
            self.shared.node.borrow_mut().arrived(arrival, now);
            if self.shared.node.borrow().wants_flush() {
                self.send();
            }
        }
        self.failed = self.shared.node.borrow().fatal().map(str::to_owned);
        while let Some(answer) = self.answers.pop_front() {
            if Programs::is_theirs(answer.id) {
                self.shared.programs.answered(answer.id, answer.answer);
                continue;
            }
            self.shared.node.borrow_mut().history(answer.id, answer.answer, now);
        }
        while let Some(done) = self.done.pop_front() {
            if Programs::is_theirs(done.id) {
                self.shared.programs.worked(done.id, done.outcome);
                continue;
            }
            self.shared.node.borrow_mut().worked(done.id, done.outcome, now);
        }
        self.tell_programs(came);
        came
    }

    /// Tells programs what became of what they said, and that there may be something to read.
    fn tell_programs(&self, came: bool) {
        let done = self.shared.node.borrow_mut().take_errands();
        for (id, errand) in done {
            self.shared.programs.done(id, errand);
        }
        if came {
            self.shared.programs.moved.notify_waiters();
        }
    }

    /// Moves proposals to the log and reads to the readers. Says whether the log took anything.
    fn propose(&mut self) -> bool {
        self.shared.reread();
        self.shared.give_tickets();
        let mut node = self.shared.node.borrow_mut();
        for read in node.take_reads() {
            self.helpers.readers.ask(read);
        }
        for read in self.shared.programs.take_reads() {
            self.helpers.readers.ask(read);
        }
        for work in node.take_work() {
            if let Err(busy) = self.helpers.provers.ask(work) {
                self.shared.metrics.refuse(Reason::HashingBusy);
                node.worked(busy.id, busy.outcome, now_ms());
            }
        }
        for work in self.shared.programs.take_work() {
            if let Err(busy) = self.helpers.provers.ask(work) {
                self.shared.programs.worked(busy.id, busy.outcome);
            }
        }
        for letter in node.take_letters() {
            let Letter { to, account, code } = letter;
            tracing::warn!(%to, %account, %code, "no mail is sent: hand this code on");
        }
        let mut proposed = false;
        while !self.full {
            let batch = node.take_proposals();
            if batch.is_empty() {
                break;
            }
            let count = batch.len();
            let picked = self.shared.traces.pick(&batch, node.chat());
            match self.log.append(batch) {
                Ok(()) => {
                    self.shared.traces.proposed(picked);
                    self.shared.metrics.proposed(count);
                    proposed = true;
                }
                Err(Full(batch)) => {
                    node.returned(batch);
                    self.full = true;
                }
            }
        }
        proposed
    }

    /// Sends what the node has for the sockets, and wakes the connections that may go on.
    fn send(&mut self) {
        let mut node = self.shared.node.borrow_mut();
        let mut table = self.shared.table.borrow_mut();
        node.flush(&mut *table);
        table.framed.get_mut().forget();
        if !self.said.is_empty() {
            self.shared.metrics.delivered(&mut self.said, now_ms());
        }
        self.shared.traces.delivered();
        for session in node.take_registered() {
            if let Some(socket) = table.get(session) {
                socket.known();
            }
        }
        for session in node.take_woken() {
            if let Some(socket) = table.get(session) {
                socket.resume();
            }
        }
        if node.has_output() {
            // Somebody asks for more than one turn hands out; others have their turn first.
            self.shared.hub.ring();
        }
        drop((node, table));
        self.shared.relieve();
    }

    /// Keeps and shows what is under way, then says goodbye.
    async fn finish(&mut self) -> Ended {
        self.shared.stopping.set(true);
        self.shared.discovery.goodbye();
        self.shared.programs.moved.notify_waiters();
        self.stop = false;
        self.shared.node.borrow_mut().keep_presences();
        self.propose();
        let under_way = async {
            while self.shared.node.borrow().busy() && self.failed.is_none() {
                poll_fn(|cx| self.poll_work(cx)).await;
                self.turn().await;
            }
        };
        if timeout(STOP_LOG, under_way).await.is_err() {
            tracing::warn!("the log took too long: what was not kept was not acknowledged");
        }
        self.goodbye("the server is shutting down").await;
        self.failed.take().map_or(Ended::Stopped, Ended::Failed)
    }

    /// Closes every session with a reason and gives the sockets a moment to take it.
    async fn goodbye(&mut self, reason: &str) {
        self.shared.stopping.set(true);
        // What is kept is shown first. Each call applies some of it.
        while self.shared.node.borrow().has_backlog() {
            self.send();
        }
        self.shared.node.borrow_mut().close_all(reason);
        self.send();
        let all_gone = async {
            while self.shared.connections.get() > 0 {
                poll_fn(|cx| self.shared.hub.poll_rung(cx)).await;
            }
        };
        if timeout(STOP_SOCKETS, all_gone).await.is_err() {
            tracing::debug!(connections = self.shared.connections.get(), "some callers did not hang up");
        }
    }
}

fn note(health: &Health) {
    match health {
        Health::Ok => tracing::info!("the log keeps messages"),
        Health::ReadOnly(why) => tracing::error!(%why, "the log keeps nothing at the moment"),
        Health::Fatal(why) => tracing::error!(%why, "the log has failed"),
    }
}
