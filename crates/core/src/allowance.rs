//! What an address block, and an account, may do only so often, whichever of its sessions does it: a block is what one
//! household, school or attacker has. Who keeps the accounts is the node; the chat asks before, and says what was done.

use crate::refusals::Why;

macro_rules! dear {
    ($($(#[$doc:meta])* $name:ident $why:ident;)*) => {
        /// Something that stays, that others notice, or that is tried only by guessing.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Dear {
            $($(#[$doc])* $name,)*
        }

        impl Dear {
            /// Every one, in the order of their places in tables.
            pub const ALL: &[Dear] = &[$(Dear::$name,)*];

            /// How many there are.
            pub const COUNT: usize = Dear::ALL.len();

            /// Why somebody is refused who has done it too often.
            pub const fn why(self) -> Why {
                match self {
                    $(Dear::$name => Why::$why,)*
                }
            }
        }
    };
}

dear! {
    /// Opening a room.
    Rooms RoomsRate;
    /// Making an account.
    Accounts AccountsRate;
    /// A wrong password or code.
    WrongPasswords PasswordsRate;
    /// Entering a room.
    Joins JoinsRate;
    /// Taking another nickname.
    Nicks NicksRate;
    /// Writing to somebody who has not written back.
    Openings OpeningsRate;
}

impl Dear {
    /// Its place in tables.
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// How often each may be done in an hour; as often at once after a rest. No limit where there is no number.
pub type Hourly = [Option<u32>; Dear::COUNT];

/// How often a session may still do each: what its address block and its account have left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance([u32; Dear::COUNT]);

impl Default for Allowance {
    /// As often as it likes.
    fn default() -> Self {
        Allowance([u32::MAX; Dear::COUNT])
    }
}

impl Allowance {
    /// The same with only so many times left for one thing.
    #[must_use]
    pub fn with(mut self, dear: Dear, times: u32) -> Allowance {
        self.0[dear.index()] = times;
        self
    }

    /// What both leave.
    #[must_use]
    pub fn and(mut self, other: Allowance) -> Allowance {
        self.0.iter_mut().zip(other.0).for_each(|(times, other)| *times = (*times).min(other));
        self
    }

    /// Whether it may be done now.
    pub fn allows(self, dear: Dear) -> bool {
        self.0[dear.index()] > 0
    }

    /// It is done once.
    pub fn spend(&mut self, dear: Dear) {
        let times = &mut self.0[dear.index()];
        // Without a limit nothing is used up.
        if *times != u32::MAX {
            *times = times.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_up_is_used_up_alone() {
        let mut left = Allowance::default().with(Dear::Accounts, 1);
        assert!(left.allows(Dear::Accounts));
        left.spend(Dear::Accounts);
        left.spend(Dear::Rooms);
        assert!(
            left.allows(Dear::Rooms) && left.allows(Dear::WrongPasswords) && !left.allows(Dear::Accounts)
        );
        let both = left.and(Allowance::default().with(Dear::Joins, 0));
        assert!(!both.allows(Dear::Joins) && !both.allows(Dear::Accounts) && both.allows(Dear::Nicks));
    }

    #[test]
    fn each_has_a_place_and_a_reason_of_its_own() {
        for (place, dear) in Dear::ALL.iter().enumerate() {
            assert_eq!(dear.index(), place);
            assert!(Dear::ALL.iter().all(|other| other == dear || other.why() != dear.why()));
        }
    }
}
