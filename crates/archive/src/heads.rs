//! The number of the last message of each room, as the writer goes on from it.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use chinwag_log::{Refusal, Slot};
use rusqlite::{Connection, OptionalExtension, Statement};

use crate::failure::Failure;
use crate::writer::signed;

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
        let find = connection
            .prepare("SELECT number + count - 1 FROM place WHERE room = ?1 ORDER BY number DESC LIMIT 1")?;
        Ok(Heads { last: HashMap::new(), before: Vec::new(), find })
    }

    /// The number for a message's row; none for a message that is not numbered.
    pub(crate) fn advance(&mut self, slot: Slot) -> Result<Option<i64>, Failure> {
        let Slot { room, number } = slot;
        if number == 0 {
            return Ok(None);
        }
        let last = match self.last.entry(room) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => {
                let last: Option<i64> = self.find.query_row([room], |row| row.get(0)).optional()?;
                unknown.insert(last.unwrap_or(0).cast_unsigned())
            }
        };
        if number <= *last {
            let why = format!("message {number} of room {room} comes after message {last}");
            return Err(Failure::Refused(Refusal::Rejected(why)));
        }
        self.before.push((room, *last));
        *last = number;
        Ok(Some(signed(number)))
    }

    /// The transaction was committed.
    pub(crate) fn keep(&mut self) {
        self.before.clear();
    }

    /// The transaction was rolled back.
    pub(crate) fn undo(&mut self) {
        for (room, last) in self.before.drain(..).rev() {
            self.last.insert(room, last);
        }
    }
}
