//! Masks: `nick!user@host` with `*` for any characters and `?` for one.
//!
//! There is no escape: nicknames may hold a backslash. Comparison follows the case mapping.

use std::fmt;

/// A mask in its full form.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Mask {
    text: Box<str>,
    /// Where the user and the host begin.
    user: usize,
    host: usize,
}

impl Mask {
    /// Completes a mask as it was typed: `ann` becomes `ann!*@*`, `ann@host` becomes `*!ann@host`, `ann!joe`
    /// becomes `ann!joe@*`, a word with a dot or a colon is a host; empty parts and runs of `*` become one `*`.
    pub fn new(typed: &str) -> Mask {
        let (nick, user, host) = match (typed.split_once('!'), typed.rsplit_once('@')) {
            (Some((nick, rest)), _) => match rest.rsplit_once('@') {
                Some((user, host)) => (nick, user, host),
                None => (nick, rest, "*"),
            },
            (None, Some((user, host))) => ("*", user, host),
            (None, None) if typed.contains(['.', ':']) => ("*", "*", typed),
            (None, None) => (typed, "*", "*"),
        };
        let mut text = String::with_capacity(typed.len() + 4);
        push(&mut text, nick);
        text.push('!');
        let user_at = text.len();
        push(&mut text, user);
        text.push('@');
        let host_at = text.len();
        push(&mut text, host);
        Mask { text: text.into(), user: user_at, host: host_at }
    }

    /// The full form.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether somebody is meant.
    pub fn matches(&self, nick: &str, user: &str, host: &str) -> bool {
        glob(&self.text[..self.user - 1], nick)
            && glob(&self.text[self.user..self.host - 1], user)
            && glob(&self.text[self.host..], host)
    }
}

/// Appends one part of a mask, `*` for an empty one, runs of `*` as one.
fn push(text: &mut String, part: &str) {
    let start = text.len();
    for c in part.chars() {
        if c != '*' || text.len() == start || !text.ends_with('*') {
            text.push(c);
        }
    }
    if text.len() == start {
        text.push('*');
    }
}

/// Whether a pattern of `*` (any characters), `?` (one character) and literal characters matches the whole text,
/// by the case mapping. Takes at most pattern × text steps: only the last `*` is ever tried again.
pub fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    // Behind the last star, and where in the text its rest is tried next.
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                p += 1;
                retry = Some((p, t));
            }
            Some(b'?') => {
                p += 1;
                t += width(text[t]);
            }
            Some(byte) if byte.eq_ignore_ascii_case(&text[t]) => {
                p += 1;
                t += 1;
            }
            _ => match &mut retry {
                Some((star, from)) => {
                    *from += width(text[*from]);
                    (p, t) = (*star, *from);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

/// Bytes of the UTF-8 character that begins with this byte.
fn width(first: u8) -> usize {
    match first {
        0xf0.. => 4,
        0xe0.. => 3,
        0xc0.. => 2,
        _ => 1,
    }
}

/// Whether a word has a `*` or `?` in it.
pub fn is_pattern(word: &str) -> bool {
    word.contains(['*', '?'])
}

impl fmt::Display for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.text, f)
    }
}
