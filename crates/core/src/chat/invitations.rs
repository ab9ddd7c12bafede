//! Invitations that hold: which codes lead into which room, with which accounts may be made, how often, and until when.
//! Stored.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::apply_rules::unchanged;
use super::{Chat, Room};
use crate::accounts::Settled;
use crate::effect::{Effect, Effects};
use crate::event::{Invited, Keeping, Who};
use crate::ids::{Millis, RoomId};

/// Invitations to one room that hold at once.
pub const ROOM_INVITATIONS_MAX: usize = 20;

/// Rooms to which a user is invited at the same time. The oldest invitation ends when there are more.
pub(super) const INVITES_MAX: usize = 64;

/// An invitation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Invitation {
    /// How people call it: the first of its room, or of the server, is 1. It says nothing of the code.
    pub number: u32,
    /// The SHA-256 of its code, in lower-case hexadecimal.
    pub hash: Arc<str>,
    /// The nickname of who made it.
    pub by: Arc<str>,
    /// When.
    pub at_ms: Millis,
    /// How often somebody may still come into its room with it; 0 where it is to the server.
    pub entries: u32,
    /// How many accounts may still be made with it.
    pub accounts: u32,
    /// Until when.
    pub until_ms: Millis,
    /// The accounts that came with it: once more costs them nothing.
    came: BTreeSet<Arc<str>>,
}

impl Invitation {
    /// How often it may still be used.
    pub fn uses(&self) -> u32 {
        self.entries.max(self.accounts)
    }

    /// Whether anything may be done with it.
    pub fn holds(&self, now_ms: Millis) -> bool {
        now_ms < self.until_ms && (self.uses() > 0 || !self.came.is_empty())
    }

    /// Whether an account may be made with it.
    pub fn makes_accounts(&self, now_ms: Millis) -> bool {
        now_ms < self.until_ms && self.accounts > 0
    }

    /// Whether somebody with this account, or a guest, may come in with it.
    pub fn lets_in(&self, account: Option<&Arc<str>>, now_ms: Millis) -> bool {
        let came = account.is_some_and(|account| self.came.contains(account));
        now_ms < self.until_ms && (self.entries > 0 || came)
    }

    fn came(&mut self, account: Option<&Arc<str>>) {
        if account.is_none_or(|account| self.came.insert(Arc::clone(account))) {
            self.entries = self.entries.saturating_sub(1);
        }
    }
}

/// All of them.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct Invitations {
    /// Those to the server, by the hash of their code.
    server: BTreeMap<Arc<str>, Invitation>,
    /// Where those to rooms are, likewise.
    rooms: BTreeMap<Arc<str>, RoomId>,
    /// How many there were to the server.
    made: u32,
}

impl Chat {
    /// The invitations to the server that hold, the oldest first.
    pub fn invitations(&self, now_ms: Millis) -> impl Iterator<Item = &Invitation> {
        let mut holding: Vec<&Invitation> =
            self.invitations.server.values().filter(|found| found.holds(now_ms)).collect();
        holding.sort_unstable_by_key(|found| found.number);
        holding.into_iter()
    }

    /// The invitation of a code with this hash, if it holds, and the room into which it leads, if any.
    pub fn invitation(&self, hash: &str, now_ms: Millis) -> Option<(&Invitation, Option<&Room>)> {
        let found = match self.invitations.rooms.get(hash) {
            Some(room) => {
                let room = self.rooms.get(*room)?;
                (room.invitations.iter().find(|found| *found.hash == *hash)?, Some(room))
            }
            None => (self.invitations.server.get(hash)?, None),
        };
        Some(found).filter(|(found, _)| found.holds(now_ms))
    }

    /// An invitation to the server. Those that hold no more are forgotten here.
    pub(super) fn invitation_made(&mut self, at_ms: Millis, invited: &Invited, effects: &mut Effects) {
        let Invitations { server, made, .. } = &mut self.invitations;
        server.retain(|_, invitation| invitation.holds(at_ms));
        *made += 1;
        let Invited { hash, by, uses, until_ms } = invited;
        let (number, accounts, until_ms) = (*made, *uses, *until_ms);
        let (entries, came, by) = (0, BTreeSet::new(), Arc::clone(&by.nick));
        let (hash, at) = (Arc::clone(hash), Arc::clone(hash));
        server.insert(at, Invitation { number, hash, by, at_ms, entries, accounts, until_ms, came });
        effects.push(Effect::Settled(Settled::Done));
    }

    pub(super) fn invitation_ended(&mut self, hash: &str) {
        self.invitations.server.remove(hash);
    }

    /// Uses an invitation once for an account; false when it does not hold.
    pub(super) fn use_invitation(&mut self, at_ms: Millis, hash: &str) -> bool {
        let found = match self.invitations.rooms.get(hash) {
            Some(room) => self
                .rooms
                .get_mut(*room)
                .and_then(|room| room.invitations.iter_mut().find(|found| *found.hash == *hash)),
            None => self.invitations.server.get_mut(hash),
        };
        let Some(found) = found.filter(|found| found.makes_accounts(at_ms)) else { return false };
        found.accounts -= 1;
        true
    }

    /// What happens to the invitations of a room ([`Keeping::invites`]).
    pub(super) fn room_invites(
        &mut self,
        at_ms: Millis,
        (id, basis): (RoomId, u32),
        by: &Who,
        keeping: &Keeping,
        effects: &mut Effects,
    ) {
        let Some(room) = unchanged(&mut self.rooms, id, basis, effects) else { return };
        match keeping {
            Keeping::Invited { number, hash, uses, until_ms, accounts } => {
                let index = &mut self.invitations.rooms;
                room.invitations.retain(|found| {
                    let holds = found.holds(at_ms);
                    if !holds {
                        index.remove(&found.hash);
                    }
                    holds
                });
                index.insert(Arc::clone(hash), id);
                room.invitations_made = room.invitations_made.max(*number);
                room.invitations.push(Invitation {
                    number: *number,
                    hash: Arc::clone(hash),
                    by: Arc::clone(&by.nick),
                    at_ms,
                    entries: *uses,
                    accounts: if *accounts { *uses } else { 0 },
                    until_ms: *until_ms,
                    came: BTreeSet::new(),
                });
            }
            Keeping::TakenBack(number) => {
                let index = &mut self.invitations.rooms;
                room.invitations.retain(|found| {
                    let stays = found.number != *number;
                    if !stays {
                        index.remove(&found.hash);
                    }
                    stays
                });
            }
            Keeping::CameBy(number) => {
                let banned = room.bans(by);
                let found = room.invitations.iter_mut().find(|found| found.number == *number);
                let found = found.filter(|found| !banned && found.lets_in(by.account.as_ref(), at_ms));
                let Some(found) = found else { return };
                found.came(by.account.as_ref());
                self.lets_in(id, by);
            }
            _ => {}
        }
        effects.push(Effect::Settled(Settled::Done));
    }

    /// Somebody who is here may come into a room, once. Whether they are here changes nothing that is stored.
    fn lets_in(&mut self, id: RoomId, by: &Who) {
        let Some(user) = self.users.by_nick(&by.nick).filter(|user| *user.who == *by).map(|user| user.id)
        else {
            return;
        };
        if self.rooms.get(id).is_some_and(|room| room.member(user).is_none()) {
            self.opens_to(id, user);
        }
    }

    /// A room's locks are open to a user until the user has come in.
    pub(super) fn opens_to(&mut self, id: RoomId, user: crate::ids::UserId) {
        let (Some(room), Some(guest)) = (self.rooms.get_mut(id), self.users.get_mut(user)) else { return };
        room.invite(user);
        guest.invited.retain(|invited| *invited != id);
        guest.invited.push(id);
        if guest.invited.len() > INVITES_MAX {
            let oldest = guest.invited.remove(0);
            if let Some(room) = self.rooms.get_mut(oldest) {
                room.uninvite(user);
            }
        }
    }

    /// A room starts over: no code leads into it any more.
    pub(super) fn uninvite_all(&mut self, id: RoomId) {
        self.invitations.rooms.retain(|_, room| *room != id);
        if let Some(room) = self.rooms.get_mut(id) {
            room.invitations.clear();
        }
    }
}
