//! Bytes of a terminal into inputs: incremental and bounded, whatever arrives, in whatever pieces.
//!
//! Understood: UTF-8; control characters; CSI and SS3 keys of xterm, rxvt, PuTTY, the Linux console, tmux; the newer
//! forms `CSI u` and `CSI 27 ; … ~`; bracketed paste (`CSI 200 ~`); SGR mouse (`CSI < …`); focus (`CSI I`, `CSI O`); the
//! answer to OSC 11. Everything else is passed over.

use super::{Code, Input, Key, Mouse, MouseDeed};

/// The longest escape sequence that is still taken for one, in bytes.
const SEQUENCE_MAX: usize = 64;
/// The longest answer of a terminal (OSC, DCS …), in bytes. More is passed over until its end.
const STRING_MAX: usize = 256;
/// The longest paste in bytes; what is beyond is dropped.
pub const PASTE_MAX: usize = 1 << 20;

const PASTE_END: &[u8] = b"\x1b[201~";
const ESCAPE: u8 = 0x1b;

/// The parser: keep one for each terminal.
#[derive(Debug, Default)]
pub struct Parser {
    /// Bytes that are not yet a whole input. At most [`SEQUENCE_MAX`].
    waiting: Vec<u8>,
    mode: Mode,
}

#[derive(Debug, Default)]
enum Mode {
    #[default]
    Keys,
    /// Inside a bracketed paste: its text, and how much of its end has been seen.
    Paste { text: Vec<u8>, end: usize },
    /// Inside a string that ends with BEL or ESC `\`.
    String { text: Vec<u8>, alt: char },
}

/// What the beginning of the waiting bytes is.
enum Step {
    /// Not decidable yet.
    Wait,
    /// So many bytes are an input, or nothing at all.
    Take(usize, Option<Input>),
    /// So many bytes begin a paste.
    Paste(usize),
    /// So many bytes begin a string, or are a character with Alt if nothing follows.
    String(usize, char),
}

impl Parser {
    /// Takes bytes, adds what they mean to `inputs`.
    pub fn feed(&mut self, bytes: &[u8], inputs: &mut Vec<Input>) {
        for &byte in bytes {
            match &mut self.mode {
                Mode::Keys => {
                    self.waiting.push(byte);
                    self.settle(inputs);
                }
                Mode::Paste { text, end } => {
                    if let Some(paste) = pasted(text, end, byte) {
                        inputs.push(Input::Paste(paste));
                        self.mode = Mode::Keys;
                    }
                }
                Mode::String { .. } => self.in_string(byte, inputs),
            }
        }
    }

    /// Whether an Escape waits for what may follow: without more bytes within some 50 ms, call [`Parser::settle_escape`].
    pub fn escape_waits(&self) -> bool {
        match &self.mode {
            Mode::Keys => self.waiting.first() == Some(&ESCAPE),
            Mode::String { text, .. } => text.is_empty(),
            Mode::Paste { .. } => false,
        }
    }

    /// Nothing came after an Escape: it was the key alone, or a character with Alt.
    pub fn settle_escape(&mut self, inputs: &mut Vec<Input>) {
        if !self.escape_waits() {
            return;
        }
        if let Mode::String { alt, .. } = self.mode {
            self.mode = Mode::Keys;
            inputs.push(Input::Key(Key::alt(alt)));
            return;
        }
        let waiting = std::mem::take(&mut self.waiting);
        match waiting.as_slice() {
            [ESCAPE] => inputs.push(Input::Key(Key::plain(Code::Escape))),
            [ESCAPE, ESCAPE] => inputs.push(Input::Key(Key::plain(Code::Escape).with_alt())),
            [ESCAPE, letter @ (b'[' | b'O')] => inputs.push(Input::Key(Key::alt(char::from(*letter)))),
            // The rest of a sequence that never came.
            _ => {}
        }
    }

    /// Takes all that is decidable from the waiting bytes.
    fn settle(&mut self, inputs: &mut Vec<Input>) {
        while !self.waiting.is_empty() {
            let taken = match step(&self.waiting) {
                Step::Wait if self.waiting.len() < SEQUENCE_MAX => return,
                // Far too long for a key: nothing that we know.
                Step::Wait => self.waiting.len(),
                Step::Take(count, input) => {
                    inputs.extend(input);
                    count
                }
                Step::Paste(count) => {
                    self.mode = Mode::Paste { text: Vec::new(), end: 0 };
                    count
                }
                Step::String(count, alt) => {
                    self.mode = Mode::String { text: Vec::new(), alt };
                    count
                }
            };
            self.waiting.drain(..taken);
            // Bytes come one by one: after a change of mode none is left.
        }
    }

    fn in_string(&mut self, byte: u8, inputs: &mut Vec<Input>) {
        let Mode::String { text, .. } = &mut self.mode else { return };
        let ended = byte == 0x07 || (byte == b'\\' && text.last() == Some(&ESCAPE));
        if ended {
            inputs.extend(background(text));
            self.mode = Mode::Keys;
        } else if text.last() == Some(&ESCAPE) {
            // The string was broken off by another sequence.
            self.mode = Mode::Keys;
            self.feed(&[ESCAPE, byte], inputs);
        } else {
            if text.len() >= STRING_MAX {
                text.clear();
                text.push(b'?');
            }
            text.push(byte);
        }
    }
}

/// One byte of a paste. Gives its text back at the end.
fn pasted(text: &mut Vec<u8>, end: &mut usize, byte: u8) -> Option<String> {
    if byte == PASTE_END[*end] {
        *end += 1;
        return (*end == PASTE_END.len()).then(|| clean(text));
    }
    let mut put = |bytes: &[u8]| {
        let room = PASTE_MAX.saturating_sub(text.len());
        text.extend_from_slice(&bytes[..bytes.len().min(room)]);
    };
    put(&PASTE_END[..*end]);
    // An Escape may begin the end anew; no other byte can.
    if byte == ESCAPE {
        *end = 1;
    } else {
        *end = 0;
        put(&[byte]);
    }
    None
}

fn clean(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes).replace("\r\n", "\n").replace('\r', "\n");
    text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}

/// `11;rgb:RRRR/GGGG/BBBB`, the answer to OSC 11.
fn background(text: &[u8]) -> Option<Input> {
    let text = std::str::from_utf8(text).ok()?;
    let mut parts = text.strip_prefix("11;rgb:")?.split('/').map(|part| {
        let part = part.get(..part.len().min(4)).filter(|part| !part.is_empty())?;
        let value = u32::from_str_radix(part, 16).ok()?;
        let most = (1u32 << (4 * part.len())) - 1;
        u8::try_from(value * 255 / most).ok()
    });
    Some(Input::Background(parts.next()??, parts.next()??, parts.next()??))
}

fn step(bytes: &[u8]) -> Step {
    match bytes[0] {
        ESCAPE => escape(bytes),
        first @ 0x80.. => text(bytes, first),
        control => Step::Take(1, Some(Input::Key(simple(control)))),
    }
}

/// A character of one byte.
fn simple(byte: u8) -> Key {
    match byte {
        b'\r' => Key::plain(Code::Enter),
        b'\t' => Key::plain(Code::Tab),
        0x7f => Key::plain(Code::Backspace),
        0 => Key::ctrl(' '),
        0x01..=0x1a => Key::ctrl(char::from(b'a' + byte - 1)),
        0x1b => Key::plain(Code::Escape),
        0x1c..=0x1f => Key::ctrl(char::from(b'\\' + byte - 0x1c)),
        _ => Key::plain(Code::Char(char::from(byte))),
    }
}

/// A character of several bytes; what is no UTF-8 is passed over.
fn text(bytes: &[u8], first: u8) -> Step {
    let length = match first {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return Step::Take(1, None),
    };
    let have = &bytes[..bytes.len().min(length)];
    match std::str::from_utf8(have) {
        Ok(text) => Step::Take(
            length,
            text.chars()
                .next()
                .filter(|c| !c.is_control())
                .map(|character| Input::Key(Key::plain(Code::Char(character)))),
        ),
        Err(error) if error.error_len().is_none() => Step::Wait,
        Err(_) => Step::Take(1, None),
    }
}

fn escape(bytes: &[u8]) -> Step {
    let Some(&second) = bytes.get(1) else { return Step::Wait };
    match second {
        b'[' => control_sequence(bytes),
        b'O' => match bytes.get(2) {
            None => Step::Wait,
            Some(&last) => Step::Take(3, short(last).map(Input::Key)),
        },
        b']' | b'P' | b'_' | b'^' | b'X' => Step::String(2, char::from(second)),
        // Alt with a key that is a sequence itself, as rxvt and PuTTY send it.
        ESCAPE => match (bytes.get(2), escape_inside(bytes)) {
            (None, _) => Step::Wait,
            (Some(b'[' | b'O'), Some(step)) => step,
            _ => Step::Take(1, Some(Input::Key(Key::plain(Code::Escape)))),
        },
        _ => match step(&bytes[1..]) {
            Step::Take(count, Some(Input::Key(key))) => {
                Step::Take(count + 1, Some(Input::Key(key.with_alt())))
            }
            Step::Take(count, other) => Step::Take(count + 1, other),
            other => other,
        },
    }
}

fn escape_inside(bytes: &[u8]) -> Option<Step> {
    Some(match escape(&bytes[1..]) {
        Step::Take(count, Some(Input::Key(key))) => Step::Take(count + 1, Some(Input::Key(key.with_alt()))),
        Step::Take(count, other) => Step::Take(count + 1, other),
        Step::Wait => Step::Wait,
        Step::Paste(count) => Step::Paste(count + 1),
        Step::String(..) => return None,
    })
}

/// `ESC O x`
fn short(last: u8) -> Option<Key> {
    let ctrl = |code| Key { ctrl: true, ..Key::plain(code) };
    Some(match last {
        b'a' => ctrl(Code::Up),
        b'b' => ctrl(Code::Down),
        b'c' => ctrl(Code::Right),
        b'd' => ctrl(Code::Left),
        b'M' => Key::plain(Code::Enter),
        b'j'..=b'y' => Key::plain(Code::Char(char::from(last - 0x40))),
        _ => Key::plain(lettered(last)?),
    })
}

/// The letter at the end of `CSI … x` and `ESC O x`.
fn lettered(last: u8) -> Option<Code> {
    Some(match last {
        b'A' => Code::Up,
        b'B' => Code::Down,
        b'C' => Code::Right,
        b'D' => Code::Left,
        b'F' => Code::End,
        b'H' => Code::Home,
        b'P'..=b'S' => Code::F(last - b'P' + 1),
        b'Z' => Code::BackTab,
        _ => return None,
    })
}

/// `ESC [ parameters last`
fn control_sequence(bytes: &[u8]) -> Step {
    let rest = &bytes[2..];
    if rest.first() == Some(&b'[') {
        // The Linux console's F1 to F5: `ESC [ [ A`.
        return match rest.get(1) {
            None => Step::Wait,
            Some(letter @ b'A'..=b'E') => {
                Step::Take(4, Some(Input::Key(Key::plain(Code::F(letter - b'A' + 1)))))
            }
            Some(_) => Step::Take(3, None),
        };
    }
    let Some(at) = rest.iter().position(|byte| !(0x20..=0x3f).contains(byte)) else { return Step::Wait };
    let (parameters, last) = (&rest[..at], rest[at]);
    let whole = 2 + at + 1;
    if last == ESCAPE {
        // Broken off: what follows is a sequence of its own.
        return Step::Take(whole - 1, None);
    }
    if last == b'M' && parameters.is_empty() {
        // A mouse of the oldest kind, which we do not ask for: three bytes more.
        return if bytes.len() < whole + 3 { Step::Wait } else { Step::Take(whole + 3, None) };
    }
    if parameters == b"200" && last == b'~' {
        return Step::Paste(whole);
    }
    Step::Take(whole, sequence(parameters, last))
}

fn sequence(parameters: &[u8], last: u8) -> Option<Input> {
    if let Some(mouse) = parameters.strip_prefix(b"<") {
        return clicked(&numbers(mouse), last).map(Input::Mouse);
    }
    if parameters.first().is_some_and(|byte| (b'<'..=b'?').contains(byte)) {
        // Answers about the terminal.
        return None;
    }
    match (parameters, last) {
        (b"", b'I') => return Some(Input::Focus(true)),
        (b"", b'O') => return Some(Input::Focus(false)),
        _ => {}
    }
    let numbers = numbers(parameters);
    let number = |at: usize| numbers.get(at).copied().unwrap_or(0);
    let held = held(number(1));
    let key = match last {
        b'~' if number(0) == 27 => coded(number(2))?,
        b'~' | b'$' | b'^' | b'@' => {
            let key = Key::plain(numbered(number(0))?);
            Key { ctrl: matches!(last, b'^' | b'@'), shift: matches!(last, b'$' | b'@'), ..key }
        }
        b'u' => coded(number(0))?,
        b'a'..=b'd' => Key { shift: true, ..short(last).map(|key| Key::plain(key.code))? },
        _ => Key::plain(lettered(last)?),
    };
    let code = if key.code == Code::Tab && held.shift { Code::BackTab } else { key.code };
    Some(Input::Key(Key { code, ctrl: key.ctrl || held.ctrl, alt: held.alt, shift: key.shift || held.shift }))
}

/// The second parameter of a key: one more than shift 1, alt 2, ctrl 4, super 8 …
fn held(parameter: u32) -> Key {
    let bits = parameter.saturating_sub(1);
    Key { code: Code::Escape, shift: bits & 1 != 0, alt: bits & 2 != 0, ctrl: bits & 4 != 0 }
}

/// A key told by its character's number.
fn coded(number: u32) -> Option<Key> {
    Some(match number {
        13 => Key::plain(Code::Enter),
        9 => Key::plain(Code::Tab),
        27 => Key::plain(Code::Escape),
        8 | 127 => Key::plain(Code::Backspace),
        _ => Key::plain(Code::Char(char::from_u32(number).filter(|c| !c.is_control())?)),
    })
}

/// The number of `CSI number ~`.
fn numbered(number: u32) -> Option<Code> {
    Some(match number {
        1 | 7 => Code::Home,
        2 => Code::Insert,
        3 => Code::Delete,
        4 | 8 => Code::End,
        5 => Code::PageUp,
        6 => Code::PageDown,
        11..=15 => Code::F(number as u8 - 10),
        17..=21 => Code::F(number as u8 - 11),
        23..=26 => Code::F(number as u8 - 12),
        28..=29 => Code::F(number as u8 - 13),
        31..=34 => Code::F(number as u8 - 14),
        _ => return None,
    })
}

fn clicked(numbers: &[u32], last: u8) -> Option<Mouse> {
    let &[button, column, row] = numbers else { return None };
    // 4, 8, 16: shift, alt, ctrl. 32: a move.
    let deed = match button & !0b1_1100 {
        _ if last != b'M' => return None,
        0 => MouseDeed::Left,
        1 => MouseDeed::Middle,
        2 => MouseDeed::Right,
        64 => MouseDeed::WheelUp,
        65 => MouseDeed::WheelDown,
        _ => return None,
    };
    let cell = |number: u32| u16::try_from(number.saturating_sub(1)).unwrap_or(u16::MAX);
    Some(Mouse { deed, column: cell(column), row: cell(row) })
}

/// Parameters, separated by `;`; of parts (`:`) the first counts. At most eight.
fn numbers(parameters: &[u8]) -> Vec<u32> {
    let number = |part: &[u8]| {
        let digits = part.iter().take_while(|byte| byte.is_ascii_digit());
        digits.fold(0u32, |number, digit| number.saturating_mul(10).saturating_add(u32::from(digit - b'0')))
    };
    parameters.split(|byte| *byte == b';').take(8).map(number).collect()
}
