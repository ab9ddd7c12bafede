//! The keys of readline, on texts of every script.

use proptest::prelude::*;

use super::*;

/// A text with `|` for the cursor, keys in words, and what comes out.
fn check(before: &str, keys: &str, after: &str) {
    let mut editor = Editor::default();
    editor.set(&before.replace('|', ""));
    editor.go(before.find('|').unwrap());
    for key in keys.split(' ') {
        assert_ne!(editor.key(named(key)), Handled::No, "{key} means nothing");
    }
    let mut shown = editor.text().to_owned();
    shown.insert(editor.at(), '|');
    assert_eq!(shown, after, "{before} {keys}");
}

fn named(name: &str) -> Key {
    let last = name.chars().last().unwrap();
    match name {
        "backspace" => Key::plain(Code::Backspace),
        "M-backspace" => Key::plain(Code::Backspace).with_alt(),
        "left" => Key::plain(Code::Left),
        "right" => Key::plain(Code::Right),
        "C-left" => Key { ctrl: true, ..Key::plain(Code::Left) },
        "home" => Key::plain(Code::Home),
        "end" => Key::plain(Code::End),
        "up" => Key::plain(Code::Up),
        "down" => Key::plain(Code::Down),
        "delete" => Key::plain(Code::Delete),
        "M-enter" => Key::plain(Code::Enter).with_alt(),
        _ if name.starts_with("C-") => Key::ctrl(last),
        _ if name.starts_with("M-") => Key::alt(last),
        _ => Key::plain(Code::Char(last)),
    }
}

#[test]
fn keys_of_readline() {
    check("one two| three", "C-a", "|one two three");
    check("one| two", "C-e", "one two|");
    check("one two|", "M-b M-b", "|one two");
    check("|one two", "M-f", "one| two");
    check("one two|", "C-left x", "one x|two");
    check("one two-three|", "C-w", "one |");
    check("one two-three|", "M-backspace", "one two-|");
    check("one| two three", "M-d", "one| three");
    check("one| two", "C-k", "one|");
    check("one |two", "C-u", "|two");
    check("one two|", "C-w C-w C-y", "one two|");
    check("a b|", "C-w C-e C-a C-k C-y M-y", "b|");
    check("ab|", "C-t", "ba|");
    check("a|bc", "C-t", "ba|c");
    check("|hELLO you", "M-c", "Hello| you");
    check("|ab", "delete", "|b");
    check("one|", "x y C-_", "one|");
    check("a|", "M-enter b", "a\nb|");
}

#[test]
fn lines_have_a_start_an_end_and_neighbours() {
    check("one\ntwo|\nthree", "C-a", "one\n|two\nthree");
    check("one\nt|wo\nthree", "C-e", "one\ntwo|\nthree");
    check("one\nt|wo\nthree", "up", "o|ne\ntwo\nthree");
    check("漢字\nabc|", "up", "漢字|\nabc");
    check("one\nt|wo\nthree", "C-k C-k", "one\nt|three");
    let mut editor = Editor::default();
    editor.set("one");
    assert_eq!(editor.key(named("up")), Handled::No, "the first line has none above: history");
}

#[test]
fn characters_are_what_people_see() {
    let family = "👩‍👩‍👧";
    check(&format!("a{family}|"), "backspace", "a|");
    check(&format!("a{family}|"), "left x", &format!("ax|{family}"));
    check("e\u{301}|", "backspace", "|");
    check("שלום|", "backspace", "שלו|");
}

#[test]
fn history_is_walked_and_comes_back_to_what_was_typed() {
    let mut history = History::default();
    for text in ["one", "two", "two", " secret", "three"] {
        history.keep(text);
    }
    assert_eq!(history.sent(), ["one", "two", "three"]);
    assert_eq!(history.older("dra"), Some("three"));
    assert_eq!(history.older("three"), Some("two"));
    assert_eq!(history.newer().as_deref(), Some("three"));
    assert_eq!(history.newer().as_deref(), Some("dra"));
    assert_eq!(history.newer(), None);
    assert_eq!(history.find("T", usize::MAX), Some((2, "three")));
    assert_eq!(history.find("t", 2), Some((1, "two")));
}

#[test]
fn a_text_has_a_limit() {
    let mut editor = Editor::default();
    editor.insert(&"é".repeat(TEXT_MAX));
    assert!(editor.text().len() <= TEXT_MAX);
    editor.key(named("x"));
    assert!(editor.text().len() <= TEXT_MAX);
}

fn any_key() -> impl Strategy<Value = Key> {
    let code = prop_oneof![
        prop::sample::select(vec![
            'a', ' ', '漢', '\u{301}', '🙂', '\u{200d}', '👧', '🇩', '🇪', '.', 'ש', '\n'
        ])
        .prop_map(Code::Char),
        prop::sample::select("abcdefhjktuwy_".chars().collect::<Vec<_>>()).prop_map(Code::Char),
        prop::sample::select(vec![
            Code::Left,
            Code::Right,
            Code::Up,
            Code::Down,
            Code::Backspace,
            Code::Delete,
            Code::Home,
            Code::End,
            Code::Enter,
        ]),
    ];
    (code, any::<bool>(), any::<bool>()).prop_map(|(code, ctrl, alt)| Key { code, ctrl, alt, shift: false })
}

proptest! {
    /// Whatever is typed, the cursor is between two characters, and everything can be undone.
    #[test]
    fn the_cursor_is_never_inside_a_character(keys in prop::collection::vec(any_key(), 0..60)) {
        let mut editor = Editor::default();
        for key in keys {
            editor.key(key);
            prop_assert_eq!(motion::floor(editor.text(), editor.at()), editor.at());
        }
    }
}
