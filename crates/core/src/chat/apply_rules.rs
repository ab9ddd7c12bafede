//! Applying: topics, modes, and who is put out. Stored, so each is refused when the rules changed meanwhile.

use std::sync::Arc;

use chinwag_wire::casemap::CaseMapping;
use chinwag_wire::msgid::MsgId;
use chinwag_wire::numeric::Numeric;

use super::apply::send;
use super::apply_messages::tagged_line;
use super::apply_rooms::{leave, tell_witnesses};
use super::apply_users::refuse;
use super::rooms::{Rooms, show_changes};
use super::{Chat, Guards, Lists, Purges, Room, RoomModes, Topic};
use crate::commands::rename;
use crate::effect::{Effect, Effects, To};
use crate::event::{Event, ModeChange, Who};
use crate::ids::{Millis, Number, RoomId};
use crate::line::{Line, Source, Text};
use crate::roles::Role;
use chinwag_wire::caps::Cap;

/// The room, if its rules are still those under which an event was decided.
pub(super) fn unchanged<'r>(
    rooms: &'r mut Rooms,
    room: RoomId,
    basis: u32,
    effects: &mut Effects,
) -> Option<&'r mut Room> {
    let found = rooms.get_mut(room).filter(|room| room.rules == basis);
    if found.is_none() {
        effects.push(Effect::Stale);
    }
    found
}

impl Chat {
    /// An empty room starts over. Says whether it did: not when its rules have changed meanwhile.
    pub(super) fn renewed(
        &mut self,
        at_ms: Millis,
        room: RoomId,
        basis: u32,
        head: Number,
        by: &Arc<Who>,
        effects: &mut Effects,
    ) -> bool {
        let Some(room) = unchanged(&mut self.rooms, room, basis, effects) else { return false };
        room.rules += 1;
        let at_ms = room.stamp(at_ms);
        // The event names the last hidden message, and not the head as it is here: replay leaves messages out.
        room.history_from = Number(head.0 + 1);
        let undone: Vec<ModeChange> = room.modes.undone().chain(room.lists.undone()).collect();
        room.modes = RoomModes::default();
        room.lists = Lists::default();
        room.guards = Guards::default();
        room.pins.clear();
        // Whoever keeps the room now makes others.
        self.hooks.retain(|_, of| *of != room.id);
        room.hooks.clear();
        room.redacted.retain(|number| *number > head);
        // The numbers of purges go on, so that no two are mixed up where they are kept.
        room.purges = Purges { made: room.purges.made, ..Purges::default() };
        room.topic = None;
        room.metadata.clear();
        for guest in std::mem::take(&mut room.invites) {
            if let Some(guest) = self.users.get_mut(guest) {
                guest.invited.retain(|invited| *invited != room.id);
            }
        }
        // Somebody came in meanwhile by another node, and is to know what changed.
        if !room.members.is_empty() && !undone.is_empty() {
            send(effects, To::Room(room.id), modes_line(&room.name, by, &undone).at(at_ms));
        }
        true
    }

    pub(super) fn topic_set(
        &mut self,
        at_ms: Millis,
        room: RoomId,
        basis: u32,
        by: &Arc<Who>,
        topic: &Arc<str>,
        effects: &mut Effects,
    ) {
        let Some(room) = unchanged(&mut self.rooms, room, basis, effects) else { return };
        let msgid = MsgId::stored(&self.key, self.seq.0);
        let set = Topic { text: Arc::clone(topic), by: Arc::clone(&by.nick), at_ms };
        room.topic = (!topic.is_empty()).then_some(set);
        let line = topic_line(&room.name, by, topic).at(room.stamp(at_ms)).with_id(msgid);
        send(effects, To::Room(room.id), line);
    }

    pub(super) fn modes_changed(
        &mut self,
        at_ms: Millis,
        room: RoomId,
        basis: u32,
        by: &Arc<Who>,
        changes: &[ModeChange],
        effects: &mut Effects,
    ) {
        let Some(room) = unchanged(&mut self.rooms, room, basis, effects) else { return };
        room.rules += 1;
        let mut done = Vec::with_capacity(changes.len());
        for change in changes {
            if change_mode(room, change, by, at_ms, self.mapping) {
                let mut change = change.clone();
                if let Some(member) = change.member.and_then(|member| self.users.get(member)) {
                    change.arg = Some(Arc::clone(&member.who.nick));
                }
                done.push(change);
            }
        }
        let at_ms = room.stamp(at_ms);
        if !done.is_empty() {
            let msgid = MsgId::stored(&self.key, self.seq.0);
            let line = modes_line(&room.name, by, &done).at(at_ms).with_id(msgid);
            send(effects, To::Room(room.id), line);
        }
        let room = room.id;
        self.note_ends(room);
    }

    pub(super) fn kicked(&mut self, at_ms: Millis, event: &Event, effects: &mut Effects) {
        let Event::Kicked { room, basis, by, member, nick, reason } = event else { return };
        let Some(room) = unchanged(&mut self.rooms, *room, *basis, effects) else { return };
        room.rules += 1;
        let at_ms = room.stamp(at_ms);
        let (Some(user), Some(member)) = (self.users.get_mut(*member), room.member(*member).copied()) else {
            return refuse(effects, Numeric::ERR_USERNOTINCHANNEL, [nick.into(), Text::from(&room.name)]);
        };
        let msgid = MsgId::stored(&self.key, self.seq.0);
        let line = kick_line(&room.name, by, &user.who.nick, reason).at(at_ms).with_id(msgid);
        tell_witnesses(room, &member, line, effects);
        leave(user, room, effects);
        let room = room.id;
        self.rooms.note(room);
    }
}

impl Chat {
    pub(super) fn room_renamed(&mut self, at_ms: Millis, event: &Event, effects: &mut Effects) {
        let Event::RoomRenamed { room, basis, by, name, reason, .. } = event else { return };
        let Some(found) = unchanged(&mut self.rooms, *room, *basis, effects) else { return };
        let at_ms = found.stamp(at_ms);
        let Some(found) = self.rooms.get(*room) else { return };
        if let Some((code, text)) = self.keeps_its_name(found, name) {
            return rename::refuse(effects, found, name, code, text);
        }
        let old = Arc::clone(&found.name);
        self.rooms.rename(*room, name);
        let line = rename_line(&old, by, name, reason).at(at_ms);
        let (room, reason) = (*room, Arc::clone(reason));
        effects.push(Effect::RoomRenamed { room, old, reason, line: Box::new(line) });
    }
}

/// What everybody in a room of this name sees of an event that is not a message, when it happens and when it is
/// read again; none for events that nobody sees.
pub(crate) fn happened_line(name: &Arc<str>, event: &Event) -> Option<Line> {
    Some(match event {
        Event::TopicSet { by, topic, .. } => topic_line(name, by, topic),
        Event::ModesChanged { by, changes, .. } => modes_line(name, by, changes),
        Event::Kicked { by, nick, reason, .. } => kick_line(name, by, nick, reason),
        Event::Tagged(tagged) => tagged_line(name, tagged),
        Event::RoomRenamed { by, old: Some(old), name, reason, .. } => {
            rename_line(old, by, name, reason).needing(Cap::ChannelRename)
        }
        _ => return None,
    })
}

fn rename_line(old: &Arc<str>, by: &Arc<Who>, name: &Arc<str>, reason: &Arc<str>) -> Line {
    let params = [Text::from(old), name.into(), reason.into()];
    Line::new(Source::User(Arc::clone(by)), "RENAME", params)
}

fn topic_line(name: &Arc<str>, by: &Arc<Who>, topic: &Arc<str>) -> Line {
    Line::new(Source::User(Arc::clone(by)), "TOPIC", [Text::from(name), topic.into()])
}

fn modes_line(name: &Arc<str>, by: &Arc<Who>, changes: &[ModeChange]) -> Line {
    let shown = changes.iter().map(|change| (change.set, change.mode, change.arg.as_ref()));
    let (letters, arguments) = show_changes(shown);
    let mut line = Line::new(Source::User(Arc::clone(by)), "MODE", [Text::from(name), letters.into()]);
    line.params.extend(arguments.into_iter().map(Text::from));
    line
}

fn kick_line(name: &Arc<str>, by: &Arc<Who>, nick: &Arc<str>, reason: &Arc<str>) -> Line {
    let params = [Text::from(name), Text::from(nick), reason.into()];
    Line::new(Source::User(Arc::clone(by)), "KICK", params)
}

/// Makes one change; false when it is about somebody who is not in the room, or about nothing there is.
fn change_mode(room: &mut Room, change: &ModeChange, by: &Who, at_ms: Millis, mapping: CaseMapping) -> bool {
    let ModeChange { set, mode, arg, member, .. } = change;
    if let Some(role) = Role::of_mode(*mode) {
        let Some(member) = member.and_then(|member| room.member_mut(member)) else { return false };
        member.roles.set(role, *set);
        return true;
    }
    match mode {
        list if Lists::MODES.contains(list) => return room.lists.change(change, by, at_ms, mapping),
        'k' => room.modes.key = arg.clone().filter(|_| *set),
        'f' => room.modes.forward = arg.clone().filter(|_| *set),
        'l' => room.modes.limit = arg.as_ref().filter(|_| *set).and_then(|limit| limit.parse().ok()),
        flag => room.modes.set_flag(*flag, *set),
    }
    true
}
