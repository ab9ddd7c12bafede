//! What was said since the index was filled: a small index in memory, of the same form, that a reader fills itself before
//! it looks. With it a search misses nothing, also a moment after it was said.

use rusqlite::Connection;

use super::{ids, indexer, parts};

/// Entries of the log that it takes in. What lies between them and the index is not found; how many those are is said.
const TAKEN_MAX: i64 = 2_500;

/// Entries that it holds, counting those that the index has by now, before it begins anew.
const HELD_MAX: i64 = 5_000;

/// The part of the log from a position on, as an index.
#[derive(Debug)]
pub(super) struct Fresh {
    index: Connection,
    /// It has the entries after the first, up to the second.
    from: i64,
    to: i64,
}

impl Fresh {
    pub(super) fn new() -> rusqlite::Result<Fresh> {
        let index = Connection::open_in_memory()?;
        index.execute_batch(parts::TABLES)?;
        Ok(Fresh { index, from: 0, to: 0 })
    }

    /// Takes in what is in the log after the position that the index has. `log` is in a transaction. Gives the
    /// number of entries that are in neither.
    pub(super) fn follow(&mut self, log: &Connection, position: i64) -> rusqlite::Result<u64> {
        let head: Option<i64> =
            log.prepare_cached("SELECT max(seq) FROM ev")?.query_row((), |row| row.get(0))?;
        let head = head.unwrap_or(0);
        let from = position.max(head - TAKEN_MAX);
        // A gap, or an index that was made anew, or entries that it has by now.
        if from > self.to || from < self.from || self.to > head || head - self.from > HELD_MAX {
            parts::clear(&self.index, ids::part_of(head))?;
            (self.from, self.to) = (from, from);
        }
        if self.to < head {
            let filling = self.index.unchecked_transaction()?;
            self.to = indexer::bring(log, &filling, self.to, HELD_MAX)?;
            filling.commit()?;
        }
        Ok((self.from - position).max(0).cast_unsigned())
    }

    /// The position of the last entry that it has.
    pub(super) fn to(&self) -> i64 {
        self.to
    }

    /// The index.
    pub(super) fn index(&self) -> &Connection {
        &self.index
    }

    /// Whether it has a message: said, or changed, since.
    pub(super) fn has(&self, id: i64) -> rusqlite::Result<bool> {
        Ok(self.to != self.from && parts::has(&self.index, id)?)
    }
}
