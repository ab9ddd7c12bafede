//! Conversations: what is said between two people is kept for the owners of accounts.

use std::sync::Arc;

use chinwag_wire::caps::{Cap, CapSet};

use crate::commands::replay::Viewer;
use crate::effect::{Effect, Effects};
use crate::event::{AccountChange, AccountRegistered, Event, Setting};
use crate::history::{self, Anchor, Page, Part, Query, Row};
use crate::ids::Number;
use crate::line::Text;
use crate::scene::Scene;

fn registers(scene: &mut Scene, account: &str) {
    let account = account.into();
    let new = AccountRegistered {
        account,
        verifiers: None,
        certificate: None,
        key: None,
        email: None,
        code: None,
        replaces: false,
        invitation: None,
    };
    scene.happens(Event::AccountRegistered(Arc::new(new)));
}

fn logs_in(scene: &mut Scene, nick: &str, account: &str) {
    scene.happens(Event::LoggedIn { user: scene.user(nick), account: account.into() });
}

/// ann and bob have accounts, gus has none.
fn three() -> Scene {
    let mut scene = Scene::of(["ann", "bob", "gus"]);
    for name in ["ann", "bob"] {
        registers(&mut scene, name);
        logs_in(&mut scene, name, name);
    }
    scene
}

fn asked(scene: &mut Scene, nick: &str, line: &str) -> Option<Query> {
    scene.decide(nick, line).effects.into_iter().find_map(|effect| match effect {
        Effect::History(query) => Some(*query),
        _ => None,
    })
}

/// What the archive would answer, as lines.
fn answer(scene: &Scene, query: &Query) -> Vec<String> {
    let mut rows = Vec::new();
    for entry in &scene.log {
        let Event::Said(said) = &entry.event else { continue };
        let of = said.direct.as_ref().and_then(|direct| scene.chat.room_by_name(&direct.between));
        if of.is_none_or(|room| room.id != query.room) {
            continue;
        }
        rows.push(Row {
            seq: entry.seq,
            number: Number(rows.len() as u64 + 1),
            at_ms: entry.at_ms,
            by: Arc::clone(&said.by),
            kind: said.kind,
            text: Arc::clone(&said.text),
            joins: None,
            client_tags: None,
            status: None,
        });
    }
    let mut effects = Effects::new();
    history::lines(&scene.chat, query, Page { rows, end: true, ..Page::default() }, &mut effects);
    let lines = effects.iter().filter_map(|effect| match effect {
        Effect::Send { line, .. } => Some(line),
        _ => None,
    });
    lines.map(|line| line.params.iter().map(Text::as_str).collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn what_two_accounts_say_is_kept_and_reaches_both() {
    let mut scene = three();
    assert_eq!(
        scene.asks("ann", "PRIVMSG bob :hello"),
        ["ann (echo)< ann PRIVMSG bob hello", "bob< ann PRIVMSG bob hello"]
    );
    assert_eq!(
        scene.asks("bob", "PRIVMSG ann :hi"),
        ["bob (echo)< bob PRIVMSG ann hi", "ann< bob PRIVMSG ann hi"]
    );
    // https://ircv3.net/specs/extensions/chathistory: "the server SHOULD include history sent between the current
    // user and the target nickname, including outgoing messages"
    let query = asked(&mut scene, "ann", "CHATHISTORY LATEST bob * 10").expect("there is history");
    assert_eq!((query.first, query.last), (Number(1), Number(2)));
    assert_eq!(answer(&scene, &query)[1..3], ["bob hello", "ann hi"]);
    let query = asked(&mut scene, "bob", "CHATHISTORY LATEST ANN * 10").expect("the same history");
    assert_eq!(answer(&scene, &query)[..3], ["+history-f4240 chathistory ANN", "bob hello", "ann hi"]);
    assert!(asked(&mut scene, "gus", "CHATHISTORY LATEST ann * 10").is_none(), "it is none of gus's");
}

#[test]
fn whoever_is_not_here_is_written_to_by_account() {
    let mut scene = three();
    scene.asks("bob", "QUIT");
    let gone = scene.asks("ann", "PRIVMSG bob :are you there?");
    assert_eq!(gone[0], "ann (echo)< ann PRIVMSG bob are you there?");
    assert!(gone[1].starts_with("asker< 301 bob is not here"), "{gone:?}");
    scene.enters("bobby");
    logs_in(&mut scene, "bobby", "bob");
    let query = asked(&mut scene, "bobby", "CHATHISTORY LATEST ann * 10").expect("it was kept");
    assert_eq!(answer(&scene, &query)[1], "bobby are you there?");
    assert!(scene.asks("ann", "PRIVMSG nobody :x")[0].starts_with("asker< 401 nobody"));
}

#[test]
fn targets_are_rooms_and_people() {
    let mut scene = three();
    scene.all([("ann", "JOIN #tea"), ("ann", "PRIVMSG bob :one")]);
    scene.now_ms += 10;
    scene.all([("ann", "PRIVMSG #tea :two")]);
    scene.now_ms += 10;
    scene.all([("gus", "PRIVMSG ann :three")]);
    let lines = scene.asks(
        "ann",
        "CHATHISTORY TARGETS timestamp=1970-01-01T00:00:00.000Z timestamp=2100-01-01T00:00:00.000Z 10",
    );
    let names: Vec<&str> = lines.iter().filter_map(|line| line.split("TARGETS ").nth(1)).collect();
    assert_eq!(
        names,
        ["bob 1970-01-01T00:16:40.000Z", "#tea 1970-01-01T00:16:40.010Z", "gus 1970-01-01T00:16:40.020Z"]
    );
}

#[test]
fn the_next_holder_of_a_guests_nickname_reads_nothing() {
    let mut scene = three();
    scene.all([("gus", "PRIVMSG ann :from a guest"), ("gus", "QUIT")]);
    // The owner of the account may read it, also when the guest is gone.
    assert!(asked(&mut scene, "ann", "CHATHISTORY LATEST gus * 10").is_some());
    scene.enters("gus");
    assert!(asked(&mut scene, "gus", "CHATHISTORY LATEST ann * 10").is_none());
    assert!(asked(&mut scene, "ann", "CHATHISTORY LATEST gus * 10").is_none(), "that is somebody else");
    registers(&mut scene, "gus");
    logs_in(&mut scene, "gus", "gus");
    assert!(asked(&mut scene, "gus", "CHATHISTORY LATEST ann * 10").is_none());
}

#[test]
fn the_next_owner_of_an_accounts_name_reads_nothing() {
    let mut scene = three();
    scene.all([("ann", "PRIVMSG bob :secret")]);
    scene.happens(Event::AccountDropped { account: "bob".into() });
    scene.now_ms += 1;
    registers(&mut scene, "bob");
    logs_in(&mut scene, "bob", "bob");
    assert!(asked(&mut scene, "bob", "CHATHISTORY LATEST ann * 10").is_none());
}

#[test]
fn between_guests_nothing_is_kept() {
    let mut scene = Scene::of(["gus", "eve"]);
    scene.all([("gus", "PRIVMSG eve :x")]);
    assert_eq!(scene.chat.rooms_opened(), 0);
    let mut scene = three();
    scene.settings.history_direct = false;
    scene.all([("ann", "PRIVMSG bob :x")]);
    assert_eq!(scene.chat.rooms_opened(), 0, "nor where it is switched off");
}

#[test]
fn what_people_say_to_themselves_is_kept_once() {
    let mut scene = three();
    let lines = scene.asks("ann", "PRIVMSG ann :note");
    assert_eq!(lines, ["ann (echo)< ann PRIVMSG ann note", "asker beside< ann PRIVMSG ann note"]);
    let query = asked(&mut scene, "ann", "CHATHISTORY LATEST ann * 10").expect("there is history");
    assert_eq!(answer(&scene, &query)[1..2], ["ann note"]);
    assert_eq!(query.last, Number(1));
}

#[test]
fn several_targets_open_a_room_each_once() {
    let mut scene = three();
    scene.all([("ann", "PRIVMSG bob,gus,bob :x")]);
    assert_eq!(scene.chat.rooms_opened(), 2);
    let query = asked(&mut scene, "ann", "CHATHISTORY LATEST bob * 10").expect("there is history");
    assert_eq!(query.last, Number(2));
}

/// The queries for the archive that a line leads to.
fn all_asked(scene: &mut Scene, nick: &str, line: &str) -> Vec<Query> {
    let effects = scene.decide(nick, line).effects;
    let queries = effects.into_iter().filter_map(|effect| match effect {
        Effect::History(query) => Some(*query),
        _ => None,
    });
    queries.collect()
}

#[test]
fn playback_is_of_rooms_and_people() {
    let mut scene = three();
    scene.all([("ann", "JOIN #tea"), ("ann", "JOIN #chess")]);
    scene.all([("ann", "PRIVMSG #tea :one"), ("gus", "PRIVMSG ann :two"), ("ann", "PRIVMSG #chess :three")]);
    let names = |queries: &[Query]| queries.iter().map(|query| query.name.to_string()).collect::<Vec<_>>();
    let all = all_asked(&mut scene, "ann", "PRIVMSG *playback :play * 900");
    assert_eq!(names(&all), ["#tea", "#chess", "gus"]);
    assert!(all.iter().all(|query| query.part == Part::Latest(Some(Anchor::Time(900_000)))));
    assert!(all.iter().all(|query| query.limit == 2048 && !query.events));
    let some = all_asked(&mut scene, "ann", "PRIVMSG *Playback :PLAY #TEA,GUS 900.5 901");
    assert_eq!(names(&some), ["#tea", "gus"]);
    assert_eq!(some[0].part, Part::Between(Anchor::Time(901_000), Anchor::Time(900_500)));
    assert_eq!(all_asked(&mut scene, "ann", "PRIVMSG *playback :play #tea")[0].part, Part::Latest(None));
    assert!(all_asked(&mut scene, "bob", "PRIVMSG *playback :play *").is_empty());
    assert!(all_asked(&mut scene, "bob", "PRIVMSG *playback :play #tea").is_empty(), "bob is not in it");
    let listed = scene.asks("ann", "PRIVMSG *playback :list #tea");
    assert_eq!(listed, ["asker< *playback PRIVMSG ann #tea 0 1000.000"]);
}

#[test]
fn what_was_missed_is_shown_to_whoever_does_not_ask() {
    let mut scene = three();
    scene.all([("gus", "JOIN #tea"), ("gus", "PRIVMSG #tea :one"), ("ann", "JOIN #tea")]);
    let room = scene.chat.room_by_name("#tea").expect("opened").id;
    let missed = |scene: &mut Scene, nick: &str, caps: &[Cap], heard: Option<Number>| {
        let user = scene.chat.user_by_nick(nick).expect("here").clone();
        let mut session = scene.session(nick).clone();
        session.caps = CapSet::of(caps);
        let viewer = Viewer { now_ms: 1, settings: &scene.settings, session: &session, user: &user };
        scene.chat.missed_in(&viewer, room, heard).map(|query| (query.part, query.limit, query.clock))
    };
    // Nobody knows when gus was here last: the room's last lines, with the time in words.
    let last = Some((Part::Latest(None), 20, true));
    assert_eq!(missed(&mut scene, "gus", &[], None), last);
    assert_eq!(missed(&mut scene, "gus", &[Cap::ServerTime], None), Some((Part::Latest(None), 20, false)));
    // "if a client requests this capability, the server SHOULD NOT play back any history that would otherwise be
    // sent automatically": https://ircv3.net/specs/extensions/chathistory
    assert_eq!(missed(&mut scene, "gus", &[Cap::Chathistory], None), None);
    assert_eq!(missed(&mut scene, "gus", &[Cap::ZncPlayback], None), None);
    // What came since they left the room, if anything.
    let since = |at_ms, limit| Some((Part::Latest(Some(Anchor::Time(at_ms))), limit, true));
    assert_eq!(missed(&mut scene, "gus", &[], Some(Number(0))), Some((Part::Latest(None), 100, true)));
    assert_eq!(missed(&mut scene, "gus", &[], Some(Number(1))), None);
    // What came since the owner of the account was here, as many lines as the owner likes.
    let seen = AccountChange::Seen { at_ms: 5 };
    scene.happens(Event::AccountChanged { account: "ann".into(), change: seen });
    assert_eq!(missed(&mut scene, "ann", &[], None), since(5, 100));
    for (lines, expected) in [(Some(3), since(5, 3)), (Some(0), None), (None, since(5, 100))] {
        let change = AccountChange::Setting(Setting::Autoreplay(lines));
        scene.happens(Event::AccountChanged { account: "ann".into(), change });
        assert_eq!(missed(&mut scene, "ann", &[], None), expected, "{lines:?}");
    }
    scene.settings.history_on_join = 0;
    assert_eq!(missed(&mut scene, "gus", &[], None), None);
}

#[test]
fn what_was_said_to_somebody_alone_waits_for_them() {
    let mut scene = three();
    let seen = AccountChange::Seen { at_ms: 999_000 };
    scene.happens(Event::AccountChanged { account: "bob".into(), change: seen });
    scene.all([("ann", "PRIVMSG bob :for later")]);
    let user = scene.chat.user_by_nick("bob").expect("here").clone();
    let mut session = scene.session("bob").clone();
    session.caps = CapSet::of(&[Cap::ServerTime]);
    let viewer = Viewer { now_ms: 1, settings: &scene.settings, session: &session, user: &user };
    let missed = scene.chat.missed_alone(&viewer);
    assert_eq!(missed.len(), 1);
    assert_eq!((&*missed[0].name, missed[0].part), ("ann", Part::Latest(Some(Anchor::Time(999_000)))));
}
