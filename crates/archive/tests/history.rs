//! Pages of history: every part, by position and by time, in rooms that grow together.

mod support;

use std::sync::Arc;

use chinwag_archive::{Opened, Reader};
use chinwag_core::event::{Event, SayKind};
use chinwag_core::history::{Anchor, Part, Query, Row};
use chinwag_core::ids::{Number, RoomId};
use chinwag_log::Seq;
use support::{Proposer, folder, opened, said, store};
use tempfile::TempDir;

/// How many messages the tests' room has.
const LAST: u64 = 90;

/// Room 1 has messages 1..=90, one a second from second 1 (two at every tenth), with another room's between them.
fn filled(dir: &TempDir) -> Opened {
    let mut opened = opened(dir);
    let mut proposer = Proposer::default();
    let mut batch = Vec::new();
    for n in 1..=LAST {
        proposer.now_ms = at(n);
        batch.push(proposer.say(1, &format!("one {n}")));
        if n % 3 == 0 {
            batch.push(proposer.say(2, &format!("two {n}")));
        }
    }
    store(&mut opened.log, batch);
    opened
}

/// When message `n` of room 1 was said: the tenth, twentieth … at the same time as the one before.
fn at(n: u64) -> u64 {
    if n.is_multiple_of(10) { (n - 1) * 1000 } else { n * 1000 }
}

/// The position of message `n` of room 1.
fn seq(n: u64) -> Anchor {
    Anchor::Seq(Seq(n + (n - 1) / 3))
}

fn query(part: Part, limit: u32) -> Query {
    Query {
        room: RoomId(1),
        name: "#one".into(),
        part,
        limit,
        first: Number(1),
        last: Number(LAST),
        batch: "b".into(),
    }
}

fn rows(reader: &Reader, query: &Query) -> Vec<Row> {
    reader.page(query).expect("reads")
}

fn numbers(reader: &Reader, part: Part, limit: u32) -> Vec<u64> {
    rows(reader, &query(part, limit)).iter().map(|row| row.number.0).collect()
}

fn range(from: u64, to: u64) -> Vec<u64> {
    (from..=to).collect()
}

#[test]
fn a_row_is_what_was_said() {
    let dir = folder();
    let opened = filled(&dir);
    let row = rows(&opened.reader, &query(Part::Latest(None), 1)).remove(0);
    let expected = Row {
        seq: Seq(119),
        number: Number(90),
        at_ms: 89_000,
        by: support::who("ann"),
        kind: SayKind::Privmsg,
        text: "one 90".into(),
        client_tags: None,
        status: None,
    };
    assert_eq!(row, expected);
}

#[test]
fn every_part_by_position() {
    let dir = folder();
    let reader = filled(&dir).reader;
    for (part, limit, expected) in [
        (Part::Latest(None), 5, range(86, 90)),
        (Part::Latest(None), 1000, range(1, 90)),
        (Part::Latest(Some(seq(88))), 5, range(89, 90)),
        (Part::Latest(Some(seq(50))), 5, range(86, 90)),
        (Part::Latest(Some(seq(90))), 5, vec![]),
        (Part::Before(seq(40)), 5, range(35, 39)),
        (Part::Before(seq(3)), 5, range(1, 2)),
        (Part::Before(seq(1)), 5, vec![]),
        (Part::After(seq(40)), 5, range(41, 45)),
        (Part::After(seq(89)), 5, vec![90]),
        (Part::After(seq(90)), 5, vec![]),
        (Part::Around(seq(40)), 5, range(38, 42)),
        (Part::Around(seq(40)), 4, range(38, 41)),
        (Part::Around(seq(40)), 1, vec![40]),
        (Part::Around(seq(1)), 4, range(1, 2)),
        (Part::Between(seq(40), seq(50)), 100, range(41, 49)),
        (Part::Between(seq(50), seq(40)), 100, range(41, 49)),
        (Part::Between(seq(40), seq(50)), 3, range(41, 43)),
        (Part::Between(seq(50), seq(40)), 3, range(47, 49)),
        (Part::Between(seq(40), seq(41)), 3, vec![]),
        (Part::Between(seq(40), seq(40)), 3, vec![]),
        (Part::Latest(None), 0, vec![]),
        (Part::Before(Anchor::Seq(Seq(0))), 5, vec![]),
        (Part::After(Anchor::Seq(Seq(0))), 2, range(1, 2)),
        (Part::Before(Anchor::Seq(Seq(u64::MAX))), 2, range(89, 90)),
        (Part::After(Anchor::Seq(Seq(u64::MAX))), 2, vec![]),
    ] {
        assert_eq!(numbers(&reader, part, limit), expected, "{part:?} {limit}");
    }
}

#[test]
fn an_anchor_in_another_room_stands_for_its_place_in_the_log() {
    let dir = folder();
    let reader = filled(&dir).reader;
    // The twentieth position is that of "two 15", between messages 15 and 16 of room 1.
    let foreign = Anchor::Seq(Seq(20));
    assert_eq!(numbers(&reader, Part::Before(foreign), 2), [14, 15]);
    assert_eq!(numbers(&reader, Part::After(foreign), 2), [16, 17]);
    assert_eq!(numbers(&reader, Part::Around(foreign), 2), [15, 16]);
}

#[test]
fn every_part_by_time() {
    let dir = folder();
    let reader = filled(&dir).reader;
    let time = |n: u64| Anchor::Time(n);
    for (part, limit, expected) in [
        (Part::Before(time(40_500)), 2, range(39, 40)),
        (Part::Before(time(41_000)), 2, range(39, 40)),
        // 39 and 40 were said at the same time, and are neither before nor after it.
        (Part::Before(time(39_000)), 2, range(37, 38)),
        (Part::After(time(39_000)), 2, range(41, 42)),
        (Part::After(time(40_000)), 2, range(41, 42)),
        (Part::Around(time(39_000)), 4, range(37, 40)),
        (Part::Latest(Some(time(88_000))), 10, range(89, 90)),
        (Part::Between(time(10_500), time(13_500)), 10, range(11, 13)),
        (Part::Between(time(13_500), time(10_500)), 2, range(12, 13)),
        (Part::Between(time(11_000), time(13_000)), 10, vec![12]),
        (Part::Between(seq(11), time(13_000)), 10, vec![12]),
        (Part::Before(time(0)), 2, vec![]),
        (Part::After(time(u64::MAX)), 2, vec![]),
    ] {
        assert_eq!(numbers(&reader, part, limit), expected, "{part:?} {limit}");
    }
}

#[test]
fn nothing_is_shown_outside_of_what_was_asked_for() {
    let dir = folder();
    let reader = filled(&dir).reader;
    let bounded = |part| {
        let query = Query { first: Number(30), last: Number(60), ..query(part, 1000) };
        rows(&reader, &query).iter().map(|row| row.number.0).collect::<Vec<u64>>()
    };
    for part in [
        Part::Latest(None),
        Part::Latest(Some(seq(2))),
        Part::After(seq(5)),
        Part::After(Anchor::Time(5_000)),
        Part::Before(seq(80)),
        Part::Between(seq(3), seq(88)),
        Part::Between(Anchor::Time(u64::MAX), Anchor::Time(0)),
    ] {
        assert_eq!(bounded(part), range(30, 60), "{part:?}");
    }
    assert_eq!(bounded(Part::Around(seq(80))), range(30, 60), "half of a thousand before the anchor");
    assert!(bounded(Part::Before(seq(30))).is_empty());
    assert!(bounded(Part::After(seq(60))).is_empty());
    let empty = Query { first: Number(91), last: Number(90), ..query(Part::Latest(None), 10) };
    assert!(rows(&reader, &empty).is_empty());
    let unknown = Query { room: RoomId(77), ..query(Part::Latest(None), 10) };
    assert!(rows(&reader, &unknown).is_empty());
}

#[test]
fn messages_to_some_roles_are_kept_and_left_out() {
    let dir = folder();
    let mut opened = opened(&dir);
    let mut proposer = Proposer::default();
    let mut to_operators = said(1, "for operators");
    to_operators.status = Some('@');
    let mut tagged = said(1, "tagged");
    tagged.client_tags = Some("+draft/reply=x;+y".into());
    tagged.kind = SayKind::Notice;
    let batch = vec![
        proposer.say(1, "for all"),
        proposer.proposal(Event::Said(Arc::new(to_operators.clone()))),
        proposer.proposal(Event::Said(Arc::new(tagged.clone()))),
    ];
    store(&mut opened.log, batch);
    let page = rows(&opened.reader, &Query { last: Number(3), ..query(Part::Latest(None), 10) });
    assert_eq!(page.iter().map(|row| row.number.0).collect::<Vec<u64>>(), [1, 3]);
    assert_eq!(page[1].client_tags, tagged.client_tags);
    assert_eq!(page[1].kind, SayKind::Notice);
    let kept = opened.reader.entries(Seq(1), 2).expect("reads");
    assert_eq!(kept[0].event, Event::Said(Arc::new(to_operators)));
    assert_eq!(kept[1].event, Event::Said(Arc::new(tagged)));
}

#[test]
fn times_never_go_back() {
    let dir = folder();
    let mut opened = opened(&dir);
    let mut proposer = Proposer::default();
    let mut batch = Vec::new();
    for now_ms in [1_000, 5_000, 2_000, 3_000, 6_000] {
        proposer.now_ms = now_ms;
        batch.push(proposer.say(1, "tick"));
    }
    let live: Vec<u64> = store(&mut opened.log, batch).iter().map(|entry| entry.at_ms).collect();
    assert_eq!(live, [1_000, 5_000, 5_000, 5_000, 6_000]);
    let page = rows(&opened.reader, &query(Part::Latest(None), 10));
    assert_eq!(page.iter().map(|row| row.at_ms).collect::<Vec<u64>>(), live, "live and read are one");
}

#[test]
fn a_reader_sees_what_has_arrived_and_works_from_another_thread() {
    let dir = folder();
    let mut opened = filled(&dir);
    let reader = opened.reader.clone();
    assert_eq!(numbers(&reader, Part::Latest(None), 1), [90]);
    let mut proposer = Proposer::default();
    let mut more = proposer.say(1, "more");
    more.slot.number = 91;
    store(&mut opened.log, vec![more]);
    let other = std::thread::spawn(move || {
        rows(&reader, &Query { last: Number(91), ..query(Part::Latest(None), 1) })
    });
    assert_eq!(other.join().expect("reads")[0].number, Number(91));
}
