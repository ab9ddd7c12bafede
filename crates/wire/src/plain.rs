//! The plain dialect's framing: what people and little programs send, as clean lines of text.
//!
//! Telnet negotiation is taken out, also where it is cut across reads; broken UTF-8 is read as Windows-1252;
//! nothing that moves a cursor or changes a terminal is left. A caller who never ends lines is understood by its
//! bursts: the door waits a moment after the last byte and calls [`PlainDecoder::flush`].

use std::borrow::Cow;
use std::iter::Peekable;
use std::str::Chars;

use crate::scan;

/// Cuts one plain stream into lines of clean text.
#[derive(Debug)]
pub struct PlainDecoder {
    /// The line so far, without telnet and NUL bytes.
    tail: Vec<u8>,
    /// Bytes of a line, its line end not counted.
    max: u32,
    telnet: Telnet,
    /// The rest of the line is dropped.
    broken: bool,
    /// The line before ended with CR: an LF that follows belongs to it.
    after_cr: bool,
}

/// What came out of the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plain {
    /// A line of clean text without its line end; it may be empty.
    Line(String),
    /// A line that is too long; nothing of it is kept.
    TooLong,
}

/// Where the stream is inside a telnet command (RFC 854).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Telnet {
    /// Outside.
    Data,
    /// After IAC.
    Command,
    /// After IAC WILL, WONT, DO or DONT: the option follows.
    Option,
    /// Between IAC SB and IAC SE. So many bytes are waited for at most: the caller may not speak telnet at all.
    Sub(u8),
    /// After an IAC in there.
    SubCommand(u8),
}

/// What a byte at IAC, or behind it, turned out to be.
enum Step {
    /// A part of a command.
    Command,
    /// The second IAC of two, which mean one byte 255 of text.
    Text,
    /// Nothing of telnet: the IAC was text (`ÿ` in Latin-1), and so is this byte.
    Back,
}

const IAC: u8 = 255;
const WILL: u8 = 251;
const DONT: u8 = 254;
const SB: u8 = 250;
const SE: u8 = 240;
/// End of file, the lowest command (RFC 1184).
const EOF: u8 = 236;
/// Bytes of a subnegotiation.
const SUB_BYTES_MAX: u8 = 250;

impl PlainDecoder {
    /// Lines of at most `max` bytes, their line end not counted. LF, CR LF and CR alone (which is what the return
    /// key of some terminals sends) end a line.
    pub const fn new(max: u32) -> PlainDecoder {
        PlainDecoder { tail: Vec::new(), max, telnet: Telnet::Data, broken: false, after_cr: false }
    }

    /// Bytes of the line that has no end yet.
    pub fn held(&self) -> usize {
        self.tail.capacity()
    }

    /// The next line, or the report of one that is too long, which comes as soon as that is known. Takes what it
    /// uses off the front of `input`; `None` when all of it is used up.
    pub fn next(&mut self, input: &mut &[u8]) -> Option<Plain> {
        while let Some((first, rest)) = input.split_first() {
            let out = match (self.telnet, *first) {
                (Telnet::Data, b'\n') if std::mem::take(&mut self.after_cr) => {
                    *input = rest;
                    None
                }
                (Telnet::Data, b'\n' | b'\r') => {
                    *input = rest;
                    self.after_cr = *first == b'\r';
                    self.line()
                }
                (Telnet::Data, byte) if byte != IAC => {
                    let all = *input;
                    let ends = |byte: &u8| matches!(*byte, b'\n' | b'\r' | IAC);
                    let end = all.iter().position(ends).unwrap_or(all.len());
                    *input = &all[end..];
                    self.after_cr = false;
                    self.take(&all[..end])
                }
                (_, byte) => match self.step(byte) {
                    Step::Command => {
                        *input = rest;
                        None
                    }
                    Step::Text => {
                        *input = rest;
                        self.take(&[IAC])
                    }
                    Step::Back => self.take(&[IAC]),
                },
            };
            if out.is_some() {
                return out;
            }
        }
        None
    }

    /// What came since the last line end, as a line: for callers who do not end their lines, and at the end of
    /// the stream. `None` when nothing came.
    pub fn flush(&mut self) -> Option<Plain> {
        if self.tail.is_empty() {
            self.broken = false;
            return None;
        }
        self.line()
    }

    /// Whether something came since the last line end.
    pub fn waiting(&self) -> bool {
        self.broken || !self.tail.is_empty()
    }

    /// One byte of telnet.
    fn step(&mut self, byte: u8) -> Step {
        let (next, step) = match (self.telnet, byte) {
            (Telnet::Data, _) => (Telnet::Command, Step::Command),
            (Telnet::Command, IAC) => (Telnet::Data, Step::Text),
            (Telnet::Command, WILL..=DONT) => (Telnet::Option, Step::Command),
            (Telnet::Command, SB) => (Telnet::Sub(0), Step::Command),
            (Telnet::Command, EOF..) => (Telnet::Data, Step::Command),
            (Telnet::Command, _) => (Telnet::Data, Step::Back),
            (Telnet::Option, _) | (Telnet::SubCommand(_), SE) => (Telnet::Data, Step::Command),
            (Telnet::Sub(SUB_BYTES_MAX..) | Telnet::SubCommand(SUB_BYTES_MAX..), _) => {
                (Telnet::Data, Step::Command)
            }
            (Telnet::Sub(count), IAC) => (Telnet::SubCommand(count), Step::Command),
            (Telnet::Sub(count) | Telnet::SubCommand(count), _) => (Telnet::Sub(count + 1), Step::Command),
        };
        self.telnet = next;
        step
    }

    /// Adds bytes to the line.
    fn take(&mut self, bytes: &[u8]) -> Option<Plain> {
        if self.broken {
            return None;
        }
        // One byte more than any line may have is enough to see that it is too long.
        let room = (self.max as usize + 1).saturating_sub(self.tail.len());
        match scan::find(bytes, 0) {
            None => self.tail.extend_from_slice(&bytes[..bytes.len().min(room)]),
            Some(_) => self.tail.extend(bytes.iter().filter(|byte| **byte != 0).take(room)),
        }
        if self.tail.len() > self.max as usize {
            self.tail = Vec::new();
            self.broken = true;
            return Some(Plain::TooLong);
        }
        None
    }

    /// Ends the line.
    fn line(&mut self) -> Option<Plain> {
        if std::mem::take(&mut self.broken) {
            return None;
        }
        let tail = std::mem::take(&mut self.tail);
        let mut text = String::with_capacity(tail.len());
        sanitize(&decode(&tail), &mut text);
        Some(Plain::Line(text))
    }
}

/// What Windows-1252 has where Latin-1 has control characters; U+FFFD where it has nothing.
const WINDOWS_1252: [char; 32] = [
    '€', '\u{fffd}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{fffd}', 'Ž', '\u{fffd}',
    '\u{fffd}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{fffd}', 'ž', 'Ÿ',
];

/// Bytes as text: UTF-8 when they are, otherwise Windows-1252 as a whole.
pub fn decode(bytes: &[u8]) -> Cow<'_, str> {
    match str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(bytes.iter().map(|byte| windows_1252(*byte)).collect()),
    }
}

fn windows_1252(byte: u8) -> char {
    match byte {
        0x80..=0x9f => WINDOWS_1252[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}

/// Appends text so that a terminal shows it and does nothing else: no control characters, no escape sequences, no
/// formatting codes of IRC, no overriding of the text's direction. Tabs and whatever ends a line become spaces.
pub fn sanitize(text: &str, out: &mut String) {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        out.push_str(text);
        return;
    }
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\t' | '\u{b}' | '\u{c}' | '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}' => out.push(' '),
            '\u{1b}' => skip_escape(&mut chars),
            '\u{9b}' => skip_sequence(&mut chars),
            '\u{90}' | '\u{98}' | '\u{9d}'..='\u{9f}' => skip_string(&mut chars),
            '\u{3}' => skip_colours(&mut chars, |c| c.is_ascii_digit(), 2),
            '\u{4}' => skip_colours(&mut chars, |c| c.is_ascii_hexdigit(), 6),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => {}
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
}

/// Skips what follows ESC (ECMA-48, 5.3).
fn skip_escape(chars: &mut Peekable<Chars<'_>>) {
    match chars.next_if(|c| matches!(c, ' '..='~')) {
        Some('[') => skip_sequence(chars),
        Some(']' | 'P' | 'X' | '^' | '_') => skip_string(chars),
        // A shift to another set for one character: that is how some keys arrive.
        Some('N' | 'O') => {
            chars.next_if(|c| matches!(c, ' '..='~'));
        }
        Some(' '..='/') => {
            while chars.next_if(|c| matches!(c, ' '..='/')).is_some() {}
            chars.next_if(|c| matches!(c, '0'..='~'));
        }
        _ => {}
    }
}

/// Skips parameters, intermediate and final byte of a control sequence (ECMA-48, 5.4).
fn skip_sequence(chars: &mut Peekable<Chars<'_>>) {
    while chars.next_if(|c| matches!(c, '0'..='?')).is_some() {}
    while chars.next_if(|c| matches!(c, ' '..='/')).is_some() {}
    chars.next_if(|c| matches!(c, '@'..='~'));
}

/// Skips a control string (a window's title, say) as far as its end; nothing when it has none, so that a line is
/// not lost for one character.
fn skip_string(chars: &mut Peekable<Chars<'_>>) {
    let mut ahead = chars.clone();
    while let Some(c) = ahead.next() {
        let ends = match c {
            '\u{7}' | '\u{9c}' => true,
            '\u{1b}' => ahead.next_if_eq(&'\\').is_some(),
            _ => false,
        };
        if ends {
            *chars = ahead;
            return;
        }
    }
}

/// Skips one or two colours of at most `len` digits with a comma between them.
fn skip_colours(chars: &mut Peekable<Chars<'_>>, is_digit: fn(&char) -> bool, len: usize) {
    let skip =
        |chars: &mut Peekable<Chars<'_>>| (0..len).filter(|_| chars.next_if(is_digit).is_some()).count();
    if skip(chars) == 0 {
        return;
    }
    let mut ahead = chars.clone();
    if ahead.next() == Some(',') && skip(&mut ahead) > 0 {
        *chars = ahead;
    }
}

#[cfg(test)]
mod tests;
