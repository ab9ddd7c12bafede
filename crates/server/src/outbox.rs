//! Bytes on their way to one caller: straight to the socket, and a bounded backlog only while it is full.

use std::cell::{Cell, RefCell};
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::net::Shutdown;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::framed::{Framed, cut};
use crate::layers::Layers;
use crate::memory::Waiting;
use crate::throttle::Ticket;
use crate::websocket::Goodbye;

/// Parts of one write that are handed to the kernel in one call.
const PARTS_MAX: usize = 16;

/// Bytes that are read from a socket with layers at once.
const RAW_BYTES: usize = 16 * 1024;

/// Reads from a socket with layers in a row that bring the door nothing; then others have their turn.
const RAW_READS_MAX: usize = 8;

/// How a connection is about to end, as far as the outbox knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It is not.
    Open,
    /// The node closed the session: send what is left, then close.
    Closed,
    /// More waits for it than may wait.
    Overflow,
    /// There was no memory for what waited for it.
    Memory,
    /// The socket failed; nothing more can be sent.
    Broken,
}

/// One caller's socket. Shared by its connection task, which reads and sends the backlog, and by the hub, which
/// sends everything else. Both are on one thread.
pub(crate) struct Socket {
    stream: RefCell<TcpStream>,
    backlog: RefCell<Backlog>,
    /// TLS and WebSocket, where they are spoken.
    layers: RefCell<Option<Box<Layers>>>,
    task: RefCell<Option<Waker>>,
    end: Cell<End>,
    resume: Cell<bool>,
    /// It is the end of a pipe to the ssh door.
    pub(crate) by_ssh: Cell<bool>,
    /// By which what waits is counted.
    counted: Waiting,
    /// By which it is counted in its address block.
    ticket: RefCell<Option<Rc<Ticket>>>,
}

/// What the socket did not take yet.
#[derive(Default)]
struct Backlog {
    bytes: Vec<u8>,
    sent: usize,
}

impl Backlog {
    fn waiting(&self) -> usize {
        self.bytes.len() - self.sent
    }

    fn push(&mut self, bytes: &[u8]) {
        // Moving what is left to the front costs less than it freed, because at least half goes.
        if self.sent > self.bytes.len() / 2 {
            self.bytes.drain(..self.sent);
            self.sent = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    fn advance(&mut self, count: usize) {
        self.sent += count;
        if self.sent >= self.bytes.len() {
            // An idle connection owns no queue: the memory goes back.
            *self = Backlog::default();
        }
    }
}

impl Socket {
    /// A socket; what waits for it is counted in `waiting`, too.
    pub(crate) fn new(stream: TcpStream, waiting: &Rc<Cell<usize>>) -> Socket {
        Socket {
            stream: RefCell::new(stream),
            backlog: RefCell::default(),
            layers: RefCell::default(),
            task: RefCell::default(),
            end: Cell::new(End::Open),
            resume: Cell::new(false),
            by_ssh: Cell::new(false),
            counted: Waiting::new(waiting),
            ticket: RefCell::default(),
        }
    }

    /// Counts it in its address block.
    pub(crate) fn counts(&self, ticket: Option<Ticket>) {
        *self.ticket.borrow_mut() = ticket.map(Rc::new);
    }

    /// Whether it is counted in its address block.
    pub(crate) fn is_counted(&self) -> bool {
        self.ticket.borrow().is_some()
    }

    /// By what it is counted: for whoever goes on with the connection.
    pub(crate) fn ticket(&self) -> Option<Rc<Ticket>> {
        self.ticket.borrow().clone()
    }

    /// It has said who it is.
    pub(crate) fn known(&self) {
        if let Some(ticket) = &*self.ticket.borrow() {
            ticket.known();
        }
    }

    /// The connection itself. Before anything is written to it.
    pub(crate) fn into_stream(self) -> TcpStream {
        self.stream.into_inner()
    }

    /// Bytes that the socket did not take yet.
    pub(crate) fn waiting(&self) -> usize {
        self.backlog.borrow().waiting()
    }

    /// The address by which the caller reached the server, as far as this socket knows it.
    pub(crate) fn here(&self) -> Option<String> {
        let address = self.stream.borrow().local_addr().ok()?;
        let tls = self.layers.borrow().as_ref().is_some_and(|layers| layers.is_tls());
        let (scheme, ip) = (if tls { "https" } else { "http" }, address.ip().to_canonical());
        Some(format!("{scheme}://{}", std::net::SocketAddr::new(ip, address.port())))
    }

    /// Whether a WebSocket is spoken.
    pub(crate) fn is_websocket(&self) -> bool {
        self.layers.borrow().as_ref().is_some_and(|layers| layers.is_websocket())
    }

    pub(crate) fn end(&self) -> End {
        self.end.get()
    }

    /// Sends, or keeps for later what the socket does not take. When more than `bytes_max` would wait, nothing of
    /// this is kept and the connection is to end.
    pub(crate) fn write(&self, parts: &[&[u8]], bytes_max: usize) {
        self.write_as_others(parts, bytes_max, &RefCell::default());
    }

    /// The same of what others are sent as well: what is framed for one of them need not be framed again.
    pub(crate) fn write_as_others(&self, parts: &[&[u8]], bytes_max: usize, framed: &RefCell<Framed>) {
        self.write_now(parts, bytes_max, framed);
        self.count();
    }

    fn count(&self) {
        self.counted.set(self.backlog.borrow().bytes.capacity());
    }

    fn write_now(&self, parts: &[&[u8]], bytes_max: usize, framed: &RefCell<Framed>) {
        if self.end.get() != End::Open {
            return;
        }
        let mut backlog = self.backlog.borrow_mut();
        if let Some(layers) = &mut *self.layers.borrow_mut() {
            return self.write_through(layers, &mut backlog, parts, bytes_max, framed);
        }
        let mut sent = 0;
        if backlog.waiting() == 0 {
            match send(&self.stream.borrow(), parts) {
                Ok(count) => sent = count,
                Err(_) => return self.finish(End::Broken),
            }
        }
        let total: usize = parts.iter().map(|part| part.len()).sum();
        if sent == total {
            return;
        }
        if backlog.waiting() + (total - sent) > bytes_max {
            // The line that was begun has to be ended, or the reason would become part of it.
            if sent > 0 {
                push_from(&mut backlog, parts, sent, true);
            }
            return self.finish(End::Overflow);
        }
        let was_empty = backlog.waiting() == 0;
        push_from(&mut backlog, parts, sent, false);
        if was_empty {
            self.wake();
        }
    }

    /// The same through layers.
    fn write_through(
        &self,
        layers: &mut Layers,
        backlog: &mut Backlog,
        parts: &[&[u8]],
        bytes_max: usize,
        framed: &RefCell<Framed>,
    ) {
        let idle = backlog.waiting() == 0 && !layers.sending();
        if idle
            && let Some(binary) = layers.frames_alone()
            && let Some(frames) = framed.borrow_mut().of(parts, binary)
        {
            let total: usize = frames.iter().map(|part| part.len()).sum();
            let sent = match send(&self.stream.borrow(), &frames) {
                Ok(sent) if sent == total => return,
                Ok(sent) => sent,
                Err(_) => return self.finish(End::Broken),
            };
            let (rest, mut whole) = cut(&frames, sent);
            layers.begun(rest);
            for line in parts.iter().flat_map(|part| part.split_inclusive(|byte| *byte == b'\n')) {
                if whole == 0 {
                    backlog.push(line);
                }
                whole = whole.saturating_sub(1);
            }
            if backlog.waiting() > bytes_max {
                return self.finish(End::Overflow);
            }
            return self.wake();
        }
        parts.iter().for_each(|part| backlog.push(part));
        let stream = self.stream.borrow();
        let mut write = |wire: &[u8]| match send(&stream, &[wire]) {
            Ok(0) => Poll::Pending,
            sent => Poll::Ready(sent),
        };
        match pump(layers, backlog, &mut write) {
            Poll::Ready(Err(_)) => self.finish(End::Broken),
            // What is too much goes with the backlog when the last words take its place.
            Poll::Pending if backlog.waiting() > bytes_max => self.finish(End::Overflow),
            Poll::Pending if idle => self.wake(),
            _ => {}
        }
    }

    /// Puts layers between the socket and the door.
    pub(crate) fn layer<T>(&self, change: impl FnOnce(&mut Layers) -> T) -> T {
        change(self.layers.borrow_mut().get_or_insert_default())
    }

    /// Asks the layers; plain connections have none.
    pub(crate) fn layers<T>(&self, ask: impl FnOnce(&Layers) -> T) -> Option<T> {
        self.layers.borrow().as_deref().map(ask)
    }

    /// Once all that waits is sent, the other side is told that nothing more comes, where the layers have words
    /// for it.
    pub(crate) fn say_goodbye(&self, why: Goodbye) {
        if let Some(layers) = &mut *self.layers.borrow_mut() {
            layers.say_goodbye(why);
        }
    }

    /// The node closed the session: what waits is still sent, then the connection ends.
    pub(crate) fn close(&self) {
        if self.end.get() == End::Open {
            self.finish(End::Closed);
        }
    }

    fn finish(&self, end: End) {
        self.end.set(end);
        self.wake();
    }

    /// What the session asked for can go on: the task is to resume it.
    pub(crate) fn resume(&self) {
        self.resume.set(true);
        self.wake();
    }

    /// Whether `resume` was called since the last time this was asked.
    pub(crate) fn take_resume(&self) -> bool {
        self.resume.take()
    }

    fn wake(&self) {
        if let Some(task) = &*self.task.borrow() {
            task.wake_by_ref();
        }
    }

    /// Remembers which task is to be woken.
    pub(crate) fn belongs_to(&self, cx: &Context<'_>) {
        let mut task = self.task.borrow_mut();
        if !task.as_ref().is_some_and(|known| known.will_wake(cx.waker())) {
            *task = Some(cx.waker().clone());
        }
    }

    /// Replaces the backlog by the rest of the line that was begun and these last words, and lets it be sent.
    pub(crate) fn last_words(&self, words: &[u8]) {
        let mut backlog = self.backlog.borrow_mut();
        let waiting = &backlog.bytes[backlog.sent..];
        let line = waiting.iter().position(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let mut bytes = waiting[..line].to_vec();
        bytes.extend_from_slice(words);
        *backlog = Backlog { bytes, sent: 0 };
        drop(backlog);
        self.count();
    }

    /// There is no memory for what waits for it: all but the line that was begun is forgotten, and it is to end. Gives
    /// how many bytes that freed.
    pub(crate) fn give_way(&self) -> usize {
        let before = self.waiting();
        self.last_words(b"");
        self.finish(End::Memory);
        before - self.waiting()
    }

    /// Bytes that its layers hold.
    pub(crate) fn held(&self) -> usize {
        self.layers.borrow().as_ref().map_or(0, |layers| layers.held())
    }

    /// Sends the backlog as far as the socket takes it. Ready when nothing is left or the socket failed.
    pub(crate) fn poll_backlog(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let sent = self.poll_sent(cx);
        self.count();
        sent
    }

    fn poll_sent(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut backlog = self.backlog.borrow_mut();
        if let Some(layers) = &mut *self.layers.borrow_mut() {
            let mut stream = self.stream.borrow_mut();
            let mut write = |wire: &[u8]| Pin::new(&mut *stream).poll_write(cx, wire);
            return pump(layers, &mut backlog, &mut write);
        }
        while backlog.waiting() > 0 {
            let mut stream = self.stream.borrow_mut();
            let waiting = &backlog.bytes[backlog.sent..];
            match Pin::new(&mut *stream).poll_write(cx, waiting) {
                Poll::Ready(Ok(count)) => backlog.advance(count),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Reads into `buffer`; ready with 0 at the end.
    pub(crate) fn poll_read(&self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut stream = self.stream.borrow_mut();
        if let Some(layers) = &mut *self.layers.borrow_mut() {
            return read_through(layers, &mut stream, cx, buffer);
        }
        let mut buffer = ReadBuf::new(buffer);
        Pin::new(&mut *stream).poll_read(cx, &mut buffer).map_ok(|()| buffer.filled().len())
    }

    /// What the kernel still holds for the other side is thrown away with the socket. Otherwise it would keep the
    /// whole send buffer of somebody who does not read, for minutes after we have forgotten them.
    pub(crate) fn give_up(&self) {
        if let Err(error) = SockRef::from(&*self.stream.borrow()).set_linger(Some(Duration::ZERO)) {
            tracing::debug!(%error, "a socket cannot be reset");
        }
    }

    /// Tells the other side that nothing more comes.
    pub(crate) fn shut(&self) -> io::Result<()> {
        SockRef::from(&*self.stream.borrow()).shutdown(Shutdown::Write)
    }
}

/// Sends what is on the wire and puts what waits on it, until the socket takes no more. Ready when nothing is left.
fn pump(
    layers: &mut Layers,
    backlog: &mut Backlog,
    write: &mut dyn FnMut(&[u8]) -> Poll<io::Result<usize>>,
) -> Poll<io::Result<()>> {
    loop {
        ready!(layers.send(write))?;
        match layers.refill(&backlog.bytes[backlog.sent..])? {
            Some(count) => backlog.advance(count),
            None => return Poll::Ready(Ok(())),
        }
    }
}

/// Reads until there is something for the door; ready with 0 at the end.
fn read_through(
    layers: &mut Layers,
    stream: &mut TcpStream,
    cx: &mut Context<'_>,
    buffer: &mut [u8],
) -> Poll<io::Result<usize>> {
    for _ in 0..RAW_READS_MAX {
        if let Some(count) = layers.take(buffer) {
            return Poll::Ready(Ok(count));
        }
        // What the layers themselves have to say leaves before anything is waited for.
        let sent = layers.send(&mut |wire| Pin::new(&mut *stream).poll_write(cx, wire))?;
        if sent.is_pending() && layers.choked() {
            return Poll::Pending;
        }
        let mut raw = [MaybeUninit::uninit(); RAW_BYTES];
        let mut raw = ReadBuf::uninit(&mut raw);
        ready!(Pin::new(&mut *stream).poll_read(cx, &mut raw))?;
        let fed = match raw.filled() {
            [] => {
                layers.end();
                Ok(())
            }
            raw => layers.feed(raw),
        };
        // What the layers themselves have to answer leaves at once, an alert before the end too.
        if let Poll::Ready(Err(error)) = layers.send(&mut |wire| Pin::new(&mut *stream).poll_write(cx, wire))
        {
            return Poll::Ready(Err(error));
        }
        fed?;
    }
    cx.waker().wake_by_ref();
    Poll::Pending
}

/// Appends the parts without their first `skip` bytes; with `first_line`, only up to the first line end.
fn push_from(backlog: &mut Backlog, parts: &[&[u8]], mut skip: usize, first_line: bool) {
    for part in parts {
        let from = skip.min(part.len());
        skip -= from;
        let rest = &part[from..];
        let line_end = rest.iter().position(|byte| *byte == b'\n').filter(|_| first_line);
        backlog.push(&rest[..line_end.map_or(rest.len(), |at| at + 1)]);
        if line_end.is_some() {
            return;
        }
    }
}

/// Sends as much as the socket takes at once, without waiting; 0 when it is full.
fn send(stream: &TcpStream, parts: &[&[u8]]) -> io::Result<usize> {
    let socket = SockRef::from(stream);
    // Nearly all that is sent is one part.
    if let [one] = parts {
        return match socket.send_with_flags(one, NO_SIGNAL) {
            Err(error) if is_for_later(&error) => Ok(0),
            sent => sent,
        };
    }
    let mut total = 0;
    for parts in parts.chunks(PARTS_MAX) {
        let mut slices = [IoSlice::new(&[]); PARTS_MAX];
        for (slice, part) in slices.iter_mut().zip(parts) {
            *slice = IoSlice::new(part);
        }
        match socket.send_vectored_with_flags(&slices[..parts.len()], NO_SIGNAL) {
            Ok(count) => {
                total += count;
                if count < parts.iter().map(|part| part.len()).sum() {
                    break;
                }
            }
            Err(error) if is_for_later(&error) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(total)
}

/// The socket is full, or the call was interrupted before anything was sent: the connection task tries again.
fn is_for_later(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

/// A caller that is gone is an error to us, not a signal.
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
const NO_SIGNAL: i32 = libc::MSG_NOSIGNAL;
#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
const NO_SIGNAL: i32 = 0;

#[cfg(test)]
mod tests;
