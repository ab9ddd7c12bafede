//! What is known of lines that are not held: signs put at them and that they were edited, for when they are fetched.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::line::Line;

/// Lines of which something is remembered. At it nothing more is.
const LINES_MAX: usize = 2_000;

/// Signs that are remembered for one line.
const SIGNS_MAX: usize = 200;

/// A sign: by whom, which, and whether it was put there or taken away.
pub(crate) type Sign = (Arc<str>, Arc<str>, bool);

/// What is known of lines that are not held, by msgid.
#[derive(Debug, Default)]
pub(crate) struct Later {
    signs: BTreeMap<Arc<str>, Vec<Sign>>,
    edited: BTreeSet<Arc<str>>,
}

impl Later {
    fn signs(&mut self, to: &Arc<str>) -> Option<&mut Vec<Sign>> {
        if self.signs.len() >= LINES_MAX && !self.signs.contains_key(to) {
            return None;
        }
        let signs = self.signs.entry(Arc::clone(to)).or_default();
        (signs.len() < SIGNS_MAX).then_some(signs)
    }

    /// A sign that was put there, or taken away, after all that are known.
    pub(crate) fn react(&mut self, to: &Arc<str>, sign: Sign) {
        if let Some(signs) = self.signs(to) {
            signs.push(sign);
        }
    }

    /// The same, before all that are known: pages are fetched backwards. Of several the last one is told first.
    pub(crate) fn react_before(&mut self, to: &Arc<str>, sign: Sign) {
        if let Some(signs) = self.signs(to) {
            signs.insert(0, sign);
        }
    }

    /// A line was edited.
    pub(crate) fn edit(&mut self, to: &Arc<str>) {
        if self.edited.len() < LINES_MAX {
            self.edited.insert(Arc::clone(to));
        }
    }

    /// Remembers what a line that is let go cannot tell when it is fetched again.
    pub(crate) fn keep(&mut self, line: &Line) {
        let Some(msgid) = &line.msgid else { return };
        for reaction in &line.reactions {
            for who in &reaction.who {
                self.react(msgid, (Arc::clone(who), Arc::clone(&reaction.what), true));
            }
        }
        if line.edited {
            self.edit(msgid);
        }
    }

    /// Tells a line that is fetched what is known of it.
    pub(crate) fn apply(&mut self, line: &mut Line) {
        let Some(msgid) = &line.msgid else { return };
        let signs = self.signs.remove(msgid).unwrap_or_default();
        line.edited |= self.edited.remove(msgid);
        for (who, what, set) in signs {
            line.react(&who, &what, set);
        }
    }

    pub(crate) fn clear(&mut self) {
        self.signs.clear();
        self.edited.clear();
    }
}
