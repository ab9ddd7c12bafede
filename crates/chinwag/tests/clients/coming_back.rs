//! Somebody comes, talks, goes while others go on, and comes back: what was missed is shown, once and in order.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use chinwag_testkit::caller::Caller;
use chinwag_testkit::process::Process;

use super::members::{Ii, Irssi, Login, Member, Pydle, ROOM, Weechat};
use super::waiting::installed;
use super::{BINARY, serve};

const PASSWORD: &str = "correct-horse";

/// An account, made while no server runs.
fn make_account(data: &Path, name: &str) {
    let mut command = Command::new(BINARY);
    command.args(["account", "add", name, "--data"]).arg(data).stdin(Stdio::piped()).stdout(Stdio::null());
    let mut child = command.spawn().expect("the binary can be started");
    let mut stdin = child.stdin.take().expect("its input is piped");
    writeln!(stdin, "{PASSWORD}").expect("it reads the password");
    drop(stdin);
    assert!(child.wait().expect("it is our child").success(), "there is no account {name}");
}

/// Two others in the room, at their sockets.
struct Others {
    pal: Caller,
    kim: Caller,
}

impl Others {
    fn enter(server: &Process) -> Others {
        let enter = |nick| Caller::member(server.address(), nick, "", ROOM);
        Others { pal: enter("pal"), kim: enter("kim") }
    }

    /// Says something, which the server has taken when this returns.
    fn say(&mut self, nick: &str, to: &str, text: &str) {
        let caller = if nick == "pal" { &mut self.pal } else { &mut self.kim };
        caller.send(&format!("PRIVMSG {to} :{text}\r\nPING {nick}"));
        caller.until(|line| line.contains(" PONG "));
    }

    fn hears(&mut self, nick: &str, rest: &str) {
        let start = format!(":{nick}!");
        self.pal.until(|line| line.starts_with(&start) && line.ends_with(rest));
    }
}

/// Somebody at a client, with an account or as a guest.
fn comes_back(nick: &'static str, has_account: bool, client: impl FnOnce(Login) -> Box<dyn Member>) {
    let folder = tempfile::tempdir().expect("a folder for the data");
    let home = folder.path().join("client");
    fs::create_dir(&home).expect("a home for the client");
    if has_account {
        make_account(&folder.path().join("data"), nick);
    }
    let server = serve(folder.path());
    let mut others = Others::enter(&server);
    let password = has_account.then_some(PASSWORD);
    let mut member = client(Login { nick, password, address: server.address(), home });

    member.come();
    others.hears(nick, &format!(" JOIN {ROOM}"));
    talk(nick, &mut *member, &mut others);
    if has_account {
        others.pal.send(&format!("WHOIS {nick}"));
        others.pal.until(|line| line.ends_with(&format!(" 330 pal {nick} {nick} :is logged in as")));
        member.say("NickServ", "SET always-on on");
        member.sees("NickServ", "", &format!("The account {nick} is changed."));
    }
    member.leave();
    if !has_account {
        others.pal.until(|line| line.starts_with(&format!(":{nick}!")) && line.contains(" QUIT "));
    }
    others.say("pal", ROOM, "missed: one");
    others.say("kim", ROOM, "missed: two");
    others.say("pal", ROOM, "missed: three");
    if has_account {
        others.say("pal", nick, "missed: alone one");
        others.say("pal", nick, "missed: alone two");
    }

    member.come();
    member.sees(ROOM, "pal", "missed: three");
    others.say("pal", ROOM, "welcome back");
    member.sees(ROOM, "pal", "welcome back");
    let in_room =
        ["good morning", "hello all", "missed: one", "missed: two", "missed: three", "welcome back"];
    has_once_and_in_order(&member.shown_now(ROOM), &in_room);
    if has_account {
        member.sees("pal", "pal", "missed: alone two");
        let alone = ["a word in private", "gladly", "missed: alone one", "missed: alone two"];
        has_once_and_in_order(&member.shown_now("pal"), &alone);
    }
    member.leave();
}

/// A line from each side, in the room and between two.
fn talk(nick: &str, member: &mut dyn Member, others: &mut Others) {
    others.say("pal", ROOM, "good morning");
    member.sees(ROOM, "pal", "good morning");
    member.say(ROOM, "hello all");
    others.hears(nick, &format!(" PRIVMSG {ROOM} :hello all"));
    member.sees(ROOM, nick, "hello all");
    others.say("pal", nick, "a word in private");
    member.sees("pal", "pal", "a word in private");
    member.say("pal", "gladly");
    others.hears(nick, " PRIVMSG pal :gladly");
    member.sees("pal", nick, "gladly");
}

fn has_once_and_in_order(shown: &str, texts: &[&str]) {
    let places: Vec<_> = texts.iter().map(|text| shown.find(text)).collect();
    assert!(places.is_sorted() && places.iter().all(Option::is_some), "{texts:?} in order, but:\n{shown}");
    let once = texts.iter().all(|text| shown.matches(text).count() == 1);
    assert!(once, "each of {texts:?} once, but:\n{shown}");
    if std::env::var_os("CHINWAG_SHOW").is_some() {
        println!("{shown}");
    }
}

#[test]
fn at_irssi_what_was_missed_is_shown_on_coming_back() {
    if installed(&["irssi", "tmux"]) {
        for has_account in [false, true] {
            comes_back("iris", has_account, |login| Box::new(Irssi::new(login)));
        }
    }
}

#[test]
fn at_weechat_what_was_missed_is_shown_on_coming_back() {
    if installed(&["weechat-headless"]) {
        for has_account in [false, true] {
            comes_back("wanda", has_account, |login| Box::new(Weechat::new(login)));
        }
    }
}

#[test]
fn at_ii_what_was_missed_is_shown_on_coming_back() {
    if installed(&["ii"]) {
        for has_account in [false, true] {
            comes_back("ida", has_account, |login| Box::new(Ii::new(login)));
        }
    }
}

#[test]
fn at_a_program_with_pydle_what_was_missed_is_shown_on_coming_back() {
    let python = Pydle::python();
    if installed(&[&python.to_string_lossy()]) {
        for has_account in [false, true] {
            comes_back("pyp", has_account, |login| Box::new(Pydle::new(login)));
        }
    }
}
