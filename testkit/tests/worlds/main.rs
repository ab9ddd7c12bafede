//! Nodes over one log, people on all of them in the same rooms, and everything that can go wrong between a node
//! and its log: the same order, the same numbers, the same state; nothing acknowledged is lost, nothing is there
//! twice, nothing refused is there at all.
//!
//! `CHINWAG_SEEDS=1000 cargo test -p chinwag-testkit --test worlds` runs a thousand of each.

mod crowd;
mod life;

use chinwag_testkit::seeds::for_each_seed;

use crate::crowd::Crowd;

/// Events of one world.
const EVENTS: usize = 10_000;

#[test]
fn two_nodes_see_one_order() {
    for_each_seed("two_nodes_see_one_order", 8, |seed| Crowd::new(2, seed).run(EVENTS, 0));
}

/// One in five hundred events is a crash without a warning.
#[test]
fn what_a_node_said_survives_its_crash() {
    for_each_seed("what_a_node_said_survives_its_crash", 4, |seed| Crowd::new(1, seed).run(EVENTS, 2));
}
