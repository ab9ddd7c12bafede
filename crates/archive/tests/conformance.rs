//! SqliteLog passes the suite for all logs.

mod support;

use std::path::Path;
use std::sync::Arc;

use chinwag_archive::{Options, PageLimit, SqliteLog, open};
use chinwag_core::event::Event;
use chinwag_core::ids::{SessionKey, UserId};
use chinwag_log::Slot;
use chinwag_log::conformance::{self, Harness};
use support::{PATIENCE, folder, said};
use tempfile::TempDir;

struct OnDisk {
    dir: TempDir,
    page_limit: PageLimit,
}

impl Harness for OnDisk {
    type Event = Event;
    type Log = SqliteLog;

    fn open(&mut self) -> SqliteLog {
        let options =
            Options { queue_events_max: 1000, page_limit: self.page_limit.clone(), ..Options::default() };
        open(self.dir.path(), options).expect("opens").log
    }

    fn stored(&mut self, number: u64) -> (Event, Slot) {
        // Long enough that each needs a page of its own.
        let text = format!("message {number} {}", "x".repeat(5000));
        (Event::Said(Arc::new(said(1, &text))), Slot { room: 1, number })
    }

    fn passing(&mut self, number: u64) -> Event {
        Event::Attached { user: UserId(number), account: None, session: SessionKey(number), away: None }
    }

    fn close(&mut self, log: SqliteLog) {
        log.close(PATIENCE).expect("closes");
    }

    fn crash(&mut self, log: SqliteLog) {
        // The files as another process would find them after a kill: copied while the log is open.
        let after = folder();
        for file in ["chat.db", "chat.db-wal"] {
            copy(&self.dir.path().join(file), &after.path().join(file));
        }
        drop(log);
        self.dir = after;
    }

    fn set_failing(&mut self, _log: &mut SqliteLog, failing: bool) {
        self.page_limit.set(if failing { 1 } else { 0 });
    }

    fn capacity(&self) -> usize {
        1000
    }
}

fn copy(from: &Path, to: &Path) {
    if from.exists() {
        std::fs::copy(from, to).expect("copies");
    }
}

#[test]
fn the_sqlite_log_conforms() {
    conformance::run(|| OnDisk { dir: folder(), page_limit: PageLimit::default() });
}
