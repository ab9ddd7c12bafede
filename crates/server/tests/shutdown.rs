//! The end within a second: everybody is told, and what was acknowledged is there at the next start.

#![allow(clippy::unwrap_used)]

mod common;

use std::time::{Duration, Instant};

use chinwag_testkit::caller::Caller;
use common::{Place, config};

#[test]
fn sessions_are_told_and_messages_stay() {
    let mut place = Place::start(config());
    let mut ada = Caller::member(place.address(), "ada", "echo-message", "#lobby");
    let mut bob = Caller::connect(place.address());
    bob.send_bytes(b"bob\n");
    bob.until(|line| line.contains("bob joined the chat..."));
    let mut half_open = Caller::connect(place.address());
    half_open.send_bytes(b"NI");
    for n in 0..500 {
        ada.send(&format!("PRIVMSG #lobby :message {n}"));
    }
    ada.until(|line| line.ends_with(":message 200"));
    let started = Instant::now();
    place.stop();
    assert!(started.elapsed() < Duration::from_secs(1), "it took {:?}", started.elapsed());

    let rest = String::from_utf8(ada.rest()).unwrap();
    assert!(rest.lines().last().unwrap().starts_with("ERROR :"), "{rest}");
    let mut echoed = rest.lines().filter_map(|line| line.split_once(":message ")?.1.parse::<usize>().ok());
    let last = echoed.next_back().unwrap_or(200);
    let heard = String::from_utf8_lossy(&bob.rest()).into_owned();
    assert!(heard.lines().last().unwrap().contains("shutting down"), "{heard}");
    assert_eq!(half_open.rest(), b"");

    place.restart(config());
    let mut cy = Caller::irc(place.address(), "cy", "draft/chathistory");
    cy.send("JOIN #lobby");
    cy.send("CHATHISTORY LATEST #lobby * 100");
    cy.send("PING end");
    let mut kept = Vec::new();
    loop {
        let line = cy.line();
        if line.contains(" PONG ") {
            break;
        }
        if let Some(n) = line.split_once(":message ").and_then(|(_, n)| n.parse::<usize>().ok()) {
            kept.push(n);
        }
    }
    assert!(kept.contains(&last), "message {last} was acknowledged; kept are {kept:?}");
    assert!(kept.is_sorted() && kept.len() == 100, "{kept:?}");
}

#[test]
fn an_idle_server_ends_at_once_and_starts_again_in_the_same_folder() {
    let mut place = Place::start(config());
    for _ in 0..3 {
        let started = Instant::now();
        place.restart(config());
        assert!(started.elapsed() < Duration::from_secs(1), "it took {:?}", started.elapsed());
    }
}

#[test]
fn a_server_reloads_while_it_runs() {
    let place = Place::start(config());
    let mut ada = Caller::irc(place.address(), "ada", "");
    let mut changed = config();
    changed.server.motd = "a new day".to_owned();
    place.running().control().reload(changed);
    // The order takes its own way to the hub.
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        ada.send("MOTD");
        let line = ada.until(|line| line.contains(" 372 ") || line.contains(" 422 "));
        if line.ends_with("a new day") {
            break;
        }
        assert!(Instant::now() < until, "{line}");
    }
}
