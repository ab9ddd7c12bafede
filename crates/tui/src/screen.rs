//! What is to be seen: cells, where links lead, where the cursor stands.

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use crate::text::Piece;

/// One picture of the whole screen.
#[derive(Debug, Clone, Default)]
pub struct Screen {
    /// The cells.
    pub buffer: Buffer,
    /// Where each cell leads: 0 nowhere, otherwise one more than an index of `targets`.
    leads: Vec<u16>,
    targets: Vec<Arc<str>>,
    /// Where the cursor stands, column and row; hidden when none.
    pub cursor: Option<(u16, u16)>,
}

impl Screen {
    /// An empty one of a size, all of it in one style.
    pub fn new(width: u16, height: u16, ground: Style) -> Screen {
        let area = Rect::new(0, 0, width, height);
        let mut buffer = Buffer::empty(area);
        buffer.set_style(area, ground);
        Screen { buffer, leads: vec![0; area.area() as usize], targets: Vec::new(), cursor: None }
    }

    /// The whole.
    pub fn area(&self) -> Rect {
        self.buffer.area
    }

    /// Where a cell leads.
    pub fn link(&self, column: u16, row: u16) -> Option<&Arc<str>> {
        let lead = *self.leads.get(self.index(column, row)?)?;
        self.targets.get(usize::from(lead).checked_sub(1)?)
    }

    fn index(&self, column: u16, row: u16) -> Option<usize> {
        let area = self.buffer.area;
        let inside = column < area.width && row < area.height;
        inside.then(|| usize::from(row) * usize::from(area.width) + usize::from(column))
    }

    /// Puts a text of one style at a place, at most to `end` (not included). Gives the column behind it.
    pub fn text(&mut self, column: u16, row: u16, end: u16, text: &str, style: Style) -> u16 {
        let area = self.buffer.area;
        let end = end.min(area.width);
        if row >= area.height {
            return column;
        }
        let mut at = column;
        for character in text.graphemes(true) {
            let width = u16::try_from(character.width()).unwrap_or(0);
            // What has no width of its own shows with nothing before it nowhere.
            if width == 0 {
                continue;
            }
            if at.saturating_add(width) > end {
                break;
            }
            self.buffer[(at, row)].set_symbol(character).set_style(style);
            for covered in at + 1..at + width {
                self.buffer[(covered, row)].set_symbol(" ").set_style(style);
            }
            at += width;
        }
        at
    }

    /// Puts pieces beside each other, at most to `end`. Gives the column behind them.
    pub fn row(&mut self, column: u16, row: u16, end: u16, pieces: &[Piece]) -> u16 {
        let mut at = column;
        for piece in pieces {
            let from = at;
            at = self.text(at, row, end, &piece.text, piece.style);
            if let Some(target) = &piece.link {
                self.lead(from, at, row, target);
            }
        }
        at
    }

    fn lead(&mut self, from: u16, to: u16, row: u16, target: &Arc<str>) {
        let known = self.targets.iter().position(|known| known == target);
        let number = known.unwrap_or_else(|| {
            self.targets.push(Arc::clone(target));
            self.targets.len() - 1
        });
        let Ok(number) = u16::try_from(number + 1) else { return };
        for column in from..to {
            if let Some(index) = self.index(column, row) {
                self.leads[index] = number;
            }
        }
    }

    /// Gives an area a style, without changing what stands there.
    pub fn shade(&mut self, area: Rect, style: Style) {
        self.buffer.set_style(area, style);
    }

    /// Empties an area and gives it a style.
    pub fn clear(&mut self, area: Rect, style: Style) {
        let area = area.intersection(self.buffer.area);
        for row in area.top()..area.bottom() {
            for column in area.left()..area.right() {
                let cell = &mut self.buffer[(column, row)];
                cell.reset();
                cell.set_style(style);
                let index = usize::from(row) * usize::from(self.buffer.area.width) + usize::from(column);
                self.leads[index] = 0;
            }
        }
    }
}
