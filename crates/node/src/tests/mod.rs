//! A node driven through real byte streams, over a log in memory.

mod accounts;
mod blocks;
mod doors;
mod expiry;
mod failures;
mod keys;
mod labels;
mod many;
mod order;
mod same;
mod timers;
mod world;

use chinwag_core::ids::SessionId;

use self::world::World;

/// Two sessions in one room, their JOINs read.
fn two(caps_ann: &str, caps_bob: &str) -> (World, SessionId, SessionId) {
    let mut world = World::new();
    let (ann, bob) = (world.irc("ann", caps_ann), world.irc("bob", caps_bob));
    world.say(ann, "JOIN #tea");
    world.say(bob, "JOIN #tea");
    world.read(ann);
    world.read(bob);
    (world, ann, bob)
}

const ANN: &str = ":ann!~ann@host";
const BOB: &str = ":bob!~bob@host";
