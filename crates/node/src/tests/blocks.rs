//! What an address block may do only so often, and that nobody else notices.

use chinwag_core::ids::SessionId;
use chinwag_core::session::Door;
use chinwag_core::settings::Settings;
use chinwag_log::memory::{Faults, Memory};

use super::world::World;
use crate::Peer;

fn world() -> World {
    let settings = Settings { hourly: [Some(2); 3], command_rate: None, ..Settings::default() };
    World::with(settings, Memory::new(1, Faults::default()), 1)
}

fn irc(world: &mut World, nick: &str, address: &str, exempt: bool) -> SessionId {
    let peer = Peer { host: "host".into(), address: address.into(), secure: true, exempt, ..Peer::default() };
    let session = world.node.open(Door::Irc, peer, world.now);
    world.say(session, &format!("CAP REQ standard-replies\nNICK {nick}\nUSER {nick} 0 * :{nick}\nCAP END"));
    assert!(world.read(session).contains(" 001 "));
    session
}

#[track_caller]
fn answered(world: &mut World, session: SessionId, asked: &str, expected: &str) {
    world.say(session, asked);
    let answer = world.read(session);
    assert!(answer.contains(expected), "{asked}: {answer}");
}

#[test]
fn rooms_are_opened_only_so_often_from_one_network() {
    let mut world = world();
    let ann = irc(&mut world, "ann", "192.0.2.1", false);
    let bob = irc(&mut world, "bob", "192.0.2.1", false);
    answered(&mut world, ann, "JOIN #a,#b", " 366 ann #b ");
    answered(&mut world, bob, "JOIN #c", " 437 bob #c :Too many rooms");
    answered(&mut world, bob, "JOIN #a", " 366 bob #a ");
    let cyd = irc(&mut world, "cyd", "192.0.2.2", false);
    answered(&mut world, cyd, "JOIN #c", " 366 cyd #c ");
    let dan = irc(&mut world, "dan", "192.0.2.1", true);
    answered(&mut world, dan, "JOIN #d,#e,#f", " 366 dan #f ");
    world.now += 30 * 60 * 1000;
    answered(&mut world, bob, "JOIN #g", " 366 bob #g ");
    answered(&mut world, bob, "JOIN #h", " 437 bob #h ");
}

#[test]
fn accounts_are_made_only_so_often_from_one_network() {
    let mut world = world();
    for (nick, expected) in [
        ("ann", "REGISTER SUCCESS ann"),
        ("bob", "REGISTER SUCCESS bob"),
        ("cyd", "FAIL REGISTER TEMPORARILY_UNAVAILABLE * :Too many accounts"),
    ] {
        let session = irc(&mut world, nick, "2001:db8::1", false);
        answered(&mut world, session, "REGISTER * * sesame", expected);
    }
    let cyd = irc(&mut world, "cyd2", "2001:db8:0:1::1", false);
    answered(&mut world, cyd, "REGISTER * * sesame", "REGISTER SUCCESS cyd2");
}

#[test]
fn passwords_are_guessed_only_so_often_from_one_network_whoever_they_are_for() {
    let mut world = world();
    let ann = irc(&mut world, "ann", "192.0.2.9", false);
    answered(&mut world, ann, "REGISTER * * sesame", "REGISTER SUCCESS ann");
    let guess = |world: &mut World, nick: &str, address: &str, expected: &str| {
        let session = irc(world, nick, address, false);
        answered(world, session, "NS IDENTIFY ann guess", expected);
        session
    };
    let wrong = "its password is another one";
    guess(&mut world, "bob", "192.0.2.1", wrong);
    guess(&mut world, "cyd", "192.0.2.1", wrong);
    let dan = guess(&mut world, "dan", "192.0.2.1", "Too many wrong passwords came from your network");
    // Neither by another way, nor when it is right.
    answered(&mut world, dan, "AUTHENTICATE PLAIN", " 904 ");
    answered(&mut world, dan, "OPER boss guess", " 263 dan OPER :Too many wrong passwords");
    answered(&mut world, dan, "NS IDENTIFY ann sesame", "Too many wrong passwords");
    let eve = irc(&mut world, "eve", "192.0.2.2", false);
    answered(&mut world, eve, "NS IDENTIFY ann sesame", " 900 ");
}
