//! Words: texts as they are indexed, and what is looked for as a question to the index.
//!
//! Chinese, Japanese and Korean write no spaces between words: their runs are cut into overlapping pairs, in texts and
//! in questions alike, and the last sign of a run stands once more on its own, so that a single one is found anywhere.

use chinwag_core::search::{SearchQuery, Term};
use chinwag_wire::casemap::CaseMapping;

/// Whether a sign belongs to a writing without spaces between words.
fn is_cjk(sign: char) -> bool {
    matches!(sign as u32,
        0x3040..=0x30FF // kana
        | 0x31F0..=0x31FF
        | 0x3400..=0x4DBF // Han
        | 0x4E00..=0x9FFF
        | 0xAC00..=0xD7A3 // Hangul
        | 0xF900..=0xFAFF
        | 0x20000..=0x3FFFF)
}

/// A text as it is indexed: as it is, but for runs without spaces, which become overlapping pairs.
pub(super) fn indexed(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    spaced(text, true, |piece| out.push_str(piece));
    out
}

/// Hands out a text with its runs cut into pairs; `ends`: with the last sign of each on its own as well.
fn spaced(text: &str, ends: bool, mut out: impl FnMut(&str)) {
    let mut rest = text;
    while !rest.is_empty() {
        let plain = rest.find(is_cjk).unwrap_or(rest.len());
        out(&rest[..plain]);
        rest = &rest[plain..];
        let run = rest.find(|sign| !is_cjk(sign)).unwrap_or(rest.len());
        let (cut, after) = rest.split_at(run);
        let starts: Vec<usize> = cut.char_indices().map(|(at, _)| at).chain([cut.len()]).collect();
        for pair in starts.windows(3) {
            out(" ");
            out(&cut[pair[0]..pair[2]]);
        }
        if let [.., last, end] = starts[..]
            && (ends || starts.len() == 2)
        {
            out(" ");
            out(&cut[last..end]);
        }
        if run > 0 {
            out(" ");
        }
        rest = after;
    }
}

/// The tokens of who said something: nickname and account, in a form that is always one word.
pub(super) fn who_tokens(nick: &str, account: Option<&str>) -> String {
    let mut tokens = name_token('n', nick);
    if let Some(account) = account {
        tokens.push(' ');
        tokens.push_str(&name_token('a', account));
    }
    tokens
}

fn name_token(kind: char, name: &str) -> String {
    let mut token = String::from(kind);
    // By the widest of the mappings, whatever the server compares names by: more is found, never less.
    for byte in CaseMapping::Precis.folded(name).bytes() {
        token.extend([byte >> 4, byte & 15].map(|half| char::from_digit(half.into(), 16).unwrap_or('0')));
    }
    token
}

/// The question to the index, in FTS5's language; none when nothing that it knows of is looked for.
pub(super) fn question(query: &SearchQuery) -> Option<String> {
    let mut parts: Vec<String> = query.terms.iter().filter_map(term).collect();
    if let Some(from) = &query.from {
        let (nick, account) = (name_token('n', from), name_token('a', from));
        parts.push(format!("who : (\"{nick}\" OR \"{account}\")"));
    }
    (!parts.is_empty()).then(|| parts.join(" AND "))
}

/// A term: its words one after the other. None when there is no word in it.
fn term(term: &Term) -> Option<String> {
    if !term.text.contains(char::is_alphanumeric) {
        return None;
    }
    let mut words = String::new();
    // What is a question's last sign need not be a text's.
    spaced(&term.text, false, |piece| words.push_str(&piece.replace('"', " ")));
    // A single sign is the beginning of a pair, or the last one of a run.
    let alone = term.text.chars().count() == 1 && term.text.chars().all(is_cjk);
    let star = if term.prefix || alone { " *" } else { "" };
    Some(format!("text : \"{}\"{star}", words.trim()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn runs_without_spaces_are_cut_into_pairs() {
        for (text, expected) in [
            ("plain words", "plain words"),
            ("東京", " 東京 京 "),
            ("東京都へ go", " 東京 京都 都へ へ  go"),
            ("tea茶", "tea 茶 "),
            ("한국", " 한국 국 "),
            ("", ""),
        ] {
            assert_eq!(indexed(text), expected, "{text}");
        }
    }

    #[test]
    fn questions_are_written_for_the_index() {
        let query = |text: &str, prefix, from: Option<&str>| SearchQuery {
            places: Arc::new([]),
            terms: Arc::new([Term { text: text.into(), prefix }]),
            from: from.map(Arc::from),
            before: None,
            after: None,
            limit: 20,
        };
        let check =
            |query: &SearchQuery, expected: Option<&str>| assert_eq!(question(query).as_deref(), expected);
        check(&query("tea", false, None), Some("text : \"tea\""));
        check(&query("green te", true, None), Some("text : \"green te\" *"));
        check(&query("東京都", false, None), Some("text : \"東京 京都\""));
        check(&query("都", false, None), Some("text : \"都\" *"));
        check(&query("a\" OR b", false, None), Some("text : \"a  OR b\""));
        let found = question(&query("tea", false, Some("Bob"))).expect("a question");
        assert_eq!(found, "text : \"tea\" AND who : (\"n626f62\" OR \"a626f62\")");
        check(&query("--", false, None), None);
    }
}
