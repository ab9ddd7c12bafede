//! What carries the bytes of a caller in a test: a bare socket, TLS, a WebSocket, or one in the other.
//!
//! A WebSocket is a stream of lines here: each line that is written leaves as a message, each message that comes is
//! a line. Bytes without a line end wait for it.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, StreamOwned};
use tungstenite::client::IntoClientRequest;
use tungstenite::http::{HeaderName, HeaderValue};
use tungstenite::{Bytes, Message, WebSocket};

/// A connection of some kind.
#[derive(Debug)]
pub enum Transport {
    /// A bare socket.
    Tcp(TcpStream),
    /// TLS.
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
    /// A WebSocket.
    WebSocket(Box<Lines>),
}

/// A WebSocket as a stream of lines.
#[derive(Debug)]
pub struct Lines {
    socket: WebSocket<Transport>,
    binary: bool,
    come: Vec<u8>,
    leaving: Vec<u8>,
}

/// What a TLS client does.
#[derive(Debug, Default)]
pub struct TlsOptions {
    /// The host that it looks for (SNI); `localhost` if there is none here.
    pub host: Option<String>,
    /// Its certificate and key.
    pub certificate: Option<(CertificateDer<'static>, PrivateKeyDer<'static>)>,
    /// What it says it wants to speak.
    pub alpn: Vec<Vec<u8>>,
    /// Offers no key exchange that is safe from quantum computers: its first message is short.
    pub short: bool,
}

impl Transport {
    /// Speaks TLS from now on, and believes any server. The handshake is made at the first read or write.
    ///
    /// # Errors
    /// When the options make no sense.
    pub fn tls(socket: TcpStream, options: TlsOptions) -> io::Result<Transport> {
        let mut provider = aws_lc_rs::default_provider();
        if options.short {
            provider.kx_groups = vec![aws_lc_rs::kx_group::X25519];
        }
        let provider = Arc::new(provider);
        let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyServer(provider)));
        let mut config = match options.certificate {
            Some((certificate, key)) => {
                config.with_client_auth_cert(vec![certificate], key).map_err(io::Error::other)?
            }
            None => config.with_no_client_auth(),
        };
        config.alpn_protocols = options.alpn;
        let host = options.host.unwrap_or_else(|| "localhost".to_owned());
        let host = ServerName::try_from(host).map_err(io::Error::other)?;
        let connection = ClientConnection::new(Arc::new(config), host).map_err(io::Error::other)?;
        Ok(Transport::Tls(Box::new(StreamOwned::new(connection, socket))))
    }

    /// Asks for a WebSocket with these subprotocols and further headers. Gives the subprotocol that was granted.
    ///
    /// # Errors
    /// When none is granted; the sentence has the status.
    pub fn websocket(
        self,
        protocols: &[&str],
        headers: &[(&str, &str)],
    ) -> Result<(Transport, Option<String>), String> {
        let request = "ws://localhost/".into_client_request();
        let mut request = request.map_err(|error| error.to_string())?;
        let protocols = protocols.join(", ");
        let protocols =
            Some(("Sec-WebSocket-Protocol", protocols.as_str())).filter(|(_, list)| !list.is_empty());
        for (name, value) in headers.iter().copied().chain(protocols) {
            let name = name.parse::<HeaderName>().map_err(|error| error.to_string())?;
            let value = value.parse::<HeaderValue>().map_err(|error| error.to_string())?;
            request.headers_mut().append(name, value);
        }
        let (socket, response) = tungstenite::client(request, self).map_err(|error| error.to_string())?;
        let granted = response.headers().get("Sec-WebSocket-Protocol").and_then(|name| name.to_str().ok());
        let granted = granted.map(str::to_owned);
        let binary = granted.as_deref() == Some("binary.ircv3.net");
        let lines = Lines { socket, binary, come: Vec::new(), leaving: Vec::new() };
        Ok((Transport::WebSocket(Box::new(lines)), granted))
    }

    /// The socket under it all.
    pub fn socket(&self) -> &TcpStream {
        match self {
            Transport::Tcp(socket) => socket,
            Transport::Tls(stream) => &stream.sock,
            Transport::WebSocket(lines) => lines.socket.get_ref().socket(),
        }
    }

    /// The certificate that the server showed, if any.
    pub fn shown(&self) -> Option<&CertificateDer<'static>> {
        match self {
            Transport::Tcp(_) => None,
            Transport::Tls(stream) => stream.conn.peer_certificates()?.first(),
            Transport::WebSocket(lines) => lines.socket.get_ref().shown(),
        }
    }

    /// The WebSocket, if it is one, for messages that are no lines.
    pub fn messages(&mut self) -> Option<&mut WebSocket<Transport>> {
        match self {
            Transport::WebSocket(lines) => Some(&mut lines.socket),
            _ => None,
        }
    }
}

fn as_io(error: tungstenite::Error) -> io::Error {
    match error {
        tungstenite::Error::Io(error) => error,
        other => io::Error::other(other),
    }
}

impl Read for Transport {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Transport::Tcp(socket) => socket.read(buffer),
            Transport::Tls(stream) => stream.read(buffer),
            Transport::WebSocket(lines) => lines.read(buffer),
        }
    }
}

impl Write for Transport {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Transport::Tcp(socket) => socket.write(bytes),
            Transport::Tls(stream) => stream.write(bytes),
            Transport::WebSocket(lines) => lines.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Transport::Tcp(socket) => socket.flush(),
            Transport::Tls(stream) => stream.flush(),
            Transport::WebSocket(lines) => lines.socket.flush().map_err(as_io),
        }
    }
}

impl Lines {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.come.is_empty() {
            let line = match self.socket.read() {
                Ok(Message::Text(text)) => {
                    assert!(!self.binary, "text came, and bytes were agreed on: {text}");
                    Bytes::from(text)
                }
                Ok(Message::Binary(bytes)) => {
                    assert!(self.binary, "bytes came, and text was agreed on: {bytes:?}");
                    bytes
                }
                Ok(_) => continue,
                Err(tungstenite::Error::ConnectionClosed | tungstenite::Error::AlreadyClosed) => {
                    return Ok(0);
                }
                Err(error) => return Err(as_io(error)),
            };
            assert!(!line.iter().any(|byte| matches!(byte, b'\r' | b'\n')), "a line end came: {line:?}");
            self.come.extend_from_slice(&line);
            self.come.extend_from_slice(b"\r\n");
        }
        let count = self.come.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.come[..count]);
        self.come.drain(..count);
        Ok(count)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.leaving.extend_from_slice(bytes);
        while let Some(end) = self.leaving.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.leaving.drain(..=end).collect();
            let line = line[..end].strip_suffix(b"\r").unwrap_or(&line[..end]);
            let message = match String::from_utf8(line.to_vec()) {
                Ok(text) if !self.binary => Message::text(text),
                _ => Message::binary(line.to_vec()),
            };
            self.socket.write(message).map_err(as_io)?;
        }
        self.socket.flush().map_err(as_io)?;
        Ok(bytes.len())
    }
}

/// Believes any server, as long as it has the key of its certificate.
#[derive(Debug)]
struct AnyServer(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyServer {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
