//! HTTP as far as a WebSocket needs it: the request that asks for one, and the answer. Who asks for a page instead is
//! handed to [`web`](crate::web).
//!
//! Specification: RFC 6455, section 4.2; subprotocols: <https://ircv3.net/specs/extensions/websocket>.

use std::net::{IpAddr, SocketAddr};

use tungstenite::handshake::machine::TryParse;
use tungstenite::handshake::server::{Request, create_response, write_response};
use tungstenite::http::{HeaderMap, HeaderValue};

use crate::doorway::Doorway;
use crate::greet::http_answer;
use crate::websocket::Frames;

/// Bytes of a request's head that are looked at.
pub(crate) const HEAD_BYTES_MAX: usize = 8 * 1024;

/// The subprotocols, and how lines leave by them.
const PROTOCOLS: [(&str, Frames); 2] =
    [("text.ircv3.net", Frames::Text), ("binary.ircv3.net", Frames::Binary)];

/// What a request comes to.
#[derive(Debug)]
pub(crate) enum Asked {
    /// It has not come whole.
    More,
    /// Something else than a WebSocket: a page.
    Page,
    /// No WebSocket: this status and sentence.
    Refused { status: u16, sentence: &'static str },
    /// A WebSocket.
    Upgrade(Upgrade),
}

/// A WebSocket that is granted.
#[derive(Debug)]
pub(crate) struct Upgrade {
    /// The answer.
    pub(crate) answer: Vec<u8>,
    /// The headers in it.
    pub(crate) headers: HeaderMap,
    /// Bytes of the request; frames follow.
    pub(crate) bytes: usize,
    pub(crate) frames: Frames,
    /// For whom a trusted web server connects, and whether they spoke TLS with it.
    pub(crate) forwarded: Option<(IpAddr, bool)>,
}

/// Looks at what came so far of a request. `from` is who sent it.
pub(crate) fn look(request: &[u8], doorway: &Doorway, from: IpAddr) -> Asked {
    let (bytes, parsed) = match Request::try_parse(request) {
        Ok(Some(parsed)) => parsed,
        Ok(None) if request.len() < HEAD_BYTES_MAX => return Asked::More,
        Ok(None) => {
            return refused(431, "The head of this request is too long.");
        }
        // Not GET, or no HTTP at all: no WebSocket in any case.
        Err(_) => return Asked::Page,
    };
    if !wanted(parsed.headers()) {
        return Asked::Page;
    }
    match grant(&parsed, doorway, from) {
        Asked::Upgrade(upgrade) => Asked::Upgrade(Upgrade { bytes, ..upgrade }),
        other => other,
    }
}

/// Whether a request asks for a WebSocket.
pub(crate) fn wanted(headers: &HeaderMap) -> bool {
    let upgrade = headers.get("Upgrade").and_then(|value| value.to_str().ok());
    upgrade.is_some_and(|upgrade| upgrade.eq_ignore_ascii_case("websocket"))
}

/// Looks at a request for a WebSocket that has come whole. How many bytes it had is not said.
pub(crate) fn grant(parsed: &Request, doorway: &Doorway, from: IpAddr) -> Asked {
    let header = |name: &str| parsed.headers().get(name).and_then(|value| value.to_str().ok());
    if header("Sec-WebSocket-Version").is_some_and(|version| version != "13") {
        return refused(426, "This server speaks version 13 of WebSocket.");
    }
    if let Some(origin) = parsed.headers().get("Origin") {
        let origin = origin.to_str().unwrap_or("");
        if !doorway.allows(origin, header("Host").unwrap_or("")) {
            return refused(
                403,
                "Pages of this origin may not connect; allowed_origins of the listener names those that may.",
            );
        }
    }
    let Ok(mut response) = create_response(parsed) else {
        return refused(400, "This is not how a WebSocket is asked for.");
    };
    let wanted = parsed.headers().get_all("Sec-WebSocket-Protocol").iter();
    let mut wanted = wanted.filter_map(|list| list.to_str().ok()).flat_map(|list| list.split(','));
    let found = wanted.find_map(|name| PROTOCOLS.iter().find(|(known, _)| *known == name.trim()));
    if let Some((name, _)) = found {
        response.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static(name));
    }
    let mut answer = Vec::new();
    if write_response(&mut answer, &response).is_err() {
        return refused(400, "This is not how a WebSocket is asked for.");
    }
    let forwarded = doorway.trusts(from).then(|| forwarded(parsed.headers(), doorway)).flatten();
    let frames = found.map_or(Frames::AsTheCaller, |(_, frames)| *frames);
    let headers = response.headers().clone();
    Asked::Upgrade(Upgrade { answer, headers, bytes: 0, frames, forwarded })
}

fn refused(status: u16, sentence: &'static str) -> Asked {
    Asked::Refused { status, sentence }
}

/// The whole answer of a refusal.
pub(crate) fn refusal(status: u16, sentence: &str) -> Vec<u8> {
    let status = match status {
        403 => "403 Forbidden",
        426 => "426 Upgrade Required\r\nSec-WebSocket-Version: 13",
        431 => "431 Request Header Fields Too Large",
        _ => "400 Bad Request",
    };
    http_answer(status, sentence, true)
}

/// The client for whom trusted servers connect: the last one in the chain that is none of them. What stands before
/// it, it may have written itself.
pub(crate) fn forwarded(headers: &HeaderMap, doorway: &Doorway) -> Option<(IpAddr, bool)> {
    let chain = headers.get_all("X-Forwarded-For").iter();
    let chain: Vec<&str> =
        chain.filter_map(|list| list.to_str().ok()).flat_map(|list| list.split(',')).collect();
    let mut client = None;
    for hop in chain.iter().rev() {
        client = Some(address(hop.trim())?);
        if client.is_some_and(|ip| !doorway.trusts(ip)) {
            break;
        }
    }
    let secure = headers.get("X-Forwarded-Proto").is_some_and(|scheme| scheme == "https");
    client.map(|ip| (ip, secure))
}

/// An address as web servers write it, perhaps with a port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::{Config, ListenerConfig, TlsMode};
    use crate::doorway::Own;

    const FROM: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn ask(trusted: &[&str], headers: &str) -> Asked {
        let mut listener = ListenerConfig::any(SocketAddr::from((FROM, 1)).into());
        listener.tls = TlsMode::Off;
        let mut config = Config::default();
        config.server.proxy_allowed_from =
            trusted.iter().map(|ip| ip.parse::<IpAddr>().unwrap().into()).collect();
        let own = &mut Own::new(Path::new("/nowhere"), &config);
        let doorway = Doorway::new(&listener, &config, own).unwrap();
        // The key and the answer to it are those of RFC 6455, section 1.3.
        let request = format!(
            "GET /chat HTTP/1.1\r\nHost: chat.example.org\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{headers}\r\n"
        );
        for end in 0..request.len() {
            assert!(matches!(look(&request.as_bytes()[..end], &doorway, FROM), Asked::More));
        }
        look(request.as_bytes(), &doorway, FROM)
    }

    fn granted(trusted: &[&str], headers: &str) -> (Upgrade, String) {
        match ask(trusted, headers) {
            Asked::Upgrade(upgrade) => {
                let answer = String::from_utf8(upgrade.answer.clone()).unwrap().to_ascii_lowercase();
                assert!(answer.starts_with("http/1.1 101 "), "{answer}");
                assert!(answer.ends_with("\r\n\r\n"), "{answer}");
                (upgrade, answer)
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_answer_is_the_rfcs() {
        let (upgrade, answer) = granted(&[], "");
        assert!(answer.contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=\r\n"), "{answer}");
        assert!(!answer.contains("sec-websocket-protocol"), "{answer}");
        assert_eq!(upgrade.frames, Frames::AsTheCaller);
    }

    #[test]
    fn the_first_subprotocol_that_is_known_is_taken() {
        for (wanted, name, frames) in [
            ("text.ircv3.net", Some("text.ircv3.net"), Frames::Text),
            ("binary.ircv3.net", Some("binary.ircv3.net"), Frames::Binary),
            ("binary.ircv3.net, text.ircv3.net", Some("binary.ircv3.net"), Frames::Binary),
            ("soap, text.ircv3.net,binary.ircv3.net", Some("text.ircv3.net"), Frames::Text),
            ("soap", None, Frames::AsTheCaller),
        ] {
            let (upgrade, answer) = granted(&[], &format!("Sec-WebSocket-Protocol: {wanted}\r\n"));
            let line = name.map(|name| format!("sec-websocket-protocol: {name}\r\n"));
            assert_eq!(answer.contains("sec-websocket-protocol"), line.is_some(), "{answer}");
            assert!(line.is_none_or(|line| answer.contains(&line)), "{answer}");
            assert_eq!(upgrade.frames, frames);
        }
    }

    #[test]
    fn strange_pages_are_refused() {
        granted(&[], "Origin: https://chat.example.org\r\n");
        let refused = ask(&[], "Origin: https://evil.example\r\n");
        assert!(matches!(refused, Asked::Refused { status: 403, .. }), "{refused:?}");
    }

    #[test]
    fn only_trusted_servers_speak_for_others() {
        let chain = "X-Forwarded-For: 9.9.9.9, 203.0.113.7\r\nX-Forwarded-For: 10.0.0.1\r\n";
        assert_eq!(granted(&[], chain).0.forwarded, None);
        let client = Some(("203.0.113.7".parse().unwrap(), false));
        assert_eq!(granted(&["127.0.0.1", "10.0.0.1"], chain).0.forwarded, client);
        let secure = "X-Forwarded-For: [2001:db8::1]:4711\r\nX-Forwarded-Proto: https\r\n";
        let client = Some(("2001:db8::1".parse().unwrap(), true));
        assert_eq!(granted(&["127.0.0.1"], secure).0.forwarded, client);
        assert_eq!(granted(&["127.0.0.1"], "").0.forwarded, None);
        assert_eq!(granted(&["127.0.0.1"], "X-Forwarded-For: unknown\r\n").0.forwarded, None);
    }
}
