//! `files.db`: links, whose they are, and which messages point at them.
//!
//! What is on the disk and what is in the database change in an order in which a crash loses nothing: a content is there
//! before its link is, and goes after it. What a crash leaves behind is a content without a link, which the next start
//! finds and removes.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chinwag_archive::{Followed, Follower};
use rusqlite::{Connection, OptionalExtension, Row};

use crate::content::{self, Complete};
use crate::{COMING, DATABASE, FOLDER, Media, PATH, draw, name};

/// How long it is waited for somebody who keeps the database to himself.
pub(crate) const BUSY_WAIT: Duration = Duration::from_secs(5);

/// How long a file stays at which no message ever pointed, in milliseconds.
pub(crate) const GRACE_MS: u64 = 60 * 60 * 1000;

/// References that are looked at once more in one step.
const AGAIN_STEP: u32 = 500;

/// Files of one owner that are listed at once.
const LIST_MAX: u32 = 200;

/// The form of the tables.
const VERSION: i64 = 1;

/// Marks the file as chinwag's (`PRAGMA application_id`): "chwf".
const APPLICATION_ID: i32 = 0x6368_7766;

/// `link` has a row for each file that was handed in: `owner` is by whom its bytes are counted, `by` what people call
/// them, `since_ms` from when its grace counts, `said` whether a message ever pointed at it. `reference` has a row for
/// each message (by its position in the log) and each link in it. `meta` says of which database it is, and up to which
/// position of its log.
const TABLES: &str = "
CREATE TABLE link(
    id       TEXT PRIMARY KEY,
    hash     BLOB NOT NULL,
    name     TEXT NOT NULL,
    media    TEXT NOT NULL,
    size     INTEGER NOT NULL,
    owner    TEXT NOT NULL,
    by       TEXT NOT NULL,
    room     TEXT,
    at_ms    INTEGER NOT NULL,
    since_ms INTEGER NOT NULL,
    said     INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX link_hash ON link(hash);
CREATE INDEX link_owner ON link(owner, at_ms);
CREATE INDEX link_unsaid ON link(since_ms) WHERE said = 0;
CREATE TABLE reference(
    seq    INTEGER NOT NULL,
    id     TEXT NOT NULL,
    room   INTEGER NOT NULL,
    hidden INTEGER NOT NULL,
    PRIMARY KEY(seq, id)
) WITHOUT ROWID;
CREATE INDEX reference_id ON reference(id);
CREATE INDEX reference_room ON reference(room, seq);
CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;
";

/// Why a file was not kept.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// Whoever handed it in has used up what there is for one.
    #[error("that is more than the {limit} bytes that there are for you, of which {used} are used")]
    Quota {
        /// What is used.
        used: u64,
        /// What there is.
        limit: u64,
    },
    /// All together have.
    #[error("the server keeps no more files at the moment")]
    Full,
    /// The disk did not take it.
    #[error("the disk: {0}")]
    Disk(#[from] io::Error),
    /// The database did not.
    #[error("the database of files: {0}")]
    Database(#[from] rusqlite::Error),
}

/// How much may be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one owner.
    pub of_owner: u64,
    /// Bytes of all contents.
    pub total: u64,
}

/// A file that is to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct New {
    /// Its name; as [`name::safe`] makes it.
    pub name: String,
    /// By whom its bytes are counted.
    pub owner: String,
    /// What people call them.
    pub by: String,
    /// The room that it was handed in for.
    pub room: Option<String>,
}

/// A file that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its link's name.
    pub id: String,
    /// Its own.
    pub name: String,
    /// What it is.
    pub media: Media,
    /// Its bytes.
    pub size: u64,
    /// Its content.
    pub content: PathBuf,
    /// The content's SHA-256, in lower-case hexadecimal.
    pub sha256: String,
    /// By whom its bytes are counted.
    pub owner: String,
    /// What people call them.
    pub by: String,
    /// The room that it was handed in for.
    pub room: Option<String>,
    /// When, in milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// How many messages point at it.
    pub messages: u64,
}

/// How much there is, for others to read at any time.
#[derive(Debug, Default)]
pub struct Figures {
    links: AtomicU64,
    bytes: AtomicU64,
}

impl Figures {
    /// Files, by their links.
    pub fn links(&self) -> u64 {
        self.links.load(Ordering::Relaxed)
    }

    /// Bytes of their contents.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}

/// How much somebody keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Used {
    /// Files.
    pub files: u64,
    /// Bytes.
    pub bytes: u64,
}

/// The store of a data folder. There is one at a time.
#[derive(Debug)]
pub struct Store {
    data: PathBuf,
    connection: Connection,
    figures: Arc<Figures>,
    /// References went since it was last looked for files without one.
    went: bool,
    /// All references are being looked at once more, and those up to this position were.
    again: Option<u64>,
    /// How much had been erased in the log when that was begun.
    erased: i64,
}

const COLUMNS: &str =
    "link.id, link.name, link.media, link.size, link.hash, link.owner, link.by, link.room, link.at_ms,
    (SELECT count(*) FROM reference WHERE reference.id = link.id)";

impl Store {
    /// Opens the store of a data folder, which is made when there is none, and removes what a crash left behind. When the
    /// log is not the one that was followed, or goes back behind it, all of it is read again. `figures` is kept up to date.
    ///
    /// # Errors
    /// When the database cannot be opened, or the folder not be read.
    pub fn open(
        data: &Path,
        log: &mut Follower,
        figures: Arc<Figures>,
        now_ms: u64,
    ) -> Result<Store, Refused> {
        let mut connection = Connection::open(data.join(DATABASE))?;
        connection.busy_timeout(BUSY_WAIT)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // A link that was handed out is there after a crash.
        connection.pragma_update(None, "synchronous", "FULL")?;
        let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if version == 0 {
            let transaction = connection.transaction()?;
            transaction.execute_batch(TABLES)?;
            transaction.pragma_update(None, "user_version", VERSION)?;
            transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
            transaction.commit()?;
        } else if version > VERSION {
            return Err(io::Error::other("files.db was written by a newer chinwag").into());
        }
        let mut store =
            Store { data: data.to_owned(), connection, figures, went: true, again: Some(0), erased: 0 };
        store.belong(log, now_ms)?;
        store.sweep()?;
        store.count()?;
        Ok(store)
    }

    /// Makes sure that what is known of messages is about this log.
    fn belong(&mut self, log: &mut Follower, now_ms: u64) -> Result<(), Refused> {
        let of: Vec<u8> = log.of().iter().flat_map(|half| half.to_be_bytes()).collect();
        let known: Option<Vec<u8>> = self
            .connection
            .query_row("SELECT value FROM meta WHERE key = 'of'", (), |row| row.get(0))
            .optional()?;
        if known.as_ref() == Some(&of) && self.position()? <= log.head()? {
            return Ok(());
        }
        let transaction = self.connection.transaction()?;
        transaction.execute("DELETE FROM reference", ())?;
        transaction.execute("UPDATE link SET said = 0, since_ms = ?1", [now_ms.cast_signed()])?;
        let set = "INSERT INTO meta(key, value) VALUES (?1, ?2) ON CONFLICT(key) DO UPDATE SET value = ?2";
        transaction.execute(set, ("of", of))?;
        transaction.execute(set, ("position", 0))?;
        transaction.commit()?;
        Ok(())
    }

    /// Removes what was coming in, contents without a link, and links without a content.
    fn sweep(&mut self) -> Result<(), Refused> {
        let folder = self.data.join(FOLDER);
        let coming = folder.join(COMING);
        let _ = fs::remove_dir_all(&coming);
        fs::create_dir_all(&coming)?;
        for part in fs::read_dir(&folder)? {
            let part = part?;
            let Some(prefix) = part.file_name().to_str().filter(|name| name.len() == 2).map(str::to_owned)
            else {
                continue;
            };
            for content in fs::read_dir(part.path())? {
                let content = content?;
                let name = content.file_name();
                let bare = name.to_str().map(|name| name.trim_end_matches(SMALL));
                let Some(hash) = bare.and_then(|bare| content::hash_of(&prefix, bare)) else { continue };
                if !self.has(&hash)? {
                    tracing::info!("a file that nothing leads to was removed");
                    fs::remove_file(content.path())?;
                }
            }
        }
        let mut statement = self.connection.prepare("SELECT id, hash FROM link")?;
        let all = statement.query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?;
        let gone: Vec<String> = all
            .filter(|found| {
                found
                    .as_ref()
                    .is_ok_and(|(_, hash): &(String, Vec<u8>)| !content::path(&self.data, hash).exists())
            })
            .collect::<rusqlite::Result<Vec<_>>>()?
            .into_iter()
            .map(|(id, _)| id)
            .collect();
        drop(statement);
        for id in gone {
            tracing::warn!(%id, "the content of a file is missing: its link goes");
            self.forget(&id)?;
        }
        Ok(())
    }

    fn has(&self, hash: &[u8]) -> rusqlite::Result<bool> {
        self.connection.prepare_cached("SELECT 1 FROM link WHERE hash = ?1")?.exists([hash])
    }

    fn count(&mut self) -> rusqlite::Result<()> {
        let links: i64 = self.connection.query_row("SELECT count(*) FROM link", (), |row| row.get(0))?;
        let bytes: i64 = self.connection.query_row(
            "SELECT ifnull(sum(size), 0) FROM (SELECT max(size) AS size FROM link GROUP BY hash)",
            (),
            |row| row.get(0),
        )?;
        self.figures.links.store(links.cast_unsigned(), Ordering::Relaxed);
        self.figures.bytes.store(bytes.cast_unsigned(), Ordering::Relaxed);
        Ok(())
    }

    fn position(&self) -> rusqlite::Result<u64> {
        let sql = "SELECT value FROM meta WHERE key = 'position'";
        let found: Option<i64> = self.connection.query_row(sql, (), |row| row.get(0)).optional()?;
        Ok(found.unwrap_or(0).cast_unsigned())
    }

    /// What an owner keeps.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn used(&self, owner: &str) -> Result<Used, Refused> {
        let sql = "SELECT count(*), ifnull(sum(size), 0) FROM link WHERE owner = ?1";
        let used = self.connection.prepare_cached(sql)?.query_row([owner], |row| {
            Ok(Used {
                files: row.get::<_, i64>(0)?.cast_unsigned(),
                bytes: row.get::<_, i64>(1)?.cast_unsigned(),
            })
        })?;
        Ok(used)
    }

    /// Whether so many bytes more of an owner may be kept.
    ///
    /// # Errors
    /// [`Refused::Quota`] and [`Refused::Full`].
    pub fn has_room(&self, owner: &str, size: u64, limits: Limits) -> Result<(), Refused> {
        let Used { bytes: used, .. } = self.used(owner)?;
        if used.saturating_add(size) > limits.of_owner {
            return Err(Refused::Quota { used, limit: limits.of_owner });
        }
        // Whether a content is there already is not to be found out: it counts as if it were not.
        if self.figures.bytes().saturating_add(size) > limits.total {
            return Err(Refused::Full);
        }
        Ok(())
    }

    /// Keeps a content that has come whole, under a link of its own. When this returns, it is on the disk.
    ///
    /// # Errors
    /// [`Refused`]; nothing is kept then.
    pub fn keep(
        &mut self,
        new: &New,
        mut complete: Complete,
        limits: Limits,
        log: &mut Follower,
        now_ms: u64,
    ) -> Result<File, Refused> {
        self.has_room(&new.owner, complete.size, limits)?;
        if self.figures.links() == 0 {
            // What was said before there was any file points at none.
            self.set_position(log.head()?)?;
        }
        let known = self.has(&complete.hash)?;
        let content = content::path(&self.data, &complete.hash);
        if !known {
            let folder = content.parent().unwrap_or(&self.data);
            if !folder.is_dir() {
                fs::create_dir_all(folder)?;
                content::sync_folder(&self.data.join(FOLDER));
            }
            fs::rename(complete.place.path(), &content)?;
            complete.place.taken();
            content::sync_folder(folder);
        }
        let id = draw();
        let insert = "INSERT INTO link(id, hash, name, media, size, owner, by, room, at_ms, since_ms)
                      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9)";
        let row = (
            &id,
            &complete.hash,
            &new.name,
            complete.media.name(),
            complete.size.cast_signed(),
            &new.owner,
            &new.by,
            &new.room,
            now_ms.cast_signed(),
        );
        if let Err(error) = self.connection.execute(insert, row) {
            if !known {
                let _ = fs::remove_file(&content);
            }
            return Err(error.into());
        }
        self.figures.links.fetch_add(1, Ordering::Relaxed);
        if !known {
            self.figures.bytes.fetch_add(complete.size, Ordering::Relaxed);
        }
        self.get(&id)?.ok_or_else(|| rusqlite::Error::QueryReturnedNoRows.into())
    }

    fn read(&self, row: &Row<'_>) -> rusqlite::Result<File> {
        let (media, hash): (String, Vec<u8>) = (row.get(2)?, row.get(4)?);
        Ok(File {
            id: row.get(0)?,
            name: row.get(1)?,
            media: Media::named(&media),
            size: row.get::<_, i64>(3)?.cast_unsigned(),
            content: content::path(&self.data, &hash),
            sha256: hash.iter().map(|byte| format!("{byte:02x}")).collect(),
            owner: row.get(5)?,
            by: row.get(6)?,
            room: row.get(7)?,
            at_ms: row.get::<_, i64>(8)?.cast_unsigned(),
            messages: row.get::<_, i64>(9)?.cast_unsigned(),
        })
    }

    /// A file, whoever may see it.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn get(&self, id: &str) -> Result<Option<File>, Refused> {
        let sql = format!("SELECT {COLUMNS} FROM link WHERE id = ?1");
        Ok(self.connection.prepare_cached(&sql)?.query_row([id], |row| self.read(row)).optional()?)
    }

    /// A file, if whoever has its link may see it: not while every message that pointed at it is hidden.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn find(&self, id: &str) -> Result<Option<File>, Refused> {
        let sql = format!(
            "SELECT {COLUMNS} FROM link WHERE id = ?1 AND (said = 0 OR EXISTS
             (SELECT 1 FROM reference WHERE reference.id = link.id AND hidden = 0))"
        );
        Ok(self.connection.prepare_cached(&sql)?.query_row([id], |row| self.read(row)).optional()?)
    }

    /// Files, the newest first: of one owner, or of all; those before a moment.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn list(
        &self,
        owner: Option<&str>,
        before_ms: Option<u64>,
        limit: u32,
    ) -> Result<Vec<File>, Refused> {
        let sql = format!(
            "SELECT {COLUMNS} FROM link WHERE (?1 IS NULL OR owner = ?1) AND at_ms < ?2 ORDER BY at_ms DESC, id LIMIT ?3"
        );
        let before = before_ms.map_or(i64::MAX, u64::cast_signed);
        let mut statement = self.connection.prepare_cached(&sql)?;
        let files = statement.query_map((owner, before, limit.min(LIST_MAX)), |row| self.read(row))?;
        Ok(files.collect::<rusqlite::Result<_>>()?)
    }

    /// Removes a file: its link, and its content when no other link leads there. Says whether there was one.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn remove(&mut self, id: &str) -> Result<bool, Refused> {
        let Some(file) = self.get(id)? else { return Ok(false) };
        self.forget(id)?;
        self.figures.links.fetch_sub(1, Ordering::Relaxed);
        let hash: Option<Vec<u8>> = file
            .sha256
            .get(..2)
            .zip(file.sha256.get(2..))
            .and_then(|(folder, name)| content::hash_of(folder, name));
        if let Some(hash) = hash
            && !self.has(&hash)?
        {
            self.figures.bytes.fetch_sub(file.size, Ordering::Relaxed);
            // What cannot be removed now is removed at the next start.
            if let Err(error) = fs::remove_file(&file.content) {
                tracing::warn!(%error, "the content of a file that went stays for now");
            }
            let _ = fs::remove_file(small(&file.content));
        }
        Ok(true)
    }

    fn forget(&mut self, id: &str) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        transaction.execute("DELETE FROM reference WHERE id = ?1", [id])?;
        transaction.execute("DELETE FROM link WHERE id = ?1", [id])?;
        transaction.commit()
    }

    fn set_position(&self, position: u64) -> rusqlite::Result<()> {
        let set = "UPDATE meta SET value = ?1 WHERE key = 'position'";
        self.connection.prepare_cached(set)?.execute([position.cast_signed()]).map(drop)
    }

    /// Follows the log by one step, and removes what nothing points at any more once it has read all of it. Says
    /// whether there is more to read.
    ///
    /// # Errors
    /// When a database cannot be read or written; the next call goes on where this one did.
    pub fn follow(&mut self, log: &mut Follower, now_ms: u64) -> Result<bool, Refused> {
        if self.figures.links() == 0 {
            return Ok(false);
        }
        let step = log.step(self.position()?, PATH)?;
        let transaction = self.connection.transaction()?;
        for message in &step.messages {
            self.went |= note(&transaction, message)?;
        }
        for (room, position) in &step.expired {
            let over = "DELETE FROM reference WHERE room = ?1 AND seq <= ?2";
            self.went |= transaction.prepare_cached(over)?.execute((room, position.cast_signed()))? > 0;
        }
        transaction
            .prepare_cached("UPDATE meta SET value = ?1 WHERE key = 'position'")?
            .execute([step.position.cast_signed()])?;
        transaction.commit()?;
        if step.more {
            return Ok(true);
        }
        let more = self.look_again(log)?;
        self.collect(now_ms)?;
        Ok(more)
    }

    /// Looks at some references once more, after a start and when something was erased: no event tells of each message to
    /// which that happens. Says whether there are more to be looked at.
    fn look_again(&mut self, log: &mut Follower) -> Result<bool, Refused> {
        let erased = log.erased()?;
        if erased != self.erased && self.again.is_none() {
            self.again = Some(0);
        }
        let Some(after) = self.again else { return Ok(false) };
        if after == 0 {
            self.erased = erased;
        }
        let sql = "SELECT DISTINCT seq FROM reference WHERE seq > ?1 ORDER BY seq LIMIT ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let seqs = statement.query_map((after.cast_signed(), AGAIN_STEP), |row| row.get::<_, i64>(0))?;
        let seqs: Vec<u64> = seqs.map(|seq| seq.map(i64::cast_unsigned)).collect::<rusqlite::Result<_>>()?;
        drop(statement);
        let found = log.texts(&seqs)?;
        let transaction = self.connection.transaction()?;
        for seq in &seqs {
            match found.iter().find(|message| message.seq == *seq) {
                Some(message) => self.went |= note(&transaction, message)?,
                None => {
                    let gone = "DELETE FROM reference WHERE seq = ?1";
                    self.went |= transaction.prepare_cached(gone)?.execute([seq.cast_signed()])? > 0;
                }
            }
        }
        transaction.commit()?;
        let more = seqs.len() == AGAIN_STEP as usize;
        self.again = seqs.last().copied().filter(|_| more);
        Ok(more)
    }

    /// Removes what nothing points at: at once where something did, after a while where nothing ever did. All of the log
    /// has been read.
    fn collect(&mut self, now_ms: u64) -> Result<(), Refused> {
        let unsaid = "SELECT id FROM link WHERE said = 0 AND since_ms < ?1";
        let mut gone = self.ids(unsaid, now_ms.saturating_sub(GRACE_MS))?;
        if self.went {
            let over = "SELECT id FROM link WHERE said = 1 AND ?1 >= 0
                        AND NOT EXISTS (SELECT 1 FROM reference WHERE reference.id = link.id)";
            gone.extend(self.ids(over, 0)?);
        }
        for id in gone {
            self.remove(&id)?;
        }
        self.went = false;
        Ok(())
    }

    fn ids(&self, sql: &str, bound: u64) -> rusqlite::Result<Vec<String>> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let ids = statement.query_map([bound.cast_signed()], |row| row.get(0))?;
        ids.collect()
    }
}

/// Notes what a message points at now. Says whether it pointed at something before.
fn note(connection: &Connection, message: &Followed) -> rusqlite::Result<bool> {
    let seq = message.seq.cast_signed();
    let before = connection.prepare_cached("DELETE FROM reference WHERE seq = ?1")?.execute([seq])?;
    for id in message.text.iter().flat_map(|text| name::links(text)) {
        let insert = "INSERT OR IGNORE INTO reference(seq, id, hidden, room) SELECT ?1, id, ?3, ?4 FROM link WHERE id = ?2";
        connection.prepare_cached(insert)?.execute((seq, id, message.hidden, message.room))?;
        connection.prepare_cached("UPDATE link SET said = 1 WHERE id = ?1 AND said = 0")?.execute([id])?;
    }
    Ok(before > 0)
}

/// How the name of a small picture ends; the rest is its picture's.
const SMALL: &str = ".small";

/// Where the small picture of a content is.
pub(crate) fn small(content: &Path) -> PathBuf {
    let mut name = content.as_os_str().to_owned();
    name.push(SMALL);
    PathBuf::from(name)
}
