//! Accounts over real sockets: a crowd that registers keeps nobody waiting, SCRAM as a client does it, and what is
//! offered follows the configuration.

#![allow(clippy::unwrap_used)]

mod common;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac::{self, HMAC_SHA256};
use aws_lc_rs::pbkdf2::{self, PBKDF2_HMAC_SHA256};
use chinwag_core::settings::Mechanism;
use chinwag_server::Config;
use chinwag_testkit::caller::Caller;
use chinwag_wire::base64;
use common::{Place, config};

fn cheap() -> Config {
    let mut config = config();
    config.accounts.hash_cost = chinwag_server::config::HashCost::Test;
    config
}

/// Logs in with PLAIN before coming in, and comes in.
fn plain(caller: &mut Caller, nick: &str, account: &str, password: &str) {
    let response = base64::encode(format!("\0{account}\0{password}").as_bytes());
    caller.send(&format!(
        "CAP REQ :sasl\r\nNICK {nick}\r\nUSER u 0 * :u\r\nAUTHENTICATE PLAIN\r\nAUTHENTICATE {response}\r\nCAP END"
    ));
}

/// How long `PING`s took until it was told to stop.
fn pings(address: SocketAddr, stop: &AtomicBool) -> Vec<Duration> {
    let mut caller = Caller::irc(address, "pinger", "");
    let mut took = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let asked = Instant::now();
        caller.send("PING now");
        caller.until(|line| line.contains(" PONG "));
        took.push(asked.elapsed());
        std::thread::sleep(Duration::from_millis(2));
    }
    took.sort_unstable();
    took
}

/// The most memory that this process has used, in MiB; 0 where that is not known.
fn memory_mib() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<usize>().ok()).unwrap_or(0) / 1024
}

#[test]
fn while_a_crowd_registers_and_logs_in_others_are_answered() {
    // With CHINWAG_CROWD=1000 it takes half a minute, and a release build.
    let crowd: usize = std::env::var("CHINWAG_CROWD").map_or(200, |crowd| crowd.parse().unwrap());
    let place = Place::start(config());
    let address = place.address();
    let before = memory_mib();
    let stop = Arc::new(AtomicBool::new(false));
    let pinger = std::thread::spawn({
        let stop = Arc::clone(&stop);
        move || pings(address, &stop)
    });
    let began = Instant::now();
    let mut callers: Vec<Caller> = (0..crowd).map(|_| Caller::connect(address)).collect();
    for (n, caller) in callers.iter_mut().enumerate() {
        caller.send(&format!("NICK n{n}\r\nUSER u 0 * :u\r\nREGISTER * * password-of-{n}"));
    }
    for caller in &mut callers {
        caller.until(|line| line.contains(" REGISTER SUCCESS ") || line.contains(" 900 "));
    }
    drop(callers);
    let registered = began.elapsed();
    let mut callers: Vec<Caller> = (0..crowd).map(|_| Caller::connect(address)).collect();
    for (n, caller) in callers.iter_mut().enumerate() {
        plain(caller, &format!("m{n}"), &format!("n{n}"), &format!("password-of-{n}"));
    }
    for caller in &mut callers {
        caller.until(|line| line.contains(" 903 "));
        caller.until(|line| line.contains(" 001 "));
    }
    stop.store(true, Ordering::Relaxed);
    let took = pinger.join().unwrap();
    let (most, part) = (took[took.len() - 1], took[took.len() * 99 / 100]);
    let memory = memory_mib() - before;
    println!(
        "{crowd} registered in {registered:?}, all done in {:?}; {} PINGs, 99 of 100 within {part:?}, all within \
         {most:?}; {memory} MiB more",
        began.elapsed(),
        took.len()
    );
    // The slowest of some thousand says more about a busy machine than about the server.
    assert!(part < Duration::from_millis(50), "a PING took {part:?}, {most:?}");
    assert!(memory < 128, "{memory} MiB for {crowd} clients");
}

/// SCRAM-SHA-256 as a client does it (RFC 5802); gives the last line that it got.
fn scram(caller: &mut Caller, flag: &str, name: &str, password: &str) -> String {
    let sign =
        |key: &[u8], data: &[u8]| hmac::sign(&hmac::Key::new(HMAC_SHA256, key), data).as_ref().to_vec();
    let challenge = |caller: &mut Caller| {
        let line = caller.line();
        let text = line.strip_prefix("AUTHENTICATE ").ok_or(line.clone())?;
        Ok::<_, String>(String::from_utf8(base64::decode(text).unwrap()).unwrap())
    };
    caller.send("AUTHENTICATE SCRAM-SHA-256");
    assert_eq!(caller.line(), "AUTHENTICATE +");
    let bare = format!("n={name},r=fyko+d2lbbFgONRv9qkxdawL");
    caller.send(&format!("AUTHENTICATE {}", base64::encode(format!("{flag},,{bare}").as_bytes())));
    let first = match challenge(caller) {
        Ok(first) => first,
        Err(line) => return line,
    };
    let value = |key: &str| first.split(',').find_map(|part| part.strip_prefix(key)).unwrap();
    assert!(value("r=").starts_with("fyko+d2lbbFgONRv9qkxdawL") && value("r=").len() > 40, "{first}");
    let (salt, iterations) = (base64::decode(value("s=")).unwrap(), value("i=").parse().unwrap());
    let mut salted = [0; 32];
    pbkdf2::derive(PBKDF2_HMAC_SHA256, iterations, &salt, password.as_bytes(), &mut salted);
    let without_proof = format!("c={},r={}", base64::encode(format!("{flag},,").as_bytes()), value("r="));
    let signed = format!("{bare},{first},{without_proof}");
    let key = sign(&salted, b"Client Key");
    let signature = sign(digest(&SHA256, &key).as_ref(), signed.as_bytes());
    let proof: Vec<u8> = key.iter().zip(&signature).map(|(key, signature)| key ^ signature).collect();
    let last = format!("{without_proof},p={}", base64::encode(&proof));
    caller.send(&format!("AUTHENTICATE {}", base64::encode(last.as_bytes())));
    match challenge(caller) {
        Ok(ours) => {
            let wanted = sign(&sign(&salted, b"Server Key"), signed.as_bytes());
            assert_eq!(ours, format!("v={}", base64::encode(&wanted)), "the server knows the password too");
            caller.send("AUTHENTICATE +");
            caller.line()
        }
        Err(line) => line,
    }
}

#[test]
fn scram_proves_the_password_without_telling_it() {
    let place = Place::start(cheap());
    let mut ann = Caller::irc(place.address(), "ann", "");
    ann.send("REGISTER * * :pass, word=\u{e9}");
    ann.until(|line| line.contains(" 900 "));
    let mut bob = Caller::connect(place.address());
    for (flag, name, password) in [
        ("n", "ann", "millet"),
        ("n", "nobody", "pass, word=\u{e9}"),
        ("p=tls-unique", "ann", "pass, word=\u{e9}"),
    ] {
        let last = scram(&mut bob, flag, name, password);
        assert!(last.contains(" 904 * "), "{flag} {name} {password}: {last}");
    }
    for flag in ["n", "y"] {
        let last = scram(&mut bob, flag, "ANN", "pass, word=\u{e9}");
        assert!(last.contains(" 900 * *!*@127.0.0.1 ann "), "{last}");
        assert!(bob.line().contains(" 903 * "));
    }
}

#[test]
fn what_is_offered_follows_the_configuration() {
    let mut place = Place::start(cheap());
    let mut ann = Caller::connect(place.address());
    ann.send("CAP LS 302\r\nCAP REQ :sasl account-notify\r\nNICK ann\r\nUSER ann 0 * :ann\r\nCAP END");
    ann.until(|line| line.contains(" 422 "));
    let mut changed = cheap();
    changed.accounts.sasl_mechanisms = vec![Mechanism::Plain];
    place.running().control().reload(changed.clone());
    let line = ann.until(|line| line.contains(" CAP "));
    assert!(line.ends_with(" CAP ann NEW :sasl=PLAIN"), "{line}");
    changed.accounts.enabled = false;
    place.running().control().reload(changed);
    let line = ann.until(|line| line.contains(" CAP "));
    assert!(line.ends_with(" CAP ann DEL :draft/account-registration draft/persistence sasl"), "{line}");
    ann.send("CAP LIST\r\nAUTHENTICATE PLAIN");
    let line = ann.until(|line| line.contains(" CAP "));
    assert!(line.ends_with(" CAP ann LIST :account-notify cap-notify"), "{line}");
    assert!(ann.line().contains(" 904 ann "));
    place.stop();
}
