//! The terminal that this program runs in: raw while it runs, as it was afterwards, whatever happens.

use std::io::{IsTerminal, Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use chinwag_tui::paint;
use tokio::sync::mpsc;

/// Bytes of the terminal that wait to be understood: so many pieces at most, then reading waits.
const PIECES_MAX: usize = 64;
const PIECE_BYTES: usize = 4096;

/// Whether the terminal is raw now, for the end in a panic.
static RAW: AtomicBool = AtomicBool::new(false);

/// The terminal in raw mode; dropping it brings the old one back.
pub(super) struct Terminal;

impl Terminal {
    /// Takes the terminal.
    pub(super) fn open(mouse: bool) -> Result<Terminal, String> {
        if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
            return Err("join needs a terminal; in a pipe use any IRC client or nc".to_owned());
        }
        crossterm::terminal::enable_raw_mode()
            .map_err(|error| format!("the terminal cannot be used: {error}"))?;
        if !RAW.swap(true, Ordering::SeqCst) {
            restore_on_panic();
        }
        write(&paint::enter(mouse))?;
        Ok(Terminal)
    }

    /// Columns and rows.
    pub(super) fn size() -> (u16, u16) {
        match crossterm::terminal::size() {
            Ok((columns, rows)) if columns > 0 && rows > 0 => (columns, rows),
            _ => (80, 24),
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        restore();
    }
}

fn restore() {
    if RAW.swap(false, Ordering::SeqCst) {
        // The terminal may be gone: then there is nothing to bring back.
        let _ = write(paint::leave());
        let _ = crossterm::terminal::disable_raw_mode();
    }
}

fn restore_on_panic() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        restore();
        report(panic);
    }));
}

/// Writes to the terminal.
pub(super) fn write(bytes: &[u8]) -> Result<(), String> {
    if bytes.is_empty() {
        return Ok(());
    }
    let mut out = std::io::stdout().lock();
    let written = out.write_all(bytes).and_then(|()| out.flush());
    written.map_err(|error| format!("the terminal is gone: {error}"))
}

/// What is typed, as it comes. A thread of its own reads: the terminal's descriptor stays as others expect it.
pub(super) fn typed() -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel(PIECES_MAX);
    std::thread::spawn(move || {
        let mut input = std::io::stdin().lock();
        let mut piece = [0; PIECE_BYTES];
        loop {
            match input.read(&mut piece) {
                Ok(0) => return,
                Ok(count) => {
                    if sender.blocking_send(piece[..count].to_vec()).is_err() {
                        return;
                    }
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(_) => return,
            }
        }
    });
    receiver
}
