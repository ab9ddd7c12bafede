//! Keys as terminals send them, and anything else in any pieces.

use proptest::prelude::*;

use super::parser::{PASTE_MAX, Parser};
use super::*;

fn parse(bytes: &[u8]) -> Vec<Input> {
    let (mut parser, mut inputs) = (Parser::default(), Vec::new());
    parser.feed(bytes, &mut inputs);
    parser.settle_escape(&mut inputs);
    inputs
}

fn keys(bytes: &[u8]) -> Vec<Key> {
    let key = |input| if let Input::Key(key) = input { key } else { panic!("{input:?} is no key") };
    parse(bytes).into_iter().map(key).collect()
}

#[test]
fn keys_of_many_terminals() {
    let held = |code, ctrl, alt, shift| Key { code, ctrl, alt, shift };
    for (bytes, key) in [
        (&b"a"[..], Key::plain(Code::Char('a'))),
        ("é".as_bytes(), Key::plain(Code::Char('é'))),
        ("🙂".as_bytes(), Key::plain(Code::Char('🙂'))),
        (b"\r", Key::plain(Code::Enter)),
        (b"\n", Key::ctrl('j')),
        (b"\t", Key::plain(Code::Tab)),
        (b"\x7f", Key::plain(Code::Backspace)),
        (b"\x08", Key::ctrl('h')),
        (b"\x00", Key::ctrl(' ')),
        (b"\x1f", Key::ctrl('_')),
        (b"\x01", Key::ctrl('a')),
        (b"\x1b", Key::plain(Code::Escape)),
        (b"\x1ba", Key::alt('a')),
        ("\x1bé".as_bytes(), Key::alt('é')),
        (b"\x1b[", Key::alt('[')),
        (b"\x1b]", Key::alt(']')),
        (b"\x1b\r", Key::plain(Code::Enter).with_alt()),
        (b"\x1b\x7f", Key::plain(Code::Backspace).with_alt()),
        (b"\x1b[A", Key::plain(Code::Up)),
        (b"\x1bOA", Key::plain(Code::Up)),
        (b"\x1b[1;3A", held(Code::Up, false, true, false)),
        (b"\x1b\x1b[A", held(Code::Up, false, true, false)),
        (b"\x1b\x1bOB", held(Code::Down, false, true, false)),
        (b"\x1b[1;5C", held(Code::Right, true, false, false)),
        (b"\x1bOd", held(Code::Left, true, false, false)),
        (b"\x1b[5~", Key::plain(Code::PageUp)),
        (b"\x1b[6;3~", held(Code::PageDown, false, true, false)),
        (b"\x1b[1~", Key::plain(Code::Home)),
        (b"\x1b[8~", Key::plain(Code::End)),
        (b"\x1b[3~", Key::plain(Code::Delete)),
        (b"\x1b[3^", held(Code::Delete, true, false, false)),
        (b"\x1bOP", Key::plain(Code::F(1))),
        (b"\x1b[11~", Key::plain(Code::F(1))),
        (b"\x1b[[A", Key::plain(Code::F(1))),
        (b"\x1b[24~", Key::plain(Code::F(12))),
        (b"\x1b[Z", held(Code::BackTab, false, false, false)),
        (b"\x1b[97;5u", Key::ctrl('a')),
        (b"\x1b[27;5;97~", Key::ctrl('a')),
        (b"\x1b[13;3u", Key::plain(Code::Enter).with_alt()),
    ] {
        assert_eq!(keys(bytes), [key], "for {bytes:?}");
    }
}

#[test]
fn what_is_no_key_is_passed_over() {
    for bytes in [
        &b"\x1b[?1;2c"[..],
        b"\x1b[M abc"[..6].as_ref(),
        b"\xff\xfe",
        b"\x1b]10;rgb:0/0/0\x07",
        b"\x1bP1$r0m\x1b\\",
        b"\x1b[<0;1;1m",
        b"\x1b[<35;10;10M",
        b"\x1b[99~",
    ] {
        assert_eq!(parse(bytes), [], "for {bytes:?}");
    }
    assert_eq!(parse(b"\x1b[1;\x1b[A"), [Input::Key(Key::plain(Code::Up))]);
    assert_eq!(parse(b"\x1b]0;abc\x1b[A"), [Input::Key(Key::plain(Code::Up))]);
}

#[test]
fn mouse_focus_and_background() {
    let mouse = |deed, column, row| Input::Mouse(Mouse { deed, column, row });
    assert_eq!(parse(b"\x1b[<0;3;7M"), [mouse(MouseDeed::Left, 2, 6)]);
    assert_eq!(parse(b"\x1b[<64;1;1M"), [mouse(MouseDeed::WheelUp, 0, 0)]);
    assert_eq!(parse(b"\x1b[<69;1;1M"), [mouse(MouseDeed::WheelDown, 0, 0)]);
    assert_eq!(parse(b"\x1b[I\x1b[O"), [Input::Focus(true), Input::Focus(false)]);
    assert_eq!(parse(b"\x1b]11;rgb:ffff/8080/0000\x1b\\"), [Input::Background(255, 128, 0)]);
    assert_eq!(parse(b"\x1b]11;rgb:f/0/f\x07"), [Input::Background(255, 0, 255)]);
}

#[test]
fn a_paste_is_one_input() {
    let text = "\x1b[200~one\r\ntwo\rthree\x07\t\x1b[2x\x1b[201~!";
    let paste = Input::Paste("one\ntwo\nthree\t[2x".to_owned());
    assert_eq!(parse(text.as_bytes()), [paste, Input::Key(Key::plain(Code::Char('!')))]);
    let almost = "\x1b[200~a\x1b[20\x1b[201~";
    assert_eq!(parse(almost.as_bytes()), [Input::Paste("a[20".to_owned())]);
}

#[test]
fn a_paste_has_a_limit() {
    let mut bytes = b"\x1b[200~".to_vec();
    bytes.resize(PASTE_MAX * 2, b'x');
    bytes.extend(b"\x1b[201~y");
    let inputs = parse(&bytes);
    assert!(matches!(&inputs[0], Input::Paste(text) if text.len() == PASTE_MAX));
    assert_eq!(inputs[1..], [Input::Key(Key::plain(Code::Char('y')))]);
}

fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let known = prop::sample::select(vec![
        &b"\x1b"[..],
        b"\x1b[",
        b"\x1b[200~",
        b"\x1b[201~",
        b"\x1b]11;rgb:00/00/00\x07",
        b"\x1b[<0;1;1M",
        b"\x1bO",
        b"~",
        b"5",
        b";",
        "ж漢🙂".as_bytes(),
        b"hello",
    ]);
    let piece = prop_oneof![known.prop_map(<[u8]>::to_vec), prop::collection::vec(any::<u8>(), 0..6)];
    prop::collection::vec(piece, 0..20).prop_map(|pieces| pieces.concat())
}

proptest! {
    /// Wherever the network cuts, the inputs are the same.
    #[test]
    fn cuts_change_nothing(bytes in pieces(), cut in 1usize..9) {
        let whole = parse(&bytes);
        let (mut parser, mut inputs) = (Parser::default(), Vec::new());
        for piece in bytes.chunks(cut) {
            parser.feed(piece, &mut inputs);
        }
        parser.settle_escape(&mut inputs);
        prop_assert_eq!(inputs, whole);
    }

    /// After anything, an end of paste and an Escape, the next letter is a letter: nothing hangs for good.
    #[test]
    fn nothing_is_stuck(bytes in pieces()) {
        let (mut parser, mut inputs) = (Parser::default(), Vec::new());
        parser.feed(&bytes, &mut inputs);
        parser.feed(b"\x1b[201~\x1b\\\x07", &mut inputs);
        parser.settle_escape(&mut inputs);
        inputs.clear();
        parser.feed(b"\x1b[A", &mut inputs);
        prop_assert_eq!(inputs.last(), Some(&Input::Key(Key::plain(Code::Up))));
    }

    /// No control character ever comes out as text.
    #[test]
    fn text_has_no_controls(bytes in pieces()) {
        for input in parse(&bytes) {
            match input {
                Input::Key(Key { code: Code::Char(c), .. }) => prop_assert!(!c.is_control()),
                Input::Paste(text) => prop_assert!(!text.chars().any(|c| c.is_control() && c != '\n' && c != '\t')),
                _ => {}
            }
        }
    }
}
