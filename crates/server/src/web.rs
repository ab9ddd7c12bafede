//! HTTP/1.1 for browsers: the files of the web client, health, and the way from there to a WebSocket.
//!
//! What lives here: one connection's protocol, by hyper over the outbox's socket, and which answer goes to which
//! address. What does not: the files themselves (`chinwag_web`), and deadlines, which are the connection's. Callers of
//! other doors have nothing of this.

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::future::{Future, ready};
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready as until};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::{CONNECTION, CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::api::{self, Body};
use crate::doorway::Doorway;
use crate::files;
use crate::greeting::Caller;
use crate::outbox::{End, Socket};
use crate::shared::Shared;
use crate::upgrade::{self, Asked, HEAD_BYTES_MAX, Upgrade};

/// How long the head of a request may take.
pub(crate) const HEAD_TIME: Duration = Duration::from_secs(10);

/// How long nothing may move, neither a request nor an answer, before the connection ends.
pub(crate) const IDLE: Duration = Duration::from_secs(30);

/// Headers of a request, at most.
pub(crate) const HEADERS_MAX: usize = 64;

/// Requests of one connection; then it ends, and a browser opens another.
pub(crate) const REQUESTS_MAX: u32 = 1000;

/// Bytes that are handed to the socket at once.
const WRITE_BYTES: usize = 64 * 1024;

/// A browser's connection.
pub(crate) struct Web {
    http: http1::Connection<TokioIo<Wire>, Answerer>,
    state: Rc<State>,
}

/// What a connection's protocol and its answers share.
struct State {
    shared: Rc<Shared>,
    caller: Caller,
    doorway: Rc<Doorway>,
    /// Something was read or sent since the connection looked.
    moved: Cell<bool>,
    requests: Cell<u32>,
    /// A WebSocket that was granted; the answer is on its way.
    granted: RefCell<Option<Upgrade>>,
}

/// How a browser's connection went on.
pub(crate) enum Went {
    /// It goes on.
    On,
    /// It is over.
    Over,
    /// From now on it is a WebSocket.
    WebSocket(Upgrade),
}

impl Web {
    /// A connection of which `first` has come.
    pub(crate) fn new(
        socket: Rc<Socket>,
        first: Vec<u8>,
        caller: Caller,
        doorway: Rc<Doorway>,
        shared: Rc<Shared>,
    ) -> Web {
        let state = Rc::new(State {
            shared,
            caller,
            doorway,
            moved: Cell::new(false),
            requests: Cell::new(0),
            granted: RefCell::default(),
        });
        let wire = Wire { socket, first, taken: 0, state: Rc::clone(&state) };
        let http = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIME)
            .half_close(true)
            .max_headers(HEADERS_MAX)
            .max_buf_size(2 * HEAD_BYTES_MAX)
            .serve_connection(TokioIo::new(wire), Answerer(Rc::clone(&state)));
        Web { http, state }
    }

    /// Goes on as far as it can now.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Went {
        match Pin::new(&mut self.http).poll_without_shutdown(cx) {
            Poll::Pending => Went::On,
            Poll::Ready(Ok(())) => match self.state.granted.take() {
                Some(upgrade) => Went::WebSocket(upgrade),
                None => Went::Over,
            },
            Poll::Ready(Err(error)) => {
                tracing::debug!(%error, "a browser's connection ended");
                Went::Over
            }
        }
    }

    /// Whether anything moved since this was asked last.
    pub(crate) fn moved(&self) -> bool {
        self.state.moved.take()
    }

    /// Who calls.
    pub(crate) fn caller(&self) -> Caller {
        self.state.caller.clone()
    }

    /// What came behind the request for a WebSocket.
    pub(crate) fn into_early(self) -> Vec<u8> {
        let parts = self.http.into_parts();
        let wire = parts.io.into_inner();
        let mut early = parts.read_buf.to_vec();
        early.extend_from_slice(&wire.first[wire.taken..]);
        early
    }
}

/// The outbox's socket, as hyper reads and writes.
struct Wire {
    socket: Rc<Socket>,
    /// What came before the door was chosen, and how much of it was read.
    first: Vec<u8>,
    taken: usize,
    state: Rc<State>,
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.taken < this.first.len() {
            let rest = &this.first[this.taken..];
            let count = rest.len().min(buffer.remaining());
            buffer.put_slice(&rest[..count]);
            this.taken += count;
            if this.taken == this.first.len() {
                (this.first, this.taken) = (Vec::new(), 0);
            }
            return Poll::Ready(Ok(()));
        }
        let count = until!(this.socket.poll_read(cx, buffer.initialize_unfilled()))?;
        buffer.advance(count);
        this.state.moved.set(true);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        // One portion is under way at a time: that is all that waits for a browser that does not read.
        until!(self.socket.poll_backlog(cx))?;
        let portion = &bytes[..bytes.len().min(WRITE_BYTES)];
        self.socket.write(&[portion], WRITE_BYTES);
        self.state.moved.set(true);
        match self.socket.end() {
            End::Open => Poll::Ready(Ok(portion.len())),
            _ => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.socket.poll_backlog(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Ending well is the connection's task.
        self.poll_flush(cx)
    }
}

/// Chooses answers.
struct Answerer(Rc<State>);

impl Service<Request<Incoming>> for Answerer {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>>>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let traces = &self.0.shared.traces;
        let (method, path) = (request.method(), request.uri().path());
        let Some(traced) = traces.asked(|| (method.to_string(), route(method.as_str(), path))) else {
            return self.choose(request);
        };
        let (state, answer) = (Rc::clone(&self.0), self.choose(request));
        Box::pin(async move {
            let answer = answer.await?;
            state.shared.traces.answered(traced, answer.status().as_u16());
            Ok(answer)
        })
    }
}

impl Answerer {
    /// The answer, now or later.
    fn choose(&self, request: Request<Incoming>) -> <Self as Service<Request<Incoming>>>::Future {
        let state = Rc::clone(&self.0);
        state.requests.set(state.requests.get() + 1);
        let path = request.uri().path();
        let (files, api) = (files::concerns(path), api::concerns(path));
        if files || api {
            let mut caller = state.caller.clone();
            caller.speaks_for(&state.doorway, request.headers());
            if files {
                let answer =
                    files::answer(Rc::clone(&state.shared), caller, Rc::clone(&state.doorway), request);
                return Box::pin(async move { Ok(state.perhaps_last(answer.await)) });
            }
            if path.starts_with("/api/v1/files")
                && request.method() != hyper::Method::GET
                && let Err(problem) = files::own_page(&state.doorway, request.headers())
            {
                return Box::pin(ready(Ok(state.perhaps_last(problem.response()))));
            }
            let answer = api::answer(&state.shared, caller, request);
            return Box::pin(async move { Ok(state.perhaps_last(answer.await)) });
        }
        let answer = state.answer(request);
        Box::pin(ready(Ok(state.perhaps_last(answer))))
    }
}

impl State {
    /// Says that the connection ends with this answer, if it does.
    fn perhaps_last(&self, mut answer: Response<Body>) -> Response<Body> {
        self.shared.metrics.answered(answer.status().as_u16());
        let last = self.requests.get() >= REQUESTS_MAX || self.shared.stopping.get();
        if last && answer.status() != StatusCode::SWITCHING_PROTOCOLS {
            answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        answer
    }

    fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        if upgrade::wanted(request.headers()) {
            return self.upgrade(&request.map(|_| ()));
        }
        let text = |name: &str| header(request.headers(), name);
        let method = request.method().as_str();
        if method == "GET"
            && let Some(answer) = self.doorway.board.answer(request.uri().path())
        {
            let mut response = response(chinwag_web::words(200, b""));
            response.headers_mut().remove(CONTENT_LENGTH);
            *response.body_mut() = Body::whole(answer);
            return response;
        }
        match (method, request.uri().path()) {
            ("GET" | "HEAD", "/healthz") => response(chinwag_web::words(200, b"ok\n")),
            ("GET" | "HEAD", "/readyz") => response(self.ready()),
            ("GET" | "HEAD", "/about.json") => self.about(),
            (method, path) => {
                let asked = chinwag_web::Asked {
                    method,
                    path,
                    encodings: text("accept-encoding"),
                    known: text("if-none-match"),
                };
                response(chinwag_web::answer(asked))
            }
        }
    }

    /// Whether what is said now would be kept.
    fn ready(&self) -> chinwag_web::Answer {
        match (self.shared.stopping.get(), self.shared.keeps.get()) {
            (false, true) => chinwag_web::words(200, b"ready\n"),
            (true, _) => chinwag_web::words(503, b"the server is shutting down\n"),
            (false, false) => chinwag_web::words(503, b"the log keeps nothing at the moment\n"),
        }
    }

    /// What the first screen shows before anybody has a name.
    fn about(&self) -> Response<Body> {
        let about = self.shared.about.borrow().clone();
        let mut answer = chinwag_web::words(200, b"");
        for (name, value) in &mut answer.headers {
            if *name == "content-type" {
                "application/json".clone_into(value);
            }
        }
        let mut response = response(answer);
        *response.body_mut() = Body::whole(about);
        response
    }

    /// A WebSocket asked for on a connection that has been answered before.
    fn upgrade(&self, request: &Request<()>) -> Response<Body> {
        match upgrade::grant(request, &self.doorway, self.caller.ip) {
            Asked::Upgrade(upgrade) => {
                let mut response = Response::new(Body::default());
                *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
                *response.headers_mut() = upgrade.headers.clone();
                *self.granted.borrow_mut() = Some(upgrade);
                response
            }
            Asked::Refused { status, sentence } => {
                let mut response = response(chinwag_web::words(status, b""));
                *response.body_mut() = Body::whole(format!("{sentence}\n"));
                response
            }
            Asked::More | Asked::Page => response(chinwag_web::words(400, b"This makes no sense here.\n")),
        }
    }
}

/// What a path leads to, without what callers wrote into it: links and hooks are secrets.
fn route(method: &str, path: &str) -> Option<&'static str> {
    if files::concerns(path) {
        return Some("/files/{link}");
    }
    if api::concerns(path) {
        return api::route(method, path);
    }
    ["/", "/healthz", "/readyz", "/about.json"].into_iter().find(|known| *known == path)
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
}

fn response(answer: chinwag_web::Answer) -> Response<Body> {
    let mut response = Response::new(Body::whole(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in answer.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    if answer.status == 304 {
        response.headers_mut().remove(CONTENT_LENGTH);
    }
    response
}
