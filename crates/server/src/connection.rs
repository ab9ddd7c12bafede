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
use chinwag_wire::detect::Detect;
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep};

use crate::clock::now_ms;
use crate::doorway::Doorway;
use crate::greet::turned_away;
use crate::greeting::{Caller, Greeting, Look};
use crate::layers::Layers;
use crate::metrics::{Inside, Metrics, Reason, Way};
use crate::outbox::{End, Socket};
use crate::shared::Shared;
use crate::throttle::{Refused, Throttle};
use crate::upgrade::Upgrade;
use crate::web::{self, Web, Went};

mod ending;

pub(crate) use ending::LINGER_BYTES_MAX;

/// Reads in one poll; then others have their turn.
const READS_MAX: usize = 4;

/// Callers who are told at the same time that they may not come in now. More are hung up on without a word.
pub(crate) const REFUSED_MAX: usize = 64;

/// What is said when too many are at the ssh door.
const SSH_FULL: &str = "too many are logging in by ssh at the moment, try again in a minute";

/// Starts the task of a caller.
pub(crate) fn spawn(stream: TcpStream, ip: IpAddr, doorway: Rc<Doorway>, shared: &Rc<Shared>) {
    // A balancer is nobody's address block; who is behind it counts once it is known.
    let admitted = match doorway.trusts(ip) {
        true => has_room(ip, shared).map(|()| None),
        false => has_room(ip, shared).and_then(|()| Throttle::admit(&shared.throttle, ip, now_ms())),
    };
    if let Err(why) = &admitted
        && shared.refused.get() >= REFUSED_MAX
    {
        shared.metrics.refuse(why.reason());
        return;
    }
    let greeting = Box::new(Greeting::new(Caller::new(ip), doorway));
    let patience = greeting.patience();
    let mut connection = Connection {
        shared: Rc::clone(shared),
        socket: Rc::new(Socket::new(stream, &shared.memory.outboxes)),
        phase: Phase::Greeting(greeting),
        timer: Some(Box::pin(sleep(patience))),
        paused: false,
        ended: false,
        refused: false,
        inside: None,
    };
    shared.connections.set(shared.connections.get() + 1);
    match admitted {
        Ok(ticket) => connection.socket.counts(ticket),
        Err(why) => {
            let _ = connection.refuse(ip, why);
        }
    }
    run(connection);
}

/// Whether there are descriptors and memory for one more.
fn has_room(ip: IpAddr, shared: &Shared) -> Result<(), Refused> {
    let (connections, throttle) = (shared.connections.get(), shared.throttle.borrow());
    if connections >= throttle.total() {
        return Err(Refused::Full);
    }
    match shared.memory.admits(connections, throttle.exempts(ip)) {
        true => Ok(()),
        false => Err(Refused::Memory),
    }
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
        socket: Rc::new(Socket::new(stream, &shared.memory.outboxes)),
        phase: Phase::Lingering { shut: false, forgotten: 0 },
        timer: None,
        paused: false,
        ended: false,
        refused: false,
        inside: None,
    };
    connection.socket.by_ssh.set(caller.ssh.is_some());
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
    let ticket = connection.socket.ticket();
    let socket = Rc::clone(&connection.socket);
    let shared = Rc::clone(&connection.shared);
    // Counted as one more before this one is not any more.
    shared.connections.set(shared.connections.get() + 1);
    if let Phase::ToSsh(greeting) = &mut connection.phase {
        let (from, first) = (greeting.caller.ip, std::mem::take(&mut greeting.first));
        let exempt = shared.throttle.borrow().exempts(from);
        drop(connection);
        let stream = Rc::into_inner(socket).map(Socket::into_stream);
        // The ssh door counts itself who has not proved anything yet.
        if let Some(ticket) = &ticket {
            ticket.known();
        }
        if let Some(gone) = stream.and_then(|stream| shared.ssh.enter(stream, first, (from, exempt))) {
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
    /// It is only told that it may not come in now.
    refused: bool,
    /// By which it is counted as inside.
    inside: Option<Inside>,
}

enum Phase {
    /// The door is not chosen yet.
    Greeting(Box<Greeting>),
    /// It may not come in now; why, and what it has said, by which its protocol is known.
    Refused(Refused, Vec<u8>),
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
                Phase::Refused(..) => this.turn_away(cx),
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
                self.shared.metrics.refuse(greeting.reason());
                self.shared.metrics.told(&words);
                self.socket.last_words(&words);
                return self.end();
            }
            Look::Nobody => {
                if greeting.shaking_hands() {
                    self.shared.metrics.refuse(greeting.reason());
                }
                return self.end();
            }
        }
        Step::Again
    }

    /// A caller whose balancer was let in: its own address counts now.
    fn admit(&mut self, caller: &Caller) -> Option<Step> {
        if !self.socket.is_counted() {
            match Throttle::admit(&self.shared.throttle, caller.ip, now_ms()) {
                Ok(ticket) => self.socket.counts(ticket),
                Err(why) => return Some(self.refuse(caller.ip, why)),
            }
        }
        None
    }

    /// What has come so far.
    fn said(&mut self) -> Vec<u8> {
        match &mut self.phase {
            Phase::Greeting(greeting) => std::mem::take(&mut greeting.first),
            _ => Vec::new(),
        }
    }

    fn open_door(&mut self, door: Door) -> Step {
        let Phase::Greeting(greeting) = &mut self.phase else { return Step::Again };
        let (caller, bytewise) = (greeting.caller.clone(), greeting.bytewise());
        if let Some(refused) = self.admit(&caller) {
            return refused;
        }
        let first = self.said();
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
        if self.shared.ssh.is_full(caller.ip, self.shared.throttle.borrow().exempts(caller.ip)) {
            tracing::info!(ip = %caller.ip, "too many are at the ssh door: one was turned away");
            self.shared.metrics.refuse(Reason::SshFull);
            self.socket.last_words(&turned_away(Detect::Ssh, &[], SSH_FULL));
            return self.end();
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
        let caller = greeting.caller.clone();
        if let Some(refused) = self.admit(&caller) {
            return refused;
        }
        let first = self.said();
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
        let (caller, doorway) = (greeting.caller.clone(), Rc::clone(&greeting.doorway));
        if let Some(refused) = self.admit(&caller) {
            return refused;
        }
        let first = self.said();
        // Whoever asks for a page is as known as it will be; each request has a time of its own.
        self.socket.known();
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
            End::Memory => return self.no_memory(session, door),
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

    /// The node is told, and told nothing more.
    fn leave(&mut self, session: SessionId, reason: &str) {
        self.inside = None;
        tracing::debug!(session = session.index, reason, "a caller is gone");
        self.shared.node.borrow_mut().closed(session, reason, now_ms());
        self.shared.table.borrow_mut().remove(session);
        self.shared.hub.ring();
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
