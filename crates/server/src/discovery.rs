//! DNS-SD: the local network is told that there is a server, so that `chinwag join` can list it (RFC 6763, RFC 6762).
//!
//! What lives here: what is announced, and where, which is only on addresses that nobody reaches from elsewhere; and the
//! thread that does it. What does not: records and packets, which are `mdns-sd`'s, on a thread of its own that reads what
//! strangers send; what breaks there breaks alone. Nothing of the chat is known on either thread.

use std::cell::RefCell;
use std::net::{IpAddr, SocketAddr};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use if_addrs::{Interface, get_if_addrs};
use mdns_sd::{DaemonEvent, Error, IfKind, IfPredicate, ServiceDaemon, ServiceInfo};

use crate::Listening;
use crate::config::{Announce, Config, Kind, TlsMode};
use crate::doorway::{Behind, Doorway};
use crate::ways::is_local;

/// The service, as DNS-SD names it.
pub const SERVICE: &str = "_chinwag._tcp.local.";

/// The key in the TXT record that says which certificate is shown: SHA-256 in lower-case hexadecimal.
pub const FINGERPRINT: &str = "fp";

/// The keys in the TXT record that say what is behind the port: `irc=1` and so on. `tls` is that TLS may be spoken.
pub const DOORS: [&str; 5] = ["tls", "irc", "plain", "web", "ssh"];

/// The version of what the TXT record says (RFC 6763, section 6.7).
const VERSION: (&str, &str) = ("txtvers", "1");

/// Bytes of a name at most. DNS allows 63, and who finds the name taken needs some more (`name (2)`).
const NAME_BYTES_MAX: usize = 55;

/// How often it is looked whether there is a network to tell now.
const LOOK_AGAIN: Duration = Duration::from_secs(30);
/// The same until it was announced, and when that is late.
const LOOK_SOON: Duration = Duration::from_secs(1);
const LATE: Duration = Duration::from_secs(10);

/// How often it is looked how much strangers made it hold while it is announced, and how many records those may be: `mdns-sd`
/// keeps answers that nobody asked for, as long as they say. Beyond it is taken back, and tried again after [`LOOK_AGAIN`].
const LOOK_OFTEN: Duration = Duration::from_secs(2);
const RECORDS_MAX: i64 = 10_000;

/// Goodbye is said once more after so long (it may get lost), and waited for at most so long.
const GOODBYE_AGAIN: Duration = Duration::from_millis(150);
const GOODBYE_WITHIN: Duration = Duration::from_millis(300);

/// What is said of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Announcement {
    name: String,
    port: u16,
    /// The address where it listens; the unspecified one for all of them.
    at: IpAddr,
    doors: Vec<&'static str>,
    fingerprint: Option<String>,
}

impl Announcement {
    /// What is said of these places: the first where the terminal client comes in from the local network, if one can with
    /// TLS.
    fn new(config: &Config, places: &[(SocketAddr, Behind)]) -> Option<Announcement> {
        if config.server.announce == Announce::Off {
            return None;
        }
        let fits = |(address, behind): &&(SocketAddr, Behind)| {
            let door = behind.borrow();
            let joins = matches!(door.kind, Kind::Any | Kind::Irc) && !door.proxy_required;
            joins && (address.ip().is_unspecified() || is_local(address.ip()))
        };
        let with_tls = |(_, behind): &&(SocketAddr, Behind)| behind.borrow().tls != TlsMode::Off;
        let mut fitting = places.iter().filter(fits);
        let (address, behind) = places.iter().filter(fits).find(with_tls).or_else(|| fitting.next())?;
        let door = behind.borrow();
        let mut name = config.server.network.clone();
        while name.len() > NAME_BYTES_MAX {
            name.pop();
        }
        Some(Announcement {
            name,
            port: address.port(),
            at: address.ip(),
            doors: doors(&door),
            fingerprint: door.certificate.as_ref().map(|certificate| certificate.fingerprint.clone()),
        })
    }

    /// The TXT record.
    fn properties(&self) -> Vec<(&str, &str)> {
        let doors = self.doors.iter().map(|door| (*door, "1"));
        let print = self.fingerprint.as_deref().map(|print| (FINGERPRINT, print));
        std::iter::once(VERSION).chain(doors).chain(print).collect()
    }
}

/// The [`DOORS`] that are open.
fn doors(door: &Doorway) -> Vec<&'static str> {
    let open = |name: &&str| match *name {
        "tls" => door.tls != TlsMode::Off,
        "irc" => true,
        "plain" => door.kind == Kind::Any && door.tls != TlsMode::Only,
        "web" => door.pages(),
        _ => door.ssh,
    };
    DOORS.into_iter().filter(open).collect()
}

/// Whether a server that listens at `at` is announced on an interface's address.
fn meets(at: IpAddr, interface: &Interface) -> bool {
    let ip = interface.ip();
    if !at.is_unspecified() {
        return at == ip;
    }
    // A tunnel leads elsewhere, and nobody sits at this end of a container's cable.
    let a_network = !interface.is_p2p && !interface.name.starts_with("veth");
    // [::] takes callers of both kinds.
    a_network && is_local(ip) && (at.is_ipv6() || ip.is_ipv4())
}

/// Whether there is anybody to tell.
fn reaches_somebody(at: IpAddr) -> bool {
    get_if_addrs().is_ok_and(|interfaces| interfaces.iter().any(|interface| meets(at, interface)))
}

/// Announces the server while it runs.
pub(crate) struct Discovery {
    places: Vec<(SocketAddr, Behind)>,
    running: RefCell<Option<Running>>,
}

struct Running {
    /// What is to be announced from now on. Dropped, it is goodbye.
    wanted: Option<Sender<Option<Announcement>>>,
    ended: Receiver<()>,
}

impl Discovery {
    /// Nothing is announced yet. What is behind each place may change.
    pub(crate) fn new<'a>(
        listening: &[Listening],
        behind: impl IntoIterator<Item = &'a Behind>,
    ) -> Discovery {
        let places = listening.iter().zip(behind);
        let places = places.filter_map(|(place, behind)| Some((place.address.tcp()?, Behind::clone(behind))));
        Discovery { places: places.collect(), running: RefCell::default() }
    }

    /// Announces from now on what this configuration and the certificates of now say. Never fails: who is not announced is
    /// found by its address.
    pub(crate) fn configure(&self, config: &Config) {
        let wanted = Announcement::new(config, &self.places);
        let mut running = self.running.borrow_mut();
        if let Some(sender) = running.as_ref().and_then(|running| running.wanted.as_ref()) {
            // When the thread is gone, it has said so.
            let _ = sender.send(wanted);
        } else if wanted.is_some() && running.is_none() {
            let (sender, orders) = mpsc::channel();
            let (done, ended) = mpsc::channel();
            let begun = thread::Builder::new().name("announce".to_owned()).spawn(move || {
                run(&orders, wanted);
                // The server may not wait any more.
                let _ = done.send(());
            });
            match begun {
                Ok(_) => *running = Some(Running { wanted: Some(sender), ended }),
                Err(error) => complain(&error),
            }
        }
    }

    /// Says goodbye, without waiting for it.
    pub(crate) fn goodbye(&self) {
        if let Some(running) = &mut *self.running.borrow_mut() {
            running.wanted = None;
        }
    }

    /// Waits until goodbye was said, for a moment at most.
    pub(crate) fn ended(&self) {
        self.goodbye();
        if let Some(running) = &*self.running.borrow()
            && running.ended.recv_timeout(GOODBYE_WITHIN).is_err()
        {
            tracing::debug!("the local network has not been told that the server ends");
        }
    }
}

fn complain(error: &dyn std::fmt::Display) {
    tracing::warn!(
        %error,
        "the server is not announced on the local network: `chinwag join HOST` finds it all the same, and \
         announce = \"off\" in [server] asks for nothing else"
    );
}

/// Announces what is wanted, until nobody wants anything any more.
fn run(orders: &Receiver<Option<Announcement>>, mut wanted: Option<Announcement>) {
    let mut said: Option<Said> = None;
    // Of each failure once: the next try is in half a minute.
    let mut complained = false;
    loop {
        if let Some(other) = said.take_if(|said| wanted.as_ref() != Some(&said.what)) {
            other.goodbye();
        }
        if said.is_none()
            && let Some(what) = wanted.as_ref().filter(|what| reaches_somebody(what.at))
        {
            said = Said::begin(what)
                .inspect_err(|error| {
                    if !std::mem::replace(&mut complained, true) {
                        complain(error);
                    }
                })
                .ok();
        }
        let wait = match said.as_mut().map(|said| said.look(&mut complained)) {
            Some(Some(wait)) => wait,
            Some(None) => {
                said = None;
                LOOK_AGAIN
            }
            None => LOOK_AGAIN,
        };
        match orders.recv_timeout(wait) {
            Ok(next) => wanted = next,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    if let Some(said) = said {
        said.goodbye();
    }
}

/// What is being announced.
struct Said {
    what: Announcement,
    daemon: ServiceDaemon,
    name: String,
    /// What becomes of it, until it is announced.
    events: Option<mdns_sd::Receiver<DaemonEvent>>,
    since: Instant,
}

impl Said {
    fn begin(what: &Announcement) -> Result<Said, Error> {
        let mut service =
            ServiceInfo::new(SERVICE, &what.name, &host(), (), what.port, &what.properties()[..])?
                .enable_addr_auto();
        let at = what.at;
        let there = || IfKind::Predicate(IfPredicate::new(move |interface| meets(at, interface)));
        service.set_interfaces(vec![there()]);
        let name = service.get_fullname().to_owned();
        let daemon = ServiceDaemon::new()?;
        let begun = || {
            let events = daemon.monitor()?;
            daemon.disable_interface(IfKind::All)?;
            daemon.enable_interface(there())?;
            daemon.register(service)?;
            Ok(events)
        };
        match begun() {
            Ok(events) => {
                Ok(Said { what: what.clone(), daemon, name, events: Some(events), since: Instant::now() })
            }
            Err(error) => {
                end(&daemon);
                Err(error)
            }
        }
    }

    /// Sees how it is. Gives when to look again; none when it has ended, and is to begin anew.
    fn look(&mut self, complained: &mut bool) -> Option<Duration> {
        if matches!(self.daemon.status(), Err(Error::DaemonShutdown)) {
            if !std::mem::replace(complained, true) {
                complain(&"its thread has ended");
            }
            return None;
        }
        if self.held() > RECORDS_MAX {
            if !std::mem::replace(complained, true) {
                complain(&"somebody there floods it; it is tried again every half a minute");
            }
            end(&self.daemon);
            return None;
        }
        let Some(events) = &self.events else { return Some(LOOK_OFTEN) };
        for event in events.try_iter() {
            match event {
                DaemonEvent::Announce(name, _) => {
                    let name = name.trim_end_matches('.');
                    tracing::info!(name, port = self.what.port, "announced on the local network");
                    self.events = None;
                    return Some(LOOK_OFTEN);
                }
                DaemonEvent::Error(error) if !std::mem::replace(complained, true) => complain(&error),
                _ => {}
            }
        }
        if self.since.elapsed() < LATE {
            return Some(LOOK_SOON);
        }
        if !std::mem::replace(complained, true) {
            complain(&"no packet of multicast DNS could be sent");
        }
        // Sockets that could not be opened are not opened later.
        end(&self.daemon);
        None
    }

    /// How many records of others are held.
    fn held(&self) -> i64 {
        let counted =
            self.daemon.get_metrics().ok().and_then(|asked| asked.recv_timeout(GOODBYE_WITHIN).ok());
        let counted = counted.unwrap_or_default();
        counted.iter().filter(|(name, _)| name.starts_with("cached-")).map(|(_, count)| *count).sum()
    }

    /// Takes it back (TTL 0; RFC 6762, section 10.1).
    fn goodbye(self) {
        if let Ok(told) = self.daemon.unregister(&self.name)
            && told.recv_timeout(GOODBYE_WITHIN).is_ok()
        {
            thread::sleep(GOODBYE_AGAIN);
        }
        end(&self.daemon);
    }
}

fn end(daemon: &ServiceDaemon) {
    // A thread that is gone already has nothing to end.
    if let Ok(ended) = daemon.shutdown() {
        let _ = ended.recv_timeout(GOODBYE_WITHIN);
    }
}

/// A name for the addresses, of this announcement alone: the machine's own is for others to announce.
fn host() -> String {
    let mut bytes = [0; 6];
    // Without randomness the name may be taken, and another one is found.
    let _ = aws_lc_rs::rand::fill(&mut bytes);
    let name: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("chinwag-{name}.local.")
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::rc::Rc;

    use if_addrs::{IfAddr, IfOperStatus, Ifv4Addr, Ifv6Addr};

    use super::*;
    use crate::config::ListenerConfig;
    use crate::doorway::Own;

    /// What is announced with this text as the configuration, each place with the port that it names.
    fn announced(text: &str) -> Option<Announcement> {
        let config = Config::parse(text, Path::new("c.toml")).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let mut own = Own::new(folder.path(), &config);
        let mut place = |listener: &ListenerConfig| {
            let doorway = Doorway::new(listener, &config, &mut own).unwrap();
            (listener.address.tcp().unwrap(), Rc::new(RefCell::new(Rc::new(doorway))))
        };
        let places: Vec<_> = config.listeners.0.iter().map(&mut place).collect();
        Announcement::new(&config, &places)
    }

    fn at(address: &str, more: &str) -> Option<Announcement> {
        announced(&format!("[[listener]]\naddress = \"{address}\"\n{more}"))
    }

    #[test]
    fn only_what_the_local_network_reaches_is_announced() {
        for address in ["127.0.0.1:1", "[::1]:1", "8.8.8.8:1", "[2606:4700::1]:1"] {
            assert_eq!(at(address, ""), None, "{address}");
        }
        for address in ["0.0.0.0:1", "[::]:1", "192.168.1.2:1", "169.254.1.2:1", "[fd00::1]:1"] {
            assert!(at(address, "").is_some(), "{address}");
        }
        assert_eq!(announced(""), None);
        assert_eq!(announced("[server]\nannounce = \"off\"\n[[listener]]\naddress = \"0.0.0.0:1\"\n"), None);
        // Where the terminal client cannot come in.
        for more in ["kind = \"web\"\n", "kind = \"plain\"\n", "kind = \"ssh\"\n"] {
            assert_eq!(at("0.0.0.0:1", more), None, "{more}");
        }
    }

    #[test]
    fn the_record_says_doors_and_certificate_and_nothing_of_people() {
        let text = "[server]\nnetwork = \"ours\"\npassword = \"a long sentence\"\n\
                    [[listener]]\naddress = \"0.0.0.0:6667\"\nkind = \"irc\"\ntls = \"off\"\n\
                    [[listener]]\naddress = \"0.0.0.0:55555\"\n";
        let said = announced(text).unwrap();
        assert_eq!((said.name.as_str(), said.port), ("ours", 55555));
        let print = said.fingerprint.clone().unwrap();
        assert_eq!(print.len(), 64);
        let doors = DOORS.map(|door| (door, "1"));
        let expected: Vec<_> =
            [VERSION].into_iter().chain(doors).chain([(FINGERPRINT, &print[..])]).collect();
        assert_eq!(said.properties(), expected);
        let plain = at("0.0.0.0:1", "kind = \"irc\"\ntls = \"off\"\n").unwrap();
        assert_eq!(plain.properties(), [VERSION, ("irc", "1")]);
        let long = announced(&format!(
            "[server]\nnetwork = \"{}\"\n[[listener]]\naddress = \"0.0.0.0:1\"\n",
            "é".repeat(31)
        ));
        assert_eq!(long.unwrap().name.len(), 54);
    }

    #[test]
    fn interfaces_that_lead_elsewhere_hear_nothing() {
        let interface = |name: &str, ip: &str, is_p2p| {
            let addr = match ip.parse().unwrap() {
                IpAddr::V4(ip) => IfAddr::V4(Ifv4Addr {
                    ip,
                    netmask: [255, 255, 255, 0].into(),
                    prefixlen: 24,
                    broadcast: None,
                }),
                IpAddr::V6(ip) => IfAddr::V6(Ifv6Addr { ip, netmask: ip, prefixlen: 64, broadcast: None }),
            };
            Interface { name: name.to_owned(), addr, index: Some(2), oper_status: IfOperStatus::Up, is_p2p }
        };
        let [all, all6, one] = ["0.0.0.0", "::", "192.168.1.2"].map(|ip| ip.parse::<IpAddr>().unwrap());
        let told = |at, name, ip| meets(at, &interface(name, ip, false));
        assert!(told(all, "eth0", "192.168.1.2") && told(all6, "eth0", "192.168.1.2"));
        assert!(!told(all, "eth0", "fe80::1") && told(all6, "eth0", "fe80::1"));
        assert!(!told(all, "eth0", "8.8.8.8") && !told(all6, "eth0", "2606:4700::1"));
        assert!(!told(all, "lo", "127.0.0.1") && !told(all6, "veth12", "fe80::1"));
        assert!(told(one, "eth0", "192.168.1.2") && !told(one, "eth1", "192.168.1.3"));
        assert!(!meets(all, &interface("tun0", "10.8.0.2", true)));
    }
}
