//! `[throttle]`: how much of what strangers may do.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use chinwag_core::allowance::{Dear, Hourly};
use ipnet::IpNet;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// `[throttle]`: how fast somebody may come and ask.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ThrottleConfig {
    /// Addresses and networks that nothing of this holds for.
    #[serde(deserialize_with = "nets")]
    pub exempt: Vec<IpNet>,
    /// Whether connections are limited.
    pub connections: bool,
    /// Connections that an address block may have open.
    pub connections_at_once: u32,
    /// New connections of an address block in a minute.
    pub connections_per_minute: u32,
    /// Connections of an address block that have not said who they are.
    pub newcomers_at_once: u32,
    /// Whether commands are limited.
    pub commands: bool,
    /// Commands of a session in a second, in the long run.
    pub commands_per_second: u32,
    /// Commands of a session at once, after a rest.
    pub commands_burst: u32,
    /// Whether whoever goes on guessing passwords is disconnected, and its address block refused.
    pub logins: bool,
    /// Wrong passwords and codes of an address block in an hour.
    pub wrong_passwords_per_hour: u32,
    /// Whether new rooms are limited.
    pub rooms: bool,
    /// Rooms that an address block may open in an hour.
    pub rooms_per_hour: u32,
    /// Whether new accounts are limited.
    pub accounts: bool,
    /// Accounts that an address block may make in an hour.
    pub accounts_per_hour: u32,
    /// Whether entering rooms is limited.
    pub joins: bool,
    /// Rooms that an address block, and an account, may enter in an hour.
    pub joins_per_hour: u32,
    /// Whether changes of nicknames are limited.
    pub nicks: bool,
    /// How often an address block, and an account, may change nicknames in an hour.
    pub nicks_per_hour: u32,
    /// Whether writing to strangers is limited.
    pub strangers: bool,
    /// People who have not written back to whom an address block, and an account, may write in an hour.
    pub strangers_per_hour: u32,
}

/// Networks; an address alone is the network that has only it.
pub(super) fn nets<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<IpNet>, D::Error> {
    let net = |text: String| {
        let alone = || text.parse::<IpAddr>().ok().map(IpNet::from);
        let no_net = || D::Error::custom(format!("{text:?} is no address and no network (10.0.0.0/8)"));
        text.parse().ok().or_else(alone).ok_or_else(no_net)
    };
    Vec::<String>::deserialize(deserializer)?.into_iter().map(net).collect()
}

impl ThrottleConfig {
    /// What an address block may do in an hour.
    pub(super) fn hourly(&self) -> Hourly {
        let mut hourly = Hourly::default();
        hourly[Dear::Rooms.index()] = self.rooms.then_some(self.rooms_per_hour);
        hourly[Dear::Accounts.index()] = self.accounts.then_some(self.accounts_per_hour);
        hourly[Dear::WrongPasswords.index()] = self.logins.then_some(self.wrong_passwords_per_hour);
        hourly[Dear::Joins.index()] = self.joins.then_some(self.joins_per_hour);
        hourly[Dear::Nicks.index()] = self.nicks.then_some(self.nicks_per_hour);
        hourly[Dear::Openings.index()] = self.strangers.then_some(self.strangers_per_hour);
        hourly
    }
}

impl Default for ThrottleConfig {
    fn default() -> Self {
        ThrottleConfig {
            exempt: vec![
                IpNet::new_assert(Ipv4Addr::new(127, 0, 0, 0).into(), 8),
                IpNet::new_assert(Ipv6Addr::LOCALHOST.into(), 128),
            ],
            connections: true,
            connections_at_once: 256,
            connections_per_minute: 240,
            newcomers_at_once: 64,
            commands: true,
            commands_per_second: 5,
            commands_burst: 40,
            logins: true,
            wrong_passwords_per_hour: 120,
            rooms: true,
            rooms_per_hour: 120,
            accounts: true,
            accounts_per_hour: 120,
            joins: true,
            joins_per_hour: 2400,
            nicks: true,
            nicks_per_hour: 240,
            strangers: true,
            strangers_per_hour: 120,
        }
    }
}
