//! IRC over WebSocket: one line a message, no line ends.
//!
//! Specification: <https://ircv3.net/specs/extensions/websocket>, over RFC 6455. What comes and the end are the crate's, what
//! leaves is framed once for all ([`crate::framed`]); what a line is, is the door's: it gets the bytes that a socket
//! would have brought.

use std::io::{self, Read, Write};

use chinwag_wire::limits::{LINE_BYTES_MAX, TAGS_BYTES_MAX};
use tungstenite::error::CapacityError;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::protocol::{CloseFrame, Role, WebSocketConfig, WebSocketContext};
use tungstenite::{Error, Message, Utf8Bytes};

use crate::framed::frame_all;

/// Bytes of a message that are looked at. What is longer ends the connection; what is longer than a line may be is
/// refused by the door.
pub(crate) const MESSAGE_BYTES_MAX: usize = TAGS_BYTES_MAX + LINE_BYTES_MAX;

/// Bytes that an idle connection keeps for what comes next.
const READ_BYTES: usize = 256;

/// How lines leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Frames {
    /// As text.
    Text,
    /// As bytes.
    Binary,
    /// As the caller's first message came; until then as text.
    AsTheCaller,
}

/// The WebSocket of one connection.
pub(crate) struct WebSocket {
    context: WebSocketContext,
    frames: Frames,
    /// Nothing more comes, or leaves, by it.
    over: bool,
}

/// What the crate takes for a socket: bytes that have come, and a place for those to be sent.
struct Pipe<'a> {
    input: &'a [u8],
    output: &'a mut Vec<u8>,
}

impl Read for Pipe<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.input.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.input.read(buffer)
    }
}

impl Write for Pipe<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.output.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl WebSocket {
    pub(crate) fn new(frames: Frames) -> WebSocket {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BYTES)
            .write_buffer_size(0)
            .max_message_size(Some(MESSAGE_BYTES_MAX))
            .max_frame_size(Some(MESSAGE_BYTES_MAX));
        WebSocket { context: WebSocketContext::new(Role::Server, Some(config)), frames, over: false }
    }

    /// Takes bytes from the network: the lines in them are appended to `lines`, each with a line end, and what has
    /// to be answered at once (pings, the end) to `output`.
    ///
    /// # Errors
    /// `UnexpectedEof` when nothing more will come: the caller closed, or did what the protocol forbids, and was told.
    pub(crate) fn feed(&mut self, input: &[u8], lines: &mut Vec<u8>, output: &mut Vec<u8>) -> io::Result<()> {
        let mut pipe = Pipe { input, output };
        while !self.over {
            match self.context.read(&mut pipe) {
                Ok(Message::Text(text)) => self.line(Frames::Text, text.as_bytes(), lines),
                Ok(Message::Binary(bytes)) => self.line(Frames::Binary, &bytes, lines),
                Ok(Message::Ping(_) | Message::Pong(_) | Message::Close(_) | Message::Frame(_)) => {}
                Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => {
                    self.over = true;
                    let frame = farewell(&error);
                    if frame.is_some() {
                        // It is over either way; the caller is told if it still can be.
                        let _ = self.context.close(&mut pipe, frame);
                    }
                }
            }
        }
        Err(io::ErrorKind::UnexpectedEof.into())
    }

    fn line(&mut self, frames: Frames, mut line: &[u8], lines: &mut Vec<u8>) {
        if self.frames == Frames::AsTheCaller {
            self.frames = frames;
        }
        // A line end does not belong there; people's clients add it all the same.
        while let [rest @ .., b'\r' | b'\n'] = line {
            line = rest;
        }
        let start = lines.len();
        lines.extend_from_slice(line);
        for byte in &mut lines[start..] {
            // More than a line: a CR inside makes the door refuse it as a whole.
            if *byte == b'\n' {
                *byte = b'\r';
            }
        }
        lines.push(b'\n');
    }

    /// Whether messages may still leave.
    pub(crate) fn open(&self) -> bool {
        !self.over && self.context.can_write()
    }

    /// Whether they leave as bytes.
    pub(crate) fn binary(&self) -> bool {
        self.frames == Frames::Binary
    }

    /// Appends whole lines as frames to `output`.
    pub(crate) fn write(&mut self, lines: &[u8], output: &mut Vec<u8>) {
        if self.open() {
            frame_all(lines, self.binary(), output);
        }
    }

    /// Says that nothing more comes, and why.
    pub(crate) fn close(&mut self, reason: Goodbye, output: &mut Vec<u8>) {
        if !self.over && self.context.can_write() {
            let code = match reason {
                Goodbye::Normal => CloseCode::Normal,
                Goodbye::TooSlow => CloseCode::Policy,
            };
            // It is over either way.
            let frame = CloseFrame { code, reason: Utf8Bytes::from_static(reason.words()) };
            let _ = self.context.close(&mut Pipe { input: &[], output }, Some(frame));
        }
    }
}

/// Why a connection ends from our side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Goodbye {
    /// The session is over.
    Normal,
    /// It did not read as fast as it was written to.
    TooSlow,
}

impl Goodbye {
    fn words(self) -> &'static str {
        match self {
            Goodbye::Normal => "",
            Goodbye::TooSlow => "send queue exceeded",
        }
    }
}

/// What a caller is told whose frames cannot be read on (RFC 6455, section 7.4.1).
fn farewell(error: &Error) -> Option<CloseFrame> {
    let (code, reason) = match error {
        Error::Capacity(CapacityError::MessageTooLong { .. }) => (CloseCode::Size, "message too long"),
        Error::Utf8(_) => (CloseCode::Invalid, "text that is not UTF-8"),
        Error::Protocol(_) => (CloseCode::Protocol, "not as RFC 6455 has it"),
        _ => return None,
    };
    Some(CloseFrame { code, reason: Utf8Bytes::from_static(reason) })
}
