//! The HTTP API: what programs read and say by HTTP, and the documents about it.
//!
//! What lives here: the [table](table) of everything that can be asked, and its handlers. What does not: who may read and
//! say what (`chinwag_core::programs`), and HTTP itself ([`web`](crate::web)). A message that comes in goes through the
//! node to the log as any other, and is answered with 201 when it came back from there; history, search and streams are
//! read from the archive, where everybody else reads.

mod accounts;
mod ask;
mod body;
mod files;
mod hooks;
pub(crate) mod limits;
mod messages;
mod openapi;
mod page;
mod problem;
mod rooms;
mod schemas;
pub(crate) mod stream;
pub(crate) mod table;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

use chinwag_core::pointed::{Answer, Question};
use chinwag_core::programs::Saying;
use chinwag_core::settings::Rate;
use chinwag_core::work::{Job, Outcome};
use chinwag_node::{Errand, HistoryRead, Work};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use hyper::{Request, Response, StatusCode};
use tokio::sync::{Notify, oneshot};
use tokio::time::timeout;

pub(crate) use self::ask::Asker;
pub(crate) use self::body::{Body, Pieces};
pub(crate) use self::messages::shown as message;
pub(crate) use self::problem::Problem;

use self::ask::Ask;
use self::limits::{Buckets, Key, Keys};
use self::table::Carried;
use crate::clock::now_ms;
use crate::config::ApiFor;
use crate::files::offers;
use crate::greeting::Caller;
use crate::shared::Shared;

/// Reads of programs have numbers from here on, those of sessions are below.
const FIRST_READ: u64 = 1 << 63;

/// Reads of programs under way at once.
pub(crate) const READS_MAX: usize = 64;

/// How long an answer may take, and a request to come whole.
const PATIENCE: Duration = Duration::from_secs(10);

/// How much each program may ask.
pub(crate) const REQUESTS: Rate = Rate { per_second: 20, burst: 100 };

/// What programs have under way, all on the chat's thread.
#[derive(Default)]
pub(crate) struct Programs {
    next_read: Cell<u64>,
    asked: RefCell<Vec<HistoryRead>>,
    reads: RefCell<BTreeMap<u64, oneshot::Sender<Result<Answer, String>>>>,
    jobs: RefCell<Vec<Work>>,
    proofs: RefCell<BTreeMap<u64, oneshot::Sender<Outcome>>>,
    errands: RefCell<BTreeMap<u64, Under>>,
    keys: RefCell<Keys>,
    buckets: RefCell<Buckets>,
    /// Streams by whom they are counted.
    streams: RefCell<BTreeMap<String, usize>>,
    /// Something was said, somewhere; or the server is about to end.
    pub(crate) moved: Notify,
}

/// An errand under way.
struct Under {
    answer: oneshot::Sender<Errand>,
    key: Option<Key>,
}

impl Programs {
    /// Whether an answer of the archive is for a program.
    pub(crate) fn is_theirs(read: u64) -> bool {
        read >= FIRST_READ
    }

    /// Questions for the archive since this was asked last.
    pub(crate) fn take_reads(&self) -> Vec<HistoryRead> {
        self.asked.take()
    }

    /// Work for other threads since this was asked last.
    pub(crate) fn take_work(&self) -> Vec<Work> {
        self.jobs.take()
    }

    /// What came of some work.
    pub(crate) fn worked(&self, id: u64, outcome: Outcome) {
        if let Some(asker) = self.proofs.borrow_mut().remove(&id) {
            // Whoever asked may be gone.
            let _ = asker.send(outcome);
        }
    }

    /// Counts something that somebody does.
    ///
    /// # Errors
    /// The seconds to wait, when it was too much.
    pub(crate) fn count(&self, what: &str, rate: Rate) -> Result<(), u64> {
        self.buckets.borrow_mut().take(what, rate, now_ms())
    }

    /// The archive has answered.
    pub(crate) fn answered(&self, id: u64, answer: Result<Answer, String>) {
        if let Some(asker) = self.reads.borrow_mut().remove(&id) {
            // Whoever asked may be gone.
            let _ = asker.send(answer);
        }
    }

    /// What became of an errand.
    pub(crate) fn done(&self, id: u64, errand: Errand) {
        let Some(Under { answer, key }) = self.errands.borrow_mut().remove(&id) else { return };
        if let Some(key) = key {
            self.keys.borrow_mut().settle(&key, &errand);
        }
        let _ = answer.send(errand);
    }
}

impl Shared {
    /// Asks the archive something.
    pub(crate) async fn look_up(&self, question: Question) -> Result<Answer, Problem> {
        let programs = &self.programs;
        // Whoever hung up waits for nothing any more.
        programs.reads.borrow_mut().retain(|_, asker| !asker.is_closed());
        if programs.reads.borrow().len() >= READS_MAX {
            return Err(Problem::not_now(1, "Too much is being read at the moment: try again."));
        }
        let id = FIRST_READ + programs.next_read.replace(programs.next_read.get() + 1);
        let (asker, answer) = oneshot::channel();
        programs.reads.borrow_mut().insert(id, asker);
        programs.asked.borrow_mut().push(HistoryRead { id, question });
        self.hub.ring();
        match timeout(PATIENCE, answer).await {
            Ok(Ok(Ok(answer))) => Ok(answer),
            Ok(Ok(Err(reason))) => {
                tracing::warn!(%reason, "a program's question was not answered");
                Err(Problem::not_now(5, "This cannot be read at the moment."))
            }
            _ => Err(Problem::not_now(5, "Reading takes too long at the moment.")),
        }
    }

    /// Has work done that takes long, for somebody of an address block.
    pub(crate) async fn prove(&self, block: u64, job: Job) -> Result<Outcome, Problem> {
        let programs = &self.programs;
        programs.proofs.borrow_mut().retain(|_, asker| !asker.is_closed());
        let busy = || Problem::not_now(5, "Too many passwords are being looked at: try again.");
        if programs.proofs.borrow().len() >= READS_MAX {
            return Err(busy());
        }
        let id = FIRST_READ + programs.next_read.replace(programs.next_read.get() + 1);
        let (asker, outcome) = oneshot::channel();
        programs.proofs.borrow_mut().insert(id, asker);
        programs.jobs.borrow_mut().push(Work { id, block, job });
        self.hub.ring();
        match timeout(PATIENCE, outcome).await {
            Ok(Ok(outcome)) if outcome != Outcome::Busy => Ok(outcome),
            _ => Err(busy()),
        }
    }

    /// Says something, and waits until it is kept.
    pub(crate) async fn say(&self, saying: Saying, key: Option<Key>) -> Result<Errand, Problem> {
        let begun = self.node.borrow_mut().say(saying, now_ms());
        let Some(id) = begun else {
            if let Some(key) = &key {
                self.programs.keys.borrow_mut().forget(key);
            }
            return Err(Problem::not_now(1, "Too much is being said at the moment: try again."));
        };
        let (answer, done) = oneshot::channel();
        self.programs.errands.borrow_mut().insert(id, Under { answer, key });
        self.hub.ring();
        match timeout(PATIENCE, done).await {
            Ok(Ok(Errand::Refused(why))) => Err(why.into()),
            Ok(Ok(Errand::Unavailable(reason))) => {
                Err(Problem::not_now(10, format!("The server keeps nothing at the moment: {reason}.")))
            }
            Ok(Ok(kept)) => Ok(kept),
            _ => {
                let detail =
                    "It is not known yet whether this is kept. Ask again with the same Idempotency-Key.";
                Err(Problem::not_now(5, detail))
            }
        }
    }

    /// Counts something that a program says: it may say as much as a session.
    pub(crate) fn count_saying(&self, counted: &str, exempt: bool) -> Result<(), Problem> {
        let rate = self.node.borrow().settings().command_rate.filter(|_| !exempt);
        let Some(rate) = rate else { return Ok(()) };
        let taken = self.programs.buckets.borrow_mut().take(&format!("say {counted}"), rate, now_ms());
        taken.map_err(|seconds| Problem::too_fast(seconds, "You say too much at once."))
    }
}

/// Where what others tell comes in.
const HOOKS: &str = "/hook/";

/// Whether a path is the API's.
pub(crate) fn concerns(path: &str) -> bool {
    path == "/api" || path.starts_with("/api/") || path.starts_with(HOOKS)
}

/// The route of a path, as the API's document has it.
pub(crate) fn route(method: &str, path: &str) -> Option<&'static str> {
    table::find(method, path).ok().map(|matched| matched.route.path)
}

/// Answers a request.
pub(crate) fn answer(
    shared: &Rc<Shared>,
    caller: Caller,
    request: Request<Incoming>,
) -> impl Future<Output = Response<Body>> + 'static {
    let shared = Rc::clone(shared);
    async move {
        let mut response = match handle(&shared, &caller, request).await {
            Ok(response) => response,
            Err(problem) => problem.response(),
        };
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
        headers.insert("referrer-policy", HeaderValue::from_static("no-referrer"));
        headers
            .entry("content-security-policy")
            .or_insert(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
        response
    }
}

async fn handle(
    shared: &Rc<Shared>,
    caller: &Caller,
    request: Request<Incoming>,
) -> Result<Response<Body>, Problem> {
    let open_to = shared.api_for.get();
    // A hook is open because who keeps its room has made it; it is its own proof.
    let hook = request.uri().path().starts_with(HOOKS);
    if open_to == ApiFor::Nobody && !hook {
        return Err(Problem::missing("This server has no HTTP API ([web] api)."));
    }
    let (head, body) = request.into_parts();
    let streamed = table::streamed(head.uri.path());
    if head.method == hyper::Method::OPTIONS && streamed && table::find("POST", head.uri.path()).is_ok() {
        return Ok(offers(&shared.files.rules().types, "GET, HEAD, OPTIONS, POST"));
    }
    let matched =
        table::find(head.method.as_str(), head.uri.path()).map_err(|methods| match &methods[..] {
            [] => Problem::missing("There is nothing here; /api shows what there is."),
            methods => {
                let detail = format!("This can only be asked with {}.", methods.join(", "));
                Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail).with(ALLOW, &methods.join(", "))
            }
        })?;
    let asker = match hook {
        true => Asker::nobody(shared, caller),
        false if streamed => Asker::by_any_proof(shared, caller, &head.headers).await?,
        false => Asker::of(shared, caller, &head.headers)?,
    };
    if !asker.exempt {
        let taken = shared.programs.buckets.borrow_mut().take(&asker.counted, REQUESTS, now_ms());
        taken.map_err(|seconds| Problem::too_fast(seconds, "You ask too much at once."))?;
    }
    if let Some(problem) = asker.banned(shared) {
        return Err(problem);
    }
    asker.may(shared.node.borrow().settings(), open_to == ApiFor::Guests, matched.route)?;
    if head.method == "HEAD" && matched.route.answer.media == "text/event-stream" {
        let detail = "Streams are read with GET.";
        return Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail).with(ALLOW, "GET"));
    }
    let query = head.uri.query().unwrap_or("");
    let mut ask = Ask::new(shared, asker, &matched, query, &head.headers)?;
    ask.base = shared.files.base(caller, &head.headers);
    if streamed && head.method == hyper::Method::POST {
        let media = head.headers.get(CONTENT_TYPE).and_then(|media| media.to_str().ok());
        (ask.media, ask.body) = (media.unwrap_or("").to_owned(), Some(body));
    } else if let Some(carries) = &matched.route.carries {
        (ask.media, ask.carried) = carried(&head.headers, body, carries).await?;
    }
    (matched.route.run)(ask).await
}

/// What a request carries, whole.
async fn carried(
    headers: &HeaderMap,
    body: Incoming,
    carries: &Carried,
) -> Result<(String, Vec<u8>), Problem> {
    let media = headers.get(CONTENT_TYPE).and_then(|media| media.to_str().ok()).unwrap_or("");
    let media = media.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    if !carries.types.contains(&&*media) {
        let detail = format!("Send {}.", carries.types.join(" or "));
        let accept = HeaderName::from_static("accept-post");
        let problem = Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail);
        return Err(problem.with(accept, &carries.types.join(", ")));
    }
    let whole = timeout(PATIENCE, Limited::new(body, carries.bytes_max).collect()).await;
    match whole {
        Err(_) => Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "The request did not come whole in time.")),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            let detail = format!("At most {} bytes are taken.", carries.bytes_max);
            Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail))
        }
        Ok(Err(_)) => Err(Problem::bad("The request did not come whole.")),
        Ok(Ok(whole)) => Ok((media, whole.to_bytes().to_vec())),
    }
}
