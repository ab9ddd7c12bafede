//! A node driven through real byte streams, over a log in memory.

mod world;

use chinwag_core::session::Door;

use self::world::World;
use crate::Received;

/// Two sessions in one room, their JOINs read.
fn two(
    caps_ann: &str,
    caps_bob: &str,
) -> (World, chinwag_core::ids::SessionId, chinwag_core::ids::SessionId) {
    let mut world = World::new();
    let (ann, bob) = (world.irc("ann", caps_ann), world.irc("bob", caps_bob));
    world.say(ann, "JOIN #tea");
    world.say(bob, "JOIN #tea");
    world.read(ann);
    world.read(bob);
    (world, ann, bob)
}

#[test]
fn two_sessions_talk_and_an_author_without_echo_hears_nothing_of_it() {
    let (mut world, ann, bob) = two("", "");
    world.say(ann, "PRIVMSG #tea :hello");
    world.say(bob, "PRIVMSG #tea :hi ann");
    assert_eq!(world.lines(bob), [":ann!~ann@host PRIVMSG #tea :hello"]);
    assert_eq!(world.lines(ann), [":bob!~bob@host PRIVMSG #tea :hi ann"]);
}

#[test]
fn an_author_with_echo_message_sees_what_everybody_sees() {
    let (mut world, ann, bob) = two("echo-message", "");
    world.say(ann, "PRIVMSG #tea :hello");
    assert_eq!(world.lines(ann), [":ann!~ann@host PRIVMSG #tea :hello"]);
    assert_eq!(world.lines(bob), [":ann!~ann@host PRIVMSG #tea :hello"]);
}

#[test]
fn silence() {
    let mut world = World::new();
    let ann = world.open(Door::Irc);
    assert_eq!(world.send(ann, "NICK ann\r\nUS"), Received::More);
    world.turn();
    assert_eq!(world.read(ann), "");
}
