//! A database of an earlier form is brought to the new one, or stays what it was, wherever that ends; and there is
//! a way back.

#[allow(dead_code, reason = "each test file uses a part of it")]
#[path = "support/faulty.rs"]
mod faulty;
mod support;

use std::fs;
use std::path::Path;

use chinwag_archive::{CopyError, DATABASE_FILE, OpenError, Options, SNAPSHOTS, open, rollback, snapshots};
use chinwag_core::event::Event;
use chinwag_log::Seq;
use faulty::Faulty;
use rusqlite::Connection;
use support::{PATIENCE, folder};

/// The first form, as it was. It never changes.
const FORM_1: &str = "
CREATE TABLE ev(seq INTEGER PRIMARY KEY, room INTEGER NOT NULL, number INTEGER, at_ms INTEGER NOT NULL,
    kind INTEGER NOT NULL, sender INTEGER, basis INTEGER, body TEXT, extra TEXT);
CREATE TABLE place(room INTEGER NOT NULL, number INTEGER NOT NULL, seq INTEGER NOT NULL,
    PRIMARY KEY(room, number)) WITHOUT ROWID;
CREATE INDEX ev_other ON ev(seq) WHERE number IS NULL;
CREATE TABLE sender(id INTEGER PRIMARY KEY, user INTEGER NOT NULL, nick TEXT NOT NULL, ident TEXT NOT NULL,
    host TEXT NOT NULL, account TEXT);
CREATE INDEX sender_user ON sender(user);
CREATE TABLE room(id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;
INSERT INTO meta VALUES ('msgid_key', randomblob(16)), ('origin', 1), ('placed', 0);
INSERT INTO room VALUES (1, '#lobby');
INSERT INTO sender VALUES (1, 7, 'ann', '~ann', 'example.org', NULL);
INSERT INTO ev VALUES (1, 1, NULL, 1000, 16, NULL, NULL, NULL,
    '{\"v\":1,\"event\":\"opened\",\"name\":\"#lobby\",\"by\":{\"nick\":\"s\",\"user\":\"s\",\"host\":\"s\"},\"common\":true}');
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)
INSERT INTO ev SELECT i + 1, 1, i, 1000 + i, 1, 1, 0, 'message ' || i, NULL FROM n;
PRAGMA application_id = 0x63687767;
PRAGMA user_version = 1;
";

const MESSAGES: usize = 300;

/// A data folder as the first version left it.
fn old(dir: &Path) {
    let db = Connection::open(dir.join(DATABASE_FILE)).expect("opens");
    db.pragma_update(None, "journal_mode", "WAL").expect("sets");
    db.execute_batch(FORM_1).expect("the first form");
}

/// The form of a database, after a look at all of it.
fn form(file: &Path) -> i64 {
    let db = Connection::open(file).expect("opens");
    let found: String = db.query_row("PRAGMA integrity_check", (), |row| row.get(0)).expect("checks");
    assert_eq!(found, "ok", "{}", file.display());
    let said = "SELECT count(*) FROM ev WHERE body = 'message ' || number";
    let said: i64 = db.query_row(said, (), |row| row.get(0)).expect("counts");
    assert_eq!(said, MESSAGES as i64, "{}", file.display());
    db.pragma_query_value(None, "user_version", |row| row.get(0)).expect("reads")
}

fn at(now_ms: u64) -> Options {
    Options { now_ms, ..Options::default() }
}

#[test]
fn an_upgrade_that_ends_anywhere_leaves_the_old_or_the_new() {
    let faulty = Faulty::take_all();
    let (mut olds, mut news) = (0, 0);
    for step in 0..10_000 {
        let dir = folder();
        old(dir.path());
        faulty.end_after(step);
        let opened = open(dir.path(), at(5_000));
        let whole = opened.is_ok();
        drop(opened);
        let ended = faulty.has_ended();
        match form(&dir.path().join(DATABASE_FILE)) {
            1 => olds += 1,
            _ => news += 1,
        }
        for snapshot in snapshots(dir.path()).expect("reads") {
            assert_eq!(form(&snapshot.file), 1, "what is called a snapshot is whole");
        }
        // The next start makes it the new one, whatever there is.
        let mut again = open(dir.path(), at(6_000)).expect("opens");
        let read = again.reader.entries(Seq(0), 1_000).expect("reads");
        assert_eq!(read.iter().filter(|entry| matches!(entry.event, Event::Said(_))).count(), MESSAGES);
        support::store(&mut again.log, vec![support::Proposer::default().say(2, "after")]);
        again.log.close(PATIENCE).expect("closes");
        if whole && !ended {
            assert!(olds > 20 && news > 2, "it ended before ({olds}) and after ({news}) the change");
            return;
        }
    }
    panic!("the upgrade never came to its end");
}

#[test]
fn without_a_copy_nothing_is_changed() {
    let _turn = Faulty::take_all();
    let dir = folder();
    old(dir.path());
    fs::write(dir.path().join(SNAPSHOTS), "a file where the folder should be").expect("writes");
    let error = open(dir.path(), at(5_000)).expect_err("there is no place for a copy");
    assert!(matches!(error, OpenError::Snapshot(_)), "{error:?}");
    assert_eq!(form(&dir.path().join(DATABASE_FILE)), 1);
}

#[test]
fn the_way_back_leads_to_what_was_there_before_the_change() {
    let _turn = Faulty::take_all();
    let dir = folder();
    let none = rollback(dir.path(), None, 1, &mut |_| {}).expect_err("nothing yet");
    assert!(matches!(none, CopyError::NoSnapshot(_)), "{none}");
    old(dir.path());
    let first = open(dir.path(), at(5_000)).expect("opens");
    let busy = rollback(dir.path(), None, 6_000, &mut |_| {}).expect_err("somebody uses it");
    assert!(busy.to_string().contains("in use by another chinwag"), "{busy}");
    first.log.close(PATIENCE).expect("closes");
    let new = form(&dir.path().join(DATABASE_FILE));
    assert!(new > 1);
    let back = rollback(dir.path(), None, 7_000, &mut |_| {}).expect("goes back");
    assert_eq!((back.to.form, back.to.at_ms, back.contents.events), (1, 5_000, 301));
    assert_eq!(form(&dir.path().join(DATABASE_FILE)), 1);
    // And forth again: what was replaced is a snapshot as well.
    let before = back.before.expect("there was something");
    let name = before.file_stem().and_then(|name| name.to_str()).expect("a name").to_owned();
    rollback(dir.path(), Some(&name), 8_000, &mut |_| {}).expect("goes forth");
    assert_eq!(form(&dir.path().join(DATABASE_FILE)), new);
    assert!(rollback(dir.path(), Some("chat-1"), 9_000, &mut |_| {}).is_err());
}

#[test]
fn only_some_snapshots_are_kept() {
    let _turn = Faulty::take_all();
    let dir = folder();
    for round in 0..7 {
        let _ = fs::remove_file(dir.path().join(DATABASE_FILE));
        old(dir.path());
        open(dir.path(), at(1_000 + round)).expect("opens").log.close(PATIENCE).expect("closes");
    }
    let kept: Vec<u64> = snapshots(dir.path()).expect("reads").iter().map(|kept| kept.at_ms).collect();
    assert_eq!(kept, [1_003, 1_004, 1_005, 1_006]);
}
