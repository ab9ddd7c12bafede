//! How many connections an address block may have, and how fast it may open them.
//!
//! A block is what one household, school or attacker has: an IPv4 address, or an IPv6 /64. Rates are kept as one
//! time for each block, the moment until which its connections are paid for, so that a block costs a few words and
//! nothing has to run when nobody comes.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::rc::Rc;

use chinwag_core::ids::Millis;
use ipnet::IpNet;

use crate::metrics::Reason;

/// Blocks that are remembered at most. At it those are forgotten that have no connection open.
const BLOCKS_MAX: usize = 64 * 1024;

/// Milliseconds of a minute.
const MINUTE_MS: Millis = 60_000;

/// What may be open.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Allowed {
    /// Whether address blocks are counted at all.
    pub(crate) connections: bool,
    /// Connections of a block open at once.
    pub(crate) at_once: u32,
    /// New connections of a block a minute, in the long run; as many may come at once.
    pub(crate) per_minute: u32,
    /// Connections of a block that have not said yet who they are.
    pub(crate) newcomers_at_once: u32,
    /// The same of all blocks together.
    pub(crate) newcomers: u32,
    /// Connections of everybody, also of who is not counted otherwise.
    pub(crate) total: usize,
    /// Who is not counted.
    pub(crate) exempt: Vec<IpNet>,
}

/// Why a caller may not come in now. The text is for the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    /// So many are open.
    #[error("too many connections from your network are open ({0})")]
    AtOnce(u32),
    /// They come too fast.
    #[error("too many new connections from your network, try again in {0} s")]
    TooFast(u64),
    /// So many of the block have not said who they are.
    #[error("{0} connections from your network have not said yet who they are, try again in a minute")]
    NewcomersAtOnce(u32),
    /// So many of all have not.
    #[error("too many are coming in at the moment, try again in a minute")]
    Newcomers,
    /// No more can be open.
    #[error("the server is full, try again later")]
    Full,
    /// There is no memory for more.
    #[error("the server is short of memory and takes nobody new, try again in a few minutes")]
    Memory,
}

impl Refused {
    /// By which it is counted.
    pub(crate) fn reason(self) -> Reason {
        match self {
            Refused::AtOnce(_) => Reason::ConnectionsAtOnce,
            Refused::TooFast(_) => Reason::ConnectionsRate,
            Refused::NewcomersAtOnce(_) => Reason::NewcomersAtOnce,
            Refused::Newcomers => Reason::Newcomers,
            Refused::Full => Reason::ConnectionsTotal,
            Refused::Memory => Reason::Memory,
        }
    }
}

/// The blocks from which somebody came lately.
#[derive(Debug)]
pub(crate) struct Throttle {
    allowed: Allowed,
    blocks: BTreeMap<Block, Seen>,
    /// Connections of counted blocks that have not said yet who they are.
    newcomers: u32,
}

/// The beginning of an address that is one caller's, as a number: IPv4 addresses as IPv6 has them.
type Block = u64;

#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    /// Connections open now.
    open: u32,
    /// Those of them that have not said yet who they are.
    newcomers: u32,
    /// Until when the connections so far are paid for.
    paid_ms: Millis,
}

/// A connection that is counted, until this is dropped.
#[derive(Debug)]
pub(crate) struct Ticket {
    throttle: Rc<RefCell<Throttle>>,
    block: Block,
    newcomer: Cell<bool>,
}

impl Ticket {
    /// It has said who it is.
    pub(crate) fn known(&self) {
        if self.newcomer.take() {
            let mut throttle = self.throttle.borrow_mut();
            throttle.newcomers = throttle.newcomers.saturating_sub(1);
            if let Some(seen) = throttle.blocks.get_mut(&self.block) {
                seen.newcomers = seen.newcomers.saturating_sub(1);
            }
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.known();
        if let Some(seen) = self.throttle.borrow_mut().blocks.get_mut(&self.block) {
            seen.open = seen.open.saturating_sub(1);
        }
    }
}

impl Throttle {
    pub(crate) fn new(allowed: Allowed) -> Self {
        Throttle { allowed, blocks: BTreeMap::new(), newcomers: 0 }
    }

    /// Other rules from now on; what is open stays.
    pub(crate) fn reload(&mut self, allowed: Allowed) {
        self.allowed = allowed;
    }

    /// Whether limits do not hold for an address.
    pub(crate) fn exempts(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        self.allowed.exempt.iter().any(|net| net.contains(&ip))
    }

    /// Connections that everybody together may have open.
    pub(crate) fn total(&self) -> usize {
        self.allowed.total
    }

    /// Counts a caller in. Nothing is counted, and there is no ticket, for who is exempt.
    ///
    /// # Errors
    /// [`Refused`] when its block has, or has had lately, as many as it may.
    pub(crate) fn admit(
        throttle: &Rc<RefCell<Throttle>>,
        ip: IpAddr,
        now_ms: Millis,
    ) -> Result<Option<Ticket>, Refused> {
        let mut this = throttle.borrow_mut();
        if !this.allowed.connections || this.exempts(ip) {
            return Ok(None);
        }
        let block = block(ip);
        this.make_room(now_ms);
        let (at_once, newcomers_at_once) = (this.allowed.at_once, this.allowed.newcomers_at_once);
        let cost_ms = MINUTE_MS / Millis::from(this.allowed.per_minute.max(1));
        let (all, most) = (this.newcomers, this.allowed.newcomers);
        let seen = this.blocks.entry(block).or_default();
        if seen.open >= at_once {
            return Err(Refused::AtOnce(at_once));
        }
        if seen.newcomers >= newcomers_at_once {
            return Err(Refused::NewcomersAtOnce(newcomers_at_once));
        }
        // Past the bound, and up to twice as many, one of each block still finds a place: those who hold the places
        // keep nobody else out so easily.
        if all >= most && (seen.newcomers > 0 || all >= most.saturating_mul(2)) {
            return Err(Refused::Newcomers);
        }
        // A minute's worth may come at once.
        let paid_ms = seen.paid_ms.max(now_ms) + cost_ms;
        if paid_ms > now_ms + MINUTE_MS {
            return Err(Refused::TooFast((paid_ms - now_ms - MINUTE_MS).div_ceil(1000)));
        }
        seen.paid_ms = paid_ms;
        seen.open += 1;
        seen.newcomers += 1;
        this.newcomers += 1;
        drop(this);
        Ok(Some(Ticket { throttle: Rc::clone(throttle), block, newcomer: Cell::new(true) }))
    }

    /// Forgets blocks before there are too many: first those that owe nothing, then those without a connection.
    fn make_room(&mut self, now_ms: Millis) {
        if self.blocks.len() >= BLOCKS_MAX {
            self.blocks.retain(|_, seen| seen.open > 0 || seen.paid_ms > now_ms);
        }
        if self.blocks.len() >= BLOCKS_MAX {
            self.blocks.retain(|_, seen| seen.open > 0);
        }
    }
}

/// What tells the blocks of addresses apart.
pub(crate) fn block_of(ip: IpAddr) -> u64 {
    block(ip)
}

fn block(ip: IpAddr) -> Block {
    match ip.to_canonical() {
        // No IPv6 address that anybody has begins with 0000 0000.
        IpAddr::V4(ip) => Block::from(u32::from(ip)),
        IpAddr::V6(ip) => (u128::from(ip) >> 64) as Block,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn throttle(at_once: u32, per_minute: u32) -> Rc<RefCell<Throttle>> {
        let exempt = vec!["10.0.0.0/8".parse().unwrap()];
        let (newcomers_at_once, newcomers, total) = (u32::MAX, u32::MAX, usize::MAX);
        let allowed =
            Allowed { connections: true, at_once, per_minute, newcomers_at_once, newcomers, total, exempt };
        Rc::new(RefCell::new(Throttle::new(allowed)))
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_block_has_so_many_connections_and_gets_them_back() {
        let throttle = throttle(2, 100);
        let first = Throttle::admit(&throttle, ip("192.0.2.1"), 0).unwrap();
        let _second = Throttle::admit(&throttle, ip("::ffff:192.0.2.1"), 0).unwrap();
        assert_eq!(Throttle::admit(&throttle, ip("192.0.2.1"), 0).unwrap_err(), Refused::AtOnce(2));
        assert!(Throttle::admit(&throttle, ip("192.0.2.2"), 0).unwrap().is_some());
        drop(first);
        assert!(Throttle::admit(&throttle, ip("192.0.2.1"), 0).is_ok());
    }

    #[test]
    fn connections_that_come_too_fast_are_told_when_to_come_again() {
        let throttle = throttle(1000, 6);
        for _ in 0..6 {
            drop(Throttle::admit(&throttle, ip("2001:db8:0:1::1"), 5_000).unwrap());
        }
        let refused = Throttle::admit(&throttle, ip("2001:db8:0:1:ffff::9"), 5_000).unwrap_err();
        assert_eq!(refused, Refused::TooFast(10));
        assert!(Throttle::admit(&throttle, ip("2001:db8:0:2::1"), 5_000).is_ok());
        assert!(Throttle::admit(&throttle, ip("2001:db8:0:1::1"), 14_999).is_err());
        assert!(Throttle::admit(&throttle, ip("2001:db8:0:1::1"), 15_000).is_ok());
    }

    #[test]
    fn who_is_exempt_is_not_counted() {
        let throttle = throttle(1, 1);
        for _ in 0..10 {
            assert!(Throttle::admit(&throttle, ip("10.1.2.3"), 0).unwrap().is_none());
        }
        assert!(throttle.borrow().blocks.is_empty());
    }

    #[test]
    fn what_is_remembered_has_a_bound() {
        let throttle = throttle(1, 1);
        for n in 0..(BLOCKS_MAX as u32 + 1000) {
            let ip = IpAddr::from((0xc000_0000 + n).to_be_bytes());
            drop(Throttle::admit(&throttle, ip, 0).unwrap());
        }
        assert!(throttle.borrow().blocks.len() <= BLOCKS_MAX);
    }

    #[test]
    fn who_has_not_said_who_it_is_counts_twice_until_it_has() {
        let throttle = throttle(100, 1000);
        throttle.borrow_mut().allowed.newcomers_at_once = 2;
        let admit = |address: &str| Throttle::admit(&throttle, ip(address), 0);
        let first = admit("192.0.2.1").unwrap().unwrap();
        let _second = admit("192.0.2.1").unwrap();
        assert_eq!(admit("192.0.2.1").unwrap_err(), Refused::NewcomersAtOnce(2));
        first.known();
        first.known();
        let third = admit("192.0.2.1").unwrap();
        assert_eq!(admit("192.0.2.1").unwrap_err(), Refused::NewcomersAtOnce(2));
        drop((first, third));
        assert_eq!(throttle.borrow().newcomers, 1);
    }

    #[test]
    fn those_who_hold_all_places_leave_one_to_each_other_block() {
        let throttle = throttle(100, 1000);
        throttle.borrow_mut().allowed.newcomers = 3;
        let admit = |address: &str| Throttle::admit(&throttle, ip(address), 0);
        let _held: Vec<_> = (0..3).map(|_| admit("192.0.2.1").unwrap()).collect();
        assert_eq!(admit("192.0.2.1").unwrap_err(), Refused::Newcomers);
        let _others: Vec<_> = (2..5).map(|n| admit(&format!("192.0.2.{n}")).unwrap()).collect();
        assert_eq!(admit("192.0.2.9").unwrap_err(), Refused::Newcomers, "there is an end to it");
    }
}
