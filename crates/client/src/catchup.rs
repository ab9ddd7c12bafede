//! The order of a buffer: what comes live, what was missed, and own messages finding their place among both.
//!
//! While what was missed is being fetched, what comes live waits; when the last page is here it is added behind it.
//! Nothing is added twice: a line is known by its msgid. So a buffer's lines are an unbroken piece of its history.

use std::sync::Arc;

use crate::Millis;
use crate::buffer::{Buffer, BufferId, BufferKind, HistoryState};
use crate::change::Change;
use crate::client::Client;
use crate::history::What;
use crate::line::{Line, LineId, LineKind, Redacted, Sender};
use crate::lines::{LET_GO, LINES_MAX};

/// Pages that are fetched to close a gap. A longer one is left open on the far side: the newest page is shown, and what
/// is before it is fetched when it is wanted.
pub(crate) const PAGES_MAX: u32 = 20;

/// Milliseconds that the clocks of a client and its server may differ by.
const CLOCKS_MS: Millis = 300_000;

/// Lines that wait behind a page. At it they are let go, and the newest page is fetched.
const WAITING_MAX: usize = 2_000;

/// What happens in a buffer, in its order.
#[derive(Debug)]
pub(crate) enum Entry {
    /// A line.
    Line {
        line: Box<Line>,
        /// The own line that it settles.
        settles: Option<LineId>,
    },
    /// A sign was put at a line, or taken away.
    React { by: Sender, to: Arc<str>, what: Arc<str>, set: bool },
    /// A line reads differently.
    Edit { to: Arc<str>, text: String },
    /// A line was taken back.
    Redact { by: Sender, to: Arc<str>, reason: Option<Arc<str>> },
}

impl Entry {
    /// A line that settles nothing.
    pub(crate) fn said(line: Line) -> Entry {
        Entry::Line { line: Box::new(line), settles: None }
    }
}

/// What was missed is being fetched.
#[derive(Clone, Debug, Default)]
pub(crate) struct Catching {
    /// Pages that have come.
    pub(crate) pages: u32,
    /// Too much waited: the newest page is wanted when this one is here.
    pub(crate) overtaken: bool,
    /// Something was deleted that nobody saw here: it may have been an own message.
    pub(crate) doubtful: bool,
}

/// Lets lines go that are more than are held: the oldest of a buffer that shows the newest.
pub(crate) fn let_go(buffer: &mut Buffer) {
    if buffer.lines.kept().len() > LINES_MAX {
        for _ in 0..LET_GO {
            if let Some(line) = buffer.lines.drop_oldest() {
                buffer.later.keep(&line);
            }
        }
        if buffer.kind != BufferKind::Server {
            buffer.history = HistoryState::More;
        }
    }
}

impl Client {
    /// Fetches what was missed in a buffer since its last line, or its newest page if there is none.
    pub(crate) fn sync(&mut self, id: BufferId, now: Millis) {
        let history = self.server.has_history();
        let owes = self.outbox.iter().any(|outgoing| outgoing.buffer == id);
        let doubted_ms = self.doubted_ms(id);
        let Some(buffer) = self.buffer_mut(id) else { return };
        buffer.naming = false;
        if !history || (!buffer.at_end && !owes) {
            buffer.synced = true;
            return self.resolve(id, false, now);
        }
        if !buffer.at_end {
            forget_place(buffer);
        }
        let what = match last_stored(buffer) {
            Some(line) => What::After { msgid: line.msgid.clone(), time_ms: line.time_ms },
            // What became of own messages is to be seen, too. Clocks differ.
            None => match doubted_ms {
                Some(time_ms) => What::After { msgid: None, time_ms: time_ms.saturating_sub(CLOCKS_MS) },
                None => What::Latest,
            },
        };
        buffer.synced = false;
        buffer.waiting.clear();
        buffer.catching = Some(Catching::default());
        self.ask(id, what, now);
    }

    /// Something has happened in a buffer, just now.
    pub(crate) fn arrive(&mut self, id: BufferId, entry: Entry, now: Millis) {
        if let Entry::Line { line, .. } = &entry
            && line.kind.is_said()
            && let Some(nick) = line.from.as_ref().map(|from| Arc::clone(&from.nick))
        {
            self.stop_typing(id, &nick);
        }
        let Some(buffer) = self.buffer_mut(id) else { return };
        match &mut buffer.catching {
            Some(catching) if buffer.waiting.len() >= WAITING_MAX => {
                catching.overtaken = true;
                buffer.waiting.clear();
            }
            Some(catching) if catching.overtaken => {}
            Some(_) => buffer.waiting.push(entry),
            None => self.place(id, entry, Some(now)),
        }
    }

    /// Gives something its place at the end of a buffer. `live`: it is new to everybody, since now.
    pub(crate) fn place(&mut self, id: BufferId, entry: Entry, live: Option<Millis>) {
        self.changes.add(Change::Lines(id));
        match entry {
            Entry::Line { line, settles } => self.place_line(id, *line, settles, live),
            Entry::React { by, to, what, set } => {
                let there = self.change_line(id, &to, |line| {
                    line.react(&by.nick, &what, set);
                });
                if let Some(buffer) = self.buffer_mut(id).filter(|_| !there) {
                    buffer.later.react(&to, (by.nick, what, set));
                }
            }
            Entry::Edit { to, text } => {
                let there = self.change_line(id, &to, |line| edit(line, text));
                if let Some(buffer) = self.buffer_mut(id).filter(|_| !there) {
                    buffer.later.edit(&to);
                }
            }
            Entry::Redact { by, to, reason } => {
                self.change_line(id, &to, |line| redact(line, by.nick, reason));
                if let Some(buffer) = self.buffer_mut(id) {
                    buffer.recount();
                }
            }
        }
    }

    /// Changes a line by its msgid. Says whether it is held.
    fn change_line(&mut self, id: BufferId, msgid: &str, change: impl FnOnce(&mut Line)) -> bool {
        let Some(buffer) = self.buffer_mut(id) else { return false };
        let line = buffer.lines.id_of(msgid).and_then(|line| buffer.lines.get_mut(line));
        line.map(change).is_some()
    }

    fn place_line(&mut self, id: BufferId, mut line: Line, settles: Option<LineId>, live: Option<Millis>) {
        let known = self.buffer(id).is_some_and(|buffer| buffer.lines.has(line.msgid.as_deref()));
        if let Some(own) = settles {
            // Where it is known already this is the echo of what was delivered before.
            let mut echo = line.clone();
            self.settle_with(id, own, if known { &mut echo } else { &mut line });
        }
        if known {
            return;
        }
        let (line_id, counts) = (line.id, line.counts());
        let Some(buffer) = self.buffer_mut(id) else { return };
        let person = buffer.kind == BufferKind::Person;
        line.mention |= person && line.kind.is_said() && !line.is_mine();
        let mention = line.mention;
        if counts && buffer.last_read_ms.is_none_or(|read_ms| line.time_ms > read_ms) {
            buffer.unread += 1;
            buffer.mentions += u32::from(mention);
            if buffer.at_end {
                buffer.first_unread.get_or_insert(line_id);
            }
        }
        if buffer.at_end || live.is_none() {
            buffer.lines.append(line);
            let_go(buffer);
        }
        self.changes.add(Change::Buffer(id));
        if live.is_some() && mention && counts {
            self.changes.add(Change::Mention { buffer: id, line: line_id });
        }
    }

    /// An own line is what the server has: it takes its place, under the same id.
    pub(crate) fn settle_with(&mut self, id: BufferId, own: LineId, line: &mut Line) {
        self.settled(own);
        if let Some(pending) = self.buffer_mut(id).and_then(|buffer| buffer.lines.take_own(own)) {
            line.id = own;
            line.reply_to = line.reply_to.take().or(pending.reply_to);
        }
    }

    /// Adds a page behind the lines of a buffer.
    pub(crate) fn append_page(&mut self, id: BufferId, entries: Vec<Entry>) {
        let mut fresh = std::collections::BTreeSet::new();
        for entry in entries {
            match &entry {
                Entry::Line { line, .. } => {
                    fresh.extend(line.msgid.clone());
                    self.place(id, entry, None);
                }
                // A page has each message as it reads now: edits of those in it were made already.
                Entry::Edit { to, .. } if fresh.contains(to) => {
                    let to = Arc::clone(to);
                    self.change_line(id, &to, |line| line.edited = true);
                }
                Entry::Redact { to, .. } => {
                    let buffer = self.buffer_mut(id).filter(|buffer| !buffer.lines.has(Some(to)));
                    if let Some(catching) = buffer.and_then(|buffer| buffer.catching.as_mut()) {
                        catching.doubtful = true;
                    }
                    self.place(id, entry, None);
                }
                _ => self.place(id, entry, None),
            }
        }
    }

    /// What was missed is known: what waited is added behind it, and it is clear what became of own messages.
    pub(crate) fn caught_up(&mut self, id: BufferId, certain: bool, now: Millis) {
        let Some(buffer) = self.buffer_mut(id) else { return };
        let Catching { overtaken, doubtful, .. } = buffer.catching.take().unwrap_or_default();
        if overtaken {
            forget_place(buffer);
            buffer.catching = Some(Catching::default());
            return self.ask(id, What::Latest, now);
        }
        buffer.synced = true;
        let first_visit = buffer.kind == BufferKind::Room && buffer.last_read_ms.is_none();
        if first_visit {
            // Where nobody knows what was read, what was said before one came is not news.
            buffer.last_read_ms = buffer.lines.kept().back().map(|line| line.time_ms);
            buffer.recount();
        }
        let waiting = std::mem::take(&mut buffer.waiting);
        for entry in waiting {
            self.place(id, entry, Some(now));
        }
        self.changes.add(Change::Buffer(id));
        self.resolve(id, certain && !doubtful, now);
    }
}

/// The last line from which the server can go on: those that only came by are not in its history.
pub(crate) fn last_stored(buffer: &Buffer) -> Option<&Line> {
    buffer.lines.kept().iter().rev().find(|line| line.msgid.is_some() && is_stored(line.kind))
}

/// The first such line.
pub(crate) fn first_stored(buffer: &Buffer) -> Option<&Line> {
    buffer.lines.kept().iter().find(|line| line.msgid.is_some() && is_stored(line.kind))
}

fn is_stored(kind: LineKind) -> bool {
    kind.is_said() || matches!(kind, LineKind::Topic | LineKind::Mode | LineKind::Kick)
}

/// Lets all lines go: the newest page comes in their place.
pub(crate) fn forget_place(buffer: &mut Buffer) {
    buffer.part = buffer.part.wrapping_add(1);
    buffer.lines.drop_kept();
    buffer.later.clear();
    buffer.history = HistoryState::Unknown;
    buffer.at_end = true;
    buffer.first_unread = None;
    buffer.waiting.clear();
}

/// A line reads differently.
pub(crate) fn edit(line: &mut Line, text: String) {
    let inner = text.strip_prefix("\u{1}ACTION ").map(|inner| inner.trim_end_matches('\u{1}').to_owned());
    if line.redacted.is_none() {
        line.text = inner.unwrap_or(text);
        line.edited = true;
    }
}

/// A line is taken back: what it said is forgotten.
pub(crate) fn redact(line: &mut Line, by: Arc<str>, reason: Option<Arc<str>>) {
    line.text = String::new();
    line.reactions.clear();
    line.mention = false;
    line.redacted = Some(Redacted { by, reason });
}
