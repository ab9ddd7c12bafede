//! What sessions missed: asked for on their behalf when they enter a room or come back, and when an account's owner
//! was last here.

use std::sync::Arc;

use chinwag_core::commands::replay::Viewer;
use chinwag_core::event::{AccountChange, Event};
use chinwag_core::history::Query;
use chinwag_core::ids::{Millis, RoomId, UserId};

use crate::Node;
use crate::deliver::Asker;
use crate::limits::LEFT_MAX;
use crate::proposals::{Behalf, NO_LABEL};

impl Node {
    /// A user has entered a room: each session that does not ask for itself is shown what it missed.
    pub(crate) fn replay(&mut self, room: RoomId, user: UserId) {
        for index in self.sessions.of(user) {
            self.replay_to(index, room, user);
        }
    }

    /// One session of a user is in a room from now on.
    pub(crate) fn replay_to(&mut self, index: u32, room: RoomId, user: UserId) {
        let Some((entry, user)) = self.sessions.get(index).zip(self.chat.user(user)) else { return };
        let mut left = self.sessions.left.get(&index).into_iter().flatten();
        let left = left.find(|(left, _)| *left == room).map(|(_, head)| *head);
        let (now_ms, settings, session) = (self.now_ms, &*self.settings, &entry.core);
        let missed = self.chat.missed_in(&Viewer { now_ms, settings, session, user }, room, left);
        self.read_missed(index, missed);
    }

    /// A user has come in or logged in: each session is shown what was said to its owner alone.
    pub(crate) fn welcome_back(&mut self, user: UserId) {
        for index in self.sessions.of(user) {
            let Some((entry, user)) = self.sessions.get(index).zip(self.chat.user(user)) else { continue };
            if user.who.account.is_none() {
                return;
            }
            let (now_ms, settings, session) = (self.now_ms, &*self.settings, &entry.core);
            let missed = self.chat.missed_alone(&Viewer { now_ms, settings, session, user });
            self.read_missed(index, missed);
        }
    }

    fn read_missed(&mut self, index: u32, queries: impl IntoIterator<Item = Query>) {
        for query in queries {
            self.read(Some(Asker { index, label: NO_LABEL }), query);
        }
    }

    /// A session is in a room no more.
    pub(crate) fn note_left(&mut self, index: u32, room: RoomId) {
        let head = self.chat.head(room);
        if self.sessions.get(index).is_none_or(|entry| entry.closing) {
            return;
        }
        let rooms = self.sessions.left.entry(index).or_default();
        rooms.retain(|(left, _)| *left != room);
        rooms.push((room, head));
        if rooms.len() > LEFT_MAX {
            rooms.remove(0);
        }
    }

    /// The account of a user whose session ends with this event.
    pub(crate) fn account_leaving(&self, event: &Event) -> Option<Arc<str>> {
        let Event::Detached { user, .. } = event else { return None };
        self.chat.user(*user)?.who.account.clone()
    }

    /// A session of an account's owner has ended; with the last one it is kept when that was.
    pub(crate) fn note_leaving(&mut self, account: Option<Arc<str>>, at_ms: Millis) {
        let Some(account) = account.filter(|account| !self.chat.is_here(account)) else { return };
        if self.chat.account(&account).is_some() {
            let change = AccountChange::Seen { at_ms };
            self.propose(Event::AccountChanged { account, change }, Behalf::NODE);
        }
    }
}
