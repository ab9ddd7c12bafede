//! Webhooks over real sockets: what others tell a room, and what a room tells others, signed, in order, and again until
//! it is taken.

#![allow(clippy::unwrap_used)]

mod common;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use aws_lc_rs::hmac;
use chinwag_server::Config;
use chinwag_server::config::HashCost;
use chinwag_testkit::caller::Caller;
use chinwag_wire::base64;
use common::http::{Answer, ask};
use common::{Place, config};
use serde_json::Value;

fn settings() -> Config {
    let mut config = config();
    config.accounts.hash_cost = HashCost::Test;
    config.webhooks.allow_private = true;
    config
}

/// Somebody whose room `#ops` is, so that it stays theirs.
fn keeper(address: SocketAddr) -> Caller {
    let mut ann = Caller::irc(address, "ann", "standard-replies echo-message message-tags");
    ann.send("REGISTER * * correct-horse");
    ann.until(|line| line.contains(" 900 "));
    let mut ann = ann.joined("#ops");
    ann.send("CS REGISTER #ops");
    ann.until(|line| line.contains("+q"));
    ann
}

/// Makes a hook: what the line that shows its secret says.
fn made(caller: &mut Caller, words: &str) -> String {
    caller.send(&format!("HOOK {words}"));
    let line = caller.until(|line| line.contains(" HOOK "));
    let at = line.find("chw_").or(line.find("whsec_")).unwrap_or_else(|| panic!("{line}"));
    line[at..].split(' ').next().unwrap().to_owned()
}

fn tell(place: &Place, token: &str, media: &str, body: &str) -> Answer {
    let headers = format!("Content-Type: {media}\r\nAuthorization: Basic YTpi\r\n");
    ask(place.address(), "POST", &format!("/hook/{token}"), &headers, body.as_bytes())
}

#[test]
fn what_others_tell_is_said_in_the_room() {
    let mut place = Place::start(settings());
    let mut ann = keeper(place.address());
    let token = made(&mut ann, "ADD #ops alerts");
    for (media, body, said) in [
        (
            "application/json",
            r#"{"text": "deployed <https://a.example/|v2>"}"#,
            "deployed v2 (https://a.example/)",
        ),
        (
            "application/json; charset=utf-8",
            r#"{"attachments": [{"title": "[FIRING:1] Disk", "text": "full"}]}"#,
            "full",
        ),
        ("application/x-www-form-urlencoded", "payload=%7B%22text%22%3A%22from+a+form%22%7D", "from a form"),
        ("application/x-www-form-urlencoded", "backup is done", "backup is done"),
        ("text/plain", "one\ntwo\nthree\n", "three"),
    ] {
        let answer = tell(&place, &token, media, body);
        assert_eq!((answer.status, &answer.body[..]), (200, &b"ok\n"[..]), "{answer:?}");
        let line = ann.until(|line| line.contains(&format!("PRIVMSG #ops :{said}")));
        assert!(
            line.contains(":alerts/hook!~bot@") && line.starts_with('@') && line.contains("bot"),
            "{line}"
        );
    }
    // It is there after a restart, and gone when it is removed.
    place.restart(settings());
    assert_eq!(tell(&place, &token, "text/plain", "again").status, 200);
    let mut ann = Caller::irc(place.address(), "bob", "standard-replies");
    ann.send("NS IDENTIFY ann correct-horse");
    ann.until(|line| line.contains(" 900 "));
    let mut ann = ann.joined("#ops");
    ann.send("HOOK DEL #ops alerts");
    ann.until(|line| line.contains("is removed"));
    assert_eq!(tell(&place, &token, "text/plain", "again").problem(), 404);
}

#[test]
fn hooks_are_for_those_who_keep_the_room() {
    let place = Place::start(settings());
    let _ann = keeper(place.address());
    let mut bob = Caller::irc(place.address(), "bob", "standard-replies").joined("#ops");
    bob.send("HOOK ADD #ops mine");
    bob.until(|line| line.contains(" 482 "));
    bob.send("HOOK LIST #ops");
    bob.until(|line| line.contains(" 482 "));
    bob.send("HOOK ADD #elsewhere mine");
    bob.until(|line| line.contains(" 442 "));
}

#[test]
fn hostile_tellings_are_problems() {
    let place = Place::start(settings());
    let mut ann = keeper(place.address());
    let token = made(&mut ann, "ADD #ops alerts");
    let deep = format!("{}{}", "[".repeat(30_000), "]".repeat(30_000));
    for (media, body, status) in [
        ("application/json", deep.as_str(), 400),
        ("application/json", "{", 400),
        ("application/json", "{}", 422),
        ("application/json", r#"{"text": ""}"#, 422),
        ("text/plain", "", 422),
        ("text/plain", "\u{1}VERSION\u{1}", 422),
        ("application/xml", "<a/>", 415),
        ("text/plain", &"x".repeat(1 << 20), 413),
        ("text/plain", &"line\n".repeat(1000), 422),
    ] {
        assert_eq!(
            tell(&place, &token, media, body).problem(),
            status,
            "{media} {}",
            &body[..body.len().min(40)]
        );
    }
    assert_eq!(tell(&place, "chw_0000", "text/plain", "x").problem(), 404);
    assert_eq!(ask(place.address(), "GET", &format!("/hook/{token}"), "", b"").problem(), 405);
}

/// One request that came.
struct Came {
    headers: Vec<(String, String)>,
    body: String,
}

impl Came {
    fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    fn text(&self) -> String {
        let body: Value = serde_json::from_str(&self.body).unwrap();
        body["data"]["text"].as_str().unwrap().to_owned()
    }
}

/// Takes requests on its own thread, and answers each with the next status, in the end always with 200.
struct Receiver {
    address: SocketAddr,
    came: mpsc::Receiver<Came>,
}

impl Receiver {
    fn start(statuses: &'static [&'static str]) -> Receiver {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, came) = mpsc::channel();
        std::thread::spawn(move || {
            for (at, stream) in listener.incoming().enumerate() {
                let mut stream = stream.unwrap();
                let Some(request) = request(&mut stream) else { continue };
                let status = statuses.get(at).copied().unwrap_or("200 OK");
                write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                    .unwrap();
                if sender.send(request).is_err() {
                    return;
                }
            }
        });
        Receiver { address, came }
    }

    fn next(&self) -> Came {
        self.came.recv_timeout(Duration::from_secs(30)).expect("a request")
    }
}

fn request(stream: &mut TcpStream) -> Option<Came> {
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let headers: Vec<(String, String)> = head
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length")?.1.parse().unwrap();
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some(Came { headers, body: String::from_utf8(body).unwrap() })
}

#[test]
fn a_room_tells_what_is_said_signed_in_order_and_until_it_is_taken() {
    let receiver = Receiver::start(&["503 Unavailable", "302 Found", "200 OK"]);
    let mut place = Place::start(settings());
    let mut ann = keeper(place.address());
    ann.send("PRIVMSG #ops :before the hook");
    let key = made(&mut ann, &format!("OUT #ops mirror http://{}/in?x=1", receiver.address));
    for text in ["one", "two", "three"] {
        ann.send(&format!("PRIVMSG #ops :{text}"));
    }
    // The first is refused, then sent elsewhere, which is not followed, then taken: nothing overtakes it.
    let came: Vec<Came> = (0..5).map(|_| receiver.next()).collect();
    assert_eq!(came.iter().map(Came::text).collect::<Vec<_>>(), ["one", "one", "one", "two", "three"]);
    assert_eq!(came[0].header("webhook-id"), came[2].header("webhook-id"));
    let secret = base64::decode(key.strip_prefix("whsec_").unwrap()).unwrap();
    for request in &came {
        let signed = format!(
            "{}.{}.{}",
            request.header("webhook-id"),
            request.header("webhook-timestamp"),
            request.body
        );
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &secret), signed.as_bytes());
        assert_eq!(request.header("webhook-signature"), format!("v1,{}", base64::encode(tag.as_ref())));
    }
    // What came in by a hook is not told; what is said after a restart is, and nothing twice.
    let token = made(&mut ann, "ADD #ops alerts");
    assert_eq!(tell(&place, &token, "text/plain", "by a hook").status, 200);
    place.restart(settings());
    let mut bob = Caller::irc(place.address(), "bob", "").joined("#ops");
    bob.send("PRIVMSG #ops :after the restart");
    assert_eq!(receiver.next().text(), "after the restart");
}

#[test]
fn private_addresses_are_told_nothing_unless_allowed() {
    let receiver = Receiver::start(&[]);
    let mut closed = settings();
    closed.webhooks.allow_private = false;
    let mut place = Place::start(closed);
    let mut ann = keeper(place.address());
    made(&mut ann, &format!("OUT #ops mirror http://localhost:{}/", receiver.address.port()));
    ann.send("PRIVMSG #ops :hello");
    ann.until(|line| line.ends_with(":hello"));
    let quiet = Instant::now();
    assert!(receiver.came.recv_timeout(Duration::from_millis(1500)).is_err(), "{:?}", quiet.elapsed());
    // What was not told then is told when it may be.
    place.restart(settings());
    assert_eq!(receiver.next().text(), "hello");
}
