//! Applying: hooks of rooms.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::apply_rules::unchanged;
use super::{Chat, Room};
use crate::accounts::Settled;
use crate::effect::{Effect, Effects};
use crate::event::Hooked;
use crate::hooks::{HOOKS_MAX, Hook, HookWay, Hooking};
use crate::ids::RoomId;

/// The rooms of hooks that lead in, by the hash of their token.
pub(super) type Hooks = BTreeMap<Arc<str>, RoomId>;

impl Chat {
    /// The room and the hook of a token with this hash.
    pub fn hook(&self, hash: &str) -> Option<(&Room, &Arc<Hook>)> {
        let room = self.rooms.get(*self.hooks.get(hash)?)?;
        let is_it = |hook: &&Arc<Hook>| matches!(&hook.way, HookWay::In { hash: known } if **known == *hash);
        room.hooks.iter().find(is_it).map(|hook| (room, hook))
    }

    pub(super) fn hooked(&mut self, hooked: &Hooked, effects: &mut Effects) {
        let Some(room) = unchanged(&mut self.rooms, hooked.room, hooked.basis, effects) else { return };
        let known = |name: &str| room.hooks.iter().position(|hook| *hook.name == *name);
        let settled = match &hooked.what {
            Hooking::Made(hook) if known(&hook.name).is_none() && room.hooks.len() < HOOKS_MAX => {
                if let HookWay::In { hash } = &hook.way {
                    self.hooks.insert(Arc::clone(hash), room.id);
                }
                room.hooks.push(Arc::clone(hook));
                Settled::Done
            }
            Hooking::Made(_) => Settled::Taken,
            Hooking::Removed(name) => match known(name) {
                Some(at) => {
                    if let HookWay::In { hash } = &room.hooks.remove(at).way {
                        self.hooks.remove(hash);
                    }
                    Settled::Done
                }
                None => Settled::Taken,
            },
        };
        effects.push(Effect::Settled(settled));
    }
}
