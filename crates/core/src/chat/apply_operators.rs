//! Applying: what server operators are and do. Each of these events says who did it.

use std::sync::Arc;

use chinwag_wire::numeric::Numeric;

use super::Chat;
use super::apply::send;
use crate::effect::{Effects, To};
use crate::event::Who;
use crate::ids::{Millis, UserId};
use crate::line::{Line, Source, Text};
use crate::privileges::{Operator, Privileges};

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
        send(effects, To::User(user), Line::numeric(Numeric::RPL_YOUREOPER, [text]));
        self.user_modes(at_ms, user, &[(true, 'o')], effects);
    }

    /// Makes somebody who is logged in to an owner's account a server operator.
    pub(super) fn oper_owner(&mut self, at_ms: Millis, user: UserId, effects: &mut Effects) {
        let account = self.users.get(user).and_then(|found| found.who.account.as_ref());
        let owner = account.and_then(|name| self.accounts.get(name)).filter(|account| account.owner);
        if let Some(account) = owner {
            let operator = Operator {
                name: Arc::clone(&account.name),
                title: "Owner".into(),
                privileges: Privileges::all(),
            };
            self.opered(at_ms, user, &Arc::new(operator), effects);
        }
    }

    /// An account has become an owner's, or is none any more.
    pub(super) fn owner_changed(&mut self, at_ms: Millis, account: &str, effects: &mut Effects) {
        let Some(account) = self.accounts.get(account) else { return };
        let (name, owner) = (Arc::clone(&account.name), account.owner);
        let logged_in = self.users.iter().filter(|user| user.who.account.as_ref() == Some(&name));
        for user in logged_in.map(|user| user.id).collect::<Vec<_>>() {
            if owner {
                self.oper_owner(at_ms, user, effects);
            } else {
                self.user_modes(at_ms, user, &[(false, 'o')], effects);
            }
        }
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
