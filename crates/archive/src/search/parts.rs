//! The tables of the index: a part for each hundred thousand positions of the log or so. What is old is never written anew,
//! and no list of places becomes longer than what a part holds: therefore beginnings of words need no lists of their own.

use std::collections::BTreeMap;

use chinwag_core::ids::RoomId;
use rusqlite::Connection;

use super::ids;

/// `part` has a row for each part: `ordered` is the position up to which what it consists of was put in order.
/// `meta` says for which database, and up to which position of its log.
pub(super) const TABLES: &str = "
CREATE TABLE part(number INTEGER PRIMARY KEY, ordered INTEGER NOT NULL);
CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;
INSERT INTO meta(key, value) VALUES ('position', 0);
";

/// Bytes of a page of the index: small, because a question about a room jumps far more often than it reads on.
const PAGE_BYTES: u32 = 1_000;

/// What is gathered in memory before it is written at the latest, in bytes.
const HASH_BYTES: u32 = 4 << 20;

/// Pieces that are merged at once while it grows. The more, the less often each message is written anew.
const MERGED_AT_ONCE: u32 = 12;

/// Positions by which a part has grown before what it consists of is merged.
const ORDERED_AFTER: i64 = 1 << 14;

/// Pages of the index that are written in one go while a part is put in order.
const PAGES_AT_ONCE: i64 = 500;

/// What becomes of messages in the index.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// By id.
    pub(super) messages: BTreeMap<i64, Change>,
    /// Rooms, each with the position up to which nothing is kept of it.
    pub(super) expired: Vec<(RoomId, i64)>,
}

/// What becomes of a message in the index.
#[derive(Debug)]
pub(super) struct Change {
    /// It may be there already.
    pub(super) again: bool,
    /// What it is found by; none takes it out.
    pub(super) found_by: Option<FoundBy>,
}

/// What a message is found by.
#[derive(Debug)]
pub(super) struct FoundBy {
    /// The words.
    pub(super) text: String,
    /// The tokens of who said it.
    pub(super) who: String,
}

/// The name of a part's table.
pub(super) fn table(part: i64) -> String {
    format!("post_{part}")
}

fn make(index: &Connection, part: i64) -> rusqlite::Result<()> {
    let table = table(part);
    index.execute_batch(&format!(
        "CREATE VIRTUAL TABLE {table} USING fts5(
             text, who, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 2'
         );
         INSERT INTO {table}({table}, rank) VALUES ('pgsz', {PAGE_BYTES});
         INSERT INTO {table}({table}, rank) VALUES ('hashsize', {HASH_BYTES});
         INSERT INTO {table}({table}, rank) VALUES ('automerge', {MERGED_AT_ONCE});
         INSERT INTO {table}({table}, rank) VALUES ('usermerge', 2);
         INSERT INTO part(number, ordered) VALUES ({part}, 0);"
    ))
}

/// Whether there is a part.
pub(super) fn exists(index: &Connection, part: i64) -> rusqlite::Result<bool> {
    index.prepare_cached("SELECT 1 FROM part WHERE number = ?1")?.exists([part])
}

/// The first part, if there is one.
pub(super) fn first(index: &Connection) -> rusqlite::Result<Option<i64>> {
    index.prepare_cached("SELECT min(number) FROM part")?.query_row((), |row| row.get(0))
}

/// Makes these changes. They come sorted by id: what is out of order would be written piece by piece.
pub(super) fn change(index: &Connection, changes: &Changes) -> rusqlite::Result<()> {
    let mut here = None;
    for (id, change) in &changes.messages {
        let part = ids::part_of(ids::seq_of(*id));
        if here != Some(part) {
            if !exists(index, part)? {
                make(index, part)?;
            }
            here = Some(part);
        }
        let table = table(part);
        if change.again {
            index.prepare_cached(&format!("DELETE FROM {table} WHERE rowid = ?1"))?.execute([id])?;
        }
        if let Some(FoundBy { text, who }) = &change.found_by {
            let sql = format!("INSERT INTO {table}(rowid, text, who) VALUES (?1, ?2, ?3)");
            index.prepare_cached(&sql)?.execute((id, text, who))?;
        }
    }
    changes.expired.iter().try_for_each(|(room, upto)| take_out(index, *room, *upto))
}

/// Takes the messages of a room up to a position out, whose rows may be gone already.
fn take_out(index: &Connection, room: RoomId, upto: i64) -> rusqlite::Result<()> {
    let mut statement = index.prepare_cached("SELECT number FROM part WHERE number <= ?1 ORDER BY number")?;
    let numbers: Vec<i64> =
        statement.query_map([ids::part_of(upto)], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for number in numbers {
        let (table, ids) = (table(number), ids::ids_of_room(number, room));
        let end = if number == ids::part_of(upto) { ids::id(upto, room) + 1 } else { ids.end };
        // The table of lengths knows which there are; the index itself would have to be gone through for that.
        let sql = format!(
            "DELETE FROM {table} WHERE rowid IN (SELECT id FROM {table}_docsize WHERE id >= ?1 AND id < ?2)"
        );
        index.prepare_cached(&sql)?.execute((ids.start, end))?;
    }
    Ok(())
}

/// Takes everything out. `part`: what comes next is of this one.
pub(super) fn clear(index: &Connection, part: i64) -> rusqlite::Result<()> {
    let mut statement = index.prepare_cached("SELECT number FROM part")?;
    let numbers: Vec<i64> = statement.query_map((), |row| row.get(0))?.collect::<Result<_, _>>()?;
    for number in numbers {
        let table = table(number);
        if number == part {
            index.execute(&format!("INSERT INTO {table}({table}) VALUES ('delete-all')"), ())?;
        } else {
            index.execute_batch(&format!("DROP TABLE {table}; DELETE FROM part WHERE number = {number}"))?;
        }
    }
    Ok(())
}

/// Whether a message is there.
pub(super) fn has(index: &Connection, id: i64) -> rusqlite::Result<bool> {
    let part = ids::part_of(ids::seq_of(id));
    let sql = format!("SELECT 1 FROM {} WHERE rowid = ?1", table(part));
    Ok(exists(index, part)? && index.prepare_cached(&sql)?.exists([id])?)
}

/// Merges some of what the parts consist of, the less there is of which the faster an answer: those that grow no more into one
/// piece each, the one that grows into few. `position`: up to where the log is in the index. Whether there is more to do.
pub(super) fn order_some(index: &Connection, position: i64) -> rusqlite::Result<bool> {
    let Some(part) = unordered(index, position)? else { return Ok(false) };
    let table = table(part);
    let grows = ids::positions_of(part).contains(&position);
    // A negative number stands for all pieces, whatever their size.
    let pages = if grows { PAGES_AT_ONCE } else { -PAGES_AT_ONCE };
    let before = index.total_changes();
    let sql = format!("INSERT INTO {table}({table}, rank) VALUES ('merge', ?1)");
    index.prepare_cached(&sql)?.execute([pages])?;
    // What FTS5 says when there was nothing to do.
    if index.total_changes() - before < 2 {
        let ordered = position.min(ids::positions_of(part).end);
        index.prepare_cached("UPDATE part SET ordered = ?2 WHERE number = ?1")?.execute((part, ordered))?;
    }
    Ok(true)
}

/// The oldest part that grows no more, or has grown much, since it was put in order.
fn unordered(index: &Connection, position: i64) -> rusqlite::Result<Option<i64>> {
    let mut statement = index.prepare_cached("SELECT number, ordered FROM part ORDER BY number")?;
    let mut parts = statement.query(())?;
    while let Some(row) = parts.next()? {
        let (number, ordered): (i64, i64) = (row.get(0)?, row.get(1)?);
        let positions = ids::positions_of(number);
        let unordered = match positions.contains(&position) {
            true => position - ordered.max(positions.start) >= ORDERED_AFTER,
            false => ordered < positions.end,
        };
        if unordered {
            return Ok(Some(number));
        }
    }
    Ok(None)
}
