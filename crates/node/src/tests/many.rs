//! Large rooms, join storms, many rooms: once each, and without work for each member.

use std::task::{Context, Poll, Waker};

use chinwag_core::ids::SessionId;
use chinwag_core::session::Door;
use chinwag_log::Log;

use super::world::World;
use crate::Received;

fn room_of(world: &mut World, count: usize, caps: &[&str]) -> Vec<SessionId> {
    let members: Vec<SessionId> =
        (0..count).map(|n| world.irc(&format!("m{n}"), caps[n % caps.len()])).collect();
    for member in &members {
        let _ = world.send(*member, "JOIN #tea\r\n");
    }
    world.turn();
    for member in &members {
        world.read(*member);
    }
    members
}

#[test]
fn a_thousand_members_get_a_turn_in_one_write_each() {
    let mut world = World::new();
    let members = room_of(&mut world, 1_000, &["", "echo-message", "server-time message-tags"]);
    let writes = world.out.writes;
    let bytes: String = (0..10).map(|n| format!("PRIVMSG #tea :{n}\r\n")).collect();
    assert_eq!(world.send(members[0], bytes), Received::More);
    world.turn();
    assert_eq!(world.out.writes - writes, 999);
    let told: Vec<String> = (0..10).map(|n| format!(":m0!~m0@host PRIVMSG #tea :{n}")).collect();
    assert_eq!(world.read(members[0]), "");
    for member in &members[1..] {
        let lines = world.lines(*member);
        assert_eq!(lines.len(), 10);
        assert!(lines.iter().zip(&told).all(|(line, told)| line.ends_with(told.as_str())), "{lines:?}");
    }
}

#[test]
fn whoever_says_something_is_written_to_first_and_everybody_once() {
    let mut world = World::new();
    let members = room_of(&mut world, 100, &["echo-message", "echo-message server-time"]);
    for author in [70, 99, 70, 31] {
        let _ = world.send(members[author], "PRIVMSG #tea :hello\r\n");
    }
    world.out.order.clear();
    world.turn();
    let mut order = world.out.order.clone();
    // Those of one dialect, then those of the other.
    assert_eq!((order[0], order[50], order[51]), (members[70], members[99], members[31]));
    order.sort_unstable_by_key(|session| session.index);
    let mut all = members.clone();
    all.sort_unstable_by_key(|session| session.index);
    assert_eq!(order, all);
    for member in members {
        assert_eq!(world.lines(member).len(), 4);
    }
}

#[test]
fn all_join_in_one_turn_and_each_sees_those_who_came_later() {
    let mut world = World::new();
    let members: Vec<SessionId> = (0..200).map(|n| world.irc(&format!("m{n}"), "")).collect();
    world.log.hold();
    for member in &members {
        let _ = world.send(*member, "JOIN #lobby\r\n");
    }
    world.turn();
    let writes = world.out.writes;
    world.log.release();
    world.turn();
    assert_eq!(world.out.writes - writes, 200);
    for (nth, member) in members.iter().enumerate() {
        let lines = world.lines(*member);
        let joins = lines.iter().filter(|line| line.contains(" JOIN ")).count();
        assert_eq!(joins, 200 - nth, "member {nth}");
        assert_eq!(lines[0], format!(":m{nth}!~m{nth}@host JOIN #lobby"));
        assert!(lines.iter().any(|line| line.contains(" 366 ")));
    }
}

#[test]
fn a_large_batch_is_handed_out_in_pieces_and_completely() {
    let mut world = World::new();
    let members = room_of(&mut world, 20, &["echo-message"]);
    world.log.hold();
    let text = "x".repeat(400);
    for (nth, member) in members.iter().enumerate() {
        let bytes: String = (0..64).map(|n| format!("PRIVMSG #tea :{nth} {n} {text}\r\n")).collect();
        let _ = world.send(*member, bytes);
    }
    world.turn();
    world.log.release();
    world.turn();
    let first = world.lines(members[0]);
    assert_eq!(first.len(), 20 * 64);
    for member in &members[1..] {
        assert_eq!(world.lines(*member), first);
    }
}

/// A turn used to hand out everything that came out of the log at once: a thousand who registered together kept everybody
/// else waiting for 25 ms.
#[test]
fn a_crowd_that_comes_in_at_once_does_not_keep_others_waiting() {
    const CROWD: usize = 1_000;
    let mut world = World::new();
    let eve = world.irc("eve", "");
    world.log.hold();
    let crowd: Vec<SessionId> = (0..CROWD).map(|_| world.open(Door::Irc)).collect();
    for (nth, member) in crowd.iter().enumerate() {
        let _ = world.send(*member, format!("NICK m{nth}\r\nUSER m 0 * :m\r\n"));
    }
    world.step();
    world.log.release();
    while let Poll::Ready(arrival) = world.log.poll_next(&mut Context::from_waker(Waker::noop())) {
        world.node.arrived(arrival, world.now);
    }
    let (mut pieces, mut answered) = (0, 0);
    while world.node.has_output() {
        pieces += 1;
        assert!(pieces < 100, "it never ends");
        let _ = world.send(eve, format!("PING {pieces}\r\n"));
        world.node.flush(&mut world.out);
        answered += world.lines(eve).len();
        assert!(answered + 1 >= pieces, "others have their turn in between: {answered} of {pieces}");
        let bytes: usize = crowd.iter().map(|member| world.read(*member).len()).sum();
        assert!(bytes < 2 * crate::limits::TAPE_BYTES_MAX, "{bytes} bytes in one turn");
    }
    assert!(pieces > 3, "{pieces}");
    assert_eq!(world.node.chat().users().len(), CROWD + 1);
}

#[test]
fn answers_are_asked_for_no_faster_than_they_are_handed_out() {
    let mut world = World::new();
    let members = room_of(&mut world, 1_000, &[""]);
    world.node.take_woken();
    assert_eq!(world.send(members[0], "NAMES #tea\r\n".repeat(1_000)), Received::Wait);
    assert!(world.node.wants_flush());
    let mut handed = 0;
    while world.node.has_output() {
        world.node.flush(&mut world.out);
        let bytes = world.read(members[0]).len();
        assert!(bytes < 2 * crate::limits::TAPE_BYTES_MAX, "{bytes} bytes in one turn");
        handed += bytes;
    }
    assert!(handed > 1_000_000);
    assert_eq!(world.node.take_woken(), [members[0]]);
}

#[test]
fn many_rooms_at_once_get_their_own() {
    let mut world = World::new();
    let members: Vec<SessionId> = (0..50).map(|n| world.irc(&format!("m{n}"), "echo-message")).collect();
    for (nth, member) in members.iter().enumerate() {
        world.say(*member, &format!("JOIN #r{}", nth % 5));
    }
    for member in &members {
        world.read(*member);
    }
    world.log.hold();
    for round in 0..10 {
        for (nth, member) in members.iter().enumerate() {
            let _ = world.send(*member, format!("PRIVMSG #r{} :{round}\r\n", nth % 5));
        }
    }
    world.turn();
    let writes = world.out.writes;
    world.log.release();
    world.turn();
    assert_eq!(world.out.writes - writes, 50);
    for (nth, member) in members.iter().enumerate() {
        let lines = world.lines(*member);
        assert_eq!(lines.len(), 100);
        assert!(lines.iter().all(|line| line.contains(&format!("PRIVMSG #r{} :", nth % 5))));
    }
}

#[test]
fn an_idle_session_is_small() {
    let cold = size_of::<crate::sessions::Entry>();
    let hot = size_of::<crate::sessions::Hot>();
    assert!(cold <= 432 && hot <= 32, "{cold} and {hot} bytes");
}

#[test]
fn whoever_asks_without_end_does_not_keep_the_others_waiting() {
    for (question, most) in [("LIST >9999", 4), ("WHO nobody*", 4), ("PING x", 64)] {
        let (mut world, ann, bob) = super::two("", "");
        let answers = |text: String| {
            text.lines()
                .filter(|line| [" 323 ", " 315 ", "PONG"].iter().any(|end| line.contains(end)))
                .count()
        };
        assert_eq!(world.send(ann, format!("{question}\r\n").repeat(1_000)), Received::Wait, "{question}");
        let _ = world.send(bob, "PING y\r\n");
        world.step();
        assert!(world.read(bob).contains("PONG"), "{question}");
        assert_eq!(answers(world.read(ann)), most, "{question}");
        world.turn();
        assert_eq!(answers(world.read(ann)), 1_000 - most, "{question}");
    }
}

#[test]
fn whoever_goes_through_all_capabilities_does_not_fill_the_table_of_dialects() {
    let (mut world, ann, bob) = super::two("", "message-tags");
    let caps = ["account-notify", "account-tag", "away-notify", "batch", "chghost", "extended-join"];
    let more = ["invite-notify", "message-tags", "server-time", "setname", "standard-replies"];
    for round in 0_u32..2048 {
        let asked = caps.iter().chain(&more).enumerate();
        let signs = asked.map(|(bit, cap)| format!("{}{cap}", if round & 1 << bit == 0 { "-" } else { "" }));
        world.say(bob, &format!("CAP REQ :{}", signs.collect::<Vec<_>>().join(" ")));
        world.read(bob);
    }
    assert!(world.node.dialects.len() < 600, "{}", world.node.dialects.len());
    world.say(ann, "PRIVMSG #tea :still here");
    assert!(world.read(bob).contains("PRIVMSG #tea :still here"));
}
