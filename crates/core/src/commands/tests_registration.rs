//! Coming in: CAP, PASS, NICK, USER and the welcome.

use chinwag_wire::caps::{Cap, CapSet, Status};

use super::cap;
use super::tests_world::World;
use crate::effect::Effect;
use crate::session::Phase;
use crate::settings::{AlwaysOn, Settings, Sts};

fn registered(world: &World, name: &str) -> bool {
    matches!(world.sessions[name].phase, Phase::Live(_))
}

#[test]
fn nick_and_user_complete_in_any_order() {
    for lines in [["NICK ann", "USER ann 0 * :Ann"], ["USER ann 0 * :Ann", "NICK ann"]] {
        let mut world = World::new();
        world.connect("a");
        world.check("a", lines[0], &[]);
        let welcome = world.ask("a", lines[1]);
        assert_eq!(welcome[0], "001 ann :Welcome to the chinwag Network, ann");
        assert_eq!(
            welcome[1],
            format!("002 ann :Your host is chinwag.local, running version {}", world.settings.version)
        );
        let numbers: Vec<&str> = welcome.iter().map(|line| &line[..3]).collect();
        let mut once = numbers.clone();
        once.dedup();
        assert_eq!(
            once,
            ["001", "002", "003", "004", "005", "251", "252", "253", "254", "255", "265", "266", "422"]
        );
        assert!(registered(&world, "a"));
        let user = world.chat.user_by_nick("ANN").expect("ann is here");
        assert_eq!((&*user.who.user, &*user.who.host, &*user.realname), ("~ann", "host.test", "Ann"));
    }
}

#[test]
fn the_message_of_the_day_is_part_of_the_welcome() {
    let mut world = World::new();
    world.settings = Settings { motd: vec!["Be kind.".into(), "".into()], ..Settings::default() };
    world.connect("a");
    world.ask("a", "NICK ann");
    let welcome = world.ask("a", "USER ann 0 * :Ann");
    let motd = [
        "375 ann :- chinwag.local Message of the day - ",
        "372 ann :- Be kind.",
        "372 ann :- ",
        "376 ann :End of /MOTD command.",
    ];
    assert_eq!(welcome[welcome.len() - 4..], motd);
    world.check("a", "MOTD", &motd);
    world.check("a", "MOTD nowhere.test", &["402 ann nowhere.test :No such server"]);
}

#[test]
fn nicknames_that_cannot_be_had() {
    let mut world = World::with(&["ann"]);
    world.connect("b");
    for (nick, numeric) in [
        ("NICK", "431"),
        ("NICK :", "431"),
        ("NICK ANN", "433"),
        ("NICK 1up", "432"),
        ("NICK ../../x", "432"),
        ("NICK NickServ", "432"),
        ("NICK chinwag.local", "432"),
        ("NICK :a b", "432"),
    ] {
        let lines = world.ask("b", nick);
        assert_eq!((lines.len(), &lines[0][..3]), (1, numeric), "{nick}");
    }
    let long = format!("NICK {}", "x".repeat(200));
    assert!(world.ask("b", &long)[0].starts_with("432 * xxx"));
    world.check("b", "NICK bob", &[]);
    assert!(world.ask("b", "USER b 0 * :Bob")[0].starts_with("001 bob"));
}

#[test]
fn a_nickname_taken_in_between_is_asked_for_again() {
    let mut world = World::new();
    world.connect("a");
    world.connect("b");
    world.check("a", "NICK ann", &[]);
    world.check("b", "NICK ann", &[]);
    world.ask("a", "USER a 0 * :A");
    world.check("b", "USER b 0 * :B", &["433 * ann :Nickname is already in use"]);
    assert!(!registered(&world, "b"));
    assert!(world.ask("b", "NICK anna")[0].starts_with("001 anna"));
}

#[test]
fn user_wants_four_parameters_once() {
    let mut world = World::new();
    world.connect("a");
    world.check("a", "USER a 0 *", &["461 * USER :Not enough parameters"]);
    world.check("a", "USER : 0 * :A", &["461 * USER :Not enough parameters"]);
    world.check("a", "USER a 0 * :", &["461 * USER :Not enough parameters"]);
    let long = "a".repeat(151);
    let refused =
        "FAIL USER INVALID_REALNAME :Your real name is too long; NAMELEN says how many bytes it may have";
    world.check("a", &format!("USER a 0 * :{long}"), &[refused]);
    world.check("a", "USER a!b@c/d\u{7f}\u{e9} 0 * :A", &[]);
    world.ask("a", "NICK ann");
    let user = world.chat.user_by_nick("ann").expect("ann is here");
    assert!(user.who.user.starts_with("~abcd") && user.who.user.len() <= 19, "{}", user.who.user);
    for line in ["USER a 0 * :A", "PASS x"] {
        world.check("a", line, &["462 ann :You may not reregister"]);
    }
}

#[test]
fn what_needs_registration_says_so() {
    let mut world = World::new();
    world.connect("a");
    for line in
        ["JOIN #tea", "PRIVMSG #tea :hello", "NAMES", "LIST", "WHOIS a", "CHATHISTORY LATEST #tea * 1"]
    {
        world.check("a", line, &["451 * :You have not registered"]);
    }
    world.check("a", "PING x", &["PONG chinwag.local x"]);
    world.check("a", "PONG x", &[]);
}

#[test]
fn ping_gives_its_token_back() {
    let mut world = World::with(&["ann"]);
    world.check("ann", "PING :a b", &["PONG chinwag.local :a b"]);
    world.check("ann", "PING", &["461 ann PING :Not enough parameters"]);
    world.check("ann", "PING :", &["409 ann :No origin specified"]);
    world.check("ann", "PONG chinwag.local", &[]);
}

fn offered_by_default() -> impl Iterator<Item = &'static Cap> {
    Cap::ALL.iter().filter(|cap| **cap != Cap::Sts)
}

/// <https://ircv3.net/specs/extensions/sts>: the port for whoever has no TLS, the duration for whoever has it and
/// looked for this very host; never to be requested, never without a value, and taken back by a duration of 0.
#[test]
fn sts_says_to_each_what_concerns_it() {
    let sts = |tls_host: Option<&str>, version: &str| {
        let mut world = World::new();
        world.settings.sts = Some(Sts { port: 6697, duration_seconds: 3600 });
        world.connect("a");
        world.sessions.get_mut("a").unwrap().tls_host = tls_host.map(Into::into);
        let lines = world.ask("a", &format!("CAP LS {version}")).join(" ");
        assert!(world.ask("a", "CAP REQ sts")[0].contains(" NAK "));
        let mut words = lines.split(' ').map(|word| word.trim_start_matches(':'));
        let word = words.find(|word| word.starts_with("sts"));
        let mut later = world.settings.clone();
        later.sts = None;
        let told = cap::changes(&world.sessions["a"], &"a".into(), &world.settings, &later);
        (
            word.map(str::to_owned),
            told.iter().map(|line| line.params[2].as_str().to_owned()).collect::<Vec<_>>(),
        )
    };
    assert_eq!(sts(None, "302"), (Some("sts=port=6697".to_owned()), vec![]));
    assert_eq!(sts(None, ""), (None, vec![]));
    let ours = (Some("sts=duration=3600,port=6697".to_owned()), vec!["sts=duration=0".to_owned()]);
    assert_eq!(sts(Some("Chinwag.local"), "302"), ours);
    assert_eq!(sts(Some("other.example"), "302"), (None, vec![]));
    assert_eq!(sts(Some(""), "302"), (None, vec![]));
}

#[test]
fn the_password_is_looked_at_when_nothing_else_is_missing() {
    for (pass, enters) in [(None, false), (Some("PASS wrong"), false), (Some("PASS sesame"), true)] {
        let mut world = World::new();
        world.settings.password = Some("sesame".into());
        world.settings.accounts.cleartext_passwords = true;
        world.connect("a");
        world.sessions.get_mut("a").unwrap().secure = true;
        if let Some(pass) = pass {
            world.check("a", pass, &[]);
        }
        world.ask("a", "NICK ann");
        let lines = world.ask("a", "USER ann 0 * :Ann");
        assert_eq!(registered(&world, "a"), enters);
        if !enters {
            assert_eq!(lines, ["464 * :Password incorrect"]);
            assert!(matches!(world.effects.last(), Some(Effect::Close(_))));
            assert!(world.chat.user_by_nick("ann").is_none());
        }
    }
}

#[test]
fn the_password_is_not_taken_where_others_can_read_it() {
    let mut world = World::new();
    world.settings.password = Some("sesame".into());
    world.connect("a");
    world.check("a", "PASS sesame", &[]);
    world.ask("a", "NICK ann");
    let lines = world.ask("a", "USER ann 0 * :Ann");
    assert_eq!(lines, ["464 * :Passwords are taken over TLS only: connect to the same port with TLS"]);
    assert!(!registered(&world, "a"));
}

#[test]
fn negotiation_holds_registration() {
    for begin in ["CAP LS", "CAP LS 302", "CAP REQ :server-time", "CAP REQ :unheard-of"] {
        let mut world = World::new();
        world.connect("a");
        world.ask("a", begin);
        world.check("a", "NICK ann", &[]);
        world.check("a", "USER ann 0 * :Ann", &[]);
        assert!(world.ask("a", "CAP END")[0].starts_with("001 ann"), "{begin}");
        world.check("a", "CAP END", &[]);
    }
}

#[test]
fn cap_ls_offers_the_table() {
    let mut world = World::new();
    world.settings.accounts.always_on = AlwaysOn::OptIn;
    world.connect("a");
    let names: Vec<&str> = offered_by_default().map(|cap| cap.name()).collect();
    // Whoever knows no sign that more follows gets one line: those that fit it, the settled ones before the others.
    let plain = world.ask("a", "CAP LS");
    let listed: Vec<&str> =
        plain.iter().flat_map(|line| line["CAP * LS ".len()..].trim_start_matches(':').split(' ')).collect();
    assert_eq!(plain.len(), 1);
    let listed_of = |listed: &[&str], name: &&&str| listed.contains(*name);
    assert_eq!(listed, names.iter().filter(|name| listed_of(&listed, name)).copied().collect::<Vec<_>>());
    let left_out = names.iter().filter(|name| !listed_of(&listed, name));
    assert!(left_out.clone().all(|name| name.starts_with("draft/")), "{:?}", left_out.collect::<Vec<_>>());
    assert!(world.sessions["a"].caps.is_empty());
    let lines = world.ask("a", "CAP LS 302");
    assert!(lines.iter().rev().skip(1).all(|line| line.starts_with("CAP * LS * :")));
    assert!(world.effects.contains(&Effect::Capabilities));
    assert_eq!(world.sessions["a"].caps, CapSet::of(&[Cap::CapNotify]));
    // An older version later on takes nothing back.
    let plain: Vec<&str> = plain.iter().map(String::as_str).collect();
    world.check("a", "CAP LS", &plain);
    assert_eq!(world.sessions["a"].cap_version, 302);
    world.settings.history = false;
    assert!(!world.ask("a", "CAP LS").concat().contains("chathistory"));
    world.check("a", "CAP REQ draft/chathistory", &["CAP * NAK draft/chathistory"]);
}

#[test]
fn a_list_too_long_for_a_line_goes_on_in_the_next() {
    let mut world = World::new();
    world.settings.server = format!("{}.test", "x".repeat(380)).into();
    world.settings.accounts.always_on = AlwaysOn::OptIn;
    world.connect("a");
    let lines = world.ask("a", "CAP LS 302");
    assert!(lines.len() > 1);
    let (last, before) = lines.split_last().expect("there is a line");
    assert!(before.iter().all(|line| line.starts_with("CAP * LS * ")) && !last.starts_with("CAP * LS * "));
    let listed: Vec<&str> = lines
        .iter()
        .flat_map(|line| {
            let list = line.trim_start_matches("CAP * LS ").trim_start_matches("* ");
            list.trim_start_matches(':').split(' ')
        })
        .filter_map(|word| word.split('=').next())
        .collect();
    // The ratified ones are together, at the end.
    let (settled, others): (Vec<Cap>, Vec<Cap>) =
        offered_by_default().partition(|cap| cap.status() == Status::Ratified);
    assert_eq!(listed, others.iter().chain(&settled).map(|cap| cap.name()).collect::<Vec<_>>());
    for line in &lines {
        assert!(line.len() + world.settings.server.len() + 2 <= 510, "{line}");
    }
}

#[test]
fn cap_req_is_all_or_nothing() {
    let mut world = World::new();
    world.connect("a");
    world.check("a", "CAP LIST", &["CAP * LIST :"]);
    world.check("a", "CAP REQ :echo-message server-time", &["CAP * ACK :echo-message server-time"]);
    assert!(world.effects.contains(&Effect::Capabilities));
    let both = CapSet::of(&[Cap::EchoMessage, Cap::ServerTime]);
    assert_eq!(world.sessions["a"].caps, both);
    for list in ["batch unheard-of", "-echo-message foo=bar", "-unheard-of", "BATCH server-time"] {
        let lines = world.ask("a", &format!("CAP REQ :{list}"));
        assert_eq!(lines.len(), 1);
        assert!(lines[0].starts_with("CAP * NAK "), "{list}");
        assert_eq!(world.sessions["a"].caps, both, "{list}");
        assert!(!world.effects.contains(&Effect::Capabilities));
    }
    world.check("a", "CAP REQ :echo-message -batch", &["CAP * ACK :echo-message -batch"]);
    assert!(!world.effects.contains(&Effect::Capabilities), "nothing changed");
    world.check("a", "CAP REQ :-echo-message", &["CAP * ACK -echo-message"]);
    world.check("a", "CAP LIST", &["CAP * LIST server-time"]);
}

#[test]
fn cap_notify_comes_with_302_and_stays() {
    let mut world = World::new();
    world.connect("a");
    world.check("a", "CAP REQ cap-notify", &["CAP * ACK cap-notify"]);
    world.check("a", "CAP REQ -cap-notify", &["CAP * ACK -cap-notify"]);
    world.ask("a", "CAP LS 307");
    world.check("a", "CAP REQ cap-notify", &["CAP * ACK cap-notify"]);
    world.check("a", "CAP REQ -cap-notify", &["CAP * NAK -cap-notify"]);
    world.check("a", "CAP LIST", &["CAP * LIST cap-notify"]);
}

#[test]
fn cap_says_what_it_does_not_know() {
    let mut world = World::with(&["ann"]);
    world.check("ann", "CAP FOO", &["410 ann FOO :Invalid CAP command"]);
    world.check("ann", "CAP :", &["410 ann * :Invalid CAP command"]);
    world.check("ann", "CAP REQ :batch", &["CAP ann ACK batch"]);
    world.connect("b");
    world.check("b", "CAP", &["461 * CAP :Not enough parameters"]);
    world.check("b", "CAP FOO", &["410 * FOO :Invalid CAP command"]);
}
