//! Whoever comes too fast is told so; whoever asks too fast is read more slowly, and loses nothing.

#![allow(clippy::unwrap_used)]

mod common;

use std::io::Read;
use std::net::TcpStream;
use std::time::Duration;

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
    assert_eq!(told, "ERROR :Closing link: too many connections from your network are open (2)\r\n");
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
