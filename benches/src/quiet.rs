//! What a server costs before anybody says anything: start-up, registrations, idle connections, a crowd that
//! comes in at once.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::crowd::{By, Crowd, Link, Listener, nick};
use crate::process::{Process, free_address};
use crate::servers::{Kind, Places};
use crate::table;

/// Memory of an empty server and of each of `count` registered callers who are silent, inside of TLS or not.
///
/// # Errors
/// When the server is missing or fails.
pub fn idle(places: &Places, count: usize, tls: bool) -> Result<bool> {
    let mut reached = true;
    let (most, how) = if tls { (10.0, " TLS") } else { (3.0, "") };
    // The other server is not set up for TLS.
    for kind in kinds(places).into_iter().filter(|kind| !tls || *kind == Kind::Chinwag) {
        let server = places.start(kind)?;
        let by = || if tls { By::tls() } else { Ok(By::Plain) };
        if tls {
            // What the first handshake makes is for all of them.
            Crowd::by(server.process.address, by()?)?.connect()?;
        }
        let empty = server.process.settled_memory()?;
        let mut crowd = Crowd::by(server.process.address, by()?)?;
        crowd.enter(kind, count, |_| None)?;
        let full = server.process.settled_memory()?;
        let each = full.anonymous.saturating_sub(empty.anonymous) as f64 / count as f64 / 1024.0;
        let resident = empty.resident as f64 / f64::from(1 << 20);
        if kind == Kind::Chinwag {
            reached &= table::verdict("chinwag, resident when empty", resident, "MB", 30.0, false);
            let what = format!("chinwag, each of {count} idle{how} connections");
            reached &= table::verdict(&what, each, "KB", most, false);
        } else {
            println!("{}: resident when empty {resident:.2} MB, each of {count} {each:.2} KB", kind.name());
        }
    }
    Ok(reached)
}

/// Registrations per CPU-second of the server: accepted, `NICK`, `USER`, the welcome read to its end. The floor accepts,
/// reads a line and sends it back: what that takes is the system's, and no server takes less.
///
/// # Errors
/// When the server is missing or fails.
pub fn registrations(places: &Places, count: usize, rounds: usize) -> Result<bool> {
    let (mut reached, mut floor) = (true, f64::NAN);
    for kind in std::iter::once(Kind::Floor).chain(kinds(places)) {
        let mut rates = Vec::new();
        for _ in 0..rounds.max(1) {
            let server = places.start(kind)?;
            let mut crowd = Crowd::new(server.process.address)?;
            let before = server.process.cpu()?;
            crowd.come_in(kind, count, |_| None)?;
            let cpu = server.process.cpu()? - before;
            rates.push(count as f64 / cpu.as_secs_f64().max(1e-6) / 1e3);
        }
        let rate = table::median(&rates);
        if kind == Kind::Chinwag {
            reached &= table::verdict("chinwag, registrations per CPU-second", rate, "k", 40.0, true);
        } else {
            println!("{}: registrations per CPU-second {rate:.2} k", kind.name());
        }
        match kind {
            Kind::Floor => floor = rate,
            _ => println!("    that is {:.2} of the floor's", rate / floor),
        }
    }
    Ok(reached)
}

fn kinds(places: &Places) -> Vec<Kind> {
    let inspircd = places.has_inspircd().then_some(Kind::Inspircd);
    std::iter::once(Kind::Chinwag).chain(inspircd).collect()
}

/// `count` callers join one room at once: the time and the bytes until each has the whole list of names and has seen
/// everybody who joined after it; for chinwag also without the names (`no-implicit-names`).
///
/// # Errors
/// When the server is missing or fails, callers do not agree about who joined when, or a list of names is not whole.
pub fn storm(places: &Places, count: usize, rounds: usize) -> Result<bool> {
    let mut reached = true;
    for kind in kinds(places) {
        let (time, megabytes) = storms(places, kind, count, rounds, true)?;
        let with = format!("{count} join one room, {megabytes:.1} MB to all of them");
        if kind == Kind::Inspircd {
            println!("{}: {with}: {time:.2} s", kind.name());
            continue;
        }
        reached &= table::verdict(&format!("chinwag, {with}"), time, "s", 0.25, false);
        let (time, megabytes) = storms(places, kind, count, rounds, false)?;
        println!("chinwag, the same with no-implicit-names, {megabytes:.1} MB: {time:.2} s");
    }
    Ok(reached)
}

/// Seconds and megabytes of the median of some storms.
fn storms(places: &Places, kind: Kind, count: usize, rounds: usize, names: bool) -> Result<(f64, f64)> {
    let (mut times, mut megabytes) = (Vec::new(), Vec::new());
    for _ in 0..rounds.max(1) {
        let server = places.start(kind)?;
        let mut crowd = Crowd::new(server.process.address)?;
        crowd.enter(kind, count, |_| None)?;
        let mut storm = Storm { callers: vec![Joining::default(); count], ..Storm::default() };
        if !names {
            for link in &mut crowd.links {
                link.send(b"CAP REQ no-implicit-names\r\n")?;
            }
            crowd.turn_until(&mut storm, |storm| storm.granted == count)?;
        }
        storm.bytes = 0;
        let begin = Instant::now();
        for link in &mut crowd.links {
            link.send(b"JOIN #storm\r\n")?;
        }
        let (joins, lists) = (count * (count + 1) / 2, if names { count } else { 0 });
        crowd.turn_until(&mut storm, |storm| storm.lists == lists && storm.joins == joins)?;
        times.push(begin.elapsed().as_secs_f64());
        megabytes.push(storm.bytes as f64 / 1e6);
        storm.check(names)?;
    }
    Ok((table::median(&times), table::median(&megabytes)))
}

#[derive(Clone, Default)]
struct Joining {
    begun: Vec<u8>,
    /// Who it saw joining, in order, itself first.
    seen: Vec<u32>,
    /// Names that it was told.
    named: usize,
}

#[derive(Default)]
struct Storm {
    callers: Vec<Joining>,
    joins: usize,
    /// Lists of names that came to their end.
    lists: usize,
    /// Callers who were granted the capability.
    granted: usize,
    bytes: usize,
}

impl Storm {
    /// Who came last must have seen the same joins, in the same order, as everybody saw at the end; and everybody is
    /// either on a caller's list or was seen to join by it.
    fn check(&self, names: bool) -> Result<()> {
        let longest = self.callers.iter().map(|caller| &caller.seen).max_by_key(|seen| seen.len());
        let all = longest.context("nobody joined")?;
        for (index, caller) in self.callers.iter().enumerate() {
            ensure!(
                caller.seen.first() == Some(&(index as u32)),
                "caller {index} did not see itself join first"
            );
            ensure!(all.ends_with(&caller.seen), "caller {index} saw the joins in another order");
            let known = caller.named + caller.seen.len() - 1;
            ensure!(
                !names || known == self.callers.len(),
                "caller {index} was told {} names and saw {} joins",
                caller.named,
                caller.seen.len()
            );
        }
        Ok(())
    }
}

impl Listener for Storm {
    fn receive(&mut self, index: usize, bytes: &[u8], _: &mut Link) -> Result<()> {
        let Joining { begun, seen, named } = &mut self.callers[index];
        self.bytes += bytes.len();
        for piece in bytes.split_inclusive(|&b| b == b'\n') {
            if !piece.ends_with(b"\n") {
                begun.extend_from_slice(piece);
                continue;
            }
            let whole;
            let line = if begun.is_empty() {
                piece
            } else {
                begun.extend_from_slice(piece);
                whole = std::mem::take(begun);
                &whole
            };
            // `:b00000!user@host JOIN #storm`, and among the numerics `:server 366 nick #storm :…`.
            let command = line.iter().position(|&b| b == b' ').map_or(line, |at| &line[at + 1..]);
            if command.starts_with(b"JOIN ") {
                let digits = std::str::from_utf8(line.get(2..7).unwrap_or_default())?;
                seen.push(digits.parse().with_context(|| format!("who is {digits:?}?"))?);
                self.joins += 1;
            } else if command.starts_with(b"353 ") {
                // Behind the second colon: names with a space between them.
                let list = command.iter().position(|&b| b == b':').map_or(&b""[..], |at| &command[at + 1..]);
                *named += list.split(|&b| b == b' ').filter(|name| !name.trim_ascii().is_empty()).count();
            } else if command.starts_with(b"366 ") {
                self.lists += 1;
            } else if command.starts_with(b"CAP ") {
                self.granted += 1;
            }
        }
        Ok(())
    }
}

/// From the start of the process on an empty folder until a caller is welcomed.
///
/// # Errors
/// When the server is missing or fails.
pub fn startup(places: &Places, rounds: usize) -> Result<bool> {
    let mut times = Vec::new();
    for _ in 0..rounds.max(1) {
        let folder = places.new_folder()?;
        let address = free_address()?;
        let command: Command = places.chinwag_command(folder.path(), &address.to_string())?;
        let begin = Instant::now();
        let process = Process::start(command, address, folder.path())?;
        let mut stream = TcpStream::connect(process.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        let nick = nick(0);
        stream.write_all(format!("NICK {nick}\r\nUSER {nick} 0 * :bench\r\n").as_bytes())?;
        let mut answer = Vec::new();
        let mut buffer = [0; 4096];
        while !answer.windows(5).any(|window| window == b" 001 ") {
            let count = stream.read(&mut buffer)?;
            ensure!(count > 0, "the server closed the connection: {}", String::from_utf8_lossy(&answer));
            answer.extend_from_slice(&buffer[..count]);
        }
        times.push(begin.elapsed().as_secs_f64() * 1e3);
    }
    Ok(table::verdict("chinwag, from start to the first welcome", table::median(&times), "ms", 50.0, false))
}
