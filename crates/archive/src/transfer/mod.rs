//! What was said, as records that can be written to a file and read again: the form in which history comes and goes.
//!
//! A record is a JSON object: a room, its topic, a message, or what happened to a message. Rooms' rules, accounts and
//! conversations of two are no part of it: a backup has those.

mod export;
mod import;

pub use export::{Exported, export};
pub use import::{ImportError, Imported, Importer};

use chinwag_core::event::Status;
use chinwag_wire::time;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What a record says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The room was opened.
    Room,
    /// Its topic was set; none without a text.
    Topic,
    /// Somebody said something.
    Message,
    /// The same, as something that they do.
    Action,
    /// The same, and nothing answers it by itself.
    Notice,
    /// A message whose text is not there any more. Its number stays.
    Gone,
    /// A message reads like this from then on.
    Edit,
    /// A reaction to a message, in the text.
    Reaction,
    /// It was taken back.
    Unreaction,
    /// A message is one that the room points out.
    Pin,
    /// It is no longer.
    Unpin,
}

impl Kind {
    /// Whether it is a message, with a number in its room.
    pub fn is_message(self) -> bool {
        matches!(self, Kind::Message | Kind::Action | Kind::Notice | Kind::Gone)
    }
}

/// A line of an export. Fields that say nothing are left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The room's name.
    pub room: String,
    /// What it says.
    pub kind: Kind,
    /// The message's number in its room, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// Milliseconds since the Unix epoch; RFC 3339 in a file.
    #[serde(rename = "time", serialize_with = "to_rfc3339", deserialize_with = "from_rfc3339")]
    pub at_ms: u64,
    /// Who: the nickname.
    pub nick: String,
    /// The user name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The host, as it was shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The account; none for guests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// What was said; `\n` between the lines of a message of several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The number of the message that is answered, or that something happened to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<u64>,
    /// Client-only tags, as sent. The message that is answered stands there as `#`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<String>,
    /// Offsets in the text at which a line ended only because lines are short.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joins: Option<Vec<u32>>,
    /// For whom, where it was not for all: a role's sign, or `!` for what was held back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// The server's own room.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub common: bool,
}

impl Record {
    /// A record of these, with nothing else in it.
    pub fn new(room: &str, kind: Kind, at_ms: u64, nick: &str) -> Record {
        Record {
            room: room.to_owned(),
            kind,
            number: None,
            at_ms,
            nick: nick.to_owned(),
            user: None,
            host: None,
            account: None,
            text: None,
            to: None,
            tags: None,
            joins: None,
            status: None,
            common: false,
        }
    }
}

fn to_rfc3339<S: Serializer>(at_ms: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    let mut text = Vec::new();
    time::format_millis(*at_ms, &mut text);
    serializer.serialize_str(&String::from_utf8_lossy(&text))
}

fn from_rfc3339<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
    let wrong = || serde::de::Error::custom(format!("{text:?} is no time such as 2026-11-21T14:00:00.000Z"));
    time::parse_rfc3339_millis(&text).ok_or_else(wrong)
}

/// The tags in which a message names the one that it answers.
const REPLY_TAGS: [&str; 2] = ["+draft/reply", "+reply"];

/// Tags with the names of answered messages replaced by what `named` makes of them.
fn with_replies(tags: &str, mut named: impl FnMut(&str) -> Option<String>) -> String {
    let tag = |tag: &str| match tag.split_once('=') {
        Some((key, value)) if REPLY_TAGS.contains(&key) => {
            named(value).map_or_else(|| tag.to_owned(), |value| format!("{key}={value}"))
        }
        _ => tag.to_owned(),
    };
    tags.split(';').map(tag).collect::<Vec<_>>().join(";")
}
