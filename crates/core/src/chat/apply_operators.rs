//! Applying: what server operators are and do. Each of these events says who did it.

use std::sync::Arc;

use chinwag_wire::numeric::Numeric;

use super::Chat;
use super::apply::send;
use crate::effect::{Effects, To};
use crate::event::Who;
use crate::ids::{Millis, UserId};
use crate::line::{Line, Source, Text};
use crate::privileges::Operator;

impl Chat {
    pub(super) fn opered(
        &mut self,
        at_ms: Millis,
        user: UserId,
        operator: &Arc<Operator>,
        effects: &mut Effects,
    ) {
        let Some(found) = self.users.get_mut(user) else { return };
        found.operator = Some(Arc::clone(operator));
        let text = Numeric::RPL_YOUREOPER.text().into();
        send(effects, To::Asker, Line::numeric(Numeric::RPL_YOUREOPER, [text]));
        self.user_modes(at_ms, user, &[(true, 'o')], effects);
    }

    pub(super) fn killed(
        &mut self,
        at_ms: Millis,
        user: UserId,
        by: &Arc<Who>,
        reason: &Arc<str>,
        effects: &mut Effects,
    ) {
        let Some(found) = self.users.get(user) else { return };
        let params = [Text::from(&found.who.nick), reason.into()];
        send(effects, To::User(user), Line::new(Source::User(Arc::clone(by)), "KILL", params).at(at_ms));
        let reason = format!("Killed ({} ({reason}))", by.nick).into();
        self.depart(at_ms, user, &reason, effects);
    }

    pub(super) fn announced(&self, at_ms: Millis, by: &Arc<Who>, text: &Arc<str>, effects: &mut Effects) {
        let line = Line::new(Source::User(Arc::clone(by)), "WALLOPS", [text.into()]).at(at_ms);
        for user in self.users.iter().filter(|user| user.modes.wallops) {
            send(effects, To::User(user.id), line.clone());
        }
    }
}
