//! One room's messages in one snapshot: what is in `place`, and the few that are not there yet.

use std::sync::Arc;

use chinwag_core::event::{Amendment, Event};
use chinwag_core::history::{Anchor, Happened, Page, Part, Query, Row, Show, is_shown};
use chinwag_core::ids::{Number, RoomId};
use chinwag_core::pointed::{Change, Former, Found, Pointer};
use chinwag_log::Seq;
use rusqlite::{Connection, OptionalExtension};

use crate::reader::{ReadFailed, Senders, sender, spoilt};
use crate::rows::{self, HAPPENED, kind};
use crate::schema::placed;
use crate::writer::signed;

/// A stretch of the room's numbers, both ends included, and from which end to take.
struct Stretch {
    from: u64,
    to: u64,
    newest: bool,
    limit: u32,
}

/// The same in positions of the log, both ends left out.
struct Span {
    after: u64,
    before: u64,
    newest: bool,
    limit: u32,
}

/// Takes what is beyond the limit away again, at the far end. Whether there was nothing.
fn trim<T>(found: &mut Vec<T>, newest: bool, limit: u32) -> bool {
    let beyond = found.len().saturating_sub(usize::try_from(limit).unwrap_or(usize::MAX));
    if newest {
        found.drain(..beyond);
    } else {
        found.truncate(found.len() - beyond);
    }
    beyond == 0
}

/// Where a message is.
#[derive(Clone, Copy)]
pub(crate) struct Spot {
    pub(crate) number: u64,
    pub(crate) seq: u64,
    pub(crate) at_ms: u64,
    pub(crate) kind: i64,
}

/// A room. Lives no longer than the read transaction in which it was made.
pub(crate) struct InRoom<'c> {
    pub(crate) connection: &'c Connection,
    pub(crate) room: RoomId,
    /// The messages that `place` does not have yet, oldest first.
    tail: Vec<Spot>,
}

impl<'c> InRoom<'c> {
    pub(crate) fn new(connection: &'c Connection, room: RoomId) -> Result<Self, ReadFailed> {
        let mut statement = connection.prepare_cached(
            "SELECT number, seq, at_ms, kind FROM ev
             WHERE seq > (SELECT value FROM meta WHERE key = 'placed') AND room = ?1 AND number IS NOT NULL
             ORDER BY seq",
        )?;
        let tail = statement.query_map([room.0], spot)?.collect::<rusqlite::Result<_>>()?;
        Ok(InRoom { connection, room, tail })
    }

    /// The room without a look at what is not placed yet: enough to read rows that are at hand.
    pub(crate) fn bare(connection: &'c Connection, room: RoomId) -> Self {
        InRoom { connection, room, tail: Vec::new() }
    }

    /// The number and time of the last message.
    pub(crate) fn head(&self) -> Result<Option<(u64, u64)>, ReadFailed> {
        if let Some(last) = self.tail.last() {
            return Ok(Some((last.number, last.at_ms)));
        }
        let sql =
            "SELECT ev.number, ev.seq, ev.at_ms, ev.kind FROM place CROSS JOIN ev ON ev.seq = place.seq + place.count - 1
             WHERE place.room = ?1 ORDER BY place.number DESC LIMIT 1";
        let last = self.connection.prepare_cached(sql)?.query_row([self.room.0], spot).optional()?;
        Ok(last.map(|last| (last.number, last.at_ms)))
    }

    /// The page that is asked for.
    pub(crate) fn page(&self, query: &Query, senders: &mut Senders) -> Result<Page, ReadFailed> {
        let mut page = Page { end: true, ..Page::default() };
        for anchor in query.part.anchors() {
            if let Anchor::Seq(seq) = anchor
                && !self.has(seq)?
            {
                return Ok(Page { astray: true, ..page });
            }
        }
        if query.events {
            return self.with_events(query, senders);
        }
        for Stretch { from, to, newest, limit } in self.stretches(query)? {
            // One more than is asked for tells whether there is more.
            let more = Stretch { from, to, newest, limit: limit.saturating_add(1) };
            let mut rows = self.rows(&more, senders)?;
            page.end &= trim(&mut rows, newest, limit);
            page.rows.extend(rows);
        }
        Ok(page)
    }

    /// Whether a position is one of this room's.
    fn has(&self, seq: Seq) -> Result<bool, ReadFailed> {
        let mut statement = self.connection.prepare_cached("SELECT room FROM ev WHERE seq = ?1")?;
        let room: Option<u32> = statement.query_row([position(seq.0)], |row| row.get(0)).optional()?;
        match room {
            Some(room) => Ok(room == self.room.0),
            // Whoever was away for longer than anything is kept goes on from what there is.
            None => Ok(self.is_before_all(seq.0)?),
        }
    }

    /// The page that is asked for, with what else happened between the messages.
    fn with_events(&self, query: &Query, senders: &mut Senders) -> Result<Page, ReadFailed> {
        let mut page = Page { end: true, ..Page::default() };
        let first = query.first.0.max(1);
        let last = query.last.0.min(i64::MAX as u64 - 1);
        for Span { after, before, newest, limit } in self.spans(query)? {
            let more = limit.saturating_add(1);
            let from = self.search(first, last, |spot| spot.seq > after)?;
            let to = self.search(first, last, |spot| spot.seq >= before)? - 1;
            let rows = self.rows(&Stretch { from, to, newest, limit: more }, senders)?;
            let events = self.events(&Span { after, before, newest, limit: more })?;
            let of_rows = rows.iter().map(|row| row.seq);
            let mut places: Vec<Seq> = of_rows.chain(events.iter().map(|event| event.seq)).collect();
            places.sort_unstable();
            page.end &= trim(&mut places, newest, limit);
            let (Some(lowest), Some(highest)) = (places.first(), places.last()) else { continue };
            let kept = *lowest..=*highest;
            page.rows.extend(rows.into_iter().filter(|row| kept.contains(&row.seq)));
            page.events.extend(events.into_iter().filter(|event| kept.contains(&event.seq)));
        }
        Ok(page)
    }

    /// Which spans of the log make the page. What happened before the room started over is hidden.
    fn spans(&self, query: &Query) -> Result<Vec<Span>, ReadFailed> {
        let limit = query.limit;
        let renewed: Option<i64> = self
            .connection
            .prepare_cached(
                "SELECT seq FROM ev INDEXED BY ev_room_other
                 WHERE room = ?1 AND number IS NULL AND kind = ?2 ORDER BY seq DESC LIMIT 1",
            )?
            .query_row((self.room.0, kind::RENEWED), |row| row.get(0))
            .optional()?;
        let start = renewed.unwrap_or(0).cast_unsigned();
        let end = query.until.0.max(self.position_of(query.last)?).saturating_add(1);
        let imported = self.unordered()? > 0;
        // The position before which, and that after which, an anchor is.
        let find = |anchor: Anchor| -> Result<(u64, u64), ReadFailed> {
            Ok(match anchor {
                Anchor::Seq(seq) => (seq.0, seq.0),
                Anchor::Time(at_ms) if imported => {
                    let before = self.said_at(query, end, |found| found >= at_ms)?;
                    (before, self.said_at(query, end, |found| found > at_ms)? - 1)
                }
                Anchor::Time(at_ms) => {
                    let before = self.position_at(end, |found| found >= at_ms)?;
                    (before, self.position_at(end, |found| found > at_ms)? - 1)
                }
            })
        };
        let one = |after: u64, before: u64, newest: bool| {
            vec![Span { after: after.max(start), before: before.min(end), newest, limit }]
        };
        Ok(match query.part {
            Part::Latest(None) => one(0, end, true),
            Part::Latest(Some(anchor)) => one(find(anchor)?.1, end, true),
            Part::Before(anchor) => one(0, find(anchor)?.0, true),
            Part::After(anchor) => one(find(anchor)?.1, end, false),
            Part::Around(anchor) => {
                let (middle, _) = find(anchor)?;
                let half = limit / 2;
                let mut spans = one(0, middle, true);
                spans.extend(one(middle.saturating_sub(1), end, false));
                (spans[0].limit, spans[1].limit) = (half, limit - half);
                spans
            }
            Part::Between(one_end, other_end) => {
                let (first, second) = (find(one_end)?, find(other_end)?);
                if first.0 <= second.0 { one(first.1, second.0, false) } else { one(second.1, first.0, true) }
            }
        })
    }

    /// The position of a message; 0 when there is none of that number.
    fn position_of(&self, number: Number) -> Result<u64, ReadFailed> {
        let number = number.0.min(i64::MAX as u64);
        Ok(self.at(number, number)?.map_or(0, |spot| spot.seq))
    }

    /// The position up to which times may go back: what was imported. 0 where nothing was.
    pub(crate) fn unordered(&self) -> rusqlite::Result<u64> {
        let fact = "SELECT value FROM meta WHERE key = 'unordered'";
        let found: Option<i64> =
            self.connection.prepare_cached(fact)?.query_row((), |row| row.get(0)).optional()?;
        Ok(found.unwrap_or(0).cast_unsigned())
    }

    /// The position of the room's first message whose time is `reached`; `end` when there is none. Within a room times
    /// never go back.
    fn said_at(&self, query: &Query, end: u64, reached: impl Fn(u64) -> bool) -> Result<u64, ReadFailed> {
        let (first, last) = (query.first.0.max(1), query.last.0.min(i64::MAX as u64 - 1));
        let number = self.search(first, last, |spot| reached(spot.at_ms))?;
        Ok(match self.position_of(Number(number))? {
            0 => end,
            seq => seq.min(end),
        })
    }

    /// The first position below `end` whose time is `reached`, by halving: behind what was imported times never go back.
    /// `end` when there is none.
    pub(crate) fn position_at(&self, end: u64, reached: impl Fn(u64) -> bool) -> Result<u64, ReadFailed> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT seq, at_ms FROM ev WHERE seq >= ?1 ORDER BY seq LIMIT 1")?;
        let (mut low, mut high) = (self.unordered()? + 1, end.max(1));
        while low < high {
            let middle = low + (high - low) / 2;
            let found: Option<(i64, i64)> =
                statement.query_row([position(middle)], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
            match found {
                Some((seq, at_ms)) if !reached(at_ms.cast_unsigned()) => low = seq.cast_unsigned() + 1,
                _ => high = middle,
            }
        }
        Ok(low.min(end.max(1)))
    }

    /// What happened in a span, besides messages, oldest first.
    fn events(&self, span: &Span) -> Result<Vec<Happened>, ReadFailed> {
        let order = if span.newest { "DESC" } else { "ASC" };
        let sql = format!(
            "SELECT seq, at_ms, extra FROM ev INDEXED BY ev_room_other
             WHERE room = ?1 AND number IS NULL AND seq > ?2 AND seq < ?3 AND kind IN ({HAPPENED})
             ORDER BY seq {order} LIMIT ?4"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut found =
            statement.query((self.room.0, position(span.after), position(span.before), span.limit))?;
        let mut events = Vec::new();
        while let Some(row) = found.next()? {
            let seq = Seq(row.get::<_, i64>(0)?.cast_unsigned());
            let extra = row.get_ref(2)?.as_str_or_null().map_err(rusqlite::Error::from)?;
            let mut event = rows::other_event(extra, None).map_err(|error| spoilt(seq, &error))?;
            if let Event::Amended(amended) = &event
                && matches!(amended.what, Amendment::Edited { .. })
            {
                let text = self.text(amended.position)?;
                event = rows::other_event(extra, Some(&text)).map_err(|error| spoilt(seq, &error))?;
            }
            let at_ms = row.get::<_, i64>(1)?.cast_unsigned();
            events.push(Happened { seq, at_ms, event });
        }
        events.retain(|happened| is_shown(&happened.event));
        if span.newest {
            events.reverse();
        }
        Ok(events)
    }

    /// What a message says now; nothing when it is gone.
    fn text(&self, position: u64) -> Result<String, ReadFailed> {
        let mut statement = self.connection.prepare_cached("SELECT body FROM ev WHERE seq = ?1")?;
        let found: Option<Option<String>> =
            statement.query_row([self::position(position)], |row| row.get(0)).optional()?;
        Ok(found.flatten().unwrap_or_default())
    }

    /// Which stretches of the room's numbers make the page.
    fn stretches(&self, query: &Query) -> Result<Vec<Stretch>, ReadFailed> {
        let limit = query.limit;
        let first = query.first.0.max(1);
        let last = query.last.0.min(i64::MAX as u64 - 1);
        if first > last || limit == 0 {
            return Ok(Vec::new());
        }
        if let Show::Pins(numbers) = &query.show {
            let shown =
                numbers.iter().map(|number| number.0).filter(|number| (first..=last).contains(number));
            return Ok(shown
                .map(|number| Stretch { from: number, to: number, newest: false, limit: 1 })
                .collect());
        }
        let find = |anchor: Anchor| self.find(anchor, first, last);
        let one = |from: u64, to: u64, newest: bool| vec![Stretch { from, to, newest, limit }];
        Ok(match query.part {
            Part::Latest(None) => one(first, last, true),
            Part::Latest(Some(anchor)) => one(find(anchor)?.1, last, true),
            Part::Before(anchor) => one(first, find(anchor)?.0 - 1, true),
            Part::After(anchor) => one(find(anchor)?.1, last, false),
            Part::Around(anchor) => {
                let (middle, _) = find(anchor)?;
                let before = limit / 2;
                vec![
                    Stretch { from: first, to: middle - 1, newest: true, limit: before },
                    Stretch { from: middle, to: last, newest: false, limit: limit - before },
                ]
            }
            Part::Between(one_end, other_end) => {
                let (start, end) = (find(one_end)?, find(other_end)?);
                if start.0 <= end.0 { one(start.1, end.0 - 1, false) } else { one(end.1, start.0 - 1, true) }
            }
        })
    }

    /// A message and what happened to it.
    pub(crate) fn message(
        &self,
        of: Pointer,
        senders: &mut Senders,
    ) -> Result<Option<Box<Found>>, ReadFailed> {
        let seq = match of {
            Pointer::Seq(seq) => Some(seq.0),
            Pointer::Number(number) => self.at(number.0, number.0)?.map(|spot| spot.seq),
        };
        let Some(seq) = seq.filter(|seq| *seq <= i64::MAX as u64) else { return Ok(None) };
        let mut statement = self.connection.prepare_cached(
            "SELECT seq, number, at_ms, kind, sender, body, extra FROM ev
             WHERE seq = ?1 AND room = ?2 AND number IS NOT NULL",
        )?;
        let mut found = statement.query((signed(seq), self.room.0))?;
        let Some(columns) = found.next()? else { return Ok(None) };
        let (user, _) = sender(self.connection, senders, columns.get(4)?)?;
        let row = self.row(columns, senders)?;
        let formers = self.formers(row.number, senders)?;
        Ok(Some(Box::new(Found { row, user, formers })))
    }

    /// What happened to a message: edits, and its deletion.
    fn formers(&self, number: Number, senders: &mut Senders) -> Result<Vec<Former>, ReadFailed> {
        let mut statement = self.connection.prepare_cached(
            "SELECT at_ms, kind, sender, body FROM amend WHERE room = ?1 AND number = ?2 ORDER BY seq",
        )?;
        let mut found = statement.query((self.room.0, signed(number.0)))?;
        let mut formers = Vec::new();
        while let Some(columns) = found.next()? {
            let body: Option<Arc<str>> =
                columns.get_ref(3)?.as_str_or_null().map_err(rusqlite::Error::from)?.map(Arc::from);
            let change = match columns.get(1)? {
                kind::EDIT => Change::Edited(body),
                kind::REDACTION => Change::Deleted(body),
                _ => continue,
            };
            let (_, by) = sender(self.connection, senders, columns.get(2)?)?;
            formers.push(Former { at_ms: columns.get::<_, i64>(0)?.cast_unsigned(), by, change });
        }
        Ok(formers)
    }

    /// Where an anchor is among the numbers `first..=last`: the first number that is not before it, and the first
    /// that is after it. Both are between `first` and `last + 1`.
    fn find(&self, anchor: Anchor, first: u64, last: u64) -> Result<(u64, u64), ReadFailed> {
        let end = last + 1;
        match anchor {
            Anchor::Seq(seq) => {
                let row: Option<(u32, Option<i64>)> = self
                    .connection
                    .prepare_cached("SELECT room, number FROM ev WHERE seq = ?1")?
                    .query_row([signed(seq.0.min(i64::MAX as u64))], |row| Ok((row.get(0)?, row.get(1)?)))
                    .optional()?;
                if let Some((room, Some(number))) = row
                    && room == self.room.0
                {
                    let number = number.cast_unsigned();
                    return Ok((number.clamp(first, end), (number + 1).clamp(first, end)));
                }
                let at = self.search(first, last, |spot| spot.seq >= seq.0)?;
                Ok((at, at))
            }
            Anchor::Time(at_ms) => {
                let from = self.search(first, last, |spot| spot.at_ms >= at_ms)?;
                Ok((from, self.search(from, last, |spot| spot.at_ms > at_ms)?))
            }
        }
    }

    /// The first number in `first..=last` from which on `reached` holds for every message, by halving: positions
    /// and times grow with the number. `last + 1` when it holds for none.
    pub(crate) fn search(
        &self,
        first: u64,
        last: u64,
        reached: impl Fn(&Spot) -> bool,
    ) -> Result<u64, ReadFailed> {
        let (mut low, mut high) = (first, last + 1);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.at(middle, high - 1)? {
                Some(spot) if !reached(&spot) => low = spot.number + 1,
                _ => high = middle,
            }
        }
        Ok(low)
    }

    /// The first message with a number in `from..=to`.
    pub(crate) fn at(&self, from: u64, to: u64) -> Result<Option<Spot>, ReadFailed> {
        if self.tail.first().is_none_or(|first| from < first.number) {
            let range = (self.room.0, signed(from), signed(to));
            let placed = self.connection.prepare_cached(PLACED_FIRST)?.query_row(range, spot).optional()?;
            if placed.is_some() {
                return Ok(placed);
            }
        }
        let index = self.tail.partition_point(|spot| spot.number < from);
        Ok(self.tail.get(index).filter(|spot| spot.number <= to).copied())
    }

    /// The messages of a stretch that everybody may read, oldest first.
    fn rows(&self, stretch: &Stretch, senders: &mut Senders) -> Result<Vec<Row>, ReadFailed> {
        let Stretch { from, to, newest, limit } = *stretch;
        if from > to || limit == 0 {
            return Ok(Vec::new());
        }
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let shown = |spot: &&Spot| (from..=to).contains(&spot.number) && spot.kind <= kind::SHOWN_MAX;
        let spots = self.tail.iter().filter(shown);
        let mut page;
        if newest {
            let spots: Vec<&Spot> = spots.rev().take(limit).collect();
            page = self.placed(stretch, limit - spots.len(), senders)?;
            page.reverse();
            for spot in spots.into_iter().rev() {
                page.extend(self.by_position(spot, senders)?);
            }
        } else {
            page = self.placed(stretch, limit, senders)?;
            for spot in spots.take(limit - page.len()) {
                page.extend(self.by_position(spot, senders)?);
            }
        }
        Ok(page)
    }

    /// The part of a stretch that is in `place`, from the end that was asked for.
    fn placed(&self, stretch: &Stretch, limit: usize, senders: &mut Senders) -> Result<Vec<Row>, ReadFailed> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let sql = if stretch.newest { PLACED_NEWEST } else { PLACED_OLDEST };
        let mut statement = self.connection.prepare_cached(sql)?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let range = (self.room.0, signed(stretch.from), signed(stretch.to), limit);
        let mut found = statement.query(range)?;
        let mut page = Vec::new();
        while let Some(row) = found.next()? {
            page.push(self.row(row, senders)?);
        }
        Ok(page)
    }

    fn by_position(&self, spot: &Spot, senders: &mut Senders) -> Result<Option<Row>, ReadFailed> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT seq, number, at_ms, kind, sender, body, extra FROM ev WHERE seq = ?1")?;
        let mut found = statement.query([signed(spot.seq)])?;
        found.next()?.map(|row| self.row(row, senders)).transpose()
    }

    pub(crate) fn row(&self, row: &rusqlite::Row<'_>, senders: &mut Senders) -> Result<Row, ReadFailed> {
        let seq = Seq(row.get::<_, i64>(0)?.cast_unsigned());
        let extra = row.get_ref(6)?.as_str_or_null().map_err(rusqlite::Error::from)?;
        let (client_tags, joins, status) = rows::said_rare(extra).map_err(|error| spoilt(seq, &error))?;
        let (_, by) = sender(self.connection, senders, row.get(4)?)?;
        Ok(Row {
            seq,
            number: Number(row.get::<_, i64>(1)?.cast_unsigned()),
            at_ms: row.get::<_, i64>(2)?.cast_unsigned(),
            by,
            kind: rows::say_kind(row.get(3)?).map_err(|error| spoilt(seq, &error))?,
            text: row.get_ref(5)?.as_str().map_err(rusqlite::Error::from)?.into(),
            joins,
            client_tags,
            status,
        })
    }
}

/// A position as SQLite has it: none of ours is above its largest number.
fn position(seq: u64) -> i64 {
    signed(seq.min(i64::MAX as u64))
}

const PLACED_NEWEST: &str = concat!(
    "SELECT ev.seq, ev.number, ev.at_ms, ev.kind, ev.sender, ev.body, ev.extra FROM ",
    placed!(),
    " AND ",
    kind::shown!(),
    " ORDER BY place.number DESC, ev.seq DESC LIMIT ?4"
);
const PLACED_OLDEST: &str = concat!(
    "SELECT ev.seq, ev.number, ev.at_ms, ev.kind, ev.sender, ev.body, ev.extra FROM ",
    placed!(),
    " AND ",
    kind::shown!(),
    " ORDER BY place.number, ev.seq LIMIT ?4"
);

/// The first message of `?2..=?3`, of the first run that has one.
const PLACED_FIRST: &str = "SELECT ev.number, ev.seq, ev.at_ms, ev.kind
    FROM place CROSS JOIN ev ON ev.seq = place.seq + max(?2 - place.number, 0)
    WHERE place.room = ?1 AND place.number <= ?3 AND place.number >= ifnull(
        (SELECT max(number) FROM place WHERE room = ?1 AND number <= ?2), ?2)
    AND place.number + place.count > ?2 AND ?2 <= ?3 ORDER BY place.number LIMIT 1";

fn spot(row: &rusqlite::Row<'_>) -> rusqlite::Result<Spot> {
    Ok(Spot {
        number: row.get::<_, i64>(0)?.cast_unsigned(),
        seq: row.get::<_, i64>(1)?.cast_unsigned(),
        at_ms: row.get::<_, i64>(2)?.cast_unsigned(),
        kind: row.get(3)?,
    })
}
