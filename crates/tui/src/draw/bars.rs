//! The bar over the conversation, and the one under it.

use chinwag_client::{BufferKind, Link, Millis};
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr;

use crate::app::App;
use crate::screen::Screen;
use crate::text::{clean, fit, markup};

/// The server on the left, the room and its topic, who is here.
pub(super) fn top(app: &App, screen: &mut Screen) {
    let columns = screen.area().width;
    let theme = &app.theme;
    screen.shade(Rect::new(0, 0, columns, 1), theme.bar);
    let Some((client, buffer)) = app.here() else { return };
    let mut at = 1;
    if app.map.rooms.width > 0 {
        let name = match (app.servers.len(), app.place) {
            (1, _) => clean(&client.server().network),
            _ => "chinwag".to_owned(),
        };
        screen.text(
            1,
            0,
            app.map.rooms.width - 1,
            &fit(&name, usize::from(app.map.rooms.width) - 2),
            theme.bar_dim,
        );
        at = app.map.talk.x + 1;
    }
    let count = match buffer.kind {
        BufferKind::Room if !buffer.joined => "not in here".to_owned(),
        BufferKind::Room if buffer.members.is_empty() => String::new(),
        BufferKind::Room => format!("{} here", buffer.members.len()),
        BufferKind::Person => "conversation".to_owned(),
        BufferKind::Server => "server".to_owned(),
    };
    let right = columns.saturating_sub(count.width() as u16 + 1);
    screen.text(right, 0, columns, &count, theme.bar_dim);
    let name_end = right.saturating_sub(1).max(at);
    let name = fit(&clean(&buffer.name), usize::from(name_end - at));
    at = screen.text(at, 0, name_end, &name, theme.on_bar(theme.unread));
    let topic = buffer.topic.as_ref().map(|topic| markup::plain(&topic.text)).unwrap_or_default();
    let room = usize::from(right.saturating_sub(at + 4));
    if room > 5 {
        screen.text(at + 2, 0, right, &fit(&topic, room), theme.bar_dim);
    }
}

/// Who I am, how it stands with the link, what is unread elsewhere, who is typing.
pub(super) fn below(app: &mut App, screen: &mut Screen, now: Millis) {
    let area = app.map.below;
    let theme = app.theme.clone();
    screen.shade(area, theme.bar);
    let row = area.y;
    let end = area.width;
    let right = right_side(app);
    let right_at = end.saturating_sub(right.width() as u16 + 1);
    let scrolled = right.starts_with('↓');
    screen.text(
        right_at,
        row,
        end,
        &right,
        if scrolled { theme.on_bar(theme.mention) } else { theme.bar_dim },
    );
    let left_end = right_at.saturating_sub(1);
    let Some((client, buffer)) = app.here() else { return };
    let me = fit(&clean(&client.me().nick), usize::from(end / 3));
    let mut at = screen.text(1, row, left_end, &me, theme.on_bar(theme.nick(&me)));
    let mut add = |text: &str, style, gap: &str| {
        at = screen.text(at, row, left_end, gap, theme.bar_dim);
        let room = usize::from(left_end.saturating_sub(at));
        at = screen.text(at, row, left_end, &fit(text, room), style);
    };
    if client.me().away.is_some() {
        add("away", theme.bar_dim, " · ");
    }
    if let Some(state) = link(client.link(), now) {
        add(&state, theme.on_bar(theme.mention), " · ");
    }
    if let Some(hint) = &app.hint {
        return add(hint, theme.bar, "  ");
    }
    if let Some(completion) = &app.completion {
        for (number, offer) in completion.offered.iter().enumerate() {
            let here = completion.at == Some(number);
            add(&offer.shown, if here { theme.on_bar(theme.accent) } else { theme.bar_dim }, "  ");
        }
        return;
    }
    if let Some(search) = &app.search {
        return add(&found(search), theme.bar, "  ");
    }
    let typing: Vec<String> = buffer
        .typing
        .iter()
        .filter(|typing| typing.until_ms > now)
        .map(|typing| clean(&typing.nick))
        .collect();
    match typing.as_slice() {
        [] => {}
        [one] => add(&format!("{one} is typing…"), theme.bar_dim, "  "),
        [one, other] => add(&format!("{one} and {other} are typing…"), theme.bar_dim, "  "),
        _ => add("several people are typing…", theme.bar_dim, "  "),
    }
    for (name, count, mine) in unread(app) {
        let style = if mine { theme.on_bar(theme.mention) } else { theme.bar };
        add(&format!("{name} {count}"), style, "  ");
    }
}

fn found(search: &crate::app::Search) -> String {
    match (search.words.is_empty(), search.hits.len(), search.at) {
        (true, ..) => "type what to look for".to_owned(),
        (_, 0, _) => "not among what is loaded · ↑ looks further back".to_owned(),
        (_, count, at) => {
            let place = at.and_then(|at| search.hits.iter().position(|hit| *hit == at)).unwrap_or(count - 1);
            format!("{} of {count} · ↑ ↓ · Enter stays · Esc", place + 1)
        }
    }
}

fn link(link: &Link, now: Millis) -> Option<String> {
    match link {
        Link::Online { .. } => None,
        Link::Idle => Some("not connected: /connect".to_owned()),
        Link::Connecting | Link::Registering => Some("connecting…".to_owned()),
        Link::Waiting { until_ms, why } => {
            let soon = until_ms.saturating_sub(now) < 1000;
            let next = if soon { "trying again…" } else { "trying again soon · /connect now" };
            Some(format!("{} · {next}", clean(why)))
        }
        Link::Refused { why } => Some(clean(why)),
    }
}

/// Places with something unread, where no list shows them.
fn unread(app: &App) -> Vec<(String, u32, bool)> {
    if app.map.rooms.width > 0 {
        return Vec::new();
    }
    let elsewhere = app.places().into_iter().filter(|place| app.place != Some(*place));
    let mut found: Vec<_> = elsewhere
        .filter_map(|place| app.buffer_of(place))
        .filter(|buffer| buffer.unread > 0 && buffer.kind != BufferKind::Server)
        .map(|buffer| (clean(&buffer.name), buffer.unread, buffer.mentions > 0))
        .collect();
    found.sort_by_key(|(_, _, mine)| !mine);
    found
}

fn right_side(app: &App) -> String {
    let held = app.place.and_then(|place| app.views.get(&place)).is_some_and(|view| view.held.is_some());
    let narrow = app.map.below.width < 60;
    match app.buffer() {
        Some(buffer) if held || !buffer.at_end => {
            let back = if narrow { "Esc" } else { "Esc to the newest" };
            match buffer.unread {
                0 => format!("↓ {back}"),
                new => format!("↓ {new} new · {back}"),
            }
        }
        _ => "F1 help".to_owned(),
    }
}

/// The screen before there is a server.
pub(super) fn nobody(app: &App, screen: &mut Screen) {
    let columns = screen.area().width;
    screen.shade(Rect::new(0, 0, columns, 1), app.theme.bar);
    screen.text(1, 0, columns, "chinwag", app.theme.on_bar(app.theme.unread));
}
