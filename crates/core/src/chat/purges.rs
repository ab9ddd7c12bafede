//! Applying: purges. The rows are the archive's; the chat knows which messages are hidden, so that nobody points at
//! them, and which purges can still be undone.

use std::sync::Arc;

use chinwag_wire::caps::Cap;
use chinwag_wire::msgid::MsgId;

use super::apply::send;
use super::apply_rules::unchanged;
use super::{Chat, Room};
use crate::commands::reply::noted;
use crate::effect::{Effects, To};
use crate::event::{Purged, Purging, Who};
use crate::ids::{Millis, Number, RoomId};
use crate::line::{Line, Source, Text};
use crate::numbers::Numbers;

/// Purges of a room that can be undone at the same time.
pub const PURGES_MAX: usize = 64;

/// The purges of a room.
#[derive(Clone, Debug, Default)]
pub struct Purges {
    /// How many there ever were.
    pub made: u32,
    /// Those that can be undone, oldest first.
    pub open: Vec<Purge>,
    /// Messages whose texts were removed for good.
    pub wiped: Numbers,
}

/// A purge that can be undone.
#[derive(Clone, Debug, Hash)]
pub struct Purge {
    /// Its number in the room.
    pub purge: u32,
    /// The nickname of who did it.
    pub by: Arc<str>,
    /// When.
    pub at_ms: Millis,
    /// Whose messages: a pattern in its full form.
    pub whom: Arc<str>,
    /// Why, if a reason was given.
    pub reason: Option<Arc<str>>,
    /// Which messages.
    pub numbers: Numbers,
}

impl Purge {
    /// What it is about, for people: `37 messages of eve [120]–[190]`.
    pub fn about(&self) -> String {
        about(&self.whom, &self.numbers)
    }
}

/// Which messages, for people: `37 messages of eve [120]–[190]`.
pub(crate) fn about(whom: &str, numbers: &Numbers) -> String {
    let count = numbers.count();
    let messages = if count == 1 { "message" } else { "messages" };
    let whom = match whom {
        "*!*@*" => "everybody",
        whom => whom.strip_suffix("!*@*").unwrap_or(whom),
    };
    let mut text = format!("{count} {messages} of {whom}");
    if let Some((first, last)) = numbers.ends() {
        text.push_str(&format!(" [{}]", first.0));
        if first != last {
            text.push_str(&format!("–[{}]", last.0));
        }
    }
    text
}

impl Room {
    /// The purge that hides a message, if one that can be undone does.
    pub fn purge_of(&self, number: Number) -> Option<&Purge> {
        self.purges.open.iter().find(|purge| purge.numbers.contains(number))
    }

    /// Whether a message is not to be read any more: deleted, or purged.
    pub fn is_gone(&self, number: Number) -> bool {
        number <= self.expired
            || self.redacted.contains(&number)
            || self.purges.wiped.contains(number)
            || self.purge_of(number).is_some()
    }
}

impl Chat {
    pub(super) fn purged(&mut self, at_ms: Millis, purged: &Purged, effects: &mut Effects) {
        let Some(room) = unchanged(&mut self.rooms, purged.room, purged.basis, effects) else { return };
        room.rules += 1;
        let at_ms = room.stamp(at_ms);
        let Purged { purge, by, .. } = purged;
        match &purged.what {
            Purging::Hidden { positions, more, .. } => {
                hide(room, at_ms, purged);
                if !more {
                    let redacted = positions.iter().map(|position| MsgId::stored(&self.key, *position));
                    let redacted: Vec<MsgId> = redacted.collect();
                    tell_hidden(room, at_ms, purged, &redacted, effects);
                }
            }
            Purging::Undone => {
                let Some(found) = take(room, *purge) else { return };
                let text = format!("brought back {}: the history shows them again", found.about());
                acts(room.id, &room.name, at_ms, by, &text, effects, |line| line);
            }
            Purging::Final => {
                let Some(found) = take(room, *purge) else { return };
                room.pins.retain(|pinned| !found.numbers.contains(*pinned));
                let text = format!("Purge {purge} is final: it removed {} for good", found.about());
                room.purges.wiped = std::mem::take(&mut room.purges.wiped).with(&found.numbers);
                noted(effects, "PURGE", "FINAL", [Text::from(&room.name)], text.into());
            }
        }
    }
}

fn take(room: &mut Room, purge: u32) -> Option<Purge> {
    let at = room.purges.open.iter().position(|open| open.purge == purge)?;
    Some(room.purges.open.remove(at))
}

/// Notes what is hidden; more of the same purge joins what is known of it.
fn hide(room: &mut Room, at_ms: Millis, purged: &Purged) {
    let Purging::Hidden { whom, reason, numbers, .. } = &purged.what else { return };
    let purges = &mut room.purges;
    match purges.open.iter_mut().find(|open| open.purge == purged.purge) {
        Some(open) => open.numbers = std::mem::take(&mut open.numbers).with(numbers),
        None => {
            purges.made = purges.made.max(purged.purge);
            purges.open.push(Purge {
                purge: purged.purge,
                by: Arc::clone(&purged.by.nick),
                at_ms,
                whom: Arc::clone(whom),
                reason: reason.clone(),
                numbers: numbers.clone(),
            });
        }
    }
}

/// Tells the room what was hidden: message by message to those who know how, where there are few, and everybody else
/// in one line.
fn tell_hidden(room: &Room, at_ms: Millis, purged: &Purged, redacted: &[MsgId], effects: &mut Effects) {
    let Some(open) = room.purges.open.last().filter(|open| open.purge == purged.purge) else { return };
    let by = &purged.by;
    let reason = open.reason.as_ref();
    for msgid in redacted {
        // https://ircv3.net/specs/extensions/message-redaction
        let params = [Text::from(&room.name), msgid.to_string().into()];
        let mut line = Line::new(Source::User(Arc::clone(by)), "REDACT", params).at(at_ms);
        line.params.extend(reason.map(Text::from));
        send(effects, To::Room(room.id), line.needing(Cap::MessageRedaction));
    }
    let mut text = format!("hid {}", open.about());
    text.extend(reason.iter().flat_map(|reason| [": ", reason]));
    let told = |line: Line| match redacted.is_empty() {
        true => line,
        false => line.lacking(Cap::MessageRedaction),
    };
    acts(room.id, &room.name, at_ms, by, &text, effects, told);
    let purge = purged.purge;
    let text = format!(
        "Purge {purge} hides {}. /purge {name} undo {purge} brings them back; /purge {name} final {purge} removes \
         them for good",
        open.about(),
        name = room.name
    );
    noted(effects, "PURGE", "HIDDEN", [Text::from(&room.name)], text.into());
}

/// A line that says what somebody did.
fn acts(
    room: RoomId,
    name: &Arc<str>,
    at_ms: Millis,
    by: &Arc<Who>,
    text: &str,
    effects: &mut Effects,
    told: impl FnOnce(Line) -> Line,
) {
    let params = [Text::from(name), format!("\u{1}ACTION {text}\u{1}").into()];
    let line = Line::new(Source::User(Arc::clone(by)), "PRIVMSG", params).at(at_ms);
    send(effects, To::Room(room), told(line));
}
