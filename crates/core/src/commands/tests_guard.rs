//! Bans that end, mutes, slow rooms, and rooms where new people wait.

use crate::asking::Flow;
use crate::event::Event;
use crate::ids::RoomId;
use crate::scene::Scene;

const MINUTE: u64 = 60_000;

/// `ann` is operator of `#tea`, `bob` and `eve` are in it.
fn tea() -> Scene {
    let mut scene = Scene::of(["ann", "bob", "eve"]);
    scene.all([("ann", "JOIN #tea"), ("bob", "JOIN #tea"), ("eve", "JOIN #tea")]);
    scene
}

fn text(lines: &[String]) -> String {
    lines.join("\n")
}

#[test]
fn a_ban_by_nickname_puts_out_keeps_out_and_ends() {
    let mut scene = tea();
    let done = text(&scene.asks("ann", "BAN #tea eve 2h :too loud"));
    assert!(done.contains("#tea< ann MODE #tea +b eve!*@host"), "{done}");
    assert!(done.contains("ann KICK #tea eve too loud"), "{done}");
    let entry = &scene.chat.room(RoomId(1)).unwrap().lists.bans[0];
    assert_eq!(entry.until_ms, Some(scene.now_ms + 120 * MINUTE));
    assert_eq!(entry.reason.as_deref(), Some("too loud"));
    let out = text(&scene.asks("eve", "JOIN #tea"));
    assert!(out.contains("474"), "{out}");
    scene.now_ms += 119 * MINUTE;
    assert!(scene.chat.ended_entries(scene.now_ms).is_empty());
    scene.now_ms += MINUTE;
    let [(room, changes)] = &scene.chat.ended_entries(scene.now_ms)[..] else { panic!("one room") };
    let by = scene.chat.user_by_nick("ann").unwrap().who.clone();
    let basis = scene.chat.room(*room).unwrap().rules;
    let event = Event::ModesChanged { room: *room, basis, by, changes: changes.clone() };
    let _ = scene.happens(event);
    assert!(scene.chat.ended_entries(scene.now_ms).is_empty());
    let back = text(&scene.asks("eve", "JOIN #tea"));
    assert!(back.contains("eve entered #tea"), "{back}");
}

#[test]
fn a_ban_set_anew_takes_the_place_of_the_one_before() {
    let mut scene = tea();
    scene.all([("ann", "BAN #tea *!*@bad.example 1h"), ("ann", "BAN #tea *!*@bad.example 2h :again")]);
    let bans = &scene.chat.room(RoomId(1)).unwrap().lists.bans;
    assert_eq!(bans.len(), 1);
    assert_eq!(bans[0].until_ms, Some(scene.now_ms + 120 * MINUTE));
}

#[test]
fn unban_finds_who_was_banned_by_another_name_for_it() {
    let mut scene = tea();
    scene.all([("ann", "BAN #tea eve")]);
    let done = text(&scene.asks("ann", "UNBAN #tea eve"));
    assert!(done.contains("MODE #tea -b eve!*@host"), "{done}");
    let nothing = text(&scene.asks("ann", "UNBAN #tea eve"));
    assert!(nothing.contains("nothing on the list of #tea means eve"), "{nothing}");
}

#[test]
fn who_is_muted_stays_and_is_silent() {
    let mut scene = tea();
    scene.all([("ann", "MUTE #tea eve 10m")]);
    let refused = text(&scene.asks("eve", "PRIVMSG #tea :hello"));
    assert!(refused.contains("404"), "{refused}");
    assert!(scene.chat.room(RoomId(1)).unwrap().member(scene.user("eve")).is_some());
    let unmuted = text(&scene.asks("ann", "UNMUTE #tea eve"));
    assert!(unmuted.contains("-b m:eve!*@host"), "{unmuted}");
}

#[test]
fn only_operators_ban_and_not_above_them() {
    let mut scene = tea();
    for line in ["BAN #tea eve", "MUTE #tea eve", "UNBAN #tea eve", "SLOW #tea 5", "LOCKDOWN #tea 5"] {
        let refused = text(&scene.asks("bob", line));
        assert!(refused.contains("482"), "{line}: {refused}");
    }
}

#[test]
fn in_a_slow_room_everybody_waits_but_those_who_keep_it() {
    let mut scene = tea();
    let told = text(&scene.asks("ann", "SLOW #tea 10s"));
    assert!(told.contains("NOTICE #tea ann: the room is slow now: one message every 10s each"), "{told}");
    scene.all([("bob", "PRIVMSG #tea :one")]);
    let refused = text(&scene.asks("bob", "PRIVMSG #tea :two"));
    assert!(refused.contains("404") && refused.contains("the room is slow; try again in 10s"), "{refused}");
    scene.all([("ann", "PRIVMSG #tea :one"), ("ann", "PRIVMSG #tea :two")]);
    scene.now_ms += 10_000;
    let said = text(&scene.asks("bob", "PRIVMSG #tea :two"));
    assert!(said.contains("PRIVMSG #tea two"), "{said}");
    let shown = text(&scene.asks("bob", "SLOW #tea"));
    assert!(shown.contains("SLOW #tea: 10s"), "{shown}");
    scene.all([("ann", "SLOW #tea off"), ("bob", "PRIVMSG #tea :three")]);
}

#[test]
fn a_message_in_a_slow_room_waits_for_the_one_before() {
    let mut scene = tea();
    scene.all([("ann", "SLOW #tea 10s")]);
    let first = scene.decide("bob", "PRIVMSG #tea :one");
    let chat = scene.chat.clone();
    scene.pending.enter(&chat, &first.events[0]);
    assert_eq!(scene.decide("bob", "PRIVMSG #tea :two").flow, Flow::Wait);
}

#[test]
fn who_is_new_waits_in_a_locked_down_room() {
    let mut scene = tea();
    scene.now_ms += 3 * MINUTE;
    scene.all([("ann", "LOCKDOWN #tea 5")]);
    let refused = text(&scene.asks("eve", "PRIVMSG #tea :hello"));
    assert!(refused.contains("people who are new here wait before they speak; try again in 2m"), "{refused}");
    scene.now_ms += 2 * MINUTE;
    let said = text(&scene.asks("eve", "PRIVMSG #tea :hello"));
    assert!(said.contains("PRIVMSG #tea hello"), "{said}");
}
