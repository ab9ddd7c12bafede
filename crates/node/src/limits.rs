//! Every bound of this crate, with its unit and what happens at it.

/// Messages one session may have under way in the log. Its next one waits, and so does its socket.
pub const MESSAGES_UNDER_WAY_MAX: u16 = 64;

/// A session that waits for room under [`MESSAGES_UNDER_WAY_MAX`] goes on when no more than this many are left,
/// so that it is not woken for every single one.
pub(crate) const MESSAGES_UNDER_WAY_LOW: u16 = MESSAGES_UNDER_WAY_MAX / 2;

/// Proposals the node holds, in the log's queue and before it, all sessions together. At it every request
/// waits.
pub const PROPOSALS_MAX: usize = 64 * 1024;

/// What programs say without a session and is not kept yet. At it they are asked to come again.
pub const ERRANDS_MAX: usize = 256;

/// Proposals of one batch for the log.
pub const BATCH_MAX: usize = 8 * 1024;

/// Bytes of input the node keeps for a session whose request waits. The driver stops reading then; one that
/// does not gets its session closed.
pub const INPUT_REST_BYTES_MAX: usize = 256 * 1024;

/// Bytes a session may send before it is registered. It is closed at it.
pub const GREETING_BYTES_MAX: usize = 32 * 1024;

/// Work that is done for a session in one turn, simple commands counting as one. What it asks beyond that waits for
/// the next turn, so that whoever asks without end does not keep the others waiting.
pub const WORK_A_TURN_MAX: u16 = 64;

/// Work of a command that looks through all rooms or users.
pub(crate) const SEARCH_WORK: u16 = 16;

/// Lines a session may send before it is registered. It is closed at it.
pub const GREETING_LINES_MAX: u16 = 128;

/// Bytes on the turn's tape past which [`crate::Node::wants_flush`] says so, and arrivals wait for the flush.
pub const TAPE_BYTES_MAX: usize = 256 * 1024;

/// Pieces of one session's bytes above which they are gathered into one before they are handed out.
pub(crate) const PIECES_MAX: usize = 16;

/// Buffers of past turns kept for the next ones.
pub(crate) const SPARE_BUFFERS_MAX: usize = 256;

/// Bytes of a buffer above which it is given back to the allocator instead of being kept.
pub(crate) const SPARE_BUFFER_BYTES_MAX: usize = 64 * 1024;

/// Milliseconds that a `PING` waits at most for what others have under way for whoever asks, give or take a second: it is
/// answered then, since a log that takes so long must not make clients believe that the server is gone.
pub(crate) const PONG_WAIT_MS: u64 = 1000;

/// Rooms of which a session's leaving is remembered, so that it is shown what it missed when it enters again.
pub(crate) const LEFT_MAX: usize = 32;

/// How often a passing event that was refused together with a stored one is appended again at once.
pub(crate) const TRIES_AT_ONCE: u8 = 3;

/// Milliseconds after which it is appended again then.
pub(crate) const RETRY_MS: u64 = 100;
