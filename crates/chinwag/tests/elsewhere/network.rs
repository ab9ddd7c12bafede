//! Networks of their own for tests: what every such test needs to begin, and to wait.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long anything may take; machines that test are busy.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// Runs a program to its end.
pub fn run(program: &str, arguments: &[&str]) {
    let status = Command::new(program).args(arguments).status().unwrap();
    assert!(status.success(), "{program} {arguments:?}: {status}");
}

/// This program again, for one part of the test.
pub fn part(name: &str) -> [String; 5] {
    let me = std::env::current_exe().unwrap().to_str().unwrap().to_owned();
    [&me, name, "--exact", "--ignored", "--nocapture"].map(str::to_owned)
}

/// What makes a network of its own here: as whoever runs this in a user namespace, or as root without. None, and a
/// sentence, where the system allows neither.
pub fn namespaces() -> Option<&'static [&'static str]> {
    let ways: [&[&str]; 2] = [&["-Urn"], &["-n"]];
    let way = ways.into_iter().find(|way| {
        let mut tried = Command::new("unshare");
        tried.args(*way).args(["ip", "link", "set", "lo", "up"]).stdout(Stdio::null()).stderr(Stdio::null());
        tried.status().is_ok_and(|status| status.success())
    });
    if way.is_none() {
        eprintln!(
            "SKIPPED, NOT TESTED: this system lets nobody make a network namespace (unshare -Urn, unshare -n)"
        );
    }
    way
}

/// Waits until something is so.
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + DEADLINE;
    while !is_so() {
        assert!(Instant::now() < end, "{what}: not in time");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Waits until a process has a network of its own.
pub fn parted(process: u32) {
    let network = |process: &str| std::fs::read_link(format!("/proc/{process}/ns/net")).ok();
    let id = process.to_string();
    until("the other side has a network of its own", || network(&id) != network("self"));
}
