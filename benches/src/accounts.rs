//! A crowd that registers accounts and logs in to them at once, and what somebody who has nothing to do with it
//! notices: passwords are hashed beside the thread that runs the chat, a few at a time.
//!
//! What the machine alone does to such a bystander is measured in the same run: the same PINGs at the same server, once
//! nobody registers any more, while as many threads as the server hashes with spin outside it, as eagerly.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use chinwag_wire::base64;

use crate::crowd::{Crowd, Link, Listener};
use crate::process::Process;
use crate::servers::{Kind, Places};
use crate::table;

/// The slowest answer to a PING meanwhile, in milliseconds.
const TARGET_MS: f64 = 50.0;
/// What the crowd may add to the server's memory, in MB.
const TARGET_MB: f64 = 128.0;
/// How long a crowd may take.
const PATIENCE: Duration = Duration::from_secs(300);
/// The threads with which the server hashes at most.
const SPINNING: usize = 2;
/// Their niceness.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;
/// Between two PINGs.
const PAUSE: Duration = Duration::from_millis(2);

/// Measures and prints; `true` when nobody waited for long and memory stayed bounded.
///
/// # Errors
/// When the server is missing or fails, or somebody cannot register or log in.
pub fn run(places: &Places, count: usize) -> Result<bool> {
    let server = places.start(Kind::Chinwag)?;
    let process = &server.process;
    let before = process.settled_memory()?;
    let bystander = Bystander::start(process.address, "bystander");
    let mut most = before.resident;
    let registered = phase(process, count, &mut most, "REGISTER", |index| {
        format!("NICK n{index}\r\nUSER u 0 * :u\r\nREGISTER * * password-of-{index}\r\n")
    })?;
    let logged_in = phase(process, count, &mut most, "903", |index| {
        let proof = base64::encode(format!("\0n{index}\0password-of-{index}").as_bytes());
        format!(
            "CAP REQ :sasl\r\nNICK m{index}\r\nUSER u 0 * :u\r\nAUTHENTICATE PLAIN\r\nAUTHENTICATE {proof}\r\nCAP END\r\n"
        )
    })?;
    let took = bystander.stop()?;
    let control = control(process.address, registered + logged_in)?;
    println!(
        "chinwag: {count} register at once in {:.1} s, {count} log in with SASL in {:.1} s",
        registered.as_secs_f64(),
        logged_in.as_secs_f64()
    );
    show("meanwhile", &took);
    show("while others spin instead", &control);
    let slowest = table::percentile(&took, 1.0).as_secs_f64() * 1e3;
    let growth = most.saturating_sub(before.resident) as f64 / f64::from(1 << 20);
    let mut reached = table::verdict("the slowest of them", slowest, "ms", TARGET_MS, false);
    reached &= table::verdict("the server's memory grew by at most", growth, "MB", TARGET_MB, false);
    Ok(reached)
}

fn show(when: &str, took: &[Duration]) {
    let ping = |share| table::ms(table::percentile(took, share));
    println!(
        "{} PINGs of a bystander {when}: median {}, 99 of 100 within {}, 999 of 1,000 within {}, all within {}",
        took.len(),
        ping(0.5),
        ping(0.99),
        ping(0.999),
        ping(1.0)
    );
}

/// The same PINGs for so long, while threads of this process spin at the niceness of those that hash passwords.
fn control(address: SocketAddr, lasts: Duration) -> Result<Vec<Duration>> {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..SPINNING {
            scope.spawn(|| {
                #[cfg(target_os = "linux")]
                if rustix::process::nice(NICE).is_err() {
                    println!("the threads beside the control are not nice: it shows too much");
                }
                let mut turns = 0_u64;
                while !done.load(Ordering::Relaxed) {
                    turns =
                        std::hint::black_box(turns.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
                }
            });
        }
        let bystander = Bystander::start(address, "control");
        thread::sleep(lasts);
        done.store(true, Ordering::Relaxed);
        bystander.stop()
    })
}

/// Somebody who only pings, on a thread of its own.
struct Bystander {
    stop: Arc<AtomicBool>,
    pings: thread::JoinHandle<Result<Vec<Duration>>>,
}

impl Bystander {
    /// Under a nickname of its own: the one before may not be free yet.
    fn start(address: SocketAddr, nick: &'static str) -> Bystander {
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        Bystander { stop, pings: thread::spawn(move || pings(address, nick, &told)) }
    }

    /// How long each `PING` took.
    fn stop(self) -> Result<Vec<Duration>> {
        self.stop.store(true, Ordering::Relaxed);
        self.pings.join().map_err(|_| anyhow::anyhow!("the bystander has failed"))?
    }
}

/// `count` new callers say `greeting` at once, and wait until each was told `answer`. How long that took; `most` is
/// the most memory that the server has used.
fn phase(
    process: &Process,
    count: usize,
    most: &mut u64,
    answer: &'static str,
    greeting: impl Fn(usize) -> String,
) -> Result<Duration> {
    let mut crowd = Crowd::new(process.address)?;
    for _ in 0..count {
        crowd.connect()?;
    }
    let mut answers = Answers { answer, begun: vec![Vec::new(); count], done: 0 };
    let began = Instant::now();
    for (index, link) in crowd.links.iter_mut().enumerate() {
        link.send(greeting(index).as_bytes())?;
    }
    while answers.done < count {
        ensure!(began.elapsed() < PATIENCE, "{} of {count} had an answer in time", answers.done);
        crowd.turn(Duration::from_millis(100), &mut answers)?;
        *most = (*most).max(process.memory()?.resident);
    }
    Ok(began.elapsed())
}

/// Counts the answers that a crowd waits for.
struct Answers {
    answer: &'static str,
    begun: Vec<Vec<u8>>,
    done: usize,
}

impl Listener for Answers {
    fn receive(&mut self, index: usize, bytes: &[u8], _: &mut Link) -> Result<()> {
        let begun = &mut self.begun[index];
        begun.extend_from_slice(bytes);
        let end = begun.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        for line in String::from_utf8_lossy(&begun[..end]).lines() {
            // `:server REGISTER SUCCESS …`, `:server 903 …`
            let command = line.split(' ').nth(1).unwrap_or_default();
            ensure!(!matches!(command, "FAIL" | "904"), "caller {index} is refused: {line}");
            self.done += usize::from(command == self.answer);
        }
        begun.drain(..end);
        Ok(())
    }
}

/// How long each `PING` took until it was told to stop.
fn pings(address: SocketAddr, nick: &str, stop: &AtomicBool) -> Result<Vec<Duration>> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let mut until = |text: &str| -> Result<()> {
        loop {
            let line = lines.next().context("the server has closed the bystander's connection")??;
            if line.contains(text) {
                return Ok(());
            }
        }
    };
    stream.write_all(format!("NICK {nick}\r\nUSER b 0 * :b\r\n").as_bytes())?;
    until(" 422 ")?;
    let mut took = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let asked = Instant::now();
        stream.write_all(b"PING now\r\n")?;
        until(" PONG ")?;
        took.push(asked.elapsed());
        thread::sleep(PAUSE);
    }
    Ok(took)
}
