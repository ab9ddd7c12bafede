//! How fast a session may ask for things: what comes faster waits, in order, and nothing is lost.
//!
//! Kept as one time for each session, the moment until which what it asked is paid for. A session that is ahead of it
//! by its burst waits for the next tick; its socket is not read meanwhile, so that the other side is slowed down by
//! its own system.

use chinwag_core::ids::Millis;
use chinwag_core::settings::Rate;
use chinwag_wire::verbs::Verb;

use crate::Node;

/// Cost of a command that looks through much: all rooms or users, or many messages.
const SEARCH_COST: u64 = 4;

/// How fast a session has asked.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pace {
    /// Until when what it asked is paid for.
    paid_ms: Millis,
    /// It may ask as fast as it likes.
    pub(crate) exempt: bool,
}

impl Pace {
    /// Whether something of this cost may be asked now.
    pub(crate) fn admits(&self, rate: Option<Rate>, cost: u64, now_ms: Millis) -> bool {
        let Some(rate) = rate.filter(|_| !self.exempt && cost > 0) else { return true };
        let ahead_ms = self.paid_ms.saturating_sub(now_ms);
        let burst = u64::from(rate.burst.max(1));
        // What costs more than a whole burst may be asked after a rest.
        ahead_ms + cost.min(burst) * one_ms(rate) <= burst * one_ms(rate)
    }

    /// It is asked.
    pub(crate) fn spend(&mut self, rate: Option<Rate>, cost: u64, now_ms: Millis) {
        if let Some(rate) = rate.filter(|_| !self.exempt) {
            self.paid_ms = self.paid_ms.max(now_ms) + cost * one_ms(rate);
        }
    }
}

/// Milliseconds that pay for one.
fn one_ms(rate: Rate) -> u64 {
    1000 / u64::from(rate.per_second.clamp(1, 1000))
}

/// What a command costs. Signs of life and goodbyes are free.
pub(crate) fn cost(verb: Option<Verb>) -> u64 {
    match verb {
        Some(Verb::Ping | Verb::Pong | Verb::Quit) => 0,
        Some(Verb::List | Verb::Who | Verb::Search | Verb::Purge) => SEARCH_COST,
        _ => 1,
    }
}

impl Node {
    /// Whoever asked too fast may try again.
    pub(crate) fn wake_paced(&mut self) {
        for session in std::mem::take(&mut self.paced) {
            if let Some(index) = self.sessions.find(session) {
                self.make_ready(index);
            }
        }
    }
}
