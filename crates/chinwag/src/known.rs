//! What the terminal client remembers: the nickname, and of each server its certificate and the rooms.
//!
//! One file, `servers.toml` in the platform's state folder (on Linux `~/.local/state/chinwag`), which people may edit.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::folder;

/// The whole file.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Known {
    /// The nickname where a server has no other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) nick: Option<String>,
    /// Servers, by `host:port`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) servers: BTreeMap<String, KnownServer>,
}

/// One server.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct KnownServer {
    /// The nickname there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) nick: Option<String>,
    /// The SHA-256 of its certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) certificate: Option<String>,
    /// The rooms that were open.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) rooms: Vec<String>,
}

/// Where the file is; none when the environment names no home.
pub(crate) fn file() -> Option<PathBuf> {
    folder::default_state().map(|folder| folder.join("servers.toml"))
}

impl Known {
    /// Reads the file; nothing is known when there is none.
    pub(crate) fn read(file: &Path) -> Result<Known, String> {
        match std::fs::read_to_string(file) {
            Ok(text) => toml::from_str(&text)
                .map_err(|error| format!("{}: {error}; repair or delete it", file.display())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Known::default()),
            Err(error) => Err(format!("cannot read {}: {error}", file.display())),
        }
    }

    /// Writes the file: whole or not at all, for its owner alone.
    pub(crate) fn write(&self, file: &Path) -> Result<(), String> {
        let failed = |error: &dyn std::fmt::Display| format!("cannot write {}: {error}", file.display());
        let text = toml::to_string(self).map_err(|error| failed(&error))?;
        let folder = file.parent().ok_or_else(|| failed(&"it has no folder"))?;
        std::fs::create_dir_all(folder).map_err(|error| failed(&error))?;
        // A name of its own: two clients may end at once.
        let beside = folder.join(format!(".servers.toml.{}", std::process::id()));
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let written = options.open(&beside).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        });
        written.and_then(|()| std::fs::rename(&beside, file)).map_err(|error| failed(&error))
    }

    /// What is remembered of a server, to be changed.
    pub(crate) fn server(&mut self, name: &str) -> &mut KnownServer {
        self.servers.entry(name.to_owned()).or_default()
    }

    /// The nickname for a server.
    pub(crate) fn nick(&self, server: &str) -> Option<String> {
        self.servers.get(server).and_then(|server| server.nick.clone()).or_else(|| self.nick.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("state/servers.toml");
        assert_eq!(Known::read(&file), Ok(Known::default()));
        let mut known = Known { nick: Some("ann".to_owned()), ..Known::default() };
        known.server("localhost:55555").rooms = vec!["#lobby".to_owned()];
        known.server("a:1").certificate = Some("00".to_owned());
        known.server("a:1").nick = Some("bob".to_owned());
        known.write(&file).unwrap();
        let again = Known::read(&file).unwrap();
        assert_eq!(again, known);
        assert_eq!(again.nick("a:1").as_deref(), Some("bob"));
        assert_eq!(again.nick("b:1").as_deref(), Some("ann"));
        std::fs::write(&file, "nick = 3").unwrap();
        assert!(Known::read(&file).unwrap_err().contains("servers.toml"));
    }
}
