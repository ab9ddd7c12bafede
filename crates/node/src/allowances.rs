//! How often each address block has done what it may do only so often ([`Dear`]).
//!
//! Kept as one time for each block and thing, the moment until which what it did is paid for. A block that has nothing
//! to pay is forgotten, so that nothing has to run for it.

use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroU64;

use chinwag_core::allowance::{Allowance, Dear, Hourly};
use chinwag_core::ids::Millis;

/// Blocks that are remembered at most. When there are more, those that owe the least are forgotten.
const BLOCKS_MAX: usize = 16 * 1024;

/// Milliseconds of an hour.
const HOUR_MS: Millis = 3_600_000;

/// The beginning of an address that is one caller's, as a number: an IPv4 address below 2^33, of an IPv6 address the
/// first half, which nobody has that small.
pub(crate) type Block = NonZeroU64;

/// The block of an address, as a word of an IRC line has it; none where it is no address.
pub(crate) fn block(address: &str) -> Option<Block> {
    let number = match address.parse::<IpAddr>().ok()?.to_canonical() {
        IpAddr::V4(v4) => 1 << 32 | u64::from(v4.to_bits()),
        IpAddr::V6(v6) => (v6.to_bits() >> 64) as u64,
    };
    Some(NonZeroU64::new(number).unwrap_or(NonZeroU64::MIN))
}

/// What the blocks owe.
#[derive(Debug, Default)]
pub(crate) struct Allowances {
    blocks: HashMap<Block, [Millis; Dear::COUNT]>,
}

impl Allowances {
    /// What a block may still do.
    pub(crate) fn of(&self, block: Option<Block>, hourly: &Hourly, now_ms: Millis) -> Allowance {
        let Some(paid) = block.and_then(|block| self.blocks.get(&block)) else { return Allowance::default() };
        let used_up = |dear: &Dear| {
            let (paid_ms, rate) = (paid[dear.index()], hourly[dear.index()]);
            // One more has to fit into the hour.
            rate.is_some_and(|rate| paid_ms.saturating_sub(now_ms) + cost(rate) > HOUR_MS)
        };
        [Dear::Rooms, Dear::Accounts, Dear::WrongPasswords]
            .into_iter()
            .filter(used_up)
            .fold(Allowance::default(), Allowance::without)
    }

    /// A block has done it.
    pub(crate) fn spend(&mut self, block: Option<Block>, dear: Dear, hourly: &Hourly, now_ms: Millis) {
        let (Some(block), Some(rate)) = (block, hourly[dear.index()]) else { return };
        if self.blocks.len() >= BLOCKS_MAX && !self.blocks.contains_key(&block) {
            self.make_room(now_ms);
        }
        let paid_ms = &mut self.blocks.entry(block).or_default()[dear.index()];
        *paid_ms = (*paid_ms).max(now_ms) + cost(rate);
    }

    /// Forgets those that owe nothing any more, and if that are few, also those that owe less than most.
    fn make_room(&mut self, now_ms: Millis) {
        let owed = |paid: &[Millis; Dear::COUNT]| paid.iter().copied().max().unwrap_or(0);
        self.blocks.retain(|_, paid| owed(paid) > now_ms);
        if self.blocks.len() > BLOCKS_MAX / 2 {
            let mut all: Vec<Millis> = self.blocks.values().map(owed).collect();
            let middle = all.len() / 2;
            let (_, &mut middle, _) = all.select_nth_unstable(middle);
            self.blocks.retain(|_, paid| owed(paid) > middle);
        }
    }
}

/// Milliseconds that pay for one.
fn cost(rate: u32) -> Millis {
    HOUR_MS / Millis::from(rate.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOURLY: Hourly = [Some(60), None, Some(2)];

    #[test]
    fn blocks_are_networks_of_one_household() {
        assert_eq!(block("192.0.2.1"), block("::ffff:192.0.2.1"));
        assert_ne!(block("192.0.2.1"), block("192.0.2.2"));
        assert_eq!(block("2001:db8::1"), block("2001:db8::ffff:2"));
        assert_ne!(block("2001:db8::1"), block("2001:db8:0:1::1"));
        assert_eq!(block("0::1"), block("::1"));
        assert_eq!(block("host.example"), None);
    }

    #[test]
    fn as_much_as_fits_into_an_hour_and_then_again_as_time_goes() {
        let mut all = Allowances::default();
        let (mut now_ms, one) = (1_000_000_000, NonZeroU64::new(7));
        for _ in 0..60 {
            assert!(all.of(one, &HOURLY, now_ms).allows(Dear::Rooms));
            all.spend(one, Dear::Rooms, &HOURLY, now_ms);
        }
        assert!(!all.of(one, &HOURLY, now_ms).allows(Dear::Rooms));
        assert!(all.of(one, &HOURLY, now_ms).allows(Dear::WrongPasswords));
        assert!(all.of(NonZeroU64::new(8), &HOURLY, now_ms).allows(Dear::Rooms));
        assert!(all.of(None, &HOURLY, now_ms).allows(Dear::Rooms));
        now_ms += HOUR_MS / 60;
        assert!(all.of(one, &HOURLY, now_ms).allows(Dear::Rooms));
        for _ in 0..100 {
            all.spend(one, Dear::Accounts, &HOURLY, now_ms);
        }
        assert!(all.of(one, &HOURLY, now_ms).allows(Dear::Accounts), "what has no limit is not counted");
    }

    #[test]
    fn only_so_many_blocks_are_remembered_and_those_that_owe_most_stay() {
        let mut all = Allowances::default();
        for _ in 0..2 {
            all.spend(NonZeroU64::new(1), Dear::WrongPasswords, &HOURLY, 1);
        }
        for block in 2..3 * BLOCKS_MAX as u64 {
            all.spend(NonZeroU64::new(block), Dear::Rooms, &HOURLY, 1);
        }
        assert!(all.blocks.len() <= BLOCKS_MAX);
        assert!(
            !all.of(NonZeroU64::new(1), &HOURLY, 1).allows(Dear::WrongPasswords),
            "who owes most is not forgotten"
        );
    }
}
