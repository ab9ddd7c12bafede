//! Guests on a nickname that has become somebody's: told at once, and renamed when their time is over or its owner
//! comes. Each node looks after those who came in by it.

use chinwag_core::accounts::{guest_name, guest_notice, trespass};
use chinwag_core::chat::User;
use chinwag_core::event::{AccountChange, Event, Setting};
use chinwag_core::ids::{Millis, UserId};

use crate::Node;
use crate::proposals::Behalf;

/// Guests that are waited for at once. Whoever would be one more has to go at once.
const WAITED_FOR_MAX: usize = 1024;

/// A guest who is waited for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Guest {
    user: UserId,
    /// When the time is over.
    end_ms: Millis,
    /// Has been told.
    told: bool,
}

/// What is done about a guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Haste {
    /// Nothing before the next second: whoever registers a nickname is about to be logged in.
    Later,
    /// There is a while.
    Soon,
    /// The owner is here.
    Now,
}

impl Node {
    /// To be called when an event has been applied: it may have made a nickname somebody's.
    pub(crate) fn note_owners(&mut self, event: &Event) {
        let (nick, haste) = match event {
            Event::AccountRegistered(new) => (Some(&new.account), Haste::Later),
            Event::AccountChanged { account, change: AccountChange::Verified } => {
                (Some(account), Haste::Later)
            }
            Event::AccountChanged { account, change: AccountChange::Setting(Setting::Enforce(_)) } => {
                (Some(account), Haste::Soon)
            }
            Event::LoggedIn { account, .. } => (Some(account), Haste::Now),
            Event::Arrived(arrived) => (arrived.who.account.as_ref(), Haste::Now),
            Event::LoggedOut { user } => return self.note_guest(*user, Haste::Soon),
            _ => return,
        };
        let holder = nick.and_then(|nick| self.chat.user_by_nick(nick)).map(|holder| holder.id);
        if let Some(holder) = holder {
            self.note_guest(holder, haste);
        }
    }

    /// Tells a guest whose nickname this is, or takes it away.
    fn note_guest(&mut self, user: UserId, haste: Haste) {
        if !self.is_trespassing(user) {
            return;
        }
        let wait_ms = Millis::from(self.settings.accounts.guest_seconds) * 1_000;
        if haste == Haste::Now || self.guests.len() >= WAITED_FOR_MAX {
            return self.rename_guest(user);
        }
        if self.guests.iter().any(|known| known.user == user && known.told) {
            return;
        }
        self.guests.retain(|known| known.user != user);
        let told = haste == Haste::Soon && wait_ms > 0;
        self.guests.push(Guest { user, end_ms: self.now_ms + wait_ms, told });
        if told {
            self.warn_guest(user);
        }
    }

    fn warn_guest(&mut self, user: UserId) {
        let seconds = self.settings.accounts.guest_seconds;
        let Some(guest) = self.chat.user(user) else { return };
        let text = format!(
            "{} belongs to an account. Log in to it within {seconds} seconds (/msg NickServ IDENTIFY <password>, or \
             /login <password> at the plain door), or take another nickname; otherwise you get one.",
            guest.who.nick
        );
        self.tell_guest(user, &text);
    }

    /// Tells those who have not been told, and renames those whose time is over. To be called about once a second.
    pub(crate) fn end_guests(&mut self) {
        for mut guest in std::mem::take(&mut self.guests) {
            if !self.is_trespassing(guest.user) {
                continue;
            }
            if guest.end_ms <= self.now_ms {
                self.rename_guest(guest.user);
                // Should the name be taken at the same moment, it is tried again.
                guest.end_ms = self.now_ms + 1_000;
            } else if !guest.told {
                self.warn_guest(guest.user);
            }
            self.guests.push(Guest { told: true, ..guest });
        }
    }

    fn rename_guest(&mut self, user: UserId) {
        let nick = guest_name(&self.chat, &self.settings, user);
        let Some(guest) = self.chat.user(user) else { return };
        let text = format!("{} belongs to an account. You are {nick} now.", guest.who.nick);
        self.tell_guest(user, &text);
        self.propose(Event::Renamed { user, nick }, Behalf::NODE);
    }

    fn is_trespassing(&self, user: UserId) -> bool {
        let trespasses = |user: &User| trespass(&self.chat, &self.settings, user).is_some();
        user.origin() == self.origin.0 as u16 && self.chat.user(user).is_some_and(trespasses)
    }

    fn tell_guest(&mut self, user: UserId, text: &str) {
        let Some(guest) = self.chat.user(user) else { return };
        let line = guest_notice(&self.settings, guest, text);
        for index in self.sessions.of(user) {
            self.send_one(index, &line, None);
        }
    }
}
