//! What keys do: readline's in the editor, WeeChat's for rooms and scrolling.

use chinwag_client::{Millis, TypingState};

use super::App;
use super::overlay::{Overlay, Sent};
use crate::editor::Handled;
use crate::input::{Code, Key};

impl App {
    pub(crate) fn key(&mut self, key: Key, now: Millis) {
        self.hint = None;
        if self.overlay.is_some() {
            return self.overlay_key(key, now);
        }
        if self.place.is_none() {
            if key == Key::ctrl('c') || key == Key::ctrl('d') {
                self.end();
            }
            return;
        }
        if self.search.is_some() && self.search_key(key, now) {
            return;
        }
        match key.code {
            Code::Tab | Code::BackTab => return self.complete(key.code == Code::Tab),
            _ => self.completion = None,
        }
        if self.with_alt(key, now) || self.with_ctrl(key, now) || self.alone(key, now) {
            return;
        }
        if self.editor.key(key) == Handled::Changed {
            self.sent.stay();
            self.typing(now);
        }
    }

    /// Keys for the whole screen.
    fn alone(&mut self, key: Key, now: Millis) -> bool {
        let page = (self.map.talk.height as isize - 2).max(1);
        match (key.code, key.alt, key.ctrl) {
            (Code::Enter, false, _) => self.send(now),
            (Code::PageUp, true, _) => self.scroll(-3, now),
            (Code::PageDown, true, _) => self.scroll(3, now),
            (Code::PageUp, ..) => self.scroll(-page, now),
            (Code::PageDown, ..) => self.scroll(page, now),
            (Code::Home, true, _) => self.scroll_top(now),
            (Code::End, true, _) => self.scroll_end(now),
            (Code::Up, true, _) | (Code::F(5), ..) => self.step(-1),
            (Code::Down, true, _) | (Code::F(6), ..) => self.step(1),
            (Code::F(1), ..) => self.overlay = Some(Overlay::Help(0)),
            (Code::Char('?'), false, false) if self.editor.is_empty() => {
                self.overlay = Some(Overlay::Help(0));
            }
            (Code::F(2), ..) => self.toggle_numbers(),
            (Code::F(3), ..) => self.toggle_members(),
            (Code::Escape, ..) => self.escape(now),
            (Code::Up, false, false) => return self.walk(true, key),
            (Code::Down, false, false) => return self.walk(false, key),
            _ => return false,
        }
        true
    }

    fn with_alt(&mut self, key: Key, now: Millis) -> bool {
        let Key { code: Code::Char(character), alt: true, ctrl: false, .. } = key else { return false };
        match character {
            'a' => self.next_active(),
            '0' => self.numbered(10),
            '1'..='9' => self.numbered(character as usize - '0' as usize),
            'g' => self.switcher(),
            'n' => self.jump_mention(true, now),
            'p' => self.jump_mention(false, now),
            'u' => self.jump_unread(now),
            'l' => self.links(),
            'm' => self.toggle_mouse(),
            'N' => self.toggle_members(),
            '#' => self.toggle_numbers(),
            '=' => {
                self.presence = !self.presence;
                self.tell(if self.presence {
                    "comings and goings are shown"
                } else {
                    "comings and goings are hidden"
                });
            }
            '/' => {
                if let Some(place) = self.last_place {
                    self.show(place);
                }
            }
            '<' => self.scroll_top(now),
            '>' => self.scroll_end(now),
            _ => return false,
        }
        true
    }

    fn with_ctrl(&mut self, key: Key, now: Millis) -> bool {
        let Key { code: Code::Char(character), ctrl: true, alt: false, .. } = key else { return false };
        match character {
            'g' => self.switcher(),
            's' => self.search_opened(""),
            'r' => self.overlay = Some(Overlay::Sent(Sent::default())),
            'p' => return self.walk(true, Key::plain(Code::Up)),
            'n' => return self.walk(false, Key::plain(Code::Down)),
            // The terminal repaints; the driver sees the size again.
            'l' => self.repaint = true,
            'c' if self.editor.is_empty() => self.tell("/quit leaves"),
            'c' => {
                let text = self.editor.take();
                self.sent.keep(&text);
                self.tell("Up brings it back");
            }
            'd' if self.editor.is_empty() => self.tell("/quit leaves"),
            _ => return false,
        }
        let _ = now;
        true
    }

    /// Up and down: lines of the text first, then what was sent before.
    fn walk(&mut self, older: bool, key: Key) -> bool {
        if self.editor.key(key) != Handled::No {
            return true;
        }
        if older {
            let typed = self.editor.text().to_owned();
            if let Some(text) = self.sent.older(&typed).map(str::to_owned) {
                self.editor.set(&text);
            }
        } else if let Some(text) = self.sent.newer() {
            self.editor.set(&text);
        } else if !self.editor.is_empty() {
            // Down from what is being typed puts it aside, as WeeChat does.
            let text = self.editor.take();
            self.sent.keep(&text);
        }
        true
    }

    fn escape(&mut self, now: Millis) {
        self.numbers = false;
        self.scroll_end(now);
        if let Some(view) = self.view_mut() {
            view.fresh = None;
        }
    }

    pub(crate) fn toggle_numbers(&mut self) {
        self.numbers = !self.numbers;
        if self.numbers {
            self.tell("/re 42 text · /edit 42 text · /del 42 · /react 42 👍");
        }
    }

    pub(crate) fn toggle_members(&mut self) {
        let shown = self.map.members.width > 0;
        self.members = Some(!shown);
    }

    /// Tells others that something is being typed; commands are nobody's business.
    fn typing(&mut self, now: Millis) {
        let text = self.editor.text();
        let state = if text.is_empty() {
            TypingState::Done
        } else if text.starts_with('/') && !text.starts_with("/me ") {
            return;
        } else {
            TypingState::Active
        };
        if let Some((client, buffer)) = self.here_mut() {
            client.typing(buffer, state, now);
        }
    }
}
