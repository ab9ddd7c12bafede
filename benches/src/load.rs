//! The load of the fan-out: senders in rooms, and the proof that every member got every message once and in order.
//!
//! All members of a room must be sent the same bytes, so the bytes of a room are kept once: the member that is
//! ahead takes them apart (whose message, which number, is every byte of it right) and everybody else's are
//! compared with them. That is the whole check, and it costs less than the kernel's copy, so that this
//! program does not need more of the machine than the server it measures. A line that is not everybody's (a
//! `PING`, a notice) is recognised where the bytes differ, and left out.

use std::collections::VecDeque;
use std::ops::Range;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};

use crate::crowd::{Crowd, Link, Listener, nick};
use crate::servers::Kind;

/// The length of what a sender sends, line end included.
pub const LINE_BYTES: usize = 100;
/// How much of a room's bytes everybody has before they are forgotten.
const FORGET_BYTES: usize = 1 << 20;

/// Who sends how much to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Senders in each room; they are members.
    pub senders: usize,
    /// Messages that each sender has under way.
    pub window: usize,
    /// Members of each room.
    pub members: usize,
    /// Rooms.
    pub rooms: usize,
}

impl Shape {
    /// All callers.
    pub fn callers(self) -> usize {
        self.members * self.rooms
    }

    /// Which sender a member is, if any. They stand evenly between the members, as they would by chance.
    fn sender(self, member: usize) -> Option<usize> {
        let gap = self.members / self.senders;
        (member.is_multiple_of(gap) && member / gap < self.senders).then_some(member / gap)
    }

    /// The room of a caller.
    pub fn room(index: usize, members: usize) -> String {
        format!("#r{:03}", index / members)
    }
}

/// What was measured of one round.
#[derive(Clone, Debug, Default)]
pub struct Reach {
    /// Messages times members.
    pub deliveries: u64,
    /// How long each message took to the last member.
    pub to_the_last: Vec<Duration>,
}

struct Sender {
    /// Its index among the callers.
    caller: usize,
    line: [u8; LINE_BYTES],
    /// The number of the next message that it sends.
    next: u64,
    /// The number of the next message that must come back.
    expected: u64,
    /// When those under way were sent, or were due.
    sent: VecDeque<Instant>,
    /// Where those end that came back to somebody, but not to itself.
    ahead: VecDeque<u64>,
}

struct Room {
    /// What everybody is sent, from `base` on.
    bytes: Vec<u8>,
    base: u64,
    /// Where each message ends, and when it was sent, until everybody has it.
    marks: VecDeque<(u64, Instant)>,
    senders: Vec<Sender>,
    /// How far each member is.
    at: Vec<u64>,
    /// The member that is furthest behind.
    slowest: usize,
    name: String,
}

/// The load on one server.
pub struct Load {
    kind: Kind,
    shape: Shape,
    rooms: Vec<Room>,
    /// What each caller has of a line that it does not share, or that nobody had before.
    begun: Vec<Vec<u8>>,
    /// A message that is sent at once when one comes back; otherwise only `send_one` sends.
    closed: bool,
    /// The length of a line as it is delivered; 0 before the first.
    delivered_bytes: u64,
    to_the_last: Vec<Duration>,
}

impl Load {
    /// A load for a crowd that has entered its rooms.
    pub fn new(kind: Kind, shape: Shape) -> Load {
        let rooms = (0..shape.rooms).map(|room| Room::new(room, shape)).collect();
        let begun = vec![Vec::new(); shape.callers()];
        Load { kind, shape, rooms, begun, closed: false, delivered_bytes: 0, to_the_last: Vec::new() }
    }

    /// Lets every sender have its window under way for `duration`, and gives back what was reached in all of it
    /// but its first fifth. `meter` is called where that begins and where it ends. Then waits until everybody
    /// has everything.
    ///
    /// # Errors
    /// When a member got anything but every message once and in order.
    pub fn run<T>(
        &mut self,
        crowd: &mut Crowd,
        duration: Duration,
        meter: impl Fn() -> Result<T>,
    ) -> Result<(Reach, T, T)> {
        self.closed = true;
        for room in 0..self.rooms.len() {
            for sender in 0..self.shape.senders {
                self.send(room, sender, self.shape.window, Instant::now(), crowd)?;
            }
        }
        self.turn_for(crowd, duration / 5)?;
        self.to_the_last.clear();
        let (before, first) = (self.delivered(), meter()?);
        self.turn_for(crowd, duration - duration / 5)?;
        let (after, last) = (self.delivered(), meter()?);
        let reach = Reach { deliveries: after - before, to_the_last: std::mem::take(&mut self.to_the_last) };
        self.closed = false;
        self.drain(crowd)?;
        Ok((reach, first, last))
    }

    /// Sends `count` messages from the first sender of the first room, one each `period`, whether or not the
    /// earlier ones came back. Times count from when a message was due.
    ///
    /// # Errors
    /// As [`Load::run`].
    pub fn run_open(&mut self, crowd: &mut Crowd, count: usize, period: Duration) -> Result<Reach> {
        let before = self.delivered();
        let mut due = Instant::now();
        for _ in 0..count {
            due += period;
            while Instant::now() < due {
                // As in `turn_for`: what is measured is the server, not how fast this program wakes up.
                crowd.turn(Duration::ZERO, self)?;
            }
            self.send(0, 0, 1, due, crowd)?;
        }
        self.drain(crowd)?;
        let to_the_last = std::mem::take(&mut self.to_the_last);
        Ok(Reach { deliveries: self.delivered() - before, to_the_last })
    }

    fn send(
        &mut self,
        room: usize,
        sender: usize,
        count: usize,
        due: Instant,
        crowd: &mut Crowd,
    ) -> Result<()> {
        let sender = &mut self.rooms[room].senders[sender];
        sender.send(count, due, &mut crowd.links[sender.caller])
    }

    fn turn_for(&mut self, crowd: &mut Crowd, duration: Duration) -> Result<()> {
        let end = Instant::now() + duration;
        while Instant::now() < end {
            // This program never sleeps while it measures: to wake a sleeping reader costs its sender more than to
            // send, and would be counted as the server's.
            crowd.turn(Duration::ZERO, self)?;
        }
        Ok(())
    }

    fn drain(&mut self, crowd: &mut Crowd) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !self.rooms.iter().all(Room::is_complete) {
            if Instant::now() > deadline {
                bail!("messages are missing: {}", self.missing());
            }
            crowd.turn(Duration::from_millis(20), self)?;
        }
        Ok(())
    }

    fn missing(&self) -> String {
        let of_room = |room: &Room| {
            let unseen: u64 = room.senders.iter().map(|s| s.next - s.expected).sum();
            let behind = room.at.iter().filter(|&&at| at < room.end()).count();
            format!("in {} {unseen} came to nobody and {behind} members are behind", room.name)
        };
        let rooms = self.rooms.iter().filter(|room| !room.is_complete()).take(3);
        rooms.map(of_room).collect::<Vec<_>>().join("; ")
    }

    /// Messages times members until now.
    fn delivered(&self) -> u64 {
        let bytes: u64 = self.rooms.iter().flat_map(|room| &room.at).sum();
        bytes / self.delivered_bytes.max(1)
    }

    /// A whole line that a caller did not find among the room's bytes.
    fn line(&mut self, index: usize, line: &[u8], link: &mut Link) -> Result<()> {
        let room = &mut self.rooms[index / self.shape.members];
        let member = index % self.shape.members;
        let known = &room.bytes[room.offset(room.at[member])..];
        if known.starts_with(line) {
            room.at[member] += line.len() as u64;
            return Ok(());
        }
        if let Some(message) = room.message(line) {
            ensure!(
                known.is_empty(),
                "caller {index} got another message than the others: {}",
                String::from_utf8_lossy(line)
            );
            room.accept(self.kind, message, line)?;
            let bytes = line.len() as u64;
            ensure!(self.delivered_bytes == 0 || self.delivered_bytes == bytes, "lines differ in length");
            self.delivered_bytes = bytes;
            room.at[member] += bytes;
            return Ok(());
        }
        match line.strip_prefix(b"PING ") {
            Some(token) => link.send(&[b"PONG ", token].concat()),
            None if line.starts_with(b"ERROR") => bail!("caller {index}: {}", String::from_utf8_lossy(line)),
            None => Ok(()),
        }
    }
}

impl Listener for Load {
    fn receive(&mut self, index: usize, mut bytes: &[u8], link: &mut Link) -> Result<()> {
        let (room_index, member) = (index / self.shape.members, index % self.shape.members);
        while !bytes.is_empty() {
            let room = &mut self.rooms[room_index];
            let begun = &mut self.begun[index];
            if begun.is_empty() {
                bytes = &bytes[room.follow(member, bytes, begun)..];
                if bytes.is_empty() {
                    break;
                }
            }
            let Some(end) = bytes.iter().position(|&b| b == b'\n') else {
                begun.extend_from_slice(bytes);
                break;
            };
            let (piece, rest) = bytes.split_at(end + 1);
            bytes = rest;
            if begun.is_empty() {
                self.line(index, piece, link)?;
            } else {
                let mut line = std::mem::take(begun);
                line.extend_from_slice(piece);
                self.line(index, &line, link)?;
            }
        }
        let room = &mut self.rooms[room_index];
        if let Some(sender) = self.shape.sender(member) {
            let back = room.came_back(member, sender);
            if self.closed && back > 0 {
                room.senders[sender].send(back, Instant::now(), link)?;
            }
        }
        if member == room.slowest {
            room.everybody_has(&mut self.to_the_last);
        }
        Ok(())
    }
}

impl Sender {
    fn new(room: &str, index: usize, caller: usize) -> Sender {
        let mut line = [b'x'; LINE_BYTES];
        let head = format!("PRIVMSG {room} :{index:04} {:012} ", 0);
        line[..head.len()].copy_from_slice(head.as_bytes());
        line[LINE_BYTES - 2..].copy_from_slice(b"\r\n");
        Sender { caller, line, next: 0, expected: 0, sent: VecDeque::new(), ahead: VecDeque::new() }
    }

    fn send(&mut self, count: usize, due: Instant, link: &mut Link) -> Result<()> {
        let mut lines = Vec::with_capacity(count * LINE_BYTES);
        for _ in 0..count {
            self.number(self.next);
            lines.extend_from_slice(&self.line);
            self.next += 1;
            self.sent.push_back(due);
        }
        link.send(&lines)
    }

    /// Writes a message's number into the line.
    fn number(&mut self, mut number: u64) {
        for digit in self.line[NUMBER].iter_mut().rev() {
            *digit = b'0' + (number % 10) as u8;
            number /= 10;
        }
    }
}

/// Where the text, the sender and the number stand in `PRIVMSG #r000 :0000 000000000000 xxx…`.
const TEXT: usize = 15;
const SENDER: Range<usize> = 15..19;
const NUMBER: Range<usize> = 20..32;

impl Room {
    fn new(index: usize, shape: Shape) -> Room {
        let first = index * shape.members;
        let name = Shape::room(first, shape.members);
        let sending = (0..shape.members).filter_map(|member| Some((shape.sender(member)?, first + member)));
        let senders = sending.map(|(sender, caller)| Sender::new(&name, sender, caller)).collect();
        let at = vec![0; shape.members];
        Room { bytes: Vec::new(), base: 0, marks: VecDeque::new(), senders, at, slowest: 0, name }
    }

    fn end(&self) -> u64 {
        self.base + self.bytes.len() as u64
    }

    fn offset(&self, at: u64) -> usize {
        (at - self.base) as usize
    }

    fn is_complete(&self) -> bool {
        self.senders.iter().all(|s| s.expected == s.next) && self.at.iter().all(|&at| at == self.end())
    }

    /// Goes along the room's bytes as far as `bytes` are the same, and gives back how many of them were used.
    /// Where they differ, the member stands at the beginning of the line that differs, and what it has of that
    /// line from earlier is in `begun`.
    fn follow(&mut self, member: usize, bytes: &[u8], begun: &mut Vec<u8>) -> usize {
        let at = self.offset(self.at[member]);
        let known = &self.bytes[at..];
        let count = known.len().min(bytes.len());
        if known[..count] == bytes[..count] {
            self.at[member] += count as u64;
            return count;
        }
        let same = known.iter().zip(bytes).take_while(|(a, b)| a == b).count();
        let line = self.bytes[..at + same].iter().rposition(|&b| b == b'\n').map_or(0, |end| end + 1);
        self.at[member] = self.base + line as u64;
        if line < at {
            begun.extend_from_slice(&self.bytes[line..at]);
        }
        line.saturating_sub(at)
    }

    /// The message in a line, without what the server put before it.
    fn message<'a>(&self, line: &'a [u8]) -> Option<&'a [u8]> {
        let message = &line[line.len().checked_sub(LINE_BYTES)?..];
        let named = message.starts_with(b"PRIVMSG ") && message[8..].starts_with(self.name.as_bytes());
        named.then_some(message)
    }

    /// The next line of the room: it must be the next message of its sender, every byte of it.
    fn accept(&mut self, kind: Kind, message: &[u8], line: &[u8]) -> Result<()> {
        let digits = |range: Range<usize>| std::str::from_utf8(&message[range]).ok()?.parse::<u64>().ok();
        let said = || String::from_utf8_lossy(line);
        let sender = digits(SENDER).and_then(|sender| self.senders.get_mut(sender as usize));
        let Some(sender) = sender else { bail!("a message of nobody: {}", said()) };
        sender.number(sender.expected);
        ensure!(
            sender.line[TEXT..] == message[TEXT..],
            "not message {} of its sender: {}",
            sender.expected,
            said()
        );
        let source = format!(":{}!", nick(sender.caller));
        ensure!(
            kind == Kind::Floor || line.starts_with(source.as_bytes()),
            "said by somebody else: {}",
            said()
        );
        sender.expected += 1;
        let Some(sent) = sender.sent.pop_front() else { bail!("a message before it was sent: {}", said()) };
        self.bytes.extend_from_slice(line);
        let end = self.base + self.bytes.len() as u64;
        sender.ahead.push_back(end);
        self.marks.push_back((end, sent));
        Ok(())
    }

    /// How many of its own messages came back to a sender since it was last asked.
    fn came_back(&mut self, member: usize, sender: usize) -> usize {
        let (at, ahead) = (self.at[member], &mut self.senders[sender].ahead);
        let mut count = 0;
        while ahead.front().is_some_and(|&end| end <= at) {
            ahead.pop_front();
            count += 1;
        }
        count
    }

    /// Notes the messages that the slowest member has got, and who is the slowest now.
    fn everybody_has(&mut self, to_the_last: &mut Vec<Duration>) {
        let Some(&least) = self.at.iter().min() else { return };
        // The last of equals: sockets become readable in the order of the members, so it is looked for less often.
        self.slowest = self.at.iter().rposition(|&at| at == least).unwrap_or(0);
        let now = Instant::now();
        while let Some((_, sent)) = self.marks.pop_front_if(|(end, _)| *end <= least) {
            to_the_last.push(now.saturating_duration_since(sent));
        }
        if self.offset(least) > FORGET_BYTES {
            let whole =
                self.bytes[..self.offset(least)].iter().rposition(|&b| b == b'\n').map_or(0, |end| end + 1);
            self.bytes.drain(..whole);
            self.base += whole as u64;
        }
    }
}

#[cfg(test)]
mod tests;
