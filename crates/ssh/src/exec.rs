//! The commands: `say`, `tail` and `search`, each in a session of its own inside the server. Exit codes: 0 done, 1
//! failed, 2 wrong usage.

use std::collections::VecDeque;

use chinwag_wire::message::Message;
use russh::ChannelMsg;
use serde::Serialize;
use tokio::time::timeout;

use crate::channel::{Ends, Visit};
use crate::command::{self, Command, USAGE};
use crate::irc::{Failure, Irc, PATIENCE, is_room, refusal};

/// Messages that may be on their way to the log at the same time.
const UNDER_WAY_MAX: usize = 32;

/// Bytes of a line of standard input. What is longer is several messages.
const TEXT_BYTES_MAX: usize = 400;

/// Bytes of standard input that make one message.
const ONE_BYTES_MAX: usize = 64 * 1024;

/// Runs what was typed; gives the exit code.
pub(crate) async fn run(mut ends: Ends, typed: &str, visit: &Visit) -> u32 {
    let done = match command::parse(typed) {
        Err(why) => {
            ends.complain(&why).await;
            return 2;
        }
        Ok(Command::Help) => {
            ends.put(USAGE.replace('\n', "\r\n").into_bytes()).await;
            return 0;
        }
        Ok(Command::Say { to, text, as_one }) => say(&mut ends, visit, &to, text, as_one).await,
        Ok(Command::Tail { rooms, json, count, since }) => {
            tail(&mut ends, visit, &rooms, json, &first(count, since)).await
        }
        Ok(Command::Search { query, room, json }) => {
            search(&mut ends, visit, &query, room.as_deref(), json).await
        }
    };
    match done {
        Ok(()) => 0,
        Err(why) => {
            ends.complain(&why).await;
            1
        }
    }
}

/// Comes in; what the server said of the account goes to standard error.
async fn come_in(ends: &mut Ends, visit: &Visit, more: &[&str]) -> Result<Irc, Failure> {
    let (irc, told) = Irc::come_in(visit, more).await?;
    for text in told {
        ends.complain(&text).await;
    }
    Ok(irc)
}

/// What is on its way, and what became of the rest.
#[derive(Default)]
struct Saying {
    waiting: VecDeque<String>,
    /// The label of the next one, and how many of those before are answered.
    sent: usize,
    answered: usize,
    failed: Option<String>,
}

impl Saying {
    fn under_way(&self) -> usize {
        self.sent - self.answered
    }

    /// Something came from the server: an echo or a refusal of ours is an answer.
    fn heard(&mut self, message: &Message<'_>) {
        if message.tags.get("label").is_none() {
            return;
        }
        self.answered += 1;
        if let Some(why) = refusal(message) {
            self.failed.get_or_insert(why);
        }
    }

    async fn send(&mut self, irc: &mut Irc, to: &str) -> Result<(), Failure> {
        while self.under_way() < UNDER_WAY_MAX
            && let Some(text) = self.waiting.pop_front()
        {
            self.sent += 1;
            irc.send(&format!("@label={} PRIVMSG {to} :{text}", self.sent)).await?;
        }
        Ok(())
    }
}

async fn say(
    ends: &mut Ends,
    visit: &Visit,
    to: &str,
    text: Option<String>,
    as_one: bool,
) -> Result<(), Failure> {
    if to.contains(',') {
        return Err("say it in one room at a time".to_owned());
    }
    let more: &[&str] = if as_one { &["draft/multiline"] } else { &[] };
    let mut irc = come_in(ends, visit, more).await?;
    if is_room(to) {
        irc.join(to).await?;
    }
    if as_one {
        return say_as_one(ends, &mut irc, to, text).await;
    }
    let mut saying = Saying::default();
    let (mut typed, mut ended) = (Vec::new(), text.is_some());
    saying.waiting.extend(text.iter().flat_map(|text| pieces(text)));
    loop {
        saying.send(&mut irc, to).await?;
        if ended && saying.waiting.is_empty() && saying.under_way() == 0 {
            break;
        }
        tokio::select! {
            line = timeout(PATIENCE, irc.next()), if saying.under_way() > 0 => {
                let line = line.map_err(|_| "the server did not say that it was kept".to_owned())??;
                if let Ok(message) = Message::parse_str(&line) {
                    saying.heard(&message);
                }
            }
            message = ends.read.wait(), if !ended && saying.waiting.is_empty() => match message {
                Some(ChannelMsg::Data { data }) => {
                    typed.extend_from_slice(&data);
                    take_lines(&mut typed, &mut saying.waiting, false);
                }
                Some(ChannelMsg::Eof) => {
                    take_lines(&mut typed, &mut saying.waiting, true);
                    ended = true;
                }
                Some(ChannelMsg::Close) | None => ended = true,
                Some(_) => {}
            }
        }
    }
    // A goodbye, so that nobody reads that the connection broke.
    irc.send("QUIT").await?;
    match saying.failed {
        Some(why) => Err(why),
        None => Ok(()),
    }
}

/// Takes whole lines, and with `all` the rest.
fn take_lines(typed: &mut Vec<u8>, lines: &mut VecDeque<String>, all: bool) {
    let whole = typed.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let whole = if all || typed.len() > ONE_BYTES_MAX { typed.len() } else { whole };
    let text = String::from_utf8_lossy(&typed[..whole]).into_owned();
    typed.drain(..whole);
    lines.extend(text.lines().flat_map(pieces));
}

/// A line as messages that fit, without what ends lines, cut between words where there are any.
fn pieces(line: &str) -> Vec<String> {
    let clean: String = line.chars().filter(|sign| !matches!(sign, '\r' | '\n' | '\0')).collect();
    let (mut rest, mut pieces) = (clean.trim_end(), Vec::new());
    while !rest.is_empty() {
        let most = rest.floor_char_boundary(TEXT_BYTES_MAX);
        let at = match rest[..most].rfind(' ').filter(|at| *at > 0) {
            Some(space) if most < rest.len() => space,
            _ => most,
        };
        pieces.push(rest[..at].to_owned());
        rest = rest[at..].trim_start();
    }
    pieces
}

/// Several lines as one message (<https://ircv3.net/specs/extensions/multiline>).
async fn say_as_one(ends: &mut Ends, irc: &mut Irc, to: &str, text: Option<String>) -> Result<(), Failure> {
    let text = match text {
        Some(text) => text,
        None => ends.all_input(ONE_BYTES_MAX).await?,
    };
    if text.trim().is_empty() {
        return Ok(());
    }
    irc.send(&format!("@label=one BATCH +one draft/multiline {to}")).await?;
    for line in text.trim_end().lines() {
        let mut tag = "";
        let mut pieces = pieces(line);
        if pieces.is_empty() {
            pieces.push(String::new());
        }
        for piece in pieces {
            irc.send(&format!("@batch=one{tag} PRIVMSG {to} :{piece}")).await?;
            // The next piece belongs to the same line.
            tag = ";draft/multiline-concat";
        }
    }
    irc.send("BATCH -one").await?;
    let answered = async {
        loop {
            let line = irc.next().await?;
            let Ok(message) = Message::parse_str(&line) else { continue };
            match refusal(&message) {
                Some(why) => return Err(why),
                None if message.tags.get("label").is_some() => return Ok(()),
                None => {}
            }
        }
    };
    timeout(PATIENCE, answered).await.map_err(|_| "the server did not say that it was kept".to_owned())??;
    irc.send("QUIT").await
}

/// Which messages come first: words of CHATHISTORY.
fn first(count: u32, since: Option<String>) -> Option<String> {
    match since {
        Some(since) if since.contains(':') || since.contains('-') => {
            Some(format!("AFTER {{}} timestamp={since} 100"))
        }
        Some(msgid) => Some(format!("AFTER {{}} msgid={msgid} 100")),
        None if count > 0 => Some(format!("LATEST {{}} * {count}")),
        None => None,
    }
}

async fn tail(
    ends: &mut Ends,
    visit: &Visit,
    rooms: &[String],
    json: bool,
    first: &Option<String>,
) -> Result<(), Failure> {
    let mut irc = come_in(ends, visit, &["draft/chathistory"]).await?;
    let several = rooms.len() > 1;
    for room in rooms {
        irc.join(room).await?;
        let mut said = Vec::new();
        let mut refused = None;
        if let Some(first) = first {
            irc.ask(&format!("CHATHISTORY {}", first.replace("{}", room)), |message| {
                said.extend(shown(message, json, several));
                refused = refused.take().or_else(|| refusal(message));
            })
            .await?;
        }
        if let Some(why) = refused {
            return Err(format!("{room}: {why}"));
        }
        if !ends.put(said.concat().into_bytes()).await {
            return Ok(());
        }
    }
    loop {
        let line = tokio::select! {
            line = irc.next() => line?,
            () = ends.gone() => return Ok(()),
        };
        let said = Message::parse_str(&line).ok().filter(|message| {
            message
                .params
                .first()
                .is_some_and(|room| rooms.iter().any(|known| known.eq_ignore_ascii_case(room)))
        });
        let said = said.and_then(|message| shown(&message, json, several));
        if let Some(said) = said
            && !ends.put(said.into_bytes()).await
        {
            return Ok(());
        }
    }
}

async fn search(
    ends: &mut Ends,
    visit: &Visit,
    query: &str,
    room: Option<&str>,
    json: bool,
) -> Result<(), Failure> {
    let mut irc = come_in(ends, visit, &["soju.im/search"]).await?;
    let room = room.unwrap_or(&visit.house.lobby);
    irc.join(room).await?;
    let (mut hits, mut refused) = (Vec::new(), None);
    irc.ask(&format!("SEARCH :{} in:{room}", query.replace(['\r', '\n'], " ")), |message| {
        hits.extend(shown(message, json, true));
        if message.command == "421" {
            refused = Some("this server cannot search yet".to_owned());
        } else if refused.is_none() {
            refused = refusal(message);
        }
    })
    .await?;
    if let Some(why) = refused {
        return Err(why);
    }
    ends.put(hits.concat().into_bytes()).await;
    irc.send("QUIT").await
}

/// A message, as `--json` shows it. The names stay.
#[derive(Serialize)]
struct Shown<'a> {
    /// The room, or whom it was said to.
    room: &'a str,
    /// When, as RFC 3339 in UTC.
    time: &'a str,
    /// By whom.
    from: &'a str,
    /// The account, if they were logged in.
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<&'a str>,
    /// `message`, `notice` or `action`.
    kind: &'static str,
    /// What.
    text: &'a str,
    /// By which others point at it.
    #[serde(skip_serializing_if = "Option::is_none")]
    msgid: Option<&'a str>,
}

/// A line for whoever looks, if it is something that was said.
fn shown(message: &Message<'_>, json: bool, with_room: bool) -> Option<String> {
    let [room, text] = message.params.as_slice() else { return None };
    let action = text.strip_prefix("\u{1}ACTION ").map(|text| text.trim_end_matches('\u{1}'));
    let (kind, text) = match (message.command, action) {
        ("PRIVMSG", Some(action)) => ("action", action),
        ("PRIVMSG", None) => ("message", *text),
        ("NOTICE", _) => ("notice", *text),
        _ => return None,
    };
    let from = message.source.and_then(|source| source.split_once('!')).map(|(nick, _)| nick)?;
    let tag = |name: &str| message.tags.get(name);
    let (time, account, msgid) = (tag("time").unwrap_or_default(), tag("account"), tag("msgid"));
    if json {
        let shown = Shown {
            room,
            time: &time,
            from,
            account: account.as_deref(),
            kind,
            text,
            msgid: msgid.as_deref(),
        };
        return serde_json::to_string(&shown).ok().map(|line| line + "\n");
    }
    // Nothing that somebody says moves anybody's cursor.
    let text: String = text.chars().filter(|sign| !sign.is_control()).collect();
    let when = time.split('.').next().unwrap_or_default().replace('T', " ");
    let room = if with_room { format!("{room} ") } else { String::new() };
    Some(match kind {
        "action" => format!("{when} {room}* {from} {text}\n"),
        "notice" => format!("{when} {room}-{from}- {text}\n"),
        _ => format!("{when} {room}{from}: {text}\n"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(line: &str, json: bool) -> Option<String> {
        shown(&Message::parse_str(line).unwrap(), json, false)
    }

    #[test]
    fn messages_are_shown_as_text_and_as_json() {
        let said =
            "@time=2026-11-21T14:02:05.123Z;account=Ann;msgid=x :ann!~a@h PRIVMSG #tea :hi \u{1b}[2J\"you\"";
        assert_eq!(line(said, false).unwrap(), "2026-11-21 14:02:05 ann: hi [2J\"you\"\n");
        assert_eq!(
            line(said, true).unwrap(),
            "{\"room\":\"#tea\",\"time\":\"2026-11-21T14:02:05.123Z\",\"from\":\"ann\",\"account\":\"Ann\",\
             \"kind\":\"message\",\"text\":\"hi \\u001b[2J\\\"you\\\"\",\"msgid\":\"x\"}\n"
        );
        let waves = "@time=2026-11-21T14:02:05.123Z :ann!~a@h PRIVMSG #tea :\u{1}ACTION waves\u{1}";
        assert_eq!(line(waves, false).unwrap(), "2026-11-21 14:02:05 * ann waves\n");
        assert_eq!(line(":ann!~a@h JOIN #tea", false), None);
        assert_eq!(line(":server NOTICE ann :hello", false), None);
    }

    #[test]
    fn lines_are_cut_to_messages_that_fit() {
        let (mut typed, mut lines) = (b"one\r\n\ntwo\nthr".to_vec(), VecDeque::new());
        take_lines(&mut typed, &mut lines, false);
        assert_eq!((lines.make_contiguous().join("|"), &typed[..]), ("one|two".to_owned(), &b"thr"[..]));
        take_lines(&mut typed, &mut lines, true);
        assert_eq!(lines.back().map(String::as_str), Some("thr"));
        let long = "word ".repeat(200);
        let cut = pieces(&long);
        assert!(cut.iter().all(|piece| piece.len() <= TEXT_BYTES_MAX && piece.ends_with("word")));
        assert_eq!(cut.join(" "), long.trim_end());
        assert_eq!(pieces(&"é".repeat(300)).concat(), "é".repeat(300));
    }
}
