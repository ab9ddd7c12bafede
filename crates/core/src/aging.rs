//! What a node asks the archive so that messages go when their time is over.

use chinwag_log::Seq;

use crate::ids::{Millis, Number, RoomId};

/// Up to which message of a room the time is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AgeQuery {
    /// The room.
    pub room: RoomId,
    /// The last message that is gone already.
    pub after: Number,
    /// The room's head when the question was asked: whatever answers knows all messages up to it.
    pub last: Number,
    /// What was said before this time goes.
    pub before_ms: Millis,
}

/// The answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Aged {
    /// The last message that was said before that time, and its position in the log; none when there is none.
    pub upto: Option<(Number, Seq)>,
    /// The time of the first message that stays, if one does.
    pub next_ms: Option<Millis>,
}
