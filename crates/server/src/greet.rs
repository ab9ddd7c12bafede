//! What callers are told whose door is closed, each in its own protocol.
//!
//! A door that opens leaves this file and gets a module of its own.

use chinwag_wire::detect::Detect;

use crate::tls::HANDSHAKE_FAILURE;

/// SSH_MSG_DISCONNECT and SSH_DISCONNECT_SERVICE_NOT_AVAILABLE (RFC 4253, section 11.1).
const SSH_DISCONNECT: u8 = 1;
const SSH_SERVICE_NOT_AVAILABLE: u32 = 7;

/// The answer for a caller whose door is closed (or switched off), or nothing when its door is open (`Irc`, `Plain`) or not known
/// yet (`More`). `request` is what it sent so far. After the answer the connection is to be closed.
pub(crate) fn closed_door(detect: Detect, request: &[u8]) -> Option<Vec<u8>> {
    match detect {
        Detect::Tls => Some(HANDSHAKE_FAILURE.to_vec()),
        Detect::Ssh => Some(ssh(NO_SSH)),
        Detect::Http => Some(page(request)),
        // A balancer that is not trusted: whatever it is told would reach the caller behind it unexplained.
        Detect::Proxy => Some(Vec::new()),
        Detect::More | Detect::Irc | Detect::Plain => None,
    }
}

/// What is said where there is no ssh door.
const NO_SSH: &str = "this chinwag server has no ssh door; nc and any IRC client can walk in on this port";

/// The answer for somebody who may not come in now, in the protocol that `request` begins.
pub(crate) fn turned_away(detect: Detect, request: &[u8], sentence: &str) -> Vec<u8> {
    match detect {
        Detect::Tls => HANDSHAKE_FAILURE.to_vec(),
        Detect::Ssh => ssh(sentence),
        Detect::Http => {
            let mut letters = sentence.chars();
            let first = letters.next().map(|letter| letter.to_ascii_uppercase());
            let sentence: String = first.into_iter().chain(letters).chain(['.']).collect();
            http_answer("503 Service Unavailable", &sentence, !request.starts_with(b"HEAD "))
        }
        Detect::Irc | Detect::Proxy => format!("ERROR :Closing link: {sentence}\r\n").into_bytes(),
        Detect::More | Detect::Plain => format!("* {sentence}\r\n").into_bytes(),
    }
}

/// A line before the identification (RFC 4253, section 4.2 allows it), the identification, and a disconnect
/// message with the same sentence: clients show one or the other.
fn ssh(sentence: &str) -> Vec<u8> {
    let mut out = format!("{sentence}\r\nSSH-2.0-chinwag_{}\r\n", env!("CARGO_PKG_VERSION")).into_bytes();
    let mut payload = vec![SSH_DISCONNECT];
    payload.extend_from_slice(&SSH_SERVICE_NOT_AVAILABLE.to_be_bytes());
    for text in [sentence, "en"] {
        payload.extend_from_slice(&length(text.len()));
        payload.extend_from_slice(text.as_bytes());
    }
    // Length, padding length, payload and padding together are a multiple of 8, with at least 4 of padding.
    let padding = 4 + (8 - (4 + 1 + payload.len() + 4) % 8) % 8;
    out.extend_from_slice(&length(1 + payload.len() + padding));
    out.push(u8::try_from(padding).unwrap_or(4));
    out.extend_from_slice(&payload);
    out.resize(out.len() + padding, 0);
    out
}

fn length(bytes: usize) -> [u8; 4] {
    u32::try_from(bytes).unwrap_or(u32::MAX).to_be_bytes()
}

/// What browsers are told where pages are switched off, or the listener is for something else.
pub(crate) fn page(request: &[u8]) -> Vec<u8> {
    let sentence = "There are no pages for browsers here; nc and any IRC client can walk in on this port.";
    http_answer("503 Service Unavailable", sentence, !request.starts_with(b"HEAD "))
}

/// An answer of one sentence, after which the connection is closed.
pub(crate) fn http_answer(status: &str, sentence: &str, with_body: bool) -> Vec<u8> {
    let mut out = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n\
         Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n",
        sentence.len() + 1
    );
    if with_body {
        out.push_str(sentence);
        out.push('\n');
    }
    out.into_bytes()
}

/// What somebody is told who came to a port for something else, in the protocol that they seem to speak.
pub(crate) fn wrong_port(detect: Detect, sentence: &str) -> Vec<u8> {
    match detect {
        Detect::Tls => HANDSHAKE_FAILURE.to_vec(),
        Detect::Http => http_answer("400 Bad Request", &format!("{sentence}."), true),
        Detect::Irc | Detect::Proxy => format!("ERROR :{sentence}\r\n").into_bytes(),
        Detect::Ssh | Detect::More | Detect::Plain => format!("* {sentence}\r\n").into_bytes(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_doors_get_no_answer() {
        for detect in [Detect::More, Detect::Irc, Detect::Plain] {
            assert_eq!(closed_door(detect, b""), None);
        }
    }

    #[test]
    fn who_is_turned_away_reads_it_in_its_own_protocol() {
        let told = |first: &[u8]| {
            turned_away(chinwag_wire::detect::detect(first, true), first, "the server is full")
        };
        assert_eq!(told(b"NICK ann\r\n"), b"ERROR :Closing link: the server is full\r\n");
        assert_eq!(told(b""), b"* the server is full\r\n");
        assert_eq!(told(b"\x16\x03\x01\x02\x00\x01"), HANDSHAKE_FAILURE);
        let answer = String::from_utf8(told(b"GET / HTTP/1.1\r\n")).unwrap();
        assert!(answer.starts_with("HTTP/1.1 503 ") && answer.ends_with("\r\n\r\nThe server is full.\n"));
        assert!(told(b"SSH-2.0-x\r\n").starts_with(b"the server is full\r\nSSH-2.0-"));
    }

    #[test]
    fn http_has_the_length_it_says() {
        let answer = String::from_utf8(page(b"GET / HTTP/1.1\r\n")).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 503 "));
        assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())));
        assert!(!body.is_empty());
        assert!(page(b"HEAD / HTTP/1.1\r\n").ends_with(b"\r\n\r\n"));
    }

    #[test]
    fn the_ssh_packet_is_well_formed() {
        let answer = ssh(NO_SSH);
        let at = answer.windows(8).position(|window| window == b"SSH-2.0-").unwrap();
        assert!(answer[..at].ends_with(b"\r\n"));
        let packet = at + answer[at..].iter().position(|byte| *byte == b'\n').unwrap() + 1;
        let packet = &answer[packet..];
        let length = u32::from_be_bytes(packet[..4].try_into().unwrap()) as usize;
        assert_eq!(packet.len(), 4 + length);
        assert_eq!(packet.len() % 8, 0);
        let padding = usize::from(packet[4]);
        assert!(padding >= 4);
        let payload = &packet[5..packet.len() - padding];
        assert_eq!(payload[..5], [1, 0, 0, 0, 7]);
        let sentence = u32::from_be_bytes(payload[5..9].try_into().unwrap()) as usize;
        assert_eq!(payload.len(), 9 + sentence + 4 + 2);
    }
}
