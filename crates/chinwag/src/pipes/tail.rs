//! `chinwag tail`: the last lines of rooms, and those that come.

use std::io::IsTerminal;
use std::time::Duration;

use chinwag_client::{BufferId, HistoryState, Line, LineId, Millis, Point};
use chinwag_pipes::show;
use jiff::tz::TimeZone;

use super::driver::{Driver, now};
use super::{point, write};
use crate::Failure;
use crate::cli::TailArgs;

/// How often it is looked whether anybody still reads.
const LOOK_EACH: Duration = Duration::from_millis(500);

/// A room, and how far it has been printed.
struct Tail {
    name: String,
    id: Option<BufferId>,
    /// The lines before are being fetched.
    begun: bool,
    last: Option<(LineId, Millis)>,
}

pub(super) async fn run(args: TailArgs) -> Result<(), Failure> {
    let since = args.words.since.as_deref().map(point).transpose()?;
    let mut driver = super::connect(&args.server, &args.words.rooms)?;
    let tail = |name: &String| Tail { name: name.clone(), id: None, begun: false, last: None };
    let mut tails: Vec<Tail> = args.words.rooms.iter().map(tail).collect();
    let piped = !std::io::stdout().is_terminal();
    loop {
        for tail in &mut tails {
            begin(&mut driver, tail, &args, since.as_ref())?;
            if !print(&mut driver, tail, &args)? {
                return Ok(());
            }
        }
        let through = |tail: &Tail| tail.begun && tail.id.is_some_and(|id| is_through(&driver, id));
        if args.words.once && tails.iter().all(through) {
            break;
        }
        let look = async {
            match piped {
                true => tokio::time::sleep(LOOK_EACH).await,
                false => std::future::pending().await,
            }
        };
        if driver.step(look).await?.is_some() && nobody_reads() {
            return Ok(());
        }
    }
    driver.goodbye().await;
    Ok(())
}

fn is_through(driver: &Driver, id: BufferId) -> bool {
    driver.client.is_synced(id) && driver.client.buffer(id).is_some_and(|buffer| buffer.at_end)
}

/// Finds the place to print from, once the room is entered.
fn begin(
    driver: &mut Driver,
    tail: &mut Tail,
    args: &TailArgs,
    since: Option<&Point>,
) -> Result<(), Failure> {
    if tail.begun {
        return Ok(());
    }
    let Some(id) = driver.entered(&tail.name)? else { return Ok(()) };
    let new = tail.id.replace(id).is_none();
    if let Some(point) = since {
        driver.client.from(id, point.clone(), now());
        tail.begun = true;
        return Ok(());
    }
    let Some(buffer) = driver.client.buffer(id) else { return Ok(()) };
    let said: Vec<&Line> = buffer.lines.iter().filter(|line| shown(line)).collect();
    let more = matches!(buffer.history, HistoryState::More | HistoryState::Loading);
    if said.len() < args.words.count && more && !said.is_empty() {
        if new || buffer.history == HistoryState::More {
            driver.client.older(id, now());
        }
        return Ok(());
    }
    tail.last = said.iter().rev().nth(args.words.count).map(|line| (line.id, line.time_ms));
    tail.begun = true;
    Ok(())
}

/// Whether a line is printed.
fn shown(line: &Line) -> bool {
    line.kind.is_said()
        && line.redacted.is_none()
        && line.from.as_ref().is_some_and(|from| !from.nick.is_empty())
}

/// Prints what is new. Says whether anybody still reads.
fn print(driver: &mut Driver, tail: &mut Tail, args: &TailArgs) -> Result<bool, Failure> {
    let Some(id) = tail.id.filter(|_| tail.begun) else { return Ok(true) };
    let Some(buffer) = driver.client.buffer(id) else { return Ok(true) };
    let lines = &buffer.lines;
    // Where the last one is not held any more, its time tells where to go on.
    let from = match tail.last {
        None => 0,
        Some((last, time_ms)) => lines
            .index_of(last)
            .map(|index| index + 1)
            .or_else(|| lines.iter().position(|line| line.time_ms > time_ms))
            .unwrap_or(lines.len()),
    };
    let several = args.words.rooms.len() > 1;
    let mut out = String::new();
    let mut last = tail.last;
    for line in lines.range(from..lines.len()) {
        last = Some((line.id, line.time_ms));
        if !shown(line) {
            continue;
        }
        out.push_str(&match args.words.json {
            true => show::json(&tail.name, line),
            false => show::text(several.then_some(tail.name.as_str()), line, &TimeZone::system()),
        });
        out.push('\n');
    }
    tail.last = last;
    if !buffer.at_end {
        driver.client.newer(id, now());
    }
    write(&out)
}

/// Whether the other end of the pipe is closed.
fn nobody_reads() -> bool {
    use rustix::event::{PollFd, PollFlags, poll};
    let stdout = std::io::stdout();
    let mut polled = [PollFd::new(&stdout, PollFlags::empty())];
    let at_once = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut polled, Some(&at_once)).is_ok_and(|count| count > 0)
        && polled[0].revents().contains(PollFlags::ERR)
}
