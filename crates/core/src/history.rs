//! History as a question and an answer: what is read, by whom is the driver's business.

use std::sync::Arc;

use chinwag_log::Seq;

use crate::event::{SayKind, Who};
use crate::ids::{Millis, Number, RoomId};

/// A point in a room's history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// The position of a message (from its msgid). Need not be in this room any more, nor at all.
    Seq(Seq),
    /// A time; messages of exactly that time are neither before nor after it.
    Time(Millis),
}

/// Which part of a room's history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The newest; with an anchor, only what is after it.
    Latest(Option<Anchor>),
    /// The newest before the anchor.
    Before(Anchor),
    /// The oldest after the anchor.
    After(Anchor),
    /// Half before, half after, the anchor itself among them.
    Around(Anchor),
    /// Between two anchors, both left out, beginning at the first one (which may be the later one: then the
    /// newest are taken first). The page is ordered oldest first all the same.
    Between(Anchor, Anchor),
}

/// What is asked of a room's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// The room.
    pub room: RoomId,
    /// Its name, for the answer.
    pub name: Arc<str>,
    /// Which part.
    pub part: Part,
    /// At most so many messages.
    pub limit: u32,
    /// Nothing before this number (what was said before the room started over stays hidden).
    pub first: Number,
    /// Nothing after this number: the room's head when the question was asked, so that nothing is shown here
    /// that is also on its way live.
    pub last: Number,
    /// The reference of the answer's batch.
    pub batch: Arc<str>,
}

/// A message read from history.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Its position in the log (from which its msgid is made).
    pub seq: Seq,
    /// Its number in the room.
    pub number: Number,
    /// When it was said.
    pub at_ms: Millis,
    /// By whom.
    pub by: Arc<Who>,
    /// PRIVMSG or NOTICE.
    pub kind: SayKind,
    /// The text.
    pub text: Arc<str>,
    /// Client-only tags, as sent.
    pub client_tags: Option<Arc<str>>,
    /// STATUSMSG prefix: shown again only to those who had the role; history leaves these out.
    pub status: Option<char>,
}

/// The answer: oldest first.
pub type Page = Vec<Row>;
