//! Traces: what a collector is sent, that nothing of people is in it, and that nobody waits for a collector.

#![cfg(feature = "otel")]
#![allow(clippy::unwrap_used)]

mod common;

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use chinwag_server::Config;
use chinwag_server::config::{HashCost, Traced};
use chinwag_testkit::caller::Caller;
use common::http::ask;
use common::{Place, config};

/// What must never leave the server.
const TEXT: &str = "the recipe is under the doormat";
const PASSWORD: &str = "correct-horse-battery";

/// One request: its head and its body.
struct Sent {
    head: String,
    body: Vec<u8>,
}

fn receive(mut stream: TcpStream) -> Option<Sent> {
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    stream.read_exact(&mut body).ok()?;
    stream
        .write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n")
        .ok()?;
    Some(Sent { head, body })
}

/// A collector that takes everything.
fn collector() -> (SocketAddr, Receiver<Sent>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, sent) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let Some(one) = receive(stream) else { continue };
            if sender.send(one).is_err() {
                return;
            }
        }
    });
    (address, sent)
}

fn traced(collector: SocketAddr) -> Config {
    let mut config = config();
    config.accounts.hash_cost = HashCost::Test;
    config.traces.endpoint = Traced::To(format!("http://{collector}"));
    config.traces.ratio = 1.0;
    config
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn a_message_a_request_and_a_commit_reach_the_collector_and_nothing_of_people_does() {
    let (address, sent) = collector();
    let mut place = Place::start(traced(address));
    let mut ann = Caller::irc(place.address(), "annabel", "standard-replies echo-message");
    ann.send(&format!("REGISTER * * {PASSWORD}"));
    ann.until(|line| line.contains(" 900 "));
    let mut ann = ann.joined("#orchard");
    ann.send(&format!("PRIVMSG #orchard :{TEXT}"));
    ann.until(|line| line.contains(TEXT));
    let get =
        |path: &str| ask(place.address(), "GET", path, "Authorization: Bearer nobodys-token\r\n", b"").status;
    assert_eq!(get("/api/v1/rooms/orchard/messages"), 401);
    assert_eq!(get("/files/somebodys-link"), 404);
    ask(place.address(), "POST", "/hook/somebodys-hook", "Content-Type: text/plain\r\n", b"x");

    let expected = [
        "service.name",
        "chinwag",
        "message",
        "message.decide",
        "message.commit",
        "message.deliver",
        "chinwag.door",
        "irc",
        "log.commit",
        "GET /api/v1/rooms/{room}/messages",
        "GET /files/{link}",
        "POST /hook/{token}",
        "http.response.status_code",
    ];
    let mut all = Vec::new();
    let until = Instant::now() + Duration::from_secs(20);
    while let Some(missing) = expected.iter().find(|text| !holds(&all, text)) {
        let one = sent.recv_timeout(until.saturating_duration_since(Instant::now()));
        let one = one.unwrap_or_else(|_| panic!("{missing} was not sent: {}", String::from_utf8_lossy(&all)));
        assert!(one.head.starts_with("post /v1/traces http/1.1\r\n"), "{}", one.head);
        assert!(one.head.contains("\r\ncontent-type: application/x-protobuf\r\n"), "{}", one.head);
        all.extend(one.body);
    }
    place.stop();
    all.extend(sent.try_iter().flat_map(|one| one.body));
    let secrets =
        [TEXT, "doormat", PASSWORD, "annabel", "orchard", "127.0.0.1", "somebodys", "nobodys-token"];
    for secret in secrets {
        assert!(!holds(&all, secret), "{secret} was sent: {}", String::from_utf8_lossy(&all));
    }
}

#[test]
fn the_end_sends_the_last_of_them() {
    let (address, sent) = collector();
    let mut place = Place::start(traced(address));
    let mut ann = Caller::member(place.address(), "ann", "echo-message", "#tea");
    ann.send("PRIVMSG #tea :last words");
    ann.until(|line| line.ends_with(":last words"));
    place.stop();
    let mut all = Vec::new();
    while !holds(&all, "message.deliver") {
        let one = sent.recv_timeout(Duration::from_secs(20));
        all.extend(one.expect("the last message was traced").body);
    }
}

#[test]
fn nobody_waits_for_a_collector_that_never_answers() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut place = Place::start(traced(listener.local_addr().unwrap()));
    let mut ann = Caller::member(place.address(), "ann", "echo-message", "#tea");
    // Its connection is open, and a request is on its way: from now on it hangs.
    let mut taken = listener.accept().unwrap().0;
    let mut byte = [0];
    taken.read_exact(&mut byte).unwrap();
    // More than its queue holds: each is four spans.
    for n in 0..30 {
        for m in 0..30 {
            ann.send(&format!("PRIVMSG #tea :{n} {m}"));
        }
        ann.until(|line| line.ends_with(&format!(":{n} 29")));
    }
    let began = Instant::now();
    place.stop();
    assert!(began.elapsed() < Duration::from_secs(3), "it took {:?}", began.elapsed());
}

#[test]
fn off_is_off() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let mut config = traced(listener.local_addr().unwrap());
    config.traces.endpoint = Traced::Off;
    let mut place = Place::start(config);
    let mut ann = Caller::member(place.address(), "ann", "echo-message", "#tea");
    ann.send("PRIVMSG #tea :hello");
    ann.until(|line| line.ends_with(":hello"));
    place.stop();
    assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
}
