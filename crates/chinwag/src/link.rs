//! The way to a server: an address, a socket, TLS with a certificate that is remembered.
//!
//! Servers mostly make their own certificates, which nobody vouches for. So the first one that a server shows is
//! remembered, and another one later is a clear stop.

use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The port where nobody says another one.
pub(crate) const PORT: u16 = 55_555;
/// How long a server may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// Where a server is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Target {
    /// A name or an address, without brackets.
    pub(crate) host: String,
    /// The port.
    pub(crate) port: u16,
    /// TLS or not.
    pub(crate) tls: bool,
    /// The certificate that was announced with it on the local network, as SHA-256 in lower-case hexadecimal. It is no reason
    /// to trust; another one is a reason not to.
    pub(crate) announced: Option<String>,
}

impl Target {
    /// An address as people write it: `host`, `host:port`, `[::1]:port`; or the link that browsers open. Without a word
    /// about TLS it is used, except on this machine: the server speaks it on the same port.
    pub(crate) fn new(address: &str, tls: Option<bool>) -> Result<Target, String> {
        let web = ["https://", "http://"].iter().zip([443, 80]).find_map(|(scheme, port)| {
            let rest = address.strip_prefix(scheme)?;
            Some((rest.split(['/', '#', '?']).next().unwrap_or(rest), port))
        });
        let (address, usual) = web.unwrap_or((address, PORT));
        let Address { host, port } = Address::parse(address, usual)?;
        let tls = tls.unwrap_or_else(|| !is_here(&host));
        Ok(Target { host, port, tls, announced: None })
    }

    /// Whether nobody else can read what goes there.
    pub(crate) fn trusted(&self) -> bool {
        self.tls || is_here(&self.host)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bracketed = self.host.contains(':');
        match bracketed {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

fn is_here(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

struct Address {
    host: String,
    port: u16,
}

/// The code in the link of an invitation, if it is one.
pub(crate) fn invitation(link: &str) -> Option<&str> {
    let web = link.starts_with("http://") || link.starts_with("https://");
    let (_, code) = link.split_once("#/invitation/").filter(|_| web)?;
    Some(code).filter(|code| !code.is_empty())
}

impl Address {
    /// `usual` is the port where none is named.
    fn parse(text: &str, usual: u16) -> Result<Address, String> {
        let wrong = || format!("{text:?} is no address: write host, host:port or [::1]:port");
        let number = |port: &str| port.parse::<u16>().ok().filter(|port| *port > 0).ok_or_else(wrong);
        let (host, port) = if let Some(rest) = text.strip_prefix('[') {
            let (host, port) = rest.split_once(']').ok_or_else(wrong)?;
            let port =
                if port.is_empty() { usual } else { number(port.strip_prefix(':').ok_or_else(wrong)?)? };
            (host, port)
        } else if text.matches(':').count() > 1 {
            (text, usual)
        } else {
            match text.split_once(':') {
                Some((host, port)) => (host, number(port)?),
                None => (text, usual),
            }
        };
        let fine =
            !host.is_empty() && !host.contains(|c: char| c.is_whitespace() || c.is_control() || c == '/');
        if fine { Ok(Address { host: host.to_owned(), port }) } else { Err(wrong()) }
    }
}

/// Bytes to and from a server.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// An open link.
pub(crate) struct Open {
    /// The bytes.
    pub(crate) stream: Box<dyn Stream>,
    /// The certificate's SHA-256, where there is TLS.
    pub(crate) fingerprint: Option<String>,
}

/// Why there is no link.
#[derive(Debug)]
pub(crate) enum ConnectError {
    /// It may work the next time.
    Failed(String),
    /// The server shows another certificate than the one that is remembered.
    OtherCertificate {
        /// What it shows.
        shown: String,
    },
    /// The server shows another certificate than the one that was announced with its address.
    NotAnnounced {
        /// What it shows.
        shown: String,
    },
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConnectError::Failed(why) => f.write_str(why),
            ConnectError::OtherCertificate { shown } => {
                write!(f, "the server shows another certificate than before (SHA-256 {shown})")
            }
            ConnectError::NotAnnounced { shown } => write!(
                f,
                "the server shows another certificate (SHA-256 {shown}) than the one that is announced with its address"
            ),
        }
    }
}

/// Connects. `pinned` is the certificate that is remembered of this server, as SHA-256 in hexadecimal.
pub(crate) async fn connect(target: &Target, pinned: Option<&str>) -> Result<Open, ConnectError> {
    let opened = timeout(ANSWER_WITHIN, open(target, pinned)).await;
    opened.unwrap_or_else(|_| {
        let seconds = ANSWER_WITHIN.as_secs();
        Err(ConnectError::Failed(format!("{target} has not answered for {seconds} seconds")))
    })
}

async fn open(target: &Target, pinned: Option<&str>) -> Result<Open, ConnectError> {
    let failed = |error: &dyn fmt::Display| ConnectError::Failed(format!("{target}: {error}"));
    let socket =
        TcpStream::connect((target.host.as_str(), target.port)).await.map_err(|error| failed(&error))?;
    // Without it keys wait for each other; that it fails is no reason not to talk.
    let _ = socket.set_nodelay(true);
    if !target.tls {
        return Ok(Open { stream: Box::new(socket), fingerprint: None });
    }
    let announced = target.announced.as_deref();
    let seen = Arc::new(Pinned::new([pinned, announced]));
    // The interface of a link-local address is not part of the name.
    let host = target.host.split('%').next().unwrap_or_default().to_owned();
    let name = ServerName::try_from(host).map_err(|error| failed(&error))?;
    let connector = tokio_rustls::TlsConnector::from(configuration(&seen).map_err(|error| failed(&error))?);
    let shaken = connector.connect(name, socket).await;
    let shown = seen.shown();
    match (shaken, shown) {
        (Ok(stream), Some(shown)) => Ok(Open { stream: Box::new(stream), fingerprint: Some(shown) }),
        (Ok(_), None) => Err(failed(&"the server showed no certificate")),
        (Err(_), Some(shown)) if pinned.is_some_and(|pinned| pinned != shown) => {
            Err(ConnectError::OtherCertificate { shown })
        }
        (Err(_), Some(shown)) if announced.is_some_and(|announced| announced != shown) => {
            Err(ConnectError::NotAnnounced { shown })
        }
        (Err(error), _) => Err(failed(&format!("no TLS: {error}; --plaintext does without"))),
    }
}

fn configuration(verifier: &Arc<Pinned>) -> Result<Arc<ClientConfig>, rustls::Error> {
    let provider = Arc::clone(&verifier.provider);
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let verifier: Arc<dyn ServerCertVerifier> = Arc::<Pinned>::clone(verifier);
    Ok(Arc::new(builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth()))
}

/// Takes the certificate that is remembered and announced, or any when none is, and keeps which one it was. The signatures of the
/// handshake are checked as always: the server has the certificate's key.
#[derive(Debug)]
struct Pinned {
    provider: Arc<CryptoProvider>,
    pinned: [Option<String>; 2],
    shown: Mutex<Option<String>>,
}

impl Pinned {
    fn new(pinned: [Option<&str>; 2]) -> Pinned {
        Pinned {
            provider: Arc::new(aws_lc_rs::default_provider()),
            pinned: pinned.map(|pinned| pinned.map(str::to_owned)),
            shown: Mutex::new(None),
        }
    }

    fn shown(&self) -> Option<String> {
        self.shown.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }
}

fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    let digest = aws_lc_rs_digest(certificate);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn aws_lc_rs_digest(certificate: &[u8]) -> Vec<u8> {
    ::aws_lc_rs::digest::digest(&::aws_lc_rs::digest::SHA256, certificate).as_ref().to_vec()
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let shown = fingerprint(end_entity);
        let fits = self.pinned.iter().flatten().all(|pinned| *pinned == shown);
        *self.shown.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(shown);
        if fits {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(rustls::Error::InvalidCertificate(rustls::CertificateError::ApplicationVerificationFailure))
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_as_people_write_them() {
        let target = |text: &str| Target::new(text, None).map(|target| (target.to_string(), target.tls));
        assert_eq!(target("chat.example"), Ok(("chat.example:55555".to_owned(), true)));
        assert_eq!(target("chat.example:6697"), Ok(("chat.example:6697".to_owned(), true)));
        assert_eq!(target("localhost"), Ok(("localhost:55555".to_owned(), false)));
        assert_eq!(target("127.0.0.1:1"), Ok(("127.0.0.1:1".to_owned(), false)));
        assert_eq!(target("::1"), Ok(("[::1]:55555".to_owned(), false)));
        assert_eq!(target("[2001:db8::1]:7"), Ok(("[2001:db8::1]:7".to_owned(), true)));
        assert_eq!(target("https://chat.example/"), Ok(("chat.example:443".to_owned(), true)));
        let link = "http://192.0.2.7:55555/#/invitation/amber-river-lamp-frost";
        assert_eq!(target(link), Ok(("192.0.2.7:55555".to_owned(), true)));
        assert_eq!(invitation(link), Some("amber-river-lamp-frost"));
        for none in ["chat.example", "http://chat.example/#tea", "http://chat.example/#/invitation/"] {
            assert_eq!(invitation(none), None, "{none}");
        }
        for wrong in ["", ":1", "host:", "host:0", "host:x", "[::1", "[::1]x", "a b", "ircs://host"] {
            assert!(target(wrong).is_err(), "{wrong}");
        }
        assert!(Target::new("localhost", Some(true)).is_ok_and(|target| target.tls));
    }
}
