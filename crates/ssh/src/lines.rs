//! Lines: the plain door, by ssh. For programs and for callers without a terminal (`ssh -T`); a terminal gets an echo
//! and a line that can be corrected.

use chinwag_core::session::Door;
use russh::ChannelMsg;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::channel::{Ends, Visit, open};

/// Bytes that are taken from the session at once.
const BUFFER_BYTES: usize = 16 * 1024;

/// Bytes of a line that is typed.
const TYPED_BYTES_MAX: usize = 4096;

/// Hands lines back and forth until one side ends.
pub(crate) async fn run(ends: Ends, visit: Visit, terminal: bool) -> u32 {
    let Ends { mut read, write } = ends;
    let first = format!("{}\n", visit.nick).into_bytes();
    let pipe = open(&visit.house, visit.from, (Door::Plain, first), visit.shown).await;
    let Ok(pipe) = pipe else { return 1 };
    let (mut from, mut to) = pipe.into_split();
    let output = async {
        let mut buffer = vec![0; BUFFER_BYTES];
        while let Ok(count @ 1..) = from.read(&mut buffer).await {
            let said = if terminal { with_returns(&buffer[..count]) } else { buffer[..count].to_vec() };
            if write.data_bytes(said).await.is_err() {
                return;
            }
        }
    };
    let input = async {
        let mut typing = Typing::default();
        while let Some(message) = read.wait().await {
            let done = match message {
                ChannelMsg::Data { data } if terminal => {
                    let typed = typing.take(&data);
                    if write.data_bytes(typed.echo).await.is_err() {
                        return;
                    }
                    let sent = to.write_all(&typed.lines).await;
                    if typed.over { to.shutdown().await } else { sent }
                }
                ChannelMsg::Data { data } => to.write_all(&data).await,
                // The rest of what the session says is still to come.
                ChannelMsg::Eof => to.shutdown().await,
                ChannelMsg::Close => return,
                _ => Ok(()),
            };
            if done.is_err() {
                // The session has ended; its last words are on their way.
                while read.wait().await.is_some() {}
            }
        }
    };
    tokio::select! {
        () = output => 0,
        () = input => 0,
    }
}

/// A terminal that nobody else looks after wants to be told to go back to the beginning of the line.
fn with_returns(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + 16);
    for byte in bytes {
        if *byte == b'\n' {
            out.push(b'\r');
        }
        out.push(*byte);
    }
    out
}

/// The line that somebody types.
#[derive(Default)]
struct Typing(Vec<u8>);

/// What came of some keys.
#[derive(Default)]
struct Typed {
    /// For their screen.
    echo: Vec<u8>,
    /// Whole lines, for the session.
    lines: Vec<u8>,
    /// They want to go.
    over: bool,
}

impl Typing {
    fn take(&mut self, keys: &[u8]) -> Typed {
        let mut typed = Typed::default();
        for key in keys {
            match key {
                b'\r' | b'\n' => {
                    typed.lines.append(&mut self.0);
                    typed.lines.push(b'\n');
                    typed.echo.extend_from_slice(b"\r\n");
                }
                // Ctrl-C, and Ctrl-D at the beginning of a line.
                3 => typed.over = true,
                4 if self.0.is_empty() => typed.over = true,
                8 | 127 => {
                    if let Some(at) = self.0.iter().rposition(|byte| byte & 0xc0 != 0x80) {
                        self.0.truncate(at);
                        typed.echo.extend_from_slice(b"\x08 \x08");
                    }
                }
                // Ctrl-U.
                21 => {
                    let signs = self.0.iter().filter(|byte| *byte & 0xc0 != 0x80).count();
                    typed.echo.extend(b"\x08 \x08".repeat(signs));
                    self.0.clear();
                }
                0..32 => {}
                key if self.0.len() < TYPED_BYTES_MAX => {
                    self.0.push(*key);
                    typed.echo.push(*key);
                }
                _ => {}
            }
        }
        typed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_can_be_corrected() {
        let mut typing = Typing::default();
        let typed = typing.take("hé\u{7f}i\r".as_bytes());
        assert_eq!((&typed.lines[..], typed.over), (&b"hi\n"[..], false));
        assert_eq!(typed.echo, "hé\u{8} \u{8}i\r\n".as_bytes());
        assert!(typing.take(b"some\x15").lines.is_empty());
        assert!(typing.take(b"\x04").over && typing.take(b"\x03").over);
        assert_eq!(with_returns(b"a\nb"), b"a\r\nb");
    }
}
