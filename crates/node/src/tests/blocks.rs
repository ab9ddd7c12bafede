//! What an address block may do only so often, and that nobody else notices.

use chinwag_core::ids::SessionId;
use chinwag_core::refusals::Why;
use chinwag_core::session::Door;
use chinwag_core::settings::Settings;
use chinwag_log::memory::{Faults, Memory};

use super::world::World;
use crate::Peer;

fn world() -> World {
    let settings = Settings {
        hourly: [Some(2), Some(2), Some(2), None, None, None],
        command_rate: None,
        ..Settings::default()
    };
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

fn limited(joins: Option<u32>, nicks: Option<u32>, strangers: Option<u32>) -> World {
    let hourly = [None, None, None, joins, nicks, strangers];
    let settings = Settings { hourly, command_rate: None, ..Settings::default() };
    World::with(settings, Memory::new(1, Faults::default()), 1)
}

fn refusals(world: &World, why: Why) -> u64 {
    world.node.figures().refused().find(|(of, _)| *of == why).map_or(0, |(_, times)| times)
}

#[test]
fn rooms_are_entered_and_nicknames_changed_only_so_often_from_one_network() {
    let mut world = limited(Some(2), Some(2), None);
    let ann = irc(&mut world, "ann", "192.0.2.1", false);
    answered(&mut world, ann, "JOIN #a,#b,#c", " 366 ann #b ");
    answered(&mut world, ann, "JOIN #c", " 437 ann #c :Too many rooms were entered");
    for nick in ["ann1", "ann2"] {
        answered(&mut world, ann, &format!("NICK {nick}"), &format!("NICK {nick}"));
    }
    answered(&mut world, ann, "NICK ann3", " 438 ann2 ann3 :Nicknames were changed too often");
    let bob = irc(&mut world, "bob", "192.0.2.2", false);
    answered(&mut world, bob, "JOIN #c", " 366 bob #c ");
    assert_eq!((refusals(&world, Why::JoinsRate), refusals(&world, Why::NicksRate)), (2, 1));
    world.now += 40 * 60 * 1000;
    answered(&mut world, ann, "NICK ann3", "NICK ann3");
}

#[test]
fn strangers_are_written_to_only_so_often_and_who_answers_is_none() {
    let mut world = limited(None, None, Some(2));
    let spammer = irc(&mut world, "eve", "192.0.2.1", false);
    let people: Vec<_> = (0..4).map(|n| irc(&mut world, &format!("p{n}"), "192.0.2.9", false)).collect();
    let write = |n: usize, world: &mut World| {
        world.say(spammer, &format!("PRIVMSG p{n} :buy"));
        (world.read(people[n]).contains(":buy"), world.read(spammer))
    };
    assert!(write(0, &mut world).0 && write(1, &mut world).0);
    // Once more to somebody who was written to is no new stranger.
    assert!(write(1, &mut world).0);
    let (came, told) = write(2, &mut world);
    assert!(!came && told.contains(" 439 eve p2 :You have written to many"), "{told}");
    // Whoever wrote first may be answered.
    world.say(people[3], "PRIVMSG eve :hello");
    assert!(world.read(spammer).contains(":hello"));
    assert!(write(3, &mut world).0);
    assert_eq!(refusals(&world, Why::OpeningsRate), 1);
}

#[test]
fn an_account_pays_wherever_its_owner_comes_from() {
    let mut world = limited(None, Some(2), None);
    let ann = irc(&mut world, "ann", "192.0.2.1", false);
    answered(&mut world, ann, "REGISTER * * sesame", "REGISTER SUCCESS ann");
    answered(&mut world, ann, "NICK ann1", "NICK ann1");
    answered(&mut world, ann, "NICK ann2", "NICK ann2");
    let again = irc(&mut world, "x", "192.0.2.2", false);
    answered(&mut world, again, "NS IDENTIFY ann sesame", " 900 ");
    answered(&mut world, again, "NICK y", " 438 x y ");
}

#[test]
fn passwords_given_at_the_door_count_as_guesses_and_only_wrong_ones_cost() {
    let mut world = world();
    let ann = irc(&mut world, "ann", "192.0.2.9", false);
    answered(&mut world, ann, "REGISTER * * sesame", "REGISTER SUCCESS ann");
    let knock = |world: &mut World, password: &str| {
        let peer = Peer { address: "192.0.2.1".into(), host: "h".into(), secure: true, ..Peer::default() };
        let session = world.node.open(Door::Irc, peer, world.now);
        world.say(session, &format!("PASS ann:{password}\nNICK bob\nUSER bob 0 * :b"));
        world.read(session)
    };
    for _ in 0..2 {
        assert!(knock(&mut world, "guess").contains("its password is another one"));
    }
    for _ in 0..10 {
        assert!(knock(&mut world, "sesame").contains("Too many wrong passwords"));
    }
    assert_eq!(refusals(&world, Why::WrongPassword), 2);
    // Ten tries that were not looked at do not make it any longer.
    world.now += 31 * 60 * 1000;
    assert!(knock(&mut world, "sesame").contains(" 001 "));
}

#[test]
fn replies_that_refuse_something_are_counted_by_their_name() {
    let mut world = world();
    let ann = irc(&mut world, "ann", "192.0.2.9", false);
    world.say(ann, "FLY\nJOIN #\nJOIN #\n\u{ff}x");
    let told = world.read(ann);
    for (reply, times) in world.node.figures().error_replies().filter(|(_, times)| *times > 0) {
        let seen = match reply {
            "ERR_UNKNOWNCOMMAND" => told.matches(" 421 ").count(),
            "ERR_BADCHANMASK" => told.matches(" 476 ").count(),
            other => panic!("{other}"),
        };
        assert_eq!(times as usize, seen, "{reply} in {told}");
    }
    assert!(told.contains(" 476 "));
}
