//! Copies of a database, made while others use it, and what is known of one: the ground of backups and snapshots.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use crate::open::{BUSY_WAIT, OpenError, recognise};

/// Pages of 4 KiB between two signs of progress.
const STEP_PAGES: i32 = 128;

/// How far something is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Pages of the database that were copied, and how many there are.
    Copying {
        /// Copied.
        done: u64,
        /// Of so many.
        of: u64,
    },
    /// A file beside the database is taken along; its name.
    Taking(String),
    /// What was written is read back.
    Checking,
}

/// Who is told how far something is.
pub type Watch<'w> = &'w mut dyn FnMut(Progress);

/// What a database holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contents {
    /// The position of the last event of the log.
    pub position: u64,
    /// Events that are kept, messages among them.
    pub events: u64,
    /// Rooms and conversations.
    pub rooms: u64,
    /// The form of the tables.
    pub form: i64,
}

/// Why a copy was not made, or cannot be used. The text is one sentence that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// There is nothing to copy.
    #[error("there is nothing kept in {}; say where with --data DIR", .0.display())]
    Nothing(PathBuf),
    /// Something is there already.
    #[error("{} is there already; give another name, or move it away", .0.display())]
    There(PathBuf),
    /// The folder is not empty.
    #[error("{} keeps something already ({found}); give another folder with --data, or --overwrite to replace it", .dir.display())]
    Kept {
        /// The folder.
        dir: PathBuf,
        /// What is there.
        found: String,
    },
    /// It is no copy that could be used.
    #[error("{} is not a backup: {what}; give the file that `chinwag backup` wrote", .file.display())]
    NoBackup {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// It does not hold what it should.
    #[error("{} is damaged ({what}); use another backup", .file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// What was found.
        what: String,
    },
    /// There is no such room.
    #[error("there is no room {0} in what is kept; a name begins with #, and a shell wants quotes around it")]
    NoRoom(String),
    /// There is no snapshot, or none of that name.
    #[error("there is no such snapshot in {}; `chinwag rollback --list` shows those that there are", .0.display())]
    NoSnapshot(PathBuf),
    /// The database cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// SQLite failed.
    #[error("{}: {source}; look after the disk, then try again", .file.display())]
    Storage {
        /// The file.
        file: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// A file cannot be read or written.
    #[error("{}: {source}; look after its disk and permissions, then try again", .file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl CopyError {
    pub(crate) fn storage(file: &Path) -> impl Fn(rusqlite::Error) -> CopyError + use<> {
        let file = file.to_owned();
        move |source| CopyError::Storage { file: file.clone(), source }
    }

    pub(crate) fn file(file: &Path) -> impl Fn(io::Error) -> CopyError + use<> {
        let file = file.to_owned();
        move |source| CopyError::File { file: file.clone(), source }
    }
}

/// Opens a database for reading, and says so when it is none of ours or newer than this program.
pub(crate) fn reading(file: &Path) -> Result<Connection, CopyError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let storage = CopyError::storage(file);
    let connection = Connection::open_with_flags(file, flags).map_err(&storage)?;
    connection.busy_timeout(BUSY_WAIT).map_err(&storage)?;
    recognise(&connection, file)?;
    Ok(connection)
}

/// Makes an empty file for its owner only. What is there already stays.
pub(crate) fn new_file(path: &Path) -> Result<File, CopyError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => CopyError::There(path.to_owned()),
        _ => CopyError::file(path)(error),
    })
}

/// Copies a database into a new file of its own, as it is at one moment. Others go on meanwhile. `from` may be in a
/// transaction: then what that sees is copied.
pub(crate) fn copy(from: &Connection, to: &Path, watch: Watch<'_>) -> Result<Connection, CopyError> {
    drop(new_file(to)?);
    let storage = CopyError::storage(to);
    let mut copy = Connection::open(to).map_err(&storage)?;
    // Nobody else reads it, and it is worth nothing before it is whole: one sync at the end.
    copy.pragma_update(None, "synchronous", "OFF").map_err(&storage)?;
    {
        let steps = Backup::new(from, &mut copy).map_err(&storage)?;
        loop {
            match steps.step(STEP_PAGES).map_err(&storage)? {
                StepResult::Done => break,
                StepResult::More => {
                    let at = steps.progress();
                    let (of, left) = (at.pagecount.max(0), at.remaining.max(0));
                    watch(Progress::Copying {
                        done: u64::from((of - left).unsigned_abs()),
                        of: u64::from(of.unsigned_abs()),
                    });
                }
                // Somebody else holds the database for a moment; steps that copy nothing end after the wait of `from`.
                _ => std::thread::sleep(Duration::from_millis(10)),
            }
        }
    }
    // One file, and nothing beside it.
    copy.pragma_update(None, "journal_mode", "DELETE").map_err(&storage)?;
    Ok(copy)
}

/// Makes sure that a file is on the disk, and its name too.
pub(crate) fn sync(path: &Path) -> Result<(), CopyError> {
    let synced = OpenOptions::new().read(true).write(true).open(path).and_then(|file| file.sync_all());
    synced.map_err(CopyError::file(path))?;
    sync_folder(path.parent().unwrap_or(Path::new(".")));
    Ok(())
}

/// Makes sure that the names of a folder are on the disk, where the system can.
pub(crate) fn sync_folder(dir: &Path) {
    let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
    // Some file systems cannot; then nothing more can be done.
    if let Ok(folder) = File::open(dir) {
        let _ = folder.sync_all();
    }
}

/// What a database holds. Reads an index of the whole log.
pub(crate) fn contents(connection: &Connection) -> rusqlite::Result<Contents> {
    let one = |sql| connection.query_row(sql, (), |row| row.get::<_, i64>(0));
    Ok(Contents {
        position: one("SELECT ifnull(max(seq), 0) FROM ev")?.cast_unsigned(),
        events: one("SELECT count(*) FROM ev")?.cast_unsigned(),
        rooms: one("SELECT count(*) FROM room")?.cast_unsigned(),
        form: connection.pragma_query_value(None, "user_version", |row| row.get(0))?,
    })
}

/// Reads a whole database and says what is wrong with it, if anything is.
pub(crate) fn check(connection: &Connection, file: &Path) -> Result<(), CopyError> {
    let damaged = |what: String| CopyError::Damaged { file: file.to_owned(), what };
    let found: String = connection
        .query_row("PRAGMA integrity_check(1)", (), |row| row.get(0))
        .map_err(|error| damaged(error.to_string()))?;
    if found == "ok" { Ok(()) } else { Err(damaged(found)) }
}
