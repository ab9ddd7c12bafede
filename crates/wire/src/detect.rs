//! Which door a caller wants, from the first bytes.
//!
//! A caller is plain unless the bytes say otherwise. While they could still become something else the answer is
//! [`Detect::More`]; a caller who is silent for a while (the server decides how long) is taken as it is.

use crate::limits::DETECT_BYTES_MAX;

/// What the first bytes say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Detect {
    /// Not enough to tell.
    More,
    /// A TLS handshake.
    Tls,
    /// An SSH client.
    Ssh,
    /// An HTTP client.
    Http,
    /// A PROXY protocol header, version 1 or 2.
    Proxy,
    /// An IRC client.
    Irc,
    /// Anything else.
    Plain,
}

/// The first commands of IRC clients. `AUTHENTICATE` and `WEBIRC` are clients too, whatever they are answered.
const COMMANDS: &[&str] =
    &["CAP", "NICK", "USER", "PASS", "PING", "QUIT", "AUTHENTICATE", "WEBIRC", "PROTOCTL", "STARTTLS"];

const METHODS: &[&str] =
    &["GET", "POST", "HEAD", "PUT", "OPTIONS", "DELETE", "PATCH", "CONNECT", "TRACE", "QUERY", "PRI"];

const PROXY_V2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

type Look = fn(&[u8]) -> Match;

/// How far some bytes are on the way to be something.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Match {
    No,
    /// All of them fit, and more are needed.
    Begun,
    Yes,
}

/// Looks at all bytes that came so far. `silent`: the caller has stopped for a while, decide now; the answer is
/// then never [`Detect::More`].
pub fn detect(bytes: &[u8], silent: bool) -> Detect {
    let mut begun = bytes.is_empty();
    let kinds: [(Detect, Look); 5] = [
        (Detect::Tls, tls),
        (Detect::Ssh, |bytes| literal(bytes, b"SSH-")),
        (Detect::Proxy, proxy),
        (Detect::Http, http),
        (Detect::Irc, irc),
    ];
    for (kind, look) in kinds {
        match look(bytes) {
            Match::Yes => return kind,
            Match::Begun => begun = true,
            Match::No => {}
        }
    }
    if begun && !silent && bytes.len() < DETECT_BYTES_MAX { Detect::More } else { Detect::Plain }
}

fn literal(bytes: &[u8], expected: &[u8]) -> Match {
    let len = bytes.len().min(expected.len());
    match (bytes[..len] == expected[..len], len == expected.len()) {
        (false, _) => Match::No,
        (true, false) => Match::Begun,
        (true, true) => Match::Yes,
    }
}

/// A record of type handshake, of any version 3.x (which TLS 1.0 to 1.3 all are on the wire).
fn tls(bytes: &[u8]) -> Match {
    literal(bytes, &[0x16, 0x03])
}

fn proxy(bytes: &[u8]) -> Match {
    match literal(bytes, b"PROXY ") {
        Match::No => literal(bytes, PROXY_V2),
        other => other,
    }
}

/// A method in capitals, a space, and the beginning of a target; a nickname never has a space.
fn http(bytes: &[u8]) -> Match {
    one_of(METHODS, |method| match bytes.split_at_checked(method.len()) {
        None => literal(bytes, method),
        Some((word, _)) if word != method => Match::No,
        Some((_, [])) => Match::Begun,
        Some((_, [b' '])) => Match::Begun,
        Some((_, [b' ', target, ..])) if target.is_ascii_graphic() => Match::Yes,
        Some(_) => Match::No,
    })
}

/// One of the commands and a space, or in capitals and a line end: `quit` alone is what people type. Tags and a
/// source may come first.
fn irc(bytes: &[u8]) -> Match {
    let mut rest = bytes;
    for mark in [b'@', b':'] {
        if rest.first() == Some(&mark) {
            let Some(space) = rest.iter().position(|byte| matches!(byte, b' ' | b'\r' | b'\n')) else {
                return Match::Begun;
            };
            rest = &rest[space..];
            while let [b' ', behind @ ..] = rest {
                rest = behind;
            }
        }
    }
    one_of(COMMANDS, |command| match rest.split_at_checked(command.len()) {
        None if command[..rest.len()].eq_ignore_ascii_case(rest) => Match::Begun,
        Some((word, behind)) if word.eq_ignore_ascii_case(command) => match behind.first() {
            None => Match::Begun,
            Some(b' ') => Match::Yes,
            Some(b'\r' | b'\n') if word == command => Match::Yes,
            Some(_) => Match::No,
        },
        _ => Match::No,
    })
}

fn one_of(words: &[&str], look: impl Fn(&[u8]) -> Match) -> Match {
    let mut best = Match::No;
    for word in words {
        match look(word.as_bytes()) {
            Match::Yes => return Match::Yes,
            Match::Begun => best = Match::Begun,
            Match::No => {}
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use Detect::*;

    fn check(bytes: impl AsRef<[u8]>, live: Detect, silent: Detect) {
        let bytes = bytes.as_ref();
        let shown = String::from_utf8_lossy(bytes);
        assert_eq!(detect(bytes, false), live, "{shown:?}");
        assert_eq!(detect(bytes, true), silent, "{shown:?}, silent");
    }

    #[test]
    fn doors() {
        check("", More, Plain);
        check([0x16], More, Plain);
        check([0x16, 3], Tls, Tls);
        check([0x16, 3, 1, 2, 0], Tls, Tls);
        check([0x16, b'a'], Plain, Plain);
        check("S", More, Plain);
        check("SSH", More, Plain);
        check("SSH-2.0-OpenSSH", Ssh, Ssh);
        check("SSHIP", Plain, Plain);
        check("GE", More, Plain);
        check("GET", More, Plain);
        check("GET ", More, Plain);
        check("GET /", Http, Http);
        check("GET / HTTP/1.1\r\n", Http, Http);
        check("PRI * HTTP/2.0\r\n\r\n", Http, Http);
        check("CONNECT a:1 HTTP/1.1", Http, Http);
        check("GET\n", Plain, Plain);
        check("get / HTTP/1.1", Plain, Plain);
        check("PROXY ", Proxy, Proxy);
        check("PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\n", Proxy, Proxy);
        check("PROXYann\n", Plain, Plain);
        check("\r\n", More, Plain);
        check(b"\r\n\r\n\0\r\nQUIT\n\x21", Proxy, Proxy);
        check("\n", Plain, Plain);
        check("\r\nann\r\n", Plain, Plain);
    }

    #[test]
    fn irc_clients() {
        check("C", More, Plain);
        check("CAP", More, Plain);
        check("CAP LS 302\r\n", Irc, Irc);
        check("cap ls 302\n", Irc, Irc);
        check("NICK ann\r\n", Irc, Irc);
        check("NICK\r\n", Irc, Irc);
        check("Nick ann", Irc, Irc);
        check("USER a 0 * :a", Irc, Irc);
        check("PASS x", Irc, Irc);
        check("PING 1", Irc, Irc);
        check("QUIT\n", Irc, Irc);
        check("AUTHENTICATE PLAIN", Irc, Irc);
        check("WEBIRC a b c d", Irc, Irc);
        check("@label=1 CAP LS", Irc, Irc);
        check("@label=1 :me  NICK ann", Irc, Irc);
        check(":ann NICK ann", Irc, Irc);
        check("@label=1", More, Plain);
    }

    #[test]
    fn people() {
        check("ann", Plain, Plain);
        check("ann\n", Plain, Plain);
        check("n", More, Plain);
        check("nick", More, Plain);
        check("Nickolas", Plain, Plain);
        check("quit\n", Plain, Plain);
        check("user\r\n", Plain, Plain);
        check("passe-partout\n", Plain, Plain);
        check(":-)\n", Plain, Plain);
        check("@ann hello\n", Plain, Plain);
        check("PRIVMSG #lobby :hello\r\n", Plain, Plain);
        check([0xff, 0xfd, 0x03], Plain, Plain);
        check([b'@'; DETECT_BYTES_MAX - 1], More, Plain);
        check([b'@'; DETECT_BYTES_MAX], Plain, Plain);
    }

    #[test]
    fn what_was_decided_stays_decided() {
        for first in
            ["CAP LS\r\nNICK a\r\n", "GET / HTTP/1.1\r\n", "SSH-2.0-x\r\n", "ann: hi\n", "PROXY TCP4 a"]
        {
            let all = detect(first.as_bytes(), false);
            let decided: Vec<_> = (0..first.len())
                .map(|end| detect(&first.as_bytes()[..end], false))
                .filter(|d| *d != More)
                .collect();
            assert!(decided.iter().all(|early| *early == all), "{first:?}: {decided:?}");
        }
    }
}
