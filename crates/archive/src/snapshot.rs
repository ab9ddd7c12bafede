//! Snapshots: copies of the database in the data folder, made before its form changes and before it is replaced; and
//! the way back to one.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::copy::{self, Contents, CopyError, Progress, Watch};
use crate::open::lock_folder;
use crate::place;

/// The folder of snapshots in the data folder.
pub const SNAPSHOTS: &str = "snapshots";

/// How many are kept; the oldest go first.
const KEPT: usize = 4;

/// A copy of the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Its name, as [`rollback`] takes it.
    pub name: String,
    /// The file.
    pub file: PathBuf,
    /// When it was made, in milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// The form of its tables.
    pub form: i64,
    /// Why it was made: `upgrade`, `restore`, `rollback`.
    pub why: String,
    /// Its size in bytes.
    pub bytes: u64,
}

/// What a way back led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RolledBack {
    /// The snapshot.
    pub to: Snapshot,
    /// What it holds.
    pub contents: Contents,
    /// Where what was there before is kept now.
    pub before: Option<PathBuf>,
}

/// The file for a new snapshot; the folder is made. Names sort by time: `chat-00000001699999999999-form5-upgrade.db`.
pub(crate) fn path(data: &Path, form: i64, why: &str, now_ms: u64) -> Result<PathBuf, CopyError> {
    let folder = data.join(SNAPSHOTS);
    place::make_folder(&folder)?;
    let named = |ms: u64| folder.join(format!("chat-{ms:020}-form{form}-{why}.db"));
    // Two within a millisecond are no mistake.
    let path = (now_ms..now_ms.saturating_add(1_000)).map(named).find(|path| !path.exists());
    path.ok_or_else(|| CopyError::There(folder))
}

/// All snapshots, oldest first.
///
/// # Errors
/// When their folder cannot be read. No folder is no error.
pub fn snapshots(data: &Path) -> Result<Vec<Snapshot>, CopyError> {
    let folder = data.join(SNAPSHOTS);
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(&folder).map_err(CopyError::file(&folder))?;
    let mut found: Vec<Snapshot> = entries.flatten().filter_map(|entry| parse(&entry.path())).collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

/// What a file's name says; nothing when it is none of ours.
fn parse(file: &Path) -> Option<Snapshot> {
    let name = file.file_name()?.to_str()?.strip_suffix(".db")?;
    let (at_ms, rest) = name.strip_prefix("chat-")?.split_once("-form")?;
    let (form, why) = rest.split_once('-')?;
    Some(Snapshot {
        name: name.to_owned(),
        file: file.to_owned(),
        at_ms: at_ms.parse().ok()?,
        form: form.parse().ok()?,
        why: why.to_owned(),
        bytes: fs::metadata(file).ok()?.len(),
    })
}

/// Copies the database before its form changes. The copy is on the disk when this returns.
pub(crate) fn before_upgrade(
    connection: &Connection,
    data: &Path,
    form: i64,
    now_ms: u64,
) -> Result<PathBuf, CopyError> {
    let path = path(data, form, "upgrade", now_ms)?;
    let partial = path.with_extension("partial");
    let _ = fs::remove_file(&partial);
    let made = copy::copy(connection, &partial, &mut |_| {}).and_then(|copied| {
        copied.close().map_err(|(_, error)| CopyError::storage(&partial)(error))?;
        copy::sync(&partial)?;
        fs::rename(&partial, &path).map_err(CopyError::file(&path))?;
        copy::sync_folder(&data.join(SNAPSHOTS));
        Ok(path)
    });
    if made.is_err() {
        let _ = fs::remove_file(&partial);
        return made;
    }
    prune(data)?;
    made
}

/// Removes the oldest when there are too many.
fn prune(data: &Path) -> Result<(), CopyError> {
    let found = snapshots(data)?;
    for old in found.iter().take(found.len().saturating_sub(KEPT)) {
        fs::remove_file(&old.file).map_err(CopyError::file(&old.file))?;
    }
    Ok(())
}

/// Makes a snapshot the database again: the one of this name, or the newest that was made before a change of form.
/// What is there now becomes a snapshot.
///
/// # Errors
/// [`CopyError`], one sentence for people, also when a server runs on the folder.
pub fn rollback(
    data: &Path,
    name: Option<&str>,
    now_ms: u64,
    watch: Watch<'_>,
) -> Result<RolledBack, CopyError> {
    let none = || CopyError::NoSnapshot(data.join(SNAPSHOTS));
    if !data.is_dir() {
        return Err(none());
    }
    let lock = lock_folder(data)?;
    let all = snapshots(data)?;
    let to = match name {
        Some(name) => all.into_iter().find(|snapshot| snapshot.name == name),
        None => all.into_iter().rfind(|snapshot| snapshot.why == "upgrade"),
    };
    let to = to.ok_or_else(none)?;
    watch(Progress::Checking);
    let source = copy::reading(&to.file)?;
    copy::check(&source, &to.file)?;
    let contents = copy::contents(&source).map_err(CopyError::storage(&to.file))?;
    let new = place::new_database(data)?;
    copy::copy(&source, &new, watch)?.close().map_err(|(_, error)| CopyError::storage(&new)(error))?;
    let before = place::put(data, &new, "rollback", now_ms)?;
    drop(lock);
    Ok(RolledBack { to, contents, before })
}
