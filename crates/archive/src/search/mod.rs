//! Full-text search: `search.db`, an index that holds no texts and can be made again from `chat.db` at any time.
//!
//! A thread of its own fills it ([`indexer`]), some hundred milliseconds behind the log. What it does not have yet is
//! asked the same question in a small index in memory (`fresh`), so that what was said a moment ago is found. What
//! is found is read from `chat.db` before anybody sees it, so that nothing which was deleted, hidden or changed meanwhile
//! is shown, however far behind the index is.

mod erased;
mod find;
mod fresh;
mod ids;
pub(crate) mod indexer;
mod named;
mod parts;
mod progress;
mod words;

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension};

pub(crate) use self::find::Index;
pub use self::indexer::Indexer;

/// The name of the index in the data folder.
pub const SEARCH_FILE: &str = "search.db";

/// The form of the index. One of another form is made anew.
const VERSION: i64 = 2;

/// Marks the file as chinwag's index (`PRAGMA application_id`): "chws".
const APPLICATION_ID: i32 = 0x6368_7773;

/// Statements that are kept ready: a part has some of its own.
const STATEMENTS_KEPT: usize = 256;

/// How long it is waited for somebody who keeps the file to himself.
const BUSY_WAIT: Duration = Duration::from_secs(2);

fn connect(file: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(file, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY_WAIT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    Ok(connection)
}

/// The index for writing: as it is, if it is one of this form and for this database, and not ahead of it; or a new
/// one.
fn open(file: &Path, of: &[u8], head: u64) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    let usable = connect(file, flags).and_then(|connection| {
        let fits = fits(&connection, of, head)?;
        Ok(Some(connection).filter(|_| fits))
    });
    if let Ok(Some(connection)) = usable {
        return configured(connection);
    }
    // Whatever is wrong with it: nothing is in there that could not be made again.
    for suffix in ["", "-wal", "-shm"] {
        let mut path = file.as_os_str().to_owned();
        path.push(suffix);
        // That it cannot be removed is said by opening it.
        let _ = std::fs::remove_file(path);
    }
    let mut connection = connect(file, flags)?;
    crate::shrink::prepare(&connection)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    let transaction = connection.transaction()?;
    transaction.execute_batch(parts::TABLES)?;
    transaction.execute("INSERT INTO meta(key, value) VALUES ('of', ?1)", [of])?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.commit()?;
    configured(connection)
}

/// A crash may cost what was indexed last, which is then indexed again; never more.
fn configured(connection: Connection) -> rusqlite::Result<Connection> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(connection)
}

fn fits(connection: &Connection, of: &[u8], head: u64) -> rusqlite::Result<bool> {
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let application: i64 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    if version != VERSION || application != i64::from(APPLICATION_ID) {
        return Ok(false);
    }
    let made_for: Option<Vec<u8>> =
        connection.query_row("SELECT value FROM meta WHERE key = 'of'", (), |row| row.get(0)).optional()?;
    Ok(made_for.as_deref() == Some(of) && position(connection)? <= head)
}

/// Up to where the log is in the index.
fn position(connection: &Connection) -> rusqlite::Result<u64> {
    let mut statement = connection.prepare_cached("SELECT value FROM meta WHERE key = 'position'")?;
    statement.query_row((), |row| row.get::<_, i64>(0)).map(i64::cast_unsigned)
}
