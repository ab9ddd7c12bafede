//! Invitations: codes with which people make accounts where only those do who were invited.
//!
//! Server operators make them; a code is drawn where passwords are hashed; it is shown once, and only its hash is stored.
//! Those that lead into a room are the command's (`commands::invitation`).

use std::sync::Arc;

use super::{News, Refusal, Then, Way, store, tell, work};
use crate::asking::Asking;
use crate::chat::{Chat, Invitation, Room, User};
use crate::commands::reply::{asker, on_record};
use crate::event::{Act, Event, Invited, Who};
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
    work(asking, Then::Invite(way, Box::new(ticket)), Job::Words);
}

/// The code is drawn: the invitation goes to the log.
pub(super) fn drawn(chat: &Chat, asking: &mut Asking<'_>, way: Way, ticket: Ticket, code: Secret) {
    let Ticket { by, uses, until_ms } = ticket;
    if let Some(user) = asker(chat, asking) {
        on_record(asking, user, Act::InvitationMade { uses, until_ms });
    }
    let hash = hashed(code.expose());
    let invited = Event::Invitation(Arc::new(Invited { hash, by, uses, until_ms }));
    store(asking, Then::Invited(way, code), invited);
}

/// Takes an invitation back. Whether the asker may is the caller's to know.
pub(crate) fn take_back(asking: &mut Asking<'_>, invitation: &Invitation, user: &User) {
    on_record(asking, user, Act::InvitationTakenBack { name: invitation.number.to_string().into() });
    asking.propose(Event::InvitationEnded { hash: Arc::clone(&invitation.hash), by: Arc::clone(&user.who) });
}

/// The invitation that a session uses for the account that it makes, if one is needed.
pub(super) fn used(chat: &Chat, asking: &mut Asking<'_>) -> Result<Option<Arc<str>>, Refusal> {
    if asking.settings.accounts.registration != Registration::Invite {
        return Ok(None);
    }
    let code = asking.session.take_invitation().ok_or(Refusal::INVITATION_REQUIRED)?;
    match of_code(chat, asking.now_ms, code.expose()) {
        Some((found, _)) if found.makes_accounts(asking.now_ms) => Ok(Some(Arc::clone(&found.hash))),
        _ => Err(Refusal::INVITATION_INVALID),
    }
}

/// The invitation of a code as somebody typed it, if it holds, and the room into which it leads, if any. Codes of words
/// are the same in capitals and with other signs between the words.
pub(crate) fn of_code<'a>(
    chat: &'a Chat,
    now_ms: Millis,
    typed: &str,
) -> Option<(&'a Invitation, Option<&'a Room>)> {
    let words: Vec<&str> = typed.split(|sign: char| !sign.is_ascii_alphanumeric()).collect();
    let words =
        words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-").to_ascii_lowercase();
    chat.invitation(&hashed(&words), now_ms).or_else(|| chat.invitation(&hashed(typed), now_ms))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chinwag_wire::msgid::MsgIdKey;

    #[test]
    fn codes_are_the_same_however_they_are_spelt() {
        let mut chat = Chat::new(MsgIdKey([1, 2]));
        let by = Arc::new(Who { nick: "o".into(), user: "~o".into(), host: "h".into(), account: None });
        let hash = hashed("amber-river-lamp-frost");
        let invited = Event::Invitation(Arc::new(Invited { hash, by, uses: 1, until_ms: 9 }));
        let entry = chinwag_log::Entry {
            seq: chinwag_log::Seq(1),
            key: chinwag_log::Key { origin: chinwag_log::Origin(1), n: 1 },
            at_ms: 1,
            keep: chinwag_log::Keep::Stored,
            event: invited,
        };
        chat.apply(&entry, &mut Vec::new());
        for typed in ["amber-river-lamp-frost", "Amber River  LAMP frost.", " amber_river,lamp/frost"] {
            assert!(of_code(&chat, 1, typed).is_some(), "{typed}");
        }
        for typed in ["amber-river-lamp", "amberriverlampfrost", "", "-"] {
            assert!(of_code(&chat, 1, typed).is_none(), "{typed}");
        }
        assert!(of_code(&chat, 9, "amber-river-lamp-frost").is_none());
    }
}
