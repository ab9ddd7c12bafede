//! What an address block may do only so often, whichever of its sessions does it: a block is what one household, school
//! or attacker has. Who keeps the accounts is the node; the chat asks before, and says what was done.

/// Something that stays, or that is tried only by guessing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Dear {
    /// Opening a room.
    Rooms,
    /// Making an account.
    Accounts,
    /// A wrong password or code.
    WrongPasswords,
}

impl Dear {
    /// How many there are.
    pub const COUNT: usize = 3;

    /// Its place in tables.
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// How often each may be done in an hour; as often at once after a rest. No limit where there is no number.
pub type Hourly = [Option<u32>; Dear::COUNT];

/// What the address block of a session has used up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allowance([bool; Dear::COUNT]);

impl Allowance {
    /// The same with one more thing used up.
    #[must_use]
    pub fn without(mut self, dear: Dear) -> Allowance {
        self.0[dear.index()] = true;
        self
    }

    /// Whether it may be done now.
    pub fn allows(self, dear: Dear) -> bool {
        !self.0[dear.index()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_up_is_used_up_alone() {
        let used = Allowance::default().without(Dear::Accounts);
        assert!(
            used.allows(Dear::Rooms) && used.allows(Dear::WrongPasswords) && !used.allows(Dear::Accounts)
        );
    }
}
