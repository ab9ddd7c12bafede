//! What people say and do to what was said: messages, reactions, edits, messages taken back, typing.

use std::sync::Arc;

use chinwag_wire::message::Message;

use crate::batches::{Batch, Item};
use crate::buffer::{BufferId, BufferKind, Typing};
use crate::catchup::Entry;
use crate::change::Change;
use crate::client::Client;
use crate::dispatch::Context;
use crate::line::{Line, LineKind, Sender};
use crate::outbox::ONCE_TAG;

/// Milliseconds for which somebody is believed to type without another sign, and to have paused
/// (<https://ircv3.net/specs/client-tags/typing>).
const TYPING_MS: u64 = 6_000;
const PAUSED_MS: u64 = 30_000;

/// People who are shown typing in one buffer.
const TYPING_MAX: usize = 16;

impl Client {
    /// Who a line is from.
    pub(crate) fn sender(&self, message: &Message<'_>, past: bool) -> Sender {
        let source = message.source.unwrap_or(&self.server.name);
        let nick = source.split(['!', '@']).next().unwrap_or(source);
        let account = message.tags.get("account").map(|account| Arc::from(&*account));
        let same_nick = self.server.same(nick, &self.me.nick);
        // What is read later may be from somebody else who had the nickname then.
        let me = match (&account, &self.me.account) {
            (Some(theirs), Some(mine)) if past => self.server.same(theirs, mine),
            _ => same_nick,
        };
        Sender { nick: nick.into(), account, bot: message.tags.get("bot").is_some(), me }
    }

    /// A line as far as its tags and source go.
    pub(crate) fn line(
        &mut self,
        message: &Message<'_>,
        context: &Context,
        kind: LineKind,
        text: &str,
    ) -> Line {
        let mut line = Line::note(self.line_id(), context.time_ms, kind, text);
        line.msgid = message.tags.get("msgid").filter(|id| !id.is_empty()).map(|id| Arc::from(&*id));
        line.number = message.tags.get("chinwag.internal/number").and_then(|number| number.parse().ok());
        line.from = Some(self.sender(message, context.past));
        line.reply_to = reply_of(message);
        line
    }

    /// `PRIVMSG`, `NOTICE`, `TAGMSG`, `EDIT`, `REDACT`
    pub(crate) fn said(&mut self, message: &Message<'_>, context: &Context) {
        let Some(target) = message.params.first() else { return };
        if message.command.eq_ignore_ascii_case("TAGMSG") {
            self.typing_told(message, target, context);
        }
        let Some(entry) = self.entry(message, context) else { return };
        if let Some(buffer) = self.buffer_of(message, target, context, &entry) {
            self.arrive(buffer, entry, context.now);
        }
    }

    /// A message of several lines.
    pub(crate) fn said_in_lines(&mut self, opening: &Message<'_>, batch: &Batch, context: &Context) {
        let Some(target) = opening.params.get(2) else { return };
        let Some(entry) = self.entry_of_lines(opening, batch, context) else { return };
        if let Some(buffer) = self.buffer_of(opening, target, context, &entry) {
            self.arrive(buffer, entry, context.now);
        }
    }

    /// A message of several lines as one.
    pub(crate) fn entry_of_lines(
        &mut self,
        opening: &Message<'_>,
        batch: &Batch,
        context: &Context,
    ) -> Option<Entry> {
        let mut text: Option<String> = None;
        let mut verb = None;
        for item in &batch.items {
            let Item::Line(line) = item else { continue };
            let Ok(message) = Message::parse_str(line) else { continue };
            let piece = message.params.get(1).unwrap_or("");
            verb.get_or_insert_with(|| message.command.to_ascii_uppercase());
            match &mut text {
                None => text = Some(piece.to_owned()),
                Some(text) => {
                    if message.tags.get("draft/multiline-concat").is_none() {
                        text.push('\n');
                    }
                    text.push_str(piece);
                }
            }
        }
        let kind = if verb? == "NOTICE" { LineKind::Notice } else { LineKind::Message };
        self.said_entry(opening, context, kind, &text?)
    }

    /// What a line says, for the buffer that it belongs to. Nothing for what is not shown there.
    pub(crate) fn entry(&mut self, message: &Message<'_>, context: &Context) -> Option<Entry> {
        let text = message.params.get(1).unwrap_or("");
        let by = |client: &Client| client.sender(message, context.past);
        match message.command.to_ascii_uppercase().as_str() {
            "PRIVMSG" => self.said_entry(message, context, LineKind::Message, text),
            "NOTICE" => self.said_entry(message, context, LineKind::Notice, text),
            "TAGMSG" => {
                let tag = |name: &str| {
                    ["+draft/", "+"].iter().find_map(|way| message.tags.get(&format!("{way}{name}")))
                };
                let set = tag("react");
                let what = set.as_ref().or(tag("unreact").as_ref()).map(|what| Arc::from(&**what))?;
                Some(Entry::React { by: by(self), to: reply_of(message)?, what, set: set.is_some() })
            }
            "EDIT" => {
                let to = message.tags.get("draft/target-msgid")?;
                let text = message.tags.get("draft/edit-text")?.into_owned();
                Some(Entry::Edit { to: Arc::from(&*to), text })
            }
            "REDACT" => {
                let reason = message.params.get(2).filter(|reason| !reason.is_empty()).map(Arc::from);
                Some(Entry::Redact { by: by(self), to: Arc::from(text), reason })
            }
            "TOPIC" => Some(Entry::said(self.line(message, context, LineKind::Topic, text))),
            "MODE" => {
                let changes = crate::dispatch::from(message, 1);
                Some(Entry::said(self.line(message, context, LineKind::Mode, &changes)))
            }
            "KICK" => {
                let reason = message.params.get(2).unwrap_or("");
                let mut line = self.line(message, context, LineKind::Kick, reason);
                line.about = Some(text.into());
                Some(Entry::said(line))
            }
            _ => None,
        }
    }

    fn said_entry(
        &mut self,
        message: &Message<'_>,
        context: &Context,
        kind: LineKind,
        text: &str,
    ) -> Option<Entry> {
        let (kind, text) = match text.strip_prefix('\u{1}') {
            None => (kind, text),
            Some(inner) => {
                let inner = inner.strip_suffix('\u{1}').unwrap_or(inner);
                match inner.split_once(' ').unwrap_or((inner, "")) {
                    (word, action) if word.eq_ignore_ascii_case("ACTION") => (LineKind::Action, action),
                    // Questions from program to program are for nobody's eyes.
                    _ => return None,
                }
            }
        };
        let mut line = self.line(message, context, kind, text);
        let settles = self.settles(message, context, line.is_mine());
        if let Some(from) = line.from.as_mut().filter(|_| settles.is_some()) {
            // Said under another nickname, or before the login: still mine.
            from.me = true;
        }
        line.mention = !line.is_mine() && self.names_me(text);
        Some(Entry::Line { line: Box::new(line), settles })
    }

    /// The own line that a message from me is the echo of: by label, by the name that I gave it, or, where the server
    /// knows neither, by what it says.
    fn settles(&self, message: &Message<'_>, context: &Context, mine: bool) -> Option<crate::LineId> {
        if let Some(label) = &context.label
            && let Some(outgoing) = self.outgoing_of_label(label)
        {
            return Some(outgoing.line);
        }
        if let Some(once) = message.tags.get(ONCE_TAG) {
            return self.line_of_once(&once);
        }
        if !mine || self.server.has("labeled-response") || context.past {
            return None;
        }
        self.outgoing_that_says(message.params.first()?, message.params.get(1)?).map(|outgoing| outgoing.line)
    }

    /// Whether a text has my nickname in it as a word.
    pub(crate) fn names_me(&self, text: &str) -> bool {
        let part = |c: char| c.is_alphanumeric() || "-_[]{}\\|^`".contains(c);
        text.split(|c| !part(c)).any(|word| !word.is_empty() && self.server.same(word, &self.me.nick))
    }

    /// Where something from `message` to `target` belongs. Conversations are opened.
    fn buffer_of(
        &mut self,
        message: &Message<'_>,
        target: &str,
        context: &Context,
        entry: &Entry,
    ) -> Option<BufferId> {
        let bare = self.server.bare(target).to_owned();
        if self.server.is_room(&bare) {
            return Some(self.open_buffer(BufferKind::Room, &bare));
        }
        let from = self.sender(message, false);
        let person = message.source.is_some_and(|source| source.contains('!'));
        if !person || target.starts_with(['$', '*']) {
            return Some(self.server_buffer());
        }
        let name = if from.me { bare } else { from.nick.to_string() };
        if let Some(id) = self.find(&name) {
            return Some(id);
        }
        // Only what is said opens a conversation, and notices do not.
        match entry {
            Entry::Line { line, .. } if line.kind != LineKind::Notice => {
                let id = self.open_buffer(BufferKind::Person, &name);
                self.sync(id, context.now);
                Some(id)
            }
            Entry::Line { .. } => Some(self.server_buffer()),
            _ => None,
        }
    }

    /// `@+typing=active TAGMSG <target>`
    fn typing_told(&mut self, message: &Message<'_>, target: &str, context: &Context) {
        let Some(state) = message.tags.get("+typing").or_else(|| message.tags.get("+draft/typing")) else {
            return;
        };
        let from = self.sender(message, false);
        let bare = self.server.bare(target);
        let name = if self.server.is_room(bare) { bare } else { &*from.nick };
        let Some(id) = self.find(name).filter(|_| !from.me) else { return };
        let lasts_ms = match &*state {
            "active" => TYPING_MS,
            "paused" => PAUSED_MS,
            _ => 0,
        };
        let until_ms = context.now + lasts_ms;
        self.stop_typing(id, &from.nick);
        if let Some(buffer) = self.buffer_mut(id)
            && lasts_ms > 0
            && buffer.typing.len() < TYPING_MAX
        {
            buffer.typing.push(Typing { nick: from.nick, until_ms });
        }
        self.changes.add(Change::Buffer(id));
    }

    /// Who has said something, or is gone, is not typing any more.
    pub(crate) fn stop_typing(&mut self, id: BufferId, nick: &str) {
        let Some(buffer) = self.buffer_mut(id) else { return };
        let before = buffer.typing.len();
        buffer.typing.retain(|typing| &*typing.nick != nick);
        if buffer.typing.len() < before {
            self.changes.add(Change::Buffer(id));
        }
    }
}

/// The msgid of the message that a line is about, under either name of the tag.
fn reply_of(message: &Message<'_>) -> Option<Arc<str>> {
    let reply = message.tags.get("+draft/reply").or_else(|| message.tags.get("+reply"))?;
    (!reply.is_empty()).then(|| Arc::from(&*reply))
}
