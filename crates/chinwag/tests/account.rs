//! `chinwag account`: accounts of a data folder on which no server runs.

#![allow(clippy::unwrap_used)]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use chinwag_testkit::caller::Caller;
use chinwag_testkit::process::Process;

const BINARY: &str = env!("CARGO_BIN_EXE_chinwag");

/// Runs a command; the code and what it said.
fn account(data: &Path, arguments: &[&str], input: &str) -> (i32, String) {
    let mut command = Command::new(BINARY);
    command.arg("account").args(arguments).arg("--data").arg(data);
    let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = pipes.spawn().unwrap();
    // It may have ended without reading.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    (status.code().unwrap(), String::from_utf8([stdout, stderr].concat()).unwrap())
}

#[test]
fn accounts_are_made_and_ended_while_no_server_runs() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    assert_eq!(account(&data.join("none"), &["list"], "").0, 1);
    assert_eq!(account(data, &["list"], "").0, 1, "an empty folder stays empty");
    let check = |arguments: &[&str], input: &str, code: i32, text: &str| {
        let (found, said) = account(data, arguments, input);
        assert!(found == code && said.contains(text), "{arguments:?}: {found} {said}");
    };
    check(&["add", "ann"], "sesame\n", 0, "ann is an account now");
    check(&["add", "Ann"], "sesame\n", 1, "there is an account Ann already");
    check(&["add", "no name"], "sesame\n", 1, "cannot be an account");
    check(&["add", "bob"], "", 2, "no password came");
    check(&["add", "bob"], "sesame", 0, "bob is an account now");
    check(&["password", "ANN"], "open sesame\n", 0, "ANN has another password");
    check(&["password", "cyd"], "sesame\n", 1, "there is no account cyd");
    check(&["list"], "", 0, "ann\nbob\n");
    check(&["remove", "bob"], "", 0, "bob is an account no more");
    let server = Process::serve(Path::new(BINARY), data, &[], &[]);
    check(&["list"], "", 1, "in use by another chinwag");
    let mut caller = Caller::connect(server.address());
    caller.send("PASS :ann:open sesame\r\nNICK ann\r\nUSER ann 0 * :ann");
    caller.until(|line| line.contains(" 900 * ann!~ann@127.0.0.1 ann "));
    caller.until(|line| line.contains(" 001 ann "));
}

#[test]
fn the_first_account_may_come_before_the_first_start() {
    let folder = tempfile::tempdir().unwrap();
    let (data, config) = (folder.path().join("data"), folder.path().join("chat.toml"));
    std::fs::write(&config, "[server]\ncasemapping = \"precis\"\n").unwrap();
    let config = config.to_str().unwrap();
    let (code, said) = account(&data, &["add", "Zo\u{eb}", "--config", config], "sesame\n");
    assert_eq!(code, 0, "{said}");
    let (code, said) = account(&data, &["password", "ZO\u{cb}"], "open sesame\n");
    assert_eq!(code, 0, "letters of all scripts are the same in both cases: {said}");
    let server = Process::serve(Path::new(BINARY), &data, &["--config", config], &[]);
    let mut caller = Caller::connect(server.address());
    caller.send("PASS :zo\u{eb}:open sesame\r\nNICK zo\u{eb}\r\nUSER zoe 0 * :Zo\u{eb}");
    caller.until(|line| line.contains(" 001 zo\u{eb} "));
}

#[test]
fn what_the_configuration_keeps_of_a_password_is_printed() {
    for (input, code, begins) in [("sesame\n", 0, "$argon2id$v=19$"), ("", 2, "chinwag: ")] {
        let mut command = Command::new(BINARY);
        let pipes = command.arg("hash").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = pipes.spawn().unwrap();
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
        let said = String::from_utf8([stdout, stderr].concat()).unwrap();
        assert_eq!(status.code(), Some(code), "{said}");
        assert!(said.starts_with(begins) && !said.contains("sesame"), "{said}");
    }
}
