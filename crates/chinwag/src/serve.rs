//! `chinwag serve`: puts file and command line together, says how to walk in, serves.

use std::fmt::Write as _;
use std::io::IsTerminal;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use chinwag_server::config::{Address, Kind, ListenerConfig, Listeners, TlsMode};
use chinwag_server::ways::{own_address, reachable};
use chinwag_server::{Config, ConfigError, Listening, Options, Server};
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
    let server = Server::bind(Options { config, data: data.clone() })
        .map_err(|error| Failure::Failed(error.to_string()))?;
    let welcome = Welcome {
        places: server.listening(),
        data: &data,
        lobby: &lobby,
        ssh: server.ssh_fingerprint(),
        owner: server.owner_code(),
        outside: own_address(),
        picture: std::io::stdout().is_terminal(),
    };
    let mut welcome = welcome.text();
    if let Some(address) = server.metrics_address() {
        // Writing to a string cannot fail.
        let _ = writeln!(welcome, "figures for machines: http://{address}/metrics");
    }
    // Only now: whoever reads it may send signals at once.
    let ready = move || {
        if print(&welcome).is_err() {
            tracing::warn!("standard output cannot be written to");
        }
    };
    server.run_with_signals(reread, ready).map_err(|failed| Failure::Failed(failed.to_string()))
}

/// The file, if there is one, and what the command line says instead.
fn read(file: Option<&Path>, listen: &[Address]) -> Result<Config, ConfigError> {
    let mut config = file.map_or_else(|| Ok(Config::default()), Config::read)?;
    if !listen.is_empty() {
        config.listeners = Listeners(listen.iter().cloned().map(ListenerConfig::any).collect());
    }
    Ok(config)
}

/// What people read at the start.
struct Welcome<'a> {
    places: &'a [Listening],
    data: &'a Path,
    lobby: &'a str,
    /// The fingerprint of the ssh host key.
    ssh: Option<String>,
    /// The code that makes the server somebody's.
    owner: Option<String>,
    /// This machine's address for others.
    outside: Option<IpAddr>,
    /// Whether it is read on a terminal, where telephones can read a picture.
    picture: bool,
}

impl Welcome<'_> {
    /// First a line a listener for programs, then how people walk in.
    fn text(&self) -> String {
        let mut text = String::new();
        for place in self.places {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "listening on {}", place.address);
        }
        let (version, data) = (env!("CARGO_PKG_VERSION"), self.data.display());
        let _ = writeln!(text, "chinwag {version} keeps what is said in {data}");
        let _ = writeln!(text, "walk into {}:", self.lobby);
        for place in self.places {
            ways_in(&mut text, place, self.outside);
        }
        certificates(&mut text, self.places);
        if let Some(fingerprint) = &self.ssh {
            let _ = writeln!(text, "ssh host key, ed25519 if the server made it:\n  {fingerprint}");
        }
        if let Some(code) = &self.owner {
            let _ = writeln!(
                text,
                "nobody owns this server yet: come in, register an account, then type\n  /owner {code}\n\
                 (OWNER in IRC; it is good once, and each start prints another one as long as nobody does)"
            );
        }
        let tcp = || self.places.iter().filter_map(|place| place.address.tcp());
        if tcp().all(|address| address.ip().is_loopback()) {
            let port = tcp().next().map_or(chinwag_server::config::PORT, |address| address.port());
            let _ = writeln!(
                text,
                "only this machine can reach it; `chinwag serve --listen 0.0.0.0:{port}` opens it to the network"
            );
        } else if self.picture
            && let Some(picture) = self.places.iter().find_map(|place| place.link(self.outside)).and_then(qr)
        {
            text.push_str(&picture);
        }
        text.push_str("Ctrl-C ends it\n");
        text
    }
}

/// A text as a QR code for a terminal with light letters on dark ground.
fn qr(text: String) -> Option<String> {
    use qrcode::render::unicode::Dense1x2;
    let code = qrcode::QrCode::new(text).ok()?;
    let mut picture = code.render().dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).build();
    picture.push('\n');
    Some(picture)
}

/// A line a door: what to type to come in by it.
fn ways_in(text: &mut String, place: &Listening, outside: Option<IpAddr>) {
    let (open, tls) = (place.tls != TlsMode::Only, place.tls != TlsMode::Off);
    let is = |door: Kind| place.kind == Kind::Any || place.kind == door;
    let address = match &place.address {
        Address::Tcp(address) => *address,
        Address::Unix(path) => {
            let _ = writeln!(text, "  nc        nc -U {}", path.display());
            return;
        }
    };
    let (host, port) = (reachable(address.ip(), outside), address.port());
    let there = SocketAddr::new(host, port);
    let mut line = |door: &str, how: &str| {
        let _ = writeln!(text, "  {door:<9} {how}");
    };
    if let Some(link) = place.link(outside) {
        line("browser", &link);
    }
    if is(Kind::Irc) {
        line("join", &format!("{}      (the terminal client)", join(there, place)));
    }
    if is(Kind::Plain) && open {
        line("nc", &format!("nc {host} {port}"));
        line("telnet", &format!("telnet {host} {port}"));
    }
    if place.kind == Kind::Plain && !open {
        line("ncat", &format!("ncat --ssl {host} {port}"));
    }
    if is(Kind::Irc) && open {
        let tls = if tls { "with TLS or without" } else { "no TLS" };
        line("irc", &format!("irssi -c {host} -p {port}      (or any IRC client, {tls}, then /join)"));
    } else if is(Kind::Irc) {
        line(
            "irc",
            &format!("irssi -c {host} -p {port} --tls      (or any IRC client with TLS, then /join)"),
        );
    }
    if matches!(place.kind, Kind::Any | Kind::WebSocket | Kind::Web) {
        let scheme = if open { "ws" } else { "wss" };
        line("websocket", &format!("{scheme}://{there}/      (IRC clients in a browser, text.ircv3.net)"));
    }
    if place.ssh {
        line("ssh", &format!("ssh -p {port} you@{host}      (your key keeps the nickname yours)"));
    } else if place.kind == Kind::Ssh {
        line("ssh", &format!("{there} is for ssh, which [ssh] enabled = false switches off"));
    }
}

/// How the terminal client comes in: without an address where it finds the server by itself.
fn join(there: SocketAddr, place: &Listening) -> String {
    let here = there.ip().is_loopback();
    let option = match place.tls {
        TlsMode::Only if here => " --tls",
        TlsMode::Off if !here => " --plaintext",
        _ => "",
    };
    match there.port() {
        chinwag_server::config::PORT if here => format!("chinwag join{option}"),
        _ => format!("chinwag join {there}{option}"),
    }
}

/// The fingerprints of the certificates, by which people tell that they are talking to this server.
fn certificates(text: &mut String, places: &[Listening]) {
    let mut shown: Vec<&str> = Vec::new();
    for place in places {
        let Some(fingerprint) = place.fingerprint.as_deref().filter(|print| !shown.contains(print)) else {
            continue;
        };
        shown.push(fingerprint);
        let whose = if place.own_certificate { ", which nobody else vouches for" } else { "" };
        let _ = writeln!(text, "TLS certificate{whose}, SHA-256:\n  {fingerprint}");
    }
}

fn start_logging(args: &ServeArgs) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(&args.log)
        .map_err(|error| Failure::Usage(format!("--log {:?} makes no sense: {error}", args.log)))?;
    let logger = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match args.log_format {
        LogFormat::Text => logger.with_target(false).with_ansi(std::io::stderr().is_terminal()).init(),
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
        // Nothing of the chat lives on the thread of the ssh door, on the one that sends traces, and on the one that announces
        // the server and reads what the local network sends: what broke there ends alone.
        let apart = |name: &str| matches!(name, "ssh" | "mDNS_daemon") || name.starts_with("OpenTelemetry.");
        if std::thread::current().name().is_some_and(apart) {
            return;
        }
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

    fn place(address: &str, kind: Kind, tls: TlsMode) -> Listening {
        let fingerprint = (tls != TlsMode::Off).then(|| "00ff".to_owned());
        let ssh = matches!(kind, Kind::Any);
        let pages = matches!(kind, Kind::Any | Kind::Web);
        let address = address.parse().unwrap();
        let (name, public_url) = (None, None);
        Listening { address, kind, tls, fingerprint, own_certificate: true, name, ssh, pages, public_url }
    }

    fn of(places: &[Listening]) -> Welcome<'_> {
        let (data, lobby) = (Path::new("/data"), "#lobby");
        Welcome { places, data, lobby, ssh: None, owner: None, outside: None, picture: false }
    }

    #[test]
    fn telephones_read_the_link_from_a_terminal_when_others_can_come_in() {
        let shown = |address: &str, picture| {
            let places = [place(address, Kind::Any, TlsMode::Auto)];
            Welcome { picture, ..of(&places) }.text()
        };
        assert!(shown("192.0.2.7:5555", true).contains('\u{2580}'));
        assert!(!shown("192.0.2.7:5555", false).contains('\u{2580}'));
        assert!(!shown("127.0.0.1:5555", true).contains('\u{2580}'));
    }

    #[test]
    fn the_first_lines_are_for_programs() {
        let places = [
            place("127.0.0.1:55555", Kind::Plain, TlsMode::Off),
            place("0.0.0.0:6667", Kind::Irc, TlsMode::Auto),
            place("unix:/run/chat.sock", Kind::Any, TlsMode::Auto),
        ];
        let mut welcome = of(&places);
        welcome.ssh = Some("SHA256:abc".to_owned());
        welcome.owner = Some("abcd-efgh".to_owned());
        let text = welcome.text();
        assert!(text.contains("\n  /owner abcd-efgh\n"), "{text}");
        welcome.outside = Some(IpAddr::from([192, 0, 2, 7]));
        assert!(welcome.text().contains("irssi -c 192.0.2.7 -p 6667"), "{}", welcome.text());
        assert!(text.contains("\n  SHA256:abc\n"), "{text}");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[..3],
            ["listening on 127.0.0.1:55555", "listening on 0.0.0.0:6667", "listening on unix:/run/chat.sock"]
        );
        assert!(text.contains("nc 127.0.0.1 55555"), "{text}");
        assert!(text.contains("irssi -c 127.0.0.1 -p 6667"), "{text}");
        assert!(text.contains("chinwag join 127.0.0.1:6667  "), "{text}");
        assert!(text.contains("nc -U /run/chat.sock"), "{text}");
        assert!(!text.contains("only this machine"), "{text}");
        assert_eq!(text.matches("00ff").count(), 1, "{text}");
    }

    #[test]
    fn ways_in_follow_from_kind_and_tls() {
        let shown = |kind, tls| of(&[place("127.0.0.1:1", kind, tls)]).text();
        let only = shown(Kind::Any, TlsMode::Only);
        assert!(
            !only.contains("  nc ") && only.contains("--tls") && only.contains("wss://127.0.0.1:1/"),
            "{only}"
        );
        let off = shown(Kind::Irc, TlsMode::Off);
        assert!(only.contains("chinwag join 127.0.0.1:1 --tls  "), "{only}");
        assert!(off.contains("chinwag join 127.0.0.1:1  "), "{off}");
        assert!(off.contains("no TLS") && !off.contains("certificate") && !off.contains("ws://"), "{off}");
        assert!(shown(Kind::Ssh, TlsMode::Off).contains("switches off"));
        assert!(shown(Kind::Any, TlsMode::Off).contains("ssh -p 1 you@127.0.0.1"));
    }

    #[test]
    fn the_terminal_client_is_told_only_what_it_does_not_know() {
        let way = |address: &str, tls| {
            let place = place(address, Kind::Any, tls);
            join(place.address.tcp().unwrap(), &place)
        };
        assert_eq!(way("127.0.0.1:55555", TlsMode::Auto), "chinwag join");
        assert_eq!(way("[::1]:7000", TlsMode::Auto), "chinwag join [::1]:7000");
        assert_eq!(way("192.0.2.1:55555", TlsMode::Auto), "chinwag join 192.0.2.1:55555");
        assert_eq!(way("192.0.2.1:55555", TlsMode::Off), "chinwag join 192.0.2.1:55555 --plaintext");
    }

    #[test]
    fn the_command_line_replaces_the_listeners() {
        let address = SocketAddr::from(([127, 0, 0, 1], 1));
        let config = read(None, &[address.into()]).unwrap();
        assert_eq!(config.listeners.0, [ListenerConfig::any(address.into())]);
        assert_eq!(read(None, &[]).unwrap(), Config::default());
    }
}
