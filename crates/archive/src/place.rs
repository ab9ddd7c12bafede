//! Another database in the place of the one that is there: the last step of `restore` and `rollback`.
//!
//! The folder's lock is held by the caller. At every moment there is one whole database of the name that a server
//! opens, the old one or the new one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::DATABASE_FILE;
use crate::copy::{self, CopyError};
use crate::open::BUSY_WAIT;
use crate::search::SEARCH_FILE;
use crate::snapshot;

/// Where the new database is made, in the same file system.
const NEW_FILE: &str = "chat.db.new";

/// Makes a folder, for its owner only, when it is not there.
pub(crate) fn make_folder(path: &Path) -> Result<(), CopyError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(CopyError::file(path))
}

/// The name for a new database; what an earlier try left there is gone.
pub(crate) fn new_database(data: &Path) -> Result<PathBuf, CopyError> {
    let new = data.join(NEW_FILE);
    remove(&new)?;
    Ok(new)
}

/// Puts the database `new` in the place of the one that is there, which goes to the snapshots; says where to.
pub(crate) fn put(data: &Path, new: &Path, why: &str, now_ms: u64) -> Result<Option<PathBuf>, CopyError> {
    copy::sync(new)?;
    let database = data.join(DATABASE_FILE);
    let before = if fs::metadata(&database).is_ok_and(|found| found.len() > 0) {
        let form = settle(&database)?;
        let kept = snapshot::path(data, form, why, now_ms)?;
        // The same file under a second name: there is no moment without a database.
        fs::hard_link(&database, &kept)
            .or_else(|_| fs::copy(&database, &kept).map(|_| ()))
            .map_err(CopyError::file(&kept))?;
        copy::sync(&kept)?;
        Some(kept)
    } else {
        None
    };
    // The index of words is made anew from what is there now.
    for file in [SEARCH_FILE.to_owned(), format!("{SEARCH_FILE}-wal"), format!("{SEARCH_FILE}-shm")] {
        remove(&data.join(file))?;
    }
    for ending in ["-wal", "-shm"] {
        remove(&data.join(format!("{DATABASE_FILE}{ending}")))?;
    }
    fs::rename(new, &database).map_err(CopyError::file(&database))?;
    copy::sync_folder(data);
    Ok(before)
}

/// Makes a database one file, with nothing beside it; says its form. One that is too damaged for that stays as it is.
fn settle(database: &Path) -> Result<i64, CopyError> {
    let settled = || -> rusqlite::Result<i64> {
        let connection = Connection::open(database)?;
        connection.busy_timeout(BUSY_WAIT)?;
        let form = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        connection.pragma_update(None, "journal_mode", "DELETE")?;
        Ok(form)
    };
    match settled() {
        Ok(form) => Ok(form),
        Err(error) => {
            tracing::warn!(%error, "the database that is replaced is damaged: it is kept as it is");
            Ok(0)
        }
    }
}

fn remove(path: &Path) -> Result<(), CopyError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(CopyError::file(path)(error)),
        _ => Ok(()),
    }
}
