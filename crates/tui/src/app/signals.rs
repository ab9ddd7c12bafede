//! What goes to the terminal beside the screen: the bell, a notice, the clipboard, the window's title.

use chinwag_client::{LineId, Millis};

use super::App;
use super::places::Place;
use crate::text::{clean, fit, markup};

/// Not more than one bell in so long.
const BELL_MS: Millis = 2_000;
/// The longest text that is put into the clipboard, in bytes: what xterm takes.
const CLIPBOARD_MAX: usize = 74_994;

impl App {
    /// Somebody has named me, or written to me alone.
    pub(crate) fn mentioned(&mut self, place: Place, line: LineId, now: Millis) {
        let seen = self.focused
            && self.place == Some(place)
            && self.views.get(&place).is_none_or(super::view::View::at_end);
        let lately = self.belled.is_some_and(|at| now < at + BELL_MS);
        if seen || lately {
            return;
        }
        self.belled = Some(now);
        let said = self.buffer_of(place).and_then(|buffer| {
            let line = buffer.lines.by_id(line)?;
            let nick = line.from.as_ref()?.nick.clone();
            Some(format!("{nick} in {}: {}", buffer.name, fit(&markup::plain(&line.text), 120)))
        });
        self.outgoing.push(0x07);
        if let Some(said) = said {
            self.osc("9", &clean(&said));
        }
    }

    /// Puts a text into the terminal's clipboard (OSC 52).
    pub(crate) fn copy(&mut self, text: &str) {
        if text.len() > CLIPBOARD_MAX {
            return self.tell("that is too long for the clipboard");
        }
        let encoded = chinwag_wire::base64::encode(text.as_bytes());
        self.osc("52;c", &encoded);
        self.tell(format!("copied: {}", fit(&clean(text), 60)));
    }

    /// The window's title, when it is another one.
    pub(crate) fn set_title(&mut self, title: String) {
        if self.title != title {
            self.osc("2", &clean(&title));
            self.title = title;
        }
    }

    fn osc(&mut self, code: &str, text: &str) {
        self.outgoing.extend_from_slice(format!("\x1b]{code};{text}\x07").as_bytes());
    }

    /// What follows from what was drawn.
    pub(crate) fn after_drawing(&mut self, now: Millis) {
        let lines = self.map.lines.clone();
        self.page(&lines, now);
        let name = self.buffer().map_or("chinwag".to_owned(), |buffer| buffer.name.to_string());
        let unread: u32 =
            self.places().iter().filter_map(|place| self.buffer_of(*place)).map(|b| b.mentions).sum();
        let count = if unread > 0 { format!("({unread}) ") } else { String::new() };
        self.set_title(format!("{count}{name}"));
    }
}
