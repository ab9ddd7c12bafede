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

#[test]
fn whoever_asks_too_fast_waits_and_is_answered_in_order() {
    let mut world = World::new();
    let ann = world.open_from(Door::Irc, false);
    world.say(ann, "NICK ann\nUSER ann 0 * :ann");
    world.read(ann);
    let text: String = (0..60).map(|n| format!("PING {n}\r\nVERSION\r\n")).collect();
    let received = world.send(ann, &text);
    assert_eq!(received, Received::Wait);
    world.turn();
    let versions = |text: &str| text.matches(" 351 ").count();
    // NICK and USER came before anybody counted.
    assert_eq!(versions(&world.read(ann)), 40);
    tick(&mut world, 1);
    assert_eq!(versions(&world.read(ann)), 5);
    tick(&mut world, 4);
    let rest = world.read(ann);
    assert_eq!(versions(&rest), 15);
    assert!(rest.contains(":59\n"), "{rest}");
}

#[test]
fn a_guest_on_an_owned_nickname_has_a_minute() {
    let (mut world, ann, bob) = two("", "");
    for session in [ann, bob] {
        world.say(session, "JOIN #tea");
    }
    world.say(ann, "REGISTER * * sesame");
    world.say(ann, "LOGOUT");
    let told = world.read(ann);
    assert!(told.contains("ann belongs to an account. Log in to it within 60 seconds"), "{told}");
    let _ = world.read(bob);
    tick(&mut world, 59);
    assert!(!world.read(bob).contains(" NICK "));
    tick(&mut world, 2);
    let renamed = world.read(bob);
    assert!(renamed.contains(" NICK Guest"), "{renamed}");
    // And that is all.
    let _ = world.read(ann);
    tick(&mut world, 5);
    assert!(!world.read(ann).contains(" NICK "));
}

/// RPL_LUSERUNKNOWN: <https://modern.ircdocs.horse/#rplluserunknown-253>
#[test]
fn connections_that_are_nobodys_yet_are_counted() {
    let mut world = World::new();
    let ann = world.irc("ann", "");
    let unknown = |world: &mut World| {
        world.say(ann, "LUSERS");
        let lines = world.lines(ann);
        let line = lines.iter().find_map(|line| line.split_once(" 253 ann ")).expect("the line");
        line.1.to_owned()
    };
    assert_eq!(unknown(&mut world), "0 :unknown connection(s)");
    let (bob, eve, dan) = (world.open(Door::Irc), world.open(Door::Irc), world.open(Door::Irc));
    world.say(bob, "NICK bob");
    assert_eq!(unknown(&mut world), "3 :unknown connection(s)");
    world.say(bob, "USER bob 0 * :bob");
    assert_eq!(unknown(&mut world), "2 :unknown connection(s)");
    world.say(eve, "QUIT");
    assert_eq!(unknown(&mut world), "1 :unknown connection(s)");
    world.node.closed(dan, "gone", world.now);
    world.turn();
    world.node.closed(bob, "gone", world.now);
    world.turn();
    assert_eq!(unknown(&mut world), "0 :unknown connection(s)");
}
