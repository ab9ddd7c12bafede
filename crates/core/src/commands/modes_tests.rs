//! Room modes: whom they let in, whom they let speak, who sees whom, and the lists.

use std::sync::Arc;

use chinwag_wire::numeric::Numeric;

use crate::asking::Flow;
use crate::chat::RoomModes;
use crate::effect::{Effect, To};
use crate::event::{Event, ModeChange, PassedTo, Status, Tagged};
use crate::ids::{Number, RoomId};
use crate::line::{Command, Text};
use crate::roles::Role;
use crate::scene::Scene;

const TEA: RoomId = RoomId(1);

#[track_caller]
fn check<const N: usize>(scene: &mut Scene, nick: &str, line: &str, expected: [&str; N]) {
    assert_eq!(scene.asks(nick, line), expected, "{nick}> {line}");
}

/// ann (operator) and bob in #tea with these modes; cyd and dan outside.
fn tea(modes: &str) -> Scene {
    let mut scene = Scene::of(["ann", "bob", "cyd", "dan"]);
    let modes = format!("MODE #tea {modes}");
    scene.all([("ann", "JOIN #tea"), ("bob", "JOIN #tea"), ("ann", &modes)]);
    scene
}

#[track_caller]
fn comes_in(scene: &mut Scene, nick: &str) {
    let lines = scene.asks(nick, "JOIN #tea");
    assert_eq!(lines[0], format!("{nick} entered #tea"));
    scene.all([(nick, "PART #tea")]);
}

#[test]
fn an_exception_is_stronger_than_a_ban() {
    let mut scene = tea("+b *!*@host");
    check(&mut scene, "cyd", "JOIN #tea", ["asker< 474 #tea Cannot join channel (+b)"]);
    check(&mut scene, "bob", "PRIVMSG #tea :x", ["asker< 404 #tea Cannot send to channel (+b)"]);
    scene.all([("ann", "MODE #tea +ee cyd BOB")]);
    comes_in(&mut scene, "cyd");
    assert_eq!(scene.asks("bob", "PRIVMSG #tea :x").len(), 1);
    check(&mut scene, "dan", "JOIN #tea", ["asker< 474 #tea Cannot join channel (+b)"]);
    check(&mut scene, "ann", "MODE #tea -e CYD!*@*", ["#tea< ann MODE #tea -e CYD!*@*"]);
    check(&mut scene, "cyd", "JOIN #tea", ["asker< 474 #tea Cannot join channel (+b)"]);
}

#[test]
fn an_invite_exception_needs_no_invitation() {
    let mut scene = tea("+iI cyd");
    comes_in(&mut scene, "cyd");
    check(&mut scene, "dan", "JOIN #tea", ["asker< 473 #tea Cannot join channel (+i)"]);
    scene.all([("ann", "MODE #tea +b cyd")]);
    check(&mut scene, "cyd", "JOIN #tea", ["asker< 474 #tea Cannot join channel (+b)"]);
}

#[test]
fn lists_are_shown_to_those_they_are_for() {
    let mut scene = tea("+beI a b c");
    check(
        &mut scene,
        "ann",
        "MODE #tea +Ieb",
        [
            "asker< 346 #tea c!*@* ann 1000",
            "asker< 347 #tea End of channel invite exception list",
            "asker< 348 #tea b!*@* ann 1000",
            "asker< 349 #tea End of channel exception list",
            "asker< 367 #tea a!*@* ann 1000",
            "asker< 368 #tea End of channel ban list",
        ],
    );
    check(&mut scene, "bob", "MODE #tea e", ["asker< 482 #tea You're not channel operator"]);
    check(&mut scene, "cyd", "MODE #tea I", ["asker< 442 #tea You're not on that channel"]);
    assert_eq!(scene.asks("cyd", "MODE #tea b").len(), 2);
}

#[test]
fn what_could_be_no_entry_is_refused() {
    let mut scene = tea("+n");
    let long = "x".repeat(300);
    for (typed, why) in [
        (":a b", "* A mask has no spaces in it"),
        ("~q:ann", "~q:ann There is no such kind of mask; a: and m: there are"),
        ("a:", "a: The mask names nobody"),
        (&long, &format!("{} A mask has at most 200 bytes", "x".repeat(100))),
    ] {
        for list in ['b', 'e', 'I'] {
            let line = format!("MODE #tea +{list} {typed}");
            check(&mut scene, "ann", &line, [&format!("asker< 696 #tea {list} {why}")]);
        }
    }
}

#[test]
fn a_mute_silences_and_lets_in() {
    let mut scene = tea("+b m:*!*@host");
    comes_in(&mut scene, "cyd");
    let refused = ["asker< 404 #tea Cannot send to channel (+b)"];
    check(&mut scene, "bob", "PRIVMSG #tea :x", refused);
    check(&mut scene, "ann", "MODE #tea +e m:bob", ["#tea< ann MODE #tea +e m:bob!*@*"]);
    assert_eq!(scene.asks("bob", "PRIVMSG #tea :x").len(), 1);
    // An exception from mutes is none from bans.
    scene.all([("ann", "MODE #tea +b bob")]);
    check(&mut scene, "bob", "PRIVMSG #tea :x", refused);
    scene.all([("ann", "MODE #tea +v bob")]);
    assert_eq!(scene.asks("bob", "PRIVMSG #tea :x").len(), 1);
}

#[test]
fn accounts_can_be_banned_excepted_and_let_in() {
    let mut scene = tea("+b ~account:CYD");
    check(&mut scene, "ann", "MODE #tea -b a:cyd", ["#tea< ann MODE #tea -b a:cyd"]);
    scene.all([("ann", "MODE #tea +b a:cyd")]);
    comes_in(&mut scene, "cyd");
    scene.logs_in("cyd");
    check(&mut scene, "cyd", "JOIN #tea", ["asker< 474 #tea Cannot join channel (+b)"]);
    scene.all([("ann", "MODE #tea -b+be a:cyd *!*@* a:cyd")]);
    comes_in(&mut scene, "cyd");
    check(&mut scene, "dan", "JOIN #tea", ["asker< 474 #tea Cannot join channel (+b)"]);
    scene.all([("ann", "MODE #tea -b+iI *!*@* a:cyd")]);
    comes_in(&mut scene, "cyd");
    check(&mut scene, "dan", "JOIN #tea", ["asker< 473 #tea Cannot join channel (+i)"]);
    scene.all([("ann", "MODE #tea -ie+b a:cyd m:a:cyd"), ("cyd", "JOIN #tea")]);
    check(&mut scene, "cyd", "PRIVMSG #tea :x", ["asker< 404 #tea Cannot send to channel (+b)"]);
}

#[test]
fn only_who_is_logged_in_comes_in_and_speaks() {
    let mut scene = tea("+R");
    check(
        &mut scene,
        "cyd",
        "JOIN #tea",
        ["asker< 477 #tea You need to be logged in to an account for that"],
    );
    check(&mut scene, "bob", "PRIVMSG #tea :x", ["asker< 404 #tea Cannot send to channel (+R)"]);
    scene.all([("ann", "MODE #tea +I dan")]);
    comes_in(&mut scene, "dan");
    scene.logs_in("cyd");
    comes_in(&mut scene, "cyd");
    scene.all([("ann", "MODE #tea -R+M")]);
    comes_in(&mut scene, "dan");
    check(&mut scene, "bob", "PRIVMSG #tea :x", ["asker< 404 #tea Cannot send to channel (+M)"]);
    check(&mut scene, "bob", "NOTICE #tea :x", []);
    scene.all([("ann", "MODE #tea +v bob"), ("cyd", "JOIN #tea")]);
    for nick in ["bob", "cyd"] {
        assert_eq!(scene.asks(nick, "PRIVMSG #tea :x").len(), 1, "{nick}");
    }
}

#[test]
fn programs_do_not_ask_each_other() {
    let mut scene = tea("+C");
    let refused = ["asker< 404 #tea Cannot send to channel (+C)"];
    for nick in ["ann", "bob"] {
        check(&mut scene, nick, "PRIVMSG #tea :\u{1}PING 1\u{1}", refused);
        check(&mut scene, nick, "NOTICE #tea :\u{1}PING 1\u{1}", []);
        assert_eq!(scene.asks(nick, "PRIVMSG #tea :\u{1}ACTION waves\u{1}").len(), 1);
    }
    assert_eq!(scene.asks("bob", "PRIVMSG ann :\u{1}PING 1\u{1}").len(), 2);
}

#[test]
fn what_ordinary_members_say_in_an_op_moderated_room_is_for_operators() {
    let mut scene = tea("+U");
    check(
        &mut scene,
        "bob",
        "PRIVMSG #tea :may I?",
        ["bob (echo)< bob PRIVMSG #tea may I?", "%#tea (echo)< bob PRIVMSG #tea may I?"],
    );
    let events = scene.decide("bob", "PRIVMSG #tea :x").events;
    assert!(matches!(&events[..], [Event::Said(said)] if said.status == Some(Status::Held)), "{events:?}");
    let events = scene.decide("bob", "@+typing=active TAGMSG #tea").events;
    let [Event::Passed(passed)] = &events[..] else { panic!("{events:?}") };
    assert_eq!(passed.to, PassedTo::Room { room: TEA, status: Some(Status::Held) });
    // For higher ones only it stays; for lower ones it does not become.
    for (typed, status) in [("~#tea", Role::Founder), ("+#tea", Role::Halfop)] {
        let events = scene.decide("bob", &format!("PRIVMSG {typed} :x")).events;
        let [Event::Said(said)] = &events[..] else { panic!("{events:?}") };
        assert_eq!(said.status, Some(Status::To(status)));
    }
    // Instead of being refused, moderated members are heard by operators; mutes are refused.
    scene.all([("ann", "MODE #tea +mn")]);
    assert_eq!(scene.asks("bob", "PRIVMSG #tea :x").len(), 2);
    check(&mut scene, "cyd", "PRIVMSG #tea :x", ["asker< 404 #tea Cannot send to channel (+n)"]);
    scene.all([("ann", "MODE #tea +b m:bob")]);
    check(&mut scene, "bob", "PRIVMSG #tea :x", ["asker< 404 #tea Cannot send to channel (+b)"]);
    scene.all([("ann", "MODE #tea +v bob")]);
    check(&mut scene, "bob", "PRIVMSG #tea :x", ["#tea (echo)< bob PRIVMSG #tea x"]);
}

#[test]
fn whom_a_message_is_for_is_decided_again() {
    let mut scene = tea("+n");
    let said = scene.decide("bob", "PRIVMSG #tea :x").events.remove(0);
    let status = |scene: &Scene| match scene.chat.redecide(said.clone()) {
        Ok(Event::Said(said)) => Ok(said.status),
        other => Err(other),
    };
    scene.all([("ann", "MODE #tea +U")]);
    assert_eq!(status(&scene).unwrap(), Some(Status::Held));
    let held = scene.decide("bob", "PRIVMSG #tea :x").events.remove(0);
    scene.all([("ann", "MODE #tea -U+M")]);
    assert!(status(&scene).is_err());
    scene.logs_in("bob");
    assert_eq!(status(&scene).unwrap(), None);
    let by = Arc::clone(&scene.chat.user_by_nick("bob").unwrap().who);
    let (user, client_tags) = (scene.user("bob"), "+x".into());
    let tagged =
        Tagged { room: TEA, basis: 0, user, by, client_tags, status: Some(Status::Held), direct: None };
    let Ok(Event::Tagged(again)) = scene.chat.redecide(Event::Tagged(Arc::new(tagged))) else {
        panic!("it may be said")
    };
    assert_eq!(again.status, None);
    let Ok(Event::Said(again)) = scene.chat.redecide(held) else { panic!("it may be said") };
    assert_eq!(again.status, None);
}

#[test]
fn who_may_not_come_in_is_sent_on() {
    let mut scene = tea("+i");
    scene.all([("bob", "JOIN #cake"), ("dan", "JOIN #jam")]);
    for (name, why) in [
        ("#none", "asker< 696 #tea f #none There is no such room"),
        ("#tea", "asker< 696 #tea f #tea A room does not lead to itself"),
        ("#cake", "asker< 482 #cake You're not channel operator"),
    ] {
        check(&mut scene, "ann", &format!("MODE #tea +f {name}"), [why]);
    }
    scene.all([("bob", "KICK #cake bob"), ("ann", "JOIN #cake")]);
    check(&mut scene, "ann", "MODE #tea +f #CAKE", ["#tea< ann MODE #tea +f #cake"]);
    assert_eq!(scene.asks("cyd", "MODE #tea")[0], "asker< 324 #tea +intf #cake");
    let linked = "asker< 470 #tea #cake Forwarding to another channel";
    let lines = scene.asks("cyd", "JOIN #tea");
    assert_eq!(lines[..2], [linked, "cyd entered #cake"]);
    check(&mut scene, "cyd", "JOIN #tea", [linked]);
    // One room further and no more; and no further for whoever is banned.
    scene.all([("ann", "MODE #cake +i"), ("ann", "MODE #cake +f #tea")]);
    check(&mut scene, "dan", "JOIN #tea", [linked, "asker< 473 #cake Cannot join channel (+i)"]);
    scene.all([("ann", "MODE #tea +b dan")]);
    check(&mut scene, "dan", "JOIN #tea", ["asker< 474 #tea Cannot join channel (+b)"]);
    // A room that is renamed is the same room.
    scene.all([("ann", "RENAME #cake #bread")]);
    assert_eq!(scene.asks("ann", "MODE #tea")[0], "asker< 324 #tea +intf #bread");
    check(&mut scene, "ann", "MODE #tea -f", ["#tea< ann MODE #tea -f"]);
}

#[test]
fn leading_to_a_room_whose_rules_change_waits() {
    let mut scene = tea("+i");
    scene.all([("ann", "JOIN #cake")]);
    let change = scene.decide("ann", "MODE #cake +m").events.remove(0);
    scene.pending.enter(&scene.chat, &change);
    assert_eq!(scene.decide("ann", "MODE #tea +f #cake").flow, Flow::Wait);
    assert_eq!(scene.decide("ann", "MODE #tea +m").flow, Flow::Done);
}

/// ann (operator), bob and cyd in an auditorium.
fn auditorium() -> Scene {
    let mut scene = tea("+u");
    scene.all([("cyd", "JOIN #tea")]);
    scene
}

#[test]
fn ordinary_members_of_an_auditorium_do_not_see_each_other_come_and_go() {
    let mut scene = auditorium();
    let lines = scene.asks("dan", "JOIN #tea");
    assert_eq!(lines[1..3], ["dan< dan JOIN #tea * Real Name", "+#tea< dan JOIN #tea * Real Name"]);
    check(
        &mut scene,
        "dan",
        "PART #tea :bye",
        ["dan< dan PART #tea bye", "+#tea< dan PART #tea bye", "left #tea"],
    );
    check(
        &mut scene,
        "ann",
        "KICK #tea cyd",
        ["cyd< ann KICK #tea cyd ann", "+#tea< ann KICK #tea cyd ann", "left #tea"],
    );
    scene.all([("ann", "MODE #tea +v bob")]);
    check(&mut scene, "bob", "PART #tea", ["#tea< bob PART #tea", "left #tea"]);
}

#[test]
fn whoever_leaves_the_chat_out_of_an_auditorium_is_hidden_still() {
    let mut scene = auditorium();
    let (ann, bob) = (scene.user("ann"), scene.user("bob"));
    assert!(scene.chat.hides(TEA, bob) && !scene.chat.hides(TEA, ann));
    assert_eq!(scene.asks("bob", "QUIT")[2], "neighbours< bob QUIT Quit");
    assert!(scene.chat.hides(TEA, bob));
    scene.all([("cyd", "PRIVMSG #tea :x")]);
    assert!(!scene.chat.hides(TEA, bob), "nobody is told any more");
    let watchers: Vec<_> = scene.chat.room(TEA).unwrap().watchers().collect();
    assert_eq!(watchers, [ann]);
}

#[test]
fn lists_of_an_auditorium_show_those_with_a_role_and_oneself() {
    let mut scene = auditorium();
    scene.session("bob").caps = Default::default();
    scene.session("ann").caps = Default::default();
    scene.session("dan").caps = Default::default();
    assert_eq!(scene.asks("ann", "NAMES #tea")[0], "asker< 353 = #tea @ann bob cyd");
    assert_eq!(scene.asks("bob", "NAMES #tea")[0], "asker< 353 = #tea @ann");
    assert_eq!(scene.asks("dan", "NAMES #tea")[0], "asker< 353 = #tea @ann");
    assert_eq!(scene.asks("ann", "WHO #tea").len(), 4);
    assert_eq!(scene.asks("bob", "WHO #tea").len(), 3);
    assert_eq!(scene.asks("dan", "WHO #tea").len(), 2);
    let rooms = |lines: Vec<String>| lines.iter().any(|line| line.contains("319"));
    assert!(rooms(scene.asks("ann", "WHOIS cyd")) && rooms(scene.asks("cyd", "WHOIS cyd")));
    assert!(!rooms(scene.asks("bob", "WHOIS cyd")) && rooms(scene.asks("dan", "WHOIS ann")));
    // Being in it together does not make invisible people visible to each other.
    scene.all([("cyd", "MODE cyd +i")]);
    assert_eq!(scene.asks("bob", "WHO cy*").len(), 1);
    assert_eq!(scene.asks("ann", "WHO cy*").len(), 2);
    scene.all([("ann", "MODE #tea +v cyd")]);
    assert_eq!(scene.asks("bob", "NAMES #tea")[0], "asker< 353 = #tea @ann +cyd");
}

#[test]
fn an_invitation_by_an_ordinary_member_opens_nothing() {
    let mut scene = tea("+k key");
    scene.all([("bob", "INVITE cyd #tea")]);
    check(&mut scene, "cyd", "JOIN #tea", ["asker< 475 #tea Cannot join channel (+k)"]);
    scene.all([("ann", "INVITE cyd #tea"), ("ann", "MODE #tea +iRlb 1 cyd")]);
    comes_in(&mut scene, "cyd");
    check(&mut scene, "cyd", "JOIN #tea", ["asker< 474 #tea Cannot join channel (+b)"]);
}

#[test]
fn a_room_that_starts_over_has_no_mode_left() {
    let mut scene = tea("+CEMRUimsuklf-nt key 9 #tea");
    scene.all([("ann", "JOIN #cake"), ("ann", "MODE #tea +f #cake"), ("ann", "MODE #tea +beI a b a:c")]);
    let rules = scene.chat.room(TEA).unwrap().rules;
    let by = Arc::clone(&scene.chat.user_by_nick("bob").unwrap().who);
    let effects = scene.happens(Event::Renewed { room: TEA, basis: rules, head: Number(0), by });
    let [Effect::Send { to: To::Room(TEA), line, .. }] = &effects[..] else { panic!("{effects:?}") };
    let params: Vec<&str> = line.params.iter().map(Text::as_str).collect();
    assert_eq!(params, ["#tea", "-CEMRUim+n-s+t-uklfbeI", "key", "a!*@*", "b!*@*", "a:c"]);
    assert_eq!(scene.asks("ann", "MODE #tea")[0], "asker< 324 #tea +nt");
    assert_eq!(scene.asks("ann", "MODE #tea beI").len(), 3);
}

#[test]
fn an_empty_room_for_the_registered_lets_a_guest_start_over() {
    let mut scene = tea("+RU");
    scene.all([("ann", "PART #tea"), ("bob", "PART #tea")]);
    comes_in(&mut scene, "cyd");
    assert!(!scene.chat.room(TEA).unwrap().modes.registered_join);
}

#[test]
fn every_mode_is_told_to_clients_and_explained() {
    let mut scene = tea("+n");
    let chanmodes = scene.asks("ann", "VERSION").into_iter().find_map(|line| {
        let (_, behind) = line.split_once(" CHANMODES=")?;
        behind.split(' ').next().map(str::to_owned)
    });
    let chanmodes = chanmodes.expect("sent with the version");
    let mut told: Vec<char> = chanmodes.chars().filter(|c| *c != ',').collect();
    let mut modes: Vec<char> = RoomModes::ALL.to_vec();
    told.sort_unstable();
    modes.sort_unstable();
    assert_eq!(told, modes);
    let help = scene.asks("ann", "HELP MODE");
    for mode in RoomModes::ALL {
        let meaning = RoomModes::meaning(*mode).expect("each has one");
        assert!(help.contains(&format!("asker< 705 MODE {mode}  {meaning}")), "{mode}: {help:?}");
    }
    modes.extend(Role::ALL.map(Role::mode));
    modes.sort_unstable();
    assert_eq!(super::welcome::ROOM_MODES, modes.iter().collect::<String>());
}

#[test]
fn whatever_modes_are_asked_for_a_restart_finds_what_was_set() {
    const LETTERS: &[u8] = b"++++---IbefklCEMRUimnstuqaohvZ";
    const WORDS: [&str; 12] =
        ["ann", "bob", "cyd", "m:bob", "a:ann", "~a:x", "#tea", "#cake", "3", "0", "*!*@*", ""];
    let mut number = 1_u64;
    let mut dice = |below: usize| {
        number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (number >> 33) as usize % below
    };
    let mut scene = tea("+n");
    scene.all([("ann", "JOIN #cake"), ("cyd", "JOIN #tea")]);
    for _ in 0..1_000 {
        let letters: String = (0..dice(12)).map(|_| char::from(LETTERS[dice(LETTERS.len())])).collect();
        let words: Vec<&str> = (0..dice(8)).map(|_| WORDS[dice(WORDS.len() - 1)]).collect();
        let nick = ["ann", "ann", "bob", "dan"][dice(4)];
        let _ = scene.asks(nick, &format!("MODE #tea {letters} {}", words.join(" ")).replace("  ", " "));
        let _ = scene.asks("dan", ["JOIN #tea 3", "PART #tea", "PRIVMSG #tea :x", "NAMES #tea"][dice(4)]);
        // Somebody has to be left who may change anything.
        become_operator(&mut scene, "ann");
    }
    let mut restored = crate::chat::Chat::new(crate::scene::KEY);
    for entry in scene.log.iter().filter(|entry| entry.keep == chinwag_log::Keep::Stored) {
        restored.apply(entry, &mut Vec::new());
    }
    assert_eq!(restored.stored_hash(), scene.chat.stored_hash());
    let rules = scene.chat.room(TEA).unwrap().rules;
    assert!(rules > 200, "{rules} changes: too few to show anything");
}

fn become_operator(scene: &mut Scene, nick: &str) {
    let (user, room) = (scene.user(nick), scene.chat.room(TEA).unwrap());
    if !room.is_op(user) {
        let by = Arc::clone(&scene.chat.user(user).unwrap().who);
        let (arg, member) = (Some(nick.into()), Some(user));
        let change = ModeChange { set: true, mode: 'o', arg, member, until_ms: None, reason: None };
        scene.happens(Event::ModesChanged { room: TEA, basis: room.rules, by, changes: vec![change] });
    }
}

#[test]
fn what_is_passing_is_checked_again() {
    let mut scene = tea("+n");
    let typing = scene.decide("bob", "@+typing=active TAGMSG #tea").events.remove(0);
    let invited = scene.decide("bob", "INVITE cyd #tea").events.remove(0);
    scene.all([("ann", "MODE #tea +mi")]);
    for (event, numeric) in
        [(typing.clone(), Numeric::ERR_CANNOTSENDTOCHAN), (invited.clone(), Numeric::ERR_CHANOPRIVSNEEDED)]
    {
        let effects = scene.happens(event);
        let [Effect::Send { to: To::Asker, line, .. }] = &effects[..] else { panic!("{effects:?}") };
        assert_eq!(line.command, Command::Numeric(numeric));
    }
    scene.all([("ann", "MODE #tea -mi+U")]);
    let effects = scene.happens(typing);
    assert!(
        matches!(effects[1], Effect::Send { to: To::RoomStatus(TEA, Role::Halfop), .. }),
        "whom it is for is decided again: {effects:?}"
    );
    scene.all([("bob", "PART #tea")]);
    let effects = scene.happens(invited);
    assert!(matches!(&effects[..], [Effect::Send { to: To::Asker, .. }]), "{effects:?}");
}

#[test]
fn whoever_comes_in_is_told_with_a_msgid() {
    let mut scene = tea("+n");
    let user = scene.user("cyd");
    let effects = scene.happens(Event::Joined { user, room: "#tea".into(), key: None });
    let Effect::Send { line, .. } = &effects[1] else { panic!("{effects:?}") };
    assert!(line.meta.msgid.is_some());
}
