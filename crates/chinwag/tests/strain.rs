//! Strain from outside: lines of megabytes, and more callers than the system gives descriptors for.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use chinwag_testkit::caller::Caller;
use chinwag_testkit::process::Process;

const BINARY: &str = env!("CARGO_BIN_EXE_chinwag");

/// The most memory the process ever had, in KiB.
fn peak_kib(server: &Process) -> usize {
    let status = fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Processor time the process has used, in ticks of 10 ms.
fn ticks(server: &Process) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{}/stat", server.id())).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

#[test]
fn a_line_of_ten_megabytes_costs_no_memory_and_one_answer() {
    let folder = tempfile::tempdir().unwrap();
    let server = Process::serve(Path::new(BINARY), folder.path(), &[], &[]);
    let mut ada = Caller::member(server.address(), "ada", "", "#lobby");
    let mut bob = Caller::connect(server.address());
    bob.send_bytes(b"bob\n");
    bob.until(|line| line.starts_with("here: "));
    let before = peak_kib(&server);
    let line = [b'x'; 64 * 1024];
    for _ in 0..160 {
        bob.send_bytes(&line);
    }
    bob.send_bytes(b"\nstill here\n");
    let next = ada.until(|line| line.contains(" PRIVMSG "));
    assert!(next.ends_with(" PRIVMSG #lobby :still here"), "{next}");
    let told = bob.line();
    assert!(told.starts_with('!'), "{told}");
    // At the IRC door there are lines that nobody sends by mistake.
    ada.send_bytes(&line);
    ada.until(|line| line.starts_with("ERROR :"));
    bob.until(|line| line.starts_with("[X] ada left the chat..."));
    let grown = peak_kib(&server) - before;
    assert!(grown < 2048, "it took {grown} KiB");
}

/// A server that the system gives few descriptors.
fn with_few_descriptors(folder: &Path, arguments: &[&str]) -> Process {
    let few = folder.join("few-descriptors");
    fs::write(&few, format!("#!/bin/sh\nulimit -n 48\nexec {BINARY} \"$@\"\n")).unwrap();
    fs::set_permissions(&few, fs::Permissions::from_mode(0o700)).unwrap();
    let arguments = [&["--log", "off"], arguments].concat();
    Process::serve(&few, &folder.join("data"), &arguments, &[])
}

#[test]
fn there_are_fewer_places_than_descriptors_and_who_finds_none_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let server = with_few_descriptors(folder.path(), &[]);
    let mut ada = Caller::member(server.address(), "ada", "echo-message", "#tea");
    let mut crowd: Vec<Caller> = (0..80).map(|_| Caller::connect(server.address())).collect();
    let mut last = crowd.pop().unwrap();
    last.send_bytes(b"NICK last\r\nUSER last 0 * :last\r\n");
    last.until(|line| line.starts_with("ERROR :") && line.contains("full"));
    ada.send("PRIVMSG #tea :still here");
    ada.until(|line| line.ends_with(":still here"));
}

#[test]
fn without_descriptors_those_inside_go_on_and_the_rest_wait() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.toml");
    fs::write(&config, "[limits]\nconnections = 1000\n").unwrap();
    let server = with_few_descriptors(folder.path(), &["--config", config.to_str().unwrap()]);
    let mut ada = Caller::member(server.address(), "ada", "echo-message", "#tea");
    let mut crowd: Vec<Caller> = (0..80).map(|_| Caller::connect(server.address())).collect();
    let before = ticks(&server);
    std::thread::sleep(Duration::from_millis(1000));
    let spent = ticks(&server) - before;
    assert!(spent < 30, "it spends {spent} ticks a second on what it cannot do");
    ada.send("PRIVMSG #tea :still here");
    ada.until(|line| line.ends_with(":still here"));
    // The last of them waits in the system's queue until there is room.
    let mut last = crowd.pop().unwrap();
    last.send_bytes(b"NICK last\r\nUSER last 0 * :last\r\n");
    drop(crowd);
    last.until(|line| line.contains(" 001 last "));
}
