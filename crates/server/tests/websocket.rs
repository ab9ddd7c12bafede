//! IRC over WebSocket. Specification: <https://ircv3.net/specs/extensions/websocket>, over RFC 6455.

#![allow(clippy::unwrap_used)]

mod common;

use chinwag_server::config::Kind;
use chinwag_testkit::caller::Caller;
use chinwag_testkit::transport::{TlsOptions, Transport};
use common::{Place, config};
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::{Bytes, Error, Message, WebSocket};

fn tcp(place: &Place) -> Transport {
    Transport::Tcp(Caller::socket(place.address()))
}

/// The messages of a caller that has come in by `text.ircv3.net`.
fn messages(caller: &mut Caller) -> &mut WebSocket<Transport> {
    caller.transport().messages().unwrap()
}

fn registered(place: &Place, nick: &str) -> Caller {
    Caller::websocket(place.address(), &["text.ircv3.net"]).registered(nick, "")
}

/// How the server ended it.
fn close_code(socket: &mut WebSocket<Transport>) -> CloseCode {
    loop {
        match socket.read() {
            Ok(Message::Close(frame)) => return frame.unwrap().code,
            Ok(_) => {}
            Err(error) => panic!("no close frame: {error}"),
        }
    }
}

/// "The server MUST accept any subprotocol it supports, respecting the client's order of preference."
#[test]
fn subprotocols_are_taken_in_the_clients_order() {
    let place = Place::start(config());
    let (text, binary) = ("text.ircv3.net", "binary.ircv3.net");
    for (number, (wanted, granted)) in [
        (vec![text], Some(text)),
        (vec![binary], Some(binary)),
        (vec![binary, text], Some(binary)),
        (vec![text, binary], Some(text)),
        (vec!["soap", binary], Some(binary)),
        (vec![], None),
    ]
    .into_iter()
    .enumerate()
    {
        let (transport, got) = tcp(&place).websocket(&wanted, &[]).unwrap();
        assert_eq!(got.as_deref(), granted);
        // The caller panics when text comes where bytes were agreed on, and at every line end.
        let mut web = Caller::over(transport).registered(&format!("web{number}"), "");
        web.send("QUIT");
        assert!(String::from_utf8(web.rest()).unwrap().contains("ERROR :"));
    }
}

#[test]
fn without_a_subprotocol_the_callers_first_message_decides() {
    let place = Place::start(config());
    let (mut transport, granted) = tcp(&place).websocket(&[], &[]).unwrap();
    assert_eq!(granted, None);
    let socket = transport.messages().unwrap();
    socket.send(Message::binary(b"PING one".to_vec())).unwrap();
    assert!(matches!(socket.read().unwrap(), Message::Binary(line) if line.ends_with(b"one")));
}

#[test]
fn all_doors_lead_to_one_room() {
    let place = Place::start(config());
    let mut ada = Caller::member(place.address(), "ada", "", "#tea");
    let mut web = registered(&place, "web").joined("#tea");
    web.send("PRIVMSG #tea :grüße ☕");
    assert!(ada.until(|line| line.contains(" PRIVMSG ")).ends_with(" PRIVMSG #tea :grüße ☕"));
    ada.send("PRIVMSG #tea :and back");
    web.until(|line| line.ends_with(" PRIVMSG #tea :and back"));
}

#[test]
fn a_listener_for_websockets_takes_nothing_else() {
    let mut config = config();
    config.listeners.0[0].kind = Kind::WebSocket;
    let place = Place::start(config);
    let _ = registered(&place, "web");
    let mut ada = Caller::connect(place.address());
    ada.send("NICK ada");
    assert_eq!(ada.rest(), b"ERROR :This port is for WebSockets only\r\n");
    let mut page = Caller::connect(place.address());
    page.send("GET / HTTP/1.1\r\nHost: localhost\r\n");
    assert!(page.line().starts_with("HTTP/1.1 503 "));
}

#[test]
fn a_request_in_pieces_with_frames_behind_it_is_understood() {
    let place = Place::start(config());
    let mut caller = Caller::connect(place.address());
    let request = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    for part in request[..request.len() - 1].chunks(40) {
        caller.send_bytes(part);
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    // The last byte together with `PING x` as one masked text frame.
    let mut last = vec![b'\n', 0x81, 0x86, 0, 0, 0, 0];
    last.extend_from_slice(b"PING x");
    caller.send_bytes(&last);
    assert_eq!(caller.line(), "HTTP/1.1 101 Switching Protocols");
    caller.until(str::is_empty);
    let pong = caller.bytes(2);
    assert_eq!(pong[0], 0x81);
    let line = String::from_utf8(caller.bytes(pong[1].into())).unwrap();
    assert!(line.contains(" PONG ") && line.ends_with('x'), "{line}");
}

#[test]
fn pages_of_other_origins_are_refused_unless_they_are_allowed() {
    let mut allowing = config();
    allowing.listeners.0[0].allowed_origins = vec!["https://*.example.org".to_owned()];
    let place = Place::start(allowing);
    for (origin, granted) in [
        ("http://localhost", true),
        ("https://chat.example.org", true),
        ("https://evil.example", false),
        ("null", false),
    ] {
        let asked = tcp(&place).websocket(&["text.ircv3.net"], &[("Origin", origin)]);
        assert_eq!(asked.is_ok(), granted, "{origin}");
        if let Err(error) = asked {
            assert!(error.contains("403"), "{error}");
        }
    }
}

#[test]
fn other_versions_and_broken_requests_are_told_what_is_right() {
    let place = Place::start(config());
    let ask = |headers: &str| {
        let mut caller = Caller::connect(place.address());
        caller.send(&format!(
            "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n{headers}"
        ));
        String::from_utf8(caller.rest()).unwrap()
    };
    let answer = ask("Sec-WebSocket-Version: 8\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n");
    assert!(
        answer.starts_with("HTTP/1.1 426 ") && answer.contains("\r\nSec-WebSocket-Version: 13\r\n"),
        "{answer}"
    );
    assert!(ask("Sec-WebSocket-Version: 13\r\n").starts_with("HTTP/1.1 400 "));
    let long = format!("X-Long: {}\r\n", "x".repeat(9000));
    let answer = ask(&long);
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
}

/// It used to be hung up on when the first read brought the beginning only, and much of it: browsers send cookies.
#[test]
fn a_long_request_is_read_to_its_end() {
    let place = Place::start(config());
    let cookies = [("Cookie", "x".repeat(6000))];
    let headers = cookies.each_ref().map(|(name, value)| (*name, value.as_str()));
    let (_, granted) = tcp(&place).websocket(&["text.ircv3.net"], &headers).unwrap();
    assert_eq!(granted.as_deref(), Some("text.ircv3.net"));
}

#[test]
fn pings_are_answered_and_a_close_is_returned() {
    let place = Place::start(config());
    let mut ada = Caller::member(place.address(), "ada", "", "#tea");
    let mut web = registered(&place, "web").joined("#tea");
    let socket = messages(&mut web);
    socket.send(Message::Ping(Bytes::from_static(b"are you there"))).unwrap();
    loop {
        if let Message::Pong(payload) = socket.read().unwrap() {
            assert_eq!(&payload[..], b"are you there");
            break;
        }
    }
    socket.close(None).unwrap();
    while !matches!(socket.read(), Err(Error::ConnectionClosed)) {}
    ada.until(|line| line.starts_with(":web!") && line.contains(" QUIT "));
}

#[test]
fn the_server_ends_with_its_words_and_a_close() {
    let place = Place::start(config());
    let mut web = registered(&place, "web");
    let socket = messages(&mut web);
    socket.send(Message::text("QUIT :bye")).unwrap();
    let own = socket.read().unwrap();
    assert!(matches!(&own, Message::Text(line) if line.contains(" QUIT :")), "{own}");
    let last = socket.read().unwrap();
    assert!(matches!(&last, Message::Text(line) if line.starts_with("ERROR :")), "{last}");
    assert_eq!(close_code(socket), CloseCode::Normal);
}

/// "each message MUST consist of a single IRC line"
#[test]
fn more_than_a_line_in_a_message_is_refused_and_a_line_end_is_forgiven() {
    let place = Place::start(config());
    let mut web =
        Caller::websocket(place.address(), &["text.ircv3.net"]).registered("web", "standard-replies");
    let socket = messages(&mut web);
    socket.send(Message::text("PING one\r\nPING two")).unwrap();
    socket.send(Message::text("PING three\r\n")).unwrap();
    assert!(web.line().contains(" FAIL * INVALID_LINE "));
    assert!(web.line().ends_with("three"));
}

/// "Maximum message size is reduced by two bytes accordingly": 510 bytes without tags.
#[test]
fn lines_and_messages_have_their_limits() {
    let place = Place::start(config());
    let mut web = registered(&place, "web");
    let line = |bytes: usize| format!("PING {}", "x".repeat(bytes - 5));
    web.send(&line(510));
    web.until(|line| line.contains(" PONG "));
    web.send(&line(511));
    web.until(|line| line.contains(" 417 web "));
    // As long as a message may be, tags and all; then one byte more.
    web.send(&line(8191 + 512));
    web.until(|line| line.contains(" 417 web "));
    web.send(&line(8191 + 512 + 1));
    assert_eq!(close_code(messages(&mut web)), CloseCode::Size);
}

#[test]
fn text_that_is_not_utf_8_ends_it_and_such_bytes_are_refused() {
    let place = Place::start(config());
    let mut web = registered(&place, "web");
    let socket = messages(&mut web);
    socket.send(Message::binary(b"PRIVMSG web :caf\xe9".to_vec())).unwrap();
    assert!(web.line().contains("UTF-8"));
    let mut raw = Caller::websocket(place.address(), &["text.ircv3.net"]);
    let frame = [0x81, 0x81, 0, 0, 0, 0, 0xff];
    std::io::Write::write_all(&mut raw.stream(), &frame).unwrap();
    assert_eq!(close_code(messages(&mut raw)), CloseCode::Invalid);
}

#[test]
fn frames_against_the_protocol_end_it() {
    let place = Place::start(config());
    for frame in [
        // Not masked; a reserved bit; an unknown kind; a fragment of nothing.
        &[0x81, 0x01, b'x'][..],
        &[0xc1, 0x81, 0, 0, 0, 0, b'x'],
        &[0x83, 0x81, 0, 0, 0, 0, b'x'],
        &[0x80, 0x81, 0, 0, 0, 0, b'x'],
    ] {
        let mut raw = Caller::websocket(place.address(), &["text.ircv3.net"]);
        std::io::Write::write_all(&mut raw.stream(), frame).unwrap();
        assert_eq!(close_code(messages(&mut raw)), CloseCode::Protocol, "{frame:?}");
    }
}

#[test]
fn a_line_in_fragments_is_a_line() {
    let place = Place::start(config());
    let mut raw = Caller::websocket(place.address(), &["text.ircv3.net"]);
    let frames = [&[0x01, 0x83, 0, 0, 0, 0][..], b"PIN", &[0x80, 0x83, 0, 0, 0, 0], b"G x"].concat();
    std::io::Write::write_all(&mut raw.stream(), &frames).unwrap();
    assert!(raw.line().contains(" PONG "));
}

#[test]
fn a_slow_reader_gets_whole_lines_and_the_reason() {
    let mut config = config();
    config.limits.send_queue_bytes = 16 * 1024;
    let place = Place::start(config);
    let mut stalled = registered(&place, "stalled").joined("#tea");
    let mut ada = Caller::member(place.address(), "ada", "echo-message", "#tea");
    let padding = "x".repeat(400);
    let (mut sent, mut echoed) = (0, 0);
    'gone: loop {
        ada.send(&format!("PRIVMSG #tea :{sent} {padding}"));
        sent += 1;
        while sent - echoed > 60 {
            let line = ada.until(|line| line.contains(" PRIVMSG #tea :") || line.contains(" QUIT "));
            if line.contains(" QUIT ") {
                assert!(line.contains("send queue exceeded"), "{line}");
                break 'gone;
            }
            echoed += 1;
        }
    }
    let socket = messages(&mut stalled);
    let (mut next, mut last) = (0, String::new());
    loop {
        match socket.read() {
            Ok(Message::Text(line)) => {
                if let Some((_, text)) = line.split_once(" PRIVMSG #tea :") {
                    assert_eq!(text, format!("{next} {padding}"), "once, whole and in order");
                    next += 1;
                }
                last = line.to_string();
            }
            Ok(Message::Close(frame)) => {
                assert_eq!(frame.unwrap().code, CloseCode::Policy);
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(last.starts_with("ERROR :") && last.ends_with("send queue exceeded"), "{last}");
}

#[test]
fn a_websocket_inside_tls_is_the_same() {
    let place = Place::start(config());
    let options = TlsOptions { alpn: vec![b"http/1.1".to_vec()], ..TlsOptions::default() };
    let tls = Transport::tls(Caller::socket(place.address()), options).unwrap();
    let (transport, granted) = tls.websocket(&["text.ircv3.net"], &[]).unwrap();
    assert_eq!(granted.as_deref(), Some("text.ircv3.net"));
    let mut web = Caller::over(transport).registered("web", "");
    web.send("WHOIS web");
    web.until(|line| line.contains(" 671 web web "));
}
