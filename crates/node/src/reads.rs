//! History that sessions ask for: the questions go out, the pages come in, the session waits meanwhile.

use std::collections::BTreeMap;

use chinwag_core::history::{self, Page, Query};
use chinwag_core::ids::{Millis, SessionId};
use chinwag_core::line::{Line, Source, Text};
use chinwag_core::pointed::{Answer, Looked, Question};
use chinwag_wire::caps::Cap;

use crate::Node;
use crate::deliver::Asker;
use crate::labels::notice;
use crate::proposals::{Behalf, NO_LABEL};

/// A question for the archive.
#[derive(Clone, Debug, PartialEq)]
pub struct HistoryRead {
    /// By which the answer is handed in.
    pub id: u64,
    /// What is asked.
    pub question: Question,
}

struct Reading {
    /// Whose it is; none for what the node wants to know itself.
    session: Option<SessionId>,
    label: u64,
    question: Question,
}

/// Reads that are out: at most one a session, and what the node asks itself.
#[derive(Default)]
pub(crate) struct Reads {
    next: u64,
    asked: Vec<HistoryRead>,
    out: BTreeMap<u64, Reading>,
}

/// Why an answer is of no use that is to another question. No driver gives such answers.
const WRONG: &str = "the archive answered another question";

impl Reads {
    /// How many are out.
    pub(crate) fn len(&self) -> usize {
        self.out.len()
    }

    fn ask(&mut self, session: SessionId, label: u64, question: Question) {
        self.put(Some(session), label, question);
    }

    /// Asks what the node wants to know itself.
    pub(crate) fn ask_for_node(&mut self, question: Question) {
        self.put(None, NO_LABEL, question);
    }

    fn put(&mut self, session: Option<SessionId>, label: u64, question: Question) {
        self.next += 1;
        self.asked.push(HistoryRead { id: self.next, question: question.clone() });
        self.out.insert(self.next, Reading { session, label, question });
    }
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
        self.reads.ask(session, asker.label, Question::Page(query));
    }

    /// A session's request needs an answer of the archive: it is looked at again with that.
    pub(crate) fn look(&mut self, session: SessionId, question: Question) {
        self.reads.ask(session, NO_LABEL, question);
    }

    /// The answer to a question, or why there is none.
    pub fn history(&mut self, id: u64, answer: Result<Answer, String>, now_ms: Millis) {
        self.now_ms = now_ms;
        let Some(Reading { session, label, question }) = self.reads.out.remove(&id) else { return };
        let Some(session) = session else {
            if let Question::Age(query) = &question {
                self.aged(query, answer);
            }
            return self.go_on_all();
        };
        let asker = self.sessions.find(session).map(|index| Asker { index, label });
        match question {
            Question::Page(query) => {
                if let Some(asker) = asker {
                    match answer {
                        Ok(Answer::Page(page)) => self.show_page(asker, &query, page),
                        Ok(_) => self.no_page(asker, &query, WRONG),
                        Err(reason) => self.no_page(asker, &query, &reason),
                    }
                }
                self.came_back(Behalf { session: Some(session), label, ..Behalf::NODE }, asker);
            }
            question => {
                if let Some(asker) = asker {
                    self.looked(asker.index, question, answer);
                }
            }
        }
        self.go_on_all();
    }

    /// The archive has answered: the request that waits for it is looked at again.
    fn looked(&mut self, index: u32, question: Question, answer: Result<Answer, String>) {
        let Some(entry) = self.sessions.get_mut(index) else { return };
        let answer = answer.and_then(|answer| match question.fits(&answer) {
            true => Ok(answer),
            false => Err(WRONG.to_owned()),
        });
        entry.core.looked = Some(Box::new(Looked { question, answer }));
        self.make_ready(index);
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
