//! For which members of a room a message is.

use serde::{Deserialize, Serialize};

use crate::roles::Role;

/// For which members of a room a message is, where it is not for all of them. Kept as one character.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "char", try_from = "char")]
pub enum Status {
    /// For those with at least this role: its sign stands before the room's name (STATUSMSG).
    To(Role),
    /// For those who look after the room: somebody said it who is not to be heard by all (room mode `U`). It is
    /// addressed to the room as if it were for everybody.
    Held,
}

impl Status {
    /// The character for [`Status::Held`]. No role has it.
    const HELD: char = '!';

    /// The least role of those who get it.
    pub fn role(self) -> Role {
        match self {
            Status::To(role) => role,
            Status::Held => Role::Halfop,
        }
    }
}

impl From<Status> for char {
    fn from(status: Status) -> char {
        match status {
            Status::To(role) => role.sign(),
            Status::Held => Status::HELD,
        }
    }
}

/// A character that stands for no [`Status`].
#[derive(Debug)]
pub struct NoStatus(char);

impl std::fmt::Display for NoStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}` is no role's sign", self.0)
    }
}

impl std::error::Error for NoStatus {}

impl TryFrom<char> for Status {
    type Error = NoStatus;

    fn try_from(sign: char) -> Result<Self, NoStatus> {
        match sign {
            Status::HELD => Ok(Status::Held),
            sign => Role::of_sign(sign).map(Status::To).ok_or(NoStatus(sign)),
        }
    }
}
