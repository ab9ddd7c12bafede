//! What a terminal sends, as keys, pastes, clicks: parsed from raw bytes, so that ssh and a local terminal are alike.
//!
//! Start here for the commonest change, one more key: [`parser`] turns bytes into [`Key`]s; what a key does is decided
//! in `app::keys` and in `editor`.

pub mod parser;

#[cfg(test)]
mod tests;

/// One thing that a terminal sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A key.
    Key(Key),
    /// A bracketed paste: line ends are `\n`, other control characters than tab are gone.
    Paste(String),
    /// The mouse.
    Mouse(Mouse),
    /// The terminal's window has come to the front, or has left it.
    Focus(bool),
    /// The colour behind the text, red, green, blue, as the terminal says when it is asked (OSC 11).
    Background(u8, u8, u8),
}

/// A key, and what was held with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    /// Which one.
    pub code: Code,
    /// Ctrl was held.
    pub ctrl: bool,
    /// Alt was held, or Escape came right before.
    pub alt: bool,
    /// Shift was held, where the terminal tells; a letter's case says it otherwise.
    pub shift: bool,
}

impl Key {
    /// The key alone.
    pub const fn plain(code: Code) -> Key {
        Key { code, ctrl: false, alt: false, shift: false }
    }

    /// A character with Ctrl.
    pub const fn ctrl(character: char) -> Key {
        Key { code: Code::Char(character), ctrl: true, alt: false, shift: false }
    }

    /// A character with Alt.
    pub const fn alt(character: char) -> Key {
        Key { code: Code::Char(character), ctrl: false, alt: true, shift: false }
    }

    /// The same key with Alt.
    pub const fn with_alt(self) -> Key {
        Key { alt: true, ..self }
    }
}

/// The keys of a keyboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    /// A character; letters with Ctrl are lower case.
    Char(char),
    /// Return.
    Enter,
    /// Tab.
    Tab,
    /// Tab with Shift.
    BackTab,
    /// The key that deletes to the left.
    Backspace,
    /// The key that deletes to the right.
    Delete,
    /// Insert.
    Insert,
    /// Home.
    Home,
    /// End.
    End,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
    /// Arrow up.
    Up,
    /// Arrow down.
    Down,
    /// Arrow left.
    Left,
    /// Arrow right.
    Right,
    /// F1 to F20.
    F(u8),
    /// Escape alone.
    Escape,
}

/// Something that the mouse did, at a cell counted from the upper left, from zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mouse {
    /// What it did.
    pub deed: MouseDeed,
    /// Column.
    pub column: u16,
    /// Row.
    pub row: u16,
}

/// What a mouse does. Moves are not told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MouseDeed {
    /// The left button went down.
    Left,
    /// The middle button went down.
    Middle,
    /// The right button went down.
    Right,
    /// The wheel turned away.
    WheelUp,
    /// The wheel turned near.
    WheelDown,
}
