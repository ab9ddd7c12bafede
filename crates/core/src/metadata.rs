//! Metadata: what people and rooms say of themselves to programs, by key.
//!
//! Two forms of the specification are spoken, since clients know one or the other:
//! <https://ircv3.net/specs/extensions/metadata> (`draft/metadata-2`) tells changes by a command of their own, the
//! revision of it that is being discussed (`draft/metadata-3`) by the numerics of an answer.

use std::collections::BTreeMap;
use std::sync::Arc;

use chinwag_wire::caps::{Cap, CapSet};
use chinwag_wire::numeric::Numeric;

use crate::line::{Line, Source, Text};

/// Bytes of a key.
pub const KEY_BYTES_MAX: usize = 60;

/// Everybody may see it.
const VISIBLE: Text = Text::Static("*");

/// Sessions with either form are told of changes.
pub const TOLD: CapSet = CapSet::of(&[Cap::Metadata2, Cap::Metadata3]);

/// Values by key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Metadata(BTreeMap<Arc<str>, Arc<str>>);

/// One key, and its value or none.
pub type Change = (Arc<str>, Option<Arc<str>>);

impl Metadata {
    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Arc<str>> {
        self.0.get(key)
    }

    /// Keys and values, in the order of the keys.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Arc<str>, &Arc<str>)> {
        self.0.iter()
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Makes a change; false when it changes nothing.
    pub(crate) fn set(&mut self, (key, value): &Change) -> bool {
        match value {
            Some(value) => self.0.insert(Arc::clone(key), Arc::clone(value)).as_ref() != Some(value),
            None => self.0.remove(key).is_some(),
        }
    }

    /// Takes everything away; the changes that this is.
    pub(crate) fn clear(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.0).into_keys().map(|key| (key, None)).collect()
    }
}

/// Whether a key is one: letters from `a` to `z`, digits, and `_./-`.
pub fn is_key(key: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_./-".contains(&byte);
    !key.is_empty() && key.len() <= KEY_BYTES_MAX && key.bytes().all(fits)
}

/// The form of the specification that a session speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `draft/metadata-2`.
    Two,
    /// `draft/metadata-3`.
    Three,
}

impl Form {
    /// The form of a session with these capabilities.
    pub fn of(caps: CapSet) -> Form {
        if caps.contains(Cap::Metadata3) { Form::Three } else { Form::Two }
    }

    /// A value, or that there is none any more, as it is told to those who did not ask.
    pub fn told(self, by: &Source, target: &Arc<str>, key: &Arc<str>, value: Option<&Arc<str>>) -> Line {
        match self {
            Form::Two => {
                let value = value.map_or(Text::Static(""), Text::from);
                Line::new(by.clone(), "METADATA", [target.into(), key.into(), VISIBLE, value])
            }
            Form::Three => answer(target.into(), key, value),
        }
    }
}

/// RPL_KEYVALUE or RPL_KEYNOTSET.
pub(crate) fn answer(target: Text, key: &Arc<str>, value: Option<&Arc<str>>) -> Line {
    match value {
        Some(value) => Line::numeric(Numeric::RPL_KEYVALUE, [target, key.into(), VISIBLE, value.into()]),
        None => not_set(target, key.into()),
    }
}

/// RPL_KEYNOTSET.
pub(crate) fn not_set(target: Text, key: Text) -> Line {
    Line::numeric(Numeric::RPL_KEYNOTSET, [target, key, Numeric::RPL_KEYNOTSET.text().into()])
}

/// RPL_WHOISKEYVALUE.
pub(crate) fn whois(target: Text, key: &Arc<str>, value: &Arc<str>) -> Line {
    Line::numeric(Numeric::RPL_WHOISKEYVALUE, [target, key.into(), VISIBLE, value.into()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_what_the_specification_has() {
        for key in ["url", "display-name", "im.xmpp", "vendor.example/x_1"] {
            assert!(is_key(key), "{key}");
        }
        for key in ["", "Url", "$url$", "a b", "\u{e4}", &"k".repeat(KEY_BYTES_MAX + 1)] {
            assert!(!is_key(key), "{key}");
        }
    }

    #[test]
    fn only_what_changes_something_is_a_change() {
        let mut metadata = Metadata::default();
        let change = |value: Option<&str>| ("url".into(), value.map(Into::into));
        assert!(metadata.set(&change(Some("x"))) && !metadata.set(&change(Some("x"))));
        assert!(metadata.set(&change(None)) && !metadata.set(&change(None)));
        metadata.set(&change(Some("x")));
        assert_eq!(metadata.clear(), [change(None)]);
        assert!(metadata.is_empty());
    }
}
