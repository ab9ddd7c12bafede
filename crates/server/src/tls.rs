//! TLS: certificates, and the bytes of one connection between the socket and its door.
//!
//! rustls does not touch sockets here: the outbox and the connection's task own them, and bytes are moved through
//! [`Tls`] by hand. So the hub can still write straight to a socket, and an idle connection keeps no buffer of ours.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::acme::Board;
use crate::ends::validity;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{
    Accepted, AcceptedAlert, Acceptor, ClientHello, NoServerSessionStorage, ServerConfig, ServerConnection,
};
use rustls::{DigitallySignedStruct, DistinguishedName as Issuer, SignatureScheme};

/// The files of the certificate that the server makes for itself, in the data folder.
const OWN_CERTIFICATE: &str = "tls-cert.pem";
const OWN_KEY: &str = "tls-key.pem";

/// A fatal alert `handshake_failure` (RFC 8446, section 6.2), in a record of the version that every client accepts
/// before one was negotiated.
pub(crate) const HANDSHAKE_FAILURE: [u8; 7] = [0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x28];

/// A certificate with its key, ready to be used, and what its owner compares.
#[derive(Debug)]
pub(crate) struct Certificate {
    /// For IRC clients: asks for a certificate of theirs, too.
    asking: Arc<ServerConfig>,
    /// For browsers, which would bother people with a choice of certificates.
    silent: Arc<ServerConfig>,
    /// SHA-256 of the certificate, in lower-case hexadecimal.
    pub(crate) fingerprint: String,
    /// Until when it is good, in milliseconds since the Unix epoch.
    pub(crate) ends_ms: Option<u64>,
    /// It signs itself: nobody else vouches for it.
    pub(crate) own: bool,
    /// What is shown to certificate authorities instead.
    board: Arc<Board>,
}

/// Why there is no certificate. The text is one sentence that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or there is no PEM in it.
    #[error("cannot read {what} {}: {why}; see tls_cert and tls_key of the listener", .path.display())]
    Read {
        /// Certificate or key.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// Certificate and key cannot be used.
    #[error("cannot use the certificate {} with its key: {why}", .path.display())]
    Use {
        /// The certificate's file.
        path: PathBuf,
        /// What is wrong.
        why: rustls::Error,
    },
    /// The server's own certificate cannot be made or kept.
    #[error("cannot make a TLS certificate in {}: {why}; name one with tls_cert and tls_key, or set tls = \"off\"", .path.display())]
    Make {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
}

impl Certificate {
    /// Reads a certificate and its key.
    pub(crate) fn read(cert: &Path, key: &Path, board: &Arc<Board>) -> Result<Certificate, TlsError> {
        let unread = |what, path: &Path, why: &dyn std::fmt::Display| TlsError::Read {
            what,
            path: path.to_owned(),
            why: why.to_string(),
        };
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(cert)
            .and_then(Iterator::collect)
            .map_err(|error| unread("the certificate", cert, &error))?;
        let first = chain.first().ok_or_else(|| unread("the certificate", cert, &"there is none in it"))?;
        let (fingerprint, ends_ms) = (fingerprint(first), validity(first).map(|(_, until)| until));
        let key = PrivateKeyDer::from_pem_file(key).map_err(|error| unread("the key", key, &error))?;
        let config = |ask: bool| {
            let provider = Arc::new(aws_lc_rs::default_provider());
            let verifier: Arc<dyn ClientCertVerifier> =
                Arc::new(AnyClient { provider: Arc::clone(&provider), ask });
            let mut config = ServerConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()?
                .with_client_cert_verifier(verifier)
                .with_single_cert(chain.clone(), key.clone_key())?;
            // Chat connections last for days: resuming one saves nothing, and remembering it costs memory.
            config.session_storage = Arc::new(NoServerSessionStorage {});
            config.send_tls13_tickets = 0;
            Ok(Arc::new(config))
        };
        let unusable = |why| TlsError::Use { path: cert.to_owned(), why };
        let (asking, silent) = (config(true).map_err(unusable)?, config(false).map_err(unusable)?);
        Ok(Certificate { asking, silent, fingerprint, ends_ms, own: false, board: Arc::clone(board) })
    }

    /// The server's own certificate, made and kept in the data folder at the first call. `names` are the hosts that
    /// it is for.
    pub(crate) fn own(folder: &Path, names: &[&str], board: &Arc<Board>) -> Result<Certificate, TlsError> {
        let (cert, key) = (folder.join(OWN_CERTIFICATE), folder.join(OWN_KEY));
        if !cert.exists() || !key.exists() {
            make(&cert, &key, names)
                .map_err(|why| TlsError::Make { path: cert.clone(), why: why.to_string() })?;
        }
        Ok(Certificate { own: true, ..Certificate::read(&cert, &key, board)? })
    }

    fn config_for(&self, hello: &ClientHello<'_>) -> Arc<ServerConfig> {
        if let Some(config) = self.board.handshake(hello) {
            return config;
        }
        let browser =
            hello.alpn().is_some_and(|mut names| names.any(|name| name == b"http/1.1" || name == b"h2"));
        Arc::clone(if browser { &self.silent } else { &self.asking })
    }
}

/// Makes a certificate that signs itself. The key is written first and for its owner only.
fn make(cert: &Path, key: &Path, names: &[&str]) -> Result<(), Box<dyn std::error::Error>> {
    let mut hosts: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    hosts.dedup();
    let mut params = CertificateParams::new(hosts)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, names.first().copied().unwrap_or("chinwag"));
    let pair = KeyPair::generate()?;
    let made = params.self_signed(&pair)?;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(key)?.write_all(pair.serialize_pem().as_bytes())?;
    options.open(cert)?.write_all(made.pem().as_bytes())?;
    Ok(())
}

/// SHA-256 in lower-case hexadecimal.
fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    use std::fmt::Write as _;
    let digest = ::aws_lc_rs::digest::digest(&::aws_lc_rs::digest::SHA256, certificate);
    digest.as_ref().iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Takes any certificate of a client: it is not asked who signed it, since its fingerprint is what an account knows.
/// That the client has its key is checked.
#[derive(Debug)]
struct AnyClient {
    provider: Arc<CryptoProvider>,
    ask: bool,
}

impl ClientCertVerifier for AnyClient {
    fn offer_client_auth(&self) -> bool {
        self.ask
    }

    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[Issuer] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// What is known of a caller from the handshake.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shown {
    /// The host that it looked for (SNI).
    pub(crate) host: Option<String>,
    /// The fingerprint of its certificate.
    pub(crate) fingerprint: Option<String>,
}

/// TLS of one connection.
pub(crate) enum Tls {
    /// The first message of the handshake has not come whole.
    Hello(Box<Acceptor>, Arc<Certificate>),
    /// The rest of its life.
    Connection(Box<ServerConnection>),
    /// The handshake failed: nothing more is said.
    Failed,
}

impl Tls {
    pub(crate) fn new(certificate: Arc<Certificate>) -> Tls {
        Tls::Hello(Box::default(), certificate)
    }

    /// Whether the handshake is over.
    pub(crate) fn ready(&self) -> bool {
        matches!(self, Tls::Connection(connection) if !connection.is_handshaking())
    }

    /// What the caller showed. After the handshake.
    pub(crate) fn shown(&self) -> Shown {
        let Tls::Connection(connection) = self else { return Shown::default() };
        let certificate = connection.peer_certificates().and_then(|chain| chain.first());
        Shown {
            host: connection.server_name().map(str::to_owned),
            fingerprint: certificate.map(|certificate| fingerprint(certificate)),
        }
    }

    /// Takes bytes from the socket: what the caller said is appended to `plain`, what has to be answered at once to
    /// `wire`.
    ///
    /// # Errors
    /// `UnexpectedEof` when the caller has said that it is done. Otherwise the connection is of no more use, and an
    /// alert for the caller is in `wire`.
    pub(crate) fn feed(&mut self, mut raw: &[u8], plain: &mut Vec<u8>, wire: &mut Vec<u8>) -> io::Result<()> {
        while !raw.is_empty() {
            match self {
                Tls::Hello(acceptor, certificate) => {
                    acceptor.read_tls(&mut raw)?;
                    let certificate = Arc::clone(certificate);
                    match acceptor.accept() {
                        Ok(None) => {}
                        Ok(Some(accepted)) => self.begin(accepted, &certificate, wire)?,
                        Err((error, alert)) => return Err(self.fail(error, alert, wire)),
                    }
                }
                Tls::Connection(connection) => {
                    connection.read_tls(&mut raw)?;
                    let read = connection.process_new_packets();
                    Tls::flush(connection, wire)?;
                    let state = read.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
                    let count = state.plaintext_bytes_to_read();
                    connection.reader().take(count as u64).read_to_end(plain)?;
                    if state.peer_has_closed() {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
                Tls::Failed => return Ok(()),
            }
        }
        Ok(())
    }

    fn begin(&mut self, accepted: Accepted, certificate: &Certificate, wire: &mut Vec<u8>) -> io::Result<()> {
        let config = certificate.config_for(&accepted.client_hello());
        match accepted.into_connection(config) {
            Ok(mut connection) => {
                Tls::flush(&mut connection, wire)?;
                *self = Tls::Connection(Box::new(connection));
                Ok(())
            }
            Err((error, alert)) => Err(self.fail(error, alert, wire)),
        }
    }

    fn fail(&mut self, error: rustls::Error, mut alert: AcceptedAlert, wire: &mut Vec<u8>) -> io::Error {
        *self = Tls::Failed;
        let before = wire.len();
        if alert.write_all(wire).is_err() || wire.len() == before {
            wire.extend_from_slice(&HANDSHAKE_FAILURE);
        }
        io::Error::new(io::ErrorKind::InvalidData, error)
    }

    fn flush(connection: &mut ServerConnection, wire: &mut Vec<u8>) -> io::Result<()> {
        while connection.wants_write() {
            connection.write_tls(wire)?;
        }
        Ok(())
    }

    /// Appends what is to be said, encrypted, to `wire`.
    pub(crate) fn write(&mut self, bytes: &[u8], wire: &mut Vec<u8>) -> io::Result<()> {
        let Tls::Connection(connection) = self else { return Ok(()) };
        connection.writer().write_all(bytes)?;
        Tls::flush(connection, wire)
    }

    /// Says that nothing more comes (RFC 8446, section 6.1).
    pub(crate) fn close(&mut self, wire: &mut Vec<u8>) -> io::Result<()> {
        let Tls::Connection(connection) = self else { return Ok(()) };
        connection.send_close_notify();
        Tls::flush(connection, wire)
    }
}
