//! Labelled requests: what answers them, as one response.
//!
//! Specification: <https://ircv3.net/specs/extensions/labeled-response>. No line at all becomes `ACK`, one line
//! carries the label, several are a batch. Lines are held back only until the one event that the request led
//! to has been applied; where there are several, the batch is opened at once, so that nothing is seen later
//! than what came after it.

use std::collections::BTreeMap;

use chinwag_core::commands::batch;
use chinwag_core::line::{Command, Line, Source, Text};
use chinwag_wire::caps::Cap;
use chinwag_wire::limits::LABEL_BYTES_MAX;
use chinwag_wire::message::Message;

use crate::Node;
use crate::deliver::Asker;
use crate::proposals::NO_LABEL;

/// A labelled request under way.
#[derive(Debug)]
struct Labelled {
    label: Box<str>,
    /// Events and reads that have not come back.
    left: u32,
    lines: Vec<Line>,
    /// The reference of the batch, once it is opened.
    batch: Option<String>,
}

/// All labelled requests under way: a few for each session that uses them. Their numbers are never used again.
#[derive(Debug, Default)]
pub(crate) struct Labels {
    under_way: BTreeMap<u64, Labelled>,
    last: u64,
    batches: u64,
}

impl Labels {
    fn get_mut(&mut self, label: u64) -> Option<&mut Labelled> {
        if label == NO_LABEL { None } else { self.under_way.get_mut(&label) }
    }

    fn begin(&mut self, label: &str) -> u64 {
        self.last += 1;
        let labelled = Labelled { label: label.into(), left: 0, lines: Vec::new(), batch: None };
        self.under_way.insert(self.last, labelled);
        self.last
    }

    /// Forgets a request that was not looked at after all, or whose session is gone.
    pub(crate) fn forget(&mut self, label: u64) {
        self.take(label);
    }

    fn take(&mut self, label: u64) -> Option<Labelled> {
        if label == NO_LABEL { None } else { self.under_way.remove(&label) }
    }

    /// Something came back; whether it was the last.
    pub(crate) fn came_back(&mut self, label: u64) -> bool {
        self.get_mut(label).is_some_and(|labelled| {
            labelled.left = labelled.left.saturating_sub(1);
            labelled.left == 0
        })
    }

    /// One thing more has to come back.
    pub(crate) fn expect(&mut self, label: u64) {
        if let Some(labelled) = self.get_mut(label) {
            labelled.left += 1;
        }
    }
}

impl Node {
    /// Begins the response to a request, if the session wants labels and the request has one.
    pub(crate) fn begin_label(&mut self, index: u32, message: &Message<'_>) -> u64 {
        let Some(entry) = self.sessions.get(index) else { return NO_LABEL };
        if message.tags.is_empty() && entry.core.batch.is_none() {
            return NO_LABEL;
        }
        if !entry.core.caps.contains(Cap::LabeledResponse) || !entry.core.caps.contains(Cap::Batch) {
            return NO_LABEL;
        }
        // The answer to a batch has the label of the request that opened it.
        if let Some(label) = batch::label(&entry.core, message) {
            return self.labels.begin(&label);
        }
        match message.tags.get("label") {
            Some(label) if !label.is_empty() && label.len() <= LABEL_BYTES_MAX => self.labels.begin(&label),
            _ => NO_LABEL,
        }
    }

    /// A line for the session that asks.
    pub(crate) fn answer(&mut self, asker: Asker, line: Line) {
        // Who is being closed has had the last line.
        let Some(entry) = self.sessions.get(asker.index).filter(|entry| !entry.closing) else { return };
        let caps = entry.core.caps;
        match self.labels.get_mut(asker.label) {
            None => self.send_one(asker.index, &line, None),
            Some(_) if !line.is_for(caps) => {}
            Some(Labelled { batch: Some(batch), .. }) => {
                let line = in_batch(line, batch.clone());
                self.send_one(asker.index, &line, None);
            }
            Some(labelled) => labelled.lines.push(line),
        }
    }

    /// Everything that the request leads to at once has been said: answers it if nothing is to come back, and
    /// opens the batch if more than one thing is.
    pub(crate) fn settle_label(&mut self, asker: Asker) {
        match self.labels.get_mut(asker.label).map(|labelled| labelled.left) {
            Some(0) => self.finish_label(asker),
            Some(2..) => self.open_batch(asker),
            _ => {}
        }
    }

    /// Answers a labelled request before its session is closed, if there is one.
    pub(crate) fn finish_label_of(&mut self, asker: Asker) {
        if asker.label != NO_LABEL {
            self.finish_label(asker);
        }
    }

    fn open_batch(&mut self, asker: Asker) {
        self.labels.batches += 1;
        let reference = format!("r{:x}", self.labels.batches);
        let Some(labelled) = self.labels.get_mut(asker.label) else { return };
        labelled.batch = Some(reference.clone());
        let lines = std::mem::take(&mut labelled.lines);
        let label = labelled.label.clone();
        let open = Line::new(
            Source::Server,
            "BATCH",
            [Text::from(format!("+{reference}")), Text::Static("labeled-response")],
        );
        self.send_one(asker.index, &open, Some(&label));
        for line in lines {
            self.send_one(asker.index, &in_batch(line, reference.clone()), None);
        }
    }

    /// The request is answered.
    pub(crate) fn finish_label(&mut self, asker: Asker) {
        let several = match self.labels.get_mut(asker.label) {
            None => return,
            Some(labelled) => {
                labelled.batch.is_none() && labelled.lines.len() > 1 && !is_batch(&labelled.lines)
            }
        };
        if several {
            self.open_batch(asker);
        }
        let Some(labelled) = self.labels.take(asker.label) else { return };
        if let Some(reference) = labelled.batch {
            let end = Line::new(Source::Server, "BATCH", [Text::from(format!("-{reference}"))]);
            return self.send_one(asker.index, &end, None);
        }
        if labelled.lines.is_empty() {
            let done = Line::new(Source::Server, "ACK", []);
            return self.send_one(asker.index, &done, Some(&labelled.label));
        }
        for (nth, line) in labelled.lines.iter().enumerate() {
            self.send_one(asker.index, line, (nth == 0).then_some(&*labelled.label));
        }
    }
}

fn in_batch(mut line: Line, reference: String) -> Line {
    line.meta.batch.get_or_insert(Text::from(reference));
    line
}

/// Whether these lines are one batch already, which then carries the label itself.
fn is_batch(lines: &[Line]) -> bool {
    let reference = |line: &Line, sign: char| {
        let first = line.params.first().filter(|_| line.command == Command::Verb("BATCH"))?;
        first.as_str().strip_prefix(sign).map(str::to_owned)
    };
    let [first, .., last] = lines else { return false };
    first.meta.batch.is_none()
        && match (reference(first, '+'), reference(last, '-')) {
            (Some(open), Some(end)) => open == end,
            _ => false,
        }
}

/// A notice from the server.
pub(crate) fn notice(text: String) -> Line {
    Line::new(Source::Server, "NOTICE", [Text::Static("*"), Text::from(text)])
}
