//! Sets of message numbers: what a purge is about, kept as runs, since what is purged often stands together.

use serde::{Deserialize, Serialize};

use crate::ids::Number;

/// A set of message numbers of one room.
///
/// Kept as runs `(first, last)`, both ends included, growing, and never touching each other. Its size in memory and
/// in an event follows the runs, not the numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "Vec<(u64, u64)>", into = "Vec<(u64, u64)>")]
pub struct Numbers(Vec<(u64, u64)>);

impl Numbers {
    /// The runs, growing.
    pub fn runs(&self) -> &[(u64, u64)] {
        &self.0
    }

    /// How many numbers there are.
    pub fn count(&self) -> u64 {
        self.0.iter().fold(0, |count, (first, last)| count.saturating_add((last - first).saturating_add(1)))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a number is among them.
    pub fn contains(&self, number: Number) -> bool {
        let at = self.0.partition_point(|(_, last)| *last < number.0);
        self.0.get(at).is_some_and(|(first, _)| *first <= number.0)
    }

    /// The least and the greatest; none of an empty set.
    pub fn ends(&self) -> Option<(Number, Number)> {
        Some((Number(self.0.first()?.0), Number(self.0.last()?.1)))
    }

    /// All of them, growing.
    pub fn iter(&self) -> impl Iterator<Item = Number> {
        self.0.iter().flat_map(|(first, last)| *first..=*last).map(Number)
    }

    /// The same set and another one.
    #[must_use]
    pub fn with(mut self, other: &Numbers) -> Numbers {
        self.0.extend_from_slice(&other.0);
        Numbers::from(self.0)
    }

    /// Those of them that are greater than a number.
    #[must_use]
    pub fn after(mut self, number: Number) -> Numbers {
        self.0.retain(|(_, last)| *last > number.0);
        if let Some((first, _)) = self.0.first_mut() {
            *first = (*first).max(number.0.saturating_add(1));
        }
        self
    }

    /// The same set in pieces of so many runs, for events that are not to become too large.
    pub fn pieces(&self, runs: usize) -> impl ExactSizeIterator<Item = Numbers> {
        self.0.chunks(runs.max(1)).map(|runs| Numbers(runs.to_vec()))
    }
}

impl From<Vec<(u64, u64)>> for Numbers {
    fn from(mut runs: Vec<(u64, u64)>) -> Self {
        runs.retain(|(first, last)| first <= last);
        runs.sort_unstable();
        let mut joined: Vec<(u64, u64)> = Vec::with_capacity(runs.len());
        for (first, last) in runs {
            match joined.last_mut() {
                Some(before) if first <= before.1.saturating_add(1) => before.1 = before.1.max(last),
                _ => joined.push((first, last)),
            }
        }
        Numbers(joined)
    }
}

impl From<Numbers> for Vec<(u64, u64)> {
    fn from(numbers: Numbers) -> Self {
        numbers.0
    }
}

impl FromIterator<Number> for Numbers {
    fn from_iter<I: IntoIterator<Item = Number>>(numbers: I) -> Self {
        let runs: Vec<_> = numbers.into_iter().map(|number| (number.0, number.0)).collect();
        Numbers::from(runs)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn runs_are_joined_and_cut() {
        let numbers: Numbers = [5, 1, 2, 3, 9].map(Number).into_iter().collect();
        assert_eq!(numbers.runs(), [(1, 3), (5, 5), (9, 9)]);
        assert_eq!((numbers.count(), numbers.ends()), (5, Some((Number(1), Number(9)))));
        let pieces: Vec<Numbers> = numbers.pieces(2).collect();
        assert_eq!(pieces.iter().map(Numbers::count).collect::<Vec<_>>(), [4, 1]);
        let again = pieces.iter().fold(Numbers::default(), |all, piece| all.with(piece));
        assert_eq!(again, numbers);
        assert_eq!(numbers.with(&[4].map(Number).into_iter().collect()).runs(), [(1, 5), (9, 9)]);
        // Whatever is read is brought into order.
        assert_eq!(Numbers::from(vec![(9, 9), (3, 2), (1, 4), (2, 3)]).runs(), [(1, 4), (9, 9)]);
    }

    #[test]
    fn it_is_a_set() {
        let set = |numbers: &BTreeSet<u64>| numbers.iter().copied().map(Number).collect::<Numbers>();
        let bits = |bits: u64| (0..12).filter(|bit| bits >> bit & 1 == 1).collect::<BTreeSet<u64>>();
        // Every set of twelve numbers, and another one that changes with it.
        for one in 0..1 << 12 {
            let (one, other) = (bits(one), bits(one.wrapping_mul(2_654_435_761) >> 7));
            let both: BTreeSet<u64> = one.union(&other).copied().collect();
            let joined = set(&one).with(&set(&other));
            assert_eq!(joined, set(&both));
            assert_eq!((joined.count(), joined.is_empty()), (both.len() as u64, both.is_empty()));
            assert!((0..13).all(|number| joined.contains(Number(number)) == both.contains(&number)));
            assert_eq!(joined.iter().map(|number| number.0).collect::<BTreeSet<_>>(), both);
        }
    }
}
