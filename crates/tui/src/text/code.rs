//! Colours for code in messages: strings, numbers, comments and the words that most languages share.
//!
//! A lexer of one line that knows no language in particular: cheap enough for every frame, and never far off.

use super::{Piece, Row};
use crate::theme::Theme;

/// Words that most readers know from some language.
const KEYWORDS: &[&str] = &[
    "abstract",
    "and",
    "as",
    "async",
    "await",
    "begin",
    "bool",
    "boolean",
    "break",
    "case",
    "catch",
    "char",
    "class",
    "const",
    "continue",
    "def",
    "default",
    "defer",
    "del",
    "do",
    "done",
    "double",
    "elif",
    "else",
    "end",
    "enum",
    "esac",
    "except",
    "export",
    "extends",
    "extern",
    "false",
    "False",
    "fi",
    "final",
    "finally",
    "float",
    "fn",
    "for",
    "foreach",
    "from",
    "fun",
    "func",
    "function",
    "go",
    "goto",
    "if",
    "impl",
    "implements",
    "import",
    "in",
    "int",
    "interface",
    "is",
    "lambda",
    "let",
    "long",
    "loop",
    "match",
    "mod",
    "module",
    "mut",
    "namespace",
    "new",
    "nil",
    "None",
    "not",
    "null",
    "or",
    "package",
    "pass",
    "private",
    "protected",
    "pub",
    "public",
    "raise",
    "return",
    "select",
    "self",
    "Self",
    "static",
    "string",
    "struct",
    "super",
    "switch",
    "then",
    "this",
    "throw",
    "trait",
    "true",
    "True",
    "try",
    "type",
    "typedef",
    "union",
    "unsafe",
    "use",
    "using",
    "var",
    "void",
    "where",
    "while",
    "with",
    "yield",
    "SELECT",
    "FROM",
    "WHERE",
    "INSERT",
    "INTO",
    "UPDATE",
    "DELETE",
    "CREATE",
    "TABLE",
    "JOIN",
    "AND",
    "OR",
    "NOT",
];

/// A line of code with its colours.
pub fn line(text: &str, theme: &Theme) -> Row {
    let mut row: Row = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        let (length, style) = if comment(rest, &text[..at]) {
            (rest.len(), theme.comment)
        } else if matches!(first, '"' | '\'') {
            match string(rest, first) {
                Some(length) => (length, theme.literal),
                None => (1, theme.text),
            }
        } else if first.is_ascii_digit() {
            (taken(rest, |c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_')), theme.literal)
        } else if first.is_alphabetic() || first == '_' {
            let length = taken(rest, |c| c.is_alphanumeric() || c == '_');
            let style = if KEYWORDS.contains(&&rest[..length]) { theme.keyword } else { theme.text };
            (length, style)
        } else {
            (first.len_utf8(), theme.text)
        };
        match row.last_mut().filter(|last| last.style == style) {
            Some(last) => last.text.push_str(&rest[..length]),
            None => row.push(Piece::new(&rest[..length], style)),
        }
        at += length;
    }
    row
}

fn comment(rest: &str, before: &str) -> bool {
    let free = before.is_empty() || before.ends_with(char::is_whitespace);
    rest.starts_with("//") && !before.ends_with(':')
        || free && (rest.starts_with("# ") || rest.starts_with("-- ") || rest.starts_with("/*"))
}

/// Bytes of a string with its ends, `\` before what does not end it.
fn string(rest: &str, end: char) -> Option<usize> {
    let mut escaped = false;
    for (at, character) in rest.char_indices().skip(1) {
        if escaped {
            escaped = false;
        } else if character == '\\' {
            escaped = true;
        } else if character == end {
            return Some(at + 1);
        }
    }
    None
}

fn taken(rest: &str, wanted: fn(char) -> bool) -> usize {
    rest.find(|c| !wanted(c)).unwrap_or(rest.len())
}
