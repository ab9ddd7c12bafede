//! A caller at a WebSocket (RFC 6455), as far as the loads need it: lines become messages, messages become lines.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Result, bail, ensure};

/// Bytes of an answer's head, at most.
const HEAD_BYTES_MAX: usize = 4096;
/// How long the server may take for it.
const PATIENCE: Duration = Duration::from_secs(30);

const TEXT: u8 = 0x81;
const PING: u8 = 0x89;

/// What has come of a frame that is not whole.
#[derive(Debug, Default)]
pub struct Frames {
    begun: Vec<u8>,
}

impl Frames {
    /// Asks for a WebSocket and waits for it.
    ///
    /// # Errors
    /// When the server does not give one.
    pub fn upgrade(stream: &mut TcpStream) -> Result<()> {
        stream.set_read_timeout(Some(PATIENCE))?;
        let host = stream.peer_addr()?;
        let asked = format!(
            "GET / HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\
             Sec-WebSocket-Protocol: text.ircv3.net\r\n\r\n"
        );
        stream.write_all(asked.as_bytes())?;
        let (mut head, mut byte) = (Vec::new(), [0]);
        // Byte by byte: what comes behind the head is for the caller.
        while !head.ends_with(b"\r\n\r\n") {
            ensure!(head.len() < HEAD_BYTES_MAX, "the answer does not end");
            ensure!(stream.read(&mut byte)? == 1, "the connection ended");
            head.push(byte[0]);
        }
        ensure!(head.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&head));
        Ok(())
    }

    /// Lines as messages, one each. The mask that callers have to use is zero, so that nothing has to be mixed with it.
    pub fn encode(lines: &[u8]) -> Vec<u8> {
        let mut frames = Vec::with_capacity(lines.len() + 16);
        for line in lines.split_inclusive(|&b| b == b'\n') {
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            frames.push(TEXT);
            match u8::try_from(line.len()) {
                Ok(length @ ..126) => frames.push(0x80 | length),
                _ => {
                    frames.push(0x80 | 126);
                    frames.extend_from_slice(&(line.len() as u16).to_be_bytes());
                }
            }
            frames.extend_from_slice(&[0; 4]);
            frames.extend_from_slice(line);
        }
        frames
    }

    /// Bytes as they came, as lines.
    ///
    /// # Errors
    /// When it is not a message of a server.
    pub fn decode(&mut self, bytes: &[u8]) -> Result<Vec<u8>> {
        self.begun.extend_from_slice(bytes);
        let (mut lines, mut at) = (Vec::with_capacity(self.begun.len()), 0);
        while let Some((opcode, head, length)) = head(&self.begun[at..]) {
            let Some(payload) = self.begun.get(at + head..at + head + length) else { break };
            match opcode {
                TEXT => {
                    lines.extend_from_slice(payload);
                    lines.extend_from_slice(b"\r\n");
                }
                // Within the time of a bench it need not be answered.
                PING => {}
                other => bail!("a frame that begins with {other:#04x}"),
            }
            at += head + length;
        }
        self.begun.drain(..at);
        Ok(lines)
    }
}

/// The first byte of a frame, the length of its head and of what is in it; none while the head is not whole.
fn head(bytes: &[u8]) -> Option<(u8, usize, usize)> {
    match (bytes.first()?, bytes.get(1)?) {
        (first, 126) => {
            let length = u16::from_be_bytes([*bytes.get(2)?, *bytes.get(3)?]);
            Some((*first, 4, length.into()))
        }
        (first, 127) => {
            let length = u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?);
            Some((*first, 10, usize::try_from(length).ok()?))
        }
        (first, length) => Some((*first, 2, (*length).into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_frames_and_frames_lines_however_they_are_cut() {
        let long = "x".repeat(300);
        let frames = Frames::encode(format!("PING a\r\n{long}\r\n").as_bytes());
        assert_eq!(frames[..2], [0x81, 0x86]);
        assert_eq!(frames.len(), 6 + 6 + 8 + 300);
        // A server's frames have no mask.
        let mut served = vec![0x81, 3];
        served.extend_from_slice(b"one");
        served.extend_from_slice(&[0x89, 0, 0x81, 126, 1, 44]);
        served.extend_from_slice(long.as_bytes());
        for cut in 1..served.len() {
            let mut decoder = Frames::default();
            let mut lines = decoder.decode(&served[..cut]).expect("right so far");
            lines.extend(decoder.decode(&served[cut..]).expect("right"));
            assert_eq!(lines, format!("one\r\n{long}\r\n").as_bytes());
        }
        assert!(Frames::default().decode(&[0x88, 0]).is_err());
    }
}
