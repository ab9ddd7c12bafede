//! How far long work is, for whoever watches: one line on standard error that is written over.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// How often the line changes.
const EVERY: Duration = Duration::from_millis(100);

/// The line. Where nobody watches there is none.
pub(crate) struct Line {
    seen: bool,
    last: Option<Instant>,
    width: usize,
}

impl Line {
    /// A line that says nothing yet.
    pub(crate) fn new() -> Line {
        Line { seen: std::io::stderr().is_terminal(), last: None, width: 0 }
    }

    /// Says something, unless it said something a moment ago.
    pub(crate) fn say(&mut self, text: impl FnOnce() -> String) {
        if self.seen && self.last.is_none_or(|last| last.elapsed() >= EVERY) {
            self.last = Some(Instant::now());
            self.show(&text());
        }
    }

    /// Says something that stays for long.
    pub(crate) fn say_now(&mut self, text: &str) {
        if self.seen {
            self.show(text);
        }
    }

    fn show(&mut self, text: &str) {
        let width = text.chars().count();
        let padding = " ".repeat(self.width.saturating_sub(width));
        eprint!("\r{text}{padding}");
        // Who cannot be shown it does without.
        let _ = std::io::stderr().flush();
        self.width = width;
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if self.width > 0 {
            eprint!("\r{}\r", " ".repeat(self.width));
        }
    }
}

/// A number of bytes, for people.
pub(crate) fn bytes(count: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if count < 1_000 {
        return format!("{count} bytes");
    }
    let (mut whole, mut unit) = (count, 0);
    while whole >= 1_000_000 && unit + 1 < UNITS.len() {
        whole /= 1_000;
        unit += 1;
    }
    format!("{}.{} {}", whole / 1_000, whole % 1_000 / 100, UNITS[unit])
}

/// A time as people read it: UTC, to the second.
pub(crate) fn time(at_ms: u64) -> String {
    let mut text = Vec::new();
    chinwag_wire::time::format_millis(at_ms, &mut text);
    let text = String::from_utf8_lossy(&text).into_owned();
    text.split('.').next().unwrap_or_default().replace('T', " ") + " UTC"
}

/// Milliseconds since the Unix epoch.
pub(crate) fn now_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_times_are_for_people() {
        let shown = [0, 999, 1_000, 1_234_567, 12_345_678_901].map(bytes);
        assert_eq!(shown, ["0 bytes", "999 bytes", "1.0 kB", "1.2 MB", "12.3 GB"]);
        assert_eq!(time(1_700_000_000_123), "2023-11-14 22:13:20 UTC");
    }
}
