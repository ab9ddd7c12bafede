//! A socket that the service manager holds: whoever calls before the server is there waits in it, also while the server is
//! started again.

#![cfg(unix)]
#![allow(clippy::unwrap_used)]

use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use chinwag_testkit::caller::Caller;

const BINARY: &str = env!("CARGO_BIN_EXE_chinwag");

/// What a service manager does: the socket becomes the first descriptor behind the usual three, and the process is told so.
const MANAGER: &str = "exec 3<&0 </dev/null; LISTEN_PID=$$ LISTEN_FDS=1 exec \"$@\"";

fn serve(socket: &TcpListener, data: &Path) -> Child {
    let socket = OwnedFd::from(socket.try_clone().unwrap());
    Command::new("sh")
        .args(["-c", MANAGER, "sh", BINARY, "serve", "--data", data.to_str().unwrap()])
        .stdin(Stdio::from(socket))
        .stdout(Stdio::null())
        .env("CHINWAG_LOG", "warn")
        .spawn()
        .unwrap()
}

fn stop(mut server: Child) {
    assert!(Command::new("kill").args(["-TERM", &server.id().to_string()]).status().unwrap().success());
    let until = Instant::now() + Duration::from_secs(20);
    while server.try_wait().unwrap().is_none() {
        assert!(Instant::now() < until, "it does not end");
        thread::sleep(Duration::from_millis(10));
    }
}

/// Somebody who calls before anybody answers.
fn calls(address: SocketAddr, nick: &str) -> Caller {
    let mut caller = Caller::connect(address);
    caller.send(&format!("NICK {nick}\r\nUSER {nick} 0 * :{nick}"));
    caller
}

#[test]
fn whoever_calls_before_the_server_is_there_waits_and_comes_in() {
    let folder = tempfile::tempdir().unwrap();
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    for nick in ["early", "again"] {
        let mut caller = calls(address, nick);
        let server = serve(&socket, folder.path());
        caller.until(|line| line.contains(&format!(" 001 {nick} ")));
        let mut other = calls(address, "other");
        other.until(|line| line.contains(" 001 other "));
        stop(server);
    }
}

#[test]
fn what_is_meant_for_another_process_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let output = Command::new(BINARY)
        .args(["serve", "--listen", "192.0.2.1:1", "--data", data])
        .env("LISTEN_PID", "1")
        .env("LISTEN_FDS", "1")
        .output()
        .unwrap();
    // It tried the address that it was given.
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("192.0.2.1:1"), "{said}");
}
