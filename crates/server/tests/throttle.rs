//! Whoever comes too fast is told so; whoever asks too fast is read more slowly, and loses nothing.

#![allow(clippy::unwrap_used)]

mod common;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use chinwag_testkit::caller::Caller;
use common::{Place, config};

#[test]
fn too_many_connections_are_told_so_and_others_stay() {
    let mut config = config();
    config.throttle.exempt.clear();
    config.throttle.connections_at_once = 2;
    let place = Place::start(config);
    let mut ann = Caller::member(place.address(), "ann", "", "#tea");
    let bob = Caller::member(place.address(), "bob", "", "#tea");
    let mut third = TcpStream::connect(place.address()).unwrap();
    third.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut told = String::new();
    third.read_to_string(&mut told).unwrap();
    assert_eq!(told, "* too many connections from your network are open (2)\r\n");
    ann.send("PING still");
    ann.until(|line| line.contains("PONG"));
    drop(bob);
    ann.until(|line| line.contains("QUIT"));
    Caller::member(place.address(), "cid", "", "#tea");
}

#[test]
fn a_flood_is_slowed_down_and_nothing_of_it_is_lost() {
    let mut config = config();
    config.throttle.exempt.clear();
    config.throttle.commands_per_second = 20;
    config.throttle.commands_burst = 10;
    let place = Place::start(config);
    let mut ann = Caller::member(place.address(), "ann", "", "#tea");
    let mut bob = Caller::member(place.address(), "bob", "", "#tea");
    ann.until(|line| line.contains("JOIN"));
    for n in 0..50 {
        bob.send(&format!("PRIVMSG #tea :{n}"));
    }
    let began = std::time::Instant::now();
    for n in 0..50 {
        let line = ann.until(|line| line.contains("PRIVMSG"));
        assert!(line.ends_with(&format!(":{n}")), "{line}");
    }
    // 40 of them wait for the 20 a second that follow the burst.
    assert!(began.elapsed() > Duration::from_millis(1500), "{:?}", began.elapsed());
}

/// Says something, and reads what comes until the end.
fn told(address: SocketAddr, said: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.write_all(said).unwrap();
    let mut told = Vec::new();
    stream.read_to_end(&mut told).unwrap();
    told
}

#[test]
fn who_may_not_come_in_is_told_so_in_its_own_protocol() {
    let mut config = config();
    config.throttle.exempt.clear();
    config.throttle.connections_at_once = 1;
    let place = Place::start(config);
    let _ann = Caller::member(place.address(), "ann", "", "#tea");
    let sentence = "too many connections from your network are open (1)";
    let text = |said: &[u8]| String::from_utf8_lossy(&told(place.address(), said)).into_owned();
    assert_eq!(text(b"NICK bob\r\nUSER bob 0 * :bob\r\n"), format!("ERROR :Closing link: {sentence}\r\n"));
    assert_eq!(text(b"hello\n"), format!("* {sentence}\r\n"));
    let page = text(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(page.starts_with("HTTP/1.1 503 ") && page.contains("Too many connections"), "{page}");
    let ssh = text(b"SSH-2.0-test\r\n");
    assert!(ssh.starts_with(sentence) && ssh.contains("SSH-2.0-"), "{ssh}");
    // A fatal alert.
    assert_eq!(told(place.address(), b"\x16\x03\x01\x00\x05\x01")[..2], [0x15, 3]);
}

#[test]
fn who_says_nothing_keeps_only_so_many_places() {
    let mut config = config();
    config.throttle.exempt.clear();
    config.throttle.newcomers_at_once = 2;
    let place = Place::start(config);
    let mut first = Caller::connect(place.address());
    let _second = TcpStream::connect(place.address()).unwrap();
    let third = String::from_utf8(told(place.address(), b"NICK cyd\r\n")).unwrap();
    assert!(third.contains("2 connections from your network have not said yet who they are"), "{third}");
    first.send("NICK ann\r\nUSER ann 0 * :ann\r\nJOIN #tea");
    first.until(|line| line.contains(" 366 "));
    // Its place is free for others: whoever comes now stays.
    Caller::member(place.address(), "bob", "", "#tea");
}

#[test]
fn nobody_new_is_let_in_when_memory_is_short_and_those_inside_go_on() {
    let mut config = config();
    config.throttle.exempt.clear();
    config.throttle.connections_at_once = 10_000;
    config.throttle.newcomers_at_once = 10_000;
    config.throttle.connections_per_minute = 60_000;
    config.limits.memory_bytes = 16 << 20;
    let place = Place::start(config);
    let mut ann = Caller::member(place.address(), "ann", "", "#tea");
    let mut bob = Caller::member(place.address(), "bob", "", "#tea");
    let mut silent = Vec::new();
    let until = Instant::now() + Duration::from_secs(60);
    let words = loop {
        assert!(Instant::now() < until && silent.len() < 2_000, "{} came in", silent.len());
        for _ in 0..50 {
            silent.push(TcpStream::connect(place.address()).unwrap());
        }
        let mut one = TcpStream::connect(place.address()).unwrap();
        one.set_read_timeout(Some(Duration::from_millis(800))).unwrap();
        one.write_all(b"NICK eve\r\n").unwrap();
        let mut words = [0; 512];
        if let Ok(count @ 1..) = one.read(&mut words) {
            break String::from_utf8_lossy(&words[..count]).into_owned();
        }
        silent.push(one);
    };
    assert!(words.contains("short of memory and takes nobody new"), "{words}");
    assert!(silent.len() > 100, "{} came in", silent.len());
    ann.send("PRIVMSG #tea :still here");
    bob.until(|line| line.ends_with(":still here"));
}

#[test]
fn above_the_budget_those_have_to_go_for_whom_most_is_waiting() {
    let mut config = config();
    config.server.motd = "a long line of the message of the day ".repeat(10).trim().to_owned() + "\n";
    config.server.motd = config.server.motd.repeat(150);
    config.throttle.commands = false;
    config.limits.send_queue_bytes = 1 << 30;
    config.limits.memory_bytes = 16 << 20;
    let place = Place::start(config);
    let mut ann = Caller::member(place.address(), "ann", "", "#tea");
    let mut slow = Caller::member(place.address(), "slow", "", "#tea");
    ann.until(|line| line.contains("JOIN"));
    for _ in 0..1_500 {
        slow.send("MOTD");
    }
    let left = ann.until(|line| line.contains(" QUIT "));
    assert!(left.contains("slow") && left.contains("the server is short of memory"), "{left}");
    let rest = String::from_utf8_lossy(&slow.rest()).into_owned();
    assert!(rest.contains("ERROR :Closing link: the server is short of memory"), "it is told why");
    ann.send("PING still");
    ann.until(|line| line.contains("PONG"));
}
