//! Applying: what is shown of users besides their nickname, who watches them, and whom they let write to them.

use std::sync::Arc;

use chinwag_wire::caps::Cap;
use chinwag_wire::numeric::Numeric;

use super::apply::send;
use super::{Chat, User};
use crate::effect::{Effect, Effects, To};
use crate::event::Who;
use crate::ids::{Millis, UserId};
use crate::line::{Line, Source, Text};
use crate::roles::Role;

/// People whom a user may let in besides those with an account (ACCEPT).
pub const ACCEPTED_MAX: usize = 100;

/// What those are shown as a reason who are not told of new hosts.
const NEW_HOST: &str = "Changing hostname";

/// Tells the neighbours of a user, and those who watch the user from elsewhere, something about the user. The line
/// says itself which capability it needs.
pub(super) fn tell_about(user: &User, line: Line, effects: &mut Effects) {
    send(effects, To::Neighbours(user.id), line.clone());
    effects.push(Effect::Watched { nick: Arc::clone(&user.who.nick), about: Some(user.id), line });
}

impl Chat {
    pub(super) fn new_realname(
        &mut self,
        at_ms: Millis,
        user: UserId,
        realname: &Arc<str>,
        effects: &mut Effects,
    ) {
        let Some(found) = self.users.get_mut(user) else { return };
        found.realname = Arc::clone(realname);
        let line = Line::new(Source::User(Arc::clone(&found.who)), "SETNAME", [realname.into()]).at(at_ms);
        let line = line.needing(Cap::Setname);
        send(effects, To::User(user), line.clone());
        tell_about(found, line, effects);
    }

    pub(super) fn new_host(
        &mut self,
        at_ms: Millis,
        user: UserId,
        username: &Arc<str>,
        host: &Arc<str>,
        effects: &mut Effects,
    ) {
        let Some(found) = self.users.get_mut(user) else { return };
        let before = Arc::clone(&found.who);
        if before.user == *username && before.host == *host {
            return;
        }
        let who = Who { user: Arc::clone(username), host: Arc::clone(host), ..Who::clone(&before) };
        found.who = Arc::new(who);
        let found = found.clone();
        let source = Source::User(Arc::clone(&before));
        let line = Line::new(source, "CHGHOST", [username.into(), host.into()]).at(at_ms);
        let line = line.needing(Cap::Chghost);
        send(effects, To::User(user), line.clone());
        tell_about(&found, line, effects);
        let text = Numeric::RPL_VISIBLEHOST.text();
        send(effects, To::User(user), Line::numeric(Numeric::RPL_VISIBLEHOST, [host.into(), text.into()]));
        self.come_again(at_ms, &found, before, effects);
    }

    /// For those who share a room and do not know CHGHOST: the user seems to leave and to come again, with the same
    /// roles (<https://ircv3.net/specs/extensions/chghost>, the fallback).
    fn come_again(&self, at_ms: Millis, user: &User, before: Arc<Who>, effects: &mut Effects) {
        if user.rooms.is_empty() {
            return;
        }
        let quit = Line::new(Source::User(before), "QUIT", [NEW_HOST.into()]).at(at_ms);
        send(effects, To::Neighbours(user.id), quit.lacking(Cap::Chghost));
        for room in user.rooms.iter().filter_map(|room| self.rooms.get(*room)) {
            let Some(member) = room.member(user.id) else { continue };
            let mut tell = |line: Line| {
                let line = line.lacking(Cap::Chghost);
                let (to, except) = (room.witnesses(member), Some(user.id));
                effects.push(Effect::Send { to, author: None, except, line });
            };
            tell(super::apply_rooms::join_line(user, room).at(at_ms));
            let roles = Role::ALL.into_iter().filter(|role| member.roles.contains(*role));
            let roles: String = roles.map(Role::mode).collect();
            if !roles.is_empty() {
                let mut mode =
                    Line::new(Source::Server, "MODE", [Text::from(&room.name), format!("+{roles}").into()]);
                mode.params.extend(roles.chars().map(|_| Text::from(&user.who.nick)));
                tell(mode.at(at_ms));
            }
        }
    }

    pub(super) fn accepted(&mut self, user: UserId, target: UserId, accept: bool) {
        let full = self.users.get(user).is_some_and(|user| user.accepted.len() >= ACCEPTED_MAX);
        let gone: Vec<UserId> = match self.users.get(user) {
            // Whoever is on the list and not here any more never comes back under the same number.
            Some(found) if full => {
                let gone = found.accepted.iter().filter(|accepted| self.users.get(**accepted).is_none());
                gone.copied().collect()
            }
            _ => Vec::new(),
        };
        let Some(found) = self.users.get_mut(user) else { return };
        found.accepted.retain(|accepted| *accepted != target && !gone.contains(accepted));
        if accept && found.accepted.len() < ACCEPTED_MAX {
            found.accepted.push(target);
        }
    }

    /// Whoever is written to may answer, although the writer lets in only people with an account.
    pub(super) fn accept_answer(&mut self, writer: UserId, target: UserId) {
        if let Some(from) = self.users.get_mut(writer).filter(|_| writer != target) {
            from.written.note(target);
        }
        let (Some(from), Some(to)) = (self.users.get(writer), self.users.get(target)) else { return };
        if !self.lets_write(from, to) {
            self.accepted(writer, target, true);
        }
    }

    /// Whether a user lets another one write to them: with the mode `R`, only those with an account, the server's
    /// operators, and whoever was accepted.
    pub fn lets_write(&self, target: &User, writer: &User) -> bool {
        !target.modes.registered_only
            || writer.who.account.is_some()
            || writer.modes.operator
            || writer.id == target.id
            || target.accepted.contains(&writer.id)
    }

    /// Says of each line of a bot that it is one (<https://ircv3.net/specs/extensions/bot-mode>).
    pub(super) fn mark_bots(&self, effects: &mut [Effect]) {
        for effect in effects {
            let (Effect::Send { line, .. } | Effect::Watched { line, .. }) = effect else { continue };
            if let Source::User(who) = &line.source {
                line.meta.bot |= self.users.by_nick(&who.nick).is_some_and(|user| user.modes.bot);
            }
        }
    }
}
