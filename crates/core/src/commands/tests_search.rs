//! Searching: where somebody may look, and how it is answered.

use crate::scene::Scene;

fn scene() -> Scene {
    let mut scene = Scene::of(["ann", "bob", "cyd"]);
    scene.all([("ann", "JOIN #tea"), ("bob", "JOIN #tea"), ("bob", "JOIN #den")]);
    scene.all([("ann", "PRIVMSG #tea :tea one"), ("bob", "PRIVMSG #den :tea two")]);
    scene
}

fn found(scene: &mut Scene, nick: &str, request: &str) -> Vec<String> {
    let lines = scene.asks(nick, request);
    lines.into_iter().filter(|line| line.contains(" PRIVMSG ") || line.contains("FAIL")).collect()
}

#[test]
fn only_where_somebody_is() {
    let mut scene = scene();
    assert_eq!(found(&mut scene, "ann", "SEARCH tea"), ["asker< ann PRIVMSG #tea tea one"]);
    let both = ["asker< ann PRIVMSG #tea tea one", "asker< bob PRIVMSG #den tea two"];
    assert_eq!(found(&mut scene, "bob", "SEARCH text=tea"), both);
    assert_eq!(found(&mut scene, "bob", "SEARCH text=tea;in=#DEN"), both[1..]);
    assert!(found(&mut scene, "cyd", "SEARCH tea").is_empty());
    assert!(found(&mut scene, "ann", "SEARCH tea in:#den")[0].contains("INVALID_PARAMS in #den"));
    scene.all([("ann", "PART #tea")]);
    assert!(found(&mut scene, "ann", "SEARCH tea").is_empty());
    scene.settings.history = false;
    assert!(found(&mut scene, "bob", "SEARCH tea").is_empty());
}

#[test]
fn conversations_are_searched_by_the_two_alone() {
    let mut scene = scene();
    scene.logs_in("ann");
    // The first one opens their conversation; this scene's archive does not know it.
    scene.all([("ann", "PRIVMSG bob :hello")]);
    scene.all([("ann", "PRIVMSG bob :tea for two"), ("bob", "PRIVMSG ann :more tea")]);
    let mine = found(&mut scene, "ann", "SEARCH text=tea;in=bob");
    assert_eq!(mine, ["asker< ann PRIVMSG bob tea for two", "asker< bob PRIVMSG ann more tea"]);
    let theirs = found(&mut scene, "bob", "SEARCH text=tea;in=ann");
    assert_eq!(theirs, mine);
    assert!(found(&mut scene, "cyd", "SEARCH tea").is_empty());
}

#[test]
fn what_is_purged_is_not_found() {
    let mut scene = scene();
    scene.all([("ann", "PURGE #tea ann 1h"), ("ann", "PURGE #tea CONFIRM")]);
    assert!(found(&mut scene, "ann", "SEARCH tea").is_empty());
    scene.all([("ann", "PURGE #tea UNDO")]);
    assert_eq!(found(&mut scene, "ann", "SEARCH tea").len(), 1);
}
