//! A configuration that is read again: what a running server takes of it, seen from outside.

#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;
use std::time::{Duration, Instant};

use chinwag_server::Config;
use chinwag_testkit::caller::Caller;
use common::http::ask;
use common::{Place, config};

/// A configuration with the listeners of a place.
fn parse(text: &str) -> Config {
    let mut parsed = Config::parse(text, Path::new("c.toml")).unwrap();
    // Some come from elsewhere: this machine's own address is never cloaked.
    parsed.server.proxy_allowed_from = vec!["127.0.0.1/32".parse().unwrap()];
    Config { listeners: config().listeners, ..parsed }
}

/// Waits until a reload has been taken: the order goes its own way to the hub.
fn taken(caller: &mut Caller, motd: &str) {
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        caller.send("MOTD");
        let line = caller.until(|line| line.contains(" 372 ") || line.contains(" 422 "));
        if line.ends_with(motd) {
            return;
        }
        assert!(Instant::now() < until, "{line}");
    }
}

/// How others see somebody who enters a room now.
fn seen(ann: &mut Caller, place: &Place, nick: &str) -> String {
    let mut other = Caller::connect(place.address());
    other.send("PROXY TCP4 203.0.113.7 127.0.0.1 4711 6667");
    let _other = other.registered(nick, "").joined("#tea");
    let line = ann.until(|line| line.starts_with(&format!(":{nick}!")) && line.contains(" JOIN "));
    line.split(['@', ' ']).nth(1).unwrap().to_owned()
}

fn says(caller: &mut Caller, command: &str, numerics: &[&str]) -> String {
    caller.send(command);
    caller.until(|line| numerics.iter().any(|numeric| line.contains(numeric)))
}

#[test]
fn limits_texts_cloaks_accounts_the_api_and_keep_change_at_once() {
    let place = Place::start(parse("[accounts]\nhash_cost = \"test\"\n"));
    let mut ann = Caller::member(place.address(), "ann", "standard-replies", "#tea");
    let api = || ask(place.address(), "GET", "/api/v1/rooms/lobby/messages", "", b"").status;
    let cloaked = seen(&mut ann, &place, "bob");
    let keep_before = says(&mut ann, "KEEP #tea", &["KEEP", " 4"]);
    assert_eq!(api(), 200);
    assert!(says(&mut ann, "NICK annabella", &["NICK", " 432 "]).contains("NICK"));
    assert!(says(&mut ann, "REGISTER * * correct-horse", &["REGISTER"]).contains("REGISTER SUCCESS"));

    place.running().control().reload(parse(
        "[server]\nmotd = \"a new day\"\ncloak = false\n[limits]\nnick_length = 5\n\
         [accounts]\nregistration = \"closed\"\nhash_cost = \"test\"\n[history]\nkeep = \"1h\"\n\
         [web]\napi = \"off\"\n",
    ));
    taken(&mut ann, "a new day");
    assert_ne!(seen(&mut ann, &place, "carl"), cloaked);
    assert_eq!(api(), 404);
    assert_ne!(says(&mut ann, "KEEP #tea", &["KEEP", " 4"]), keep_before);
    assert!(says(&mut ann, "NICK annabelle", &["NICK", " 432 "]).contains(" 432 "));
    let mut dan = Caller::irc(place.address(), "dan", "standard-replies");
    assert!(says(&mut dan, "REGISTER * * correct-horse", &["REGISTER"]).contains("FAIL REGISTER"));

    // And back again.
    place.running().control().reload(parse("[server]\nmotd = \"the old way\"\n"));
    taken(&mut ann, "the old way");
    assert_eq!((api(), seen(&mut ann, &place, "emil")), (200, cloaked));
    assert_eq!(says(&mut ann, "KEEP #tea", &["KEEP", " 4"]), keep_before);
}

#[test]
fn throttles_and_budgets_change_at_once() {
    let place = Place::start(config());
    let mut ann = Caller::irc(place.address(), "ann", "");
    let changed = "[server]\nmotd = \"narrow\"\n[throttle]\nexempt = []\nconnections_at_once = 2\n";
    place.running().control().reload(parse(changed));
    taken(&mut ann, "narrow");
    // Whoever was exempt when they came is not counted.
    let _two = [Caller::irc(place.address(), "bob", ""), Caller::irc(place.address(), "carl", "")];
    let told = String::from_utf8(Caller::connect(place.address()).rest()).unwrap();
    assert!(told.contains("too many"), "{told}");
}
