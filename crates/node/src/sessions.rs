//! The table of sessions: a small entry for what every delivery touches, a large one for the rest.

use std::collections::BTreeMap;

use chinwag_core::ids::{Millis, Number, RoomId, SessionId, UserId};
use chinwag_core::session::Session;
use chinwag_wire::line::LineDecoder;
use smallvec::SmallVec;

use crate::allowances::Block;
use crate::doors::plain::PlainDoor;
use crate::pace::Pace;
use crate::tape::Piece;

/// What a flush looks at, side by side for all sessions.
#[derive(Debug)]
pub(crate) struct Hot {
    /// The generation of the place: how often it was used before.
    pub(crate) generation: u32,
    /// The dialect, as interned.
    pub(crate) dialect: u16,
    /// How many rooms it hears, that of everybody not counted.
    pub(crate) rooms: u16,
    /// The turn in which its bytes have to be merged, because it is not served by one room's reel alone; or in which
    /// it was handed that reel.
    pub(crate) marked: u64,
    /// When it was last heard, in seconds since the Unix epoch.
    pub(crate) heard_s: u32,
    /// When it was asked for a sign of life, in seconds since the Unix epoch; 0 when it was not.
    pub(crate) pinged_s: u32,
}

/// The input side of a door.
pub(crate) enum Input {
    /// Lines.
    Irc(LineDecoder),
    /// Whatever a plain caller sends.
    Plain(Box<PlainDoor>),
}

/// Why a session's next request is not looked at yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waits {
    /// It does not wait.
    No,
    /// Until all that it asked before was applied.
    Drained,
    /// Until fewer of its messages are under way.
    Fewer,
    /// Until somebody's change of rules was applied, or the node has room for proposals.
    Others,
    /// Until the tape has been flushed.
    Flush,
    /// Until time has passed, since it asks too fast.
    Pace,
    /// Until the archive has said something about a message.
    Read,
    /// Until what others had under way for it has come back, see `behind`.
    Behind,
}

/// Input that was not looked at yet, from a whole line on.
#[derive(Debug, Default)]
pub(crate) struct Rest {
    bytes: Vec<u8>,
    at: usize,
}

impl Rest {
    pub(crate) fn len(&self) -> usize {
        self.bytes.len() - self.at
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.bytes[self.at..]
    }

    /// Forgets all but the last `left` bytes.
    pub(crate) fn leave(&mut self, left: usize) {
        self.at = self.bytes.len() - left;
        if left == 0 {
            *self = Rest::default();
        }
    }
}

/// A room that a session hears.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hearing {
    /// The room.
    pub(crate) room: RoomId,
    /// From which order of this turn on.
    pub(crate) since: u32,
}

/// A room that it heard until a moment of this turn, or in another dialect.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heard {
    pub(crate) room: RoomId,
    pub(crate) dialect: u16,
    pub(crate) since: u32,
    /// Lines of this order and later were not for it any more.
    pub(crate) until: u32,
}

/// Everything else about a session.
pub(crate) struct Entry {
    /// What the chat knows of it.
    pub(crate) core: Session,
    /// Its door's input side.
    pub(crate) input: Input,
    /// What it sent and nobody looked at yet.
    pub(crate) rest: Rest,
    /// Why not.
    pub(crate) waits: Waits,
    /// It is on the list of those to go on.
    pub(crate) ready: bool,
    /// The driver was told to stop reading.
    pub(crate) stopped: bool,
    /// Nothing more will come from it; it is closed once what came is done with.
    pub(crate) ended: bool,
    /// It is being closed: not to be heard and, once the flush is over, gone.
    pub(crate) closing: bool,
    /// Its socket is gone: nothing is handed to it any more.
    pub(crate) mute: bool,
    /// It counts as one of its user's.
    pub(crate) attached: bool,
    /// Its user was told that it ends.
    pub(crate) detached: bool,
    /// After the end of its input, what was left without a line end has been looked at.
    pub(crate) emptied: bool,
    /// Stale messages are being decided again: everything new waits for them.
    pub(crate) draining: bool,
    /// Messages under way.
    pub(crate) messages: u16,
    /// Other events and reads of history under way.
    pub(crate) commands: u16,
    /// The user number it was promised when it asked to come in; after that, the user's. Kept until it is gone.
    pub(crate) user: Option<UserId>,
    /// When it was opened, or when it last had an answer that took us long: from here on its time to come in counts.
    pub(crate) opened_ms: Millis,
    /// Bytes that came before registration.
    pub(crate) greeting_bytes: u32,
    /// Lines that came before registration.
    pub(crate) greeting_lines: u16,
    /// Its `PING` has waited for what was under way then.
    pub(crate) was_behind: bool,
    /// How fast it has asked.
    pub(crate) pace: Pace,
    /// The address block that it comes from, unless that is exempt from limits.
    pub(crate) block: Option<Block>,
    /// Work done for it in the turn `worked`.
    pub(crate) work: u16,
    /// The turn in which it last asked for anything but a message.
    pub(crate) worked: u64,
    /// The rooms it hears.
    pub(crate) rooms: SmallVec<[Hearing; 2]>,
    /// Rooms it heard until some moment of this turn.
    pub(crate) heard: Vec<Heard>,
    /// Bytes for it alone, this turn.
    pub(crate) private: Vec<Piece>,
}

impl Entry {
    pub(crate) fn new(core: Session, input: Input, opened_ms: Millis) -> Self {
        Entry {
            core,
            input,
            rest: Rest::default(),
            waits: Waits::No,
            ready: false,
            stopped: false,
            ended: false,
            closing: false,
            mute: false,
            attached: false,
            detached: false,
            emptied: false,
            draining: false,
            messages: 0,
            commands: 0,
            user: None,
            opened_ms,
            greeting_bytes: 0,
            greeting_lines: 0,
            was_behind: false,
            pace: Pace::default(),
            block: None,
            work: 0,
            worked: 0,
            rooms: SmallVec::new(),
            heard: Vec::new(),
            private: Vec::new(),
        }
    }

    /// Bytes of what it sent that are kept.
    pub(crate) fn held(&self) -> usize {
        let begun = match &self.input {
            Input::Irc(decoder) => decoder.held(),
            Input::Plain(door) => door.held(),
        };
        let batch = self.core.batch.as_ref().map_or(0, |batch| batch.held());
        self.rest.bytes.capacity() + begun + batch
    }

    /// Whether anything it asked for is under way.
    pub(crate) fn busy(&self) -> bool {
        self.messages > 0 || self.commands > 0
    }
}

/// All sessions of the node.
#[derive(Default)]
pub(crate) struct Sessions {
    /// What a flush looks at.
    pub(crate) hot: Vec<Hot>,
    entries: Vec<Option<Box<Entry>>>,
    free: Vec<u32>,
    users: BTreeMap<UserId, SmallVec<[u32; 2]>>,
    /// The rooms that sessions left and the last message that they heard there, the latest last; few have left any.
    pub(crate) left: BTreeMap<u32, Vec<(RoomId, Number)>>,
}

impl Sessions {
    pub(crate) fn insert(&mut self, entry: Entry, dialect: u16, now_s: u32) -> SessionId {
        let index = match self.free.pop() {
            Some(index) => index,
            None => {
                let index = u32::try_from(self.hot.len()).expect("each session takes a socket");
                self.hot.push(Hot { generation: 0, dialect, rooms: 0, marked: 0, heard_s: 0, pinged_s: 0 });
                self.entries.push(None);
                index
            }
        };
        let hot = &mut self.hot[index as usize];
        *hot = Hot { generation: hot.generation, dialect, rooms: 0, marked: 0, heard_s: now_s, pinged_s: 0 };
        self.entries[index as usize] = Some(Box::new(entry));
        SessionId { index, generation: hot.generation }
    }

    /// Frees a session's place.
    pub(crate) fn remove(&mut self, index: u32) {
        self.left.remove(&index);
        if self.entries[index as usize].take().is_some() {
            let hot = &mut self.hot[index as usize];
            hot.generation = hot.generation.wrapping_add(1);
            self.free.push(index);
        }
    }

    /// The index of a session that is still there.
    pub(crate) fn find(&self, session: SessionId) -> Option<u32> {
        let hot = self.hot.get(session.index as usize)?;
        let there = hot.generation == session.generation && self.entries[session.index as usize].is_some();
        there.then_some(session.index)
    }

    /// The name of the session at an index.
    pub(crate) fn id(&self, index: u32) -> SessionId {
        SessionId { index, generation: self.hot[index as usize].generation }
    }

    pub(crate) fn get(&self, index: u32) -> Option<&Entry> {
        self.entries[index as usize].as_deref()
    }

    pub(crate) fn get_mut(&mut self, index: u32) -> Option<&mut Entry> {
        self.entries[index as usize].as_deref_mut()
    }

    /// The indexes of all places that may be in use.
    pub(crate) fn places(&self) -> std::ops::Range<u32> {
        0..self.hot.len() as u32
    }

    /// How many sessions there are.
    pub(crate) fn count(&self) -> usize {
        self.entries.len() - self.free.len()
    }

    /// The sessions of a user.
    pub(crate) fn of(&self, user: UserId) -> SmallVec<[u32; 2]> {
        self.users.get(&user).cloned().unwrap_or_default()
    }

    pub(crate) fn attach(&mut self, user: UserId, index: u32) {
        self.users.entry(user).or_default().push(index);
    }

    pub(crate) fn detach(&mut self, user: UserId, index: u32) {
        if let Some(sessions) = self.users.get_mut(&user) {
            sessions.retain(|session| *session != index);
            if sessions.is_empty() {
                self.users.remove(&user);
            }
        }
    }
}
