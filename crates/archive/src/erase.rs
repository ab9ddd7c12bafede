//! Erasing what somebody said, everywhere or in one room: the event that says so is stored with the rest, and a row of
//! `erase` with it. Then the writer goes through the senders, and through the log up to that event, some at a time.
//!
//! Of a message that is erased its row stays, with its number and its time: no text, no tags, nobody who said it.
//! What it said before, reactions and kept tags of the same person go. What is left to do is seen in the tables, so that
//! it goes on where it was after any end of the process.

use std::collections::HashMap;
use std::time::Instant;

use chinwag_core::erasing::{Erasable, EraseQuery, Erasure};
use chinwag_core::event::Event;
use chinwag_core::ids::RoomId;
use chinwag_core::records::is_meant;
use chinwag_log::Seq;
use chinwag_wire::casemap::CaseMapping;
use chinwag_wire::extban::Pattern;
use rusqlite::{Connection, OptionalExtension, Row};

use crate::expire::nobody;
use crate::reader::{ReadFailed, Senders, sender};
use crate::rows::{self, kind};
use crate::writer::{Place, signed};

/// Senders, and entries of the log, that are looked at in one step.
const SENDERS_STEP: i64 = 500;
const STEP: i64 = 400;

/// Erasures that are told at once, the newest.
const TOLD_MAX: i64 = 20;

/// What is to be erased.
#[derive(Debug)]
pub(crate) struct Jobs {
    current: Option<Job>,
    /// There may be others.
    more: bool,
}

#[derive(Debug)]
struct Job {
    seq: i64,
    pattern: Option<Pattern>,
    since_ms: i64,
    /// 0 for all rooms.
    room: u32,
    /// The last sender that there was then, and the last one looked at.
    senders: i64,
    sender: i64,
    /// The last entry looked at.
    cursor: i64,
    /// Those who are meant; whether something of theirs stays, so that they do, too.
    meant: HashMap<i64, bool>,
}

impl Jobs {
    /// Those that were left over at the last end.
    pub(crate) fn left(connection: &Connection) -> rusqlite::Result<Jobs> {
        let more = connection.prepare("SELECT 1 FROM erase WHERE done = 0")?.exists(())?;
        Ok(Jobs { current: None, more })
    }

    /// There is another one.
    pub(crate) fn look_again(&mut self) {
        self.more = true;
    }

    /// Whether nothing is to be erased.
    pub(crate) fn is_empty(&self) -> bool {
        self.current.is_none() && !self.more
    }
}

/// Stores what is to be erased, beside the event that says so at `at`. The caller holds the transaction.
pub(crate) fn store(
    connection: &Connection,
    at: &Place,
    whom: &str,
    since_ms: u64,
    room: Option<RoomId>,
) -> rusqlite::Result<()> {
    let room = room.map_or(0, |room| room.0);
    connection
        .prepare_cached(
            "INSERT INTO erase(seq, whom, since_ms, room, senders, sender, cursor, gone, done)
             VALUES (?1, ?2, ?3, ?4, (SELECT ifnull(max(id), 0) FROM sender), 0, 0, 0, 0)",
        )?
        .execute((at.seq, whom, signed(since_ms), room))?;
    Ok(())
}

/// Erases a portion. The caller holds the transaction, in which `head` is the position of the last entry. Whether
/// senders were changed.
pub(crate) fn portion(
    jobs: &mut Jobs,
    connection: &Connection,
    head: u64,
    until: Instant,
) -> rusqlite::Result<bool> {
    while !jobs.is_empty() {
        let mut job = match jobs.current.take() {
            Some(job) => job,
            None => match next(connection)? {
                Some(job) => job,
                None => {
                    jobs.more = false;
                    return Ok(false);
                }
            },
        };
        if step(&mut job, connection, signed(head))? {
            return finish(&job, connection);
        }
        jobs.current = Some(job);
        if Instant::now() >= until {
            break;
        }
    }
    Ok(false)
}

/// The first that is not done.
fn next(connection: &Connection) -> rusqlite::Result<Option<Job>> {
    let mapping = mapping(connection)?;
    let found = connection
        .prepare_cached(
            "SELECT seq, whom, since_ms, room, senders, sender, cursor FROM erase WHERE done = 0 ORDER BY seq LIMIT 1",
        )?
        .query_row((), |row| {
            Ok(Job {
                seq: row.get(0)?,
                pattern: Pattern::parse(row.get_ref(1)?.as_str()?, mapping).ok(),
                since_ms: row.get(2)?,
                room: row.get(3)?,
                senders: row.get(4)?,
                sender: row.get(5)?,
                cursor: row.get(6)?,
                meant: HashMap::new(),
            })
        })
        .optional()?;
    let Some(mut job) = found else { return Ok(None) };
    let mut statement =
        connection.prepare_cached("SELECT sender, stays FROM erase_sender WHERE erase = ?1")?;
    let mut meant = statement.query([job.seq])?;
    while let Some(row) = meant.next()? {
        job.meant.insert(row.get(0)?, row.get(1)?);
    }
    Ok(Some(job))
}

/// Which names are the same.
fn mapping(connection: &Connection) -> rusqlite::Result<CaseMapping> {
    let name: Option<String> = connection
        .prepare_cached("SELECT value FROM meta WHERE key = 'casemapping'")?
        .query_row((), |row| row.get(0))
        .optional()?;
    Ok(name.and_then(|name| CaseMapping::from_name(&name)).unwrap_or_default())
}

/// Goes on by one step; whether nothing is left to look at.
fn step(job: &mut Job, connection: &Connection, head: i64) -> rusqlite::Result<bool> {
    let Some(pattern) = job.pattern.clone() else { return Ok(true) };
    if job.sender < job.senders {
        who_is_meant(job, &pattern, connection)?;
        return Ok(false);
    }
    if job.meant.is_empty() || job.cursor >= head {
        return Ok(true);
    }
    let gone = what_is_meant(job, &pattern, connection, head)?;
    connection
        .prepare_cached("UPDATE erase SET cursor = ?2, gone = gone + ?3 WHERE seq = ?1")?
        .execute((job.seq, job.cursor, gone))?;
    Ok(job.cursor >= head)
}

/// Looks at some senders.
fn who_is_meant(job: &mut Job, pattern: &Pattern, connection: &Connection) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(
        "SELECT id, nick, ident, host, account FROM sender WHERE id > ?1 AND id <= ?2 ORDER BY id LIMIT ?3",
    )?;
    let mut found = statement.query((job.sender, job.senders, SENDERS_STEP))?;
    let mut last = job.senders;
    let mut count = 0;
    while let Some(row) = found.next()? {
        let id: i64 = row.get(0)?;
        (last, count) = (id, count + 1);
        if means(pattern, row, 1)? {
            connection
                .prepare_cached("INSERT INTO erase_sender(erase, sender, stays) VALUES (?1, ?2, 0)")?
                .execute((job.seq, id))?;
            job.meant.insert(id, false);
        }
    }
    job.sender = if count < SENDERS_STEP { job.senders } else { last };
    connection
        .prepare_cached("UPDATE erase SET sender = ?2 WHERE seq = ?1")?
        .execute((job.seq, job.sender))?;
    Ok(())
}

/// Whether a sender is meant, whose nickname, user name, host and account begin at this column.
fn means(pattern: &Pattern, row: &Row<'_>, at: usize) -> rusqlite::Result<bool> {
    let text = |index: usize| row.get_ref(index)?.as_str().map_err(rusqlite::Error::from);
    let account = row.get_ref(at + 3)?.as_str_or_null().map_err(rusqlite::Error::from)?;
    Ok(pattern.matches(text(at)?, text(at + 1)?, text(at + 2)?, account))
}

/// An entry of the log, as far as it is looked at.
struct Looked {
    seq: i64,
    room: u32,
    number: Option<i64>,
    at_ms: i64,
    kind: i64,
    sender: Option<i64>,
}

/// Looks at some entries of the log. How many messages were erased.
fn what_is_meant(
    job: &mut Job,
    pattern: &Pattern,
    connection: &Connection,
    head: i64,
) -> rusqlite::Result<i64> {
    let looked = {
        let mut statement = connection.prepare_cached(
            "SELECT seq, room, number, at_ms, kind, sender FROM ev WHERE seq > ?1 AND seq <= ?2 ORDER BY seq LIMIT ?3",
        )?;
        let found = statement.query_map((job.cursor, head, STEP), |row| {
            let (seq, room, number) = (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok(Looked { seq, room, number, at_ms: row.get(3)?, kind: row.get(4)?, sender: row.get(5)? })
        })?;
        found.collect::<rusqlite::Result<Vec<_>>>()?
    };
    let mut gone = 0;
    for entry in &looked {
        let asked =
            entry.seq < job.seq && entry.at_ms >= job.since_ms && (job.room == 0 || job.room == entry.room);
        let meant = entry.sender.filter(|sender| job.meant.contains_key(sender));
        match (entry.number, meant) {
            (Some(number), Some(_)) if asked => {
                message(connection, entry, number)?;
                gone += 1;
            }
            (Some(_), Some(sender)) => stays(job, connection, sender)?,
            (None, _) if asked && matches!(entry.kind, kind::REACTION | kind::TAGGED) => {
                wordless(connection, entry.seq, pattern)?;
            }
            _ => {}
        }
    }
    job.cursor =
        if (looked.len() as i64) < STEP { head } else { looked.last().map_or(head, |last| last.seq) };
    Ok(gone)
}

/// Of somebody who is meant something stays: so does who it was.
fn stays(job: &mut Job, connection: &Connection, sender: i64) -> rusqlite::Result<()> {
    if job.meant.insert(sender, true) == Some(false) {
        connection
            .prepare_cached("UPDATE erase_sender SET stays = 1 WHERE erase = ?1 AND sender = ?2")?
            .execute((job.seq, sender))?;
    }
    Ok(())
}

/// Takes all that there is of a message but its place.
fn message(connection: &Connection, entry: &Looked, number: i64) -> rusqlite::Result<()> {
    let nobody = nobody(connection)?;
    connection
        .prepare_cached("UPDATE ev SET kind = ?2, body = '', extra = NULL, sender = ?3 WHERE seq = ?1")?
        .execute((entry.seq, kind::REDACTED, nobody))?;
    let edits = (entry.room, number, kind::EDIT);
    connection
        .prepare_cached(
            "DELETE FROM ev WHERE seq IN (SELECT seq FROM amend WHERE room = ?1 AND number = ?2 AND kind = ?3)",
        )?
        .execute(edits)?;
    connection
        .prepare_cached("DELETE FROM amend WHERE room = ?1 AND number = ?2 AND kind = ?3")?
        .execute(edits)?;
    Ok(())
}

/// Removes a reaction, or tags without a text, of somebody who is meant.
fn wordless(connection: &Connection, seq: i64, pattern: &Pattern) -> rusqlite::Result<()> {
    let extra: Option<String> = connection
        .prepare_cached("SELECT extra FROM ev WHERE seq = ?1")?
        .query_row([seq], |row| row.get(0))?;
    // What makes no sense to this version is left as it is; reading it says so.
    let by = match rows::other_event(extra.as_deref(), None) {
        Ok(Event::Amended(amended)) => std::sync::Arc::clone(&amended.by),
        Ok(Event::Tagged(tagged)) => std::sync::Arc::clone(&tagged.by),
        _ => return Ok(()),
    };
    if is_meant(pattern, &by) {
        connection.prepare_cached("DELETE FROM ev WHERE seq = ?1")?.execute([seq])?;
    }
    Ok(())
}

/// Nothing is left to look at: who it was is forgotten, where nothing of theirs stays. Whether anybody was.
fn finish(job: &Job, connection: &Connection) -> rusqlite::Result<bool> {
    let forgotten = connection
        .prepare_cached(
            "UPDATE sender SET user = 0, nick = '*', ident = '*', host = '*', account = NULL WHERE id IN
             (SELECT sender FROM erase_sender WHERE erase = ?1 AND stays = 0)",
        )?
        .execute([job.seq])?;
    connection.prepare_cached("DELETE FROM erase_sender WHERE erase = ?1")?.execute([job.seq])?;
    connection.prepare_cached("UPDATE erase SET done = 1 WHERE seq = ?1")?.execute([job.seq])?;
    Ok(forgotten > 0)
}

/// How much an erasure would take.
pub(crate) fn erasable(
    connection: &Connection,
    query: &EraseQuery,
    senders: &mut Senders,
) -> Result<Erasable, ReadFailed> {
    let mut found = Erasable::default();
    let Ok(pattern) = Pattern::parse(&query.whom, query.mapping) else { return Ok(found) };
    let mut statement = connection.prepare_cached(
        "SELECT room, sender, at_ms, kind FROM ev WHERE number IS NOT NULL AND seq <= ?1 AND seq > ?2 ORDER BY seq DESC",
    )?;
    let head = signed(query.until.0.min(i64::MAX as u64));
    let from = (head - signed(query.looks.min(i64::MAX as u64))).max(0);
    let mut meant: HashMap<i64, bool> = HashMap::new();
    let mut rooms = std::collections::HashSet::new();
    let mut looked = statement.query((head, from))?;
    while let Some(row) = looked.next()? {
        let (room, id): (u32, i64) = (row.get(0)?, row.get(1)?);
        let asked = query.room.is_none_or(|asked| asked.0 == room)
            && row.get::<_, i64>(2)?.cast_unsigned() >= query.since_ms;
        if !asked || row.get::<_, i64>(3)? == kind::REDACTED {
            continue;
        }
        let is_meant = match meant.get(&id) {
            Some(known) => *known,
            None => {
                let (_, who) = sender(connection, senders, id)?;
                let found = is_meant(&pattern, &who);
                meant.insert(id, found);
                found
            }
        };
        if is_meant {
            found.messages += 1;
            rooms.insert(room);
        }
    }
    found.rooms = rooms.len() as u64;
    found.more = from > 0;
    Ok(found)
}

/// The newest erasures, the newest first, and how far they are.
pub(crate) fn erasures(connection: &Connection) -> rusqlite::Result<Vec<Erasure>> {
    let mut statement = connection
        .prepare_cached("SELECT seq, whom, room, cursor, gone, done FROM erase ORDER BY seq DESC LIMIT ?1")?;
    let found = statement.query_map([TOLD_MAX], |row| {
        let (seq, cursor): (i64, i64) = (row.get(0)?, row.get(3)?);
        Ok(Erasure {
            seq: Seq(seq.cast_unsigned()),
            whom: row.get_ref(1)?.as_str()?.into(),
            room: Some(RoomId(row.get(2)?)).filter(|room| room.0 > 0),
            looked_at: Seq(cursor.min(seq).cast_unsigned()),
            gone: row.get::<_, i64>(4)?.cast_unsigned(),
            done: row.get(5)?,
        })
    })?;
    found.collect()
}
