//! What lies over the screen, in a box in the middle or over the editor.

use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_width::UnicodeWidthStr;

use super::help::{self, HelpRow};
use crate::app::App;
use crate::app::overlay::{Nickname, Overlay, Sent, Switcher};
use crate::editor::Editor;
use crate::screen::Screen;
use crate::text::{Piece, clean, fill, fit, wrap};

pub(super) fn over(app: &App, screen: &mut Screen) {
    match &app.overlay {
        None => {}
        Some(Overlay::Help(from)) => overview(app, screen, *from),
        Some(Overlay::Switcher(switcher)) => switcher_box(app, screen, switcher),
        Some(Overlay::Paste(text)) => paste(app, screen, text),
        Some(Overlay::Links(links, at)) => {
            let rows: Vec<String> = links.iter().map(|link| clean(link)).collect();
            list(app, screen, "Links", "Enter copies · Esc", &rows, *at);
        }
        Some(Overlay::Nickname(question)) => nickname(app, screen, question),
        Some(Overlay::Stop(title, why)) => stop(app, screen, title, why),
        Some(Overlay::Sent(search)) => sent(app, screen, search),
    }
}

/// A box of a size in the middle, emptied and framed. Gives what is inside.
fn frame(app: &App, screen: &mut Screen, columns: u16, rows: u16, title: &str, foot: &str) -> Rect {
    let whole = screen.area();
    let (width, height) = (columns.min(whole.width), rows.min(whole.height));
    let area = Rect::new((whole.width - width) / 2, (whole.height - height) / 3, width, height);
    let theme = &app.theme;
    screen.clear(area, theme.text);
    let line = "─".repeat(usize::from(width.saturating_sub(2)));
    screen.text(area.x, area.y, area.right(), &format!("╭{line}╮"), theme.rule);
    screen.text(area.x, area.bottom() - 1, area.right(), &format!("╰{line}╯"), theme.rule);
    for row in area.y + 1..area.bottom() - 1 {
        screen.text(area.x, row, area.right(), "│", theme.rule);
        screen.text(area.right() - 1, row, area.right(), "│", theme.rule);
    }
    screen.text(area.x + 2, area.y, area.right() - 1, &format!(" {title} "), theme.accent);
    let room = usize::from(width.saturating_sub(6));
    let foot = fit(foot, room);
    let foot_at = area.right().saturating_sub(foot.width() as u16 + 4);
    screen.text(foot_at, area.bottom() - 1, area.right() - 1, &format!(" {foot} "), theme.dim);
    Rect::new(area.x + 2, area.y + 1, width.saturating_sub(4), height.saturating_sub(2))
}

/// An editor of one line, and the cursor in it.
fn field(app: &App, screen: &mut Screen, area: Rect, editor: &Editor, hint: &str) {
    let at = screen.text(area.x, area.y, area.right(), "› ", app.theme.accent);
    if editor.is_empty() {
        screen.text(at, area.y, area.right(), hint, app.theme.dim);
    }
    // The end of a long text is what is being typed.
    let before = &editor.text()[..editor.at()];
    let space = usize::from(area.right().saturating_sub(at + 1));
    let hidden: usize = before.chars().count().saturating_sub(space);
    let shown: String = editor.text().chars().skip(hidden).collect();
    let before: String = before.chars().skip(hidden).collect();
    screen.text(at, area.y, area.right(), &clean(&shown), Style::new());
    screen.cursor = Some((at + before.width() as u16, area.y));
}

fn overview(app: &App, screen: &mut Screen, from: usize) {
    let theme = &app.theme;
    let whole = screen.area();
    let table = help::table(whole.width);
    let rows = (table.len() as u16 + 2).min(whole.height.saturating_sub(2).max(3));
    let wide = whole.width >= 72;
    let area = frame(app, screen, 86, rows, "What you can do", "↑ ↓ scroll · any other key closes");
    let left = if wide { 32 } else { area.width };
    let from = from.min(table.len().saturating_sub(usize::from(area.height)));
    for (row, entry) in (area.top()..area.bottom()).zip(table.iter().skip(from)) {
        match entry {
            HelpRow::Space => {}
            HelpRow::Heading(heading) => {
                screen.text(area.x, row, area.right(), heading, theme.accent);
            }
            HelpRow::Below(what) => {
                screen.text(area.x + help::INDENT, row, area.right(), what, theme.dim);
            }
            HelpRow::Entry(key, what) => {
                let key = fit(key, usize::from(left) - 2);
                screen.text(area.x + 1, row, area.x + left, &key, theme.text);
                let room = usize::from(area.right().saturating_sub(area.x + left));
                screen.text(area.x + left, row, area.right(), &fit(what, room), theme.dim);
            }
        }
    }
    screen.cursor = None;
}

fn switcher_box(app: &App, screen: &mut Screen, switcher: &Switcher) {
    let theme = &app.theme;
    let rows = (app.places().len().max(3) as u16 + 4).min(16);
    let area = frame(app, screen, 46, rows, "Go to", "Enter opens · Esc");
    field(app, screen, Rect { height: 1, ..area }, &switcher.typed, "some letters of its name");
    let list = Rect { y: area.y + 2, height: area.height.saturating_sub(2), ..area };
    if switcher.found.is_empty() {
        screen.text(list.x, list.y, list.right(), "no room has these letters", theme.dim);
    }
    let from = (switcher.chosen + 1).saturating_sub(usize::from(list.height));
    for (row, (number, place)) in
        (list.top()..list.bottom()).zip(switcher.found.iter().enumerate().skip(from))
    {
        let Some(buffer) = app.buffer_of(*place) else { continue };
        let chosen = number == switcher.chosen;
        if chosen {
            screen.shade(Rect::new(list.x - 1, row, list.width + 2, 1), theme.here);
        }
        let on = |style: Style| if chosen { theme.here } else { style };
        let badge = match (buffer.mentions, buffer.unread) {
            (0, 0) => String::new(),
            (0, unread) => unread.to_string(),
            (mentions, _) => format!("@{mentions}"),
        };
        let edge = list.right().saturating_sub(badge.width() as u16);
        let name = fit(&clean(&buffer.name), usize::from(edge.saturating_sub(list.x + 1)));
        let at = screen.text(list.x, row, edge, &name, on(theme.text));
        if app.servers() > 1 {
            let title = app.servers.get(place.server).map_or("", |server| server.title.as_str());
            screen.text(at + 2, row, edge.saturating_sub(1), &clean(title), on(theme.dim));
        }
        screen.text(edge, row, list.right(), &badge, on(theme.mention));
    }
}

fn paste(app: &App, screen: &mut Screen, text: &str) {
    let theme = &app.theme;
    let lines: Vec<&str> = text.split('\n').collect();
    let shown = lines.len().min(6) as u16;
    let more = lines.len() > usize::from(shown);
    let title = format!("Send {} lines?", lines.len());
    let foot = "Enter sends · E edits · Esc drops";
    let area = frame(app, screen, 70, shown + u16::from(more) + 2, &title, foot);
    for (row, line) in (area.top()..area.bottom()).zip(lines.iter().take(usize::from(shown))) {
        screen.text(area.x, row, area.right(), &fit(&clean(line), usize::from(area.width)), theme.text);
    }
    if more {
        let rest = format!("… and {} more", lines.len() - usize::from(shown));
        screen.text(area.x, area.bottom() - 1, area.right(), &rest, theme.dim);
    }
    screen.cursor = None;
}

fn list(app: &App, screen: &mut Screen, title: &str, foot: &str, rows: &[String], at: usize) {
    let theme = &app.theme;
    let height = (rows.len() as u16 + 2).min(14);
    let area = frame(app, screen, 76, height, title, foot);
    let from = (at + 1).saturating_sub(usize::from(area.height));
    for (row, (number, text)) in (area.top()..area.bottom()).zip(rows.iter().enumerate().skip(from)) {
        let style = if number == at { theme.here } else { theme.text };
        screen.text(area.x, row, area.right(), &fill(text, usize::from(area.width)), style);
    }
    screen.cursor = None;
}

fn nickname(app: &App, screen: &mut Screen, question: &Nickname) {
    let theme = &app.theme;
    let (title, foot) = match question.server {
        None => ("Welcome to chinwag", "Enter goes in · Ctrl-C leaves"),
        Some(_) => ("Another nickname", "Enter goes in · Esc"),
    };
    let area = frame(app, screen, 56, 9, title, foot);
    let room = usize::from(area.width);
    let ask = format!("What shall people on {} call you?", clean(&question.host));
    screen.text(area.x, area.y + 1, area.right(), &fit(&ask, room), theme.text);
    field(app, screen, Rect { y: area.y + 3, height: 1, ..area }, &question.typed, "a nickname");
    let (below, style) = match &question.problem {
        Some(problem) => (problem.as_str(), theme.error),
        None => ("it is remembered; /nick changes it", theme.dim),
    };
    let rows = wrap::words(&[Piece::new(clean(below), style)], room.saturating_sub(2));
    for (row, pieces) in (area.y + 4..area.bottom()).zip(&rows) {
        screen.row(area.x + 2, row, area.right(), pieces);
    }
}

fn stop(app: &App, screen: &mut Screen, title: &str, why: &str) {
    let room = usize::from(screen.area().width.saturating_sub(8).min(68)).max(10);
    let rows = wrap::words(&[Piece::new(why, app.theme.text)], room);
    let height = rows.len() as u16 + 4;
    let area = frame(app, screen, room as u16 + 4, height, &format!("{title}: stopped"), "any key closes");
    for (row, pieces) in (area.top() + 1..area.bottom()).zip(&rows) {
        screen.row(area.x, row, area.right(), pieces);
    }
    screen.cursor = None;
}

fn sent(app: &App, screen: &mut Screen, search: &Sent) {
    let area = frame(app, screen, 70, 5, "What you sent before", "Ctrl-R older · Enter takes it · Esc");
    field(app, screen, Rect { height: 1, ..area }, &search.typed, "some of its letters");
    let (text, style) = match &search.found {
        Some((_, text)) => (text.as_str(), app.theme.text),
        None if search.typed.is_empty() => ("", app.theme.dim),
        None => ("nothing like that", app.theme.dim),
    };
    screen.text(area.x + 2, area.y + 2, area.right(), &fit(&clean(text), usize::from(area.width) - 2), style);
}
