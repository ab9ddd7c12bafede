//! A hostile hour in two minutes: strangers from hundreds of addresses do what strangers do to open servers, while a few
//! people talk in a room. Measured is what the people notice; counted is what the strangers are told, and whether the
//! server's own figures know of every refusal.
//!
//! Three parts of one run are held against each other: quiet; the same talk while some threads beside it only spin; and the
//! attack. The strangers come from 127.64.0.0 and above, with a limit on everybody, this machine included.

mod attacks;
mod lines;
mod page;
mod people;
mod tally;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use self::page::Page;
use self::people::{People, Phase};
use self::tally::Tally;
use crate::process::free_address;
use crate::servers::{Places, Server};
use crate::table;

/// What the program itself takes beside the budget for callers, in MiB: its code, its database, its threads.
const BASE_MIB: u64 = 96;
/// Between two looks at the server from outside.
const LOOK: Duration = Duration::from_millis(200);
/// Niceness of the threads that attack: the people they disturb are not to wait for them here.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;

/// How much to do.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Options {
    /// Seconds of the attack; a sixth of it before is quiet, and a sixth is the control
    #[arg(long, default_value_t = 120)]
    seconds: u64,
    /// People who talk in a room
    #[arg(long, default_value_t = 12)]
    people: usize,
    /// Milliseconds within which 99 of 100 messages have to be there
    #[arg(long, default_value_t = 50.0)]
    p99_ms: f64,
    /// The server's budget for memory, in MiB
    #[arg(long, default_value_t = 256)]
    budget_mib: u64,
}

/// Everything that the parts of a run share.
struct Stage {
    address: SocketAddr,
    /// The part of the run that what is said now belongs to.
    phase: AtomicU8,
    /// The strangers stop.
    peace: AtomicBool,
    began: Instant,
}

/// Measures and prints; `true` when people were served in time, lost nothing and were refused nothing, memory stayed
/// under its budget, and every refusal that a stranger saw has a counter.
///
/// # Errors
/// When the server is missing or fails.
pub fn run(places: &Places, options: Options) -> Result<bool> {
    let figures = free_address()?;
    let server = places.start_configured(&config(figures, options.budget_mib))?;
    let stage = Arc::new(Stage {
        address: server.process.address,
        phase: AtomicU8::new(Phase::Quiet as u8),
        peace: AtomicBool::new(false),
        began: Instant::now(),
    });
    let part = Duration::from_secs((options.seconds / 6).max(2));
    people::register(&stage)?;
    let people = People::enter(&stage, options.people)?;
    thread::sleep(part);
    stage.phase.store(Phase::Spinning as u8, Ordering::Relaxed);
    spin(part);
    stage.phase.store(Phase::Hostile as u8, Ordering::Relaxed);
    let cpu = server.process.cpu()?;
    let attackers = attacks::start(&stage);
    let newcomers = people::newcomers(&stage);
    let looks = look(&server, Duration::from_secs(options.seconds))?;
    stage.peace.store(true, Ordering::Relaxed);
    let mut seen = Tally::default();
    for attacker in attackers {
        let tally = attacker.join().map_err(|_| anyhow::anyhow!("an attack has failed"))?;
        seen.add(&tally);
    }
    let cpu = server.process.cpu()? - cpu;
    let newcomers = newcomers.join().map_err(|_| anyhow::anyhow!("the newcomers have failed"))?;
    let heard = people.leave()?;
    let page = Page::read(figures)?;
    let mut good = heard.show(options.p99_ms);
    good &= newcomers.show();
    good &= looks.show(options, cpu, Duration::from_secs(options.seconds));
    good &= seen.show(&page);
    ensure!(page.value("chinwag_log_writable") == Some(1.0), "the log was lost");
    Ok(good)
}

/// Nobody is exempt, and figures are shown; all else is as it comes.
fn config(figures: SocketAddr, budget_mib: u64) -> String {
    format!(
        "[throttle]\nexempt = []\n[metrics]\naddress = \"{figures}\"\n[limits]\nmemory_bytes = {}\n",
        budget_mib << 20
    )
}

/// Some threads do nothing but run, as eagerly as those that attack.
fn spin(lasts: Duration) {
    let end = Instant::now() + lasts;
    thread::scope(|scope| {
        for _ in 0..attacks::SPINNING {
            scope.spawn(|| {
                be_nice();
                let mut turns = 0_u64;
                while Instant::now() < end {
                    for _ in 0..1000 {
                        turns = std::hint::black_box(turns.wrapping_mul(6_364_136_223_846_793_005) | 1);
                    }
                }
            });
        }
    });
}

/// This thread lets others go first.
fn be_nice() {
    #[cfg(target_os = "linux")]
    if rustix::process::nice(NICE).is_err() {
        println!("the attackers are not nice: people wait for them, too");
    }
}

/// What was seen of the server from outside.
struct Looks {
    /// Resident bytes, one after the other.
    resident: Vec<u64>,
}

fn look(server: &Server, lasts: Duration) -> Result<Looks> {
    let end = Instant::now() + lasts;
    let mut resident = vec![server.process.memory()?.resident];
    while Instant::now() < end {
        thread::sleep(LOOK.min(end.saturating_duration_since(Instant::now())));
        resident.push(server.process.memory()?.resident);
    }
    Ok(Looks { resident })
}

impl Looks {
    fn show(&self, options: Options, cpu: Duration, wall: Duration) -> bool {
        let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        let tenth = (self.resident.len() / 10).max(1);
        let steps: Vec<String> =
            self.resident.iter().step_by(tenth).map(|bytes| format!("{:.0}", mib(*bytes))).collect();
        println!("\nThe server's memory during the attack, in MiB: {}", steps.join(" "));
        let busy = cpu.as_secs_f64() / wall.as_secs_f64();
        println!(
            "The server was busy for {:.1} s of {} s ({busy:.2} processors).",
            cpu.as_secs_f64(),
            wall.as_secs()
        );
        let most = self.resident.iter().copied().max().unwrap_or(0);
        let bound = (options.budget_mib + BASE_MIB) as f64;
        table::verdict("the most of it", mib(most), "MiB", bound, false)
    }
}

/// A stranger's address: those of one pool are the same ones again and again.
fn stranger(pool: u8, n: u32) -> Ipv4Addr {
    let [_, _, high, low] = n.to_be_bytes();
    Ipv4Addr::new(127, 64 + pool, high, low.max(1))
}
