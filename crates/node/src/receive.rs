//! What a session sends: lines and bursts become requests, in order; what cannot be decided yet waits here.
//!
//! A session's requests are handled in order. Messages may be under way together; everything else waits until
//! what the session asked before has been applied, and holds up what comes behind it. That is what makes a
//! `PONG` leave after the effects of all that was asked before it.

use chinwag_core::asking::{Asking, Flow};
use chinwag_core::commands::batch;
use chinwag_core::commands::services::Service;
use chinwag_core::event::Event;
use chinwag_core::ids::{Millis, SessionId};
use chinwag_core::line::{Line, Source, Text};
use chinwag_core::refusals::Why;
use chinwag_core::session::{Door, Phase};
use chinwag_wire::caps::Cap;
use chinwag_wire::limits::{BODY_BYTES_MAX, LABEL_BYTES_MAX, TAGS_CLIENT_BYTES_MAX};
use chinwag_wire::line::{Decoded, LineDecoder, Part};
use chinwag_wire::message::{Message, ParseError};
use chinwag_wire::numeric::Numeric;
use chinwag_wire::verbs::Verb;

use crate::deliver::Asker;
use crate::doors::plain::Ask;
use crate::labels::notice;
use crate::limits::{
    GREETING_BYTES_MAX, GREETING_LINES_MAX, INPUT_REST_BYTES_MAX, MESSAGES_UNDER_WAY_LOW,
    MESSAGES_UNDER_WAY_MAX, SEARCH_WORK, WORK_A_TURN_MAX,
};
use crate::pace;
use crate::proposals::{Behalf, NO_LABEL};
use crate::sessions::{Entry, Input, Waits};
use crate::{Node, Received, seconds};

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Looked {
    /// Dealt with.
    Done,
    /// To be looked at again later.
    Wait,
    /// The session is being closed.
    Closed,
}

impl Node {
    /// Bytes from a session's socket.
    pub fn receive(&mut self, session: SessionId, bytes: &[u8], now_ms: Millis) -> Received {
        self.now_ms = now_ms;
        let Some(index) = self.sessions.find(session) else { return Received::Closed };
        let hot = &mut self.sessions.hot[index as usize];
        (hot.heard_s, hot.pinged_s) = (seconds(now_ms), 0);
        let Some(entry) = self.sessions.get_mut(index) else { return Received::Closed };
        if entry.closing || entry.ended {
            return Received::Closed;
        }
        if entry.waits == Waits::No && entry.rest.is_empty() {
            self.look_at(index, bytes)
        } else if entry.rest.len() + bytes.len() > INPUT_REST_BYTES_MAX {
            self.figures.refuse(Why::InputQueue);
            self.close(index, "Too much input is waiting");
            return Received::Closed;
        } else {
            entry.rest.push(bytes);
        }
        self.count_greeting(index, bytes.len());
        self.reading(index)
    }

    /// Counts the bytes of a session that, having sent them, is still nobody: all that came with a complete
    /// registration is not too much.
    fn count_greeting(&mut self, index: u32, bytes: usize) {
        let Some(entry) = self.sessions.get_mut(index).filter(|entry| entry.user.is_none()) else { return };
        entry.greeting_bytes = entry.greeting_bytes.saturating_add(u32::try_from(bytes).unwrap_or(u32::MAX));
        if entry.greeting_bytes as usize > GREETING_BYTES_MAX {
            self.close_greeting(index);
        }
    }

    /// Whether bytes of an unframed plain caller wait for the end of their burst: then [`Node::end_of_burst`]
    /// is due this many milliseconds after the last bytes came.
    pub fn gather_ms(&self, session: SessionId) -> Option<u64> {
        let entry = self.sessions.find(session).and_then(|index| self.sessions.get(index))?;
        match &entry.input {
            Input::Plain(door) if door.gathering() => Some(door.gather_ms()),
            _ => None,
        }
    }

    /// The time of [`Node::gather_ms`] is over and nothing more came.
    pub fn end_of_burst(&mut self, session: SessionId, now_ms: Millis) -> Received {
        self.with_plain(session, now_ms, |door| door.gathered())
    }

    /// A caller has been silent since it was connected, and is taken for a plain one.
    pub fn silence(&mut self, session: SessionId, now_ms: Millis) -> Received {
        self.with_plain(session, now_ms, |door| door.silence())
    }

    fn with_plain(
        &mut self,
        session: SessionId,
        now_ms: Millis,
        tell: impl FnOnce(&mut crate::doors::plain::PlainDoor),
    ) -> Received {
        self.now_ms = now_ms;
        let Some(index) = self.sessions.find(session) else { return Received::Closed };
        if let Some(Entry { input: Input::Plain(door), .. }) = self.sessions.get_mut(index) {
            tell(door);
        }
        self.go_on(index);
        self.reading(index)
    }

    /// Closes a session that sent more than anybody needs to come in.
    fn close_greeting(&mut self, index: u32) {
        let reason = match self.sessions.get(index).map(|entry| entry.core.door) {
            Some(Door::Plain) => "too much was sent before a name",
            _ => "Too much was sent before registration",
        };
        self.figures.refuse(Why::GreetingTooLong);
        self.close(index, reason);
    }

    /// What the driver does about a session.
    fn reading(&mut self, index: u32) -> Received {
        match self.sessions.get_mut(index) {
            Some(entry) if entry.closing || entry.ended => Received::Closed,
            Some(entry) if entry.waits != Waits::No || !entry.rest.is_empty() => {
                entry.stopped = true;
                Received::Wait
            }
            Some(_) => Received::More,
            None => Received::Closed,
        }
    }

    /// A session goes on with what it sent, as far as it can.
    pub(crate) fn go_on(&mut self, index: u32) {
        let Some(entry) = self.sessions.get_mut(index) else { return };
        entry.ready = false;
        if entry.closing {
            return;
        }
        entry.waits = Waits::No;
        let mut rest = std::mem::take(&mut entry.rest);
        let left = self.look_at_slice(index, rest.as_slice());
        let Some(entry) = self.sessions.get_mut(index).filter(|entry| !entry.closing) else { return };
        rest.leave(left);
        entry.rest = rest;
        if entry.waits != Waits::No {
            return;
        }
        if entry.ended {
            self.wind_up(index);
        } else if std::mem::take(&mut entry.stopped) {
            self.woken.push(self.sessions.id(index));
        }
    }

    /// All that a session sent before its input ended has been looked at.
    fn wind_up(&mut self, index: u32) {
        let Some(entry) = self.sessions.get_mut(index) else { return };
        if !std::mem::replace(&mut entry.emptied, true)
            && let Input::Plain(door) = &mut entry.input
        {
            door.closed_by_peer();
            let _ = self.look_at_slice(index, &[]);
        }
        let Some(entry) = self.sessions.get(index) else { return };
        if !entry.closing && entry.waits == Waits::No && !entry.busy() {
            self.close(index, "Connection closed");
        }
    }

    /// Looks at bytes that came just now; what has to wait is kept.
    fn look_at(&mut self, index: u32, bytes: &[u8]) {
        let left = self.look_at_slice(index, bytes);
        if left > 0
            && let Some(entry) = self.sessions.get_mut(index).filter(|entry| !entry.closing)
        {
            entry.rest.push(&bytes[bytes.len() - left..]);
        }
    }

    /// Looks at bytes, and gives how many of them, at the end, have to be looked at again.
    fn look_at_slice(&mut self, index: u32, bytes: &[u8]) -> usize {
        match self.sessions.get_mut(index).map(|entry| &mut entry.input) {
            Some(Input::Irc(decoder)) => {
                let decoder = std::mem::replace(decoder, LineDecoder::irc());
                self.irc_lines(index, decoder, bytes)
            }
            Some(Input::Plain(_)) => self.plain_input(index, bytes),
            None => 0,
        }
    }

    fn irc_lines(&mut self, index: u32, mut decoder: LineDecoder, bytes: &[u8]) -> usize {
        let mut input = bytes;
        let mut left = 0;
        loop {
            let before = input;
            match decoder.next(&mut input) {
                None => break,
                Some(Decoded::TooLong(Part::Endless)) => {
                    self.figures.refuse(Why::EndlessLine);
                    self.close(index, "Input line was too long");
                    return 0;
                }
                Some(Decoded::TooLong(_)) => self.too_long(index),
                Some(Decoded::Line(line)) => match self.line(index, line) {
                    Looked::Done => {}
                    Looked::Closed => return 0,
                    Looked::Wait => {
                        let whole = before.as_ptr_range().contains(&line.as_ptr());
                        if whole {
                            left = before.len();
                        } else {
                            // Its beginning came earlier and is nowhere in `bytes`.
                            let Some(entry) = self.sessions.get_mut(index) else { return 0 };
                            entry.rest.push(line);
                            entry.rest.push(b"\n");
                            left = input.len();
                        }
                        break;
                    }
                },
            }
        }
        if left > 0 {
            // It may still hold the line that waits, which is in the rest now.
            decoder = LineDecoder::irc();
        }
        if let Some(Entry { input: Input::Irc(place), .. }) = self.sessions.get_mut(index) {
            *place = decoder;
        }
        left
    }

    fn plain_input(&mut self, index: u32, bytes: &[u8]) -> usize {
        let mut input = bytes;
        loop {
            let Some(Entry { input: Input::Plain(door), .. }) = self.sessions.get_mut(index) else {
                return 0;
            };
            let Some(ask) = door.next_ask() else {
                if input.is_empty() {
                    return 0;
                }
                door.feed(&mut input);
                continue;
            };
            match self.plain_ask(index, &ask) {
                Looked::Done => {}
                Looked::Closed => return 0,
                Looked::Wait => {
                    if let Some(Entry { input: Input::Plain(door), .. }) = self.sessions.get_mut(index) {
                        door.again(ask);
                    }
                    return input.len();
                }
            }
        }
    }

    fn plain_ask(&mut self, index: u32, ask: &Ask) -> Looked {
        match ask {
            Ask::Request(line) => return self.line(index, line.as_bytes()),
            Ask::Tell(text) => self.send_raw(index, text.as_bytes()),
            Ask::Raw(bytes) => self.send_raw(index, bytes),
            Ask::Echo(on) => {
                if let Some(entry) = self.sessions.get_mut(index) {
                    let caps = entry.core.caps;
                    entry.core.caps =
                        if *on { caps.with(Cap::EchoMessage) } else { caps.without(Cap::EchoMessage) };
                }
            }
            Ask::Close(reason) => {
                self.close(index, reason);
                return Looked::Closed;
            }
        }
        Looked::Done
    }

    /// ERR_INPUTTOOLONG: nothing of the line was looked at.
    fn too_long(&mut self, index: u32) {
        self.figures.refuse(Why::LineTooLong);
        let line = Line::numeric(Numeric::ERR_INPUTTOOLONG, [Text::Static("Input line was too long")]);
        self.send_one(index, &line, None);
    }

    /// Looks at one line.
    fn line(&mut self, index: u32, line: &[u8]) -> Looked {
        match Message::parse(line) {
            Ok(message) => self.ask(index, &message),
            // https://ircv3.net/specs/extensions/utf8-only: what is not UTF-8 is refused as a whole.
            Err(ParseError::Utf8) if !self.settings.utf8_only => {
                let text = latin(line);
                if text.len() > TAGS_CLIENT_BYTES_MAX + BODY_BYTES_MAX {
                    self.too_long(index);
                    return Looked::Done;
                }
                self.line(index, text.as_bytes())
            }
            Err(ParseError::Utf8) => {
                self.figures.refuse(Why::NotUtf8);
                let label = label_of(line);
                let text = "Your line is not UTF-8 and was not sent";
                self.no_message(index, [command_of(line), "INVALID_UTF8"], text, label.as_deref())
            }
            Err(ParseError::Forbidden(_)) => self.no_message(
                index,
                ["*", "INVALID_LINE"],
                "Your line holds NUL or CR and was not sent",
                None,
            ),
            Err(ParseError::NoCommand) => {
                self.no_message(index, ["*", "INVALID_LINE"], "Your line holds no command", None)
            }
        }
    }

    /// Says why a line is no message.
    fn no_message(
        &mut self,
        index: u32,
        [command, code]: [&'static str; 2],
        text: &'static str,
        label: Option<&str>,
    ) -> Looked {
        let Some(entry) = self.sessions.get(index) else { return Looked::Closed };
        // People who speak IRC get the standard reply whether they asked for such or not: the specification of
        // UTF8ONLY names it as the answer.
        let irc = entry.core.door == Door::Irc;
        if code == "INVALID_LINE" {
            self.figures.refuse(Why::NoMessage);
        }
        let line = if irc || entry.core.caps.contains(Cap::StandardReplies) {
            let params = [command, code, text].map(Text::Static);
            Line::new(Source::Server, "FAIL", params)
        } else {
            notice(text.to_owned())
        };
        self.send_one(index, &line, label);
        Looked::Done
    }

    /// Decides a request, or finds out that it has to wait.
    fn ask(&mut self, index: u32, message: &Message<'_>) -> Looked {
        let verb = Verb::lookup(message.command);
        let talk = matches!(verb, Some(Verb::Privmsg | Verb::Notice | Verb::Tagmsg));
        // What is said to a service is a command.
        let talk = talk && message.params.first().is_none_or(|target| Service::named(target).is_none());
        let (full, loaded, turn) = (self.proposals.full(), self.wants_flush(), self.turn);
        let behind = verb == Some(Verb::Ping) && self.has_to_stay_behind(index);
        let Some(entry) = self.sessions.get_mut(index) else { return Looked::Closed };
        if entry.closing {
            return Looked::Closed;
        }
        let loaded = loaded || entry.worked_out(turn);
        let mut waits = entry.has_to_wait(talk, full, loaded);
        let (rate, cost) = (self.settings.command_rate, pace::cost(verb));
        if waits == Waits::No && entry.user.is_some() && !entry.pace.admits(rate, cost, self.now_ms) {
            waits = Waits::Pace;
            self.figures.refuse(Why::Commands);
        }
        if waits == Waits::No && verb == Some(Verb::Ping) && !std::mem::take(&mut entry.was_behind) && behind
        {
            waits = Waits::Behind;
        }
        if waits != Waits::No {
            entry.waits = waits;
            match waits {
                Waits::Others => self.waiting.push(self.sessions.id(index)),
                Waits::Flush => self.after_flush.push(index),
                Waits::Pace => self.paced.push(self.sessions.id(index)),
                Waits::Behind => self.stay_behind(index),
                _ => {}
            }
            return Looked::Wait;
        }
        if entry.user.is_none() {
            entry.greeting_lines += 1;
            if entry.greeting_lines > GREETING_LINES_MAX {
                self.close_greeting(index);
                return Looked::Closed;
            }
        }
        entry.work += work(verb);
        let label = self.begin_label(index, message);
        self.decide(index, message, label, talk)
    }

    fn decide(&mut self, index: u32, message: &Message<'_>, label: u64, talk: bool) -> Looked {
        let next_user = self.next_user();
        let session = self.sessions.id(index);
        let mut effects = std::mem::take(&mut self.effects);
        let mut events = std::mem::take(&mut self.events);
        let allowance = self.allowance(index);
        let Some(entry) = self.sessions.get_mut(index) else { return Looked::Closed };
        let mut asking = Asking {
            now_ms: self.now_ms,
            settings: &self.settings,
            session: &mut entry.core,
            pending: &self.proposals.pending,
            allowance,
            figures: &self.figures,
            next_user,
            effects: &mut effects,
            events: &mut events,
        };
        let verb = Verb::lookup(message.command);
        let flow = self.chat.request(&mut asking, message);
        let waits = flow != Flow::Done;
        if waits {
            debug_assert!(effects.is_empty() && events.is_empty(), "a request that waits does nothing");
            self.labels.forget(label);
            if let Flow::Look(question) = flow {
                entry.waits = Waits::Read;
                self.look(session, *question);
            } else {
                entry.waits = Waits::Others;
                self.waiting.push(session);
            }
        } else {
            if let Some(verb) = verb {
                self.figures.count(verb);
            }
            if entry.user.is_some() {
                let cost = pace::cost(verb);
                entry.pace.spend(self.settings.command_rate, cost, self.now_ms);
            }
            let asker = Asker { index, label };
            for event in events.drain(..) {
                self.propose_for(asker, session, event, talk);
            }
            for effect in effects.drain(..) {
                self.carry_out(Some(asker), effect);
            }
            if label != NO_LABEL {
                // What opens a batch, or is collected in one, is answered when the batch is closed.
                let collecting = |entry: &Entry| {
                    entry.core.batch.as_ref().is_some_and(|batch| batch.draft.is_some())
                        && batch::label(&entry.core, message).is_some()
                };
                if self.sessions.get(index).is_some_and(collecting) {
                    self.labels.forget(label);
                } else {
                    self.settle_label(asker);
                }
            }
        }
        self.effects = effects;
        self.events = events;
        match self.sessions.get(index) {
            _ if waits => Looked::Wait,
            Some(entry) if !entry.closing => Looked::Done,
            _ => Looked::Closed,
        }
    }

    /// Proposes what a session's request leads to.
    pub(crate) fn propose_for(&mut self, asker: Asker, session: SessionId, event: Event, talk: bool) {
        let Some(entry) = self.sessions.get_mut(asker.index) else { return };
        match &event {
            Event::Arrived(arrived) => {
                entry.user = Some(arrived.user);
                self.users_promised += 1;
            }
            Event::Attached { user, .. } => entry.user = Some(*user),
            Event::Detached { .. } => entry.detached = true,
            _ => {}
        }
        if talk {
            entry.messages += 1;
        } else {
            entry.commands += 1;
        }
        self.labels.expect(asker.label);
        self.propose(
            event,
            Behalf { session: Some(session), label: asker.label, message: talk, ..Behalf::NODE },
        );
    }

    /// A session may go on at the end of the turn.
    pub(crate) fn make_ready(&mut self, index: u32) {
        if let Some(entry) = self.sessions.get_mut(index)
            && !std::mem::replace(&mut entry.ready, true)
        {
            self.ready.push(index);
        }
    }

    /// Everybody who may go on does.
    pub(crate) fn go_on_all(&mut self) {
        let mut ready = std::mem::take(&mut self.ready);
        for index in ready.drain(..) {
            self.go_on(index);
        }
        // Whoever was made ready meanwhile goes on in the next round; nearly always that is nobody.
        if self.ready.is_empty() {
            self.ready = ready;
        }
    }

    /// Whoever waited for others may try again.
    pub(crate) fn wake_waiting(&mut self) {
        for session in std::mem::take(&mut self.waiting) {
            if let Some(index) = self.sessions.find(session) {
                self.make_ready(index);
            }
        }
    }
}

/// The command of a line that is no UTF-8; `*` where there is none that is known.
fn command_of(line: &[u8]) -> &'static str {
    let words = line.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
    let mut behind = words.skip_while(|word| word.starts_with(b"@") || word.starts_with(b":"));
    behind.next().and_then(Verb::lookup).map_or("*", Verb::name)
}

/// A line that is not UTF-8, taken for Windows-1252: what clients sent that knew nothing else.
fn latin(line: &[u8]) -> String {
    /// What 0x80 to 0x9f are; what Windows-1252 leaves open is a replacement character.
    const HIGH: [char; 32] = [
        '€', '\u{fffd}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{fffd}', 'Ž', '\u{fffd}',
        '\u{fffd}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{fffd}', 'ž', 'Ÿ',
    ];
    let decoded = |byte: &u8| match byte {
        0x80..=0x9f => HIGH[usize::from(byte - 0x80)],
        byte => char::from(*byte),
    };
    line.iter().map(decoded).collect()
}

/// The label of a line whose text is no message, if its tags are in order.
fn label_of(line: &[u8]) -> Option<String> {
    let end = line.iter().position(|byte| *byte == b' ').filter(|_| line.first() == Some(&b'@'))?;
    let tags = [&line[..end], b" *"].concat();
    let label = Message::parse(&tags).ok()?.tags.get("label")?.into_owned();
    (1..=LABEL_BYTES_MAX).contains(&label.len()).then_some(label)
}

/// What a command costs, in simple commands. How many messages may be under way is bounded already.
fn work(verb: Option<Verb>) -> u16 {
    match verb {
        Some(Verb::Privmsg | Verb::Notice | Verb::Tagmsg) => 0,
        Some(Verb::List | Verb::Metadata | Verb::Rename | Verb::Who) => SEARCH_WORK,
        _ => 1,
    }
}

impl Entry {
    /// Whether enough was done for it in this turn.
    fn worked_out(&mut self, turn: u64) -> bool {
        if self.worked != turn {
            (self.worked, self.work) = (turn, 0);
        }
        // Before registration there are few lines anyway.
        self.user.is_some() && self.work >= WORK_A_TURN_MAX
    }

    fn has_to_wait(&self, talk: bool, full: bool, loaded: bool) -> Waits {
        let entering = matches!(self.core.phase, Phase::Entering(_));
        if self.commands > 0 || entering || (self.messages > 0 && (!talk || self.draining)) {
            Waits::Drained
        } else if self.messages >= MESSAGES_UNDER_WAY_MAX {
            Waits::Fewer
        } else if full {
            Waits::Others
        } else if loaded {
            Waits::Flush
        } else {
            Waits::No
        }
    }

    /// Something of this session's came back: whether it may go on.
    pub(crate) fn may_go_on(&self) -> bool {
        match self.waits {
            Waits::Drained => !self.busy(),
            Waits::Fewer => self.messages <= MESSAGES_UNDER_WAY_LOW,
            Waits::No => self.ended && !self.busy(),
            Waits::Others | Waits::Flush | Waits::Pace | Waits::Read | Waits::Behind => false,
        }
    }
}
