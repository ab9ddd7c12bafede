//! A fingerprint of the state, for the tests that compare nodes: the same on every machine and in every build.

use std::hash::{Hash, Hasher};

use super::Chat;
use super::accounts::Account;
use super::room_modes::{Lists, RoomModes};
use super::rooms::Room;
use super::users::User;

/// FNV-1a, 64 bits, little-endian: unlike the standard library's hasher it never changes.
struct Fingerprint(u64);

impl Hasher for Fingerprint {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    fn write_u32(&mut self, value: u32) {
        self.write(&value.to_le_bytes());
    }

    fn write_u64(&mut self, value: u64) {
        self.write(&value.to_le_bytes());
    }

    fn write_usize(&mut self, value: usize) {
        self.write(&(value as u64).to_le_bytes());
    }
}

impl Chat {
    /// A fingerprint of everything: what is stored, who is present, and what was applied last.
    pub fn state_hash(&self) -> u64 {
        let mut hasher = Fingerprint(self.stored_hash());
        for (origin, last) in &self.applied {
            hasher.write_u32(origin.0);
            hasher.write_u64(*last);
        }
        for user in self.users.iter() {
            hash_user(user, &mut hasher);
        }
        self.links.hash(&mut hasher);
        for gone in self.users.gone() {
            (&gone.who, &gone.realname, gone.at_ms).hash(&mut hasher);
        }
        for room in self.rooms.iter() {
            hasher.write_u64(room.last_ms);
            hasher.write_u64(room.said_ms);
            for member in &room.members {
                (member.user, member.roles).hash(&mut hasher);
            }
            room.invites.hash(&mut hasher);
        }
        hasher.finish()
    }

    /// A fingerprint of what survives a restart.
    pub fn stored_hash(&self) -> u64 {
        let mut hasher = Fingerprint(0xcbf2_9ce4_8422_2325);
        for room in self.rooms.iter() {
            hash_room(room, &mut hasher);
        }
        for account in self.accounts.iter() {
            hash_account(account, &mut hasher);
        }
        self.invitations.hash(&mut hasher);
        for ban in &self.server_bans {
            (&ban.text, &ban.by, &ban.reason, ban.at_ms, ban.until_ms).hash(&mut hasher);
        }
        hasher.finish()
    }
}

fn hash_room(room: &Room, hasher: &mut Fingerprint) {
    (room.id, &room.name, room.opened_ms, room.common).hash(hasher);
    (room.rules, room.head, room.history_from, room.keep_s, room.expired).hash(hasher);
    room.between.hash(hasher);
    (&room.redacted, &room.pins, &room.hooks).hash(hasher);
    (&room.invitations, room.invitations_made).hash(hasher);
    (room.purges.made, &room.purges.open, &room.purges.wiped).hash(hasher);
    let modes = &room.modes;
    for mode in RoomModes::FLAGS {
        modes.flag(*mode).hash(hasher);
    }
    (&modes.key, modes.limit, &modes.forward).hash(hasher);
    (&room.kept.founder, room.kept.roles.len()).hash(hasher);
    for (account, role) in &room.kept.roles {
        (account, role.mode()).hash(hasher);
    }
    (room.guards.slow_s, room.guards.lockdown_min, room.open_records).hash(hasher);
    if let Some(topic) = &room.topic {
        (&topic.text, &topic.by, topic.at_ms).hash(hasher);
    }
    room.metadata.hash(hasher);
    for list in Lists::MODES {
        list.hash(hasher);
        for entry in room.lists.get(list).unwrap_or_default() {
            (&entry.text, &entry.by, entry.at_ms).hash(hasher);
            (entry.until_ms, &entry.reason).hash(hasher);
        }
    }
}

fn hash_account(account: &Account, hasher: &mut Fingerprint) {
    (&account.name, account.created_ms, &account.verifiers, &account.certificates).hash(hasher);
    account.keys.hash(hasher);
    account.tokens.hash(hasher);
    (&account.email, &account.code, account.seen_ms, &account.settings).hash(hasher);
    (&account.marks, &account.metadata).hash(hasher);
    account.presence.hash(hasher);
    account.owner.hash(hasher);
}

fn hash_user(user: &User, hasher: &mut Fingerprint) {
    (user.id, &user.who, &user.realname, user.door, &user.from).hash(hasher);
    (&user.away, user.modes, &user.rooms, &user.invited, &user.accepted, &user.operator).hash(hasher);
    (user.signed_on_ms, user.said_ms, user.sessions).hash(hasher);
    (&user.absent, &user.marks, &user.metadata).hash(hasher);
}
