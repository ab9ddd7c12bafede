//! Plain callers beside IRC users, and callers whose input ends.

use chinwag_core::session::Door;

use super::world::World;
use crate::Received;

#[test]
fn a_plain_caller_and_an_irc_user_talk_in_the_lobby() {
    let mut world = World::new();
    let ann = world.irc("ann", "");
    world.say(ann, "JOIN #lobby\nPRIVMSG #lobby :anybody here?");
    world.read(ann);
    world.node.take_woken();
    let eve = world.open(Door::Plain);
    assert_eq!(world.send(eve, "eve\r\nearly\r\n"), Received::Wait);
    world.turn();
    let welcome = world.read(eve);
    assert!(welcome.contains("anybody here?") && welcome.ends_with("eve: early\n"), "{welcome}");
    assert_eq!(world.node.take_woken(), [eve]);
    let _ = world.send(eve, "hello\r\n");
    world.turn();
    assert_eq!(world.read(eve), "eve: hello\n");
    let lines = world.lines(ann);
    assert!(lines[0].starts_with(":eve!") && lines[0].ends_with("JOIN #lobby"), "{lines:?}");
    assert!(lines[1].ends_with("PRIVMSG #lobby :early"), "{lines:?}");
    assert!(lines[2].ends_with("PRIVMSG #lobby :hello"), "{lines:?}");
    world.say(ann, "PRIVMSG #lobby :hi");
    assert_eq!(world.read(eve), "ann: hi\n");
    let _ = world.send(eve, "/echo off\r\nquiet\r\n");
    world.turn();
    assert!(!world.read(eve).contains("quiet"));
    let _ = world.send(eve, "exit\r\n");
    world.turn();
    assert_eq!(world.out.closed, [eve]);
    assert!(world.read(ann).contains("QUIT"));
}

#[test]
fn an_unframed_caller_is_asked_for_a_name_and_speaks_in_bursts() {
    let mut world = World::new();
    let ann = world.irc("ann", "");
    world.say(ann, "JOIN #lobby");
    let eve = world.open(Door::Plain);
    let _ = world.node.silence(eve, world.now);
    world.turn();
    assert_eq!(world.read(eve), "NICK");
    let _ = world.send(eve, "eve");
    assert_eq!(world.node.gather_ms(eve), Some(20));
    let _ = world.node.end_of_burst(eve, world.now);
    world.turn();
    assert!(world.read(eve).contains("eve"));
    world.read(ann);
    let _ = world.send(eve, "eve: hello there");
    let _ = world.node.end_of_burst(eve, world.now);
    world.turn();
    assert!(world.read(ann).ends_with("PRIVMSG #lobby :hello there\n"));
}

#[test]
fn what_was_sent_before_the_input_ended_is_still_done() {
    let mut world = World::new();
    let ann = world.irc("ann", "");
    world.say(ann, "JOIN #lobby");
    world.read(ann);
    let eve = world.open(Door::Plain);
    let _ = world.send(eve, "eve\none\ntwo\nthree");
    world.node.ended(eve, world.now);
    world.turn();
    let said: Vec<String> = world
        .lines(ann)
        .iter()
        .filter_map(|line| line.split(" PRIVMSG #lobby :").nth(1).map(str::to_owned))
        .collect();
    assert_eq!(said, ["one", "two", "three"]);
    assert_eq!(world.out.closed, [eve]);
    let bob = world.open(Door::Irc);
    let _ = world.send(bob, "NICK bob\r\nUSER b 0 * :b\r\nJOIN #lobby\r\nPRIVMSG #lobby :hello\r\n");
    world.node.ended(bob, world.now);
    world.turn();
    assert!(world.read(ann).contains("PRIVMSG #lobby :hello"));
    assert_eq!(world.out.closed, [eve, bob]);
    assert_eq!(world.node.session_count(), 1);
}

#[test]
fn a_name_that_is_taken_is_answered_and_another_one_works() {
    let mut world = World::new();
    world.irc("ann", "");
    let eve = world.open(Door::Plain);
    let _ = world.send(eve, "ann\n");
    world.turn();
    assert!(world.read(eve).contains("taken"));
    let _ = world.send(eve, "eve\nhello\n");
    world.turn();
    assert!(world.read(eve).ends_with("eve: hello\n"));
}

#[test]
fn history_that_cannot_be_read_is_said_and_holds_nobody_up() {
    let mut world = World::new();
    let ann = world.irc("ann", "batch draft/chathistory standard-replies");
    world.say(ann, "JOIN #tea\nPRIVMSG #tea :one");
    world.read(ann);
    world.hold_reads = true;
    let _ = world.send(ann, "CHATHISTORY LATEST #tea * 10\r\nPING x\r\n");
    world.turn();
    assert_eq!(world.read(ann), "");
    let reads = world.node.take_reads();
    world.node.history(reads[0].id, Err("no such file".into()), world.now);
    world.turn();
    let lines = world.lines(ann);
    assert!(lines[0].contains("FAIL CHATHISTORY MESSAGE_ERROR #tea :"), "{lines:?}");
    assert!(lines[1].contains("PONG"), "{lines:?}");
}

#[test]
fn a_whole_visit_in_one_piece_is_not_too_much_before_registration() {
    for (door, greeting, line) in [
        (Door::Irc, "NICK ann\r\nUSER ann 0 * :Ann\r\nJOIN #lobby\r\n", "PRIVMSG #lobby :one of many lines"),
        (Door::Plain, "ann\n", "one of many lines, and they are somewhat long"),
    ] {
        let mut world = World::new();
        let ann = world.open(door);
        let said = format!("{line}\r\n").repeat(1_000);
        assert_eq!(world.send(ann, format!("{greeting}{said}")), Received::Wait);
        world.turn();
        assert!(world.out.closed.is_empty());
        assert_eq!(world.node.chat().room_by_name("#lobby").unwrap().head.0, 1_000);
    }
}
