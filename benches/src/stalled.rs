//! Readers that stall: some members of a room stop reading; the server has to put them out with a reason, and the
//! others have to keep their rate.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::crowd::Crowd;
use crate::load::{Load, Shape};
use crate::servers::{Kind, Places};
use crate::table;

/// How much of their rate the others have to keep.
const TARGET: f64 = 0.9;
/// How long one read of a caller may take before the bench gives up.
const PATIENCE: Duration = Duration::from_secs(20);

/// How much to measure.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Members of the room
    #[arg(long, default_value_t = 2_000)]
    members: usize,
    /// How many of them stop reading
    #[arg(long, default_value_t = 200)]
    stalled: usize,
    /// Seconds before they stop
    #[arg(long, default_value_t = 3)]
    before: u64,
    /// Seconds after; time enough for megabytes to wait for each of them
    #[arg(long, default_value_t = 10)]
    after: u64,
}

/// Measures and prints; `true` when the others kept their rate and each that stalled was told why it had to go.
///
/// # Errors
/// When the server is missing or fails, or a reading member did not get every message once and in order.
pub fn run(places: &Places, options: &Options) -> Result<bool> {
    let shape = Shape { senders: 8, window: 8, members: options.members - options.stalled, rooms: 1 };
    let server = places.start(Kind::Chinwag)?;
    let room = Shape::room(0, shape.members);
    let stalling: Vec<TcpStream> =
        (0..options.stalled).map(|n| enter(server.process.address, n, &room)).collect::<Result<_>>()?;
    let mut crowd = Crowd::new(server.process.address)?;
    crowd.enter(Kind::Chinwag, shape.callers(), |index| Some(Shape::room(index, shape.members)))?;
    let mut load = Load::new(Kind::Chinwag, shape);

    let stop = Arc::new(AtomicBool::new(false));
    let reading = thread::spawn({
        let stop = Arc::clone(&stop);
        move || read_until(stalling, &stop)
    });
    let mut rate = |seconds: u64| {
        let measured = load.run(&mut crowd, Duration::from_secs(seconds), || server.process.cpu());
        measured.map(|(reach, from, to)| {
            // The first fifth of a run is not counted.
            let wall = seconds as f64 * 0.8;
            (reach.deliveries as f64 / wall / 1e3, reach.deliveries as f64 / (to - from).as_secs_f64() / 1e3)
        })
    };
    let before = rate(options.before)?;
    stop.store(true, Ordering::Relaxed);
    let stalling = reading.join().map_err(|_| anyhow::anyhow!("the reader of the others panicked"))??;
    let after = rate(options.after)?;
    let told = stalling.into_iter().map(last_words).collect::<Result<Vec<_>>>()?;
    let told = told.iter().filter(|told| **told).count();

    let row =
        |name: &str, (wall, cpu): (f64, f64)| vec![name.into(), format!("{wall:.0} k"), format!("{cpu:.0}")];
    let head = ["", "deliveries/s", "thousand per CPU-second"].map(str::to_owned).to_vec();
    table::print(&[head, row("everybody reads", before), row("some have stalled", after)]);
    println!("\n{told} of {} stalled readers were disconnected and told why.", options.stalled);
    let kept = table::verdict("what the others keep of their rate", after.0 / before.0, "", TARGET, true);
    Ok(kept && told == options.stalled)
}

/// A caller with a small buffer, registered and in the room.
fn enter(address: SocketAddr, n: usize, room: &str) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(address).context("a caller cannot connect")?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(format!("NICK s{n:05}\r\nUSER s 0 * :stalls\r\nJOIN {room}\r\n").as_bytes())?;
    let (mut seen, mut buffer) = (Vec::new(), [0; 4096]);
    while !seen.windows(5).any(|window| window == b" 366 ") {
        match stream.read(&mut buffer)? {
            0 => bail!("the server has closed the connection of a caller"),
            count => seen.extend_from_slice(&buffer[..count]),
        }
    }
    stream.set_nonblocking(true)?;
    Ok(stream)
}

/// Reads and forgets until it is told to stop.
fn read_until(mut callers: Vec<TcpStream>, stop: &AtomicBool) -> Result<Vec<TcpStream>> {
    let mut buffer = vec![0; 64 * 1024];
    while !stop.load(Ordering::Relaxed) {
        for caller in &mut callers {
            loop {
                match caller.read(&mut buffer) {
                    Ok(0) => bail!("the server has closed the connection of somebody who read"),
                    Ok(_) => {}
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(error) => return Err(error).context("a caller cannot read"),
                }
            }
        }
        thread::sleep(Duration::from_millis(2));
    }
    Ok(callers)
}

/// Reads what is left for a caller and says whether it ends with the reason.
fn last_words(mut caller: TcpStream) -> Result<bool> {
    caller.set_nonblocking(false)?;
    let (mut tail, mut buffer) = (Vec::new(), vec![0; 64 * 1024]);
    loop {
        match caller.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => {
                tail.extend_from_slice(&buffer[..count]);
                let keep = tail.len().saturating_sub(512);
                tail.drain(..keep);
            }
            // The rest of what it missed may be cut off; what counts is whether it was told before.
            Err(error) if error.kind() == ErrorKind::ConnectionReset => break,
            Err(error) => return Err(error).context("a stalled caller was not disconnected"),
        }
    }
    drop(caller.shutdown(Shutdown::Both));
    Ok(String::from_utf8_lossy(&tail).contains("send queue exceeded"))
}
