//! What the log refuses, does not know, repeats, or fails at; and what sessions send that is not a request.

use chinwag_core::session::Door;
use chinwag_core::settings::Settings;
use chinwag_log::memory::{Faults, Memory};
use chinwag_log::{Health, Refusal};

use super::world::World;
use super::{ANN, BOB, two};
use crate::Received;

#[test]
fn a_refused_message_is_never_shown_and_its_author_is_told() {
    let (mut world, ann, bob) = two("echo-message standard-replies", "echo-message");
    world.memory.refuse_next(Refusal::Unavailable("the disk is full".into()), false);
    world.say(ann, "PRIVMSG #tea :lost\nPING x");
    let lines = world.lines(ann);
    assert_eq!(
        lines[0],
        ":chinwag.local FAIL PRIVMSG TEMPORARILY_UNAVAILABLE #tea :Not stored and not sent: the disk is full"
    );
    assert!(lines[1].contains("PONG") && lines.len() == 2, "{lines:?}");
    assert_eq!(world.read(bob), "");
    world.memory.refuse_next(Refusal::Unavailable("the disk is full".into()), false);
    world.say(bob, "PRIVMSG #tea :lost");
    assert_eq!(
        world.lines(bob),
        [":chinwag.local NOTICE * :PRIVMSG #tea: Not stored and not sent: the disk is full"]
    );
    world.say(bob, "PRIVMSG #tea :kept");
    assert_eq!(world.lines(ann), [format!("{BOB} PRIVMSG #tea :kept")]);
    assert_eq!(world.node.chat().room_by_name("#tea").unwrap().head.0, 1);
}

#[test]
fn a_plain_caller_is_told_in_a_sentence() {
    let mut world = World::new();
    let eve = world.open(Door::Plain);
    let _ = world.send(eve, "eve\n");
    world.turn();
    world.read(eve);
    world.memory.refuse_next(Refusal::Unavailable("the disk is full".into()), false);
    let _ = world.send(eve, "lost\n");
    world.turn();
    assert_eq!(world.read(eve), "! Not stored and not sent: the disk is full\n");
}

#[test]
fn what_is_only_ordered_survives_the_refusal_of_its_batch() {
    let (mut world, ann, bob) = two("", "");
    world.memory.refuse_next(Refusal::Unavailable("full".into()), false);
    let _ = world.send(ann, "PRIVMSG #tea :lost\r\nPRIVMSG bob :passing\r\n");
    world.node.closed(ann, "gone", world.now);
    world.turn();
    assert_eq!(world.lines(bob), [format!("{ANN} PRIVMSG bob :passing"), format!("{ANN} QUIT :gone")]);
}

#[test]
fn what_the_log_does_not_know_is_told_once_whether_it_was_stored_or_not() {
    for stored in [false, true] {
        let (mut world, ann, bob) = two("echo-message", "");
        world.memory.refuse_next(Refusal::Unknown, stored);
        world.say(ann, "PRIVMSG #tea :one\nPRIVMSG #tea :two");
        world.say(ann, "PRIVMSG #tea :three");
        let told = ["one", "two", "three"].map(|text| format!("{ANN} PRIVMSG #tea :{text}"));
        assert_eq!(world.lines(ann), told, "stored: {stored}");
        assert_eq!(world.lines(bob), told, "stored: {stored}");
    }
}

#[test]
fn an_overloaded_log_is_asked_again_when_it_said() {
    let (mut world, ann, bob) = two("", "");
    world.memory.refuse_next(Refusal::Overloaded { retry_in_ms: 500 }, false);
    world.say(ann, "PRIVMSG #tea :one");
    assert_eq!(world.read(bob), "");
    assert!(world.node.busy());
    world.now += 600;
    world.node.tick(world.now);
    world.turn();
    assert_eq!(world.lines(bob), [format!("{ANN} PRIVMSG #tea :one")]);
}

#[test]
fn a_full_queue_holds_up_and_loses_nothing() {
    let memory = Memory::with_capacity(1, Faults::default(), 8);
    let mut world = World::over(memory, 1);
    let (ann, bob) = (world.irc("ann", ""), world.irc("bob", ""));
    world.say(ann, "JOIN #tea");
    world.say(bob, "JOIN #tea");
    world.read(bob);
    for n in 0..40 {
        let _ = world.send(ann, format!("PRIVMSG #tea :{n}\r\n"));
        let batch = world.node.take_proposals();
        if let Err(full) = chinwag_log::Log::append(&mut world.log, batch) {
            world.node.returned(full.0);
        }
    }
    world.turn();
    let told: Vec<String> = (0..40).map(|n| format!("{ANN} PRIVMSG #tea :{n}")).collect();
    assert_eq!(world.lines(bob), told);
}

#[test]
fn rough_weather_loses_nothing_acknowledged_and_shows_nothing_twice() {
    for seed in 0..60 {
        let mut world = World::over(Memory::new(seed, Faults::default()), 1);
        let (ann, bob) = (world.irc("ann", "echo-message"), world.irc("bob", ""));
        world.say(ann, "JOIN #tea");
        world.say(bob, "JOIN #tea");
        world.read(ann);
        world.read(bob);
        world.memory.set_faults(Faults::ROUGH);
        for n in 0..100 {
            let _ = world.send(ann, format!("PRIVMSG #tea :{n}\r\n"));
            world.step();
            world.now += 50;
            world.node.tick(world.now);
        }
        world.memory.set_faults(Faults::default());
        world.memory.set_read_only(None);
        for _ in 0..200 {
            world.now += 1_000;
            world.node.tick(world.now);
            world.step();
        }
        assert!(!world.node.busy(), "seed {seed}");
        let said = |lines: Vec<String>| -> Vec<u32> {
            let text = |line: &String| {
                line.strip_prefix(&format!("{ANN} PRIVMSG #tea :")).map(|n| n.parse().unwrap())
            };
            lines.iter().filter_map(text).collect()
        };
        let (echoed, heard) = (said(world.lines(ann)), said(world.lines(bob)));
        assert_eq!(echoed, heard, "seed {seed}");
        assert!(
            heard.is_sorted() && heard.windows(2).all(|pair| pair[0] < pair[1]),
            "seed {seed}: {heard:?}"
        );
        assert!(heard.len() > 20, "seed {seed}: {heard:?}");
    }
}

#[test]
fn everybody_is_told_how_the_log_is() {
    let (mut world, ann, bob) = two("", "");
    world.memory.set_read_only(Some("the disk is full"));
    world.turn();
    assert!(world.read(ann).contains("the disk is full"));
    assert!(world.read(bob).contains("NOTICE"));
    world.memory.set_read_only(None);
    world.turn();
    assert!(world.read(ann).contains("again"));
}

#[test]
fn a_failed_log_is_the_end() {
    let (mut world, ann, bob) = two("", "");
    world.node.arrived(chinwag_log::Arrival::Health(Health::Fatal("fsync failed".into())), world.now);
    world.node.flush(&mut world.out);
    assert_eq!(world.node.fatal(), Some("fsync failed"));
    assert_eq!(world.lines(ann), ["ERROR :The server stops: fsync failed"]);
    assert_eq!(world.lines(bob), ["ERROR :The server stops: fsync failed"]);
    assert_eq!(world.out.closed, [ann, bob]);
}

#[test]
fn a_foreign_change_of_rules_sends_messages_through_the_decision_again_in_order() {
    let memory = Memory::new(3, Faults::default());
    let (mut here, mut there) = (World::over(memory.clone(), 1), World::over(memory, 2));
    let both = |here: &mut World, there: &mut World| {
        for _ in 0..20 {
            here.step();
            there.step();
        }
    };
    let ann = here.irc("ann", "");
    both(&mut here, &mut there);
    let bob = there.irc("bob", "");
    both(&mut here, &mut there);
    let _ = here.send(ann, "JOIN #tea\r\n");
    both(&mut here, &mut there);
    let _ = there.send(bob, "JOIN #tea\r\n");
    both(&mut here, &mut there);
    let _ = here.send(ann, "MODE #tea +o bob\r\n");
    both(&mut here, &mut there);
    here.read(ann);
    there.read(bob);
    // Bob's change is in the log ahead of what Ann said under the rules that she saw.
    let _ = there.send(bob, "MODE #tea +l 50\r\n");
    there.step();
    let _ = here.send(ann, "PRIVMSG #tea :1\r\nPRIVMSG #tea :2\r\n");
    here.log.hold();
    here.step();
    here.log.release();
    let _ = here.send(ann, "PRIVMSG #tea :3\r\n");
    both(&mut here, &mut there);
    let lines = there.lines(bob);
    let told: Vec<String> = ["1", "2", "3"].map(|text| format!("{ANN} PRIVMSG #tea :{text}")).to_vec();
    assert_eq!(lines[0], ":bob!~bob@host MODE #tea +l 50", "{lines:?}");
    assert_eq!(lines[1..], told);
    assert_eq!(here.node.chat().state_hash(), there.node.chat().state_hash());
    assert_eq!(here.node.chat().room_by_name("#tea").unwrap().head.0, 3);
}

#[test]
fn lines_that_are_too_long_or_no_utf8_are_answered_once() {
    let (mut world, ann, bob) = two("standard-replies", "");
    let _ = world.send(ann, "x".repeat(10_000));
    let _ = world.send(ann, "\r\nPING x\r\n");
    world.turn();
    let lines = world.lines(ann);
    assert!(lines[0].contains(" 417 ann ") && lines[1].contains("PONG") && lines.len() == 2, "{lines:?}");
    let _ = world.send(ann, b"PRIVMSG #tea :\xff\xfe\r\n");
    world.turn();
    assert_eq!(
        world.lines(ann),
        [":chinwag.local FAIL PRIVMSG INVALID_UTF8 :Your line is not UTF-8 and was not sent"]
    );
    let _ = world.send(bob, b"PRIVMSG #tea :\xff\xfe\r\n");
    world.turn();
    assert!(world.read(bob).contains("FAIL PRIVMSG INVALID_UTF8 :Your line is not UTF-8"));
}

#[test]
fn whoever_sends_a_line_without_an_end_is_told_so_once_and_let_go() {
    let (mut world, ann, bob) = two("", "");
    for _ in 0..100 {
        let _ = world.send(ann, "x".repeat(10_000));
    }
    world.turn();
    let lines = world.lines(ann);
    assert!(
        lines[0].contains(" 417 ann ") && lines[1].starts_with("ERROR :") && lines.len() == 2,
        "{lines:?}"
    );
    assert!(world.read(bob).contains(" QUIT :Input line was too long"));
}

#[test]
fn lines_that_are_no_message_are_answered() {
    let (mut world, ann, _) = two("standard-replies", "");
    let _ = world.send(ann, b"PRIVMSG #tea :a\0b\r\n:ann\r\n\r\n");
    world.turn();
    assert_eq!(
        world.lines(ann),
        [
            ":chinwag.local FAIL * INVALID_LINE :Your line holds NUL or CR and was not sent",
            ":chinwag.local FAIL * INVALID_LINE :Your line holds no command"
        ]
    );
}

#[test]
fn a_lobby_that_could_not_be_opened_is_opened_later() {
    let memory = Memory::new(1, Faults::default());
    memory.refuse_next(Refusal::Unavailable("the disk is full".into()), false);
    let mut world = World::over(memory, 1);
    assert!(world.node.chat().room_by_name("#lobby").is_none());
    world.now += 1_000;
    world.node.tick(world.now);
    world.turn();
    assert!(world.node.chat().room_by_name("#lobby").is_some());
}

#[test]
fn a_server_password_that_is_wrong_closes_with_a_reason() {
    let settings = Settings { password: Some("tea".into()), ..Settings::default() };
    let mut world = World::with(settings, Memory::new(1, Faults::default()), 1);
    let ann = world.open(Door::Irc);
    assert_eq!(world.send(ann, "PASS milk\r\nNICK ann\r\nUSER a 0 * :a\r\n"), Received::Closed);
    world.turn();
    let lines = world.lines(ann);
    assert!(lines[0].contains(" 464 ") && lines[1].starts_with("ERROR :"), "{lines:?}");
    assert_eq!(world.out.closed, [ann]);
    assert_eq!(world.node.session_count(), 0);
}
