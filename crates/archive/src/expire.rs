//! Messages whose time is over: the event that says so is stored with the rest, and at once nobody reads them any more.
//! Their rows go afterwards, a few milliseconds' worth at a time, between the commits of what is said.
//!
//! What is left to do is seen in the tables themselves, so that it goes on where it was after any end of the process.
//! The row of the last message that is gone stays, empty, so that the room's numbers go on from there.

use std::collections::VecDeque;
use std::time::Instant;

use chinwag_core::aging::{AgeQuery, Aged};
use chinwag_core::event::Expired;
use chinwag_core::ids::Number;
use chinwag_log::Seq;
use rusqlite::{Connection, OptionalExtension};

use crate::reader::ReadFailed;
use crate::room::InRoom;
use crate::rows::kind;
use crate::writer::{Place, signed};

/// Messages that go in one step, and runs of them in the log that are looked at for it.
const STEP: i64 = 200;
const RUNS: i64 = 100;

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

    /// Removes a portion, until then. The caller holds the transaction, in which all messages are placed.
    pub(crate) fn remove(&mut self, connection: &Connection, until: Instant) -> rusqlite::Result<()> {
        while let Some(room) = self.0.front() {
            if step(connection, *room)? == 0 {
                self.0.pop_front();
            }
            if Instant::now() >= until {
                break;
            }
        }
        Ok(())
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

/// Messages of a room that follow one another in the log.
struct Run {
    number: i64,
    seq: i64,
    count: i64,
}

/// Removes some of the oldest messages of a room. How many; none when nothing is left to do.
fn step(connection: &Connection, room: u32) -> rusqlite::Result<i64> {
    let upto: Option<i64> = connection
        .prepare_cached("SELECT upto FROM expired WHERE room = ?1")?
        .query_row([room], |row| row.get(0))
        .optional()?;
    let Some(upto) = upto else { return Ok(0) };
    let runs = connection
        .prepare_cached(
            "SELECT number, seq, count FROM place WHERE room = ?1 AND number < ?2 ORDER BY number LIMIT ?3",
        )?
        .query_map((room, upto, RUNS), |row| {
            Ok(Run { number: row.get(0)?, seq: row.get(1)?, count: row.get(2)? })
        })?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let Some(first) = runs.first() else {
        empty_last(connection, room)?;
        return Ok(0);
    };
    let (from, first) = (if first.number == 1 { 0 } else { first.seq }, first.number);
    // The last one that goes now, and its position.
    let (mut last, mut end) = (first, from);
    let mut gone = 0;
    for Run { number, seq, count } in runs {
        let take = count.min(upto - number).min(STEP - gone);
        if take == 0 {
            break;
        }
        connection
            .prepare_cached("DELETE FROM ev WHERE seq BETWEEN ?1 AND ?2")?
            .execute((seq, seq + take - 1))?;
        if take < count {
            connection
                .prepare_cached(
                    "UPDATE place SET number = number + ?3, seq = seq + ?3, count = count - ?3
                     WHERE room = ?1 AND number = ?2",
                )?
                .execute((room, number, take))?;
        }
        (gone, last, end) = (gone + take, number + take - 1, seq + take - 1);
    }
    connection
        .prepare_cached("DELETE FROM place WHERE room = ?1 AND number BETWEEN ?2 AND ?3")?
        .execute((room, first, last))?;
    remove_around(connection, room, (first, last), (from, end))?;
    if last + 1 == upto {
        empty_last(connection, room)?;
    }
    Ok(gone)
}

/// Removes what messages said before, and what was said without a text until the next message that stays.
fn remove_around(
    connection: &Connection,
    room: u32,
    (first, last): (i64, i64),
    (from, end): (i64, i64),
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "DELETE FROM ev WHERE seq IN
             (SELECT seq FROM amend WHERE room = ?1 AND number BETWEEN ?2 AND ?3 AND kind = ?4)",
        )?
        .execute((room, first, last, kind::EDIT))?;
    connection
        .prepare_cached("DELETE FROM amend WHERE room = ?1 AND number BETWEEN ?2 AND ?3")?
        .execute((room, first, last))?;
    let next: Option<i64> = connection
        .prepare_cached("SELECT seq FROM place WHERE room = ?1 AND number > ?2 ORDER BY number LIMIT 1")?
        .query_row((room, last), |row| row.get(0))
        .optional()?;
    connection
        .prepare_cached(
            "DELETE FROM ev WHERE seq IN (SELECT seq FROM ev INDEXED BY ev_room_other
             WHERE room = ?1 AND number IS NULL AND seq BETWEEN ?2 AND ?3 AND kind IN (?4, ?5))",
        )?
        .execute((room, from, next.map_or(end, |next| next - 1), kind::REACTION, kind::TAGGED))?;
    Ok(())
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
