//! The overview of keys and commands.

use crate::app::deeds_commands;

/// A row of the overview.
pub(super) enum HelpRow {
    Heading(&'static str),
    Entry(String, &'static str),
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

/// All rows.
pub(super) fn table() -> Vec<HelpRow> {
    let mut rows = Vec::new();
    for (heading, keys) in KEYS {
        rows.push(HelpRow::Heading(heading));
        rows.extend(keys.iter().map(|(key, what)| HelpRow::Entry((*key).to_owned(), what)));
        rows.push(HelpRow::Space);
    }
    rows.push(HelpRow::Heading("Commands"));
    for (name, (params, help)) in deeds_commands() {
        let space = if params.is_empty() { "" } else { " " };
        rows.push(HelpRow::Entry(format!("/{name}{space}{params}"), help));
    }
    rows
}

/// How many rows there are.
pub(crate) fn rows() -> usize {
    table().len()
}
