//! The PROXY protocol, versions 1 and 2: what a balancer says ahead of a connection about who is behind it.
//!
//! Specification: <https://www.haproxy.org/download/3.2/doc/proxy-protocol.txt>. Whom to believe is not decided here.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Bytes of a header of version 1, its line end included (section 2.1).
const V1_BYTES_MAX: usize = 107;

/// Bytes of a header of version 2. Addresses take 36 of them, what else balancers add a few hundred.
const V2_BYTES_MAX: usize = 2048;

/// How a header of version 2 begins (section 2.2).
const V2_SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";

/// Bytes up to the addresses of version 2.
const V2_FIXED: usize = 16;

/// The kind of extra that tells of TLS, and the bit in it that says that the client spoke it (section 2.2.6).
const TLV_SSL: u8 = 0x20;
const CLIENT_SSL: u8 = 0x01;

/// What the first bytes of a connection are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proxied {
    /// No header.
    No,
    /// The beginning of one.
    More,
    /// A whole header.
    Header(Header),
    /// The beginning of one, and then something that no header has.
    Wrong,
}

/// A header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Its length in bytes.
    pub bytes: usize,
    /// The client, where there is one: a balancer also connects for itself, to see whether the server lives.
    pub client: Option<IpAddr>,
    /// The client speaks TLS with the balancer.
    pub secure: bool,
}

/// Looks at the first bytes of a connection.
pub fn parse(bytes: &[u8]) -> Proxied {
    let begins = |mark: &[u8]| {
        let len = bytes.len().min(mark.len());
        bytes[..len] == mark[..len]
    };
    if begins(V2_SIGNATURE) {
        v2(bytes)
    } else if begins(b"PROXY ") {
        v1(bytes)
    } else {
        Proxied::No
    }
}

fn v1(bytes: &[u8]) -> Proxied {
    let head = &bytes[..bytes.len().min(V1_BYTES_MAX)];
    let Some(end) = head.windows(2).position(|pair| pair == b"\r\n") else {
        return if bytes.len() < V1_BYTES_MAX { Proxied::More } else { Proxied::Wrong };
    };
    let Ok(line) = std::str::from_utf8(&head[..end]) else { return Proxied::Wrong };
    let words: Vec<&str> = line.split(' ').collect();
    let client = match words[..] {
        // What follows is to be ignored.
        [_, "UNKNOWN", ..] => Some(None),
        [_, "TCP4", source, destination, from, to] => {
            pair::<Ipv4Addr>(source, destination, from, to).map(|ip| Some(ip.into()))
        }
        [_, "TCP6", source, destination, from, to] => {
            pair::<Ipv6Addr>(source, destination, from, to).map(|ip| Some(ip.into()))
        }
        _ => None,
    };
    match client {
        Some(client) => Proxied::Header(Header { bytes: end + 2, client, secure: false }),
        None => Proxied::Wrong,
    }
}

/// The source, if both addresses and both ports are what they should be.
fn pair<A: std::str::FromStr>(source: &str, destination: &str, from: &str, to: &str) -> Option<A> {
    let port = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok();
    let both = destination.parse::<A>().is_ok() && port(from) && port(to);
    source.parse().ok().filter(|_| both)
}

fn v2(bytes: &[u8]) -> Proxied {
    let Some(fixed) = bytes.first_chunk::<V2_FIXED>() else { return Proxied::More };
    let [command, family, high, low] = [fixed[12], fixed[13], fixed[14], fixed[15]];
    let whole = V2_FIXED + usize::from(u16::from_be_bytes([high, low]));
    if command >> 4 != 2 || command & 0xF > 1 || whole > V2_BYTES_MAX {
        return Proxied::Wrong;
    }
    let Some(body) = bytes.get(V2_FIXED..whole) else { return Proxied::More };
    let nobody = Header { bytes: whole, client: None, secure: false };
    // Command 0: the balancer connects for itself.
    if command & 0xF == 0 {
        return Proxied::Header(nobody);
    }
    let (client, extras): (Option<IpAddr>, _) = match family {
        0x11 => (body.first_chunk::<4>().map(|ip| Ipv4Addr::from(*ip).into()), 12),
        0x21 => (body.first_chunk::<16>().map(|ip| Ipv6Addr::from(*ip).into()), 36),
        // Datagrams, sockets of the file system, and what the balancer does not know.
        _ => return Proxied::Header(nobody),
    };
    match body.get(extras..) {
        Some(extras) => Proxied::Header(Header { client, secure: tls(extras), ..nobody }),
        None => Proxied::Wrong,
    }
}

/// Whether the extras say that the client speaks TLS. Each is a kind, a length of two bytes and a value.
fn tls(mut extras: &[u8]) -> bool {
    while let [kind, high, low, rest @ ..] = extras {
        let Some((value, rest)) = rest.split_at_checked(usize::from(u16::from_be_bytes([*high, *low])))
        else {
            return false;
        };
        if *kind == TLV_SSL {
            return value.first().is_some_and(|client| client & CLIENT_SSL != 0);
        }
        extras = rest;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(bytes: usize, client: Option<&str>, secure: bool) -> Proxied {
        Proxied::Header(Header { bytes, client: client.map(|ip| ip.parse().unwrap()), secure })
    }

    /// Each prefix is not enough, and what follows does not matter.
    fn whole(bytes: &[u8], client: Option<&str>, secure: bool) {
        for end in 0..bytes.len() {
            assert_eq!(parse(&bytes[..end]), Proxied::More, "{end} of {bytes:?}");
        }
        assert_eq!(parse(bytes), header(bytes.len(), client, secure));
        assert_eq!(parse(&[bytes, b"NICK ann\r\n"].concat()), header(bytes.len(), client, secure));
    }

    #[test]
    fn lines_of_version_1() {
        whole(b"PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n", Some("192.168.0.1"), false);
        whole(b"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", Some("255.255.255.255"), false);
        whole(b"PROXY TCP6 2001:db8::1 ::1 1 2\r\n", Some("2001:db8::1"), false);
        whole(b"PROXY UNKNOWN\r\n", None, false);
        // The longest one there is.
        let ip = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
        let longest = format!("PROXY UNKNOWN {ip} {ip} 65535 65535\r\n");
        assert_eq!(longest.len(), V1_BYTES_MAX);
        whole(longest.as_bytes(), None, false);
    }

    #[test]
    fn what_is_no_line_of_version_1() {
        for line in [
            "PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n",
            "PROXY TCP4 1.2.3.4 ::1 1 2\r\n",
            "PROXY TCP4 ::1 ::1 1 2\r\n",
            "PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n",
            "PROXY TCP4 1.2.3.4 1.2.3.4 +1 2\r\n",
            "PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n",
            "PROXY \r\n",
        ] {
            assert_eq!(parse(line.as_bytes()), Proxied::Wrong, "{line:?}");
        }
        assert_eq!(parse(format!("PROXY UNKNOWN {}\r\n", "x".repeat(100)).as_bytes()), Proxied::Wrong);
        assert_eq!(parse(b"PROXYann\n"), Proxied::No);
        assert_eq!(parse(b"NICK ann\r\n"), Proxied::No);
        assert_eq!(parse(b"PRO"), Proxied::More);
    }

    fn binary(command: u8, family: u8, body: &[u8]) -> Vec<u8> {
        let length = u16::try_from(body.len()).unwrap().to_be_bytes();
        [V2_SIGNATURE.as_slice(), &[command, family], &length, body].concat()
    }

    #[test]
    fn headers_of_version_2() {
        let four = [1, 1, 1, 1, 127, 0, 0, 1, 0xff, 0xfd, 0x1a, 0x0b];
        whole(&binary(0x21, 0x11, &four), Some("1.1.1.1"), false);
        let mut six = [0; 36];
        (six[0], six[1], six[15]) = (0x20, 0x01, 9);
        whole(&binary(0x21, 0x21, &six), Some("2001::9"), false);
        whole(&binary(0x20, 0x00, &[]), None, false);
        // Its own connection, whatever the addresses say; datagrams; a socket of the file system.
        whole(&binary(0x20, 0x11, &four), None, false);
        whole(&binary(0x21, 0x12, &four), None, false);
        whole(&binary(0x21, 0x31, &[0; 216]), None, false);
    }

    #[test]
    fn extras_of_version_2_tell_of_tls() {
        let four = [1, 1, 1, 1, 127, 0, 0, 1, 0xff, 0xfd, 0x1a, 0x0b];
        let with = |extras: &[u8]| binary(0x21, 0x11, &[&four, extras].concat());
        let alpn = [0x01, 0, 2, b'h', b'2'];
        whole(&with(&alpn), Some("1.1.1.1"), false);
        let ssl = [&alpn[..], &[0x20, 0, 5, 0x01, 0, 0, 0, 0]].concat();
        whole(&with(&ssl), Some("1.1.1.1"), true);
        whole(&with(&[0x20, 0, 5, 0x00, 0, 0, 0, 0]), Some("1.1.1.1"), false);
        // A length that leads outside says nothing.
        whole(&with(&[0x20, 0xff, 0xff, 1]), Some("1.1.1.1"), false);
    }

    #[test]
    fn what_is_no_header_of_version_2() {
        assert_eq!(parse(&binary(0x11, 0x11, &[0; 12])), Proxied::Wrong);
        assert_eq!(parse(&binary(0x22, 0x11, &[0; 12])), Proxied::Wrong);
        assert_eq!(parse(&binary(0x21, 0x11, &[0; 11])), Proxied::Wrong);
        assert_eq!(parse(&binary(0x21, 0x11, &[0; 3000])), Proxied::Wrong);
        assert_eq!(parse(b"\r\n\r\nNICK ann\r\n"), Proxied::No);
    }
}
