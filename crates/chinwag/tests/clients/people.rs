//! People at their clients: each can say a line and be asked what is on the screen.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chinwag_testkit::process::Process;

use super::terminal::Terminal;
use super::waiting::{DEADLINE, wait_for};

/// Somebody in the lobby.
pub trait Person {
    fn nick(&self) -> &str;
    fn say(&mut self, text: &str);
    /// All that this person could have read until now.
    fn screen(&self) -> String;

    /// Waits until a line with both is on the screen.
    fn sees(&self, nick: &str, text: &str) {
        let shows = |line: &str| line.find(text).is_some_and(|at| line[..at].contains(nick));
        let look = || self.screen().lines().any(shows).then_some(());
        wait_for(&format!("{nick:?} saying {text:?} to {}", self.nick()), look, || self.screen());
    }
}

/// irssi, in a terminal.
pub struct Irssi {
    nick: String,
    terminal: Terminal,
}

impl Irssi {
    pub fn enter(server: &Process, folder: &Path, nick: &str) -> Irssi {
        let home = folder.join("irssi");
        fs::create_dir(&home).expect("a home for irssi");
        // Its own brake against floods would hold back its first commands for many seconds.
        let settings = "cmd_queue_speed = \"10msec\"; cmds_max_at_once = \"100\";";
        let config = format!("settings = {{ \"irc/core\" = {{ {settings} }}; }};\n");
        fs::write(home.join("config"), config).expect("a home for irssi");
        let command = format!(
            "exec env TERM=screen irssi --home={} --connect=127.0.0.1 --port={} --nick={nick}",
            home.display(),
            server.address().port()
        );
        let irssi = Irssi { nick: nick.into(), terminal: Terminal::open(&command) };
        // The last line of the welcome, with or without a message of the day.
        irssi.shows(&["There is no message of the day", "End of /MOTD"]);
        irssi.terminal.type_line("/join #lobby");
        irssi.shows(&["Join to #lobby was synced"]);
        irssi
    }

    fn shows(&self, any_of: &[&str]) {
        let look = || any_of.iter().any(|text| self.screen().contains(text)).then_some(());
        wait_for(&format!("any of {any_of:?} in irssi"), look, || self.screen());
    }
}

impl Person for Irssi {
    fn nick(&self) -> &str {
        &self.nick
    }

    fn say(&mut self, text: &str) {
        self.terminal.type_line(text);
    }

    fn screen(&self) -> String {
        self.terminal.text()
    }
}

/// WeeChat without a screen: typed at through its pipe, read in its log.
pub struct Weechat {
    nick: String,
    home: PathBuf,
    child: Child,
}

impl Weechat {
    pub fn enter(server: &Process, folder: &Path, nick: &str) -> Weechat {
        let home = folder.join("weechat");
        let pipe = home.join("pipe");
        let port = server.address().port();
        let commands = [
            format!("/set fifo.file.path \"{}\"", pipe.display()),
            "/set logger.file.flush_delay 0".into(),
            format!("/server add chat 127.0.0.1/{port} -notls -nicks={nick} -autojoin=#lobby"),
            "/connect chat".into(),
        ];
        let mut command = Command::new("weechat-headless");
        command.arg("--dir").arg(&home).args(commands.iter().flat_map(|command| ["-r", command]));
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let weechat = Weechat { nick: nick.into(), home, child: child.expect("weechat-headless runs") };
        let inside = || weechat.screen().contains("has joined #lobby").then_some(());
        wait_for("WeeChat in the lobby", inside, || {
            weechat.log("core.weechat") + &weechat.log("irc.server.chat")
        });
        wait_for("WeeChat's pipe", || pipe.exists().then_some(()), || weechat.log("core.weechat"));
        weechat
    }

    fn log(&self, buffer: &str) -> String {
        fs::read_to_string(self.home.join(format!("logs/{buffer}.weechatlog"))).unwrap_or_default()
    }
}

impl Person for Weechat {
    fn nick(&self) -> &str {
        &self.nick
    }

    fn say(&mut self, text: &str) {
        let mut pipe =
            fs::OpenOptions::new().write(true).open(self.home.join("pipe")).expect("WeeChat reads its pipe");
        writeln!(pipe, "irc.chat.#lobby *{text}").expect("WeeChat reads its pipe");
    }

    fn screen(&self) -> String {
        self.log("irc.chat.#lobby")
    }
}

impl Drop for Weechat {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a thread has read so far.
#[derive(Clone, Default)]
pub struct Shown(Arc<Mutex<String>>);

impl Shown {
    /// Reads to the end on a thread of its own.
    pub fn follow(mut from: impl Read + Send + 'static) -> Shown {
        let shown = Shown::default();
        let writer = shown.clone();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = from.read(&mut buffer) {
                writer
                    .0
                    .lock()
                    .expect("nobody panics with it")
                    .push_str(&String::from_utf8_lossy(&buffer[..count]));
            }
        });
        shown
    }

    pub fn text(&self) -> String {
        self.0.lock().expect("nobody panics with it").clone()
    }

    fn wait(&self, text: &str) {
        wait_for(&format!("{text:?}"), || self.text().contains(text).then_some(()), || self.text());
    }
}

/// `nc` or `telnet`: a person who types lines.
pub struct Pipe {
    nick: String,
    child: Child,
    shown: Shown,
}

impl Pipe {
    pub fn enter(server: &Process, program: &str, nick: &str) -> Pipe {
        let (host, port) = (server.address().ip().to_string(), server.address().port().to_string());
        let mut command = Command::new(program);
        command.args([host, port]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("the program is installed");
        let shown = Shown::follow(child.stdout.take().expect("its output is piped"));
        let mut pipe = Pipe { nick: nick.into(), child, shown };
        if program == "telnet" {
            // It drops what it is given before it is connected.
            pipe.shown.wait("Escape character");
        }
        pipe.say(nick);
        pipe.shown.wait(nick);
        pipe
    }

    /// All of `texts` are shown, one after the other.
    pub fn has_in_order(&self, texts: &[&str]) {
        let screen = self.screen();
        let places: Vec<_> = texts.iter().map(|text| screen.find(text)).collect();
        assert!(
            places.is_sorted() && places.iter().all(Option::is_some),
            "{texts:?} in order, but:\n{screen}"
        );
    }
}

impl Person for Pipe {
    fn nick(&self) -> &str {
        &self.nick
    }

    fn say(&mut self, text: &str) {
        let stdin = self.child.stdin.as_mut().expect("its input is piped");
        writeln!(stdin, "{text}").and_then(|()| stdin.flush()).expect("it reads its input");
    }

    fn screen(&self) -> String {
        self.shown.text()
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        // It may have ended with the connection.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The little client of a programming class: waits for exactly `NICK`, sends its name without a line end, and then
/// `name: text` in a burst of its own.
pub struct Script {
    nick: String,
    stream: TcpStream,
    shown: Shown,
}

impl Script {
    pub fn enter(server: &Process, nick: &str) -> Script {
        let mut stream = TcpStream::connect(server.address()).expect("the server accepts");
        stream.set_read_timeout(Some(DEADLINE)).expect("a timeout that is not zero");
        let mut question = [0; 1024];
        let count = stream.read(&mut question).expect("a silent caller is asked for its name");
        assert_eq!(String::from_utf8_lossy(&question[..count]), "NICK");
        stream.write_all(nick.as_bytes()).expect("the server reads");
        stream.set_read_timeout(Some(Duration::from_secs(600))).expect("a timeout that is not zero");
        let shown = Shown::follow(stream.try_clone().expect("a second handle"));
        shown.wait(nick);
        Script { nick: nick.into(), stream, shown }
    }
}

impl Person for Script {
    fn nick(&self) -> &str {
        &self.nick
    }

    fn say(&mut self, text: &str) {
        let burst = format!("{}: {text}", self.nick);
        self.stream.write_all(burst.as_bytes()).expect("the server reads");
    }

    fn screen(&self) -> String {
        self.shown.text()
    }
}
