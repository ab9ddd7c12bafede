//! Opening the data folder: its lock, the database, its version, and what the log begins with.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use chinwag_core::chat::Chat;
use chinwag_log::Seq;
use chinwag_wire::casemap::CaseMapping;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, TransactionBehavior};

use crate::copy::CopyError;
use crate::follow::Follower;
use crate::log::{Bounds, Shared, SqliteLog};
use crate::reader::{ReadFailed, Reader};
use crate::search::Indexer;
use crate::times::Times;
use crate::writer::{Writer, signed};
use crate::{DATABASE_FILE, LOCK_FILE, QUEUE_BYTES_MAX, QUEUE_EVENTS_MAX, schema, shrink, snapshot};

/// How long to wait for another program (a backup, a shell) that holds the database.
pub(crate) const BUSY_WAIT: Duration = Duration::from_secs(2);

/// The writer's page cache, in KiB. It grows to this only when that many pages are in use.
const WRITER_CACHE_KIB: i32 = 8 * 1024;

/// When the clock was set back, keys begin so far above the last known first one: more than a run ever uses.
const KEYS_A_RUN: u64 = 1 << 32;

/// How to open the archive.
#[derive(Clone, Debug)]
pub struct Options {
    /// Milliseconds since the Unix epoch: keys of this run begin above it.
    pub now_ms: u64,
    /// Which names are the same, for a database that is made now.
    pub casemapping: CaseMapping,
    /// The bound on events under way (appended, not yet taken as arrivals).
    pub queue_events_max: usize,
    /// The bound on their bytes of text.
    pub queue_bytes_max: usize,
    /// A limit on the size of the database.
    pub page_limit: PageLimit,
    /// Times are kept as they are proposed, for what was said long ago. Otherwise they are made monotone.
    pub keep_times: bool,
    /// SQLite's name of the layer over the operating system; none for the default one.
    pub vfs: Option<Arc<str>>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            now_ms: 0,
            casemapping: CaseMapping::default(),
            queue_events_max: QUEUE_EVENTS_MAX,
            queue_bytes_max: QUEUE_BYTES_MAX,
            page_limit: PageLimit::default(),
            keep_times: false,
            vfs: None,
        }
    }
}

/// A limit on the size of the database, in pages of 4 KiB; 0 for none. Shared: it can be changed while the log
/// runs and is heeded from the next transaction on. Reaching it is the same as a full disk.
#[derive(Clone, Debug, Default)]
pub struct PageLimit(Arc<AtomicU32>);

impl PageLimit {
    /// The limit in pages; 0 for none.
    pub fn get(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }

    /// Changes the limit; 0 for none. A limit below the size that there is stops growth.
    pub fn set(&self, pages: u32) {
        self.0.store(pages, Ordering::Relaxed);
    }
}

/// What the database says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meta {
    /// The key of msgids, made at random when the database was created.
    pub msgid_key: [u64; 2],
    /// Which names are the same; since what is stored was decided by it, it stays as it was at first.
    pub casemapping: CaseMapping,
    /// The origin of this node's events.
    pub origin: u32,
    /// The first key that this run may give. Above all that any run before it gave.
    pub first_key: u64,
}

/// An open archive.
#[derive(Debug)]
pub struct Opened {
    /// The log.
    pub log: SqliteLog,
    /// What reads history. Clone it for every thread.
    pub reader: Reader,
    /// What the database says about itself.
    pub meta: Meta,
}

impl Opened {
    /// Starts the thread that keeps the index for searching. Dropping it ends it.
    ///
    /// # Errors
    /// When there is no thread.
    pub fn index(&self) -> std::io::Result<Indexer> {
        self.log.index(self.reader.folder(), self.meta.msgid_key)
    }

    /// What follows the log from outside, for who keeps something about messages in a database of its own.
    pub fn follower(&self) -> Follower {
        Follower::new(self.reader.folder(), self.meta.msgid_key)
    }

    /// Brings a new chat to the state that is stored. See [`Reader::restore`].
    ///
    /// # Errors
    /// When reading fails.
    pub fn restore(&self, chat: &mut Chat) -> Result<(), ReadFailed> {
        self.reader.restore(chat)
    }
}

/// Why the archive cannot be opened: one sentence that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder cannot be created or written.
    #[error("cannot write to the data folder {}: {source}; change its permissions or give another one with --data", .dir.display())]
    NotWritable {
        /// The folder.
        dir: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another chinwag runs on the folder.
    #[error("the data folder {} is in use by another chinwag{}; stop that one or give another folder with --data", .dir.display(), process(.pid))]
    InUse {
        /// The folder.
        dir: PathBuf,
        /// The other's process, when it could be read.
        pid: Option<u32>,
    },
    /// The database was written by a newer version.
    #[error("{} was written by a newer chinwag (form {found}, this one knows up to {known}); run that version or newer", .file.display())]
    NewerSchema {
        /// The database.
        file: PathBuf,
        /// Its form.
        found: i64,
        /// The newest form that this program knows.
        known: i64,
    },
    /// The file is something else.
    #[error("{} is not a chinwag database; move it away or give another folder with --data", .file.display())]
    Foreign {
        /// The file.
        file: PathBuf,
    },
    /// The file is damaged.
    #[error("{} is damaged ({reason}); restore it from a backup", .file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// What was found.
        reason: String,
    },
    /// Not enough space to open it.
    #[error("the disk is full: {} cannot be opened; free some space and start again", .file.display())]
    Full {
        /// The file.
        file: PathBuf,
    },
    /// There is no copy of what is there, and without one nothing is changed.
    #[error("the data has to be brought to a new form, and a copy could not be made first: {0}")]
    Snapshot(#[source] Box<CopyError>),
    /// Anything else.
    #[error("cannot open {}: {source}; check that the folder is on a local disk and not in use by another program", .file.display())]
    Storage {
        /// The file.
        file: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// The writer's thread could not be started.
    #[error("cannot start the log's thread: {0}; raise the limit on processes and start again")]
    Thread(#[source] std::io::Error),
}

fn process(pid: &Option<u32>) -> String {
    pid.map(|pid| format!(" (process {pid})")).unwrap_or_default()
}

/// Opens the archive in a folder, which is created when it is missing, and starts the log's writer.
///
/// # Errors
/// See [`OpenError`]; its text is meant for the person who started the server.
pub fn open(dir: &Path, options: Options) -> Result<Opened, OpenError> {
    let not_writable = |source| OpenError::NotWritable { dir: dir.to_owned(), source };
    fs::create_dir_all(dir).map_err(not_writable)?;
    let lock = lock_folder(dir)?;
    let file = dir.join(DATABASE_FILE);
    // SQLite says only that it cannot open a file; the system says why.
    OpenOptions::new().append(true).create(true).open(&file).map_err(not_writable)?;
    let explain = |source| explain(&file, source);
    let mut connection = connect(&file, options.vfs.as_deref()).map_err(explain)?;
    let found = recognise(&connection, &file)?;
    if found == 0 {
        begin_empty(&connection, &file)?;
    }
    let wal_pages = configure(&mut connection).map_err(explain)?;
    if (1..schema::VERSION).contains(&found) {
        let made = snapshot::before_upgrade(&connection, dir, found, options.now_ms);
        let file = made.map_err(|error| OpenError::Snapshot(Box::new(error)))?;
        tracing::info!(from = found, to = schema::VERSION, snapshot = %file.display(), "a new form of the data");
    }
    let (meta, head, last_ms) = prepare(&mut connection, found, &options).map_err(explain)?;
    let bounds = Bounds { events: options.queue_events_max, bytes: options.queue_bytes_max };
    let shared = Arc::new(Shared::new(head, bounds));
    let reader = Reader::new(&file, options.vfs.clone());
    let log = SqliteLog::new(Arc::clone(&shared), reader.clone());
    let times = Times { last_ms, kept: options.keep_times };
    let writer = Writer { connection, shared, page_limit: options.page_limit, times, wal_pages, lock };
    thread::Builder::new().name("log".to_owned()).spawn(move || writer.run()).map_err(OpenError::Thread)?;
    Ok(Opened { log, reader, meta })
}

/// Takes the folder for this process, as long as the file stays open.
pub(crate) fn lock_folder(dir: &Path) -> Result<File, OpenError> {
    let not_writable = |source| OpenError::NotWritable { dir: dir.to_owned(), source };
    let path = dir.join(LOCK_FILE);
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(not_writable)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            // The number is a help for people, no more: without it the message is the same but shorter.
            let pid = file.read_to_string(&mut text).ok().and_then(|_| text.trim().parse().ok());
            return Err(OpenError::InUse { dir: dir.to_owned(), pid });
        }
        Err(TryLockError::Error(source)) => return Err(not_writable(source)),
    }
    // Also only for people: a full disk must not keep a server from reading.
    let _ = file
        .set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| file.write_all(format!("{}\n", std::process::id()).as_bytes()));
    Ok(file)
}

fn connect(file: &Path, vfs: Option<&str>) -> rusqlite::Result<Connection> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = match vfs {
        Some(vfs) => Connection::open_with_flags_and_vfs(file, flags, vfs)?,
        None => Connection::open_with_flags(file, flags)?,
    };
    connection.busy_timeout(BUSY_WAIT)?;
    Ok(connection)
}

/// The form of the database; 0 when it is empty.
pub(crate) fn recognise(connection: &Connection, file: &Path) -> Result<i64, OpenError> {
    let explain = |source| explain(file, source);
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let found = pragma("user_version").map_err(explain)?;
    let application = pragma("application_id").map_err(explain)?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", (), |row| row.get(0)).map_err(explain)?;
    let ours = application == i64::from(schema::APPLICATION_ID);
    if !ours && (tables > 0 || found > 0 || application != 0) {
        return Err(OpenError::Foreign { file: file.to_owned() });
    }
    if found > schema::VERSION {
        let file = file.to_owned();
        return Err(OpenError::NewerSchema { file, found, known: schema::VERSION });
    }
    Ok(found)
}

/// Makes an empty file a database in WAL mode. One sync at the end instead of SQLite's many: there is nothing yet
/// that could be lost, but the file must be on the disk before the log file is, which is worth nothing without it.
fn begin_empty(connection: &Connection, file: &Path) -> Result<(), OpenError> {
    let explain = |source| explain(file, source);
    connection.pragma_update(None, "synchronous", "OFF").map_err(explain)?;
    shrink::prepare(connection).map_err(explain)?;
    connection.pragma_update(None, "journal_mode", "WAL").map_err(explain)?;
    let synced = OpenOptions::new().append(true).open(file).and_then(|file| file.sync_all());
    synced.map_err(|source| OpenError::NotWritable { dir: file.to_owned(), source })
}

/// Sets what holds for the connection, and counts the pages of the log file.
fn configure(connection: &mut Connection) -> rusqlite::Result<Arc<AtomicU32>> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    // What is deleted is overwritten, and not only given up.
    connection.pragma_update(None, "secure_delete", "ON")?;
    connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    let wal_pages = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&wal_pages);
    // In place of SQLite's own checkpoints, which hide their errors and come before the commit is reported.
    connection.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages: i32| {
        counter.store(pages.unsigned_abs(), Ordering::Relaxed);
        Ok(())
    }))?;
    Ok(wal_pages)
}

/// Brings the tables up to date and reads what the log begins with: the database's own facts, the position of
/// the last entry and its time.
fn prepare(connection: &mut Connection, found: i64, options: &Options) -> rusqlite::Result<(Meta, Seq, u64)> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    schema::migrate(&transaction, found)?;
    transaction.execute_batch(
        "INSERT OR IGNORE INTO meta(key, value) VALUES ('msgid_key', randomblob(16)), ('origin', 1), ('placed', 0);
         DELETE FROM meta WHERE key = 'probe';",
    )?;
    // Databases from before the choice have what there was.
    let mapping = if found == 0 { options.casemapping } else { CaseMapping::Ascii };
    transaction
        .execute("INSERT OR IGNORE INTO meta(key, value) VALUES ('casemapping', ?1)", [mapping.name()])?;
    let fact = "SELECT value FROM meta WHERE key = ?1";
    let mapping: String = transaction.query_row(fact, ["casemapping"], |row| row.get(0))?;
    let casemapping = CaseMapping::from_name(&mapping).ok_or(rusqlite::Error::InvalidQuery)?;
    let key: [u8; 16] = transaction.query_row(fact, ["msgid_key"], |row| row.get(0))?;
    let origin: u32 = transaction.query_row(fact, ["origin"], |row| row.get(0))?;
    let before: Option<i64> = transaction.query_row(fact, ["first_key"], |row| row.get(0)).optional()?;
    let (head, last_ms) = transaction
        .query_row("SELECT seq, at_ms FROM ev ORDER BY seq DESC LIMIT 1", (), |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
        })
        .optional()?
        .unwrap_or((0, 0));
    let head = head.cast_unsigned();
    // After a crash: what was not placed before it.
    schema::place(&transaction, head)?;
    let mut first_key = (options.now_ms << 20).max(head + 1);
    if let Some(before) = before.map(i64::cast_unsigned)
        && first_key <= before
    {
        first_key = before + KEYS_A_RUN;
    }
    transaction
        .execute("INSERT OR REPLACE INTO meta(key, value) VALUES ('first_key', ?1)", [signed(first_key)])?;
    transaction.commit()?;
    let (high, low) = key.split_at(8);
    let half = |bytes: &[u8]| bytes.iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
    let meta = Meta { msgid_key: [half(high), half(low)], casemapping, origin, first_key };
    Ok((meta, Seq(head), last_ms.cast_unsigned()))
}

/// What SQLite said, as a sentence for people.
fn explain(file: &Path, source: rusqlite::Error) -> OpenError {
    let file = file.to_owned();
    match source.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => OpenError::Foreign { file },
        Some(ErrorCode::DatabaseCorrupt) => OpenError::Damaged { file, reason: source.to_string() },
        Some(ErrorCode::DiskFull) => OpenError::Full { file },
        _ => OpenError::Storage { file, source },
    }
}
