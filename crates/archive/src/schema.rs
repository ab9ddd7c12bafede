//! The tables of `chat.db`, as numbered steps. A step that was released is never changed: add one.

use rusqlite::{Connection, Row};

/// Marks the file as chinwag's (`PRAGMA application_id`): "chwg".
pub(crate) const APPLICATION_ID: i32 = 0x6368_7767;

/// Step n brings a database of version n to version n + 1; each runs in the transaction that opens the database.
const STEPS: [&str; 8] = [STEP_1, STEP_2, STEP_3, STEP_4, STEP_5, STEP_6, STEP_7, STEP_8];

/// `ev` is the log and the history: `seq` is the position in the log, `number` the message's number in its room
/// and NULL for what is not a message, `basis` the room's rules when it was decided. The sender is interned.
/// `body` is a message's text. `extra` is JSON with a version: what of a message is rare, all of any other event.
///
/// `place` says where a room's messages are, and runs behind the log: all up to the position `placed` in `meta`
/// are in it, the few after that are found by reading `ev` from there. Filling it in sorted portions touches a
/// page of each room once in a while instead of once a commit; with a hundred busy rooms that is most of the cost.
const STEP_1: &str = "
CREATE TABLE ev(
    seq    INTEGER PRIMARY KEY,
    room   INTEGER NOT NULL,
    number INTEGER,
    at_ms  INTEGER NOT NULL,
    kind   INTEGER NOT NULL,
    sender INTEGER,
    basis  INTEGER,
    body   TEXT,
    extra  TEXT
);
CREATE TABLE place(
    room   INTEGER NOT NULL,
    number INTEGER NOT NULL,
    seq    INTEGER NOT NULL,
    PRIMARY KEY(room, number)
) WITHOUT ROWID;
CREATE INDEX ev_other ON ev(seq) WHERE number IS NULL;
CREATE TABLE sender(
    id      INTEGER PRIMARY KEY,
    user    INTEGER NOT NULL,
    nick    TEXT NOT NULL,
    ident   TEXT NOT NULL,
    host    TEXT NOT NULL,
    account TEXT
);
CREATE INDEX sender_user ON sender(user);
CREATE TABLE room(id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;
";

/// What else happened in a room, between its messages.
const STEP_2: &str = "CREATE INDEX ev_room_other ON ev(room, seq) WHERE number IS NULL;";

/// Of these kinds only the latest of those that are about the same is kept; `body` says what that is. See `latest`.
const STEP_3: &str = "CREATE UNIQUE INDEX ev_latest ON ev(kind, body) WHERE kind BETWEEN 64 AND 66;";

/// `amend` is what happened to the texts of messages after they were said: edits (`body` is the text until then) and
/// deletions (`body` is the reason), by message; `seq` is the position of the event. A message's own row always has
/// its newest text, and of a deleted one there is no text anywhere.
///
/// Edits (kind 21), reactions (23) and kept tags (25) change nothing that a start has to know, and are not looked at
/// then.
const STEP_4: &str = "
CREATE TABLE amend(
    room   INTEGER NOT NULL,
    number INTEGER NOT NULL,
    seq    INTEGER NOT NULL,
    at_ms  INTEGER NOT NULL,
    kind   INTEGER NOT NULL,
    sender INTEGER NOT NULL,
    body   TEXT,
    PRIMARY KEY(room, number, seq)
) WITHOUT ROWID;
DROP INDEX ev_other;
CREATE INDEX ev_other ON ev(seq) WHERE number IS NULL AND kind NOT IN (21, 23, 25);
";

/// What was done to keep rooms, and the server, so that a page of it is found without a look at anything else. What
/// operators did (42) is there to be read alone, and changes nothing that a start has to know.
const STEP_5: &str = "
CREATE INDEX ev_record ON ev(room, seq) WHERE number IS NULL AND kind IN (19, 20, 22, 24, 28, 29, 30);
CREATE INDEX ev_server_record ON ev(seq) WHERE number IS NULL AND kind IN (40, 41, 42);
DROP INDEX ev_other;
CREATE INDEX ev_other ON ev(seq) WHERE number IS NULL AND kind NOT IN (21, 23, 25, 42);
";

/// A row of `place` stands for `count` messages that follow one another in their room and in the log. In a busy room
/// that is one row for what would be hundreds.
const STEP_6: &str = "ALTER TABLE place ADD COLUMN count INTEGER NOT NULL DEFAULT 1;";

/// Up to which message the time of a room's messages is over, its position, and that of the event that said so last.
/// What of them is still there is seen in `place`, whose rows go with them.
const STEP_7: &str = "
CREATE TABLE expired(room INTEGER PRIMARY KEY, upto INTEGER NOT NULL, position INTEGER NOT NULL, seq INTEGER NOT NULL);
";

/// What is to be erased, by the position of the event that says so: how far the look at the senders is (`sender` of
/// `senders`) and the one at the log (`cursor`), and how many messages went. Those who are meant are in `erase_sender` until
/// it is done; of whom something `stays`, they do, too.
const STEP_8: &str = "
CREATE TABLE erase(
    seq      INTEGER PRIMARY KEY,
    whom     TEXT NOT NULL,
    since_ms INTEGER NOT NULL,
    room     INTEGER NOT NULL,
    senders  INTEGER NOT NULL,
    sender   INTEGER NOT NULL,
    cursor   INTEGER NOT NULL,
    gone     INTEGER NOT NULL,
    done     INTEGER NOT NULL
);
CREATE TABLE erase_sender(
    erase  INTEGER NOT NULL,
    sender INTEGER NOT NULL,
    stays  INTEGER NOT NULL,
    PRIMARY KEY(erase, sender)
) WITHOUT ROWID;
";

/// Which events bring a chat back after a restart: all but messages, and those that change nothing but what is read.
/// As the index has it.
pub(crate) const RESTORED: &str = "number IS NULL AND kind NOT IN (21, 23, 25, 42)";

/// What was done to keep a room, as its index has it.
pub(crate) const ROOM_RECORDS: &str = "number IS NULL AND kind IN (19, 20, 22, 24, 28, 29, 30)";

/// What server operators did, as its index has it.
pub(crate) const SERVER_RECORDS: &str = "number IS NULL AND kind IN (40, 41, 42)";

/// The version that this program writes.
pub(crate) const VERSION: i64 = STEPS.len() as i64;

/// The messages `?2..=?3` of the room `?1` that are in `place`, as the end of a `FROM`: from the run on that `?2` may
/// be in, and of each run what is asked for.
macro_rules! placed {
    () => {
        "place CROSS JOIN ev ON ev.seq BETWEEN place.seq + max(?2 - place.number, 0)
             AND place.seq + min(?3 - place.number, place.count - 1)
         WHERE place.room = ?1 AND place.number <= ?3 AND place.number >= ifnull(
             (SELECT max(number) FROM place WHERE room = ?1 AND number <= ?2), ?2)"
    };
}
pub(crate) use placed;

/// Messages of a room one after the other, with nothing of another room between them.
struct Run {
    room: i64,
    number: i64,
    seq: i64,
    count: i64,
}

impl Run {
    fn of_one(row: &Row<'_>) -> rusqlite::Result<Run> {
        Ok(Run { room: row.get(0)?, number: row.get(1)?, seq: row.get(2)?, count: 1 })
    }

    /// Whether a message is the next one of this run.
    fn goes_on_with(&self, next: &Run) -> bool {
        (self.room, self.number + self.count, self.seq + self.count) == (next.room, next.number, next.seq)
    }
}

/// Brings `place` up to the position `head`. The caller holds the transaction.
pub(crate) fn place(connection: &Connection, head: u64) -> rusqlite::Result<()> {
    let mut missing = connection.prepare_cached(
        "SELECT room, number, seq FROM ev
         WHERE seq > (SELECT value FROM meta WHERE key = 'placed') AND number IS NOT NULL ORDER BY seq",
    )?;
    let mut found = missing.query(())?;
    let mut runs: Vec<Run> = Vec::new();
    while let Some(row) = found.next()? {
        let next = Run::of_one(row)?;
        match runs.last_mut() {
            Some(run) if run.goes_on_with(&next) => run.count += 1,
            _ => runs.push(next),
        }
    }
    drop(found);
    runs.sort_unstable_by_key(|run| (run.room, run.number));
    let mut insert =
        connection.prepare_cached("INSERT INTO place(room, number, seq, count) VALUES (?1, ?2, ?3, ?4)")?;
    for Run { room, number, seq, count } in runs {
        insert.execute((room, number, seq, count))?;
    }
    connection
        .prepare_cached("UPDATE meta SET value = ?1 WHERE key = 'placed'")?
        .execute([head.cast_signed()])?;
    Ok(())
}

/// Runs the steps that are missing. The caller holds the transaction.
pub(crate) fn migrate(connection: &Connection, from: i64) -> rusqlite::Result<()> {
    for (step, sql) in (0_i64..).zip(STEPS) {
        if step >= from {
            connection.execute_batch(sql)?;
        }
    }
    if from < VERSION {
        connection.pragma_update(None, "user_version", VERSION)?;
        connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    }
    Ok(())
}
