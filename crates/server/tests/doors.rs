//! Who comes in by which door, and what is said at those that are not open.

#![allow(clippy::unwrap_used)]

mod common;

use std::net::Shutdown;
use std::time::{Duration, Instant};

use chinwag_server::config::{Kind, TlsMode};
use chinwag_testkit::caller::Caller;
use common::{Place, config};

#[test]
fn silence_is_a_plain_caller_and_gets_exactly_nick() {
    let place = Place::start(config());
    let started = Instant::now();
    let mut caller = Caller::connect(place.address());
    assert_eq!(caller.bytes(4), b"NICK");
    assert!(started.elapsed() >= Duration::from_millis(1400), "too early: {:?}", started.elapsed());
    caller.send_bytes(b"ada");
    caller.until(|line| line.contains("ada joined the chat..."));
}

#[test]
fn a_name_unasked_is_a_plain_caller() {
    let place = Place::start(config());
    let started = Instant::now();
    let mut caller = Caller::connect(place.address());
    caller.send_bytes(b"bob\n");
    caller.until(|line| line.contains("bob joined the chat..."));
    assert!(started.elapsed() < Duration::from_millis(1400), "it waited for silence");
}

#[test]
fn irc_commands_are_irc_even_byte_by_byte() {
    let place = Place::start(config());
    let mut caller = Caller::connect(place.address());
    for byte in b"NICK cy\r\nUSER cy 0 * :Cy\r\n" {
        caller.send_bytes(&[*byte]);
    }
    caller.until(|line| line.contains(" 001 cy "));
}

#[test]
fn a_name_typed_byte_by_byte_is_not_cut_where_the_door_was_chosen() {
    let place = Place::start(config());
    let mut ada = Caller::member(place.address(), "ada", "", "#lobby");
    let mut slow = Caller::connect(place.address());
    for byte in [b"s", b"l"] {
        slow.send_bytes(byte);
        // The answer says that the byte has been read.
        ada.send("PING read");
        ada.until(|line| line.contains(" PONG "));
    }
    // Much longer than a burst is gathered, and shorter than a name that comes byte by byte.
    std::thread::sleep(Duration::from_millis(200));
    slow.send_bytes(b"o\n");
    let line = ada.until(|line| line.contains(" JOIN "));
    assert!(line.starts_with(":slo!"), "{line}");
}

#[test]
fn both_doors_lead_to_one_room() {
    let place = Place::start(config());
    let mut ada = Caller::member(place.address(), "ada", "", "#lobby");
    let mut bob = Caller::connect(place.address());
    bob.send_bytes(b"bob\n");
    ada.until(|line| line.contains(" JOIN ") && line.starts_with(":bob!"));
    bob.send_bytes(b"hello there\n");
    let line = ada.until(|line| line.contains(" PRIVMSG "));
    assert!(line.starts_with(":bob!") && line.ends_with(" PRIVMSG #lobby :hello there"), "{line}");
    ada.send("PRIVMSG #lobby :hello bob");
    bob.until(|line| line.contains("ada: hello bob"));
}

#[test]
fn a_whole_visit_in_one_write_with_the_end_behind_it_is_answered() {
    let place = Place::start(config());
    let mut ada = Caller::member(place.address(), "ada", "", "#lobby");
    let mut bob = Caller::connect(place.address());
    bob.send_bytes(b"bob\nhello and goodbye\n");
    bob.stream().shutdown(Shutdown::Write).unwrap();
    ada.until(|line| line.ends_with(" PRIVMSG #lobby :hello and goodbye"));
    ada.until(|line| line.starts_with(":bob!") && line.contains(" QUIT "));
    let heard = String::from_utf8_lossy(&bob.rest()).into_owned();
    assert!(heard.contains("hello and goodbye"), "{heard}");
}

#[test]
fn tls_callers_get_an_alert_and_the_end_where_it_is_off() {
    let mut config = config();
    config.listeners.0[0].tls = TlsMode::Off;
    let place = Place::start(config);
    let mut caller = Caller::connect(place.address());
    // The beginning of a ClientHello.
    caller.send_bytes(&[0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03]);
    assert_eq!(caller.rest(), [0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x28]);
}

#[test]
fn ssh_callers_are_told_where_that_door_is_closed() {
    let mut config = config();
    config.ssh.enabled = false;
    let place = Place::start(config);
    let mut caller = Caller::connect(place.address());
    caller.send_bytes(b"SSH-2.0-OpenSSH_10.0\r\n");
    let answer = String::from_utf8_lossy(&caller.rest()).into_owned();
    let (first, rest) = answer.split_once("\r\n").unwrap();
    assert!(first.contains("has no ssh door"), "{answer}");
    assert!(rest.starts_with("SSH-2.0-chinwag_"), "{answer}");
}

#[test]
fn browsers_are_told_where_pages_are_switched_off() {
    let mut config = config();
    config.web.enabled = false;
    let place = Place::start(config);
    let mut caller = Caller::connect(place.address());
    caller.send_bytes(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let answer = String::from_utf8(caller.rest()).unwrap();
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert!(answer.contains("no pages for browsers here"), "{answer}");
}

#[test]
fn a_caller_that_leaves_at_once_is_nobody() {
    let place = Place::start(config());
    for _ in 0..50 {
        drop(Caller::connect(place.address()));
    }
    let mut ada = Caller::irc(place.address(), "ada", "");
    ada.send("LUSERS");
    let line = ada.until(|line| line.contains(" 251 "));
    assert!(line.contains(" 1 user"), "{line}");
}

#[test]
fn a_listener_of_one_kind_takes_it_for_granted() {
    let mut config = config();
    let mut second = config.listeners.0[0].clone();
    config.listeners.0[0].kind = Kind::Irc;
    second.kind = Kind::Plain;
    config.listeners.0.push(second);
    let place = Place::start(config);
    let [irc, plain] = place.running().addresses() else { panic!("two listeners") };
    // Not a command that a door would be told by.
    let mut caller = Caller::connect(*irc);
    caller.send("VERSION");
    caller.until(|line| line.contains(" 451 "));
    // And one that would.
    let mut caller = Caller::connect(*plain);
    caller.send_bytes(b"PING\n");
    caller.until(|line| line.contains("PING joined the chat..."));
}
