//! What happens because time passes.

use chinwag_core::session::Door;

use super::{two, world::World};
use crate::Received;

fn tick(world: &mut World, seconds: u64) {
    for _ in 0..seconds {
        world.now += 1_000;
        world.node.tick(world.now);
        world.turn();
    }
}

#[test]
fn registration_that_never_ends_is_ended() {
    let mut world = World::new();
    let ann = world.open(Door::Irc);
    world.say(ann, "NICK ann");
    tick(&mut world, 59);
    let _ = world.send(ann, "CAP LS\r\n");
    assert!(world.out.closed.is_empty());
    tick(&mut world, 2);
    assert!(world.read(ann).contains("ERROR :Registration took longer than 60 seconds"));
    assert_eq!(world.out.closed, [ann]);
}

#[test]
fn a_silent_session_is_asked_and_then_closed() {
    let (mut world, ann, bob) = two("", "");
    for _ in 0..18 {
        tick(&mut world, 5);
        world.say(bob, "PONG x");
    }
    tick(&mut world, 2);
    assert_eq!(world.lines(ann), ["PING chinwag.local"]);
    world.say(ann, "PONG :chinwag.local");
    for _ in 0..19 {
        tick(&mut world, 5);
        world.say(bob, "PONG x");
    }
    assert_eq!(world.lines(ann), ["PING chinwag.local"]);
    for _ in 0..19 {
        tick(&mut world, 5);
        world.say(bob, "PONG x");
    }
    let last = world.read(ann);
    assert!(last.starts_with("ERROR :Ping timeout: "), "{last}");
    assert!(world.read(bob).contains("QUIT :Ping timeout: "));
    assert_eq!(world.out.closed, [ann]);
}

#[test]
fn what_is_sent_before_registration_has_a_bound() {
    let mut world = World::new();
    let ann = world.open(Door::Irc);
    assert_eq!(world.send(ann, "PING x\r\n".repeat(200)), Received::Closed);
    world.turn();
    assert!(world.read(ann).ends_with("ERROR :Too much was sent before registration\n"));
    let bob = world.open(Door::Irc);
    let closed = (0..20).any(|_| world.send(bob, "x".repeat(4_000)) == Received::Closed);
    assert!(closed);
}

#[test]
fn plain_callers_are_not_told_of_a_registration_that_they_never_heard_of() {
    let mut world = World::new();
    let ann = world.open(Door::Plain);
    let _ = world.send(ann, "not a name\n");
    tick(&mut world, 61);
    assert!(world.read(ann).ends_with("Goodbye: no name came for 60 seconds\n"));
    let bob = world.open(Door::Plain);
    while world.send(bob, "x".repeat(4_000)) != Received::Closed {}
    world.turn();
    assert!(world.read(bob).ends_with("Goodbye: too much was sent before a name\n"));
}
