//! The fan-out: deliveries per server CPU-second of chinwag, of the floor and of InspIRCd, under the same load
//! and in the same minutes, with every message checked at every member.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::crowd::{By, Crowd};
use crate::load::{Load, Reach, Shape};
use crate::servers::{Kind, Places, Server};
use crate::table;

/// How much to measure.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Rounds for each server and load; the median counts
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Seconds of a round; the first fifth warms up
    #[arg(long, default_value_t = 1.0)]
    seconds: f64,
    /// Only loads with this in their name, such as `10x8x100`
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
    /// Servers to leave out: chinwag, inspircd
    #[arg(long, value_name = "SERVER")]
    without: Vec<String>,
}

/// A load, and the share of the floor that chinwag is to reach under it.
struct Case {
    shape: Shape,
    target: f64,
    /// Whether chinwag is to do more than InspIRCd.
    above_inspircd: bool,
}

const CASES: [Case; 7] = [
    Case::new(1, 1, 100, 1, 0.65, false),
    Case::new(1, 8, 100, 1, 0.70, true),
    Case::new(10, 8, 100, 1, 0.60, true),
    Case::new(10, 64, 100, 1, 0.30, true),
    Case::new(1, 8, 1000, 1, 0.75, true),
    Case::new(10, 8, 1000, 1, 0.60, true),
    Case::new(1, 1, 10, 100, 0.75, true),
];

impl Case {
    const fn new(
        senders: usize,
        window: usize,
        members: usize,
        rooms: usize,
        target: f64,
        above: bool,
    ) -> Case {
        Case { shape: Shape { senders, window, members, rooms }, target, above_inspircd: above }
    }

    fn name(&self) -> String {
        let Shape { senders, window, members, rooms } = self.shape;
        if rooms == 1 {
            format!("{senders}x{window}x{members}")
        } else {
            format!("{senders}x{window}x{members}x{rooms}")
        }
    }
}

/// One server under one load.
struct Contender {
    server: Server,
    crowd: Crowd,
    load: Load,
    rounds: Vec<Round>,
}

struct Round {
    /// Deliveries per CPU-second of the server.
    efficiency: f64,
    /// Deliveries per second.
    rate: f64,
    reach: Reach,
}

/// Runs every load and prints the table; `true` when all targets were reached.
///
/// # Errors
/// When a server is missing or fails, or a member did not get every message once and in order.
pub fn run(places: &Places, options: &Options) -> Result<bool> {
    let mut kinds = vec![Kind::Floor, Kind::Chinwag];
    if places.has_inspircd() {
        kinds.push(Kind::Inspircd);
    } else {
        println!("InspIRCd is not at {} and is left out.", places.inspircd.display());
    }
    kinds.retain(|kind| !options.without.iter().any(|name| name.eq_ignore_ascii_case(kind.name())));
    println!(
        "Lines of {} bytes; SxWxM: S senders with W messages under way each in a room of M members.",
        crate::load::LINE_BYTES
    );
    println!(
        "Figures are medians of {} rounds, in thousand deliveries per server CPU-second.\n",
        options.rounds
    );
    eprintln!("{}", head(&kinds).join("  "));
    let (mut rows, mut times) = (vec![head(&kinds)], vec![times_head()]);
    let mut reached = true;
    for case in &CASES {
        if options.only.as_ref().is_some_and(|only| !case.name().contains(only.as_str())) {
            continue;
        }
        let contenders =
            measure(case, &kinds, places, options).with_context(|| format!("load {}", case.name()))?;
        reached &= judge(case, &contenders, &mut rows);
        eprintln!("{}", rows.last().map_or(String::new(), |row| row.join("  ")));
        times.extend(contenders.iter().map(|contender| times_row(case, contender)));
    }
    if rows.len() == 1 {
        bail!("no load has that in its name; they are {}", CASES.each_ref().map(Case::name).join(", "));
    }
    table::print(&rows);
    println!("\nEvery member got every message once and in order.\n");
    table::print(&times);
    Ok(reached)
}

/// What `chinwag-bench websocket` measures.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct WebSocketOptions {
    /// Members of the room
    #[arg(long, default_value_t = 5_000)]
    members: usize,
    /// Rounds for each door; the median counts
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Seconds of a round; the first fifth warms up
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
}

/// Deliveries to members at the WebSocket next to deliveries to as many members of plain IRC.
///
/// # Errors
/// As [`run`].
pub fn websocket(places: &Places, options: WebSocketOptions) -> Result<bool> {
    let WebSocketOptions { members, rounds, seconds } = options;
    let kinds = [Kind::Chinwag, Kind::WebSocket];
    let options = Options { rounds, seconds, only: None, without: Vec::new() };
    let mut rows = vec![["load", "plain IRC", "WebSocket", "WebSocket / IRC"].map(str::to_owned).to_vec()];
    let mut reached = true;
    for (senders, window) in [(1, 1), (1, 8), (10, 8)] {
        let case = Case::new(senders, window, members, 1, 0.5, false);
        let contenders = measure(&case, &kinds, places, &options)?;
        let share = ratio(&contenders, Kind::WebSocket, Kind::Chinwag).unwrap_or_default();
        reached &= share >= case.target;
        let mut row = vec![case.name()];
        row.extend(contenders.iter().map(|contender| format!("{:.0}", contender.efficiency() / 1e3)));
        row.push(format!("{share:.2}{}", if share < case.target { " MISSED" } else { "" }));
        eprintln!("{}", row.join("  "));
        rows.push(row);
    }
    table::print(&rows);
    println!("\nThousand deliveries per server CPU-second; target: half of plain IRC's.");
    Ok(reached)
}

fn measure(case: &Case, kinds: &[Kind], places: &Places, options: &Options) -> Result<Vec<Contender>> {
    let mut contenders = Vec::new();
    for &kind in kinds {
        let server = places.start(kind)?;
        let by = if kind == Kind::WebSocket { By::WebSocket } else { By::Plain };
        let mut crowd = Crowd::by(server.process.address, by)?;
        let shape = case.shape;
        let room = |index| Some(Shape::room(index, shape.members));
        crowd.enter(kind, shape.callers(), room).with_context(|| format!("entering {}", kind.name()))?;
        contenders.push(Contender { server, crowd, load: Load::new(kind, shape), rounds: Vec::new() });
    }
    // Short rounds in turn: what else the machine does meanwhile meets all of them.
    for _ in 0..options.rounds.max(1) {
        for contender in &mut contenders {
            let name = contender.server.kind.name();
            contender.round(options).with_context(|| format!("a round of {name}"))?;
        }
    }
    Ok(contenders)
}

impl Contender {
    fn round(&mut self, options: &Options) -> Result<()> {
        let Contender { server, crowd, load, rounds } = self;
        let meter = || Ok((server.process.cpu()?, Instant::now()));
        let duration = Duration::from_secs_f64(options.seconds.clamp(0.1, 600.0));
        let (reach, (cpu_before, before), (cpu_after, after)) = load.run(crowd, duration, meter)?;
        let cpu = (cpu_after - cpu_before).as_secs_f64().max(1e-6);
        let deliveries = reach.deliveries as f64;
        rounds.push(Round {
            efficiency: deliveries / cpu,
            rate: deliveries / (after - before).as_secs_f64(),
            reach,
        });
        Ok(())
    }

    fn efficiency(&self) -> f64 {
        table::median(&self.rounds.iter().map(|round| round.efficiency).collect::<Vec<_>>())
    }
}

/// The median of the ratios of rounds that were run one after the other.
fn ratio(contenders: &[Contender], above: Kind, below: Kind) -> Option<f64> {
    let of = |kind| contenders.iter().find(|contender| contender.server.kind == kind);
    let pairs = of(above)?.rounds.iter().zip(&of(below)?.rounds);
    Some(table::median(&pairs.map(|(a, b)| a.efficiency / b.efficiency.max(1.0)).collect::<Vec<_>>()))
}

fn head(kinds: &[Kind]) -> Vec<String> {
    let names = kinds.iter().map(|kind| kind.name());
    let rest = ["chinwag/floor", "target", "chinwag/InspIRCd", "target"];
    std::iter::once("load").chain(names).chain(rest).map(str::to_owned).collect()
}

fn judge(case: &Case, contenders: &[Contender], rows: &mut Vec<Vec<String>>) -> bool {
    let mut row = vec![case.name()];
    row.extend(contenders.iter().map(|contender| format!("{:.0}", contender.efficiency() / 1e3)));
    let mut reached = true;
    let mut cell = |ratio: Option<f64>, target: Option<f64>| {
        let missed = ratio.zip(target).is_some_and(|(ratio, target)| ratio < target);
        reached &= !missed;
        row.push(ratio.map_or_else(
            || "–".into(),
            |ratio| format!("{ratio:.2}{}", if missed { " MISSED" } else { "" }),
        ));
        row.push(target.map_or_else(|| "–".into(), |target| format!("≥ {target:.2}")));
    };
    cell(ratio(contenders, Kind::Chinwag, Kind::Floor), Some(case.target));
    cell(ratio(contenders, Kind::Chinwag, Kind::Inspircd), case.above_inspircd.then_some(1.0));
    rows.push(row);
    reached
}

fn times_head() -> Vec<String> {
    ["load", "server", "deliveries/s", "p50 to the last member", "p99"].map(str::to_owned).to_vec()
}

fn times_row(case: &Case, contender: &Contender) -> Vec<String> {
    let rate = table::median(&contender.rounds.iter().map(|round| round.rate).collect::<Vec<_>>());
    let times: Vec<Duration> =
        contender.rounds.iter().flat_map(|round| round.reach.to_the_last.clone()).collect();
    let (p50, p99) = (table::percentile(&times, 0.5), table::percentile(&times, 0.99));
    let name = contender.server.kind.name().to_owned();
    vec![case.name(), name, format!("{:.0} k", rate / 1e3), table::ms(p50), table::ms(p99)]
}
