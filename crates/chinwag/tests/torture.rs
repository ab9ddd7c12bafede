//! kill -9 at a random moment under load, again and again: every message whose echo was seen is in the history,
//! once, and in the order in which it was seen.
//!
//! `CHINWAG_ROUNDS` says how often (5 by default); `CHINWAG_SEED` repeats the moments of a run.

#![allow(clippy::unwrap_used)]

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::SocketAddr;
use std::path::Path;
use std::thread;
use std::time::Duration;

use chinwag_testkit::caller::Caller;
use chinwag_testkit::history;
use chinwag_testkit::process::Process;

const SENDERS: usize = 6;

/// Messages that one sender has under way.
const WINDOW: usize = 16;

/// Sends until the server is gone; gives back what it saw of the room, its own echoes among it.
fn talk(address: SocketAddr, round: usize, sender: usize) -> Vec<String> {
    // With draft/chathistory nothing is shown on joining that was said before.
    let mut caller = Caller::member(address, &format!("s{sender}"), "echo-message draft/chathistory", "#tea");
    let mine = format!("{round}-{sender}-");
    let (mut sent, mut echoed, mut seen) = (0, 0, Vec::new());
    loop {
        while sent - echoed < WINDOW {
            if caller.try_send(format!("PRIVMSG #tea :{mine}{sent}\r\n").as_bytes()).is_err() {
                break;
            }
            sent += 1;
        }
        // What arrived before the end counts: the server said it, so it is kept.
        let Ok(Some(line)) = caller.try_line() else { return seen };
        if let Some((_, text)) = line.split_once(" PRIVMSG #tea :") {
            // A line cut in the middle by the end has no line end, but looks like one here.
            if text.starts_with(&mine) {
                echoed += 1;
            }
            seen.push(text.to_owned());
        }
    }
}

#[test]
fn what_was_echoed_survives_kill_9_once_and_in_order() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let rounds = number("CHINWAG_ROUNDS").unwrap_or(5);
    let mut seed = number("CHINWAG_SEED").unwrap_or_else(|| RandomState::new().hash_one(0) % 1_000_000);
    println!("CHINWAG_SEED={seed}");
    let folder = tempfile::tempdir().unwrap();
    let serve = || Process::serve(Path::new(env!("CARGO_BIN_EXE_chinwag")), folder.path(), &[], &[]);
    let mut witnessed = Vec::new();
    for round in 0..rounds as usize {
        let server = serve();
        let address = server.address();
        let talkers: Vec<_> = (0..SENDERS).map(|n| thread::spawn(move || talk(address, round, n))).collect();
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        thread::sleep(Duration::from_millis(100 + (seed >> 33) % 400));
        server.kill();
        for talker in talkers {
            let mut seen = talker.join().unwrap();
            // The last line may have been cut by the end.
            seen.pop();
            witnessed.push(seen);
        }
        let server = serve();
        check(&history::all(server.address(), "reader", "#tea"), &witnessed);
    }
    let total: usize = witnessed.iter().map(Vec::len).sum();
    assert!(total > 0, "nobody saw anything: no load, no test");
}

/// Everything that was seen is there, once, and each witness saw it in the order of the history.
fn check(kept: &[String], witnessed: &[Vec<String>]) {
    let mut places = HashMap::new();
    for (place, text) in kept.iter().enumerate() {
        assert_eq!(places.insert(text.as_str(), place), None, "{text} is kept twice");
    }
    for seen in witnessed {
        let found = seen.iter().map(|text| {
            *places.get(text.as_str()).unwrap_or_else(|| panic!("{text} was shown and is not kept"))
        });
        let found: Vec<usize> = found.collect();
        assert!(found.is_sorted(), "shown in another order than kept");
    }
}
