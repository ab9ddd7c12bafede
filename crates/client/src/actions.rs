//! What the person does. Each answers at once in the model and never waits.

use std::fmt;
use std::sync::Arc;

use crate::Millis;
use crate::buffer::{BufferId, BufferKind};
use crate::catchup::{edit, redact};
use crate::change::Change;
use crate::client::{Asked, Client};
use crate::line::{Line, LineId, LineKind, LineState, Sender};
use crate::link::Link;
use crate::outbox::{OUTBOX_MAX, Outgoing};
use crate::split::{groups, pieces};
use crate::upkeep::MARK_MS;

/// Why something is not done: a sentence for the person that says what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal(pub String);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refusal {}

impl From<&str> for Refusal {
    fn from(text: &str) -> Refusal {
        Refusal(text.into())
    }
}

/// How something is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SayAs {
    /// As a message.
    #[default]
    Message,
    /// As something that I do.
    Action,
    /// As a notice, which nothing ever answers by itself.
    Notice,
}

/// How far I am with typing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TypingState {
    /// Typing now.
    Active,
    /// There is text, and nothing happens to it.
    Paused,
    /// The text is gone. Not needed after sending it.
    Done,
}

/// Milliseconds between two signs of typing.
const TYPING_EACH_MS: Millis = 3_000;

/// Labels of commands that are remembered.
const ASKED_MAX: usize = 1_000;

impl Client {
    /// Says something. It is in the buffer at once, pending; several lines are one message where the server knows such,
    /// otherwise several. Said without a link, it is sent when there is one again.
    ///
    /// # Errors
    /// Why not, for the person.
    pub fn say(
        &mut self,
        id: BufferId,
        text: &str,
        how: SayAs,
        reply_to: Option<LineId>,
        now: Millis,
    ) -> Result<(), Refusal> {
        let text = text.replace(['\r', '\0'], "");
        let text = text.trim_end_matches('\n');
        let buffer = self.buffer(id).ok_or("There is no such room any more")?;
        match buffer.kind {
            BufferKind::Server => {
                return Err("This is the server: /join a room or /query somebody first".into());
            }
            BufferKind::Room
                if !buffer.joined && self.is_online() && self.registration.ready && !buffer.wanted =>
            {
                return Err(Refusal(format!("You are not in {}: /join {} first", buffer.name, buffer.name)));
            }
            _ => {}
        }
        if text.trim().is_empty() {
            return Err("There is nothing to send".into());
        }
        let answered = reply_to.and_then(|line| buffer.lines.by_id(line)?.msgid.clone());
        if reply_to.is_some() && answered.is_none() {
            return Err("This line cannot be answered: the server has no name for it".into());
        }
        let name = Arc::clone(&buffer.name);
        let parts = self.parts(text, how, &name);
        if self.outbox.len() + parts.len() > OUTBOX_MAX {
            return Err("Too much is waiting to be sent: wait until the server has taken some of it".into());
        }
        self.latest(id, now);
        for (nth, part) in parts.into_iter().enumerate() {
            let answered = answered.clone().filter(|_| nth == 0);
            self.add_own(id, part, how, answered, now);
        }
        self.pump(now);
        Ok(())
    }

    /// The messages that a text becomes.
    fn parts(&self, text: &str, how: SayAs, target: &str) -> Vec<String> {
        let max = self.text_bytes_max(target);
        match self.server.multiline {
            Some((bytes, lines)) if how != SayAs::Action => groups(text, bytes, lines, max),
            _ => {
                let lines = text.split('\n').filter(|line| !line.is_empty());
                lines.flat_map(|line| pieces(line, max)).map(str::to_owned).collect()
            }
        }
    }

    fn add_own(&mut self, id: BufferId, text: String, how: SayAs, answered: Option<Arc<str>>, now: Millis) {
        let kind = match how {
            SayAs::Message => LineKind::Message,
            SayAs::Action => LineKind::Action,
            SayAs::Notice => LineKind::Notice,
        };
        let line_id = self.line_id();
        let mut line = Line::note(line_id, now, kind, text.as_str());
        let (nick, account) = (Arc::clone(&self.me.nick), self.me.account.clone());
        line.from = Some(Sender { nick, account, bot: false, me: true });
        line.state = LineState::Pending;
        line.reply_to.clone_from(&answered);
        let once = self.once();
        let mut outgoing = Outgoing::new(id, line_id, once, text, how);
        outgoing.reply_to = answered;
        self.outbox.push_back(outgoing);
        if let Some(buffer) = self.buffer_mut(id) {
            buffer.lines.add_own(line);
            buffer.typed = None;
        }
        self.changes.add(Change::Lines(id));
    }

    /// Says once more what failed.
    ///
    /// # Errors
    /// When the line is none that failed, or as [`Client::say`].
    pub fn retry(&mut self, id: BufferId, line: LineId, now: Millis) -> Result<(), Refusal> {
        let failed = self.take_failed(id, line).ok_or("This line has not failed")?;
        let how = match failed.kind {
            LineKind::Action => SayAs::Action,
            LineKind::Notice => SayAs::Notice,
            _ => SayAs::Message,
        };
        self.say(id, &failed.text, how, None, now)
    }

    /// Takes a line away that failed; gives it back.
    pub fn take_failed(&mut self, id: BufferId, line: LineId) -> Option<Line> {
        let buffer = self.buffer_mut(id)?;
        if !matches!(buffer.lines.by_id(line)?.state, LineState::Failed(_)) {
            return None;
        }
        self.changes.add(Change::Lines(id));
        self.buffer_mut(id)?.lines.take_own(line)
    }

    /// The name of the buffer and the msgid of a line in it, for what can only be done with a link.
    fn pointed(&self, id: BufferId, line: LineId) -> Result<(Arc<str>, Arc<str>), Refusal> {
        if !self.is_online() {
            return Err("There is no connection: try again when there is".into());
        }
        let buffer = self.buffer(id).ok_or("There is no such room any more")?;
        let line = buffer.lines.by_id(line).ok_or("This line is not there any more")?;
        let msgid =
            line.msgid.clone().ok_or("The server has no name for this line: nothing can be done to it")?;
        Ok((Arc::clone(&buffer.name), msgid))
    }

    /// A label for something that is done in a buffer, so that a refusal is shown there.
    fn labelled(&mut self, id: BufferId) -> Option<String> {
        if !self.server.has("labeled-response") || self.asked.len() >= ASKED_MAX {
            return None;
        }
        let label = self.label();
        self.asked.insert(label.clone(), Asked::Deed(id));
        Some(label)
    }

    /// Sends a command that has to do with a buffer.
    pub(crate) fn deed(&mut self, id: BufferId, tags: &[(&str, &str)], command: &str, params: &[&str]) {
        // What is answered is shown where it was asked.
        let _ = self.labelled_deed(id, tags, command, params);
    }

    /// The same; gives its label, where the server knows labels.
    pub(crate) fn labelled_deed(
        &mut self,
        id: BufferId,
        tags: &[(&str, &str)],
        command: &str,
        params: &[&str],
    ) -> Option<String> {
        let label = self.labelled(id);
        self.send(|writer| {
            if let Some(label) = &label {
                writer.tag("label", label);
            }
            for (key, value) in tags {
                writer.tag(key, value);
            }
            writer.command(command).params(params.iter().copied());
        });
        label
    }

    /// Changes what a line of mine says.
    ///
    /// # Errors
    /// When the server cannot, or the line is not mine.
    pub fn edit(&mut self, id: BufferId, line: LineId, text: &str, _now: Millis) -> Result<(), Refusal> {
        let (name, msgid) = self.pointed(id, line)?;
        if !self.server.has("draft/message-edit") {
            return Err("This server cannot change what was said".into());
        }
        let mine = self.buffer(id).and_then(|buffer| buffer.lines.by_id(line)).is_some_and(Line::is_mine);
        if !mine {
            return Err("Only own messages can be changed".into());
        }
        if text.is_empty() || text.contains('\n') {
            return Err("A message that is changed has one line of text".into());
        }
        let tags = [("draft/target-msgid", &*msgid), ("draft/edit-text", text)];
        self.deed(id, &tags, "EDIT", &[&name]);
        if !self.server.has("echo-message") {
            self.change_own_view(id, line, |line| edit(line, text.to_owned()));
        }
        Ok(())
    }

    /// Puts a sign at a line.
    ///
    /// # Errors
    /// When the server hands on no tags.
    pub fn react(&mut self, id: BufferId, line: LineId, what: &str, _now: Millis) -> Result<(), Refusal> {
        self.sign(id, line, what, true)
    }

    /// Takes a sign back.
    ///
    /// # Errors
    /// When the server hands on no tags.
    pub fn unreact(&mut self, id: BufferId, line: LineId, what: &str, _now: Millis) -> Result<(), Refusal> {
        self.sign(id, line, what, false)
    }

    fn sign(&mut self, id: BufferId, line: LineId, what: &str, set: bool) -> Result<(), Refusal> {
        let (name, msgid) = self.pointed(id, line)?;
        if !self.server.has("message-tags") {
            return Err("This server hands on no reactions".into());
        }
        if what.is_empty() || what.contains('\n') {
            return Err("A reaction is a sign or a few words".into());
        }
        let tag = if set { "+draft/react" } else { "+draft/unreact" };
        self.deed(id, &[("+draft/reply", &msgid), (tag, what)], "TAGMSG", &[&name]);
        if !self.server.has("echo-message") {
            let me = Arc::clone(&self.me.nick);
            self.change_own_view(id, line, |line| {
                line.react(&me, what, set);
            });
        }
        Ok(())
    }

    /// Takes a message back.
    ///
    /// # Errors
    /// When the server cannot.
    pub fn redact(&mut self, id: BufferId, line: LineId, reason: &str, _now: Millis) -> Result<(), Refusal> {
        let (name, msgid) = self.pointed(id, line)?;
        if !self.server.has("draft/message-redaction") {
            return Err("This server cannot delete what was said".into());
        }
        let params: &[&str] = if reason.is_empty() { &[&name, &msgid] } else { &[&name, &msgid, reason] };
        self.deed(id, &[], "REDACT", params);
        if !self.server.has("echo-message") {
            let me = Arc::clone(&self.me.nick);
            self.change_own_view(id, line, |line| redact(line, me, None));
        }
        Ok(())
    }

    fn change_own_view(&mut self, id: BufferId, line: LineId, change: impl FnOnce(&mut Line)) {
        if let Some(line) = self.buffer_mut(id).and_then(|buffer| buffer.lines.get_mut(line)) {
            change(line);
            self.changes.add(Change::Lines(id));
        }
    }

    /// Enters a room, now or as soon as there is a link. It is entered again after every cut, until it is left.
    ///
    /// # Errors
    /// When it is no room's name.
    pub fn join(&mut self, name: &str, key: Option<&str>, _now: Millis) -> Result<BufferId, Refusal> {
        let name = name.trim();
        if !self.server.is_room(name) || name.contains([' ', ',', '\u{7}']) {
            return Err(Refusal(format!("{name} is no room: rooms begin with #")));
        }
        let id = self.open_buffer(BufferKind::Room, name);
        if let Some(buffer) = self.buffer_mut(id) {
            buffer.wanted = true;
            buffer.key = key.map(str::to_owned).or(buffer.key.take());
            if buffer.joined {
                return Ok(id);
            }
        }
        if self.is_online() && self.registration.ready {
            match key {
                Some(key) => self.deed(id, &[], "JOIN", &[name, key]),
                None => self.deed(id, &[], "JOIN", &[name]),
            }
        }
        Ok(id)
    }

    /// Leaves a room; its lines stay until it is closed.
    pub fn part(&mut self, id: BufferId, reason: &str) {
        let Some(buffer) = self.buffer_mut(id).filter(|buffer| buffer.kind == BufferKind::Room) else {
            return;
        };
        buffer.wanted = false;
        let (joined, name) = (buffer.joined, Arc::clone(&buffer.name));
        if joined {
            let params: &[&str] = if reason.is_empty() { &[&name] } else { &[&name, reason] };
            self.deed(id, &[], "PART", params);
        }
    }

    /// Closes a buffer, and leaves the room. The server's stays.
    pub fn close(&mut self, id: BufferId) {
        self.part(id, "");
        self.give_up(id, "The room was closed");
        self.buffers.retain(|buffer| buffer.id != id || buffer.kind == BufferKind::Server);
        self.changes.add(Change::Buffers);
    }

    /// The conversation with somebody, opened if there is none.
    pub fn query(&mut self, nick: &str, now: Millis) -> BufferId {
        if let Some(id) = self.find(nick) {
            return id;
        }
        let id = self.open_buffer(BufferKind::Person, nick);
        if self.is_online() {
            if self.server.has("draft/read-marker") {
                self.tell("MARKREAD", &[nick]);
            }
            self.sync(id, now);
        }
        id
    }

    /// Takes another nickname, now or when there is a link. After [`Link::Refused`] it is what to try next.
    pub fn nick(&mut self, nick: &str) {
        self.profile.nick = nick.to_owned();
        self.regain_ms = None;
        match self.link {
            Link::Online { .. } => self.tell("NICK", &[nick]),
            Link::Refused { .. } => {
                self.backoff.reset();
                self.set_link(Link::Connecting);
            }
            _ => {}
        }
    }

    /// Another proof of an account, or none: what to try next after [`Link::Refused`].
    pub fn log_in(&mut self, login: Option<crate::Login>) {
        self.profile.login = login;
        if matches!(self.link, Link::Refused { .. }) {
            self.set_link(Link::Connecting);
        }
    }

    /// Sets what a room is about.
    pub fn topic(&mut self, id: BufferId, topic: &str) {
        if let Some(name) = self.buffer(id).map(|buffer| Arc::clone(&buffer.name)) {
            self.deed(id, &[], "TOPIC", &[&name, topic]);
        }
    }

    /// Says that I am away, and why; or back again.
    pub fn away(&mut self, text: Option<&str>) {
        self.me.away = text.filter(|text| !text.is_empty()).map(str::to_owned);
        self.changes.add(Change::Me);
        if self.is_online() {
            match self.me.away.clone() {
                Some(text) => self.tell("AWAY", &[&text]),
                None => self.tell("AWAY", &[]),
            }
        }
    }

    /// Says goodbye: the link ends and none is wanted any more.
    pub fn quit(&mut self, reason: &str) {
        if matches!(self.link, Link::Online { .. } | Link::Registering) {
            if reason.is_empty() {
                self.tell("QUIT", &[])
            } else {
                self.tell("QUIT", &[reason])
            }
            self.hang_up = Some("You left".into());
        }
        self.set_link(Link::Idle);
    }

    /// A link is wanted again, at once: after [`Client::quit`], a refusal, or instead of waiting on.
    pub fn connect(&mut self) {
        if matches!(self.link, Link::Idle | Link::Refused { .. } | Link::Waiting { .. }) {
            self.backoff.reset();
            self.set_link(Link::Connecting);
        }
    }

    /// Sends a line as it is. What answers it is shown in the server's buffer. Line ends in it are spaces.
    pub fn raw(&mut self, line: &str) {
        let line: String =
            line.chars().map(|c| if matches!(c, '\r' | '\n' | '\0') { ' ' } else { c }).collect();
        if self.out.len() < crate::client::OUT_BYTES_MAX {
            self.out.extend_from_slice(line.as_bytes());
            self.out.extend_from_slice(b"\r\n");
        }
    }

    /// The person has read to the end: nothing is unread there any more, at no door.
    pub fn seen(&mut self, id: BufferId, now: Millis) {
        let tells = self.is_online() && self.server.has("draft/read-marker");
        let Some(buffer) = self.buffer_mut(id) else { return };
        let Some(time_ms) = buffer.lines.kept().back().map(|line| line.time_ms).filter(|_| buffer.at_end)
        else {
            return;
        };
        if buffer.last_read_ms.is_some_and(|read_ms| read_ms >= time_ms) && buffer.unread == 0 {
            return;
        }
        buffer.last_read_ms = buffer.last_read_ms.max(Some(time_ms));
        (buffer.unread, buffer.mentions, buffer.first_unread) = (0, 0, None);
        if tells && buffer.kind != BufferKind::Server {
            buffer.mark_due_ms.get_or_insert(now + MARK_MS);
        }
        self.changes.add(Change::Buffer(id));
    }

    /// Tells the server up to when was read.
    pub(crate) fn send_mark(&mut self, id: BufferId) {
        let Some(buffer) = self.buffer_mut(id) else { return };
        buffer.mark_due_ms = None;
        let new = buffer
            .last_read_ms
            .filter(|read_ms| buffer.marked_ms.is_none_or(|marked_ms| marked_ms < *read_ms));
        let Some(read_ms) = new else { return };
        buffer.marked_ms = Some(read_ms);
        let name = Arc::clone(&buffer.name);
        let mut mark = b"timestamp=".to_vec();
        chinwag_wire::time::format_millis(read_ms, &mut mark);
        self.tell("MARKREAD", &[&name, &String::from_utf8_lossy(&mark)]);
    }

    /// Tells others that I am typing; as often as a key is pressed, it is sent as often as it should.
    pub fn typing(&mut self, id: BufferId, state: TypingState, now: Millis) {
        if !self.is_online() || !self.server.has("message-tags") {
            return;
        }
        let Some(buffer) =
            self.buffer_mut(id).filter(|buffer| buffer.kind != BufferKind::Server && buffer.joined)
        else {
            return;
        };
        let active = state == TypingState::Active;
        let told = match (buffer.typed, state) {
            (None, TypingState::Active) => true,
            (None, _) => false,
            (Some(_), TypingState::Done) => true,
            (Some((told_ms, was)), _) => was != active || (active && now >= told_ms + TYPING_EACH_MS),
        };
        if !told {
            return;
        }
        buffer.typed = (state != TypingState::Done).then_some((now, active));
        let name = Arc::clone(&buffer.name);
        let word = match state {
            TypingState::Active => "active",
            TypingState::Paused => "paused",
            TypingState::Done => "done",
        };
        self.send(|writer| {
            writer.tag("+typing", word).command("TAGMSG").param(&name);
        });
    }

    /// Lines that are held and have all the words in them, the newest first, of one buffer or of all.
    pub fn search(&self, id: Option<BufferId>, words: &str) -> Vec<(BufferId, LineId)> {
        let words: Vec<String> = words.split_whitespace().map(str::to_lowercase).collect();
        let mut found: Vec<(Millis, BufferId, LineId)> = Vec::new();
        for buffer in self.buffers.iter().filter(|buffer| id.is_none_or(|id| buffer.id == id)) {
            for line in buffer.lines.iter().filter(|line| line.kind.is_said()) {
                let text = line.text.to_lowercase();
                if !words.is_empty() && words.iter().all(|word| text.contains(word.as_str())) {
                    found.push((line.time_ms, buffer.id, line.id));
                }
            }
        }
        found.sort_by_key(|(time_ms, _, _)| std::cmp::Reverse(*time_ms));
        found.into_iter().map(|(_, buffer, line)| (buffer, line)).collect()
    }
}
