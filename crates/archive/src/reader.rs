//! Reading: pages of history, entries of the log, and a chat's state after a restart. Never a full scan.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chinwag_core::chat::Chat;
use chinwag_core::event::{Event, Who};
use chinwag_core::history::{Anchor, Page, Part, Query, Row};
use chinwag_core::ids::{Number, RoomId, UserId};
use chinwag_log::{Entry, Keep, Key, Origin, Seq};
use rusqlite::{Connection, OpenFlags, OptionalExtension};

use crate::rows::{self, RowError, SaidRow, kind};
use crate::writer::signed;

/// A reader's page cache, in KiB.
const CACHE_KIB: i32 = 2 * 1024;

/// How many senders a reader remembers.
const SENDERS_MAX: usize = 1_024;

/// How long a read waits for somebody who keeps the database to himself.
const BUSY_WAIT: Duration = Duration::from_secs(2);

/// Reads the database through a connection of its own, opened when it is first needed. Every clone opens its own;
/// give each thread one. All calls block on the disk.
#[derive(Debug)]
pub struct Reader {
    file: Arc<Path>,
    vfs: Option<Arc<str>>,
    open: RefCell<Option<Open>>,
}

#[derive(Debug)]
struct Open {
    connection: Connection,
    senders: HashMap<i64, (UserId, Arc<Who>)>,
}

/// Why reading failed.
#[derive(Debug, thiserror::Error)]
pub enum ReadFailed {
    /// The database cannot be opened for reading.
    #[error("opening {} for reading failed", .file.display())]
    Open {
        /// The database.
        file: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// SQLite failed.
    #[error("reading the database failed")]
    Storage(#[from] rusqlite::Error),
    /// A row makes no sense to this version.
    #[error("the event at position {} cannot be read: {reason}", .seq.0)]
    Row {
        /// Its position.
        seq: Seq,
        /// What is wrong with it.
        reason: String,
    },
}

/// A stretch of a room's numbers, both ends included, and from which end to take.
struct Stretch {
    from: u64,
    to: u64,
    newest: bool,
    limit: u32,
}

impl Clone for Reader {
    fn clone(&self) -> Self {
        Reader { file: Arc::clone(&self.file), vfs: self.vfs.clone(), open: RefCell::new(None) }
    }
}

impl Reader {
    pub(crate) fn new(file: &Path, vfs: Option<Arc<str>>) -> Self {
        Reader { file: file.into(), vfs, open: RefCell::new(None) }
    }

    /// A page of a room's history, oldest first. Messages to some roles only are left out.
    ///
    /// # Errors
    /// When the database cannot be read; the next call tries anew.
    pub fn page(&self, query: &Query) -> Result<Page, ReadFailed> {
        self.with(|open| {
            let mut page = Vec::new();
            for stretch in open.stretches(query)? {
                page.extend(open.rows(query.room, &stretch)?);
            }
            Ok(page)
        })
    }

    /// Up to `count` stored entries after `from`. Their keys are their positions: the log has one proposer and
    /// keeps none.
    ///
    /// # Errors
    /// As [`Reader::page`].
    pub fn entries(&self, from: Seq, count: usize) -> Result<Vec<Entry<Event>>, ReadFailed> {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let from = signed(from.0.min(i64::MAX as u64));
        self.with(|open| open.entries("seq > ?1 ORDER BY seq LIMIT ?2", (from, count)))
    }

    /// Brings a new chat to the state that is stored: every stored event but the messages is applied again, then
    /// each room is told its last message. Who was present is not stored: everybody has left.
    ///
    /// # Errors
    /// As [`Reader::page`]; the chat is then of no use.
    pub fn restore(&self, chat: &mut Chat) -> Result<(), ReadFailed> {
        const STEP: i64 = 1_000;
        let mut after = 0;
        loop {
            let entries = self.with(|open| {
                let filter = "number IS NULL AND seq > ?1 ORDER BY seq LIMIT ?2";
                open.entries(filter, (after, STEP))
            })?;
            let Some(last) = entries.last() else { break };
            after = signed(last.seq.0);
            let mut effects = Vec::new();
            for entry in &entries {
                chat.apply(entry, &mut effects);
                effects.clear();
            }
        }
        for (room, number, at_ms) in self.with(|open| open.heads())? {
            chat.set_head(room, number, at_ms);
        }
        Ok(())
    }

    /// Runs a read in one snapshot. A connection on which something failed is not used again.
    fn with<T>(&self, read: impl FnOnce(&mut Open) -> Result<T, ReadFailed>) -> Result<T, ReadFailed> {
        let mut slot = self.open.borrow_mut();
        let mut open = match slot.take() {
            Some(open) => open,
            None => self.connect()?,
        };
        open.connection.prepare_cached("BEGIN")?.execute(())?;
        let found = read(&mut open)?;
        open.connection.prepare_cached("COMMIT")?.execute(())?;
        *slot = Some(open);
        Ok(found)
    }

    fn connect(&self) -> Result<Open, ReadFailed> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opened = match &self.vfs {
            Some(vfs) => Connection::open_with_flags_and_vfs(&self.file, flags, &**vfs),
            None => Connection::open_with_flags(&self.file, flags),
        };
        let connection =
            opened.map_err(|source| ReadFailed::Open { file: self.file.to_path_buf(), source })?;
        connection.busy_timeout(BUSY_WAIT)?;
        connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
        Ok(Open { connection, senders: HashMap::new() })
    }
}

impl Open {
    /// Which stretches of the room's numbers make the page.
    fn stretches(&self, query: &Query) -> Result<Vec<Stretch>, ReadFailed> {
        let limit = query.limit;
        let first = query.first.0.max(1);
        let last = query.last.0.min(i64::MAX as u64 - 1);
        if first > last || limit == 0 {
            return Ok(Vec::new());
        }
        let find = |anchor: Anchor| self.find(query.room, anchor, first, last);
        let one = |from: u64, to: u64, newest: bool| vec![Stretch { from, to, newest, limit }];
        Ok(match query.part {
            Part::Latest(None) => one(first, last, true),
            Part::Latest(Some(anchor)) => one(find(anchor)?.1, last, true),
            Part::Before(anchor) => one(first, find(anchor)?.0 - 1, true),
            Part::After(anchor) => one(find(anchor)?.1, last, false),
            Part::Around(anchor) => {
                let (middle, _) = find(anchor)?;
                let before = limit / 2;
                vec![
                    Stretch { from: first, to: middle - 1, newest: true, limit: before },
                    Stretch { from: middle, to: last, newest: false, limit: limit - before },
                ]
            }
            Part::Between(one_end, other_end) => {
                let (start, end) = (find(one_end)?, find(other_end)?);
                if start.0 <= end.0 { one(start.1, end.0 - 1, false) } else { one(end.1, start.0 - 1, true) }
            }
        })
    }

    /// Where an anchor is among the numbers `first..=last` of a room: the first number that is not before it, and
    /// the first that is after it. Both are between `first` and `last + 1`.
    fn find(&self, room: RoomId, anchor: Anchor, first: u64, last: u64) -> Result<(u64, u64), ReadFailed> {
        let end = last + 1;
        match anchor {
            Anchor::Seq(seq) => {
                let seq = signed(seq.0.min(i64::MAX as u64));
                let row: Option<(i64, Option<i64>)> = self
                    .connection
                    .prepare_cached("SELECT room, number FROM ev WHERE seq = ?1")?
                    .query_row([seq], |row| Ok((row.get(0)?, row.get(1)?)))
                    .optional()?;
                if let Some((found, Some(number))) = row
                    && found == i64::from(room.0)
                {
                    let number = number.cast_unsigned();
                    return Ok((number.clamp(first, end), (number + 1).clamp(first, end)));
                }
                let at = self.search(room, first, last, |row| row.0 >= seq)?;
                Ok((at, at))
            }
            Anchor::Time(at_ms) => {
                let at_ms = signed(at_ms.min(i64::MAX as u64));
                let from = self.search(room, first, last, |row| row.1 >= at_ms)?;
                Ok((from, self.search(room, from, last, |row| row.1 > at_ms)?))
            }
        }
    }

    /// The first number in `first..=last` from which on `reached` holds for every message's position and time, by
    /// halving: both grow with the number. `last + 1` when it holds for none.
    fn search(
        &self,
        room: RoomId,
        first: u64,
        last: u64,
        reached: impl Fn(&(i64, i64)) -> bool,
    ) -> Result<u64, ReadFailed> {
        let mut statement = self.connection.prepare_cached(
            "SELECT seq, at_ms, number FROM ev
             WHERE room = ?1 AND number BETWEEN ?2 AND ?3 ORDER BY number LIMIT 1",
        )?;
        let (mut low, mut high) = (first, last + 1);
        while low < high {
            let middle = low + (high - low) / 2;
            let row = statement
                .query_row((room.0, signed(middle), signed(high - 1)), |row| {
                    Ok(((row.get(0)?, row.get(1)?), row.get::<_, i64>(2)?))
                })
                .optional()?;
            match row {
                Some((row, number)) if !reached(&row) => low = number.cast_unsigned() + 1,
                _ => high = middle,
            }
        }
        Ok(low)
    }

    fn rows(&mut self, room: RoomId, stretch: &Stretch) -> Result<Page, ReadFailed> {
        if stretch.from > stretch.to || stretch.limit == 0 {
            return Ok(Vec::new());
        }
        let Open { connection, senders } = self;
        let sql = if stretch.newest { ROWS_NEWEST } else { ROWS_OLDEST };
        let mut statement = connection.prepare_cached(sql)?;
        let range = (room.0, signed(stretch.from), signed(stretch.to), stretch.limit, kind::SHOWN_MAX);
        let mut found = statement.query(range)?;
        let mut page = Vec::new();
        while let Some(row) = found.next()? {
            let seq = Seq(row.get::<_, i64>(0)?.cast_unsigned());
            let extra = row.get_ref(6)?.as_str_or_null().map_err(rusqlite::Error::from)?;
            let (client_tags, status) = rows::said_rare(extra).map_err(|error| spoilt(seq, &error))?;
            let (_, by) = sender(connection, senders, row.get(4)?)?;
            page.push(Row {
                seq,
                number: Number(row.get::<_, i64>(1)?.cast_unsigned()),
                at_ms: row.get::<_, i64>(2)?.cast_unsigned(),
                by,
                kind: rows::say_kind(row.get(3)?).map_err(|error| spoilt(seq, &error))?,
                text: row.get_ref(5)?.as_str().map_err(rusqlite::Error::from)?.into(),
                client_tags,
                status,
            });
        }
        if stretch.newest {
            page.reverse();
        }
        Ok(page)
    }

    fn entries(&mut self, filter: &str, params: (i64, i64)) -> Result<Vec<Entry<Event>>, ReadFailed> {
        let Open { connection, senders } = self;
        let sql = format!(
            "SELECT seq, room, at_ms, kind, sender, basis, body, extra, number FROM ev WHERE {filter}"
        );
        let mut statement = connection.prepare_cached(&sql)?;
        let mut found = statement.query(params)?;
        let mut entries = Vec::new();
        while let Some(row) = found.next()? {
            let seq = Seq(row.get::<_, i64>(0)?.cast_unsigned());
            let number: i64 = row.get(3)?;
            let extra = row.get_ref(7)?.as_str_or_null().map_err(rusqlite::Error::from)?;
            let event = if number < kind::OPENED {
                let (user, by) = sender(connection, senders, row.get(4)?)?;
                rows::said_event(SaidRow {
                    room: row.get(1)?,
                    kind: number,
                    basis: row.get(5)?,
                    user,
                    by,
                    body: row.get_ref(6)?.as_str().map_err(rusqlite::Error::from)?,
                    extra,
                })
            } else {
                rows::other_event(extra)
            };
            entries.push(Entry {
                seq,
                key: Key { origin: Origin(1), n: seq.0 },
                at_ms: row.get::<_, i64>(2)?.cast_unsigned(),
                keep: Keep::Stored,
                event: event.map_err(|error| spoilt(seq, &error))?,
            });
        }
        Ok(entries)
    }

    /// The last message of every room.
    fn heads(&self) -> Result<Vec<(RoomId, Number, u64)>, ReadFailed> {
        let mut rooms = self.connection.prepare_cached("SELECT id FROM room ORDER BY id")?;
        let mut last = self.connection.prepare_cached(
            "SELECT number, at_ms FROM ev
             WHERE room = ?1 AND number IS NOT NULL ORDER BY number DESC LIMIT 1",
        )?;
        let mut heads = Vec::new();
        let mut found = rooms.query(())?;
        while let Some(row) = found.next()? {
            let room: u32 = row.get(0)?;
            let head: Option<(i64, i64)> =
                last.query_row([room], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
            if let Some((number, at_ms)) = head {
                heads.push((RoomId(room), Number(number.cast_unsigned()), at_ms.cast_unsigned()));
            }
        }
        Ok(heads)
    }
}

const ROWS_NEWEST: &str = "SELECT seq, number, at_ms, kind, sender, body, extra FROM ev
    WHERE room = ?1 AND number BETWEEN ?2 AND ?3 AND kind <= ?5 ORDER BY number DESC LIMIT ?4";
const ROWS_OLDEST: &str = "SELECT seq, number, at_ms, kind, sender, body, extra FROM ev
    WHERE room = ?1 AND number BETWEEN ?2 AND ?3 AND kind <= ?5 ORDER BY number LIMIT ?4";

/// Who an interned sender is.
fn sender(
    connection: &Connection,
    senders: &mut HashMap<i64, (UserId, Arc<Who>)>,
    id: i64,
) -> Result<(UserId, Arc<Who>), ReadFailed> {
    if let Some((user, who)) = senders.get(&id) {
        return Ok((*user, Arc::clone(who)));
    }
    let found = connection
        .prepare_cached("SELECT user, nick, ident, host, account FROM sender WHERE id = ?1")?
        .query_row([id], |row| {
            let text = |index| row.get_ref(index)?.as_str().map(Arc::from).map_err(rusqlite::Error::from);
            let account = row.get_ref(4)?.as_str_or_null().map_err(rusqlite::Error::from)?;
            let who = Who { nick: text(1)?, user: text(2)?, host: text(3)?, account: account.map(Arc::from) };
            Ok((UserId(row.get::<_, i64>(0)?.cast_unsigned()), Arc::new(who)))
        })?;
    if senders.len() >= SENDERS_MAX {
        senders.clear();
    }
    senders.insert(id, found.clone());
    Ok(found)
}

fn spoilt(seq: Seq, error: &RowError) -> ReadFailed {
    ReadFailed::Row { seq, reason: error.to_string() }
}
