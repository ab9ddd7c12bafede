//! Everything that a stranger can send, and its bound: the table of `docs/limits.md`, made of the very constants and
//! defaults by which the server decides.

use std::time::Duration;

use chinwag_core::limits as chat;
use chinwag_node::limits as node;
use chinwag_wire::limits as wire;

use crate::config::Config;
use crate::{api, connection, greeting, metrics, upgrade, web, websocket};

/// One bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// What is bounded.
    pub what: &'static str,
    /// The bound, for people.
    pub value: String,
    /// The key of the configuration that moves it (`limits.nick_length`).
    pub key: Option<&'static str>,
    /// What happens beyond it.
    pub beyond: &'static str,
}

/// Bounds of one kind, with a title.
pub type Group = (&'static str, Vec<Limit>);

fn fixed(what: &'static str, value: impl ToString, beyond: &'static str) -> Limit {
    Limit { what, value: value.to_string(), key: None, beyond }
}

fn set(what: &'static str, value: impl ToString, key: &'static str, beyond: &'static str) -> Limit {
    Limit { what, value: value.to_string(), key: Some(key), beyond }
}

fn bytes(count: usize) -> String {
    match count {
        large if large >= 1 << 20 && large.is_multiple_of(1 << 20) => format!("{} MiB", large >> 20),
        large if large >= 1 << 10 && large.is_multiple_of(1 << 10) => format!("{} KiB", large >> 10),
        other => format!("{other} bytes"),
    }
}

fn time(span: Duration) -> String {
    match span.subsec_millis() {
        0 => format!("{} s", span.as_secs()),
        _ => format!("{} ms", span.as_millis()),
    }
}

fn seconds(count: u32) -> String {
    format!("{count} s")
}

/// All of them, for this configuration.
pub fn table(config: &Config) -> Vec<Group> {
    vec![
        ("Coming in", coming_in(config)),
        ("How often", rates(config)),
        ("Lines", lines(config)),
        ("Names and texts", texts(config)),
        ("Lists", lists(config)),
        ("Passwords and accounts", accounts(config)),
        ("Asking", asking(config)),
        ("Browsers and programs", programs()),
        ("SSH", ssh()),
        ("What is kept for somebody", kept(config)),
    ]
}

fn coming_in(config: &Config) -> Vec<Limit> {
    let (limits, throttle) = (&config.limits, &config.throttle);
    const TOLD: &str = "refused with a sentence in the caller's own protocol";
    let total = match limits.connections {
        0 => "three quarters of the descriptors".to_owned(),
        count => count.to_string(),
    };
    vec![
        set(
            "connections of an address block (IPv4 address, IPv6 /64)",
            throttle.connections_at_once,
            "throttle.connections_at_once",
            TOLD,
        ),
        set(
            "new connections of a block in a minute",
            throttle.connections_per_minute,
            "throttle.connections_per_minute",
            TOLD,
        ),
        set(
            "connections of a block that have not said who they are",
            throttle.newcomers_at_once,
            "throttle.newcomers_at_once",
            TOLD,
        ),
        set(
            "the same of everybody",
            limits.newcomers,
            "limits.newcomers",
            "one more of each block, up to twice as many; then refused",
        ),
        set("connections of everybody", total, "limits.connections", TOLD),
        set(
            "memory that is held for callers",
            bytes(limits.memory_bytes as usize),
            "limits.memory_bytes",
            "nobody new from three quarters on; above it those go for whom most is waiting",
        ),
        fixed(
            "callers who are told at the same time that they may not come in",
            connection::REFUSED_MAX,
            "the others are hung up on",
        ),
        fixed(
            "silence until a caller is a plain one",
            time(greeting::SILENCE),
            "the plain door asks for a name",
        ),
        fixed(
            "time for a handshake of TLS, and for the head of a request",
            time(greeting::HANDSHAKE),
            "hung up on (408 for a request)",
        ),
        set(
            "time until somebody has said who they are",
            seconds(limits.registration_timeout_seconds),
            "limits.registration_timeout_seconds",
            "closed with a reason",
        ),
        fixed("bytes before registration", bytes(node::GREETING_BYTES_MAX), "closed with a reason"),
        fixed("lines before registration", node::GREETING_LINES_MAX, "closed with a reason"),
        set(
            "silence until somebody is asked for a sign of life, and again until the end",
            seconds(limits.ping_seconds),
            "limits.ping_seconds",
            "closed with a reason",
        ),
    ]
}

fn rates(config: &Config) -> Vec<Limit> {
    let throttle = &config.throttle;
    const HOUR: &str = "refused, and told to try again in some minutes";
    let commands = format!("{} a second, {} at once", throttle.commands_per_second, throttle.commands_burst);
    vec![
        set(
            "commands and messages of a session",
            commands,
            "throttle.commands_per_second, throttle.commands_burst",
            "wait; the connection is not read meanwhile",
        ),
        set(
            "new rooms of a block, and of an account, in an hour",
            throttle.rooms_per_hour,
            "throttle.rooms_per_hour",
            HOUR,
        ),
        set(
            "rooms entered by a block, and by an account, in an hour",
            throttle.joins_per_hour,
            "throttle.joins_per_hour",
            HOUR,
        ),
        set(
            "nicknames taken by a block, and by an account, in an hour",
            throttle.nicks_per_hour,
            "throttle.nicks_per_hour",
            HOUR,
        ),
        set(
            "people written to who have not written back, by a block and by an account, in an hour",
            throttle.strangers_per_hour,
            "throttle.strangers_per_hour",
            HOUR,
        ),
        set(
            "new accounts of a block in an hour",
            throttle.accounts_per_hour,
            "throttle.accounts_per_hour",
            HOUR,
        ),
        set(
            "wrong passwords and codes of a block in an hour",
            throttle.wrong_passwords_per_hour,
            "throttle.wrong_passwords_per_hour",
            HOUR,
        ),
        fixed("logins that fail on a connection", chat::FAILURES_MAX, "closed with a reason"),
        fixed("accounts made on a connection", chat::REGISTERED_MAX, "refused"),
        fixed("messages of a session on their way to the log", node::MESSAGES_UNDER_WAY_MAX, "wait"),
    ]
}

fn lines(config: &Config) -> Vec<Limit> {
    let limits = &config.limits;
    const TOO_LONG: &str = "417, and nothing of the line is looked at";
    vec![
        fixed("a line of IRC, its end counted, its tags not", bytes(wire::LINE_BYTES_MAX), TOO_LONG),
        fixed("the tags of a line", bytes(wire::TAGS_CLIENT_BYTES_MAX), TOO_LONG),
        fixed("a line that makes an account", bytes(wire::REGISTER_BODY_BYTES_MAX), TOO_LONG),
        fixed("a line that does not end", bytes(wire::ENDLESS_BYTES as usize), "closed with a reason"),
        fixed("a line at the plain door", bytes(wire::PLAIN_LINE_BYTES_MAX), "refused as a whole"),
        fixed("a message at the WebSocket", bytes(websocket::MESSAGE_BYTES_MAX), "closed with 1009"),
        fixed("parameters of a message", wire::PARAMS_MAX, "the rest is part of the last"),
        fixed("a label", bytes(wire::LABEL_BYTES_MAX), "ignored"),
        fixed("targets of a message", chat::TARGETS_MAX, "407"),
        set(
            "a message of several lines",
            bytes(limits.multiline_max_bytes),
            "limits.multiline_max_bytes",
            "FAIL BATCH",
        ),
        set("its lines", limits.multiline_max_lines, "limits.multiline_max_lines", "FAIL BATCH"),
        fixed(
            "time for which a batch may stay open",
            time(Duration::from_millis(chat::OPEN_MS_MAX)),
            "FAIL BATCH TIMEOUT",
        ),
        fixed(
            "what a session sent and waits to be looked at",
            bytes(node::INPUT_REST_BYTES_MAX),
            "closed with a reason",
        ),
    ]
}

fn texts(config: &Config) -> Vec<Limit> {
    let limits = &config.limits;
    vec![
        set("a nickname", bytes(limits.nick_length), "limits.nick_length", "432"),
        set("a room's name", bytes(limits.channel_length), "limits.channel_length", "476"),
        set("a topic", bytes(limits.topic_length), "limits.topic_length", "refused"),
        set("an away message", bytes(limits.away_length), "limits.away_length", "refused"),
        set("the reason of a KICK", bytes(limits.kick_length), "limits.kick_length", "refused"),
        fixed("a user name", bytes(wire::USERNAME_BYTES_MAX), "refused or cut"),
        fixed("a real name", bytes(wire::REALNAME_BYTES_MAX), "refused"),
        fixed("a room's key", bytes(wire::KEY_BYTES_MAX), "refused"),
        fixed("a mask", bytes(wire::MASK_BYTES_MAX), "refused"),
        fixed("a reaction", bytes(chat::REACTION_BYTES_MAX), "refused"),
        set(
            "a value of metadata",
            bytes(config.metadata.max_value_bytes),
            "metadata.max_value_bytes",
            "FAIL METADATA",
        ),
    ]
}

fn lists(config: &Config) -> Vec<Limit> {
    let (limits, metadata) = (&config.limits, &config.metadata);
    vec![
        set("rooms of a user", limits.channels_per_user, "limits.channels_per_user", "405"),
        set("entries of one list of a room", limits.list_mode_entries, "limits.list_mode_entries", "478"),
        set("nicknames that a session watches", limits.monitor_entries, "limits.monitor_entries", "734"),
        set("keys of metadata of a user or room", metadata.max_keys, "metadata.max_keys", "FAIL METADATA"),
        set("keys that a session subscribes to", metadata.max_subs, "metadata.max_subs", "FAIL METADATA"),
        fixed("changes of one MODE", chat::CHANGES_MAX, "the rest is ignored"),
        fixed("pinned messages of a room", chat::PINS_MAX, "refused"),
        fixed("hooks of a room", chat::HOOKS_MAX, "refused"),
        fixed("people whom a user accepts", chat::ACCEPTED_MAX, "456"),
        fixed("sessions of a user", chat::SESSIONS_MAX, "another nickname is needed"),
    ]
}

fn accounts(config: &Config) -> Vec<Limit> {
    vec![
        set("a password", bytes(config.limits.password_max_bytes), "limits.password_max_bytes", "refused"),
        fixed("a message of SASL", bytes(chat::RESPONSE_BYTES_MAX), "905"),
        fixed("passwords that wait to be hashed", crate::provers::QUEUE, "told to try again"),
        fixed(
            "the same of one address block",
            crate::provers::QUEUE_OF_ONE,
            "told to try again; blocks take turns",
        ),
        fixed("threads that hash, of 19 MiB each", crate::provers::THREADS_MAX, "the others wait"),
        fixed("ssh keys of an account", chat::KEYS_MAX, "refused"),
        fixed("tokens of an account", chat::TOKENS_MAX, "refused"),
        fixed("the code of an invitation", bytes(chat::CODE_BYTES_MAX), "refused"),
    ]
}

fn asking(config: &Config) -> Vec<Limit> {
    vec![
        set(
            "messages of one answer of history",
            config.history.query_max,
            "history.query_max",
            "no more are shown",
        ),
        set(
            "messages that *playback gives at once",
            config.history.znc_playback_max,
            "history.znc_playback_max",
            "no more are shown",
        ),
        set(
            "former holders that WHOWAS shows",
            config.limits.whowas_entries,
            "limits.whowas_entries",
            "no more are shown",
        ),
        fixed("terms of a search", chat::TERMS_MAX, "refused"),
        fixed("people whom WHO with a mask shows", chat::FOUND_MAX, "no more are shown"),
        fixed("conditions of LIST", chat::CONDITIONS_MAX, "the rest is ignored"),
        fixed("questions to the archive of a session", 1, "everything else of it waits"),
        fixed(
            "work for a session in one turn, in simple commands",
            node::WORK_A_TURN_MAX,
            "waits for the next turn",
        ),
    ]
}

fn programs() -> Vec<Limit> {
    let requests = format!("{} a second, {} at once", api::REQUESTS.per_second, api::REQUESTS.burst);
    vec![
        fixed("the head of a request", bytes(upgrade::HEAD_BYTES_MAX), "431"),
        fixed("header fields", web::HEADERS_MAX, "431"),
        fixed("time for the head of a request", time(web::HEAD_TIME), "hung up on"),
        fixed("time in which nothing moves", time(web::IDLE), "hung up on"),
        fixed("requests of a connection", web::REQUESTS_MAX, "the connection is closed after the answer"),
        fixed("the body of a request", bytes(api::table::BODY_BYTES_MAX), "413"),
        fixed("requests of a program, or of a block without a token", requests, "429"),
        fixed("questions of programs to the archive", api::READS_MAX, "503"),
        fixed("what programs say and is not kept yet", node::ERRANDS_MAX, "503"),
        fixed("streams of everybody", api::stream::STREAMS_MAX, "503"),
        fixed("streams of one program", api::stream::STREAMS_OF_ONE_MAX, "429"),
        fixed(
            "a program's idempotency keys that are remembered",
            api::limits::KEYS_MAX,
            "the oldest are forgotten",
        ),
        fixed("callers of the page of figures at the same time", metrics::CALLERS_MAX, "hung up on"),
    ]
}

fn ssh() -> Vec<Limit> {
    use chinwag_ssh::limits as ssh;
    vec![
        fixed("connections", ssh::OPEN_MAX, "hung up on"),
        fixed("connections that have proved nothing yet", ssh::UNPROVED_MAX, "refused with a reason"),
        fixed("the same of one address block", ssh::UNPROVED_OF_ONE_MAX, "refused with a reason"),
        fixed("time for the first line", time(ssh::BEGINNING), "hung up on"),
        fixed("time to prove something", time(ssh::PROVING), "disconnected with a reason"),
        fixed("wrong proofs of a connection", ssh::ATTEMPTS_MAX, "disconnected"),
        fixed("channels of a connection", ssh::CHANNELS_MAX, "refused"),
        fixed(
            "bytes on their way to us in a channel",
            bytes(ssh::WINDOW_BYTES as usize),
            "wait at the other side",
        ),
        fixed("a packet", bytes(ssh::PACKET_BYTES as usize), "disconnected"),
        fixed("what waits for a terminal", bytes(ssh::WAITING_BYTES_MAX), "pictures are left out"),
        fixed(
            "columns and rows of a screen",
            format!("{} × {}", ssh::COLUMNS_MAX, ssh::ROWS_MAX),
            "not drawn",
        ),
        fixed("one input of `ssh host say`", bytes(ssh::ONE_BYTES_MAX), "refused"),
    ]
}

fn kept(config: &Config) -> Vec<Limit> {
    vec![
        set(
            "bytes that wait for a session",
            bytes(config.limits.send_queue_bytes),
            "limits.send_queue_bytes",
            "closed with a reason",
        ),
        fixed(
            "the same in the system, for each socket",
            bytes(2 * crate::listener::SEND_BUFFER_BYTES),
            "waits in the session's queue",
        ),
        fixed(
            "bytes of a closed connection that are read and forgotten",
            bytes(connection::LINGER_BYTES_MAX),
            "hung up on",
        ),
        fixed("proposals of everybody on their way to the log", node::PROPOSALS_MAX, "every request waits"),
    ]
}
