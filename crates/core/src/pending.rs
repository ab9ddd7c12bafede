//! What this node has proposed and not yet seen applied, as far as deciding needs it.

use std::collections::{BTreeMap, BTreeSet};

use chinwag_log::Slot;
use chinwag_wire::names::{Folded, fold};

use crate::chat::Chat;
use crate::event::Event;
use crate::ids::RoomId;

/// Proposals under way, by room.
#[derive(Debug, Default)]
pub struct Pending {
    rooms: BTreeMap<RoomId, Counts>,
    opening: BTreeSet<Folded>,
    /// New names of rooms that are being renamed.
    naming: BTreeSet<Folded>,
    /// How many changes of rules are under way in all rooms.
    locks: u32,
}

#[derive(Debug, Default)]
struct Counts {
    said: u64,
    rules: u32,
}

impl Pending {
    /// Whether a stored change of this room other than a message is under way: then nothing that depends on
    /// the room's rules is decided until it has been applied.
    pub fn locked(&self, room: RoomId) -> bool {
        self.rooms.get(&room).is_some_and(|counts| counts.rules > 0)
    }

    /// Whether any room is locked.
    pub fn any_locked(&self) -> bool {
        self.locks > 0
    }

    /// Whether anything stored is under way for this room, messages among it.
    pub fn busy(&self, room: RoomId) -> bool {
        self.rooms.contains_key(&room)
    }

    /// Whether a room of this name is being opened, or getting this name.
    pub fn opening(&self, name: &Folded) -> bool {
        self.opening.contains(name) || self.naming.contains(name)
    }

    /// Counts a proposal in, and says where its event will be filed.
    pub fn enter(&mut self, chat: &Chat, event: &Event) -> Slot {
        match event {
            Event::Opened { name, .. } => {
                self.opening.insert(fold(name));
                let opening = u32::try_from(self.opening.len()).expect("bounded by sessions");
                Slot { room: chat.rooms_opened() + opening, number: 0 }
            }
            Event::Said(said) => {
                let counts = self.rooms.entry(said.room).or_default();
                counts.said += 1;
                Slot { room: said.room.0, number: chat.head(said.room).0 + counts.said }
            }
            // Changes no rules, and has no number.
            Event::Tagged(tagged) => Slot { room: tagged.room.0, number: 0 },
            other => match other.room() {
                Some(room) => {
                    if let Event::RoomRenamed { name, .. } = other {
                        self.naming.insert(fold(name));
                    }
                    self.rooms.entry(room).or_default().rules += 1;
                    self.locks += 1;
                    Slot { room: room.0, number: 0 }
                }
                None => Slot::default(),
            },
        }
    }

    /// Counts a proposal out, once it was applied or refused.
    pub fn leave(&mut self, event: &Event) {
        match event {
            Event::Opened { name, .. } => {
                self.opening.remove(&fold(name));
            }
            Event::Tagged(_) => {}
            other => {
                let Some(room) = other.room() else { return };
                let Some(counts) = self.rooms.get_mut(&room) else { return };
                match other {
                    Event::Said(_) => counts.said = counts.said.saturating_sub(1),
                    _ => {
                        if let Event::RoomRenamed { name, .. } = other {
                            self.naming.remove(&fold(name));
                        }
                        counts.rules = counts.rules.saturating_sub(1);
                        self.locks = self.locks.saturating_sub(1);
                    }
                }
                if counts.said == 0 && counts.rules == 0 {
                    self.rooms.remove(&room);
                }
            }
        }
    }
}
