//! A caller inside of TLS, as far as the loads need it: bytes of a socket that others read and write.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme};

/// How long the server may take for each step of the handshake.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection whose handshake is over.
pub struct Inside(ClientConnection);

impl Inside {
    /// Shakes hands.
    ///
    /// # Errors
    /// When the server speaks no TLS.
    pub fn begin(config: &Arc<ClientConfig>, stream: &mut TcpStream) -> Result<Inside> {
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut connection = ClientConnection::new(Arc::clone(config), ServerName::try_from("localhost")?)?;
        while connection.is_handshaking() {
            connection.complete_io(stream).context("no TLS")?;
        }
        Ok(Inside(connection))
    }

    /// What is to be sent for these bytes.
    ///
    /// # Errors
    /// When the connection is broken.
    pub fn encode(&mut self, bytes: &[u8]) -> Result<Vec<u8>> {
        self.0.writer().write_all(bytes)?;
        self.written()
    }

    /// What came inside of these bytes, and what TLS itself has to answer.
    ///
    /// # Errors
    /// When that is no TLS.
    pub fn decode(&mut self, mut bytes: &[u8]) -> Result<(Vec<u8>, Vec<u8>)> {
        let (mut plain, mut piece) = (Vec::new(), [0; 16 * 1024]);
        while !bytes.is_empty() {
            self.0.read_tls(&mut bytes)?;
            let state = self.0.process_new_packets()?;
            for _ in 0..state.plaintext_bytes_to_read().div_ceil(piece.len()) {
                let count = self.0.reader().read(&mut piece)?;
                plain.extend_from_slice(&piece[..count]);
            }
        }
        Ok((plain, self.written()?))
    }

    fn written(&mut self) -> Result<Vec<u8>> {
        let mut wire = Vec::new();
        while self.0.wants_write() {
            self.0.write_tls(&mut wire)?;
        }
        Ok(wire)
    }
}

/// TLS with whatever certificate the server made for itself.
///
/// # Errors
/// When the provider of cryptography is not complete.
pub fn trusting() -> Result<Arc<ClientConfig>> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let any = Arc::new(Any(Arc::clone(&provider)));
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(Arc::new(builder.dangerous().with_custom_certificate_verifier(any).with_no_client_auth()))
}

#[derive(Debug)]
struct Any(Arc<CryptoProvider>);

impl ServerCertVerifier for Any {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
