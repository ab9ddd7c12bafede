//! The list of rooms on the left, the members on the right.

use std::sync::Arc;

use chinwag_client::{Buffer, BufferKind};
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr;

use crate::app::App;
use crate::app::places::Place;
use crate::screen::Screen;
use crate::text::{clean, fit};

/// A row of the list: a place and its number, or the space between two servers.
type Entry = Option<(usize, Place)>;

fn entries(app: &App) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut server = None;
    for (number, place) in app.places().into_iter().enumerate() {
        if server.is_some_and(|server| server != place.server) {
            entries.push(None);
        }
        server = Some(place.server);
        entries.push(Some((number + 1, place)));
    }
    entries
}

pub(super) fn rooms(app: &mut App, screen: &mut Screen) {
    let area = app.map.rooms;
    if area.width == 0 {
        return;
    }
    for row in area.top()..area.bottom() {
        screen.text(area.right() - 1, row, area.right(), "│", app.theme.rule);
    }
    let entries = entries(app);
    let here = entries.iter().position(|entry| entry.is_some_and(|(_, place)| app.place == Some(place)));
    let height = usize::from(area.height);
    let from = here.unwrap_or(0).saturating_sub(height / 2).min(entries.len().saturating_sub(height));
    let mut places = Vec::new();
    for (row, entry) in (area.top()..area.bottom()).zip(entries.iter().skip(from)) {
        let Some((number, place)) = *entry else { continue };
        if let Some(buffer) = app.buffer_of(place) {
            room(app, screen, Rect::new(0, row, area.width - 1, 1), (number, place), buffer);
        }
        places.push((row, place));
    }
    app.map.places = places;
}

/// ` 2 #rust        3 `
fn room(app: &App, screen: &mut Screen, area: Rect, (number, place): (usize, Place), buffer: &Buffer) {
    let theme = &app.theme;
    let here = app.place == Some(place);
    if here {
        screen.shade(area, theme.here);
    }
    let on = |style| if here { theme.on_here(style) } else { style };
    let (badge, badge_style) = match (buffer.mentions, buffer.unread) {
        (0, 0) => (String::new(), theme.dim),
        (0, unread) => (many(unread), theme.dim),
        (mentions, _) => (format!(" {} ", many(mentions)), theme.badge),
    };
    // What is being looked at has nothing to call for.
    let badge = if here { String::new() } else { badge };
    let row = area.y;
    let edge = area.right() - u16::from(!badge.starts_with(' '));
    let badge_at = edge.saturating_sub(badge.width() as u16);
    let digits = if number < 100 { format!("{number:>2} ") } else { "   ".to_owned() };
    let at = screen.text(0, row, area.right(), &digits, if here { theme.here } else { theme.rule });
    let style = match (buffer.unread, buffer.joined, buffer.kind) {
        _ if here => theme.here,
        (_, false, _) => theme.dim,
        (_, _, BufferKind::Server) => theme.dim,
        (1.., ..) => theme.unread,
        _ => theme.text,
    };
    let name = match buffer.kind {
        BufferKind::Server => {
            app.servers.get(place.server).map_or_else(String::new, |server| clean(&server.title))
        }
        _ => clean(&buffer.name),
    };
    let room = usize::from(badge_at.saturating_sub(at + u16::from(!badge.is_empty())));
    screen.text(at, row, badge_at, &fit(&name, room), style);
    screen.text(badge_at, row, area.right(), &badge, on(badge_style));
}

fn many(count: u32) -> String {
    if count > 999 { "999+".to_owned() } else { count.to_string() }
}

pub(super) fn members(app: &mut App, screen: &mut Screen) {
    let area = app.map.members;
    if area.width == 0 {
        return;
    }
    for row in area.top()..area.bottom() {
        screen.text(area.x, row, area.x + 1, "│", app.theme.rule);
    }
    let mut nicks: Vec<(u16, Arc<str>)> = Vec::new();
    let theme = &app.theme;
    let Some(buffer) = app.buffer() else { return };
    let height = usize::from(area.height);
    let all = buffer.members.len();
    let shown = if all > height { height.saturating_sub(1) } else { all };
    for (row, member) in (area.top()..area.bottom()).zip(buffer.members.iter().take(shown)) {
        let role: String = member.roles.chars().take(1).collect();
        screen.text(area.x + 1, row, area.right(), &role, theme.dim);
        let nick = clean(&member.nick);
        let style = if member.away { theme.dim } else { theme.nick(&nick) };
        let space = usize::from(area.width - 3);
        let end = screen.text(area.x + 2, row, area.right(), &fit(&nick, space), style);
        if member.bot && usize::from(end - area.x) + 4 < usize::from(area.width) {
            screen.text(end + 1, row, area.right(), "bot", theme.rule);
        }
        nicks.push((row, Arc::clone(&member.nick)));
    }
    if shown < all {
        let more = format!("and {} more", all - shown);
        screen.text(area.x + 2, area.bottom() - 1, area.right(), &more, theme.dim);
    }
    app.map.nicks = nicks;
}
