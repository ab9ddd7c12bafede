//! What each session is told in its own way, since its capabilities decide more than how a line is written.

use std::sync::Arc;

use chinwag_core::commands::markread;
use chinwag_core::commands::metadata;
use chinwag_core::commands::names::{self, Viewer};
use chinwag_core::commands::rename;
use chinwag_core::effect::{Effect, MetadataOf, To};
use chinwag_core::ids::{RoomId, UserId};
use chinwag_core::line::{Line, Source};
use chinwag_core::metadata::{Change, Form, TOLD};
use chinwag_core::session::Door;
use chinwag_wire::caps::Cap;

use crate::Node;
use crate::deliver::Asker;
use crate::proposals::NO_LABEL;

impl Node {
    /// Each session of a user gets a room's list of names.
    pub(crate) fn names(&mut self, asker: Option<Asker>, room: RoomId, user: UserId) {
        for index in self.sessions.of(user) {
            let to = asker.filter(|asker| asker.index == index).unwrap_or(Asker { index, label: NO_LABEL });
            self.names_for(to, room, user);
        }
    }

    /// One session of a user gets it, as its own capabilities have it.
    pub(crate) fn names_for(&mut self, to: Asker, room: RoomId, user: UserId) {
        let mut effects = Vec::new();
        let (Some(room), Some(entry)) = (self.chat.room(room), self.sessions.get(to.index)) else { return };
        let Some(found) = self.chat.user(user) else { return };
        let caps = entry.core.caps;
        // Ahead of the end of the names, whether or not they follow:
        // https://ircv3.net/specs/extensions/read-marker
        if caps.contains(Cap::ReadMarker) {
            markread::on_join(&self.chat, found, room, &mut effects);
        }
        if !caps.intersects(names::UNASKED) {
            let (nick, server) = (&found.who.nick, &self.settings.server);
            let viewer = Viewer { user: Some(user), nick, caps, server };
            names::reply(&self.chat, room, &viewer, &mut effects);
        }
        metadata::on_join(&self.chat, found, room, &entry.core, &mut effects);
        for effect in effects {
            self.carry_out(Some(to), effect);
        }
    }

    /// Tells those who subscribed to the keys that metadata has changed.
    pub(crate) fn tell_metadata(
        &mut self,
        asker: Option<Asker>,
        of: MetadataOf,
        name: &Arc<str>,
        by: &Source,
        changes: &[Change],
    ) {
        let (users, watched) = match of {
            MetadataOf::Room(room) => (self.audience_users(room), false),
            MetadataOf::Newcomer(user, room) => (self.who_see(user, &[room]), false),
            MetadataOf::User(user) => {
                let rooms: Vec<RoomId> = self.chat.rooms_of(user).to_vec();
                let mut users = self.who_see(user, &rooms);
                users.push(user);
                (users, true)
            }
        };
        let mut sessions: Vec<u32> = users.iter().flat_map(|user| self.sessions.of(*user)).collect();
        if watched && let Some(watchers) = self.watchers.get(&self.chat.mapping().fold(name)) {
            sessions.extend(watchers);
        }
        sessions.sort_unstable();
        sessions.dedup();
        for index in sessions.into_iter().filter(|index| asker.is_none_or(|asker| asker.index != *index)) {
            let Some(entry) = self.sessions.get(index) else { continue };
            let core = &entry.core;
            if core.subscribed.is_empty() || !core.caps.intersects(TOLD) {
                continue;
            }
            let form = Form::of(core.caps);
            let wanted = changes.iter().filter(|(key, _)| core.subscribed.contains(key));
            let lines: Vec<Line> =
                wanted.map(|(key, value)| form.told(by, name, key, value.as_ref())).collect();
            for line in lines {
                self.send_one(index, &line, None);
            }
        }
    }

    /// The users of this node who are in one of these rooms with a user and may know it, but for that user.
    fn who_see(&self, user: UserId, rooms: &[RoomId]) -> Vec<UserId> {
        let mut users = Vec::new();
        for room in rooms.iter().filter_map(|room| self.chat.room(*room)) {
            let seen = |viewer: &UserId| *viewer != user && room.shows_to(*viewer, user);
            users.extend(self.audience_users(room.id).into_iter().filter(seen));
        }
        users.sort_unstable();
        users.dedup();
        users
    }

    /// Tells the members of a room that it has another name, each in the way that they understand.
    pub(crate) fn room_renamed(
        &mut self,
        asker: Option<Asker>,
        room: RoomId,
        old: &Arc<str>,
        reason: &Arc<str>,
        line: &Line,
    ) {
        let users = self.audience_users(room);
        let mut effects = Vec::new();
        for user in users {
            for index in self.sessions.of(user) {
                let (Some(room), Some(entry)) = (self.chat.room(room), self.sessions.get(index)) else {
                    continue;
                };
                let Some(found) = self.chat.user(user) else { continue };
                let caps = entry.core.caps;
                if caps.contains(Cap::ChannelRename) || entry.core.door == Door::Plain {
                    let (to, author, except) = (To::Asker, None, None);
                    effects.push(Effect::Send { to, author, except, line: line.clone() });
                } else if !self.chat.mapping().same(old, &room.name) {
                    let (nick, server) = (&found.who.nick, &self.settings.server);
                    let viewer = Viewer { user: Some(user), nick, caps, server };
                    let at_ms = line.meta.at_ms.unwrap_or(self.now_ms);
                    rename::fallback(&self.chat, (room, found), old, reason, at_ms, &viewer, &mut effects);
                }
                let name = room.name.clone();
                let to = asker.filter(|asker| asker.index == index);
                let to = to.unwrap_or(Asker { index, label: NO_LABEL });
                for effect in effects.drain(..) {
                    self.carry_out(Some(to), effect);
                }
                self.tell_plain(index, |door| door.room_renamed(old, &name));
            }
        }
    }
}
