//! Records that end: what disappears after its time, and what somebody has erased, with the program as people run it.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use chinwag_testkit::caller::Caller;
use chinwag_testkit::history;
use chinwag_testkit::process::Process;

const BINARY: &str = env!("CARGO_BIN_EXE_chinwag");

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(60);

fn chinwag(arguments: &[&str]) -> String {
    let output = Command::new(BINARY).args(arguments).env("TZ", "UTC").output().unwrap();
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(output.status.success(), "{arguments:?}: {said}");
    said
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn stop(mut server: Process) {
    assert!(Command::new("kill").args(["-TERM", &server.id().to_string()]).status().unwrap().success());
    assert!(server.wait(PATIENCE).success());
}

/// Whether these bytes are in any file of the folder.
fn anywhere(data: &Path, what: &str) -> bool {
    let mut files = fs::read_dir(data).unwrap().map(|file| file.unwrap().path());
    files.any(|path| {
        fs::read(path).is_ok_and(|bytes| bytes.windows(what.len()).any(|part| part == what.as_bytes()))
    })
}

#[test]
fn what_was_said_long_ago_disappears_though_nobody_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let log = folder.path().join("#tea.weechatlog");
    let mut lines = String::new();
    for number in 0..600 {
        let (minute, second) = (number / 60, number % 60);
        lines.push_str(&format!("2020-01-01 10:{minute:02}:{second:02}\tann\tbygones {number}.\n"));
    }
    fs::write(&log, lines).unwrap();
    chinwag(&["import", text(&log), "--format", "weechat", "--into", "#tea", "--data", text(&data)]);
    assert!(anywhere(&data, "bygones 17."));
    let config = folder.path().join("chinwag.toml");
    fs::write(&config, "[history]\nkeep = \"1d\"\n").unwrap();
    let server = Process::serve(Path::new(BINARY), &data, &[], &[("CHINWAG_CONFIG", &config)]);
    // Nobody comes in, and yet time passes.
    let until = Instant::now() + PATIENCE;
    while chinwag(&["export", "--data", text(&data)]).contains("bygones") {
        assert!(Instant::now() < until, "it is still there");
        thread::sleep(Duration::from_millis(200));
    }
    let mut ann = Caller::member(server.address(), "ann", "echo-message", "#tea");
    ann.send("PRIVMSG #tea :news");
    ann.until(|line| line.ends_with(":news"));
    assert_eq!(history::all(server.address(), "reader", "#tea"), ["news"]);
    ann.send("KEEP #tea\r\nKEEP #tea 2d");
    ann.until(|line| line.ends_with("What is said here disappears after 1d"));
    stop(server);
    assert!(!anywhere(&data, "bygones 17.") && !anywhere(&data, "bygones 599."));
    // What is left comes and goes as ever.
    let first = chinwag(&["export", "--data", text(&data)]);
    assert!(first.contains("news") && first.lines().count() < 10, "{first}");
    let (file, other) = (folder.path().join("all.jsonl"), folder.path().join("other"));
    fs::write(&file, &first).unwrap();
    chinwag(&["import", text(&file), "--data", text(&other)]);
    assert!(chinwag(&["export", "--data", text(&other)]).contains("news"));
    // A copy, and what is made of it, have no more than what is left.
    let copies = folder.path().join("copies");
    fs::create_dir(&copies).unwrap();
    chinwag(&["backup", text(&copies), "--data", text(&data)]);
    let copy = fs::read_dir(&copies).unwrap().next().unwrap().unwrap().path();
    assert!(!anywhere(&copies, "bygones"));
    let restored = folder.path().join("restored");
    chinwag(&["restore", text(&copy), "--data", text(&restored)]);
    assert_eq!(chinwag(&["export", "--data", text(&restored)]), first);
    let server = Process::serve(Path::new(BINARY), &restored, &[], &[("CHINWAG_CONFIG", &config)]);
    assert_eq!(history::all(server.address(), "reader", "#tea"), ["news"]);
    let mut ann = Caller::member(server.address(), "ann", "echo-message", "#tea");
    ann.send("PRIVMSG #tea :more");
    ann.until(|line| line.ends_with(":more"));
    assert_eq!(history::all(server.address(), "another", "#tea"), ["news", "more"]);
}

#[test]
fn an_account_is_erased_by_its_owner_and_while_no_server_runs() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Process::serve(Path::new(BINARY), &data, &[], &[]);
    let account = |nick: &str| {
        let mut caller = Caller::member(server.address(), nick, "echo-message standard-replies", "#tea");
        caller.send("REGISTER * * :open sesame street");
        caller.until(|line| line.contains(" REGISTER SUCCESS "));
        caller
    };
    let (mut ann, mut bob) = (account("ann"), account("bob"));
    ann.send("PRIVMSG #tea :anns-regret\r\nPRIVMSG bob :anns-whisper");
    ann.until(|line| line.ends_with(":anns-whisper"));
    bob.send("PRIVMSG #tea :bobs-regret");
    bob.until(|line| line.ends_with(":bobs-regret"));
    ann.send("ERASE ME");
    ann.until(|line| line.contains(" NOTE ERASE PREVIEW a:ann :2 messages in 2 rooms"));
    ann.send("ERASE CONFIRM");
    ann.until(|line| line.contains(" NOTE ERASE BEGUN a:ann "));
    let until = Instant::now() + PATIENCE;
    loop {
        ann.send("ERASE");
        let line = ann.until(|line| line.contains(" NOTE ERASE ERASURE a:ann "));
        if line.ends_with("2 messages were removed") {
            break;
        }
        assert!(Instant::now() < until, "{line}");
    }
    assert_eq!(history::all(server.address(), "reader", "#tea"), ["bobs-regret"]);
    stop(server);
    assert!(!anywhere(&data, "anns-regret") && !anywhere(&data, "anns-whisper"));
    let said = chinwag(&["export", "--data", text(&data), "--said-by", "bob"]);
    assert!(said.lines().count() == 1 && said.contains("bobs-regret"), "{said}");
    let said = chinwag(&["account", "erase", "bob", "--data", text(&data)]);
    assert!(said.starts_with("1 messages in 1 rooms") && anywhere(&data, "bobs-regret"), "{said}");
    let said = chinwag(&["account", "erase", "bob", "--yes", "--data", text(&data)]);
    assert_eq!(said, "1 messages of bob were removed\n");
    assert!(!anywhere(&data, "bobs-regret"));
    let server = Process::serve(Path::new(BINARY), &data, &[], &[]);
    assert!(history::all(server.address(), "reader", "#tea").is_empty());
    // What was done is on record, without a text.
    stop(server);
    assert!(anywhere(&data, "a:ann"));
}
