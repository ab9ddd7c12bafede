//! Patterns of the lists of a room (`b`, `e`, `I`): a mask, an account (`a:name`), and either of them as a mute
//! (`m:mask`, `m:a:name`), which silences and lets in.
//!
//! Prefixes need no sign before them; `~` is allowed, and long names are, so that what people know from elsewhere
//! works. Specification: <https://modern.ircdocs.horse/#extban-parameter>,
//! <https://ircv3.net/specs/extensions/account-extban>.

use std::fmt;

use crate::casemap::CaseMapping;
use crate::limits::MASK_BYTES_MAX;
use crate::mask::{Mask, glob_by, is_pattern};

/// The letters of the prefixes (ISUPPORT EXTBAN).
pub const LETTERS: &str = "am";

/// The names of the prefix for accounts (ISUPPORT ACCOUNTEXTBAN).
pub const ACCOUNT_NAMES: &str = "a,account";

/// Why something typed is no pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// Longer than [`MASK_BYTES_MAX`].
    #[error("A mask has at most {MASK_BYTES_MAX} bytes")]
    TooLong,
    /// A space, or a control character, in it: it could not be shown.
    #[error("A mask has no spaces in it")]
    Unprintable,
    /// A `~` and a letter that stands for nothing.
    #[error("There is no such kind of mask; a: and m: there are")]
    Unknown,
    /// Nobody is named.
    #[error("The mask names nobody")]
    Empty,
}

/// Whom an entry of a list means.
#[derive(Clone, PartialEq, Eq)]
pub struct Pattern {
    text: Box<str>,
    mute: bool,
    whom: Whom,
    mapping: CaseMapping,
}

#[derive(Clone, PartialEq, Eq)]
enum Whom {
    /// Those whom the mask fits.
    Mask(Mask),
    /// Those who are logged in to such an account; may have `*` and `?` in it. Where it begins in the text.
    Account(usize),
}

impl Pattern {
    /// Completes a pattern as it was typed; names are compared by the case mapping. Its full form comes back as it is.
    ///
    /// # Errors
    /// When it could be no entry of a list.
    pub fn parse(typed: &str, mapping: CaseMapping) -> Result<Pattern, PatternError> {
        if typed.contains(|c: char| c == ' ' || c.is_control()) || typed.starts_with(':') {
            return Err(PatternError::Unprintable);
        }
        let (mute, rest) = match strip(typed, &["m", "mute"]) {
            Some(rest) => (true, rest),
            None => (false, typed),
        };
        let mut text = String::from(if mute { "m:" } else { "" });
        let whom = match strip(rest, &["a", "account"]).filter(|account| !account.contains(':')) {
            Some("") => return Err(PatternError::Empty),
            Some(account) => {
                text.push_str("a:");
                let at = text.len();
                text.push_str(account);
                Whom::Account(at)
            }
            None if mute && rest.is_empty() => return Err(PatternError::Empty),
            None if unknown(rest) => return Err(PatternError::Unknown),
            None => {
                let mask = Mask::new(rest, mapping);
                text.push_str(mask.as_str());
                Whom::Mask(mask)
            }
        };
        if text.len() > MASK_BYTES_MAX {
            return Err(PatternError::TooLong);
        }
        Ok(Pattern { text: text.into(), mute, whom, mapping })
    }

    /// The full form.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is the same as another one, given in its full form.
    pub fn is(&self, full: &str) -> bool {
        self.mapping.same(&self.text, full)
    }

    /// Whether it is about speaking only.
    pub fn is_mute(&self) -> bool {
        self.mute
    }

    /// Whether it names one host, without `*` and `?`.
    pub fn names_host(&self) -> bool {
        matches!(&self.whom, Whom::Mask(mask) if !is_pattern(mask.host()))
    }

    /// Whether somebody is meant. Accounts are compared as nicknames are.
    pub fn matches(&self, nick: &str, user: &str, host: &str, account: Option<&str>) -> bool {
        match &self.whom {
            Whom::Mask(mask) => mask.matches(nick, user, host),
            Whom::Account(at) => {
                account.is_some_and(|account| glob_by(self.mapping, &self.text[*at..], account))
            }
        }
    }
}

/// What is behind one of these prefixes.
fn strip<'t>(typed: &'t str, names: &[&str]) -> Option<&'t str> {
    let (name, rest) = typed.strip_prefix('~').unwrap_or(typed).split_once(':')?;
    names.contains(&name).then_some(rest)
}

/// Whether something has the form of a prefix that there is not.
fn unknown(typed: &str) -> bool {
    let Some((name, _)) = typed.strip_prefix('~').and_then(|typed| typed.split_once(':')) else {
        return false;
    };
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphabetic())
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.text, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn patterns_are_completed() {
        let check = |typed: &str, full: &str| {
            let pattern = Pattern::parse(typed, CaseMapping::Ascii).expect("a pattern");
            assert_eq!(pattern.as_str(), full, "{typed:?}");
            assert_eq!(Pattern::parse(full, CaseMapping::Ascii).as_ref(), Ok(&pattern), "complete ones stay");
        };
        check("ann", "ann!*@*");
        check("m:ann", "m:ann!*@*");
        check("~m:ann!*@*", "m:ann!*@*");
        check("mute:*!*@host", "m:*!*@host");
        check("a:ann", "a:ann");
        check("~a:ann", "a:ann");
        check("~account:Ann", "a:Ann");
        check("m:a:ann", "m:a:ann");
        check("~m:~a:ann", "m:a:ann");
        // What is an address stays one.
        check("a:b::1", "*!*@a:b::1");
        check("2001:db8::1", "*!*@2001:db8::1");
        check("~joe@host", "*!~joe@host");
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        let check = |typed: &str, why| {
            assert_eq!(Pattern::parse(typed, CaseMapping::Ascii).unwrap_err(), why, "{typed:?}")
        };
        check("a:", PatternError::Empty);
        check("m:", PatternError::Empty);
        check("m:~a:", PatternError::Empty);
        check("~q:ann", PatternError::Unknown);
        check("m:~q:ann", PatternError::Unknown);
        check("ann bob", PatternError::Unprintable);
        check(":ann", PatternError::Unprintable);
        check("an\u{7}n", PatternError::Unprintable);
        check(&"x".repeat(MASK_BYTES_MAX), PatternError::TooLong);
    }

    #[test]
    fn patterns_match() {
        let check = |typed: &str, account: Option<&str>, expected: bool| {
            let pattern = Pattern::parse(typed, CaseMapping::Ascii).expect("a pattern");
            assert_eq!(pattern.matches("Ann", "~joe", "host", account), expected, "{typed:?} {account:?}");
        };
        check("ann", None, true);
        check("m:ANN!*@*", None, true);
        check("a:ann", None, false);
        check("a:ann", Some("ANN"), true);
        check("a:joe", Some("ann"), false);
        check("a:*", Some("ann"), true);
        check("a:*", None, false);
        check("m:a:a?n", Some("ann"), true);
        assert!(Pattern::parse("m:a:ann", CaseMapping::Ascii).expect("a pattern").is_mute());
        assert!(!Pattern::parse("a:ann", CaseMapping::Ascii).expect("a pattern").is_mute());
    }

    proptest! {
        #[test]
        fn completing_is_done_once(typed in "[~am:!@*x.]{0,12}|\\PC{0,12}") {
            if let Ok(pattern) = Pattern::parse(&typed, CaseMapping::Ascii) {
                prop_assert_eq!(Pattern::parse(pattern.as_str(), CaseMapping::Ascii), Ok(pattern));
            }
        }
    }
}
