//! The editor's rows: what is typed, wrapped, with the cursor in sight.

use chinwag_client::BufferKind;
use ratatui::style::Style;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use crate::app::App;
use crate::editor::Editor;
use crate::screen::Screen;
use crate::text::{clean, fit};

/// Columns before what is typed.
const PROMPT: u16 = 3;

/// A row of what is typed.
#[derive(Default)]
struct Typed {
    rows: Vec<String>,
    /// Row and column of the cursor.
    cursor: (usize, usize),
}

/// What is typed in rows of a width; one column stays free for the cursor.
fn typed(editor: &Editor, columns: usize) -> Typed {
    let columns = columns.max(2);
    let mut typed = Typed { rows: vec![String::new()], cursor: (0, 0) };
    let mut width = 0;
    for (at, character) in editor.text().grapheme_indices(true) {
        if at == editor.at() {
            typed.cursor = (typed.rows.len() - 1, width);
        }
        if character == "\n" {
            typed.rows.push(String::new());
            width = 0;
            continue;
        }
        let character = if character == "\t" { "    " } else { character };
        let wide = character.width();
        if width + wide >= columns {
            typed.rows.push(String::new());
            width = 0;
            if at == editor.at() {
                typed.cursor = (typed.rows.len() - 1, 0);
            }
        }
        if let Some(row) = typed.rows.last_mut() {
            row.push_str(character);
        }
        width += wide;
    }
    if editor.at() == editor.text().len() {
        typed.cursor = (typed.rows.len() - 1, width);
    }
    typed
}

/// How many rows the editor would take.
pub(super) fn rows(app: &App, columns: u16) -> u16 {
    let editor = app.search.as_ref().map_or(&app.editor, |search| &search.typed);
    let rows = typed(editor, usize::from(columns.saturating_sub(PROMPT))).rows.len();
    u16::try_from(rows).unwrap_or(u16::MAX)
}

pub(super) fn line(app: &App, screen: &mut Screen) {
    let theme = &app.theme;
    let area = screen.area();
    let top = app.map.below.bottom();
    let (editor, prompt) = match &app.search {
        Some(search) => (&search.typed, " ⌕ "),
        None => (&app.editor, " › "),
    };
    screen.text(0, top, PROMPT, prompt, theme.accent);
    if editor.is_empty() {
        let room = usize::from(area.width.saturating_sub(PROMPT + 1));
        screen.text(PROMPT, top, area.width, &fit(&placeholder(app), room), theme.rule.patch(theme.dim));
    }
    let typed = typed(editor, usize::from(area.width.saturating_sub(PROMPT)));
    let height = usize::from(area.height - top);
    let from = (typed.cursor.0 + 1).saturating_sub(height);
    for (row, text) in (top..area.height).zip(typed.rows.iter().skip(from)) {
        let command = from == 0 && row == top && text.starts_with('/') && !text.starts_with("//");
        let end = text.find(' ').filter(|_| command).unwrap_or(if command { text.len() } else { 0 });
        let at = screen.text(PROMPT, row, area.width, &text[..end], theme.accent);
        screen.text(at, row, area.width, &text[end..], Style::new());
    }
    if app.overlay.is_none() {
        let column = PROMPT + typed.cursor.1 as u16;
        screen.cursor = Some((column.min(area.width - 1), top + (typed.cursor.0 - from) as u16));
    }
}

fn placeholder(app: &App) -> String {
    if app.search.is_some() {
        return "look for…".to_owned();
    }
    let Some((client, buffer)) = app.here() else { return String::new() };
    match (client.link(), buffer.kind) {
        (chinwag_client::Link::Refused { .. }, _) => "/nick NAME takes another name".to_owned(),
        (_, BufferKind::Server) => "/join #room · /list · /help".to_owned(),
        (_, BufferKind::Room) if !buffer.joined && client.is_online() => {
            format!("/join {}", clean(&buffer.name))
        }
        _ => format!("say something to {}", clean(&buffer.name)),
    }
}
