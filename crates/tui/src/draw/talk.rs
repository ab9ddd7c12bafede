//! The conversation in its place on the screen.

use chinwag_client::{BufferKind, HistoryState, Link};
use ratatui::layout::Rect;

use crate::app::App;
use crate::app::places::Place;
use crate::app::view;
use crate::screen::Screen;
use crate::text::{Piece, Row, clean, wrap};

pub(super) fn conversation(app: &mut App, place: Place, screen: &mut Screen) {
    let area = app.map.talk;
    let held = app.views.get(&place).and_then(|view| view.held);
    let look = app.look_at(place, usize::from(area.width));
    let Some(buffer) = app.buffer_of(place) else { return };
    let height = usize::from(area.height);
    let mut shown = view::shown(buffer, held, height, &look);
    if shown.rows.is_empty() {
        let rows = empty(app, place, usize::from(area.width));
        centered(screen, area, &rows);
    } else if shown.from_start && shown.rows.len() < height {
        shown.rows.insert(0, start(app, place));
    }
    // Rows stand at the bottom, as they come.
    let top = area.bottom() - (shown.rows.len() as u16).min(area.height);
    for (row, pieces) in (top..area.bottom()).zip(&shown.rows) {
        screen.row(area.x, row, area.right(), pieces);
    }
    app.map.lines = shown.lines;
}

/// What is before the first line that is held.
fn start(app: &App, place: Place) -> Row {
    let loading = app.buffer_of(place).is_some_and(|buffer| buffer.history == HistoryState::Loading);
    let text = if loading { " fetching what was said before…" } else { "" };
    vec![Piece::new(text, app.theme.dim)]
}

/// What is said where nothing has been said.
fn empty(app: &App, place: Place, columns: usize) -> Vec<Row> {
    let theme = &app.theme;
    let Some(buffer) = app.buffer_of(place) else { return Vec::new() };
    let online = app.servers.get(place.server).is_some_and(|server| server.client.is_online());
    let link = app.servers.get(place.server).map(|server| server.client.link());
    let name = clean(&buffer.name);
    let mut sentences: Vec<(String, ratatui::style::Style)> = Vec::new();
    match (link, buffer.kind) {
        (Some(Link::Refused { why }), _) => sentences.push((clean(why), theme.error)),
        _ if !online => sentences.push((format!("connecting to {name}…"), theme.dim)),
        (_, BufferKind::Room) if buffer.history == HistoryState::Loading => {
            sentences.push(("fetching what was said before…".to_owned(), theme.dim));
        }
        (_, BufferKind::Room) => {
            sentences.push((name, theme.accent));
            sentences.push(("Nothing has been said here yet. Say hello.".to_owned(), theme.text));
            sentences.push((String::new(), theme.text));
            sentences.push(("F1 shows what you can do".to_owned(), theme.dim));
        }
        (_, BufferKind::Person) => {
            sentences.push((name.clone(), theme.accent));
            sentences.push((format!("What you write here is for {name} alone."), theme.text));
        }
        (_, BufferKind::Server) => {
            sentences.push(("/join #room enters a room, /list shows what there is".to_owned(), theme.dim));
        }
    }
    let width = columns.saturating_sub(4).max(1);
    sentences.into_iter().flat_map(|(text, style)| wrap::words(&[Piece::new(text, style)], width)).collect()
}

fn centered(screen: &mut Screen, area: Rect, rows: &[Row]) {
    let top = area.y + area.height.saturating_sub(rows.len() as u16) / 2;
    for (row, pieces) in (top..area.bottom()).zip(rows) {
        let width = crate::text::width_of(pieces) as u16;
        screen.row(area.x + area.width.saturating_sub(width) / 2, row, area.right(), pieces);
    }
}
