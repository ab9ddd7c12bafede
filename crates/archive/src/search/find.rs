//! Looking something up: the index names messages, newest first, and each is read from the database before it is
//! given to anybody.

use std::collections::HashMap;
use std::path::PathBuf;

use chinwag_core::history::Anchor;
use chinwag_core::ids::{Number, RoomId};
use chinwag_core::search::{Hit, Hits, SearchQuery};
use rusqlite::{Connection, OpenFlags};

use super::fresh::Fresh;
use super::named::{Asked, Named};
use super::{ids, words};
use crate::reader::{ReadFailed, Senders};
use crate::room::InRoom;
use crate::rows::kind;
use crate::writer::signed;

/// Messages that the index names and that are looked at for one answer.
const LOOKED_AT_MAX: u64 = 20_000;

/// The index, for reading, and what it does not have yet.
#[derive(Debug)]
pub(crate) struct Index {
    file: PathBuf,
    /// None as long as there is none that could be read: then only what is fresh is looked through.
    kept: Option<Connection>,
    fresh: Fresh,
}

impl Index {
    /// The index in a file, which is opened when it is there and whole.
    pub(crate) fn new(file: PathBuf) -> rusqlite::Result<Index> {
        Ok(Index { file, kept: None, fresh: Fresh::new()? })
    }

    /// The newest messages that fit, oldest first. `connection` is in a transaction on the database.
    pub(crate) fn find(
        &mut self,
        connection: &Connection,
        query: &SearchQuery,
        senders: &mut Senders,
    ) -> Result<Hits, ReadFailed> {
        if self.kept.is_none() {
            let opened = super::connect(&self.file, OpenFlags::SQLITE_OPEN_READ_ONLY);
            self.kept = opened.ok().filter(|kept| super::position(kept).is_ok());
        }
        // One state of the index for all of it.
        let kept = self.kept.as_ref().map(Connection::unchecked_transaction).transpose()?;
        let position = kept.as_ref().map_or(Ok(0), |kept| super::position(kept))?;
        let behind = self.fresh.follow(connection, signed(position))?;
        let Some(question) = words::question(query) else { return Ok(Hits { behind, ..Hits::default() }) };
        let (after, before) = bounds(connection, query)?;
        let places: HashMap<RoomId, Number> =
            query.places.iter().map(|place| (place.room, place.first)).collect();
        let asked = Asked::new(question, query, after, before);
        let mut fresh = Named::new(self.fresh.index(), &asked, self.fresh.to())?;
        let mut old = kept.as_ref().map(|kept| Named::new(kept, &asked, signed(position))).transpose()?;
        let (mut hits, mut looked_at, mut more) = (Vec::new(), 0, false);
        let (mut next_fresh, mut next_old) = (fresh.next()?, self.next_old(&mut old)?);
        while let Some(id) = newer(next_fresh, next_old) {
            looked_at += 1;
            if looked_at > LOOKED_AT_MAX {
                more = true;
                break;
            }
            match next_fresh == Some(id) {
                true => next_fresh = fresh.next()?,
                false => next_old = self.next_old(&mut old)?,
            }
            let Some(hit) = read(connection, ids::seq_of(id), &places, senders)? else { continue };
            if !in_time(query, hit.row.at_ms) {
                continue;
            }
            if hits.len() >= query.limit as usize {
                more = true;
                break;
            }
            hits.push(hit);
        }
        hits.reverse();
        Ok(Hits { hits, more, behind })
    }

    /// The next message that the file names. Those that were touched since are known better by the fresh part.
    fn next_old(&self, named: &mut Option<Named<'_>>) -> rusqlite::Result<Option<i64>> {
        let Some(named) = named else { return Ok(None) };
        while let Some(id) = named.next()? {
            if !self.fresh.has(id)? {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }
}

/// The one of two messages that came later.
fn newer(one: Option<i64>, other: Option<i64>) -> Option<i64> {
    one.into_iter().chain(other).max_by_key(|id| ids::seq_of(*id))
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

/// Whether a message is of the time that is asked for: what was imported is not in the order of its times.
fn in_time(query: &SearchQuery, at_ms: u64) -> bool {
    let after = !matches!(query.after, Some(Anchor::Time(after)) if at_ms <= after);
    after && !matches!(query.before, Some(Anchor::Time(before)) if at_ms >= before)
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
        Some(Anchor::Time(at_ms)) => {
            let first = all.position_at(last, |found| found > at_ms)?;
            // What was imported before that may be newer, too.
            if first == all.unordered()? + 1 { 0 } else { first.saturating_sub(1) }
        }
    };
    let before = match query.before {
        None => end,
        Some(Anchor::Seq(seq)) => seq.0.min(end),
        Some(Anchor::Time(at_ms)) => all.position_at(last, |found| found >= at_ms)?,
    };
    Ok((signed(after), signed(before)))
}
