//! What happens to messages after they were said, as it is stored: newest texts in place, former ones beside, and
//! nothing of what was deleted.

use chinwag_core::event::{Amended, Amendment};
use rusqlite::{Connection, OptionalExtension};

use crate::rows::{self, kind};
use crate::writer::{Place, signed};

/// Whether the message is deleted, hidden by a purge, or not there: then nothing more is done to it, and no text of it is kept.
pub(crate) fn is_gone(connection: &Connection, amended: &Amended) -> rusqlite::Result<bool> {
    let place = (signed(amended.position), amended.room.0, signed(amended.number.0));
    let found: Option<i64> = connection
        .prepare_cached("SELECT kind FROM ev WHERE seq = ?1 AND room = ?2 AND number = ?3")?
        .query_row(place, |row| row.get(0))
        .optional()?;
    let hidden = kind::HIDDEN_MIN..=kind::HIDDEN_MAX;
    Ok(found.is_none_or(|found| found == kind::REDACTED || hidden.contains(&found)))
}

/// Does to a message what the event at `at` says. The caller holds the transaction and knows that the message is
/// there.
pub(crate) fn store(
    connection: &Connection,
    at: &Place,
    sender: i64,
    amended: &Amended,
) -> rusqlite::Result<()> {
    let message = signed(amended.position);
    match &amended.what {
        Amendment::Edited { text } => {
            let (before, extra): (String, Option<String>) = connection
                .prepare_cached("SELECT body, extra FROM ev WHERE seq = ?1")?
                .query_row([message], |row| Ok((row.get(0)?, row.get(1)?)))?;
            // A row that makes no sense keeps what it has; reading it says so.
            let extra = rows::edited_extra(extra.as_deref()).unwrap_or(extra);
            connection
                .prepare_cached("UPDATE ev SET body = ?2, extra = ?3 WHERE seq = ?1")?
                .execute((message, &**text, extra))?;
            note(connection, at, sender, amended, (kind::EDIT, Some(&before)))?;
        }
        Amendment::Redacted { reason } => {
            remove(connection, amended)?;
            note(connection, at, sender, amended, (kind::REDACTION, reason.as_deref()))?;
        }
        // Read as events; and the chat knows its pins.
        Amendment::Reacted { .. } | Amendment::Pinned { .. } => {}
    }
    Ok(())
}

/// Takes every text of a message away: its own, those it had before, and those of the events that edited it. Its
/// place and its number stay.
fn remove(connection: &Connection, amended: &Amended) -> rusqlite::Result<()> {
    let (room, number) = (amended.room.0, signed(amended.number.0));
    connection
        .prepare_cached("UPDATE ev SET kind = ?2, body = '', extra = NULL WHERE seq = ?1")?
        .execute((signed(amended.position), kind::REDACTED))?;
    connection
        .prepare_cached(
            "UPDATE ev SET body = '' WHERE seq IN
             (SELECT seq FROM amend WHERE room = ?1 AND number = ?2 AND kind = ?3)",
        )?
        .execute((room, number, kind::EDIT))?;
    connection
        .prepare_cached("UPDATE amend SET body = NULL WHERE room = ?1 AND number = ?2 AND kind = ?3")?
        .execute((room, number, kind::EDIT))?;
    Ok(())
}

fn note(
    connection: &Connection,
    at: &Place,
    sender: i64,
    amended: &Amended,
    (kind, body): (i64, Option<&str>),
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO amend(room, number, seq, at_ms, kind, sender, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute((amended.room.0, signed(amended.number.0), at.seq, at.at_ms, kind, sender, body))?;
    Ok(())
}
