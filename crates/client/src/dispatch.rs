//! What comes from the server, line by line, to whoever knows what it means.

use chinwag_wire::message::Message;
use chinwag_wire::tags::Tags;
use chinwag_wire::time::parse_rfc3339_millis;

use crate::Millis;
use crate::batches::{Batch, Item, Taken};
use crate::client::{Asked, Client};
use crate::line::LineKind;
use crate::link::Link;

/// Batches inside of each other that are looked into.
const DEPTH_MAX: u8 = 4;

/// What surrounds a line.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    /// The label of the request that it answers.
    pub(crate) label: Option<String>,
    /// When it happened: as the server says, or now.
    pub(crate) time_ms: Millis,
    /// Now.
    pub(crate) now: Millis,
    /// It is read from history.
    pub(crate) past: bool,
}

impl Context {
    pub(crate) fn new(tags: &Tags<'_>, label: Option<String>, now: Millis) -> Context {
        let time = tags.get("time").and_then(|time| parse_rfc3339_millis(&time));
        let label = tags.get("label").map(|label| label.into_owned()).or(label);
        Context { label, time_ms: time.unwrap_or(now), now, past: false }
    }
}

impl Client {
    /// A line from the server.
    pub(crate) fn message(&mut self, message: &Message<'_>, text: &str, now: Millis) {
        match self.batches.take(message, text) {
            Taken::Not => {
                let context = Context::new(&message.tags, None, now);
                let label = context.label.clone();
                self.dispatch(message, context);
                if let Some(label) = label {
                    self.code_answered(&label, now);
                }
            }
            Taken::Kept => {}
            Taken::Done(batch) => self.batch_done(batch, None, now, 0),
        }
    }

    fn batch_done(&mut self, batch: Batch, label: Option<String>, now: Millis, depth: u8) {
        let opening = batch.opening.clone();
        let Ok(opening) = Message::parse_str(&opening) else { return };
        let context = Context::new(&opening.tags, label, now);
        match opening.params.get(1).unwrap_or("") {
            "draft/multiline" | "multiline" => self.said_in_lines(&opening, &batch, &context),
            "chathistory" => self.page_arrived(&opening, batch, &context),
            crate::seek::CAP => self.hits_arrived(batch, &context),
            "draft/chathistory-targets" => self.conversations_arrived(&batch, &context),
            _ if depth >= DEPTH_MAX => {}
            // What answers one request, or belongs together for some other reason: each line for itself.
            _ => {
                for item in batch.items {
                    match item {
                        Item::Line(line) => {
                            if let Ok(message) = Message::parse_str(&line) {
                                self.dispatch(
                                    &message,
                                    Context::new(&message.tags, context.label.clone(), now),
                                );
                            }
                        }
                        Item::Batch(inner) => self.batch_done(inner, context.label.clone(), now, depth + 1),
                    }
                }
            }
        }
        if let Some(label) = &context.label {
            self.asked.remove(label);
            if depth == 0 {
                self.code_answered(label, now);
            }
        }
    }

    fn dispatch(&mut self, message: &Message<'_>, context: Context) {
        if let Ok(number) = message.command.parse::<u16>() {
            return self.numeric(number, message, &context);
        }
        let now = context.now;
        match message.command.to_ascii_uppercase().as_str() {
            "PING" => {
                let token = message.params.first().copied().unwrap_or("").to_owned();
                self.tell("PONG", &[&token]);
            }
            "PONG" => {
                if let Some(token) = message.params.last() {
                    self.sign_of_life(token, now);
                }
            }
            "ERROR" => self.last_error = message.params.last().map(|text| (*text).to_owned()),
            "CAP" => self.cap(message),
            "AUTHENTICATE" => self.authenticate(),
            "PRIVMSG" | "NOTICE" | "TAGMSG" | "EDIT" | "REDACT" => self.said(message, &context),
            "JOIN" => self.came(message, &context),
            "PART" => self.left(message, &context),
            "KICK" => self.kicked(message, &context),
            "QUIT" => self.quitted(message, &context),
            "NICK" => self.renamed(message, &context),
            "MODE" => self.modes(message, &context),
            "TOPIC" => self.topic_set(message, &context),
            "INVITE" => self.invited(message, &context),
            "AWAY" => self.away_told(message),
            "ACCOUNT" => self.account_told(message),
            "CHGHOST" => self.host_told(message),
            "RENAME" => self.room_renamed(message, &context),
            "MARKREAD" => self.mark_told(message),
            "FAIL" | "WARN" | "NOTE" => self.standard_reply(message, &context),
            "ACK" => self.acknowledged(&context),
            _ => {}
        }
        if let Some(label) = &context.label {
            self.asked.remove(label);
        }
    }

    /// `FAIL <command> <code> [<about>…] :<text>`, `WARN`, `NOTE`
    fn standard_reply(&mut self, message: &Message<'_>, context: &Context) {
        let (Some(command), Some(text)) = (message.params.first(), message.params.last()) else { return };
        let fails = message.command.eq_ignore_ascii_case("FAIL");
        if command.eq_ignore_ascii_case("INVITATION") {
            let what = message.params.get(1).unwrap_or("");
            self.code_told(fails, what, message.params.get(2), context);
        }
        if command.eq_ignore_ascii_case("SEARCH") && self.seek_told(fails, text, context) {
            return;
        }
        if !fails {
            let buffer = self.buffer_about(message, context);
            return self.note(buffer, LineKind::Info, text, context.now);
        }
        if command.eq_ignore_ascii_case("CHATHISTORY") {
            return self.history_refused(message, context);
        }
        if self.registering(command, text) {
            return;
        }
        self.complain(message, text, context);
    }

    /// A registration that fails with a standard reply.
    fn registering(&mut self, command: &str, text: &str) -> bool {
        let about_me = matches!(command.to_ascii_uppercase().as_str(), "*" | "NICK" | "USER" | "PASS");
        let refused = about_me && matches!(self.link, Link::Registering);
        if refused {
            self.refuse(text);
        }
        refused
    }

    /// Something was refused: an own message, or whatever was asked.
    pub(crate) fn complain(&mut self, message: &Message<'_>, text: &str, context: &Context) {
        if let Some(label) = &context.label
            && self.fail_labelled(label, text, context.now)
        {
            return;
        }
        if context.label.is_none() && self.fail_unlabelled(message, text, context.now) {
            return;
        }
        let buffer = self.buffer_about(message, context);
        self.note(buffer, LineKind::Error, text, context.now);
    }

    /// The buffer in which something is told that answers a request: the one that it was asked in, or that it names, or
    /// the server's.
    pub(crate) fn buffer_about(&self, message: &Message<'_>, context: &Context) -> crate::BufferId {
        let asked = context.label.as_ref().and_then(|label| self.asked.get(label));
        if let Some(Asked::Deed(buffer)) = asked
            && self.buffer(*buffer).is_some()
        {
            return *buffer;
        }
        // The last parameter is the text, the first one of a numeric my nickname.
        let names = message.params.len().saturating_sub(1);
        let named = message.params[..names].iter().skip(1).find_map(|name| self.find(name));
        named.unwrap_or(self.server_buffer())
    }
}

/// The parameters from one on, as one text.
pub(crate) fn from(message: &Message<'_>, at: usize) -> String {
    message.params.iter().skip(at).copied().collect::<Vec<_>>().join(" ")
}
