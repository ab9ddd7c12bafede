//! Audiences: which sessions of this node hear a room, grouped by dialect, with the bytes of this turn.
//!
//! A line to a room is written once for each dialect that is present, and nothing is done for each member: they
//! are visited once, at the flush. There is one audience more than rooms, that of everybody, as room 0.

use chinwag_core::ids::RoomId;
use smallvec::SmallVec;

use crate::tape::Reel;

/// The audience of everybody who is registered. No room has this number.
pub(crate) const EVERYBODY: RoomId = RoomId(0);

/// The members with one dialect, and their bytes.
#[derive(Debug)]
pub(crate) struct Group {
    /// The dialect, as interned.
    pub(crate) dialect: u16,
    /// Indexes of sessions.
    pub(crate) members: Vec<u32>,
    /// What they get this turn.
    pub(crate) reel: Reel,
}

/// Who hears a room.
#[derive(Debug, Default)]
pub(crate) struct Audience {
    /// One group a dialect.
    pub(crate) groups: SmallVec<[Group; 1]>,
    /// Whether anything was said this turn.
    pub(crate) touched: bool,
    /// Sessions that said something this turn, as far as they are few. They are handed their bytes first: what they
    /// say next is then there when the turn is over, so that it goes into the log, and out, together.
    pub(crate) authors: SmallVec<[u32; AUTHORS_MAX]>,
}

/// Authors of a room that are handed their bytes first.
pub(crate) const AUTHORS_MAX: usize = 16;

impl Audience {
    /// A session said something.
    pub(crate) fn note_author(&mut self, session: u32) {
        if self.authors.len() < AUTHORS_MAX && !self.authors.contains(&session) {
            self.authors.push(session);
        }
    }

    /// The group of a dialect.
    pub(crate) fn group(&self, dialect: u16) -> Option<&Group> {
        self.groups.iter().find(|group| group.dialect == dialect)
    }

    fn add(&mut self, dialect: u16, session: u32) {
        match self.groups.iter_mut().find(|group| group.dialect == dialect) {
            Some(group) => group.members.push(session),
            None => self.groups.push(Group { dialect, members: vec![session], reel: Reel::default() }),
        }
    }

    fn remove(&mut self, dialect: u16, session: u32) {
        let Some(at) = self.groups.iter().position(|group| group.dialect == dialect) else { return };
        let group = &mut self.groups[at];
        // Whoever leaves came in lately more often than not.
        if let Some(place) = group.members.iter().rposition(|member| *member == session) {
            group.members.swap_remove(place);
        }
        // What was said this turn is still to be delivered to those who left.
        if group.members.is_empty() && group.reel.bytes.is_empty() {
            self.groups.remove(at);
        }
    }
}

/// All audiences, by room.
#[derive(Debug, Default)]
pub(crate) struct Audiences {
    // Indexed by the room's number. Rooms are few beside what is known of each of them.
    rooms: Vec<Option<Box<Audience>>>,
    /// Rooms in which something was said this turn.
    pub(crate) touched: Vec<RoomId>,
}

impl Audiences {
    /// The audience of a room; none when no session of this node hears it.
    pub(crate) fn get(&self, room: RoomId) -> Option<&Audience> {
        self.rooms.get(room.0 as usize)?.as_deref()
    }

    /// The same, to be said something to. The caller puts the room on the list of touched ones.
    pub(crate) fn get_mut(&mut self, room: RoomId) -> Option<&mut Audience> {
        self.rooms.get_mut(room.0 as usize)?.as_deref_mut()
    }

    /// A session hears a room from now on.
    pub(crate) fn add(&mut self, room: RoomId, dialect: u16, session: u32) {
        let at = room.0 as usize;
        if self.rooms.len() <= at {
            self.rooms.resize_with(at + 1, || None);
        }
        self.rooms[at].get_or_insert_default().add(dialect, session);
    }

    /// It does not any more.
    pub(crate) fn remove(&mut self, room: RoomId, dialect: u16, session: u32) {
        let Some(Some(audience)) = self.rooms.get_mut(room.0 as usize) else { return };
        audience.remove(dialect, session);
        if audience.groups.is_empty() && !audience.touched {
            self.rooms[room.0 as usize] = None;
        }
    }

    /// Begins the next turn: all reels are empty. Their buffers are handed out to be used again.
    pub(crate) fn clear(&mut self, mut spare: impl FnMut(Vec<u8>)) {
        for room in self.touched.drain(..) {
            let Some(Some(audience)) = self.rooms.get_mut(room.0 as usize) else { continue };
            audience.touched = false;
            audience.authors.clear();
            for group in &mut audience.groups {
                spare(std::mem::take(&mut group.reel.bytes));
                group.reel.pieces.clear();
                group.reel.pieces.shrink_to(64);
            }
            audience.groups.retain(|group| !group.members.is_empty());
            if audience.groups.is_empty() {
                self.rooms[room.0 as usize] = None;
            }
        }
    }
}
