//! How far the index is while it is made, for whoever reads the server's log.

use std::time::{Duration, Instant};

/// How often that is said.
const EVERY: Duration = Duration::from_secs(5);

/// Entries that the index may be behind without a word.
const BEHIND: i64 = 50_000;

/// What was said of it.
#[derive(Debug, Default)]
pub(super) struct Progress {
    looked: Option<Instant>,
    behind: bool,
}

impl Progress {
    /// What there is to say when the index is at a position; `caught_up`: there was nothing more to bring. `head` is the
    /// position of the last entry.
    pub(super) fn at(
        &mut self,
        position: i64,
        caught_up: bool,
        now: Instant,
        head: impl FnOnce() -> rusqlite::Result<i64>,
    ) -> rusqlite::Result<Option<String>> {
        if caught_up {
            let was_behind = std::mem::take(&mut self.behind);
            return Ok(was_behind.then(|| "the index of words has everything".to_owned()));
        }
        if self.looked.is_some_and(|looked| now.duration_since(looked) < EVERY) {
            return Ok(None);
        }
        self.looked = Some(now);
        let head = head()?;
        self.behind |= head - position > BEHIND;
        let percent = position.saturating_mul(100) / head.max(1);
        Ok(self.behind.then(|| format!("the index of words is being made: {percent} % of {head} entries")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_said_while_much_is_missing_and_once_when_nothing_is() {
        let (mut progress, begun) = (Progress::default(), Instant::now());
        let mut at = |position, caught_up, seconds| {
            progress
                .at(position, caught_up, begun + Duration::from_secs(seconds), || Ok(1_000_000))
                .expect("reads")
        };
        let said =
            |percent| Some(format!("the index of words is being made: {percent} % of 1000000 entries"));
        assert_eq!(at(3_000, false, 0), said(0));
        assert_eq!(at(6_000, false, 4), None);
        assert_eq!(at(250_000, false, 5), said(25));
        assert_eq!(at(990_000, false, 11), said(99));
        assert_eq!(at(1_000_000, true, 12).as_deref(), Some("the index of words has everything"));
        assert_eq!(at(1_000_000, true, 13), None);
        // What is said every day goes without a word.
        assert_eq!(at(999_000, false, 20), None);
        assert_eq!(at(1_000_000, true, 21), None);
    }
}
