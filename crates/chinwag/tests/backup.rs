//! `chinwag backup`, `restore` and `rollback` on the data of a real server, also while it runs.

#![allow(clippy::unwrap_used)]

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use chinwag_testkit::caller::{Caller, WITHIN};
use chinwag_testkit::history;
use chinwag_testkit::process::Process;

const BINARY: &str = env!("CARGO_BIN_EXE_chinwag");

/// Runs a command; the code and what it said.
fn chinwag(arguments: &[&str]) -> (i32, String) {
    let output = Command::new(BINARY).args(arguments).env("XDG_DATA_HOME", "/nonexistent").output().unwrap();
    (output.status.code().unwrap(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Says something again and again, each time after the echo of the one before.
fn talk(address: SocketAddr, name: usize, stop: &AtomicBool, echoed: &AtomicUsize) {
    let mut caller = Caller::member(address, &format!("w{name}"), "echo-message", "#tea");
    for n in 0.. {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        caller.send(&format!("PRIVMSG #tea :{name}-{n}"));
        let mine = format!(":{name}-{n}");
        caller.until(|line| line.contains(" PRIVMSG #tea ") && line.ends_with(&mine));
        echoed.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_backup_under_load_is_restored_elsewhere_and_served() {
    let folder = tempfile::tempdir().unwrap();
    let (data, other) = (folder.path().join("data"), folder.path().join("other"));
    let file = folder.path().join("one.chinwag-backup");
    let server = Process::serve(Path::new(BINARY), &data, &[], &[]);
    let (stop, echoed) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let address = server.address();
    let writers: Vec<_> = (0..4)
        .map(|name| {
            let (stop, echoed) = (Arc::clone(&stop), Arc::clone(&echoed));
            thread::spawn(move || talk(address, name, &stop, &echoed))
        })
        .collect();
    let until = Instant::now() + WITHIN;
    let wait = |count: usize| {
        while echoed.load(Ordering::Relaxed) < count {
            assert!(Instant::now() < until, "nobody is heard");
            thread::sleep(Duration::from_millis(2));
        }
    };
    wait(200);
    let before = echoed.load(Ordering::Relaxed);
    let (code, said) = chinwag(&["backup", text(&file), "--data", text(&data)]);
    assert!(code == 0 && said.contains("read back"), "{code} {said}");
    wait(before + 200);
    stop.store(true, Ordering::Relaxed);
    writers.into_iter().for_each(|writer| writer.join().unwrap());
    let live = history::all(address, "reader", "#tea");

    let (code, said) = chinwag(&["restore", text(&file), "--check"]);
    assert!(code == 0 && said.contains("events up to position"), "{code} {said}");
    let (code, said) = chinwag(&["restore", text(&file), "--data", text(&data)]);
    assert!(code == 1 && said.contains("in use by another chinwag"), "{code} {said}");
    let (code, said) = chinwag(&["restore", text(&file), "--data", text(&other)]);
    assert!(code == 0 && said.contains("is what it was"), "{code} {said}");
    let again = Process::serve(Path::new(BINARY), &other, &[], &[]);
    let restored = history::all(again.address(), "reader", "#tea");
    // As far as the backup goes, it is the same; and all that had been echoed before it began is in it.
    assert!(restored.len() >= before && restored.len() < live.len(), "{} {before}", restored.len());
    assert_eq!(restored, live[..restored.len()]);
    Caller::member(again.address(), "ada", "echo-message", "#tea").send("PRIVMSG #tea :and it goes on");
    // Who knows the server by its keys knows this one.
    for key in ["tls-cert.pem", "ssh_host_ed25519_key"] {
        assert_eq!(std::fs::read(data.join(key)).unwrap(), std::fs::read(other.join(key)).unwrap());
    }
    again.kill();
    let (code, said) = chinwag(&["restore", text(&file), "--data", text(&other)]);
    assert!(code == 1 && said.contains("--overwrite"), "{code} {said}");
    let (code, said) = chinwag(&["restore", text(&file), "--data", text(&other), "--overwrite"]);
    assert!(code == 0 && said.contains("rollback --list"), "{code} {said}");
    let (code, said) = chinwag(&["rollback", "--list", "--data", text(&other)]);
    assert!(code == 0 && said.contains("before a restore"), "{code} {said}");
}

#[test]
fn mistakes_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    drop(Process::serve(Path::new(BINARY), &data, &[], &[]));
    let check = |arguments: &[&str], code: i32, word: &str| {
        let mut arguments = arguments.to_vec();
        arguments.extend(["--data", text(&data)]);
        let (found, said) = chinwag(&arguments);
        assert!(found == code && said.contains(word), "{arguments:?}: {found} {said}");
    };
    check(&["backup"], 2, "DIR|FILE");
    check(&["restore", "/nonexistent"], 1, "there is no such file");
    check(&["rollback", "--list"], 0, "There are no snapshots");
    check(&["rollback", "--yes"], 1, "no such snapshot");
    check(&["backup", text(folder.path())], 0, "/chinwag-2");
    check(&["backup", "/nonexistent/b"], 1, "/nonexistent/b");
    let (code, said) = chinwag(&["backup", "b", "--data", "/nonexistent"]);
    assert!(code == 1 && said.contains("nothing kept in /nonexistent"), "{code} {said}");
    assert!(!Path::new("b").exists());
}
