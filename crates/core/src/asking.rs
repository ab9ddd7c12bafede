//! One request being decided: who asks, what may be read, and where the answers go.

use chinwag_wire::numeric::Numeric;

use crate::effect::{Effect, Effects, To};
use crate::event::Event;
use crate::ids::{Millis, UserId};
use crate::line::{Line, Text};
use crate::pending::Pending;
use crate::session::Session;
use crate::settings::Settings;

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Flow {
    /// Decided: answered, or events proposed, or both.
    Done,
    /// Cannot be decided before what is under way has been applied: ask again then. Nothing was done.
    Wait,
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
    /// The user number to be given if this request makes the session a user's.
    pub next_user: UserId,
    /// Replies and other effects.
    pub effects: &'a mut Effects,
    /// Events proposed, in order.
    pub events: &'a mut Vec<Event>,
}

impl Asking<'_> {
    /// Proposes an event.
    pub fn propose(&mut self, event: Event) {
        self.events.push(event);
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
