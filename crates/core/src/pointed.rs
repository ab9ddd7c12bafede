//! Messages one can point at: what a request asks about one of them, and what the archive says of it.
//!
//! The chat keeps no messages in memory. A request that is about one returns `Flow::Look`; the node reads, and
//! asks again with the answer (see [`crate::asking::Asking::look`]).

use std::sync::Arc;

use chinwag_log::Seq;

use crate::aging::{AgeQuery, Aged};
use crate::erasing::{Erasable, EraseQuery, Erasure};
use crate::event::Who;
use crate::history::{Page, Query, Row};
use crate::ids::{Millis, Number, RoomId, UserId};
use crate::records::{Records, RecordsQuery, Sift, Sifted};
use crate::search::{Hits, SearchQuery};

/// How a message is pointed at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pointer {
    /// By its number in the room.
    Number(Number),
    /// By its position in the log, which is what its msgid says.
    Seq(Seq),
}

/// What is asked about a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lookup {
    /// The room in which it must be.
    pub room: RoomId,
    /// Which message.
    pub of: Pointer,
    /// The room's head when the question was asked: whatever answers knows all messages up to it.
    pub last: Number,
}

impl Lookup {
    /// Whether both ask for the same, however many messages came meanwhile.
    pub fn same(&self, other: &Lookup) -> bool {
        (self.room, self.of) == (other.room, other.of)
    }
}

/// What happened to a message since it was said.
#[derive(Clone, Debug, PartialEq)]
pub struct Former {
    /// When.
    pub at_ms: Millis,
    /// Who did it.
    pub by: Arc<Who>,
    /// What.
    pub change: Change,
}

/// What was done to a message.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// It was edited; until then it read like this. None once it was deleted.
    Edited(Option<Arc<str>>),
    /// It was deleted, for this reason.
    Deleted(Option<Arc<str>>),
}

/// A message that was asked about.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The message as it reads now; without a text when it was deleted.
    pub row: Row,
    /// The user who said it.
    pub user: UserId,
    /// What happened to it, oldest first. With a deletion, nothing of its texts is left.
    pub formers: Vec<Former>,
}

/// What is asked of the archive.
#[derive(Clone, Debug, PartialEq)]
pub enum Question {
    /// A page of history.
    Page(Query),
    /// A message.
    Message(Lookup),
    /// The messages of some people, to be purged.
    Sift(Sift),
    /// What those who keep rooms and the server have done.
    Records(RecordsQuery),
    /// Messages with certain words.
    Search(SearchQuery),
    /// Up to which message of a room the time is over.
    Age(AgeQuery),
    /// How much an erasure would take.
    Erasable(EraseQuery),
    /// How far erasures are; whatever answers knows all that happened up to this position of the log.
    Erasures(Seq),
}

impl Question {
    /// Whether an answer is one to this kind of question.
    pub fn fits(&self, answer: &Answer) -> bool {
        matches!(
            (self, answer),
            (Question::Page(_), Answer::Page(_))
                | (Question::Message(_), Answer::Message(_))
                | (Question::Sift(_), Answer::Sifted(_))
                | (Question::Records(_), Answer::Records(_))
                | (Question::Search(_), Answer::Search(_))
                | (Question::Age(_), Answer::Aged(_))
                | (Question::Erasable(_), Answer::Erasable(_))
                | (Question::Erasures(_), Answer::Erasures(_))
        )
    }

    /// Whether both ask for the same, however much happened meanwhile.
    pub fn same(&self, other: &Question) -> bool {
        match (self, other) {
            (Question::Message(one), Question::Message(other)) => one.same(other),
            (Question::Sift(one), Question::Sift(other)) => one.same(other),
            (Question::Records(one), Question::Records(other)) => one.same(other),
            (Question::Search(one), Question::Search(other)) => one.same(other),
            (Question::Erasable(one), Question::Erasable(other)) => one.same(other),
            (Question::Erasures(_), Question::Erasures(_)) => true,
            (one, other) => one == other,
        }
    }
}

/// What the archive answers.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// A page of history.
    Page(Page),
    /// The message, if there is one.
    Message(Option<Box<Found>>),
    /// The messages.
    Sifted(Sifted),
    /// What was done.
    Records(Records),
    /// The messages that were found.
    Search(Hits),
    /// What is over, and what comes next.
    Aged(Aged),
    /// What would go.
    Erasable(Erasable),
    /// The newest erasures, the newest first.
    Erasures(Vec<Erasure>),
}

/// The answer to a question, as it waits in a session for its request to be asked again.
#[derive(Clone, Debug)]
pub struct Looked {
    /// What was asked.
    pub question: Question,
    /// The answer; an error when the archive could not be read.
    pub answer: Result<Answer, String>,
}
