//! Applying: what happens to messages after they were said. The texts are the archive's; the chat knows which
//! messages are gone and which are pinned.
//!
//! Whoever has negotiated how such a thing travels gets it in that form, everybody else one short line that reads
//! well as it is: `* ann deleted [42]: wrong room`.

use std::fmt::Write as _;
use std::sync::Arc;

use chinwag_wire::caps::{Cap, CapSet};
use chinwag_wire::msgid::MsgId;
use chinwag_wire::tags::escape;

use super::apply_rules::unchanged;
use super::{Chat, Party, Room};
use crate::commands::reply::fail;
use crate::effect::{Effect, Effects, To};
use crate::event::{Amended, Amendment};
use crate::history::Query;
use crate::ids::{Millis, UserId};
use crate::line::{Line, Meta, Source, Text};
use crate::roles::Roles;

/// Messages that a room points out at the same time. The one pinned first goes when there are more.
pub const PINS_MAX: usize = 50;

impl Amendment {
    /// The command that leads to it.
    pub fn verb(&self) -> &'static str {
        match self {
            Amendment::Edited { .. } => "EDIT",
            Amendment::Redacted { .. } => "REDACT",
            Amendment::Reacted { set: true, .. } => "REACT",
            Amendment::Reacted { set: false, .. } => "UNREACT",
            Amendment::Pinned { set: true } => "PIN",
            Amendment::Pinned { set: false } => "UNPIN",
        }
    }
}

impl Chat {
    pub(super) fn amended(&mut self, at_ms: Millis, amended: &Amended, effects: &mut Effects) {
        let msgid = MsgId::stored(&self.key, amended.position);
        let Some(room) = unchanged(&mut self.rooms, amended.room, amended.basis, effects) else { return };
        if room.is_gone(amended.number) {
            let about = [Text::from(&room.name), msgid.to_string().into()];
            return fail(effects, amended.what.verb(), "UNKNOWN_MSGID", about, GONE);
        }
        if !note(room, amended) {
            return;
        }
        let meta = Meta {
            at_ms: Some(room.stamp(at_ms)),
            msgid: Some(MsgId::stored(&self.key, self.seq.0)),
            ..Meta::default()
        };
        let line = |verb, meta| {
            let mut line = Line::new(Source::User(Arc::clone(&amended.by)), verb, [Text::from(&room.name)]);
            line.meta = meta;
            line
        };
        let mut knows = CapSet::default();
        let between = room.between.clone();
        if let Some(between) = between {
            let redacted = form(amended, msgid, |verb| line(verb, meta.clone()));
            return redacted.into_iter().for_each(|line| self.tell_both(&between, amended, line, effects));
        }
        if let Some(mut line) = form(amended, msgid, |verb| line(verb, meta.clone())) {
            knows = line.needs;
            // A client that sent the tags itself shows them already, unless it waits for the echo.
            let own = amended.tags.is_some();
            line.meta.client_tags = Some(tags(amended, msgid));
            tell(room, amended, own, line, effects);
        }
        let mut words = line("PRIVMSG", Meta { client_tags: Some(reply_tags(msgid).into()), ..meta.clone() });
        words.params.push(format!("\u{1}ACTION {}\u{1}", in_words(amended)).into());
        tell(room, amended, false, words.unless(knows), effects);
    }
}

impl Chat {
    /// Tells the two of a conversation, each under the name by which they know it.
    fn tell_both(&self, between: &[Party; 2], amended: &Amended, line: Line, effects: &mut Effects) {
        let said = |party: &Party| party.said(&amended.by);
        let (from, to) =
            if said(&between[0]) { (&between[0], &between[1]) } else { (&between[1], &between[0]) };
        let (own, others) = (self.users_of(from), self.users_of(to));
        let mut told = |user: UserId, name: Text| {
            let mut line = line.clone();
            line.params[0] = name;
            effects.push(Effect::Send { to: To::User(user), author: None, except: None, line });
        };
        for user in own.iter().filter(|user| !others.contains(user)) {
            told(*user, Text::from(self.shown_as(to)));
        }
        for user in others.iter().filter_map(|user| self.user(*user)) {
            told(user.id, Text::from(&user.who.nick));
        }
    }

    /// What happened to a message as it is read later, for those who know its form. Of a message that is gone only that it
    /// is.
    pub(crate) fn amendment(&self, query: &Query, amended: &Amended) -> Option<Line> {
        let gone = self.room(query.room)?.is_gone(amended.number);
        if gone && !matches!(amended.what, Amendment::Redacted { .. }) {
            return None;
        }
        let msgid = MsgId::stored(&self.key, amended.position);
        let source = Source::User(Arc::clone(&amended.by));
        let mut line = form(amended, msgid, |verb| Line::new(source, verb, [Text::from(&query.name)]))?;
        line.meta.client_tags = Some(tags(amended, msgid));
        Some(line)
    }
}

/// What is said of a message that is not there any more.
const GONE: &str = "This message does not exist any more";

/// Keeps what has to be known of it. False when nothing changes.
fn note(room: &mut Room, amended: &Amended) -> bool {
    let number = amended.number;
    match amended.what {
        Amendment::Edited { .. } | Amendment::Reacted { .. } => true,
        Amendment::Redacted { .. } => {
            room.pins.retain(|pinned| *pinned != number);
            room.redacted.insert(number)
        }
        Amendment::Pinned { set: true } if room.pins.contains(&number) => false,
        Amendment::Pinned { set: true } => {
            if room.pins.len() >= PINS_MAX {
                room.pins.remove(0);
            }
            room.pins.push(number);
            true
        }
        Amendment::Pinned { set: false } => {
            let before = room.pins.len();
            room.pins.retain(|pinned| *pinned != number);
            room.pins.len() < before
        }
    }
}

/// The line for those who know its form, without its tags; none where there is no such form.
fn form(amended: &Amended, msgid: MsgId, line: impl FnOnce(&'static str) -> Line) -> Option<Line> {
    match &amended.what {
        // https://ircv3.net/specs/extensions/message-redaction
        Amendment::Redacted { reason } => {
            let mut line = line("REDACT").needing(Cap::MessageRedaction);
            line.params.push(msgid.to_string().into());
            line.params.extend(reason.as_ref().map(Text::from));
            Some(line)
        }
        // https://github.com/ircv3/ircv3-specifications/pull/425
        Amendment::Edited { .. } => Some(line("EDIT").needing(Cap::MessageEdit).needing(Cap::MessageTags)),
        // https://ircv3.net/specs/client-tags/react
        Amendment::Reacted { .. } => Some(line("TAGMSG").needing(Cap::MessageTags)),
        Amendment::Pinned { .. } => None,
    }
}

/// The tags that say which message it is about, and what is done to it, ready for the wire.
fn tags(amended: &Amended, msgid: MsgId) -> Arc<str> {
    let sent = amended.tags.as_ref().map(Arc::clone);
    sent.unwrap_or_else(|| match &amended.what {
        Amendment::Edited { text } => {
            format!("draft/target-msgid={msgid};draft/edit-text={}", escaped(text)).into()
        }
        Amendment::Reacted { reaction, set } => react_tags(msgid, reaction, *set).into(),
        Amendment::Redacted { .. } | Amendment::Pinned { .. } => "".into(),
    })
}

/// The tags of a reply: under the name of the specification, and under the one that clients learned first.
pub(crate) fn reply_tags(msgid: MsgId) -> String {
    format!("+draft/reply={msgid};+reply={msgid}")
}

/// The tags of a reaction.
fn react_tags(msgid: MsgId, reaction: &str, set: bool) -> String {
    let name = if set { "react" } else { "unreact" };
    format!("{};+draft/{name}={}", reply_tags(msgid), escaped(reaction))
}

fn escaped(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    escape(value, &mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What happened, as a line that begins with the name of who did it.
fn in_words(amended: &Amended) -> String {
    let Amended { number, of, own, excerpt, .. } = amended;
    let mut words = String::new();
    let number = number.0;
    // Writing into a string cannot fail.
    let _ = match &amended.what {
        Amendment::Edited { text } => write!(words, "edited [{number}]: {}", without_action(text)),
        Amendment::Redacted { reason } => {
            let _ = write!(words, "deleted [{number}]");
            if !own {
                let _ = write!(words, " of {of}");
            }
            reason.iter().try_for_each(|reason| write!(words, ": {reason}"))
        }
        Amendment::Reacted { reaction, set: true } => write!(words, "reacted {reaction} to [{number}] {of}"),
        Amendment::Reacted { reaction, .. } => write!(words, "took {reaction} back from [{number}] {of}"),
        Amendment::Pinned { set: true } => write!(words, "pinned [{number}] {of}"),
        Amendment::Pinned { .. } => write!(words, "unpinned [{number}] {of}"),
    };
    if let Some(excerpt) = excerpt {
        words.extend([": ", excerpt]);
    }
    words
}

/// A text without the frame that makes it an action.
pub(crate) fn without_action(text: &str) -> &str {
    let inner = text.strip_prefix("\u{1}ACTION ").unwrap_or(text);
    inner.strip_suffix('\u{1}').unwrap_or(inner)
}

/// Tells those for whom the message was, and who did it.
fn tell(room: &Room, amended: &Amended, echo: bool, line: Line, effects: &mut Effects) {
    let author = echo.then_some(amended.user);
    let status = amended.status;
    let hears = |roles: Roles| status.is_none_or(|status| roles.at_least(status.role()));
    if !room.member(amended.user).is_some_and(|member| hears(member.roles)) {
        let line = line.clone();
        effects.push(Effect::Send { to: To::User(amended.user), author, except: None, line });
    }
    let to = status.map_or(To::Room(room.id), |status| To::RoomStatus(room.id, status.role()));
    effects.push(Effect::Send { to, author, except: None, line });
}

/// What a message is about, for those who are told in words: its beginning.
pub(crate) fn excerpt(text: &str) -> Arc<str> {
    const CHARACTERS: usize = 40;
    let text = without_action(text);
    match text.char_indices().nth(CHARACTERS) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()).into(),
        None => text.into(),
    }
}
