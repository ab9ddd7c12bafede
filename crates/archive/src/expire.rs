//! Messages whose time is over: the event that says so is stored with the rest, and at once nobody reads them any more.
//! Their rows go afterwards, a few milliseconds' worth at a time, between the commits of what is said.
//!
//! What is left to do is seen in the tables themselves, so that it goes on where it was after any end of the process.
//! The row of the last message that is gone stays, empty, so that the room's numbers go on from there.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use chinwag_core::aging::{AgeQuery, Aged};
use chinwag_core::event::Expired;
use chinwag_core::ids::Number;
use chinwag_log::Seq;
use rusqlite::{Connection, OptionalExtension};

use crate::reader::ReadFailed;
use crate::room::InRoom;
use crate::rows::kind;
use crate::schema;
use crate::writer::{Place, signed};

/// The longest that one portion takes, but for its last step and its commit.
const PORTION: Duration = Duration::from_millis(4);

/// Messages of one run that go in one step.
const STEP: i64 = 200;

/// The rooms in which messages are to go.
#[derive(Debug, Default)]
pub(crate) struct Rooms(VecDeque<u32>);

impl Rooms {
    /// Those that were left over at the last end.
    pub(crate) fn left(connection: &Connection) -> rusqlite::Result<Rooms> {
        let mut statement = connection.prepare(
            "SELECT room FROM expired WHERE upto >= (SELECT min(number) FROM place WHERE place.room = expired.room)",
        )?;
        let rooms = statement.query_map((), |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        Ok(Rooms(rooms))
    }

    /// Messages of this room are to go.
    pub(crate) fn add(&mut self, room: u32) {
        if !self.0.contains(&room) {
            self.0.push_back(room);
        }
    }

    /// Whether nothing is to go.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Removes a portion. The caller holds the transaction, in which `head` is the position of the last entry. Says how
    /// many messages went; after a transaction that failed, the same portion comes again if the rooms are put back.
    pub(crate) fn remove(&mut self, connection: &Connection, head: u64) -> rusqlite::Result<u64> {
        let until = Instant::now() + PORTION;
        let mut gone = 0;
        schema::place(connection, head)?;
        while let Some(room) = self.0.front() {
            match step(connection, *room)? {
                0 => drop(self.0.pop_front()),
                count => gone += count,
            }
            if Instant::now() >= until {
                break;
            }
        }
        Ok(gone)
    }

    /// The same rooms, for a transaction that fails.
    pub(crate) fn copy(&self) -> Rooms {
        Rooms(self.0.clone())
    }
}

/// Stores up to where the time is over, beside the event that says so at `at`. Of these events the last one of a room
/// says all: the one before goes. The caller holds the transaction.
pub(crate) fn store(connection: &Connection, at: &Place, expired: &Expired) -> rusqlite::Result<()> {
    let known: Option<(i64, i64)> = connection
        .prepare_cached("SELECT upto, seq FROM expired WHERE room = ?1")?
        .query_row([at.room], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let upto = signed(expired.upto.0);
    // The same, said by two nodes: what changes nothing is kept in the log and nowhere else.
    if let Some((before, seq)) = known
        && before < upto
    {
        connection
            .prepare_cached("DELETE FROM ev WHERE seq = ?1 AND kind = ?2")?
            .execute((seq, kind::EXPIRED))?;
    }
    if known.is_none_or(|(before, _)| before < upto) {
        connection
            .prepare_cached(
                "INSERT OR REPLACE INTO expired(room, upto, position, seq) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute((at.room, upto, signed(expired.position), at.seq))?;
    }
    Ok(())
}

/// Messages that follow one another, up to the last one whose time is over.
struct Run {
    number: i64,
    seq: i64,
    count: i64,
    upto: i64,
}

/// Removes some of the oldest messages of a room. How many; none when nothing is left to do.
fn step(connection: &Connection, room: u32) -> rusqlite::Result<u64> {
    let found = connection
        .prepare_cached(
            "SELECT place.number, place.seq, place.count, expired.upto FROM place, expired
             WHERE place.room = ?1 AND expired.room = ?1 AND place.number < expired.upto
             ORDER BY place.number LIMIT 1",
        )?
        .query_row([room], |row| {
            Ok(Run { number: row.get(0)?, seq: row.get(1)?, count: row.get(2)?, upto: row.get(3)? })
        })
        .optional()?;
    let Some(run) = found else {
        empty_last(connection, room)?;
        return Ok(0);
    };
    let count = run.count.min(run.upto - run.number).min(STEP);
    remove(connection, room, &run, count)?;
    let (left, seq) = (run.number + count, run.seq + count);
    if count == run.count {
        connection
            .prepare_cached("DELETE FROM place WHERE room = ?1 AND number = ?2")?
            .execute((room, run.number))?;
    } else {
        connection
            .prepare_cached(
                "UPDATE place SET number = ?3, seq = ?4, count = count - ?5 WHERE room = ?1 AND number = ?2",
            )?
            .execute((room, run.number, left, seq, count))?;
    }
    Ok(count.cast_unsigned())
}

/// Removes the first messages of a run, what they said before, and what was said to them without a text.
fn remove(connection: &Connection, room: u32, run: &Run, count: i64) -> rusqlite::Result<()> {
    let (first, last) = (run.number, run.number + count - 1);
    let end = run.seq + count - 1;
    connection
        .prepare_cached(
            "DELETE FROM ev WHERE seq IN
             (SELECT seq FROM amend WHERE room = ?1 AND number BETWEEN ?2 AND ?3 AND kind = ?4)",
        )?
        .execute((room, first, last, kind::EDIT))?;
    connection
        .prepare_cached("DELETE FROM amend WHERE room = ?1 AND number BETWEEN ?2 AND ?3")?
        .execute((room, first, last))?;
    connection.prepare_cached("DELETE FROM ev WHERE seq BETWEEN ?1 AND ?2")?.execute((run.seq, end))?;
    // Behind what was emptied last, which is where the first run of a room begins.
    let from = if first == 1 { 0 } else { run.seq };
    connection
        .prepare_cached(
            "DELETE FROM ev WHERE seq IN (SELECT seq FROM ev INDEXED BY ev_room_other
             WHERE room = ?1 AND number IS NULL AND seq BETWEEN ?2 AND ?3 AND kind IN (?4, ?5))",
        )?
        .execute((room, from, next_in(connection, room, last, end)?, kind::REACTION, kind::TAGGED))?;
    Ok(())
}

/// The position before that of the message after `number`, which is at `seq`: what happened between the two goes with
/// the first.
fn next_in(connection: &Connection, room: u32, number: i64, seq: i64) -> rusqlite::Result<i64> {
    let next: Option<i64> = connection
        .prepare_cached("SELECT seq FROM place WHERE room = ?1 AND number > ?2 ORDER BY number LIMIT 1")?
        .query_row((room, number), |row| row.get(0))
        .optional()?;
    // The rest of the same run follows at once.
    Ok(next.map_or(seq, |next| if next > seq { next - 1 } else { seq }))
}

/// The last message that is gone keeps its place, with nothing in it.
fn empty_last(connection: &Connection, room: u32) -> rusqlite::Result<()> {
    let last: Option<(i64, i64)> = connection
        .prepare_cached(
            "SELECT place.seq, expired.upto FROM place, expired
             WHERE place.room = ?1 AND expired.room = ?1 AND place.number = expired.upto",
        )?
        .query_row([room], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((seq, number)) = last else { return Ok(()) };
    connection
        .prepare_cached(
            "DELETE FROM ev WHERE seq IN (SELECT seq FROM amend WHERE room = ?1 AND number = ?2 AND kind = ?3)",
        )?
        .execute((room, number, kind::EDIT))?;
    connection
        .prepare_cached("DELETE FROM amend WHERE room = ?1 AND number = ?2")?
        .execute((room, number))?;
    let nobody = nobody(connection)?;
    connection
        .prepare_cached(
            "UPDATE ev SET kind = ?2, body = '', extra = NULL, sender = ?3
             WHERE seq = ?1 AND (kind <> ?2 OR sender IS NOT ?3)",
        )?
        .execute((seq, kind::REDACTED, nobody))?;
    Ok(())
}

/// The sender of messages of which nobody is to know who said them.
pub(crate) fn nobody(connection: &Connection) -> rusqlite::Result<i64> {
    let known: Option<i64> = connection
        .prepare_cached("SELECT id FROM sender WHERE user = 0 AND nick = '*' AND account IS NULL")?
        .query_row((), |row| row.get(0))
        .optional()?;
    if let Some(id) = known {
        return Ok(id);
    }
    connection
        .prepare_cached("INSERT INTO sender(user, nick, ident, host) VALUES (0, '*', '*', '*')")?
        .execute(())?;
    Ok(connection.last_insert_rowid())
}

impl InRoom<'_> {
    /// Up to which message the time is over.
    pub(crate) fn aged(&self, query: &AgeQuery) -> Result<Aged, ReadFailed> {
        let (after, last) = (query.after.0, query.last.0.min(i64::MAX as u64 - 1));
        let next = self.search(after + 1, last, |spot| spot.at_ms >= query.before_ms)?;
        let upto = if next > after + 1 { self.at(next - 1, next - 1)? } else { None };
        let stays = if next <= last { self.at(next, last)? } else { None };
        Ok(Aged {
            upto: upto.map(|spot| (Number(spot.number), Seq(spot.seq))),
            next_ms: stays.map(|spot| spot.at_ms),
        })
    }

    /// Whether a position is that of something in this room whose time is over, or of another room by then: either way
    /// it is before all that is left here.
    pub(crate) fn is_before_all(&self, seq: u64) -> rusqlite::Result<bool> {
        let position: Option<i64> = self
            .connection
            .prepare_cached("SELECT position FROM expired WHERE room = ?1")?
            .query_row([self.room.0], |row| row.get(0))
            .optional()?;
        Ok(position.is_some_and(|position| seq <= position.cast_unsigned()))
    }
}
