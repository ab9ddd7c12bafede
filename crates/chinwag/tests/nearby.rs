//! Servers of the local network: `chinwag join --list` finds what is announced (DNS-SD), `chinwag join` lets somebody choose,
//! and an announcement is no reason for trust.
//!
//! The test calls itself once more in a network namespace, which is where people sit; the servers are in another one, with a
//! cable between them. Where the system allows no namespaces it says so and is skipped.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

#[path = "elsewhere/network.rs"]
mod network;
#[path = "join/person.rs"]
#[allow(dead_code, reason = "the terminal client's own test uses the rest")]
mod person;
#[path = "join/picture.rs"]
#[allow(dead_code, reason = "the terminal client's own test uses it")]
mod picture;
#[path = "clients/waiting.rs"]
mod waiting;

use std::net::UdpSocket;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use chinwag_testkit::process::Process;
use mdns_sd::{Receiver, ServiceDaemon, ServiceEvent, ServiceInfo};

use network::{DEADLINE, namespaces, part, parted, run, until};
use person::Person;
use waiting::installed;

const BINARY: &str = env!("CARGO_BIN_EXE_chinwag");
const SERVICE: &str = "_chinwag._tcp.local.";

/// The two ends of the cable.
const HOST: &str = "10.99.1.1";
const GUEST: &str = "10.99.1.2";

/// What tells the part of the test in which folder it is.
const FOLDER: &str = "CHINWAG_NEARBY";

#[test]
fn a_server_of_the_local_network_is_listed_chosen_and_gone() {
    if !installed(&["unshare", "nsenter", "ip"]) {
        return;
    }
    let Some(way) = namespaces() else { return };
    let folder = tempfile::tempdir().unwrap();
    let guests =
        Command::new("unshare").args(way).args(part("guest_side")).env(FOLDER, folder.path()).status();
    assert!(guests.unwrap().success(), "see above");
}

/// The network of the servers, as long as it lives.
struct Other {
    child: Child,
    /// The program, run there.
    binary: PathBuf,
}

impl Other {
    /// A network at the other end of a cable.
    fn begin(folder: &Path) -> Other {
        run("ip", &["link", "set", "lo", "up"]);
        run("ip", &["link", "add", "guest", "type", "veth", "peer", "name", "host"]);
        run("ip", &["addr", "add", &format!("{GUEST}/24"), "dev", "guest"]);
        let child = Command::new("unshare").args(["-n", "cat"]).stdin(Stdio::piped()).spawn().unwrap();
        parted(child.id());
        let id = child.id().to_string();
        run("ip", &["link", "set", "host", "netns", &id]);
        run("ip", &["link", "set", "guest", "up"]);
        let binary = folder.join("chinwag-there");
        std::fs::write(&binary, format!("#!/bin/sh\nexec nsenter -t {id} -n {BINARY} \"$@\"\n")).unwrap();
        std::fs::set_permissions(&binary, std::fs::Permissions::from_mode(0o755)).unwrap();
        let other = Other { child, binary };
        other.runs(&["ip", "link", "set", "lo", "up"]);
        other.runs(&["ip", "addr", "add", &format!("{HOST}/24"), "dev", "host"]);
        other.runs(&["ip", "link", "set", "host", "up"]);
        other
    }

    fn runs(&self, command: &[&str]) -> String {
        let mut there = Command::new("nsenter");
        there.args(["-t", &self.child.id().to_string(), "-n"]).args(command);
        let output = there.output().unwrap();
        assert!(output.status.success(), "{command:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn serve(&self, data: &Path, more: &[&str]) -> Process {
        Process::serve(&self.binary, data, more, &[])
    }

    /// Whether any program there listens for multicast DNS.
    fn speaks_dns(&self) -> bool {
        let sockets = self.runs(&["cat", "/proc/net/udp", "/proc/net/udp6"]);
        sockets.contains(&format!(":{:04X} ", mdns_sd::MDNS_PORT))
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn list() -> Output {
    Command::new(BINARY).args(["join", "--list"]).output().unwrap()
}

/// Waits for news of a service.
fn hears(events: &Receiver<ServiceEvent>, what: &str, fits: impl Fn(&ServiceEvent) -> bool) {
    let until = Instant::now() + DEADLINE;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let event = events.recv_timeout(left).unwrap_or_else(|_| panic!("{what}: not in time"));
        if fits(&event) {
            return;
        }
    }
}

#[test]
#[ignore = "a part of the test above, in a network of its own"]
fn guest_side() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let folder = Path::new(&folder);
    let other = Other::begin(folder);

    // Whoever listens for its own machine only tells nobody.
    let own = other.serve(&folder.join("own"), &[]);
    let none = list();
    let said = String::from_utf8_lossy(&none.stderr).into_owned();
    assert!(none.status.code() == Some(1) && none.stdout.is_empty(), "{none:?}");
    assert!(said.contains("no server is announced on this network") && said.contains("--listen"), "{said}");
    assert!(!other.speaks_dns());
    drop(own);

    let config = folder.join("chinwag.toml");
    std::fs::write(&config, "[server]\nnetwork = \"ours\"\n").unwrap();
    let arguments = ["--listen", "[::]:55555", "--config", config.to_str().unwrap()];
    let mut server = other.serve(&folder.join("data"), &arguments);
    let ways = server.ways_in();
    let print = ways.split_once("SHA-256:\n").unwrap().1.split_whitespace().next().unwrap();
    let listed = format!("ours\t{HOST}:55555\t{print}\ttls,irc,plain,web,ssh\n");
    until("it is listed", || String::from_utf8(list().stdout).unwrap() == listed);

    choosing(folder, print);
    a_false_announcement(folder);

    // Whoever knows it is told that it goes: otherwise it would be remembered for two minutes.
    let listener = ServiceDaemon::new().unwrap();
    let events = listener.browse(SERVICE).unwrap();
    hears(&events, "it is there", |event| matches!(event, ServiceEvent::ServiceResolved(_)));
    let gone = |event: &ServiceEvent| matches!(event, ServiceEvent::ServiceRemoved(..));
    for (announce, what) in [("off", "it is taken back"), ("private", "it is there again")] {
        std::fs::write(&config, format!("[server]\nnetwork = \"ours\"\nannounce = \"{announce}\"\n"))
            .unwrap();
        run("kill", &["-HUP", &server.id().to_string()]);
        match announce {
            "off" => hears(&events, what, gone),
            _ => hears(&events, what, |event| matches!(event, ServiceEvent::ServiceResolved(_))),
        }
    }
    let asked = Instant::now();
    run("kill", &["-TERM", &server.id().to_string()]);
    hears(&events, "it is gone", gone);
    assert!(server.wait(DEADLINE).success());
    assert!(asked.elapsed() < Duration::from_secs(20), "it took {:?}", asked.elapsed());
    assert_eq!(list().status.code(), Some(1));

    // Strangers cannot make it hold without end what they say.
    let mut server = other.serve(&folder.join("data"), &arguments);
    hears(&events, "it is there once more", |event| matches!(event, ServiceEvent::ServiceResolved(_)));
    flood(|| events.try_iter().any(|event| gone(&event)));
    run("kill", &["-TERM", &server.id().to_string()]);
    assert!(server.wait(DEADLINE).success());
    let _ = listener.shutdown();
}

/// Sends answers that nobody asked for until something is so.
fn flood(mut is_so: impl FnMut() -> bool) {
    let socket = UdpSocket::bind((GUEST, 0)).unwrap();
    let (mut number, mut sent) = (0_u32, Instant::now());
    until("who is flooded takes it back", || {
        // In portions: between them it is looked how much there is.
        if number.is_multiple_of(20_000) && number > 0 && sent.elapsed() < Duration::from_secs(8) {
            return is_so();
        }
        sent = Instant::now();
        for _ in 0..20 {
            // An answer with addresses (RFC 1035, section 4.1), good for years.
            let mut packet = vec![0, 0, 0x84, 0, 0, 0, 0, 40, 0, 0, 0, 0];
            for _ in 0..40 {
                number += 1;
                packet.extend(format!("\u{8}{number:08}\u{5}local\0").bytes());
                packet.extend([0, 1, 0, 1, 0x7f, 0xff, 0xff, 0xff, 0, 4, 10, 99, 1, 3]);
            }
            // Who does not take it, takes the next one.
            let _ = socket.send_to(&packet, (HOST, mdns_sd::MDNS_PORT));
        }
        is_so()
    });
}

/// A folder for what somebody remembers.
fn home(folder: &Path, name: &str) -> PathBuf {
    let home = folder.join(name);
    std::fs::create_dir(&home).unwrap();
    home
}

/// Somebody without an address is shown what there is, and walks in.
fn choosing(folder: &Path, print: &str) {
    let home = home(folder, "joe");
    let mut joe = Person::join(&home, (100, 30), &["--nick", "joe"]);
    joe.sees("servers that are announced on this network");
    joe.until("the server's line", |screen| {
        let short = format!("certificate {} {} ", &print[..4], &print[4..8]);
        screen.contains(&format!("1  ours  {HOST}:55555")) && screen.contains(&short)
    });
    joe.sees("Enter to walk into the first, q to leave:");
    joe.types("\r");
    joe.sees("#lobby");
    let known = home.join("state/chinwag/servers.toml");
    until("the certificate is remembered", || {
        std::fs::read_to_string(&known).is_ok_and(|text| text.contains(print))
    });
    joe.types("/quit\r");
    assert_eq!(joe.ends(), 0);
    let mut leaves = Person::join(&self::home(folder, "lea"), (100, 30), &[]);
    leaves.sees("q to leave:");
    leaves.types("q\r");
    assert_eq!(leaves.ends(), 0);
}

/// Somebody else announces the server's address, with a certificate that it does not have.
fn a_false_announcement(folder: &Path) {
    let liar = ServiceDaemon::new().unwrap();
    let record = [("txtvers", "1"), ("tls", "1"), ("irc", "1"), ("fp", &"0".repeat(64)[..])];
    let service = ServiceInfo::new(SERVICE, "false", "liar.local.", HOST, 55_555, &record[..]).unwrap();
    liar.register(service).unwrap();
    until("both are listed", || String::from_utf8(list().stdout).unwrap().lines().count() == 2);
    let home = home(folder, "eve");
    let eve = Person::join(&home, (100, 30), &["--nick", "eve"]);
    eve.sees("1  false");
    eve.sees("q to leave:");
    eve.types("1\r");
    eve.sees("shows another certificate");
    eve.sees("announced");
    let known = std::fs::read_to_string(home.join("state/chinwag/servers.toml")).unwrap_or_default();
    assert!(!known.contains("certificate ="), "{known}");
    let ended = liar.shutdown().unwrap();
    ended.recv_timeout(DEADLINE).unwrap();
}
