//! Text as it is shown: pieces of one style, cleaned of what could move somebody's cursor, wrapped by width.
//!
//! What lives here: the marks in messages ([`markup`]), code ([`code`]), wrapping ([`wrap`]). What does not: what is
//! said by whom, and where it stands on the screen.

pub mod code;
pub mod markup;
pub mod wrap;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use ratatui::style::Style;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// A text of one style, which may lead somewhere.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Piece {
    /// The text, without control characters.
    pub text: String,
    /// Its style.
    pub style: Style,
    /// Where it leads.
    pub link: Option<Arc<str>>,
}

impl Piece {
    /// A text that leads nowhere.
    pub fn new(text: impl Into<String>, style: Style) -> Piece {
        Piece { text: text.into(), style, link: None }
    }
}

/// Pieces beside each other: a row of the screen.
pub type Row = Vec<Piece>;

/// How many columns pieces take.
pub fn width_of(row: &[Piece]) -> usize {
    row.iter().map(|piece| piece.text.width()).sum()
}

/// The text cut so that it fits, with `…` where something is missing.
pub fn fit(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut shown = String::new();
    let mut width = 0;
    for character in text.graphemes(true) {
        width += character.width();
        if width + 1 > columns {
            break;
        }
        shown.push_str(character);
    }
    if columns > 0 {
        shown.push('…');
    }
    shown
}

/// The same, and filled with blanks on the right.
pub fn fill(text: &str, columns: usize) -> String {
    let mut shown = fit(text, columns);
    let missing = columns.saturating_sub(shown.width());
    shown.extend(std::iter::repeat_n(' ', missing));
    shown
}

/// The same, and filled with blanks on the left.
pub fn fill_left(text: &str, columns: usize) -> String {
    let shown = fit(text, columns);
    let missing = columns.saturating_sub(shown.width());
    format!("{}{shown}", " ".repeat(missing))
}

/// One line without anything that moves a cursor or turns text around: for names, topics and the like.
pub fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\t' | '\n' => clean.push(' '),
            c if !shows(c) => {}
            c => clean.push(c),
        }
    }
    clean
}

/// Whether a character may be shown: no control, none that turns the direction of what follows.
pub(crate) fn shows(character: char) -> bool {
    let turns = matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
    let separates = matches!(character, '\u{2028}' | '\u{2029}');
    !character.is_control() && !turns && !separates
}
