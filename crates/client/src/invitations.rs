//! Codes of invitations: given by the person, and once more by the client where a room does not let it in again after a cut.
//!
//! They are kept in memory only, as long as the client lives, and forgotten as soon as the server takes one no more: guesses
//! are counted there.

use chinwag_wire::names::Folded;

use crate::Millis;
use crate::buffer::BufferId;
use crate::change::Change;
use crate::client::Client;
use crate::dispatch::Context;
use crate::line::LineKind;
use crate::profile::Secret;

/// Codes that are remembered; of more the oldest goes.
const GIVEN_MAX: usize = 16;

/// A code that was given.
#[derive(Debug)]
pub(crate) struct Given {
    code: Secret,
    /// The room that it led into, folded.
    room: Option<Folded>,
    /// It has been given since the link stands.
    tried: bool,
    /// The person gave it and waits to see the room.
    shows: bool,
    waits: Waits,
}

/// Whether the server's answer is waited for.
#[derive(Debug, PartialEq, Eq)]
enum Waits {
    No,
    /// It has this label.
    Labelled(String),
    /// The server knows no labels.
    Unlabelled,
}

impl Client {
    /// Gives a code to the server. `id` is where its answer is shown.
    pub(crate) fn redeem(&mut self, id: BufferId, code: Secret) {
        let at = self.remember(code);
        self.give(id, at);
    }

    /// Remembers a code. Gives its place.
    pub(crate) fn remember(&mut self, code: Secret) -> usize {
        if let Some(at) = self.given.iter().position(|given| given.code == code) {
            self.given[at].shows = true;
            return at;
        }
        if self.given.len() >= GIVEN_MAX {
            self.given.remove(0);
        }
        self.given.push(Given { code, room: None, tried: false, shows: true, waits: Waits::No });
        self.given.len() - 1
    }

    fn give(&mut self, id: BufferId, at: usize) {
        let Some(given) = self.given.get_mut(at) else { return };
        given.tried = true;
        let code = given.code.clone();
        let label = self.labelled_deed(id, &[], "INVITATION", &[code.reveal()]);
        self.given[at].waits = label.map_or(Waits::Unlabelled, Waits::Labelled);
    }

    /// I am in: codes of which it is not known yet where they lead are given.
    pub(crate) fn give_codes(&mut self) {
        let id = self.server_buffer();
        for at in 0..self.given.len() {
            if self.given[at].room.is_none() {
                self.give(id, at);
            }
        }
    }

    /// A room did not let me in: the code that led into it may do so again. Says whether it is tried, which it is once a link,
    /// or still under way.
    pub(crate) fn gives_again(&mut self, id: BufferId) -> bool {
        let Some(folded) = self.buffer(id).map(|buffer| buffer.folded.clone()) else { return false };
        let leads_there = |given: &Given| given.room.as_ref() == Some(&folded);
        if self.given.iter().any(|given| leads_there(given) && given.waits != Waits::No) {
            return true;
        }
        let Some(at) = self.given.iter().position(|given| leads_there(given) && !given.tried) else {
            return false;
        };
        self.give(id, at);
        true
    }

    /// I have come into a room, which is shown if a code led there that the person gave. `wanted`: the room was asked for in
    /// another way, too.
    pub(crate) fn came_by_code(&mut self, id: BufferId, wanted: bool, context: &Context) {
        let Some(folded) = self.buffer(id).map(|buffer| buffer.folded.clone()) else { return };
        let fits = |given: &Given| match (&given.waits, &given.room) {
            (Waits::No, _) => false,
            (Waits::Labelled(label), _) => context.label.as_ref() == Some(label),
            (Waits::Unlabelled, Some(room)) => *room == folded,
            (Waits::Unlabelled, None) => !wanted,
        };
        let Some(given) = self.given.iter_mut().find(|given| fits(given)) else { return };
        given.waits = Waits::No;
        given.room = Some(folded);
        if std::mem::take(&mut given.shows) {
            self.changes.add(Change::Invited(id));
        }
    }

    /// An answer is whole: a code that led nowhere is forgotten.
    pub(crate) fn code_answered(&mut self, label: &str, now: Millis) {
        let fits = |given: &Given| matches!(&given.waits, Waits::Labelled(other) if other == label);
        if let Some(at) = self.given.iter().position(fits) {
            self.forget(at, now);
        }
    }

    /// What the server says of a code: a refusal, or where I am already.
    pub(crate) fn code_told(&mut self, fails: bool, what: &str, about: Option<&str>, context: &Context) {
        if what == "ALREADY_THERE"
            && let Some(id) = about.and_then(|room| self.find(room))
        {
            self.came_by_code(id, false, context);
        } else if fails
            && context.label.is_none()
            && let Some(at) = self.given.iter().position(|given| given.waits == Waits::Unlabelled)
        {
            self.forget(at, context.now);
        }
    }

    fn forget(&mut self, at: usize, now: Millis) {
        let given = self.given.remove(at);
        let Some(id) = given.room.and_then(|room| self.find(room.as_str())) else { return };
        let Some(buffer) = self.buffer_mut(id).filter(|buffer| buffer.wanted && !buffer.joined) else {
            return;
        };
        buffer.wanted = false;
        self.changes.add(Change::Buffer(id));
        let why =
            "You are not in this room any more, and the invitation lets nobody in now: ask for another one";
        self.give_up(id, why);
        self.note(id, LineKind::Error, why, now);
    }

    /// The link is gone: nothing is answered any more.
    pub(crate) fn codes_unanswered(&mut self) {
        for given in &mut self.given {
            (given.tried, given.waits) = (false, Waits::No);
        }
    }
}
