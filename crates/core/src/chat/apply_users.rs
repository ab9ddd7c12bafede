//! Applying: users come, go, and change what is shown of them.

use std::sync::Arc;

use chinwag_log::Origin;
use chinwag_wire::caps::Cap;
use chinwag_wire::numeric::Numeric;
use smallvec::smallvec;

use super::apply::send;
use super::apply_profile::tell_about;
use super::server_bans::keep_out;
use super::{Chat, Departed, Gone, Marks, User};
use crate::effect::{Effect, Effects, To};
use crate::event::{Arrived, Who};
use crate::ids::{Millis, SessionKey, UserId};
use crate::line::{Line, Source, Text};

/// What is shown of users whose node started again.
const NODE_RESTARTED: &str = "Server restarted";

impl Chat {
    pub(super) fn node_started(&mut self, at_ms: Millis, origin: Origin, effects: &mut Effects) {
        // Users are numbered with the lower 16 bits of their node's number.
        let origin = u16::try_from(origin.0 & 0xffff).unwrap_or_default();
        let reason: Arc<str> = NODE_RESTARTED.into();
        self.started_ms.insert(origin, at_ms);
        for user in self.users.of_origin(origin) {
            self.depart(at_ms, user, &reason, effects);
        }
        // The node that starts knows nobody who was here before, and every node is to know the same.
        self.users.forget_gone();
    }

    pub(super) fn arrived(&mut self, at_ms: Millis, arrived: &Arrived, effects: &mut Effects) {
        if let Some(ban) = self.server_ban(&arrived.who, &arrived.from.address, at_ms) {
            effects.push(Effect::EntryRefused);
            return keep_out(ban, effects);
        }
        let came_in = self.users.insert(User {
            id: arrived.user,
            who: self.with_account_there_is(&arrived.who),
            realname: Arc::clone(&arrived.realname),
            door: arrived.door,
            from: arrived.from.clone(),
            away: arrived.away.clone(),
            modes: arrived.modes,
            rooms: Vec::new(),
            invited: Vec::new(),
            accepted: Vec::new(),
            operator: None,
            signed_on_ms: at_ms,
            said_ms: at_ms,
            sessions: 1,
            keys: smallvec![arrived.session],
            written: Default::default(),
            metadata: arrived.metadata.clone(),
            marks: Marks::default(),
            absent: arrived.away.iter().map(|away| (arrived.session, Arc::clone(away))).collect(),
        });
        if came_in {
            effects.push(Effect::Registered(arrived.user));
            watched(&arrived.who.nick, Numeric::RPL_MONONLINE, arrived.who.mask().into(), effects);
            self.announce_metadata(arrived.user, effects);
            self.oper_owner(at_ms, arrived.user, effects);
        } else {
            refuse(effects, Numeric::ERR_NICKNAMEINUSE, [Text::from(&arrived.who.nick)]);
            effects.push(Effect::EntryRefused);
        }
    }

    /// The same without the account, when that was dropped since somebody logged in to it.
    fn with_account_there_is(&self, who: &Arc<Who>) -> Arc<Who> {
        match &who.account {
            Some(account) if self.accounts.get(account).is_none() => {
                Arc::new(Who { account: None, ..Who::clone(who) })
            }
            _ => Arc::clone(who),
        }
    }

    pub(super) fn attached(
        &mut self,
        at_ms: Millis,
        (user, account): (UserId, Option<&Arc<str>>),
        session: SessionKey,
        away: Option<&Arc<str>>,
        effects: &mut Effects,
    ) {
        let found = self.users.get_mut(user).filter(|found| found.who.account.as_ref() == account);
        let Some(found) = found else { return effects.push(Effect::EntryAgain) };
        found.keys.push(session);
        found.sessions += 1;
        found.note_away(session, away);
        effects.push(Effect::Registered(user));
        tell_away(found, at_ms, effects);
    }

    pub(super) fn detached(
        &mut self,
        at_ms: Millis,
        user: UserId,
        session: SessionKey,
        (reason, stays): (&Arc<str>, bool),
        effects: &mut Effects,
    ) {
        let Some(found) = self.users.get_mut(user) else { return };
        // A session that was refused to be one of the user's ends as well.
        let Some(at) = found.keys.iter().position(|key| *key == session) else { return };
        found.keys.remove(at);
        found.sessions = found.sessions.saturating_sub(1);
        found.note_away(session, None);
        if found.sessions == 0 && !stays {
            self.depart(at_ms, user, reason, effects);
        } else {
            tell_away(found, at_ms, effects);
        }
    }

    /// The user is gone, out of every room.
    pub(super) fn depart(&mut self, at_ms: Millis, user: UserId, reason: &Arc<str>, effects: &mut Effects) {
        let Some(gone) = self.users.remove(user) else { return };
        let (who, realname) = (Arc::clone(&gone.who), Arc::clone(&gone.realname));
        self.users.note_gone(Gone { who, realname, at_ms });
        if !gone.rooms.is_empty() {
            let line = Line::new(Source::User(Arc::clone(&gone.who)), "QUIT", [reason.into()]).at(at_ms);
            send(effects, To::Neighbours(user), line);
        }
        let hidden = gone.rooms.iter().copied().filter(|room| self.hides(*room, user)).collect();
        for room in &gone.rooms {
            if let Some(room) = self.rooms.get_mut(*room) {
                room.leave(user);
            }
            self.rooms.note(*room);
            effects.push(Effect::LeftRoom(*room, user));
        }
        for room in &gone.invited {
            if let Some(room) = self.rooms.get_mut(*room) {
                room.uninvite(user);
            }
        }
        watched(&gone.who.nick, Numeric::RPL_MONOFFLINE, (&gone.who.nick).into(), effects);
        effects.push(Effect::Gone(user, Arc::clone(reason)));
        self.departed.push(Departed { user, rooms: gone.rooms, hidden });
    }

    pub(super) fn renamed(&mut self, at_ms: Millis, user: UserId, nick: &Arc<str>, effects: &mut Effects) {
        let Some(found) = self.users.get(user) else { return };
        let before = Arc::clone(&found.who);
        if before.nick == *nick {
            return;
        }
        let realname = Arc::clone(&found.realname);
        let who = Arc::new(Who { nick: Arc::clone(nick), ..Who::clone(&before) });
        if !self.users.rename(user, who) {
            return refuse(effects, Numeric::ERR_NICKNAMEINUSE, [Text::from(nick)]);
        }
        if !self.mapping.same(&before.nick, nick) {
            self.users.note_gone(Gone { who: Arc::clone(&before), realname, at_ms });
        }
        let line = Line::new(Source::User(Arc::clone(&before)), "NICK", [nick.into()]).at(at_ms);
        send(effects, To::User(user), line.clone());
        send(effects, To::Neighbours(user), line);
        if !self.mapping.same(&before.nick, nick) {
            let mask = self.users.get(user).map(User::mask).unwrap_or_default();
            watched(&before.nick, Numeric::RPL_MONOFFLINE, (&before.nick).into(), effects);
            watched(nick, Numeric::RPL_MONONLINE, mask.into(), effects);
        }
    }

    pub(super) fn away(
        &mut self,
        at_ms: Millis,
        user: UserId,
        session: SessionKey,
        message: Option<&Arc<str>>,
        effects: &mut Effects,
    ) {
        let Some(found) = self.users.get_mut(user) else { return };
        send(effects, To::Asker, away_reply(message.is_some()));
        found.note_away(session, message);
        tell_away(found, at_ms, effects);
    }

    pub(super) fn user_modes(
        &mut self,
        at_ms: Millis,
        user: UserId,
        changes: &[(bool, char)],
        effects: &mut Effects,
    ) {
        let Some(found) = self.users.get(user) else { return };
        let (mut modes, mut done) = (found.modes, Vec::new());
        for &(set, mode) in changes {
            let before = modes;
            if modes.change(set, mode) && modes != before {
                done.push((set, mode, None));
            }
        }
        if !done.is_empty() {
            let (letters, _) = super::rooms::show_changes(done.into_iter());
            let params = [Text::from(&found.who.nick), letters.into()];
            send(
                effects,
                To::User(user),
                Line::new(Source::User(Arc::clone(&found.who)), "MODE", params).at(at_ms),
            );
            self.users.set_modes(user, modes);
            if let Some(found) = self.users.get_mut(user).filter(|_| !modes.operator) {
                found.operator = None;
            }
        }
    }
}

/// RPL_NOWAWAY or RPL_UNAWAY.
pub(crate) fn away_reply(away: bool) -> Line {
    let numeric = if away { Numeric::RPL_NOWAWAY } else { Numeric::RPL_UNAWAY };
    Line::numeric(numeric, [numeric.text().into()])
}

/// Tells the neighbours and those who watch, if a user's being away has changed.
fn tell_away(user: &mut User, at_ms: Millis, effects: &mut Effects) {
    if user.settle_away() {
        tell_about(user, away_line(user).at(at_ms), effects);
    }
}

/// A numeric for those who watch a nickname.
fn watched(nick: &Arc<str>, numeric: Numeric, shown: Text, effects: &mut Effects) {
    let line = Line::numeric(numeric, [shown]);
    effects.push(Effect::Watched { nick: Arc::clone(nick), about: None, line });
}

/// `AWAY`, for those who want to be told when it changes.
pub(super) fn away_line(user: &User) -> Line {
    let mut line = Line::new(Source::User(Arc::clone(&user.who)), "AWAY", []);
    line.params.extend(user.away.as_ref().map(Text::from));
    line.needing(Cap::AwayNotify)
}

/// An error numeric for the session whose event it was.
pub(super) fn refuse<const N: usize>(effects: &mut Effects, numeric: Numeric, params: [Text; N]) {
    let mut line = Line::numeric(numeric, params);
    line.params.push(numeric.text().into());
    send(effects, To::Asker, line);
}
