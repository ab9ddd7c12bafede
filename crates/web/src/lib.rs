//! The files of the web client, embedded, and the answers in which browsers get them.
//!
//! What lives here: the choice of a file and of its encoding, caching, and the headers that keep a page from doing
//! what it should not. What does not: sockets, and HTTP on the wire, which are the server's. `build.rs` makes the
//! files; the client itself is TypeScript, in `client/`.

/// One file.
#[derive(Debug)]
pub struct Asset {
    /// Where it is asked for, with its `/`.
    pub path: &'static str,
    /// Its `Content-Type`.
    pub kind: &'static str,
    /// Its `ETag` as it is when not compressed, quotation marks included.
    pub etag: &'static str,
    /// Whether its name changes with what is in it: browsers never have to ask again.
    pub hashed: bool,
    /// As it is.
    pub plain: &'static [u8],
    /// The same by Brotli (RFC 7932).
    pub brotli: Option<&'static [u8]>,
    /// The same by gzip (RFC 1952).
    pub gzip: Option<&'static [u8]>,
}

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// What a page may do: load its own files and talk to this very server, and nothing else. The one policy that may make
/// markup from text is the view library's own, for what is in the program; what people say never is markup. The other one
/// names the service worker.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
                      connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'; trusted-types svelte-trusted-html chinwag-worker; require-trusted-types-for 'script'";

/// Sent with every answer.
const ALWAYS: [(&str, &str); 5] = [
    ("content-security-policy", POLICY),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
];

/// What a browser asks, as far as it matters here.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked<'a> {
    /// `GET`, `HEAD` or what else.
    pub method: &'a str,
    /// The path, without what follows a `?`.
    pub path: &'a str,
    /// `Accept-Encoding`.
    pub encodings: &'a str,
    /// `If-None-Match`.
    pub known: &'a str,
}

/// What it is answered.
#[derive(Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Names in lower case, and values.
    pub headers: Vec<(&'static str, String)>,
    /// The bytes; for `HEAD` they are left out by whoever sends this.
    pub body: &'static [u8],
}

/// The answer to a request for a file.
pub fn answer(asked: Asked<'_>) -> Answer {
    if !matches!(asked.method, "GET" | "HEAD") {
        let mut refused = words(405, b"Only GET and HEAD are answered here.\n");
        refused.headers.push(("allow", "GET, HEAD".to_owned()));
        return refused;
    }
    let path = if asked.path == "/" { "/index.html" } else { asked.path };
    match ASSETS.iter().find(|asset| asset.path == path) {
        Some(asset) => file(asset, &asked),
        None => words(404, b"There is nothing at this address. The chat is at /\n"),
    }
}

/// An answer in words, with the headers of all.
pub fn words(status: u16, body: &'static [u8]) -> Answer {
    let mut headers = always();
    headers.push(("content-type", "text/plain; charset=utf-8".to_owned()));
    headers.push(("cache-control", "no-store".to_owned()));
    Answer { status, headers, body }
}

fn always() -> Vec<(&'static str, String)> {
    ALWAYS.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
}

fn file(asset: &'static Asset, asked: &Asked<'_>) -> Answer {
    let (encoding, body) = encoded(asset, asked.encodings);
    let bare = asset.etag.trim_matches('"');
    let etag = encoding.map_or(asset.etag.to_owned(), |name| format!("\"{bare}-{name}\""));
    let mut headers = always();
    let caching = if asset.hashed { "public, max-age=31536000, immutable" } else { "no-cache" };
    headers.push(("cache-control", caching.to_owned()));
    headers.push(("vary", "accept-encoding".to_owned()));
    let known = asked.known.split(',').map(|tag| tag.trim().trim_start_matches("W/"));
    if known.clone().any(|tag| tag == etag || tag == "*") {
        headers.push(("etag", etag));
        return Answer { status: 304, headers, body: b"" };
    }
    headers.push(("etag", etag));
    headers.push(("content-type", asset.kind.to_owned()));
    headers.extend(encoding.map(|name| ("content-encoding", name.to_owned())));
    Answer { status: 200, headers, body }
}

/// The smallest form that the browser takes (RFC 9110, section 12.5.3).
fn encoded(asset: &'static Asset, accepted: &str) -> (Option<&'static str>, &'static [u8]) {
    for (name, form) in [("br", asset.brotli), ("gzip", asset.gzip)] {
        if let Some(bytes) = form.filter(|_| accepts(accepted, name)) {
            return (Some(name), bytes);
        }
    }
    (None, asset.plain)
}

/// Whether a header names an encoding and does not rule it out.
fn accepts(header: &str, name: &str) -> bool {
    header.split(',').any(|part| {
        let mut words = part.split(';').map(str::trim);
        let named = words.next().is_some_and(|word| word.eq_ignore_ascii_case(name));
        let weight =
            words.find_map(|word| word.strip_prefix("q=").and_then(|q| q.trim().parse::<f32>().ok()));
        named && weight.unwrap_or(1.0) > 0.0
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(path: &str) -> Asked<'_> {
        Asked { method: "GET", path, ..Asked::default() }
    }

    fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
        answer.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    #[test]
    fn the_page_is_there_with_or_without_the_client() {
        let page = answer(get("/"));
        assert_eq!(page.status, 200);
        assert_eq!(header(&page, "content-type"), Some("text/html; charset=utf-8"));
        assert_eq!(header(&page, "cache-control"), Some("no-cache"));
        assert_eq!(header(&page, "x-content-type-options"), Some("nosniff"));
        let text = std::str::from_utf8(page.body).unwrap();
        assert!(text.contains("<title>chinwag</title>"), "{text}");
        assert_eq!(MISSING.is_some(), text.contains("has no web client"), "{text}");
        assert!(!text.contains("<style"), "a style in the page is forbidden by its own policy");
        assert!(
            text.split("<script").skip(1).all(|tag| {
                let (tag, rest) = tag.split_once('>').unwrap();
                tag.contains(" src=\"/") && rest.starts_with("</script>")
            }),
            "a script in the page is forbidden by its own policy: {text}"
        );
    }

    #[test]
    fn what_is_known_is_not_sent_again() {
        let page = answer(get("/"));
        let etag = header(&page, "etag").unwrap().to_owned();
        let known = format!("\"other\", W/{etag}");
        let again = answer(Asked { known: &known, ..get("/") });
        assert_eq!((again.status, again.body.len()), (304, 0));
        assert_eq!(header(&again, "etag"), Some(etag.as_str()));
    }

    #[test]
    fn the_smallest_form_that_is_taken_is_sent() {
        let asset: &'static Asset = Box::leak(Box::new(Asset {
            path: "/a.js",
            kind: "text/javascript",
            etag: "\"1\"",
            hashed: true,
            plain: b"plain",
            brotli: Some(b"br"),
            gzip: Some(b"gz"),
        }));
        for (accepted, name, body) in [
            ("gzip, deflate, br, zstd", Some("br"), "br"),
            ("gzip", Some("gzip"), "gz"),
            ("br;q=0, gzip;q=0.5", Some("gzip"), "gz"),
            ("identity", None, "plain"),
            ("", None, "plain"),
        ] {
            let sent = file(asset, &Asked { encodings: accepted, ..get("/a.js") });
            assert_eq!(header(&sent, "content-encoding"), name, "{accepted}");
            assert_eq!(sent.body, body.as_bytes());
            assert_eq!(header(&sent, "cache-control"), Some("public, max-age=31536000, immutable"));
            let etag = name.map_or("\"1\"".to_owned(), |name| format!("\"1-{name}\""));
            assert_eq!(header(&sent, "etag"), Some(etag.as_str()));
        }
    }

    #[test]
    fn nothing_else_is_answered() {
        assert_eq!(answer(get("/../Cargo.toml")).status, 404);
        assert_eq!(answer(get("/index.html/")).status, 404);
        let posted = answer(Asked { method: "POST", ..get("/") });
        assert_eq!((posted.status, header(&posted, "allow")), (405, Some("GET, HEAD")));
    }
}
