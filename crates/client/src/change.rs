//! What is new in the model since somebody looked last.

use crate::buffer::BufferId;
use crate::line::LineId;

/// Something that a screen may want to draw anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The link: [`crate::Client::link`].
    Link,
    /// The own nickname, account, modes, or being away.
    Me,
    /// Buffers came or went.
    Buffers,
    /// A buffer's topic, members, counts, typing or history state.
    Buffer(BufferId),
    /// A buffer's lines.
    Lines(BufferId),
    /// Somebody has just named me, or written to me alone: a bell.
    Mention {
        /// Where.
        buffer: BufferId,
        /// The line, if it is held.
        line: LineId,
    },
    /// I came into a room by the code of an invitation that the person gave: it is to be shown.
    Invited(BufferId),
    /// The answer to a search is there: [`crate::Client::found`].
    Found,
    /// So much that it is not listed: look at everything.
    Everything,
}

/// Changes that are listed one by one; more are [`Change::Everything`].
const CHANGES_MAX: usize = 256;

/// What is new.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    list: Vec<Change>,
}

impl Changes {
    pub(crate) fn add(&mut self, change: Change) {
        if self.list.contains(&change) || self.list.first() == Some(&Change::Everything) {
            return;
        }
        if self.list.len() >= CHANGES_MAX {
            self.list.clear();
            self.list.push(Change::Everything);
        } else {
            self.list.push(change);
        }
    }

    pub(crate) fn take(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.list)
    }
}
