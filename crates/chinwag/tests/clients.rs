//! People with the clients they have: irssi, WeeChat, `nc`, `telnet` and a small socket script in one room of the
//! real program, before and after a restart. Then everybody who has an IRC client that keeps its windows, with and
//! without an account: they go, others go on talking, they come back. And what two of them have logged comes in by `chinwag import`.
//!
//! Nothing here sleeps for a time that is hoped to be enough: every wait is for something to show, with a
//! deadline, and says what was there instead.

#[path = "clients/coming_back.rs"]
mod coming_back;
#[path = "clients/logs.rs"]
mod logs;
#[path = "clients/members.rs"]
mod members;
#[path = "clients/people.rs"]
mod people;
#[path = "clients/terminal.rs"]
mod terminal;
#[path = "clients/waiting.rs"]
mod waiting;

use std::path::Path;
use std::process::Command;

use chinwag_testkit::process::Process;

use people::{Irssi, Person, Pipe, Script, Weechat};
use waiting::{DEADLINE, installed};

/// Programs that this test drives. `.ci/run` installs them.
const PROGRAMS: [&str; 5] = ["irssi", "weechat-headless", "tmux", "nc", "telnet"];

const BINARY: &str = env!("CARGO_BIN_EXE_chinwag");

fn serve(folder: &Path) -> Process {
    Process::serve(Path::new(BINARY), &folder.join("data"), &[], &[])
}

/// Asks the server to end, and waits until it has.
fn stop(mut server: Process) {
    let asked = Command::new("sh").args(["-c", &format!("kill {}", server.id())]).status().expect("sh runs");
    assert!(asked.success(), "the server is gone already");
    let status = server.wait(DEADLINE);
    assert!(status.success(), "the server ended with {status}");
}

#[test]
fn everybody_sees_everybody_and_a_newcomer_reads_what_was_said() {
    if !installed(&PROGRAMS) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder for the data");
    let server = serve(folder.path());
    let mut people: Vec<Box<dyn Person>> = vec![
        Box::new(Irssi::enter(&server, folder.path(), "iris")),
        Box::new(Weechat::enter(&server, folder.path(), "wanda")),
        Box::new(Pipe::enter(&server, "nc", "nora")),
        Box::new(Pipe::enter(&server, "telnet", "tilda")),
        Box::new(Script::enter(&server, "sam")),
    ];
    let mut said = Vec::new();
    for index in 0..people.len() {
        let speaker = &mut people[index];
        let text = format!("greetings from {}", speaker.nick());
        speaker.say(&text);
        let nick = speaker.nick().to_owned();
        for (listener, person) in people.iter_mut().enumerate() {
            // One's own line shows too, but every client has its own way to write it.
            let who = if listener == index { "" } else { nick.as_str() };
            person.sees(who, &text);
        }
        said.push((nick, text));
    }
    drop(people);
    stop(server);

    let server = serve(folder.path());
    let newcomer = Pipe::enter(&server, "nc", "nele");
    for (nick, text) in &said {
        newcomer.sees(nick, text);
    }
    newcomer.has_in_order(&said.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>());
    stop(server);
}
