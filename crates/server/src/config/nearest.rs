//! What was meant: turns "unknown field" into a sentence that names the key somebody probably wanted.

use super::DEFAULT_TOML;

/// The sentence for a parse error; `start` is where in `text` it was found.
pub(super) fn explain(message: &str, text: &str, start: usize) -> String {
    let message = message.trim();
    if let Some(name) = quoted_after(message, "unknown field ") {
        return unknown_key(name, section_at(text, start));
    }
    if let Some(name) = quoted_after(message, "unknown variant ") {
        let known: Vec<&str> = message.split('`').skip(3).step_by(2).collect();
        return format!("{name:?} is not known here; known are {}", list(&known));
    }
    message.replace('\n', " ")
}

fn unknown_key(name: &str, section: &str) -> String {
    let keys = known_keys();
    if section.is_empty() {
        let sections = sections();
        if let Some((owner, _)) = keys.iter().find(|(_, key)| *key == name) {
            return format!("{name:?} belongs in the section [{owner}]");
        }
        let near = nearest(name, sections.iter().copied());
        return format!("there is no section [{name}]; did you mean [{near}]?");
    }
    if let Some((owner, _)) = keys.iter().find(|(_, key)| *key == name) {
        return format!("{name:?} belongs in the section [{owner}], not in [{section}]");
    }
    let near = nearest(name, keys.iter().filter(|(owner, _)| *owner == section).map(|(_, key)| *key));
    format!("unknown key {name:?} in [{section}]; did you mean {near:?}?")
}

fn quoted_after<'a>(message: &'a str, lead: &str) -> Option<&'a str> {
    message.strip_prefix(lead)?.split('`').nth(1)
}

fn list(words: &[&str]) -> String {
    words.iter().map(|word| format!("{word:?}")).collect::<Vec<_>>().join(", ")
}

/// The section that an offset is in; empty before the first header and on a header itself.
fn section_at(text: &str, start: usize) -> &str {
    let line_start = text[..start.min(text.len())].rfind('\n').map_or(0, |at| at + 1);
    if text[line_start..].trim_start().starts_with('[') {
        return "";
    }
    text[..line_start].lines().rev().find_map(header).unwrap_or("")
}

fn header(line: &str) -> Option<&str> {
    let line = line.trim().trim_start_matches("# ");
    let name = line.strip_prefix('[')?.split(']').next()?.trim_matches(['[', ' ']);
    (!name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase())).then_some(name)
}

/// Every key with its section, read from the default configuration; what is commented out counts.
pub(super) fn known_keys() -> Vec<(&'static str, &'static str)> {
    let mut section = "";
    let mut keys = Vec::new();
    for line in DEFAULT_TOML.lines() {
        if let Some(name) = header(line.trim_start_matches("# ")).filter(|name| is_name(name)) {
            section = name;
        } else if let Some((name, _)) = line.trim_start_matches("# ").split_once(" = ")
            && is_name(name)
        {
            keys.push((section, name));
        }
    }
    keys
}

fn sections() -> Vec<&'static str> {
    let headers = DEFAULT_TOML.lines().map(|line| line.trim_start_matches("# ")).filter_map(header);
    headers.filter(|name| is_name(name)).collect()
}

/// Whether it looks like a key or a section, and not like a sentence of a comment.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
}

/// The candidate with the fewest edits; of equals the first.
fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> &'a str {
    candidates.min_by_key(|candidate| distance(name, candidate)).unwrap_or("server")
}

/// Levenshtein distance in characters. Both are short: a key, and a word that somebody typed.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.chars().take(64).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in right.iter().enumerate() {
            let change = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[right.len()]
}
