//! From the first start to a guest from another network: the owner's code, an invitation to a closed room, and guests who
//! come over a network of their own by TLS, ssh, a browser's way, the terminal client and nc.
//!
//! The test calls itself twice more: in a network namespace for the server, and from there in another one for the
//! guests, with a cable between them. Where the system allows no namespaces it says so and is skipped.

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

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use chinwag_testkit::caller::Caller;
use chinwag_testkit::process::Process;
use chinwag_testkit::transport::TlsOptions;

use network::{namespaces, part, parted, run, until};
use person::Person;
use waiting::installed;

const BINARY: &str = env!("CARGO_BIN_EXE_chinwag");

/// Where the server is for the guests, and where they are.
const HOST: &str = "10.99.0.1";
const GUEST: &str = "10.99.0.2";
const PORT: u16 = 55_555;

/// What tells the parts of the test in which folder they are.
const FOLDER: &str = "CHINWAG_ELSEWHERE";
/// The code of the invitation.
const CODE: &str = "CHINWAG_ELSEWHERE_CODE";

#[test]
fn a_guest_from_another_network_comes_in_by_every_door() {
    if !installed(&["unshare", "ip", "ssh", "ssh-keygen"]) {
        return;
    }
    let Some(way) = namespaces() else { return };
    let folder = tempfile::tempdir().unwrap();
    let server =
        Command::new("unshare").args(way).args(part("server_side")).env(FOLDER, folder.path()).status();
    assert!(server.unwrap().success(), "see above");
}

/// The owner's way: a code from the start, an account, a closed room, an invitation.
fn owner(server: &mut Process) -> (Caller, String) {
    let text = server.ways_in();
    let owner_code = text.split_once("/owner ").unwrap().1.split_whitespace().next().unwrap().to_owned();
    let mut ada = Caller::irc(server.address(), "ada", "standard-replies");
    ada.send("REGISTER * * :the sesame of ada");
    ada.until(|line| line.contains("REGISTER SUCCESS "));
    ada.send(&format!("OWNER {owner_code}"));
    ada.until(|line| line.contains(" 381 ada "));
    ada.send("JOIN #tea");
    ada.until(|line| line.contains(" 366 ada #tea "));
    ada.send("MODE #tea +i");
    ada.until(|line| line.contains("MODE #tea +i"));
    ada.send("INVITATION ADD #tea 6 1h");
    let made = ada.until(|line| line.contains("The code is "));
    let code = made.split_once("The code is ").unwrap().1.split(' ').next().unwrap().to_owned();
    (ada, code)
}

#[test]
#[ignore = "a part of the test above, in a network of its own"]
fn server_side() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let folder = Path::new(&folder);
    run("ip", &["link", "set", "lo", "up"]);
    run("ip", &["link", "add", "inside", "type", "veth", "peer", "name", "outside"]);
    run("ip", &["addr", "add", &format!("{HOST}/24"), "dev", "inside"]);
    run("ip", &["link", "set", "inside", "up"]);
    let config = folder.join("chinwag.toml");
    std::fs::write(&config, "[accounts]\nhash_cost = \"test\"\n").unwrap();
    let listen = format!("{HOST}:{PORT}");
    let arguments = ["--listen", &listen, "--config", config.to_str().unwrap()];
    let mut server = Process::serve(Path::new(BINARY), &folder.join("data"), &arguments, &[]);
    let (mut ada, code) = owner(&mut server);

    let mut guests: Child = Command::new("unshare")
        .arg("-n")
        .args(part("guest_side"))
        .env(CODE, &code)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    parted(guests.id());
    let id = guests.id().to_string();
    run("ip", &["link", "set", "outside", "netns", &id]);
    // The cable is there.
    guests.stdin.take().unwrap().write_all(b"go\n").unwrap();
    for (nick, door) in
        [("tess", "TLS"), ("sam", "ssh"), ("wes", "a WebSocket"), ("joe", "join"), ("nan", "nc")]
    {
        ada.until(|line| line.starts_with(&format!(":{nick}!")) && line.contains(" JOIN #tea"));
        ada.until(|line| {
            line.starts_with(&format!(":{nick}!")) && line.ends_with(&format!("PRIVMSG #tea :by {door}"))
        });
        if nick == "joe" {
            // The terminal client gives the code again where a guest whose link was cut is not let in.
            ada.send("KILL joe :cut");
            ada.until(|line| line.starts_with(":joe!") && line.contains(" JOIN #tea"));
            ada.send("PRIVMSG #tea :here you are again");
        }
    }
    assert!(guests.wait().unwrap().success(), "see above");
    ada.send("INVITATION LIST #tea");
    ada.until(|line| line.contains(": 0 uses") || line.contains("No invitation holds"));
}

#[test]
#[ignore = "a part of the test above, in a network of its own"]
fn guest_side() {
    let (Some(folder), Ok(code)) = (std::env::var_os(FOLDER), std::env::var(CODE)) else { return };
    let folder = Path::new(&folder);
    std::io::stdin().read_exact(&mut [0; 3]).unwrap();
    run("ip", &["link", "set", "lo", "up"]);
    run("ip", &["addr", "add", &format!("{GUEST}/24"), "dev", "outside"]);
    run("ip", &["link", "set", "outside", "up"]);
    let server: SocketAddr = format!("{HOST}:{PORT}").parse().unwrap();
    // The two ends of the cable have to find each other.
    until("the server is reached", || std::net::TcpStream::connect(server).is_ok());

    in_clear_text(server);
    by_tls(server, &code);
    by_ssh(folder, &code);
    by_websocket(server, &code);
    by_join(folder, &code);
    by_nc(server, &code);
}

/// Where everybody on the way can read, no door takes a password or a code that is one.
fn in_clear_text(server: SocketAddr) {
    let mut eve = Caller::irc(server, "eve", "standard-replies");
    eve.send("REGISTER * * :sesame");
    eve.until(|line| line.contains("FAIL REGISTER UNACCEPTABLE_PASSWORD "));
    eve.send("OWNER guessed-code");
    eve.until(|line| line.contains("FAIL OWNER UNACCEPTABLE_PASSWORD "));
    eve.send("JOIN #tea");
    eve.until(|line| line.contains(" 473 eve #tea "));
    for carried in ["irc", "websocket"] {
        let mut caller = match carried {
            "irc" => Caller::connect(server),
            _ => Caller::websocket(server, &["text.ircv3.net"]),
        };
        caller.send("CAP LS 302");
        let offered = caller.until(|line| line.contains("sasl"));
        assert!(!offered.contains("PLAIN"), "{offered}");
    }
    let mut plain = Caller::connect(server);
    plain.send_bytes(b"pia\n");
    plain.until(|line| line.contains("here:") || line.contains("pia joined"));
    plain.send_bytes(b"/register sesame\n");
    plain.until(|line| line.starts_with('!') && line.contains("TLS"));
}

fn comes(mut caller: Caller, nick: &str, code: &str, door: &str) {
    caller.send(&format!("INVITATION {code}"));
    caller.until(|line| line.contains(&format!(" 366 {nick} #tea ")));
    caller.send(&format!("PRIVMSG #tea :by {door}"));
    caller.send("PING done");
    caller.until(|line| line.contains("PONG"));
}

fn by_tls(server: SocketAddr, code: &str) {
    let options = TlsOptions { host: None, ..TlsOptions::default() };
    comes(Caller::tls(server, options).registered("tess", ""), "tess", code, "TLS");
}

fn by_websocket(server: SocketAddr, code: &str) {
    let mut page = Caller::connect(server);
    page.send(&format!("GET / HTTP/1.1\r\nHost: {HOST}:{PORT}\r\nConnection: close\r\n"));
    let page = String::from_utf8_lossy(&page.rest()).to_lowercase();
    assert!(page.starts_with("http/1.1 200 ") && page.contains("<html"), "{page}");
    let caller = Caller::websocket(server, &["text.ircv3.net"]).registered("wes", "");
    comes(caller, "wes", code, "a WebSocket");
}

fn by_ssh(folder: &Path, code: &str) {
    let key = folder.join("key");
    run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", key.to_str().unwrap()]);
    let known = format!("UserKnownHostsFile={}", folder.join("known_hosts").display());
    let mut ssh = Command::new("ssh")
        .args(["-T", "-F", "/dev/null", "-o", &known, "-o", "StrictHostKeyChecking=accept-new"])
        .args(["-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", "-i", key.to_str().unwrap()])
        .args(["-p", &PORT.to_string(), &format!("sam@{HOST}")])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let lines = format!("/invitation {code}\nby ssh\n/quit\n");
    ssh.stdin.as_mut().unwrap().write_all(lines.as_bytes()).unwrap();
    until("ssh ends", || ssh.try_wait().unwrap().is_some());
}

/// With the link, as it would be pasted; the room is shown by itself, and the certificate is remembered.
fn by_join(folder: &Path, code: &str) {
    let link = format!("http://{HOST}:{PORT}/#/invitation/{code}");
    let joe = Person::join(folder, (100, 30), &[&link, "--nick", "joe"]);
    joe.until("the room is shown", |screen| screen.contains("ada"));
    joe.types("by join\r");
    joe.sees("by join");
    joe.sees("here you are again");
    let known = folder.join("state/chinwag/servers.toml");
    until("the certificate is remembered", || {
        std::fs::read_to_string(&known).is_ok_and(|text| text.contains("certificate = "))
    });
}

fn by_nc(server: SocketAddr, code: &str) {
    let mut nan = Caller::connect(server);
    nan.send_bytes(b"nan\n");
    nan.until(|line| line.contains("nan joined"));
    nan.send_bytes(format!("/invitation {}\n", code.replace('-', " ")).as_bytes());
    nan.until(|line| line.contains("#tea"));
    nan.send_bytes(b"by nc\n");
    nan.until(|line| line.contains("by nc"));
}
