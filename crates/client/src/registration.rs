//! Coming in: capabilities, proof of the account, nickname.
//!
//! Specifications: <https://modern.ircdocs.horse/#connection-registration>,
//! <https://ircv3.net/specs/extensions/capability-negotiation>, <https://ircv3.net/specs/extensions/sasl-3.2>.

use chinwag_wire::base64;
use chinwag_wire::message::Message;
use zeroize::Zeroizing;

use crate::Millis;
use crate::buffer::BufferKind;
use crate::change::Change;
use crate::client::Client;
use crate::line::LineKind;
use crate::link::Link;
use crate::profile::Login;
use crate::server::ServerInfo;

/// Capabilities that are asked for where they are offered.
const WANTED: &[&str] = &[
    "account-notify",
    "account-tag",
    "away-notify",
    "batch",
    "cap-notify",
    "chghost",
    "draft/channel-rename",
    "draft/chathistory",
    "draft/event-playback",
    "draft/message-edit",
    "draft/message-redaction",
    "draft/multiline",
    "draft/read-marker",
    "echo-message",
    "extended-join",
    "invite-notify",
    "labeled-response",
    "message-tags",
    "multi-prefix",
    "server-time",
    "setname",
    crate::seek::CAP,
    "standard-replies",
    "chinwag.internal/numbers",
];

/// Milliseconds after which a registration that does not go on is given up.
pub(crate) const REGISTRATION_MS_MAX: Millis = 30_000;

/// Milliseconds after the welcome when rooms are entered even if the message of the day has not ended.
pub(crate) const READY_MS_MAX: Millis = 3_000;

/// Milliseconds between two tries to have the own nickname back.
const REGAIN_MS: Millis = 30_000;

/// Other nicknames that are tried before the person is asked.
const ALTERNATES_MAX: u32 = 10;

/// Bytes of a piece of an AUTHENTICATE exchange.
const SASL_PIECE: usize = 400;

/// How far a registration is.
#[derive(Debug, Default)]
pub(crate) struct Registration {
    /// When it began.
    pub(crate) since_ms: Millis,
    /// Requests for capabilities that were not answered yet.
    requests: u32,
    /// Capabilities were asked for one by one, since the whole was refused.
    singly: bool,
    /// The negotiation has ended.
    ended: bool,
    /// The login has succeeded.
    proved: bool,
    /// Nicknames that were refused.
    refused: u32,
    /// Rooms are entered.
    pub(crate) ready: bool,
}

impl Client {
    /// Says who is coming in.
    pub(crate) fn register(&mut self, now: Millis) {
        self.registration = Registration { since_ms: now, ..Registration::default() };
        // What is typed before the server has introduced itself is taken as the last time.
        let (network, multiline) = (self.server.network.clone(), self.server.multiline);
        self.server = ServerInfo { network, multiline, ..ServerInfo::new(&self.profile.host) };
        let secret = self.profile.server_password.is_some()
            || matches!(self.profile.login, Some(Login::Password { .. }));
        if secret && !self.profile.trusted_link {
            return self.refuse("Others could read the password on the way: connect with TLS");
        }
        self.tell("CAP", &["LS", "302"]);
        if let Some(password) = self.profile.server_password.clone() {
            self.tell("PASS", &[password.reveal()]);
        }
        let (nick, user, name) =
            (self.profile.nick.clone(), self.profile.user.clone(), self.profile.real_name.clone());
        self.me.nick = nick.as_str().into();
        self.tell("NICK", &[&nick]);
        let (user, name) = (word(&user), if name.trim().is_empty() { nick } else { name });
        self.tell("USER", &[&user, "0", "*", &name]);
    }

    /// Nothing goes on until the person has decided something.
    pub(crate) fn refuse(&mut self, why: &str) {
        self.hang_up = Some(why.to_owned());
        self.set_link(Link::Refused { why: why.into() });
    }

    /// `CAP <nickname> <subcommand> [*] :<capabilities>`
    pub(crate) fn cap(&mut self, message: &Message<'_>) {
        let (Some(what), Some(list)) = (message.params.get(1), message.params.last()) else { return };
        let names = list.split(' ').filter(|name| !name.is_empty());
        match what.to_ascii_uppercase().as_str() {
            "LS" => {
                self.offered(names);
                if message.params.len() < 4 {
                    self.request_caps();
                }
            }
            "NEW" => {
                self.offered(names);
                self.request_caps();
            }
            "DEL" => {
                for name in names {
                    self.server.caps.remove(name);
                    self.server.offered.remove(name);
                }
                self.server.limits_of_multiline();
            }
            "ACK" => {
                for name in names {
                    match name.strip_prefix('-') {
                        Some(gone) => drop(self.server.caps.remove(gone)),
                        None => {
                            let value = self.server.offered.get(name).cloned().unwrap_or_default();
                            self.server.caps.insert(name.into(), value);
                        }
                    }
                }
                if self.registration.ended {
                    self.server.limits_of_multiline();
                }
                self.answered();
            }
            "NAK" => {
                if !self.registration.singly {
                    self.registration.singly = true;
                    for name in names {
                        self.registration.requests += 1;
                        self.tell("CAP", &["REQ", name]);
                    }
                }
                self.answered();
            }
            _ => {}
        }
    }

    fn offered<'a>(&mut self, names: impl Iterator<Item = &'a str>) {
        for name in names {
            let (name, value) = name.split_once('=').unwrap_or((name, ""));
            self.server.offered.insert(name.into(), value.into());
        }
    }

    /// Asks for what is offered, wanted and not there yet.
    fn request_caps(&mut self) {
        let mut wanted = WANTED.to_vec();
        if self.profile.login.is_some() && !self.registration.ended {
            wanted.push("sasl");
        }
        if !self.profile.members {
            let names = ["no-implicit-names", "draft/no-implicit-names"];
            wanted.extend(names.iter().find(|name| self.server.offered.contains_key(**name)));
        }
        wanted.retain(|name| self.server.offered.contains_key(*name) && !self.server.has(name));
        // Two lines are enough for all of them.
        for some in wanted.chunks(12) {
            self.registration.requests += 1;
            let list = some.join(" ");
            self.send(|writer| {
                writer.command("CAP").param("REQ").trailing(&list);
            });
        }
        if wanted.is_empty() {
            self.end_caps();
        }
    }

    fn answered(&mut self) {
        self.registration.requests = self.registration.requests.saturating_sub(1);
        if self.registration.requests > 0 || self.registration.ended {
            return;
        }
        match &self.profile.login {
            Some(login) if self.server.has("sasl") && !self.registration.proved => {
                let mechanism = if *login == Login::External { "EXTERNAL" } else { "PLAIN" };
                self.tell("AUTHENTICATE", &[mechanism]);
            }
            _ => self.end_caps(),
        }
    }

    fn end_caps(&mut self) {
        if !self.registration.ended {
            self.registration.ended = true;
            self.tell("CAP", &["END"]);
        }
    }

    /// `AUTHENTICATE +`: the server waits for the proof.
    pub(crate) fn authenticate(&mut self) {
        let proof = match &self.profile.login {
            Some(Login::Password { account, password }) => {
                let plain = Zeroizing::new(format!("{account}\0{account}\0{}", password.reveal()));
                Zeroizing::new(base64::encode(plain.as_bytes()))
            }
            _ => Zeroizing::new(String::new()),
        };
        let pieces = proof.as_bytes().chunks(SASL_PIECE);
        for piece in pieces {
            // Base64 is ASCII: every piece is text.
            let piece = Zeroizing::new(String::from_utf8_lossy(piece).into_owned());
            self.tell("AUTHENTICATE", &[&piece]);
        }
        if proof.len().is_multiple_of(SASL_PIECE) {
            self.tell("AUTHENTICATE", &["+"]);
        }
    }

    /// The numerics of logging in. Says whether it was one.
    pub(crate) fn login_numeric(&mut self, number: u16, message: &Message<'_>) -> bool {
        match number {
            900 => self.me.account = message.params.get(2).map(Into::into),
            901 => self.me.account = None,
            903 | 907 => {
                self.registration.proved = true;
                self.end_caps();
            }
            902 | 904 | 905 | 906 if !self.registration.ended => {
                let why = match &self.profile.login {
                    Some(Login::Password { account, .. }) => {
                        format!("The password of {account} is not right: give the right one, or come in as a guest")
                    }
                    _ => "The server does not know the certificate: link it to an account first, or come in as a guest".into(),
                };
                self.refuse(&why);
            }
            // The mechanisms there are: 904 follows.
            908 => {}
            _ => return false,
        }
        self.changes.add(Change::Me);
        true
    }

    /// A nickname cannot be had.
    pub(crate) fn nick_refused(&mut self, number: u16, message: &Message<'_>, now: Millis) {
        let text = message.params.last().copied().unwrap_or("It cannot be had");
        let wished = message.params.get(1).unwrap_or("").to_owned();
        if !matches!(self.link, Link::Registering) {
            // The own one is asked for again and again: that it is not free yet is no news.
            if self.regain_ms.is_none() || !self.server.same(&wished, &self.profile.nick) {
                let server = self.server_buffer();
                self.note(server, LineKind::Error, &format!("{wished}: {text}"), now);
            }
            return;
        }
        let taken = matches!(number, 433 | 436 | 437);
        if taken && (self.profile.alternates || self.was_in) && self.registration.refused < ALTERNATES_MAX {
            self.registration.refused += 1;
            let nick = self.alternate(self.registration.refused);
            self.me.nick = nick.as_str().into();
            self.tell("NICK", &[&nick]);
            return;
        }
        let what = if taken { "is taken" } else { "is no nickname here" };
        self.refuse(&format!("{wished} {what} ({text}): choose another nickname"));
    }

    fn alternate(&mut self, nth: u32) -> String {
        let wished = &self.profile.nick;
        match nth {
            1..=2 => format!("{wished}{}", "_".repeat(nth as usize)),
            _ => format!("{wished}{}", self.dice.roll() % 9_000 + 1_000),
        }
    }

    /// `001`: I am in.
    pub(crate) fn welcome(&mut self, message: &Message<'_>, now: Millis) {
        if let Some(nick) = message.params.first() {
            self.me.nick = (*nick).into();
        }
        self.registration.ended = true;
        self.server.limits_of_multiline();
        self.set_link(Link::Online { since_ms: now });
        self.changes.add(Change::Me);
        if let Some(source) = message.source {
            self.server.name = source.to_owned();
        }
        self.regain_ms = (!self.server.same(&self.me.nick, &self.profile.nick)).then_some(now + REGAIN_MS);
    }

    /// The server has introduced itself: rooms are entered, and what was missed is fetched.
    pub(crate) fn ready(&mut self, now: Millis) {
        if self.registration.ready || !self.is_online() {
            return;
        }
        self.registration.ready = true;
        let network = self.server.network.clone();
        if let Some(buffer) = self.buffers.first_mut() {
            buffer.name = network.into();
        }
        self.refold();
        self.identify();
        self.give_codes();
        self.enter_wanted();
        if let Some(away) = self.me.away.clone() {
            self.tell("AWAY", &[&away]);
        }
        let people: Vec<_> = self
            .buffers
            .iter()
            .filter(|buffer| buffer.kind == BufferKind::Person)
            .map(|buffer| buffer.id)
            .collect();
        for id in people {
            self.sync(id, now);
        }
        if self.profile.conversations {
            self.ask_conversations(now);
        }
        self.was_in = true;
    }

    /// The case mapping is known now: names are the same by it.
    fn refold(&mut self) {
        for at in 0..self.buffers.len() {
            self.buffers[at].folded = self.server.fold(&self.buffers[at].name);
        }
        self.sort_buffers();
    }

    /// Where there is no SASL, the services are told.
    fn identify(&mut self) {
        let Some(Login::Password { account, password }) = self.profile.login.clone() else { return };
        if !self.registration.proved && !self.server.offered.contains_key("sasl") {
            let text = Zeroizing::new(format!("IDENTIFY {account} {}", password.reveal()));
            self.tell("PRIVMSG", &["NickServ", &text]);
        }
    }

    /// Enters the rooms that are wanted and not entered, some in each line. Those with a key come first, since keys are
    /// matched by place.
    pub(crate) fn enter_wanted(&mut self) {
        let mut rooms: Vec<(Option<String>, String)> = self
            .buffers
            .iter()
            .filter(|buffer| buffer.kind == BufferKind::Room && buffer.wanted && !buffer.joined)
            .map(|buffer| (buffer.key.clone(), buffer.name.to_string()))
            .collect();
        rooms.sort_by_key(|(key, _)| key.is_none());
        for some in rooms.chunks(5) {
            let names: Vec<&str> = some.iter().map(|(_, name)| name.as_str()).collect();
            let keys: Vec<&str> = some.iter().filter_map(|(key, _)| key.as_deref()).collect();
            let (names, keys) = (names.join(","), keys.join(","));
            match keys.is_empty() {
                true => self.tell("JOIN", &[&names]),
                false => self.tell("JOIN", &[&names, &keys]),
            }
        }
    }

    /// Asks for the own nickname again when it is time.
    pub(crate) fn regain(&mut self, now: Millis) {
        if self.is_online() && self.regain_ms.is_some_and(|at_ms| at_ms <= now) {
            self.regain_ms = Some(now + REGAIN_MS);
            let nick = self.profile.nick.clone();
            self.tell("NICK", &[&nick]);
        }
    }
}

/// A text as one word.
fn word(text: &str) -> String {
    let word: String = text.chars().filter(|c| !c.is_whitespace() && !c.is_control() && *c != '@').collect();
    if word.is_empty() { "user".into() } else { word }
}
