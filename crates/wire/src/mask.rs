//! Masks: `nick!user@host` with `*` for any characters and `?` for one.
//!
//! There is no escape: nicknames may hold a backslash. Comparison follows the case mapping.

use std::fmt;

use crate::casemap::CaseMapping;

/// A mask in its full form.
#[derive(Clone, PartialEq, Eq)]
pub struct Mask {
    text: Box<str>,
    /// Where the user and the host begin.
    user: usize,
    host: usize,
    mapping: CaseMapping,
}

impl Mask {
    /// Completes a mask as it was typed: `ann` becomes `ann!*@*`, `ann@host` becomes `*!ann@host`, `ann!joe`
    /// becomes `ann!joe@*`, a word with a dot or a colon is a host; empty parts and runs of `*` become one `*`.
    pub fn new(typed: &str, mapping: CaseMapping) -> Mask {
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
        Mask { text: text.into(), user: user_at, host: host_at, mapping }
    }

    /// The full form.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What it says of the host.
    pub fn host(&self) -> &str {
        &self.text[self.host..]
    }

    /// Whether somebody is meant.
    pub fn matches(&self, nick: &str, user: &str, host: &str) -> bool {
        let fits = |pattern: &str, text: &str| glob_by(self.mapping, pattern, text);
        fits(&self.text[..self.user - 1], nick)
            && fits(&self.text[self.user..self.host - 1], user)
            && fits(&self.text[self.host..], host)
    }
}

/// As [`glob`], by a case mapping.
pub fn glob_by(mapping: CaseMapping, pattern: &str, text: &str) -> bool {
    match mapping {
        CaseMapping::Ascii => glob(pattern, text),
        _ => glob(&mapping.folded(pattern), &mapping.folded(text)),
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
/// whatever the case of ASCII letters. Takes at most pattern × text steps: only the last `*` is ever tried again.
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn masks_are_completed() {
        let check = |typed: &str, full: &str| {
            let mask = Mask::new(typed, CaseMapping::Ascii);
            assert_eq!(mask.as_str(), full, "{typed:?}");
            assert_eq!(Mask::new(full, CaseMapping::Ascii).as_str(), full, "complete ones stay");
        };
        check("ann", "ann!*@*");
        check("ann!joe", "ann!joe@*");
        check("joe@host", "*!joe@host");
        check("ann!joe@host", "ann!joe@host");
        check("!@", "*!*@*");
        check("", "*!*@*");
        check("*", "*!*@*");
        check("***x**", "*x*!*@*");
        check("*.example.org", "*!*@*.example.org");
        check("2001:db8::1", "*!*@2001:db8::1");
        check("ann!", "ann!*@*");
        check("@host", "*!*@host");
        check("a!b!c@d@e", "a!b!c@d@e");
    }

    #[test]
    fn masks_match() {
        let check = |mask: &str, expected: bool| {
            assert_eq!(
                Mask::new(mask, CaseMapping::Ascii).matches("Ann", "~joe", "host.example.org"),
                expected,
                "{mask:?}"
            );
        };
        check("ann", true);
        check("a??", true);
        check("a?", false);
        check("*!~*@*", true);
        check("*!*@*.EXAMPLE.org", true);
        check("*!*@example.org", false);
        check("joe@*", false);
        check("bob!*@*", false);
        check("*n!*e@h*g", true);
        check("*", true);
    }

    #[test]
    fn globs() {
        let check = |pattern: &str, text: &str, expected: bool| {
            assert_eq!(glob(pattern, text), expected, "{pattern:?} {text:?}");
        };
        check("", "", true);
        check("*", "", true);
        check("?", "", false);
        check("", "a", false);
        check("?", "ä", true);
        check("??", "ä", false);
        check("*ä?", "öäü", true);
        check("a*b*c", "aXbYbZc", true);
        check("a*b*c", "aXbYbZ", false);
        check("*\\*", "a\\b", true);
        // A hundred stars over a thousand characters that almost match take no time.
        check(&("*a".repeat(100) + "b"), &"a".repeat(1000), false);
    }

    /// What the two wildcards mean, said as simply as possible.
    fn naive(pattern: &[char], text: &[char]) -> bool {
        match (pattern, text) {
            ([], _) => text.is_empty(),
            (['*', rest @ ..], _) => (0..=text.len()).any(|skip| naive(rest, &text[skip..])),
            (['?', rest @ ..], [_, behind @ ..]) => naive(rest, behind),
            ([c, rest @ ..], [d, behind @ ..]) => c.eq_ignore_ascii_case(d) && naive(rest, behind),
            (_, []) => false,
        }
    }

    proptest! {
        #[test]
        fn as_the_naive_one(pattern in "[aAbä*?]{0,8}", text in "[abBäê😀]{0,10}") {
            let (one, other): (Vec<_>, Vec<_>) = (pattern.chars().collect(), text.chars().collect());
            prop_assert_eq!(glob(&pattern, &text), naive(&one, &other));
        }

        #[test]
        fn parts_match_as_the_whole(mask in "[ab*?]{1,3}![ab*?]{1,3}@[ab*?]{1,3}", nick in "[ab]{1,3}", user in "[ab]{1,3}", host in "[ab]{1,3}") {
            let mask = Mask::new(&mask, CaseMapping::Ascii);
            prop_assert_eq!(mask.matches(&nick, &user, &host), glob(mask.as_str(), &format!("{nick}!{user}@{host}")));
        }

        #[test]
        fn completing_is_done_once(typed: String) {
            let mask = Mask::new(&typed, CaseMapping::Ascii);
            prop_assert_eq!(Mask::new(mask.as_str(), CaseMapping::Ascii), mask);
        }
    }
}
