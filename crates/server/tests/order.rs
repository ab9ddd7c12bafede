//! Invariant 6 over real sockets: once A has its `PONG`, what A caused is ahead of B's next `PONG`.

#![allow(clippy::unwrap_used)]

mod common;

use std::net::SocketAddr;

use chinwag_testkit::caller::Caller;
use chinwag_testkit::transport::TlsOptions;
use common::{Place, config};

/// Issue 2, "It must show" 5.
const ROUNDS: usize = 10_000;

/// What A does in a round, and how B can tell. Stored messages are one in eight: each costs a sync of the disk.
fn action(round: usize, nick: &str) -> (String, String) {
    match round % 8 {
        0 => (format!("PRIVMSG #tea :round {round}"), format!(" PRIVMSG #tea :round {round}")),
        1 => (format!("@+draft/react=r{round} TAGMSG #tea"), format!("+draft/react=r{round} ")),
        2 => (format!("PRIVMSG bob :round {round}"), format!(" PRIVMSG bob :round {round}")),
        3 => (format!("NICK {nick}{}", round % 1000), " NICK ".to_owned()),
        4 => (format!("PART #tea :round {round}"), format!(" PART #tea :round {round}")),
        5 => ("JOIN #tea".to_owned(), " JOIN ".to_owned()),
        6 => (format!("NOTICE bob :round {round}"), format!(" NOTICE bob :round {round}")),
        _ => (format!("AWAY :round {round}"), format!(" AWAY :round {round}")),
    }
}

/// The same by WebSocket and TLS: nothing on the way may change the order.
const ROUNDS_LAYERED: usize = 1_000;

#[test]
fn after_as_pong_what_a_caused_is_ahead_of_bs_next_pong() {
    ask(ROUNDS, Caller::connect);
}

#[test]
fn the_same_over_websockets() {
    ask(ROUNDS_LAYERED, |address| Caller::websocket(address, &["text.ircv3.net"]));
}

#[test]
fn the_same_over_tls() {
    ask(ROUNDS_LAYERED, |address| Caller::tls(address, TlsOptions::default()));
}

fn ask(rounds: usize, connect: impl Fn(SocketAddr) -> Caller) {
    let place = Place::start(config());
    let member = |nick, caps| connect(place.address()).registered(nick, caps).joined("#tea");
    let mut ada = member("ada", "message-tags");
    // Bob opened nothing; a third one keeps the room open and its operator.
    let _eve = member("eve", "");
    let mut bob = member("bob", "message-tags away-notify");
    for round in 0..rounds {
        let (does, shows) = action(round, "ada");
        ada.send_bytes(format!("{does}\r\nPING a{round}\r\n").as_bytes());
        ada.until(|line| line.contains(" PONG ") && line.ends_with(&format!("a{round}")));
        bob.send(&format!("PING b{round}"));
        let mut seen = false;
        loop {
            let line = bob.line();
            seen |= line.contains(&shows);
            if line.contains(" PONG ") && line.ends_with(&format!("b{round}")) {
                break;
            }
        }
        assert!(seen, "round {round}: bob had his PONG before what {does:?} caused");
    }
}
