//! A Rust source as tidy sees it: code without comments and text, comments without code, the regions that are
//! tests, and the functions. A scanner of a few dozen lines instead of a parser: it only has to tell code from
//! comments and literals, and to match braces.

use std::ops::Range;

/// One file, taken apart. Both masks are as long as the text and keep its line ends.
pub struct Source {
    /// The text as it is.
    pub text: String,
    /// Comments and the insides of literals are blanks.
    pub code: Vec<u8>,
    /// Everything but comments is blanks.
    pub comments: Vec<u8>,
    /// What is compiled for tests only.
    tests: Vec<Range<usize>>,
}

/// One function with a body.
#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    pub name: String,
    /// Counted from 1.
    pub line: usize,
    /// From the line of `fn` to the closing brace.
    pub lines: usize,
}

impl Source {
    pub fn new(text: &str) -> Source {
        let (code, comments) = mask(text.as_bytes());
        let mut source = Source { text: text.to_owned(), code, comments, tests: Vec::new() };
        source.tests = source.find_tests();
        source
    }

    /// The line of an offset, counted from 1.
    pub fn line_at(&self, offset: usize) -> usize {
        1 + self.text.as_bytes()[..offset].iter().filter(|&&b| b == b'\n').count()
    }

    pub fn is_test(&self, offset: usize) -> bool {
        self.tests.iter().any(|range| range.contains(&offset))
    }

    /// Lines outside of what is compiled for tests only.
    pub fn lines_without_tests(&self) -> usize {
        let tests: usize =
            self.tests.iter().map(|range| count_lines(&self.text.as_bytes()[range.clone()])).sum();
        count_lines(self.text.as_bytes()) - tests
    }

    /// Offsets in the code where `word` stands on its own.
    pub fn words(&self, word: &str) -> Vec<usize> {
        words(&self.code, word)
    }

    /// Every function that has a body.
    pub fn functions(&self) -> Vec<Function> {
        let mut found = Vec::new();
        for start in self.words("fn") {
            let after = &self.code[start + 2..];
            let name: String = after
                .iter()
                .skip_while(|b| b.is_ascii_whitespace())
                .map(|&b| b as char)
                .take_while(|&c| c.is_ascii_alphanumeric() || c == '_')
                .collect();
            // `fn(u8)` is a type and `fn $name` a macro's pattern.
            if name.is_empty() {
                continue;
            }
            let Some(end) = self.end_of_item(start) else { continue };
            if self.code[end - 1] == b'}' {
                let lines = self.line_at(end - 1) - self.line_at(start) + 1;
                found.push(Function { name, line: self.line_at(start), lines });
            }
        }
        found
    }

    /// Where the item that begins at `start` ends: behind its closing brace, or behind its `;`.
    fn end_of_item(&self, start: usize) -> Option<usize> {
        let mut nested = 0usize;
        for (at, &byte) in self.code.iter().enumerate().skip(start) {
            match byte {
                b'(' | b'[' => nested += 1,
                b')' | b']' => nested = nested.checked_sub(1)?,
                b';' if nested == 0 => return Some(at + 1),
                b'{' if nested == 0 => return self.closing_brace(at).map(|end| end + 1),
                _ => {}
            }
        }
        None
    }

    fn closing_brace(&self, open: usize) -> Option<usize> {
        let mut depth = 0usize;
        for (at, &byte) in self.code.iter().enumerate().skip(open) {
            match byte {
                b'{' => depth += 1,
                b'}' if depth == 1 => return Some(at),
                b'}' => depth -= 1,
                _ => {}
            }
        }
        None
    }

    fn find_tests(&self) -> Vec<Range<usize>> {
        let mut found: Vec<Range<usize>> = Vec::new();
        for marker in ["#[cfg(test)]", "#[test]"] {
            for start in find_all(&self.code, marker.as_bytes()) {
                let end = self.end_of_item(start + marker.len()).unwrap_or(self.code.len());
                found.push(start..end);
            }
        }
        let outer = found.clone();
        found.retain(|inner| !outer.iter().any(|o| o.start < inner.start && inner.end <= o.end));
        found
    }
}

pub fn words(code: &[u8], word: &str) -> Vec<usize> {
    let part = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let alone = |&at: &usize| {
        let before = at.checked_sub(1).is_none_or(|at| !part(code[at]));
        before && code.get(at + word.len()).is_none_or(|&b| !part(b))
    };
    find_all(code, word.as_bytes()).into_iter().filter(alone).collect()
}

pub fn find_all(haystack: &[u8], needle: &[u8]) -> Vec<usize> {
    haystack.windows(needle.len()).enumerate().filter(|(_, w)| *w == needle).map(|(at, _)| at).collect()
}

fn count_lines(bytes: &[u8]) -> usize {
    bytes.iter().filter(|&&b| b == b'\n').count()
}

/// Splits a text into (code, comments); what does not belong is a blank in each, line ends stay in both.
fn mask(text: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let blank =
        |text: &[u8]| -> Vec<u8> { text.iter().map(|&b| if b == b'\n' { b } else { b' ' }).collect() };
    let (mut code, mut comments) = (text.to_vec(), blank(text));
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let (end, comment) = if rest.starts_with(b"//") {
            (at + rest.iter().position(|&b| b == b'\n').unwrap_or(rest.len()), true)
        } else if rest.starts_with(b"/*") {
            (at + block_comment(rest), true)
        } else {
            (at + literal(text, at), false)
        };
        if end == at {
            at += 1;
            continue;
        }
        code[at..end].copy_from_slice(&blank(&text[at..end]));
        if comment {
            comments[at..end].copy_from_slice(&text[at..end]);
        }
        at = end;
    }
    (code, comments)
}

fn block_comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0usize, 0);
    while at < rest.len() {
        match rest.get(at..at + 2) {
            Some(b"/*") => (depth, at) = (depth + 1, at + 2),
            Some(b"*/") => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

/// The length of the literal that begins here, quotes included; 0 when none does.
fn literal(text: &[u8], at: usize) -> usize {
    let rest = &text[at..];
    let in_word = at > 0 && (text[at - 1].is_ascii_alphanumeric() || text[at - 1] == b'_');
    if rest[0] == b'"' {
        return quoted(rest, b'"');
    }
    if rest[0] == b'\'' {
        // A lifetime (`'a`) has no second quote where a character literal has it.
        let char_bytes = match rest.get(1) {
            Some(b'\\') => return quoted(rest, b'\''),
            Some(&b) if b >= 0xf0 => 4,
            Some(&b) if b >= 0xe0 => 3,
            Some(&b) if b >= 0xc0 => 2,
            _ => 1,
        };
        return if rest.get(1 + char_bytes) == Some(&b'\'') { char_bytes + 2 } else { 0 };
    }
    let prefix = [&b"br"[..], b"cr", b"r"].into_iter().find(|p| rest.starts_with(p));
    if let (Some(prefix), false) = (prefix, in_word) {
        let hashes = rest[prefix.len()..].iter().take_while(|&&b| b == b'#').count();
        let open = prefix.len() + hashes;
        if rest.get(open) == Some(&b'"') {
            let close: Vec<u8> = std::iter::once(b'"').chain(std::iter::repeat_n(b'#', hashes)).collect();
            let inside = find_all(&rest[open + 1..], &close).first().copied();
            return inside.map_or(rest.len(), |inside| open + 1 + inside + close.len());
        }
    }
    0
}

fn quoted(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            b if b == quote => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_not_code() {
        let text = "let a = \"fn // no\"; // fn one\nlet b = r#\"fn \" fn\"#; /* fn /* two */ fn */ let c = '{'; fn x() {}\n";
        let source = Source::new(text);
        assert_eq!(source.words("fn").len(), 1, "{}", String::from_utf8_lossy(&source.code));
        assert!(String::from_utf8_lossy(&source.comments).contains("fn one"));
        assert_eq!(source.functions(), vec![Function { name: "x".into(), line: 2, lines: 1 }]);
    }

    #[test]
    fn lifetimes_and_odd_characters_do_not_open_a_literal() {
        let source =
            Source::new("fn a<'a>(x: &'a str) -> char { '\\'' }\nfn b() -> (char, u8) { ('ü', b'\"') }\n");
        let names: Vec<String> = source.functions().into_iter().map(|f| f.name).collect();
        assert_eq!(names, ["a", "b"]);
    }

    #[test]
    fn functions_are_measured_with_their_signature() {
        let source = Source::new(
            "trait T {\n fn without(&self);\n fn with(\n  &self,\n ) -> [u8; 2] {\n  [0; 2]\n }\n}\n",
        );
        assert_eq!(source.functions(), vec![Function { name: "with".into(), line: 3, lines: 5 }]);
    }

    #[test]
    fn test_regions_are_known() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n #[test]\n fn b() {}\n}\nfn c() {}\n";
        let source = Source::new(text);
        assert!(!source.is_test(0));
        assert!(source.is_test(text.find("fn b").expect("is there")));
        assert!(!source.is_test(text.find("fn c").expect("is there")));
        assert_eq!(source.lines_without_tests(), 3);
    }
}
