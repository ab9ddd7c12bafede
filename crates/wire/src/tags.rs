//! Message tags (IRCv3 message-tags): read in place, unescaped on demand, written escaped.

use std::borrow::Cow;

/// The tags of one message as they came, without the `@`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tags<'a>(&'a str);

/// One tag as it came: its value is still escaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawTag<'a> {
    /// The whole tag, `key=value` or `key`.
    pub text: &'a str,
    /// The key with its vendor, and `+` before a client-only one.
    pub key: &'a str,
    /// The escaped value; empty where there is none (the specification makes no difference).
    pub value: &'a str,
}

impl<'a> Tags<'a> {
    /// Tags as they stand between `@` and the space. Anything can be read; parts without a key are skipped.
    pub fn new(raw: &'a str) -> Tags<'a> {
        Tags(raw)
    }

    /// As they came.
    pub fn raw(&self) -> &'a str {
        self.0
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Every tag as it came, repeated keys included.
    pub fn raw_tags(&self) -> impl Iterator<Item = RawTag<'a>> + use<'a> {
        self.0.split(';').filter_map(|text| {
            let (key, value) = text.split_once('=').unwrap_or((text, ""));
            (!key.is_empty()).then_some(RawTag { text, key, value })
        })
    }

    /// Every key and unescaped value, repeated keys included. Allocates only for values with escapes.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, Cow<'a, str>)> + use<'a> {
        self.raw_tags().map(|tag| (tag.key, unescape(tag.value)))
    }

    /// The unescaped value of a tag, empty when it has none. The last one of the same key counts.
    pub fn get(&self, key: &str) -> Option<Cow<'a, str>> {
        if self.0.is_empty() {
            return None;
        }
        self.raw_tags().filter(|tag| tag.key == key).last().map(|tag| unescape(tag.value))
    }

    /// The client-only tags (`+…`) with a well-formed key: those that are handed on to others.
    pub fn client_only(&self) -> impl Iterator<Item = RawTag<'a>> + use<'a> {
        self.raw_tags().filter(|tag| tag.key.strip_prefix('+').is_some_and(is_key))
    }

    /// Appends the client-only tags as they came, `;` between them, no `@`. Returns whether there were any.
    pub fn copy_client_only(&self, out: &mut String) -> bool {
        let start = out.len();
        for tag in self.client_only() {
            if out.len() > start {
                out.push(';');
            }
            out.push_str(tag.text);
        }
        out.len() > start
    }
}

/// Whether a key, without `+`, is well-formed: an optional vendor (a host name and `/`), then letters, digits and
/// hyphens. A little more is let through than the specification has, as clients are known to send it.
pub fn is_key(key: &str) -> bool {
    let word = |word: &str, more: &[u8]| {
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || more.contains(&byte))
    };
    match key.split_once('/') {
        Some((vendor, name)) => word(vendor, b"-._") && word(name, b"-._/"),
        None => word(key, b"-._"),
    }
}

/// Undoes the escaping of a value. A backslash before any other character, or at the end, is dropped.
pub fn unescape(value: &str) -> Cow<'_, str> {
    let Some(first) = value.find('\\') else { return Cow::Borrowed(value) };
    let mut text = String::with_capacity(value.len());
    text.push_str(&value[..first]);
    let mut chars = value[first..].chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => text.extend(chars.next().map(|escaped| match escaped {
                ':' => ';',
                's' => ' ',
                'r' => '\r',
                'n' => '\n',
                other => other,
            })),
            other => text.push(other),
        }
    }
    Cow::Owned(text)
}

/// Appends a value escaped.
pub fn escape(value: &str, out: &mut Vec<u8>) {
    let mut plain = 0;
    for (at, byte) in value.bytes().enumerate() {
        let escaped: &[u8; 2] = match byte {
            b';' => b"\\:",
            b' ' => b"\\s",
            b'\\' => b"\\\\",
            b'\r' => b"\\r",
            b'\n' => b"\\n",
            _ => continue,
        };
        out.extend_from_slice(&value.as_bytes()[plain..at]);
        out.extend_from_slice(escaped);
        plain = at + 1;
    }
    out.extend_from_slice(&value.as_bytes()[plain..]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn tags_are_read() {
        let check = |raw: &str, expected: &[(&str, &str)]| {
            let read: Vec<_> = Tags::new(raw).iter().map(|(key, value)| (key, value.into_owned())).collect();
            let expected: Vec<_> = expected.iter().map(|(key, value)| (*key, (*value).to_string())).collect();
            assert_eq!(read, expected, "{raw:?}");
        };
        check("", &[]);
        check("a", &[("a", "")]);
        check("a=", &[("a", "")]);
        check("a=b", &[("a", "b")]);
        check("a=b;+c;example.org/d=e=f", &[("a", "b"), ("+c", ""), ("example.org/d", "e=f")]);
        check(";;a=1;;b=2;", &[("a", "1"), ("b", "2")]);
        check("=1;a=2", &[("a", "2")]);
        check("a=1;a=2", &[("a", "1"), ("a", "2")]);
        check("a=\\:\\s\\\\\\r\\n;b=x", &[("a", "; \\\r\n"), ("b", "x")]);
    }

    #[test]
    fn the_last_of_the_same_key_counts() {
        let tags = Tags::new("a=1;b;a=2;+a=3");
        assert_eq!(tags.get("a").as_deref(), Some("2"));
        assert_eq!(tags.get("b").as_deref(), Some(""));
        assert_eq!(tags.get("+a").as_deref(), Some("3"));
        assert_eq!(tags.get("c"), None);
        assert_eq!(Tags::default().get("a"), None);
    }

    #[test]
    fn values_are_unescaped() {
        let check = |escaped: &str, expected: &str| assert_eq!(unescape(escaped), expected, "{escaped:?}");
        check("plain", "plain");
        check("\\:\\s\\\\\\r\\n", "; \\\r\n");
        check("\\b", "b");
        check("\\", "");
        check("test\\", "test");
        check("a\\\\", "a\\");
        check("\\\\s", "\\s");
        check("\\ö", "ö");
        assert!(matches!(unescape("plain"), Cow::Borrowed(_)));
    }

    #[test]
    fn client_only_tags_are_copied_as_they_came() {
        let check = |raw: &str, expected: &str| {
            let mut out = String::from("x");
            assert_eq!(Tags::new(raw).copy_client_only(&mut out), !expected.is_empty(), "{raw:?}");
            assert_eq!(out.strip_prefix('x'), Some(expected), "{raw:?}");
        };
        check("", "");
        check("a=1;label=2", "");
        check("+typing=active;label=2;+draft/reply=m\\s1", "+typing=active;+draft/reply=m\\s1");
        check("+;+=1;+a b;+ä=1;+/a;+a/=1;a=+b", "");
        check("+example.org/a_b", "+example.org/a_b");
    }

    proptest! {
        #[test]
        fn escaping_can_be_undone(value: String) {
            let mut escaped = Vec::new();
            escape(&value, &mut escaped);
            let escaped = String::from_utf8(escaped).unwrap();
            prop_assert!(!escaped.contains([';', ' ', '\r', '\n']));
            prop_assert_eq!(unescape(&escaped), value);
        }
    }
}
