//! Rows of which only the latest that is about the same counts: read marks and metadata. Each takes the place of the
//! one before, so that what a start has to read is bounded by what there is, not by how often it has changed.

use std::sync::Arc;

use chinwag_core::chat::Reading;
use chinwag_core::event::{Event, MetadataOn, ReadMarked};
use chinwag_core::ids::{RoomId, UserId};
use chinwag_wire::casemap::CaseMapping;
use chinwag_wire::names::Folded;
use rusqlite::Connection;

use crate::rows::RowError;
use crate::writer::signed;

/// An account as rows name it. This is how rows are found again, in every database there is, and no comparison of
/// names: those are the chat's, by its case mapping, and here each account has one spelling.
fn key(account: &str) -> Folded {
    CaseMapping::Ascii.fold(account)
}

/// The columns of a mark: `body` says whose it is and of what, with a space between; `basis` is the time.
pub(crate) struct Latest {
    pub(crate) body: String,
    pub(crate) basis: i64,
    /// The body of the row that goes without another in its place.
    pub(crate) gone: Option<String>,
}

/// A mark as a row; none for a guest's, which is not stored.
pub(crate) fn mark(mark: &ReadMarked) -> Option<Latest> {
    let account = key(mark.account.as_deref()?);
    let body = |reading: &Reading| match reading {
        Reading::Room(room) => format!("{} #{}", account.as_str(), room.0),
        Reading::Person(nick) => format!("{} {}", account.as_str(), nick.as_str()),
    };
    let gone = mark.in_place_of.as_ref().map(body);
    Some(Latest { body: body(&mark.reading), basis: signed(mark.to_ms), gone })
}

/// What an event is about, of which only the latest is kept in a row of the usual form; none for other events.
/// A `*` is all keys at once: taking everything away.
pub(crate) fn metadata(event: &Event) -> Option<Latest> {
    let Event::MetadataSet(set) = event else { return None };
    let target = match &set.on {
        MetadataOn::Account(account) => key(account).as_str().to_owned(),
        MetadataOn::Room { room, .. } => format!("#{}", room.0),
        MetadataOn::Guest(_) => return None,
    };
    let key = match &set.changes[..] {
        [(key, _)] if !set.clear => key,
        _ if set.clear => "*",
        _ => return None,
    };
    Some(Latest { body: format!("{target} {key}"), basis: 0, gone: None })
}

/// Takes out the row before that is about the same.
pub(crate) fn clear(connection: &Connection, kind: i64, row: &Latest) -> rusqlite::Result<()> {
    // The index has rows of these kinds only, and is used where its own words are found again.
    let sql = "DELETE FROM ev WHERE kind BETWEEN 64 AND 66 AND kind = ?1 AND body = ?2";
    let mut delete = connection.prepare_cached(sql)?;
    delete.execute((kind, &row.body))?;
    if let Some(gone) = &row.gone {
        delete.execute((kind, gone))?;
    }
    Ok(())
}

/// A row as the event that it was, without what only those who were here then had to know.
pub(crate) fn marked(body: &str, basis: i64) -> Result<Event, RowError> {
    let (account, target) = body.split_once(' ').ok_or(RowError::Missing("target"))?;
    let reading = match target.strip_prefix('#') {
        Some(room) => Reading::Room(RoomId(room.parse().map_err(|_| RowError::Missing("room"))?)),
        None => Reading::Person(Folded::from(target.to_owned())),
    };
    Ok(Event::ReadMarked(Arc::new(ReadMarked {
        account: Some(account.into()),
        user: UserId(0),
        reading,
        target: "".into(),
        to_ms: basis.cast_unsigned(),
        in_place_of: None,
    })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_comes_back_as_far_as_it_is_kept() {
        for (reading, body) in
            [(Reading::Room(RoomId(7)), "ann #7"), (Reading::Person(key("Bob")), "ann bob")]
        {
            let mark = ReadMarked {
                account: Some("Ann".into()),
                user: UserId(9),
                reading: reading.clone(),
                target: "Bob".into(),
                to_ms: 1_700_000_000_123,
                in_place_of: Some(Reading::Room(RoomId(3))),
            };
            let row = super::mark(&mark).unwrap();
            assert_eq!((row.body.as_str(), row.gone.as_deref()), (body, Some("ann #3")));
            let Ok(Event::ReadMarked(back)) = marked(&row.body, row.basis) else { panic!("{body}") };
            assert_eq!((&back.reading, back.to_ms), (&reading, mark.to_ms));
            assert_eq!(back.account.as_deref(), Some("ann"));
        }
        assert!(marked("ann", 0).is_err() && marked("ann #x", 0).is_err());
    }
}
