//! Names as types: validated once at the border, compared by case mapping.

use std::fmt;
use std::sync::Arc;

/// A msgid: one letter for its kind and 13 characters of base 32, 14 bytes of ASCII.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct MsgId(pub(crate) [u8; 14]);

/// A nickname in the form its owner typed.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Nick(Arc<str>);

/// A room's name (`#lobby`) in the form its opener typed.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RoomName(Arc<str>);

/// A name folded by the case mapping: what maps are keyed by.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Folded(Box<str>);

impl fmt::Display for Nick {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Folds a name by the case mapping (ASCII).
pub fn fold(name: &str) -> Folded {
    Folded(name.to_ascii_lowercase().into())
}

impl fmt::Debug for MsgId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.0))
    }
}

impl fmt::Debug for Folded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
