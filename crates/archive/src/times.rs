//! The times with which entries are kept.

/// The times of entries.
pub(crate) struct Times {
    /// The last one.
    pub(crate) last_ms: u64,
    /// They are kept as they come.
    pub(crate) kept: bool,
}

impl Times {
    /// The time of an entry that was proposed with this one.
    pub(crate) fn of(&mut self, at_ms: u64) -> u64 {
        self.last_ms = if self.kept { at_ms } else { self.last_ms.max(at_ms) };
        self.last_ms
    }
}
