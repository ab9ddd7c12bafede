//! What a node counts beside the chat, for those who ask (`LUSERS`, `STATS`) and for the page of figures.

use std::collections::BTreeMap;

use chinwag_wire::numeric::{Numeric, TABLE};
use chinwag_wire::verbs::Verb;

use crate::line::{Command, Line};
use crate::refusals::Why;

/// Kinds of `FAIL` that are told apart; the codes are the program's own, so that there are never so many.
const FAILS_MAX: usize = 512;

/// What a server keeps in memory, as it counts it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// Bytes that may be held before somebody has to go; 0 for any number.
    pub budget: u64,
    /// Bytes that are held, by what for.
    pub parts: Vec<(&'static str, u64)>,
}

impl Memory {
    /// Bytes that are held.
    pub fn held(&self) -> u64 {
        self.parts.iter().map(|(_, bytes)| bytes).sum()
    }
}

/// The counts of one node, since it started.
#[derive(Clone, Debug)]
pub struct Figures {
    /// Connections that are nobody's yet.
    pub unregistered: usize,
    /// What the server keeps in memory.
    pub memory: Memory,
    /// What the server refused before anybody had a session, by its name.
    pub turned_away: Vec<(&'static str, u64)>,
    asked: [u64; Verb::ALL.len()],
    refused: [u64; Why::ALL.len()],
    /// Error replies by numeric, and by command and code of `FAIL`.
    numerics: BTreeMap<Numeric, u64>,
    fails: BTreeMap<String, u64>,
    errors: u64,
}

impl Default for Figures {
    fn default() -> Self {
        Figures {
            unregistered: 0,
            memory: Memory::default(),
            turned_away: Vec::new(),
            asked: [0; Verb::ALL.len()],
            refused: [0; Why::ALL.len()],
            numerics: BTreeMap::new(),
            fails: BTreeMap::new(),
            errors: 0,
        }
    }
}

impl Figures {
    /// A command was decided.
    pub fn count(&mut self, verb: Verb) {
        let times = &mut self.asked[verb.index()];
        *times = times.saturating_add(1);
    }

    /// Every command that was ever asked for, and how often.
    pub fn asked(&self) -> impl Iterator<Item = (Verb, u64)> {
        let all = Verb::ALL.iter().map(|verb| (*verb, self.asked[verb.index()]));
        all.filter(|(_, times)| *times > 0)
    }

    /// Somebody was refused.
    pub fn refuse(&mut self, why: Why) {
        self.refused[why as usize] += 1;
    }

    /// Every reason, and how often somebody was refused for it.
    pub fn refused(&self) -> impl Iterator<Item = (Why, u64)> {
        Why::ALL.iter().map(|why| (*why, self.refused[*why as usize]))
    }

    /// A line goes to somebody: counted where it says that something was not done.
    pub fn replied(&mut self, line: &Line) {
        match line.command {
            Command::Numeric(numeric) if is_error(numeric) => {
                *self.numerics.entry(numeric).or_default() += 1;
            }
            Command::Verb("FAIL") => {
                let word = |at: usize| line.params.get(at).map_or("*", |word| word.as_str());
                let kind = format!("FAIL {} {}", word(0), word(1));
                if self.fails.len() < FAILS_MAX || self.fails.contains_key(&kind) {
                    *self.fails.entry(kind).or_default() += 1;
                }
            }
            Command::Verb("ERROR") => self.errors += 1,
            _ => {}
        }
    }

    /// Every reply that said that something was not done, by its name (`ERR_NICKNAMEINUSE`, `FAIL JOIN CODE`, `ERROR`),
    /// and how often it was given.
    pub fn error_replies(&self) -> impl Iterator<Item = (&str, u64)> {
        let name = |numeric: Numeric| TABLE.iter().find(|row| row.numeric == numeric).map(|row| row.name);
        let numerics =
            self.numerics.iter().filter_map(move |(numeric, times)| Some((name(*numeric)?, *times)));
        let fails = self.fails.iter().map(|(kind, times)| (&**kind, *times));
        numerics.chain(fails).chain(std::iter::once(("ERROR", self.errors)))
    }
}

/// Whether a numeric says that something was not done.
pub fn is_error(numeric: Numeric) -> bool {
    let tried_later = numeric == Numeric::RPL_TRYAGAIN;
    let nothing_wrong = numeric == Numeric::ERR_NOMOTD;
    let refused = matches!(numeric.0, 400..600) || matches!(numeric.0, 900..1000) && is_named_error(numeric);
    (refused || tried_later) && !nothing_wrong
}

fn is_named_error(numeric: Numeric) -> bool {
    TABLE.iter().any(|row| row.numeric == numeric && row.name.starts_with("ERR_"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::Source;

    #[test]
    fn replies_are_counted_where_they_refuse_something() {
        let mut figures = Figures::default();
        figures.replied(&Line::numeric(Numeric::RPL_WELCOME, []));
        figures.replied(&Line::numeric(Numeric::ERR_NOMOTD, []));
        figures.replied(&Line::numeric(Numeric::RPL_SASLSUCCESS, []));
        for _ in 0..2 {
            figures.replied(&Line::numeric(Numeric::ERR_SASLFAIL, []));
        }
        figures.replied(&Line::new(Source::Server, "FAIL", ["JOIN".into(), "X".into(), "no".into()]));
        let found: Vec<_> = figures.error_replies().collect();
        assert_eq!(found, [("ERR_SASLFAIL", 2), ("FAIL JOIN X", 1), ("ERROR", 0)]);
        figures.refuse(Why::NotUtf8);
        assert!(figures.refused().all(|(why, times)| times == u64::from(why == Why::NotUtf8)));
    }
}
