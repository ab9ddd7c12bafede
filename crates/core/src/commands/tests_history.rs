//! CHATHISTORY: questions, refusals, and the lines of an answer.

use std::sync::Arc;

use chinwag_log::Seq;
use chinwag_wire::caps::{Cap, CapSet};
use chinwag_wire::names::MsgId;

use super::tests_world::{START_MS, World};
use crate::effect::Effect;
use crate::event::{SayKind, Status, Who};
use crate::history::{self, Anchor, Page, Part, Query, Row, Show};
use crate::ids::{Number, RoomId};
use crate::line::{Line, Text};
use crate::roles::Role;

/// ann is in #tea where three lines were said, a second apart; bob is outside.
fn tea() -> World {
    let mut world = World::with(&["ann", "bob"]);
    world.ask("ann", "JOIN #Tea");
    for text in ["one", "two", "three"] {
        world.now_ms += 1000;
        world.ask("ann", &format!("PRIVMSG #tea :{text}"));
    }
    world
}

fn query(world: &mut World, line: &str) -> Query {
    let lines = world.ask("ann", line);
    assert!(lines.is_empty(), "{line}: {lines:?}");
    match &world.effects[..] {
        [Effect::History(query)] => Query::clone(query),
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn each_subcommand_is_its_part() {
    let mut world = tea();
    let msgid = MsgId::stored(world.chat.msgid_key(), 3);
    let (seq, time) = (Anchor::Seq(Seq(3)), Anchor::Time(START_MS + 1500));
    let t = "timestamp=2026-11-21T00:00:01.500Z";
    for (line, part) in [
        ("LATEST #tea * 10".to_owned(), Part::Latest(None)),
        (format!("latest #TEA msgid={msgid} 10"), Part::Latest(Some(seq))),
        (format!("BEFORE #tea msgid={msgid} 10"), Part::Before(seq)),
        (format!("AFTER #tea {t} 10"), Part::After(time)),
        (format!("AROUND #tea {t} 10"), Part::Around(time)),
        (format!("BETWEEN #tea {t} msgid={msgid} 10"), Part::Between(time, seq)),
    ] {
        let query = query(&mut world, &format!("CHATHISTORY {line}"));
        assert_eq!((query.part, query.limit, &*query.name), (part, 10, "#Tea"), "{line}");
        assert_eq!((query.first, query.last), (Number(1), Number(3)), "{line}");
    }
}

#[test]
fn the_limit_is_capped() {
    let mut world = tea();
    assert_eq!(query(&mut world, "CHATHISTORY LATEST #tea * 9999").limit, 50);
    assert_eq!(query(&mut world, "CHATHISTORY LATEST #tea * 1").limit, 1);
}

#[test]
fn what_is_wrong_is_said_by_its_code() {
    let mut world = tea();
    let passing = MsgId::passing(world.chat.msgid_key(), 1);
    for (line, expected) in [
        ("", "INVALID_PARAMS * :Insufficient parameters"),
        ("NEWEST #tea * 1", "INVALID_PARAMS NEWEST :Unknown command"),
        ("LATEST", "INVALID_PARAMS LATEST :Insufficient parameters"),
        ("LATEST #tea *", "INVALID_PARAMS LATEST :Insufficient parameters"),
        ("BETWEEN #tea msgid=a 5", "INVALID_PARAMS BETWEEN :Insufficient parameters"),
        ("LATEST #tea * 1 2", "INVALID_PARAMS LATEST :Too many parameters"),
        ("LATEST #tea * ten", "INVALID_PARAMS LATEST ten :Invalid limit"),
        ("LATEST #tea * 0", "INVALID_PARAMS LATEST 0 :Invalid limit"),
        ("LATEST #tea * -5", "INVALID_PARAMS LATEST -5 :Invalid limit"),
        ("BEFORE #tea timestamp=today 1", "INVALID_PARAMS BEFORE timestamp=today :Invalid timestamp"),
        ("BEFORE #tea * 1", "INVALID_PARAMS BEFORE * :Invalid message reference"),
        ("BEFORE #none * 1", "INVALID_PARAMS BEFORE * :Invalid message reference"),
        (
            "BEFORE #tea number=4 1",
            "INVALID_MSGREFTYPE BEFORE #tea number=4 :Messages are referred to by msgid or timestamp",
        ),
        (
            "BEFORE #tea msgid=garbage 1",
            "MESSAGE_ERROR BEFORE #tea msgid=garbage :Messages could not be retrieved: there is no such msgid",
        ),
        (
            &format!("BEFORE #tea msgid={passing} 1"),
            &format!(
                "MESSAGE_ERROR BEFORE #tea msgid={passing} :Messages could not be retrieved: there is no such msgid"
            ),
        ),
        ("LATEST #none * 1", "INVALID_TARGET LATEST #none :Messages could not be retrieved"),
        ("LATEST nobody * 1", "INVALID_TARGET LATEST nobody :Messages could not be retrieved"),
        ("TARGETS timestamp=x timestamp=y 1", "INVALID_PARAMS TARGETS timestamp=x :Invalid timestamp"),
        ("TARGETS msgid=x msgid=y 1", "INVALID_PARAMS TARGETS msgid=x :Invalid timestamp"),
    ] {
        world.check("ann", &format!("CHATHISTORY {line}"), &[&format!("FAIL CHATHISTORY {expected}")]);
    }
}

#[test]
fn only_members_read_a_room() {
    let mut world = tea();
    let refused = "FAIL CHATHISTORY INVALID_TARGET LATEST #tea :Messages could not be retrieved";
    world.check("bob", "CHATHISTORY LATEST #tea * 1", &[refused]);
    // A room that is there and one that is not look the same from outside.
    world.check("bob", "CHATHISTORY LATEST #no * 1", &[&refused.replace("#tea", "#no")]);
    world.ask("bob", "JOIN #tea");
    assert!(world.ask("bob", "CHATHISTORY LATEST #tea * 1").is_empty());
    world.ask("bob", "PART #tea");
    world.check("bob", "CHATHISTORY LATEST #tea * 1", &[refused]);
}

#[test]
fn private_lines_are_not_kept_and_the_answer_is_empty() {
    let mut world = tea();
    let lines = world.ask("ann", "CHATHISTORY LATEST BOB * 10");
    assert_eq!(lines.len(), 2);
    assert!(lines[0].starts_with("BATCH +") && lines[0].ends_with(" chathistory BOB"), "{lines:?}");
    assert_eq!(lines[1], lines[0].replace('+', "-").replace(" chathistory BOB", ""));
}

#[test]
fn history_that_is_switched_off_is_refused() {
    let mut world = tea();
    world.settings.history = false;
    let refused = "FAIL CHATHISTORY MESSAGE_ERROR LATEST #tea :History is switched off here";
    world.check("ann", "CHATHISTORY LATEST #tea * 1", &[refused]);
}

#[test]
fn targets_are_the_rooms_with_something_in_the_time_asked_for() {
    let mut world = tea();
    world.now_ms = START_MS + 10_000;
    world.ask("ann", "JOIN #coffee");
    world.ask("ann", "PRIVMSG #coffee :hot");
    world.ask("ann", "JOIN #empty");
    world.now_ms += 5000;
    world.ask("ann", "TOPIC #coffee :a topic is not a message");
    let from = |ms: u32| format!("timestamp=2026-11-21T00:00:{:02}.{:03}Z", ms / 1000, ms % 1000);
    let coffee = "CHATHISTORY TARGETS #coffee 2026-11-21T00:00:10.000Z";
    let tea = "CHATHISTORY TARGETS #Tea 2026-11-21T00:00:03.000Z";
    for (first, second, limit, expected) in [
        (0, 20_000, 10, &[tea, coffee][..]),
        (20_000, 0, 10, &[tea, coffee]),
        (0, 20_000, 1, &[tea]),
        (20_000, 0, 1, &[coffee]),
        (3000, 10_000, 10, &[]),
        (2999, 3001, 10, &[tea]),
        (0, 2500, 10, &[]),
    ] {
        let line = format!("CHATHISTORY TARGETS {} {} {limit}", from(first), from(second));
        let lines = world.ask("ann", &line);
        let (last, lines) = lines.split_last().expect("the end of the batch");
        assert!(last.starts_with("BATCH -"));
        assert!(lines[0].ends_with(" draft/chathistory-targets"), "{lines:?}");
        assert_eq!(lines[1..], *expected, "{line}");
    }
    let nobodys = world.ask("bob", &format!("CHATHISTORY TARGETS {} {} 10", from(0), from(20_000)));
    assert_eq!(nobodys.len(), 2, "an empty batch");
}

fn row(number: u64, kind: SayKind, status: Option<Status>) -> Row {
    let by = Who { nick: "ann".into(), user: "~a".into(), host: "h".into(), account: None };
    Row {
        seq: Seq(number + 10),
        number: Number(number),
        at_ms: START_MS + number,
        by: Arc::new(by),
        kind,
        text: format!("text {number}").into(),
        joins: None,
        client_tags: Some("+x=y".into()),
        status,
    }
}

#[test]
fn an_answer_is_a_batch_of_what_was_said() {
    let world = tea();
    let query = Query {
        room: RoomId(2),
        name: "#Tea".into(),
        part: Part::Latest(None),
        limit: 10,
        first: Number(1),
        last: Number(3),
        events: false,
        until: Seq(0),
        clock: false,
        two: None,
        batch: "ref1".into(),
        show: Show::Said,
    };
    let rows = vec![
        row(1, SayKind::Privmsg, None),
        row(2, SayKind::Privmsg, Some(Status::To(Role::Operator))),
        row(3, SayKind::Notice, None),
    ];
    let page = Page { rows, end: true, ..Page::default() };
    let mut effects = Vec::new();
    history::lines(&world.chat, &query, page, &mut effects);
    let lines: Vec<&Line> = effects
        .iter()
        .map(|effect| match effect {
            Effect::Send { line, .. } => line,
            other => panic!("{other:?}"),
        })
        .collect();
    let texts: Vec<String> = lines.iter().map(|line| world.text(None, line)).collect();
    assert_eq!(
        texts,
        [
            "BATCH +ref1 chathistory #Tea",
            ":ann PRIVMSG #Tea :text 1",
            ":ann NOTICE #Tea :text 3",
            "BATCH -ref1"
        ]
    );
    let batch = CapSet::of(&[Cap::Batch]);
    assert_eq!([lines[0].needs, lines[3].needs], [batch, batch]);
    assert_eq!(lines[0].meta.client_tags.as_deref(), Some("draft/chathistory-end"));
    let meta = &lines[2].meta;
    assert!(lines[2].needs.is_empty());
    assert_eq!(meta.at_ms, Some(START_MS + 3));
    assert_eq!(meta.msgid, Some(MsgId::stored(world.chat.msgid_key(), 13)));
    assert_eq!(meta.number, Number(3));
    assert_eq!(meta.client_tags.as_deref(), Some("+x=y"));
    assert_eq!(meta.batch.as_ref().map(Text::as_str), Some("ref1"));
}

#[test]
fn what_cannot_be_read_is_said() {
    let mut world = tea();
    let query = query(&mut world, "CHATHISTORY LATEST #tea * 5");
    let mut effects = Vec::new();
    history::unreadable(&query, &mut effects);
    let [Effect::Send { line, .. }] = &effects[..] else { panic!("{effects:?}") };
    let text = "FAIL CHATHISTORY MESSAGE_ERROR LATEST #Tea :Messages could not be retrieved";
    assert_eq!(world.text(None, line), text);
}
