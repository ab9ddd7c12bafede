//! Names are compared by the chat's case mapping wherever they are compared: lists of rooms, read marks, bans.

use chinwag_wire::casemap::CaseMapping;

use super::tests_world::World;

/// A case mapping, a nickname, and how somebody else writes it.
const WRITTEN: [(CaseMapping, &str, &str); 3] = [
    (CaseMapping::Ascii, "eve", "EVE"),
    (CaseMapping::Rfc1459, "eve[x]", "EVE{X}"),
    (CaseMapping::Precis, "Zo\u{eb}", "ZO\u{cb}"),
];

#[test]
fn a_ban_means_a_nickname_however_it_is_written() {
    for (mapping, nick, other) in WRITTEN {
        let mut world = World::with_by(mapping, &["ann", nick]);
        world.ask("ann", "JOIN #tea");
        world.ask(nick, "JOIN #tea");
        world.ask("ann", &format!("MODE #tea +b m:{other}!*@*"));
        let refused = world.ask(nick, "PRIVMSG #tea :hello");
        assert!(refused.concat().starts_with("404 "), "{mapping:?}: {refused:?}");
        world.ask("ann", &format!("MODE #tea +b m:{nick}!*@*"));
        let listed = world.ask("ann", "MODE #tea b");
        assert_eq!(listed.len(), 2, "{mapping:?}: it is on the list already: {listed:?}");
        world.ask("ann", &format!("MODE #tea -b m:{nick}!*@*"));
        let said = world.ask(nick, "PRIVMSG #tea :hello");
        assert!(!said.concat().contains("404"), "{mapping:?}: {said:?}");
    }
}

#[test]
fn a_mark_is_of_a_person_however_the_name_is_written() {
    for (mapping, nick, other) in WRITTEN {
        let mut world = World::with_by(mapping, &["ann"]);
        world.ask("ann", &format!("MARKREAD {nick} timestamp=2026-11-20T10:00:00.000Z"));
        let marked = world.ask("ann", &format!("MARKREAD {other}"));
        assert!(marked.concat().ends_with("timestamp=2026-11-20T10:00:00.000Z"), "{mapping:?}: {marked:?}");
    }
}

#[test]
fn other_case_mappings_tell_them_apart() {
    let mut world = World::with_by(CaseMapping::Ascii, &["ann", "eve[x]"]);
    world.ask("ann", "JOIN #tea");
    world.ask("eve[x]", "JOIN #tea");
    world.ask("ann", "MODE #tea +b m:EVE{X}!*@*");
    let said = world.ask("eve[x]", "PRIVMSG #tea :hello");
    assert!(!said.concat().contains("404"), "{said:?}");
}
