//! Erasing what somebody said: texts, names and words go, everywhere or in one room, whatever happens meanwhile.

mod support;

use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chinwag_archive::{DATABASE_FILE, Opened, SEARCH_FILE};
use chinwag_core::erasing::{Erasable, EraseQuery, Erasure};
use chinwag_core::event::{Act, Amended, Amendment, Event, OperatorActed, Said, Who};
use chinwag_core::ids::{Number, RoomId, UserId};
use chinwag_core::pointed::{Lookup, Pointer};
use chinwag_log::{Log, Seq};
use rusqlite::Connection;
use support::{PATIENCE, Proposer, folder, opened, said, store, who};
use tempfile::TempDir;

const TEA: RoomId = RoomId(1);
const OTHER: RoomId = RoomId(2);

fn eve() -> Arc<Who> {
    Arc::new(Who {
        nick: "evening".into(),
        user: "~e".into(),
        host: "eve.example".into(),
        account: Some("Eve".into()),
    })
}

fn says(
    proposer: &mut Proposer,
    room: u32,
    by: &Arc<Who>,
    user: u64,
    text: &str,
) -> chinwag_log::Proposal<Event> {
    proposer.now_ms += 1;
    proposer.proposal(Event::Said(Arc::new(Said {
        by: Arc::clone(by),
        user: UserId(user),
        ..said(room, text)
    })))
}

/// Two rooms in which ann and eve spoke by turns, `count` messages in each: even numbers are eve's.
fn filled(dir: &TempDir, count: u64) -> (Opened, Proposer) {
    let mut opened = opened(dir);
    let mut proposer = Proposer { now_ms: 1_000, ..Proposer::default() };
    let mut batch: Vec<_> = ["#tea", "#other"]
        .map(|name| proposer.proposal(Event::Opened { name: name.into(), by: who("ann"), common: false }))
        .into();
    let (ann, eve) = (who("ann"), eve());
    for number in 1..=count {
        for room in [1, 2] {
            let (by, user, word) = if number % 2 == 0 { (&eve, 2, "secret") } else { (&ann, 1, "open") };
            batch.push(says(&mut proposer, room, by, user, &format!("{word}-{room}-{number}- leaf")));
        }
    }
    store(&mut opened.log, batch);
    (opened, proposer)
}

fn happens(opened: &mut Opened, proposer: &mut Proposer, event: Event) -> Seq {
    proposer.now_ms += 1;
    let proposal = proposer.proposal(event);
    store(&mut opened.log, vec![proposal])[0].seq
}

fn erases(whom: &str, since_ms: u64, room: Option<RoomId>) -> Event {
    let act = Act::Erased { whom: whom.into(), since_ms, room, place: None };
    Event::OperatorActed(Arc::new(OperatorActed { by: who("boss"), operator: Some("boss".into()), act }))
}

/// Waits until an erasure is done.
fn wait(opened: &Opened, seq: Seq) -> Erasure {
    let until = Instant::now() + PATIENCE;
    loop {
        let erasures = opened.reader.erasures().expect("reads");
        let found = erasures.into_iter().find(|erasure| erasure.seq == seq).expect("it was begun");
        if found.done {
            return found;
        }
        assert!(Instant::now() < until, "it does not end: {found:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn message(opened: &Opened, room: RoomId, number: u64) -> Option<(String, String)> {
    let lookup = Lookup { room, of: Pointer::Number(Number(number)), last: Number(100_000) };
    let found = opened.reader.message(&lookup).ok()?.expect("its row stays");
    Some((found.row.by.nick.to_string(), found.row.text.to_string()))
}

fn count(dir: &TempDir, file: &str, sql: &str) -> i64 {
    let db = Connection::open(dir.path().join(file)).expect("opens");
    db.busy_timeout(PATIENCE).expect("waits");
    db.query_row(sql, (), |row| row.get(0)).expect("counts")
}

fn anywhere(dir: &TempDir, what: &str) -> bool {
    let mut files = fs::read_dir(dir.path()).expect("a folder").map(|file| file.expect("a file").path());
    files.any(|path| {
        fs::read(path).is_ok_and(|bytes| bytes.windows(what.len()).any(|part| part == what.as_bytes()))
    })
}

fn edited(number: u64, position: u64, by: &Arc<Who>, what: Amendment) -> Event {
    Event::Amended(Arc::new(Amended {
        room: TEA,
        basis: 0,
        number: Number(number),
        position,
        of: "evening".into(),
        own: true,
        status: None,
        user: UserId(2),
        by: Arc::clone(by),
        what,
        excerpt: None,
        tags: None,
    }))
}

#[test]
fn nothing_of_somebody_is_left_but_that_something_was_said() {
    let dir = folder();
    let (mut opened, mut proposer) = filled(&dir, 100);
    let index = opened.index().expect("starts");
    // Number 2 of #tea is at position 5.
    happens(
        &mut opened,
        &mut proposer,
        edited(2, 5, &eve(), Amendment::Edited { text: "secret-new-".into() }),
    );
    let reacted = Amendment::Reacted { reaction: "secret-emoji-".into(), set: true };
    happens(&mut opened, &mut proposer, edited(1, 3, &eve(), reacted));
    let query = EraseQuery {
        whom: "a:eve".into(),
        mapping: Default::default(),
        since_ms: 0,
        room: None,
        looks: 1_000_000,
        until: opened.log.head(),
    };
    let erasable = |query: &EraseQuery| opened.reader.erasable(query).expect("reads");
    assert_eq!(erasable(&query), Erasable { messages: 100, rooms: 2, more: false });
    assert_eq!(erasable(&EraseQuery { room: Some(OTHER), ..query.clone() }).messages, 50);
    assert!(erasable(&EraseQuery { looks: 10, ..query.clone() }).more);
    let seq = happens(&mut opened, &mut proposer, erases("a:eve", 0, None));
    let done = wait(&opened, seq);
    assert_eq!((done.gone, done.looked_at, &*done.whom), (100, seq, "a:eve"));
    for room in [TEA, OTHER] {
        assert_eq!(
            count(
                &dir,
                DATABASE_FILE,
                &format!(
                    "SELECT count(*) FROM ev WHERE room = {} AND kind = 5 AND number % 2 = 0 AND body = ''",
                    room.0
                )
            ),
            50
        );
        assert_eq!(message(&opened, room, 1).expect("there").0, "ann");
    }
    // The index follows.
    let until = Instant::now() + PATIENCE;
    let indexed = || {
        let index = Connection::open(dir.path().join(SEARCH_FILE)).expect("opens");
        let count = "SELECT count(*) FROM post_0 WHERE post_0 MATCH 'leaf'";
        // It may not have been begun yet.
        index.query_row(count, (), |row| row.get::<_, i64>(0)).unwrap_or(-1)
    };
    while indexed() != 100 {
        assert!(Instant::now() < until, "its words stay in the index");
        std::thread::sleep(Duration::from_millis(20));
    }
    drop(index);
    // Somebody of that name who says something now is somebody again.
    let next = says(&mut proposer, 1, &eve(), 2, "later");
    store(&mut opened.log, vec![next]);
    assert_eq!(message(&opened, TEA, 101).expect("there"), ("evening".to_owned(), "later".to_owned()));
    opened.log.close(PATIENCE).expect("closes");
    for gone in ["secret-1-2-", "secret-2-100-", "secret-new-", "secret-emoji-"] {
        assert!(!anywhere(&dir, gone), "{gone}");
    }
    assert!(anywhere(&dir, "open-1-1-"));
}

#[test]
fn one_room_or_what_was_said_since_and_who_has_more_stays_somebody() {
    let dir = folder();
    let (mut opened, mut proposer) = filled(&dir, 100);
    let seq = happens(&mut opened, &mut proposer, erases("evening!*@*", 0, Some(TEA)));
    assert_eq!(wait(&opened, seq).gone, 50);
    assert_eq!(
        message(&opened, OTHER, 2).expect("there"),
        ("evening".to_owned(), "secret-2-2- leaf".to_owned())
    );
    // The second half, which was said after this moment.
    let since: i64 = count(&dir, DATABASE_FILE, "SELECT at_ms FROM ev WHERE room = 2 AND number = 51");
    let seq = happens(&mut opened, &mut proposer, erases("*!*@eve.example", since.cast_unsigned(), None));
    assert_eq!(wait(&opened, seq).gone, 25);
    assert_eq!(message(&opened, OTHER, 50).expect("there").0, "evening");
    let gone = "SELECT count(*) FROM ev WHERE room = 2 AND kind = 5";
    assert_eq!(count(&dir, DATABASE_FILE, gone), 25);
    // Whom nobody is meant by, and what makes no sense, come to an end as well.
    for whom in ["a:nobody", "m:"] {
        let seq = happens(&mut opened, &mut proposer, erases(whom, 0, None));
        assert_eq!(wait(&opened, seq).gone, 0);
    }
}

#[test]
fn it_goes_on_where_an_end_of_the_process_left_it() {
    let dir = folder();
    let (mut opened, mut proposer) = filled(&dir, 10_000);
    let seq = happens(&mut opened, &mut proposer, erases("a:eve", 0, None));
    drop(opened);
    let before = count(&dir, DATABASE_FILE, "SELECT gone FROM erase");
    assert!(before < 10_000, "all of it went at once");
    // What is said before it has come to an end is not meant.
    let mut opened = support::opened(&dir);
    let next = says(&mut proposer, 1, &eve(), 2, "later");
    store(&mut opened.log, vec![next]);
    assert_eq!(wait(&opened, seq).gone, 10_000);
    assert_eq!(message(&opened, TEA, 10_001).expect("there"), ("evening".to_owned(), "later".to_owned()));
    assert_eq!(count(&dir, DATABASE_FILE, "SELECT count(*) FROM ev WHERE body LIKE 'secret%'"), 0);
    assert_eq!(count(&dir, DATABASE_FILE, "SELECT count(*) FROM erase_sender"), 0);
}
