//! How a connection ends: who may not come in is told so in its own protocol, who is put out is told why, and the other
//! side is given time to read it.

use std::future::Future;
use std::net::IpAddr;
use std::task::{Context, Poll};
use std::time::Duration;

use chinwag_core::ids::SessionId;
use chinwag_core::session::Door;
use chinwag_wire::detect::{Detect, detect};
use tokio::time::sleep;

use super::{Connection, Phase, READS_MAX, Step};
use crate::greet::turned_away;
use crate::metrics::Reason;
use crate::throttle::Refused;
use crate::websocket::Goodbye;

/// How long a connection that ends may take to send its last words and to hear that the other side has them.
const LINGER: Duration = Duration::from_millis(1500);

/// The same for one that did not read as fast as it was written to: the reason stands behind all that its system
/// still holds for it, and it is to find it there when it comes back to reading.
const LINGER_SLOW: Duration = Duration::from_secs(15);

/// Bytes that are read and forgotten while a connection ends, at most.
pub(crate) const LINGER_BYTES_MAX: usize = 4 * 1024 * 1024;

/// For how long whoever may not come in is waited for to say something, so that it can be told in its own protocol;
/// and how many bytes of that are looked at.
const REFUSED_SILENCE: Duration = Duration::from_millis(500);
const REFUSED_BYTES_MAX: usize = 64;

impl Connection {
    /// Tells a caller why it may not come in now, in its own protocol, once that shows.
    pub(super) fn refuse(&mut self, ip: IpAddr, why: Refused) -> Step {
        tracing::info!(%ip, %why, "a caller was refused");
        self.shared.metrics.refuse(why.reason());
        self.refused = true;
        self.shared.refused.set(self.shared.refused.get() + 1);
        let said = match &mut self.phase {
            Phase::Greeting(greeting) => std::mem::take(&mut greeting.first),
            _ => Vec::new(),
        };
        self.phase = Phase::Refused(why, said);
        self.timer = Some(Box::pin(sleep(REFUSED_SILENCE)));
        Step::Again
    }

    /// Waits for the first word of whoever may not come in, and answers it.
    pub(super) fn turn_away(&mut self, cx: &mut Context<'_>) -> Step {
        let Phase::Refused(why, said) = &mut self.phase else { return Step::Again };
        let mut over = self.timer.as_mut().is_none_or(|timer| timer.as_mut().poll(cx).is_ready());
        while !over && said.len() < REFUSED_BYTES_MAX && detect(said, false) == Detect::More {
            let mut buffer = [0; REFUSED_BYTES_MAX];
            match self.socket.poll_read(cx, &mut buffer) {
                Poll::Ready(Ok(count)) if count > 0 => said.extend_from_slice(&buffer[..count]),
                Poll::Ready(_) => over = true,
                Poll::Pending => return Step::Wait,
            }
        }
        let words = turned_away(detect(said, true), said, &why.to_string());
        self.shared.metrics.told(&words);
        self.socket.last_words(&words);
        self.end()
    }

    /// The session did not read as fast as it was written to.
    pub(super) fn too_slow(&mut self, session: SessionId, door: Door) -> Step {
        let reason = "send queue exceeded";
        self.shared.metrics.refuse(Reason::SendQueue);
        let words: &[u8] = match door {
            Door::Irc => b"ERROR :Closing link: send queue exceeded\r\n",
            Door::Plain => {
                b"* you read too slowly, too much was waiting for you (send queue exceeded): goodbye\n"
            }
        };
        self.socket.last_words(words);
        tracing::info!(session = session.index, "a session was disconnected: {reason}");
        self.leave(session, reason);
        self.end_within(LINGER_SLOW, Goodbye::TooSlow)
    }

    /// There was no memory for what waited for the session.
    pub(super) fn no_memory(&mut self, session: SessionId, door: Door) -> Step {
        let reason = "the server is short of memory";
        self.shared.metrics.refuse(Reason::MemoryOutbox);
        let words: &[u8] = match door {
            Door::Irc => {
                b"ERROR :Closing link: the server is short of memory, and much was waiting for you\r\n"
            }
            Door::Plain => {
                b"* the server is short of memory, and much was waiting for you: goodbye, come back in a while\n"
            }
        };
        self.socket.last_words(words);
        self.leave(session, reason);
        self.end_within(LINGER_SLOW, Goodbye::TooSlow)
    }

    /// It ends, once what waits is sent.
    pub(super) fn end(&mut self) -> Step {
        self.end_within(LINGER, Goodbye::Normal)
    }

    fn end_within(&mut self, linger: Duration, why: Goodbye) -> Step {
        if let Phase::Session(session, _) = self.phase {
            self.shared.table.borrow_mut().remove(session);
        }
        self.socket.close();
        self.socket.say_goodbye(why);
        self.timer = Some(Box::pin(sleep(linger)));
        self.phase = Phase::Lingering { shut: false, forgotten: 0 };
        Step::Again
    }

    /// Sends the last words, and hears that the other side has them.
    pub(super) fn linger(&mut self, cx: &mut Context<'_>) -> Step {
        let Phase::Lingering { shut, forgotten } = &mut self.phase else { return Step::Again };
        if self.timer.as_mut().is_none_or(|timer| timer.as_mut().poll(cx).is_ready()) {
            if !*shut {
                self.socket.give_up();
            }
            return Step::Over;
        }
        if !*shut {
            match self.socket.poll_backlog(cx) {
                Poll::Ready(Ok(())) if self.socket.shut().is_ok() => *shut = true,
                Poll::Ready(_) => return Step::Over,
                // Nothing is read meanwhile: a caller that only sends must not keep us busy.
                Poll::Pending => return Step::Wait,
            }
        }
        let mut buffer = self.shared.buffer.borrow_mut();
        for _ in 0..READS_MAX {
            match self.socket.poll_read(cx, &mut buffer) {
                Poll::Ready(Ok(count)) if count > 0 && *forgotten < LINGER_BYTES_MAX => *forgotten += count,
                Poll::Ready(_) => return Step::Over,
                Poll::Pending => return Step::Wait,
            }
        }
        cx.waker().wake_by_ref();
        Step::Wait
    }
}
