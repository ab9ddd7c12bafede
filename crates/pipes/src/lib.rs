//! The chat as one end of a pipe: the words of `say`, `tail` and `search`, and lines of the chat as JSON, text and HTML. The
//! same for the command line and for `ssh host say …`, so that what is scripted for one works with the other.
//!
//! What lives here: the grammar ([`words`]) and what is printed ([`show`]). What does not: how the chat is reached.
//!
//! Start here for the commonest changes: an option is a field in `words.rs`, a field of `--json` one in `show.rs`.

pub mod show;
pub mod words;
