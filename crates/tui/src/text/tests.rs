//! What is shown of what was written.

use proptest::prelude::*;
use ratatui::style::{Modifier, Style};

use super::markup::{Block, blocks, inline, mark, plain};
use super::*;
use crate::theme::{Palette, Theme};

fn theme() -> Theme {
    Theme::new(Palette::Dark)
}

/// A row with its modifiers spelled: `b(bold)i(italic)`.
fn spelled(text: &str) -> String {
    let theme = theme();
    let spell = |piece: &Piece| {
        let text = &piece.text;
        let has = |modifier| piece.style.add_modifier.contains(modifier);
        if piece.link.is_some() {
            format!("l({text})")
        } else if piece.style.fg == theme.code.fg && theme.code.fg.is_some() {
            format!("c({text})")
        } else if has(Modifier::BOLD | Modifier::ITALIC) {
            format!("bi({text})")
        } else if has(Modifier::BOLD) {
            format!("b({text})")
        } else if has(Modifier::ITALIC) {
            format!("i({text})")
        } else if has(Modifier::CROSSED_OUT) {
            format!("s({text})")
        } else {
            text.clone()
        }
    };
    inline(text, Style::new(), &theme).iter().map(spell).collect()
}

#[test]
fn marks() {
    for (text, shown) in [
        ("plain", "plain"),
        ("**bold** and *it*", "b(bold) and i(it)"),
        ("_it_ ~~gone~~", "i(it) s(gone)"),
        ("**bold *both* bold**", "b(bold )bi(both)b( bold)"),
        ("snake_case_name and 2*3*4", "snake_case_name and 2*3*4"),
        ("__init__ ** ~~ * a *", "__init__ ** ~~ * a *"),
        ("`let x = *p;` ok", "c(let x = *p;) ok"),
        ("a `b", "a `b"),
        ("see https://example.org/a_b_(c)?d=*e, yes", "see l(https://example.org/a_b_(c)?d=*e), yes"),
        ("javascript://x http://[", "javascript://x http://["),
        ("\x02bold\x0f \x1dit\x1d \x0304,05red\x03 plain", "b(bold) i(it) red plain"),
        ("a\u{202e}b\x1b[31mc\u{7}", "ab[31mc"),
        ("*", "*"),
        ("***", "***"),
        ("😀*x*😀", "😀i(x)😀"),
    ] {
        assert_eq!(spelled(text), shown, "for {text:?}");
    }
}

#[test]
fn code_quotes_and_text_are_told_apart() {
    let kinds = |text: &str| -> Vec<(char, String)> {
        let told = |block| match block {
            Block::Text(row) => ('t', row),
            Block::Quote(row) => ('q', row),
            Block::Code(row) => ('c', row),
        };
        let joined = |(kind, row): (char, Row)| (kind, row.into_iter().map(|piece| piece.text).collect());
        blocks(text, Style::new(), &theme()).into_iter().map(told).map(joined).collect()
    };
    let all = kinds("see\n```rust\nlet a = \"*b*\"; // c\n```\n> said\nend");
    let wanted = [('t', "see"), ('c', "let a = \"*b*\"; // c"), ('q', "said"), ('t', "end")];
    assert_eq!(all, wanted.map(|(kind, text)| (kind, text.to_owned())));
    assert_eq!(kinds("```one```"), [('c', "one".to_owned())]);
    assert_eq!(kinds(""), [('t', String::new())]);
}

#[test]
fn code_has_colours() {
    let theme = theme();
    let row = code::line("if x == 42 { say(\"a // b\") } // why", &theme);
    let style = |text: &str| row.iter().find(|piece| piece.text == text).map(|piece| piece.style);
    assert_eq!(style("if"), Some(theme.keyword));
    assert_eq!(style("42"), Some(theme.literal));
    assert_eq!(style("\"a // b\""), Some(theme.literal));
    assert_eq!(style("// why"), Some(theme.comment));
}

#[test]
fn names_are_marked_as_words() {
    let found = |text: &str, needle: &str, whole: bool| -> Vec<String> {
        let style = Style::new().add_modifier(Modifier::BOLD);
        let row = mark(vec![Piece::new(text, Style::new())], needle, style, whole);
        row.into_iter().filter(|piece| piece.style == style).map(|piece| piece.text).collect()
    };
    assert_eq!(found("Ann: annual ann! _ann", "ann", true), ["Ann", "ann"]);
    assert_eq!(found("Ann: annual", "ann", false), ["Ann", "ann"]);
    assert_eq!(found("GRÜSSE grüße", "grü", false), ["GRÜ", "grü"]);
    assert_eq!(found("x", "", false), Vec::<String>::new());
}

fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let rows = wrap::words(&[Piece::new(text, Style::new())], columns);
    rows.iter().map(|row| row.iter().map(|piece| piece.text.as_str()).collect()).collect()
}

#[test]
fn rows_end_at_words() {
    assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
    assert_eq!(wrapped("one two  three", 8), ["one two", "three"]);
    assert_eq!(wrapped("abcdefgh ij", 3), ["abc", "def", "gh", "ij"]);
    assert_eq!(wrapped("漢字漢字", 5), ["漢字", "漢字"]);
    assert_eq!(wrapped("say 漢字漢字", 8), ["say 漢字", "漢字"]);
    assert_eq!(wrapped("👩‍👩‍👧👩‍👩‍👧", 3), ["👩‍👩‍👧", "👩‍👩‍👧"]);
    assert_eq!(wrapped("漢", 1), ["漢"]);
    assert_eq!(wrapped("", 5), [""]);
    assert_eq!(wrapped("  indented text", 10), ["  indented", "text"]);
}

#[test]
fn what_does_not_fit_says_so() {
    assert_eq!(fit("hello", 5), "hello");
    assert_eq!(fit("hello!", 5), "hell…");
    assert_eq!(fit("漢字漢", 4), "漢…");
    assert_eq!(fit("x", 0), "");
    assert_eq!(fill("漢字漢", 4), "漢… ");
    assert_eq!(fill_left("ab", 4), "  ab");
    assert_eq!(clean("a\nb\x1b[2J\u{202e}c"), "a b[2Jc");
}

proptest! {
    /// No row is wider than asked for, and no letter is lost.
    #[test]
    fn rows_fit(text in "[a-zé漢ש🙂 .*_`~-]{0,80}", columns in 2usize..20) {
        let rows = wrapped(&text, columns);
        for row in &rows {
            prop_assert!(row.width() <= columns, "{:?}", row);
        }
        let letters = |text: &str| text.chars().filter(|c| *c != ' ').collect::<String>();
        prop_assert_eq!(letters(&rows.concat()), letters(&text));
    }

    /// Nothing that is written can send a control character to the screen, or end the program.
    #[test]
    fn nothing_controls_the_screen(text in "\\PC{0,20}[\\x00-\\x1f*_`~>]{0,9}\\PC{0,9}[\u{202e}\u{9b}\x03,0-9*`]{0,9}") {
        let shown: String = blocks(&text, Style::new(), &theme())
            .into_iter()
            .flat_map(|block| match block { Block::Text(row) | Block::Quote(row) | Block::Code(row) => row })
            .map(|piece| piece.text)
            .collect();
        prop_assert!(shown.chars().all(shows), "{:?}", shown);
        prop_assert!(plain(&text).chars().all(shows));
    }
}
