//! What the writer does beside storing: removing messages whose time is over, and what somebody wants to have erased;
//! then giving the room that they took back to the disk. A few milliseconds at a time, so that whoever talks does not notice.

use std::time::{Duration, Instant};

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::erase::{self, Jobs};
use crate::expire;
use crate::failure::Failure;
use crate::schema;
use crate::shrink;

/// The longest that one portion takes, but for its last step and its commit.
const PORTION: Duration = Duration::from_millis(4);

/// The time between two portions: while something is stored meanwhile, and while nothing is.
const EVERY: Duration = Duration::from_millis(60);
const IDLE: Duration = Duration::from_millis(6);

/// What is left to be done.
pub(crate) struct Chores {
    expiring: expire::Rooms,
    erasing: Jobs,
    /// There may be room to give back.
    shrinking: bool,
    last: Instant,
}

impl Chores {
    /// What was left over at the last end.
    pub(crate) fn left(connection: &Connection) -> rusqlite::Result<Chores> {
        let (expiring, erasing) = (expire::Rooms::left(connection)?, Jobs::left(connection)?);
        let shrinking = shrink::is_due(connection)?;
        Ok(Chores { expiring, erasing, shrinking, last: Instant::now() })
    }

    /// In this room messages are to go.
    pub(crate) fn expire(&mut self, room: u32) {
        self.expiring.add(room);
    }

    /// Somebody wants something to be erased.
    pub(crate) fn erase(&mut self) {
        self.erasing.look_again();
    }

    /// How long the writer sleeps at most; none when there is nothing to do.
    pub(crate) fn rest(&self) -> Option<Duration> {
        (self.is_removing() || self.shrinking).then_some(IDLE)
    }

    fn is_removing(&self) -> bool {
        !self.expiring.is_empty() || !self.erasing.is_empty()
    }

    /// Whether a portion is due; `rests`: the writer had nothing else to do.
    pub(crate) fn are_due(&self, rests: bool) -> bool {
        self.rest().is_some_and(|idle| self.last.elapsed() >= if rests { idle } else { EVERY })
    }

    /// Does a portion, where `head` is the position of the last entry. Whether senders were changed.
    pub(crate) fn portion(&mut self, connection: &Connection, head: u64) -> Result<bool, Failure> {
        let done = self.transaction(connection, head);
        if done.is_err() {
            // What a transaction that failed has done is to be done again.
            let left = Chores::left(connection)?;
            (self.expiring, self.erasing, self.shrinking) = (left.expiring, left.erasing, left.shrinking);
        }
        self.last = Instant::now();
        done
    }

    fn transaction(&mut self, connection: &Connection, head: u64) -> Result<bool, Failure> {
        let until = Instant::now() + PORTION;
        let (removes, mut changed) = (self.is_removing(), false);
        let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
        schema::place(&transaction, head)?;
        self.expiring.remove(&transaction, until)?;
        if self.expiring.is_empty() {
            changed = erase::portion(&mut self.erasing, &transaction, head, until)?;
        }
        if self.shrinking && !removes {
            self.shrinking = shrink::portion(&transaction, until)?;
        }
        transaction.commit()?;
        if removes && !self.is_removing() {
            self.shrinking = shrink::is_due(connection)?;
        }
        Ok(changed)
    }
}
