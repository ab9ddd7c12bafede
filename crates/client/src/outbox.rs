//! Own messages from the moment they are said until the server has them.
//!
//! Each carries a name that it is given here ([`ONCE_TAG`]), which the server keeps with it. After a cut nobody knows
//! what became of those that were under way: they are looked for in the history that is fetched then, by that name. One
//! that is there is kept. One that is not is sent again, if the server is known to have ended the old link too: then nothing
//! more comes of it. Otherwise, and where history cannot tell, it is marked as failed and the person decides; should it turn
//! up after all it is recognized. So nothing is said twice.

use std::sync::Arc;

use chinwag_wire::limits::BODY_BYTES_MAX;
use chinwag_wire::message::Message;

use crate::Millis;
use crate::actions::SayAs;
use crate::buffer::{BufferId, BufferKind};
use crate::change::Change;
use crate::client::Client;
use crate::dispatch::Context;
use crate::line::{LineId, LineState};
use crate::split::pieces;

/// The tag with the name that an own message was given. A client-only tag: servers hand it on and keep it.
pub(crate) const ONCE_TAG: &str = "+chinwag.internal/once";

/// Messages that are under way to the server at the same time.
const UNDER_WAY_MAX: usize = 16;

/// Own messages that are not settled. At it the next one is refused.
pub(crate) const OUTBOX_MAX: usize = 10_000;

/// Own messages that were given up and are still recognized.
const GIVEN_UP_MAX: usize = 200;

/// On servers that disconnect whoever is fast: so many at once, and the milliseconds for each more.
const BURST: u64 = 5;
const PACE_MS: Millis = 700;

/// What is known of an own message.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Stage {
    /// It is to be sent.
    Waits,
    /// It was sent; the answer has this label, or this token.
    Sent(String),
    /// It was sent, and the link broke. Whether the server knows that, too.
    Unknown(bool),
}

/// An own message that is not settled.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    pub(crate) buffer: BufferId,
    pub(crate) line: LineId,
    pub(crate) once: String,
    pub(crate) text: String,
    pub(crate) how: SayAs,
    pub(crate) reply_to: Option<Arc<str>>,
    stage: Stage,
}

impl Outgoing {
    pub(crate) fn new(buffer: BufferId, line: LineId, once: String, text: String, how: SayAs) -> Outgoing {
        Outgoing { buffer, line, once, text, how, reply_to: None, stage: Stage::Waits }
    }
}

/// How fast one may be on a server that does not say.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// When all would be forgiven.
    free_ms: Millis,
}

impl Pace {
    fn wait_until(&self) -> Millis {
        self.free_ms.saturating_sub(BURST * PACE_MS)
    }

    fn spend(&mut self, now: Millis) {
        self.free_ms = self.free_ms.max(now) + PACE_MS;
    }
}

impl Client {
    /// A name for an own message.
    pub(crate) fn once(&mut self) -> String {
        format!("{:012x}", self.dice.roll() >> 16)
    }

    /// Whether this server is known to pace its clients itself, without harm to them.
    fn paces(&self) -> bool {
        self.server.has("chinwag.internal/numbers")
    }

    /// Bytes of a text that fit one line to a target: others get my name in front of it.
    pub(crate) fn text_bytes_max(&self, target: &str) -> usize {
        let (user, host) =
            (self.me.user.len().max(12) + 1, if self.me.host.is_empty() { 63 } else { self.me.host.len() });
        let around =
            ":!@ PRIVMSG  :\u{1}ACTION \u{1}".len() + self.me.nick.len() + user + host + target.len();
        (self.server.line_bytes - 2)
            .min(BODY_BYTES_MAX.max(self.server.line_bytes - 2))
            .saturating_sub(around)
    }

    /// Sends what waits, as far as it may.
    pub(crate) fn pump(&mut self, now: Millis) {
        if !self.is_online() || !self.registration.ready {
            return;
        }
        let mut under_way = self.outbox.iter().filter(|one| matches!(one.stage, Stage::Sent(_))).count();
        let mut held: Vec<BufferId> = Vec::new();
        for at in 0..self.outbox.len() {
            let id = self.outbox[at].buffer;
            if self.outbox[at].stage != Stage::Waits || held.contains(&id) {
                // What comes after one whose fate is unknown waits for it.
                if matches!(self.outbox[at].stage, Stage::Unknown(_)) {
                    held.push(id);
                }
                continue;
            }
            if !self.buffer(id).is_some_and(|buffer| buffer.joined && buffer.synced) {
                held.push(id);
                continue;
            }
            if under_way >= UNDER_WAY_MAX || (!self.paces() && self.pace.wait_until() > now) {
                return;
            }
            under_way += 1;
            self.pace.spend(now);
            self.send_outgoing(at);
        }
    }

    /// When the next message may be sent, if one waits for that.
    pub(crate) fn pump_at(&self) -> Option<Millis> {
        let waits =
            self.is_online() && !self.paces() && self.outbox.iter().any(|one| one.stage == Stage::Waits);
        waits.then(|| self.pace.wait_until())
    }

    /// Makes several messages of one that this server cannot take as one.
    fn divide(&mut self, at: usize) {
        let outgoing = self.outbox[at].clone();
        let Some(target) = self.buffer(outgoing.buffer).map(|buffer| Arc::clone(&buffer.name)) else {
            return;
        };
        let max = self.text_bytes_max(&target);
        let lines = outgoing.text.split('\n').filter(|line| !line.is_empty());
        let parts: Vec<String> = lines.flat_map(|line| pieces(line, max)).map(str::to_owned).collect();
        let own = self.buffer(outgoing.buffer).and_then(|buffer| buffer.lines.by_id(outgoing.line)).cloned();
        let (Some(own), [first, rest @ ..]) = (own, parts.as_slice()) else { return };
        self.outbox[at].text.clone_from(first);
        if let Some(line) = self.buffer_mut(outgoing.buffer).and_then(|buffer| buffer.lines.get_mut(own.id)) {
            line.text.clone_from(first);
        }
        for (nth, part) in rest.iter().enumerate() {
            let (id, once) = (self.line_id(), self.once());
            let line = crate::Line { id, text: part.clone(), reply_to: None, ..own.clone() };
            let more = Outgoing::new(outgoing.buffer, id, once, part.clone(), outgoing.how);
            self.outbox.insert(at + 1 + nth, more);
            if let Some(buffer) = self.buffer_mut(outgoing.buffer) {
                buffer.lines.add_own(line);
            }
        }
        self.changes.add(Change::Lines(outgoing.buffer));
    }

    fn send_outgoing(&mut self, at: usize) {
        if self.server.multiline.is_none() && self.outbox[at].how != SayAs::Action {
            self.divide(at);
        }
        let label = self.label();
        let outgoing = self.outbox[at].clone();
        let Some(target) = self.buffer(outgoing.buffer).map(|buffer| Arc::clone(&buffer.name)) else {
            return;
        };
        self.outbox[at].stage = Stage::Sent(label.clone());
        let verb = if outgoing.how == SayAs::Notice { "NOTICE" } else { "PRIVMSG" };
        let (labels, tags) = (self.server.has("labeled-response"), self.server.has("message-tags"));
        let write_tags = |writer: &mut chinwag_wire::message::MessageWriter<'_>| {
            if labels {
                writer.tag("label", &label);
            }
            if tags {
                writer.tag(ONCE_TAG, &outgoing.once);
                if let Some(reply) = &outgoing.reply_to {
                    writer.tag("+draft/reply", reply);
                }
            }
        };
        let max = self.text_bytes_max(&target);
        let several = outgoing.text.contains('\n') || outgoing.text.len() > max;
        if outgoing.how == SayAs::Action {
            let text = format!("\u{1}ACTION {}\u{1}", outgoing.text);
            self.send(|writer| {
                write_tags(writer);
                writer.command(verb).param(&target).trailing(&text);
            });
        } else if several && self.server.multiline.is_some() {
            self.send(|writer| {
                write_tags(writer);
                writer.command("BATCH").param(&format!("+{label}")).param("draft/multiline").param(&target);
            });
            for line in outgoing.text.split('\n') {
                for (nth, piece) in pieces(line, max).into_iter().enumerate() {
                    self.send(|writer| {
                        writer.tag("batch", &label);
                        if nth > 0 {
                            writer.tag("draft/multiline-concat", "");
                        }
                        writer.command(verb).param(&target).trailing(piece);
                    });
                }
            }
            self.tell("BATCH", &[&format!("-{label}")]);
        } else {
            self.send(|writer| {
                write_tags(writer);
                writer.command(verb).param(&target).trailing(&outgoing.text);
            });
        }
        if !labels && !self.server.has("echo-message") {
            // Whatever is refused is refused before the answer to this.
            self.tell("PING", &[&label]);
        }
    }

    // -- what became of them --

    pub(crate) fn outgoing_of_label(&self, label: &str) -> Option<&Outgoing> {
        self.outbox.iter().find(|one| matches!(&one.stage, Stage::Sent(sent) if sent == label))
    }

    /// The own line of the message that was given this name, whether it is under way or was given up.
    pub(crate) fn line_of_once(&self, once: &str) -> Option<LineId> {
        let open = self.outbox.iter().find(|one| one.once == once).map(|one| one.line);
        open.or_else(|| self.given_up.iter().find(|(name, _)| name == once).map(|(_, line)| *line))
    }

    /// The first message under way to a target that says this.
    pub(crate) fn outgoing_that_says(&self, target: &str, text: &str) -> Option<&Outgoing> {
        let id = self.find(self.server.bare(target))?;
        let says = |one: &Outgoing| match one.how {
            SayAs::Action => text
                .strip_prefix("\u{1}ACTION ")
                .is_some_and(|text| text.trim_end_matches('\u{1}') == one.text),
            _ => one.text == text,
        };
        self.outbox.iter().find(|one| one.buffer == id && matches!(one.stage, Stage::Sent(_)) && says(one))
    }

    /// An own message has found its place.
    pub(crate) fn settled(&mut self, line: LineId) {
        self.outbox.retain(|one| one.line != line);
        self.given_up.retain(|(_, given_up)| *given_up != line);
    }

    /// `ACK`, the answer of servers that echo nothing; and the answer to the `PING` behind a message of those that know
    /// neither: the message was taken.
    pub(crate) fn acknowledged(&mut self, context: &Context) {
        if let Some(label) = &context.label {
            self.taken(label, context.now);
        }
    }

    pub(crate) fn taken(&mut self, label: &str, now: Millis) {
        let Some(outgoing) = self.outgoing_of_label(label).cloned() else { return };
        self.settled(outgoing.line);
        let Some(buffer) = self.buffer_mut(outgoing.buffer) else { return };
        if let Some(mut line) = buffer.lines.take_own(outgoing.line) {
            (line.state, line.time_ms) = (LineState::Kept, now);
            buffer.lines.append(line);
        }
        self.changes.add(Change::Lines(outgoing.buffer));
    }

    /// A refusal with a label. Says whether it was that of an own message.
    pub(crate) fn fail_labelled(&mut self, label: &str, why: &str, now: Millis) -> bool {
        let Some(line) = self.outgoing_of_label(label).map(|outgoing| outgoing.line) else { return false };
        self.fail(line, why, now);
        true
    }

    /// A refusal from a server without labels: of the first message under way to whatever it names.
    pub(crate) fn fail_unlabelled(&mut self, message: &Message<'_>, why: &str, now: Millis) -> bool {
        if self.server.has("labeled-response") {
            return false;
        }
        let named = message.params.iter().skip(1).find_map(|name| self.find(name));
        let first =
            self.outbox.iter().find(|one| Some(one.buffer) == named && matches!(one.stage, Stage::Sent(_)));
        let Some(line) = first.map(|one| one.line) else { return false };
        self.fail(line, why, now);
        true
    }

    /// Marks an own message as failed.
    pub(crate) fn fail(&mut self, line: LineId, why: &str, _now: Millis) {
        let Some(at) = self.outbox.iter().position(|one| one.line == line) else { return };
        let Some(outgoing) = self.outbox.remove(at) else { return };
        if let Some(buffer) = self.buffer_mut(outgoing.buffer)
            && let Some(own) = buffer.lines.get_mut(line)
        {
            own.state = LineState::Failed(why.into());
        }
        if self.given_up.len() >= GIVEN_UP_MAX {
            self.given_up.pop_front();
        }
        self.given_up.push_back((outgoing.once, line));
        self.changes.add(Change::Lines(outgoing.buffer));
    }

    /// Nothing can be said in a buffer any more.
    pub(crate) fn give_up(&mut self, id: BufferId, why: &str) {
        let lines: Vec<LineId> =
            self.outbox.iter().filter(|one| one.buffer == id).map(|one| one.line).collect();
        for line in lines {
            self.fail(line, why, 0);
        }
    }

    /// The link is gone: nobody knows what became of what was under way. `ended`: the server has ended it, too.
    pub(crate) fn doubt(&mut self, ended: bool) {
        for outgoing in &mut self.outbox {
            if matches!(outgoing.stage, Stage::Sent(_)) {
                outgoing.stage = Stage::Unknown(ended);
            }
        }
    }

    /// What was missed in a buffer is known. What is not among it was not kept, if that is `certain`, and is sent again.
    pub(crate) fn resolve(&mut self, id: BufferId, certain: bool, now: Millis) {
        const LOST: &str = "The connection broke before the server answered: it may not have been heard; /retry says it again";
        // Not everything that is said to a person is kept.
        let told = self.buffer(id).is_some_and(|buffer| buffer.kind == BufferKind::Room || buffer.stored);
        let named = self.server.has("message-tags");
        let mut lost = Vec::new();
        for outgoing in self.outbox.iter_mut().filter(|one| one.buffer == id) {
            let Stage::Unknown(ended) = outgoing.stage else { continue };
            if certain && told && named && ended {
                outgoing.stage = Stage::Waits;
            } else {
                lost.push(outgoing.line);
            }
        }
        for line in lost {
            self.fail(line, LOST, now);
        }
        self.pump(now);
    }

    /// When the first message of a buffer was said of which it is not known what became of it.
    pub(crate) fn doubted_ms(&self, id: BufferId) -> Option<Millis> {
        let mut doubted =
            self.outbox.iter().filter(|one| one.buffer == id && matches!(one.stage, Stage::Unknown(_)));
        let line = doubted.next()?.line;
        self.buffer(id)?.lines.by_id(line).map(|line| line.time_ms)
    }

    /// Whether own messages are not settled yet.
    pub fn is_busy(&self) -> bool {
        !self.outbox.is_empty()
    }
}
