//! The way to the collector: one request after another, from the thread on which spans are gathered.

use std::fmt;
use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::body::Bytes;
use hyper::{Request, Response, StatusCode};
use opentelemetry_http::{HttpClient, HttpError};
use rustls::{ClientConfig, RootCertStore};
use tokio::runtime::Builder;
use tokio::task::LocalSet;

use crate::webhooks::client;
use crate::webhooks::send::{Telling, Told, tell};

/// How long a collector may take for one request, all in all.
const PATIENCE: Duration = Duration::from_secs(5);

/// Sends what is gathered, and says when that begins to fail and when it goes again; not each time.
pub(super) struct Collector {
    tls: Arc<ClientConfig>,
    failing: AtomicBool,
}

impl Collector {
    /// For a collector at this address.
    pub(super) fn new(address: &str) -> Collector {
        let tls = if address.starts_with("https://") { client() } else { nobody() };
        Collector { tls, failing: AtomicBool::new(false) }
    }

    /// Sends one request and waits for its answer. Never on the chat's thread.
    fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (head, body) = request.into_parts();
        let text =
            |value: &hyper::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers =
            head.headers.iter().map(|(name, value)| (name.to_string().into(), text(value))).collect();
        // Who runs the server chose the address: it is most likely this machine.
        let telling = Telling { url: head.uri.to_string().into(), headers, body, allow_private: true };
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let told = LocalSet::new().block_on(&runtime, tell(telling, Arc::clone(&self.tls), PATIENCE));
        self.note(&told);
        let status = match told {
            Told::Taken => StatusCode::OK,
            Told::Status(status, _) => StatusCode::from_u16(status)?,
            Told::Failed(why) => return Err(why.into()),
        };
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = status;
        Ok(response)
    }

    fn note(&self, told: &Told) {
        let failed = *told != Told::Taken;
        if self.failing.swap(failed, Ordering::Relaxed) == failed {
            return;
        }
        match told {
            Told::Taken => tracing::info!("the collector takes traces again"),
            Told::Status(status, _) => tracing::warn!(status, "the collector refuses traces: they are lost"),
            Told::Failed(why) => tracing::warn!(%why, "the collector is not reached: traces are lost"),
        }
    }
}

/// Nobody is believed, since nobody is asked.
fn nobody() -> Arc<ClientConfig> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider knows the versions that it is built with")
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    Arc::new(config)
}

impl fmt::Debug for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collector").finish_non_exhaustive()
    }
}

/// What the trait's macro would write.
type Sent<'s> = Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 's>>;

impl HttpClient for Collector {
    fn send_bytes<'s, 'f>(&'s self, request: Request<Bytes>) -> Sent<'f>
    where
        's: 'f,
        Self: 'f,
    {
        // The thread that asks is there for this alone: it may wait.
        Box::pin(ready(self.send(request)))
    }
}
