//! Who is behind a balancer or a web server, and who is believed to say so.

#![allow(clippy::unwrap_used)]

mod common;

use std::net::IpAddr;

use chinwag_core::privileges::Privileges;
use chinwag_server::Config;
use chinwag_server::config::{Kind, OperConfig};
use chinwag_testkit::caller::Caller;
use chinwag_testkit::transport::{TlsOptions, Transport};
use common::{Place, config};

/// The hash of `hunter2`, at next to no cost.
const HUNTER2: &str =
    "$argon2id$v=19$m=64,t=1,p=1$RQgO7nnfbzD3AV6JBZHjAA$3I2h5e2JMV/1IFiw+gdQaUvce4tv2EvlN5/E3ANMqN8";

/// A configuration that believes this machine, and shows addresses.
fn trusting() -> Config {
    let mut config = config();
    config.server.cloak = false;
    config.server.proxy_allowed_from = vec!["127.0.0.1".parse::<IpAddr>().unwrap().into()];
    config
}

/// The host that others see.
fn host(caller: &mut Caller, nick: &str) -> String {
    caller.send(&format!("USERHOST {nick}"));
    let line = caller.until(|line| line.contains(" 302 "));
    line.rsplit_once('@').unwrap().1.to_owned()
}

#[test]
fn a_line_of_version_1_says_who_is_behind() {
    for kind in [Kind::Any, Kind::Irc] {
        let mut config = trusting();
        config.listeners.0[0].kind = kind;
        let place = Place::start(config);
        let mut caller = Caller::connect(place.address());
        caller.send_bytes(b"PROXY TCP4 203.0.113.7 127.0.0.1 65533 6667\r\n");
        let mut caller = caller.registered("ann", "");
        assert_eq!(host(&mut caller, "ann"), "203.0.113.7");
        caller.send("WHOIS ann");
        let line = caller.until(|line| line.contains(" 338 "));
        assert!(line.contains(" 338 ann ann ~ann@203.0.113.7 203.0.113.7 :"), "{line}");
        // Beyond this machine, and nothing hides what is said on the way.
        let line = caller.until(|line| line.contains(" 671 ") || line.contains(" 318 "));
        assert!(line.contains(" 318 "), "{line}");
    }
}

#[test]
fn a_header_of_version_2_says_who_is_behind_and_tls_may_follow() {
    let place = Place::start(trusting());
    let mut header = b"\r\n\r\n\0\r\nQUIT\n\x21\x21\0\x24".to_vec();
    header.extend_from_slice(&"2001:db8::7".parse::<std::net::Ipv6Addr>().unwrap().octets());
    header.extend_from_slice(&[0; 20]);
    for tls in [false, true] {
        let socket = Caller::socket(place.address());
        for byte in &header {
            std::io::Write::write_all(&mut &socket, &[*byte]).unwrap();
        }
        let transport = match tls {
            true => Transport::tls(socket, TlsOptions::default()).unwrap(),
            false => Transport::Tcp(socket),
        };
        let nick = if tls { "ann" } else { "bob" };
        let mut caller = Caller::over(transport).registered(nick, "");
        assert_eq!(host(&mut caller, nick), "2001:db8::7");
    }
}

#[test]
fn a_password_from_beyond_this_machine_is_taken_over_tls_only() {
    let mut config = trusting();
    config.server.password = Some("sesame".to_owned());
    let place = Place::start(config);
    let socket = || {
        let socket = Caller::socket(place.address());
        std::io::Write::write_all(&mut &socket, b"PROXY TCP4 203.0.113.7 127.0.0.1 1 2\r\n").unwrap();
        socket
    };
    let registration = "PASS sesame\r\nNICK ann\r\nUSER ann 0 * :ann";
    let mut clear = Caller::over(Transport::Tcp(socket()));
    clear.send(registration);
    assert!(clear.until(|line| line.contains(" 464 ")).contains("TLS only"));
    let mut tls = Caller::over(Transport::tls(socket(), TlsOptions::default()).unwrap());
    tls.send(registration);
    tls.until(|line| line.contains(" 001 ann "));
}

#[test]
fn a_plain_caller_behind_a_balancer_is_a_plain_caller() {
    let place = Place::start(trusting());
    let mut ada = Caller::member(place.address(), "ada", "", "#lobby");
    let mut bob = Caller::connect(place.address());
    bob.send_bytes(b"PROXY TCP4 203.0.113.7 127.0.0.1 65533 6667\r\nbob\n");
    let line = ada.until(|line| line.starts_with(":bob!") && line.contains(" JOIN "));
    assert!(line.contains("@203.0.113.7 "), "{line}");
}

#[test]
fn a_balancer_that_looks_for_itself_is_itself() {
    let place = Place::start(trusting());
    for (nick, header) in
        [("ann", b"PROXY UNKNOWN\r\n".as_slice()), ("bob", b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0")]
    {
        let mut caller = Caller::connect(place.address());
        caller.send_bytes(header);
        let mut caller = caller.registered(nick, "");
        assert_eq!(host(&mut caller, nick), "127.0.0.1");
    }
}

#[test]
fn a_header_behind_other_lines_is_none() {
    let place = Place::start(trusting());
    let mut caller = Caller::connect(place.address());
    caller.send("NICK ann");
    caller.send("PROXY TCP4 203.0.113.7 127.0.0.1 65533 6667");
    caller.send("USER ann 0 * :ann");
    caller.until(|line| line.contains(" 422 "));
    assert_eq!(host(&mut caller, "ann"), "127.0.0.1");
}

#[test]
fn strangers_are_not_believed() {
    let place = Place::start(config());
    let mut caller = Caller::connect(place.address());
    caller.send("PROXY TCP4 203.0.113.7 127.0.0.1 65533 6667");
    assert_eq!(caller.rest(), b"");
}

#[test]
fn a_header_that_makes_no_sense_ends_it() {
    let place = Place::start(trusting());
    let mut caller = Caller::connect(place.address());
    caller.send("PROXY TCP4 somewhere 127.0.0.1 65533 6667");
    assert_eq!(caller.rest(), b"ERROR :This PROXY header makes no sense\r\n");
}

#[test]
fn where_a_header_is_required_nobody_comes_in_without() {
    let mut required = trusting();
    required.listeners.0[0].proxy_required = true;
    let place = Place::start(required.clone());
    let mut caller = Caller::connect(place.address());
    caller.send("NICK ann");
    assert!(caller.line().starts_with("ERROR :"));
    let mut caller = Caller::connect(place.address());
    caller.send_bytes(b"PROXY TCP4 203.0.113.7 127.0.0.1 65533 6667\r\n");
    let mut caller = caller.registered("ann", "");
    assert_eq!(host(&mut caller, "ann"), "203.0.113.7");
}

#[test]
fn a_trusted_web_server_says_who_is_behind_a_websocket() {
    let headers = [("X-Forwarded-For", "9.9.9.9, 203.0.113.7"), ("X-Forwarded-Proto", "https")];
    for (config, expected) in [(trusting(), "203.0.113.7"), (config(), "127.0.0.1")] {
        let place = Place::start(config);
        let tcp = Transport::Tcp(Caller::socket(place.address()));
        let (transport, _) = tcp.websocket(&["text.ircv3.net"], &headers).unwrap();
        let mut caller = Caller::over(transport).registered("web", "");
        assert_eq!(host(&mut caller, "web"), expected);
        caller.send("WHOIS web");
        caller.until(|line| line.contains(" 671 "));
    }
}

#[test]
fn a_socket_of_the_file_system_leads_in() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chat.sock");
    let mut config = config();
    let mut second = config.listeners.0[0].clone();
    second.address = chinwag_server::config::Address::Unix(path.clone());
    config.listeners.0.push(second);
    // Left behind by a server that was killed.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let mut place = Place::start(config);
    let mut ada = Caller::member(place.address(), "ada", "", "#lobby");
    let mut bob = std::os::unix::net::UnixStream::connect(&path).unwrap();
    std::io::Write::write_all(&mut bob, b"bob\nhello from a file\n").unwrap();
    let line = ada.until(|line| line.contains(" PRIVMSG #lobby :"));
    assert!(line.starts_with(":bob!") && line.contains("@127.0.0.1 "), "{line}");
    place.stop();
    assert!(!path.exists());
}

/// Comes in through a balancer, from an address.
fn from(place: &Place, address: &str, nick: &str) -> Caller {
    let mut caller = Caller::connect(place.address());
    caller.send_bytes(format!("PROXY TCP4 {address} 127.0.0.1 65533 6667\r\n").as_bytes());
    caller.registered(nick, "")
}

#[test]
fn others_see_a_cloak_by_which_a_network_can_be_banned_and_operators_the_address() {
    let mut config = trusting();
    config.server.cloak = true;
    config.opers = vec![OperConfig {
        name: "ann".to_owned(),
        password: HUNTER2.to_owned(),
        title: "runs it".to_owned(),
        privileges: Privileges::all(),
    }];
    let mut place = Place::start(config.clone());
    let mut ann = Caller::member(place.address(), "ann", "", "#tea");
    let mut bob = from(&place, "203.0.113.7", "bob");
    let cloak = host(&mut bob, "bob");
    let parts: Vec<&str> = cloak.split('.').collect();
    assert!(parts.len() == 4 && parts[3] == "ip" && !cloak.contains("113"), "{cloak}");
    ann.send("WHOIS bob");
    let line = ann.until(|line| line.contains(" 338 ") || line.contains(" 378 ") || line.contains(" 318 "));
    assert!(line.contains(" 318 "), "{line}");
    // The neighbours of the address cannot enter, others can.
    ann.send(&format!("MODE #tea +b *!*@*.{}.{}.ip", parts[1], parts[2]));
    ann.until(|line| line.contains(" MODE #tea +b "));
    bob.send("JOIN #tea");
    bob.until(|line| line.contains(" 474 "));
    let mut near = from(&place, "203.0.113.200", "near");
    near.send("JOIN #tea");
    near.until(|line| line.contains(" 474 "));
    let mut far = from(&place, "203.0.114.7", "far");
    far.send("JOIN #tea");
    far.until(|line| line.contains(" 366 "));
    // An operator sees where somebody is.
    ann.send("OPER ann hunter2");
    ann.until(|line| line.contains(" 381 "));
    ann.send("WHOIS bob");
    let line = ann.until(|line| line.contains(" 378 "));
    assert!(line.contains("@203.0.113.7"), "{line}");
    ann.until(|line| line.contains(" 338 ann bob ~bob@203.0.113.7 203.0.113.7 "));
    // A restart changes nobody's cloak.
    place.restart(config);
    let mut bob = from(&place, "203.0.113.7", "bob");
    assert_eq!(host(&mut bob, "bob"), cloak);
}

#[test]
fn a_rooms_ban_on_one_address_holds_behind_the_cloak_and_patterns_tell_nothing_of_it() {
    let mut config = trusting();
    config.server.cloak = true;
    let place = Place::start(config);
    let mut ann = Caller::member(place.address(), "ann", "", "#tea");
    for (mask, expected) in [("*!*@203.0.113.7", " 474 "), ("*!*@203.0.113.*", " 366 ")] {
        ann.send(&format!("MODE #tea +b {mask}"));
        ann.until(|line| line.contains(" MODE #tea +b "));
        let mut bob = from(&place, "203.0.113.7", "bob");
        bob.send("JOIN #tea");
        let line = bob.until(|line| line.contains(" 474 ") || line.contains(" 366 "));
        assert!(line.contains(expected), "{mask}: {line}");
        ann.send(&format!("MODE #tea -b {mask}"));
        bob.send("QUIT");
        bob.rest();
    }
}
