//! Applying: accounts are registered, changed and dropped; users log in and out.

use std::sync::Arc;

use chinwag_wire::caps::Cap;
use chinwag_wire::numeric::Numeric;

use super::Chat;
use super::apply::send;
use super::apply_profile::tell_about;
use super::marks::Reading;
use crate::accounts::{Settled, logged_in_line};
use crate::effect::{Effect, Effects, To};
use crate::event::{AccountChange, AccountRegistered, ReadMarked, Who};
use crate::ids::{Millis, UserId};
use crate::line::{Line, Source, Text};
use crate::work::Secret;

impl Chat {
    pub(super) fn account_registered(
        &mut self,
        at_ms: Millis,
        new: &AccountRegistered,
        effects: &mut Effects,
    ) {
        let may =
            |chat: &mut Chat| new.invitation.as_ref().is_none_or(|hash| chat.use_invitation(at_ms, hash));
        let done = self.accounts.would_register(new) && may(self) && self.accounts.register(at_ms, new);
        effects.push(Effect::Settled(if done { Settled::Done } else { Settled::Taken }));
    }

    pub(super) fn account_changed(
        &mut self,
        at_ms: Millis,
        account: &str,
        change: &AccountChange,
        effects: &mut Effects,
    ) {
        let settled = match self.accounts.change(at_ms, account, change) {
            true => Settled::Done,
            false if self.accounts.get(account).is_none() => Settled::NoAccount,
            false => Settled::Taken,
        };
        if settled == Settled::Done
            && let AccountChange::Owner { .. } | AccountChange::OwnerNoMore { .. } = change
        {
            self.owner_changed(at_ms, account, effects);
        }
        effects.push(Effect::Settled(settled));
    }

    /// Whoever was logged in is not any more.
    pub(super) fn account_dropped(&mut self, at_ms: Millis, account: &str, effects: &mut Effects) {
        let Some(dropped) = self.accounts.drop(account) else {
            return effects.push(Effect::Settled(Settled::NoAccount));
        };
        effects.push(Effect::Settled(Settled::Done));
        self.links.forget(&dropped.name);
        self.rooms.forget_account(&dropped.name);
        let logged_in = |who: &Who| who.account.as_ref().is_some_and(|account| *account == dropped.name);
        let users = self.users.iter().filter(|user| logged_in(&user.who)).map(|user| user.id);
        for user in users.collect::<Vec<_>>() {
            self.logged_out(at_ms, user, effects);
        }
    }

    pub(super) fn link_made(
        &mut self,
        at_ms: Millis,
        account: &Arc<str>,
        code: &Secret,
        until_ms: Millis,
        effects: &mut Effects,
    ) {
        self.links.make(at_ms, account, code, until_ms);
        effects.push(Effect::Settled(Settled::Done));
    }

    pub(super) fn link_used(
        &mut self,
        at_ms: Millis,
        account: &Arc<str>,
        code: &Secret,
        effects: &mut Effects,
    ) {
        let good = self.links.take(at_ms, account, code);
        effects.push(Effect::Settled(if good { Settled::Done } else { Settled::NoAccount }));
    }

    pub(super) fn logged_in(&mut self, at_ms: Millis, user: UserId, account: &str, effects: &mut Effects) {
        let Some(account) = self.accounts.get(account).filter(|account| account.verified()) else {
            return effects.push(Effect::Settled(Settled::NoAccount));
        };
        let account = Arc::clone(&account.name);
        let Some(found) = self.users.get(user) else { return };
        let before = Arc::clone(&found.who);
        if before.account.as_ref() != Some(&account) {
            self.users.set_account(user, Some(Arc::clone(&account)));
        }
        send(effects, To::Asker, logged_in_line(&before.mask(), &account));
        effects.push(Effect::Settled(Settled::Done));
        if before.account.as_ref() != Some(&account) {
            self.tell_account(at_ms, user, before, (&account).into(), effects);
            self.oper_owner(at_ms, user, effects);
        }
    }

    pub(super) fn logged_out(&mut self, at_ms: Millis, user: UserId, effects: &mut Effects) {
        let Some(found) = self.users.get(user) else { return };
        let before = Arc::clone(&found.who);
        if before.account.is_none() {
            return;
        }
        if before
            .account
            .as_ref()
            .and_then(|name| self.accounts.get(name))
            .is_some_and(|account| account.owner)
        {
            self.user_modes(at_ms, user, &[(false, 'o')], effects);
        }
        self.users.set_account(user, None);
        let params = [before.mask().into(), Numeric::RPL_LOGGEDOUT.text().into()];
        send(effects, To::User(user), Line::numeric(Numeric::RPL_LOGGEDOUT, params));
        self.tell_account(at_ms, user, before, "*".into(), effects);
    }

    pub(super) fn read_marked(&mut self, mark: &ReadMarked, effects: &mut Effects) {
        // Some were stored when people were compared otherwise.
        let reading = match &mark.reading {
            Reading::Person(nick) => Reading::Person(self.mapping.fold(nick.as_str())),
            room => room.clone(),
        };
        let marks = match &mark.account {
            Some(account) => self.accounts.marks_mut(account),
            None => self.users.get_mut(mark.user).map(|user| &mut user.marks),
        };
        // A guest or an account that is gone has read nothing.
        let Some(marks) = marks else { return };
        let now_ms = marks.advance(&reading, mark.to_ms);
        self.tell_mark(mark, now_ms, effects);
    }

    /// `ACCOUNT`, with the account that the user had before as its sender's
    /// (<https://ircv3.net/specs/extensions/account-notify>, account-tag).
    fn tell_account(
        &self,
        at_ms: Millis,
        user: UserId,
        before: Arc<Who>,
        account: Text,
        effects: &mut Effects,
    ) {
        let line = Line::new(Source::User(before), "ACCOUNT", [account]).at(at_ms);
        let line = line.needing(Cap::AccountNotify);
        send(effects, To::User(user), line.clone());
        if let Some(found) = self.users.get(user) {
            tell_about(found, line, effects);
        }
    }
}
