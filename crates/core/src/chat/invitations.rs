//! Invitations that hold: with which codes accounts may be made, how often, and until when. Stored.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Chat;
use crate::accounts::Settled;
use crate::effect::{Effect, Effects};
use crate::event::Invited;
use crate::ids::Millis;

/// An invitation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Invitation {
    /// The SHA-256 of its code, in lower-case hexadecimal.
    pub hash: Arc<str>,
    /// The nickname of who made it.
    pub by: Arc<str>,
    /// When.
    pub at_ms: Millis,
    /// How many accounts may still be made with it.
    pub uses: u32,
    /// Until when.
    pub until_ms: Millis,
}

/// Letters of a hash that name an invitation to people.
const NAME_LENGTH: usize = 8;

impl Invitation {
    /// How people call it: it says nothing of the code.
    pub fn name(&self) -> &str {
        self.hash.get(..NAME_LENGTH).unwrap_or(&self.hash)
    }

    /// Whether an account may be made with it.
    pub fn holds(&self, now_ms: Millis) -> bool {
        self.uses > 0 && now_ms < self.until_ms
    }
}

/// All of them, by the hash of their code.
pub(super) type Invitations = BTreeMap<Arc<str>, Invitation>;

impl Chat {
    /// The invitations that hold.
    pub fn invitations(&self, now_ms: Millis) -> impl Iterator<Item = &Invitation> {
        self.invitations.values().filter(move |invitation| invitation.holds(now_ms))
    }

    /// The invitation of a code with this hash, if it holds.
    pub fn invitation(&self, hash: &str, now_ms: Millis) -> Option<&Invitation> {
        self.invitations.get(hash).filter(|invitation| invitation.holds(now_ms))
    }

    /// Those that hold no more are forgotten here.
    pub(super) fn invitation_made(&mut self, at_ms: Millis, invited: &Invited, effects: &mut Effects) {
        self.invitations.retain(|_, invitation| invitation.holds(at_ms));
        let Invited { hash, by, uses, until_ms } = invited;
        let (uses, until_ms) = (*uses, *until_ms);
        let made = Invitation { hash: Arc::clone(hash), by: Arc::clone(&by.nick), at_ms, uses, until_ms };
        self.invitations.insert(Arc::clone(hash), made);
        effects.push(Effect::Settled(Settled::Done));
    }

    pub(super) fn invitation_ended(&mut self, hash: &str) {
        self.invitations.remove(hash);
    }

    /// Uses an invitation once; false when it does not hold.
    pub(super) fn use_invitation(&mut self, at_ms: Millis, hash: &str) -> bool {
        let Some(invitation) = self.invitations.get_mut(hash).filter(|found| found.holds(at_ms)) else {
            return false;
        };
        invitation.uses -= 1;
        true
    }
}
