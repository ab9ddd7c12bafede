//! Bytes on their way to one caller: straight to the socket, and a bounded backlog only while it is full.

use std::cell::{Cell, RefCell};
use std::io::{self, IoSlice};
use std::net::Shutdown;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Parts of one write that are handed to the kernel in one call.
const PARTS_MAX: usize = 16;

/// How a connection is about to end, as far as the outbox knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It is not.
    Open,
    /// The node closed the session: send what is left, then close.
    Closed,
    /// More waits for it than may wait.
    Overflow,
    /// The socket failed; nothing more can be sent.
    Broken,
}

/// One caller's socket. Shared by its connection task, which reads and sends the backlog, and by the hub, which
/// sends everything else. Both are on one thread.
pub(crate) struct Socket {
    stream: RefCell<TcpStream>,
    backlog: RefCell<Backlog>,
    task: RefCell<Option<Waker>>,
    end: Cell<End>,
    resume: Cell<bool>,
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
    pub(crate) fn new(stream: TcpStream) -> Socket {
        Socket {
            stream: RefCell::new(stream),
            backlog: RefCell::default(),
            task: RefCell::default(),
            end: Cell::new(End::Open),
            resume: Cell::new(false),
        }
    }

    pub(crate) fn end(&self) -> End {
        self.end.get()
    }

    /// Sends, or keeps for later what the socket does not take. When more than `bytes_max` would wait, nothing of
    /// this is kept and the connection is to end.
    pub(crate) fn write(&self, parts: &[&[u8]], bytes_max: usize) {
        if self.end.get() != End::Open {
            return;
        }
        let mut backlog = self.backlog.borrow_mut();
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
    }

    /// Sends the backlog as far as the socket takes it. Ready when nothing is left or the socket failed.
    pub(crate) fn poll_backlog(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut backlog = self.backlog.borrow_mut();
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
        let mut buffer = ReadBuf::new(buffer);
        let mut stream = self.stream.borrow_mut();
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
    let mut total = 0;
    for parts in parts.chunks(PARTS_MAX) {
        let sent = match parts {
            [one] => socket.send_with_flags(one, NO_SIGNAL),
            several => {
                let mut slices = [IoSlice::new(&[]); PARTS_MAX];
                for (slice, part) in slices.iter_mut().zip(several) {
                    *slice = IoSlice::new(part);
                }
                socket.send_vectored_with_flags(&slices[..several.len()], NO_SIGNAL)
            }
        };
        match sent {
            Ok(count) => {
                total += count;
                if count < parts.iter().map(|part| part.len()).sum() {
                    break;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            // Interrupted before anything was sent: the connection task tries again.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => break,
            Err(error) => return Err(error),
        }
    }
    Ok(total)
}

/// A caller that is gone is an error to us, not a signal.
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
const NO_SIGNAL: i32 = libc::MSG_NOSIGNAL;
#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
const NO_SIGNAL: i32 = 0;

#[cfg(test)]
mod tests;
