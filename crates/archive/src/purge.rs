//! Purges, as they are stored: a message that is hidden has another kind, so that no reader shows it; nothing else of
//! it changes until the purge is final.

use chinwag_core::event::{Event, Purged, Purging};
use chinwag_core::numbers::Numbers;
use rusqlite::Connection;

use crate::rows::{self, kind};
use crate::schema::{self, placed};
use crate::writer::{Place, signed};

/// Does to messages what the event at `at` says. The caller holds the transaction.
pub(crate) fn store(connection: &Connection, at: &Place, purged: &Purged) -> rusqlite::Result<()> {
    // From here on every message of the room is where its number says.
    schema::place(connection, at.seq.cast_unsigned())?;
    match &purged.what {
        Purging::Hidden { numbers, .. } => {
            change(connection, at.room, numbers, (kind::PRIVMSG, kind::STATUS_NOTICE), kind::HIDDEN)
        }
        Purging::Undone => {
            let numbers = hidden(connection, at.room, purged.purge)?;
            let kinds = (kind::HIDDEN_MIN, kind::HIDDEN_MAX);
            change(connection, at.room, &numbers, kinds, -kind::HIDDEN)
        }
        Purging::Final => wipe(connection, at.room, &hidden(connection, at.room, purged.purge)?),
    }
}

/// What a purge has hidden. An event that makes no sense has hidden nothing; reading it says so.
pub(crate) fn hidden(connection: &Connection, room: u32, purge: u32) -> rusqlite::Result<Numbers> {
    let sql = format!(
        "SELECT extra FROM ev INDEXED BY ev_record WHERE room = ?1 AND {} AND kind = ?2",
        schema::ROOM_RECORDS
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut found = statement.query((room, kind::PURGED))?;
    let mut numbers = Numbers::default();
    while let Some(row) = found.next()? {
        let extra = row.get_ref(0)?.as_str_or_null().map_err(rusqlite::Error::from)?;
        let Ok(Event::Purged(purged)) = rows::other_event(extra, None) else { continue };
        if let Purging::Hidden { numbers: more, .. } = &purged.what
            && purged.purge == purge
        {
            numbers = numbers.with(more);
        }
    }
    Ok(numbers)
}

/// Moves the kinds of messages that have one of these.
fn change(
    connection: &Connection,
    room: u32,
    numbers: &Numbers,
    (from, to): (i64, i64),
    by: i64,
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(concat!(
        "UPDATE ev SET kind = kind + ?6 WHERE kind BETWEEN ?4 AND ?5 AND seq IN (SELECT ev.seq FROM ",
        placed!(),
        ")"
    ))?;
    for (first, last) in numbers.runs() {
        statement.execute((room, signed(*first), signed(*last), from, to, by))?;
    }
    Ok(())
}

/// Takes every text of hidden messages away, as for a deleted one: their own, those they had before, and those of the
/// events that edited them.
fn wipe(connection: &Connection, room: u32, numbers: &Numbers) -> rusqlite::Result<()> {
    let mut messages = connection.prepare_cached(concat!(
        "UPDATE ev SET kind = ?4, body = '', extra = NULL WHERE kind BETWEEN ?5 AND ?6 AND seq IN (SELECT ev.seq FROM ",
        placed!(),
        ")"
    ))?;
    let mut edits = connection.prepare_cached(
        "UPDATE ev SET body = '' WHERE seq IN
         (SELECT seq FROM amend WHERE room = ?1 AND number BETWEEN ?2 AND ?3 AND kind = ?4)",
    )?;
    let mut formers = connection.prepare_cached(
        "UPDATE amend SET body = NULL WHERE room = ?1 AND number BETWEEN ?2 AND ?3 AND kind = ?4",
    )?;
    for (first, last) in numbers.runs() {
        let (first, last) = (signed(*first), signed(*last));
        let hidden = (kind::HIDDEN_MIN, kind::HIDDEN_MAX);
        messages.execute((room, first, last, kind::REDACTED, hidden.0, hidden.1))?;
        edits.execute((room, first, last, kind::EDIT))?;
        formers.execute((room, first, last, kind::EDIT))?;
    }
    Ok(())
}
