//! What a `PING` waits for. A `PONG` leaves after the effects of all that its session asked; here it also leaves after what
//! other sessions of the same user had under way when the `PING` was looked at, and after what anybody had under way for
//! that user: what is said in their rooms and to them alone. So a line that reached us before a `PING` is ahead of the
//! `PONG`, also where the two came by different connections. It waits for no more than that, and nobody waits with it; a
//! bystander, for whom nothing is under way, is answered at once.

use std::collections::BTreeMap;

use chinwag_core::event::{Event, PassedTo};
use chinwag_core::ids::{Millis, RoomId, SessionId, UserId};
use chinwag_core::session::Door;

use crate::Node;
use crate::limits::PONG_WAIT_MS;
use crate::sessions::Waits;

/// A session whose `PING` waits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Behind {
    session: SessionId,
    /// How many proposals have to be back.
    until: u64,
    since_ms: Millis,
}

/// For whom something is under way, beside what is stored in rooms: that is counted for deciding anyway.
#[derive(Debug, Default)]
pub(crate) struct Towards {
    rooms: BTreeMap<RoomId, u32>,
    users: BTreeMap<UserId, u32>,
}

impl Towards {
    /// Counts a proposal in.
    pub(crate) fn enter(&mut self, event: &Event) {
        let (room, user) = concerned(event);
        if let Some(room) = room {
            *self.rooms.entry(room).or_default() += 1;
        }
        if let Some(user) = user {
            *self.users.entry(user).or_default() += 1;
        }
    }

    /// Counts it out, once it was applied or refused.
    pub(crate) fn leave(&mut self, event: &Event) {
        let (room, user) = concerned(event);
        if let Some(room) = room {
            count_out(&mut self.rooms, room);
        }
        if let Some(user) = user {
            count_out(&mut self.users, user);
        }
    }
}

fn count_out<K: Ord>(counts: &mut BTreeMap<K, u32>, key: K) {
    if let Some(count) = counts.get_mut(&key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(&key);
        }
    }
}

/// The room whose members hear of an event that is not stored as the room's own, and the user who alone hears of it.
fn concerned(event: &Event) -> (Option<RoomId>, Option<UserId>) {
    match event {
        Event::Said(said) => (None, said.direct.as_ref().and_then(|direct| direct.user)),
        Event::Tagged(tagged) => (Some(tagged.room), tagged.direct.as_ref().and_then(|direct| direct.user)),
        Event::Amended(amended) => (Some(amended.room), None),
        Event::Parted { room, .. } => (Some(*room), None),
        Event::Invited { target, .. } => (None, Some(*target)),
        Event::Passed(passed) => match passed.to {
            PassedTo::User { user, .. } => (None, Some(user)),
            PassedTo::Room { room, .. } => (Some(room), None),
        },
        _ => (None, None),
    }
}

impl Node {
    /// Whether something is under way ahead of which a session's `PONG` must not leave.
    pub(crate) fn has_to_stay_behind(&self, index: u32) -> bool {
        if self.proposals.len() == 0 {
            return false;
        }
        let Some(entry) = self.sessions.get(index) else { return false };
        // The plain door asks only to know that what it asked itself is done.
        let Some(user) = entry.user.filter(|_| entry.core.door == Door::Irc) else { return false };
        let Some(found) = self.chat.user(user) else { return false };
        let beside = self.sessions.of(user).into_iter().filter(|other| *other != index);
        if beside.filter_map(|other| self.sessions.get(other)).any(|other| other.busy()) {
            return true;
        }
        let (pending, towards) = (&self.proposals.pending, &self.proposals.towards);
        towards.users.contains_key(&user)
            || found.rooms.iter().any(|room| pending.busy(*room) || towards.rooms.contains_key(room))
    }

    /// A session's `PING` waits until all is back that is under way now.
    pub(crate) fn stay_behind(&mut self, index: u32) {
        let session = self.sessions.id(index);
        self.behind.push_back(Behind { session, until: self.proposals.pushed(), since_ms: self.now_ms });
    }

    /// Whoever waited for what has come back, or for long enough, is answered.
    pub(crate) fn wake_behind(&mut self) {
        let (settled, now_ms) = (self.proposals.settled(), self.now_ms);
        let over = |first: &mut Behind| {
            first.until <= settled || now_ms.saturating_sub(first.since_ms) >= PONG_WAIT_MS
        };
        while let Some(Behind { session, .. }) = self.behind.pop_front_if(over) {
            if let Some(index) = self.sessions.find(session)
                && let Some(entry) = self.sessions.get_mut(index).filter(|entry| entry.waits == Waits::Behind)
            {
                entry.was_behind = true;
                self.make_ready(index);
            }
        }
    }
}
