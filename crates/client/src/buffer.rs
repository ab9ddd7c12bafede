//! A buffer: the server itself, a room, or a conversation with somebody.

use std::sync::Arc;

use chinwag_wire::names::Folded;

use crate::Millis;
use crate::catchup::{Catching, Entry};
use crate::later::Later;
use crate::line::LineId;
use crate::lines::Lines;
use crate::members::Members;

/// Names a buffer within one client; never used again for another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BufferId(pub u32);

/// What a buffer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BufferKind {
    /// What the server says.
    Server,
    /// A room.
    Room,
    /// What is said with one person.
    Person,
}

/// How much of the history before the first line is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HistoryState {
    /// Nobody has asked yet, or the server cannot say.
    Unknown,
    /// There is more.
    More,
    /// It is being fetched.
    Loading,
    /// The first line is the first one there is.
    Complete,
}

/// What a room is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    /// The text.
    pub text: String,
    /// Who set it, where known.
    pub by: Option<Arc<str>>,
    /// When, where known.
    pub at_ms: Option<Millis>,
}

/// Somebody is typing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Typing {
    /// Who.
    pub nick: Arc<str>,
    /// Until when that is believed without another sign.
    pub until_ms: Millis,
}

/// The server, a room, or a conversation.
#[derive(Debug)]
pub struct Buffer {
    /// Its name in this client.
    pub id: BufferId,
    /// What it is.
    pub kind: BufferKind,
    /// The name of the room or person; that of the network for the server's buffer.
    pub name: Arc<str>,
    /// What the room is about.
    pub topic: Option<Topic>,
    /// Whether I am in the room now; for a person always.
    pub joined: bool,
    /// The room's modes as last told (`+nt`).
    pub modes: String,
    /// Who is there.
    pub members: Members,
    /// What was said.
    pub lines: Lines,
    /// Lines of others since [`Buffer::last_read_ms`], as far as they are known.
    pub unread: u32,
    /// Those among them that name me; in a conversation, all.
    pub mentions: u32,
    /// The first of them that is held.
    pub first_unread: Option<LineId>,
    /// Up to when I have read, here or by another door.
    pub last_read_ms: Option<Millis>,
    /// What there is before the first line.
    pub history: HistoryState,
    /// Whether the last line is the newest there is. When not (after jumping into history) new lines only count, and
    /// [`crate::Client::newer`] and [`crate::Client::latest`] lead back.
    pub at_end: bool,
    /// Who is typing.
    pub typing: Vec<Typing>,
    /// The key for which the room asks.
    pub(crate) key: Option<String>,
    pub(crate) folded: Folded,
    /// It is entered again after a cut.
    pub(crate) wanted: bool,
    /// Counts the parts of the history that were held: what was asked of another one is of no use.
    pub(crate) part: u32,
    /// What came while what is before it is being fetched, and how far that is.
    pub(crate) catching: Option<Catching>,
    pub(crate) waiting: Vec<Entry>,
    /// What is known of lines that are not held.
    pub(crate) later: Later,
    /// What was missed since the last link is known, or there is nothing to know.
    pub(crate) synced: bool,
    /// Something of it came from the server's history: it is kept there.
    pub(crate) stored: bool,
    /// When the mark of what is read is to be sent.
    pub(crate) mark_due_ms: Option<Millis>,
    /// The last mark that was sent or told.
    pub(crate) marked_ms: Option<Millis>,
    /// The members are being told anew (353).
    pub(crate) naming: bool,
    /// When the own typing was told last, and whether it was active.
    pub(crate) typed: Option<(Millis, bool)>,
}

impl Buffer {
    pub(crate) fn new(id: BufferId, kind: BufferKind, name: &str, folded: Folded) -> Buffer {
        Buffer {
            id,
            kind,
            name: name.into(),
            topic: None,
            joined: kind != BufferKind::Room,
            modes: String::new(),
            members: Members::default(),
            lines: Lines::default(),
            unread: 0,
            mentions: 0,
            first_unread: None,
            last_read_ms: None,
            history: if kind == BufferKind::Server { HistoryState::Complete } else { HistoryState::Unknown },
            at_end: true,
            typing: Vec::new(),
            key: None,
            folded,
            wanted: false,
            part: 0,
            catching: None,
            waiting: Vec::new(),
            later: Later::default(),
            synced: kind == BufferKind::Server,
            stored: false,
            mark_due_ms: None,
            marked_ms: None,
            naming: false,
            typed: None,
        }
    }

    /// Counts what is unread among the lines that are held.
    pub(crate) fn recount(&mut self) {
        let read_ms = self.last_read_ms.unwrap_or(0);
        let person = self.kind == BufferKind::Person;
        (self.unread, self.mentions, self.first_unread) = (0, 0, None);
        let unread = self.lines.kept().iter().rev().filter(|line| line.time_ms > read_ms && line.counts());
        for line in unread {
            self.unread += 1;
            self.mentions += u32::from(person || line.mention);
            self.first_unread = Some(line.id);
        }
    }
}
