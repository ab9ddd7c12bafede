//! What server operators may do: one table, from which `[[oper]] privileges = […]` and the checks of the commands
//! follow. A new privilege is one row.

use std::fmt;
use std::sync::Arc;

use crate::chat::Verifiers;

macro_rules! privileges {
    ($($privilege:ident, $name:literal, $what:literal;)*) => {
        /// Something that server operators may do.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Privilege { $(#[doc = $what] $privilege,)* }

        impl Privilege {
            /// Every privilege.
            pub const ALL: &'static [Privilege] = &[$(Privilege::$privilege),*];

            /// Its name in the configuration.
            pub const fn name(self) -> &'static str {
                match self { $(Privilege::$privilege => $name,)* }
            }

            /// What it allows, for people.
            pub const fn what(self) -> &'static str {
                match self { $(Privilege::$privilege => $what,)* }
            }
        }
    };
}

privileges! {
    // Privilege, name, what it allows.
    Accounts, "accounts", "Registering accounts for others and changing them.";
    Bans, "bans", "Keeping people off the server.";
    Erase, "erase", "Removing for good what somebody said (ERASE).";
    Hosts, "hosts", "Giving people another host.";
    Kill, "kill", "Putting people off the server.";
    Records, "records", "Reading what operators did on this server (MODLOG).";
    Rehash, "rehash", "Having the configuration read again.";
    Rooms, "rooms", "Acting in rooms as if founder there.";
    Wallops, "wallops", "Announcing something to everybody who listens.";
}

impl Privilege {
    /// The privilege of this name.
    pub fn from_name(name: &str) -> Option<Privilege> {
        Privilege::ALL.iter().copied().find(|privilege| privilege.name() == name)
    }
}

/// A set of privileges.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Privileges(u32);

impl Privileges {
    /// Every privilege.
    pub fn all() -> Privileges {
        Privilege::ALL.iter().copied().collect()
    }

    /// Whether it is among them.
    pub const fn contains(self, privilege: Privilege) -> bool {
        self.0 & (1 << privilege as u32) != 0
    }
}

impl FromIterator<Privilege> for Privileges {
    fn from_iter<I: IntoIterator<Item = Privilege>>(privileges: I) -> Privileges {
        Privileges(privileges.into_iter().fold(0, |bits, privilege| bits | 1 << privilege as u32))
    }
}

impl fmt::Debug for Privileges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = Privilege::ALL.iter().filter(|privilege| self.contains(**privilege));
        f.debug_list().entries(names.map(|privilege| privilege.name())).finish()
    }
}

/// What makes somebody a server operator: an `[[oper]]` of the configuration.
#[derive(Clone, Debug)]
pub struct Oper {
    /// The name given with OPER.
    pub name: Arc<str>,
    /// What the password is checked against.
    pub verifiers: Arc<Verifiers>,
    /// What others are told of the operator (RPL_WHOISOPERATOR).
    pub title: Arc<str>,
    /// What the operator may do.
    pub privileges: Privileges,
}

/// What a user is who is a server operator.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Operator {
    /// The name given with OPER.
    pub name: Arc<str>,
    /// What others are told.
    pub title: Arc<str>,
    /// What the operator may do.
    pub privileges: Privileges,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_privilege_has_a_name_of_its_own() {
        for privilege in Privilege::ALL {
            assert_eq!(Privilege::from_name(privilege.name()), Some(*privilege));
            assert!(Privileges::all().contains(*privilege));
            assert!(!Privileges::default().contains(*privilege));
        }
        assert!(Privilege::ALL.is_sorted_by_key(|privilege| privilege.name()));
        let few: Privileges = [Privilege::Kill].into_iter().collect();
        assert!(few.contains(Privilege::Kill) && !few.contains(Privilege::Rehash));
        assert_eq!(format!("{few:?}"), "[\"kill\"]");
    }
}
