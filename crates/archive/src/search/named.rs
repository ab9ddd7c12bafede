//! The messages that an index names, newest first, without reading any of them.

use std::collections::HashSet;
use std::ops::Range;

use chinwag_core::ids::RoomId;
use chinwag_core::search::SearchQuery;
use rusqlite::Connection;

use super::{ids, parts};

/// Rooms up to which each is asked for on its own. With more, all of a part is read, and what is elsewhere left out.
const ROOMS_ASKED_MAX: usize = 4;

/// What is looked for, in which rooms, and between which positions of the log.
#[derive(Debug)]
pub(super) struct Asked {
    question: String,
    rooms: Vec<RoomId>,
    bits: HashSet<i64>,
    /// Exclusive at both ends.
    after: i64,
    before: i64,
}

impl Asked {
    pub(super) fn new(question: String, query: &SearchQuery, after: i64, before: i64) -> Asked {
        let rooms: Vec<RoomId> = query.places.iter().map(|place| place.room).collect();
        let bits = rooms.iter().map(|room| ids::room_bits(*room)).collect();
        Asked { question, rooms, bits, after, before }
    }

    fn wants(&self, id: i64) -> bool {
        let seq = ids::seq_of(id);
        self.after < seq && seq < self.before && self.bits.contains(&ids::room_in(id))
    }
}

/// Goes through an index from the newest to the oldest.
#[derive(Debug)]
pub(super) struct Named<'a> {
    index: &'a Connection,
    asked: &'a Asked,
    /// The parts that are still to be looked through.
    parts: Range<i64>,
    /// The ids of what was found in the last one, the oldest first.
    found: Vec<i64>,
}

impl<'a> Named<'a> {
    /// `position`: up to where the log is in the index.
    pub(super) fn new(index: &'a Connection, asked: &'a Asked, position: i64) -> rusqlite::Result<Named<'a>> {
        let end = ids::part_of(position.min(asked.before - 1)) + 1;
        let first = parts::first(index)?.unwrap_or(end).max(ids::part_of(asked.after.max(0)));
        Ok(Named { index, asked, parts: first..end, found: Vec::new() })
    }

    /// The id of the next message.
    pub(super) fn next(&mut self) -> rusqlite::Result<Option<i64>> {
        while self.found.is_empty() {
            let Some(part) = self.parts.next_back() else { return Ok(None) };
            if parts::exists(self.index, part)? {
                self.look(part)?;
            }
        }
        Ok(self.found.pop())
    }

    /// Looks through a part.
    fn look(&mut self, part: i64) -> rusqlite::Result<()> {
        match self.asked.rooms[..] {
            [] => {}
            ref rooms if rooms.len() <= ROOMS_ASKED_MAX => {
                for room in rooms {
                    self.take(part, ids::ids_of_room(part, *room))?;
                }
            }
            _ => self.take(part, ids::ids_of(part))?,
        }
        self.found.sort_unstable_by_key(|id| ids::seq_of(*id));
        Ok(())
    }

    fn take(&mut self, part: i64, range: Range<i64>) -> rusqlite::Result<()> {
        let table = parts::table(part);
        let sql = format!(
            "SELECT rowid FROM {table} WHERE {table} MATCH ?1 AND rowid >= ?2 AND rowid < ?3 ORDER BY rowid"
        );
        let mut statement = self.index.prepare_cached(&sql)?;
        let mut rows = statement.query((&self.asked.question, range.start, range.end))?;
        while let Some(row) = rows.next()? {
            let id = row.get(0)?;
            if self.asked.wants(id) {
                self.found.push(id);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use chinwag_core::ids::Number;
    use chinwag_core::search::{Place, Term};

    use super::super::parts::{Change, Changes, FoundBy};
    use super::*;

    const WORDS: [&str; 5] = ["tea", "teapot", "green", "black", "milk"];

    /// Positions over several parts, close together and far apart, each with its room and its two words.
    fn said() -> Vec<(i64, RoomId, [&'static str; 2])> {
        let mut seq = 1;
        let mut mixed = 1_u64;
        let mut said = Vec::new();
        while seq < 5 << 17 {
            mixed = mixed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let drawn = mixed >> 33;
            let words = [WORDS[drawn as usize % 5], WORDS[drawn as usize / 5 % 5]];
            said.push((seq, RoomId((drawn / 25 % 9) as u32 + 1), words));
            seq += if drawn.is_multiple_of(3) { 1 } else { (drawn % 2_000) as i64 };
        }
        said
    }

    fn filled(said: &[(i64, RoomId, [&str; 2])]) -> Connection {
        let index = Connection::open_in_memory().expect("opens");
        index.execute_batch(parts::TABLES).expect("makes tables");
        for step in said.chunks(50) {
            let change = |(seq, room, words): &(i64, RoomId, [&str; 2])| {
                let found_by = Some(FoundBy { text: words.join(" "), who: "n1".to_owned() });
                (ids::id(*seq, *room), Change { again: false, found_by })
            };
            let changes = Changes { messages: step.iter().map(change).collect(), ..Changes::default() };
            parts::change(&index, &changes).expect("changes");
        }
        index
    }

    fn query(rooms: Range<u32>, text: &str, prefix: bool) -> SearchQuery {
        SearchQuery {
            places: rooms.map(|room| Place { room: RoomId(room), first: Number(1) }).collect(),
            terms: Arc::new([Term { text: text.into(), prefix }]),
            from: None,
            before: None,
            after: None,
            limit: 20,
        }
    }

    #[test]
    fn all_that_fits_is_named_newest_first_in_whatever_pieces_it_lies() {
        let mut said = said();
        let head = said.last().map_or(0, |(seq, ..)| *seq);
        let index = filled(&said);
        let same = |said: &[(i64, RoomId, [&str; 2])], index: &Connection| {
            for rooms in [1..2, 3..6, 1..10, 4..4] {
                for (text, prefix) in
                    [("tea", false), ("tea", true), ("te", true), ("teap", true), ("sugar", false)]
                {
                    for (after, before) in
                        [(0, i64::MAX), (0, 200_000), (1 << 17, (1 << 17) + 150_000), (9, 9)]
                    {
                        let query = query(rooms.clone(), text, prefix);
                        let question = super::super::words::question(&query).expect("a question");
                        let asked = Asked::new(question, &query, after, before);
                        let mut named = Named::new(index, &asked, head).expect("begins");
                        let mut found = Vec::new();
                        while let Some(id) = named.next().expect("goes on") {
                            found.push(ids::seq_of(id));
                        }
                        let fits = |word: &&str| if prefix { word.starts_with(text) } else { *word == text };
                        let expected: Vec<i64> = said
                            .iter()
                            .rev()
                            .filter(|(seq, room, words)| {
                                rooms.contains(&room.0)
                                    && after < *seq
                                    && *seq < before
                                    && words.iter().any(fits)
                            })
                            .map(|(seq, ..)| *seq)
                            .collect();
                        assert_eq!(found, expected, "{text} {prefix} in {rooms:?}, {after} to {before}");
                    }
                }
            }
        };
        same(&said, &index);
        let mut steps = 0;
        while parts::order_some(&index, head).expect("orders") {
            steps += 1;
            assert!(steps < 10_000, "it ends");
        }
        // Those that grow no more are of one piece.
        for part in 0..4 {
            let pieces = format!("SELECT count(DISTINCT segid) FROM {}_idx", parts::table(part));
            assert_eq!(index.query_row(&pieces, (), |row| row.get(0)), Ok(1), "part {part}");
        }
        same(&said, &index);
        // What is over in a room is taken out of all parts, and nothing else.
        let over = 2 << 17 | 5_000;
        let changes = Changes { expired: vec![(RoomId(3), over)], ..Changes::default() };
        parts::change(&index, &changes).expect("changes");
        said.retain(|(seq, room, _)| *room != RoomId(3) || *seq > over);
        same(&said, &index);
    }
}
