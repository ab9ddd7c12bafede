//! What comes out of plain streams, however they are cut.

use super::*;
use proptest::prelude::*;

const MAX: u32 = 32;

/// Everything that comes out of a stream that arrives in these pieces, the unfinished end included.
fn read(pieces: &[&[u8]]) -> Vec<Plain> {
    let mut decoder = PlainDecoder::new(MAX);
    let mut all = Vec::new();
    for piece in pieces {
        let mut input = *piece;
        all.extend(std::iter::from_fn(|| decoder.next(&mut input)));
        assert!(input.is_empty(), "all of the input is used up");
        assert!(decoder.tail.capacity() <= 4 * MAX as usize, "memory is bounded");
    }
    all.extend(decoder.flush());
    all
}

fn check(bytes: impl AsRef<[u8]>, expected: &[&str]) {
    let bytes = bytes.as_ref();
    let expected: Vec<_> = expected
        .iter()
        .map(|line| if *line == "TOO LONG" { Plain::TooLong } else { Plain::Line((*line).into()) })
        .collect();
    let shown = bytes.escape_ascii();
    assert_eq!(read(&[bytes]), expected, "{shown}");
    let single: Vec<_> = bytes.chunks(1).collect();
    assert_eq!(read(&single), expected, "{shown}, one byte at a time");
}

#[test]
fn lines() {
    check("", &[]);
    check("ann\nhello\r\n", &["ann", "hello"]);
    check("ann\n\r\n\nhi", &["ann", "", "", "hi"]);
    check("no end", &["no end"]);
    check("a\0nn\0\n\0\0hi\n", &["ann", "hi"]);
    check("ann\r\0", &["ann"]);
    check("one\ttwo\n", &["one two"]);
}

#[test]
fn lines_that_end_with_cr_alone_are_not_glued_together() {
    check("one\rtwo\r\0three\r\nfour\r", &["one", "two", "three", "four"]);
    check("\r\r\n\nhi", &["", "", "", "hi"]);
    check(b"one\r\xff\xf1\ntwo\r", &["one", "two"]);
}

#[test]
fn text_of_all_kinds() {
    check("smörgås 👍\n", &["smörgås 👍"]);
    check(b"sm\xf6rg\xe5s\n", &["smörgås"]);
    check(b"caf\xe9", &["café"]);
    check(b"\x80 5 \x93quoted\x94 \x81\n", &["€ 5 “quoted” \u{fffd}"]);
    check(b"Lou\xffs \xff\n", &["Louÿs ÿ"]);
}

#[test]
fn telnet() {
    check(b"\xff\xfd\x03\xff\xfb\x18ann\r\n", &["ann"]);
    check(b"a\xff\xfa\x18\x00xterm\n\xff\xf0nn\n", &["ann"]);
    check(b"a\xff\xfa\x18\xff\xff\xff\xf0nn\n", &["ann"]);
    check(b"an\xff\xf4n\n\xff\xf1hi\n", &["ann", "hi"]);
    check(b"a\xff\xffb\n", &["aÿb"]);
    // Subnegotiation that never ends does not swallow the stream for ever.
    let mut bytes = b"\xff\xfa".to_vec();
    bytes.extend([b'x'; 251]);
    bytes.extend(b"here\n");
    check(&bytes, &["here"]);
}

#[test]
fn long_lines() {
    let line = |len: usize| "x".repeat(len);
    check(line(32) + "\n", &[&line(32)]);
    check(line(32) + "\r\n", &[&line(32)]);
    check(line(33) + "\nhi\n", &["TOO LONG", "hi"]);
    check(line(33) + "\rhi\r", &["TOO LONG", "hi"]);
    check(line(5000) + "\n" + &line(40) + "\nhi", &["TOO LONG", "TOO LONG", "hi"]);
    check(line(40), &["TOO LONG"]);
}

#[test]
fn a_burst_after_one_that_was_too_long_is_read() {
    let mut decoder = PlainDecoder::new(MAX);
    assert_eq!(decoder.next(&mut &[b'x'; 100][..]), Some(Plain::TooLong));
    assert!(decoder.waiting());
    assert_eq!(decoder.flush(), None);
    assert!(!decoder.waiting());
    assert_eq!(decoder.next(&mut &b"hi"[..]), None);
    assert!(decoder.waiting());
    assert_eq!(decoder.flush(), Some(Plain::Line("hi".into())));
}

#[test]
fn terminals_are_left_alone() {
    let check = |text: &str, expected: &str| {
        let mut out = String::from("> ");
        sanitize(text, &mut out);
        assert_eq!(out.strip_prefix("> "), Some(expected), "{text:?}");
    };
    check("plain", "plain");
    check("\u{1b}[31mred\u{1b}[0m", "red");
    check("\u{1b}[2J\u{1b}[1;1Hgone", "gone");
    check("\u{9b}31mred", "red");
    check("\u{1b}]0;title\u{7}text", "text");
    check("\u{1b}]0;title\u{1b}\\text", "text");
    check("\u{1b}]0;no end", "0;no end");
    check("\u{1b}(Bascii \u{1b}OAup \u{1b}cclear", "ascii up clear");
    check("\u{1b}[", "");
    check("\u{1b}", "");
    check("\u{1b}[31öl", "öl");
    check("bell\u{7} back\u{8}space \u{7f}del", "bell backspace del");
    check("\u{2}bold\u{2} \u{3}4,12red\u{3} \u{3}4,x \u{3},5 \u{4}ff0000hex\u{f}", "bold red ,x ,5 hex");
    check("\u{3}123", "3");
    check("abc\u{202e}cba\u{2066}x\u{2069}", "abccbax");
    check("two\u{2028}lines\u{85}three\u{b}four\rfive", "two lines three four five");
    check("👩\u{200d}🚀 é שלום", "👩\u{200d}🚀 é שלום");
}

proptest! {
    #[test]
    fn any_cutting_gives_the_same(bytes: Vec<u8>, cuts in proptest::collection::vec(0usize..200, 0..8)) {
        let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let pieces: Vec<_> = cuts.windows(2).map(|cut| &bytes[cut[0]..cut[1]]).collect();
        prop_assert_eq!(read(&pieces), read(&[&bytes]));
    }

    #[test]
    fn nothing_that_controls_is_left(text: String, codes in "[\u{0}-\u{20}\u{7f}-\u{a0}\u{2028}-\u{202f}\\[\\]0-9;a-f]{0,40}") {
        for text in [text, codes] {
            let mut out = String::new();
            sanitize(&text, &mut out);
            prop_assert!(!out.contains(|c: char| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c)), "{:?}", out);
            let mut again = String::new();
            sanitize(&out, &mut again);
            prop_assert_eq!(again, out);
        }
    }
}
