//! What is sent and expected in a conversation: escapes, repetitions, wildcards and remembered names.

use std::collections::BTreeMap;

/// Texts remembered by `{name}`.
pub type Names = BTreeMap<String, String>;

/// A piece of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(Vec<u8>),
    Any,
    Name(String),
}

/// The bytes that a text to be sent stands for.
///
/// # Errors
/// A sentence, when a name is not known yet or an escape is none.
pub(super) fn bytes(text: &str, names: &Names) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    for piece in pieces(text)? {
        match piece {
            Piece::Text(text) => out.extend_from_slice(&text),
            Piece::Any => out.push(b'*'),
            Piece::Name(name) => {
                let known =
                    names.get(&name).ok_or_else(|| format!("nothing was remembered as {{{name}}}"))?;
                out.extend_from_slice(known.as_bytes());
            }
        }
    }
    Ok(out)
}

/// Whether a line is as expected; remembers what its new names stand for.
///
/// # Errors
/// A sentence, when an escape is none.
pub(super) fn matches(pattern: &str, line: &[u8], names: &mut Names) -> Result<bool, String> {
    let pieces = pieces(pattern)?;
    let mut found = names.clone();
    let matched = walk(&pieces, line, &mut found);
    if matched {
        *names = found;
    }
    Ok(matched)
}

fn walk(pieces: &[Piece], line: &[u8], names: &mut Names) -> bool {
    let Some((first, rest)) = pieces.split_first() else { return line.is_empty() };
    match first {
        Piece::Text(text) => line.strip_prefix(text.as_slice()).is_some_and(|line| walk(rest, line, names)),
        Piece::Any => (0..=line.len()).any(|end| walk(rest, &line[end..], names)),
        Piece::Name(name) => {
            if let Some(known) = names.get(name).cloned() {
                return line.strip_prefix(known.as_bytes()).is_some_and(|line| walk(rest, line, names));
            }
            let end = line.iter().position(|byte| matches!(byte, b' ' | b';')).unwrap_or(line.len());
            // The longest first: `{id}` before a literal letter takes as much as it can.
            (1..=end).rev().any(|end| {
                let mut tried = names.clone();
                tried.insert(name.clone(), String::from_utf8_lossy(&line[..end]).into_owned());
                let matched = walk(rest, &line[end..], &mut tried);
                if matched {
                    *names = tried;
                }
                matched
            })
        }
    }
}

fn pieces(text: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut literal = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (piece, used) = match first {
            '\\' => {
                let used = escape(rest, &mut literal)?;
                (None, used)
            }
            '*' => (Some(Piece::Any), 1),
            '{' => {
                let end = rest.find('}').ok_or("a { without its }")?;
                let inner = &rest[1..end];
                let piece = match inner.rsplit_once('&') {
                    Some((what, times)) => {
                        let times: usize = times.parse().map_err(|_| format!("not a number: {times}"))?;
                        literal.extend_from_slice(what.repeat(times).as_bytes());
                        None
                    }
                    None => Some(Piece::Name(inner.to_owned())),
                };
                (piece, end + 1)
            }
            other => {
                literal.extend_from_slice(&rest.as_bytes()[..other.len_utf8()]);
                (None, other.len_utf8())
            }
        };
        if let Some(piece) = piece {
            if !literal.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut literal)));
            }
            pieces.push(piece);
        }
        rest = &rest[used..];
    }
    if !literal.is_empty() {
        pieces.push(Piece::Text(literal));
    }
    Ok(pieces)
}

/// Reads an escape at the start of `rest`; gives how long it is.
fn escape(rest: &str, literal: &mut Vec<u8>) -> Result<usize, String> {
    let unknown = || format!("not an escape: {rest}");
    match rest.as_bytes().get(1) {
        Some(b'x') => {
            let digits = rest.get(2..4).ok_or_else(unknown)?;
            literal.push(u8::from_str_radix(digits, 16).map_err(|_| unknown())?);
            Ok(4)
        }
        Some(letter) => {
            literal.push(match letter {
                b'r' => b'\r',
                b'n' => b'\n',
                b't' => b'\t',
                b'\\' | b'*' | b'{' => *letter,
                _ => return Err(unknown()),
            });
            Ok(2)
        }
        None => Err(unknown()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, line: &str, expected: bool) {
        let mut names = Names::from([("old".to_owned(), "42".to_owned())]);
        assert_eq!(matches(pattern, line.as_bytes(), &mut names), Ok(expected), "{pattern} and {line}");
    }

    #[test]
    fn wildcards_and_names_match() {
        check("PING", "PING", true);
        check("PING", "PINGS", false);
        check(":ada!* JOIN #tea", ":ada!~ada@127.0.0.1 JOIN #tea", true);
        check("*", "", true);
        check("a*c*e", "abcde", true);
        check("a*c*e", "abcd", false);
        check("x={old}", "x=42", true);
        check("x={old}", "x=43", false);
        check("\\*\\x41", "*A", true);
        check("{ab&3}!", "ababab!", true);
    }

    #[test]
    fn names_are_remembered() {
        let mut names = Names::new();
        assert!(matches("@msgid={id};time=* {who} *", b"@msgid=abc;time=1 ada hello", &mut names).unwrap());
        assert_eq!(names["id"], "abc");
        assert_eq!(names["who"], "ada");
        assert_eq!(bytes("to {id}\\x01", &names).unwrap(), b"to abc\x01");
        assert!(bytes("{nobody}", &names).is_err());
    }
}
