//! What each session is told in its own way, since its capabilities decide more than how a line is written.

use std::sync::Arc;

use chinwag_core::commands::names::{self, Viewer};
use chinwag_core::commands::rename;
use chinwag_core::effect::{Effect, To};
use chinwag_core::ids::{RoomId, UserId};
use chinwag_core::line::Line;
use chinwag_core::session::Door;
use chinwag_wire::caps::Cap;
use chinwag_wire::names::fold;

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
        if entry.core.caps.intersects(names::UNASKED) {
            return;
        }
        let Some(found) = self.chat.user(user) else { return };
        let viewer = Viewer {
            user: Some(user),
            nick: &found.who.nick,
            caps: entry.core.caps,
            server: &self.settings.server,
        };
        names::reply(&self.chat, room, &viewer, &mut effects);
        for effect in effects {
            self.carry_out(Some(to), effect);
        }
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
                } else if fold(old) != fold(&room.name) {
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
