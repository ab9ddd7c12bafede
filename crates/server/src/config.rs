//! Configuration: the file, its defaults, and errors that say where and what to write instead.
//!
//! A new key: a field here with its default, the key with its comment in `default.toml`, and, if the chat needs
//! it, a line in [`Config::settings`]. A test compares the two.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chinwag_core::multiline;
use chinwag_core::settings::{Rate, Settings, StoreTagmsg, Sts};
use chinwag_wire::names::RoomName;
use chinwag_wire::tags::is_key;
use ipnet::IpNet;
use rustix::process::{Resource, getrlimit};
use serde::Deserialize;

use crate::throttle::Allowed;

pub use self::accounts::{AccountsConfig, ChannelsConfig, HashCost, ServicesConfig};
pub use self::acme::{AcmeConfig, Challenge};
pub use self::announce::Announce;
pub use self::metrics::MetricsConfig;

mod accounts;
mod acme;
mod announce;
mod extensions;
mod history;
mod keep;
mod later;
mod listener;
mod log;
mod mapping;
mod metrics;
mod nearest;
mod oper;
mod reload;
mod ssh;
#[cfg(test)]
mod tests;
mod throttle;
mod traces;
mod web;
mod webhooks;

pub use self::extensions::{MetadataConfig, RelaymsgConfig, RoleplayConfig};
pub use self::history::{HistoryConfig, TagmsgConfig};
pub use self::keep::KeepConfig;
pub use self::listener::{Address, Kind, ListenerConfig, Listeners, TlsMode, WebircConfig};
pub use self::log::{LogConfig, LogKind};
pub use self::mapping::Mapping;
pub use self::oper::OperConfig;
pub use self::ssh::SshConfig;
pub use self::throttle::ThrottleConfig;
use self::throttle::nets;
#[cfg(feature = "otel")]
pub(crate) use self::traces::is_address;
pub use self::traces::{Traced, TracesConfig};
pub use self::web::{ApiFor, WebConfig};
pub use self::webhooks::WebhooksConfig;

/// The commented default configuration, as `chinwag config` prints it.
pub const DEFAULT_TOML: &str = include_str!("default.toml");

/// The port that chinwag listens on when nothing else is said.
pub const PORT: u16 = 55555;

/// The smallest memory that a few people find room in, in bytes.
const MEMORY_BYTES_MIN: u64 = 16 * 1024 * 1024;

/// Descriptors that are kept back for files, and of the rest, in hundredths, what is for connections: some of them take
/// more than one.
const FILES: u64 = 128;
const CONNECTIONS_SHARE: u64 = 75;

/// The whole configuration.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// `[server]`
    pub server: ServerConfig,
    /// `[[listener]]`; empty means the default one.
    #[serde(rename = "listener", default = "default_listeners")]
    pub listeners: Listeners,
    /// `[[webirc]]`
    pub webirc: Vec<WebircConfig>,
    /// `[limits]`
    pub limits: LimitsConfig,
    /// `[throttle]`
    pub throttle: ThrottleConfig,
    /// `[accounts]`
    pub accounts: AccountsConfig,
    /// `[[oper]]`
    #[serde(rename = "oper")]
    pub opers: Vec<OperConfig>,
    /// `[services]`
    pub services: ServicesConfig,
    /// `[channels]`
    pub channels: ChannelsConfig,
    /// `[history]`
    pub history: HistoryConfig,
    /// `[metadata]`
    pub metadata: MetadataConfig,
    /// `[relaymsg]`
    pub relaymsg: RelaymsgConfig,
    /// `[roleplay]`
    pub roleplay: RoleplayConfig,
    /// `[log]`
    pub log: LogConfig,
    /// `[web]`
    pub web: WebConfig,
    /// `[webhooks]`
    pub webhooks: WebhooksConfig,
    /// `[acme]`
    pub acme: AcmeConfig,
    /// `[ssh]`
    pub ssh: SshConfig,
    /// `[metrics]`
    pub metrics: MetricsConfig,
    /// `[traces]`
    pub traces: TracesConfig,
}

/// `[server]`: who we are.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerConfig {
    /// Name on the wire.
    pub name: String,
    /// Name of the network.
    pub network: String,
    /// One line about the server.
    pub description: String,
    /// Password for everybody, if any.
    pub password: Option<String>,
    /// Message of the day; lines are separated by line ends.
    pub motd: String,
    /// The address of a picture that stands for the network, if there is one.
    pub icon: Option<String>,
    /// Client-only tags that are not handed on.
    pub client_tags_denied: Vec<String>,
    /// The room where plain callers land.
    pub lobby: String,
    /// Whether others are shown a cloak instead of an address.
    pub cloak: bool,
    /// Names of hosts are looked up; not yet.
    pub resolve_hostnames: bool,
    /// Hosts are asked for the names of users; not yet.
    pub ident_lookup: bool,
    /// Whether the local network is told that there is a server.
    pub announce: Announce,
    /// Balancers and web servers that are believed when they say for whom they connect.
    #[serde(deserialize_with = "nets")]
    pub proxy_allowed_from: Vec<IpNet>,
    /// Seconds for which IRC clients that came with TLS come back with TLS only (`sts`), if that is wanted.
    pub sts_duration_seconds: Option<u32>,
    /// The port that they are sent to; the first one where TLS is spoken, if none is named.
    pub sts_port: Option<u16>,
    /// Which names are the same, for data that is made now.
    pub casemapping: Mapping,
    /// Whether what is not UTF-8 is refused.
    pub utf8_only: bool,
}

/// `[limits]`: bytes, counts and seconds.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsConfig {
    /// Bytes of a nickname.
    pub nick_length: usize,
    /// Bytes of a room name.
    pub channel_length: usize,
    /// Bytes of a topic.
    pub topic_length: usize,
    /// Bytes of an away message.
    pub away_length: usize,
    /// Bytes of a kick reason.
    pub kick_length: usize,
    /// Entries of a room's list mode.
    pub list_mode_entries: usize,
    /// Bytes of a message of several lines.
    pub multiline_max_bytes: usize,
    /// Lines of a message of several lines.
    pub multiline_max_lines: usize,
    /// Rooms a user may be in.
    pub channels_per_user: usize,
    /// Nicknames that a session may watch.
    pub monitor_entries: usize,
    /// Former holders of a nickname that WHOWAS shows.
    pub whowas_entries: usize,
    /// Bytes of a password.
    pub password_max_bytes: usize,
    /// Bytes that may wait for a session.
    pub send_queue_bytes: usize,
    /// Bytes that may be held for all callers together; 0 for any number.
    pub memory_bytes: u64,
    /// Connections that may be open; 0 for as many as there are descriptors for.
    pub connections: usize,
    /// Connections that have not said yet who they are.
    pub newcomers: u32,
    /// Seconds until an unregistered session is closed.
    pub registration_timeout_seconds: u32,
    /// Seconds of silence until a PING, and again until the end.
    pub ping_seconds: u32,
}

impl Default for ServerConfig {
    fn default() -> Self {
        ServerConfig {
            name: "chinwag.local".to_owned(),
            network: "chinwag".to_owned(),
            description: "a chinwag server".to_owned(),
            password: None,
            motd: String::new(),
            icon: None,
            client_tags_denied: Vec::new(),
            lobby: "#lobby".to_owned(),
            cloak: true,
            resolve_hostnames: false,
            ident_lookup: false,
            announce: Announce::default(),
            proxy_allowed_from: Vec::new(),
            sts_duration_seconds: None,
            sts_port: None,
            casemapping: Mapping::default(),
            utf8_only: true,
        }
    }
}

impl Default for Listeners {
    fn default() -> Self {
        default_listeners()
    }
}

fn default_listeners() -> Listeners {
    let address = SocketAddr::from(([127, 0, 0, 1], PORT));
    Listeners(vec![ListenerConfig::any(address.into())])
}

impl Default for LimitsConfig {
    fn default() -> Self {
        LimitsConfig {
            nick_length: 32,
            channel_length: 64,
            topic_length: 390,
            away_length: 390,
            kick_length: 390,
            list_mode_entries: 100,
            multiline_max_bytes: 4096,
            multiline_max_lines: 32,
            channels_per_user: 100,
            monitor_entries: 100,
            whowas_entries: 100,
            password_max_bytes: 600,
            send_queue_bytes: 1024 * 1024,
            memory_bytes: 512 * 1024 * 1024,
            connections: 0,
            newcomers: 4096,
            registration_timeout_seconds: 60,
            ping_seconds: 90,
        }
    }
}

/// What is wrong with a configuration. The text is one sentence that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {}: {source}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file can be read and makes no sense.
    #[error("{}:{line}: {what}", .path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        what: String,
    },
}

impl LimitsConfig {
    /// Connections that may be open.
    fn connections(&self) -> usize {
        let descriptors = || getrlimit(Resource::Nofile).current.unwrap_or(u64::from(u32::MAX));
        match self.connections {
            0 => {
                (descriptors().saturating_sub(FILES).saturating_mul(CONNECTIONS_SHARE) / 100).max(1) as usize
            }
            limit => limit,
        }
    }
}

impl Config {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// [`ConfigError`] when it cannot be read, has an unknown key, or a value that makes no sense.
    pub fn read(path: &Path) -> Result<Config, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        Config::parse(&text, path)
    }

    /// Parses and checks a text; `path` is for the error only.
    ///
    /// # Errors
    /// [`ConfigError::Wrong`] for an unknown key or a value that makes no sense.
    pub fn parse(text: &str, path: &Path) -> Result<Config, ConfigError> {
        let wrong = |line, what| ConfigError::Wrong { path: path.to_owned(), line, what };
        let mut config: Config = toml::from_str(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            wrong(line_of(text, start), nearest::explain(error.message(), text, start))
        })?;
        if config.listeners.0.is_empty() {
            config.listeners = default_listeners();
        }
        config.check().map_err(|(section, key, what)| wrong(line_of_key(text, section, key), what))?;
        Ok(config)
    }

    /// What types cannot say. The error is section, key and sentence.
    fn check(&self) -> Result<(), (&'static str, &'static str, String)> {
        let limits = &self.limits;
        let throttle = &self.throttle;
        let ranges: &[(&'static str, &'static str, u64, u64, u64)] = &[
            ("limits", "nick_length", limits.nick_length as u64, 1, 128),
            ("limits", "channel_length", limits.channel_length as u64, 2, 200),
            ("limits", "topic_length", limits.topic_length as u64, 1, 390),
            ("limits", "away_length", limits.away_length as u64, 1, 390),
            ("limits", "kick_length", limits.kick_length as u64, 1, 390),
            ("limits", "list_mode_entries", limits.list_mode_entries as u64, 1, 10_000),
            (
                "limits",
                "multiline_max_bytes",
                limits.multiline_max_bytes as u64,
                512,
                multiline::BYTES_MAX as u64,
            ),
            (
                "limits",
                "multiline_max_lines",
                limits.multiline_max_lines as u64,
                2,
                multiline::LINES_MAX as u64,
            ),
            ("limits", "channels_per_user", limits.channels_per_user as u64, 1, 10_000),
            ("limits", "monitor_entries", limits.monitor_entries as u64, 1, 1000),
            ("limits", "whowas_entries", limits.whowas_entries as u64, 1, 1000),
            ("limits", "password_max_bytes", limits.password_max_bytes as u64, 8, 600),
            ("limits", "send_queue_bytes", limits.send_queue_bytes as u64, 16 * 1024, 1 << 30),
            ("limits", "newcomers", limits.newcomers.into(), 1, 1_000_000),
            ("limits", "registration_timeout_seconds", limits.registration_timeout_seconds.into(), 2, 3600),
            ("limits", "ping_seconds", limits.ping_seconds.into(), 5, 86_400),
            ("throttle", "connections_at_once", throttle.connections_at_once.into(), 1, 1_000_000),
            ("throttle", "connections_per_minute", throttle.connections_per_minute.into(), 1, 60_000),
            ("throttle", "newcomers_at_once", throttle.newcomers_at_once.into(), 1, 1_000_000),
            ("throttle", "commands_per_second", throttle.commands_per_second.into(), 1, 1000),
            ("throttle", "commands_burst", throttle.commands_burst.into(), 5, 100_000),
            ("history", "znc_playback_max", self.history.znc_playback_max.into(), 1, 10_000),
            ("history", "query_max", self.history.query_max.into(), 1, 1000),
        ];
        for &(section, key, value, least, most) in ranges {
            if !(least..=most).contains(&value) {
                return Err((section, key, format!("{key} = {value} must be from {least} to {most}")));
            }
        }
        if limits.memory_bytes != 0 && limits.memory_bytes < MEMORY_BYTES_MIN {
            let what = format!("memory_bytes must be 0 or at least {MEMORY_BYTES_MIN}");
            return Err(("limits", "memory_bytes", what));
        }
        if self.history.on_join > self.history.query_max {
            let what = "on_join must not be more than query_max".to_owned();
            return Err(("history", "on_join", what));
        }
        self.metadata.check()?;
        self.relaymsg.check()?;
        self.web.check()?;
        self.acme.check()?;
        self.traces.check()?;
        self.check_listeners()?;
        self.check_server()
    }

    fn check_listeners(&self) -> Result<(), (&'static str, &'static str, String)> {
        if self.server.sts_duration_seconds.is_some()
            && !self.acme.enabled()
            && self.listeners.0.iter().all(|listener| listener.tls_cert.is_none())
        {
            let what = "sts_duration_seconds needs a listener with tls_cert, or [acme]: clients would not come back to a \
                        certificate that nobody vouches for";
            return Err(("server", "sts_duration_seconds", what.to_owned()));
        }
        if self.webirc.iter().any(|gateway| !gateway.password.starts_with("$argon2id$")) {
            let what = "password must be an argon2id hash ($argon2id$v=19$…), not the password itself";
            return Err(("webirc", "password", what.to_owned()));
        }
        let proxies = !self.server.proxy_allowed_from.is_empty();
        let mut listeners = self.listeners.0.iter();
        listeners
            .try_for_each(|listener| listener.check(proxies).map_err(|(key, what)| ("listener", key, what)))
    }

    fn check_server(&self) -> Result<(), (&'static str, &'static str, String)> {
        let server = &self.server;
        self.check_later()?;
        for (key, value) in [("name", &server.name), ("network", &server.network)] {
            let odd = |c: char| c.is_whitespace() || c.is_control() || ":!@,*".contains(c);
            if value.is_empty() || value.len() > 63 || value.contains(odd) {
                let what = format!("{key} must be one word of at most 63 bytes without any of :!@,*");
                return Err(("server", key, what));
            }
        }
        if server.description.contains(char::is_control) {
            return Err(("server", "description", "description must be one line".to_owned()));
        }
        if server.password.as_ref().is_some_and(|word| word.is_empty() || word.len() > 300) {
            return Err(("server", "password", "password must have 1 to 300 bytes".to_owned()));
        }
        let bare = |address: &str| address.contains("://") && !address.contains([' ', ',']);
        if server.icon.as_ref().is_some_and(|icon| !bare(icon) || icon.len() > 250) {
            let what = "icon must be an address (https://…) of at most 250 bytes without spaces".to_owned();
            return Err(("server", "icon", what));
        }
        let tag = |tag: &String| is_key(tag.strip_prefix('-').unwrap_or(tag)) && tag.len() <= 60;
        let names = server.client_tags_denied.iter().skip_while(|tag| *tag == "*");
        if server.client_tags_denied.len() > 5 || !names.clone().all(tag) {
            let what = "client_tags_denied must be up to five tags without their +; \"*\" only comes first";
            return Err(("server", "client_tags_denied", what.to_owned()));
        }
        if RoomName::parse(&server.lobby, self.limits.channel_length).is_err() {
            let what = format!("lobby = {:?} is not a room name (it begins with #)", server.lobby);
            return Err(("server", "lobby", what));
        }
        Ok(())
    }

    /// What address blocks may have.
    pub(crate) fn allowed(&self) -> Allowed {
        let throttle = &self.throttle;
        Allowed {
            connections: throttle.connections,
            at_once: throttle.connections_at_once,
            per_minute: throttle.connections_per_minute,
            newcomers_at_once: throttle.newcomers_at_once,
            newcomers: self.limits.newcomers,
            total: self.limits.connections(),
            exempt: throttle.exempt.clone(),
        }
    }

    /// What clients are told about TLS, if anything.
    fn sts(&self) -> Option<Sts> {
        let speaks_tls = |listener: &&ListenerConfig| listener.tls != TlsMode::Off;
        let first = self.listeners.0.iter().filter(speaks_tls).find_map(|listener| listener.address.tcp());
        let port = self.server.sts_port.or(first.map(|address| address.port()))?;
        self.server.sts_duration_seconds.map(|duration_seconds| Sts { port, duration_seconds })
    }

    /// The part that the chat needs; `created` is when the server started, for people.
    pub fn settings(&self, created: &str) -> Settings {
        let (server, limits, history) = (&self.server, &self.limits, &self.history);
        let throttle = &self.throttle;
        let command_rate = Rate { per_second: throttle.commands_per_second, burst: throttle.commands_burst };
        Settings {
            server: server.name.as_str().into(),
            network: server.network.as_str().into(),
            description: server.description.as_str().into(),
            created: created.into(),
            motd: server.motd.lines().map(Arc::from).collect(),
            icon: server.icon.as_deref().map(Arc::from),
            client_tags_denied: server.client_tags_denied.iter().map(|tag| tag.as_str().into()).collect(),
            metadata: self.metadata.rules(),
            relay_separators: self.relaymsg.offered().into(),
            relay_by_operators: self.relaymsg.chanops,
            roleplay: self.roleplay.rules(),
            lobby: server.lobby.as_str().into(),
            listeners: self.listeners.0.iter().map(|listener| listener.to_string().into()).collect(),
            gateways: self.webirc.iter().map(WebircConfig::gateway).collect(),
            sts: self.sts(),
            casemapping: server.casemapping.of_names(),
            utf8_only: server.utf8_only,
            opers: self.opers.iter().map(OperConfig::oper).collect(),
            default_user_modes: self.accounts.user_modes(),
            password: server.password.as_deref().map(Arc::from),
            nick_length: limits.nick_length,
            channel_length: limits.channel_length,
            topic_length: limits.topic_length,
            away_length: limits.away_length,
            kick_length: limits.kick_length,
            list_mode_entries: limits.list_mode_entries,
            multiline_max_bytes: limits.multiline_max_bytes,
            multiline_max_lines: limits.multiline_max_lines,
            channels_per_user: limits.channels_per_user,
            monitor_entries: limits.monitor_entries,
            whowas_entries: limits.whowas_entries,
            registration_timeout_seconds: limits.registration_timeout_seconds,
            ping_seconds: limits.ping_seconds,
            history: history.enabled,
            history_channels: history.channel_messages,
            history_direct: history.direct_messages,
            history_keep_ms: history.keep.0.map(|span| span.0),
            store_tagmsg: match &history.store_tagmsg {
                TagmsgConfig::All(true) => StoreTagmsg::Everything,
                TagmsgConfig::All(false) => StoreTagmsg::Nothing,
                TagmsgConfig::With(tags) => {
                    StoreTagmsg::With(tags.iter().map(|tag| tag.as_str().into()).collect())
                }
            },
            history_query_max: history.query_max,
            znc_playback_max: history.znc_playback_max,
            allow_redact: history.allow_redact,
            history_on_join: history.on_join,
            accounts: self.accounts.rules(
                &self.services,
                &self.channels,
                throttle.logins,
                limits.password_max_bytes,
            ),
            command_rate: throttle.commands.then_some(command_rate),
            hourly: throttle.hourly(),
            ..Settings::default()
        }
    }
}

/// The line, from 1, of a byte offset.
fn line_of(text: &str, offset: usize) -> usize {
    let before = text.get(..offset).unwrap_or(text);
    before.bytes().filter(|byte| *byte == b'\n').count() + 1
}

/// The line, from 1, where a key of a section is set; 1 when it is not found (a dotted key, an inline table).
fn line_of_key(text: &str, section: &str, key: &str) -> usize {
    let mut inside = false;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(header) = line.strip_prefix('[') {
            inside = header.trim_matches(['[', ']', ' ']) == section;
        } else if inside && line.split('=').next().is_some_and(|name| name.trim() == key) {
            return index + 1;
        }
    }
    1
}
