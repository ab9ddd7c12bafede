//! Search: what is found, what is not found any more, and an index that is made again whenever it has to be.

mod support;

use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chinwag_archive::{Opened, SEARCH_FILE};
use chinwag_core::event::{Amended, Amendment, Event, Purged, Purging, Said, Status};
use chinwag_core::history::Anchor;
use chinwag_core::ids::{Number, RoomId, UserId};
use chinwag_core::numbers::Numbers;
use chinwag_core::roles::Role;
use chinwag_core::search::{Hits, Place, SearchQuery, Wanted};
use chinwag_log::{Log, Seq};
use support::{PATIENCE, Proposer, folder, opened, said, store, who};
use tempfile::TempDir;

const TEXTS: [(u32, &str, &str); 8] = [
    (1, "ann", "Green tea is ready"),
    (1, "bob", "tea, green or black?"),
    (2, "ann", "green tea elsewhere"),
    (1, "bob", "teapots are for sale"),
    (1, "Cyd", "今日は東京都へ行きます"),
    (1, "Cyd", "caf\u{e9} na\u{ef}ve"),
    (1, "ann", "one\ntwo lines"),
    (1, "bob", "tea again"),
];

/// Two rooms and what was said in them, a second apart from each other; the first message is at position 3.
fn filled(dir: &TempDir) -> (Opened, Proposer) {
    let mut opened = opened(dir);
    let mut proposer = Proposer { now_ms: 1_000, ..Proposer::default() };
    let mut batch: Vec<_> = ["#tea", "#other"]
        .map(|name| proposer.proposal(Event::Opened { name: name.into(), by: who("ann"), common: false }))
        .into();
    for (room, nick, text) in TEXTS {
        proposer.now_ms += 1_000;
        batch.push(proposer.proposal(Event::Said(Arc::new(Said { by: who(nick), ..said(room, text) }))));
    }
    store(&mut opened.log, batch);
    (opened, proposer)
}

fn happens(opened: &mut Opened, proposer: &mut Proposer, event: Event) -> Seq {
    proposer.now_ms += 1_000;
    let proposal = proposer.proposal(event);
    store(&mut opened.log, vec![proposal])[0].seq
}

fn query(typed: &str, rooms: &[u32]) -> SearchQuery {
    let wanted = Wanted::parse(typed, &|_| None).expect("understood");
    SearchQuery {
        places: rooms.iter().map(|room| Place { room: RoomId(*room), first: Number(1) }).collect(),
        terms: wanted.terms.into(),
        from: wanted.from,
        before: wanted.before,
        after: wanted.after,
        limit: wanted.limit.unwrap_or(20),
    }
}

/// The answer of an index that has everything.
fn search(opened: &Opened, query: &SearchQuery) -> Hits {
    let until = Instant::now() + PATIENCE;
    loop {
        match opened.reader.search(query) {
            Ok(hits) if hits.behind == 0 => return hits,
            other => assert!(Instant::now() < until, "the index does not come: {other:?}"),
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn texts(hits: &Hits) -> Vec<&str> {
    hits.hits.iter().map(|hit| &*hit.row.text).collect()
}

#[test]
fn words_phrases_beginnings_and_writings_without_spaces_are_found() {
    let dir = folder();
    let (opened, _) = filled(&dir);
    let _index = opened.index().expect("starts");
    for (typed, expected) in [
        ("tea", vec![0, 1, 7]),
        ("TEA green", vec![0, 1]),
        ("\"green tea\"", vec![0]),
        ("\"tea green\"", vec![1]),
        ("tea*", vec![0, 1, 3, 7]),
        ("from:bob tea*", vec![1, 3, 7]),
        ("from:BOB", vec![1, 3, 7]),
        ("東京", vec![4]),
        ("東京都", vec![4]),
        ("京", vec![4]),
        ("す", vec![4]),
        ("都東", vec![]),
        ("cafe naive", vec![5]),
        ("two", vec![6]),
        ("nothing", vec![]),
        ("tea limit:2", vec![1, 7]),
    ] {
        let hits = search(&opened, &query(typed, &[1]));
        let expected: Vec<&str> = expected.into_iter().map(|at: usize| TEXTS[at].2).collect();
        assert_eq!(texts(&hits), expected, "{typed}");
        assert_eq!(hits.more, typed.contains("limit"), "{typed}");
    }
    // Everywhere that somebody may read, and nowhere else.
    assert_eq!(search(&opened, &query("\"green tea\"", &[1, 2])).hits.len(), 2);
    assert!(search(&opened, &query("tea", &[])).hits.is_empty());
    let many: Vec<u32> = (1..=150).collect();
    assert_eq!(search(&opened, &query("\"green tea\"", &many)).hits.len(), 2);
    // Not what was said before a room started over.
    let mut later = query("tea", &[1]);
    later.places = Arc::new([Place { room: RoomId(1), first: Number(3) }]);
    assert_eq!(texts(&search(&opened, &later)), ["tea again"]);
}

#[test]
fn times_and_positions_limit_what_is_found() {
    let dir = folder();
    let (opened, _) = filled(&dir);
    let _index = opened.index().expect("starts");
    let within = |after, before| {
        let query = SearchQuery { after, before, ..query("tea*", &[1]) };
        search(&opened, &query).hits.iter().map(|hit| hit.row.at_ms).collect::<Vec<_>>()
    };
    assert_eq!(within(None, None), [2_000, 3_000, 5_000, 9_000]);
    assert_eq!(within(Some(Anchor::Time(2_000)), None), [3_000, 5_000, 9_000]);
    assert_eq!(within(None, Some(Anchor::Time(5_000))), [2_000, 3_000]);
    assert_eq!(within(Some(Anchor::Time(1)), Some(Anchor::Time(99_000))), [2_000, 3_000, 5_000, 9_000]);
    assert_eq!(within(Some(Anchor::Seq(Seq(3))), Some(Anchor::Seq(Seq(10)))), [3_000, 5_000]);
}

fn amended(number: u64, position: u64, what: Amendment) -> Event {
    Event::Amended(Arc::new(Amended {
        room: RoomId(1),
        basis: 0,
        number: Number(number),
        position,
        of: "ann".into(),
        own: true,
        status: None,
        user: UserId(1 << 48),
        by: who("ann"),
        what,
        excerpt: None,
        tags: None,
    }))
}

fn purged(what: Purging) -> Event {
    let (room, user, by) = (RoomId(1), UserId(9), who("op"));
    Event::Purged(Arc::new(Purged { room, basis: 0, purge: 1, user, by, what }))
}

#[test]
fn what_was_changed_hidden_or_deleted_is_found_as_it_is_now() {
    let dir = folder();
    let (mut opened, mut proposer) = filled(&dir);
    let index = opened.index().expect("starts");
    let found = |opened: &Opened, typed: &str| {
        search(opened, &query(typed, &[1])).hits.iter().map(|hit| hit.row.number.0).collect::<Vec<_>>()
    };
    assert_eq!(found(&opened, "tea"), [1, 2, 7]);
    let edited = Amendment::Edited { text: "coffee is ready".into() };
    happens(&mut opened, &mut proposer, amended(1, 3, edited));
    assert_eq!((found(&opened, "tea"), found(&opened, "coffee")), (vec![2, 7], vec![1]));
    happens(&mut opened, &mut proposer, amended(1, 3, Amendment::Redacted { reason: None }));
    assert!(found(&opened, "coffee").is_empty() && found(&opened, "ready").is_empty());
    let numbers: Numbers = [2, 3].map(Number).into_iter().collect();
    let (whom, positions) = ("bob!*@*".into(), Vec::new());
    let hidden = Purging::Hidden { whom, since_ms: 0, reason: None, numbers, positions, more: false };
    happens(&mut opened, &mut proposer, purged(hidden));
    assert_eq!(found(&opened, "tea*"), [7]);
    happens(&mut opened, &mut proposer, purged(Purging::Undone));
    assert_eq!(found(&opened, "tea*"), [2, 3, 7]);
    // For some roles only: nobody finds it.
    let held = Said { status: Some(Status::To(Role::Operator)), ..said(1, "tea for operators") };
    happens(&mut opened, &mut proposer, Event::Said(Arc::new(held)));
    assert_eq!(found(&opened, "tea*"), [2, 3, 7]);
    // An index that has fallen behind shows nothing either of what is gone.
    drop(index);
    happens(&mut opened, &mut proposer, amended(7, 10, Amendment::Redacted { reason: None }));
    let hits = opened.reader.search(&query("tea", &[1])).expect("reads");
    assert_eq!((texts(&hits), hits.behind), (vec!["tea, green or black?"], 0));
    // It goes on where it was.
    let _index = opened.index().expect("starts");
    assert_eq!(found(&opened, "tea"), [2]);
}

#[test]
fn an_index_that_is_of_no_use_is_made_again() {
    let dir = folder();
    let (opened, _) = filled(&dir);
    let file = dir.path().join(SEARCH_FILE);
    // There is none yet: what is new is looked through.
    assert_eq!(search(&opened, &query("tea", &[1])).hits.len(), 3);
    for spoil in [
        || None,
        || Some(b"no database at all, but long enough to be one: ".repeat(100)),
        || Some(Vec::new()),
    ] {
        let index = opened.index().expect("starts");
        assert_eq!(search(&opened, &query("tea", &[1])).hits.len(), 3);
        drop(index);
        for suffix in ["-wal", "-shm"] {
            let _ = fs::remove_file(dir.path().join(format!("{SEARCH_FILE}{suffix}")));
        }
        match spoil() {
            None => fs::remove_file(&file).expect("is there"),
            Some(bytes) => fs::write(&file, bytes).expect("is written"),
        }
        assert!(file.metadata().map_or(0, |file| file.len()) < 8_192);
    }
    // One of another database.
    let other = folder();
    let (elsewhere, _) = filled(&other);
    let index = elsewhere.index().expect("starts");
    assert_eq!(search(&elsewhere, &query("tea", &[1])).hits.len(), 3);
    drop(index);
    elsewhere.log.close(PATIENCE).expect("closes");
    fs::copy(other.path().join(SEARCH_FILE), &file).expect("is copied");
    let reader = opened.reader.clone();
    let _index = opened.index().expect("starts");
    let until = Instant::now() + PATIENCE;
    // What was read from the other one's index, if anything, is no message of this database's rooms with other texts.
    while !matches!(reader.clone().search(&query("tea", &[1])), Ok(hits) if hits.behind == 0 && hits.hits.len() == 3)
    {
        assert!(Instant::now() < until, "the index is not made again");
        std::thread::sleep(Duration::from_millis(5));
    }
    drop(opened.log);
}

#[test]
fn what_was_said_a_moment_ago_is_found_and_how_much_is_not_is_said() {
    let dir = folder();
    let (mut opened, mut proposer) = filled(&dir);
    let index = opened.index().expect("starts");
    // Filled up to here, then left behind.
    let until = Instant::now() + PATIENCE;
    let filled = || {
        let index = rusqlite::Connection::open(dir.path().join(SEARCH_FILE)).expect("opens");
        index.query_row("SELECT value FROM meta WHERE key = 'position'", (), |row| row.get::<_, i64>(0))
    };
    while !matches!(filled(), Ok(10)) {
        assert!(Instant::now() < until, "the index is not filled");
        std::thread::sleep(Duration::from_millis(5));
    }
    drop(index);
    let found = |opened: &Opened, typed: &str| {
        let hits = opened.reader.search(&query(typed, &[1])).expect("reads");
        (hits.hits.iter().map(|hit| hit.row.number.0).collect::<Vec<_>>(), hits.more, hits.behind)
    };
    assert_eq!(found(&opened, "tea"), (vec![1, 2, 7], false, 0));
    happens(&mut opened, &mut proposer, Event::Said(Arc::new(said(1, "fresh tea"))));
    assert_eq!(found(&opened, "tea"), (vec![1, 2, 7, 8], false, 0));
    assert_eq!(found(&opened, "tea limit:2"), (vec![7, 8], true, 0));
    assert_eq!(found(&opened, "fresh"), (vec![8], false, 0));
    // What was changed since reads as it does now, in the file's part as in the fresh one.
    let edited = |text: &str| Amendment::Edited { text: text.into() };
    happens(&mut opened, &mut proposer, amended(1, 3, edited("coffee is ready")));
    happens(&mut opened, &mut proposer, amended(8, 11, edited("cold tea")));
    assert_eq!(found(&opened, "tea"), (vec![2, 7, 8], false, 0));
    assert_eq!((found(&opened, "coffee").0, found(&opened, "fresh").0), (vec![1], vec![]));
    happens(&mut opened, &mut proposer, amended(8, 11, Amendment::Redacted { reason: None }));
    assert_eq!(found(&opened, "tea"), (vec![2, 7], false, 0));
    // Further behind than what is taken in at once: the newest is found, and what was missed is counted.
    let batch = (0..3_000).map(|n| proposer.say(1, &format!("message {n} with milk"))).collect();
    store(&mut opened.log, batch);
    let (numbers, more, behind) = found(&opened, "milk limit:100");
    assert_eq!((numbers.len(), numbers[99], more, behind), (100, 3_008, true, 504));
    assert_eq!(found(&opened, "\"message 499\"").0, [0; 0]);
    assert_eq!(found(&opened, "\"message 500\"").0, [509]);
    let _index = opened.index().expect("starts");
    let until = Instant::now() + PATIENCE;
    while found(&opened, "milk").2 > 0 {
        assert!(Instant::now() < until, "the index does not come");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(found(&opened, "\"message 499\"").0, [508]);
    assert_eq!(found(&opened, "tea"), (vec![2, 7], false, 0));
}

#[test]
fn an_index_follows_while_much_is_said() {
    let dir = folder();
    let (mut opened, mut proposer) = filled(&dir);
    let _index = opened.index().expect("starts");
    for round in 0..5 {
        let batch = (0..1_500).map(|n| proposer.say(1, &format!("message {n} of round{round}"))).collect();
        store(&mut opened.log, batch);
    }
    let hits = search(&opened, &query("round3 limit:100", &[1]));
    assert_eq!((hits.hits.len(), hits.more), (100, true));
    assert_eq!(opened.log.head(), Seq(10 + 7_500));
    assert_eq!(&*hits.hits[99].row.text, "message 1499 of round3");
}
