//! The message editor: a text of one or more lines, edited with readline's keys.
//!
//! What lives here: the text, the cursor, kill and yank, undo ([`Editor`]), and what was sent before ([`history`]).
//! What does not: where the text goes, and how it is drawn.

pub mod history;
mod motion;

#[cfg(test)]
mod tests;

use crate::input::{Code, Key};

pub use history::History;

/// The longest text, in bytes. What would make it longer is not typed.
pub const TEXT_MAX: usize = 256 * 1024;
const KILLED_MAX: usize = 16;
const UNDO_MAX: usize = 200;

/// What a key did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handled {
    /// The text is another one.
    Changed,
    /// Only the cursor moved, or nothing was to be done.
    Moved,
    /// The key means nothing to an editor.
    No,
}

/// A text and a cursor in it.
#[derive(Debug, Clone, Default)]
pub struct Editor {
    text: String,
    /// In bytes, always between two characters as people see them.
    at: usize,
    killed: Vec<String>,
    /// Which of the killed was put in last, and where it begins: Alt-Y puts another one there.
    yanked: Option<(usize, usize)>,
    undo: Vec<(String, usize)>,
    last: Last,
}

/// What the key before did: kills in a row are one, letters in a row are undone together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Last {
    #[default]
    Other,
    Typed,
    Killed,
    Yanked,
}

impl Editor {
    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where the cursor is, in bytes.
    pub fn at(&self) -> usize {
        self.at
    }

    /// Whether nothing is typed.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Puts another text in, the cursor at its end. Undo brings the old one back.
    pub fn set(&mut self, text: &str) {
        self.remember();
        self.text = limited(text, TEXT_MAX).to_owned();
        self.at = self.text.len();
        self.last = Last::Other;
    }

    /// Takes the text out, to be sent.
    pub fn take(&mut self) -> String {
        self.at = 0;
        self.undo.clear();
        self.last = Last::Other;
        std::mem::take(&mut self.text)
    }

    /// Types a text at the cursor.
    pub fn insert(&mut self, text: &str) {
        self.remember();
        self.put(text);
        self.last = Last::Other;
    }

    /// Replaces a range of bytes, which must lie between characters; the cursor goes behind what was put there.
    pub fn replace(&mut self, from: usize, to: usize, text: &str) {
        self.remember();
        self.text.replace_range(from..to, "");
        self.at = from;
        self.put(text);
        self.last = Last::Other;
    }

    /// Puts the cursor at a byte, or at the nearest place before it.
    pub fn go(&mut self, at: usize) {
        self.at = motion::floor(&self.text, at);
        self.last = Last::Other;
    }

    /// Does what readline does for a key.
    pub fn key(&mut self, key: Key) -> Handled {
        let Key { code, ctrl, alt, .. } = key;
        match (code, ctrl, alt) {
            (Code::Char(character), false, false) => self.typed(character),
            (Code::Char('j'), true, false) | (Code::Enter, _, true) => self.typed('\n'),
            (Code::Char(character), true, false) => self.with_ctrl(character),
            (Code::Char(character), false, true) => self.with_alt(character),
            (Code::Backspace, false, false) => self.delete(motion::before(&self.text, self.at), self.at),
            (Code::Backspace, _, _) => self.kill(motion::word_before(&self.text, self.at), self.at),
            (Code::Delete, false, false) => self.delete(self.at, motion::after(&self.text, self.at)),
            (Code::Delete, _, _) => self.kill(self.at, motion::word_after(&self.text, self.at)),
            (Code::Left, false, false) => self.to(motion::before(&self.text, self.at)),
            (Code::Right, false, false) => self.to(motion::after(&self.text, self.at)),
            (Code::Left, _, _) => self.to(motion::word_before(&self.text, self.at)),
            (Code::Right, _, _) => self.to(motion::word_after(&self.text, self.at)),
            (Code::Home, false, false) => self.to(motion::line_start(&self.text, self.at)),
            (Code::End, false, false) => self.to(motion::line_end(&self.text, self.at)),
            (Code::Up, false, false) => self.line_up(),
            (Code::Down, false, false) => self.line_down(),
            _ => Handled::No,
        }
    }

    fn with_ctrl(&mut self, character: char) -> Handled {
        match character {
            'a' => self.to(motion::line_start(&self.text, self.at)),
            'e' => self.to(motion::line_end(&self.text, self.at)),
            'b' => self.to(motion::before(&self.text, self.at)),
            'f' => self.to(motion::after(&self.text, self.at)),
            'h' => self.delete(motion::before(&self.text, self.at), self.at),
            'd' => self.delete(self.at, motion::after(&self.text, self.at)),
            'k' => self.kill(self.at, self.rest_of_line()),
            'u' => self.kill(motion::line_start(&self.text, self.at), self.at),
            'w' => self.kill(motion::blank_before(&self.text, self.at), self.at),
            'y' => self.yank(),
            't' => self.swap(),
            '_' | '/' => self.undone(),
            _ => Handled::No,
        }
    }

    fn with_alt(&mut self, character: char) -> Handled {
        match character {
            'b' => self.to(motion::word_before(&self.text, self.at)),
            'f' => self.to(motion::word_after(&self.text, self.at)),
            'd' => self.kill(self.at, motion::word_after(&self.text, self.at)),
            'y' => self.yank_another(),
            'c' => self.capital(),
            _ => Handled::No,
        }
    }

    /// To the end of the line; at its end, the line end itself.
    fn rest_of_line(&self) -> usize {
        let end = motion::line_end(&self.text, self.at);
        if end == self.at { motion::after(&self.text, self.at) } else { end }
    }

    fn typed(&mut self, character: char) -> Handled {
        // A word is undone at once.
        if self.last != Last::Typed || character.is_whitespace() {
            self.remember();
        }
        self.put(character.encode_utf8(&mut [0; 4]));
        self.last = Last::Typed;
        Handled::Changed
    }

    fn put(&mut self, text: &str) {
        let text = limited(text, TEXT_MAX.saturating_sub(self.text.len()));
        self.text.insert_str(self.at, text);
        self.at += text.len();
        // What joins the character behind the cursor belongs to it.
        self.at = motion::ceiling(&self.text, self.at);
    }

    fn to(&mut self, at: usize) -> Handled {
        self.at = at;
        self.last = Last::Other;
        Handled::Moved
    }

    fn delete(&mut self, from: usize, to: usize) -> Handled {
        if from == to {
            return Handled::Moved;
        }
        self.remember();
        self.text.replace_range(from..to, "");
        self.at = motion::floor(&self.text, from);
        self.last = Last::Other;
        Handled::Changed
    }

    fn kill(&mut self, from: usize, to: usize) -> Handled {
        if from == to {
            return Handled::Moved;
        }
        let text = self.text[from..to].to_owned();
        let forward = from == self.at;
        match self.killed.last_mut().filter(|_| self.last == Last::Killed) {
            Some(killed) if forward => killed.push_str(&text),
            Some(killed) => killed.insert_str(0, &text),
            None => {
                if self.killed.len() == KILLED_MAX {
                    self.killed.remove(0);
                }
                self.killed.push(text);
            }
        }
        self.delete(from, to);
        self.last = Last::Killed;
        Handled::Changed
    }

    fn yank(&mut self) -> Handled {
        let Some(text) = self.killed.last().cloned() else { return Handled::Moved };
        self.remember();
        let from = self.at;
        self.put(&text);
        self.yanked = Some((self.killed.len() - 1, from));
        self.last = Last::Yanked;
        Handled::Changed
    }

    fn yank_another(&mut self) -> Handled {
        let Some((which, from)) = self.yanked.filter(|_| self.last == Last::Yanked) else {
            return Handled::Moved;
        };
        let which = which.checked_sub(1).unwrap_or(self.killed.len() - 1);
        let text = self.killed[which].clone();
        self.text.replace_range(from..self.at, "");
        self.at = from;
        self.put(&text);
        self.yanked = Some((which, from));
        Handled::Changed
    }

    /// The two characters around the cursor change places; at the end, the two before it.
    fn swap(&mut self) -> Handled {
        let line_end = self.at == motion::line_end(&self.text, self.at);
        let middle = if line_end { motion::before(&self.text, self.at) } else { self.at };
        let (from, to) = (motion::before(&self.text, middle), motion::after(&self.text, middle));
        if from == middle || middle == to || self.text[from..to].contains('\n') {
            return Handled::Moved;
        }
        self.remember();
        let swapped = format!("{}{}", &self.text[middle..to], &self.text[from..middle]);
        self.text.replace_range(from..to, &swapped);
        self.at = motion::ceiling(&self.text, to);
        self.last = Last::Other;
        Handled::Changed
    }

    fn capital(&mut self) -> Handled {
        let to = motion::word_after(&self.text, self.at);
        let mut first = true;
        let mut word = String::new();
        for character in self.text[self.at..to].chars() {
            if first && character.is_alphanumeric() {
                word.extend(character.to_uppercase());
                first = false;
            } else {
                word.extend(character.to_lowercase());
            }
        }
        self.replace(self.at, to, &word);
        Handled::Changed
    }

    fn line_up(&mut self) -> Handled {
        let start = motion::line_start(&self.text, self.at);
        if start == 0 {
            return Handled::No;
        }
        let column = motion::column(&self.text, start, self.at);
        let above = motion::line_start(&self.text, start - 1);
        self.to(motion::at_column(&self.text, above, column))
    }

    fn line_down(&mut self) -> Handled {
        let end = motion::line_end(&self.text, self.at);
        if end == self.text.len() {
            return Handled::No;
        }
        let column = motion::column(&self.text, motion::line_start(&self.text, self.at), self.at);
        self.to(motion::at_column(&self.text, end + 1, column))
    }

    fn remember(&mut self) {
        if self.undo.len() == UNDO_MAX {
            self.undo.remove(0);
        }
        self.undo.push((self.text.clone(), self.at));
    }

    fn undone(&mut self) -> Handled {
        let Some((text, at)) = self.undo.pop() else { return Handled::Moved };
        (self.text, self.at) = (text, at);
        self.last = Last::Other;
        Handled::Changed
    }
}

/// As much of a text as fits, cut between characters.
fn limited(text: &str, most: usize) -> &str {
    if text.len() <= most {
        return text;
    }
    let mut end = most;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
