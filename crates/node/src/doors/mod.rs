//! Doors: how lines look to those who came in by them, and what those people's bytes mean.
//!
//! What lives here: [`render`], which turns a [`Line`] into the bytes of one [`Dialect`], and the input side of
//! the plain door ([`plain::PlainDoor`]). What does not: sessions, timers, rooms. A door knows the words of
//! the chat and its own bytes, and no other door.
//!
//! Start here for the commonest change, a line that should read differently at the plain door: one arm in
//! `plain/render.rs` for a verb, one in `plain/numerics.rs` for a numeric.

mod irc;
pub mod plain;

use chinwag_core::ids::Millis;
use chinwag_core::line::Line;
use chinwag_core::session::Door;
use chinwag_wire::caps::{Cap, CapSet};

/// Everything that changes how a line is written: sessions with equal dialects get equal bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Dialect {
    /// The door.
    pub door: Door,
    /// The capabilities, as reduced by [`rendering`].
    pub caps: CapSet,
    /// Messages are shown with their numbers.
    pub numbers: bool,
}

/// What a line is written into: the part that depends on the session, not on the line.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// The server's name.
    pub server: &'a str,
    /// The room that plain callers need not be told the name of.
    pub lobby: &'a str,
    /// The addressee's nickname, or `*` where there is none or the bytes are shared.
    pub addressee: &'a str,
    /// Now: what is older than today is shown with its date.
    pub now_ms: Millis,
    /// The label of the request that this line alone answers.
    pub label: Option<&'a str>,
}

/// The capabilities that change what is written, out of those that a session has.
///
/// Everything else (`echo-message`, `cap-notify`, …) decides who gets a line, not how it looks; leaving it out
/// of the dialect lets more sessions share the same bytes. A capability that lines to a whole room may *need* is kept;
/// for a line to single sessions the one who sends it looks at theirs.
pub fn rendering(caps: CapSet) -> CapSet {
    caps.intersection(RENDERING)
}

/// The capabilities that [`rendering`] keeps.
const RENDERING: CapSet = CapSet::of(&[
    Cap::AccountNotify,
    Cap::AccountTag,
    Cap::AwayNotify,
    Cap::Batch,
    Cap::Chghost,
    Cap::ExtendedJoin,
    Cap::InviteNotify,
    Cap::LabeledResponse,
    Cap::MessageEdit,
    Cap::MessageRedaction,
    Cap::MessageTags,
    Cap::Multiline,
    Cap::Numbers,
    Cap::Relaymsg,
    Cap::ServerTime,
    Cap::Setname,
    Cap::StandardReplies,
]);

/// Appends a line in a dialect: no, one or several complete lines with their line ends.
///
/// Nothing is appended when the dialect lacks a capability that the line needs, or when the door has nothing to
/// show for it. Neither carriage return, line feed nor NUL ever leaves from inside a parameter.
pub fn render(dialect: &Dialect, line: &Line, frame: &Frame<'_>, out: &mut Vec<u8>) {
    let unless = line.meta.unless;
    let another = !unless.is_empty() && dialect.caps.contains_all(unless);
    if another || !dialect.caps.contains_all(rendering(line.needs)) {
        return;
    }
    match dialect.door {
        Door::Irc => irc::render(dialect, line, frame, out),
        Door::Plain => plain::render(dialect.numbers, line, frame, out),
    }
}

#[cfg(test)]
mod tests;
