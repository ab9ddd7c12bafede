//! Backups: one file with the log and what else a server needs of its data folder, made while it runs and read back
//! before it counts; and the way back.
//!
//! The file is an SQLite database: the log's tables, and beside them two of the backup's own, which the way back takes
//! out again. What can be made anew (the index of words) and what belongs to a process (the lock) is left out.

use std::fs;
use std::io::{Read, Write};
use std::path::{Component, Path, PathBuf};

use rusqlite::{Connection, OptionalExtension};

use crate::copy::{self, Contents, CopyError, Progress, Watch};
use crate::open::lock_folder;
use crate::place;
use crate::search::SEARCH_FILE;
use crate::snapshot::SNAPSHOTS;
use crate::{DATABASE_FILE, LOCK_FILE};

/// Bytes of a file that one row holds.
const PART_BYTES: usize = 1024 * 1024;

/// What people are handing in at the moment.
const COMING: &str = "files/coming";

/// Folders within folders that are looked at.
const DEPTH_MAX: usize = 8;

const TABLES: &str = "
CREATE TABLE backup_fact(key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE backup_file(name TEXT NOT NULL, part INTEGER NOT NULL, mode INTEGER NOT NULL, bytes BLOB NOT NULL,
    PRIMARY KEY(name, part));
";

/// A backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// The file.
    pub file: PathBuf,
    /// What of the log is in it.
    pub contents: Contents,
    /// Files of the data folder beside the database: keys, certificates, what was uploaded.
    pub files: u64,
    /// Its size in bytes.
    pub bytes: u64,
    /// When it was begun, in milliseconds since the Unix epoch.
    pub at_ms: u64,
}

/// What a restored folder was made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The backup.
    pub from: Made,
    /// Where what was there before is kept now.
    pub before: Option<PathBuf>,
}

/// Writes a backup of the data folder `data` to the new file `to`; a server may run on the folder meanwhile. It is
/// read back before this returns.
///
/// # Errors
/// [`CopyError`], one sentence for people; nothing is left of the file then.
pub fn backup(data: &Path, to: &Path, now_ms: u64, watch: Watch<'_>) -> Result<Made, CopyError> {
    let database = data.join(DATABASE_FILE);
    if !database.is_file() {
        return Err(CopyError::Nothing(data.to_owned()));
    }
    if to.exists() {
        return Err(CopyError::There(to.to_owned()));
    }
    let mut partial = to.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    // What a backup that was killed left behind.
    let _ = fs::remove_file(&partial);
    let made = write(data, &database, &partial, now_ms, watch)
        .and_then(|contents| {
            copy::sync(&partial)?;
            watch(Progress::Checking);
            let made = verify(&partial)?;
            if made.contents == contents {
                return Ok(made);
            }
            let what = format!("it holds {:?}, and the data {contents:?}", made.contents);
            Err(CopyError::Damaged { file: partial.clone(), what })
        })
        .and_then(|made| {
            fs::rename(&partial, to).map_err(CopyError::file(to))?;
            copy::sync_folder(to.parent().unwrap_or(Path::new(".")));
            Ok(Made { file: to.to_owned(), ..made })
        });
    if made.is_err() {
        let _ = fs::remove_file(&partial);
    }
    made
}

fn write(
    data: &Path,
    database: &Path,
    partial: &Path,
    now_ms: u64,
    watch: Watch<'_>,
) -> Result<Contents, CopyError> {
    let source = copy::reading(database)?;
    let failed = CopyError::storage(database);
    // All that is read is of one moment, however long it takes.
    source.execute_batch("BEGIN").map_err(&failed)?;
    let contents = copy::contents(&source).map_err(&failed)?;
    let copied = copy::copy(&source, partial, watch)?;
    let failed = CopyError::storage(partial);
    copied.execute_batch(TABLES).map_err(&failed)?;
    let files = take_files(data, &copied, partial, watch)?;
    let facts = [
        ("at_ms", now_ms),
        ("position", contents.position),
        ("events", contents.events),
        ("rooms", contents.rooms),
        ("files", files),
    ];
    for (key, value) in facts {
        let insert = "INSERT INTO backup_fact(key, value) VALUES (?1, ?2)";
        copied.execute(insert, (key, value.cast_signed())).map_err(&failed)?;
    }
    copied.close().map_err(|(_, error)| failed(error))?;
    Ok(contents)
}

/// Puts the folder's other files into the copy; says how many.
fn take_files(data: &Path, copied: &Connection, partial: &Path, watch: Watch<'_>) -> Result<u64, CopyError> {
    let mut names = Vec::new();
    list(data, Path::new(""), 0, &mut names)?;
    let failed = CopyError::storage(partial);
    copied.execute_batch("BEGIN").map_err(&failed)?;
    let mut count = 0;
    for name in names {
        let path = data.join(&name);
        // The backup itself may lie in the folder, and others before it.
        if path == partial || is_backup(&path) {
            continue;
        }
        let source = if is_database(&name) { Some(of_one_moment(&path, partial)?) } else { None };
        let mut file = match fs::File::open(source.as_ref().map_or(&*path, |source| &source.0)) {
            Ok(file) => file,
            // What people handed in goes at any time.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(CopyError::file(&path)(error)),
        };
        let mode = mode(&file.metadata().map_err(CopyError::file(&path))?);
        watch(Progress::Taking(name.clone()));
        for part in 0_i64.. {
            let mut bytes = Vec::new();
            (&mut file).take(PART_BYTES as u64).read_to_end(&mut bytes).map_err(CopyError::file(&path))?;
            if bytes.is_empty() && part > 0 {
                break;
            }
            copied
                .execute(
                    "INSERT INTO backup_file(name, part, mode, bytes) VALUES (?1, ?2, ?3, ?4)",
                    (&name, part, mode, &bytes),
                )
                .map_err(&failed)?;
            if bytes.len() < PART_BYTES {
                break;
            }
        }
        count += 1;
    }
    copied.execute_batch("COMMIT").map_err(&failed)?;
    Ok(count)
}

/// Whether a file is a database of its own, beside that of the log.
fn is_database(name: &str) -> bool {
    !name.contains('/') && name.ends_with(".db")
}

/// A copy of a database that goes when this is dropped.
struct Passing(PathBuf);

impl Drop for Passing {
    fn drop(&mut self) {
        // The next backup begins with removing it.
        let _ = fs::remove_file(&self.0);
    }
}

/// A database that others write to, as it is at one moment, in a file beside the backup.
fn of_one_moment(database: &Path, partial: &Path) -> Result<Passing, CopyError> {
    let mut place = partial.as_os_str().to_owned();
    place.push(".db.partial");
    let place = PathBuf::from(place);
    let _ = fs::remove_file(&place);
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY | rusqlite::OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let source = Connection::open_with_flags(database, flags).map_err(CopyError::storage(database))?;
    let copied = copy::copy(&source, &place, &mut |_| {})?;
    let passing = Passing(place);
    copied.close().map_err(|(_, error)| CopyError::storage(&passing.0)(error))?;
    Ok(passing)
}

/// Whether a file of the data folder is a backup that somebody put there.
fn is_backup(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == EXTENSION || extension == "partial")
}

/// How the names of backups end.
pub const EXTENSION: &str = "chinwag-backup";

/// The names of the files that a server needs beside its database, from the folder on, with `/` between folders.
fn list(data: &Path, below: &Path, depth: usize, names: &mut Vec<String>) -> Result<(), CopyError> {
    let folder = data.join(below);
    let entries = fs::read_dir(&folder).map_err(CopyError::file(&folder))?;
    for entry in entries {
        let entry = entry.map_err(CopyError::file(&folder))?;
        let name = below.join(entry.file_name());
        let kind = entry.file_type().map_err(CopyError::file(&name))?;
        let Some(text) = name.to_str() else { continue };
        let left_out =
            [DATABASE_FILE, SEARCH_FILE, LOCK_FILE, SNAPSHOTS].iter().any(|out| text.starts_with(out));
        let of_database = text.ends_with(".db-wal") || text.ends_with(".db-shm");
        if left_out || of_database || text.starts_with(COMING) {
            continue;
        }
        if kind.is_dir() && depth < DEPTH_MAX {
            list(data, &name, depth + 1, names)?;
        } else if kind.is_file() {
            names.push(text.replace('\\', "/"));
        }
    }
    names.sort();
    Ok(())
}

/// Reads a backup from its beginning to its end, and says what is in it.
///
/// # Errors
/// [`CopyError`] when it is none, or damaged.
pub fn verify(file: &Path) -> Result<Made, CopyError> {
    let no_backup = |what: &str| CopyError::NoBackup { file: file.to_owned(), what: what.to_owned() };
    if !file.is_file() {
        return Err(no_backup("there is no such file"));
    }
    let failed = CopyError::storage(file);
    let connection = copy::reading(file)?;
    let has = "SELECT count(*) FROM sqlite_schema WHERE name IN ('backup_fact', 'backup_file')";
    let tables: i64 = connection.query_row(has, (), |row| row.get(0)).map_err(&failed)?;
    if tables < 2 {
        return Err(no_backup("it is a data folder's own database"));
    }
    copy::check(&connection, file)?;
    let fact = |key: &str| -> Result<u64, CopyError> {
        let sql = "SELECT value FROM backup_fact WHERE key = ?1";
        let found: Option<i64> =
            connection.query_row(sql, [key], |row| row.get(0)).optional().map_err(&failed)?;
        found.map(i64::cast_unsigned).ok_or_else(|| no_backup("it was not finished"))
    };
    let contents = copy::contents(&connection).map_err(&failed)?;
    let files: i64 = connection
        .query_row("SELECT count(DISTINCT name) FROM backup_file", (), |row| row.get(0))
        .map_err(&failed)?;
    let found = [contents.position, contents.events, contents.rooms, files.cast_unsigned()];
    let said = [fact("position")?, fact("events")?, fact("rooms")?, fact("files")?];
    if found != said {
        let what = format!("position, events, rooms and files are {found:?} instead of {said:?}");
        return Err(CopyError::Damaged { file: file.to_owned(), what });
    }
    let bytes = fs::metadata(file).map_err(CopyError::file(file))?.len();
    Ok(Made { file: file.to_owned(), contents, files: files.cast_unsigned(), bytes, at_ms: fact("at_ms")? })
}

/// Makes the data folder `data` what it was when the backup `file` was made. The backup is read through first, and
/// nothing is touched if it is not whole. What is there already is replaced only with `overwrite`, and its database
/// goes to the snapshots then.
///
/// # Errors
/// [`CopyError`], one sentence for people, also when a server runs on the folder.
pub fn restore(
    file: &Path,
    data: &Path,
    overwrite: bool,
    now_ms: u64,
    watch: Watch<'_>,
) -> Result<Restored, CopyError> {
    watch(Progress::Checking);
    let from = verify(file)?;
    let source = copy::reading(file)?;
    let names = names(&source, file)?;
    place::make_folder(data)?;
    let lock = lock_folder(data)?;
    let taken = names.iter().map(String::as_str).chain([DATABASE_FILE]).find(|name| data.join(name).exists());
    if let Some(found) = taken.filter(|_| !overwrite) {
        return Err(CopyError::Kept { dir: data.to_owned(), found: found.to_owned() });
    }
    let new = place::new_database(data)?;
    let copied = copy::copy(&source, &new, watch)?;
    let failed = CopyError::storage(&new);
    copied.execute_batch("DROP TABLE backup_file; DROP TABLE backup_fact; VACUUM").map_err(&failed)?;
    copied.close().map_err(|(_, error)| failed(error))?;
    watch(Progress::Checking);
    let written = copy::reading(&new)?;
    copy::check(&written, &new)?;
    if copy::contents(&written).map_err(&failed)? != from.contents {
        let what = "what was written is not what was read".to_owned();
        return Err(CopyError::Damaged { file: new, what });
    }
    drop(written);
    for name in &names {
        watch(Progress::Taking(name.clone()));
        give_back(&source, file, data, name)?;
    }
    let before = place::put(data, &new, "restore", now_ms)?;
    drop(lock);
    Ok(Restored { from, before })
}

/// The names of the files in a backup. None leads out of the folder.
fn names(source: &Connection, file: &Path) -> Result<Vec<String>, CopyError> {
    let failed = CopyError::storage(file);
    let mut statement =
        source.prepare("SELECT DISTINCT name FROM backup_file ORDER BY name").map_err(&failed)?;
    let names = statement
        .query_map((), |row| row.get(0))
        .and_then(Iterator::collect::<rusqlite::Result<Vec<String>>>);
    let names = names.map_err(&failed)?;
    let leads_out = |name: &&String| {
        let mut parts = Path::new(name.as_str()).components();
        name.is_empty() || !parts.all(|part| matches!(part, Component::Normal(_)))
    };
    if let Some(name) = names.iter().find(leads_out) {
        let what = format!("the name {name:?} leads out of the folder");
        return Err(CopyError::NoBackup { file: file.to_owned(), what });
    }
    Ok(names)
}

/// Writes a file of a backup where it was.
fn give_back(source: &Connection, file: &Path, data: &Path, name: &str) -> Result<(), CopyError> {
    let failed = CopyError::storage(file);
    let path = data.join(name);
    if let Some(folder) = path.parent() {
        place::make_folder(folder)?;
    }
    let mut new = path.as_os_str().to_owned();
    new.push(".partial");
    let new = PathBuf::from(new);
    let _ = fs::remove_file(&new);
    let mut out = copy::new_file(&new)?;
    let mut statement = source
        .prepare("SELECT mode, bytes FROM backup_file WHERE name = ?1 ORDER BY part")
        .map_err(&failed)?;
    let mut rows = statement.query([name]).map_err(&failed)?;
    let mut mode = 0o600;
    while let Some(row) = rows.next().map_err(&failed)? {
        mode = row.get(0).map_err(&failed)?;
        let bytes = row.get_ref(1).map_err(&failed)?;
        let bytes = bytes.as_blob().map_err(|error| failed(error.into()))?;
        out.write_all(bytes).map_err(CopyError::file(&new))?;
    }
    set_mode(&out, mode).and_then(|()| out.sync_all()).map_err(CopyError::file(&new))?;
    if is_database(name) {
        // What belongs to the one that is replaced must not be taken for a part of this one.
        for ending in ["-wal", "-shm"] {
            let mut beside = path.as_os_str().to_owned();
            beside.push(ending);
            let _ = fs::remove_file(PathBuf::from(beside));
        }
    }
    fs::rename(&new, &path).map_err(CopyError::file(&path))
}

#[cfg(unix)]
fn mode(metadata: &fs::Metadata) -> u32 {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o777
}

#[cfg(unix)]
fn set_mode(file: &fs::File, mode: u32) -> std::io::Result<()> {
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(mode & 0o700))
}

#[cfg(not(unix))]
fn mode(_: &fs::Metadata) -> u32 {
    0o600
}

#[cfg(not(unix))]
fn set_mode(_: &fs::File, _: u32) -> std::io::Result<()> {
    Ok(())
}
