//! Helpers for tests: conversations that a person can read, and worlds of nodes in one thread.
//!
//! What lives here: the conversation runner ([`conversation`]), over memory or sockets. What does not: anything
//! that the server itself needs.
//!
//! Start here for the commonest change, one more conversation: a file in `conversations/`.

pub mod caller;
pub mod conversation;
pub mod history;
pub mod process;
