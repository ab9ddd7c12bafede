//! Numbers that name things. Two that could be mixed up have two types.

use serde::{Deserialize, Serialize};

/// A user present in the network: given by the node where the user came in, unique for ever
/// (`origin` in the upper 16 bits, that node's counter below).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct UserId(pub u64);

/// A room, by the order in which rooms were opened. The first is 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RoomId(pub u32);

/// A session of this node: the index of its place, reused after it ended, and the generation of that place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId {
    /// Index into the node's table of sessions.
    pub index: u32,
    /// How often that place was used before.
    pub generation: u32,
}

/// A message's number in its room: 1, 2, 3 …; 0 is before the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Number(pub u64);

/// Milliseconds since the Unix epoch. Shown to people, never used for order.
pub type Millis = u64;
