//! Places in a text: characters as people see them, words, lines. All in bytes.

use unicode_segmentation::{GraphemeCursor, UnicodeSegmentation};
use unicode_width::UnicodeWidthStr;

/// The nearest place between two characters at or before `at`.
pub fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let mut cursor = GraphemeCursor::new(at, text.len(), true);
    if matches!(cursor.is_boundary(text, 0), Ok(true)) { at } else { before(text, at) }
}

/// The nearest place between two characters at or after `at`, which must be a boundary of UTF-8.
pub fn ceiling(text: &str, at: usize) -> usize {
    let mut cursor = GraphemeCursor::new(at, text.len(), true);
    if matches!(cursor.is_boundary(text, 0), Ok(true)) { at } else { after(text, at) }
}

/// The place a character before `at`.
pub fn before(text: &str, at: usize) -> usize {
    let mut cursor = GraphemeCursor::new(at, text.len(), true);
    cursor.prev_boundary(text, 0).ok().flatten().unwrap_or(0)
}

/// The place a character after `at`.
pub fn after(text: &str, at: usize) -> usize {
    let mut cursor = GraphemeCursor::new(at, text.len(), true);
    cursor.next_boundary(text, 0).ok().flatten().unwrap_or(text.len())
}

/// Where the word before `at` begins; a word is letters and digits.
pub fn word_before(text: &str, at: usize) -> usize {
    let head = text[..at].trim_end_matches(|c: char| !c.is_alphanumeric());
    floor(text, head.trim_end_matches(char::is_alphanumeric).len())
}

/// Where the word after `at` ends.
pub fn word_after(text: &str, at: usize) -> usize {
    let tail = text[at..].trim_start_matches(|c: char| !c.is_alphanumeric());
    ceiling(text, text.len() - tail.trim_start_matches(char::is_alphanumeric).len())
}

/// Where what stands before `at` without a blank begins.
pub fn blank_before(text: &str, at: usize) -> usize {
    let head = text[..at].trim_end_matches(char::is_whitespace);
    floor(text, head.trim_end_matches(|c: char| !c.is_whitespace()).len())
}

/// Where the line begins.
pub fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |end| end + 1)
}

/// Where the line ends.
pub fn line_end(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |end| at + end)
}

/// Columns between two places of a line.
pub fn column(text: &str, start: usize, at: usize) -> usize {
    text[start..at].width()
}

/// The place at a column of the line that begins at `start`, or the line's end.
pub fn at_column(text: &str, start: usize, column: usize) -> usize {
    let line = &text[start..line_end(text, start)];
    let mut width = 0;
    for (at, character) in line.grapheme_indices(true) {
        if width >= column {
            return start + at;
        }
        width += character.width();
    }
    start + line.len()
}
