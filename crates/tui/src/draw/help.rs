//! The overview of keys and commands.

use crate::app::deeds_commands;

/// A row of the overview.
pub(super) enum HelpRow {
    Heading(&'static str),
    Entry(String, &'static str),
    /// What a key does, on a narrow screen.
    Below(String),
    Space,
}

const KEYS: [(&str, &[(&str, &str)]); 4] = [
    (
        "Rooms",
        &[
            ("Alt-↑ Alt-↓", "the room above, below"),
            ("Alt-1 … Alt-0", "the room with this number"),
            ("Alt-A", "the next room with something new"),
            ("Ctrl-G", "look for a room by some letters"),
            ("Alt-/", "the room before this one"),
        ],
    ),
    (
        "Reading",
        &[
            ("PgUp PgDn", "scroll by pages; the wheel scrolls as well"),
            ("Alt-PgUp Alt-PgDn", "scroll by a few rows"),
            ("Alt-< Alt-> Esc", "to the beginning, to the newest"),
            ("Alt-U", "to where the unread begins"),
            ("Alt-P Alt-N", "where somebody names you: before, after"),
            ("Ctrl-S, /search", "look for words; ↑ ↓ from hit to hit"),
            ("Alt-L", "links: Enter copies one"),
            ("F2", "numbers of messages, for /re 42 and the like"),
            ("F3", "who is here"),
            ("Alt-=", "hide or show comings and goings"),
        ],
    ),
    (
        "Writing",
        &[
            ("Tab", "complete names, #rooms, /commands, :emoji"),
            ("Alt-Enter Ctrl-J", "a new line in the message"),
            ("↑ ↓ Ctrl-R", "what you sent before; look in it"),
            ("Ctrl-A Ctrl-E", "beginning and end of the line"),
            ("Alt-B Alt-F", "a word to the left, to the right"),
            ("Ctrl-W Ctrl-U Ctrl-K", "delete a word, to the beginning, to the end"),
            ("Ctrl-Y Alt-Y", "put back what was deleted"),
            ("Ctrl-_", "undo"),
            ("**b** *i* `code` ```", "bold, italic, code, lines of code"),
        ],
    ),
    (
        "Else",
        &[
            ("Alt-M", "the mouse on or off (Shift selects text)"),
            ("F1 ?", "this overview"),
            ("/quit", "leave"),
        ],
    ),
];

/// Narrower than this, what a key does stands below it.
const BESIDE: u16 = 72;

/// Columns before what stands below a key.
pub(super) const INDENT: u16 = 3;

/// All rows, for a screen of so many columns.
pub(super) fn table(columns: u16) -> Vec<HelpRow> {
    let mut rows = Vec::new();
    for (heading, keys) in KEYS {
        rows.push(HelpRow::Heading(heading));
        for (key, what) in keys {
            entry(&mut rows, (*key).to_owned(), what, columns);
        }
        rows.push(HelpRow::Space);
    }
    rows.push(HelpRow::Heading("Commands"));
    for (name, (params, help)) in deeds_commands() {
        let space = if params.is_empty() { "" } else { " " };
        entry(&mut rows, format!("/{name}{space}{params}"), help, columns);
    }
    rows
}

fn entry(rows: &mut Vec<HelpRow>, key: String, what: &'static str, columns: u16) {
    if columns >= BESIDE {
        rows.push(HelpRow::Entry(key, what));
        return;
    }
    rows.push(HelpRow::Entry(key, ""));
    // The frame takes two columns on each side.
    let room = usize::from(columns.saturating_sub(INDENT + 4)).max(8);
    let mut line = String::new();
    for word in what.split(' ') {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > room {
            rows.push(HelpRow::Below(std::mem::take(&mut line)));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    rows.push(HelpRow::Below(line));
}

/// How many rows there are, on a screen of so many columns.
pub(crate) fn rows(columns: u16) -> usize {
    table(columns).len()
}
