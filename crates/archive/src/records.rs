//! Reading for those who keep rooms and the server: what was done by whom, and whose messages a purge would hide.

use std::collections::HashMap;
use std::sync::Arc;

use chinwag_core::history::Happened;
use chinwag_core::ids::Number;
use chinwag_core::records::{Records, RecordsQuery, Sift, Sifted, SiftedMessage, is_meant};
use chinwag_log::Seq;
use rusqlite::Connection;

use crate::reader::{ReadFailed, Senders, sender, spoilt};
use crate::room::InRoom;
use crate::rows::{self, kind};
use crate::schema::{ROOM_RECORDS, SERVER_RECORDS, placed};
use crate::writer::signed;

/// Messages that are looked at for one purge. It takes up to about a second.
const LOOKED_AT_MAX: u64 = 500_000;

/// A page of what was done.
pub(crate) fn read(connection: &Connection, query: &RecordsQuery) -> Result<Records, ReadFailed> {
    // Who takes back what they said themselves keeps nothing in order.
    let filter = match query.room {
        Some(_) => format!(
            "INDEXED BY ev_record WHERE {ROOM_RECORDS} AND room = ?1
             AND (kind <> {} OR json_extract(extra, '$.own') IS NOT 1)",
            kind::REDACTION
        ),
        None => format!("INDEXED BY ev_server_record WHERE {SERVER_RECORDS} AND ?1 = 0"),
    };
    let sql = format!("SELECT seq, at_ms, extra FROM ev {filter} AND seq < ?2 ORDER BY seq DESC LIMIT ?3");
    let room = query.room.map_or(0, |room| room.0);
    let before = query.before.map_or(i64::MAX, |seq| signed(seq.0.min(i64::MAX as u64)));
    let mut statement = connection.prepare_cached(&sql)?;
    let mut found = statement.query((room, before, i64::from(query.limit) + 1))?;
    let mut rows = Vec::new();
    while let Some(row) = found.next()? {
        let seq = Seq(row.get::<_, i64>(0)?.cast_unsigned());
        let extra = row.get_ref(2)?.as_str_or_null().map_err(rusqlite::Error::from)?;
        let event = rows::other_event(extra, None).map_err(|error| spoilt(seq, &error))?;
        rows.push(Happened { seq, at_ms: row.get::<_, i64>(1)?.cast_unsigned(), event });
    }
    let end = rows.len() as u64 <= u64::from(query.limit);
    rows.truncate(query.limit as usize);
    rows.reverse();
    Ok(Records { rows, end })
}

impl InRoom<'_> {
    /// The messages of those whom a purge means, the newest where there are too many.
    pub(crate) fn sift(&self, sift: &Sift, senders: &mut Senders) -> Result<Sifted, ReadFailed> {
        let Some(pattern) = sift.pattern() else { return Ok(Sifted::default()) };
        let (first, last) = (sift.first.0.max(1), sift.last.0.min(i64::MAX as u64 - 1));
        if first > last {
            return Ok(Sifted::default());
        }
        let from = self.search(first, last, |spot| spot.at_ms >= sift.since_ms)?;
        let least = from.max(last.saturating_sub(LOOKED_AT_MAX - 1));
        let mut meant: HashMap<i64, Option<Arc<str>>> = HashMap::new();
        let mut found = Vec::new();
        let mut more = least > from;
        let sql = concat!(
            "SELECT ev.seq, ev.number, ev.kind, ev.sender FROM ",
            placed!(),
            " AND ",
            kind::said!(),
            " ORDER BY place.number DESC, ev.seq DESC"
        );
        let late = concat!(
            "SELECT seq, number, kind, sender FROM ev
             WHERE seq > (SELECT value FROM meta WHERE key = 'placed') AND room = ?1
             AND number BETWEEN ?2 AND ?3 AND ",
            kind::said!(),
            " ORDER BY number DESC"
        );
        'all: for sql in [late, sql] {
            let mut statement = self.connection.prepare_cached(sql)?;
            let range = (self.room.0, signed(least), signed(last));
            let mut rows = statement.query(range)?;
            while let Some(row) = rows.next()? {
                let id: i64 = row.get(3)?;
                let nick = match meant.get(&id) {
                    Some(nick) => nick.clone(),
                    None => {
                        let (_, who) = sender(self.connection, senders, id)?;
                        let nick = is_meant(&pattern, &who).then(|| Arc::clone(&who.nick));
                        meant.insert(id, nick.clone());
                        nick
                    }
                };
                let Some(nick) = nick else { continue };
                if found.len() >= sift.limit as usize {
                    more = true;
                    break 'all;
                }
                let message = SiftedMessage {
                    number: Number(row.get::<_, i64>(1)?.cast_unsigned()),
                    seq: Seq(row.get::<_, i64>(0)?.cast_unsigned()),
                    shown: row.get::<_, i64>(2)? <= kind::SHOWN_MAX,
                };
                found.push((message, nick));
            }
        }
        found.reverse();
        Ok(Sifted::new(found, more))
    }
}
