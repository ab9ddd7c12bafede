//! What happens to messages after they were said: newest texts, former ones, and nothing of what was deleted.

mod support;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chinwag_archive::{DATABASE_FILE, Opened};
use chinwag_core::chat::Chat;
use chinwag_core::event::{Amended, Amendment, Event};
use chinwag_core::history::{Part, Query, Row, Show};
use chinwag_core::ids::{Number, RoomId, UserId};
use chinwag_core::pointed::{Change, Found, Lookup, Pointer};
use chinwag_log::{Entry, Log, Seq};
use chinwag_wire::msgid::MsgIdKey;
use rusqlite::Connection;
use support::{PATIENCE, Proposer, folder, opened, store, who};
use tempfile::TempDir;

const TEA: RoomId = RoomId(1);

fn amended(number: u64, position: u64, what: Amendment) -> Event {
    Event::Amended(Arc::new(Amended {
        room: TEA,
        basis: 0,
        number: Number(number),
        position,
        of: "ann".into(),
        own: true,
        status: None,
        user: UserId(1 << 48),
        by: who("ann"),
        what,
        excerpt: Some("never kept".into()),
        tags: None,
    }))
}

fn edited(text: &str) -> Amendment {
    Amendment::Edited { text: text.into() }
}

fn deleted(reason: &str) -> Amendment {
    Amendment::Redacted { reason: Some(reason.into()) }
}

/// A room with three messages at positions 2, 3 and 4.
fn filled(dir: &TempDir) -> (Opened, Proposer) {
    let mut opened = opened(dir);
    let mut proposer = Proposer { now_ms: 1_000, ..Proposer::default() };
    let batch = vec![
        proposer.proposal(Event::Opened { name: "#tea".into(), by: who("ann"), common: false }),
        proposer.say(1, "first one"),
        proposer.say(1, "second one"),
        proposer.say(1, "third one"),
    ];
    store(&mut opened.log, batch);
    (opened, proposer)
}

fn happens(opened: &mut Opened, proposer: &mut Proposer, event: Event) -> Entry<Event> {
    proposer.now_ms += 1_000;
    let proposal = proposer.proposal(event);
    store(&mut opened.log, vec![proposal]).remove(0)
}

fn page(opened: &Opened, show: Show) -> Vec<Row> {
    let query = Query {
        room: TEA,
        name: "#tea".into(),
        part: Part::Latest(None),
        limit: 100,
        first: Number(1),
        last: Number(100),
        events: false,
        until: Seq(0),
        clock: false,
        two: None,
        batch: "b".into(),
        show,
    };
    opened.reader.page(&query).expect("reads").rows
}

fn texts(opened: &Opened) -> Vec<String> {
    page(opened, Show::Said).iter().map(|row| row.text.to_string()).collect()
}

fn message(opened: &Opened, of: Pointer) -> Option<Box<Found>> {
    opened.reader.message(&Lookup { room: TEA, of, last: Number(100) }).expect("reads")
}

/// Runs a check on messages that the index of places does not have, and then on the same ones when it does.
fn however_placed(dir: &TempDir, opened: Opened, check: impl Fn(&Opened)) {
    check(&opened);
    opened.log.close(PATIENCE).expect("closes");
    check(&support::opened(dir));
}

#[test]
fn the_newest_text_is_read_and_the_former_ones_are_there() {
    let dir = folder();
    let (mut opened, mut proposer) = filled(&dir);
    happens(&mut opened, &mut proposer, amended(2, 3, edited("second two")));
    let entry = happens(&mut opened, &mut proposer, amended(2, 3, edited("second three")));
    however_placed(&dir, opened, |opened| {
        assert_eq!(texts(opened), ["first one", "second three", "third one"]);
        for of in [Pointer::Number(Number(2)), Pointer::Seq(Seq(3))] {
            let found = message(opened, of).expect("is there");
            assert_eq!((found.row.number, found.row.seq), (Number(2), Seq(3)));
            assert_eq!((found.user, &*found.row.by.nick), (UserId(1 << 48), "ann"));
            let before: Vec<_> = found.formers.iter().map(|former| (former.at_ms, &former.change)).collect();
            let was = |text: &str| Change::Edited(Some(text.into()));
            assert_eq!(before, [(2_000, &was("second one")), (3_000, &was("second two"))]);
        }
        // The log has what happened as it happened, but for what is shown to people at the moment.
        let read = opened.log.read(Seq(entry.seq.0 - 1), 1).expect("reads").remove(0);
        let Event::Amended(read) = read.event else { panic!("{read:?}") };
        assert_eq!((&read.what, &read.excerpt), (&edited("second three"), &None));
    });
}

#[test]
fn only_messages_of_the_room_are_found() {
    let dir = folder();
    let (opened, _) = filled(&dir);
    for of in [Pointer::Number(Number(4)), Pointer::Number(Number(u64::MAX)), Pointer::Seq(Seq(1))] {
        assert_eq!(message(&opened, of), None, "{of:?}");
    }
    assert_eq!(message(&opened, Pointer::Seq(Seq(u64::MAX))), None);
    let elsewhere = Lookup { room: RoomId(2), of: Pointer::Seq(Seq(3)), last: Number(100) };
    assert_eq!(opened.reader.message(&elsewhere).expect("reads"), None);
    let pins = Show::Pins([Number(3), Number(1), Number(9)].into());
    let numbers: Vec<u64> = page(&opened, pins).iter().map(|row| row.number.0).collect();
    assert_eq!(numbers, [3, 1]);
}

#[test]
fn a_deleted_message_keeps_its_place_and_nothing_else() {
    let dir = folder();
    let (mut opened, mut proposer) = filled(&dir);
    happens(&mut opened, &mut proposer, amended(2, 3, edited("second two")));
    happens(&mut opened, &mut proposer, amended(2, 3, deleted("a slip")));
    happens(&mut opened, &mut proposer, amended(2, 3, edited("second three")));
    let last = proposer.say(1, "fourth one");
    store(&mut opened.log, vec![last]);
    however_placed(&dir, opened, |opened| {
        assert_eq!(texts(opened), ["first one", "third one", "fourth one"]);
        let found = message(opened, Pointer::Number(Number(2))).expect("its place is there");
        assert_eq!((found.row.seq, &*found.row.text), (Seq(3), ""));
        let changes: Vec<_> = found.formers.iter().map(|former| &former.change).collect();
        assert_eq!(changes, [&Change::Edited(None), &Change::Deleted(Some("a slip".into()))]);
        let entries = opened.log.read(Seq(0), 100).expect("reads");
        let all = format!("{entries:?}");
        assert!(!all.contains("second") && all.contains("fourth one"), "{all}");
    });
}

/// Whether a text is anywhere in the files of a folder.
fn holds(dir: &Path, text: &str) -> bool {
    fs::read_dir(dir).expect("lists").any(|file| {
        let bytes = fs::read(file.expect("a file").path()).unwrap_or_default();
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    })
}

#[test]
fn what_is_deleted_is_in_no_file_any_more() {
    let dir = folder();
    let (mut opened, mut proposer) = filled(&dir);
    // Long enough for pages of its own, too.
    let secret = |n: u32| format!("secret-{n}-").repeat(if n == 2 { 700 } else { 3 });
    let batch = (1..=3).map(|n| proposer.say(1, &secret(n))).collect();
    store(&mut opened.log, batch);
    happens(&mut opened, &mut proposer, amended(4, 5, edited(&secret(4))));
    happens(&mut opened, &mut proposer, amended(4, 5, edited(&secret(5))));
    let batch = (0..500).map(|n| proposer.say(1, &format!("other {n}"))).collect();
    store(&mut opened.log, batch);
    assert!((1..=5).all(|n| holds(dir.path(), &secret(n)[..9])));
    for (number, position) in [(4, 5), (5, 6), (6, 7)] {
        happens(&mut opened, &mut proposer, amended(number, position, deleted("gone")));
    }
    // Emptying the log file is not waited for by anybody who deletes.
    let until = Instant::now() + Duration::from_secs(20);
    while holds(dir.path(), "secret-") {
        assert!(Instant::now() < until, "what was deleted is still in a file");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(holds(dir.path(), "other 499"), "the rest is there");
    opened.log.close(PATIENCE).expect("closes");
    assert!(!holds(dir.path(), "secret-"));
}

#[test]
fn a_chat_is_restored_with_its_pins_and_deletions_and_without_a_look_at_the_rest() {
    let dir = folder();
    let (mut opened, mut proposer) = filled(&dir);
    let reacted = |set| Amendment::Reacted { reaction: "+1".into(), set };
    for event in [
        amended(1, 2, Amendment::Pinned { set: true }),
        amended(3, 4, Amendment::Pinned { set: true }),
        amended(1, 2, reacted(true)),
        amended(1, 2, reacted(false)),
        amended(3, 4, edited("third two")),
        amended(3, 4, deleted("x")),
    ] {
        happens(&mut opened, &mut proposer, event);
    }
    let key = MsgIdKey(opened.meta.msgid_key);
    let mut live = Chat::new(key);
    for entry in opened.log.read(Seq(0), 100).expect("reads") {
        live.apply(&entry, &mut Vec::new());
    }
    let mut restored = Chat::new(key);
    opened.restore(&mut restored).expect("restores");
    assert_eq!(restored.stored_hash(), live.stored_hash());
    let room = restored.room(TEA).expect("the room");
    assert_eq!(room.pins, [Number(1)]);
    assert!(room.redacted.contains(&Number(3)) && room.redacted.len() == 1);
    drop(opened);
    let database = Connection::open(dir.path().join(DATABASE_FILE)).expect("opens");
    let plan = "EXPLAIN QUERY PLAN SELECT seq FROM ev
        WHERE number IS NULL AND kind NOT IN (21, 23, 25, 42) AND seq > 0 ORDER BY seq LIMIT 1000";
    let plan: String = database.query_row(plan, (), |row| row.get(3)).expect("explains");
    assert!(plan.contains("USING") && plan.contains("ev_other"), "{plan}");
}

/// The tables as the first version had them, and what it wrote.
const VERSION_1: &str = r##"
CREATE TABLE ev(
    seq INTEGER PRIMARY KEY, room INTEGER NOT NULL, number INTEGER, at_ms INTEGER NOT NULL,
    kind INTEGER NOT NULL, sender INTEGER, basis INTEGER, body TEXT, extra TEXT
);
CREATE TABLE place(
    room INTEGER NOT NULL, number INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY(room, number)
) WITHOUT ROWID;
CREATE INDEX ev_other ON ev(seq) WHERE number IS NULL;
CREATE TABLE sender(
    id INTEGER PRIMARY KEY, user INTEGER NOT NULL, nick TEXT NOT NULL, ident TEXT NOT NULL, host TEXT NOT NULL,
    account TEXT
);
CREATE INDEX sender_user ON sender(user);
CREATE TABLE room(id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;
INSERT INTO sender VALUES (1, 281474976710656, 'ann', '~u', 'example.org', NULL);
INSERT INTO room VALUES (1, '#tea');
INSERT INTO ev VALUES
    (1, 1, NULL, 1000, 16, NULL, NULL, NULL,
     '{"v":1,"event":"opened","name":"#tea","by":{"nick":"ann","user":"~u","host":"example.org"},"common":false}'),
    (2, 1, 1, 1000, 1, 1, 0, 'from long ago', NULL),
    (3, 1, 2, 2000, 1, 1, 0, 'and a slip', '{"v":1,"tags":"+a=b"}');
INSERT INTO place VALUES (1, 1, 2), (1, 2, 3);
INSERT INTO meta VALUES ('placed', 3);
PRAGMA application_id = 0x63687767;
PRAGMA user_version = 1;
"##;

#[test]
fn a_database_of_the_first_version_is_brought_up_to_date() {
    let dir = folder();
    let file = dir.path().join(DATABASE_FILE);
    Connection::open(&file).and_then(|database| database.execute_batch(VERSION_1)).expect("creates");
    let mut opened = opened(&dir);
    let mut proposer = Proposer { now_ms: 3_000, ..Proposer::default() };
    proposer.heads.insert(1, 2);
    assert_eq!(texts(&opened), ["from long ago", "and a slip"]);
    happens(&mut opened, &mut proposer, amended(1, 2, edited("from today")));
    happens(&mut opened, &mut proposer, amended(2, 3, deleted("x")));
    let said = proposer.say(1, "new");
    store(&mut opened.log, vec![said]);
    assert_eq!(texts(&opened), ["from today", "new"]);
    // What is placed now, in another form, stands beside what was placed then.
    opened.log.close(PATIENCE).expect("closes");
    let mut opened = support::opened(&dir);
    let said = (0..3).map(|n| proposer.say(1, &format!("newer {n}"))).collect();
    store(&mut opened.log, said);
    opened.log.close(PATIENCE).expect("closes");
    let opened = support::opened(&dir);
    assert_eq!(texts(&opened), ["from today", "new", "newer 0", "newer 1", "newer 2"]);
    let rows = Connection::open(&file)
        .and_then(|database| {
            database.query_row("SELECT count(*), sum(count) FROM place", (), |row| {
                Ok((row.get::<_, u32>(0)?, row.get::<_, u32>(1)?))
            })
        })
        .expect("counts");
    assert_eq!(rows, (4, 6), "what follows one another is one row");
    let mut chat = Chat::new(MsgIdKey(opened.meta.msgid_key));
    opened.restore(&mut chat).expect("restores");
    assert_eq!(chat.room(TEA).map(|room| (room.head, room.redacted.len())), Some((Number(6), 1)));
}
