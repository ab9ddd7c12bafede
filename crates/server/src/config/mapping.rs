//! `casemapping`: which names are the same.

use chinwag_wire::casemap::CaseMapping;
use serde::Deserialize;

/// The case mappings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mapping {
    /// `A` to `Z` are `a` to `z`.
    #[default]
    Ascii,
    /// `[]\~` are `{}|^` too.
    Rfc1459,
    /// Letters of all scripts.
    Precis,
}

impl Mapping {
    /// The same, as names are compared by it.
    pub fn of_names(self) -> CaseMapping {
        match self {
            Mapping::Ascii => CaseMapping::Ascii,
            Mapping::Rfc1459 => CaseMapping::Rfc1459,
            Mapping::Precis => CaseMapping::Precis,
        }
    }
}
