//! Which names are the same: the case mappings, and names that only look the same.
//!
//! A chat has one case mapping from its first event on, since what is stored was decided by it.
//! Specification: <https://modern.ircdocs.horse/#casemapping-parameter>.

use std::borrow::Cow;
use std::sync::LazyLock;

use precis_profiles::UsernameCaseMapped;
use precis_profiles::precis_core::profile::Profile;
use unicode_normalization::UnicodeNormalization;
use unicode_security::confusable_detection::skeleton;

use crate::names::Folded;

/// How letters of different case are told apart, or not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum CaseMapping {
    /// `A` to `Z` equal `a` to `z`, and nothing else does.
    #[default]
    Ascii,
    /// The same, and `[]\\~` equal `{}|^`.
    Rfc1459,
    /// The case of all scripts, in the manner of RFC 8265; names have to be fit to be user names there.
    Precis,
}

impl CaseMapping {
    /// Every case mapping.
    pub const ALL: [CaseMapping; 3] = [CaseMapping::Ascii, CaseMapping::Rfc1459, CaseMapping::Precis];

    /// Its name in RPL_ISUPPORT and in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            CaseMapping::Ascii => "ascii",
            CaseMapping::Rfc1459 => "rfc1459",
            CaseMapping::Precis => "precis",
        }
    }

    /// The case mapping of this name.
    pub fn from_name(name: &str) -> Option<CaseMapping> {
        CaseMapping::ALL.into_iter().find(|mapping| mapping.name() == name)
    }

    /// Folds a name: names that are the same have the same folded form.
    pub fn fold(self, name: &str) -> Folded {
        Folded::from(self.folded(name).into_owned())
    }

    /// The same, without a copy of what is folded already.
    pub fn folded(self, name: &str) -> Cow<'_, str> {
        let lower = |c: char| match c {
            '[' => '{',
            ']' => '}',
            '\\' => '|',
            '~' => '^',
            c => c.to_ascii_lowercase(),
        };
        match self {
            CaseMapping::Precis if !name.is_ascii() => {
                Cow::Owned(name.nfkc().collect::<String>().to_lowercase().nfkc().collect())
            }
            CaseMapping::Rfc1459 if name.contains(['[', ']', '\\', '~']) => {
                Cow::Owned(name.chars().map(lower).collect())
            }
            _ if name.bytes().any(|byte| byte.is_ascii_uppercase()) => Cow::Owned(name.to_ascii_lowercase()),
            _ => Cow::Borrowed(name),
        }
    }

    /// Whether two names are the same.
    pub fn same(self, one: &str, other: &str) -> bool {
        match self {
            CaseMapping::Ascii => one.eq_ignore_ascii_case(other),
            _ => one == other || self.folded(one) == self.folded(other),
        }
    }

    /// Whether a nickname is fit for this mapping: with `precis`, what RFC 8265 allows in a user name.
    pub fn allows(self, nick: &str) -> bool {
        self != CaseMapping::Precis || nick.is_ascii() || UsernameCaseMapped::new().enforce(nick).is_ok()
    }
}

/// What a name looks like: names that people take for one another have the same likeness (Unicode UTS 39).
pub fn likeness(name: &str) -> String {
    if name.is_ascii() {
        return name.bytes().map(|byte| &*ASCII_LIKENESSES[usize::from(byte)]).collect();
    }
    likeness_of_any(name)
}

fn likeness_of_any(name: &str) -> String {
    let folded = CaseMapping::Precis.folded(name);
    skeleton(&folded).collect()
}

/// What each sign of ASCII looks like; in ASCII, none changes what is beside it. Nearly every name is looked up here.
static ASCII_LIKENESSES: LazyLock<[Box<str>; 128]> =
    LazyLock::new(|| std::array::from_fn(|byte| likeness_of_any(&char::from(byte as u8).to_string()).into()));

/// Whether somebody may take one name for the other. Names in ASCII are told apart by everybody, `0` and `O` too.
pub fn look_alike(one: &str, other: &str) -> bool {
    !(one.is_ascii() && other.is_ascii()) && likeness(one) == likeness(other)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_mapping_tells_what_it_should() {
        let [ascii, rfc1459, precis] = CaseMapping::ALL;
        for mapping in CaseMapping::ALL {
            assert_eq!(CaseMapping::from_name(mapping.name()), Some(mapping));
            assert!(mapping.same("Ann", "aNN") && !mapping.same("ann", "anna"));
        }
        assert!(!ascii.same("a[b]", "a{b}") && !precis.same("a[b]", "a{b}"));
        assert!(rfc1459.same("a[B]\\~", "A{b}|^"));
        assert!(precis.same("Zoë", "ZOË") && !ascii.same("Zoë", "ZOË") && !rfc1459.same("Zoë", "ZOË"));
        assert!(precis.same("ａｎｎ", "ann"), "width");
        assert!(precis.same("Zoe\u{308}", "Zoë"), "composition");
        assert!(precis.allows("Işıl") && precis.allows("太郎") && !precis.allows("a\u{2460}"));
    }

    #[test]
    fn names_that_look_alike_are_found() {
        assert!(look_alike("evan", "\u{435}van"), "a Cyrillic letter");
        assert!(look_alike("Zoë", "ZOË"));
        assert!(!look_alike("evan", "ivan") && !look_alike("太郎", "花子"));
        assert!(!look_alike("l0l", "lOl"), "in ASCII everybody can tell");
    }

    proptest! {
        #[test]
        fn what_names_in_ascii_look_like_is_what_unicode_says(name in "[\\x00-\\x7f]{0,40}") {
            prop_assert_eq!(likeness(&name), likeness_of_any(&name));
        }

        #[test]
        fn what_is_folded_stays_as_it_is(name in ".{0,20}") {
            for mapping in CaseMapping::ALL {
                let once = mapping.folded(&name).into_owned();
                prop_assert_eq!(&*mapping.folded(&once), &*once);
                prop_assert!(mapping.same(&name, &once));
            }
        }
    }
}
