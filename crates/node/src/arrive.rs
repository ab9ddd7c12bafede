//! What comes out of the log: entries are applied and told, refusals are told to their authors or tried again.

use chinwag_core::effect::Effect;
use chinwag_core::event::{Event, Guard, SayKind};
use chinwag_core::ids::{Millis, SessionId, UserId};
use chinwag_core::line::{Line, Source, Text};
use chinwag_log::{Arrival, Entry as LogEntry, Health, Keep, Proposal, Refusal};
use chinwag_wire::caps::Cap;

use crate::Node;
use crate::deliver::Asker;
use crate::errands::NO_ERRAND;
use crate::labels::notice;
use crate::limits::{RETRY_MS, TAPE_BYTES_MAX, TRIES_AT_ONCE};
use crate::proposals::{Behalf, NO_LABEL};

impl Node {
    /// Something came out of the log. Entries are applied at once, unless so much waits for the flush that
    /// they have to wait as well.
    pub fn arrived(&mut self, arrival: Arrival<Event>, now_ms: Millis) {
        self.now_ms = now_ms;
        self.proposals.moved();
        match arrival {
            Arrival::Entries(entries) => {
                self.inbox.extend(entries);
                self.apply_inbox(TAPE_BYTES_MAX);
            }
            Arrival::Refused { batch, why } => {
                // What arrived before is applied before.
                while !self.inbox.is_empty() {
                    self.apply_inbox_past_the_bound();
                }
                for proposal in batch {
                    self.refused(proposal, &why);
                }
                self.wake_if_room();
                self.wake_behind();
                if let Refusal::Fatal(reason) = why {
                    self.fail(&reason);
                }
                self.go_on_all();
            }
            Arrival::Health(health) => self.health(&health),
        }
    }

    /// Applies what arrived until so many bytes are on the tape.
    pub(crate) fn apply_inbox(&mut self, bytes: usize) {
        while let Some(entry) = self.inbox.pop_front() {
            self.apply(entry);
            if self.on_tape() > bytes {
                break;
            }
        }
        if self.inbox.is_empty() {
            self.wake_if_room();
        }
        self.wake_behind();
        self.go_on_all();
    }

    fn apply_inbox_past_the_bound(&mut self) {
        while let Some(entry) = self.inbox.pop_front() {
            self.apply(entry);
        }
        self.wake_if_room();
    }

    /// Wakes those who wait for others, once there is something new for them.
    fn wake_if_room(&mut self) {
        if self.errands.wait() {
            self.errands_go_on();
        }
        if !self.waiting.is_empty() && self.proposals.take_freed() {
            self.wake_waiting();
        }
    }

    fn apply(&mut self, entry: LogEntry<Event>) {
        let own = entry.key.origin == self.origin;
        let behalf = if own { self.proposals.claim(entry.key, &entry.event) } else { None };
        let session =
            behalf.and_then(|behalf| behalf.session).and_then(|session| self.sessions.find(session));
        let asker =
            session.map(|index| Asker { index, label: behalf.map_or(NO_LABEL, |behalf| behalf.label) });
        let account = if own { self.account_leaving(&entry.event) } else { None };
        let mut effects = std::mem::take(&mut self.effects);
        self.chat.apply(&entry, &mut effects);
        let stale = effects.iter().any(|effect| matches!(effect, Effect::Stale));
        for effect in effects.drain(..) {
            self.carry_out(asker, effect);
        }
        self.effects = effects;
        if let Event::Joined { user, .. } | Event::Parted { user, .. } | Event::Detached { user, .. } =
            &entry.event
        {
            self.keep_presence_of(*user);
        }
        match &entry.event {
            Event::Renamed { user, .. } => self.renamed(*user),
            Event::Stays { account, .. } => {
                self.presences.remove(account);
            }
            Event::LoggedIn { user, .. } => self.welcome_back(*user),
            _ => {}
        }
        self.note_owners(&entry.event);
        if own {
            self.note_leaving(account, entry.at_ms);
        }
        if !own && changes_rules(&entry.event) {
            self.drain_authors();
        }
        let Some(behalf) = behalf else { return };
        if behalf.errand != NO_ERRAND {
            self.errand_applied(behalf.errand, &entry, stale);
        } else if stale {
            self.decide_again(entry.event, behalf, asker);
        } else {
            self.came_back(behalf, asker);
        }
    }

    /// An event was decided under rules that have changed since: it is decided again, behind what its author
    /// has under way.
    fn decide_again(&mut self, event: Event, behalf: Behalf, asker: Option<Asker>) {
        match self.chat.redecide(event) {
            Ok(event) => {
                if let Some(entry) = asker.and_then(|asker| self.sessions.get_mut(asker.index)) {
                    entry.draining = true;
                }
                self.propose(event, behalf);
            }
            Err(line) => {
                if let Some(asker) = asker {
                    self.answer(asker, *line);
                }
                self.came_back(behalf, asker);
            }
        }
    }

    /// Somebody else changed a room's rules. What authors here have under way may come back stale and is then
    /// proposed anew; what they say next waits for that, so that it stays behind.
    fn drain_authors(&mut self) {
        let sessions: Vec<SessionId> =
            self.proposals.behalves().filter_map(|behalf| behalf.session).collect();
        for session in sessions {
            if let Some(index) = self.sessions.find(session)
                && let Some(entry) = self.sessions.get_mut(index)
            {
                entry.draining = true;
            }
        }
    }

    /// Something that a session asked for has been applied or refused.
    pub(crate) fn came_back(&mut self, behalf: Behalf, asker: Option<Asker>) {
        if behalf.label != NO_LABEL && self.labels.came_back(behalf.label) {
            match asker {
                Some(asker) => self.finish_label(asker),
                None => self.labels.forget(behalf.label),
            }
        }
        let Some(Asker { index, .. }) = asker else { return };
        let Some(entry) = self.sessions.get_mut(index) else { return };
        let count = if behalf.message { &mut entry.messages } else { &mut entry.commands };
        *count = count.saturating_sub(1);
        entry.draining &= entry.busy();
        if entry.may_go_on() {
            self.make_ready(index);
        }
    }

    fn renamed(&mut self, user: UserId) {
        let Some(nick) = self.chat.user(user).map(|user| user.who.nick.clone()) else { return };
        for index in self.sessions.of(user) {
            self.tell_plain(index, |door| door.renamed(&nick));
        }
    }

    fn refused(&mut self, proposal: Proposal<Event>, why: &Refusal) {
        let Some(behalf) = self.proposals.refused(proposal.key) else { return };
        let passing = proposal.keep == Keep::Passing;
        match why {
            Refusal::Unknown => self.proposals.again(proposal, behalf, true, 0),
            Refusal::Overloaded { retry_in_ms } => {
                let at = self.now_ms + (*retry_in_ms).max(1);
                self.proposals.again(proposal, behalf, true, at);
            }
            // What is only ordered was refused for being in the same batch as something that cannot be stored.
            Refusal::Unavailable(_) | Refusal::Rejected(_) if passing => {
                let at = if behalf.tries < TRIES_AT_ONCE { 0 } else { self.now_ms + RETRY_MS };
                self.proposals.again(proposal, behalf, false, at);
            }
            Refusal::Unavailable(_) | Refusal::Rejected(_) | Refusal::Fatal(_) => {
                self.proposals.drop(&proposal.event);
                if let Event::Stays { account, .. } = &proposal.event {
                    self.presences.remove(account);
                }
                if behalf.errand != NO_ERRAND {
                    return self.errand_refused(behalf.errand, why);
                }
                self.lobby_refused |= behalf.session.is_none();
                self.tell_refused(&proposal.event, behalf, why);
            }
        }
    }

    /// Tells an author that what was asked for has not been stored and will not be.
    fn tell_refused(&mut self, event: &Event, behalf: Behalf, why: &Refusal) {
        let session = behalf.session.and_then(|session| self.sessions.find(session));
        let asker = session.map(|index| Asker { index, label: behalf.label });
        if let Some(asker) = asker
            && let Some(entry) = self.sessions.get(asker.index)
        {
            let standard = entry.core.caps.contains(Cap::StandardReplies);
            let line = self.refusal_line(event, why, standard);
            self.answer(asker, line);
        }
        self.came_back(behalf, asker);
    }

    /// As a standard reply (<https://ircv3.net/specs/extensions/standard-replies>) or as a notice.
    fn refusal_line(&self, event: &Event, why: &Refusal, standard: bool) -> Line {
        let reason = match why {
            Refusal::Unavailable(reason) | Refusal::Rejected(reason) | Refusal::Fatal(reason) => {
                reason.clone()
            }
            Refusal::Overloaded { .. } | Refusal::Unknown => why.to_string(),
        };
        let room = match event {
            Event::Opened { name, .. } => Some(name),
            Event::AccountChanged { account, .. } | Event::AccountDropped { account } => Some(account),
            Event::AccountRegistered(new) => Some(&new.account),
            Event::ServerBanned(banned) => Some(&banned.target),
            Event::ServerUnbanned { target, .. } => Some(target),
            Event::MetadataSet(set) if set.answer.is_some() => set.answer.as_ref(),
            Event::ReadMarked(mark) => Some(&mark.target),
            other => other.room().and_then(|room| self.chat.room(room)).map(|room| &room.name),
        };
        let verb = verb_of(event);
        let text = format!("Not stored and not sent: {reason}");
        if !standard {
            let about = room.map_or_else(|| verb.to_owned(), |room| format!("{verb} {room}"));
            return notice(format!("{about}: {text}"));
        }
        let code = match event {
            Event::ReadMarked(_) => "INTERNAL_ERROR",
            _ => "TEMPORARILY_UNAVAILABLE",
        };
        let mut line = Line::new(Source::Server, "FAIL", [verb.into(), code.into()]);
        line.params.extend(room.map(Text::from));
        line.params.push(text.into());
        line
    }

    fn health(&mut self, health: &Health) {
        match health {
            Health::Ok => self.notice_everybody("The server stores messages again.".to_owned()),
            Health::ReadOnly(reason) => self.notice_everybody(format!(
                "The server cannot store anything at the moment, so nothing can be said in rooms: {reason}. \
                 Reading goes on; you will be told when it works again."
            )),
            Health::Fatal(reason) => self.fail(reason),
        }
    }

    /// The log has failed: everybody is told and closed, the driver exits.
    fn fail(&mut self, reason: &str) {
        if self.fatal.is_some() {
            return;
        }
        self.fatal = Some(reason.to_owned());
        self.close_all(&format!("The server stops: {reason}"));
    }

    /// Closes every session, with the same last words.
    pub fn close_all(&mut self, reason: &str) {
        for index in self.sessions.places() {
            self.close(index, reason);
        }
    }
}

fn changes_rules(event: &Event) -> bool {
    matches!(
        event,
        Event::Guarded { .. }
            | Event::RoomKept { .. }
            | Event::ModesChanged { .. }
            | Event::Kicked { .. }
            | Event::Renewed { .. }
    )
}

/// The command that leads to an event.
fn verb_of(event: &Event) -> &'static str {
    match event {
        Event::AccountChanged { .. } | Event::AccountDropped { .. } | Event::AccountRegistered(_) => {
            "REGISTER"
        }
        Event::Invitation(_) | Event::InvitationEnded { .. } => "NICKSERV",
        Event::RoomKept { .. } => "CHANSERV",
        Event::LinkMade { .. } | Event::LinkUsed { .. } => "LINK",
        Event::Stays { .. } | Event::Returned(_) => "*",
        Event::Hooked(_) => "HOOK",
        Event::Purged(_) => "PURGE",
        Event::OperatorActed(_) | Event::Expired(_) => "*",
        Event::Guarded { guard: Guard::Slow(_), .. } => "SLOW",
        Event::Guarded { guard: Guard::Keep(_), .. } => "KEEP",
        Event::Guarded { guard: Guard::OpenRecords(_), .. } => "MODLOG",
        Event::Guarded { .. } => "LOCKDOWN",
        Event::ServerBanned(_) | Event::ServerUnbanned { .. } => "UBAN",
        Event::LoggedIn { .. } | Event::LoggedOut { .. } => "AUTHENTICATE",
        Event::Said(said) if said.kind == SayKind::Notice => "NOTICE",
        Event::Said(said) if said.relayed() => "RELAYMSG",
        Event::Said(_) | Event::Passed(_) => "PRIVMSG",
        Event::ConversationOpened { .. } => "PRIVMSG",
        Event::Tagged(_) => "TAGMSG",
        Event::TopicSet { .. } => "TOPIC",
        Event::ModesChanged { .. } | Event::UserModes { .. } => "MODE",
        Event::Kicked { .. } => "KICK",
        Event::Amended(amended) => amended.what.verb(),
        Event::Opened { .. } | Event::Renewed { .. } | Event::Joined { .. } => "JOIN",
        Event::Parted { .. } => "PART",
        Event::MetadataSet(_) => "METADATA",
        Event::ReadMarked(_) => "MARKREAD",
        Event::RoomRenamed { .. } => "RENAME",
        Event::Renamed { .. } => "NICK",
        Event::Away { .. } => "AWAY",
        Event::Accepted { .. } => "ACCEPT",
        Event::Announced { .. } => "WALLOPS",
        Event::Killed { .. } => "KILL",
        Event::Opered { .. } => "OPER",
        Event::Invited { .. } => "INVITE",
        Event::NewHost { .. } => "SETHOST",
        Event::NewRealname { .. } => "SETNAME",
        Event::Arrived(_) | Event::Attached { .. } => "USER",
        Event::Detached { .. } => "QUIT",
        Event::NodeStarted => "*",
    }
}
