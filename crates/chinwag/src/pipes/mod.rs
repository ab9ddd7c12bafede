//! `chinwag say`, `tail` and `export`: the chat as one end of a pipe.
//!
//! What lives here: which server and who, and the loop around one client without a screen. What does not: the protocol
//! (`chinwag-client`), sockets and TLS (`link`).

mod driver;
mod export;
mod say;
mod show;
mod tail;

use std::path::Path;

use chinwag_client::{Login, Millis, Profile, Secret};

use crate::Failure;
use crate::cli::{ExportArgs, SayArgs, ServerArgs, TailArgs};
use crate::known::{self, Known};
use crate::link::Target;

use driver::Driver;

/// `chinwag say`
pub(crate) fn say(args: SayArgs) -> Result<(), Failure> {
    run(|| async { say::run(args).await })
}

/// `chinwag tail`
pub(crate) fn tail(args: TailArgs) -> Result<(), Failure> {
    run(|| async { tail::run(args).await })
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
    let given = args.nick.clone().or_else(|| args.account.clone());
    let nick = given.or_else(|| known.nick(&target.to_string())).unwrap_or_else(user);
    let mut profile = Profile::new(&nick, &target.host);
    profile.login = login(args)?;
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

fn login(args: &ServerArgs) -> Result<Option<Login>, Failure> {
    let Some(account) = args.account.clone() else { return Ok(None) };
    let password = match (&args.password_file, std::env::var("CHINWAG_PASSWORD")) {
        (Some(file), _) => first_line(file)?,
        (None, Ok(password)) => password,
        (None, Err(_)) => {
            let sentence = "the account's password is needed: CHINWAG_PASSWORD=… or --password-file FILE";
            return Err(Failure::Usage(sentence.into()));
        }
    };
    Ok(Some(Login::Password { account, password: Secret::new(password) }))
}

fn first_line(file: &Path) -> Result<String, Failure> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::Usage(format!("cannot read {}: {error}", file.display())))?;
    let line = text.lines().next().unwrap_or_default();
    if line.is_empty() {
        return Err(Failure::Usage(format!("there is no password in the first line of {}", file.display())));
    }
    Ok(line.to_owned())
}

/// The name of whoever is at this machine, as a nickname.
fn user() -> String {
    let name = std::env::var("USER").unwrap_or_default();
    let nick: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect();
    let nick = nick.trim_start_matches(|c: char| c.is_ascii_digit() || c == '-');
    if nick.is_empty() || nick == "root" { "guest".into() } else { nick.to_owned() }
}
