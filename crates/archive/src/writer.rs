//! The writer thread: takes everything waiting as one transaction, and reports what became of it.

use std::fs::File;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use chinwag_core::chat::name_of;
use chinwag_core::event::{Act, Amended, Amendment, Event, Expired, OperatorActed, Purged, Purging, Said};
use chinwag_log::{Arrival, Health, Keep, Proposal, Refusal, Seq, Slot};
use rusqlite::wal::CheckpointMode;
use rusqlite::{Connection, Statement, TransactionBehavior};
use tracing::trace;

use crate::chores::Chores;
use crate::failure::{Failure, check_size};
use crate::heads::Heads;
use crate::insert::{Insert, SaidRow, TOGETHER};
use crate::latest::{self, Latest};
use crate::log::{Shared, State, Stop, into_entries, measure};
use crate::open::{BUSY_WAIT, PageLimit};
use crate::senders::Senders;
use crate::times::Times;
use crate::{amend, erase, expire, purge, rows, schema};

/// The log file is written into the database when it holds so many pages: few enough that its place on the disk
/// is soon used again, which is cheaper than to grow, and below the 4,062 which the first block of SQLite's index
/// of that file has room for: growing that index is one more thing that a full disk could refuse.
const CHECKPOINT_PAGES: u32 = 1_000;

/// How often a log that can store nothing tries whether it can again.
const PROBE_EVERY: Duration = Duration::from_secs(1);

/// The size of what such a trial writes: more than the slack of a page or two.
const PROBE_BYTES: u32 = 32 * 1024;

/// `place` is brought up to date when so many entries are missing in it: reading history costs up to about 0.1 µs
/// for each of them.
const PLACE_EVERY: u64 = 2_048;

/// After a deletion the log file is written into the database and emptied, so that the text is not left there; not
/// more often than this.
const WIPE_EVERY: Duration = Duration::from_millis(500);

/// How long that waits for those who read.
const WIPE_WAIT: Duration = Duration::from_millis(20);

/// It is also brought up to date when nothing has been stored for so long.
const PLACE_IDLE: Duration = Duration::from_secs(1);

/// Everything the thread owns. The lock on the folder is released last.
pub(crate) struct Writer {
    pub(crate) connection: Connection,
    pub(crate) shared: Arc<Shared>,
    pub(crate) page_limit: PageLimit,
    pub(crate) times: Times,
    pub(crate) wal_pages: Arc<AtomicU32>,
    pub(crate) lock: File,
}

/// What the thread does next.
enum Work {
    Commit(Vec<Vec<Proposal<Event>>>),
    Probe,
    Place,
    End { flush: bool },
}

impl Writer {
    /// The thread's body.
    pub(crate) fn run(self) {
        let Writer { connection, shared, page_limit, times, wal_pages, lock } = self;
        let guard = Guard(&shared);
        let outcome = Desk::new(&connection, &shared, page_limit, times, wal_pages)
            .map_err(|error| format!("preparing statements: {error}"))
            .map(|mut desk| desk.work());
        if let Err(reason) = outcome {
            shared.report(|state| state.fail(Vec::new(), reason));
        }
        drop(connection);
        drop(lock);
        drop(guard);
    }
}

/// Says that the writer has ended, also when it panics.
struct Guard<'a>(&'a Shared);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.report(|state| state.fail(Vec::new(), "the log's writer panicked".to_owned()));
        }
        self.0.set_ended();
    }
}

/// The writer at work: the connection and the statements that live as long.
struct Desk<'c> {
    connection: &'c Connection,
    shared: &'c Shared,
    begin: Statement<'c>,
    commit: Statement<'c>,
    insert: Insert<'c>,
    senders: Senders<'c>,
    heads: Heads<'c>,
    placed: Seq,
    page_limit: PageLimit,
    page_limit_set: u32,
    wal_pages: Arc<AtomicU32>,
    times: Times,
    last_probe: Instant,
    chores: Chores,
    /// Something was deleted, and may still be in the log file.
    wipe: bool,
    last_wipe: Option<Instant>,
}

impl<'c> Desk<'c> {
    fn new(
        connection: &'c Connection,
        shared: &'c Shared,
        page_limit: PageLimit,
        times: Times,
        wal_pages: Arc<AtomicU32>,
    ) -> rusqlite::Result<Self> {
        Ok(Desk {
            connection,
            shared,
            begin: connection.prepare("BEGIN IMMEDIATE")?,
            commit: connection.prepare("COMMIT")?,
            insert: Insert::new(connection)?,
            senders: Senders::new(connection)?,
            heads: Heads::new(connection)?,
            placed: shared.lock().head,
            page_limit,
            page_limit_set: 0,
            wal_pages,
            times,
            last_probe: Instant::now(),
            chores: Chores::left(connection)?,
            wipe: false,
            last_wipe: None,
        })
    }

    fn work(&mut self) {
        loop {
            let work = self.next();
            let rests = matches!(work, Work::Place);
            match work {
                Work::Commit(batches) => self.store(batches),
                Work::Probe => self.probe(),
                Work::Place => {}
                Work::End { flush: false } => return,
                Work::End { flush: true } => {
                    let head = self.shared.lock().head;
                    let done = self.place(head).and_then(|()| self.checkpoint(CheckpointMode::TRUNCATE));
                    self.shared.lock().close_error = done.err();
                    return;
                }
            }
            if let Err(reason) = self.tidy_up(rests) {
                self.shared.report(|state| state.fail(Vec::new(), reason));
            }
            if matches!(self.shared.lock().health, Health::Fatal(_)) {
                return;
            }
        }
    }

    /// Waits for something to do.
    fn next(&mut self) -> Work {
        let mut state = self.shared.lock();
        loop {
            match state.stop {
                Stop::Now => return Work::End { flush: false },
                // A refusal that nobody took takes the rest along: there is nothing left to store.
                Stop::Flush if state.queue.is_empty() || state.fenced => return Work::End { flush: true },
                Stop::Flush | Stop::No => {}
            }
            if !state.fenced && !state.queue.is_empty() {
                state.busy = true;
                return Work::Commit(std::mem::take(&mut state.queue));
            }
            let (wait, then) = match state.health {
                Health::ReadOnly(_) => {
                    (Some(PROBE_EVERY.saturating_sub(self.last_probe.elapsed())), Work::Probe)
                }
                _ if self.chores.rest().is_some() => (self.chores.rest(), Work::Place),
                _ if self.wipe => (Some(WIPE_EVERY), Work::Place),
                _ if state.head > self.placed => (Some(PLACE_IDLE), Work::Place),
                _ => (None, Work::Place),
            };
            state.asleep = true;
            let sleepy = &self.shared.work;
            let late;
            (state, late) = match wait {
                Some(wait) => {
                    let (state, wait) =
                        sleepy.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner);
                    (state, wait.timed_out())
                }
                None => (sleepy.wait(state).unwrap_or_else(PoisonError::into_inner), false),
            };
            // Work that came at the last moment goes first.
            if late && state.asleep {
                state.asleep = false;
                return then;
            }
            state.asleep = false;
        }
    }

    /// Stores batches in one transaction and reports what became of them.
    fn store(&mut self, mut batches: Vec<Vec<Proposal<Event>>>) {
        let (head, read_only) = {
            let state = self.shared.lock();
            (
                state.head,
                match &state.health {
                    Health::ReadOnly(reason) => Some(reason.clone()),
                    _ => None,
                },
            )
        };
        let stored = batches.iter().flatten().any(|proposal| proposal.keep == Keep::Stored);
        let began = Instant::now();
        let outcome = match read_only {
            _ if !stored => Ok(()),
            // The batch is the trial, but not more often than once in a while.
            Some(reason) if self.last_probe.elapsed() < PROBE_EVERY => {
                Err(Failure::Refused(Refusal::Unavailable(reason)))
            }
            _ => self.transaction(&mut batches, head),
        };
        let took = began.elapsed();
        match outcome {
            Ok(()) => {
                let mut last = head;
                let arrivals: Vec<_> = batches
                    .into_iter()
                    .map(|batch| {
                        let (_, bytes) = measure(&batch);
                        (Arrival::Entries(into_entries(batch, &mut last)), bytes)
                    })
                    .collect();
                self.shared.report(|state| {
                    state.busy = false;
                    state.head = last;
                    if stored {
                        state.set_health(Health::Ok);
                    }
                    for (arrival, bytes) in arrivals {
                        state.arrive(arrival, bytes);
                    }
                });
                if stored {
                    self.shared.commits.note(last.0 - head.0, took);
                    trace!(events = last.0 - head.0, micros = took.as_micros(), "committed");
                    self.shared.stored.ring();
                }
            }
            Err(failure) => self.give_back(batches, head, failure),
        }
    }

    /// Reports batches that were not stored. Passing events before the first stored one lose nothing.
    fn give_back(&mut self, batches: Vec<Vec<Proposal<Event>>>, head: Seq, failure: Failure) {
        let mut batch: Vec<Proposal<Event>> = batches.into_iter().flatten().collect();
        let first = batch.iter().position(|proposal| proposal.keep == Keep::Stored).unwrap_or(batch.len());
        let rest = batch.split_off(first);
        let (_, bytes) = measure(&batch);
        let mut last = head;
        let entries = into_entries(batch, &mut last);
        self.shared.report(|state| {
            state.busy = false;
            if !entries.is_empty() {
                state.arrive(Arrival::Entries(entries), bytes);
            }
            match failure {
                Failure::Fatal(reason) => state.fail(rest, reason),
                Failure::Refused(why) => {
                    if let Refusal::Unavailable(reason) = &why {
                        state.set_health(Health::ReadOnly(reason.clone()));
                    }
                    state.refuse(rest, why);
                }
            }
        });
    }

    /// One transaction, or nothing.
    fn transaction(&mut self, batches: &mut [Vec<Proposal<Event>>], head: Seq) -> Result<(), Failure> {
        self.last_probe = Instant::now();
        let outcome = self.write(batches, head);
        match outcome {
            Ok(()) => self.heads.keep(),
            Err(_) => {
                self.senders.forget();
                self.heads.undo();
                self.roll_back()?;
            }
        }
        outcome
    }

    fn write(&mut self, batches: &mut [Vec<Proposal<Event>>], head: Seq) -> Result<(), Failure> {
        self.limit_pages()?;
        self.begin.raw_execute()?;
        let mut seq = head.0;
        let mut messages = Vec::with_capacity(TOGETHER);
        for proposal in batches.iter_mut().flatten().filter(|proposal| proposal.keep == Keep::Stored) {
            seq += 1;
            proposal.at_ms = self.times.of(proposal.at_ms);
            let at = Place { seq: signed(seq), room: proposal.slot.room, at_ms: signed(proposal.at_ms) };
            match &proposal.event {
                Event::Said(said) => messages.push(self.said(&at, proposal.slot, said)?),
                event => {
                    // It may be about one of these.
                    self.insert.messages(&mut messages)?;
                    self.row(&at, event)?;
                }
            }
            if messages.len() == TOGETHER {
                self.insert.messages(&mut messages)?;
            }
        }
        self.insert.messages(&mut messages)?;
        if self.times.kept {
            // Up to here times may go back.
            let mark = "INSERT OR REPLACE INTO meta(key, value) VALUES ('unordered', ?1)";
            self.connection.prepare_cached(mark)?.execute([signed(seq)])?;
        }
        self.commit.raw_execute()?;
        Ok(())
    }

    fn row(&mut self, at: &Place, event: &Event) -> Result<(), Failure> {
        match event {
            Event::Amended(amended) => self.amended(at, amended),
            Event::Purged(purged) => {
                self.other(at, event)?;
                self.purged(at, purged)
            }
            Event::Expired(expired) => {
                self.other(at, event)?;
                self.expired(at, expired)
            }
            Event::OperatorActed(acted) => {
                self.other(at, event)?;
                self.acted(at, acted)
            }
            event => self.other(at, event),
        }
    }

    /// What a message's row is.
    fn said<'e>(&mut self, at: &Place, slot: Slot, said: &'e Said) -> Result<SaidRow<'e>, Failure> {
        let extra = rows::said_extra(said)?;
        check_size(said.text.len() + extra.as_ref().map_or(0, String::len))?;
        let sender = self.senders.id(said.user, &said.by)?;
        let number = self.heads.advance(slot)?;
        let Place { seq, room, at_ms } = *at;
        let (kind, basis, body) = (rows::said_kind(said), said.basis, &*said.text);
        Ok(SaidRow { seq, room, number, at_ms, kind, sender, basis, body, extra })
    }

    fn amended(&mut self, at: &Place, amended: &Amended) -> Result<(), Failure> {
        let (extra, body) = rows::amended(amended)?;
        check_size(extra.len() + body.map_or(0, str::len))?;
        let sender = self.senders.id(amended.user, &amended.by)?;
        let gone = amend::is_gone(self.connection, amended)?;
        let body = body.filter(|_| !gone);
        let kind = rows::amendment_kind(&amended.what);
        let none = None::<i64>;
        self.insert.one.execute((at.seq, at.room, none, at.at_ms, kind, sender, none, body, extra))?;
        if !gone {
            amend::store(self.connection, at, sender, amended)?;
            self.wipe |= matches!(amended.what, Amendment::Redacted { .. });
        }
        Ok(())
    }

    fn other(&mut self, at: &Place, event: &Event) -> Result<(), Failure> {
        if let Event::ReadMarked(mark) = event
            && let Some(row) = latest::mark(mark)
        {
            return self.mark(at, &row);
        }
        let Some(encoded) = rows::other(event) else {
            let why = format!("an event that is not kept was to be stored: {event:?}");
            return Err(Failure::Refused(Refusal::Rejected(why)));
        };
        let (kind, extra) = encoded?;
        check_size(extra.len())?;
        let opened = match event {
            Event::Opened { name, .. } => Some(Arc::clone(name)),
            Event::ConversationOpened { between } => Some(name_of(between)),
            _ => None,
        };
        if let Some(name) = opened {
            self.connection
                .prepare_cached("INSERT INTO room(id, name) VALUES (?1, ?2)")?
                .execute((at.room, &*name))?;
        }
        if let Event::RoomRenamed { name, .. } = event {
            self.connection
                .prepare_cached("UPDATE room SET name = ?2 WHERE id = ?1")?
                .execute((at.room, &**name))?;
        }
        let none = None::<i64>;
        let about = latest::metadata(event);
        if let Some(about) = &about {
            latest::clear(self.connection, kind, about)?;
        }
        let body = about.map(|about| about.body);
        self.insert.one.execute((at.seq, at.room, none, at.at_ms, kind, none, none, body, extra))?;
        Ok(())
    }

    fn purged(&mut self, at: &Place, purged: &Purged) -> Result<(), Failure> {
        purge::store(self.connection, at, purged)?;
        self.wipe |= matches!(purged.what, Purging::Final);
        Ok(())
    }

    fn expired(&mut self, at: &Place, expired: &Expired) -> Result<(), Failure> {
        expire::store(self.connection, at, expired)?;
        // When it was not stored after all, nothing is found to be done.
        self.chores.expire(at.room);
        Ok(())
    }

    fn acted(&mut self, at: &Place, acted: &OperatorActed) -> Result<(), Failure> {
        if let Act::Erased { whom, since_ms, room, .. } = &acted.act {
            erase::store(self.connection, at, whom, *since_ms, *room)?;
            self.chores.erase();
        }
        Ok(())
    }

    fn mark(&mut self, at: &Place, row: &Latest) -> Result<(), Failure> {
        check_size(row.body.len())?;
        let (none, kind) = (None::<i64>, rows::kind::READ_MARKED);
        latest::clear(self.connection, kind, row)?;
        let text = (&row.body, None::<&str>);
        self.insert.one.execute((at.seq, at.room, none, at.at_ms, kind, none, row.basis, text.0, text.1))?;
        Ok(())
    }

    fn roll_back(&mut self) -> Result<(), Failure> {
        // After some errors SQLite has rolled back by itself.
        if !self.connection.is_autocommit() {
            self.connection.execute_batch("ROLLBACK").map_err(|error| Failure::Fatal(error.to_string()))?;
        }
        Ok(())
    }

    /// Tries whether anything can be stored again, by a write that needs space.
    fn probe(&mut self) {
        self.last_probe = Instant::now();
        let outcome = self.limit_pages().and_then(|()| {
            let put = "INSERT OR REPLACE INTO meta(key, value) VALUES ('probe', zeroblob(?1))";
            self.connection.prepare_cached(put)?.execute([PROBE_BYTES])?;
            self.connection.prepare_cached("DELETE FROM meta WHERE key = 'probe'")?.execute(())?;
            Ok(())
        });
        match outcome {
            Ok(()) => self.shared.report(|state| state.set_health(Health::Ok)),
            Err(Failure::Refused(_)) => {
                if let Err(Failure::Fatal(reason)) = self.roll_back() {
                    self.shared.report(|state| state.fail(Vec::new(), reason));
                }
            }
            Err(Failure::Fatal(reason)) => self.shared.report(|state| state.fail(Vec::new(), reason)),
        }
    }

    /// What can wait until what was stored has been reported.
    fn tidy_up(&mut self, rests: bool) -> Result<(), String> {
        let (head, well) = {
            let state = self.shared.lock();
            (state.head, state.health == Health::Ok && state.stop == Stop::No)
        };
        let idle = self.last_probe.elapsed() >= PLACE_IDLE;
        if well && head.0 - self.placed.0 >= if idle { 1 } else { PLACE_EVERY } {
            self.place(head)?;
        }
        if well && self.chores.are_due(rests) {
            self.do_chores(head)?;
        }
        if self.wipe && self.last_wipe.is_none_or(|last| last.elapsed() >= WIPE_EVERY) {
            self.last_wipe = Some(Instant::now());
            self.wipe = !self.wiped()?;
        } else if self.wal_pages.load(Ordering::Relaxed) >= CHECKPOINT_PAGES {
            self.checkpoint(CheckpointMode::PASSIVE)?;
        }
        Ok(())
    }

    /// Empties the log file, unless somebody reads in it: a backup does for long, and nobody waits for that.
    fn wiped(&self) -> Result<bool, String> {
        let wait = |long| self.connection.busy_timeout(long).map_err(|error| error.to_string());
        wait(WIPE_WAIT)?;
        let wiped = self.checkpoint(CheckpointMode::TRUNCATE);
        wait(BUSY_WAIT)?;
        wiped
    }

    /// Brings `place` up to a position. A disk without space is no failure: it stays behind until there is some.
    fn place(&mut self, head: Seq) -> Result<(), String> {
        let run = || -> Result<(), Failure> {
            let transaction =
                rusqlite::Transaction::new_unchecked(self.connection, TransactionBehavior::Immediate)?;
            schema::place(&transaction, head.0)?;
            transaction.commit()?;
            Ok(())
        };
        match run() {
            Ok(()) => self.placed = head,
            Err(Failure::Refused(_)) => {}
            Err(Failure::Fatal(reason)) => return Err(reason),
        }
        Ok(())
    }

    /// Does some of what can wait. A disk without space is no failure: it is done when there is some.
    fn do_chores(&mut self, head: Seq) -> Result<(), String> {
        match self.chores.portion(self.connection, head.0) {
            Ok(changed) => {
                (self.placed, self.wipe) = (head, true);
                if changed {
                    self.senders.forget();
                }
                // The index follows.
                self.shared.stored.ring();
                Ok(())
            }
            Err(Failure::Refused(_)) => Ok(()),
            Err(Failure::Fatal(reason)) => Err(reason),
        }
    }

    /// Follows a limit that was changed while running.
    fn limit_pages(&mut self) -> Result<(), Failure> {
        let limit = self.page_limit.get();
        if limit != self.page_limit_set {
            self.page_limit_set = limit;
            // 0 stands for no limit: SQLite's largest.
            let pages = if limit == 0 { u32::MAX - 1 } else { limit };
            self.connection.query_row(&format!("PRAGMA max_page_count = {pages}"), (), |_| Ok(()))?;
        }
        Ok(())
    }

    /// Writes the log file into the database, and says whether all of it was. A disk without space is no failure: the
    /// log file stays as it is.
    fn checkpoint(&self, mode: CheckpointMode) -> Result<bool, String> {
        self.wal_pages.store(0, Ordering::Relaxed);
        match self.connection.wal_checkpoint_v2(None::<&str>, mode) {
            Ok(_) => Ok(true),
            Err(error) => match Failure::from(error) {
                Failure::Refused(_) => Ok(false),
                Failure::Fatal(reason) => Err(reason),
            },
        }
    }
}

/// The columns that every row has.
pub(crate) struct Place {
    pub(crate) seq: i64,
    pub(crate) room: u32,
    pub(crate) at_ms: i64,
}

impl State {
    /// The log cannot be trusted any more.
    fn fail(&mut self, batch: Vec<Proposal<Event>>, reason: String) {
        self.busy = false;
        self.set_health(Health::Fatal(reason.clone()));
        if !batch.is_empty() || !self.queue.is_empty() {
            self.refuse(batch, Refusal::Fatal(reason));
        }
    }
}

/// SQLite's integers are signed. Positions and times stay far below; a user's number keeps its bits.
pub(crate) fn signed(number: u64) -> i64 {
    number.cast_signed()
}
