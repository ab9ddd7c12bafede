//! The thread that fills the index: it follows the log some hundred milliseconds behind, in steps that are large when
//! it has much to do.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use chinwag_core::event::Event;
use chinwag_core::ids::RoomId;
use rusqlite::{Connection, OpenFlags, Row};

use super::parts::{self, Change, Changes, FoundBy};
use super::progress::Progress;
use super::{SEARCH_FILE, erased, ids, words};
use crate::rows::{self, kind};
use crate::writer::signed;
use crate::{DATABASE_FILE, follow, shrink};

/// How long it waits after something was said, so that more gathers.
const GATHER: Duration = Duration::from_millis(200);

/// How long it waits before it tries again what failed.
const AGAIN: Duration = Duration::from_secs(2);

/// Entries of the log in one step.
const STEP: i64 = 3_000;

/// While people talk, it rests for so many times as long as a step took, so that they have the processors: less than a
/// tenth of one goes to the index meanwhile, and what it leaves is indexed when it is quieter.
const REST: u32 = 12;

/// The longest rest.
const REST_MAX: Duration = Duration::from_millis(400);

/// With more entries than that in a step, it puts nothing in order.
const BUSY: i64 = 100;

/// How many times as long as putting some of the index in order took it rests then.
const ORDER_REST: u32 = 3;

/// For how long it gives room back at once.
const SHRINK: Duration = Duration::from_millis(20);

/// What tells the thread that the log has grown, or that it is to end.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    rung: Mutex<bool>,
    bell: Condvar,
}

impl Bell {
    /// The log has grown.
    pub(crate) fn ring(&self) {
        let mut rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        if !*rung {
            *rung = true;
            self.bell.notify_all();
        }
    }

    /// Whether it was rung since the last time.
    fn rung(&self) -> bool {
        std::mem::take(&mut *self.rung.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits until it was rung since the last time.
    fn wait(&self) {
        let rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        let mut rung = self.bell.wait_while(rung, |rung| !*rung).unwrap_or_else(PoisonError::into_inner);
        *rung = false;
    }
}

/// The thread at work. Dropping it ends it, after the step in hand.
#[derive(Debug)]
pub struct Indexer {
    stop: Option<SyncSender<()>>,
    bell: Arc<Bell>,
    thread: Option<JoinHandle<()>>,
}

impl Indexer {
    /// Starts the thread on the data folder; the index is made there when it is missing or of no use.
    ///
    /// # Errors
    /// When there is no thread.
    pub(crate) fn start(dir: &Path, bell: Arc<Bell>, of: [u64; 2]) -> std::io::Result<Indexer> {
        let (stop, stopped) = sync_channel(1);
        let work = Work { dir: dir.to_owned(), bell: Arc::clone(&bell), stopped, of };
        let thread = thread::Builder::new().name("search".to_owned()).spawn(move || work.run())?;
        // What was said before the thread began is not in the index yet.
        bell.ring();
        Ok(Indexer { stop: Some(stop), bell, thread: Some(thread) })
    }
}

impl Drop for Indexer {
    fn drop(&mut self) {
        drop(self.stop.take());
        self.bell.ring();
        if let Some(thread) = self.thread.take() {
            // It has said all that it had to say.
            let _ = thread.join();
        }
    }
}

struct Work {
    dir: PathBuf,
    bell: Arc<Bell>,
    stopped: Receiver<()>,
    of: [u64; 2],
}

impl Work {
    fn run(&self) {
        loop {
            // A full disk, another program that holds the file: it may pass, and nothing is lost meanwhile.
            if self.follow().is_ok() || self.ends(AGAIN) {
                return;
            }
        }
    }

    /// Whether the thread is to end; looks for so long.
    fn ends(&self, wait: Duration) -> bool {
        !matches!(self.stopped.recv_timeout(wait), Err(RecvTimeoutError::Timeout))
    }

    /// Follows the log until the end.
    fn follow(&self) -> rusqlite::Result<()> {
        let log = super::connect(&self.dir.join(DATABASE_FILE), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let head: Option<i64> = log.query_row("SELECT max(seq) FROM ev", (), |row| row.get(0))?;
        let of: Vec<u8> = self.of.iter().flat_map(|half| half.to_be_bytes()).collect();
        let mut index = super::open(&self.dir.join(SEARCH_FILE), &of, head.unwrap_or(0).cast_unsigned())?;
        let (mut pause, mut progress) = (Some(Duration::ZERO), Progress::default());
        loop {
            let pause_now = pause.unwrap_or_else(|| {
                self.bell.wait();
                GATHER
            });
            if self.ends(pause_now) {
                return Ok(());
            }
            let begun = Instant::now();
            let brought = step(&log, &mut index)?;
            let position = signed(super::position(&index)?);
            let head = || log.query_row("SELECT ifnull(max(seq), 0) FROM ev", (), |row| row.get(0));
            if let Some(said) = progress.at(position, brought < STEP, begun, head)? {
                tracing::info!("{said}");
            }
            let growing = self.bell.rung();
            let orders = brought < BUSY && parts::order_some(&index, position)?;
            // Room is given back last, when nothing else is to do.
            let quiet = brought == 0 && !growing && !orders;
            let shrinks =
                quiet && shrink::is_due(&index)? && shrink::portion(&index, Instant::now() + SHRINK)?;
            pause = match (growing, orders || shrinks) {
                (true, _) => Some((begun.elapsed() * REST).clamp(GATHER, REST_MAX)),
                (false, true) => Some(begun.elapsed() * ORDER_REST),
                (false, false) => (brought > 0).then_some(Duration::ZERO),
            };
        }
    }
}

/// The columns of a message that the index is made of.
macro_rules! said {
    () => {
        "ev.seq, ev.room, ev.number, ev.kind, ev.extra, ev.body, sender.nick, sender.account
         FROM ev LEFT JOIN sender ON sender.id = ev.sender"
    };
}

/// Brings some more entries into the index, and says how many.
fn step(log: &Connection, index: &mut Connection) -> rusqlite::Result<i64> {
    let from = signed(super::position(index)?);
    let reading = log.unchecked_transaction()?;
    let writing = index.transaction()?;
    let last = bring(&reading, &writing, from, STEP)?;
    let erased = erased::take_out(&reading, &writing)?;
    writing.prepare_cached("UPDATE meta SET value = ?1 WHERE key = 'position'")?.execute([last])?;
    writing.commit()?;
    reading.commit()?;
    Ok((last - from).max(i64::from(erased)))
}

/// Brings at most so many entries after a position into an index: messages, and what happened to messages. Gives the
/// position of the last one.
pub(super) fn bring(log: &Connection, index: &Connection, from: i64, most: i64) -> rusqlite::Result<i64> {
    let (mut last, mut changes) = (from, Changes::default());
    let sql = concat!("SELECT ", said!(), " WHERE ev.seq > ?1 ORDER BY ev.seq LIMIT ?2");
    let mut statement = log.prepare_cached(sql)?;
    let mut found = statement.query((last, most))?;
    while let Some(row) = found.next()? {
        last = row.get(0)?;
        let kind: i64 = row.get(3)?;
        if row.get::<_, Option<i64>>(2)?.is_some() {
            put(row, &mut changes, false)?;
        } else if matches!(kind, kind::EDIT | kind::REDACTION | kind::PURGED | kind::EXPIRED) {
            let extra = row.get_ref(4)?.as_str_or_null().map_err(rusqlite::Error::from)?;
            // What makes no sense to this version is left to the look at each message that is found.
            if let Ok(event) = rows::other_event(extra, None) {
                again(log, &mut changes, row.get(1)?, &event)?;
            }
        }
    }
    parts::change(index, &changes)?;
    Ok(last)
}

/// What happened to messages that are in the index.
fn again(log: &Connection, changes: &mut Changes, room: u32, event: &Event) -> rusqlite::Result<()> {
    if let Event::Expired(expired) = event {
        changes.expired.push((expired.room, signed(expired.position)));
        return Ok(());
    }
    follow::touched(log, room, event, &mut |seq| put_again(log, changes, seq))
}

/// Brings a message that may be in the index into it as it is now.
fn put_again(log: &Connection, changes: &mut Changes, seq: i64) -> rusqlite::Result<()> {
    let sql = concat!("SELECT ", said!(), " WHERE ev.seq = ?1 AND ev.number IS NOT NULL");
    let mut statement = log.prepare_cached(sql)?;
    let mut found = statement.query([seq])?;
    found.next()?.map_or(Ok(()), |row| put(row, changes, true))
}

/// Brings a message into the index as it is now, or takes it out when it is not for everybody in its room.
/// `again`: it may be there.
fn put(said: &Row<'_>, changes: &mut Changes, again: bool) -> rusqlite::Result<()> {
    let (seq, room) = (said.get(0)?, RoomId(said.get(1)?));
    let found_by = match said.get::<_, i64>(3)? > kind::SHOWN_MAX {
        true => None,
        false => {
            let text = said.get_ref(5)?.as_str().map(words::indexed).map_err(rusqlite::Error::from)?;
            let nick = said.get_ref(6)?.as_str().map_err(rusqlite::Error::from)?;
            let account = said.get_ref(7)?.as_str_or_null().map_err(rusqlite::Error::from)?;
            Some(FoundBy { text, who: words::who_tokens(nick, account) })
        }
    };
    changes.messages.insert(ids::id(seq, room), Change { again, found_by });
    Ok(())
}
