//! One request being decided: who asks, what may be read, and where the answers go.

use chinwag_wire::numeric::Numeric;

use crate::allowance::{Allowance, Dear};
use crate::commands::reply::line;
use crate::effect::{Effect, Effects, To};
use crate::event::Event;
use crate::figures::Figures;
use crate::ids::{Millis, UserId};
use crate::line::{Line, Text};
use crate::pending::Pending;
use crate::pointed::{Answer, Found, Lookup, Question};
use crate::refusals::Why;
use crate::session::Session;
use crate::settings::Settings;

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub enum Flow {
    /// Decided: answered, or events proposed, or both.
    Done,
    /// Cannot be decided before what is under way has been applied: ask again then. Nothing was done.
    Wait,
    /// Cannot be decided before the archive has answered a question: ask again with its answer (see
    /// [`Asking::learn`]). Nothing was done.
    Look(Box<Question>),
}

/// A request being decided.
pub struct Asking<'a> {
    /// Now.
    pub now_ms: Millis,
    /// Configuration.
    pub settings: &'a Settings,
    /// The session that asks.
    pub session: &'a mut Session,
    /// What this node has under way.
    pub pending: &'a Pending,
    /// What the session's address block and its account may still do.
    pub allowance: Allowance,
    /// What this node has counted.
    pub figures: &'a Figures,
    /// The user number to be given if this request makes the session a user's.
    pub next_user: UserId,
    /// Replies and other effects.
    pub effects: &'a mut Effects,
    /// Events proposed, in order.
    pub events: &'a mut Vec<Event>,
}

impl Asking<'_> {
    /// Whether the session's address block and its account may do this now. That they may not is counted: ask when
    /// nothing else is in the way.
    pub fn allows(&mut self, dear: Dear) -> bool {
        let allowed = self.allowance.allows(dear);
        if !allowed {
            self.refused_for(dear.why());
        }
        allowed
    }

    /// The session was refused something for this reason.
    pub fn refused_for(&mut self, why: Why) {
        self.effects.push(Effect::Refused(why));
    }

    /// It does.
    pub fn spend(&mut self, dear: Dear) {
        if dear == Dear::WrongPasswords {
            self.refused_for(Why::WrongPassword);
        }
        self.allowance.spend(dear);
        self.effects.push(Effect::Spent(dear));
    }

    /// Proposes an event.
    pub fn propose(&mut self, event: Event) {
        self.events.push(event);
    }

    /// What the archive says of a message.
    ///
    /// # Errors
    /// As [`Asking::learn`].
    pub fn look(&mut self, lookup: Lookup) -> Result<Option<Box<Found>>, Flow> {
        match self.learn(Question::Message(lookup))? {
            Answer::Message(found) => Ok(found),
            _ => Ok(None),
        }
    }

    /// What the archive answers. The first time, and whenever the answer at hand is to another question, there is none
    /// yet: then the request ends with what is given as the error.
    ///
    /// # Errors
    /// The flow with which the request ends: [`Flow::Look`], or [`Flow::Done`] when the archive could not be read
    /// and the asker has been told.
    pub fn learn(&mut self, question: Question) -> Result<Answer, Flow> {
        let looked = self.session.looked.take().filter(|looked| looked.question.same(&question));
        match looked.map(|looked| looked.answer) {
            None => Err(Flow::Look(Box::new(question))),
            Some(Ok(answer)) => Ok(answer),
            Some(Err(reason)) => {
                let text = format!("Messages could not be read: {reason}");
                self.reply(line("NOTICE", ["*".into(), text.into()]));
                Err(Flow::Done)
            }
        }
    }

    /// Sends the asking session a numeric. The nickname that numerics begin with is added by the door.
    pub fn numeric<const N: usize>(&mut self, numeric: Numeric, params: [Text; N]) {
        self.reply(Line::numeric(numeric, params));
    }

    /// Sends the asking session an error numeric with its usual text as the last parameter.
    pub fn refuse<const N: usize>(&mut self, numeric: Numeric, params: [Text; N]) {
        let mut line = Line::numeric(numeric, params);
        line.params.push(numeric.text().into());
        self.reply(line);
    }

    /// Sends the asking session a line.
    pub fn reply(&mut self, line: Line) {
        self.effects.push(Effect::Send { to: To::Asker, author: None, except: None, line });
    }
}
