//! How long a message takes to the last of 100 members at 100 messages a second, and what of it was its own commit.
//!
//! chinwag says at level `trace` how long each commit took. Each message is held against the commit that kept it, so
//! that what remains is chinwag's; what the machine does meanwhile meets the floor as well, which keeps nothing. A
//! bare commit in the same folder stands beside them.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rusqlite::Connection;

use crate::crowd::Crowd;
use crate::load::{Load, Shape};
use crate::process::SERVER_LOG;
use crate::servers::{Kind, Places};
use crate::table;

const SHAPE: Shape = Shape { senders: 1, window: 1, members: 100, rooms: 1 };
const PERIOD: Duration = Duration::from_millis(10);
/// Messages, or commits, of a round.
const MESSAGES: usize = 200;
/// Messages before the first round.
const WARM_UP: usize = 50;
/// What may come on top of a message's commit.
const TARGET_MS: f64 = 1.5;
/// Lets chinwag say how long each commit took.
const TELL_COMMITS: [(&str, &str); 2] =
    [("CHINWAG_LOG", "warn,chinwag_archive=trace"), ("CHINWAG_LOG_FORMAT", "text")];

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
        let server = places.start_with(kind, &TELL_COMMITS)?;
        let mut crowd = Crowd::new(server.process.address)?;
        crowd.enter(kind, SHAPE.callers(), |index| Some(Shape::room(index, SHAPE.members)))?;
        let mut load = Load::new(kind, SHAPE);
        load.run_open(&mut crowd, WARM_UP, PERIOD)?;
        servers.push((server, crowd, load));
        lanes.push(Lane::new(kind.name()));
    }
    lanes.push(Lane::new("chinwag without the commits"));
    lanes.push(Lane::new("one commit, same folder"));
    let folder = servers[1].0.folder.path().to_owned();
    // By then chinwag has told of what it kept until now.
    std::thread::sleep(Duration::from_millis(200));
    let before = told_commits(&folder)?.len();
    // In turn, so that what else the machine and its disk do meets all of them.
    for round in 1..=options.rounds.max(1) {
        for ((_, crowd, load), lane) in servers.iter_mut().zip(&mut lanes) {
            lane.rounds.push(load.run_open(crowd, MESSAGES, PERIOD)?.to_the_last);
        }
        let commits = commits_of_round(&folder, before + round * MESSAGES)?;
        let Some(took) = lanes[1].rounds.last() else { bail!("no round") };
        ensure!(took.len() == commits.len(), "{} messages of {}", took.len(), commits.len());
        let above = took.iter().zip(&commits).map(|(took, commit)| took.saturating_sub(*commit)).collect();
        lanes[2].rounds.push(above);
        lanes[3].rounds.push(measure_commits(&folder, MESSAGES)?);
    }
    let mut rows = vec![["", "p50", "p99 (median of the rounds')", "p99 of all"].map(str::to_owned).to_vec()];
    rows.extend(lanes.iter().map(Lane::row));
    println!("To the last of 100 members at 100 messages a second:\n");
    table::print(&rows);
    println!();
    let above = table::median(&lanes[2].p99s());
    Ok(table::verdict(
        "p99 above a message's own commit, median of the rounds",
        above,
        "ms",
        TARGET_MS,
        false,
    ))
}

/// What the commits took that kept the messages of the last round: `total` events were kept until now.
fn commits_of_round(folder: &Path, total: usize) -> Result<Vec<Duration>> {
    let deadline = Instant::now() + Duration::from_secs(2);
    loop {
        // The line comes after the message.
        let mut commits = told_commits(folder)?;
        if commits.len() >= total {
            ensure!(commits.len() == total, "{} events were kept instead of {total}", commits.len());
            return Ok(commits.split_off(total - MESSAGES));
        }
        if Instant::now() > deadline {
            bail!("chinwag told of {} events that it kept instead of {total}", commits.len());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// For each event that chinwag has kept, what its commit took.
fn told_commits(folder: &Path) -> Result<Vec<Duration>> {
    let path = folder.join(SERVER_LOG);
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut commits = Vec::new();
    for line in text.lines().filter(|line| line.contains(" committed ")) {
        let field = |name: &str| {
            let value = line.split(' ').find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
            value
                .and_then(|value| value.parse::<u64>().ok())
                .with_context(|| format!("no {name} in {line:?}"))
        };
        let (events, micros) = (field("events")?, field("micros")?);
        commits.extend((0..events).map(|_| Duration::from_micros(micros)));
    }
    Ok(commits)
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
