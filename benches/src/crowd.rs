//! Many callers on one thread: connect, register, join, and then hand every byte that arrives to a bench.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use rustls::ClientConfig;

use crate::frames::Frames;
use crate::inside::{Inside, trusting};
use crate::servers::Kind;

const READ_BYTES: usize = 256 * 1024;
/// How many callers register at the same time: fewer than any server's backlog, and enough for InspIRCd, which
/// completes registrations once a second.
const REGISTERING_MAX: usize = 512;
/// How long anything but the measured load may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// One connection.
pub struct Link {
    stream: TcpStream,
    /// What the socket did not take.
    unsent: Vec<u8>,
    layer: Layer,
}

/// What is around the lines of a caller.
enum Layer {
    Nothing,
    /// A line is a message of its own in both directions: a WebSocket.
    Frames(Frames),
    Tls(Box<Inside>),
}

/// How callers come in.
pub enum By {
    /// TCP.
    Plain,
    /// A WebSocket.
    WebSocket,
    /// TLS.
    Tls(Arc<ClientConfig>),
}

impl By {
    /// TLS, with any certificate.
    ///
    /// # Errors
    /// When the provider of cryptography is not complete.
    pub fn tls() -> Result<By> {
        trusting().map(By::Tls)
    }
}

impl Link {
    /// Sends now what the socket takes, and the rest when it takes more.
    ///
    /// # Errors
    /// When the connection is broken.
    pub fn send(&mut self, bytes: &[u8]) -> Result<()> {
        match &mut self.layer {
            Layer::Nothing => self.send_raw(bytes),
            Layer::Frames(_) => self.send_raw(&Frames::encode(bytes)),
            Layer::Tls(inside) => {
                let wire = inside.encode(bytes)?;
                self.send_raw(&wire)
            }
        }
    }

    fn send_raw(&mut self, bytes: &[u8]) -> Result<()> {
        let sent = if self.unsent.is_empty() { write(&mut self.stream, bytes)? } else { 0 };
        self.unsent.extend_from_slice(&bytes[sent..]);
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        if !self.unsent.is_empty() {
            let sent = write(&mut self.stream, &self.unsent)?;
            self.unsent.drain(..sent);
        }
        Ok(())
    }
}

fn write(stream: &mut TcpStream, bytes: &[u8]) -> Result<usize> {
    let mut sent = 0;
    while sent < bytes.len() {
        match stream.write(&bytes[sent..]) {
            Ok(count) => sent += count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error).context("a caller cannot send"),
        }
    }
    Ok(sent)
}

/// What a bench does with what arrives.
pub trait Listener {
    /// Bytes for caller `index`, as they came; `link` answers.
    ///
    /// # Errors
    /// When the bytes are not what the server must send: the bench ends.
    fn receive(&mut self, index: usize, bytes: &[u8], link: &mut Link) -> Result<()>;
}

/// Callers of one server, by index.
pub struct Crowd {
    poll: Poll,
    events: Events,
    buffer: Vec<u8>,
    /// The callers' connections.
    pub links: Vec<Link>,
    address: SocketAddr,
    /// How every caller comes.
    by: By,
}

impl Crowd {
    /// A crowd of nobody.
    ///
    /// # Errors
    /// When epoll is not available.
    pub fn new(address: SocketAddr) -> Result<Crowd> {
        Crowd::by(address, By::Plain)
    }

    /// The same of callers who come in one way or another.
    ///
    /// # Errors
    /// As [`Crowd::new`].
    pub fn by(address: SocketAddr, by: By) -> Result<Crowd> {
        let poll = Poll::new().context("epoll is not available")?;
        let (events, buffer) = (Events::with_capacity(1024), vec![0; READ_BYTES]);
        Ok(Crowd { poll, events, buffer, links: Vec::new(), address, by })
    }

    /// One more caller, connected; gives back its index.
    ///
    /// # Errors
    /// When the server does not accept.
    pub fn connect(&mut self) -> Result<usize> {
        let index = self.links.len();
        let mut stream = std::net::TcpStream::connect(self.address).with_context(|| {
            format!("caller {index} cannot connect (is the limit of open files too low?)")
        })?;
        stream.set_nodelay(true)?;
        let layer = match &self.by {
            By::Plain => Layer::Nothing,
            By::WebSocket => {
                Frames::upgrade(&mut stream).with_context(|| format!("caller {index} gets no WebSocket"))?;
                Layer::Frames(Frames::default())
            }
            By::Tls(config) => {
                let inside = Inside::begin(config, &mut stream);
                Layer::Tls(Box::new(inside.with_context(|| format!("caller {index} gets no TLS"))?))
            }
        };
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream);
        self.poll.registry().register(&mut stream, Token(index), Interest::READABLE | Interest::WRITABLE)?;
        self.links.push(Link { stream, unsent: Vec::new(), layer });
        Ok(index)
    }

    /// Waits at most `wait` for something to arrive and hands it over, everything that is there.
    ///
    /// # Errors
    /// The listener's, or a connection that ended.
    pub fn turn(&mut self, wait: Duration, listener: &mut impl Listener) -> Result<()> {
        match self.poll.poll(&mut self.events, Some(wait)) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            other => other.context("waiting for sockets failed")?,
        }
        for event in &self.events {
            let index = event.token().0;
            let link = &mut self.links[index];
            if event.is_writable() {
                link.flush()?;
            }
            if !event.is_readable() {
                continue;
            }
            loop {
                match link.stream.read(&mut self.buffer) {
                    Ok(0) => bail!("the server has closed the connection of caller {index}"),
                    Ok(count) => {
                        let come = &self.buffer[..count];
                        match &mut link.layer {
                            Layer::Nothing => listener.receive(index, come, link)?,
                            Layer::Frames(frames) => {
                                let lines = frames.decode(come)?;
                                listener.receive(index, &lines, link)?;
                            }
                            Layer::Tls(inside) => {
                                let (lines, answer) = inside.decode(come)?;
                                link.send_raw(&answer)?;
                                listener.receive(index, &lines, link)?;
                            }
                        }
                        if count < self.buffer.len() {
                            break;
                        }
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error).with_context(|| format!("caller {index} cannot read")),
                }
            }
        }
        Ok(())
    }

    /// Turns until `done`.
    ///
    /// # Errors
    /// As [`Crowd::turn`], or when it takes longer than a minute.
    pub fn turn_until<L: Listener>(&mut self, listener: &mut L, done: impl Fn(&L) -> bool) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while !done(listener) {
            ensure!(Instant::now() < deadline, "the server did not answer everything within a minute");
            self.turn(Duration::from_millis(100), listener)?;
        }
        Ok(())
    }

    /// Connects `count` callers, registers them, lets each join the room that `room` names, and waits until
    /// nothing of all that is under way any more. For a crowd of nobody.
    ///
    /// # Errors
    /// When a caller is refused, or it takes longer than a minute.
    pub fn enter(&mut self, kind: Kind, count: usize, room: impl Fn(usize) -> Option<String>) -> Result<()> {
        let mut entry = self.come_in(kind, count, room)?;
        if kind == Kind::Floor {
            return Ok(());
        }
        // A server answers in order: behind this answer nothing of the arrivals is left.
        for link in &mut self.links {
            link.send(b"PING settled\r\n")?;
        }
        self.turn_until(&mut entry, |entry| entry.settled == count)
    }

    /// The same without waiting for what others are told of the arrivals: each caller has its welcome, or the names
    /// of its room, to the end.
    ///
    /// # Errors
    /// As [`Crowd::enter`].
    pub fn come_in(
        &mut self,
        kind: Kind,
        count: usize,
        room: impl Fn(usize) -> Option<String>,
    ) -> Result<Entry> {
        let mut entry = Entry { kind, callers: Vec::with_capacity(count), inside: 0, settled: 0 };
        let deadline = Instant::now() + PATIENCE;
        while entry.inside < count {
            ensure!(
                Instant::now() < deadline,
                "only {} of {count} callers got in within a minute",
                entry.inside
            );
            while entry.callers.len() < count && entry.callers.len() - entry.inside < REGISTERING_MAX {
                let index = self.connect()?;
                entry.greet(index, room(index), &mut self.links[index])?;
            }
            self.turn(Duration::from_millis(100), &mut entry)?;
        }
        Ok(entry)
    }
}

/// The nickname of a caller. All are equally long, so that all lines of a load are.
pub fn nick(index: usize) -> String {
    format!("b{index:05}")
}

/// Callers on their way in.
pub struct Entry {
    kind: Kind,
    callers: Vec<Entering>,
    inside: usize,
    settled: usize,
}

struct Entering {
    room: Option<String>,
    /// The beginning of a line whose end has not arrived.
    begun: Vec<u8>,
}

impl Entry {
    fn greet(&mut self, index: usize, room: Option<String>, link: &mut Link) -> Result<()> {
        let greeting = match (self.kind, &room) {
            (Kind::Floor, room) => format!("{}\r\n", room.as_deref().unwrap_or("nowhere")),
            (Kind::Chinwag | Kind::WebSocket | Kind::Inspircd, room) => {
                let nick = nick(index);
                let plain = format!("NICK {nick}\r\nUSER {nick} 0 * :bench\r\n");
                // Senders know by the echo that a message is through; who has no room sends none.
                let echo = room.is_some();
                if echo { format!("CAP REQ :echo-message\r\n{plain}CAP END\r\n") } else { plain }
            }
        };
        self.callers.push(Entering { room, begun: Vec::new() });
        link.send(greeting.as_bytes())
    }

    fn line(&mut self, index: usize, line: &str, link: &mut Link) -> Result<()> {
        if self.kind == Kind::Floor {
            self.inside += 1;
            return Ok(());
        }
        let mut words = line.trim_end().split(' ');
        let first = words.next().unwrap_or_default();
        let command = if first.starts_with(':') { words.next().unwrap_or_default() } else { first };
        match (command, &self.callers[index].room) {
            // The end of the message of the day, or that there is none: registered.
            ("376" | "422", Some(room)) => link.send(format!("JOIN {room}\r\n").as_bytes())?,
            // Without a room that is all, with one it is the end of the names.
            ("376" | "422", None) | ("366", Some(_)) => self.inside += 1,
            ("PING", _) => link.send(format!("PONG {}\r\n", words.next().unwrap_or_default()).as_bytes())?,
            ("PONG", _) => self.settled += 1,
            ("ERROR" | "432" | "433" | "465" | "471" | "405", _) => {
                bail!("caller {index} is refused: {line}")
            }
            _ => {}
        }
        Ok(())
    }
}

impl Listener for Entry {
    fn receive(&mut self, index: usize, bytes: &[u8], link: &mut Link) -> Result<()> {
        let mut begun = std::mem::take(&mut self.callers[index].begun);
        for piece in bytes.split_inclusive(|&b| b == b'\n') {
            begun.extend_from_slice(piece);
            if piece.ends_with(b"\n") {
                self.line(index, &String::from_utf8_lossy(&begun), link)?;
                begun.clear();
            }
        }
        self.callers[index].begun = begun;
        Ok(())
    }
}
