//! Files that people hand in: kept by their content, found by a link that nobody can guess, gone with their message.
//!
//! What lives here: what is on the disk ([`Incoming`], [`Store`]), what a file is ([`Media`]), how it is called
//! ([`name`]), and small pictures of pictures ([`thumb`]). What does not: HTTP, threads, and who may hand in what, which
//! are the server's. All calls block on the disk.
//!
//! A content is a file named after its SHA-256 (`files/ab/cdef…`). A link is a row of `files.db` with a name of 130
//! random bits; several links may share a content, and none says whether there are others. A message whose text has a
//! link in it takes a reference to it. [`Store::follow`] reads that from the log of the chat, as the index of words does:
//! a file goes with the last message that pointed at it, or an hour after it came when none ever did.

mod content;
mod examine;
mod media;
pub mod name;
mod store;
pub mod thumb;

pub use content::{Complete, Incoming};
pub use examine::{Examined, examine};
pub use media::Media;
pub use store::{Figures, File, Limits, New, Refused, Store, Used};

use std::path::Path;

/// The folder of the contents, in the data folder.
pub const FOLDER: &str = "files";

/// The database of the links, in the data folder.
pub const DATABASE: &str = "files.db";

/// The folder in [`FOLDER`] of what is coming in.
pub const COMING: &str = "coming";

/// What the path of every file begins with.
pub const PATH: &str = "/files/";

/// The bytes that are free on the disk of a folder; none where the system does not say.
pub fn free(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// A name that nobody can guess: 130 bits.
pub fn draw() -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut bytes = [0; name::ID_BYTES];
    aws_lc_rs::rand::fill(&mut bytes).expect("a system without random bytes cannot do anything safely");
    bytes.into_iter().map(|byte| char::from(LETTERS[usize::from(byte & 31)])).collect()
}
