//! The input side of the plain door: from what a caller types to what is asked of the chat.
//!
//! The first thing sent is a nickname. Then every line, or for *unframed* callers (whose nickname came without a
//! line end) every burst, is a command, or is said in the room that the caller is in.

use std::collections::VecDeque;
use std::sync::Arc;

use chinwag_core::settings::Settings;
use chinwag_wire::base64;
use chinwag_wire::casemap::CaseMapping;
use chinwag_wire::limits::PLAIN_LINE_BYTES_MAX;
use chinwag_wire::plain::{Plain, PlainDecoder};

use super::{commands, name, split};

/// How many names may be tried before the door gives up on a caller.
const NAMES_TRIED_MAX: u32 = 20;

/// Milliseconds that a burst is gathered: long enough for the segments of one write, too short to be noticed.
const GATHER_MS: u64 = 20;

/// Milliseconds that a name is gathered whose bytes come one by one.
const GATHER_SLOW_MS: u64 = 1_500;

/// What the door wants done next, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// An IRC line, without its line end, to be decided as if it had come by IRC.
    Request(String),
    /// Text for this caller only, complete with its line ends.
    Tell(String),
    /// These bytes, as they are, for this caller only.
    Raw(&'static [u8]),
    /// Whether the caller sees what it says itself.
    Echo(bool),
    /// The caller is to be closed with this reason.
    Close(&'static str),
}

/// Bytes of a password, and of one AUTHENTICATE.
const PASSWORD_BYTES_MAX: usize = 1000;
const CHUNK_BYTES: usize = 400;

/// A request that is decided only when everything before it was applied, and whose answer is not shown.
const BARRIER: &str = "PING door";

/// Something that waits its turn.
#[derive(Clone, Debug)]
enum Item {
    Ask(Ask),
    /// A line, or burst, that nobody has looked at.
    Line(String),
}

/// A caller at the plain door.
#[derive(Debug)]
pub struct PlainDoor {
    lobby: Arc<str>,
    nick_length: usize,
    mapping: CaseMapping,
    history_on_join: u32,
    decoder: PlainDecoder,
    items: VecDeque<Item>,
    /// The caller ends its lines; what is not ended is not complete.
    framed: bool,
    /// Everything so far came byte by byte.
    trickles: bool,
    /// Something came.
    heard: bool,
    /// The first name tried: some clients repeat it in front of what they say, whatever came of it.
    first_tried: Option<String>,
    /// The name tried last, for those who repeat that.
    tried: Option<String>,
    names_tried: u32,
    /// The name under which others see the caller; none before it came in.
    nick: Option<String>,
    /// The name whose account's password is asked for.
    owned: Option<String>,
    /// Rooms the caller is in, by the order of entering.
    rooms: Vec<String>,
    /// The room it speaks in.
    room: Option<String>,
    greeted: bool,
    /// Was told that lines between two are not kept.
    pub(super) private_told: bool,
}

impl PlainDoor {
    /// Bytes of what came and was not asked for yet, roughly.
    pub(crate) fn held(&self) -> usize {
        self.items.len() * size_of::<Item>() + self.decoder.held()
    }

    /// A caller who has sent nothing yet.
    pub fn new(settings: &Settings) -> Self {
        PlainDoor {
            lobby: Arc::clone(&settings.lobby),
            nick_length: settings.nick_length,
            mapping: settings.casemapping,
            history_on_join: if settings.history { settings.history_on_join } else { 0 },
            decoder: PlainDecoder::new(PLAIN_LINE_BYTES_MAX as u32),
            items: VecDeque::new(),
            framed: false,
            trickles: true,
            heard: false,
            first_tried: None,
            tried: None,
            names_tried: 0,
            nick: None,
            owned: None,
            rooms: Vec::new(),
            room: None,
            greeted: false,
            private_told: false,
        }
    }

    /// Takes bytes: at most up to the end of one line. What it does not take stays in `input`, to be fed
    /// again once [`PlainDoor::next_ask`] has nothing more.
    pub fn feed(&mut self, input: &mut &[u8]) {
        self.trickles &= input.len() <= 1;
        self.heard |= !input.is_empty();
        let piece = self.decoder.next(input);
        // Whoever ends its name with a line end will end everything with one.
        self.framed |= self.nick.is_none() && matches!(piece, Some(Plain::Line(_)));
        self.taken(piece);
    }

    /// Whether bytes wait for the end of a burst: then [`PlainDoor::gathered`] is due [`PlainDoor::gather_ms`]
    /// after the last bytes came.
    pub fn gathering(&self) -> bool {
        !self.framed && self.decoder.waiting()
    }

    /// How long a burst is gathered, in milliseconds. Whoever sends a name byte by byte gets the time for it.
    pub fn gather_ms(&self) -> u64 {
        if self.nick.is_none() && self.trickles { GATHER_SLOW_MS } else { GATHER_MS }
    }

    /// The burst is complete.
    pub fn gathered(&mut self) {
        let piece = self.decoder.flush();
        self.taken(piece);
    }

    /// The caller will send nothing more: what it sent last counts, with or without a line end.
    pub fn closed_by_peer(&mut self) {
        self.gathered();
    }

    /// Nothing has come for a while. A caller who has sent nothing at all is asked for a name, with exactly the
    /// bytes that some clients wait for.
    pub fn silence(&mut self) {
        if !self.heard {
            self.heard = true;
            self.ask(Ask::Raw(b"NICK"));
        }
    }

    fn taken(&mut self, piece: Option<Plain>) {
        match piece {
            None => {}
            Some(Plain::Line(line)) => self.items.push_back(Item::Line(line)),
            Some(Plain::TooLong) => self.tell(&format!(
                "! That is longer than {} KiB at once. Nothing of it was sent; send it in parts.",
                PLAIN_LINE_BYTES_MAX / 1024
            )),
        }
    }

    /// What to do next; none when everything that came has been dealt with.
    pub fn next_ask(&mut self) -> Option<Ask> {
        loop {
            match self.items.pop_front()? {
                Item::Ask(ask) => return Some(ask),
                Item::Line(line) if self.nick.is_some() => self.line(&line),
                Item::Line(line) => self.name(&line),
            }
        }
    }

    /// Puts back what [`PlainDoor::next_ask`] gave and what could not be done yet.
    pub fn again(&mut self, ask: Ask) {
        self.items.push_front(Item::Ask(ask));
    }

    /// The caller has come in under this name.
    pub fn registered(&mut self, nick: &str) {
        self.owned = None;
        self.nick = Some(nick.to_owned());
        self.first([
            tell("* /help lists what you can do, exit takes you out. What you type is said to everybody."),
            Ask::Request(format!("JOIN {}", self.lobby)),
            Ask::Request(BARRIER.to_owned()),
        ]);
    }

    /// The name that the caller chose belongs to an account: what comes next is its password, or another name.
    pub fn password_wanted(&mut self, nick: &str) {
        let text = match self.owned.replace(nick.to_owned()) {
            Some(before) if before == nick => {
                "! That is not the password. Send it again, or another name: /nick name"
            }
            _ => "* That name belongs to an account. Send its password, or another name: /nick name",
        };
        self.first([tell(text)]);
    }

    /// The caller is in a room, in which messages may be pinned.
    pub fn entered(&mut self, room: &str, pins: bool) {
        if !self.is_in(room) {
            self.rooms.push(room.to_owned());
        }
        self.room = Some(room.to_owned());
        if pins {
            self.first([Ask::Request(format!("PINS {room}"))]);
        }
        if self.history_on_join > 0 {
            self.first([Ask::Request(format!("CHATHISTORY LATEST {room} * {}", self.history_on_join))]);
        }
        // The first room is where callers land: that goes without saying.
        if std::mem::replace(&mut self.greeted, true) {
            self.first([talking_in(room)]);
        }
    }

    /// The caller is not in a room any more.
    pub fn left(&mut self, room: &str) {
        let mapping = self.mapping;
        self.rooms.retain(|other| !mapping.same(other, room));
        if self.room.as_deref().is_some_and(|here| mapping.same(here, room)) {
            self.room = self.rooms.last().cloned();
            let told = match &self.room {
                Some(other) => talking_in(other),
                None => tell(&format!("* You are in no room now. /join {} takes you to one.", self.lobby)),
            };
            self.first([told]);
        }
    }

    /// A room that the caller is in has another name now.
    pub fn room_renamed(&mut self, old: &str, new: &str) {
        let mapping = self.mapping;
        let renamed = |name: &&mut String| mapping.same(name, old);
        for name in self.rooms.iter_mut().chain(&mut self.room).filter(renamed) {
            new.clone_into(name);
        }
    }

    /// The caller has another name now.
    pub fn renamed(&mut self, nick: &str) {
        self.nick = Some(nick.to_owned());
    }

    /// The name under which others see the caller.
    pub(super) fn nick(&self) -> &str {
        self.nick.as_deref().unwrap_or_default()
    }

    /// The room the caller speaks in.
    pub(super) fn room(&self) -> Option<&str> {
        self.room.as_deref()
    }

    /// Whether the caller is in a room.
    pub(super) fn is_in(&self, room: &str) -> bool {
        self.rooms.iter().any(|other| self.mapping.same(other, room))
    }

    /// From now on the caller speaks in this room.
    pub(super) fn talk_in(&mut self, room: &str) {
        self.room = Some(room.to_owned());
        self.ask(talking_in(room));
    }

    /// Asks for something that decides what the caller's next line means: that one is not looked at before.
    pub(super) fn request_and_wait(&mut self, request: String) {
        self.request(request);
        self.request(BARRIER.to_owned());
    }

    /// These come before everything that waits.
    fn first<const N: usize>(&mut self, asks: [Ask; N]) {
        for ask in asks.into_iter().rev() {
            self.items.push_front(Item::Ask(ask));
        }
    }

    pub(super) fn ask(&mut self, ask: Ask) {
        self.items.push_back(Item::Ask(ask));
    }

    pub(super) fn request(&mut self, request: String) {
        self.ask(Ask::Request(request));
    }

    /// Tells the caller something; it must be fit for a terminal.
    pub(super) fn tell(&mut self, text: &str) {
        self.ask(tell(text));
    }

    /// Says something: in as many messages as it takes.
    pub(super) fn say(&mut self, verb: &str, target: &str, text: &str) {
        let nick = self.nick.as_deref().unwrap_or_default();
        let room = split::text_bytes(nick, verb, target);
        for part in split::parts(text, room) {
            self.ask(Ask::Request(format!("{verb} {target} :{part}")));
        }
    }

    /// Does something, in the words of the client-to-client protocol that everybody reads as an action.
    pub(super) fn act(&mut self, room: &str, text: &str) {
        let nick = self.nick.as_deref().unwrap_or_default();
        let around = "\u{1}ACTION \u{1}".len();
        let bytes = split::text_bytes(nick, "PRIVMSG", room) - around;
        for part in split::parts(text, bytes) {
            self.ask(Ask::Request(format!("PRIVMSG {room} :\u{1}ACTION {part}\u{1}")));
        }
    }

    /// Asks for another name.
    pub(super) fn rename(&mut self, typed: &str) {
        match name::check(typed, self.nick_length) {
            Ok(()) => self.request(format!("NICK {typed}")),
            Err(answer) => self.tell(&format!("! {answer}")),
        }
    }

    /// A line of somebody who is in.
    fn line(&mut self, line: &str) {
        let line = self.without_own_name(line).trim_end();
        let line = line.to_owned();
        match line.strip_prefix('/') {
            _ if line.is_empty() => {}
            _ if line == "exit" => self.request("QUIT".to_owned()),
            Some(command) if !command.starts_with('/') => commands::run(self, command),
            Some(text) => self.say_here(text),
            None => self.say_here(&line),
        }
    }

    /// Says something in the room the caller is in.
    fn say_here(&mut self, text: &str) {
        match self.room.clone() {
            Some(room) => self.say("PRIVMSG", &room, text),
            None => self.tell(&format!(
                "! You are in no room, so nobody would read it. /join {} takes you to one.",
                self.lobby
            )),
        }
    }

    /// Tells a caller who is nowhere how to get somewhere.
    pub(super) fn in_no_room(&mut self) {
        self.tell(&format!("! You are in no room. /join {} takes you to one.", self.lobby));
    }

    /// Some clients put their own name in front of everything they send; others see it anyway.
    fn without_own_name<'a>(&self, line: &'a str) -> &'a str {
        let names = [&self.nick, &self.tried, &self.first_tried];
        for name in names.into_iter().flatten() {
            if let Some(head) = line.get(..name.len())
                && head.eq_ignore_ascii_case(name)
                && let Some(text) = line[name.len()..].strip_prefix(':')
            {
                return text.strip_prefix(' ').unwrap_or(text);
            }
        }
        line
    }

    /// What a caller sent whose name belongs to an account.
    fn password(&mut self, nick: &str, typed: &str) {
        if self.names_tried > NAMES_TRIED_MAX {
            return self.ask(Ask::Close("too many passwords tried"));
        }
        self.log_in(nick, typed);
        self.request_and_wait(format!("NICK {nick}"));
    }

    /// Logs in. What is too long for one response is no password of anybody.
    pub(super) fn log_in(&mut self, account: &str, password: &str) {
        if password.len() > PASSWORD_BYTES_MAX {
            return self.tell("! That is too long for a password.");
        }
        self.request("AUTHENTICATE PLAIN".to_owned());
        let response = base64::encode(format!("\0{account}\0{password}").as_bytes());
        let mut rest = response.as_str();
        while !rest.is_empty() {
            let (chunk, more) = rest.split_at(rest.len().min(CHUNK_BYTES));
            self.request(format!("AUTHENTICATE {chunk}"));
            rest = more;
        }
        if response.len().is_multiple_of(CHUNK_BYTES) {
            self.request("AUTHENTICATE +".to_owned());
        }
    }

    /// A line of somebody who is not in yet: a name to come in under.
    fn name(&mut self, line: &str) {
        let typed = self.without_own_name(line).trim().to_owned();
        if matches!(typed.as_str(), "exit" | "/quit" | "/exit") {
            return self.request("QUIT".to_owned());
        }
        self.names_tried += 1;
        if let Some(nick) = self.owned.clone().filter(|_| !typed.starts_with("/nick ")) {
            return self.password(&nick, &typed);
        }
        self.owned = None;
        if self.names_tried > NAMES_TRIED_MAX {
            return self.ask(Ask::Close("too many names tried"));
        }
        let typed = typed.strip_prefix("/nick ").unwrap_or(&typed).trim();
        // A client that repeats its name in front of what it says does so with a bad one too.
        if self.first_tried.is_none() && !typed.is_empty() && typed.len() <= 200 {
            self.first_tried = Some(typed.to_owned());
        }
        match name::check(typed, self.nick_length) {
            Ok(()) => {
                self.tried = Some(typed.to_owned());
                self.request(name::user_request(typed));
                // What comes next is said under this name, or is another one if this one is taken.
                self.request_and_wait(format!("NICK {typed}"));
            }
            Err(answer) => self.tell(&format!("! {answer}")),
        }
    }
}

fn tell(text: &str) -> Ask {
    Ask::Tell(format!("{text}\n"))
}

fn talking_in(room: &str) -> Ask {
    tell(&format!("* You are talking in {room} now."))
}
