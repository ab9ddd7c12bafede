//! What people put into messages: emphasis and code as in Markdown, IRC's own formatting, quotes, links, names.
//!
//! A small subset, chosen so that nothing that was meant literally is lost: `snake_case`, `2*3*4` and `__init__` stay.

use std::sync::Arc;

use linkify::{LinkFinder, LinkKind};
use ratatui::style::{Color, Modifier, Style};

use super::{Piece, Row, code, shows};
use crate::theme::Theme;

/// One line of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// Text, wrapped at words.
    Text(Row),
    /// What somebody else has said.
    Quote(Row),
    /// Code, cut where it does not fit.
    Code(Row),
}

/// The lines of a message. `base` is the style of what has none of its own.
pub fn blocks(text: &str, base: Style, theme: &Theme) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut fenced = false;
    for line in text.split('\n') {
        if line.trim_start().starts_with("```") {
            let rest = line.trim_start().trim_start_matches('`').trim_end();
            let inline = rest.trim_end_matches('`').trim();
            if !fenced && rest.ends_with("```") && !inline.is_empty() {
                // A fence that ends in its own line.
                blocks.push(Block::Code(code::line(&plain(inline), theme)));
                continue;
            }
            fenced = !fenced;
        } else if fenced {
            blocks.push(Block::Code(code::line(&plain(line), theme)));
        } else if let Some(quoted) = line.strip_prefix("> ") {
            blocks.push(Block::Quote(inline(quoted, base.patch(theme.dim), theme)));
        } else {
            blocks.push(Block::Text(inline(line, base, theme)));
        }
    }
    if blocks.is_empty() {
        blocks.push(Block::Text(Vec::new()));
    }
    blocks
}

/// One line without its formatting, safe to show.
pub fn plain(text: &str) -> String {
    runs(text, Style::new()).into_iter().map(|piece| piece.text).collect()
}

/// One line without its formatting and without the signs of its marks, safe to show.
pub fn unmarked(text: &str, theme: &Theme) -> String {
    inline(text, Style::new(), theme).into_iter().map(|piece| piece.text).collect()
}

/// One line of text with its marks.
pub fn inline(text: &str, base: Style, theme: &Theme) -> Row {
    let mut row = Vec::new();
    for run in runs(text, base) {
        between_ticks(&run, theme, &mut row);
    }
    row
}

/// IRC's formatting characters (modern.ircdocs.horse/formatting) into runs of one style; other controls are dropped.
fn runs(text: &str, base: Style) -> Row {
    let mut row: Row = Vec::new();
    let (mut style, mut run) = (base, String::new());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let toggled = match character {
            '\x02' => Modifier::BOLD,
            '\x1d' => Modifier::ITALIC,
            '\x1f' => Modifier::UNDERLINED,
            '\x1e' => Modifier::CROSSED_OUT,
            '\x16' => Modifier::REVERSED,
            '\x11' => Modifier::empty(),
            '\x03' | '\x04' | '\x0f' => {
                flush(&mut row, &mut run, style);
                style = match character {
                    '\x03' => coloured(&mut characters, style, base),
                    '\x04' => {
                        skip(&mut characters, 6, |c| c.is_ascii_hexdigit());
                        style
                    }
                    _ => base,
                };
                continue;
            }
            '\t' => {
                run.push_str(&" ".repeat(4 - run.chars().count() % 4));
                continue;
            }
            c if !shows(c) => continue,
            c => {
                run.push(c);
                continue;
            }
        };
        flush(&mut row, &mut run, style);
        style = if style.add_modifier.contains(toggled) {
            Style { add_modifier: style.add_modifier - toggled, ..style }
        } else {
            style.add_modifier(toggled)
        };
    }
    flush(&mut row, &mut run, style);
    row
}

fn flush(row: &mut Row, run: &mut String, style: Style) {
    if !run.is_empty() {
        row.push(Piece::new(std::mem::take(run), style));
    }
}

type Characters<'a> = std::iter::Peekable<std::str::Chars<'a>>;

fn skip(characters: &mut Characters<'_>, most: usize, wanted: fn(char) -> bool) -> String {
    let mut taken = String::new();
    while taken.len() < most
        && let Some(character) = characters.next_if(|c| wanted(*c))
    {
        taken.push(character);
    }
    taken
}

/// `^Cfore,back`: each of one or two figures.
fn coloured(characters: &mut Characters<'_>, style: Style, base: Style) -> Style {
    let fore = skip(characters, 2, |c| c.is_ascii_digit());
    if fore.is_empty() {
        return Style { fg: base.fg, bg: base.bg, ..style };
    }
    let mut style = Style { fg: colour(&fore).or(base.fg), ..style };
    let mut ahead = characters.clone();
    if ahead.next() == Some(',') && ahead.peek().is_some_and(char::is_ascii_digit) {
        characters.next();
        let back = skip(characters, 2, |c| c.is_ascii_digit());
        style.bg = colour(&back).or(base.bg);
    }
    style
}

/// The sixteen colours of IRC as those of a terminal.
fn colour(number: &str) -> Option<Color> {
    const COLOURS: [Color; 16] = [
        Color::White,
        Color::Black,
        Color::Blue,
        Color::Green,
        Color::LightRed,
        Color::Red,
        Color::Magenta,
        Color::Yellow,
        Color::LightYellow,
        Color::LightGreen,
        Color::Cyan,
        Color::LightCyan,
        Color::LightBlue,
        Color::LightMagenta,
        Color::DarkGray,
        Color::Gray,
    ];
    COLOURS.get(number.parse::<usize>().ok()?).copied()
}

/// Code between backticks, and the rest.
fn between_ticks(run: &Piece, theme: &Theme, row: &mut Row) {
    let mut rest = run.text.as_str();
    while let Some(open) = rest.find('`') {
        let inner = &rest[open + 1..];
        let Some(close) = inner.find('`').filter(|close| *close > 0) else { break };
        linked(&rest[..open], run.style, theme, row);
        row.push(Piece::new(&inner[..close], run.style.patch(theme.code)));
        rest = &inner[close + 1..];
    }
    linked(rest, run.style, theme, row);
}

/// Links, and the rest.
fn linked(text: &str, style: Style, theme: &Theme, row: &mut Row) {
    if text.is_empty() {
        return;
    }
    let mut finder = LinkFinder::new();
    finder.kinds(&[LinkKind::Url]);
    let mut from = 0;
    // A scheme is needed anyway: most messages have none.
    let links = text.contains("://").then(|| finder.links(text)).into_iter().flatten();
    for link in links.filter(|link| opens(link.as_str())) {
        emphasized(&text[from..link.start()], style, row);
        let target: Arc<str> = link.as_str().into();
        row.push(Piece {
            text: link.as_str().to_owned(),
            style: style.patch(theme.link),
            link: Some(target),
        });
        from = link.end();
    }
    emphasized(&text[from..], style, row);
}

/// Schemes that a terminal may be given to open.
fn opens(link: &str) -> bool {
    let scheme = link.split(':').next().unwrap_or_default().to_ascii_lowercase();
    matches!(
        scheme.as_str(),
        "http" | "https" | "ftp" | "irc" | "ircs" | "gemini" | "gopher" | "ssh" | "git" | "matrix" | "xmpp"
    )
}

const MARKS: [(&str, Modifier); 4] =
    [("**", Modifier::BOLD), ("~~", Modifier::CROSSED_OUT), ("*", Modifier::ITALIC), ("_", Modifier::ITALIC)];

/// `**bold**`, `*italic*`, `_italic_`, `~~struck~~`, where the marks stand at the outside of words.
fn emphasized(text: &str, style: Style, row: &mut Row) {
    let mut plain_from = 0;
    let mut at = 0;
    while let Some(offset) = text[at..].find(['*', '_', '~']) {
        at += offset;
        let found = MARKS.iter().find_map(|(mark, modifier)| {
            let inner = enclosed(text, at, mark)?;
            Some((mark.len(), inner, *modifier))
        });
        match found {
            Some((mark, inner, modifier)) => {
                push(row, &text[plain_from..at], style);
                emphasized(&text[at + mark..inner], style.add_modifier(modifier), row);
                at = inner + mark;
                plain_from = at;
            }
            None => at += text[at..].chars().take_while(|c| matches!(c, '*' | '_' | '~')).count(),
        }
    }
    push(row, &text[plain_from..], style);
}

fn push(row: &mut Row, text: &str, style: Style) {
    if !text.is_empty() {
        row.push(Piece::new(text, style));
    }
}

/// Where the end mark stands of what begins with `mark` at `at`.
fn enclosed(text: &str, at: usize, mark: &str) -> Option<usize> {
    let inner = text[at..].strip_prefix(mark)?;
    let sign = mark.chars().next()?;
    let before = text[..at].chars().next_back();
    let first = inner.chars().next()?;
    if before.is_some_and(|c| c.is_alphanumeric() || c == sign) || first.is_whitespace() || first == sign {
        return None;
    }
    let from = at + mark.len();
    let mut look = from;
    while let Some(offset) = text[look..].find(mark) {
        let end = look + offset;
        let last = text[..end].chars().next_back()?;
        let after = text[end + mark.len()..].chars().next();
        let closes = end > from
            && !last.is_whitespace()
            && last != sign
            && !after.is_some_and(|c| c.is_alphanumeric() || c == sign);
        if closes {
            return Some(end);
        }
        look = end + mark.len();
    }
    None
}

/// Puts a style over every place where `needle` stands, in whatever case; as a whole word only where asked for.
pub fn mark(row: Row, needle: &str, style: Style, whole_word: bool) -> Row {
    let needle: Vec<char> = needle.chars().flat_map(char::to_lowercase).collect();
    if needle.is_empty() {
        return row;
    }
    let mut marked = Vec::with_capacity(row.len());
    for piece in row {
        let mut from = 0;
        for (start, end) in places(&piece.text, &needle, whole_word) {
            let part = |range: std::ops::Range<usize>| Piece {
                text: piece.text[range].to_owned(),
                style: piece.style,
                link: piece.link.clone(),
            };
            if start > from {
                marked.push(part(from..start));
            }
            let found = part(start..end);
            marked.push(Piece { style: found.style.patch(style), ..found });
            from = end;
        }
        if from == 0 {
            marked.push(piece);
        } else if from < piece.text.len() {
            marked.push(Piece { text: piece.text[from..].to_owned(), ..piece });
        }
    }
    marked
}

/// Where a text in lower case stands in another, from left to right, not over each other.
pub(crate) fn places(text: &str, needle: &[char], whole_word: bool) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut next = 0;
    for (start, _) in text.char_indices() {
        if start < next {
            continue;
        }
        let Some(end) = matches(&text[start..], needle).map(|length| start + length) else { continue };
        let word = |c: char| c.is_alphanumeric() || c == '_';
        let inside = text[..start].chars().next_back().is_some_and(word)
            || text[end..].chars().next().is_some_and(word);
        if !(whole_word && inside) {
            found.push((start, end));
            next = end;
        }
    }
    found
}

fn matches(text: &str, needle: &[char]) -> Option<usize> {
    let mut wanted = needle.iter();
    let mut next = wanted.next();
    for (at, character) in text.char_indices() {
        let Some(_) = next else { return Some(at) };
        for lower in character.to_lowercase() {
            if next != Some(&lower) {
                return None;
            }
            next = wanted.next();
        }
    }
    next.is_none().then_some(text.len())
}
