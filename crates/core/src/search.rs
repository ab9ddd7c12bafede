//! Searching what was said: what people type, as a question for the archive, and its answer.
//!
//! The grammar: words that must all be there, `"a phrase"`, `begin*` for all words that begin so, and
//! `in:#room from:name before:2026-11-01 after:2026-10-01T12:00:00Z`. A day is that day's beginning, in UTC.

use std::sync::Arc;

use chinwag_log::Seq;
use chinwag_wire::time::parse_rfc3339_millis;

use crate::history::{Anchor, Row};
use crate::ids::{Number, RoomId};

/// Terms of one search.
pub const TERMS_MAX: usize = 16;

/// Bytes of one term.
const TERM_BYTES_MAX: usize = 100;

/// What opens a msgid: the position in the log that it stands for.
pub type OpenMsgId<'a> = &'a dyn Fn(&str) -> Option<Seq>;

/// Something that a message must contain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// A word, or words that follow each other.
    pub text: Arc<str>,
    /// The last word need only begin so.
    pub prefix: bool,
}

/// What somebody looks for, before it is known where they may look.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// All of these.
    pub terms: Vec<Term>,
    /// Said by who had this nickname or account.
    pub from: Option<Arc<str>>,
    /// In this room, or conversation.
    pub place: Option<Arc<str>>,
    /// Said before.
    pub before: Option<Anchor>,
    /// Said after.
    pub after: Option<Anchor>,
    /// At most so many.
    pub limit: Option<u32>,
}

/// What cannot be understood: the name of the attribute, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unclear(pub &'static str, pub &'static str);

impl Wanted {
    /// Reads what people type. `msgid` opens a msgid.
    ///
    /// # Errors
    /// What cannot be understood.
    pub fn parse(typed: &str, msgid: OpenMsgId<'_>) -> Result<Wanted, Unclear> {
        let mut wanted = Wanted::default();
        let mut rest = typed.trim_start();
        while !rest.is_empty() {
            rest = match rest.strip_prefix('"') {
                Some(phrase) => {
                    let (phrase, after) = phrase.split_once('"').unwrap_or((phrase, ""));
                    let prefix = after.starts_with('*');
                    wanted.term(phrase, prefix)?;
                    after.strip_prefix('*').unwrap_or(after)
                }
                None => {
                    let (word, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
                    wanted.word(word, msgid)?;
                    after
                }
            }
            .trim_start();
        }
        Ok(wanted)
    }

    fn word(&mut self, word: &str, msgid: OpenMsgId<'_>) -> Result<(), Unclear> {
        match word.split_once(':') {
            Some((name, value)) if !value.is_empty() && is_attribute(name) => {
                self.attribute(&name.to_ascii_lowercase(), value, msgid)
            }
            _ => match word.strip_suffix('*') {
                Some(begin) => self.term(begin, true),
                None => self.term(word, false),
            },
        }
    }

    /// Sets an attribute by name.
    ///
    /// # Errors
    /// What cannot be understood.
    pub fn attribute(&mut self, name: &str, value: &str, msgid: OpenMsgId<'_>) -> Result<(), Unclear> {
        match name {
            "from" => self.from = Some(value.into()),
            "in" => self.place = Some(value.into()),
            "before" => self.before = Some(anchor(value, msgid).ok_or(Unclear("before", NO_TIME))?),
            "after" => self.after = Some(anchor(value, msgid).ok_or(Unclear("after", NO_TIME))?),
            "limit" => {
                let limit = value.parse().ok().filter(|limit| *limit > 0);
                self.limit = Some(limit.ok_or(Unclear("limit", "That is no number of messages"))?);
            }
            "text" => {
                let Wanted { terms, from, place, before, after, .. } = Wanted::parse(value, msgid)?;
                self.terms.extend(terms);
                self.from = from.or(self.from.take());
                self.place = place.or(self.place.take());
                self.before = before.or(self.before);
                self.after = after.or(self.after);
            }
            // Others may come: what is not known is left out, as the specification of tags has it.
            _ => {}
        }
        Ok(())
    }

    fn term(&mut self, text: &str, prefix: bool) -> Result<(), Unclear> {
        if !text.contains(char::is_alphanumeric) {
            return Ok(());
        }
        if self.terms.len() >= TERMS_MAX {
            return Err(Unclear("text", "Those are too many words"));
        }
        if text.len() > TERM_BYTES_MAX {
            return Err(Unclear("text", "One of the words is too long"));
        }
        self.terms.push(Term { text: text.into(), prefix });
        Ok(())
    }

    /// Whether anything is looked for.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty() && self.from.is_none()
    }
}

const NO_TIME: &str = "That is no time: 2026-11-21, or 2026-11-21T14:02:00Z";

fn is_attribute(name: &str) -> bool {
    ["from", "in", "before", "after", "limit"].iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// A day, a time, or a msgid.
fn anchor(value: &str, msgid: OpenMsgId<'_>) -> Option<Anchor> {
    if let Some(value) = value.strip_prefix("msgid=") {
        return msgid(value).map(Anchor::Seq);
    }
    let value = value.strip_prefix("timestamp=").unwrap_or(value);
    let day = value.len() == "2026-11-21".len();
    let written = if day { format!("{value}T00:00:00.000Z") } else { value.to_owned() };
    parse_rfc3339_millis(&written).map(Anchor::Time)
}

/// A room in which somebody may look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Which.
    pub room: RoomId,
    /// Nothing before this number: what was said before the room started over stays hidden.
    pub first: Number,
}

/// What is asked of the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchQuery {
    /// Where: whoever asks may read these.
    pub places: Arc<[Place]>,
    /// All of these words.
    pub terms: Arc<[Term]>,
    /// Said by who had this nickname or account.
    pub from: Option<Arc<str>>,
    /// Said before.
    pub before: Option<Anchor>,
    /// Said after.
    pub after: Option<Anchor>,
    /// At most so many messages, the newest.
    pub limit: u32,
}

impl SearchQuery {
    /// Whether both ask for the same, whatever the rooms have become meanwhile.
    pub fn same(&self, other: &SearchQuery) -> bool {
        (&self.terms, &self.from, self.before, self.after, self.limit)
            == (&other.terms, &other.from, other.before, other.after, other.limit)
    }
}

/// A message that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    /// Where it was said.
    pub room: RoomId,
    /// The message as it reads now.
    pub row: Row,
}

/// The answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hits {
    /// What was found, oldest first.
    pub hits: Vec<Hit>,
    /// Older messages may fit as well.
    pub more: bool,
    /// How many entries of the log were not looked through, since the index is far behind; 0 means that nothing was
    /// missed.
    pub behind: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(typed: &str) -> Result<Wanted, Unclear> {
        Wanted::parse(typed, &|msgid| (msgid == "abc").then_some(Seq(7)))
    }

    #[test]
    fn what_people_type_is_read() {
        let wanted =
            parse("tea \"two words\" begin* in:#tea from:Bob before:2026-11-01 -- after:msgid=abc").unwrap();
        let terms: Vec<_> = wanted.terms.iter().map(|term| (&*term.text, term.prefix)).collect();
        assert_eq!(terms, [("tea", false), ("two words", false), ("begin", true)]);
        assert_eq!((wanted.place.as_deref(), wanted.from.as_deref()), (Some("#tea"), Some("Bob")));
        assert_eq!(wanted.before, Some(Anchor::Time(1_793_491_200_000)));
        assert_eq!(wanted.after, Some(Anchor::Seq(Seq(7))));
        // What looks like an attribute and is none is a word; a phrase needs no end.
        let wanted = parse("https://example.org in: \"open* end").unwrap();
        let terms: Vec<_> = wanted.terms.iter().map(|term| &*term.text).collect();
        assert_eq!(terms, ["https://example.org", "in:", "open* end"]);
        assert!(parse("").unwrap().is_empty() && parse("in:#tea ** --").unwrap().is_empty());
        assert!(!parse("from:bob").unwrap().is_empty());
    }

    #[test]
    fn what_cannot_be_understood_is_named() {
        assert_eq!(parse("before:yesterday").unwrap_err().0, "before");
        assert_eq!(parse("after:msgid=none").unwrap_err().0, "after");
        assert_eq!(parse("limit:0").unwrap_err().0, "limit");
        assert_eq!(parse(&"x ".repeat(17)).unwrap_err().0, "text");
        assert_eq!(parse(&"x".repeat(101)).unwrap_err().0, "text");
    }
}
