//! Messages whose time is over: nobody reads them any more at once, their rows and their words go, and everything
//! else stays where it is.

mod support;

use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chinwag_archive::{DATABASE_FILE, Opened, SEARCH_FILE};
use chinwag_core::aging::{AgeQuery, Aged};
use chinwag_core::chat::Chat;
use chinwag_core::event::{Amended, Amendment, Event, Expired, Said};
use chinwag_core::history::{Anchor, Page, Part, Query, Show};
use chinwag_core::ids::{Number, RoomId, UserId};
use chinwag_core::pointed::{Lookup, Pointer};
use chinwag_core::search::{Place, SearchQuery, Wanted};
use chinwag_log::Seq;
use chinwag_wire::msgid::MsgIdKey;
use rusqlite::Connection;
use support::{PATIENCE, Proposer, folder, opened, said, store, who};
use tempfile::TempDir;

const TEA: RoomId = RoomId(1);
const OTHER: RoomId = RoomId(2);

/// Two rooms whose messages take turns, one a second: message `n` of `#tea` is said in second 2n at position 2n + 1,
/// that of `#other` a second later.
fn filled(dir: &TempDir, count: u64) -> (Opened, Proposer) {
    let mut opened = opened(dir);
    let mut proposer = Proposer { now_ms: 1_000, ..Proposer::default() };
    let mut batch: Vec<_> = ["#tea", "#other"]
        .map(|name| proposer.proposal(Event::Opened { name: name.into(), by: who("ann"), common: false }))
        .into();
    for number in 1..=count {
        proposer.now_ms = number * 2_000;
        batch.push(proposer.say(1, &format!("secret-{number}- leaf")));
        proposer.now_ms += 1_000;
        batch.push(proposer.say(2, &format!("other-{number}- leaf")));
    }
    store(&mut opened.log, batch);
    (opened, proposer)
}

fn position(number: u64) -> u64 {
    number * 2 + 1
}

fn happens(opened: &mut Opened, proposer: &mut Proposer, event: Event) -> Seq {
    proposer.now_ms += 1;
    let proposal = proposer.proposal(event);
    store(&mut opened.log, vec![proposal])[0].seq
}

fn expires(opened: &mut Opened, proposer: &mut Proposer, upto: u64) {
    let expired = Expired { room: TEA, upto: Number(upto), position: position(upto) };
    happens(opened, proposer, Event::Expired(expired));
}

fn amended(number: u64, what: Amendment) -> Event {
    Event::Amended(Arc::new(Amended {
        room: TEA,
        basis: 0,
        number: Number(number),
        position: position(number),
        of: "ann".into(),
        own: true,
        status: None,
        user: UserId(1),
        by: who("ann"),
        what,
        excerpt: None,
        tags: None,
    }))
}

fn query(room: RoomId, part: Part, first: u64) -> Query {
    Query {
        room,
        name: "#r".into(),
        part,
        limit: 10_000,
        first: Number(first),
        last: Number(10_000),
        events: false,
        until: Seq(0),
        clock: false,
        two: None,
        batch: "b".into(),
        show: Show::Said,
    }
}

fn page(opened: &Opened, room: RoomId, part: Part, first: u64) -> Page {
    opened.reader.page(&query(room, part, first)).expect("reads")
}

fn numbers(page: &Page) -> Vec<u64> {
    page.rows.iter().map(|row| row.number.0).collect()
}

/// How many messages of a room there are in the database.
fn rows(dir: &TempDir, room: RoomId) -> i64 {
    let db = Connection::open(dir.path().join(DATABASE_FILE)).expect("opens");
    db.busy_timeout(PATIENCE).expect("waits");
    db.query_row("SELECT count(*) FROM ev WHERE room = ?1 AND number IS NOT NULL", [room.0], |row| row.get(0))
        .expect("counts")
}

/// Waits until the database has so many messages of the room left.
fn wait_for_rows(dir: &TempDir, room: RoomId, count: i64) {
    let until = Instant::now() + PATIENCE;
    while rows(dir, room) != count {
        assert!(Instant::now() < until, "{} rows are left", rows(dir, room));
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Bytes of the database, without what is still in its log file.
fn size(dir: &TempDir) -> u64 {
    fs::metadata(dir.path().join(DATABASE_FILE)).expect("a file").len()
}

#[test]
fn the_file_gets_shorter_when_much_is_over() {
    const MESSAGES: u64 = 2_500;
    let dir = folder();
    let (mut opened, mut proposer) = filled(&dir, 1);
    let long = "m".repeat(6_000);
    for number in 2..=MESSAGES {
        proposer.now_ms = number * 2_000;
        let both = vec![proposer.say(1, &long), proposer.say(2, &format!("other-{number}- leaf"))];
        store(&mut opened.log, both);
    }
    // What waits in its log file comes into the database with the next start.
    drop(opened);
    let mut opened = support::opened(&dir);
    let before = size(&dir);
    assert!(before > MESSAGES * 6_000);
    expires(&mut opened, &mut proposer, MESSAGES);
    let until = Instant::now() + PATIENCE;
    while size(&dir) > before / 2 {
        assert!(Instant::now() < until, "{} of {before} bytes are left", size(&dir));
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(rows(&dir, OTHER), MESSAGES.cast_signed());
    let damage: String = Connection::open(dir.path().join(DATABASE_FILE))
        .and_then(|db| db.query_row("PRAGMA integrity_check", (), |row| row.get(0)))
        .expect("reads");
    assert_eq!(damage, "ok");
    assert_eq!(numbers(&page(&opened, OTHER, Part::Latest(None), 0)).len(), MESSAGES as usize);
}

/// Whether these bytes are anywhere in the files of the folder.
fn anywhere(dir: &TempDir, what: &str) -> Vec<String> {
    let files = fs::read_dir(dir.path()).expect("a folder").map(|file| file.expect("a file").path());
    let has = |path: &std::path::PathBuf| {
        fs::read(path).is_ok_and(|bytes| bytes.windows(what.len()).any(|part| part == what.as_bytes()))
    };
    files.filter(has).map(|path| path.display().to_string()).collect()
}

#[test]
fn the_last_message_whose_time_is_over_is_found() {
    let dir = folder();
    let (opened, _) = filled(&dir, 10);
    let aged = |opened: &Opened, after: u64, last: u64, before_ms: u64| {
        let query = AgeQuery { room: TEA, after: Number(after), last: Number(last), before_ms };
        opened.reader.aged(&query).expect("reads")
    };
    let check = |opened: &Opened| {
        let upto = |number: u64| Some((Number(number), Seq(position(number))));
        assert_eq!(aged(opened, 0, 10, 2_000), Aged { upto: None, next_ms: Some(2_000) });
        assert_eq!(aged(opened, 0, 10, 2_001), Aged { upto: upto(1), next_ms: Some(4_000) });
        assert_eq!(aged(opened, 0, 10, 9_000), Aged { upto: upto(4), next_ms: Some(10_000) });
        assert_eq!(aged(opened, 4, 10, 9_000), Aged { upto: None, next_ms: Some(10_000) });
        assert_eq!(aged(opened, 4, 10, 99_000), Aged { upto: upto(10), next_ms: None });
        assert_eq!(aged(opened, 4, 7, 99_000), Aged { upto: upto(7), next_ms: None });
        assert_eq!(aged(opened, 10, 10, 99_000), Aged::default());
    };
    check(&opened);
    opened.log.close(PATIENCE).expect("closes");
    check(&support::opened(&dir));
}

#[test]
fn what_is_over_leaves_the_disk_and_the_rest_stays_in_its_place() {
    let dir = folder();
    let (mut opened, mut proposer) = filled(&dir, 1_000);
    happens(&mut opened, &mut proposer, amended(5, Amendment::Edited { text: "secret-edited-".into() }));
    happens(&mut opened, &mut proposer, amended(950, Amendment::Edited { text: "stays-edited-".into() }));
    expires(&mut opened, &mut proposer, 300);
    expires(&mut opened, &mut proposer, 900);
    wait_for_rows(&dir, TEA, 101);
    assert_eq!(rows(&dir, OTHER), 1_000);
    let check = |opened: &Opened| {
        let rest: Vec<u64> = (901..=1_000).collect();
        assert_eq!(numbers(&page(opened, TEA, Part::Latest(None), 901)), rest);
        // Also whoever asks for all of it, which no member may.
        assert_eq!(numbers(&page(opened, TEA, Part::Latest(None), 1)), rest);
        assert_eq!(numbers(&page(opened, OTHER, Part::Latest(None), 1)), (1..=1_000).collect::<Vec<_>>());
        // Over the gap: by times and positions that are over.
        assert_eq!(numbers(&page(opened, TEA, Part::After(Anchor::Time(10_000)), 901)), rest);
        assert_eq!(numbers(&page(opened, TEA, Part::After(Anchor::Seq(Seq(position(7)))), 901)), rest);
        let around = page(opened, TEA, Part::Around(Anchor::Time(10_000)), 901);
        assert_eq!(numbers(&around)[..3], [901, 902, 903]);
        assert!(page(opened, TEA, Part::Before(Anchor::Seq(Seq(position(7)))), 901).rows.is_empty());
        assert_eq!(numbers(&page(opened, TEA, Part::Before(Anchor::Time(1_806_001)), 901)), [901, 902, 903]);
        // A position that never was a message of this room is astray as ever.
        assert!(page(opened, TEA, Part::After(Anchor::Seq(Seq(position(950) + 1))), 901).astray);
        let lookup = |of| Lookup { room: TEA, of, last: Number(1_000) };
        for of in [Pointer::Number(Number(7)), Pointer::Seq(Seq(position(7)))] {
            assert!(opened.reader.message(&lookup(of)).expect("reads").is_none());
        }
        let edited =
            opened.reader.message(&lookup(Pointer::Number(Number(950)))).expect("reads").expect("there");
        assert_eq!((&*edited.row.text, edited.formers.len()), ("stays-edited-", 1));
    };
    check(&opened);
    // Numbers go on, live and after a start.
    store(&mut opened.log, vec![proposer.say(1, "next")]);
    assert_eq!(numbers(&page(&opened, TEA, Part::Latest(None), 1_001)), [1_001]);
    opened.log.close(PATIENCE).expect("closes");
    let opened = support::opened(&dir);
    let mut chat = Chat::new(MsgIdKey([1, 2]));
    opened.restore(&mut chat).expect("restores");
    let room = chat.room(TEA).expect("a room");
    assert_eq!((room.history_from, room.head, room.expired), (Number(901), Number(1_001), Number(900)));
    opened.log.close(PATIENCE).expect("closes");
    let left = anywhere(&dir, "secret-7-");
    assert!(left.is_empty(), "{left:?}");
    for gone in ["secret-edited-", "secret-900-"] {
        assert!(anywhere(&dir, gone).is_empty(), "{gone}");
    }
    assert!(!anywhere(&dir, "secret-901-").is_empty());
}

#[test]
fn a_reaction_goes_with_what_was_said_before_the_next_message_that_stays() {
    let dir = folder();
    let (mut opened, mut proposer) = filled(&dir, 10);
    let reacted = |reaction: &str| Amendment::Reacted { reaction: reaction.into(), set: true };
    happens(&mut opened, &mut proposer, amended(3, reacted("secret-early-")));
    let next = store(&mut opened.log, vec![proposer.say(1, "eleven")])[0].seq;
    happens(&mut opened, &mut proposer, amended(3, reacted("secret-between-")));
    store(&mut opened.log, vec![proposer.say(1, "twelve")]);
    // Said later, by somebody who still saw it: it has its own time.
    happens(&mut opened, &mut proposer, amended(3, reacted("late-")));
    let expired = Expired { room: TEA, upto: Number(11), position: next.0 };
    happens(&mut opened, &mut proposer, Event::Expired(expired));
    wait_for_rows(&dir, TEA, 2);
    opened.log.close(PATIENCE).expect("closes");
    assert!(anywhere(&dir, "secret-early-").is_empty());
    let opened = support::opened(&dir);
    let playback = Query { events: true, until: Seq(1_000), ..query(TEA, Part::Latest(None), 12) };
    let page = opened.reader.page(&playback).expect("reads");
    let told: Vec<String> = page.events.iter().map(|event| format!("{:?}", event.event)).collect();
    assert!(told.iter().any(|told| told.contains("late-")), "{told:?}");
    assert!(!told.iter().any(|told| told.contains("early")), "{told:?}");
}

#[test]
fn a_room_of_which_nothing_is_left_goes_on_from_its_last_number() {
    let dir = folder();
    let (mut opened, mut proposer) = filled(&dir, 50);
    expires(&mut opened, &mut proposer, 50);
    wait_for_rows(&dir, TEA, 1);
    opened.log.close(PATIENCE).expect("closes");
    let mut opened = support::opened(&dir);
    let mut chat = Chat::new(MsgIdKey([1, 2]));
    opened.restore(&mut chat).expect("restores");
    assert_eq!(chat.head(TEA), Number(50));
    assert!(page(&opened, TEA, Part::Latest(None), 51).rows.is_empty());
    store(&mut opened.log, vec![proposer.say(1, "next")]);
    assert_eq!(numbers(&page(&opened, TEA, Part::Latest(None), 51)), [51]);
    // Nobody reads from the last one who had said it.
    opened.log.close(PATIENCE).expect("closes");
    assert!(anywhere(&dir, "secret-50-").is_empty());
}

#[test]
fn it_goes_on_where_an_end_of_the_process_left_it() {
    let dir = folder();
    let (mut opened, mut proposer) = filled(&dir, 8_000);
    expires(&mut opened, &mut proposer, 7_990);
    // Dropped, not closed, and in the middle.
    drop(opened);
    let before = rows(&dir, TEA);
    assert!(before > 11, "all of it went at once");
    let opened = support::opened(&dir);
    wait_for_rows(&dir, TEA, 11);
    drop(opened);
    let db = Connection::open(dir.path().join(DATABASE_FILE)).expect("opens");
    let places: (i64, i64) = db
        .query_row("SELECT min(number), sum(count) FROM place WHERE room = 1", (), |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .expect("reads");
    assert_eq!(places, (7_990, 11));
    let events: i64 =
        db.query_row("SELECT count(*) FROM ev WHERE kind = 45", (), |row| row.get(0)).expect("counts");
    assert_eq!(events, 1);
}

#[test]
fn its_words_leave_the_index() {
    let dir = folder();
    let (mut opened, mut proposer) = filled(&dir, 100);
    let index = opened.index().expect("starts");
    let found = |opened: &Opened, first: u64| {
        let wanted = Wanted::parse("leaf limit:100", &|_| None).expect("understood");
        let query = SearchQuery {
            places: Arc::new([Place { room: TEA, first: Number(first) }]),
            terms: wanted.terms.into(),
            from: None,
            before: None,
            after: None,
            limit: 100,
        };
        opened.reader.search(&query).expect("searches").hits.len()
    };
    assert_eq!(found(&opened, 1), 100);
    expires(&mut opened, &mut proposer, 90);
    assert_eq!(found(&opened, 91), 10);
    wait_for_rows(&dir, TEA, 11);
    let until = Instant::now() + PATIENCE;
    let named = || {
        let db = Connection::open(dir.path().join(SEARCH_FILE)).expect("opens");
        db.busy_timeout(PATIENCE).expect("waits");
        let count = "SELECT count(*) FROM post_0 WHERE post_0 MATCH 'secret'";
        db.query_row(count, (), |row| row.get::<_, i64>(0)).unwrap_or(-1)
    };
    while named() != 10 {
        assert!(Instant::now() < until, "{} are in the index", named());
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(found(&opened, 1), 10);
    drop(index);
}

#[test]
fn what_is_said_meanwhile_is_not_delayed() {
    let dir = folder();
    let (mut opened, mut proposer) = filled(&dir, 8_000);
    let commit = |opened: &mut Opened, proposer: &mut Proposer| {
        let message =
            proposer.proposal(Event::Said(Arc::new(Said { by: who("bob"), ..said(2, "meanwhile") })));
        let begun = Instant::now();
        store(&mut opened.log, vec![message]);
        begun.elapsed()
    };
    expires(&mut opened, &mut proposer, 8_000);
    let mut took: Vec<Duration> = Vec::new();
    while rows(&dir, TEA) > 1 {
        took.push(commit(&mut opened, &mut proposer));
        assert!(took.len() < 100_000, "it does not end");
    }
    took.sort_unstable();
    let middle = took[took.len() / 2];
    // On a machine that does much else, a commit may take long for itself.
    assert!(middle < Duration::from_millis(100), "half of them took more than {middle:?}");
    assert!(rows(&dir, OTHER) as usize == 8_000 + took.len());
}
