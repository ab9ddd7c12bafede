//! A line for somebody, before it has a dialect: what the doors turn into bytes.

use std::sync::Arc;

use chinwag_wire::caps::{Cap, CapSet};
use chinwag_wire::msgid::MsgId;
use chinwag_wire::numeric::Numeric;
use smallvec::SmallVec;

use crate::event::{Joins, Who};
use crate::ids::{Millis, Number};

/// A piece of text that is cheap to hand on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Text {
    /// Known when compiled.
    Static(&'static str),
    /// Shared with state or an event.
    Shared(Arc<str>),
    /// Made for this line.
    Owned(Box<str>),
}

impl Text {
    /// The characters.
    pub fn as_str(&self) -> &str {
        match self {
            Text::Static(text) => text,
            Text::Shared(text) => text,
            Text::Owned(text) => text,
        }
    }
}

impl From<&'static str> for Text {
    fn from(text: &'static str) -> Self {
        Text::Static(text)
    }
}

impl From<Arc<str>> for Text {
    fn from(text: Arc<str>) -> Self {
        Text::Shared(text)
    }
}

impl From<&Arc<str>> for Text {
    fn from(text: &Arc<str>) -> Self {
        Text::Shared(Arc::clone(text))
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Text::Owned(text.into())
    }
}

/// Where a line comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// The server.
    Server,
    /// A user.
    User(Arc<Who>),
    /// Nobody is named (`PING`, `ERROR`, `AUTHENTICATE`).
    Nobody,
}

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// A numeric reply. The addressee's nickname is not among the parameters: the door puts it first.
    Numeric(Numeric),
    /// `PRIVMSG`, `JOIN`, `FAIL` …
    Verb(&'static str),
}

/// What a line carries besides its parameters.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Meta {
    /// When it happened; the door shows it as `server-time` or not at all.
    pub at_ms: Option<Millis>,
    /// The msgid.
    pub msgid: Option<MsgId>,
    /// The number of a message in its room.
    pub number: Number,
    /// The number is shown to everybody, not only to those who want to see numbers.
    pub numbered: bool,
    /// Client-only tags, as sent; and others that belong to this kind of line, ready for the wire.
    pub client_tags: Option<Arc<str>>,
    /// For a message of several lines: its last parameter holds line ends, and is cut at these offsets as well.
    pub joins: Joins,
    /// The batch it belongs to.
    pub batch: Option<Text>,
    /// Whether a program said it (the tag `bot`).
    pub bot: bool,
    /// Not for sessions that have all of these capabilities (if there are any): they get another line instead.
    pub unless: CapSet,
    /// More parameters for sessions with this capability (`extended-join`).
    pub more: Option<(Cap, SmallVec<[Text; 2]>)>,
}

/// A line for somebody.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Where it comes from.
    pub source: Source,
    /// What it is.
    pub command: Command,
    /// Its parameters; the last one may hold spaces or be empty.
    pub params: SmallVec<[Text; 4]>,
    /// Time, msgid, tags.
    pub meta: Meta,
    /// Only for sessions that have all of these capabilities.
    pub needs: CapSet,
}

impl Line {
    /// A line with a command and parameters.
    pub fn new<const N: usize>(source: Source, verb: &'static str, params: [Text; N]) -> Line {
        Line {
            source,
            command: Command::Verb(verb),
            params: SmallVec::from_iter(params),
            meta: Meta::default(),
            needs: CapSet::default(),
        }
    }

    /// A numeric reply. The addressee's nickname is added by the door.
    pub fn numeric<const N: usize>(numeric: Numeric, params: [Text; N]) -> Line {
        Line {
            source: Source::Server,
            command: Command::Numeric(numeric),
            params: SmallVec::from_iter(params),
            meta: Meta::default(),
            needs: CapSet::default(),
        }
    }

    /// The same line with the time at which it happened.
    #[must_use]
    pub fn at(mut self, at_ms: Millis) -> Line {
        self.meta.at_ms = Some(at_ms);
        self
    }

    /// The same line, only for sessions without this capability.
    #[must_use]
    pub fn lacking(self, cap: Cap) -> Line {
        self.unless(CapSet::of(&[cap]))
    }

    /// The same line, only for sessions that do not have all of these capabilities (if there are any).
    #[must_use]
    pub fn unless(mut self, caps: CapSet) -> Line {
        self.meta.unless = caps;
        self
    }

    /// Whether a session with these capabilities gets it.
    pub fn is_for(&self, caps: CapSet) -> bool {
        let unless = self.meta.unless;
        caps.contains_all(self.needs) && (unless.is_empty() || !caps.contains_all(unless))
    }

    /// The same line with a msgid.
    #[must_use]
    pub fn with_id(mut self, msgid: MsgId) -> Line {
        self.meta.msgid = Some(msgid);
        self
    }

    /// The same line, only for sessions that have one more capability.
    #[must_use]
    pub fn needing(mut self, cap: Cap) -> Line {
        self.needs.insert(cap);
        self
    }
}
