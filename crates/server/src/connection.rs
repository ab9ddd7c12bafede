//! One small task a connection: look at the first bytes, feed the node, send the backlog, end well.
//!
//! The future is written by hand because it is kept once per caller: idle, it is a few words, a socket and no
//! buffer. Bytes are read into one buffer that all connections of the thread share.

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use chinwag_core::ids::SessionId;
use chinwag_core::session::Door;
use chinwag_node::{Peer, Received};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep};

use crate::clock::now_ms;
use crate::doorway::Doorway;
use crate::greeting::{Caller, Greeting, Look};
use crate::layers::Layers;
use crate::metrics::{Inside, Metrics, Reason, Way};
use crate::outbox::{End, Socket};
use crate::shared::Shared;
use crate::throttle::{Refused, Throttle, Ticket};
use crate::upgrade::Upgrade;
use crate::web::{self, Web, Went};
use crate::websocket::Goodbye;

/// How long a connection that ends may take to send its last words and to hear that the other side has them.
const LINGER: Duration = Duration::from_millis(1500);

/// The same for one that did not read as fast as it was written to: the reason stands behind all that its system
/// still holds for it, and it is to find it there when it comes back to reading.
const LINGER_SLOW: Duration = Duration::from_secs(15);

/// Bytes that are read and forgotten while a connection ends, at most.
const LINGER_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Reads in one poll; then others have their turn.
const READS_MAX: usize = 4;

/// Callers who are told at the same time that they may not come in now. More are hung up on without a word.
const REFUSED_MAX: usize = 64;

/// Starts the task of a caller.
pub(crate) fn spawn(stream: TcpStream, ip: IpAddr, doorway: Rc<Doorway>, shared: &Rc<Shared>) {
    // A balancer is nobody's address block; who is behind it counts once it is known.
    let admitted = match doorway.trusts(ip) {
        true => Ok(None),
        false => Throttle::admit(&shared.throttle, ip, now_ms()),
    };
    if admitted.is_err() && shared.refused.get() >= REFUSED_MAX {
        return;
    }
    let greeting = Box::new(Greeting::new(Caller::new(ip), doorway));
    let patience = greeting.patience();
    let mut connection = Connection {
        shared: Rc::clone(shared),
        socket: Rc::new(Socket::new(stream)),
        phase: Phase::Greeting(greeting),
        timer: Some(Box::pin(sleep(patience))),
        paused: false,
        ended: false,
        ticket: None,
        refused: false,
        inside: None,
    };
    shared.connections.set(shared.connections.get() + 1);
    match admitted {
        Ok(ticket) => connection.ticket = ticket,
        Err(why) => {
            let _ = connection.refuse(ip, why);
        }
    }
    run(connection);
}

/// Starts the task of a caller who is known already: it goes on in a session, and `first` was said by it.
pub(crate) fn spawn_inside(
    stream: TcpStream,
    caller: &Caller,
    door: Door,
    first: &[u8],
    shared: &Rc<Shared>,
) {
    let mut connection = Connection {
        shared: Rc::clone(shared),
        socket: Rc::new(Socket::new(stream)),
        phase: Phase::Lingering { shut: false, forgotten: 0 },
        timer: None,
        paused: false,
        ended: false,
        ticket: None,
        refused: false,
        inside: None,
    };
    shared.connections.set(shared.connections.get() + 1);
    connection.enter(door, caller, first.chunks(first.len().max(1)));
    run(connection);
}

/// Runs a connection to its end, here or at the ssh door.
fn run(mut connection: Connection) {
    tokio::task::spawn_local(async move {
        (&mut connection).await;
        if matches!(connection.phase, Phase::ToSsh(_)) {
            Box::pin(go_to_ssh(connection)).await;
        }
    });
}

/// Hands a connection to the ssh door, and counts it until it is over.
async fn go_to_ssh(mut connection: Connection) {
    let _ticket = connection.ticket.take();
    let socket = Rc::clone(&connection.socket);
    let shared = Rc::clone(&connection.shared);
    // Counted as one more before this one is not any more.
    shared.connections.set(shared.connections.get() + 1);
    if let Phase::ToSsh(greeting) = &mut connection.phase {
        let (from, first) = (greeting.caller.ip, std::mem::take(&mut greeting.first));
        drop(connection);
        let stream = Rc::into_inner(socket).map(Socket::into_stream);
        if let Some(gone) = stream.and_then(|stream| shared.ssh.enter(stream, first, from)) {
            // It ends with a message or without.
            let _ = gone.await;
        }
    }
    shared.connections.set(shared.connections.get() - 1);
    if shared.stopping.get() {
        shared.hub.ring();
    }
}

struct Connection {
    shared: Rc<Shared>,
    socket: Rc<Socket>,
    phase: Phase,
    /// The 1.5 s of a greeting, the gather timer of a plain session, or the end of lingering.
    timer: Option<Pin<Box<Sleep>>>,
    /// The node asked not to be fed until it says so.
    paused: bool,
    /// Nothing more comes from the other side.
    ended: bool,
    /// By which it is counted in its address block.
    ticket: Option<Ticket>,
    /// It is only told that it may not come in now.
    refused: bool,
    /// By which it is counted as inside.
    inside: Option<Inside>,
}

enum Phase {
    /// The door is not chosen yet.
    Greeting(Box<Greeting>),
    /// The ssh door goes on with it.
    ToSsh(Box<Greeting>),
    /// Inside.
    Session(SessionId, Door),
    /// A browser, which is given pages.
    Web(Box<Web>),
    /// Ending: last words, then what the other side still sends is read and forgotten. (Closing a socket with
    /// unread bytes resets the connection, and a reset may overtake our last words.)
    Lingering { shut: bool, forgotten: usize },
}

/// What a step of a phase came to.
enum Step {
    /// Nothing more can be done now.
    Wait,
    /// The phase changed: go on.
    Again,
    /// The connection is over.
    Over,
}

impl Future for Connection {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        this.socket.belongs_to(cx);
        loop {
            let step = match &this.phase {
                Phase::Greeting(_) => this.greet(cx),
                Phase::Session(session, door) => this.serve(*session, *door, cx),
                Phase::Web(_) => this.browse(cx),
                Phase::Lingering { .. } => this.linger(cx),
                Phase::ToSsh(_) => Step::Over,
            };
            match step {
                Step::Wait => return Poll::Pending,
                Step::Again => {}
                Step::Over => return Poll::Ready(()),
            }
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.shared.connections.set(self.shared.connections.get() - 1);
        if self.refused {
            self.shared.refused.set(self.shared.refused.get() - 1);
        }
        if self.shared.stopping.get() {
            self.shared.hub.ring();
        }
    }
}

impl Connection {
    /// Tells a caller why it may not come in now. Which door it wanted is not known: the line is IRC's, and can be
    /// read at any other.
    fn refuse(&mut self, ip: IpAddr, why: Refused) -> Step {
        tracing::info!(%ip, %why, "a caller was refused");
        self.refused = true;
        self.shared.refused.set(self.shared.refused.get() + 1);
        self.socket.last_words(format!("ERROR :Closing link: {why}\r\n").as_bytes());
        self.end()
    }

    /// Chooses the door.
    fn greet(&mut self, cx: &mut Context<'_>) -> Step {
        let shared = Rc::clone(&self.shared);
        let mut buffer = shared.buffer.borrow_mut();
        let Phase::Greeting(greeting) = &mut self.phase else { return Step::Again };
        let late = self.timer.as_mut().is_some_and(|timer| timer.as_mut().poll(cx).is_ready());
        let read = self.socket.poll_read(cx, &mut buffer[..greeting.room()]);
        if greeting.shaking_hands() && self.socket.layers(Layers::ready) == Some(true) {
            greeting.shook_hands(self.socket.layers(Layers::shown).unwrap_or_default());
            self.timer = Some(Box::pin(sleep(greeting.patience())));
            if read.is_pending() {
                return Step::Again;
            }
        }
        let ended = match read {
            Poll::Ready(Ok(0) | Err(_)) => true,
            Poll::Ready(Ok(count)) => {
                greeting.took(&buffer[..count]);
                false
            }
            Poll::Pending if late => false,
            Poll::Pending => return Step::Wait,
        };
        drop(buffer);
        match greeting.look(late, ended) {
            Look::More => {}
            Look::MoreWithin(time) => self.timer = Some(Box::pin(sleep(time))),
            Look::Tls(certificate) => {
                let begun = greeting.begin_tls();
                self.timer = Some(Box::pin(sleep(Greeting::handshake_patience())));
                self.socket.layer(|layers| layers.begin_tls(certificate));
                if self.socket.layer(|layers| layers.feed(&begun)).is_err() {
                    return self.end();
                }
            }
            Look::Door(door) => return self.open_door(door),
            Look::Ssh => return self.enter_ssh(),
            Look::WebSocket(upgrade) => return self.open_websocket(&upgrade),
            Look::Web => return self.open_web(),
            Look::Refused(words) => {
                self.socket.last_words(&words);
                return self.end();
            }
            Look::Nobody => return self.end(),
        }
        Step::Again
    }

    /// A caller whose balancer was let in: its own address counts now.
    fn admit(&mut self, caller: &Caller) -> Option<Step> {
        if self.ticket.is_none() {
            match Throttle::admit(&self.shared.throttle, caller.ip, now_ms()) {
                Ok(ticket) => self.ticket = ticket,
                Err(why) => return Some(self.refuse(caller.ip, why)),
            }
        }
        None
    }

    fn open_door(&mut self, door: Door) -> Step {
        let Phase::Greeting(greeting) = &mut self.phase else { return Step::Again };
        let (caller, bytewise) = (greeting.caller.clone(), greeting.bytewise());
        let first = std::mem::take(&mut greeting.first);
        if let Some(refused) = self.admit(&caller) {
            return refused;
        }
        self.enter(door, &caller, first.chunks(if bytewise { 1 } else { first.len().max(1) }));
        Step::Again
    }

    /// The ssh door goes on with the connection.
    fn enter_ssh(&mut self) -> Step {
        let Phase::Greeting(greeting) = &mut self.phase else { return Step::Again };
        let caller = greeting.caller.clone();
        if let Some(refused) = self.admit(&caller) {
            return refused;
        }
        let ended = Phase::Lingering { shut: false, forgotten: 0 };
        if let Phase::Greeting(greeting) = std::mem::replace(&mut self.phase, ended) {
            self.phase = Phase::ToSsh(greeting);
        }
        Step::Again
    }

    /// Answers the request; what comes from now on are frames.
    fn open_websocket(&mut self, upgrade: &Upgrade) -> Step {
        let Phase::Greeting(greeting) = &mut self.phase else { return Step::Again };
        let (caller, first) = (greeting.caller.clone(), std::mem::take(&mut greeting.first));
        self.begin_websocket(&caller, upgrade, &upgrade.answer, &first[upgrade.bytes.min(first.len())..])
    }

    fn begin_websocket(&mut self, caller: &Caller, upgrade: &Upgrade, answer: &[u8], early: &[u8]) -> Step {
        if let Some(refused) = self.admit(caller) {
            return refused;
        }
        let begun = self.socket.layer(|layers| layers.begin_websocket(upgrade.frames, answer, early));
        if begun.is_err() {
            return self.end();
        }
        self.enter(Door::Irc, caller, [].into_iter());
        Step::Again
    }

    /// Pages, from the request on that has come.
    fn open_web(&mut self) -> Step {
        let Phase::Greeting(greeting) = &mut self.phase else { return Step::Again };
        let (caller, first) = (greeting.caller.clone(), std::mem::take(&mut greeting.first));
        let doorway = Rc::clone(&greeting.doorway);
        if let Some(refused) = self.admit(&caller) {
            return refused;
        }
        tracing::debug!(ip = %caller.ip, "a browser came");
        let (socket, shared) = (Rc::clone(&self.socket), Rc::clone(&self.shared));
        self.phase = Phase::Web(Box::new(Web::new(socket, first, caller, doorway, shared)));
        self.timer = Some(Box::pin(sleep(web::IDLE)));
        Step::Again
    }

    /// Answers a browser, until nothing moves any more.
    fn browse(&mut self, cx: &mut Context<'_>) -> Step {
        let Phase::Web(web) = &mut self.phase else { return Step::Again };
        let went = web.poll(cx);
        if web.moved()
            && let Some(timer) = &mut self.timer
        {
            timer.as_mut().reset(Instant::now() + web::IDLE);
        }
        match went {
            Went::Over => self.end(),
            Went::WebSocket(upgrade) => {
                let mut caller = web.caller();
                caller.is_behind(&upgrade);
                let ending = Phase::Lingering { shut: false, forgotten: 0 };
                let Phase::Web(web) = std::mem::replace(&mut self.phase, ending) else { return Step::Again };
                self.begin_websocket(&caller, &upgrade, &[], &web.into_early())
            }
            Went::On if self.timer.as_mut().is_none_or(|timer| timer.as_mut().poll(cx).is_ready()) => {
                self.end()
            }
            Went::On => Step::Wait,
        }
    }

    /// Opens a session and hands it the first bytes.
    fn enter<'b>(&mut self, door: Door, caller: &Caller, first: impl ExactSizeIterator<Item = &'b [u8]>) {
        self.timer = None;
        let (ip, secure) = (caller.ip, caller.secure());
        tracing::debug!(%ip, door = door.name(), secure, "a caller came in");
        let exempt = self.shared.throttle.borrow().exempts(ip);
        let certificate = caller.tls.as_ref().and_then(|shown| shown.fingerprint.as_deref()).map(Arc::from);
        let tls_host = caller.tls_host().map(Arc::from);
        let by_ssh = caller.ssh.is_some();
        let address = host(ip);
        let peer = Peer {
            host: Arc::clone(&address),
            address,
            secure,
            tls_host,
            exempt,
            certificate,
            ssh: caller.ssh.clone(),
        };
        let session = self.shared.node.borrow_mut().open(door, peer, now_ms());
        self.shared.table.borrow_mut().insert(session, Rc::clone(&self.socket));
        self.phase = Phase::Session(session, door);
        let way = match door {
            _ if by_ssh => Way::Ssh,
            Door::Irc if self.socket.is_websocket() => Way::Web,
            Door::Irc => Way::Irc,
            Door::Plain => Way::Plain,
        };
        self.inside = Some(Metrics::enters(&self.shared, way));
        let silent = first.len() == 0;
        for bytes in first {
            self.feed(session, bytes);
        }
        if silent && door == Door::Plain {
            let received = self.shared.node.borrow_mut().silence(session, now_ms());
            self.follow(session, received);
        }
    }

    fn feed(&mut self, session: SessionId, bytes: &[u8]) {
        let received = self.shared.node.borrow_mut().receive(session, bytes, now_ms());
        self.follow(session, received);
    }

    /// Does as the node says after it was fed.
    fn follow(&mut self, session: SessionId, received: Received) {
        self.shared.hub.ring();
        self.paused = received != Received::More;
        let gather = self.shared.node.borrow().gather_ms(session);
        self.timer = gather.map(|millis| Box::pin(sleep(Duration::from_millis(millis))));
    }

    /// Feeds the node and sends what the socket did not take.
    fn serve(&mut self, session: SessionId, door: Door, cx: &mut Context<'_>) -> Step {
        match self.socket.end() {
            End::Open => {}
            End::Closed => return self.end(),
            End::Overflow => return self.too_slow(session, door),
            End::Broken => return self.gone(session, "connection reset"),
        }
        if let Poll::Ready(Err(_)) = self.socket.poll_backlog(cx) {
            return self.gone(session, "connection reset");
        }
        if self.socket.take_resume() {
            self.paused = false;
        }
        if self.timer.as_mut().is_some_and(|timer| timer.as_mut().poll(cx).is_ready()) {
            let received = self.shared.node.borrow_mut().end_of_burst(session, now_ms());
            self.follow(session, received);
            // The timer may have been set again and has to be asked once.
            return Step::Again;
        }
        self.read(session, cx)
    }

    fn read(&mut self, session: SessionId, cx: &mut Context<'_>) -> Step {
        let shared = Rc::clone(&self.shared);
        let mut buffer = shared.buffer.borrow_mut();
        for _ in 0..READS_MAX {
            if self.paused || self.ended || shared.stopping.get() {
                return Step::Wait;
            }
            match self.socket.poll_read(cx, &mut buffer) {
                Poll::Ready(Ok(0)) => {
                    self.shared.node.borrow_mut().ended(session, now_ms());
                    self.shared.hub.ring();
                    self.ended = true;
                    return Step::Wait;
                }
                Poll::Ready(Ok(count)) => self.feed(session, &buffer[..count]),
                Poll::Ready(Err(_)) => return self.gone(session, "connection reset"),
                Poll::Pending => return Step::Wait,
            }
            if let Some(timer) = &mut self.timer
                && timer.as_mut().poll(cx).is_ready()
            {
                return Step::Again;
            }
        }
        cx.waker().wake_by_ref();
        Step::Wait
    }

    /// The other side is gone.
    fn gone(&mut self, session: SessionId, reason: &str) -> Step {
        self.leave(session, reason);
        self.end()
    }

    /// The session did not read as fast as it was written to.
    fn too_slow(&mut self, session: SessionId, door: Door) -> Step {
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

    /// The node is told, and told nothing more.
    fn leave(&mut self, session: SessionId, reason: &str) {
        self.inside = None;
        tracing::debug!(session = session.index, reason, "a caller is gone");
        self.shared.node.borrow_mut().closed(session, reason, now_ms());
        self.shared.table.borrow_mut().remove(session);
        self.shared.hub.ring();
    }

    fn end(&mut self) -> Step {
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

    fn linger(&mut self, cx: &mut Context<'_>) -> Step {
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

/// An address as others are shown it. It is a word of an IRC line, so that it must not begin with a colon.
fn host(ip: IpAddr) -> Arc<str> {
    let text = ip.to_canonical().to_string();
    if text.starts_with(':') { format!("0{text}").into() } else { text.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_words_of_an_irc_line() {
        for (ip, shown) in [
            ("127.0.0.1", "127.0.0.1"),
            ("::1", "0::1"),
            ("::ffff:10.0.0.1", "10.0.0.1"),
            ("2001:db8::1", "2001:db8::1"),
        ] {
            assert_eq!(&*host(ip.parse().unwrap()), shown);
        }
    }
}
