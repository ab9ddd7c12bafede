//! Asking the server for what was said: pages before, after and around a line, and the conversations there are.
//!
//! Specification: <https://ircv3.net/specs/extensions/chathistory>. With labels some questions are under way at the
//! same time; without, one.

use std::collections::VecDeque;
use std::sync::Arc;

use chinwag_wire::message::Message;
use chinwag_wire::time::format_millis;

use crate::Millis;
use crate::batches::{Batch, Item};
use crate::buffer::{BufferId, BufferKind, HistoryState};
use crate::catchup::{Entry, PAGES_MAX, first_stored, forget_place, last_stored, redact};
use crate::change::Change;
use crate::client::Client;
use crate::dispatch::Context;
use crate::line::Line;
use crate::lines::{LET_GO, LINES_MAX};

/// Questions that are under way at the same time, where answers have labels.
const UNDER_WAY_MAX: usize = 4;

/// Milliseconds after which a question without an answer is taken for refused.
const ANSWER_MS_MAX: Millis = 30_000;

/// Conversations that are opened on coming in, and how long ago they were, in milliseconds.
const CONVERSATIONS_MAX: u32 = 50;
const CONVERSATIONS_MS: Millis = 7 * 24 * 3_600_000;

/// Questions that wait.
const WAITING_MAX: usize = 1_000;

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// The newest page.
    Latest,
    /// The page after a line, to close a gap.
    After { msgid: Option<Arc<str>>, time_ms: Millis },
    /// The page before the first line.
    Before { msgid: Option<Arc<str>>, time_ms: Millis },
    /// The page after the last line, looking at an earlier part.
    Newer { msgid: Option<Arc<str>>, time_ms: Millis },
    /// The page around a point.
    Around(Arc<str>),
    /// With whom there are conversations, since when.
    Conversations(Millis),
}

/// A question.
#[derive(Clone, Debug)]
struct Ask {
    buffer: BufferId,
    /// Which part of the history was held when it was asked.
    part: u32,
    what: What,
    label: Option<String>,
    asked_ms: Millis,
}

/// The questions.
#[derive(Debug, Default)]
pub(crate) struct Asks {
    waiting: VecDeque<Ask>,
    under_way: Vec<Ask>,
}

impl Asks {
    pub(crate) fn clear(&mut self) {
        self.waiting.clear();
        self.under_way.clear();
    }

    /// When the next one is given up.
    pub(crate) fn wake_at(&self) -> Option<Millis> {
        self.under_way.iter().map(|ask| ask.asked_ms + ANSWER_MS_MAX).min()
    }

    fn has(&self, id: BufferId, what: &What) -> bool {
        self.waiting.iter().chain(&self.under_way).any(|ask| ask.buffer == id && ask.what == *what)
    }

    /// Takes out the question that an answer is to: by its label, or by what it is about.
    fn answered(&mut self, label: Option<&str>, buffer: Option<BufferId>) -> Option<Ask> {
        let by_label = |ask: &Ask| label.is_some() && ask.label.as_deref() == label;
        let by_buffer = |ask: &Ask| ask.label.is_none() && buffer.is_none_or(|id| ask.buffer == id);
        let at =
            self.under_way.iter().position(|ask| by_label(ask) || (label.is_none() && by_buffer(ask)))?;
        Some(self.under_way.remove(at))
    }
}

impl Client {
    /// Asks, now or when other questions are answered.
    pub(crate) fn ask(&mut self, buffer: BufferId, what: What, now: Millis) {
        if self.asks.has(buffer, &what) || self.asks.waiting.len() >= WAITING_MAX {
            return;
        }
        let part = self.buffer(buffer).map_or(0, |buffer| buffer.part);
        self.asks.waiting.push_back(Ask { buffer, part, what, label: None, asked_ms: now });
        self.ask_next(now);
    }

    fn ask_next(&mut self, now: Millis) {
        let labels = self.server.has("labeled-response");
        let most = if labels { UNDER_WAY_MAX } else { 1 };
        while self.is_online() && self.asks.under_way.len() < most {
            let Some(mut ask) = self.asks.waiting.pop_front() else { return };
            let Some(name) = self.buffer(ask.buffer).map(|buffer| Arc::clone(&buffer.name)) else { continue };
            ask.asked_ms = now;
            ask.label = labels.then(|| self.label());
            let point = |msgid: &Option<Arc<str>>, time_ms: Millis| match msgid {
                Some(msgid) => format!("msgid={msgid}"),
                None => stamp(time_ms),
            };
            let limit = self.server.page().to_string();
            let words: Vec<String> = match &ask.what {
                What::Latest => vec!["LATEST".into(), name.to_string(), "*".into(), limit],
                What::After { msgid, time_ms } | What::Newer { msgid, time_ms } => {
                    // A time is asked for itself too, since several messages may have it.
                    let point = point(msgid, time_ms.saturating_sub(1));
                    vec!["AFTER".into(), name.to_string(), point, limit]
                }
                What::Before { msgid, time_ms } => {
                    vec!["BEFORE".into(), name.to_string(), point(msgid, time_ms + 1), limit]
                }
                What::Around(point) => {
                    vec!["AROUND".into(), name.to_string(), point.to_string(), limit]
                }
                What::Conversations(since_ms) => {
                    let most = CONVERSATIONS_MAX.to_string();
                    vec!["TARGETS".into(), stamp(now + 60_000), stamp(*since_ms), most]
                }
            };
            let label = ask.label.clone();
            self.send(|writer| {
                if let Some(label) = &label {
                    writer.tag("label", label);
                }
                writer.command("CHATHISTORY").params(words.iter().map(String::as_str));
            });
            self.asks.under_way.push(ask);
        }
    }

    /// Asks with whom there are conversations: those of the last days, or since the last link.
    pub(crate) fn ask_conversations(&mut self, now: Millis) {
        if self.server.has_history() {
            let since_ms = self.left_ms.unwrap_or(now.saturating_sub(CONVERSATIONS_MS));
            let server = self.server_buffer();
            self.ask(server, What::Conversations(since_ms.saturating_sub(60_000)), now);
        }
    }

    /// `CHATHISTORY TARGETS <name> <time>`, each in the batch that answers.
    pub(crate) fn conversations_arrived(&mut self, batch: &Batch, context: &Context) {
        let server = self.server_buffer();
        self.asks.answered(context.label.as_deref(), Some(server));
        for item in &batch.items {
            let Item::Line(line) = item else { continue };
            let Ok(message) = Message::parse_str(line) else { continue };
            let [kind, name, ..] = message.params[..] else { continue };
            if kind != "TARGETS" || self.server.is_room(name) || self.server.same(name, &self.me.nick) {
                continue;
            }
            if self.find(name).is_none() {
                let id = self.open_buffer(BufferKind::Person, name);
                self.ask_mark(name);
                self.sync(id, context.now);
            }
        }
        self.ask_next(context.now);
    }

    /// Asks up to when a conversation was read: only rooms are told unasked.
    fn ask_mark(&mut self, name: &str) {
        if self.server.has("draft/read-marker") {
            self.tell("MARKREAD", &[name]);
        }
    }

    /// A page of history.
    pub(crate) fn page_arrived(&mut self, opening: &Message<'_>, batch: Batch, context: &Context) {
        let named = opening.params.get(2).and_then(|name| self.find(name));
        let Some(ask) = self.asks.answered(context.label.as_deref(), named) else { return };
        let past = Context { past: true, label: None, ..context.clone() };
        let mut entries = Vec::new();
        let mut last = None;
        for item in &batch.items {
            let (Item::Line(line) | Item::Batch(Batch { opening: line, .. })) = item;
            let Ok(message) = Message::parse_str(line) else { continue };
            last = message.tags.get("msgid").map(|msgid| Arc::from(&*msgid)).or(last);
            let time_ms = Context::new(&message.tags, None, context.now).time_ms;
            let past = Context { time_ms, ..past.clone() };
            entries.extend(match item {
                Item::Line(_) => self.entry(&message, &past),
                Item::Batch(inner) => self.entry_of_lines(&message, inner, &past),
            });
        }
        let empty = batch.items.is_empty();
        let page = Page { entries, last, empty, end: opening.tags.get("draft/chathistory-end").is_some() };
        self.page(ask, page, context.now);
        self.ask_next(context.now);
    }

    fn page(&mut self, ask: Ask, page: Page, now: Millis) {
        let id = ask.buffer;
        let Some(buffer) = self.buffer_mut(id) else { return };
        buffer.stored |= !page.empty;
        if ask.part != buffer.part && matches!(ask.what, What::Before { .. } | What::Newer { .. }) {
            // It goes on where a part began or ended that is not held any more.
            return;
        }
        let end = page.end || page.empty;
        match ask.what {
            What::Latest => {
                if !page.empty && last_stored(buffer).is_some() {
                    // Too far away from what is held: there is a gap between the two.
                    forget_line_before(buffer);
                }
                let first = buffer.lines.kept().is_empty();
                if first || !page.empty {
                    buffer.history = if end { HistoryState::Complete } else { HistoryState::More };
                }
                self.append_page(id, page.entries);
                // An own message that is not on this page may be before it.
                self.caught_up(id, end, now);
            }
            What::After { msgid, .. } => {
                let caught = buffer.catching.as_mut().map_or(0, |catching| {
                    catching.pages += 1;
                    catching.pages
                });
                self.append_page(id, page.entries);
                let Some(buffer) = self.buffer(id) else { return };
                let time_ms = last_stored(buffer).map_or(0, |line| line.time_ms);
                match page.last {
                    Some(last) if !end && msgid.as_deref() != Some(&*last) && caught < PAGES_MAX => {
                        self.ask(id, What::After { msgid: Some(last), time_ms }, now);
                    }
                    Some(_) if !end && caught >= PAGES_MAX => self.ask(id, What::Latest, now),
                    // Nothing since then: what is shown is what was before.
                    _ if time_ms == 0 => {
                        self.resolve(id, true, now);
                        self.ask(id, What::Latest, now);
                    }
                    _ => self.caught_up(id, true, now),
                }
            }
            What::Before { .. } => self.prepend_page(id, page.entries, end),
            What::Newer { .. } => {
                self.append_page(id, page.entries);
                self.with_newer(id, end, now);
            }
            What::Around(_) => {
                if page.empty {
                    return;
                }
                forget_place(buffer);
                buffer.at_end = false;
                buffer.history = HistoryState::More;
                buffer.catching = None;
                self.append_page(id, page.entries);
                if let Some(buffer) = self.buffer_mut(id) {
                    buffer.recount();
                }
            }
            What::Conversations(_) => {}
        }
        self.changes.add(Change::Lines(id));
        self.changes.add(Change::Buffer(id));
    }

    /// A page after the lines of an earlier part: its end is the newest there is, and what waited follows.
    fn with_newer(&mut self, id: BufferId, end: bool, now: Millis) {
        let Some(buffer) = self.buffer_mut(id) else { return };
        buffer.at_end = end;
        if end {
            buffer.recount();
            self.caught_up(id, true, now);
        } else {
            buffer.catching = None;
            buffer.waiting.clear();
        }
    }

    /// A page before all lines.
    fn prepend_page(&mut self, id: BufferId, entries: Vec<Entry>, end: bool) {
        let mut entries = entries;
        for entry in &mut entries {
            if let Entry::Line { line, settles: Some(own) } = entry {
                self.settle_with(id, *own, line);
            }
        }
        let Some(buffer) = self.buffer_mut(id) else { return };
        let mut lines: Vec<Line> = Vec::new();
        let mut signs = Vec::new();
        for entry in entries {
            let at = |msgid: &str| lines.iter().rposition(|line| line.msgid.as_deref() == Some(msgid));
            match entry {
                Entry::Line { line, .. } => lines.push(*line),
                Entry::React { by, to, what, set } => match at(&to) {
                    Some(at) => drop(lines[at].react(&by.nick, &what, set)),
                    None => signs.push((to, (by.nick, what, set))),
                },
                Entry::Edit { to, .. } => match at(&to) {
                    Some(at) => lines[at].edited = true,
                    None => buffer.later.edit(&to),
                },
                Entry::Redact { by, to, reason } => {
                    if let Some(at) = at(&to) {
                        redact(&mut lines[at], by.nick, reason);
                    }
                }
            }
        }
        for (to, sign) in signs.into_iter().rev() {
            buffer.later.react_before(&to, sign);
        }
        for line in &mut lines {
            buffer.later.apply(line);
        }
        buffer.lines.prepend(lines);
        buffer.history = if end { HistoryState::Complete } else { HistoryState::More };
        if buffer.lines.kept().len() > LINES_MAX {
            buffer.lines.drop_newest(LET_GO);
            buffer.at_end = false;
            // What comes after the last line that is held is fetched again, with all that was done to it.
            buffer.later.clear();
        }
        buffer.recount();
    }

    /// `FAIL CHATHISTORY <code> <subcommand> <about>… :<text>`
    pub(crate) fn history_refused(&mut self, message: &Message<'_>, context: &Context) {
        let named = message.params.iter().skip(2).find_map(|name| self.find(name));
        if let Some(ask) = self.asks.answered(context.label.as_deref(), named) {
            self.refused(ask, context.now);
        }
        self.ask_next(context.now);
    }

    /// Nothing comes. What closes a gap is asked in another way, from the most exact to the roughest.
    fn refused(&mut self, ask: Ask, now: Millis) {
        let id = ask.buffer;
        match ask.what {
            What::After { msgid: Some(_), time_ms } => {
                self.ask(id, What::After { msgid: None, time_ms }, now)
            }
            What::After { msgid: None, .. } => self.ask(id, What::Latest, now),
            What::Latest => self.caught_up(id, false, now),
            What::Before { msgid: Some(_), time_ms } => {
                self.ask(id, What::Before { msgid: None, time_ms }, now)
            }
            What::Before { .. } => {
                if let Some(buffer) = self.buffer_mut(id) {
                    buffer.history = HistoryState::Unknown;
                }
            }
            What::Newer { .. } => self.latest(id, now),
            What::Around(_) | What::Conversations(_) => {}
        }
        self.changes.add(Change::Buffer(id));
    }

    /// Gives up questions that were not answered.
    pub(crate) fn unanswered(&mut self, now: Millis) {
        let late = |ask: &Ask| ask.asked_ms + ANSWER_MS_MAX <= now;
        let (given_up, left) = std::mem::take(&mut self.asks.under_way).into_iter().partition(late);
        self.asks.under_way = left;
        let given_up: Vec<Ask> = given_up;
        for ask in given_up {
            self.refused(ask, now);
        }
        self.ask_next(now);
    }

    // -- what the person asks for --

    /// Fetches the page before the first line. Does nothing while one is coming, or when there is none.
    pub fn older(&mut self, id: BufferId, now: Millis) {
        let (online, history) = (self.is_online(), self.server.has_history());
        let Some(buffer) = self.buffer_mut(id) else { return };
        let asked = matches!(buffer.history, HistoryState::Loading | HistoryState::Complete);
        if asked || !online || !history || buffer.catching.is_some() || !buffer.synced {
            return;
        }
        let what = match first_stored(buffer) {
            Some(line) => What::Before { msgid: line.msgid.clone(), time_ms: line.time_ms },
            None => return,
        };
        buffer.history = HistoryState::Loading;
        self.changes.add(Change::Buffer(id));
        self.ask(id, what, now);
    }

    /// Fetches the page after the last line, when an earlier part is looked at.
    pub fn newer(&mut self, id: BufferId, now: Millis) {
        let Some(buffer) = self.buffer_mut(id) else { return };
        if buffer.at_end || buffer.catching.is_some() {
            return;
        }
        let Some(line) = last_stored(buffer) else { return self.latest(id, now) };
        let what = What::Newer { msgid: line.msgid.clone(), time_ms: line.time_ms };
        buffer.catching = Some(crate::catchup::Catching::default());
        self.ask(id, what, now);
    }

    /// Begins to read at a point: what is held is let go, and the page after the point is fetched. [`Client::newer`]
    /// goes on from there, until the buffer is at its end.
    pub fn from(&mut self, id: BufferId, point: Point, now: Millis) {
        let Some(buffer) = self.buffer_mut(id) else { return };
        forget_place(buffer);
        buffer.at_end = false;
        buffer.history = if point == Point::Start { HistoryState::Complete } else { HistoryState::More };
        buffer.catching = Some(crate::catchup::Catching::default());
        let what = match point {
            Point::Start => What::Newer { msgid: None, time_ms: 0 },
            Point::Msgid(msgid) => What::Newer { msgid: Some(msgid), time_ms: 0 },
            Point::Time(time_ms) => What::Newer { msgid: None, time_ms },
        };
        self.changes.add(Change::Lines(id));
        self.ask(id, what, now);
    }

    /// Goes back to the newest lines, from wherever in history.
    pub fn latest(&mut self, id: BufferId, now: Millis) {
        let Some(buffer) = self.buffer_mut(id).filter(|buffer| !buffer.at_end) else { return };
        forget_place(buffer);
        buffer.catching = Some(crate::catchup::Catching::default());
        self.changes.add(Change::Lines(id));
        self.ask(id, What::Latest, now);
    }

    /// Jumps to a message by its msgid: does nothing if it is held, otherwise what is around it is fetched and takes the
    /// place of what is held. Says whether it is there or coming.
    pub fn around(&mut self, id: BufferId, msgid: &str, now: Millis) -> bool {
        let possible = self.is_online() && self.server.has_history();
        let Some(buffer) = self.buffer(id) else { return false };
        if buffer.lines.has(Some(msgid)) {
            return true;
        }
        if possible {
            self.ask(id, What::Around(format!("msgid={msgid}").into()), now);
        }
        possible
    }

    /// The same by a message's number, on a server that numbers messages.
    pub(crate) fn around_number(&mut self, id: BufferId, number: u64, now: Millis) {
        self.ask(id, What::Around(format!("chinwag.internal/number={number}").into()), now);
    }
}

/// A point of a buffer's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Point {
    /// Before everything.
    Start,
    /// Behind this message.
    Msgid(Arc<str>),
    /// At this time.
    Time(Millis),
}

/// What came.
struct Page {
    entries: Vec<Entry>,
    /// The msgid of the last thing in it.
    last: Option<Arc<str>>,
    empty: bool,
    /// There is nothing more in this direction.
    end: bool,
}

fn forget_line_before(buffer: &mut crate::Buffer) {
    buffer.lines.drop_kept();
    buffer.first_unread = None;
}

/// A time as a point of history.
fn stamp(ms: Millis) -> String {
    let mut text = b"timestamp=".to_vec();
    format_millis(ms, &mut text);
    String::from_utf8_lossy(&text).into_owned()
}
