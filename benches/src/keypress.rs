//! From a key to the screen in the terminal client, while a room receives a thousand messages a second; and the same in an
//! idle room, which shows what the machine and the pseudo-terminal cost.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::num::NonZero;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use crate::servers::{Kind, Places};
use crate::table;

const COLUMNS: u16 = 120;
const ROWS: u16 = 40;
/// Messages a second.
const RATE: u64 = 1_000;
/// Keys before the editor is emptied again.
const LINE: u32 = 40;
/// Columns of the editor before what is typed.
const PROMPT: u16 = 3;
/// What a key may take at the 99th percentile.
const TARGET_MS: f64 = 16.0;
/// How long anything that is expected may take.
const WITHIN: Duration = Duration::from_secs(20);

/// How much to measure.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Keys of a round
    #[arg(long, default_value_t = 400)]
    keys: u32,
    /// Rounds, each in an idle room and in a busy one; the median of their percentiles counts
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

/// Measures and prints; `true` when the target was reached.
///
/// # Errors
/// When the program is missing or fails, or a key is never seen.
pub fn run(places: &Places, options: &Options) -> Result<bool> {
    let server = places.start(Kind::Chinwag)?;
    let command = places.chinwag_command(server.folder.path(), "127.0.0.1:0")?;
    let terminal = Terminal::join(&command, server.folder.path(), server.process.address)?;
    terminal.until("the room", |screen| screen.contents().contains("1 here"))?;
    let (mut idle, mut busy) = (Vec::new(), Vec::new());
    let mut rates = Vec::new();
    for _ in 0..options.rounds.max(1) {
        idle.push(keys(&terminal, options.keys)?);
        let flood = Flood::begin(server.process.address)?;
        terminal.until("the flood", |screen| screen.contents().contains("of many"))?;
        let (before, began) = (flood.heard(), Instant::now());
        busy.push(keys(&terminal, options.keys)?);
        rates.push((flood.heard() - before) as f64 / began.elapsed().as_secs_f64());
        flood.end()?;
    }
    let mut rows = vec![["", "p50", "p99 (median of the rounds')", "slowest"].map(str::to_owned).to_vec()];
    let busy_name = format!("{:.0} messages/s", table::median(&rates));
    rows.extend([row("idle room (control)", &idle), row(&busy_name, &busy)]);
    println!("From a key to the screen, {COLUMNS}x{ROWS}:\n");
    table::print(&rows);
    println!();
    ensure!(table::median(&rates) > 0.9 * RATE as f64, "the room received {rates:.0?} messages/s only");
    Ok(table::verdict("p99 in the busy room", table::median(&p99s(&busy)), "ms", TARGET_MS, false))
}

fn p99s(rounds: &[Vec<Duration>]) -> Vec<f64> {
    rounds.iter().map(|round| table::percentile(round, 0.99).as_secs_f64() * 1e3).collect()
}

fn row(name: &str, rounds: &[Vec<Duration>]) -> Vec<String> {
    let all = rounds.concat();
    let p99 = format!("{:.2} ms", table::median(&p99s(rounds)));
    vec![name.into(), table::ms(table::percentile(&all, 0.5)), p99, table::ms(table::percentile(&all, 1.0))]
}

/// Presses so many keys, at odd moments, and waits for each.
fn keys(terminal: &Terminal, count: u32) -> Result<Vec<Duration>> {
    let mut took = Vec::new();
    for nth in 0..count {
        let began = Instant::now();
        terminal.types("x")?;
        let column = PROMPT + 1 + u16::try_from(nth % LINE).unwrap_or(0);
        terminal.until("a key", |screen| screen.cursor_position().1 == column && !screen.hide_cursor())?;
        took.push(began.elapsed());
        if nth % LINE == LINE - 1 {
            terminal.types("\x15")?;
            terminal.until("an empty editor", |screen| screen.cursor_position().1 == PROMPT)?;
        }
        std::thread::sleep(Duration::from_millis(u64::from(nth % 7) * 3));
    }
    Ok(took)
}

type Shown = Arc<(Mutex<vt100::Parser>, Condvar)>;

/// A terminal, and `chinwag join` in it.
struct Terminal {
    /// Open as long as the terminal is.
    _master: Box<dyn MasterPty + Send>,
    writer: Mutex<Box<dyn Write + Send>>,
    child: Box<dyn Child + Send + Sync>,
    shown: Shown,
}

impl Terminal {
    fn join(program: &Command, folder: &Path, address: SocketAddr) -> Result<Terminal> {
        let size = PtySize { rows: ROWS, cols: COLUMNS, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size)?;
        let mut command = CommandBuilder::new(program.get_program());
        command.args(["join", &address.to_string(), "--nick", "ann"]);
        command.env_clear();
        command.env("HOME", folder);
        command.env("TERM", "xterm-256color");
        let child = pair.slave.spawn_command(command)?;
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader()?;
        let writer = Mutex::new(pair.master.take_writer()?);
        let cells = |count| NonZero::new(count).context("a terminal has cells");
        let parser = vt100::Parser::new(cells(ROWS)?, cells(COLUMNS)?, 0);
        let shown: Shown = Arc::new((Mutex::new(parser), Condvar::new()));
        let told = Arc::clone(&shown);
        std::thread::spawn(move || {
            let mut piece = [0; 65_536];
            while let Ok(count @ 1..) = reader.read(&mut piece) {
                told.0.lock().unwrap_or_else(PoisonError::into_inner).process(&piece[..count]);
                told.1.notify_all();
            }
        });
        Ok(Terminal { _master: pair.master, writer, child, shown })
    }

    fn types(&self, text: &str) -> Result<()> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        writer.write_all(text.as_bytes())?;
        Ok(writer.flush()?)
    }

    fn until(&self, what: &str, fits: impl Fn(&vt100::Screen) -> bool) -> Result<()> {
        let deadline = Instant::now() + WITHIN;
        let mut shown = self.shown.0.lock().unwrap_or_else(PoisonError::into_inner);
        while !fits(shown.screen()) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                bail!("{what} is not to be seen:\n{}", shown.screen().contents());
            }
            let waited = self.shown.1.wait_timeout(shown, left);
            shown = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        Ok(())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Somebody who says a thousand things a second.
struct Flood {
    stop: Arc<AtomicBool>,
    heard: Arc<AtomicU64>,
    sender: JoinHandle<Result<()>>,
}

impl Flood {
    fn begin(address: SocketAddr) -> Result<Flood> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.write_all(
            b"CAP REQ :echo-message\r\nNICK bob\r\nUSER bob 0 * :bob\r\nCAP END\r\nJOIN #lobby\r\n",
        )?;
        let (stop, heard) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let mut reader = stream.try_clone()?;
        let (count, counted) = (Arc::clone(&heard), b"of many");
        // Ends with the connection.
        std::thread::spawn(move || {
            let mut piece = [0; 65_536];
            while let Ok(bytes @ 1..) = reader.read(&mut piece) {
                let echoes = piece[..bytes].windows(counted.len()).filter(|window| window == counted).count();
                count.fetch_add(echoes as u64, Ordering::Relaxed);
            }
        });
        let stopped = Arc::clone(&stop);
        let sender = std::thread::spawn(move || {
            let (began, mut said) = (Instant::now(), 0);
            while !stopped.load(Ordering::Relaxed) {
                let due = began.elapsed().as_millis() as u64 * RATE / 1_000;
                let lines: String =
                    (said..due).map(|n| format!("PRIVMSG #lobby :message {n} of many\r\n")).collect();
                stream.write_all(lines.as_bytes())?;
                said = due;
                std::thread::sleep(Duration::from_millis(10));
            }
            stream.write_all(b"QUIT\r\n")?;
            Ok(stream.shutdown(std::net::Shutdown::Write)?)
        });
        Ok(Flood { stop, heard, sender })
    }

    /// Messages that have come back to whoever said them.
    fn heard(&self) -> u64 {
        self.heard.load(Ordering::Relaxed)
    }

    fn end(self) -> Result<()> {
        self.stop.store(true, Ordering::Relaxed);
        self.sender.join().map_err(|_| anyhow::anyhow!("the flood broke"))?
    }
}
