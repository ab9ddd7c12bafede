//! Reading: pages of history, entries of the log, and a chat's state after a restart. Never a full scan.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chinwag_core::aging::{AgeQuery, Aged};
use chinwag_core::chat::Chat;
use chinwag_core::erasing::{Erasable, EraseQuery, Erasure};
use chinwag_core::event::{Event, Who};
use chinwag_core::history::{Page, Query};
use chinwag_core::ids::{Number, RoomId, UserId};
use chinwag_core::pointed::{Answer, Found, Lookup, Question};
use chinwag_core::records::{Records, RecordsQuery, Sift, Sifted};
use chinwag_core::search::{Hits, SearchQuery};
use chinwag_log::{Entry, Keep, Key, Origin, Seq};
use rusqlite::{Connection, OpenFlags};

use crate::room::InRoom;
use crate::rows::{self, RowError, SaidRow, kind};
use crate::schema::RESTORED;
use crate::search::{Index, SEARCH_FILE};
use crate::writer::signed;
use crate::{erase, latest, records};

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
    index: RefCell<Option<Index>>,
}

#[derive(Debug)]
struct Open {
    connection: Connection,
    senders: Senders,
}

/// Who is who, as far as a reader has met them.
pub(crate) type Senders = HashMap<i64, (UserId, Arc<Who>)>;

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

impl Clone for Reader {
    fn clone(&self) -> Self {
        Reader {
            file: Arc::clone(&self.file),
            vfs: self.vfs.clone(),
            open: RefCell::new(None),
            index: RefCell::new(None),
        }
    }
}

impl Reader {
    pub(crate) fn new(file: &Path, vfs: Option<Arc<str>>) -> Self {
        Reader { file: file.into(), vfs, open: RefCell::new(None), index: RefCell::new(None) }
    }

    /// The data folder.
    pub(crate) fn folder(&self) -> &Path {
        self.file.parent().unwrap_or(Path::new("."))
    }

    /// A page of a room's history, oldest first. Messages to some roles only are left out.
    ///
    /// # Errors
    /// When the database cannot be read; the next call tries anew.
    pub fn page(&self, query: &Query) -> Result<Page, ReadFailed> {
        self.with(|open| {
            let room = InRoom::new(&open.connection, query.room)?;
            room.page(query, &mut open.senders)
        })
    }

    /// The answer to a question.
    ///
    /// # Errors
    /// As [`Reader::page`].
    pub fn answer(&self, question: &Question) -> Result<Answer, ReadFailed> {
        match question {
            Question::Page(query) => self.page(query).map(Answer::Page),
            Question::Message(lookup) => self.message(lookup).map(Answer::Message),
            Question::Sift(sift) => self.sift(sift).map(Answer::Sifted),
            Question::Records(query) => self.records(query).map(Answer::Records),
            Question::Search(query) => self.search(query).map(Answer::Search),
            Question::Erasable(query) => self.erasable(query).map(Answer::Erasable),
            Question::Erasures(_) => self.erasures().map(Answer::Erasures),
            Question::Age(query) => self.aged(query).map(Answer::Aged),
        }
    }

    /// A message and what happened to it; none when there is none in that room.
    ///
    /// # Errors
    /// As [`Reader::page`].
    pub fn message(&self, lookup: &Lookup) -> Result<Option<Box<Found>>, ReadFailed> {
        self.with(|open| InRoom::new(&open.connection, lookup.room)?.message(lookup.of, &mut open.senders))
    }

    /// The messages of those whom a purge means.
    ///
    /// # Errors
    /// As [`Reader::page`].
    pub fn sift(&self, sift: &Sift) -> Result<Sifted, ReadFailed> {
        self.with(|open| InRoom::new(&open.connection, sift.room)?.sift(sift, &mut open.senders))
    }

    /// What was done by those who keep a room, or the server.
    ///
    /// # Errors
    /// As [`Reader::page`].
    pub fn records(&self, query: &RecordsQuery) -> Result<Records, ReadFailed> {
        self.with(|open| records::read(&open.connection, query))
    }

    /// How much an erasure would take.
    ///
    /// # Errors
    /// As [`Reader::page`].
    pub fn erasable(&self, query: &EraseQuery) -> Result<Erasable, ReadFailed> {
        self.with(|open| erase::erasable(&open.connection, query, &mut open.senders))
    }

    /// The newest erasures, the newest first, and how far they are.
    ///
    /// # Errors
    /// As [`Reader::page`].
    pub fn erasures(&self) -> Result<Vec<Erasure>, ReadFailed> {
        self.with(|open| Ok(erase::erasures(&open.connection)?))
    }

    /// Up to which message of a room the time is over.
    ///
    /// # Errors
    /// As [`Reader::page`].
    pub fn aged(&self, query: &AgeQuery) -> Result<Aged, ReadFailed> {
        self.with(|open| InRoom::new(&open.connection, query.room)?.aged(query))
    }

    /// The newest messages with certain words, from the index that an [`crate::Indexer`] makes, and from what is not in it
    /// yet. Where there is no index, only the newest entries are looked through.
    ///
    /// # Errors
    /// As [`Reader::page`].
    pub fn search(&self, query: &SearchQuery) -> Result<Hits, ReadFailed> {
        let mut slot = self.index.borrow_mut();
        let mut index = match slot.take() {
            Some(index) => index,
            None => Index::new(self.file.with_file_name(SEARCH_FILE))?,
        };
        // After a failure it is opened anew.
        let found = self.with(|open| index.find(&open.connection, query, &mut open.senders))?;
        *slot = Some(index);
        Ok(found)
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
                let filter = format!("{RESTORED} AND seq > ?1 ORDER BY seq LIMIT ?2");
                open.entries(&filter, (after, STEP))
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
            } else if number == kind::READ_MARKED {
                let body = row.get_ref(6)?.as_str().map_err(rusqlite::Error::from)?;
                latest::marked(body, row.get(5)?)
            } else {
                let body = row.get_ref(6)?.as_str_or_null().map_err(rusqlite::Error::from)?;
                rows::other_event(extra, body)
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
        let mut found = rooms.query(())?;
        let mut heads = Vec::new();
        while let Some(row) = found.next()? {
            let room = RoomId(row.get(0)?);
            if let Some((number, at_ms)) = InRoom::new(&self.connection, room)?.head()? {
                heads.push((room, Number(number), at_ms));
            }
        }
        Ok(heads)
    }
}

/// Who an interned sender is.
pub(crate) fn sender(
    connection: &Connection,
    senders: &mut Senders,
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

/// A row that makes no sense.
pub(crate) fn spoilt(seq: Seq, error: &RowError) -> ReadFailed {
    ReadFailed::Row { seq, reason: error.to_string() }
}
