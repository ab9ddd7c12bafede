//! One room's messages in one snapshot: what is in `place`, and the few that are not there yet.

use chinwag_core::history::{Anchor, Page, Part, Query, Row};
use chinwag_core::ids::{Number, RoomId};
use chinwag_log::Seq;
use rusqlite::{Connection, OptionalExtension};

use crate::reader::{ReadFailed, Senders, sender, spoilt};
use crate::rows::{self, kind};
use crate::writer::signed;

/// A stretch of the room's numbers, both ends included, and from which end to take.
pub(crate) struct Stretch {
    from: u64,
    to: u64,
    newest: bool,
    limit: u32,
}

/// Where a message is.
#[derive(Clone, Copy)]
struct Spot {
    number: u64,
    seq: u64,
    at_ms: u64,
    kind: i64,
}

/// A room. Lives no longer than the read transaction in which it was made.
pub(crate) struct InRoom<'c> {
    connection: &'c Connection,
    room: RoomId,
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

    /// The number and time of the last message.
    pub(crate) fn head(&self) -> Result<Option<(u64, u64)>, ReadFailed> {
        if let Some(last) = self.tail.last() {
            return Ok(Some((last.number, last.at_ms)));
        }
        let sql =
            "SELECT place.number, ev.seq, ev.at_ms, ev.kind FROM place CROSS JOIN ev ON ev.seq = place.seq
             WHERE place.room = ?1 ORDER BY place.number DESC LIMIT 1";
        let last = self.connection.prepare_cached(sql)?.query_row([self.room.0], spot).optional()?;
        Ok(last.map(|last| (last.number, last.at_ms)))
    }

    /// Which stretches of the room's numbers make the page.
    pub(crate) fn stretches(&self, query: &Query) -> Result<Vec<Stretch>, ReadFailed> {
        let limit = query.limit;
        let first = query.first.0.max(1);
        let last = query.last.0.min(i64::MAX as u64 - 1);
        if first > last || limit == 0 {
            return Ok(Vec::new());
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
    fn search(&self, first: u64, last: u64, reached: impl Fn(&Spot) -> bool) -> Result<u64, ReadFailed> {
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
    fn at(&self, from: u64, to: u64) -> Result<Option<Spot>, ReadFailed> {
        if self.tail.first().is_none_or(|first| from < first.number) {
            let sql = "SELECT place.number, ev.seq, ev.at_ms, ev.kind FROM place CROSS JOIN ev ON ev.seq = place.seq
                 WHERE place.room = ?1 AND place.number BETWEEN ?2 AND ?3 ORDER BY place.number LIMIT 1";
            let range = (self.room.0, signed(from), signed(to));
            let placed = self.connection.prepare_cached(sql)?.query_row(range, spot).optional()?;
            if placed.is_some() {
                return Ok(placed);
            }
        }
        let index = self.tail.partition_point(|spot| spot.number < from);
        Ok(self.tail.get(index).filter(|spot| spot.number <= to).copied())
    }

    /// The messages of a stretch that everybody may read, oldest first.
    pub(crate) fn rows(&self, stretch: &Stretch, senders: &mut Senders) -> Result<Page, ReadFailed> {
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
    fn placed(&self, stretch: &Stretch, limit: usize, senders: &mut Senders) -> Result<Page, ReadFailed> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let sql = if stretch.newest { PLACED_NEWEST } else { PLACED_OLDEST };
        let mut statement = self.connection.prepare_cached(sql)?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let range = (self.room.0, signed(stretch.from), signed(stretch.to), limit, kind::SHOWN_MAX);
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

    fn row(&self, row: &rusqlite::Row<'_>, senders: &mut Senders) -> Result<Row, ReadFailed> {
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

const PLACED_NEWEST: &str = "SELECT ev.seq, ev.number, ev.at_ms, ev.kind, ev.sender, ev.body, ev.extra
    FROM place CROSS JOIN ev ON ev.seq = place.seq
    WHERE place.room = ?1 AND place.number BETWEEN ?2 AND ?3 AND ev.kind <= ?5
    ORDER BY place.number DESC LIMIT ?4";
const PLACED_OLDEST: &str = "SELECT ev.seq, ev.number, ev.at_ms, ev.kind, ev.sender, ev.body, ev.extra
    FROM place CROSS JOIN ev ON ev.seq = place.seq
    WHERE place.room = ?1 AND place.number BETWEEN ?2 AND ?3 AND ev.kind <= ?5
    ORDER BY place.number LIMIT ?4";

fn spot(row: &rusqlite::Row<'_>) -> rusqlite::Result<Spot> {
    Ok(Spot {
        number: row.get::<_, i64>(0)?.cast_unsigned(),
        seq: row.get::<_, i64>(1)?.cast_unsigned(),
        at_ms: row.get::<_, i64>(2)?.cast_unsigned(),
        kind: row.get(3)?,
    })
}
