//! `chinwag join`: the terminal client, on this terminal, over sockets of its own.
//!
//! What lives here: which server (one that is named, of this machine, or of the local network), which nickname, the loop that wakes the screens and the sockets. What does not: the
//! screens (`chinwag-tui`), the protocol (`chinwag-client`).

mod pipe;
mod servers;
mod terminal;

use std::io::IsTerminal;
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chinwag_client::Millis;
use chinwag_tui::{App, Options, Painter, Palette};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Instant, sleep_until};

use crate::cli::JoinArgs;
use crate::known::{self, Known};
use crate::link::{PORT, Target};
use crate::{Failure, nearby, print, secret};

use servers::Servers;
use terminal::Terminal;

/// What came from servers is drawn at most so often; what is typed, at once.
const PICTURES_EACH: Duration = Duration::from_millis(33);
/// How long goodbye may take.
const GOODBYE_WITHIN: Duration = Duration::from_millis(500);
/// How long a server on this machine may take to say that it is there.
const HERE_WITHIN: Duration = Duration::from_millis(300);

/// Joins.
pub(crate) fn run(args: JoinArgs) -> Result<(), Failure> {
    if args.list {
        return list(&args);
    }
    let targets = targets(&args)?;
    if targets.is_empty() {
        return Ok(());
    }
    let file = known::file();
    let known = match &file {
        Some(file) => Known::read(file).map_err(Failure::Failed)?,
        None => Known::default(),
    };
    let login = secret::login(&args.proof, true)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::Failed(format!("cannot begin: {error}")))?;
    let servers = Servers::new(targets, &args, login, known, file);
    runtime.block_on(screens(servers, &args)).map_err(Failure::Failed)
}

/// The address of a server on this machine, if one answers.
pub(crate) fn here() -> Option<SocketAddr> {
    let places =
        [SocketAddr::from(([127, 0, 0, 1], PORT)), SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], PORT))];
    places.into_iter().find(|place| TcpStream::connect_timeout(place, HERE_WITHIN).is_ok())
}

fn tls(args: &JoinArgs) -> Option<bool> {
    match (args.tls, args.plaintext) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    }
}

/// The servers that are meant; none of them when the person chose to leave.
fn targets(args: &JoinArgs) -> Result<Vec<Target>, Failure> {
    let target = |address: &str| Target::new(address, tls(args)).map_err(Failure::Usage);
    if !args.addresses.is_empty() {
        return args.addresses.iter().map(|address| target(address)).collect();
    }
    match here() {
        Some(here) => Ok(vec![target(&here.to_string())?]),
        None => elsewhere(args),
    }
}

/// The server that the person chooses among those of the local network.
fn elsewhere(args: &JoinArgs) -> Result<Vec<Target>, Failure> {
    let nobody = |there: &str| {
        Failure::Failed(format!(
            "no server answers on this machine (port {PORT}){there}: start one with `chinwag serve`, or say where one \
             is: `chinwag join HOST`"
        ))
    };
    let (typed, shown) = (std::io::stdin(), std::io::stdout());
    if !typed.is_terminal() || !shown.is_terminal() {
        return Err(nobody(", and nobody is here to choose what `chinwag join --list` shows"));
    }
    let found = nearby::look(tls(args)).map_err(|why| nobody(&format!(", and it {why}")))?;
    if found.is_empty() {
        return Err(nobody(", and none is announced on this network"));
    }
    let chosen = found.choose(&mut typed.lock(), &mut shown.lock()).map_err(Failure::Failed)?;
    Ok(chosen.into_iter().collect())
}

/// What is announced on the local network, for programs.
fn list(args: &JoinArgs) -> Result<(), Failure> {
    let found = nearby::look(tls(args)).map_err(Failure::Failed)?;
    if found.is_empty() {
        return Err(Failure::Failed(
            "no server is announced on this network: it may listen on its own machine only (`chinwag serve --listen \
             0.0.0.0:55555` opens it), or the network hands nothing on; `chinwag join HOST` needs no announcement"
                .to_owned(),
        ));
    }
    print(&found.lines())
}

pub(crate) fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis::try_from(since.as_millis()).unwrap_or(Millis::MAX)
}

fn options(args: &JoinArgs) -> Result<Options, String> {
    let palette = match args.theme.as_deref() {
        None => None,
        Some(name) => Some(
            Palette::named(name)
                .ok_or_else(|| format!("--theme {name:?} is none: dark, light, 16, none or contrast"))?,
        ),
    };
    let fallback = Palette::of_environment(|name| std::env::var(name).ok());
    Ok(Options { palette, fallback, mouse: !args.no_mouse, zone: jiff::tz::TimeZone::system() })
}

async fn screens(mut servers: Servers, args: &JoinArgs) -> Result<(), String> {
    let mut app = App::new(options(args)?);
    let failed = |error: std::io::Error| format!("signals cannot be heard: {error}");
    let mut resized = signal(SignalKind::window_change()).map_err(failed)?;
    let mut ended = signal(SignalKind::terminate()).map_err(failed)?;
    let mut hung_up = signal(SignalKind::hangup()).map_err(failed)?;
    let terminal = Terminal::open(!args.no_mouse)?;
    let mut typed = terminal::typed();
    let mut painter = Painter::default();
    let (columns, rows) = Terminal::size();
    app.resize(columns, rows);
    servers.begin(&mut app);
    let mut drawn = Instant::now();
    let mut at_once = true;
    while app.done().is_none() {
        servers.drive(&mut app, now());
        if app.wants_repaint() {
            painter.forget();
        }
        let due = drawn + PICTURES_EACH;
        if app.wants_drawing() && (at_once || due <= Instant::now()) {
            terminal::write(&painter.paint(app.screen(now())))?;
            drawn = Instant::now();
            // Drawing may ask for history.
            servers.drive(&mut app, now());
        }
        terminal::write(&app.outgoing())?;
        at_once = false;
        let wake = wake(&app, &servers, due);
        tokio::select! {
            biased;
            piece = typed.recv() => match piece {
                Some(piece) => {
                    app.input(&piece, now());
                    servers.answered(&mut app);
                    servers.wanted(&mut app);
                    at_once = true;
                }
                None => break,
            },
            _ = resized.recv() => {
                let (columns, rows) = Terminal::size();
                app.resize(columns, rows);
                at_once = true;
            }
            _ = ended.recv() => break,
            _ = hung_up.recv() => break,
            news = servers.news() => servers.take(&mut app, news, now()),
            () = sleep_until(wake.unwrap_or_else(Instant::now)), if wake.is_some() => app.tick(now()),
        }
    }
    servers.goodbye(&mut app, GOODBYE_WITHIN).await;
    drop(terminal);
    servers.remember(&app)
}

/// When to wake at the latest: for the clients, or for a picture that is due. None: nothing waits, nothing turns.
fn wake(app: &App, servers: &Servers, due: Instant) -> Option<Instant> {
    let asked = app.wake_at().map(|at| {
        let wait = at.saturating_sub(now());
        Instant::now() + Duration::from_millis(wait)
    });
    let picture = app.wants_drawing().then_some(due);
    [asked, picture, servers.retry_at()].into_iter().flatten().min()
}
