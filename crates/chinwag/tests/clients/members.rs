//! People at IRC clients who come, go, and come back: irssi, WeeChat, ii, and a program written with pydle.
//!
//! Each client is driven as its manual says, is in `#tea` after it has come, and is asked for what it shows.

use std::cell::RefCell;
use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::people::Shown;
use super::terminal::Terminal;
use super::waiting::wait_for;

/// The room in which everything happens.
pub const ROOM: &str = "#tea";

/// Who comes, and where to.
#[derive(Clone)]
pub struct Login {
    pub nick: &'static str,
    /// The password of the account with the same name; guests have none.
    pub password: Option<&'static str>,
    pub address: SocketAddr,
    /// A folder for this client alone.
    pub home: PathBuf,
}

/// Somebody at a client.
pub trait Member {
    /// Comes, or comes back, and is in the room when this returns.
    fn come(&mut self);

    /// Says something in a room or to a person.
    fn say(&mut self, to: &str, text: &str);

    /// All that the client has ever shown for a room or a person.
    fn shown(&mut self, place: &str) -> String;

    /// The same, waited for until there is something.
    fn shown_now(&mut self, place: &str) -> String {
        let something = || Some(self.shown(place)).filter(|text| !text.is_empty());
        wait_for(&format!("something in {place}"), something, String::new)
    }

    /// Goes. The server has closed the connection when this returns.
    fn leave(&mut self);

    /// Waits until a line with both, in this order, is shown.
    fn sees(&mut self, place: &str, nick: &str, text: &str) {
        let last = RefCell::new(String::new());
        let shows = |line: &str| line.find(text).is_some_and(|at| line[..at].contains(nick));
        let look = || {
            last.replace(self.shown(place));
            last.borrow().lines().any(shows).then_some(())
        };
        wait_for(&format!("{nick:?} saying {text:?} in {place}"), look, || last.borrow().clone());
    }
}

/// irssi, in a terminal.
pub struct Irssi {
    login: Login,
    terminal: Option<Terminal>,
    /// How often it has come.
    times: usize,
}

impl Irssi {
    pub fn new(login: Login) -> Irssi {
        Irssi { login, terminal: None, times: 0 }
    }

    fn config(&self) -> String {
        let Login { nick, password, address, .. } = &self.login;
        let sasl = password.map(|password| {
            format!("sasl_mechanism = \"plain\"; sasl_username = \"{nick}\"; sasl_password = \"{password}\";")
        });
        let port = address.port();
        format!(
            "servers = ({{ address = \"127.0.0.1\"; chatnet = \"chat\"; port = \"{port}\"; autoconnect = \"yes\"; }});\n\
             chatnets = {{ chat = {{ type = \"IRC\"; nick = \"{nick}\"; {} }}; }};\n\
             channels = ({{ name = \"{ROOM}\"; chatnet = \"chat\"; autojoin = \"yes\"; }});\n\
             settings = {{ \"irc/core\" = {{ cmd_queue_speed = \"10msec\"; cmds_max_at_once = \"100\"; }}; }};\n",
            sasl.unwrap_or_default()
        )
    }

    fn terminal(&self) -> &Terminal {
        self.terminal.as_ref().expect("irssi has been started")
    }

    /// Shows the window of a room, a person, or `(status)`; none while it does not.
    fn window(&self, name: &str) -> Option<String> {
        let text = self.terminal().text();
        if text.trim_end().lines().last()?.starts_with(&format!("[{name}]")) {
            return Some(text);
        }
        let number = if name == "(status)" { "1" } else { name };
        self.terminal().type_line(&format!("/window goto {number}"));
        None
    }

    /// Waits until a window has a line that it has not had `before` times already.
    fn another(&self, window: &str, line: &str, before: usize) {
        let look = || (count(&self.window(window)?, line) > before).then_some(());
        wait_for(&format!("{line:?} in {window} of irssi"), look, || self.terminal().text());
    }
}

fn count(text: &str, line: &str) -> usize {
    text.matches(line).count()
}

impl Member for Irssi {
    fn come(&mut self) {
        if self.terminal.is_none() {
            fs::write(self.login.home.join("config"), self.config()).expect("a home for irssi");
            let home = self.login.home.display();
            self.terminal = Some(Terminal::open(&format!("exec env TERM=screen irssi --home={home}")));
        } else {
            self.terminal().type_line("/connect chat");
        }
        // The last of what it shows of a room that it has entered.
        self.another(ROOM, "was synced in", self.times);
        self.times += 1;
    }

    fn say(&mut self, to: &str, text: &str) {
        self.terminal().type_line(&format!("/msg {to} {text}"));
    }

    fn shown(&mut self, place: &str) -> String {
        self.window(place).unwrap_or_default()
    }

    fn leave(&mut self) {
        self.terminal().type_line("/quote QUIT :see you");
        self.another("(status)", "Connection lost", self.times - 1);
    }
}

/// WeeChat without a screen: typed at through its pipe, read in its logs.
pub struct Weechat {
    login: Login,
    child: Option<Child>,
}

impl Weechat {
    pub fn new(login: Login) -> Weechat {
        Weechat { login, child: None }
    }

    fn start(&self) -> Child {
        let Login { nick, password, address, home } = &self.login;
        let sasl = password.map(|password| {
            format!(" -sasl_mechanism=plain -sasl_username={nick} -sasl_password={password}")
        });
        let commands = [
            format!("/set fifo.file.path \"{}\"", home.join("pipe").display()),
            "/set logger.file.flush_delay 0".to_owned(),
            // Its own brakes against floods would hold back what it says for seconds.
            "/set irc.server_default.anti_flood_prio_high 0".to_owned(),
            "/set irc.server_default.anti_flood_prio_low 0".to_owned(),
            format!(
                "/server add chat 127.0.0.1/{} -notls -nicks={nick} -autojoin={ROOM} -noautoreconnect{}",
                address.port(),
                sasl.unwrap_or_default()
            ),
            "/connect chat".to_owned(),
        ];
        let mut command = Command::new("weechat-headless");
        command.arg("--dir").arg(home).args(commands.iter().flat_map(|command| ["-r", command]));
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        child.expect("weechat-headless runs")
    }

    fn log(&self, buffer: &str) -> String {
        let file = format!("logs/{buffer}.weechatlog").to_lowercase();
        fs::read_to_string(self.login.home.join(file)).unwrap_or_default()
    }

    fn server(&self) -> String {
        self.log("irc.server.chat")
    }

    fn order(&self, buffer: &str, order: &str) {
        let pipe = self.login.home.join("pipe");
        let open = || fs::OpenOptions::new().write(true).open(&pipe).ok();
        let mut pipe = wait_for("WeeChat's pipe", open, || self.log("core.weechat"));
        writeln!(pipe, "{buffer} *{order}").expect("WeeChat reads its pipe");
    }
}

impl Member for Weechat {
    fn come(&mut self) {
        let before = count(&self.shown(ROOM), "Channel #tea:");
        match self.child {
            None => self.child = Some(self.start()),
            Some(_) => self.order("core.weechat", "/connect chat"),
        }
        let come = || (count(&self.log("irc.chat.#tea"), "Channel #tea:") > before).then_some(());
        wait_for("WeeChat in the room", come, || self.server());
    }

    fn say(&mut self, to: &str, text: &str) {
        let order = if to == ROOM { text.to_owned() } else { format!("/query {to} {text}") };
        self.order("irc.chat.#tea", &order);
    }

    fn shown(&mut self, place: &str) -> String {
        self.log(&format!("irc.chat.{place}"))
    }

    fn leave(&mut self) {
        self.order("irc.server.chat", "/quote QUIT :see you");
        let gone = || self.server().contains("disconnected from server").then_some(());
        wait_for("WeeChat going", gone, || self.server());
    }
}

impl Drop for Weechat {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// Ends a program that may have ended by itself.
fn end(child: &mut Option<Child>) {
    if let Some(child) = child {
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// ii: a folder for each room and person, typed at by writing to `in` and read in `out`. It knows no SASL, and tells an
/// account and its password as the password of the server.
pub struct Ii {
    login: Login,
    child: Option<Child>,
}

impl Ii {
    pub fn new(login: Login) -> Ii {
        Ii { login, child: None }
    }

    fn place(&self, place: &str) -> PathBuf {
        self.login.home.join("127.0.0.1").join(place.to_lowercase())
    }

    fn write(&self, place: &str, line: &str) {
        let path = self.place(place).join("in");
        let open = || fs::OpenOptions::new().write(true).open(&path).ok();
        let mut pipe = wait_for("the pipe of ii", open, || self.out(""));
        // In one piece: ii drops what does not end with its line.
        pipe.write_all(format!("{line}\n").as_bytes()).expect("ii reads its pipe");
    }

    fn out(&self, place: &str) -> String {
        fs::read_to_string(self.place(place).join("out")).unwrap_or_default()
    }
}

impl Member for Ii {
    fn come(&mut self) {
        let Login { nick, password, address, home } = &self.login;
        let joined = format!("-!- {nick}(");
        let before = count(&self.out(ROOM), &joined);
        let welcomes = count(&self.out(""), "Welcome to");
        let mut command = Command::new("ii");
        command.args(["-s", "127.0.0.1", "-n", nick, "-f", nick, "-p", &address.port().to_string(), "-i"]);
        command.arg(home);
        if let Some(password) = password {
            command.args(["-k", "IIPASS"]).env("IIPASS", format!("{nick}:{password}"));
        }
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        self.child = Some(child.expect("ii runs"));
        let welcome = || (count(&self.out(""), "Welcome to") > welcomes).then_some(());
        wait_for("a welcome in ii", welcome, || self.out(""));
        self.write("", &format!("/j {ROOM}"));
        let come = || (count(&self.out(ROOM), &joined) > before).then_some(());
        wait_for("ii in the room", come, || self.out("") + &self.out(ROOM));
    }

    fn say(&mut self, to: &str, text: &str) {
        if self.place(to).exists() {
            self.write(to, text);
        } else {
            self.write("", &format!("/j {to} {text}"));
        }
    }

    fn shown(&mut self, place: &str) -> String {
        self.out(place)
    }

    fn leave(&mut self) {
        // Its own command ends ii at once, whatever the server does.
        self.write("", "/QUIT :see you");
        let child = self.child.as_mut().expect("ii has been started");
        wait_for("the end of ii", || child.try_wait().expect("it is our child").map(drop), String::new);
    }
}

impl Drop for Ii {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// A program written with pydle, which shows what it is told as JSON, an object a line.
pub struct Pydle {
    login: Login,
    python: PathBuf,
    running: Option<(Child, Shown)>,
    before: String,
}

impl Pydle {
    /// The Python that has pydle: `.ci/run` puts it into the target folder.
    pub fn python() -> PathBuf {
        Path::new(env!("CARGO_TARGET_TMPDIR")).join("../pydle-1.2.0/bin/python")
    }

    pub fn new(login: Login) -> Pydle {
        Pydle { login, python: Pydle::python(), running: None, before: String::new() }
    }

    fn output(&self) -> String {
        let now = self.running.as_ref().map(|(_, shown)| shown.text());
        self.before.clone() + &now.unwrap_or_default()
    }

    fn write(&mut self, line: &str) {
        let (child, _) = self.running.as_mut().expect("it has been started");
        let stdin = child.stdin.as_mut().expect("its input is piped");
        writeln!(stdin, "{line}").and_then(|()| stdin.flush()).expect("it reads its input");
    }
}

impl Member for Pydle {
    fn come(&mut self) {
        let Login { nick, password, address, .. } = &self.login;
        let mut command = Command::new(&self.python);
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/pydle_member.py");
        command.arg(script).arg(address.port().to_string()).arg(nick).args(password);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("python runs");
        let shown = Shown::follow(child.stdout.take().expect("its output is piped"));
        let joined = format!("\"joined\": \"{nick}\"");
        wait_for("pydle in the room", || shown.text().contains(&joined).then_some(()), || shown.text());
        self.running = Some((child, shown));
    }

    fn say(&mut self, to: &str, text: &str) {
        self.write(&format!("{to} {text}"));
    }

    fn shown(&mut self, place: &str) -> String {
        let start = format!("{{\"place\": \"{place}\", ");
        self.output()
            .lines()
            .filter(|line| line.starts_with(&start))
            .map(|line| format!("{line}\n"))
            .collect()
    }

    fn leave(&mut self) {
        self.write("QUIT");
        let (child, shown) = self.running.as_mut().expect("it has been started");
        let ended = || child.try_wait().expect("it is our child").filter(|_| shown.text().contains("left"));
        wait_for("the end of pydle", ended, || shown.text());
        self.before = self.output();
        self.running = None;
    }
}

impl Drop for Pydle {
    fn drop(&mut self) {
        end(&mut self.running.take().map(|(child, _)| child));
    }
}
