//! Records out of a database, in the order of the log and all as of one moment; a server may run meanwhile.

use std::collections::HashMap;
use std::path::Path;

use chinwag_core::event::{Amended, Amendment, Event, Who};
use chinwag_wire::casemap::CaseMapping;
use chinwag_wire::msgid::{MsgId, MsgIdKey, Opened};
use rusqlite::{Connection, OptionalExtension, Row};

use super::{Kind, Record, with_replies};
use crate::DATABASE_FILE;
use crate::copy::{self, CopyError};
use crate::reader::{Senders, sender};
use crate::rows::{self, kind};

/// What was written, or is to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// Records so far.
    pub records: u64,
    /// How far in the log, and to which position it goes.
    pub position: u64,
    /// The last position.
    pub of: u64,
}

/// What begins and ends an action in the text of a message.
const ACTION: (&str, &str) = ("\u{1}ACTION ", "\u{1}");

/// Gives the records of these rooms to `each`, which says whether to go on; all rooms when none is named. Rooms of that
/// name before a renaming count under their name of today.
///
/// # Errors
/// [`CopyError`]; [`CopyError::NoRoom`] for a name that no room has.
pub fn export(
    data: &Path,
    rooms: &[String],
    each: &mut dyn FnMut(Record, &Exported) -> bool,
) -> Result<Exported, CopyError> {
    let file = data.join(DATABASE_FILE);
    if !file.is_file() {
        return Err(CopyError::Nothing(data.to_owned()));
    }
    let connection = copy::reading(&file)?;
    let storage = CopyError::storage(&file);
    connection.execute_batch("BEGIN").map_err(&storage)?;
    let reading = Reading::new(&connection, rooms, &storage)?;
    let spoilt = |seq: i64, what: String| CopyError::Damaged {
        file: file.clone(),
        what: format!("the event at position {seq} cannot be read: {what}"),
    };
    let head: i64 =
        connection.query_row("SELECT ifnull(max(seq), 0) FROM ev", (), |row| row.get(0)).map_err(&storage)?;
    let mut done = Exported { of: head.cast_unsigned(), ..Exported::default() };
    let mut senders = Senders::new();
    let mut statement = connection
        .prepare("SELECT seq, room, number, at_ms, kind, sender, body, extra FROM ev ORDER BY seq")
        .map_err(&storage)?;
    let mut found = statement.query(()).map_err(&storage)?;
    while let Some(row) = found.next().map_err(&storage)? {
        let seq: i64 = row.get(0).map_err(&storage)?;
        done.position = seq.cast_unsigned();
        let record = reading.record(row, &mut senders).map_err(|what| spoilt(seq, what))?;
        let Some(record) = record else { continue };
        done.records += 1;
        if !each(record, &done) {
            break;
        }
    }
    Ok(done)
}

/// A database that is read, and the rooms that count.
struct Reading<'c> {
    connection: &'c Connection,
    rooms: HashMap<i64, String>,
    /// Up to which message of a room the time is over.
    expired: HashMap<i64, i64>,
    key: MsgIdKey,
}

impl<'c> Reading<'c> {
    fn new(
        connection: &'c Connection,
        named: &[String],
        storage: &dyn Fn(rusqlite::Error) -> CopyError,
    ) -> Result<Self, CopyError> {
        let fact = "SELECT value FROM meta WHERE key = ?1";
        let mapping: Option<String> =
            connection.query_row(fact, ["casemapping"], |row| row.get(0)).optional().map_err(storage)?;
        let mapping = mapping.and_then(|name| CaseMapping::from_name(&name)).unwrap_or_default();
        let key: [u8; 16] = connection.query_row(fact, ["msgid_key"], |row| row.get(0)).map_err(storage)?;
        let half = |bytes: &[u8]| bytes.iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
        let mut statement = connection
            .prepare(
                "SELECT room.id, room.name FROM room JOIN ev ON ev.room = room.id
                 WHERE ev.number IS NULL AND ev.kind = 16",
            )
            .map_err(storage)?;
        let all = statement
            .query_map((), |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))
            .and_then(Iterator::collect::<rusqlite::Result<Vec<_>>>)
            .map_err(storage)?;
        for name in named {
            if !all.iter().any(|(_, found)| mapping.same(found, name)) {
                return Err(CopyError::NoRoom(name.clone()));
            }
        }
        let counts = |found: &str| named.is_empty() || named.iter().any(|name| mapping.same(name, found));
        let rooms = all.into_iter().filter(|(_, name)| counts(name)).collect();
        // One of an earlier form has no such table, and nothing is over in it.
        let expired = connection.prepare("SELECT room, upto FROM expired").and_then(|mut found| {
            found
                .query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<rusqlite::Result<HashMap<_, _>>>()
        });
        let expired = expired.unwrap_or_default();
        Ok(Reading { connection, rooms, expired, key: MsgIdKey([half(&key[..8]), half(&key[8..])]) })
    }

    /// What a row of the log says, if that is exported.
    fn record(&self, row: &Row<'_>, senders: &mut Senders) -> Result<Option<Record>, String> {
        let failed = |error: rusqlite::Error| error.to_string();
        let id: i64 = row.get(1).map_err(failed)?;
        let Some(room) = self.rooms.get(&id) else { return Ok(None) };
        let at_ms = row.get::<_, i64>(3).map_err(failed)?.cast_unsigned();
        let number: Option<i64> = row.get(2).map_err(failed)?;
        let of_kind: i64 = row.get(4).map_err(failed)?;
        // Nobody reads it any more, whether its row is still there or not. The last one keeps the numbers.
        if number.is_some_and(|number| self.expired.get(&id).is_some_and(|upto| number < *upto)) {
            return Ok(None);
        }
        if number.is_some() {
            let id = row.get(5).map_err(failed)?;
            let (_, who) = sender(self.connection, senders, id).map_err(|error| error.to_string())?;
            return self
                .message(row, of_kind, by(Record::new(room, Kind::Message, at_ms, &who.nick), &who))
                .map(Some);
        }
        if !matches!(of_kind, kind::OPENED | kind::TOPIC_SET | kind::EDIT | kind::REACTION | kind::PIN) {
            return Ok(None);
        }
        let text = |index: usize| {
            let value = row.get_ref(index).map_err(failed)?;
            value.as_str_or_null().map_err(|error| error.to_string())
        };
        let event = rows::other_event(text(7)?, text(6)?).map_err(|error| error.to_string())?;
        let new = |kind, who: &Who| by(Record::new(room, kind, at_ms, &who.nick), who);
        Ok(match event {
            Event::Opened { by: who, common, .. } => Some(Record { common, ..new(Kind::Room, &who) }),
            Event::TopicSet { by: who, topic, .. } => {
                Some(Record { text: Some(topic.to_string()), ..new(Kind::Topic, &who) })
            }
            Event::Amended(amended) => self.amended(&amended, &new)?,
            _ => None,
        })
    }

    fn message(&self, row: &Row<'_>, of_kind: i64, mut record: Record) -> Result<Record, String> {
        let failed = |error: rusqlite::Error| error.to_string();
        record.number = row.get::<_, Option<i64>>(2).map_err(failed)?.map(i64::cast_unsigned);
        if of_kind >= kind::REDACTED {
            return Ok(Record { kind: Kind::Gone, ..record });
        }
        let (room, number): (i64, i64) = (row.get(1).map_err(failed)?, row.get(2).map_err(failed)?);
        // What it was at first.
        let first: Option<Option<String>> = self
            .connection
            .prepare_cached(
                "SELECT body FROM amend WHERE room = ?1 AND number = ?2 AND kind = 21 ORDER BY seq LIMIT 1",
            )
            .and_then(|mut first| first.query_row((room, number), |row| row.get(0)).optional())
            .map_err(failed)?;
        let text = match first.flatten() {
            Some(text) => text,
            None => row.get(6).map_err(failed)?,
        };
        let extra: Option<String> = row.get(7).map_err(failed)?;
        let (tags, joins, status) = rows::said_rare(extra.as_deref()).map_err(|error| error.to_string())?;
        let action =
            text.strip_prefix(ACTION.0).and_then(|rest| rest.strip_suffix(ACTION.1)).map(str::to_owned);
        let notice = matches!(of_kind, kind::NOTICE | kind::STATUS_NOTICE);
        (record.kind, record.text) = match action {
            Some(action) if !notice => (Kind::Action, Some(action)),
            _ if notice => (Kind::Notice, Some(text)),
            _ => (Kind::Message, Some(text)),
        };
        let mut to = None;
        record.tags = tags.map(|tags| {
            with_replies(&tags, |msgid| {
                to = Some(self.number_of(msgid, room)?);
                Some("#".to_owned())
            })
        });
        record.to = to;
        record.joins = joins.map(|joins| joins.to_vec());
        record.status = status;
        Ok(record)
    }

    /// The number of a message of this room.
    fn number_of(&self, msgid: &str, room: i64) -> Option<u64> {
        let Opened::Stored(position) = msgid.parse::<MsgId>().ok()?.open(&self.key)? else { return None };
        let sql = "SELECT number FROM ev WHERE seq = ?1 AND room = ?2 AND number IS NOT NULL";
        let mut statement = self.connection.prepare_cached(sql).ok()?;
        let number: i64 = statement.query_row((position.cast_signed(), room), |row| row.get(0)).ok()?;
        Some(number.cast_unsigned())
    }

    /// What happened to a message; nothing for one that is gone.
    fn amended(
        &self,
        amended: &Amended,
        new: &dyn Fn(Kind, &Who) -> Record,
    ) -> Result<Option<Record>, String> {
        let of_kind: Option<i64> = self
            .connection
            .prepare_cached("SELECT kind FROM ev WHERE seq = ?1")
            .and_then(|mut found| {
                found.query_row([amended.position.cast_signed()], |row| row.get(0)).optional()
            })
            .map_err(|error| error.to_string())?;
        if of_kind.is_none_or(|of_kind| of_kind >= kind::REDACTED) {
            return Ok(None);
        }
        let (of_kind, text) = match &amended.what {
            Amendment::Edited { text } => (Kind::Edit, Some(text.to_string())),
            Amendment::Reacted { reaction, set: true } => (Kind::Reaction, Some(reaction.to_string())),
            Amendment::Reacted { reaction, set: false } => (Kind::Unreaction, Some(reaction.to_string())),
            Amendment::Pinned { set: true } => (Kind::Pin, None),
            Amendment::Pinned { set: false } => (Kind::Unpin, None),
            Amendment::Redacted { .. } => return Ok(None),
        };
        Ok(Some(Record { text, to: Some(amended.number.0), ..new(of_kind, &amended.by) }))
    }
}

fn by(record: Record, who: &Who) -> Record {
    let account = who.account.as_deref().map(str::to_owned);
    Record { user: Some(who.user.to_string()), host: Some(who.host.to_string()), account, ..record }
}
