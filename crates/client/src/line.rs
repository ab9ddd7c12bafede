//! One line of a conversation.

use std::sync::Arc;

use crate::Millis;

/// Names a line within one client, from the moment it is shown first until it is forgotten; a pending line keeps its id
/// when it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LineId(pub u64);

/// Who said or did something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// The nickname, or the server's name.
    pub nick: Arc<str>,
    /// The account, where the server tells.
    pub account: Option<Arc<str>>,
    /// Whether it is a program and says so.
    pub bot: bool,
    /// Whether it is the owner of this client.
    pub me: bool,
}

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LineKind {
    /// Somebody said it.
    Message,
    /// Somebody does it (`/me`).
    Action,
    /// A notice.
    Notice,
    /// Somebody came in.
    Join,
    /// Somebody left; the text is the reason.
    Part,
    /// Somebody left the server; the text is the reason.
    Quit,
    /// Somebody has another nickname: `about`.
    Nick,
    /// The topic is the text now.
    Topic,
    /// Modes changed, the text says which.
    Mode,
    /// Somebody put `about` out; the text is the reason.
    Kick,
    /// Somebody invited `about`, or me.
    Invite,
    /// The server or this client tells something.
    Info,
    /// The server or this client refuses something.
    Error,
}

impl LineKind {
    /// Whether it is something that somebody says: such lines count as unread.
    pub fn is_said(self) -> bool {
        matches!(self, LineKind::Message | LineKind::Action | LineKind::Notice)
    }
}

/// How far an own line has come. Everything from others is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineState {
    /// The server has it.
    Kept,
    /// The server has not answered yet.
    Pending,
    /// It was refused, or it is not known what became of it; the text says why.
    Failed(Arc<str>),
}

/// A sign at a line, and who put it there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reaction {
    /// The sign or word.
    pub what: Arc<str>,
    /// Nicknames, in the order in which they came.
    pub who: Vec<Arc<str>>,
}

/// A line that was taken back. Its text is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redacted {
    /// By whom.
    pub by: Arc<str>,
    /// Why, if a reason was given.
    pub reason: Option<Arc<str>>,
}

/// One line of a buffer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its name in this client.
    pub id: LineId,
    /// Its name on the server, by which it can be answered, edited and found.
    pub msgid: Option<Arc<str>>,
    /// Its number in the room, where the server tells.
    pub number: Option<u64>,
    /// When it was said.
    pub time_ms: Millis,
    /// By whom; none for what this client says.
    pub from: Option<Sender>,
    /// What it is.
    pub kind: LineKind,
    /// The text; `\n` between the lines of a message of several. Empty once it is redacted.
    pub text: String,
    /// Whom or what it is about besides: see [`LineKind`].
    pub about: Option<Arc<str>>,
    /// The msgid of the message that it answers.
    pub reply_to: Option<Arc<str>>,
    /// Reactions, in the order in which they came first.
    pub reactions: Vec<Reaction>,
    /// It reads differently than at first, as far as is known.
    pub edited: bool,
    /// It was taken back.
    pub redacted: Option<Redacted>,
    /// How far it has come.
    pub state: LineState,
    /// It names me, or was said to me alone.
    pub mention: bool,
}

impl Line {
    /// A line of this client's own, kept and said by nobody.
    pub(crate) fn note(id: LineId, time_ms: Millis, kind: LineKind, text: impl Into<String>) -> Line {
        Line {
            id,
            msgid: None,
            number: None,
            time_ms,
            from: None,
            kind,
            text: text.into(),
            about: None,
            reply_to: None,
            reactions: Vec::new(),
            edited: false,
            redacted: None,
            state: LineState::Kept,
            mention: false,
        }
    }

    /// Whether it is mine.
    pub fn is_mine(&self) -> bool {
        self.from.as_ref().is_some_and(|from| from.me)
    }

    /// Whether it counts as unread until it is seen.
    pub(crate) fn counts(&self) -> bool {
        self.kind.is_said() && !self.is_mine() && self.redacted.is_none()
    }

    /// Puts a sign there, or takes it away. Says whether anything changed.
    pub(crate) fn react(&mut self, who: &Arc<str>, what: &str, set: bool) -> bool {
        let at = self.reactions.iter().position(|reaction| &*reaction.what == what);
        match (at, set) {
            (None, false) => false,
            (None, true) => {
                self.reactions.push(Reaction { what: what.into(), who: vec![Arc::clone(who)] });
                true
            }
            (Some(at), true) => {
                let there = &mut self.reactions[at].who;
                let new = !there.contains(who);
                if new {
                    there.push(Arc::clone(who));
                }
                new
            }
            (Some(at), false) => {
                let there = &mut self.reactions[at].who;
                let before = there.len();
                there.retain(|name| name != who);
                let gone = there.len() < before;
                if there.is_empty() {
                    self.reactions.remove(at);
                }
                gone
            }
        }
    }
}
