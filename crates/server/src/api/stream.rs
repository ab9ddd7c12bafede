//! What is said in a room, as it is said: server-sent events.
//!
//! A stream is a position and nothing else: whenever something was said, the archive is read from there. So there is no
//! queue that a slow reader could fill, nothing is ever left out, and coming back after a cut is the same as going on.
//!
//! Specification: <https://html.spec.whatwg.org/multipage/server-sent-events.html>

use std::fmt::Write;
use std::rc::Rc;
use std::time::Duration;

use chinwag_core::history::Query;
use chinwag_core::ids::{Number, RoomId};
use chinwag_core::programs::Numbers;
use hyper::Response;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use tokio::time::timeout;

use super::ask::Ask;
use super::body::{Body, Pieces};
use super::messages::{page, shown};
use super::problem::Problem;
use super::rooms::room;
use crate::shared::Shared;

/// Messages that are read at once.
const PAGE: u32 = 50;

/// Streams at once, all together and of one program.
pub(crate) const STREAMS_MAX: usize = 512;
pub(crate) const STREAMS_OF_ONE_MAX: usize = 16;

/// While nothing is said, a comment goes out this often, so that both sides know that the other is there.
const SIGN_OF_LIFE: Duration = Duration::from_secs(10);

/// A stream, counted until it is dropped.
struct Counted {
    shared: Rc<Shared>,
    by: String,
}

impl Counted {
    fn new(ask: &Ask) -> Result<Counted, Problem> {
        let mut streams = ask.shared.programs.streams.borrow_mut();
        let all: usize = streams.values().sum();
        let by = ask.asker.counted.clone();
        let own = streams.get(&by).copied().unwrap_or_default();
        if all >= STREAMS_MAX || own >= STREAMS_OF_ONE_MAX {
            return Err(Problem::too_fast(30, "Too many streams are open: close one of them."));
        }
        streams.insert(by.clone(), own + 1);
        Ok(Counted { shared: Rc::clone(&ask.shared), by })
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut streams = self.shared.programs.streams.borrow_mut();
        if let Some(count) = streams.get_mut(&self.by) {
            *count -= 1;
            if *count == 0 {
                streams.remove(&self.by);
            }
        }
    }
}

/// A stream.
struct Stream {
    ask: Ask,
    room: RoomId,
    /// The number of the last message that was sent.
    sent: Number,
    /// Nothing was sent yet.
    fresh: bool,
    /// It has said its last words.
    over: bool,
    _counted: Counted,
}

/// `GET /rooms/{room}/stream`
pub(super) async fn stream(ask: Ask) -> Result<Response<Body>, Problem> {
    let (room, head) = {
        let node = ask.shared.node.borrow();
        let found = room(&ask, node.chat(), node.settings())?;
        (found.id, found.head)
    };
    let from = ask.number("Last-Event-ID").or(ask.number("after"));
    // Whoever names a number that there is not yet begins with what comes next.
    let sent = from.map_or(head, |from| Number(from).min(head));
    let counted = Counted::new(&ask)?;
    let stream = Stream { ask, room, sent, fresh: true, over: false, _counted: counted };
    let mut response = Response::new(Body::pieces(stream));
    let media = HeaderValue::from_static("text/event-stream; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, media);
    // Web servers in front are not to gather what is to arrive now.
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

/// What a stream does next.
enum Then {
    /// Something was said.
    Read(Query),
    /// Nothing was.
    Wait,
    /// It may not go on; why.
    End(&'static str),
}

impl Stream {
    fn then(&self) -> Then {
        let shared = &self.ask.shared;
        if shared.stopping.get() {
            return Then::End("the server is shutting down");
        }
        if !self.ask.asker.holds(shared) {
            return Then::End("you may not read here any more");
        }
        let node = shared.node.borrow();
        let (chat, settings) = (node.chat(), node.settings());
        let may = |room: &&chinwag_core::chat::Room| {
            settings.history
                && settings.history_channels
                && chat.lets_read(settings, &self.ask.asker.program, room)
        };
        match chat.room(self.room).filter(may) {
            None => Then::End("the room is not open to you any more"),
            Some(room) if room.head > self.sent => {
                Then::Read(chat.page_for(room, Numbers::After(self.sent), PAGE))
            }
            Some(_) => Then::Wait,
        }
    }

    /// What a page is as events. Messages that are not shown (any more) are passed over.
    async fn read(&mut self, query: Query) -> Result<String, Problem> {
        let (name, last) = (query.name.clone(), query.last);
        let page = page(&self.ask, query).await?;
        let node = self.ask.shared.node.borrow();
        let mut events = String::new();
        for row in &page.rows {
            let message = shown(node.chat(), &name, row);
            // Writing to a string cannot fail.
            let _ = write!(events, "id: {}\nevent: message\ndata: {message}\n\n", row.number.0);
        }
        self.sent = match page.rows.last() {
            Some(row) if !page.end => row.number,
            _ => last,
        };
        Ok(events)
    }
}

impl Pieces for Stream {
    async fn next(self) -> Option<(Bytes, Stream)> {
        let mut stream = self;
        let shared = Rc::clone(&stream.ask.shared);
        if stream.over {
            return None;
        }
        if std::mem::take(&mut stream.fresh) {
            return Some((Bytes::from_static(b"retry: 2000\n\n"), stream));
        }
        loop {
            // Asked to be told before looking, so that nothing is missed between.
            let moved = shared.programs.moved.notified();
            tokio::pin!(moved);
            moved.as_mut().enable();
            match stream.then() {
                Then::Read(query) => {
                    let events = stream.read(query).await.ok()?;
                    if !events.is_empty() {
                        return Some((events.into(), stream));
                    }
                }
                Then::End(why) => {
                    stream.over = true;
                    let reason = serde_json::json!({ "reason": why });
                    return Some((format!("event: end\ndata: {reason}\n\n").into(), stream));
                }
                Then::Wait => {
                    if timeout(SIGN_OF_LIFE, moved).await.is_err() {
                        return Some((Bytes::from_static(b": still here\n\n"), stream));
                    }
                }
            }
        }
    }
}
