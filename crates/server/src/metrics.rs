//! Figures for machines: what is counted while the server runs, and the page of it (OpenMetrics 1.0) at an address of its
//! own.
//!
//! Everything on the chat's thread is counted in plain cells, what the log's thread does in atomic numbers, once a
//! commit. What can be looked up is looked up when somebody asks. No figure names a person, a room or an address.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::net::TcpListener as StdListener;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use chinwag_archive::Commits;
use chinwag_core::event::Event;
use chinwag_core::ids::Millis;
use chinwag_log::{Arrival, Refusal};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::clock::now_ms;
use crate::shared::Shared;

/// How long a caller may take to ask and to be answered.
const WITHIN: Duration = Duration::from_secs(5);

/// Callers at the same time; more are hung up on.
pub(crate) const CALLERS_MAX: usize = 8;

/// Bytes of a request.
const REQUEST_BYTES_MAX: usize = 8 * 1024;

/// The upper ends of a histogram's buckets, in milliseconds.
const LATENCY_MS: [u64; 11] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 5_000];

/// The way a session came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Plain,
    Irc,
    Web,
    Ssh,
}

impl Way {
    const ALL: [Way; 4] = [Way::Plain, Way::Irc, Way::Web, Way::Ssh];

    fn name(self) -> &'static str {
        match self {
            Way::Plain => "plain",
            Way::Irc => "irc",
            Way::Web => "web",
            Way::Ssh => "ssh",
        }
    }
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident $label:literal;)*) => {
        /// Why something was refused that the node knows nothing of; for the rest see
        /// [`chinwag_core::refusals::Why`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Reason {
            $($(#[$doc])* $name,)*
        }

        impl Reason {
            const ALL: &[Reason] = &[$(Reason::$name,)*];

            fn name(self) -> &'static str {
                match self {
                    $(Reason::$name => $label,)*
                }
            }
        }
    };
}

reasons! {
    /// Too many connections of an address block are open.
    ConnectionsAtOnce "connections_at_once";
    /// They come too fast.
    ConnectionsRate "connections_rate";
    /// Too many of everybody are open.
    ConnectionsTotal "connections_total";
    /// Too many of an address block have not said who they are.
    NewcomersAtOnce "newcomers_at_once";
    /// The same of everybody.
    Newcomers "newcomers_total";
    /// There was no memory for somebody new.
    Memory "memory";
    /// There was no memory for what waited for a session.
    MemoryOutbox "memory_outbox";
    /// TLS was not agreed on, or not in time.
    TlsHandshake "tls_handshake";
    /// The head of a request made no sense, or did not come in time.
    HttpHead "http_head";
    /// Too many are at the ssh door.
    SshFull "ssh_full";
    /// Nobody comes in by that door, or nothing was said that is a door's.
    ClosedDoor "closed_door";
    /// Too many passwords wait to be hashed.
    HashingBusy "hashing_busy";
    /// More waited for a session than may wait.
    SendQueue "send_queue";
    /// The log keeps nothing at the moment.
    LogUnavailable "log_unavailable";
    /// The log took too much.
    LogOverloaded "log_overloaded";
    /// The log could not keep this.
    LogRejected "log_rejected";
    /// The log has failed.
    LogFailed "log_failed";
}

/// What is counted on the chat's thread.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    started_ms: Cell<Millis>,
    inside: [Cell<u64>; Way::ALL.len()],
    came: [Cell<u64>; Way::ALL.len()],
    refused: [Cell<u64>; Reason::ALL.len()],
    /// Answers to browsers and programs that something was not done, by status.
    http: RefCell<BTreeMap<u16, u64>>,
    messages: Cell<u64>,
    proposed: Cell<u64>,
    arrived: Cell<u64>,
    latency: [Cell<u64>; LATENCY_MS.len() + 1],
    latency_sum_ms: Cell<u64>,
}

/// A session that is counted as inside, until this is dropped.
pub(crate) struct Inside {
    shared: Rc<Shared>,
    way: Way,
}

impl Drop for Inside {
    fn drop(&mut self) {
        let count = &self.shared.metrics.inside[self.way as usize];
        count.set(count.get().saturating_sub(1));
    }
}

fn add(count: &Cell<u64>, more: u64) {
    count.set(count.get() + more);
}

impl Metrics {
    /// Nothing has happened yet.
    pub(crate) fn new() -> Metrics {
        Metrics { started_ms: Cell::new(now_ms()), ..Metrics::default() }
    }

    /// Counts a session in.
    pub(crate) fn enters(shared: &Rc<Shared>, way: Way) -> Inside {
        add(&shared.metrics.inside[way as usize], 1);
        add(&shared.metrics.came[way as usize], 1);
        Inside { shared: Rc::clone(shared), way }
    }

    /// Something was refused.
    pub(crate) fn refuse(&self, reason: Reason) {
        add(&self.refused[reason as usize], 1);
    }

    /// Everything that was refused here, by its name.
    pub(crate) fn refused(&self) -> impl Iterator<Item = (&'static str, u64)> {
        Reason::ALL.iter().map(|reason| (reason.name(), self.refused[*reason as usize].get()))
    }

    /// A program or browser was answered with this status.
    pub(crate) fn answered(&self, status: u16) {
        if status >= 400 {
            *self.http.borrow_mut().entry(status).or_default() += 1;
        }
    }

    /// Somebody was told this, and nothing more. Where it is an answer of HTTP, its status is counted.
    pub(crate) fn told(&self, words: &[u8]) {
        let status = words.strip_prefix(b"HTTP/1.1 ").and_then(|rest| rest.get(..3));
        let status = status.and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
        if let Some(status) = status {
            self.answered(status);
        }
    }

    /// So many events are on their way to the log.
    pub(crate) fn proposed(&self, events: usize) {
        add(&self.proposed, events as u64);
    }

    /// Something has come back from the log; `said` takes when its messages were said.
    pub(crate) fn arrived(&self, arrival: &Arrival<Event>, said: &mut Vec<Millis>) {
        match arrival {
            Arrival::Entries(entries) => {
                add(&self.arrived, entries.len() as u64);
                let messages = entries.iter().filter(|entry| matches!(entry.event, Event::Said(_)));
                said.extend(messages.map(|entry| entry.at_ms));
            }
            Arrival::Refused { batch, why } => {
                add(&self.arrived, batch.len() as u64);
                let reason = match why {
                    Refusal::Rejected(_) => Reason::LogRejected,
                    Refusal::Overloaded { .. } => Reason::LogOverloaded,
                    Refusal::Fatal(_) => Reason::LogFailed,
                    _ => Reason::LogUnavailable,
                };
                add(&self.refused[reason as usize], batch.len() as u64);
            }
            Arrival::Health(_) => {}
        }
    }

    /// Messages that were said then have gone out now.
    pub(crate) fn delivered(&self, said: &mut Vec<Millis>, now: Millis) {
        add(&self.messages, said.len() as u64);
        for at_ms in said.drain(..) {
            let took = now.saturating_sub(at_ms);
            let bucket = LATENCY_MS.iter().position(|end| took <= *end).unwrap_or(LATENCY_MS.len());
            add(&self.latency[bucket], 1);
            add(&self.latency_sum_ms, took);
        }
    }
}

/// Answers at the address for metrics until the task is aborted.
pub(crate) async fn serve(socket: StdListener, shared: Rc<Shared>, commits: Arc<Commits>) -> io::Result<()> {
    let listener = TcpListener::from_std(socket)?;
    let callers = Rc::new(Cell::new(0_usize));
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // No descriptors, most likely: it may pass.
            tokio::time::sleep(Duration::from_millis(200)).await;
            continue;
        };
        if callers.get() >= CALLERS_MAX {
            continue;
        }
        callers.set(callers.get() + 1);
        let (shared, commits, callers) = (Rc::clone(&shared), Arc::clone(&commits), Rc::clone(&callers));
        tokio::task::spawn_local(async move {
            // Whoever takes too long is hung up on.
            let _ = timeout(WITHIN, answer(stream, &shared, &commits)).await;
            callers.set(callers.get().saturating_sub(1));
        });
    }
}

async fn answer(mut stream: TcpStream, shared: &Shared, commits: &Commits) -> io::Result<()> {
    let (mut request, mut buffer) = (Vec::new(), [0; 1024]);
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        let count = stream.read(&mut buffer).await?;
        if count == 0 || request.len() + count > REQUEST_BYTES_MAX {
            return Ok(());
        }
        request.extend_from_slice(&buffer[..count]);
    }
    let line =
        String::from_utf8_lossy(request.split(|byte| *byte == b'\r').next().unwrap_or(&[])).into_owned();
    let mut words = line.split(' ');
    let (method, path) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    let (status, kind, body) = match (method, path.split('?').next().unwrap_or("")) {
        ("GET" | "HEAD", "/metrics") => {
            ("200 OK", "application/openmetrics-text; version=1.0.0; charset=utf-8", page(shared, commits))
        }
        ("GET" | "HEAD", _) => {
            ("404 Not Found", "text/plain; charset=utf-8", "The figures are at /metrics.\n".to_owned())
        }
        _ => ("405 Method Not Allowed", "text/plain; charset=utf-8", "Only GET is answered.\n".to_owned()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nCache-Control: no-store\r\n\
         X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    if method != "HEAD" {
        stream.write_all(body.as_bytes()).await?;
    }
    stream.shutdown().await
}

/// A page that grows. Writing to a string cannot fail.
struct Page(String);

impl Page {
    fn begin(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# TYPE {name} {kind}\n# HELP {name} {help}");
    }

    fn gauge(&mut self, name: &str, help: &str, value: impl std::fmt::Display) {
        self.begin(name, "gauge", help);
        let _ = writeln!(self.0, "{name} {value}");
    }

    fn counter(&mut self, name: &str, help: &str, value: impl std::fmt::Display) {
        self.begin(name, "counter", help);
        let _ = writeln!(self.0, "{name}_total {value}");
    }

    /// Each value under its label.
    fn labelled<'l>(&mut self, name: &str, label: &str, values: impl Iterator<Item = (&'l str, u64)>) {
        for (which, value) in values {
            let _ = writeln!(self.0, "{name}{{{label}=\"{which}\"}} {value}");
        }
    }

    /// A histogram: the ends of the buckets in seconds, what is in each (the last has no end), and the sum in seconds.
    fn histogram(&mut self, name: &str, help: &str, buckets: &[(f64, u64)], beyond: u64, sum: f64) {
        self.begin(name, "histogram", help);
        let mut below = 0;
        for (end, count) in buckets {
            below += count;
            let _ = writeln!(self.0, "{name}_bucket{{le=\"{end:?}\"}} {below}");
        }
        below += beyond;
        let _ =
            writeln!(self.0, "{name}_bucket{{le=\"+Inf\"}} {below}\n{name}_count {below}\n{name}_sum {sum}");
    }
}

#[allow(clippy::cast_precision_loss, reason = "figures for people's eyes")]
fn seconds(millis: u64) -> f64 {
    millis as f64 / 1_000.0
}

/// Everything that is known now.
fn page(shared: &Shared, commits: &Commits) -> String {
    let metrics = &shared.metrics;
    let mut page = Page(String::with_capacity(8 * 1024));
    page.begin("chinwag_build", "info", "The version that runs.");
    let _ = writeln!(page.0, "chinwag_build_info{{version=\"{}\"}} 1", env!("CARGO_PKG_VERSION"));
    page.gauge(
        "chinwag_start_time_seconds",
        "When it started, since the Unix epoch.",
        seconds(metrics.started_ms.get()),
    );
    people(&mut page, shared);
    refusals(&mut page, shared);
    page.counter("chinwag_messages", "Messages that were kept and delivered.", metrics.messages.get());
    let latency: Vec<(f64, u64)> =
        LATENCY_MS.iter().zip(&metrics.latency).map(|(end, count)| (seconds(*end), count.get())).collect();
    let beyond = metrics.latency[LATENCY_MS.len()].get();
    let sum = seconds(metrics.latency_sum_ms.get());
    let help =
        "From when a message was taken from its author until it was handed to the sockets of its room.";
    page.histogram("chinwag_delivery_seconds", help, &latency, beyond, sum);
    files(&mut page, shared);
    log(&mut page, shared, commits);
    certificates(&mut page, shared);
    process(&mut page);
    page.0.push_str("# EOF\n");
    page.0
}

fn refusals(page: &mut Page, shared: &Shared) {
    let node = shared.node.borrow();
    page.begin("chinwag_refusals", "counter", "What was refused, slowed down or ended, by reason.");
    let asked = node.figures().refused().map(|(why, times)| (why.label(), times));
    page.labelled("chinwag_refusals_total", "reason", shared.metrics.refused().chain(asked));
    let help = "Answers that something was not done, by what was answered.";
    page.begin("chinwag_error_replies", "counter", help);
    page.labelled("chinwag_error_replies_total", "reply", node.figures().error_replies());
    for (status, times) in &*shared.metrics.http.borrow() {
        let _ = writeln!(page.0, "chinwag_error_replies_total{{reply=\"HTTP {status}\"}} {times}");
    }
    drop(node);
    let held = shared.survey();
    page.gauge("chinwag_memory_budget_bytes", "What may be held for callers; 0 for any number.", held.budget);
    page.begin(
        "chinwag_memory_held_bytes",
        "gauge",
        "What is held for callers, as it is counted, by what for.",
    );
    page.labelled("chinwag_memory_held_bytes", "part", held.parts.into_iter());
}

fn people(page: &mut Page, shared: &Shared) {
    let metrics = &shared.metrics;
    let each =
        |counts: &[Cell<u64>; Way::ALL.len()]| Way::ALL.map(|way| (way.name(), counts[way as usize].get()));
    page.begin("chinwag_sessions", "gauge", "Sessions now, by the way they came in.");
    page.labelled("chinwag_sessions", "door", each(&metrics.inside).into_iter());
    page.begin("chinwag_sessions_opened", "counter", "Sessions since the start, by the way they came in.");
    page.labelled("chinwag_sessions_opened_total", "door", each(&metrics.came).into_iter());
    page.gauge(
        "chinwag_connections",
        "Connections, those that have no session yet or none at all among them.",
        shared.connections.get(),
    );
    let node = shared.node.borrow();
    page.gauge("chinwag_users", "People who are present.", node.chat().users().len());
    page.gauge("chinwag_rooms", "Rooms.", node.chat().rooms_alive().len());
    page.gauge("chinwag_accounts", "Accounts.", node.chat().accounts().len());
    let (bytes, sockets) = shared.table.borrow().waiting();
    page.gauge(
        "chinwag_outbox_bytes",
        "Bytes that wait for sessions that do not read as fast as others speak.",
        bytes,
    );
    page.gauge("chinwag_outbox_sessions", "Sessions for which something waits.", sockets);
}

fn files(page: &mut Page, shared: &Shared) {
    let (files, bytes, refused) = shared.files.figures();
    page.gauge("chinwag_files", "Files that people handed in and that are kept.", files);
    page.gauge("chinwag_file_bytes", "Bytes of their contents, each counted once.", bytes);
    page.begin("chinwag_file_refusals", "counter", "Files that were not taken, by reason.");
    page.labelled("chinwag_file_refusals_total", "reason", refused);
}

fn log(page: &mut Page, shared: &Shared, commits: &Commits) {
    let metrics = &shared.metrics;
    let queue = metrics.proposed.get().saturating_sub(metrics.arrived.get());
    page.gauge("chinwag_log_queue_events", "Events on their way to the log and back.", queue);
    page.gauge(
        "chinwag_log_writable",
        "1 where what is said now would be kept.",
        u8::from(shared.keeps.get()),
    );
    page.counter("chinwag_log_events", "Events that were stored.", commits.events());
    let (buckets, beyond) = commits.buckets();
    let help = "What a commit to the disk took.";
    page.histogram("chinwag_log_commit_seconds", help, &buckets, beyond, commits.seconds());
}

fn certificates(page: &mut Page, shared: &Shared) {
    if let Some(end_ms) = shared.doorways.first_end_ms() {
        let left = seconds(end_ms) - seconds(now_ms());
        let help = "Days until the first of the certificates in use ends.";
        page.gauge("chinwag_certificate_days_left", help, format_args!("{:.2}", left / 86_400.0));
    }
    page.counter(
        "chinwag_acme_failures",
        "Orders of certificates that failed since the start.",
        shared.doorways.own.borrow().board.failures(),
    );
}

/// What the system says of the process, where it does.
fn process(page: &mut Page) {
    if let Some(bytes) = resident() {
        page.gauge("process_resident_memory_bytes", "Memory.", bytes);
    }
    if let Some(open) = std::fs::read_dir("/proc/self/fd").ok().map(Iterator::count) {
        page.gauge("process_open_fds", "Open descriptors.", open);
    }
}

fn resident() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib * 1024)
}
