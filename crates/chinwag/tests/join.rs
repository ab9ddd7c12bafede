//! `chinwag join` as a person has it: the real program on a real pseudo-terminal, against the real server.

#![allow(clippy::unwrap_used)]

#[path = "join/person.rs"]
mod person;
#[path = "join/picture.rs"]
mod picture;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use chinwag_testkit::caller::Caller;
use chinwag_testkit::process::Process;
use person::Person;

const BINARY: &str = env!("CARGO_BIN_EXE_chinwag");

fn serve(data: &Path, arguments: &[&str]) -> Process {
    Process::serve(Path::new(BINARY), data, arguments, &[])
}

/// Somebody else in the lobby.
fn bob(server: &Process) -> Caller {
    let mut bob = Caller::irc(server.address(), "bob", "server-time");
    bob.send("JOIN #lobby");
    bob.until(|line| line.contains(" 366 "));
    bob
}

#[test]
fn the_first_minute_of_a_newcomer() {
    let data = tempfile::tempdir().unwrap();
    let server = serve(data.path(), &[]);
    let mut bob = bob(&server);
    bob.send("PRIVMSG #lobby :is the build green?");
    let mut ann = Person::join(data.path(), (80, 24), &[&server.address().to_string()]);
    ann.sees("What shall people on 127.0.0.1 call you?");
    ann.types("ann\r");
    ann.sees("bob  is the build green?");
    ann.types("hello *bob*\r");
    ann.sees("ann  hello bob");
    ann.until("it is kept", |screen| !screen.contains("···"));
    bob.until(|line| line.contains("PRIVMSG #lobby :hello *bob*"));
    bob.send("PRIVMSG #lobby :ann: welcome");
    ann.sees("bob  ann: welcome");
    ann.types("\x1bOP");
    ann.sees("What you can do");
    ann.types("q/quit\r");
    assert_eq!(ann.ends(), 0);
    assert!(ann.said().contains("\x1b[?1049l"), "the terminal is as it was");
    bob.until(|line| line.contains(" QUIT "));
    // The second time nobody asks.
    let ann = Person::join(data.path(), (80, 24), &[&server.address().to_string()]);
    ann.sees("ann: welcome");
    assert!(!ann.screen().contains("What shall people"));
}

#[test]
fn what_is_typed_while_the_server_is_away_arrives_when_it_is_back() {
    let data = tempfile::tempdir().unwrap();
    let server = serve(data.path(), &[]);
    let address = server.address().to_string();
    let ann = Person::join(data.path(), (80, 24), &[&address, "--nick", "ann"]);
    ann.sees("2 #lobby");
    ann.sees("1 here");
    ann.types("before\r");
    ann.until("it is kept", |screen| screen.contains("ann  before") && !screen.contains("···"));
    server.kill();
    ann.sees("trying again");
    ann.types("meanwhile\r");
    ann.sees("···");
    let server = serve(data.path(), &["--listen", &address]);
    ann.until("it is kept", |screen| screen.contains("meanwhile") && !screen.contains("···"));
    ann.sees("1 here");
    let mut bob = bob(&server);
    bob.send("PRIVMSG #lobby :after");
    ann.sees("bob  after");
    let screen = ann.screen();
    for text in ["before", "meanwhile", "after"] {
        assert_eq!(screen.matches(text).count(), 1, "{text} once:\n{screen}");
    }
}

#[test]
fn thirty_pasted_lines_ask_first_and_are_one_message() {
    let data = tempfile::tempdir().unwrap();
    let server = serve(data.path(), &[]);
    let mut bob = bob(&server);
    let ann = Person::join(data.path(), (80, 40), &[&server.address().to_string(), "--nick", "ann"]);
    ann.sees("2 here");
    let lines: Vec<String> = (1..=30).map(|number| format!("pasted line {number}")).collect();
    ann.types(&format!("\x1b[200~{}\x1b[201~", lines.join("\r\n")));
    ann.sees("Send 30 lines?");
    ann.types("\x1b");
    ann.sees("the paste is dropped");
    ann.types(&format!("\x1b[200~{}\x1b[201~", lines.join("\r\n")));
    ann.sees("Send 30 lines?");
    ann.types("\r");
    ann.until("all lines are there and kept", |screen| {
        screen.contains("pasted line 30") && screen.contains("pasted line 1\n") && !screen.contains("···")
    });
    bob.until(|line| line.contains("pasted line 30"));
}

#[test]
fn a_storm_of_sizes_leaves_a_whole_screen() {
    let data = tempfile::tempdir().unwrap();
    let server = serve(data.path(), &[]);
    let mut bob = bob(&server);
    for number in 0..60 {
        bob.send(&format!(
            "PRIVMSG #lobby :line {number} of a text that is long enough to be wrapped somewhere"
        ));
    }
    let ann = Person::join(data.path(), (80, 24), &[&server.address().to_string(), "--nick", "ann"]);
    ann.sees("line 59");
    for round in 0..60u16 {
        ann.resize(1 + round * 37 % 211, 1 + round * 23 % 71);
    }
    ann.resize(100, 20);
    ann.until("the whole screen", |screen| {
        let rows: Vec<&str> = screen.lines().collect();
        rows[0].contains("#lobby")
            && rows[0].contains("2 here")
            && rows[18].contains("F1 help")
            && rows[19].contains("› say something")
            && rows[17].contains("line 59") | rows[16].contains("line 59")
    });
}

#[test]
fn a_certificate_is_remembered_and_another_one_is_a_clear_stop() {
    let data = tempfile::tempdir().unwrap();
    let server = serve(data.path(), &[]);
    let address = server.address().to_string();
    let mut ann = Person::join(data.path(), (100, 24), &[&address, "--nick", "ann", "--tls"]);
    ann.sees("1 here");
    ann.types("/quit\r");
    assert_eq!(ann.ends(), 0);
    let file = data.path().join("state/chinwag/servers.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let at = text.find("certificate = \"").expect("it is remembered") + 15;
    let mut other = text.clone();
    other.replace_range(at..at + 4, "0000");
    std::fs::write(&file, other).unwrap();
    let ann = Person::join(data.path(), (100, 24), &[&address, "--nick", "ann", "--tls"]);
    ann.sees("shows another certificate than before");
    ann.sees("stopped");
    assert!(!ann.screen().contains("1 here"), "{}", ann.screen());
}

#[test]
fn without_a_terminal_or_a_server_a_sentence_says_what_to_do() {
    let data = tempfile::tempdir().unwrap();
    let output =
        Command::new(BINARY).args(["join", "127.0.0.1:1"]).env("HOME", data.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("join needs a terminal"));
    let output = Command::new(BINARY).args(["join", "not an address"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}

/// Ten thousand lines, or as many as `CHINWAG_LINES` says.
#[test]
fn scrolling_through_everything_takes_little_memory() {
    let lines: usize = std::env::var("CHINWAG_LINES").map_or(10_000, |lines| lines.parse().unwrap());
    let data = tempfile::tempdir().unwrap();
    let server = serve(data.path(), &[]);
    let mut bob = bob(&server);
    for hundred in 0..lines / 100 {
        let text: Vec<String> =
            (0..100).map(|number| format!("PRIVMSG #lobby :line {}", hundred * 100 + number)).collect();
        bob.send(&format!("{}\r\nPING :{hundred}", text.join("\r\n")));
        bob.until(|line| line.contains("PONG"));
    }
    let ann = Person::join(data.path(), (80, 50), &[&server.address().to_string(), "--nick", "ann"]);
    ann.sees(&format!("line {}", lines - 1));
    let until = Instant::now() + Duration::from_secs(240);
    while !ann.screen().contains("#lobby begins here") {
        assert!(Instant::now() < until, "the beginning is not reached:\n{}", ann.screen());
        let before = ann.screen();
        ann.types("\x1b<");
        // A page may still be on its way: then the top is what it was.
        ann.changes(&before, Duration::from_millis(50));
    }
    ann.sees("line 0");
    let most = ann.memory_kib("VmHWM");
    assert!(most < 100 * 1024, "{most} KiB");
    ann.types("\x1b>");
    ann.sees(&format!("line {}", lines - 1));
    eprintln!("{lines} lines, {most} KiB at most");
}

#[test]
fn search_goes_further_back_than_what_is_loaded() {
    let data = tempfile::tempdir().unwrap();
    let server = serve(data.path(), &[]);
    let mut bob = bob(&server);
    for hundred in 0..10 {
        let line = |number: u32| match number {
            3 | 400 => format!("PRIVMSG #lobby :line {number} has the Needle"),
            _ => format!("PRIVMSG #lobby :line {number} is hay"),
        };
        let text: Vec<String> = (0..100).map(|number| line(hundred * 100 + number)).collect();
        bob.send(&format!("{}\r\nPING :{hundred}", text.join("\r\n")));
        bob.until(|line| line.contains("PONG"));
    }
    let ann = Person::join(data.path(), (120, 24), &[&server.address().to_string(), "--nick", "ann"]);
    ann.sees("line 999 is hay");
    ann.types("/search needle\r");
    ann.sees("line 400 has the Needle");
    ann.types("\x1b[A");
    ann.sees("line 3 has the Needle");
    ann.types("\x1b[A");
    ann.sees("nothing further back");
    ann.types("\x1b[B");
    ann.sees("line 400 has the Needle");
    ann.types("\x1b[B");
    ann.sees("line 999 is hay");
    ann.types("\x1b");
    ann.sees("say something to #lobby");
    bob.send("PRIVMSG #lobby :a fresh pin");
    ann.sees("a fresh pin");
    ann.types("/search from:bob pin\r");
    ann.until("the hit", |screen| screen.contains("1 of 1"));
    // By number, what is not loaded.
    ann.types("\x1b");
    ann.sees("say something to #lobby");
    ann.types("/re 4 found it\r");
    bob.until(|line| line.contains("PRIVMSG #lobby :") && line.contains("found it"));
    ann.sees("found it");
    ann.types("/jump 4\r");
    ann.sees("line 3 has the Needle");
    // What is asked from there is answered where it can be seen.
    ann.types("/whois bob\r");
    ann.sees("bob is in #lobby");
}

#[test]
fn a_search_in_a_room_that_begins_with_somebodys_coming_is_no_error() {
    let data = tempfile::tempdir().unwrap();
    let server = serve(data.path(), &[]);
    let ann = Person::join(data.path(), (120, 24), &[&server.address().to_string(), "--nick", "ann"]);
    ann.sees("say something to #lobby");
    // The first line that has a msgid is his coming, which is no place in what is kept.
    let mut bob = bob(&server);
    ann.sees("bob");
    bob.send("PRIVMSG #lobby :where is the needle?");
    ann.sees("where is the needle?");
    ann.types("/search needle\r");
    ann.until("the hit", |screen| screen.contains("1 of 1"));
    ann.types("\x1b[A");
    ann.sees("nothing further back");
}

#[test]
fn one_more_server_comes_into_the_same_list() {
    let (data, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (server, other) = (serve(data.path(), &[]), serve(elsewhere.path(), &[]));
    let mut bob = bob(&other);
    let ann = Person::join(data.path(), (100, 24), &[&server.address().to_string(), "--nick", "ann"]);
    ann.sees("1 here");
    ann.types(&format!("/connect {}\r", other.address()));
    ann.sees("2 here");
    ann.types("hello over there\r");
    bob.until(|line| line.contains(":hello over there"));
    ann.types(&format!("/connect {}\r", other.address()));
    ann.sees("that server is here already");
}

#[test]
fn an_account_comes_in_by_its_password() {
    let data = tempfile::tempdir().unwrap();
    let server = serve(data.path(), &[]);
    let mut ann = Caller::irc(server.address(), "ann", "draft/account-registration standard-replies");
    ann.send("REGISTER * * :correct horse battery");
    ann.until(|line| line.contains("REGISTER SUCCESS"));
    drop(ann);
    let file = data.path().join("password.txt");
    std::fs::write(&file, "correct horse battery\n").unwrap();
    let address = server.address().to_string();
    let options = [&address, "--account", "ann", "--password-file", file.to_str().unwrap()];
    let joined = Person::join(data.path(), (80, 24), &options);
    joined.sees("1 here");
    joined.types("/whois ann\r");
    joined.sees("logged in as");
    // Without a file it is asked for, and not seen.
    let mut asked = Person::join(data.path(), (80, 24), &[&address, "--account", "ann"]);
    asked.sees("password of ann:");
    asked.types("correct horse battery\r");
    asked.sees("here");
    assert!(!asked.said().contains("horse"), "{}", asked.said());
    asked.types("/quit\r");
    assert_eq!(asked.ends(), 0);
}

#[test]
fn who_does_nothing_costs_nothing() {
    let data = tempfile::tempdir().unwrap();
    let server = serve(data.path(), &[]);
    let ann = Person::join(data.path(), (80, 24), &[&server.address().to_string(), "--nick", "ann"]);
    ann.sees("1 here");
    ann.types("hello\r");
    ann.until("it is kept", |screen| screen.contains("ann  hello") && !screen.contains("···"));
    // What follows an event is over when nothing has woken the program for a second; without an end it never is.
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        let before = ann.wakes();
        std::thread::sleep(Duration::from_millis(1000));
        if ann.wakes() == before {
            return;
        }
        assert!(Instant::now() < until, "something turns while nothing happens");
    }
}

/// Draws the pictures of the README: `.ci/pictures`
#[test]
#[ignore = "writes docs/join.svg"]
fn pictures() {
    let data = tempfile::tempdir().unwrap();
    let server = serve(data.path(), &[]);
    let address = server.address().to_string();
    let mut bob = bob(&server);
    bob.send("JOIN #rust,#build");
    bob.until(|line| line.contains(" 366 bob #build"));
    let mut carla = Caller::irc(server.address(), "carla", "message-tags");
    carla.send("JOIN #lobby,#rust");
    carla.until(|line| line.contains(" 366 carla #rust"));
    let rooms = ["--room", "#lobby", "--room", "#rust", "--room", "#build", "--theme", "dark"];
    let ann =
        Person::join(data.path(), (112, 26), &[&[address.as_str(), "--nick", "ann"], &rooms[..]].concat());
    ann.sees("3 here");
    ann.sees("4 #rust");
    let say = |who: &mut Caller, line: &str| {
        who.send(line);
        ann.sees(line.split_once(" :").unwrap().1.split(['`', '*', '\r']).next().unwrap().trim());
    };
    say(&mut bob, "PRIVMSG #lobby :is the build green again?");
    say(&mut carla, "PRIVMSG #lobby :since ten minutes ago: https://ci.example/chinwag/42");
    say(&mut carla, "PRIVMSG #lobby :it was `cargo fmt`, as **always**");
    ann.types("so `nc`, ssh and this see the same lines, in the same order?\r");
    ann.sees("see the same lines");
    ann.types("\x1b[200~yes, and none before it is on disk:\n```rust\nlet kept = log.append(&event)?;  // durable first\nshow(kept);\n```\x1b[201~\r");
    ann.sees("durable first");
    ann.types("/re 1 it is\r");
    ann.sees("↳ bob");
    ann.types("/react 3 😄\r");
    ann.sees("😄");
    bob.send("PRIVMSG #rust :ann: have a look at the parser?\r\nPRIVMSG #build :42 is green\r\nPRIVMSG #build :43 began");
    say(&mut bob, "PRIVMSG #lobby :ann: nice, merged");
    ann.until("badges", |screen| {
        let badge =
            |room: &str, badge: &str| screen.lines().any(|row| row.contains(room) && row.contains(badge));
        badge(" #build ", " 2 │") && badge(" #rust ", " 1 │")
    });
    ann.types("Tab completes, F1 shows the ");
    ann.sees("F1 shows the");
    if std::env::var_os("CHINWAG_WRITE").is_some() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/join.svg");
        std::fs::write(file, ann.picture()).unwrap();
    }
}
