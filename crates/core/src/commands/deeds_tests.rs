//! What people do to messages: who may, what is told to whom, and what is remembered.

use std::sync::Arc;

use chinwag_log::Seq;
use chinwag_wire::caps::CapSet;

use crate::asking::Flow;
use crate::effect::Effect;
use crate::event::{Amended, Amendment, Event};
use crate::history::Show;
use crate::ids::{Number, RoomId};
use crate::pointed::{Answer, Looked, Lookup, Pointer, Question};
use crate::scene::Scene;
use crate::session::Door;

/// ann (operator), bob and cyd are in #tea; ann has said "one", bob "two".
fn tea() -> Scene {
    let mut scene = Scene::of(["ann", "bob", "cyd"]);
    scene.all([
        ("ann", "JOIN #tea"),
        ("bob", "JOIN #tea"),
        ("cyd", "JOIN #tea"),
        ("ann", "PRIVMSG #tea :one"),
        ("bob", "PRIVMSG #tea :two"),
    ]);
    scene
}

fn told(lines: &[String], what: &str) -> bool {
    lines.iter().any(|line| line.contains(what))
}

/// Whether a request is carried out, and not refused.
fn done(scene: &mut Scene, nick: &str, line: &str) -> bool {
    let lines = scene.asks(nick, line);
    !told(&lines, "FAIL") && !lines.is_empty()
}

#[test]
fn the_table_of_who_may_do_what() {
    // ann is operator, message 1 is hers, message 2 is bob's, message 3 cyd's.
    for (line, expected) in [
        ("RE #tea 2 :yes", "ann bob cyd"),
        ("QUOTE #tea 2", "ann bob cyd"),
        ("REACT #tea 2 +1", "ann bob cyd"),
        ("EDIT #tea 2 :other", "bob"),
        ("REDACT #tea 2", "ann bob"),
        ("PIN #tea 2", "ann"),
        ("WAS #tea 2", "ann"),
    ] {
        let allowed: Vec<&str> =
            ["ann", "bob", "cyd"].into_iter().filter(|nick| done(&mut tea(), nick, line)).collect();
        assert_eq!(allowed.join(" "), expected, "{line}");
        // From outside, nobody may; and nobody finds out what there is.
        let mut scene = tea();
        scene.enters("dan");
        assert!(told(&scene.asks("dan", line), " INVALID_TARGET #tea "), "{line}");
    }
}

#[test]
fn who_may_not_speak_may_delete_what_they_said_and_nothing_more() {
    let mut scene = tea();
    scene.all([("ann", "MODE #tea +m")]);
    for line in ["RE #tea 1 :x", "QUOTE #tea 1", "REACT #tea 1 x", "EDIT #tea 2 :x"] {
        assert!(told(&scene.asks("bob", line), "_FORBIDDEN"), "{line}");
    }
    assert!(done(&mut scene, "bob", "REDACT #tea 2"));
}

#[test]
fn an_account_is_the_same_person_under_another_name() {
    let mut scene = tea();
    let logged_in = |scene: &mut Scene, nick| {
        let (user, account) = (scene.user(nick), Arc::from("Bob"));
        scene.happens(Event::LoggedIn { user, account });
    };
    let new = crate::event::AccountRegistered {
        account: "Bob".into(),
        verifiers: None,
        certificate: None,
        key: None,
        email: None,
        code: None,
        replaces: false,
        invitation: None,
    };
    scene.happens(Event::AccountRegistered(Arc::new(new)));
    logged_in(&mut scene, "bob");
    scene.all([("bob", "PRIVMSG #tea :three")]);
    assert!(told(&scene.asks("cyd", "EDIT #tea 3 :x"), "EDIT_FORBIDDEN"));
    logged_in(&mut scene, "cyd");
    assert!(done(&mut scene, "cyd", "EDIT #tea 3 :x"));
    // What was said before logging in is the guest's.
    assert!(told(&scene.asks("cyd", "EDIT #tea 2 :x"), "EDIT_FORBIDDEN"));
}

#[test]
fn messages_are_pointed_at_by_number_and_msgid() {
    let mut scene = tea();
    let msgid = scene.msgid(2);
    for message in ["2", "[2]", &msgid] {
        assert!(done(&mut tea(), "bob", &format!("REACT #tea {message} x")), "{message}");
    }
    for message in ["0", "3", "99999999999999999999999", "x", "m", "[2", "-1", "maaaaaaaaaaaaa"] {
        let lines = scene.asks("bob", &format!("REACT #tea {message} x"));
        assert!(told(&lines, &format!("FAIL REACT UNKNOWN_MSGID #tea {message} ")), "{lines:?}");
    }
    // Of another room.
    scene.all([("bob", "JOIN #cake"), ("bob", "PRIVMSG #cake :other")]);
    let lines = scene.asks("bob", &format!("REDACT #cake {msgid}"));
    assert!(told(&lines, "UNKNOWN_MSGID"), "{lines:?}");
}

#[test]
fn what_is_for_some_roles_is_not_known_to_others() {
    let mut scene = tea();
    scene.all([("ann", "PRIVMSG @#tea :for operators")]);
    assert!(told(&scene.asks("bob", "QUOTE #tea 3"), "UNKNOWN_MSGID"));
    let lines = scene.asks("ann", "RE #tea 3 :indeed");
    assert!(lines.iter().any(|line| line.starts_with("@#tea (echo)< ")), "{lines:?}");
    let lines = scene.asks("ann", "REACT #tea 3 x");
    assert!(lines.iter().all(|line| line.starts_with("@#tea")), "{lines:?}");
    // In a room where operators alone hear ordinary members, reactions are for them as well.
    scene.all([("ann", "MODE #tea +U")]);
    let lines = scene.asks("bob", "REACT #tea 1 x");
    assert!(!lines.iter().any(|line| line.starts_with("#tea")), "{lines:?}");
}

#[test]
fn nobody_points_at_what_was_said_before_a_room_started_over() {
    let mut scene = tea();
    scene.all([("ann", "PIN #tea 2"), ("ann", "REDACT #tea 1"), ("ann", "MODE #tea +k key")]);
    scene.all([("bob", "PART #tea"), ("cyd", "PART #tea"), ("ann", "PART #tea")]);
    scene.all([("cyd", "JOIN #tea"), ("cyd", "PRIVMSG #tea :new")]);
    assert!(told(&scene.asks("cyd", "WAS #tea 2"), "UNKNOWN_MSGID"));
    assert!(done(&mut scene, "cyd", "REACT #tea 3 x"));
    let room = scene.chat.room_by_name("#tea").expect("the room");
    assert!(room.pins.is_empty() && room.redacted.is_empty());
}

#[test]
fn nothing_is_done_while_the_rules_change_or_before_the_archive_has_answered() {
    let mut scene = tea();
    let first = scene.decide("bob", "EDIT #tea 2 :x");
    let lookup = Lookup { room: RoomId(1), of: Pointer::Number(Number(2)), last: Number(2) };
    let question = Question::Message(lookup);
    assert_eq!(first.flow, Flow::Look(Box::new(question.clone())));
    let modes = Event::ModesChanged {
        room: RoomId(1),
        basis: 0,
        by: scene.chat.user(scene.user("ann")).expect("ann").who.clone(),
        changes: Vec::new(),
    };
    scene.pending.enter(&scene.chat, &modes);
    assert_eq!(scene.decide("bob", "EDIT #tea 2 :x").flow, Flow::Wait);
    // An answer that came meanwhile is kept for the time after.
    let answer = Ok(Answer::Message(scene.message(&lookup)));
    scene.session("bob").looked = Some(Box::new(Looked { question: question.clone(), answer }));
    assert_eq!(scene.decide("bob", "EDIT #tea 2 :x").flow, Flow::Wait);
    scene.pending.leave(&modes);
    assert_eq!(scene.decide("bob", "EDIT #tea 2 :x").events.len(), 1);
    // An archive that cannot be read is no reason to wait.
    let answer = Err("no such file".to_owned());
    scene.session("bob").looked = Some(Box::new(Looked { question, answer }));
    let refused = scene.decide("bob", "EDIT #tea 2 :x");
    assert_eq!((refused.flow, refused.events.len(), refused.effects.len()), (Flow::Done, 0, 1));
}

fn amended(scene: &Scene, number: u64, what: Amendment) -> Event {
    let user = scene.user("ann");
    Event::Amended(Arc::new(Amended {
        room: RoomId(1),
        basis: scene.chat.room(RoomId(1)).expect("the room").rules,
        number: Number(number),
        position: 0,
        of: "bob".into(),
        own: false,
        status: None,
        user,
        by: scene.chat.user(user).expect("ann").who.clone(),
        what,
        excerpt: None,
        tags: None,
    }))
}

#[test]
fn what_two_nodes_do_at_once_is_done_once() {
    let mut scene = tea();
    let gone = amended(&scene, 2, Amendment::Redacted { reason: None });
    assert!(!scene.happens(gone.clone()).is_empty());
    for what in [Amendment::Redacted { reason: None }, Amendment::Edited { text: "x".into() }] {
        let effects = scene.happens(amended(&scene, 2, what));
        assert!(matches!(&effects[..], [Effect::Send { to: crate::effect::To::Asker, .. }]), "{effects:?}");
    }
    let pin = amended(&scene, 1, Amendment::Pinned { set: true });
    assert!(!scene.happens(pin.clone()).is_empty());
    assert!(scene.happens(pin).is_empty());
    // Under rules that have changed it is decided again, with its author's role as it is now.
    let late = amended(&scene, 1, Amendment::Pinned { set: false });
    scene.all([("ann", "MODE #tea +o bob"), ("bob", "MODE #tea -o ann")]);
    assert_eq!(scene.would_happen(late.clone()), [Effect::Stale]);
    let line = scene.chat.redecide(late).expect_err("ann is no operator any more");
    assert_eq!(line.params[1].as_str(), "PIN_FORBIDDEN");
}

#[test]
fn pins_are_bounded() {
    let mut scene = tea();
    for n in 1..=crate::chat::PINS_MAX as u64 {
        scene.happens(amended(&scene, n + 100, Amendment::Pinned { set: true }));
    }
    assert!(told(&scene.asks("ann", "PIN #tea 1"), "TOO_MANY_PINS"));
    // Another node may not have known.
    scene.happens(amended(&scene, 1, Amendment::Pinned { set: true }));
    let pins = &scene.chat.room(RoomId(1)).expect("the room").pins;
    assert_eq!((pins.len(), pins[0], pins.last()), (crate::chat::PINS_MAX, Number(102), Some(&Number(1))));
    let asked = scene.decide("bob", "PINS #tea").effects;
    let [Effect::History(query)] = &asked[..] else { panic!("{asked:?}") };
    assert!(matches!(&query.show, Show::Pins(numbers) if numbers.len() == crate::chat::PINS_MAX));
}

#[test]
fn a_deleted_message_is_no_pin_any_more() {
    let mut scene = tea();
    scene.all([("ann", "PIN #tea 2"), ("bob", "REDACT #tea 2")]);
    assert!(scene.chat.room(RoomId(1)).expect("the room").pins.is_empty());
    assert!(told(&scene.asks("bob", "PINS #tea"), "NOTE PINS NONE #tea"));
}

#[test]
fn everybody_is_told_once_in_a_form_they_know() {
    let mut scene = tea();
    for line in ["EDIT #tea 2 :x", "REACT #tea 2 x", "REDACT #tea 2"] {
        let events = scene.decided("bob", line);
        let effects = scene.happens(events.into_iter().next().expect("an event"));
        let lines: Vec<_> = effects
            .iter()
            .map(|effect| match effect {
                Effect::Send { line, .. } => line,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(lines.len(), 2);
        for bits in 0..1 << 4 {
            let mut caps = CapSet::ALL;
            let choices = ["message-tags", "draft/message-edit", "draft/message-redaction", "batch"];
            for (bit, name) in choices.into_iter().enumerate() {
                if bits & 1 << bit == 0 {
                    caps.remove(chinwag_wire::caps::Cap::from_name(name).expect("a capability"));
                }
            }
            let count = lines.iter().filter(|line| line.is_for(caps)).count();
            assert_eq!(count, 1, "{line} for {caps}");
        }
    }
}

#[test]
fn what_is_switched_off_is_refused_and_not_offered() {
    let mut scene = tea();
    scene.settings.allow_redact = false;
    assert!(told(&scene.asks("bob", "REDACT #tea 2"), "FAIL REDACT REDACT_FORBIDDEN #tea 2 "));
    assert!(!told(&scene.asks("bob", "CAP LS 302"), "message-redaction"));
}

#[test]
fn refusals_are_notices_to_clients_that_know_no_other() {
    let mut scene = tea();
    scene.session("bob").caps = CapSet::EMPTY;
    let lines = scene.asks("bob", "PIN #tea 2");
    assert_eq!(lines, ["asker< NOTICE * PIN #tea 2: Only the room's operators may pin messages"]);
    scene.session("bob").door = Door::Irc;
    assert_eq!(scene.asks("bob", "NUMBERS maybe"), ["asker< NOTICE * NUMBERS maybe: Numbers are on or off"]);
}

#[test]
fn positions_tell_messages_apart() {
    let scene = tea();
    let find = |of| scene.message(&Lookup { room: RoomId(1), of, last: Number(2) });
    let second = find(Pointer::Number(Number(2))).expect("is there");
    assert_eq!(find(Pointer::Seq(second.row.seq)).map(|found| found.row.number), Some(Number(2)));
    assert_eq!(find(Pointer::Seq(Seq(1))), None);
}
