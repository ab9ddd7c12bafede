//! What is answered to a certificate authority that looks whether a name leads here: put up by the thread that orders,
//! read by the listeners.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::server::{ClientHello, ServerConfig};

/// Where the authority asks by HTTP (RFC 8555, section 8.3).
pub(crate) const PATH: &str = "/.well-known/acme-challenge/";

/// What the authority says that it wants to speak (RFC 8737, section 4).
pub(crate) const PROTOCOL: &[u8] = b"acme-tls/1";

/// Answers that are up.
#[derive(Debug, Default)]
struct Up {
    /// By token.
    http: BTreeMap<String, String>,
    /// By name.
    tls: BTreeMap<String, Arc<ServerConfig>>,
}

/// The board. Nearly always there is nothing on it.
#[derive(Debug, Default)]
pub(crate) struct Board {
    up: Mutex<Up>,
    failures: AtomicU64,
}

impl Board {
    fn up(&self) -> MutexGuard<'_, Up> {
        self.up.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts up what is answered to a token.
    pub(super) fn put_http(&self, token: &str, answer: &str) {
        self.up().http.insert(token.to_owned(), answer.to_owned());
    }

    /// Puts up the certificate that is shown to who asks for this name in that protocol.
    pub(super) fn put_tls(&self, name: &str, config: Arc<ServerConfig>) {
        self.up().tls.insert(name.to_ascii_lowercase(), config);
    }

    /// Takes everything down.
    pub(super) fn clear(&self) {
        *self.up() = Up::default();
    }

    /// An order failed.
    pub(super) fn failed(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }

    /// Orders that failed since the start.
    pub(crate) fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    /// What is answered to a request for this path, if anything is up for it.
    pub(crate) fn answer(&self, path: &str) -> Option<String> {
        self.up().http.get(path.strip_prefix(PATH)?).cloned()
    }

    /// The same for the first bytes of a request, as a whole answer.
    pub(crate) fn answer_to(&self, request: &[u8]) -> Option<Vec<u8>> {
        let line = request.split(|byte| *byte == b'\r').next()?;
        let path = std::str::from_utf8(line).ok()?.strip_prefix("GET ")?.split(' ').next()?;
        let answer = self.answer(path)?;
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: {}\r\n\
             Cache-Control: no-store\r\nConnection: close\r\n\r\n",
            answer.len()
        );
        Some((head + &answer).into_bytes())
    }

    /// What is shown to a caller who wants to speak nothing but the authority's protocol.
    pub(crate) fn handshake(&self, hello: &ClientHello<'_>) -> Option<Arc<ServerConfig>> {
        let mut names = hello.alpn()?;
        if names.next() != Some(PROTOCOL) || names.next().is_some() {
            return None;
        }
        self.up().tls.get(&hello.server_name()?.to_ascii_lowercase()).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_up_is_answered() {
        let board = Board::default();
        let get =
            |token: &str| board.answer_to(format!("GET {PATH}{token} HTTP/1.1\r\nHost: x\r\n").as_bytes());
        assert_eq!(get("abc"), None);
        board.put_http("abc", "abc.thumb");
        let answer = String::from_utf8(get("abc").unwrap()).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("\r\n\r\nabc.thumb"), "{answer}");
        assert_eq!(get("abd"), None);
        assert_eq!(board.answer_to(format!("POST {PATH}abc HTTP/1.1\r\n").as_bytes()), None);
        assert_eq!(board.answer_to(b"GET /abc HTTP/1.1\r\n"), None);
        assert_eq!(board.answer_to(b"\xff\xfe"), None);
        board.clear();
        assert_eq!(get("abc"), None);
    }
}
