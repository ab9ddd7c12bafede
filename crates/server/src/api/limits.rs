//! How much programs may ask: a bucket of requests for each, and what was asked already (`Idempotency-Key`).

use std::collections::{BTreeMap, VecDeque};

use chinwag_core::ids::Millis;
use chinwag_core::settings::Rate;
use chinwag_node::Errand;

/// Programs that are remembered at most. At it those are forgotten that have asked nothing lately.
const PROGRAMS_MAX: usize = 16 * 1024;

/// Keys that are remembered, and for how long.
pub(crate) const KEYS_MAX: usize = 4096;
const KEY_MS: Millis = 24 * 60 * 60 * 1000;

/// Buckets: for each program the moment until which its requests are paid for.
#[derive(Debug, Default)]
pub(crate) struct Buckets(BTreeMap<String, Millis>);

impl Buckets {
    /// Counts a request.
    ///
    /// # Errors
    /// The seconds to wait, when there were too many.
    pub(crate) fn take(&mut self, program: &str, rate: Rate, now_ms: Millis) -> Result<(), u64> {
        if self.0.len() >= PROGRAMS_MAX {
            self.0.retain(|_, paid_ms| *paid_ms > now_ms);
        }
        if self.0.len() >= PROGRAMS_MAX && !self.0.contains_key(program) {
            return Err(1);
        }
        let cost_ms = 1000 / Millis::from(rate.per_second.max(1));
        let ahead_ms = cost_ms * Millis::from(rate.burst.max(1));
        let paid_ms = self.0.get(program).copied().unwrap_or_default().max(now_ms) + cost_ms;
        if paid_ms > now_ms + ahead_ms {
            return Err((paid_ms - now_ms - ahead_ms).div_ceil(1000));
        }
        self.0.insert(program.to_owned(), paid_ms);
        Ok(())
    }
}

/// What came of a request with a key.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Before {
    /// It is new.
    New,
    /// It is under way.
    UnderWay,
    /// The key was used for something else.
    Other,
    /// It was done.
    Done(Errand),
}

/// A key and whose it is.
pub(crate) type Key = (String, String);

#[derive(Debug)]
struct Used {
    /// What was asked.
    print: String,
    done: Option<Errand>,
    until_ms: Millis,
}

/// The keys of requests that are not to be done twice.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    used: BTreeMap<Key, Used>,
    /// In the order of their coming.
    order: VecDeque<Key>,
}

impl Keys {
    /// Notes a request, and says what came of it before.
    pub(crate) fn ask(&mut self, key: &Key, print: &str, now_ms: Millis) -> Before {
        while let Some(oldest) = self.order.front()
            && (self.order.len() > KEYS_MAX
                || self.used.get(oldest).is_none_or(|used| used.until_ms <= now_ms))
        {
            self.used.remove(oldest);
            self.order.pop_front();
        }
        if let Some(used) = self.used.get(key) {
            return match &used.done {
                _ if used.print != print => Before::Other,
                None => Before::UnderWay,
                Some(done) => Before::Done(done.clone()),
            };
        }
        let used = Used { print: print.to_owned(), done: None, until_ms: now_ms + KEY_MS };
        self.used.insert(key.clone(), used);
        self.order.push_back(key.clone());
        Before::New
    }

    /// What became of it. What was not done may be asked again.
    pub(crate) fn settle(&mut self, key: &Key, errand: &Errand) {
        match errand {
            Errand::Kept { .. } => {
                if let Some(used) = self.used.get_mut(key) {
                    used.done = Some(errand.clone());
                }
            }
            _ => self.forget(key),
        }
    }

    /// It was not even begun.
    pub(crate) fn forget(&mut self, key: &Key) {
        self.used.remove(key);
        self.order.retain(|known| known != key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_and_then_as_fast_as_allowed() {
        let mut buckets = Buckets::default();
        let rate = Rate { per_second: 2, burst: 3 };
        for _ in 0..3 {
            assert_eq!(buckets.take("a", rate, 10_000), Ok(()));
        }
        assert_eq!(buckets.take("a", rate, 10_000), Err(1));
        assert_eq!(buckets.take("b", rate, 10_000), Ok(()));
        assert_eq!(buckets.take("a", rate, 10_500), Ok(()));
        assert_eq!(buckets.take("a", rate, 10_500), Err(1));
    }

    #[test]
    fn a_key_is_done_once() {
        let mut keys = Keys::default();
        let key = ("ann".to_owned(), "1".to_owned());
        let refused = Errand::Unavailable("full".to_owned());
        assert_eq!(keys.ask(&key, "x", 0), Before::New);
        assert_eq!(keys.ask(&key, "x", 0), Before::UnderWay);
        assert_eq!(keys.ask(&key, "y", 0), Before::Other);
        keys.settle(&key, &refused);
        assert_eq!(keys.ask(&key, "x", 0), Before::New);
        let kept = Errand::Kept {
            number: chinwag_core::ids::Number(1),
            msgid: chinwag_wire::msgid::MsgId::stored(&chinwag_wire::msgid::MsgIdKey([1, 2]), 1),
            at_ms: 5,
        };
        keys.settle(&key, &kept);
        assert_eq!(keys.ask(&key, "x", 0), Before::Done(kept));
        assert_eq!(keys.ask(&key, "x", KEY_MS), Before::New);
        for n in 0..2 * KEYS_MAX {
            keys.ask(&("bob".to_owned(), n.to_string()), "x", KEY_MS);
        }
        assert!(keys.used.len() <= KEYS_MAX + 1 && keys.order.len() <= KEYS_MAX + 1);
    }
}
