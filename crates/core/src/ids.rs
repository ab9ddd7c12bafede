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

/// A session as events name it: given by its node, unlike that of every other session in the network (the node's
/// number in the upper 16 bits, that node's counter below).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionKey(pub u64);

/// A message's number in its room: 1, 2, 3 …; 0 is before the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Number(pub u64);

/// Milliseconds since the Unix epoch. Shown to people, never used for order.
pub type Millis = u64;

impl UserId {
    /// How many bits count the users of one node; the node's number is above them.
    pub const COUNTER_BITS: u32 = 48;

    /// The number of the `count`-th user who came in by a node.
    pub fn new(origin: u16, count: u64) -> UserId {
        UserId((u64::from(origin) << Self::COUNTER_BITS) | (count & ((1 << Self::COUNTER_BITS) - 1)))
    }

    /// The node by which the user came in.
    pub fn origin(self) -> u16 {
        u16::try_from(self.0 >> Self::COUNTER_BITS).unwrap_or(u16::MAX)
    }
}
