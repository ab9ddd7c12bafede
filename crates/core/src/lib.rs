//! The chat: requests in, events out (`decide`); events in, effects out (`apply`).
//!
//! What lives here: users, rooms, roles, modes, bans, and one file a command in `commands/`. What does not: a
//! clock, a runtime, a socket, a file, randomness; `now`, ids and secrets are arguments. State changes only in
//! [`chat::Chat::apply`], from an event that has its place in the log.
//!
//! Start here for the commonest change, a new command: one row in `wire::verbs`, one file in `commands/`,
//! one line in its table.

pub mod accounts;
pub mod aging;
pub mod allowance;
pub mod asking;
pub mod chat;
pub mod cloak;
pub mod commands;
pub mod effect;
pub mod erasing;
pub mod event;
pub mod figures;
pub mod history;
pub mod hooks;
pub mod ids;
pub mod keys;
pub mod limits;
pub mod line;
pub mod metadata;
pub mod multiline;
pub mod numbers;
pub mod pending;
pub mod permissions;
pub mod pointed;
pub mod privileges;
pub mod programs;
pub mod records;
pub mod refusals;
pub mod roles;
#[cfg(test)]
mod scene;
pub mod search;
pub mod session;
pub mod settings;
pub mod span;
pub mod tokens;
pub mod work;
