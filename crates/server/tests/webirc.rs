//! Gateways that say for whom they connect. Specification: <https://ircv3.net/specs/extensions/webirc>.

#![allow(clippy::unwrap_used)]

mod common;

use std::net::IpAddr;

use chinwag_server::Config;
use chinwag_server::config::WebircConfig;
use chinwag_testkit::caller::Caller;
use chinwag_testkit::transport::TlsOptions;
use common::{Place, config};

/// The hash of `hunter2`, at next to no cost.
const HUNTER2: &str =
    "$argon2id$v=19$m=64,t=1,p=1$RQgO7nnfbzD3AV6JBZHjAA$3I2h5e2JMV/1IFiw+gdQaUvce4tv2EvlN5/E3ANMqN8";

fn with_gateway(from: &str) -> Config {
    let mut config = config();
    let allowed_from = vec![from.parse::<IpAddr>().unwrap().into()];
    config.server.cloak = false;
    config.webirc = vec![WebircConfig { password: HUNTER2.to_owned(), allowed_from }];
    config
}

fn whois(caller: &mut Caller, nick: &str) -> (String, bool) {
    caller.send(&format!("WHOIS {nick}"));
    let line = caller.until(|line| line.contains(" 338 "));
    let line = line.split(" 338 ").nth(1).unwrap().split(" :").next().unwrap().to_owned();
    (line, caller.until(|line| line.contains(" 671 ") || line.contains(" 318 ")).contains(" 671 "))
}

#[test]
fn a_gateway_says_who_is_behind() {
    let place = Place::start(with_gateway("127.0.0.1"));
    let mut ann = Caller::connect(place.address());
    ann.send("WEBIRC hunter2 ExampleGateway 3-100-51-198.location.example-isp.com 198.51.100.3");
    let mut ann = ann.registered("ann", "");
    assert_eq!(whois(&mut ann, "ann"), ("ann ann ~ann@198.51.100.3 198.51.100.3".to_owned(), false));
    ann.send("USERHOST ann");
    ann.until(|line| line.contains("@3-100-51-198.location.example-isp.com"));
    // "If the IP address is an IPv6 address beginning with a colon, it MUST be sent with a […] preceding zero."
    let mut six = Caller::connect(place.address());
    six.send("WEBIRC hunter2 ExampleGateway 0::1 0::1");
    let mut six = six.registered("six", "");
    assert_eq!(whois(&mut six, "six").0, "six six ~six@0::1 0::1");
}

/// "Servers MUST ONLY treat the connection as secure if this flag is sent and the connection from the gateway to the
/// server is also secure with TLS", and "they MUST treat the options `secure` and `secure=examplevalue123` in exactly
/// the same way".
#[test]
fn secure_is_what_is_secure_on_the_whole_way() {
    let place = Place::start(with_gateway("127.0.0.1"));
    let cases = [
        ("a", true, "", false),
        ("b", true, ":x secure=1", true),
        ("c", true, "secure", true),
        ("d", false, "secure", false),
    ];
    for (nick, tls, options, secure) in cases {
        let mut caller = match tls {
            true => Caller::tls(place.address(), TlsOptions::default()),
            false => Caller::connect(place.address()),
        };
        caller.send(&format!("WEBIRC hunter2 ExampleGateway 198.51.100.3 198.51.100.3 {options}"));
        let mut caller = caller.registered(nick, "");
        assert_eq!(whois(&mut caller, nick).1, secure, "{nick}");
    }
}

#[test]
fn nobody_else_is_believed() {
    let right = "WEBIRC hunter2 ExampleGateway 198.51.100.3 198.51.100.3";
    for (from, lines) in [
        ("127.0.0.1", vec!["WEBIRC hunter3 ExampleGateway 198.51.100.3 198.51.100.3"]),
        ("192.0.2.1", vec![right]),
        ("127.0.0.1", vec!["CAP LS 302", right]),
        ("127.0.0.1", vec!["NICK ann", right]),
        ("127.0.0.1", vec!["WEBIRC hunter2 ExampleGateway somewhere somewhere"]),
        ("127.0.0.1", vec!["WEBIRC hunter2"]),
    ] {
        let place = Place::start(with_gateway(from));
        let mut caller = Caller::connect(place.address());
        lines.iter().for_each(|line| caller.send(line));
        let heard = String::from_utf8(caller.rest()).unwrap();
        assert!(heard.lines().last().unwrap().starts_with("ERROR :"), "{lines:?}: {heard}");
    }
}

/// A gateway on this machine is exempt from the pace of strangers; who comes by it is a stranger all the same.
#[test]
fn who_comes_by_a_gateway_has_the_pace_of_strangers() {
    let mut config = with_gateway("127.0.0.1");
    config.throttle.commands = true;
    (config.throttle.commands_per_second, config.throttle.commands_burst) = (5, 5);
    let place = Place::start(config);
    let mut ann = Caller::connect(place.address());
    ann.send("WEBIRC hunter2 ExampleGateway 198.51.100.3 198.51.100.3");
    let mut ann = ann.registered("ann", "");
    let began = std::time::Instant::now();
    for _ in 0..15 {
        ann.send("VERSION");
    }
    for _ in 0..15 {
        ann.until(|line| line.contains(" 351 "));
    }
    let took = began.elapsed();
    assert!(took >= std::time::Duration::from_secs(1), "15 commands, 5 of them at once: {took:?}");
}

#[test]
fn what_chinwag_hash_prints_is_a_password() {
    let mut config = with_gateway("127.0.0.1");
    config.webirc[0].password = chinwag_server::keeper::hash_password("hunter4");
    let place = Place::start(config);
    let mut ann = Caller::connect(place.address());
    ann.send("WEBIRC hunter4 ExampleGateway 198.51.100.3 198.51.100.3");
    let mut ann = ann.registered("ann", "");
    assert!(whois(&mut ann, "ann").0.ends_with(" 198.51.100.3"));
}
