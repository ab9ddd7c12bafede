//! `[[listener]]`: where to listen, which doors are behind it, and how it is protected.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use chinwag_core::chat::Verifiers;
use chinwag_core::settings::Gateway;
use ipnet::IpNet;
use serde::{Deserialize, Deserializer};

/// The listeners, at least one.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct Listeners(pub Vec<ListenerConfig>);

/// `[[listener]]`: one place to listen at.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListenerConfig {
    /// Where; port 0 lets the system choose.
    pub address: Address,
    /// The doors behind it.
    #[serde(default)]
    pub kind: Kind,
    /// Whether TLS may, must or must not be spoken.
    #[serde(default)]
    pub tls: TlsMode,
    /// A PEM file with the certificate and those that lead to its issuer. Without one, the server makes its own.
    #[serde(default)]
    pub tls_cert: Option<PathBuf>,
    /// A PEM file with its key.
    #[serde(default)]
    pub tls_key: Option<PathBuf>,
    /// Everybody has to begin with a PROXY header, from an address of `server.proxy_allowed_from`.
    #[serde(default)]
    pub proxy_required: bool,
    /// Web pages that may connect by WebSocket, beside those of this very address.
    #[serde(default)]
    pub allowed_origins: Vec<String>,
}

/// `[[webirc]]`: a gateway that may say for whom it connects.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebircConfig {
    /// The argon2id hash of its password, in the form of the PHC.
    pub password: String,
    /// Addresses and networks from which it connects.
    #[serde(deserialize_with = "super::nets")]
    pub allowed_from: Vec<IpNet>,
}

impl WebircConfig {
    /// The part that the chat needs.
    pub(super) fn gateway(&self) -> Gateway {
        let verifiers = Verifiers { argon2: self.password.as_str().into(), scram: "".into() };
        Gateway { password: Arc::new(verifiers), from: self.allowed_from.clone() }
    }
}

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Address {
    /// Address and port.
    Tcp(SocketAddr),
    /// A socket in the file system: `unix:/path`.
    Unix(PathBuf),
}

/// Which doors are behind a listener.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The first bytes decide.
    #[default]
    Any,
    /// Everybody is a plain caller.
    Plain,
    /// Everybody speaks IRC.
    Irc,
    /// Browsers.
    Web,
    /// Everybody speaks IRC over WebSocket.
    WebSocket,
    /// SSH clients.
    Ssh,
}

/// What a listener does about TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TlsMode {
    /// Whoever begins with TLS gets it.
    #[default]
    Auto,
    /// Nobody comes in without.
    Only,
    /// Nobody gets it.
    Off,
}

impl ListenerConfig {
    /// A listener for every door, as the command line makes them.
    pub fn any(address: Address) -> ListenerConfig {
        ListenerConfig {
            address,
            kind: Kind::Any,
            tls: TlsMode::Auto,
            tls_cert: None,
            tls_key: None,
            proxy_required: false,
            allowed_origins: Vec::new(),
        }
    }

    /// What types cannot say. The error is key and sentence.
    pub(super) fn check(&self, proxies: bool) -> Result<(), (&'static str, String)> {
        let wrong = |key, what: &str| Err((key, what.to_owned()));
        match (&self.tls_cert, &self.tls_key) {
            (Some(_), None) => return wrong("tls_cert", "tls_cert needs tls_key beside it"),
            (None, Some(_)) => return wrong("tls_key", "tls_key needs tls_cert beside it"),
            _ => {}
        }
        if self.tls_cert.is_some() && self.tls == TlsMode::Off {
            return wrong("tls", "tls = \"off\" leaves no use for tls_cert");
        }
        if self.proxy_required && !proxies {
            let what =
                "proxy_required = true lets nobody in while server.proxy_allowed_from names no address";
            return wrong("proxy_required", what);
        }
        if let Some(odd) = self.allowed_origins.iter().find(|origin| *origin != "*" && !is_origin(origin)) {
            let what = format!(
                "allowed_origins has {odd:?}, which is not an origin such as https://chat.example.org (no path) or *"
            );
            return Err(("allowed_origins", what));
        }
        Ok(())
    }
}

/// For those who ask with `STATS p`.
impl fmt::Display for ListenerConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Any => "every door",
            Kind::Plain => "plain",
            Kind::Irc => "irc",
            Kind::Web => "web",
            Kind::WebSocket => "websocket",
            Kind::Ssh => "ssh",
        };
        let tls = match self.tls {
            TlsMode::Auto => "TLS or not",
            TlsMode::Only => "TLS only",
            TlsMode::Off => "no TLS",
        };
        write!(f, "{} ({kind}, {tls}", self.address)?;
        f.write_str(if self.proxy_required { ", behind a proxy)" } else { ")" })
    }
}

/// Scheme and host, perhaps a port, and nothing behind them.
fn is_origin(text: &str) -> bool {
    text.split_once("://").is_some_and(|(scheme, host)| {
        !scheme.is_empty() && !host.is_empty() && !host.contains(['/', ' ', '?', '#'])
    })
}

impl Address {
    /// Address and port, where there are any.
    pub fn tcp(&self) -> Option<SocketAddr> {
        match self {
            Address::Tcp(address) => Some(*address),
            Address::Unix(_) => None,
        }
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Address {
        Address::Tcp(address)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Tcp(address) => address.fmt(f),
            Address::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Address, String> {
        match text.strip_prefix("unix:") {
            Some(path) if path.starts_with('/') => Ok(Address::Unix(path.into())),
            Some(_) => Err(format!("{text:?} is not unix: and a whole path (unix:/run/chinwag.sock)")),
            None => text.parse().map(Address::Tcp).map_err(|_| {
                format!("{text:?} is not an address and a port (127.0.0.1:55555, [::]:6667, unix:/path)")
            }),
        }
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Address, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_shown() {
        for text in ["127.0.0.1:55555", "[::]:6667", "unix:/run/chat.sock"] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
        for text in ["localhost:1", "127.0.0.1", "unix:run/chat.sock", ""] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }

    #[test]
    fn listeners_that_make_no_sense_are_told_why() {
        let listener = ListenerConfig::any(SocketAddr::from(([127, 0, 0, 1], 1)).into());
        assert_eq!(listener.check(false), Ok(()));
        let key = |change: &dyn Fn(&mut ListenerConfig)| {
            let mut listener = listener.clone();
            change(&mut listener);
            listener.check(false).unwrap_err().0
        };
        assert_eq!(key(&|listener| listener.tls_cert = Some("a".into())), "tls_cert");
        assert_eq!(key(&|listener| listener.tls_key = Some("a".into())), "tls_key");
        assert_eq!(key(&|listener| listener.proxy_required = true), "proxy_required");
        assert_eq!(key(&|listener| listener.allowed_origins = vec!["example.org".into()]), "allowed_origins");
    }
}
