//! One IRC message: read in place, written to the end of a buffer.
//!
//! Reading borrows from the line and does not allocate. Writing appends; what was written reads back the same.

use std::ops::Deref;

use crate::limits::{BODY_BYTES_MAX, PARAMS_MAX};
use crate::numeric::Numeric;
use crate::scan;
use crate::tags::{self, Tags};

/// One message, borrowed from its line.
#[derive(Clone, Debug, PartialEq)]
pub struct Message<'a> {
    /// Its tags.
    pub tags: Tags<'a>,
    /// Where it claims to come from. Servers ignore what clients put here.
    pub source: Option<&'a str>,
    /// The verb or numeric as it came: at least one character, the first not `@` or `:`, in any case, not necessarily
    /// a known one.
    pub command: &'a str,
    /// Its parameters.
    pub params: Params<'a>,
}

/// The parameters of a message; a slice of them for all purposes.
#[derive(Clone, Copy)]
pub struct Params<'a> {
    items: [&'a str; PARAMS_MAX],
    len: usize,
}

/// Why a line is not a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// It is not UTF-8 (answered with `FAIL * INVALID_UTF8`).
    #[error("the line is not UTF-8")]
    Utf8,
    /// It holds a byte that no line holds: NUL, or CR or LF inside.
    #[error("the line holds the byte {0:#04x}")]
    Forbidden(u8),
    /// There is no command in it.
    #[error("the line has no command")]
    NoCommand,
}

impl<'a> Message<'a> {
    /// Reads a line without its line end.
    ///
    /// # Errors
    /// [`ParseError`]; the line as a whole is to be refused.
    pub fn parse(line: &'a [u8]) -> Result<Message<'a>, ParseError> {
        Self::parse_str(str::from_utf8(line).map_err(|_| ParseError::Utf8)?)
    }

    /// As [`Message::parse`], for text.
    ///
    /// # Errors
    /// [`ParseError`], never `Utf8`.
    pub fn parse_str(line: &'a str) -> Result<Message<'a>, ParseError> {
        if let Some(byte) = scan::forbidden(line.as_bytes()) {
            return Err(ParseError::Forbidden(byte));
        }
        let mut rest = line.trim_start_matches(' ');
        let mut tags = Tags::default();
        if let Some(behind) = rest.strip_prefix('@') {
            let (word, behind) = word(behind);
            tags = Tags::new(word);
            rest = behind;
        }
        let mut source = None;
        if let Some(behind) = rest.strip_prefix(':') {
            let (word, behind) = word(behind);
            source = Some(word);
            rest = behind;
        }
        let (command, rest) = word(rest);
        // Tags and sources come once and first: a second one is not a command either.
        if command.is_empty() || command.starts_with(['@', ':']) {
            return Err(ParseError::NoCommand);
        }
        Ok(Message { tags, source, command, params: Params::read(rest) })
    }

    /// Appends the message as one line with its line end.
    pub fn write(&self, out: &mut Vec<u8>) {
        let mut writer = MessageWriter::new(out);
        writer.raw_tags(self.tags.raw());
        if let Some(source) = self.source {
            writer.source(source);
        }
        writer.command(self.command);
        writer.params(self.params.iter().copied());
        writer.end();
    }
}

/// The first word, and what is behind it and its spaces.
#[inline]
fn word(text: &str) -> (&str, &str) {
    match scan::find(text.as_bytes(), b' ') {
        Some(end) => (&text[..end], text[end + 1..].trim_start_matches(' ')),
        None => (text, ""),
    }
}

impl<'a> Params<'a> {
    /// No parameters.
    pub const EMPTY: Params<'static> = Params { items: [""; PARAMS_MAX], len: 0 };

    /// The first 15 of these.
    pub fn from_slice(params: &[&'a str]) -> Params<'a> {
        let mut all = Params { items: [""; PARAMS_MAX], len: params.len().min(PARAMS_MAX) };
        all.items[..all.len].copy_from_slice(&params[..all.len]);
        all
    }

    #[inline]
    fn read(mut rest: &'a str) -> Params<'a> {
        let mut params = Params::EMPTY;
        while !rest.is_empty() {
            if let Some(trailing) = rest.strip_prefix(':') {
                params.push(trailing);
                break;
            }
            // The last possible parameter takes what is left, with or without a colon (RFC 2812, 2.3.1).
            if params.len == PARAMS_MAX - 1 {
                params.push(rest);
                break;
            }
            let (param, behind) = word(rest);
            params.push(param);
            rest = behind;
        }
        params
    }

    fn push(&mut self, param: &'a str) {
        self.items[self.len] = param;
        self.len += 1;
    }

    /// The parameter at a place.
    pub fn get(&self, at: usize) -> Option<&'a str> {
        self.items[..self.len].get(at).copied()
    }

    /// All of them, with the lifetime of the line.
    pub fn as_slice(&self) -> &[&'a str] {
        &self.items[..self.len]
    }
}

impl<'a> Deref for Params<'a> {
    type Target = [&'a str];

    fn deref(&self) -> &[&'a str] {
        self.as_slice()
    }
}

impl PartialEq for Params<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl std::fmt::Debug for Params<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.as_slice()).finish()
    }
}

/// Appends one message to a buffer, in the order tags, source, command, parameters, [`MessageWriter::end`].
///
/// What it is given holds no NUL, CR or LF: text from [`Message::parse`] and validated names never do.
#[derive(Debug)]
pub struct MessageWriter<'o> {
    out: &'o mut Vec<u8>,
    start: usize,
    /// Where the line after its tags begins: what [`BODY_BYTES_MAX`] counts from.
    body: usize,
}

impl<'o> MessageWriter<'o> {
    /// Begins a message at the end of the buffer.
    #[inline]
    pub fn new(out: &'o mut Vec<u8>) -> MessageWriter<'o> {
        let start = out.len();
        MessageWriter { out, start, body: start }
    }

    /// A tag and its value, which is escaped. An empty value is left out together with its `=`.
    #[inline]
    pub fn tag(&mut self, key: &str, value: &str) -> &mut Self {
        self.next_tag();
        self.out.extend_from_slice(key.as_bytes());
        if !value.is_empty() {
            self.out.push(b'=');
            tags::escape(value, self.out);
        }
        self
    }

    /// A tag whose value needs no escaping (times, msgids, batch references).
    #[inline]
    pub fn tag_plain(&mut self, key: &str, value: &[u8]) -> &mut Self {
        self.next_tag();
        self.out.extend_from_slice(key.as_bytes());
        self.out.push(b'=');
        self.out.extend_from_slice(value);
        self
    }

    /// Tags that are escaped already, `;` between them, no `@`. Nothing for an empty text.
    #[inline]
    pub fn raw_tags(&mut self, raw: &str) -> &mut Self {
        if !raw.is_empty() {
            self.next_tag();
            self.out.extend_from_slice(raw.as_bytes());
        }
        self
    }

    #[inline]
    fn next_tag(&mut self) {
        debug_assert_eq!(self.body, self.start, "tags come first");
        self.out.push(if self.out.len() == self.start { b'@' } else { b';' });
    }

    /// Closes the tags, if there are any and they are open.
    #[inline]
    fn begin_body(&mut self) {
        if self.body == self.start && self.out.len() > self.start && self.out[self.start] == b'@' {
            self.out.push(b' ');
            self.body = self.out.len();
        }
    }

    /// A source in one piece.
    #[inline]
    pub fn source(&mut self, source: &str) -> &mut Self {
        self.begin_body();
        self.out.push(b':');
        self.out.extend_from_slice(source.as_bytes());
        self.out.push(b' ');
        self
    }

    /// A user as source.
    #[inline]
    pub fn source_user(&mut self, nick: &str, user: &str, host: &str) -> &mut Self {
        self.begin_body();
        self.out.reserve(nick.len() + user.len() + host.len() + 4);
        self.out.push(b':');
        self.out.extend_from_slice(nick.as_bytes());
        self.out.push(b'!');
        self.out.extend_from_slice(user.as_bytes());
        self.out.push(b'@');
        self.out.extend_from_slice(host.as_bytes());
        self.out.push(b' ');
        self
    }

    /// The verb.
    #[inline]
    pub fn command(&mut self, verb: &str) -> &mut Self {
        self.begin_body();
        self.out.extend_from_slice(verb.as_bytes());
        self
    }

    /// A numeric and its first parameter: the nickname it is for, `*` before there is one.
    #[inline]
    pub fn numeric(&mut self, numeric: Numeric, addressee: &str) -> &mut Self {
        self.begin_body();
        self.out.extend_from_slice(&numeric.digits());
        self.param(addressee)
    }

    /// A parameter that is not the last one: not empty, without spaces, not beginning with a colon. A text that
    /// breaks this rule could be read as several parameters: what it may not hold is replaced by `_`.
    #[inline]
    pub fn param(&mut self, param: &str) -> &mut Self {
        self.out.push(b' ');
        if needs_colon(param) {
            return self.mended(param);
        }
        self.out.extend_from_slice(param.as_bytes());
        self
    }

    #[cold]
    fn mended(&mut self, param: &str) -> &mut Self {
        if param.is_empty() || param.starts_with(':') {
            self.out.push(b'_');
        }
        self.out.extend(param.bytes().map(|byte| if byte == b' ' { b'_' } else { byte }));
        self
    }

    /// The last parameter, with a colon before it whether or not it needs one.
    #[inline]
    pub fn trailing(&mut self, text: &str) -> &mut Self {
        self.out.reserve(text.len() + 4);
        self.out.extend_from_slice(b" :");
        self.out.extend_from_slice(text.as_bytes());
        self
    }

    /// All parameters; the last one gets a colon when it needs one.
    pub fn params<'p>(&mut self, params: impl IntoIterator<Item = &'p str>) -> &mut Self {
        let mut params = params.into_iter().peekable();
        while let Some(param) = params.next() {
            if params.peek().is_none() && needs_colon(param) {
                self.trailing(param);
            } else {
                self.param(param);
            }
        }
        self
    }

    /// Ends the line. What is longer than an IRC line may be is cut at the end of a character; returns how many
    /// bytes that were.
    #[inline]
    pub fn end(&mut self) -> usize {
        debug_assert!(
            scan::forbidden(&self.out[self.start..]).is_none(),
            "a line break inside a message: {}",
            String::from_utf8_lossy(&self.out[self.start..])
        );
        let written = self.out.len();
        if written - self.body > BODY_BYTES_MAX {
            self.cut();
        }
        let cut = written - self.out.len();
        self.out.extend_from_slice(b"\r\n");
        cut
    }

    #[cold]
    fn cut(&mut self) {
        let mut end = self.body + BODY_BYTES_MAX;
        while self.out[end] & 0xc0 == 0x80 && end > self.body {
            end -= 1;
        }
        self.out.truncate(end);
    }
}

/// Whether a parameter can only be the last one.
#[inline]
fn needs_colon(param: &str) -> bool {
    param.is_empty() || param.starts_with(':') || scan::find(param.as_bytes(), b' ').is_some()
}

#[cfg(test)]
mod tests;
