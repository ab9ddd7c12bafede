//! TLS: certificates, and the bytes of one connection between the socket and its door.
//!
//! rustls does not touch sockets here: the outbox and the connection's task own them, and bytes are moved through
//! [`Tls`] by hand. So the hub can still write straight to a socket, and an idle connection keeps no buffer of ours.

use std::io::{self, Write};
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
    Accepted, AcceptedAlert, Acceptor, ClientHello, NoServerSessionStorage, ServerConfig,
    ServerConnectionData, UnbufferedServerConnection,
};
use rustls::unbuffered::{
    ConnectionState, EncodeError, EncodeTlsData, EncryptError, InsufficientSizeError, UnbufferedStatus,
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
    Hello(Box<Hello>),
    /// The rest of its life.
    Connection(Box<Inside>),
    /// The handshake failed: nothing more is said.
    Failed,
}

/// What has come of the first message.
pub(crate) struct Hello {
    acceptor: Acceptor,
    certificate: Arc<Certificate>,
    /// The same bytes again: the connection reads them, too.
    come: Vec<u8>,
}

/// A connection without buffers of its own: rustls keeps 4 KiB for each that has them, for good.
pub(crate) struct Inside {
    connection: UnbufferedServerConnection,
    /// The host that the caller looked for.
    host: Option<Box<str>>,
    /// The beginning of a record that has not come whole. An idle connection has none.
    come: Vec<u8>,
}

/// What is to be said.
enum Out<'b> {
    Nothing,
    Bytes(&'b [u8]),
    /// That nothing more comes.
    Close,
}

impl Tls {
    pub(crate) fn new(certificate: Arc<Certificate>) -> Tls {
        Tls::Hello(Box::new(Hello { acceptor: Acceptor::default(), certificate, come: Vec::new() }))
    }

    /// Whether the handshake is over.
    pub(crate) fn ready(&self) -> bool {
        matches!(self, Tls::Connection(inside) if !inside.connection.is_handshaking())
    }

    /// What the caller showed. After the handshake.
    pub(crate) fn shown(&self) -> Shown {
        let Tls::Connection(inside) = self else { return Shown::default() };
        let certificate = inside.connection.peer_certificates().and_then(|chain| chain.first());
        Shown {
            host: inside.host.as_deref().map(str::to_owned),
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
        while let Tls::Hello(hello) = self {
            if raw.is_empty() {
                return Ok(());
            }
            let before = raw;
            let count = hello.acceptor.read_tls(&mut raw)?;
            hello.come.extend_from_slice(&before[..count]);
            match hello.acceptor.accept() {
                Ok(None) => {}
                Ok(Some(accepted)) => {
                    let begun = Inside::new(&accepted, &hello.certificate, std::mem::take(&mut hello.come));
                    let begun = begun.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
                    *self = Tls::Connection(Box::new(begun));
                }
                Err((error, alert)) => return Err(self.fail(error, alert, wire)),
            }
        }
        match self {
            Tls::Connection(inside) => {
                inside.come.extend_from_slice(raw);
                inside.drive(Out::Nothing, plain, wire)
            }
            Tls::Hello(_) | Tls::Failed => Ok(()),
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

    /// Appends what is to be said, encrypted, to `wire`.
    pub(crate) fn write(&mut self, bytes: &[u8], wire: &mut Vec<u8>) -> io::Result<()> {
        match self {
            Tls::Connection(inside) if !bytes.is_empty() => inside.say(Out::Bytes(bytes), wire),
            _ => Ok(()),
        }
    }

    /// Says that nothing more comes (RFC 8446, section 6.1).
    pub(crate) fn close(&mut self, wire: &mut Vec<u8>) -> io::Result<()> {
        match self {
            Tls::Connection(inside) => inside.say(Out::Close, wire),
            _ => Ok(()),
        }
    }
}

impl Inside {
    fn new(accepted: &Accepted, certificate: &Certificate, come: Vec<u8>) -> Result<Inside, rustls::Error> {
        let hello = accepted.client_hello();
        let host = hello.server_name().map(Box::from);
        let connection = UnbufferedServerConnection::new(certificate.config_for(&hello))?;
        Ok(Inside { connection, host, come })
    }

    /// Nothing that came is left unread when this is called: what is read by the way is nothing.
    fn say(&mut self, out: Out<'_>, wire: &mut Vec<u8>) -> io::Result<()> {
        match self.drive(out, &mut Vec::new(), wire) {
            // That the caller is done has been said before, where it was read.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(()),
            other => other,
        }
    }

    /// Goes on until more has to come: reads what is there, answers it, and says `out` once it may.
    fn drive(&mut self, mut out: Out<'_>, plain: &mut Vec<u8>, wire: &mut Vec<u8>) -> io::Result<()> {
        let (mut read, mut ended, mut failed) = (0, false, None);
        loop {
            let UnbufferedStatus { discard, state } =
                self.connection.process_tls_records(&mut self.come[read..]);
            let mut over = false;
            match state {
                Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                    while let Some(Ok(record)) = traffic.next_record() {
                        plain.extend_from_slice(record.payload);
                    }
                }
                Ok(ConnectionState::EncodeTlsData(mut data)) => encode(&mut data, wire),
                Ok(ConnectionState::TransmitTlsData(sent)) => sent.done(),
                Ok(ConnectionState::PeerClosed) => ended = true,
                Ok(ConnectionState::WriteTraffic(mut traffic)) => {
                    over = true;
                    match std::mem::replace(&mut out, Out::Nothing) {
                        Out::Nothing => {}
                        Out::Bytes(bytes) => encrypt(bytes.len(), wire, |room| traffic.encrypt(bytes, room))?,
                        Out::Close => encrypt(0, wire, |room| traffic.queue_close_notify(room))?,
                    }
                }
                // Data before the handshake is not offered; the rest waits for more to come.
                Ok(_) => over = true,
                // An alert may have to be said; what else came counts for nothing.
                Err(_) if failed.is_some() => break,
                Err(error) => {
                    failed = Some(error);
                    (read, out) = (self.come.len(), Out::Nothing);
                    continue;
                }
            }
            read += discard;
            if over {
                break;
            }
        }
        self.come.drain(..read.min(self.come.len()));
        if self.come.is_empty() {
            self.come = Vec::new();
        }
        match failed {
            Some(error) => Err(io::Error::new(io::ErrorKind::InvalidData, error)),
            None if ended => Err(io::ErrorKind::UnexpectedEof.into()),
            None => Ok(()),
        }
    }
}

/// Room for a message of a handshake; most have it.
const HANDSHAKE_ROOM: usize = 512;

/// What a record adds to what is in it, at most (RFC 8446, section 5.2), and how much is in one.
const RECORD_MORE: usize = 5 + 255;
const RECORD_BYTES: usize = 16 * 1024;

/// Appends a message of the handshake to `wire`.
fn encode(data: &mut EncodeTlsData<'_, ServerConnectionData>, wire: &mut Vec<u8>) {
    let (at, mut room) = (wire.len(), HANDSHAKE_ROOM);
    loop {
        wire.resize(at + room, 0);
        match data.encode(&mut wire[at..]) {
            Ok(count) => return wire.truncate(at + count),
            Err(EncodeError::InsufficientSize(InsufficientSizeError { required_size }))
                if required_size > room =>
            {
                room = required_size;
            }
            Err(_) => return wire.truncate(at),
        }
    }
}

/// Appends what `write` makes of so many bytes to `wire`.
fn encrypt(
    bytes: usize,
    wire: &mut Vec<u8>,
    mut write: impl FnMut(&mut [u8]) -> Result<usize, EncryptError>,
) -> io::Result<()> {
    let at = wire.len();
    wire.resize(at + bytes + RECORD_MORE * (bytes / RECORD_BYTES + 1), 0);
    let written = write(&mut wire[at..]);
    wire.truncate(at + written.as_ref().map_or(0, |count| *count));
    written.map(drop).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::ServerName;
    use rustls::{ClientConfig, ClientConnection, RootCertStore};

    use super::*;

    fn pair() -> (ClientConnection, Tls, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let certificate = Certificate::own(folder.path(), &["localhost"], &Arc::default()).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(folder.path().join(OWN_CERTIFICATE)).unwrap()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let client =
            ClientConnection::new(Arc::new(config), ServerName::try_from("localhost").unwrap()).unwrap();
        (client, Tls::new(Arc::new(certificate)), folder)
    }

    /// All that both have to say now, in pieces of so many bytes. What the server was told.
    fn exchange(client: &mut ClientConnection, server: &mut Tls, piece: usize) -> io::Result<Vec<u8>> {
        let mut plain = Vec::new();
        loop {
            let (mut there, mut back) = (Vec::new(), Vec::new());
            while client.wants_write() {
                client.write_tls(&mut there).unwrap();
            }
            for piece in there.chunks(piece) {
                server.feed(piece, &mut plain, &mut back)?;
            }
            if there.is_empty() && back.is_empty() {
                return Ok(plain);
            }
            take(client, &back);
        }
    }

    fn take(client: &mut ClientConnection, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            client.read_tls(&mut bytes).unwrap();
            client.process_new_packets().unwrap();
        }
    }

    #[test]
    fn whatever_the_pieces_all_arrives_and_an_idle_connection_keeps_no_buffer() {
        for piece in [1, 7, 1_000, 100_000] {
            let (mut client, mut server, _folder) = pair();
            exchange(&mut client, &mut server, piece).unwrap();
            assert!(server.ready(), "pieces of {piece}");
            assert_eq!(server.shown().host.as_deref(), Some("localhost"));
            client.writer().write_all(&[b'a'; 40_000]).unwrap();
            assert_eq!(exchange(&mut client, &mut server, piece).unwrap(), [b'a'; 40_000]);
            let mut wire = Vec::new();
            server.write(&[b'b'; 50_000], &mut wire).unwrap();
            let mut come = Vec::new();
            for part in wire.chunks(4_096) {
                take(&mut client, part);
                let _ = io::Read::read_to_end(&mut client.reader(), &mut come);
            }
            assert_eq!(come, [b'b'; 50_000]);
            let Tls::Connection(inside) = &server else { panic!("it is over") };
            assert_eq!(inside.come.capacity(), 0, "pieces of {piece}");
            // Half a record waits, and no more than that.
            client.writer().write_all(b"half").unwrap();
            let mut record = Vec::new();
            client.write_tls(&mut record).unwrap();
            let (mut plain, mut back) = (Vec::new(), Vec::new());
            server.feed(&record[..9], &mut plain, &mut back).unwrap();
            assert!(plain.is_empty());
            server.write(b"meanwhile", &mut back).unwrap();
            server.feed(&record[9..], &mut plain, &mut Vec::new()).unwrap();
            assert_eq!(plain, b"half");
            take(&mut client, &back);
            client.send_close_notify();
            let ended = exchange(&mut client, &mut server, piece).unwrap_err();
            assert_eq!(ended.kind(), io::ErrorKind::UnexpectedEof);
        }
    }

    #[test]
    fn what_is_forged_ends_the_connection_with_an_alert() {
        let (mut client, mut server, _folder) = pair();
        exchange(&mut client, &mut server, 1_000).unwrap();
        client.writer().write_all(b"hello").unwrap();
        let mut record = Vec::new();
        client.write_tls(&mut record).unwrap();
        *record.last_mut().unwrap() ^= 1;
        let (mut plain, mut wire) = (Vec::new(), Vec::new());
        assert!(server.feed(&record, &mut plain, &mut wire).is_err());
        assert!(plain.is_empty() && !wire.is_empty());
        let mut alert = &wire[..];
        client.read_tls(&mut alert).unwrap();
        assert!(matches!(client.process_new_packets(), Err(rustls::Error::AlertReceived(_))));
    }
}
