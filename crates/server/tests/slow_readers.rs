//! Readers that stall are disconnected with a reason, and nobody else notices.

#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use chinwag_testkit::caller::Caller;
use common::{Place, config};

const STALLED: usize = 8;
const READING: usize = 16;

/// Enough for the kernel's own buffers on both sides (a few megabytes a connection) and our bound together.
const MESSAGES: usize = 30_000;

fn reading(address: SocketAddr, n: usize) -> thread::JoinHandle<BTreeSet<String>> {
    let mut caller = Caller::member(address, &format!("reader{n}"), "", "#tea");
    thread::spawn(move || {
        let (mut next, mut quits) = (0, BTreeSet::new());
        while next < MESSAGES || quits.len() < STALLED {
            let line = caller.line();
            if let Some((_, text)) = line.split_once(" PRIVMSG #tea :") {
                let number: usize = text.split(' ').next().unwrap().parse().unwrap();
                assert_eq!(number, next, "once and in order");
                next += 1;
            } else if let Some((who, reason)) = line.split_once(" QUIT ") {
                assert!(reason.contains("send queue exceeded"), "{line}");
                quits.insert(who.split('!').next().unwrap().to_owned());
            }
        }
        quits
    })
}

#[test]
fn stalled_readers_are_disconnected_and_others_go_on() {
    let mut config = config();
    config.limits.send_queue_bytes = 64 * 1024;
    let place = Place::start(config);
    let mut stalled: Vec<Caller> =
        (0..STALLED).map(|n| Caller::member(place.address(), &format!("stalled{n}"), "", "#tea")).collect();
    let readers: Vec<_> = (0..READING).map(|n| reading(place.address(), n)).collect();
    let mut ada = Caller::member(place.address(), "ada", "echo-message", "#tea");
    let padding = "x".repeat(350);
    let mut echoed = 0;
    for n in 0..MESSAGES {
        ada.send(&format!("PRIVMSG #tea :{n} {padding}"));
        // As much under way as the server lets one session have.
        while n - echoed > 60 {
            ada.until(|line| line.contains(" PRIVMSG #tea :"));
            echoed += 1;
        }
    }
    let expected: BTreeSet<String> = (0..STALLED).map(|n| format!(":stalled{n}")).collect();
    for reader in readers {
        assert_eq!(reader.join().unwrap(), expected);
    }
    for caller in &mut stalled {
        let bytes = caller.rest();
        let text = String::from_utf8_lossy(&bytes);
        // Whoever wakes up after the server has given up waiting finds a reset connection and no words.
        let last = text.lines().last().unwrap_or_default();
        assert!(last.starts_with("ERROR :") || !text.contains("ERROR"), "{last}");
        assert!(bytes.len() < MESSAGES * 350, "it got everything: it was never stalled");
    }
}

#[test]
fn a_reader_that_wakes_up_in_time_is_told_why() {
    told_why_after(Duration::ZERO);
}

/// The reason used to be given up after a second and a half, when the reader's own buffers were still full.
#[test]
fn a_reader_that_wakes_up_after_some_seconds_is_told_why() {
    told_why_after(Duration::from_secs(3));
}

fn told_why_after(sleep: Duration) {
    let mut config = config();
    config.limits.send_queue_bytes = 16 * 1024;
    let place = Place::start(config);
    let mut stalled = Caller::member(place.address(), "stalled", "", "#tea");
    let mut ada = Caller::member(place.address(), "ada", "echo-message", "#tea");
    let padding = "x".repeat(400);
    let (mut sent, mut echoed) = (0, 0);
    'gone: loop {
        ada.send(&format!("PRIVMSG #tea :{sent} {padding}"));
        sent += 1;
        while sent - echoed > 60 {
            let line = ada.until(|line| line.contains(" PRIVMSG #tea :") || line.contains(" QUIT "));
            if line.contains(" QUIT ") {
                break 'gone;
            }
            echoed += 1;
        }
    }
    // Nothing is waited for here: the time that the reader sleeps is what is tested.
    thread::sleep(sleep);
    let text = String::from_utf8_lossy(&stalled.rest()).into_owned();
    assert!(text.lines().last().unwrap().ends_with("send queue exceeded"), "{:?}", text.lines().last());
}
