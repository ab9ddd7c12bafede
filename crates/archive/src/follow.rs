//! Following the log from outside: which messages with a certain word in them were said, or touched, after a position.
//!
//! Whoever keeps something about messages in a database of its own (files that messages point at) asks from its own
//! position on, and is told of each such message as it is now. The index of words follows in the same way.

use std::path::{Path, PathBuf};

use chinwag_core::event::{Event, Purging};
use chinwag_core::numbers::Numbers;
use rusqlite::{Connection, OpenFlags, OptionalExtension};

use crate::open::BUSY_WAIT;
use crate::rows::{self, kind};
use crate::schema::placed;
use crate::writer::signed;
use crate::{DATABASE_FILE, purge};

/// Entries of the log in one step.
const STEP: u64 = 5_000;

/// A message, as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Followed {
    /// Its position in the log.
    pub seq: u64,
    /// Its room.
    pub room: u32,
    /// Its text; none once it was deleted.
    pub text: Option<String>,
    /// A purge hides it, which may be undone.
    pub hidden: bool,
}

/// What happened in a part of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The position up to which it is told. The next step begins here.
    pub position: u64,
    /// There is more behind it.
    pub more: bool,
    /// The messages, in the order in which something happened to them.
    pub messages: Vec<Followed>,
    /// The messages of a room up to a position are over, whether or not they are still there; also those above.
    pub expired: Vec<(u32, u64)>,
}

/// Follows the log of a data folder. All calls block on the disk.
#[derive(Debug)]
pub struct Follower {
    file: PathBuf,
    of: [u64; 2],
    connection: Option<Connection>,
}

impl Follower {
    pub(crate) fn new(folder: &Path, of: [u64; 2]) -> Follower {
        Follower { file: folder.join(DATABASE_FILE), of, connection: None }
    }

    /// What tells this database from every other one.
    pub fn of(&self) -> [u64; 2] {
        self.of
    }

    fn connect(&mut self) -> rusqlite::Result<&Connection> {
        if self.connection.is_none() {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let connection = Connection::open_with_flags(&self.file, flags)?;
            connection.busy_timeout(BUSY_WAIT)?;
            self.connection = Some(connection);
        }
        Ok(self.connection.as_ref().expect("it was made above"))
    }

    /// The position of the last entry.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn head(&mut self) -> rusqlite::Result<u64> {
        head(self.connect()?)
    }

    /// A number that changes whenever more of what somebody said was erased: that is done bit by bit and told by no event,
    /// so that what is known of messages is to be looked at again ([`Follower::texts`]).
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn erased(&mut self) -> rusqlite::Result<i64> {
        let sql = "SELECT count(*) + ifnull(sum(min(cursor, seq)), 0) + ifnull(sum(done), 0) FROM erase";
        self.connect()?.query_row(sql, (), |row| row.get(0))
    }

    /// The messages at these positions as they are now; those that are not there (any more) are left out.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn texts(&mut self, positions: &[u64]) -> rusqlite::Result<Vec<Followed>> {
        let log = self.connect()?.unchecked_transaction()?;
        let mut found = Vec::new();
        for seq in positions {
            found.extend(message(&log, signed(*seq))?);
        }
        Ok(found)
    }

    /// What happened after a position, as far as one step goes: messages that were said and have `word` in them, and all
    /// that were edited, deleted or hidden, or are not hidden any more.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn step(&mut self, from: u64, word: &str) -> rusqlite::Result<Step> {
        let log = self.connect()?.unchecked_transaction()?;
        let head = head(&log)?;
        let position = head.min(from.saturating_add(STEP));
        let (mut messages, mut expired) = (Vec::new(), Vec::new());
        let mut statement = log.prepare_cached(
            "SELECT seq, room, number, kind, extra FROM ev
             WHERE seq > ?1 AND seq <= ?2 AND (number IS NULL AND kind IN (21, 22, 30, 45) OR instr(body, ?3) > 0)
             ORDER BY seq",
        )?;
        let mut found = statement.query((signed(from), signed(position), word))?;
        while let Some(row) = found.next()? {
            if row.get::<_, Option<i64>>(2)?.is_some() {
                messages.extend(message(&log, row.get(0)?)?);
                continue;
            }
            let extra = row.get_ref(4)?.as_str_or_null().map_err(rusqlite::Error::from)?;
            let Ok(event) = rows::other_event(extra, None) else { continue };
            if let Event::Expired(over) = &event {
                expired.push((over.room.0, over.position));
            } else {
                touched(&log, row.get(1)?, &event, &mut |seq| {
                    messages.extend(message(&log, seq)?);
                    Ok(())
                })?;
            }
        }
        Ok(Step { position, more: position < head, messages, expired })
    }
}

fn head(log: &Connection) -> rusqlite::Result<u64> {
    let head: Option<i64> = log.prepare_cached("SELECT max(seq) FROM ev")?.query_row((), |row| row.get(0))?;
    Ok(head.unwrap_or(0).cast_unsigned())
}

fn message(log: &Connection, seq: i64) -> rusqlite::Result<Option<Followed>> {
    let mut statement =
        log.prepare_cached("SELECT kind, body, room FROM ev WHERE seq = ?1 AND number IS NOT NULL")?;
    let found = statement.query_row([seq], |row| {
        let kind: i64 = row.get(0)?;
        let text = if kind == kind::REDACTED { None } else { row.get(1)? };
        Ok(Followed { seq: seq.cast_unsigned(), room: row.get(2)?, text, hidden: kind >= kind::HIDDEN_MIN })
    });
    found.optional()
}

/// The positions of the messages to which an event did something, one after the other.
pub(crate) fn touched(
    log: &Connection,
    room: u32,
    event: &Event,
    each: &mut dyn FnMut(i64) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    let numbers = match event {
        Event::Amended(amended) => return each(signed(amended.position)),
        Event::Purged(purged) => match &purged.what {
            Purging::Hidden { numbers, .. } => numbers.clone(),
            Purging::Undone | Purging::Final => purge::hidden(log, room, purged.purge)?,
        },
        _ => Numbers::default(),
    };
    // All of them are placed: storing the purge saw to that.
    let mut statement = log.prepare_cached(concat!("SELECT ev.seq FROM ", placed!(), " ORDER BY ev.seq"))?;
    for (first, last) in numbers.runs() {
        let mut found = statement.query((room, signed(*first), signed(*last)))?;
        while let Some(row) = found.next()? {
            each(row.get(0)?)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::kind;

    #[test]
    fn the_kinds_in_the_question_are_those_of_the_constants() {
        assert_eq!((kind::EDIT, kind::REDACTION, kind::PURGED, kind::EXPIRED), (21, 22, 30, 45));
    }
}
