//! Screens, as they are drawn: a client against a small server of this file, seen through ratatui's test backend.

use chinwag_client::{Client, Millis, Profile};
use jiff::tz::TimeZone;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use crate::app::{App, Options};
use crate::theme::Palette;

/// Saturday, 21 November 2026, 14:02:00 UTC.
const NOW: Millis = 1_795_269_720_000;

const CAPS: &str = "message-tags server-time echo-message labeled-response batch draft/chathistory \
                    draft/multiline=max-bytes=40000,max-lines=200 chinwag.internal/numbers draft/message-redaction draft/message-edit \
                    draft/read-marker away-notify";

/// A screen, and a server that answers what a client has to hear.
pub(super) struct Rig {
    pub(super) app: App,
    pub(super) now: Millis,
    /// What others said before the client came, as lines.
    history: Vec<String>,
    /// Own messages are neither echoed nor refused.
    pub(super) silent: bool,
    /// The nickname is somebody else's.
    taken: bool,
    count: u64,
    backend: Terminal<TestBackend>,
    /// What the client sent that this server knows nothing of.
    pub(super) heard: Vec<String>,
    nick: String,
    /// A message of several lines that is coming in: its label, and its lines.
    batch: Option<(String, Vec<String>)>,
}

impl Rig {
    pub(super) fn empty(columns: u16, rows: u16, palette: Palette) -> Rig {
        let options = Options { palette: Some(palette), zone: TimeZone::UTC, ..Options::default() };
        let mut app = App::new(options);
        app.resize(columns, rows);
        let backend = Terminal::new(TestBackend::new(columns, rows)).unwrap();
        let nick = "ann".to_owned();
        let (history, heard) = (Vec::new(), Vec::new());
        Rig {
            app,
            now: NOW,
            history,
            silent: false,
            taken: false,
            count: 0,
            backend,
            heard,
            nick,
            batch: None,
        }
    }

    pub(super) fn add(&mut self, title: &str) {
        let mut profile = Profile::new(&self.nick, title);
        profile.rooms = vec!["#lobby".to_owned()];
        profile.conversations = false;
        let client = Client::new(profile, 7);
        self.app.add(client, title);
    }

    /// In `#lobby`, after `history`.
    pub(super) fn with(columns: u16, rows: u16, history: &[&str]) -> Rig {
        let mut rig = Rig::empty(columns, rows, Palette::Dark);
        rig.add("chat.example");
        rig.history = history.iter().map(|line| (*line).to_owned()).collect();
        rig.connect();
        rig
    }

    pub(super) fn connect(&mut self) {
        let now = self.now;
        for server in 0..self.app.servers() {
            self.app.client_mut(server).unwrap().opened(now);
        }
        self.answer();
    }

    /// Lines from the server, as they are.
    pub(super) fn server(&mut self, lines: &str) {
        for line in lines.lines() {
            let now = self.now;
            self.app.client_mut(0).unwrap().receive(format!("{}\r\n", line.trim_start()).as_bytes(), now);
        }
        self.app.pump(self.now);
        self.answer();
    }

    /// Somebody says something in `#lobby`, a second after what was before.
    pub(super) fn says(&mut self, nick: &str, text: &str) -> u64 {
        self.now += 1000;
        self.count += 1;
        let line = said(self.count, self.now, nick, "#lobby", text);
        self.server(&line);
        self.count
    }

    /// Somebody types.
    pub(super) fn types(&mut self, bytes: &str) {
        self.app.input(bytes.as_bytes(), self.now);
        self.now += 60;
        self.app.tick(self.now);
        self.answer();
    }

    pub(super) fn screen(&mut self) -> String {
        self.answer();
        let (app, now) = (&mut self.app, self.now);
        self.backend.draw(|frame| app.draw(frame, now)).unwrap();
        // Pages of history that were asked for by looking.
        self.answer();
        let (app, now) = (&mut self.app, self.now);
        self.backend.draw(|frame| app.draw(frame, now)).unwrap();
        self.backend.backend().to_string()
    }

    fn answer(&mut self) {
        for server in 0..self.app.servers() {
            for _ in 0..50 {
                let now = self.now;
                let client = self.app.client_mut(server).unwrap();
                let output = String::from_utf8(client.output()).unwrap();
                if output.is_empty() {
                    break;
                }
                let replies: String = output.lines().map(|line| self.reply(line)).collect();
                self.app.client_mut(server).unwrap().receive(replies.as_bytes(), now);
                self.app.pump(now);
            }
        }
    }

    fn reply(&mut self, line: &str) -> String {
        let (tags, rest) = match line.strip_prefix('@') {
            Some(tagged) => tagged.split_once(' ').unwrap(),
            None => ("", line),
        };
        let label = tags.split(';').find_map(|tag| tag.strip_prefix("label="));
        let labelled = label.map(|label| format!(";label={label}")).unwrap_or_default();
        let (verb, params) = rest.split_once(' ').unwrap_or((rest, ""));
        let nick = self.nick.clone();
        match verb {
            "CAP" if params.starts_with("LS") => format!(":s CAP * LS :{CAPS}\r\n"),
            "CAP" if params.starts_with("REQ") => {
                format!(":s CAP * ACK :{}\r\n", params[4..].trim_start_matches(':'))
            }
            "CAP" if params == "END" && self.taken => {
                format!(":s 433 * {nick} :Nickname is already in use\r\n")
            }
            "CAP" if params == "END" => format!(
                ":s 001 {nick} :Welcome\r\n:s 005 {nick} NETWORK=Example CHATHISTORY=100 :are supported\r\n\
                 :s 422 {nick} :No MOTD\r\n"
            ),
            "JOIN" => format!(
                ":{nick}!a@h JOIN {params}\r\n:s 332 {nick} {params} :Tea, and what goes with it\r\n\
                 :s 353 {nick} = {params} :{nick} @bob +carla dave\r\n:s 366 {nick} {params} :End\r\n"
            ),
            "CHATHISTORY" => self.page(params, &labelled),
            "BATCH" if params.starts_with('+') => {
                self.heard.push(line.to_owned());
                self.batch = Some((labelled, Vec::new()));
                String::new()
            }
            "PRIVMSG" if self.batch.is_some() => {
                let text = params.split_once(' ').unwrap().1.trim_start_matches(':').to_owned();
                self.batch.as_mut().unwrap().1.push(text);
                String::new()
            }
            "BATCH" => self.several(&nick),
            "PRIVMSG" if params.contains("refuse") => {
                let label = label.unwrap();
                format!("@label={label} :s 404 {nick} #lobby :You may not speak here\r\n")
            }
            "PRIVMSG" if !self.silent => {
                self.count += 1;
                let (room, text) = params.split_once(' ').unwrap();
                let text = text.trim_start_matches(':');
                let reply = tags.split(';').find(|tag| tag.starts_with("+draft/reply=")).unwrap_or("x");
                let line = said(self.count, self.now, &nick, room, text);
                format!("@{reply}{labelled};{}\r\n", &line[1..])
            }
            "PING" => format!(":s PONG s {params}\r\n"),
            _ => {
                self.heard.push(line.to_owned());
                String::new()
            }
        }
    }

    fn page(&mut self, params: &str, labelled: &str) -> String {
        let room = params.split(' ').nth(1).unwrap();
        let lines: String = match room {
            "#lobby" => std::mem::take(&mut self.history)
                .iter()
                .enumerate()
                .map(|(at, line)| {
                    self.count += 1;
                    let (nick, text) = line.split_once(": ").unwrap();
                    let before = 3_600_000 * 26 - 60_000 * at as u64;
                    format!("@batch=h;{}\r\n", &said(self.count, NOW - before, nick, room, text)[1..])
                })
                .collect(),
            _ => String::new(),
        };
        format!("@x{labelled} :s BATCH +h chathistory {room}\r\n{lines}:s BATCH -h\r\n")
    }

    fn several(&mut self, nick: &str) -> String {
        let (labelled, lines) = self.batch.take().unwrap();
        self.count += 1;
        let first = said(self.count, self.now, nick, "#lobby", "");
        let (tags, _) = first.split_once(' ').unwrap();
        let tell = |line: &String| format!("@batch=b :{nick}!u@h PRIVMSG #lobby :{line}\r\n");
        let lines: String = lines.iter().map(tell).collect();
        let open = format!("{tags}{labelled} :{nick}!u@h BATCH +b draft/multiline #lobby");
        format!("{open}\r\n{lines}:s BATCH -b\r\n")
    }
}

pub(super) fn said(number: u64, ms: Millis, nick: &str, room: &str, text: &str) -> String {
    let mut time = Vec::new();
    chinwag_wire::time::format_millis(ms, &mut time);
    let time = String::from_utf8(time).unwrap();
    format!(
        "@msgid=m{number};chinwag.internal/number={number};time={time} :{nick}!u@h PRIVMSG {room} :{text}"
    )
}

macro_rules! check {
    ($rig:expr) => {
        insta::assert_snapshot!($rig.screen())
    };
}

#[test]
fn first_run_asks_for_a_nickname() {
    let mut rig = Rig::empty(80, 24, Palette::Dark);
    rig.app.ask_nickname("chat.example", None);
    rig.types("no good\r");
    assert_eq!(rig.app.nickname(), Some("nogood".to_owned()), "blanks are not typed");
    rig.app.ask_nickname("chat.example", None);
    rig.types("4four\r");
    assert_eq!(rig.app.nickname(), None);
    check!(rig);
}

#[test]
fn a_nickname_that_is_taken_is_asked_for_again() {
    let mut rig = Rig::empty(80, 20, Palette::Dark);
    rig.add("chat.example");
    let now = rig.now;
    rig.taken = true;
    rig.app.client_mut(0).unwrap().opened(now);
    rig.answer();
    check!(rig);
    rig.types("2\r");
    assert_eq!(rig.app.client(0).unwrap().profile().nick, "ann2");
    assert!(rig.app.client(0).unwrap().wants_link(rig.now));
}

#[test]
fn an_empty_room_says_what_to_do() {
    let mut rig = Rig::with(80, 24, &[]);
    check!(rig);
}

#[test]
fn a_conversation() {
    let mut rig = Rig::with(80, 24, &["bob: is the build green again?", "carla: since ten minutes ago"]);
    rig.says("bob", "good morning everybody, this line is a little longer than the room has columns for it");
    rig.says("bob", "and this is the same turn");
    rig.says("carla", "ann: look at **this**: `cargo test` https://example.org/a");
    rig.server(":erin!e@h JOIN #lobby\n:dave!d@h QUIT :gone\n:erin!e@h NICK eve");
    rig.types("hello *you*\r");
    check!(rig);
}

#[test]
fn a_wide_screen_shows_the_members() {
    let mut rig = Rig::with(120, 20, &[]);
    rig.says("bob", "hello");
    rig.server(":s 353 ann = #x :ann\n:ann!a@h JOIN #rust\n:bob!b@h PRIVMSG #rust :psst\n:bob!b@h PRIVMSG ann :hi ann");
    check!(rig);
}

#[test]
fn forty_columns() {
    let mut rig = Rig::with(40, 18, &["bob: is the build green again?"]);
    rig.says("carla", "yes: since ten minutes ago, and it looks as if it stays that way");
    rig.says("carla", "漢字 and more of it");
    rig.server(":ann!a@h JOIN #rust\n:bob!b@h PRIVMSG #rust :ann: psst");
    check!(rig);
}

#[test]
fn long_nicks_emoji_and_other_scripts() {
    let mut rig = Rig::with(80, 24, &[]);
    rig.says("a_nickname_that_is_far_too_long_to_fit", "short");
    rig.says("日本語", "漢字かな交じり文はここで折り返します、とても長いので二行になります。はい");
    rig.says("דנה", "שלום לכולם, מה שלומכם?");
    rig.says("emo", "👩‍👩‍👧 family 🇩🇪 flag e\u{301} accent 🙂🙂🙂");
    check!(rig);
}

#[test]
fn replies_reactions_edits_and_deletions() {
    let mut rig = Rig::with(80, 24, &[]);
    let first = rig.says("bob", "is the build green?");
    let second = rig.says("carla", "no");
    rig.now += 1000;
    let line = said(90, rig.now, "dave", "#lobby", "it is");
    rig.server(&format!("@+draft/reply=m{first};{}", &line[1..]));
    for who in ["bob", "carla", "dave"] {
        rig.server(&format!("@+draft/reply=m90;+draft/react=👍 :{who}!u@h TAGMSG #lobby"));
    }
    rig.server("@+draft/reply=m90;+draft/react=🎉 :ann!u@h TAGMSG #lobby");
    rig.server(&format!(":carla!u@h REDACT #lobby m{second} :wrong room"));
    rig.types("/re 1 it really is\r");
    rig.types("/react 90 👍\r");
    assert!(rig.heard.iter().any(|line| line.contains("+draft/react=👍") && line.contains("TAGMSG #lobby")));
    rig.types("/re ");
    check!(rig);
}

#[test]
fn several_lines_code_and_quotes() {
    let mut rig = Rig::with(80, 24, &[]);
    rig.types("\x1b[200~look:\n```rust\nfn main() {\n    say(\"hi\"); // twice\n```\x1b[201~\r");
    check!(rig);
}

#[test]
fn own_lines_are_pending_until_they_are_kept_and_failed_lines_say_why() {
    let mut rig = Rig::with(80, 16, &[]);
    rig.silent = true;
    rig.types("are you there?\r");
    rig.types("refuse this\r");
    check!(rig);
    let now = rig.now;
    rig.app.client_mut(0).unwrap().closed("the server has closed the connection", now);
    rig.app.pump(now);
    check!(rig);
}

#[test]
fn disconnected() {
    let mut rig = Rig::with(80, 12, &["bob: hello"]);
    let now = rig.now;
    rig.app.client_mut(0).unwrap().closed("connection refused", now);
    rig.app.pump(now);
    check!(rig);
}

#[test]
fn search_marks_hits_in_place() {
    let mut rig = Rig::with(80, 16, &["bob: tea is ready", "carla: coffee?"]);
    for number in 0..30 {
        rig.says("bob", &format!("line {number} about {}", if number % 7 == 0 { "Tea" } else { "nothing" }));
    }
    rig.types("/search tea\r");
    rig.types("\x1b[A");
    check!(rig);
    rig.types("\x1b[A\x1b[A\x1b[A\x1b[A");
    assert!(rig.screen().contains("1 of 6"), "{}", rig.screen());
    rig.types("\x1b");
    assert!(rig.screen().contains("line 29"));
}

#[test]
fn help_fits_any_screen() {
    let mut rig = Rig::with(80, 24, &[]);
    rig.types("\x1bOP");
    check!(rig);
    let mut narrow = Rig::with(40, 18, &[]);
    narrow.types("?");
    check!(narrow);
}

#[test]
fn the_switcher_and_the_question_before_a_long_paste() {
    let mut rig = Rig::with(80, 20, &[]);
    rig.server(":ann!a@h JOIN #rust\n:ann!a@h JOIN #rust-beginners\n:bob!b@h PRIVMSG #rust :ann: psst");
    rig.types("\x07rb");
    check!(rig);
    rig.types("\x1b");
    let text: Vec<String> = (1..=30).map(|number| format!("line {number}")).collect();
    rig.types(&format!("\x1b[200~{}\x1b[201~", text.join("\r")));
    check!(rig);
    rig.types("\r");
    assert!(rig.heard.iter().any(|line| line.contains("BATCH +") && line.contains("draft/multiline")));
}

#[test]
fn several_servers_in_one_list() {
    let mut rig = Rig::empty(80, 14, Palette::Sixteen);
    rig.add("one.example");
    rig.add("two.example");
    rig.connect();
    rig.types("\x1b4");
    check!(rig);
}

#[test]
fn what_is_unread_begins_with_a_line_and_scrolling_stays() {
    let mut rig = Rig::with(80, 16, &[]);
    rig.says("bob", "seen");
    rig.screen();
    rig.types("\x1b[O");
    for number in 0..30 {
        rig.says("bob", &format!("unseen {number}"));
    }
    rig.types("\x1bu");
    check!(rig);
    let before = rig.screen();
    rig.says("carla", "something newer");
    let after = rig.screen();
    let talk = |screen: &str| screen.lines().take(14).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(talk(&before), talk(&after), "what is looked at stays where it is");
    assert!(after.contains("31 new"), "{after}");
    rig.types("\x1b[I\x1b>");
    assert!(rig.screen().contains("something newer"));
}

#[test]
fn completion_goes_through_what_fits() {
    let mut rig = Rig::with(80, 12, &[]);
    rig.says("dave", "I spoke last");
    let typed = |rig: &Rig| rig.app.editor.text().to_owned();
    rig.types("d\t");
    assert_eq!(typed(&rig), "dave: ");
    rig.types("hi b\t");
    assert_eq!(typed(&rig), "dave: hi bob ");
    rig.types("\x15/rea\t");
    assert_eq!(typed(&rig), "/react ");
    rig.types("\x15:tada\t");
    assert_eq!(typed(&rig), "🎉");
    rig.types("\x15#l\t");
    assert_eq!(typed(&rig), "#lobby ");
    rig.types("\x15/re\t\t");
    check!(rig);
}

#[test]
fn drafts_stay_with_their_rooms_and_nothing_is_drawn_without_change() {
    let mut rig = Rig::with(80, 12, &[]);
    rig.server(":ann!a@h JOIN #rust");
    rig.types("half a sen");
    rig.types("\x1b[1;3B");
    assert_eq!(rig.app.editor.text(), "");
    rig.types("\x1b[1;3A");
    assert_eq!(rig.app.editor.text(), "half a sen");
    rig.screen();
    assert!(!rig.app.wants_drawing());
    rig.now += 10;
    rig.app.tick(rig.now);
    assert!(!rig.app.wants_drawing());
}

#[test]
fn a_mention_rings_where_nobody_looks() {
    let mut rig = Rig::with(80, 12, &[]);
    rig.screen();
    rig.app.outgoing();
    rig.says("bob", "ann: look");
    assert!(!String::from_utf8(rig.app.outgoing()).unwrap().starts_with('\x07'), "it is being looked at");
    rig.types("\x1b[O");
    rig.now += 5000;
    rig.says("bob", "ann: look \x1b]2;evil\x07 here");
    let bytes = String::from_utf8(rig.app.outgoing()).unwrap();
    assert!(bytes.starts_with("\x07\x1b]9;bob in #lobby: ann: look ]2;evil here\x07"), "{bytes:?}");
}

#[test]
fn links_are_copied() {
    let mut rig = Rig::with(80, 16, &[]);
    rig.says("bob", "https://one.example/ and https://two.example/");
    rig.screen();
    rig.app.outgoing();
    rig.types("\x1bl");
    check!(rig);
    rig.types("\x1b[B\r");
    let bytes = String::from_utf8(rig.app.outgoing()).unwrap();
    assert!(bytes.contains("\x1b]52;c;aHR0cHM6Ly90d28uZXhhbXBsZS8=\x07"), "{bytes:?}");
}

#[test]
fn the_mouse_opens_rooms_and_scrolls() {
    let mut rig = Rig::with(80, 16, &[]);
    rig.server(":ann!a@h JOIN #rust");
    rig.screen();
    rig.types("\x1b[<0;5;4M");
    assert_eq!(rig.app.buffer().map(|buffer| buffer.name.to_string()).as_deref(), Some("#rust"));
    rig.types("\x1b[<0;5;3M");
    for number in 0..40 {
        rig.says("bob", &format!("line {number}"));
    }
    rig.screen();
    rig.types("\x1b[<64;40;8M");
    let screen = rig.screen();
    assert!(!screen.contains("line 39") && screen.contains("line 36"), "{screen}");
}

/// Text, colours and marks of every theme.
#[test]
fn every_theme() {
    for name in ["dark", "light", "16", "none", "contrast"] {
        let mut rig = Rig::empty(100, 12, Palette::named(name).unwrap());
        rig.add("chat.example");
        rig.history =
            vec!["bob: is it **green**?".to_owned(), "carla: `yes`: https://ci.example/".to_owned()];
        rig.connect();
        rig.server(":ann!a@h JOIN #rust\n:bob!b@h PRIVMSG #rust :ann: psst");
        rig.types("\x1b1\x1b2");
        rig.says("bob", "ann: look");
        rig.silent = true;
        rig.types("on its way\r");
        rig.types("/re 1 x");
        rig.screen();
        insta::assert_snapshot!(
            format!("every_theme_{name}"),
            format!("{:?}", rig.app.screen(rig.now).buffer)
        );
    }
}

#[test]
fn any_size_and_any_keys_are_survived() {
    let mut rig = Rig::with(80, 24, &["bob: hello", "carla: 漢字漢字 https://example.org"]);
    rig.says("dave", "ann: x\x0304y");
    let keys = [
        "\x1b[5~",
        "\x1b[6~",
        "\x1bu",
        "\x1bp",
        "\x1bn",
        "\x07",
        "\x1b[200~a\nb\x1b[201~",
        "\x1bl",
        "\x1bOP",
        "\t",
        "\x1b",
        "x漢",
    ];
    for (round, size) in [(1, 1), (12, 4), (13, 5), (40, 10), (63, 7), (64, 6), (101, 30), (250, 80), (3, 50)]
        .iter()
        .enumerate()
    {
        for key in keys {
            rig.app.resize(size.0, size.1);
            rig.types(key);
            let screen = rig.app.screen(rig.now);
            assert_eq!((screen.area().width, screen.area().height), *size, "round {round}");
            let cursor = screen.cursor.unwrap_or_default();
            assert!(cursor.0 < size.0 && cursor.1 < size.1, "{cursor:?} in {size:?}");
        }
        rig.types("\x1b");
    }
}
