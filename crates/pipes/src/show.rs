//! A line of the chat as JSON, text or HTML.

use chinwag_client::{Line, LineKind};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

/// A line as `tail --json` and `export --format jsonl` print it, one object a line. The fields stay; more may come.
#[derive(Debug, Serialize)]
struct Shown<'a> {
    /// The room, or whom the conversation is with.
    room: &'a str,
    /// Its name on the server; null where the server gives none.
    msgid: Option<&'a str>,
    /// Its number in the room, counted from 1; null where the server gives none.
    number: Option<u64>,
    /// RFC 3339, UTC, with milliseconds.
    time: String,
    nick: &'a str,
    /// Null for guests.
    account: Option<&'a str>,
    bot: bool,
    /// `message`, `action` or `notice`.
    kind: &'static str,
    /// `\n` between the lines of a message of several.
    text: &'a str,
    /// The msgid of the message that it answers.
    reply_to: Option<&'a str>,
    /// Whether it is known to read differently than at first.
    edited: bool,
}

fn kind(line: &Line) -> &'static str {
    match line.kind {
        LineKind::Action => "action",
        LineKind::Notice => "notice",
        _ => "message",
    }
}

fn nick(line: &Line) -> &str {
    line.from.as_ref().map_or("", |from| &from.nick)
}

/// One JSON object, without a line end.
pub fn json(room: &str, line: &Line) -> String {
    let mut time = Vec::new();
    chinwag_wire::time::format_millis(line.time_ms, &mut time);
    let shown = Shown {
        room,
        msgid: line.msgid.as_deref(),
        number: line.number,
        time: String::from_utf8_lossy(&time).into_owned(),
        nick: nick(line),
        account: line.from.as_ref().and_then(|from| from.account.as_deref()),
        bot: line.from.as_ref().is_some_and(|from| from.bot),
        kind: kind(line),
        text: &line.text,
        reply_to: line.reply_to.as_deref(),
        edited: line.edited,
    };
    serde_json::to_string(&shown).unwrap_or_default()
}

/// The time in a zone, to the minute.
fn clock(line: &Line, zone: &TimeZone) -> String {
    let time = Timestamp::from_millisecond(i64::try_from(line.time_ms).unwrap_or(i64::MAX));
    let time = time.unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(zone.clone());
    time.strftime("%Y-%m-%d %H:%M").to_string()
}

/// For people: `[2026-11-21 14:02] ann: hello`. What could drive a terminal is left out.
pub fn text(room: Option<&str>, line: &Line, zone: &TimeZone) -> String {
    let (clock, nick) = (clock(line, zone), nick(line));
    let room = room.map(|room| format!("[{room}] ")).unwrap_or_default();
    let head = match line.kind {
        LineKind::Action => format!("[{clock}] {room}* {nick} "),
        LineKind::Notice => format!("[{clock}] {room}-{nick}- "),
        _ => format!("[{clock}] {room}{nick}: "),
    };
    let said: String = line.text.chars().filter(|c| *c == '\n' || *c == '\t' || !c.is_control()).collect();
    format!("{head}{}", said.replace('\n', "\n    "))
}

/// A paragraph of a page.
pub fn html(line: &Line, zone: &TimeZone) -> String {
    let id = line.msgid.as_deref().map(|msgid| format!(" id=\"{}\"", escape(msgid))).unwrap_or_default();
    let class = kind(line);
    let (clock, nick, text) =
        (clock(line, zone), escape(nick(line)), escape(&line.text).replace('\n', "<br>"));
    format!("<p{id} class=\"{class}\"><time>{clock}</time> <b>{nick}</b> <span>{text}</span></p>")
}

/// The beginning of a page about these rooms.
pub fn html_head(title: &str) -> String {
    let title = escape(title);
    format!(
        "<!doctype html>\n<html><head><meta charset=\"utf-8\"><title>{title}</title>\n<style>\nbody {{ font: 15px/1.5 \
         sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em }}\np {{ margin: 0 }}\ntime {{ color: #888; \
         font-size: 85% }}\n.action span {{ font-style: italic }}\n.notice {{ color: #666 }}\n</style></head>\n<body>"
    )
}

/// A heading.
pub fn html_room(room: &str) -> String {
    format!("<h1>{}</h1>", escape(room))
}

/// The end of a page.
pub const HTML_END: &str = "</body></html>";

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            c if c == '\n' || !c.is_control() => escaped.push(c),
            _ => {}
        }
    }
    escaped
}
