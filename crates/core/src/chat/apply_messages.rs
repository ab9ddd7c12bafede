//! Applying: what people say. The first function is the busiest of the whole server.

use std::sync::Arc;

use chinwag_log::{Key, Seq};
use chinwag_wire::caps::Cap;
use chinwag_wire::msgid::MsgId;
use chinwag_wire::numeric::Numeric;
use smallvec::{SmallVec, smallvec};

use super::apply::send;
use super::apply_users::refuse;
use super::{Chat, Party, Room};
use crate::effect::{Effect, Effects, To};
use crate::event::{Direct, Passed, PassedTo, Said, SayKind, Status, Tagged, Who};
use crate::ids::{Millis, Number, UserId};
use crate::line::{Command, Line, Meta, Source, Text};
use crate::roles::Roles;

/// What is said of somebody who will read it later.
const NOT_HERE: &str = "is not here; it is kept and shown when they come back";

impl SayKind {
    /// Its command on the wire.
    pub fn verb(self) -> &'static str {
        match self {
            SayKind::Privmsg => "PRIVMSG",
            SayKind::Notice => "NOTICE",
        }
    }
}

impl Chat {
    pub(super) fn said(&mut self, seq: Seq, at_ms: Millis, said: &Said, effects: &mut Effects) {
        let place = self.place_of(said.room, said.direct.as_deref());
        let found = place.and_then(|room| self.rooms.get_mut(room));
        let Some(room) = found.filter(|room| room.rules == said.basis) else {
            return effects.push(Effect::Stale);
        };
        room.head = Number(room.head.0 + 1);
        room.said_ms = room.stamp(at_ms);
        room.guards.note_spoken(said.user, at_ms);
        let meta = Meta {
            at_ms: Some(room.said_ms),
            msgid: Some(MsgId::stored(&self.key, seq.0)),
            number: room.head,
            numbered: false,
            client_tags: said.client_tags.clone(),
            joins: said.joins.clone(),
            bot: said.by.is_program(),
            ..Meta::default()
        };
        if let Some(user) = self.users.get_mut(said.user) {
            user.said_ms = at_ms;
        }
        let name = addressed(&room.name, said.status);
        let line = Line {
            source: Source::User(Arc::clone(&said.by)),
            command: Command::Verb(said.kind.verb()),
            params: smallvec![name, Text::from(&said.text)],
            meta,
            needs: Default::default(),
        };
        if let Some(between) = room.between.clone() {
            let direct = said.direct.as_deref();
            return self.tell_two(&between, (said.user, &said.by), direct, line, effects);
        }
        if said.relayed() || (said.played() && said.status.is_none()) {
            // Whoever relayed it did not say it, and whoever made somebody up sees them speak: for them it is no echo.
            return send(effects, To::Room(room.id), line);
        }
        tell_room(room, said.user, said.status, line, effects);
    }

    pub(super) fn tagged(&mut self, at_ms: Millis, tagged: &Tagged, effects: &mut Effects) {
        let msgid = MsgId::stored(&self.key, self.seq.0);
        let place = self.place_of(tagged.room, tagged.direct.as_deref());
        let found = place.and_then(|room| self.rooms.get_mut(room));
        let Some(room) = found.filter(|room| room.rules == tagged.basis) else {
            return effects.push(Effect::Stale);
        };
        let at_ms = room.stamp(at_ms);
        let line = tagged_line(&room.name, tagged).at(at_ms).with_id(msgid);
        if let Some(between) = room.between.clone() {
            let direct = tagged.direct.as_deref();
            return self.tell_two(&between, (tagged.user, &tagged.by), direct, line, effects);
        }
        tell_room(room, tagged.user, tagged.status, line, effects);
    }

    /// Sends a message of a conversation to all sessions of both: to the one whom it is for under the own nickname,
    /// and to whoever said it as it was addressed.
    fn tell_two(
        &mut self,
        between: &[Party; 2],
        (author, by): (UserId, &Who),
        direct: Option<&Direct>,
        line: Line,
        effects: &mut Effects,
    ) {
        let (from, to) =
            if between[0].said(by) { (&between[0], &between[1]) } else { (&between[1], &between[0]) };
        let (mut from, to) = (self.users_of(from), self.users_of(to));
        if !from.contains(&author) {
            from.push(author);
        }
        if let Some(user) = direct.and_then(|direct| direct.user) {
            self.accept_answer(author, user);
        }
        let as_said = |mut line: Line| {
            line.params[0] = direct.map_or_else(|| line.params[0].clone(), |direct| Text::from(&direct.to));
            line
        };
        let private = line.command != Command::Verb("NOTICE");
        for user in from.iter().copied().filter(|user| *user == author || !to.contains(user)) {
            let echo = (user == author).then_some(author);
            let line = as_said(line.clone());
            effects.push(Effect::Send { to: To::User(user), author: echo, except: None, line });
        }
        for user in &to {
            let Some(found) = self.users.get(*user) else { continue };
            let mut line = line.clone();
            line.params[0] = Text::from(&found.who.nick);
            // What users say to themselves is shown to the asking session as an echo, and once more as delivered:
            // https://ircv3.net/specs/extensions/labeled-response
            send(effects, if *user == author { To::AskerBeside } else { To::User(*user) }, line);
        }
        if let Some(direct) = direct.filter(|_| private) {
            self.tell_absence(direct, &to, effects);
        }
    }

    /// Tells whoever said something privately that the other one is away, or not here at all.
    fn tell_absence(&self, direct: &Direct, to: &[UserId], effects: &mut Effects) {
        let addressed = direct.user.and_then(|user| self.users.get(user));
        let away = match addressed.or_else(|| to.first().and_then(|user| self.users.get(*user))) {
            Some(user) => user.away.as_ref().map(Text::from),
            None => Some(Text::Static(NOT_HERE)),
        };
        if let Some(away) = away {
            send(effects, To::Asker, Line::numeric(Numeric::RPL_AWAY, [Text::from(&direct.to), away]));
        }
    }

    pub(super) fn passed(&mut self, key: Key, at_ms: Millis, passed: &Passed, effects: &mut Effects) {
        if let Some(user) = self.users.get_mut(passed.user) {
            user.said_ms = at_ms;
        }
        match &passed.to {
            PassedTo::User { user, nick } => {
                self.accept_answer(passed.user, *user);
                let Some(target) = self.users.get(*user) else {
                    if passed.kind != Some(SayKind::Notice) {
                        refuse(effects, Numeric::ERR_NOSUCHNICK, [Text::from(nick)]);
                    }
                    return;
                };
                let line = self.passed_line(key, at_ms, passed, Text::from(&target.who.nick));
                // What users say to themselves is shown to the asking session as an echo, and once more as
                // delivered: https://ircv3.net/specs/extensions/labeled-response
                let delivered = if target.id == passed.user { To::AskerBeside } else { To::User(target.id) };
                let echo = To::User(passed.user);
                let author = Some(passed.user);
                effects.push(Effect::Send { to: echo, author, except: None, line: line.clone() });
                send(effects, delivered, line);
                if let (Some(away), Some(SayKind::Privmsg)) = (&target.away, passed.kind) {
                    let params = [Text::from(&target.who.nick), away.into()];
                    send(effects, To::Asker, Line::numeric(Numeric::RPL_AWAY, params));
                }
            }
            PassedTo::Room { room, status } => {
                let (Some(room), Some(user)) = (self.rooms.get(*room), self.users.get(passed.user)) else {
                    return;
                };
                // Nothing is stored, so that the rules as they are now decide once more.
                let Ok(status) = room.audience(user, *status) else {
                    if passed.kind != Some(SayKind::Notice) {
                        refuse(effects, Numeric::ERR_CANNOTSENDTOCHAN, [Text::from(&room.name)]);
                    }
                    return;
                };
                let name = addressed(&room.name, status);
                let line = self.passed_line(key, room.shown_at(at_ms), passed, name);
                tell_room(room, passed.user, status, line, effects);
            }
        }
    }

    /// The msgid of what is not kept.
    pub(super) fn passing_msgid(&self, key: Key) -> MsgId {
        // Numbers of passing events are unique in the network: the node's number is above its counter.
        let n = (u64::from(key.origin.0 & 0xff) << 40) | (key.n & ((1 << 40) - 1));
        MsgId::passing(&self.key, n)
    }

    fn passed_line(&self, key: Key, at_ms: Millis, passed: &Passed, target: Text) -> Line {
        let mut params: SmallVec<[Text; 4]> = smallvec![target];
        if passed.kind.is_some() {
            params.push(Text::from(&passed.text));
        }
        let line = Line {
            source: Source::User(Arc::clone(&passed.by)),
            command: Command::Verb(passed.kind.map_or("TAGMSG", SayKind::verb)),
            params,
            meta: Meta {
                at_ms: Some(at_ms),
                msgid: Some(self.passing_msgid(key)),
                client_tags: passed.client_tags.clone(),
                joins: passed.joins.clone(),
                ..Meta::default()
            },
            needs: Default::default(),
        };
        if passed.kind.is_none() { line.needing(Cap::MessageTags) } else { line }
    }
}

/// Tags without a text, to a room of this name.
pub(super) fn tagged_line(name: &Arc<str>, tagged: &Tagged) -> Line {
    let source = Source::User(Arc::clone(&tagged.by));
    let mut line = Line::new(source, "TAGMSG", [addressed(name, tagged.status)]);
    line.meta.client_tags = Some(Arc::clone(&tagged.client_tags));
    line.needing(Cap::MessageTags)
}

/// How a room is written as the target of a message.
fn addressed(name: &Arc<str>, status: Option<Status>) -> Text {
    match status {
        None | Some(Status::Held) => Text::from(name),
        Some(Status::To(role)) => format!("{}{name}", role.sign()).into(),
    }
}

/// Sends a message to a room, and to its author also when the author is not among those whom it is for.
fn tell_room(room: &Room, author: UserId, status: Option<Status>, line: Line, effects: &mut Effects) {
    let member = room.member(author);
    let hears = |roles: Roles| status.is_none_or(|status| roles.at_least(status.role()));
    if !member.is_some_and(|member| hears(member.roles)) {
        let line = line.clone();
        effects.push(Effect::Send { to: To::User(author), author: Some(author), except: None, line });
    }
    let to = status.map_or(To::Room(room.id), |status| To::RoomStatus(room.id, status.role()));
    effects.push(Effect::Send { to, author: Some(author), except: None, line });
}
