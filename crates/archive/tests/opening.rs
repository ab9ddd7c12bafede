//! Opening: what is refused and how it is said, what survives, and how long it takes.

mod support;

use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chinwag_archive::{DATABASE_FILE, OpenError, Options, open};
use chinwag_core::chat::Chat;
use chinwag_core::event::{Event, ModeChange};
use chinwag_core::ids::{Number, RoomId};
use chinwag_wire::msgid::MsgIdKey;
use rusqlite::Connection;
use support::{PATIENCE, Proposer, folder, opened, store, who};

#[test]
fn the_facts_survive_and_keys_always_grow() {
    let dir = folder();
    let at = |now_ms| open(dir.path(), Options { now_ms, ..Options::default() }).expect("opens").meta;
    let first = at(1_000_000);
    assert_eq!(first.first_key, 1_000_000 << 20);
    assert_ne!(first.msgid_key, [0, 0]);
    let later = at(2_000_000);
    assert_eq!((later.msgid_key, later.origin), (first.msgid_key, first.origin));
    assert_eq!(later.first_key, 2_000_000 << 20);
    let clock_set_back = at(5);
    assert!(clock_set_back.first_key > later.first_key);
    assert!(at(5).first_key > clock_set_back.first_key);
    assert_ne!(opened(&folder()).meta.msgid_key, first.msgid_key, "each database has its own key");
}

#[test]
fn a_second_chinwag_is_told_to_go_elsewhere() {
    let dir = folder();
    let _first = opened(&dir);
    let error = open(dir.path(), Options::default()).expect_err("it is in use");
    assert!(
        matches!(error, OpenError::InUse { pid: Some(pid), .. } if pid == std::process::id()),
        "{error:?}"
    );
    assert!(error.to_string().contains("in use by another chinwag"), "{error}");
}

#[test]
fn a_folder_that_cannot_be_is_explained() {
    let dir = folder();
    let file = dir.path().join("file");
    fs::write(&file, "x").expect("writes");
    let error = open(&file.join("data"), Options::default()).expect_err("a file is no folder");
    assert!(matches!(error, OpenError::NotWritable { .. }), "{error:?}");
    assert!(error.to_string().contains("--data"), "{error}");
}

#[test]
fn a_newer_database_is_left_alone() {
    let dir = folder();
    drop(opened(&dir));
    let file = dir.path().join(DATABASE_FILE);
    Connection::open(&file).and_then(|db| db.pragma_update(None, "user_version", 99)).expect("sets");
    let error = open(dir.path(), Options::default()).expect_err("it is newer");
    assert!(matches!(error, OpenError::NewerSchema { found: 99, .. }), "{error:?}");
    assert!(error.to_string().contains("newer chinwag"), "{error}");
}

#[test]
fn somebody_elses_file_is_left_alone() {
    let dir = folder();
    let file = dir.path().join(DATABASE_FILE);
    fs::write(&file, "this is a letter, not a database, and long enough to have no header".repeat(20))
        .expect("writes");
    let error = open(dir.path(), Options::default()).expect_err("no database at all");
    assert!(matches!(error, OpenError::Foreign { .. }), "{error:?}");
    fs::remove_file(&file).expect("removes");
    Connection::open(&file).and_then(|db| db.execute_batch("CREATE TABLE cats(name)")).expect("creates");
    let error = open(dir.path(), Options::default()).expect_err("a database of cats");
    assert!(matches!(error, OpenError::Foreign { .. }), "{error:?}");
    assert!(error.to_string().contains("not a chinwag database"), "{error}");
}

#[test]
fn a_damaged_database_is_reported() {
    let dir = folder();
    let mut first = opened(&dir);
    let mut proposer = Proposer::default();
    let batch = (0..500).map(|n| proposer.say(1, &format!("message {n}"))).collect();
    store(&mut first.log, batch);
    first.log.close(PATIENCE).expect("closes");
    let file = dir.path().join(DATABASE_FILE);
    let mut bytes = fs::read(&file).expect("reads");
    bytes[100..4096].fill(0x5a);
    fs::write(&file, bytes).expect("writes");
    let error = open(dir.path(), Options::default()).expect_err("the first page is gone");
    assert!(matches!(error, OpenError::Damaged { .. }), "{error:?}");
    assert!(error.to_string().contains("backup"), "{error}");
}

#[test]
fn opening_an_empty_folder_is_quick() {
    let took = (0..5)
        .map(|_| {
            let dir = folder();
            let began = Instant::now();
            let opened = opened(&dir);
            let took = began.elapsed();
            drop(opened);
            took
        })
        .min()
        .expect("five times");
    eprintln!("opening an empty folder: {took:?}");
    // Generous for a loaded machine; the figure that counts is the printed one.
    assert!(took < Duration::from_millis(500), "{took:?}");
}

#[test]
fn a_chat_is_restored_without_its_messages() {
    let dir = folder();
    let mut first = opened(&dir);
    let key = MsgIdKey(first.meta.msgid_key);
    let mut live = Chat::new(key);
    let mut proposer = Proposer { now_ms: 1_000, ..Proposer::default() };
    let by = who("ann");
    let tea = RoomId(2);
    let change = |set, mode, arg: Option<&str>| ModeChange {
        set,
        mode,
        arg: arg.map(Arc::from),
        ..ModeChange::default()
    };
    let mut batch = vec![
        proposer.proposal(Event::Opened { name: "#lobby".into(), by: Arc::clone(&by), common: true }),
        proposer.proposal(Event::Opened { name: "#tea".into(), by: Arc::clone(&by), common: false }),
        proposer.say(1, "hello"),
        proposer.say(2, "tea?"),
    ];
    proposer.now_ms = 2_000;
    batch.extend([
        proposer.say(2, "tea!"),
        proposer.proposal(Event::Renewed { room: tea, basis: 0, head: Number(2), by: Arc::clone(&by) }),
        proposer.proposal(Event::TopicSet {
            room: tea,
            basis: 1,
            by: Arc::clone(&by),
            topic: "leaves".into(),
        }),
        proposer.proposal(Event::ModesChanged {
            room: tea,
            basis: 1,
            by,
            changes: vec![change(true, 'k', Some("sugar")), change(true, 'b', Some("*!*@coffee"))],
        }),
    ]);
    let mut last = proposer.say(2, "late");
    let Event::Said(said) = &last.event else { panic!("a message") };
    last.event = Event::Said(Arc::new(chinwag_core::event::Said { basis: 2, ..(**said).clone() }));
    batch.push(last);
    for entry in store(&mut first.log, batch) {
        let mut effects = Vec::new();
        assert!(live.apply(&entry, &mut effects));
        assert!(!effects.contains(&chinwag_core::effect::Effect::Stale), "{entry:?}");
    }
    first.log.close(PATIENCE).expect("closes");
    let second = opened(&dir);
    let mut restored = Chat::new(key);
    second.restore(&mut restored).expect("restores");
    assert_eq!(restored.stored_hash(), live.stored_hash());
    assert_eq!(restored.head(tea), Number(3));
    assert_eq!(restored.room(tea).map(|room| room.history_from), Some(Number(3)));
    assert_eq!(restored.rooms_opened(), 2);
}
