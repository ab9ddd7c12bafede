//! Benches of chinwag against the real program, and the floor to hold them against.
//!
//! What lives here: a load generator on one thread (`crowd`, `load`), the servers that it drives (`servers`,
//! `floor`), and a module a bench. What does not: benches of one function; those stand in their crate. A new
//! load of the fan-out is a row in `fanout::CASES`; a new bench is a module and a line in `Bench`.

mod accounts;
mod crowd;
mod decode;
mod fanout;
mod floor;
mod frames;
mod hostile;
mod inside;
mod keypress;
mod latency;
mod load;
mod process;
mod quiet;
mod records;
mod restart;
mod search;
mod servers;
mod stalled;
mod table;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::atomic::Ordering;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Measures chinwag with its log on, next to other servers under the same load.
///
/// Build everything first: cargo build --release --workspace. Absolute figures depend on the machine; what
/// counts is what a run says about servers that it drove in turn. All times of servers are CPU time of the
/// server's process (user and system), so other programs disturb them less than a clock.
#[derive(Parser)]
#[command(name = "chinwag-bench", version, after_help = EXAMPLES)]
struct Arguments {
    #[command(subcommand)]
    bench: Bench,
    #[command(flatten)]
    places: servers::Places,
    /// Let the system place servers and load; otherwise they get a half of the processors each
    #[arg(long, global = true)]
    unpinned: bool,
    /// End with exit code 1 when a target is missed
    #[arg(long, global = true)]
    check: bool,
}

const EXAMPLES: &str = "\
Examples:
  cargo run --release -p chinwag-bench -- fanout
  cargo run --release -p chinwag-bench -- fanout --only 10x8x100 --rounds 3
  cargo run --release -p chinwag-bench -- latency --folder /var/tmp
  cargo run --release -p chinwag-bench -- idle --connections 10000
  cargo run --release -p chinwag-bench -- idle --connections 2000 --tls

The bench of appends to the log is in its crate: cargo bench -p chinwag-archive";

#[derive(Subcommand)]
enum Bench {
    /// Deliveries per server CPU-second as a share of the floor and next to InspIRCd
    Fanout(fanout::Options),
    /// Time to the last of 100 members at 100 messages a second, next to a commit
    Latency(latency::Options),
    /// From a key to the terminal client's screen while a room receives 1,000 messages a second
    Keypress(keypress::Options),
    /// Memory when empty, and of each silent connection
    Idle {
        /// Silent connections (each needs an open file here and in the server)
        #[arg(long, default_value_t = 10_000)]
        connections: usize,
        /// Each inside of TLS
        #[arg(long)]
        tls: bool,
    },
    /// Registrations per server CPU-second
    Registrations {
        /// Callers of a round
        #[arg(long, default_value_t = 5_000)]
        callers: usize,
        /// Rounds; the median counts
        #[arg(long, default_value_t = 3)]
        rounds: usize,
    },
    /// Everybody joins one room at once
    Joinstorm {
        /// Callers who join
        #[arg(long, default_value_t = 1_000)]
        callers: usize,
        /// Rounds; the median counts
        #[arg(long, default_value_t = 5)]
        rounds: usize,
    },
    /// Everybody registers an account and logs in at once; what others notice
    Accounts {
        /// Callers at once
        #[arg(long, default_value_t = 1_000)]
        callers: usize,
    },
    /// A hostile hour in two minutes: what people notice while strangers do all that strangers do
    Hostile(hostile::Options),
    /// What others notice when members of their room stop reading
    Stalled(stalled::Options),
    /// From the start on an empty folder to the first welcome
    Startup {
        /// Rounds; the median counts
        #[arg(long, default_value_t = 20)]
        rounds: usize,
    },
    /// From the start on years of use to the first welcome
    Restart(restart::Options),
    /// Deliveries to members at the WebSocket next to those of plain IRC
    Websocket(fanout::WebSocketOptions),
    /// Search in years of use: making the index, answers, and how far behind it is
    Search(search::Options),
    /// What `chinwag import` and `chinwag export --data` cost, and whether the same bytes come back
    Records {
        /// Messages
        #[arg(long, default_value_t = 1_000_000)]
        messages: u64,
    },
    /// Lines cut, parsed and looked up, on one thread
    Decode {
        /// Rounds; the median counts
        #[arg(long, default_value_t = 9)]
        rounds: usize,
    },
    /// Serve as the floor until killed: neither parses nor keeps, one send per member and turn
    Floor {
        /// Where to listen
        #[arg(long, default_value = "127.0.0.1:5555")]
        listen: SocketAddr,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    process::raise_open_files();
    process::UNPINNED.store(arguments.unpinned, Ordering::Relaxed);
    match run(&arguments) {
        Ok(reached) if reached || !arguments.check => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("chinwag-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<bool> {
    let places = &arguments.places;
    match &arguments.bench {
        Bench::Fanout(options) => fanout::run(places, options),
        Bench::Latency(options) => latency::run(places, options),
        Bench::Keypress(options) => keypress::run(places, options),
        Bench::Idle { connections, tls } => quiet::idle(places, *connections, *tls),
        Bench::Registrations { callers, rounds } => quiet::registrations(places, *callers, *rounds),
        Bench::Joinstorm { callers, rounds } => quiet::storm(places, *callers, *rounds),
        Bench::Accounts { callers } => accounts::run(places, *callers),
        Bench::Hostile(options) => hostile::run(places, *options),
        Bench::Stalled(options) => stalled::run(places, options),
        Bench::Startup { rounds } => quiet::startup(places, *rounds),
        Bench::Restart(options) => restart::run(places, *options),
        Bench::Websocket(options) => fanout::websocket(places, *options),
        Bench::Search(options) => search::run(places, *options),
        Bench::Records { messages } => records::run(places, *messages),
        Bench::Decode { rounds } => decode::run(*rounds),
        Bench::Floor { listen } => floor::serve(*listen).map(|()| true),
    }
}
