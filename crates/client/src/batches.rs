//! Batches: lines that belong together, until the last of them is here.
//!
//! Specification: <https://ircv3.net/specs/extensions/batch>. Batches may be inside of others.

use chinwag_wire::message::Message;

/// Lines of all open batches together. What comes beyond is dropped: a page of history is far below.
const LINES_MAX: usize = 20_000;

/// Batches that are open at the same time.
const OPEN_MAX: usize = 64;

/// Something inside of a batch.
#[derive(Debug)]
pub(crate) enum Item {
    /// A line as it came.
    Line(String),
    /// Another batch, complete.
    Batch(Batch),
}

/// A batch.
#[derive(Debug)]
pub(crate) struct Batch {
    reference: String,
    parent: Option<String>,
    /// The line that opened it.
    pub(crate) opening: String,
    /// What is in it.
    pub(crate) items: Vec<Item>,
}

/// The batches that are open.
#[derive(Debug, Default)]
pub(crate) struct Batches {
    open: Vec<Batch>,
    lines: usize,
}

/// What became of a line.
#[derive(Debug)]
pub(crate) enum Taken {
    /// It belongs to no batch.
    Not,
    /// It belongs to one that is still open.
    Kept,
    /// It ended a batch that is in no other.
    Done(Batch),
}

impl Batches {
    /// Takes a line if it has to do with a batch.
    pub(crate) fn take(&mut self, message: &Message<'_>, text: &str) -> Taken {
        let parent = message.tags.get("batch").map(|reference| reference.into_owned());
        if !message.command.eq_ignore_ascii_case("BATCH") {
            let Some(batch) = parent.and_then(|parent| self.find(&parent)) else { return Taken::Not };
            if self.lines < LINES_MAX {
                self.lines += 1;
                self.open[batch].items.push(Item::Line(text.to_owned()));
            }
            return Taken::Kept;
        }
        let first = message.params.first().copied().unwrap_or("");
        if let Some(reference) = first.strip_prefix('+') {
            if self.open.len() < OPEN_MAX {
                let (reference, opening) = (reference.to_owned(), text.to_owned());
                self.open.push(Batch { reference, parent, opening, items: Vec::new() });
            }
            return Taken::Kept;
        }
        let Some(at) = first.strip_prefix('-').and_then(|reference| self.find(reference)) else {
            return Taken::Kept;
        };
        let batch = self.open.remove(at);
        match batch.parent.as_ref().and_then(|parent| self.find(parent)) {
            Some(parent) => {
                self.open[parent].items.push(Item::Batch(batch));
                Taken::Kept
            }
            None => {
                if self.open.is_empty() {
                    self.lines = 0;
                }
                Taken::Done(batch)
            }
        }
    }

    fn find(&self, reference: &str) -> Option<usize> {
        self.open.iter().position(|batch| batch.reference == reference)
    }

    /// The link is gone: nothing will be completed.
    pub(crate) fn clear(&mut self) {
        self.open.clear();
        self.lines = 0;
    }
}
