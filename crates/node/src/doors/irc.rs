//! Lines as IRC: tags, source, command, parameters, within the limits.
//!
//! Message format: <https://modern.ircdocs.horse/#message-format>; tags:
//! <https://ircv3.net/specs/extensions/message-tags>.

use chinwag_core::event::RELAYED_BY;
use chinwag_core::line::{Command, Line, Source};
use chinwag_core::multiline::{BATCH_TYPE, CONCAT_TAG, pieces};
use chinwag_wire::caps::{Cap, CapSet};
use chinwag_wire::limits::BODY_BYTES_MAX;
use chinwag_wire::tags::escape;
use chinwag_wire::time::format_millis;

use super::{Dialect, Frame};

/// Appends one IRC line with its line end, or the lines of a message of several.
pub(super) fn render(dialect: &Dialect, line: &Line, frame: &Frame<'_>, out: &mut Vec<u8>) {
    if let Some(joins) = &line.meta.joins {
        return several(dialect, line, joins, frame, out);
    }
    tags(dialect.caps, line, frame, Which::All, out);
    body(dialect, line, frame, None, out);
}

/// A message of several lines: as a batch, or as lines of their own for those who do not know such batches.
///
/// Specification: <https://ircv3.net/specs/extensions/multiline>.
fn several(dialect: &Dialect, line: &Line, joins: &[u32], frame: &Frame<'_>, out: &mut Vec<u8>) {
    let caps = dialect.caps;
    let (target, text) = match line.params.as_slice() {
        [target, .., text] => (target.as_str(), text.as_str()),
        _ => return,
    };
    if !caps.contains_all(CapSet::of(&[Cap::Multiline, Cap::Batch])) {
        let written = pieces(text, joins).filter(|(piece, _)| !piece.is_empty());
        for (nth, (piece, _)) in written.enumerate() {
            tags(caps, line, frame, if nth == 0 { Which::All } else { Which::Later }, out);
            let which = if nth == 0 { Which::All } else { Which::Later };
            body(dialect, line, frame, Some((piece, which)), out);
        }
        return;
    }
    // Written in one go, so that a message's own id can name its batch.
    let msgid = line.meta.msgid;
    let reference = msgid.as_ref().map_or("several", |msgid| msgid.as_str());
    tags(caps, line, frame, Which::All, out);
    source(&line.source, frame, out);
    for part in ["BATCH +", reference, " ", BATCH_TYPE, " "] {
        out.extend_from_slice(part.as_bytes());
    }
    param(target, out);
    out.extend_from_slice(b"\r\n");
    for (nth, (piece, continues)) in pieces(text, joins).enumerate() {
        for part in ["@batch=", reference, if continues { ";" } else { "" }] {
            out.extend_from_slice(part.as_bytes());
        }
        if continues {
            out.extend_from_slice(CONCAT_TAG.as_bytes());
        }
        out.push(b' ');
        let which = if nth == 0 { Which::All } else { Which::Later };
        body(dialect, line, frame, Some((piece, which)), out);
    }
    tags(caps, line, frame, Which::Batch, out);
    source(&Source::Server, frame, out);
    for part in ["BATCH -", reference, "\r\n"] {
        out.extend_from_slice(part.as_bytes());
    }
}

/// Appends a line behind its tags. `piece`, one of a message of several lines, takes the place of the last parameter.
fn body(dialect: &Dialect, line: &Line, frame: &Frame<'_>, piece: Option<(&str, Which)>, out: &mut Vec<u8>) {
    let start = out.len();
    source(&line.source, frame, out);
    let text = match line.command {
        Command::Verb(verb) => {
            out.extend_from_slice(verb.as_bytes());
            ends_with_text(verb)
        }
        Command::Numeric(numeric) => {
            out.extend_from_slice(&numeric.digits());
            out.push(b' ');
            param(frame.addressee, out);
            numeric_ends_with_text(numeric.number())
        }
    };
    let more = match &line.meta.more {
        Some((cap, more)) if dialect.caps.contains(*cap) => more.as_slice(),
        _ => &[],
    };
    let count = line.params.len() + more.len();
    // What there is more of ends with a text, too: a real name.
    let text = text || !more.is_empty();
    for (index, text_of) in line.params.iter().chain(more).enumerate() {
        out.push(b' ');
        match (index + 1 == count, text_of.as_str()) {
            (true, text_of) => {
                let (last, which) = piece.unwrap_or((text_of, Which::All));
                if text || last.is_empty() || last.starts_with(':') || last.contains(' ') {
                    out.push(b':');
                }
                let number = line.meta.number.0;
                if number > 0 && which == Which::All && (dialect.numbers || line.meta.numbered) {
                    numbered(number, last, start, out);
                } else {
                    param(last, out);
                }
            }
            (false, middle) => param(middle, out),
        }
    }
    cut(start, out);
    out.extend_from_slice(b"\r\n");
}

/// Which tags a line gets.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    /// All of them.
    All,
    /// Those of a further line of the same message: it is no answer and has no msgid of its own.
    Later,
    /// Only that of the batch around it.
    Batch,
}

/// Writes the tags that the capabilities allow, with the space behind them.
fn tags(caps: CapSet, line: &Line, frame: &Frame<'_>, which: Which, out: &mut Vec<u8>) {
    let start = out.len();
    let key = |name: &str, out: &mut Vec<u8>| {
        out.push(if out.len() == start { b'@' } else { b';' });
        out.extend_from_slice(name.as_bytes());
    };
    if let Some(label) = frame.label.filter(|_| which == Which::All && caps.contains(Cap::LabeledResponse)) {
        key("label=", out);
        escape(label, out);
    }
    if let Some(batch) = line.meta.batch.as_ref().filter(|_| caps.contains(Cap::Batch)) {
        key("batch=", out);
        escape(batch.as_str(), out);
    }
    if which == Which::Batch {
        if out.len() > start {
            out.push(b' ');
        }
        return;
    }
    if let Some(at_ms) = line.meta.at_ms.filter(|_| caps.contains(Cap::ServerTime)) {
        key("time=", out);
        format_millis(at_ms, out);
    }
    if caps.contains(Cap::AccountTag)
        && let Source::User(who) = &line.source
        && let Some(account) = &who.account
    {
        key("account=", out);
        escape(account, out);
    }
    if caps.contains(Cap::MessageTags) {
        if line.meta.bot {
            key("bot", out);
        }
        if let Some(msgid) = line.meta.msgid.filter(|_| which == Which::All) {
            key("msgid=", out);
            out.extend_from_slice(msgid.as_bytes());
        }
        if caps.contains(Cap::Numbers) && line.meta.number.0 > 0 {
            key("chinwag.internal/number=", out);
            out.extend_from_slice(line.meta.number.0.to_string().as_bytes());
        }
        if let Some(client_tags) = line.meta.client_tags.as_deref().filter(|tags| !tags.is_empty()) {
            key("", out);
            param(client_tags, out);
        }
    } else if caps.contains(Cap::Relaymsg)
        && let Some(tags) = line.meta.client_tags.as_deref().filter(|tags| tags.starts_with(RELAYED_BY))
    {
        key("", out);
        param(tags.split_once(';').map_or(tags, |(relayed, _)| relayed), out);
    }
    if out.len() > start {
        out.push(b' ');
    }
}

/// Writes a text with its number before it, inside of the frame that makes it an action. A number that there is
/// no more room for is left out.
fn numbered(number: u64, text: &str, body: usize, out: &mut Vec<u8>) {
    const ACTION: &str = "\u{1}ACTION ";
    let shown = format!("[{number}] ");
    let (before, rest) = match text.strip_prefix(ACTION) {
        Some(rest) => (ACTION, rest),
        None => ("", text),
    };
    param(before, out);
    if out.len() - body + shown.len() + rest.len() <= BODY_BYTES_MAX {
        out.extend_from_slice(shown.as_bytes());
    }
    param(rest, out);
}

fn source(source: &Source, frame: &Frame<'_>, out: &mut Vec<u8>) {
    match source {
        Source::Nobody => {}
        Source::Server => {
            out.push(b':');
            param(frame.server, out);
            out.push(b' ');
        }
        Source::User(who) => {
            out.push(b':');
            param(&who.nick, out);
            out.push(b'!');
            param(&who.user, out);
            out.push(b'@');
            param(&who.host, out);
            out.push(b' ');
        }
    }
}

/// Writes a piece of a line. What would end the line becomes a space: such characters never get this far from
/// a decoded line, and must not from anywhere else either.
fn param(text: &str, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(text.as_bytes());
    if text.bytes().any(ends_line) {
        for byte in &mut out[start..] {
            if ends_line(*byte) {
                *byte = b' ';
            }
        }
    }
}

fn ends_line(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n' | 0)
}

/// Cuts the body that begins at `body` so that it fits a line with its line end, between two characters.
fn cut(body: usize, out: &mut Vec<u8>) {
    let mut end = body + BODY_BYTES_MAX;
    if out.len() <= end {
        return;
    }
    while out[end] & 0xC0 == 0x80 {
        end -= 1;
    }
    out.truncate(end);
}

/// Whether the last parameter of this verb is text, written with a colon even where it has no space: old
/// clients look for the colon instead of counting parameters.
fn ends_with_text(verb: &str) -> bool {
    matches!(
        verb,
        "PRIVMSG"
            | "NOTICE"
            | "TOPIC"
            | "KICK"
            | "KILL"
            | "SETNAME"
            | "QUIT"
            | "RENAME"
            | "PONG"
            | "ERROR"
            | "AWAY"
            | "FAIL"
            | "WARN"
            | "NOTE"
            | "CAP"
            | "METADATA"
            | "WALLOPS"
    )
}

/// The same for numerics: those whose last parameter may happen to be a single word.
fn numeric_ends_with_text(number: u16) -> bool {
    matches!(
        number,
        1..=3
            | 301
            | 304
            | 311
            | 312
            | 314
            | 319
            | 322
            | 332
            | 352
            | 353
            | 371
            | 372
            | 375
            | 391
            | 730
            | 731
            | 732
            | 760
            | 761
    )
}
