//! Somebody at a terminal: a pseudo-terminal with `chinwag join` in it, and what it shows.

use std::io::{Read, Write};
use std::num::NonZero;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// How long anything that is expected may take.
const WITHIN: Duration = Duration::from_secs(20);

struct Shown {
    parser: vt100::Parser,
    said: Vec<u8>,
    ended: bool,
}

/// A terminal, and the program in it.
pub struct Person {
    master: Box<dyn MasterPty + Send>,
    writer: Mutex<Box<dyn Write + Send>>,
    child: Box<dyn Child + Send + Sync>,
    shown: Arc<(Mutex<Shown>, Condvar)>,
}

impl Person {
    /// `chinwag join …` in a terminal of so many columns and rows; what it remembers is under `folder`.
    pub fn join(folder: &Path, (cols, rows): (u16, u16), arguments: &[&str]) -> Person {
        let pair =
            native_pty_system().openpty(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }).unwrap();
        let mut command = CommandBuilder::new(super::BINARY);
        command.arg("join");
        command.args(arguments);
        command.env_clear();
        command.env("HOME", folder);
        command.env("XDG_STATE_HOME", folder.join("state"));
        command.env("TERM", "xterm-256color");
        command.env("TZ", "UTC");
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().unwrap();
        let writer = Mutex::new(pair.master.take_writer().unwrap());
        let parser = vt100::Parser::new(cells(rows), cells(cols), 0);
        let shown = Arc::new((Mutex::new(Shown { parser, said: Vec::new(), ended: false }), Condvar::new()));
        let told = Arc::clone(&shown);
        std::thread::spawn(move || {
            let mut piece = [0; 65536];
            loop {
                let count = reader.read(&mut piece).unwrap_or(0);
                let mut shown = told.0.lock().unwrap();
                shown.parser.process(&piece[..count]);
                // The end is what counts, and a storm is long.
                shown.said.extend_from_slice(&piece[..count]);
                let extra = shown.said.len().saturating_sub(100_000);
                shown.said.drain(..extra);
                shown.ended = count == 0;
                told.1.notify_all();
                if count == 0 {
                    return;
                }
            }
        });
        Person { master: pair.master, writer, child, shown }
    }

    pub fn types(&self, text: &str) {
        let mut writer = self.writer.lock().unwrap();
        writer.write_all(text.as_bytes()).unwrap();
        writer.flush().unwrap();
    }

    pub fn resize(&self, cols: u16, rows: u16) {
        self.shown.0.lock().unwrap().parser.screen_mut().set_size(cells(rows), cells(cols));
        self.master.resize(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }).unwrap();
    }

    /// What stands there now.
    pub fn screen(&self) -> String {
        rows(&self.shown.0.lock().unwrap())
    }

    /// What stands there now, as an SVG.
    pub fn picture(&self) -> String {
        super::picture::svg(self.shown.0.lock().unwrap().parser.screen())
    }

    /// The bytes of the program, the last hundred thousand.
    pub fn said(&self) -> String {
        String::from_utf8_lossy(&self.shown.0.lock().unwrap().said).into_owned()
    }

    fn wait(&self, what: &str, fits: impl Fn(&Shown) -> bool) {
        let until = Instant::now() + WITHIN;
        let mut shown = self.shown.0.lock().unwrap();
        while !fits(&shown) {
            let left = until.saturating_duration_since(Instant::now());
            assert!(!left.is_zero() && !shown.ended, "{what} is not to be seen:\n{}", rows(&shown));
            shown = self.shown.1.wait_timeout(shown, left).unwrap().0;
        }
    }

    /// Waits until the screen fits.
    pub fn until(&self, what: &str, fits: impl Fn(&str) -> bool) {
        self.wait(what, |shown| fits(&rows(shown)));
    }

    /// Waits until a text is somewhere on the screen.
    pub fn sees(&self, text: &str) {
        self.until(text, |screen| screen.contains(text));
    }

    /// Waits so long at most for another screen.
    pub fn changes(&self, before: &str, within: Duration) {
        let shown = self.shown.0.lock().unwrap();
        let _ = self.shown.1.wait_timeout_while(shown, within, |shown| rows(shown) == before).unwrap();
    }

    /// Waits for the end. Gives the exit code.
    pub fn ends(&mut self) -> u32 {
        let until = Instant::now() + WITHIN;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                let shown = self.shown.0.lock().unwrap();
                // All that it said has been read.
                let ended = self.shown.1.wait_timeout_while(shown, WITHIN, |shown| !shown.ended).unwrap();
                assert!(ended.0.ended, "its terminal is still open");
                return status.exit_code();
            }
            assert!(Instant::now() < until, "it does not end:\n{}", self.screen());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn status(&self, name: &str) -> u64 {
        let id = self.child.process_id().unwrap();
        let text = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// A figure of its memory.
    pub fn memory_kib(&self, name: &str) -> u64 {
        self.status(name)
    }

    /// How often its main thread has begun to wait.
    pub fn wakes(&self) -> u64 {
        self.status("voluntary_ctxt_switches")
    }
}

fn cells(count: u16) -> NonZero<u16> {
    NonZero::new(count).expect("a terminal has cells")
}

fn rows(shown: &Shown) -> String {
    let screen = shown.parser.screen();
    let (_, columns) = screen.size();
    let rows: Vec<String> = screen.rows(0, columns.get()).map(|row| row.trim_end().to_owned()).collect();
    rows.join("\n")
}

impl Drop for Person {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
