//! The last message of each room, as the writer knows it.

use std::collections::HashMap;

use chinwag_log::{Refusal, Slot};
use rusqlite::{Connection, Statement};

use crate::writer::{Failure, signed};

/// The number of the last message of each room: `place` runs behind, so it cannot be what keeps a number from
/// being given twice.
pub(crate) struct Heads<'c> {
    last: HashMap<u32, u64>,
    /// What a transaction that is not committed yet has changed, and what was there before.
    before: Vec<(u32, u64)>,
    find: Statement<'c>,
}

impl<'c> Heads<'c> {
    pub(crate) fn new(connection: &'c Connection) -> rusqlite::Result<Self> {
        // Used only for the first message of a room in this run: none of them is missing in `place` then.
        let find = connection.prepare("SELECT max(number) FROM place WHERE room = ?1")?;
        Ok(Heads { last: HashMap::new(), before: Vec::new(), find })
    }

    /// The number for a message's row; none for a message that is not numbered.
    pub(crate) fn advance(&mut self, slot: Slot) -> Result<Option<i64>, Failure> {
        let Slot { room, number } = slot;
        if number == 0 {
            return Ok(None);
        }
        let last = match self.last.get(&room) {
            Some(last) => *last,
            None => {
                let last: Option<i64> = self.find.query_row([room], |row| row.get(0))?;
                last.unwrap_or(0).cast_unsigned()
            }
        };
        if number <= last {
            let why = format!("message {number} of room {room} comes after message {last}");
            return Err(Failure::Refused(Refusal::Rejected(why)));
        }
        self.before.push((room, last));
        self.last.insert(room, number);
        Ok(Some(signed(number)))
    }

    pub(crate) fn keep(&mut self) {
        self.before.clear();
    }

    pub(crate) fn undo(&mut self) {
        for (room, last) in self.before.drain(..).rev() {
            self.last.insert(room, last);
        }
    }
}
