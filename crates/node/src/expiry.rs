//! Messages whose time is over. The chat has no clock and no messages, the archive no rules: the node asks the archive
//! up to which message of a room the time is over, and proposes the event that says so. Two nodes that do so at the same
//! time say the same twice, and the second changes nothing.

use std::collections::BTreeMap;

use chinwag_core::aging::{AgeQuery, Aged};
use chinwag_core::event::{Event, Expired};
use chinwag_core::ids::{Millis, RoomId};
use chinwag_core::pointed::{Answer, Question};

use crate::Node;
use crate::proposals::Behalf;

/// How often it is looked whether anything is over.
const LOOK_MS: Millis = 5_000;

/// A room is asked about so often at most: what is over by a little is told with the next.
const EACH_MS: Millis = 20_000;

/// When an answer has not come by then, it is asked again.
const AGAIN_MS: Millis = 60_000;

/// Rooms that are asked about at once; the others come with the next look.
const ASKED_MAX: usize = 64;

/// What is known of when the next message of a room is over.
struct Due {
    at_ms: Millis,
    /// For the time that messages were kept then.
    keep_ms: Millis,
}

/// The rooms in which something may be over.
#[derive(Default)]
pub(crate) struct Expiry {
    next_ms: Millis,
    due: BTreeMap<RoomId, Due>,
}

impl Node {
    /// Whether messages go when their time is over, in any room: then time has to pass here also while nobody is
    /// connected.
    pub fn keeps_time(&self) -> bool {
        self.settings.history_keep_ms.is_some() || self.chat.any_keeps()
    }

    /// Asks about the rooms in which something may be over.
    pub(crate) fn look_for_expired(&mut self) {
        let now_ms = self.now_ms;
        if now_ms < self.expiry.next_ms {
            return;
        }
        self.expiry.next_ms = now_ms + LOOK_MS;
        let mut asked = 0;
        for room in self.chat.rooms() {
            let keep_ms = room.keeps_ms(&self.settings).filter(|_| room.head > room.expired);
            let Some(keep_ms) = keep_ms else {
                self.expiry.due.remove(&room.id);
                continue;
            };
            let known = self.expiry.due.get(&room.id).filter(|due| due.keep_ms == keep_ms);
            if known.is_some_and(|due| due.at_ms > now_ms) || asked == ASKED_MAX {
                continue;
            }
            asked += 1;
            self.expiry.due.insert(room.id, Due { at_ms: now_ms + AGAIN_MS, keep_ms });
            let before_ms = now_ms.saturating_sub(keep_ms);
            let query = AgeQuery { room: room.id, after: room.expired, last: room.head, before_ms };
            self.reads.ask_for_node(Question::Age(query));
        }
    }

    /// The archive has answered.
    pub(crate) fn aged(&mut self, query: &AgeQuery, answer: Result<Answer, String>) {
        // One that failed is asked again.
        let Ok(Answer::Aged(Aged { upto, next_ms })) = answer else { return };
        let Some(due) = self.expiry.due.get_mut(&query.room) else { return };
        let next_ms = next_ms.unwrap_or(self.now_ms) + due.keep_ms;
        due.at_ms = next_ms.max(self.now_ms + EACH_MS);
        if let Some((upto, seq)) = upto {
            let expired = Expired { room: query.room, upto, position: seq.0 };
            self.propose(Event::Expired(expired), Behalf::NODE);
        }
    }
}
