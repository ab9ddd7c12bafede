//! What each command comes to: its answers, and what others see.

use crate::asking::Flow;
use crate::event::Event;
use crate::ids::RoomId;
use crate::scene::Scene;

/// Ann (operator), Bob and Cyd in `#tea`; Dan is not.
fn tea() -> Scene {
    let mut scene = Scene::of(["ann", "bob", "cyd", "dan"]);
    scene.all([("ann", "JOIN #tea"), ("bob", "JOIN #tea"), ("cyd", "JOIN #tea")]);
    scene
}

/// Asks in a scene and compares what anybody is sent.
#[track_caller]
fn check<const N: usize>(scene: &mut Scene, nick: &str, line: &str, expected: [&str; N]) {
    assert_eq!(scene.asks(nick, line), expected, "{nick}> {line}");
}

#[test]
fn join_opens_a_room_and_its_opener_rules_it() {
    let mut scene = Scene::of(["ann", "bob"]);
    let first = ["ann entered #Tea", "#Tea< ann JOIN #Tea * Real Name", "names of #Tea for ann"];
    check(&mut scene, "ann", "JOIN #Tea", first);
    assert!(scene.chat.room(RoomId(1)).unwrap().is_op(scene.user("ann")));
    check(&mut scene, "ann", "JOIN #tea", []);
    let second = ["bob entered #Tea", "#Tea< bob JOIN #Tea * Real Name", "names of #Tea for bob"];
    check(&mut scene, "bob", "JOIN #tEA", second);
    assert!(!scene.chat.room(RoomId(1)).unwrap().is_op(scene.user("bob")));
}

#[test]
fn join_takes_lists_and_keys_and_zero() {
    let mut scene = Scene::of(["ann", "bob"]);
    scene.all([("ann", "JOIN #a,#b,#a"), ("ann", "MODE #b +k sesame")]);
    assert_eq!(scene.chat.rooms_opened(), 2);
    let lines = scene.asks("bob", "JOIN #a,#b x,wrong");
    assert_eq!(lines[0], "asker< 475 #b Cannot join channel (+k)");
    let lines = scene.asks("bob", "JOIN #a,#b x,sesame");
    assert_eq!(lines.len(), 3, "{lines:?}");
    check(&mut scene, "bob", "JOIN 0", ["#a< bob PART #a", "left #a", "#b< bob PART #b", "left #b"]);
}

#[test]
fn join_shows_the_topic_and_that_somebody_is_away() {
    let mut scene = tea();
    scene.all([("ann", "TOPIC #tea :black and green"), ("dan", "AWAY :out")]);
    let expected = [
        "dan entered #tea",
        "#tea< dan JOIN #tea * Real Name",
        "#tea (but one)< dan AWAY out",
        "dan< 332 #tea black and green",
        "dan< 333 #tea ann 1000",
        "names of #tea for dan",
    ];
    check(&mut scene, "dan", "JOIN #tea", expected);
}

#[test]
fn join_is_refused_by_locks_and_let_in_by_an_invitation() {
    for (lock, numeric) in [("+i", "473"), ("+k x", "475"), ("+l 3", "471"), ("+b dan", "474")] {
        let mut scene = tea();
        scene.all([("ann", &*format!("MODE #tea {lock}"))]);
        let lines = scene.asks("dan", "JOIN #tea");
        assert!(lines[0].starts_with(&format!("asker< {numeric} #tea ")), "{lock}: {lines:?}");
        assert_eq!(lines.len(), 1);
        scene.all([("ann", "INVITE dan #tea")]);
        assert_eq!(scene.asks("dan", "JOIN #tea").len(), 3, "{lock}");
        assert!(scene.chat.room(RoomId(1)).unwrap().invites.is_empty());
    }
}

#[test]
fn join_is_refused_for_what_is_no_room_and_for_too_many() {
    let mut scene = Scene::of(["ann"]);
    check(&mut scene, "ann", "JOIN tea", ["asker< 403 tea No such channel"]);
    scene.settings.channels_per_user = 2;
    let lines = scene.asks("ann", "JOIN #a,#b,#c");
    assert_eq!(lines[0], "asker< 405 #c You have joined too many channels");
    assert_eq!(scene.chat.rooms_opened(), 2);
}

#[test]
fn an_empty_locked_room_starts_over() {
    let mut scene = Scene::of(["ann", "bob"]);
    scene.all([("ann", "JOIN #tea"), ("ann", "MODE #tea +ib *!*@*"), ("ann", "PRIVMSG #tea :mine")]);
    scene.all([("ann", "TOPIC #tea :mine"), ("ann", "PART #tea")]);
    let lines = scene.asks("bob", "JOIN #tea");
    assert_eq!(lines, ["bob entered #tea", "#tea< bob JOIN #tea * Real Name", "names of #tea for bob"]);
    let room = scene.chat.room_by_name("#tea").unwrap();
    assert!(room.is_op(scene.user("bob")) && room.lists.bans.is_empty() && room.topic.is_none());
    assert_eq!((room.history_from.0, room.head.0), (2, 1));
    // An empty room without locks goes on as it was.
    scene.all([("bob", "TOPIC #tea :kept"), ("bob", "PART #tea"), ("ann", "JOIN #tea")]);
    let room = scene.chat.room_by_name("#tea").unwrap();
    assert!(room.topic.is_some() && room.is_op(scene.user("ann")));
}

#[test]
fn the_lobby_belongs_to_nobody() {
    let mut scene = Scene::of(["ann"]);
    scene.all([("ann", "JOIN #lobby")]);
    let room = scene.chat.room_by_name("#LOBBY").unwrap();
    assert!(room.common && !room.is_op(scene.user("ann")));
    check(&mut scene, "ann", "TOPIC #lobby :x", ["asker< 482 #lobby You're not channel operator"]);
}

#[test]
fn what_is_under_way_makes_others_wait() {
    let mut scene = tea();
    let opening = scene.decide("dan", "JOIN #new").events;
    scene.pending.enter(&scene.chat, &opening[0]);
    assert_eq!(scene.decide("bob", "JOIN #a,#NEW").flow, Flow::Wait);
    let mode = scene.decide("ann", "MODE #tea +m").events;
    scene.pending.enter(&scene.chat, &mode[0]);
    for (nick, line) in [
        ("bob", "PRIVMSG dan,#tea :hello"),
        ("bob", "NOTICE @#tea :hello"),
        ("bob", "@+typing=active TAGMSG #tea"),
        ("dan", "JOIN #a,#tea"),
        ("ann", "MODE #tea +i"),
        ("ann", "MODE #tea b"),
        ("ann", "TOPIC #tea :x"),
        ("ann", "KICK #tea bob"),
        ("ann", "INVITE dan #tea"),
    ] {
        assert_eq!(scene.decide(nick, line).flow, Flow::Wait, "{line}");
    }
    for (nick, line) in
        [("ann", "MODE #tea"), ("ann", "TOPIC #tea"), ("bob", "PART #tea"), ("bob", "NICK rob")]
    {
        assert_eq!(scene.decide(nick, line).flow, Flow::Done, "{line}");
    }
    scene.pending.leave(&mode[0]);
    assert_eq!(scene.decide("bob", "PRIVMSG #tea :hello").flow, Flow::Done);
}

#[test]
fn part_gives_a_reason() {
    let mut scene = tea();
    check(&mut scene, "bob", "PART #tea :good night", ["#tea< bob PART #tea good night", "left #tea"]);
    check(
        &mut scene,
        "bob",
        "PART #tea,#none",
        ["asker< 442 #tea You're not on that channel", "asker< 403 #none No such channel"],
    );
}

#[test]
fn privmsg_reaches_rooms_roles_and_people() {
    let mut scene = tea();
    check(&mut scene, "bob", "PRIVMSG #TEA :hello all", ["#tea (echo)< bob PRIVMSG #tea hello all"]);
    check(
        &mut scene,
        "bob",
        "NOTICE @#tea :help",
        ["bob (echo)< bob NOTICE @#tea help", "@#tea (echo)< bob NOTICE @#tea help"],
    );
    check(&mut scene, "ann", "NOTICE +#tea :voices", ["+#tea (echo)< ann NOTICE +#tea voices"]);
    let expected = ["bob (echo)< bob PRIVMSG dan psst", "dan< bob PRIVMSG dan psst"];
    check(&mut scene, "bob", "PRIVMSG Dan :psst", expected);
    check(
        &mut scene,
        "bob",
        "PRIVMSG bob :note",
        ["bob (echo)< bob PRIVMSG bob note", "asker beside< bob PRIVMSG bob note"],
    );
    assert_eq!(scene.chat.head(RoomId(1)).0, 3);
    assert_eq!(scene.asks("bob", "PRIVMSG #tea,dan,ann,cyd :x").len(), 7);
}

#[test]
fn privmsg_says_what_is_wrong_and_notice_does_not() {
    let mut scene = tea();
    for (rest, expected) in [
        ("", "asker< 411 No recipient given"),
        (" #tea", "asker< 412 No text to send"),
        (" #tea :", "asker< 412 No text to send"),
        (" nobody :x", "asker< 401 nobody No such nick/channel"),
        (" #none :x", "asker< 403 #none No such channel"),
        (" #tea :x", "asker< 404 #tea Cannot send to channel"),
        (" a,b,c,d,e :x", "asker< 407 a,b,c,d,e Too many recipients"),
    ] {
        let lines = scene.asks("dan", &format!("PRIVMSG{rest}"));
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].starts_with(expected), "{lines:?}");
        check(&mut scene, "dan", &format!("NOTICE{rest}"), []);
    }
}

#[test]
fn who_may_speak() {
    let mut scene = tea();
    check(&mut scene, "dan", "PRIVMSG #tea :x", ["asker< 404 #tea Cannot send to channel (+n)"]);
    scene.all([("ann", "MODE #tea +m-n")]);
    let refused = ["asker< 404 #tea Cannot send to channel (+m)"];
    check(&mut scene, "bob", "PRIVMSG #tea :x", refused);
    check(&mut scene, "dan", "PRIVMSG #tea :x", refused);
    scene.all([("ann", "MODE #tea +v bob")]);
    assert_eq!(scene.asks("bob", "PRIVMSG #tea :x").len(), 1);
    scene.all([("ann", "MODE #tea -m+b bob"), ("ann", "MODE #tea +b cyd!*@ho?t")]);
    assert!(scene.asks("bob", "PRIVMSG #tea :x")[0].starts_with("#tea"), "a voice is stronger than a ban");
    check(&mut scene, "cyd", "PRIVMSG #tea :x", ["asker< 404 #tea Cannot send to channel (+b)"]);
    let expected = ["dan (echo)< dan PRIVMSG #tea x", "#tea (echo)< dan PRIVMSG #tea x"];
    check(&mut scene, "dan", "PRIVMSG #tea :x", expected);
}

#[test]
fn ctcp_and_tags_are_passing() {
    let mut scene = tea();
    let events = scene.decide("bob", "PRIVMSG #tea :\u{1}VERSION\u{1}").events;
    assert!(matches!(events[..], [Event::Passed(_)]));
    let events = scene.decide("bob", "PRIVMSG #tea :\u{1}ACTION nods\u{1}").events;
    assert!(matches!(events[..], [Event::Said(_)]));
    let events = scene.decide("bob", "@+a=b;c=d;+e;label=1 PRIVMSG #tea :x").events;
    let [Event::Said(said)] = &events[..] else { panic!("{events:?}") };
    assert_eq!(said.client_tags.as_deref(), Some("+a=b;+e"));
    check(&mut scene, "bob", "@+typing=active TAGMSG #tea", ["#tea (echo)< bob TAGMSG #tea"]);
    check(&mut scene, "bob", "@typing=active TAGMSG #tea", []);
    check(&mut scene, "bob", "@+x TAGMSG nobody", ["asker< 401 nobody No such nick/channel"]);
    scene.session("bob").caps = Default::default();
    check(&mut scene, "bob", "@+x TAGMSG #tea", ["asker< 421 TAGMSG Unknown command"]);
    let events = scene.decide("bob", "@+a=b PRIVMSG #tea :x").events;
    assert!(matches!(&events[..], [Event::Said(said)] if said.client_tags.is_none()));
}

#[test]
fn away_is_told_to_those_who_write() {
    let mut scene = tea();
    let away = ["asker< 306 You have been marked as being away", "neighbours< bob AWAY tea time"];
    check(&mut scene, "bob", "AWAY :tea time", away);
    let lines = scene.asks("ann", "PRIVMSG bob :there?");
    assert_eq!(lines[2], "asker< 301 bob tea time");
    assert_eq!(scene.asks("ann", "NOTICE bob :there?").len(), 2);
    let back = ["asker< 305 You are no longer marked as being away", "neighbours< bob AWAY"];
    check(&mut scene, "bob", "AWAY", back);
    check(&mut scene, "bob", "AWAY :", ["asker< 305 You are no longer marked as being away"]);
}

#[test]
fn kick_puts_members_out() {
    let mut scene = tea();
    check(&mut scene, "bob", "KICK #tea cyd", ["asker< 482 #tea You're not channel operator"]);
    check(&mut scene, "dan", "KICK #tea cyd", ["asker< 442 #tea You're not on that channel"]);
    check(
        &mut scene,
        "ann",
        "KICK #tea dan,nobody",
        ["asker< 441 dan #tea They aren't on that channel", "asker< 401 nobody No such nick/channel"],
    );
    check(
        &mut scene,
        "ann",
        "KICK #tea bob,cyd :enough",
        ["#tea< ann KICK #tea bob enough", "left #tea", "#tea< ann KICK #tea cyd enough", "left #tea"],
    );
    assert!(scene.chat.user_by_nick("bob").unwrap().rooms.is_empty());
    assert_eq!(scene.chat.room(RoomId(1)).unwrap().rules, 2);
}

#[test]
fn invite_asks_somebody_in() {
    let mut scene = tea();
    check(
        &mut scene,
        "bob",
        "INVITE dan #tea",
        ["asker< 341 dan #tea", "dan< bob INVITE dan #tea", "@#tea (but one)< bob INVITE dan #tea"],
    );
    check(&mut scene, "dan", "INVITE", ["asker< 337 End of /INVITE list"]);
    scene.all([("ann", "INVITE dan #tea")]);
    check(&mut scene, "dan", "INVITE", ["asker< 336 #tea", "asker< 337 End of /INVITE list"]);
    check(&mut scene, "bob", "INVITE cyd #tea", ["asker< 443 cyd #tea is already on channel"]);
    check(&mut scene, "dan", "INVITE bob #tea", ["asker< 442 #tea You're not on that channel"]);
    check(&mut scene, "bob", "INVITE nobody #tea", ["asker< 401 nobody No such nick/channel"]);
    check(&mut scene, "bob", "INVITE dan #none", ["asker< 403 #none No such channel"]);
    scene.all([("ann", "MODE #tea +i")]);
    check(&mut scene, "bob", "INVITE dan #tea", ["asker< 482 #tea You're not channel operator"]);
}

#[test]
fn mode_shows_what_is_set() {
    let mut scene = tea();
    check(&mut scene, "bob", "MODE #tea", ["asker< 324 #tea +nt", "asker< 329 #tea 1000"]);
    scene.all([("ann", "MODE #tea +klm key 20")]);
    assert_eq!(scene.asks("bob", "MODE #tea")[0], "asker< 324 #tea +mntkl key 20");
    assert_eq!(scene.asks("dan", "MODE #tea")[0], "asker< 324 #tea +mntkl * 20");
    scene.all([("ann", "MODE #tea +s")]);
    check(&mut scene, "dan", "MODE #tea", ["asker< 442 #tea You're not on that channel"]);
}

#[test]
fn mode_changes_several_things_at_once() {
    let mut scene = tea();
    let expected = ["#tea< ann MODE #tea +iv-t+lo bob 5 cyd"];
    check(&mut scene, "ann", "MODE #tea +ivn-t+lo bob 5 cyd", expected);
    check(&mut scene, "ann", "MODE #tea +iv bob", []);
    check(&mut scene, "ann", "MODE #tea +o-o+o cyd cyd cyd", []);
    check(&mut scene, "ann", "MODE #tea +m-m", []);
    check(&mut scene, "ann", "MODE #tea -l+k key", ["#tea< ann MODE #tea -l+k key"]);
    check(&mut scene, "ann", "MODE #tea -k whatever", ["#tea< ann MODE #tea -k key"]);
    assert_eq!(scene.chat.room(RoomId(1)).unwrap().rules, 3);
}

#[test]
fn mode_lists_bans() {
    let mut scene = tea();
    check(&mut scene, "ann", "MODE #tea +b dan", ["#tea< ann MODE #tea +b dan!*@*"]);
    check(&mut scene, "ann", "MODE #tea +b dan!*@*", []);
    let list = ["asker< 367 #tea dan!*@* ann 1000", "asker< 368 #tea End of channel ban list"];
    check(&mut scene, "bob", "MODE #tea +b", list);
    check(&mut scene, "bob", "MODE #tea bb", list);
    check(&mut scene, "ann", "MODE #tea -b DAN", ["#tea< ann MODE #tea -b DAN!*@*"]);
    scene.settings.list_mode_entries = 1;
    check(
        &mut scene,
        "ann",
        "MODE #tea +bb x y",
        ["asker< 478 #tea b Channel list is full", "#tea< ann MODE #tea +b x!*@*"],
    );
}

#[test]
fn mode_says_what_is_wrong() {
    let mut scene = tea();
    check(&mut scene, "bob", "MODE #tea +mi", ["asker< 482 #tea You're not channel operator"]);
    check(&mut scene, "ann", "MODE #none +m", ["asker< 403 #none No such channel"]);
    check(&mut scene, "ann", "MODE #tea +o dan", ["asker< 441 dan #tea They aren't on that channel"]);
    check(&mut scene, "ann", "MODE #tea +o nobody", ["asker< 401 nobody No such nick/channel"]);
    check(&mut scene, "ann", "MODE #tea +l x", ["asker< 696 #tea l x A limit is a number above 0"]);
    check(&mut scene, "ann", "MODE #tea +o", ["asker< 696 #tea o * You must give an argument for this mode"]);
    let lines = scene.asks("ann", "MODE #tea +Z");
    assert!(lines[0].starts_with("asker< 472 Z "), "{lines:?}");
    let invalid = ["asker< 696 #tea k * A key has at most 23 bytes, no spaces and no commas"];
    check(&mut scene, "ann", "MODE #tea +k a,b", invalid);
    check(&mut scene, "ann", "MODE #tea +k :a b", invalid);
    scene.all([("ann", "MODE #tea +k one")]);
    check(&mut scene, "ann", "MODE #tea +k two", ["#tea< ann MODE #tea +k two"]);
}

#[test]
fn a_long_list_of_changes_is_sent_in_several_lines() {
    let mut scene = tea();
    let masks: Vec<String> = (0..12).map(|n| format!("{n}{}", "x".repeat(30))).collect();
    let lines = scene.asks("ann", &format!("MODE #tea +bbbbbbbbbbbb {}", masks.join(" ")));
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines.iter().all(|line| line.len() < 400));
    assert_eq!(scene.chat.room(RoomId(1)).unwrap().lists.bans.len(), 12);
}

#[test]
fn mode_of_oneself() {
    let mut scene = tea();
    check(&mut scene, "bob", "MODE bob", ["asker< 221 +"]);
    check(&mut scene, "bob", "MODE bob +i", ["bob< bob MODE bob +i"]);
    check(&mut scene, "bob", "MODE bob +i-i+i", []);
    check(&mut scene, "bob", "MODE bob", ["asker< 221 +i"]);
    let lines = scene.asks("bob", "MODE bob +Z");
    assert!(lines.len() == 1 && lines[0].starts_with("asker< 501 "), "{lines:?}");
    let lines = scene.asks("bob", "MODE ann +i");
    assert!(lines.len() == 1 && lines[0].starts_with("asker< 502 "), "{lines:?}");
    check(&mut scene, "bob", "MODE nobody", ["asker< 401 nobody No such nick/channel"]);
}

#[test]
fn topic_is_shown_set_and_taken_away() {
    let mut scene = tea();
    check(&mut scene, "bob", "TOPIC #tea", ["asker< 331 #tea No topic is set"]);
    check(&mut scene, "bob", "TOPIC #tea :x", ["asker< 482 #tea You're not channel operator"]);
    check(&mut scene, "dan", "TOPIC #tea :x", ["asker< 442 #tea You're not on that channel"]);
    check(&mut scene, "dan", "TOPIC #none", ["asker< 403 #none No such channel"]);
    check(&mut scene, "ann", "TOPIC #tea :green tea", ["#tea< ann TOPIC #tea green tea"]);
    check(&mut scene, "ann", "TOPIC #tea :green tea", []);
    check(&mut scene, "bob", "TOPIC #tea", ["asker< 332 #tea green tea", "asker< 333 #tea ann 1000"]);
    scene.all([("ann", "MODE #tea -t")]);
    check(&mut scene, "bob", "TOPIC #tea :", ["#tea< bob TOPIC #tea "]);
    assert!(scene.chat.room(RoomId(1)).unwrap().topic.is_none());
    scene.settings.topic_length = 4;
    let refused =
        "asker< FAIL TOPIC TOPIC_TOO_LONG That is too long; TOPICLEN says how many bytes it may have";
    check(&mut scene, "bob", "TOPIC #tea :thé vert", [refused]);
}

#[test]
fn nick_changes() {
    let mut scene = tea();
    check(&mut scene, "bob", "NICK ANN", ["asker< 433 ANN Nickname is already in use"]);
    check(&mut scene, "bob", "NICK #bob", ["asker< 432 #bob Erroneous nickname"]);
    check(&mut scene, "bob", "NICK", ["asker< 431 No nickname given"]);
    check(&mut scene, "bob", "NICK bob", []);
    check(&mut scene, "bob", "NICK Bob", ["Bob< bob NICK Bob", "neighbours< bob NICK Bob"]);
    check(&mut scene, "bob", "NICK rob", ["rob< Bob NICK rob", "neighbours< Bob NICK rob"]);
    assert!(scene.chat.user_by_nick("bob").is_none());
    check(&mut scene, "cyd", "NICK bob", ["bob< cyd NICK bob", "neighbours< cyd NICK bob"]);
}

#[test]
fn quit_is_told_to_those_who_shared_a_room() {
    let mut scene = tea();
    let expected = [
        "asker< bob QUIT Quit: bye",
        "close: Quit: bye",
        "neighbours< bob QUIT Quit: bye",
        "left #tea",
        "gone: Quit: bye",
    ];
    check(&mut scene, "bob", "QUIT :bye", expected);
    assert!(scene.chat.user_by_nick("bob").is_none());
    assert_eq!(scene.chat.room(RoomId(1)).unwrap().members.len(), 2);
    check(&mut scene, "bob", "PRIVMSG #tea :x", []);
}

#[test]
fn requests_are_checked_before_commands_see_them() {
    let mut scene = tea();
    let lines = scene.asks("bob", "FROBNICATE x");
    assert_eq!(lines, ["asker< 421 FROBNICATE Unknown command"]);
    check(&mut scene, "bob", "JOIN", ["asker< 461 JOIN Not enough parameters"]);
    scene.session("bob").phase = crate::session::Phase::Greeting(Box::default());
    check(&mut scene, "bob", "JOIN #tea", ["asker< 451 You have not registered"]);
}

/// Specification: <https://ircv3.net/specs/extensions/message-tags>, CLIENTTAGDENY.
#[test]
fn denied_client_tags_are_not_handed_on() {
    let mut scene = Scene::of(["ann"]);
    scene.all([("ann", "JOIN #tea")]);
    let passed = |scene: &mut Scene| match &scene
        .decide("ann", "@+typing=active;+draft/reply=x TAGMSG #tea")
        .events[..]
    {
        [Event::Passed(passed)] => passed.client_tags.as_deref().map(str::to_owned),
        _ => None,
    };
    assert_eq!(passed(&mut scene).as_deref(), Some("+typing=active;+draft/reply=x"));
    scene.settings.client_tags_denied = vec!["typing".into()];
    assert_eq!(passed(&mut scene).as_deref(), Some("+draft/reply=x"));
    scene.settings.client_tags_denied = vec!["*".into(), "-typing".into()];
    assert_eq!(passed(&mut scene).as_deref(), Some("+typing=active"));
    scene.settings.client_tags_denied = vec!["*".into()];
    assert_eq!(passed(&mut scene), None);
    // Blocking a tag does not block the text that it came with.
    assert!(matches!(&scene.decide("ann", "@+typing=active PRIVMSG #tea :hi").events[..], [Event::Said(_)]));
}

#[test]
fn the_case_mapping_says_which_names_are_the_same() {
    use chinwag_wire::casemap::CaseMapping;
    let taken = |mapping: CaseMapping, wanted: &str| {
        let mut scene = Scene::of([]);
        scene.chat = crate::chat::Chat::new(crate::scene::KEY).with_mapping(mapping);
        scene.enters("ann[1]");
        scene.enters("bob");
        scene.all([("ann[1]", "JOIN #Caf\u{c9}[]")]);
        let rooms = scene.chat.rooms_opened();
        let _ = scene.asks("bob", "JOIN #caf\u{e9}{}");
        let same_room = scene.chat.rooms_opened() == rooms;
        (scene.asks("bob", wanted)[0].contains("433"), same_room)
    };
    assert_eq!(taken(CaseMapping::Ascii, "NICK ANN{1}"), (false, false));
    assert_eq!(taken(CaseMapping::Rfc1459, "NICK ANN{1}"), (true, false), "É is not é");
    assert_eq!(taken(CaseMapping::Precis, "NICK ANN[1]"), (true, false), "[] are not {{}}");
    let cyrillic = "NICK \u{430}nn[1]";
    assert!(taken(CaseMapping::Precis, cyrillic).0, "a Cyrillic letter in place of a Latin one");
    assert!(!taken(CaseMapping::Ascii, cyrillic).0, "432: with such a mapping there is no such nickname");
}
