//! The people: they talk in a room, each from an address of its own and by different ways, and note when they hear what
//! the others say. And those who come, say a word and go.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use chinwag_wire::base64;

use super::Stage;
use super::lines::{Way, Wire};
use crate::table;

/// Where they talk.
pub const ROOM: &str = "#tea";
/// Between two messages of somebody: below what is paced.
const PAUSE: Duration = Duration::from_millis(300);
/// How long somebody waits for what others said last, and for coming in.
const PATIENCE: Duration = Duration::from_secs(20);
/// Between two newcomers.
const BETWEEN: Duration = Duration::from_millis(500);

/// The parts of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Nothing else happens.
    Quiet,
    /// The processors of the load are busy.
    Spinning,
    /// Strangers attack.
    Hostile,
}

impl Phase {
    const ALL: [(Phase, &'static str); 3] = [
        (Phase::Quiet, "while it is quiet"),
        (Phase::Spinning, "while others only spin"),
        (Phase::Hostile, "during the attack"),
    ];
}

/// What the people share.
struct Table {
    stage: Arc<Stage>,
    /// How much each has said.
    said: Vec<AtomicU64>,
    /// Nobody says any more.
    leaving: AtomicBool,
    all_here: Barrier,
}

/// The people in the room.
pub struct People {
    table: Arc<Table>,
    threads: Vec<JoinHandle<Result<Heard>>>,
}

/// What somebody heard.
#[derive(Debug, Default)]
pub struct Heard {
    /// How long each message took, by phase.
    took: [Vec<Duration>; Phase::ALL.len()],
    /// What went wrong.
    wrong: Vec<String>,
}

impl People {
    /// Everybody comes in, enters the room, and begins to talk.
    ///
    /// # Errors
    /// When somebody cannot.
    pub fn enter(stage: &Arc<Stage>, count: usize) -> Result<People> {
        let table = Arc::new(Table {
            stage: Arc::clone(stage),
            said: (0..count).map(|_| AtomicU64::new(0)).collect(),
            leaving: AtomicBool::new(false),
            all_here: Barrier::new(count + 1),
        });
        let threads = (0..count)
            .map(|index| {
                let table = Arc::clone(&table);
                thread::spawn(move || talk(&table, index))
            })
            .collect();
        table.all_here.wait();
        Ok(People { table, threads })
    }

    /// Nobody says any more; once everybody has heard everything, all go.
    ///
    /// # Errors
    /// When somebody could not come in.
    pub fn leave(self) -> Result<Heard> {
        self.table.leaving.store(true, Ordering::Relaxed);
        let mut all = Heard::default();
        for thread in self.threads {
            let heard = thread.join().map_err(|_| anyhow::anyhow!("somebody has failed"))??;
            all.took.iter_mut().zip(heard.took).for_each(|(all, took)| all.extend(took));
            all.wrong.extend(heard.wrong);
        }
        Ok(all)
    }
}

impl Heard {
    /// Prints it; `true` when everything came, and in time.
    pub fn show(&self, p99_ms: f64) -> bool {
        let mut rows = vec![
            ["from saying to hearing", "messages", "median", "99 of 100", "999 of 1,000", "slowest"]
                .map(str::to_owned)
                .to_vec(),
        ];
        for (phase, name) in Phase::ALL {
            let took = &self.took[phase as usize];
            let within = |share| table::ms(table::percentile(took, share));
            rows.push(vec![
                name.into(),
                took.len().to_string(),
                within(0.5),
                within(0.99),
                within(0.999),
                within(1.0),
            ]);
        }
        table::print(&rows);
        println!();
        for wrong in self.wrong.iter().take(10) {
            println!("WRONG: {wrong}");
        }
        let p99 = table::percentile(&self.took[Phase::Hostile as usize], 0.99).as_secs_f64() * 1e3;
        let lost = table::verdict("lines lost and people refused", self.wrong.len() as f64, "", 0.0, false);
        let heard = !self.took[Phase::Hostile as usize].is_empty();
        table::verdict("99 of 100 messages during the attack", p99, "ms", p99_ms, false) && lost && heard
    }
}

/// One person's evening.
fn talk(table: &Table, index: usize) -> Result<Heard> {
    let way = [Way::Plain, Way::Tls, Way::WebSocket][index % 3];
    let host = Ipv4Addr::new(127, 0, 2, u8::try_from(index + 1)?);
    let came = come_in(table, way, host, &format!("person{index}"));
    table.all_here.wait();
    let (mut wire, mut come) = came?;
    let mut person = Person { index, next: vec![0; table.said.len()], heard: Heard::default() };
    let began = Instant::now();
    // Not all at the same moment.
    let mut due = began + PAUSE.mul_f64(index as f64 / table.said.len() as f64);
    let mut end = None;
    loop {
        let leaving = table.leaving.load(Ordering::Relaxed);
        if leaving {
            let end = *end.get_or_insert_with(|| Instant::now() + PATIENCE);
            if person.has_all(table) || Instant::now() > end {
                break;
            }
        } else if Instant::now() >= due {
            let number = table.said[index].fetch_add(1, Ordering::Relaxed);
            let (phase, now) =
                (table.stage.phase.load(Ordering::Relaxed), table.stage.began.elapsed().as_nanos());
            wire.send(&format!("PRIVMSG {ROOM} :tea {index} {number} {phase} {now}\r\n"))?;
            due = (due + PAUSE).max(Instant::now());
        }
        let within = if leaving { PAUSE } else { due.saturating_duration_since(Instant::now()) };
        match wire.receive(within, &mut come) {
            Ok(true) => person.hear(table, &mut wire, &mut come)?,
            Ok(false) => bail!("the server closed the connection of person {index}"),
            Err(error) => return Err(error.context(format!("person {index} lost the connection"))),
        }
    }
    for (other, (next, said)) in person.next.iter().zip(&table.said).enumerate() {
        let said = said.load(Ordering::Relaxed);
        if other != index && *next < said {
            person.heard.wrong.push(format!("person {index} heard {next} of the {said} messages of {other}"));
        }
    }
    Ok(person.heard)
}

/// Registers and enters the room. Gives the connection, and what came behind.
fn come_in(table: &Table, way: Way, host: Ipv4Addr, nick: &str) -> Result<(Wire, Vec<u8>)> {
    let mut wire = Wire::open(way, host, table.stage.address)?;
    wire.send(&format!("NICK {nick}\r\nUSER u 0 * :u\r\n"))?;
    let mut come = Vec::new();
    until(&mut wire, &mut come, " 422 ")?;
    wire.send(&format!("JOIN {ROOM}\r\n"))?;
    until(&mut wire, &mut come, " 366 ")?;
    Ok((wire, come))
}

/// Reads until a line with this is there, which is taken with all before it.
fn until(wire: &mut Wire, come: &mut Vec<u8>, text: &str) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        while let Some(end) = come.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = come.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            if let Some(token) = line.strip_prefix("PING ") {
                wire.send(&format!("PONG {token}"))?;
            }
            ensure!(!line.starts_with("ERROR") && !line.starts_with("* "), "refused: {}", line.trim_end());
            if line.contains(text) {
                return Ok(());
            }
        }
        let left = deadline.saturating_duration_since(Instant::now());
        ensure!(!left.is_zero(), "no {text} came in time");
        ensure!(wire.receive(left, come)?, "the server closed the connection before {text}");
    }
}

struct Person {
    index: usize,
    /// The number of the next message of each other one.
    next: Vec<u64>,
    heard: Heard,
}

impl Person {
    fn has_all(&self, table: &Table) -> bool {
        let mut others = self.next.iter().zip(&table.said).enumerate();
        others.all(|(other, (next, said))| other == self.index || *next >= said.load(Ordering::Relaxed))
    }

    fn hear(&mut self, table: &Table, wire: &mut Wire, come: &mut Vec<u8>) -> Result<()> {
        let now = table.stage.began.elapsed();
        while let Some(end) = come.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = come.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            if let Some(token) = line.strip_prefix("PING ") {
                wire.send(&format!("PONG {token}"))?;
            } else if line.contains(&format!(" PRIVMSG {ROOM} :tea ")) && line.starts_with(":person") {
                self.message(&line, now).with_context(|| line.trim_end().to_owned())?;
            } else if line.starts_with("ERROR") || is_refusal(&line) {
                self.heard.wrong.push(format!("person {} was told: {}", self.index, line.trim_end()));
            }
        }
        Ok(())
    }

    fn message(&mut self, line: &str, now: Duration) -> Result<()> {
        let (_, text) = line.trim_end().split_once(" :tea ").context("a message")?;
        let mut words = text.split(' ').map(str::parse::<u64>);
        let mut word = || words.next().context("a word is missing")?.context("no number");
        let (other, number, phase, at) = (word()? as usize, word()?, word()? as usize, word()?);
        let expected = self.next.get_mut(other).context("nobody")?;
        if number != *expected {
            self.heard.wrong.push(format!("person {} heard {number} of {other}, not {expected}", self.index));
        }
        *expected = number + 1;
        self.heard.took[phase.min(Phase::ALL.len() - 1)].push(now.saturating_sub(Duration::from_nanos(at)));
        Ok(())
    }
}

/// Whether a line says that something was not done.
fn is_refusal(line: &str) -> bool {
    let command = line.split(' ').nth(1).unwrap_or("");
    command == "FAIL"
        || command.len() == 3 && matches!(command.as_bytes()[0], b'4' | b'5') && command != "422"
}

/// The account of those who log in.
const ACCOUNT: &str = "regular";
const PASSWORD: &str = "a good long password";

/// Somebody makes an account, before anything happens.
///
/// # Errors
/// When it is refused.
pub fn register(stage: &Stage) -> Result<()> {
    let mut wire = Wire::open(Way::Plain, Ipv4Addr::new(127, 3, 255, 1), stage.address)?;
    wire.send(&format!("NICK {ACCOUNT}\r\nUSER r 0 * :r\r\nREGISTER * * :{PASSWORD}\r\n"))?;
    until(&mut wire, &mut Vec::new(), "REGISTER SUCCESS")?;
    wire.send("QUIT\r\n")?;
    Ok(())
}

/// How it went for those who came meanwhile.
#[derive(Debug, Default)]
pub struct Newcomers {
    took: Vec<Duration>,
    /// Those who logged in.
    logged_in: Vec<Duration>,
    refused: Vec<String>,
}

impl Newcomers {
    /// Prints it; `true` when everybody came in.
    pub fn show(&self) -> bool {
        let within = |share| table::ms(table::percentile(&self.took, share));
        println!(
            "{} people came from elsewhere meanwhile: median {} from connecting to the room, 99 of 100 within {}, all within {}",
            self.took.len(),
            within(0.5),
            within(0.99),
            within(1.0)
        );
        println!(
            "{} of others logged in with a password: median {}, the slowest {}",
            self.logged_in.len(),
            table::ms(table::percentile(&self.logged_in, 0.5)),
            table::ms(table::percentile(&self.logged_in, 1.0))
        );
        for refused in self.refused.iter().take(5) {
            println!("WRONG: {refused}");
        }
        table::verdict("newcomers who did not come in", self.refused.len() as f64, "", 0.0, false)
    }
}

/// People come, one after the other, each from an address that was not seen yet, say hello and go.
pub fn newcomers(stage: &Arc<Stage>) -> JoinHandle<Newcomers> {
    let stage = Arc::clone(stage);
    thread::spawn(move || {
        let (mut all, mut n) = (Newcomers::default(), 0_u32);
        while !stage.peace.load(Ordering::Relaxed) {
            n += 1;
            let began = Instant::now();
            let proves = n.is_multiple_of(4);
            match visit(&stage, n, proves) {
                Ok(()) if proves => all.logged_in.push(began.elapsed()),
                Ok(()) => all.took.push(began.elapsed()),
                Err(error) => all.refused.push(format!("newcomer {n}: {error:#}")),
            }
            thread::sleep(BETWEEN);
        }
        all
    })
}

fn visit(stage: &Stage, n: u32, proves: bool) -> Result<()> {
    let [_, _, high, low] = n.to_be_bytes();
    let host = Ipv4Addr::new(127, 3, high, low);
    let way = [Way::Plain, Way::WebSocket, Way::Tls][n as usize % 3];
    let mut wire = Wire::open(way, host, stage.address)?;
    let mut come = Vec::new();
    if proves {
        let proof = base64::encode(format!("\0{ACCOUNT}\0{PASSWORD}").as_bytes());
        wire.send(&format!("CAP REQ :sasl\r\nAUTHENTICATE PLAIN\r\nAUTHENTICATE {proof}\r\n"))?;
        until(&mut wire, &mut come, " 903 ")?;
        wire.send("CAP END\r\n")?;
    }
    wire.send(&format!("NICK visitor{n}\r\nUSER v 0 * :v\r\nJOIN {ROOM}\r\n"))?;
    until(&mut wire, &mut come, " 366 ")?;
    wire.send(&format!("PRIVMSG {ROOM} :hello\r\nQUIT\r\n"))?;
    Ok(())
}
