//! Applying: metadata of rooms, accounts and guests.

use std::sync::Arc;

use chinwag_wire::caps::Cap;

use super::apply_rules::unchanged;
use super::{Chat, User};
use crate::commands::reply::tell;
use crate::effect::{Effect, Effects, MetadataOf};
use crate::event::{MetadataOn, MetadataSet};
use crate::history::batched;
use crate::ids::{Millis, RoomId, UserId};
use crate::line::{Line, Source, Text};
use crate::metadata::{Change, Metadata, answer};

impl Chat {
    /// What is known of somebody: kept with the account, or with the guest.
    pub fn metadata_of<'a>(&'a self, user: &'a User) -> &'a Metadata {
        let account = user.who.account.as_ref().and_then(|account| self.account(account));
        account.map_or(&user.metadata, |account| &account.metadata)
    }

    pub(super) fn metadata_set(&mut self, at_ms: Millis, set: &MetadataSet, effects: &mut Effects) {
        let metadata = match &set.on {
            MetadataOn::Room { room, basis } => {
                let Some(room) = unchanged(&mut self.rooms, *room, *basis, effects) else { return };
                room.stamp(at_ms);
                &mut room.metadata
            }
            MetadataOn::Account(account) => match self.accounts.metadata_mut(account) {
                Some(metadata) => metadata,
                None => return,
            },
            MetadataOn::Guest(user) => match self.users.get_mut(*user) {
                Some(user) => &mut user.metadata,
                None => return,
            },
        };
        let done: Vec<Change> = if set.clear {
            metadata.clear()
        } else {
            set.changes.iter().filter(|change| metadata.set(change)).cloned().collect()
        };
        if let Some(target) = &set.answer {
            reply(set, target, &done, effects);
        }
        if !done.is_empty() {
            self.tell_metadata(set, done.into(), effects);
        }
    }

    fn tell_metadata(&self, set: &MetadataSet, changes: Arc<[Change]>, effects: &mut Effects) {
        let by = Source::User(Arc::clone(&set.by));
        let mut tell = |of, name: &Arc<str>| {
            let (by, name, changes) = (by.clone(), Arc::clone(name), Arc::clone(&changes));
            effects.push(Effect::Metadata { of, name, by, changes });
        };
        match &set.on {
            MetadataOn::Room { room, .. } => {
                if let Some(room) = self.rooms.get(*room) {
                    tell(MetadataOf::Room(room.id), &room.name);
                }
            }
            MetadataOn::Account(account) => {
                let same = |user: &&User| user.who.account.as_ref().is_some_and(|other| other == account);
                for user in self.users.iter().filter(same) {
                    tell(MetadataOf::User(user.id), &user.who.nick);
                }
            }
            MetadataOn::Guest(user) => {
                if let Some(user) = self.users.get(*user) {
                    tell(MetadataOf::User(user.id), &user.who.nick);
                }
            }
        }
    }

    /// Somebody has come into a room: those who are in it and want to know are told what is known of them.
    pub(super) fn show_metadata(&self, user: UserId, room: RoomId, effects: &mut Effects) {
        self.show_to(user, MetadataOf::Newcomer(user, room), effects);
    }

    /// Somebody is here: those who watch for that are told what is known of them.
    pub(super) fn announce_metadata(&self, user: UserId, effects: &mut Effects) {
        self.show_to(user, MetadataOf::User(user), effects);
    }

    fn show_to(&self, user: UserId, of: MetadataOf, effects: &mut Effects) {
        let Some(user) = self.users.get(user) else { return };
        let metadata = self.metadata_of(user);
        if metadata.is_empty() {
            return;
        }
        let changes = metadata.iter().map(|(key, value)| (Arc::clone(key), Some(Arc::clone(value))));
        effects.push(Effect::Metadata {
            of,
            name: Arc::clone(&user.who.nick),
            by: Source::Server,
            changes: changes.collect(),
        });
    }
}

/// What the one who asked is told: each key as it is now.
fn reply(set: &MetadataSet, target: &Arc<str>, done: &[Change], effects: &mut Effects) {
    if !set.clear {
        let lines = set.changes.iter().map(|(key, value)| answer(target.into(), key, value.as_ref()));
        return lines.for_each(|line| tell(effects, line));
    }
    // "one RPL_KEYVALUE event per cleared key" in the older form, RPL_KEYNOTSET in the newer one.
    let nothing: Arc<str> = "".into();
    let lines = done.iter().flat_map(|(key, _)| -> [Line; 2] {
        let gone = answer(target.into(), key, None).needing(Cap::Metadata3);
        [gone, answer(target.into(), key, Some(&nothing)).lacking(Cap::Metadata3)]
    });
    batched(&"metadata".into(), "metadata", Some(Text::from(target)), lines, effects);
}
