//! Certificates ordered from an authority: Pebble, which comes to our port and looks.

#![allow(clippy::unwrap_used)]

mod common;

use std::io::{Read, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use chinwag_server::config::{Challenge, ListenerConfig, Listeners};
use chinwag_server::{AcmeKept, Config, Options, Running, Server};
use chinwag_testkit::caller::Caller;
use chinwag_testkit::transport::TlsOptions;
use common::pebble::{Pebble, believing, free_port, installed};

const NAME: &str = "chat.example";
const PATIENCE: Duration = Duration::from_secs(60);

fn config(port: u16, pebble: &Pebble, challenge: Challenge) -> Config {
    let address = std::net::SocketAddr::from(([127, 0, 0, 1], port));
    let mut config =
        Config { listeners: Listeners(vec![ListenerConfig::any(address.into())]), ..Config::default() };
    config.acme.domains = vec![NAME.to_owned(), "talk.example".to_owned()];
    config.acme.terms_agreed = true;
    config.acme.contact = Some("ann@chat.example".to_owned());
    config.acme.directory_url = pebble.directory_url();
    config.acme.ca_file = Some(pebble.ca().to_owned());
    config.acme.challenge = challenge;
    config
}

fn start(folder: &Path, config: Config) -> Running {
    Server::start(Options { config, data: folder.join("data") }).unwrap()
}

/// The certificate that a caller is shown.
fn shown(running: &Running) -> Vec<u8> {
    let mut caller = Caller::tls(running.addresses()[0], TlsOptions::default());
    caller.send("PING x");
    caller.line();
    caller.transport().shown().unwrap().to_vec()
}

/// The next certificate.
fn other_than(running: &Running, before: &[u8], data: &Path) -> Vec<u8> {
    let until = Instant::now() + PATIENCE;
    loop {
        let now = shown(running);
        if now != before {
            return now;
        }
        let failure = AcmeKept::read(data).failure;
        assert!(Instant::now() < until, "no other certificate; what went wrong last: {failure:?}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Orders by this challenge: who is inside stays, who comes is shown a certificate that the authority vouches for.
fn ordered_by(challenge: Challenge) {
    if !installed() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let port = free_port();
    let pebble = Pebble::start(folder.path(), port, 90 * 86_400);
    let config = config(port, &pebble, challenge);
    // First without: everybody is shown the server's own.
    let mut without = config.clone();
    without.acme.domains.clear();
    let running = start(folder.path(), without);
    let mut inside = Caller::tls(running.addresses()[0], TlsOptions::default()).registered("ada", "");
    let own = inside.transport().shown().unwrap().to_vec();
    running.control().reload(config.clone());
    let first = other_than(&running, &own, &data);
    let root = pebble.root();
    for name in [NAME, "talk.example"] {
        let mut stream = believing(&root, running.addresses()[0], name);
        stream.write_all(b"PING x\r\n").unwrap();
        let mut answer = [0; 1];
        stream.read_exact(&mut answer).unwrap();
    }
    let mut stream = believing(&root, running.addresses()[0], "other.example");
    assert!(stream.write_all(b"PING x\r\n").is_err(), "it is for these names only");
    inside.send("PING still-there");
    inside.until(|line| line.contains("PONG") && line.contains("still-there"));
    #[cfg(unix)]
    for file in ["acme.json", "acme.pem"] {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(data.join(file)).unwrap().permissions().mode() & 0o777, 0o600);
    }
    running.shutdown().unwrap();
    // The next start has it from the beginning, and orders none.
    let running = start(folder.path(), config);
    assert_eq!(shown(&running), first);
    running.shutdown().unwrap();
    assert_eq!(AcmeKept::read(&data).failure, None);
}

#[test]
fn the_authority_looks_by_tls() {
    ordered_by(Challenge::Tls);
}

#[test]
fn the_authority_looks_by_http() {
    ordered_by(Challenge::Http);
}

#[test]
fn a_certificate_is_renewed_before_it_ends_and_nobody_is_dropped() {
    if !installed() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let port = free_port();
    let pebble = Pebble::start(folder.path(), port, 12);
    let running = start(folder.path(), config(port, &pebble, Challenge::Auto));
    let mut inside = Caller::irc(running.addresses()[0], "ada", "");
    let first = other_than(&running, &shown(&running), &data);
    let mut bob = Caller::tls(running.addresses()[0], TlsOptions::default()).registered("bob", "");
    let second = other_than(&running, &first, &data);
    assert_ne!(first, second);
    for caller in [&mut inside, &mut bob] {
        caller.send("PING still-there");
        caller.until(|line| line.contains("PONG") && line.contains("still-there"));
    }
    running.shutdown().unwrap();
}

#[test]
fn what_goes_wrong_is_kept_and_the_own_certificate_stays() {
    if !installed() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    // It looks at a port where nobody is.
    let pebble = Pebble::start(folder.path(), free_port(), 86_400);
    let running = start(folder.path(), config(free_port(), &pebble, Challenge::Tls));
    let own = shown(&running);
    let until = Instant::now() + PATIENCE;
    let failure = loop {
        if let Some(failure) = AcmeKept::read(&data).failure {
            break failure;
        }
        assert!(Instant::now() < until, "nothing went wrong");
        std::thread::sleep(Duration::from_millis(100));
    };
    assert_eq!(failure.tries, 1);
    assert!(failure.why.contains("for the tls-alpn-01 challenge"), "{failure:?}");
    assert_eq!(shown(&running), own);
    running.shutdown().unwrap();
}
