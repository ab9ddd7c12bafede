//! What a node counts beside the chat, for those who ask (`LUSERS`, `STATS m`).

use chinwag_wire::verbs::Verb;

/// The counts of one node, since it started.
#[derive(Clone, Debug)]
pub struct Figures {
    /// Connections that are nobody's yet.
    pub unregistered: usize,
    asked: [u64; Verb::ALL.len()],
}

impl Default for Figures {
    fn default() -> Self {
        Figures { unregistered: 0, asked: [0; Verb::ALL.len()] }
    }
}

impl Figures {
    /// A command was decided.
    pub fn count(&mut self, verb: Verb) {
        let times = &mut self.asked[verb.index()];
        *times = times.saturating_add(1);
    }

    /// Every command that was ever asked for, and how often.
    pub fn asked(&self) -> impl Iterator<Item = (Verb, u64)> {
        let all = Verb::ALL.iter().map(|verb| (*verb, self.asked[verb.index()]));
        all.filter(|(_, times)| *times > 0)
    }
}
