//! NAMES, WHO, WHOIS, LIST and the questions about the server.

use chinwag_wire::verbs::Verb;

use super::tests_world::World;
use crate::chat::{RoomModes, UserModes};
use crate::scene::Scene;

/// ann opened #tea and is its operator, bob is in it; cat is outside.
fn tea() -> World {
    let mut world = World::with(&["ann", "bob", "cat"]);
    world.ask("ann", "JOIN #Tea");
    world.ask("bob", "JOIN #tea");
    world
}

const END: &str = "End of /NAMES list";

#[test]
fn names_lists_a_room() {
    let mut world = tea();
    let end = format!("366 cat #Tea :{END}");
    world.check("cat", "NAMES #TEA", &["353 cat = #Tea :@ann bob", &end]);
    world.check("cat", "NAMES #none", &[&format!("366 cat #none :{END}")]);
    world.check("cat", "NAMES", &["353 cat = #Tea :@ann bob", &format!("366 cat * :{END}")]);
    let lines = world.ask("cat", "NAMES #tea,#none,#lobby,#TEA");
    assert_eq!(lines, ["353 cat = #Tea :@ann bob", &format!("366 cat #tea,#none,#lobby,#TEA :{END}")]);
    world.ask("cat", "CAP REQ :userhost-in-names");
    world.check("cat", "NAMES #tea", &["353 cat = #Tea :@ann!~ann@host.test bob!~bob@host.test", &end]);
}

#[test]
fn names_shows_every_role_to_who_asked_for_it() {
    let mut world = tea();
    world.ask("ann", "MODE #tea +v ann");
    assert_eq!(world.ask("bob", "NAMES #tea")[0], "353 bob = #Tea :@ann bob");
    world.ask("bob", "CAP REQ :multi-prefix");
    assert_eq!(world.ask("bob", "NAMES #tea")[0], "353 bob = #Tea :@+ann bob");
    assert_eq!(world.ask("bob", "WHO ann")[0], "352 bob * ~ann host.test chinwag.local ann H :0 ann Real");
    assert_eq!(
        world.ask("bob", "WHO #tea")[0],
        "352 bob #Tea ~ann host.test chinwag.local ann H@+ :0 ann Real"
    );
    assert!(world.ask("bob", "WHOIS ann").contains(&"319 bob ann @+#Tea".to_owned()));
}

#[test]
fn a_secret_room_is_hidden_from_outsiders() {
    let mut world = tea();
    world.ask("ann", "MODE #tea +s");
    world.check("cat", "NAMES #tea", &[&format!("366 cat #Tea :{END}")]);
    assert_eq!(world.ask("bob", "NAMES #tea")[0], "353 bob @ #Tea :@ann bob");
    world.check("cat", "WHO #tea", &["315 cat #tea :End of WHO list"]);
    assert!(!world.ask("cat", "WHOIS ann").iter().any(|line| line.starts_with("319")));
    assert!(world.ask("bob", "WHOIS ann").contains(&"319 bob ann @#Tea".to_owned()));
    assert!(!world.ask("cat", "LIST").iter().any(|line| line.contains("#Tea")));
    assert!(world.ask("bob", "LIST").contains(&"322 bob #Tea 2 :".to_owned()));
    let refused = world.ask("cat", "CHATHISTORY LATEST #tea * 5");
    assert_eq!(refused, ["FAIL CHATHISTORY INVALID_TARGET LATEST #tea :Messages could not be retrieved"]);
}

#[test]
fn long_lists_of_names_are_packed_into_lines_that_fit() {
    let people: Vec<&'static str> =
        (0..60).map(|n| &*Box::leak(format!("somebody_with_a_long_name_{n:02}").into_boxed_str())).collect();
    let mut world = World::with(&people);
    for name in &people {
        world.ask(name, "JOIN #tea");
    }
    for caps in ["CAP REQ :multi-prefix", "CAP REQ :userhost-in-names"] {
        world.ask(people[0], caps);
        let lines = world.ask(people[0], "NAMES #tea");
        let (end, names) = lines.split_last().expect("there is an end");
        assert!(end.starts_with("366"));
        let bytes = |line: &String| ":chinwag.local ".len() + line.len();
        assert!(names.iter().all(|line| bytes(line) <= 510));
        // Every line but the last is so full that the next name did not fit.
        assert!(names.iter().rev().skip(1).all(|line| bytes(line) > 510 - 55 - 1), "{names:?}");
        let listed = names.iter().flat_map(|line| line.split(" :").nth(1).unwrap_or("").split(' ')).count();
        assert_eq!(listed, 60);
    }
}

#[test]
fn joining_shows_the_names() {
    let mut world = World::with(&["ann"]);
    let lines = world.ask("ann", "JOIN #tea");
    assert_eq!(lines[lines.len() - 2..], ["353 ann = #tea @ann", &*format!("366 ann #tea :{END}")]);
}

#[test]
fn invisible_users_are_hidden_from_who_shares_no_room() {
    let mut world = tea();
    world.ask("ann", "MODE ann +i");
    assert_eq!(world.ask("cat", "NAMES #tea")[0], "353 cat = #Tea bob");
    assert_eq!(world.ask("cat", "WHO #tea").len(), 2, "bob and the end");
    assert_eq!(world.ask("cat", "WHO a*").len(), 1, "the end alone");
    assert_eq!(world.ask("cat", "WHO ann").len(), 2, "who knows the nickname may ask");
    assert_eq!(world.ask("bob", "WHO a*").len(), 2);
    assert_eq!(world.ask("bob", "NAMES #tea")[0], "353 bob = #Tea :@ann bob");
    assert!(!world.ask("cat", "WHOIS ann").iter().any(|line| line.starts_with("319")));
    assert!(world.ask("ann", "WHOIS ann").contains(&"319 ann ann @#Tea".to_owned()));
}

#[test]
fn who_answers_rooms_nicknames_and_masks() {
    let mut world = tea();
    world.ask("ann", "AWAY :out");
    let ann = "352 cat #Tea ~ann host.test chinwag.local ann G@ :0 ann Real";
    let bob = "352 cat #Tea ~bob host.test chinwag.local bob H :0 bob Real";
    world.check("cat", "WHO #tea", &[ann, bob, "315 cat #tea :End of WHO list"]);
    assert_eq!(world.ask("cat", "WHO *").len(), 4);
    assert_eq!(world.ask("cat", "WHO 0").len(), 4);
    assert_eq!(world.ask("cat", "WHO").len(), 4);
    assert_eq!(world.ask("cat", "WHO B?B").len(), 2);
    assert_eq!(world.ask("cat", "WHO *.test").len(), 4, "a host");
    assert_eq!(world.ask("cat", "WHO *ob*eal").len(), 2, "a real name");
    world.check("cat", "WHO nobody", &["315 cat nobody :End of WHO list"]);
    world.check("cat", "WHO * o", &["315 cat * :End of WHO list"]);
    world.check("cat", "WHO #none", &["315 cat #none :End of WHO list"]);
}

#[test]
fn whois_tells_what_may_be_known() {
    let mut world = tea();
    world.ask("ann", "AWAY :out");
    world.now_ms += 65_000;
    let since = super::tests_world::START_MS / 1000;
    let about = [
        "311 bob ann ~ann host.test * :ann Real".to_owned(),
        "319 bob ann @#Tea".to_owned(),
        "312 bob ann chinwag.local :a chinwag server".to_owned(),
        "301 bob ann out".to_owned(),
        format!("317 bob ann 65 {since} :seconds idle, signon time"),
        "318 bob ANN :End of /WHOIS list".to_owned(),
    ];
    assert_eq!(world.ask("bob", "WHOIS ANN"), about);
    for line in ["WHOIS chinwag.local ANN", "WHOIS ann ANN", "WHOIS *.local ANN"] {
        assert_eq!(world.ask("bob", line), about);
    }
    world.check("bob", "WHOIS other.test ann", &["402 bob other.test :No such server"]);
    world.check(
        "bob",
        "WHOIS dan",
        &["401 bob dan :No such nick/channel", "318 bob dan :End of /WHOIS list"],
    );
    world.check("bob", "WHOIS", &["431 bob :No nickname given"]);
    let own = world.ask("ann", "WHOIS ann");
    assert!(own.contains(&"378 ann ann :is connecting from ~ann@host.test".to_owned()));
    assert!(own.contains(&"379 ann ann :is using modes +".to_owned()));
}

#[test]
fn many_rooms_in_whois_take_several_lines() {
    let mut world = World::with(&["ann"]);
    for n in 0..40 {
        world.ask("ann", &format!("JOIN #a_room_with_a_long_name_{n:02}"));
    }
    let lines = world.ask("ann", "WHOIS ann");
    let rooms: Vec<&String> = lines.iter().filter(|line| line.starts_with("319")).collect();
    assert!(rooms.len() > 1);
    assert!(rooms.iter().all(|line| ":chinwag.local ".len() + line.len() <= 510));
    assert_eq!(rooms.iter().map(|line| line.matches('#').count()).sum::<usize>(), 40);
}

#[test]
fn list_filters() {
    let mut world = tea();
    world.ask("ann", "TOPIC #tea :Green or black");
    world.now_ms += 10 * 60_000;
    world.ask("cat", "JOIN #coffee");
    let tea = "322 cat #Tea 2 :Green or black";
    let coffee = "322 cat #coffee 1 :";
    for (condition, expected) in [
        ("", &[tea, coffee][..]),
        ("#tea", &[tea]),
        ("#tea,#COFFEE", &[tea, coffee]),
        ("#t*", &[tea]),
        ("!#t*", &[coffee]),
        (">1", &[tea]),
        ("<2", &[coffee]),
        (">0,<2", &[coffee]),
        ("#c*,#l* >0", &[coffee]),
        ("C<5", &[coffee]),
        ("C>5", &[tea]),
        ("T<20", &[tea]),
        ("T<5", &[]),
        ("#none", &[]),
    ] {
        let lines = world.ask("cat", &format!("LIST {condition}"));
        assert_eq!(lines[0], "321 cat Channel :Users  Name");
        assert_eq!(lines[1..lines.len() - 1], *expected, "{condition}");
        assert_eq!(lines[lines.len() - 1], "323 cat :End of /LIST");
    }
    world.ask("cat", "PART #coffee");
    assert!(!world.ask("cat", "LIST").contains(&coffee.to_owned()), "a room without people is not listed");
}

#[test]
fn userhost_and_ison() {
    let mut world = tea();
    world.ask("ann", "AWAY :out");
    world.check("cat", "USERHOST Ann bob nobody", &["302 cat :ann=-~ann@host.test bob=+~bob@host.test"]);
    world.check("cat", "USERHOST nobody", &["302 cat :"]);
    world.check("cat", "USERHOST x x x x x bob", &["302 cat :"]);
    world.check("cat", "ISON Ann nobody :bob cat", &["303 cat :ann bob cat"]);
    world.check("cat", "ISON nobody", &["303 cat :"]);
    world.check("cat", "ISON", &["461 cat ISON :Not enough parameters"]);
}

#[test]
fn questions_about_the_server() {
    let mut world = World::with(&["ann"]);
    world.settings.created = "today".into();
    let version = world.ask("ann", "VERSION");
    assert_eq!(version[0], format!("351 ann {} chinwag.local :a chinwag server", world.settings.version));
    assert!(
        version.len() > 1
            && version[1..].iter().all(|line| {
                line.starts_with("005 ann ") && line.ends_with(" :are supported by this server")
            })
    );
    let tokens = version[1..].join(" ");
    for token in ["CHATHISTORY=50", "NICKLEN=32", "NETWORK=chinwag", "CASEMAPPING=ascii", "MSGREFTYPES="] {
        assert!(tokens.contains(&format!(" {token}")), "{token} in {tokens}");
    }
    world.check("ann", "TIME", &["391 ann chinwag.local 1795219200 0 2026-11-21T00:00:00.000Z"]);
    world.check("ann", "TIME nowhere", &["402 ann nowhere :No such server"]);
    world.check("ann", "VERSION nowhere", &["402 ann nowhere :No such server"]);
    assert_eq!(world.ask("ann", "ADMIN").len(), 4);
    let info = world.ask("ann", "INFO");
    assert!(info[0].starts_with("371 ann chinwag-") && info[info.len() - 1] == "374 ann :End of INFO list");
}

#[test]
fn lusers_counts() {
    let mut world = tea();
    world.ask("ann", "MODE ann +i");
    let counts = |world: &mut World| {
        world.check(
            "cat",
            "LUSERS",
            &[
                "251 cat :There are 2 users and 1 invisible on 1 servers",
                "252 cat 0 :operator(s) online",
                "253 cat 0 :unknown connection(s)",
                "254 cat 2 :channels formed",
                "255 cat :I have 3 clients and 0 servers",
                "265 cat 3 4 :Current local users 3, max 4",
                "266 cat 3 4 :Current global users 3, max 4",
            ],
        );
    };
    world.connect("dan");
    world.ask("dan", "NICK dan");
    world.ask("dan", "USER dan 0 * :Dan");
    // A room that everybody has left stays, but is none that anybody could be in.
    world.ask("dan", "JOIN #left");
    world.ask("dan", "QUIT");
    counts(&mut world);
}

#[test]
fn help_is_made_from_the_table() {
    let mut world = World::with(&["ann"]);
    let overview = world.ask("ann", "HELP").join(" ");
    assert!(overview.starts_with("704 ann * "));
    for verb in Verb::ALL {
        assert!(overview.contains(verb.name()), "{}", verb.name());
        let lines = world.ask("ann", &format!("HELP {}", verb.name().to_ascii_lowercase()));
        assert!(lines[0].starts_with(&format!("704 ann {} ", verb.name())), "{lines:?}");
        assert!(lines[lines.len() - 1].contains(verb.what()), "{lines:?}");
        assert!(lines[lines.len() - 1].starts_with("706 "));
    }
    // What a command works by is in its help: every mode, letter and command of a service.
    let page = |world: &mut World, subject: &str| world.ask("ann", &format!("HELP {subject}"));
    let modes = page(&mut world, "MODE");
    assert_eq!(page(&mut world, "umodes"), modes);
    for mode in RoomModes::ALL.iter().copied().chain(UserModes::ALL.chars()) {
        let start = format!("705 ann MODE :{mode}  ");
        assert!(
            modes.iter().any(|line| line.len() > start.len() && line.starts_with(&start)),
            "{mode}: {modes:?}"
        );
    }
    let stats = page(&mut world, "STATS");
    assert!(stats.iter().any(|line| line.starts_with("705 ann STATS :o  ") && line.ends_with("(operators)")));
    assert!(page(&mut world, "NS").iter().any(|line| line.starts_with("705 ann NS :GHOST <nickname>: ")));
    assert!(page(&mut world, "chanserv").len() > 5);
    world.check("ann", "HELP nothing", &["524 ann nothing :No help available on this topic"]);
    world.check("ann", "HELP :two words", &["524 ann * :No help available on this topic"]);
}

/// Specification: <https://github.com/ircv3/ircv3-specifications/pull/503>
#[test]
fn staying_without_a_session_is_the_owners_choice_within_what_the_server_allows() {
    let mut scene = Scene::of(["ann"]);
    let refused = scene.asks("ann", "PERSISTENCE GET");
    assert!(refused[0].starts_with("asker< FAIL PERSISTENCE ACCOUNT_REQUIRED"), "{refused:?}");
    let new = crate::event::AccountRegistered {
        account: "ann".into(),
        verifiers: None,
        certificate: None,
        key: None,
        email: None,
        code: None,
        replaces: false,
        invitation: None,
    };
    scene.happens(crate::event::Event::AccountRegistered(std::sync::Arc::new(new)));
    let user = scene.user("ann");
    scene.happens(crate::event::Event::LoggedIn { user, account: "ann".into() });
    assert_eq!(scene.asks("ann", "PERSISTENCE GET"), ["asker< PERSISTENCE STATUS DEFAULT OFF"]);
    scene.settings.accounts.always_on = crate::settings::AlwaysOn::OptOut;
    assert_eq!(scene.asks("ann", "PERSISTENCE get"), ["asker< PERSISTENCE STATUS DEFAULT ON"]);
    for wrong in ["PERSISTENCE SET", "PERSISTENCE SET MAYBE", "PERSISTENCE KEEP"] {
        let refused = scene.asks("ann", wrong);
        assert!(refused[0].starts_with("asker< FAIL PERSISTENCE INVALID_PARAMS"), "{refused:?}");
    }
    let events = scene.decide("ann", "PERSISTENCE SET OFF").events;
    for event in events {
        scene.happens(event);
    }
    assert_eq!(scene.asks("ann", "PERSISTENCE GET"), ["asker< PERSISTENCE STATUS OFF OFF"]);
}
