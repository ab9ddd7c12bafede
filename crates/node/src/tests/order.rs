//! Invariants 3, 4 and 6: durable before anybody sees it, one order a room, each session's bytes in the order
//! of their production.

use chinwag_core::session::Door;

use super::world::World;
use super::{ANN, BOB, two};
use crate::Received;
use crate::limits::{MESSAGES_UNDER_WAY_MAX, PONG_WAIT_MS};

#[test]
fn two_sessions_talk_and_an_author_without_echo_hears_nothing_of_it() {
    let (mut world, ann, bob) = two("", "");
    world.say(ann, "PRIVMSG #tea :hello");
    world.say(bob, "PRIVMSG #tea :hi ann");
    assert_eq!(world.lines(bob), [format!("{ANN} PRIVMSG #tea :hello")]);
    assert_eq!(world.lines(ann), [format!("{BOB} PRIVMSG #tea :hi ann")]);
}

#[test]
fn an_author_with_echo_message_sees_what_everybody_sees() {
    let (mut world, ann, bob) = two("echo-message", "");
    world.say(ann, "PRIVMSG #tea :hello");
    assert_eq!(world.lines(ann), [format!("{ANN} PRIVMSG #tea :hello")]);
    assert_eq!(world.lines(bob), [format!("{ANN} PRIVMSG #tea :hello")]);
}

#[test]
fn nothing_is_seen_before_the_log_has_it() {
    let (mut world, ann, bob) = two("echo-message", "");
    world.log.hold();
    world.say(ann, "PRIVMSG #tea :kept\nPRIVMSG bob :passing");
    assert_eq!((world.read(ann), world.read(bob)), (String::new(), String::new()));
    world.log.release();
    world.turn();
    let told = [format!("{ANN} PRIVMSG #tea :kept"), format!("{ANN} PRIVMSG bob :passing")];
    assert_eq!(world.lines(ann), told);
    assert_eq!(world.lines(bob), told);
}

#[test]
fn a_pong_leaves_after_what_was_asked_before_it() {
    let (mut world, ann, bob) = two("echo-message", "");
    world.log.hold();
    assert_eq!(
        world.send(ann, "PRIVMSG #tea :one\r\nPING x\r\nPRIVMSG #tea :two\r\nPING y\r\n"),
        Received::Wait
    );
    world.turn();
    assert_eq!(world.read(ann), "");
    world.log.release();
    world.turn();
    let server = ":chinwag.local";
    assert_eq!(
        world.lines(ann),
        [
            format!("{ANN} PRIVMSG #tea :one"),
            format!("{server} PONG chinwag.local :x"),
            format!("{ANN} PRIVMSG #tea :two"),
            format!("{server} PONG chinwag.local :y"),
        ]
    );
    assert_eq!(world.lines(bob).len(), 2);
    assert_eq!(world.node.take_woken(), [ann]);
    assert_eq!(world.send(ann, "PING z\r\n"), Received::More);
}

#[test]
fn what_a_caused_is_ahead_of_bs_next_pong() {
    let (mut world, ann, bob) = two("", "");
    world.say(ann, "PRIVMSG #tea :mark\nPING a");
    assert!(world.read(ann).contains("PONG"));
    world.say(bob, "PING b");
    let lines = world.lines(bob);
    assert!(
        lines[0].ends_with("PRIVMSG #tea :mark") && lines[1].ends_with("PONG chinwag.local :b"),
        "{lines:?}"
    );
}

/// It used to be answered at once: whoever takes a PONG for a sign that all came missed a line of another connection.
#[test]
fn a_pong_leaves_after_what_others_had_said_to_whoever_asks() {
    let (mut world, ann, bob) = two("", "message-tags");
    let eve = world.irc("eve", "");
    for (line, shown) in [
        ("PRIVMSG #tea :one", " PRIVMSG #tea :one"),
        ("PRIVMSG bob :two", " PRIVMSG bob :two"),
        ("NOTICE #tea :\u{1}three\u{1}", "NOTICE #tea :\u{1}three"),
        ("INVITE bob #milk", " INVITE bob #milk"),
        ("TOPIC #tea :four", " TOPIC #tea :four"),
        ("PART #tea", " PART #tea"),
    ] {
        world.say(ann, "JOIN #tea,#milk");
        world.read(bob);
        world.log.hold();
        world.say(ann, line);
        assert_eq!(world.send(bob, "PING b\r\nPING c\r\n"), Received::Wait, "{line}");
        // Nobody waits with bob: for eve nothing is under way.
        world.say(eve, "PING e");
        assert!(world.read(eve).contains(" PONG "), "{line}");
        assert_eq!(world.read(bob), "", "{line}");
        world.log.release();
        world.turn();
        let lines = world.lines(bob);
        assert!(lines[0].contains(shown), "{lines:?}");
        assert!(lines[1].ends_with(":b") && lines[2].ends_with(":c") && lines.len() == 3, "{lines:?}");
    }
}

/// A log that keeps nothing for long must not make clients believe that the server is gone.
#[test]
fn a_pong_does_not_wait_for_others_without_end() {
    let (mut world, ann, bob) = two("", "");
    world.log.hold();
    world.say(ann, "PRIVMSG #tea :one");
    assert_eq!(world.send(bob, "PING b\r\n"), Received::Wait);
    world.now += PONG_WAIT_MS - 1;
    world.node.tick(world.now);
    world.turn();
    assert_eq!(world.read(bob), "");
    world.now += 1;
    world.node.tick(world.now);
    world.turn();
    assert!(world.read(bob).ends_with(" :b\n"));
    // What is under way now counts for the next one.
    assert_eq!(world.send(bob, "PING c\r\n"), Received::Wait);
    world.log.release();
    world.turn();
    let lines = world.lines(bob);
    assert!(lines[0].ends_with(":one") && lines[1].ends_with(":c"), "{lines:?}");
}

#[test]
fn lines_of_several_rooms_and_private_ones_keep_their_order() {
    let (mut world, ann, bob) = two("", "");
    world.say(ann, "JOIN #milk");
    world.say(bob, "JOIN #milk");
    world.read(bob);
    world.log.hold();
    let sent = ["#tea :1", "#milk :2", "bob :3", "#tea :4", "#tea :5", "bob :6", "#milk :7", "#tea :8"];
    for line in sent {
        world.say(ann, &format!("PRIVMSG {line}"));
    }
    world.log.release();
    world.turn();
    assert_eq!(world.lines(bob), sent.map(|line| format!("{ANN} PRIVMSG {line}")));
}

#[test]
fn many_alternating_rooms_are_gathered_in_order() {
    let (mut world, ann, bob) = two("", "");
    world.say(ann, "JOIN #milk");
    world.say(bob, "JOIN #milk");
    world.read(bob);
    world.log.hold();
    let lines: Vec<String> =
        (0..60).map(|n| format!("PRIVMSG {} :{n}", if n % 2 == 0 { "#tea" } else { "#milk" })).collect();
    world.say(ann, &lines.join("\n"));
    let writes = world.out.writes;
    world.log.release();
    world.turn();
    assert_eq!(world.out.writes - writes, 1);
    let told: Vec<String> = lines.iter().map(|line| format!("{ANN} {line}")).collect();
    assert_eq!(world.lines(bob), told);
}

#[test]
fn who_comes_in_within_a_turn_hears_only_what_follows() {
    let (mut world, ann, _) = two("", "");
    // Who asks for history is shown nothing of what was before.
    let eve = world.irc("eve", "draft/chathistory");
    world.log.hold();
    world.say(ann, "PRIVMSG #tea :before");
    world.say(eve, "JOIN #tea");
    world.say(ann, "PRIVMSG #tea :after");
    world.log.release();
    world.turn();
    let heard = world.read(eve);
    assert!(!heard.contains("before"), "{heard}");
    assert!(heard.starts_with(":eve!~eve@host JOIN #tea\n"), "{heard}");
    assert!(heard.ends_with(&format!("{ANN} PRIVMSG #tea :after\n")), "{heard}");
}

#[test]
fn who_leaves_within_a_turn_hears_what_was_said_before() {
    let (mut world, ann, bob) = two("", "");
    world.log.hold();
    world.say(ann, "PRIVMSG #tea :before");
    world.say(bob, "PART #tea :bye");
    world.say(ann, "PRIVMSG #tea :after");
    world.log.release();
    world.turn();
    assert_eq!(world.lines(bob), [format!("{ANN} PRIVMSG #tea :before"), format!("{BOB} PART #tea bye")]);
    assert_eq!(world.lines(ann), [format!("{BOB} PART #tea bye")]);
}

#[test]
fn leaving_and_coming_back_within_a_turn_leaves_a_gap() {
    // Whoever does not ask for history would be shown it.
    let (mut world, ann, bob) = two("", "draft/chathistory");
    world.log.hold();
    let _ = world.send(bob, "PART #tea\r\nJOIN #tea\r\n");
    world.step();
    world.say(ann, "PRIVMSG #tea :one");
    world.log.release();
    world.turn();
    let lines = world.lines(bob);
    assert_eq!(lines[0], format!("{BOB} PART #tea"), "{lines:?}");
    assert!(lines.iter().all(|line| !line.contains("one")), "{lines:?}");
    assert!(lines.iter().any(|line| line.starts_with(&format!("{BOB} JOIN"))), "{lines:?}");
    world.say(ann, "PRIVMSG #tea :two");
    assert_eq!(world.lines(bob), [format!("{ANN} PRIVMSG #tea :two")]);
}

#[test]
fn capabilities_hold_from_the_next_line_on() {
    let (mut world, ann, bob) = two("", "");
    world.log.hold();
    world.say(ann, "PRIVMSG #tea :one");
    let _ = world.send(bob, "CAP REQ server-time\r\n");
    world.log.release();
    world.turn();
    world.say(ann, "PRIVMSG #tea :two");
    let lines = world.lines(bob);
    assert!(lines[0].contains("CAP bob ACK"), "{lines:?}");
    assert!(lines[1].starts_with("@time=") && lines[1].ends_with(":one"), "{lines:?}");
    assert!(lines[2].starts_with("@time=") && lines[2].ends_with(":two"), "{lines:?}");
    world.say(bob, "CAP REQ -server-time");
    world.say(ann, "PRIVMSG #tea :three");
    assert_eq!(world.lines(bob)[1], format!("{ANN} PRIVMSG #tea :three"));
}

#[test]
fn a_change_of_dialect_in_the_middle_of_a_turn_loses_nothing() {
    let (mut world, ann, bob) = two("", "");
    world.log.hold();
    world.say(ann, "PRIVMSG #tea :one");
    world.log.release();
    // Applied, and not flushed yet.
    while let std::task::Poll::Ready(arrival) = chinwag_log::Log::poll_next(
        &mut world.log,
        &mut std::task::Context::from_waker(std::task::Waker::noop()),
    ) {
        world.node.arrived(arrival, 2_000);
    }
    let _ = world.send(bob, "CAP REQ server-time\r\n");
    world.say(ann, "PRIVMSG #tea :two");
    let lines = world.lines(bob);
    assert_eq!(lines[0], format!("{ANN} PRIVMSG #tea :one"));
    assert!(lines[1].contains("ACK") && lines[2].starts_with("@time="), "{lines:?}");
    assert_eq!(lines.len(), 3);
}

#[test]
fn messages_under_way_are_bounded_and_none_is_lost() {
    let (mut world, ann, bob) = two("", "");
    world.log.hold();
    let count = usize::from(MESSAGES_UNDER_WAY_MAX) * 3;
    let bytes: String = (0..count).map(|n| format!("PRIVMSG #tea :{n}\r\n")).collect();
    assert_eq!(world.send(ann, bytes), Received::Wait);
    world.turn();
    assert_eq!(world.log.in_flight(), usize::from(MESSAGES_UNDER_WAY_MAX));
    world.log.release();
    world.turn();
    let told: Vec<String> = (0..count).map(|n| format!("{ANN} PRIVMSG #tea :{n}")).collect();
    assert_eq!(world.lines(bob), told);
    assert_eq!(world.node.take_woken(), [ann]);
}

#[test]
fn who_is_not_read_from_and_is_sent_more_input_than_the_bound_is_closed() {
    let (mut world, ann, _) = two("", "");
    world.log.hold();
    assert_eq!(world.send(ann, "PRIVMSG #tea :x\r\nPING x\r\n"), Received::Wait);
    let chunk = "PRIVMSG #tea :x\r\n".repeat(4_000);
    let closed = (0..100).any(|_| world.send(ann, &chunk) == Received::Closed);
    assert!(closed);
    world.turn();
    assert_eq!(world.out.closed, [ann]);
}

#[test]
fn what_depends_on_rules_waits_for_their_change() {
    let (mut world, ann, bob) = two("", "");
    world.log.hold();
    world.say(ann, "MODE #tea +m");
    assert_eq!(world.send(bob, "PRIVMSG #tea :may I?\r\n"), Received::Wait);
    world.log.release();
    world.turn();
    let lines = world.lines(bob);
    assert_eq!(lines[0], format!("{ANN} MODE #tea +m"));
    assert!(lines[1].contains(" 404 bob #tea "), "{lines:?}");
    assert_eq!(world.node.take_woken(), [bob]);
}

#[test]
fn bytes_may_come_one_by_one_and_wait_in_the_middle() {
    let (mut world, ann, bob) = two("echo-message", "");
    let sent = "PRIVMSG #tea :one\r\nPING x\r\nPRIVMSG #tea :two\r\n";
    world.log.hold();
    for byte in sent.as_bytes() {
        let _ = world.send(ann, [*byte]);
    }
    world.turn();
    world.log.release();
    world.turn();
    assert_eq!(world.lines(bob), [format!("{ANN} PRIVMSG #tea :one"), format!("{ANN} PRIVMSG #tea :two")]);
    let lines = world.lines(ann);
    assert!(lines[1].contains("PONG") && lines.len() == 3, "{lines:?}");
}

#[test]
fn a_line_in_two_pieces_that_has_to_wait_is_put_back_whole() {
    let (mut world, ann, _) = two("echo-message", "");
    world.log.hold();
    assert_eq!(world.send(ann, "PRIVMSG #tea :one\r\nPING "), Received::More);
    assert_eq!(world.send(ann, "x\r\nPING y\r\nPIN"), Received::Wait);
    assert_eq!(world.send(ann, "G z\r\n"), Received::Wait);
    world.log.release();
    world.turn();
    let lines = world.lines(ann);
    assert!(lines[0].ends_with(":one") && lines[1].ends_with(":x") && lines[2].ends_with(":y"), "{lines:?}");
    assert!(lines[3].ends_with("PONG chinwag.local :z"), "{lines:?}");
}

#[test]
fn a_nickname_that_two_ask_for_at_once_is_given_to_one() {
    let mut world = World::new();
    let (one, two) = (world.open(Door::Irc), world.open(Door::Irc));
    world.log.hold();
    for session in [one, two] {
        world.say(session, "NICK ann\nUSER a 0 * :a");
    }
    world.log.release();
    world.turn();
    assert!(world.read(one).contains(" 001 ann "));
    let refused = world.read(two);
    assert!(refused.contains(" 433 * ann "), "{refused}");
    world.say(two, "NICK bob");
    assert!(world.read(two).contains(" 001 bob "));
}

#[test]
fn neighbours_in_several_rooms_are_told_once() {
    let (mut world, ann, bob) = two("", "");
    world.say(ann, "JOIN #milk");
    world.say(bob, "JOIN #milk");
    world.read(ann);
    world.read(bob);
    world.say(ann, "NICK anna");
    assert_eq!(world.lines(bob), [format!("{ANN} NICK anna")]);
    assert_eq!(world.lines(ann), [format!("{ANN} NICK anna")]);
    world.say(ann, "QUIT :bye");
    assert_eq!(world.lines(bob), [":anna!~ann@host QUIT :Quit: bye"]);
    assert_eq!(world.lines(ann), [":anna!~ann@host QUIT :Quit: bye", "ERROR :Quit: bye"]);
    assert_eq!(world.out.closed, [ann]);
}

#[test]
fn who_quits_is_shown_it_once_and_so_is_everybody_else() {
    let (mut world, ann, bob) = two("", "");
    world.say(ann, "PRIVMSG #tea :last\nQUIT");
    assert_eq!(world.lines(ann), [format!("{ANN} QUIT :Quit"), "ERROR :Quit".to_owned()]);
    assert_eq!(world.lines(bob), [format!("{ANN} PRIVMSG #tea :last"), format!("{ANN} QUIT :Quit")]);
    assert_eq!(world.node.session_count(), 1);
}

#[test]
fn a_socket_that_is_gone_is_a_user_who_is_gone() {
    let (mut world, ann, bob) = two("", "");
    world.log.hold();
    world.say(ann, "PRIVMSG #tea :under way");
    world.node.closed(ann, "Connection reset", world.now);
    world.log.release();
    world.turn();
    assert_eq!(
        world.lines(bob),
        [format!("{ANN} PRIVMSG #tea :under way"), format!("{ANN} QUIT :Connection reset")]
    );
    assert!(world.out.closed.is_empty() && world.read(ann).is_empty());
    let again = world.irc("ann", "");
    assert_eq!(again.index, ann.index);
    assert_eq!(world.send(ann, "PING x\r\n"), Received::Closed);
}

#[test]
fn a_session_that_goes_while_it_comes_in_leaves_nobody_behind() {
    let mut world = World::new();
    let ann = world.open(Door::Irc);
    world.log.hold();
    world.say(ann, "NICK ann\nUSER ann 0 * :ann");
    world.node.closed(ann, "gone", world.now);
    world.log.release();
    world.turn();
    assert!(world.node.chat().user_by_nick("ann").is_none());
    world.irc("ann", "");
}
