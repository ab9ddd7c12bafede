//! What a running server takes from a configuration that is read again only when it is started again. All else it takes at
//! once; a test holds every key to one or the other.

use super::Config;

/// Whether a key has another value now.
type Changed = fn(&Config, &Config) -> bool;

/// The keys that wait for the next start, and whether they do: the configuration of the start comes first.
const NEXT_START: [(&str, Changed); 9] = [
    ("listener.address", |begun, now| {
        let addresses = |config: &Config| -> Vec<_> {
            config.listeners.0.iter().map(|place| place.address.clone()).collect()
        };
        addresses(begun) != addresses(now)
    }),
    ("server.casemapping", |begun, now| begun.server.casemapping != now.server.casemapping),
    ("accounts.hash_cost", |begun, now| begun.accounts.hash_cost != now.accounts.hash_cost),
    ("log.kind", |begun, now| begun.log.kind != now.log.kind),
    // The door can be closed at once; where there was none, there is no key for it.
    ("ssh.enabled", |begun, now| !begun.ssh.enabled && now.ssh.enabled),
    ("ssh.host_key", |begun, now| begun.ssh.host_key != now.ssh.host_key),
    ("metrics.address", |begun, now| begun.metrics.address != now.metrics.address),
    ("traces.endpoint", |begun, now| begun.traces.endpoint != now.traces.endpoint),
    ("traces.ratio", |begun, now| begun.traces.ratio.to_bits() != now.traces.ratio.to_bits()),
];

impl Config {
    /// The keys that differ from those of `begun`, with which the server was started, and wait for the next start.
    pub(crate) fn waiting(&self, begun: &Config) -> Vec<&'static str> {
        NEXT_START.iter().filter(|(_, changed)| changed(begun, self)).map(|(key, _)| *key).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::super::DEFAULT_TOML;
    use super::super::nearest::known_keys;
    use super::*;

    /// Taken at once. A new key belongs here only when [`crate::shared::Shared::reload`] hands it on.
    const AT_ONCE: &str = "
        server.name server.network server.description server.password server.motd server.icon
        server.client_tags_denied server.lobby server.cloak server.announce server.resolve_hostnames
        server.ident_lookup server.utf8_only server.proxy_allowed_from server.sts_duration_seconds server.sts_port
        listener.kind listener.tls listener.tls_cert listener.tls_key listener.proxy_required
        listener.allowed_origins webirc.password webirc.allowed_from
        acme.domains acme.terms_agreed acme.contact acme.directory_url acme.challenge acme.ca_file
        limits.nick_length limits.channel_length limits.topic_length limits.away_length limits.kick_length
        limits.list_mode_entries limits.multiline_max_bytes limits.multiline_max_lines limits.channels_per_user
        limits.monitor_entries limits.whowas_entries limits.password_max_bytes limits.send_queue_bytes
        limits.memory_bytes limits.connections limits.newcomers limits.registration_timeout_seconds
        limits.ping_seconds
        throttle.exempt throttle.connections throttle.connections_at_once throttle.connections_per_minute
        throttle.newcomers_at_once throttle.commands throttle.commands_per_second throttle.commands_burst
        throttle.logins throttle.wrong_passwords_per_hour throttle.rooms throttle.rooms_per_hour throttle.accounts
        throttle.accounts_per_hour throttle.joins throttle.joins_per_hour throttle.nicks throttle.nicks_per_hour
        throttle.strangers throttle.strangers_per_hour
        accounts.enabled accounts.registration accounts.register_before_connect accounts.require_email
        accounts.sasl_mechanisms accounts.nick_ownership accounts.guest_seconds accounts.guest_nickname
        accounts.multiclient accounts.always_on accounts.cleartext_passwords accounts.default_user_modes
        oper.name oper.password oper.title oper.privileges services.nickserv services.chanserv
        channels.registration
        history.enabled history.channel_messages history.direct_messages history.keep history.store_tagmsg
        history.query_max history.znc_playback_max history.on_join history.allow_redact
        metadata.enabled metadata.before_connect metadata.max_subs metadata.max_keys metadata.max_value_bytes
        relaymsg.enabled relaymsg.separators relaymsg.chanops
        roleplay.enabled roleplay.require_chanops roleplay.add_suffix
        web.enabled web.public_url web.api web.files web.file_max_bytes web.file_types web.file_account_bytes
        web.file_guest_bytes web.file_total_bytes web.file_free_bytes
        webhooks.enabled webhooks.allow_private";

    #[test]
    fn every_key_is_taken_at_once_or_waits_for_the_next_start() {
        let known: BTreeSet<String> =
            known_keys().into_iter().map(|(section, key)| format!("{section}.{key}")).collect();
        let at_once: BTreeSet<String> = AT_ONCE.split_whitespace().map(str::to_owned).collect();
        let later: BTreeSet<String> = NEXT_START.iter().map(|(key, _)| (*key).to_owned()).collect();
        assert_eq!(at_once.intersection(&later).count(), 0);
        let classified: BTreeSet<String> = at_once.union(&later).cloned().collect();
        let missing: Vec<_> = known.difference(&classified).collect();
        assert!(missing.is_empty(), "does a running server take these at once? {missing:?}");
        let gone: Vec<_> = classified.difference(&known).collect();
        assert!(gone.is_empty(), "these are no keys: {gone:?}");
    }

    #[test]
    fn the_default_file_says_what_waits() {
        for (key, _) in NEXT_START {
            let (section, key) = key.split_once('.').unwrap();
            let at = DEFAULT_TOML.find(&format!("[{section}]")).unwrap();
            // The comment of the section, or what stands between its header and the key.
            let before = DEFAULT_TOML[..at].rfind("\n\n").unwrap_or(0);
            let rest = &DEFAULT_TOML[at..];
            let key_at =
                rest.find(&format!("\n{key} =")).or_else(|| rest.find(&format!("\n# {key} ="))).unwrap();
            let comments = &DEFAULT_TOML[before..at + key_at];
            let own = comments.rsplit(" = ").next().unwrap();
            let said = |text: &str| text.replace("\n#", "").contains("next start");
            assert!(said(own) || said(&DEFAULT_TOML[before..at]), "{section}.{key}: {comments}");
        }
    }

    #[test]
    fn what_waits_is_named_as_long_as_it_differs_from_the_start() {
        let parse = |text: &str| Config::parse(text, Path::new("c.toml")).unwrap();
        let begun = Config::default();
        assert_eq!(parse("").waiting(&begun), Vec::<&str>::new());
        let other = parse(
            "[[listener]]\naddress = \"127.0.0.1:1\"\n[server]\nmotd = \"x\"\ncasemapping = \"precis\"\n\
             [accounts]\nhash_cost = \"test\"\n[ssh]\nhost_key = \"k\"\n[metrics]\naddress = \"127.0.0.1:2\"\n\
             [traces]\nendpoint = \"off\"\nratio = 1.0\n",
        );
        let expected = [
            "listener.address",
            "server.casemapping",
            "accounts.hash_cost",
            "ssh.host_key",
            "metrics.address",
            "traces.endpoint",
            "traces.ratio",
        ];
        assert_eq!(other.waiting(&begun), expected);
        let closed = parse("[ssh]\nenabled = false\n");
        assert_eq!((closed.waiting(&begun), begun.waiting(&closed)), (vec![], vec!["ssh.enabled"]));
    }
}
