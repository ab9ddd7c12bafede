//! How long a message takes to the last of 100 members at 100 messages a second, next to what one commit takes
//! in the same folder in the same minute.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rusqlite::Connection;

use crate::crowd::Crowd;
use crate::load::{Load, Shape};
use crate::servers::{Kind, Places};
use crate::table;

const SHAPE: Shape = Shape { senders: 1, window: 1, members: 100, rooms: 1 };
const PERIOD: Duration = Duration::from_millis(10);
/// What may come on top of a commit.
const TARGET_MS: f64 = 1.5;

/// How much to measure.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Rounds of two seconds, each followed by as many commits
    #[arg(long, default_value_t = 6)]
    rounds: usize,
}

/// Measures and prints; `true` when the target was reached.
///
/// # Errors
/// When a server is missing or fails, or a member did not get every message once and in order.
pub fn run(places: &Places, options: &Options) -> Result<bool> {
    let mut rows = vec![["server", "p50 to the last of 100", "p99"].map(str::to_owned).to_vec()];
    let mut chinwag = Vec::new();
    let mut commits = Vec::new();
    for kind in [Kind::Floor, Kind::Chinwag] {
        let server = places.start(kind)?;
        let mut crowd = Crowd::new(server.process.address)?;
        crowd.enter(kind, SHAPE.callers(), |index| Some(Shape::room(index, SHAPE.members)))?;
        let mut load = Load::new(kind, SHAPE);
        load.run_open(&mut crowd, 50, PERIOD)?;
        let mut times = Vec::new();
        for _ in 0..options.rounds.max(1) {
            times.extend(load.run_open(&mut crowd, 200, PERIOD)?.to_the_last);
            if kind == Kind::Chinwag {
                commits.extend(measure_commits(server.folder.path(), 200)?);
            }
        }
        rows.push(row(kind.name(), &times));
        if kind == Kind::Chinwag {
            chinwag = times;
        }
    }
    rows.push(row("one commit, same folder", &commits));
    table::print(&rows);
    println!();
    let p99 = |times: &[Duration]| table::percentile(times, 0.99).as_secs_f64() * 1e3;
    Ok(table::verdict("p99 above the p99 of a commit", p99(&chinwag) - p99(&commits), "ms", TARGET_MS, false))
}

fn row(name: &str, times: &[Duration]) -> Vec<String> {
    vec![name.into(), table::ms(table::percentile(times, 0.5)), table::ms(table::percentile(times, 0.99))]
}

/// Commits of one message each at the pace of the load, as the embedded log makes them: WAL, a sync each.
fn measure_commits(folder: &Path, count: usize) -> Result<Vec<Duration>> {
    let path = folder.join("commits.db");
    let database = Connection::open(&path).with_context(|| format!("cannot open {}", path.display()))?;
    database.pragma_update(None, "journal_mode", "WAL")?;
    database.pragma_update(None, "synchronous", "FULL")?;
    database.execute_batch("CREATE TABLE IF NOT EXISTS said(number INTEGER PRIMARY KEY, text TEXT)")?;
    let mut insert = database.prepare("INSERT INTO said(text) VALUES (?1)")?;
    let text = "x".repeat(crate::load::LINE_BYTES);
    let mut times = Vec::with_capacity(count);
    let mut due = Instant::now();
    for _ in 0..count {
        due += PERIOD;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let begin = Instant::now();
        insert.execute([&text])?;
        times.push(begin.elapsed());
    }
    Ok(times)
}
