//! A look at a data folder without changing it: what `chinwag doctor` asks.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use crate::copy::{self, CopyError};
use crate::search::SEARCH_FILE;
use crate::{DATABASE_FILE, schema};

/// Milliseconds of a day.
const DAY_MS: u64 = 86_400_000;

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Examined {
    /// The form of the tables, and the one that this program writes.
    pub form: (i64, i64),
    /// What is wrong with the database; nothing where it is whole.
    pub damage: Option<String>,
    /// The position of the last event, and its time in milliseconds since the Unix epoch; the latest time of the last
    /// thousand.
    pub head: (u64, u64),
    /// Events of the last seven days.
    pub events_of_week: u64,
    /// Bytes of the database, its log file and the index of words.
    pub bytes: u64,
    /// Bytes of the database that hold nothing: they are used for what is stored next.
    pub free_bytes: u64,
    /// Entries that are not in the index of words; none where there is no index.
    pub index_behind: Option<u64>,
}

/// Looks at the folder; a server may run meanwhile. Reads the whole database.
///
/// # Errors
/// [`CopyError`] when there is none, or it cannot be opened at all.
pub fn examine(data: &Path, now_ms: u64) -> Result<Examined, CopyError> {
    let file = data.join(DATABASE_FILE);
    if !file.is_file() {
        return Err(CopyError::Nothing(data.to_owned()));
    }
    let connection = copy::reading(&file)?;
    let storage = CopyError::storage(&file);
    let form = connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(&storage)?;
    // What cannot be read is damage, which is looked for below.
    let head: (i64, i64) = connection
        .query_row(
            "SELECT ifnull(max(seq), 0), ifnull(max(at_ms), 0) FROM
             (SELECT seq, at_ms FROM ev ORDER BY seq DESC LIMIT 1000)",
            (),
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .unwrap_or_default();
    let since = now_ms.saturating_sub(7 * DAY_MS).cast_signed();
    let events_of_week: i64 = connection
        .query_row("SELECT count(*) FROM ev WHERE at_ms > ?1", [since], |row| row.get(0))
        .unwrap_or_default();
    let damage = connection.query_row("PRAGMA quick_check(1)", (), |row| row.get::<_, String>(0));
    let damage =
        damage.map_or_else(|error| Some(error.to_string()), |found| (found != "ok").then_some(found));
    let number = |pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let [free_pages, page_bytes] =
        ["freelist_count", "page_size"].map(|pragma| number(pragma).unwrap_or_default().cast_unsigned());
    let names = [DATABASE_FILE.to_owned(), format!("{DATABASE_FILE}-wal"), SEARCH_FILE.to_owned()];
    let size = |name: &String| std::fs::metadata(data.join(name)).map_or(0, |found| found.len());
    let head = (head.0.cast_unsigned(), head.1.cast_unsigned());
    Ok(Examined {
        form: (form, schema::VERSION),
        damage,
        head,
        events_of_week: events_of_week.cast_unsigned(),
        free_bytes: free_pages * page_bytes,
        bytes: names.iter().map(size).sum(),
        index_behind: indexed(&data.join(SEARCH_FILE)).map(|position| head.0.saturating_sub(position)),
    })
}

/// The position up to which there is an index of words.
fn indexed(file: &Path) -> Option<u64> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags).ok()?;
    let sql = "SELECT value FROM meta WHERE key = 'position'";
    connection.query_row(sql, (), |row| row.get::<_, i64>(0)).ok().map(i64::cast_unsigned)
}
