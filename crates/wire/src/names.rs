//! Names as types: validated once at the border. Which of them are the same is the case mapping's to say
//! ([`crate::casemap`]). Lengths are counted in bytes, because that is what the limits of an IRC line count.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

pub use crate::msgid::{MsgId, MsgIdKey, Opened};

/// A nickname in the form its owner typed.
#[derive(Clone)]
pub struct Nick(Arc<str>);

/// A room's name (`#lobby`) in the form its opener typed.
#[derive(Clone)]
pub struct RoomName(Arc<str>);

/// A user name (the middle of `nick!user@host`), without the `~` that says it is unproven.
#[derive(Clone)]
pub struct Username(Arc<str>);

/// A name folded by the case mapping: what maps are keyed by.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Folded(Box<str>);

/// Why a name is not one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing was given.
    #[error("a name is needed")]
    Empty,
    /// Longer than the limit.
    #[error("a name has at most {max} bytes")]
    TooLong {
        /// The limit in bytes.
        max: usize,
    },
    /// A character that may not come first.
    #[error("a name does not begin with {0:?}")]
    First(char),
    /// A character that may not be in it.
    #[error("a name does not contain {0:?}")]
    Character(char),
    /// A relayed nickname without a separator.
    #[error("a relayed nickname has a separator in it")]
    NotRelayed,
    /// A room's name without `#`, or with nothing behind it.
    #[error("a room's name is # and at least one more character")]
    NotARoom,
}

/// Characters besides letters and digits that nicknames may have.
const NICK_MARKS: &str = "-_[]{}\\|^`";

/// Nicknames that nobody takes: people would take their holders for the server or its staff.
const RESERVED: &[&str] = &[
    "admin",
    "administrator",
    "anonymous",
    "botserv",
    "chanserv",
    "chinwag",
    "global",
    "helpserv",
    "histserv",
    "hostserv",
    "memoserv",
    "nickserv",
    "operserv",
    "saslserv",
    "server",
    "statserv",
    "system",
];

impl Nick {
    /// Checks a nickname of at most `max` bytes: letters and digits of any script and ``-_[]{}\|^` ``, the first
    /// neither an ASCII digit nor `-`.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn parse(text: &str, max: usize) -> Result<Nick, NameError> {
        let first = text.chars().next().ok_or(NameError::Empty)?;
        if text.len() > max {
            return Err(NameError::TooLong { max });
        }
        if first.is_ascii_digit() || first == '-' {
            return Err(NameError::First(first));
        }
        match text.chars().find(|c| !is_letter(*c) && !NICK_MARKS.contains(*c)) {
            Some(wrong) => Err(NameError::Character(wrong)),
            None => Ok(Nick(text.into())),
        }
    }
}

/// The name under which a bridge says what somebody said elsewhere: it holds a separator, which no nickname can have.
#[derive(Clone)]
pub struct RelayedNick(Arc<str>);

impl RelayedNick {
    /// Checks a relayed nickname of at most `max` bytes: what nicknames may have, in any place, and at least one of
    /// the separators.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn parse(text: &str, max: usize, separators: &str) -> Result<RelayedNick, NameError> {
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        if text.len() > max {
            return Err(NameError::TooLong { max });
        }
        if !text.contains(|c| separators.contains(c)) {
            return Err(NameError::NotRelayed);
        }
        let fits = |c: char| is_letter(c) || NICK_MARKS.contains(c) || separators.contains(c);
        match text.chars().find(|c| !fits(*c)) {
            Some(wrong) => Err(NameError::Character(wrong)),
            None => Ok(RelayedNick(text.into())),
        }
    }
}

impl RoomName {
    /// Checks a room's name of at most `max` bytes: `#` and at least one character, none of them white, control,
    /// invisible, a comma or `*`.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn parse(text: &str, max: usize) -> Result<RoomName, NameError> {
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        let rest = text.strip_prefix('#').filter(|rest| !rest.is_empty()).ok_or(NameError::NotARoom)?;
        if text.len() > max {
            return Err(NameError::TooLong { max });
        }
        let wrong = |c: char| {
            c.is_whitespace() || c.is_control() || is_invisible(c) || matches!(c, ',' | '*' | '\u{fffd}')
        };
        match rest.chars().find(|c| wrong(*c)) {
            Some(wrong) => Err(NameError::Character(wrong)),
            None => Ok(RoomName(text.into())),
        }
    }
}

impl Username {
    /// Checks a user name of at most `max` bytes: letters and digits of any script and `-_.`.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn parse(text: &str, max: usize) -> Result<Username, NameError> {
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        if text.len() > max {
            return Err(NameError::TooLong { max });
        }
        match text.chars().find(|c| !Self::allows(*c)) {
            Some(wrong) => Err(NameError::Character(wrong)),
            None => Ok(Username(text.into())),
        }
    }

    /// Makes a user name out of whatever a client sent: characters that may not be in it are left out, and it is
    /// cut to `max` bytes. `user` when nothing is left.
    pub fn cleaned(text: &str, max: usize) -> Username {
        let mut name = String::with_capacity(max.min(text.len()));
        for c in text.chars().filter(|c| Self::allows(*c)) {
            if name.len() + c.len_utf8() > max {
                break;
            }
            name.push(c);
        }
        if name.is_empty() {
            name.push_str("user");
        }
        Username(name.into())
    }

    fn allows(c: char) -> bool {
        is_letter(c) || matches!(c, '-' | '_' | '.')
    }
}

macro_rules! name {
    ($name:ident) => {
        impl $name {
            /// The characters, as they were typed.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The same, shared.
            pub fn arc(&self) -> Arc<str> {
                Arc::clone(&self.0)
            }
        }

        impl From<$name> for Arc<str> {
            fn from(name: $name) -> Arc<str> {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, f)
            }
        }
    };
}

name!(Nick);
name!(RelayedNick);
name!(RoomName);
name!(Username);

impl Folded {
    /// The folded characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for Folded {
    /// From what a case mapping made of a name.
    fn from(folded: String) -> Folded {
        Folded(folded.into())
    }
}

impl Borrow<str> for Folded {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Folded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

/// Whether a target is meant as a room (`#lobby`) and not as a nickname.
pub fn is_room(target: &str) -> bool {
    target.starts_with('#')
}

/// Whether a nickname is one that nobody may take. The server's own name is not known here.
pub fn is_reserved(nick: &str) -> bool {
    RESERVED.iter().any(|reserved| reserved.eq_ignore_ascii_case(nick))
}

/// A letter or digit of any script that can be seen.
fn is_letter(c: char) -> bool {
    c.is_alphanumeric() && !is_invisible(c)
}

/// Characters that show nothing or turn the direction of the text around them: two names that differ only in
/// these look the same. Some of them count as letters.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nicknames() {
        let check = |text: &str, expected: Result<(), NameError>| {
            let nick = Nick::parse(text, 12);
            assert_eq!(nick.as_ref().map(|_| ()).map_err(|error| *error), expected, "{text:?}");
            assert!(nick.is_err() || nick.is_ok_and(|nick| nick.as_str() == text));
        };
        use NameError::*;
        check("ann", Ok(()));
        check("[ann]_`^{}|", Ok(()));
        check("a-1\\", Ok(()));
        check("Zoë", Ok(()));
        check("Алиса", Ok(()));
        check("太郎", Ok(()));
        check("", Err(Empty));
        check("abcdefghijkl", Ok(()));
        check("abcdefghijklm", Err(TooLong { max: 12 }));
        check("Алисаа́", Err(TooLong { max: 12 }));
        check("1ann", Err(First('1')));
        check("-ann", Err(First('-')));
        check("#ann", Err(Character('#')));
        check("~ann", Err(Character('~')));
        check("../../x", Err(Character('.')));
        check("an n", Err(Character(' ')));
        check("an\u{a0}n", Err(Character('\u{a0}')));
        for c in [
            '!', '@', ',', '*', '?', ':', '/', '$', '&', '%', '+', '\u{7}', '\u{200b}', '\u{3164}',
            '\u{202e}', '👍',
        ] {
            check(&format!("a{c}"), Err(Character(c)));
        }
    }

    #[test]
    fn rooms() {
        let check = |text: &str, expected: Result<(), NameError>| {
            assert_eq!(RoomName::parse(text, 12).map(|_| ()), expected, "{text:?}");
        };
        use NameError::*;
        check("#lobby", Ok(()));
        check("##c++", Ok(()));
        check("#1", Ok(()));
        check("#:a/b.c", Ok(()));
        check("#кофе", Ok(()));
        check("", Err(Empty));
        check("#", Err(NotARoom));
        check("lobby", Err(NotARoom));
        check("&lobby", Err(NotARoom));
        check("#abcdefghijk", Ok(()));
        check("#abcdefghijkl", Err(TooLong { max: 12 }));
        for c in [' ', ',', '*', '\u{7}', '\0', '\u{1b}', '\u{a0}', '\u{200b}', '\u{fffd}'] {
            check(&format!("#a{c}b"), Err(Character(c)));
        }
    }

    #[test]
    fn usernames() {
        let check = |text: &str, parsed: Result<&str, NameError>, cleaned: &str| {
            assert_eq!(
                Username::parse(text, 8).as_ref().map(Username::as_str),
                parsed.as_ref().copied(),
                "{text:?}"
            );
            assert_eq!(Username::cleaned(text, 8).as_str(), cleaned, "{text:?}");
        };
        use NameError::*;
        check("ann", Ok("ann"), "ann");
        check("a.b-c_1", Ok("a.b-c_1"), "a.b-c_1");
        check("", Err(Empty), "user");
        check("~ann", Err(Character('~')), "ann");
        check("@!*", Err(Character('@')), "user");
        check("annabella", Err(TooLong { max: 8 }), "annabell");
        check("жжжжж", Err(TooLong { max: 8 }), "жжжж");
    }

    #[test]
    fn reserved_nicknames_can_be_typed_and_are_known() {
        for nick in RESERVED {
            assert!(Nick::parse(nick, 32).is_ok());
            assert!(is_reserved(&nick.to_ascii_uppercase()));
        }
        assert!(!is_reserved("ann") && !is_reserved(""));
    }
}
