//! What the commands' answers have in common: lines for the asker, parameters that are safe to send back, and
//! words packed into lines that fit.

use chinwag_wire::caps::Cap;
use chinwag_wire::limits::BODY_BYTES_MAX;
use chinwag_wire::mask;
use chinwag_wire::numeric::Numeric;
use smallvec::SmallVec;

use crate::asking::Asking;
use crate::chat::{Chat, User};
use crate::effect::{Effect, Effects, To};
use crate::event::{Act, Event, OperatorActed};
use crate::line::{Command, Line, Meta, Source, Text};
use crate::privileges::Privilege;

/// Bytes of a caller's own words that are given back in an error.
const GIVEN_BYTES: usize = 100;

/// A line from the server.
pub(crate) fn line(verb: &'static str, params: impl IntoIterator<Item = Text>) -> Line {
    Line {
        source: Source::Server,
        command: Command::Verb(verb),
        params: SmallVec::from_iter(params),
        meta: Meta::default(),
        needs: Default::default(),
    }
}

/// Adds a line for the asking session.
pub(crate) fn tell(effects: &mut Effects, line: Line) {
    effects.push(Effect::Send { to: To::Asker, author: None, except: None, line });
}

/// Adds a numeric for the asking session.
pub(crate) fn answer<const N: usize>(effects: &mut Effects, number: Numeric, params: [Text; N]) {
    tell(effects, Line::numeric(number, params));
}

/// Adds a `FAIL` (standard replies) for the asking session: the command, the code, what it is about, the text.
pub(crate) fn fail(
    effects: &mut Effects,
    command: &'static str,
    code: &'static str,
    context: impl IntoIterator<Item = Text>,
    text: &'static str,
) {
    let params =
        [Text::Static(command), Text::Static(code)].into_iter().chain(context).chain([Text::Static(text)]);
    tell(effects, line("FAIL", params));
}

/// Refuses what is longer than a limit, which the client knows by this name from RPL_ISUPPORT. Nothing is ever cut:
/// what people wrote arrives whole or not at all.
pub(crate) fn too_long(asking: &mut Asking<'_>, verb: &'static str, code: &'static str, limit: &'static str) {
    if asking.session.caps.contains(Cap::StandardReplies) {
        let text = format!("That is too long; {limit} says how many bytes it may have");
        let params = [Text::Static(verb), Text::Static(code), Text::from(text)];
        return tell(asking.effects, line("FAIL", params));
    }
    asking.refuse(Numeric::ERR_INPUTTOOLONG, []);
}

/// Adds a `NOTE` for the asking session, or its words as a numeric where it would not read that.
pub(crate) fn noted(
    effects: &mut Effects,
    command: &'static str,
    code: &'static str,
    about: impl IntoIterator<Item = Text>,
    text: Text,
) {
    let about: SmallVec<[Text; 2]> = about.into_iter().collect();
    let mut plain = Line::numeric(Numeric::RPL_TEXT, []);
    plain.params.extend(about.first().cloned());
    plain.params.push(text.clone());
    let note = [Text::Static(command), Text::Static(code)].into_iter().chain(about).chain([text]);
    tell(effects, line("NOTE", note).needing(Cap::StandardReplies));
    tell(effects, plain.lacking(Cap::StandardReplies));
}

/// Something the caller sent, as it can be given back between other parameters: one word, not too long.
pub(crate) fn given(word: &str) -> Text {
    let fits = !word.is_empty() && !word.starts_with(':') && !word.contains(' ');
    if fits { Text::from(cut(word, GIVEN_BYTES).to_owned()) } else { Text::Static("*") }
}

/// The beginning of a text, at most so many bytes, never half a character.
pub(crate) fn cut(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

/// The nickname of whoever asks, as numerics and `CAP` show it: `*` before registration.
pub(crate) fn addressee(chat: &Chat, asking: &Asking<'_>) -> Text {
    match asker(chat, asking) {
        Some(user) => Text::from(&user.who.nick),
        None => Text::Static("*"),
    }
}

/// The user who asks, once there is one.
pub(crate) fn asker<'a>(chat: &'a Chat, asking: &Asking<'_>) -> Option<&'a User> {
    asking.session.user().and_then(|user| chat.user(user))
}

/// The user who asks, when a server operator with this privilege; otherwise says what is missing.
pub(crate) fn operator<'a>(
    chat: &'a Chat,
    asking: &mut Asking<'_>,
    privilege: Privilege,
) -> Option<&'a User> {
    let user = asker(chat, asking)?;
    match &user.operator {
        None => asking.refuse(Numeric::ERR_NOPRIVILEGES, []),
        Some(operator) if operator.privileges.contains(privilege) => return Some(user),
        Some(_) => asking.refuse(Numeric::ERR_NOPRIVS, [privilege.name().into()]),
    }
    None
}

/// Puts on record what a server operator does, with the next events.
pub(crate) fn on_record(asking: &mut Asking<'_>, user: &User, act: Act) {
    let operator = user.operator.as_ref().map(|operator| std::sync::Arc::clone(&operator.name));
    let by = std::sync::Arc::clone(&user.who);
    asking.propose(Event::OperatorActed(std::sync::Arc::new(OperatorActed { by, operator, act })));
}

/// Whether a question that may name a server means this one: by no name at all, by a mask that fits its name,
/// or by somebody who is here. Otherwise says `ERR_NOSUCHSERVER`.
pub(crate) fn here(chat: &Chat, asking: &mut Asking<'_>, target: Option<&str>) -> bool {
    let Some(target) = target else { return true };
    let fits = mask::glob(target, &asking.settings.server);
    if fits || chat.user_by_nick(target).is_some() {
        return true;
    }
    asking.refuse(Numeric::ERR_NOSUCHSERVER, [given(target)]);
    false
}

/// Bytes that are left for the last parameter of a line from the server: of the 510, what
/// `:server 353 nick `, the parameters before it (`between` bytes with their spaces) and the `:` leave.
pub(crate) fn room_for_last(server: &str, addressee: &str, between: usize) -> usize {
    let before = ":".len() + server.len() + " 000 ".len() + addressee.len() + " ".len() + between + ":".len();
    BODY_BYTES_MAX.saturating_sub(before)
}

/// Words on their way into as few lines as hold them.
pub(crate) struct Packer {
    bytes_max: usize,
    between: char,
    text: String,
}

impl Packer {
    /// Lines of at most `bytes_max` bytes.
    pub(crate) fn new(bytes_max: usize) -> Self {
        Packer::with_between(bytes_max, ' ')
    }

    /// The same with another character between the words.
    pub(crate) fn with_between(bytes_max: usize, between: char) -> Self {
        Packer { bytes_max, between, text: String::new() }
    }

    /// Adds a word made of these pieces. Gives back the line before it when it does not fit there any more.
    pub(crate) fn word(&mut self, pieces: &[&str]) -> Option<Text> {
        let bytes: usize = pieces.iter().map(|piece| piece.len()).sum();
        let mut full = None;
        if self.text.is_empty() {
            self.text.reserve(bytes);
        } else if self.text.len() + 1 + bytes > self.bytes_max {
            let next = String::with_capacity(self.bytes_max);
            full = Some(Text::from(std::mem::replace(&mut self.text, next)));
        } else {
            self.text.push(self.between);
        }
        self.text.extend(pieces.iter().copied());
        full
    }

    /// The last line, unless there was no word at all.
    pub(crate) fn finish(self) -> Option<Text> {
        (!self.text.is_empty()).then(|| Text::from(self.text))
    }
}
