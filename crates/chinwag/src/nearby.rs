//! Servers that are announced on the local network (DNS-SD): found, listed, chosen.
//!
//! Anybody on the network can announce anything. So names are cleaned, there is an end to how many are shown, only addresses
//! of the local network count, and nothing that is announced is a reason for trust: the certificate that a server shows is
//! pinned as always, and must be the announced one.

use std::collections::BTreeMap;
use std::io::{BufRead, Write};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use chinwag_server::discovery::{DOORS, FINGERPRINT, SERVICE};
use chinwag_server::ways::is_local;
use chinwag_tui::text::{clean, fill, fit};
use mdns_sd::{ResolvedService, ScopedIp, ServiceDaemon, ServiceEvent};

use crate::link::Target;
use crate::progress::Line;

/// For how long it is looked. Answers come within a tenth of a second; the question is asked again after one.
const LOOK: Duration = Duration::from_secs(2);
/// How often those who wait are told how far it is.
const STEP: Duration = Duration::from_millis(100);
/// Servers that are listed; more, and the list says so.
const FOUND_MAX: usize = 50;
/// Columns of a name.
const NAME_COLUMNS: usize = 40;
/// Characters of a fingerprint's short form.
const SHORT: usize = 16;
/// How often somebody may type what is no number of the list.
const ASK_MAX: usize = 3;

/// A server that is announced.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// Its network's name, as it says: may be shown.
    name: String,
    target: Target,
    doors: Vec<&'static str>,
}

/// All that are.
#[derive(Debug, Default)]
pub(crate) struct Nearby {
    /// By the name in DNS-SD.
    found: BTreeMap<String, Found>,
    /// There were more.
    more: bool,
}

/// Looks for a moment. `tls` is what the command line says about TLS.
///
/// # Errors
/// The system lets nobody ask: a sentence.
pub(crate) fn look(tls: Option<bool>) -> Result<Nearby, String> {
    let failed = |error: mdns_sd::Error| format!("cannot look for servers on this network: {error}");
    let daemon = ServiceDaemon::new().map_err(failed)?;
    let events = daemon.browse(SERVICE).map_err(failed)?;
    let mut line = Line::new();
    let mut nearby = Nearby::default();
    let until = Instant::now() + LOOK;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        line.say(|| match nearby.found.len() {
            0 => "looking for servers on this network …".to_owned(),
            count => format!("looking for servers on this network: {count} found …"),
        });
        match events.recv_timeout(left.min(STEP)) {
            Ok(ServiceEvent::ServiceResolved(service)) => nearby.add(&service, tls),
            Ok(ServiceEvent::ServiceRemoved(_, name)) => nearby.remove(&name),
            Ok(_) | Err(mdns_sd::RecvTimeoutError::Timeout) => {}
            // So much was announced that nobody can follow: what is there has to do.
            Err(mdns_sd::RecvTimeoutError::Disconnected) => break,
        }
    }
    // Its thread ends with the program, if not now.
    let _ = daemon.shutdown();
    Ok(nearby)
}

impl Nearby {
    fn add(&mut self, service: &ResolvedService, tls: Option<bool>) {
        let name = service.get_fullname().to_lowercase();
        if self.found.len() >= FOUND_MAX && !self.found.contains_key(&name) {
            self.more = true;
        } else if let Some(found) = Found::new(service, tls) {
            self.found.insert(name, found);
        }
    }

    fn remove(&mut self, name: &str) {
        self.found.remove(&name.to_lowercase());
    }

    /// Whether nobody was found.
    pub(crate) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// A line each for programs: name, address and port, fingerprint (or `-`), doors, with tabs between them.
    pub(crate) fn lines(&self) -> String {
        let line = |found: &Found| {
            let print = found.target.announced.as_deref().unwrap_or("-");
            format!("{}\t{}\t{print}\t{}\n", found.name, found.target, found.doors.join(","))
        };
        self.found.values().map(line).collect()
    }

    /// A line each for people, with a number.
    fn table(&self) -> String {
        let width = |text: fn(&Found) -> String| {
            self.found.values().map(|found| text(found).chars().count()).max().unwrap_or(0)
        };
        let (names, places) = (width(|found| found.name.clone()), width(|found| found.target.to_string()));
        let mut text = "servers that are announced on this network:\n".to_owned();
        for (number, found) in (1..).zip(self.found.values()) {
            let (name, place) = (fill(&found.name, names), fill(&found.target.to_string(), places));
            text.push_str(&format!("{number:>4}  {name}  {place}  {}\n", found.protection()));
        }
        if self.more {
            text.push_str(&format!("there are more than these {FOUND_MAX}, which anybody can cause\n"));
        }
        text
    }

    /// Lets whoever sits there choose. None: they chose to leave.
    ///
    /// # Errors
    /// No number of the list came, or nothing can be read: a sentence.
    pub(crate) fn choose(
        self,
        typed: &mut dyn BufRead,
        shown: &mut dyn Write,
    ) -> Result<Option<Target>, String> {
        let failed = |error: std::io::Error| format!("cannot ask which server: {error}");
        shown.write_all(self.table().as_bytes()).map_err(failed)?;
        let count = self.found.len();
        let mut targets: Vec<Target> = self.found.into_values().map(|found| found.target).collect();
        for _ in 0..ASK_MAX {
            let range = if count == 1 { String::new() } else { format!(", 2 to {count} for another one") };
            write!(shown, "Enter to walk into the first{range}, q to leave: ").map_err(failed)?;
            shown.flush().map_err(failed)?;
            let mut line = String::new();
            let read = typed.read_line(&mut line).map_err(failed)?;
            let number = match line.trim() {
                "q" => return Ok(None),
                "" if read == 0 => return Ok(None),
                "" => Some(1),
                line => line.parse().ok(),
            };
            if let Some(number) = number.filter(|number| (1..=count).contains(number)) {
                return Ok(Some(targets.swap_remove(number - 1)));
            }
        }
        Err(format!("that is no number from 1 to {count}: `chinwag join HOST` needs none"))
    }
}

impl Found {
    /// None for what no server of ours announces.
    fn new(service: &ResolvedService, tls: Option<bool>) -> Option<Found> {
        let host = host(service.get_addresses().iter())?;
        let port = Some(service.get_port()).filter(|port| *port > 0)?;
        let print = service.get_property_val_str(FINGERPRINT).map(str::to_ascii_lowercase);
        let announced =
            print.filter(|print| print.len() == 64 && print.bytes().all(|b| b.is_ascii_hexdigit()));
        let open = |door: &&str| service.get_property_val_str(door) == Some("1");
        Some(Found {
            name: name(service.get_fullname()),
            // What is announced does not take TLS away: whoever does without says so.
            target: Target { host, port, tls: tls.unwrap_or(true), announced },
            doors: DOORS.into_iter().filter(open).collect(),
        })
    }

    /// What people compare.
    fn protection(&self) -> String {
        match &self.target.announced {
            Some(print) if self.doors.contains(&"tls") => {
                let groups = print.as_bytes()[..SHORT].chunks(4).map(String::from_utf8_lossy);
                format!("certificate {} …", groups.collect::<Vec<_>>().join(" "))
            }
            _ => "no TLS (chinwag join --plaintext)".to_owned(),
        }
    }
}

/// The name of the network, as it may be shown.
fn name(full: &str) -> String {
    let end = full.len().saturating_sub(SERVICE.len() + 1);
    let name = clean(full.get(..end).unwrap_or_default());
    match name.trim() {
        "" => "?".to_owned(),
        name => fit(name, NAME_COLUMNS),
    }
}

/// The address to connect to: one of the local network, IPv4 first, which people can read.
fn host<'a>(addresses: impl Iterator<Item = &'a ScopedIp>) -> Option<String> {
    let ranked = addresses.filter(|address| is_local(address.to_ip_addr())).filter_map(|address| {
        let ip = address.to_ip_addr();
        match (ip, address) {
            (IpAddr::V4(_), _) => Some((0, ip.to_string())),
            (IpAddr::V6(inside), ScopedIp::V6(scoped)) if inside.is_unicast_link_local() => {
                // It means something on one interface only.
                let interface = &scoped.scope_id().name;
                (!interface.is_empty()).then(|| (2, format!("{ip}%{interface}")))
            }
            _ => Some((1, ip.to_string())),
        }
    });
    ranked.min().map(|(_, host)| host)
}

#[cfg(test)]
mod tests {
    use mdns_sd::ServiceInfo;

    use super::*;

    const PRINT: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

    fn service(name: &str, ip: &str, port: u16, more: &[(&str, &str)]) -> ResolvedService {
        ServiceInfo::new(SERVICE, name, "host.local.", ip, port, more).unwrap().as_resolved_service()
    }

    fn all(services: impl IntoIterator<Item = ResolvedService>) -> Nearby {
        let mut nearby = Nearby::default();
        services.into_iter().for_each(|service| nearby.add(&service, None));
        nearby
    }

    fn chosen(nearby: Nearby, mut typed: &[u8]) -> Result<Option<String>, String> {
        let chosen = nearby.choose(&mut typed, &mut Vec::new());
        chosen.map(|target| target.map(|target| target.to_string()))
    }

    #[test]
    fn a_server_is_listed_for_people_and_programs() {
        let doors = [("txtvers", "1"), ("tls", "1"), ("irc", "1"), (FINGERPRINT, PRINT)];
        let two = || {
            let other = service("b", "fd00::2,2606:4700::1", 7, &[("irc", "1")]);
            all([service("ours", "8.8.8.8,10.0.0.7", 55555, &doors), other])
        };
        assert_eq!(
            two().lines(),
            format!("b\t[fd00::2]:7\t-\tirc\nours\t10.0.0.7:55555\t{PRINT}\ttls,irc\n")
        );
        let table = two().table();
        assert!(table.contains("   2  ours  10.0.0.7:55555  certificate 0011 2233 4455 6677 …\n"), "{table}");
        assert!(table.contains("   1  b     [fd00::2]:7     no TLS"), "{table}");
        assert_eq!(chosen(two(), b"2\n"), Ok(Some("10.0.0.7:55555".to_owned())));
        assert_eq!(chosen(two(), b"x\n\n"), Ok(Some("[fd00::2]:7".to_owned())));
        assert_eq!(chosen(two(), b"q\n"), Ok(None));
        assert_eq!(chosen(two(), b""), Ok(None));
        assert!(chosen(two(), b"0\n3\n-1\n").unwrap_err().contains("1 to 2"));
        let mut gone = two();
        gone.remove("OURS._chinwag._tcp.local.");
        assert_eq!(gone.found.len(), 1);
    }

    #[test]
    fn nothing_that_strangers_announce_reaches_the_terminal_or_takes_tls_away() {
        let hostile = |number: u32| {
            let name = format!("{number:03}\x1b[2J\x07\t\r\n\u{202e}x\u{9b}31m");
            service(&name, "10.0.0.1", 1, &[(FINGERPRINT, "\x1b]0;x\x07"), ("tls", "0"), ("irc", "\x1b[5m")])
        };
        let nearby = all((0..300).map(hostile));
        assert!(nearby.more && nearby.found.len() == FOUND_MAX);
        assert!(nearby.found.values().all(|found| found.target.tls));
        for text in [nearby.lines(), nearby.table()] {
            let odd = |c: char| (c.is_control() && c != '\n' && c != '\t') || c == '\u{202e}';
            assert!(!text.contains(odd), "{text:?}");
        }
        assert!(nearby.table().contains("more than these 50"));
        assert!(nearby.lines().lines().all(|line| line.matches('\t').count() == 3), "{}", nearby.lines());
        let long = service(&"m".repeat(60), "10.0.0.1", 1, &[]);
        assert_eq!(all([long]).found.values().next().unwrap().name.chars().count(), NAME_COLUMNS);
    }

    #[test]
    fn addresses_of_others_are_not_called() {
        for (ip, port) in
            [("127.0.0.1", 1), ("8.8.8.8", 1), ("::1", 1), ("2606:4700::1", 1), ("", 1), ("10.0.0.1", 0)]
        {
            assert!(all([service("x", ip, port, &[])]).is_empty(), "{ip}:{port}");
        }
    }
}
