//! Messages whose time is over.

use std::sync::Arc;

use chinwag_core::ids::{Number, RoomId, SessionId};
use chinwag_core::settings::Settings;
use chinwag_log::memory::{Faults, Memory};

use super::world::World;

const TEA: RoomId = RoomId(2);

fn passes(world: &mut World, session: SessionId, seconds: u64) {
    for _ in 0..seconds {
        world.now += 1_000;
        world.node.tick(world.now);
        world.say(session, "PONG x");
    }
}

/// What can still be read in the room.
fn left(world: &World) -> (Number, Number) {
    let room = world.node.chat().room(TEA).unwrap();
    (room.history_from, room.head)
}

#[test]
fn what_is_said_disappears_a_moment_after_its_time() {
    let mut world = World::new();
    let ann = world.irc("ann", "");
    world.say(ann, "JOIN #tea\nKEEP #tea 2m\nPRIVMSG #tea :one");
    let told = world.read(ann);
    assert!(told.contains("ann: what is said here disappears after 2m"), "{told}");
    passes(&mut world, ann, 60);
    world.say(ann, "PRIVMSG #tea :two");
    passes(&mut world, ann, 59);
    assert_eq!(left(&world), (Number(1), Number(2)));
    // A look each few seconds, a room asked about every 20.
    passes(&mut world, ann, 27);
    assert_eq!(left(&world), (Number(2), Number(2)));
    passes(&mut world, ann, 60);
    assert_eq!(left(&world), (Number(3), Number(2)));
    // Nothing is proposed where nothing is left.
    let stored = world.memory.stored().len();
    passes(&mut world, ann, 300);
    assert_eq!(world.memory.stored().len(), stored);
    world.say(ann, "PRIVMSG #tea :three");
    passes(&mut world, ann, 150);
    assert_eq!(left(&world), (Number(4), Number(3)));
}

#[test]
fn who_comes_in_is_told_and_a_server_has_the_last_word() {
    let mut world = World::new();
    let settings = Settings { history_keep_ms: Some(3_600_000), motd: Vec::new(), ..Settings::default() };
    world.node.set_settings(Arc::new(settings), world.now);
    let ann = world.irc("ann", "");
    world.say(ann, "JOIN #tea\nKEEP #tea 2h");
    assert!(world.read(ann).contains("This server keeps nothing for longer than 1h"));
    world.say(ann, "KEEP #tea 59s\nKEEP #tea 5m\nKEEP #tea");
    let told = world.read(ann);
    assert!(told.contains("at least 1m") && told.contains("disappears after 5m"), "{told}");
    let bob = world.open(chinwag_core::session::Door::Irc);
    world.say(bob, "NICK bob\nUSER bob 0 * :bob\nJOIN #tea\nKEEP #tea forever");
    let told = world.read(bob);
    assert!(told.contains("NOTICE bob :What is said here disappears after 1h"), "{told}");
    assert!(told.contains("NOTICE #tea :what is said here disappears after 5m"), "{told}");
    assert!(told.contains(" 482 bob #tea "), "{told}");
    world.say(ann, "KEEP #tea forever\nKEEP #tea\nPRIVMSG #tea :one");
    assert!(world.read(ann).contains("disappears after 1h"));
    passes(&mut world, ann, 3_660);
    assert_eq!(left(&world), (Number(2), Number(1)));
}

#[test]
fn two_nodes_say_the_same_and_have_the_same() {
    let memory = Memory::new(1, Faults::default());
    let mut one = World::over(memory.clone(), 1);
    let mut other = World::over(memory, 2);
    let ann = one.irc("ann", "");
    one.say(ann, "JOIN #tea\nKEEP #tea 1m\nPRIVMSG #tea :one\nPRIVMSG #tea :two");
    other.turn();
    for _ in 0..120 {
        one.now += 1_000;
        other.now = one.now;
        one.node.tick(one.now);
        other.node.tick(other.now);
        one.turn();
        other.turn();
    }
    one.turn();
    assert_eq!((left(&one), left(&other)), ((Number(3), Number(2)), (Number(3), Number(2))));
    assert_eq!(one.node.chat().stored_hash(), other.node.chat().stored_hash());
}
