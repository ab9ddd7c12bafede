//! Asking the server for what was said with certain words: `SEARCH` (`soju.im/search`), where it has that.
//!
//! One question is under way at a time: a new one takes the place of the last.

use std::sync::Arc;

use chinwag_wire::message::Message;
use chinwag_wire::tags::escape;
use chinwag_wire::time::format_millis;

use crate::Millis;
use crate::actions::Refusal;
use crate::batches::{Batch, Item};
use crate::catchup::Entry;
use crate::change::Change;
use crate::client::Client;
use crate::dispatch::Context;
use crate::history::Point;
use crate::line::Line;

/// The capability.
pub(crate) const CAP: &str = "soju.im/search";

/// Milliseconds after which a question without an answer is given up.
const ANSWER_MS_MAX: Millis = 30_000;

/// Bytes that the attributes may have, so that they fit one line.
const ATTRIBUTES_MAX: usize = 480;

/// What is looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// Words, `"phrases"` and `begin*`, as far as the server knows them.
    pub words: String,
    /// In this room, or the conversation with this person; otherwise everywhere.
    pub place: Option<String>,
    /// Said by who had this nickname or account.
    pub from: Option<String>,
    /// Said after.
    pub after: Option<Point>,
    /// Said before.
    pub before: Option<Point>,
    /// At most so many, the newest; 0 leaves it to the server.
    pub limit: u32,
}

/// A message that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The room, or whom the conversation is with.
    pub room: Arc<str>,
    /// The message; its id is that of no line in a buffer.
    pub line: Line,
}

/// The answer to a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What was asked.
    pub wish: Wish,
    /// The messages, oldest first.
    pub hits: Vec<Hit>,
    /// What the server says besides, if anything: that its index is behind.
    pub note: Option<String>,
    /// Why there is no answer.
    pub failed: Option<String>,
}

/// The question under way, and the last answer until it is taken.
#[derive(Debug, Default)]
pub(crate) struct Seeking {
    asked: Option<Asked>,
    found: Option<Found>,
}

#[derive(Debug)]
struct Asked {
    wish: Wish,
    label: Option<String>,
    note: Option<String>,
    until_ms: Millis,
}

impl Asked {
    fn is(&self, label: Option<&str>) -> bool {
        self.label.is_none() || self.label.as_deref() == label
    }
}

impl Client {
    /// Whether the server can look for words.
    pub fn can_search(&self) -> bool {
        self.is_online() && self.server.has(CAP) && self.server.has("batch")
    }

    /// Asks the server for messages. The answer is there at [`Change::Found`]: [`Client::found`].
    ///
    /// # Errors
    /// When the server cannot, or is not asked for anything.
    pub fn seek(&mut self, wish: Wish, now: Millis) -> Result<(), Refusal> {
        if !self.can_search() {
            return Err("This server cannot search: only what is loaded here is looked through".into());
        }
        if wish.words.trim().is_empty() && wish.from.is_none() {
            return Err("Say what to look for".into());
        }
        let attributes = attributes(&wish);
        if attributes.len() > ATTRIBUTES_MAX {
            return Err("That is too much to look for at once: leave some words out".into());
        }
        let label = self.server.has("labeled-response").then(|| self.label());
        self.send(|writer| {
            if let Some(label) = &label {
                writer.tag("label", label);
            }
            writer.command("SEARCH").trailing(&attributes);
        });
        self.seeking.found = None;
        self.seeking.asked = Some(Asked { wish, label, note: None, until_ms: now + ANSWER_MS_MAX });
        Ok(())
    }

    /// What was found, once.
    pub fn found(&mut self) -> Option<Found> {
        self.seeking.found.take()
    }

    /// Whether an answer is waited for.
    pub fn is_seeking(&self) -> bool {
        self.seeking.asked.is_some()
    }

    /// The batch that answers.
    pub(crate) fn hits_arrived(&mut self, batch: Batch, context: &Context) {
        if !self.seeking.asked.as_ref().is_some_and(|asked| asked.is(context.label.as_deref())) {
            return;
        }
        let mut hits = Vec::new();
        for item in &batch.items {
            let (Item::Line(line) | Item::Batch(Batch { opening: line, .. })) = item;
            let Ok(message) = Message::parse_str(line) else { continue };
            let time_ms = Context::new(&message.tags, None, context.now).time_ms;
            let past = Context { past: true, label: None, time_ms, ..context.clone() };
            let (entry, target) = match item {
                Item::Line(_) => (self.entry(&message, &past), message.params.first().copied()),
                Item::Batch(inner) => (self.entry_of_lines(&message, inner, &past), message.params.get(2)),
            };
            let (Some(Entry::Line { line, .. }), Some(target)) = (entry, target) else { continue };
            let target = self.server.bare(target);
            let from = line.from.as_ref().map(|from| &from.nick);
            let room = match from {
                Some(from) if self.server.same(target, &self.me.nick) => Arc::clone(from),
                _ => target.into(),
            };
            hits.push(Hit { room, line: *line });
        }
        self.sought(hits, None);
    }

    fn sought(&mut self, hits: Vec<Hit>, failed: Option<String>) {
        if let Some(Asked { wish, note, .. }) = self.seeking.asked.take() {
            self.seeking.found = Some(Found { wish, hits, note, failed });
            self.changes.add(Change::Found);
        }
    }

    /// `FAIL SEARCH …` and `NOTE SEARCH …`. Says whether it was about the question under way.
    pub(crate) fn seek_told(&mut self, fails: bool, text: &str, context: &Context) -> bool {
        let Some(asked) = self.seeking.asked.as_mut().filter(|asked| asked.is(context.label.as_deref()))
        else {
            return false;
        };
        if fails {
            self.sought(Vec::new(), Some(text.to_owned()));
        } else {
            asked.note = Some(text.to_owned());
        }
        true
    }

    /// When the question is given up.
    pub(crate) fn seek_until(&self) -> Option<Millis> {
        self.seeking.asked.as_ref().map(|asked| asked.until_ms)
    }

    /// Gives the question up if its time is over, or with `all` in any case.
    pub(crate) fn stop_seeking(&mut self, all: bool, now: Millis) {
        if self.seek_until().is_some_and(|until_ms| all || until_ms <= now) {
            let why = if all { "The connection was lost" } else { "The server did not answer in time" };
            self.sought(Vec::new(), Some(why.to_owned()));
        }
    }
}

/// A wish as the attributes of a message.
fn attributes(wish: &Wish) -> String {
    let point = |point: &Point| match point {
        Point::Start => "1970-01-01T00:00:00.000Z".to_owned(),
        Point::Msgid(msgid) => format!("msgid={msgid}"),
        Point::Time(time_ms) => {
            let mut text = Vec::new();
            format_millis(*time_ms, &mut text);
            String::from_utf8_lossy(&text).into_owned()
        }
    };
    let words = wish.words.trim().to_owned();
    let values = [
        ("in", wish.place.clone()),
        ("from", wish.from.clone()),
        ("after", wish.after.as_ref().map(point)),
        ("before", wish.before.as_ref().map(point)),
        ("limit", (wish.limit > 0).then(|| wish.limit.to_string())),
        ("text", Some(words).filter(|words| !words.is_empty())),
    ];
    let mut line = Vec::new();
    for (name, value) in values {
        let Some(value) = value else { continue };
        if !line.is_empty() {
            line.push(b';');
        }
        line.extend_from_slice(name.as_bytes());
        line.push(b'=');
        escape(&value, &mut line);
    }
    String::from_utf8_lossy(&line).into_owned()
}
