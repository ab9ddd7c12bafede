//! Applying: users enter and leave rooms, and are invited.

use std::sync::Arc;

use chinwag_log::Key;
use chinwag_wire::caps::Cap;
use chinwag_wire::numeric::Numeric;
use smallvec::smallvec;

use super::apply::send;
use super::apply_users::{away_line, refuse};
use super::{Chat, Member, Room, User};
use crate::effect::{Effect, Effects, To};
use crate::ids::{Millis, RoomId, UserId};
use crate::line::{Line, Source, Text};
use crate::permissions::{Action, may};
use crate::roles::Role;

impl Chat {
    pub(super) fn joined(
        &mut self,
        key: Key,
        at_ms: Millis,
        user: UserId,
        name: &Arc<str>,
        word: Option<&str>,
        effects: &mut Effects,
    ) {
        let Some(found) = self.users.get(user) else { return };
        let Some(room) = self.rooms.by_name(name) else {
            return refuse(effects, Numeric::ERR_NOSUCHCHANNEL, [name.into()]);
        };
        if room.member(user).is_some() {
            return;
        }
        let Some(numeric) = room.refuses(found, word) else {
            return self.enter(key, at_ms, user, room.id, effects);
        };
        let other = room.forwards(numeric).and_then(|name| self.rooms.by_name(name));
        let Some(other) = other else { return refuse(effects, numeric, [Text::from(&room.name)]) };
        refuse(effects, Numeric::ERR_LINKCHANNEL, [Text::from(&room.name), Text::from(&other.name)]);
        if other.member(user).is_some() {
            return;
        }
        // One room further and no more: rooms may lead to each other.
        match other.refuses(found, None) {
            None => self.enter(key, at_ms, user, other.id, effects),
            Some(numeric) => refuse(effects, numeric, [Text::from(&other.name)]),
        }
    }

    /// Lets a user into a room.
    pub(super) fn enter(
        &mut self,
        key: Key,
        at_ms: Millis,
        user: UserId,
        room: RoomId,
        effects: &mut Effects,
    ) {
        let msgid = self.passing_msgid(key);
        let (Some(found), Some(room)) = (self.users.get_mut(user), self.rooms.get_mut(room)) else { return };
        let member = Member { user, roles: Chat::roles_on_entry(room, &found.who) };
        room.enter(member);
        found.rooms.push(room.id);
        found.invited.retain(|invited| *invited != room.id);
        effects.push(Effect::Entered(room.id, user));
        let mut line = join_line(found, room).at(room.shown_at(at_ms));
        line.meta.msgid = Some(msgid);
        tell_witnesses(room, &member, line, effects);
        if found.away.is_some() {
            let line = away_line(found).at(room.shown_at(at_ms));
            effects.push(Effect::Send {
                to: room.witnesses(&member),
                author: None,
                except: Some(user),
                line,
            });
        }
        for line in topic_lines(room).chain(room.keep_line()) {
            send(effects, To::User(user), line);
        }
        let room = room.id;
        effects.push(Effect::Names(room, user));
        self.rooms.note(room);
        self.show_metadata(user, room, effects);
        self.tell_role(at_ms, room, user, effects);
    }

    /// What another session of a user is told of a room that the user is in, for the asker: the same that entering
    /// it tells, but for the names.
    pub fn entered_before(&self, room: RoomId, user: UserId, effects: &mut Effects) {
        let (Some(room), Some(found)) = (self.rooms.get(room), self.users.get(user)) else { return };
        send(effects, To::Asker, join_line(found, room));
        for line in topic_lines(room).chain(room.keep_line()) {
            send(effects, To::Asker, line);
        }
    }

    pub(super) fn parted(
        &mut self,
        at_ms: Millis,
        user: UserId,
        room: RoomId,
        reason: Option<&Arc<str>>,
        effects: &mut Effects,
    ) {
        let (Some(found), Some(room)) = (self.users.get_mut(user), self.rooms.get_mut(room)) else { return };
        let Some(member) = room.member(user).copied() else {
            return refuse(effects, Numeric::ERR_NOTONCHANNEL, [Text::from(&room.name)]);
        };
        let mut line = Line::new(Source::User(Arc::clone(&found.who)), "PART", [Text::from(&room.name)]);
        line.params.extend(reason.map(Text::from));
        tell_witnesses(room, &member, line.at(room.shown_at(at_ms)), effects);
        leave(found, room, effects);
        let room = room.id;
        self.rooms.note(room);
    }

    pub(super) fn invited(
        &mut self,
        at_ms: Millis,
        user: UserId,
        target: UserId,
        room: RoomId,
        effects: &mut Effects,
    ) {
        let Some(by) = self.users.get(user).map(|user| Arc::clone(&user.who)) else { return };
        let Some(room) = self.rooms.get(room) else { return };
        let Some(guest) = self.users.get(target) else {
            return refuse(effects, Numeric::ERR_NOSUCHNICK, ["*".into()]);
        };
        let names = [Text::from(&guest.who.nick), Text::from(&room.name)];
        let refused = match room.member(user) {
            None => Some(Numeric::ERR_NOTONCHANNEL),
            Some(member) if room.modes.invite_only && !may(member.roles, Action::Invite) => {
                Some(Numeric::ERR_CHANOPRIVSNEEDED)
            }
            Some(_) => None,
        };
        if let Some(numeric) = refused {
            return refuse(effects, numeric, [Text::from(&room.name)]);
        }
        if room.member(target).is_some() {
            return refuse(effects, Numeric::ERR_USERONCHANNEL, names);
        }
        let room_id = room.id;
        // Only who keeps the locks opens them; from others it is a message and no more.
        if room.may(user, Action::Invite) {
            self.opens_to(room_id, target);
        }
        let (Some(room), Some(guest)) = (self.rooms.get(room_id), self.users.get(target)) else { return };
        send(effects, To::Asker, Line::numeric(Numeric::RPL_INVITING, names.clone()));
        if let Some(away) = &guest.away {
            let params = [Text::from(&guest.who.nick), away.into()];
            send(effects, To::Asker, Line::numeric(Numeric::RPL_AWAY, params));
        }
        let line = Line::new(Source::User(by), "INVITE", names).at(room.shown_at(at_ms));
        send(effects, To::User(target), line.clone());
        effects.push(Effect::Send {
            to: To::RoomStatus(room.id, Role::Operator),
            author: None,
            except: Some(user),
            line: line.needing(Cap::InviteNotify),
        });
    }
}

/// A line about a member who comes or goes, for the member and all who may know.
pub(super) fn tell_witnesses(room: &Room, member: &Member, line: Line, effects: &mut Effects) {
    let to = room.witnesses(member);
    if !matches!(to, To::Room(_)) {
        send(effects, To::User(member.user), line.clone());
    }
    effects.push(Effect::Send { to, author: None, except: None, line });
}

/// Takes a user out of a room, after everybody was told.
pub(super) fn leave(user: &mut User, room: &mut Room, effects: &mut Effects) {
    room.leave(user.id);
    user.rooms.retain(|left| *left != room.id);
    effects.push(Effect::LeftRoom(room.id, user.id));
}

/// `JOIN`, as those in the room see it.
pub(crate) fn join_line(user: &User, room: &Room) -> Line {
    let mut line = Line::new(Source::User(Arc::clone(&user.who)), "JOIN", [Text::from(&room.name)]);
    let account = user.who.account.as_ref().map_or("*".into(), Text::from);
    line.meta.more = Some((Cap::ExtendedJoin, smallvec![account, Text::from(&user.realname)]));
    line
}

/// RPL_TOPIC and RPL_TOPICWHOTIME, when there is a topic.
pub(crate) fn topic_lines(room: &Room) -> impl Iterator<Item = Line> {
    let lines = room.topic.as_ref().map(|topic| {
        let name = Text::from(&room.name);
        let seconds = (topic.at_ms / 1000).to_string();
        [
            Line::numeric(Numeric::RPL_TOPIC, [name.clone(), (&topic.text).into()]),
            Line::numeric(Numeric::RPL_TOPICWHOTIME, [name, (&topic.by).into(), seconds.into()]),
        ]
    });
    lines.into_iter().flatten()
}
