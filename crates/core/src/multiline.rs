//! Messages of several lines: the batch in which a client sends one, and the lines of one that was said.
//!
//! Specifications: <https://ircv3.net/specs/extensions/client-batch>,
//! <https://ircv3.net/specs/extensions/multiline>. Such a message is one event with one text. Where its sender
//! began a line only because lines are short is kept beside the text ([`Joins`]), so that everybody gets the
//! lines as they were composed.

use std::sync::Arc;

use crate::event::{Joins, SayKind};
use crate::ids::Millis;

/// The type of the batch.
pub const BATCH_TYPE: &str = "draft/multiline";

/// The tag of a line that continues the one before.
pub const CONCAT_TAG: &str = "draft/multiline-concat";

/// The most bytes that a configuration may allow: with tags and offsets beside them, the event stays below what
/// a log takes.
pub const BYTES_MAX: usize = 40 * 1024;

/// The most lines that a configuration may allow.
pub const LINES_MAX: usize = 1_000;

/// Milliseconds for which a batch may stay open.
pub const OPEN_MS_MAX: Millis = 60_000;

/// Bytes of a batch's reference.
pub const REFERENCE_BYTES_MAX: usize = 64;

/// A batch that a client opened and has not closed.
#[derive(Clone, Debug)]
pub struct ClientBatch {
    /// The reference that the client chose.
    pub reference: Arc<str>,
    /// The label of the request that opened it: that of the answer to the whole.
    pub label: Option<Arc<str>>,
    /// When it was opened.
    pub opened_ms: Millis,
    /// What was collected; none when the batch was refused, and what still comes of it is ignored.
    pub draft: Option<Draft>,
}

/// A message of several lines as far as it has come.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    /// For whom.
    pub target: Arc<str>,
    /// PRIVMSG or NOTICE, as the first line was.
    pub kind: Option<SayKind>,
    /// The lines, joined.
    pub text: String,
    /// Where lines continue the one before.
    pub joins: Vec<u32>,
    /// How many lines came.
    pub lines: usize,
    /// Client-only tags of the whole.
    pub client_tags: Option<Arc<str>>,
}

impl ClientBatch {
    /// Bytes of what was collected.
    pub fn held(&self) -> usize {
        self.draft
            .as_ref()
            .map_or(0, |draft| draft.text.capacity() + draft.joins.capacity() * size_of::<u32>())
    }
}

impl Draft {
    /// Adds a line; `bytes_max` bytes of it fit a line as others get it, and the rest continues it.
    pub fn add(&mut self, line: &str, continues: bool, bytes_max: usize) {
        let mut continues = continues || self.lines == 0;
        let mut first = self.lines == 0;
        self.lines += 1;
        let mut rest = line;
        loop {
            let end =
                if rest.len() <= bytes_max { rest.len() } else { rest.floor_char_boundary(bytes_max.max(4)) };
            let (piece, behind) = rest.split_at(end);
            match (continues, first) {
                (true, true) => {}
                (true, false) => self.joins.push(offset(self.text.len())),
                (false, _) => self.text.push('\n'),
            }
            self.text.push_str(piece);
            if behind.is_empty() {
                return;
            }
            (rest, continues, first) = (behind, true, false);
        }
    }

    /// Whether there is nothing to read in it.
    pub fn is_blank(&self) -> bool {
        self.text.bytes().all(|byte| byte == b'\n')
    }

    /// The offsets of the message; none when it is a message of one line after all.
    pub fn joins(&self) -> Joins {
        let several = !self.joins.is_empty() || self.text.contains('\n');
        several.then(|| self.joins.as_slice().into())
    }
}

fn offset(at: usize) -> u32 {
    u32::try_from(at).expect("a message is bounded far below 4 GiB")
}

/// The lines of a message as they were sent, each with whether it continues the one before.
pub fn pieces<'t>(text: &'t str, joins: &[u32]) -> impl Iterator<Item = (&'t str, bool)> {
    let mut joins = joins.iter().map(|at| *at as usize).peekable();
    let mut rest = Some((0, false));
    std::iter::from_fn(move || {
        let (start, continues) = rest?;
        let tail = text.get(start..)?;
        let end = tail.find('\n').map_or(text.len(), |at| start + at);
        // Offsets that no message of ours has are passed over.
        while joins.next_if(|at| *at < start || (*at == start && continues)).is_some() {}
        let join = joins.next_if(|at| *at <= end && text.is_char_boundary(*at));
        let (end, next) = match join {
            Some(join) => (join, Some((join, true))),
            None if end < text.len() => (end, Some((end + 1, false))),
            None => (end, None),
        };
        rest = next;
        Some((&text[start..end], continues))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines put together and taken apart again.
    fn there_and_back(lines: &[(&str, bool)], text: &str) {
        let mut draft = Draft::default();
        for (line, continues) in lines {
            draft.add(line, *continues, 100);
        }
        assert_eq!(draft.text, text);
        let back: Vec<_> = pieces(&draft.text, &draft.joins).collect();
        assert_eq!(back, lines);
    }

    #[test]
    fn lines_come_back_as_they_were_composed() {
        there_and_back(&[("hello", false)], "hello");
        there_and_back(
            &[("hello", false), ("how is ", false), ("everyone?", true)],
            "hello\nhow is everyone?",
        );
        there_and_back(&[("", false), ("a", false), ("", false), ("", false), ("b", false)], "\na\n\n\nb");
        there_and_back(&[("a", false), ("", false), ("b", true), ("", false)], "a\nb\n");
        there_and_back(&[("é", false), ("é", true), ("é", true)], "ééé");
    }

    #[test]
    fn a_line_too_long_for_others_is_continued() {
        let mut draft = Draft::default();
        draft.add("ééééé", false, 5);
        draft.add("x", false, 5);
        let back: Vec<_> = pieces(&draft.text, &draft.joins).collect();
        assert_eq!(back, [("éé", false), ("éé", true), ("é", true), ("x", false)]);
        assert_eq!(draft.lines, 2);
    }

    #[test]
    fn one_line_is_no_message_of_several() {
        let mut draft = Draft::default();
        draft.add("one", false, 100);
        assert_eq!(draft.joins(), None);
        draft.add("two", false, 100);
        assert_eq!(draft.joins().as_deref(), Some(&[][..]));
    }

    #[test]
    fn offsets_that_make_no_sense_lose_nothing() {
        let text = "é\nab";
        let back: String = pieces(text, &[1, 9, 3, 3, 2]).map(|(piece, _)| piece).collect();
        assert_eq!(back, "éab");
    }
}
