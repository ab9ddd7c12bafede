//! The turn's tape: the bytes produced since the last flush, each line once a dialect, and who gets which.
//!
//! A *reel* holds the bytes of one dialect in one room, a further one everything that is for single sessions.
//! Each piece of a reel carries its *order*: a counter over all lines of the turn. Whoever gets bytes from
//! one reel only gets it as it is; for everybody else the pieces are merged by order, so that the bytes of a
//! session leave in the order in which they were produced.

use chinwag_core::ids::UserId;

use crate::limits::{PIECES_MAX, SPARE_BUFFER_BYTES_MAX, SPARE_BUFFERS_MAX};

/// Who of an audience does not get a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Except {
    /// Everybody gets it.
    Nobody,
    /// Not this session (by index).
    Session(u32),
    /// None of this user's sessions.
    User(UserId),
}

/// A piece of a reel: lines that follow each other with nothing produced in between.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece {
    /// The order of its first line.
    pub(crate) first: u32,
    /// The order of its last line.
    pub(crate) last: u32,
    /// Where it begins in the reel.
    pub(crate) start: u32,
    /// Where it ends.
    pub(crate) end: u32,
}

impl Piece {
    /// Adds a line's bytes to the pieces of one reel: to the last piece where they follow it directly.
    pub(crate) fn join(pieces: &mut Vec<Piece>, next: Piece) {
        match pieces.last_mut() {
            Some(piece) if piece.follows(&next) => {
                piece.last = next.last;
                piece.end = next.end;
            }
            _ => pieces.push(next),
        }
    }

    fn follows(&self, next: &Piece) -> bool {
        (self.last == next.first || self.last + 1 == next.first) && self.end == next.start
    }
}

/// The bytes of one dialect in one room.
#[derive(Debug, Default)]
pub(crate) struct Reel {
    /// The bytes, in order.
    pub(crate) bytes: Vec<u8>,
    /// Its pieces, and who does not get them.
    pub(crate) pieces: Vec<(Piece, Except)>,
}

impl Reel {
    /// Notes the bytes appended since `start` as a line of this order.
    pub(crate) fn note(&mut self, order: u32, start: usize, except: Except) {
        let (start, end) = (offset(start), offset(self.bytes.len()));
        if start == end {
            return;
        }
        let next = Piece { first: order, last: order, start, end };
        match self.pieces.last_mut() {
            Some((piece, same)) if *same == except && piece.follows(&next) => {
                piece.last = order;
                piece.end = end;
            }
            _ => self.pieces.push((next, except)),
        }
    }
}

/// An offset into a reel. Turns are flushed at some hundred kilobytes; what one request adds to that is
/// bounded by the largest answer.
pub(crate) fn offset(at: usize) -> u32 {
    u32::try_from(at).expect("a turn's tape is flushed long before it has 4 GiB")
}

/// What all reels of a turn have in common.
#[derive(Debug, Default)]
pub(crate) struct Tape {
    order: u32,
    /// Bytes for single sessions.
    pub(crate) private: Vec<u8>,
    /// Bytes on all reels.
    pub(crate) bytes: usize,
    spare: Vec<Vec<u8>>,
}

impl Tape {
    /// The order of the next line.
    pub(crate) fn next(&mut self) -> u32 {
        self.order += 1;
        self.order
    }

    /// Makes a cut: what comes now is never joined to what was before. Gives the order of the first line that
    /// may follow.
    pub(crate) fn cut(&mut self) -> u32 {
        self.order += 2;
        self.order
    }

    /// An empty buffer.
    pub(crate) fn buffer(&mut self) -> Vec<u8> {
        self.spare.pop().unwrap_or_default()
    }

    /// Takes a buffer back.
    pub(crate) fn give_back(&mut self, mut buffer: Vec<u8>) {
        if self.spare.len() < SPARE_BUFFERS_MAX && buffer.capacity() <= SPARE_BUFFER_BYTES_MAX {
            buffer.clear();
            self.spare.push(buffer);
        }
    }

    /// Begins the next turn.
    pub(crate) fn clear(&mut self) {
        self.order = 0;
        self.bytes = 0;
        if self.private.capacity() > SPARE_BUFFER_BYTES_MAX * 4 {
            self.private = Vec::new();
        }
        self.private.clear();
    }
}

/// The pieces of one session's bytes, from several reels, on their way into one order.
#[derive(Default)]
pub(crate) struct Merge<'t> {
    pieces: Vec<(u32, &'t [u8], u32, u32)>,
    parts: Vec<&'t [u8]>,
}

impl<'t> Merge<'t> {
    /// Adds a piece of a reel, or of what is left of it between two orders.
    pub(crate) fn add(&mut self, reel: &'t [u8], piece: &Piece) {
        self.pieces.push((piece.first, reel, piece.start, piece.end));
    }

    /// Sorts, joins, and hands the parts on; nothing is handed on when there are no bytes.
    pub(crate) fn finish(&mut self, gathered: &mut Vec<u8>, write: impl FnOnce(&[&[u8]])) {
        if !self.pieces.is_sorted_by_key(|piece| piece.0) {
            self.pieces.sort_unstable_by_key(|piece| piece.0);
        }
        self.parts.clear();
        let mut pieces = self.pieces.drain(..);
        let Some((_, mut reel, mut start, mut end)) = pieces.next() else { return };
        for (_, next, from, to) in pieces {
            if std::ptr::eq(reel, next) && from == end {
                end = to;
            } else {
                self.parts.push(&reel[start as usize..end as usize]);
                (reel, start, end) = (next, from, to);
            }
        }
        self.parts.push(&reel[start as usize..end as usize]);
        if self.parts.len() > PIECES_MAX {
            gathered.clear();
            for part in &self.parts {
                gathered.extend_from_slice(part);
            }
            write(&[gathered]);
        } else {
            write(&self.parts);
        }
    }
}
