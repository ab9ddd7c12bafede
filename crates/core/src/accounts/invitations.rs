//! Invitations: codes with which people make accounts where only those do who were invited.
//!
//! Server operators make them; a code is drawn where passwords are hashed; it is shown once, and only its hash is stored.

use std::sync::Arc;

use super::{News, Refusal, Then, Way, store, tell, work};
use crate::asking::Asking;
use crate::chat::{Chat, Invitation};
use crate::event::{Event, Invited, Who};
use crate::ids::Millis;
use crate::settings::Registration;
use crate::tokens::hashed;
use crate::work::{Job, Secret};

/// Invitations that hold at once.
pub(crate) const INVITATIONS_MAX: usize = 1_000;

/// An invitation that somebody wants to make.
#[derive(Clone, Debug, PartialEq)]
pub struct Ticket {
    /// Who makes it.
    pub by: Arc<Who>,
    /// How many accounts may be made with it.
    pub uses: u32,
    /// Until when.
    pub until_ms: Millis,
}

/// Makes an invitation. Whether the asker may is the caller's to know.
pub(crate) fn invite(chat: &Chat, asking: &mut Asking<'_>, way: Way, ticket: Ticket) {
    if chat.invitations(asking.now_ms).count() >= INVITATIONS_MAX {
        let refusal =
            Refusal::new("TEMPORARILY_UNAVAILABLE", "There are too many invitations; take some back");
        return tell(chat, asking, way, News::Refused(refusal));
    }
    work(asking, Then::Invite(way, Box::new(ticket)), Job::Code);
}

/// The code is drawn: the invitation goes to the log.
pub(super) fn drawn(asking: &mut Asking<'_>, way: Way, ticket: Ticket, code: Secret) {
    let Ticket { by, uses, until_ms } = ticket;
    let hash = hashed(code.expose());
    let invited = Event::Invitation(Arc::new(Invited { hash, by, uses, until_ms }));
    store(asking, Then::Invited(way, code), invited);
}

/// Takes an invitation back. Whether the asker may is the caller's to know.
pub(crate) fn take_back(asking: &mut Asking<'_>, invitation: &Invitation, by: Arc<Who>) {
    asking.propose(Event::InvitationEnded { hash: Arc::clone(&invitation.hash), by });
}

/// The invitation that a session uses for the account that it makes, if one is needed.
pub(super) fn used(chat: &Chat, asking: &mut Asking<'_>) -> Result<Option<Arc<str>>, Refusal> {
    if asking.settings.accounts.registration != Registration::Invite {
        return Ok(None);
    }
    let code = asking.session.take_invitation().ok_or(Refusal::INVITATION_REQUIRED)?;
    let hash = hashed(code.expose());
    match chat.invitation(&hash, asking.now_ms) {
        Some(_) => Ok(Some(hash)),
        None => Err(Refusal::INVITATION_INVALID),
    }
}
