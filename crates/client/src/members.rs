//! Who is in a room, ordered by role and name.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Somebody in a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The nickname.
    pub nick: Arc<str>,
    /// The account, where the server tells.
    pub account: Option<Arc<str>>,
    /// The signs of their roles, the highest first (`@+`); empty for none.
    pub roles: String,
    /// Whether they are away, as far as is known.
    pub away: bool,
    /// Whether it is a program and says so.
    pub bot: bool,
}

/// The members of a room.
#[derive(Debug, Default)]
pub struct Members {
    /// With the rank of the highest role, the lower the higher.
    by_name: BTreeMap<String, (usize, Member)>,
    order: BTreeSet<(usize, String)>,
}

impl Members {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_name.len()
    }

    /// Whether there are none, or none are known.
    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// All of them, the highest role first, then by name.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Member> {
        self.order.iter().filter_map(|(_, name)| self.get(name))
    }

    /// The member of this folded name.
    pub(crate) fn get(&self, folded: &str) -> Option<&Member> {
        self.by_name.get(folded).map(|(_, member)| member)
    }

    /// Puts somebody in, or in place of what was known of them. `signs` are those of the server, the highest first.
    pub(crate) fn put(&mut self, folded: &str, member: Member, signs: &str) {
        self.remove(folded);
        let rank = rank(&member.roles, signs);
        self.order.insert((rank, folded.to_owned()));
        self.by_name.insert(folded.to_owned(), (rank, member));
    }

    /// Changes somebody who is there. Says whether they are.
    pub(crate) fn change(&mut self, folded: &str, signs: &str, change: impl FnOnce(&mut Member)) -> bool {
        let Some(mut member) = self.remove(folded) else { return false };
        change(&mut member);
        self.put(folded, member, signs);
        true
    }

    /// Takes somebody out.
    pub(crate) fn remove(&mut self, folded: &str) -> Option<Member> {
        let (name, (rank, member)) = self.by_name.remove_entry(folded)?;
        self.order.remove(&(rank, name));
        Some(member)
    }

    /// Forgets everybody.
    pub(crate) fn clear(&mut self) {
        self.by_name.clear();
        self.order.clear();
    }
}

fn rank(roles: &str, signs: &str) -> usize {
    let highest = roles.chars().next().and_then(|role| signs.chars().position(|sign| sign == role));
    highest.unwrap_or(usize::MAX)
}
