//! TLS on the common port, on ports of its own, and the certificates of both sides.

#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;
use std::time::{Duration, Instant};

use chinwag_server::Config;
use chinwag_server::config::{Kind, TlsMode};
use chinwag_testkit::caller::Caller;
use chinwag_testkit::transport::TlsOptions;
use common::{Place, config};

fn options() -> TlsOptions {
    TlsOptions::default()
}

/// A certificate that signs itself, in files of this name.
fn certificate(folder: &Path, name: &str) -> (rcgen::Certificate, rcgen::KeyPair) {
    let key = rcgen::KeyPair::generate().unwrap();
    let made = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap().self_signed(&key).unwrap();
    std::fs::write(folder.join(format!("{name}.pem")), made.pem()).unwrap();
    std::fs::write(folder.join(format!("{name}.key")), key.serialize_pem()).unwrap();
    (made, key)
}

fn with_certificate(folder: &Path, name: &str) -> Config {
    let mut config = config();
    config.listeners.0[0].tls_cert = Some(folder.join(format!("{name}.pem")));
    config.listeners.0[0].tls_key = Some(folder.join(format!("{name}.key")));
    config
}

#[test]
fn irc_and_plain_callers_come_in_by_tls_on_the_common_port() {
    let place = Place::start(config());
    let mut ada = Caller::tls(place.address(), options()).registered("ada", "").joined("#lobby");
    let mut bob = Caller::tls(place.address(), options());
    bob.send_bytes(b"bob\n");
    ada.until(|line| line.contains(" JOIN ") && line.starts_with(":bob!"));
    bob.send_bytes(b"hello there\n");
    ada.until(|line| line.ends_with(" PRIVMSG #lobby :hello there"));
    ada.send("PRIVMSG #lobby :hello bob");
    bob.until(|line| line.contains("ada: hello bob"));
    ada.send("WHOIS bob");
    ada.until(|line| line.contains(" 671 ada bob "));
    // Its farewell is TLS's, too: reading to the end is no error.
    ada.send("QUIT");
    assert!(String::from_utf8(ada.rest()).unwrap().contains("ERROR :"));
}

/// The answer used to wait for a second piece of the handshake.
#[test]
fn a_short_first_message_is_answered() {
    let place = Place::start(config());
    let _ = Caller::tls(place.address(), TlsOptions { short: true, ..options() }).registered("ada", "");
}

#[test]
fn silence_inside_of_tls_is_a_plain_caller() {
    let place = Place::start(config());
    let mut caller = Caller::tls(place.address(), options());
    // The handshake is made by the first write.
    caller.send_bytes(b"");
    let started = Instant::now();
    assert_eq!(caller.bytes(4), b"NICK");
    assert!(started.elapsed() >= Duration::from_millis(1400), "too early: {:?}", started.elapsed());
}

#[test]
fn much_goes_through_in_both_directions() {
    let place = Place::start(config());
    let mut ada = Caller::tls(place.address(), options()).registered("ada", "echo-message").joined("#tea");
    let mut bob = Caller::tls(place.address(), options()).registered("bob", "").joined("#tea");
    let padding = "x".repeat(400);
    for turn in 0..40 {
        let lines: String =
            (0..50).map(|n| format!("PRIVMSG #tea :{} {padding}\r\n", turn * 50 + n)).collect();
        ada.send_bytes(lines.as_bytes());
        for n in 0..50 {
            let line = ada.until(|line| line.contains(" PRIVMSG "));
            assert!(line.contains(&format!(":{} x", turn * 50 + n)), "{line}");
        }
    }
    for n in 0..2000 {
        let line = bob.until(|line| line.contains(" PRIVMSG "));
        assert!(line.ends_with(&format!(" PRIVMSG #tea :{n} {padding}")), "{line}");
    }
}

#[test]
fn where_only_tls_is_spoken_others_are_told() {
    let mut config = config();
    config.listeners.0[0].tls = TlsMode::Only;
    let place = Place::start(config);
    let _ = Caller::tls(place.address(), options()).registered("ada", "");
    for (first, answer) in [
        ("NICK ann\r\n", "ERROR :This port speaks TLS only\r\n"),
        ("ann\n", "* This port speaks TLS only\r\n"),
    ] {
        let mut caller = Caller::connect(place.address());
        caller.send_bytes(first.as_bytes());
        assert_eq!(String::from_utf8(caller.rest()).unwrap(), answer);
    }
    let mut page = Caller::connect(place.address());
    page.send("GET / HTTP/1.1\r\nHost: x\r\n");
    assert!(page.line().starts_with("HTTP/1.1 400 "));
}

#[test]
fn a_listener_of_one_kind_speaks_tls_too() {
    for kind in [Kind::Irc, Kind::Plain] {
        let mut config = config();
        config.listeners.0[0].kind = kind;
        let place = Place::start(config);
        let mut caller = Caller::tls(place.address(), options());
        caller.send("VERSION");
        match kind {
            Kind::Irc => caller.until(|line| line.contains(" 451 ")),
            _ => caller.until(|line| line.contains("VERSION joined the chat...")),
        };
    }
}

#[test]
fn what_is_no_handshake_gets_an_alert() {
    let place = Place::start(config());
    let mut caller = Caller::connect(place.address());
    caller.send_bytes(&[0x16, 0x03, 0x01, 0x00, 0x04, 0x0e, 0x00, 0x00, 0x00]);
    let answer = caller.rest();
    assert_eq!(answer.first(), Some(&0x15), "{answer:?}");
    // And the server lives.
    let _ = Caller::irc(place.address(), "ada", "");
}

#[test]
fn the_own_certificate_is_made_once() {
    let mut place = Place::start(config());
    let shown = |place: &Place| {
        let mut caller = Caller::tls(place.address(), options()).registered("ada", "");
        caller.transport().shown().unwrap().clone()
    };
    let first = shown(&place);
    place.restart(config());
    assert_eq!(shown(&place), first);
}

#[test]
fn a_configured_certificate_is_used_and_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let (one, _) = certificate(folder.path(), "one.example");
    let (two, _) = certificate(folder.path(), "two.example");
    let config = with_certificate(folder.path(), "one.example");
    let place = Place::start(config.clone());
    let shown = || {
        let mut caller = Caller::tls(place.address(), options());
        caller.send("PING x");
        caller.line();
        caller.transport().shown().unwrap().clone()
    };
    assert_eq!(shown(), *one.der());
    // Not readable: the old one stays.
    let mut missing = config.clone();
    missing.listeners.0[0].tls_cert = Some(folder.path().join("three.pem"));
    place.running().control().reload(missing);
    let mut ada = Caller::irc(place.address(), "ada", "");
    ada.send("PING sync");
    ada.until(|line| line.contains(" PONG "));
    assert_eq!(shown(), *one.der());
    // The same file with other contents, as renewing makes it.
    for (from, to) in [("two.example.pem", "one.example.pem"), ("two.example.key", "one.example.key")] {
        std::fs::copy(folder.path().join(from), folder.path().join(to)).unwrap();
    }
    place.running().control().reload(config);
    let until = Instant::now() + Duration::from_secs(10);
    while shown() != *two.der() {
        assert!(Instant::now() < until, "the old certificate is still shown");
    }
}

/// <https://ircv3.net/specs/extensions/sts>
#[test]
fn sts_sends_to_tls_and_keeps_there() {
    let folder = tempfile::tempdir().unwrap();
    certificate(folder.path(), "one.example");
    let mut config = with_certificate(folder.path(), "one.example");
    config.server.name = "one.example".to_owned();
    config.server.sts_duration_seconds = Some(3600);
    config.server.sts_port = Some(6697);
    let place = Place::start(config);
    let word = |mut caller: Caller| {
        caller.send("CAP LS 302");
        // One or more lines.
        let mut lines = caller.line();
        while lines.rsplit(" LS ").next().is_some_and(|last| last.starts_with('*')) {
            lines = format!("{lines} {}", caller.line());
        }
        let mut words = lines.split(' ').map(|word| word.trim_start_matches(':'));
        words.find(|word| word.starts_with("sts")).map(str::to_owned)
    };
    assert_eq!(word(Caller::connect(place.address())).as_deref(), Some("sts=port=6697"));
    let named = |host: &str| TlsOptions { host: Some(host.to_owned()), ..options() };
    let ours = word(Caller::tls(place.address(), named("one.example")));
    assert_eq!(ours.as_deref(), Some("sts=duration=3600,port=6697"));
    assert_eq!(word(Caller::tls(place.address(), named("other.example"))), None);
}

#[test]
fn a_certificate_with_anothers_key_is_refused_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    certificate(folder.path(), "one.example");
    certificate(folder.path(), "two.example");
    let mut config = with_certificate(folder.path(), "one.example");
    config.listeners.0[0].tls_key = Some(folder.path().join("two.example.key"));
    let options = chinwag_server::Options { config, data: folder.path().join("data") };
    let error = chinwag_server::Server::bind(options).err().expect("it must not start").to_string();
    assert!(error.contains("one.example.pem"), "{error}");
}

#[test]
fn a_caller_who_vanishes_in_the_handshake_is_nobody() {
    let place = Place::start(config());
    for _ in 0..20 {
        let mut caller = Caller::connect(place.address());
        caller.send_bytes(&[0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00]);
    }
    let _ = Caller::tls(place.address(), options()).registered("ada", "");
}
