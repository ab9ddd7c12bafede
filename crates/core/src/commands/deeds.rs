//! What people do to messages, and who may: one table and one grammar for every door.
//!
//! A message is pointed at by its number in the room, or by its msgid. Whatever is refused is refused in the words of
//! `FAIL`; sessions that know no standard replies get the same as a notice.

use chinwag_wire::caps::{Cap, CapSet};
use chinwag_wire::limits::BODY_BYTES_MAX;
use chinwag_wire::message::Message;
use chinwag_wire::names::{MsgId, Opened};
use smallvec::smallvec;

use chinwag_log::Seq;

use super::reply::{asker, given, line};
use crate::asking::{Asking, Flow};
use crate::chat::{Chat, Room, User, excerpt};
use crate::event::{Amended, Amendment, Event, Status};
use crate::ids::Number;
use crate::line::{Line, Text};
use crate::permissions::Action;
use crate::pointed::{Found, Lookup, Pointer};

/// What can be done to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    Reply,
    Quote,
    React,
    Edit,
    Redact,
    Pin,
    Was,
}

/// Who may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    /// Members who may speak.
    Speakers,
    /// Who said it, as long as they may speak.
    Author,
    /// Who said it, and those whose role allows it.
    AuthorAndRoles(Action),
    /// Those whose role allows it.
    Roles(Action),
}

/// The table: deed, who may, the code of the refusal, its words.
const TABLE: [(Deed, Who, &str, &str); 7] = [
    (Deed::Reply, Who::Speakers, "RE_FORBIDDEN", "You may not speak here"),
    (Deed::Quote, Who::Speakers, "QUOTE_FORBIDDEN", "You may not speak here"),
    (Deed::React, Who::Speakers, "REACT_FORBIDDEN", "You may not speak here"),
    (Deed::Edit, Who::Author, "EDIT_FORBIDDEN", "Only who said it may edit it, and only who may speak here"),
    (
        Deed::Redact,
        Who::AuthorAndRoles(Action::Redact),
        "REDACT_FORBIDDEN",
        "Only who said it and the room's operators may delete it",
    ),
    (Deed::Pin, Who::Roles(Action::Pin), "PIN_FORBIDDEN", "Only the room's operators may pin messages"),
    (
        Deed::Was,
        Who::Roles(Action::SeeFormer),
        "WAS_FORBIDDEN",
        "Only the room's operators may see what was before",
    ),
];

impl Deed {
    /// The deed that an amendment is.
    pub(crate) fn of(what: &Amendment) -> Deed {
        match what {
            Amendment::Edited { .. } => Deed::Edit,
            Amendment::Redacted { .. } => Deed::Redact,
            Amendment::Reacted { .. } => Deed::React,
            Amendment::Pinned { .. } => Deed::Pin,
        }
    }

    fn row(self) -> &'static (Deed, Who, &'static str, &'static str) {
        TABLE.iter().find(|row| row.0 == self).expect("the table has a row for every deed")
    }

    /// Whether a member may do it; to a message of their own or of somebody else.
    pub(crate) fn allowed(self, room: &Room, user: &User, own: bool) -> bool {
        match self.row().1 {
            Who::Speakers => room.may_speak(user),
            Who::Author => own && room.may_speak(user),
            Who::AuthorAndRoles(action) => own || room.may(user.id, action),
            Who::Roles(action) => room.may(user.id, action),
        }
    }

    /// The refusal for who may not.
    pub(crate) fn refusal(self, verb: &'static str, room: &Room, message: Text) -> Box<Line> {
        let (_, _, code, text) = *self.row();
        let mut refusal = line("FAIL", [verb.into(), code.into(), Text::from(&room.name)]);
        refusal.params.extend([message, text.into()]);
        Box::new(refusal)
    }
}

/// A message that is pointed at, by somebody who may do what was asked for.
pub(crate) struct Aim<'a> {
    /// Who points.
    pub(crate) user: &'a User,
    /// Where.
    pub(crate) room: &'a Room,
    /// The message.
    pub(crate) found: Box<Found>,
    /// Whether who points said it.
    own: bool,
    /// Those who hear what who points says about it, if not all.
    pub(crate) status: Option<Status>,
}

/// Finds the message that a request is about: `target` is the room, `message` the number or msgid.
///
/// # Errors
/// The flow with which the request ends; the asker has been told why, if it is not to be asked again.
pub(crate) fn aim<'a>(
    chat: &'a Chat,
    asking: &mut Asking<'_>,
    (verb, deed): (&'static str, Deed),
    target: &str,
    message: &str,
) -> Result<Aim<'a>, Flow> {
    let Some(user) = asker(chat, asking) else { return Err(Flow::Done) };
    let Some(room) = place(chat, user, deed, target) else {
        let about = [given(target)];
        return Err(deny(asking, verb, "INVALID_TARGET", about, "You are not in this room"));
    };
    if asking.pending.locked(room.id) {
        return Err(Flow::Wait);
    }
    // The name of a conversation is nobody's business.
    let about = || {
        let name = if room.between.is_some() { given(target) } else { Text::from(&room.name) };
        [name, given(message)]
    };
    let unknown = "There is no such message here, or not any more";
    let may_be_gone = deed == Deed::Was;
    let gone = |number: &Number| !may_be_gone && room.is_gone(*number);
    let of = match pointer(chat, message) {
        Some(Pointer::Number(number))
            if number < room.history_from || number > room.head || gone(&number) =>
        {
            None
        }
        of => of,
    };
    let Some(of) = of else { return Err(deny(asking, verb, "UNKNOWN_MSGID", about(), unknown)) };
    // Who may do it to no message need not wait for this one.
    if !deed.allowed(room, user, true) {
        return Err(forbid(asking, deed, verb, room, message));
    }
    let found = asking.look(Lookup { room: room.id, of, last: room.head })?;
    let Some(found) = found.filter(|found| found.heard_by(user, room) && !gone(&found.row.number)) else {
        return Err(deny(asking, verb, "UNKNOWN_MSGID", about(), unknown));
    };
    let aim = Aim::new(user, room, found);
    if !deed.allowed(room, user, aim.own) {
        let [name, message] = about();
        let mut refusal = deed.refusal(verb, room, message);
        refusal.params[2] = name;
        refuse(asking, *refusal);
        return Err(Flow::Done);
    }
    Ok(aim)
}

/// The room that is meant; to delete what was said to somebody, the conversation with them.
fn place<'a>(chat: &'a Chat, user: &User, deed: Deed, target: &str) -> Option<&'a Room> {
    if deed == Deed::Redact && !target.starts_with('#') {
        return chat.conversation_named(user, target).map(|(room, _)| room);
    }
    chat.room_by_name(target).filter(|room| room.member(user.id).is_some())
}

fn forbid(asking: &mut Asking<'_>, deed: Deed, verb: &'static str, room: &Room, message: &str) -> Flow {
    let refusal = deed.refusal(verb, room, given(message));
    refuse(asking, *refusal);
    Flow::Done
}

impl Found {
    /// Whether a member may know of it: not what was said before the room started over, nor what was for some
    /// roles only.
    pub(super) fn heard_by(&self, user: &User, room: &Room) -> bool {
        let row = &self.row;
        let roles = room.roles(user.id);
        let heard = row.status.is_none_or(|status| roles.at_least(status.role()));
        row.number >= room.history_from && (heard || self.said_by(user))
    }

    /// Whether this user said it: the same user, or the same account.
    fn said_by(&self, user: &User) -> bool {
        let own = &user.who.account;
        self.user == user.id || (own.is_some() && self.row.by.account == *own)
    }
}

impl<'a> Aim<'a> {
    /// Somebody points at a message.
    pub(super) fn new(user: &'a User, room: &'a Room, found: Box<Found>) -> Self {
        let own = found.said_by(user);
        let status = room.audience(user, found.row.status).unwrap_or(None).or(found.row.status);
        Aim { user, room, found, own, status }
    }

    /// The event that does something to the message. `tags` are those with which it was sent, if it was a TAGMSG.
    pub(crate) fn amended(&self, what: Amendment, tags: Option<std::sync::Arc<str>>) -> Event {
        let row = &self.found.row;
        let quotes = matches!(what, Amendment::Reacted { .. } | Amendment::Pinned { .. });
        Event::Amended(std::sync::Arc::new(Amended {
            room: self.room.id,
            basis: self.room.rules,
            number: row.number,
            position: row.seq.0,
            of: row.by.nick.clone(),
            own: self.own,
            // Whoever saw it is told that it is gone.
            status: if matches!(what, Amendment::Redacted { .. }) { row.status } else { self.status },
            user: self.user.id,
            by: self.user.who.clone(),
            what,
            excerpt: quotes.then(|| excerpt(&row.text)),
            tags,
        }))
    }

    /// The msgid of the message.
    pub(crate) fn msgid(&self, chat: &Chat) -> MsgId {
        MsgId::stored(chat.msgid_key(), self.found.row.seq.0)
    }
}

/// A number (`42`, `[42]`), or the msgid of something that is stored.
pub(crate) fn pointer(chat: &Chat, message: &str) -> Option<Pointer> {
    let bare = message.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(message);
    if let Ok(number) = bare.parse::<u64>() {
        return (number > 0).then_some(Pointer::Number(Number(number)));
    }
    match message.parse::<MsgId>().ok()?.open(chat.msgid_key())? {
        Opened::Stored(seq) => Some(Pointer::Seq(Seq(seq))),
        Opened::Passing(_) => None,
    }
}

/// Refuses a request: `FAIL <verb> <code> <about> :<text>`.
pub(crate) fn deny(
    asking: &mut Asking<'_>,
    verb: &'static str,
    code: &'static str,
    about: impl IntoIterator<Item = Text>,
    text: &'static str,
) -> Flow {
    let mut params: smallvec::SmallVec<[Text; 4]> = smallvec![verb.into(), code.into()];
    params.extend(about);
    params.push(text.into());
    refuse(asking, Line { params, ..line("FAIL", []) });
    Flow::Done
}

/// Capabilities that make a client read `FAIL`.
const READS_FAIL: CapSet = CapSet::of(&[Cap::StandardReplies, Cap::MessageRedaction, Cap::MessageEdit]);

/// Sends a `FAIL`, or its words as a notice to who would not read it.
fn refuse(asking: &mut Asking<'_>, fail: Line) {
    if asking.session.caps.intersects(READS_FAIL) {
        return asking.reply(fail);
    }
    let words: Vec<&str> = fail.params.iter().map(Text::as_str).collect();
    if let [verb, _, about @ .., text] = &words[..] {
        let text = format!("{verb} {}: {text}", about.join(" "));
        asking.reply(line("NOTICE", ["*".into(), text.into()]));
    }
}

/// Tells the asker something that was asked for: a `NOTE`, or the words as a numeric to who would not read it.
pub(crate) fn note(
    asking: &mut Asking<'_>,
    verb: &'static str,
    code: &'static str,
    about: impl IntoIterator<Item = Text>,
    text: Text,
) {
    let about = about.into_iter();
    if asking.session.caps.contains(Cap::StandardReplies) {
        asking.reply(line("NOTE", [verb.into(), code.into()].into_iter().chain(about).chain([text])));
    } else {
        let mut line = Line::numeric(chinwag_wire::numeric::Numeric::RPL_TEXT, []);
        line.params.extend(about.take(1));
        line.params.push(text);
        asking.reply(line);
    }
}

/// What a request says from a parameter on. Clients that hand on what people type send words one by one.
pub(crate) fn words(message: &Message<'_>, from: usize) -> String {
    message.params.as_slice().get(from..).unwrap_or_default().join(" ")
}

/// Bytes of a text that this user can say in this room, with so much more around it.
pub(crate) fn text_bytes_max(user: &User, room: &Room, around: usize) -> usize {
    let before = ":! PRIVMSG  :@".len() + room.name.len() + around;
    let who = &user.who;
    BODY_BYTES_MAX.saturating_sub(before + who.nick.len() + who.user.len() + who.host.len())
}
