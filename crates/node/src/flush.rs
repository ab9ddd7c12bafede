//! The end of a turn: everybody gets their bytes.

use chinwag_core::ids::SessionId;
use smallvec::SmallVec;

use crate::audience::{AUTHORS_MAX, EVERYBODY};
use crate::limits::TAPE_BYTES_MAX;
use crate::sessions::{Entry, Hearing};
use crate::tape::{Except, Merge, Piece};
use crate::{Node, Outlet};

impl Node {
    /// Whether so many bytes wait for the flush that it should come now.
    pub fn wants_flush(&self) -> bool {
        self.on_tape() > TAPE_BYTES_MAX
    }

    /// Bytes that wait for the flush.
    pub(crate) fn on_tape(&self) -> usize {
        self.tape.bytes + self.tape.private.len()
    }

    /// Whether a flush would do anything. Where it does directly after a flush, the next one is due at once,
    /// after everybody else had their turn.
    pub fn has_output(&self) -> bool {
        !(self.audiences.touched.is_empty()
            && self.marked.is_empty()
            && self.closing.is_empty()
            && self.ready.is_empty()
            && self.inbox.is_empty())
    }

    /// Whether more has come out of the log than fits on the tape: the rest is applied with the next flushes, between
    /// which others have their turn.
    pub fn has_backlog(&self) -> bool {
        !self.inbox.is_empty()
    }

    /// Hands everybody their bytes and closes who has to go; then applies what had to wait for it, as much as the tape
    /// holds, to be handed out by the next flush. The outlet must not call back.
    pub fn flush(&mut self, outlet: &mut dyn Outlet) {
        self.go_on_all();
        self.write_rooms(outlet);
        self.write_merged(outlet);
        self.close_closing(outlet);
        self.tape.bytes = 0;
        let tape = &mut self.tape;
        self.audiences.clear(|buffer| tape.give_back(buffer));
        self.tape.clear();
        self.turn += 1;
        self.sweep_dialects();
        for index in std::mem::take(&mut self.after_flush) {
            self.make_ready(index);
        }
        if self.has_backlog() {
            // The other half is for those who waited for this flush, so that neither keeps the other from going on.
            self.apply_inbox(TAPE_BYTES_MAX / 2);
        }
    }

    /// The usual case: whoever hears one active room and gets nothing else is handed that room's reel.
    fn write_rooms(&mut self, outlet: &mut dyn Outlet) {
        let (hot, turn) = (&mut self.sessions.hot, self.turn);
        let many = self.audiences.touched.len() > 1;
        let all = many && self.audiences.touched.contains(&EVERYBODY);
        for room in &self.audiences.touched {
            let Some(audience) = self.audiences.get(*room) else { continue };
            for group in audience.groups.iter().filter(|group| !group.reel.bytes.is_empty()) {
                let parts = [&group.reel.bytes[..]];
                // Whoever spoke comes first: see `Audience::authors`.
                let mine = |index: &&u32| hot[**index as usize].dialect == group.dialect;
                let first: SmallVec<[u32; AUTHORS_MAX]> =
                    audience.authors.iter().filter(mine).copied().collect();
                for &index in first.iter().chain(&group.members) {
                    let hot = &mut hot[index as usize];
                    if hot.marked == turn {
                        continue;
                    }
                    hot.marked = turn;
                    if many && (hot.rooms > 1 || all) {
                        self.marked.push(index);
                        continue;
                    }
                    outlet.write(SessionId { index, generation: hot.generation }, &parts);
                }
            }
        }
    }

    /// Everybody else: pieces from several reels in the order of their production.
    fn write_merged(&mut self, outlet: &mut dyn Outlet) {
        let mut gathered = self.tape.buffer();
        let mut merge = Merge::default();
        for &index in &self.marked {
            let Some(entry) = self.sessions.get(index).filter(|entry| !entry.mute) else { continue };
            for piece in &entry.private {
                merge.add(&self.tape.private, piece);
            }
            let dialect = self.sessions.hot[index as usize].dialect;
            let mine = |except: Except| match except {
                Except::Nobody => true,
                Except::Session(other) => other != index,
                Except::User(user) => entry.user != Some(user),
            };
            for Hearing { room, since } in &entry.rooms {
                let Some(audience) = self.audiences.get(*room).filter(|audience| audience.touched) else {
                    continue;
                };
                let Some(group) = audience.group(dialect) else { continue };
                for (piece, _) in
                    group.reel.pieces.iter().filter(|(piece, except)| piece.first >= *since && mine(*except))
                {
                    merge.add(&group.reel.bytes, piece);
                }
            }
            for heard in &entry.heard {
                let Some(group) =
                    self.audiences.get(heard.room).and_then(|audience| audience.group(heard.dialect))
                else {
                    continue;
                };
                let then = |piece: &Piece| piece.first >= heard.since && piece.first < heard.until;
                for (piece, _) in
                    group.reel.pieces.iter().filter(|(piece, except)| then(piece) && mine(*except))
                {
                    merge.add(&group.reel.bytes, piece);
                }
            }
            let session = self.sessions.id(index);
            merge.finish(&mut gathered, |parts| outlet.write(session, parts));
        }
        drop(merge);
        self.tape.give_back(gathered);
        for index in self.marked.drain(..) {
            if let Some(entry) = self.sessions.get_mut(index) {
                entry.begin_turn();
            }
        }
    }

    fn close_closing(&mut self, outlet: &mut dyn Outlet) {
        for index in std::mem::take(&mut self.closing) {
            let session = self.sessions.id(index);
            if self.sessions.get(index).is_some_and(|entry| !entry.mute) {
                outlet.close(session);
            }
            self.sessions.remove(index);
        }
    }

    /// This session's bytes are merged at the flush.
    pub(crate) fn mark(&mut self, index: u32) {
        let hot = &mut self.sessions.hot[index as usize];
        if hot.marked != self.turn {
            hot.marked = self.turn;
            self.marked.push(index);
        }
    }
}

impl Entry {
    fn begin_turn(&mut self) {
        self.private.clear();
        self.private.shrink_to(16);
        self.heard = Vec::new();
        for hearing in &mut self.rooms {
            hearing.since = 0;
        }
    }
}
