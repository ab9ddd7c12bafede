//! Browsers: pages, what is cached, what is refused, and the way to a WebSocket. RFC 9110, RFC 9112.

#![allow(clippy::unwrap_used)]

mod common;

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use chinwag_server::config::Kind;
use chinwag_testkit::caller::Caller;
use common::{Place, config};

/// One answer, its head in lower case.
struct Answer {
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    fn status(&self) -> &str {
        self.head.split(' ').nth(1).unwrap()
    }
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

/// Reads one answer; `HEAD` has no body.
fn answer(stream: &mut TcpStream, has_body: bool) -> Answer {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("an answer");
        head.push(byte[0]);
    }
    let mut answer = Answer { head: String::from_utf8(head).unwrap().to_ascii_lowercase(), body: Vec::new() };
    let length = answer.header("content-length").map_or(0, |length| length.parse().unwrap());
    answer.body.resize(if has_body && answer.status() != "304" { length } else { 0 }, 0);
    stream.read_exact(&mut answer.body).unwrap();
    answer
}

fn ask(stream: &mut TcpStream, method: &str, path: &str, headers: &str) -> Answer {
    write!(stream, "{method} {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n").unwrap();
    answer(stream, method != "HEAD")
}

#[test]
fn one_connection_brings_the_page_and_what_is_known_only_once() {
    let place = Place::start(config());
    let mut browser = connect(place.address());
    let page = ask(&mut browser, "GET", "/", "");
    assert_eq!(page.status(), "200", "{}", page.head);
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(page.header("content-security-policy").unwrap().contains("default-src 'none'"), "{}", page.head);
    assert!(!page.header("content-security-policy").unwrap().contains("unsafe"), "{}", page.head);
    assert!(String::from_utf8(page.body.clone()).unwrap().contains("<title>chinwag</title>"));
    let etag = page.header("etag").unwrap();
    let again = ask(&mut browser, "GET", "/", &format!("If-None-Match: {etag}\r\n"));
    assert_eq!((again.status(), again.body.len()), ("304", 0));
    let head = ask(&mut browser, "HEAD", "/?from=mail", "");
    assert_eq!(head.header("content-length"), Some(page.body.len().to_string().as_str()));
    assert_eq!(ask(&mut browser, "GET", "/nothing/here", "").status(), "404");
    let refused = ask(&mut browser, "DELETE", "/", "");
    assert_eq!((refused.status(), refused.header("allow")), ("405", Some("get, head")));
    assert_eq!(ask(&mut browser, "GET", "/healthz", "").body, b"ok\n");
    assert_eq!(ask(&mut browser, "GET", "/readyz", "").body, b"ready\n");
    let about = ask(&mut browser, "GET", "/about.json", "");
    assert_eq!(about.header("content-type"), Some("application/json"));
    assert_eq!(about.body, br##"{"lobby":"#lobby","network":"chinwag"}"##);
}

#[test]
fn a_request_byte_by_byte_and_several_at_once_are_answered() {
    let place = Place::start(config());
    let mut browser = connect(place.address());
    let request = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    for byte in request {
        browser.write_all(&[*byte]).unwrap();
    }
    assert_eq!(answer(&mut browser, true).body, b"ok\n");
    browser.write_all(&request.repeat(3)).unwrap();
    browser.shutdown(Shutdown::Write).unwrap();
    for _ in 0..3 {
        assert_eq!(answer(&mut browser, true).body, b"ok\n");
    }
    assert_eq!(browser.read(&mut [0]).unwrap(), 0);
}

#[test]
fn what_makes_no_sense_is_refused_and_ends() {
    let place = Place::start(config());
    let long = format!("GET / HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "x".repeat(40_000));
    let many = format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "A: b\r\n".repeat(200));
    for (request, status) in [
        ("GET / HTTP/1.1\r\nno header\r\n\r\n", "400"),
        ("GET / HTTP/9.9\r\n\r\n", "400"),
        (long.as_str(), "431"),
        (many.as_str(), "431"),
    ] {
        let mut browser = connect(place.address());
        // It may be hung up on while it still talks.
        let _ = browser.write_all(request.as_bytes());
        assert_eq!(answer(&mut browser, true).status(), status, "{:?}", &request[..30]);
        let mut rest = Vec::new();
        let _ = browser.read_to_end(&mut rest);
    }
}

#[test]
fn a_connection_that_brought_pages_becomes_a_websocket() {
    let place = Place::start(config());
    let mut browser = connect(place.address());
    assert_eq!(ask(&mut browser, "GET", "/", "").status(), "200");
    let upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: text.ircv3.net\r\n";
    let forged = ask(&mut browser, "GET", "/irc", &format!("{upgrade}Origin: https://evil.example\r\n"));
    assert_eq!(forged.status(), "403");
    let granted = ask(&mut browser, "GET", "/irc", &format!("{upgrade}Origin: http://localhost\r\n"));
    assert_eq!(granted.status(), "101", "{}", granted.head);
    assert_eq!(granted.header("sec-websocket-accept"), Some("s3pplmbitxaq9kygzzhzrbk+xoo="));
    assert_eq!(granted.header("sec-websocket-protocol"), Some("text.ircv3.net"));
    // A masked text frame with the mask 0000: "PING x" (RFC 6455, section 5.2).
    browser.write_all(b"\x81\x86\0\0\0\0PING x").unwrap();
    let mut frame = [0; 2];
    browser.read_exact(&mut frame).unwrap();
    assert_eq!(frame[0], 0x81);
    let mut line = vec![0; frame[1].into()];
    browser.read_exact(&mut line).unwrap();
    assert!(String::from_utf8(line).unwrap().contains("PONG"));
}

#[test]
fn a_listener_for_browsers_takes_nothing_else() {
    let mut config = config();
    config.listeners.0[0].kind = Kind::Web;
    let place = Place::start(config);
    assert_eq!(ask(&mut connect(place.address()), "GET", "/", "").status(), "200");
    let _ = Caller::websocket(place.address(), &["text.ircv3.net"]).registered("web", "");
    let mut caller = Caller::connect(place.address());
    caller.send("NICK ada");
    assert!(String::from_utf8_lossy(&caller.rest()).contains("for browsers only"));
}

#[test]
fn browsers_are_counted_as_callers() {
    let mut config = config();
    config.throttle.exempt.clear();
    config.throttle.connections_at_once = 2;
    let place = Place::start(config);
    let mut first = connect(place.address());
    assert_eq!(ask(&mut first, "GET", "/healthz", "").status(), "200");
    let mut second = connect(place.address());
    assert_eq!(ask(&mut second, "GET", "/healthz", "").status(), "200");
    let mut told = String::new();
    connect(place.address()).read_to_string(&mut told).unwrap();
    assert!(told.contains("too many connections from your network"), "{told}");
}

#[test]
fn pages_of_the_public_address_may_connect() {
    let mut config = config();
    config.web.public_url = Some("https://chat.example.org/".to_owned());
    let place = Place::start(config);
    let tcp = chinwag_testkit::transport::Transport::Tcp(connect(place.address()));
    assert!(tcp.websocket(&["text.ircv3.net"], &[("Origin", "https://chat.example.org")]).is_ok());
}
