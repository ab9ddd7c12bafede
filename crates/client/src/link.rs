//! The link to a server: whether there is one, and when the next try is.

use std::sync::Arc;

use crate::Millis;

/// How it stands with the link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    /// None is wanted: not yet, or not any more.
    Idle,
    /// The driver is connecting, or is to.
    Connecting,
    /// Connected; the server does not know me yet.
    Registering,
    /// I am in.
    Online {
        /// Since when.
        since_ms: Millis,
    },
    /// The link broke; the next try comes by itself.
    Waiting {
        /// When.
        until_ms: Millis,
        /// Why it broke.
        why: Arc<str>,
    },
    /// Nothing goes on until the person decides something: another nickname, another password.
    Refused {
        /// Why, and what to do.
        why: Arc<str>,
    },
}

/// The first wait after a link that stood.
const FIRST_MS: Millis = 500;

/// The longest wait.
const LAST_MS: Millis = 60_000;

/// A link that stood for so long makes the next wait a short one again.
const STOOD_MS: Millis = 30_000;

/// Small and deterministic (SplitMix64): jitter, labels.
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// How long to wait before the next try: twice as long each time, with jitter, so that those whom one server lost do
/// not come back all at once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Backoff {
    tries: u32,
}

impl Backoff {
    /// The wait after a link that stood for so long (0 when it never came about).
    pub(crate) fn next(&mut self, stood_ms: Millis, dice: &mut Dice) -> Millis {
        if stood_ms >= STOOD_MS {
            self.tries = 0;
        }
        let wait_ms = (FIRST_MS << self.tries.min(16)).min(LAST_MS);
        self.tries += 1;
        wait_ms / 2 + dice.roll() % wait_ms
    }

    /// The next wait is a short one.
    pub(crate) fn reset(&mut self) {
        self.tries = 0;
    }
}
