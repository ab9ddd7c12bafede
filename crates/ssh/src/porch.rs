//! Who is at the door and has proved nothing yet: so many at once, and so many of one address block, so that nobody keeps
//! the door to themselves by standing in it.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Connections that have proved nothing yet, at the same time.
pub const UNPROVED_MAX: usize = 256;

/// The same of one address block: an IPv4 address, an IPv6 /64. (People behind one address type their passwords at the
/// same time.)
pub const UNPROVED_OF_ONE_MAX: usize = 32;

/// Those at the door.
#[derive(Debug, Default)]
pub(crate) struct Porch(Mutex<BTreeMap<u128, usize>>);

/// A place at the door, until this is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    porch: Arc<Porch>,
    block: u128,
}

impl Porch {
    fn blocks(&self) -> MutexGuard<'_, BTreeMap<u128, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there is a place for one more from there.
    pub(crate) fn has_room(&self, from: IpAddr, exempt: bool) -> bool {
        has_room(&self.blocks(), block(from, exempt))
    }

    /// Takes a place, if there is one.
    pub(crate) fn enter(self: &Arc<Self>, from: IpAddr, exempt: bool) -> Option<Place> {
        let (mut blocks, block) = (self.blocks(), block(from, exempt));
        if !has_room(&blocks, block) {
            return None;
        }
        *blocks.entry(block).or_default() += 1;
        Some(Place { porch: Arc::clone(self), block })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut blocks = self.porch.blocks();
        if let Some(count) = blocks.get_mut(&self.block) {
            *count -= 1;
            if *count == 0 {
                blocks.remove(&self.block);
            }
        }
    }
}

fn has_room(blocks: &BTreeMap<u128, usize>, block: u128) -> bool {
    let all: usize = blocks.values().sum();
    let of_one = blocks.get(&block).copied().unwrap_or(0);
    all < UNPROVED_MAX && (block == EXEMPT || of_one < UNPROVED_OF_ONE_MAX)
}

/// Those of whom there may be as many as there is room for; no /64 looks like this.
const EXEMPT: u128 = u128::MAX;

/// What tells address blocks apart.
fn block(from: IpAddr, exempt: bool) -> u128 {
    if exempt {
        return EXEMPT;
    }
    match from.to_canonical() {
        IpAddr::V4(ip) => u128::from(ip.to_bits()),
        IpAddr::V6(ip) => ip.to_bits() >> 64 << 64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_block_does_not_fill_the_door() {
        let porch = Arc::new(Porch::default());
        let ip = |n: u8| IpAddr::from([192, 0, 2, n]);
        let mut held: Vec<_> = (0..UNPROVED_OF_ONE_MAX).map(|_| porch.enter(ip(1), false).unwrap()).collect();
        assert!(
            porch.enter(ip(1), false).is_none()
                && porch.has_room(ip(2), false)
                && porch.has_room(ip(1), true)
        );
        held.pop();
        assert!(porch.has_room(ip(1), false));
        let ips = (2..=200).cycle().map(ip);
        held.extend(ips.map_while(|from| porch.enter(from, false)).take(UNPROVED_MAX));
        assert_eq!(held.len(), UNPROVED_MAX);
        assert!(!porch.has_room(ip(201), true));
        drop(held);
        assert!(porch.blocks().is_empty());
    }
}
