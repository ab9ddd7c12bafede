//! A look at what people handed in, without changing it: what `chinwag doctor` asks.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use rusqlite::Connection;

use crate::store::{BUSY_WAIT, Refused};
use crate::{DATABASE, FOLDER, content};

/// What is in a data folder: files by their links, contents that nothing leads to, and links that lead nowhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Examined {
    /// Files, by their links.
    pub links: u64,
    /// Bytes of the contents.
    pub bytes: u64,
    /// Contents to which no link leads.
    pub orphans: u64,
    /// Links whose content is not there.
    pub missing: u64,
}

/// Looks at a data folder and changes nothing; a server may run meanwhile. None where nobody ever handed anything in.
///
/// # Errors
/// When the database or a folder cannot be read.
pub fn examine(data: &Path) -> Result<Option<Examined>, Refused> {
    if !data.join(DATABASE).exists() {
        return Ok(None);
    }
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY | rusqlite::OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(data.join(DATABASE), flags)?;
    connection.busy_timeout(BUSY_WAIT)?;
    let mut found = Examined::default();
    let mut statement = connection.prepare("SELECT hash, count(*) FROM link GROUP BY hash")?;
    let mut rows = statement.query(())?;
    let mut known = BTreeSet::new();
    while let Some(row) = rows.next()? {
        let (hash, links): (Vec<u8>, i64) = (row.get(0)?, row.get(1)?);
        found.links += links.unsigned_abs();
        match fs::metadata(content::path(data, &hash)) {
            Ok(content) => found.bytes += content.len(),
            Err(_) => found.missing += links.unsigned_abs(),
        }
        known.insert(hash);
    }
    for part in fs::read_dir(data.join(FOLDER)).into_iter().flatten() {
        let part = part?;
        let Some(prefix) = part.file_name().to_str().filter(|name| name.len() == 2).map(str::to_owned) else {
            continue;
        };
        for content in fs::read_dir(part.path())? {
            let name = content?.file_name();
            let hash = name.to_str().and_then(|name| content::hash_of(&prefix, name));
            found.orphans += u64::from(hash.is_some_and(|hash| !known.contains(&hash)));
        }
    }
    Ok(Some(found))
}
