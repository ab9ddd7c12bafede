//! How everything looks: a bar with the room, the list of rooms, the conversation, members, a bar, the editor.
//!
//! ```text
//!  localhost       │ #lobby  what it is about          12 here
//!  1 #lobby        │ 14:02   ann  hello                @ann
//!  2 #rust      3  │ 14:03   bob  hi                    bob
//!  ann · 2 unread                                     F1 help
//!  › the editor
//! ```

mod bars;
mod editor;
mod help;
mod lists;
mod overlays;
mod talk;

#[cfg(test)]
mod tests;

use std::ops::Range;
use std::sync::Arc;

use chinwag_client::{BufferKind, Millis};
use ratatui::layout::Rect;

use crate::app::App;
use crate::app::places::Place;
use crate::screen::Screen;

pub(crate) use help::rows as help_rows;

/// Narrower than this nothing can be shown but a word.
const COLUMNS_MIN: u16 = 12;
const ROWS_MIN: u16 = 4;

/// Where things are, for the mouse and for scrolling.
#[derive(Debug, Default)]
pub(crate) struct Map {
    /// The list of rooms.
    pub rooms: Rect,
    /// Rows of the list, and which place each is.
    pub places: Vec<(u16, Place)>,
    /// The conversation.
    pub talk: Rect,
    /// The members.
    pub members: Rect,
    /// Rows of the members, and who each is.
    pub nicks: Vec<(u16, Arc<str>)>,
    /// The bar under the conversation.
    pub below: Rect,
    /// The lines of the conversation that are shown, as indexes.
    pub lines: Range<usize>,
}

/// The whole picture.
pub(crate) fn screen(app: &mut App, now: Millis) -> Screen {
    let (columns, rows) = app.size();
    let mut screen = Screen::new(columns, rows, app.theme.text);
    if columns < COLUMNS_MIN || rows < ROWS_MIN {
        screen.text(0, 0, columns, "too small", app.theme.text);
        app.map = Map::default();
        return screen;
    }
    app.map = areas(app);
    match app.place {
        Some(place) => {
            lists::rooms(app, &mut screen);
            bars::top(app, &mut screen);
            talk::conversation(app, place, &mut screen);
            lists::members(app, &mut screen);
            bars::below(app, &mut screen, now);
            editor::line(app, &mut screen);
        }
        None => bars::nobody(app, &mut screen),
    }
    overlays::over(app, &mut screen);
    screen
}

fn areas(app: &App) -> Map {
    let (columns, rows) = app.size();
    let editor_rows = editor::rows(app, columns).min(rows / 2).max(1);
    let below = Rect::new(0, rows - editor_rows - 1, columns, 1);
    let height = below.y - 1;
    let rooms_columns = match columns {
        ..64 => 0,
        64..100 => 17,
        100..140 => 21,
        _ => 25,
    };
    let in_room = app.buffer().is_some_and(|buffer| buffer.kind == BufferKind::Room);
    let wanted = app.members.unwrap_or(columns >= 100) && in_room;
    let left = columns - rooms_columns;
    let members_columns = match left {
        ..40 => 0,
        40..90 if app.members == Some(true) => 15,
        40..60 => 0,
        _ => 17,
    };
    let members_columns = if wanted { members_columns } else { 0 };
    // One column of each list is the line beside it.
    Map {
        rooms: Rect::new(0, 1, rooms_columns, height),
        talk: Rect::new(rooms_columns, 1, columns - rooms_columns - members_columns, height),
        members: Rect::new(columns - members_columns, 1, members_columns, height),
        below,
        ..Map::default()
    }
}
