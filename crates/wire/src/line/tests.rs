//! What comes out of streams of lines, however they are cut.

use super::*;
use proptest::prelude::*;

#[derive(Clone, Debug, PartialEq)]
enum Out {
    Line(Vec<u8>),
    TooLong(Part),
    Rest(Vec<u8>),
}

/// Everything that comes out of a stream that arrives in these pieces.
fn read<'p>(mut decoder: LineDecoder, pieces: impl IntoIterator<Item = &'p [u8]>) -> Vec<Out> {
    let bound = usize::from(decoder.tags_max) + decoder.body_max as usize + 2;
    let mut all = Vec::new();
    for piece in pieces {
        let mut input = piece;
        while let Some(decoded) = decoder.next(&mut input) {
            all.push(match decoded {
                Decoded::Line(line) => Out::Line(line.to_vec()),
                Decoded::TooLong(part) => Out::TooLong(part),
            });
        }
        assert!(input.is_empty(), "all of the input is used up");
        assert!(decoder.kept() < bound, "memory is bounded");
    }
    all.extend(decoder.finish().map(Out::Rest));
    all
}

fn line(text: impl AsRef<[u8]>) -> Out {
    Out::Line(text.as_ref().to_vec())
}

fn check(new: fn() -> LineDecoder, bytes: impl AsRef<[u8]>, expected: &[Out]) {
    let bytes = bytes.as_ref();
    let shown = bytes[..bytes.len().min(60)].escape_ascii();
    assert_eq!(read(new(), [bytes]), expected, "{shown}");
    assert_eq!(read(new(), bytes.chunks(1)), expected, "{shown}, one byte at a time");
}

#[test]
fn lines_end() {
    let check = |bytes: &str, expected: &[Out]| check(LineDecoder::irc, bytes, expected);
    check("", &[]);
    check("a\r\nb\n", &[line("a"), line("b")]);
    check("\n\r\n\r\r\na\n\n", &[line("a")]);
    check("a\r\r\n", &[line("a")]);
    check("a\rb\n", &[line("a\rb")]);
    check("a\nb", &[line("a"), Out::Rest(b"b".to_vec())]);
    check("a\nb\r", &[line("a"), Out::Rest(b"b".to_vec())]);
    check("a\n\r", &[line("a")]);
}

#[test]
fn empty_lines_count_where_they_mean_something() {
    check(|| LineDecoder::plain(9), "\n\r\na\n\n", &[line(""), line(""), line("a"), line("")]);
}

#[test]
fn limits_of_irc() {
    let x = |len: usize| "x".repeat(len);
    let tags = |len: usize| format!("@{} ", x(len - 2));
    let check = |bytes: String, expected: &[Out]| check(LineDecoder::irc, bytes, expected);
    for end in ["\n", "\r\n"] {
        check(x(510) + end, &[line(x(510))]);
        check(x(511) + end + "a\n", &[Out::TooLong(Part::Body), line("a")]);
        check(tags(4096) + &x(510) + end, &[line(tags(4096) + &x(510))]);
        check(tags(4096) + &x(511) + end + "a\n", &[Out::TooLong(Part::Body), line("a")]);
        check(tags(4097) + "PING x" + end + "a\n", &[Out::TooLong(Part::Tags), line("a")]);
        check(tags(3) + &x(511) + end, &[Out::TooLong(Part::Body)]);
    }
    check(
        x(15_000) + "\n" + &x(15_000) + "\na\n",
        &[Out::TooLong(Part::Body), Out::TooLong(Part::Body), line("a")],
    );
    check("@".to_string() + &x(10_000) + "\na\n", &[Out::TooLong(Part::Tags), line("a")]);
    check(x(16_383) + "\na\n", &[Out::TooLong(Part::Body), line("a")]);
    // CRs are not a way around the limits.
    check(x(510) + "\r\r\n", &[Out::TooLong(Part::Body)]);
    check("\r".repeat(9000) + "\na\n", &[Out::TooLong(Part::Body), line("a")]);
}

#[test]
fn lines_that_arrive_whole_are_not_copied() {
    let mut decoder = LineDecoder::irc();
    let bytes = b"PING 1\r\nPING 2\r\nPING 3".to_vec();
    let mut input = &bytes[..];
    for at in [0, 8] {
        let Some(Decoded::Line(line)) = decoder.next(&mut input) else { panic!("a line") };
        assert_eq!(line.as_ptr(), bytes[at..].as_ptr());
    }
    assert_eq!(decoder.next(&mut input), None);
    assert_eq!(decoder.kept(), 6);
    assert_eq!(decoder.next(&mut &b"4\n"[..]), Some(Decoded::Line(b"PING 34")));
    assert_eq!(decoder.next(&mut &b""[..]), None);
    assert_eq!((decoder.kept(), decoder.tail.capacity()), (0, 0));
}

#[test]
fn an_idle_decoder_is_small() {
    assert!(size_of::<LineDecoder>() <= 40);
}

fn part_of(decoded: Decoded<'_>) -> Part {
    match decoded {
        Decoded::TooLong(part) => part,
        Decoded::Line(line) => panic!("{}", line.escape_ascii()),
    }
}

#[test]
fn a_line_without_an_end_is_told_from_one_that_is_too_long() {
    let bytes = format!("{}\na\n", "x".repeat(ENDLESS_BYTES as usize));
    for (size, expected) in [
        (bytes.len(), &[Out::TooLong(Part::Endless), line("a")][..]),
        (10_000, &[Out::TooLong(Part::Body), Out::TooLong(Part::Endless), line("a")]),
        (500, &[Out::TooLong(Part::Body), Out::TooLong(Part::Endless), line("a")]),
    ] {
        assert_eq!(read(LineDecoder::irc(), bytes.as_bytes().chunks(size)), expected, "in pieces of {size}");
    }
    let plain = read(LineDecoder::plain(9), [bytes.as_bytes()]);
    assert_eq!(plain, [Out::TooLong(Part::Body), line("a")], "only where lines have tags");
}

#[test]
fn ten_megabytes_without_an_end_cost_nothing() {
    let mut decoder = LineDecoder::irc();
    let piece = [b'x'; 10_000];
    let reports: Vec<_> = (0..1000).filter_map(|_| decoder.next(&mut &piece[..]).map(part_of)).collect();
    assert_eq!(reports, [Part::Body, Part::Endless]);
    assert_eq!(decoder.tail.capacity(), 0);
    assert_eq!(decoder.next(&mut &b"\n"[..]), None);
    assert_eq!(decoder.next(&mut &b"a\n"[..]), Some(Decoded::Line(b"a")));
}

proptest! {
    #[test]
    fn any_cutting_gives_the_same(
        bytes in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), Just(b'@'), Just(b' '), any::<u8>()], 0..120),
        cuts in proptest::collection::vec(0usize..120, 0..8),
        tags_max in 0u16..12,
        body_max in 1u32..20,
        empty: bool,
    ) {
        let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let new = || LineDecoder::new(body_max, tags_max, empty);
        let pieces = cuts.windows(2).map(|cut| &bytes[cut[0]..cut[1]]);
        prop_assert_eq!(read(new(), pieces), read(new(), [&bytes[..]]));
    }
}

#[test]
fn a_line_that_registers_holds_the_longest_password() {
    let of = |start: &str, len: usize| format!("{start}{}", "x".repeat(len - start.len()));
    for start in ["REGISTER * * ", "register * * :", "NS REGISTER ", "PRIVMSG NickServ :REGISTER "] {
        check(LineDecoder::irc, format!("{}\r\n", of(start, 1022)), &[line(of(start, 1022))]);
        check(LineDecoder::irc, format!("{}\nA\n", of(start, 1023)), &[Out::TooLong(Part::Body), line("A")]);
        let tagged = format!("@label=1 {}", of(start, 1022));
        check(LineDecoder::irc, format!("{tagged}\n"), &[line(&tagged)]);
    }
    for start in ["REGISTERED ", "PRIVMSG bob :REGISTER ", "NS INFO "] {
        check(LineDecoder::irc, format!("{}\nA\n", of(start, 511)), &[Out::TooLong(Part::Body), line("A")]);
    }
}
