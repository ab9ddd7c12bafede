//! BATCH: what a conversation cannot show without waiting or without many lines.

use crate::event::Event;
use crate::scene::Scene;

fn tea() -> Scene {
    let mut scene = Scene::of(["ann", "bob"]);
    scene.all([("ann", "JOIN #tea"), ("bob", "JOIN #tea")]);
    scene
}

#[test]
fn a_batch_that_stays_open_times_out() {
    let mut scene = tea();
    scene.all([("ann", "BATCH +1 draft/multiline #tea"), ("ann", "@batch=1 PRIVMSG #tea one")]);
    scene.now_ms += 60_000;
    let lines = scene.asks("ann", "@batch=1 PRIVMSG #tea two");
    assert_eq!(lines, ["asker< FAIL BATCH TIMEOUT 1 The batch was open for too long"]);
    // All future messages of it are ignored.
    assert!(scene.asks("ann", "@batch=1 PRIVMSG #tea three").is_empty());
    assert!(scene.asks("ann", "BATCH -1").is_empty());
    assert!(scene.session("ann").batch.is_none());
}

#[test]
fn every_line_counts() {
    let mut scene = tea();
    scene.settings.multiline_max_lines = 3;
    scene.all([("ann", "BATCH +1 draft/multiline #tea"), ("ann", "@batch=1 PRIVMSG #tea one")]);
    scene.all([
        ("ann", "@batch=1;draft/multiline-concat PRIVMSG #tea two"),
        ("ann", "@batch=1 PRIVMSG #tea :"),
    ]);
    let lines = scene.asks("ann", "@batch=1 PRIVMSG #tea four");
    assert_eq!(lines, ["asker< FAIL BATCH MULTILINE_MAX_LINES 3 The message has too many lines"]);
}

#[test]
fn a_message_of_several_lines_is_one_event() {
    let mut scene = tea();
    for line in ["BATCH +1 draft/multiline #tea", "@batch=1 PRIVMSG #tea one", "@batch=1 PRIVMSG #tea two"] {
        assert!(scene.asks("ann", line).is_empty());
    }
    let decided = scene.decide("ann", "BATCH -1");
    let [Event::Said(said)] = &decided.events[..] else { panic!("{:?}", decided.events) };
    assert_eq!((&*said.text, said.joins.as_deref()), ("one\ntwo", Some(&[][..])));
}

#[test]
fn without_the_capability_a_batch_tag_means_nothing() {
    let mut scene = tea();
    scene.session("ann").caps.remove(chinwag_wire::caps::Cap::Multiline);
    assert_eq!(scene.asks("ann", "@batch=1 PRIVMSG #tea hi"), ["#tea (echo)< ann PRIVMSG #tea hi"]);
    let lines = scene.asks("ann", "BATCH +1 draft/multiline #tea");
    assert_eq!(
        lines,
        ["asker< FAIL BATCH UNKNOWN_TYPE 1 draft/multiline Batches of that type are not known here"]
    );
}
