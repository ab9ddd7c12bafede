//! The ssh door with the client that people have: OpenSSH's, against the real program.
//!
//! Nothing here sleeps for a time that is hoped to be enough: every wait is for something to show, with a deadline.

#![allow(clippy::unwrap_used)]

#[path = "clients/waiting.rs"]
mod waiting;

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use chinwag_testkit::caller::Caller;
use chinwag_testkit::process::Process;
use tempfile::TempDir;

use waiting::installed;

/// Programs that these tests drive. `.ci/run` installs them.
const PROGRAMS: [&str; 2] = ["ssh", "ssh-keygen"];

/// How long anything may take; machines that test are busy.
const DEADLINE: Duration = Duration::from_secs(60);

/// A server, and a folder with keys.
struct Place {
    folder: TempDir,
    server: Option<Process>,
    port: u16,
}

impl Place {
    fn start() -> Option<Place> {
        if !installed(&PROGRAMS) {
            return None;
        }
        let mut place = Place { folder: tempfile::tempdir().unwrap(), server: None, port: 0 };
        place.restart();
        Some(place)
    }

    /// Ends the server, if there is one, and starts another on the same data.
    fn restart(&mut self) {
        self.server = None;
        let binary = Path::new(env!("CARGO_BIN_EXE_chinwag"));
        let config = self.path("chinwag.toml");
        std::fs::write(&config, "[accounts]\nhash_cost = \"test\"\n").unwrap();
        let config = config.to_str().unwrap();
        let server = Process::serve(binary, &self.path("data"), &["--config", config], &[]);
        self.port = server.address().port();
        self.server = Some(server);
    }

    fn server(&self) -> &Process {
        self.server.as_ref().unwrap()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A key of this name, made at the first call.
    fn key(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        if !path.exists() {
            let made =
                Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&path).status();
            assert!(made.unwrap().success());
        }
        path
    }

    /// `ssh nick@host`, with a key, and without anybody to ask. The host key is taken once and has to stay.
    fn ssh(&self, key: &str, nick: &str) -> Command {
        let mut ssh = Command::new("ssh");
        let known = format!("UserKnownHostsFile={}", self.path("known_hosts").display());
        ssh.args(["-F", "/dev/null", "-o", &known, "-o", "StrictHostKeyChecking=accept-new"]);
        // Another port after a restart is still the same server.
        ssh.args(["-o", "HostKeyAlias=chinwag", "-o", "IdentitiesOnly=yes", "-i"]).arg(self.key(key));
        ssh.args(["-o", "LogLevel=ERROR", "-p", &self.port.to_string(), &format!("{nick}@127.0.0.1")]);
        ssh.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        ssh
    }

    fn run(&self, key: &str, nick: &str, words: &[&str]) -> Output {
        finish(self.ssh(key, nick).args(["-o", "BatchMode=yes"]).args(words))
    }

    /// The same with somebody who types this at every question for a password.
    fn run_typing(&self, password: &str, key: &str, nick: &str, words: &[&str]) -> Output {
        let script = self.path("askpass");
        std::fs::write(&script, format!("#!/bin/sh\necho '{password}'\n")).unwrap();
        std::fs::set_permissions(&script, PermissionsExt::from_mode(0o700)).unwrap();
        let mut ssh = self.ssh(key, nick);
        finish(
            ssh.env("SSH_ASKPASS", script)
                .env("SSH_ASKPASS_REQUIRE", "force")
                .env("DISPLAY", ":0")
                .args(words),
        )
    }
}

/// Runs a program to its end, within the deadline.
fn finish(command: &mut Command) -> Output {
    let mut child = command.spawn().unwrap();
    let until = Instant::now() + DEADLINE;
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > until {
            child.kill().unwrap();
            panic!("{command:?} did not end: {:?}", child.wait_with_output());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    child.wait_with_output().unwrap()
}

#[track_caller]
fn ended(output: &Output, code: i32, out: &str, err: &str) {
    let (shown, complained) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let fits = output.status.code() == Some(code) && shown.contains(out) && complained.contains(err);
    assert!(fits, "{:?}\n{shown}\n{complained}\nnot {code}, {out:?}, {err:?}", output.status);
}

/// A program whose lines are read as they come.
struct Following {
    child: Child,
    lines: Receiver<String>,
}

impl Following {
    fn start(command: &mut Command) -> Following {
        let mut child = command.stderr(Stdio::null()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Following { child, lines }
    }

    /// Waits for a line that has this in it.
    #[track_caller]
    fn sees(&self, what: &str) -> String {
        let until = Instant::now() + DEADLINE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) if line.contains(what) => return line,
                Ok(_) => {}
                Err(_) => panic!("{what:?} never came"),
            }
        }
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_first_key_keeps_the_nickname_also_over_a_restart() {
    let Some(mut place) = Place::start() else { return };
    let said = place.run("anns", "ann", &["say", "'#ops'", "hello", "there"]);
    ended(&said, 0, "", "The nickname ann is yours now: your ssh key (SHA256:");
    // Again, and nothing is claimed any more.
    let said = place.run("anns", "ann", &["say", "'#ops'", "again"]);
    ended(&said, 0, "", "");
    assert!(said.stderr.is_empty(), "{said:?}");
    // Another key is refused, and has a name of its own.
    ended(
        &place.run("bobs", "ann", &["say", "'#ops'", "no"]),
        255,
        "",
        "Permission denied (publickey,password)",
    );
    ended(&place.run("bobs", "bob", &["say", "'#ops'", "yes"]), 0, "", "bob is yours now");
    ended(&place.run("anns", "NickServ", &["say", "'#ops'", "no"]), 1, "", "cannot be a nickname");
    // The host key stays, or ssh would refuse to go on; so do account and history.
    let host_key = place.path("data/ssh_host_ed25519_key");
    assert_eq!(std::fs::metadata(&host_key).unwrap().permissions().mode() & 0o777, 0o600);
    place.restart();
    let tail = Following::start(place.ssh("anns", "ann").args(["tail", "'#ops'", "-n", "2"]));
    assert!(tail.sees(" ann: again").starts_with("[20"));
    tail.sees(" bob: yes");
    ended(&place.run("bobs", "ann", &["say", "'#ops'", "no"]), 255, "", "Permission denied");
}

/// The same by the command line: what it prints.
fn command(place: &Place, words: &[&str]) -> (String, i32) {
    let address = place.server().address().to_string();
    let mut command = Command::new(env!("CARGO_BIN_EXE_chinwag"));
    command.args(words).args(["--address", &address, "--nick", "pipe"]).env("HOME", place.path("home"));
    command.env("XDG_STATE_HOME", place.path("state"));
    let output = command.output().unwrap();
    (String::from_utf8(output.stdout).unwrap(), output.status.code().unwrap_or(-1))
}

#[test]
fn say_and_tail_are_commands_with_exit_codes() {
    let Some(place) = Place::start() else { return };
    ended(&place.run("anns", "ann", &["say", "'#ops'", "first"]), 0, "", "");
    let tail = Following::start(place.ssh("bobs", "bob").args(["tail", "'#ops'", "--json"]));
    let first = tail.sees("\"text\":\"first\"");
    // The very line that the command line prints.
    let same = command(&place, &["tail", "#ops", "--once", "--json"]);
    assert_eq!(same.0.trim_end(), first.trim_end());
    assert!(
        first.starts_with("{\"room\":\"#ops\",\"msgid\":\"") && first.contains(",\"number\":1,"),
        "{first}"
    );
    assert!(
        first.contains("\"nick\":\"ann\",\"account\":\"ann\",\"bot\":false,\"kind\":\"message\""),
        "{first}"
    );
    let found = place.run("bobs", "bob", &["search", "first", "--room", "'#ops'", "--json", "--from", "ann"]);
    assert_eq!(String::from_utf8_lossy(&found.stdout).trim_end(), first.trim_end());
    ended(&place.run("bobs", "bob", &["search", "last", "--room", "'#ops'"]), 1, "", "nothing was found");
    ended(&place.run("bobs", "bob", &["tail", "'#ops'", "--once", "--since", "1h"]), 0, "ann: first", "");
    // Standard input, a message a line.
    let mut say = place.ssh("anns", "ann").args(["say", "'#ops'"]).stdin(Stdio::piped()).spawn().unwrap();
    let input: String = (0..100).map(|number| format!("line {number}\n")).collect();
    say.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    ended(&say.wait_with_output().unwrap(), 0, "", "");
    for number in 0..100 {
        tail.sees(&format!("\"text\":\"line {number}\""));
    }
    // An IRC client says something meanwhile.
    let mut cat = Caller::irc(place.server().address(), "cat", "");
    cat.send("JOIN #ops\r\nPRIVMSG #ops :\u{1}ACTION waves\u{1}");
    assert!(tail.sees("\"text\":\"waves\"").contains("\"kind\":\"action\""));
    let mut say =
        place.ssh("anns", "ann").args(["say", "--as-one", "'#ops'"]).stdin(Stdio::piped()).spawn().unwrap();
    say.stdin.take().unwrap().write_all(b"two\nlines\n").unwrap();
    ended(&say.wait_with_output().unwrap(), 0, "", "");
    tail.sees("\"text\":\"two\"");
    tail.sees("\"text\":\"lines\"");
    // What cannot be done, and what makes no sense.
    cat.send("MODE #ops +m\r\nPING moderated");
    cat.until(|line| line.contains("moderated"));
    for (words, code, complaint) in [
        (&["bash"][..], 2, "there is no command \"bash\""),
        (&["say"], 2, "<ROOM>"),
        (&["tail", "'#ops'", "--follow"], 2, "'--follow'"),
        (&["tail", "'#ops'", "--since", "'two hours'"], 2, "--since"),
        (&["say", "nobody-here", "hi"], 1, "chinwag: "),
        (&["tail", "'#no,room'"], 1, "chinwag: "),
    ] {
        ended(&place.run("anns", "ann", words), code, "", complaint);
    }
    ended(&place.run("anns", "ann", &["help"]), 0, "tail", "");
}

#[test]
fn passwords_and_codes_let_in_who_has_another_key() {
    let Some(place) = Place::start() else { return };
    ended(&place.run("anns", "ann", &["say", "'#ops'", "mine"]), 0, "", "ann is yours now");
    // An account without a password: nothing but a code helps, and that is said.
    let typed = place.run_typing("sesame", "new", "ann", &["say", "'#ops'", "no"]);
    ended(&typed, 1, "", "type LINK where you are logged in");
    // A plain session by ssh is a session of the account: it makes a code, and sets a password.
    let mut lines = place.ssh("anns", "ann").arg("-T").stdin(Stdio::piped()).spawn().unwrap();
    let mut input = lines.stdin.take().unwrap();
    input.write_all(b"/link\n").unwrap();
    let mut shown = BufReader::new(lines.stdout.take().unwrap()).lines();
    let code = shown.find_map(|line| line.unwrap().split("/link ").nth(1).map(str::to_owned));
    let code = code.and_then(|rest| rest.split(' ').next().map(str::to_owned)).expect("a code is shown");
    input.write_all(b"/msg NickServ PASSWD sesame\n").unwrap();
    let changed = shown.find(|line| line.as_ref().unwrap().contains("is changed"));
    assert!(changed.is_some(), "the password is not changed");
    drop(input);
    assert!(lines.wait().unwrap().success());
    // The wrong one, three times.
    let typed = place.run_typing("wrong", "new", "ann", &["say", "'#ops'", "no"]);
    ended(&typed, 1, "", "come in with its password");
    ended(&place.run_typing("sesame", "new", "ann", &["say", "'#ops'", "by password"]), 0, "", "");
    // That proved nothing about the key; the code does, once.
    ended(&place.run("new", "ann", &["say", "'#ops'", "no"]), 255, "", "Permission denied");
    ended(&place.run_typing(&code, "new", "ann", &["say", "'#ops'", "by code"]), 0, "", "");
    ended(&place.run("new", "ann", &["say", "'#ops'", "by key"]), 0, "", "");
    ended(&place.run_typing(&code, "third", "ann", &["say", "'#ops'", "no"]), 1, "", "somebody's account");
}

/// A screen of tmux in which somebody sits at an ssh client.
struct Screen {
    socket: String,
    /// Where the shell writes how ssh ended: tmux does not always learn it.
    ended: PathBuf,
}

impl Screen {
    fn start(ssh: &Command, name: &str) -> Screen {
        let socket = format!("chinwag-{name}-{}", std::process::id());
        let screen = Screen { ended: std::env::temp_dir().join(format!("{socket}.ended")), socket };
        let mut words = vec!["ssh".to_owned(), "-tt".to_owned()];
        words.extend(ssh.get_args().map(|word| format!("'{}'", word.to_str().unwrap())));
        let stay = [";", "set", "-g", "remain-on-exit", "on"];
        let command = format!("{}; echo $? > '{}'", words.join(" "), screen.ended.display());
        let session = ["new-session", "-d", "-x", "120", "-y", "30", &command];
        screen.tmux(&[&session[..], &stay[..]].concat());
        screen
    }

    fn tmux(&self, words: &[&str]) -> String {
        let mut tmux = Command::new("tmux");
        tmux.args(["-L", &self.socket, "-f", "/dev/null"]).args(words).env("TERM", "xterm-256color");
        let output = tmux.output().unwrap();
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn shows(&self) -> String {
        self.tmux(&["capture-pane", "-p"])
    }

    #[track_caller]
    fn sees(&self, what: &str) {
        waiting::wait_for(what, || self.shows().contains(what).then_some(()), || self.shows());
    }

    fn types(&self, keys: &str) {
        self.tmux(&["send-keys", "-l", keys]);
        self.tmux(&["send-keys", "Enter"]);
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // The server of tmux may have ended already.
        let _ = Command::new("tmux").args(["-L", &self.socket, "kill-server"]).output();
        let _ = std::fs::remove_file(&self.ended);
    }
}

#[test]
fn a_terminal_gets_the_client_and_its_size_may_change() {
    let Some(place) = Place::start().filter(|_| installed(&["tmux"])) else { return };
    let mut cat = Caller::irc(place.server().address(), "cat", "").joined("#lobby");
    let screen = Screen::start(&place.ssh("anns", "ann"), "size");
    screen.sees("ann is yours now");
    screen.types("hello from a terminal");
    cat.until(|line| line.starts_with(":ann!") && line.ends_with("PRIVMSG #lobby :hello from a terminal"));
    let words = "alpha beta gamma delta epsilon zeta eta theta iota kappa";
    cat.send(&format!("PRIVMSG #lobby :{words}"));
    screen.sees(words);
    // On a narrower screen the line is written in several rows.
    screen.tmux(&["resize-window", "-x", "50", "-y", "16"]);
    let wrapped = || {
        let shown = screen.shows();
        (!shown.contains(words) && shown.contains("alpha beta") && shown.contains("kappa")).then_some(())
    };
    waiting::wait_for("the narrow screen", wrapped, || screen.shows());
    // A storm of sizes, and keys between them.
    for width in (40..110).step_by(5) {
        screen.tmux(&["resize-window", "-x", &width.to_string(), "-y", "20"]);
        screen.tmux(&["send-keys", "-l", "x"]);
    }
    screen.tmux(&["send-keys", "Enter"]);
    cat.until(|line| line.ends_with("PRIVMSG #lobby :xxxxxxxxxxxxxx"));
    screen.types("/quit");
    let ended = || std::fs::read_to_string(&screen.ended).is_ok_and(|code| code.trim() == "0").then_some(());
    waiting::wait_for("the end", ended, || screen.shows());
    // Whoever hangs up is gone, and the name is still theirs.
    let again = Screen::start(&place.ssh("anns", "ann"), "again");
    again.sees(words);
    cat.send("WHOIS ann");
    cat.until(|line| line.contains(" 330 ") && line.contains(" ann ann "));
    drop(again);
    cat.until(|line| line.starts_with(":ann!") && line.contains(" QUIT "));
}

#[test]
fn nothing_is_forwarded_and_nothing_else_runs() {
    let Some(place) = Place::start() else { return };
    let inside = place.server().address().to_string();
    // The other way round: OpenSSH asks at once, and is to end when it is refused.
    let back = format!("0:{inside}");
    let refused = finish(place.ssh("anns", "ann").args([
        "-o",
        "BatchMode=yes",
        "-o",
        "ExitOnForwardFailure=yes",
        "-N",
        "-R",
        &back,
    ]));
    ended(&refused, 255, "", "forwarding failed");
    let refused = finish(place.ssh("anns", "ann").args(["-o", "BatchMode=yes", "-W", &inside]));
    ended(&refused, 255, "", "forwarding failed");
    let refused = finish(place.ssh("anns", "ann").args(["-o", "BatchMode=yes", "-s", "sftp"]));
    ended(&refused, 255, "", "subsystem request failed");
}

/// Threads and resident memory (in KiB) of a process.
fn size(process: &Process) -> (usize, usize) {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap();
    let figure = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    };
    (figure("Threads:"), figure("VmRSS:"))
}

#[test]
fn two_hundred_are_in_at_once_and_one_that_does_not_read_harms_nobody() {
    let Some(place) = Place::start() else { return };
    ended(&place.run("anns", "ann", &["say", "'#ops'", "welcome"]), 0, "", "");
    let (threads, before) = size(place.server());
    let tails: Vec<Following> = (0..200)
        .map(|number| {
            Following::start(place.ssh("anns", &format!("n{number}")).args(["tail", "'#ops'", "-n", "1"]))
        })
        .collect();
    for tail in &tails {
        tail.sees("ann: welcome");
    }
    // One of them stops reading.
    let stop = |signal: &str| {
        let id = tails[0].child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    };
    stop("-STOP");
    let mut say = place.ssh("anns", "ann").args(["say", "'#ops'"]).stdin(Stdio::piped()).spawn().unwrap();
    let input: String = (0..200).map(|number| format!("{number} {}\n", "x".repeat(300))).collect();
    say.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    ended(&say.wait_with_output().unwrap(), 0, "", "");
    for tail in &tails[1..] {
        tail.sees("ann: 199 x");
    }
    stop("-CONT");
    tails[0].sees("ann: 199 x");
    let (more_threads, after) = size(place.server());
    assert!(more_threads <= threads + 1, "{threads} threads, then {more_threads}");
    assert!(after < before + 200 * 1024, "{before} KiB, then {after}");
}

#[test]
fn putty_comes_in_too() {
    let Some(place) = Place::start().filter(|_| installed(&["plink", "puttygen"])) else { return };
    let rsa = place.path("rsa");
    let mut make = Command::new("ssh-keygen");
    assert!(
        make.args(["-q", "-t", "rsa", "-b", "2048", "-N", "", "-f"]).arg(&rsa).status().unwrap().success()
    );
    let host_key =
        Command::new("ssh-keygen").arg("-lf").arg(place.path("data/ssh_host_ed25519_key")).output();
    let host_key = String::from_utf8(host_key.unwrap().stdout).unwrap();
    let host_key = host_key.split(' ').nth(1).unwrap();
    for (nick, key) in [("pann", place.key("putty")), ("prob", rsa)] {
        let theirs = key.with_extension("ppk");
        let mut made = Command::new("puttygen");
        made.arg(&key).args(["-O", "private", "-o"]).arg(&theirs);
        assert!(made.status().unwrap().success());
        let mut plink = Command::new("plink");
        plink.args(["-batch", "-P", &place.port.to_string(), "-hostkey", host_key, "-i"]).arg(theirs);
        plink.args(["-l", nick, "127.0.0.1", "say", "#ops", "hello"]);
        plink.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        ended(&finish(&mut plink), 0, "", "is yours now");
    }
}
