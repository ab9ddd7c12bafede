//! A full disk makes the log read-only until there is space; a failing sync ends it. Nothing that arrived is lost.

#[allow(dead_code, reason = "each test file uses a part of it")]
#[path = "support/faulty.rs"]
mod faulty;
mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use chinwag_archive::{CloseError, Opened, Options, PageLimit, SqliteLog, open};
use chinwag_core::event::Event;
use chinwag_core::ids::{SessionKey, UserId};
use chinwag_log::conformance::next;
use chinwag_log::{Arrival, EVENT_BYTES_MAX, Health, Log, Proposal, Refusal, Seq, Slot};
use faulty::{Fault, Faulty};
use support::{PATIENCE, Proposer, folder, opened, store};
use tempfile::TempDir;

fn faulty_log(dir: &TempDir) -> Opened {
    let options = Options { vfs: Some(Arc::from(faulty::NAME)), ..Options::default() };
    open(dir.path(), options).expect("opens")
}

/// The next refusal and the health changes before it.
fn refusal(log: &mut SqliteLog) -> (Vec<Proposal<Event>>, Refusal, Vec<Health>) {
    let mut healths = Vec::new();
    loop {
        match next(log, PATIENCE).expect("a refusal in time") {
            Arrival::Refused { batch, why } => return (batch, why, healths),
            Arrival::Health(health) => healths.push(health),
            Arrival::Entries(entries) => panic!("{entries:?} were acknowledged"),
        }
    }
}

fn health(log: &mut SqliteLog) -> Health {
    match next(log, PATIENCE).expect("a change of health in time") {
        Arrival::Health(health) => health,
        other => panic!("expected a change of health, got {other:?}"),
    }
}

fn texts(log: &SqliteLog) -> Vec<String> {
    let entries = log.read(Seq(0), 10_000).expect("reads");
    let text = |event: &Event| match event {
        Event::Said(said) => said.text.to_string(),
        other => panic!("{other:?}"),
    };
    entries.iter().map(|entry| text(&entry.event)).collect()
}

#[test]
fn a_failing_sync_is_fatal_and_what_had_arrived_is_there() {
    let faulty = Faulty::take();
    let dir = folder();
    let mut log = faulty_log(&dir).log;
    let mut proposer = Proposer::default();
    let batch = vec![proposer.say(1, "kept"), proposer.say(1, "kept too")];
    store(&mut log, batch);
    faulty.set(Fault::Sync);
    let batch = vec![proposer.say(1, "lost")];
    log.append(batch.clone()).expect("room");
    let (refused, why, healths) = refusal(&mut log);
    assert_eq!(refused, batch);
    assert!(matches!(why, Refusal::Fatal(_)), "{why}");
    assert!(matches!(healths[..], [Health::Fatal(_)]), "{healths:?}");
    // A disk that says yes the next time is not believed.
    faulty.set(Fault::None);
    log.append(vec![proposer.say(1, "too late")]).expect("room");
    let (refused, why, _) = refusal(&mut log);
    assert_eq!(refused.len(), 1);
    assert!(matches!(why, Refusal::Fatal(_)), "{why}");
    assert!(matches!(log.health(), Health::Fatal(_)));
    assert!(matches!(log.close(PATIENCE), Err(CloseError::Failed(_))));
    let log = opened(&dir).log;
    assert_eq!(texts(&log)[..2], ["kept", "kept too"]);
    assert!(!texts(&log).contains(&"too late".to_owned()), "nothing was written after the failure");
}

#[test]
fn a_failing_write_is_fatal() {
    let faulty = Faulty::take();
    let dir = folder();
    let mut log = faulty_log(&dir).log;
    let mut proposer = Proposer::default();
    store(&mut log, vec![proposer.say(1, "kept")]);
    faulty.set(Fault::Write);
    log.append(vec![proposer.say(1, "lost")]).expect("room");
    let (_, why, healths) = refusal(&mut log);
    assert!(matches!(why, Refusal::Fatal(_)), "{why}");
    assert!(matches!(healths[..], [Health::Fatal(_)]), "{healths:?}");
    drop(log);
    drop(faulty);
    assert_eq!(texts(&opened(&dir).log), ["kept"]);
}

#[test]
fn a_full_disk_refuses_and_resumes_by_itself() {
    let faulty = Faulty::take();
    let dir = folder();
    let mut log = faulty_log(&dir).log;
    let mut proposer = Proposer::default();
    store(&mut log, vec![proposer.say(1, "one"), proposer.say(1, "two")]);
    faulty.set(Fault::Full);
    for round in 0..3 {
        let batch = vec![proposer.say(1, "refused"), proposer.say(1, "refused")];
        log.append(batch.clone()).expect("room");
        let (refused, why, healths) = refusal(&mut log);
        assert_eq!(refused, batch);
        assert_eq!(why, Refusal::Unavailable("the disk is full".to_owned()));
        assert_eq!(healths.len(), usize::from(round == 0), "told once: {healths:?}");
        proposer.take_back(1, 2);
    }
    assert_eq!(texts(&log), ["one", "two"], "reading goes on");
    let came = Event::Attached { user: UserId(1), account: None, session: SessionKey(1), away: None };
    let passing = store(&mut log, vec![proposer.proposal(came)]);
    assert_eq!(passing[0].seq, Seq(2), "and so does what is not stored");
    faulty.set(Fault::None);
    assert_eq!(health(&mut log), Health::Ok, "noticed without anybody saying anything");
    let entries = store(&mut log, vec![proposer.say(1, "three")]);
    assert_eq!(entries[0].seq, Seq(3), "refused messages took no position");
    log.close(PATIENCE).expect("closes");
    assert_eq!(texts(&opened(&dir).log), ["one", "two", "three"]);
}

#[test]
fn a_full_disk_in_the_middle_of_much_loses_nothing_that_arrived() {
    let dir = folder();
    let page_limit = PageLimit::default();
    let options = Options { page_limit: page_limit.clone(), ..Options::default() };
    let mut log = open(dir.path(), options).expect("opens").log;
    page_limit.set(40);
    let mut proposer = Proposer::default();
    let mut arrived = Vec::new();
    let until = Instant::now() + PATIENCE;
    let mut number = 0;
    // Until the limit is reached, then on, with more space, after it was.
    let mut refusals = 0;
    while arrived.len() < 8_000 {
        assert!(Instant::now() < until, "{} arrived, {refusals} refusals", arrived.len());
        for _ in 0..10 {
            number += 1;
            let batch: Vec<_> = (0..10).map(|part| proposer.say(1, &format!("{number}/{part}"))).collect();
            log.append(batch).expect("room");
        }
        while let Some(arrival) = next(&mut log, Duration::from_millis(20)) {
            match arrival {
                Arrival::Entries(entries) => arrived.extend(entries),
                Arrival::Refused { batch, .. } => {
                    proposer.take_back(1, batch.len() as u64);
                    refusals += 1;
                    page_limit.set(2_000);
                }
                Arrival::Health(_) => {}
            }
        }
    }
    assert!(refusals > 0, "the limit was never reached");
    let kept = log.read(Seq(0), 100_000).expect("reads");
    assert_eq!(kept.len(), arrived.len());
    for (kept, arrived) in kept.iter().zip(&arrived) {
        assert_eq!((kept.seq, &kept.event), (arrived.seq, &arrived.event));
    }
}

#[test]
fn an_event_that_is_too_large_is_rejected_and_the_log_goes_on() {
    let dir = folder();
    let mut log = opened(&dir).log;
    let mut proposer = Proposer::default();
    log.append(vec![proposer.say(1, &"x".repeat(EVENT_BYTES_MAX + 1))]).expect("room");
    let (_, why, healths) = refusal(&mut log);
    assert!(matches!(why, Refusal::Rejected(_)), "{why}");
    assert!(healths.is_empty());
    proposer.take_back(1, 1);
    let most = "x".repeat(EVENT_BYTES_MAX);
    store(&mut log, vec![proposer.say(1, &most)]);
    assert_eq!(texts(&log), [most]);
}

#[test]
fn a_number_that_is_taken_is_rejected() {
    let dir = folder();
    let mut log = opened(&dir).log;
    let mut proposer = Proposer::default();
    store(&mut log, vec![proposer.say(1, "one"), proposer.say(1, "two")]);
    let mut twice = proposer.say(1, "twice");
    twice.slot = Slot { room: 1, number: 2 };
    log.append(vec![twice]).expect("room");
    let (_, why, _) = refusal(&mut log);
    assert!(matches!(why, Refusal::Rejected(_)), "{why}");
    assert_eq!(texts(&log), ["one", "two"]);
}

#[test]
fn closing_stores_what_is_queued_and_gives_back_what_nobody_took() {
    let dir = folder();
    let mut log = opened(&dir).log;
    let mut proposer = Proposer::default();
    for n in 0..100 {
        log.append(vec![proposer.say(1, &format!("{n}"))]).expect("room");
    }
    let left = log.close(PATIENCE).expect("closes");
    let count: usize = left
        .iter()
        .map(|arrival| match arrival {
            Arrival::Entries(entries) => entries.len(),
            other => panic!("{other:?}"),
        })
        .sum();
    assert_eq!(count, 100);
    let wal = dir.path().join("chat.db-wal");
    assert_eq!(wal.metadata().map_or(0, |file| file.len()), 0, "everything is in the database itself");
    assert_eq!(texts(&opened(&dir).log).len(), 100);
}

/// On a real disk that is really full: a folder on a file system of a few MiB, named by the environment (such as
/// `mount -t tmpfs -o size=4m none FOLDER`).
#[test]
#[ignore = "needs a small file system, named by CHINWAG_TEST_SMALL_DISK"]
fn a_real_full_disk_refuses_and_resumes_by_itself() {
    let disk = std::env::var("CHINWAG_TEST_SMALL_DISK").expect("CHINWAG_TEST_SMALL_DISK names a folder");
    let dir = tempfile::tempdir_in(&disk).expect("a folder");
    let mut log = opened(&dir).log;
    let mut proposer = Proposer::default();
    let ballast = dir.path().join("ballast");
    std::fs::write(&ballast, vec![1; 1 << 20]).expect("there is space at first");
    let text = "x".repeat(400);
    let mut arrived = 0;
    let reason = loop {
        let batch: Vec<_> = (0..20).map(|_| proposer.say(1, &text)).collect();
        log.append(batch).expect("room");
        match next(&mut log, PATIENCE).expect("an answer in time") {
            Arrival::Entries(entries) => arrived += entries.len(),
            Arrival::Health(Health::ReadOnly(reason)) => break reason,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(reason, "the disk is full");
    let (refused, why, _) = refusal(&mut log);
    assert!(matches!(why, Refusal::Unavailable(_)), "{why}");
    proposer.take_back(1, refused.len() as u64);
    assert_eq!(log.read(Seq(0), 1_000_000).expect("reading goes on").len(), arrived);
    // Several trials fail before there is space.
    assert!(next(&mut log, Duration::from_millis(2_500)).is_none(), "still full, nothing to tell");
    std::fs::remove_file(&ballast).expect("removes");
    assert_eq!(health(&mut log), Health::Ok);
    arrived += store(&mut log, vec![proposer.say(1, &text)]).len();
    drop(log);
    assert_eq!(opened(&dir).log.read(Seq(0), 1_000_000).expect("reads").len(), arrived);
}
