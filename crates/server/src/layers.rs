//! What lies between a socket and a door: TLS, a WebSocket, or both. Plain connections have no layers.
//!
//! What waits for a caller stays in its outbox as lines until the socket takes more, and is framed and encrypted in
//! small portions only then: a slow reader's queue is bounded as any other, and its last line can still be put ahead
//! of what it will never read.

use std::io;
use std::sync::Arc;
use std::task::{Poll, ready};

use crate::memory::{TLS_BYTES, WEBSOCKET_BYTES};
use crate::tls::{Certificate, Shown, Tls};
use crate::websocket::{Frames, Goodbye, WebSocket};

/// Bytes of lines that are framed and encrypted at once, at most (but at least one line): one record of TLS.
const PORTION_BYTES: usize = 16 * 1024;

/// Bytes of answers of the layers themselves (pongs and the like) that may wait; then no more is read.
const ANSWERS_BYTES_MAX: usize = 32 * 1024;

/// The layers of one connection.
#[derive(Default)]
pub(crate) struct Layers {
    tls: Option<Tls>,
    websocket: Option<WebSocket>,
    /// What has come for the door, and how much of it the door has taken.
    come: Vec<u8>,
    taken: usize,
    /// What is on its way to the socket, and how much of it the socket has taken.
    wire: Vec<u8>,
    sent: usize,
    /// Nothing more comes.
    ended: bool,
    /// To be said when everything else has been.
    goodbye: Option<Goodbye>,
}

impl Layers {
    /// From now on what comes is TLS.
    pub(crate) fn begin_tls(&mut self, certificate: Arc<Certificate>) {
        self.tls = Some(Tls::new(certificate));
    }

    /// Whether TLS is spoken.
    pub(crate) fn is_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// Whether a WebSocket is spoken.
    pub(crate) fn is_websocket(&self) -> bool {
        self.websocket.is_some()
    }

    /// Bytes that are held for all of it.
    pub(crate) fn held(&self) -> usize {
        let tls = self.tls.as_ref().map_or(0, |_| TLS_BYTES);
        let websocket = self.websocket.as_ref().map_or(0, |_| WEBSOCKET_BYTES);
        (tls + websocket) as usize + self.come.capacity() + self.wire.capacity()
    }

    /// From now on what comes, inside TLS if there is any, is a WebSocket's. `answer` leaves before; `early` is what
    /// came behind the request.
    pub(crate) fn begin_websocket(&mut self, frames: Frames, answer: &[u8], early: &[u8]) -> io::Result<()> {
        self.encrypt(answer)?;
        self.websocket = Some(WebSocket::new(frames));
        let come = std::mem::take(&mut self.come).split_off(std::mem::take(&mut self.taken));
        self.decode(early)?;
        self.decode(&come)
    }

    /// Whether what comes can be read: no handshake is under way.
    pub(crate) fn ready(&self) -> bool {
        self.tls.as_ref().is_none_or(Tls::ready)
    }

    /// What the caller showed in the handshake.
    pub(crate) fn shown(&self) -> Shown {
        self.tls.as_ref().map(Tls::shown).unwrap_or_default()
    }

    /// Takes bytes from the socket.
    ///
    /// # Errors
    /// The connection is of no more use. What is on the wire is still to be sent.
    pub(crate) fn feed(&mut self, raw: &[u8]) -> io::Result<()> {
        let Some(tls) = &mut self.tls else { return self.decode(raw) };
        let mut plain = Vec::new();
        let fed = tls.feed(raw, &mut plain, &mut self.wire);
        if !plain.is_empty() {
            self.decode(&plain)?;
        }
        self.unless_ended(fed)
    }

    fn decode(&mut self, plain: &[u8]) -> io::Result<()> {
        let Some(websocket) = &mut self.websocket else {
            self.come.extend_from_slice(plain);
            return Ok(());
        };
        let mut answers = Vec::new();
        let fed = websocket.feed(plain, &mut self.come, &mut answers);
        self.encrypt(&answers)?;
        self.unless_ended(fed)
    }

    /// The end of what comes is no failure.
    fn unless_ended(&mut self, fed: io::Result<()>) -> io::Result<()> {
        match fed {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                self.ended = true;
                Ok(())
            }
            other => other,
        }
    }

    /// Nothing more comes from the socket.
    pub(crate) fn end(&mut self) {
        self.ended = true;
    }

    /// What has come for the door; 0 at the end, `None` when there is nothing yet.
    pub(crate) fn take(&mut self, buffer: &mut [u8]) -> Option<usize> {
        let rest = &self.come[self.taken..];
        if rest.is_empty() {
            return self.ended.then_some(0);
        }
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.taken += count;
        if self.taken == self.come.len() {
            // An idle connection owns no buffer.
            (self.come, self.taken) = (Vec::new(), 0);
        }
        Some(count)
    }

    /// Whether so many answers wait that nothing more should be read.
    pub(crate) fn choked(&self) -> bool {
        self.wire.len() - self.sent > ANSWERS_BYTES_MAX
    }

    /// Whether something is on its way to the socket.
    pub(crate) fn sending(&self) -> bool {
        self.sent < self.wire.len()
    }

    /// Whether all that is between is a WebSocket that takes messages as they are; and whether they are binary.
    pub(crate) fn frames_alone(&self) -> Option<bool> {
        let websocket = self.websocket.as_ref().filter(|_| self.tls.is_none() && self.goodbye.is_none())?;
        websocket.open().then(|| websocket.binary())
    }

    /// A frame was begun on the socket: this is left of it.
    pub(crate) fn begun(&mut self, rest: Vec<u8>) {
        debug_assert!(!self.sending(), "only what was begun comes before it");
        (self.wire, self.sent) = (rest, 0);
    }

    fn encrypt(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.tls {
            Some(tls) => tls.write(bytes, &mut self.wire),
            None => {
                self.wire.extend_from_slice(bytes);
                Ok(())
            }
        }
    }

    /// Frames and encrypts the beginning of what waits. Returns how much of it.
    fn encode(&mut self, waiting: &[u8]) -> io::Result<usize> {
        let portion = &waiting[..waiting.len().min(PORTION_BYTES)];
        let Some(websocket) = &mut self.websocket else {
            return self.encrypt(portion).map(|()| portion.len());
        };
        let whole = portion.iter().rposition(|byte| *byte == b'\n');
        let whole = whole.or_else(|| waiting.iter().position(|byte| *byte == b'\n'));
        let lines = &waiting[..whole.map_or(waiting.len(), |at| at + 1)];
        let mut frames = Vec::with_capacity(lines.len() + lines.len() / 8);
        websocket.write(lines, &mut frames);
        self.encrypt(&frames).map(|()| lines.len())
    }

    /// Once all that waits is sent, the other side is told that nothing more comes.
    pub(crate) fn say_goodbye(&mut self, why: Goodbye) {
        self.goodbye = Some(why);
    }

    fn part(&mut self, why: Goodbye) -> io::Result<()> {
        let mut frames = Vec::new();
        if let Some(websocket) = &mut self.websocket {
            websocket.close(why, &mut frames);
        }
        self.encrypt(&frames)?;
        self.tls.as_mut().map_or(Ok(()), |tls| tls.close(&mut self.wire))
    }

    /// Sends what is on the wire by `write`, which says how much was taken. Ready when all of it is.
    pub(crate) fn send(
        &mut self,
        write: &mut dyn FnMut(&[u8]) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<()>> {
        while self.sending() {
            match ready!(write(&self.wire[self.sent..]))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                count => self.sent += count,
            }
        }
        (self.wire, self.sent) = (Vec::new(), 0);
        Poll::Ready(Ok(()))
    }

    /// Puts the next portion of what waits on the wire, or the goodbye. Returns how much of what waits that was;
    /// `None` when there is nothing to be sent.
    pub(crate) fn refill(&mut self, waiting: &[u8]) -> io::Result<Option<usize>> {
        if !waiting.is_empty() && self.ready() {
            return self.encode(waiting).map(Some);
        }
        match self.goodbye.take() {
            Some(why) => self.part(why).map(|()| Some(0)),
            None => Ok(None),
        }
    }
}
