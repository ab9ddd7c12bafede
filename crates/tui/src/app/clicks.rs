//! The mouse: the wheel scrolls, a click opens a room, somebody's name, or a link's copy.

use chinwag_client::Millis;
use ratatui::layout::Position;

use super::App;
use super::overlay::Overlay;
use crate::input::{Mouse, MouseDeed};

/// Rows of a turn of the wheel.
const WHEEL: isize = 3;

impl App {
    pub(crate) fn clicked(&mut self, mouse: Mouse, now: Millis) {
        let at = Position::new(mouse.column, mouse.row);
        match mouse.deed {
            MouseDeed::WheelUp | MouseDeed::WheelDown => {
                let up = mouse.deed == MouseDeed::WheelUp;
                match &mut self.overlay {
                    Some(Overlay::Help(row)) if up => *row = row.saturating_sub(3),
                    Some(Overlay::Help(row)) => {
                        *row = (*row + 3).min(crate::draw::help_rows(self.size.0).saturating_sub(10))
                    }
                    Some(_) => {}
                    None if self.map.rooms.contains(at) => self.step(if up { -1 } else { 1 }),
                    None => self.scroll(if up { -WHEEL } else { WHEEL }, now),
                }
            }
            MouseDeed::Left => self.left(at, now),
            MouseDeed::Middle | MouseDeed::Right => {}
        }
    }

    fn left(&mut self, at: Position, now: Millis) {
        if matches!(self.overlay, Some(Overlay::Help(_))) {
            self.overlay = None;
            return;
        }
        if self.overlay.is_some() {
            return;
        }
        let place = self.map.places.iter().find(|(row, _)| *row == at.y && self.map.rooms.contains(at));
        if let Some((_, place)) = place {
            return self.show(*place);
        }
        let member = self.map.nicks.iter().find(|(row, _)| *row == at.y && self.map.members.contains(at));
        if let Some((_, nick)) = member {
            let nick = nick.clone();
            let end = if self.editor.is_empty() { ": " } else { " " };
            self.editor.insert(&format!("{nick}{end}"));
        } else if self.map.below.contains(at) {
            self.scroll_end(now);
        }
    }
}
