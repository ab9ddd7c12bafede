//! Pebble, the test server of ACME (RFC 8555), with a DNS server that leads every name to this machine: it really comes
//! to the port and looks. Debian: apt-get install pebble.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// An authority of our own.
pub struct Pebble {
    children: [Child; 2],
    management: u16,
    directory: u16,
    ca: PathBuf,
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// Whether it is installed; under CI it has to be.
pub fn installed() -> bool {
    let found = Command::new("pebble").arg("-h").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    assert!(found || std::env::var_os("CI").is_none(), "pebble is not installed: .ci/run has to do that");
    if !found {
        eprintln!("SKIPPED: pebble is not installed (apt-get install pebble)");
    }
    found
}

impl Pebble {
    /// Starts one that looks at this port, and whose certificates are good for so many seconds.
    pub fn start(folder: &Path, looks_at: u16, good_for: u32) -> Pebble {
        let key = rcgen::KeyPair::generate().unwrap();
        let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
        let made = rcgen::CertificateParams::new(names).unwrap().self_signed(&key).unwrap();
        let (ca, key_file, file) =
            (folder.join("pebble.pem"), folder.join("pebble.key"), folder.join("pebble.json"));
        std::fs::write(&ca, made.pem()).unwrap();
        std::fs::write(&key_file, key.serialize_pem()).unwrap();
        let (directory, management, dns, control) = (free_port(), free_port(), free_port(), free_port());
        let config = format!(
            r#"{{"pebble": {{"listenAddress": "127.0.0.1:{directory}", "managementListenAddress": "127.0.0.1:{management}",
            "certificate": "{}", "privateKey": "{}", "httpPort": {looks_at}, "tlsPort": {looks_at},
            "certificateValidityPeriod": {good_for}}}}}"#,
            ca.display(),
            key_file.display()
        );
        std::fs::write(&file, config).unwrap();
        let at = |port: u16| format!("127.0.0.1:{port}");
        let names = Command::new("pebble-challtestsrv")
            .args([
                "-dns01",
                &at(dns),
                "-management",
                &at(control),
                "-http01",
                "",
                "-https01",
                "",
                "-tlsalpn01",
                "",
            ])
            .args(["-defaultIPv4", "127.0.0.1", "-defaultIPv6", ""])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let authority = Command::new("pebble")
            .args(["-strict", "-dnsserver", &at(dns), "-config"])
            .arg(&file)
            .env("PEBBLE_VA_NOSLEEP", "1")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let pebble = Pebble { children: [names, authority], management, directory, ca };
        let until = Instant::now() + Duration::from_secs(20);
        for port in [directory, management, control] {
            while TcpStream::connect(("127.0.0.1", port)).is_err() {
                assert!(Instant::now() < until, "pebble does not start");
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        pebble
    }

    /// Its directory.
    pub fn directory_url(&self) -> String {
        format!("https://127.0.0.1:{}/dir", self.directory)
    }

    /// Who vouches for it.
    pub fn ca(&self) -> &Path {
        &self.ca
    }

    /// Who vouches for the certificates that it issues.
    pub fn root(&self) -> CertificateDer<'static> {
        let ca = CertificateDer::from_pem_file(&self.ca).unwrap();
        let at = SocketAddr::from(([127, 0, 0, 1], self.management));
        let mut stream = believing(&ca, at, "localhost");
        stream.write_all(b"GET /roots/0 HTTP/1.0\r\nHost: localhost\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        // It may end without a word of TLS.
        let _ = stream.read_to_end(&mut answer);
        let pem = String::from_utf8(answer).unwrap();
        CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
    }
}

impl Drop for Pebble {
    fn drop(&mut self) {
        for child in &mut self.children {
            // It may have ended.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// TLS with whoever shows a certificate for this name that only this root vouches for.
pub fn believing(
    root: &CertificateDer<'static>,
    at: SocketAddr,
    name: &str,
) -> StreamOwned<ClientConnection, TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(root.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let socket = TcpStream::connect(at).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    StreamOwned::new(ClientConnection::new(Arc::new(config), name).unwrap(), socket)
}
