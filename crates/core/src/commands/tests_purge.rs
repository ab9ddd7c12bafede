//! Purges and records, as the chat decides and applies them.

use crate::effect::Effect;
use crate::event::{Event, Purging};
use crate::ids::Number;
use crate::scene::Scene;

/// A room with messages of three people: odd ones are bob's, even ones cyd's, the last one is ann's.
fn tea() -> Scene {
    let mut scene = Scene::of(["ann", "bob", "cyd"]);
    scene.all([("ann", "JOIN #tea"), ("bob", "JOIN #tea"), ("cyd", "JOIN #tea")]);
    for number in 1..=6 {
        scene.now_ms += 60_000;
        let nick = if number % 2 == 1 { "bob" } else { "cyd" };
        let _ = scene.asks(nick, &format!("PRIVMSG #tea :message {number}"));
    }
    scene.all([("ann", "PRIVMSG #tea :mine")]);
    scene
}

fn told(lines: &[String], code: &str) -> bool {
    lines.iter().any(|line| line.contains(code))
}

fn gone(scene: &Scene) -> Vec<u64> {
    let room = scene.chat.room_by_name("#tea").expect("the room");
    (1..=room.head.0).filter(|number| room.is_gone(Number(*number))).collect()
}

#[test]
fn what_was_looked_at_is_what_is_hidden() {
    let mut scene = tea();
    // In the last three minutes: 3 to 6, of which two are cyd's.
    let seen = scene.asks("ann", "PURGE #tea cyd 3m :spam");
    assert!(told(&seen, "PREVIEW #tea 2 messages of cyd [4]–[6]"), "{seen:?}");
    // What is said after that look is not meant.
    scene.all([("cyd", "PRIVMSG #tea :later")]);
    let done = scene.asks("ann", "PURGE #tea CONFIRM");
    assert_eq!(done.iter().filter(|line| line.contains("REDACT #tea")).count(), 2, "{done:?}");
    assert!(told(&done, "hid 2 messages of cyd [4]–[6]: spam"), "{done:?}");
    assert_eq!(gone(&scene), [4, 6]);
    // Nobody points at them, nor brings anything else back.
    for request in ["RE #tea 4 :x", "REACT #tea 4 x", "REDACT #tea 4", "PIN #tea 4"] {
        assert!(told(&scene.asks("ann", request), "UNKNOWN_MSGID"), "{request}");
    }
    assert!(told(&scene.asks("ann", "WAS #tea 4"), "ann hid it with purge 1"));
    assert!(told(&scene.asks("ann", "PURGE #tea UNDO 7"), "NO_SUCH_PURGE"));
    // They cannot be hidden twice.
    assert!(told(&scene.asks("ann", "PURGE #tea *!*@* 3m"), "PREVIEW #tea 4 messages of everybody [3]–[8]"));
    scene.all([("ann", "PURGE #tea UNDO")]);
    assert!(gone(&scene).is_empty());
}

#[test]
fn a_look_ends_and_belongs_to_its_room_and_its_session() {
    let mut scene = tea();
    scene.all([("ann", "PURGE #tea cyd 1h"), ("ann", "JOIN #other")]);
    assert!(told(&scene.asks("ann", "PURGE #other CONFIRM"), "NO_PREVIEW"));
    scene.all([("ann", "PURGE #tea cyd 1h"), ("ann", "MODE #tea +o bob")]);
    assert!(told(&scene.asks("bob", "PURGE #tea CONFIRM"), "NO_PREVIEW"));
    scene.now_ms += 5 * 60_000;
    assert!(told(&scene.asks("ann", "PURGE #tea CONFIRM"), "NO_PREVIEW"));
    // Two look at the same: the second one hides what is left, which is nothing.
    scene.all([("ann", "PURGE #tea cyd 1h"), ("bob", "PURGE #tea cyd 1h"), ("ann", "PURGE #tea CONFIRM")]);
    assert!(told(&scene.asks("bob", "PURGE #tea CONFIRM"), "NONE"));
    assert_eq!(gone(&scene), [2, 4, 6]);
}

#[test]
fn who_may_and_what_is_no_purge() {
    let mut scene = tea();
    assert!(told(&scene.asks("bob", "PURGE #tea cyd 1h"), "482"));
    assert!(told(&scene.asks("bob", "MODLOG #tea"), "482"));
    assert!(told(&scene.asks("bob", "PURGE #none cyd 1h"), "403"));
    for (request, code) in [
        ("PURGE #tea cyd", "USAGE"),
        ("PURGE #tea cyd 3", "USAGE"),
        ("PURGE #tea FINAL", "USAGE"),
        ("PURGE #tea m:cyd 1h", "INVALID_MASK"),
        ("PURGE #tea ~q:cyd 1h", "INVALID_MASK"),
        ("PURGE #tea a:cyd 1h", "NONE"),
    ] {
        assert!(told(&scene.asks("ann", request), code), "{request}");
    }
}

#[test]
fn many_messages_are_told_in_one_line_and_go_into_events_that_are_not_too_large() {
    let mut scene = tea();
    for number in 8..=4_200 {
        let nick = if number % 2 == 1 { "bob" } else { "cyd" };
        let _ = scene.asks(nick, "PRIVMSG #tea :x");
    }
    let _ = scene.asks("ann", "PURGE #tea cyd 1h");
    let events = scene.decide("ann", "PURGE #tea CONFIRM").events;
    assert_eq!(events.len(), 3);
    for event in &events {
        let Event::Purged(purged) = event else { panic!("{event:?}") };
        let Purging::Hidden { numbers, positions, .. } = &purged.what else { panic!("{purged:?}") };
        assert!(numbers.runs().len() <= 1_000 && positions.is_empty());
    }
    let effects: Vec<Effect> = events.into_iter().flat_map(|event| scene.happens(event)).collect();
    // One line for the room, and what the asker is told in two forms.
    assert_eq!(effects.len(), 3, "{effects:?}");
    assert_eq!(gone(&scene).len(), 3 + 2_097);
    assert!(told(&scene.asks("ann", "PURGE #tea UNDO 1"), "brought back 2100 messages of cyd"));
    assert!(gone(&scene).is_empty());
}

#[test]
fn what_was_decided_under_other_rules_is_looked_at_again() {
    let mut scene = tea();
    let _ = scene.asks("ann", "PURGE #tea cyd 1h");
    let event = scene.decide("ann", "PURGE #tea CONFIRM").events.remove(0);
    scene.all([("ann", "MODE #tea +m")]);
    assert_eq!(scene.would_happen(event.clone()), [Effect::Stale]);
    assert!(scene.chat.redecide(event).is_err());
    assert!(gone(&scene).is_empty());
}

#[test]
fn a_final_purge_cannot_be_undone_and_a_room_that_starts_over_has_none() {
    let mut scene = tea();
    scene.all([("ann", "PIN #tea 2"), ("ann", "PURGE #tea cyd 1h"), ("ann", "PURGE #tea CONFIRM")]);
    assert_eq!(scene.chat.room_by_name("#tea").expect("the room").pins, [Number(2)]);
    scene.all([("ann", "PURGE #tea FINAL 1")]);
    assert!(told(&scene.asks("ann", "PURGE #tea UNDO 1"), "NO_SUCH_PURGE"));
    assert_eq!(gone(&scene), [2, 4, 6]);
    assert!(scene.chat.room_by_name("#tea").expect("the room").pins.is_empty());
    assert!(told(&scene.asks("ann", "WAS #tea 2"), "a purge removed it for good"));
    scene.all([
        ("ann", "MODE #tea +k key"),
        ("bob", "PART #tea"),
        ("cyd", "PART #tea"),
        ("ann", "PART #tea"),
    ]);
    scene.all([("cyd", "JOIN #tea")]);
    let room = scene.chat.room_by_name("#tea").expect("the room");
    assert!(room.purges.wiped.is_empty() && room.purges.open.is_empty());
    assert_eq!(room.purges.made, 1, "the next one has another number");
}

#[test]
fn records_say_who_did_what() {
    let mut scene = tea();
    scene.all([("ann", "MODE #tea +v bob"), ("ann", "KICK #tea cyd :too loud"), ("bob", "REDACT #tea 1")]);
    scene.all([
        ("ann", "PURGE #tea bob 1h :spam"),
        ("ann", "PURGE #tea CONFIRM"),
        ("ann", "TOPIC #tea :green"),
    ]);
    let lines = scene.asks("ann", "MODLOG #tea");
    let entries: Vec<&String> = lines.iter().filter(|line| line.contains(" ENTRY ")).collect();
    let expected =
        ["ann made bob voice (+v)", "ann put out cyd: too loud", "ann hid 2 messages of bob [3]–[5]"];
    assert_eq!(entries.len(), expected.len(), "{lines:?}");
    for (entry, expected) in entries.iter().zip(expected) {
        assert!(entry.contains(expected), "{entry}");
    }
}
