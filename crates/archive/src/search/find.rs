//! Looking something up: the index names messages, newest first, and each is read from the database before it is
//! given to anybody.

use std::collections::HashMap;
use std::path::Path;

use chinwag_core::history::Anchor;
use chinwag_core::ids::{Number, RoomId};
use chinwag_core::search::{Hit, Hits, SearchQuery};
use rusqlite::{Connection, OpenFlags};

use super::words;
use crate::reader::{ReadFailed, Senders};
use crate::room::InRoom;
use crate::rows::kind;
use crate::writer::signed;

/// Messages that the index names and that are looked at for one answer.
const LOOKED_AT_MAX: u64 = 20_000;

/// The index, for reading.
#[derive(Debug)]
pub(crate) struct Index(Connection);

impl Index {
    /// Opens it. Fails where there is none.
    pub(crate) fn open(file: &Path) -> rusqlite::Result<Index> {
        super::connect(file, OpenFlags::SQLITE_OPEN_READ_ONLY).map(Index)
    }

    /// The newest messages that fit, oldest first. `connection` is in a transaction on the database.
    pub(crate) fn find(
        &self,
        connection: &Connection,
        query: &SearchQuery,
        senders: &mut Senders,
    ) -> Result<Hits, ReadFailed> {
        let behind = self.behind(connection)?;
        let Some(question) = words::question(query) else { return Ok(Hits { behind, ..Hits::default() }) };
        let (after, before) = bounds(connection, query)?;
        let places: HashMap<RoomId, Number> =
            query.places.iter().map(|place| (place.room, place.first)).collect();
        let mut statement = self.0.prepare_cached(
            "SELECT rowid FROM post WHERE post MATCH ?1 AND rowid > ?2 AND rowid < ?3 ORDER BY rowid DESC",
        )?;
        let mut named = statement.query((question, after, before))?;
        let (mut hits, mut looked_at, mut more) = (Vec::new(), 0, false);
        while let Some(row) = named.next()? {
            looked_at += 1;
            if looked_at > LOOKED_AT_MAX {
                more = true;
                break;
            }
            let Some(hit) = read(connection, row.get(0)?, &places, senders)? else { continue };
            if hits.len() >= query.limit as usize {
                more = true;
                break;
            }
            hits.push(hit);
        }
        hits.reverse();
        Ok(Hits { hits, more, behind })
    }

    /// Entries of the log that are not in the index yet.
    fn behind(&self, connection: &Connection) -> rusqlite::Result<u64> {
        let head: Option<i64> =
            connection.prepare_cached("SELECT max(seq) FROM ev")?.query_row((), |row| row.get(0))?;
        let position = super::position(&self.0)?;
        Ok(head.unwrap_or(0).cast_unsigned().saturating_sub(position))
    }
}

/// A message that the index names, if it may be shown: in one of these rooms, not hidden, not deleted.
fn read(
    connection: &Connection,
    seq: i64,
    places: &HashMap<RoomId, Number>,
    senders: &mut Senders,
) -> Result<Option<Hit>, ReadFailed> {
    let mut statement = connection.prepare_cached(concat!(
        "SELECT seq, number, at_ms, kind, sender, body, extra, room FROM ev
         WHERE seq = ?1 AND number IS NOT NULL AND ",
        kind::shown!()
    ))?;
    let mut found = statement.query([seq])?;
    let Some(columns) = found.next()? else { return Ok(None) };
    let room = RoomId(columns.get(7)?);
    let Some(first) = places.get(&room) else { return Ok(None) };
    let row = InRoom::bare(connection, room).row(columns, senders)?;
    Ok((row.number >= *first).then_some(Hit { room, row }))
}

/// The positions after and before which is looked: times never go back.
fn bounds(connection: &Connection, query: &SearchQuery) -> Result<(i64, i64), ReadFailed> {
    let all = InRoom::bare(connection, RoomId(0));
    let end = i64::MAX as u64;
    let head: Option<i64> =
        connection.prepare_cached("SELECT max(seq) FROM ev")?.query_row((), |row| row.get(0))?;
    let last = head.unwrap_or(0).cast_unsigned() + 1;
    let after = match query.after {
        None => 0,
        Some(Anchor::Seq(seq)) => seq.0.min(end),
        Some(Anchor::Time(at_ms)) => all.position_at(last, |found| found > at_ms)?.saturating_sub(1),
    };
    let before = match query.before {
        None => end,
        Some(Anchor::Seq(seq)) => seq.0.min(end),
        Some(Anchor::Time(at_ms)) => all.position_at(last, |found| found >= at_ms)?,
    };
    Ok((signed(after), signed(before)))
}
