//! Where data goes when nobody says: the folder that this platform has for it.

use std::env::var_os;
use std::path::{Path, PathBuf};

use crate::Failure;

/// The data folder that was named, or the default one.
pub(crate) fn data(named: Option<PathBuf>) -> Result<PathBuf, Failure> {
    named.or_else(default_data).ok_or_else(|| {
        Failure::Usage("no home folder to look for data in: say where with --data DIR".to_owned())
    })
}

/// The default data folder; none when the environment names no home.
pub(crate) fn default_data() -> Option<PathBuf> {
    let given = |name| var_os(name).map(PathBuf::from).filter(|path: &PathBuf| path.is_absolute());
    choose(given("XDG_DATA_HOME").as_deref(), given("HOME").as_deref(), cfg!(target_os = "macos"))
}

/// The folder for what programs remember between two starts; none when the environment names no home.
pub(crate) fn default_state() -> Option<PathBuf> {
    let given = |name| var_os(name).map(PathBuf::from).filter(|path: &PathBuf| path.is_absolute());
    match given("XDG_STATE_HOME") {
        Some(folder) => Some(folder.join("chinwag")),
        None if cfg!(target_os = "macos") => default_data(),
        None => given("HOME").map(|home| home.join(".local/state/chinwag")),
    }
}

fn choose(data_home: Option<&Path>, home: Option<&Path>, mac: bool) -> Option<PathBuf> {
    if let Some(folder) = data_home {
        return Some(folder.join("chinwag"));
    }
    let below = if mac { "Library/Application Support/chinwag" } else { ".local/share/chinwag" };
    home.map(|home| home.join(below))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xdg_first_then_home() {
        let (data, home) = (Path::new("/data"), Path::new("/home/ann"));
        assert_eq!(choose(Some(data), Some(home), false), Some("/data/chinwag".into()));
        assert_eq!(choose(None, Some(home), false), Some("/home/ann/.local/share/chinwag".into()));
        assert_eq!(
            choose(None, Some(home), true),
            Some("/home/ann/Library/Application Support/chinwag".into())
        );
        assert_eq!(choose(None, None, false), None);
    }
}
