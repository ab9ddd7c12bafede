//! What strangers do, a thread a kind. Each goes on until there is peace and gives what it was told.
//!
//! A new attack is a function and a row in [`ATTACKS`].

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use chinwag_wire::base64;

use super::lines::{connect, is_late};
use super::people::ROOM;
use super::tally::Tally;
use super::{Stage, be_nice, stranger};

/// An attack: the pool of its addresses is its place in the list.
type Attack = fn(&mut Stranger);

/// All of them.
const ATTACKS: &[Attack] = &[
    flood,
    squat,
    trickle,
    storm,
    register,
    guess,
    guess_by_http,
    junk,
    talk_much,
    wander,
    ask_much,
    read_slowly,
    write_to_all,
];

/// The threads that spin in the control: about as many of those that attack are busy at once.
pub const SPINNING: usize = 4;

/// Bytes of a connection's input that are looked at in one go.
const READ_BYTES: usize = 64 * 1024;

/// Starts them all.
pub fn start(stage: &Arc<Stage>) -> Vec<JoinHandle<Tally>> {
    let start = |(pool, attack): (usize, &Attack)| {
        let (stage, attack) = (Arc::clone(stage), *attack);
        thread::spawn(move || {
            be_nice();
            let mut stranger = Stranger { stage, pool: pool as u8, n: 0, tally: Tally::default() };
            attack(&mut stranger);
            stranger.tally
        })
    };
    ATTACKS.iter().enumerate().map(start).collect()
}

/// Somebody with many addresses.
struct Stranger {
    stage: Arc<Stage>,
    pool: u8,
    n: u32,
    tally: Tally,
}

/// One of their connections.
struct Link {
    stream: TcpStream,
    come: Vec<u8>,
    heard: bool,
}

impl Stranger {
    fn at_peace(&self) -> bool {
        self.stage.peace.load(Ordering::Relaxed)
    }

    fn rest(&self, ms: u64) {
        thread::sleep(Duration::from_millis(ms));
    }

    /// A number that was not given before.
    fn next(&mut self) -> u32 {
        self.n += 1;
        self.n
    }

    /// Connects from one of so many addresses.
    fn connect(&mut self, addresses: u32) -> Option<Link> {
        self.tally.tries += 1;
        let from = stranger(self.pool, self.next() % addresses + 1);
        let stream =
            connect(from, self.stage.address).ok().filter(|stream| stream.set_nonblocking(true).is_ok());
        if stream.is_none() {
            self.tally.cut += 1;
        }
        Some(Link { stream: stream?, come: Vec::new(), heard: false })
    }

    /// Says as much of something as the socket takes; false when the connection is over.
    fn say(&mut self, link: &mut Link, bytes: &[u8]) -> bool {
        self.tally.tries += 1;
        match link.stream.write(bytes) {
            Ok(sent) => {
                self.tally.sent_bytes += sent as u64;
                true
            }
            Err(error) => is_late(&error),
        }
    }

    /// Reads what is there; false when the connection is over.
    fn hear(&mut self, link: &mut Link) -> bool {
        let mut buffer = [0; READ_BYTES];
        match link.stream.read(&mut buffer) {
            Ok(0) => self.over(link),
            Ok(count) => {
                link.heard = true;
                link.come.extend_from_slice(&buffer[..count]);
                self.tally.take(&mut link.come);
                true
            }
            Err(error) => is_late(&error) || self.over(link),
        }
    }

    fn over(&mut self, link: &mut Link) -> bool {
        if !link.come.is_empty() {
            link.come.push(b'\n');
            self.tally.take(&mut link.come);
        }
        self.tally.cut += u64::from(!link.heard);
        false
    }

    /// Reads for a while, or until the end.
    fn hear_for(&mut self, link: &mut Link, ms: u64) -> bool {
        let end = Instant::now() + Duration::from_millis(ms);
        while Instant::now() < end {
            if !self.hear(link) {
                return false;
            }
            self.rest(5);
        }
        true
    }

    /// Comes in by IRC under a name of its own.
    fn come_in(&mut self, addresses: u32) -> Option<Link> {
        let mut link = self.connect(addresses)?;
        let name = format!("x{}y{}", self.pool, self.n);
        let greeting = format!("NICK {name}\r\nUSER x 0 * :x\r\nJOIN {ROOM}\r\n");
        self.say(&mut link, greeting.as_bytes()).then_some(link)
    }

    /// Keeps so many connections inside, each of which says what `line` makes of its number, time and again.
    fn keep_on(&mut self, count: usize, addresses: u32, pause_ms: u64, line: impl Fn(u32) -> String) {
        let mut links: Vec<Link> = Vec::new();
        while !self.at_peace() {
            if links.len() < count
                && let Some(link) = self.come_in(addresses)
            {
                links.push(link);
            }
            let mut kept = Vec::new();
            for mut link in links {
                let n = self.next();
                if self.say(&mut link, line(n).as_bytes()) && self.hear(&mut link) {
                    kept.push(link);
                }
            }
            links = kept;
            self.rest(pause_ms);
        }
        for mut link in links {
            self.hear_for(&mut link, 20);
        }
    }
}

/// Connections that say nothing and go, as fast as one thread makes them.
fn flood(who: &mut Stranger) {
    while !who.at_peace() {
        if let Some(mut link) = who.connect(6) {
            who.hear(&mut link);
        }
        who.rest(2);
    }
}

/// Connections that say nothing and stay: many of a few addresses, and one of each of many.
fn squat(who: &mut Stranger) {
    let mut links: Vec<Link> = Vec::new();
    while !who.at_peace() {
        for _ in 0..8 {
            let addresses = if links.len().is_multiple_of(2) { 8 } else { 60_000 };
            if links.len() < 2_000
                && let Some(link) = who.connect(addresses)
            {
                links.push(link);
            }
        }
        let mut kept = Vec::new();
        for mut link in links {
            if who.hear(&mut link) {
                kept.push(link);
            }
        }
        links = kept;
        who.rest(40);
    }
}

/// The beginnings of every protocol, a byte at a time.
fn trickle(who: &mut Stranger) {
    let mut hello = vec![0x16, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3];
    hello.resize(400, 7);
    let upgrade = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nX: ";
    let words: [Vec<u8>; 6] = [
        b"hello, is anybody there, I type very slowly and never press".repeat(4),
        b"NICK slowly\r\nUSER slow 0 * :".iter().copied().chain([b's'; 300]).collect(),
        hello,
        b"GET /".iter().copied().chain([b'a'; 300]).collect(),
        upgrade.iter().copied().chain([b'u'; 300]).collect(),
        b"SSH-2.0-slow".iter().copied().chain([b's'; 200]).collect(),
    ];
    let mut links: Vec<(Link, usize, usize)> = Vec::new();
    while !who.at_peace() {
        for _ in 0..4 {
            if links.len() < 240
                && let Some(link) = who.connect(400)
            {
                let which = links.len() % words.len();
                links.push((link, which, 0));
            }
        }
        let mut kept = Vec::new();
        for (mut link, which, at) in links {
            let byte = words[which].get(at..=at);
            if byte.is_none_or(|byte| who.say(&mut link, byte)) && who.hear(&mut link) {
                kept.push((link, which, at + 1));
            }
        }
        links = kept;
        who.rest(150);
    }
}

/// In and out of rooms, new rooms, new nicknames.
fn storm(who: &mut Stranger) {
    who.keep_on(20, 2, 20, |n| {
        format!("JOIN #r{n}\r\nPART #r{n}\r\nJOIN {ROOM}\r\nPART {ROOM}\r\nNICK z{n}\r\n")
    });
}

/// Accounts, as many as go.
fn register(who: &mut Stranger) {
    let mut links: Vec<Link> = Vec::new();
    while !who.at_peace() {
        if let Some(mut link) = who.connect(4) {
            let n = who.n;
            let asked = format!("NICK r{n}\r\nUSER r 0 * :r\r\nREGISTER * * password-{n}\r\n");
            if who.say(&mut link, asked.as_bytes()) {
                links.push(link);
            }
        }
        let mut kept = Vec::new();
        for mut link in links {
            if who.hear(&mut link) {
                kept.push(link);
            }
        }
        links = kept;
        if links.len() > 60 {
            links.drain(..30);
        }
        who.rest(20);
    }
}

/// Passwords: by SASL, at the door, and of NickServ.
fn guess(who: &mut Stranger) {
    let mut links: Vec<Link> = Vec::new();
    while !who.at_peace() {
        if let Some(mut link) = who.connect(6) {
            let n = who.n;
            let proof = base64::encode(format!("\0r{n}\0guess{n}").as_bytes());
            let asked = match n % 3 {
                0 => format!(
                    "CAP REQ :sasl\r\nNICK g{n}\r\nUSER g 0 * :g\r\nAUTHENTICATE PLAIN\r\nAUTHENTICATE {proof}\r\n"
                ),
                1 => format!("PASS r1:guess{n}\r\nNICK g{n}\r\nUSER g 0 * :g\r\n"),
                _ => format!("NICK g{n}\r\nUSER g 0 * :g\r\n{}", "NS IDENTIFY r1 guess\r\n".repeat(12)),
            };
            if who.say(&mut link, asked.as_bytes()) {
                links.push(link);
            }
        }
        let mut kept = Vec::new();
        for mut link in links {
            if who.hear(&mut link) {
                kept.push(link);
            }
        }
        links = kept;
        if links.len() > 90 {
            links.drain(..30);
        }
        who.rest(25);
    }
}

/// Tokens and passwords by HTTP, and paths that are not there.
fn guess_by_http(who: &mut Stranger) {
    while !who.at_peace() {
        let Some(mut link) = who.connect(30) else { continue };
        let n = who.n;
        let kind = if n.is_multiple_of(2) { "Bearer" } else { "Basic" };
        let asked = format!(
            "GET /api/rooms HTTP/1.1\r\nHost: localhost\r\nAuthorization: {kind} {n:032x}\r\nConnection: close\r\n\r\n"
        );
        if who.say(&mut link, asked.as_bytes()) {
            who.hear_for(&mut link, 30);
        }
        who.rest(5);
    }
}

/// Lines and tags without end, what is no UTF-8, what is no message.
fn junk(who: &mut Stranger) {
    while !who.at_peace() {
        let Some(mut link) = who.come_in(40) else { continue };
        let said = match who.n % 5 {
            0 => vec![b'x'; 40 * 1024],
            1 => [b"@+a=".as_slice(), &[b'y'; 8000], b" PRIVMSG #tea :x\r\n"].concat(),
            2 => [b"PRIVMSG #tea :".as_slice(), &[0xff; 300], b"\r\n"].concat(),
            3 => [b"PRIVMSG #tea :".as_slice(), &[b'z'; 3000], b"\r\n"].concat(),
            _ => b"\0\0\0\r\n:\r\n@;;;\r\n: \r\nFLY ME\r\n".repeat(20),
        };
        who.hear_for(&mut link, 20);
        for part in said.chunks(16 * 1024) {
            who.say(&mut link, part);
            who.hear_for(&mut link, 5);
        }
        who.hear_for(&mut link, 20);
    }
}

/// As much as goes, in the people's room.
fn talk_much(who: &mut Stranger) {
    who.keep_on(15, 15, 40, |n| format!("PRIVMSG {ROOM} :{n} {}\r\n", "buy ".repeat(60)));
}

/// Comes, and goes, and comes.
fn wander(who: &mut Stranger) {
    while !who.at_peace() {
        if let Some(mut link) = who.come_in(200) {
            who.hear_for(&mut link, 15);
            who.say(&mut link, b"QUIT\r\n");
            who.hear_for(&mut link, 10);
        }
    }
}

/// What costs the server most to answer.
fn ask_much(who: &mut Stranger) {
    who.keep_on(15, 15, 40, |n| {
        let asked = [
            "LIST",
            "WHO *",
            "CHATHISTORY LATEST #tea * 100",
            "SEARCH text=buy",
            "NAMES #tea",
            "WHO #tea %tcnuhr",
            "WHOIS person1",
        ];
        format!("CAP REQ :draft/chathistory batch draft/search\r\n{}\r\n", asked[n as usize % asked.len()])
    });
}

/// Asks much and reads nothing.
fn read_slowly(who: &mut Stranger) {
    let mut links: Vec<Link> = Vec::new();
    while !who.at_peace() {
        if links.len() < 60
            && let Some(link) = who.come_in(20)
        {
            links.push(link);
        }
        let mut kept = Vec::new();
        for mut link in links {
            if who.say(&mut link, b"LIST\r\nNAMES #tea\r\nHELP\r\nVERSION\r\n") {
                kept.push(link);
            }
        }
        links = kept;
        who.rest(100);
    }
    for mut link in links {
        who.hear_for(&mut link, 20);
    }
}

/// Writes to everybody.
fn write_to_all(who: &mut Stranger) {
    who.keep_on(10, 2, 50, |n| {
        format!("PRIVMSG person{},visitor{n} :buy\r\nPRIVMSG x0y{n} :buy\r\n", n % 12)
    });
}
