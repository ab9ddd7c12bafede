//! Tickets: addresses to which somebody who is here can send one file, from whatever can send one. They hold for some
//! minutes, for one file, and as long as the session that asked.

use std::collections::BTreeMap;
use std::rc::Rc;

use chinwag_core::ids::{Millis, RoomId, SessionId, UserId};

use crate::clock::now_ms;
use crate::shared::Shared;

/// How long a ticket holds, and the same in words.
const HOLDS_MS: Millis = 10 * 60 * 1000;
pub(super) const HOLDS: &str = "10 minutes";

/// Tickets of one session, and of all.
const OF_SESSION_MAX: usize = 8;
const ALL_MAX: usize = 1024;

/// A ticket.
#[derive(Clone, Debug)]
pub(super) struct Ticket {
    /// Whose it is.
    pub(super) session: SessionId,
    pub(super) user: UserId,
    /// Where the file is shown; nowhere, where its sender says it themselves.
    pub(super) room: Option<RoomId>,
    until_ms: Millis,
}

/// Those that hold.
#[derive(Debug, Default)]
pub(super) struct Tickets(BTreeMap<String, Ticket>);

impl Tickets {
    /// Makes one; none when there are too many.
    fn make(&mut self, ticket: Ticket, lives: impl Fn(&Ticket) -> bool) -> Option<String> {
        let now = now_ms();
        let of_session = self.0.values().filter(|other| other.session == ticket.session).count();
        if of_session >= OF_SESSION_MAX || self.0.len() >= ALL_MAX {
            self.0.retain(|_, other| other.until_ms > now && lives(other));
        }
        let of_session = self.0.values().filter(|other| other.session == ticket.session).count();
        if of_session >= OF_SESSION_MAX || self.0.len() >= ALL_MAX {
            return None;
        }
        let name = chinwag_files::draw();
        self.0.insert(name.clone(), ticket);
        Some(name)
    }
}

/// A ticket that is being used: nobody else can use it meanwhile. Dropped before the file is kept, it holds again.
pub(super) struct Claim {
    shared: Rc<Shared>,
    name: String,
    ticket: Option<Ticket>,
}

impl Claim {
    /// Takes a ticket; none when there is none of this name (any more), or its session has ended.
    pub(super) fn of(shared: &Rc<Shared>, name: &str) -> Option<Claim> {
        let ticket = shared.files.tickets.borrow_mut().0.remove(name)?;
        let claim = Claim { shared: Rc::clone(shared), name: name.to_owned(), ticket: Some(ticket) };
        if claim.holds() { Some(claim) } else { claim.end() }
    }

    fn end(mut self) -> Option<Claim> {
        self.ticket = None;
        None
    }

    /// The ticket.
    pub(super) fn ticket(&self) -> &Ticket {
        self.ticket.as_ref().expect("it is taken only at the end")
    }

    /// Whether it still holds.
    pub(super) fn holds(&self) -> bool {
        self.ticket.as_ref().is_some_and(|ticket| ticket.until_ms > now_ms() && lives(&self.shared, ticket))
    }

    /// It was used.
    pub(super) fn used(mut self) {
        self.ticket = None;
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.shared.files.tickets.borrow_mut().0.insert(std::mem::take(&mut self.name), ticket);
        }
    }
}

fn lives(shared: &Shared, ticket: &Ticket) -> bool {
    shared.node.borrow().session(ticket.session).is_some_and(|session| session.user() == Some(ticket.user))
}

impl Shared {
    /// Gives tickets to those who asked for one.
    pub(crate) fn give_tickets(&self) {
        let asking = self.node.borrow_mut().take_uploads();
        for (session, room) in asking {
            let user = self.node.borrow().session(session).and_then(|session| session.user());
            let Some(user) = user else { continue };
            let ticket = Ticket { session, user, room, until_ms: now_ms() + HOLDS_MS };
            let made = self.files.tickets.borrow_mut().make(ticket, |other| lives(self, other));
            let url = made.map(|name| format!("{}{}up/{name}/", self.base_of(session), chinwag_files::PATH));
            self.node.borrow_mut().ticket(session, room, url.as_deref(), HOLDS, now_ms());
        }
    }

    /// How the server is reached by whoever has this session, as far as it is known.
    fn base_of(&self, session: SessionId) -> String {
        let here = self.table.borrow().get(session).and_then(|socket| socket.here());
        self.files.rules().public.clone().or(here).or_else(|| self.files.place.clone()).unwrap_or_default()
    }
}
