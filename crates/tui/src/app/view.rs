//! How far a conversation is scrolled: at its end, or held at a line, whatever comes behind it.

use std::ops::Range;

use chinwag_client::{Buffer, HistoryState, LineId, Millis};

use super::App;
use super::places::Place;
use crate::talk::{Look, rows};
use crate::text::Row;

/// History is asked for when fewer lines than this are above what is shown.
const AHEAD: usize = 60;

/// How somebody looks at one conversation.
#[derive(Debug, Clone, Default)]
pub struct View {
    /// The lowest row that is shown; none: the end, whatever comes.
    pub(crate) held: Option<Held>,
    /// The line where the unread began when the person came.
    pub(crate) fresh: Option<LineId>,
    /// What was being typed here, and where the cursor was.
    pub(crate) draft: (String, usize),
}

/// A row of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Held {
    /// The first of the lines that are shown together.
    pub line: LineId,
    /// Its place in the list, in case the line is let go.
    pub index: usize,
    /// So many of its rows are above the lower edge.
    pub rows: usize,
}

impl View {
    /// Whether the newest line is in view.
    pub fn at_end(&self) -> bool {
        self.held.is_none()
    }
}

/// What is shown of a conversation.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    /// The rows, from above.
    pub rows: Vec<Row>,
    /// The indexes of the lines that they are of.
    pub lines: Range<usize>,
    /// The conversation begins here, or what is before it is not loaded.
    pub from_start: bool,
}

/// Walks through a conversation's rows upward, from a place.
struct Walk<'a, 'b> {
    buffer: &'a Buffer,
    look: &'a Look<'b>,
    /// The lines from here on have been walked.
    start: usize,
}

impl Walk<'_, '_> {
    /// The rows of the next unit above, and its first index.
    fn up(&mut self) -> Option<(usize, Vec<Row>)> {
        let last = self.start.checked_sub(1)?;
        let unit = rows::unit(&self.buffer.lines, last, self.look);
        self.start = unit.start;
        Some((unit.start, rows::rows(self.buffer, unit, self.look)))
    }
}

/// The index behind the unit that is held, and how many of its rows count.
fn lower_edge(buffer: &Buffer, held: Option<Held>, look: &Look<'_>) -> (usize, Option<usize>) {
    let all = buffer.lines.len();
    match held {
        None => (all, None),
        Some(_) if all == 0 => (0, None),
        Some(held) => {
            let index = buffer.lines.index_of(held.line).unwrap_or(held.index).min(all - 1);
            (rows::unit(&buffer.lines, index, look).end, Some(held.rows))
        }
    }
}

/// What is shown in `height` rows.
pub(crate) fn shown(buffer: &Buffer, held: Option<Held>, height: usize, look: &Look<'_>) -> Shown {
    let (end, limit) = lower_edge(buffer, held, look);
    let mut walk = Walk { buffer, look, start: end };
    let mut pieces: Vec<Vec<Row>> = Vec::new();
    let mut count = 0;
    while count < height
        && let Some((_, mut rows)) = walk.up()
    {
        if pieces.is_empty()
            && let Some(limit) = limit
        {
            rows.truncate(limit);
        }
        count += rows.len();
        pieces.push(rows);
    }
    let from_start = walk.start == 0 && count <= height;
    let mut rows: Vec<Row> = pieces.into_iter().rev().flatten().collect();
    rows.drain(..count.saturating_sub(height));
    Shown { rows, lines: walk.start..end, from_start }
}

/// The place so many rows further up.
fn upward(buffer: &Buffer, held: Option<Held>, by: usize, height: usize, look: &Look<'_>) -> Option<Held> {
    let (end, limit) = lower_edge(buffer, held, look);
    let mut walk = Walk { buffer, look, start: end };
    let mut left = by;
    let mut found = held;
    let mut first = true;
    while let Some((index, rows)) = walk.up() {
        let count = match limit {
            Some(limit) if first => rows.len().min(limit),
            _ => rows.len(),
        };
        first = false;
        let line = buffer.lines.get(index)?.id;
        if count > left {
            found = Some(Held { line, index, rows: count - left });
            break;
        }
        left -= count;
        found = Some(Held { line, index, rows: count.min(1) });
    }
    // Never further than that the first row is at the top.
    let filled = shown(buffer, found, height, look);
    if filled.rows.len() < height { top(buffer, height, look) } else { found }
}

/// The highest place: the first row is at the top.
fn top(buffer: &Buffer, height: usize, look: &Look<'_>) -> Option<Held> {
    let mut count = 0;
    let mut index = 0;
    while index < buffer.lines.len() {
        let unit = rows::unit(&buffer.lines, index, look);
        let rows = rows::rows(buffer, unit.clone(), look).len();
        if count + rows >= height {
            let line = buffer.lines.get(unit.start)?.id;
            return Some(Held { line, index: unit.start, rows: height - count });
        }
        count += rows;
        index = unit.end;
    }
    None
}

/// The place so many rows further down; none: the end.
fn downward(buffer: &Buffer, held: Held, by: usize, look: &Look<'_>) -> Option<Held> {
    let (end, _) = lower_edge(buffer, Some(held), look);
    let mut index = rows::unit(&buffer.lines, end.checked_sub(1)?, look).start;
    let mut wanted = held.rows + by;
    while index < buffer.lines.len() {
        let unit = rows::unit(&buffer.lines, index, look);
        let count = rows::rows(buffer, unit.clone(), look).len();
        if count >= wanted {
            let end = unit.end >= buffer.lines.len() && count == wanted;
            let line = buffer.lines.get(unit.start)?.id;
            return (!end).then_some(Held { line, index: unit.start, rows: wanted });
        }
        wanted -= count;
        index = unit.end;
    }
    None
}

impl App {
    /// Scrolls the conversation in view: rows up when negative, down when positive.
    pub(crate) fn scroll(&mut self, by: isize, now: Millis) {
        let Some(place) = self.place else { return };
        let height = self.map.talk.height as usize;
        let held = self.views.get(&place).and_then(|view| view.held);
        let moved = {
            let Some(buffer) = self.buffer_of(place) else { return };
            let look = self.look_at(place, self.map.talk.width as usize);
            match (by, held) {
                (..0, _) => upward(buffer, held, by.unsigned_abs(), height, &look),
                (_, None) => None,
                (_, Some(held)) => downward(buffer, held, by.unsigned_abs(), &look),
            }
        };
        self.hold(moved, now);
    }

    /// To the first line that is loaded.
    pub(crate) fn scroll_top(&mut self, now: Millis) {
        let Some(place) = self.place else { return };
        let height = self.map.talk.height as usize;
        let moved = {
            let Some(buffer) = self.buffer_of(place) else { return };
            top(buffer, height, &self.look_at(place, self.map.talk.width as usize))
        };
        self.hold(moved, now);
    }

    /// To the newest line.
    pub(crate) fn scroll_end(&mut self, now: Millis) {
        if let Some((client, buffer)) = self.here_mut()
            && client.buffer(buffer).is_some_and(|buffer| !buffer.at_end)
        {
            client.latest(buffer, now);
        }
        self.hold(None, now);
    }

    /// Brings a line into the middle.
    pub(crate) fn scroll_to(&mut self, line: LineId, now: Millis) {
        let Some(place) = self.place else { return };
        let height = self.map.talk.height as usize;
        let moved = {
            let Some(buffer) = self.buffer_of(place) else { return };
            let look = self.look_at(place, self.map.talk.width as usize);
            let Some(index) = buffer.lines.index_of(line) else { return };
            let unit = rows::unit(&buffer.lines, index, &look);
            let count = rows::rows(buffer, unit.clone(), &look).len();
            let Some(first) = buffer.lines.get(unit.start) else { return };
            let held = Held { line: first.id, index: unit.start, rows: count.max(1) };
            let lower = downward(buffer, held, height / 2, &look);
            // Near the beginning there is not enough above it.
            let full = shown(buffer, lower, height, &look).rows.len() >= height;
            if full { lower } else { top(buffer, height, &look) }
        };
        self.hold(moved, now);
    }

    fn hold(&mut self, held: Option<Held>, now: Millis) {
        if let Some(view) = self.view_mut() {
            view.held = held;
        }
        self.changed = true;
        self.look(now);
    }

    /// Asks for history where the upper edge is near what is loaded.
    pub(crate) fn page(&mut self, lines: &Range<usize>, now: Millis) {
        let Some((client, id)) = self.here_mut() else { return };
        let Some(buffer) = client.buffer(id) else { return };
        let more = matches!(buffer.history, HistoryState::Unknown | HistoryState::More);
        let (near, behind) = (lines.start < AHEAD, buffer.lines.len().saturating_sub(lines.end) < AHEAD);
        let at_end = buffer.at_end;
        if near && more && client.is_online() {
            client.older(id, now);
        }
        if behind && !at_end {
            client.newer(id, now);
        }
    }

    /// How the conversation of a place is looked at.
    pub(crate) fn look_at(&self, place: Place, columns: usize) -> Look<'_> {
        let client = self.servers.get(place.server).map(|server| &server.client);
        let here = self.place == Some(place);
        Look {
            theme: &self.theme,
            columns,
            zone: &self.options.zone,
            numbers: self.numbers || here && self.points(),
            presence: self.presence,
            me: client.map_or("", |client| client.me().nick.as_ref()),
            fresh: self.views.get(&place).and_then(|view| view.fresh),
            search: self.search.as_ref().filter(|_| here).map(|search| (search.words.as_str(), search.at)),
        }
    }

    /// Whether a command is being typed that points at a message by its number.
    fn points(&self) -> bool {
        let text = self.editor.text();
        ["/re ", "/edit ", "/del ", "/delete ", "/react ", "/unreact ", "/pin ", "/unpin ", "/was "]
            .iter()
            .any(|command| text.starts_with(command))
    }
}
