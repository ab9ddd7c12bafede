//! Decoding: lines cut out of what a socket gives, parsed as IRC messages, the command looked up.

use std::hint::black_box;
use std::time::Instant;

use anyhow::{Result, ensure};
use chinwag_wire::line::{Decoded, LineDecoder};
use chinwag_wire::message::Message;
use chinwag_wire::verbs::Verb;

use crate::table;

/// What one read of the server takes at most.
const READ_BYTES: usize = 64 * 1024;
const LINES: usize = 200_000;

/// Measures and prints. There is no target: a fan-out spends its time elsewhere as long as this stays small.
///
/// # Errors
/// When a line is not decoded as what it is.
pub fn run(rounds: usize) -> Result<bool> {
    let text = "x".repeat(60);
    let samples = [
        ("message", format!("PRIVMSG #lobby :{text} hello everybody\r\n")),
        ("message with tags", format!("@label=ab12;+draft/reply=c7d2k0mq9x1zaw PRIVMSG #lobby :{text}\r\n")),
        ("keep-alive", "PING chinwag.local\r\n".to_owned()),
        ("fifteen parameters", format!("MODE {}:last\r\n", "p ".repeat(14))),
    ];
    let mut rows = vec![["line", "bytes", "ns a line", "MB/s"].map(str::to_owned).to_vec()];
    for (name, line) in &samples {
        let stream = line.as_bytes().repeat(LINES);
        let mut times = Vec::new();
        for _ in 0..rounds.max(1) {
            let begin = Instant::now();
            let count = decode(&stream);
            times.push(begin.elapsed().as_nanos() as f64 / LINES as f64);
            ensure!(count == LINES, "{count} of {LINES} lines were decoded: {name}");
        }
        let each = table::median(&times);
        let rate = line.len() as f64 / each * 1e3;
        rows.push(vec![
            (*name).to_owned(),
            line.len().to_string(),
            format!("{each:.0}"),
            format!("{rate:.0}"),
        ]);
    }
    table::print(&rows);
    Ok(true)
}

/// How many lines with a known command are in a stream that comes in reads.
fn decode(stream: &[u8]) -> usize {
    let mut decoder = LineDecoder::irc();
    let mut count = 0;
    for mut read in stream.chunks(READ_BYTES) {
        while let Some(decoded) = decoder.next(&mut read) {
            let Decoded::Line(line) = decoded else { continue };
            let Ok(message) = black_box(Message::parse(line)) else { continue };
            count += usize::from(Verb::lookup(message.command).is_some());
        }
    }
    count
}
