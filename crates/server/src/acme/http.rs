//! Requests to a certificate authority: https only, a connection each, bounded in time and size.

use std::error::Error as StdError;
use std::fs;
use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{HOST, HeaderValue};
use hyper::{Request, Response, Uri};
use hyper_util::rt::TokioIo;
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// How long a request may take.
const WITHIN: Duration = Duration::from_secs(30);

/// Bytes of an answer that are read.
const ANSWER_BYTES_MAX: usize = 256 * 1024;

type Failed = Box<dyn StdError + Send + Sync + 'static>;

/// Asks authorities.
pub(super) struct Https(Arc<ClientConfig>);

impl Https {
    /// Believes in whom the system does, or in the certificate of this file.
    pub(super) fn new(ca_file: Option<&Path>) -> Result<Https, String> {
        let mut roots = RootCertStore::empty();
        match ca_file {
            Some(file) => {
                let pem =
                    fs::read(file).map_err(|error| format!("cannot read {}: {error}", file.display()))?;
                for found in CertificateDer::pem_slice_iter(&pem) {
                    let found = found.map_err(|error| format!("{}: {error}", file.display()))?;
                    roots.add(found).map_err(|error| format!("{}: {error}", file.display()))?;
                }
            }
            None => drop(roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs)),
        }
        if roots.is_empty() {
            return Err("there is no certificate that vouches for the authority: install the system's \
                        (ca-certificates), or name one with ca_file"
                .to_owned());
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Https(Arc::new(config)))
    }
}

impl HttpClient for Https {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let tls = Arc::clone(&self.0);
        Box::pin(async move {
            match timeout(WITHIN, ask(request, tls)).await {
                Ok(Ok(response)) => Ok(BytesResponse::from(response)),
                Ok(Err(error)) => Err(Error::Other(error)),
                Err(_) => Err(Error::Other(
                    format!("the authority has not answered for {} seconds", WITHIN.as_secs()).into(),
                )),
            }
        })
    }
}

async fn ask(
    request: Request<BodyWrapper<Bytes>>,
    tls: Arc<ClientConfig>,
) -> Result<Response<Full<Bytes>>, Failed> {
    let (mut parts, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let uri = parts.uri;
    if uri.scheme_str() != Some("https") {
        return Err(format!("{uri} is not https").into());
    }
    let authority = uri.authority().ok_or("the address has no host")?.clone();
    let host = authority.host().trim_matches(['[', ']']).to_owned();
    let socket = TcpStream::connect((host.as_str(), authority.port_u16().unwrap_or(443))).await?;
    let stream = TlsConnector::from(tls).connect(ServerName::try_from(host)?, socket).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let driven = tokio::spawn(connection);
    parts.uri = uri.path_and_query().map_or(Uri::from_static("/"), |path| Uri::from(path.clone()));
    parts.headers.insert(HOST, HeaderValue::from_str(authority.as_str())?);
    let answer = sender.send_request(Request::from_parts(parts, Full::new(body))).await?;
    let (parts, body) = answer.into_parts();
    let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await?.to_bytes();
    driven.abort();
    Ok(Response::from_parts(parts, Full::new(body)))
}
