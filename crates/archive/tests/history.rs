//! Pages of history: every part, by position and by time, in rooms that grow together.

mod support;

use std::sync::Arc;

use chinwag_archive::{Opened, Reader};
use chinwag_core::event::{Event, SayKind, Status};
use chinwag_core::history::{Anchor, Part, Query, Row, Show};
use chinwag_core::ids::{Number, RoomId};
use chinwag_core::roles::Role;
use chinwag_log::Seq;
use support::{PATIENCE, Proposer, folder, opened, said, store};
use tempfile::TempDir;

/// How many messages the tests' room has.
const LAST: u64 = 90;

/// Room 1 has messages 1..=90, one a second from second 1 (two at every tenth), with another room's between them.
/// After message `placed` the log was closed and opened again: only what came before is in the index of places.
fn filled_to(dir: &TempDir, placed: u64) -> Opened {
    let mut opened = opened(dir);
    let mut proposer = Proposer::default();
    let mut batch = Vec::new();
    for n in 1..=LAST {
        proposer.now_ms = at(n);
        batch.push(proposer.say(1, &format!("one {n}")));
        if n % 3 == 0 {
            batch.push(proposer.say(2, &format!("two {n}")));
        }
        if n == placed {
            store(&mut opened.log, std::mem::take(&mut batch));
            opened.log.close(PATIENCE).expect("closes");
            opened = support::opened(dir);
        }
    }
    if !batch.is_empty() {
        store(&mut opened.log, batch);
    }
    opened
}

fn filled(dir: &TempDir) -> Opened {
    filled_to(dir, 0)
}

/// Runs a check with nothing, a part, and all of the messages in the index of places.
fn however_placed(check: impl Fn(&Reader)) {
    for placed in [0, 39, 40, 88, LAST] {
        let dir = folder();
        let opened = filled_to(&dir, placed);
        eprintln!("placed up to {placed}");
        check(&opened.reader);
    }
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
        events: false,
        until: Seq(0),
        clock: false,
        two: None,
        batch: "b".into(),
        show: Show::Said,
    }
}

fn rows(reader: &Reader, query: &Query) -> Vec<Row> {
    let page = reader.page(query).expect("reads");
    assert!(page.events.is_empty() && !page.astray, "{page:?}");
    page.rows
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
        joins: None,
        client_tags: None,
        status: None,
    };
    assert_eq!(row, expected);
}

#[test]
fn a_message_of_several_lines_is_one_row() {
    let dir = folder();
    let mut opened = filled(&dir);
    let text = "one\ntwo three";
    let said = chinwag_core::event::Said { joins: Some([8].into()), ..said(1, text) };
    let mut proposer = Proposer { n: 1_000, heads: [(1, LAST)].into(), ..Proposer::default() };
    store(&mut opened.log, vec![proposer.proposal(Event::Said(Arc::new(said.clone())))]);
    let row = rows(&opened.reader, &Query { last: Number(91), ..query(Part::Latest(None), 1) }).remove(0);
    assert_eq!((&*row.text, row.joins, row.number), (text, said.joins, Number(91)));
}

#[test]
fn every_part_by_position() {
    however_placed(|reader| {
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
        ] {
            assert_eq!(numbers(reader, part, limit), expected, "{part:?} {limit}");
        }
    });
}

#[test]
fn an_anchor_that_is_none_of_the_rooms_is_not_searched_for() {
    however_placed(|reader| {
        // The twentieth position is that of "two 15", between messages 15 and 16 of room 1.
        for seq in [0, 20, 1_000, u64::MAX] {
            let anchor = Anchor::Seq(Seq(seq));
            for part in [Part::Before(anchor), Part::Between(Anchor::Time(0), anchor)] {
                let page = reader.page(&query(part, 2)).expect("reads");
                assert!(page.astray && page.rows.is_empty(), "{seq}");
            }
        }
    });
}

#[test]
fn the_last_page_says_that_it_is() {
    however_placed(|reader| {
        for (part, limit, end) in [
            (Part::Latest(None), 89, false),
            (Part::Latest(None), 90, true),
            (Part::Latest(None), 91, true),
            (Part::Before(seq(6)), 4, false),
            (Part::Before(seq(6)), 5, true),
            (Part::After(seq(85)), 4, false),
            (Part::After(seq(85)), 5, true),
            (Part::Between(seq(10), seq(14)), 2, false),
            (Part::Between(seq(14), seq(10)), 3, true),
            (Part::Around(seq(2)), 1, false),
            (Part::Around(seq(2)), 200, true),
        ] {
            for events in [false, true] {
                let query = Query { events, until: Seq(119), ..query(part, limit) };
                let page = reader.page(&query).expect("reads");
                assert_eq!((page.end, page.events.len()), (end, 0), "{part:?} {limit}");
            }
        }
    });
}

/// Room 1: message 1, topic, message 2, topic … and another room's messages between them. Message n has position
/// 3n - 2, the topic behind it 3n - 1; all of a turn are of one time.
fn with_topics(dir: &TempDir, close_after: u64) -> Opened {
    let mut opened = opened(dir);
    let mut proposer = Proposer::default();
    for n in 1..=10 {
        proposer.now_ms = n * 1_000;
        let by = support::who("ann");
        let topic = Event::TopicSet { room: RoomId(1), basis: 0, by, topic: format!("{n}").into() };
        let batch = vec![proposer.say(1, &format!("{n}")), proposer.proposal(topic), proposer.say(2, "x")];
        store(&mut opened.log, batch);
        if n == close_after {
            opened.log.close(PATIENCE).expect("closes");
            opened = support::opened(dir);
        }
    }
    opened
}

#[test]
fn what_else_happened_is_between_the_messages() {
    for close_after in [0, 4, 10] {
        let dir = folder();
        let opened = with_topics(&dir, close_after);
        let at = |n: u64| Anchor::Seq(Seq(n));
        let time = |n: u64| Anchor::Time(n);
        for (part, limit, expected) in [
            (Part::Latest(None), 3, vec![26, 28, 29]),
            (Part::Latest(Some(at(25))), 9, vec![26, 28, 29]),
            (Part::Before(at(8)), 3, vec![4, 5, 7]),
            (Part::Before(at(7)), 3, vec![2, 4, 5]),
            (Part::After(at(22)), 2, vec![23, 25]),
            (Part::After(at(23)), 2, vec![25, 26]),
            (Part::Around(at(8)), 3, vec![7, 8, 10]),
            (Part::Around(at(7)), 1, vec![7]),
            (Part::Between(at(2), at(10)), 9, vec![4, 5, 7, 8]),
            (Part::Between(at(10), at(2)), 2, vec![7, 8]),
            (Part::Before(time(3_000)), 2, vec![4, 5]),
            (Part::After(time(9_000)), 9, vec![28, 29]),
            (Part::Around(time(3_000)), 2, vec![5, 7]),
            (Part::Between(time(2_000), time(4_000)), 9, vec![7, 8]),
            (Part::Before(time(0)), 9, vec![]),
            (Part::After(time(u64::MAX)), 9, vec![]),
        ] {
            let query = Query { events: true, until: Seq(30), last: Number(10), ..query(part, limit) };
            let page = opened.reader.page(&query).expect("reads");
            let mut seqs: Vec<u64> = page.rows.iter().map(|row| row.seq.0).collect();
            seqs.extend(page.events.iter().map(|happened| happened.seq.0));
            seqs.sort_unstable();
            assert_eq!(seqs, expected, "{part:?} {limit}");
        }
    }
}

#[test]
fn what_happened_before_a_room_started_over_is_hidden() {
    let dir = folder();
    let mut opened = with_topics(&dir, 0);
    let mut proposer = Proposer { n: 1_000, heads: [(1, 10)].into(), ..Proposer::default() };
    let (room, by) = (RoomId(1), support::who("bob"));
    let renewed = Event::Renewed { room, basis: 0, head: Number(10), by: Arc::clone(&by) };
    let topic = Event::TopicSet { room, basis: 1, by, topic: "new".into() };
    store(&mut opened.log, vec![proposer.proposal(renewed), proposer.proposal(topic), proposer.say(1, "a")]);
    let asked = query(Part::Latest(None), 100);
    let query = Query { events: true, until: Seq(33), first: Number(11), last: Number(11), ..asked };
    let page = opened.reader.page(&query).expect("reads");
    let seqs = |page: &chinwag_core::history::Page| (page.rows[0].seq, page.events[0].seq);
    assert_eq!((page.rows.len(), page.events.len(), seqs(&page)), (1, 1, (Seq(33), Seq(32))));
}

#[test]
fn every_part_by_time() {
    however_placed(|reader| {
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
            assert_eq!(numbers(reader, part, limit), expected, "{part:?} {limit}");
        }
    });
}

#[test]
fn nothing_is_shown_outside_of_what_was_asked_for() {
    however_placed(|reader| {
        let bounded = |part| {
            let query = Query { first: Number(30), last: Number(60), ..query(part, 1000) };
            rows(reader, &query).iter().map(|row| row.number.0).collect::<Vec<u64>>()
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
        assert!(rows(reader, &empty).is_empty());
        let unknown = Query { room: RoomId(77), ..query(Part::Latest(None), 10) };
        assert!(rows(reader, &unknown).is_empty());
    });
}

#[test]
fn messages_to_some_roles_are_kept_and_left_out() {
    let dir = folder();
    let mut opened = opened(&dir);
    let mut proposer = Proposer::default();
    let mut to_operators = said(1, "for operators");
    to_operators.status = Some(Status::To(Role::Operator));
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

/// The answer as the definition of each part has it, by looking at every message.
fn expected(said: &[(u64, u64, u64)], query: &Query) -> Vec<u64> {
    let inside = said.iter().filter(|row| (query.first.0..=query.last.0).contains(&row.0));
    let before = |row: &(u64, u64, u64), anchor: Anchor| match anchor {
        Anchor::Seq(seq) => row.1 < seq.0,
        Anchor::Time(at_ms) => row.2 < at_ms,
    };
    let after = |row: &(u64, u64, u64), anchor: Anchor| match anchor {
        Anchor::Seq(seq) => row.1 > seq.0,
        Anchor::Time(at_ms) => row.2 > at_ms,
    };
    let limit = query.limit as usize;
    let newest = |rows: Vec<u64>, limit: usize| rows[rows.len().saturating_sub(limit)..].to_vec();
    let oldest = |rows: Vec<u64>, limit: usize| rows[..rows.len().min(limit)].to_vec();
    let those = |keep: &dyn Fn(&(u64, u64, u64)) -> bool| -> Vec<u64> {
        inside.clone().filter(|row| keep(row)).map(|row| row.0).collect()
    };
    match query.part {
        Part::Latest(None) => newest(those(&|_| true), limit),
        Part::Latest(Some(anchor)) => newest(those(&|row| after(row, anchor)), limit),
        Part::Before(anchor) => newest(those(&|row| before(row, anchor)), limit),
        Part::After(anchor) => oldest(those(&|row| after(row, anchor)), limit),
        Part::Around(anchor) => {
            let mut page = newest(those(&|row| before(row, anchor)), limit / 2);
            page.extend(oldest(those(&|row| !before(row, anchor)), limit - limit / 2));
            page
        }
        Part::Between(start, end) => {
            let forth = those(&|row| after(row, start) && before(row, end));
            let back = those(&|row| after(row, end) && before(row, start));
            if back.is_empty() { oldest(forth, limit) } else { newest(back, limit) }
        }
    }
}

#[test]
fn random_questions_about_a_long_history_are_answered_as_defined() {
    let dir = folder();
    let mut opened = opened(&dir);
    let mut proposer = Proposer { now_ms: 1_000, ..Proposer::default() };
    let mut dice = 0x5eed_u64;
    let mut roll = |below: u64| {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        dice % below
    };
    let mut said: Vec<Vec<(u64, u64, u64)>> = vec![Vec::new(); 4];
    // Enough for the index of places to be brought up to date several times.
    for _ in 0..70 {
        // In some, one room has all the words: long runs, and many short ones.
        let alone = (roll(2) == 0).then(|| 1 + roll(3) as u32);
        let batch = (0..100).map(|_| {
            proposer.now_ms += roll(3);
            let room = alone.unwrap_or_else(|| 1 + roll(3) as u32);
            proposer.say(room, "text")
        });
        let batch: Vec<_> = batch.collect();
        for (slot, entry) in batch
            .iter()
            .map(|proposal| proposal.slot)
            .collect::<Vec<_>>()
            .iter()
            .zip(store(&mut opened.log, batch))
        {
            said[slot.room as usize].push((slot.number, entry.seq.0, entry.at_ms));
        }
    }
    for question in 0..2_000 {
        let room = 1 + roll(3) as usize;
        let head = said[room].len() as u64;
        let mut anchor = || match roll(2) {
            0 => Anchor::Seq(Seq(said[room][roll(head) as usize].1)),
            _ => Anchor::Time(1_000 + roll(7_100)),
        };
        let (one, other) = (anchor(), anchor());
        // Which of two anchors of different kinds comes first is only defined where messages lie between them.
        let other = match (one, other) {
            (Anchor::Seq(_), Anchor::Time(_)) => Anchor::Seq(Seq(said[room][roll(head) as usize].1)),
            (Anchor::Time(_), Anchor::Seq(_)) => Anchor::Time(1_000 + roll(7_100)),
            _ => other,
        };
        let part = match roll(6) {
            0 => Part::Latest(None),
            1 => Part::Latest(Some(one)),
            2 => Part::Before(one),
            3 => Part::After(one),
            4 => Part::Around(one),
            _ => Part::Between(one, other),
        };
        let first = 1 + roll(head);
        let query = Query {
            room: RoomId(room as u32),
            first: Number(if roll(2) == 0 { 1 } else { first }),
            last: Number(if roll(2) == 0 { head } else { first + roll(head) }),
            ..query(part, roll(120) as u32)
        };
        let found: Vec<u64> = rows(&opened.reader, &query).iter().map(|row| row.number.0).collect();
        assert_eq!(found, expected(&said[room], &query), "question {question}: {query:?}");
        let query = Query { events: true, until: Seq(7_000), ..query };
        let found: Vec<u64> = rows(&opened.reader, &query).iter().map(|row| row.number.0).collect();
        assert_eq!(found, expected(&said[room], &query), "question {question} with events: {query:?}");
    }
}
