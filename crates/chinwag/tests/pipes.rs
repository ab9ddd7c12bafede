//! The chat as one end of a pipe: `chinwag say`, `tail`, `search` and `export` against the real server.

#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use chinwag_testkit::history;
use chinwag_testkit::process::Process;
use serde_json::Value;
use tempfile::TempDir;

const BINARY: &str = env!("CARGO_BIN_EXE_chinwag");

/// A server that paces nobody, in a folder that goes with it.
struct Server {
    folder: TempDir,
    process: Process,
}

impl Server {
    fn start() -> Server {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("chat.toml"), "[throttle]\ncommands = false\n").unwrap();
        let process = serve(folder.path(), None);
        Server { folder, process }
    }

    fn address(&self) -> SocketAddr {
        self.process.address()
    }

    /// A command of the binary, for this server.
    fn command(&self, arguments: &[&str]) -> Command {
        command(self.folder.path(), self.address(), arguments)
    }

    /// Runs it to its end: the code, what it printed, what it complained.
    fn run(&self, arguments: &[&str], input: &str) -> (i32, String, String) {
        end(self.command(arguments), input)
    }
}

fn serve(folder: &Path, port: Option<u16>) -> Process {
    let (config, listen) = (folder.join("chat.toml"), port.map(|port| format!("127.0.0.1:{port}")));
    let mut arguments = vec!["--config", config.to_str().unwrap()];
    if let Some(listen) = &listen {
        arguments.extend(["--listen", listen]);
    }
    Process::serve(Path::new(BINARY), &folder.join("data"), &arguments, &[])
}

fn command(home: &Path, address: SocketAddr, arguments: &[&str]) -> Command {
    let mut command = Command::new(BINARY);
    let (verb, rest) = arguments.split_first().unwrap();
    command.arg(verb).args(["--address", &address.to_string(), "--nick", "pipe"]).args(rest);
    command.env("HOME", home).env("XDG_STATE_HOME", home.join("state")).env("TZ", "UTC");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn end(mut command: Command, input: &str) -> (i32, String, String) {
    let mut child = command.spawn().unwrap();
    // It may have ended without reading.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    finish(child)
}

fn finish(child: Child) -> (i32, String, String) {
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap_or(-1), text(stdout), text(stderr))
}

/// What is kept of the room `#build`.
fn kept(address: SocketAddr) -> Vec<String> {
    static READERS: AtomicUsize = AtomicUsize::new(0);
    let nick = format!("reader{}", READERS.fetch_add(1, Ordering::Relaxed));
    history::all(address, &nick, "#build")
}

/// Waits until something is so.
fn until(what: &str, so: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !so() {
        assert!(Instant::now() < deadline, "{what} does not come about");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn what_is_said_is_kept_when_the_command_ends() {
    let server = Server::start();
    assert_eq!(server.run(&["say", "#build", "it", "works"], ""), (0, String::new(), String::new()));
    let lines: String = (0..300).map(|nth| format!("line {nth}\n\n")).collect();
    assert_eq!(server.run(&["say", "#build"], &lines).0, 0);
    assert_eq!(server.run(&["say", "#build", "--as-one"], "one\n\n\u{1b}[31mtwo\u{1b}[0m\n").0, 0);
    assert_eq!(server.run(&["say", "#build", "--action"], "waves").0, 0);
    let long = format!("{} end", "many words ".repeat(200));
    assert_eq!(server.run(&["say", "#build"], &long).0, 0);
    let (code, text, _) = server.run(&["export", "#build"], "");
    let said =
        |text: &str| -> Vec<Value> { text.lines().map(|line| serde_json::from_str(line).unwrap()).collect() };
    let kept: Vec<String> =
        said(&text).iter().map(|line| line["text"].as_str().unwrap().to_owned()).collect();
    assert_eq!((code, kept.len(), kept[0].as_str()), (0, 304, "it works"));
    assert_eq!(kept[1..301], (0..300).map(|nth| format!("line {nth}")).collect::<Vec<_>>());
    assert_eq!(kept[301..], ["one\n\ntwo", "waves", &long]);
    let (code, text, _) = server.run(&["tail", "#build", "--once", "--json", "-n", "3"], "");
    let said = said(&text);
    assert_eq!((code, said.len()), (0, 3), "{text}");
    assert_eq!((&said[0]["text"], &said[0]["kind"]), (&Value::from("one\n\ntwo"), &Value::from("message")));
    assert_eq!(said[2]["text"], Value::from(long.as_str()));
}

#[test]
fn what_cannot_be_said_ends_with_a_sentence() {
    let server = Server::start();
    let check = |arguments: &[&str], code: i32, sentence: &str| {
        let (found, _, said) = server.run(arguments, "x\n");
        assert!(found == code && said.contains(sentence), "{arguments:?}: {found} {said:?}");
    };
    check(&["say"], 2, "Usage");
    check(&["say", "nobody-here", "hello"], 1, "was not kept: ");
    check(&["say", "#a*b", "hello"], 1, "cannot be entered");
    check(&["say", "#a", "--account", "ann", "hello"], 2, "CHINWAG_PASSWORD");
    check(&["tail", "#a", "--since", "two hours"], 2, "--since");
    let home = tempfile::tempdir().unwrap();
    let nobody = SocketAddr::from(([127, 0, 0, 1], 9));
    let (code, _, said) = end(command(home.path(), nobody, &["say", "#a", "x"]), "");
    assert!(code == 1 && said.contains("no server answers") && said.contains("chinwag serve"), "{said}");
    let mut wrong = server.command(&["say", "#a", "--account", "ann", "x"]);
    let (code, _, said) =
        end(std::mem::replace(wrong.env("CHINWAG_PASSWORD", "sesame"), Command::new("true")), "");
    assert!(code == 1 && said.contains("password of ann"), "{said}");
}

#[test]
fn a_server_that_is_killed_in_the_middle_is_no_success() {
    let server = Server::start();
    let mut child = server.command(&["say", "#build", "--patience", "1"]).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    for nth in 0..50 {
        writeln!(input, "line {nth}").unwrap();
    }
    until("the first lines", || kept(server.address()).len() >= 50);
    let Server { folder, process } = server;
    process.kill();
    // It may have noticed already, and ended.
    let _ = writeln!(input, "one more");
    drop(input);
    let (code, _, said) = finish(child);
    assert!(code == 1 && said.contains("is lost"), "{code} {said}");
    let process = serve(folder.path(), None);
    let kept = kept(process.address());
    assert_eq!(kept, (0..50).map(|nth| format!("line {nth}")).collect::<Vec<_>>());
}

#[test]
fn a_server_that_comes_back_is_told_everything_once() {
    let server = Server::start();
    let port = server.address().port();
    let mut child = server.command(&["say", "#build"]).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    for nth in 0..40 {
        writeln!(input, "line {nth}").unwrap();
    }
    until("the first lines", || !kept(server.address()).is_empty());
    let Server { folder, process } = server;
    process.kill();
    for nth in 40..80 {
        writeln!(input, "line {nth}").unwrap();
    }
    let process = serve(folder.path(), Some(port));
    drop(input);
    let (code, _, said) = finish(child);
    assert_eq!((code, said.as_str()), (0, ""));
    let kept = kept(process.address());
    assert_eq!(kept, (0..80).map(|nth| format!("line {nth}")).collect::<Vec<_>>());
}

#[test]
fn tail_follows_and_ends_when_nobody_reads() {
    let server = Server::start();
    for text in ["one", "two", "three"] {
        assert_eq!(server.run(&["say", "#build", text], "").0, 0);
    }
    let (code, text, _) = server.run(&["tail", "#build", "--once", "-n", "2"], "");
    let ends: Vec<&str> =
        text.lines().filter_map(|line| line.split_once("] ")).map(|(_, said)| said).collect();
    assert_eq!((code, ends), (0, vec!["pipe: two", "pipe: three"]));
    let (_, text, _) = server.run(&["tail", "#build", "--once", "--json"], "");
    let said: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let msgid = said[0]["msgid"].as_str().unwrap();
    let fields: Vec<&str> = said[0].as_object().unwrap().keys().map(String::as_str).collect();
    let mut expected =
        ["room", "msgid", "number", "time", "nick", "account", "bot", "kind", "text", "reply_to", "edited"];
    expected.sort_unstable();
    assert_eq!(fields, expected);
    assert_eq!((&said[1]["number"], &said[1]["account"]), (&Value::from(2), &Value::Null));
    let (_, text, _) = server.run(&["tail", "#build", "--once", "--json", "--since", msgid], "");
    assert_eq!(text.lines().count(), 2, "{text}");
    let (_, text, _) = server.run(&["tail", "#build", "--once", "--since", "2h"], "");
    assert_eq!(text.lines().count(), 3, "{text}");
    // It goes on as long as somebody reads, and ends quietly then.
    let mut child = server.command(&["tail", "#build", "#other", "-n", "0"]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let heard = AtomicBool::new(false);
    let line = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !heard.load(Ordering::Relaxed) {
                assert_eq!(server.run(&["say", "#other", "hello"], "").0, 0);
            }
        });
        let line = lines.next().unwrap().unwrap();
        heard.store(true, Ordering::Relaxed);
        line
    });
    assert!(line.contains("] [#other] pipe") && line.ends_with(": hello"), "{line}");
    drop(lines);
    let started = Instant::now();
    let (code, _, said) = finish(child);
    assert_eq!((code, said.as_str()), (0, ""));
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[test]
fn export_writes_the_whole_history() {
    let server = Server::start();
    let lines: String = (0..450).map(|nth| format!("line <{nth}>\n")).collect();
    assert_eq!(server.run(&["say", "#build"], &lines).0, 0);
    let (code, text, said) = server.run(&["export", "#build"], "");
    let read: Vec<String> = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["text"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!((code, said.as_str()), (0, ""));
    assert_eq!(read, (0..450).map(|nth| format!("line <{nth}>")).collect::<Vec<_>>());
    let file = server.folder.path().join("build.html");
    let arguments = ["export", "#build", "--format", "html", "-o", file.to_str().unwrap()];
    assert_eq!(server.run(&arguments, "").0, 0);
    let page = std::fs::read_to_string(&file).unwrap();
    assert!(page.starts_with("<!doctype html>") && page.trim_end().ends_with("</html>"));
    assert_eq!(page.matches("<p id=").count(), 450);
    assert!(page.contains("line &lt;449&gt;") && !page.contains("<449>"));
    let (_, text, _) = server.run(&["export", "#build", "--format", "text"], "");
    assert_eq!(text.lines().count(), 450);
    // Over TLS, with a certificate that is remembered at the first time.
    let (code, text, said) = server.run(&["export", "#build", "--tls"], "");
    assert_eq!((code, text.lines().count()), (0, 450), "{said}");
    assert!(said.contains("remembered by its certificate"), "{said}");
    assert_eq!(server.run(&["export", "#build", "--tls"], "").2, "");
}

#[test]
fn what_was_said_is_found_at_once() {
    let server = Server::start();
    for text in ["green tea is ready", "black coffee", "tea, again"] {
        assert_eq!(server.run(&["say", "#build", text], "").0, 0);
    }
    let found = |arguments: &[&str]| {
        let (code, text, said) = server.run(arguments, "");
        let texts: Vec<String> = text
            .lines()
            .map(|line| line.split_once("] [#build] pipe: ").unwrap_or_else(|| panic!("{line}")).1.to_owned())
            .collect();
        (code, texts, said)
    };
    // A moment after it was said.
    let both = vec!["green tea is ready".to_owned(), "tea, again".to_owned()];
    assert_eq!(found(&["search", "tea", "--room", "#build"]), (0, both.clone(), String::new()));
    assert_eq!(found(&["search", "tea", "in:#build"]).1, both);
    assert_eq!(found(&["search", "tea", "--room", "#build", "-n", "1"]).1, both[1..]);
    assert_eq!(found(&["search", "ready", "green", "--room", "#build", "--since", "1h"]).1, both[..1]);
    assert_eq!(
        found(&["search", "\"green tea\"", "rea*", "--room", "#build", "--from", "pipe"]).1,
        both[..1]
    );
    assert_eq!(found(&["search", "tea", "--room", "#build", "--from", "ann"]).0, 1);
    let (code, text, _) = server.run(&["search", "tea", "--room", "#build", "--json"], "");
    let said: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (_, tailed, _) = server.run(&["tail", "#build", "--once", "--json"], "");
    let tailed: Vec<Value> = tailed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((code, &said[0], &said[1]), (0, &tailed[0], &tailed[2]));
    // Nothing there: as grep has it. And what makes no sense.
    let nothing = (1, vec![], "chinwag: nothing was found\n".to_owned());
    assert_eq!(found(&["search", "water", "--room", "#build"]), nothing);
    assert_eq!(server.run(&["search"], "").0, 2);
    assert_eq!(server.run(&["search", "x", "--since", "two hours"], "").0, 2);
    let (code, _, said) = server.run(&["search", "x", "--room", "#a*b"], "");
    assert!(code == 1 && said.contains("cannot be entered"), "{said}");
    // More than one answer holds.
    let lines: String = (0..130).map(|nth| format!("cup {nth}\n")).collect();
    assert_eq!(server.run(&["say", "#build"], &lines).0, 0);
    let cups = found(&["search", "cup", "--room", "#build", "-n", "1000"]).1;
    assert_eq!(cups, (0..130).map(|nth| format!("cup {nth}")).collect::<Vec<_>>());
    // Without a room: where one was the last time, or the lobby.
    assert_eq!(server.run(&["say", "#lobby", "lobby tea"], "").0, 0);
    let (code, text, _) = server.run(&["search", "tea"], "");
    assert!(code == 0 && text.lines().count() == 1 && text.contains("[#lobby] pipe: lobby tea"), "{text}");
}
