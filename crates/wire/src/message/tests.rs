//! Messages that are read, messages that are written, and that both agree.

use super::*;
use proptest::prelude::*;

#[test]
fn lines_are_read() {
    let check = |line: &str, tags: &str, source: Option<&str>, command: &str, params: &[&str]| {
        let message = Message::parse(line.as_bytes()).unwrap();
        assert_eq!(message.tags.raw(), tags, "{line:?}");
        assert_eq!(message.source, source, "{line:?}");
        assert_eq!(message.command, command, "{line:?}");
        assert_eq!(&*message.params, params, "{line:?}");
    };
    check("PING", "", None, "PING", &[]);
    check("ping x", "", None, "ping", &["x"]);
    check("PRIVMSG #tea :hello there", "", None, "PRIVMSG", &["#tea", "hello there"]);
    check("PRIVMSG #tea hello", "", None, "PRIVMSG", &["#tea", "hello"]);
    check(":ann!a@b PRIVMSG #tea ::)", "", Some("ann!a@b"), "PRIVMSG", &["#tea", ":)"]);
    check("@a=b;c :ann PRIVMSG #tea :", "a=b;c", Some("ann"), "PRIVMSG", &["#tea", ""]);
    check("  @a   :ann   CMD   a   b  :c  d ", "a", Some("ann"), "CMD", &["a", "b", "c  d "]);
    check("CMD a ", "", None, "CMD", &["a"]);
    check("CMD  ", "", None, "CMD", &[]);
    check("CMD :", "", None, "CMD", &[""]);
    check("CMD a:b c", "", None, "CMD", &["a:b", "c"]);
    check("CMD ä :ö ü", "", None, "CMD", &["ä", "ö ü"]);
    check("@ : CMD", "", Some(""), "CMD", &[]);
    check("CMD\ta b", "", None, "CMD\ta", &["b"]);
    let many = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15 16 :17"];
    check(&format!("CMD {}", many.join(" ")), "", None, "CMD", &many);
    check(&format!("CMD {} :15 16 :17", many[..14].join(" ")), "", None, "CMD", &many);
}

#[test]
fn what_is_no_message() {
    let check = |line: &[u8], expected: ParseError| {
        assert_eq!(Message::parse(line), Err(expected), "{}", line.escape_ascii());
    };
    check(b"", ParseError::NoCommand);
    check(b"   ", ParseError::NoCommand);
    check(b"@a", ParseError::NoCommand);
    check(b"@a :b", ParseError::NoCommand);
    check(b":b  ", ParseError::NoCommand);
    // Found by fuzzing: tags of no characters, and something that would be read as tags without them.
    check(b"@  @``", ParseError::NoCommand);
    check(b":a :b CMD", ParseError::NoCommand);
    check(b"PRIVMSG #tea :caf\xe9", ParseError::Utf8);
    check(b"PRIVMSG #tea :a\0b", ParseError::Forbidden(0));
    check(b"PRIVMSG #tea :a\rb", ParseError::Forbidden(b'\r'));
    check(b"PRIVMSG #tea :a\nQUIT", ParseError::Forbidden(b'\n'));
}

/// What a writer appends.
fn written(write: impl FnOnce(&mut MessageWriter<'_>)) -> String {
    let mut out = b"before\r\n".to_vec();
    let mut writer = MessageWriter::new(&mut out);
    write(&mut writer);
    writer.end();
    String::from_utf8(out).unwrap().strip_prefix("before\r\n").unwrap().to_string()
}

#[test]
fn lines_are_written() {
    assert_eq!(written(|w| _ = w.command("PING").param("x")), "PING x\r\n");
    assert_eq!(
        written(|w| {
            w.tag_plain("time", b"2026-11-21T02:10:00.000Z")
                .tag("label", "a b")
                .tag("bot", "")
                .raw_tags("+c=d;+e");
            w.raw_tags("")
                .source_user("ann", "~ann", "host")
                .command("PRIVMSG")
                .param("#tea")
                .trailing("hello");
        }),
        "@time=2026-11-21T02:10:00.000Z;label=a\\sb;bot;+c=d;+e :ann!~ann@host PRIVMSG #tea :hello\r\n"
    );
    assert_eq!(
        written(|w| {
            w.source("srv").numeric(Numeric::RPL_WELCOME, "ann").trailing("Welcome");
        }),
        ":srv 001 ann :Welcome\r\n"
    );
    assert_eq!(written(|w| _ = w.tag("a", "").command("B")), "@a B\r\n");
    assert_eq!(written(|w| _ = w.command("B").params(["a", "b c"])), "B a :b c\r\n");
    assert_eq!(written(|w| _ = w.command("B").params(["a", "b"])), "B a b\r\n");
    assert_eq!(written(|w| _ = w.command("B").params(["", ""])), "B _ :\r\n");
    assert_eq!(written(|w| _ = w.command("B").param(":a b").param("c")), "B _:a_b c\r\n");
}

#[test]
fn long_lines_are_cut_between_characters() {
    let write = |tags: &str, text: &str| {
        let mut out = Vec::new();
        let cut = MessageWriter::new(&mut out).raw_tags(tags).command("SAY").trailing(text).end();
        let body = out.len() - tags.len() - if tags.is_empty() { 0 } else { 2 };
        assert!(str::from_utf8(&out).is_ok() && out.ends_with(b"\r\n"));
        (cut, body)
    };
    assert_eq!(write("", &"x".repeat(505)), (0, 512));
    assert_eq!(write("", &"x".repeat(506)), (1, 512));
    assert_eq!(write(&"t".repeat(4000), &"x".repeat(505)), (0, 512));
    assert_eq!(write("t", &"ä".repeat(253)), (2, 511));
    assert_eq!(write("t", &"😀".repeat(127)), (4, 511));
}

fn word() -> impl Strategy<Value = String> {
    "[^\0\r\n :@][^\0\r\n ]{0,12}"
}

prop_compose! {
    fn message()(
        tags in proptest::collection::vec(("[+]?[a-z./-]{1,9}", proptest::option::of(any::<String>())), 0..4),
        source in proptest::option::of(word()),
        command in word(),
        params in proptest::collection::vec(word(), 0..PARAMS_MAX),
        last in proptest::option::of("[^\0\r\n]{0,40}"),
    ) -> (Vec<u8>, Option<String>, String, Vec<String>) {
        let mut raw = Vec::new();
        for (key, value) in tags {
            raw.extend_from_slice(if raw.is_empty() { b"" } else { b";" });
            raw.extend_from_slice(key.as_bytes());
            if let Some(value) = value {
                raw.push(b'=');
                crate::tags::escape(&value.replace('\0', ""), &mut raw);
            }
        }
        (raw, source, command, params.into_iter().chain(last).collect())
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read((tags, source, command, params) in message()) {
        let params: Vec<_> = params.iter().map(String::as_str).collect();
        let message = Message {
            tags: Tags::new(str::from_utf8(&tags).unwrap()),
            source: source.as_deref(),
            command: &command,
            params: Params::from_slice(&params),
        };
        let mut out = Vec::new();
        message.write(&mut out);
        let line = out.strip_suffix(b"\r\n").unwrap();
        let body = line.len() - if tags.is_empty() { 0 } else { tags.len() + 2 };
        prop_assume!(body < BODY_BYTES_MAX);
        prop_assert_eq!(Message::parse(line).unwrap(), message);
    }

    #[test]
    fn what_is_read_is_written_and_read_the_same(line in "(@[^\0\r\n ]{0,20} +)?(:[^\0\r\n ]{0,9} +)?[A-Za-z0-9]{1,9}( [^\0\r\n]{0,60})?") {
        let message = Message::parse_str(&line).unwrap();
        // A source of no characters can be read, and is never written.
        prop_assume!(message.source != Some(""));
        let mut out = Vec::new();
        message.write(&mut out);
        prop_assert_eq!(Message::parse(out.strip_suffix(b"\r\n").unwrap()).unwrap(), message);
    }

    #[test]
    fn any_parameters_stay_in_their_places(params in proptest::collection::vec("[^\0\r\n]{0,9}", 0..=PARAMS_MAX)) {
        let line = written(|w| {
            w.command("CMD").params(params.iter().map(String::as_str));
        });
        let read = Message::parse_str(line.trim_end_matches(['\r', '\n'])).unwrap();
        prop_assert_eq!(read.params.len(), params.len());
        prop_assert_eq!(read.params.last().copied(), params.last().map(String::as_str));
    }

    #[test]
    fn reading_never_panics(line: Vec<u8>) {
        let _ = Message::parse(&line);
    }
}
