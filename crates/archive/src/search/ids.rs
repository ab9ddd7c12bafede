//! Under which id a message stands in the index.
//!
//! The log is cut into parts, and within a part messages are sorted by room. So a question about one room reads a short
//! piece of each part, and one about many rooms reads the newest parts as a whole, until it has enough, and sorts
//! other rooms' messages out without reading them.
//!
//! ```text
//! bit 63    41 40     17 16       0
//!   | part    | room    | in part |      part and place in it: the position in the log
//! ```

use std::ops::Range;

use chinwag_core::ids::RoomId;

/// Positions of the log in a part, as a power of two: enough that 10 M messages are not too many parts, and little enough
/// that a part can be looked through as a whole.
const IN_PART: u32 = 17;

/// Rooms that are told apart, as a power of two. Rooms above share with others, and are told apart when they are read.
const ROOMS: u32 = 24;

/// The id of a message.
pub(super) fn id(seq: i64, room: RoomId) -> i64 {
    part_of(seq) << (IN_PART + ROOMS) | room_bits(room) << IN_PART | seq & ((1 << IN_PART) - 1)
}

/// The position of a message in the log.
pub(super) fn seq_of(id: i64) -> i64 {
    id >> (IN_PART + ROOMS) << IN_PART | id & ((1 << IN_PART) - 1)
}

/// What its id says of the room of a message.
pub(super) fn room_in(id: i64) -> i64 {
    id >> IN_PART & ((1 << ROOMS) - 1)
}

/// What an id says of a room.
pub(super) fn room_bits(room: RoomId) -> i64 {
    i64::from(room.0) & ((1 << ROOMS) - 1)
}

/// The part of a position.
pub(super) fn part_of(seq: i64) -> i64 {
    seq >> IN_PART
}

/// The positions of a part.
pub(super) fn positions_of(part: i64) -> Range<i64> {
    part << IN_PART..(part + 1) << IN_PART
}

/// The ids of a part.
pub(super) fn ids_of(part: i64) -> Range<i64> {
    part << (IN_PART + ROOMS)..(part + 1) << (IN_PART + ROOMS)
}

/// The ids of a room's messages in a part.
pub(super) fn ids_of_room(part: i64, room: RoomId) -> Range<i64> {
    let first = part << (IN_PART + ROOMS) | room_bits(room) << IN_PART;
    first..first + (1 << IN_PART)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_say_position_and_room_and_are_sorted_by_part_and_room() {
        for seq in [0, 1, 131_071, 131_072, 9_999_999, 1 << 38] {
            for room in [0, 1, 77, (1 << 24) - 1] {
                let id = id(seq, RoomId(room));
                assert_eq!((seq_of(id), room_in(id)), (seq, i64::from(room)));
                let part = part_of(seq);
                assert!(positions_of(part).contains(&seq) && ids_of(part).contains(&id));
                assert!(ids_of_room(part, RoomId(room)).contains(&id));
                assert!(!ids_of_room(part, RoomId(room + 1)).contains(&id));
            }
        }
        assert!(id(5, RoomId(2)) > id(6, RoomId(1)));
        assert!(id(131_072, RoomId(1)) > id(131_071, RoomId(9)));
        // A room beyond those that are told apart is found where another one is.
        assert_eq!(room_in(id(5, RoomId(1 << 24))), 0);
    }
}
