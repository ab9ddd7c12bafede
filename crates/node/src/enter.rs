//! How a session becomes a user's: its welcome, the rooms that the user is in already, or why it does not.

use chinwag_core::commands::{cap, registration};
use chinwag_core::ids::{RoomId, UserId};
use chinwag_core::line::Text;
use chinwag_core::session::Phase;
use chinwag_core::settings::Settings;
use chinwag_wire::caps::Cap;

use crate::Node;
use crate::audience::EVERYBODY;
use crate::deliver::Asker;
use crate::proposals::NO_LABEL;

impl Node {
    /// The asking session is a user's now.
    pub(crate) fn registered(&mut self, asker: Option<Asker>, user: UserId) {
        let Some(Asker { index, .. }) = asker else { return };
        let Some(entry) = self.sessions.get_mut(index).filter(|entry| !entry.closing) else { return };
        entry.core.phase = Phase::Live(user);
        entry.user = Some(user);
        if !std::mem::replace(&mut entry.attached, true) {
            self.figures.unregistered -= 1;
        }
        let caps = entry.core.caps;
        self.sessions.attach(user, index);
        self.registered.push(self.sessions.id(index));
        self.hear(index, EVERYBODY);
        let mut effects = Vec::new();
        self.chat.welcome(&self.settings, &self.figures, caps, user, &mut effects);
        for effect in effects {
            self.carry_out(asker, effect);
        }
        let Some(found) = self.chat.user(user) else { return };
        let (nick, rooms) = (found.who.nick.clone(), found.rooms.clone());
        self.tell_plain(index, |door| door.registered(&nick));
        for room in rooms {
            self.shows_room(index, room, user);
        }
        self.welcome_back(user);
    }

    /// One more session of a user: it is shown a room that the user is in as if it had just entered.
    fn shows_room(&mut self, index: u32, room: RoomId, user: UserId) {
        self.hear(index, room);
        let to = Asker { index, label: NO_LABEL };
        let mut effects = Vec::new();
        self.chat.entered_before(room, user, &mut effects);
        for effect in effects {
            self.carry_out(Some(to), effect);
        }
        self.names_for(to, room, user);
        // Beside another session nothing was missed.
        if self.chat.user(user).is_some_and(|user| user.sessions == 1) {
            self.replay_to(index, room, user);
        }
        self.tell_plain_entered(index, room);
    }

    pub(crate) fn entry_refused(&mut self, asker: Option<Asker>) {
        let Some(entry) = asker.and_then(|asker| self.sessions.get_mut(asker.index)) else { return };
        if !entry.closing {
            registration::refused(&mut entry.core);
            entry.user = None;
        }
    }

    /// The user whose session it was to be has gone: it comes in anew.
    pub(crate) fn enter_again(&mut self, asker: Option<Asker>) {
        let Some(asker) = asker else { return };
        if let Some(entry) = self.sessions.get_mut(asker.index) {
            entry.user = None;
        }
        self.ask_for(asker, |chat, asking| chat.enter_again(asking));
    }

    /// The caller's nickname belongs to an account: its door asks for the password.
    pub(crate) fn password_wanted(&mut self, asker: Option<Asker>, nick: &str) {
        if let Some(asker) = asker {
            self.tell_plain(asker.index, |door| door.password_wanted(nick));
        }
    }

    /// The settings have changed: capabilities that are not offered any more are taken back, and whoever wants
    /// to know is told what is new (`cap-notify`).
    pub(crate) fn offer_anew(&mut self, before: &Settings) {
        for index in self.sessions.places() {
            let Some(entry) = self.sessions.get_mut(index).filter(|entry| !entry.closing) else { continue };
            let nick = match &entry.core.phase {
                Phase::Live(user) => self.chat.user(*user).map(|user| Text::from(&user.who.nick)),
                _ => None,
            };
            let who = nick.unwrap_or(Text::Static("*"));
            let lines = match entry.core.caps.contains(Cap::CapNotify) {
                true => cap::changes(&entry.core, &who, before, &self.settings),
                false => Vec::new(),
            };
            let gone = cap::withdrawn(&entry.core, &self.settings);
            entry.core.caps = entry.core.caps.difference(gone);
            for line in &lines {
                self.send_one(index, line, None);
            }
            if !gone.is_empty() {
                self.change_dialect(index);
            }
        }
    }
}
