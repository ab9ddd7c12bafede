//! A picture of the screen as the bytes that bring a terminal from the last one to it.
//!
//! For any terminal that knows ANSI sequences, near or at the other end of ssh: only rows that differ are written,
//! from their first to their last different cell, within a synchronized update (mode 2026), links as OSC 8.

use std::fmt::Write as _;

use ratatui::buffer::Cell;
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr;

use crate::screen::Screen;

/// What a terminal shows, as far as we have written it.
#[derive(Debug, Default)]
pub struct Painter {
    shown: Option<Screen>,
}

/// Another screen of the terminal, with pastes, focus, and where wanted the mouse told; the window's title is put
/// aside, and the colour of the ground is asked for.
pub fn enter(mouse: bool) -> Vec<u8> {
    let mut bytes = b"\x1b[?1049h\x1b[22;2t\x1b[?2004h\x1b[?1004h\x1b]11;?\x1b\\".to_vec();
    bytes.extend(set_mouse(mouse));
    bytes
}

/// Everything as it was before [`enter`]. May be written at any time, also without it.
pub fn leave() -> &'static [u8] {
    b"\x1b[?2026l\x1b]8;;\x1b\\\x1b[0m\x1b[?1006l\x1b[?1000l\x1b[?1004l\x1b[?2004l\x1b[?25h\x1b[?1049l\x1b[23;2t"
}

/// Whether the terminal tells of the mouse: clicks and the wheel, in the SGR form.
pub fn set_mouse(on: bool) -> &'static [u8] {
    if on { b"\x1b[?1000h\x1b[?1006h" } else { b"\x1b[?1006l\x1b[?1000l" }
}

impl Painter {
    /// Forgets what the terminal shows: the next picture is written whole.
    pub fn forget(&mut self) {
        self.shown = None;
    }

    /// The bytes that lead to a picture; none when nothing differs.
    pub fn paint(&mut self, screen: Screen) -> Vec<u8> {
        let mut out = Output::default();
        let before = self.shown.take().filter(|shown| shown.area() == screen.area());
        if before.is_none() {
            out.text.push_str("\x1b[0m\x1b[2J");
        }
        for row in 0..screen.area().height {
            if let Some((from, to)) = differs(before.as_ref(), &screen, row) {
                out.row(&screen, row, from, to);
            }
        }
        let moved = before.as_ref().is_none_or(|before| before.cursor != screen.cursor);
        let cursor = screen.cursor;
        self.shown = Some(screen);
        if out.text.is_empty() && !moved {
            return Vec::new();
        }
        out.link("");
        let end = match cursor {
            Some((column, row)) => format!("\x1b[0m\x1b[{};{}H\x1b[?25h", row + 1, column + 1),
            None => "\x1b[0m".to_owned(),
        };
        format!("\x1b[?2026h\x1b[?25l{}{end}\x1b[?2026l", out.text).into_bytes()
    }
}

/// From which column to which one (not included) a row must be written.
fn differs(before: Option<&Screen>, now: &Screen, row: u16) -> Option<(u16, u16)> {
    let width = now.area().width;
    let Some(before) = before else { return Some((0, width)) };
    let same = |column: u16| {
        before.buffer[(column, row)] == now.buffer[(column, row)]
            && before.link(column, row) == now.link(column, row)
    };
    let first = (0..width).find(|column| !same(*column))?;
    let last = (0..width).rev().find(|column| !same(*column))?;
    // Half of a wide character cannot be written, nor be left behind.
    let wide = |screen: &Screen, column: u16| screen.buffer[(column, row)].symbol().width() > 1;
    let from = first.checked_sub(1).filter(|left| wide(before, *left) || wide(now, *left)).unwrap_or(first);
    let to = if wide(before, last) || wide(now, last) { last + 2 } else { last + 1 };
    Some((from, to.min(width)))
}

#[derive(Default)]
struct Output {
    text: String,
    style: Option<(Color, Color, Modifier)>,
    link: String,
}

impl Output {
    fn row(&mut self, screen: &Screen, row: u16, from: u16, to: u16) {
        // Writing to a string cannot fail, here and below.
        let _ = write!(self.text, "\x1b[{};{}H", row + 1, from + 1);
        let mut column = from;
        while column < to {
            let cell = &screen.buffer[(column, row)];
            self.style(cell);
            let target = screen.link(column, row).map_or("", |target| target.as_ref());
            self.link(target);
            self.text.push_str(cell.symbol());
            column += u16::try_from(cell.symbol().width()).unwrap_or(1).max(1);
        }
        self.link("");
    }

    fn link(&mut self, target: &str) {
        if self.link == target {
            return;
        }
        target.clone_into(&mut self.link);
        if target.is_empty() {
            self.text.push_str("\x1b]8;;\x1b\\");
            return;
        }
        // The same id: parts of a link in several rows are one.
        let id = target.bytes().fold(17u32, |id, byte| id.wrapping_mul(31).wrapping_add(byte.into()));
        let _ = write!(self.text, "\x1b]8;id={id:x};");
        for byte in target.bytes() {
            match byte {
                0x21..=0x7e => self.text.push(char::from(byte)),
                other => {
                    let _ = write!(self.text, "%{other:02X}");
                }
            }
        }
        self.text.push_str("\x1b\\");
    }

    fn style(&mut self, cell: &Cell) {
        let style = (cell.fg, cell.bg, cell.modifier);
        if self.style == Some(style) {
            return;
        }
        self.style = Some(style);
        self.text.push_str("\x1b[0");
        const CODES: [(Modifier, u8); 8] = [
            (Modifier::BOLD, 1),
            (Modifier::DIM, 2),
            (Modifier::ITALIC, 3),
            (Modifier::UNDERLINED, 4),
            (Modifier::SLOW_BLINK, 5),
            (Modifier::REVERSED, 7),
            (Modifier::HIDDEN, 8),
            (Modifier::CROSSED_OUT, 9),
        ];
        for (modifier, code) in CODES {
            if cell.modifier.contains(modifier) {
                let _ = write!(self.text, ";{code}");
            }
        }
        self.colour(cell.fg, 30);
        self.colour(cell.bg, 40);
        self.text.push('m');
    }

    /// `base` is 30 for letters, 40 for the ground.
    fn colour(&mut self, colour: Color, base: u8) {
        const NAMED: [Color; 16] = [
            Color::Black,
            Color::Red,
            Color::Green,
            Color::Yellow,
            Color::Blue,
            Color::Magenta,
            Color::Cyan,
            Color::Gray,
            Color::DarkGray,
            Color::LightRed,
            Color::LightGreen,
            Color::LightYellow,
            Color::LightBlue,
            Color::LightMagenta,
            Color::LightCyan,
            Color::White,
        ];
        let code = match colour {
            Color::Reset => return,
            Color::Indexed(number) => format!("{};5;{number}", base + 8),
            Color::Rgb(red, green, blue) => format!("{};2;{red};{green};{blue}", base + 8),
            named => match NAMED.iter().position(|known| *known == named) {
                Some(number @ 0..=7) => (usize::from(base) + number).to_string(),
                Some(number) => (usize::from(base) + 60 + number - 8).to_string(),
                None => return,
            },
        };
        let _ = write!(self.text, ";{code}");
    }
}

#[cfg(test)]
mod tests {
    use ratatui::style::Style;

    use super::*;
    use crate::text::Piece;

    fn screen(text: &str) -> Screen {
        let mut screen = Screen::new(10, 2, Style::new());
        screen.text(0, 0, 10, text, Style::new());
        screen
    }

    fn painted(painter: &mut Painter, screen: Screen) -> String {
        String::from_utf8(painter.paint(screen)).unwrap()
    }

    #[test]
    fn only_what_differs_is_written() {
        let mut painter = Painter::default();
        assert!(painted(&mut painter, screen("hello")).contains("\x1b[2J"));
        assert_eq!(painted(&mut painter, screen("hello")), "");
        let change = painted(&mut painter, screen("hexlo"));
        assert_eq!(change, "\x1b[?2026h\x1b[?25l\x1b[1;3H\x1b[0mx\x1b[0m\x1b[?2026l");
    }

    #[test]
    fn wide_characters_are_written_whole() {
        let mut painter = Painter::default();
        painter.paint(screen("a漢b"));
        assert!(painted(&mut painter, screen("a字b")).contains("\x1b[1;2H\x1b[0m字"));
        assert!(painted(&mut painter, screen("ax b")).contains("\x1b[1;2H\x1b[0mx "));
        assert!(painted(&mut painter, screen("a漢b")).contains("\x1b[1;2H\x1b[0m漢"));
    }

    #[test]
    fn a_link_is_written_anew_where_it_leads_elsewhere() {
        let linked = |target: &str| {
            let mut screen = screen("");
            let link = Some(target.into());
            screen.row(0, 0, 10, &[Piece { text: "here".to_owned(), style: Style::new(), link }]);
            screen
        };
        let mut painter = Painter::default();
        painter.paint(linked("https://a.example/"));
        let change = painted(&mut painter, linked("https://b.example/ü"));
        assert!(change.contains(";https://b.example/%C3%BC\x1b\\here\x1b]8;;\x1b\\"), "{change:?}");
    }

    #[test]
    fn the_cursor_alone_is_moved() {
        let mut painter = Painter::default();
        painter.paint(screen("a"));
        let mut moved = screen("a");
        moved.cursor = Some((1, 0));
        assert!(painted(&mut painter, moved).contains("\x1b[1;2H\x1b[?25h"));
    }
}
