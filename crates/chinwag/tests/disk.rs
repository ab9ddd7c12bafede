//! A disk that is full, and one that fails to sync: nothing is acknowledged that is not kept.
//!
//! A few lines of C between the server and the C library refuse what a file in a folder says. The test compiles
//! them with `cc`.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use chinwag_testkit::caller::Caller;
use chinwag_testkit::history;
use chinwag_testkit::process::Process;
use tempfile::TempDir;

const SHIM: &str = include_str!("disk/shim.c");
const BINARY: &str = env!("CARGO_BIN_EXE_chinwag");
const CAPS: &str = "echo-message standard-replies";

/// A data folder on a disk that can be made to fail.
struct Disk {
    folder: TempDir,
    shim: PathBuf,
}

impl Disk {
    fn new() -> Disk {
        let folder = tempfile::tempdir().unwrap();
        let (source, shim) = (folder.path().join("shim.c"), folder.path().join("shim.so"));
        fs::write(&source, SHIM).unwrap();
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&shim).arg(&source).arg("-ldl");
        assert!(compiler.status().expect("cc compiles the shim").success());
        fs::create_dir(folder.path().join("data")).unwrap();
        Disk { folder, shim }
    }

    fn serve(&self) -> Process {
        let environment = [("LD_PRELOAD", self.shim.as_path()), ("CHINWAG_TEST_DISK", self.folder.path())];
        Process::serve(Path::new(BINARY), &self.folder.path().join("data"), &["--log", "off"], &environment)
    }

    /// From now on the disk does what the name says.
    fn begin(&self, what: &str) {
        fs::write(self.folder.path().join(what), "").unwrap();
    }

    fn end(&self, what: &str) {
        fs::remove_file(self.folder.path().join(what)).unwrap();
    }
}

fn say(caller: &mut Caller, text: &str) {
    caller.send(&format!("PRIVMSG #tea :{text}"));
    caller.until(|line| line.ends_with(&format!(" PRIVMSG #tea :{text}")));
}

#[test]
fn a_full_disk_refuses_and_says_so_and_the_server_resumes() {
    let disk = Disk::new();
    let server = disk.serve();
    let mut ada = Caller::member(server.address(), "ada", CAPS, "#tea");
    let mut bob = Caller::member(server.address(), "bob", "", "#tea");
    say(&mut ada, "before");
    disk.begin("full");
    ada.send("PRIVMSG #tea :refused");
    let answer = ada.until(|line| line.contains("refused") || line.contains("TEMPORARILY_UNAVAILABLE"));
    assert!(answer.contains("FAIL PRIVMSG TEMPORARILY_UNAVAILABLE"), "{answer}");
    // Members are told, and reading goes on.
    bob.until(|line| line.contains(" NOTICE ") && line.contains("disk is full"));
    assert_eq!(history::all(server.address(), "cy", "#tea"), ["before"]);

    disk.end("full");
    let until = Instant::now() + Duration::from_secs(30);
    let mut refused = 0;
    loop {
        ada.send(&format!("PRIVMSG #tea :after {refused}"));
        let answer = ada.until(|line| line.contains(" PRIVMSG #tea :after") || line.contains("FAIL PRIVMSG"));
        if answer.ends_with(&format!(" PRIVMSG #tea :after {refused}")) {
            break;
        }
        assert!(Instant::now() < until, "it does not resume: {answer}");
        refused += 1;
    }
    server.kill();
    let server = disk.serve();
    assert_eq!(
        history::all(server.address(), "cy", "#tea"),
        ["before".to_owned(), format!("after {refused}")]
    );
}

#[test]
fn a_failing_sync_stops_the_server_before_it_acknowledges() {
    let disk = Disk::new();
    let mut server = disk.serve();
    let mut ada = Caller::member(server.address(), "ada", CAPS, "#tea");
    say(&mut ada, "before");
    disk.begin("sync-fails");
    ada.send("PRIVMSG #tea :never acknowledged");
    let status = server.wait(Duration::from_secs(10));
    assert_eq!(status.code(), Some(1));
    let rest = String::from_utf8_lossy(&ada.rest()).into_owned();
    assert!(!rest.contains(" PRIVMSG #tea :"), "{rest}");
    assert!(rest.lines().last().unwrap_or_default().starts_with("ERROR :"), "{rest}");

    disk.end("sync-fails");
    let server = disk.serve();
    let kept = history::all(server.address(), "cy", "#tea");
    assert_eq!(kept.iter().filter(|text| *text == "before").count(), 1, "{kept:?}");
    assert!(kept.len() <= 2, "{kept:?}");
}
