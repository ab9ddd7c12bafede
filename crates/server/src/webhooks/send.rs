//! One request to somebody else's address: resolved once, checked, and reached at exactly the address that was checked.
//! Redirections are not followed.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{HOST, RETRY_AFTER, USER_AGENT};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::private::is_private;

/// How long a request may take, all in all.
pub(crate) const PATIENCE: Duration = Duration::from_secs(15);

/// Bytes of an answer that are read.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Something to be told.
#[derive(Clone)]
pub(crate) struct Telling {
    pub(crate) url: Arc<str>,
    /// The kind of the body among them.
    pub(crate) headers: Vec<(Cow<'static, str>, String)>,
    pub(crate) body: Bytes,
    /// Whether private addresses may be reached.
    pub(crate) allow_private: bool,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// It was taken.
    Taken,
    /// It was answered with this status; seconds to wait, if that was said.
    Status(u16, Option<u64>),
    /// It was not reached; why.
    Failed(String),
}

/// The parts of an address.
struct Address<'u> {
    tls: bool,
    host: &'u str,
    port: u16,
    /// What is written in the request's `Host`.
    authority: &'u str,
    path: &'u str,
}

fn parts(url: &str) -> Option<Address<'_>> {
    let (tls, rest) = match url.strip_prefix("https://") {
        Some(rest) => (true, rest),
        None => (false, url.strip_prefix("http://")?),
    };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let (host, port) = match authority.strip_prefix('[') {
        Some(v6) => {
            let (host, behind) = v6.split_once(']')?;
            (host, behind.strip_prefix(':'))
        }
        None => authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port))),
    };
    let port = match port {
        Some(port) => port.parse().ok()?,
        None if tls => 443,
        None => 80,
    };
    Some(Address { tls, host, port, authority, path })
}

/// Tells somebody something. Within a `LocalSet` only.
pub(crate) async fn tell(telling: Telling, tls: Arc<ClientConfig>, patience: Duration) -> Told {
    match timeout(patience, try_tell(&telling, tls)).await {
        Ok(Ok(told)) => told,
        Ok(Err(why)) => Told::Failed(why),
        Err(_) => Told::Failed(format!("no answer within {} s", patience.as_secs())),
    }
}

async fn try_tell(telling: &Telling, tls: Arc<ClientConfig>) -> Result<Told, String> {
    let address = parts(&telling.url).ok_or("that is no address")?;
    let stream = connect(&address, telling.allow_private).await?;
    if !address.tls {
        return ask(stream, &address, telling).await;
    }
    let name = ServerName::try_from(address.host.to_owned()).map_err(|error| error.to_string())?;
    let stream = TlsConnector::from(tls).connect(name, stream).await.map_err(|error| error.to_string())?;
    ask(stream, &address, telling).await
}

/// Connects to one of the host's addresses; which they are is asked once, so that nobody can give another answer between
/// the check and the connection.
async fn connect(address: &Address<'_>, allow_private: bool) -> Result<TcpStream, String> {
    let found: Vec<SocketAddr> = match address.host.parse::<IpAddr>() {
        Ok(ip) => vec![SocketAddr::from((ip, address.port))],
        Err(_) => {
            let found = lookup_host((address.host, address.port)).await;
            found.map_err(|error| format!("the host was not found: {error}"))?.collect()
        }
    };
    let mut why = "the host has no address".to_owned();
    for place in found {
        if !allow_private && is_private(place.ip()) {
            why = format!("{} is a private address ([webhooks] allow_private)", place.ip());
            continue;
        }
        match TcpStream::connect(place).await {
            Ok(stream) => return Ok(stream),
            Err(error) => why = error.to_string(),
        }
    }
    Err(why)
}

async fn ask(
    stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
    address: &Address<'_>,
    telling: &Telling,
) -> Result<Told, String> {
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
    // It ends with this request, whatever comes of it.
    let connection = AbortOnDrop(tokio::task::spawn_local(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "the connection of a request ended");
        }
    }));
    let path = match address.path {
        "" => "/".to_owned(),
        query if query.starts_with('?') => format!("/{query}"),
        path => path.to_owned(),
    };
    let mut request = Request::post(path)
        .header(HOST, address.authority)
        .header(USER_AGENT, concat!("chinwag/", env!("CARGO_PKG_VERSION")));
    for (name, value) in &telling.headers {
        request = request.header(&**name, value);
    }
    let request = request.body(Full::new(telling.body.clone())).map_err(|error| error.to_string())?;
    let answer = sender.send_request(request).await.map_err(|error| error.to_string())?;
    let status = answer.status();
    let wait = answer.headers().get(RETRY_AFTER).and_then(|wait| wait.to_str().ok()?.parse().ok());
    // What is answered is of no interest, but whoever answers may want to finish.
    let _ = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await;
    drop(connection);
    Ok(if status.is_success() { Told::Taken } else { Told::Status(status.as_u16(), wait) })
}

struct AbortOnDrop(tokio::task::JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart() {
        for (url, expected) in [
            ("https://example.org/a?b", (true, "example.org", 443, "/a?b")),
            ("http://example.org:8080", (false, "example.org", 8080, "")),
            ("http://[::1]:1?x", (false, "::1", 1, "?x")),
        ] {
            let found = parts(url).unwrap();
            assert_eq!((found.tls, found.host, found.port, found.path), expected, "{url}");
        }
        assert!(parts("ftp://a/").is_none() && parts("http://a:b/").is_none());
    }
}
