//! What is behind one listener, as it is configured now: doors, certificate, whom to believe.

use std::cell::RefCell;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use chinwag_wire::mask::glob;
use ipnet::IpNet;

use crate::acme::{self, Board};
use crate::config::{Address, Config, Kind, ListenerConfig, TlsMode};
use crate::ssh;
use crate::tls::{Certificate, TlsError};

/// One listener's doors.
#[derive(Debug)]
pub(crate) struct Doorway {
    pub(crate) kind: Kind,
    pub(crate) tls: TlsMode,
    /// There is one unless `tls` is off.
    pub(crate) certificate: Option<Arc<Certificate>>,
    pub(crate) proxy_required: bool,
    /// Whether SSH may be spoken.
    pub(crate) ssh: bool,
    /// Who is believed to speak for others.
    trusted: Vec<IpNet>,
    /// Web pages that may connect.
    origins: Vec<String>,
    /// Whether browsers get pages.
    web: bool,
    /// How long a caller may take before its door is chosen.
    pub(crate) patience: Duration,
    /// What certificate authorities are answered.
    pub(crate) board: Arc<Board>,
}

impl Doorway {
    /// The doors of a listener. Its certificate is read.
    pub(crate) fn new(
        listener: &ListenerConfig,
        config: &Config,
        own: &mut Own,
    ) -> Result<Doorway, TlsError> {
        // SSH protects itself.
        let tls = if listener.kind == Kind::Ssh { TlsMode::Off } else { listener.tls };
        let certificate = match (tls, &listener.tls_cert, &listener.tls_key) {
            (TlsMode::Off, ..) => None,
            (_, Some(cert), Some(key)) => Some(Arc::new(Certificate::read(cert, key, &own.board)?)),
            _ => Some(own.certificate()?),
        };
        Ok(Doorway {
            kind: listener.kind,
            tls,
            certificate,
            proxy_required: listener.proxy_required,
            ssh: ssh::open_at(listener.kind, config),
            trusted: config.server.proxy_allowed_from.clone(),
            origins: listener.allowed_origins.iter().cloned().chain(config.web.origin()).collect(),
            web: config.web.enabled,
            patience: Duration::from_secs(config.limits.registration_timeout_seconds.into()),
            board: Arc::clone(&own.board),
        })
    }

    /// Whether whoever connects from there is believed when it says for whom.
    pub(crate) fn trusts(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        self.trusted.iter().any(|net| net.contains(&ip))
    }

    /// Whether browsers get pages here.
    pub(crate) fn pages(&self) -> bool {
        self.web && matches!(self.kind, Kind::Any | Kind::Web)
    }

    /// Whether a page of this origin may connect to the host that it asked for.
    pub(crate) fn allows(&self, origin: &str, host: &str) -> bool {
        let (origin, host) = (origin.to_ascii_lowercase(), host.to_ascii_lowercase());
        let own = origin.split_once("://").is_some_and(|(_, own)| !own.is_empty() && own == host);
        own || self.origins.iter().any(|allowed| glob(&allowed.to_ascii_lowercase(), &origin))
    }
}

/// What is behind a listener; swapped when the configuration is read again.
pub(crate) type Behind = Rc<RefCell<Rc<Doorway>>>;

/// What is behind each listener, by where it listens as the configuration has it.
pub(crate) struct Doorways {
    pub(crate) own: RefCell<Own>,
    /// As it was read last.
    pub(crate) config: RefCell<Config>,
    pub(crate) behind: Vec<(Address, Behind)>,
}

impl Doorways {
    /// Takes the doors of this configuration for callers to come. Certificates are read again. All or nothing.
    pub(crate) fn reload(&self, config: &Config) -> Result<(), TlsError> {
        let mut changed = Vec::new();
        let before = self.own.borrow_mut().renew(config);
        for (address, behind) in &self.behind {
            // With --listen, or after a listener has moved, what it has stays until the next start.
            if let Some(place) = config.listeners.0.iter().find(|place| place.address == *address) {
                let made = Doorway::new(place, config, &mut self.own.borrow_mut());
                match made {
                    Ok(doorway) => changed.push((behind, doorway)),
                    Err(error) => {
                        *self.own.borrow_mut() = before;
                        return Err(error);
                    }
                }
            }
        }
        for (behind, doorway) in changed {
            *behind.borrow_mut() = Rc::new(doorway);
        }
        *self.config.borrow_mut() = config.clone();
        Ok(())
    }

    /// Takes the certificates anew that the server has of itself or of an authority, for callers to come.
    pub(crate) fn recertify(&self) -> Result<(), TlsError> {
        let config = self.config.borrow().clone();
        self.reload(&config)
    }

    /// When the first of the certificates ends, in milliseconds since the Unix epoch; none where no TLS is spoken.
    pub(crate) fn first_end_ms(&self) -> Option<u64> {
        let ends = |behind: &Behind| behind.borrow().certificate.as_ref().and_then(|found| found.ends_ms);
        self.behind.iter().filter_map(|(_, behind)| ends(behind)).min()
    }
}

/// The certificate that the server has of an authority, or makes for itself, once it is needed.
#[derive(Clone, Debug)]
pub(crate) struct Own {
    folder: PathBuf,
    host: String,
    /// Whether one is ordered.
    ordered: bool,
    certificate: Option<Arc<Certificate>>,
    pub(crate) board: Arc<Board>,
}

impl Own {
    /// Kept in the data folder, for the server's name.
    pub(crate) fn new(folder: &Path, config: &Config) -> Own {
        Own {
            folder: folder.to_owned(),
            host: config.server.name.clone(),
            ordered: config.acme.enabled(),
            certificate: None,
            board: Arc::default(),
        }
    }

    /// What is needed from now on is read again. Gives what was there before.
    fn renew(&mut self, config: &Config) -> Own {
        let before = self.clone();
        (self.ordered, self.certificate) = (config.acme.enabled(), None);
        before
    }

    fn certificate(&mut self) -> Result<Arc<Certificate>, TlsError> {
        if let Some(certificate) = &self.certificate {
            return Ok(Arc::clone(certificate));
        }
        let certificate = match self.of_authority() {
            Some(certificate) => certificate,
            None => {
                let names = [self.host.as_str(), "localhost", "127.0.0.1", "::1"];
                Certificate::own(&self.folder, &names, &self.board)?
            }
        };
        Ok(Arc::clone(self.certificate.insert(Arc::new(certificate))))
    }

    /// The authority's, if there is one already. Until then, and when it cannot be used, the own one has to do.
    fn of_authority(&self) -> Option<Certificate> {
        let file = self.folder.join(acme::CERTIFICATE);
        if !self.ordered || !file.exists() {
            return None;
        }
        Certificate::read(&file, &file, &self.board)
            .inspect_err(|error| tracing::error!(%error, "the server's own certificate has to do"))
            .ok()
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;

    #[test]
    fn pages_of_the_same_host_and_those_allowed_may_connect() {
        let mut listener = ListenerConfig::any(SocketAddr::from(([127, 0, 0, 1], 1)).into());
        listener.tls = TlsMode::Off;
        let doorway = |listener: &ListenerConfig| {
            let config = Config::default();
            Doorway::new(listener, &config, &mut Own::new(Path::new("/nowhere"), &config)).unwrap()
        };
        let closed = doorway(&listener);
        assert!(closed.allows("http://chat.example.org:55555", "Chat.example.org:55555"));
        assert!(!closed.allows("http://chat.example.org", "chat.example.org:55555"));
        assert!(!closed.allows("https://evil.example", "chat.example.org"));
        assert!(!closed.allows("null", "chat.example.org"));
        listener.allowed_origins = vec!["https://*.example.org".to_owned()];
        let some = doorway(&listener);
        assert!(some.allows("https://Web.example.org", "x"));
        assert!(!some.allows("https://example.org", "x"));
        assert!(!some.allows("http://web.example.org", "x"));
        listener.allowed_origins = vec!["*".to_owned()];
        assert!(doorway(&listener).allows("null", "x"));
    }
}
