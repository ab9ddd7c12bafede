//! Rows of a width: at blanks, between characters of East Asia, and inside a word only when it fits nowhere.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use super::{Piece, Row};

/// One character as people see it.
struct Cell<'a> {
    text: &'a str,
    width: usize,
    /// Which piece it belongs to.
    piece: usize,
}

impl Cell<'_> {
    fn blank(&self) -> bool {
        self.text == " "
    }
}

/// Wraps pieces at words into rows of at most `columns` (at least 1). Always gives a row.
pub fn words(pieces: &[Piece], columns: usize) -> Vec<Row> {
    rows(pieces, columns, true)
}

/// Cuts pieces into rows of at most `columns`, wherever that is.
pub fn anywhere(pieces: &[Piece], columns: usize) -> Vec<Row> {
    rows(pieces, columns, false)
}

fn rows(pieces: &[Piece], columns: usize, at_words: bool) -> Vec<Row> {
    let columns = columns.max(1);
    let cells: Vec<Cell<'_>> = pieces
        .iter()
        .enumerate()
        .flat_map(|(piece, of)| {
            let cell = move |text| Cell { text, width: UnicodeWidthStr::width(text), piece };
            of.text.graphemes(true).map(cell)
        })
        .collect();
    let mut rows = Vec::new();
    let mut start = 0;
    while start < cells.len() {
        let (end, next) = cut(&cells, start, columns, at_words);
        rows.push(row(&cells[start..end], pieces));
        start = next;
    }
    if rows.is_empty() {
        rows.push(Vec::new());
    }
    rows
}

/// Where the row that begins at `start` ends, and where the next one begins.
fn cut(cells: &[Cell<'_>], start: usize, columns: usize, at_words: bool) -> (usize, usize) {
    let mut width = 0;
    let mut at = start;
    // The last place where the row may end, and where the next begins then.
    let mut chance = None;
    while let Some(cell) = cells.get(at) {
        if at > start && at_words {
            let before = &cells[at - 1];
            if cell.blank() && !before.blank() {
                let next = (at..cells.len()).find(|next| !cells[*next].blank()).unwrap_or(cells.len());
                chance = Some((at, next));
            } else if !cell.blank() && !before.blank() && (cell.width == 2 || before.width == 2) {
                chance = Some((at, at));
            }
        }
        if width + cell.width > columns {
            if at == start {
                // Wider than a row: it is shown alone rather than never.
                return (at + 1, at + 1);
            }
            return chance.filter(|(end, _)| *end > start).unwrap_or((at, at));
        }
        width += cell.width;
        at += 1;
    }
    (at, at)
}

fn row(cells: &[Cell<'_>], pieces: &[Piece]) -> Row {
    let mut row: Row = Vec::new();
    let mut last = None;
    for cell in cells {
        let of = &pieces[cell.piece];
        match row.last_mut().filter(|_| last == Some(cell.piece)) {
            Some(piece) => piece.text.push_str(cell.text),
            None => row.push(Piece { text: cell.text.to_owned(), style: of.style, link: of.link.clone() }),
        }
        last = Some(cell.piece);
    }
    row
}
