//! Events: what happened. Stored ones survive a restart, passing ones are ordered with them and never kept.

mod accounts;
mod amended;
mod arrived;
mod hooked;
mod keeping;
mod moderation;
mod own;
mod passed;
mod sanctions;
mod status;

use std::sync::Arc;

use chinwag_log::Keep;
use serde::{Deserialize, Serialize};

use crate::chat::Party;
use crate::ids::{Millis, Number, RoomId, SessionKey, UserId};
use crate::privileges::Operator;
use crate::work::Secret;

pub use self::accounts::{AccountChange, AccountRegistered, Invited, Setting};
pub use self::amended::{Amended, Amendment};
pub use self::arrived::{Arrived, CameFrom};
pub use self::hooked::Hooked;
pub use self::keeping::{Keeping, Presence, Returned};
pub use self::moderation::{Act, Expired, OperatorActed, Purged, Purging};
pub use self::own::{MetadataOn, MetadataSet, ReadMarked};
pub use self::passed::{Passed, PassedTo};
pub use self::sanctions::{Guard, ServerBanned};
pub use self::status::Status;

/// Who did something, as everybody saw them at that moment.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Who {
    /// Nickname as its owner typed it.
    pub nick: Arc<str>,
    /// User name (with `~` where nothing proved it).
    pub user: Arc<str>,
    /// Host as shown.
    pub host: Arc<str>,
    /// Account, when logged in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Arc<str>>,
}

impl Who {
    /// `nick!user@host`.
    pub fn mask(&self) -> String {
        let Who { nick, user, host, .. } = self;
        let mut mask = String::with_capacity(nick.len() + user.len() + host.len() + 2);
        mask.extend([nick, "!", user, "@", host]);
        mask
    }
}

/// PRIVMSG or NOTICE.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SayKind {
    /// To be read by people.
    Privmsg,
    /// Never answered automatically.
    Notice,
}

/// How a message of several lines was cut to fit the wire: none for a message of one line; otherwise the offsets,
/// in bytes and growing, at which a line ended only because lines are short, and no line end is in the text
/// (`draft/multiline-concat`). See [`crate::multiline::pieces`].
pub type Joins = Option<Arc<[u32]>>;

/// How a message reaches one of the two of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Direct {
    /// The name of the room of the two. It may be opened just before, so that its number is not known yet.
    pub between: Arc<str>,
    /// The nickname, or the account, as it was addressed.
    pub to: Arc<str>,
    /// The user of that nickname, if there was one.
    pub user: Option<UserId>,
}

/// A message said in a room.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Said {
    /// Where.
    pub room: RoomId,
    /// The room's rules when it was decided (see [`Event`]).
    pub basis: u32,
    /// The user who said it.
    pub user: UserId,
    /// The same as everybody saw them.
    pub by: Arc<Who>,
    /// PRIVMSG or NOTICE.
    pub kind: SayKind,
    /// The text. Line ends (`\n`) only in a message of several lines.
    pub text: Arc<str>,
    /// For a message of several lines, see [`Joins`].
    pub joins: Joins,
    /// Client-only tags as sent (`+a=b;+c`), without the `@`; before them [`RELAYED_BY`] if it was relayed.
    pub client_tags: Option<Arc<str>>,
    /// The members it is for, if not for all.
    pub status: Option<Status>,
    /// In a conversation: to whom. What is read again has none.
    #[serde(default, skip_serializing)]
    pub direct: Option<Arc<Direct>>,
}

/// The tag of a message that was relayed, the first of its tags: its value is the nickname of the user who relayed it.
pub const RELAYED_BY: &str = "draft/relaymsg";

/// The host of whoever is made up (`NPC`, `SCENE`): no real one ends like this (RFC 2606).
pub const NPC_HOST: &str = "npc.fakeuser.invalid";

/// The user name of programs that say something without a session.
pub const PROGRAM_USERNAME: &str = "~bot";

impl Who {
    /// Whether it is a bot or a hook: the name has a sign in it that no nickname can have.
    pub fn is_program(&self) -> bool {
        *self.user == *PROGRAM_USERNAME && self.nick.contains('/')
    }
}

impl Said {
    /// Whether `user` said it as somebody made up: such names begin as no nickname can.
    pub fn played(&self) -> bool {
        !self.relayed() && self.by.nick.starts_with(['*', '='])
    }

    /// Whether `user` said it for somebody elsewhere.
    pub fn relayed(&self) -> bool {
        self.client_tags.as_deref().is_some_and(|tags| tags.starts_with(RELAYED_BY))
    }
}

/// Tags without a text (`TAGMSG`) that are kept, because the server is configured to keep such.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tagged {
    /// Where.
    pub room: RoomId,
    /// The room's rules when it was decided (see [`Event`]).
    pub basis: u32,
    /// The user who sent them.
    pub user: UserId,
    /// The same as everybody saw them.
    pub by: Arc<Who>,
    /// Client-only tags as sent, without the `@`.
    pub client_tags: Arc<str>,
    /// The members they are for, if not for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// In a conversation: to whom. What is read again has none.
    #[serde(default, skip_serializing)]
    pub direct: Option<Arc<Direct>>,
}

/// One mode that changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModeChange {
    /// Set or unset.
    pub set: bool,
    /// The letter.
    pub mode: char,
    /// Its argument, as shown; for a role the nickname.
    pub arg: Option<Arc<str>>,
    /// For a role: the member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<UserId>,
    /// For an entry of a list: until when; for good without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<Millis>,
    /// For an entry of a list: why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Arc<str>>,
}

/// What happened.
///
/// `basis` is the value of the room's counter of rules when the event was decided: the deterministic check in
/// `apply` compares it, and nothing that is not stored, so that replay decides as the first time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    // -- stored --
    /// A room was opened.
    Opened {
        /// Its name.
        name: Arc<str>,
        /// Who opened it.
        by: Arc<Who>,
        /// The server's own room (the lobby): nobody becomes its operator by coming in first.
        common: bool,
    },
    /// An empty room started over: default modes, no bans, no topic, and nothing said before is shown any more.
    Renewed {
        /// The room.
        room: RoomId,
        /// The room's rules when it was decided.
        basis: u32,
        /// The last message that is hidden: the room's head when it was decided.
        head: Number,
        /// Who came in.
        by: Arc<Who>,
    },
    /// The room of two people was opened.
    ConversationOpened {
        /// The two.
        between: Arc<[Party; 2]>,
    },
    /// Somebody said something in a room.
    Said(Arc<Said>),
    /// Tags without a text, kept.
    Tagged(Arc<Tagged>),
    /// A message was edited, taken back, reacted to or pinned.
    Amended(Arc<Amended>),
    /// Many messages were hidden, brought back, or removed for good.
    Purged(Arc<Purged>),
    /// The time of messages is over.
    Expired(Expired),
    /// The topic changed.
    TopicSet {
        /// The room.
        room: RoomId,
        /// The room's rules when it was decided.
        basis: u32,
        /// Who set it.
        by: Arc<Who>,
        /// The new topic; empty for none.
        topic: Arc<str>,
    },
    /// Modes changed.
    ModesChanged {
        /// The room.
        room: RoomId,
        /// The room's rules when it was decided.
        basis: u32,
        /// Who changed them.
        by: Arc<Who>,
        /// The changes, in order; only such as change something.
        changes: Vec<ModeChange>,
    },
    /// Somebody was put out of a room.
    Kicked {
        /// The room.
        room: RoomId,
        /// The room's rules when it was decided.
        basis: u32,
        /// Who did it.
        by: Arc<Who>,
        /// Who has to go.
        member: UserId,
        /// Their nickname then.
        nick: Arc<str>,
        /// Why.
        reason: Arc<str>,
    },
    /// An account was registered. Refused by `apply` when the name was taken meanwhile.
    AccountRegistered(Arc<AccountRegistered>),
    /// Something about an account changed.
    AccountChanged {
        /// Its name.
        account: Arc<str>,
        /// What.
        change: AccountChange,
    },
    /// An account is no more; whoever was logged in is logged out.
    AccountDropped {
        /// Its name.
        account: Arc<str>,
    },
    /// An invitation is made.
    Invitation(Arc<Invited>),
    /// An invitation is taken back.
    InvitationEnded {
        /// The hash of its code.
        hash: Arc<str>,
        /// Who did it.
        by: Arc<Who>,
    },
    /// A room has another name. The old one is free.
    RoomRenamed {
        /// The room.
        room: RoomId,
        /// The room's rules when it was decided.
        basis: u32,
        /// Who renamed it.
        by: Arc<Who>,
        /// Its name before; none where an earlier build kept it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        old: Option<Arc<str>>,
        /// The new name.
        name: Arc<str>,
        /// Why; empty for no reason given.
        reason: Arc<str>,
    },
    /// Whose a room is has changed, who has which role there, or by which codes people come in.
    RoomKept {
        /// The room.
        room: RoomId,
        /// The room's rules when it was decided.
        basis: u32,
        /// Who did it.
        by: Arc<Who>,
        /// What.
        keeping: Keeping,
    },
    /// Where somebody is who stays without a session; none when nobody stays any more.
    Stays {
        /// The account.
        account: Arc<str>,
        /// Where, and as whom.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        presence: Option<Arc<Presence>>,
    },
    /// A room is guarded, or not any more.
    Guarded {
        /// The room.
        room: RoomId,
        /// The room's rules when it was decided.
        basis: u32,
        /// Who did it.
        by: Arc<Who>,
        /// How.
        guard: Guard,
    },
    /// A room has another hook, or one less.
    Hooked(Arc<Hooked>),
    /// Server operators let somebody in no more.
    ServerBanned(Arc<ServerBanned>),
    /// They do again.
    ServerUnbanned {
        /// Who it was, as it is shown.
        target: Arc<str>,
        /// Who took the ban back.
        by: Arc<Who>,
    },
    /// A server operator did something. For the records: it changes nothing.
    OperatorActed(Arc<OperatorActed>),
    /// What somebody or a room says of itself to programs has changed. Stored, but not for guests.
    MetadataSet(Arc<MetadataSet>),
    /// Somebody has read something: stored for accounts (in a form of its own, since there are many of them and
    /// only the latest counts), passing for guests.
    #[serde(skip)]
    ReadMarked(Arc<ReadMarked>),
    // -- passing --
    /// A node starts: nobody who came in by it before is here any more.
    #[serde(skip)]
    NodeStarted,
    /// A user came in.
    #[serde(skip)]
    Arrived(Arc<Arrived>),
    /// One more session of a user who is here.
    #[serde(skip)]
    Attached {
        /// The user.
        user: UserId,
        /// The account that both are logged in to. When the user is not any more, the session comes in anew.
        account: Option<Arc<str>>,
        /// The session.
        session: SessionKey,
        /// What it says of being away, if it is.
        away: Option<Arc<str>>,
    },
    /// A session of a user ended; with the last one the user leaves.
    #[serde(skip)]
    Detached {
        /// The user.
        user: UserId,
        /// The session.
        session: SessionKey,
        /// Why (shown when it was the last).
        reason: Arc<str>,
        /// Whether the user stays without a session.
        stays: bool,
    },
    /// Somebody who stays without a session is back after a start.
    #[serde(skip)]
    Returned(Arc<Returned>),
    /// A user logged in. Nothing happens when there is no such account any more.
    #[serde(skip)]
    LoggedIn {
        /// The user.
        user: UserId,
        /// The account's name.
        account: Arc<str>,
    },
    /// A user logged out.
    #[serde(skip)]
    LoggedOut {
        /// The user.
        user: UserId,
    },
    /// An account has a code with which another session joins it. It takes the place of the one before.
    #[serde(skip)]
    LinkMade {
        /// The account's name.
        account: Arc<str>,
        /// The code.
        code: Secret,
        /// Until when it is good.
        until_ms: Millis,
    },
    /// Such a code was used; it is good for nobody else.
    #[serde(skip)]
    LinkUsed {
        /// The account's name.
        account: Arc<str>,
        /// The code.
        code: Secret,
    },
    /// A new nickname.
    #[serde(skip)]
    Renamed {
        /// The user.
        user: UserId,
        /// The new nickname.
        nick: Arc<str>,
    },
    /// A user entered a room. Checked again at apply against the room's locks.
    #[serde(skip)]
    Joined {
        /// The user.
        user: UserId,
        /// The room, by name: it may have been opened just before.
        room: Arc<str>,
        /// The key given, checked again at apply.
        key: Option<Arc<str>>,
    },
    /// A user left a room.
    #[serde(skip)]
    Parted {
        /// The user.
        user: UserId,
        /// The room.
        room: RoomId,
        /// Why, if a reason was given.
        reason: Option<Arc<str>>,
    },
    /// One session of a user is away, or back.
    #[serde(skip)]
    Away {
        /// The user.
        user: UserId,
        /// The session.
        session: SessionKey,
        /// The message; none when back.
        message: Option<Arc<str>>,
    },
    /// User modes changed.
    #[serde(skip)]
    UserModes {
        /// The user.
        user: UserId,
        /// Set or unset, and the letter.
        changes: Vec<(bool, char)>,
    },
    /// A new real name.
    #[serde(skip)]
    NewRealname {
        /// The user.
        user: UserId,
        /// The real name.
        realname: Arc<str>,
    },
    /// A user name and host that others are shown instead of the former ones.
    #[serde(skip)]
    NewHost {
        /// The user.
        user: UserId,
        /// The user name.
        username: Arc<str>,
        /// The host.
        host: Arc<str>,
        /// The server operator who gave it.
        by: Arc<Who>,
    },
    /// A user became a server operator.
    #[serde(skip)]
    Opered {
        /// The user.
        user: UserId,
        /// As which one.
        operator: Arc<Operator>,
    },
    /// A server operator put somebody off the server.
    #[serde(skip)]
    Killed {
        /// Who has to go.
        user: UserId,
        /// The operator.
        by: Arc<Who>,
        /// Why.
        reason: Arc<str>,
    },
    /// A server operator announced something to everybody who listens.
    #[serde(skip)]
    Announced {
        /// The operator.
        by: Arc<Who>,
        /// What.
        text: Arc<str>,
    },
    /// Somebody may write to a user who lets in only people with an account, or may not any more.
    #[serde(skip)]
    Accepted {
        /// The user who says so.
        user: UserId,
        /// Who.
        target: UserId,
        /// May, or may not.
        accept: bool,
    },
    /// Somebody was invited.
    #[serde(skip)]
    Invited {
        /// By whom.
        user: UserId,
        /// Who.
        target: UserId,
        /// Where to.
        room: RoomId,
    },
    /// A message that is not kept.
    #[serde(skip)]
    Passed(Arc<Passed>),
}

impl Event {
    /// Whether the log keeps it.
    pub fn keep(&self) -> Keep {
        match self {
            Event::AccountChanged { .. }
            | Event::AccountDropped { .. }
            | Event::AccountRegistered(_)
            | Event::Invitation(_)
            | Event::InvitationEnded { .. }
            | Event::Amended(_)
            | Event::OperatorActed(_)
            | Event::Purged(_)
            | Event::Expired(_)
            | Event::Guarded { .. }
            | Event::Hooked(_)
            | Event::RoomKept { .. }
            | Event::Stays { .. }
            | Event::ServerBanned(_)
            | Event::ServerUnbanned { .. }
            | Event::ConversationOpened { .. }
            | Event::Opened { .. }
            | Event::Renewed { .. }
            | Event::Said(_)
            | Event::Tagged(_)
            | Event::TopicSet { .. }
            | Event::ModesChanged { .. }
            | Event::Kicked { .. }
            | Event::RoomRenamed { .. } => Keep::Stored,
            Event::MetadataSet(set) if !matches!(set.on, MetadataOn::Guest(_)) => Keep::Stored,
            Event::ReadMarked(mark) if mark.account.is_some() => Keep::Stored,
            _ => Keep::Passing,
        }
    }

    /// The room whose stored state it changes; none for a passing event and for one that opens a room.
    pub fn room(&self) -> Option<RoomId> {
        match self {
            Event::Said(said) => Some(said.room),
            Event::Tagged(tagged) => Some(tagged.room),
            Event::Amended(amended) => Some(amended.room),
            Event::Purged(purged) => Some(purged.room),
            Event::Expired(expired) => Some(expired.room),
            Event::Hooked(hooked) => Some(hooked.room),
            Event::Renewed { room, .. }
            | Event::TopicSet { room, .. }
            | Event::ModesChanged { room, .. }
            | Event::Guarded { room, .. }
            | Event::RoomKept { room, .. }
            | Event::Kicked { room, .. }
            | Event::RoomRenamed { room, .. } => Some(*room),
            Event::MetadataSet(set) => match set.on {
                MetadataOn::Room { room, .. } => Some(room),
                _ => None,
            },
            _ => None,
        }
    }
}
