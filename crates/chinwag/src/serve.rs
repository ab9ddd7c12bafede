//! `chinwag serve`: puts file and command line together, says how to walk in, serves.

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use chinwag_server::config::{Kind, ListenerConfig, Listeners};
use chinwag_server::{Config, ConfigError, Options, Server};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tracing_subscriber::EnvFilter;

use crate::cli::{LogFormat, ServeArgs};
use crate::{Failure, folder, print};

/// Starts a server and serves until a signal ends it.
pub(crate) fn run(args: ServeArgs) -> Result<(), Failure> {
    start_logging(&args)?;
    end_on_panic();
    let ServeArgs { listen, data, config: file, .. } = args;
    let reread = move || read(file.as_deref(), &listen);
    let config = reread().map_err(|error| Failure::Usage(error.to_string()))?;
    let data = data.or_else(folder::default_data).ok_or_else(|| {
        Failure::Usage("no home folder to keep data in: say where with --data DIR".to_owned())
    })?;
    raise_descriptor_limit();
    let lobby = config.server.lobby.clone();
    let kinds: Vec<Kind> = config.listeners.0.iter().map(|listener| listener.kind).collect();
    let server = Server::bind(Options { config, data: data.clone() })
        .map_err(|error| Failure::Failed(error.to_string()))?;
    let welcome = welcome(server.addresses(), &kinds, &data, &lobby);
    // Only now: whoever reads it may send signals at once.
    let ready = move || {
        if print(&welcome).is_err() {
            tracing::warn!("standard output cannot be written to");
        }
    };
    server.run_with_signals(reread, ready).map_err(|failed| Failure::Failed(failed.to_string()))
}

/// The file, if there is one, and what the command line says instead.
fn read(file: Option<&Path>, listen: &[SocketAddr]) -> Result<Config, ConfigError> {
    let mut config = file.map_or_else(|| Ok(Config::default()), Config::read)?;
    if !listen.is_empty() {
        let any = |address: &SocketAddr| ListenerConfig { address: *address, kind: Kind::Any };
        config.listeners = Listeners(listen.iter().map(any).collect());
    }
    Ok(config)
}

/// First a line a listener for programs, then how people walk in.
fn welcome(addresses: &[SocketAddr], kinds: &[Kind], data: &Path, lobby: &str) -> String {
    let mut text = String::new();
    for address in addresses {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "listening on {address}");
    }
    let _ = writeln!(text, "chinwag {} keeps what is said in {}", env!("CARGO_PKG_VERSION"), data.display());
    let _ = writeln!(text, "walk into {lobby}:");
    let find = |door: Kind| {
        let both = addresses.iter().zip(kinds);
        both.clone().find(|(_, kind)| **kind == Kind::Any || **kind == door).map(|(address, _)| *address)
    };
    if let Some(address) = find(Kind::Plain) {
        let (host, port) = (reachable(address.ip()), address.port());
        let _ = writeln!(text, "  nc       nc {host} {port}");
        let _ = writeln!(text, "  telnet   telnet {host} {port}");
    }
    if let Some(address) = find(Kind::Irc) {
        let (host, port) = (reachable(address.ip()), address.port());
        let _ = writeln!(
            text,
            "  irc      irssi -c {host} -p {port}      (or any IRC client: no TLS, then /join {lobby})"
        );
    }
    if addresses.iter().all(|address| address.ip().is_loopback()) {
        let port = addresses.first().map_or(chinwag_server::config::PORT, SocketAddr::port);
        let _ = writeln!(
            text,
            "only this machine can reach it; `chinwag serve --listen 0.0.0.0:{port}` opens it to the network"
        );
    }
    text.push_str("Ctrl-C ends it\n");
    text
}

/// An address that somebody can type: a listener for all of them is reached on this machine's own.
fn reachable(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(any) if any.is_unspecified() => IpAddr::from([127, 0, 0, 1]),
        IpAddr::V6(any) if any.is_unspecified() => IpAddr::from([127, 0, 0, 1]),
        other => other,
    }
}

fn start_logging(args: &ServeArgs) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(&args.log)
        .map_err(|error| Failure::Usage(format!("--log {:?} makes no sense: {error}", args.log)))?;
    let logger = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match args.log_format {
        LogFormat::Text => {
            logger.with_target(false).with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).init()
        }
        LogFormat::Json => logger.json().init(),
    }
    Ok(())
}

/// A broken assertion leaves the chat in no state to go on with. What was acknowledged is on disk: ending at once
/// loses nothing, going on might.
fn end_on_panic() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        report(panic);
        eprintln!(
            "chinwag: this is a bug in chinwag, please report it; nothing that was acknowledged is lost"
        );
        std::process::exit(1);
    }));
}

/// Every caller needs a descriptor; the usual soft limit of 1024 is for programs that use `select`.
fn raise_descriptor_limit() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum
        && let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })
    {
        tracing::warn!(%error, "the limit of open connections stays low");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_lines_are_for_programs() {
        let addresses = [SocketAddr::from(([127, 0, 0, 1], 55555)), SocketAddr::from(([0, 0, 0, 0], 6667))];
        let text = welcome(&addresses, &[Kind::Plain, Kind::Irc], Path::new("/data"), "#lobby");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[..2], ["listening on 127.0.0.1:55555", "listening on 0.0.0.0:6667"]);
        assert!(text.contains("nc 127.0.0.1 55555"), "{text}");
        assert!(text.contains("irssi -c 127.0.0.1 -p 6667"), "{text}");
        assert!(!text.contains("only this machine"), "{text}");
    }

    #[test]
    fn the_command_line_replaces_the_listeners() {
        let address = SocketAddr::from(([127, 0, 0, 1], 1));
        let config = read(None, &[address]).unwrap();
        assert_eq!(config.listeners.0, [ListenerConfig { address, kind: Kind::Any }]);
        assert_eq!(read(None, &[]).unwrap(), Config::default());
    }
}
