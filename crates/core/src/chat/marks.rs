//! What people have read: the time of the last message they read, by target. Stored for accounts, kept for guests
//! while they are here.
//!
//! Specification: <https://ircv3.net/specs/extensions/read-marker>

use std::collections::BTreeMap;

use chinwag_wire::names::Folded;

use crate::ids::{Millis, RoomId};

/// Targets of one reader. The one that was read longest ago goes when there are more.
pub(crate) const MARKS_MAX: usize = 256;

/// What is read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reading {
    /// A room, by its number: its mark stays when it is renamed.
    Room(RoomId),
    /// What passes between the reader and somebody, by nickname.
    Person(Folded),
}

/// The marks of one reader.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Marks(BTreeMap<Reading, Millis>);

impl Marks {
    /// The time of the last message read.
    pub fn get(&self, reading: &Reading) -> Option<Millis> {
        self.0.get(reading).copied()
    }

    /// Notes that everything up to a time was read. It only ever grows; gives the mark as it is then.
    pub(crate) fn advance(&mut self, reading: &Reading, to_ms: Millis) -> Millis {
        if let Some(mark) = self.0.get_mut(reading) {
            *mark = to_ms.max(*mark);
            return *mark;
        }
        self.0.insert(reading.clone(), to_ms);
        if self.0.len() > MARKS_MAX
            && let Some(oldest) = self.oldest()
        {
            self.0.remove(&oldest);
        }
        to_ms
    }

    /// The mark that goes when this one comes.
    pub(crate) fn in_place_of(&self, reading: &Reading) -> Option<Reading> {
        (self.0.len() >= MARKS_MAX && !self.0.contains_key(reading)).then(|| self.oldest()).flatten()
    }

    fn oldest(&self) -> Option<Reading> {
        self.0.iter().min_by_key(|(reading, mark)| (**mark, *reading)).map(|(reading, _)| reading.clone())
    }
}

#[cfg(test)]
mod tests {
    use chinwag_wire::casemap::CaseMapping;

    use super::*;

    #[test]
    fn a_mark_only_ever_grows() {
        let mut marks = Marks::default();
        let tea = Reading::Room(RoomId(1));
        assert_eq!(marks.get(&tea), None);
        assert_eq!(marks.advance(&tea, 20), 20);
        assert_eq!(marks.advance(&tea, 10), 20);
        assert_eq!(marks.advance(&tea, 30), 30);
    }

    #[test]
    fn the_mark_that_is_behind_the_others_goes_when_there_are_too_many() {
        let mut marks = Marks::default();
        let person = |n: usize| Reading::Person(CaseMapping::Ascii.fold(&format!("n{n}")));
        for n in 0..MARKS_MAX {
            marks.advance(&person(n), 1_000 + n as u64);
        }
        assert_eq!(marks.in_place_of(&person(7)), None);
        assert_eq!(marks.in_place_of(&person(MARKS_MAX)), Some(person(0)));
        marks.advance(&person(MARKS_MAX), 5_000);
        assert_eq!((marks.get(&person(0)), marks.get(&person(1))), (None, Some(1_001)));
    }
}
