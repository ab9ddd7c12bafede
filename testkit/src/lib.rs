//! Helpers for tests: conversations that a person can read, and worlds of nodes in one thread.
//!
//! What lives here: the conversation runner ([`conversation`]), over memory or sockets, and nodes over one log in
//! memory with time in the test's hand ([`world`]), driven by seeds ([`seeds`]). What does not: anything that the server itself needs.
//!
//! Start here for the commonest change, one more conversation: a file in `conversations/`.

pub mod caller;
pub mod conversation;
pub mod history;
pub mod process;
pub mod seeds;
pub mod transport;
pub mod world;

use std::path::Path;

use chinwag_core::chat::Verifiers;
use chinwag_core::privileges::{Oper, Privileges};
use chinwag_core::settings::Settings;
use conversation::Script;

/// All conversations of the repository, by name.
///
/// # Panics
/// When a file cannot be read or parsed: a test cannot go on then.
pub fn conversations() -> Vec<Script> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../conversations");
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = entries.filter_map(|entry| entry.ok()).map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "chat"));
    files.sort();
    files
        .iter()
        .map(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let text =
                std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            conversation::parse(&name, &text).unwrap_or_else(|error| panic!("{error}"))
        })
        .collect()
}

/// The operator `boss` of the conversations: the hash of the password `sesame`.
const BOSS: &str =
    "$argon2id$v=19$m=8,t=1,p=1$fH2U66SaY9gmUqrwzxoBaA$GIU5NFPWHsbd7m6yJkASgzBETrMvv59nemD++1p2xHE";

/// What conversations are told with: the default settings, and an operator.
pub fn settings() -> Settings {
    let verifiers = Verifiers { argon2: BOSS.into(), scram: "".into() };
    let boss = Oper {
        name: "boss".into(),
        verifiers: verifiers.into(),
        title: "runs the tests".into(),
        privileges: Privileges::all(),
    };
    Settings { opers: vec![boss], ..Settings::default() }
}

/// The same as a configuration file.
pub fn configuration() -> String {
    format!("[[oper]]\nname = \"boss\"\npassword = \"{BOSS}\"\ntitle = \"runs the tests\"\n")
}
