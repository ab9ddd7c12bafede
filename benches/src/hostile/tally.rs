//! What strangers were told, by kind, and whether the server counted as much.

use std::collections::BTreeMap;

use chinwag_wire::numeric::TABLE;

use super::page::Page;

/// Sentences with which somebody is turned away or put out, and the reason under which that is counted.
const SENTENCES: &[(&str, &str)] = &[
    ("connections from your network are open", "connections_at_once"),
    ("too many new connections from your network", "connections_rate"),
    ("have not said yet who they are", "newcomers_at_once"),
    ("too many are coming in", "newcomers_total"),
    ("the server is full", "connections_total"),
    ("takes nobody new", "memory"),
    ("much was waiting for you", "memory_outbox"),
    ("send queue exceeded", "send_queue"),
    ("too many are logging in by ssh", "ssh_full"),
    ("Too much input is waiting", "input_queue"),
    ("Registration took longer", "greeting_timeout"),
    ("no name came for", "greeting_timeout"),
    ("oo much was sent before", "greeting_too_long"),
    ("ERROR :Input line was too long", "endless_line"),
];

/// What was seen.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Tries, of whatever kind.
    pub tries: u64,
    /// Bytes that were sent to the server.
    pub sent_bytes: u64,
    /// Connections that could not be made, or ended without a word.
    pub cut: u64,
    /// Refusals by the reason that their sentence names.
    reasons: BTreeMap<&'static str, u64>,
    /// Replies that something was not done, by name.
    replies: BTreeMap<String, u64>,
    lines: u64,
}

impl Tally {
    /// Both together.
    pub fn add(&mut self, other: &Tally) {
        self.tries += other.tries;
        self.cut += other.cut;
        self.sent_bytes += other.sent_bytes;
        self.lines += other.lines;
        for (reason, count) in &other.reasons {
            *self.reasons.entry(reason).or_default() += count;
        }
        for (reply, count) in &other.replies {
            *self.replies.entry(reply.clone()).or_default() += count;
        }
    }

    /// Takes the whole lines of what came; the rest stays.
    pub fn take(&mut self, come: &mut Vec<u8>) {
        let whole = come.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        for line in come[..whole].split(|byte| *byte == b'\n') {
            self.line(&String::from_utf8_lossy(line));
        }
        come.drain(..whole);
    }

    fn line(&mut self, line: &str) {
        self.lines += u64::from(!line.trim().is_empty());
        let reason = SENTENCES.iter().find(|(sentence, _)| {
            // What people say to each other is no refusal.
            line.contains(sentence) && !line.contains("PRIVMSG") && !line.contains(" QUIT ")
        });
        if let Some((_, reason)) = reason {
            *self.reasons.entry(reason).or_default() += 1;
        }
        if let Some(reply) = reply(line) {
            *self.replies.entry(reply).or_default() += 1;
        }
    }

    /// Prints what was refused and why; `true` when the server counted everything that was seen.
    pub fn show(&self, page: &Page) -> bool {
        println!(
            "\nStrangers tried {} things ({} MiB), were sent {} lines, and were cut off or not let in without a word {} times.",
            self.tries,
            self.sent_bytes >> 20,
            self.lines,
            self.cut
        );
        let refused: Vec<(&str, f64)> =
            page.all("chinwag_refusals_total").filter(|(_, count)| *count > 0.0).collect();
        let all: f64 = refused.iter().map(|(_, count)| count).sum();
        println!("The server refused, slowed down or ended {all} times:");
        for (reason, count) in &refused {
            let seen = self.reasons.get(reason).copied().unwrap_or(0);
            println!(
                "  {:>5.1} %  {reason} {count} (strangers read of it {seen} times)",
                count / all * 100.0
            );
        }
        let mut good = true;
        for (reason, seen) in &self.reasons {
            good &= counted(reason, *seen, page.count("chinwag_refusals", "reason", reason));
        }
        for (reply, seen) in &self.replies {
            good &= counted(reply, *seen, page.count("chinwag_error_replies", "reply", reply));
        }
        let replies: u64 = self.replies.values().sum();
        let word = if good { "reached" } else { "MISSED" };
        println!(
            "every one of {replies} replies and {} sentences is in a counter: {word}",
            self.reasons.values().sum::<u64>()
        );
        good && !refused.is_empty()
    }
}

fn counted(what: &str, seen: u64, counted: u64) -> bool {
    if seen > counted {
        println!("strangers saw {what} {seen} times, the server counted {counted}");
    }
    seen <= counted
}

/// The name of a reply that says that something was not done, as the server's figures have it.
fn reply(line: &str) -> Option<String> {
    let line = line.trim_end();
    let line = line.strip_prefix('@').and_then(|line| line.split_once(' ')).map_or(line, |(_, rest)| rest);
    if let Some(status) = line.strip_prefix("HTTP/1.1 ") {
        let status = status.split(' ').next()?;
        return (status >= "400").then(|| format!("HTTP {status}"));
    }
    let mut words = line.strip_prefix(':')?.split(' ');
    let (_, command) = (words.next()?, words.next()?);
    if command == "FAIL" {
        return Some(format!("FAIL {} {}", words.next()?, words.next()?));
    }
    let number: u16 = command.parse().ok()?;
    let name = TABLE.iter().find(|row| row.numeric.0 == number)?.name;
    (name.starts_with("ERR_") && name != "ERR_NOMOTD" || name == "RPL_TRYAGAIN").then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_told_apart() {
        assert_eq!(reply(":s 433 * ann :in use"), Some("ERR_NICKNAMEINUSE".to_owned()));
        assert_eq!(reply("@time=x :s FAIL JOIN CODE :no"), Some("FAIL JOIN CODE".to_owned()));
        assert_eq!(reply("HTTP/1.1 401 Unauthorized"), Some("HTTP 401".to_owned()));
        for fine in [":s 422 a :no motd", ":s 001 a :hello", ":a!b@c PRIVMSG #x :433", "HTTP/1.1 200 OK"] {
            assert_eq!(reply(fine), None, "{fine}");
        }
        let mut tally = Tally::default();
        let mut come = b"ERROR :Closing link: the server is full, try again later\r\nERR".to_vec();
        tally.take(&mut come);
        assert_eq!((come.as_slice(), tally.reasons.get("connections_total")), (&b"ERR"[..], Some(&1)));
    }
}
