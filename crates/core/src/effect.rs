//! Effects: what follows from a request or an event, as data. The node carries them out.

use std::fmt;
use std::sync::Arc;

use crate::accounts::Settled;
use crate::allowance::Dear;
use crate::history::Query;
use crate::ids::{RoomId, UserId};
use crate::line::{Line, Source};
use crate::metadata::Change;
use crate::refusals::Why;
use crate::roles::Role;
use crate::work::Job;

/// Whom a line is for. Only sessions of this node are ever meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    /// The session whose request is being decided, or whose event is being applied. Nobody, when the event
    /// came from another node or from replay.
    Asker,
    /// The same session, beside the answer to its request: without its label. The IRC copy of what users say to
    /// themselves; a plain caller has seen it already.
    AskerBeside,
    /// Every session of a user.
    User(UserId),
    /// Every session of a user but the asking one.
    OtherSessions(UserId),
    /// Every session of every member of a room.
    Room(RoomId),
    /// Members with at least this role.
    RoomStatus(RoomId, Role),
    /// Every session of everybody who sees the user in a room, the user's own left out. Meant as the
    /// audiences are where the effect stands: when the user leaves, before the [`Effect::LeftRoom`]s that follow
    /// (the rooms are [`crate::chat::Chat::rooms_of`] the user then).
    Neighbours(UserId),
    /// Every registered session of this node.
    Everybody,
}

/// Whose metadata has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetadataOf {
    /// A room's: its members are told.
    Room(RoomId),
    /// A user's: the user's other sessions, the neighbours and those who watch the user are told.
    User(UserId),
    /// That of a user who has just come into a room, where the others learn of it.
    Newcomer(UserId, RoomId),
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// A line to be sent.
    Send {
        /// For whom.
        to: To,
        /// The user who said it, where the line is an echo to that user's own sessions: the asking session
        /// gets it only with `echo-message` (plain doors always do), the user's other sessions always.
        author: Option<UserId>,
        /// Nobody of this user's sessions gets it.
        except: Option<UserId>,
        /// The line.
        line: Line,
    },
    /// The asking session is now a session of this user.
    Registered(UserId),
    /// The asking session's `Arrived` was refused, and it was told why: it goes back to its greeting, without
    /// the nickname.
    EntryRefused,
    /// The asking session was to be one more of a user who has gone meanwhile: it comes in as if it were the first.
    EntryAgain,
    /// What the asking session wanted of an account has been applied, or refused: `Chat::resume` goes on.
    Settled(Settled),
    /// Work for the asking session, to be done beside the chat: `Chat::resume` goes on with the outcome.
    Work(Box<Job>),
    /// A letter to somebody who is not here.
    Letter(Box<Letter>),
    /// The caller at the plain door has to show that this nickname is theirs: its account's password is asked for.
    PasswordWanted(Arc<str>),
    /// The user's sessions are in the room's audience from now on.
    Entered(RoomId, UserId),
    /// Each of the user's sessions gets the room's list of names (`commands::names::reply`), as its own
    /// capabilities have it. Follows [`Effect::Entered`].
    Names(RoomId, UserId),
    /// A room has another name. Sessions with `draft/channel-rename`, and plain ones, get the line; to the others it
    /// looks as if they had left and come in again (`commands::rename::fallback`), unless only the case changed.
    RoomRenamed {
        /// The room, renamed.
        room: RoomId,
        /// The name it had.
        old: Arc<str>,
        /// Why.
        reason: Arc<str>,
        /// `RENAME`.
        line: Box<Line>,
    },
    /// What somebody or a room says of itself to programs has changed: for sessions that subscribed to the keys, and
    /// did not make the change themselves.
    Metadata {
        /// Whose it is, and thereby who is told.
        of: MetadataOf,
        /// Its name.
        name: Arc<str>,
        /// Who changed it.
        by: Source,
        /// The keys that changed, with their values.
        changes: Arc<[Change]>,
    },
    /// They are not any more.
    LeftRoom(RoomId, UserId),
    /// The user is gone; its sessions, if any are left here, close with this reason.
    Gone(UserId, Arc<str>),
    /// The event was decided under rules that have changed: decide again. Nothing was applied.
    Stale,
    /// Read history for the asking session.
    History(Box<Query>),
    /// Close the asking session after what it has been sent, with this reason (`ERROR :reason`).
    Close(Arc<str>),
    /// The asking session is to be told when somebody takes or leaves this nickname (MONITOR).
    Watch(Arc<str>),
    /// It is not any more.
    Unwatch(Arc<str>),
    /// A line for the sessions that watch a nickname. With `about`, only for those with `extended-monitor` whose
    /// users share no room with that user: the others are neighbours and get it as such.
    Watched {
        /// The nickname.
        nick: Arc<str>,
        /// Whom the line tells something new about.
        about: Option<UserId>,
        /// The line.
        line: Line,
    },
    /// The asking session's address block has done something that it may do only so often.
    Spent(Dear),
    /// Somebody was refused for this reason.
    Refused(Why),
    /// The asking session wants to hand in a file: for this room, or for none. The server gives it an address
    /// (`Chat::ticket`).
    Upload(Option<RoomId>),
    /// Read the configuration again, and tell the asking session what became of it.
    Reread,
    /// The asking session's capabilities changed.
    Capabilities,
}

/// A letter with the code that makes an account usable.
#[derive(Clone, PartialEq, Eq)]
pub struct Letter {
    /// The mail address.
    pub to: Arc<str>,
    /// The account.
    pub account: Arc<str>,
    /// The code.
    pub code: Arc<str>,
}

/// Shows no code.
impl fmt::Debug for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Letter").field("to", &self.to).field("account", &self.account).finish_non_exhaustive()
    }
}

/// A list of effects, reused from turn to turn.
pub type Effects = Vec<Effect>;
