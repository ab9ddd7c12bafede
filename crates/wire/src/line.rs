//! Cutting a stream of bytes into lines, within limits, without copying lines that arrive whole.
//!
//! A line ends with LF; CRs before it belong to the end, one of them does not count. Only the beginning of a line whose end has not come yet
//! is kept, so an idle decoder owns no memory; a line that breaks a limit is reported once, as soon as that
//! is known, and its rest is dropped as it comes.

use crate::limits::{
    BODY_BYTES_MAX, ENDLESS_BYTES, REGISTER_BODY_BYTES_MAX, SERVER_BODY_BYTES_MAX, TAGS_BYTES_MAX,
    TAGS_CLIENT_BYTES_MAX,
};
use crate::scan;

/// Cuts one stream into lines.
#[derive(Debug)]
pub struct LineDecoder {
    /// The beginning of a line, or the line handed out last (then `handed` is set).
    tail: Vec<u8>,
    /// Bytes of a line, tags and line end not counted.
    body_max: u32,
    /// Bytes of its tags, `@` and space counted; 0 where lines have no tags.
    tags_max: u16,
    /// The tail was handed out and goes at the next call.
    handed: bool,
    /// Bytes dropped so far of a line that is too long; 0 where there is none.
    dropped: u32,
    /// Empty lines count.
    empty: bool,
}

/// What came out of the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decoded<'a> {
    /// A line without its line end.
    Line(&'a [u8]),
    /// A line that breaks a limit; nothing of it is kept.
    TooLong(Part),
}

/// The part of a line that is too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Its tags.
    Tags,
    /// All the rest.
    Body,
    /// There is so much of it, in a protocol with tags, that nobody sends it by mistake. Reported once, where
    /// [`ENDLESS_BYTES`] are reached.
    Endless,
}

impl LineDecoder {
    /// For IRC clients: 4096 bytes of tags, 512 bytes of the rest with its line end, and twice as many where a new
    /// account's password is in it. Empty lines are skipped.
    pub const fn irc() -> LineDecoder {
        Self::new(BODY_BYTES_MAX as u32, TAGS_CLIENT_BYTES_MAX as u16, false)
    }

    /// For what servers send: 8191 bytes of tags, and 16 KiB of the rest, since some servers write longer lines
    /// than the specification has. Empty lines are skipped.
    pub const fn from_server() -> LineDecoder {
        Self::new(SERVER_BODY_BYTES_MAX, TAGS_BYTES_MAX as u16, false)
    }

    /// For lines without tags, of at most `max` bytes without their line end. Empty lines count.
    pub const fn plain(max: u32) -> LineDecoder {
        Self::new(max, 0, true)
    }

    const fn new(body_max: u32, tags_max: u16, empty: bool) -> LineDecoder {
        LineDecoder { tail: Vec::new(), body_max, tags_max, handed: false, dropped: 0, empty }
    }

    /// Bytes of the line that has no end yet.
    pub fn held(&self) -> usize {
        self.tail.capacity()
    }

    /// The next line, or the report of one that is too long. Takes what it uses off the front of `input`;
    /// `None` when all of the input is used up and the line in it has no end yet.
    pub fn next<'s, 'i: 's>(&'s mut self, input: &mut &'i [u8]) -> Option<Decoded<'s>> {
        if self.handed {
            self.tail = Vec::new();
            self.handed = false;
        }
        loop {
            let all = *input;
            let Some(end) = scan::find(all, b'\n') else {
                *input = &[];
                return self.keep(all).map(Decoded::TooLong);
            };
            let piece = &all[..end];
            *input = &all[end + 1..];
            if self.dropped > 0 {
                let endless = self.drop_more(piece.len());
                self.dropped = 0;
                match endless {
                    Some(part) => return Some(Decoded::TooLong(part)),
                    None => continue,
                }
            }
            if self.tail.is_empty() {
                if let Some(part) = self.judge(piece) {
                    return Some(Decoded::TooLong(self.of_whole(piece.len(), part)));
                }
                let line = strip(piece);
                if line.is_empty() && !self.empty {
                    continue;
                }
                return Some(Decoded::Line(line));
            }
            if let Some(verdict) = self.complete(piece) {
                return Some(match verdict {
                    Some(part) => Decoded::TooLong(part),
                    None => Decoded::Line(&self.tail),
                });
            }
        }
    }

    /// Adds the end of a line to its beginning. `None` when the line is empty and does not count, otherwise
    /// which limit it breaks.
    fn complete(&mut self, piece: &[u8]) -> Option<Option<Part>> {
        if let Some(part) = self.too_long(piece) {
            let part = self.of_whole(self.tail.len() + piece.len(), part);
            self.tail = Vec::new();
            return Some(Some(part));
        }
        self.tail.extend_from_slice(piece);
        let len = strip(&self.tail).len();
        self.tail.truncate(len);
        if len == 0 && !self.empty {
            self.tail = Vec::new();
            return None;
        }
        self.handed = true;
        Some(None)
    }

    /// Keeps the beginning of a line. Returns the limit that it breaks already.
    fn keep(&mut self, piece: &[u8]) -> Option<Part> {
        if piece.is_empty() {
            return None;
        }
        if self.dropped > 0 {
            return self.drop_more(piece.len());
        }
        let Some(part) = self.too_long(piece) else {
            self.tail.extend_from_slice(piece);
            return None;
        };
        let tail = std::mem::take(&mut self.tail);
        Some(self.drop_more(tail.len() + piece.len()).unwrap_or(part))
    }

    /// Drops so many bytes of a line that is too long. Says so where it becomes endless.
    fn drop_more(&mut self, bytes: usize) -> Option<Part> {
        let before = self.dropped;
        self.dropped = before.saturating_add(u32::try_from(bytes).unwrap_or(u32::MAX));
        let endless = self.tags_max > 0 && before < ENDLESS_BYTES && self.dropped >= ENDLESS_BYTES;
        endless.then_some(Part::Endless)
    }

    /// What is said of a line of so many bytes that is too long in this part.
    fn of_whole(&self, bytes: usize, part: Part) -> Part {
        if self.tags_max > 0 && bytes >= ENDLESS_BYTES as usize { Part::Endless } else { part }
    }

    /// Which limit the kept beginning and this piece break together.
    fn too_long(&mut self, piece: &[u8]) -> Option<Part> {
        if self.tail.is_empty() {
            return self.judge(piece);
        }
        // One byte more than any line may have is enough to see that it is too long.
        let most = usize::from(self.tags_max) + REGISTER_BODY_BYTES_MAX.max(self.body_max as usize) + 2;
        let kept = self.tail.len();
        self.tail.extend_from_slice(&piece[..piece.len().min(most.saturating_sub(kept))]);
        let part = self.judge(&self.tail);
        self.tail.truncate(kept);
        part
    }

    /// Which limit a line, or the beginning of one, breaks. One CR at its end does not count.
    #[inline]
    fn judge(&self, line: &[u8]) -> Option<Part> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let body_max = self.body_max as usize;
        if self.tags_max == 0 || line.first() != Some(&b'@') {
            let longer = line.len() > body_max && (self.tags_max == 0 || is_too_long(line));
            return longer.then_some(Part::Body);
        }
        let tags_max = usize::from(self.tags_max);
        match scan::find(&line[..line.len().min(tags_max)], b' ') {
            Some(space) => {
                let body = &line[space + 1..];
                (body.len() > body_max && is_too_long(body)).then_some(Part::Body)
            }
            None => (line.len() >= tags_max).then_some(Part::Tags),
        }
    }

    /// The line that the stream ended in, without having ended it.
    pub fn finish(&mut self) -> Option<Vec<u8>> {
        let mut line = std::mem::take(&mut self.tail);
        self.dropped = 0;
        if std::mem::take(&mut self.handed) {
            return None;
        }
        line.truncate(strip(&line).len());
        (!line.is_empty()).then_some(line)
    }

    /// Bytes kept of a line that has not ended.
    pub fn kept(&self) -> usize {
        if self.handed { 0 } else { self.tail.len() }
    }
}

/// Whether a line of IRC that is longer than lines are is too long even for what it asks.
#[cold]
fn is_too_long(body: &[u8]) -> bool {
    let begins =
        |with: &str| body.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with.as_bytes()));
    let registers = ["REGISTER ", "NS REGISTER ", "NICKSERV REGISTER ", "PRIVMSG NICKSERV :REGISTER "];
    body.len() > REGISTER_BODY_BYTES_MAX || !registers.into_iter().any(begins)
}

/// A line without the CRs at its end.
#[inline]
fn strip(mut line: &[u8]) -> &[u8] {
    while let [rest @ .., b'\r'] = line {
        line = rest;
    }
    line
}

#[cfg(test)]
mod tests;
