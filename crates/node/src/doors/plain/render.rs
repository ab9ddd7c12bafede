//! Lines as sentences.

use chinwag_core::event::Who;
use chinwag_core::ids::Millis;
use chinwag_core::line::{Command, Line, Source, Text};
use chinwag_core::multiline::pieces;
use chinwag_wire::caps::{Cap, CapSet};
use chinwag_wire::plain::sanitize;
use chinwag_wire::time::format_millis;

use super::super::Frame;
use super::{modes, numerics};

/// The capabilities that a plain session has from the start: those that make the chat send what this door
/// knows how to show. `batch` is what tells lines of history from those said now.
pub const fn plain_caps() -> CapSet {
    CapSet::of(&[Cap::EchoMessage, Cap::Batch, Cap::ServerTime, Cap::StandardReplies])
}

/// Appends what this door shows for a line; nothing for what is machinery.
pub(in super::super) fn render(numbers: bool, line: &Line, frame: &Frame<'_>, out: &mut Vec<u8>) {
    if let Some(joins) = &line.meta.joins {
        return several(numbers, line, joins, frame, out);
    }
    let page = Page { numbers: numbers || line.meta.numbered, line, frame };
    match line.command {
        Command::Numeric(numeric) => numerics::render(numeric, &page, out),
        Command::Verb(verb) => page.verb(verb, out),
    }
}

/// A message of several lines, a line each with the name in front: whoever reads by line misses nothing.
fn several(numbers: bool, line: &Line, joins: &[u32], frame: &Frame<'_>, out: &mut Vec<u8>) {
    let text = line.params.last().map_or("", |text| text.as_str());
    let mut rows: Vec<String> = Vec::new();
    for (piece, continues) in pieces(text, joins) {
        match rows.last_mut().filter(|_| continues) {
            Some(row) => row.push_str(piece),
            None => rows.push(piece.to_owned()),
        }
    }
    let mut one = line.clone();
    one.meta.joins = None;
    for row in rows.into_iter().filter(|row| !row.is_empty()) {
        if let Some(last) = one.params.last_mut() {
            *last = Text::from(row);
        }
        render(numbers, &one, frame, out);
    }
}

/// A line being shown.
pub(super) struct Page<'a> {
    numbers: bool,
    line: &'a Line,
    frame: &'a Frame<'a>,
}

impl Page<'_> {
    /// A parameter; empty when there is none.
    pub(super) fn param(&self, index: usize) -> &str {
        self.line.params.get(index).map_or("", |text| text.as_str())
    }

    /// The last parameter.
    pub(super) fn last(&self) -> &str {
        self.line.params.last().map_or("", |text| text.as_str())
    }

    /// The parameters from `index` on.
    pub(super) fn rest(&self, index: usize) -> impl Iterator<Item = &str> {
        self.line.params.iter().skip(index).map(|text| text.as_str())
    }

    /// The frame around the line.
    pub(super) fn frame(&self) -> &Frame<'_> {
        self.frame
    }

    /// Whether a name is that of the room whose name goes without saying.
    pub(super) fn is_lobby(&self, room: &str) -> bool {
        self.frame.lobby.eq_ignore_ascii_case(room)
    }

    /// `[#tea] ` in front of what belongs to another room than the lobby.
    pub(super) fn place(&self, room: &str, out: &mut Vec<u8>) {
        if !self.is_lobby(room) {
            put(out, &["[", room, "] "]);
        }
    }

    fn who(&self) -> Option<&Who> {
        match &self.line.source {
            Source::User(who) => Some(who),
            Source::Server | Source::Nobody => None,
        }
    }

    /// Who does what the line says.
    pub(super) fn nick(&self) -> &str {
        match &self.line.source {
            Source::User(who) => &who.nick,
            Source::Server | Source::Nobody => self.frame.server,
        }
    }

    fn verb(&self, verb: &str, out: &mut Vec<u8>) {
        match verb {
            "PRIVMSG" | "NOTICE" => self.said(verb == "NOTICE", out),
            "JOIN" => self.joined(out),
            "PART" => self.parted(out),
            "QUIT" => self.quit(out),
            "NICK" => sentence(out, &[self.nick(), " is now known as ", self.param(0), "."]),
            "RENAME" => self.room_renamed(out),
            "TOPIC" => self.topic(out),
            "KICK" => self.kicked(out),
            "MODE" => self.mode(out),
            "INVITE" => self.invited(out),
            "AWAY" => self.away(out),
            "ERROR" => match reason_for_leaving(self.last()) {
                "" => sentence(out, &["Goodbye."]),
                reason => sentence(out, &["Goodbye: ", reason]),
            },
            // FAIL JOIN CODE context :sentence; only the sentence is for people.
            "REGISTER" | "VERIFY" => sentence(out, &["* ", self.last(), "."]),
            "FAIL" | "WARN" => sentence(out, &["! ", self.last()]),
            "NOTE" => self.noted(out),
            // PING, PONG, CAP, BATCH, TAGMSG and whatever programs tell programs.
            _ => {}
        }
    }

    /// A room has another name.
    fn room_renamed(&self, out: &mut Vec<u8>) {
        let (old, new) = (self.param(0), self.param(1));
        let why = if self.last().is_empty() { "." } else { ": " };
        sentence(out, &[self.nick(), " renamed ", old, " to ", new, why, self.last()]);
    }

    /// NOTE COMMAND CODE context :sentence; a room among the context is where it is about.
    fn noted(&self, out: &mut Vec<u8>) {
        let room = self.param(2);
        if self.line.params.len() > 3 && room.starts_with('#') {
            self.place(room, out);
        }
        let kind = if self.param(1) == "PINNED" { "pinned: " } else { "" };
        sentence(out, &["* ", kind, self.last()]);
    }

    /// PRIVMSG and NOTICE: said in a room, or between two.
    fn said(&self, notice: bool, out: &mut Vec<u8>) {
        let (target, text) = (self.param(0), self.last());
        let ctcp = text.strip_prefix('\u{1}').map(|inner| inner.strip_suffix('\u{1}').unwrap_or(inner));
        let action = ctcp.and_then(|inner| inner.strip_prefix("ACTION "));
        if ctcp.is_some() && action.is_none() {
            // A question from program to program; there is no program here.
            return;
        }
        if let (Some(at_ms), true) = (self.line.meta.at_ms, self.line.meta.batch.is_some()) {
            clock(at_ms, self.frame.now_ms, out);
        }
        let Some(who) = self.who() else {
            return sentence(out, &["* ", text]);
        };
        let room = target.trim_start_matches(['@', '+', '%', '&', '~']);
        if room.starts_with('#') {
            self.place(room, out);
            if room.len() < target.len() {
                put(out, &["(to ", &target[..target.len() - room.len()], ") "]);
            }
        } else {
            let me = |name: &str| name.eq_ignore_ascii_case(self.frame.addressee);
            let (from, to): (&str, &str) = (&who.nick, target);
            let from = if me(from) && !me(to) { "you" } else { from };
            let to = if me(to) { "you" } else { to };
            put(out, &["[", from, " -> ", to, "] "]);
            return match action {
                Some(action) => sentence(out, &["* ", &who.nick, " ", action]),
                None => sentence(out, &[text]),
            };
        }
        if self.numbers && self.line.meta.number.0 > 0 {
            put(out, &["[", &self.line.meta.number.0.to_string(), "] "]);
        }
        match (action, notice) {
            (Some(action), _) => sentence(out, &["* ", &who.nick, " ", action]),
            (None, true) => sentence(out, &["-", &who.nick, "- ", text]),
            (None, false) => sentence(out, &[&who.nick, ": ", text]),
        }
    }

    fn joined(&self, out: &mut Vec<u8>) {
        if self.is_lobby(self.param(0)) {
            sentence(out, &["[+] ", self.nick(), " joined the chat..."]);
        } else {
            sentence(out, &["[+] ", self.nick(), " joined ", self.param(0)]);
        }
    }

    fn parted(&self, out: &mut Vec<u8>) {
        put(out, &["[X] ", self.nick(), " left "]);
        put(out, &[if self.is_lobby(self.param(0)) { "the chat..." } else { self.param(0) }]);
        self.reason(self.param(1), out);
    }

    fn quit(&self, out: &mut Vec<u8>) {
        put(out, &["[X] ", self.nick(), " left the chat..."]);
        self.reason(reason_for_leaving(self.param(0)), out);
    }

    /// ` (reason)` and the line end.
    fn reason(&self, reason: &str, out: &mut Vec<u8>) {
        if reason.is_empty() || reason == self.nick() {
            out.push(b'\n');
        } else {
            sentence(out, &[" (", reason, ")"]);
        }
    }

    fn topic(&self, out: &mut Vec<u8>) {
        self.place(self.param(0), out);
        match self.param(1) {
            "" => sentence(out, &[self.nick(), " removed the topic."]),
            topic => sentence(out, &[self.nick(), " set the topic: ", topic]),
        }
    }

    fn kicked(&self, out: &mut Vec<u8>) {
        put(out, &["[X] ", self.param(1), " was put out of "]);
        put(out, &[if self.is_lobby(self.param(0)) { "the chat" } else { self.param(0) }]);
        put(out, &[" by ", self.nick()]);
        self.reason(self.param(2), out);
    }

    fn mode(&self, out: &mut Vec<u8>) {
        let target = self.param(0);
        if !target.starts_with('#') {
            put(out, &["* your modes: "]);
            return self.joined_rest(1, out);
        }
        modes::changed(self, out);
    }

    fn invited(&self, out: &mut Vec<u8>) {
        let room = self.param(1);
        if self.param(0).eq_ignore_ascii_case(self.frame.addressee) {
            sentence(out, &[self.nick(), " invites you to ", room, ": /join ", room, " takes you there."]);
        } else {
            sentence(out, &[self.nick(), " invited ", self.param(0), " to ", room, "."]);
        }
    }

    fn away(&self, out: &mut Vec<u8>) {
        match self.param(0) {
            "" => sentence(out, &["* ", self.nick(), " is back."]),
            message => sentence(out, &["* ", self.nick(), " is away: ", message]),
        }
    }

    /// The parameters from `index` on, with spaces, as the end of a line.
    pub(super) fn joined_rest(&self, index: usize, out: &mut Vec<u8>) {
        for (nth, param) in self.rest(index).enumerate() {
            if nth > 0 {
                out.push(b' ');
            }
            put(out, &[param]);
        }
        out.push(b'\n');
    }
}

/// Why somebody left, as far as they said so: that they left is no reason.
fn reason_for_leaving(reason: &str) -> &str {
    match reason {
        "Quit" | "left" | "Connection closed" => "",
        reason => reason.strip_prefix("Quit: ").unwrap_or(reason),
    }
}

/// Writes pieces and a line end.
pub(super) fn sentence(out: &mut Vec<u8>, parts: &[&str]) {
    put(out, parts);
    out.push(b'\n');
}

/// Writes pieces, each without anything that a terminal would obey.
pub(super) fn put(out: &mut Vec<u8>, parts: &[&str]) {
    for part in parts {
        // Printable ASCII, which is nearly everything, goes as it is.
        if part.bytes().all(|byte| (0x20..0x7F).contains(&byte)) {
            out.extend_from_slice(part.as_bytes());
        } else {
            let mut clean = String::with_capacity(part.len());
            sanitize(part, &mut clean);
            out.extend_from_slice(clean.as_bytes());
        }
    }
}

/// `[14:02] `, in UTC; with the date when that is not today.
fn clock(at_ms: Millis, now_ms: Millis, out: &mut Vec<u8>) {
    const DAY_MS: Millis = 24 * 60 * 60 * 1000;
    // 2026-11-21T14:02:59.000Z
    let mut text = Vec::with_capacity(24);
    format_millis(at_ms, &mut text);
    out.push(b'[');
    if at_ms / DAY_MS != now_ms / DAY_MS {
        out.extend_from_slice(text.get(..10).unwrap_or_default());
        out.push(b' ');
    }
    out.extend_from_slice(text.get(11..16).unwrap_or_default());
    out.extend_from_slice(b"] ");
}
