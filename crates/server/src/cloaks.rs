//! The key of cloaks: a file in the data folder, made at the first start, for its owner only. Whoever has it can try all
//! addresses; whoever loses it gives everybody another cloak, and bans on cloaks mean nobody any more.

use std::fs::OpenOptions;
use std::io::{self, Read, Write};
use std::path::Path;

use chinwag_core::cloak::Cloak;

/// The file.
const KEY: &str = "cloak.key";

/// The cloaks of the server whose data this is.
///
/// # Errors
/// The file cannot be read or made, or holds no key.
pub(crate) fn of_folder(data: &Path) -> io::Result<Cloak> {
    let path = data.join(KEY);
    let mut key = [0; Cloak::KEY_BYTES];
    match OpenOptions::new().read(true).open(&path) {
        Ok(mut file) => file.read_exact(&mut key)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            aws_lc_rs::rand::fill(&mut key).map_err(io::Error::other)?;
            write(&path, &key)?;
        }
        Err(error) => return Err(error),
    }
    Ok(Cloak::new(key))
}

/// Beside its place, then there: a key is whole or not there.
fn write(path: &Path, key: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&beside)?;
    file.write_all(key)?;
    file.sync_all()?;
    std::fs::rename(&beside, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_made_once() {
        let folder = tempfile::tempdir().unwrap();
        let made = of_folder(folder.path()).unwrap();
        assert!(made == of_folder(folder.path()).unwrap());
        let other = tempfile::tempdir().unwrap();
        assert!(made != of_folder(other.path()).unwrap());
        std::fs::write(folder.path().join(KEY), "short").unwrap();
        assert!(of_folder(folder.path()).is_err());
    }
}
