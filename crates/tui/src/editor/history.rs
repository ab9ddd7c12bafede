//! What was sent before, to be sent again: up, down, and search.

/// So many texts are kept.
const SENT_MAX: usize = 1000;

/// Texts that were sent, the newest last, and a walk through them.
#[derive(Debug, Clone, Default)]
pub struct History {
    sent: Vec<String>,
    /// Where the walk is, and what was being typed when it began.
    walk: Option<(usize, String)>,
}

impl History {
    /// Keeps a text that was sent. The same twice in a row is kept once; what begins with a blank is not kept.
    pub fn keep(&mut self, text: &str) {
        self.walk = None;
        if text.trim().is_empty()
            || text.starts_with(' ')
            || self.sent.last().is_some_and(|last| last == text)
        {
            return;
        }
        if self.sent.len() == SENT_MAX {
            self.sent.remove(0);
        }
        self.sent.push(text.to_owned());
    }

    /// All that is kept, the oldest first.
    pub fn sent(&self) -> &[String] {
        &self.sent
    }

    /// Ends a walk: what is typed now is a text of its own.
    pub fn stay(&mut self) {
        self.walk = None;
    }

    /// The text before the one that is shown; `typed` comes back at the end of the walk.
    pub fn older(&mut self, typed: &str) -> Option<&str> {
        let at = self.walk.as_ref().map_or(self.sent.len(), |(at, _)| *at).checked_sub(1)?;
        let typed = self.walk.take().map_or_else(|| typed.to_owned(), |(_, typed)| typed);
        self.walk = Some((at, typed));
        self.sent.get(at).map(String::as_str)
    }

    /// The text after the one that is shown; at the end, what was being typed.
    pub fn newer(&mut self) -> Option<String> {
        let (at, typed) = self.walk.take()?;
        match self.sent.get(at + 1) {
            Some(sent) => {
                let sent = sent.clone();
                self.walk = Some((at + 1, typed));
                Some(sent)
            }
            None => Some(typed),
        }
    }

    /// The newest text with `part` in it, older than number `before`, and its number.
    pub fn find(&self, part: &str, before: usize) -> Option<(usize, &str)> {
        let part = part.to_lowercase();
        let before = before.min(self.sent.len());
        let found = self.sent[..before].iter().rposition(|sent| sent.to_lowercase().contains(&part))?;
        Some((found, &self.sent[found]))
    }
}
