//! Erasing what somebody said, as the chat decides it; and records that a room's members may read.

use crate::event::{Act, Event};
use crate::scene::Scene;

fn tea() -> Scene {
    let mut scene = Scene::of(["ann", "bob", "eve"]);
    scene.logs_in("ann");
    scene.all([("ann", "JOIN #tea"), ("bob", "JOIN #tea"), ("eve", "JOIN #tea")]);
    scene.now_ms += 1_000;
    scene.all([("ann", "PRIVMSG #tea :one"), ("ann", "PRIVMSG #tea :two"), ("bob", "PRIVMSG #tea :three")]);
    scene
}

fn text(lines: &[String]) -> String {
    lines.join("\n")
}

#[test]
fn everybody_erases_what_they_said_with_their_account_after_a_look() {
    let mut scene = tea();
    assert!(text(&scene.asks("ann", "ERASE CONFIRM")).contains("Look first"));
    let seen = text(&scene.asks("ann", "ERASE ME"));
    assert!(
        seen.contains("a:ann 2 messages in 1 rooms and conversations would be removed for good"),
        "{seen}"
    );
    let [Event::OperatorActed(acted)] = &scene.decided("ann", "ERASE CONFIRM")[..] else {
        panic!("an event")
    };
    let Act::Erased { whom, since_ms, room, .. } = &acted.act else { panic!("{acted:?}") };
    // Nothing that whoever had the name before said.
    let since = scene.chat.account("ann").expect("an account").created_ms;
    assert_eq!((&**whom, *since_ms, *room, acted.operator.as_ref()), ("a:ann", since, None, None));
    // Once.
    assert!(text(&scene.asks("ann", "ERASE CONFIRM")).contains("Look first"));
    let seen = text(&scene.asks("ann", "ERASE ann #tea"));
    assert!(seen.contains("2 messages in #tea"), "{seen}");
    scene.now_ms += 5 * 60_000;
    assert!(text(&scene.asks("ann", "ERASE CONFIRM")).contains("Look first"));
}

#[test]
fn nobody_else_s_words_go_without_the_privilege() {
    let mut scene = tea();
    for (nick, line, why) in [
        ("bob", "ERASE ME", "You are in no account"),
        ("bob", "ERASE bob", "723"),
        ("bob", "ERASE a:ann", "723"),
        ("ann", "ERASE eve", "723"),
        ("ann", "ERASE ME #nowhere", "403"),
    ] {
        let refused = text(&scene.asks(nick, line));
        assert!(refused.contains(why), "{line}: {refused}");
    }
    assert!(text(&scene.asks("bob", "ERASE")).contains("/erase me looks at what you said"));
}

#[test]
fn members_read_the_records_where_the_room_says_so() {
    let mut scene = tea();
    scene.all([("ann", "SLOW #tea 10s")]);
    assert!(text(&scene.asks("bob", "MODLOG #tea")).contains("482"));
    assert!(text(&scene.asks("bob", "MODLOG #tea OPEN")).contains("482"));
    let told = text(&scene.asks("ann", "MODLOG #tea OPEN"));
    assert!(told.contains("everybody here may read who did what"), "{told}");
    assert!(scene.asks("ann", "MODLOG #tea OPEN").is_empty(), "it is already");
    let read = text(&scene.asks("bob", "MODLOG #tea"));
    assert!(read.contains("ann made the room slow") && read.contains("let every member read"), "{read}");
    // Members, and nobody else; and of the server's nothing.
    scene.all([("bob", "PART #tea")]);
    assert!(text(&scene.asks("bob", "MODLOG #tea")).contains("442"));
    assert!(text(&scene.asks("eve", "MODLOG *")).contains("481"));
    scene.all([("ann", "MODLOG #tea CLOSED")]);
    assert!(text(&scene.asks("eve", "MODLOG #tea")).contains("482"));
}
