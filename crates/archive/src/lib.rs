//! SQLite as the log and the history: one table, in which an event is stored once.
//!
//! What lives here: opening and migrating `chat.db` ([`open`]), [`SqliteLog`] with its writer thread and group
//! commit, and [`Reader`] for pages of history and for bringing a chat back after a restart. What does not: any
//! rule of the chat, and any runtime; arrivals wake a `std::task::Waker`.
//!
//! Start here for the commonest change, a new stored event: one number in `rows.rs`. A change of the tables is
//! one more entry in `schema.rs`, never a change of an old one.

mod amend;
mod backup;
mod chores;
mod commits;
mod copy;
mod erase;
mod examine;
mod expire;
mod failure;
mod follow;
mod heads;
mod insert;
mod latest;
mod log;
mod open;
mod place;
mod purge;
mod reader;
mod records;
mod room;
mod rows;
mod schema;
mod search;
mod senders;
mod shrink;
mod snapshot;
mod times;
pub mod transfer;
mod writer;

pub use backup::{EXTENSION as BACKUP_EXTENSION, Made, Restored, backup, restore, verify};
pub use commits::{Commits, Watcher};
pub use copy::{Contents, CopyError, Progress, Watch};
pub use examine::{Examined, examine};
pub use follow::{Followed, Follower, Step};
pub use log::{CloseError, SqliteLog};
pub use open::{Meta, OpenError, Opened, Options, PageLimit, open};
pub use reader::{ReadFailed, Reader};
pub use search::{Indexer, SEARCH_FILE};
pub use snapshot::{RolledBack, SNAPSHOTS, Snapshot, rollback, snapshots};

/// The name of the database in the data folder.
pub const DATABASE_FILE: &str = "chat.db";

/// The name of the file whose lock says that a chinwag uses the data folder.
pub const LOCK_FILE: &str = "chinwag.lock";

/// The bound on events under way unless [`Options`] says otherwise.
pub const QUEUE_EVENTS_MAX: usize = 65_536;

/// The bound on the bytes of text of events under way unless [`Options`] says otherwise.
pub const QUEUE_BYTES_MAX: usize = 32 * 1024 * 1024;
