//! History that sessions ask for: the questions go out, the pages come in, the session waits meanwhile.

use std::collections::BTreeMap;

use chinwag_core::history::{self, Page, Query};
use chinwag_core::ids::{Millis, SessionId};
use chinwag_core::line::{Line, Source, Text};
use chinwag_wire::caps::Cap;

use crate::Node;
use crate::deliver::Asker;
use crate::labels::notice;
use crate::proposals::Behalf;

/// A question for the archive.
#[derive(Clone, Debug, PartialEq)]
pub struct HistoryRead {
    /// By which the answer is handed in.
    pub id: u64,
    /// What is asked.
    pub query: Query,
}

struct Reading {
    session: SessionId,
    label: u64,
    query: Query,
}

/// Reads that are out: at most one a session.
#[derive(Default)]
pub(crate) struct Reads {
    next: u64,
    asked: Vec<HistoryRead>,
    out: BTreeMap<u64, Reading>,
}

impl Node {
    /// Questions for the archive, in the order in which they were asked. Each is answered by [`Node::history`].
    pub fn take_reads(&mut self) -> Vec<HistoryRead> {
        std::mem::take(&mut self.reads.asked)
    }

    /// A session asks for history; everything else that it asks waits for the answer.
    pub(crate) fn read(&mut self, asker: Option<Asker>, query: Query) {
        let Some(asker) = asker else { return };
        let session = self.sessions.id(asker.index);
        let Some(entry) = self.sessions.get_mut(asker.index) else { return };
        entry.commands += 1;
        self.labels.expect(asker.label);
        let reads = &mut self.reads;
        reads.next += 1;
        reads.asked.push(HistoryRead { id: reads.next, query: query.clone() });
        reads.out.insert(reads.next, Reading { session, label: asker.label, query });
    }

    /// The answer to a question, or why there is none.
    pub fn history(&mut self, id: u64, answer: Result<Page, String>, now_ms: Millis) {
        self.now_ms = now_ms;
        let Some(Reading { session, label, query }) = self.reads.out.remove(&id) else { return };
        let asker = self.sessions.find(session).map(|index| Asker { index, label });
        if let Some(asker) = asker {
            match answer {
                Ok(page) => self.show_page(asker, &query, page),
                Err(reason) => self.no_page(asker, &query, &reason),
            }
        }
        self.came_back(Behalf { session: Some(session), label, message: false, tries: 0 }, asker);
        self.go_on_all();
    }

    fn show_page(&mut self, asker: Asker, query: &Query, mut page: Page) {
        let mut effects = Vec::new();
        let viewer = self.sessions.get(asker.index).and_then(|entry| entry.user);
        if let Some(room) = self.chat.room(query.room) {
            page.events.retain(|happened| room.tells(viewer, &happened.event));
        }
        history::lines(&self.chat, query, page, &mut effects);
        for effect in effects {
            self.carry_out(Some(asker), effect);
        }
    }

    fn no_page(&mut self, asker: Asker, query: &Query, reason: &str) {
        let Some(entry) = self.sessions.get(asker.index) else { return };
        let text = format!("The history could not be read: {reason}");
        let line = if entry.core.caps.contains(Cap::StandardReplies) {
            let about = [Text::Static("CHATHISTORY"), Text::Static("MESSAGE_ERROR")];
            let mut line = Line::new(Source::Server, "FAIL", about);
            line.params.push(query.name.clone().into());
            line.params.push(text.into());
            line
        } else {
            notice(text)
        };
        self.answer(asker, line);
    }
}
