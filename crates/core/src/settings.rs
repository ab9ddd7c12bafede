//! What the chat is told by configuration. Read by `decide` and by replies, never by `apply`.

use std::sync::Arc;

use chinwag_wire::casemap::CaseMapping;

use crate::allowance::Hourly;
use crate::chat::UserModes;
use crate::cloak::Cloak;
pub use crate::commands::authenticate::Mechanism;
pub use crate::commands::welcome::Prepared;
use crate::ids::Millis;
use ipnet::IpNet;

use crate::chat::Verifiers;
use crate::privileges::Oper;
use crate::work::Secret;

/// Who may make accounts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Registration {
    /// Everybody.
    #[default]
    Open,
    /// Who has an invitation, and operators for others.
    Invite,
    /// Nobody on the wire; only the command line.
    Closed,
}

/// What is configured about accounts.
#[derive(Clone, Debug)]
pub struct AccountRules {
    /// Whether there are accounts at all.
    pub enabled: bool,
    /// Who may make them.
    pub registration: Registration,
    /// Whether REGISTER may come before registration of the connection is complete.
    pub before_connect: bool,
    /// Whether an address is needed, and a code has to come back from it.
    pub require_email: bool,
    /// The ways to prove one's account, in the order of the offer.
    pub mechanisms: Vec<Mechanism>,
    /// Nobody else takes a nickname that belongs to an account, unless its owner has chosen otherwise.
    pub strict_nicknames: bool,
    /// What guests are called whose nickname has become somebody's; the `*` in it is a number.
    pub guest_nickname: Arc<str>,
    /// Seconds that such a guest has to log in, or to take another nickname.
    pub guest_seconds: u32,
    /// Sessions that are logged in to the same account may share a nickname, unless its owner has chosen otherwise.
    pub multiclient: bool,
    /// Whether people may be present without a session, and whether they are who have not chosen.
    pub always_on: AlwaysOn,
    /// Whether whoever goes on guessing passwords is disconnected.
    pub limit_logins: bool,
    /// Whether there is NickServ.
    pub nickserv: bool,
    /// Whether there is ChanServ.
    pub chanserv: bool,
    /// Whether rooms can be registered.
    pub rooms: bool,
    /// Passwords may cross a network that others can listen to.
    pub cleartext_passwords: bool,
    /// Bytes of a password.
    pub password_bytes_max: usize,
}

impl Default for AccountRules {
    fn default() -> Self {
        AccountRules {
            enabled: true,
            registration: Registration::Open,
            before_connect: true,
            require_email: false,
            mechanisms: Mechanism::ALL.to_vec(),
            strict_nicknames: true,
            guest_nickname: "Guest*".into(),
            guest_seconds: 60,
            multiclient: true,
            always_on: AlwaysOn::OptIn,
            limit_logins: true,
            nickserv: true,
            chanserv: true,
            rooms: true,
            cleartext_passwords: false,
            password_bytes_max: 600,
        }
    }
}

/// Whether the owners of accounts stay present without a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AlwaysOn {
    /// Nobody does, whatever they chose.
    Off,
    /// Who chose it.
    #[default]
    OptIn,
    /// All but those who chose otherwise.
    OptOut,
}

impl AlwaysOn {
    /// Whether somebody who chose this, or nothing, stays.
    pub fn holds(self, chosen: Option<bool>) -> bool {
        match self {
            AlwaysOn::Off => false,
            AlwaysOn::OptIn => chosen == Some(true),
            AlwaysOn::OptOut => chosen != Some(false),
        }
    }
}

/// Who may say for whom it connects (`WEBIRC`).
#[derive(Clone, Debug, PartialEq)]
pub struct Gateway {
    /// What its password is checked against.
    pub password: Arc<Verifiers>,
    /// From where it connects.
    pub from: Vec<IpNet>,
}

/// What clients are told about TLS (`sts`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sts {
    /// The port where TLS is spoken.
    pub port: u16,
    /// Seconds for which a client comes back with TLS only, since it last came with it.
    pub duration_seconds: u32,
}

/// The part of the configuration that the chat needs.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The server's name on the wire (`chinwag.local`).
    pub server: Arc<str>,
    /// The network's name.
    pub network: Arc<str>,
    /// One line about the server.
    pub description: Arc<str>,
    /// `chinwag-0.1.0`.
    pub version: Arc<str>,
    /// When the server started, for people (RPL_CREATED).
    pub created: Arc<str>,
    /// The message of the day, a line each; empty for none.
    pub motd: Vec<Arc<str>>,
    /// The address of a picture that stands for the network, if there is one.
    pub icon: Option<Arc<str>>,
    /// Client-only tags that are not handed on, without their `+`. `*` in the first place is all, and `-tag` behind
    /// it all but that one.
    pub client_tags_denied: Vec<Arc<str>>,
    /// Characters one of which the name under which a bridge relays has to hold; empty when nothing is relayed.
    pub relay_separators: Arc<str>,
    /// Whether a room's operators may relay.
    pub relay_by_operators: bool,
    /// Whether people may hand in files (`UPLOAD`).
    pub files: bool,
    /// Where clients send files with the password of an account or a token, if that is known.
    pub filehost: Option<Arc<str>>,
    /// Speaking as somebody made up.
    pub roleplay: RoleplayRules,
    /// What people and rooms may say of themselves to programs.
    pub metadata: MetadataRules,
    /// The room where plain callers land.
    pub lobby: Arc<str>,
    /// A password for the whole server (PASS), if there is one.
    pub password: Option<Arc<str>>,
    /// Which names are the same: that of the chat, for those who are told.
    pub casemapping: CaseMapping,
    /// Whether what is not UTF-8 is refused; otherwise it is taken for Windows-1252.
    pub utf8_only: bool,
    /// The user modes of whoever comes in.
    pub default_user_modes: UserModes,
    /// Who may become a server operator.
    pub opers: Vec<Oper>,
    /// With this code the first account becomes the server's owner; in small letters, without dashes.
    pub owner_code: Option<Secret>,
    /// Where browsers find the pages, ending in `/`; none where there are none.
    pub web_address: Option<Arc<str>>,
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
    /// Bytes of a message of several lines, line ends counted.
    pub multiline_max_bytes: usize,
    /// Lines of such a message, as sent.
    pub multiline_max_lines: usize,
    /// Rooms a user may be in.
    pub channels_per_user: usize,
    /// Nicknames that a session may watch (MONITOR).
    pub monitor_entries: usize,
    /// Former holders of a nickname that WHOWAS shows at most.
    pub whowas_entries: usize,
    /// Messages of one CHATHISTORY answer.
    pub history_query_max: u32,
    /// Whether history may be asked for.
    pub history: bool,
    /// Whether what was said in rooms may be read again.
    pub history_channels: bool,
    /// Whether what is said between two people is kept, where one of them has an account.
    pub history_direct: bool,
    /// How long messages are kept at most; none for ever.
    pub history_keep_ms: Option<Millis>,
    /// Which tags without a text are kept.
    pub store_tagmsg: StoreTagmsg,
    /// Messages of each buffer that `*playback` gives at once.
    pub znc_playback_max: u32,
    /// Whether messages may be deleted.
    pub allow_redact: bool,
    /// Lines of a room's history that somebody who cannot ask for it is shown on entering; 0 for none, and nothing of
    /// what was missed either.
    pub history_on_join: u32,
    /// Seconds until an unregistered session is closed.
    pub registration_timeout_seconds: u32,
    /// Seconds of silence until a PING is sent, and again until the session is closed.
    pub ping_seconds: u32,
    /// How fast a session may ask for things; none for as fast as it likes.
    pub command_rate: Option<Rate>,
    /// What an address block, and an account, may do only so often.
    pub hourly: Hourly,
    /// What others are shown instead of addresses, if they are shown anything else.
    pub cloak: Option<Cloak>,
    /// Where the server listens and for whom, for those who run it.
    pub listeners: Vec<Arc<str>>,
    /// Gateways that may use `WEBIRC`.
    pub gateways: Vec<Gateway>,
    /// Strict transport security, where it is offered.
    pub sts: Option<Sts>,
    /// Accounts.
    pub accounts: AccountRules,
    /// Text that follows from the rest, made when it is first needed. Leave it as it is by default.
    pub prepared: Prepared,
}

/// How often something may be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Times a second, in the long run.
    pub per_second: u32,
    /// Times at once, after a rest.
    pub burst: u32,
}

/// Which tags without a text (`TAGMSG`) are kept. Everything else of the kind is passed on and forgotten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreTagmsg {
    /// None.
    Nothing,
    /// Those with one of these tags among them, named with their `+`.
    With(Vec<Arc<str>>),
    /// All but that somebody is typing.
    Everything,
}

/// Whether people may speak as somebody they made up (`NPC`, `NPCA`, `SCENE`), in rooms with mode `E`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoleplayRules {
    /// Whether they may at all.
    pub enabled: bool,
    /// Only the room's operators.
    pub operators_only: bool,
    /// Behind the text stands who says it.
    pub add_suffix: bool,
}

impl Default for RoleplayRules {
    fn default() -> Self {
        RoleplayRules { enabled: true, operators_only: false, add_suffix: true }
    }
}

/// What people and rooms may say of themselves to programs (`METADATA`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetadataRules {
    /// Whether they may at all.
    pub enabled: bool,
    /// Whether already before registration.
    pub before_connect: bool,
    /// Keys that a session may subscribe to.
    pub max_subs: usize,
    /// Keys that a user or room may have.
    pub max_keys: usize,
    /// Bytes of a value.
    pub max_value_bytes: usize,
}

impl Default for MetadataRules {
    fn default() -> Self {
        MetadataRules {
            enabled: true,
            before_connect: true,
            max_subs: 100,
            max_keys: 25,
            max_value_bytes: 300,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            server: "chinwag.local".into(),
            network: "chinwag".into(),
            description: "a chinwag server".into(),
            version: concat!("chinwag-", env!("CARGO_PKG_VERSION")).into(),
            created: "".into(),
            motd: Vec::new(),
            icon: None,
            client_tags_denied: Vec::new(),
            relay_separators: "/".into(),
            relay_by_operators: true,
            files: true,
            filehost: None,
            roleplay: RoleplayRules::default(),
            metadata: MetadataRules::default(),
            lobby: "#lobby".into(),
            password: None,
            casemapping: CaseMapping::Ascii,
            utf8_only: true,
            default_user_modes: UserModes::default(),
            opers: Vec::new(),
            owner_code: None,
            web_address: None,
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
            history_query_max: 100,
            history: true,
            history_channels: true,
            history_direct: true,
            history_keep_ms: None,
            store_tagmsg: StoreTagmsg::With(["+draft/persist".into(), "+persist".into()].into()),
            allow_redact: true,
            znc_playback_max: 2048,
            history_on_join: 20,
            registration_timeout_seconds: 60,
            ping_seconds: 90,
            command_rate: Some(Rate { per_second: 5, burst: 40 }),
            hourly: [Some(120), Some(120), Some(120), Some(2400), Some(240), Some(120)],
            cloak: None,
            listeners: Vec::new(),
            gateways: Vec::new(),
            sts: None,
            accounts: AccountRules::default(),
            prepared: Prepared::default(),
        }
    }
}

impl Settings {
    /// Whether a client-only tag, without its `+`, is handed on.
    /// Specification: <https://ircv3.net/specs/extensions/message-tags>, CLIENTTAGDENY.
    pub fn hands_on(&self, tag: &str) -> bool {
        let denied = &self.client_tags_denied;
        if denied.first().is_some_and(|first| **first == *"*") {
            denied.iter().any(|entry| entry.strip_prefix('-') == Some(tag))
        } else {
            denied.iter().all(|entry| **entry != *tag)
        }
    }
}
