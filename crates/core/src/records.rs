//! What those who keep rooms and the server ask the archive: whose messages a purge would hide, and what was done by
//! whom.

use std::collections::BTreeMap;
use std::sync::Arc;

use chinwag_log::Seq;
use chinwag_wire::casemap::CaseMapping;
use chinwag_wire::extban::Pattern;

use crate::event::{Event, Who};
use crate::history::Happened;
use crate::ids::{Millis, Number, RoomId};

/// Which messages a purge would hide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sift {
    /// The room.
    pub room: RoomId,
    /// Whose: the pattern in its full form.
    pub whom: Arc<str>,
    /// Which names are the same.
    pub mapping: CaseMapping,
    /// Said in this span of time before the question was asked.
    pub span_ms: Millis,
    /// The beginning of that span.
    pub since_ms: Millis,
    /// Nothing before this number.
    pub first: Number,
    /// Nothing after this number: the room's head when the question was asked. Whatever answers knows all up to it.
    pub last: Number,
    /// At most so many messages, the newest.
    pub limit: u32,
}

impl Sift {
    /// Whether both ask for the same, however many messages came meanwhile.
    pub fn same(&self, other: &Sift) -> bool {
        (self.room, &self.whom, self.span_ms) == (other.room, &other.whom, other.span_ms)
    }

    /// What tells whether somebody is meant; nobody is by a text that is no pattern.
    pub fn pattern(&self) -> Option<Pattern> {
        Pattern::parse(&self.whom, self.mapping).ok()
    }
}

/// Whether somebody is meant by a pattern.
pub fn is_meant(pattern: &Pattern, who: &Who) -> bool {
    pattern.matches(&who.nick, &who.user, &who.host, who.account.as_deref())
}

/// A message that a purge would hide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SiftedMessage {
    /// Its number.
    pub number: Number,
    /// Its position in the log.
    pub seq: Seq,
    /// Whether everybody in the room could read it.
    pub shown: bool,
}

/// The messages that a purge would hide.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sifted {
    /// The messages, oldest first.
    pub found: Vec<SiftedMessage>,
    /// How many of them are whose, by nickname, most first.
    pub by: Vec<(Arc<str>, u32)>,
    /// There are more, older ones, or as many were looked at as are looked at once.
    pub more: bool,
}

impl Sifted {
    /// From messages and who said each, oldest first.
    pub fn new(found: impl IntoIterator<Item = (SiftedMessage, Arc<str>)>, more: bool) -> Sifted {
        let mut by = BTreeMap::new();
        let mut sifted = Sifted { more, ..Sifted::default() };
        for (message, nick) in found {
            sifted.found.push(message);
            *by.entry(nick).or_insert(0) += 1;
        }
        sifted.by = by.into_iter().collect();
        sifted.by.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
        sifted
    }
}

/// A page of what was done by those who keep a room, or the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordsQuery {
    /// The room; none for what server operators did.
    pub room: Option<RoomId>,
    /// Only what was done before this position of the log.
    pub before: Option<Seq>,
    /// At most so many, the newest.
    pub limit: u32,
    /// Whatever answers knows all that happened up to this position of the log.
    pub until: Seq,
}

impl RecordsQuery {
    /// Whether both ask for the same, whatever happened meanwhile.
    pub fn same(&self, other: &RecordsQuery) -> bool {
        (self.room, self.before, self.limit) == (other.room, other.before, other.limit)
    }
}

/// What was done, oldest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Records {
    /// The events, all of which [`is_record`] names.
    pub rows: Vec<Happened>,
    /// There is nothing before them.
    pub end: bool,
}

/// Whether an event belongs to the records of its room, or of the server.
pub fn is_record(event: &Event) -> bool {
    match event {
        Event::Amended(amended) => {
            matches!(amended.what, crate::event::Amendment::Redacted { .. }) && !amended.own
        }
        Event::Purged(_)
        | Event::ModesChanged { .. }
        | Event::Kicked { .. }
        | Event::RoomRenamed { .. }
        | Event::RoomKept { .. }
        | Event::Guarded { .. }
        | Event::ServerBanned(_)
        | Event::ServerUnbanned { .. }
        | Event::OperatorActed(_) => true,
        _ => false,
    }
}
