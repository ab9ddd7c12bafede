//! Roles of members: founder, admin, operator, halfop, voice. A member may have several of them.
//!
//! Specification: <https://modern.ircdocs.horse/#channel-membership-prefixes>

/// A role. The order is that of power: the highest is the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Role {
    /// `+v`, `+`: may speak where not everybody may.
    Voice = 1 << 0,
    /// `+h`, `%`: keeps order among ordinary members.
    Halfop = 1 << 1,
    /// `+o`, `@`: decides about the room.
    Operator = 1 << 2,
    /// `+a`, `&`: an operator whom operators cannot put out.
    Admin = 1 << 3,
    /// `+q`, `~`: may do everything.
    Founder = 1 << 4,
}

impl Role {
    /// All of them, the highest first.
    pub const ALL: [Role; 5] = [Role::Founder, Role::Admin, Role::Operator, Role::Halfop, Role::Voice];

    /// The letter of the mode that gives it.
    pub const fn mode(self) -> char {
        match self {
            Role::Founder => 'q',
            Role::Admin => 'a',
            Role::Operator => 'o',
            Role::Halfop => 'h',
            Role::Voice => 'v',
        }
    }

    /// The sign before the nickname of whoever has it.
    pub const fn sign(self) -> char {
        match self {
            Role::Founder => '~',
            Role::Admin => '&',
            Role::Operator => '@',
            Role::Halfop => '%',
            Role::Voice => '+',
        }
    }

    /// The role that a mode gives.
    pub fn of_mode(mode: char) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.mode() == mode)
    }

    /// The role that a sign stands for.
    pub fn of_sign(sign: char) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.sign() == sign)
    }

    /// What people call it.
    pub const fn name(self) -> &'static str {
        match self {
            Role::Founder => "founder",
            Role::Admin => "admin",
            Role::Operator => "operator",
            Role::Halfop => "halfop",
            Role::Voice => "voice",
        }
    }
}

/// The roles of one member.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Roles(u8);

impl Roles {
    /// An ordinary member's: none.
    pub const NONE: Roles = Roles(0);

    /// Whether this role, and not only one above it, is among them.
    pub fn contains(self, role: Role) -> bool {
        self.0 & role as u8 != 0
    }

    /// Gives or takes a role.
    pub fn set(&mut self, role: Role, given: bool) {
        if given {
            self.0 |= role as u8;
        } else {
            self.0 &= !(role as u8);
        }
    }

    /// The highest of them.
    pub fn highest(self) -> Option<Role> {
        Role::ALL.into_iter().find(|role| self.contains(*role))
    }

    /// Whether the highest is this one or a higher one.
    pub fn at_least(self, role: Role) -> bool {
        self.0 >= role as u8
    }

    /// Whether there is any.
    pub fn any(self) -> bool {
        self.0 != 0
    }

    /// Their signs, highest first: all of them (`multi-prefix`), or the highest alone.
    pub fn signs(self, all: bool) -> &'static str {
        let signs = SIGNS[usize::from(self.0)];
        // Each sign is one byte.
        if all || signs.is_empty() { signs } else { &signs[..1] }
    }
}

impl From<Role> for Roles {
    fn from(role: Role) -> Self {
        Roles(role as u8)
    }
}

/// The signs of each set of roles, by its bits.
#[rustfmt::skip]
const SIGNS: [&str; 32] = [
    "",   "+",   "%",   "%+",   "@",   "@+",   "@%",   "@%+",
    "&",  "&+",  "&%",  "&%+",  "&@",  "&@+",  "&@%",  "&@%+",
    "~",  "~+",  "~%",  "~%+",  "~@",  "~@+",  "~@%",  "~@%+",
    "~&", "~&+", "~&%", "~&%+", "~&@", "~&@+", "~&@%", "~&@%+",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn every_set() -> impl Iterator<Item = Roles> {
        (0..32).map(Roles)
    }

    #[test]
    fn signs_are_shown_highest_first() {
        for roles in every_set() {
            let had = Role::ALL.into_iter().filter(|role| roles.contains(*role));
            let signs: String = had.map(Role::sign).collect();
            assert_eq!(roles.signs(true), signs);
            assert_eq!(roles.signs(false), &signs[..signs.len().min(1)]);
            assert_eq!(roles.highest().map(Role::sign), signs.chars().next());
            assert_eq!(roles.any(), !signs.is_empty());
        }
    }

    #[test]
    fn a_higher_role_is_at_least_every_lower_one() {
        for roles in every_set() {
            for role in Role::ALL {
                assert_eq!(roles.at_least(role), roles.highest() >= Some(role), "{roles:?} {role:?}");
            }
        }
        assert!(Role::ALL.is_sorted_by(|higher, lower| higher > lower));
    }

    #[test]
    fn roles_are_given_and_taken_one_by_one() {
        let mut roles = Roles::from(Role::Operator);
        roles.set(Role::Voice, true);
        assert_eq!((roles.signs(true), roles.signs(false)), ("@+", "@"));
        roles.set(Role::Operator, false);
        assert_eq!(roles.signs(true), "+");
        roles.set(Role::Halfop, false);
        assert_eq!(roles, Role::Voice.into());
    }

    #[test]
    fn letters_and_signs_lead_back_to_the_role() {
        for role in Role::ALL {
            assert_eq!(Role::of_mode(role.mode()), Some(role));
            assert_eq!(Role::of_sign(role.sign()), Some(role));
        }
        assert_eq!((Role::of_mode('b'), Role::of_sign('!')), (None, None));
    }
}
