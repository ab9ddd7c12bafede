//! The chat's state and the two doors to it: `decide` reads, `apply` changes.

use crate::ids::{Number, RoomId};

/// Everything that is known: users, rooms, and who is where.
#[derive(Debug, Default)]
pub struct Chat {}

impl Chat {
    /// How many rooms were ever opened; the next one opened gets the number above.
    pub fn rooms_opened(&self) -> u32 {
        0
    }

    /// The number of the last message of a room.
    pub fn head(&self, _room: RoomId) -> Number {
        Number(0)
    }
}
