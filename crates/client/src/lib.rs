//! A client with neither screen nor socket: bytes and the time in; bytes, changes of the model and the next time
//! to be woken out.
//!
//! What lives here: registration, rooms and conversations with their members and lines, what is unread, history page
//! by page, reconnection without gaps, own messages from pending to kept or failed, and the grammar of what people
//! type. What does not: sockets, a clock, a screen, files. A driver owns the socket:
//!
//! ```text
//!  wants_link ──▶ connect ──▶ opened
//!  socket ──receive──▶ ┌────────┐ ──output──▶ socket
//!      closed ───────▶ │ Client │ ──changes─▶ screen
//!  clock ───tick─────▶ └────────┘ ──wake_at─▶ clock
//! ```
//!
//! Start here for the commonest changes: what a line from the server does is `dispatch.rs` and the files it calls;
//! what people can type, `command.rs`; what is kept of a room, `buffer.rs` and `lines.rs`.

mod actions;
mod batches;
mod buffer;
mod catchup;
mod change;
mod client;
mod command;
mod dispatch;
mod history;
mod invitations;
mod later;
mod line;
mod lines;
mod link;
mod members;
mod numerics;
mod outbox;
mod people;
mod profile;
mod registration;
mod seek;
mod server;
mod split;
mod talk;
#[cfg(test)]
mod tests;
mod upkeep;

pub use actions::{Refusal, SayAs, TypingState};
pub use buffer::{Buffer, BufferId, BufferKind, HistoryState, Topic, Typing};
pub use change::Change;
pub use client::{Client, Me};
pub use command::{Command, Done, Local, commands};
pub use history::Point;
pub use line::{Line, LineId, LineKind, LineState, Reaction, Redacted, Sender};
pub use lines::Lines;
pub use link::Link;
pub use members::{Member, Members};
pub use profile::{Login, Profile, Secret};
pub use seek::{Found, Hit, Wish};
pub use server::ServerInfo;

/// Milliseconds since the beginning of 1970 (UTC).
pub type Millis = u64;
