//! What happened, in words: comings and goings, topics, modes, and the like.

use chinwag_client::{Line, LineKind};
use ratatui::style::Modifier;

use crate::text::{Piece, Row, clean, markup};
use crate::theme::Theme;

/// So many names are told; of more, how many.
const NAMES_MAX: usize = 8;

fn who(line: &Line) -> String {
    line.from.as_ref().map_or_else(|| "somebody".to_owned(), |from| clean(&from.nick))
}

fn about(line: &Line) -> String {
    line.about.as_ref().map_or_else(|| "somebody".to_owned(), |about| clean(about))
}

/// Comings and goings in one sentence: `→ ann, bob came in · ← carla left`. Whoever did both is told once.
pub fn presence<'a>(lines: impl Iterator<Item = &'a Line>, theme: &Theme) -> Row {
    let (mut came, mut left, mut renamed) = (Vec::new(), Vec::new(), Vec::new());
    let mut reason = None;
    for line in lines {
        let name = who(line);
        match line.kind {
            LineKind::Join if line.is_mine() => {}
            LineKind::Join => {
                left.retain(|gone| *gone != name);
                if !came.contains(&name) {
                    came.push(name);
                }
            }
            LineKind::Nick => renamed.push((name, about(line))),
            _ => {
                let visited = came.contains(&name);
                came.retain(|here| *here != name);
                reason = Some(markup::plain(&line.text)).filter(|reason| !reason.is_empty());
                if !visited && !left.contains(&name) {
                    left.push(name);
                }
            }
        }
    }
    let mut row = Row::new();
    names(&mut row, "→ ", &came, " came in", theme);
    names(&mut row, "← ", &left, " left", theme);
    if let Some(reason) = reason.filter(|_| left.len() == 1) {
        row.push(Piece::new(format!(" ({reason})"), theme.dim));
    }
    for (old, new) in renamed.iter().take(NAMES_MAX) {
        separate(&mut row, theme);
        row.push(Piece::new(old.as_str(), theme.nick(old).patch(theme.dim)));
        row.push(Piece::new(" is now ", theme.dim));
        row.push(Piece::new(new.as_str(), theme.nick(new)));
    }
    if row.is_empty() {
        row.push(Piece::new("somebody looked in", theme.dim));
    }
    row
}

fn separate(row: &mut Row, theme: &Theme) {
    if !row.is_empty() {
        row.push(Piece::new(" · ", theme.rule));
    }
}

fn names(row: &mut Row, arrow: &str, names: &[String], did: &str, theme: &Theme) {
    if names.is_empty() {
        return;
    }
    separate(row, theme);
    row.push(Piece::new(arrow, theme.dim));
    for (at, name) in names.iter().take(NAMES_MAX).enumerate() {
        if at > 0 {
            row.push(Piece::new(", ", theme.dim));
        }
        row.push(Piece::new(name.as_str(), theme.nick(name)));
    }
    let more = names.len().saturating_sub(NAMES_MAX);
    if more > 0 {
        row.push(Piece::new(format!(" and {more} more"), theme.dim));
    }
    row.push(Piece::new(did, theme.dim));
}

/// Everything else that is not said by somebody.
pub fn event(line: &Line, theme: &Theme) -> Row {
    let name = who(line);
    let text = markup::inline(&line.text, theme.dim, theme);
    let said = |text: &str| Piece::new(text, theme.dim);
    let person = |name: &str| Piece::new(name, theme.nick(name));
    let mut row = Row::new();
    match line.kind {
        LineKind::Topic if line.text.is_empty() => {
            row.extend([person(&name), said(" removed the topic")]);
        }
        LineKind::Topic => row.extend([person(&name), said(" set the topic: ")]),
        LineKind::Mode => row.extend([person(&name), said(" set ")]),
        LineKind::Kick => {
            row.extend([person(&name), said(" put "), person(&about(line)), said(" out")]);
            if !line.text.is_empty() {
                row.push(said(": "));
            }
        }
        LineKind::Invite => row.extend([person(&name), said(" invited "), person(&about(line)), said(" ")]),
        LineKind::Error => {
            let plain = markup::plain(&line.text);
            return vec![Piece::new(plain, theme.error.remove_modifier(Modifier::BOLD))];
        }
        _ => {}
    }
    row.extend(text);
    row
}
