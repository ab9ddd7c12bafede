//! Where people find a server: addresses that somebody can type, made of the places where it listens.

use std::net::{IpAddr, SocketAddr, UdpSocket};

use crate::Listening;
use crate::config::TlsMode;

/// This machine's address on the way to others; none when it has no network. Nothing is sent.
pub fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind(("0.0.0.0", 0)).ok()?;
    // An address for documentation: nobody is there, and nobody is asked.
    socket.connect(("192.0.2.1", 9)).ok()?;
    socket.local_addr().ok().map(|address| address.ip()).filter(|ip| !ip.is_unspecified())
}

/// An address that somebody can type: a listener for all of them is reached on this machine's own for others
/// (`outside`), or on the one for itself where it has no other.
pub fn reachable(ip: IpAddr, outside: Option<IpAddr>) -> IpAddr {
    match ip.is_unspecified() {
        true => outside.unwrap_or(IpAddr::from([127, 0, 0, 1])),
        false => ip,
    }
}

/// Whether only a local network reaches an address: private or link-local, and not the machine itself.
///
/// Specification: RFC 1918, RFC 3927, RFC 4193, RFC 4291 (section 2.5.6).
pub fn is_local(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.is_private() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

impl Listening {
    /// Where a browser finds the pages, ending in `/`; none where there are none.
    pub fn link(&self, outside: Option<IpAddr>) -> Option<String> {
        let address = self.address.tcp().filter(|_| self.pages)?;
        if let Some(url) = &self.public_url {
            return Some(format!("{}/", url.trim_end_matches('/')));
        }
        if let Some(name) = self.name.as_ref().filter(|_| self.tls != TlsMode::Off) {
            return Some(match address.port() {
                443 => format!("https://{name}/"),
                port => format!("https://{name}:{port}/"),
            });
        }
        let scheme = if self.tls == TlsMode::Only { "https" } else { "http" };
        Some(format!("{scheme}://{}/", SocketAddr::new(reachable(address.ip(), outside), address.port())))
    }
}
