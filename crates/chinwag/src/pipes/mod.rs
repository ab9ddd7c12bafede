//! `chinwag say`, `tail`, `search` and `export`: the chat as one end of a pipe.
//!
//! What lives here: which server and who, and the loop around one client without a screen. What does not: the protocol
//! (`chinwag-client`), sockets and TLS (`link`).

mod driver;
mod export;
mod say;
mod search;
mod tail;

use std::io::Write;

use chinwag_client::{Millis, Point, Profile};
use chinwag_pipes::words;

use crate::cli::{ExportArgs, SayArgs, SearchArgs, ServerArgs, TailArgs};
use crate::known::{self, Known};
use crate::link::Target;
use crate::{Failure, secret};

use driver::{Driver, now};

/// `chinwag say`
pub(crate) fn say(args: SayArgs) -> Result<(), Failure> {
    run(|| async { say::run(args).await })
}

/// `chinwag tail`
pub(crate) fn tail(args: TailArgs) -> Result<(), Failure> {
    run(|| async { tail::run(args).await })
}

/// `chinwag search`
pub(crate) fn search(args: SearchArgs) -> Result<(), Failure> {
    run(|| async { search::run(args).await })
}

/// `chinwag export`
pub(crate) fn export(args: ExportArgs) -> Result<(), Failure> {
    run(|| async { export::run(args).await })
}

fn run<F: Future<Output = Result<(), Failure>>>(begin: impl FnOnce() -> F) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::Failed(format!("cannot begin: {error}")))?;
    runtime.block_on(begin())
}

/// The way to the server, and who comes in: in these rooms or conversations.
fn connect(args: &ServerArgs, names: &[String]) -> Result<Driver, Failure> {
    let tls = match (args.tls, args.plaintext) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    };
    let target = Target::new(&args.address, tls).map_err(Failure::Usage)?;
    let file = known::file();
    let known = match &file {
        Some(file) => Known::read(file).map_err(Failure::Failed)?,
        None => Known::default(),
    };
    let given = args.nick.clone().or_else(|| args.proof.account.clone());
    let nick = given.or_else(|| known.nick(&target.to_string())).unwrap_or_else(user);
    let mut profile = Profile::new(&nick, &target.host);
    profile.login = secret::login(&args.proof, false)?;
    profile.trusted_link = target.trusted();
    profile.alternates = true;
    profile.members = false;
    profile.conversations = false;
    profile.rooms = names.iter().filter(|name| is_room(name)).cloned().collect();
    Driver::new(profile, target, known, file, Millis::from(args.patience) * 1_000)
}

/// Whether a name is that of a room, before a server has said how they begin there.
fn is_room(name: &str) -> bool {
    name.starts_with(['#', '&'])
}

/// The name of whoever is at this machine, as a nickname.
fn user() -> String {
    let name = std::env::var("USER").unwrap_or_default();
    let nick: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect();
    let nick = nick.trim_start_matches(|c: char| c.is_ascii_digit() || c == '-');
    if nick.is_empty() || nick == "root" { "guest".into() } else { nick.to_owned() }
}

/// The point that `--since` names.
fn point(text: &str) -> Result<Point, Failure> {
    words::point(text, now()).map_err(Failure::Usage)
}

/// Writes to standard output. Says whether anybody still reads.
fn write(text: &str) -> Result<bool, Failure> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Failure::Failed(format!("cannot write to standard output: {error}"))),
    }
}
