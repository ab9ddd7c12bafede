//! SQLite as the log and the history.
