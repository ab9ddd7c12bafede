//! What was erased leaves the index: the writer says how far it has come, and the index follows it there.

use chinwag_core::ids::RoomId;
use rusqlite::{Connection, OptionalExtension};

use super::ids;
use super::parts::{self, Change, Changes};
use crate::rows::kind;

/// Entries of the log that are looked at in one step.
const STEP: i64 = 20_000;

/// Takes out of the index what was erased in the log since the last time, up to where that is; some of it at once.
/// Whether there may be more. Both hold a transaction.
pub(super) fn take_out(log: &Connection, index: &Connection) -> rusqlite::Result<bool> {
    let mut jobs = log.prepare_cached("SELECT seq, min(cursor, seq - 1), done FROM erase ORDER BY seq")?;
    let mut found = jobs.query(())?;
    while let Some(job) = found.next()? {
        let (seq, until, done): (i64, i64, bool) = (job.get(0)?, job.get(1)?, job.get(2)?);
        let key = format!("erased {seq}");
        let fact = "SELECT value FROM meta WHERE key = ?1";
        let known: Option<i64> =
            index.prepare_cached(fact)?.query_row([&key], |row| row.get(0)).optional()?;
        let from = known.unwrap_or(0);
        // One by which nobody was meant has looked at nothing.
        if from >= until {
            continue;
        }
        let to = until.min(from + STEP);
        parts::change(index, &gone(log, index, from, to)?)?;
        let put = "INSERT OR REPLACE INTO meta(key, value) VALUES (?1, ?2)";
        index.prepare_cached(put)?.execute((&key, to))?;
        return Ok(to < until || done);
    }
    Ok(false)
}

/// The messages that are gone after a position, up to another one, as far as there is an index of them.
fn gone(log: &Connection, index: &Connection, from: i64, to: i64) -> rusqlite::Result<Changes> {
    let sql = "SELECT seq, room FROM ev WHERE seq > ?1 AND seq <= ?2 AND number IS NOT NULL AND kind = ?3";
    let mut statement = log.prepare_cached(sql)?;
    let mut found = statement.query((from, to, kind::REDACTED))?;
    let mut changes = Changes::default();
    while let Some(row) = found.next()? {
        let seq: i64 = row.get(0)?;
        if parts::exists(index, ids::part_of(seq))? {
            let id = ids::id(seq, RoomId(row.get(1)?));
            changes.messages.insert(id, Change { again: true, found_by: None });
        }
    }
    Ok(changes)
}
