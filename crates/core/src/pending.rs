//! What this node has proposed and not yet seen applied, as far as deciding needs it.

use std::collections::{BTreeMap, BTreeSet};

use chinwag_log::Slot;
use chinwag_wire::casemap::CaseMapping;
use chinwag_wire::names::Folded;

use crate::chat::{Chat, name_of};
use crate::event::Event;
use crate::ids::RoomId;

/// Proposals under way, by room.
#[derive(Debug, Default)]
pub struct Pending {
    /// The chat's, since there was a first proposal.
    mapping: CaseMapping,
    rooms: BTreeMap<RoomId, Counts>,
    opening: BTreeMap<Folded, Opening>,
    /// How many rooms are being opened.
    rooms_opening: u32,
    /// New names of rooms that are being renamed.
    naming: BTreeSet<Folded>,
    /// How many changes of rules are under way in all rooms.
    locks: u32,
}

/// The room of what is said together with the opening of its room, whose number is known only then.
pub const UNPLACED: RoomId = RoomId(0);

/// A room that is being opened, and what is said in it at once.
#[derive(Debug)]
struct Opening {
    /// The number it will have.
    room: u32,
    /// The number of the last message before.
    head: u64,
    said: u64,
    /// Events under way that are about it.
    events: u32,
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
        self.opening.contains_key(name) || self.naming.contains(name)
    }

    /// Whether any room is being opened.
    pub fn any_opening(&self) -> bool {
        !self.opening.is_empty()
    }

    /// Counts a proposal in, and says where its event will be filed.
    pub fn enter(&mut self, chat: &Chat, event: &Event) -> Slot {
        self.mapping = chat.mapping();
        if let Some(between) = unplaced(event) {
            return self.enter_unplaced(chat, event, between);
        }
        match event {
            Event::Opened { name, .. } => {
                self.rooms_opening += 1;
                Slot { room: self.open(chat, name).room, number: 0 }
            }
            Event::ConversationOpened { between } => {
                self.rooms_opening += 1;
                Slot { room: self.open(chat, &name_of(between)).room, number: 0 }
            }
            Event::Said(said) => {
                let counts = self.rooms.entry(said.room).or_default();
                counts.said += 1;
                Slot { room: said.room.0, number: chat.head(said.room).0 + counts.said }
            }
            // Changes no rules, and has no number.
            Event::Tagged(tagged) => Slot { room: tagged.room.0, number: 0 },
            // They change nothing of what decides who may speak.
            Event::Expired(expired) => Slot { room: expired.room.0, number: 0 },
            Event::Amended(amended) => Slot { room: amended.room.0, number: 0 },
            other => match other.room() {
                Some(room) => {
                    if let Event::RoomRenamed { name, .. } = other {
                        self.naming.insert(self.mapping.fold(name));
                    }
                    self.rooms.entry(room).or_default().rules += 1;
                    self.locks += 1;
                    Slot { room: room.0, number: 0 }
                }
                None => Slot::default(),
            },
        }
    }

    /// What is said with the opening of its room: filed nowhere when that did not come about.
    fn enter_unplaced(&mut self, chat: &Chat, event: &Event, between: &str) -> Slot {
        if !self.opening.contains_key(&self.mapping.fold(between)) && chat.room_by_name(between).is_none() {
            return Slot::default();
        }
        let said = matches!(event, Event::Said(_));
        let opening = self.open(chat, between);
        opening.said += u64::from(said);
        Slot { room: opening.room, number: if said { opening.head + opening.said } else { 0 } }
    }

    /// One more event under way that is about a room which is being opened.
    fn open(&mut self, chat: &Chat, name: &str) -> &mut Opening {
        let known = chat.room_by_name(name).map(|room| (room.id.0, room.head.0));
        let (room, head) = known.unwrap_or((chat.rooms_opened() + self.rooms_opening, 0));
        let opening =
            self.opening.entry(self.mapping.fold(name)).or_insert(Opening { room, head, said: 0, events: 0 });
        opening.events += 1;
        opening
    }

    fn opened(&mut self, name: &str) {
        let name = self.mapping.fold(name);
        let Some(opening) = self.opening.get_mut(&name) else { return };
        opening.events = opening.events.saturating_sub(1);
        if opening.events == 0 {
            self.opening.remove(&name);
        }
    }

    /// Counts a proposal out, once it was applied or refused.
    pub fn leave(&mut self, event: &Event) {
        if let Some(between) = unplaced(event) {
            return self.opened(between);
        }
        match event {
            Event::Opened { name, .. } => {
                self.rooms_opening = self.rooms_opening.saturating_sub(1);
                self.opened(name);
            }
            Event::ConversationOpened { between } => {
                self.rooms_opening = self.rooms_opening.saturating_sub(1);
                self.opened(&name_of(between));
            }
            Event::Tagged(_) => {}
            Event::Amended(_) | Event::Expired(_) => {}
            other => {
                let Some(room) = other.room() else { return };
                let Some(counts) = self.rooms.get_mut(&room) else { return };
                match other {
                    Event::Said(_) => counts.said = counts.said.saturating_sub(1),
                    _ => {
                        if let Event::RoomRenamed { name, .. } = other {
                            self.naming.remove(&self.mapping.fold(name));
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

/// The room's name of what is said together with the opening of its room.
fn unplaced(event: &Event) -> Option<&str> {
    let (room, direct) = match event {
        Event::Said(said) => (said.room, &said.direct),
        Event::Tagged(tagged) => (tagged.room, &tagged.direct),
        _ => return None,
    };
    direct.as_ref().filter(|_| room == UNPLACED).map(|direct| &*direct.between)
}
