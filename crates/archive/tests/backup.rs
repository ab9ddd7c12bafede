//! Backups made while the log is written, and the way back.

mod support;

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use chinwag_archive::{
    CopyError, DATABASE_FILE, Options, Progress, SEARCH_FILE, backup, open, restore, verify,
};
use chinwag_core::event::Event;
use chinwag_log::Seq;
use support::{PATIENCE, Proposer, folder, opened, store};

#[test]
fn a_backup_made_while_the_log_grows_is_the_log_up_to_its_position() {
    let (dir, away) = (folder(), folder());
    let mut live = opened(&dir);
    let mut proposer = Proposer::default();
    let by = support::who("ann");
    store(&mut live.log, vec![proposer.proposal(Event::Opened { name: "#tea".into(), by, common: false })]);
    store(&mut live.log, (0..20_000).map(|n| proposer.say(1, &format!("before {n}"))).collect());
    fs::write(dir.path().join("tls-key.pem"), "secret").expect("writes");
    fs::create_dir(dir.path().join("files")).expect("makes");
    fs::write(dir.path().join("files/large"), vec![7; 2_500_000]).expect("writes");
    fs::create_dir(dir.path().join("files/coming")).expect("makes");
    fs::write(dir.path().join("files/coming/half"), "goes anyway").expect("writes");
    // A database of its own, whose last rows are not in its file yet.
    let beside = rusqlite::Connection::open(dir.path().join("files.db")).expect("opens");
    beside.pragma_update(None, "journal_mode", "WAL").expect("is set");
    beside.execute_batch("CREATE TABLE link(id); INSERT INTO link VALUES ('kept')").expect("writes");
    fs::write(dir.path().join(SEARCH_FILE), "made anew anyway").expect("writes");
    let stop = Arc::new(AtomicBool::new(false));
    let writing = {
        let stop = Arc::clone(&stop);
        thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                store(&mut live.log, (0..50).map(|n| proposer.say(1, &format!("during {n}"))).collect());
            }
            live
        })
    };
    let (mut pages, mut taken) = (0, Vec::new());
    let file = away.path().join("one.chinwag-backup");
    let made = backup(dir.path(), &file, 77, &mut |at| match at {
        Progress::Copying { done, of } => {
            assert!(done <= of);
            pages = pages.max(done);
        }
        Progress::Taking(name) => taken.push(name),
        Progress::Checking => {}
    })
    .expect("makes a backup");
    stop.store(true, Ordering::Relaxed);
    let live = writing.join().expect("writes");
    assert!(made.contents.position > 20_000 && made.contents.rooms == 1 && made.at_ms == 77, "{made:?}");
    assert_eq!(taken, ["files.db", "files/large", "tls-key.pem"]);
    assert!(pages > 0, "somebody who watches sees it going on");
    assert_eq!(verify(&file).expect("is whole"), made);
    let again = backup(dir.path(), &file, 78, &mut |_| {}).expect_err("it is there");
    assert!(matches!(again, CopyError::There(_)), "{again}");

    let other = away.path().join("data");
    let restored = restore(&file, &other, false, 99, &mut |_| {}).expect("restores");
    assert_eq!((restored.from, restored.before), (made.clone(), None));
    assert_eq!(fs::read(other.join("files/large")).expect("reads"), vec![7; 2_500_000]);
    assert_eq!(fs::read(other.join("tls-key.pem")).expect("reads"), b"secret");
    assert!(!other.join(SEARCH_FILE).exists());
    let copy = open(&other, Options::default()).expect("opens");
    assert_eq!(copy.meta.msgid_key, live.meta.msgid_key, "messages keep their names");
    let all = usize::MAX >> 1;
    let mut expected = live.reader.entries(Seq(0), all).expect("reads");
    expected.retain(|entry| entry.seq.0 <= made.contents.position);
    assert_eq!(copy.reader.entries(Seq(0), all).expect("reads"), expected, "equal up to its position");
}

#[test]
fn what_is_there_is_replaced_only_when_told_and_kept_even_then() {
    let (dir, away) = (folder(), folder());
    let mut first = opened(&dir);
    let mut proposer = Proposer::default();
    store(&mut first.log, (0..10).map(|_| proposer.say(1, "first")).collect());
    let file = away.path().join("b");
    backup(dir.path(), &file, 1, &mut |_| {}).expect("makes a backup");
    let mut watch = |_| {};
    let busy = restore(&file, dir.path(), true, 2, &mut watch).expect_err("a server runs on it");
    assert!(busy.to_string().contains("in use by another chinwag"), "{busy}");
    store(&mut first.log, vec![proposer.say(1, "after the backup")]);
    first.log.close(PATIENCE).expect("closes");
    let kept = restore(&file, dir.path(), false, 3, &mut watch).expect_err("something is there");
    assert!(kept.to_string().contains("--overwrite"), "{kept}");
    let restored = restore(&file, dir.path(), true, 4, &mut watch).expect("restores");
    assert_eq!(opened(&dir).reader.entries(Seq(0), 100).expect("reads").len(), 10);
    let before = rusqlite::Connection::open(restored.before.expect("there was something")).expect("opens");
    let count: i64 = before.query_row("SELECT count(*) FROM ev", (), |row| row.get(0)).expect("counts");
    assert_eq!(count, 11);
}

#[test]
fn what_is_damaged_or_something_else_is_not_restored() {
    let (dir, away) = (folder(), folder());
    let mut first = opened(&dir);
    let mut proposer = Proposer::default();
    store(&mut first.log, (0..2_000).map(|_| proposer.say(1, "text")).collect());
    first.log.close(PATIENCE).expect("closes");
    let (file, other) = (away.path().join("b"), away.path().join("data"));
    backup(dir.path(), &file, 1, &mut |_| {}).expect("makes a backup");
    let fails = |name: &str, word: &str| {
        let error = restore(&away.path().join(name), &other, false, 2, &mut |_| {}).expect_err(name);
        assert!(error.to_string().contains(word), "{name}: {error}");
        assert!(!other.join(DATABASE_FILE).exists(), "{name}: nothing is touched");
    };
    fails("missing", "there is no such file");
    fs::write(away.path().join("letter"), "Dear Ann, ".repeat(1_000)).expect("writes");
    fails("letter", "not a chinwag database");
    fs::copy(dir.path().join(DATABASE_FILE), away.path().join("bare")).expect("copies");
    fails("bare", "own database");
    let bytes = fs::read(&file).expect("reads");
    fs::write(away.path().join("short"), &bytes[..bytes.len() / 2]).expect("writes");
    fails("short", "damaged");
    let mut spoilt = bytes.clone();
    let middle = bytes.len() / 2;
    spoilt[middle..middle + 4_096].fill(0x5a);
    fs::write(away.path().join("spoilt"), spoilt).expect("writes");
    fails("spoilt", "damaged");
    fs::copy(&file, away.path().join("less")).expect("copies");
    let less = rusqlite::Connection::open(away.path().join("less")).expect("opens");
    less.execute("DELETE FROM ev WHERE seq = 1000", ()).expect("deletes");
    drop(less);
    fails("less", "damaged");
    fs::copy(&file, away.path().join("evil")).expect("copies");
    let evil = rusqlite::Connection::open(away.path().join("evil")).expect("opens");
    evil.execute_batch(
        "INSERT INTO backup_file VALUES ('../evil', 0, 384, x'00'); UPDATE backup_fact SET value = 1 WHERE key = 'files'",
    )
    .expect("inserts");
    drop(evil);
    fails("evil", "leads out of the folder");
    assert!(!away.path().join("evil2").exists());
    assert!(backup(&away.path().join("nowhere"), &away.path().join("c"), 1, &mut |_| {}).is_err());
}
