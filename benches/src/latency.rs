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
/// Messages, or commits, of a round.
const MESSAGES: usize = 200;
/// What may come on top of a commit.
const TARGET_MS: f64 = 1.5;

/// How much to measure.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Rounds of two seconds, each followed by as many commits
    #[arg(long, default_value_t = 9)]
    rounds: usize,
}

/// One server, or the bare disk, with what it took in each round.
struct Lane {
    name: &'static str,
    rounds: Vec<Vec<Duration>>,
}

/// Measures and prints; `true` when the target was reached.
///
/// # Errors
/// When a server is missing or fails, or a member did not get every message once and in order.
pub fn run(places: &Places, options: &Options) -> Result<bool> {
    let (mut lanes, mut servers) = (Vec::new(), Vec::new());
    for kind in [Kind::Floor, Kind::Chinwag] {
        let server = places.start(kind)?;
        let mut crowd = Crowd::new(server.process.address)?;
        crowd.enter(kind, SHAPE.callers(), |index| Some(Shape::room(index, SHAPE.members)))?;
        let mut load = Load::new(kind, SHAPE);
        load.run_open(&mut crowd, 50, PERIOD)?;
        servers.push((server, crowd, load));
        lanes.push(Lane::new(kind.name()));
    }
    lanes.push(Lane::new("one commit, same folder"));
    // In turn, so that what else the machine and its disk do meets all of them.
    for _ in 0..options.rounds.max(1) {
        for ((_, crowd, load), lane) in servers.iter_mut().zip(&mut lanes) {
            lane.rounds.push(load.run_open(crowd, MESSAGES, PERIOD)?.to_the_last);
        }
        let (server, ..) = &servers[1];
        lanes[2].rounds.push(measure_commits(server.folder.path(), MESSAGES)?);
    }
    let mut rows = vec![["", "p50", "p99 (median of the rounds')", "p99 of all"].map(str::to_owned).to_vec()];
    rows.extend(lanes.iter().map(Lane::row));
    println!("To the last of 100 members at 100 messages a second:\n");
    table::print(&rows);
    println!();
    let above = lanes[1].p99s().into_iter().zip(lanes[2].p99s()).map(|(chinwag, commit)| chinwag - commit);
    let above = table::median(&above.collect::<Vec<_>>());
    Ok(table::verdict("p99 above the p99 of a commit, median of the rounds", above, "ms", TARGET_MS, false))
}

impl Lane {
    fn new(name: &'static str) -> Lane {
        Lane { name, rounds: Vec::new() }
    }

    /// The 99th percentile of each round, in milliseconds.
    fn p99s(&self) -> Vec<f64> {
        self.rounds.iter().map(|round| table::percentile(round, 0.99).as_secs_f64() * 1e3).collect()
    }

    fn row(&self) -> Vec<String> {
        let all = self.rounds.concat();
        let p99 = format!("{:.2} ms", table::median(&self.p99s()));
        vec![
            self.name.into(),
            table::ms(table::percentile(&all, 0.5)),
            p99,
            table::ms(table::percentile(&all, 0.99)),
        ]
    }
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
