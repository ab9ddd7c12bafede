//! The clock: read here and nowhere below.

use std::time::{SystemTime, UNIX_EPOCH};

use chinwag_core::ids::Millis;

/// Milliseconds since the Unix epoch. A clock before 1970 counts as 1970.
pub(crate) fn now_ms() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
