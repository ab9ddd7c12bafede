//! How often each address block, and each account, has done what it may do only so often ([`Dear`]).
//!
//! Kept as one time for each of them and thing, the moment until which what it did is paid for. Who has nothing to pay
//! is forgotten, so that nothing has to run for it.

use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroU64;
use std::sync::Arc;

use chinwag_core::allowance::{Allowance, Dear, Hourly};
use chinwag_core::ids::Millis;

use crate::Node;
use crate::deliver::Asker;
use crate::sessions::Entry;

/// Blocks and accounts that are remembered at most. When there are more, those that owe the least are forgotten.
const PAYERS_MAX: usize = 16 * 1024;

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

/// Who pays.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Payer {
    /// An address block.
    Block(Block),
    /// An account, from wherever its owner comes.
    Account(Arc<str>),
}

/// What they owe.
#[derive(Debug, Default)]
pub(crate) struct Allowances {
    owed: HashMap<Payer, [Millis; Dear::COUNT]>,
}

impl Allowances {
    /// What somebody may still do.
    fn of(&self, payer: &Payer, hourly: &Hourly, now_ms: Millis) -> Allowance {
        let paid = self.owed.get(payer).copied().unwrap_or_default();
        let limited = Dear::ALL.iter().filter_map(|dear| Some((*dear, hourly[dear.index()]?)));
        limited.fold(Allowance::default(), |allowance, (dear, rate)| {
            let owed_ms = paid[dear.index()].saturating_sub(now_ms);
            let left = HOUR_MS.saturating_sub(owed_ms) / cost(rate);
            allowance.with(dear, u32::try_from(left).unwrap_or(u32::MAX))
        })
    }

    /// Somebody has done it.
    fn spend(&mut self, payer: Payer, dear: Dear, hourly: &Hourly, now_ms: Millis) {
        let Some(rate) = hourly[dear.index()] else { return };
        if self.owed.len() >= PAYERS_MAX && !self.owed.contains_key(&payer) {
            self.make_room(now_ms);
        }
        let paid_ms = &mut self.owed.entry(payer).or_default()[dear.index()];
        // Nobody waits longer than the hour, however much was tried in it.
        *paid_ms = ((*paid_ms).max(now_ms) + cost(rate)).min(now_ms + HOUR_MS);
    }

    /// Forgets those that owe nothing any more, and if that are few, also those that owe less than most.
    fn make_room(&mut self, now_ms: Millis) {
        let owed = |paid: &[Millis; Dear::COUNT]| paid.iter().copied().max().unwrap_or(0);
        self.owed.retain(|_, paid| owed(paid) > now_ms);
        if self.owed.len() > PAYERS_MAX / 2 {
            let mut all: Vec<Millis> = self.owed.values().map(owed).collect();
            let middle = all.len() / 2;
            let (_, &mut middle, _) = all.select_nth_unstable(middle);
            self.owed.retain(|_, paid| owed(paid) > middle);
        }
    }
}

impl Node {
    /// What a session may still do. Whose address is exempt is, with any account.
    pub(crate) fn allowance(&self, index: u32) -> Allowance {
        let all = Allowance::default();
        let Some(entry) = self.sessions.get(index) else { return all };
        let Some(block) = entry.block else { return all };
        let (owed, hourly, now_ms) = (&self.allowances, &self.settings.hourly, self.now_ms);
        let of_block = owed.of(&Payer::Block(block), hourly, now_ms);
        match self.account_of(entry) {
            Some(account) => of_block.and(owed.of(&Payer::Account(account), hourly, now_ms)),
            None => of_block,
        }
    }

    /// A session has done it. Wrong passwords are the block's alone: nobody is kept from an account by others who guess.
    pub(crate) fn spend(&mut self, asker: Option<Asker>, dear: Dear) {
        let Some(entry) = asker.and_then(|asker| self.sessions.get(asker.index)) else { return };
        let Some(block) = entry.block else { return };
        let account = self.account_of(entry).filter(|_| dear != Dear::WrongPasswords);
        for payer in account.map(Payer::Account).into_iter().chain([Payer::Block(block)]) {
            self.allowances.spend(payer, dear, &self.settings.hourly, self.now_ms);
        }
    }

    /// Whether somebody at an address, who has no session, may try a password now.
    pub fn lets_try_password(&self, address: &str, now_ms: Millis) -> bool {
        let of_block = |block| self.allowances.of(&Payer::Block(block), &self.settings.hourly, now_ms);
        block(address).is_none_or(|block| of_block(block).allows(Dear::WrongPasswords))
    }

    /// They tried a wrong one.
    pub fn tried_wrong_password(&mut self, address: &str, now_ms: Millis) {
        if let Some(block) = block(address) {
            let hourly = &self.settings.hourly;
            self.allowances.spend(Payer::Block(block), Dear::WrongPasswords, hourly, now_ms);
        }
    }

    fn account_of(&self, entry: &Entry) -> Option<Arc<str>> {
        let user = entry.core.user().and_then(|user| self.chat.user(user));
        user.map_or_else(|| entry.core.account.clone(), |user| user.who.account.clone())
    }
}

/// Milliseconds that pay for one.
fn cost(rate: u32) -> Millis {
    HOUR_MS / Millis::from(rate.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOURLY: Hourly = [Some(60), None, Some(2), None, None, None];

    fn payer(n: u64) -> Payer {
        Payer::Block(NonZeroU64::new(n).unwrap())
    }

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
        let (mut now_ms, one) = (1_000_000_000, payer(7));
        for _ in 0..60 {
            assert!(all.of(&one, &HOURLY, now_ms).allows(Dear::Rooms));
            all.spend(one.clone(), Dear::Rooms, &HOURLY, now_ms);
        }
        assert!(!all.of(&one, &HOURLY, now_ms).allows(Dear::Rooms));
        assert!(all.of(&one, &HOURLY, now_ms).allows(Dear::WrongPasswords));
        assert!(all.of(&payer(8), &HOURLY, now_ms).allows(Dear::Rooms));
        now_ms += HOUR_MS / 60;
        assert!(all.of(&one, &HOURLY, now_ms).allows(Dear::Rooms));
        for _ in 0..100 {
            all.spend(one.clone(), Dear::Accounts, &HOURLY, now_ms);
        }
        assert!(all.of(&one, &HOURLY, now_ms).allows(Dear::Accounts), "what has no limit is not counted");
    }

    #[test]
    fn nobody_waits_longer_than_an_hour_however_much_was_tried() {
        let (mut all, one) = (Allowances::default(), payer(7));
        for _ in 0..1000 {
            all.spend(one.clone(), Dear::WrongPasswords, &HOURLY, 5);
        }
        assert!(!all.of(&one, &HOURLY, 5).allows(Dear::WrongPasswords));
        assert!(all.of(&one, &HOURLY, 5 + HOUR_MS / 2).allows(Dear::WrongPasswords));
    }

    #[test]
    fn only_so_many_blocks_are_remembered_and_those_that_owe_most_stay() {
        let mut all = Allowances::default();
        for _ in 0..2 {
            all.spend(payer(1), Dear::WrongPasswords, &HOURLY, 1);
        }
        for block in 2..3 * PAYERS_MAX as u64 {
            all.spend(payer(block), Dear::Rooms, &HOURLY, 1);
        }
        assert!(all.owed.len() <= PAYERS_MAX);
        assert!(
            !all.of(&payer(1), &HOURLY, 1).allows(Dear::WrongPasswords),
            "who owes most is not forgotten"
        );
    }
}
