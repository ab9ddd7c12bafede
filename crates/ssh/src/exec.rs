//! The commands: `say`, `tail` and `search`, each in a session of its own inside the server. Exit codes: 0 done, 1
//! failed, 2 wrong usage.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use chinwag_client::{Line, LineId, LineKind, LineState, Millis, Point, Sender};
use chinwag_pipes::show;
use chinwag_pipes::words::{self, Command, Refused, Say, Search, Tail};
use chinwag_wire::message::Message;
use chinwag_wire::time::{format_millis, parse_rfc3339_millis};
use jiff::tz::TimeZone;
use russh::ChannelMsg;
use tokio::time::timeout;

use crate::channel::{Ends, Visit};
use crate::irc::{Failure, Irc, PATIENCE, is_room, refusal};

/// The capability that numbers messages, and its tag.
const NUMBERS: &str = "chinwag.internal/numbers";
const NUMBER: &str = "chinwag.internal/number";

/// Messages that may be on their way to the log at the same time.
const UNDER_WAY_MAX: usize = 32;

/// Bytes of a line of standard input. What is longer is several messages.
const TEXT_BYTES_MAX: usize = 400;

/// Bytes of standard input that make one message.
pub const ONE_BYTES_MAX: usize = 64 * 1024;

/// Messages that may be asked for at once.
const COUNT_MAX: usize = 100;

/// Runs what was typed; gives the exit code.
pub(crate) async fn run(mut ends: Ends, typed: &str, visit: &Visit) -> u32 {
    let done = match words::parse(typed) {
        Err(Refused::Wrong(why)) => Err(Wrong::Usage(why)),
        Err(Refused::Help(text)) => {
            ends.put(text.replace('\n', "\r\n").into_bytes()).await;
            return 0;
        }
        Ok(Command::Say(words)) => say(&mut ends, visit, words).await.map_err(Wrong::Failed),
        Ok(Command::Tail(words)) => tail(&mut ends, visit, &words).await,
        Ok(Command::Search(words)) => search(&mut ends, visit, &words).await,
    };
    match done {
        Ok(()) => 0,
        Err(Wrong::Failed(why)) => {
            ends.complain(&why).await;
            1
        }
        Err(Wrong::Usage(why)) => {
            ends.complain(&why).await;
            2
        }
    }
}

/// Why a command did not succeed.
enum Wrong {
    /// It was tried.
    Failed(Failure),
    /// It makes no sense.
    Usage(String),
}

impl From<Failure> for Wrong {
    fn from(why: Failure) -> Wrong {
        Wrong::Failed(why)
    }
}

fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis::try_from(since.as_millis()).unwrap_or(Millis::MAX)
}

/// The point that `--since` names, as the server knows points, behind the name of its kind.
fn since(words: Option<&str>) -> Result<Option<(&'static str, String)>, Wrong> {
    let point = words.map(|since| words::point(since, now())).transpose().map_err(Wrong::Usage)?;
    Ok(point.and_then(|point| match point {
        Point::Start => None,
        Point::Msgid(msgid) => Some(("msgid=", msgid.to_string())),
        Point::Time(at_ms) => {
            let mut text = Vec::new();
            format_millis(at_ms, &mut text);
            Some(("timestamp=", String::from_utf8_lossy(&text).into_owned()))
        }
    }))
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
    /// It is something that they do.
    action: bool,
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
            let text = if self.action { format!("\u{1}ACTION {text}\u{1}") } else { text };
            irc.send(&format!("@label={} PRIVMSG {to} :{text}", self.sent)).await?;
        }
        Ok(())
    }
}

async fn say(ends: &mut Ends, visit: &Visit, words: Say) -> Result<(), Failure> {
    let Say { room: to, text, as_one, action } = words;
    let to = to.as_str();
    let text = (!text.is_empty()).then(|| text.join(" "));
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
    let mut saying = Saying { action, ..Saying::default() };
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

async fn tail(ends: &mut Ends, visit: &Visit, words: &Tail) -> Result<(), Wrong> {
    let first = match since(words.since.as_deref())? {
        Some((kind, since)) => Some(format!("AFTER {{}} {kind}{since} {COUNT_MAX}")),
        None if words.count > 0 => Some(format!("LATEST {{}} * {}", words.count.min(COUNT_MAX))),
        None => None,
    };
    let rooms = &words.rooms;
    let mut irc = come_in(ends, visit, &["draft/chathistory", NUMBERS]).await?;
    let several = rooms.len() > 1;
    for room in rooms {
        if is_room(room) {
            irc.join(room).await?;
        }
        let mut said = Vec::new();
        let mut refused = None;
        if let Some(first) = &first {
            irc.ask(&format!("CHATHISTORY {}", first.replace("{}", room)), |message| {
                said.extend(shown(message, words.json, several));
                refused = refused.take().or_else(|| refusal(message));
            })
            .await?;
        }
        if let Some(why) = refused {
            return Err(Wrong::Failed(format!("{room}: {why}")));
        }
        if !ends.put(said.concat().into_bytes()).await {
            return Ok(());
        }
    }
    if words.once {
        return Ok(irc.send("QUIT").await?);
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
        let said = said.and_then(|message| shown(&message, words.json, several));
        if let Some(said) = said
            && !ends.put(said.into_bytes()).await
        {
            return Ok(());
        }
    }
}

async fn search(ends: &mut Ends, visit: &Visit, words: &Search) -> Result<(), Wrong> {
    let mut query = words.query.join(" ").replace(['\r', '\n'], " ");
    if let Some(from) = &words.from {
        query.push_str(&format!(" from:{from}"));
    }
    match since(words.since.as_deref())? {
        Some(("msgid=", msgid)) => query.push_str(&format!(" after:msgid={msgid}")),
        Some((_, time)) => query.push_str(&format!(" after:{time}")),
        None => {}
    }
    let mut irc = come_in(ends, visit, &["soju.im/search", NUMBERS]).await?;
    let place = words.place();
    let room = place.as_deref().unwrap_or(&visit.house.lobby);
    if is_room(room) {
        irc.join(room).await?;
    }
    if words.room.is_some() {
        query.push_str(&format!(" in:{room}"));
    }
    let limit = words.count.clamp(1, COUNT_MAX);
    let (mut hits, mut refused, mut note) = (Vec::new(), None, None);
    irc.ask(&format!("SEARCH :{query} limit:{limit}"), |message| {
        hits.extend(shown(message, words.json, true));
        refused = refused.take().or_else(|| refusal(message));
        if message.command == "NOTE" {
            note = message.params.as_slice().last().map(|note| (*note).to_owned());
        }
    })
    .await?;
    if let Some(why) = refused {
        return Err(Wrong::Failed(why));
    }
    let nothing = hits.is_empty();
    ends.put(hits.concat().into_bytes()).await;
    irc.send("QUIT").await?;
    if let Some(note) = note {
        ends.complain(&note).await;
    }
    if nothing { Err(Wrong::Failed("nothing was found".to_owned())) } else { Ok(()) }
}

/// A line for whoever looks, if it is something that was said. Times are in UTC: nobody knows the zone of the other side.
fn shown(message: &Message<'_>, json: bool, with_room: bool) -> Option<String> {
    let (room, line) = said(message)?;
    let text = match json {
        true => show::json(room, &line),
        false => show::text(with_room.then_some(room), &line, &TimeZone::UTC),
    };
    Some(text + "\n")
}

/// A message as a line, and where it was said.
fn said<'a>(message: &Message<'a>) -> Option<(&'a str, Line)> {
    let params = message.params.as_slice();
    let (room, text) = (*params.first()?, *params.get(1)?);
    let action = text.strip_prefix("\u{1}ACTION ").map(|text| text.trim_end_matches('\u{1}'));
    let (kind, text) = match (message.command, action) {
        ("PRIVMSG", Some(action)) => (LineKind::Action, action),
        ("PRIVMSG", None) => (LineKind::Message, text),
        ("NOTICE", _) => (LineKind::Notice, text),
        _ => return None,
    };
    let (nick, _) = message.source.and_then(|source| source.split_once('!'))?;
    let tag = |name: &str| message.tags.get(name);
    let shared = |name: &str| tag(name).filter(|value| !value.is_empty()).map(|value| Arc::from(&*value));
    let from = Sender { nick: nick.into(), account: shared("account"), bot: tag("bot").is_some(), me: false };
    let line = Line {
        id: LineId(0),
        msgid: shared("msgid"),
        number: tag(NUMBER).and_then(|number| number.parse().ok()),
        time_ms: tag("time").and_then(|time| parse_rfc3339_millis(&time)).unwrap_or_else(now),
        from: Some(from),
        kind,
        text: text.to_owned(),
        about: None,
        reply_to: shared("+draft/reply"),
        reactions: Vec::new(),
        edited: false,
        redacted: None,
        state: LineState::Kept,
        mention: false,
    };
    Some((room, line))
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
        assert_eq!(line(said, false).unwrap(), "[2026-11-21 14:02] ann: hi [2J\"you\"\n");
        assert_eq!(
            line(said, true).unwrap(),
            "{\"room\":\"#tea\",\"msgid\":\"x\",\"number\":null,\"time\":\"2026-11-21T14:02:05.123Z\",\
             \"nick\":\"ann\",\"account\":\"Ann\",\"bot\":false,\"kind\":\"message\",\
             \"text\":\"hi \\u001b[2J\\\"you\\\"\",\"reply_to\":null,\"edited\":false}\n"
        );
        let waves = "@time=2026-11-21T14:02:05.123Z :ann!~a@h PRIVMSG #tea :\u{1}ACTION waves\u{1}";
        assert_eq!(line(waves, false).unwrap(), "[2026-11-21 14:02] * ann waves\n");
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
