//! The lines of a buffer: an unbroken piece of its history, oldest first, and behind it the own lines that are pending
//! or failed.
//!
//! Lines come and go only at the two ends, so that a line is found by its place. Memory is bounded: see
//! [`LINES_MAX`].

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::sync::Arc;

use crate::line::{Line, LineId};

/// Lines of one buffer that are held. Beyond it the end that is farther from what is being looked at is let go, a page
/// at a time, and fetched again when it is wanted.
pub const LINES_MAX: usize = 5_000;

/// How many are let go at once.
pub(crate) const LET_GO: usize = 500;

/// The lines of a buffer.
#[derive(Debug, Default)]
pub struct Lines {
    kept: VecDeque<Line>,
    own: Vec<Line>,
    /// The place of the first kept line. Places grow to the end and never change.
    first: i64,
    by_id: BTreeMap<LineId, i64>,
    by_msgid: BTreeMap<Arc<str>, i64>,
    by_number: BTreeMap<u64, i64>,
}

impl Lines {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.kept.len() + self.own.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The line at an index, the oldest is 0.
    pub fn get(&self, index: usize) -> Option<&Line> {
        self.kept.get(index).or_else(|| self.own.get(index.checked_sub(self.kept.len())?))
    }

    /// All lines, from either end.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Line> {
        self.kept.iter().chain(self.own.iter())
    }

    /// The lines of these indexes, as far as there are any.
    pub fn range(&self, indexes: Range<usize>) -> impl DoubleEndedIterator<Item = &Line> {
        let middle = self.kept.len();
        let cut = |at: usize| at.min(self.len());
        let (start, end) = (cut(indexes.start), cut(indexes.end).max(cut(indexes.start)));
        let kept = self.kept.range(start.min(middle)..end.min(middle));
        kept.chain(self.own[start.max(middle) - middle..end.max(middle) - middle].iter())
    }

    /// The index of a line.
    pub fn index_of(&self, id: LineId) -> Option<usize> {
        match self.by_id.get(&id) {
            Some(place) => self.index(*place),
            None => Some(self.kept.len() + self.own.iter().position(|line| line.id == id)?),
        }
    }

    /// A line by its id.
    pub fn by_id(&self, id: LineId) -> Option<&Line> {
        self.get(self.index_of(id)?)
    }

    /// A line by its msgid.
    pub fn by_msgid(&self, msgid: &str) -> Option<&Line> {
        self.get(self.index(*self.by_msgid.get(msgid)?)?)
    }

    /// A line by its number in the room.
    pub fn by_number(&self, number: u64) -> Option<&Line> {
        self.get(self.index(*self.by_number.get(&number)?)?)
    }

    /// The lines that the server keeps, or that this client tells.
    pub(crate) fn kept(&self) -> &VecDeque<Line> {
        &self.kept
    }

    fn index(&self, place: i64) -> Option<usize> {
        usize::try_from(place - self.first).ok()
    }

    fn note(&mut self, place: i64, line: &Line) {
        self.by_id.insert(line.id, place);
        if let Some(msgid) = &line.msgid {
            self.by_msgid.insert(Arc::clone(msgid), place);
        }
        if let Some(number) = line.number {
            self.by_number.insert(number, place);
        }
    }

    fn forget(&mut self, line: &Line) {
        self.by_id.remove(&line.id);
        if let Some(msgid) = &line.msgid {
            self.by_msgid.remove(msgid);
        }
        if let Some(number) = line.number {
            self.by_number.remove(&number);
        }
    }

    /// Adds a line behind all that is kept. One whose msgid is there already is not added; says whether it was.
    pub(crate) fn append(&mut self, line: Line) -> bool {
        if self.has(line.msgid.as_deref()) {
            return false;
        }
        let place = self.first + self.kept.len() as i64;
        self.note(place, &line);
        self.kept.push_back(line);
        true
    }

    /// Adds lines, oldest first, before all others; those that are there already are left out. Says how many were added.
    pub(crate) fn prepend(&mut self, lines: Vec<Line>) -> usize {
        let mut added = 0;
        for line in lines.into_iter().rev() {
            if self.has(line.msgid.as_deref()) {
                continue;
            }
            self.first -= 1;
            self.note(self.first, &line);
            self.kept.push_front(line);
            added += 1;
        }
        added
    }

    pub(crate) fn has(&self, msgid: Option<&str>) -> bool {
        msgid.is_some_and(|msgid| self.by_msgid.contains_key(msgid))
    }

    /// Lets the oldest go, one by one.
    pub(crate) fn drop_oldest(&mut self) -> Option<Line> {
        let line = self.kept.pop_front()?;
        self.forget(&line);
        self.first += 1;
        Some(line)
    }

    /// Lets the newest of those that are kept go.
    pub(crate) fn drop_newest(&mut self, count: usize) {
        for _ in 0..count {
            let Some(line) = self.kept.pop_back() else { return };
            self.forget(&line);
        }
    }

    /// Lets everything go that is kept. Own lines stay.
    pub(crate) fn drop_kept(&mut self) {
        self.kept = VecDeque::new();
        self.by_id.clear();
        self.by_msgid.clear();
        self.by_number.clear();
    }

    /// Changes a line of either part. Its id, msgid and number stay.
    pub(crate) fn get_mut(&mut self, id: LineId) -> Option<&mut Line> {
        match self.by_id.get(&id).copied() {
            Some(place) => self.index(place).and_then(|index| self.kept.get_mut(index)),
            None => self.own.iter_mut().find(|line| line.id == id),
        }
    }

    /// The id of the line that has a msgid.
    pub(crate) fn id_of(&self, msgid: &str) -> Option<LineId> {
        self.by_msgid(msgid).map(|line| line.id)
    }

    /// Adds an own line that the server has not answered yet.
    pub(crate) fn add_own(&mut self, line: Line) {
        self.own.push(line);
    }

    /// Takes an own line out: it is kept now, or given up.
    pub(crate) fn take_own(&mut self, id: LineId) -> Option<Line> {
        let at = self.own.iter().position(|line| line.id == id)?;
        Some(self.own.remove(at))
    }

    /// Own lines that are pending or failed, oldest first.
    pub fn own(&self) -> &[Line] {
        &self.own
    }
}
