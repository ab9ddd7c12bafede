//! How a session ends: by its own wish, by the node's, or because its socket is gone.

use std::sync::Arc;

use chinwag_core::event::Event;
use chinwag_core::ids::{Millis, SessionId, UserId};
use chinwag_core::line::{Line, Source, Text};
use chinwag_core::session::Phase;

use crate::Node;
use crate::proposals::Behalf;

impl Node {
    /// The socket of a session is gone, or the driver gave it up (its backlog was too long): what `reason` says
    /// is what others are shown. Nothing more is handed to it.
    pub fn closed(&mut self, session: SessionId, reason: &str, now_ms: Millis) {
        self.now_ms = now_ms;
        let Some(index) = self.sessions.find(session) else { return };
        if let Some(entry) = self.sessions.get_mut(index) {
            entry.mute = true;
        }
        self.end(index, reason);
    }

    /// Nothing more will come from a session, whose other direction may still be open: what came is done with
    /// first, then it is closed.
    pub fn ended(&mut self, session: SessionId, now_ms: Millis) {
        self.now_ms = now_ms;
        let Some(index) = self.sessions.find(session) else { return };
        let Some(entry) = self.sessions.get_mut(index) else { return };
        entry.ended = true;
        self.go_on(index);
    }

    /// Closes a session with a last line that says why.
    pub(crate) fn close(&mut self, index: u32, reason: &str) {
        if self.sessions.get(index).is_none_or(|entry| entry.closing) {
            return;
        }
        let line = Line::new(Source::Nobody, "ERROR", [Text::from(reason.to_owned())]);
        self.send_one(index, &line, None);
        self.end(index, reason);
    }

    /// Ends a session: it hears nothing more, its user is told, its place is free after the flush.
    fn end(&mut self, index: u32, reason: &str) {
        let Some(entry) = self.sessions.get_mut(index) else { return };
        if std::mem::replace(&mut entry.closing, true) {
            return;
        }
        let attached = std::mem::take(&mut entry.attached);
        self.figures.unregistered -= usize::from(!attached);
        let here = attached || matches!(entry.core.phase, Phase::Entering(_));
        let leaves = entry.user.filter(|_| here && !std::mem::replace(&mut entry.detached, true));
        let user = entry.user.filter(|_| attached);
        let session = entry.core.key;
        entry.core.phase = Phase::Closing;
        entry.rest = Default::default();
        let monitored = std::mem::take(&mut entry.core.monitored);
        let rooms: Vec<_> = entry.rooms.iter().map(|hearing| hearing.room).collect();
        for room in rooms {
            self.unhear(index, room);
        }
        for nick in monitored.keys() {
            self.unwatch(index, nick);
        }
        if let Some(user) = user {
            self.sessions.detach(user, index);
        }
        self.closing.push(index);
        if let Some(user) = leaves {
            // Who stays is kept with what was done last, before a stop.
            let stays = self.chat.stays(&self.settings, user);
            let reason = reason.into();
            self.propose(Event::Detached { user, session, reason, stays }, Behalf::NODE);
            if stays {
                self.keep_presences();
            }
        }
    }

    /// A user is gone; whoever was still here as that user has to go too.
    pub(crate) fn gone(&mut self, user: UserId, reason: &Arc<str>) {
        for index in self.sessions.of(user) {
            if let Some(entry) = self.sessions.get_mut(index) {
                entry.detached = true;
            }
            self.close(index, reason);
        }
    }
}
