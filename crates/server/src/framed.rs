//! Lines as WebSocket messages, framed once for everybody who gets the same lines (RFC 6455, section 5.2: what a server
//! sends is not masked, so a message is the same for all).

/// Pieces that are remembered. More than a session is ever handed at once.
const PIECES: usize = 32;

/// Bytes of the lines of a piece that is remembered. Longer ones are framed for each.
const PIECE_BYTES_MAX: usize = 64 * 1024;

/// Appends a line, without its end, as a message.
pub(crate) fn frame(line: &[u8], binary: bool, output: &mut Vec<u8>) {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if !binary && std::str::from_utf8(line).is_err() {
        // Nothing but UTF-8 may leave as text; nothing else ever comes from the doors.
        return put(String::from_utf8_lossy(line).as_bytes(), binary, output);
    }
    put(line, binary, output);
}

fn put(payload: &[u8], binary: bool, output: &mut Vec<u8>) {
    output.push(if binary { 0x82 } else { 0x81 });
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(short @ ..=125), _) => output.push(short),
        (_, Ok(medium)) => {
            output.push(126);
            output.extend_from_slice(&medium.to_be_bytes());
        }
        _ => {
            output.push(127);
            output.extend_from_slice(&(payload.len() as u64).to_be_bytes());
        }
    }
    output.extend_from_slice(payload);
}

/// Appends whole lines, each as a message.
pub(crate) fn frame_all(lines: &[u8], binary: bool, output: &mut Vec<u8>) {
    for line in lines.split_inclusive(|byte| *byte == b'\n') {
        frame(line, binary, output);
    }
}

/// Pieces that were framed lately.
#[derive(Debug, Default)]
pub(crate) struct Framed {
    pieces: Vec<Piece>,
    /// The calls so far.
    now: u64,
}

#[derive(Debug, Default)]
struct Piece {
    lines: Vec<u8>,
    binary: bool,
    frames: Vec<u8>,
    /// When it was last asked for.
    used: u64,
}

impl Framed {
    /// These parts as frames; `None` when they are not whole lines each, or not worth remembering.
    pub(crate) fn of(&mut self, parts: &[&[u8]], binary: bool) -> Option<Vec<&[u8]>> {
        let fits = |part: &&[u8]| part.ends_with(b"\n") && part.len() <= PIECE_BYTES_MAX;
        if parts.len() > PIECES || !parts.iter().all(fits) {
            return None;
        }
        self.now += 1;
        let found: Vec<usize> = parts.iter().map(|part| self.piece(part, binary)).collect();
        Some(found.into_iter().map(|at| self.pieces[at].frames.as_slice()).collect())
    }

    fn piece(&mut self, lines: &[u8], binary: bool) -> usize {
        let same = |piece: &Piece| piece.binary == binary && piece.lines == lines;
        let at = self.pieces.iter().position(same).unwrap_or_else(|| {
            let at = self.room();
            let piece = &mut self.pieces[at];
            piece.lines.clear();
            piece.lines.extend_from_slice(lines);
            piece.binary = binary;
            piece.frames.clear();
            frame_all(lines, binary, &mut piece.frames);
            at
        });
        self.pieces[at].used = self.now;
        at
    }

    /// The place of the piece that was not asked for longest: never one of this call, since there are more places than
    /// parts.
    fn room(&mut self) -> usize {
        if self.pieces.len() < PIECES {
            self.pieces.push(Piece::default());
            return self.pieces.len() - 1;
        }
        let oldest = self.pieces.iter().enumerate().min_by_key(|(_, piece)| piece.used);
        oldest.map_or(0, |(at, _)| at)
    }

    /// Nothing is remembered any more: the turn is over.
    pub(crate) fn forget(&mut self) {
        self.pieces.clear();
    }
}

/// Where a write ended: what is left of the frame that was begun, and how many frames are whole.
pub(crate) fn cut(frames: &[&[u8]], mut sent: usize) -> (Vec<u8>, usize) {
    let mut whole = 0;
    for part in frames {
        let mut rest = *part;
        while let Some(bytes) = length(rest) {
            if sent == 0 {
                return (Vec::new(), whole);
            }
            whole += 1;
            let (frame, behind) = rest.split_at(bytes.min(rest.len()));
            if sent < frame.len() {
                return (frame[sent..].to_vec(), whole);
            }
            (sent, rest) = (sent - frame.len(), behind);
        }
    }
    (Vec::new(), whole)
}

/// Bytes of the first frame.
fn length(frames: &[u8]) -> Option<usize> {
    Some(match *frames.get(1)? {
        126 => 4 + usize::from(u16::from_be_bytes([*frames.get(2)?, *frames.get(3)?])),
        127 => 10 + usize::try_from(u64::from_be_bytes(frames.get(2..10)?.try_into().ok()?)).ok()?,
        short => 2 + usize::from(short),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_have_the_shortest_length_that_fits() {
        for (bytes, head) in [
            (0, vec![0x81, 0]),
            (125, vec![0x81, 125]),
            (126, vec![0x81, 126, 0, 126]),
            (65_535, vec![0x81, 126, 255, 255]),
            (65_536, vec![0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] {
            let mut line = vec![b'x'; bytes];
            line.extend_from_slice(b"\r\n");
            let mut output = Vec::new();
            frame(&line, false, &mut output);
            assert_eq!(output[..head.len()], head);
            assert_eq!((output.len(), length(&output)), (head.len() + bytes, Some(output.len())));
        }
        let mut output = Vec::new();
        frame(b"\xff\n", true, &mut output);
        frame(b"\xff\n", false, &mut output);
        assert_eq!(output, [&[0x82, 1, 0xff, 0x81, 3][..], "\u{fffd}".as_bytes()].concat());
    }

    #[test]
    fn the_same_place_with_other_lines_is_framed_anew() {
        let mut framed = Framed::default();
        let mut place = b"one\n".to_vec();
        assert_eq!(framed.of(&[&place], false), Some(vec![&b"\x81\x03one"[..]]));
        place.copy_from_slice(b"two\n");
        assert_eq!(framed.of(&[&place, b"one\n"], false), Some(vec![&b"\x81\x03two"[..], b"\x81\x03one"]));
        assert_eq!(framed.of(&[&place], true), Some(vec![&b"\x82\x03two"[..]]));
        assert_eq!(framed.of(&[b"half a", b" line\n"], false), None);
        for n in 0..100 {
            let lines = [format!("a{n}\n"), format!("b{n}\n")];
            let found = framed.of(&[lines[0].as_bytes(), lines[1].as_bytes()], false).expect("whole lines");
            assert_eq!(&found[1][2..], &lines[1].as_bytes()[..lines[1].len() - 1]);
        }
        assert!(framed.pieces.len() <= PIECES);
    }

    #[test]
    fn a_cut_is_found_wherever_it_is() {
        let mut one = Vec::new();
        frame_all(b"a\nbc\n", false, &mut one);
        let mut two = Vec::new();
        frame_all(b"def\n", false, &mut two);
        let all = [one.as_slice(), &two].concat();
        let ends = [0, 3, 7, 12];
        for sent in 0..=all.len() {
            let (rest, whole) = cut(&[&one, &two], sent);
            let end = ends[whole];
            assert_eq!(all[sent..end], rest, "{sent}");
            assert!(whole == 0 || ends[whole - 1] < sent, "{sent}: no frame counts before it is begun");
        }
    }
}
