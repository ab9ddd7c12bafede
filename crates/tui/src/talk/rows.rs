//! How lines look: one row or several, with what stands before them.

use std::ops::Range;

use chinwag_client::{Buffer, BufferKind, HistoryState, Line, LineKind, LineState, Lines};
use ratatui::style::{Modifier, Style};
use unicode_width::UnicodeWidthStr;

use super::{Look, clock, sentences, units};
use crate::text::markup::{self, Block};
use crate::text::{Piece, Row, clean, fill_left, fit, width_of, wrap};

/// Somebody's next line within so long is still the same turn: the name is not repeated.
const TURN_MS: u64 = 5 * 60 * 1000;
/// Rows of one message at most; what is beyond is counted.
const ROWS_MAX: usize = 400;

/// The lines that are shown together with one.
pub fn unit(lines: &Lines, index: usize, look: &Look<'_>) -> Range<usize> {
    units::around(lines, index, |at| breaks(lines, at, look))
}

/// Whether a new day or the unread begins before a line.
fn breaks(lines: &Lines, index: usize, look: &Look<'_>) -> bool {
    let Some(line) = lines.get(index) else { return false };
    let before = index.checked_sub(1).and_then(|before| lines.get(before));
    look.fresh == Some(line.id)
        || before
            .is_none_or(|before| clock::day(before.time_ms, look.zone) != clock::day(line.time_ms, look.zone))
}

/// The rows of lines that are shown together.
pub fn rows(buffer: &Buffer, unit: Range<usize>, look: &Look<'_>) -> Vec<Row> {
    let lines = &buffer.lines;
    let Some(line) = lines.get(unit.start) else { return Vec::new() };
    let before = unit.start.checked_sub(1).and_then(|before| lines.get(before));
    let mut rows = Vec::new();
    if unit.start == 0 && buffer.history == HistoryState::Complete && buffer.kind != BufferKind::Server {
        rows.push(start_row(buffer, look));
    }
    let day = clock::day(line.time_ms, look.zone);
    if before.is_none_or(|before| clock::day(before.time_ms, look.zone) != day) {
        rows.push(day_row(&clock::spelled(day), look));
    }
    if look.fresh == Some(line.id) {
        rows.push(fresh_row(look));
    }
    let broken = !rows.is_empty();
    if units::presence(line) {
        // That I came in is no news to me.
        let news = lines.range(unit.clone()).any(|line| !line.is_mine() || line.kind != LineKind::Join);
        if look.presence && news {
            let sentence = sentences::presence(lines.range(unit), look.theme);
            beside(&mut rows, sign_head(line, "", look.theme.dim, look), vec![sentence], look);
        }
        return rows;
    }
    let goes_on = !broken && before.is_some_and(|before| same_turn(before, line));
    said(&mut rows, buffer, line, before.filter(|_| goes_on), look);
    rows
}

fn same_turn(before: &Line, line: &Line) -> bool {
    let nick = |line: &Line| line.from.as_ref().map(|from| from.nick.clone());
    before.kind == LineKind::Message
        && line.kind == LineKind::Message
        && nick(before) == nick(line)
        && line.time_ms.saturating_sub(before.time_ms) < TURN_MS
        && line.reply_to.is_none()
}

/// `#lobby begins here`
fn start_row(buffer: &Buffer, look: &Look<'_>) -> Row {
    let silent = !buffer.lines.iter().any(|line| line.kind.is_said());
    let hello = if silent { ": nothing has been said yet, say hello" } else { "" };
    let text = format!(" {} begins here{hello}", clean(&buffer.name));
    vec![Piece::new(fit(&text, look.columns), look.theme.dim)]
}

/// `──── Saturday, 21 November 2026 ────`
fn day_row(day: &str, look: &Look<'_>) -> Row {
    let space = look.columns.saturating_sub(day.width() + 4);
    let (left, right) = (space / 2, space - space / 2);
    let theme = look.theme;
    vec![
        Piece::new(" ", theme.rule),
        Piece::new("─".repeat(left.saturating_sub(1)), theme.rule),
        Piece::new(format!("  {day}  "), theme.dim),
        Piece::new("─".repeat(right.saturating_sub(1)), theme.rule),
    ]
}

/// `──────────────────── new ──`
fn fresh_row(look: &Look<'_>) -> Row {
    let line = "─".repeat(look.columns.saturating_sub(9));
    vec![Piece::new(format!(" {line} new ──"), look.theme.fresh)]
}

/// What stands before a line: the mark at the edge, the time or number, the name.
struct Head {
    edge: Piece,
    time: Piece,
    name: Piece,
}

fn time_of(line: &Line, before: Option<&Line>, look: &Look<'_>) -> Piece {
    let theme = look.theme;
    match &line.state {
        LineState::Pending => return Piece::new("  ···", theme.dim),
        LineState::Failed(_) => return Piece::new("    ✗", theme.error),
        LineState::Kept => {}
    }
    if look.numbers {
        let number = line.number.map(|number| number.to_string()).unwrap_or_default();
        return Piece::new(fill_left(&number, 5), theme.accent);
    }
    let time = clock::time(line.time_ms, look.zone);
    let repeated = before.is_some_and(|before| clock::time(before.time_ms, look.zone) == time);
    Piece::new(if repeated { "     ".to_owned() } else { time }, theme.dim)
}

fn sign_head(line: &Line, sign: &str, style: Style, look: &Look<'_>) -> Head {
    Head { edge: edge(line, look), time: time_of(line, None, look), name: Piece::new(sign, style) }
}

fn edge(line: &Line, look: &Look<'_>) -> Piece {
    let here = look.search.is_some_and(|(_, at)| at == Some(line.id));
    match (here, line.mention) {
        (true, _) => Piece::new("▶", look.theme.mention),
        (false, true) if !line.is_mine() => Piece::new("▌", look.theme.mention),
        _ => Piece::new(" ", Style::new()),
    }
}

/// Something that somebody said, or that happened. `before` is the line that it goes on from.
fn said(rows: &mut Vec<Row>, buffer: &Buffer, line: &Line, before: Option<&Line>, look: &Look<'_>) {
    let theme = look.theme;
    let nick = line.from.as_ref().map(|from| clean(&from.nick)).unwrap_or_default();
    let head = match line.kind {
        LineKind::Message if before.is_some() => Head {
            edge: edge(line, look),
            time: time_of(line, before, look),
            name: Piece::new("", Style::new()),
        },
        LineKind::Message => sign_head(line, &nick, theme.nick(&nick).add_modifier(Modifier::BOLD), look),
        LineKind::Notice => sign_head(line, &nick, theme.nick(&nick), look),
        LineKind::Action => sign_head(line, "*", theme.nick(&nick), look),
        LineKind::Error => sign_head(line, "!", theme.error, look),
        _ => sign_head(line, "–", theme.rule, look),
    };
    let columns = look.columns.saturating_sub(look.indent() + 1).max(1);
    let mut body = Vec::new();
    if let Some(answered) = &line.reply_to {
        body.push(answered_row(buffer, answered, columns, look));
    }
    content(&mut body, line, &nick, columns, look);
    after(&mut body, line, columns, look);
    beside(rows, head, body, look);
}

/// `↳ ann  is the build green again?`
fn answered_row(buffer: &Buffer, msgid: &str, columns: usize, look: &Look<'_>) -> Row {
    let theme = look.theme;
    let mut row = vec![Piece::new("↳ ", theme.dim)];
    match buffer.lines.by_msgid(msgid) {
        None => row.push(Piece::new("an earlier message", theme.dim)),
        Some(answered) => {
            let nick = answered.from.as_ref().map(|from| clean(&from.nick)).unwrap_or_default();
            row.push(Piece::new(fit(&nick, columns / 3), theme.nick(&nick)));
            let text = if answered.redacted.is_some() {
                "deleted".to_owned()
            } else {
                markup::unmarked(&answered.text, theme)
            };
            let rest = columns.saturating_sub(width_of(&row) + 2);
            row.push(Piece::new(format!("  {}", fit(&text.replace('\n', " "), rest)), theme.dim));
        }
    }
    row
}

fn content(body: &mut Vec<Row>, line: &Line, nick: &str, columns: usize, look: &Look<'_>) {
    let theme = look.theme;
    if let Some(redacted) = &line.redacted {
        let by = clean(&redacted.by);
        let by = if by == nick { String::new() } else { format!(" by {by}") };
        let why = redacted.reason.as_ref().map(|why| format!(": {}", clean(why))).unwrap_or_default();
        let row = vec![Piece::new(format!("deleted{by}{why}"), theme.pending)];
        body.extend(wrap::words(&row, columns));
        return;
    }
    let base = match (&line.state, line.kind) {
        (LineState::Pending, _) => theme.pending,
        (_, LineKind::Notice) => theme.dim,
        _ => theme.text,
    };
    let marked = |row: Row| marked(row, line, look);
    if !line.kind.is_said() {
        body.extend(wrap::words(&marked(sentences::event(line, theme)), columns));
        return;
    }
    let mut blocks = markup::blocks(&line.text, base, theme);
    if line.kind == LineKind::Action
        && let Some(Block::Text(first)) = blocks.first_mut()
    {
        first.insert(0, Piece::new(format!("{nick} "), theme.nick(nick)));
    }
    if line.edited
        && let Some(Block::Text(last)) = blocks.last_mut()
    {
        last.push(Piece::new(" (edited)", theme.dim));
    }
    for block in blocks {
        let room = ROWS_MAX.saturating_sub(body.len());
        if room == 0 {
            body.push(vec![Piece::new("… and more", theme.dim)]);
            return;
        }
        let bar = |row: Row, sign: &str, style: Style| {
            let mut barred = vec![Piece::new(sign, style)];
            barred.extend(row);
            barred
        };
        let inner = columns.saturating_sub(2).max(1);
        match block {
            Block::Text(row) => body.extend(wrap::words(&marked(row), columns).into_iter().take(room)),
            Block::Quote(row) => {
                let rows = wrap::words(&marked(row), inner).into_iter().take(room);
                body.extend(rows.map(|row| bar(row, "▎ ", theme.dim)));
            }
            Block::Code(row) => {
                let rows = wrap::anywhere(&marked(row), inner).into_iter().take(room);
                body.extend(rows.map(|row| bar(row, "│ ", theme.rule)));
            }
        }
    }
}

/// The own name, and what is searched for, made to be seen.
fn marked(row: Row, line: &Line, look: &Look<'_>) -> Row {
    let row = if line.mention && !line.is_mine() {
        markup::mark(row, look.me, look.theme.mention, true)
    } else {
        row
    };
    match look.search {
        Some((needle, at)) => {
            let style = if at == Some(line.id) { look.theme.hit_now } else { look.theme.hit };
            markup::mark(row, needle, style, false)
        }
        None => row,
    }
}

/// What stands under a message: reactions, and why it was not sent.
fn after(body: &mut Vec<Row>, line: &Line, columns: usize, look: &Look<'_>) {
    let theme = look.theme;
    if let LineState::Failed(why) = &line.state {
        let row = vec![Piece::new(format!("not sent: {}", clean(why)), theme.error)];
        body.extend(wrap::words(&row, columns));
    }
    if line.reactions.is_empty() {
        return;
    }
    let mut row = Row::new();
    for reaction in &line.reactions {
        let what = fit(&clean(&reaction.what), 16);
        let mine = reaction.who.iter().any(|who| **who == *look.me);
        let style = if mine { theme.on_bar(theme.accent) } else { theme.bar };
        let who = match reaction.who.as_slice() {
            [one] => clean(one),
            [one, other] => format!("{}, {}", clean(one), clean(other)),
            more => more.len().to_string(),
        };
        let chip = vec![
            Piece::new(format!(" {what} "), style),
            Piece::new(format!("{} ", fit(&who, 24)), theme.bar_dim),
        ];
        if !row.is_empty() && width_of(&row) + 1 + width_of(&chip) > columns {
            body.push(std::mem::take(&mut row));
        }
        if !row.is_empty() {
            row.push(Piece::new(" ", Style::new()));
        }
        row.extend(chip);
    }
    body.push(row);
}

/// Puts the head before the body, or over it.
fn beside(rows: &mut Vec<Row>, head: Head, body: Vec<Row>, look: &Look<'_>) {
    let Head { edge, time, name } = head;
    if look.stacked() {
        if name.text.len() > 1 {
            let space = look.columns.saturating_sub(time.text.width() + 3);
            let name = Piece { text: fit(&name.text, space), ..name };
            let gap = Piece::new(" ", Style::new());
            rows.push(vec![edge.clone(), name, gap, Piece { text: time.text.trim().to_owned(), ..time }]);
        } else if look.numbers || name.text == "!" {
            let number = Piece { text: format!("{} ", time.text.trim()), ..time };
            let mut body = body.into_iter();
            rows.extend(body.next().map(|first| [vec![edge.clone(), number], first].concat()));
            rows.extend(body.map(|row| [vec![edge.clone()], row].concat()));
            return;
        }
        rows.extend(body.into_iter().map(|row| [vec![edge.clone()], row].concat()));
        return;
    }
    let nick_columns = look.nick_columns();
    let blank = Piece::new(" ".repeat(look.indent() - 1), Style::new());
    let name = Piece { text: format!(" {}  ", fill_left(&name.text, nick_columns)), ..name };
    let mut first = Some(vec![edge.clone(), time, name]);
    for row in body {
        let before = first.take().unwrap_or_else(|| vec![edge.clone(), blank.clone()]);
        rows.push([before, row].concat());
    }
}
