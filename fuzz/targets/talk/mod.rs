//! What the targets that talk to a whole server have in common: a world of one node, people in it, and what has
//! to be true of everything that they are sent.

use chinwag_core::session::Door;
use chinwag_core::settings::Settings;
use chinwag_log::memory::Faults;
use chinwag_testkit::world::{Client, World};

/// Bytes of a line's tags, `@` and space included, that a server may send.
const TAGS_BYTES_MAX: usize = 8191;

/// Bytes of the rest of a line.
const BODY_BYTES_MAX: usize = 512;

/// A server with people.
pub struct Talk {
    pub world: World,
    pub ada: Client,
}

impl Talk {
    /// `ada` is in, by IRC and with these capabilities.
    pub fn new(caps: &str) -> Talk {
        let mut world = World::new(1, Settings::default(), 0, Faults::default());
        world.settle();
        let ada = world.open(0, Door::Irc);
        let mut talk = Talk { world, ada };
        let hello = format!("CAP REQ :{caps}\r\nNICK ada\r\nUSER ada 0 * :Ada\r\nCAP END\r\n");
        talk.says(ada, hello.as_bytes());
        talk
    }

    /// Somebody sends bytes; what they are sent is looked at.
    pub fn says(&mut self, who: Client, bytes: &[u8]) -> Vec<u8> {
        self.world.send(who, bytes);
        self.world.settle();
        let sent = self.world.take(who);
        look_at(&sent);
        sent
    }

    /// The server still answers, and would be the same after a restart.
    pub fn ends_well(mut self) {
        if !self.world.is_closed(self.ada) {
            let sent = self.says(self.ada, b"\r\nPING the-end\r\n");
            let text = String::from_utf8_lossy(&sent).into_owned();
            assert!(text.contains("the-end") || self.world.is_closed(self.ada), "no answer: {text}");
        }
        let stored = self.world.chat(0).stored_hash();
        self.world.restart();
        assert_eq!(stored, self.world.chat(0).stored_hash(), "a restart changes what is stored");
    }
}

/// Lines, each whole, text, and within the limits.
fn look_at(sent: &[u8]) {
    let text = std::str::from_utf8(sent).expect("a server sends text");
    assert!(text.is_empty() || text.ends_with("\r\n"), "half a line: {text:?}");
    for line in text.split_terminator("\r\n") {
        assert!(!line.contains(['\r', '\n', '\0']), "{line:?}");
        let (tags, body) = match line.strip_prefix('@').and_then(|rest| rest.split_once(' ')) {
            Some((tags, body)) => (tags.len() + 2, body),
            None => (0, line),
        };
        assert!(tags <= TAGS_BYTES_MAX, "{tags} bytes of tags");
        assert!(body.len() + 2 <= BODY_BYTES_MAX, "{} bytes: {body:?}", body.len() + 2);
        assert!(!body.is_empty() && !body.starts_with(' '), "{line:?}");
    }
}
